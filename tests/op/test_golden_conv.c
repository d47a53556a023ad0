/* test_golden_conv.c -- convolutions of every algorithm against PyTorch's outputs and gradients. */
#include "config.h"
#include "golden.h"

#include <stdio.h>

static const struct {
    const char *name;
    bool is_transposed;
    tg_conv2d_geom geom;
} cases[] = {
    {"zero", false, {.stride = 1, .pad = 1}},
    {"reflect", false, {.stride = 1, .pad = 3, .padding = TG_PAD_REFLECT}},
    {"stride2", false, {.stride = 2, .pad = 1}},
    {"wide", false, {.stride = 2, .pad = 1}},
    {"transposed", true, {.stride = 2, .pad = 1, .output_pad = 1}},
    {"transposed_even", true, {.stride = 2, .pad = 1}},
};
static const tg_conv_algorithm algorithms[] = {TG_CONV_DIRECT, TG_CONV_PACKED};

static void open_all(void)
{
    op_open();
    golden_open("ops_conv");
}

static void close_all(void)
{
    golden_close();
    op_close();
}

/* PyTorch's bias is a vector; here it is [1,K,1,1]. */
static tg_tensor *bias(const char *name, const char *part, bool is_zero)
{
    tg_dims dims = golden_dims(name, part);
    size_t n = tg_dims_count(dims);
    float *values = op_floats(n);

    if (!is_zero) {
        char path[64];
        snprintf(path, sizeof path, "%s.%s", name, part);
        ck_assert_tg_ok(tgi_safetensors_floats(golden_file(), path, values, n));
    }
    tg_tensor *t = op_tensor((tg_dims){1, n, 1, 1}, values);
    free(values);
    return t;
}

static void check_bias(const char *name, tg_tensor *got)
{
    size_t n = tg_tensor_count(got);
    float *values = op_floats(n), *want = op_floats(n);
    char path[64];

    snprintf(path, sizeof path, "%s.db", name);
    ck_assert_tg_ok(tg_tensor_download(got, values, n));
    ck_assert_tg_ok(tgi_safetensors_floats(golden_file(), path, want, n));
    tg_compare(path, values, want, n, TOL_GOLDEN);
    free(values);
    free(want);
    tg_tensor_free(got);
}

START_TEST(convolutions_agree)
{
    const char *name = cases[_i / 2].name;
    bool is_transposed = cases[_i / 2].is_transposed;
    tg_conv2d_geom geom = cases[_i / 2].geom;
    tg_tensor *x = golden_tensor(name, "x"), *w = golden_tensor(name, "w"),
              *b = bias(name, "b", false);
    tg_tensor *dy = golden_tensor(name, "dy"), *y = golden_zero(name, "y"),
              *dx = golden_zero(name, "dx");
    tg_tensor *dw = golden_zero(name, "dw"), *db = bias(name, "b", true);

    geom.algorithm = algorithms[_i % 2];
    ck_assert_tg_ok(
        (is_transposed ? tg_conv2d_transposed_forward : tg_conv2d_forward)(x, w, b, &geom, y));
    ck_assert_tg_ok((is_transposed ? tg_conv2d_transposed_backward_data
                                   : tg_conv2d_backward_data)(dy, w, &geom, dx));
    ck_assert_tg_ok((is_transposed ? tg_conv2d_transposed_backward_weights
                                   : tg_conv2d_backward_weights)(x, dy, &geom, dw, db));
    golden_check(name, "y", y);
    golden_check(name, "dx", dx);
    golden_check(name, "dw", dw);
    check_bias(name, db);
    tg_tensor_free(x);
    tg_tensor_free(w);
    tg_tensor_free(b);
    tg_tensor_free(dy);
}
END_TEST

START_TEST(linear_agrees)
{
    tg_tensor *x = golden_tensor("linear", "x"), *w = golden_tensor("linear", "w"),
              *b = bias("linear", "b", false);
    tg_tensor *dy = golden_tensor("linear", "dy"), *y = golden_zero("linear", "y"),
              *dx = golden_zero("linear", "dx");
    tg_tensor *dw = golden_zero("linear", "dw"), *db = bias("linear", "b", true);

    ck_assert_tg_ok(tg_linear_forward(x, w, b, y));
    ck_assert_tg_ok(tg_linear_backward(x, w, dy, dx, dw, db));
    golden_check("linear", "y", y);
    golden_check("linear", "dx", dx);
    golden_check("linear", "dw", dw);
    check_bias("linear", db);
    tg_tensor_free(x);
    tg_tensor_free(w);
    tg_tensor_free(b);
    tg_tensor_free(dy);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("golden", 120);

    tcase_add_checked_fixture(tc, open_all, close_all);
    tcase_add_loop_test(tc, convolutions_agree, 0, 2 * TG_COUNT(cases));
    tcase_add_test(tc, linear_agrees);
    return tg_run("golden_conv");
}

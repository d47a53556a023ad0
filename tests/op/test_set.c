/* test_set.c -- what sets a gradient gives what adding to zeros gives, and reads nothing of what was there; activations in place and
 * the norm with a ReLU in it equal their parts. */
#include "config.h"
#include "op/op_test.h"
#include "ref/ref.h"

#include <math.h>

static const tg_dims shapes[] = {{1, 1, 1, 1}, {1, 3, 5, 7}, {2, 4, 17, 33}, {2, 3, 16, 16}};
static const float slope = 0.1f;

/* A tensor full of NaN: whoever reads it shows. */
static tg_tensor *poisoned(tg_dims dims)
{
    tg_tensor *t = op_tensor(dims, NULL);

    ck_assert_tg_ok(tgi_tensor_fill(t, NAN));
    return t;
}

static tg_tensor *zeros(tg_dims dims)
{
    tg_tensor *t = op_tensor(dims, NULL);

    ck_assert_tg_ok(tgi_tensor_fill(t, 0));
    return t;
}

static tg_tensor *normal(tg_dims dims, uint64_t seed)
{
    float *values = op_normal(tg_dims_count(dims), seed);
    tg_tensor *t = op_tensor(dims, values);

    free(values);
    return t;
}

static float *values_of(const tg_tensor *t)
{
    float *values = op_floats(tg_tensor_count(t));

    ck_assert_tg_ok(tg_tensor_download(t, values, tg_tensor_count(t)));
    return values;
}

/* Frees both. */
static void compare(const char *what, tg_tensor *got, tg_tensor *want, double tolerance)
{
    float *g = values_of(got), *w = values_of(want);

    tg_compare(what, g, w, tg_tensor_count(want), tolerance);
    free(g), free(w);
    tg_tensor_free(got), tg_tensor_free(want);
}

START_TEST(activations_in_place)
{
    const tg_dims d = shapes[_i];

    for (tg_activation f = TG_RELU; f <= TG_SIGMOID; f++) {
        tg_tensor *x = normal(d, 1), *here = normal(d, 1), *y = op_tensor(d, NULL);
        tg_tensor *dy = normal(d, 2), *dy_here = normal(d, 2), *added = zeros(d),
                  *set = poisoned(d);

        ck_assert_tg_ok(tg_activation_forward(f, slope, x, y));
        ck_assert_tg_ok(tgi_activation_forward_here(f, slope, here));
        ck_assert_tg_ok(tg_activation_backward(f, slope, y, dy, added));
        ck_assert_tg_ok(tgi_activation_backward(f, slope, y, dy, TGI_SET, set));
        ck_assert_tg_ok(tgi_activation_backward_here(f, slope, y, dy_here));
        compare("forward in place", here, y, 0);
        tg_tensor_free(x), tg_tensor_free(dy);
        float *want = values_of(added);
        tg_tensor *again = op_tensor(d, want);
        free(want);
        compare("backward, set", set, added, 0);
        compare("backward in place", dy_here, again, 0);
    }
}
END_TEST

START_TEST(upsampling)
{
    const tg_dims d = shapes[_i];

    for (size_t s = 1; s <= 3; s++) {
        tg_tensor *dy = normal((tg_dims){d.n, d.c, d.h * s, d.w * s}, 3), *added = zeros(d),
                  *set = poisoned(d);

        ck_assert_tg_ok(tg_upsample_backward(dy, s, added));
        ck_assert_tg_ok(tgi_upsample_backward(dy, s, TGI_SET, set));
        compare("dx", set, added, 0);
        tg_tensor_free(dy);
    }
}
END_TEST

static const struct {
    tg_dims x, w;
    tg_conv2d_geom geom;
} layers[] = {
    {{1, 1, 1, 1}, {1, 1, 1, 1}, {.stride = 1}},
    {{2, 3, 9, 7}, {17, 3, 3, 3}, {.stride = 1, .pad = 1}},
    {{2, 3, 9, 7}, {5, 3, 3, 3}, {.stride = 1, .pad = 1, .padding = TG_PAD_REFLECT}},
    {{1, 16, 8, 8}, {16, 16, 4, 4}, {.stride = 2, .pad = 1}},
    {{1, 5, 9, 9}, {3, 5, 2, 2}, {.stride = 3}}, /* pixels that no output looks at */
    {{1, 20, 8, 9}, {33, 20, 4, 4}, {.stride = 1, .pad = 1}},
};

START_TEST(convolutions)
{
    for (tg_conv_algorithm a = TG_CONV_AUTO; a <= TG_CONV_FFT; a++) {
        tg_conv2d_geom geom = layers[_i].geom;
        tg_tensor *w = normal(layers[_i].w, 4), *added = zeros(layers[_i].x),
                  *set = poisoned(layers[_i].x), *dy;
        tg_dims y;

        if ((a == TG_CONV_MATMUL || a == TG_CONV_FFT) && (_i != 1 || getenv("TAGGAN_TEST_TINY")))
            continue; /* the libraries compile for seconds at every size */
        geom.algorithm = a;
        ck_assert_tg_ok(tg_conv2d_output(layers[_i].x, layers[_i].w, &geom, &y));
        dy = normal(y, 5);
        ck_assert_tg_ok(tg_conv2d_backward_data(dy, w, &geom, added));
        ck_assert_tg_ok(tgi_conv2d_backward_data(dy, w, &geom, TGI_SET, set));
        compare("dx", set, added, 1e-6); /* an algorithm may start its sums from what was there */
        tg_tensor_free(w), tg_tensor_free(dy);
    }
}
END_TEST

START_TEST(transposed_convolutions)
{
    const tg_dims x = {2, 6, 5, 7}, w_dims = {6, 4, 3, 3};
    const tg_conv2d_geom geom = {.stride = 2, .pad = 1, .output_pad = 1};
    tg_dims y;

    ck_assert_tg_ok(tg_conv2d_transposed_output(x, w_dims, &geom, &y));
    tg_tensor *w = normal(w_dims, 4), *dy = normal(y, 5), *added = zeros(x), *set = poisoned(x);

    ck_assert_tg_ok(tg_conv2d_transposed_backward_data(dy, w, &geom, added));
    ck_assert_tg_ok(tgi_conv2d_transposed_backward_data(dy, w, &geom, TGI_SET, set));
    compare("dx", set, added, 1e-6);
    tg_tensor_free(w), tg_tensor_free(dy);
}
END_TEST

/* The norm with a ReLU in it, beside the norm and then the ReLU. */
static void check_norm(tg_dims d, bool is_affine, float relu)
{
    const tg_dims planes = {d.n, d.c, 1, 1}, channels = {1, d.c, 1, 1};
    const tg_activation f = relu > 0 ? TG_LEAKY_RELU : TG_RELU;
    tg_tensor *x = normal(d, 1), *dy = normal(d, 2), *mu = op_tensor(planes, NULL),
              *rstd = op_tensor(planes, NULL);
    tg_tensor *gamma = is_affine ? normal(channels, 3) : NULL,
              *beta = is_affine ? normal(channels, 4) : NULL;
    tg_tensor *z = op_tensor(d, NULL), *y = op_tensor(d, NULL), *dz = zeros(d), *dx = zeros(d);
    tg_tensor *dgamma = is_affine ? zeros(channels) : NULL,
              *dbeta = is_affine ? zeros(channels) : NULL;
    tg_tensor *y_once = poisoned(d), *dx_once = poisoned(d);
    tg_tensor *dgamma_once = is_affine ? zeros(channels) : NULL,
              *dbeta_once = is_affine ? zeros(channels) : NULL;

    ck_assert_tg_ok(tg_instance_norm_forward(x, gamma, beta, 1e-5f, z, mu, rstd));
    ck_assert_tg_ok(tg_activation_forward(f, relu, z, y));
    ck_assert_tg_ok(tg_activation_backward(f, relu, y, dy, dz));
    ck_assert_tg_ok(tg_instance_norm_backward(x, gamma, mu, rstd, dz, dx, dgamma, dbeta));
    ck_assert_tg_ok(tgi_instance_norm_forward(x, gamma, beta, 1e-5f, relu, y_once, mu, rstd));
    ck_assert_tg_ok(tgi_instance_norm_backward(x, gamma, beta, relu, mu, rstd, dy, TGI_SET, dx_once,
                                               dgamma_once, dbeta_once));
    compare("y", y_once, y, 0);
    compare("dx", dx_once, dx, TOL_REDUCE);
    if (is_affine) {
        compare("dgamma", dgamma_once, dgamma, TOL_REDUCE);
        compare("dbeta", dbeta_once, dbeta, TOL_REDUCE);
    }
    tg_tensor_free(x), tg_tensor_free(dy), tg_tensor_free(mu), tg_tensor_free(rstd);
    tg_tensor_free(gamma), tg_tensor_free(beta), tg_tensor_free(z), tg_tensor_free(dz);
}

START_TEST(norm_with_a_relu)
{
    check_norm(shapes[_i], false, 0);
    check_norm(shapes[_i], true, 0);
    check_norm(shapes[_i], true, 0.2f);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("set", 240), *wide = tg_case("set, wide reductions", 240);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, activations_in_place, 0, TG_COUNT(shapes));
    tcase_add_loop_test(tc, upsampling, 0, TG_COUNT(shapes));
    tcase_add_loop_test(tc, convolutions, 0, TG_COUNT(layers));
    tcase_add_test(tc, transposed_convolutions);
    tcase_add_loop_test(tc, norm_with_a_relu, 0, TG_COUNT(shapes));
    tcase_add_checked_fixture(wide, op_open_wide, op_close);
    tcase_add_loop_test(wide, norm_with_a_relu, 0, TG_COUNT(shapes));
    return tg_run("set");
}

/* test_conv2d_accuracy.c -- how far every algorithm of convolution is from the sum in double, in each pass: the bounds that the
 * choice of the transforms' points rests on. */
#include "config.h"
#include "op/conv2d.h"
#include "op/tensor_core.h"
#include "op_test.h"
#include "ref/ref.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Layers that Winograd's algorithms take, of the size where the bounds were found. */
static const struct {
    tg_dims x, w;
    tg_conv2d_geom geom;
} layers[] = {
    {{1, 64, 32, 32}, {64, 64, 3, 3}, {.stride = 1, .pad = 1, .padding = TG_PAD_REFLECT}},
    {{1, 64, 32, 32}, {64, 64, 4, 4}, {.stride = 1, .pad = 1}},
    {{1, 64, 32, 32}, {64, 64, 4, 4}, {.stride = 2, .pad = 1}},
    {{1, 64, 32, 32}, {64, 64, 3, 3}, {.stride = 2, .pad = 1}},
};

/* Values and tensors of one layer, the same for every algorithm. */
typedef struct fixture {
    ref_conv2d ref;
    tgi_conv conv;
    tg_dims y;
    double *x, *w, *dy;
    tg_tensor *tx, *tw, *tdy;
} fixture;

static tg_tensor *tensor_of(tg_dims dims, uint64_t seed, double **values)
{
    size_t n = tg_dims_count(dims);
    float *narrow = op_normal(n, seed);
    tg_tensor *t = op_tensor(dims, narrow);

    *values = op_normal_d(n, seed);
    free(narrow);
    return t;
}

static void setup(fixture *f, size_t layer)
{
    f->ref = (ref_conv2d){layers[layer].x, layers[layer].w, layers[layer].geom};
    ck_assert_tg_ok(tg_conv2d_output(f->ref.x, f->ref.w, &f->ref.geom, &f->y));
    f->conv = (tgi_conv){.n = f->ref.x.n,
                         .c = f->ref.x.c,
                         .h = f->ref.x.h,
                         .w = f->ref.x.w,
                         .k = f->y.c,
                         .p = f->y.h,
                         .q = f->y.w,
                         .r = f->ref.w.h,
                         .s = f->ref.w.w,
                         .stride = f->ref.geom.stride,
                         .pad = f->ref.geom.pad,
                         .is_reflected = f->ref.geom.padding == TG_PAD_REFLECT};
    f->tx = tensor_of(f->ref.x, 11, &f->x);
    f->tw = tensor_of(f->ref.w, 12, &f->w);
    f->tdy = tensor_of(f->y, 13, &f->dy);
}

static void teardown(fixture *f)
{
    tg_tensor_free(f->tx);
    tg_tensor_free(f->tw);
    tg_tensor_free(f->tdy);
    free(f->x);
    free(f->w);
    free(f->dy);
}

static const char *const pass_names[] = {"forward", "backward data", "backward weights"};

static void run_pass(fixture *f, int pass, tg_tensor *out)
{
    ck_assert_tg_ok(tgi_tensor_fill(out, 0.0f));
    if (pass == REF_FORWARD)
        ck_assert_tg_ok(tg_conv2d_forward(f->tx, f->tw, NULL, &f->ref.geom, out));
    else if (pass == REF_DATA)
        ck_assert_tg_ok(tg_conv2d_backward_data(f->tdy, f->tw, &f->ref.geom, out));
    else
        ck_assert_tg_ok(tg_conv2d_backward_weights(f->tx, f->tdy, &f->ref.geom, out, NULL));
}

static void check_error(const fixture *f, const char *algorithm, const char *pass, const float *got,
                        const double *want, size_t n, double max_bound, double rms_bound)
{
    double square = 0, error_square = 0, largest = 0;

    for (size_t i = 0; i < n; i++) {
        double error = fabs((double)got[i] - want[i]);

        square += want[i] * want[i];
        error_square += error * error;
        largest = error > largest ? error : largest;
    }
    largest /= sqrt(square / (double)n);
    error_square = sqrt(error_square / square);
    printf("# %s, %s, %zu x %zu, stride %zu: largest %.2e, rms %.2e\n", algorithm, pass, f->conv.r,
           f->conv.r, f->conv.stride, largest, error_square);
    ck_assert_msg(largest <= max_bound && error_square <= rms_bound,
                  "%s, %s, %zu x %zu, stride %zu: largest error %g (bound %g), rms %g (bound %g)",
                  algorithm, pass, f->conv.r, f->conv.r, f->conv.stride, largest, max_bound,
                  error_square, rms_bound);
}

/* _i: layer and pass. */
START_TEST(errors_stay_within_the_bounds)
{
    size_t layer = (size_t)_i / TG_COUNT(pass_names);
    int pass = _i % (int)TG_COUNT(pass_names);
    fixture f;

    if (getenv("TAGGAN_TEST_TINY"))
        return; /* sums of this length would take a simulated device an hour; it computes in the same floats */
    setup(&f, layer);
    tg_dims dims = pass == REF_FORWARD ? f.y : pass == REF_DATA ? f.ref.x : f.ref.w;
    size_t n = tg_dims_count(dims);
    double *want = op_doubles(n);
    float *got = op_floats(n);
    tg_tensor *out = op_tensor(dims, NULL);

    ref_conv2d_add(&f.ref, (ref_conv2d_pass)pass, pass == REF_DATA ? want : f.x,
                   pass == REF_WEIGHTS ? want : f.w, pass == REF_FORWARD ? want : f.dy);
    for (size_t i = 0; tgi_conv_algorithms[i]; i++) {
        const tgi_conv_algorithm *a = tgi_conv_algorithms[i];

        if (!a->applies(op_dev, &f.conv, (tgi_conv_pass)pass))
            continue;
        f.ref.geom.algorithm = a->id;
        run_pass(&f, pass, out);
        ck_assert_tg_ok(tg_tensor_download(out, got, n));
        bool is_winograd = a->id == TG_CONV_WINOGRAD;
        check_error(&f, a->name, pass_names[pass], got, want, n,
                    is_winograd ? TOL_WINOGRAD_MAX : TOL_CONV_MAX,
                    is_winograd ? TOL_WINOGRAD_RMS : TOL_CONV_RMS);
    }
    tg_tensor_free(out);
    free(want);
    free(got);
    teardown(&f);
}
END_TEST

static const tgi_tensor_cores units[] = {TGI_TENSOR_TF32, TGI_TENSOR_HALF};
static const char *const unit_names[] = {"implicit, tf32", "implicit, half"};

/* _i: kind of factors, layer and pass; only where there are matrix units. */
START_TEST(matrix_units_stay_within_their_bounds)
{
    size_t unit = (size_t)_i / (TG_COUNT(layers) * TG_COUNT(pass_names)),
           layer = (size_t)_i / TG_COUNT(pass_names) % TG_COUNT(layers);
    int pass = _i % (int)TG_COUNT(pass_names);
    fixture f;

    tgi_tensor_core_wish(op_dev, units[unit]);
    if (!tgi_tensor_core_options(op_dev)) {
        printf("# %s: %s has no matrix units that OpenCL reaches, nothing to test\n",
               unit_names[unit], tg_device_get_info(op_dev)->name);
        return;
    }
    setup(&f, layer);
    tg_dims dims = pass == REF_FORWARD ? f.y : pass == REF_DATA ? f.ref.x : f.ref.w;
    size_t n = tg_dims_count(dims);
    double *want = op_doubles(n);
    float *got = op_floats(n);
    tg_tensor *out = op_tensor(dims, NULL);

    ref_conv2d_add(&f.ref, (ref_conv2d_pass)pass, pass == REF_DATA ? want : f.x,
                   pass == REF_WEIGHTS ? want : f.w, pass == REF_FORWARD ? want : f.dy);
    f.ref.geom.algorithm = TG_CONV_IMPLICIT;
    run_pass(&f, pass, out);
    ck_assert_tg_ok(tg_tensor_download(out, got, n));
    check_error(&f, unit_names[unit], pass_names[pass], got, want, n, TOL_TENSOR_MAX,
                TOL_TENSOR_RMS);
    tg_tensor_free(out);
    free(want);
    free(got);
    teardown(&f);
}
END_TEST

START_TEST(a_device_without_matrix_units_computes_in_float)
{
    if (strstr(tg_device_get_info(op_dev)->platform, "NVIDIA"))
        return;
    tgi_tensor_core_wish(op_dev, TGI_TENSOR_HALF);
    ck_assert_ptr_null(tgi_tensor_core_options(op_dev));
    ck_assert_ptr_null(tgi_tensor_core_options(op_dev)); /* asked once, told once */
    ck_assert(strstr(tg_error_message(), "no matrix units"));
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("conv2d accuracy", 120);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, errors_stay_within_the_bounds, 0,
                        (int)(TG_COUNT(layers) * TG_COUNT(pass_names)));
    tc = tg_case("matrix units", 120); /* by itself: CK_RUN_CASE="matrix units" */
    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, matrix_units_stay_within_their_bounds, 0,
                        (int)(TG_COUNT(units) * TG_COUNT(layers) * TG_COUNT(pass_names)));
    tcase_add_test(tc, a_device_without_matrix_units_computes_in_float);
    return tg_run("conv2d_accuracy");
}

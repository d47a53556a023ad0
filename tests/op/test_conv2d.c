/* test_conv2d.c -- every algorithm of convolution against the definition, forward and backward: the kernels of conv2d,
 * conv2d_pad, conv2d_packed, conv2d_rows, conv2d_channels, conv2d_winograd, conv2d_phases, conv2d_matmul, conv2d_implicit,
 * conv2d_few, conv2d_fold, conv2d_winograd_gpu and conv2d_fft. */
#include "config.h"
#include "op_test.h"
#include "ref/ref.h"

#include <string.h>

/* Smallest; odd sizes; strides whose phases have unequal taps; reflection; more than one block of channels; few outputs;
 * layers of the networks; tiles of one pixel at the edge, rows longer than a work-item takes. */
static const struct {
    tg_dims x, w;
    tg_conv2d_geom geom;
    bool is_large; /* left out on a simulated device */
} shapes[] = {
    {{1, 1, 1, 1}, {1, 1, 1, 1}, {.stride = 1}, false},
    {{2, 3, 5, 7}, {4, 3, 3, 3}, {.stride = 1, .pad = 1}, false},
    {{1, 2, 6, 5}, {3, 2, 3, 3}, {.stride = 1, .pad = 1, .padding = TG_PAD_REFLECT}, false},
    {{2, 1, 9, 8}, {5, 1, 4, 4}, {.stride = 2, .pad = 1}, false},
    {{1, 2, 9, 11}, {2, 2, 3, 3}, {.stride = 2, .pad = 1}, false},
    {{1, 2, 8, 7}, {3, 2, 3, 2}, {.stride = 3, .pad = 0}, false},
    {{1, 3, 9, 9}, {2, 3, 7, 7}, {.stride = 1, .pad = 3, .padding = TG_PAD_REFLECT}, false},
    {{1, 2, 7, 7}, {3, 2, 1, 1}, {.stride = 2}, false},
    {{3, 5, 1, 1}, {7, 5, 1, 1}, {.stride = 1}, false},
    {{2, 17, 6, 6}, {33, 17, 3, 3}, {.stride = 1, .pad = 1}, true},
    {{1, 16, 32, 32}, {16, 16, 3, 3}, {.stride = 1, .pad = 1}, true},
    {{2, 16, 16, 16}, {32, 16, 4, 4}, {.stride = 2, .pad = 1}, true},
    {{1, 40, 20, 19}, {20, 40, 3, 3}, {.stride = 1, .pad = 1, .padding = TG_PAD_REFLECT}, true},
    {{2, 64, 4, 4}, {1, 64, 3, 3}, {.stride = 1, .pad = 1}, true},
    {{1, 32, 31, 30}, {3, 32, 4, 4}, {.stride = 1, .pad = 1}, true},
    {{1, 48, 12, 12}, {64, 48, 1, 1}, {.stride = 1}, true},
    {{2, 2, 5, 6}, {3, 2, 4, 4}, {.stride = 1, .pad = 2}, false},
    {{1, 17, 5, 9}, {2, 17, 3, 3}, {.stride = 1}, false},
    {{3, 1, 5, 5}, {17, 1, 3, 3}, {.stride = 1, .pad = 1, .padding = TG_PAD_REFLECT}, false},
    {{3, 20, 17, 13}, {33, 20, 3, 3}, {.stride = 1, .pad = 1, .padding = TG_PAD_REFLECT}, true},
    {{1, 16, 5, 135}, {16, 16, 3, 3}, {.stride = 1, .pad = 2, .padding = TG_PAD_REFLECT}, true},
    {{1, 16, 14, 131}, {16, 16, 3, 3}, {.stride = 1, .pad = 1, .padding = TG_PAD_REFLECT}, true},
    {{3, 33, 11, 10}, {64, 33, 4, 4}, {.stride = 1, .pad = 2, .padding = TG_PAD_REFLECT}, true},
    {{2, 48, 9, 70}, {33, 48, 4, 4}, {.stride = 1}, true},
    {{2, 5, 39, 44}, {20, 5, 4, 4}, {.stride = 2, .pad = 2}, true},
    {{1, 2, 33, 40}, {32, 2, 7, 7}, {.stride = 1, .pad = 3, .padding = TG_PAD_REFLECT}, true},
    /* for conv2d_rows: one output (two rows a tile); units of 4 x 4 and 2 x 8 pixels, many images; a stride without a special
     * form; a padding as wide as the window allows; ragged units; rows that fit no local memory; layers of the networks */
    {{1, 2, 9, 20}, {1, 2, 5, 5}, {.stride = 1, .pad = 2}, false},
    {{9, 3, 4, 4}, {6, 3, 3, 3}, {.stride = 1, .pad = 1}, false},
    {{2, 2, 17, 15}, {3, 2, 4, 4}, {.stride = 2, .pad = 1}, false},
    {{1, 2, 17, 19}, {3, 2, 4, 4}, {.stride = 3, .pad = 2}, false},
    {{1, 2, 8, 9}, {2, 2, 3, 3}, {.stride = 1, .pad = 2}, false},
    {{9, 17, 5, 4}, {20, 17, 3, 3}, {.stride = 1, .pad = 1}, true},
    {{5, 20, 16, 16}, {33, 20, 4, 4}, {.stride = 2, .pad = 1}, true},
    {{1, 9, 19, 67}, {18, 9, 3, 3}, {.stride = 2, .pad = 1}, true},
    {{1, 300, 6, 600}, {5, 300, 3, 3}, {.stride = 1, .pad = 1}, true},
    {{1, 32, 64, 64}, {64, 32, 3, 3}, {.stride = 2, .pad = 1}, true},
    {{1, 1, 64, 64}, {64, 1, 7, 7}, {.stride = 1, .pad = 3, .padding = TG_PAD_REFLECT}, true},
    {{1, 64, 64, 64}, {1, 64, 7, 7}, {.stride = 1, .pad = 3, .padding = TG_PAD_REFLECT}, true},
    {{1, 2, 90, 91}, {130, 2, 3, 3}, {.stride = 1, .pad = 1}, true},
    /* 3 x 3 taps of stride 2 by Winograd: reflection folded in the tiles and in a padded image, no padding, windows that end
     * before the image does, rows longer than a work-item takes, more than one block of channels */
    {{1, 2, 6, 7}, {3, 2, 3, 3}, {.stride = 2, .pad = 1, .padding = TG_PAD_REFLECT}, false},
    {{2, 2, 9, 12}, {3, 2, 3, 3}, {.stride = 2, .pad = 2, .padding = TG_PAD_REFLECT}, false},
    {{1, 3, 10, 8}, {2, 3, 3, 3}, {.stride = 2}, false},
    {{3, 20, 18, 15}, {33, 20, 3, 3}, {.stride = 2, .pad = 1, .padding = TG_PAD_REFLECT}, true},
    {{1, 33, 20, 150}, {64, 33, 3, 3}, {.stride = 2, .pad = 1}, true},
    {{1, 16, 25, 131}, {16, 16, 3, 3}, {.stride = 2, .pad = 1, .padding = TG_PAD_REFLECT}, true},
    {{2, 48, 17, 66}, {16, 48, 3, 3}, {.stride = 2, .pad = 2}, true},
    /* more tiles than Winograd takes at a time */
    {{1, 1, 330, 310}, {1, 1, 3, 3}, {.stride = 1, .pad = 1, .padding = TG_PAD_REFLECT}, true},
    {{2, 1, 401, 390}, {1, 1, 3, 3}, {.stride = 2, .pad = 1}, true},
    /* vectors of channels in its weight gradient: images in several chunks, channels that fill no block and no vector */
    {{130, 6, 8, 8}, {40, 6, 3, 3}, {.stride = 1, .pad = 1}, true},
    {{9, 7, 9, 7}, {33, 7, 4, 4}, {.stride = 2, .pad = 1}, true},
    /* for conv2d_channels: ragged rows, channels and strips; a scatter that reads in front of its place */
    {{2, 24, 21, 131}, {50, 24, 3, 3}, {.stride = 2, .pad = 1}, true},
    {{1, 25, 9, 140}, {48, 25, 5, 5}, {.stride = 2, .pad = 3}, true},
    /* for conv2d_few: a kernel that is not square, more than one strip of rows and part of the sum */
    {{2, 3, 8, 9}, {2, 3, 4, 2}, {.stride = 1, .pad = 1}, false},
    {{1, 9, 40, 37}, {3, 9, 5, 5}, {.stride = 1, .pad = 2, .padding = TG_PAD_REFLECT}, true},
};

static const tg_conv_algorithm algorithms[] = {TG_CONV_DIRECT, TG_CONV_PACKED,   TG_CONV_MATMUL,
                                               TG_CONV_FFT,    TG_CONV_WINOGRAD, TG_CONV_WINOGRAD2,
                                               TG_CONV_AUTO};
/* Those of graphics cards, where TAGGAN_TEST_FAMILY=gpu (tests/cli/family.sh); the others are the same in both families. */
static const tg_conv_algorithm gpu_algorithms[] = {TG_CONV_IMPLICIT, TG_CONV_WINOGRAD,
                                                   TG_CONV_WINOGRAD2};
static struct {
    size_t shape;
    tg_conv_algorithm algorithm;
} cases[TG_COUNT(shapes) * TG_COUNT(algorithms)];

/* Where the algorithm does not apply another computes, which has a case of its own; and some take their time. */
static bool is_worth(tg_conv_algorithm algorithm, size_t i)
{
    size_t taps = shapes[i].w.h, stride = shapes[i].geom.stride;
    bool is_square = shapes[i].w.w == taps, is_reflected = shapes[i].geom.padding == TG_PAD_REFLECT;

    switch (algorithm) {
    case TG_CONV_WINOGRAD:
        return is_square && ((stride == 1 && (taps == 3 || taps == 4)) ||
                             (stride == 2 && (taps == 3 || (taps == 4 && !is_reflected))));
    case TG_CONV_WINOGRAD2:
        return is_square && stride == 1 && taps == 3;
    case TG_CONV_MATMUL: /* CLBlast compiles for seconds in every process: six shapes are enough for it */
        return i % 3 == 0 && i < 18 && !getenv("TAGGAN_TEST_TINY");
    case TG_CONV_FFT: /* clFFT does at each size: a ragged one, reflection by 3, more output channels than one part takes */
        return (i == 1 || i == 6 || i == 9) && !getenv("TAGGAN_TEST_TINY");
    default:
        return true;
    }
}

static int list_cases(void)
{
    bool is_gpu = op_is_gpu_forced();
    const tg_conv_algorithm *all = is_gpu ? gpu_algorithms : algorithms;
    size_t n_all = is_gpu ? TG_COUNT(gpu_algorithms) : TG_COUNT(algorithms);
    int n = 0;

    for (size_t i = 0; i < TG_COUNT(shapes); i++) {
        for (size_t j = 0; j < n_all; j++) {
            if (!is_worth(all[j], i) || (is_gpu && tg_dims_count(shapes[i].x) > 100000))
                continue; /* a processor takes minutes for a card's way with large ones */
            cases[n].shape = i;
            cases[n++].algorithm = all[j];
        }
    }
    return n;
}

/* One case: host values, tensors, and the reference's numbers. */
typedef struct fixture {
    ref_conv2d ref;
    tg_dims y;
    size_t n_x, n_w, n_y;
    double *x, *w, *dy;
    tg_tensor *tx, *tw, *tdy;
} fixture;

static float *narrowed(const double *values, size_t n)
{
    float *out = op_floats(n);

    for (size_t i = 0; i < n; i++)
        out[i] = (float)values[i];
    return out;
}

static tg_tensor *tensor_of(tg_dims dims, const double *values)
{
    float *narrow = narrowed(values, tg_dims_count(dims));
    tg_tensor *t = op_tensor(dims, narrow);

    free(narrow);
    return t;
}

static bool setup_shape(fixture *f, size_t shape, tg_conv_algorithm algorithm)
{
    f->ref = (ref_conv2d){shapes[shape].x, shapes[shape].w, shapes[shape].geom};
    f->ref.geom.algorithm = algorithm;
    if (shapes[shape].is_large && getenv("TAGGAN_TEST_TINY"))
        return false;
    ck_assert_tg_ok(tg_conv2d_output(f->ref.x, f->ref.w, &f->ref.geom, &f->y));
    f->n_x = tg_dims_count(f->ref.x);
    f->n_w = tg_dims_count(f->ref.w);
    f->n_y = tg_dims_count(f->y);
    f->x = op_normal_d(f->n_x, 1);
    f->w = op_normal_d(f->n_w, 2);
    f->dy = op_normal_d(f->n_y, 3);
    f->tx = tensor_of(f->ref.x, f->x);
    f->tw = tensor_of(f->ref.w, f->w);
    f->tdy = tensor_of(f->y, f->dy);
    return true;
}

static bool setup(fixture *f, int i)
{
    return setup_shape(f, cases[i].shape, cases[i].algorithm);
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

/* Runs `call` three times on a guarded output that starts from `start` and compares with start + want. */
#define CHECK_GUARDED(what, dims, start, want, call)                                               \
    do {                                                                                           \
        op_guarded g;                                                                              \
        size_t n_ = tg_dims_count(dims);                                                           \
        float *got_ = op_floats(n_);                                                               \
        op_guard_new(&g, dims);                                                                    \
        OP_ROUNDS                                                                                  \
        {                                                                                          \
            op_guard_set(&g, start);                                                               \
            ck_assert_tg_ok(call);                                                                 \
            op_guard_get(&g, got_, round);                                                         \
        }                                                                                          \
        tg_compare_fd(what, got_, want, n_, TOL_CONV);                                             \
        op_guard_free(&g);                                                                         \
        free(got_);                                                                                \
    } while (0)

START_TEST(forward_matches_the_definition)
{
    fixture f;
    if (!setup(&f, _i))
        return;
    double *want = op_doubles(f.n_y), *bias = op_normal_d(f.ref.w.n, 4);
    tg_tensor *tb = tensor_of((tg_dims){1, f.ref.w.n, 1, 1}, bias);
    size_t plane = f.y.h * f.y.w;

    ref_conv2d_add(&f.ref, REF_FORWARD, f.x, f.w, want);
    CHECK_GUARDED("y", f.y, NULL, want, tg_conv2d_forward(f.tx, f.tw, NULL, &f.ref.geom, g.t));
    for (size_t i = 0; i < f.n_y; i++)
        want[i] += bias[i / plane % f.ref.w.n];
    CHECK_GUARDED("y with bias", f.y, NULL, want,
                  tg_conv2d_forward(f.tx, f.tw, tb, &f.ref.geom, g.t));
    tg_tensor_free(tb);
    free(want);
    free(bias);
    teardown(&f);
}
END_TEST

START_TEST(backward_data_matches_the_definition)
{
    fixture f;
    if (!setup(&f, _i))
        return;
    double *want = op_normal_d(f.n_x, 5);
    float *start = narrowed(want, f.n_x);

    ref_conv2d_add(&f.ref, REF_DATA, want, f.w, f.dy);
    CHECK_GUARDED("dx", f.ref.x, start, want,
                  tg_conv2d_backward_data(f.tdy, f.tw, &f.ref.geom, g.t));
    free(want);
    free(start);
    teardown(&f);
}
END_TEST

START_TEST(backward_weights_matches_the_definition)
{
    fixture f;
    if (!setup(&f, _i))
        return;
    double *want = op_normal_d(f.n_w, 6), *bias = op_normal_d(f.ref.w.n, 7);
    float *start = narrowed(want, f.n_w), *bias_start = narrowed(bias, f.ref.w.n);
    size_t plane = f.y.h * f.y.w;

    ref_conv2d_add(&f.ref, REF_WEIGHTS, f.x, want, f.dy);
    for (size_t i = 0; i < f.n_y; i++)
        bias[i / plane % f.ref.w.n] += f.dy[i];
    CHECK_GUARDED("dw", f.ref.w, start, want,
                  tg_conv2d_backward_weights(f.tx, f.tdy, &f.ref.geom, g.t, NULL));
    CHECK_GUARDED("db", ((tg_dims){1, f.ref.w.n, 1, 1}), bias_start, bias,
                  tg_conv2d_backward_weights(f.tx, f.tdy, &f.ref.geom, NULL, g.t));
    free(want);
    free(bias);
    free(start);
    free(bias_start);
    teardown(&f);
}
END_TEST

/* The transposed convolution of the same shapes: its input is the output side; output_pad restores sizes that do not divide. */
START_TEST(transposed_is_the_same_with_the_sides_exchanged)
{
    fixture f;
    tg_dims image;
    if (!setup(&f, _i) || f.ref.geom.padding == TG_PAD_REFLECT)
        return;
    f.ref.geom.output_pad = (f.ref.x.h + 2 * f.ref.geom.pad - f.ref.w.h) % f.ref.geom.stride;
    ck_assert_tg_ok(tg_conv2d_transposed_output(f.y, f.ref.w, &f.ref.geom, &image));
    if (image.h != f.ref.x.h || image.w != f.ref.x.w) {
        teardown(&f); /* rows and columns would need different paddings */
        return;
    }
    double *y = op_doubles(f.n_x), *dx = op_doubles(f.n_y), *dw = op_doubles(f.n_w);
    float *dx_start = op_floats(f.n_y), *dw_start = op_floats(f.n_w);

    ref_conv2d_add(&f.ref, REF_DATA, y, f.w, f.dy);
    CHECK_GUARDED("transposed y", image, NULL, y,
                  tg_conv2d_transposed_forward(f.tdy, f.tw, NULL, &f.ref.geom, g.t));
    ref_conv2d_add(&f.ref, REF_FORWARD, f.x, f.w, dx);
    CHECK_GUARDED("transposed dx", f.y, dx_start, dx,
                  tg_conv2d_transposed_backward_data(f.tx, f.tw, &f.ref.geom, g.t));
    ref_conv2d_add(&f.ref, REF_WEIGHTS, f.x, dw, f.dy);
    CHECK_GUARDED("transposed dw", f.ref.w, dw_start, dw,
                  tg_conv2d_transposed_backward_weights(f.tdy, f.tx, &f.ref.geom, g.t, NULL));
    free(y);
    free(dx);
    free(dw);
    free(dx_start);
    free(dw_start);
    teardown(&f);
}
END_TEST

static void gradcheck_forward(const double *x, double *y, void *user)
{
    fixture *f = user;

    memset(y, 0, f->n_y * sizeof *y);
    ref_conv2d_add(&f->ref, REF_FORWARD, (double *)(uintptr_t)x, f->w, y);
}

static void gradcheck_weights(const double *w, double *y, void *user)
{
    fixture *f = user;

    memset(y, 0, f->n_y * sizeof *y);
    ref_conv2d_add(&f->ref, REF_FORWARD, f->x, (double *)(uintptr_t)w, y);
}

START_TEST(the_reference_agrees_with_central_differences)
{
    fixture f;
    if (!setup_shape(&f, (size_t)_i, TG_CONV_DIRECT))
        return;
    double *dx = op_doubles(f.n_x), *dw = op_doubles(f.n_w);

    ref_conv2d_add(&f.ref, REF_DATA, dx, f.w, f.dy);
    ref_conv2d_add(&f.ref, REF_WEIGHTS, f.x, dw, f.dy);
    op_gradcheck("dx", gradcheck_forward, &f, f.x, f.n_x, f.dy, f.n_y, dx);
    op_gradcheck("dw", gradcheck_weights, &f, f.w, f.n_w, f.dy, f.n_y, dw);
    free(dx);
    free(dw);
    teardown(&f);
}
END_TEST

START_TEST(refuses_shapes_that_do_not_fit)
{
    tg_tensor *x = op_tensor((tg_dims){1, 3, 6, 6}, NULL),
              *w = op_tensor((tg_dims){4, 2, 3, 3}, NULL);
    tg_tensor *w3 = op_tensor((tg_dims){4, 3, 3, 3}, NULL),
              *y = op_tensor((tg_dims){1, 4, 5, 5}, NULL);
    tg_conv2d_geom one = {.stride = 1, .pad = 1}, none = {.stride = 0},
                   far = {.stride = 1, .pad = 6};

    far.padding = TG_PAD_REFLECT;
    ck_assert_tg_fails(tg_conv2d_forward(x, w, NULL, &one, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_conv2d_forward(x, w3, NULL, &one, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_conv2d_forward(x, w3, NULL, &none, y), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_conv2d_forward(x, w3, NULL, &far, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_conv2d_backward_data(y, w3, &one, x), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_conv2d_backward_weights(x, y, &one, w3, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_conv2d_transposed_forward(x, w3, NULL, &one, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_linear_forward(x, w3, NULL, y), TG_ERR_SHAPE);
    tg_tensor_free(x);
    tg_tensor_free(w);
    tg_tensor_free(w3);
    tg_tensor_free(y);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("conv2d", 240);
    int n_cases = list_cases();

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, forward_matches_the_definition, 0, n_cases);
    tcase_add_loop_test(tc, backward_data_matches_the_definition, 0, n_cases);
    tcase_add_loop_test(tc, backward_weights_matches_the_definition, 0, n_cases);
    tcase_add_loop_test(tc, transposed_is_the_same_with_the_sides_exchanged, 0, n_cases);
    if (!op_is_gpu_forced()) {
        tcase_add_loop_test(tc, the_reference_agrees_with_central_differences, 0, 9);
        tcase_add_test(tc, refuses_shapes_that_do_not_fit);
    }
    return tg_run("conv2d");
}

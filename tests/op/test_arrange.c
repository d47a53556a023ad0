/* test_arrange.c -- concatenation, enlargement and pixel shuffle against the reference: the same bits. */
#include "config.h"
#include "op/arrange.h"
#include "op/op_test.h"
#include "ref/ref.h"

#include <string.h>

typedef struct arrangement {
    tg_dims x;    /* the small side */
    size_t other; /* channels of b in a concatenation */
    size_t s;
} arrangement;

/* Smallest, odd, not a multiple of any work-group, factor 3, many samples, a size of the paper's nets. */
static const arrangement shapes[] = {{{1, 1, 1, 1}, 1, 1},
                                     {{1, 4, 5, 7}, 2, 2},
                                     {{2, 9, 17, 3}, 5, 3},
                                     {{3, 16, 9, 21}, 1, 4},
                                     {{1, 64, 32, 32}, 64, 2}};
enum { N_SHAPES = TG_COUNT(shapes) };

static size_t count(tg_dims dims)
{
    return tg_dims_count(dims);
}

static tg_dims with_channels(tg_dims dims, size_t c)
{
    dims.c = c;
    return dims;
}

static tg_dims enlarged(tg_dims x, size_t s)
{
    return (tg_dims){x.n, x.c, x.h * s, x.w * s};
}

static tg_dims shuffled(tg_dims x, size_t s)
{
    return (tg_dims){x.n, x.c / (s * s), x.h * s, x.w * s};
}

START_TEST(concatenates)
{
    const tg_dims a = shapes[_i].x, b = with_channels(a, shapes[_i].other),
                  y = with_channels(a, a.c + b.c);

    if (op_skips(y))
        return;
    float *fa = op_normal(count(a), 1), *fb = op_normal(count(b), 2), *got = op_floats(count(y));
    double *da = op_normal_d(count(a), 1), *db = op_normal_d(count(b), 2),
           *want = op_doubles(count(y));
    tg_tensor *ta = op_tensor(a, fa), *tb = op_tensor(b, fb);
    op_guarded out;

    op_guard_new(&out, y);
    OP_ROUNDS
    {
        op_guard_set(&out, NULL);
        ck_assert_tg_ok(tg_concat_forward(ta, tb, out.t));
        op_guard_get(&out, got, round);
    }
    ref_concat_forward(da, db, a.n, count(a) / a.n, count(b) / a.n, want);
    tg_compare_fd("concat", got, want, count(y), TOL_EXACT);
    op_guard_free(&out);
    tg_tensor_free(ta);
    tg_tensor_free(tb);
    free(fa);
    free(fb);
    free(got);
    free(da);
    free(db);
    free(want);
}
END_TEST

START_TEST(splits_gradients_of_a_concatenation)
{
    const tg_dims a = shapes[_i].x, b = with_channels(a, shapes[_i].other),
                  y = with_channels(a, a.c + b.c);

    if (op_skips(y))
        return;
    float *fy = op_normal(count(y), 1), *fa = op_normal(count(a), 2), *fb = op_normal(count(b), 3);
    double *dy = op_normal_d(count(y), 1), *da = op_normal_d(count(a), 2),
           *db = op_normal_d(count(b), 3);
    float *got_a = op_floats(count(a)), *got_b = op_floats(count(b));
    tg_tensor *ty = op_tensor(y, fy);
    op_guarded out_a, out_b;

    op_guard_new(&out_a, a);
    op_guard_new(&out_b, b);
    OP_ROUNDS
    {
        op_guard_set(&out_a, fa);
        op_guard_set(&out_b, fb);
        ck_assert_tg_ok(tg_concat_backward(ty, out_a.t, out_b.t));
        op_guard_get(&out_a, got_a, round);
        op_guard_get(&out_b, got_b, round);
    }
    ref_concat_backward(dy, a.n, count(a) / a.n, count(b) / a.n, da, db);
    tg_compare_fd("da", got_a, da, count(a), TOL_POINT);
    tg_compare_fd("db", got_b, db, count(b), TOL_POINT);
    /* One of the two alone. */
    op_guard_set(&out_b, fb);
    ck_assert_tg_ok(tg_concat_backward(ty, NULL, out_b.t));
    op_guard_get(&out_b, got_b, 1);
    op_guard_set(&out_a, fa);
    ck_assert_tg_ok(tg_concat_backward(ty, out_a.t, NULL));
    op_guard_get(&out_a, got_a, 1);
    op_guard_free(&out_a);
    op_guard_free(&out_b);
    tg_tensor_free(ty);
    free(fy);
    free(fa);
    free(fb);
    free(dy);
    free(da);
    free(db);
    free(got_a);
    free(got_b);
}
END_TEST

typedef tg_status forward_fn(const tg_tensor *, size_t, tg_tensor *);
typedef void reference_fn(const double *, tg_dims, size_t, double *);

/* out = op(in), or with `adds`: out += op(in). */
static void check(const char *what, forward_fn *op, reference_fn *reference, tg_dims small,
                  tg_dims in, tg_dims out, size_t s, bool adds, double tolerance)
{
    float *f_in = op_normal(count(in), 1), *start = op_normal(count(out), 2),
          *got = op_floats(count(out));
    double *d_in = op_normal_d(count(in), 1), *want = op_normal_d(count(out), 2);
    tg_tensor *t_in = op_tensor(in, f_in);
    op_guarded g;

    op_guard_new(&g, out);
    OP_ROUNDS
    {
        op_guard_set(&g, adds ? start : NULL);
        ck_assert_tg_ok(op(t_in, s, g.t));
        op_guard_get(&g, got, round);
    }
    reference(d_in, small, s, want);
    tg_compare_fd(what, got, want, count(out), tolerance);
    op_guard_free(&g);
    tg_tensor_free(t_in);
    free(f_in);
    free(start);
    free(got);
    free(d_in);
    free(want);
}

START_TEST(upsamples)
{
    const tg_dims x = shapes[_i].x, y = enlarged(x, shapes[_i].s);

    if (!op_skips(y))
        check("upsample", tg_upsample_forward, ref_upsample_forward, x, x, y, shapes[_i].s, false,
              TOL_EXACT);
}
END_TEST

START_TEST(upsamples_backward)
{
    const tg_dims x = shapes[_i].x, y = enlarged(x, shapes[_i].s);

    if (!op_skips(y))
        check("upsample backward", tg_upsample_backward, ref_upsample_backward, x, y, x,
              shapes[_i].s, true, TOL_POINT);
}
END_TEST

/* Of three outputs, and of one: [K,C,3,3] to [C,K,4,4] and back. */
static tg_status weights_forward(const tg_tensor *w, size_t s, tg_tensor *w4)
{
    TG_UNUSED(s);
    return tgi_upsample_weights_forward(w, w4);
}

static tg_status weights_backward(const tg_tensor *dw4, size_t s, tg_tensor *dw)
{
    TG_UNUSED(s);
    return tgi_upsample_weights_backward(dw4, dw);
}

static void ref_weights_forward(const double *w, tg_dims w_dims, size_t s, double *w4)
{
    TG_UNUSED(s);
    ref_upsample_weights_forward(w, w_dims, w4);
}

static void ref_weights_backward(const double *dw4, tg_dims w_dims, size_t s, double *dw)
{
    TG_UNUSED(s);
    ref_upsample_weights_backward(dw4, w_dims, dw);
}

START_TEST(joins_upsampling_and_a_convolution)
{
    const size_t k = _i ? 3 : 1, c = _i ? 70 : 1;
    const tg_dims w = {k, c, 3, 3}, w4 = {c, k, 4, 4};

    if (op_skips(w4))
        return;
    check("weights", weights_forward, ref_weights_forward, w, w, w4, 2, false, TOL_POINT);
    check("weights backward", weights_backward, ref_weights_backward, w, w4, w, 2, true, TOL_POINT);
}
END_TEST

/* conv(upsample(x), w) is the transposed convolution of x by w4. */
START_TEST(joined_weights_compute_the_same)
{
    const tg_dims x = {1, 2, 4, 5}, up = {1, 2, 8, 10}, w = {3, 2, 3, 3}, w4 = {2, 3, 4, 4},
                  y = {1, 3, 8, 10};
    const ref_conv2d apart = {up, w, {.stride = 1, .pad = 1}},
                     joined = {y, w4, {.stride = 2, .pad = 1}};
    double *dx = op_normal_d(count(x), 1), *dw = op_normal_d(count(w), 2),
           *larger = op_doubles(count(up)), *dw4 = op_doubles(count(w4)),
           *want = op_doubles(count(y)), *got = op_doubles(count(y));

    ref_upsample_forward(dx, x, 2, larger);
    ref_conv2d_add(&apart, REF_FORWARD, larger, dw, want);
    ref_upsample_weights_forward(dw, w, dw4);
    ref_conv2d_add(&joined, REF_DATA, got, dw4, dx);
    for (size_t i = 0; i < count(y); i++)
        ck_assert_double_eq_tol(got[i], want[i], 1e-12);
    free(dx);
    free(dw);
    free(larger);
    free(dw4);
    free(want);
    free(got);
}
END_TEST

START_TEST(shuffles)
{
    const tg_dims x = shapes[_i].x, y = shuffled(x, shapes[_i].s);

    if (!op_skips(y))
        check("shuffle", tg_shuffle_forward, ref_shuffle_forward, x, x, y, shapes[_i].s, false,
              TOL_EXACT);
}
END_TEST

START_TEST(shuffles_backward)
{
    const tg_dims x = shapes[_i].x, y = shuffled(x, shapes[_i].s);

    if (!op_skips(y))
        check("shuffle backward", tg_shuffle_backward, ref_shuffle_backward, x, y, x, shapes[_i].s,
              true, TOL_POINT);
}
END_TEST

/* The references themselves: 2 x 9 x 3 x 2, factor 3. */
static const tg_dims small = {2, 9, 3, 2};

static void upsample_of(const double *x, double *y, void *user)
{
    TG_UNUSED(user);
    ref_upsample_forward(x, small, 3, y);
}

static void shuffle_of(const double *x, double *y, void *user)
{
    TG_UNUSED(user);
    ref_shuffle_forward(x, small, 3, y);
}

START_TEST(the_references_have_the_right_gradients)
{
    const size_t n = count(small);
    double *x = op_normal_d(n, 1), *dy = op_normal_d(n * 9, 2), *dx = op_doubles(n);

    ref_upsample_backward(dy, small, 3, dx);
    op_gradcheck("upsample", upsample_of, NULL, x, n, dy, n * 9, dx);
    memset(dx, 0, n * sizeof *dx);
    ref_shuffle_backward(dy, small, 3, dx);
    op_gradcheck("shuffle", shuffle_of, NULL, x, n, dy, n, dx);
    free(x);
    free(dy);
    free(dx);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
    tg_tensor *a = op_tensor((tg_dims){1, 4, 3, 3}, NULL),
              *b = op_tensor((tg_dims){1, 2, 3, 2}, NULL);
    tg_tensor *y = op_tensor((tg_dims){1, 6, 3, 3}, NULL),
              *c = op_tensor((tg_dims){1, 2, 3, 3}, NULL);

    ck_assert_tg_fails(tg_concat_forward(a, b, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_concat_forward(a, a, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_concat_backward(y, a, b), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_concat_backward(y, a, a), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_concat_backward(y, y, NULL), TG_ERR_SHAPE);
    ck_assert_tg_ok(tg_concat_backward(y, NULL, NULL));
    ck_assert_tg_fails(tg_upsample_forward(a, 2, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_upsample_forward(a, 0, y), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_upsample_backward(y, 2, c), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_shuffle_forward(a, 2, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_shuffle_forward(y, 2, a), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_shuffle_forward(y, SIZE_MAX, a), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_shuffle_backward(y, 2, a), TG_ERR_SHAPE);
    tg_tensor_free(a);
    tg_tensor_free(b);
    tg_tensor_free(c);
    tg_tensor_free(y);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("arrange", 60);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, concatenates, 0, N_SHAPES);
    tcase_add_loop_test(tc, splits_gradients_of_a_concatenation, 0, N_SHAPES);
    tcase_add_loop_test(tc, upsamples, 0, N_SHAPES);
    tcase_add_loop_test(tc, upsamples_backward, 0, N_SHAPES);
    tcase_add_loop_test(tc, joins_upsampling_and_a_convolution, 0, 2);
    tcase_add_test(tc, joined_weights_compute_the_same);
    tcase_add_loop_test(tc, shuffles, 0, N_SHAPES);
    tcase_add_loop_test(tc, shuffles_backward, 0, N_SHAPES);
    tcase_add_test(tc, refuses_what_does_not_fit);
    tc = tg_case("reference", 20);
    tcase_add_test(tc, the_references_have_the_right_gradients);
    return tg_run("arrange");
}

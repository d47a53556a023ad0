/* test_pool.c -- pooling of windows and of whole planes against the reference in double. */
#include "config.h"
#include "op/op_test.h"
#include "ref/ref.h"

#include <math.h>
#include <string.h>

typedef struct pooling {
    tg_dims x;
    size_t size, stride;
} pooling;

/* Smallest, odd, overlapping windows, gaps between windows, the whole plane, a size of the paper's nets. */
static const pooling shapes[] = {
    {{1, 1, 1, 1}, 1, 1},   {{1, 3, 5, 7}, 2, 2}, {{2, 4, 17, 33}, 3, 2}, {{2, 3, 9, 8}, 3, 1},
    {{1, 2, 11, 10}, 2, 5}, {{3, 2, 6, 6}, 6, 3}, {{1, 64, 64, 64}, 2, 2}};
enum { N_SHAPES = TG_COUNT(shapes), N_KINDS = 3 };

static size_t count(tg_dims dims)
{
    return tg_dims_count(dims);
}

static tg_dims pooled(const pooling *p)
{
    return (tg_dims){p->x.n, p->x.c, (p->x.h - p->size) / p->stride + 1,
                     (p->x.w - p->size) / p->stride + 1};
}

/* Normal values rounded to eighths: equal ones occur, and the first of them must win. */
static void with_ties(float *x, double *xd, size_t n)
{
    for (size_t i = 0; i < n; i++)
        xd[i] = x[i] = roundf(x[i] * 8) / 8;
}

START_TEST(takes_the_first_maximum)
{
    const pooling *s = &shapes[_i];
    const tg_dims y = pooled(s);

    if (op_skips(s->x))
        return;
    float *x = op_normal(count(s->x), 1), *got = op_floats(count(y)), *chosen = op_floats(count(y));
    double *xd = op_doubles(count(s->x)), *want = op_doubles(count(y)),
           *choice = op_doubles(count(y));
    op_guarded out_y, out_choice;

    with_ties(x, xd, count(s->x));
    tg_tensor *tx = op_tensor(s->x, x);
    op_guard_new(&out_y, y);
    op_guard_new(&out_choice, y);
    OP_ROUNDS
    {
        op_guard_set(&out_y, NULL);
        op_guard_set(&out_choice, NULL);
        ck_assert_tg_ok(
            tg_pool_forward(TG_POOL_MAX, s->size, s->stride, tx, out_y.t, out_choice.t));
        op_guard_get(&out_y, got, round);
        op_guard_get(&out_choice, chosen, round);
    }
    ref_pool_max_forward(xd, s->x, s->size, s->stride, want, choice);
    tg_compare_fd("max", got, want, count(y), TOL_EXACT);
    tg_compare_fd("choice", chosen, choice, count(y), TOL_EXACT);
    /* Gathering from the input gives the maximum again. */
    ck_assert_tg_ok(tg_pool_gather(out_choice.t, tx, out_y.t));
    op_guard_get(&out_y, got, 1);
    op_guard_free(&out_y);
    op_guard_free(&out_choice);
    tg_tensor_free(tx);
    free(x);
    free(got);
    free(chosen);
    free(xd);
    free(want);
    free(choice);
}
END_TEST

START_TEST(gives_the_gradient_to_the_maximum)
{
    const pooling *s = &shapes[_i];
    const tg_dims y = pooled(s);

    if (op_skips(s->x))
        return;
    float *x = op_normal(count(s->x), 1), *dy = op_normal(count(y), 2),
          *dx = op_normal(count(s->x), 3);
    float *got = op_floats(count(s->x)), *chosen = op_floats(count(y));
    double *xd = op_normal_d(count(s->x), 1), *dyd = op_normal_d(count(y), 2),
           *want = op_normal_d(count(s->x), 3);
    double *yd = op_doubles(count(y)), *choice = op_doubles(count(y));
    op_guarded out;

    with_ties(x, xd, count(s->x));
    ref_pool_max_forward(xd, s->x, s->size, s->stride, yd, choice);
    for (size_t i = 0; i < count(y); i++)
        chosen[i] = (float)choice[i];
    tg_tensor *tdy = op_tensor(y, dy), *tchoice = op_tensor(y, chosen);
    op_guard_new(&out, s->x);
    OP_ROUNDS
    {
        op_guard_set(&out, dx);
        ck_assert_tg_ok(tg_pool_backward(TG_POOL_MAX, s->size, s->stride, tchoice, tdy, out.t));
        op_guard_get(&out, got, round);
    }
    ref_pool_max_backward(choice, dyd, s->x, s->size, s->stride, want);
    tg_compare_fd("max backward", got, want, count(s->x), TOL_POINT);
    op_guard_free(&out);
    tg_tensor_free(tdy);
    tg_tensor_free(tchoice);
    free(x);
    free(dy);
    free(dx);
    free(got);
    free(chosen);
    free(xd);
    free(dyd);
    free(want);
    free(yd);
    free(choice);
}
END_TEST

START_TEST(takes_means_forward_and_backward)
{
    const pooling *s = &shapes[_i];
    const tg_dims y = pooled(s);

    if (op_skips(s->x))
        return;
    float *x = op_normal(count(s->x), 1), *dy = op_normal(count(y), 2),
          *dx = op_normal(count(s->x), 3);
    float *got = op_floats(count(y)), *got_dx = op_floats(count(s->x));
    double *xd = op_normal_d(count(s->x), 1), *dyd = op_normal_d(count(y), 2),
           *want_dx = op_normal_d(count(s->x), 3);
    double *want = op_doubles(count(y));
    tg_tensor *tx = op_tensor(s->x, x), *tdy = op_tensor(y, dy);
    op_guarded out, out_dx;

    op_guard_new(&out, y);
    op_guard_new(&out_dx, s->x);
    OP_ROUNDS
    {
        op_guard_set(&out, NULL);
        op_guard_set(&out_dx, dx);
        ck_assert_tg_ok(tg_pool_forward(TG_POOL_MEAN, s->size, s->stride, tx, out.t, NULL));
        ck_assert_tg_ok(tg_pool_backward(TG_POOL_MEAN, s->size, s->stride, NULL, tdy, out_dx.t));
        op_guard_get(&out, got, round);
        op_guard_get(&out_dx, got_dx, round);
    }
    ref_pool_mean_forward(xd, s->x, s->size, s->stride, want);
    ref_pool_mean_backward(dyd, s->x, s->size, s->stride, want_dx);
    tg_compare_fd("mean", got, want, count(y), TOL_POINT);
    tg_compare_fd("mean backward", got_dx, want_dx, count(s->x), TOL_POINT);
    op_guard_free(&out);
    op_guard_free(&out_dx);
    tg_tensor_free(tx);
    tg_tensor_free(tdy);
    free(x);
    free(dy);
    free(dx);
    free(got);
    free(got_dx);
    free(xd);
    free(dyd);
    free(want_dx);
    free(want);
}
END_TEST

START_TEST(pools_whole_planes)
{
    const tg_dims dims = shapes[_i / N_KINDS].x, y = {dims.n, dims.c, 1, 1};
    const tg_plane_pool kind = (tg_plane_pool)(_i % N_KINDS);

    if (op_skips(dims))
        return;
    float *x = op_normal(count(dims), 1), *dy = op_normal(count(y), 2),
          *dx = op_normal(count(dims), 3);
    float *got = op_floats(count(y)), *got_dx = op_floats(count(dims));
    double *xd = op_doubles(count(dims)), *dyd = op_normal_d(count(y), 2),
           *want_dx = op_normal_d(count(dims), 3);
    double *want = op_doubles(count(y));
    op_guarded out, out_dx;

    with_ties(x, xd, count(dims));
    tg_tensor *tx = op_tensor(dims, x), *tdy = op_tensor(y, dy);
    op_guard_new(&out, y);
    op_guard_new(&out_dx, dims);
    OP_ROUNDS
    {
        op_guard_set(&out, NULL);
        op_guard_set(&out_dx, dx);
        ck_assert_tg_ok(tg_plane_pool_forward(kind, tx, out.t));
        ck_assert_tg_ok(tg_plane_pool_backward(kind, tx, out.t, tdy, out_dx.t));
        op_guard_get(&out, got, round);
        op_guard_get(&out_dx, got_dx, round);
    }
    ref_plane_pool_forward(kind, xd, dims, want);
    ref_plane_pool_backward(kind, xd, want, dyd, dims, want_dx);
    tg_compare_fd("plane pool", got, want, count(y), kind == TG_PLANE_MAX ? TOL_EXACT : TOL_REDUCE);
    tg_compare_fd("plane pool backward", got_dx, want_dx, count(dims), TOL_MATH);
    op_guard_free(&out);
    op_guard_free(&out_dx);
    tg_tensor_free(tx);
    tg_tensor_free(tdy);
    free(x);
    free(dy);
    free(dx);
    free(got);
    free(got_dx);
    free(xd);
    free(dyd);
    free(want_dx);
    free(want);
}
END_TEST

START_TEST(pools_extreme_logits_without_overflow)
{
    const tg_dims dims = {1, 3, 5, 5};
    float x[75], y[3];
    tg_tensor *tx, *ty = op_tensor((tg_dims){1, 3, 1, 1}, NULL);

    for (int i = 0; i < 75; i++)
        x[i] = i < 25 ? 3e38f : i < 50 ? -3e38f : 0;
    x[60] = 90;
    tx = op_tensor(dims, x);
    ck_assert_tg_ok(tg_plane_pool_forward(TG_PLANE_LME, tx, ty));
    ck_assert_tg_ok(tg_tensor_download(ty, y, 3));
    ck_assert(y[0] == 3e38f && y[1] == -3e38f && fabs(y[2] - (90 - log(25))) < 90 * TOL_MATH);
    x[3] = NAN;
    ck_assert_tg_ok(tg_tensor_upload(tx, x, 75));
    ck_assert_tg_ok(tg_plane_pool_forward(TG_PLANE_LME, tx, ty));
    ck_assert_tg_ok(tg_tensor_download(ty, y, 3));
    ck_assert(isnan(y[0]) && y[1] == -3e38f);
    tg_tensor_free(tx);
    tg_tensor_free(ty);
}
END_TEST

/* The references themselves. */
typedef struct reference_case {
    tg_dims dims;
    int kind;
} reference_case;

static void windows_of(const double *x, double *y, void *user)
{
    const reference_case *c = user;
    double choice[40];

    if (c->kind == TG_POOL_MAX)
        ref_pool_max_forward(x, c->dims, 3, 2, y, choice);
    else
        ref_pool_mean_forward(x, c->dims, 3, 2, y);
}

static void plane_of(const double *x, double *y, void *user)
{
    const reference_case *c = user;
    ref_plane_pool_forward((tg_plane_pool)c->kind, x, c->dims, y);
}

START_TEST(the_references_have_the_right_gradients)
{
    reference_case c = {{2, 2, 7, 5}, 0};
    enum { N = 2 * 2 * 7 * 5, N_Y = 2 * 2 * 3 * 2 };
    double *x = op_normal_d(N, 1), *dy = op_normal_d(N_Y, 2), y[N_Y], choice[N_Y], dx[N] = {0};

    c.kind = TG_POOL_MAX;
    ref_pool_max_forward(x, c.dims, 3, 2, y, choice);
    ref_pool_max_backward(choice, dy, c.dims, 3, 2, dx);
    op_gradcheck("max", windows_of, &c, x, N, dy, N_Y, dx);
    c.kind = TG_POOL_MEAN;
    memset(dx, 0, sizeof dx);
    ref_pool_mean_backward(dy, c.dims, 3, 2, dx);
    op_gradcheck("mean", windows_of, &c, x, N, dy, N_Y, dx);
    for (c.kind = 0; c.kind < N_KINDS; c.kind++) {
        memset(dx, 0, sizeof dx);
        plane_of(x, y, &c);
        ref_plane_pool_backward((tg_plane_pool)c.kind, x, y, dy, c.dims, dx);
        op_gradcheck("plane", plane_of, &c, x, N, dy, 4, dx);
    }
    free(x);
    free(dy);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
    tg_tensor *x = op_tensor((tg_dims){1, 2, 6, 7}, NULL),
              *y = op_tensor((tg_dims){1, 2, 3, 3}, NULL);
    tg_tensor *z = op_tensor((tg_dims){1, 3, 3, 3}, NULL),
              *p = op_tensor((tg_dims){1, 2, 1, 1}, NULL);
    tg_tensor *big = op_tensor((tg_dims){1, 1, 1, ((size_t)1 << 24) + 1}, NULL);

    ck_assert_tg_fails(tg_pool_forward(TG_POOL_MAX, 2, 2, x, y, NULL), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_pool_forward(TG_POOL_MAX, 2, 2, x, y, z), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_pool_forward(TG_POOL_MAX, 2, 2, x, z, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_pool_forward(TG_POOL_MEAN, 0, 2, x, y, NULL), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_pool_forward(TG_POOL_MEAN, 2, 0, x, y, NULL), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_pool_forward(TG_POOL_MEAN, 7, 1, x, y, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_pool_forward((tg_pool_kind)2, 2, 2, x, y, NULL), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_pool_forward(TG_POOL_MAX, 1, 1, big, big, big), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_pool_backward(TG_POOL_MAX, 2, 2, NULL, y, x), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_pool_backward(TG_POOL_MAX, 2, 2, z, y, x), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_pool_backward(TG_POOL_MEAN, 2, 2, NULL, z, x), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_pool_gather(y, z, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_pool_gather(y, x, p), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_plane_pool_forward(TG_PLANE_MEAN, x, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_plane_pool_forward((tg_plane_pool)3, x, p), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_plane_pool_backward(TG_PLANE_MEAN, x, p, y, x), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_plane_pool_backward(TG_PLANE_MEAN, x, p, p, y), TG_ERR_SHAPE);
    tg_tensor *all[] = {x, y, z, p, big};
    for (size_t i = 0; i < TG_COUNT(all); i++)
        tg_tensor_free(all[i]);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("pool", 60);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, takes_the_first_maximum, 0, N_SHAPES);
    tcase_add_loop_test(tc, gives_the_gradient_to_the_maximum, 0, N_SHAPES);
    tcase_add_loop_test(tc, takes_means_forward_and_backward, 0, N_SHAPES);
    tcase_add_loop_test(tc, pools_whole_planes, 0, N_SHAPES * N_KINDS);
    tcase_add_test(tc, pools_extreme_logits_without_overflow);
    tcase_add_test(tc, refuses_what_does_not_fit);
    tc = tg_case("pool, wide reductions", 60);
    tcase_add_checked_fixture(tc, op_open_wide, op_close);
    tcase_add_loop_test(tc, pools_whole_planes, 0, N_SHAPES * N_KINDS);
    tcase_add_test(tc, pools_extreme_logits_without_overflow);
    tc = tg_case("reference", 20);
    tcase_add_test(tc, the_references_have_the_right_gradients);
    return tg_run("pool");
}

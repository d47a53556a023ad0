/* test_instance_norm.c -- instance normalisation against tests/ref/instance_norm.c and worked values. */
#include "config.h"
#include "op/op_test.h"
#include "ref/ref.h"

#include <math.h>

/* Smallest, odd, not a multiple of any work-group, more than one image, a net's, large (the widest group). */
static const tg_dims shapes[] = {{1, 1, 1, 1}, {1, 3, 5, 7},    {2, 4, 17, 33},
                                 {2, 3, 4, 4}, {1, 64, 64, 64}, {1, 2, 130, 131}};
static const double eps = (double)1e-5f;

/* The inputs of one case in float and double; the gradients start from something. */
typedef struct data {
    tg_dims d, planes, channels;
    size_t n, n_planes;
    float *x, *gamma, *beta, *dy, *start, *got;
    double *xd, *gammad, *betad, *dyd, *yd, *mud, *rstdd, *dxd, *dgammad, *dbetad;
} data;

static void make(data *t, tg_dims d)
{
    t->d = d;
    t->planes = (tg_dims){d.n, d.c, 1, 1};
    t->channels = (tg_dims){1, d.c, 1, 1};
    t->n = tg_dims_count(d);
    t->n_planes = d.n * d.c;
    t->x = op_normal(t->n, 1), t->xd = op_normal_d(t->n, 1);
    t->gamma = op_normal(d.c, 2), t->gammad = op_normal_d(d.c, 2);
    t->beta = op_normal(d.c, 3), t->betad = op_normal_d(d.c, 3);
    t->dy = op_normal(t->n, 4), t->dyd = op_normal_d(t->n, 4);
    t->start = op_normal(t->n, 5), t->dxd = op_normal_d(t->n, 5);
    t->dgammad = op_normal_d(d.c, 5), t->dbetad = op_normal_d(d.c, 5);
    t->yd = op_doubles(t->n), t->mud = op_doubles(t->n_planes), t->rstdd = op_doubles(t->n_planes);
    t->got = op_floats(t->n);
}

static void release(data *t)
{
    free(t->x), free(t->gamma), free(t->beta), free(t->dy), free(t->start), free(t->got);
    free(t->xd), free(t->gammad), free(t->betad), free(t->dyd), free(t->yd), free(t->mud),
        free(t->rstdd);
    free(t->dxd), free(t->dgammad), free(t->dbetad);
}

static void get_and_compare(const char *what, op_guarded *g, const double *want, double tolerance)
{
    float *got = op_floats(g->count);

    op_guard_get(g, got, 0);
    tg_compare_fd(what, got, want, g->count, tolerance);
    free(got);
}

static void check_forward(data *t, bool is_affine)
{
    tg_tensor *x = op_tensor(t->d, t->x), *gamma = NULL, *beta = NULL;
    op_guarded y, mu, rstd;

    if (is_affine) {
        gamma = op_tensor(t->channels, t->gamma);
        beta = op_tensor(t->channels, t->beta);
    }
    ref_instance_norm_forward(t->xd, is_affine ? t->gammad : NULL, t->betad, eps, t->d, t->yd,
                              t->mud, t->rstdd);
    op_guard_new(&y, t->d);
    op_guard_new(&mu, t->planes);
    op_guard_new(&rstd, t->planes);
    OP_ROUNDS
    {
        op_guard_set(&y, NULL);
        op_guard_set(&mu, NULL);
        op_guard_set(&rstd, NULL);
        ck_assert_tg_ok(tg_instance_norm_forward(x, gamma, beta, (float)eps, y.t, mu.t, rstd.t));
        op_guard_get(&y, t->got, round);
    }
    tg_compare_fd("y", t->got, t->yd, t->n, TOL_REDUCE);
    get_and_compare("mu", &mu, t->mud, TOL_REDUCE);
    get_and_compare("rstd", &rstd, t->rstdd, TOL_REDUCE);
    op_guard_set(&y, NULL);
    ck_assert_tg_ok(tg_instance_norm_forward(x, gamma, beta, (float)eps, y.t, NULL, NULL));
    op_guard_get(&y, t->got, 1); /* the same bits without the statistics */
    op_guard_free(&y);
    op_guard_free(&mu);
    op_guard_free(&rstd);
    tg_tensor_free(x);
    tg_tensor_free(gamma);
    tg_tensor_free(beta);
}

START_TEST(forward_matches_reference)
{
    data t;

    if (op_skips(shapes[_i]))
        return;
    make(&t, shapes[_i]);
    check_forward(&t, false);
    check_forward(&t, true);
    release(&t);
}
END_TEST

static void check_backward(data *t, bool is_affine)
{
    tg_tensor *x = op_tensor(t->d, t->x), *dy = op_tensor(t->d, t->dy), *gamma = NULL;
    op_guarded dx, dgamma, dbeta;
    float *means = op_floats(t->n_planes), *rstds = op_floats(t->n_planes);

    if (is_affine)
        gamma = op_tensor(t->channels, t->gamma);
    ref_instance_norm_forward(t->xd, NULL, NULL, eps, t->d, t->yd, t->mud, t->rstdd);
    tg_fill_normal_d(t->dxd, t->n, 5);
    tg_fill_normal_d(t->dgammad, t->d.c, 5);
    tg_fill_normal_d(t->dbetad, t->d.c, 5);
    ref_instance_norm_backward(t->xd, is_affine ? t->gammad : NULL, t->mud, t->rstdd, t->dyd, t->d,
                               t->dxd, t->dgammad, t->dbetad);
    for (size_t i = 0; i < t->n_planes; i++) {
        means[i] = (float)t->mud[i];
        rstds[i] = (float)t->rstdd[i];
    }
    tg_tensor *mu = op_tensor(t->planes, means), *rstd = op_tensor(t->planes, rstds);
    op_guard_new(&dx, t->d);
    op_guard_new(&dgamma, t->channels);
    op_guard_new(&dbeta, t->channels);
    OP_ROUNDS
    {
        op_guard_set(&dx, t->start);
        op_guard_set(&dgamma, t->start);
        op_guard_set(&dbeta, t->start);
        ck_assert_tg_ok(tg_instance_norm_backward(x, gamma, mu, rstd, dy, dx.t, dgamma.t, dbeta.t));
        op_guard_get(&dx, t->got, round);
    }
    tg_compare_fd("dx", t->got, t->dxd, t->n, TOL_REDUCE);
    get_and_compare("dgamma", &dgamma, t->dgammad, TOL_REDUCE);
    get_and_compare("dbeta", &dbeta, t->dbetad, TOL_REDUCE);
    op_guard_set(&dx, t->start);
    ck_assert_tg_ok(tg_instance_norm_backward(x, gamma, mu, rstd, dy, dx.t, NULL, NULL));
    op_guard_get(&dx, t->got, 1);
    ck_assert_tg_ok(tg_instance_norm_backward(x, gamma, mu, rstd, dy, NULL, NULL, dbeta.t));
    op_guard_free(&dx);
    op_guard_free(&dgamma);
    op_guard_free(&dbeta);
    tg_tensor_free(x);
    tg_tensor_free(dy);
    tg_tensor_free(gamma);
    tg_tensor_free(mu);
    tg_tensor_free(rstd);
    free(means), free(rstds);
}

START_TEST(backward_matches_reference)
{
    data t;

    if (op_skips(shapes[_i]))
        return;
    make(&t, shapes[_i]);
    check_backward(&t, false);
    check_backward(&t, true);
    release(&t);
}
END_TEST

static void forward_by_x(const double *x, double *y, void *user)
{
    data *t = user;

    ref_instance_norm_forward(x, t->gammad, t->betad, eps, t->d, y, t->mud, t->rstdd);
}

static void forward_by_gamma(const double *gamma, double *y, void *user)
{
    data *t = user;

    ref_instance_norm_forward(t->xd, gamma, t->betad, eps, t->d, y, t->mud, t->rstdd);
}

static void forward_by_beta(const double *beta, double *y, void *user)
{
    data *t = user;

    ref_instance_norm_forward(t->xd, t->gammad, beta, eps, t->d, y, t->mud, t->rstdd);
}

START_TEST(reference_gradient_equals_differences)
{
    data t;

    make(&t, (tg_dims){2, 3, 4, 5});
    double *dx = op_doubles(t.n), *dgamma = op_doubles(3), *dbeta = op_doubles(3);
    forward_by_x(t.xd, t.yd, &t);
    ref_instance_norm_backward(t.xd, t.gammad, t.mud, t.rstdd, t.dyd, t.d, dx, dgamma, dbeta);
    op_gradcheck("dx", forward_by_x, &t, t.xd, t.n, t.dyd, t.n, dx);
    op_gradcheck("dgamma", forward_by_gamma, &t, t.gammad, 3, t.dyd, t.n, dgamma);
    op_gradcheck("dbeta", forward_by_beta, &t, t.betad, 3, t.dyd, t.n, dbeta);
    free(dx), free(dgamma), free(dbeta);
    release(&t);
}
END_TEST

START_TEST(unit_values_of_the_paper)
{
    const tg_dims d = {1, 1, 2, 2}, one = {1, 1, 1, 1};
    const float x_values[] = {1, 2, 3, 6}, dy_values[] = {1, 0, 0, -1}, zero[4] = {0};
    const double y_wanted[] = {-1.069043, -0.534522, 0, 1.603565},
                 dx_wanted[] = {0.152722, -0.190900, 0, 0.038178};
    float got[4];
    tg_tensor *x = op_tensor(d, x_values), *dy = op_tensor(d, dy_values), *y = op_tensor(d, NULL);
    tg_tensor *dx = op_tensor(d, zero), *mu = op_tensor(one, NULL), *rstd = op_tensor(one, NULL);

    ck_assert_tg_ok(tg_instance_norm_forward(x, NULL, NULL, 1e-5f, y, mu, rstd));
    ck_assert_tg_ok(tg_instance_norm_backward(x, NULL, mu, rstd, dy, dx, NULL, NULL));
    ck_assert_tg_ok(tg_tensor_download(y, got, 4));
    tg_compare_fd("y", got, y_wanted, 4, 1e-6);
    ck_assert_tg_ok(tg_tensor_download(dx, got, 4));
    tg_compare_fd("dx", got, dx_wanted, 4, 1e-6);
    tg_tensor_free(x);
    tg_tensor_free(dy);
    tg_tensor_free(y);
    tg_tensor_free(dx);
    tg_tensor_free(mu);
    tg_tensor_free(rstd);
}
END_TEST

/* A black border: far from zero and nearly flat, where E[x^2] - mu^2 would give noise or a negative variance. */
START_TEST(flat_planes_keep_their_digits)
{
    const tg_dims d = {1, 1, 64, 64}, one = {1, 1, 1, 1};
    const size_t n = 4096;
    float *x = op_normal(n, 7), r;
    double *xd = op_doubles(n), *y = op_doubles(n), mu, rstd;

    for (size_t i = 0; i < n; i++) {
        x[i] = 1000 + x[i] / 64;
        xd[i] = (double)x[i];
    }
    ref_instance_norm_forward(xd, NULL, NULL, eps, d, y, &mu, &rstd);
    tg_tensor *tx = op_tensor(d, x), *ty = op_tensor(d, NULL), *tmu = op_tensor(one, NULL),
              *tr = op_tensor(one, NULL);
    ck_assert_tg_ok(tg_instance_norm_forward(tx, NULL, NULL, (float)eps, ty, tmu, tr));
    ck_assert_tg_ok(tg_tensor_download(tr, &r, 1));
    /* The mean's own rounding, 6e-5 at 1000, moves the variance of 2.4e-4 by its square alone. */
    ck_assert_msg(fabs((double)r / rstd - 1) < 1e-4, "rstd is %g, not %g", (double)r, rstd);
    tg_tensor_free(tx);
    tg_tensor_free(ty);
    tg_tensor_free(tmu);
    tg_tensor_free(tr);
    free(x), free(xd), free(y);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
    const tg_dims d = {2, 3, 4, 5};
    tg_tensor *x = op_tensor(d, NULL), *other = op_tensor((tg_dims){2, 3, 5, 4}, NULL);
    tg_tensor *c = op_tensor((tg_dims){1, 3, 1, 1}, NULL),
              *p = op_tensor((tg_dims){2, 3, 1, 1}, NULL);

    ck_assert_tg_fails(tg_instance_norm_forward(x, p, c, 1e-5f, other, p, p), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_instance_norm_forward(x, c, p, 1e-5f, x, p, p), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_instance_norm_forward(x, c, NULL, 1e-5f, x, p, p), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_instance_norm_forward(x, NULL, NULL, 1e-5f, other, p, p), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_instance_norm_forward(x, NULL, NULL, 1e-5f, x, c, p), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_instance_norm_forward(x, NULL, NULL, 1e-5f, x, p, c), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_instance_norm_backward(x, NULL, p, p, other, x, NULL, NULL),
                       TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_instance_norm_backward(x, NULL, p, p, x, other, NULL, NULL),
                       TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_instance_norm_backward(x, NULL, c, p, x, x, NULL, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_instance_norm_backward(x, c, p, p, x, x, p, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_instance_norm_backward(x, c, p, p, x, x, NULL, p), TG_ERR_SHAPE);
    tg_tensor_free(x);
    tg_tensor_free(other);
    tg_tensor_free(c);
    tg_tensor_free(p);
}
END_TEST

static void add_device_tests(TCase *tc, void (*open)(void))
{
    tcase_add_checked_fixture(tc, open, op_close);
    tcase_add_loop_test(tc, forward_matches_reference, 0, (int)TG_COUNT(shapes));
    tcase_add_loop_test(tc, backward_matches_reference, 0, (int)TG_COUNT(shapes));
    tcase_add_test(tc, unit_values_of_the_paper);
    tcase_add_test(tc, flat_planes_keep_their_digits);
}

int main(void)
{
    TCase *tc = tg_case("instance_norm", 120), *wide = tg_case("instance_norm, wide groups", 120);
    TCase *ref = tg_case("reference", 30);

    add_device_tests(tc, op_open);
    tcase_add_test(tc, refuses_what_does_not_fit);
    add_device_tests(wide, op_open_wide);
    tcase_add_test(ref, reference_gradient_equals_differences);
    return tg_run("instance_norm");
}

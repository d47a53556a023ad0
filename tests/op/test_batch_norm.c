/* test_batch_norm.c -- batch normalisation against tests/ref/batch_norm.c, training, evaluation and backward. */
#include "config.h"
#include "op/op_test.h"
#include "ref/ref.h"

/* Smallest that training takes, odd, vectors, more than one image, a net's, large (the widest group). */
static const tg_dims shapes[] = {{1, 1, 1, 2},   {1, 3, 5, 7},    {7, 5, 1, 1},
                                 {2, 4, 17, 33}, {2, 64, 32, 32}, {2, 2, 130, 131}};
static const double eps = (double)1e-5f, momentum = (double)0.1f;

static tg_dims vector_of(tg_dims d)
{
    return (tg_dims){1, d.c, 1, 1};
}

static void get_and_compare(const char *what, op_guarded *g, const double *want)
{
    float *got = op_floats(g->count);

    op_guard_get(g, got, 0);
    tg_compare_fd(what, got, want, g->count, TOL_REDUCE);
    free(got);
}

/* Outputs of the training pass, guarded. */
typedef struct outputs {
    op_guarded y, mean, var, mu, rstd;
} outputs;

static void outputs_new(outputs *o, tg_dims d)
{
    op_guard_new(&o->y, d);
    op_guard_new(&o->mean, vector_of(d));
    op_guard_new(&o->var, vector_of(d));
    op_guard_new(&o->mu, vector_of(d));
    op_guard_new(&o->rstd, vector_of(d));
}

static void outputs_free(outputs *o)
{
    op_guard_free(&o->y);
    op_guard_free(&o->mean);
    op_guard_free(&o->var);
    op_guard_free(&o->mu);
    op_guard_free(&o->rstd);
}

static void check_train(tg_dims d, bool is_affine)
{
    size_t n = tg_dims_count(d);
    float *x = op_normal(n, 1), *g = op_normal(d.c, 2), *b = op_normal(d.c, 3), *got = op_floats(n);
    float *mean = op_normal(d.c, 6), *var = op_normal(d.c, 7);
    double *xd = op_normal_d(n, 1), *gd = op_normal_d(d.c, 2), *bd = op_normal_d(d.c, 3),
           *yd = op_doubles(n);
    double *meand = op_normal_d(d.c, 6), *vard = op_normal_d(d.c, 7), *mud = op_doubles(d.c),
           *rstdd = op_doubles(d.c);
    tg_tensor *tx = op_tensor(d, x), *tg = is_affine ? op_tensor(vector_of(d), g) : NULL;
    tg_tensor *tb = is_affine ? op_tensor(vector_of(d), b) : NULL;
    outputs o;

    ref_batch_norm_forward_train(xd, is_affine ? gd : NULL, bd, eps, momentum, d, meand, vard, yd,
                                 mud, rstdd);
    outputs_new(&o, d);
    OP_ROUNDS
    {
        op_guard_set(&o.y, NULL);
        op_guard_set(&o.mean, mean);
        op_guard_set(&o.var, var);
        op_guard_set(&o.mu, NULL);
        op_guard_set(&o.rstd, NULL);
        ck_assert_tg_ok(tg_batch_norm_forward_train(tx, tg, tb, (float)eps, (float)momentum,
                                                    o.mean.t, o.var.t, o.y.t, o.mu.t, o.rstd.t));
        op_guard_get(&o.y, got, round);
    }
    tg_compare_fd("y", got, yd, n, TOL_REDUCE);
    get_and_compare("running mean", &o.mean, meand);
    get_and_compare("running variance", &o.var, vard);
    get_and_compare("mu", &o.mu, mud);
    get_and_compare("rstd", &o.rstd, rstdd);
    outputs_free(&o);
    tg_tensor_free(tx);
    tg_tensor_free(tg);
    tg_tensor_free(tb);
    free(x), free(g), free(b), free(got), free(mean), free(var), free(xd), free(gd), free(bd),
        free(yd);
    free(meand), free(vard), free(mud), free(rstdd);
}

START_TEST(training_matches_reference)
{
    if (op_skips(shapes[_i]))
        return;
    check_train(shapes[_i], false);
    check_train(shapes[_i], true);
}
END_TEST

START_TEST(evaluation_matches_reference)
{
    const tg_dims d = shapes[_i];
    size_t n = tg_dims_count(d);

    if (op_skips(d))
        return;
    float *x = op_normal(n, 1), *g = op_normal(d.c, 2), *b = op_normal(d.c, 3), *got = op_floats(n);
    float *mean = op_normal(d.c, 6), *var = op_floats(d.c);
    double *xd = op_normal_d(n, 1), *gd = op_normal_d(d.c, 2), *bd = op_normal_d(d.c, 3),
           *yd = op_doubles(n);
    double *meand = op_normal_d(d.c, 6), *vard = op_doubles(d.c);
    for (size_t c = 0; c < d.c; c++) {
        var[c] = 0.5f + mean[c] * mean[c];
        vard[c] = (double)var[c];
    }
    tg_tensor *tx = op_tensor(d, x), *tg = op_tensor(vector_of(d), g),
              *tb = op_tensor(vector_of(d), b);
    tg_tensor *tm = op_tensor(vector_of(d), mean), *tv = op_tensor(vector_of(d), var);
    op_guarded y;
    op_guard_new(&y, d);
    for (int is_affine = 0; is_affine < 2; is_affine++) {
        ref_batch_norm_forward_eval(xd, is_affine ? gd : NULL, bd, eps, meand, vard, d, yd);
        OP_ROUNDS
        {
            op_guard_set(&y, NULL);
            ck_assert_tg_ok(tg_batch_norm_forward_eval(
                tx, is_affine ? tg : NULL, is_affine ? tb : NULL, (float)eps, tm, tv, y.t));
            op_guard_get(&y, got, round);
        }
        tg_compare_fd("y", got, yd, n, TOL_REDUCE);
    }
    op_guard_free(&y);
    tg_tensor_free(tx);
    tg_tensor_free(tg);
    tg_tensor_free(tb);
    tg_tensor_free(tm);
    tg_tensor_free(tv);
    free(x), free(g), free(b), free(got), free(mean), free(var), free(xd), free(gd), free(bd),
        free(yd), free(meand);
    free(vard);
}
END_TEST

static void check_backward(tg_dims d, bool is_affine)
{
    size_t n = tg_dims_count(d);
    float *x = op_normal(n, 1), *g = op_normal(d.c, 2), *dy = op_normal(n, 4),
          *start = op_normal(n, 5);
    float *got = op_floats(n), *mu = op_floats(d.c), *rstd = op_floats(d.c);
    double *xd = op_normal_d(n, 1), *gd = op_normal_d(d.c, 2), *dyd = op_normal_d(n, 4),
           *dxd = op_normal_d(n, 5);
    double *dgd = op_normal_d(d.c, 5), *dbd = op_normal_d(d.c, 5), *mud = op_doubles(d.c),
           *rstdd = op_doubles(d.c);
    double *unused = op_doubles(n), *running = op_doubles(2 * d.c);
    op_guarded dx, dg, db;

    ref_batch_norm_forward_train(xd, NULL, NULL, eps, momentum, d, running, running + d.c, unused,
                                 mud, rstdd);
    for (size_t c = 0; c < d.c; c++) {
        mu[c] = (float)mud[c];
        rstd[c] = (float)rstdd[c];
    }
    ref_batch_norm_backward(xd, is_affine ? gd : NULL, mud, rstdd, dyd, d, dxd, dgd, dbd);
    tg_tensor *tx = op_tensor(d, x), *tdy = op_tensor(d, dy),
              *tg = is_affine ? op_tensor(vector_of(d), g) : NULL;
    tg_tensor *tmu = op_tensor(vector_of(d), mu), *tr = op_tensor(vector_of(d), rstd);
    op_guard_new(&dx, d);
    op_guard_new(&dg, vector_of(d));
    op_guard_new(&db, vector_of(d));
    OP_ROUNDS
    {
        op_guard_set(&dx, start);
        op_guard_set(&dg, start);
        op_guard_set(&db, start);
        ck_assert_tg_ok(tg_batch_norm_backward(tx, tg, tmu, tr, tdy, dx.t, dg.t, db.t));
        op_guard_get(&dx, got, round);
    }
    tg_compare_fd("dx", got, dxd, n, TOL_REDUCE);
    get_and_compare("dgamma", &dg, dgd);
    get_and_compare("dbeta", &db, dbd);
    op_guard_set(&dx, start);
    ck_assert_tg_ok(tg_batch_norm_backward(tx, tg, tmu, tr, tdy, dx.t, NULL, NULL));
    op_guard_get(&dx, got, 1);
    ck_assert_tg_ok(tg_batch_norm_backward(tx, tg, tmu, tr, tdy, NULL, dg.t, NULL));
    op_guard_free(&dx);
    op_guard_free(&dg);
    op_guard_free(&db);
    tg_tensor_free(tx);
    tg_tensor_free(tdy);
    tg_tensor_free(tg);
    tg_tensor_free(tmu);
    tg_tensor_free(tr);
    free(x), free(g), free(dy), free(start), free(got), free(mu), free(rstd), free(xd), free(gd),
        free(dyd), free(dxd);
    free(dgd), free(dbd), free(mud), free(rstdd), free(unused), free(running);
}

START_TEST(backward_matches_reference)
{
    if (op_skips(shapes[_i]))
        return;
    check_backward(shapes[_i], false);
    check_backward(shapes[_i], true);
}
END_TEST

enum { N = 2 * 3 * 2 * 5 };
static const tg_dims check_dims = {2, 3, 2, 5};
typedef struct inputs {
    double x[N], gamma[3], beta[3], mu[3], rstd[3], running[6];
} inputs;

static void forward(const double *x, const double *gamma, const double *beta, double *y, inputs *in)
{
    ref_batch_norm_forward_train(x, gamma, beta, eps, momentum, check_dims, in->running,
                                 in->running + 3, y, in->mu, in->rstd);
}

static void forward_by_x(const double *x, double *y, void *user)
{
    inputs *in = user;

    forward(x, in->gamma, in->beta, y, in);
}

static void forward_by_gamma(const double *gamma, double *y, void *user)
{
    inputs *in = user;

    forward(in->x, gamma, in->beta, y, in);
}

static void forward_by_beta(const double *beta, double *y, void *user)
{
    inputs *in = user;

    forward(in->x, in->gamma, beta, y, in);
}

START_TEST(reference_gradient_equals_differences)
{
    inputs in = {0};
    double dy[N], y[N], dx[N] = {0}, dgamma[3] = {0}, dbeta[3] = {0};

    tg_fill_normal_d(in.x, N, 1);
    tg_fill_normal_d(in.gamma, 3, 2);
    tg_fill_normal_d(in.beta, 3, 3);
    tg_fill_normal_d(dy, N, 4);
    forward_by_x(in.x, y, &in);
    ref_batch_norm_backward(in.x, in.gamma, in.mu, in.rstd, dy, check_dims, dx, dgamma, dbeta);
    op_gradcheck("dx", forward_by_x, &in, in.x, N, dy, N, dx);
    op_gradcheck("dgamma", forward_by_gamma, &in, in.gamma, 3, dy, N, dgamma);
    op_gradcheck("dbeta", forward_by_beta, &in, in.beta, 3, dy, N, dbeta);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
    tg_tensor *x = op_tensor((tg_dims){2, 3, 4, 5}, NULL),
              *z = op_tensor((tg_dims){2, 3, 5, 4}, NULL);
    tg_tensor *c = op_tensor((tg_dims){1, 3, 1, 1}, NULL),
              *p = op_tensor((tg_dims){1, 2, 1, 1}, NULL);
    tg_tensor *one = op_tensor((tg_dims){1, 3, 1, 1}, NULL);

    ck_assert_tg_fails(tg_batch_norm_forward_train(x, p, c, 1e-5f, 0.1f, c, c, x, c, c),
                       TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_batch_norm_forward_train(x, c, c, 1e-5f, 0.1f, c, p, x, c, c),
                       TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_batch_norm_forward_train(x, c, c, 1e-5f, 0.1f, c, c, z, c, c),
                       TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_batch_norm_forward_train(x, c, c, 1e-5f, 0.1f, c, c, x, c, p),
                       TG_ERR_SHAPE);
    /* One value has no variance to learn from. */
    ck_assert_tg_fails(tg_batch_norm_forward_train(one, c, c, 1e-5f, 0.1f, c, c, one, c, c),
                       TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_batch_norm_forward_eval(x, c, c, 1e-5f, c, p, x), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_batch_norm_forward_eval(x, c, c, 1e-5f, c, c, z), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_batch_norm_backward(x, c, c, c, z, x, c, c), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_batch_norm_backward(x, c, c, c, x, z, c, c), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_batch_norm_backward(x, c, p, c, x, x, c, c), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_batch_norm_backward(x, c, c, c, x, x, c, p), TG_ERR_SHAPE);
    tg_tensor_free(x);
    tg_tensor_free(z);
    tg_tensor_free(c);
    tg_tensor_free(p);
    tg_tensor_free(one);
}
END_TEST

static void add_device_tests(TCase *tc, void (*open)(void))
{
    tcase_add_checked_fixture(tc, open, op_close);
    tcase_add_loop_test(tc, training_matches_reference, 0, (int)TG_COUNT(shapes));
    tcase_add_loop_test(tc, evaluation_matches_reference, 0, (int)TG_COUNT(shapes));
    tcase_add_loop_test(tc, backward_matches_reference, 0, (int)TG_COUNT(shapes));
}

int main(void)
{
    TCase *tc = tg_case("batch_norm", 120), *wide = tg_case("batch_norm, wide groups", 120);
    TCase *ref = tg_case("reference", 30);

    add_device_tests(tc, op_open);
    tcase_add_test(tc, refuses_what_does_not_fit);
    add_device_tests(wide, op_open_wide);
    tcase_add_test(ref, reference_gradient_equals_differences);
    return tg_run("batch_norm");
}

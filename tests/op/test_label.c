/* test_label.c -- label planes and the label-dependent affine map against the reference in double. */
#include "config.h"
#include "op/op_test.h"
#include "ref/ref.h"

#include <string.h>

typedef struct labelled {
    tg_dims x;
    size_t n_labels;
} labelled;

/* Smallest, odd, not a multiple of any work-group, many labels, sizes of the paper's nets. */
static const labelled shapes[] = {{{1, 1, 1, 1}, 1},
                                  {{1, 3, 5, 7}, 2},
                                  {{3, 5, 1, 2}, 14},
                                  {{2, 6, 17, 33}, 3},
                                  {{2, 64, 32, 32}, 8}};
enum { N_SHAPES = TG_COUNT(shapes) };

static size_t count(tg_dims dims)
{
    return tg_dims_count(dims);
}

/* Everything an affine map has, in float, in double and on the device; gradients start from non-zero values. */
typedef struct problem {
    tg_dims x, parameter;
    size_t n, n_labels, n_parameters;
    float *fx, *fl, *fgamma, *fbeta, *fdy, *fdx, *fdgamma, *fdbeta;
    double *x_, *l, *gamma, *beta, *dy, *dx, *dgamma, *dbeta;
    tg_tensor *tx, *tl, *tgamma, *tbeta, *tdy;
} problem;

static problem make(const labelled *shape)
{
    problem p = {.x = shape->x, .n = count(shape->x), .n_labels = shape->n_labels};
    size_t n_l = p.x.n * p.n_labels;

    p.parameter = (tg_dims){p.n_labels, p.x.c, 1, 1};
    p.n_parameters = count(p.parameter);
    p.fx = op_normal(p.n, 1), p.x_ = op_normal_d(p.n, 1);
    p.fl = op_normal(n_l, 2), p.l = op_normal_d(n_l, 2);
    p.fgamma = op_normal(p.n_parameters, 3), p.gamma = op_normal_d(p.n_parameters, 3);
    p.fbeta = op_normal(p.n_parameters, 4), p.beta = op_normal_d(p.n_parameters, 4);
    p.fdy = op_normal(p.n, 5), p.dy = op_normal_d(p.n, 5);
    p.fdx = op_normal(p.n, 6), p.dx = op_normal_d(p.n, 6);
    p.fdgamma = op_normal(p.n_parameters, 7), p.dgamma = op_normal_d(p.n_parameters, 7);
    p.fdbeta = op_normal(p.n_parameters, 8), p.dbeta = op_normal_d(p.n_parameters, 8);
    p.tx = op_tensor(p.x, p.fx);
    p.tl = op_tensor((tg_dims){p.x.n, p.n_labels, 1, 1}, p.fl);
    p.tgamma = op_tensor(p.parameter, p.fgamma);
    p.tbeta = op_tensor(p.parameter, p.fbeta);
    p.tdy = op_tensor(p.x, p.fdy);
    return p;
}

static void finish(problem *p)
{
    tg_tensor *tensors[] = {p->tx, p->tl, p->tgamma, p->tbeta, p->tdy};
    void *arrays[] = {p->fx, p->fl, p->fgamma, p->fbeta, p->fdy, p->fdx, p->fdgamma, p->fdbeta,
                      p->x_, p->l,  p->gamma,  p->beta,  p->dy,  p->dx,  p->dgamma,  p->dbeta};

    for (size_t i = 0; i < TG_COUNT(tensors); i++)
        tg_tensor_free(tensors[i]);
    for (size_t i = 0; i < TG_COUNT(arrays); i++)
        free(arrays[i]);
}

START_TEST(puts_labels_into_planes)
{
    tg_dims y = shapes[_i].x;

    y.c += shapes[_i].n_labels;
    if (op_skips(y))
        return;
    problem p = make(&shapes[_i]);
    float *got = op_floats(count(y));
    double *want = op_doubles(count(y));
    op_guarded out;

    op_guard_new(&out, y);
    OP_ROUNDS
    {
        op_guard_set(&out, NULL);
        ck_assert_tg_ok(tg_label_planes_forward(p.tx, p.tl, out.t));
        op_guard_get(&out, got, round);
    }
    ref_label_planes_forward(p.x_, p.l, p.x, p.n_labels, want);
    tg_compare_fd("label planes", got, want, count(y), TOL_EXACT);
    op_guard_free(&out);
    free(got);
    free(want);
    finish(&p);
}
END_TEST

START_TEST(takes_gradients_from_below_the_planes)
{
    tg_dims y = shapes[_i].x;

    y.c += shapes[_i].n_labels;
    if (op_skips(y))
        return;
    problem p = make(&shapes[_i]);
    float *fdy = op_normal(count(y), 9), *got = op_floats(p.n);
    double *dy = op_normal_d(count(y), 9);
    tg_tensor *tdy = op_tensor(y, fdy);
    op_guarded out;

    op_guard_new(&out, p.x);
    OP_ROUNDS
    {
        op_guard_set(&out, p.fdx);
        ck_assert_tg_ok(tg_label_planes_backward(tdy, out.t));
        op_guard_get(&out, got, round);
    }
    ref_label_planes_backward(dy, p.x, p.n_labels, p.dx);
    tg_compare_fd("label planes backward", got, p.dx, p.n, TOL_POINT);
    op_guard_free(&out);
    tg_tensor_free(tdy);
    free(fdy);
    free(got);
    free(dy);
    finish(&p);
}
END_TEST

/* Loops twice over the shapes: with gamma and without. */
START_TEST(maps_by_labels)
{
    bool has_gamma = _i % 2;

    if (op_skips(shapes[_i / 2].x))
        return;
    problem p = make(&shapes[_i / 2]);
    float *got = op_floats(p.n);
    double *want = op_doubles(p.n);
    op_guarded out;

    op_guard_new(&out, p.x);
    OP_ROUNDS
    {
        op_guard_set(&out, NULL);
        ck_assert_tg_ok(
            tg_label_affine_forward(p.tx, p.tl, has_gamma ? p.tgamma : NULL, p.tbeta, out.t));
        op_guard_get(&out, got, round);
    }
    ref_label_affine_forward(p.x_, p.l, has_gamma ? p.gamma : NULL, p.beta, p.x, p.n_labels, want);
    tg_compare_fd("label affine", got, want, p.n, TOL_POINT);
    op_guard_free(&out);
    free(got);
    free(want);
    finish(&p);
}
END_TEST

START_TEST(maps_by_labels_backward)
{
    bool has_gamma = _i % 2;

    if (op_skips(shapes[_i / 2].x))
        return;
    problem p = make(&shapes[_i / 2]);
    float *got = op_floats(p.n), *got_gamma = op_floats(p.n_parameters),
          *got_beta = op_floats(p.n_parameters);
    op_guarded dx, dgamma, dbeta;

    op_guard_new(&dx, p.x);
    op_guard_new(&dgamma, p.parameter);
    op_guard_new(&dbeta, p.parameter);
    OP_ROUNDS
    {
        op_guard_set(&dx, p.fdx);
        op_guard_set(&dgamma, p.fdgamma);
        op_guard_set(&dbeta, p.fdbeta);
        ck_assert_tg_ok(tg_label_affine_backward(p.tx, p.tl, has_gamma ? p.tgamma : NULL, p.tdy,
                                                 dx.t, has_gamma ? dgamma.t : NULL, dbeta.t));
        op_guard_get(&dx, got, round);
        op_guard_get(&dgamma, got_gamma, round);
        op_guard_get(&dbeta, got_beta, round);
    }
    ref_label_affine_backward(p.x_, p.l, has_gamma ? p.gamma : NULL, p.dy, p.x, p.n_labels, p.dx,
                              p.dgamma, p.dbeta);
    tg_compare_fd("dx", got, p.dx, p.n, TOL_POINT);
    tg_compare_fd("dgamma", got_gamma, p.dgamma, p.n_parameters, TOL_REDUCE);
    tg_compare_fd("dbeta", got_beta, p.dbeta, p.n_parameters, TOL_REDUCE);
    ck_assert_tg_ok(tg_label_affine_backward(p.tx, p.tl, NULL, p.tdy, NULL, NULL, NULL));
    op_guard_free(&dx);
    op_guard_free(&dgamma);
    op_guard_free(&dbeta);
    free(got);
    free(got_gamma);
    free(got_beta);
    finish(&p);
}
END_TEST

/* The references themselves, each input in turn. */
typedef struct reference_case {
    tg_dims dims;
    size_t n_labels;
    double *x, *l, *gamma, *beta;
} reference_case;

static void planes_of_x(const double *x, double *y, void *user)
{
    const reference_case *c = user;
    ref_label_planes_forward(x, c->l, c->dims, c->n_labels, y);
}

static void affine_of_x(const double *x, double *y, void *user)
{
    const reference_case *c = user;
    ref_label_affine_forward(x, c->l, c->gamma, c->beta, c->dims, c->n_labels, y);
}

static void affine_of_gamma(const double *gamma, double *y, void *user)
{
    const reference_case *c = user;
    ref_label_affine_forward(c->x, c->l, gamma, c->beta, c->dims, c->n_labels, y);
}

static void affine_of_beta(const double *beta, double *y, void *user)
{
    const reference_case *c = user;
    ref_label_affine_forward(c->x, c->l, c->gamma, beta, c->dims, c->n_labels, y);
}

START_TEST(the_references_have_the_right_gradients)
{
    enum {
        N = 2 * 3 * 4 * 2,
        N_LABELS = 2,
        N_PARAMETERS = N_LABELS * 3,
        N_Y = N + 2 * N_LABELS * 8
    };
    reference_case c = {{2, 3, 4, 2}, N_LABELS, NULL, NULL, NULL, NULL};
    double dx[N] = {0}, dplanes[N] = {0}, dgamma[N_PARAMETERS] = {0}, dbeta[N_PARAMETERS] = {0};
    double *dy = op_normal_d(N_Y, 5);

    c.x = op_normal_d(N, 1);
    c.l = op_normal_d(2 * N_LABELS, 2);
    c.gamma = op_normal_d(N_PARAMETERS, 3);
    c.beta = op_normal_d(N_PARAMETERS, 4);
    ref_label_affine_backward(c.x, c.l, c.gamma, dy, c.dims, N_LABELS, dx, dgamma, dbeta);
    op_gradcheck("x", affine_of_x, &c, c.x, N, dy, N, dx);
    op_gradcheck("gamma", affine_of_gamma, &c, c.gamma, N_PARAMETERS, dy, N, dgamma);
    op_gradcheck("beta", affine_of_beta, &c, c.beta, N_PARAMETERS, dy, N, dbeta);
    ref_label_planes_backward(dy, c.dims, N_LABELS, dplanes);
    op_gradcheck("planes", planes_of_x, &c, c.x, N, dy, N_Y, dplanes);
    free(c.x);
    free(c.l);
    free(c.gamma);
    free(c.beta);
    free(dy);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
    tg_tensor *x = op_tensor((tg_dims){2, 3, 4, 5}, NULL),
              *y = op_tensor((tg_dims){2, 5, 4, 5}, NULL);
    tg_tensor *l = op_tensor((tg_dims){2, 2, 1, 1}, NULL),
              *l3 = op_tensor((tg_dims){3, 2, 1, 1}, NULL);
    tg_tensor *p = op_tensor((tg_dims){2, 3, 1, 1}, NULL),
              *q = op_tensor((tg_dims){3, 2, 1, 1}, NULL);
    tg_tensor *x2 = op_tensor((tg_dims){2, 3, 4, 5}, NULL);

    ck_assert_tg_fails(tg_label_planes_forward(x, l3, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_label_planes_forward(x, l, x2), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_label_planes_forward(x, y, x2), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_label_planes_backward(x, x2), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_label_planes_backward(y, p), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_label_affine_forward(x, l, q, p, x2), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_label_affine_forward(x, l, p, q, x2), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_label_affine_forward(x, l3, p, p, x2), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_label_affine_forward(x, l, p, p, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_label_affine_backward(x, l, p, y, x2, NULL, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_label_affine_backward(x, l, p, x2, y, NULL, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_label_affine_backward(x, l, p, x2, NULL, q, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_label_affine_backward(x, l, p, x2, NULL, NULL, q), TG_ERR_SHAPE);
    tg_tensor *all[] = {x, y, l, l3, p, q, x2};
    for (size_t i = 0; i < TG_COUNT(all); i++)
        tg_tensor_free(all[i]);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("label", 60);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, puts_labels_into_planes, 0, N_SHAPES);
    tcase_add_loop_test(tc, takes_gradients_from_below_the_planes, 0, N_SHAPES);
    tcase_add_loop_test(tc, maps_by_labels, 0, N_SHAPES * 2);
    tcase_add_loop_test(tc, maps_by_labels_backward, 0, N_SHAPES * 2);
    tcase_add_test(tc, refuses_what_does_not_fit);
    tc = tg_case("label, wide reductions", 60);
    tcase_add_checked_fixture(tc, op_open_wide, op_close);
    tcase_add_loop_test(tc, maps_by_labels_backward, 0, N_SHAPES * 2);
    tc = tg_case("reference", 20);
    tcase_add_test(tc, the_references_have_the_right_gradients);
    return tg_run("label");
}

/* test_elementwise.c -- sums, scaling, clamping, mixing and activations against the reference in double. */
#include "config.h"
#include "op/op_test.h"
#include "ref/ref.h"

#include <math.h>
#include <string.h>

/* Smallest, odd, not a multiple of four or of a work-group, more than one image, a size of the paper's nets. */
static const tg_dims shapes[] = {
    {1, 1, 1, 1}, {1, 3, 5, 7}, {3, 1, 1, 2}, {2, 4, 17, 33}, {1, 64, 64, 64}};
enum { N_SHAPES = TG_COUNT(shapes), N_ACTIVATIONS = 4 };
static const double slope = 0.2f; /* as the device sees it */

typedef struct problem {
    tg_dims dims;
    size_t n;
    float *a, *b, *c, *got;
    double *ad, *bd, *cd, *want;
    tg_tensor *ta, *tb;
    op_guarded out;
} problem;

static problem make(tg_dims dims)
{
    problem p = {.dims = dims, .n = tg_dims_count(dims)};

    p.a = op_normal(p.n, 1);
    p.b = op_normal(p.n, 2);
    p.c = op_normal(p.n, 3);
    p.ad = op_normal_d(p.n, 1);
    p.bd = op_normal_d(p.n, 2);
    p.cd = op_normal_d(p.n, 3);
    p.got = op_floats(p.n);
    p.want = op_doubles(p.n);
    p.ta = op_tensor(dims, p.a);
    p.tb = op_tensor(dims, p.b);
    op_guard_new(&p.out, dims);
    return p;
}

static void finish(problem *p, const char *what, double tolerance)
{
    tg_compare_fd(what, p->got, p->want, p->n, tolerance);
    op_guard_free(&p->out);
    tg_tensor_free(p->ta);
    tg_tensor_free(p->tb);
    free(p->a);
    free(p->b);
    free(p->c);
    free(p->ad);
    free(p->bd);
    free(p->cd);
    free(p->got);
    free(p->want);
}

/* Runs `call` three times into p.out, which holds `start` at first. */
#define RUN(start, call)                                                                           \
    OP_ROUNDS                                                                                      \
    {                                                                                              \
        op_guard_set(&p.out, start);                                                               \
        ck_assert_tg_ok(call);                                                                     \
        op_guard_get(&p.out, p.got, round);                                                        \
    }

START_TEST(adds)
{
    if (op_skips(shapes[_i]))
        return;
    problem p = make(shapes[_i]);

    RUN(NULL, tg_add(p.ta, p.tb, p.out.t));
    for (size_t i = 0; i < p.n; i++)
        p.want[i] = p.a[i] + p.b[i];
    finish(&p, "add", TOL_EXACT);
}
END_TEST

START_TEST(subtracts)
{
    if (op_skips(shapes[_i]))
        return;
    problem p = make(shapes[_i]);

    RUN(NULL, tg_subtract(p.ta, p.tb, p.out.t));
    for (size_t i = 0; i < p.n; i++)
        p.want[i] = p.a[i] - p.b[i];
    finish(&p, "subtract", TOL_EXACT);
}
END_TEST

START_TEST(accumulates)
{
    if (op_skips(shapes[_i]))
        return;
    problem p = make(shapes[_i]);

    RUN(p.c, tg_accumulate(p.ta, -0.75f, p.out.t));
    for (size_t i = 0; i < p.n; i++)
        p.want[i] = fmaf(-0.75f, p.a[i], p.c[i]);
    finish(&p, "accumulate", TOL_EXACT);
}
END_TEST

START_TEST(scales)
{
    if (op_skips(shapes[_i]))
        return;
    problem p = make(shapes[_i]);

    RUN(NULL, tg_scale(p.ta, 1.1f, p.out.t));
    for (size_t i = 0; i < p.n; i++)
        p.want[i] = 1.1f * p.a[i];
    finish(&p, "scale", TOL_EXACT);
}
END_TEST

START_TEST(clamps)
{
    if (op_skips(shapes[_i]))
        return;
    problem p = make(shapes[_i]);

    RUN(NULL, tg_clamp_forward(p.ta, -0.5f, 0.75f, p.out.t));
    ref_clamp_forward(p.ad, -0.5, 0.75, p.n, p.want);
    finish(&p, "clamp", TOL_EXACT);
}
END_TEST

START_TEST(clamps_backward)
{
    if (op_skips(shapes[_i]))
        return;
    problem p = make(shapes[_i]);

    RUN(p.c, tg_clamp_backward(p.ta, -0.5f, 0.75f, p.tb, p.out.t));
    memcpy(p.want, p.cd, p.n * sizeof(double));
    ref_clamp_backward(p.ad, -0.5, 0.75, p.bd, p.n, p.want);
    finish(&p, "clamp backward", TOL_POINT);
}
END_TEST

START_TEST(mixes)
{
    if (op_skips(shapes[_i]))
        return;
    problem p = make(shapes[_i]);
    float *t = op_floats(p.dims.n);
    double *td = op_doubles(p.dims.n);
    tg_tensor *tt;

    for (size_t s = 0; s < p.dims.n; s++)
        td[s] = t[s] = (float)s * 0.375f;
    tt = op_tensor((tg_dims){p.dims.n, 1, 1, 1}, t);
    RUN(NULL, tg_mix(p.ta, p.tb, tt, p.out.t));
    ref_mix(p.ad, p.bd, td, p.dims.n, p.n / p.dims.n, p.want);
    tg_tensor_free(tt);
    free(t);
    free(td);
    finish(&p, "mix", TOL_POINT);
}
END_TEST

START_TEST(activates)
{
    const tg_dims dims = shapes[_i / N_ACTIVATIONS];
    const tg_activation f = (tg_activation)(_i % N_ACTIVATIONS);

    if (op_skips(dims))
        return;
    problem p = make(dims);

    RUN(NULL, tg_activation_forward(f, 0.2f, p.ta, p.out.t));
    ref_activation_forward(f, slope, p.ad, p.n, p.want);
    finish(&p, "activation", TOL_MATH);
}
END_TEST

START_TEST(activates_backward)
{
    const tg_dims dims = shapes[_i / N_ACTIVATIONS];
    const tg_activation f = (tg_activation)(_i % N_ACTIVATIONS);

    if (op_skips(dims))
        return;
    problem p = make(dims);

    RUN(p.c, tg_activation_backward(f, 0.2f, p.ta, p.tb, p.out.t));
    memcpy(p.want, p.cd, p.n * sizeof(double));
    ref_activation_backward(f, slope, p.ad, p.bd, p.n, p.want);
    finish(&p, "activation backward", TOL_POINT);
}
END_TEST

/* The references themselves. */
static void activation_of(const double *x, double *y, void *user)
{
    ref_activation_forward(*(tg_activation *)user, slope, x, 40, y);
}

START_TEST(the_reference_of_activations_has_the_right_gradient)
{
    tg_activation f = (tg_activation)_i;
    double *x = op_normal_d(40, 4), *dy = op_normal_d(40, 5), *y = op_doubles(40),
           *dx = op_doubles(40);

    ref_activation_forward(f, slope, x, 40, y);
    ref_activation_backward(f, slope, y, dy, 40, dx);
    op_gradcheck("activation", activation_of, &f, x, 40, dy, 40, dx);
    free(x);
    free(dy);
    free(y);
    free(dx);
}
END_TEST

static void clamp_of(const double *x, double *y, void *user)
{
    TG_UNUSED(user);
    ref_clamp_forward(x, -0.5, 0.75, 40, y);
}

START_TEST(the_reference_of_clamp_has_the_right_gradient)
{
    double *x = op_normal_d(40, 4), *dy = op_normal_d(40, 5), *dx = op_doubles(40);

    ref_clamp_backward(x, -0.5, 0.75, dy, 40, dx);
    op_gradcheck("clamp", clamp_of, NULL, x, 40, dy, 40, dx);
    free(x);
    free(dy);
    free(dx);
}
END_TEST

static bool is_like(float got, float want)
{
    if (isnan(want))
        return isnan(got);
    return got == want || fabs((double)got - (double)want) <= TOL_MATH;
}

/* Values at the edges: an activation and a clamp must neither hide NaN nor make one of infinity. */
START_TEST(special_values_go_where_they_should)
{
    const float x[6] = {NAN, INFINITY, -INFINITY, 0, -200, 200};
    const float want[4][6] = {{NAN, INFINITY, 0, 0, 0, 200},
                              {NAN, INFINITY, -INFINITY, 0, -0.5f * 200, 200},
                              {NAN, 1, -1, 0, -1, 1},
                              {NAN, 1, 0, 0.5f, 0, 1}};
    float y[6];
    tg_tensor *tx = op_tensor((tg_dims){1, 6, 1, 1}, x),
              *ty = op_tensor((tg_dims){1, 6, 1, 1}, NULL);

    for (int f = 0; f < 4; f++) {
        ck_assert_tg_ok(tg_activation_forward((tg_activation)f, 0.5f, tx, ty));
        ck_assert_tg_ok(tg_tensor_download(ty, y, 6));
        for (int i = 0; i < 6; i++)
            ck_assert_msg(is_like(y[i], want[f][i]), "f %d of %g is %.9g", f, (double)x[i],
                          (double)y[i]);
    }
    ck_assert_tg_ok(tg_clamp_forward(tx, -1, 1, ty));
    ck_assert_tg_ok(tg_tensor_download(ty, y, 6));
    ck_assert(isnan(y[0]) && y[1] == 1 && y[2] == -1 && y[3] == 0 && y[4] == -1 && y[5] == 1);
    tg_tensor_free(tx);
    tg_tensor_free(ty);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
    tg_tensor *a = op_tensor((tg_dims){2, 3, 4, 5}, NULL),
              *b = op_tensor((tg_dims){2, 3, 5, 4}, NULL);
    tg_tensor *c = op_tensor((tg_dims){2, 3, 4, 5}, NULL),
              *t = op_tensor((tg_dims){3, 1, 1, 1}, NULL);

    ck_assert_tg_fails(tg_add(a, b, c), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_add(a, c, b), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_subtract(a, b, c), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_accumulate(a, 1, b), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_scale(a, 1, b), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_clamp_forward(a, 0, 1, b), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_clamp_forward(a, 1, 0, c), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_clamp_backward(a, 0, 1, b, c), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_clamp_backward(a, 0, 1, c, b), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_mix(a, c, t, c), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_activation_forward(TG_TANH, 0, a, b), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_activation_forward(TG_LEAKY_RELU, 0, a, c), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_activation_forward((tg_activation)9, 0, a, c), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_activation_backward(TG_TANH, 0, a, b, c), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_activation_backward(TG_TANH, 0, a, c, b), TG_ERR_SHAPE);
    tg_tensor_free(a);
    tg_tensor_free(b);
    tg_tensor_free(c);
    tg_tensor_free(t);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("elementwise", 60);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, adds, 0, N_SHAPES);
    tcase_add_loop_test(tc, subtracts, 0, N_SHAPES);
    tcase_add_loop_test(tc, accumulates, 0, N_SHAPES);
    tcase_add_loop_test(tc, scales, 0, N_SHAPES);
    tcase_add_loop_test(tc, clamps, 0, N_SHAPES);
    tcase_add_loop_test(tc, clamps_backward, 0, N_SHAPES);
    tcase_add_loop_test(tc, mixes, 0, N_SHAPES);
    tcase_add_loop_test(tc, activates, 0, N_SHAPES * N_ACTIVATIONS);
    tcase_add_loop_test(tc, activates_backward, 0, N_SHAPES * N_ACTIVATIONS);
    tcase_add_test(tc, special_values_go_where_they_should);
    tcase_add_test(tc, refuses_what_does_not_fit);
    tc = tg_case("reference", 20);
    tcase_add_loop_test(tc, the_reference_of_activations_has_the_right_gradient, 0, N_ACTIVATIONS);
    tcase_add_test(tc, the_reference_of_clamp_has_the_right_gradient);
    return tg_run("elementwise");
}

/* test_spectral_norm.c -- spectral normalisation against tests/ref/spectral_norm.c; what a norm of 1 means. */
#include "config.h"
#include "op/op_test.h"
#include "ref/ref.h"

#include <math.h>

/* Weights: smallest, odd, one row, a first and a middle layer of a discriminator. */
static const tg_dims shapes[] = {
    {1, 1, 1, 1}, {3, 5, 3, 1}, {1, 7, 4, 4}, {64, 3, 4, 4}, {70, 33, 4, 4}};

static tg_dims vector_of(size_t n)
{
    return (tg_dims){1, n, 1, 1};
}

static void unit_d(double *vector, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += vector[i] * vector[i];
    for (size_t i = 0; i < n; i++)
        vector[i] /= sqrt(sum);
}

static float *floats_of(const double *values, size_t n)
{
    float *out = op_floats(n);

    for (size_t i = 0; i < n; i++)
        out[i] = (float)values[i];
    return out;
}

static void check_forward(tg_dims d, bool iterate)
{
    size_t n = tg_dims_count(d), k = d.n, m = n / k;
    double *w = op_normal_d(n, 1), *u = op_normal_d(k, 2), *v = op_normal_d(m, 3),
           *w_sn = op_doubles(n);
    unit_d(u, k);
    unit_d(v, m);
    float *wf = op_normal(n, 1), *uf = floats_of(u, k), *vf = floats_of(v, m), *got = op_floats(n),
          sigma_got = 0;
    float *got_u = op_floats(k), *got_v = op_floats(m);
    double sigma = ref_spectral_norm_forward(w, k, m, iterate, u, v, w_sn);
    tg_tensor *tw = op_tensor(d, wf);
    op_guarded gu, gv, gs, gw;

    op_guard_new(&gu, vector_of(k));
    op_guard_new(&gv, vector_of(m));
    op_guard_new(&gs, (tg_dims){1, 1, 1, 1});
    op_guard_new(&gw, d);
    OP_ROUNDS
    {
        op_guard_set(&gu, uf);
        op_guard_set(&gv, vf);
        op_guard_set(&gs, NULL);
        op_guard_set(&gw, NULL);
        ck_assert_tg_ok(tg_spectral_norm_forward(tw, iterate, gu.t, gv.t, gs.t, gw.t));
        op_guard_get(&gu, got_u, round);
        op_guard_get(&gv, got_v, round);
        op_guard_get(&gs, &sigma_got, round);
        op_guard_get(&gw, got, round);
    }
    tg_compare_fd("u", got_u, u, k, TOL_REDUCE);
    tg_compare_fd("v", got_v, v, m, TOL_REDUCE);
    tg_compare_fd("sigma", &sigma_got, &sigma, 1, TOL_REDUCE);
    tg_compare_fd("w_sn", got, w_sn, n, TOL_REDUCE);
    op_guard_free(&gu);
    op_guard_free(&gv);
    op_guard_free(&gs);
    op_guard_free(&gw);
    tg_tensor_free(tw);
    free(w), free(u), free(v), free(w_sn), free(wf), free(uf), free(vf), free(got), free(got_u),
        free(got_v);
}

START_TEST(forward_matches_reference)
{
    if (op_skips(shapes[_i]))
        return;
    check_forward(shapes[_i], true);
    check_forward(shapes[_i], false);
}
END_TEST

START_TEST(backward_matches_reference)
{
    const tg_dims d = shapes[_i];
    size_t n = tg_dims_count(d), k = d.n, m = n / k;

    if (op_skips(d))
        return;
    double *w = op_normal_d(n, 1), *u = op_normal_d(k, 2), *v = op_normal_d(m, 3),
           *w_sn = op_doubles(n);
    double *dwd = op_normal_d(n, 5), *dw_snd = op_normal_d(n, 4);
    unit_d(u, k);
    double sigma = ref_spectral_norm_forward(w, k, m, true, u, v, w_sn);
    ref_spectral_norm_backward(w_sn, u, v, sigma, dw_snd, k, m, dwd);
    float *uf = floats_of(u, k), *vf = floats_of(v, m), *wf = floats_of(w_sn, n),
          *dwf = op_normal(n, 4);
    float *start = op_normal(n, 5), *got = op_floats(n), sigma_f = (float)sigma;
    tg_tensor *tw = op_tensor(d, wf), *tu = op_tensor(vector_of(k), uf),
              *tv = op_tensor(vector_of(m), vf);
    tg_tensor *ts = op_tensor((tg_dims){1, 1, 1, 1}, &sigma_f), *tdw = op_tensor(d, dwf);
    op_guarded g;
    op_guard_new(&g, d);
    OP_ROUNDS
    {
        op_guard_set(&g, start);
        ck_assert_tg_ok(tg_spectral_norm_backward(tw, tu, tv, ts, tdw, g.t));
        op_guard_get(&g, got, round);
    }
    tg_compare_fd("dw", got, dwd, n, TOL_REDUCE);
    op_guard_free(&g);
    tg_tensor_free(tw);
    tg_tensor_free(tu);
    tg_tensor_free(tv);
    tg_tensor_free(ts);
    tg_tensor_free(tdw);
    free(w), free(u), free(v), free(w_sn), free(dwd), free(dw_snd), free(uf), free(vf), free(wf),
        free(dwf);
    free(start), free(got);
}
END_TEST

/* Many iterations find the largest singular value: |W x| never exceeds |x| afterwards. */
START_TEST(iterations_find_the_largest_singular_value)
{
    /* Rows (3,0), (0,1): singular values 3 and 1. */
    const float values[] = {3, 0, 0, 1}, u[] = {0.6f, 0.8f}, v[] = {1, 0};
    float got[4], sigma;
    const double wanted[] = {1, 0, 0, 1 / 3.}, sigma_wanted = 3;
    tg_tensor *w = op_tensor((tg_dims){2, 2, 1, 1}, values),
              *w_sn = op_tensor((tg_dims){2, 2, 1, 1}, NULL);
    tg_tensor *tu = op_tensor(vector_of(2), u), *tv = op_tensor(vector_of(2), v);
    tg_tensor *ts = op_tensor((tg_dims){1, 1, 1, 1}, NULL);

    for (int i = 0; i < 20; i++)
        ck_assert_tg_ok(tg_spectral_norm_forward(w, true, tu, tv, ts, w_sn));
    ck_assert_tg_ok(tg_tensor_download(ts, &sigma, 1));
    ck_assert_tg_ok(tg_tensor_download(w_sn, got, 4));
    tg_compare_fd("sigma", &sigma, &sigma_wanted, 1, TOL_POINT);
    tg_compare_fd("w_sn", got, wanted, 4, TOL_POINT);
    tg_tensor_free(w);
    tg_tensor_free(w_sn);
    tg_tensor_free(tu);
    tg_tensor_free(tv);
    tg_tensor_free(ts);
}
END_TEST

enum { K = 4, M = 6 };
typedef struct vectors {
    double u[K], v[M];
} vectors;

static void forward_of_w(const double *w, double *w_sn, void *user)
{
    vectors *held = user;

    ref_spectral_norm_forward(w, K, M, false, held->u, held->v, w_sn);
}

START_TEST(reference_gradient_equals_differences)
{
    vectors held;
    double w[K * M], w_sn[K * M], dy[K * M], dw[K * M] = {0};

    tg_fill_normal_d(w, K * M, 1);
    tg_fill_normal_d(held.u, K, 2);
    tg_fill_normal_d(dy, K * M, 4);
    unit_d(held.u, K);
    for (int i = 0; i < 3; i++)
        ref_spectral_norm_forward(w, K, M, true, held.u, held.v, w_sn);
    double sigma = ref_spectral_norm_forward(w, K, M, false, held.u, held.v, w_sn);
    ref_spectral_norm_backward(w_sn, held.u, held.v, sigma, dy, K, M, dw);
    op_gradcheck("dw", forward_of_w, &held, w, K * M, dy, K * M, dw);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
    const tg_dims d = {4, 3, 2, 2}, one = {1, 1, 1, 1};
    tg_tensor *w = op_tensor(d, NULL), *other = op_tensor((tg_dims){3, 4, 2, 2}, NULL);
    tg_tensor *u = op_tensor(vector_of(4), NULL), *v = op_tensor(vector_of(12), NULL),
              *s = op_tensor(one, NULL);

    ck_assert_tg_fails(tg_spectral_norm_forward(w, true, v, v, s, w), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_spectral_norm_forward(w, true, u, u, s, w), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_spectral_norm_forward(w, true, u, v, u, w), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_spectral_norm_forward(w, true, u, v, s, other), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_spectral_norm_backward(w, u, u, s, w, w), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_spectral_norm_backward(w, u, v, s, other, w), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_spectral_norm_backward(w, u, v, s, w, other), TG_ERR_SHAPE);
    tg_tensor_free(w);
    tg_tensor_free(other);
    tg_tensor_free(u);
    tg_tensor_free(v);
    tg_tensor_free(s);
}
END_TEST

static void add_device_tests(TCase *tc, void (*open)(void))
{
    tcase_add_checked_fixture(tc, open, op_close);
    tcase_add_loop_test(tc, forward_matches_reference, 0, (int)TG_COUNT(shapes));
    tcase_add_loop_test(tc, backward_matches_reference, 0, (int)TG_COUNT(shapes));
    tcase_add_test(tc, iterations_find_the_largest_singular_value);
}

int main(void)
{
    TCase *tc = tg_case("spectral_norm", 120), *wide = tg_case("spectral_norm, wide groups", 120);
    TCase *ref = tg_case("reference", 30);

    add_device_tests(tc, op_open);
    tcase_add_test(tc, refuses_what_does_not_fit);
    add_device_tests(wide, op_open_wide);
    tcase_add_test(ref, reference_gradient_equals_differences);
    return tg_run("spectral_norm");
}

/* test_optimizer.c -- optimisers, clipping and the moving average against tests/ref/optimizer.c and worked values. */
#include "config.h"
#include "op/op_test.h"
#include "ref/ref.h"

#include <math.h>

static const tg_dims shapes[] = {{1, 1, 1, 1}, {1, 3, 5, 7}, {2, 4, 17, 33}, {1, 1, 1, 73856}};
static const tg_scalar none = {NULL, 0};

START_TEST(adam_gives_the_papers_values)
{
    const float gradients[] = {0.2f, 0.4f}, zero = 0, one = 1;
    const double wanted[] = {0.999000000, 0.997946066};
    const tg_dims d = {1, 1, 1, 1};
    tg_tensor *p = op_tensor(d, &one), *m = op_tensor(d, &zero), *v = op_tensor(d, &zero);

    for (size_t t = 1; t <= 2; t++) {
        tg_tensor *g = op_tensor(d, &gradients[t - 1]);
        float got;

        ck_assert_tg_ok(tg_adam_step(g, &(tg_adam_opts){1e-3f, 0.5f, 0.999f, 1e-8f, t}, p, m, v));
        ck_assert_tg_ok(tg_tensor_download(p, &got, 1));
        tg_compare_fd("p", &got, &wanted[t - 1], 1, 1.2e-7 /* two roundings of a float near 1 */);
        tg_tensor_free(g);
    }
    tg_tensor_free(p);
    tg_tensor_free(m);
    tg_tensor_free(v);
}
END_TEST

START_TEST(adam_matches_reference_over_steps)
{
    const tg_dims d = shapes[_i];
    size_t n = tg_dims_count(d);

    if (op_skips(d))
        return;
    float *g = op_normal(n, 1), *p = op_normal(n, 2), *m = op_floats(n), *v = op_floats(n),
          *zero = op_floats(n);
    double *gd = op_normal_d(n, 1), *pd = op_normal_d(n, 2), *md = op_doubles(n),
           *vd = op_doubles(n);
    float *start = op_normal(n, 2);
    tg_tensor *tg = op_tensor(d, g);
    op_guarded gp, gm, gv;
    op_guard_new(&gp, d);
    op_guard_new(&gm, d);
    op_guard_new(&gv, d);
    OP_ROUNDS
    {
        op_guard_set(&gp, start);
        op_guard_set(&gm, zero);
        op_guard_set(&gv, zero);
        for (size_t t = 1; t <= 3; t++) {
            const tg_adam_opts opts = {2e-2f, 0.5f, 0.999f, 1e-8f, t};
            uint64_t version = gp.t->version;

            ck_assert_tg_ok(tg_adam_step(tg, &opts, gp.t, gm.t, gv.t));
            ck_assert_msg(gp.t->version != version,
                          "packed forms of the parameters would stay in use");
            if (round == 0)
                ref_adam_step(gd, &opts, n, pd, md, vd);
        }
        op_guard_get(&gp, p, round);
        op_guard_get(&gm, m, round);
        op_guard_get(&gv, v, round);
    }
    tg_compare_fd("p", p, pd, n, TOL_POINT);
    tg_compare_fd("m", m, md, n, TOL_POINT);
    tg_compare_fd("v", v, vd, n, TOL_POINT);
    op_guard_free(&gp);
    op_guard_free(&gm);
    op_guard_free(&gv);
    tg_tensor_free(tg);
    free(g), free(p), free(m), free(v), free(zero), free(gd), free(pd), free(md), free(vd),
        free(start);
}
END_TEST

START_TEST(rmsprop_matches_reference_over_steps)
{
    const tg_dims d = shapes[_i];
    size_t n = tg_dims_count(d);

    if (op_skips(d))
        return;
    float *g = op_normal(n, 1), *p = op_normal(n, 2), *start = op_normal(n, 2), *v = op_floats(n),
          *zero = op_floats(n);
    double *gd = op_normal_d(n, 1), *pd = op_normal_d(n, 2), *vd = op_doubles(n);
    tg_tensor *tg = op_tensor(d, g);
    op_guarded gp, gv;
    op_guard_new(&gp, d);
    op_guard_new(&gv, d);
    OP_ROUNDS
    {
        op_guard_set(&gp, start);
        op_guard_set(&gv, zero);
        for (int t = 0; t < 3; t++) {
            ck_assert_tg_ok(tg_rmsprop_step(tg, 5e-3f, 0.99f, 1e-8f, gp.t, gv.t));
            if (round == 0)
                ref_rmsprop_step(gd, (double)5e-3f, (double)0.99f, 1e-8, n, pd, vd);
        }
        op_guard_get(&gp, p, round);
        op_guard_get(&gv, v, round);
    }
    tg_compare_fd("p", p, pd, n, TOL_POINT);
    tg_compare_fd("v", v, vd, n, TOL_POINT);
    op_guard_free(&gp);
    op_guard_free(&gv);
    tg_tensor_free(tg);
    free(g), free(p), free(start), free(v), free(zero), free(gd), free(pd), free(vd);
}
END_TEST

/* SGD, weight clipping and the moving average are one line each: the line stands here. */
START_TEST(single_line_steps_match_reference)
{
    const tg_dims d = shapes[_i];
    size_t n = tg_dims_count(d);

    if (op_skips(d))
        return;
    float *g = op_normal(n, 1), *start = op_normal(n, 2), *got = op_floats(n);
    double *sgd = op_doubles(n), *clipped = op_doubles(n), *ema = op_doubles(n);
    tg_tensor *tg = op_tensor(d, g);
    op_guarded gp;
    for (size_t i = 0; i < n; i++) {
        double p = (double)start[i], gi = (double)g[i];

        sgd[i] = p - (double)0.1f * gi;
        clipped[i] = fmin(fmax(p, -(double)0.01f), (double)0.01f);
        ema[i] = (double)0.9f * p + (1 - (double)0.9f) * gi;
    }
    op_guard_new(&gp, d);
    OP_ROUNDS
    {
        op_guard_set(&gp, start);
        ck_assert_tg_ok(tg_sgd_step(tg, 0.1f, gp.t));
        op_guard_get(&gp, got, round);
    }
    tg_compare_fd("sgd", got, sgd, n, TOL_POINT);
    OP_ROUNDS
    {
        op_guard_set(&gp, start);
        ck_assert_tg_ok(tg_clip_weights(0.01f, gp.t));
        op_guard_get(&gp, got, round);
    }
    tg_compare_fd("clip", got, clipped, n, TOL_EXACT);
    OP_ROUNDS
    {
        op_guard_set(&gp, start);
        ck_assert_tg_ok(tg_ema_step(tg, 0.9f, gp.t));
        op_guard_get(&gp, got, round);
    }
    tg_compare_fd("average", got, ema, n, TOL_POINT);
    op_guard_free(&gp);
    tg_tensor_free(tg);
    free(g), free(start), free(got), free(sgd), free(clipped), free(ema);
}
END_TEST

START_TEST(clip_norm_matches_reference)
{
    const tg_dims d = shapes[_i];
    const float limits[] = {0, 0.125f, 1e6f};
    size_t n = tg_dims_count(d);

    if (op_skips(d))
        return;
    float *start = op_normal(n, 1), *got = op_floats(n), norm[2];
    op_guarded g;
    tg_tensor *slot = op_tensor((tg_dims){1, 2, 1, 1}, NULL);
    op_guard_new(&g, d);
    for (size_t k = 0; k < TG_COUNT(limits); k++) {
        double *gd = op_normal_d(n, 1), want = ref_clip_norm((double)limits[k], n, gd);

        OP_ROUNDS
        {
            op_guard_set(&g, start);
            ck_assert_tg_ok(tg_clip_norm(limits[k], g.t, (tg_scalar){slot, 1}));
            op_guard_get(&g, got, round);
        }
        ck_assert_tg_ok(tg_tensor_download(slot, norm, 2));
        tg_compare_fd("norm", &norm[1], &want, 1, TOL_REDUCE);
        tg_compare_fd("g", got, gd, n, limits[k] == 0.125f ? TOL_REDUCE : TOL_EXACT);
        free(gd);
    }
    op_guard_free(&g);
    tg_tensor_free(slot);
    free(start), free(got);
}
END_TEST

START_TEST(a_gradient_that_is_not_finite_becomes_zero)
{
    const float bad[] = {NAN, INFINITY, -INFINITY};
    const float limits[] = {0, 1};
    float *start = op_normal(105, 1), *zero = op_floats(105), got[105], norm;
    const tg_dims d = {1, 3, 5, 7};
    tg_tensor *slot = op_tensor((tg_dims){1, 1, 1, 1}, NULL);

    start[101] = bad[_i];
    for (size_t k = 0; k < TG_COUNT(limits); k++) {
        tg_tensor *g = op_tensor(d, start);

        ck_assert_tg_ok(tg_clip_norm(limits[k], g, (tg_scalar){slot, 0}));
        ck_assert_tg_ok(tg_tensor_download(g, got, 105));
        ck_assert_tg_ok(tg_tensor_download(slot, &norm, 1));
        tg_compare("g", got, zero, 105, TOL_EXACT);
        ck_assert_msg(!isfinite(norm), "the bad norm is hidden: %g", (double)norm);
        tg_tensor_free(g);
    }
    tg_tensor_free(slot);
    free(start), free(zero);
}
END_TEST

/* A power of two goes in and out without a trace, with the clip and without. */
START_TEST(a_scale_is_divided_out_exactly)
{
    const float limits[] = {0, 0.125f, 1e6f}, scale = 4096;
    const tg_dims d = {2, 4, 17, 33}, one = {1, 1, 1, 1};
    size_t n = tg_dims_count(d);
    float *start = op_normal(n, 1), *large = op_floats(n), *got = op_floats(n),
          *want = op_floats(n), norms[3], factor;
    tg_tensor *slots = op_tensor((tg_dims){1, 3, 1, 1}, NULL), *f = op_tensor(one, NULL);

    for (size_t i = 0; i < n; i++)
        large[i] = scale * start[i];
    for (size_t k = 0; k < TG_COUNT(limits); k++) {
        const tgi_clip_opts opts = {limits[k], scale, {slots, 1}, {slots, 2}};
        tg_tensor *g = op_tensor(d, start), *g_large = op_tensor(d, large);

        ck_assert_tg_ok(tgi_tensor_fill(slots, 0));
        ck_assert_tg_ok(tg_clip_norm(limits[k], g, (tg_scalar){slots, 0}));
        ck_assert_tg_ok(tgi_clip_scaled(&opts, g_large, f));
        ck_assert_tg_ok(tg_tensor_download(g, want, n));
        ck_assert_tg_ok(tg_tensor_download(g_large, got, n));
        ck_assert_tg_ok(tg_tensor_download(slots, norms, 3));
        ck_assert_tg_ok(tg_tensor_download(f, &factor, 1));
        ck_assert_mem_eq(got, want, n * sizeof *got);
        ck_assert_float_eq(norms[1], norms[0]);
        ck_assert_float_eq(norms[2], 0);
        ck_assert(factor > 0);
        tg_tensor_free(g);
        tg_tensor_free(g_large);
    }
    tg_tensor_free(slots);
    tg_tensor_free(f);
    free(start), free(large), free(got), free(want);
}
END_TEST

/* What the device leaves out: weights and moments keep their bits, and the count grows. */
START_TEST(an_overflow_leaves_weights_and_moments_alone)
{
    const tg_dims d = {1, 3, 5, 7}, one = {1, 1, 1, 1};
    size_t n = tg_dims_count(d);
    const tg_adam_opts adam = {1e-3f, 0.5f, 0.999f, 1e-8f, 3};
    float *values = op_normal(n, 1), *bad = op_normal(n, 2), *got = op_floats(n), counts[2];
    const float zeros[] = {0, 0};
    tg_tensor *slots = op_tensor((tg_dims){1, 2, 1, 1}, zeros), *f = op_tensor(one, NULL);
    const tgi_clip_opts opts = {1, 256, {slots, 0}, {slots, 1}};
    tg_tensor *p = op_tensor(d, values), *m = op_tensor(d, values), *v = op_tensor(d, values), *g;

    bad[17] = _i ? NAN : INFINITY;
    g = op_tensor(d, bad);
    for (int round = 1; round <= 2; round++) {
        ck_assert_tg_ok(tg_tensor_upload(g, bad, n));
        ck_assert_tg_ok(tgi_clip_scaled(&opts, g, f));
        ck_assert_tg_ok(tg_tensor_download(slots, counts, 2));
        ck_assert_float_eq(counts[0], 0);
        ck_assert_float_eq(counts[1], (float)round);
    }
    ck_assert_tg_ok(tgi_adam_step(g, f, &adam, p, m, v));
    ck_assert_tg_ok(tgi_rmsprop_step(g, f, 1, 0.9f, 1e-8f, p, v));
    ck_assert_tg_ok(tgi_sgd_step(g, f, 1, p));
    tg_tensor *const kept[] = {p, m, v};
    for (size_t i = 0; i < TG_COUNT(kept); i++) {
        ck_assert_tg_ok(tg_tensor_download(kept[i], got, n));
        ck_assert_mem_eq(got, values, n * sizeof *got);
        tg_tensor_free(kept[i]);
    }
    tg_tensor_free(g);
    tg_tensor_free(slots);
    tg_tensor_free(f);
    free(values), free(bad), free(got);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
    tg_tensor *p = op_tensor((tg_dims){1, 1, 1, 8}, NULL),
              *q = op_tensor((tg_dims){1, 1, 1, 9}, NULL);
    tg_adam_opts opts = {1e-3f, 0.5f, 0.999f, 1e-8f, 1};

    ck_assert_tg_fails(tg_adam_step(q, &opts, p, p, p), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_adam_step(p, &opts, p, q, p), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_adam_step(p, &opts, p, p, q), TG_ERR_SHAPE);
    opts.t = 0;
    ck_assert_tg_fails(tg_adam_step(p, &opts, p, p, p), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_rmsprop_step(q, 1, 0.9f, 1e-8f, p, p), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_rmsprop_step(p, 1, 0.9f, 1e-8f, p, q), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_sgd_step(q, 1, p), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_ema_step(q, 0.9f, p), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_clip_weights(-1, p), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_clip_weights(NAN, p), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_clip_norm(-1, p, none), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_clip_norm(1, p, (tg_scalar){q, 9}), TG_ERR_SHAPE);
    ck_assert_tg_fails(tgi_clip_scaled(&(tgi_clip_opts){.scale = 1}, p, q), TG_ERR_SHAPE);
    tg_tensor_free(p);
    tg_tensor_free(q);
}
END_TEST

static void add_device_tests(TCase *tc, void (*open)(void))
{
    const int n = (int)TG_COUNT(shapes);

    tcase_add_checked_fixture(tc, open, op_close);
    tcase_add_test(tc, adam_gives_the_papers_values);
    tcase_add_loop_test(tc, adam_matches_reference_over_steps, 0, n);
    tcase_add_loop_test(tc, rmsprop_matches_reference_over_steps, 0, n);
    tcase_add_loop_test(tc, single_line_steps_match_reference, 0, n);
    tcase_add_loop_test(tc, clip_norm_matches_reference, 0, n);
    tcase_add_loop_test(tc, a_gradient_that_is_not_finite_becomes_zero, 0, 3);
    tcase_add_test(tc, a_scale_is_divided_out_exactly);
    tcase_add_loop_test(tc, an_overflow_leaves_weights_and_moments_alone, 0, 2);
}

int main(void)
{
    TCase *tc = tg_case("optimizer", 120), *wide = tg_case("optimizer, wide groups", 120);

    add_device_tests(tc, op_open);
    tcase_add_test(tc, refuses_what_does_not_fit);
    add_device_tests(wide, op_open_wide);
    return tg_run("optimizer");
}

/* test_peak.c -- the kernels that measure a device compute what they say, and the measure is one. */
#include "config.h"
#include "op/op_test.h"
#include "op/peak.h"
#include "ref/ref.h"

#include <math.h>
#include <string.h>

static const tg_dims shapes[] = {{1, 1, 1, 16}, {1, 3, 5, 16}, {2, 8, 17, 48}};
enum { N_SHAPES = TG_COUNT(shapes), ROUNDS = 21 };

START_TEST(chains_agree_with_the_reference)
{
    const tgi_peak_variant *variant = &tgi_peak_variants[_i / N_SHAPES];
    tg_dims dims = shapes[_i % N_SHAPES];
    size_t n = tg_dims_count(dims);
    float *x = op_normal(n, 1), *got = op_floats(n);
    double *x_d = op_normal_d(n, 1), *want = op_doubles(n);
    tg_tensor *xt = op_tensor(dims, x);
    op_guarded y;

    op_guard_new(&y, dims);
    ref_peak_fma(x_d, n, ROUNDS, 0.75, 1, want);
    OP_ROUNDS
    {
        op_guard_set(&y, NULL);
        ck_assert_tg_ok(tgi_peak_fma(variant, xt, ROUNDS, 0.75f, 1, y.t));
        op_guard_get(&y, got, round);
    }
    for (size_t i = 0; i < n; i++)
        x[i] = (float)want[i];
    tg_compare("y", got, x, n, TOL_POINT);
    op_guard_free(&y);
    tg_tensor_free(xt);
    free(x);
    free(got);
    free(x_d);
    free(want);
}
END_TEST

START_TEST(copies)
{
    const tgi_peak_variant *variant = &tgi_peak_variants[_i / N_SHAPES];
    tg_dims dims = shapes[_i % N_SHAPES];
    size_t n = tg_dims_count(dims);
    float *x = op_normal(n, 2), *got = op_floats(n);
    tg_tensor *xt = op_tensor(dims, x);
    op_guarded y;

    op_guard_new(&y, dims);
    OP_ROUNDS
    {
        op_guard_set(&y, NULL);
        ck_assert_tg_ok(tgi_peak_copy(variant, xt, y.t));
        op_guard_get(&y, got, round);
    }
    ck_assert(!memcmp(x, got, n * sizeof *x));
    op_guard_free(&y);
    tg_tensor_free(xt);
    free(x);
    free(got);
}
END_TEST

START_TEST(refuses_what_is_no_multiple_of_the_vector)
{
    tg_tensor *x = op_tensor((tg_dims){1, 1, 3, 8}, NULL);
    tg_tensor *y = op_tensor((tg_dims){1, 1, 3, 8}, NULL);
    tg_tensor *other = op_tensor((tg_dims){1, 1, 4, 8}, NULL);

    ck_assert_tg_fails(tgi_peak_fma(&tgi_peak_variants[0], x, 1, 1, 1, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tgi_peak_copy(&tgi_peak_variants[0], x, y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tgi_peak_copy(&tgi_peak_variants[1], x, other), TG_ERR_SHAPE);
    tg_tensor_free(x);
    tg_tensor_free(y);
    tg_tensor_free(other);
}
END_TEST

static tg_status count_call(void *user)
{
    ++*(size_t *)user;
    return TG_OK;
}

START_TEST(times_after_a_warm_up)
{
    size_t n_runs = 0, n_prepared = 0;
    tgi_timing time;

    /* work that needs a prepare is run once a time, and once before */
    ck_assert_tg_ok(tgi_time(op_dev, count_call, count_call, &n_prepared,
                             &(tgi_timing_opts){.n_runs = 5, .seconds = 60}, &time));
    ck_assert_uint_eq(n_prepared, 12);
    ck_assert_uint_eq(time.n_runs, 5);
    ck_assert(time.min_s >= 0 && time.min_s <= time.median_s);
    /* a bound of no time leaves one run */
    ck_assert_tg_ok(tgi_time(op_dev, NULL, count_call, &n_runs,
                             &(tgi_timing_opts){.n_runs = 5, .seconds = 0}, &time));
    ck_assert_uint_eq(time.n_runs, 1);
    ck_assert_uint_ge(n_runs, 3);
}
END_TEST

static tg_status fail_call(void *user)
{
    TG_UNUSED(user);
    return tg_fail(TG_ERR_ARGUMENT, "this work fails");
}

START_TEST(a_failure_of_the_work_is_returned)
{
    tgi_timing time;

    ck_assert_tg_fails(
        tgi_time(op_dev, NULL, fail_call, NULL, &(tgi_timing_opts){.n_runs = 1}, &time),
        TG_ERR_ARGUMENT);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("peak", 60);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, chains_agree_with_the_reference, 0, TGI_PEAK_VARIANTS * N_SHAPES);
    tcase_add_loop_test(tc, copies, 0, TGI_PEAK_VARIANTS * N_SHAPES);
    tcase_add_test(tc, refuses_what_is_no_multiple_of_the_vector);
    tcase_add_test(tc, times_after_a_warm_up);
    tcase_add_test(tc, a_failure_of_the_work_is_returned);
    return tg_run("peak");
}

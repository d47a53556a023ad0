/* test_loss_scale.c -- the scale over the steps: what an overflow does and when, that it does it once, and what a long peace does. */
#include "config.h"
#include "model/model.h"
#include "tg_test.h"
#include "trainer/loss_scale.h"

enum { LATE = TGI_STEPS_UNDER_WAY };

/* Runs steps from..to, of which those overflow whose scale is above `limit`: the last scale. */
static double run(tgi_loss_scale *s, uint64_t from, uint64_t to, double limit)
{
    double scale = 0;

    for (uint64_t step = from; step <= to; step++) {
        scale = tgi_loss_scale_for(s, step);
        tgi_loss_scale_arrived(s, step, scale > limit);
    }
    return scale;
}

START_TEST(an_overflow_counts_a_fixed_number_of_steps_later)
{
    tgi_loss_scale s = {.scale = 1024};

    ck_assert_double_eq(run(&s, 1, 4, 1024), 1024);
    ck_assert_double_eq(tgi_loss_scale_for(&s, 5), 1024);
    tgi_loss_scale_arrived(&s, 5, true);
    ck_assert_double_eq(run(&s, 6, 5 + LATE - 1, 1024), 1024);
    ck_assert_double_eq(run(&s, 5 + LATE, 5 + LATE, 1024), 512);
}
END_TEST

/* The steps that were under way with the old scale overflow too: they are not held against the new one. */
START_TEST(one_overflow_halves_once)
{
    tgi_loss_scale s = {.scale = 4096};

    ck_assert_double_eq(run(&s, 1, LATE, 1024), 4096);
    ck_assert_double_eq(run(&s, LATE + 1, 2 * LATE, 1024), 2048);
    ck_assert_double_eq(run(&s, 2 * LATE + 1, 3 * LATE, 1024), 1024);
    ck_assert_double_eq(run(&s, 3 * LATE + 1, 500, 1024), 1024);
}
END_TEST

START_TEST(a_long_peace_doubles_up_to_a_bound)
{
    tgi_loss_scale s = {.scale = 16384};

    ck_assert_double_eq(run(&s, 1, 2000 + LATE - 1, 1e9), 16384);
    ck_assert_double_eq(run(&s, 2000 + LATE, 2000 + LATE, 1e9), 32768);
    ck_assert_double_eq(run(&s, 2000 + LATE + 1, 5000, 1e9), 65536);
    ck_assert_double_eq(run(&s, 5001, 20000, 1e9), 65536);
}
END_TEST

START_TEST(it_is_never_below_one)
{
    tgi_loss_scale s = {.scale = 2};

    ck_assert(!tgi_loss_scale_is_least(&s, 1));
    ck_assert_double_eq(run(&s, 1, 100, 0), 1);
    ck_assert(tgi_loss_scale_is_least(&s, 100));
    s.begun = 101;
    ck_assert(!tgi_loss_scale_is_least(&s, 100)); /* ran under a larger one */
}
END_TEST

/* Steps that are done again do not count twice. */
START_TEST(going_back_forgets_what_was_under_way)
{
    tgi_loss_scale s = {.scale = 1024};

    ck_assert_double_eq(run(&s, 1, 20, 1), 256);
    tgi_loss_scale_go_back(&s, 18);
    ck_assert_double_eq(run(&s, 18, 60, 256), 256);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("loss_scale", 30);

    tcase_add_test(tc, an_overflow_counts_a_fixed_number_of_steps_later);
    tcase_add_test(tc, one_overflow_halves_once);
    tcase_add_test(tc, a_long_peace_doubles_up_to_a_bound);
    tcase_add_test(tc, it_is_never_below_one);
    tcase_add_test(tc, going_back_forgets_what_was_under_way);
    return tg_run("loss_scale");
}

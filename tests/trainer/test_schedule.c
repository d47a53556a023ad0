/* test_schedule.c -- rate, identity weight and validations as functions of how much of a run is done. */
#include "config.h"
#include "tg_test.h"
#include "trainer/schedule.h"

#include <math.h>

static tgi_settings settings_of(tgi_preset preset)
{
    return tgi_settings_preset(preset);
}

/* PAPER section 5, CycleGAN: factor 1 until half of 200 epochs are done, then linear to 0. Ours falls by the share of the run, not by
 * the epoch's number, so its figures are those of a straight line between the same ends. */
START_TEST(rate_falls_like_cyclegan)
{
    static const struct {
        double epoch, factor;
    } wanted[] = {{0, 1}, {50, 1}, {100, 1}, {101, 0.99}, {150, 0.5}, {199, 0.01}, {200, 0}};
    tgi_settings s = settings_of(TGI_PRESET_STANDARD);

    s.decay = 0.5;
    s.decay_to = 0;
    s.lr = 2e-4;
    for (size_t i = 0; i < TG_COUNT(wanted); i++)
        ck_assert_double_eq_tol(tgi_pace_at(&s, wanted[i].epoch / 200, 1).lr,
                                2e-4 * wanted[i].factor, 1e-12);
}
END_TEST

START_TEST(rate_ends_where_the_recipe_says)
{
    const tgi_settings s = settings_of(TGI_PRESET_QUICK);

    ck_assert_double_eq_tol(tgi_pace_at(&s, 0.5, 1).lr, 1e-3, 1e-12);
    ck_assert_double_eq_tol(tgi_pace_at(&s, 0.75, 1).lr, 1e-3 * 0.51, 1e-12);
    ck_assert_double_eq_tol(tgi_pace_at(&s, 1, 1).lr, 2e-5, 1e-12);
    ck_assert_double_eq_tol(tgi_pace_at(&s, 1, 0.25).lr, 5e-6, 1e-12); /* after two restores */
}
END_TEST

START_TEST(identity_rises)
{
    const tgi_settings s = settings_of(TGI_PRESET_QUICK); /* 10 from 0.25 over 0.2 */

    ck_assert_double_eq(tgi_pace_at(&s, 0, 1).lam_id, 0);
    ck_assert_double_eq(tgi_pace_at(&s, 0.2499, 1).lam_id, 0);
    ck_assert_double_eq_tol(tgi_pace_at(&s, 0.35, 1).lam_id, 5, 1e-9);
    ck_assert_double_eq(tgi_pace_at(&s, 0.46, 1).lam_id, 10);
    ck_assert_double_eq(tgi_pace_at(&s, 1, 1).lam_id, 10);
}
END_TEST

START_TEST(identity_without_a_ramp_is_a_step)
{
    tgi_settings s = settings_of(TGI_PRESET_QUICK);

    s.id_ramp = 0;
    ck_assert_double_eq(tgi_pace_at(&s, 0.2, 1).lam_id, 0);
    ck_assert_double_eq(tgi_pace_at(&s, 0.25, 1).lam_id, 10);
    s.id_start = 0;
    ck_assert_double_eq(tgi_pace_at(&s, 0, 1).lam_id, 10);
}
END_TEST

START_TEST(constant_is_constant)
{
    tgi_settings s = settings_of(TGI_PRESET_QUICK);

    s.schedule = TGI_SCHEDULE_CONSTANT;
    for (double done = 0; done <= 1; done += 0.125) {
        ck_assert_double_eq(tgi_pace_at(&s, done, 1).lr, s.lr);
        ck_assert_double_eq(tgi_pace_at(&s, done, 1).lam_id, s.lam_id);
    }
    ck_assert_double_eq(tgi_pace_at(&s, 1, 0.5).lr, s.lr / 2);
}
END_TEST

START_TEST(no_decay_never_falls)
{
    tgi_settings s = settings_of(TGI_PRESET_QUICK);

    s.decay = 0;
    ck_assert_double_eq(tgi_pace_at(&s, 1, 1).lr, s.lr);
}
END_TEST

START_TEST(an_epoch_is_a_pass_over_the_larger_domain)
{
    tgi_settings s = settings_of(TGI_PRESET_PAPER);
    tgi_span span;

    s.batch = 4;
    s.epochs = 3;
    span = tgi_span_of(&s, 0, 10, 21);
    ck_assert_uint_eq(span.steps_per_epoch, 6);
    ck_assert_uint_eq(span.steps, 18);
    ck_assert_uint_eq(tgi_span_of(&s, 0, 21, 10).steps, 18);
    s.steps = 7; /* steps win */
    ck_assert_uint_eq(tgi_span_of(&s, 0, 10, 21).steps, 7);
}
END_TEST

START_TEST(done_by_steps_or_by_time)
{
    const tgi_span steps = {.steps = 10}, time = {.time_s = 60}, both = {.steps = 10, .time_s = 60};

    ck_assert_double_eq(tgi_span_done(&steps, 5, 1e9), 0.5);
    ck_assert_double_eq(tgi_span_done(&steps, 12, 0), 1);
    ck_assert_double_eq(tgi_span_done(&time, 1000000, 30), 0.5);
    ck_assert_double_eq(tgi_span_done(&both, 2, 30), 0.5);
    ck_assert_double_eq(tgi_span_done(&both, 8, 30), 0.8);
}
END_TEST

/* Validations of a run of `steps` steps; *last is the step of the last one. */
static size_t count_validations(const tgi_settings *s, const tgi_span *span, uint64_t steps,
                                uint64_t *last)
{
    size_t n = 0;
    double before = 0;

    for (uint64_t step = 1; step <= steps; step++) {
        double now = tgi_span_done(span, step, 0);

        if (tgi_validation_due(s, span, step, before, now)) {
            n++;
            *last = step;
        }
        before = now;
    }
    return n;
}

START_TEST(validates_as_the_setting_says)
{
    tgi_settings s = settings_of(TGI_PRESET_QUICK);
    uint64_t last = 0;
    tgi_span span;

    s.steps = 900;
    span = tgi_span_of(&s, 0, 100, 100);
    ck_assert_uint_eq(count_validations(&s, &span, 900, &last), 12);
    ck_assert_uint_eq(last, 900);
    s.steps = 5; /* fewer than twelve steps: after each */
    span = tgi_span_of(&s, 0, 100, 100);
    ck_assert_uint_eq(count_validations(&s, &span, 5, &last), 5);
    s.validate = TGI_VALIDATE_STEPS;
    s.val_every = 3;
    s.steps = 10;
    span = tgi_span_of(&s, 0, 100, 100);
    ck_assert_uint_eq(count_validations(&s, &span, 10, &last), 4); /* 3, 6, 9 and the end */
    ck_assert_uint_eq(last, 10);
    s.validate = TGI_VALIDATE_NONE;
    ck_assert_uint_eq(count_validations(&s, &span, 10, &last), 0);
}
END_TEST

START_TEST(paper_validates_every_epoch)
{
    tgi_settings s = settings_of(TGI_PRESET_PAPER);
    uint64_t last = 0;
    tgi_span span;

    s.epochs = 20;
    span = tgi_span_of(&s, 0, 5, 7);
    ck_assert_uint_eq(span.steps, 140);
    ck_assert_uint_eq(count_validations(&s, &span, 140, &last), 20);
    ck_assert_uint_eq(last, 140);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("schedule", 30);

    tcase_add_test(tc, rate_falls_like_cyclegan);
    tcase_add_test(tc, rate_ends_where_the_recipe_says);
    tcase_add_test(tc, identity_rises);
    tcase_add_test(tc, identity_without_a_ramp_is_a_step);
    tcase_add_test(tc, constant_is_constant);
    tcase_add_test(tc, no_decay_never_falls);
    tcase_add_test(tc, an_epoch_is_a_pass_over_the_larger_domain);
    tcase_add_test(tc, done_by_steps_or_by_time);
    tcase_add_test(tc, validates_as_the_setting_says);
    tcase_add_test(tc, paper_validates_every_epoch);
    return tg_run("schedule");
}

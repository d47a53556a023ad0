/* test_library.c -- CLBlast and clFFT: their known answers on the device, and what computes where those are wrong. */
#include "config.h"
#include "op/conv2d.h"
#include "base/text.h"
#include "op_test.h"
#if HAVE_CLBLAST
#include "op/sgemm.h"
#endif
#if HAVE_CLFFT
#include "op/fft.h"
#endif

#include <stdio.h>
#include <string.h>

static char last_warning[1024];
static int n_warnings;

static void keep_warning(tg_log_level level, const char *line, void *user)
{
    TG_UNUSED(user);
    if (level > TG_LOG_WARNING)
        return;
    n_warnings++;
    snprintf(last_warning, sizeof last_warning, "%s", line);
}

/* On a simulated device the libraries would compile for minutes. */
static bool is_absent(tg_conv_algorithm algorithm)
{
    return tgi_conv_expect_built(algorithm) != TG_OK || getenv("TAGGAN_TEST_TINY");
}

static const tgi_conv layer = {
    .n = 1, .c = 2, .h = 6, .w = 6, .k = 3, .p = 6, .q = 6, .r = 3, .s = 3, .stride = 1, .pad = 1};

static const struct {
    const char *library;
    tg_conv_algorithm algorithm;
} libraries[] = {{"clblast", TG_CONV_MATMUL}, {"clfft", TG_CONV_FFT}};

/* Intel's compiler refuses what clFFT writes for these lengths: there the fallback must be named, and the plans must go all the same. */
static bool is_refused(tg_conv_algorithm algorithm)
{
    return algorithm == TG_CONV_FFT && tgi_has_word(op_dev->info.platform, "intel");
}

static void check_named(const char *library, const tgi_conv_algorithm *chosen)
{
    ck_assert_msg(tgi_has_word(last_warning, library) && strstr(last_warning, op_dev->info.name) &&
                      strstr(last_warning, chosen->name),
                  "%s", last_warning);
}

START_TEST(a_library_that_gives_known_answers_computes)
{
    const tgi_conv_algorithm *chosen;

    if (is_absent(libraries[_i].algorithm))
        return;
    tg_log_set(keep_warning, NULL);
    chosen = tgi_conv_choose(op_dev, libraries[_i].algorithm, &layer, TGI_CONV_GATHER);
    if (is_refused(libraries[_i].algorithm)) {
        ck_assert_int_ne(chosen->id, libraries[_i].algorithm);
        check_named(libraries[_i].library, chosen);
        return;
    }
    ck_assert_msg(chosen->id == libraries[_i].algorithm, "%s computes: %s", chosen->name,
                  last_warning);
    ck_assert_int_eq(n_warnings, 0);
}
END_TEST

START_TEST(a_library_that_gives_wrong_answers_is_replaced_and_named_once)
{
    const tgi_conv_algorithm *chosen;

    if (is_absent(libraries[_i].algorithm))
        return;
    setenv("TAGGAN_TEST_WRONG", libraries[_i].library, 1); /* Check forks each test */
    tg_log_set(keep_warning, NULL);
    for (int i = 0; i < 3; i++) {
        chosen = tgi_conv_choose(op_dev, libraries[_i].algorithm, &layer, TGI_CONV_GATHER);
        ck_assert_int_ne(chosen->id, libraries[_i].algorithm);
        ck_assert_int_eq(n_warnings, 1);
    }
    check_named(libraries[_i].library, chosen);
    ck_assert_msg(strstr(last_warning, "wrong") || is_refused(libraries[_i].algorithm), "%s",
                  last_warning);
}
END_TEST

START_TEST(a_library_that_was_left_out_is_named)
{
    for (size_t i = 0; i < TG_COUNT(libraries); i++) {
        n_warnings = 0;
        tg_log_set(keep_warning, NULL);
        tgi_conv_set_default(op_dev, libraries[i].algorithm);
        if (tgi_conv_expect_built(libraries[i].algorithm) == TG_OK) {
            ck_assert_int_eq(n_warnings, 0);
            continue;
        }
        ck_assert_int_eq(n_warnings, 1);
        ck_assert_msg(tgi_has_word(last_warning, libraries[i].library), "%s", last_warning);
        ck_assert_int_ne(tgi_conv_choose(op_dev, TG_CONV_AUTO, &layer, TGI_CONV_GATHER)->id,
                         libraries[i].algorithm);
    }
}
END_TEST

#if HAVE_CLFFT
START_TEST(lengths_are_even_and_have_small_factors)
{
    static const size_t pairs[][2] = {{0, 4},     {1, 4},     {5, 6},    {11, 12},
                                      {17, 18},   {33, 36},   {66, 70},  {67, 70},
                                      {230, 240}, {262, 270}, {519, 540}};

    for (size_t i = 0; i < TG_COUNT(pairs); i++)
        ck_assert_uint_eq(tgi_fft_length(pairs[i][0]), pairs[i][1]);
}
END_TEST

/* clFFT is set up with the first device and torn down with the last: both again and again, and two devices at a time. */
START_TEST(plans_go_with_their_device)
{
    bool is_proven = !is_refused(TG_CONV_FFT);
    tg_device *other;

    if (is_absent(TG_CONV_FFT))
        return;
    for (int i = 0; i < 3; i++) {
        ck_assert_tg_ok(tg_device_open(NULL, &other));
        ck_assert_int_eq(tgi_fft_prove(other, 8, 8) == TGI_PROVEN, is_proven);
        if (i == 1)
            ck_assert_int_eq(tgi_fft_prove(op_dev, 8, 8) == TGI_PROVEN, is_proven);
        tg_device_free(other);
        ck_assert_int_eq(tgi_fft_prove(op_dev, 8, 8) == TGI_PROVEN, is_proven);
        if (i == 0)
            op_close();
        if (i == 0)
            op_open();
    }
}
END_TEST
#endif

int main(void)
{
    TCase *tc = tg_case("libraries", 240);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, a_library_that_gives_known_answers_computes, 0, TG_COUNT(libraries));
    tcase_add_loop_test(tc, a_library_that_gives_wrong_answers_is_replaced_and_named_once, 0,
                        TG_COUNT(libraries));
    tcase_add_test(tc, a_library_that_was_left_out_is_named);
#if HAVE_CLFFT
    tcase_add_test(tc, lengths_are_even_and_have_small_factors);
    tcase_add_test(tc, plans_go_with_their_device);
#endif
    return tg_run("libraries");
}

/* test_value.c -- numbers as text: exact for files, short for people, the same in every locale. */
#include "config.h"
#include "tg_test.h"
#include "report/value.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MINUS   "\xe2\x88\x92"
#define EN_DASH "\xe2\x80\x93"

static const struct {
    double value;
    const char *exact, *plain, *fixed_2;
} numbers[] = {
    {0, "0", "0", "0.00"},
    {-0.0, "0", "0", "0.00"},
    {0.1f, "0.1", "0.1000", "0.10"},
    {-0.001, "-0.001", "-0.0010", "0.00"},
    {1.5, "1.5", "1.500", "1.50"},
    {-12.346, "-12.346", "-12.35", MINUS "12.35"},
    {412.26, "412.26", "412.3", "412.26"},
    {123456, "123456", "123456", "123456.00"},
    {2e-5, "2e-05", "2.00e-05", "0.00"},
    {3e30, "3e+30", "3.00e+30", "3e+30"},
    {(double)(1LL << 40), "1099511627776", "1.10e+12", "1099511627776.00"},
    {INFINITY, "inf", "inf", "inf"},
    {NAN, "nan", "nan", EN_DASH},
};

START_TEST(writes_numbers)
{
    char text[TGI_NUMBER_SIZE];

    tgi_number_exact(numbers[_i].value, text);
    ck_assert_str_eq(text, numbers[_i].exact);
    tgi_number_plain(numbers[_i].value, text);
    ck_assert_str_eq(text, numbers[_i].plain);
    tgi_number_fixed(numbers[_i].value, 2, text);
    ck_assert_str_eq(text, numbers[_i].fixed_2);
}
END_TEST

START_TEST(exact_text_reads_back_as_the_same_float)
{
    float values[1000];
    char text[TGI_NUMBER_SIZE];

    tg_fill_normal(values, 1000, 3);
    for (int i = 0; i < 1000; i++) {
        tgi_number_exact((double)values[i], text);
        ck_assert(strtof(text, NULL) == values[i]);
    }
}
END_TEST

START_TEST(ignores_the_locale)
{
    static const char *const with_comma[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"};
    char text[TGI_INTERVAL_SIZE];

    for (size_t i = 0; i < TG_COUNT(with_comma); i++) {
        if (setlocale(LC_ALL, with_comma[i]))
            break;
    }
    tgi_interval_text(&(tgi_interval){0.9214, 0.9, 1}, 3, text);
    ck_assert_str_eq(text, "0.921 [0.900, 1.000]");
    tgi_interval_text(&(tgi_interval){0.5, NAN, NAN}, 1, text);
    ck_assert_str_eq(text, "0.5");
    tgi_interval_text(&(tgi_interval){-1e300, -1e300, -1e300}, 9, text);
    ck_assert(strlen(text) < TGI_INTERVAL_SIZE);
    setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(writes_durations)
{
    char text[TGI_NUMBER_SIZE];

    tgi_duration_text(5, text);
    ck_assert_str_eq(text, "0:05");
    tgi_duration_text(3723.2, text);
    ck_assert_str_eq(text, "1:02:03");
    tgi_duration_text(NAN, text);
    ck_assert_str_eq(text, EN_DASH);
    tgi_duration_text(INFINITY, text);
    ck_assert_str_eq(text, EN_DASH);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("value", 10);

    tcase_add_loop_test(tc, writes_numbers, 0, TG_COUNT(numbers));
    tcase_add_test(tc, exact_text_reads_back_as_the_same_float);
    tcase_add_test(tc, ignores_the_locale);
    tcase_add_test(tc, writes_durations);
    return tg_run("value");
}

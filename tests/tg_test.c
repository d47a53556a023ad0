/* tg_test.c -- cases that print TAP, seeded data and comparisons. */
#include "config.h"
#include "tg_test.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_CASES = 32 };
static TCase *cases[MAX_CASES];
static size_t n_cases;

TCase *tg_case(const char *name, double timeout_s)
{
    TCase *tc = tcase_create(name);

    tcase_set_timeout(tc, timeout_s);
    cases[n_cases++] = tc;
    return tc;
}

int tg_run(const char *suite_name)
{
    Suite *suite = suite_create(suite_name);
    SRunner *runner;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < n_cases; i++)
        suite_add_tcase(suite, cases[i]);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    srunner_free(runner);
    return 0; /* the driver reads the TAP lines */
}

void tg_fill_normal(float *values, size_t n, uint64_t seed)
{
    tgi_rng rng = tgi_rng_new(seed, TGI_STREAM_TEST, 0);

    for (size_t i = 0; i < n; i++)
        values[i] = (float)tgi_rng_normal(&rng);
}

void tg_fill_normal_d(double *values, size_t n, uint64_t seed)
{
    tgi_rng rng = tgi_rng_new(seed, TGI_STREAM_TEST, 0);

    for (size_t i = 0; i < n; i++)
        values[i] = (float)tgi_rng_normal(&rng); /* the same numbers as the float version */
}

#define COMPARE(name, got_type, want_type)                                                         \
    void name(const char *what, const got_type *got, const want_type *want, size_t n,              \
              double tolerance)                                                                    \
    {                                                                                              \
        double largest = 1;                                                                        \
        for (size_t i = 0; i < n; i++)                                                             \
            largest = fmax(largest, fabs((double)want[i]));                                        \
        for (size_t i = 0; i < n; i++)                                                             \
            ck_assert_msg(fabs((double)got[i] - (double)want[i]) <= tolerance * largest,           \
                          "%s: value %zu of %zu is %.9g, not %.9g (allowed: %.3g)", what, i, n,    \
                          (double)got[i], (double)want[i], tolerance * largest);                   \
    }
COMPARE(tg_compare, float, float)
COMPARE(tg_compare_d, double, double)
COMPARE(tg_compare_fd, float, double)

static const char *below(const char *variable, const char *name)
{
    static char path[4096];
    const char *root = getenv(variable);

    snprintf(path, sizeof path, "%s/%s", root ? root : ".", name);
    return path;
}

const char *tg_source_path(const char *name)
{
    return below("abs_top_srcdir", name);
}

const char *tg_scratch_path(const char *name)
{
    char inside[2048];

    mkdir(below("abs_top_builddir", ".scratch"), 0777); /* it may be there */
    snprintf(inside, sizeof inside, ".scratch/%s", name);
    return below("abs_top_builddir", inside);
}

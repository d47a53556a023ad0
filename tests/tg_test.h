/* tg_test.h -- what every C test uses: cases that print TAP, seeded data, comparisons. */
#ifndef TG_TEST_H
#define TG_TEST_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ref/tolerance.h"

/* Tolerances of the comparisons with kernels: ref/tolerance.h. Those of tests alone: */
#define TOL_GRADCHECK 1e-6 /* central differences of the reference in double, h = 1e-4 */
#define TOL_GOLDEN    2e-5 /* PyTorch's float32 against ours: both round */
#define TOL_NET                                                                                    \
    1e-4 /* a whole network in float32 against PyTorch's in double: tens of layers, each rounding */
#define TOL_PENALTY                                                                                \
    1e-5 /* weight gradients of the gradient penalty, doc/notation.md (a prototype measured 4e-6) */
#define TOL_SLOPE 1e-6 /* its slopes (it measured 1e-7) */

#define ck_assert_tg_ok(call)                                                                      \
    do {                                                                                           \
        tg_status status_ = (call);                                                                \
        ck_assert_msg(status_ == TG_OK, "%s: %s", #call, tg_error_message());                      \
    } while (0)
#define ck_assert_tg_fails(call, wanted)                                                           \
    do {                                                                                           \
        tg_status status_ = (call);                                                                \
        ck_assert_msg(status_ == (wanted), "%s: got %s, wanted %s (%s)", #call,                    \
                      tg_status_name(status_), tg_status_name(wanted), tg_error_message());        \
        ck_assert_msg(tg_error_message()[0], "%s: no message", #call);                             \
    } while (0)

/* A case of the one suite of this program; tests are added to it. */
TCase *tg_case(const char *name, double timeout_s);
/* Runs all cases, prints TAP on stdout; returns main's exit status. */
int tg_run(const char *suite_name);

/* n seeded values, normal with mean 0 and sd 1. */
void tg_fill_normal(float *values, size_t n, uint64_t seed);
void tg_fill_normal_d(double *values, size_t n, uint64_t seed);
/* Fails with place and numbers when |got - want| > tolerance * max(1, max |want|) anywhere, or got is not finite. */
void tg_compare(const char *what, const float *got, const float *want, size_t n, double tolerance);
void tg_compare_d(const char *what, const double *got, const double *want, size_t n,
                  double tolerance);
void tg_compare_fd(const char *what, const float *got, const double *want, size_t n,
                   double tolerance);

/* Path below the source tree, or in the build tree's folder for what tests write (`make clean` removes it); both trees from the
 * environment of `make check`. Static storage, one call at a time. */
const char *tg_source_path(const char *name);
const char *tg_scratch_path(const char *name);

#endif

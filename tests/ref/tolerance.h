/* tolerance.h -- how far a kernel may be from its reference: the one table, for the tests and for
 * taggan-devices.
 *
 * The largest |got - want| allowed, as a share of the largest |want| (and of 1 when that is
 * smaller). Each with its reason; nobody widens one to pass. */
#ifndef REF_TOLERANCE_H
#define REF_TOLERANCE_H

#define TOL_EXACT 0.0  /* copies, selections, comparisons: the same bits */
#define TOL_POINT 2e-6 /* one to ten roundings an element */
#define TOL_MATH  4e-6 /* tanh, exp, log: OpenCL allows 5 ulp, other libraries differ */
#define TOL_REDUCE                                                                                 \
    1e-5              /* sums of up to a few 10^4 terms in float, in another order than in double */
#define TOL_CONV 2e-5 /* convolution: largest difference seen over unit-variance data, with room */

#endif

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

/* Error of a convolution as a share of the true result's root mean square, the largest and the root mean square of all; unit-variance
 * data. Sums of up to about a thousand products in float; tests/op/test_conv2d_accuracy.c. */
#define TOL_CONV_MAX 2e-5
#define TOL_CONV_RMS 2e-6
/* Tiles of 6 x 6 points (5 x 5): the transforms add and cancel values up to 8 x 8 times larger than the result (2.7e-5 and 2.0e-6 were seen). */
#define TOL_WINOGRAD_MAX 1e-4
#define TOL_WINOGRAD_RMS 5e-6
/* Factors of 11 bits: each of the two is off by up to 2^-11 of itself, 2^-12.6 in the mean square, whatever the length of the sum. */
#define TOL_TENSOR_MAX 3e-3
#define TOL_TENSOR_RMS 5e-4

#endif

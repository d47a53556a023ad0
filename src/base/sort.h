/* sort.h -- many floats in order, in linear time: the pixels of a whole test set are 10^8. */
#ifndef TGI_BASE_SORT_H
#define TGI_BASE_SORT_H

#include "base/status.h"
#include <stddef.h>

/* Sorts ascending; -0 comes before +0; no NaN may be among them. Needs room for another n floats
 * while it runs. */
tg_status tgi_sort_floats(float *values, size_t n) TG_MUST_CHECK;

/* The q-quantile (0..1) of n >= 1 ascending values, linear interpolation at rank (n-1)q. */
double tgi_sorted_quantile(const float *values, size_t n, double q);

#endif

/* half.c -- IEEE binary16 in plain C, by its definition: a sign, five bits of exponent, ten of the fraction. */
#include "config.h"
#include "ref/ref.h"

#include <math.h>

double ref_half_value(unsigned h)
{
    const double sign = h & 0x8000 ? -1 : 1;
    const int exponent = (int)(h >> 10 & 31);
    const double fraction = (double)(h & 1023);

    if (exponent == 31)
        return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, -24);
    return sign * ldexp(1024 + fraction, exponent - 25);
}

/* nearbyint() rounds ties to even, as the default mode of the processor does. */
unsigned ref_half_of(double x)
{
    const unsigned sign = signbit(x) ? 0x8000 : 0;
    double size = fabs(x);
    int exponent;

    if (isnan(x))
        return sign | 0x7e00;
    if (size >= 65504)
        return sign | 0x7bff;
    if (size < ldexp(1, -14)) /* denormal: steps of 2^-24 */
        return sign | (unsigned)nearbyint(ldexp(size, 24));
    frexp(size, &exponent);
    /* 1024 to 2048 steps; 2048 is the next exponent's first, which the sum gives by carrying */
    return sign | (unsigned)(nearbyint(ldexp(size, 11 - exponent)) + 1024 * (exponent + 13));
}

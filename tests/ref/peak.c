/* peak.c -- reference of cl/peak.cl: the chains one after the other. */
#include "config.h"
#include "ref/ref.h"

void ref_peak_fma(const double *x, size_t n, size_t n_rounds, double m, double c, double *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = 0;
        for (int k = 0; k < 12; k++) {
            double a = x[i] + k;

            for (size_t r = 0; r < n_rounds; r++)
                a = a * m + c;
            y[i] += a;
        }
    }
}

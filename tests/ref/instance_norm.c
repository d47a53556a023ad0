/* instance_norm.c -- instance normalisation in plain C, doc/notation.md. */
#include "config.h"
#include "ref/ref.h"

#include <math.h>

void ref_instance_norm_forward(const double *x, const double *gamma, const double *beta, double eps,
                               tg_dims d, double *y, double *mu, double *rstd)
{
    size_t plane = d.h * d.w;

    for (size_t p = 0; p < d.n * d.c; p++) {
        const double *xp = x + p * plane;
        double mean = 0, variance = 0;

        for (size_t i = 0; i < plane; i++)
            mean += xp[i] / (double)plane;
        for (size_t i = 0; i < plane; i++)
            variance += (xp[i] - mean) * (xp[i] - mean) / (double)plane;
        mu[p] = mean;
        rstd[p] = 1 / sqrt(variance + eps);
        for (size_t i = 0; i < plane; i++) {
            y[p * plane + i] = (xp[i] - mean) * rstd[p];
            if (gamma)
                y[p * plane + i] = gamma[p % d.c] * y[p * plane + i] + beta[p % d.c];
        }
    }
}

void ref_instance_norm_backward(const double *x, const double *gamma, const double *mu,
                                const double *rstd, const double *dy, tg_dims d, double *dx,
                                double *dgamma, double *dbeta)
{
    size_t plane = d.h * d.w;

    for (size_t p = 0; p < d.n * d.c; p++) {
        const double *xp = x + p * plane, *dyp = dy + p * plane;
        double scale = gamma ? gamma[p % d.c] : 1, sum_dy = 0, sum_xn = 0;

        for (size_t i = 0; i < plane; i++) {
            sum_dy += dyp[i];
            sum_xn += dyp[i] * (xp[i] - mu[p]) * rstd[p];
        }
        for (size_t i = 0; i < plane; i++) {
            double xn = (xp[i] - mu[p]) * rstd[p];
            dx[p * plane + i] +=
                scale * rstd[p] * (dyp[i] - sum_dy / (double)plane - xn * sum_xn / (double)plane);
        }
        if (dgamma)
            dgamma[p % d.c] += sum_xn;
        if (dbeta)
            dbeta[p % d.c] += sum_dy;
    }
}

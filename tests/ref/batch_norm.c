/* batch_norm.c -- batch normalisation in plain C, by PyTorch's rules. */
#include "config.h"
#include "ref/ref.h"

#include <math.h>

/* Value i of a channel, 0 to N*H*W - 1, in a tensor of sizes d. */
static size_t place(tg_dims d, size_t channel, size_t i)
{
    size_t plane = d.h * d.w;

    return (i / plane * d.c + channel) * plane + i % plane;
}

void ref_batch_norm_forward_train(const double *x, const double *gamma, const double *beta,
                                  double eps, double momentum, tg_dims d, double *running_mean,
                                  double *running_var, double *y, double *mu, double *rstd)
{
    size_t count = d.n * d.h * d.w;

    for (size_t c = 0; c < d.c; c++) {
        double mean = 0, squares = 0;

        for (size_t i = 0; i < count; i++)
            mean += x[place(d, c, i)] / (double)count;
        for (size_t i = 0; i < count; i++)
            squares += (x[place(d, c, i)] - mean) * (x[place(d, c, i)] - mean);
        mu[c] = mean;
        rstd[c] = 1 / sqrt(squares / (double)count + eps);
        running_mean[c] = (1 - momentum) * running_mean[c] + momentum * mean;
        running_var[c] = (1 - momentum) * running_var[c] + momentum * squares / (double)(count - 1);
        for (size_t i = 0; i < count; i++) {
            double xn = (x[place(d, c, i)] - mean) * rstd[c];
            y[place(d, c, i)] = gamma ? gamma[c] * xn + beta[c] : xn;
        }
    }
}

void ref_batch_norm_forward_eval(const double *x, const double *gamma, const double *beta,
                                 double eps, const double *running_mean, const double *running_var,
                                 tg_dims d, double *y)
{
    for (size_t c = 0; c < d.c; c++) {
        for (size_t i = 0; i < d.n * d.h * d.w; i++) {
            double xn = (x[place(d, c, i)] - running_mean[c]) / sqrt(running_var[c] + eps);
            y[place(d, c, i)] = gamma ? gamma[c] * xn + beta[c] : xn;
        }
    }
}

void ref_batch_norm_backward(const double *x, const double *gamma, const double *mu,
                             const double *rstd, const double *dy, tg_dims d, double *dx,
                             double *dgamma, double *dbeta)
{
    size_t count = d.n * d.h * d.w;

    for (size_t c = 0; c < d.c; c++) {
        double scale = gamma ? gamma[c] : 1, sum_dy = 0, sum_xn = 0;

        for (size_t i = 0; i < count; i++) {
            sum_dy += dy[place(d, c, i)];
            sum_xn += dy[place(d, c, i)] * (x[place(d, c, i)] - mu[c]) * rstd[c];
        }
        for (size_t i = 0; i < count; i++) {
            size_t at = place(d, c, i);
            double xn = (x[at] - mu[c]) * rstd[c];

            dx[at] +=
                scale * rstd[c] * (dy[at] - sum_dy / (double)count - xn * sum_xn / (double)count);
        }
        if (dgamma)
            dgamma[c] += sum_xn;
        if (dbeta)
            dbeta[c] += sum_dy;
    }
}

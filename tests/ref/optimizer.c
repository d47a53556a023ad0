/* optimizer.c -- optimisers in plain C, doc/notation.md. */
#include "config.h"
#include "ref/ref.h"

#include <math.h>

void ref_adam_step(const double *g, const tg_adam_opts *opts, size_t n, double *p, double *m,
                   double *v)
{
    double b1 = opts->beta1, b2 = opts->beta2, t = (double)opts->t;

    for (size_t i = 0; i < n; i++) {
        m[i] = b1 * m[i] + (1 - b1) * g[i];
        v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
        p[i] -= opts->lr * (m[i] / (1 - pow(b1, t))) / (sqrt(v[i] / (1 - pow(b2, t))) + opts->eps);
    }
}

void ref_rmsprop_step(const double *g, double lr, double alpha, double eps, size_t n, double *p,
                      double *v)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = alpha * v[i] + (1 - alpha) * g[i] * g[i];
        p[i] -= lr * g[i] / (sqrt(v[i]) + eps);
    }
}

double ref_clip_norm(double limit, size_t n, double *g)
{
    double sum = 0, norm;

    for (size_t i = 0; i < n; i++)
        sum += g[i] * g[i];
    norm = sqrt(sum);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(norm))
            g[i] = 0;
        else if (limit > 0 && norm > limit)
            g[i] *= limit / norm;
    }
    return norm;
}

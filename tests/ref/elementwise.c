/* elementwise.c -- clamping, mixing and activations in plain C. */
#include "config.h"
#include "ref/ref.h"

#include <math.h>

void ref_clamp_forward(const double *x, double low, double high, size_t n, double *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = fmin(fmax(x[i], low), high);
}

void ref_clamp_backward(const double *x, double low, double high, const double *dy, size_t n,
                        double *dx)
{
    for (size_t i = 0; i < n; i++)
        dx[i] += low <= x[i] && x[i] <= high ? dy[i] : 0;
}

void ref_mix(const double *a, const double *b, const double *t, size_t n_samples, size_t sample,
             double *y)
{
    for (size_t s = 0; s < n_samples; s++) {
        for (size_t i = s * sample; i < (s + 1) * sample; i++)
            y[i] = (1 - t[s]) * a[i] + t[s] * b[i];
    }
}

static double activate(tg_activation f, double slope, double x)
{
    switch (f) {
    case TG_RELU:
        return x > 0 ? x : 0;
    case TG_LEAKY_RELU:
        return x > 0 ? x : slope * x;
    case TG_TANH:
        return tanh(x);
    case TG_SIGMOID:
        return 1 / (1 + exp(-x));
    }
    return NAN;
}

static double derivative(tg_activation f, double slope, double y)
{
    switch (f) {
    case TG_RELU:
        return y > 0 ? 1 : 0;
    case TG_LEAKY_RELU:
        return y > 0 ? 1 : slope;
    case TG_TANH:
        return 1 - y * y;
    case TG_SIGMOID:
        return y * (1 - y);
    }
    return NAN;
}

void ref_activation_forward(tg_activation f, double slope, const double *x, size_t n, double *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = activate(f, slope, x[i]);
}

void ref_activation_backward(tg_activation f, double slope, const double *y, const double *dy,
                             size_t n, double *dx)
{
    for (size_t i = 0; i < n; i++)
        dx[i] += dy[i] * derivative(f, slope, y[i]);
}

/* pool.c -- pooling of windows and of whole planes in plain C. */
#include "config.h"
#include "ref/ref.h"

#include <math.h>

static size_t outputs(size_t n, size_t size, size_t stride)
{
    return (n - size) / stride + 1;
}

/* Calls each() with the first value of every window, `at`, and the place of its result, `out`. */
#define FOR_WINDOWS(dims, size, stride, each)                                                      \
    const size_t oh = outputs((dims).h, size, stride), ow = outputs((dims).w, size, stride);       \
    for (size_t plane = 0; plane < (dims).n * (dims).c; plane++)                                   \
        for (size_t i = 0; i < oh; i++)                                                            \
            for (size_t j = 0; j < ow; j++) {                                                      \
                const size_t out = (plane * oh + i) * ow + j, base = plane * (dims).h * (dims).w;  \
                const size_t at = i * (stride) * (dims).w + j * (stride);                          \
                each;                                                                              \
            }

static double max_window(const double *x, size_t at, size_t w, size_t size, double *choice)
{
    size_t best = at;

    for (size_t p = 0; p < size; p++) {
        for (size_t q = 0; q < size; q++) {
            if (x[at + p * w + q] > x[best])
                best = at + p * w + q;
        }
    }
    *choice = (double)best;
    return x[best];
}

static double mean_window(const double *x, size_t at, size_t w, size_t size)
{
    double sum = 0;

    for (size_t p = 0; p < size; p++) {
        for (size_t q = 0; q < size; q++)
            sum += x[at + p * w + q];
    }
    return sum / (double)(size * size);
}

static void spread_window(double dy, size_t at, size_t w, size_t size, double *dx)
{
    for (size_t p = 0; p < size; p++) {
        for (size_t q = 0; q < size; q++)
            dx[at + p * w + q] += dy / (double)(size * size);
    }
}

void ref_pool_max_forward(const double *x, tg_dims dims, size_t size, size_t stride, double *y,
                          double *choice)
{
    FOR_WINDOWS(dims, size, stride, y[out] = max_window(x + base, at, dims.w, size, &choice[out]))
}

void ref_pool_max_backward(const double *choice, const double *dy, tg_dims dims, size_t size,
                           size_t stride, double *dx)
{
    FOR_WINDOWS(dims, size, stride, (void)at; dx[base + (size_t)choice[out]] += dy[out])
}

void ref_pool_mean_forward(const double *x, tg_dims dims, size_t size, size_t stride, double *y)
{
    FOR_WINDOWS(dims, size, stride, y[out] = mean_window(x + base, at, dims.w, size))
}

void ref_pool_mean_backward(const double *dy, tg_dims dims, size_t size, size_t stride, double *dx)
{
    FOR_WINDOWS(dims, size, stride, spread_window(dy[out], at, dims.w, size, dx + base))
}

static size_t first_maximum(const double *x, size_t n)
{
    size_t best = 0;

    for (size_t i = 1; i < n; i++) {
        if (x[i] > x[best])
            best = i;
    }
    return best;
}

void ref_plane_pool_forward(tg_plane_pool kind, const double *x, tg_dims dims, double *y)
{
    size_t plane = dims.h * dims.w;

    for (size_t p = 0; p < dims.n * dims.c; p++, x += plane) {
        double largest = x[first_maximum(x, plane)], sum = 0;

        for (size_t i = 0; i < plane; i++)
            sum += kind == TG_PLANE_LME ? exp(x[i] - largest) : x[i];
        y[p] = kind == TG_PLANE_MAX    ? largest
               : kind == TG_PLANE_MEAN ? sum / (double)plane
                                       : largest + log(sum / (double)plane);
    }
}

void ref_plane_pool_backward(tg_plane_pool kind, const double *x, const double *y, const double *dy,
                             tg_dims dims, double *dx)
{
    size_t plane = dims.h * dims.w;

    for (size_t p = 0; p < dims.n * dims.c; p++, x += plane, dx += plane) {
        size_t best = first_maximum(x, plane);

        for (size_t i = 0; i < plane; i++) {
            if (kind == TG_PLANE_MAX)
                dx[i] += i == best ? dy[p] : 0;
            else
                dx[i] += dy[p] / (double)plane * (kind == TG_PLANE_LME ? exp(x[i] - y[p]) : 1);
        }
    }
}

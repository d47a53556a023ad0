/* label.c -- label planes and the label-dependent affine map in plain C. */
#include "config.h"
#include "ref/ref.h"

void ref_label_planes_forward(const double *x, const double *labels, tg_dims dims, size_t n_labels,
                              double *y)
{
    size_t plane = dims.h * dims.w;

    for (size_t n = 0; n < dims.n; n++) {
        for (size_t i = 0; i < dims.c * plane; i++)
            *y++ = x[n * dims.c * plane + i];
        for (size_t k = 0; k < n_labels; k++) {
            for (size_t i = 0; i < plane; i++)
                *y++ = labels[n * n_labels + k];
        }
    }
}

void ref_label_planes_backward(const double *dy, tg_dims dims, size_t n_labels, double *dx)
{
    size_t plane = dims.h * dims.w;

    for (size_t n = 0; n < dims.n; n++) {
        for (size_t i = 0; i < dims.c * plane; i++)
            dx[n * dims.c * plane + i] += dy[n * (dims.c + n_labels) * plane + i];
    }
}

void ref_label_affine_forward(const double *x, const double *labels, const double *gamma,
                              const double *beta, tg_dims dims, size_t n_labels, double *y)
{
    size_t plane = dims.h * dims.w;

    for (size_t n = 0; n < dims.n; n++) {
        for (size_t d = 0; d < dims.c; d++) {
            double scale = 1, shift = 0;

            for (size_t k = 0; k < n_labels; k++) {
                scale += gamma ? labels[n * n_labels + k] * gamma[k * dims.c + d] : 0;
                shift += labels[n * n_labels + k] * beta[k * dims.c + d];
            }
            for (size_t i = (n * dims.c + d) * plane; i < (n * dims.c + d + 1) * plane; i++)
                y[i] = x[i] * scale + shift;
        }
    }
}

void ref_label_affine_backward(const double *x, const double *labels, const double *gamma,
                               const double *dy, tg_dims dims, size_t n_labels, double *dx,
                               double *dgamma, double *dbeta)
{
    size_t plane = dims.h * dims.w;

    for (size_t n = 0; n < dims.n; n++) {
        for (size_t d = 0; d < dims.c; d++) {
            double scale = 1;

            for (size_t k = 0; k < n_labels; k++)
                scale += gamma ? labels[n * n_labels + k] * gamma[k * dims.c + d] : 0;
            for (size_t i = (n * dims.c + d) * plane; i < (n * dims.c + d + 1) * plane; i++) {
                dx[i] += dy[i] * scale;
                for (size_t k = 0; k < n_labels; k++) {
                    if (gamma)
                        dgamma[k * dims.c + d] += labels[n * n_labels + k] * dy[i] * x[i];
                    dbeta[k * dims.c + d] += labels[n * n_labels + k] * dy[i];
                }
            }
        }
    }
}

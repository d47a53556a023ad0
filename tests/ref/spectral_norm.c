/* spectral_norm.c -- spectral normalisation in plain C: one power iteration, PyTorch's order (v, then u). */
#include "config.h"
#include "ref/ref.h"

#include <math.h>

static void normalise(double *vector, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += vector[i] * vector[i];
    for (size_t i = 0; i < n; i++)
        vector[i] /= fmax(sqrt(sum), 1e-12);
}

double ref_spectral_norm_forward(const double *w, size_t n_rows, size_t n_columns, bool iterate,
                                 double *u, double *v, double *w_sn)
{
    double sigma = 0;

    if (iterate) {
        for (size_t j = 0; j < n_columns; j++) {
            v[j] = 0;
            for (size_t k = 0; k < n_rows; k++)
                v[j] += w[k * n_columns + j] * u[k];
        }
        normalise(v, n_columns);
        for (size_t k = 0; k < n_rows; k++) {
            u[k] = 0;
            for (size_t j = 0; j < n_columns; j++)
                u[k] += w[k * n_columns + j] * v[j];
        }
        normalise(u, n_rows);
    }
    for (size_t k = 0; k < n_rows; k++)
        for (size_t j = 0; j < n_columns; j++)
            sigma += u[k] * w[k * n_columns + j] * v[j];
    for (size_t i = 0; i < n_rows * n_columns; i++)
        w_sn[i] = w[i] / sigma;
    return sigma;
}

void ref_spectral_norm_backward(const double *w_sn, const double *u, const double *v, double sigma,
                                const double *dw_sn, size_t n_rows, size_t n_columns, double *dw)
{
    double dot = 0;

    for (size_t i = 0; i < n_rows * n_columns; i++)
        dot += dw_sn[i] * w_sn[i];
    for (size_t k = 0; k < n_rows; k++)
        for (size_t j = 0; j < n_columns; j++)
            dw[k * n_columns + j] += (dw_sn[k * n_columns + j] - dot * u[k] * v[j]) / sigma;
}

/* arrange.c -- concatenation, nearest-neighbour enlargement and pixel shuffle in plain C. */
#include "config.h"
#include "ref/ref.h"

#include <string.h>

void ref_concat_forward(const double *a, const double *b, size_t n, size_t n_a, size_t n_b,
                        double *y)
{
    for (size_t s = 0; s < n; s++) {
        for (size_t i = 0; i < n_a; i++)
            y[s * (n_a + n_b) + i] = a[s * n_a + i];
        for (size_t i = 0; i < n_b; i++)
            y[s * (n_a + n_b) + n_a + i] = b[s * n_b + i];
    }
}

void ref_concat_backward(const double *dy, size_t n, size_t n_a, size_t n_b, double *da, double *db)
{
    for (size_t s = 0; s < n; s++) {
        for (size_t i = 0; i < n_a; i++)
            da[s * n_a + i] += dy[s * (n_a + n_b) + i];
        for (size_t i = 0; i < n_b; i++)
            db[s * n_b + i] += dy[s * (n_a + n_b) + n_a + i];
    }
}

static size_t at(tg_dims d, size_t n, size_t c, size_t i, size_t j)
{
    return ((n * d.c + c) * d.h + i) * d.w + j;
}

/* Calls each(index in x, index in y) for every value of y. */
#define FOR_UPSAMPLED(x, s, each)                                                                  \
    const tg_dims y_dims = {(x).n, (x).c, (x).h * (s), (x).w * (s)};                               \
    for (size_t n = 0; n < y_dims.n; n++)                                                          \
        for (size_t c = 0; c < y_dims.c; c++)                                                      \
            for (size_t i = 0; i < y_dims.h; i++)                                                  \
                for (size_t j = 0; j < y_dims.w; j++) {                                            \
                    const size_t of_x = at(x, n, c, i / (s), j / (s)),                             \
                                 of_y = at(y_dims, n, c, i, j);                                    \
                    each;                                                                          \
                }

void ref_upsample_forward(const double *x, tg_dims x_dims, size_t s, double *y)
{
    FOR_UPSAMPLED(x_dims, s, y[of_y] = x[of_x])
}

void ref_upsample_backward(const double *dy, tg_dims x_dims, size_t s, double *dx)
{
    FOR_UPSAMPLED(x_dims, s, dx[of_x] += dy[of_y])
}

/* Line i = a + 3 of the output is line 2 of x times line a of w4, and the sum over the lines r of w whose place i + r - 1 in the
 * upsampled image shows line 2: (a + r + 2) / 2 = 2. */
#define FOR_UPSAMPLED_WEIGHTS(w, each)                                                             \
    for (size_t k = 0; k < (w).n; k++)                                                             \
        for (size_t c = 0; c < (w).c; c++)                                                         \
            for (size_t a = 0; a < 4; a++)                                                         \
                for (size_t b = 0; b < 4; b++)                                                     \
                    for (size_t r = 0; r < 3; r++)                                                 \
                        for (size_t s = 0; s < 3; s++) {                                           \
                            const size_t of_w = at(w, k, c, r, s),                                 \
                                         of_w4 = ((c * (w).n + k) * 4 + a) * 4 + b;                \
                            if ((a + r + 2) / 2 == 2 && (b + s + 2) / 2 == 2) {                    \
                                each;                                                              \
                            }                                                                      \
                        }

void ref_upsample_weights_forward(const double *w, tg_dims w_dims, double *w4)
{
    memset(w4, 0, w_dims.n * w_dims.c * 16 * sizeof *w4);
    FOR_UPSAMPLED_WEIGHTS(w_dims, w4[of_w4] += w[of_w])
}

void ref_upsample_weights_backward(const double *dw4, tg_dims w_dims, double *dw)
{
    FOR_UPSAMPLED_WEIGHTS(w_dims, dw[of_w] += dw4[of_w4])
}

#define FOR_SHUFFLED(x, s, each)                                                                   \
    const tg_dims y_dims = {(x).n, (x).c / ((s) * (s)), (x).h * (s), (x).w * (s)};                 \
    for (size_t n = 0; n < (x).n; n++)                                                             \
        for (size_t k = 0; k < (x).c; k++)                                                         \
            for (size_t i = 0; i < (x).h; i++)                                                     \
                for (size_t j = 0; j < (x).w; j++) {                                               \
                    const size_t c = k / ((s) * (s)), p = k / (s) % (s), q = k % (s);              \
                    const size_t of_x = at(x, n, k, i, j),                                         \
                                 of_y = at(y_dims, n, c, i * (s) + p, j * (s) + q);                \
                    each;                                                                          \
                }

void ref_shuffle_forward(const double *x, tg_dims x_dims, size_t s, double *y)
{
    FOR_SHUFFLED(x_dims, s, y[of_y] = x[of_x])
}

void ref_shuffle_backward(const double *dy, tg_dims x_dims, size_t s, double *dx)
{
    FOR_SHUFFLED(x_dims, s, dx[of_x] += dy[of_y])
}

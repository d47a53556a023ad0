/* tune_check.c -- one layer on random values, and a sample of its results against plain C in double.
 *
 * A sample, because the whole would take minutes for a large layer. Wrong kernels are wrong at edges (the corners are always
 * looked at) or nearly everywhere; every algorithm also passed the tests of whole results before it was built in. */
#include "config.h"
#include "base/memory.h"
#include "base/rng.h"
#include "op/tune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { PATTERN = 65521 }; /* random values that are repeated: prime, so that rows differ */
static const double allowed =
    2e-4; /* of the largest sample: what the least accurate algorithm needs, with room */

static tg_status new_random(tg_device *dev, tg_dims dims, uint64_t index, float **values,
                            tg_tensor **out)
{
    tg_status status = TG_OK;
    size_t n = tg_dims_count(dims);
    tgi_rng rng = tgi_rng_new(3, TGI_STREAM_TEST, index);

    TG_TRY(tgi_alloc(n, sizeof **values, values));
    for (size_t i = 0; i < n && i < PATTERN; i++)
        (*values)[i] = (float)tgi_rng_range(&rng, -1, 1);
    for (size_t i = PATTERN; i < n; i += PATTERN)
        memcpy(*values + i, *values, (n - i < PATTERN ? n - i : PATTERN) * sizeof **values);
    TG_TRY(tg_tensor_new(dev, dims, out));
    TG_TRY(tg_tensor_upload(*out, *values, n));
cleanup:
    return status;
}

tg_status tgi_tune_bench_init(tg_device *dev, const tgi_tune_layer *layer, tgi_tune_bench *bench)
{
    tg_status status = TG_OK;
    const tgi_conv *c = &layer->conv;
    const tg_dims x = {c->n, c->c, c->h, c->w}, y = {c->n, c->k, c->p, c->q},
                  w = {c->k, c->c, c->r, c->s};

    bench->layer = *layer;
    if (layer->pass != TGI_CONV_SCATTER)
        TG_TRY(new_random(dev, x, 1, &bench->host_x, &bench->x));
    if (layer->pass != TGI_CONV_GATHER)
        TG_TRY(new_random(dev, y, 2, &bench->host_y, &bench->y));
    if (layer->pass != TGI_CONV_WEIGHTS)
        TG_TRY(new_random(dev, w, 3, &bench->host_w, &bench->w));
    const tg_dims out = layer->pass == TGI_CONV_GATHER    ? y
                        : layer->pass == TGI_CONV_SCATTER ? x
                                                          : w;
    TG_TRY(tg_tensor_new(dev, out, &bench->out));
    TG_TRY(tgi_alloc(tg_dims_count(out), sizeof *bench->host_out, &bench->host_out));
cleanup:
    return status;
}

void tgi_tune_bench_release(tgi_tune_bench *bench)
{
    tg_tensor_free(bench->x);
    tg_tensor_free(bench->y);
    tg_tensor_free(bench->w);
    tg_tensor_free(bench->out);
    free(bench->host_x);
    free(bench->host_y);
    free(bench->host_w);
    free(bench->host_out);
    *bench = (tgi_tune_bench){0};
}

tg_status tgi_tune_bench_run(tgi_tune_bench *bench, const tgi_conv_algorithm *algorithm)
{
    const tgi_conv *conv = &bench->layer.conv;

    switch (bench->layer.pass) {
    case TGI_CONV_GATHER:
        return algorithm->gather(conv, bench->x, bench->w, NULL, false, bench->out);
    case TGI_CONV_SCATTER:
        return algorithm->scatter(conv, bench->y, bench->w, NULL, false, bench->out);
    case TGI_CONV_WEIGHTS:
        break;
    }
    return algorithm->weights(conv, bench->x, bench->y, bench->out);
}

/* ---- plain C, one value at a time ---- */

/* Pixel that stands at index i of the padded line, or -1. */
static long pixel_at(long i, long n, bool is_reflected)
{
    if (i >= 0 && i < n)
        return i;
    if (!is_reflected)
        return -1;
    return i < 0 ? -i : 2 * (n - 1) - i;
}

static double plain_gather(const tgi_tune_bench *b, size_t n, size_t k, size_t p, size_t q)
{
    const tgi_conv *c = &b->layer.conv;
    double sum = 0;

    for (size_t r = 0; r < c->r; r++) {
        for (size_t s = 0; s < c->s; s++) {
            long row = pixel_at((long)(p * c->stride + r) - (long)c->pad, (long)c->h,
                                c->is_reflected),
                 column = pixel_at((long)(q * c->stride + s) - (long)c->pad, (long)c->w,
                                   c->is_reflected);

            for (size_t i = 0; row >= 0 && column >= 0 && i < c->c; i++)
                sum += (double)b->host_w[((k * c->c + i) * c->r + r) * c->s + s] *
                       (double)
                           b->host_x[((n * c->c + i) * c->h + (size_t)row) * c->w + (size_t)column];
        }
    }
    return sum;
}

/* The sum over all outputs that look at place (i,j) of the padded image. */
static double plain_scatter_at(const tgi_tune_bench *b, size_t n, size_t ch, size_t i, size_t j)
{
    const tgi_conv *c = &b->layer.conv;
    double sum = 0;

    for (size_t r = 0; r < c->r && r <= i; r++) {
        for (size_t s = 0; s < c->s && s <= j; s++) {
            size_t p = (i - r) / c->stride, q = (j - s) / c->stride;

            if ((i - r) % c->stride || (j - s) % c->stride || p >= c->p || q >= c->q)
                continue;
            for (size_t k = 0; k < c->k; k++)
                sum += (double)b->host_w[((k * c->c + ch) * c->r + r) * c->s + s] *
                       (double)b->host_y[((n * c->k + k) * c->p + p) * c->q + q];
        }
    }
    return sum;
}

static double plain_scatter(const tgi_tune_bench *b, size_t n, size_t ch, size_t h, size_t w)
{
    const tgi_conv *c = &b->layer.conv;
    size_t rows[3] = {h + c->pad}, columns[3] = {w + c->pad}, n_rows = 1, n_columns = 1;
    double sum = 0;

    if (c->is_reflected) { /* its mirror images, as places() of cl/common.cl */
        if (h > 0 && h <= c->pad)
            rows[n_rows++] = c->pad - h;
        if (h + 1 < c->h && h + 1 + c->pad >= c->h)
            rows[n_rows++] = 2 * (c->h - 1) - h + c->pad;
        if (w > 0 && w <= c->pad)
            columns[n_columns++] = c->pad - w;
        if (w + 1 < c->w && w + 1 + c->pad >= c->w)
            columns[n_columns++] = 2 * (c->w - 1) - w + c->pad;
    }
    for (size_t i = 0; i < n_rows; i++) {
        for (size_t j = 0; j < n_columns; j++)
            sum += plain_scatter_at(b, n, ch, rows[i], columns[j]);
    }
    return sum;
}

static double plain_weight(const tgi_tune_bench *b, size_t k, size_t ch, size_t r, size_t s)
{
    const tgi_conv *c = &b->layer.conv;
    double sum = 0;

    for (size_t n = 0; n < c->n; n++) {
        const float *x = b->host_x + (n * c->c + ch) * c->h * c->w,
                    *y = b->host_y + (n * c->k + k) * c->p * c->q;

        for (size_t p = 0; p < c->p; p++) {
            long row =
                pixel_at((long)(p * c->stride + r) - (long)c->pad, (long)c->h, c->is_reflected);

            for (size_t q = 0; row >= 0 && q < c->q; q++) {
                long column =
                    pixel_at((long)(q * c->stride + s) - (long)c->pad, (long)c->w, c->is_reflected);

                if (column >= 0)
                    sum += (double)y[p * c->q + q] * (double)x[(size_t)row * c->w + (size_t)column];
            }
        }
    }
    return sum;
}

static double plain_value(const tgi_tune_bench *b, const size_t at[4])
{
    switch (b->layer.pass) {
    case TGI_CONV_GATHER:
        return plain_gather(b, at[0], at[1], at[2], at[3]);
    case TGI_CONV_SCATTER:
        return plain_scatter(b, at[0], at[1], at[2], at[3]);
    case TGI_CONV_WEIGHTS:
        break;
    }
    return plain_weight(b, at[0], at[1], at[2], at[3]);
}

tg_status tgi_tune_bench_check(tgi_tune_bench *bench, const tgi_conv_algorithm *algorithm,
                               size_t n_samples)
{
    tg_status status = TG_OK;
    tgi_rng rng = tgi_rng_new(4, TGI_STREAM_TEST, n_samples);
    const tg_dims d = bench->out->dims;
    const size_t sizes[4] = {d.n, d.c, d.h, d.w};
    double worst = 0, largest = 1e-30;

    /* weights are added to; what a pass overwrites must not survive */
    TG_TRY(tgi_tensor_fill(bench->out, bench->layer.pass == TGI_CONV_WEIGHTS ? 0 : NAN));
    TG_TRY(tgi_tune_bench_run(bench, algorithm));
    TG_TRY(tg_tensor_download(bench->out, bench->host_out, tg_dims_count(d)));
    for (size_t i = 0; i < n_samples; i++) {
        size_t at[4];

        for (int side = 0; side < 4; side++)
            at[side] =
                i < 16 ? (i >> side & 1 ? sizes[side] - 1 : 0) : tgi_rng_below(&rng, sizes[side]);
        double want = plain_value(bench, at),
               got = (double)bench->host_out[((at[0] * d.c + at[1]) * d.h + at[2]) * d.w + at[3]];

        if (!(fabs(got - want) <= worst))
            worst = fabs(got - want);
        largest = fmax(largest, fabs(want));
    }
    if (!(worst <= allowed * largest))
        status = tg_fail(TG_ERR_NUMERIC, "its results are wrong (by %.2g of %.2g)", worst, largest);
cleanup:
    return status;
}

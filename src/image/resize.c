/* resize.c -- Pillow's BILINEAR: a triangle filter as wide as the shrinking asks for, rows first,
 * then columns, sums in double and a float plane between (Pillow's Resample.c, 32-bit float
 * images). The weights are the same doubles. */
#include "config.h"
#include "image/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/banned.h"

/* Output i is the sum over k < n[i] of weights[i * n_max + k] times input first[i] + k. */
typedef struct filter {
    size_t n_out, n_max;
    size_t *first, *n;
    double *weights;
} filter;

static void filter_release(filter *f)
{
    free(f->first);
    free(f->n);
    free(f->weights);
}

static tg_status filter_init(size_t n_in, size_t n_out, filter *f)
{
    tg_status status = TG_OK;
    const double scale = (double)n_in / (double)n_out;
    const double support = scale > 1 ? scale : 1; /* half the triangle's base, in input pixels */

    *f = (filter){.n_out = n_out, .n_max = (size_t)ceil(support) * 2 + 1};
    TG_TRY(tgi_alloc(n_out, sizeof *f->first, &f->first));
    TG_TRY(tgi_alloc(n_out, sizeof *f->n, &f->n));
    TG_TRY(tgi_alloc(n_out, f->n_max * sizeof *f->weights, &f->weights));
    for (size_t i = 0; i < n_out; i++) {
        const double centre = ((double)i + 0.5) * scale;
        const double low = centre - support + 0.5, high = centre + support + 0.5;
        const size_t first = low > 0 ? (size_t)low : 0;
        const size_t end = high < (double)n_in ? (size_t)high : n_in;
        double *w = f->weights + i * f->n_max, sum = 0;

        f->first[i] = first;
        f->n[i] = end - first;
        for (size_t k = 0; k < f->n[i]; k++) {
            const double distance = fabs(((double)(first + k) - centre + 0.5) / support);

            w[k] = distance < 1 ? 1 - distance : 0;
            sum += w[k];
        }
        for (size_t k = 0; k < f->n[i] && sum != 0; k++)
            w[k] /= sum;
    }
cleanup:
    return status;
}

static tg_status resize_rows(const tg_image *in, size_t width_px, tg_image *out)
{
    tg_status status = TG_OK;
    filter f = {0};

    TG_TRY(filter_init(in->width_px, width_px, &f));
    TG_TRY(tg_image_new(width_px, in->height_px, out));
    for (size_t y = 0; y < in->height_px; y++)
        for (size_t x = 0; x < width_px; x++) {
            const float *from = in->pixels + y * in->width_px + f.first[x];
            const double *w = f.weights + x * f.n_max;
            double sum = 0;

            for (size_t k = 0; k < f.n[x]; k++)
                sum += from[k] * w[k];
            out->pixels[y * width_px + x] = (float)sum;
        }
cleanup:
    filter_release(&f);
    return status;
}

static tg_status resize_columns(const tg_image *in, size_t height_px, tg_image *out)
{
    tg_status status = TG_OK;
    filter f = {0};
    const size_t width_px = in->width_px;

    TG_TRY(filter_init(in->height_px, height_px, &f));
    TG_TRY(tg_image_new(width_px, height_px, out));
    for (size_t y = 0; y < height_px; y++)
        for (size_t x = 0; x < width_px; x++) {
            const float *from = in->pixels + f.first[y] * width_px + x;
            const double *w = f.weights + y * f.n_max;
            double sum = 0;

            for (size_t k = 0; k < f.n[y]; k++)
                sum += from[k * width_px] * w[k];
            out->pixels[y * width_px + x] = (float)sum;
        }
cleanup:
    filter_release(&f);
    return status;
}

tg_status tg_image_resize(const tg_image *image, size_t width_px, size_t height_px, tg_image *out)
{
    tg_status status = TG_OK;
    tg_image rows = {0}, result = {0};
    const tg_image *from = image;

    *out = result;
    if (!width_px || !height_px || !image->width_px || !image->height_px)
        return tg_fail(TG_ERR_ARGUMENT, "image: cannot resize %zu x %zu to %zu x %zu pixels",
                       image->width_px, image->height_px, width_px, height_px);
    /* A side that stays is left alone, as Pillow does: not one bit changes. */
    if (width_px != image->width_px) {
        TG_TRY(resize_rows(image, width_px, &rows));
        from = &rows;
    }
    if (height_px != image->height_px) {
        TG_TRY(resize_columns(from, height_px, &result));
    } else if (from == &rows) {
        result = rows;
        rows = (tg_image){0};
    } else {
        TG_TRY(tg_image_new(width_px, height_px, &result));
        memcpy(result.pixels, image->pixels, width_px * height_px * sizeof *result.pixels);
    }
    *out = result;
    result = (tg_image){0};
cleanup:
    tg_image_release(&rows);
    tg_image_release(&result);
    return status;
}

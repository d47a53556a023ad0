/* score.c -- steps 1 and 2: which side of the map counts, and how much it is smoothed. */
#include "config.h"
#include "tag/tag.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* Index of a pixel outside [0,n) after reflection, edge pixel repeated; the radius may exceed the
 * image. */
static size_t reflect(long i, long n)
{
    i %= 2 * n;
    if (i < 0)
        i += 2 * n;
    return (size_t)(i < n ? i : 2 * n - 1 - i);
}

/* y[i] = sum_k w[k] x[i + k - radius] along a line of n values that lie `stride` apart; line is a
 * copy of n values. */
static void blur_line(float *values, size_t n, size_t stride, const double *w, long radius,
                      float *line)
{
    for (size_t i = 0; i < n; i++)
        line[i] = values[i * stride];
    for (size_t i = 0; i < n; i++) {
        double sum = 0;

        for (long k = -radius; k <= radius; k++) {
            long j = (long)i + k;

            sum += w[k + radius] * line[j >= 0 && j < (long)n ? (size_t)j : reflect(j, (long)n)];
        }
        values[i * stride] = (float)sum;
    }
}

tg_status tgi_image_blur(tg_image *image, double sigma_px)
{
    tg_status status = TG_OK;
    size_t longer = image->width_px > image->height_px ? image->width_px : image->height_px;
    long radius = (long)ceil(3 * sigma_px);
    double *w = NULL, sum = 0;
    float *line = NULL;

    if (sigma_px <= 0)
        return TG_OK;
    TG_TRY(tgi_alloc((size_t)(2 * radius + 1), sizeof *w, &w));
    TG_TRY(tgi_alloc(longer, sizeof *line, &line));
    for (long k = -radius; k <= radius; k++)
        sum += w[k + radius] = exp(-0.5 * (double)(k * k) / (sigma_px * sigma_px));
    for (long k = 0; k <= 2 * radius; k++)
        w[k] /= sum;
    for (size_t y = 0; y < image->height_px; y++)
        blur_line(image->pixels + y * image->width_px, image->width_px, 1, w, radius, line);
    for (size_t x = 0; x < image->width_px; x++)
        blur_line(image->pixels + x, image->height_px, image->width_px, w, radius, line);
cleanup:
    free(line);
    free(w);
    return status;
}

tg_status tgi_tag_check(const tg_image *map, const tg_tag_opts *opts)
{
    size_t n = map->width_px * map->height_px;

    if (!n || !map->pixels)
        return tg_fail(TG_ERR_SHAPE, "tag: the map has no pixels");
    if (opts->connectivity != 4 && opts->connectivity != 8)
        return tg_fail(TG_ERR_ARGUMENT, "tag: connectivity is 4 or 8, not %d", opts->connectivity);
    if (!(opts->sigma_px >= 0 && opts->sigma_px <= 1000))
        return tg_fail(TG_ERR_ARGUMENT, "tag: sigma of %g px is not within 0..1000",
                       opts->sigma_px);
    if (opts->open_px > 1000 || opts->close_px > 1000)
        return tg_fail(TG_ERR_ARGUMENT, "tag: a disc of more than 1000 px");
    if (!isfinite(opts->value) || !isfinite(opts->floor))
        return tg_fail(TG_ERR_ARGUMENT, "tag: the threshold's value or floor is not a number");
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(map->pixels[i]))
            return tg_fail(TG_ERR_NUMERIC, "tag: the map is not finite at x %zu, y %zu",
                           i % map->width_px, i / map->width_px);
    }
    return TG_OK;
}

tg_status tg_tag_score(const tg_image *map, const tg_tag_opts *opts, tg_image *out)
{
    tg_status status = TG_OK;
    tg_image score = {0};
    size_t n = map->width_px * map->height_px;

    *out = score;
    TG_TRY(tgi_tag_check(map, opts));
    TG_TRY(tg_image_new(map->width_px, map->height_px, &score));
    for (size_t i = 0; i < n; i++) {
        float m = map->pixels[i];

        if (opts->sign == TG_SIGN_ABS)
            m = fabsf(m);
        else if (opts->sign == TG_SIGN_NEG)
            m = -m;
        score.pixels[i] = m > 0 ? m : 0; /* -0 becomes 0 as well */
    }
    TG_TRY(tgi_image_blur(&score, opts->sigma_px));
    *out = score;
    score = (tg_image){0};
cleanup:
    tg_image_release(&score);
    return status;
}

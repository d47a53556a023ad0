/* calibrate.c -- a threshold from healthy images, so that the share of false alarms is known
 * beforehand. */
#include "config.h"
#include "tag/tag.h"
#include "base/memory.h"
#include "base/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

struct tg_calibration {
    tg_calibrate kind;
    tg_tag_opts opts;
    size_t n_images;
    double *blank_at;          /* TG_CALIBRATE_IMAGES: t_i of each image */
    float *scores;             /* TG_CALIBRATE_PIXELS: all pixels */
    size_t n_values, capacity; /* of the one that is in use */
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double tg_quantile(const double *values, size_t n, double q)
{
    double *sorted, rank, result;
    size_t i;

    if (!n || tgi_alloc(n, sizeof *sorted, &sorted) != TG_OK)
        return NAN;
    memcpy(sorted, values, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    rank = (double)(n - 1) * (q < 0 ? 0 : q > 1 ? 1 : q);
    i = (size_t)rank;
    result =
        i + 1 < n ? sorted[i] + (rank - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
    free(sorted);
    return result;
}

tg_status tg_calibration_new(tg_calibrate kind, const tg_tag_opts *opts, tg_calibration **out)
{
    tg_status status = TG_OK;
    tg_calibration *calibration = NULL;

    *out = NULL;
    TG_TRY(tgi_alloc(1, sizeof *calibration, &calibration));
    calibration->kind = kind;
    calibration->opts = *opts;
    *out = calibration;
cleanup:
    return status;
}

tg_status tg_calibration_add(tg_calibration *c, const tg_image *map)
{
    tg_status status = TG_OK;
    tg_image score = {0};

    if (c->kind == TG_CALIBRATE_IMAGES) {
        TG_TRY(tgi_grow(&c->blank_at, &c->capacity, c->n_values + 1, sizeof *c->blank_at));
        TG_TRY(tg_tag_blank_threshold(map, &c->opts, &c->blank_at[c->n_values]));
        c->n_values++;
    } else {
        size_t n = map->width_px * map->height_px;

        TG_TRY(tg_tag_score(map, &c->opts, &score));
        TG_TRY(tgi_grow(&c->scores, &c->capacity, c->n_values + n, sizeof *c->scores));
        memcpy(c->scores + c->n_values, score.pixels, n * sizeof *score.pixels);
        c->n_values += n;
    }
    c->n_images++;
cleanup:
    tg_image_release(&score);
    return status;
}

tg_status tg_calibration_threshold(tg_calibration *c, double q, double *threshold)
{
    tg_status status = TG_OK;
    double wanted;
    size_t rank;

    if (!(q >= 0 && q <= 1))
        return tg_fail(TG_ERR_ARGUMENT, "calibrate: share %g is not within 0..1", q);
    if (!c->n_values)
        return tg_fail(TG_ERR_ARGUMENT, "calibrate: no healthy image to calibrate on");
    /* How many values must not exceed the threshold; the little less forgives the rounding of q n.
     */
    wanted = ceil(q * (double)c->n_values - 1e-9);
    rank = wanted < 1 ? 0 : (size_t)wanted - 1;
    rank = rank < c->n_values ? rank : c->n_values - 1;
    if (c->kind == TG_CALIBRATE_IMAGES) {
        qsort(c->blank_at, c->n_values, sizeof *c->blank_at, by_value);
        *threshold = c->blank_at[rank];
    } else {
        TG_TRY(tgi_sort_floats(c->scores, c->n_values));
        *threshold = c->scores[rank];
    }
cleanup:
    return status;
}

size_t tg_calibration_n_images(const tg_calibration *calibration)
{
    return calibration->n_images;
}

void tg_calibration_free(tg_calibration *calibration)
{
    if (!calibration)
        return;
    free(calibration->blank_at);
    free(calibration->scores);
    free(calibration);
}

/* pixels.c -- average precision and AUROC over all pixels of a test set, with intervals.
 * The values are exact, from sorted scores. Their intervals come from counts in 256 bins an image:
 * sorting 10^8 pixels again for each of 1000 draws is out of the question. Bins end at quantiles of
 * the pixels inside the truth, where precision changes, and the small shift that binning brings is
 * taken off again. */
#include "config.h"
#include "base/memory.h"
#include "base/sort.h"
#include "eval/eval.h"

#include <math.h>
#include <stdlib.h>

#include "base/banned.h"

enum { BINS = 256 };

/* Pixels of each kind in one bin of one image, kept apart for the sums of a draw to run over plain
 * arrays. */
typedef struct counts {
    float positive[BINS], negative[BINS];
} counts;

typedef struct pool {
    float *positive, *negative; /* ascending */
    size_t n_positive, n_negative, n_images;
    float edges[BINS]; /* bin b holds edges[b-1] < s <= edges[b]; the last one is open */
    size_t n_edges;
} pool;

static size_t n_pixels(const tg_image *image)
{
    return image->width_px * image->height_px;
}

static tg_status gather(const tgi_entry *entries, size_t n, pool *p)
{
    tg_status status = TG_OK;
    size_t n_all = 0, n_positive = 0;

    for (size_t i = 0; i < n; i++) {
        if (!entries[i].score)
            continue;
        p->n_images++;
        n_all += n_pixels(entries[i].score);
        for (size_t j = 0; entries[i].truth && j < n_pixels(entries[i].score); j++)
            n_positive += entries[i].truth->pixels[j];
    }
    TG_TRY(tgi_alloc(n_positive, sizeof(float), &p->positive));
    TG_TRY(tgi_alloc(n_all - n_positive, sizeof(float), &p->negative));
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; entries[i].score && j < n_pixels(entries[i].score); j++) {
            float s = entries[i].score->pixels[j];

            if (entries[i].truth && entries[i].truth->pixels[j])
                p->positive[p->n_positive++] = s;
            else
                p->negative[p->n_negative++] = s;
        }
    }
    TG_TRY(tgi_sort_floats(p->positive, p->n_positive));
    TG_TRY(tgi_sort_floats(p->negative, p->n_negative));
cleanup:
    return status;
}

static void choose_edges(pool *p)
{
    p->edges[p->n_edges++] =
        nextafterf(p->positive[0], -INFINITY); /* the lowest is not tied with all below it */
    for (size_t b = 0; b + 2 < BINS; b++) {
        float edge = p->positive[b * p->n_positive / (BINS - 2)];

        if (edge > p->edges[p->n_edges - 1])
            p->edges[p->n_edges++] = edge;
    }
}

static size_t bin_of(const pool *p, float s)
{
    size_t low = 0, high = p->n_edges;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (p->edges[middle] < s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void count_image(const pool *p, const tgi_entry *entry, counts *c)
{
    for (size_t j = 0; j < n_pixels(entry->score); j++) {
        size_t b = bin_of(p, entry->score->pixels[j]);

        if (entry->truth && entry->truth->pixels[j])
            c->positive[b]++;
        else
            c->negative[b]++;
    }
}

/* Both metrics of summed counts, a bin being one tie. */
static void from_counts(const double *positive, const double *negative, double *ap, double *auroc)
{
    double true_positive = 0, false_positive = 0, precision_sum = 0, pairs = 0;

    for (size_t b = BINS; b--;) {
        pairs += negative[b] * (true_positive + positive[b] / 2);
        true_positive += positive[b];
        false_positive += negative[b];
        if (positive[b] > 0)
            precision_sum += positive[b] * true_positive / (true_positive + false_positive);
    }
    *ap = true_positive > 0 ? precision_sum / true_positive : NAN;
    *auroc =
        true_positive > 0 && false_positive > 0 ? pairs / (true_positive * false_positive) : NAN;
}

static void draw_once(const tgi_entry *entries, size_t n, const counts *all, const uint8_t *weights,
                      double *ap, double *auroc)
{
    double positive[BINS] = {0}, negative[BINS] = {0};

    for (size_t i = 0; i < n; i++) {
        double weight = weights ? weights[entries[i].patient] : 1;

        if (!entries[i].score || weight == 0)
            continue;
        for (size_t b = 0; b < BINS; b++) {
            positive[b] += weight * (double)all[i].positive[b];
            negative[b] += weight * (double)all[i].negative[b];
        }
    }
    from_counts(positive, negative, ap, auroc);
}

static double clamp(double value)
{
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

static tg_status intervals(const tgi_entry *entries, size_t n, const tgi_draws *draws, pool *p,
                           tg_metric *ap, tg_metric *auroc)
{
    tg_status status = TG_OK;
    counts *all = NULL;
    double *aps = NULL, *aurocs = NULL, binned_ap, binned_auroc;

    choose_edges(p);
    TG_TRY(tgi_alloc(n, sizeof *all, &all));
    TG_TRY(tgi_alloc(draws->n_draws, sizeof *aps, &aps));
    TG_TRY(tgi_alloc(draws->n_draws, sizeof *aurocs, &aurocs));
    for (size_t i = 0; i < n; i++) {
        if (entries[i].score)
            count_image(p, &entries[i], &all[i]);
    }
    draw_once(entries, n, all, NULL, &binned_ap, &binned_auroc);
    for (size_t d = 0; d < draws->n_draws; d++) {
        draw_once(entries, n, all, draws->weights + d * draws->n_patients, &aps[d], &aurocs[d]);
        aps[d] = isnan(aps[d]) ? NAN : clamp(aps[d] + ap->mean - binned_ap);
        aurocs[d] = isnan(aurocs[d]) ? NAN : clamp(aurocs[d] + auroc->mean - binned_auroc);
    }
    tgi_interval(aps, draws->n_draws, ap);
    if (isfinite(auroc->mean))
        tgi_interval(aurocs, draws->n_draws, auroc);
cleanup:
    free(aurocs);
    free(aps);
    free(all);
    return status;
}

tg_status tgi_pixel_metrics(const tgi_entry *entries, size_t n, const tgi_draws *draws,
                            tg_metric *ap, tg_metric *auroc)
{
    tg_status status = TG_OK;
    pool p = {0};

    ap->mean = auroc->mean = NAN;
    TG_TRY(gather(entries, n, &p));
    if (!p.n_positive)
        goto cleanup;
    ap->mean = tgi_average_precision(p.positive, p.n_positive, p.negative, p.n_negative);
    auroc->mean = tgi_auroc(p.positive, p.n_positive, p.negative, p.n_negative);
    ap->n = auroc->n = p.n_images;
    free(p.negative); /* the largest array; the counts need room */
    p.negative = NULL;
    TG_TRY(intervals(entries, n, draws, &p, ap, auroc));
cleanup:
    free(p.positive);
    free(p.negative);
    return status;
}

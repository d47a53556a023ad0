/* aggregate.c -- from the measures of single images to metrics with intervals, by drawing patients
 * again. */
#include "config.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "eval/eval.h"

#include <math.h>
#include <stdlib.h>

#include "base/banned.h"

tg_status tgi_draws_new(size_t n_draws, size_t n_patients, uint64_t seed, tgi_draws *out)
{
    tg_status status = TG_OK;
    tgi_draws draws = {NULL, n_draws, n_patients};
    size_t n;

    *out = draws;
    TG_TRY(tgi_size_mul(n_draws, n_patients, &n));
    TG_TRY(tgi_alloc(n, 1, &draws.weights));
    for (size_t d = 0; d < n_draws; d++) {
        tgi_rng rng = tgi_rng_new(seed, TGI_STREAM_BOOTSTRAP, d);

        for (size_t i = 0; i < n_patients; i++) {
            uint8_t *weight = &draws.weights[d * n_patients + tgi_rng_below(&rng, n_patients)];

            *weight = (uint8_t)(*weight + (*weight < UINT8_MAX));
        }
    }
    *out = draws;
cleanup:
    return status;
}

void tgi_draws_release(tgi_draws *draws)
{
    free(draws->weights);
    *draws = (tgi_draws){0};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void tgi_interval(double *values, size_t n, tg_metric *metric)
{
    size_t n_finite = 0;

    metric->low = metric->high = metric->mean;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(values[i]))
            values[n_finite++] = values[i];
    }
    if (!n_finite)
        return;
    qsort(values, n_finite, sizeof *values, by_value);
    metric->low = tg_quantile(values, n_finite, 0.025);
    metric->high = tg_quantile(values, n_finite, 0.975);
}

void tgi_scores_release(tg_scores *scores)
{
    free(scores->name);
    free(scores->metrics);
    *scores = (tg_scores){0};
}

/* sum(num) / sum(den); weights NULL = each once. */
static double ratio(const tgi_entry *entries, size_t n, tgi_metric metric, const uint8_t *weights)
{
    double num = 0, den = 0;

    for (size_t i = 0; i < n; i++) {
        const tgi_cell *cell = &entries[i].cells[metric];
        double weight = weights ? weights[entries[i].patient] : 1;

        if (cell->state == TGI_VALUED) {
            num += weight * cell->num;
            den += weight * cell->den;
        }
    }
    return den > 0 ? num / den : NAN;
}

static void aggregate_ratio(const tgi_entry *entries, size_t n, const tgi_draws *draws,
                            double *scratch, tg_metric *metric, tgi_metric which)
{
    for (size_t i = 0; i < n; i++) {
        metric->n += entries[i].cells[which].state == TGI_VALUED;
        metric->n_skipped += entries[i].cells[which].state == TGI_SKIPPED;
    }
    metric->mean = ratio(entries, n, which, NULL);
    if (!isfinite(metric->mean))
        return;
    for (size_t d = 0; d < draws->n_draws; d++)
        scratch[d] = ratio(entries, n, which, draws->weights + d * draws->n_patients);
    tgi_interval(scratch, draws->n_draws, metric);
}

static int by_image_score(const void *a, const void *b)
{
    double x = ((const tgi_entry *)a)->image_score, y = ((const tgi_entry *)b)->image_score;

    return (x > y) - (x < y);
}

/* Entries sorted by score; pairs of a diseased above a healthy image, ties half. */
static double weighted_auroc(const tgi_entry *sorted, size_t n, const uint8_t *weights)
{
    double pairs = 0, below = 0, n_diseased = 0;

    for (size_t i = 0; i < n;) {
        double diseased = 0, healthy = 0, score = sorted[i].image_score;

        for (; i < n && sorted[i].image_score == score; i++) {
            double weight = weights ? weights[sorted[i].patient] : 1;

            if (sorted[i].is_diseased)
                diseased += weight;
            else
                healthy += weight;
        }
        pairs += diseased * (below + healthy / 2);
        below += healthy;
        n_diseased += diseased;
    }
    return n_diseased > 0 && below > 0 ? pairs / (n_diseased * below) : NAN;
}

static tg_status aggregate_images(const tgi_entry *entries, size_t n, const tgi_draws *draws,
                                  double *scratch, tg_metric *metric)
{
    tg_status status = TG_OK;
    tgi_entry *sorted = NULL;
    size_t n_sorted = 0;

    TG_TRY(tgi_alloc(n, sizeof *sorted, &sorted));
    for (size_t i = 0; i < n; i++) {
        if (!isnan(entries[i].image_score))
            sorted[n_sorted++] = entries[i];
    }
    qsort(sorted, n_sorted, sizeof *sorted, by_image_score);
    metric->n = n_sorted;
    metric->n_skipped = 0;
    metric->mean = weighted_auroc(sorted, n_sorted, NULL);
    for (size_t d = 0; isfinite(metric->mean) && d < draws->n_draws; d++)
        scratch[d] = weighted_auroc(sorted, n_sorted, draws->weights + d * draws->n_patients);
    tgi_interval(scratch, isfinite(metric->mean) ? draws->n_draws : 0, metric);
cleanup:
    free(sorted);
    return status;
}

tg_status tgi_aggregate(const char *name, const tgi_entry *entries, size_t n,
                        const tgi_draws *draws, tg_scores *out)
{
    tg_status status = TG_OK;
    tg_metric all[TGI_N_METRICS] = {{0}};
    tg_scores scores = {0};
    double *scratch = NULL;

    *out = scores;
    TG_TRY(tgi_alloc(draws->n_draws, sizeof *scratch, &scratch));
    TG_TRY(tgi_pixel_metrics(entries, n, draws, &all[TGI_M_pixel_ap], &all[TGI_M_pixel_auroc]));
    TG_TRY(aggregate_images(entries, n, draws, scratch, &all[TGI_M_image_auroc]));
    for (size_t m = 0; m < TGI_N_METRICS; m++) {
        if (tgi_metric_infos[m].over == TGI_DISEASED || tgi_metric_infos[m].over == TGI_HEALTHY)
            aggregate_ratio(entries, n, draws, scratch, &all[m], (tgi_metric)m);
        all[m].name = tgi_metric_infos[m].name;
    }
    TG_TRY(tgi_strdup(name, &scores.name));
    TG_TRY(tgi_alloc(TGI_N_METRICS, sizeof *scores.metrics, &scores.metrics));
    for (size_t m = 0; m < TGI_N_METRICS; m++) {
        if (isfinite(all[m].mean))
            scores.metrics[scores.n_metrics++] = all[m];
    }
    *out = scores;
    scores = (tg_scores){0};
cleanup:
    tgi_scores_release(&scores);
    free(scratch);
    return status;
}

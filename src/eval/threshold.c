/* threshold.c -- the fixed threshold with the best mean Dice: for validation truth, and for
 * baselines. */
#include "config.h"
#include "base/memory.h"
#include "base/sort.h"
#include "eval/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { CANDIDATES = 256, COARSE_STEP = 16 };

typedef struct search {
    const tg_image *const *scores;
    const tg_mask *const *truths;
    size_t n;
    float candidates[CANDIDATES]; /* ascending, distinct */
    double dice[CANDIDATES];
    size_t n_candidates;
} search;

static size_t n_pixels(const tg_image *image)
{
    return image->width_px * image->height_px;
}

/* Quantiles of the scores inside the truth, and what lies just below the lowest: a better threshold
 * is between them. */
static tg_status choose_candidates(search *s)
{
    tg_status status = TG_OK;
    size_t n_inside = 0;
    float *inside = NULL;

    for (size_t i = 0; i < s->n; i++) {
        for (size_t j = 0; j < n_pixels(s->scores[i]); j++)
            n_inside += s->truths[i]->pixels[j] != 0;
    }
    TG_TRY(tgi_alloc(n_inside, sizeof *inside, &inside));
    n_inside = 0;
    for (size_t i = 0; i < s->n; i++) {
        for (size_t j = 0; j < n_pixels(s->scores[i]); j++) {
            if (s->truths[i]->pixels[j])
                inside[n_inside++] = s->scores[i]->pixels[j];
        }
    }
    TG_TRY(tgi_sort_floats(inside, n_inside));
    if (n_inside)
        s->candidates[s->n_candidates++] = nextafterf(inside[0], -INFINITY);
    for (size_t c = 0; n_inside && c + 1 < CANDIDATES; c++) {
        float t = inside[c * n_inside / (CANDIDATES - 1)];

        if (t > s->candidates[s->n_candidates - 1])
            s->candidates[s->n_candidates++] = t;
    }
cleanup:
    free(inside);
    return status;
}

/* Adds the Dice of image i at every candidate: pixels are counted by how many candidates they
 * exceed. */
static void add_image(search *s, size_t i)
{
    size_t both[CANDIDATES + 1] = {0}, marked[CANDIDATES + 1] = {0}, n_truth = 0, n_both = 0,
                             n_marked = 0;

    for (size_t j = 0; j < n_pixels(s->scores[i]); j++) {
        float value = s->scores[i]->pixels[j];
        size_t low = 0, high = s->n_candidates;

        while (low < high) {
            size_t middle = (low + high) / 2;

            if (s->candidates[middle] < value)
                low = middle + 1;
            else
                high = middle;
        }
        marked[low]++;
        both[low] += s->truths[i]->pixels[j] != 0;
        n_truth += s->truths[i]->pixels[j] != 0;
    }
    for (size_t c = s->n_candidates; c--;) {
        n_marked += marked[c + 1];
        n_both += both[c + 1];
        s->dice[c] += n_marked + n_truth ? 2.0 * (double)n_both / (double)(n_marked + n_truth) : 1;
    }
}

/* Dice at candidate c with morphology and smallest area; maps are scores already, so sign and
 * smoothing are off. */
static tg_status full_dice(const search *s, size_t c, const tg_tag_opts *opts, double *dice)
{
    tg_status status = TG_OK;
    tg_tag_opts at = *opts;
    tg_tags tags = {0};

    at.sign = TG_SIGN_POS;
    at.sigma_px = 0;
    at.rule = TG_RULE_FIXED;
    at.value = s->candidates[c];
    *dice = 0;
    for (size_t i = 0; i < s->n; i++) {
        size_t both = 0, sum = 0;

        TG_TRY(tg_tag_map(s->scores[i], &at, &tags));
        for (size_t j = 0; j < n_pixels(s->scores[i]); j++) {
            both += tags.mask.pixels[j] && s->truths[i]->pixels[j];
            sum += (size_t)(tags.mask.pixels[j] != 0) + (size_t)(s->truths[i]->pixels[j] != 0);
        }
        *dice += sum ? 2.0 * (double)both / (double)sum : 1;
        tg_tags_release(&tags);
    }
cleanup:
    tg_tags_release(&tags);
    return status;
}

static size_t best_candidate(const search *s)
{
    size_t best = 0;

    for (size_t c = 1; c < s->n_candidates; c++)
        best = s->dice[c] > s->dice[best] ? c : best;
    return best;
}

/* Morphology and a smallest area move the best threshold down, since they clear specks away: each
 * 16th candidate is tried in full, then those around the best in ever smaller steps. */
static tg_status search_in_full(const search *s, const tg_tag_opts *opts, size_t *best,
                                double *highest)
{
    tg_status status = TG_OK;
    size_t low = 0, high = s->n_candidates;

    *highest = -1;
    for (size_t step = COARSE_STEP; step; step /= 4) {
        for (size_t c = low; c < high; c += step) {
            double dice;

            TG_TRY(full_dice(s, c, opts, &dice));
            if (dice > *highest) {
                *highest = dice;
                *best = c;
            }
        }
        low = *best > step ? *best - step + 1 : 0;
        high = *best + step < s->n_candidates ? *best + step : s->n_candidates;
    }
cleanup:
    return status;
}

tg_status tgi_best_threshold(const tg_image *const *scores, const tg_mask *const *truths, size_t n,
                             const tg_tag_opts *opts, double *threshold, double *dice, bool *found)
{
    tg_status status = TG_OK;
    search *s = NULL;
    size_t best;

    TG_TRY(tgi_alloc(1, sizeof *s, &s));
    s->scores = scores;
    s->truths = truths;
    s->n = n;
    TG_TRY(choose_candidates(s));
    *found = s->n_candidates > 0;
    if (!*found)
        goto cleanup;
    for (size_t i = 0; i < n; i++)
        add_image(s, i);
    best = best_candidate(s);
    *dice = s->dice[best] / (double)n;
    *threshold = s->candidates[best];
    if (opts && (opts->min_area_px > 1 || opts->open_px || opts->close_px)) {
        TG_TRY(search_in_full(s, opts, &best, dice));
        *dice /= (double)n;
        *threshold = s->candidates[best];
    }
cleanup:
    free(s);
    return status;
}

tg_status tg_eval_best_threshold(const tg_image *maps, const tg_mask *truths, size_t n,
                                 const tg_tag_opts *opts, double *threshold, double *dice)
{
    tg_status status = TG_OK;
    tg_image *scores = NULL;
    const tg_image **score_list = NULL;
    const tg_mask **truth_list = NULL;
    bool found = false;

    TG_TRY(tgi_alloc(n, sizeof *scores, &scores));
    TG_TRY(tgi_alloc(n, sizeof *score_list, &score_list));
    TG_TRY(tgi_alloc(n, sizeof *truth_list, &truth_list));
    for (size_t i = 0; i < n; i++) {
        if (maps[i].width_px != truths[i].width_px || maps[i].height_px != truths[i].height_px) {
            status =
                tg_fail(TG_ERR_SHAPE, "best threshold: map %zu and its truth differ in size", i);
            goto cleanup;
        }
        TG_TRY(tg_tag_score(&maps[i], opts, &scores[i]));
        score_list[i] = &scores[i];
        truth_list[i] = &truths[i];
    }
    TG_TRY(tgi_best_threshold(score_list, truth_list, n, opts, threshold, dice, &found));
    if (!found)
        status = tg_fail(TG_ERR_ARGUMENT, "best threshold: no truth has a pixel set");
cleanup:
    for (size_t i = 0; scores && i < n; i++)
        tg_image_release(&scores[i]);
    free(scores);
    free(score_list);
    free(truth_list);
    return status;
}

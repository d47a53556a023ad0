/* validate.c -- image-level AUROC, mean maps, calibrated threshold and, where there is truth, NCC and Dice. */
#include "config.h"
#include "trainer/validate.h"
#include "base/memory.h"
#include "trainer/maps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static tg_status take(const tg_dataset *set, tg_split split, bool is_diseased, size_t limit,
                      size_t **out, size_t *n)
{
    const size_t *all = tg_dataset_select(set, split, is_diseased, n);
    tg_status status;

    if (*n > limit)
        *n = limit;
    status = tgi_alloc(*n, sizeof **out, out);
    if (status == TG_OK && *n)
        memcpy(*out, all, *n * sizeof **out);
    return status;
}

tg_status tgi_validation_set_init(const tg_dataset *set, const tgi_settings *settings,
                                  tgi_validation_set *out)
{
    tg_status status = TG_OK;

    *out = (tgi_validation_set){.set = set};
    TG_TRY(take(set, TG_SPLIT_VAL, true, settings->val_images, &out->diseased, &out->n_diseased));
    TG_TRY(take(set, TG_SPLIT_VAL, false, settings->val_images, &out->healthy, &out->n_healthy));
cleanup:
    return status;
}

void tgi_validation_set_release(tgi_validation_set *vs)
{
    free(vs->diseased);
    free(vs->healthy);
    *vs = (tgi_validation_set){0};
}

/* What one pass over the images gathers. */
typedef struct gathering {
    const tg_dataset *set;
    tg_tag_opts tag;
    double *scores[2]; /* mean score of each image: healthy, diseased */
    size_t n[2];
    double map_sum[2];
    double ncc_sum;
    size_t n_ncc, n_truth;
    tg_image *maps; /* of diseased images with truth, for the best threshold */
    tg_mask *masks;
    tg_calibration *calibration;
    bool wants_truth;
} gathering;

static double mean_of(const float *v, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += v[i];
    return sum / (double)n;
}

static double mean_abs_of(const float *v, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += fabs(v[i]);
    return sum / (double)n;
}

/* Pearson correlation; NaN when one side is constant. */
static double correlation(const float *a, const float *b, size_t n)
{
    double ma = mean_of(a, n), mb = mean_of(b, n), ab = 0, aa = 0, bb = 0;

    for (size_t i = 0; i < n; i++) {
        ab += (a[i] - ma) * (b[i] - mb);
        aa += (a[i] - ma) * (a[i] - ma);
        bb += (b[i] - mb) * (b[i] - mb);
    }
    return ab / sqrt(aa * bb);
}

/* Against the difference image, else the mask. Keeps map and mask for the best threshold. */
static tg_status compare_with_truth(gathering *g, const tgi_mapped *m)
{
    tg_status status = TG_OK;
    size_t side = m->map->width_px, pixels = side * side;
    tg_truth truth = {0};
    double ncc = NAN;

    TG_TRY(tg_dataset_truth(g->set, m->sample, side, &truth));
    if (truth.has_difference)
        ncc = correlation(m->map->pixels, truth.difference.pixels, pixels);
    if (isfinite(ncc)) {
        g->ncc_sum += ncc;
        g->n_ncc++;
    }
    if (truth.has_mask) {
        TG_TRY(tg_image_new(side, side, &g->maps[g->n_truth]));
        memcpy(g->maps[g->n_truth].pixels, m->map->pixels, pixels * sizeof(float));
        g->masks[g->n_truth++] = truth.mask;
        truth.mask = (tg_mask){0};
    }
cleanup:
    tg_truth_release(&truth);
    return status;
}

static tg_status gather(void *user, const tgi_mapped *m)
{
    tg_status status = TG_OK;
    gathering *g = user;
    size_t pixels = m->map->width_px * m->map->height_px;
    int kind = tg_dataset_sample(g->set, m->sample).is_diseased;
    tg_image score = {0};

    TG_TRY(tg_tag_score(m->map, &g->tag, &score));
    g->scores[kind][g->n[kind]++] = mean_of(score.pixels, pixels);
    g->map_sum[kind] += mean_abs_of(m->map->pixels, pixels);
    if (!kind)
        TG_TRY(tg_calibration_add(g->calibration, m->map));
    else if (g->wants_truth)
        TG_TRY(compare_with_truth(g, m));
cleanup:
    tg_image_release(&score);
    return status;
}

/* Share of (diseased, healthy) pairs in the right order; ties count half. */
static double auroc(const gathering *g)
{
    double right = 0;

    if (!g->n[0] || !g->n[1])
        return NAN;
    for (size_t i = 0; i < g->n[1]; i++) {
        for (size_t j = 0; j < g->n[0]; j++)
            right += g->scores[1][i] > g->scores[0][j]    ? 1
                     : g->scores[1][i] == g->scores[0][j] ? 0.5
                                                          : 0;
    }
    return right / ((double)g->n[0] * (double)g->n[1]);
}

static void gathering_release(gathering *g)
{
    for (size_t i = 0; i < g->n_truth; i++) {
        tg_image_release(&g->maps[i]);
        tg_mask_release(&g->masks[i]);
    }
    free(g->maps);
    free(g->masks);
    free(g->scores[0]);
    free(g->scores[1]);
    tg_calibration_free(g->calibration);
}

static double score_of(const tgi_settings *s, const tgi_validation *v)
{
    switch (s->select) {
    case TGI_SELECT_NCC:
        return v->ncc;
    case TGI_SELECT_LAST:
        return (double)v->step;
    case TGI_SELECT_LOSS:
        return -v->generator_loss;
    default:
        return v->image_auroc;
    }
}

double tgi_score_slack(const tgi_settings *s)
{
    return s->select == TGI_SELECT_IMGAUC ? 0.005 : 0;
}

static tg_status measure(tgi_model *model, tgi_weights weights, const tgi_validation_set *vs,
                         tgi_validation *v)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &model->settings;
    gathering g = {
        .set = vs->set, .tag = tgi_settings_tag_opts(s, s->size, s->size, 0), .wants_truth = true};

    TG_TRY(tgi_alloc(vs->n_healthy, sizeof(double), &g.scores[0]));
    TG_TRY(tgi_alloc(vs->n_diseased, sizeof(double), &g.scores[1]));
    TG_TRY(tgi_alloc(vs->n_diseased, sizeof *g.maps, &g.maps));
    TG_TRY(tgi_alloc(vs->n_diseased, sizeof *g.masks, &g.masks));
    TG_TRY(tg_calibration_new(TG_CALIBRATE_IMAGES, &g.tag, &g.calibration));
    TG_TRY(tgi_map_samples(model, weights, TGI_LABELS_TRUE, vs->set, vs->healthy, vs->n_healthy,
                           gather, &g));
    TG_TRY(tgi_map_samples(model, weights, TGI_LABELS_TRUE, vs->set, vs->diseased, vs->n_diseased,
                           gather, &g));
    v->weights = weights;
    v->image_auroc = auroc(&g);
    v->map_healthy = g.n[0] ? g.map_sum[0] / (double)g.n[0] : NAN;
    v->map_diseased = g.n[1] ? g.map_sum[1] / (double)g.n[1] : NAN;
    v->ncc = g.n_ncc ? g.ncc_sum / (double)g.n_ncc : NAN;
    v->dice = NAN;
    v->threshold = -1;
    v->blank_rate = NAN;
    if (g.n_truth) {
        double best;
        TG_TRY(tg_eval_best_threshold(g.maps, g.masks, g.n_truth, &g.tag, &best, &v->dice));
    }
    if (g.n[0]) {
        TG_TRY(tg_calibration_threshold(g.calibration, 1 - s->max_false_alarm, &v->threshold));
        v->blank_rate = 1 - s->max_false_alarm;
        TG_TRY(tgi_calibrated_table(g.calibration, v->calibrated));
        v->n_calibrated = TGI_N_CALIBRATED;
    }
    v->score = score_of(s, v);
cleanup:
    gathering_release(&g);
    return status;
}

tg_status tgi_validate(tgi_model *model, const tgi_validation_set *vs, tgi_validation *out)
{
    tg_status status = TG_OK;
    tgi_validation average = *out;

    TG_TRY(measure(model, TGI_WEIGHTS_RAW, vs, out));
    if (model->average) {
        TG_TRY(measure(model, TGI_WEIGHTS_AVERAGE, vs, &average));
        if (!(average.score <
              out->score -
                  tgi_score_slack(&model->settings))) /* on a draw: it is the steadier one */
            *out = average;
    }
cleanup:
    return status;
}

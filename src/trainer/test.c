/* test.c -- a trained model on a split it never saw: maps, masks at the calibrated threshold, metrics beside trivial baselines. */
#include "config.h"
#include "base/memory.h"
#include "trainer/maps.h"
#include "trainer/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { BASELINE_IMAGES = 400 }; /* training images of each kind that the class-mean baseline looks at */

typedef struct testing {
    const tg_dataset *set;
    const tgi_model_info *info;
    tg_tag_opts tag;
    tgi_test_fn *visit;
    void *user;
    tg_evaluation *evaluation;
    tg_image *maps; /* validation: diseased images with masks */
    tg_mask *masks;
    size_t n_kept;
} testing;

/* Validation images whose truth is known: what the best threshold is found on. */
static tg_status keep_truth(void *user, const tgi_mapped *m)
{
    tg_status status = TG_OK;
    testing *t = user;
    size_t side = m->map->width_px;
    tg_truth truth = {0};

    TG_TRY(tg_dataset_truth(t->set, m->sample, side, &truth));
    if (truth.has_mask) {
        TG_TRY(tg_image_new(side, side, &t->maps[t->n_kept]));
        memcpy(t->maps[t->n_kept].pixels, m->map->pixels, side * side * sizeof(float));
        t->masks[t->n_kept++] = truth.mask;
        truth.mask = (tg_mask){0};
    }
cleanup:
    tg_truth_release(&truth);
    return status;
}

static tg_status find_best_threshold(testing *t, tgi_model *model, double *best)
{
    tg_status status = TG_OK;
    size_t n;
    const size_t *samples = tg_dataset_select(t->set, TG_SPLIT_VAL, true, &n);
    double dice;

    *best = NAN;
    TG_TRY(tgi_alloc(n, sizeof *t->maps, &t->maps));
    TG_TRY(tgi_alloc(n, sizeof *t->masks, &t->masks));
    TG_TRY(tgi_map_samples(model, TGI_WEIGHTS_RAW, t->set, samples, n, keep_truth, t));
    if (t->n_kept)
        TG_TRY(tg_eval_best_threshold(t->maps, t->masks, t->n_kept, &t->tag, best, &dice));
cleanup:
    return status;
}

static tg_status add_training_images(testing *t, size_t side)
{
    tg_status status = TG_OK;
    tg_image image = {0};

    for (int kind = 0; kind < 2; kind++) {
        size_t n;
        const size_t *samples = tg_dataset_select(t->set, TG_SPLIT_TRAIN, kind, &n);

        for (size_t i = 0; i < n && i < BASELINE_IMAGES; i++) {
            TG_TRY(tg_dataset_load(t->set, samples[i], side, &image));
            TG_TRY(tg_evaluation_add_training(t->evaluation, &image, tg_dataset_sample(t->set, samples[i]).labels));
            tg_image_release(&image);
        }
    }
cleanup:
    tg_image_release(&image);
    return status;
}

/* image -> map -> mask -> boxes, beside the truth. */
static tg_status measure(void *user, const tgi_mapped *m)
{
    tg_status status = TG_OK;
    testing *t = user;
    tg_tags tags = {0};
    tg_truth truth = {0};
    const tg_sample sample = tg_dataset_sample(t->set, m->sample);

    TG_TRY(tg_tag_map(m->map, &t->tag, &tags));
    TG_TRY(tg_dataset_truth(t->set, m->sample, m->map->width_px, &truth));
    const tg_eval_item item = {.name = sample.name, .patient = sample.patient, .labels = sample.labels, .map = m->map,
                               .tags = &tags, .truth = &truth, .input = m->input};
    TG_TRY(tg_evaluation_add(t->evaluation, &item));
    if (t->visit) {
        const tgi_test_item shown = {sample, m->input, m->map, &tags, &truth, m->labels};
        TG_TRY(t->visit(t->user, &shown));
    }
cleanup:
    tg_truth_release(&truth);
    tg_tags_release(&tags);
    return status;
}

tg_status tgi_test(tgi_model *model, const tgi_model_info *info, const tg_dataset *set, tg_split split, tgi_test_fn *visit,
                   void *user, tg_eval_results **results)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &info->settings;
    testing t = {.set = set, .info = info, .visit = visit, .user = user,
                 .tag = tgi_settings_tag_opts(s, s->size, s->size, info->threshold >= 0 ? info->threshold : 0.1)};
    tg_eval_opts opts = tg_eval_opts_default();

    *results = NULL;
    opts.tag = t.tag;
    opts.seed = s->seed;
    opts.threshold_rule = info->threshold_rule ? info->threshold_rule : "fixed:0.1";
    TG_TRY(find_best_threshold(&t, model, &opts.best_threshold));
    TG_TRY(tg_evaluation_new(&opts, tg_dataset_name(set), (const char *const *)info->classes, info->n_classes,
                             &t.evaluation));
    TG_TRY(add_training_images(&t, s->size));
    for (int kind = 1; kind >= 0; kind--) {
        size_t n;
        const size_t *samples = tg_dataset_select(set, split, kind, &n);

        TG_TRY(tgi_map_samples(model, TGI_WEIGHTS_RAW, set, samples, n, measure, &t));
    }
    TG_TRY(tg_evaluation_finish(t.evaluation, results));
cleanup:
    for (size_t i = 0; i < t.n_kept; i++) {
        tg_image_release(&t.maps[i]);
        tg_mask_release(&t.masks[i]);
    }
    free(t.maps);
    free(t.masks);
    tg_evaluation_free(t.evaluation);
    return status;
}

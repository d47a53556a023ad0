/* test.c -- a trained model on a split it never saw: maps, masks at the calibrated threshold, metrics beside trivial baselines. */
#include "config.h"
#include "base/memory.h"
#include "base/text.h"
#include "trainer/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { BASELINE_IMAGES = 400 };

typedef struct testing {
    const tg_dataset *set;
    const tgi_model_info *info;
    const tgi_test_opts *opts;
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
    if (t->opts->splits[TG_SPLIT_VAL]) /* on the truth that is measured it would flatter */
        return TG_OK;
    TG_TRY(tgi_alloc(n, sizeof *t->maps, &t->maps));
    TG_TRY(tgi_alloc(n, sizeof *t->masks, &t->masks));
    TG_TRY(tgi_map_samples(model, TGI_WEIGHTS_RAW, t->opts->labels, t->set, samples, n, keep_truth,
                           t));
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

        for (size_t i = 0; i < n && i < t->opts->n_training; i++) {
            TG_TRY(tg_dataset_load(t->set, samples[i], side, &image));
            TG_TRY(tg_evaluation_add_training(t->evaluation, &image,
                                              tg_dataset_sample(t->set, samples[i]).labels));
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
    const tg_eval_item item = {.name = sample.name,
                               .patient = sample.patient,
                               .labels = sample.labels,
                               .map = m->map,
                               .tags = &tags,
                               .truth = &truth,
                               .input = m->input};
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

tgi_test_opts tgi_test_opts_default(const tgi_model_info *info)
{
    tgi_test_opts opts = {.splits = {[TG_SPLIT_TEST] = true},
                          .labels = TGI_LABELS_TRUE,
                          .n_training = BASELINE_IMAGES,
                          .measuring = tg_eval_opts_default()};

    opts.measuring.seed = info->settings.seed;
    return opts;
}

/* What a reader of the numbers must know: a map that was told the disease has it easier than one that was not. */
static tg_status add_note(const tgi_test_opts *opts, tg_eval_results *results)
{
    const bool *s = opts->splits;
    const char *which = s[TG_SPLIT_TRAIN] && s[TG_SPLIT_VAL] && s[TG_SPLIT_TEST] ? "all"
                        : s[TG_SPLIT_TEST]                                       ? "test"
                        : s[TG_SPLIT_VAL]                                        ? "validation"
                                                                                 : "training";

    return tgi_printf(&results->note, "%s images; maps of %s", which,
                      opts->labels == TGI_LABELS_GUESSED
                          ? "all under the labels that the model's label head chose"
                          : "diseased ones under their true labels, of healthy ones under a class "
                            "drawn at random");
}

static tg_status measure_all(testing *t, tgi_model *model)
{
    tg_status status = TG_OK;

    for (int kind = 1; kind >= 0; kind--) {
        for (int split = TG_SPLIT_TRAIN; split <= TG_SPLIT_TEST; split++) {
            size_t n;
            const size_t *samples = tg_dataset_select(t->set, (tg_split)split, kind, &n);

            if (t->opts->splits[split])
                TG_TRY(tgi_map_samples(model, TGI_WEIGHTS_RAW, t->opts->labels, t->set, samples, n,
                                       measure, t));
        }
    }
cleanup:
    return status;
}

tg_status tgi_test(tgi_model *model, const tgi_model_info *info, const tg_dataset *set,
                   const tgi_test_opts *opts, tgi_test_fn *visit, void *user,
                   tg_eval_results **results)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &info->settings;
    testing t = {.set = set,
                 .info = info,
                 .opts = opts,
                 .visit = visit,
                 .user = user,
                 .tag = tgi_settings_tag_opts(s, s->size, s->size,
                                              info->threshold >= 0 ? info->threshold : 0.1)};
    tg_eval_opts measuring = opts->measuring;

    *results = NULL;
    measuring.tag = t.tag;
    measuring.threshold_rule = info->threshold_rule ? info->threshold_rule : "fixed:0.1";
    TG_TRY(find_best_threshold(&t, model, &measuring.best_threshold));
    TG_TRY(tg_evaluation_new(&measuring, tg_dataset_name(set), (const char *const *)info->classes,
                             info->n_classes, &t.evaluation));
    if (measuring.baselines == TG_BASELINES_ALL)
        TG_TRY(add_training_images(&t, s->size));
    TG_TRY(measure_all(&t, model));
    TG_TRY(tg_evaluation_finish(t.evaluation, results));
    TG_TRY(add_note(opts, *results));
cleanup:
    if (status != TG_OK) {
        tg_eval_results_free(*results);
        *results = NULL;
    }
    for (size_t i = 0; i < t.n_kept; i++) {
        tg_image_release(&t.maps[i]);
        tg_mask_release(&t.masks[i]);
    }
    free(t.maps);
    free(t.masks);
    tg_evaluation_free(t.evaluation);
    return status;
}

/* folders.c -- evaluation of files: the maps and masks of taggan-infer against a data set that
 * knows the truth. */
#include "config.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "eval/eval.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { LARGEST_TEMPLATE_PX = 256 };

/* The images that are evaluated: indices into the set. */
static tg_status choose_samples(const tg_dataset *set, const char *split, size_t **indices,
                                size_t *n)
{
    static const char *const names[] = {"train", "val", "test"};
    tg_status status = TG_OK;
    size_t n_samples = tg_dataset_n_samples(set), n_test = 0;
    long wanted = -1; /* all */

    for (size_t i = 0; i < n_samples; i++)
        n_test += tg_dataset_sample(set, i).split == TG_SPLIT_TEST;
    if (!split && n_test)
        wanted = TG_SPLIT_TEST;
    for (size_t s = 0; split && s < TG_COUNT(names); s++)
        wanted = !strcmp(split, names[s]) ? (long)s : wanted;
    if (split && wanted < 0 && strcmp(split, "all"))
        return tg_fail(TG_ERR_ARGUMENT, "split '%s' is unknown (train, val, test, all)", split);
    TG_TRY(tgi_alloc(n_samples, sizeof **indices, indices));
    for (size_t i = 0; i < n_samples; i++) {
        if (wanted < 0 || (long)tg_dataset_sample(set, i).split == wanted)
            (*indices)[(*n)++] = i;
    }
    if (!*n)
        status = tg_fail(TG_ERR_ARGUMENT, "'%s' has no image in split %s", tg_dataset_name(set),
                         split ? split : "all");
cleanup:
    return status;
}

/* What taggan-infer says in tags.json about the masks: {"threshold":{"rule":..,"value":..}}; other
 * programs' masks have none. */
static tg_status read_threshold(const char *folder, tg_eval_results *results)
{
    tg_status status = TG_OK;
    char *path = NULL;
    json_t *root = NULL;
    const char *rule;
    double value;

    TG_TRY(tgi_path_join(folder, "tags.json", &path));
    root = tgi_is_file(path) ? json_load_file(path, 0, NULL) : NULL;
    if (!root || json_unpack(root, "{s:{s:s,s:F}}", "threshold", "rule", &rule, "value", &value))
        goto cleanup;
    free(results->threshold_rule);
    results->threshold_rule = NULL;
    TG_TRY(tgi_strdup(rule, &results->threshold_rule));
    results->threshold = value;
cleanup:
    json_decref(root);
    free(path);
    return status;
}

static tg_status predicted_path(const char *folder, const char *name, const char *ending,
                                char **out)
{
    return tgi_printf(out, "%s/%s%s", folder, name, ending);
}

/* The map, or the mask as a map of 0 and 1 where there is no other; tags of the mask if there is
 * one. */
static tg_status load_prediction(const char *folder, const char *name, const tg_tag_opts *opts,
                                 tg_image *map, tg_tags *tags, bool *has_tags)
{
    tg_status status = TG_OK;
    char *map_path = NULL, *mask_path = NULL;
    tg_mask mask = {0};
    tg_image score = {0};

    TG_TRY(predicted_path(folder, name, ".map.png", &map_path));
    TG_TRY(predicted_path(folder, name, ".mask.png", &mask_path));
    *has_tags = tgi_is_file(mask_path);
    if (*has_tags)
        TG_TRY(tg_mask_load(mask_path, &mask));
    if (tgi_is_file(map_path)) {
        TG_TRY(tg_map_load(map_path, map));
    } else if (*has_tags) {
        TG_TRY(tg_image_new(mask.width_px, mask.height_px, map));
        for (size_t i = 0; i < mask.width_px * mask.height_px; i++)
            map->pixels[i] = mask.pixels[i];
    } else {
        status =
            tg_fail(TG_ERR_IO, "no prediction for '%s': neither '%s' nor its .mask.png is there",
                    name, map_path);
        goto cleanup;
    }
    if (*has_tags) {
        tg_tag_opts as_is = *opts;

        as_is.min_area_px = 1; /* whoever wrote the mask has dropped what was to be dropped */
        TG_TRY(tg_tag_score(map, opts, &score));
        TG_TRY(tg_tag_mask(&mask, &score, &as_is, tags));
    }
cleanup:
    tg_image_release(&score);
    tg_mask_release(&mask);
    free(mask_path);
    free(map_path);
    return status;
}

static tg_status add_sample(tg_evaluation *e, const tg_dataset *set, size_t index,
                            const char *folder, const tg_eval_opts *opts)
{
    tg_status status = TG_OK;
    tg_sample sample = tg_dataset_sample(set, index);
    tg_image map = {0}, input = {0};
    tg_truth truth = {0};
    tg_tags tags = {0};
    bool has_tags;

    TG_TRY(load_prediction(folder, sample.name, &opts->tag, &map, &tags, &has_tags));
    TG_TRY(tg_dataset_truth(set, index, 0, &truth));
    if (opts->baselines == TG_BASELINES_ALL)
        TG_TRY(tg_dataset_load(set, index, 0, &input));
    TG_TRY(tg_evaluation_add(e, &(tg_eval_item){.name = sample.name,
                                                .patient = sample.patient,
                                                .labels = sample.labels,
                                                .map = &map,
                                                .tags = has_tags ? &tags : NULL,
                                                .truth = &truth,
                                                .input = input.pixels ? &input : NULL}));
cleanup:
    tg_tags_release(&tags);
    tg_truth_release(&truth);
    tg_image_release(&input);
    tg_image_release(&map);
    return status;
}

/* Half diseased, half healthy, the first ones of each. */
static tg_status add_training(tg_evaluation *e, const tg_dataset *set, size_t n_wanted,
                              size_t size_px)
{
    tg_status status = TG_OK;
    tg_image image = {0};

    for (int is_diseased = 0; is_diseased < 2; is_diseased++) {
        size_t n;
        const size_t *indices = tg_dataset_select(set, TG_SPLIT_TRAIN, is_diseased, &n);

        for (size_t i = 0; i < n && i < n_wanted / 2; i++) {
            TG_TRY(tg_dataset_load(set, indices[i], size_px, &image));
            TG_TRY(
                tg_evaluation_add_training(e, &image, tg_dataset_sample(set, indices[i]).labels));
            tg_image_release(&image);
        }
    }
cleanup:
    tg_image_release(&image);
    return status;
}

static tg_status new_for(const tg_dataset *set, const tg_eval_opts *opts, tg_evaluation **out)
{
    tg_status status = TG_OK;
    size_t n = tg_dataset_n_classes(set);
    const char **classes = NULL;

    TG_TRY(tgi_alloc(n, sizeof *classes, &classes));
    for (size_t k = 0; k < n; k++)
        classes[k] = tg_dataset_class_name(set, k);
    TG_TRY(tg_evaluation_new(opts, tg_dataset_name(set), classes, n, out));
cleanup:
    free(classes);
    return status;
}

tg_status tg_eval_folders(const char *truth, const char *prediction, const tg_eval_opts *opts,
                          const tg_eval_folders_opts *folders, tg_eval_results **out)
{
    tg_status status = TG_OK;
    tg_dataset *set = NULL;
    tg_evaluation *e = NULL;
    tg_eval_results *results = NULL;
    size_t *indices = NULL, n = 0, size_px = 0;

    *out = NULL;
    if (!tgi_is_folder(prediction))
        return tg_fail(TG_ERR_IO, "cannot open folder '%s' of predictions", prediction);
    TG_TRY(tg_dataset_open(truth, &folders->dataset, &set));
    TG_TRY(choose_samples(set, folders->split, &indices, &n));
    TG_TRY(new_for(set, opts, &e));
    for (size_t i = 0; i < n; i++)
        TG_TRY(add_sample(e, set, indices[i], prediction, opts));
    size_px = e->items[0].views[0]->score.width_px;
    if (opts->baselines == TG_BASELINES_ALL)
        TG_TRY(add_training(e, set, folders->n_training,
                            size_px < LARGEST_TEMPLATE_PX ? size_px : LARGEST_TEMPLATE_PX));
    TG_TRY(tg_evaluation_finish(e, &results));
    TG_TRY(read_threshold(prediction, results));
    *out = results;
    results = NULL;
cleanup:
    tg_eval_results_free(results);
    free(indices);
    tg_evaluation_free(e);
    tg_dataset_free(set);
    return status;
}

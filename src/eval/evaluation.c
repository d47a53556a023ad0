/* evaluation.c -- collects images with their maps and truths, then computes all metrics. */
#include "config.h"
#include "base/memory.h"
#include "base/text.h"
#include "eval/eval.h"
#include "tag/tag.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

tg_eval_opts tg_eval_opts_default(void)
{
    tg_eval_opts opts = {
        .tag = tg_tag_opts_default(), .best_threshold = NAN, .n_draws = 1000, .seed = 1};

    return opts;
}

/* How the rule of tg_tag_opts is called in reports. */
static const char *rule_name(tg_rule rule)
{
    static const char *const names[] = {"fixed", "pct", "otsu", "meanstd", "max"};

    return (size_t)rule < TG_COUNT(names) ? names[rule] : "unknown";
}

tg_status tg_evaluation_new(const tg_eval_opts *opts, const char *dataset,
                            const char *const *classes, size_t n_classes, tg_evaluation **out)
{
    tg_status status = TG_OK;
    tg_evaluation *e = NULL;

    *out = NULL;
    TG_TRY(tgi_alloc(1, sizeof *e, &e));
    e->opts = *opts;
    e->opts.threshold_rule = NULL;
    TG_TRY(tgi_strdup(opts->threshold_rule ? opts->threshold_rule : rule_name(opts->tag.rule),
                      &e->rule));
    TG_TRY(tgi_strdup(dataset, &e->dataset));
    TG_TRY(tgi_alloc(n_classes, sizeof *e->classes, &e->classes));
    e->n_classes = n_classes;
    for (size_t k = 0; k < n_classes; k++)
        TG_TRY(tgi_strdup(classes[k], &e->classes[k]));
    TG_TRY(tgi_alloc(n_classes + 2, sizeof *e->train, &e->train));
    TG_TRY(tgi_alloc(n_classes + 2, sizeof *e->n_train, &e->n_train));
    *out = e;
    e = NULL;
cleanup:
    tg_evaluation_free(e);
    return status;
}

static void view_free(tgi_view *view)
{
    if (!view)
        return;
    tg_image_release(&view->score);
    tgi_target_release(&view->target);
    free(view);
}

static void item_release(tgi_item *item, size_t n_classes)
{
    for (size_t k = 1; item->views && k <= n_classes; k++) {
        if (item->views[k] != item->views[0])
            view_free(item->views[k]);
    }
    if (item->views)
        view_free(item->views[0]);
    free(item->views);
    free(item->name);
    free(item->labels);
    tg_image_release(&item->input);
    *item = (tgi_item){0};
}

void tg_evaluation_free(tg_evaluation *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->n_items; i++)
        item_release(&e->items[i], e->n_classes);
    for (size_t k = 0; e->classes && k < e->n_classes; k++)
        free(e->classes[k]);
    for (size_t k = 0; e->train && k < e->n_classes + 2; k++)
        free(e->train[k]);
    for (size_t i = 0; i < e->n_patients; i++)
        free(e->patients[i]);
    free(e->items);
    free(e->classes);
    free(e->train);
    free(e->n_train);
    free(e->patients);
    free(e->dataset);
    free(e->rule);
    free(e);
}

static tg_status same_size(const char *name, const char *what, const tg_image *map, size_t w,
                           size_t h)
{
    if (map->width_px == w && map->height_px == h)
        return TG_OK;
    return tg_fail(TG_ERR_SHAPE,
                   "evaluation of '%s': its map has %zu x %zu, its %s %zu x %zu pixels", name,
                   map->width_px, map->height_px, what, w, h);
}

static tg_status check_item(const tg_evaluation *e, const tg_eval_item *item)
{
    tg_status status = TG_OK;
    const tg_truth *t = item->truth;

    if (item->tags)
        TG_TRY(same_size(item->name, "mask", item->map, item->tags->mask.width_px,
                         item->tags->mask.height_px));
    if (t && t->has_mask)
        TG_TRY(same_size(item->name, "true mask", item->map, t->mask.width_px, t->mask.height_px));
    if (t && t->has_difference)
        TG_TRY(same_size(item->name, "difference", item->map, t->difference.width_px,
                         t->difference.height_px));
    if (item->input)
        TG_TRY(same_size(item->name, "input", item->map, item->input->width_px,
                         item->input->height_px));
    for (size_t k = 0; item->class_maps && k < e->n_classes; k++) {
        if (item->class_maps[k])
            TG_TRY(same_size(item->name, "class map", item->map, item->class_maps[k]->width_px,
                             item->class_maps[k]->height_px));
    }
cleanup:
    return status;
}

/* The number of the patient; images without one are their own. */
static tg_status find_patient(tg_evaluation *e, const char *patient, size_t *out)
{
    tg_status status = TG_OK;

    for (size_t i = e->n_patients; patient && patient[0] && i--;) { /* mostly the last one */
        if (!strcmp(e->patients[i], patient)) {
            *out = i;
            return TG_OK;
        }
    }
    TG_TRY(tgi_grow(&e->patients, &e->patient_capacity, e->n_patients + 1, sizeof *e->patients));
    TG_TRY(tgi_strdup(patient ? patient : "", &e->patients[e->n_patients]));
    *out = e->n_patients++;
cleanup:
    return status;
}

/* class_index < 0: all diseases. */
static tg_status view_new(const tg_evaluation *e, const tg_eval_item *item, const tg_image *map,
                          const tg_tags *tags, bool is_diseased, long class_index, bool has_several,
                          tgi_view **out)
{
    tg_status status = TG_OK;
    tgi_view *view = NULL;
    tg_tags made = {0};

    *out = NULL;
    TG_TRY(tgi_alloc(1, sizeof *view, &view));
    TG_TRY(tg_tag_score(map, &e->opts.tag, &view->score));
    TG_TRY(tgi_target_new(item->truth, map->width_px, map->height_px, is_diseased, class_index,
                          has_several, &view->target));
    if (!tags)
        TG_TRY(tg_tag_map(map, &e->opts.tag, &made));
    TG_TRY(tgi_image_score(&view->score, e->opts.image_score, &view->image_score));
    TG_TRY(tgi_measure(&e->opts, map, &view->score, tags ? tags : &made, &view->target, is_diseased,
                       view->cells));
    *out = view;
    view = NULL;
cleanup:
    view_free(view);
    tg_tags_release(&made);
    return status;
}

static tg_status add_views(const tg_evaluation *e, const tg_eval_item *from, size_t n_present,
                           tgi_item *item)
{
    tg_status status = TG_OK;

    TG_TRY(view_new(e, from, from->map, from->tags, item->is_diseased, -1, false, &item->views[0]));
    for (size_t k = 0; k < e->n_classes; k++) {
        const tg_image *map = from->class_maps ? from->class_maps[k] : NULL;
        bool has_several = n_present > 1;

        if (item->is_diseased && !(item->labels[k] > 0.5f))
            continue;
        if (!map && !(has_several && from->truth && from->truth->has_boxes)) {
            item->views[1 + k] = item->views[0];
            continue;
        }
        TG_TRY(view_new(e, from, map ? map : from->map, map ? NULL : from->tags, item->is_diseased,
                        (long)k, has_several, &item->views[1 + k]));
    }
cleanup:
    return status;
}

tg_status tg_evaluation_add(tg_evaluation *e, const tg_eval_item *from)
{
    tg_status status = TG_OK;
    tgi_item item = {0};
    size_t n_present = 0;

    TG_TRY(check_item(e, from));
    TG_TRY(tgi_grow(&e->items, &e->capacity, e->n_items + 1, sizeof *e->items));
    TG_TRY(tgi_strdup(from->name, &item.name));
    TG_TRY(tgi_alloc(e->n_classes, sizeof *item.labels, &item.labels));
    TG_TRY(tgi_alloc(e->n_classes + 1, sizeof *item.views, &item.views));
    for (size_t k = 0; k < e->n_classes; k++) {
        item.labels[k] = from->labels[k];
        n_present += item.labels[k] > 0.5f;
    }
    item.is_diseased = n_present > 0;
    if (from->input && e->opts.baselines == TG_BASELINES_ALL) {
        TG_TRY(tg_image_new(from->input->width_px, from->input->height_px, &item.input));
        memcpy(item.input.pixels, from->input->pixels,
               from->input->width_px * from->input->height_px * sizeof(float));
    }
    status = add_views(e, from, n_present, &item);
    if (status != TG_OK) {
        tg_fail_in(status, "evaluation of '%s'", from->name);
        goto cleanup;
    }
    TG_TRY(find_patient(e, from->patient, &item.patient));
    e->items[e->n_items++] = item;
    item = (tgi_item){0};
cleanup:
    item_release(&item, e->n_classes);
    return status;
}

/* scope 0 is all images, scope 1 + k those of class k and the healthy ones. */
static tg_status aggregate_scope(const tg_evaluation *e, size_t scope, const tgi_draws *draws,
                                 tg_scores *out)
{
    tg_status status = TG_OK;
    tgi_entry *entries = NULL;
    size_t n = 0;

    TG_TRY(tgi_alloc(e->n_items, sizeof *entries, &entries));
    for (size_t i = 0; i < e->n_items; i++) {
        const tgi_item *item = &e->items[i];
        const tgi_view *view = item->views[scope];
        bool has_pixels = view && (!item->is_diseased || view->target.has_area);

        if (!view)
            continue;
        entries[n++] = (tgi_entry){item->is_diseased,
                                   item->patient,
                                   view->image_score,
                                   view->cells,
                                   has_pixels ? &view->score : NULL,
                                   item->is_diseased && has_pixels ? &view->target.mask : NULL};
    }
    TG_TRY(tgi_aggregate(scope ? e->classes[scope - 1] : "overall", entries, n, draws, out));
cleanup:
    free(entries);
    return status;
}

/* The unweighted mean over the classes. */
static tg_status average_classes(tg_eval_results *r)
{
    tg_status status = TG_OK;
    tg_scores *mean = &r->class_mean;

    TG_TRY(tgi_strdup("class mean", &mean->name));
    TG_TRY(tgi_alloc(TGI_N_METRICS, sizeof *mean->metrics, &mean->metrics));
    for (size_t m = 0; m < TGI_N_METRICS; m++) {
        tg_metric metric = {.name = tgi_metric_infos[m].name};

        for (size_t k = 0; k < r->n_classes; k++) {
            const tg_metric *of_class = tg_scores_find(&r->classes[k], metric.name);

            metric.mean += of_class ? of_class->mean : 0;
            metric.n += of_class != NULL;
        }
        if (!metric.n)
            continue;
        metric.mean /= (double)metric.n;
        metric.low = metric.high = metric.mean;
        mean->metrics[mean->n_metrics++] = metric;
    }
cleanup:
    return status;
}

tg_status tg_evaluation_finish(const tg_evaluation *e, tg_eval_results **out)
{
    tg_status status = TG_OK;
    tg_eval_results *r = NULL;
    tgi_draws draws = {0};

    *out = NULL;
    if (!e->n_items)
        return tg_fail(TG_ERR_ARGUMENT, "evaluation: no image was added");
    TG_TRY(tgi_alloc(1, sizeof *r, &r));
    TG_TRY(tgi_strdup(e->dataset, &r->dataset));
    TG_TRY(tgi_strdup(e->rule, &r->threshold_rule));
    r->threshold = e->opts.tag.value;
    for (size_t i = 0; i < e->n_items; i++) {
        r->n_diseased += e->items[i].is_diseased;
        r->n_healthy += !e->items[i].is_diseased;
    }
    TG_TRY(tgi_draws_new(e->opts.n_draws, e->n_patients, e->opts.seed, &draws));
    TG_TRY(aggregate_scope(e, 0, &draws, &r->overall));
    TG_TRY(tgi_alloc(e->n_classes, sizeof *r->classes, &r->classes));
    for (size_t k = 0; k < e->n_classes; k++) {
        TG_TRY(aggregate_scope(e, 1 + k, &draws, &r->classes[k]));
        r->n_classes++;
    }
    TG_TRY(average_classes(r));
    if (e->opts.baselines == TG_BASELINES_ALL)
        TG_TRY(tgi_baselines(e, &draws, r));
    *out = r;
    r = NULL;
cleanup:
    tg_eval_results_free(r);
    tgi_draws_release(&draws);
    return status;
}

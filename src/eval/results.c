/* results.c -- metrics as files: metrics.json there and back, and a table of numbers. */
#include "config.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "eval/eval.h"
#include "tag/annotate.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { LARGEST_JSON = 64 << 20 };

void tg_eval_results_free(tg_eval_results *r)
{
    if (!r)
        return;
    tgi_scores_release(&r->overall);
    tgi_scores_release(&r->class_mean);
    for (size_t i = 0; i < r->n_classes; i++)
        tgi_scores_release(&r->classes[i]);
    for (size_t i = 0; i < r->n_baselines; i++)
        tgi_scores_release(&r->baselines[i]);
    free(r->classes);
    free(r->baselines);
    free(r->dataset);
    free(r->threshold_rule);
    free(r->note);
    free(r);
}

const tg_metric *tg_scores_find(const tg_scores *scores, const char *name)
{
    for (size_t m = 0; m < scores->n_metrics; m++) {
        if (!strcmp(scores->metrics[m].name, name))
            return &scores->metrics[m];
    }
    return NULL;
}

static json_t *scores_to_json(const tg_scores *scores)
{
    json_t *object = json_object();

    for (size_t m = 0; m < scores->n_metrics; m++) {
        const tg_metric *metric = &scores->metrics[m];
        json_t *one = json_pack("{s:f,s:f,s:f,s:I}", "mean", metric->mean, "low", metric->low,
                                "high", metric->high, "n", (json_int_t)metric->n);

        if (metric->n_skipped)
            json_object_set_new(one, "skipped", json_integer((json_int_t)metric->n_skipped));
        if (json_object_set_new(object, metric->name, one)) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* An object with an entry for each of n scores. */
static json_t *list_to_json(const tg_scores *list, size_t n)
{
    json_t *object = json_object();

    for (size_t i = 0; i < n; i++) {
        char *name;

        if (tgi_utf8(list[i].name, &name) != TG_OK)
            break;
        json_object_set_new(object, name, scores_to_json(&list[i]));
        free(name);
    }
    if (json_object_size(object) != n) { /* out of memory, or two classes of one name */
        json_decref(object);
        return NULL;
    }
    return object;
}

tg_status tg_eval_results_save(const tg_eval_results *r, const char *path)
{
    tg_status status;
    json_t *root = json_object();
    int failed = 0;

    failed |= json_object_set_new(root, "version", json_integer(1));
    failed |= json_object_set_new(root, "dataset", tgi_json_text(r->dataset));
    if (r->note)
        failed |= json_object_set_new(root, "note", tgi_json_text(r->note));
    failed |= json_object_set_new(root, "n_diseased", json_integer((json_int_t)r->n_diseased));
    failed |= json_object_set_new(root, "n_healthy", json_integer((json_int_t)r->n_healthy));
    failed |= json_object_set_new(
        root, "threshold",
        json_pack("{s:o,s:f}", "rule", tgi_json_text(r->threshold_rule), "value", r->threshold));
    failed |= json_object_set_new(root, "overall", scores_to_json(&r->overall));
    failed |= json_object_set_new(root, "per_class", list_to_json(r->classes, r->n_classes));
    failed |= json_object_set_new(root, "class_mean", scores_to_json(&r->class_mean));
    failed |= json_object_set_new(root, "baselines", list_to_json(r->baselines, r->n_baselines));
    status = failed ? tg_fail(TG_ERR_MEMORY, "cannot write '%s': out of memory for its JSON", path)
                    : tgi_json_save(path, root);
    json_decref(root);
    return status;
}

static const char *static_name(const char *name)
{
    for (size_t m = 0; m < TGI_N_METRICS; m++) {
        if (!strcmp(tgi_metric_infos[m].name, name))
            return tgi_metric_infos[m].name;
    }
    return NULL;
}

/* Metrics of a later version that are unknown here are left out. */
static tg_status scores_from_json(const char *name, const json_t *object, tg_scores *out)
{
    tg_status status = TG_OK;
    tg_scores scores = {0};
    const char *key;
    json_t *one;

    *out = scores;
    TG_TRY(tgi_strdup(name, &scores.name));
    TG_TRY(tgi_alloc(TGI_N_METRICS, sizeof *scores.metrics, &scores.metrics));
    json_object_foreach((json_t *)object, key, one)
    {
        tg_metric metric = {.name = static_name(key)};
        json_int_t n = 0, n_skipped = 0;

        if (!metric.name ||
            json_unpack(one, "{s:F,s:F,s:F,s?I,s?I}", "mean", &metric.mean, "low", &metric.low,
                        "high", &metric.high, "n", &n, "skipped", &n_skipped))
            continue;
        metric.n = (size_t)n;
        metric.n_skipped = (size_t)n_skipped;
        scores.metrics[scores.n_metrics++] = metric;
    }
    *out = scores;
    scores = (tg_scores){0};
cleanup:
    tgi_scores_release(&scores);
    return status;
}

static tg_status list_from_json(const json_t *object, tg_scores **list, size_t *n)
{
    tg_status status = TG_OK;
    const char *key;
    json_t *one;

    TG_TRY(tgi_alloc(json_object_size(object), sizeof **list, list));
    json_object_foreach((json_t *)object, key, one)
    {
        TG_TRY(scores_from_json(key, one, &(*list)[*n]));
        ++*n;
    }
cleanup:
    return status;
}

tg_status tg_eval_results_load(const char *path, tg_eval_results **out)
{
    tg_status status = TG_OK;
    tg_eval_results *r = NULL;
    json_t *root = NULL;
    json_error_t error;
    char *text = NULL;
    const char *dataset, *rule, *note = NULL;
    json_int_t version = 0, n_diseased, n_healthy;
    size_t n;

    *out = NULL;
    TG_TRY(tgi_file_read(path, LARGEST_JSON, &text, &n));
    root = json_loadb(text, n, 0, &error);
    if (!root) {
        status =
            tg_fail(TG_ERR_FORMAT, "cannot read '%s': line %d: %s", path, error.line, error.text);
        goto cleanup;
    }
    TG_TRY(tgi_alloc(1, sizeof *r, &r));
    if (json_unpack_ex(root, &error, 0, "{s:I,s:s,s?s,s:I,s:I,s:{s:s,s:F}}", "version", &version,
                       "dataset", &dataset, "note", &note, "n_diseased", &n_diseased, "n_healthy",
                       &n_healthy, "threshold", "rule", &rule, "value", &r->threshold) ||
        version != 1) {
        status =
            tg_fail(TG_ERR_FORMAT, "cannot read '%s': it is not a metrics.json of version 1", path);
        goto cleanup;
    }
    r->n_diseased = (size_t)n_diseased;
    r->n_healthy = (size_t)n_healthy;
    TG_TRY(tgi_strdup(dataset, &r->dataset));
    TG_TRY(tgi_strdup(rule, &r->threshold_rule));
    if (note)
        TG_TRY(tgi_strdup(note, &r->note));
    TG_TRY(scores_from_json("overall", json_object_get(root, "overall"), &r->overall));
    TG_TRY(scores_from_json("class mean", json_object_get(root, "class_mean"), &r->class_mean));
    TG_TRY(list_from_json(json_object_get(root, "per_class"), &r->classes, &r->n_classes));
    TG_TRY(list_from_json(json_object_get(root, "baselines"), &r->baselines, &r->n_baselines));
    *out = r;
    r = NULL;
cleanup:
    tg_eval_results_free(r);
    json_decref(root);
    free(text);
    return status;
}

static tg_status add_rows(tgi_text *csv, const char *scope, const tg_scores *scores)
{
    tg_status status = TG_OK;

    for (size_t m = 0; m < scores->n_metrics; m++) {
        const tg_metric *metric = &scores->metrics[m];
        double values[3] = {metric->mean, metric->low, metric->high};

        TG_TRY(tgi_text_add(csv, "%s,", scope));
        TG_TRY(tgi_csv_add_cell(csv, scores->name));
        TG_TRY(tgi_text_add(csv, "%s,", metric->name));
        for (size_t i = 0; i < 3; i++) {
            TG_TRY(tgi_text_add_fixed(csv, values[i], 6));
            TG_TRY(tgi_text_add(csv, ","));
        }
        TG_TRY(tgi_text_add(csv, "%zu,%zu\n", metric->n, metric->n_skipped));
    }
cleanup:
    return status;
}

tg_status tg_eval_results_save_csv(const tg_eval_results *r, const char *path)
{
    tg_status status = TG_OK;
    tgi_text csv = {0};

    TG_TRY(tgi_text_add(&csv, "scope,name,metric,mean,low,high,n,skipped\n"));
    TG_TRY(add_rows(&csv, "overall", &r->overall));
    for (size_t i = 0; i < r->n_classes; i++)
        TG_TRY(add_rows(&csv, "class", &r->classes[i]));
    TG_TRY(add_rows(&csv, "class_mean", &r->class_mean));
    for (size_t i = 0; i < r->n_baselines; i++)
        TG_TRY(add_rows(&csv, "baseline", &r->baselines[i]));
    TG_TRY(tgi_file_write(path, csv.data, csv.size));
cleanup:
    tgi_text_release(&csv);
    return status;
}

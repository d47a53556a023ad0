/* run_metrics.c -- metrics.json as a reader wants it: the main numbers, the table of methods, and
 * healthy images apart. */
#include "config.h"
#include "report/run_report.h"
#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/banned.h"

enum { MAX_METRICS_BYTES = 1 << 26 };

/* In the order of the table. Those on healthy images have a section of their own. */
static const struct metric {
    const char *key, *heading, *meaning;
} metrics[] = {
    {"ncc", "NCC",
     "correlation of the map with the true difference image, or with the mask where there is none"},
    {"dice", "Dice", "overlap of the mask with the true mask"},
    {"iou", "IoU", "intersection over union of the mask with the true mask"},
    {"poi", "PoI", "share of what was marked that lies in the truth"},
    {"iou_equal", "IoU, equal", "found boxes joined to as many as there are, matched one to one"},
    {"poi_equal", "PoI, equal", "found boxes joined to as many as there are, matched one to one"},
    {"iou_unequal", "IoU, unequal", "each found box against the true one that it fits best"},
    {"poi_unequal", "PoI, unequal", "each found box against the true one that it fits best"},
    {"pixel_ap", "Pixel AP", "average precision of the map over all pixels, no threshold"},
    {"pointing", "Pointing", "share of images whose highest point of the map lies in the truth"},
    {"image_auroc", "Image AUROC", "diseased images above healthy ones by the map's highest score"},
};

typedef struct method {
    const char *name;
    const json_t *values; /* {METRIC: {mean, low, high}} */
    tgi_row_kind kind;
} method;

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static tgi_interval metric_of(const json_t *values, const char *key)
{
    const json_t *value = json_object_get(values, key);

    if (json_is_number(value))
        return (tgi_interval){json_number_value(value), NAN, NAN};
    return (tgi_interval){number_of(value, "mean"), number_of(value, "low"),
                          number_of(value, "high")};
}

/* "0.921" and its interval on a line below; NULL where there is no value. The caller frees it. */
static tg_status cell_text(const tgi_interval *value, char **out)
{
    char mean[TGI_NUMBER_SIZE], low[TGI_NUMBER_SIZE], high[TGI_NUMBER_SIZE];

    *out = NULL;
    if (isnan(value->mean))
        return TG_OK;
    tgi_number_fixed(value->mean, 3, mean);
    tgi_number_fixed(value->low, 3, low);
    tgi_number_fixed(value->high, 3, high);
    if (isnan(value->low) || isnan(value->high))
        return tgi_strdup(mean, out);
    return tgi_printf(out, "%s\n%s to %s", mean, low, high);
}

/* A table of methods (or classes) by the metrics which any of them has. */
static tg_status add_table(tgi_report *report, const char *caption, const char *first_heading,
                           const method *methods, size_t n_methods)
{
    tg_status status = TG_OK;
    const char *headings[TG_COUNT(metrics) + 1] = {first_heading};
    size_t shown[TG_COUNT(metrics)], n_shown = 0, n_cells = 0, at = 0;
    char **cells = NULL;
    tgi_row_kind *kinds = NULL;

    for (size_t k = 0; k < TG_COUNT(metrics); k++) {
        bool has_any = false;

        for (size_t i = 0; i < n_methods; i++)
            has_any |= !isnan(metric_of(methods[i].values, metrics[k].key).mean);
        if (has_any) {
            shown[n_shown++] = k;
            headings[n_shown] = metrics[k].heading;
        }
    }
    if (!n_shown)
        return TG_OK;
    TG_TRY(tgi_size_mul(n_methods, n_shown + 1, &n_cells));
    TG_TRY(tgi_alloc(n_cells, sizeof *cells, &cells));
    TG_TRY(tgi_alloc(n_methods, sizeof *kinds, &kinds));
    for (size_t i = 0; i < n_methods; i++) {
        kinds[i] = methods[i].kind;
        TG_TRY(tgi_strdup(methods[i].name, &cells[at++]));
        for (size_t k = 0; k < n_shown; k++) {
            tgi_interval value = metric_of(methods[i].values, metrics[shown[k]].key);

            TG_TRY(cell_text(&value, &cells[at++]));
        }
    }
    TG_TRY(tgi_report_table(report, &(tgi_table){caption, headings, n_shown + 1, n_methods,
                                                 (const char *const *)cells, kinds}));
cleanup:
    for (size_t i = 0; cells && i < n_cells; i++)
        free(cells[i]);
    free(cells);
    free(kinds);
    return status;
}

static tg_status add_tiles(tgi_report *report, const json_t *overall)
{
    static const struct {
        const char *key, *name;
    } main_numbers[] = {{"ncc", "NCC of the map"},
                        {"dice", "Dice of the mask"},
                        {"image_auroc", "Image AUROC"},
                        {"blank_rate", "Healthy images left blank"}};
    tgi_tile tiles[TG_COUNT(main_numbers)];
    char values[TG_COUNT(main_numbers)][TGI_NUMBER_SIZE],
        notes[TG_COUNT(main_numbers)][TGI_INTERVAL_SIZE];
    char low[TGI_NUMBER_SIZE], high[TGI_NUMBER_SIZE];
    size_t n = 0;

    for (size_t i = 0; i < TG_COUNT(main_numbers); i++) {
        tgi_interval v = metric_of(overall, main_numbers[i].key);

        if (isnan(v.mean))
            continue;
        tgi_number_fixed(v.mean, 3, values[n]);
        tgi_number_fixed(v.low, 3, low);
        tgi_number_fixed(v.high, 3, high);
        snprintf(notes[n], sizeof notes[n], "95 %% interval %s to %s", low, high);
        tiles[n] = (tgi_tile){main_numbers[i].name, values[n], isnan(v.low) ? "" : notes[n]};
        n++;
    }
    return n ? tgi_report_tiles(report, tiles, n) : TG_OK;
}

/* The first metric of the table that the run has, for all methods, as bars. */
static tg_status add_bars(tgi_report *report, const method *methods, size_t n_methods)
{
    tg_status status = TG_OK;
    tgi_bar *bars = NULL;
    tgi_bar_chart chart = {.n_bars = n_methods, .high = 1};
    char *title = NULL;
    size_t k = 0;

    while (k < TG_COUNT(metrics) && isnan(metric_of(methods[0].values, metrics[k].key).mean))
        k++;
    if (k == TG_COUNT(metrics) || n_methods < 2)
        return TG_OK;
    TG_TRY(tgi_alloc(n_methods, sizeof *bars, &bars));
    for (size_t i = 0; i < n_methods; i++)
        bars[i] = (tgi_bar){methods[i].name, metric_of(methods[i].values, metrics[k].key),
                            methods[i].kind == TGI_ROW_FAINT ? TGI_BAR_BASELINE : TGI_BAR_METHOD};
    TG_TRY(tgi_printf(&title, "%s, with 95 %% intervals; baselines grey", metrics[k].heading));
    chart.title = title;
    chart.bars = bars;
    TG_TRY(tgi_report_bars(report, &chart));
cleanup:
    free(bars);
    free(title);
    return status;
}

/* What the shown headings mean, for readers who meet them first here. */
static tg_status add_meanings(tgi_report *report, const json_t *overall)
{
    tgi_fact facts[TG_COUNT(metrics)];
    size_t n = 0;

    for (size_t k = 0; k < TG_COUNT(metrics); k++) {
        if (!isnan(metric_of(overall, metrics[k].key).mean))
            facts[n++] = (tgi_fact){metrics[k].heading, metrics[k].meaning};
    }
    return n ? tgi_report_folded_facts(report, "What the columns mean", facts, n) : TG_OK;
}

/* A share as "95.5 % [93.0, 98.0]". */
static void percent_text(const tgi_interval *share, char out[TGI_INTERVAL_SIZE])
{
    char mean[TGI_NUMBER_SIZE], low[TGI_NUMBER_SIZE], high[TGI_NUMBER_SIZE];
    int digits = share->mean < 0.01 ? 3 : 1;

    tgi_number_fixed(100 * share->mean, digits, mean);
    tgi_number_fixed(100 * share->low, digits, low);
    tgi_number_fixed(100 * share->high, digits, high);
    if (isnan(share->low) || isnan(share->high))
        snprintf(out, TGI_INTERVAL_SIZE, "%s %%", mean);
    else
        snprintf(out, TGI_INTERVAL_SIZE, "%s %% [%s, %s]", mean, low, high);
}

/* How often healthy images are marked, which no score on diseased ones can show. */
static tg_status add_healthy_control(tgi_report *report, const json_t *root)
{
    tg_status status = TG_OK;
    const json_t *overall = json_object_get(root, "overall"),
                 *threshold = json_object_get(root, "threshold");
    const char *rule = json_string_value(json_object_get(threshold, "rule"));
    tgi_interval blank = metric_of(overall, "blank_rate"),
                 fire = metric_of(overall, "healthy_fire");
    char value[TGI_NUMBER_SIZE], count[TGI_NUMBER_SIZE], blanks[TGI_INTERVAL_SIZE],
        fires[TGI_INTERVAL_SIZE];
    char *rule_text = NULL;
    tgi_fact facts[4];
    size_t n = 0;

    if (isnan(blank.mean) && isnan(fire.mean))
        return TG_OK;
    TG_TRY(tgi_report_section(report, "Control on healthy images"));
    TG_TRY(tgi_report_text(
        report, "Maps and masks of images known to be healthy, none of which was trained on. A "
                "method that marks everything scores well on diseased images and fails here."));
    tgi_number_fixed(number_of(root, "n_healthy"), 0, count);
    facts[n++] = (tgi_fact){"healthy images", count};
    if (!isnan(blank.mean)) {
        percent_text(&blank, blanks);
        facts[n++] = (tgi_fact){"share with a blank mask", blanks};
    }
    if (!isnan(fire.mean)) {
        percent_text(&fire, fires);
        facts[n++] = (tgi_fact){"share of their pixels that is marked", fires};
    }
    tgi_number_short(number_of(threshold, "value"), value);
    TG_TRY(tgi_printf(&rule_text, "%s (rule: %s)", value, rule ? rule : "not recorded"));
    facts[n++] = (tgi_fact){"threshold on the map", rule_text};
    TG_TRY(tgi_report_facts(report, facts, n));
cleanup:
    free(rule_text);
    return status;
}

/* Adds the members of a JSON object {NAME: {METRIC: ..}} to methods, which has room. */
static void gather(const json_t *object, tgi_row_kind kind, method *methods, size_t *n)
{
    const char *name;
    json_t *values;

    json_object_foreach((json_t *)object, name, values)
    {
        methods[(*n)++] = (method){name, values, kind};
    }
}

static tg_status add_results(tgi_report *report, const json_t *root)
{
    tg_status status = TG_OK;
    const json_t *overall = json_object_get(root, "overall"),
                 *classes = json_object_get(root, "per_class");
    const json_t *baselines = json_object_get(root, "baselines");
    method *methods = NULL;
    size_t n_methods = 0, n_classes = 0;
    char *caption = NULL, n_diseased[TGI_NUMBER_SIZE];

    TG_TRY(tgi_alloc(1 + json_object_size(baselines) + json_object_size(classes), sizeof *methods,
                     &methods));
    methods[n_methods++] = (method){"this run", overall, TGI_ROW_STRONG};
    gather(baselines, TGI_ROW_FAINT, methods, &n_methods);
    tgi_number_fixed(number_of(root, "n_diseased"), 0, n_diseased);
    TG_TRY(tgi_printf(&caption,
                      "%s held-out diseased images; below each mean its bootstrap 95 %% interval",
                      n_diseased));
    TG_TRY(tgi_report_section(report, "Results"));
    TG_TRY(add_tiles(report, overall));
    TG_TRY(add_table(report, caption, "Method", methods, n_methods));
    TG_TRY(add_meanings(report, overall));
    TG_TRY(add_bars(report, methods, n_methods));
    gather(classes, TGI_ROW_PLAIN, methods, &n_classes);
    if (n_classes > 1)
        TG_TRY(add_table(report, "This run by class of disease", "Class", methods, n_classes));
    TG_TRY(add_healthy_control(report, root));
cleanup:
    free(methods);
    free(caption);
    return status;
}

tg_status tgi_report_add_metrics(tgi_report *report, const char *metrics_path)
{
    tg_status status = TG_OK;
    json_error_t error;
    json_t *root = NULL;
    char *bytes = NULL;
    size_t n;

    TG_TRY(tgi_file_read(metrics_path, MAX_METRICS_BYTES, &bytes, &n));
    root = json_loadb(bytes, n, 0, &error);
    if (!json_is_object(json_object_get(root, "overall"))) {
        status = tg_fail(TG_ERR_FORMAT, "cannot read '%s': %s", metrics_path,
                         root ? "it has no scores ('overall')" : error.text);
        goto cleanup;
    }
    TG_TRY(add_results(report, root));
cleanup:
    json_decref(root);
    free(bytes);
    return status;
}

/* run_metrics.c -- results of an evaluation as a reader wants them: the main numbers, the table of
 * methods, and healthy images apart. */
#include "config.h"
#include "report/run_report.h"
#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* In the order of the table. Those on healthy images have a section of their own. */
static const struct metric {
    const char *key, *heading, *meaning;
} metrics[] = {
    {"ncc", "NCC",
     "correlation of the map with the true difference image, or with the mask where there is none"},
    {"dice", "Dice", "overlap of the mask with the true mask"},
    {"iou", "IoU", "intersection over union of the mask with the true mask"},
    {"poi", "PoI", "share of what was marked that lies in the truth"},
    {"pixel_ap", "Pixel AP", "average precision of the map over all pixels, no threshold"},
    {"pointing", "Pointing", "share of images whose highest point of the map lies in the truth"},
    {"image_auroc", "Image AUROC", "diseased images above healthy ones by the map's highest score"},
    /* boxes, in a table of their own */
    {"iou_equal", "IoU, equal", "found boxes joined to as many as there are, matched one to one"},
    {"poi_equal", "PoI, equal", "found boxes joined to as many as there are, matched one to one"},
    {"iou_unequal", "IoU, unequal", "each found box against the true one that it fits best"},
    {"poi_unequal", "PoI, unequal", "each found box against the true one that it fits best"},
};

enum { N_MAIN = 7 }; /* metrics in front of those of boxes */

typedef struct method {
    const char *name;
    const tg_scores *scores;
    tgi_row_kind kind;
} method;

/* NaN where the metric is absent. */
static tgi_interval metric_of(const tg_scores *scores, const char *name)
{
    const tg_metric *metric = tg_scores_find(scores, name);

    return metric ? (tgi_interval){metric->mean, metric->low, metric->high}
                  : (tgi_interval){NAN, NAN, NAN};
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

/* A table of methods (or classes) by the metrics first to end-1, as far as any of them has them. */
static tg_status add_table(tgi_report *report, const char *caption, const char *first_heading,
                           const method *methods, size_t n_methods, size_t first, size_t end)
{
    tg_status status = TG_OK;
    const char *headings[TG_COUNT(metrics) + 1] = {first_heading};
    size_t shown[TG_COUNT(metrics)], n_shown = 0, n_cells = 0, at = 0;
    char **cells = NULL;
    tgi_row_kind *kinds = NULL;

    for (size_t k = first; k < end; k++) {
        bool has_any = false;

        for (size_t i = 0; i < n_methods; i++)
            has_any |= !isnan(metric_of(methods[i].scores, metrics[k].key).mean);
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
            tgi_interval value = metric_of(methods[i].scores, metrics[shown[k]].key);

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

static tg_status add_tiles(tgi_report *report, const tg_scores *overall)
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

    while (k < TG_COUNT(metrics) && isnan(metric_of(methods[0].scores, metrics[k].key).mean))
        k++;
    if (k == TG_COUNT(metrics) || n_methods < 2)
        return TG_OK;
    TG_TRY(tgi_alloc(n_methods, sizeof *bars, &bars));
    for (size_t i = 0; i < n_methods; i++)
        bars[i] = (tgi_bar){methods[i].name, metric_of(methods[i].scores, metrics[k].key),
                            methods[i].kind == TGI_ROW_FAINT ? TGI_BAR_BASELINE : TGI_BAR_METHOD};
    TG_TRY(tgi_printf(&title, "%s, with 95 %% intervals", metrics[k].heading));
    chart.title = title;
    chart.bars = bars;
    TG_TRY(tgi_report_bars(report, &chart));
cleanup:
    free(bars);
    free(title);
    return status;
}

/* What the shown headings mean, for readers who meet them first here. */
static tg_status add_meanings(tgi_report *report, const tg_scores *overall)
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
static tg_status add_healthy_control(tgi_report *report, const tg_eval_results *results)
{
    tg_status status = TG_OK;
    tgi_interval blank = metric_of(&results->overall, "blank_rate"),
                 fire = metric_of(&results->overall, "healthy_fire");
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
    tgi_number_fixed((double)results->n_healthy, 0, count);
    facts[n++] = (tgi_fact){"healthy images", count};
    if (!isnan(blank.mean)) {
        percent_text(&blank, blanks);
        facts[n++] = (tgi_fact){"share with a blank mask", blanks};
    }
    if (!isnan(fire.mean)) {
        percent_text(&fire, fires);
        facts[n++] = (tgi_fact){"share of their pixels that is marked", fires};
    }
    tgi_number_short(results->threshold, value);
    TG_TRY(tgi_printf(&rule_text, "%s (rule: %s)", value, results->threshold_rule));
    facts[n++] = (tgi_fact){"threshold on the map", rule_text};
    TG_TRY(tgi_report_facts(report, facts, n));
cleanup:
    free(rule_text);
    return status;
}

/* Every number there is, folded away: for those who look for one. */
static tg_status add_all(tgi_report *report, const tg_scores *scores)
{
    tg_status status = TG_OK;
    tgi_fact *facts = NULL;
    char(*texts)[TGI_INTERVAL_SIZE] = NULL;

    TG_TRY(tgi_alloc(scores->n_metrics, sizeof *facts, &facts));
    TG_TRY(tgi_alloc(scores->n_metrics, sizeof *texts, &texts));
    for (size_t i = 0; i < scores->n_metrics; i++) {
        const tg_metric *m = &scores->metrics[i];

        tgi_interval_text(&(tgi_interval){m->mean, m->low, m->high}, 4, texts[i]);
        facts[i] = (tgi_fact){m->name, texts[i]};
    }
    TG_TRY(tgi_report_folded_facts(report, "All metrics of this run, as in metrics.json", facts,
                                   scores->n_metrics));
cleanup:
    free(facts);
    free(texts);
    return status;
}

static tg_status add_classes(tgi_report *report, const tg_eval_results *results)
{
    tg_status status = TG_OK;
    method *rows = NULL;

    if (results->n_classes < 2)
        return TG_OK;
    TG_TRY(tgi_alloc(results->n_classes + 1, sizeof *rows, &rows));
    for (size_t i = 0; i < results->n_classes; i++)
        rows[i] = (method){results->classes[i].name, &results->classes[i], TGI_ROW_PLAIN};
    rows[results->n_classes] = (method){"mean of the classes", &results->class_mean, TGI_ROW_FAINT};
    TG_TRY(add_table(report, "This run by class of disease", "Class", rows,
                     results->n_classes + (results->class_mean.n_metrics > 0), 0, N_MAIN));
cleanup:
    free(rows);
    return status;
}

tg_status tgi_report_add_results(tgi_report *report, const tg_eval_results *results)
{
    tg_status status = TG_OK;
    method *methods = NULL;
    size_t n_methods = 1 + results->n_baselines;
    char *caption = NULL, **names = NULL; /* of the baselines, for people */

    TG_TRY(tgi_alloc(results->n_baselines, sizeof *names, &names));
    TG_TRY(tgi_alloc(n_methods, sizeof *methods, &methods));
    methods[0] = (method){"this run", &results->overall, TGI_ROW_STRONG};
    for (size_t i = 0; i < results->n_baselines; i++) {
        TG_TRY(tgi_strdup(results->baselines[i].name, &names[i]));
        for (char *at = names[i]; (at = strchr(at, '_'));)
            *at = ' ';
        methods[i + 1] = (method){names[i], &results->baselines[i], TGI_ROW_FAINT};
    }
    TG_TRY(tgi_printf(&caption,
                      "%zu held-out diseased images; below each mean its bootstrap 95 %% interval",
                      results->n_diseased));
    TG_TRY(tgi_report_section(report, "Results"));
    TG_TRY(add_tiles(report, &results->overall));
    if (results->note)
        TG_TRY(tgi_report_text(report, results->note));
    TG_TRY(add_table(report, caption, "Method", methods, n_methods, 0, N_MAIN));
    if (results->n_baselines)
        TG_TRY(tgi_report_text(
            report, "Baselines have learned nothing. Their masks are cut at the threshold that is "
                    "best for them on this very truth, so the comparison leans to their side."));
    TG_TRY(add_bars(report, methods, n_methods));
    TG_TRY(add_table(report, "Boxes: with as many as the truth has (equal) and as found (unequal)",
                     "Method", methods, n_methods, N_MAIN, TG_COUNT(metrics)));
    TG_TRY(add_meanings(report, &results->overall));
    TG_TRY(add_classes(report, results));
    if (results->overall.n_metrics)
        TG_TRY(add_all(report, &results->overall));
    TG_TRY(add_healthy_control(report, results));
cleanup:
    if (names)
        tgi_names_free(names, results->n_baselines);
    free(methods);
    free(caption);
    return status;
}

tg_status tgi_report_add_comparison(tgi_report *report, const tg_eval_results *const *results,
                                    const char *const *names, size_t n)
{
    tg_status status = TG_OK;
    method *methods = NULL;

    if (!n)
        return TG_OK;
    TG_TRY(tgi_alloc(n, sizeof *methods, &methods));
    for (size_t i = 0; i < n; i++)
        methods[i] = (method){names[i], &results[i]->overall, TGI_ROW_PLAIN};
    TG_TRY(tgi_report_section(report, "Methods side by side"));
    TG_TRY(add_table(report, "Below each mean its bootstrap 95 % interval", "Method", methods, n, 0,
                     N_MAIN));
    TG_TRY(add_bars(report, methods, n));
cleanup:
    free(methods);
    return status;
}

tg_status tgi_report_add_metrics(tgi_report *report, const char *metrics_path)
{
    tg_status status = TG_OK;
    tg_eval_results *results = NULL;

    TG_TRY(tg_eval_results_load(metrics_path, &results));
    TG_TRY(tgi_report_add_results(report, results));
cleanup:
    tg_eval_results_free(results);
    return status;
}

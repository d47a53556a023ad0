/* tag_report.c -- what a tagging run leaves for all images together: summary.csv, tags.json,
 * report.html. */
#include "config.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/html.h"
#include "report/tag_run.h"
#include "report/value.h"
#include "tag/annotate.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/banned.h"

enum { MAX_TABLE_ROWS = 200 }; /* of the page; summary.csv has all */

/* ---- summary.csv ---- */

static tg_status add_header(const tg_tagger *tagger, tgi_text *csv)
{
    tg_status status = TG_OK;
    char *title = NULL;

    TG_TRY(tgi_text_add(csv, "file,name,label,"));
    for (size_t k = 0; k < tg_tagger_n_classes(tagger); k++) {
        TG_TRY(tgi_printf(&title, "p_%s", tg_tagger_class_name(tagger, k)));
        TG_TRY(tgi_csv_add_cell(csv, title));
        free(title);
        title = NULL;
    }
    TG_TRY(tgi_text_add(csv, "n_boxes,area_share,max_score,mean_score,seconds\n"));
cleanup:
    free(title);
    return status;
}

static tg_status add_row(const tg_tagger *tagger, const tgi_tag_input *input,
                         const tgi_tag_row *row, tgi_text *csv)
{
    const double numbers[] = {row->area_share, row->max_score, row->mean_score, row->seconds};
    tg_status status = TG_OK;

    TG_TRY(tgi_csv_add_cell(csv, input->file ? input->file : ""));
    TG_TRY(tgi_csv_add_cell(csv, input->name));
    TG_TRY(tgi_csv_add_cell(csv, row->label));
    for (size_t k = 0; k < tg_tagger_n_classes(tagger); k++) {
        TG_TRY(tgi_text_add_fixed(csv, row->probabilities[k], 6));
        TG_TRY(tgi_text_add(csv, ","));
    }
    TG_TRY(tgi_text_add(csv, "%zu", row->n_boxes));
    for (size_t i = 0; i < TG_COUNT(numbers); i++) {
        TG_TRY(tgi_text_add(csv, ","));
        TG_TRY(tgi_text_add_fixed(csv, numbers[i], 6));
    }
    TG_TRY(tgi_text_add(csv, "\n"));
cleanup:
    return status;
}

tg_status tgi_tag_write_summary(const tg_tagger *tagger, const tgi_tag_inputs *inputs,
                                const tgi_tag_run_opts *opts, const tgi_tag_result *result)
{
    tg_status status = TG_OK;
    tgi_text csv = {0};

    TG_TRY(add_header(tagger, &csv));
    for (size_t i = 0; i < result->n_rows; i++)
        TG_TRY(add_row(tagger, &inputs->items[result->rows[i].input], &result->rows[i], &csv));
    TG_TRY(tgi_annotate_write(opts->folder, "summary", ".csv", &csv));
cleanup:
    tgi_text_release(&csv);
    return status;
}

/* ---- tags.json ---- */

tg_status tgi_tag_write_rule(const tgi_tag_run_opts *opts, const tgi_tag_result *result)
{
    tg_status status = TG_OK;
    json_t *root = NULL;
    char *path = NULL;

    root =
        json_pack("{s:s,s:o,s:{s:s,s:f},s:I,s:I,s:I}", "version", tg_version(), "model",
                  tgi_json_text(opts->model), "threshold", "rule", opts->tagger.rule_name, "value",
                  opts->tagger.value, "n_images", (json_int_t)result->n_rows, "n_with_boxes",
                  (json_int_t)result->n_with_boxes, "n_failed", (json_int_t)result->n_failed);
    TG_TRY(tgi_path_join(opts->folder, "tags.json", &path));
    TG_TRY(tgi_json_save(path, root));
cleanup:
    json_decref(root);
    free(path);
    return status;
}

/* ---- report.html ---- */

static tg_status add_tiles(tgi_report *report, const tgi_tag_result *result)
{
    char tagged[32], boxes[32], healthy[TGI_NUMBER_SIZE], note[64], failed[32];
    size_t n = 0;
    tgi_tile tiles[4];

    snprintf(tagged, sizeof tagged, "%zu", result->n_rows);
    snprintf(boxes, sizeof boxes, "%zu", result->n_with_boxes);
    snprintf(failed, sizeof failed, "%zu", result->n_failed);
    tiles[n++] = (tgi_tile){"images tagged", tagged, NULL};
    tiles[n++] = (tgi_tile){"with any box", boxes, NULL};
    if (result->n_healthy) {
        tgi_number_fixed((double)result->n_healthy_fire / (double)result->n_healthy, 3, healthy);
        snprintf(note, sizeof note, "%zu of %zu images", result->n_healthy_fire, result->n_healthy);
        tiles[n++] = (tgi_tile){"healthy images with a box", healthy, note};
    }
    if (result->n_failed)
        tiles[n++] = (tgi_tile){"could not be read", failed, NULL};
    return tgi_report_tiles(report, tiles, n);
}

static tg_status add_facts(tgi_report *report, const tg_tagger *tagger,
                           const tgi_tag_run_opts *opts, const tgi_tag_result *result)
{
    char step[32], value[TGI_NUMBER_SIZE], seconds[TGI_NUMBER_SIZE], threshold[96], size[32];
    tgi_text classes = {0};
    tg_status status = TG_OK;

    for (size_t k = 0; k < tg_tagger_n_classes(tagger); k++)
        TG_TRY(tgi_text_add(&classes, "%s%s", k ? ", " : "", tg_tagger_class_name(tagger, k)));
    snprintf(step, sizeof step, "%llu", tg_tagger_step(tagger));
    snprintf(size, sizeof size, "%zu px", tg_tagger_size_px(tagger));
    tgi_number_short(opts->tagger.value, value);
    if (opts->tagger.rule == TG_RULE_FIXED)
        snprintf(threshold, sizeof threshold, "%s (score above %s)", opts->tagger.rule_name, value);
    else
        snprintf(threshold, sizeof threshold, "%s, for each image", opts->tagger.rule_name);
    tgi_duration_text(result->seconds, seconds);
    const tgi_fact facts[] = {
        {"model", opts->model},     {"classes", classes.data}, {"step", step},
        {"size it sees", size},     {"threshold", threshold},  {"device", opts->device->name},
        {"took (h:min:s)", seconds}};
    TG_TRY(tgi_report_facts(report, facts, TG_COUNT(facts)));
cleanup:
    tgi_text_release(&classes);
    return status;
}

static tg_status add_examples(tgi_report *report, const tgi_tag_result *result)
{
    static const char *const headings[] = {"Images without boxes", "Images with boxes"};
    tg_status status = TG_OK;

    for (size_t kind = TG_COUNT(headings); kind-- > 0;) {
        if (result->n_examples[kind])
            TG_TRY(tgi_report_section(report, headings[kind]));
        for (size_t i = 0; i < result->n_examples[kind]; i++) {
            const tgi_tag_example *example = &result->examples[kind][i];

            TG_TRY(tgi_report_image(report, example->png, example->n_bytes, 1.5, ""));
        }
    }
cleanup:
    return status;
}

enum { N_COLUMNS = 6 };

/* Texts of a table, and where they are freed. */
static tg_status fill_row(const tgi_tag_input *input, const tgi_tag_row *row, char **cells)
{
    tg_status status = TG_OK;
    char share[TGI_NUMBER_SIZE], highest[TGI_NUMBER_SIZE], mean[TGI_NUMBER_SIZE];

    tgi_number_fixed(100 * row->area_share, 2, share);
    tgi_number_short(row->max_score, highest);
    tgi_number_short(row->mean_score, mean);
    TG_TRY(tgi_strdup(input->name, &cells[0]));
    TG_TRY(tgi_strdup(row->label, &cells[1]));
    TG_TRY(tgi_printf(&cells[2], "%zu", row->n_boxes));
    TG_TRY(tgi_strdup(share, &cells[3]));
    TG_TRY(tgi_strdup(highest, &cells[4]));
    TG_TRY(tgi_strdup(mean, &cells[5]));
cleanup:
    return status;
}

static tg_status add_table(tgi_report *report, const tgi_tag_inputs *inputs,
                           const tgi_tag_result *result)
{
    static const char *const headings[N_COLUMNS] = {"image",  "looked for",    "boxes",
                                                    "area %", "highest score", "mean score"};
    size_t n = result->n_rows < MAX_TABLE_ROWS ? result->n_rows : MAX_TABLE_ROWS;
    char **cells = NULL, caption[96] = "";
    tg_status status = TG_OK;

    TG_TRY(tgi_alloc(n * N_COLUMNS, sizeof *cells, &cells));
    for (size_t i = 0; i < n; i++)
        TG_TRY(fill_row(&inputs->items[result->rows[i].input], &result->rows[i],
                        cells + i * N_COLUMNS));
    if (n < result->n_rows)
        snprintf(caption, sizeof caption, "The first %zu of %zu; summary.csv has all.", n,
                 result->n_rows);
    TG_TRY(tgi_report_section(report, "All images"));
    TG_TRY(tgi_report_table(report, &(tgi_table){.caption = caption,
                                                 .headings = headings,
                                                 .n_columns = N_COLUMNS,
                                                 .n_rows = n,
                                                 .cells = (const char *const *)cells}));
cleanup:
    for (size_t i = 0; cells && i < n * N_COLUMNS; i++)
        free(cells[i]);
    free(cells);
    return status;
}

/* Settings as facts that own their texts. */
typedef struct fact_list {
    tgi_fact *facts;
    size_t n, capacity;
} fact_list;

static tg_status add_setting(const char *name, const char *value, const char *help, void *user)
{
    tg_status status = TG_OK;
    fact_list *list = user;
    char *copy = NULL;

    TG_UNUSED(help);
    TG_TRY(tgi_grow(&list->facts, &list->capacity, list->n + 1, sizeof *list->facts));
    TG_TRY(tgi_strdup(value, &copy)); /* the name is static, the value is not */
    list->facts[list->n++] = (tgi_fact){name, copy};
cleanup:
    return status;
}

static tg_status add_settings(tgi_report *report, const tg_tagger *tagger,
                              const tgi_tag_run_opts *opts)
{
    tg_status status = TG_OK;
    fact_list list = {0};

    TG_TRY(tgi_settings_each(&tagger->info.settings, add_setting, &list));
    TG_TRY(tgi_report_section(report, "Settings"));
    TG_TRY(tgi_report_folded_facts(report, "All settings of the model", list.facts, list.n));
    TG_TRY(tgi_report_code(report, opts->command));
cleanup:
    for (size_t i = 0; i < list.n; i++)
        free((char *)list.facts[i].value);
    free(list.facts);
    return status;
}

tg_status tgi_tag_write_report(const tg_tagger *tagger, const tgi_tag_inputs *inputs,
                               const tgi_tag_run_opts *opts, const tgi_tag_result *result)
{
    tg_status status = TG_OK;
    tgi_report *report = NULL;
    char *path = NULL, *title = NULL;

    TG_TRY(tgi_printf(&title, "%zu radiographs tagged", result->n_rows));
    TG_TRY(tgi_report_new(
        title, "Disease maps learned from image-level labels. For research; not for diagnosis.",
        &report));
    TG_TRY(add_tiles(report, result));
    TG_TRY(add_facts(report, tagger, opts, result));
    TG_TRY(add_examples(report, result));
    TG_TRY(add_table(report, inputs, result));
    TG_TRY(add_settings(report, tagger, opts));
    TG_TRY(tgi_path_join(opts->folder, "report.html", &path));
    TG_TRY(tgi_report_write(report, path));
cleanup:
    tgi_report_free(report);
    free(path);
    free(title);
    return status;
}

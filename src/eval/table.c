/* table.c -- metrics as tables for people: aligned text or Markdown, never a number without its
 * protocol. */
#include "config.h"
#include "base/memory.h"
#include "base/text.h"
#include "eval/eval.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* Cells as texts, row by row; the first row is the head; the first column is left-aligned, and the
 * last one where it is prose. */
typedef struct grid {
    char **cells;
    size_t n_cells, capacity, n_columns;
    bool ends_in_prose;
} grid;

static void grid_release(grid *g)
{
    for (size_t i = 0; i < g->n_cells; i++)
        free(g->cells[i]);
    free(g->cells);
    *g = (grid){0};
}

static tg_status add_text(grid *g, const char *text)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_grow(&g->cells, &g->capacity, g->n_cells + 1, sizeof *g->cells));
    TG_TRY(tgi_strdup(text, &g->cells[g->n_cells]));
    g->n_cells++;
cleanup:
    return status;
}

static tg_status add_number(grid *g, const tg_metric *metric)
{
    char text[32] = "-";

    if (metric)
        snprintf(text, sizeof text, "%.3f", metric->mean);
    return add_text(g, text);
}

static tg_status add_interval(grid *g, const tg_metric *metric)
{
    char text[64] = "-";

    if (metric)
        snprintf(text, sizeof text, "[%.3f, %.3f]", metric->low, metric->high);
    return add_text(g, text);
}

/* Characters, not bytes: class names may hold letters beyond ASCII. */
static size_t width_of(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void print_spaces(FILE *stream, size_t n)
{
    fprintf(stream, "%*s", (int)n, "");
}

/* One cell and, in plain text, no blanks at the end of its line. */
static void print_cell(const grid *g, size_t column, const char *text, size_t width,
                       bool is_markdown, FILE *stream)
{
    bool is_last = column + 1 == g->n_columns, is_left = !column || (is_last && g->ends_in_prose);

    fputs(is_markdown ? (column ? " | " : "| ") : (column ? "  " : ""), stream);
    if (!is_left)
        print_spaces(stream, width - width_of(text));
    fputs(text, stream);
    if (is_left && (is_markdown || !is_last))
        print_spaces(stream, width - width_of(text));
    if (is_last)
        fputs(is_markdown ? " |\n" : "\n", stream);
}

/* Markdown's line under the head. */
static void print_rule(const grid *g, FILE *stream)
{
    for (size_t c = 0; c < g->n_columns; c++)
        fputs(!c || (c + 1 == g->n_columns && g->ends_in_prose) ? "|---" : "|---:", stream);
    fputs("|\n", stream);
}

static tg_status grid_print(const grid *g, tg_table form, FILE *stream)
{
    tg_status status = TG_OK;
    size_t *widths = NULL;
    bool is_markdown = form == TG_TABLE_MARKDOWN;

    TG_TRY(tgi_alloc(g->n_columns, sizeof *widths, &widths));
    for (size_t i = 0; i < g->n_cells; i++) {
        size_t *width = &widths[i % g->n_columns];

        *width = width_of(g->cells[i]) > *width ? width_of(g->cells[i]) : *width;
    }
    for (size_t i = 0; i < g->n_cells; i++) {
        print_cell(g, i % g->n_columns, g->cells[i], widths[i % g->n_columns], is_markdown, stream);
        if (is_markdown && i + 1 == g->n_columns)
            print_rule(g, stream);
    }
    fputs("\n", stream);
cleanup:
    free(widths);
    return status;
}

static bool is_refined(const char *name)
{
    return tgi_ends_with(name, "_refined");
}

/* One measure for each question that is asked of a map, and what it says. */
static const struct {
    const char *name, *meaning;
} main_metrics[] = {{"ncc", "correlation of the map with the truth"},
                    {"dice", "overlap of mask and truth: twice the common area by both areas"},
                    {"dice_best", "... at the threshold that was best on validation truth"},
                    {"iou", "the same overlap: common area by joint area"},
                    {"poi", "share of the mask that lies in the truth"},
                    {"pixel_ap", "average precision of pixels, ranked by the map"},
                    {"pointing", "share of maps whose highest point lies in the truth"},
                    {"image_auroc", "diseased told from healthy images by the map"},
                    {"blank_rate", "share of healthy images left blank"},
                    {"healthy_fire", "share of a healthy image that is marked"}};

static bool is_main(const char *name)
{
    for (size_t m = 0; m < TG_COUNT(main_metrics); m++) {
        if (!strcmp(main_metrics[m].name, name))
            return true;
    }
    return false;
}

/* Value, interval, images. */
static tg_status add_metric(grid *g, const tg_metric *metric)
{
    tg_status status = TG_OK;
    char text[64];

    TG_TRY(add_text(g, metric->name));
    TG_TRY(add_number(g, metric));
    TG_TRY(add_interval(g, metric));
    snprintf(text, sizeof text, metric->n_skipped ? "%zu (%zu skipped)" : "%zu", metric->n,
             metric->n_skipped);
    TG_TRY(add_text(g, text));
cleanup:
    return status;
}

static tg_status add_metric_head(grid *g, const char *first)
{
    tg_status status = TG_OK;

    TG_TRY(add_text(g, first));
    TG_TRY(add_text(g, "value"));
    TG_TRY(add_text(g, "95 % interval"));
    TG_TRY(add_text(g, "images"));
cleanup:
    return status;
}

static tg_status print_main(const tg_scores *scores, tg_table form, FILE *stream)
{
    tg_status status = TG_OK;
    grid g = {.n_columns = 5, .ends_in_prose = true};

    TG_TRY(add_metric_head(&g, "metric"));
    TG_TRY(add_text(&g, "what it is"));
    for (size_t m = 0; m < TG_COUNT(main_metrics); m++) {
        const tg_metric *metric = tg_scores_find(scores, main_metrics[m].name);

        if (!metric)
            continue;
        TG_TRY(add_metric(&g, metric));
        TG_TRY(add_text(&g, main_metrics[m].meaning));
    }
    if (g.n_cells > g.n_columns)
        TG_TRY(grid_print(&g, form, stream));
cleanup:
    grid_release(&g);
    return status;
}

/* What the main table leaves out. */
static tg_status print_others(const tg_scores *scores, bool refined, tg_table form, FILE *stream)
{
    tg_status status = TG_OK;
    grid g = {.n_columns = 4};

    TG_TRY(add_metric_head(&g, refined ? "oracle-refined" : "other protocol"));
    for (size_t m = 0; m < scores->n_metrics; m++) {
        const tg_metric *metric = &scores->metrics[m];

        if (is_refined(metric->name) == refined && !is_main(metric->name))
            TG_TRY(add_metric(&g, metric));
    }
    if (g.n_cells > g.n_columns)
        TG_TRY(grid_print(&g, form, stream));
cleanup:
    grid_release(&g);
    return status;
}

/* What classes, baselines and methods are compared by: baselines have no dice_best, as each of
 * their masks is cut at the best threshold already. */
static const char *const columns[] = {"ncc",         "dice",       "iou",
                                      "poi",         "pixel_ap",   "pointing",
                                      "image_auroc", "blank_rate", "healthy_fire"};

static tg_status add_row(grid *g, const char *name, const tg_scores *scores)
{
    tg_status status = TG_OK;

    TG_TRY(add_text(g, name));
    for (size_t c = 0; c < TG_COUNT(columns); c++)
        TG_TRY(add_number(g, tg_scores_find(scores, columns[c])));
cleanup:
    return status;
}

static tg_status add_head(grid *g, const char *first)
{
    tg_status status = TG_OK;

    g->n_columns = 1 + TG_COUNT(columns);
    TG_TRY(add_text(g, first));
    for (size_t c = 0; c < TG_COUNT(columns); c++)
        TG_TRY(add_text(g, columns[c]));
cleanup:
    return status;
}

static tg_status print_classes(const tg_eval_results *r, tg_table form, FILE *stream)
{
    tg_status status = TG_OK;
    grid g = {0};

    TG_TRY(add_head(&g, "class"));
    for (size_t k = 0; k < r->n_classes; k++)
        TG_TRY(add_row(&g, r->classes[k].name, &r->classes[k]));
    TG_TRY(add_row(&g, "mean of classes", &r->class_mean));
    TG_TRY(grid_print(&g, form, stream));
cleanup:
    grid_release(&g);
    return status;
}

/* A row of intervals under a row of numbers. */
static tg_status add_intervals(grid *g, const tg_scores *scores)
{
    tg_status status = TG_OK;

    TG_TRY(add_text(g, ""));
    for (size_t c = 0; c < TG_COUNT(columns); c++)
        TG_TRY(add_interval(g, tg_scores_find(scores, columns[c])));
cleanup:
    return status;
}

static tg_status print_baselines(const tg_eval_results *r, tg_table form, tg_detail detail,
                                 FILE *stream)
{
    tg_status status = TG_OK;
    grid g = {0};

    TG_TRY(add_head(&g, "map"));
    for (size_t b = 0; b <= r->n_baselines; b++) {
        const tg_scores *scores = b ? &r->baselines[b - 1] : &r->overall;

        TG_TRY(add_row(&g, b ? scores->name : "this one", scores));
        if (detail == TG_DETAIL_ALL)
            TG_TRY(add_intervals(&g, scores));
    }
    TG_TRY(grid_print(&g, form, stream));
cleanup:
    grid_release(&g);
    return status;
}

static tg_status check_stream(FILE *stream)
{
    return ferror(stream) || fflush(stream)
               ? tg_fail(TG_ERR_IO, "cannot write a table: %s", strerror(errno))
               : TG_OK;
}

tg_status tg_eval_results_print(const tg_eval_results *r, tg_table form, tg_detail detail,
                                FILE *stream)
{
    tg_status status = TG_OK;

    fprintf(stream,
            "%zu diseased and %zu healthy images of %s; threshold %s = %.4g; fractions of 1\n",
            r->n_diseased, r->n_healthy, r->dataset, r->threshold_rule, r->threshold);
    if (r->note)
        fprintf(stream, "%s\n", r->note);
    fputs("\n", stream);
    TG_TRY(print_main(&r->overall, form, stream));
    if (detail == TG_DETAIL_ALL) {
        TG_TRY(print_others(&r->overall, false, form, stream));
        TG_TRY(print_others(&r->overall, true, form, stream));
    }
    if (r->n_classes > 1)
        TG_TRY(print_classes(r, form, stream));
    if (r->n_baselines) {
        fprintf(stream, "Beside maps without learning, each cut at the threshold that suits it "
                        "best on this truth:\n\n");
        TG_TRY(print_baselines(r, form, detail, stream));
    }
    TG_TRY(check_stream(stream));
cleanup:
    return status;
}

tg_status tg_eval_compare_print(const tg_eval_results *const *results, const char *const *names,
                                size_t n, tg_table form, FILE *stream)
{
    tg_status status = TG_OK;
    grid g = {0};

    TG_TRY(add_head(&g, "method"));
    for (size_t i = 0; i < n; i++) {
        TG_TRY(add_row(&g, names[i], &results[i]->overall));
        TG_TRY(add_intervals(&g, &results[i]->overall));
    }
    TG_TRY(grid_print(&g, form, stream));
    TG_TRY(check_stream(stream));
cleanup:
    grid_release(&g);
    return status;
}

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

/* Cells as texts, row by row; the first row is the head, the first column left-aligned. */
typedef struct grid {
    char **cells;
    size_t n_cells, capacity, n_columns;
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

static void print_cell(FILE *stream, const char *text, size_t width, bool is_left)
{
    int padding = (int)(width - width_of(text));

    if (is_left)
        fprintf(stream, "%s%*s", text, padding, "");
    else
        fprintf(stream, "%*s%s", padding, "", text);
}

static tg_status grid_print(const grid *g, tg_table form, FILE *stream)
{
    tg_status status = TG_OK;
    size_t n_rows = g->n_cells / g->n_columns, *widths = NULL;
    bool is_markdown = form == TG_TABLE_MARKDOWN;

    TG_TRY(tgi_alloc(g->n_columns, sizeof *widths, &widths));
    for (size_t i = 0; i < g->n_cells; i++) {
        size_t *width = &widths[i % g->n_columns];

        *width = width_of(g->cells[i]) > *width ? width_of(g->cells[i]) : *width;
    }
    for (size_t row = 0; row < n_rows; row++) {
        for (size_t c = 0; c < g->n_columns; c++) {
            fputs(is_markdown ? (c ? " | " : "| ") : (c ? "  " : ""), stream);
            print_cell(stream, g->cells[row * g->n_columns + c], widths[c], c == 0);
        }
        fputs(is_markdown ? " |\n" : "\n", stream);
        for (size_t c = 0; is_markdown && row == 0 && c < g->n_columns; c++)
            fprintf(stream, c ? "---:|%s" : "|---|%s", c + 1 == g->n_columns ? "\n" : "");
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

/* Metrics with their intervals, a row each. */
static tg_status print_metrics(const tg_scores *scores, bool refined, tg_table form, FILE *stream)
{
    tg_status status = TG_OK;
    grid g = {.n_columns = 4};
    char text[64];

    TG_TRY(add_text(&g, refined ? "oracle-refined" : "metric"));
    TG_TRY(add_text(&g, "value"));
    TG_TRY(add_text(&g, "95 % interval"));
    TG_TRY(add_text(&g, "images"));
    for (size_t m = 0; m < scores->n_metrics; m++) {
        const tg_metric *metric = &scores->metrics[m];

        if (is_refined(metric->name) != refined)
            continue;
        TG_TRY(add_text(&g, metric->name));
        TG_TRY(add_number(&g, metric));
        TG_TRY(add_interval(&g, metric));
        snprintf(text, sizeof text, metric->n_skipped ? "%zu (%zu skipped)" : "%zu", metric->n,
                 metric->n_skipped);
        TG_TRY(add_text(&g, text));
    }
    if (g.n_cells > g.n_columns)
        TG_TRY(grid_print(&g, form, stream));
cleanup:
    grid_release(&g);
    return status;
}

/* What classes and baselines are compared by. */
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

/* A row of numbers and a row of intervals for each. */
static tg_status print_baselines(const tg_eval_results *r, tg_table form, FILE *stream)
{
    tg_status status = TG_OK;
    grid g = {0};

    TG_TRY(add_head(&g, "map"));
    for (size_t b = 0; b <= r->n_baselines; b++) {
        const tg_scores *scores = b ? &r->baselines[b - 1] : &r->overall;

        TG_TRY(add_row(&g, b ? scores->name : "this one", scores));
        TG_TRY(add_text(&g, ""));
        for (size_t c = 0; c < TG_COUNT(columns); c++)
            TG_TRY(add_interval(&g, tg_scores_find(scores, columns[c])));
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

tg_status tg_eval_results_print(const tg_eval_results *r, tg_table form, FILE *stream)
{
    tg_status status = TG_OK;

    fprintf(stream,
            "%zu diseased and %zu healthy images of %s; threshold %s = %.4g; fractions of 1\n\n",
            r->n_diseased, r->n_healthy, r->dataset, r->threshold_rule, r->threshold);
    TG_TRY(print_metrics(&r->overall, false, form, stream));
    TG_TRY(print_metrics(&r->overall, true, form, stream));
    if (r->n_classes > 1)
        TG_TRY(print_classes(r, form, stream));
    if (r->n_baselines) {
        fprintf(stream, "Beside maps without learning, each cut at the threshold that suits it "
                        "best on this truth:\n\n");
        TG_TRY(print_baselines(r, form, stream));
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
        TG_TRY(add_text(&g, ""));
        for (size_t c = 0; c < TG_COUNT(columns); c++)
            TG_TRY(add_interval(&g, tg_scores_find(&results[i]->overall, columns[c])));
    }
    TG_TRY(grid_print(&g, form, stream));
    TG_TRY(check_stream(stream));
cleanup:
    grid_release(&g);
    return status;
}

/* run_curves.c -- the curves of a report: columns of log.csv that belong together, a chart for each
 * group. */
#include "config.h"
#include "report/run_report.h"
#include "base/memory.h"
#include "report/log_csv.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* A column belongs to the group of the part in front of its first '_' or '/', or of its whole name.
 */
static const struct group {
    const char *prefix, *title, *y_label;
    double y_low, y_high;
} groups[] = {
    {"score", "Scores on the validation images", "", 0, 1},
    {"map", "Mean |M|: how much the maps mark on diseased and on healthy images", "mean |M|", 0, 0},
    {"loss", "Losses", "", 0, 0},
    {"lr", "Learning rate", "", 0, 0},
};

/* Metrics of metrics.json stand without a prefix; they are scores. */
static const char *const score_names[] = {
#define TG_METRIC(name, over) #name,
#include "eval/metrics.def"
#undef TG_METRIC
};
/* Of use in a table, not as a curve. */
static const char *const not_drawn[] = {"seconds", "time", "images", "epoch"};

static size_t prefix_size(const char *name)
{
    return strcspn(name, "_/");
}

/* The group's name for a column: a prefix, as a pointer and a size. NULL for one that is not drawn.
 */
static const char *group_of(const char *column, size_t *n)
{
    for (size_t i = 0; i < TG_COUNT(score_names); i++) {
        if (!strcmp(column, score_names[i])) {
            *n = strlen("score");
            return "score";
        }
    }
    *n = prefix_size(column);
    for (size_t i = 0; i < TG_COUNT(not_drawn); i++) {
        if (*n == strlen(not_drawn[i]) && !strncmp(column, not_drawn[i], *n))
            return NULL;
    }
    return column;
}

static bool is_same_group(const char *a, const char *b)
{
    size_t n, m;
    const char *x = group_of(a, &n), *y = group_of(b, &m);

    return x && y && n == m && !strncmp(x, y, n);
}

/* The name in the legend: without the prefix that the title says. */
static const char *curve_name(const char *column, const char *prefix)
{
    size_t n = strlen(prefix);

    return !strncmp(column, prefix, n) && (column[n] == '_' || column[n] == '/') ? column + n + 1
                                                                                 : column;
}

/* Gathers the group that column `first` begins into series; ys is room for all values. */
static size_t gather(const tgi_log_table *table, size_t first, const char *prefix, double *ys,
                     tgi_series *series)
{
    size_t n = 0;

    for (size_t k = first; k < table->n_columns; k++) {
        double *y = ys + n * table->n_rows;
        bool has_value = false;

        if (!is_same_group(table->columns[first], table->columns[k]))
            continue;
        for (size_t row = 0; row < table->n_rows; row++) {
            y[row] = table->values[row * table->n_columns + k];
            has_value |= isfinite(y[row]);
        }
        if (has_value)
            series[n++] =
                (tgi_series){curve_name(table->columns[k], prefix), table->steps, y, table->n_rows};
    }
    return n;
}

/* The chart of one group: as `group` says, or titled by its prefix when it is none we know. */
static tg_status add_group(tgi_report *report, const tgi_log_table *table, size_t first,
                           const struct group *group, long long best_step, double *ys,
                           tgi_series *series)
{
    tg_status status = TG_OK;
    size_t n_prefix;
    char *prefix = NULL;
    const char *name = group_of(table->columns[first], &n_prefix);
    tgi_line_chart chart = {.x_label = "step",
                            .y_label = "",
                            .mark_x = (double)best_step,
                            .mark_label = best_step > 0 ? "weights kept" : NULL};

    TG_TRY(tgi_strndup(name, n_prefix, &prefix));
    chart.title = group ? group->title : prefix;
    if (group) {
        chart.y_label = group->y_label;
        chart.y_low = group->y_low;
        chart.y_high = group->y_high;
    }
    chart.series = series;
    chart.n_series = gather(table, first, prefix, ys, series);
    if (chart.n_series)
        TG_TRY(tgi_report_lines(report, &chart));
cleanup:
    free(prefix);
    return status;
}

static const struct group *known_group(const char *column)
{
    size_t n;
    const char *name = group_of(column, &n);

    for (size_t i = 0; name && i < TG_COUNT(groups); i++) {
        if (n == strlen(groups[i].prefix) && !strncmp(name, groups[i].prefix, n))
            return &groups[i];
    }
    return NULL;
}

static bool is_first_of_group(const tgi_log_table *table, size_t column)
{
    size_t n;

    for (size_t k = 0; k < column; k++) {
        if (is_same_group(table->columns[k], table->columns[column]))
            return false;
    }
    return group_of(table->columns[column], &n) != NULL;
}

tg_status tgi_report_add_curves(tgi_report *report, const char *log_path, long long best_step)
{
    tg_status status = TG_OK;
    tgi_log_table table = {0};
    tgi_series *series = NULL;
    double *ys = NULL;
    size_t n;

    TG_TRY(tgi_log_csv_read(log_path, &table));
    if (!table.n_rows || !table.n_columns)
        goto cleanup;
    TG_TRY(tgi_size_mul(table.n_rows, table.n_columns, &n));
    TG_TRY(tgi_alloc(n, sizeof *ys, &ys));
    TG_TRY(tgi_alloc(table.n_columns, sizeof *series, &series));
    TG_TRY(tgi_report_section(report, "Curves"));
    /* the groups we know in their order of interest, then the rest as the file has them */
    for (size_t g = 0; g < TG_COUNT(groups); g++) {
        for (size_t k = 0; k < table.n_columns; k++) {
            if (is_first_of_group(&table, k) && known_group(table.columns[k]) == &groups[g])
                TG_TRY(add_group(report, &table, k, &groups[g], best_step, ys, series));
        }
    }
    for (size_t k = 0; k < table.n_columns; k++) {
        if (is_first_of_group(&table, k) && !known_group(table.columns[k]))
            TG_TRY(add_group(report, &table, k, NULL, best_step, ys, series));
    }
cleanup:
    free(ys);
    free(series);
    tgi_log_table_release(&table);
    return status;
}

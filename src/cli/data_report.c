/* data_report.c -- what taggan-data prints: problems, and counts as a table or as JSON. */
#include "config.h"
#include "cli/data_report.h"
#include "base/memory.h"
#include "dataset/audit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

enum { SPLITS = 3 };

static void count_warning(tg_log_level level, const char *line, void *user)
{
    if (level > TG_LOG_WARNING)
        return;
    printf("%s\n", line);
    ++*(size_t *)user;
}

void tgi_data_count_warnings(size_t *n)
{
    tg_log_set(count_warning, n);
}

/* What the hooks of a long run carry. The line of progress is on stderr and only where that is a
 * terminal: results stay clean in a file or a pipe. */
typedef struct tracker {
    const char *verb;
    size_t n_problems;
    bool shows_progress, has_line; /* a line of progress stands on the terminal */
} tracker;

static tracker tracker_new(const char *verb, bool is_quiet)
{
    return (tracker){verb, 0, !is_quiet && isatty(STDERR_FILENO), false};
}

static void wipe_line(tracker *watch)
{
    if (watch->has_line)
        fputs("\r\033[K", stderr);
    watch->has_line = false;
}

static void print_problem(const char *problem, void *user)
{
    tracker *watch = user;

    wipe_line(watch);
    watch->n_problems++;
    printf("%s\n", problem);
}

static void print_progress(size_t done, size_t total, void *user)
{
    tracker *watch = user;

    if (!watch->shows_progress || (done % 16 && done != total))
        return;
    fprintf(stderr, "\r%s %zu of %zu images", watch->verb, done, total);
    watch->has_line = true;
    if (done == total)
        wipe_line(watch);
}

tg_status tgi_data_check(const tg_dataset *set, bool is_quiet, size_t *n_problems)
{
    tracker watch = tracker_new("checked", is_quiet);
    tgi_audit_hooks hooks = {print_problem, print_progress, &watch};
    tg_status status = tgi_dataset_audit(set, &hooks);

    wipe_line(&watch);
    *n_problems += watch.n_problems;
    return status;
}

tg_status tgi_data_write(const tg_dataset *set, const char *folder, size_t size_px, bool is_quiet)
{
    tracker watch = tracker_new("wrote", is_quiet);
    tg_status status = tgi_dataset_write(set, folder, size_px, print_progress, &watch);

    wipe_line(&watch);
    return status;
}

/* Images of a split and, for k < n_classes, of those with disease k; rows n_classes.. are healthy,
 * all, patients. */
typedef struct tally {
    size_t n_classes;
    size_t *cells; /* [n_classes + 3][SPLITS] */
} tally;

static size_t *cell(const tally *counts, size_t row, size_t split)
{
    return &counts->cells[row * SPLITS + split];
}

static tg_status count(const tg_dataset *set, tally *out)
{
    tg_status status = TG_OK;

    out->n_classes = tg_dataset_n_classes(set);
    TG_TRY(tgi_alloc(out->n_classes + 3, SPLITS * sizeof *out->cells, &out->cells));
    for (size_t i = 0; i < tg_dataset_n_samples(set); i++) {
        tg_sample sample = tg_dataset_sample(set, i);

        for (size_t k = 0; k < out->n_classes; k++)
            *cell(out, k, sample.split) += sample.labels[k] > 0;
        *cell(out, out->n_classes, sample.split) += !sample.is_diseased;
        *cell(out, out->n_classes + 1, sample.split) += 1;
    }
    for (size_t split = 0; split < SPLITS; split++)
        TG_TRY(
            tgi_dataset_count_patients(set, (tg_split)split, cell(out, out->n_classes + 2, split)));
cleanup:
    return status;
}

static const char *row_name(const tg_dataset *set, const tally *counts, size_t row)
{
    static const char *const names[] = {"(healthy)", "(images)", "(patients)"};

    return row < counts->n_classes ? tg_dataset_class_name(set, row)
                                   : names[row - counts->n_classes];
}

tg_status tgi_data_print_table(const tg_dataset *set)
{
    tally counts = {0, NULL};
    tg_status status = count(set, &counts);
    size_t width = 10;

    for (size_t row = 0; status == TG_OK && row < counts.n_classes + 3; row++) {
        size_t n = strlen(row_name(set, &counts, row));

        width = n > width ? n : width;
    }
    for (size_t row = 0; status == TG_OK && row < counts.n_classes + 3; row++) {
        if (!row)
            printf("%-*s %8s %8s %8s %8s\n", (int)width, "class", "train", "val", "test", "all");
        printf("%-*s", (int)width, row_name(set, &counts, row));
        for (size_t split = 0; split < SPLITS; split++)
            printf(" %8zu", *cell(&counts, row, split));
        printf(" %8zu\n", *cell(&counts, row, 0) + *cell(&counts, row, 1) + *cell(&counts, row, 2));
    }
    free(counts.cells);
    return status;
}

static json_t *split_json(const tg_dataset *set, const tally *counts, size_t split)
{
    json_t *classes = json_object();
    size_t n = counts->n_classes;

    for (size_t k = 0; k < n; k++)
        json_object_set_new(classes, tg_dataset_class_name(set, k),
                            json_integer((json_int_t)*cell(counts, k, split)));
    return json_pack("{s:I, s:I, s:I, s:o}", "images", (json_int_t)*cell(counts, n + 1, split),
                     "patients", (json_int_t)*cell(counts, n + 2, split), "healthy",
                     (json_int_t)*cell(counts, n, split), "classes", classes);
}

tg_status tgi_data_print_json(const tg_dataset *set)
{
    tally counts = {0, NULL};
    tg_status status = count(set, &counts);
    json_t *root = NULL, *splits = NULL;

    if (status == TG_OK) {
        splits = json_object();
        for (size_t split = 0; split < SPLITS; split++)
            json_object_set_new(splits, tgi_audit_split_name((tg_split)split),
                                split_json(set, &counts, split));
        root = json_pack("{s:s, s:I, s:o}", "dataset", tg_dataset_name(set), "images",
                         (json_int_t)tg_dataset_n_samples(set), "splits", splits);
        if (!root || json_dumpf(root, stdout, JSON_INDENT(2)))
            status = tg_fail(TG_ERR_IO, "cannot print the counts as JSON");
        else
            putchar('\n');
    }
    json_decref(root);
    free(counts.cells);
    return status;
}

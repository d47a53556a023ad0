/* labels.c -- reads labels.csv: file, labels, split, patient, in any order, among any other
 * columns. */
#include "config.h"
#include "dataset/dataset.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "dataset/csv.h"
#include "base/banned.h"

typedef struct columns {
    size_t file, labels, split, patient; /* SIZE_MAX = absent */
} columns;

static tg_status find_columns(const tgi_csv *csv, const char *path, columns *out)
{
    static const char *const file[] = {"file"}, *const labels[] = {"labels", "label"};
    static const char *const split[] = {"split"}, *const patient[] = {"patient"};

    if (!csv->n_rows)
        return tg_fail(
            TG_ERR_FORMAT,
            "cannot read '%s': the table is empty (wanted a header: file,labels,split,patient)",
            path);
    out->file = tgi_csv_column(csv, file, TG_COUNT(file));
    out->labels = tgi_csv_column(csv, labels, TG_COUNT(labels));
    out->split = tgi_csv_column(csv, split, TG_COUNT(split));
    out->patient = tgi_csv_column(csv, patient, TG_COUNT(patient));
    if (out->file == SIZE_MAX || out->labels == SIZE_MAX)
        return tg_fail(TG_ERR_FORMAT,
                       "cannot read '%s', line %zu: the header has no column '%s' (wanted "
                       "file,labels,split,patient)",
                       path, csv->line[0], out->file == SIZE_MAX ? "file" : "labels");
    return TG_OK;
}

/* Without blanks around it. */
static tg_status trimmed(const char *field, char **out)
{
    size_t n;

    field += strspn(field, " \t");
    n = strlen(field);
    while (n && (field[n - 1] == ' ' || field[n - 1] == '\t'))
        n--;
    return tgi_strndup(field, n, out);
}

static tg_status parse_split(const char *table, const char *word, size_t line, tg_split *out)
{
    static const char *const names[] = {"train", "val", "test"};

    if (!*word) {
        *out = TG_SPLIT_TRAIN;
        return TG_OK;
    }
    for (int k = 0; k < 3; k++)
        if (tgi_same_word(word, names[k])) {
            *out = (tg_split)k;
            return TG_OK;
        }
    return tg_fail(TG_ERR_FORMAT,
                   "cannot read '%s', line %zu: unknown split '%s' (train, val or test)", table,
                   line, word);
}

static tg_status read_row(tg_dataset *set, const char *table, const tgi_csv *csv, size_t row,
                          const columns *at, bool is_lenient)
{
    tg_status status = TG_OK;
    const size_t line = csv->line[row], n_fields = tgi_csv_n_fields(csv, row);
    const size_t n_needed = (at->file > at->labels ? at->file : at->labels) + 1;
    char *word = NULL;
    const char *path;
    tgi_record *r;

    if (n_fields < n_needed)
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s', line %zu: %zu fields, the header has %zu",
                       table, line, n_fields, tgi_csv_n_fields(csv, 0));
    TG_TRY(tgi_dataset_add(set, &r));
    r->table = table;
    r->line = line;
    TG_TRY(trimmed(tgi_csv_field(csv, row, at->file), &word));
    for (path = word; tgi_starts_with(path, "./");)
        path += 2;
    if (!*path) {
        status =
            tg_fail(TG_ERR_FORMAT, "cannot read '%s', line %zu: no file is named", table, line);
        goto cleanup;
    }
    TG_TRY(tgi_strdup(path, &r->path));
    TG_TRY(tgi_path_join(set->root, path, &r->file));
    if (!is_lenient && !tgi_is_file(r->file)) {
        status = tg_fail(TG_ERR_FORMAT, "cannot read '%s', line %zu: there is no file '%s'", table,
                         line, r->file);
        goto cleanup;
    }
    TG_TRY(trimmed(tgi_csv_field(csv, row, at->labels), &r->label_text));
    TG_TRY(
        trimmed(at->patient == SIZE_MAX ? "" : tgi_csv_field(csv, row, at->patient), &r->patient));
    free(word);
    word = NULL;
    TG_TRY(trimmed(at->split == SIZE_MAX ? "" : tgi_csv_field(csv, row, at->split), &word));
    TG_TRY(parse_split(table, word, line, &r->split));
    set->has_split[r->split] = true;
cleanup:
    free(word);
    return status;
}

tg_status tgi_labels_read(tg_dataset *set, const char *path, const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;
    tgi_csv csv = {0};
    columns at = {0};
    const char *name, *table;
    char *below = NULL;

    if (tgi_is_folder(path))
        TG_TRY(tgi_path_join(path, "labels.csv", &below));
    TG_TRY(tgi_dataset_add_table(set, below ? below : path, &table));
    name = tgi_path_name(table);
    TG_TRY(tgi_strndup(table, (size_t)(name - table), &set->root));
    TG_TRY(tgi_csv_read(table, &csv));
    TG_TRY(find_columns(&csv, table, &at));
    for (size_t row = 1; row < csv.n_rows; row++)
        TG_TRY(read_row(set, table, &csv, row, &at, opts->is_lenient));
    if (!set->n_records) {
        status = tg_fail(TG_ERR_FORMAT, "cannot read '%s': the table names no images", table);
        goto cleanup;
    }
    TG_TRY(tgi_dataset_finish(set, opts));
cleanup:
    tgi_csv_release(&csv);
    free(below);
    return status;
}

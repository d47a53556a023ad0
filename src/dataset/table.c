/* table.c -- tables of published sets. */
#include "config.h"
#include "dataset/table.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

static bool is_empty(const char *field)
{
    return !field[strspn(field, " \t")];
}

tg_status tgi_table_open(tg_dataset *set, const char *path, tgi_table *out)
{
    tg_status status = TG_OK;
    tgi_table table = {0};

    *out = table;
    TG_TRY(tgi_dataset_add_table(set, path, &table.path));
    TG_TRY(tgi_csv_read(path, &table.csv));
    if (table.csv.n_rows)
        table.n_columns = tgi_csv_n_fields(&table.csv, 0);
    while (table.n_columns && is_empty(tgi_csv_field(&table.csv, 0, table.n_columns - 1)))
        table.n_columns--;
    if (!table.n_columns) {
        status = tg_fail(TG_ERR_FORMAT, "cannot read '%s': the table is empty", path);
        goto cleanup;
    }
    *out = table;
    table = (tgi_table){0};
cleanup:
    tgi_table_release(&table);
    return status;
}

void tgi_table_release(tgi_table *table)
{
    tgi_csv_release(&table->csv);
    *table = (tgi_table){0};
}

size_t tgi_table_find(const tgi_table *table, const char *title)
{
    return tgi_csv_column(&table->csv, &title, 1);
}

tg_status tgi_table_need(const tgi_table *table, const char *title, size_t *out)
{
    *out = tgi_table_find(table, title);
    return *out == SIZE_MAX ? tgi_table_bad(table, 0, "the header has no column '%s'", title)
                            : TG_OK;
}

const char *tgi_table_field(const tgi_table *table, size_t row, size_t k)
{
    return k == SIZE_MAX ? "" : tgi_csv_field(&table->csv, row, k);
}

tg_status tgi_table_check_row(const tgi_table *table, size_t row, size_t n_needed)
{
    size_t n = tgi_csv_n_fields(&table->csv, row);
    const size_t n_found = n;

    while (n > table->n_columns && is_empty(tgi_csv_field(&table->csv, row, n - 1)))
        n--;
    if (n > table->n_columns || n < n_needed)
        return tgi_table_bad(table, row, "%zu fields, the header has %zu", n_found,
                             table->n_columns);
    return TG_OK;
}

tg_status tgi_table_sort_rows(const tgi_table *table, size_t column, tgi_key **out)
{
    tg_status status = TG_OK;
    const size_t n = table->csv.n_rows - 1;

    TG_TRY(tgi_alloc(n, sizeof **out, out));
    for (size_t k = 0; k < n; k++)
        (*out)[k] = (tgi_key){tgi_table_field(table, k + 1, column), k + 1};
    tgi_keys_sort(*out, n);
cleanup:
    return status;
}

tg_status tgi_table_bad(const tgi_table *table, size_t row, const char *format, ...)
{
    char why[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return tg_fail(TG_ERR_FORMAT, "cannot read '%s', line %zu: %s", table->path,
                   table->csv.line[row], why);
}

tg_status tgi_table_number(const tgi_table *table, size_t row, size_t k, double *out)
{
    const char *field = tgi_table_field(table, row, k);

    if (!tgi_parse_real(field, out) || !isfinite(*out))
        return tgi_table_bad(table, row, "%s is '%s', no number", tgi_csv_field(&table->csv, 0, k),
                             field);
    return TG_OK;
}

/* One of the comma-separated fields of the line; titles are never quoted. */
static bool has_title(const char *line, const char *title)
{
    const size_t n = strlen(title);

    for (;;) {
        line += strspn(line, " \t");
        if (strncasecmp(line, title, n) == 0 && strchr(",\r\n", line[n + strspn(line + n, " \t")]))
            return true;
        line = strchr(line, ',');
        if (!line)
            return false;
        line++;
    }
}

bool tgi_table_has_titles(const char *path, const char *const *titles, size_t n)
{
    char line[4096];
    const char *start = line;
    FILE *file = fopen(path, "rb");
    bool has = file && fgets(line, sizeof line, file);

    if (file)
        fclose(file);
    if (has && strncmp(line, "\xef\xbb\xbf", 3) == 0)
        start += 3;
    for (size_t k = 0; has && k < n; k++)
        has = has_title(start, titles[k]);
    return has;
}

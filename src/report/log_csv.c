/* log_csv.c -- appends rows to log.csv, takes up an old one on resume, and reads one back for the
 * report's curves. */
#include "config.h"
#include "report/log_csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "report/value.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

enum { MAX_LOG_BYTES = 1 << 28 };

struct tgi_log_csv {
    FILE *stream;
    char *path;
    size_t n_columns;
};

/* One line of the file without its end, and what follows; NULL when no whole line is left. */
static char *next_line(char **rest)
{
    char *line = *rest, *end = line ? strchr(line, '\n') : NULL;

    if (!end)
        return NULL;
    *rest = end + 1;
    if (end > line && end[-1] == '\r')
        end--;
    *end = 0;
    return line;
}

/* Cuts a line at its commas: the cell it begins with, and what follows (NULL at the end). No quotes
 * in this file. */
static char *next_cell(char **rest)
{
    char *cell = *rest, *comma = cell ? strchr(cell, ',') : NULL;

    *rest = comma ? comma + 1 : NULL;
    if (comma)
        *comma = 0;
    return cell;
}

static tg_status read_columns(char *line, const char *path, tgi_log_table *table)
{
    tg_status status = TG_OK;
    size_t capacity = 0;
    char *rest = line, *cell = line ? next_cell(&rest) : NULL;

    if (!cell || strcmp(cell, "step"))
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s': its first column is not 'step'", path);
    while ((cell = next_cell(&rest))) {
        TG_TRY(tgi_grow(&table->columns, &capacity, table->n_columns + 1, sizeof *table->columns));
        TG_TRY(tgi_strdup(cell, &table->columns[table->n_columns]));
        table->n_columns++;
    }
cleanup:
    return status;
}

static tg_status read_row(char *line, const char *path, tgi_log_table *table)
{
    double *values = table->values + table->n_rows * table->n_columns, number;
    char *rest = line, *cell = next_cell(&rest);

    if (!tgi_parse_real(cell, &table->steps[table->n_rows]))
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s': row %zu has no step", path,
                       table->n_rows + 1);
    for (size_t i = 0; i < table->n_columns; i++) {
        cell = next_cell(&rest);
        values[i] = tgi_parse_real(cell, &number) ? number : NAN;
        if (!cell)
            return tg_fail(TG_ERR_FORMAT, "cannot read '%s': row %zu has %zu values, not %zu", path,
                           table->n_rows + 1, i, table->n_columns);
    }
    table->n_rows++;
    return TG_OK;
}

tg_status tgi_log_csv_read(const char *path, tgi_log_table *out)
{
    tg_status status = TG_OK;
    tgi_log_table table = {0};
    char *bytes = NULL, *rest, *line;
    size_t n, n_lines = 0, n_values;

    *out = table;
    TG_TRY(tgi_file_read(path, MAX_LOG_BYTES, &bytes, &n));
    if (memchr(bytes, 0, n)) {
        status = tg_fail(TG_ERR_FORMAT, "cannot read '%s': it is not text", path);
        goto cleanup;
    }
    for (size_t i = 0; i < n; i++)
        n_lines += bytes[i] == '\n';
    rest = bytes;
    TG_TRY(read_columns(next_line(&rest), path, &table));
    TG_TRY(tgi_size_mul(n_lines, table.n_columns, &n_values));
    TG_TRY(tgi_alloc(n_lines, sizeof *table.steps, &table.steps));
    TG_TRY(tgi_alloc(n_values, sizeof *table.values, &table.values));
    while ((line = next_line(&rest))) {
        if (*line)
            TG_TRY(read_row(line, path, &table));
    }
    *out = table;
    table = (tgi_log_table){0};
cleanup:
    free(bytes);
    tgi_log_table_release(&table);
    return status;
}

void tgi_log_table_release(tgi_log_table *table)
{
    tgi_names_free(table->columns, table->n_columns);
    free(table->steps);
    free(table->values);
    *table = (tgi_log_table){0};
}

static tg_status add_cell(tgi_text *text, double value)
{
    char number[TGI_NUMBER_SIZE];

    if (isnan(value))
        return tgi_text_add(text, ",");
    tgi_number_exact(value, number);
    return tgi_text_add(text, ",%s", number);
}

/* The rows of the old log up to a step, in the new order of columns. */
static tg_status add_kept_rows(tgi_text *text, const tgi_log_table *old, const char *const *columns,
                               size_t n_columns, long long keep_step)
{
    tg_status status = TG_OK;
    size_t *from = NULL;

    TG_TRY(tgi_alloc(n_columns, sizeof *from, &from));
    for (size_t i = 0; i < n_columns; i++) {
        while (from[i] < old->n_columns && strcmp(old->columns[from[i]], columns[i]))
            from[i]++;
    }
    for (size_t row = 0; row < old->n_rows; row++) {
        if (old->steps[row] > (double)keep_step)
            continue;
        TG_TRY(tgi_text_add(text, "%lld", (long long)old->steps[row]));
        for (size_t i = 0; i < n_columns; i++)
            TG_TRY(add_cell(text, from[i] < old->n_columns
                                      ? old->values[row * old->n_columns + from[i]]
                                      : (double)NAN));
        TG_TRY(tgi_text_add(text, "\n"));
    }
cleanup:
    free(from);
    return status;
}

tg_status tgi_log_csv_open(const char *path, const char *const *columns, size_t n_columns,
                           long long keep_step, tgi_log_csv **out)
{
    tg_status status = TG_OK;
    tgi_log_csv *log = NULL;
    tgi_log_table old = {0};
    tgi_text text = {0};

    *out = NULL;
    TG_TRY(tgi_text_add(&text, "step"));
    for (size_t i = 0; i < n_columns; i++) {
        if (!*columns[i] || strpbrk(columns[i], ",\"\r\n")) {
            status = tg_fail(TG_ERR_ARGUMENT, "'%s' cannot be a column of '%s'", columns[i], path);
            goto cleanup;
        }
        TG_TRY(tgi_text_add(&text, ",%s", columns[i]));
    }
    TG_TRY(tgi_text_add(&text, "\n"));
    if (keep_step >= 0 && tgi_is_file(path)) {
        TG_TRY(tgi_log_csv_read(path, &old));
        TG_TRY(add_kept_rows(&text, &old, columns, n_columns, keep_step));
    }
    TG_TRY(tgi_file_write(path, text.data, text.size));
    TG_TRY(tgi_alloc(1, sizeof *log, &log));
    log->n_columns = n_columns;
    TG_TRY(tgi_strdup(path, &log->path));
    log->stream = fopen(path, "ab");
    if (!log->stream) {
        status = tg_fail(TG_ERR_IO, "cannot open '%s': %s", path, strerror(errno));
        goto cleanup;
    }
    *out = log;
    log = NULL;
cleanup:
    tgi_log_csv_free(log);
    tgi_log_table_release(&old);
    tgi_text_release(&text);
    return status;
}

tg_status tgi_log_csv_row(tgi_log_csv *log, long long step, const double *values)
{
    tg_status status = TG_OK;
    tgi_text text = {0};
    off_t whole;

    TG_TRY(tgi_text_add(&text, "%lld", step));
    for (size_t i = 0; i < log->n_columns; i++)
        TG_TRY(add_cell(&text, values[i]));
    TG_TRY(tgi_text_add(&text, "\n"));
    whole = lseek(fileno(log->stream), 0, SEEK_END);
    /* past stdio's buffer, which would write the row again after a failure */
    for (size_t done = 0; done < text.size;) {
        ssize_t n = write(fileno(log->stream), text.data + done, text.size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            status = tg_fail(TG_ERR_IO, "cannot write '%s': %s", log->path,
                             strerror(n < 0 ? errno : EIO));
            if (whole >= 0 && ftruncate(fileno(log->stream), whole))
                status = tg_fail_in(status, "a part of a row is left");
            goto cleanup;
        }
        done += (size_t)n;
    }
cleanup:
    tgi_text_release(&text);
    return status;
}

void tgi_log_csv_free(tgi_log_csv *log)
{
    if (!log)
        return;
    if (log->stream)
        fclose(log->stream);
    free(log->path);
    free(log);
}

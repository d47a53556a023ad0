/* csv.c -- comma-separated tables, unquoted in place: a field is never longer than it stands in the
 * file. */
#include "config.h"
#include "dataset/csv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

enum { CSV_BYTES_MAX = 1 << 30 };

typedef enum after { AFTER_COMMA, AFTER_LINE, AFTER_FILE } after;

typedef struct scanner {
    const char *path;
    char *in, *end, *out; /* out never overtakes in */
    size_t line;
} scanner;

static tg_status bad(const scanner *s, size_t line, const char *why)
{
    return tg_fail(TG_ERR_FORMAT, "cannot read '%s', line %zu: %s", s->path, line, why);
}

/* Steps over what ends a field. A lone carriage return ends a line too. */
static after step_over_end(scanner *s)
{
    const char c = s->in < s->end ? *s->in : 0;

    if (s->in >= s->end)
        return AFTER_FILE;
    s->in++;
    if (c == ',')
        return AFTER_COMMA;
    if (c == '\r' && s->in < s->end && *s->in == '\n')
        s->in++;
    s->line++;
    return AFTER_LINE;
}

static tg_status read_quoted(scanner *s)
{
    const size_t first_line = s->line;

    for (s->in++;;) {
        if (s->in >= s->end)
            return bad(s, first_line, "a quote is opened and never closed");
        if (*s->in == '"') {
            s->in++;
            if (s->in >= s->end || *s->in != '"')
                break; /* the closing one; two are one quote of the text */
        }
        if (*s->in == '\n')
            s->line++;
        *s->out++ = *s->in++;
    }
    if (s->in < s->end && *s->in != ',' && *s->in != '\r' && *s->in != '\n')
        return bad(s, s->line, "text stands behind a closing quote");
    return TG_OK;
}

static tg_status read_field(scanner *s, char **field, after *what_follows)
{
    tg_status status = TG_OK;
    char *end;

    *field = s->out;
    if (s->in < s->end && *s->in == '"') {
        TG_TRY(read_quoted(s));
    } else {
        while (s->in < s->end && *s->in != ',' && *s->in != '\r' && *s->in != '\n') {
            if (*s->in == '"')
                return bad(s, s->line, "a quote stands inside an unquoted field");
            *s->out++ = *s->in++;
        }
    }
    end = s->out;
    *what_follows = step_over_end(s);
    *end = 0; /* where the comma, the line's end or the byte behind the file was */
    s->out = end + 1 <= s->in ? end + 1 : s->in;
cleanup:
    return status;
}

static tg_status read_rows(scanner *s, tgi_csv *csv)
{
    tg_status status = TG_OK;

    while (s->in < s->end) {
        const size_t first = csv->n_fields, line = s->line;
        const char *const start = s->in;
        after next = AFTER_COMMA;

        while (next == AFTER_COMMA) {
            TG_TRY(tgi_grow(&csv->fields, &csv->capacity_fields, csv->n_fields + 1,
                            sizeof *csv->fields));
            TG_TRY(read_field(s, &csv->fields[csv->n_fields], &next));
            csv->n_fields++;
        }
        if (csv->n_fields == first + 1 && !csv->fields[first][0] && s->in - start <= 2) {
            csv->n_fields = first; /* an empty line */
            continue;
        }
        TG_TRY(tgi_grow(&csv->first, &csv->capacity_first, csv->n_rows + 1, sizeof *csv->first));
        TG_TRY(tgi_grow(&csv->line, &csv->capacity_line, csv->n_rows + 1, sizeof *csv->line));
        csv->first[csv->n_rows] = first;
        csv->line[csv->n_rows++] = line;
    }
cleanup:
    return status;
}

tg_status tgi_csv_read(const char *path, tgi_csv *out)
{
    tg_status status = TG_OK;
    tgi_csv csv = {0};
    scanner s = {.path = path, .line = 1};
    size_t n;

    *out = csv;
    TG_TRY(tgi_file_read(path, CSV_BYTES_MAX, &csv.bytes, &n));
    s.in = csv.bytes;
    s.end = csv.bytes + n;
    if (n >= 2 && (memcmp(s.in, "\xff\xfe", 2) == 0 || memcmp(s.in, "\xfe\xff", 2) == 0)) {
        status = bad(&s, 1, "the file is UTF-16 (save it as UTF-8)");
        goto cleanup;
    }
    if (n >= 3 && memcmp(s.in, "\xef\xbb\xbf", 3) == 0)
        s.in += 3;
    if (memchr(csv.bytes, 0, n)) {
        status = bad(&s, 1, "the file holds zero bytes, it is no text");
        goto cleanup;
    }
    s.out = s.in;
    TG_TRY(read_rows(&s, &csv));
    *out = csv;
    csv = (tgi_csv){0};
cleanup:
    tgi_csv_release(&csv);
    return status;
}

void tgi_csv_release(tgi_csv *csv)
{
    free(csv->bytes);
    free(csv->fields);
    free(csv->first);
    free(csv->line);
    *csv = (tgi_csv){0};
}

size_t tgi_csv_n_fields(const tgi_csv *csv, size_t row)
{
    return (row + 1 < csv->n_rows ? csv->first[row + 1] : csv->n_fields) - csv->first[row];
}

const char *tgi_csv_field(const tgi_csv *csv, size_t row, size_t k)
{
    return k < tgi_csv_n_fields(csv, row) ? csv->fields[csv->first[row] + k] : "";
}

static bool is_title(const char *field, const char *name)
{
    const size_t n = strlen(name);
    char title[64];

    field += strspn(field, " \t");
    if (n >= sizeof title || strlen(field) < n || field[n + strspn(field + n, " \t")])
        return false;
    memcpy(title, field, n);
    title[n] = 0;
    return tgi_same_word(title, name);
}

size_t tgi_csv_column(const tgi_csv *csv, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; csv->n_rows && k < tgi_csv_n_fields(csv, 0); k++)
            if (is_title(tgi_csv_field(csv, 0, k), names[i]))
                return k;
    return SIZE_MAX;
}

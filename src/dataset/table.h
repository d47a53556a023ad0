/* table.h -- a table of a published set: columns by their titles, rows refused by file and line. */
#ifndef TGI_DATASET_TABLE_H
#define TGI_DATASET_TABLE_H

#include "dataset/csv.h"
#include "dataset/dataset.h"

/* {0} is an empty one; release with tgi_table_release(). */
typedef struct tgi_table {
    const char *path; /* belongs to the set */
    tgi_csv csv;
    size_t n_columns; /* titles; empty ones at the end of the header do not count */
} tgi_table;

tg_status tgi_table_open(tg_dataset *set, const char *path, tgi_table *out) TG_MUST_CHECK;
void tgi_table_release(tgi_table *table);

/* The column of that title; the second fails where there is none, the first says SIZE_MAX. */
size_t tgi_table_find(const tgi_table *table, const char *title);
tg_status tgi_table_need(const tgi_table *table, const char *title, size_t *out) TG_MUST_CHECK;

/* Field k of the row; "" when k is SIZE_MAX or behind the row's end. */
const char *tgi_table_field(const tgi_table *table, size_t row, size_t k);

/* Refuses a row that has more or fewer fields than the header; empty ones at its end may be missing
 * or too many from `n_needed` on. */
tg_status tgi_table_check_row(const tgi_table *table, size_t row, size_t n_needed) TG_MUST_CHECK;

/* The rows behind the header in the order of a column's texts; i is the row. free() releases them. */
tg_status tgi_table_sort_rows(const tgi_table *table, size_t column, tgi_key **out) TG_MUST_CHECK;

/* TG_ERR_FORMAT: cannot read 'PATH', line N: ... */
tg_status tgi_table_bad(const tgi_table *table, size_t row, const char *format, ...)
    TG_PRINTF(3, 4) TG_MUST_CHECK;

/* A finite number; else the row is refused, with the column's title. */
tg_status tgi_table_number(const tgi_table *table, size_t row, size_t k, double *out) TG_MUST_CHECK;

/* Does the first line of the file hold these titles? Reads no more than that line. */
bool tgi_table_has_titles(const char *path, const char *const *titles, size_t n);

#endif

/* log_csv.h -- log.csv of a run: a row at each validation, the step first. Numbers are in the C
 * locale. */
#ifndef TGI_REPORT_LOG_CSV_H
#define TGI_REPORT_LOG_CSV_H

#include "base/status.h"
#include <stddef.h>

typedef struct tgi_log_csv tgi_log_csv;

/* Opens the log with those columns behind "step".
 * keep_step < 0: a new file replaces the old one. Otherwise, on resume, the rows up to and with
 * that step stay and later ones go, as does a last row that was cut off; a column that the old file
 * lacks is empty in its rows, one that is gone is dropped. TG_ERR_FORMAT when the old file is no
 * such log. */
tg_status tgi_log_csv_open(const char *path, const char *const *columns, size_t n_columns,
                           long long keep_step, tgi_log_csv **out) TG_MUST_CHECK;

/* Appends a row of n_columns values, NaN as an empty cell, and hands it to the system. After a
 * failure (a full disk) the file ends with the last whole row. */
tg_status tgi_log_csv_row(tgi_log_csv *log, long long step, const double *values) TG_MUST_CHECK;

void tgi_log_csv_free(tgi_log_csv *log);

/* A log that was read back: values[row * n_columns + column], NaN for an empty cell. */
typedef struct tgi_log_table {
    char **columns; /* without "step" */
    size_t n_columns, n_rows;
    double *steps, *values;
} tgi_log_table;

/* Reads a log; rows that are cut off at the end are left out. */
tg_status tgi_log_csv_read(const char *path, tgi_log_table *out) TG_MUST_CHECK;
void tgi_log_table_release(tgi_log_table *table);

#endif

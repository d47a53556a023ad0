/* csv.h -- comma-separated tables after RFC 4180: quotes, CRLF, a byte order mark, and line numbers
 * for messages. */
#ifndef TGI_DATASET_CSV_H
#define TGI_DATASET_CSV_H

#include "base/status.h"
#include <stddef.h>

/* A whole table in memory. {0} is an empty one; release with tgi_csv_release(). */
typedef struct tgi_csv {
    char *bytes;   /* the file; fields point into it */
    char **fields; /* of all rows, one behind the other */
    size_t n_fields, capacity_fields;
    size_t *first, *line; /* [n_rows] first field and line number (from 1) of each row */
    size_t n_rows, capacity_first, capacity_line;
} tgi_csv;

/* TG_ERR_FORMAT with file and line on bad quoting, zero bytes, UTF-16. Empty lines are skipped. */
tg_status tgi_csv_read(const char *path, tgi_csv *out) TG_MUST_CHECK;
void tgi_csv_release(tgi_csv *csv);

size_t tgi_csv_n_fields(const tgi_csv *csv, size_t row);
/* Field k of the row, "" when the row is shorter. */
const char *tgi_csv_field(const tgi_csv *csv, size_t row, size_t k);
/* Column whose title is one of the n names (case and blanks around do not matter); SIZE_MAX when
 * there is none. */
size_t tgi_csv_column(const tgi_csv *csv, const char *const *names, size_t n);

#endif

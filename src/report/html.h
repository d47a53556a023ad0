/* html.h -- builds one self-contained HTML page: text, facts, tables, charts and pictures, nothing
 * loaded from elsewhere. Every text given is plain text and is escaped here. */
#ifndef TGI_REPORT_HTML_H
#define TGI_REPORT_HTML_H

#include "base/text.h"
#include "report/svg.h"

typedef struct tgi_report tgi_report;

/* title is the page's heading, subtitle the line under it ("" for none). */
tg_status tgi_report_new(const char *title, const char *subtitle, tgi_report **out) TG_MUST_CHECK;
void tgi_report_free(tgi_report *report);

/* Begins a section; the first sections also make the page's table of contents. */
tg_status tgi_report_section(tgi_report *report, const char *heading) TG_MUST_CHECK;
/* A paragraph. */
tg_status tgi_report_text(tgi_report *report, const char *text) TG_MUST_CHECK;
/* Text with fixed width and its line breaks: a command. */
tg_status tgi_report_code(tgi_report *report, const char *text) TG_MUST_CHECK;

typedef struct tgi_fact {
    const char *name, *value;
} tgi_fact;

/* Names and values in two columns. */
tg_status tgi_report_facts(tgi_report *report, const tgi_fact *facts, size_t n) TG_MUST_CHECK;
/* The same, folded away under a line that opens it. */
tg_status tgi_report_folded_facts(tgi_report *report, const char *summary, const tgi_fact *facts,
                                  size_t n) TG_MUST_CHECK;

/* Big numbers side by side: what a reader wants to know first. note may be NULL. */
typedef struct tgi_tile {
    const char *name, *value, *note;
} tgi_tile;
tg_status tgi_report_tiles(tgi_report *report, const tgi_tile *tiles, size_t n) TG_MUST_CHECK;

typedef enum tgi_row_kind { TGI_ROW_PLAIN, TGI_ROW_STRONG, TGI_ROW_FAINT } tgi_row_kind;

typedef struct tgi_table {
    const char *caption;         /* "" for none */
    const char *const *headings; /* n_columns; the first column is text, the others are numbers */
    size_t n_columns, n_rows;
    const char *const
        *cells; /* [n_rows * n_columns]; NULL is an en dash, what follows a line break is small */
    const tgi_row_kind *kinds; /* one to a row, or NULL */
} tgi_table;
tg_status tgi_report_table(tgi_report *report, const tgi_table *table) TG_MUST_CHECK;

tg_status tgi_report_lines(tgi_report *report, const tgi_line_chart *chart) TG_MUST_CHECK;
tg_status tgi_report_bars(tgi_report *report, const tgi_bar_chart *chart) TG_MUST_CHECK;
/* A PNG file's bytes, inlined; its width on the page is that of its pixels divided by density (0
 * means 1). */
tg_status tgi_report_image(tgi_report *report, const void *png, size_t n_bytes, double density,
                           const char *caption) TG_MUST_CHECK;

/* Writes the page by rename. The report may go on and be written again. */
tg_status tgi_report_write(const tgi_report *report, const char *path) TG_MUST_CHECK;
/* The page as text, added to out. */
tg_status tgi_report_page(const tgi_report *report, tgi_text *out) TG_MUST_CHECK;

#endif

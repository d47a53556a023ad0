/* html.c -- the pieces of a report page and the page round them. */
#include "config.h"
#include "report/html.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "base/banned.h"

struct tgi_report {
    char *title, *subtitle;
    tgi_text body, contents; /* contents: <a> elements */
    size_t n_sections;
};

/* Light and dark by the reader's setting; --s0 to --s7 are the hues of svg.c, brighter on dark. */
static const char style[] =
    ":root{color-scheme:light "
    "dark;--page:#fff;--ink:#1b1d21;--soft:#5b616b;--line:#dcdfe4;--card:#f6f7f9;"
    "--s0:#0072b2;--s1:#d55e00;--s2:#00805d;--s3:#b8578f;--s4:#b57c00;--s5:#3b94c9;--s6:#6f5aa8;--"
    "s7:#8a8f98}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#15171b;--ink:#e8eaee;--soft:#a3a9b5;--line:#"
    "333841;"
    "--card:#1e2127;--s0:#5cb0e6;--s1:#f08c4a;--s2:#3cc79b;--s3:#e09bc4;--s4:#e6b34d;--s5:#8accf0;-"
    "-s6:#b3a1e6;"
    "--s7:#8e949e}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);"
    "font:16px/1.55 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}\n"
    "main{max-width:1120px;margin:0 auto;padding:32px 24px 64px}\n"
    "h1{font-size:30px;line-height:1.2;margin:0 0 4px}h2{font-size:21px;margin:44px 0 "
    "12px;padding-top:14px;"
    "border-top:1px solid var(--line)}p{max-width:75ch;margin:10px "
    "0}.sub{color:var(--soft);margin:0 0 14px}\n"
    "nav{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:15px}a{color:var(--s0)}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;margin:14px 0;font-size:15px;"
    "font-variant-numeric:tabular-nums}caption{caption-side:top;text-align:left;color:var(--soft);"
    "padding-bottom:6px}th,td{padding:7px 14px;border-bottom:1px solid "
    "var(--line);text-align:right;"
    "vertical-align:top;white-space:nowrap}th:first-child,td:first-child{text-align:left;padding-"
    "left:4px}"
    "thead th{border-bottom:2px solid var(--line);font-weight:600}tr.strong td{font-weight:600}"
    "tr.faint td{color:var(--soft)}td "
    "small{display:block;font-weight:400;font-size:13px;color:var(--soft)}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 22px;margin:14px "
    "0;font-size:15px}"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:14px;margin:"
    "18px 0}"
    ".tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px}"
    ".tile b{display:block;font-size:27px;line-height:1.25;font-variant-numeric:tabular-nums}"
    ".tile span{color:var(--soft);font-size:14px;display:block}\n"
    "figure{margin:18px "
    "0}figcaption{color:var(--soft);font-size:14px;margin-top:6px;max-width:90ch}"
    "figure img{max-width:100%;height:auto;border:1px solid "
    "var(--line);border-radius:6px;background:#fff}\n"
    "pre{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:12px "
    "14px;overflow-x:auto;"
    "font:14px/1.5 ui-monospace,'DejaVu Sans "
    "Mono',monospace}summary{cursor:pointer;color:var(--s0)}\n"
    "@media print{h2{break-after:avoid}figure,table,.tile{break-inside:avoid}nav{display:none}}\n";

tg_status tgi_report_new(const char *title, const char *subtitle, tgi_report **out)
{
    tg_status status = TG_OK;
    tgi_report *report = NULL;

    *out = NULL;
    TG_TRY(tgi_alloc(1, sizeof *report, &report));
    TG_TRY(tgi_strdup(title, &report->title));
    TG_TRY(tgi_strdup(subtitle, &report->subtitle));
    TG_TRY(tgi_text_add(&report->body, "%s", ""));
    TG_TRY(tgi_text_add(&report->contents, "%s", ""));
    *out = report;
    report = NULL;
cleanup:
    tgi_report_free(report);
    return status;
}

void tgi_report_free(tgi_report *report)
{
    if (!report)
        return;
    free(report->title);
    free(report->subtitle);
    tgi_text_release(&report->body);
    tgi_text_release(&report->contents);
    free(report);
}

/* Markup, escaped text, markup. */
static tg_status add(tgi_text *out, const char *before, const char *text, const char *after)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_text_add(out, "%s", before));
    TG_TRY(tgi_add_escaped(out, text));
    TG_TRY(tgi_text_add(out, "%s", after));
cleanup:
    return status;
}

tg_status tgi_report_section(tgi_report *report, const char *heading)
{
    tg_status status = TG_OK;

    report->n_sections++;
    TG_TRY(tgi_text_add(&report->body, "<h2 id=\"s%zu\">", report->n_sections));
    TG_TRY(add(&report->body, "", heading, "</h2>\n"));
    TG_TRY(tgi_text_add(&report->contents, "<a href=\"#s%zu\">", report->n_sections));
    TG_TRY(add(&report->contents, "", heading, "</a>\n"));
cleanup:
    return status;
}

tg_status tgi_report_text(tgi_report *report, const char *text)
{
    return add(&report->body, "<p>", text, "</p>\n");
}

tg_status tgi_report_code(tgi_report *report, const char *text)
{
    return add(&report->body, "<pre>", text, "</pre>\n");
}

tg_status tgi_report_facts(tgi_report *report, const tgi_fact *facts, size_t n)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_text_add(&report->body, "<dl>\n"));
    for (size_t i = 0; i < n; i++) {
        TG_TRY(add(&report->body, "<dt>", facts[i].name, "</dt>"));
        TG_TRY(add(&report->body, "<dd>", facts[i].value, "</dd>\n"));
    }
    TG_TRY(tgi_text_add(&report->body, "</dl>\n"));
cleanup:
    return status;
}

tg_status tgi_report_folded_facts(tgi_report *report, const char *summary, const tgi_fact *facts,
                                  size_t n)
{
    tg_status status = TG_OK;

    TG_TRY(add(&report->body, "<details><summary>", summary, "</summary>\n"));
    TG_TRY(tgi_report_facts(report, facts, n));
    TG_TRY(tgi_text_add(&report->body, "</details>\n"));
cleanup:
    return status;
}

tg_status tgi_report_tiles(tgi_report *report, const tgi_tile *tiles, size_t n)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_text_add(&report->body, "<div class=\"tiles\">\n"));
    for (size_t i = 0; i < n; i++) {
        TG_TRY(add(&report->body, "<div class=\"tile\"><span>", tiles[i].name, "</span>"));
        TG_TRY(add(&report->body, "<b>", tiles[i].value, "</b>"));
        TG_TRY(add(&report->body, "<span>", tiles[i].note ? tiles[i].note : "", "</span></div>\n"));
    }
    TG_TRY(tgi_text_add(&report->body, "</div>\n"));
cleanup:
    return status;
}

/* What stands behind a line break is small. */
static tg_status add_cell(tgi_text *out, const char *text)
{
    tg_status status = TG_OK;
    const char *second = strchr(text, '\n');
    char *first = NULL;

    TG_TRY(tgi_strndup(text, second ? (size_t)(second - text) : strlen(text), &first));
    TG_TRY(add(out, "<td>", first, ""));
    if (second)
        TG_TRY(add(out, "<small>", second + 1, "</small>"));
    TG_TRY(tgi_text_add(out, "</td>"));
cleanup:
    free(first);
    return status;
}

tg_status tgi_report_table(tgi_report *report, const tgi_table *table)
{
    static const char *const rows[] = {"<tr>", "<tr class=\"strong\">", "<tr class=\"faint\">"};
    tg_status status = TG_OK;
    tgi_text *body = &report->body;

    TG_TRY(tgi_text_add(body, "<div class=\"scroll\"><table>\n"));
    if (*table->caption)
        TG_TRY(add(body, "<caption>", table->caption, "</caption>\n"));
    TG_TRY(tgi_text_add(body, "<thead><tr>"));
    for (size_t i = 0; i < table->n_columns; i++)
        TG_TRY(add(body, "<th scope=\"col\">", table->headings[i], "</th>"));
    TG_TRY(tgi_text_add(body, "</tr></thead>\n<tbody>\n"));
    for (size_t row = 0; row < table->n_rows; row++) {
        TG_TRY(tgi_text_add(body, "%s", rows[table->kinds ? table->kinds[row] : TGI_ROW_PLAIN]));
        for (size_t i = 0; i < table->n_columns; i++) {
            const char *cell = table->cells[row * table->n_columns + i];

            TG_TRY(add_cell(body, cell ? cell : "\xe2\x80\x93"));
        }
        TG_TRY(tgi_text_add(body, "</tr>\n"));
    }
    TG_TRY(tgi_text_add(body, "</tbody></table></div>\n"));
cleanup:
    return status;
}

tg_status tgi_report_lines(tgi_report *report, const tgi_line_chart *chart)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_text_add(&report->body, "<figure>\n"));
    TG_TRY(tgi_svg_lines(chart, &report->body));
    TG_TRY(tgi_text_add(&report->body, "</figure>\n"));
cleanup:
    return status;
}

tg_status tgi_report_bars(tgi_report *report, const tgi_bar_chart *chart)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_text_add(&report->body, "<figure>\n"));
    TG_TRY(tgi_svg_bars(chart, &report->body));
    TG_TRY(tgi_text_add(&report->body, "</figure>\n"));
cleanup:
    return status;
}

tg_status tgi_report_image(tgi_report *report, const void *png, size_t n_bytes, double density,
                           const char *caption)
{
    tg_status status = TG_OK;
    const unsigned char *bytes = png;
    char *base64 = NULL;
    unsigned width;

    if (n_bytes < 24 || memcmp(bytes, "\x89PNG\r\n\x1a\n", 8))
        return tg_fail(TG_ERR_ARGUMENT, "the picture '%s' is not a PNG file", caption);
    width = (unsigned)bytes[16] << 24 | (unsigned)bytes[17] << 16 | (unsigned)bytes[18] << 8 |
            bytes[19];
    base64 = g_base64_encode(bytes, n_bytes);
    TG_TRY(tgi_text_add(&report->body, "<figure><img width=\"%u\" src=\"data:image/png;base64,",
                        (unsigned)(width / (density > 0 ? density : 1) + 0.5)));
    TG_TRY(tgi_text_add_bytes(&report->body, base64, strlen(base64)));
    TG_TRY(add(&report->body, "\" alt=\"", caption, "\">"));
    if (*caption)
        TG_TRY(add(&report->body, "<figcaption>", caption, "</figcaption>"));
    TG_TRY(tgi_text_add(&report->body, "</figure>\n"));
cleanup:
    g_free(base64);
    return status;
}

tg_status tgi_report_page(const tgi_report *report, tgi_text *out)
{
    tg_status status = TG_OK;

    /* the policy lets a browser load nothing, whatever a text may have smuggled in */
    TG_TRY(tgi_text_add(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
        "style-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"));
    TG_TRY(tgi_text_add(out, "<meta name=\"generator\" content=\"taggan %s\">\n", tg_version()));
    TG_TRY(add(out, "<title>", report->title, "</title>\n"));
    TG_TRY(tgi_text_add(out, "<style>\n%s</style>\n</head>\n<body>\n<main>\n", style));
    TG_TRY(add(out, "<h1>", report->title, "</h1>\n"));
    if (*report->subtitle)
        TG_TRY(add(out, "<p class=\"sub\">", report->subtitle, "</p>\n"));
    if (report->n_sections > 1)
        TG_TRY(tgi_text_add(out, "<nav>\n%s</nav>\n", report->contents.data));
    TG_TRY(tgi_text_add_bytes(out, report->body.data, report->body.size));
    TG_TRY(tgi_text_add(out, "</main>\n</body>\n</html>\n"));
cleanup:
    return status;
}

tg_status tgi_report_write(const tgi_report *report, const char *path)
{
    tg_status status = TG_OK;
    tgi_text page = {0};

    TG_TRY(tgi_report_page(report, &page));
    TG_TRY(tgi_file_write(path, page.data, page.size));
cleanup:
    tgi_text_release(&page);
    return status;
}

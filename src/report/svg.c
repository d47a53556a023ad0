/* svg.c -- draws line charts and bar charts as SVG text. Coordinates are in units of the viewBox,
 * 720 wide. */
#include "config.h"
#include "report/svg.h"
#include "base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "base/banned.h"

enum { MAX_TICKS = 12, MAX_POINTS = 1200, MAX_DOTS = 60 };
#define WIDTH        720.0
#define LETTER_WIDTH 7.6 /* of 12-unit text in a wide sans-serif font: labels are not cut */

const char *tgi_hue(size_t i)
{
    static const char *const hues[8] = {
        "var(--s0,#0072b2)", "var(--s1,#d55e00)", "var(--s2,#009e73)", "var(--s3,#cc79a7)",
        "var(--s4,#e69f00)", "var(--s5,#56b4e9)", "var(--s6,#7f6bb3)", "var(--s7,#8a8a8a)"};

    return hues[i % 8];
}

tg_status tgi_add_escaped(tgi_text *out, const char *s)
{
    tg_status status = TG_OK;
    char *valid = g_utf8_make_valid(s, -1);

    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        if (c == '<')
            TG_TRY(tgi_text_add(out, "&lt;"));
        else if (c == '>')
            TG_TRY(tgi_text_add(out, "&gt;"));
        else if (c == '&')
            TG_TRY(tgi_text_add(out, "&amp;"));
        else if (c == '"')
            TG_TRY(tgi_text_add(out, "&quot;"));
        else if (c == '\'')
            TG_TRY(tgi_text_add(out, "&#39;"));
        else if ((c < 32 && c != '\n' && c != '\t') || c == 127 || c == 0xfffe || c == 0xffff)
            TG_TRY(tgi_text_add(out, "\xef\xbf\xbd"));
        else
            TG_TRY(tgi_text_add_bytes(out, at, (size_t)(g_utf8_next_char(at) - at)));
    }
    TG_TRY(tgi_text_add(out, "%s", "")); /* an empty text is a text */
cleanup:
    g_free(valid);
    return status;
}

/* A coordinate, a tenth of a unit exact, whatever the locale. */
static tg_status add_number(tgi_text *out, const char *before, double value, const char *after)
{
    char number[TGI_NUMBER_SIZE];

    g_ascii_formatd(number, sizeof number, "%.1f", fmax(-1e6, fmin(1e6, value)));
    return tgi_text_add(out, "%s%s%s", before, number, after);
}

/* ---- axes ---- */

typedef struct axis {
    tgi_axis kind;
    double low, high; /* data; of a log axis their logarithms to base 10 */
    double from, to;  /* coordinates */
    double ticks[MAX_TICKS];
    size_t n_ticks;
    double step; /* between ticks */
} axis;

static double place(const axis *a, double value)
{
    double v = a->kind == TGI_AXIS_LOG ? log10(value) : value;

    return a->from + (v - a->low) / (a->high - a->low) * (a->to - a->from);
}

/* The step out of 1, 2, 5 x 10^k that gives at most `wanted` ticks over a span. */
static double nice_step(double span, size_t wanted)
{
    static const double factors[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(span / (double)wanted)));

    for (size_t i = 0; i < TG_COUNT(factors); i++) {
        if (factors[i] * power * (double)wanted >= span * (1 - 1e-9))
            return factors[i] * power;
    }
    return 10 * power;
}

/* Sets ticks over [low, high], which grows to the next tick on both sides when it came from the
 * data. */
static void set_ticks(axis *a, size_t wanted, bool is_from_data)
{
    if (!(a->high > a->low)) { /* one value: a span round it */
        double half = a->kind == TGI_AXIS_LOG ? 0.5 : fmax(fabs(a->low) * 0.1, 1e-6);

        a->low -= half;
        a->high += half;
    }
    a->step = nice_step(a->high - a->low, wanted);
    if (a->kind == TGI_AXIS_LOG)
        a->step = fmax(1, round(a->step));
    if (is_from_data) {
        a->low = floor(a->low / a->step + 1e-9) * a->step;
        a->high = ceil(a->high / a->step - 1e-9) * a->step;
    }
    a->n_ticks = 0;
    for (double i = ceil(a->low / a->step - 1e-9); i * a->step <= a->high + a->step * 1e-9; i++) {
        if (a->n_ticks < MAX_TICKS)
            a->ticks[a->n_ticks++] = a->kind == TGI_AXIS_LOG ? pow(10, i * a->step) : i * a->step;
    }
}

static void tick_text(const axis *a, double value, char out[TGI_NUMBER_SIZE])
{
    char text[TGI_NUMBER_SIZE];
    int digits = (int)fmax(0, -floor(log10(a->step) + 1e-9));

    if (a->kind == TGI_AXIS_LOG)
        tgi_number_exact(value, out);
    else if (digits > 4)
        g_ascii_formatd(out, TGI_NUMBER_SIZE, "%.3g", fabs(value) < a->step * 1e-6 ? 0 : value);
    else if (fabs(a->high) >= 1e6 || fabs(a->low) >= 1e6)
        g_ascii_formatd(out, TGI_NUMBER_SIZE, "%.4g", value);
    else if (fabs(a->high) >= 20000 && fmod(a->step, 1000) == 0) {
        tgi_number_fixed(value / 1000, 0, text);
        g_snprintf(out, TGI_NUMBER_SIZE, value == 0 ? "%s" : "%sk", text);
    } else
        tgi_number_fixed(fabs(value) < a->step * 1e-6 ? 0 : value, digits, out);
}

/* ---- pieces ---- */

static tg_status add_text(tgi_text *out, double x, double y, const char *attributes,
                          const char *text)
{
    tg_status status = TG_OK;

    TG_TRY(add_number(out, "<text x=\"", x, "\""));
    TG_TRY(add_number(out, " y=\"", y, "\""));
    TG_TRY(tgi_text_add(out, " %s>", attributes));
    TG_TRY(tgi_add_escaped(out, text));
    TG_TRY(tgi_text_add(out, "</text>\n"));
cleanup:
    return status;
}

static tg_status add_line(tgi_text *out, double x1, double y1, double x2, double y2,
                          const char *attributes)
{
    tg_status status = TG_OK;

    TG_TRY(add_number(out, "<line x1=\"", x1, "\""));
    TG_TRY(add_number(out, " y1=\"", y1, "\""));
    TG_TRY(add_number(out, " x2=\"", x2, "\""));
    TG_TRY(add_number(out, " y2=\"", y2, "\""));
    TG_TRY(tgi_text_add(out, " %s/>\n", attributes));
cleanup:
    return status;
}

static tg_status open_svg(tgi_text *out, double height, const char *title)
{
    tg_status status = TG_OK;

    TG_TRY(add_number(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 ", height,
                      "\""));
    TG_TRY(tgi_text_add(
        out, " width=\"100%%\" role=\"img\" font-family=\"system-ui,'DejaVu Sans',sans-serif\" "
             "font-size=\"12\" fill=\"currentColor\" style=\"max-width:900px\">\n<title>"));
    TG_TRY(tgi_add_escaped(out, title));
    TG_TRY(tgi_text_add(out, "</title>\n"));
    if (*title)
        TG_TRY(add_text(out, 0, 14, "font-size=\"14\" font-weight=\"600\"", title));
cleanup:
    return status;
}

static double text_width(const char *text)
{
    return LETTER_WIDTH * (double)g_utf8_strlen(text, -1);
}

/* Swatches and names from y downwards, broken where a row is full; moves y to the last row. Writes
 * nothing when out is NULL, so that the height can be known first. */
static tg_status add_legend(tgi_text *out, const tgi_series *series, size_t n, double *y)
{
    tg_status status = TG_OK;
    double x = 0;

    for (size_t i = 0; i < n; i++) {
        double width = 24 + text_width(series[i].name) + 18;
        char attributes[96];

        if (x > 0 && x + width > WIDTH) {
            x = 0;
            *y += 18;
        }
        if (out) {
            g_snprintf(attributes, sizeof attributes, "stroke=\"%s\" stroke-width=\"3\"%s",
                       tgi_hue(i), i >= 8 ? " stroke-dasharray=\"5 3\"" : "");
            TG_TRY(add_line(out, x, *y - 4, x + 18, *y - 4, attributes));
            TG_TRY(add_text(out, x + 24, *y, "", series[i].name));
        }
        x += width;
    }
cleanup:
    return status;
}

static tg_status add_axes(tgi_text *out, const axis *x, const axis *y, const tgi_line_chart *chart)
{
    tg_status status = TG_OK;
    char number[TGI_NUMBER_SIZE];

    for (size_t i = 0; i < y->n_ticks; i++) {
        double at = place(y, y->ticks[i]);

        TG_TRY(add_line(out, x->from, at, x->to, at,
                        "stroke=\"currentColor\" stroke-opacity=\".15\""));
        tick_text(y, y->ticks[i], number);
        TG_TRY(
            add_text(out, x->from - 8, at + 4, "text-anchor=\"end\" fill-opacity=\".75\"", number));
    }
    for (size_t i = 0; i < x->n_ticks; i++) {
        double at = place(x, x->ticks[i]);

        TG_TRY(add_line(out, at, y->from, at, y->from + 5,
                        "stroke=\"currentColor\" stroke-opacity=\".5\""));
        tick_text(x, x->ticks[i], number);
        TG_TRY(
            add_text(out, at, y->from + 19, "text-anchor=\"middle\" fill-opacity=\".75\"", number));
    }
    TG_TRY(add_line(out, x->from, y->from, x->to, y->from,
                    "stroke=\"currentColor\" stroke-opacity=\".5\""));
    if (chart->x_label && *chart->x_label)
        TG_TRY(add_text(out, (x->from + x->to) / 2, y->from + 38, "text-anchor=\"middle\"",
                        chart->x_label));
    if (chart->y_label && *chart->y_label) {
        TG_TRY(add_number(out, "<g transform=\"translate(12 ", (y->from + y->to) / 2,
                          ") rotate(-90)\">"));
        TG_TRY(add_text(out, 0, 0, "text-anchor=\"middle\"", chart->y_label));
        TG_TRY(tgi_text_add(out, "</g>\n"));
    }
cleanup:
    return status;
}

/* ---- curves ---- */

static bool is_shown(const tgi_line_chart *chart, const tgi_series *s, size_t i)
{
    return isfinite(s->x[i]) && isfinite(s->y[i]) &&
           (chart->y_axis == TGI_AXIS_LINEAR || s->y[i] > 0);
}

static void span_of_data(const tgi_line_chart *chart, axis *x, axis *y)
{
    bool is_log = chart->y_axis == TGI_AXIS_LOG;

    x->low = y->low = INFINITY;
    x->high = y->high = -INFINITY;
    for (size_t k = 0; k < chart->n_series; k++) {
        for (size_t i = 0; i < chart->series[k].n; i++) {
            double v = chart->series[k].y[i];

            if (!is_shown(chart, &chart->series[k], i))
                continue;
            v = is_log ? log10(v) : v;
            x->low = fmin(x->low, chart->series[k].x[i]);
            x->high = fmax(x->high, chart->series[k].x[i]);
            y->low = fmin(y->low, v);
            y->high = fmax(y->high, v);
        }
    }
    if (!(x->low <= x->high)) {
        x->low = y->low = 0;
        x->high = y->high = 1;
    }
}

static tg_status add_point(tgi_text *out, const axis *x, const axis *y, double px, double py,
                           bool is_first)
{
    tg_status status = TG_OK;
    double low = fmin(y->from, y->to), high = fmax(y->from, y->to);

    TG_TRY(add_number(out, is_first ? "M" : "L", place(x, px), " "));
    TG_TRY(add_number(out, "", fmax(low, fmin(high, place(y, py))), ""));
cleanup:
    return status;
}

/* The path of one curve. Of each group of `group` points the lowest and the highest stay, in their
 * order. */
static tg_status add_path(tgi_text *out, const tgi_line_chart *chart, const tgi_series *s,
                          const axis *x, const axis *y)
{
    tg_status status = TG_OK;
    size_t group = s->n > MAX_POINTS ? (s->n + MAX_POINTS / 2 - 1) / (MAX_POINTS / 2) : 1;
    bool is_first = true;

    for (size_t begin = 0; begin < s->n; begin += group) {
        size_t end = begin + group < s->n ? begin + group : s->n, low = s->n, high = s->n;

        for (size_t i = begin; i < end; i++) {
            if (!is_shown(chart, s, i))
                continue;
            if (low == s->n || s->y[i] < s->y[low])
                low = i;
            if (high == s->n || s->y[i] > s->y[high])
                high = i;
        }
        if (low == s->n)
            continue;
        size_t one = low < high ? low : high, two = low < high ? high : low;

        TG_TRY(add_point(out, x, y, s->x[one], s->y[one], is_first));
        if (one != two)
            TG_TRY(add_point(out, x, y, s->x[two], s->y[two], false));
        is_first = false;
    }
cleanup:
    return status;
}

/* Dots with the numbers to point at, where there are few. */
static tg_status add_dots(tgi_text *out, const tgi_line_chart *chart, const tgi_series *s,
                          const axis *x, const axis *y, const char *hue)
{
    tg_status status = TG_OK;
    char at[TGI_NUMBER_SIZE], value[TGI_NUMBER_SIZE];

    for (size_t i = 0; i < s->n; i++) {
        if (!is_shown(chart, s, i))
            continue;
        tgi_number_short(s->x[i], at);
        tgi_number_short(s->y[i], value);
        TG_TRY(add_number(out, "<circle cx=\"", place(x, s->x[i]), "\""));
        TG_TRY(add_number(out, " cy=\"", fmax(y->to, fmin(y->from, place(y, s->y[i]))), "\""));
        TG_TRY(tgi_text_add(out, " r=\"2.5\" fill=\"%s\"><title>", hue));
        TG_TRY(tgi_add_escaped(out, s->name));
        TG_TRY(tgi_text_add(out, " %s at %s</title></circle>\n", value, at));
    }
cleanup:
    return status;
}

static tg_status add_curve(tgi_text *out, const tgi_line_chart *chart, size_t k, const axis *x,
                           const axis *y)
{
    tg_status status = TG_OK;
    const tgi_series *s = &chart->series[k];

    TG_TRY(tgi_text_add(
        out,
        "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\"%s d=\"",
        tgi_hue(k), k >= 8 ? " stroke-dasharray=\"5 3\"" : ""));
    TG_TRY(add_path(out, chart, s, x, y));
    TG_TRY(tgi_text_add(out, "\"/>\n"));
    if (s->n <= MAX_DOTS)
        TG_TRY(add_dots(out, chart, s, x, y, tgi_hue(k)));
cleanup:
    return status;
}

static tg_status add_mark(tgi_text *out, const tgi_line_chart *chart, const axis *x, const axis *y)
{
    tg_status status = TG_OK;
    double at = place(x, chart->mark_x);
    bool is_right = at > (x->from + x->to) / 2;

    if (!chart->mark_label || !*chart->mark_label ||
        !(chart->mark_x >= x->low && chart->mark_x <= x->high))
        return TG_OK;
    TG_TRY(add_line(out, at, y->from, at, y->to,
                    "stroke=\"currentColor\" stroke-opacity=\".6\" stroke-dasharray=\"4 3\""));
    TG_TRY(add_text(out, is_right ? at - 6 : at + 6, y->to - 5,
                    is_right ? "text-anchor=\"end\" fill-opacity=\".85\"" : "fill-opacity=\".85\"",
                    chart->mark_label));
cleanup:
    return status;
}

tg_status tgi_svg_lines(const tgi_line_chart *chart, tgi_text *out)
{
    tg_status status = TG_OK;
    bool has_y_label = chart->y_label && *chart->y_label, is_given = chart->y_low < chart->y_high;
    bool has_mark = chart->mark_label && *chart->mark_label;
    axis x = {.from = has_y_label ? 70 : 52, .to = WIDTH - 12}, y = {.kind = chart->y_axis};
    double legend_y = *chart->title ? 38 : 14;

    span_of_data(chart, &x, &y);
    if (is_given) {
        y.low = chart->y_axis == TGI_AXIS_LOG ? log10(chart->y_low) : chart->y_low;
        y.high = chart->y_axis == TGI_AXIS_LOG ? log10(chart->y_high) : chart->y_high;
    }
    set_ticks(&x, 8, false);
    set_ticks(&y, 6, !is_given);
    TG_TRY(add_legend(NULL, chart->series, chart->n_series, &legend_y));
    y.to = legend_y + (has_mark ? 30 : 14); /* the mark's label stands above the curves */
    y.from = y.to + 230;
    TG_TRY(open_svg(out, y.from + (chart->x_label && *chart->x_label ? 46 : 26), chart->title));
    legend_y = *chart->title ? 38 : 14;
    TG_TRY(add_legend(out, chart->series, chart->n_series, &legend_y));
    TG_TRY(add_axes(out, &x, &y, chart));
    TG_TRY(add_mark(out, chart, &x, &y));
    for (size_t k = 0; k < chart->n_series; k++)
        TG_TRY(add_curve(out, chart, k, &x, &y));
    TG_TRY(tgi_text_add(out, "</svg>\n"));
cleanup:
    return status;
}

/* ---- bars ---- */

static tg_status add_bar(tgi_text *out, const tgi_bar *bar, const axis *x, double y)
{
    tg_status status = TG_OK;
    char text[TGI_INTERVAL_SIZE];
    double zero = place(x, fmax(0, x->low)), end = zero, text_at;
    bool has_whisker =
        isfinite(bar->value.low) && isfinite(bar->value.high) && isfinite(bar->value.mean);

    if (isfinite(bar->value.mean))
        end = place(x, fmin(fmax(bar->value.mean, x->low), x->high));
    text_at = fmax(zero, end);
    TG_TRY(add_text(out, x->from - 10, y + 14, "text-anchor=\"end\"", bar->name));
    TG_TRY(add_number(out, "<rect x=\"", fmin(zero, end), "\""));
    TG_TRY(add_number(out, " y=\"", y + 2, "\" height=\"16\""));
    TG_TRY(add_number(out, " width=\"", fabs(end - zero), "\" rx=\"2\""));
    TG_TRY(tgi_text_add(out, " fill=\"%s\"/>\n", tgi_hue(bar->kind == TGI_BAR_BASELINE ? 7 : 0)));
    if (has_whisker) {
        const char *ink = "stroke=\"currentColor\" stroke-width=\"1.5\"";
        double low = place(x, fmax(bar->value.low, x->low)),
               high = place(x, fmin(bar->value.high, x->high));

        TG_TRY(add_line(out, low, y + 10, high, y + 10, ink));
        TG_TRY(add_line(out, low, y + 6, low, y + 14, ink));
        TG_TRY(add_line(out, high, y + 6, high, y + 14, ink));
        text_at = fmax(text_at, high);
    }
    tgi_interval_text(&bar->value, 3, text);
    TG_TRY(add_text(out, text_at + 8, y + 14, "fill-opacity=\".85\"", text));
cleanup:
    return status;
}

tg_status tgi_svg_bars(const tgi_bar_chart *chart, tgi_text *out)
{
    enum { ROW = 26, VALUE_WIDTH = 150 };
    tg_status status = TG_OK;
    double widest = 0, top = *chart->title ? 28 : 4;
    double bottom = top + ROW * (double)chart->n_bars;
    axis x = {.low = 0, .high = chart->high};
    char number[TGI_NUMBER_SIZE];

    for (size_t i = 0; i < chart->n_bars; i++) {
        const tgi_interval *v = &chart->bars[i].value;

        widest = fmax(widest, text_width(chart->bars[i].name));
        x.low = fmin(x.low, fmin(isfinite(v->mean) ? v->mean : 0, isfinite(v->low) ? v->low : 0));
        if (!(chart->high > 0))
            x.high = fmax(x.high,
                          fmax(isfinite(v->mean) ? v->mean : 0, isfinite(v->high) ? v->high : 0));
    }
    x.from = fmin(widest + 14, WIDTH / 2);
    x.to = WIDTH - VALUE_WIDTH;
    if (x.low == 0 && x.high == 0)
        x.high = 1;
    set_ticks(&x, 5, !(chart->high > 0) || x.low < 0);
    TG_TRY(open_svg(out, bottom + 26, chart->title));
    for (size_t i = 0; i < x.n_ticks; i++) {
        double at = place(&x, x.ticks[i]);

        TG_TRY(add_line(out, at, top, at, bottom + 4,
                        "stroke=\"currentColor\" stroke-opacity=\".15\""));
        tick_text(&x, x.ticks[i], number);
        TG_TRY(
            add_text(out, at, bottom + 20, "text-anchor=\"middle\" fill-opacity=\".75\"", number));
    }
    for (size_t i = 0; i < chart->n_bars; i++)
        TG_TRY(add_bar(out, &chart->bars[i], &x, top + ROW * (double)i));
    TG_TRY(tgi_text_add(out, "</svg>\n"));
cleanup:
    return status;
}

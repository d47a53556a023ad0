/* svg.h -- charts as inline SVG: curves over steps, and bars with intervals. They take their ink
 * from the page (currentColor) and their hues from its variables --s0 to --s7, so that they follow
 * a dark page; a file without those variables shows the defaults. */
#ifndef TGI_REPORT_SVG_H
#define TGI_REPORT_SVG_H

#include "base/text.h"
#include "report/value.h"

/* Hues told apart with any colour vision (Okabe and Ito), as CSS text; i is taken modulo 8. */
const char *tgi_hue(size_t i);

/* One curve. Points whose y is NaN are passed over: a log has rows without a validation. All is
 * borrowed. */
typedef struct tgi_series {
    const char *name;
    const double *x, *y;
    size_t n;
} tgi_series;

typedef enum tgi_axis { TGI_AXIS_LINEAR, TGI_AXIS_LOG } tgi_axis;

/* Curves over one axis. */
typedef struct tgi_line_chart {
    const char *title, *x_label, *y_label; /* "" for none */
    const tgi_series *series;
    size_t n_series;
    tgi_axis y_axis;      /* LOG leaves out what is not positive */
    double y_low, y_high; /* both 0: from the data */
    double mark_x;        /* a vertical line there, with mark_label; no label, no line */
    const char *mark_label;
} tgi_line_chart;

/* Appends <svg>...</svg> to out. Curves of many points are thinned to what a screen can show,
 * extremes kept. */
tg_status tgi_svg_lines(const tgi_line_chart *chart, tgi_text *out) TG_MUST_CHECK;

typedef enum tgi_bar_kind { TGI_BAR_METHOD, TGI_BAR_BASELINE } tgi_bar_kind;

typedef struct tgi_bar {
    const char *name;
    tgi_interval value; /* a whisker from low to high where they are numbers */
    tgi_bar_kind kind;  /* baselines are drawn grey */
} tgi_bar;

/* Lying bars from 0, one below the other. */
typedef struct tgi_bar_chart {
    const char *title;
    const tgi_bar *bars;
    size_t n_bars;
    double high; /* end of the axis; 0: from the data */
} tgi_bar_chart;

tg_status tgi_svg_bars(const tgi_bar_chart *chart, tgi_text *out) TG_MUST_CHECK;

/* Appends s with the characters of markup escaped; bytes that are no UTF-8 or that XML forbids
 * become U+FFFD. */
tg_status tgi_add_escaped(tgi_text *out, const char *s) TG_MUST_CHECK;

#endif

/* panel_cell.h -- what panel.c lays out and panel_cell.c draws: text, lines and the pictures
 * themselves. */
#ifndef TGI_REPORT_PANEL_CELL_H
#define TGI_REPORT_PANEL_CELL_H

#include "report/panel.h"

#include <pango/pangocairo.h>
#include <stdbool.h>

typedef struct tgi_ink {
    double r, g, b;
} tgi_ink;

/* Of text, of less important text, of the frame round a picture. */
#define TGI_INK_TEXT  ((tgi_ink){0.10, 0.10, 0.12})
#define TGI_INK_FAINT ((tgi_ink){0.36, 0.36, 0.40})
#define TGI_INK_EDGE  ((tgi_ink){0.70, 0.70, 0.73})
/* As in tag/overlay.c. */
#define TGI_INK_MASK  ((tgi_ink){1, 0, 0})
#define TGI_INK_FOUND ((tgi_ink){0, 1, 0})
#define TGI_INK_TRUTH ((tgi_ink){64 / 255.0, 128 / 255.0, 1})

typedef enum tgi_text_style {
    TGI_TEXT_PLAIN,
    TGI_TEXT_BOLD,
    TGI_TEXT_TITLE,
    TGI_TEXT_SMALL,
    TGI_TEXT_CAPTION /* wrapped, its first line bold */
} tgi_text_style;

void tgi_put_ink(cairo_t *cr, tgi_ink ink);
/* Text in a box of that width, its top at y; too long a line ends in an ellipsis. */
void tgi_put_text(cairo_t *cr, double x, double y, double width, tgi_text_style style,
                  PangoAlignment align, const char *text);
/* A grey line round a rectangle. */
void tgi_put_frame(cairo_t *cr, double x, double y, double w, double h);
/* A box as a line with a dark rim, so that it shows on white and on grey. */
void tgi_put_box(cairo_t *cr, double x, double y, double w, double h, tgi_ink colour,
                 bool is_dashed);
/* Paints w x h RGB bytes over a rectangle. */
tg_status tgi_put_rgb(cairo_t *cr, const uint8_t *rgb, size_t w, size_t h, double x, double y,
                      double to_w, double to_h, cairo_filter_t filter) TG_MUST_CHECK;

/* Pixels of a cell's picture; 0 for an empty cell. */
void tgi_cell_size(const tgi_cell *cell, size_t *w, size_t *h);
/* Draws a cell into a rectangle, its sides in proportion; density is pixels to a unit, map_range as
 * in the panel. */
tg_status tgi_cell_draw(cairo_t *cr, const tgi_cell *cell, double map_range, double density,
                        double x, double y, double to_w, double to_h) TG_MUST_CHECK;

#endif

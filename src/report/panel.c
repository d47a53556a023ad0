/* panel.c -- lays out sample panels and draws them with cairo and pango. Lengths are in units of
 * the layout, which are `density` pixels each. */
#include "config.h"
#include "report/panel_cell.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum {
    MARGIN = 14,
    GAP = 8,
    CAPTION_WIDTH = 128,
    TITLE_HEIGHT = 30,
    HEADING_HEIGHT = 24,
    NOTE_HEIGHT = 18
};
enum {
    LEAST_WIDTH = 680,
    FOOTER_HEIGHT = 58,
    BAR_WIDTH = 200,
    BAR_HEIGHT = 12,
    MAX_SIDE_PX = 30000
};

/* Where things stand; found once from the panel. */
typedef struct layout {
    double cell_w, cell_h, note_h, caption_w, top, footer_h, width, height, density, map_range;
    bool has_map, has_mask, has_found, has_truth;
} layout;

static tg_status lay_out(const tgi_panel *panel, layout *out)
{
    layout l = {.cell_w = panel->cell_px ? (double)panel->cell_px : 168,
                .density = panel->density > 0 ? panel->density : 1,
                .map_range = panel->map_range > 0 ? panel->map_range : 1};
    double tallest = 0;

    for (size_t i = 0; i < panel->n_rows * panel->n_columns; i++) {
        const tgi_cell *cell = &panel->rows[i / panel->n_columns].cells[i % panel->n_columns];
        size_t w, h;

        tgi_cell_size(cell, &w, &h);
        if (cell->kind != TGI_CELL_EMPTY && (!w || !h))
            return tg_fail(TG_ERR_SHAPE, "panel: the picture in row %zu, column %zu is empty",
                           i / panel->n_columns + 1, i % panel->n_columns + 1);
        if (w)
            tallest = fmax(tallest, (double)h / (double)w);
        if (cell->note)
            l.note_h = NOTE_HEIGHT;
        l.has_map |= cell->kind == TGI_CELL_MAP;
        l.has_mask |= cell->kind == TGI_CELL_GREY && cell->mask;
        l.has_found |= cell->n_regions > 0;
        l.has_truth |= cell->n_truth > 0;
    }
    for (size_t i = 0; i < panel->n_rows; i++) {
        if (panel->rows[i].caption)
            l.caption_w = CAPTION_WIDTH;
    }
    /* a long picture is made narrower, not the row higher without end */
    l.cell_h = l.cell_w * (tallest > 0 ? fmin(tallest, 1.5) : 1);
    l.top = MARGIN + (panel->title ? TITLE_HEIGHT : 0) + HEADING_HEIGHT;
    l.footer_h = l.has_map || l.has_mask || l.has_found || l.has_truth ? FOOTER_HEIGHT : 0;
    l.width = 2 * MARGIN + l.caption_w + (double)panel->n_columns * (l.cell_w + GAP) - GAP;
    l.width = fmax(l.width, LEAST_WIDTH);
    l.height =
        l.top + (double)panel->n_rows * (l.cell_h + l.note_h + GAP) + l.footer_h + MARGIN - GAP;
    if (!(fmax(l.width, l.height) * l.density <= MAX_SIDE_PX))
        return tg_fail(TG_ERR_ARGUMENT,
                       "panel: %zu rows of %zu pictures are too many for one picture",
                       panel->n_rows, panel->n_columns);
    *out = l;
    return TG_OK;
}

static tg_status put_row(cairo_t *cr, const tgi_panel *panel, const layout *l, size_t i)
{
    tg_status status = TG_OK;
    const tgi_panel_row *row = &panel->rows[i];
    double y = l->top + (double)i * (l->cell_h + l->note_h + GAP);

    if (row->caption) {
        tgi_put_ink(cr, TGI_INK_TEXT);
        tgi_put_text(cr, MARGIN, y, CAPTION_WIDTH - 10, TGI_TEXT_CAPTION, PANGO_ALIGN_LEFT,
                     row->caption);
    }
    for (size_t k = 0; k < panel->n_columns; k++) {
        double x = MARGIN + l->caption_w + (double)k * (l->cell_w + GAP);

        TG_TRY(tgi_cell_draw(cr, &row->cells[k], l->map_range, l->density, x, y, l->cell_w,
                             l->cell_h));
        if (row->cells[k].note) {
            tgi_put_ink(cr, TGI_INK_FAINT);
            tgi_put_text(cr, x, y + l->cell_h + 3, l->cell_w, TGI_TEXT_SMALL, PANGO_ALIGN_CENTER,
                         row->cells[k].note);
        }
    }
cleanup:
    return status;
}

/* The scale of the map, drawn by the same function as the maps. */
static tg_status put_colour_bar(cairo_t *cr, const layout *l, double x, double y)
{
    tg_status status = TG_OK;
    tg_image ramp = {0};
    uint8_t rgb[3 * BAR_WIDTH];
    char number[TGI_NUMBER_SIZE], label[TGI_NUMBER_SIZE + 1];

    TG_TRY(tg_image_new(BAR_WIDTH, 1, &ramp));
    for (int i = 0; i < BAR_WIDTH; i++)
        ramp.pixels[i] = (float)(l->map_range * (2.0 * i / (BAR_WIDTH - 1) - 1));
    TG_TRY(tg_map_draw(&ramp, l->map_range, TG_RAMP_BLUE_WHITE_RED, rgb));
    tgi_put_ink(cr, TGI_INK_TEXT);
    tgi_put_text(cr, x, y, l->width - x, TGI_TEXT_SMALL, PANGO_ALIGN_LEFT,
                 "disease map: image minus its healthy twin (black to white is 2)");
    y += 16;
    TG_TRY(tgi_put_rgb(cr, rgb, BAR_WIDTH, 1, x, y, BAR_WIDTH, BAR_HEIGHT, CAIRO_FILTER_NEAREST));
    tgi_put_frame(cr, x, y, BAR_WIDTH, BAR_HEIGHT);
    for (int i = 0; i <= 4; i++) {
        double at = x + BAR_WIDTH * i / 4.0, value = l->map_range * (i / 2.0 - 1);

        tgi_put_ink(cr, TGI_INK_EDGE);
        cairo_move_to(cr, at, y + BAR_HEIGHT + 1);
        cairo_line_to(cr, at, y + BAR_HEIGHT + 4);
        cairo_stroke(cr);
        tgi_put_ink(cr, TGI_INK_TEXT);
        tgi_number_fixed(value, 2 * fabs(value) == round(2 * fabs(value)) ? 1 : 2, number);
        g_snprintf(label, sizeof label, "%s%s", value > 0 ? "+" : "", value == 0 ? "0" : number);
        tgi_put_text(cr, at - 30, y + BAR_HEIGHT + 5, 60, TGI_TEXT_SMALL, PANGO_ALIGN_CENTER,
                     label);
    }
cleanup:
    tg_image_release(&ramp);
    return status;
}

static double put_key(cairo_t *cr, double x, double y, tgi_ink colour, bool is_dashed,
                      bool is_filled, const char *text)
{
    if (is_filled) {
        cairo_set_source_rgba(cr, colour.r, colour.g, colour.b, 0.3);
        cairo_rectangle(cr, x, y + 1, 18, 11);
        cairo_fill_preserve(cr);
        tgi_put_ink(cr, colour);
        cairo_set_line_width(cr, 1.2);
        cairo_stroke(cr);
    } else
        tgi_put_box(cr, x, y + 1, 18, 11, colour, is_dashed);
    tgi_put_ink(cr, TGI_INK_TEXT);
    tgi_put_text(cr, x + 25, y, 90, TGI_TEXT_SMALL, PANGO_ALIGN_LEFT, text);
    return x + 98;
}

static tg_status put_footer(cairo_t *cr, const layout *l)
{
    tg_status status = TG_OK;
    double x = MARGIN + l->caption_w, y = l->height - l->footer_h - MARGIN + 8;

    if (l->has_map) {
        /* half a label hangs over the bar's left end */
        TG_TRY(put_colour_bar(cr, l, x + (l->caption_w > 0 ? 0 : 12), y));
        x += BAR_WIDTH + 40;
    }
    y += l->has_map ? 16 : 4;
    if (l->has_mask)
        x = put_key(cr, x, y, TGI_INK_MASK, false, true, "mask");
    if (l->has_found)
        x = put_key(cr, x, y, TGI_INK_FOUND, false, false, "found box");
    if (l->has_truth)
        put_key(cr, x, y, TGI_INK_TRUTH, true, false, "true box");
cleanup:
    return status;
}

static cairo_status_t take_bytes(void *out, const unsigned char *bytes, unsigned n)
{
    return tgi_text_add_bytes(out, bytes, n) == TG_OK ? CAIRO_STATUS_SUCCESS
                                                      : CAIRO_STATUS_NO_MEMORY;
}

tg_status tgi_panel_draw(const tgi_panel *panel, tgi_text *out)
{
    tg_status status = TG_OK;
    cairo_surface_t *surface = NULL;
    cairo_t *cr = NULL;
    layout l = {0};

    TG_TRY(lay_out(panel, &l));
    surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(l.width * l.density),
                                         (int)ceil(l.height * l.density));
    cr = cairo_create(surface);
    cairo_scale(cr, l.density, l.density);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    tgi_put_ink(cr, TGI_INK_TEXT);
    if (panel->title)
        tgi_put_text(cr, MARGIN, MARGIN - 2, l.width - 2 * MARGIN, TGI_TEXT_TITLE, PANGO_ALIGN_LEFT,
                     panel->title);
    for (size_t k = 0; k < panel->n_columns; k++)
        tgi_put_text(cr, MARGIN + l.caption_w + (double)k * (l.cell_w + GAP),
                     l.top - HEADING_HEIGHT + 3, l.cell_w, TGI_TEXT_BOLD, PANGO_ALIGN_CENTER,
                     panel->headings[k]);
    for (size_t i = 0; i < panel->n_rows; i++)
        TG_TRY(put_row(cr, panel, &l, i));
    if (l.footer_h > 0)
        TG_TRY(put_footer(cr, &l));
    if (cairo_status(cr) != CAIRO_STATUS_SUCCESS ||
        cairo_surface_write_to_png_stream(surface, take_bytes, out) != CAIRO_STATUS_SUCCESS)
        status =
            tg_fail(TG_ERR_MEMORY, "panel: cannot draw %.0f x %.0f pixels: %s", l.width * l.density,
                    l.height * l.density, cairo_status_to_string(cairo_status(cr)));
cleanup:
    if (cr)
        cairo_destroy(cr);
    if (surface)
        cairo_surface_destroy(surface);
    return status;
}

tg_status tgi_panel_save(const tgi_panel *panel, const char *path)
{
    tg_status status = TG_OK;
    tgi_text png = {0};

    TG_TRY(tgi_panel_draw(panel, &png));
    TG_TRY(tgi_file_write(path, png.data, png.size));
cleanup:
    tgi_text_release(&png);
    return status;
}

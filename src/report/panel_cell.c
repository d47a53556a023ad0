/* panel_cell.c -- draws the pieces of a panel: text, boxes, and one picture with what lies over it.
 */
#include "config.h"
#include "report/panel_cell.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

void tgi_cell_size(const tgi_cell *cell, size_t *w, size_t *h)
{
    *w = *h = 0;
    if (cell->kind == TGI_CELL_GREY || cell->kind == TGI_CELL_MAP) {
        *w = cell->image->width_px;
        *h = cell->image->height_px;
    } else if (cell->kind == TGI_CELL_MASK) {
        *w = cell->mask->width_px;
        *h = cell->mask->height_px;
    } else if (cell->kind == TGI_CELL_RGB) {
        *w = cell->rgb_width_px;
        *h = cell->rgb_height_px;
    }
}

void tgi_put_ink(cairo_t *cr, tgi_ink c)
{
    cairo_set_source_rgb(cr, c.r, c.g, c.b);
}

/* Text in a box of that width, its top at y; too long a line ends in an ellipsis. Returns its
 * height. */
void tgi_put_text(cairo_t *cr, double x, double y, double width, tgi_text_style style,
                  PangoAlignment align, const char *text)
{
    static const char *const fonts[] = {"DejaVu Sans, sans-serif 9",
                                        "DejaVu Sans, sans-serif Bold 9",
                                        "DejaVu Sans, sans-serif Bold 12",
                                        "DejaVu Sans, sans-serif 8", "DejaVu Sans, sans-serif 9"};
    PangoLayout *line = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_from_string(fonts[style]);
    char *valid = g_utf8_make_valid(text, -1);

    pango_layout_set_font_description(line, font);
    pango_layout_set_text(line, valid, -1);
    if (style == TGI_TEXT_CAPTION) { /* its first line is bold */
        PangoAttrList *attributes = pango_attr_list_new();
        PangoAttribute *bold = pango_attr_weight_new(PANGO_WEIGHT_BOLD);

        bold->start_index = 0;
        bold->end_index = (guint)strcspn(valid, "\n");
        pango_attr_list_insert(attributes, bold);
        pango_layout_set_attributes(line, attributes);
        pango_attr_list_unref(attributes);
        pango_layout_set_wrap(line, PANGO_WRAP_WORD_CHAR);
        pango_layout_set_height(line, -8); /* lines of a paragraph */
    }
    pango_layout_set_width(line, (int)(width * PANGO_SCALE));
    pango_layout_set_alignment(line, align);
    pango_layout_set_ellipsize(line, PANGO_ELLIPSIZE_END);
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout(cr, line);
    g_free(valid);
    pango_font_description_free(font);
    g_object_unref(line);
}

void tgi_put_frame(cairo_t *cr, double x, double y, double w, double h)
{
    tgi_put_ink(cr, TGI_INK_EDGE);
    cairo_set_line_width(cr, 1);
    cairo_rectangle(cr, x - 0.5, y - 0.5, w + 1, h + 1);
    cairo_stroke(cr);
}

/* A box of the picture's pixels as a line with a dark rim, so that it shows on white and on grey.
 */
void tgi_put_box(cairo_t *cr, double x, double y, double w, double h, tgi_ink colour,
                 bool is_dashed)
{
    const double dashes[2] = {5, 3};

    cairo_rectangle(cr, x, y, w, h);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.6);
    cairo_set_line_width(cr, 3.6);
    cairo_stroke_preserve(cr);
    tgi_put_ink(cr, colour);
    cairo_set_line_width(cr, 2);
    if (is_dashed)
        cairo_set_dash(cr, dashes, 2, 0);
    cairo_stroke(cr);
    cairo_set_dash(cr, NULL, 0, 0);
}

/* Paints w x h RGB bytes over a rectangle of the layout. */
tg_status tgi_put_rgb(cairo_t *cr, const uint8_t *rgb, size_t w, size_t h, double x, double y,
                      double to_w, double to_h, cairo_filter_t filter)
{
    tg_status status = TG_OK;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)w, (int)h);
    unsigned char *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);

    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        status = tg_fail(TG_ERR_MEMORY, "panel: no memory for a picture of %zu x %zu pixels", w, h);
        goto cleanup;
    }
    cairo_surface_flush(surface);
    for (size_t i = 0; i < w * h; i++) {
        uint32_t pixel =
            (uint32_t)rgb[3 * i] << 16 | (uint32_t)rgb[3 * i + 1] << 8 | rgb[3 * i + 2];

        memcpy(data + i / w * stride + i % w * 4, &pixel, 4);
    }
    cairo_surface_mark_dirty(surface);
    cairo_save(cr);
    cairo_rectangle(cr, x, y, to_w, to_h);
    cairo_clip(cr);
    cairo_translate(cr, x, y);
    cairo_scale(cr, to_w / (double)w, to_h / (double)h);
    cairo_set_source_surface(cr, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), filter);
    cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    cairo_paint(cr);
    cairo_restore(cr);
cleanup:
    cairo_surface_destroy(surface);
    return status;
}

/* A grey image or a map: resized as numbers and coloured after that, so that no colour appears
 * which is not on the scale. */
static tg_status put_image(cairo_t *cr, const tgi_cell *cell, double map_range, double density,
                           double x, double y, double w, double h)
{
    tg_status status = TG_OK;
    tg_image shown = {0};
    uint8_t *rgb = NULL;
    size_t to_w = (size_t)fmax(1, round(w * density)), to_h = (size_t)fmax(1, round(h * density));

    TG_TRY(tg_image_resize(cell->image, to_w, to_h, &shown));
    TG_TRY(tgi_alloc(to_w * to_h, 3, &rgb));
    if (cell->kind == TGI_CELL_MAP) {
        TG_TRY(tg_map_draw(&shown, map_range, TG_RAMP_BLUE_WHITE_RED, rgb));
    } else {
        TG_TRY(tg_overlay_draw(&shown, NULL, NULL, 0, rgb));
    }
    TG_TRY(tgi_put_rgb(cr, rgb, to_w, to_h, x, y, w, h, CAIRO_FILTER_BILINEAR));
cleanup:
    free(rgb);
    tg_image_release(&shown);
    return status;
}

static tg_status put_mask(cairo_t *cr, const tg_mask *mask, double x, double y, double w, double h)
{
    tg_status status = TG_OK;
    uint8_t *rgb = NULL;

    TG_TRY(tgi_alloc(mask->width_px * mask->height_px, 3, &rgb));
    for (size_t i = 0; i < mask->width_px * mask->height_px; i++)
        memset(rgb + 3 * i, mask->pixels[i] ? 255 : 0, 3);
    /* a small mask keeps its pixels square; a large one is averaged down */
    TG_TRY(tgi_put_rgb(cr, rgb, mask->width_px, mask->height_px, x, y, w, h,
                       (double)mask->width_px > w ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST));
cleanup:
    free(rgb);
    return status;
}

static bool is_set(const tg_mask *mask, size_t x, size_t y)
{
    return x < mask->width_px && y < mask->height_px && mask->pixels[y * mask->width_px + x];
}

/* The mask over a picture: tinted inside, and a line along the sides of its pixels. Coordinates are
 * the mask's. */
static void put_overlay(cairo_t *cr, const tg_mask *mask, double pixel)
{
    for (size_t y = 0; y < mask->height_px; y++) {
        for (size_t x = 0; x < mask->width_px; x++) {
            size_t end = x;

            while (is_set(mask, end, y))
                end++;
            if (end > x)
                cairo_rectangle(cr, (double)x, (double)y, (double)(end - x), 1);
            x = end > x ? end - 1 : x;
        }
    }
    cairo_set_antialias(cr, CAIRO_ANTIALIAS_NONE);
    cairo_set_source_rgba(cr, TGI_INK_MASK.r, TGI_INK_MASK.g, TGI_INK_MASK.b, 0.3);
    cairo_fill(cr);
    cairo_set_antialias(cr, CAIRO_ANTIALIAS_DEFAULT);
    for (size_t y = 0; y <= mask->height_px; y++) {
        for (size_t x = 0; x <= mask->width_px; x++) {
            bool here = is_set(mask, x, y);

            if (here != (y && is_set(mask, x, y - 1))) {
                cairo_move_to(cr, (double)x, (double)y);
                cairo_line_to(cr, (double)x + 1, (double)y);
            }
            if (here != (x && is_set(mask, x - 1, y))) {
                cairo_move_to(cr, (double)x, (double)y);
                cairo_line_to(cr, (double)x, (double)y + 1);
            }
        }
    }
    tgi_put_ink(cr, TGI_INK_MASK);
    cairo_set_line_width(cr, 1.6 * pixel);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_SQUARE);
    cairo_stroke(cr);
}

/* The boxes of a cell whose picture begins at x, y, with `scale` units to its pixel. */
static void put_boxes(cairo_t *cr, const tgi_cell *cell, double x, double y, double scale)
{
    for (size_t i = 0; i < cell->n_truth; i++) {
        const tg_box *b = &cell->truth[i];

        tgi_put_box(cr, x + scale * b->x, y + scale * b->y, scale * b->w, scale * b->h,
                    TGI_INK_TRUTH, true);
    }
    for (size_t i = 0; i < cell->n_regions; i++) {
        const tg_region *r = &cell->regions[i];

        tgi_put_box(cr, x + scale * (double)r->x, y + scale * (double)r->y, scale * (double)r->w,
                    scale * (double)r->h, TGI_INK_FOUND, false);
    }
}

tg_status tgi_cell_draw(cairo_t *cr, const tgi_cell *cell, double map_range, double density,
                        double x, double y, double to_w, double to_h)
{
    tg_status status = TG_OK;
    size_t px_w, px_h;
    double w, h, scale;

    tgi_cell_size(cell, &px_w, &px_h);
    if (cell->kind == TGI_CELL_EMPTY) {
        cairo_set_source_rgb(cr, 0.95, 0.95, 0.96);
        cairo_rectangle(cr, x, y, to_w, to_h);
        cairo_fill(cr);
        tgi_put_ink(cr, TGI_INK_FAINT);
        tgi_put_text(cr, x, y + to_h / 2 - 8, to_w, TGI_TEXT_PLAIN, PANGO_ALIGN_CENTER,
                     "\xe2\x80\x93");
        return TG_OK;
    }
    scale = fmin(to_w / (double)px_w, to_h / (double)px_h);
    w = scale * (double)px_w;
    h = scale * (double)px_h;
    x += (to_w - w) / 2;
    y += (to_h - h) / 2;
    if (cell->kind == TGI_CELL_MASK)
        TG_TRY(put_mask(cr, cell->mask, x, y, w, h));
    else if (cell->kind == TGI_CELL_RGB)
        TG_TRY(tgi_put_rgb(cr, cell->rgb, px_w, px_h, x, y, w, h, CAIRO_FILTER_GOOD));
    else
        TG_TRY(put_image(cr, cell, map_range, density, x, y, w, h));
    cairo_save(cr);
    cairo_rectangle(cr, x, y, w, h);
    cairo_clip(cr);
    if (cell->kind == TGI_CELL_GREY && cell->mask) {
        cairo_save(cr);
        cairo_translate(cr, x, y);
        cairo_scale(cr, w / (double)cell->mask->width_px, h / (double)cell->mask->height_px);
        put_overlay(cr, cell->mask, (double)cell->mask->width_px / w);
        cairo_restore(cr);
    }
    put_boxes(cr, cell, x, y, scale);
    cairo_restore(cr);
    tgi_put_frame(cr, x, y, w, h);
cleanup:
    return status;
}

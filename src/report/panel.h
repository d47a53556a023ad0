/* panel.h -- sample panels: rows of pictures under headings, with the colour scale and the key, as
 * one PNG. Overlays use the colours of tg_overlay_draw(), maps the fixed scale of tg_map_draw():
 * both the same for every image. */
#ifndef TGI_REPORT_PANEL_H
#define TGI_REPORT_PANEL_H

#include <taggan/dataset.h>
#include <taggan/image.h>
#include <taggan/tag.h>

#include "base/text.h"

typedef enum tgi_cell_kind {
    TGI_CELL_EMPTY, /* an en dash on grey: there is no such picture */
    TGI_CELL_GREY, /* image, -1 black to 1 white; over it mask (tint and contour), regions, truth */
    TGI_CELL_MAP,  /* image, a signed map, blue through white to red; regions and truth over it */
    TGI_CELL_MASK, /* mask, white on black */
    TGI_CELL_RGB   /* rgb */
} tgi_cell_kind;

/* One picture. Members that its kind does not name may be 0; all is borrowed. */
typedef struct tgi_cell {
    tgi_cell_kind kind;
    const tg_image *image;
    const tg_mask *mask;
    const uint8_t *rgb; /* [rgb_height_px, rgb_width_px, 3] */
    size_t rgb_width_px, rgb_height_px;
    const tg_region *regions; /* found boxes, green */
    size_t n_regions;
    const tg_box *truth; /* true boxes, blue */
    size_t n_truth;
    const char *note; /* a line under the picture, or NULL */
} tgi_cell;

typedef struct tgi_panel_row {
    const char *caption;   /* first line bold; NULL for none */
    const tgi_cell *cells; /* one for each heading */
} tgi_panel_row;

typedef struct tgi_panel {
    const char *title;           /* NULL for none */
    const char *const *headings; /* one for each column */
    size_t n_columns;
    const tgi_panel_row *rows;
    size_t n_rows;
    double map_range; /* the map's colours go from -range to range; 0 means 1 */
    size_t cell_px;   /* width of a picture as shown; 0 means 168 */
    double density;   /* pixels to a unit of the layout: 2 for fine screens; 0 means 1 */
} tgi_panel;

/* The panel as a PNG file's bytes, added to out. TG_ERR_ARGUMENT when it would be larger than a
 * picture can be. */
tg_status tgi_panel_draw(const tgi_panel *panel, tgi_text *out) TG_MUST_CHECK;
/* The same into a file, by rename. */
tg_status tgi_panel_save(const tgi_panel *panel, const char *path) TG_MUST_CHECK;

#endif

/* overlay.c -- step 7: pictures of a map and of what was tagged. */
#include "config.h"
#include "tag/tag.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/banned.h"

static const uint8_t red[3] = {255, 0, 0}, green[3] = {0, 255, 0}, blue[3] = {64, 128, 255};

static uint8_t to_byte(double value) /* 0..255 */
{
    return (uint8_t)(value <= 0 ? 0 : value >= 255 ? 255 : value + 0.5);
}

static bool is_set(const tg_mask *mask, long x, long y)
{
    return x >= 0 && y >= 0 && x < (long)mask->width_px && y < (long)mask->height_px &&
           mask->pixels[(size_t)y * mask->width_px + (size_t)x];
}

/* Inside, with a neighbour outside; the picture's edge is outside. */
static bool is_contour(const tg_mask *mask, size_t at_x, size_t at_y)
{
    long x = (long)at_x, y = (long)at_y;

    return is_set(mask, x, y) && !(is_set(mask, x - 1, y) && is_set(mask, x + 1, y) &&
                                   is_set(mask, x, y - 1) && is_set(mask, x, y + 1));
}

static void draw_mask(const tg_mask *mask, uint8_t *rgb)
{
    for (size_t y = 0; y < mask->height_px; y++) {
        for (size_t x = 0; x < mask->width_px; x++) {
            uint8_t *p = rgb + 3 * (y * mask->width_px + x);
            double share = is_contour(mask, x, y) ? 1 : 0.3;

            if (!mask->pixels[y * mask->width_px + x])
                continue;
            for (int i = 0; i < 3; i++)
                p[i] = to_byte((1 - share) * p[i] + share * red[i]);
        }
    }
}

/* The outline of the half-open box [x0,x1) x [y0,y1), clipped. */
static void draw_box(uint8_t *rgb, size_t w, size_t h, double x0, double y0, double x1, double y1,
                     const uint8_t *colour)
{
    long left = lround(x0), top = lround(y0), right = lround(x1) - 1, bottom = lround(y1) - 1;

    for (long y = top < 0 ? 0 : top; y <= bottom && y < (long)h; y++) {
        for (long x = left < 0 ? 0 : left; x <= right && x < (long)w; x++) {
            if (x == left || x == right || y == top || y == bottom)
                memcpy(rgb + 3 * ((size_t)y * w + (size_t)x), colour, 3);
        }
    }
}

tg_status tg_overlay_draw(const tg_image *grey, const tg_tags *tags, const tg_box *truth,
                          size_t n_truth, uint8_t *rgb)
{
    size_t w = grey->width_px, h = grey->height_px;

    if (tags && (tags->mask.width_px != w || tags->mask.height_px != h))
        return tg_fail(TG_ERR_SHAPE,
                       "overlay: an image of %zu x %zu with a mask of %zu x %zu pixels", w, h,
                       tags->mask.width_px, tags->mask.height_px);
    for (size_t i = 0; i < w * h; i++)
        memset(rgb + 3 * i, to_byte((grey->pixels[i] + 1.0) * 127.5), 3);
    if (tags)
        draw_mask(&tags->mask, rgb);
    for (size_t i = 0; truth && i < n_truth; i++)
        draw_box(rgb, w, h, truth[i].x, truth[i].y, truth[i].x + truth[i].w,
                 truth[i].y + truth[i].h, blue);
    for (size_t i = 0; tags && i < tags->n_regions; i++) {
        const tg_region *r = &tags->regions[i];

        draw_box(rgb, w, h, (double)r->x, (double)r->y, (double)(r->x + r->w),
                 (double)(r->y + r->h), green);
    }
    return TG_OK;
}

tg_status tg_map_draw(const tg_image *map, double range, tg_ramp ramp, uint8_t *rgb)
{
    if (!(range > 0) || !isfinite(range))
        return tg_fail(TG_ERR_ARGUMENT, "map picture: range %g is not above 0", range);
    for (size_t i = 0; i < map->width_px * map->height_px; i++) {
        double m = map->pixels[i] / range;
        uint8_t *p = rgb + 3 * i;

        m = m > 1 ? 1 : m < -1 ? -1 : m == m ? m : 0;
        if (ramp == TG_RAMP_GREY) {
            memset(p, to_byte(128 + 127 * m), 3);
            continue;
        }
        p[0] = to_byte(255 * (m < 0 ? 1 + m : 1));
        p[1] = to_byte(255 * (1 - fabs(m)));
        p[2] = to_byte(255 * (m > 0 ? 1 - m : 1));
    }
    return TG_OK;
}

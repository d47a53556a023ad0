/* morphology.c -- step 4: opening and closing of a mask with a disc. */
#include "config.h"
#include "tag/tag.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

tg_status tgi_mask_new(size_t width_px, size_t height_px, tg_mask *out)
{
    size_t n;

    *out = (tg_mask){0};
    if (tgi_size_mul(width_px, height_px, &n) != TG_OK || tgi_alloc(n, 1, &out->pixels) != TG_OK)
        return TG_ERR_MEMORY;
    out->width_px = width_px;
    out->height_px = height_px;
    return TG_OK;
}

/* Half the width of the disc at height dy. */
static size_t half_width(size_t radius, size_t dy)
{
    size_t dx = radius;

    while (dx * dx + dy * dy > radius * radius)
        dx--;
    return dx;
}

/* One row of a dilation (wanted = 1: any set pixel within the disc) or an erosion (wanted = 0: any
 * unset one, then unset). before[y][x] counts the wanted pixels of row y left of x, so that a row
 * of the disc costs one subtraction. */
static void morph_row(const tg_mask *mask, size_t y, const size_t *before, const size_t *half,
                      size_t radius, bool wanted, uint8_t *row)
{
    size_t w = mask->width_px, h = mask->height_px, top = y > radius ? y - radius : 0;
    size_t bottom = y + radius < h ? y + radius : h - 1;

    for (size_t x = 0; x < w; x++) {
        bool found = false;

        for (size_t v = top; v <= bottom && !found; v++) {
            size_t dx = half[v > y ? v - y : y - v];
            size_t left = x > dx ? x - dx : 0, right = x + dx < w ? x + dx + 1 : w;

            found = before[v * (w + 1) + right] > before[v * (w + 1) + left];
        }
        row[x] = found == wanted;
    }
}

static tg_status morph(tg_mask *mask, size_t radius, bool is_dilation)
{
    tg_status status = TG_OK;
    size_t w = mask->width_px, h = mask->height_px, cells;
    size_t *before = NULL, *half = NULL;

    TG_TRY(tgi_size_mul(w + 1, h, &cells));
    TG_TRY(tgi_alloc(cells, sizeof *before, &before));
    TG_TRY(tgi_alloc(radius + 1, sizeof *half, &half));
    for (size_t dy = 0; dy <= radius; dy++)
        half[dy] = half_width(radius, dy);
    for (size_t y = 0; y < h; y++) {
        for (size_t x = 0; x < w; x++)
            before[y * (w + 1) + x + 1] =
                before[y * (w + 1) + x] + ((mask->pixels[y * w + x] != 0) == is_dilation);
    }
    for (size_t y = 0; y < h; y++)
        morph_row(mask, y, before, half, radius, is_dilation, mask->pixels + y * w);
cleanup:
    free(half);
    free(before);
    return status;
}

static tg_status twice(tg_mask *mask, size_t radius_px, bool dilate_first)
{
    tg_status status = TG_OK;

    if (!radius_px || !mask->width_px || !mask->height_px)
        return TG_OK;
    TG_TRY(morph(mask, radius_px, dilate_first));
    TG_TRY(morph(mask, radius_px, !dilate_first));
cleanup:
    return status;
}

tg_status tgi_mask_open(tg_mask *mask, size_t radius_px)
{
    return twice(mask, radius_px, false);
}

tg_status tgi_mask_close(tg_mask *mask, size_t radius_px)
{
    return twice(mask, radius_px, true);
}

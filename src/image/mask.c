/* mask.c -- black-and-white masks: one byte a pixel, 0 or 1 in memory, 0 or 255 in files. */
#include "config.h"
#include "image/image.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/banned.h"

void tg_mask_release(tg_mask *mask)
{
    free(mask->pixels);
    *mask = (tg_mask){0};
}

tg_status tg_mask_save(const char *path, const tg_mask *mask)
{
    tg_status status = TG_OK;
    const size_t n = mask->width_px * mask->height_px;
    unsigned char *bytes = NULL;

    TG_TRY(tgi_alloc(n, 1, &bytes));
    for (size_t i = 0; i < n; i++)
        bytes[i] = mask->pixels[i] ? 255 : 0;
    TG_TRY(tgi_png_write(path, bytes, mask->width_px, mask->height_px, 1, 8));
cleanup:
    free(bytes);
    return status;
}

tg_status tg_mask_load(const char *path, tg_mask *out)
{
    tg_status status = TG_OK;
    tg_image image = {0};
    tg_mask mask = {0};

    *out = mask;
    TG_TRY(tg_image_load(path, &image));
    mask.width_px = image.width_px;
    mask.height_px = image.height_px;
    TG_TRY(tgi_alloc(mask.width_px * mask.height_px, 1, &mask.pixels));
    for (size_t i = 0; i < mask.width_px * mask.height_px; i++)
        mask.pixels[i] = image.pixels[i] > 0;
    *out = mask;
cleanup:
    tg_image_release(&image);
    return status;
}

tg_status tg_mask_resize(const tg_mask *mask, size_t width_px, size_t height_px, tg_mask *out)
{
    tg_status status = TG_OK;
    size_t n;
    tg_mask result = {width_px, height_px, NULL};

    *out = (tg_mask){0};
    if (!width_px || !height_px || !mask->width_px || !mask->height_px)
        return tg_fail(TG_ERR_ARGUMENT, "mask: cannot resize %zu x %zu to %zu x %zu pixels",
                       mask->width_px, mask->height_px, width_px, height_px);
    TG_TRY(tgi_size_mul(width_px, height_px, &n));
    TG_TRY(tgi_alloc(n, 1, &result.pixels));
    for (size_t y = 0; y < height_px; y++) {
        const size_t from_y = (2 * y + 1) * mask->height_px / (2 * height_px);

        for (size_t x = 0; x < width_px; x++) {
            const size_t from_x = (2 * x + 1) * mask->width_px / (2 * width_px);

            result.pixels[y * width_px + x] = mask->pixels[from_y * mask->width_px + from_x];
        }
    }
    *out = result;
cleanup:
    return status;
}

/* orientation.c -- which way up a camera or a scanner's software stored the picture (EXIF tag 274),
 * and turning it. */
#include "config.h"
#include "image/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/banned.h"

typedef struct exif {
    const unsigned char *tiff; /* behind "Exif\0\0"; all offsets count from here */
    size_t n;
    bool is_big_endian;
} exif;

static unsigned exif_16(const exif *e, size_t at)
{
    const unsigned char *p = e->tiff + at;

    return e->is_big_endian ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

static uint32_t exif_32(const exif *e, size_t at)
{
    const uint32_t first = exif_16(e, at), second = exif_16(e, at + 2);

    return e->is_big_endian ? first << 16 | second : second << 16 | first;
}

unsigned tgi_exif_orientation(const unsigned char *block, size_t n)
{
    exif e;
    size_t at, n_entries;

    if (n < 6 + 8 || memcmp(block, "Exif\0\0", 6) != 0)
        return 1;
    e.tiff = block + 6;
    e.n = n - 6;
    if (memcmp(e.tiff, "MM\0*", 4) == 0)
        e.is_big_endian = true;
    else if (memcmp(e.tiff, "II*\0", 4) == 0)
        e.is_big_endian = false;
    else
        return 1;
    at = exif_32(&e, 4);
    if (at > e.n - 2)
        return 1;
    n_entries = exif_16(&e, at);
    at += 2;
    for (size_t i = 0; i < n_entries && e.n - at >= 12; i++, at += 12)
        if (exif_16(&e, at) == 274) {
            /* one 16-bit number, in the first half of the four value bytes */
            const unsigned value = exif_16(&e, at + 8);

            return exif_16(&e, at + 2) == 3 && exif_32(&e, at + 4) == 1 && value >= 1 && value <= 8
                       ? value
                       : 1;
        }
    return 1;
}

tg_status tgi_plane_upright(tgi_plane *plane)
{
    tg_status status = TG_OK;
    const unsigned turn = plane->orientation;
    const size_t w = plane->width_px, h = plane->height_px;
    const bool is_turned = turn >= 5; /* rows become columns */
    float *pixels;

    if (turn <= 1)
        return TG_OK;
    TG_TRY(tgi_alloc(w * h, sizeof *pixels, &pixels));
    for (size_t y = 0; y < h; y++)
        for (size_t x = 0; x < w; x++) {
            /* 2 mirror, 3 half turn, 4 upside down, 5 transpose, 6 turn right, 7 transverse, 8 turn
             * left */
            const size_t fx = w - 1 - x, fy = h - 1 - y;
            size_t to;

            switch (turn) {
            case 2:
                to = y * w + fx;
                break;
            case 3:
                to = fy * w + fx;
                break;
            case 4:
                to = fy * w + x;
                break;
            case 5:
                to = x * h + y;
                break;
            case 6:
                to = x * h + fy;
                break;
            case 7:
                to = fx * h + fy;
                break;
            default:
                to = fx * h + y;
                break;
            }
            pixels[to] = plane->pixels[y * w + x];
        }
    free(plane->pixels);
    plane->pixels = pixels;
    plane->width_px = is_turned ? h : w;
    plane->height_px = is_turned ? w : h;
    plane->orientation = 1;
cleanup:
    return status;
}

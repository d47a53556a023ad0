/* image.c -- a file becomes a host image: what it is (by content), decode, upright, scale to
 * [-1,1]; and back to PNG. */
#include "config.h"
#include "image/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/banned.h"

void tgi_plane_release(tgi_plane *plane)
{
    free(plane->pixels);
    *plane = (tgi_plane){0};
}

tg_status tg_image_new(size_t width_px, size_t height_px, tg_image *out)
{
    tg_status status = TG_OK;
    size_t n;
    float *pixels;

    *out = (tg_image){0};
    if (!width_px || !height_px)
        return tg_fail(TG_ERR_ARGUMENT, "image: %zu x %zu pixels", width_px, height_px);
    TG_TRY(tgi_size_mul(width_px, height_px, &n));
    TG_TRY(tgi_alloc(n, sizeof *pixels, &pixels));
    *out = (tg_image){width_px, height_px, pixels};
cleanup:
    return status;
}

void tg_image_release(tg_image *image)
{
    free(image->pixels);
    *image = (tg_image){0};
}

tg_status tgi_check_sides(const char *path, size_t width_px, size_t height_px)
{
    if (!width_px || !height_px)
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s': its header says %zu x %zu pixels", path,
                       width_px, height_px);
    if (width_px > TGI_IMAGE_SIDE_MAX || height_px > TGI_IMAGE_SIDE_MAX)
        return tg_fail(TG_ERR_FORMAT,
                       "cannot read '%s': %zu x %zu pixels (the largest side read is %d)", path,
                       width_px, height_px, TGI_IMAGE_SIDE_MAX);
    return TG_OK;
}

/* How the formats that people have on disk begin. */
static const struct signature {
    size_t at, n;
    const char *bytes, *name;
} signatures[] = {
    {0, 8, "\x89PNG\r\n\x1a\n", "PNG"},
    {0, 3, "\xff\xd8\xff", "JPEG"},
    {8, 4, "WEBP", "WebP"},
    {128, 4, "DICM", "DICOM"},
    {0, 4, "GIF8", "GIF"},
    {0, 4, "II*\0", "TIFF"},
    {0, 4, "MM\0*", "TIFF"},
    {0, 12, "\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"},
    {0, 4, "\xff\x4f\xff\x51", "JPEG 2000"},
    {0, 12, "\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"},
    {0, 2, "\xff\x0a", "JPEG XL"},
    {4, 8, "ftypavif", "AVIF"},
    {4, 8, "ftypheic", "HEIC"},
    {0, 6, "\x93NUMPY", "NumPy"},
    {0, 4, "%PDF", "PDF"},
    {0, 2, "\x1f\x8b", "gzip"},
    {344, 3, "n+1", "NIfTI"},
    {0, 2, "BM", "BMP"},
};

static const char *format_name(const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < TG_COUNT(signatures); i++) {
        const struct signature *s = &signatures[i];

        if (n >= s->at + s->n && memcmp(bytes + s->at, s->bytes, s->n) == 0)
            return s->name;
    }
    return NULL;
}

/* Reads and decodes a file of either format, upright. */
static tg_status plane_load(const char *path, tgi_plane *out)
{
    tg_status status = TG_OK;
    char *bytes = NULL;
    const char *name;
    size_t n;
    tgi_plane plane = {0};

    *out = plane;
    if (tgi_is_folder(path))
        return tg_fail(TG_ERR_IO, "cannot read '%s': it is a folder", path);
    TG_TRY(tgi_file_read(path, TGI_IMAGE_FILE_MAX, &bytes, &n));
    name = format_name((const unsigned char *)bytes, n);
    if (!n)
        status = tg_fail(TG_ERR_FORMAT, "cannot read '%s': the file is empty", path);
    else if (!name)
        status = tg_fail(TG_ERR_FORMAT, "cannot read '%s': neither PNG, JPEG nor DICOM", path);
    else if (strcmp(name, "PNG") == 0)
        status = tgi_png_decode(path, (const unsigned char *)bytes, n, &plane);
    else if (strcmp(name, "JPEG") == 0)
        status = tgi_jpeg_decode(path, (const unsigned char *)bytes, n, &plane);
    else if (strcmp(name, "DICOM") == 0)
        status = tgi_dicom_decode(path, (const unsigned char *)bytes, n, &plane);
    else
        status =
            tg_fail(TG_ERR_FORMAT, "cannot read '%s': it is a %s file (convert it to PNG or JPEG)",
                    path, name);
    TG_TRY(status);
    TG_TRY(tgi_plane_upright(&plane));
    *out = plane;
    plane = (tgi_plane){0};
cleanup:
    tgi_plane_release(&plane);
    free(bytes);
    return status;
}

/* The plane's pixels become the image's. */
static tg_image take_pixels(tgi_plane *plane)
{
    tg_image image = {plane->width_px, plane->height_px, plane->pixels};

    *plane = (tgi_plane){0};
    return image;
}

tg_status tg_image_load(const char *path, tg_image *out)
{
    tg_status status = TG_OK;
    tgi_plane plane;
    double half;
    size_t n;

    *out = (tg_image){0};
    TG_TRY(plane_load(path, &plane));
    half = (plane.depth_bits == 8 ? 255 : plane.largest < 4096 ? 4095 : 65535) / 2.0;
    n = plane.width_px * plane.height_px;
    for (size_t i = 0; i < n; i++)
        plane.pixels[i] = (float)(plane.pixels[i] / half - 1);
    *out = take_pixels(&plane);
cleanup:
    return status;
}

tg_status tg_map_load(const char *path, tg_image *out)
{
    tg_status status = TG_OK;
    tgi_plane plane = {0};
    size_t n;

    *out = (tg_image){0};
    TG_TRY(plane_load(path, &plane));
    if (plane.depth_bits != 16 || !plane.is_plain_grey) {
        status =
            tg_fail(TG_ERR_FORMAT, "cannot read '%s': a disease map is a 16-bit grey PNG", path);
        goto cleanup;
    }
    n = plane.width_px * plane.height_px;
    for (size_t i = 0; i < n; i++)
        plane.pixels[i] = (float)((plane.pixels[i] - 32768.0) / 32767 * 2);
    *out = take_pixels(&plane);
cleanup:
    tgi_plane_release(&plane);
    return status;
}

/* Rounded, and held between low and high; what is not a number becomes low. */
static unsigned to_sample(double v, double low, double high)
{
    return (unsigned)lrint(v > low ? (v < high ? v : high) : low);
}

tg_status tg_image_save(const char *path, const tg_image *image)
{
    tg_status status = TG_OK;
    unsigned char *bytes = NULL;
    const size_t n = image->width_px * image->height_px;

    TG_TRY(tgi_alloc(n, 1, &bytes));
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)to_sample((image->pixels[i] + 1.0) * 127.5, 0, 255);
    TG_TRY(tgi_png_write(path, bytes, image->width_px, image->height_px, 1, 8));
cleanup:
    free(bytes);
    return status;
}

tg_status tg_map_save(const char *path, const tg_image *map)
{
    tg_status status = TG_OK;
    unsigned char *bytes = NULL;
    const size_t n = map->width_px * map->height_px;

    TG_TRY(tgi_alloc(n, 2, &bytes));
    for (size_t i = 0; i < n; i++) {
        const unsigned v = to_sample(32768 + 32767.0 * map->pixels[i] / 2, 0, 65535);

        bytes[2 * i] = (unsigned char)(v >> 8);
        bytes[2 * i + 1] = (unsigned char)v;
    }
    TG_TRY(tgi_png_write(path, bytes, map->width_px, map->height_px, 1, 16));
cleanup:
    free(bytes);
    return status;
}

tg_status tg_rgb_save(const char *path, const uint8_t *rgb, size_t width_px, size_t height_px)
{
    return tgi_png_write(path, rgb, width_px, height_px, 3, 8);
}

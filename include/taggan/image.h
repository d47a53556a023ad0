/** \file taggan/image.h
 *  Radiographs as host images: PNG, JPEG and DICOM files in, maps, masks and pictures out.
 *  A host image is one grey plane, row-major, float32; black is -1 and white is 1 whatever the file's depth was.
 */
#ifndef TAGGAN_IMAGE_H
#define TAGGAN_IMAGE_H

#include <taggan/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A grey image on the host. Release it with tg_image_release(). {0} is an empty one. */
typedef struct tg_image {
    size_t width_px, height_px;
    float *pixels; /**< [height_px, width_px], -1 black to 1 white; owned */
} tg_image;

/** An image of that size, all zero (mid grey). TG_ERR_MEMORY when it cannot be had. */
tg_status tg_image_new(size_t width_px, size_t height_px, tg_image *out) TG_MUST_CHECK;

/** Frees the pixels and empties the struct; harmless on {0}. */
void tg_image_release(tg_image *image);

/** Reads a PNG (1 to 16 bits, grey, RGB, palette, alpha, interlaced), a JPEG (grey, RGB, CMYK, any EXIF orientation) or
 *  a DICOM file (one grey frame of up to 16 bits; lossless JPEG, JPEG-LS and JPEG 2000 inside it where the library was built with GDCM).
 *  The content decides, not the file's name. Colour becomes grey by (299R + 587G + 114B) / 1000, alpha lies over black.
 *  A DICOM image comes as a viewer shows it: rescaled, in its first window (without one, the whole range of its stored bits),
 *  MONOCHROME1 inverted. A 16-bit PNG whose largest value is under 4096 holds 12-bit data and is scaled by 4095.
 *  \return TG_ERR_IO when it cannot be opened, TG_ERR_FORMAT when it is damaged, truncated, of another format (named in
 *  the message) or larger than 16384 pixels a side; nothing is allocated before the header was believed. */
tg_status tg_image_load(const char *path, tg_image *out) TG_MUST_CHECK;

/** Resizes as Pillow's BILINEAR does: a triangle filter, widened when shrinking, half-pixel centres. */
tg_status tg_image_resize(const tg_image *image, size_t width_px, size_t height_px,
                          tg_image *out) TG_MUST_CHECK;

/** Writes an 8-bit grey PNG by rename; values are clamped to [-1,1]. */
tg_status tg_image_save(const char *path, const tg_image *image) TG_MUST_CHECK;

/** Writes a disease map as a 16-bit grey PNG: 32768 + 32767 * M / 2, rounded and clamped (M in [-2,2]). */
tg_status tg_map_save(const char *path, const tg_image *map) TG_MUST_CHECK;

/** Reads what tg_map_save() wrote. TG_ERR_FORMAT when the file is not a 16-bit grey PNG. */
tg_status tg_map_load(const char *path, tg_image *out) TG_MUST_CHECK;

/** Writes a map as a NumPy file, float32 [height, width], C order, little endian. */
tg_status tg_map_save_npy(const char *path, const tg_image *map) TG_MUST_CHECK;

/** A black-and-white mask on the host. */
typedef struct tg_mask {
    size_t width_px, height_px;
    uint8_t *pixels; /**< [height_px, width_px], 0 or 1; owned */
} tg_mask;

void tg_mask_release(tg_mask *mask);
/** Writes 0/255 as an 8-bit grey PNG by rename. */
tg_status tg_mask_save(const char *path, const tg_mask *mask) TG_MUST_CHECK;
/** Reads a picture; pixels brighter than half are 1. */
tg_status tg_mask_load(const char *path, tg_mask *out) TG_MUST_CHECK;
/** Nearest-neighbour, half-pixel centres. */
tg_status tg_mask_resize(const tg_mask *mask, size_t width_px, size_t height_px,
                         tg_mask *out) TG_MUST_CHECK;

/** Writes [height,width,3] bytes as an RGB PNG by rename. */
tg_status tg_rgb_save(const char *path, const uint8_t *rgb, size_t width_px,
                      size_t height_px) TG_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif

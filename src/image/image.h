/* image.h -- what the files of this room share: a decoded grey plane in the file's own units, and
 * the codecs. */
#ifndef TGI_IMAGE_IMAGE_H
#define TGI_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <taggan/image.h>

enum {
    TGI_IMAGE_SIDE_MAX =
        16384, /* pixels; a larger header is refused before anything is allocated */
    TGI_IMAGE_FILE_MAX = 1 << 30 /* bytes */
};

/* What a decoder hands over. {0} is an empty one. */
typedef struct tgi_plane {
    size_t width_px, height_px;
    float *pixels;        /* [height_px, width_px], grey, 0 to 2^depth_bits - 1; owned */
    unsigned depth_bits;  /* 8 or 16 */
    unsigned largest;     /* largest sample of any colour: tells 12-bit data in 16 bits */
    bool is_plain_grey;   /* one channel in the file: no colour, no alpha, no palette */
    unsigned orientation; /* EXIF's 1 to 8; 1 = as stored */
} tgi_plane;

void tgi_plane_release(tgi_plane *plane);

/* TG_ERR_FORMAT, with the numbers, when a side is 0 or above the limit. `path` is for the message.
 */
tg_status tgi_check_sides(const char *path, size_t width_px, size_t height_px) TG_MUST_CHECK;

tg_status tgi_png_decode(const char *path, const unsigned char *bytes, size_t n,
                         tgi_plane *out) TG_MUST_CHECK;
tg_status tgi_jpeg_decode(const char *path, const unsigned char *bytes, size_t n,
                          tgi_plane *out) TG_MUST_CHECK;

/* As a viewer shows it, in 16 bits: rescaled, windowed, MONOCHROME1 inverted. Those with more than
 * baseline JPEG inside fail in a build without GDCM, and the message names the switch of configure. */
tg_status tgi_dicom_decode(const char *path, const unsigned char *bytes, size_t n,
                           tgi_plane *out) TG_MUST_CHECK;

/* A PNG by rename: bytes [height_px, width_px, n_channels] of depth_bits each (16 bits big endian),
 * 1 or 3 channels. */
tg_status tgi_png_write(const char *path, const unsigned char *bytes, size_t width_px,
                        size_t height_px, unsigned n_channels, unsigned depth_bits) TG_MUST_CHECK;

/* Orientation in the content of a JPEG's APP1 marker; 1 when there is none or the block is damaged.
 */
unsigned tgi_exif_orientation(const unsigned char *block, size_t n);

/* Turns the plane upright and sets its orientation to 1. */
tg_status tgi_plane_upright(tgi_plane *plane) TG_MUST_CHECK;

#endif

/* dicom.c -- a DICOM image becomes grey as a viewer shows it [dicom, PS3.3 C.11.2]: stored bits ->
 * rescaled -> its first window, or the whole range where it has none -> inverted when MONOCHROME1.
 * Plain pixels, run lengths and baseline JPEG are read here; other JPEG, JPEG-LS and JPEG 2000 by
 * GDCM, where the build has it. */
#include "config.h"
#include "image/dicom.h"
#include "image/image.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

enum { WHITE = 65535 };

/* From stored values to [0,1]. */
typedef struct grey_curve {
    double slope, intercept;
    double center, width;
    enum { WINDOW_LINEAR, WINDOW_LINEAR_EXACT, WINDOW_SIGMOID } function;
    bool is_inverted;
} grey_curve;

static tg_status bad(const char *path, const char *why)
{
    return tg_fail(TG_ERR_FORMAT, "cannot read '%s', a DICOM file: %s", path, why);
}

/* An absent number is `value`. */
static tg_status read_number(const char *path, const char *what, const char *text, double value,
                             double *out)
{
    *out = value;
    if (*text && (!tgi_parse_real(text, out) || !isfinite(*out)))
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s', a DICOM file: its %s is '%s'", path, what,
                       text);
    return TG_OK;
}

static tg_status check_kind(const char *path, const tgi_dicom *d)
{
    tg_status status = TG_OK;
    double n_frames;

    TG_TRY(read_number(path, "number of frames", d->n_frames, 1, &n_frames));
    if (n_frames != 1)
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s', a DICOM file: it has %g frames, not one",
                       path, n_frames);
    if (d->n_channels != 1 ||
        (strcmp(d->photometric, "MONOCHROME1") != 0 && strcmp(d->photometric, "MONOCHROME2") != 0))
        return tg_fail(TG_ERR_FORMAT,
                       "cannot read '%s', a DICOM file: its pixels are %s (MONOCHROME1 and "
                       "MONOCHROME2 are read)",
                       path, *d->photometric ? d->photometric : "of no stated kind");
    if ((d->bits_allocated != 8 && d->bits_allocated != 16) || !d->bits_stored ||
        d->bits_stored > d->bits_allocated || d->high_bit + 1 < d->bits_stored ||
        d->high_bit >= d->bits_allocated || d->is_signed > 1)
        return tg_fail(
            TG_ERR_FORMAT,
            "cannot read '%s', a DICOM file: %u bits of %u, the highest bit %u (up to 16 "
            "are read)",
            path, d->bits_stored, d->bits_allocated, d->high_bit);
cleanup:
    return status;
}

static tg_status read_curve(const char *path, const tgi_dicom *d, grey_curve *out)
{
    tg_status status = TG_OK;
    const double low = d->is_signed ? -ldexp(1, (int)d->bits_stored - 1) : 0;
    const double range = ldexp(1, (int)d->bits_stored) - 1;

    TG_TRY(read_number(path, "rescale slope", d->slope, 1, &out->slope));
    TG_TRY(read_number(path, "rescale intercept", d->intercept, 0, &out->intercept));
    TG_TRY(read_number(path, "window center", d->window_center, 0, &out->center));
    TG_TRY(read_number(path, "window width", d->window_width, 0, &out->width));
    out->is_inverted = strcmp(d->photometric, "MONOCHROME1") == 0;
    out->function = strcmp(d->window_function, "SIGMOID") == 0        ? WINDOW_SIGMOID
                    : strcmp(d->window_function, "LINEAR_EXACT") == 0 ? WINDOW_LINEAR_EXACT
                                                                      : WINDOW_LINEAR;
    if (out->slope == 0)
        return bad(path, "its rescale slope is 0");
    if (!*d->window_center || out->width <= 0 ||
        (out->function == WINDOW_LINEAR && out->width < 1)) {
        out->function = WINDOW_LINEAR_EXACT; /* all that the stored bits can say */
        out->width = range * fabs(out->slope);
        out->center = (low + range / 2) * out->slope + out->intercept;
    }
cleanup:
    return status;
}

static double grey_of(const grey_curve *c, double stored)
{
    const double x = stored * c->slope + c->intercept;
    double y;

    if (c->function == WINDOW_SIGMOID)
        y = 1 / (1 + exp(-4 * (x - c->center) / c->width));
    else if (c->function == WINDOW_LINEAR_EXACT)
        y = (x - c->center) / c->width + 0.5;
    else if (c->width > 1)
        y = (x - (c->center - 0.5)) / (c->width - 1) + 0.5;
    else /* a threshold */
        y = x > c->center - 0.5;
    y = y < 0 ? 0 : y > 1 ? 1 : y;
    return c->is_inverted ? 1 - y : y;
}

/* The value of stored bits: what lies above them is no part of it. Lossy codecs may overshoot
 * instead, so their values are held in range. */
static double stored_value(const tgi_dicom *d, unsigned bits)
{
    const long n = 1L << d->bits_stored, low = d->is_signed ? -(n / 2) : 0;
    const long allocated = 1L << d->bits_allocated;
    long v = (long)bits;

    if (d->is_compressed) {
        if (d->is_signed && v >= allocated / 2)
            v -= allocated;
        return (double)(v < low ? low : v > low + n - 1 ? low + n - 1 : v);
    }
    v = v >> (d->high_bit + 1 - d->bits_stored) & (n - 1);
    return (double)(d->is_signed && v >= n / 2 ? v - n : v);
}

/* Pixel i of plain data, or of decoded data, which are in the byte order of the host. */
static unsigned bits_of(const tgi_dicom *d, const unsigned char *pixels, size_t i)
{
    uint16_t word;

    if (d->bits_allocated == 8)
        return pixels[i];
    if (d->is_compressed) {
        memcpy(&word, pixels + 2 * i, 2);
        return word;
    }
    return d->is_big_endian ? (unsigned)pixels[2 * i] << 8 | pixels[2 * i + 1]
                            : (unsigned)pixels[2 * i + 1] << 8 | pixels[2 * i];
}

/* Baseline JPEG of 8 bits, as most public sets have inside, in all pieces together: our own reader
 * refuses damaged ones, GDCM takes them. */
static tg_status decode_baseline(const char *path, const tgi_dicom *d, unsigned char *decoded)
{
    tg_status status = TG_OK;
    tgi_text stream = {0};
    tgi_plane plane = {0};

    for (size_t k = 0; k < d->n_pieces; k++)
        TG_TRY(tgi_text_add_bytes(&stream, d->pieces[k].bytes, d->pieces[k].n));
    TG_TRY(tgi_jpeg_decode(path, (const unsigned char *)stream.data, stream.size, &plane));
    if (plane.width_px != d->width_px || plane.height_px != d->height_px || !plane.is_plain_grey) {
        status = bad(path, "the JPEG in it has another size, or colours");
        goto cleanup;
    }
    for (size_t i = 0; i < plane.width_px * plane.height_px; i++)
        decoded[i] = (unsigned char)plane.pixels[i];
cleanup:
    tgi_plane_release(&plane);
    tgi_text_release(&stream);
    return status;
}

#ifdef HAVE_GDCM
static int decode_stream(const tgi_dicom *d, unsigned char *decoded, size_t n, char *why,
                         size_t why_size)
{
    return tgi_dicom_check_stream(d, why, why_size) != 0 ||
           tgi_gdcm_decode(d, decoded, n, why, why_size) != 0;
}
#else
static int decode_stream(const tgi_dicom *d, unsigned char *decoded, size_t n, char *why,
                         size_t why_size)
{
    TG_UNUSED(d);
    TG_UNUSED(decoded);
    TG_UNUSED(n);
    snprintf(why, why_size,
             "it is compressed, and this taggan was built without GDCM, which decodes "
             "such (configure it --with-gdcm, with libgdcm-dev installed, or convert "
             "to PNG)");
    return 1;
}
#endif

/* Compressed pieces become `decoded`, n bytes. */
static tg_status decompress(const char *path, const tgi_dicom *d, size_t n, unsigned char **decoded)
{
    tg_status status = TG_OK;
    const bool is_runs = strcmp(d->syntax, "1.2.840.10008.1.2.5") == 0;
    char why[256];

    if (!d->n_pieces)
        return bad(path, "its compressed image is empty");
    TG_TRY(tgi_alloc(n, 1, decoded));
    if (strcmp(d->syntax, "1.2.840.10008.1.2.4.50") == 0 && d->bits_allocated == 8)
        return decode_baseline(path, d, *decoded);
    if ((is_runs ? tgi_dicom_unpack : decode_stream)(d, *decoded, n, why, sizeof why) != 0)
        status = bad(path, why);
cleanup:
    return status;
}

/* All bytes of the pixels; *decoded is theirs where they were compressed. */
static tg_status find_pixels(const char *path, const tgi_dicom *d, unsigned char **decoded,
                             const unsigned char **out)
{
    tg_status status = TG_OK;
    const size_t n = (size_t)d->width_px * d->height_px * (d->bits_allocated / 8);

    if (d->is_compressed) {
        TG_TRY(decompress(path, d, n, decoded));
        *out = *decoded;
        return TG_OK;
    }
    if (d->pieces[0].n < n)
        return tg_fail(TG_ERR_FORMAT,
                       "cannot read '%s', a DICOM file: it has %zu bytes of pixels, %u x %u pixels "
                       "need %zu",
                       path, d->pieces[0].n, d->width_px, d->height_px, n);
    *out = d->pieces[0].bytes;
cleanup:
    return status;
}

tg_status tgi_dicom_decode(const char *path, const unsigned char *bytes, size_t n, tgi_plane *out)
{
    tg_status status = TG_OK;
    tgi_dicom d = {0};
    tgi_plane plane = {0};
    unsigned char *decoded = NULL;
    const unsigned char *pixels = NULL;
    grey_curve curve;
    char why[256];

    *out = plane;
    if (tgi_dicom_parse(bytes, n, &d, why, sizeof why) != 0)
        return bad(path, why);
    TG_TRY(tgi_check_sides(path, d.width_px, d.height_px));
    TG_TRY(check_kind(path, &d));
    TG_TRY(read_curve(path, &d, &curve));
    TG_TRY(find_pixels(path, &d, &decoded, &pixels));
    plane = (tgi_plane){.width_px = d.width_px,
                        .height_px = d.height_px,
                        .depth_bits = 16,
                        .largest = WHITE,
                        .orientation = 1};
    TG_TRY(tgi_alloc(plane.width_px * plane.height_px, sizeof *plane.pixels, &plane.pixels));
    for (size_t i = 0; i < plane.width_px * plane.height_px; i++)
        plane.pixels[i] =
            (float)(WHITE * grey_of(&curve, stored_value(&d, bits_of(&d, pixels, i))));
    *out = plane;
    plane = (tgi_plane){0};
cleanup:
    tgi_plane_release(&plane);
    tgi_dicom_release(&d);
    free(decoded);
    return status;
}

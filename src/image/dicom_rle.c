/* dicom_rle.c -- run lengths of DICOM [dicom, PS3.5, G]: a header of 16 numbers, then for each byte
 * of a pixel, the highest first, all pixels' bytes, packed. Our own, since GDCM's crashes on damaged
 * ones. */
#include "config.h"
#include "image/dicom.h"

#include <stdint.h>
#include <stdio.h>

#include "base/banned.h"

enum { HEADER_BYTES = 64 };

static size_t number(const unsigned char *b)
{
    return b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16 | (size_t)b[3] << 24;
}

/* Unpacks one segment into out[0], out[step], ..., n bytes; returns how many it gave. */
static size_t unpack(const unsigned char *in, const unsigned char *end, unsigned char *out,
                     size_t step, size_t n)
{
    size_t done = 0;

    while (in < end && done < n) {
        const unsigned code = *in++;
        size_t count = code < 128 ? code + 1u : 257 - code;

        if (code == 128) /* no operation */
            continue;
        if ((size_t)(end - in) < (code < 128 ? count : 1))
            break;
        count = count < n - done ? count : n - done;
        for (size_t k = 0; k < count; k++)
            out[step * done++] = code < 128 ? in[k] : in[0];
        in += code < 128 ? code + 1u : 1;
    }
    return done;
}

int tgi_dicom_unpack(const tgi_dicom *dicom, unsigned char *pixels, size_t n, char *why,
                     size_t why_size)
{
    const size_t n_segments = dicom->bits_allocated / 8;
    const tgi_dicom_piece *piece = dicom->pieces;
    const uint16_t one = 1;
    const int is_host_little = *(const unsigned char *)&one;

    if (dicom->n_pieces != 1 || piece->n < HEADER_BYTES || number(piece->bytes) != n_segments) {
        snprintf(why, why_size, "its run lengths are damaged");
        return 1;
    }
    for (size_t k = 0; k < n_segments; k++) {
        const size_t first = number(piece->bytes + 4 + 4 * k);
        const size_t last = k + 1 < n_segments ? number(piece->bytes + 8 + 4 * k) : piece->n;
        const size_t place = is_host_little ? n_segments - 1 - k : k;

        if (first < HEADER_BYTES || last < first || last > piece->n ||
            unpack(piece->bytes + first, piece->bytes + last, pixels + place, n_segments,
                   n / n_segments) != n / n_segments) {
            snprintf(why, why_size, "its run lengths are damaged, or cut off");
            return 1;
        }
    }
    return 0;
}

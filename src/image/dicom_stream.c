/* dicom_stream.c -- what the compressed image in a DICOM file says of itself: a stream of the JPEG
 * family in its frame header, JPEG 2000 in its SIZ marker. Run lengths say nothing. */
#include "config.h"
#include "image/dicom.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/status.h"
#include "base/banned.h"

/* The pieces as one stream of bytes. */
typedef struct stream {
    const tgi_dicom *dicom;
    size_t piece, at;
} stream;

/* The next byte, -1 at the end. */
static int next_byte(stream *s)
{
    while (s->piece < s->dicom->n_pieces && s->at >= s->dicom->pieces[s->piece].n) {
        s->piece++;
        s->at = 0;
    }
    return s->piece < s->dicom->n_pieces ? s->dicom->pieces[s->piece].bytes[s->at++] : -1;
}

/* n bytes, big endian; false at the end. */
static bool next_number(stream *s, unsigned n, unsigned long *out)
{
    *out = 0;
    while (n--) {
        const int byte = next_byte(s);

        if (byte < 0)
            return false;
        *out = *out << 8 | (unsigned long)byte;
    }
    return true;
}

static bool skip(stream *s, unsigned long n)
{
    unsigned long skipped;

    while (n--)
        if (!next_number(s, 1, &skipped))
            return false;
    return true;
}

typedef struct frame {
    unsigned long width, height, bits, n_channels;
} frame;

/* SIZ stands behind the start of the code stream: sides of the grid, their offsets, the tiles'. */
static bool read_siz(stream *s, frame *out)
{
    unsigned long skipped, right, bottom, left, top;

    if (!next_number(s, 2, &skipped) || !next_number(s, 2, &skipped) ||
        !next_number(s, 4, &right) || !next_number(s, 4, &bottom) || !next_number(s, 4, &left) ||
        !next_number(s, 4, &top))
        return false;
    if (!skip(s, 16) || !next_number(s, 2, &out->n_channels) || !next_number(s, 1, &out->bits) ||
        right < left || bottom < top)
        return false;
    out->width = right - left;
    out->height = bottom - top;
    out->bits = (out->bits & 0x7f) + 1;
    return true;
}

static bool is_frame_header(unsigned long marker)
{
    return marker == 0xfff7 || (marker >= 0xffc0 && marker <= 0xffcf && marker != 0xffc4 &&
                                marker != 0xffc8 && marker != 0xffcc);
}

/* All segments up to the start of the scan: one behind the other, with a frame header (SOF0 to
 * SOF15, SOF55 of JPEG-LS) and, but for JPEG-LS, a table of Huffman codes. */
static bool read_segments(stream *s, frame *out)
{
    enum { DHT = 0xffc4, SOS = 0xffda, SOF55 = 0xfff7, SOF_BYTES = 6 };
    unsigned long marker, size;
    bool has_codes = false;

    for (;;) {
        if (!next_number(s, 2, &marker) || marker >> 8 != 0xff || !next_number(s, 2, &size) ||
            size < 2)
            return false;
        size -= 2;
        if (marker == SOS)
            return has_codes && out->n_channels;
        has_codes |= marker == DHT || marker == SOF55;
        if (is_frame_header(marker)) {
            if (size < SOF_BYTES || !next_number(s, 1, &out->bits) ||
                !next_number(s, 2, &out->height) || !next_number(s, 2, &out->width) ||
                !next_number(s, 1, &out->n_channels))
                return false;
            size -= SOF_BYTES;
        }
        if (!skip(s, size))
            return false;
    }
}

int tgi_dicom_check_stream(const tgi_dicom *dicom, char *why, size_t why_size)
{
    stream s = {.dicom = dicom};
    unsigned long start;
    frame f = {0};
    bool is_read;

    is_read = next_number(&s, 2, &start) &&
              (start == 0xff4f   ? next_number(&s, 2, &start) && start == 0xff51 && read_siz(&s, &f)
               : start == 0xffd8 ? read_segments(&s, &f)
                                 : false);
    if (!is_read) {
        snprintf(why, why_size, "its compressed image is neither of the JPEG family nor JPEG 2000");
        return 1;
    }
    if (f.width != dicom->width_px || f.height != dicom->height_px || f.n_channels != 1 ||
        (f.bits > 8) != (dicom->bits_allocated > 8) || f.bits > dicom->bits_allocated) {
        snprintf(why, why_size,
                 "its compressed image is %lu x %lu pixels of %lu bits and %lu channels, the file "
                 "says %u x %u of %u",
                 f.width, f.height, f.bits, f.n_channels, dicom->width_px, dicom->height_px,
                 dicom->bits_allocated);
        return 1;
    }
    return 0;
}

/* dicom_file.c -- takes a DICOM file apart [dicom, PS3.5, 7]: explicit or implicit, little or big
 * endian, deflated, or pixel data in items. Elements are stepped over but for the few that say what
 * the pixels are. Every size is held against what is left of the file. */
#include "config.h"
#include "image/dicom.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/banned.h"

enum {
    PREAMBLE_BYTES = 128,
    DEPTH_MAX = 16, /* of sequences in sequences */
    INFLATED_MAX = 1 << 30
};

static const uint32_t unknown_size = 0xffffffff;
static const uint32_t item = 0xfffee000, item_end = 0xfffee00d, sequence_end = 0xfffee0dd;
static const uint32_t pixel_data = 0x7fe00010, transfer_syntax = 0x00020010;

/* The elements that are kept, and where. */
static const struct kept {
    uint32_t tag;
    bool is_text;
    size_t offset;
} kept[] = {
    {0x00280002, false, offsetof(tgi_dicom, n_channels)},
    {0x00280004, true, offsetof(tgi_dicom, photometric)},
    {0x00280008, true, offsetof(tgi_dicom, n_frames)},
    {0x00280010, false, offsetof(tgi_dicom, height_px)},
    {0x00280011, false, offsetof(tgi_dicom, width_px)},
    {0x00280100, false, offsetof(tgi_dicom, bits_allocated)},
    {0x00280101, false, offsetof(tgi_dicom, bits_stored)},
    {0x00280102, false, offsetof(tgi_dicom, high_bit)},
    {0x00280103, false, offsetof(tgi_dicom, is_signed)},
    {0x00281050, true, offsetof(tgi_dicom, window_center)},
    {0x00281051, true, offsetof(tgi_dicom, window_width)},
    {0x00281052, true, offsetof(tgi_dicom, intercept)},
    {0x00281053, true, offsetof(tgi_dicom, slope)},
    {0x00281056, true, offsetof(tgi_dicom, window_function)},
};

typedef struct walker {
    const unsigned char *bytes;
    size_t n, at;
    bool is_implicit, is_big;
    tgi_dicom *found;
    char *why;
    size_t why_size;
} walker;

typedef struct element {
    uint32_t tag, size;
    char type[2]; /* its value representation; 0 in implicit files */
} element;

static bool stop(walker *w, const char *format, ...) TG_PRINTF(2, 3);
static bool stop(walker *w, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(w->why, w->why_size, format, args);
    va_end(args);
    return false;
}

static uint32_t number(const walker *w, size_t at, size_t n)
{
    uint32_t v = 0;

    for (size_t k = 0; k < n; k++)
        v |= (uint32_t)w->bytes[at + k] << 8 * (w->is_big ? n - 1 - k : k);
    return v;
}

static bool has(walker *w, size_t n)
{
    return n <= w->n - w->at
               ? true
               : stop(w, "it is truncated: %zu bytes are missing, or more", n - (w->n - w->at));
}

/* Those with a long size: two bytes of nothing, then four. */
static bool is_long(const char type[2])
{
    static const char types[] = "OBODOFOLOVOWSQSVUCUNURUTUV";

    for (const char *t = types; *t; t += 2)
        if (memcmp(t, type, 2) == 0)
            return true;
    return false;
}

/* The head of an element; items and their ends have no type in any syntax. */
static bool read_element(walker *w, element *out)
{
    if (!has(w, 8))
        return false;
    *out = (element){.tag = number(w, w->at, 2) << 16 | number(w, w->at + 2, 2)};
    if (w->is_implicit || out->tag >> 16 == 0xfffe) {
        out->size = number(w, w->at + 4, 4);
        w->at += 8;
        return true;
    }
    memcpy(out->type, w->bytes + w->at + 4, 2);
    if (!is_long(out->type)) {
        out->size = number(w, w->at + 6, 2);
        w->at += 8;
        return true;
    }
    if (!has(w, 12))
        return false;
    out->size = number(w, w->at + 8, 4);
    w->at += 12;
    return true;
}

static bool step_over(walker *w, size_t n)
{
    if (!has(w, n))
        return false;
    w->at += n;
    return true;
}

/* The first of several values, without blanks around it. */
static void keep_text(const unsigned char *bytes, size_t n, char out[TGI_DICOM_TEXT])
{
    const unsigned char *end = memchr(bytes, '\\', n);

    n = end ? (size_t)(end - bytes) : n;
    while (n && *bytes == ' ') {
        bytes++;
        n--;
    }
    while (n && (bytes[n - 1] == ' ' || !bytes[n - 1]))
        n--;
    n = n < TGI_DICOM_TEXT ? n : TGI_DICOM_TEXT - 1;
    memcpy(out, bytes, n);
    out[n] = 0;
}

/* Keeps the value that lies at w->at. */
static void keep(walker *w, const element *e)
{
    for (size_t k = 0; k < TG_COUNT(kept); k++) {
        void *at = (char *)w->found + kept[k].offset;

        if (kept[k].tag != e->tag)
            continue;
        if (kept[k].is_text)
            keep_text(w->bytes + w->at, e->size, at);
        else if (e->size >= 2)
            *(unsigned *)at = number(w, w->at, 2);
    }
}

static bool add_piece(walker *w, size_t n)
{
    tgi_dicom *d = w->found;

    if (tgi_grow(&d->pieces, &d->capacity_pieces, d->n_pieces + 1, sizeof *d->pieces) != TG_OK)
        return stop(w, "there is not enough memory");
    d->pieces[d->n_pieces++] = (tgi_dicom_piece){w->bytes + w->at, n};
    return true;
}

/* Pixel data in items; the first is a table of offsets. */
static bool walk_fragments(walker *w)
{
    element e;

    for (size_t k = 0;; k++) {
        if (!read_element(w, &e))
            return false;
        if (e.tag == sequence_end)
            return true;
        if (e.tag != item || e.size == unknown_size)
            return stop(w, "it is damaged: no item where one of its pixel data should be");
        if (!has(w, e.size) || (k && !add_piece(w, e.size)))
            return false;
        w->at += e.size;
    }
}

static bool walk_pixels(walker *w, const element *e)
{
    if (w->found->has_pixels)
        return stop(w, "it is damaged: it has pixel data twice");
    w->found->has_pixels = true;
    w->found->is_compressed = e->size == unknown_size;
    if (w->found->is_compressed)
        return walk_fragments(w);
    if (!has(w, e->size) || !add_piece(w, e->size))
        return false;
    w->at += e->size;
    return true;
}

static bool walk_elements(walker *w, unsigned depth, uint32_t end);

/* A sequence of unknown size: items of known size, or elements up to an end. */
static bool walk_sequence(walker *w, const element *sequence, unsigned depth)
{
    const bool was_implicit = w->is_implicit;
    element e;

    if (depth > DEPTH_MAX)
        return stop(w, "it is damaged: sequences in sequences without an end");
    if (memcmp(sequence->type, "UN", 2) == 0) /* such are implicit, whatever the file is */
        w->is_implicit = true;
    for (;;) {
        if (!read_element(w, &e))
            return false;
        if (e.tag == sequence_end)
            break;
        if (e.tag != item)
            return stop(w, "it is damaged: no item where a sequence should have one");
        if (e.size != unknown_size ? !step_over(w, e.size) : !walk_elements(w, depth + 1, item_end))
            return false;
    }
    w->is_implicit = was_implicit;
    return true;
}

/* Elements up to the tag `end`; 0 = to the end of the file. */
static bool walk_elements(walker *w, unsigned depth, uint32_t end)
{
    element e;

    while (end || w->at < w->n) {
        /* some writers pad the file with zeros */
        if (!end && w->found->has_pixels && !w->bytes[w->at])
            return true;
        if (!read_element(w, &e))
            return false;
        if (end && e.tag == end)
            return true;
        if (!depth && e.tag == pixel_data) {
            if (!walk_pixels(w, &e))
                return false;
        } else if (e.size == unknown_size) {
            if (!walk_sequence(w, &e, depth))
                return false;
        } else {
            if (!has(w, e.size))
                return false;
            if (!depth)
                keep(w, &e);
            w->at += e.size;
        }
    }
    return true;
}

/* Group 2, always explicit and little endian: how the rest is written. */
static bool walk_meta(walker *w)
{
    while (w->n - w->at >= 2 && number(w, w->at, 2) == 2) {
        element e;

        if (!read_element(w, &e) || !has(w, e.size))
            return false;
        if (e.tag == transfer_syntax)
            keep_text(w->bytes + w->at, e.size, w->found->syntax);
        w->at += e.size;
    }
    if (!w->found->syntax[0])
        return stop(w, "it is damaged: it does not say its transfer syntax");
    return true;
}

/* The rest of the file inflated, which stays with what was found. */
static bool inflate_rest(walker *w)
{
    z_stream z = {.next_in = (unsigned char *)w->bytes + w->at,
                  .avail_in = (unsigned)(w->n - w->at)};
    size_t capacity = 0;
    int result = Z_OK;

    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return stop(w, "there is not enough memory");
    while (result == Z_OK && capacity < INFLATED_MAX) {
        if (tgi_grow(&w->found->inflated, &capacity, capacity + (1 << 20), 1) != TG_OK) {
            result = Z_MEM_ERROR;
            break;
        }
        z.next_out = w->found->inflated + z.total_out;
        z.avail_out = (unsigned)(capacity - z.total_out);
        result = inflate(&z, Z_NO_FLUSH);
    }
    inflateEnd(&z);
    if (result != Z_STREAM_END)
        return stop(w, "it is truncated, or its deflated part is damaged");
    w->bytes = w->found->inflated;
    w->n = z.total_out;
    w->at = 0;
    return true;
}

static bool parse(walker *w)
{
    if (w->n < w->at)
        return stop(w, "it is truncated");
    if (!walk_meta(w))
        return false;
    w->is_implicit = strcmp(w->found->syntax, "1.2.840.10008.1.2") == 0;
    w->is_big = strcmp(w->found->syntax, "1.2.840.10008.1.2.2") == 0;
    w->found->is_big_endian = w->is_big;
    if (strcmp(w->found->syntax, "1.2.840.10008.1.2.1.99") == 0 && !inflate_rest(w))
        return false;
    if (!walk_elements(w, 0, 0))
        return false;
    return w->found->has_pixels ? true : stop(w, "it has no pixel data");
}

int tgi_dicom_parse(const unsigned char *bytes, size_t n, tgi_dicom *out, char *why,
                    size_t why_size)
{
    walker w = {.bytes = bytes,
                .n = n,
                .at = PREAMBLE_BYTES + 4,
                .found = out,
                .why = why,
                .why_size = why_size};

    *out = (tgi_dicom){0};
    if (parse(&w))
        return 0;
    tgi_dicom_release(out);
    return 1;
}

void tgi_dicom_release(tgi_dicom *dicom)
{
    free(dicom->pieces);
    free(dicom->inflated);
    *dicom = (tgi_dicom){0};
}

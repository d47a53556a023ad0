/* jpeg.c -- JPEG by libjpeg-turbo: grey, colour, CMYK and YCCK, baseline and progressive. Its
 * errors jump and its warnings about lost data are errors here: half a radiograph must not look
 * like a whole one. Nothing goes to stderr. */
#include "config.h"
#include "image/image.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h wants it first */
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "base/memory.h"
#include "base/banned.h"

enum {
    SCANS_MAX = 500
}; /* a progressive file of endless tiny scans costs minutes: libjpeg-turbo's advice */

typedef struct jpeg_job {
    struct jpeg_error_mgr errors; /* first: libjpeg hands this back */
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
    struct jpeg_decompress_struct jpeg;
    const char *path;
    const unsigned char *bytes;
    size_t n_bytes;
    unsigned char *row;
    tgi_plane plane;
    tg_status status; /* of our own calls between libjpeg's */
} jpeg_job;

static void on_error(j_common_ptr jpeg)
{
    jpeg_job *job = (jpeg_job *)jpeg->err;

    jpeg->err->format_message(jpeg, job->message);
    longjmp(job->jump, 1);
}

/* Level -1 is a warning. These mean that pixels are missing or invented; the others (odd padding, a
 * strange version number) are common in whole files. */
static void on_message(j_common_ptr jpeg, int level)
{
    if (level >= 0)
        return;
    switch (jpeg->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_ARITH_BAD_CODE:
        on_error(jpeg);
        break;
    default:
        break;
    }
}

static void on_output(j_common_ptr jpeg)
{
    TG_UNUSED(jpeg);
}

static void on_progress(j_common_ptr jpeg)
{
    if (jpeg->is_decompressor && ((j_decompress_ptr)jpeg)->input_scan_number > SCANS_MAX) {
        jpeg_job *job = (jpeg_job *)jpeg->err;

        snprintf(job->message, sizeof job->message, "more than %d scans", SCANS_MAX);
        longjmp(job->jump, 1);
    }
}

/* Which samples libjpeg should hand over; false when the file has none that make a picture. */
static bool choose_output(struct jpeg_decompress_struct *jpeg)
{
    switch (jpeg->jpeg_color_space) {
    case JCS_GRAYSCALE:
        jpeg->out_color_space = JCS_GRAYSCALE;
        return true;
    case JCS_RGB:
    case JCS_YCbCr:
        jpeg->out_color_space = JCS_RGB;
        return true;
    case JCS_CMYK:
    case JCS_YCCK:
        jpeg->out_color_space = JCS_CMYK;
        return true;
    default:
        return false;
    }
}

static void keep_row(tgi_plane *plane, const unsigned char *raw, int n_channels, bool is_inverted,
                     size_t y)
{
    float *out = plane->pixels + y * plane->width_px;

    for (size_t x = 0; x < plane->width_px; x++, raw += n_channels) {
        double c[3];

        if (n_channels == 1) {
            out[x] = raw[0];
            continue;
        }
        for (int k = 0; k < 3; k++)
            c[k] = raw[k];
        if (n_channels == 4) { /* ink: Adobe writes it inverted, 255 = none */
            const double white = is_inverted ? raw[3] : 255 - raw[3];

            for (int k = 0; k < 3; k++)
                c[k] = (is_inverted ? c[k] : 255 - c[k]) * white / 255;
        }
        out[x] = (float)((299 * c[0] + 587 * c[1] + 114 * c[2]) / 1000);
    }
}

static void read_picture(jpeg_job *job)
{
    struct jpeg_decompress_struct *jpeg = &job->jpeg;
    tgi_plane *plane = &job->plane;
    size_t n_pixels;

    jpeg_create_decompress(jpeg);
    jpeg_mem_src(jpeg, job->bytes, (unsigned long)job->n_bytes);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(jpeg, TRUE);
    plane->width_px = jpeg->image_width;
    plane->height_px = jpeg->image_height;
    plane->depth_bits = 8;
    plane->largest = 255;
    plane->orientation = 1;
    if ((job->status = tgi_check_sides(job->path, plane->width_px, plane->height_px)) != TG_OK)
        return;
    /* A block of 8 x 8 takes a bit at least, 16 blocks share one at most: a smaller file cannot
     * hold that picture. */
    if (!jpeg->arith_code && plane->width_px * plane->height_px / (64 * 8 * 16) > job->n_bytes) {
        job->status = tg_fail(TG_ERR_FORMAT,
                              "cannot read '%s': truncated JPEG (%zu bytes for %zu x %zu pixels)",
                              job->path, job->n_bytes, plane->width_px, plane->height_px);
        return;
    }
    if (!choose_output(jpeg)) {
        job->status = tg_fail(TG_ERR_FORMAT, "cannot read '%s': a JPEG of %d unknown channels",
                              job->path, jpeg->num_components);
        return;
    }
    plane->is_plain_grey = jpeg->out_color_space == JCS_GRAYSCALE;
    for (jpeg_saved_marker_ptr marker = jpeg->marker_list; marker && plane->orientation == 1;
         marker = marker->next)
        if (marker->marker == JPEG_APP0 + 1)
            plane->orientation = tgi_exif_orientation(marker->data, marker->data_length);
    job->progress.progress_monitor = on_progress;
    jpeg->progress = &job->progress;
    jpeg_start_decompress(jpeg);
    if ((job->status = tgi_size_mul(plane->width_px, plane->height_px, &n_pixels)) != TG_OK ||
        (job->status = tgi_alloc(n_pixels, sizeof *plane->pixels, &plane->pixels)) != TG_OK ||
        (job->status = tgi_alloc(plane->width_px, (size_t)jpeg->output_components, &job->row)) !=
            TG_OK)
        return;
    while (jpeg->output_scanline < jpeg->output_height) {
        const size_t y = jpeg->output_scanline;

        jpeg_read_scanlines(jpeg, &job->row, 1);
        keep_row(plane, job->row, jpeg->output_components, jpeg->saw_Adobe_marker, y);
    }
    jpeg_finish_decompress(jpeg);
}

static bool guarded(jpeg_job *job)
{
    if (setjmp(job->jump))
        return false;
    read_picture(job);
    return true;
}

tg_status tgi_jpeg_decode(const char *path, const unsigned char *bytes, size_t n, tgi_plane *out)
{
    tg_status status = TG_OK;
    jpeg_job *job;

    *out = (tgi_plane){0};
    TG_TRY(tgi_alloc(1, sizeof *job, &job));
    job->path = path;
    job->bytes = bytes;
    job->n_bytes = n;
    job->jpeg.err = jpeg_std_error(&job->errors);
    job->errors.error_exit = on_error;
    job->errors.emit_message = on_message;
    job->errors.output_message = on_output;
    if (!guarded(job))
        status = tg_fail(TG_ERR_FORMAT, "cannot read '%s': damaged or truncated JPEG (%s)", path,
                         job->message);
    else if (job->status != TG_OK)
        status = job->status;
    else {
        *out = job->plane;
        job->plane = (tgi_plane){0};
    }
    jpeg_destroy_decompress(&job->jpeg);
    tgi_plane_release(&job->plane);
    free(job->row);
    free(job);
cleanup:
    return status;
}

/* png.c -- PNG by libpng. libpng reports by longjmp: each guarded call keeps all it owns in a
 * struct that outlives the jump, so nothing leaks and no local variable is in doubt afterwards.
 * Nothing goes to stderr. */
#include "config.h"
#include "image/image.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/banned.h"

typedef struct png_job {
    const char *path;
    png_structp png;
    png_infop info;
    char message[160]; /* libpng's words, kept before the jump */
    tg_status status;  /* of our own calls between libpng's */
    /* reading */
    const unsigned char *bytes;
    size_t n_bytes, at;
    unsigned char *raw; /* one row, or the whole picture when it is interlaced */
    png_bytep *rows;
    tgi_plane plane;
    /* writing */
    const unsigned char *source;
    size_t width_px, height_px;
    unsigned n_channels, depth_bits;
    tgi_file file;
} png_job;

static void on_error(png_structp png, png_const_charp message)
{
    png_job *job = png_get_error_ptr(png);
    size_t n = strlen(message);

    if (n >= sizeof job->message)
        n = sizeof job->message - 1;
    memcpy(job->message, message, n);
    job->message[n] = 0;
    png_longjmp(png, 1);
}

/* Odd colour profiles and the like: no harm to the pixels. */
static void on_warning(png_structp png, png_const_charp message)
{
    TG_UNUSED(png);
    TG_UNUSED(message);
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
    png_job *job = png_get_io_ptr(png);

    if (n > job->n_bytes - job->at)
        png_error(png, "the file ends early");
    memcpy(to, job->bytes + job->at, n);
    job->at += n;
}

static void on_write(png_structp png, png_bytep from, size_t n)
{
    png_job *job = png_get_io_ptr(png);

    if (fwrite(from, 1, n, job->file.stream) != n)
        png_error(png, "the disk refused it");
}

static void on_flush(png_structp png)
{
    TG_UNUSED(png);
}

/* Runs a step that may jump; false when it did. */
static bool guarded(png_job *job, void (*step)(png_job *))
{
    if (setjmp(png_jmpbuf(job->png)))
        return false;
    step(job);
    return true;
}

static unsigned sample_at(const unsigned char *p, unsigned depth_bits)
{
    return depth_bits == 16 ? (unsigned)p[0] << 8 | p[1] : p[0];
}

/* One row of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels into the plane. */
static void keep_row(tgi_plane *plane, const unsigned char *raw, unsigned n_channels, size_t y)
{
    const size_t step = plane->depth_bits / 8;
    const double full = plane->depth_bits == 16 ? 65535 : 255;
    const unsigned n_colours = n_channels < 3 ? 1 : 3;
    float *out = plane->pixels + y * plane->width_px;

    for (size_t x = 0; x < plane->width_px; x++, raw += n_channels * step) {
        unsigned c[4] = {0};
        double grey;

        for (unsigned k = 0; k < n_channels; k++)
            c[k] = sample_at(raw + k * step, plane->depth_bits);
        for (unsigned k = 0; k < n_colours; k++)
            plane->largest = c[k] > plane->largest ? c[k] : plane->largest;
        grey = n_colours == 1 ? c[0] : (299.0 * c[0] + 587.0 * c[1] + 114.0 * c[2]) / 1000;
        if (n_channels > n_colours)
            grey *= c[n_colours] / full; /* over black */
        out[x] = (float)grey;
    }
}

/* Asks libpng for 8 or 16 bits of grey, grey + alpha, RGB or RGBA, whatever the file holds. */
static void ask_for_plain_samples(png_job *job)
{
    const int colour = png_get_color_type(job->png, job->info);

    if (colour == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(job->png);
    if (colour == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(job->png, job->info) < 8)
        png_set_expand_gray_1_2_4_to_8(job->png);
    if (png_get_valid(job->png, job->info, PNG_INFO_tRNS))
        png_set_tRNS_to_alpha(job->png);
}

static void read_picture(png_job *job)
{
    tgi_plane *plane = &job->plane;
    unsigned n_channels;
    size_t row_bytes, n_raw, n_pixels;
    int n_passes;

    png_set_read_fn(job->png, job, on_read);
    png_set_user_limits(job->png, TGI_IMAGE_SIDE_MAX, TGI_IMAGE_SIDE_MAX);
    png_read_info(job->png, job->info);
    plane->width_px = png_get_image_width(job->png, job->info);
    plane->height_px = png_get_image_height(job->png, job->info);
    plane->orientation = 1;
    plane->is_plain_grey = png_get_color_type(job->png, job->info) == PNG_COLOR_TYPE_GRAY &&
                           !png_get_valid(job->png, job->info, PNG_INFO_tRNS);
    /* Deflate shrinks at most 1032 times: a smaller file cannot hold what its header claims. */
    n_raw = plane->width_px * plane->height_px / 8 * png_get_bit_depth(job->png, job->info);
    if (n_raw / 1032 > job->n_bytes)
        png_error(job->png, "the file is too small for its size in pixels");

    ask_for_plain_samples(job);
    n_passes = png_set_interlace_handling(job->png);
    png_read_update_info(job->png, job->info);
    n_channels = png_get_channels(job->png, job->info);
    plane->depth_bits = png_get_bit_depth(job->png, job->info);
    row_bytes = png_get_rowbytes(job->png, job->info);
    if (n_channels > 4 || (plane->depth_bits != 8 && plane->depth_bits != 16) ||
        row_bytes != plane->width_px * n_channels * (plane->depth_bits / 8))
        png_error(job->png, "unknown layout of its samples");

    if ((job->status = tgi_size_mul(plane->width_px, plane->height_px, &n_pixels)) != TG_OK ||
        (job->status = tgi_alloc(n_pixels, sizeof *plane->pixels, &plane->pixels)) != TG_OK ||
        (job->status = tgi_alloc(n_passes > 1 ? plane->height_px : 1, row_bytes, &job->raw)) !=
            TG_OK)
        return;
    if (n_passes > 1) {
        if ((job->status = tgi_alloc(plane->height_px, sizeof *job->rows, &job->rows)) != TG_OK)
            return;
        for (size_t y = 0; y < plane->height_px; y++)
            job->rows[y] = job->raw + y * row_bytes;
        png_read_image(job->png, job->rows);
        for (size_t y = 0; y < plane->height_px; y++)
            keep_row(plane, job->rows[y], n_channels, y);
    } else {
        for (size_t y = 0; y < plane->height_px; y++) {
            png_read_row(job->png, job->raw, NULL);
            keep_row(plane, job->raw, n_channels, y);
        }
    }
    png_read_end(job->png, NULL);
}

static size_t big_endian_32(const unsigned char *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

tg_status tgi_png_decode(const char *path, const unsigned char *bytes, size_t n, tgi_plane *out)
{
    tg_status status = TG_OK;
    png_job job = {.path = path, .bytes = bytes, .n_bytes = n};

    *out = (tgi_plane){0};
    /* The header stands at a fixed place: believe it before libpng is asked. */
    if (n < 33 || memcmp(bytes + 12, "IHDR", 4) != 0)
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s': damaged or truncated PNG (no header)",
                       path);
    TG_TRY(tgi_check_sides(path, big_endian_32(bytes + 16), big_endian_32(bytes + 20)));
    job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    job.info = job.png ? png_create_info_struct(job.png) : NULL;
    if (!job.info) {
        status = tg_fail(TG_ERR_MEMORY, "cannot read '%s': libpng has no memory", path);
        goto cleanup;
    }
    if (!guarded(&job, read_picture)) {
        status = tg_fail(TG_ERR_FORMAT, "cannot read '%s': damaged or truncated PNG (%s)", path,
                         job.message);
        goto cleanup;
    }
    if (job.status != TG_OK) {
        status = tg_fail_in(job.status, "cannot read '%s'", path);
        goto cleanup;
    }
    *out = job.plane;
    job.plane = (tgi_plane){0};
cleanup:
    png_destroy_read_struct(&job.png, &job.info, NULL);
    tgi_plane_release(&job.plane);
    free(job.raw);
    free(job.rows);
    return status;
}

static void write_picture(png_job *job)
{
    const size_t row_bytes = job->width_px * job->n_channels * (job->depth_bits / 8);

    png_set_write_fn(job->png, job, on_write, on_flush);
    png_set_compression_level(job->png, 6);
    png_set_IHDR(job->png, job->info, (png_uint_32)job->width_px, (png_uint_32)job->height_px,
                 (int)job->depth_bits,
                 job->n_channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(job->png, job->info);
    for (size_t y = 0; y < job->height_px; y++)
        png_write_row(job->png, job->source + y * row_bytes);
    png_write_end(job->png, job->info);
}

tg_status tgi_png_write(const char *path, const unsigned char *bytes, size_t width_px,
                        size_t height_px, unsigned n_channels, unsigned depth_bits)
{
    tg_status status = TG_OK;
    png_job job = {.path = path,
                   .source = bytes,
                   .width_px = width_px,
                   .height_px = height_px,
                   .n_channels = n_channels,
                   .depth_bits = depth_bits};

    if (!width_px || !height_px || width_px > PNG_USER_WIDTH_MAX || height_px > PNG_USER_HEIGHT_MAX)
        return tg_fail(TG_ERR_ARGUMENT, "cannot write '%s': a PNG of %zu x %zu pixels", path,
                       width_px, height_px);
    TG_TRY(tgi_file_create(path, &job.file));
    job.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    job.info = job.png ? png_create_info_struct(job.png) : NULL;
    if (!job.info) {
        status = tg_fail(TG_ERR_MEMORY, "cannot write '%s': libpng has no memory", path);
        goto cleanup;
    }
    if (!guarded(&job, write_picture)) {
        status = tg_fail(TG_ERR_IO, "cannot write '%s': %s", path, job.message);
        goto cleanup;
    }
    status = tgi_file_commit(&job.file);
cleanup:
    png_destroy_write_struct(&job.png, &job.info);
    tgi_file_discard(&job.file);
    return status;
}

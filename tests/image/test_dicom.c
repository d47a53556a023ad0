/* test_dicom.c -- one picture stored in many ways comes out the same: as a viewer shows it; what is
 * cut off or no single grey picture is refused. tests/image/make_dicom.py wrote the samples. */
#include "config.h"
#include "tg_test.h"
#include "image/picture.h"
#include "base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 24, HEIGHT = 20 };

static double stored(size_t x, size_t y)
{
    return (double)((137 * x + 53 * y + x * y % 97) % 4096);
}

static double clamp(double y)
{
    return y < 0 ? 0 : y > 1 ? 1 : y;
}

/* DICOM PS3.3 C.11.2.1.2: center 1500, width 2000, then black is white. */
static double in_window(double v)
{
    return 1 - clamp((v - 1499.5) / 1999 + 0.5);
}
static double in_exact_window(double v)
{
    return 1 - clamp((v - 1500) / 2000 + 0.5);
}
static double in_sigmoid_window(double v)
{
    return 1 - 1 / (1 + exp(-4 * (v - 1500) / 2000));
}
static double whole_range(double v)
{
    return v / 4095;
}
static double in_eight_bits(double v)
{
    return floor(v / 16) / 255;
}
/* stored - 2048, times 0.5, plus 1024 */
static double rescaled(double v)
{
    return 1 - in_window(v / 2);
}

static const struct sample {
    const char *name;
    double (*grey)(double stored); /* NULL: it is grey.jpg */
} samples[] = {
    {"explicit", in_window},
    {"implicit", in_window},
    {"big_endian", in_window},
    {"deflated", in_window},
    {"rle", in_window},
    {"two_windows", in_window},
    {"high_bits", in_window},
    {"exact_window", in_exact_window},
    {"sigmoid_window", in_sigmoid_window},
    {"no_window", whole_range},
    {"rescaled", rescaled},
    {"eight_bits", in_eight_bits},
    {"jpeg", NULL},
#ifdef HAVE_GDCM
    {"jpeg_lossless", in_window},
    {"jpeg_ls", in_window},
    {"jpeg2000", in_window},
#endif
};

static const char *path_of(const char *name)
{
    static char file[64];

    snprintf(file, sizeof file, "dicom_%s.dcm", name);
    return picture_path(file);
}

START_TEST(comes_out_as_a_viewer_shows_it)
{
    const struct sample *s = &samples[_i];
    tg_image image, jpeg = {0};

    ck_assert_tg_ok(tg_image_load(path_of(s->name), &image));
    if (!s->grey) {
        ck_assert_tg_ok(tg_image_load(picture_path("grey.jpg"), &jpeg));
        tg_compare(s->name, image.pixels, jpeg.pixels, jpeg.width_px * jpeg.height_px, 1e-6);
        tg_image_release(&jpeg);
        tg_image_release(&image);
        return;
    }
    ck_assert_uint_eq(image.width_px, WIDTH);
    ck_assert_uint_eq(image.height_px, HEIGHT);
    for (size_t y = 0; y < HEIGHT; y++)
        for (size_t x = 0; x < WIDTH; x++) {
            const double want = 2 * s->grey(stored(x, y)) - 1;
            const double got = image.pixels[y * WIDTH + x];

            ck_assert_msg(fabs(got - want) < 1e-6, "%s at %zu,%zu: %g, not %g", s->name, x, y, got,
                          want);
        }
    tg_image_release(&image);
}
END_TEST

START_TEST(refuses_what_is_no_single_grey_picture)
{
    static const struct {
        const char *name, *why;
    } wants[] = {{"rgb", "its pixels are RGB"},
                 {"two_frames", "2 frames"},
                 {"no_pixels", "no pixel data"},
                 {"few_pixels", "need 960"}};

    for (size_t k = 0; k < TG_COUNT(wants); k++) {
        tg_image image;

        ck_assert_tg_fails(tg_image_load(path_of(wants[k].name), &image), TG_ERR_FORMAT);
        ck_assert_ptr_null(image.pixels);
        ck_assert_msg(strstr(tg_error_message(), wants[k].why) &&
                          strstr(tg_error_message(), "DICOM"),
                      "%s", tg_error_message());
    }
}
END_TEST

/* Each of the compressed and plain samples, cut at each length: none of them passes for whole. */
START_TEST(refuses_truncated_files)
{
    char *bytes, cut[4096];
    size_t n;

    snprintf(cut, sizeof cut, "%s.%ld", tg_scratch_path("cut.dcm"), (long)getpid());
    ck_assert_tg_ok(tgi_file_read(path_of(samples[_i].name), 1 << 20, &bytes, &n));
    for (size_t size = 0; size < n; size += size < 132 || size + 40 > n ? 1 : 7) {
        tg_image image;

        /* what a compressor leaves behind its end needs no byte more than itself */
        if (strcmp(samples[_i].name, "deflated") == 0 && size + 2 > n)
            break;
        ck_assert_tg_ok(tgi_file_write(cut, bytes, size));
        ck_assert_msg(tg_image_load(cut, &image) != TG_OK, "%s: the first %zu of %zu bytes pass",
                      samples[_i].name, size, n);
        ck_assert_ptr_null(image.pixels);
    }
    remove(cut);
    free(bytes);
}
END_TEST

/* Any byte may be any other: that may be refused or not, but never crash. */
START_TEST(survives_damaged_files)
{
    char *bytes, damaged[4096];
    size_t n;

    snprintf(damaged, sizeof damaged, "%s.%ld", tg_scratch_path("bad.dcm"), (long)getpid());
    ck_assert_tg_ok(tgi_file_read(path_of(samples[_i].name), 1 << 20, &bytes, &n));
    for (size_t at = 128; at < n; at += at < 480 ? 3 : 29) {
        const char was = bytes[at];
        tg_image image;

        bytes[at] = (char)(was ^ (at % 2 ? 0xff : 0x41));
        ck_assert_tg_ok(tgi_file_write(damaged, bytes, n));
        if (tg_image_load(damaged, &image) == TG_OK)
            tg_image_release(&image);
        bytes[at] = was;
    }
    remove(damaged);
    free(bytes);
}
END_TEST

#ifndef HAVE_GDCM
START_TEST(names_the_switch_of_configure)
{
    tg_image image;

    ck_assert_tg_fails(tg_image_load(path_of("jpeg2000"), &image), TG_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(tg_error_message(), "configure it --with-gdcm"));
}
END_TEST
#endif

int main(void)
{
    TCase *tc = tg_case("dicom", 120);

    tcase_add_loop_test(tc, comes_out_as_a_viewer_shows_it, 0, TG_COUNT(samples));
    tcase_add_test(tc, refuses_what_is_no_single_grey_picture);
    tcase_add_loop_test(tc, refuses_truncated_files, 0, TG_COUNT(samples));
    tcase_add_loop_test(tc, survives_damaged_files, 0, TG_COUNT(samples));
#ifndef HAVE_GDCM
    tcase_add_test(tc, names_the_switch_of_configure);
#endif
    return tg_run("dicom");
}

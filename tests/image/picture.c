/* picture.c -- loads a sample and compares it with what Pillow saw. */
#include "config.h"
#include "tg_test.h"
#include "image/picture.h"
#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *picture_path(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "tests/image/data/%s", name);
    return tg_source_path(path);
}

char *picture_bytes(const char *name, size_t n)
{
    char *bytes;
    size_t got;

    ck_assert_tg_ok(tgi_file_read(picture_path(name), 1 << 20, &bytes, &got));
    ck_assert_msg(got == n, "%s: %zu bytes, not %zu", name, got, n);
    return bytes;
}

void picture_check(const char *name, const char *reference, size_t width_px, size_t height_px,
                   double levels)
{
    char file[256];
    unsigned char *want;
    tg_image image;

    snprintf(file, sizeof file, "%s.grey", reference);
    want = (unsigned char *)picture_bytes(file, width_px * height_px);
    ck_assert_tg_ok(tg_image_load(picture_path(name), &image));
    ck_assert_msg(image.width_px == width_px && image.height_px == height_px, "%s: %zu x %zu", name,
                  image.width_px, image.height_px);
    for (size_t i = 0; i < width_px * height_px; i++) {
        const double got = (image.pixels[i] + 1.0) * 127.5;

        ck_assert_msg(fabs(got - want[i]) <= levels, "%s: pixel %zu is %g, not %d", name, i, got,
                      want[i]);
    }
    tg_image_release(&image);
    free(want);
}

void picture_check_refused(const char *name, const char *why)
{
    tg_image image = {1, 1, (float *)&image};

    ck_assert_tg_fails(tg_image_load(picture_path(name), &image), TG_ERR_FORMAT);
    ck_assert_msg(strstr(tg_error_message(), name) && strstr(tg_error_message(), why),
                  "%s: '%s' lacks '%s'", name, tg_error_message(), why);
    ck_assert_ptr_null(image.pixels);
    ck_assert_uint_eq(image.width_px, 0);
}

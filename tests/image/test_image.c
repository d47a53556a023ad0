/* test_image.c -- the content decides what a file is; what is written reads back as it was. */
#include "config.h"
#include "tg_test.h"
#include "image/picture.h"
#include "base/file.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *scratch(const char *name)
{
    char *path;

    ck_assert_tg_ok(tgi_printf(&path, "%s.%ld", tg_scratch_path(name), (long)getpid()));
    return path;
}

START_TEST(names_what_it_cannot_read)
{
    tg_image image;

    picture_check_refused("empty.png", "empty");
    picture_check_refused("text.png", "neither PNG, JPEG nor DICOM");
    picture_check_refused("webp_named.png", "WebP");
    picture_check_refused("small.dcm", "DICOM");
    ck_assert_tg_fails(tg_image_load(picture_path("no_such_file.png"), &image), TG_ERR_IO);
    ck_assert_tg_fails(tg_image_load(picture_path("."), &image), TG_ERR_IO);
}
END_TEST

START_TEST(an_image_returns_in_8_bits)
{
    char *path = scratch("image_8.png");
    tg_image image, back;

    ck_assert_tg_ok(tg_image_load(picture_path("grey8.png"), &image));
    image.pixels[0] = 3;
    image.pixels[1] = -3;
    image.pixels[2] = NAN;
    ck_assert_tg_ok(tg_image_save(path, &image));
    ck_assert_tg_ok(tg_image_load(path, &back));
    image.pixels[0] = 1;
    image.pixels[1] = image.pixels[2] = -1;
    tg_compare("image", back.pixels, image.pixels, 280, TOL_POINT);
    unlink(path);
    free(path);
    tg_image_release(&image);
    tg_image_release(&back);
}
END_TEST

START_TEST(a_map_returns_in_16_bits)
{
    char *path = scratch("image_16.png");
    tg_image map, back;

    ck_assert_tg_ok(tg_map_load(picture_path("map.png"), &map));
    for (size_t y = 0; y < 14; y++)
        for (size_t x = 0; x < 20; x++)
            ck_assert_double_le(fabs(map.pixels[y * 20 + x] - 0.05 * ((double)x - (double)y)),
                                1.01 / 32767);
    ck_assert_tg_ok(tg_map_save(path, &map));
    ck_assert_tg_ok(tg_map_load(path, &back));
    ck_assert_mem_eq(back.pixels, map.pixels, 280 * sizeof(float));
    tg_image_release(&back);
    map.pixels[0] = 0;
    map.pixels[1] = 5;
    map.pixels[2] = -5;
    ck_assert_tg_ok(tg_map_save(path, &map));
    ck_assert_tg_ok(tg_map_load(path, &back));
    ck_assert_float_eq(back.pixels[0], 0); /* nothing stays exactly nothing */
    ck_assert_float_eq_tol(back.pixels[1], 2, 1e-6f);
    ck_assert_float_eq_tol(back.pixels[2], -2, 1e-4f);
    unlink(path);
    free(path);
    tg_image_release(&map);
    tg_image_release(&back);
    ck_assert_tg_fails(tg_map_load(picture_path("grey8.png"), &map), TG_ERR_FORMAT);
    ck_assert_tg_fails(tg_map_load(picture_path("rgb16.png"), &map), TG_ERR_FORMAT);
}
END_TEST

START_TEST(a_map_is_a_numpy_file)
{
    char *path = scratch("image.npy"), *bytes;
    float pixels[6] = {0, 1, -1, 0.5f, 2, -2};
    tg_image map = {3, 2, pixels};
    size_t n;

    ck_assert_tg_ok(tg_map_save_npy(path, &map));
    ck_assert_tg_ok(tgi_file_read(path, 1000, &bytes, &n));
    ck_assert_uint_eq(n, 128 + sizeof pixels);
    ck_assert_mem_eq(
        bytes,
        "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 69);
    ck_assert_int_eq(bytes[127], '\n');
    ck_assert_mem_eq(bytes + 128, "\0\0\0\0\0\0\x80\x3f\0\0\x80\xbf\0\0\0\x3f", 16);
    unlink(path);
    free(path);
    free(bytes);
}
END_TEST

START_TEST(masks_return_as_they_were)
{
    char *path = scratch("image_mask.png");
    uint8_t pixels[6] = {0, 1, 1, 0, 0, 1};
    tg_mask mask = {3, 2, pixels}, back;

    ck_assert_tg_ok(tg_mask_save(path, &mask));
    ck_assert_tg_ok(tg_mask_load(path, &back));
    ck_assert(back.width_px == 3 && back.height_px == 2);
    ck_assert_mem_eq(back.pixels, pixels, 6);
    tg_mask_release(&back);
    unlink(path);
    free(path);
    ck_assert_tg_fails(tg_mask_save("no_such_folder/mask.png", &mask), TG_ERR_IO);
}
END_TEST

START_TEST(colour_is_written)
{
    char *path = scratch("image_rgb.png");
    const uint8_t rgb[6] = {255, 0, 0, 0, 255, 255};
    tg_image image;

    ck_assert_tg_ok(tg_rgb_save(path, rgb, 2, 1));
    ck_assert_tg_ok(tg_image_load(path, &image));
    ck_assert_float_eq_tol(image.pixels[0], 0.299f * 2 - 1, 1e-6f);
    ck_assert_float_eq_tol(image.pixels[1], 0.701f * 2 - 1, 1e-6f);
    tg_image_release(&image);
    unlink(path);
    free(path);
    ck_assert_tg_fails(tg_rgb_save("empty.png", rgb, 0, 1), TG_ERR_ARGUMENT);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("image", 20);

    tcase_add_test(tc, names_what_it_cannot_read);
    tcase_add_test(tc, an_image_returns_in_8_bits);
    tcase_add_test(tc, a_map_returns_in_16_bits);
    tcase_add_test(tc, a_map_is_a_numpy_file);
    tcase_add_test(tc, masks_return_as_they_were);
    tcase_add_test(tc, colour_is_written);
    return tg_run("image");
}

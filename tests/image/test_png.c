/* test_png.c -- every kind of PNG that people have is the same picture; damaged ones are refused
 * with a sentence. */
#include "config.h"
#include "tg_test.h"
#include "image/image.h"
#include "image/picture.h"

#include <stdlib.h>
#include <string.h>

/* Lossless: float32 rounding only. Twelve bits round the pattern to 1/16 level, rgb.grey is rounded
 * to whole levels. */
static const struct {
    const char *name, *reference;
    double levels;
} samples[] = {
    {"grey8.png", "reference", 1e-4},      {"grey16.png", "reference", 1e-4},
    {"grey12in16.png", "reference", 0.04}, {"interlaced.png", "reference", 1e-4},
    {"palette.png", "reference", 1e-4},    {"onebit.png", "onebit", 1e-4},
    {"twobit.png", "twobit", 1e-4},        {"rgb.png", "rgb", 0.5001},
    {"rgb16.png", "rgb", 0.5001},          {"rgba_hole.png", "hole", 1e-4},
    {"grey_alpha.png", "hole", 1e-4},      {"trns.png", "trns", 1e-4},
};

START_TEST(reads_every_kind_as_the_same_picture)
{
    picture_check(samples[_i].name, samples[_i].reference, 20, 14, samples[_i].levels);
}
END_TEST

START_TEST(reads_a_single_pixel)
{
    tg_image image;

    ck_assert_tg_ok(tg_image_load(picture_path("one_pixel.png"), &image));
    ck_assert(image.width_px == 1 && image.height_px == 1);
    ck_assert_float_eq_tol(image.pixels[0], 33 / 127.5f - 1, 1e-6f);
    tg_image_release(&image);
}
END_TEST

static const struct {
    const char *name, *why;
} refused[] = {
    {"truncated.png", "truncated"},  {"header_only.png", "truncated"}, {"corrupt.png", "damaged"},
    {"huge.png", "100000 x 100000"}, {"bomb.png", "too small"},
};

START_TEST(refuses_damage_and_size_with_a_sentence)
{
    picture_check_refused(refused[_i].name, refused[_i].why);
}
END_TEST

/* Every prefix of a file is refused: no crash, no picture with an invented rest. */
START_TEST(refuses_every_prefix)
{
    char *bytes = picture_bytes("interlaced.png", 375);
    tgi_plane plane;

    for (size_t n = 0; n < 375; n++) {
        ck_assert_tg_fails(tgi_png_decode("prefix", (unsigned char *)bytes, n, &plane),
                           TG_ERR_FORMAT);
        ck_assert_ptr_null(plane.pixels);
    }
    ck_assert_tg_ok(tgi_png_decode("whole", (unsigned char *)bytes, 375, &plane));
    tgi_plane_release(&plane);
    free(bytes);
}
END_TEST

/* One bit turned anywhere: refused or read, but never outside the buffers (the sanitizers watch).
 */
START_TEST(survives_every_flipped_bit)
{
    char *bytes = picture_bytes("palette.png", 1142);
    tgi_plane plane;

    for (size_t bit = 0; bit < 8 * 1142; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        if (tgi_png_decode("flipped", (unsigned char *)bytes, 1142, &plane) == TG_OK)
            tgi_plane_release(&plane);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
    }
    free(bytes);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("png", 60);

    tcase_add_loop_test(tc, reads_every_kind_as_the_same_picture, 0, TG_COUNT(samples));
    tcase_add_test(tc, reads_a_single_pixel);
    tcase_add_loop_test(tc, refuses_damage_and_size_with_a_sentence, 0, TG_COUNT(refused));
    tcase_add_test(tc, refuses_every_prefix);
    tcase_add_test(tc, survives_every_flipped_bit);
    return tg_run("png");
}

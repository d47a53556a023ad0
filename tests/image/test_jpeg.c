/* test_jpeg.c -- JPEG of every colour space and orientation against Pillow; lost data is an error.
 */
#include "config.h"
#include "tg_test.h"
#include "image/image.h"
#include "image/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Another libjpeg may round the inverse cosine transform one level apart, and colour another. */
enum { LEVELS = 2 };

START_TEST(reads_grey_colour_ink_and_progressive)
{
    picture_check("grey.jpg", "jpeg", 20, 14, LEVELS);
    picture_check("jpeg_named.png", "jpeg", 20, 14, LEVELS);
    picture_check("rgb.jpg", "rgb_jpeg", 20, 14, LEVELS);
    picture_check("cmyk.jpg", "cmyk", 20, 14, LEVELS);
    picture_check("progressive.jpg", "progressive", 80, 56, LEVELS);
}
END_TEST

START_TEST(turns_every_orientation_upright)
{
    char name[32];

    snprintf(name, sizeof name, "exif%d.jpg", _i);
    /* each is compressed turned: its losses differ from the picture's by some levels */
    picture_check(name, "exif", 40, 24, 12);
}
END_TEST

START_TEST(ignores_damaged_exif)
{
    picture_check("exif_offset.jpg", "jpeg", 20, 14, LEVELS);
    picture_check("exif_cut.jpg", "jpeg", 20, 14, LEVELS);
}
END_TEST

START_TEST(never_follows_exif_outside_its_block)
{
    unsigned char block[64] = "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0";

    ck_assert_uint_eq(tgi_exif_orientation(block, 34), 6);
    for (size_t n = 0; n < 28; n++)
        ck_assert_uint_eq(tgi_exif_orientation(block, n), 1);
    block[25] = 9; /* no such orientation: count is 1, value 9 */
    block[24] = 0;
    memcpy(block + 24, "\0\x09", 2);
    ck_assert_uint_eq(tgi_exif_orientation(block, 34), 1);
    for (unsigned offset = 0; offset < 256; offset++) {
        block[10] = block[11] = block[12] = 0xff;
        block[13] = (unsigned char)offset;
        ck_assert_uint_eq(tgi_exif_orientation(block, 34), 1);
    }
}
END_TEST

START_TEST(refuses_lost_data_and_false_sizes)
{
    picture_check_refused("truncated.jpg", "truncated");
    picture_check_refused("truncated_progressive.jpg", "truncated");
    picture_check_refused("huge.jpg", "60000 x 60000");
    picture_check_refused("bomb.jpg", "truncated");
}
END_TEST

START_TEST(refuses_every_prefix)
{
    char *bytes = picture_bytes("grey.jpg", 408);
    tgi_plane plane;

    /* the last two bytes are the end marker: all pixels may be there without it */
    for (size_t n = 0; n < 400; n++) {
        ck_assert_tg_fails(tgi_jpeg_decode("prefix", (unsigned char *)bytes, n, &plane),
                           TG_ERR_FORMAT);
        ck_assert_ptr_null(plane.pixels);
    }
    free(bytes);
}
END_TEST

START_TEST(survives_every_flipped_bit)
{
    char *bytes = picture_bytes("exif6.jpg", 577);
    tgi_plane plane;

    for (size_t bit = 0; bit < 8 * 577; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        if (tgi_jpeg_decode("flipped", (unsigned char *)bytes, 577, &plane) == TG_OK)
            tgi_plane_release(&plane);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
    }
    free(bytes);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("jpeg", 60);

    tcase_add_test(tc, reads_grey_colour_ink_and_progressive);
    tcase_add_loop_test(tc, turns_every_orientation_upright, 1, 9);
    tcase_add_test(tc, ignores_damaged_exif);
    tcase_add_test(tc, never_follows_exif_outside_its_block);
    tcase_add_test(tc, refuses_lost_data_and_false_sizes);
    tcase_add_test(tc, refuses_every_prefix);
    tcase_add_test(tc, survives_every_flipped_bit);
    return tg_run("jpeg");
}

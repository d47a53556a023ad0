/* test_resize.c -- the same weights as Pillow's BILINEAR, on its own output. */
#include "config.h"
#include "tg_test.h"
#include "image/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    size_t width_px, height_px;
} sizes[] = {{7, 5}, {31, 9}, {20, 14}, {1, 1}, {13, 23}, {20, 3}};

START_TEST(equals_pillow)
{
    const size_t n = sizes[_i].width_px * sizes[_i].height_px;
    char name[64];
    float *want;
    tg_image image, small;

    snprintf(name, sizeof name, "resize_%zux%zu.f32", sizes[_i].width_px, sizes[_i].height_px);
    want = (float *)(void *)picture_bytes(name, 4 * n);
    ck_assert_tg_ok(tg_image_load(picture_path("grey8.png"), &image));
    ck_assert_tg_ok(tg_image_resize(&image, sizes[_i].width_px, sizes[_i].height_px, &small));
    ck_assert(small.width_px == sizes[_i].width_px && small.height_px == sizes[_i].height_px);
    tg_compare(name, small.pixels, want, n, TOL_POINT);
    tg_image_release(&image);
    tg_image_release(&small);
    free(want);
}
END_TEST

START_TEST(refuses_no_size)
{
    tg_image image, out;

    ck_assert_tg_ok(tg_image_new(3, 2, &image));
    ck_assert_tg_fails(tg_image_resize(&image, 0, 5, &out), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_image_resize(&(tg_image){0}, 5, 5, &out), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_image_new(0, 5, &out), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_image_new((size_t)-1 / 2, 5, &out), TG_ERR_MEMORY);
    tg_image_release(&image);
}
END_TEST

START_TEST(masks_take_the_nearest_pixel)
{
    uint8_t pixels[6] = {1, 0, 0, 0, 1, 1},
            want[] = {1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1};
    tg_mask mask = {3, 2, pixels}, big, small;

    ck_assert_tg_ok(tg_mask_resize(&mask, 6, 4, &big));
    ck_assert_mem_eq(big.pixels, want, sizeof want);
    ck_assert_tg_ok(tg_mask_resize(&big, 3, 2, &small));
    ck_assert_mem_eq(small.pixels, pixels, sizeof pixels);
    ck_assert_tg_fails(tg_mask_resize(&mask, 0, 4, &mask), TG_ERR_ARGUMENT);
    tg_mask_release(&big);
    tg_mask_release(&small);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("resize", 20);

    tcase_add_loop_test(tc, equals_pillow, 0, TG_COUNT(sizes));
    tcase_add_test(tc, refuses_no_size);
    tcase_add_test(tc, masks_take_the_nearest_pixel);
    return tg_run("resize");
}

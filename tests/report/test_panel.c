/* test_panel.c -- panels hold the pictures they were given, in the fixed colours. */
#include "config.h"
#include "tg_test.h"
#include "base/file.h"
#include "report/panel.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

/* The panel's pixels, RGB. */
typedef struct picture {
    size_t w, h;
    unsigned char *rgb;
} picture;

static picture drawn(const tgi_panel *panel)
{
    tgi_text png = {0};
    png_image image = {.version = PNG_IMAGE_VERSION};
    picture out;

    ck_assert_tg_ok(tgi_panel_draw(panel, &png));
    ck_assert_int_ne(png_image_begin_read_from_memory(&image, png.data, png.size), 0);
    image.format = PNG_FORMAT_RGB;
    out = (picture){image.width, image.height, malloc(PNG_IMAGE_SIZE(image))};
    ck_assert_ptr_nonnull(out.rgb);
    ck_assert_int_ne(png_image_finish_read(&image, NULL, out.rgb, 0, NULL), 0);
    tgi_text_release(&png);
    return out;
}

/* Pixels of exactly that colour. */
static size_t count(const picture *p, unsigned char r, unsigned char g, unsigned char b)
{
    size_t n = 0;

    for (size_t i = 0; i < p->w * p->h; i++)
        n += p->rgb[3 * i] == r && p->rgb[3 * i + 1] == g && p->rgb[3 * i + 2] == b;
    return n;
}

/* Pixels that are nearly pure red, as a thin line is. */
static size_t count_red(const picture *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->w * p->h; i++)
        n += p->rgb[3 * i] > 180 && p->rgb[3 * i + 1] < 40 && p->rgb[3 * i + 2] < 40;
    return n;
}

static const char *const headings[] = {"one", "two"};

/* A panel of one cell, 100 units wide. */
static picture one_cell(const tgi_cell *cell)
{
    const tgi_panel_row row = {NULL, cell};

    return drawn(&(tgi_panel){
        .headings = headings, .n_columns = 1, .rows = &row, .n_rows = 1, .cell_px = 100});
}

static tg_image flat(size_t w, size_t h, float value)
{
    tg_image image;

    ck_assert_tg_ok(tg_image_new(w, h, &image));
    for (size_t i = 0; i < w * h; i++)
        image.pixels[i] = value;
    return image;
}

START_TEST(maps_have_a_fixed_scale)
{
    static const struct {
        float value;
        unsigned char r, g, b;
    } wanted[] = {{1, 255, 0, 0},
                  {-1, 0, 0, 255},
                  {5, 255, 0, 0},
                  {0.5f, 255, 128, 128},
                  {-0.2f, 204, 204, 255}};

    for (size_t i = 0; i < TG_COUNT(wanted); i++) {
        tg_image map = flat(16, 16, wanted[i].value);
        picture p = one_cell(&(tgi_cell){.kind = TGI_CELL_MAP, .image = &map});

        ck_assert_uint_ge(count(&p, wanted[i].r, wanted[i].g, wanted[i].b), 100 * 100);
        free(p.rgb);
        tg_image_release(&map);
    }
}
END_TEST

START_TEST(a_faint_map_stays_faint)
{
    tg_image map = flat(16, 16, 0);
    picture p;

    map.pixels[8 * 16 + 8] = 0.04f; /* its own extreme, yet next to nothing on the fixed scale */
    p = one_cell(&(tgi_cell){.kind = TGI_CELL_MAP, .image = &map});
    for (size_t y = 40; y < 138; y++) {
        for (size_t x = 16; x < 112; x++)
            ck_assert_uint_ge(p.rgb[3 * (y * p.w + x) + 1], 244);
    }
    free(p.rgb);
    tg_image_release(&map);
}
END_TEST

START_TEST(grey_images_and_masks_keep_their_values)
{
    tg_image grey = flat(20, 10, 0.5f); /* twice as wide as high */
    uint8_t bits[4] = {1, 0, 0, 1};
    const tg_mask mask = {2, 2, bits};
    picture p = one_cell(&(tgi_cell){.kind = TGI_CELL_GREY, .image = &grey});
    size_t n = count(&p, 191, 191, 191);

    ck_assert(n >= 100 * 50 && n < 100 * 50 + 300);
    free(p.rgb);
    p = one_cell(&(tgi_cell){.kind = TGI_CELL_MASK, .mask = &mask});
    n = count(&p, 0, 0, 0);
    ck_assert(n >= 2 * 48 * 48 && n < 2 * 52 * 52);
    free(p.rgb);
    tg_image_release(&grey);
}
END_TEST

START_TEST(overlays_show_mask_and_boxes)
{
    tg_image grey = flat(10, 10, -1);
    uint8_t bits[100] = {0};
    const tg_mask mask = {10, 10, bits};
    const tg_region region = {2, 2, 3, 3, 9, 0.5};
    const tg_box box = {6, 6, 3, 3, 0};
    tgi_cell cell = {.kind = TGI_CELL_GREY, .image = &grey, .mask = &mask};
    picture blank = one_cell(&cell), p;

    for (int y = 2; y < 5; y++)
        memset(bits + 10 * y + 2, 1, 3);
    p = one_cell(&cell);
    ck_assert_uint_gt(count(&p, 76, 0, 0), 25 * 25);           /* 30 % red on black */
    ck_assert_uint_gt(count_red(&p), count_red(&blank) + 100); /* the line round it */
    free(p.rgb);
    cell.regions = &region;
    cell.n_regions = 1;
    p = one_cell(&cell);
    ck_assert_uint_gt(count(&p, 0, 255, 0), 60);
    ck_assert_uint_eq(count(&p, 64, 128, 255), 0);
    free(p.rgb);
    cell.truth = &box;
    cell.n_truth = 1;
    p = one_cell(&cell);
    ck_assert_uint_gt(count(&p, 64, 128, 255), 30);
    free(p.rgb);
    free(blank.rgb);
    tg_image_release(&grey);
}
END_TEST

START_TEST(draws_the_same_bytes_each_time)
{
    static const uint8_t rgb[12] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9};
    const tgi_cell cells[2] = {
        {.kind = TGI_CELL_RGB, .rgb = rgb, .rgb_width_px = 2, .rgb_height_px = 2, .note = "n"},
        {.kind = TGI_CELL_EMPTY}};
    const tgi_panel_row row = {"caption\nwith \xff bytes", cells};
    const tgi_panel panel = {.title = "t",
                             .headings = headings,
                             .n_columns = 2,
                             .rows = &row,
                             .n_rows = 1,
                             .density = 1.5};
    tgi_text first = {0}, second = {0};
    char *bytes;
    size_t n;

    ck_assert_tg_ok(tgi_panel_draw(&panel, &first));
    ck_assert_tg_ok(tgi_panel_draw(&panel, &second));
    ck_assert_uint_eq(first.size, second.size);
    ck_assert_mem_eq(first.data, second.data, first.size);
    ck_assert_tg_ok(tgi_panel_save(&panel, tg_scratch_path("panel_test.png")));
    ck_assert_tg_ok(tgi_file_read(tg_scratch_path("panel_test.png"), 1 << 20, &bytes, &n));
    ck_assert_uint_eq(n, first.size);
    remove(tg_scratch_path("panel_test.png"));
    ck_assert_tg_fails(tgi_panel_save(&panel, "no/such/folder/x.png"), TG_ERR_IO);
    free(bytes);
    tgi_text_release(&first);
    tgi_text_release(&second);
}
END_TEST

START_TEST(refuses_what_cannot_be_a_picture)
{
    const tg_image none = {0};
    const tgi_cell cell = {.kind = TGI_CELL_GREY, .image = &none};
    tgi_panel_row *rows;
    static const tgi_cell empty[1];
    tgi_text png = {0};

    ck_assert_tg_fails(tgi_panel_draw(&(tgi_panel){.headings = headings,
                                                   .n_columns = 1,
                                                   .rows = &(tgi_panel_row){NULL, &cell},
                                                   .n_rows = 1},
                                      &png),
                       TG_ERR_SHAPE);
    rows = calloc(10000, sizeof *rows);
    ck_assert_ptr_nonnull(rows);
    for (int i = 0; i < 10000; i++)
        rows[i].cells = empty;
    ck_assert_tg_fails(
        tgi_panel_draw(
            &(tgi_panel){.headings = headings, .n_columns = 1, .rows = rows, .n_rows = 10000},
            &png),
        TG_ERR_ARGUMENT);
    free(rows);
    tgi_text_release(&png);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("panel", 60);

    tcase_add_test(tc, maps_have_a_fixed_scale);
    tcase_add_test(tc, a_faint_map_stays_faint);
    tcase_add_test(tc, grey_images_and_masks_keep_their_values);
    tcase_add_test(tc, overlays_show_mask_and_boxes);
    tcase_add_test(tc, draws_the_same_bytes_each_time);
    tcase_add_test(tc, refuses_what_cannot_be_a_picture);
    return tg_run("panel");
}

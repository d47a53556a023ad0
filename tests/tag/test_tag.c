/* test_tag.c -- the constraint function against the worked numbers of its specification, and by
 * construction. */
#include "config.h"
#include "tg_test.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/sort.h"
#include "tag/tag.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A map whose pixels are 1 in the boxes {x,y,w,h} and 0 elsewhere. */
static tg_image map_of_boxes(size_t w, size_t h, const size_t (*boxes)[4], size_t n)
{
    tg_image map;

    ck_assert_tg_ok(tg_image_new(w, h, &map));
    for (size_t b = 0; b < n; b++) {
        for (size_t y = boxes[b][1]; y < boxes[b][1] + boxes[b][3]; y++) {
            for (size_t x = boxes[b][0]; x < boxes[b][0] + boxes[b][2]; x++)
                map.pixels[y * w + x] = 1;
        }
    }
    return map;
}

static tg_image noise_map(size_t w, size_t h, uint64_t seed)
{
    tg_image map;

    ck_assert_tg_ok(tg_image_new(w, h, &map));
    tg_fill_normal(map.pixels, w * h, seed);
    for (size_t i = 0; i < w * h; i++)
        map.pixels[i] *= 0.2f;
    return map;
}

static size_t n_set(const tg_mask *mask)
{
    size_t n = 0;

    for (size_t i = 0; i < mask->width_px * mask->height_px; i++)
        n += mask->pixels[i];
    return n;
}

START_TEST(otsu_equals_the_worked_example)
{
    const size_t histogram[16] = {40, 30, 20, 5, 1, 0, 0, 0, 0, 1, 2, 4, 6, 8, 5, 3};
    double variance;

    ck_assert_uint_eq(tgi_otsu(histogram, 16, &variance), 4);
    ck_assert(fabs(variance - 24.0773) < 5e-5);
}
END_TEST

START_TEST(percentile_equals_the_worked_example)
{
    float scores[10];
    double t;

    for (int i = 0; i < 10; i++)
        scores[i] = (float)i / 10;
    ck_assert_tg_ok(tgi_threshold(scores, 10, TG_RULE_PERCENTILE, 95, &t));
    ck_assert(fabs(t - 0.855) < 1e-6);
    ck_assert_tg_ok(tgi_threshold(scores, 10, TG_RULE_PERCENTILE, 99, &t));
    ck_assert(fabs(t - 0.891) < 1e-6);
}
END_TEST

START_TEST(each_rule_gives_its_threshold)
{
    const float scores[5] = {0, 0.25f, 0.25f, 0.5f, 1};
    double t;

    ck_assert_tg_ok(tgi_threshold(scores, 5, TG_RULE_FIXED, 0.3, &t));
    ck_assert(t == 0.3);
    ck_assert_tg_ok(tgi_threshold(scores, 5, TG_RULE_MAX, 0.2, &t));
    ck_assert(fabs(t - 0.2) < 1e-12);
    ck_assert_tg_ok(tgi_threshold(scores, 5, TG_RULE_MEAN_STD, 2, &t));
    ck_assert(fabs(t - (0.4 + 2 * sqrt(0.115))) < 1e-7);
    ck_assert_tg_ok(tgi_threshold(scores, 5, TG_RULE_OTSU, 0, &t));
    ck_assert(t == 0.5 || t == 0.25);
    ck_assert_tg_fails(tgi_threshold(scores, 5, TG_RULE_PERCENTILE, 101, &t), TG_ERR_ARGUMENT);
}
END_TEST

START_TEST(rules_are_read_from_text)
{
    tg_tag_opts opts = tg_tag_opts_default();

    ck_assert_tg_ok(tg_tag_rule_parse("pct:95", &opts));
    ck_assert(opts.rule == TG_RULE_PERCENTILE && opts.value == 95);
    ck_assert_tg_ok(tg_tag_rule_parse("otsu", &opts));
    ck_assert(opts.rule == TG_RULE_OTSU);
    ck_assert_tg_ok(tg_tag_rule_parse("max:0.2", &opts));
    ck_assert(opts.rule == TG_RULE_MAX && opts.value == 0.2);
    ck_assert_tg_fails(tg_tag_rule_parse("max:2", &opts), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_tag_rule_parse("pct:x", &opts), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_tag_rule_parse("best", &opts), TG_ERR_ARGUMENT);
}
END_TEST

START_TEST(otsu_mask_is_what_lies_above_its_bin)
{
    tg_image map = noise_map(37, 21, 5);
    tg_tag_opts opts = tg_tag_opts_default();
    size_t histogram[256] = {0}, k, n = 0;
    float highest = 0;
    tg_tags tags;

    opts.rule = TG_RULE_OTSU;
    ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
    for (size_t i = 0; i < 37 * 21; i++)
        highest = map.pixels[i] > highest ? map.pixels[i] : highest;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < 37 * 21; i++) {
            double s = map.pixels[i] > 0 ? map.pixels[i] : 0;
            size_t bin = (size_t)(s / highest * 256);

            bin = bin < 256 ? bin : 255;
            if (pass)
                n += bin > k;
            else
                histogram[bin]++;
        }
        k = tgi_otsu(histogram, 256, NULL);
    }
    ck_assert_uint_eq(n_set(&tags.mask), n);
    ck_assert_uint_gt(n, 0);
    tg_tags_release(&tags);
    tg_image_release(&map);
}
END_TEST

START_TEST(finds_the_components_of_example_a)
{
    static const size_t boxes[4][4] = {{3, 3, 3, 2}, {6, 6, 3, 3}, {11, 10, 2, 2}, {0, 13, 2, 2}};
    static const size_t order[4] = {1, 0, 2,
                                    3}; /* areas 9, 6, 4, 4; the upper of the equal ones first */
    tg_image map = map_of_boxes(16, 16, boxes, 4);
    tg_tag_opts opts = tg_tag_opts_default();
    tg_tags tags;

    ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
    ck_assert_uint_eq(tags.n_regions, 4);
    ck_assert_uint_eq(n_set(&tags.mask), 23);
    for (size_t i = 0; i < 4; i++) {
        const size_t *b = boxes[order[i]];

        ck_assert_uint_eq(tags.regions[i].x, b[0]);
        ck_assert_uint_eq(tags.regions[i].y, b[1]);
        ck_assert_uint_eq(tags.regions[i].w, b[2]);
        ck_assert_uint_eq(tags.regions[i].h, b[3]);
        ck_assert_uint_eq(tags.regions[i].area_px, b[2] * b[3]);
        ck_assert(tags.regions[i].score == 1);
        ck_assert_uint_eq(tags.labels[b[1] * 16 + b[0]], i + 1);
    }
    tg_tags_release(&tags);
    opts.min_area_px = 5;
    ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
    ck_assert_uint_eq(tags.n_regions, 2);
    ck_assert_uint_eq(n_set(&tags.mask), 15);
    tg_tags_release(&tags);
    tg_image_release(&map);
}
END_TEST

START_TEST(diagonal_neighbours_join_only_with_eight)
{
    /* A ring that two branches reach late: labels must be joined, not only copied. */
    static const char *rows[5] = {"#..#.", ".#.#.", ".#.#.", ".###.", "#...#"};
    tg_tag_opts opts = tg_tag_opts_default();
    tg_image map;
    tg_tags tags;

    ck_assert_tg_ok(tg_image_new(5, 5, &map));
    for (size_t i = 0; i < 25; i++)
        map.pixels[i] = rows[i / 5][i % 5] == '#';
    ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
    ck_assert_uint_eq(tags.n_regions, 1);
    ck_assert_uint_eq(tags.regions[0].w, 5);
    tg_tags_release(&tags);
    opts.connectivity = 4;
    ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
    ck_assert_uint_eq(tags.n_regions, 4);
    ck_assert_uint_eq(tags.regions[0].area_px, 8);
    tg_tags_release(&tags);
    tg_image_release(&map);
}
END_TEST

/* The same partition as flooding each pixel's neighbours until nothing changes. */
START_TEST(components_equal_flood_fill_on_noise)
{
    enum { W = 31, H = 23 };
    static size_t flood[W * H];
    tg_image map = noise_map(W, H, 100 + (uint64_t)_i);
    tg_tag_opts opts = tg_tag_opts_default();
    tg_tags tags;

    opts.connectivity = _i % 2 ? 4 : 8;
    ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
    for (size_t i = 0; i < W * H; i++)
        flood[i] = tags.mask.pixels[i] ? i + 1 : 0;
    for (int changed = 1; changed;) {
        changed = 0;
        for (int i = 0; i < W * H; i++) {
            for (int d = 0; d < 9 && flood[i]; d++) {
                int dx = d % 3 - 1, dy = d / 3 - 1, x = i % W + dx, y = i / W + dy;

                if ((opts.connectivity == 4 && dx && dy) || x < 0 || y < 0 || x >= W || y >= H)
                    continue;
                if (flood[y * W + x] && flood[y * W + x] < flood[i]) {
                    flood[i] = flood[y * W + x];
                    changed = 1;
                }
            }
        }
    }
    for (size_t i = 0; i < W * H; i++) {
        for (size_t j = i + 1; j < W * H; j++) {
            if (flood[i] && flood[j])
                ck_assert_int_eq(flood[i] == flood[j], tags.labels[i] == tags.labels[j]);
        }
    }
    tg_tags_release(&tags);
    tg_image_release(&map);
}
END_TEST

START_TEST(opening_and_closing_use_a_disc)
{
    static const size_t boxes[2][4] = {{4, 4, 7, 7}, {14, 2, 1, 1}};
    tg_image map = map_of_boxes(17, 15, boxes, 2);
    tg_tag_opts opts = tg_tag_opts_default();
    tg_tags tags;

    map.pixels[7 * 17 + 7] = 0; /* a hole */
    opts.close_px = 1;
    ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
    ck_assert_uint_eq(n_set(&tags.mask), 50);
    tg_tags_release(&tags);
    map.pixels[7 * 17 + 7] = 1;
    opts.close_px = 0;
    opts.open_px = 2;
    ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
    /* The lone pixel goes; the 7 x 7 square loses the pixels that no disc of 13 inside it reaches:
     * 3 a corner. */
    ck_assert_uint_eq(n_set(&tags.mask), 49 - 12);
    ck_assert_uint_eq(tags.n_regions, 1);
    tg_tags_release(&tags);
    tg_image_release(&map);
}
END_TEST

START_TEST(morphology_is_idempotent_and_ordered)
{
    tg_image map = noise_map(40, 33, 9);
    tg_mask mask, opened, closed;
    size_t n = 40 * 33;

    ck_assert_tg_ok(tgi_mask_new(40, 33, &mask));
    ck_assert_tg_ok(tgi_mask_new(40, 33, &opened));
    ck_assert_tg_ok(tgi_mask_new(40, 33, &closed));
    for (size_t i = 0; i < n; i++)
        mask.pixels[i] = map.pixels[i] > -0.15f;
    memcpy(opened.pixels, mask.pixels, n);
    memcpy(closed.pixels, mask.pixels, n);
    ck_assert_tg_ok(tgi_mask_open(&opened, 2));
    ck_assert_tg_ok(tgi_mask_close(&closed, 2));
    for (size_t i = 0; i < n; i++)
        ck_assert(opened.pixels[i] <= mask.pixels[i] && mask.pixels[i] <= closed.pixels[i]);
    memcpy(mask.pixels, opened.pixels, n);
    ck_assert_tg_ok(tgi_mask_open(&opened, 2));
    ck_assert(!memcmp(mask.pixels, opened.pixels, n));
    memcpy(mask.pixels, closed.pixels, n);
    ck_assert_tg_ok(tgi_mask_close(&closed, 2));
    ck_assert(!memcmp(mask.pixels, closed.pixels, n));
    tg_mask_release(&mask);
    tg_mask_release(&opened);
    tg_mask_release(&closed);
    tg_image_release(&map);
}
END_TEST

START_TEST(sign_chooses_the_side_of_the_map)
{
    static const float expected[3][3] = {{0.5f, 0, 0}, {0, 0.25f, 0}, {0.5f, 0.25f, 0}};
    tg_tag_opts opts = tg_tag_opts_default();
    tg_image map, score;

    ck_assert_tg_ok(tg_image_new(3, 1, &map));
    map.pixels[0] = 0.5f;
    map.pixels[1] = -0.25f;
    for (int s = TG_SIGN_POS; s <= TG_SIGN_ABS; s++) {
        opts.sign = (tg_sign)s;
        ck_assert_tg_ok(tg_tag_score(&map, &opts, &score));
        tg_compare("score", score.pixels, expected[s], 3, TOL_EXACT);
        tg_image_release(&score);
    }
    tg_image_release(&map);
}
END_TEST

START_TEST(smoothing_keeps_the_sum_and_is_symmetric)
{
    tg_tag_opts opts = tg_tag_opts_default();
    tg_image map, score;
    double sum = 0, centre = 0;

    ck_assert_tg_ok(tg_image_new(9, 5, &map));
    map.pixels[2 * 9 + 4] = 1;
    opts.sigma_px = 3; /* a radius of 9 px, more than the image: reflected twice */
    ck_assert_tg_ok(tg_tag_score(&map, &opts, &score));
    for (size_t i = 0; i < 45; i++)
        sum += score.pixels[i];
    ck_assert(fabs(sum - 1) < 1e-5);
    for (size_t y = 0; y < 5; y++) {
        for (size_t x = 0; x < 9; x++)
            ck_assert(fabsf(score.pixels[y * 9 + x] - score.pixels[(4 - y) * 9 + 8 - x]) < 1e-6f);
    }
    tg_image_release(&score);
    opts.sigma_px = 0.5; /* radius 2: exp(-2 k^2) */
    ck_assert_tg_ok(tg_tag_score(&map, &opts, &score));
    centre = 1 / (1 + 2 * exp(-2) + 2 * exp(-8));
    ck_assert(fabs(score.pixels[2 * 9 + 4] - centre * centre) < 1e-6);
    tg_image_release(&score);
    tg_image_release(&map);
}
END_TEST

START_TEST(blank_maps_stay_blank_under_every_rule)
{
    static const char *rules[] = {"fixed:0.1", "pct:95", "otsu", "meanstd:1", "max:0.2"};
    tg_tag_opts opts = tg_tag_opts_default();
    tg_image map;
    tg_tags tags;

    ck_assert_tg_ok(tg_image_new(_i ? 1 : 8, _i ? 1 : 6, &map));
    for (size_t r = 0; r < TG_COUNT(rules); r++) {
        ck_assert_tg_ok(tg_tag_rule_parse(rules[r], &opts));
        ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
        ck_assert_uint_eq(tags.n_regions, 0);
        ck_assert_uint_eq(n_set(&tags.mask), 0);
        tg_tags_release(&tags);
        map.pixels[0] = 0.04f; /* below the floor, where a rule on one image alone would fire */
        ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
        ck_assert_uint_eq(tags.n_regions, 0);
        tg_tags_release(&tags);
        map.pixels[0] = 0;
    }
    tg_image_release(&map);
}
END_TEST

START_TEST(one_pixel_is_a_map)
{
    tg_tag_opts opts = tg_tag_opts_default();
    tg_image map;
    tg_tags tags;

    ck_assert_tg_ok(tg_image_new(1, 1, &map));
    map.pixels[0] = 0.5f;
    opts.open_px = opts.close_px = 0;
    ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
    ck_assert_uint_eq(tags.n_regions, 1);
    ck_assert_uint_eq(tags.regions[0].w, 1);
    ck_assert(tags.regions[0].score == 0.5 && tags.max_score == 0.5);
    tg_tags_release(&tags);
    tg_image_release(&map);
}
END_TEST

START_TEST(refuses_what_cannot_be_tagged)
{
    tg_tag_opts opts = tg_tag_opts_default();
    tg_image map = {0};
    tg_tags tags;

    ck_assert_tg_fails(tg_tag_map(&map, &opts, &tags), TG_ERR_SHAPE);
    ck_assert_tg_ok(tg_image_new(3, 3, &map));
    map.pixels[4] = NAN;
    ck_assert_tg_fails(tg_tag_map(&map, &opts, &tags), TG_ERR_NUMERIC);
    ck_assert_ptr_null(tags.regions);
    map.pixels[4] = 0;
    opts.connectivity = 6;
    ck_assert_tg_fails(tg_tag_map(&map, &opts, &tags), TG_ERR_ARGUMENT);
    tg_image_release(&map);
}
END_TEST

START_TEST(blank_threshold_is_the_smallest_that_blanks)
{
    tg_image map = noise_map(24, 20, 40 + (uint64_t)_i);
    tg_tag_opts opts = tg_tag_opts_default();
    double t;
    tg_tags tags;

    opts.min_area_px = (size_t[]){1, 5, 12, 1, 1000}[_i];
    opts.open_px = (size_t[]){0, 0, 0, 1, 0}[_i];
    opts.close_px = (size_t[]){0, 0, 1, 0, 0}[_i];
    opts.sigma_px = (double[]){0, 0, 1, 1, 0}[_i];
    ck_assert_tg_ok(tg_tag_blank_threshold(&map, &opts, &t));
    opts.value = t;
    ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
    ck_assert_uint_eq(tags.n_regions, 0);
    tg_tags_release(&tags);
    if (_i == 4)
        ck_assert(t == 0);
    else {
        opts.value = nextafter(t, -1);
        ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
        ck_assert_uint_gt(tags.n_regions, 0);
        tg_tags_release(&tags);
    }
    tg_image_release(&map);
}
END_TEST

START_TEST(calibration_leaves_that_share_of_images_blank)
{
    enum { N = 37 };
    static const double shares[] = {0, 0.5, 0.9, 0.95, 0.99, 1};
    tg_tag_opts opts = tg_tag_opts_default();
    tg_calibration *c;
    tg_image maps[N];
    double t;

    opts.min_area_px = 3;
    ck_assert_tg_ok(tg_calibration_new(TG_CALIBRATE_IMAGES, &opts, &c));
    ck_assert_tg_fails(tg_calibration_threshold(c, 0.95, &t), TG_ERR_ARGUMENT);
    for (uint64_t i = 0; i < N; i++) {
        maps[i] = noise_map(19, 17, 200 + i);
        ck_assert_tg_ok(tg_calibration_add(c, &maps[i]));
    }
    for (size_t s = 0; s < TG_COUNT(shares); s++) {
        size_t n_blank = 0;

        ck_assert_tg_ok(tg_calibration_threshold(c, shares[s], &t));
        opts.value = t;
        for (size_t i = 0; i < N; i++) {
            tg_tags tags;

            ck_assert_tg_ok(tg_tag_map(&maps[i], &opts, &tags));
            n_blank += tags.n_regions == 0;
            tg_tags_release(&tags);
        }
        ck_assert((double)n_blank >= shares[s] * N && (double)n_blank < shares[s] * N + 1.5);
    }
    ck_assert_tg_fails(tg_calibration_threshold(c, 1.5, &t), TG_ERR_ARGUMENT);
    for (size_t i = 0; i < N; i++)
        tg_image_release(&maps[i]);
    tg_calibration_free(c);
}
END_TEST

START_TEST(calibration_leaves_that_share_of_pixels_unmarked)
{
    tg_tag_opts opts = tg_tag_opts_default();
    tg_calibration *c;
    size_t n_unmarked = 0;
    double t;

    ck_assert_tg_ok(tg_calibration_new(TG_CALIBRATE_PIXELS, &opts, &c));
    for (uint64_t i = 0; i < 8; i++) {
        tg_image map = noise_map(50, 40, 300 + i);

        ck_assert_tg_ok(tg_calibration_add(c, &map));
        tg_image_release(&map);
    }
    ck_assert_tg_ok(tg_calibration_threshold(c, 0.999, &t));
    for (uint64_t i = 0; i < 8; i++) {
        tg_image map = noise_map(50, 40, 300 + i);

        for (size_t p = 0; p < 2000; p++)
            n_unmarked += map.pixels[p] <= t;
        tg_image_release(&map);
    }
    ck_assert_uint_eq(n_unmarked, 15984);
    ck_assert_uint_eq(tg_calibration_n_images(c), 8);
    tg_calibration_free(c);
}
END_TEST

START_TEST(quantile_interpolates)
{
    const double values[4] = {4, 1, 3, 2};

    ck_assert(fabs(tg_quantile(values, 4, 0.5) - 2.5) < 1e-12);
    ck_assert(tg_quantile(values, 4, 1) == 4 && tg_quantile(values, 4, 0) == 1);
    ck_assert(fabs(tg_quantile(values, 4, 0.95) - 3.85) < 1e-12);
    ck_assert(isnan(tg_quantile(values, 0, 0.5)));
}
END_TEST

START_TEST(floats_come_in_order)
{
    enum { N = 100000 };
    float *values, n = _i ? 1000 : N;

    ck_assert_tg_ok(tgi_alloc(N, sizeof *values, &values));
    tg_fill_normal(values, N, 8);
    values[3] = -INFINITY;
    values[4] = INFINITY;
    values[5] = 0.0f;
    values[6] = -0.0f;
    ck_assert_tg_ok(tgi_sort_floats(values, (size_t)n));
    for (size_t i = 1; i < (size_t)n; i++)
        ck_assert(values[i - 1] <= values[i]);
    ck_assert(values[0] == -INFINITY && values[(size_t)n - 1] == INFINITY);
    free(values);
}
END_TEST

START_TEST(a_mask_from_elsewhere_is_tagged)
{
    tg_tag_opts opts = tg_tag_opts_default();
    tg_mask mask;
    tg_image score;
    tg_tags tags;

    ck_assert_tg_ok(tgi_mask_new(6, 4, &mask));
    ck_assert_tg_ok(tg_image_new(6, 4, &score));
    mask.pixels[7] = mask.pixels[8] = mask.pixels[23] = 1;
    score.pixels[7] = 0.5f;
    score.pixels[8] = 1;
    opts.min_area_px = 2;
    ck_assert_tg_ok(tg_tag_mask(&mask, &score, &opts, &tags));
    ck_assert_uint_eq(tags.n_regions, 1);
    ck_assert(tags.regions[0].score == 0.75);
    tg_tags_release(&tags);
    ck_assert_tg_ok(tg_tag_mask(&mask, NULL, &opts, &tags));
    ck_assert(tags.regions[0].score == 1);
    tg_tags_release(&tags);
    score.width_px = 5;
    ck_assert_tg_fails(tg_tag_mask(&mask, &score, &opts, &tags), TG_ERR_SHAPE);
    tg_mask_release(&mask);
    tg_image_release(&score);
}
END_TEST

START_TEST(overlay_shows_mask_contour_and_boxes)
{
    static const size_t boxes[1][4] = {{3, 3, 6, 5}};
    const tg_box truth[1] = {{10, 1, 3, 3, 0}};
    tg_image map = map_of_boxes(16, 12, boxes, 1), grey;
    tg_tag_opts opts = tg_tag_opts_default();
    uint8_t rgb[16 * 12 * 3];
    tg_tags tags;

    ck_assert_tg_ok(tg_image_new(16, 12, &grey)); /* mid grey: 128 */
    ck_assert_tg_ok(tg_overlay_draw(&grey, NULL, NULL, 0, rgb));
    for (size_t i = 0; i < sizeof rgb; i++)
        ck_assert_uint_eq(rgb[i], 128);
    map.pixels[3 * 16 + 3] = 0; /* a corner, so that the contour and the box differ there */
    ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
    ck_assert_tg_ok(tg_overlay_draw(&grey, &tags, truth, 1, rgb));
    ck_assert(!memcmp(rgb + 3 * (5 * 16 + 5), "\xa6\x5a\x5a", 3)); /* 128 with 30 % of red */
    ck_assert(!memcmp(rgb + 3 * (4 * 16 + 4), "\xff\x00\x00", 3) ||
              !memcmp(rgb + 3 * (4 * 16 + 4), "\xa6\x5a\x5a", 3));
    ck_assert(!memcmp(rgb + 3 * (3 * 16 + 3), "\x00\xff\x00", 3)); /* the box's corner */
    ck_assert(!memcmp(rgb + 3 * (7 * 16 + 8), "\x00\xff\x00", 3));
    ck_assert(!memcmp(rgb + 3 * (1 * 16 + 10), "\x40\x80\xff", 3)); /* truth */
    ck_assert(!memcmp(rgb, "\x80\x80\x80", 3));
    grey.width_px = 15;
    ck_assert_tg_fails(tg_overlay_draw(&grey, &tags, NULL, 0, rgb), TG_ERR_SHAPE);
    tg_tags_release(&tags);
    tg_image_release(&map);
    tg_image_release(&grey);
}
END_TEST

START_TEST(map_pictures_have_one_scale)
{
    tg_image map;
    uint8_t rgb[15];

    ck_assert_tg_ok(tg_image_new(5, 1, &map));
    memcpy(map.pixels, (float[]){-2, -0.5f, 0, 0.5f, 1}, 5 * sizeof(float));
    ck_assert_tg_ok(tg_map_draw(&map, 1, TG_RAMP_GREY, rgb));
    ck_assert(!memcmp(rgb, "\x01\x01\x01\x41\x41\x41\x80\x80\x80\xc0\xc0\xc0\xff\xff\xff", 15));
    ck_assert_tg_ok(tg_map_draw(&map, 1, TG_RAMP_BLUE_WHITE_RED, rgb));
    ck_assert(!memcmp(rgb, "\x00\x00\xff\x80\x80\xff\xff\xff\xff\xff\x80\x80\xff\x00\x00", 15));
    ck_assert_tg_fails(tg_map_draw(&map, 0, TG_RAMP_GREY, rgb), TG_ERR_ARGUMENT);
    tg_image_release(&map);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("tag", 30);

    tcase_add_test(tc, otsu_equals_the_worked_example);
    tcase_add_test(tc, percentile_equals_the_worked_example);
    tcase_add_test(tc, each_rule_gives_its_threshold);
    tcase_add_test(tc, rules_are_read_from_text);
    tcase_add_test(tc, otsu_mask_is_what_lies_above_its_bin);
    tcase_add_test(tc, finds_the_components_of_example_a);
    tcase_add_test(tc, diagonal_neighbours_join_only_with_eight);
    tcase_add_loop_test(tc, components_equal_flood_fill_on_noise, 0, 6);
    tcase_add_test(tc, opening_and_closing_use_a_disc);
    tcase_add_test(tc, morphology_is_idempotent_and_ordered);
    tcase_add_test(tc, sign_chooses_the_side_of_the_map);
    tcase_add_test(tc, smoothing_keeps_the_sum_and_is_symmetric);
    tcase_add_loop_test(tc, blank_maps_stay_blank_under_every_rule, 0, 2);
    tcase_add_test(tc, one_pixel_is_a_map);
    tcase_add_test(tc, refuses_what_cannot_be_tagged);
    tcase_add_loop_test(tc, blank_threshold_is_the_smallest_that_blanks, 0, 5);
    tcase_add_test(tc, calibration_leaves_that_share_of_images_blank);
    tcase_add_test(tc, calibration_leaves_that_share_of_pixels_unmarked);
    tcase_add_test(tc, quantile_interpolates);
    tcase_add_loop_test(tc, floats_come_in_order, 0, 2);
    tcase_add_test(tc, a_mask_from_elsewhere_is_tagged);
    tcase_add_test(tc, overlay_shows_mask_contour_and_boxes);
    tcase_add_test(tc, map_pictures_have_one_scale);
    return tg_run("tag");
}

/* test_measure.c -- the measures of one image against the worked examples A to D, and parts against
 * brute force. */
#include "config.h"
#include "tg_test.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/sort.h"
#include "eval/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Example A: four parts in a 16 x 16 mask, two boxes of truth. */
static tg_image map;
static tg_tags tags;
static tgi_target target;
static tgi_cell cells[TGI_N_METRICS];

static void make_example_a(void)
{
    static const size_t boxes[4][4] = {{3, 3, 3, 2}, {6, 6, 3, 3}, {11, 10, 2, 2}, {0, 13, 2, 2}};
    tg_box truth_boxes[2] = {{2, 2, 6, 6, 0}, {10, 9, 4, 5, 0}};
    tg_truth truth = {.has_boxes = true, .boxes = truth_boxes, .n_boxes = 2};
    tg_tag_opts opts = tg_tag_opts_default();

    ck_assert_tg_ok(tg_image_new(16, 16, &map));
    for (size_t b = 0; b < 4; b++) {
        for (size_t i = 0; i < boxes[b][2] * boxes[b][3]; i++)
            map.pixels[(boxes[b][1] + i / boxes[b][2]) * 16 + boxes[b][0] + i % boxes[b][2]] = 1;
    }
    ck_assert_tg_ok(tg_tag_map(&map, &opts, &tags));
    ck_assert_tg_ok(tgi_target_new(&truth, 16, 16, true, -1, false, &target));
}

static void release_example_a(void)
{
    tg_tags_release(&tags);
    tgi_target_release(&target);
    tg_image_release(&map);
}

static void measure_a(const tg_eval_opts *opts)
{
    ck_assert_tg_ok(tgi_measure(opts, &map, &map, &tags, &target, true, cells));
}

static void check_value(tgi_metric metric, double percent)
{
    double got = 100 * cells[metric].num / cells[metric].den;

    ck_assert_msg(cells[metric].state == TGI_VALUED && fabs(got - percent) < 5.001e-3,
                  "%s: %.4f, not %.2f", tgi_metric_infos[metric].name, got, percent);
}

START_TEST(example_a_masks)
{
    tg_eval_opts opts = tg_eval_opts_default();

    measure_a(&opts);
    check_value(TGI_M_iou, 21.54);
    check_value(TGI_M_dice, 35.44);
    check_value(TGI_M_poi, 60.87);
    check_value(TGI_M_iou_micro, 21.54);
    check_value(TGI_M_poi_micro, 60.87);
    check_value(TGI_M_iou_boxes, 21.54); /* the parts fill their boxes */
    ck_assert(fabs(cells[TGI_M_ncc].num - 0.296361) < 5e-7);
    opts.poi_den = TG_POI_GT;
    measure_a(&opts);
    check_value(TGI_M_poi, 25.00);
    opts.poi_den = TG_POI_MIN;
    measure_a(&opts);
    check_value(TGI_M_poi, 60.87);
}
END_TEST

START_TEST(example_a_boxes_unequal)
{
    tg_eval_opts opts = tg_eval_opts_default();

    measure_a(&opts);
    check_value(TGI_M_iou_unequal, 11.61);
    check_value(TGI_M_poi_unequal, 61.11);
    check_value(TGI_M_iou_unequal_refined, 15.47);
    check_value(TGI_M_poi_unequal_refined, 81.48);
    check_value(TGI_M_poi_unequal_micro_refined, 73.68);
    check_value(TGI_M_iou_refined, 22.95);
}
END_TEST

START_TEST(example_a_boxes_equal)
{
    tg_eval_opts opts = tg_eval_opts_default();

    measure_a(&opts);
    check_value(TGI_M_iou_equal, 12.38);
    check_value(TGI_M_poi_equal, 18.89);
    check_value(TGI_M_poi_equal_micro, 36.17);
    check_value(TGI_M_iou_equal_refined, 36.60);
    check_value(TGI_M_poi_equal_refined, 84.72);
    opts.equal = TG_EQUAL_TOPK;
    measure_a(&opts);
    check_value(TGI_M_iou_equal, 8.33);
    check_value(TGI_M_poi_equal, 72.22);
}
END_TEST

START_TEST(boxes_merge_by_least_added_area)
{
    tgi_box boxes[4] = {{3, 3, 6, 5}, {6, 6, 9, 9}, {11, 10, 13, 12}, {0, 13, 2, 15}};
    size_t n = 4;

    tgi_boxes_merge(boxes, &n, 3);
    ck_assert(n == 3 && boxes[0].x0 == 3 && boxes[0].y0 == 3 && boxes[0].x1 == 9 &&
              boxes[0].y1 == 9);
    tgi_boxes_merge(boxes, &n, 2);
    ck_assert(n == 2 && boxes[0].x1 == 13 && boxes[0].y1 == 12 && boxes[1].y0 == 13);
    tgi_boxes_merge(boxes, &n, 2);
    ck_assert_uint_eq(n, 2);
}
END_TEST

/* Example B, and its tie. */
START_TEST(example_b_rankings)
{
    float positive[3] = {0.6f, 0.7f, 0.9f}, negative[3] = {0.54f, 0.55f, 0.8f};

    ck_assert(fabs(tgi_auroc(positive, 3, negative, 3) - 0.7778) < 5e-5);
    ck_assert(fabs(tgi_average_precision(positive, 3, negative, 3) - 0.8056) < 5e-5);
    positive[1] = 0.8f;
    ck_assert(fabs(tgi_auroc(positive, 3, negative, 3) - 0.8333) < 5e-5);
    ck_assert(fabs(tgi_average_precision(positive, 3, negative, 3) - 0.8056) < 5e-5);
    ck_assert(isnan(tgi_auroc(positive, 0, negative, 3)) &&
              isnan(tgi_average_precision(positive, 0, negative, 3)));
}
END_TEST

START_TEST(rankings_equal_brute_force)
{
    enum { P = 37, N = 91 };
    tgi_rng rng = tgi_rng_new(3, TGI_STREAM_TEST, (uint64_t)_i);
    float positive[P], negative[N];
    double pairs = 0, ap = 0;
    size_t n_levels = _i % 3 ? 12 : 100000; /* with many ties, and nearly none */

    for (size_t i = 0; i < P; i++)
        positive[i] = (float)tgi_rng_below(&rng, n_levels) + 2;
    for (size_t i = 0; i < N; i++)
        negative[i] = (float)tgi_rng_below(&rng, n_levels);
    for (size_t i = 0; i < P; i++) {
        size_t above_p = 0, above_n = 0;

        for (size_t j = 0; j < N; j++)
            pairs += positive[i] > negative[j] ? 1 : positive[i] == negative[j] ? 0.5 : 0;
        for (size_t j = 0; j < P; j++)
            above_p += positive[j] >= positive[i];
        for (size_t j = 0; j < N; j++)
            above_n += negative[j] >= positive[i];
        ap += (double)above_p /
              (double)(above_p + above_n); /* each positive: precision at its own value */
    }
    ck_assert_tg_ok(tgi_sort_floats(positive, P));
    ck_assert_tg_ok(tgi_sort_floats(negative, N));
    ck_assert(fabs(tgi_auroc(positive, P, negative, N) - pairs / (P * N)) < 1e-12);
    ck_assert(fabs(tgi_average_precision(positive, P, negative, N) - ap / P) < 1e-12);
}
END_TEST

START_TEST(example_c_ncc)
{
    const float a[4] = {1, 2, 3, 4}, b[4] = {2, 4, 6, 9}, constant[4] = {0.1f, 0.1f, 0.1f, 0.1f};
    double ncc;

    ck_assert(tgi_ncc(a, b, 4, &ncc) && fabs(ncc - 0.994377) < 5e-7);
    ck_assert(!tgi_ncc(a, constant, 4, &ncc) && !tgi_ncc(constant, a, 4, &ncc));
}
END_TEST

START_TEST(example_d_pointing)
{
    tg_eval_opts opts = tg_eval_opts_default();

    map.pixels[7 * 16 + 7] = 2;
    measure_a(&opts);
    check_value(TGI_M_pointing, 100);
    map.pixels[7 * 16 + 7] = 1;
    map.pixels[8 * 16 + 8] = 2;
    measure_a(&opts);
    check_value(TGI_M_pointing, 0);
    opts.tol_px = 1;
    measure_a(&opts);
    check_value(TGI_M_pointing, 100);
}
END_TEST

START_TEST(empty_sides_have_their_values)
{
    tg_eval_opts opts = tg_eval_opts_default();
    tgi_target nothing = {.has_area = true, .mask = target.mask};
    tg_image blank;
    tg_tags no_tags;

    ck_assert_tg_ok(tg_image_new(16, 16, &blank));
    ck_assert_tg_ok(tg_tag_map(&blank, &opts.tag, &no_tags));
    ck_assert_tg_ok(tgi_measure(&opts, &blank, &blank, &no_tags, &target, true, cells));
    check_value(TGI_M_iou, 0);
    check_value(TGI_M_dice, 0);
    check_value(TGI_M_poi, 0);
    check_value(TGI_M_poi_unequal, 0);
    check_value(TGI_M_iou_equal, 0);
    ck_assert_int_eq(cells[TGI_M_ncc].state, TGI_SKIPPED);
    opts.empty = TG_EMPTY_SKIP;
    ck_assert_tg_ok(tgi_measure(&opts, &blank, &blank, &no_tags, &target, true, cells));
    ck_assert_int_eq(cells[TGI_M_poi].state, TGI_SKIPPED);
    memset(target.mask.pixels, 0, 256);
    ck_assert_tg_ok(tgi_measure(&opts, &blank, &blank, &no_tags, &nothing, true, cells));
    check_value(TGI_M_iou, 100);
    check_value(TGI_M_poi, 100);
    check_value(TGI_M_iou_unequal, 100);
    check_value(TGI_M_iou_equal, 100);
    ck_assert_tg_ok(tgi_measure(&opts, &map, &map, &tags, &nothing, true, cells));
    check_value(TGI_M_iou, 0);
    check_value(TGI_M_poi, 0);
    check_value(TGI_M_iou_equal, 0);
    ck_assert_tg_ok(tgi_measure(&opts, &map, &map, &tags, &nothing, false, cells));
    check_value(TGI_M_blank_rate, 0);
    check_value(TGI_M_healthy_fire, 100 * 23.0 / 256);
    ck_assert_int_eq(cells[TGI_M_iou].state, TGI_ABSENT);
    tg_tags_release(&no_tags);
    tg_image_release(&blank);
}
END_TEST

START_TEST(image_score_is_mean_top_or_maximum)
{
    tg_image score;
    double s;

    ck_assert_tg_ok(tg_image_new(20, 10, &score));
    for (size_t i = 0; i < 200; i++)
        score.pixels[i] = (float)((i * 77) % 200);
    ck_assert_tg_ok(tgi_image_score(&score, TG_IMAGE_MEAN, &s));
    ck_assert(s == 99.5);
    ck_assert_tg_ok(tgi_image_score(&score, TG_IMAGE_TOP1, &s));
    ck_assert(s == 198.5);
    ck_assert_tg_ok(tgi_image_score(&score, TG_IMAGE_MAX, &s));
    ck_assert(s == 199);
    tg_image_release(&score);
}
END_TEST

/* The best total over all ways to give rows to distinct columns. */
static double best_by_trying(const double *gain, size_t row, size_t n_rows, size_t n_columns,
                             unsigned used)
{
    double best;

    if (row == n_rows)
        return 0;
    best = best_by_trying(gain, row + 1, n_rows, n_columns, used);
    for (size_t c = 0; c < n_columns; c++) {
        if (!(used & 1u << c)) {
            double total = gain[row * n_columns + c] +
                           best_by_trying(gain, row + 1, n_rows, n_columns, used | 1u << c);

            best = total > best ? total : best;
        }
    }
    return best;
}

START_TEST(matching_equals_all_permutations)
{
    tgi_rng rng = tgi_rng_new(11, TGI_STREAM_TEST, (uint64_t)_i);
    size_t n_rows = 1 + tgi_rng_below(&rng, 6), n_columns = 1 + tgi_rng_below(&rng, 6), match[6];
    double gain[36], total = 0;
    unsigned used = 0;

    for (size_t i = 0; i < n_rows * n_columns; i++)
        gain[i] = tgi_rng_below(&rng, 3) ? tgi_rng_uniform(&rng) : 0;
    ck_assert_tg_ok(tgi_match(gain, n_rows, n_columns, match));
    for (size_t i = 0; i < n_rows; i++) {
        if (match[i] == n_columns)
            continue;
        ck_assert(!(used & 1u << match[i]));
        used |= 1u << match[i];
        total += gain[i * n_columns + match[i]];
    }
    ck_assert(fabs(total - best_by_trying(gain, 0, n_rows, n_columns, 0)) < 1e-9);
}
END_TEST

START_TEST(truth_of_one_class_lies_inside_its_boxes)
{
    tg_box boxes[2] = {{0, 0, 2, 2, 0}, {4, 0, 2, 2, 1}};
    uint8_t pixels[16] = {1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0};
    tg_truth truth = {
        .has_mask = true, .has_boxes = true, .mask = {8, 2, pixels}, .boxes = boxes, .n_boxes = 2};
    tgi_target t;

    ck_assert_tg_ok(tgi_target_new(&truth, 8, 2, true, 1, true, &t));
    ck_assert(t.has_own_boxes && t.n_boxes == 1 && t.boxes[0].x0 == 4);
    ck_assert(!t.mask.pixels[0] && t.mask.pixels[4] && t.mask.pixels[13]);
    tgi_target_release(&t);
    truth.has_boxes = false;
    ck_assert_tg_ok(tgi_target_new(&truth, 8, 2, true, 1, true, &t));
    ck_assert(!t.has_own_boxes && t.n_boxes == 2 && t.mask.pixels[0]);
    tgi_target_release(&t);
    truth.has_mask = false;
    ck_assert_tg_ok(tgi_target_new(&truth, 8, 2, true, -1, false, &t));
    ck_assert(!t.has_area);
    tgi_target_release(&t);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("measure", 30);

    tcase_add_checked_fixture(tc, make_example_a, release_example_a);
    tcase_add_test(tc, example_a_masks);
    tcase_add_test(tc, example_a_boxes_unequal);
    tcase_add_test(tc, example_a_boxes_equal);
    tcase_add_test(tc, boxes_merge_by_least_added_area);
    tcase_add_test(tc, example_b_rankings);
    tcase_add_loop_test(tc, rankings_equal_brute_force, 0, 6);
    tcase_add_test(tc, example_c_ncc);
    tcase_add_test(tc, example_d_pointing);
    tcase_add_test(tc, empty_sides_have_their_values);
    tcase_add_test(tc, image_score_is_mean_top_or_maximum);
    tcase_add_loop_test(tc, matching_equals_all_permutations, 0, 40);
    tcase_add_test(tc, truth_of_one_class_lies_inside_its_boxes);
    return tg_run("measure");
}

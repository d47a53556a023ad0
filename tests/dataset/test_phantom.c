/* test_phantom.c -- drawn images: the same key gives the same bits, truth is exact, statistics are
 * the published ones. */
#include "config.h"
#include "tg_test.h"
#include "base/memory.h"
#include "dataset/draw.h"
#include "dataset/phantom.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 64, AREA = SIDE * SIDE, DRAWS = 100 };

static void same_bits(const tgi_drawn *a, const tgi_drawn *b)
{
    size_t n = a->image.width_px * a->image.height_px;

    ck_assert_uint_eq(a->image.width_px, b->image.width_px);
    ck_assert_mem_eq(a->image.pixels, b->image.pixels, n * sizeof(float));
    ck_assert_mem_eq(a->difference.pixels, b->difference.pixels, n * sizeof(float));
    ck_assert_mem_eq(a->mask.pixels, b->mask.pixels, n);
}

START_TEST(same_key_gives_same_bits)
{
    tgi_drawn a, b, other;

    for (unsigned classes = 0; classes < 16; classes++) {
        ck_assert_tg_ok(tgi_phantom_draw(7, 11, classes, SIDE, &a));
        ck_assert_tg_ok(tgi_phantom_draw(7, 12, classes, SIDE, &other));
        ck_assert_tg_ok(tgi_phantom_draw(7, 11, classes, SIDE, &b));
        same_bits(&a, &b);
        ck_assert(memcmp(a.image.pixels, other.image.pixels, AREA * sizeof(float)));
        tgi_drawn_release(&other);
        ck_assert_tg_ok(tgi_phantom_draw(8, 11, classes, SIDE, &other));
        ck_assert(memcmp(a.image.pixels, other.image.pixels, AREA * sizeof(float)));
        tgi_drawn_release(&a);
        tgi_drawn_release(&b);
        tgi_drawn_release(&other);
    }
}
END_TEST

/* The image minus its difference is the healthy draw of the same key. */
START_TEST(truth_is_exact)
{
    tgi_drawn healthy, ill;

    for (uint64_t index = 0; index < 20; index++) {
        ck_assert_tg_ok(tgi_phantom_draw(3, index, 0, SIDE, &healthy));
        ck_assert_tg_ok(tgi_phantom_draw(3, index, 1u << index % 4, SIDE, &ill));
        for (size_t p = 0; p < AREA; p++) {
            float difference = ill.image.pixels[p] - healthy.image.pixels[p];

            ck_assert(healthy.difference.pixels[p] == 0 && healthy.mask.pixels[p] == 0);
            ck_assert(ill.difference.pixels[p] == difference);
            ck_assert_int_eq(ill.mask.pixels[p], fabsf(difference) > 0.10f);
            ck_assert(fabsf(ill.image.pixels[p]) <= 1 && fabsf(healthy.image.pixels[p]) <= 1);
        }
        tgi_drawn_release(&healthy);
        tgi_drawn_release(&ill);
    }
}
END_TEST

typedef struct summary {
    double share, mean, difference; /* of mask pixels, of the image, of the difference */
} summary;

static summary summarise(unsigned classes, uint64_t seed)
{
    summary sum = {0, 0, 0};
    tgi_drawn drawn;

    for (uint64_t index = 0; index < DRAWS; index++) {
        size_t marked = 0;

        ck_assert_tg_ok(tgi_phantom_draw(seed, index, classes, SIDE, &drawn));
        for (size_t p = 0; p < AREA; p++) {
            marked += drawn.mask.pixels[p];
            sum.mean += drawn.image.pixels[p] / (double)AREA / DRAWS;
            sum.difference += drawn.difference.pixels[p] / (double)AREA / DRAWS;
        }
        /* no lesion is so small or so faint that an image labelled ill looks healthy */
        ck_assert_msg(!classes || marked >= 4, "classes %u, image %u: %zu pixels", classes,
                      (unsigned)index, marked);
        sum.share += (double)marked / AREA / DRAWS;
        tgi_drawn_release(&drawn);
    }
    return sum;
}

START_TEST(lesions_have_their_usual_size)
{
    /* the recipe's prototype had 1.9, 4.4, 8.2 and 5.7 % of the pixels */
    static const double low[] = {0.014, 0.034, 0.060, 0.035}, high[] = {0.028, 0.060, 0.100, 0.070};
    summary healthy = summarise(0, 21);

    ck_assert_msg(healthy.mean > -0.15 && healthy.mean < 0.1, "mean %.3f", healthy.mean);
    for (size_t k = 0; k < TGI_PHANTOM_CLASSES; k++) {
        summary ill = summarise(1u << k, 21);

        ck_assert_msg(ill.share > low[k] && ill.share < high[k], "%s: %.2f %%",
                      tgi_phantom_class(k), 100 * ill.share);
        /* every disease here is bright; the mean gives it away no more than its size does */
        ck_assert_msg(ill.difference > 0.004 && ill.difference < 0.07, "%s: %.4f",
                      tgi_phantom_class(k), ill.difference);
        ck_assert(fabs(ill.mean - healthy.mean - ill.difference) < 1e-6);
    }
}
END_TEST

START_TEST(size_changes_the_noise_alone)
{
    tgi_drawn small, large;
    double sum = 0;

    ck_assert_tg_ok(tgi_phantom_draw(5, 2, 1, SIDE, &small));
    ck_assert_tg_ok(tgi_phantom_draw(5, 2, 1, 2 * SIDE, &large));
    for (size_t y = 0; y < SIDE; y++) {
        for (size_t x = 0; x < SIDE; x++) {
            const float *corner = large.image.pixels + 2 * y * 2 * SIDE + 2 * x;

            sum += fabs(small.image.pixels[y * SIDE + x] -
                        (corner[0] + corner[1] + corner[2 * SIDE] + corner[2 * SIDE + 1]) / 4);
        }
    }
    ck_assert_msg(sum / AREA < 0.10, "mean difference %.3f", sum / AREA);
    tgi_drawn_release(&small);
    tgi_drawn_release(&large);
}
END_TEST

START_TEST(classes_have_names)
{
    ck_assert_str_eq(tgi_phantom_class(0), "nodule");
    ck_assert_str_eq(tgi_phantom_class(1), "consolidation");
    ck_assert_str_eq(tgi_phantom_class(2), "effusion");
    ck_assert_str_eq(tgi_phantom_class(3), "cardiomegaly");
    ck_assert_ptr_null(tgi_phantom_class(4));
}
END_TEST

START_TEST(refuses_sizes_and_classes_it_cannot_draw)
{
    tgi_vagan_opts silent = {false, 100, 0, 2.5};
    tgi_drawn drawn;

    ck_assert_tg_fails(tgi_phantom_draw(1, 1, 0, 8, &drawn), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_phantom_draw(1, 1, 0, SIZE_MAX, &drawn), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_phantom_draw(1, UINT64_C(1) << 60, 0, SIDE, &drawn), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_phantom_draw(1, 1, 16, SIDE, &drawn), TG_ERR_ARGUMENT);
    ck_assert_ptr_null(drawn.image.pixels);
    ck_assert_tg_fails(tgi_vagan_draw(1, 1, true, 0, NULL, 4, &drawn), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_vagan_draw(1, 1, true, 0, &silent, SIDE, &drawn), TG_ERR_ARGUMENT);
    tgi_drawn_release(&drawn);
}
END_TEST

START_TEST(blur_keeps_the_mean_and_a_flat_plane)
{
    float plane[AREA];
    double sum = 0;

    for (size_t p = 0; p < AREA; p++)
        plane[p] = 0.25f;
    ck_assert_tg_ok(tgi_blur(plane, SIDE, 40)); /* wider than the plane */
    for (size_t p = 0; p < AREA; p++)
        ck_assert(fabsf(plane[p] - 0.25f) < 1e-5f);
    memset(plane, 0, sizeof plane);
    plane[32 * SIDE + 32] = 1;
    ck_assert_tg_ok(tgi_blur(plane, SIDE, 2.5));
    for (size_t p = 0; p < AREA; p++)
        sum += plane[p];
    ck_assert(fabs(sum - 1) < 1e-5);
    ck_assert(fabs(plane[32 * SIDE + 32] - 0.025466) <
              1e-5); /* (1 / sum over -10..10 of exp(-k^2 / 12.5))^2 */
}
END_TEST

enum { VAGAN_SIDE = 112, VAGAN_AREA = VAGAN_SIDE * VAGAN_SIDE, VAGAN_IMAGES = 200 };

static double correlate(const float *map, const uint8_t *mask, size_t n)
{
    double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0, count = (double)n;

    for (size_t p = 0; p < n; p++) {
        sx += map[p];
        sy += mask[p];
        sxx += (double)map[p] * map[p];
        syy += mask[p];
        sxy += (double)map[p] * mask[p];
    }
    return (sxy - sx * sy / count) / sqrt((sxx - sx * sx / count) * (syy - sy * sy / count));
}

static void draw_vagan(uint64_t i, bool is_random, tgi_drawn *out)
{
    tgi_vagan_opts opts = {true, 100, 50, 2.5};

    ck_assert_tg_ok(tgi_vagan_draw(9, i, i % 2 == 1, (int)(i / 2 % 2), is_random ? &opts : NULL,
                                   VAGAN_SIDE, out));
}

typedef struct vagan_summary {
    double height, background_sd, share, input_ncc, template_ncc;
} vagan_summary;

/* Odd images are diseased; the template is the difference of the class means. */
static vagan_summary summarise_vagan(bool is_random)
{
    static float mean[VAGAN_AREA];
    vagan_summary sum = {0, 0, 0, 0, 0};
    double each = 1.0 / VAGAN_IMAGES;
    tgi_drawn drawn;

    memset(mean, 0, sizeof mean);
    for (uint64_t i = 0; i < 2 * VAGAN_IMAGES; i++) {
        double total = 0, squares = 0, highest = 0;

        draw_vagan(i, is_random, &drawn);
        for (size_t p = 0; p < VAGAN_AREA; p++) {
            double value = drawn.image.pixels[p];

            mean[p] += (float)((i % 2 ? each : -each) * value);
            total += value;
            squares += value * value;
            highest = fmax(highest, drawn.difference.pixels[p]);
            sum.share += i % 2 ? drawn.mask.pixels[p] * each / VAGAN_AREA : 0;
        }
        if (i % 2) {
            sum.height += highest * each;
            sum.input_ncc += correlate(drawn.image.pixels, drawn.mask.pixels, VAGAN_AREA) * each;
        } else
            sum.background_sd += sqrt(squares / VAGAN_AREA - pow(total / VAGAN_AREA, 2)) * each;
        tgi_drawn_release(&drawn);
    }
    for (uint64_t i = 1; i < 2 * VAGAN_IMAGES; i += 2) {
        draw_vagan(i, is_random, &drawn);
        sum.template_ncc += correlate(mean, drawn.mask.pixels, VAGAN_AREA) * each;
        tgi_drawn_release(&drawn);
    }
    return sum;
}

static void near(const char *what, double got, double want, double allowed)
{
    ck_assert_msg(fabs(got - want) <= allowed, "%s is %.4f, not %.4f within %.4f", what, got, want,
                  allowed);
}

START_TEST(vagan_set_has_its_published_statistics)
{
    vagan_summary sum = summarise_vagan(false);

    near("height of the effect", sum.height, 0.406, 0.015);
    near("sd of the background", sum.background_sd, 0.208, 0.010);
    near("share of the mask", sum.share, 0.0638, 1e-4);
    near("NCC of the input", sum.input_ncc, 0.44, 0.02);
    near("NCC of the class means", sum.template_ncc, 0.79, 0.02);
}
END_TEST

START_TEST(random_positions_defeat_a_template)
{
    vagan_summary sum = summarise_vagan(true);

    near("NCC of the input", sum.input_ncc, 0.37, 0.03);
    near("NCC of the class means", sum.template_ncc, 0.09, 0.05);
}
END_TEST

START_TEST(vagan_truth_is_the_scaled_effect)
{
    tgi_drawn drawn, again;

    for (uint64_t i = 0; i < 8; i++) {
        float low = INFINITY, high = -INFINITY, step = 0;
        size_t marked = 0;

        draw_vagan(i, false, &drawn);
        draw_vagan(i, false, &again);
        same_bits(&drawn, &again);
        for (size_t p = 0; p < VAGAN_AREA; p++) {
            low = fminf(low, drawn.image.pixels[p]);
            high = fmaxf(high, drawn.image.pixels[p]);
            step = fmaxf(step, drawn.difference.pixels[p]);
        }
        ck_assert(low == -1 && high > 0.99999f && high <= 1);
        for (size_t p = 0; p < VAGAN_AREA; p++) {
            marked += drawn.mask.pixels[p];
            ck_assert(drawn.difference.pixels[p] == (drawn.mask.pixels[p] ? step : 0));
        }
        ck_assert_uint_eq(marked, i % 2 ? 800 : 0);
        if (i % 2) { /* the centre square, and the off-centre one on its own side */
            ck_assert(drawn.mask.pixels[46 * VAGAN_SIDE + 46] &&
                      drawn.mask.pixels[65 * VAGAN_SIDE + 65]);
            ck_assert(!drawn.mask.pixels[45 * VAGAN_SIDE + 56]);
            ck_assert_int_eq(drawn.mask.pixels[88 * VAGAN_SIDE + 88], i / 2 % 2 == 0);
            ck_assert_int_eq(drawn.mask.pixels[24 * VAGAN_SIDE + 24], i / 2 % 2 == 1);
        }
        tgi_drawn_release(&drawn);
        tgi_drawn_release(&again);
    }
}
END_TEST

int main(void)
{
    TCase *radiographs = tg_case("radiographs", 60), *squares = tg_case("vagan", 120);

    tcase_add_test(radiographs, same_key_gives_same_bits);
    tcase_add_test(radiographs, truth_is_exact);
    tcase_add_test(radiographs, lesions_have_their_usual_size);
    tcase_add_test(radiographs, size_changes_the_noise_alone);
    tcase_add_test(radiographs, classes_have_names);
    tcase_add_test(radiographs, refuses_sizes_and_classes_it_cannot_draw);
    tcase_add_test(radiographs, blur_keeps_the_mean_and_a_flat_plane);
    tcase_add_test(squares, vagan_set_has_its_published_statistics);
    tcase_add_test(squares, random_positions_defeat_a_template);
    tcase_add_test(squares, vagan_truth_is_the_scaled_effect);
    return tg_run("phantom");
}

/* test_eval.c -- the evaluation as a whole on sets built by hand: aggregation, intervals,
 * baselines, files, tables. */
#include "config.h"
#include "tg_test.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "eval/eval.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 24, N_IMAGES = 24 };
static const char *const classes[2] = {"nodule", "effusion"};

/* An image of the set: a noisy input, and for two of three a bright square of class 0 or 1 at a
 * place of its own. */
typedef struct sample {
    tg_image map, input;
    tg_truth truth;
    tg_box box;
    float labels[2];
    char patient[32];
} sample;

static void make_sample(size_t i, double noise, sample *s)
{
    tgi_rng rng = tgi_rng_new(21, TGI_STREAM_TEST, i);
    size_t x = 2 + tgi_rng_below(&rng, 14), y = 2 + tgi_rng_below(&rng, 14);

    memset(s, 0, sizeof *s);
    snprintf(s->patient, sizeof s->patient, "p%zu", i / 2);
    ck_assert_tg_ok(tg_image_new(SIDE, SIDE, &s->map));
    ck_assert_tg_ok(tg_image_new(SIDE, SIDE, &s->input));
    ck_assert_tg_ok(tg_image_new(SIDE, SIDE, &s->truth.difference));
    ck_assert_tg_ok(tgi_alloc(SIDE * SIDE, 1, &s->truth.mask.pixels));
    s->truth.mask.width_px = s->truth.mask.height_px = SIDE;
    s->truth.has_mask = s->truth.has_difference = true;
    for (size_t p = 0; p < SIDE * SIDE; p++) {
        bool inside =
            i % 3 && p % SIDE >= x && p % SIDE < x + 6 && p / SIDE >= y && p / SIDE < y + 6;

        s->truth.mask.pixels[p] = inside;
        s->truth.difference.pixels[p] = inside ? 0.5f : 0;
        s->input.pixels[p] = (float)(0.2 * tgi_rng_normal(&rng) + (inside ? 0.5 : 0) - 0.3);
        s->map.pixels[p] = (float)((inside ? 0.5 : 0) + noise * tgi_rng_normal(&rng));
    }
    if (i % 3)
        s->labels[i % 3 - 1] = 1;
}

static void release_sample(sample *s)
{
    tg_image_release(&s->map);
    tg_image_release(&s->input);
    tg_image_release(&s->truth.difference);
    tg_mask_release(&s->truth.mask);
}

static tg_eval_results *evaluate(const tg_eval_opts *opts, double noise, size_t n_training)
{
    tg_evaluation *e;
    tg_eval_results *results;
    sample s;

    ck_assert_tg_ok(tg_evaluation_new(opts, "by hand", classes, 2, &e));
    for (size_t i = 0; i < N_IMAGES; i++) {
        char name[16];

        make_sample(i, noise, &s);
        snprintf(name, sizeof name, "image%zu", i);
        ck_assert_tg_ok(tg_evaluation_add(e, &(tg_eval_item){.name = name,
                                                             .patient = s.patient,
                                                             .labels = s.labels,
                                                             .map = &s.map,
                                                             .truth = &s.truth,
                                                             .input = &s.input}));
        release_sample(&s);
    }
    for (size_t i = 0; i < n_training; i++) {
        make_sample(1000 + i, noise, &s);
        ck_assert_tg_ok(tg_evaluation_add_training(e, &s.input, s.labels));
        release_sample(&s);
    }
    ck_assert_tg_ok(tg_evaluation_finish(e, &results));
    tg_evaluation_free(e);
    return results;
}

static double value(const tg_scores *scores, const char *name)
{
    const tg_metric *metric = tg_scores_find(scores, name);

    ck_assert_msg(metric != NULL, "%s has no %s", scores->name, name);
    return metric->mean;
}

START_TEST(perfect_maps_have_perfect_scores)
{
    static const char *const ones[] = {"ncc",         "dice",      "iou",         "poi",
                                       "poi_equal",   "iou_equal", "poi_unequal", "iou_unequal",
                                       "pixel_ap",    "pointing",  "image_auroc", "blank_rate",
                                       "pixel_auroc", "dice_best"};
    tg_eval_opts opts = tg_eval_opts_default();
    tg_eval_results *r;

    opts.best_threshold = 0.25;
    r = evaluate(&opts, 0, 0);
    ck_assert(r->n_diseased == 16 && r->n_healthy == 8 && r->n_classes == 2);
    for (size_t i = 0; i < TG_COUNT(ones); i++) {
        const tg_metric *m = tg_scores_find(&r->overall, ones[i]);

        ck_assert_msg(m && fabs(m->mean - 1) < 1e-9 && fabs(m->low - 1) < 1e-9 &&
                          fabs(m->high - 1) < 1e-9,
                      "%s", ones[i]);
        ck_assert(fabs(value(&r->class_mean, ones[i]) - 1) < 1e-9);
    }
    ck_assert(value(&r->overall, "healthy_fire") == 0);
    ck_assert_uint_eq(tg_scores_find(&r->overall, "ncc")->n, 16);
    ck_assert_uint_eq(tg_scores_find(&r->classes[0], "ncc")->n, 8);
    tg_eval_results_free(r);
}
END_TEST

START_TEST(intervals_hold_the_value_and_follow_the_seed)
{
    tg_eval_opts opts = tg_eval_opts_default();
    tg_eval_results *a, *b;

    opts.baselines = TG_BASELINES_NONE;
    a = evaluate(&opts, 0.2, 0);
    b = evaluate(&opts, 0.2, 0);
    ck_assert_uint_eq(a->n_baselines, 0);
    for (size_t m = 0; m < a->overall.n_metrics; m++) {
        const tg_metric *x = &a->overall.metrics[m], *y = &b->overall.metrics[m];

        ck_assert_msg(x->low <= x->mean + 1e-9 && x->mean <= x->high + 1e-9,
                      "%s: %g not in [%g, %g]", x->name, x->mean, x->low, x->high);
        ck_assert(x->mean == y->mean && x->low == y->low && x->high == y->high);
    }
    ck_assert(tg_scores_find(&a->overall, "pixel_ap")->low <
              value(&a->overall, "pixel_ap") - 0.001);
    tg_eval_results_free(b);
    opts.seed = 2;
    b = evaluate(&opts, 0.2, 0);
    ck_assert(tg_scores_find(&a->overall, "ncc")->low != tg_scores_find(&b->overall, "ncc")->low);
    tg_eval_results_free(a);
    tg_eval_results_free(b);
}
END_TEST

/* The interval of a mean of independent values is close to the textbook's. */
START_TEST(interval_of_a_mean_is_that_of_a_normal)
{
    enum { N = 200 };
    static tgi_cell cells[N][TGI_N_METRICS];
    static tgi_entry entries[N];
    double sum = 0, squares = 0, sd;
    const tg_metric *m;
    tgi_draws draws;
    tg_scores scores;

    for (size_t i = 0; i < N; i++) {
        tgi_rng rng = tgi_rng_new(5, TGI_STREAM_TEST, i);
        double x = tgi_rng_uniform(&rng);

        cells[i][TGI_M_dice] = (tgi_cell){x, 1, TGI_VALUED};
        entries[i] =
            (tgi_entry){.is_diseased = true, .patient = i, .image_score = NAN, .cells = cells[i]};
        sum += x;
        squares += x * x;
    }
    ck_assert_tg_ok(tgi_draws_new(1000, N, 1, &draws));
    ck_assert_tg_ok(tgi_aggregate("x", entries, N, &draws, &scores));
    ck_assert_uint_eq(scores.n_metrics, 1); /* what has no value is absent */
    m = tg_scores_find(&scores, "dice");
    sd = sqrt((squares / N - sum / N * sum / N) / N);
    ck_assert(fabs(m->mean - sum / N) < 1e-12);
    ck_assert(fabs(m->low - (m->mean - 1.96 * sd)) < 0.3 * sd &&
              fabs(m->high - (m->mean + 1.96 * sd)) < 0.3 * sd);
    tgi_scores_release(&scores);
    tgi_draws_release(&draws);
}
END_TEST

/* With one draw a patient and the whole set in it, binned counts must give the exact value back:
 * the shift is taken off. */
START_TEST(pixel_metrics_are_exact_over_the_whole_set)
{
    tg_eval_opts opts = tg_eval_opts_default();
    tg_eval_results *r;
    double pairs = 0, ap = 0;
    size_t n_pos = 0, n_neg = 0;
    float *pos, *neg;

    ck_assert_tg_ok(tgi_alloc(N_IMAGES * SIDE * SIDE, sizeof(float), &pos));
    ck_assert_tg_ok(tgi_alloc(N_IMAGES * SIDE * SIDE, sizeof(float), &neg));
    for (size_t i = 0; i < N_IMAGES; i++) {
        sample s;

        make_sample(i, 0.2, &s);
        for (size_t p = 0; p < SIDE * SIDE; p++) {
            float score = s.map.pixels[p] > 0 ? s.map.pixels[p] : 0;

            if (s.truth.mask.pixels[p])
                pos[n_pos++] = score;
            else
                neg[n_neg++] = score;
        }
        release_sample(&s);
    }
    for (size_t i = 0; i < n_pos; i++) {
        size_t above_p = 0, above_n = 0;

        for (size_t j = 0; j < n_neg; j++) {
            pairs += pos[i] > neg[j] ? 1 : pos[i] == neg[j] ? 0.5 : 0;
            above_n += neg[j] >= pos[i];
        }
        for (size_t j = 0; j < n_pos; j++)
            above_p += pos[j] >= pos[i];
        ap += (double)above_p / (double)(above_p + above_n);
    }
    r = evaluate(&opts, 0.2, 0);
    ck_assert(fabs(value(&r->overall, "pixel_ap") - ap / (double)n_pos) < 1e-9);
    ck_assert(fabs(value(&r->overall, "pixel_auroc") - pairs / (double)n_pos / (double)n_neg) <
              1e-9);
    tg_eval_results_free(r);
    free(pos);
    free(neg);
}
END_TEST

/* Example E: 20 healthy images, 19 empty masks. */
START_TEST(example_e_blank_rate)
{
    tg_eval_opts opts = tg_eval_opts_default();
    const float none[1] = {0};
    tg_evaluation *e;
    tg_eval_results *r;
    tg_image map;

    ck_assert_tg_ok(tg_evaluation_new(&opts, "healthy", classes, 1, &e));
    for (size_t i = 0; i < 20; i++) {
        ck_assert_tg_ok(tg_image_new(4, 4, &map));
        map.pixels[3] = i == 7 ? 1 : 0;
        ck_assert_tg_ok(
            tg_evaluation_add(e, &(tg_eval_item){.name = "h", .labels = none, .map = &map}));
        tg_image_release(&map);
    }
    ck_assert_tg_ok(tg_evaluation_finish(e, &r));
    ck_assert(fabs(value(&r->overall, "blank_rate") - 0.95) < 1e-12);
    ck_assert(fabs(value(&r->overall, "healthy_fire") - 1.0 / 320) < 1e-12);
    ck_assert_ptr_null(tg_scores_find(&r->overall, "ncc")); /* absent, not zero */
    ck_assert_ptr_null(tg_scores_find(&r->overall, "image_auroc"));
    ck_assert_ptr_null(tg_scores_find(&r->overall, "pixel_ap"));
    tg_eval_results_free(r);
    tg_evaluation_free(e);
}
END_TEST

START_TEST(baselines_stand_beside_the_scores)
{
    static const char *const names[] = {"zero",   "centre_blob", "input",           "blurred_input",
                                        "random", "class_mean",  "class_mean_known"};
    tg_eval_opts opts = tg_eval_opts_default();
    tg_eval_results *r = evaluate(&opts, 0.1, 60);

    ck_assert_uint_eq(r->n_baselines, TG_COUNT(names));
    for (size_t b = 0; b < TG_COUNT(names); b++)
        ck_assert_str_eq(r->baselines[b].name, names[b]);
    ck_assert_ptr_null(tg_scores_find(&r->baselines[0], "ncc")); /* constant: skipped everywhere */
    ck_assert(value(&r->baselines[0], "dice") == 0 && value(&r->baselines[0], "blank_rate") == 1);
    ck_assert(value(&r->baselines[0], "image_auroc") == 0.5);
    ck_assert(fabs(value(&r->baselines[4], "ncc")) < 0.1);
    ck_assert(value(&r->baselines[2], "ncc") > 0.3 &&
              value(&r->baselines[2], "ncc") < value(&r->overall, "ncc"));
    ck_assert(value(&r->baselines[5], "pixel_ap") > 0);
    ck_assert_ptr_null(tg_scores_find(&r->baselines[6], "image_auroc"));
    tg_eval_results_free(r);
    r = evaluate(&opts, 0.1, 0);
    ck_assert_uint_eq(r->n_baselines, 5); /* no training images, no template */
    tg_eval_results_free(r);
}
END_TEST

START_TEST(best_threshold_equals_trying_all)
{
    enum { N = 10 };
    tg_tag_opts opts = tg_tag_opts_default();
    double threshold, dice, best = 0, at_best = 0;
    tg_image maps[N];
    tg_mask truths[N];
    sample samples[N];

    for (size_t i = 0; i < N; i++) {
        make_sample(3 * i + 1, 0.25, &samples[i]);
        maps[i] = samples[i].map;
        truths[i] = samples[i].truth.mask;
    }
    opts.min_area_px = _i ? 4 : 1;
    ck_assert_tg_ok(tg_eval_best_threshold(maps, truths, N, &opts, &threshold, &dice));
    for (double t = 0; t < 0.8; t += 0.002) {
        double sum = 0;

        for (size_t i = 0; i < N; i++) {
            size_t both = 0, all = 0;
            tg_tags tags;

            opts.value = t;
            ck_assert_tg_ok(tg_tag_map(&maps[i], &opts, &tags));
            for (size_t p = 0; p < SIDE * SIDE; p++) {
                both += tags.mask.pixels[p] & truths[i].pixels[p];
                all += (size_t)tags.mask.pixels[p] + truths[i].pixels[p];
            }
            sum += 2.0 * (double)both / (double)all / N;
            tg_tags_release(&tags);
        }
        if (sum > best) {
            best = sum;
            at_best = t;
        }
    }
    ck_assert_msg(dice > best - 0.01 && dice < best + 0.01, "%g at %g, by trying %g at %g", dice,
                  threshold, best, at_best);
    memset(truths[0].pixels, 0, SIDE * SIDE);
    ck_assert_tg_fails(tg_eval_best_threshold(maps, truths, 1, &opts, &threshold, &dice),
                       TG_ERR_ARGUMENT);
    for (size_t i = 0; i < N; i++)
        release_sample(&samples[i]);
}
END_TEST

START_TEST(class_maps_are_used_for_their_class)
{
    tg_eval_opts opts = tg_eval_opts_default();
    tg_evaluation *e;
    tg_eval_results *r;
    tg_image blank;

    ck_assert_tg_ok(tg_image_new(SIDE, SIDE, &blank));
    ck_assert_tg_ok(tg_evaluation_new(&opts, "classes", classes, 2, &e));
    for (size_t i = 1; i < 6;
         i += 3) { /* class 0; the map of class 0 is blank, the common one is right */
        sample s;

        make_sample(i, 0, &s);
        ck_assert_tg_ok(
            tg_evaluation_add(e, &(tg_eval_item){.name = "x",
                                                 .labels = s.labels,
                                                 .map = &s.map,
                                                 .class_maps = (const tg_image *[]){&blank, &s.map},
                                                 .truth = &s.truth}));
        release_sample(&s);
    }
    ck_assert_tg_ok(tg_evaluation_finish(e, &r));
    ck_assert(value(&r->overall, "dice") == 1 && value(&r->classes[0], "dice") == 0);
    ck_assert_ptr_null(tg_scores_find(&r->classes[1], "dice"));
    ck_assert_uint_eq(tg_scores_find(&r->class_mean, "dice")->n, 1);
    tg_eval_results_free(r);
    tg_evaluation_free(e);
    tg_image_release(&blank);
}
END_TEST

START_TEST(refuses_sizes_that_differ)
{
    tg_eval_opts opts = tg_eval_opts_default();
    tg_evaluation *e;
    tg_eval_results *r;
    sample s;

    make_sample(1, 0, &s);
    ck_assert_tg_ok(tg_evaluation_new(&opts, "x", classes, 2, &e));
    ck_assert_tg_fails(tg_evaluation_finish(e, &r), TG_ERR_ARGUMENT);
    s.map.width_px--;
    ck_assert_tg_fails(
        tg_evaluation_add(
            e,
            &(tg_eval_item){.name = "odd", .labels = s.labels, .map = &s.map, .truth = &s.truth}),
        TG_ERR_SHAPE);
    ck_assert_ptr_nonnull(strstr(tg_error_message(), "odd"));
    s.map.width_px++;
    s.map.pixels[0] = NAN;
    ck_assert_tg_fails(
        tg_evaluation_add(
            e,
            &(tg_eval_item){.name = "odd", .labels = s.labels, .map = &s.map, .truth = &s.truth}),
        TG_ERR_NUMERIC);
    tg_evaluation_free(e);
    release_sample(&s);
}
END_TEST

START_TEST(metrics_file_is_read_back)
{
    tg_eval_opts opts = tg_eval_opts_default();
    tg_eval_results *r, *again;
    json_t *root;
    char *path;

    opts.threshold_rule = "healthy:0.99";
    opts.tag.value = 0.3;
    r = evaluate(&opts, 0.1, 30);
    ck_assert_tg_ok(tgi_strdup("by hand", &r->note));
    ck_assert_tg_ok(tgi_strdup(tg_scratch_path("metrics.json"), &path));
    ck_assert_tg_ok(tg_eval_results_save(r, path));
    root = json_load_file(path, 0, NULL);
    ck_assert_ptr_nonnull(root);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "version")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "n_diseased")), 16);
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(root, "threshold"), "rule")),
                     "healthy:0.99");
    ck_assert(json_real_value(json_object_get(json_object_get(root, "threshold"), "value")) == 0.3);
    ck_assert(fabs(json_real_value(json_object_get(
                       json_object_get(
                           json_object_get(json_object_get(root, "per_class"), "effusion"), "ncc"),
                       "mean")) -
                   value(&r->classes[1], "ncc")) < 1e-8);
    ck_assert_ptr_nonnull(json_object_get(json_object_get(root, "baselines"), "class_mean"));
    ck_assert_str_eq(json_string_value(json_object_get(root, "note")), "by hand");
    json_decref(root);
    ck_assert_tg_ok(tg_eval_results_load(path, &again));
    ck_assert_str_eq(again->note, r->note);
    ck_assert(again->n_healthy == 8 && again->n_classes == 2 && again->n_baselines == 7);
    ck_assert_uint_eq(again->overall.n_metrics, r->overall.n_metrics);
    for (size_t m = 0; m < r->overall.n_metrics; m++)
        ck_assert(fabs(again->overall.metrics[m].high - r->overall.metrics[m].high) < 1e-8);
    ck_assert_tg_ok(tgi_file_write(path, "{\"version\":2}", 13));
    tg_eval_results_free(again);
    ck_assert_tg_fails(tg_eval_results_load(path, &again), TG_ERR_FORMAT);
    ck_assert_tg_ok(tgi_file_write(path, "{", 1));
    ck_assert_tg_fails(tg_eval_results_load(path, &again), TG_ERR_FORMAT);
    tg_eval_results_free(r);
    free(path);
}
END_TEST

START_TEST(tables_are_aligned_and_complete)
{
    tg_eval_opts opts = tg_eval_opts_default();
    tg_eval_results *r = evaluate(&opts, 0.1, 30);
    const tg_eval_results *both[2] = {r, r};
    char *path, *text;
    size_t n;
    FILE *stream;

    ck_assert_tg_ok(tgi_strdup(tg_scratch_path("table.txt"), &path));
    stream = fopen(path, "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_tg_ok(tg_eval_results_print(r, TG_TABLE_TEXT, TG_DETAIL_ALL, stream));
    ck_assert_tg_ok(tg_eval_results_print(r, TG_TABLE_MARKDOWN, TG_DETAIL_MAIN, stream));
    ck_assert_tg_ok(
        tg_eval_compare_print(both, (const char *[]){"one", "two"}, 2, TG_TABLE_TEXT, stream));
    fclose(stream);
    ck_assert_tg_ok(tgi_file_read(path, 1 << 20, &text, &n));
    ck_assert_ptr_nonnull(strstr(text, "16 diseased and 8 healthy images of by hand"));
    ck_assert_ptr_nonnull(strstr(text, "\nmetric "));
    ck_assert_ptr_nonnull(strstr(text, "\nother protocol "));
    ck_assert_ptr_nonnull(strstr(text, "\noracle-refined"));
    ck_assert_ptr_null(strstr(text, "| iou_boxes ")); /* the short table is Markdown here */
    ck_assert_ptr_null(strstr(text, "_refined |"));
    ck_assert_ptr_null(strstr(text, " \n"));
    ck_assert_ptr_nonnull(strstr(text, "\nclass_mean_known"));
    ck_assert_ptr_nonnull(strstr(text, "\n| metric "));
    ck_assert_ptr_nonnull(strstr(text, "\n|---|---:|---:|---:|---|\n"));
    ck_assert_ptr_nonnull(strstr(text, "\ntwo "));
    free(text);
    ck_assert_tg_ok(tg_eval_results_save_csv(r, path));
    ck_assert_tg_ok(tgi_file_read(path, 1 << 20, &text, &n));
    ck_assert(
        tgi_starts_with(text, "scope,name,metric,mean,low,high,n,skipped\noverall,overall,ncc,0."));
    ck_assert_ptr_nonnull(strstr(text, "\nbaseline,random,ncc,"));
    free(text);
    free(path);
    tg_eval_results_free(r);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("eval", 60);

    tcase_add_test(tc, perfect_maps_have_perfect_scores);
    tcase_add_test(tc, intervals_hold_the_value_and_follow_the_seed);
    tcase_add_test(tc, interval_of_a_mean_is_that_of_a_normal);
    tcase_add_test(tc, pixel_metrics_are_exact_over_the_whole_set);
    tcase_add_test(tc, example_e_blank_rate);
    tcase_add_test(tc, baselines_stand_beside_the_scores);
    tcase_add_loop_test(tc, best_threshold_equals_trying_all, 0, 2);
    tcase_add_test(tc, class_maps_are_used_for_their_class);
    tcase_add_test(tc, refuses_sizes_that_differ);
    tcase_add_test(tc, metrics_file_is_read_back);
    tcase_add_test(tc, tables_are_aligned_and_complete);
    return tg_run("eval");
}

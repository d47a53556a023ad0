/* test_tagger.c -- a model with made-up weights tags images: sizes, labels, thresholds, and that
 * map, mask and boxes agree. */
#include "config.h"
#include "tg_test.h"
#include "base/memory.h"
#include "base/text.h"
#include "tag/tagger.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_CLASSES = 3, SIDE = 32 };

static char *class_names[N_CLASSES] = {"mass", "effusion", "nodule"};
static tg_device *dev;
static char *path;
static tg_tagger *tagger;

/* Weights by chance: the generator's last layer begins at zero, which would make every map blank.
 */
static void disturb(tgi_net *net)
{
    size_t n = tg_tensor_count(net->values);
    float *values;

    ck_assert_tg_ok(tgi_alloc(n, sizeof *values, &values));
    tg_fill_normal(values, n, 11);
    for (size_t i = 0; i < n; i++)
        values[i] *= 0.2f;
    ck_assert_tg_ok(tg_tensor_upload(net->values, values, n));
    tgi_net_touch(net);
    free(values);
}

static void save_model(size_t n_classes, bool is_calibrated)
{
    tgi_settings settings = tgi_settings_preset(TGI_PRESET_QUICK);
    tgi_model_info info = {
        .classes = class_names, .n_classes = n_classes, .threshold = -1, .step = 5};
    tgi_model *model;

    settings.size = SIDE;
    settings.width = 4;
    settings.dwidth = 4;
    settings.sign = TG_SIGN_ABS;
    settings.sigma = 0; /* the score is the map itself */
    info.settings = settings;
    if (is_calibrated) {
        info.threshold = 0.25;
        info.threshold_rule = "healthy:0.99";
        info.calibrated[0] = (tgi_calibrated){0.1, 0.125};
        info.n_calibrated = 1;
    }
    ck_assert_tg_ok(tgi_model_new(dev, &settings, n_classes, &model));
    disturb(model->g.net);
    ck_assert_tg_ok(tgi_model_save(model, TGI_WEIGHTS_RAW, &info, path));
    tgi_model_free(model);
}

static void load(size_t n_classes, bool is_calibrated)
{
    tg_tagger_free(tagger);
    save_model(n_classes, is_calibrated);
    ck_assert_tg_ok(tg_tagger_load(dev, path, &tagger));
}

static void set_up(void)
{
    ck_assert_tg_ok(tg_device_open(NULL, &dev));
    ck_assert_tg_ok(tgi_printf(&path, "%s.%ld", tg_scratch_path("tagger_test"), (long)getpid()));
    load(N_CLASSES, true);
}

static void tear_down(void)
{
    tg_tagger_free(tagger);
    tagger = NULL;
    unlink(path);
    free(path);
    tg_device_free(dev);
}

static tg_image picture(size_t w, size_t h)
{
    tg_image image;

    ck_assert_tg_ok(tg_image_new(w, h, &image));
    for (size_t y = 0; y < h; y++) {
        for (size_t x = 0; x < w; x++)
            image.pixels[y * w + x] = (float)(0.9 * sin(0.2 * (double)x) * cos(0.3 * (double)y));
    }
    return image;
}

START_TEST(says_what_it_loaded)
{
    ck_assert_uint_eq(tg_tagger_n_classes(tagger), N_CLASSES);
    ck_assert_str_eq(tg_tagger_class_name(tagger, 2), "nodule");
    ck_assert_uint_eq(tg_tagger_size_px(tagger), SIDE);
    ck_assert(tg_tagger_step(tagger) == 5);
}
END_TEST

START_TEST(everything_has_the_size_of_the_image)
{
    static const size_t sizes[][2] = {{SIDE, SIDE}, {57, 41}, {9, 130}, {1, 1}};
    tg_image image = picture(sizes[_i][0], sizes[_i][1]);
    tg_tagger_opts opts = tg_tagger_opts_default(tagger);
    tg_tagged tagged;

    opts.label = TG_LABEL_ALL;
    ck_assert_tg_ok(tg_tagger_tag(tagger, &image, &opts, &tagged));
    ck_assert_uint_eq(tagged.n_probabilities, N_CLASSES);
    ck_assert_uint_eq(tagged.n_findings, 1 + N_CLASSES);
    ck_assert_uint_eq(tagged.findings[0].class_index, TG_ANY_CLASS);
    for (size_t f = 0; f < tagged.n_findings; f++) {
        const tg_finding *found = &tagged.findings[f];
        double highest = 0;

        ck_assert(!f || found->class_index == f - 1);
        ck_assert_uint_eq(found->map.width_px, image.width_px);
        ck_assert_uint_eq(found->map.height_px, image.height_px);
        ck_assert_uint_eq(found->tags.mask.width_px, image.width_px);
        ck_assert_uint_eq(found->tags.mask.height_px, image.height_px);
        for (size_t i = 0; i < image.width_px * image.height_px; i++) {
            ck_assert_float_eq(found->healthy.pixels[i], image.pixels[i] - found->map.pixels[i]);
            highest = fmax(highest, fabs(found->map.pixels[i]));
            if (found->tags.mask.pixels[i])
                ck_assert(fabsf(found->map.pixels[i]) > (float)found->tags.threshold);
        }
        ck_assert_double_eq_tol(found->tags.max_score, highest, 1e-6);
        ck_assert(found->mean_score > 0 && found->mean_score <= highest + 1e-6);
    }
    tg_tagged_release(&tagged);
    tg_image_release(&image);
}
END_TEST

START_TEST(one_image_alone_or_in_a_batch_gives_the_same)
{
    enum { N = 19 }; /* more than go to the device at once, and not a multiple */
    tg_image images[N];
    tg_tagger_opts opts = tg_tagger_opts_default(tagger);
    tgi_tag_batch batch;

    for (size_t i = 0; i < N; i++)
        images[i] = picture(20 + i, 40 - i);
    ck_assert_tg_ok(tgi_tag_batch_run(tagger, images, N, &opts, &batch));
    for (size_t i = 0; i < N; i += 6) {
        tg_tagged many, one;

        ck_assert_tg_ok(tgi_tag_batch_finish(tagger, &batch, i, &images[i], &opts, &many));
        ck_assert_tg_ok(tg_tagger_tag(tagger, &images[i], &opts, &one));
        ck_assert_uint_eq(many.n_findings, one.n_findings);
        tg_compare("map", many.findings[0].map.pixels, one.findings[0].map.pixels,
                   images[i].width_px * images[i].height_px, TOL_CONV);
        tg_compare("probabilities", many.probabilities, one.probabilities, N_CLASSES, TOL_CONV);
        tg_tagged_release(&many);
        tg_tagged_release(&one);
    }
    tgi_tag_batch_release(&batch);
    for (size_t i = 0; i < N; i++)
        tg_image_release(&images[i]);
}
END_TEST

START_TEST(labels_choose_the_map)
{
    tg_image image = picture(SIDE, SIDE), map, other;
    tg_tagger_opts opts = tg_tagger_opts_default(tagger);
    float probabilities[N_CLASSES];
    size_t likeliest = 0, n_positive = 0;
    tg_tagged tagged;

    ck_assert_int_eq(opts.label, TG_LABEL_AUTO);
    ck_assert_tg_ok(tg_tagger_set_label(tagger, "effusion", &opts));
    ck_assert_int_eq(opts.label, 1);
    ck_assert_tg_ok(tg_tagger_tag(tagger, &image, &opts, &tagged));
    ck_assert_uint_eq(tagged.n_findings, 1);
    ck_assert_uint_eq(tagged.findings[0].class_index, 1);
    ck_assert_tg_ok(tg_tagger_map(tagger, &image, (const float[]){0, 1, 0}, &map));
    ck_assert_tg_ok(tg_tagger_map(tagger, &image, (const float[]){0, 0, 1}, &other));
    ck_assert_mem_eq(map.pixels, tagged.findings[0].map.pixels, SIDE * SIDE * sizeof(float));
    ck_assert_mem_ne(map.pixels, other.pixels, SIDE * SIDE * sizeof(float));
    tg_tagged_release(&tagged);
    ck_assert_tg_ok(tg_tagger_set_label(tagger, "auto", &opts));
    ck_assert_tg_ok(tg_tagger_classify(tagger, &image, probabilities));
    for (size_t k = 0; k < N_CLASSES; k++) {
        likeliest = probabilities[k] > probabilities[likeliest] ? k : likeliest;
        n_positive += probabilities[k] > 0.5f;
    }
    ck_assert_tg_ok(tg_tagger_tag(tagger, &image, &opts, &tagged));
    ck_assert_uint_eq(tagged.n_findings, n_positive < 2 ? 1 : 1 + n_positive);
    if (n_positive < 2)
        ck_assert_uint_eq(tagged.findings[0].class_index, likeliest);
    tg_tagged_release(&tagged);
    ck_assert_tg_fails(tg_tagger_set_label(tagger, "goitre", &opts), TG_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(tg_error_message(), "mass, effusion, nodule, all, auto"));
    opts.label = N_CLASSES;
    ck_assert_tg_fails(tg_tagger_tag(tagger, &image, &opts, &tagged), TG_ERR_ARGUMENT);
    load(1, true);
    opts.label = TG_LABEL_AUTO;
    ck_assert_tg_ok(tg_tagger_tag(tagger, &image, &opts, &tagged));
    ck_assert_uint_eq(tagged.n_findings, 1);
    ck_assert_uint_eq(tagged.findings[0].class_index, 0);
    tg_tagged_release(&tagged);
    tg_image_release(&map);
    tg_image_release(&other);
    tg_image_release(&image);
}
END_TEST

START_TEST(thresholds_are_read_or_refused)
{
    tg_tagger_opts opts = tg_tagger_opts_default(tagger);

    ck_assert_double_eq(opts.value, 0.25);
    ck_assert_str_eq(opts.rule_name, "healthy:0.99");
    ck_assert_tg_ok(tg_tagger_set_threshold(tagger, "calibrated", 0.1, &opts));
    ck_assert_double_eq(opts.value, 0.125);
    ck_assert_str_eq(opts.rule_name, "healthy:0.9");
    ck_assert_tg_fails(tg_tagger_set_threshold(tagger, "calibrated", 0.3, &opts), TG_ERR_ARGUMENT);
    ck_assert_tg_ok(tg_tagger_set_threshold(tagger, "0.5", -1, &opts));
    ck_assert_int_eq(opts.rule, TG_RULE_FIXED);
    ck_assert_double_eq(opts.value, 0.5);
    ck_assert_tg_ok(tg_tagger_set_threshold(tagger, "otsu", -1, &opts));
    ck_assert_int_eq(opts.rule, TG_RULE_OTSU);
    ck_assert_tg_fails(tg_tagger_set_threshold(tagger, "half", -1, &opts), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_tagger_set_threshold(tagger, "-1", -1, &opts), TG_ERR_ARGUMENT);
    ck_assert_tg_ok(tgi_threshold_text_check("calibrated"));
    ck_assert_tg_fails(tgi_threshold_text_check(""), TG_ERR_ARGUMENT);
    load(N_CLASSES, false);
    opts = tg_tagger_opts_default(tagger);
    ck_assert_double_eq(opts.value, 0.1);
    ck_assert_tg_fails(tg_tagger_set_threshold(tagger, "calibrated", -1, &opts), TG_ERR_ARGUMENT);
}
END_TEST

START_TEST(an_image_without_pixels_is_refused)
{
    const tg_image none = {0};
    tg_tagger_opts opts = tg_tagger_opts_default(tagger);
    tg_tagged tagged;

    ck_assert_tg_fails(tg_tagger_tag(tagger, &none, &opts, &tagged), TG_ERR_SHAPE);
    ck_assert_ptr_null(tagged.findings);
    tg_tagged_release(&tagged);
}
END_TEST

START_TEST(what_is_no_model_is_refused)
{
    tg_tagger *other;

    ck_assert_tg_fails(tg_tagger_load(dev, tg_scratch_path("no such model"), &other), TG_ERR_IO);
    ck_assert_ptr_null(other);
    ck_assert_tg_fails(
        tg_tagger_load(dev, tg_source_path("tests/checkpoint/data/golden.safetensors"), &other),
        TG_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(tg_error_message(), "is no model of taggan-train"));
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("tagger", 120);

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, says_what_it_loaded);
    tcase_add_loop_test(tc, everything_has_the_size_of_the_image, 0, 4);
    tcase_add_test(tc, one_image_alone_or_in_a_batch_gives_the_same);
    tcase_add_test(tc, labels_choose_the_map);
    tcase_add_test(tc, thresholds_are_read_or_refused);
    tcase_add_test(tc, an_image_without_pixels_is_refused);
    tcase_add_test(tc, what_is_no_model_is_refused);
    return tg_run("tagger");
}

/* test_settings.c -- settings by name: presets, ranges, choices, contradictions, and that text and numbers are one. */
#include "config.h"
#include "tg_test.h"
#include "base/file.h"
#include "base/memory.h"
#include "model/settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_PRESETS = 3 };

/* The table, read once more: what the tests below compare with. */
typedef enum kind { COUNT, REAL, CHOICE } kind;
static const struct {
    const char *name, *choices;
    kind kind;
    double low, high;
    size_t offset;
} table[] = {
#define TGI_COUNT(name, quick, standard, paper, low, high, help)                                   \
    {#name, NULL, COUNT, low, high, offsetof(tgi_settings, name)},
#define TGI_REAL(name, quick, standard, paper, low, high, help)                                    \
    {#name, NULL, REAL, low, high, offsetof(tgi_settings, name)},
#define TGI_CHOICE(name, choices, quick, standard, paper, help)                                    \
    {#name, choices, CHOICE, 0, 0, offsetof(tgi_settings, name)},
#include "model/settings.def"
#undef TGI_COUNT
#undef TGI_REAL
#undef TGI_CHOICE
};

/* Every enum value beside its word: the words' order in settings.def is the enum's. */
#define WORD(name, value, word)                                                                    \
    {                                                                                              \
#name, offsetof(tgi_settings, name), value, word                                           \
    }
static const struct {
    const char *name;
    size_t offset;
    int value;
    const char *word;
} words[] = {
    WORD(tensor_cores, TGI_TENSOR_OFF, "off"),
    WORD(tensor_cores, TGI_TENSOR_TF32, "tf32"),
    WORD(tensor_cores, TGI_TENSOR_HALF, "half"),
    WORD(net, TGI_G_RESNET, "resnet"),
    WORD(net, TGI_G_UNET, "unet"),
    WORD(net, TGI_G_SMALL_UNET, "small_unet"),
    WORD(net, TGI_G_STARGAN, "stargan"),
    WORD(norm, TGI_NORM_NONE, "none"),
    WORD(norm, TGI_NORM_INSTANCE, "instance"),
    WORD(head, TGI_HEAD_SHUFFLE, "shuffle"),
    WORD(head, TGI_HEAD_UPSAMPLE, "upsample"),
    WORD(cond, TGI_COND_AUTO, "auto"),
    WORD(cond, TGI_COND_NONE, "none"),
    WORD(cond, TGI_COND_PLANE_REFLECT, "plane-reflect"),
    WORD(cond, TGI_COND_PLANE_ZERO, "plane-zero"),
    WORD(cond, TGI_COND_PLANE_ZERO1, "plane-zero1"),
    WORD(cond, TGI_COND_PLANE_NONORM, "plane-nonorm"),
    WORD(cond, TGI_COND_CIN, "cin"),
    WORD(cond, TGI_COND_BIAS, "bias"),
    WORD(netd, TGI_D_PATCHGAN, "patchgan"),
    WORD(netd, TGI_D_STARGAN, "stargan"),
    WORD(netd, TGI_D_CRITIC, "critic"),
    WORD(cls_pool, TG_PLANE_LME, "lme"),
    WORD(cls_pool, TG_PLANE_MAX, "max"),
    WORD(cls_pool, TG_PLANE_MEAN, "mean"),
    WORD(bgan, TGI_BGAN_IMAGE, "image"),
    WORD(bgan, TGI_BGAN_MAP, "map"),
    WORD(map, TGI_MAP_TANH, "tanh"),
    WORD(map, TGI_MAP_RELU, "relu"),
    WORD(compose, TGI_COMPOSE_SUB, "sub"),
    WORD(compose, TGI_COMPOSE_SUB_CLAMP, "sub-clamp"),
    WORD(compose, TGI_COMPOSE_SUB_TANH, "sub-tanh"),
    WORD(adv, TGI_ADV_BCE, "bce"),
    WORD(adv, TGI_ADV_SATURATING, "saturating"),
    WORD(adv, TGI_ADV_LSGAN, "lsgan"),
    WORD(adv, TGI_ADV_WGAN, "wgan"),
    WORD(adv, TGI_ADV_WGANGP, "wgangp"),
    WORD(cls, TGI_CLS_SIGMOID, "sigmoid"),
    WORD(cls, TGI_CLS_SOFTMAX, "softmax"),
    WORD(order, TGI_ORDER_DG, "dg"),
    WORD(order, TGI_ORDER_GD, "gd"),
    WORD(ylabel, TGI_YLABEL_SAME, "same"),
    WORD(ylabel, TGI_YLABEL_RANDOM, "random"),
    WORD(dd_fake, TGI_FAKE_XF, "xf"),
    WORD(dd_fake, TGI_FAKE_XR, "xr"),
    WORD(dd_fake, TGI_FAKE_BOTH, "both"),
    WORD(labels, TGI_LABELS_MULTIHOT, "multihot"),
    WORD(labels, TGI_LABELS_SINGLE, "single"),
    WORD(labels, TGI_LABELS_SAMPLE, "sample"),
    WORD(optimizer, TGI_OPT_ADAM, "adam"),
    WORD(optimizer, TGI_OPT_RMSPROP, "rmsprop"),
    WORD(optimizer, TGI_OPT_SGD, "sgd"),
    WORD(schedule, TGI_SCHEDULE_CONSTANT, "constant"),
    WORD(schedule, TGI_SCHEDULE_LINEAR, "linear"),
    WORD(augment, TGI_AUGMENT_NONE, "none"),
    WORD(augment, TGI_AUGMENT_LIGHT, "light"),
    WORD(augment, TGI_AUGMENT_STRONG, "strong"),
    WORD(validate, TGI_VALIDATE_AUTO, "auto"),
    WORD(validate, TGI_VALIDATE_NONE, "none"),
    WORD(validate, TGI_VALIDATE_STEPS, "steps"),
    WORD(select, TGI_SELECT_IMGAUC, "imgauc"),
    WORD(select, TGI_SELECT_LOSS, "loss"),
    WORD(select, TGI_SELECT_NCC, "ncc"),
    WORD(select, TGI_SELECT_LAST, "last"),
    WORD(conv_algorithm, TG_CONV_AUTO, "auto"),
    WORD(conv_algorithm, TG_CONV_DIRECT, "direct"),
    WORD(conv_algorithm, TG_CONV_PACKED, "packed"),
    WORD(conv_algorithm, TG_CONV_MATMUL, "matmul"),
    WORD(conv_algorithm, TG_CONV_WINOGRAD, "winograd"),
    WORD(conv_algorithm, TG_CONV_WINOGRAD2, "winograd2"),
    WORD(conv_algorithm, TG_CONV_IMPLICIT, "implicit"),
    WORD(conv_algorithm, TG_CONV_FFT, "fft"),
    WORD(kernel_family, TGI_FAMILY_AUTO, "auto"),
    WORD(kernel_family, TGI_FAMILY_CPU, "cpu"),
    WORD(kernel_family, TGI_FAMILY_GPU, "gpu"),
    WORD(tune, TGI_TUNE_AUTO, "auto"),
    WORD(tune, TGI_TUNE_ON, "on"),
    WORD(tune, TGI_TUNE_OFF, "off"),
    WORD(precision, TGI_PRECISION_FLOAT, "float"),
    WORD(precision, TGI_PRECISION_HALF, "half"),
    WORD(sign, TG_SIGN_POS, "pos"),
    WORD(sign, TG_SIGN_NEG, "neg"),
    WORD(sign, TG_SIGN_ABS, "abs"),
};

static const void *at(const tgi_settings *s, size_t offset)
{
    return (const char *)s + offset;
}

static size_t n_words(const char *choices)
{
    size_t n = 1;

    for (; *choices; choices++)
        n += *choices == '|';
    return n;
}

START_TEST(words_and_enums_agree)
{
    tgi_settings s = tgi_settings_preset(TGI_PRESET_QUICK);

    for (size_t i = 0; i < TG_COUNT(words); i++) {
        ck_assert_tg_ok(tgi_settings_set(&s, words[i].name, words[i].word));
        ck_assert_msg(*(const int *)at(&s, words[i].offset) == words[i].value, "%s=%s",
                      words[i].name, words[i].word);
    }
    /* none is missing here, but algorithms that were added since are the conv room's to name */
    for (size_t i = 0; i < TG_COUNT(table); i++) {
        size_t n = 0;

        for (size_t k = 0; k < TG_COUNT(words); k++)
            n += !strcmp(words[k].name, table[i].name);
        if (table[i].kind == CHOICE && strcmp(table[i].name, "conv_algorithm"))
            ck_assert_msg(n == n_words(table[i].choices), "%s has %zu words, not %zu",
                          table[i].name, n_words(table[i].choices), n);
    }
}
END_TEST

static tg_status read_back(const char *name, const char *value, const char *help, void *user)
{
    ck_assert_msg(help[0] != '\0', "%s has no help", name);
    return tgi_settings_set(user, name, value);
}

static void check_equal(const tgi_settings *a, const tgi_settings *b)
{
    for (size_t i = 0; i < TG_COUNT(table); i++) {
        size_t bytes = table[i].kind == COUNT  ? sizeof(size_t)
                       : table[i].kind == REAL ? sizeof(double)
                                               : sizeof(int);

        ck_assert_msg(!memcmp(at(a, table[i].offset), at(b, table[i].offset), bytes), "%s differs",
                      table[i].name);
    }
}

/* As text and back again in the three ways there are. */
static void check_round_trip(const tgi_settings *s)
{
    for (int with_help = 0; with_help < 2; with_help++) {
        tgi_settings other = tgi_settings_preset(TGI_PRESET_PAPER);
        tgi_text text = {0};

        ck_assert_tg_ok(tgi_settings_write(s, with_help, &text));
        ck_assert_tg_ok(tgi_settings_parse(&other, text.data, "text"));
        check_equal(s, &other);
        tgi_text_release(&text);
    }
    tgi_settings other = tgi_settings_preset(TGI_PRESET_STANDARD);
    ck_assert_tg_ok(tgi_settings_each(s, read_back, &other));
    check_equal(s, &other);
}

/* Every preset's values lie in their ranges: set() takes them. */
START_TEST(presets_come_back_exactly)
{
    const tgi_settings s = tgi_settings_preset((tgi_preset)_i);

    check_round_trip(&s);
    ck_assert_tg_ok(tgi_settings_check(&s));
}
END_TEST

START_TEST(every_setting_comes_back_exactly)
{
    for (size_t i = 0; i < TG_COUNT(table); i++) {
        tgi_settings s = tgi_settings_preset(TGI_PRESET_QUICK);
        char *field = (char *)&s + table[i].offset;

        if (table[i].kind == COUNT) {
            size_t values[] = {(size_t)table[i].low, (size_t)table[i].high,
                               ((size_t)table[i].low + (size_t)table[i].high) / 2};
            for (size_t k = 0; k < TG_COUNT(values); k++) {
                memcpy(field, &values[k], sizeof(size_t));
                check_round_trip(&s);
            }
        } else if (table[i].kind == REAL) {
            double span = table[i].high - table[i].low;
            double values[] = {table[i].low, table[i].high, table[i].low + span / 3,
                               nextafter(table[i].high, 0), table[i].low + span * 1e-9 * 0.1};
            for (size_t k = 0; k < TG_COUNT(values); k++) {
                memcpy(field, &values[k], sizeof(double));
                check_round_trip(&s);
            }
        } else {
            for (size_t k = 0; k < n_words(table[i].choices); k++) {
                memcpy(field, &(int){(int)k}, sizeof(int));
                check_round_trip(&s);
            }
        }
    }
}
END_TEST

static void check_refused(const char *name, const char *value, const char *word)
{
    tgi_settings s = tgi_settings_preset(TGI_PRESET_QUICK), before = s;

    ck_assert_tg_fails(tgi_settings_set(&s, name, value), TG_ERR_ARGUMENT);
    ck_assert_msg(strstr(tg_error_message(), word) != NULL, "%s=%s: '%s' lacks '%s'", name, value,
                  tg_error_message(), word);
    check_equal(&s, &before);
}

START_TEST(refuses_what_is_out_of_range)
{
    for (size_t i = 0; i < TG_COUNT(table); i++) {
        char text[64];

        if (table[i].kind == CHOICE) {
            check_refused(table[i].name, "no-such-word", table[i].choices);
            check_refused(table[i].name, "", table[i].choices);
            check_refused(table[i].name, table[i].choices,
                          table[i].choices); /* all of them at once */
            continue;
        }
        snprintf(text, sizeof text, "%.17g", table[i].low - (table[i].kind == COUNT ? 1 : 1e-3));
        check_refused(table[i].name, text, table[i].name);
        snprintf(text, sizeof text, "%.17g", table[i].high * 1.0001 + 1);
        check_refused(table[i].name, text, table[i].name);
        check_refused(table[i].name, "", table[i].name);
        check_refused(table[i].name, "nan", table[i].name);
        check_refused(table[i].name, "inf", table[i].name);
        check_refused(table[i].name, "1x", table[i].name);
        if (table[i].kind == COUNT)
            check_refused(table[i].name, "16.5", "whole number");
    }
}
END_TEST

START_TEST(refuses_unknown_names)
{
    check_refused("sizes", "64", "'sizes'");
    check_refused("", "64", "''");
    check_refused("SIZE", "64", "--print-config");
}
END_TEST

START_TEST(takes_pairs)
{
    tgi_settings s = tgi_settings_preset(TGI_PRESET_QUICK);

    ck_assert_tg_ok(tgi_settings_set_pair(&s, "size=48"));
    ck_assert_uint_eq(s.size, 48);
    ck_assert_tg_ok(tgi_settings_set_pair(&s, "lr\t=  2e-4 "));
    ck_assert_double_eq(s.lr, 2e-4);
    ck_assert_tg_fails(tgi_settings_set_pair(&s, "size"), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_settings_set_pair(&s, ""), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_settings_set_pair(&s, "=48"), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_settings_set_pair(&s, "size=48=49"), TG_ERR_ARGUMENT);
}
END_TEST

START_TEST(reads_a_file_with_comments_and_foreign_line_ends)
{
    const char *path = tg_scratch_path("settings_test.ini");
    static const char text[] =
        "# a comment\r\n; another\r\n[section]\r\n\r\n  size = 48\r\nlr=3e-4\r\n\tadv = lsgan";
    static const char wrong[] = "size = 48\n\nwidht = 8\n";
    tgi_settings s = tgi_settings_preset(TGI_PRESET_QUICK);

    ck_assert_tg_ok(tgi_file_write(path, text, sizeof text - 1));
    ck_assert_tg_ok(tgi_settings_read(&s, path));
    ck_assert_uint_eq(s.size, 48);
    ck_assert_double_eq(s.lr, 3e-4);
    ck_assert_int_eq(s.adv, TGI_ADV_LSGAN);
    ck_assert_tg_ok(tgi_file_write(path, wrong, sizeof wrong - 1));
    ck_assert_tg_fails(tgi_settings_read(&s, path), TG_ERR_ARGUMENT);
    ck_assert_msg(strstr(tg_error_message(), "line 3") && strstr(tg_error_message(), path) &&
                      strstr(tg_error_message(), "widht"),
                  "%s", tg_error_message());
    unlink(path);
    ck_assert_tg_fails(tgi_settings_read(&s, path), TG_ERR_IO);
}
END_TEST

START_TEST(refuses_contradictions)
{
    static const char *const pairs[][3] = {
        {"adv=wgangp", "netd=patchgan", "norm=none"},
        {"adv=wgangp", "netd=critic", "norm=instance"},
        {"id_start=0.9", "id_ramp=0.2", "norm=none"},
        {"net=resnet", "cond=bias", "norm=none"},
        {"net=unet", "cond=bias", "norm=none"},
    };
    for (size_t i = 0; i < TG_COUNT(pairs); i++) {
        tgi_settings s = tgi_settings_preset(TGI_PRESET_QUICK);

        for (size_t k = 0; k < 3; k++)
            ck_assert_tg_ok(tgi_settings_set_pair(&s, pairs[i][k]));
        ck_assert_tg_fails(tgi_settings_check(&s), TG_ERR_ARGUMENT);
        ck_assert_msg(strstr(tg_error_message(), "contradict") != NULL, "%s", tg_error_message());
    }
}
END_TEST

START_TEST(tag_options_scale_with_the_image)
{
    tgi_settings s = tgi_settings_preset(TGI_PRESET_STANDARD);
    tg_tag_opts opts;

    s.sigma = 2;
    s.min_area = 16;
    opts = tgi_settings_tag_opts(&s, 128, 128, 0.25);
    ck_assert_double_eq_tol(opts.sigma_px, 1, 1e-12);
    ck_assert_uint_eq(opts.min_area_px, 4);
    ck_assert_double_eq(opts.value, 0.25);
    ck_assert_uint_eq(tgi_settings_tag_opts(&s, 16, 16, 0.25).min_area_px, 1);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("settings", 30);

    tcase_add_test(tc, words_and_enums_agree);
    tcase_add_loop_test(tc, presets_come_back_exactly, 0, N_PRESETS);
    tcase_add_test(tc, every_setting_comes_back_exactly);
    tcase_add_test(tc, refuses_what_is_out_of_range);
    tcase_add_test(tc, refuses_unknown_names);
    tcase_add_test(tc, takes_pairs);
    tcase_add_test(tc, reads_a_file_with_comments_and_foreign_line_ends);
    tcase_add_test(tc, refuses_contradictions);
    tcase_add_test(tc, tag_options_scale_with_the_image);
    return tg_run("settings");
}

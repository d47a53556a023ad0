/* test_nlm.c -- Shenzhen and Montgomery: labels by name, the sex by readings, lesions joined. */
#include "config.h"
#include "tg_test.h"
#include "dataset/many.h"
#include "dataset/scratch.h"

#include <stdio.h>
#include <string.h>

#define CHINA "ChinaSet_AllFiles/"
#define MCU   "MontgomerySet/"

static void open_sets(void)
{
    static const char *const names[] = {"0001_0", "0002_0", "0327_1", "0328_1"};
    char path[128];

    scratch_open();
    for (size_t k = 0; k < TG_COUNT(names); k++) {
        snprintf(path, sizeof path, "s/" CHINA "CXR_png/CHNCXR_%s.png", names[k]);
        scratch_picture(path, 8, (float)k / 8);
        snprintf(path, sizeof path, "s/" CHINA "ClinicalReadings/CHNCXR_%s.txt", names[k]);
        scratch_text(path, k % 2 ? "Female, 27yrs\r\nnormal" : "male 45yrs\nSTB");
        snprintf(path, sizeof path, "m/" MCU "CXR_png/MCUCXR_%s.png", names[k]);
        scratch_picture(path, 8, (float)k / 8);
        snprintf(path, sizeof path, "m/" MCU "ClinicalReadings/MCUCXR_%s.txt", names[k]);
        scratch_text(path, k ? "Patient's Sex: F\r\nPatient's Age: 027Y"
                             : "Patient's Sex: M\nPatient's Age: 027Y");
        snprintf(path, sizeof path, "m/" MCU "ManualMask/leftMask/MCUCXR_%s.png", names[k]);
        scratch_picture(path, 8, 1);
    }
    scratch_text("s/" CHINA "CXR_png/Thumbs.db", "x");
}

static tg_dataset_opts choose(const char *sex)
{
    tg_dataset_opts opts = tg_dataset_opts_default();

    opts.sex = sex;
    opts.val_share = 0;
    return opts;
}

START_TEST(reads_labels_from_names)
{
    static const char *const where[] = {"s", "s/" CHINA, "m", "m/" MCU};
    const tg_dataset_opts opts = choose(NULL);

    for (size_t k = 0; k < TG_COUNT(where); k++) {
        tg_dataset *set = scratch_dataset(where[k], &opts);
        tg_truth truth;

        ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 2);
        ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), 2);
        ck_assert_str_eq(tg_dataset_class_name(set, 0), "Tuberculosis");
        ck_assert_str_eq(tg_dataset_sample(set, 2).patient, k < 2 ? "CHNCXR_0327" : "MCUCXR_0327");
        ck_assert_tg_ok(tg_dataset_truth(set, 2, 8, &truth));
        ck_assert(!truth.has_mask && !truth.has_boxes); /* lungs are no lesions */
        tg_truth_release(&truth);
        tg_dataset_free(set);
    }
}
END_TEST

START_TEST(reads_the_sex_where_it_is_asked_for)
{
    tg_dataset_opts opts = choose("female");
    tg_dataset *set = scratch_dataset("s", &opts);

    ck_assert_uint_eq(tg_dataset_n_samples(set), 2);
    tg_dataset_free(set);
    set = scratch_dataset("m", &opts);
    ck_assert_uint_eq(tg_dataset_n_samples(set), 3);
    tg_dataset_free(set);
    remove(scratch_path("m/" MCU "ClinicalReadings/MCUCXR_0328_1.txt"));
    set = scratch_dataset("m", &opts);
    ck_assert_uint_eq(tg_dataset_n_samples(set), 2); /* unknown is neither */
    tg_dataset_free(set);
    scratch_text("m/" MCU "ClinicalReadings/MCUCXR_0328_1.txt", "Patient's Sex: ?\n");
    scratch_refused("m", &opts, TG_ERR_FORMAT, "MCUCXR_0328_1.txt", "does not tell the sex");
    opts.view = "pa";
    scratch_refused("m", &opts, TG_ERR_ARGUMENT, "view", "montgomery");
}
END_TEST

START_TEST(joins_the_lesions_of_an_image)
{
    const tg_dataset_opts opts = choose(NULL);
    tg_dataset *set;
    tg_truth truth;

    scratch_picture("s/" CHINA "abnormalities/CHNCXR_0327_1_cavity_0.png", 8, -1);
    scratch_picture("s/" CHINA "abnormalities/CHNCXR_0327_1_nodule_1.png", 8, 1);
    scratch_picture("s/" CHINA "abnormalities/CHNCXR_0999_1_nodule_1.png", 8, 1);
    set = scratch_dataset("s", &opts);
    ck_assert_tg_ok(tg_dataset_truth(set, 2, 4, &truth));
    ck_assert(truth.has_mask && truth.mask.width_px == 4 && truth.mask.pixels[7] == 1);
    tg_truth_release(&truth);
    ck_assert_tg_ok(tg_dataset_truth(set, 3, 4, &truth));
    ck_assert(!truth.has_mask); /* nobody outlined it */
    tg_truth_release(&truth);
    ck_assert_tg_ok(tg_dataset_truth(set, 0, 4, &truth));
    ck_assert(truth.has_mask && truth.mask.pixels[7] == 0);
    tg_truth_release(&truth);
    tg_dataset_free(set);
    scratch_picture("s/" CHINA "abnormalities/CHNCXR_0327_1_nodule_2.png", 9, 1);
    set = scratch_dataset("s", &opts);
    ck_assert_tg_fails(tg_dataset_truth(set, 2, 4, &truth), TG_ERR_FORMAT);
    ck_assert(strstr(tg_error_message(), "nodule_2.png") != NULL);
    tg_dataset_free(set);
}
END_TEST

START_TEST(refuses_odd_names)
{
    tg_dataset_opts opts = choose(NULL);

    scratch_picture("s/" CHINA "CXR_png/CHNCXR_0329_2.png", 8, 0);
    scratch_refused("s", &opts, TG_ERR_FORMAT, "CHNCXR_0329_2.png", "NUMBER_0 or _1");
    opts.kind = "shenzhen";
    scratch_refused("m", &opts, TG_ERR_FORMAT, "no Shenzhen set", "CXR_png/CHNCXR_");
}
END_TEST

START_TEST(reads_a_hundred_thousand_images)
{
    const tg_dataset_opts opts = choose(NULL);
    tg_dataset *set;
    size_t before;

    for (int i = 0; i < MANY; i++) {
        char path[64];

        snprintf(path, sizeof path, "big/CXR_png/CHNCXR_%06d_%d.png", i, i % 2);
        many_touch(path);
        if (i % 10 == 1) {
            snprintf(path, sizeof path, "big/lesions/CHNCXR_%06d_1_nodule_0.png", i);
            many_touch(path);
        }
    }
    before = many_peak_mib();
    set = scratch_dataset("big", &opts);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), MANY / 2);
    ck_assert_uint_le(many_peak_mib() - before, 150);
    tg_dataset_free(set);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("nlm", 120);

    tcase_add_checked_fixture(tc, open_sets, scratch_close);
    tcase_add_test(tc, reads_labels_from_names);
    tcase_add_test(tc, reads_the_sex_where_it_is_asked_for);
    tcase_add_test(tc, joins_the_lesions_of_an_image);
    tcase_add_test(tc, refuses_odd_names);
    tcase_add_test(tc, reads_a_hundred_thousand_images);
    return tg_run("nlm");
}

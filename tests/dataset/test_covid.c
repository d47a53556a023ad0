/* test_covid.c -- COVID-CXNet: marks in names, patients from the metadata, folders beside it. */
#include "config.h"
#include "tg_test.h"
#include "dataset/many.h"
#include "dataset/scratch.h"

#include <stdio.h>
#include <string.h>

#define IMAGES "chest_xray_images/"
#define HEADER                                                                                     \
    "\xef\xbb\xbf"                                                                                 \
    "filename,patient_id,sex,age,view,label,other,url\n"

static const char metadata[] = HEADER "374.png,60,,,,COVID-19,,https://a/b\n"
                                      "056.jpg,11,male,47,PA,COVID-19,\"cough, fever\",\n"
                                      "057.jpg,11,male,47,PA,COVID-19,,\n"
                                      "999.jpg,,male,47,PA,COVID-19,,\n";

static void open_set(void)
{
    static const char *const names[] = {"covid19/374.PNG",  "covid19/056.jpg",  "covid19/057.jpg",
                                        "covid19/192-.png", "covid19/193p.png", "covid19/194.jfif",
                                        "normal/IM-1p.png", "normal/x-.png",    "cap/1.png"};
    char path[128];

    scratch_open();
    for (size_t k = 0; k < TG_COUNT(names); k++) {
        snprintf(path, sizeof path, IMAGES "%s", names[k]);
        scratch_picture(path, 8, (float)k / 16);
    }
    scratch_text(IMAGES "README", "x");
    scratch_text("metadata.csv", metadata);
}

static tg_dataset_opts choose(const char *kind)
{
    tg_dataset_opts opts = tg_dataset_opts_default();

    opts.kind = kind;
    opts.val_share = 0;
    return opts;
}

static const char *patient_of(const tg_dataset *set, const char *name)
{
    for (size_t i = 0; i < tg_dataset_n_samples(set); i++)
        if (strcmp(tg_dataset_sample(set, i).name, name) == 0)
            return tg_dataset_sample(set, i).patient;
    return "no such image";
}

START_TEST(reads_folders_marks_and_metadata)
{
    const tg_dataset_opts opts = choose("auto"), below = choose("covid");
    tg_dataset *set = scratch_dataset("", &opts);

    ck_assert_uint_eq(tg_dataset_n_classes(set), 2);
    ck_assert_str_eq(tg_dataset_class_name(set, 0), "CAP");
    ck_assert_str_eq(tg_dataset_class_name(set, 1), "COVID-19");
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 5);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), 2);
    ck_assert_str_eq(patient_of(set, "374"), "60"); /* whatever the case of the ending */
    ck_assert_str_eq(patient_of(set, "057"), "11");
    ck_assert_str_eq(patient_of(set, "194"), "");
    ck_assert_str_eq(patient_of(set, "192-"), "no such image");
    ck_assert_str_eq(patient_of(set, "IM-1p"), ""); /* marks are theirs alone */
    ck_assert(!scratch_warned("ignored"));
    tg_dataset_free(set);
    scratch_text(IMAGES "covid19/465.webp", "x");
    set = scratch_dataset(IMAGES, &below);
    ck_assert_uint_eq(tg_dataset_n_samples(set), 7);
    ck_assert_str_eq(patient_of(set, "374"), "60");
    ck_assert(scratch_warned("1 files ignored") && scratch_warned("WebP"));
    tg_dataset_free(set);
}
END_TEST

START_TEST(holds_patients_out_as_wholes)
{
    tg_dataset_opts opts = choose("covid");

    opts.val_share = 0.5;
    for (opts.seed = 1; opts.seed < 20; opts.seed++) {
        tg_dataset *set = scratch_dataset("", &opts);
        tg_split split[2] = {TG_SPLIT_TEST, TG_SPLIT_TEST};

        for (size_t i = 0, n = 0; i < tg_dataset_n_samples(set); i++)
            if (strcmp(tg_dataset_sample(set, i).patient, "11") == 0)
                split[n++] = tg_dataset_sample(set, i).split;
        ck_assert_int_eq(split[0], split[1]);
        tg_dataset_free(set);
    }
}
END_TEST

START_TEST(refuses_bad_metadata)
{
    const tg_dataset_opts opts = choose("covid");

    scratch_text("metadata.csv", HEADER "374.png,60,,,,COVID-19,,\n056.jpg,11\n");
    scratch_refused("", &opts, TG_ERR_FORMAT, "metadata.csv', line 3", "2 fields");
    scratch_text("metadata.csv", HEADER "374.png,60,,,,COVID-19,,\n,11,,,,,,\n");
    scratch_refused("", &opts, TG_ERR_FORMAT, "metadata.csv', line 3", "no file");
    scratch_text("metadata.csv", HEADER "374.png,60,,,,COVID-19,,\n374.PNG,61,,,,,,\n");
    scratch_refused("", &opts, TG_ERR_FORMAT, "metadata.csv', line 3", "line 2, of another");
    scratch_text("metadata.csv", HEADER "374.png,60,\",,,COVID-19,,\n");
    scratch_refused("", &opts, TG_ERR_FORMAT, "metadata.csv', line 2", "never closed");
    scratch_text("metadata.csv", "name,patient_id\n");
    scratch_refused("", &opts, TG_ERR_FORMAT, "metadata.csv', line 1", "'filename'");
    scratch_text("other/x", "");
    scratch_refused("other", &opts, TG_ERR_FORMAT, "no COVID-CXNet set", "covid19");
}
END_TEST

START_TEST(reads_a_hundred_thousand_images)
{
    const tg_dataset_opts opts = choose("auto");
    FILE *rows;
    tg_dataset *set;
    size_t before;

    many_touch("big/metadata.csv");
    rows = many_open("big/metadata.csv");
    fputs(HEADER, rows);
    for (int i = 0; i < MANY; i++) {
        char path[64];

        snprintf(path, sizeof path, "big/" IMAGES "covid19/%06d.png", i);
        many_touch(path);
        fprintf(rows, "%06d.png,%d,male,50,PA,COVID-19,,https://example.org/\n", i, i / 3);
    }
    many_close(rows);
    before = many_peak_mib();
    set = scratch_dataset("big", &opts);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), MANY);
    ck_assert_str_eq(patient_of(set, "099999"), "33333");
    ck_assert_uint_le(many_peak_mib() - before, 150);
    tg_dataset_free(set);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("covid", 120);

    tcase_add_checked_fixture(tc, open_set, scratch_close);
    tcase_add_test(tc, reads_folders_marks_and_metadata);
    tcase_add_test(tc, holds_patients_out_as_wholes);
    tcase_add_test(tc, refuses_bad_metadata);
    tcase_add_test(tc, reads_a_hundred_thousand_images);
    return tg_run("covid");
}

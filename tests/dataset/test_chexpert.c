/* test_chexpert.c -- CheXpert as it is unpacked: which rows count, how uncertain labels are taken,
 * and each way a row can be wrong. */
#include "config.h"
#include "tg_test.h"
#include "dataset/many.h"
#include "dataset/scratch.h"

#include <stdio.h>
#include <string.h>

#define HEADER                                                                                     \
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,"       \
    "Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,"             \
    "Pleural Effusion,Pleural Other,Fracture,Support Devices\n"

/* Our own rows, of the shape of the real ones. */
static const char train[] =
    HEADER "CheXpert-v1.0-small/train/patient00002/study2/"
           "view1_frontal.jpg,Female,87,Frontal,AP,,,-1.0,1.0,,-1.0,-1.0,,-1.0,,-1.0,,1.0,\n"
           "CheXpert-v1.0-small/train/patient00002/study1/"
           "view1_frontal.jpg,Female,83,Frontal,AP,,,,1.0,,,-1.0,,,,,,1.0,\n"
           "CheXpert-v1.0-small/train/patient00002/study1/"
           "view2_lateral.jpg,Female,83,Lateral,,,,,1.0,,,-1.0,,,,,,1.0,\n"
           "CheXpert-v1.0-small/train/patient00003/study1/"
           "view1_frontal.jpg,Male,41,Frontal,PA,,,,,,1.0,,,,0.0,,,,\n"
           "CheXpert-v1.0-small/train/patient00004/study1/"
           "view1_frontal.jpg,Male,20,Frontal,PA,1.0,0.0,,,,,0.0,,,,0.0,,,\n"
           "CheXpert-v1.0-small/train/patient00005/study1/"
           "view1_frontal.jpg,Female,33,Frontal,AP,1.0,,0.0,,,,0.0,,,,0.0,,,1.0\n"
           "CheXpert-v1.0-small/train/patient00006/study1/"
           "view1_frontal.jpg,Unknown,0,Frontal,LL,,,,0.0,,,,-1.0,,,,,,\n";
static const char valid[] = HEADER
    "CheXpert-v1.0-small/valid/patient64541/study1/"
    "view1_frontal.jpg,Male,73,Frontal,AP,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
    "CheXpert-v1.0-small/valid/patient64542/study1/"
    "view1_frontal.jpg,Male,70,Frontal,PA,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0."
    "0\n";

#define SET "CheXpert-v1.0-small/"

/* The pictures that a table names. */
static void make_pictures(const char *table)
{
    for (const char *at = strstr(table, "\n" SET); at; at = strstr(at + 1, "\n" SET)) {
        char name[256];

        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1, ","), at + 1);
        scratch_picture(name, 8, 0);
    }
}

static void open_set(void)
{
    scratch_open();
    scratch_text(SET "train.csv", train);
    scratch_text(SET "valid.csv", valid);
    make_pictures(train);
    make_pictures(valid);
}

static tg_dataset_opts choose(const char *classes)
{
    tg_dataset_opts opts = tg_dataset_opts_default();

    opts.classes = classes;
    opts.val_share = 0;
    return opts;
}

/* Is the image with this label? -1 when it is not in the set. */
static int label_of(const tg_dataset *set, const char *part, const char *class_name)
{
    for (size_t i = 0; i < tg_dataset_n_samples(set); i++) {
        const tg_sample s = tg_dataset_sample(set, i);

        for (size_t k = 0; strstr(s.file, part) && k < tg_dataset_n_classes(set); k++)
            if (strcmp(tg_dataset_class_name(set, k), class_name) == 0)
                return s.labels[k] > 0;
    }
    return -1;
}

START_TEST(reads_both_tables)
{
    static const char *const where[] = {"", "CheXpert-v1.0-small", "CheXpert-v1.0-small/"};
    const tg_dataset_opts opts = choose(NULL);

    for (size_t k = 0; k < TG_COUNT(where); k++) {
        tg_dataset *set = scratch_dataset(where[k], &opts);

        /* lateral: out; no finding but a device: a device; nothing said at all: out */
        ck_assert_uint_eq(tg_dataset_n_samples(set), 7);
        ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), 1);
        ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 4);
        ck_assert_uint_eq(scratch_count(set, TG_SPLIT_VAL, false), 1);
        ck_assert_uint_eq(scratch_count(set, TG_SPLIT_VAL, true), 1);
        ck_assert_str_eq(tg_dataset_sample(set, 0).patient, "patient00002");
        ck_assert_str_eq(tg_dataset_sample(set, 0).name, "train_patient00002_study2_view1_frontal");
        ck_assert_int_eq(label_of(set, "patient00002/study2", "Lung Opacity"), 1);
        ck_assert_int_eq(label_of(set, "patient00005", "Support Devices"), 1);
        ck_assert_int_eq(label_of(set, "patient00006", "Edema"), -1);
        tg_dataset_free(set);
    }
    ck_assert(!scratch_warned("line"));
}
END_TEST

START_TEST(takes_uncertain_labels_as_asked)
{
    static const struct {
        const char *policy;
        int cardiomegaly, pneumonia;
    } wants[] = {{NULL, -1, -1}, {"zeros", -1, -1}, {"ones", 1, 1}, {"ignore", -1, -1}};
    tg_dataset_opts opts = choose("Pneumonia,Cardiomegaly");

    for (size_t k = 0; k < TG_COUNT(wants); k++) {
        tg_dataset *set;

        opts.uncertain = wants[k].policy;
        set = scratch_dataset("", &opts);
        ck_assert_int_eq(label_of(set, "patient00002/study2", "Cardiomegaly"),
                         wants[k].cardiomegaly);
        ck_assert_int_eq(label_of(set, "patient00006", "Pneumonia"), wants[k].pneumonia);
        ck_assert_int_eq(label_of(set, "patient00005", "Pneumonia"), 0); /* a device alone */
        tg_dataset_free(set);
    }
    opts.classes = "Lung Opacity,Edema"; /* one is sure, the other is not */
    opts.uncertain = "zeros";
    tg_dataset *set = scratch_dataset("", &opts);
    ck_assert_int_eq(label_of(set, "patient00002/study2", "Lung Opacity"), 1);
    ck_assert_int_eq(label_of(set, "patient00002/study2", "Edema"), 0);
    tg_dataset_free(set);
    opts.uncertain = "ignore";
    set = scratch_dataset("", &opts);
    ck_assert_int_eq(label_of(set, "patient00002/study2", "Edema"), -1);
    ck_assert_int_eq(label_of(set, "patient00002/study1", "Edema"), 0);
    tg_dataset_free(set);
    opts.uncertain = "maybe";
    scratch_refused("", &opts, TG_ERR_ARGUMENT, "uncertain", "'maybe'");
}
END_TEST

START_TEST(chooses_by_view_and_sex)
{
    static const struct {
        const char *view, *sex;
        size_t n;
    } wants[] = {{NULL, "male", 4},    {NULL, "female", 3}, {"frontal", "all", 7},
                 {"lateral", NULL, 1}, {"all", NULL, 8},    {"pa", NULL, 3},
                 {"ap", "female", 3}};
    tg_dataset_opts opts = choose(NULL);

    for (size_t k = 0; k < TG_COUNT(wants); k++) {
        tg_dataset *set;

        opts.view = wants[k].view;
        opts.sex = wants[k].sex;
        set = scratch_dataset("", &opts);
        ck_assert_msg(tg_dataset_n_samples(set) == wants[k].n, "choice %zu: %zu images, not %zu", k,
                      tg_dataset_n_samples(set), wants[k].n);
        tg_dataset_free(set);
    }
    opts.view = NULL;
    opts.sex = "both";
    scratch_refused("", &opts, TG_ERR_ARGUMENT, "sex", "'both'");
    opts.sex = "male";
    scratch_picture("folder/healthy/1.png", 8, 0);
    scratch_refused("folder", &opts, TG_ERR_ARGUMENT, "sex", "folder");
}
END_TEST

START_TEST(knows_the_five_of_the_competition)
{
    tg_dataset_opts opts = choose("chexpert5");
    tg_dataset *set = scratch_dataset("", &opts);

    ck_assert_uint_eq(tg_dataset_n_classes(set), 5);
    ck_assert_str_eq(tg_dataset_class_name(set, 4), "Pleural Effusion");
    ck_assert_int_eq(label_of(set, "patient00003", "Edema"), 1);
    tg_dataset_free(set);
}
END_TEST

/* One row behind a good one. */
static void refuse_row(const char *row, const char *why)
{
    char table[4096];

    snprintf(table, sizeof table, "%s%s\n", valid, row);
    scratch_text(SET "valid.csv", table);
    scratch_refused("", NULL, TG_ERR_FORMAT, "valid.csv', line 4", why);
}

START_TEST(refuses_a_bad_row_and_names_its_line)
{
    refuse_row(SET "valid/patient64543/study1/view1_frontal.jpg,Male,73,Frontal,AP,1.0",
               "6 fields");
    refuse_row(
        SET "valid/patient64543/study1/view1_frontal.jpg,Male,73,Frontal,AP,1.0,,,,,,,,,,,,,,1.0",
        "20 fields");
    refuse_row(SET
               "valid/patient64543/study1/view1_frontal.jpg,Male,73,Frontal,AP,1.0,,,,,yes,,,,,,,,",
               "Edema is 'yes'");
    refuse_row(SET
               "valid/patient64543/study1/view1_frontal.jpg,Male,73,Frontal,AP,2.0,,,,,,,,,,,,,",
               "No Finding is '2.0'");
    refuse_row(SET "valid/patient64543/study1/view1_frontal.jpg,Male,73,Above,AP,1.0,,,,,,,,,,,,,",
               "Frontal/Lateral is 'Above'");
    refuse_row(SET
               "valid/patient64543/study1/view1_frontal.jpg,male,73,Frontal,AP,1.0,,,,,,,,,,,,,",
               "Sex is 'male'");
    refuse_row(SET "valid/study1/view1_frontal.jpg,Male,73,Frontal,AP,1.0,,,,,,,,,,,,,", "Path is");
    refuse_row(SET
               "valid/patient64541/study1/view1_frontal.jpg,Male,73,Frontal,AP,,1.0,,,,,,,,,,,,",
               "line 2 already");
    scratch_text(SET "valid.csv", "Path,No Finding,Lung Opacity,Support Devices\n");
    scratch_refused("", NULL, TG_ERR_FORMAT, "valid.csv', line 1", "'Enlarged Cardiomediastinum'");
}
END_TEST

START_TEST(refuses_a_patient_on_both_sides)
{
    char table[4096];

    snprintf(table, sizeof table,
             "%s" SET
             "valid/patient00003/study1/view1_frontal.jpg,Male,73,Frontal,AP,1.0,,,,,,,,,,,,,\n",
             valid);
    scratch_text(SET "valid.csv", table);
    make_pictures(table);
    scratch_refused("", NULL, TG_ERR_FORMAT, "patient 'patient00003' is in train", "line 4");
}
END_TEST

START_TEST(says_what_is_missing)
{
    tg_dataset_opts opts = choose(NULL);
    tg_dataset *set;

    remove(scratch_path(SET "train/patient00003/study1/view1_frontal.jpg"));
    set = scratch_dataset("", &opts);
    ck_assert_uint_eq(tg_dataset_n_samples(set), 6);
    ck_assert(scratch_warned("1 images that are named are not there (first: ") &&
              scratch_warned("train.csv', line 5"));
    tg_dataset_free(set);
    scratch_text("other/train.csv", train);
    scratch_refused("other", NULL, TG_ERR_FORMAT, "none of its 5 images", "line 2");
    opts.kind = "chexpert";
    scratch_text("empty/readme", "x");
    scratch_refused("empty", &opts, TG_ERR_FORMAT, "no CheXpert set", "train.csv");
}
END_TEST

START_TEST(reads_a_hundred_thousand_rows)
{
    const tg_dataset_opts opts = choose(NULL);
    FILE *table;
    tg_dataset *set;
    size_t before;

    many_touch("big/train.csv");
    table = many_open("big/train.csv");
    fputs(HEADER, table);
    for (int i = 0; i < MANY; i++) {
        char name[128];

        snprintf(name, sizeof name, "big/train/patient%06d/study%d_view1_frontal.jpg", i / 50, i);
        many_touch(name);
        fprintf(table, SET "%s,Male,50,Frontal,PA,%s,,,,,%s,,,,,-1.0,,,\n", name + 4,
                i % 2 ? "1.0" : "", i % 2 ? "" : "1.0");
    }
    many_close(table);
    before = many_peak_mib();
    set = scratch_dataset("big", &opts);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), MANY / 2);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), MANY / 2);
    ck_assert_uint_le(many_peak_mib() - before, 150);
    tg_dataset_free(set);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("chexpert", 120);

    tcase_add_checked_fixture(tc, open_set, scratch_close);
    tcase_add_test(tc, reads_both_tables);
    tcase_add_test(tc, takes_uncertain_labels_as_asked);
    tcase_add_test(tc, chooses_by_view_and_sex);
    tcase_add_test(tc, knows_the_five_of_the_competition);
    tcase_add_test(tc, refuses_a_bad_row_and_names_its_line);
    tcase_add_test(tc, refuses_a_patient_on_both_sides);
    tcase_add_test(tc, says_what_is_missing);
    tcase_add_test(tc, reads_a_hundred_thousand_rows);
    return tg_run("chexpert");
}

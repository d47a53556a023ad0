/* test_rsna.c -- the RSNA challenge: rows are boxes, not all without a box are normal, patients. */
#include "config.h"
#include "tg_test.h"
#include "dataset/many.h"
#include "dataset/scratch.h"

#include <stdio.h>
#include <string.h>

#define LABELS  "stage_2_train_labels.csv"
#define CLASSES "stage_2_detailed_class_info.csv"

/* Our own rows, of the shape of the real ones. */
static const char labels[] = "patientId,x,y,width,height,Target\n"
                             "9001-a,,,,,0\n"
                             "9002-b,634.0,314.0,220.0,309.0,1\n"
                             "9003-c,,,,,0\n"
                             "9002-b,266.0,310.0,221.0,290.0,1\n"
                             "9004-d,,,,,0\n";
static const char classes[] = "patientId,class\n"
                              "9001-a,Normal\n"
                              "9002-b,Lung Opacity\n"
                              "9002-b,Lung Opacity\n"
                              "9003-c,No Lung Opacity / Not Normal\n"
                              "9004-d,Normal\n";

static void open_set(void)
{
    static const char *const images[] = {"9001-a.png", "9002-b.png", "9003-c.png", "9004-d.png"};
    char path[64];

    scratch_open();
    for (size_t k = 0; k < TG_COUNT(images); k++) {
        snprintf(path, sizeof path, "stage_2_train_images/%s", images[k]);
        scratch_picture(path, 8, (float)k / 8);
    }
    scratch_text(LABELS, labels);
    scratch_text(CLASSES, classes);
}

static tg_dataset_opts choose(const char *names)
{
    tg_dataset_opts opts = tg_dataset_opts_default();

    opts.classes = names;
    opts.val_share = 0;
    return opts;
}

START_TEST(reads_labels_and_boxes)
{
    static const char *const where[] = {"", LABELS};
    const tg_dataset_opts opts = choose(NULL);

    for (size_t k = 0; k < TG_COUNT(where); k++) {
        tg_dataset *set = scratch_dataset(where[k], &opts);
        tg_truth truth;

        ck_assert_uint_eq(tg_dataset_n_classes(set), 1);
        ck_assert_str_eq(tg_dataset_class_name(set, 0), "Lung Opacity");
        ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 1);
        ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), 2);
        ck_assert_tg_ok(tg_dataset_truth(set, 1, 256, &truth));
        ck_assert(truth.has_boxes && truth.n_boxes == 2);
        ck_assert_double_eq_tol(truth.boxes[0].x, 158.5, 1e-12); /* of 1024 */
        ck_assert_double_eq_tol(truth.boxes[1].h, 72.5, 1e-12);
        tg_truth_release(&truth);
        ck_assert_tg_ok(tg_dataset_truth(set, 0, 256, &truth));
        ck_assert(truth.has_boxes && !truth.n_boxes);
        tg_truth_release(&truth);
        ck_assert(!scratch_warned("taken for healthy"));
        tg_dataset_free(set);
    }
}
END_TEST

START_TEST(what_is_not_normal_is_not_healthy)
{
    const tg_dataset_opts both = choose("Lung Opacity,No Lung Opacity / Not Normal");
    const tg_dataset_opts opts = choose(NULL);
    tg_dataset *set = scratch_dataset("", &both);

    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 2);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), 2);
    tg_dataset_free(set);
    remove(scratch_path(CLASSES));
    set = scratch_dataset("", &opts);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), 3);
    ck_assert(scratch_warned("all images without a box are taken for healthy"));
    tg_dataset_free(set);
}
END_TEST

START_TEST(knows_patients_from_the_cross_reference)
{
    tg_dataset_opts opts = choose(NULL);
    tg_dataset *set;

    scratch_text("rsna_to_nih.csv", "patientId,nih_image\n9004-d,00000061_012.png\n"
                                    "9001-a,00000061_013.png\n");
    set = scratch_dataset("", &opts);
    ck_assert_str_eq(tg_dataset_sample(set, 0).patient, "00000061");
    ck_assert_str_eq(tg_dataset_sample(set, 1).patient, "");
    ck_assert_str_eq(tg_dataset_sample(set, 2).patient, "00000061");
    tg_dataset_free(set);
}
END_TEST

static void refuse(const char *file, const char *head, const char *row, const char *where,
                   const char *why)
{
    char text[2048];

    scratch_text(LABELS, labels);
    scratch_text(CLASSES, classes);
    snprintf(text, sizeof text, "%s%s\n", head, row);
    scratch_text(file, text);
    scratch_refused("", NULL, TG_ERR_FORMAT, where, why);
}

START_TEST(refuses_a_bad_row_and_names_its_line)
{
    static const char *const rows[][2] = {
        {"9005-e,1,2,3,4", "5 fields"},
        {"9005-e,1,2,3,4,1,5", "7 fields"},
        {"9005-e,1,2,3,4,2", "Target is '2'"},
        {"9005-e,1,2,,4,1", "width is ''"},
        {"9005-e,1,2,nan,4,1", "width is 'nan'"},
        {"9005-e,1,2,-3,4,1", "no box"},
        {"9005-e,1024,2,3,4,1", "no box"},
        {"9005-e,1,2,3,4,0", "there is a box"},
        {",1,2,3,4,1", "no patientId"},
        {"9001-a,1,2,3,4,1", "Target 0 and 1 (see line 2)"},
    };

    for (size_t k = 0; k < TG_COUNT(rows); k++)
        refuse(LABELS, labels, rows[k][0], LABELS "', line 7", rows[k][1]);
    refuse(CLASSES, classes, "9001-a", CLASSES "', line 7", "1 fields");
    refuse(CLASSES, classes, "9001-a,normal", CLASSES "', line 7", "class is 'normal'");
    refuse(CLASSES, "patientId,class\n9001-a,Lung Opacity\n", "9002-b,Lung Opacity",
           CLASSES "', line 2", "line 2 of " LABELS " says Target 0");
}
END_TEST

START_TEST(reads_a_hundred_thousand_rows)
{
    const tg_dataset_opts opts = choose(NULL);
    FILE *boxes, *names;
    tg_dataset *set;
    size_t before;

    many_touch("big/" LABELS);
    boxes = many_open("big/" LABELS);
    names = many_open("big/" CLASSES);
    fputs("patientId,x,y,width,height,Target\n", boxes);
    fputs("patientId,class\n", names);
    for (int i = 0; i < MANY; i++) { /* as many images, each in two rows that lie apart */
        const int image = i % (MANY / 2);
        char path[128];

        snprintf(path, sizeof path, "big/stage_2_train_images/%08d-1f2e-4d3c.dcm", image);
        many_touch(path);
        fprintf(boxes, image % 2 ? "%08d-1f2e-4d3c,,,,,0\n" : "%08d-1f2e-4d3c,1,2,300,400,1\n",
                image);
        fprintf(names, "%08d-1f2e-4d3c,%s\n", image, image % 2 ? "Normal" : "Lung Opacity");
    }
    many_close(boxes);
    many_close(names);
    before = many_peak_mib();
    set = scratch_dataset("big", &opts);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), MANY / 4);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), MANY / 4);
    ck_assert_uint_le(many_peak_mib() - before, 150);
    tg_dataset_free(set);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("rsna", 120);

    tcase_add_checked_fixture(tc, open_set, scratch_close);
    tcase_add_test(tc, reads_labels_and_boxes);
    tcase_add_test(tc, what_is_not_normal_is_not_healthy);
    tcase_add_test(tc, knows_patients_from_the_cross_reference);
    tcase_add_test(tc, refuses_a_bad_row_and_names_its_line);
    tcase_add_test(tc, reads_a_hundred_thousand_rows);
    return tg_run("rsna");
}

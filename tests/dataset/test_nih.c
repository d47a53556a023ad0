/* test_nih.c -- ChestX-ray14: findings, the official lists, boxes, and each way to get it wrong. */
#include "config.h"
#include "tg_test.h"
#include "dataset/many.h"
#include "dataset/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER                                                                                     \
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"  \
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"

/* Our own rows, of the shape of the real ones. */
static const char table[] =
    HEADER "\n"
           "90000001_000.png,No Finding,0,90000001,55,M,PA,2500,2048,0.168,0.168\n"
           "90000001_001.png,Mass|Effusion,1,90000001,55,M,AP,2500,2048,0.168,0.168\n"
           "90000002_000.png,Infiltration|Mass,0,90000002,30,F,PA,3056,2544,0.139,0.139\n"
           "90000003_000.png,Pleural_Thickening,0,90000003,14,F,AP,2992,2991,0.143,0.143\n"
           "90000004_000.png,No Finding,0,90000004,14,F,PA,2992,2991,0.14300000000000002,0.143\n";
static const char boxes[] = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
                            "90000002_000.png,Mass,256,512,128.5,64,,,\n"
                            "90000002_000.png,Infiltrate,0.5,1.5,1000,900,,,\n"
                            "80000002_000.png,Mass,0,0,1000,900,,,\n";

static void open_set(void)
{
    static const char *const images[] = {
        "images_001/images/90000001_000.png", "images_001/images/90000001_001.png",
        "images_002/images/90000002_000.PNG", "images/90000003_000.png", "images/90000004_000.jpg"};

    scratch_open();
    for (size_t k = 0; k < TG_COUNT(images); k++)
        scratch_picture(images[k], 8, (float)k / 8);
    scratch_text("Data_Entry_2017_v2020.csv", table);
    scratch_text("train_val_list.txt", "90000001_000.png\r\n90000001_001.png\r\n\r\n");
    scratch_text("test_list.txt", "90000002_000.png\n90000003_000.png\n90000004_000.png");
    scratch_text("BBox_List_2017.csv", boxes);
}

static tg_dataset_opts choose(const char *classes)
{
    tg_dataset_opts opts = tg_dataset_opts_default();

    opts.classes = classes;
    opts.val_share = 0;
    return opts;
}

static size_t find(const tg_dataset *set, const char *name)
{
    for (size_t i = 0; i < tg_dataset_n_samples(set); i++)
        if (strcmp(tg_dataset_sample(set, i).name, name) == 0)
            return i;
    return SIZE_MAX;
}

START_TEST(reads_findings_lists_and_boxes)
{
    const tg_dataset_opts opts = choose(NULL);
    tg_dataset *set = scratch_dataset("", &opts);
    tg_truth truth;

    ck_assert_uint_eq(tg_dataset_n_samples(set), 5);
    ck_assert_uint_eq(tg_dataset_n_classes(set), 4);
    ck_assert_str_eq(tg_dataset_class_name(set, 2), "Mass");
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 1);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), 1);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TEST, true), 2);
    ck_assert_str_eq(tg_dataset_sample(set, 1).patient, "90000001");
    ck_assert_tg_ok(tg_dataset_truth(set, find(set, "90000002_000"), 64, &truth));
    ck_assert(truth.has_boxes && truth.n_boxes == 2);
    ck_assert_double_eq_tol(truth.boxes[0].x, 16, 1e-12); /* of 1024, whatever the file's size */
    ck_assert_double_eq_tol(truth.boxes[0].y, 32, 1e-12);
    ck_assert_double_eq_tol(truth.boxes[0].w, 128.5 / 16, 1e-12);
    ck_assert_double_eq_tol(truth.boxes[0].h, 4, 1e-12);
    ck_assert_uint_eq(truth.boxes[0].class_index, 2);
    ck_assert_str_eq(tg_dataset_class_name(set, truth.boxes[1].class_index), "Infiltration");
    tg_truth_release(&truth);
    ck_assert_tg_ok(tg_dataset_truth(set, find(set, "90000003_000"), 64, &truth));
    ck_assert(!truth.has_boxes); /* nobody drew any: that is no truth */
    tg_truth_release(&truth);
    ck_assert_tg_ok(tg_dataset_truth(set, find(set, "90000004_000"), 64, &truth));
    ck_assert(truth.has_boxes && !truth.n_boxes);
    tg_truth_release(&truth);
    tg_dataset_free(set);
}
END_TEST

START_TEST(chooses_classes_view_and_sex)
{
    tg_dataset_opts opts = choose("Mass");
    tg_dataset *set = scratch_dataset("", &opts);
    tg_truth truth;

    ck_assert_uint_eq(tg_dataset_n_samples(set), 4);
    ck_assert_tg_ok(tg_dataset_truth(set, find(set, "90000002_000"), 64, &truth));
    ck_assert(truth.n_boxes == 1 && truth.boxes[0].class_index == 0);
    tg_truth_release(&truth);
    tg_dataset_free(set);
    opts.view = "ap";
    opts.sex = "male";
    set = scratch_dataset("", &opts);
    ck_assert_uint_eq(tg_dataset_n_samples(set), 1);
    tg_dataset_free(set);
    opts.sex = "female";
    scratch_refused("", &opts, TG_ERR_FORMAT, "no image", "asked for");
}
END_TEST

START_TEST(reads_the_first_release_and_parts_of_it)
{
    const tg_dataset_opts opts = choose(NULL);
    tg_dataset *set;

    scratch_text("old/Data_Entry_2017.csv",
                 HEADER ",\n"
                        "90000001_000.png,No Finding,0,1,058Y,M,PA,2500,2048,0.168,0.168,\n"
                        "90000001_001.png,Hernia,0,1,058Y,M,PA,2500,2048,0.168,0.168,\n");
    scratch_picture("old/images-224/images/90000001_001.png", 8, 0);
    set = scratch_dataset("old", &opts);
    ck_assert_uint_eq(tg_dataset_n_samples(set), 1);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 1);
    ck_assert(scratch_warned("1 images that are named are not there") && scratch_warned("line 2"));
    tg_dataset_free(set);
}
END_TEST

START_TEST(an_image_in_no_list_is_for_training)
{
    const tg_dataset_opts opts = choose(NULL);
    tg_dataset *set;

    scratch_text("test_list.txt", "90000002_000.png\n90000003_000.png\n");
    set = scratch_dataset("", &opts);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), 2);
    ck_assert(scratch_warned("1 images are in neither"));
    tg_dataset_free(set);
}
END_TEST

static void refuse(const char *file, const char *head, const char *row, const char *line,
                   const char *why)
{
    char text[4096];

    open_set();
    snprintf(text, sizeof text, "%s%s\n", head, row);
    scratch_text(file, text);
    scratch_refused("", NULL, TG_ERR_FORMAT, line, why);
    scratch_close();
}

START_TEST(refuses_a_bad_row_and_names_its_line)
{
    static const char *const rows[][2] = {
        {"90000005_000.png,Mass,0,90000005,14,F,PA,2992,2991,0.143", "10 fields"},
        {"90000005_000.png,Mass,0,90000005,14,F,PA,2992,2991,0.143,0.143,x", "12 fields"},
        {"90000005_000.png,Mass;Edema,0,90000005,14,F,PA,2992,2991,0.143,0.143", "'Mass;Edema'"},
        {"90000005_000.png,Mass|,0,90000005,14,F,PA,2992,2991,0.143,0.143", "unknown finding ''"},
        {"90000005_000.png,Mass|No Finding,0,90000005,14,F,PA,2992,2991,0.143,0.143",
         "'No Finding'"},
        {"90000005_000.png,Mass,0,90000005,14,X,PA,2992,2991,0.143,0.143", "Gender is 'X'"},
        {"90000005_000.png,Mass,0,90000005,14,F,LL,2992,2991,0.143,0.143", "View Position is 'LL'"},
        {"90000005_000.png,Mass,0,,14,F,PA,2992,2991,0.143,0.143", "Patient ID is ''"},
        {"90000005_000,Mass,0,5,14,F,PA,2992,2991,0.143,0.143", "Image Index is '90000005_000'"},
        {"90000001_000.png,Mass,0,90000001,14,F,PA,2992,2991,0.143,0.143", "line 2 already"},
    };

    for (size_t k = 0; k < TG_COUNT(rows); k++)
        refuse("Data_Entry_2017_v2020.csv", table, rows[k][0], "v2020.csv', line 7", rows[k][1]);
}
END_TEST

START_TEST(refuses_bad_boxes_and_lists)
{
    static const char *const rows[][2] = {
        {"90000002_000.png,Mass,256,512,128.5,,,,", "h] is ''"},
        {"90000002_000.png,Mass,256,512,128.5", "5 fields"},
        {"90000002_000.png,Mass,256,512,-1,64,,,", "no box"},
        {"90000002_000.png,Mass,2560,512,1,64,,,", "no box"},
        {"90000002_000.png,Mas,256,512,1,64,,,", "unknown finding 'Mas'"},
    };

    for (size_t k = 0; k < TG_COUNT(rows); k++)
        refuse("BBox_List_2017.csv", boxes, rows[k][0], "BBox_List_2017.csv', line 5", rows[k][1]);
    refuse("test_list.txt", "90000002_000.png\n\n", "90000003_000.png 1", "test_list.txt', line 3",
           "no name");
    refuse("test_list.txt", "90000002_000.png\n", "90000001_000.png", "test_list.txt', line 2",
           "train_val_list.txt', line 1");
    refuse("test_list.txt", "90000002_000.png\n", "90000001_001.png\n", "line 2", "too");
}
END_TEST

START_TEST(refuses_a_patient_on_both_sides)
{
    scratch_text("train_val_list.txt", "90000001_000.png\n");
    scratch_text("test_list.txt", "90000001_001.png\n");
    scratch_refused("", NULL, TG_ERR_FORMAT, "patient '90000001' is in train (90000001_000.png",
                    "in test (90000001_001.png, line 3)");
}
END_TEST

START_TEST(reads_a_hundred_thousand_rows)
{
    const tg_dataset_opts opts = choose(NULL);
    FILE *rows, *list, *box_list;
    tg_dataset *set;
    size_t before;

    many_touch("big/images/00000000_000.png");
    rows = many_open("big/Data_Entry_2017_v2020.csv");
    list = many_open("big/test_list.txt");
    box_list = many_open("big/BBox_List_2017.csv");
    fputs(HEADER "\n", rows);
    fputs("Image Index,Finding Label,Bbox [x,y,w,h],,,\n", box_list);
    for (int i = 0; i < MANY; i++) {
        char path[64];
        const char *name = path + 11;

        snprintf(path, sizeof path, "big/images/%08d_%03d.png", i / 4, i % 4);
        many_touch(path);
        fprintf(rows, "%s,%s,0,%d,50,F,PA,2048,2048,0.1,0.1\n", name,
                i % 2 ? "No Finding" : "Mass|Effusion", i / 4);
        if (i / 4 % 5 == 0)
            fprintf(list, "%s\n", name);
        if (i % 100 == 0)
            fprintf(box_list, "%s,Mass,1,2,3,4,,,\n", name);
    }
    many_close(rows);
    many_close(list);
    many_close(box_list);
    before = many_peak_mib();
    set = scratch_dataset("big", &opts);
    ck_assert_uint_eq(tg_dataset_n_samples(set), MANY);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TEST, true), MANY / 10);
    ck_assert_uint_le(many_peak_mib() - before, 150);
    tg_dataset_free(set);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("nih", 120), *bad = tg_case("malformed", 60);

    tcase_add_checked_fixture(tc, open_set, scratch_close);
    tcase_add_test(tc, reads_findings_lists_and_boxes);
    tcase_add_test(tc, chooses_classes_view_and_sex);
    tcase_add_test(tc, reads_the_first_release_and_parts_of_it);
    tcase_add_test(tc, an_image_in_no_list_is_for_training);
    tcase_add_test(tc, refuses_a_patient_on_both_sides);
    tcase_add_test(tc, reads_a_hundred_thousand_rows);
    tcase_add_test(bad, refuses_a_bad_row_and_names_its_line);
    tcase_add_test(bad, refuses_bad_boxes_and_lists);
    return tg_run("nih");
}

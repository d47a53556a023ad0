/* test_vindr.c -- VinDr-CXR: several readers, boxes that are one, both releases, malformed rows. */
#include "config.h"
#include "tg_test.h"
#include "dataset/many.h"
#include "dataset/scratch.h"

#include <stdio.h>
#include <string.h>

#define KAGGLE    "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n"
#define PHYSIONET "image_id,rad_id,class_name,x_min,y_min,x_max,y_max\n"

/* Our own rows, of the shape of the real ones. */
static const char kaggle[] = KAGGLE "v9001,Cardiomegaly,3,R9,10.0,20.0,30.0,40.0\n"
                                    "v9003,Aortic enlargement,0,R8,1,1,9,9\n"
                                    "v9002,No finding,14,R9,,,,\n"
                                    "v9001,Cardiomegaly,3,R8,12.0,20.0,32.0,40.0\n"
                                    "v9001,Cardiomegaly,3,R10,40.0,40.0,50.0,50.0\n"
                                    "v9001,Nodule/Mass,8,R10,10.0,20.0,30.0,40.0\n"
                                    "v9002,No finding,14,R8,,,,\n"
                                    "v9003,No finding,14,R9,,,,\n";

static void open_set(void)
{
    scratch_open();
    scratch_picture("train/v9001.png", 64, 0);
    scratch_picture("train/v9002.png", 64, 0.5f);
    scratch_picture("train/V9003.PNG", 64, 0.7f);
    scratch_text("train.csv", kaggle);
}

static tg_dataset_opts choose(const char *classes)
{
    tg_dataset_opts opts = tg_dataset_opts_default();

    opts.classes = classes;
    opts.val_share = 0;
    return opts;
}

START_TEST(joins_what_readers_say_of_an_image)
{
    const tg_dataset_opts opts = choose(NULL);
    tg_dataset *set = scratch_dataset("", &opts);
    tg_truth truth;

    ck_assert_uint_eq(tg_dataset_n_classes(set), 3);
    ck_assert_str_eq(tg_dataset_class_name(set, 2), "Nodule/Mass");
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 2);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), 1);
    ck_assert_str_eq(tg_dataset_sample(set, 0).name, "v9001");
    ck_assert_tg_ok(tg_dataset_truth(set, 0, 0, &truth));
    ck_assert(truth.has_boxes && truth.n_boxes == 3); /* two of the three hearts are one */
    ck_assert_double_eq_tol(truth.boxes[0].x, 11, 1e-12);
    ck_assert_double_eq_tol(truth.boxes[0].w, 20, 1e-12);
    ck_assert_uint_eq(truth.boxes[0].class_index, 1);
    ck_assert_double_eq_tol(truth.boxes[1].x, 40, 1e-12);
    ck_assert_uint_eq(truth.boxes[2].class_index, 2);
    tg_truth_release(&truth);
    ck_assert_tg_ok(tg_dataset_truth(set, 1, 0, &truth));
    ck_assert(truth.has_boxes && !truth.n_boxes);
    tg_truth_release(&truth);
    tg_dataset_free(set);
}
END_TEST

START_TEST(takes_the_classes_asked_for)
{
    const tg_dataset_opts opts = choose("Nodule/Mass");
    tg_dataset *set = scratch_dataset("", &opts);
    tg_truth truth;

    ck_assert_uint_eq(tg_dataset_n_samples(set), 2);
    ck_assert_tg_ok(tg_dataset_truth(set, 0, 0, &truth));
    ck_assert(truth.n_boxes == 1 && truth.boxes[0].class_index == 0);
    tg_truth_release(&truth);
    tg_dataset_free(set);
}
END_TEST

START_TEST(reads_the_release_of_physionet)
{
    const tg_dataset_opts opts = choose(NULL);
    tg_dataset *set;

    scratch_text("p/annotations/annotations_train.csv",
                 PHYSIONET "v1,R9,Cardiomegaly,1,1,9,9\nv2,R9,No finding,,,,\n");
    scratch_text("p/annotations/annotations_test.csv",
                 "image_id,class_name,x_min,y_min,x_max,y_max\nv3,Cardiomegaly,1,1,9,9\n");
    for (char name[] = "p/train/v1.dicom"; name[9] <= '3'; name[9]++)
        scratch_text(name, "x");
    set = scratch_dataset("p", &opts);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 1);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), 1);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TEST, true), 1);
    tg_dataset_free(set);
}
END_TEST

START_TEST(scales_boxes_of_shrunk_images)
{
    const tg_dataset_opts opts = choose("Aortic enlargement");
    tg_dataset *set;
    tg_truth truth;

    scratch_text("train_meta.csv", "image_id,dim0,dim1\nv9001,100,200\nv9003,640,128\n");
    set = scratch_dataset("", &opts);
    ck_assert_tg_ok(tg_dataset_truth(set, 1, 0, &truth));
    ck_assert_double_eq_tol(truth.boxes[0].w, 4, 1e-12);
    ck_assert_double_eq_tol(truth.boxes[0].h, 0.8, 1e-12);
    tg_truth_release(&truth);
    tg_dataset_free(set);
    scratch_text("train_meta.csv", "image_id,dim0,dim1\nv9001,100,200\nv9003,640,wide\n");
    scratch_refused("", &opts, TG_ERR_FORMAT, "train_meta.csv', line 3", "dim1 is 'wide'");
    scratch_text("train_meta.csv", "image_id,dim0,dim1\nv9001,100,200\nv9003,0,1\n");
    scratch_refused("", &opts, TG_ERR_FORMAT, "train_meta.csv', line 3", "no size");
}
END_TEST

START_TEST(refuses_a_bad_row_and_names_its_line)
{
    static const char *const rows[][2] = {
        {"v9001,Cardiomegaly,3,R9,10.0,20.0,30.0", "7 fields"},
        {"v9001,Cardiomegaly,3,R9,10.0,20.0,30.0,40.0,50.0", "9 fields"},
        {"v9001,Cardiomegaly,3,R9,10.0,20.0,30.0,x", "y_max is 'x'"},
        {"v9001,Cardiomegaly,3,R9,10.0,20.0,30.0,", "y_max is ''"},
        {"v9001,Cardiomegaly,3,R9,30.0,20.0,10.0,40.0", "no box"},
        {"v9001,Cardiomegaly,3,R9,-1,20.0,10.0,40.0", "no box"},
        {"v9001,Cardiomegaly,14,R9,10.0,20.0,30.0,40.0", "class_id 14"},
        {"v9001,No finding,3,R9,,,,", "class_id 3"},
        {"v9001,No finding,14,R9,1,2,3,4", "has a box"},
        {",No finding,14,R9,,,,", "no image"},
        {"v9001,,3,R9,1,2,3,4", "no class"},
    };

    for (size_t k = 0; k < TG_COUNT(rows); k++) {
        char text[2048];

        snprintf(text, sizeof text, "%s%s\n", kaggle, rows[k][0]);
        scratch_text("train.csv", text);
        scratch_refused("", NULL, TG_ERR_FORMAT, "train.csv', line 10", rows[k][1]);
    }
}
END_TEST

START_TEST(says_what_it_looked_for)
{
    tg_dataset_opts opts = choose(NULL);

    opts.kind = "vindr";
    scratch_text("other/train.csv", "a,b\n");
    scratch_refused("other", &opts, TG_ERR_FORMAT, "no VinDr-CXR set", "annotations_train.csv");
    scratch_text("empty/train.csv", kaggle);
    scratch_refused("empty", NULL, TG_ERR_FORMAT, "none of its 3 images", "line 2");
}
END_TEST

START_TEST(reads_a_hundred_thousand_rows)
{
    const tg_dataset_opts opts = choose(NULL);
    FILE *rows;
    tg_dataset *set;
    size_t before;

    many_touch("big/train.csv");
    rows = many_open("big/train.csv");
    fputs(KAGGLE, rows);
    for (int i = 0; i < MANY; i++) { /* as many images, in an order that is not theirs */
        const int image = (int)((long long)i * 7919 % (MANY / 2));
        char path[64];

        snprintf(path, sizeof path, "big/train/%032x.png", (unsigned)image);
        many_touch(path);
        if (image % 2)
            fprintf(rows, "%032x,No finding,14,R9,,,,\n", (unsigned)image);
        else
            fprintf(rows, "%032x,Cardiomegaly,3,R9,1.5,2.5,100,200\n", (unsigned)image);
    }
    many_close(rows);
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
    TCase *tc = tg_case("vindr", 120);

    tcase_add_checked_fixture(tc, open_set, scratch_close);
    tcase_add_test(tc, joins_what_readers_say_of_an_image);
    tcase_add_test(tc, takes_the_classes_asked_for);
    tcase_add_test(tc, reads_the_release_of_physionet);
    tcase_add_test(tc, scales_boxes_of_shrunk_images);
    tcase_add_test(tc, refuses_a_bad_row_and_names_its_line);
    tcase_add_test(tc, says_what_it_looked_for);
    tcase_add_test(tc, reads_a_hundred_thousand_rows);
    return tg_run("vindr");
}

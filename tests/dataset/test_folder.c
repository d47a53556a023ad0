/* test_folder.c -- class folders with and without splits, their truth, and what is no data set. */
#include "config.h"
#include "tg_test.h"
#include "dataset/scratch.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>

static const char *const with_splits[] = {
    "train/Healthy/1.png", "train/Healthy/2.PNG", "train/nodule/3.png",
    "train/nodule/4.png",  "val/Healthy/5.png",   "val/nodule/6.png",
    "test/Healthy/7.png",  "test/nodule/8.png",   "test/nodule/9.png",
};

static void make_splits(void)
{
    for (size_t i = 0; i < TG_COUNT(with_splits); i++)
        scratch_picture(with_splits[i], 8, 0.5f);
}

static size_t find(const tg_dataset *set, const char *name)
{
    for (size_t i = 0; i < tg_dataset_n_samples(set); i++)
        if (strcmp(tg_dataset_sample(set, i).name, name) == 0)
            return i;
    ck_abort_msg("no sample '%s'", name);
    return 0;
}

START_TEST(reads_class_folders_with_splits)
{
    tg_dataset *set;
    static const size_t want[3][2] = {{2, 2}, {1, 1}, {1, 2}};

    make_splits();
    scratch_text("train/nodule/notes.txt", "x");
    scratch_text("train/nodule/.hidden", "x");
    set = scratch_dataset("", NULL);
    ck_assert_uint_eq(tg_dataset_n_classes(set), 1);
    ck_assert_str_eq(tg_dataset_class_name(set, 0), "nodule");
    for (int s = 0; s < 3; s++)
        for (int d = 0; d < 2; d++)
            ck_assert_uint_eq(scratch_count(set, (tg_split)s, d), want[s][d]);
    ck_assert(scratch_warned("2 files ignored"));
    ck_assert_tg_ok(tg_dataset_check_trainable(set));
    tg_dataset_free(set);
}
END_TEST

START_TEST(reads_class_folders_without_splits)
{
    tg_dataset_opts opts = tg_dataset_opts_default();
    tg_dataset *set;
    char name[32];

    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "%s/%02d.png",
                 i % 3 == 0   ? "clear"
                 : i % 3 == 1 ? "b"
                              : "a",
                 i);
        scratch_picture(name, 8, 0);
    }
    opts.healthy = "clear";
    set = scratch_dataset("", &opts);
    ck_assert_uint_eq(tg_dataset_n_classes(set), 2);
    ck_assert_str_eq(tg_dataset_class_name(set, 1), "b");
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_VAL, false), 1);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_VAL, true), 1);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), 3);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 7);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TEST, true), 0);
    tg_dataset_free(set);
    opts.kind = "folder";
    opts.classes = "a";
    set = scratch_dataset("", &opts);
    ck_assert_uint_eq(tg_dataset_n_samples(set), 8);
    ck_assert(scratch_warned("4 images left out"));
    tg_dataset_free(set);
}
END_TEST

START_TEST(finds_masks_and_boxes)
{
    tg_dataset *set;
    tg_truth truth;

    make_splits();
    scratch_picture("test/masks/8.png", 8, 1);
    scratch_text(
        "boxes.json",
        "{\"images\":[{\"id\":4,\"file_name\":\"test/nodule/8.png\",\"width\":16,\"height\":8},"
        "{\"id\":5,\"file_name\":\"elsewhere/9.png\"},{\"id\":6,\"file_name\":\"none.png\"}],"
        "\"annotations\":[{\"id\":1,\"image_id\":4,\"category_id\":1,\"bbox\":[2,1,4.5,2]},"
        "{\"id\":2,\"image_id\":5,\"category_id\":3,\"bbox\":[0,0,8,8]},"
        "{\"id\":3,\"image_id\":6,\"category_id\":1,\"bbox\":[0,0,8,8]}],"
        "\"categories\":[{\"id\":1,\"name\":\"Nodule\"},{\"id\":3,\"name\":\"other\"}]}");
    set = scratch_dataset("", NULL);
    ck_assert(scratch_warned("1 boxes belong to images"));
    ck_assert_uint_eq(tg_dataset_n_samples(set), 9); /* masks is no class */
    ck_assert_tg_ok(tg_dataset_truth(set, find(set, "8"), 4, &truth));
    ck_assert(truth.has_mask && truth.has_boxes && !truth.has_difference);
    ck_assert(truth.mask.width_px == 4 && truth.mask.pixels[5] == 1);
    ck_assert_uint_eq(truth.n_boxes, 1);
    ck_assert_double_eq_tol(truth.boxes[0].x, 0.5, 1e-12); /* drawn on 16 x 8, now 4 x 4 */
    ck_assert_double_eq_tol(truth.boxes[0].y, 0.5, 1e-12);
    ck_assert_double_eq_tol(truth.boxes[0].w, 1.125, 1e-12);
    ck_assert_double_eq_tol(truth.boxes[0].h, 1, 1e-12);
    tg_truth_release(&truth);
    ck_assert_tg_ok(
        tg_dataset_truth(set, find(set, "9"), 4, &truth)); /* by its name; size from the file */
    ck_assert(!truth.has_mask && truth.has_boxes && truth.n_boxes == 1);
    ck_assert_double_eq_tol(truth.boxes[0].w, 4, 1e-12);
    tg_truth_release(&truth);
    ck_assert_tg_ok(
        tg_dataset_truth(set, find(set, "7"), 0, &truth)); /* healthy: nothing, and known to be */
    ck_assert(truth.has_mask && truth.has_boxes && truth.n_boxes == 0);
    ck_assert(truth.mask.width_px == 8 && truth.mask.pixels[5] == 0);
    tg_truth_release(&truth);
    tg_dataset_free(set);
}
END_TEST

START_TEST(refuses_bad_boxes)
{
    make_splits();
    scratch_text("boxes.json", "{\"images\":[\n{]}");
    scratch_refused("", NULL, TG_ERR_FORMAT, "boxes.json", "line 2");
    scratch_text("boxes.json", "[]");
    scratch_refused("", NULL, TG_ERR_FORMAT, "boxes.json", "COCO");
    scratch_text("boxes.json",
                 "{\"images\":[{\"id\":\"x\",\"file_name\":\"8.png\"}],\"annotations\":[]}");
    scratch_refused("", NULL, TG_ERR_FORMAT, "images[0]", "id");
    scratch_text("boxes.json",
                 "{\"images\":[],\"annotations\":[{\"image_id\":1,\"bbox\":[1,2,-3,4]}]}");
    scratch_refused("", NULL, TG_ERR_FORMAT, "annotations[0]", "bbox");
    scratch_text("boxes.json",
                 "{\"images\":[],\"annotations\":[{\"image_id\":1,\"bbox\":[1,2,3]}]}");
    scratch_refused("", NULL, TG_ERR_FORMAT, "annotations[0]", "bbox");
}
END_TEST

START_TEST(says_what_it_looked_for)
{
    tg_dataset_opts opts = tg_dataset_opts_default();

    scratch_refused("", NULL, TG_ERR_FORMAT, "labels.csv", "train/CLASS"); /* an empty folder */
    scratch_refused("absent", NULL, TG_ERR_IO, "absent", "no such file");
    scratch_text("list.txt", "x");
    scratch_refused("list.txt", NULL, TG_ERR_FORMAT, "list.txt", "csv");
    opts.kind = "folder";
    scratch_refused("", &opts, TG_ERR_FORMAT, "no images", "train/CLASS");
    scratch_refused("absent", &opts, TG_ERR_IO, "absent", "no such folder");
    opts.kind = "csv";
    scratch_refused("", &opts, TG_ERR_IO, "labels.csv", "cannot open");
    opts.val_share = 2;
    scratch_refused("", &opts, TG_ERR_ARGUMENT, "2", "0 to 1");
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("folder", 30);

    tcase_add_checked_fixture(tc, scratch_open, scratch_close);
    tcase_add_test(tc, reads_class_folders_with_splits);
    tcase_add_test(tc, reads_class_folders_without_splits);
    tcase_add_test(tc, finds_masks_and_boxes);
    tcase_add_test(tc, refuses_bad_boxes);
    tcase_add_test(tc, says_what_it_looked_for);
    return tg_run("folder");
}

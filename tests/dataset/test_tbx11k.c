/* test_tbx11k.c -- TBX11K: lists or COCO files, one class or two, boxes for measuring alone. */
#include "config.h"
#include "tg_test.h"
#include "dataset/many.h"
#include "dataset/scratch.h"

#include <stdio.h>
#include <string.h>

#define JSON(images, annotations)                                                                  \
    "{\"categories\": [{\"id\": 1, \"name\": \"ActiveTuberculosis\"},\n"                           \
    "  {\"id\": 2, \"name\": \"ObsoletePulmonaryTuberculosis\"}],\n"                               \
    "\"images\": [" images "],\n\"annotations\": [" annotations "]}\n"
#define IMAGE(id, name)                                                                            \
    "{\"id\": " id ", \"file_name\": \"" name "\", \"width\": 512, \"height\": 512}"

static const char train_json[] =
    JSON(IMAGE("1", "tb/tb9001.png") ",\n" IMAGE("2", "tb/tb9002.png") ",\n" IMAGE(
             "3", "tb/tb9003.png") ",\n" IMAGE("601", "health/h9001.png"),
         "{\"image_id\": 1, \"category_id\": 1, \"bbox\": [128, 256.5, 64, 32]},\n"
         "{\"image_id\": 2, \"category_id\": 2, \"bbox\": [0, 0, 512, 512]},\n"
         "{\"image_id\": 2, \"category_id\": 1, \"bbox\": [8, 8, 8, 8]}");

static void open_set(void)
{
    static const char *const images[] = {"tb/tb9001.png", "tb/tb9002.png",    "tb/tb9003.png",
                                         "tb/tb9004.png", "health/h9001.png", "health/h9002.png",
                                         "sick/s9001.png"};
    char name[64];

    scratch_open();
    for (size_t k = 0; k < TG_COUNT(images); k++) {
        snprintf(name, sizeof name, "TBX11K/imgs/%s", images[k]);
        scratch_picture(name, 8, (float)k / 8);
    }
    scratch_text("TBX11K/lists/TBX11K_train.txt",
                 "tb/tb9001.png\ntb/tb9002.png\r\ntb/tb9003.png\nhealth/h9001.png\n");
    scratch_text("TBX11K/lists/TBX11K_val.txt",
                 "tb/tb9004.png\nhealth/h9002.png\nsick/s9001.png\n");
    scratch_text("TBX11K/annotations/json/TBX11K_train.json", train_json);
    scratch_text("TBX11K/annotations/json/TBX11K_val.json",
                 JSON(IMAGE("6601", "sick/s9001.png"), ""));
}

static tg_dataset_opts choose(const char *classes)
{
    tg_dataset_opts opts = tg_dataset_opts_default();

    opts.classes = classes;
    opts.val_share = 0;
    return opts;
}

START_TEST(reads_lists_and_boxes)
{
    const tg_dataset_opts opts = choose(NULL);
    tg_dataset *set = scratch_dataset("", &opts);
    tg_truth truth;

    ck_assert_uint_eq(tg_dataset_n_samples(set), 5); /* neither the sick one nor tb9003 */
    ck_assert_uint_eq(tg_dataset_n_classes(set), 1);
    ck_assert_str_eq(tg_dataset_class_name(set, 0), "Tuberculosis");
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 2);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TEST, true), 1);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TEST, false), 1);
    ck_assert_str_eq(tg_dataset_sample(set, 0).name, "tb9001");
    ck_assert_tg_ok(tg_dataset_truth(set, 0, 64, &truth));
    ck_assert(truth.has_boxes && truth.n_boxes == 1);
    ck_assert_double_eq_tol(truth.boxes[0].x, 16, 1e-12); /* of 512, whatever the file's size */
    ck_assert_double_eq_tol(truth.boxes[0].y, 256.5 / 8, 1e-12);
    ck_assert_uint_eq(truth.boxes[0].class_index, 0);
    tg_truth_release(&truth);
    ck_assert_tg_ok(tg_dataset_truth(set, 1, 64, &truth));
    ck_assert(truth.n_boxes == 2 && truth.boxes[1].class_index == 0);
    tg_truth_release(&truth);
    tg_dataset_free(set);
}
END_TEST

START_TEST(takes_categories_as_classes_when_asked)
{
    const tg_dataset_opts both = choose("ActiveTuberculosis,ObsoletePulmonaryTuberculosis");
    const tg_dataset_opts with_sick = choose("Sick,Tuberculosis");
    tg_dataset *set = scratch_dataset("TBX11K", &both);
    tg_truth truth;

    ck_assert_uint_eq(tg_dataset_n_samples(set), 4); /* tb9004 has no box to tell its class */
    ck_assert_float_eq(tg_dataset_sample(set, 0).labels[0], 1);
    ck_assert_float_eq(tg_dataset_sample(set, 0).labels[1], 0);
    ck_assert_float_eq(tg_dataset_sample(set, 1).labels[0], 1);
    ck_assert_float_eq(tg_dataset_sample(set, 1).labels[1], 1);
    ck_assert_tg_ok(tg_dataset_truth(set, 1, 64, &truth));
    ck_assert(truth.n_boxes == 2 && truth.boxes[0].class_index == 1 &&
              truth.boxes[1].class_index == 0);
    tg_truth_release(&truth);
    tg_dataset_free(set);
    set = scratch_dataset("TBX11K", &with_sick);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TEST, true), 2);
    tg_dataset_free(set);
}
END_TEST

START_TEST(reads_coco_files_without_lists)
{
    const tg_dataset_opts opts = choose(NULL);
    tg_dataset *set;

    remove(scratch_path("TBX11K/lists/TBX11K_train.txt"));
    set = scratch_dataset("TBX11K", &opts);
    ck_assert_uint_eq(tg_dataset_n_samples(set), 5);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 2);
    tg_dataset_free(set);
}
END_TEST

START_TEST(refuses_what_is_malformed)
{
    tg_dataset_opts opts = choose(NULL);

    scratch_text("TBX11K/lists/TBX11K_val.txt", "tb/tb9004.png\nimgs/health/h9002.png\n");
    scratch_refused("", NULL, TG_ERR_FORMAT, "TBX11K_val.txt', line 2", "imgs/health/h9002.png");
    scratch_text("TBX11K/lists/TBX11K_val.txt", "tb/tb9004.png\n\ntb/tb9001.png\n");
    scratch_refused("", NULL, TG_ERR_FORMAT, "TBX11K_val.txt', line 3", "line 1 already");
    remove(scratch_path("TBX11K/lists/TBX11K_val.txt"));
    scratch_text("TBX11K/annotations/json/TBX11K_val.json",
                 JSON(IMAGE("1", "tb/tb9004.png") ",\n" IMAGE("2", "h9002.png"), ""));
    scratch_refused("", NULL, TG_ERR_FORMAT, "TBX11K_val.json': images[1]", "h9002.png");
    scratch_text("TBX11K/annotations/json/TBX11K_val.json", "{\"images\": [\n");
    scratch_refused("", NULL, TG_ERR_FORMAT, "TBX11K_val.json', line", "");
    scratch_text("TBX11K/annotations/json/TBX11K_val.json",
                 JSON(IMAGE("1", "tb/tb9004.png"),
                      "{\"image_id\": 1, \"category_id\": 9, \"bbox\": [1, 2, 3, 4]}"));
    scratch_refused("", NULL, TG_ERR_FORMAT, "annotations[0]", "category_id");
    scratch_text("TBX11K/annotations/json/TBX11K_val.json",
                 JSON(IMAGE("1", "tb/tb9004.png"),
                      "{\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 2, -3, 4]}"));
    scratch_refused("", NULL, TG_ERR_FORMAT, "annotations[0]", "no box");
    opts.kind = "tbx11k";
    scratch_refused("TBX11K/imgs", &opts, TG_ERR_FORMAT, "no TBX11K set", "lists");
    opts.kind = "auto";
    opts.sex = "male";
    scratch_refused("", &opts, TG_ERR_ARGUMENT, "sex", "tbx11k");
}
END_TEST

START_TEST(reads_a_hundred_thousand_rows)
{
    const tg_dataset_opts opts = choose(NULL);
    FILE *list, *json;
    tg_dataset *set;
    size_t before;

    many_touch("big/lists/TBX11K_train.txt");
    many_touch("big/annotations/json/TBX11K_train.json");
    many_touch("big/imgs/tb/x.png");
    list = many_open("big/lists/TBX11K_train.txt");
    json = many_open("big/annotations/json/TBX11K_train.json");
    fputs("{\"categories\": [{\"id\": 1, \"name\": \"ActiveTuberculosis\"}], \"images\": [", json);
    for (int i = 0; i < MANY; i++) {
        char path[64];
        const char *name = path + 9;

        snprintf(path, sizeof path, "big/imgs/tb/tb%06d.png", i);
        many_touch(path);
        fprintf(list, "%s\n", name);
        fprintf(json, "%s\n{\"id\": %d, \"file_name\": \"%s\", \"width\": 512, \"height\": 512}",
                i ? "," : "", i, name);
    }
    fputs("], \"annotations\": [", json);
    for (int i = 0; i < MANY; i++)
        fprintf(json, "%s\n{\"image_id\": %d, \"category_id\": 1, \"bbox\": [1.5, 2, 3, 4]}",
                i ? "," : "", i);
    fputs("]}\n", json);
    many_close(list);
    many_close(json);
    before = many_peak_mib();
    set = scratch_dataset("big", &opts);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), MANY);
    ck_assert_uint_le(many_peak_mib() - before, 300); /* the JSON text and its tree */
    tg_dataset_free(set);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("tbx11k", 120);

    tcase_add_checked_fixture(tc, open_set, scratch_close);
    tcase_add_test(tc, reads_lists_and_boxes);
    tcase_add_test(tc, takes_categories_as_classes_when_asked);
    tcase_add_test(tc, reads_coco_files_without_lists);
    tcase_add_test(tc, refuses_what_is_malformed);
    tcase_add_test(tc, reads_a_hundred_thousand_rows);
    return tg_run("tbx11k");
}

/* test_write.c -- drawn sets by their keys, and that a written folder reads back as the set it was.
 */
#include "config.h"
#include "tg_test.h"
#include "dataset/scratch.h"
#include "dataset/dataset.h"
#include "base/file.h"

#include <math.h>
#include <string.h>

static tg_dataset *drawn(const char *spec)
{
    tg_dataset *set;

    ck_assert_tg_ok(tg_dataset_open(spec, NULL, &set));
    return set;
}

static void refuse(const char *spec, const char *why)
{
    tg_dataset *set;

    ck_assert_tg_fails(tg_dataset_open(spec, NULL, &set), TG_ERR_ARGUMENT);
    ck_assert_msg(strstr(tg_error_message(), why), "'%s' lacks '%s'", tg_error_message(), why);
}

START_TEST(keys_shape_a_drawn_set)
{
    tg_dataset *set = drawn("phantom:n=5,val=2,test=3,seed=7,size=32,classes=effusion+nodule");
    tg_image image;

    ck_assert_uint_eq(tg_dataset_n_classes(set), 2);
    ck_assert_str_eq(tg_dataset_class_name(set, 0), "effusion");
    ck_assert_uint_eq(tg_dataset_n_samples(set), 20);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 5);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_VAL, false), 2);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TEST, true), 3);
    ck_assert_tg_ok(tg_dataset_check_trainable(set));
    ck_assert_tg_ok(tg_dataset_load(set, 0, 0, &image));
    ck_assert_uint_eq(image.width_px, 32);
    tg_image_release(&image);
    ck_assert_tg_ok(tg_dataset_load(set, 0, 48, &image));
    ck_assert_uint_eq(image.width_px, 48);
    tg_image_release(&image);
    tg_dataset_free(set);
    set = drawn("phantom");
    ck_assert_uint_eq(tg_dataset_n_samples(set), 2 * (3000 + 200 + 400));
    ck_assert_uint_eq(tg_dataset_n_classes(set), TGI_PHANTOM_CLASSES);
    tg_dataset_free(set);
    set = drawn("vagan-synthetic:n=2,val=0,test=0,positions=random,noise=40");
    ck_assert_uint_eq(tg_dataset_n_classes(set), 1);
    ck_assert_tg_ok(tg_dataset_load(set, 3, 0, &image));
    ck_assert_uint_eq(image.width_px, 112);
    tg_image_release(&image);
    tg_dataset_free(set);
}
END_TEST

START_TEST(wrong_keys_are_named)
{
    refuse("phantom:m=5", "keys: n, val, test, seed, size, classes, multi");
    refuse("phantom:positions=random", "unknown key 'positions'");
    refuse("vagan-synthetic:multi=1", "unknown key 'multi'");
    refuse("phantom:n", "no value");
    refuse("phantom:n=many", "n=many");
    refuse("phantom:size=5", "size=5");
    refuse("phantom:classes=nodule+cough", "unknown class 'cough'");
    refuse("phantom:classes=nodule+nodule", "twice");
    refuse("phantom:n=0,val=0,test=0", "no images");
    refuse("vagan-synthetic:positions=odd", "positions=odd");
    refuse("vagan-synthetic:classes=effect+upper-left", "effect");
}
END_TEST

START_TEST(every_drawn_image_is_another_patient)
{
    tg_dataset *set = drawn("phantom:n=4,val=2,test=2,size=16"),
               *more = drawn("phantom:n=6,val=2,test=2,size=16");
    tg_image images[16];
    size_t n;
    const size_t *list = tg_dataset_select(more, TG_SPLIT_TEST, true, &n);

    for (size_t i = 0; i < 16; i++) {
        tg_truth truth;

        ck_assert_tg_ok(tg_dataset_load(set, i, 0, &images[i]));
        ck_assert_tg_ok(tg_dataset_truth(set, i, 0, &truth));
        for (size_t p = 0; p < 256;
             p++) /* no healthy image is a diseased one with its disease taken away */
            truth.difference.pixels[p] = images[i].pixels[p] - truth.difference.pixels[p];
        for (size_t k = 0; k < i; k++)
            ck_assert_mem_ne(images[k].pixels, truth.difference.pixels, 256 * sizeof(float));
        tg_truth_release(&truth);
    }
    for (size_t k = 0; k < n; k++) { /* a larger set draws the same test images */
        tg_image image;
        size_t n_small, i = tg_dataset_select(set, TG_SPLIT_TEST, true, &n_small)[k];

        ck_assert_tg_ok(tg_dataset_load(more, list[k], 0, &image));
        ck_assert_mem_eq(image.pixels, images[i].pixels, 256 * sizeof(float));
        tg_image_release(&image);
    }
    for (size_t i = 0; i < 16; i++)
        tg_image_release(&images[i]);
    tg_dataset_free(set);
    tg_dataset_free(more);
}
END_TEST

START_TEST(two_diseases_at_once_have_boxes_of_both)
{
    tg_dataset *set =
        drawn("phantom:n=6,val=0,test=0,size=64,multi=1,classes=nodule+effusion+cardiomegaly");
    size_t n;
    const size_t *list = tg_dataset_select(set, TG_SPLIT_TRAIN, true, &n);
    unsigned n_with_all = 0;

    for (size_t k = 0; k < n; k++) {
        const tg_sample s = tg_dataset_sample(set, list[k]);
        unsigned labels = 0, boxes = 0;
        tg_truth truth;

        ck_assert_tg_ok(tg_dataset_truth(set, list[k], 0, &truth));
        for (unsigned c = 0; c < 3; c++)
            labels |= (unsigned)(s.labels[c] > 0) << c;
        for (size_t b = 0; b < truth.n_boxes; b++)
            boxes |= 1u << truth.boxes[b].class_index;
        ck_assert_uint_eq(boxes & ~labels, 0);
        ck_assert(labels == 3 || labels == 5 || labels == 6);
        n_with_all += boxes == labels;
        tg_truth_release(&truth);
    }
    ck_assert_uint_ge(n_with_all, 4); /* a faint one may stay below the mask's limit */
    tg_dataset_free(set);
}
END_TEST

START_TEST(boxes_enclose_connected_parts)
{
    uint8_t pixels[] = {1, 0, 0, 0, 1, /**/ 0, 1, 0, 0, 1, /**/ 0, 0, 0, 0, 0, /**/ 0, 0, 0, 1, 0};
    const tg_mask mask = {5, 4, pixels};
    static const double want[3][4] = {{0, 0, 2, 2}, {4, 0, 1, 2}, {3, 3, 1, 1}};
    tg_truth truth = {0};

    ck_assert_tg_ok(tgi_boxes_of_mask(&mask, 2, &truth));
    ck_assert_uint_eq(truth.n_boxes, 3);
    for (size_t k = 0; k < 3; k++) {
        const tg_box *b = &truth.boxes[k];

        ck_assert(b->x == want[k][0] && b->y == want[k][1] && b->w == want[k][2] &&
                  b->h == want[k][3]);
        ck_assert_uint_eq(b->class_index, 2);
    }
    tg_truth_release(&truth);
}
END_TEST

static void compare_truth(const tg_truth *a, const tg_truth *b)
{
    const size_t n = a->mask.width_px * a->mask.height_px;

    ck_assert(b->has_mask && b->has_difference && b->has_boxes);
    ck_assert_mem_eq(a->mask.pixels, b->mask.pixels, n);
    for (size_t p = 0; p < n; p++)
        ck_assert_float_eq_tol(a->difference.pixels[p], b->difference.pixels[p], 1.01f / 32767);
    ck_assert_uint_eq(a->n_boxes, b->n_boxes);
    for (size_t k = 0; k < a->n_boxes; k++)
        ck_assert(a->boxes[k].x == b->boxes[k].x && a->boxes[k].h == b->boxes[k].h &&
                  a->boxes[k].class_index == b->boxes[k].class_index);
}

START_TEST(a_written_folder_reads_back)
{
    tg_dataset *set = drawn("phantom:n=4,val=2,test=3,seed=3,size=32,classes=effusion+nodule"),
               *back;

    ck_assert_tg_ok(tg_dataset_write(set, scratch_path("out/set"), 0));
    back = scratch_dataset("out/set", NULL);
    ck_assert_uint_eq(tg_dataset_n_samples(back), tg_dataset_n_samples(set));
    ck_assert_uint_eq(tg_dataset_n_classes(back), 2);
    for (size_t i = 0; i < tg_dataset_n_samples(set); i++) {
        const tg_sample a = tg_dataset_sample(set, i), b = tg_dataset_sample(back, i);
        tg_image x, y;
        tg_truth s, t;

        ck_assert_str_eq(a.name, b.name);
        ck_assert_str_eq(a.patient, b.patient);
        ck_assert(a.split == b.split && a.is_diseased == b.is_diseased);
        ck_assert_mem_eq(a.labels, b.labels, 2 * sizeof(float));
        ck_assert_tg_ok(tg_dataset_load(set, i, 0, &x));
        ck_assert_tg_ok(tg_dataset_load(back, i, 0, &y));
        for (size_t p = 0; p < 32 * 32; p++)
            ck_assert_float_eq_tol(x.pixels[p], y.pixels[p], 0.501f / 127.5f);
        ck_assert_tg_ok(tg_dataset_truth(set, i, 0, &s));
        ck_assert_tg_ok(tg_dataset_truth(back, i, 0, &t));
        compare_truth(&s, &t);
        tg_image_release(&x);
        tg_image_release(&y);
        tg_truth_release(&s);
        tg_truth_release(&t);
    }
    /* what is there is not overwritten */
    ck_assert_tg_fails(tg_dataset_write(set, scratch_path("out/set"), 0), TG_ERR_IO);
    scratch_text("file", "x");
    ck_assert_tg_fails(tg_dataset_write(set, scratch_path("file/set"), 0), TG_ERR_IO);
    tg_dataset_free(set);
    tg_dataset_free(back);
}
END_TEST

START_TEST(files_with_odd_names_are_written_and_read)
{
    tg_dataset *set, *back;

    scratch_picture("in/a, \"b\".png", 8, 0.5f);
    scratch_picture("in/plain.png", 12, 0);
    scratch_text("in/labels.csv", "file,labels,split,patient\n\"a, \"\"b\"\".png\",\"x, "
                                  "y\",test,\"p, 1\"\nplain.png,,test,\n");
    set = scratch_dataset("in", NULL);
    ck_assert_tg_ok(tg_dataset_write(set, scratch_path("out"), 0));
    ck_assert(!tgi_is_folder(scratch_path("out/masks")) &&
              !tgi_is_file(scratch_path("out/boxes.json")));
    back = scratch_dataset("out", NULL);
    ck_assert_str_eq(tg_dataset_sample(back, 0).name, "a, \"b\"");
    ck_assert_str_eq(tg_dataset_sample(back, 0).patient, "p, 1");
    ck_assert_str_eq(tg_dataset_class_name(back, 0), "x, y");
    tg_dataset_free(set);
    tg_dataset_free(back);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("write", 60);

    tcase_add_checked_fixture(tc, scratch_open, scratch_close);
    tcase_add_test(tc, keys_shape_a_drawn_set);
    tcase_add_test(tc, wrong_keys_are_named);
    tcase_add_test(tc, every_drawn_image_is_another_patient);
    tcase_add_test(tc, two_diseases_at_once_have_boxes_of_both);
    tcase_add_test(tc, boxes_enclose_connected_parts);
    tcase_add_test(tc, a_written_folder_reads_back);
    tcase_add_test(tc, files_with_odd_names_are_written_and_read);
    return tg_run("write");
}

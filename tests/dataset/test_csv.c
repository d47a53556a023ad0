/* test_csv.c -- labels.csv as people write it: quotes, CRLF, BOM, any columns; and each way to get
 * it wrong, with its line. */
#include "config.h"
#include "tg_test.h"
#include "dataset/scratch.h"
#include "dataset/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Twelve pictures images/a.png to images/l.png. */
static void open_pictures(void)
{
    char name[] = "images/a.png";

    scratch_open();
    for (; name[7] <= 'l'; name[7]++)
        scratch_picture(name, 8, (float)(name[7] - 'a') / 12);
}

static void refuse(const char *table, tg_status status, const char *first, const char *second)
{
    scratch_text("labels.csv", table);
    scratch_refused("", NULL, status, first, second);
}

START_TEST(reads_quotes_line_ends_and_a_byte_order_mark)
{
    tgi_csv csv;

    scratch_text("t.csv", "\xef\xbb\xbf"
                          "a,\"b \"\"x\"\"\",c\r\n\r\n\"1,2\",\"two\nlines\",\r\nlast,,3");
    ck_assert_tg_ok(tgi_csv_read(scratch_path("t.csv"), &csv));
    ck_assert_uint_eq(csv.n_rows, 3);
    ck_assert_str_eq(tgi_csv_field(&csv, 0, 0), "a");
    ck_assert_str_eq(tgi_csv_field(&csv, 0, 1), "b \"x\"");
    ck_assert_str_eq(tgi_csv_field(&csv, 1, 0), "1,2");
    ck_assert_str_eq(tgi_csv_field(&csv, 1, 1), "two\nlines");
    ck_assert_str_eq(tgi_csv_field(&csv, 1, 2), "");
    ck_assert_str_eq(tgi_csv_field(&csv, 2, 2), "3");
    ck_assert_str_eq(tgi_csv_field(&csv, 2, 9), "");
    ck_assert_uint_eq(csv.line[1], 3);
    ck_assert_uint_eq(csv.line[2], 5);
    ck_assert_uint_eq(tgi_csv_n_fields(&csv, 2), 3);
    tgi_csv_release(&csv);
}
END_TEST

START_TEST(reads_a_table_with_everything)
{
    tg_dataset *set;
    size_t n;
    const size_t *list;

    scratch_text("labels.csv", "\xef\xbb\xbfpatient, Label ,age,split,file\r\n"
                               "p1,nodule;effusion,40,train,images/a.png\r\n"
                               "p2,,41,train,images/b.png\r\n"
                               "p3,\" effusion ; \",42,val,./images/c.png\r\n"
                               "p4,No Finding,43,VAL,images/d.png\r\n"
                               "p5,normal,44,test,\"images/e.png\"\r\n"
                               ",nodule,45,test,images/f.png");
    set = scratch_dataset("", NULL);
    ck_assert_uint_eq(tg_dataset_n_classes(set), 2);
    ck_assert_str_eq(tg_dataset_class_name(set, 0), "effusion");
    ck_assert_str_eq(tg_dataset_class_name(set, 1), "nodule");
    ck_assert_uint_eq(tg_dataset_n_samples(set), 6);
    list = tg_dataset_select(set, TG_SPLIT_TRAIN, true, &n);
    ck_assert_uint_eq(n, 1);
    ck_assert_str_eq(tg_dataset_sample(set, list[0]).name, "a");
    ck_assert_str_eq(tg_dataset_sample(set, list[0]).patient, "p1");
    ck_assert_float_eq(tg_dataset_sample(set, list[0]).labels[0], 1);
    ck_assert_float_eq(tg_dataset_sample(set, list[0]).labels[1], 1);
    for (int s = 0; s < 3; s++)
        for (int d = 0; d < 2; d++)
            ck_assert_uint_eq(scratch_count(set, (tg_split)s, d), 1);
    tg_dataset_free(set);
}
END_TEST

START_TEST(refuses_a_bad_table_and_names_the_line)
{
    refuse("", TG_ERR_FORMAT, "labels.csv", "empty");
    refuse("file,labels\n", TG_ERR_FORMAT, "labels.csv", "no images");
    refuse("name,labels\nimages/a.png,x\n", TG_ERR_FORMAT, "line 1", "'file'");
    refuse("file,diagnosis\nimages/a.png,x\n", TG_ERR_FORMAT, "line 1", "'labels'");
    refuse("file,labels\nimages/a.png,x\nimages/b.png\n", TG_ERR_FORMAT, "line 3", "1 fields");
    refuse("file,labels\nimages/a.png,x\n,x\n", TG_ERR_FORMAT, "line 3", "no file");
    refuse("file,labels\n\nimages/zz.png,x\n", TG_ERR_FORMAT, "line 3", "images/zz.png");
    refuse("file,labels,split\nimages/a.png,x,training\n", TG_ERR_FORMAT, "line 2",
           "unknown split 'training'");
    refuse("file,labels\n\"images/a.png,x\n", TG_ERR_FORMAT, "line 2", "never closed");
    refuse("file,labels\n\"images/a.png\"y,x\n", TG_ERR_FORMAT, "line 2", "behind a closing quote");
    refuse("file,labels\nimages/a\".png,x\n", TG_ERR_FORMAT, "line 2", "inside an unquoted field");
    refuse("\xff\xfe\x66", TG_ERR_FORMAT, "UTF-16", "UTF-8");
}
END_TEST

START_TEST(duplicate_rows_are_dropped_or_refused)
{
    tg_dataset *set;

    scratch_text("labels.csv",
                 "file,labels\nimages/a.png,x\nimages/b.png,\nimages/a.png,x\n./images/a.png,x\n");
    set = scratch_dataset("", NULL);
    ck_assert_uint_eq(tg_dataset_n_samples(set), 2);
    ck_assert(scratch_warned("line 4") && scratch_warned("2 duplicate rows"));
    tg_dataset_free(set);
    refuse("file,labels\nimages/a.png,x\nimages/b.png,\nimages/a.png,y\n", TG_ERR_FORMAT, "line 4",
           "line 2");
    refuse("file,labels,split\nimages/a.png,x,train\nimages/a.png,x,test\n", TG_ERR_FORMAT,
           "line 3", "line 2");
}
END_TEST

START_TEST(a_patient_on_both_sides_is_refused)
{
    refuse("file,labels,split,patient\nimages/a.png,x,train,p7\nimages/b.png,,train,p8\nimages/"
           "c.png,x,test,p7\n",
           TG_ERR_FORMAT, "patient 'p7'", "line 4");
}
END_TEST

START_TEST(chooses_the_classes_that_are_asked_for)
{
    tg_dataset_opts opts = tg_dataset_opts_default();
    tg_dataset *set;

    scratch_text("labels.csv",
                 "file,labels\nimages/a.png,x\nimages/b.png,x;y\nimages/c.png,z\nimages/d.png,\n"
                 "images/e.png,clean\n");
    opts.classes = "y, x";
    opts.healthy = "Clean";
    set = scratch_dataset("", &opts);
    ck_assert_uint_eq(tg_dataset_n_classes(set), 2);
    ck_assert_str_eq(tg_dataset_class_name(set, 0), "y");
    ck_assert_uint_eq(tg_dataset_n_samples(set),
                      4); /* an image of z is not healthy: it is left out */
    ck_assert(scratch_warned("line 4") && scratch_warned("'z'"));
    tg_dataset_free(set);
    opts.classes = "x,missing";
    set = scratch_dataset("", &opts);
    ck_assert(scratch_warned("no image has the class 'missing'"));
    ck_assert_tg_fails(tg_dataset_check_trainable(set), TG_ERR_FORMAT);
    tg_dataset_free(set);
    opts.classes = "nodul";
    scratch_refused("", &opts, TG_ERR_ARGUMENT, "nodul", "line 2");
    opts.classes = "x,,y";
    scratch_refused("", &opts, TG_ERR_ARGUMENT, "x,,y", "empty");
    opts.classes = "x,x";
    scratch_refused("", &opts, TG_ERR_ARGUMENT, "x,x", "twice");
    opts.classes = NULL;
    opts.kind = "cvs";
    scratch_refused("", &opts, TG_ERR_ARGUMENT, "cvs", "csv");
}
END_TEST

START_TEST(one_class_only_opens_but_cannot_train)
{
    tg_dataset *set;

    scratch_text("labels.csv", "file,labels\nimages/a.png,x\nimages/b.png,x\n");
    set = scratch_dataset("", NULL);
    ck_assert_tg_fails(tg_dataset_check_trainable(set), TG_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(tg_error_message(), "no healthy images"));
    tg_dataset_free(set);
    scratch_text("labels.csv", "file,labels\nimages/a.png,\nimages/b.png,normal\n");
    set = scratch_dataset("labels.csv", NULL);
    ck_assert_tg_fails(tg_dataset_check_trainable(set), TG_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(tg_error_message(), "no diseased images"));
    tg_dataset_free(set);
}
END_TEST

/* Which images are in val, as a bit set of their names' letters. */
static unsigned held_out(const tg_dataset *set)
{
    unsigned held = 0;

    for (size_t i = 0; i < tg_dataset_n_samples(set); i++) {
        const tg_sample s = tg_dataset_sample(set, i);

        if (s.split == TG_SPLIT_VAL)
            held |= 1u << (s.name[0] - 'a');
    }
    return held;
}

START_TEST(holds_patients_out_when_there_is_no_val_split)
{
    const char *rows[] = {"images/a.png,x,p1", "images/b.png,x,p1", "images/c.png,x,p2",
                          "images/d.png,x,p3", "images/e.png,x,p3", "images/f.png,x,p4",
                          "images/g.png,,",    "images/h.png,,",    "images/i.png,,q1",
                          "images/j.png,,q2",  "images/k.png,,q2",  "images/l.png,,q3"};
    char forwards[1024] = "file,labels,patient\n", backwards[1024] = "file,labels,patient\n";
    tg_dataset_opts opts = tg_dataset_opts_default();
    unsigned held[2], differs = 0;

    opts.val_share = 0.3;
    for (int i = 0; i < 12; i++) {
        snprintf(forwards + strlen(forwards), 64, "%s\n", rows[i]);
        snprintf(backwards + strlen(backwards), 64, "%s\n", rows[11 - i]);
    }
    for (int k = 0; k < 2; k++) {
        tg_dataset *set;

        scratch_text("labels.csv", k ? backwards : forwards);
        set = scratch_dataset("", &opts);
        held[k] = held_out(set);
        ck_assert_uint_ge(scratch_count(set, TG_SPLIT_VAL, true), 1);
        ck_assert_uint_ge(scratch_count(set, TG_SPLIT_VAL, false), 1);
        ck_assert_tg_ok(tg_dataset_check_trainable(set));
        tg_dataset_free(set);
    }
    ck_assert_uint_eq(held[0], held[1]);              /* the order of the rows does not matter */
    ck_assert_uint_eq(held[0] & 1, held[0] >> 1 & 1); /* patient p1 stays together */
    ck_assert_uint_eq(held[0] >> 3 & 1, held[0] >> 4 & 1);  /* p3 */
    ck_assert_uint_eq(held[0] >> 9 & 1, held[0] >> 10 & 1); /* q2 */
    for (opts.seed = 2; opts.seed < 6; opts.seed++) {
        tg_dataset *set = scratch_dataset("", &opts);

        differs |= held_out(set) ^ held[0];
        tg_dataset_free(set);
    }
    ck_assert_uint_ne(differs, 0);
}
END_TEST

START_TEST(names_stay_unique)
{
    tg_dataset *set;

    scratch_picture("one/a.png", 8, 0);
    scratch_picture("two/a.png", 8, 0);
    scratch_sample("two/a.jpg", "grey.jpg");
    scratch_text("labels.csv",
                 "file,labels\none/a.png,x\ntwo/a.png,\ntwo/a.jpg,\nimages/b.png,x\n");
    set = scratch_dataset("", NULL);
    ck_assert_str_eq(tg_dataset_sample(set, 0).name, "one_a");
    ck_assert_str_eq(tg_dataset_sample(set, 3).name, "b");
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(tg_dataset_sample(set, i).name, tg_dataset_sample(set, k).name);
    tg_dataset_free(set);
}
END_TEST

START_TEST(a_truncated_image_fails_when_it_is_read)
{
    tg_dataset *set;
    tg_image image;

    scratch_sample("images/broken.png", "truncated.png");
    scratch_text("labels.csv", "file,labels\nimages/broken.png,x\n");
    set = scratch_dataset("", NULL);
    ck_assert_tg_fails(tg_dataset_load(set, 0, 8, &image), TG_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(tg_error_message(), "images/broken.png"));
    ck_assert_ptr_null(image.pixels);
    ck_assert_tg_fails(tg_dataset_load(set, 1, 8, &image), TG_ERR_ARGUMENT);
    tg_dataset_free(set);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("csv", 30);

    tcase_add_checked_fixture(tc, open_pictures, scratch_close);
    tcase_add_test(tc, reads_quotes_line_ends_and_a_byte_order_mark);
    tcase_add_test(tc, reads_a_table_with_everything);
    tcase_add_test(tc, refuses_a_bad_table_and_names_the_line);
    tcase_add_test(tc, duplicate_rows_are_dropped_or_refused);
    tcase_add_test(tc, a_patient_on_both_sides_is_refused);
    tcase_add_test(tc, chooses_the_classes_that_are_asked_for);
    tcase_add_test(tc, one_class_only_opens_but_cannot_train);
    tcase_add_test(tc, holds_patients_out_when_there_is_no_val_split);
    tcase_add_test(tc, names_stay_unique);
    tcase_add_test(tc, a_truncated_image_fails_when_it_is_read);
    return tg_run("csv");
}

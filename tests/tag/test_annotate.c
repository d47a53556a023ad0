/* test_annotate.c -- what the writers of annotation files wrote is read back. */
#include "config.h"
#include "tg_test.h"
#include "base/file.h"
#include "base/text.h"
#include "tag/annotate.h"
#include "tag/tag.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const classes[2] = {"nodule & \"co\"", "effusion"};
static char *folder;
static tg_tags tags[3]; /* two regions, none, one */

static void tag_pixels(const char *picture, size_t w, size_t h, tg_tags *out)
{
    tg_tag_opts opts = tg_tag_opts_default();
    tg_image map;

    ck_assert_tg_ok(tg_image_new(w, h, &map));
    for (size_t i = 0; i < w * h; i++)
        map.pixels[i] = picture[i] == '#' ? 0.5f : 0;
    ck_assert_tg_ok(tg_tag_map(&map, &opts, out));
    tg_image_release(&map);
}

static void write_all(void)
{
    unsigned formats;
    tg_annotations *a;

    ck_assert_tg_ok(tgi_strdup(tg_scratch_path("annotations"), &folder));
    tag_pixels("......"
               ".##..#"
               ".##..#"
               ".#....",
               6, 4, &tags[0]);
    tag_pixels("......", 3, 2, &tags[1]);
    tag_pixels("####", 2, 2, &tags[2]);
    ck_assert_tg_ok(tg_annotate_formats_parse("coco,voc,yolo,labelstudio,csv", &formats));
    ck_assert_tg_ok(tg_annotations_new(folder, formats, classes, 2, &a));
    ck_assert_tg_ok(
        tg_annotations_add(a, &(tg_annotated){"one", "in/one, <1>.png", 6, 4, 0}, &tags[0]));
    ck_assert_tg_ok(tg_annotations_add(a, &(tg_annotated){"two", "in/two.png", 3, 2, 0}, &tags[1]));
    ck_assert_tg_ok(
        tg_annotations_add(a, &(tg_annotated){"three", "in/\xff.png", 2, 2, 0}, &tags[1 + 1]));
    ck_assert_tg_ok(
        tg_annotations_add(a, &(tg_annotated){"three", "in/\xff.png", 2, 2, 1}, &tags[1 + 1]));
    ck_assert_uint_eq(tg_annotations_n_images(a), 3);
    ck_assert_uint_eq(tg_annotations_n_regions(a), 4);
    ck_assert_tg_ok(tg_annotations_finish(a));
    tg_annotations_free(a);
}

static void clean(void)
{
    for (size_t i = 0; i < 3; i++)
        tg_tags_release(&tags[i]);
    free(folder);
}

static char *read_file(const char *name)
{
    char path[4096], *bytes;
    size_t n;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    ck_assert_tg_ok(tgi_file_read(path, 1 << 20, &bytes, &n));
    return bytes;
}

static json_t *read_json(const char *name)
{
    char *text = read_file(name);
    json_error_t error;
    json_t *root = json_loads(text, 0, &error);

    ck_assert_msg(root != NULL, "%s: line %d: %s", name, error.line, error.text);
    free(text);
    return root;
}

static long integer(const json_t *object, const char *key)
{
    ck_assert(json_is_integer(json_object_get(object, key)));
    return (long)json_integer_value(json_object_get(object, key));
}

/* Decodes the run lengths of an annotation and compares them with the labels of the region. */
static void check_mask(const json_t *annotation, const tg_tags *want, uint32_t label)
{
    const json_t *segmentation = json_object_get(annotation, "segmentation"), *counts, *size;
    size_t w = want->mask.width_px, h = want->mask.height_px, at = 0, area = 0;

    size = json_object_get(segmentation, "size");
    counts = json_object_get(segmentation, "counts");
    ck_assert_int_eq(json_integer_value(json_array_get(size, 0)), h);
    ck_assert_int_eq(json_integer_value(json_array_get(size, 1)), w);
    for (size_t i = 0; i < json_array_size(counts); i++) {
        for (json_int_t n = json_integer_value(json_array_get(counts, i)); n > 0; n--, at++) {
            ck_assert_uint_lt(at, w * h);
            ck_assert_int_eq(want->labels[at % h * w + at / h] == label, i % 2);
            area += i % 2;
        }
    }
    ck_assert_uint_eq(at, w * h);
    ck_assert_int_eq(integer(annotation, "area"), (long)area);
}

START_TEST(coco_holds_boxes_and_masks)
{
    json_t *root = read_json("annotations.json"), *list = json_object_get(root, "annotations"),
           *first, *last;

    ck_assert_uint_eq(json_array_size(list), 4);
    ck_assert_uint_eq(json_array_size(json_object_get(root, "images")), 3);
    first = json_array_get(list, 0);
    last = json_array_get(list, 3);
    ck_assert_int_eq(integer(first, "image_id"), 1);
    ck_assert_int_eq(integer(first, "category_id"), 1);
    ck_assert_int_eq(integer(last, "category_id"), 2);
    ck_assert_int_eq(integer(last, "image_id"), 3);
    ck_assert_int_eq(integer(last, "id"), 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(first, "bbox"), i)),
                         ((const int[]){1, 1, 2, 3})[i]);
    ck_assert(json_real_value(json_object_get(first, "score")) == 0.5);
    check_mask(first, &tags[0], 1);
    check_mask(json_array_get(list, 1), &tags[0], 2);
    check_mask(last, &tags[2], 1);
    ck_assert_str_eq(json_string_value(json_object_get(
                         json_array_get(json_object_get(root, "categories"), 0), "name")),
                     classes[0]);
    ck_assert_str_eq(json_string_value(json_object_get(
                         json_array_get(json_object_get(root, "images"), 2), "file_name")),
                     "in/?.png"); /* a name that is not UTF-8 must not make the file unreadable */
    json_decref(root);
}
END_TEST

START_TEST(voc_counts_from_one_and_is_escaped)
{
    char *xml = read_file("voc/one.xml"), *empty = read_file("voc/two.xml");

    ck_assert_ptr_nonnull(strstr(xml, "<filename>one, &lt;1&gt;.png</filename>"));
    ck_assert_ptr_nonnull(strstr(xml, "<name>nodule &amp; &quot;co&quot;</name>"));
    ck_assert_ptr_nonnull(strstr(xml, "<width>6</width>\n    <height>4</height>"));
    ck_assert_ptr_nonnull(
        strstr(xml, "<xmin>2</xmin>\n      <ymin>2</ymin>\n      <xmax>3</xmax>\n      "
                    "<ymax>4</ymax>"));
    ck_assert_ptr_null(strstr(empty, "<object>"));
    free(xml);
    free(empty);
}
END_TEST

START_TEST(yolo_holds_shares_of_the_sides)
{
    char *text = read_file("yolo/one.txt"), *empty = read_file("yolo/two.txt"),
         *names = read_file("yolo/classes.txt");

    ck_assert_str_eq(
        text, "0 0.333333 0.625000 0.333333 0.750000\n0 0.916667 0.500000 0.166667 0.500000\n");
    ck_assert_str_eq(empty, "");
    ck_assert_str_eq(names, "nodule & \"co\"\neffusion\n");
    free(text);
    free(empty);
    free(names);
}
END_TEST

START_TEST(label_studio_gets_predictions_in_percent)
{
    json_t *root = read_json("labelstudio.json"), *prediction, *result, *value;

    ck_assert_uint_eq(json_array_size(root), 3);
    ck_assert_str_eq(json_string_value(json_object_get(
                         json_object_get(json_array_get(root, 0), "data"), "image")),
                     "in/one, <1>.png");
    prediction = json_array_get(json_object_get(json_array_get(root, 0), "predictions"), 0);
    result = json_object_get(prediction, "result");
    ck_assert_uint_eq(json_array_size(result), 2);
    value = json_object_get(json_array_get(result, 0), "value");
    ck_assert(fabs(json_real_value(json_object_get(value, "x")) - 100.0 / 6) < 1e-6);
    ck_assert(json_real_value(json_object_get(value, "height")) == 75);
    ck_assert_str_eq(
        json_string_value(json_array_get(json_object_get(value, "rectanglelabels"), 0)),
        classes[0]);
    json_decref(root);
}
END_TEST

START_TEST(csv_quotes_what_must_be)
{
    char *text = read_file("annotations.csv");

    ck_assert_str_eq(text, "file,name,class,x,y,width,height,area,score\n"
                           "\"in/one, <1>.png\",one,\"nodule & \"\"co\"\"\",1,1,2,3,5,0.500000\n"
                           "\"in/one, <1>.png\",one,\"nodule & \"\"co\"\"\",5,1,1,2,2,0.500000\n"
                           "in/?.png,three,\"nodule & \"\"co\"\"\",0,0,2,2,4,0.500000\n"
                           "in/?.png,three,effusion,0,0,2,2,4,0.500000\n");
    free(text);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
    tg_annotations *a;
    unsigned formats;

    ck_assert_tg_fails(tg_annotate_formats_parse("coco,excel", &formats), TG_ERR_ARGUMENT);
    ck_assert_tg_ok(tg_annotations_new(folder, TG_ANNOTATE_COCO, classes, 2, &a));
    ck_assert_tg_fails(tg_annotations_add(a, &(tg_annotated){"x", "x.png", 5, 4, 0}, &tags[0]),
                       TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_annotations_add(a, &(tg_annotated){"x", "x.png", 6, 4, 2}, &tags[0]),
                       TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_annotations_add(a, &(tg_annotated){"a/x", "x.png", 6, 4, 0}, &tags[0]),
                       TG_ERR_ARGUMENT);
    tg_annotations_free(a);
}
END_TEST

START_TEST(numbers_have_a_point_and_round)
{
    tgi_text text = {0};

    ck_assert_tg_ok(tgi_text_add_fixed(&text, 0.9999996, 6));
    ck_assert_tg_ok(tgi_text_add(&text, " "));
    ck_assert_tg_ok(tgi_text_add_fixed(&text, -12.0305, 3));
    ck_assert_tg_ok(tgi_text_add(&text, " "));
    ck_assert_tg_ok(tgi_text_add_fixed(&text, -0.0001, 2));
    ck_assert_str_eq(text.data, "1.000000 -12.031 0.00");
    ck_assert_tg_fails(tgi_text_add_fixed(&text, NAN, 2), TG_ERR_NUMERIC);
    tgi_text_release(&text);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("annotate", 30);

    tcase_add_checked_fixture(tc, write_all, clean);
    tcase_add_test(tc, coco_holds_boxes_and_masks);
    tcase_add_test(tc, voc_counts_from_one_and_is_escaped);
    tcase_add_test(tc, yolo_holds_shares_of_the_sides);
    tcase_add_test(tc, label_studio_gets_predictions_in_percent);
    tcase_add_test(tc, csv_quotes_what_must_be);
    tcase_add_test(tc, refuses_what_does_not_fit);
    tcase_add_test(tc, numbers_have_a_point_and_round);
    return tg_run("annotate");
}

/* coco.c -- boxes of a COCO file go to the images of the set, found by their path or their name.
 * While a reader is at work images have no names and the set no classes yet: then paths alone count,
 * and boxes keep the names of their categories. */
#include "config.h"
#include "dataset/dataset.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

enum { COCO_BYTES_MAX = 1 << 30 };

/* An image of the file that is in the set; sorted by id. */
typedef struct coco_image {
    json_int_t id;
    size_t record;
} coco_image;

typedef struct coco_category {
    json_int_t id;
    const char *name;   /* NULL = none */
    size_t class_index; /* n_classes = no class of that name */
} coco_category;

typedef struct coco {
    const char *path;
    bool is_early; /* no names and no classes yet */
    json_t *root;
    coco_image *images;
    size_t n_images;
    coco_category *categories;
    size_t n_categories, n_strays; /* annotations of images that are not listed */
} coco;

static tg_status bad(const coco *c, const char *list, size_t i, const char *why)
{
    return tg_fail(TG_ERR_FORMAT, "cannot read '%s': %s[%zu] %s", c->path, list, i, why);
}

static int by_id(const void *a, const void *b)
{
    const coco_image *first = a, *second = b;

    return (first->id > second->id) - (first->id < second->id);
}

static tg_status parse(coco *c)
{
    tg_status status = TG_OK;
    char *bytes = NULL;
    size_t n;
    json_error_t error;

    TG_TRY(tgi_file_read(c->path, COCO_BYTES_MAX, &bytes, &n));
    c->root = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &error);
    if (!c->root)
        status = tg_fail(TG_ERR_FORMAT, "cannot read '%s', line %d: %s", c->path, error.line,
                         error.text);
    else if (!json_is_array(json_object_get(c->root, "images")) ||
             !json_is_array(json_object_get(c->root, "annotations")))
        status = tg_fail(
            TG_ERR_FORMAT,
            "cannot read '%s': no COCO file (it lacks the lists images and annotations)", c->path);
cleanup:
    free(bytes);
    return status;
}

/* Which images of the file are in the set: by path below its root, else by name. */
static tg_status match_images(coco *c, tg_dataset *set)
{
    tg_status status = TG_OK;
    json_t *list = json_object_get(c->root, "images"), *image;
    tgi_key *paths = NULL, *names = NULL;
    char *name = NULL;
    size_t i;

    TG_TRY(tgi_alloc(set->n_records, sizeof *paths, &paths));
    TG_TRY(tgi_alloc(set->n_records, sizeof *names, &names));
    TG_TRY(tgi_alloc(json_array_size(list), sizeof *c->images, &c->images));
    for (size_t r = 0; r < set->n_records; r++) {
        paths[r] = (tgi_key){set->records[r].path, r};
        names[r] = (tgi_key){c->is_early ? "" : set->records[r].name, r};
    }
    tgi_keys_sort(paths, set->n_records);
    tgi_keys_sort(names, set->n_records);
    json_array_foreach(list, i, image)
    {
        const char *file = json_string_value(json_object_get(image, "file_name"));
        const json_t *id = json_object_get(image, "id");
        const tgi_key *key;

        if (!file || !json_is_integer(id)) {
            status = bad(c, "images", i, "has no file_name or no whole number as id");
            goto cleanup;
        }
        key = tgi_keys_find(paths, set->n_records, file);
        if (!key && !c->is_early) {
            free(name);
            name = NULL;
            TG_TRY(tgi_strndup(tgi_path_name(file), tgi_stem_size(tgi_path_name(file)), &name));
            key = tgi_keys_find(names, set->n_records, name);
        }
        if (!key)
            continue;
        c->images[c->n_images++] = (coco_image){json_integer_value(id), key->i};
        set->records[key->i].boxes_width_px = json_number_value(json_object_get(image, "width"));
        set->records[key->i].boxes_height_px = json_number_value(json_object_get(image, "height"));
    }
    qsort(c->images, c->n_images, sizeof *c->images, by_id);
cleanup:
    free(paths);
    free(names);
    free(name);
    return status;
}

static tg_status match_categories(coco *c, const tg_dataset *set)
{
    tg_status status = TG_OK;
    json_t *list = json_object_get(c->root, "categories"), *category;
    size_t i;

    TG_TRY(tgi_alloc(json_array_size(list), sizeof *c->categories, &c->categories));
    json_array_foreach(list, i, category)
    {
        const char *name = json_string_value(json_object_get(category, "name"));

        c->categories[c->n_categories++] = (coco_category){
            json_integer_value(json_object_get(category, "id")), name,
            name && !c->is_early ? tgi_dataset_find_class(set, name) : set->n_classes};
    }
cleanup:
    return status;
}

/* Sets labelled with fewer words than their boxes: a box of another name belongs to the image's
 * first disease. */
static size_t class_of(const coco *c, const tg_dataset *set, size_t record, json_int_t category)
{
    for (size_t k = 0; k < c->n_categories; k++)
        if (c->categories[k].id == category && c->categories[k].class_index < set->n_classes)
            return c->categories[k].class_index;
    for (size_t k = 0; k < set->n_classes; k++)
        if (set->labels[record * set->n_classes + k] > 0)
            return k;
    return 0;
}

/* The name of a category; an annotation without one has no meaning to a reader. */
static const char *name_of(const coco *c, json_int_t category)
{
    for (size_t k = 0; k < c->n_categories; k++)
        if (c->categories[k].id == category)
            return c->categories[k].name;
    return NULL;
}

static tg_status add_early_box(coco *c, tg_dataset *set, size_t i, size_t record,
                               json_int_t category, const double v[4])
{
    const char *name = name_of(c, category);

    if (!name)
        return bad(c, "annotations", i, "has a category_id that categories does not explain");
    return tgi_dataset_add_box(set, &set->records[record], name, v[0], v[1], v[2], v[3]);
}

static tg_status add_box(coco *c, tg_dataset *set, size_t i, const json_t *annotation)
{
    tg_status status = TG_OK;
    const json_t *numbers = json_object_get(annotation, "bbox"),
                 *id = json_object_get(annotation, "image_id");
    const coco_image wanted = {json_integer_value(id), 0};
    const coco_image *image = NULL;
    double v[4];
    tgi_record *r;

    if (!json_is_integer(id) || json_array_size(numbers) != 4)
        return bad(c, "annotations", i,
                   "has no whole number as image_id or no bbox of four numbers");
    for (size_t k = 0; k < 4; k++) {
        const json_t *number = json_array_get(numbers, k);

        v[k] = json_number_value(number);
        if (!json_is_number(number) || !isfinite(v[k]) || fabs(v[k]) > 1e6 || (k > 1 && v[k] < 0))
            return bad(c, "annotations", i, "has a bbox with numbers that make no box");
    }
    if (c->n_images)
        image = bsearch(&wanted, c->images, c->n_images, sizeof *c->images, by_id);
    if (!image) {
        c->n_strays++;
        return TG_OK;
    }
    if (c->is_early)
        return add_early_box(c, set, i, image->record,
                             json_integer_value(json_object_get(annotation, "category_id")), v);
    r = &set->records[image->record];
    TG_TRY(tgi_grow(&r->boxes, &r->capacity_boxes, r->n_boxes + 1, sizeof *r->boxes));
    r->boxes[r->n_boxes++] =
        (tg_box){v[0], v[1], v[2], v[3],
                 class_of(c, set, image->record,
                          json_integer_value(json_object_get(annotation, "category_id")))};
cleanup:
    return status;
}

static tg_status read_file(tg_dataset *set, const char *path, bool is_early)
{
    tg_status status = TG_OK;
    coco c = {.path = path, .is_early = is_early};
    json_t *annotation;
    size_t i;

    TG_TRY(parse(&c));
    TG_TRY(match_images(&c, set));
    TG_TRY(match_categories(&c, set));
    json_array_foreach(json_object_get(c.root, "annotations"), i, annotation)
        TG_TRY(add_box(&c, set, i, annotation));
    if (c.n_strays && !is_early)
        tg_log(TG_LOG_WARNING, "%s: %zu boxes belong to images that are not in the set", path,
               c.n_strays);
cleanup:
    json_decref(c.root);
    free(c.images);
    free(c.categories);
    return status;
}

tg_status tgi_coco_read(tg_dataset *set, const char *path)
{
    return read_file(set, path, false);
}

tg_status tgi_coco_read_early(tg_dataset *set, const char *path)
{
    return read_file(set, path, true);
}

tg_status tgi_coco_images(const char *path, tgi_coco_image_fn *visit, void *user)
{
    tg_status status = TG_OK;
    coco c = {.path = path};
    json_t *image;
    size_t i;

    TG_TRY(parse(&c));
    json_array_foreach(json_object_get(c.root, "images"), i, image)
    {
        const char *file = json_string_value(json_object_get(image, "file_name"));

        if (!file) {
            status = bad(&c, "images", i, "has no file_name");
            goto cleanup;
        }
        TG_TRY(visit(file, i, user));
    }
cleanup:
    json_decref(c.root);
    return status;
}

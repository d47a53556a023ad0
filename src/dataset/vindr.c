/* vindr.c -- reads VinDr-CXR [nguyen2022] from its folder or from one of its tables.
 *
 * A row is one box of one reader, in pixels of the original image, or "No finding" without a box; an
 * image has up to three readers, its rows need not lie together. Kaggle has train.csv, PhysioNet
 * annotations_{train,test}.csv with the columns in another order. Shrunk copies come with
 * train_meta.csv: image_id, dim0 (height), dim1 (width) of the originals. */
#include "config.h"
#include "dataset/published.h"
#include "dataset/shelf.h"
#include "dataset/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

enum { NO_FINDING_ID = 14 };

/* Boxes of one finding by two readers are one when they share more than that of their union. */
static const double same_box_iou = 0.4;

static const struct part {
    const char *table;
    tg_split split;
} parts[] = {
    {"train.csv", TG_SPLIT_TRAIN},
    {"annotations_train.csv", TG_SPLIT_TRAIN},
    {"annotations/annotations_train.csv", TG_SPLIT_TRAIN},
    {"annotations_test.csv", TG_SPLIT_TEST},
    {"annotations/annotations_test.csv", TG_SPLIT_TEST},
};

static const char *const image_folders[] = {"train", "test", "images", ""};

/* A box that several readers may have drawn: the mean of theirs. */
typedef struct fused {
    const char *name;
    double edge[4]; /* x_min, y_min, x_max, y_max */
    size_t n;       /* drawn by so many */
} fused;

typedef struct reader {
    tg_dataset *set;
    const tg_dataset_opts *opts;
    tgi_table table, meta;
    tgi_shelf shelf;
    tgi_key *meta_rows;              /* by image; i is the row */
    size_t height, width;            /* columns of meta */
    size_t image, name, id, edge[4]; /* columns of table */
    fused *boxes;                    /* of the image at work */
    size_t n_boxes, capacity;
    tgi_left_out left_out;
} reader;

static bool is_table(const char *path)
{
    static const char *const titles[] = {"image_id", "class_name", "x_min", "y_max"};

    return tgi_table_has_titles(path, titles, TG_COUNT(titles));
}

bool tgi_vindr_recognises(const char *spec)
{
    if (!tgi_is_folder(spec))
        return tgi_is_file(spec) && is_table(spec);
    for (size_t k = 0; k < TG_COUNT(parts); k++)
        if (tgi_is_below(spec, parts[k].table, is_table))
            return true;
    return false;
}

static tg_status find_columns(reader *r)
{
    static const char *const edges[] = {"x_min", "y_min", "x_max", "y_max"};
    tg_status status = TG_OK;

    TG_TRY(tgi_table_need(&r->table, "image_id", &r->image));
    TG_TRY(tgi_table_need(&r->table, "class_name", &r->name));
    for (size_t k = 0; k < 4; k++)
        TG_TRY(tgi_table_need(&r->table, edges[k], &r->edge[k]));
    r->id = tgi_table_find(&r->table, "class_id");
cleanup:
    return status;
}

static tg_status read_meta(reader *r)
{
    tg_status status = TG_OK;
    char *path = NULL;
    size_t image;

    TG_TRY(tgi_path_join(r->set->root, "train_meta.csv", &path));
    if (!tgi_is_file(path))
        goto cleanup;
    TG_TRY(tgi_table_open(r->set, path, &r->meta));
    TG_TRY(tgi_table_need(&r->meta, "image_id", &image));
    TG_TRY(tgi_table_need(&r->meta, "dim0", &r->height));
    TG_TRY(tgi_table_need(&r->meta, "dim1", &r->width));
    TG_TRY(tgi_table_sort_rows(&r->meta, image, &r->meta_rows));
cleanup:
    free(path);
    return status;
}

/* The size of the original, where it is told. */
static tg_status read_size(const reader *r, const char *image, tgi_record *record)
{
    tg_status status = TG_OK;
    const tgi_key *key =
        r->meta_rows ? tgi_keys_find(r->meta_rows, r->meta.csv.n_rows - 1, image) : NULL;
    double width, height;

    if (!key)
        return TG_OK;
    TG_TRY(tgi_table_number(&r->meta, key->i, r->height, &height));
    TG_TRY(tgi_table_number(&r->meta, key->i, r->width, &width));
    if (width < 1 || height < 1)
        return tgi_table_bad(&r->meta, key->i, "%g x %g is no size of an image", width, height);
    record->boxes_width_px = width;
    record->boxes_height_px = height;
cleanup:
    return status;
}

static double area_of(const double edge[4])
{
    return edge[2] > edge[0] && edge[3] > edge[1] ? (edge[2] - edge[0]) * (edge[3] - edge[1]) : 0;
}

static double iou_of(const double a[4], const double b[4])
{
    const double both[4] = {a[0] > b[0] ? a[0] : b[0], a[1] > b[1] ? a[1] : b[1],
                            a[2] < b[2] ? a[2] : b[2], a[3] < b[3] ? a[3] : b[3]};
    const double common = area_of(both);

    return common / (area_of(a) + area_of(b) - common);
}

/* Into the box of that finding that it overlaps most, or as a new one. */
static tg_status fuse(reader *r, const char *name, const double edge[4])
{
    tg_status status = TG_OK;
    fused *best = NULL;
    double best_iou = same_box_iou;

    for (size_t k = 0; k < r->n_boxes; k++) {
        const double iou = strcmp(r->boxes[k].name, name) == 0 ? iou_of(r->boxes[k].edge, edge) : 0;

        if (iou > best_iou) {
            best_iou = iou;
            best = &r->boxes[k];
        }
    }
    if (!best) {
        TG_TRY(tgi_grow(&r->boxes, &r->capacity, r->n_boxes + 1, sizeof *r->boxes));
        best = &r->boxes[r->n_boxes++];
        *best = (fused){.name = name};
    }
    best->n++;
    for (size_t k = 0; k < 4; k++)
        best->edge[k] += (edge[k] - best->edge[k]) / (double)best->n;
cleanup:
    return status;
}

/* One reader's word on one thing. */
static tg_status read_row(reader *r, size_t row)
{
    tg_status status = TG_OK;
    const char *name = tgi_table_field(&r->table, row, r->name);
    const bool is_healthy = tgi_same_word(name, "No finding");
    double edge[4], id;

    TG_TRY(tgi_table_check_row(&r->table, row, r->table.n_columns));
    if (!*tgi_table_field(&r->table, row, r->image) || !*name)
        return tgi_table_bad(&r->table, row, "no image or no class is named");
    if (r->id != SIZE_MAX) {
        TG_TRY(tgi_table_number(&r->table, row, r->id, &id));
        if ((id == NO_FINDING_ID) != is_healthy)
            return tgi_table_bad(&r->table, row, "class_id %g is not that of '%s'", id, name);
    }
    if (is_healthy) {
        for (size_t k = 0; k < 4; k++)
            if (*tgi_table_field(&r->table, row, r->edge[k]))
                return tgi_table_bad(&r->table, row, "'%s' has a box", name);
        return TG_OK;
    }
    for (size_t k = 0; k < 4; k++)
        TG_TRY(tgi_table_number(&r->table, row, r->edge[k], &edge[k]));
    if (edge[0] < 0 || edge[1] < 0 || area_of(edge) <= 0)
        return tgi_table_bad(&r->table, row, "%g,%g,%g,%g is no box", edge[0], edge[1], edge[2],
                             edge[3]);
    TG_TRY(fuse(r, name, edge));
cleanup:
    return status;
}

/* The findings of the image at work that are asked for, each once. */
static tg_status list_findings(const reader *r, tgi_text *text)
{
    tg_status status = TG_OK;

    for (size_t k = 0; k < r->n_boxes; k++) {
        size_t first = 0;

        while (strcmp(r->boxes[first].name, r->boxes[k].name) != 0)
            first++;
        if (first == k && tgi_is_class_wanted(r->opts, r->boxes[k].name))
            TG_TRY(tgi_text_add(text, "%s%s", text->size ? ";" : "", r->boxes[k].name));
    }
cleanup:
    return status;
}

/* The image of rows[0..n): what all its readers marked. */
static tg_status read_image(reader *r, const tgi_key *rows, size_t n, tg_split split)
{
    tg_status status = TG_OK;
    tgi_text findings = {0};
    const char *path;
    tgi_record *record;

    r->n_boxes = 0;
    for (size_t k = 0; k < n; k++)
        TG_TRY(read_row(r, rows[k].i));
    TG_TRY(list_findings(r, &findings));
    r->left_out.n_rows++;
    if (r->n_boxes && !findings.size) {
        r->left_out.unlabelled++;
        goto cleanup;
    }
    path = tgi_shelf_find(&r->shelf, rows[0].text);
    TG_TRY(tgi_dataset_add_file(r->set, r->table.path, r->table.csv.line[rows[0].i],
                                path ? path : rows[0].text, &record));
    if (!record)
        goto cleanup;
    record->split = split;
    r->set->has_split[split] = true;
    TG_TRY(tgi_strdup("", &record->patient));
    TG_TRY(tgi_strdup(findings.size ? findings.data : "", &record->label_text));
    TG_TRY(read_size(r, rows[0].text, record));
    for (size_t k = 0; k < r->n_boxes; k++) {
        const double *e = r->boxes[k].edge;

        TG_TRY(tgi_dataset_add_box(r->set, record, r->boxes[k].name, e[0], e[1], e[2] - e[0],
                                   e[3] - e[1]));
    }
cleanup:
    tgi_text_release(&findings);
    return status;
}

static tg_status read_table(reader *r, const char *path, tg_split split)
{
    tg_status status = TG_OK;
    tgi_key *rows = NULL;
    size_t n, end;

    r->left_out = (tgi_left_out){0};
    TG_TRY(tgi_table_open(r->set, path, &r->table));
    TG_TRY(find_columns(r));
    TG_TRY(tgi_table_sort_rows(&r->table, r->image, &rows));
    n = r->table.csv.n_rows - 1;
    for (size_t first = 0; first < n; first = end) {
        for (end = first + 1; end < n && strcmp(rows[end].text, rows[first].text) == 0;)
            end++;
        TG_TRY(read_image(r, rows + first, end - first, split));
    }
    r->set->has_boxes |= n > 0;
    tgi_left_out_report(&r->left_out, path);
cleanup:
    tgi_table_release(&r->table);
    free(rows);
    return status;
}

static tg_status read_tables(reader *r, const char *spec)
{
    tg_status status = TG_OK;
    char *path = NULL;
    size_t n = 0;

    for (size_t k = 0; k < TG_COUNT(parts); k++) {
        if (!tgi_is_below(spec, parts[k].table, is_table))
            continue;
        free(path);
        path = NULL;
        TG_TRY(tgi_path_join(spec, parts[k].table, &path));
        TG_TRY(read_table(r, path, parts[k].split));
        n++;
    }
    if (!n)
        status = tg_fail(TG_ERR_FORMAT,
                         "cannot open '%s': no VinDr-CXR set (looked for train.csv, "
                         "annotations_train.csv and annotations_test.csv, here and in "
                         "annotations, with the columns image_id, class_name, x_min)",
                         spec);
cleanup:
    free(path);
    return status;
}

tg_status tgi_vindr_read(tg_dataset *set, const char *spec, const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;
    const bool is_file = tgi_is_file(spec);
    reader r = {.set = set, .opts = opts};

    TG_TRY(tgi_strndup(spec, is_file ? (size_t)(tgi_path_name(spec) - spec) : strlen(spec),
                       &set->root));
    for (size_t k = 0; k < TG_COUNT(image_folders); k++)
        TG_TRY(tgi_shelf_add(&r.shelf, set->root, image_folders[k]));
    TG_TRY(tgi_shelf_sort(&r.shelf));
    TG_TRY(read_meta(&r));
    TG_TRY(is_file ? read_table(&r, spec, TG_SPLIT_TRAIN) : read_tables(&r, spec));
    TG_TRY(tgi_dataset_finish(set, opts));
cleanup:
    tgi_table_release(&r.table);
    tgi_table_release(&r.meta);
    tgi_shelf_release(&r.shelf);
    free(r.meta_rows);
    free(r.boxes);
    return status;
}

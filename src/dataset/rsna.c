/* rsna.c -- reads the RSNA pneumonia detection challenge [shih2019] from its folder or from its
 * table of boxes.
 *
 * stage_2_train_labels.csv has a row for each box of an image, in pixels of 1024 x 1024, and one
 * with Target 0 and no box for each image without; stage_2_detailed_class_info.csv tells which of
 * these are normal. patientId names the image. The images are some of ChestX-ray14, from where
 * rsna_to_nih.csv knows the patients. */
#include "config.h"
#include "dataset/published.h"
#include "dataset/shelf.h"
#include "dataset/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "base/banned.h"

enum { BOXES_SIDE_PX = 1024 };

static const char labels_name[] = "stage_2_train_labels.csv";
static const char classes_name[] = "stage_2_detailed_class_info.csv";
static const char patients_name[] = "rsna_to_nih.csv";

static const char opacity[] = "Lung Opacity", normal[] = "Normal";
static const char other[] = "No Lung Opacity / Not Normal";

static const char *const image_folders[] = {"stage_2_train_images", "train", "images", ""};

/* A table that tells one thing of each image, sorted by image. */
typedef struct lookup {
    tgi_table table;
    size_t value;  /* its column */
    tgi_key *rows; /* NULL without a table */
} lookup;

typedef struct reader {
    tg_dataset *set;
    const tg_dataset_opts *opts;
    tgi_table table;
    tgi_shelf shelf;
    lookup classes, patients;
    size_t image, edge[4], target; /* columns */
    tgi_left_out left_out;
} reader;

static bool is_table(const char *path)
{
    static const char *const titles[] = {"patientId", "x", "y", "width", "height", "Target"};

    return tgi_table_has_titles(path, titles, TG_COUNT(titles));
}

bool tgi_rsna_recognises(const char *spec)
{
    return tgi_is_folder(spec) ? tgi_is_below(spec, labels_name, is_table)
                               : tgi_is_file(spec) && is_table(spec);
}

/* The table of that name below the root, where it is there. */
static tg_status open_lookup(reader *r, const char *name, const char *value, lookup *out)
{
    tg_status status = TG_OK;
    char *path = NULL;
    size_t image;

    TG_TRY(tgi_path_join(r->set->root, name, &path));
    if (!tgi_is_file(path))
        goto cleanup;
    TG_TRY(tgi_table_open(r->set, path, &out->table));
    TG_TRY(tgi_table_need(&out->table, "patientId", &image));
    TG_TRY(tgi_table_need(&out->table, value, &out->value));
    for (size_t row = 1; row < out->table.csv.n_rows; row++)
        TG_TRY(tgi_table_check_row(&out->table, row, out->table.n_columns));
    TG_TRY(tgi_table_sort_rows(&out->table, image, &out->rows));
cleanup:
    free(path);
    return status;
}

/* What the table tells of an image, and the row; NULL where it is silent. */
static const char *look_up(const lookup *l, const char *image, size_t *row)
{
    const tgi_key *key = l->rows ? tgi_keys_find(l->rows, l->table.csv.n_rows - 1, image) : NULL;

    if (!key)
        return NULL;
    *row = key->i;
    return tgi_table_field(&l->table, key->i, l->value);
}

static tg_status check_classes(const lookup *l)
{
    for (size_t row = 1; l->rows && row < l->table.csv.n_rows; row++) {
        const char *name = tgi_table_field(&l->table, row, l->value);

        if (strcmp(name, opacity) != 0 && strcmp(name, normal) != 0 && strcmp(name, other) != 0)
            return tgi_table_bad(&l->table, row, "class is '%s' (%s, %s or %s is known)", name,
                                 normal, opacity, other);
    }
    return TG_OK;
}

static tg_status find_columns(reader *r)
{
    static const char *const edges[] = {"x", "y", "width", "height"};
    tg_status status = TG_OK;

    TG_TRY(tgi_table_need(&r->table, "patientId", &r->image));
    TG_TRY(tgi_table_need(&r->table, "Target", &r->target));
    for (size_t k = 0; k < 4; k++)
        TG_TRY(tgi_table_need(&r->table, edges[k], &r->edge[k]));
cleanup:
    return status;
}

/* A row's box, *has_box = false where it says that there is none. */
static tg_status read_row(const reader *r, size_t row, double box[4], bool *has_box)
{
    tg_status status = TG_OK;
    const char *target = tgi_table_field(&r->table, row, r->target);

    TG_TRY(tgi_table_check_row(&r->table, row, r->table.n_columns));
    *has_box = strcmp(target, "1") == 0;
    if (!*tgi_table_field(&r->table, row, r->image))
        return tgi_table_bad(&r->table, row, "no patientId");
    if (!*has_box && strcmp(target, "0") != 0)
        return tgi_table_bad(&r->table, row, "Target is '%s' (0 or 1 is known)", target);
    for (size_t k = 0; k < 4; k++) {
        if (*has_box)
            TG_TRY(tgi_table_number(&r->table, row, r->edge[k], &box[k]));
        else if (*tgi_table_field(&r->table, row, r->edge[k]))
            return tgi_table_bad(&r->table, row, "Target is 0, but there is a box");
    }
    if (*has_box && (box[0] < 0 || box[1] < 0 || box[0] >= BOXES_SIDE_PX ||
                     box[1] >= BOXES_SIDE_PX || box[2] <= 0 || box[3] <= 0))
        return tgi_table_bad(&r->table, row, "%g,%g,%g,%g is no box of an image of %d x %d pixels",
                             box[0], box[1], box[2], box[3], BOXES_SIDE_PX, BOXES_SIDE_PX);
cleanup:
    return status;
}

/* The label of an image with or without boxes, NULL when it is to be left out. */
static tg_status find_label(reader *r, size_t row, bool has_box, const char **out)
{
    size_t at = 0;
    const char *image = tgi_table_field(&r->table, row, r->image);
    const char *name = look_up(&r->classes, image, &at);

    if (name && (strcmp(name, opacity) == 0) != has_box)
        return tgi_table_bad(&r->classes.table, at,
                             "'%s' is '%s', but line %zu of %s says Target %d", image, name,
                             r->table.csv.line[row], labels_name, has_box);
    if (has_box)
        *out = tgi_is_class_wanted(r->opts, opacity) ? opacity : NULL;
    else if (name ? strcmp(name, normal) == 0 : !r->classes.rows)
        *out = "";
    else
        *out = r->opts->classes && tgi_is_class_wanted(r->opts, other) ? other : NULL;
    r->left_out.unlabelled += !*out;
    return TG_OK;
}

/* The patient's number begins the name of the image there: 00000061_012.png */
static tg_status find_patient(const reader *r, const char *image, char **out)
{
    size_t row;
    const char *name = look_up(&r->patients, image, &row);

    return tgi_strndup(name ? name : "", name ? strcspn(name, "_.") : 0, out);
}

/* The record of the image that a row is the first of; NULL when it is left out or not there. */
static tg_status begin_image(reader *r, const tgi_key *row, bool has_box, tgi_record **out)
{
    tg_status status = TG_OK;
    const char *label = NULL, *path = tgi_shelf_find(&r->shelf, row->text);

    r->left_out.n_rows++;
    TG_TRY(find_label(r, row->i, has_box, &label));
    if (!label)
        goto cleanup;
    TG_TRY(tgi_dataset_add_file(r->set, r->table.path, r->table.csv.line[row->i],
                                path ? path : row->text, out));
    if (!*out)
        goto cleanup;
    r->set->has_split[TG_SPLIT_TRAIN] = true;
    (*out)->boxes_width_px = (*out)->boxes_height_px = BOXES_SIDE_PX;
    TG_TRY(tgi_strdup(label, &(*out)->label_text));
    TG_TRY(find_patient(r, row->text, &(*out)->patient));
cleanup:
    return status;
}

/* The image of rows[0..n). */
static tg_status read_image(reader *r, const tgi_key *rows, size_t n)
{
    tg_status status = TG_OK;
    tgi_record *record = NULL;
    double box[4] = {0};
    bool has_box = false, had_box = false;

    for (size_t k = 0; k < n; k++) {
        TG_TRY(read_row(r, rows[k].i, box, &has_box));
        if (!k)
            TG_TRY(begin_image(r, rows, has_box, &record));
        else if (has_box != had_box)
            return tgi_table_bad(&r->table, rows[k].i, "'%s' has Target 0 and 1 (see line %zu)",
                                 rows[k].text, r->table.csv.line[rows[0].i]);
        had_box = has_box;
        if (record && has_box)
            TG_TRY(tgi_dataset_add_box(r->set, record, opacity, box[0], box[1], box[2], box[3]));
    }
cleanup:
    return status;
}

static tg_status read_table(reader *r, const char *path)
{
    tg_status status = TG_OK;
    tgi_key *rows = NULL;
    size_t n, end;

    TG_TRY(tgi_table_open(r->set, path, &r->table));
    TG_TRY(find_columns(r));
    TG_TRY(tgi_table_sort_rows(&r->table, r->image, &rows));
    n = r->table.csv.n_rows - 1;
    for (size_t first = 0; first < n; first = end) {
        for (end = first + 1; end < n && strcmp(rows[end].text, rows[first].text) == 0;)
            end++;
        TG_TRY(read_image(r, rows + first, end - first));
    }
    tgi_left_out_report(&r->left_out, path);
    if (!r->classes.rows)
        tg_log(TG_LOG_WARNING, "%s: no %s: all images without a box are taken for healthy",
               r->set->spec, classes_name);
cleanup:
    free(rows);
    return status;
}

tg_status tgi_rsna_read(tg_dataset *set, const char *spec, const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;
    const bool is_file = tgi_is_file(spec);
    reader r = {.set = set, .opts = opts};
    char *path = NULL;

    if (!is_file && !tgi_is_below(spec, labels_name, tgi_is_file))
        return tg_fail(TG_ERR_FORMAT, "cannot open '%s': no RSNA pneumonia set (looked for %s)",
                       spec, labels_name);
    TG_TRY(tgi_strndup(spec, is_file ? (size_t)(tgi_path_name(spec) - spec) : strlen(spec),
                       &set->root));
    for (size_t k = 0; k < TG_COUNT(image_folders); k++)
        TG_TRY(tgi_shelf_add(&r.shelf, set->root, image_folders[k]));
    TG_TRY(tgi_shelf_sort(&r.shelf));
    TG_TRY(open_lookup(&r, classes_name, "class", &r.classes));
    TG_TRY(check_classes(&r.classes));
    TG_TRY(open_lookup(&r, patients_name, "nih_image", &r.patients));
    TG_TRY(tgi_path_join(set->root, labels_name, &path));
    TG_TRY(read_table(&r, is_file ? spec : path));
    TG_TRY(tgi_dataset_finish(set, opts));
cleanup:
    tgi_table_release(&r.table);
    tgi_table_release(&r.classes.table);
    tgi_table_release(&r.patients.table);
    tgi_shelf_release(&r.shelf);
    free(r.classes.rows);
    free(r.patients.rows);
    free(path);
    return status;
}

/* nih.c -- reads NIH ChestX-ray14 [wang2017] from its folder or from its table.
 *
 * Data_Entry_2017*.csv names images of images/ or images_001/images/ to images_012/images/ (one
 * archive is enough) with "A|B" or "No Finding"; train_val_list.txt and test_list.txt are the
 * official split, by patient; BBox_List_2017.csv has boxes of some test images, in pixels of 1024 x
 * 1024, for measuring. */
#include "config.h"
#include "dataset/list.h"
#include "dataset/published.h"
#include "dataset/shelf.h"
#include "dataset/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

enum { BOXES_SIDE_PX = 1024 };

static const char *const findings[] = {
    "Atelectasis", "Cardiomegaly",       "Consolidation", "Edema",        "Effusion",
    "Emphysema",   "Fibrosis",           "Hernia",        "Infiltration", "Mass",
    "Nodule",      "Pleural_Thickening", "Pneumonia",     "Pneumothorax",
};

typedef struct reader {
    tg_dataset *set;
    const tg_dataset_opts *opts;
    tgi_table table, boxes;
    tgi_shelf shelf;
    tgi_list train, test;
    size_t image, labels, patient, sex, view; /* columns */
    size_t n_unlisted;
    tgi_left_out left_out;
} reader;

static bool is_table(const char *path)
{
    static const char *const titles[] = {"Image Index", "Finding Labels", "Patient ID"};

    return tgi_table_has_titles(path, titles, TG_COUNT(titles));
}

/* The table in a folder: the newest release of its known names, else the first that looks like it.
 */
static tg_status find_table(const char *folder, char **out)
{
    static const char *const known[] = {"Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv"};
    tg_status status = TG_OK;
    char **names = NULL;
    size_t n = 0;

    *out = NULL;
    for (size_t k = 0; k < TG_COUNT(known); k++)
        if (tgi_is_below(folder, known[k], is_table))
            return tgi_path_join(folder, known[k], out);
    TG_TRY(tgi_folder_list(folder, &names, &n));
    for (size_t i = 0; i < n && !*out; i++)
        if (tgi_starts_with(names[i], "Data_Entry") && tgi_is_below(folder, names[i], is_table))
            TG_TRY(tgi_path_join(folder, names[i], out));
cleanup:
    tgi_names_free(names, n);
    return status;
}

bool tgi_nih_recognises(const char *spec)
{
    char *path = NULL;
    const bool is = tgi_is_folder(spec) ? find_table(spec, &path) == TG_OK && path != NULL
                                        : tgi_is_file(spec) && is_table(spec);

    free(path);
    return is;
}

/* images, images_001, images/images and the like. */
static tg_status find_images(reader *r)
{
    tg_status status = TG_OK;
    char **names = NULL, *inner = NULL;
    size_t n = 0;

    TG_TRY(tgi_folder_list(*r->set->root ? r->set->root : ".", &names, &n));
    for (size_t i = 0; i < n; i++) {
        if (!tgi_starts_with(names[i], "images"))
            continue;
        TG_TRY(tgi_shelf_add(&r->shelf, r->set->root, names[i]));
        free(inner);
        inner = NULL;
        TG_TRY(tgi_path_join(names[i], "images", &inner));
        TG_TRY(tgi_shelf_add(&r->shelf, r->set->root, inner));
    }
    TG_TRY(tgi_shelf_sort(&r->shelf));
cleanup:
    tgi_names_free(names, n);
    free(inner);
    return status;
}

static bool is_image(const char *name)
{
    return !name[strcspn(name, " ,\t")] && tgi_is_image_name(name);
}

static tg_status read_list(reader *r, const char *name, tgi_list *out)
{
    tg_status status = TG_OK;
    char *path = NULL;

    TG_TRY(tgi_path_join(r->set->root, name, &path));
    if (tgi_is_file(path))
        TG_TRY(tgi_list_read(r->set, path, is_image, out));
    tgi_list_sort(out);
cleanup:
    free(path);
    return status;
}

static tg_status find_columns(reader *r)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_table_need(&r->table, "Image Index", &r->image));
    TG_TRY(tgi_table_need(&r->table, "Finding Labels", &r->labels));
    TG_TRY(tgi_table_need(&r->table, "Patient ID", &r->patient));
    TG_TRY(tgi_table_need(&r->table, "View Position", &r->view));
    r->sex = tgi_table_find(&r->table, "Patient Gender");
    if (r->sex == SIZE_MAX)
        TG_TRY(tgi_table_need(&r->table, "Patient Sex", &r->sex));
cleanup:
    return status;
}

static const char *find_finding(const char *name, size_t n)
{
    for (size_t k = 0; k < TG_COUNT(findings); k++)
        if (strlen(findings[k]) == n && strncmp(findings[k], name, n) == 0)
            return findings[k];
    return NULL;
}

/* "A|B" -> "A;B" of the classes that are asked for; *is_out when there is none of them. */
static tg_status read_labels(reader *r, size_t row, tgi_text *text, bool *is_out)
{
    tg_status status = TG_OK;
    const char *field = tgi_table_field(&r->table, row, r->labels), *end;

    *is_out = false;
    if (strcmp(field, "No Finding") == 0)
        return TG_OK;
    for (const char *part = field; part; part = *end ? end + 1 : NULL) {
        const char *name;

        end = part + strcspn(part, "|");
        name = find_finding(part, (size_t)(end - part));
        if (!name) {
            status = tgi_table_bad(&r->table, row, "unknown finding '%.*s' in '%s'",
                                   (int)(end - part), part, field);
            goto cleanup;
        }
        if (tgi_is_class_wanted(r->opts, name))
            TG_TRY(tgi_text_add(text, "%s%s", text->size ? ";" : "", name));
    }
    *is_out = !text->size;
    r->left_out.unlabelled += *is_out;
cleanup:
    return status;
}

static tg_status check_choice(reader *r, size_t row, bool *is_out)
{
    const char *view = tgi_table_field(&r->table, row, r->view);
    const char *sex = tgi_table_field(&r->table, row, r->sex);

    if (strcmp(view, "PA") != 0 && strcmp(view, "AP") != 0)
        return tgi_table_bad(&r->table, row, "View Position is '%s' (PA or AP is known)", view);
    if (strcmp(sex, "M") != 0 && strcmp(sex, "F") != 0)
        return tgi_table_bad(&r->table, row, "Patient Gender is '%s' (M or F is known)", sex);
    *is_out = true;
    if (!tgi_is_view_wanted(r->opts, true, view))
        r->left_out.view++;
    else if (!tgi_is_sex_wanted(r->opts, sex))
        r->left_out.sex++;
    else
        *is_out = false;
    return TG_OK;
}

/* By the official lists; what stands in none of them is for training. */
static tg_split split_of(reader *r, const char *name)
{
    if (tgi_list_find(&r->test, name))
        return TG_SPLIT_TEST;
    r->n_unlisted += r->train.n && !tgi_list_find(&r->train, name);
    return TG_SPLIT_TRAIN;
}

static tg_status read_row(reader *r, size_t row)
{
    tg_status status = TG_OK;
    tgi_text labels = {0};
    const char *name = tgi_table_field(&r->table, row, r->image), *path;
    const char *patient = tgi_table_field(&r->table, row, r->patient);
    bool is_out = false;
    tgi_record *record;

    TG_TRY(tgi_table_check_row(&r->table, row, r->table.n_columns));
    if (!is_image(name) || !*patient) {
        status =
            tgi_table_bad(&r->table, row, "Image Index is '%s', Patient ID is '%s'", name, patient);
        goto cleanup;
    }
    r->left_out.n_rows++;
    TG_TRY(read_labels(r, row, &labels, &is_out));
    if (!is_out)
        TG_TRY(check_choice(r, row, &is_out));
    if (is_out)
        goto cleanup;
    path = tgi_shelf_find(&r->shelf, name);
    TG_TRY(tgi_dataset_add_file(r->set, r->table.path, r->table.csv.line[row], path ? path : name,
                                &record));
    if (!record)
        goto cleanup;
    record->split = split_of(r, name);
    r->set->has_split[record->split] = true;
    record->boxes_width_px = record->boxes_height_px = BOXES_SIDE_PX;
    TG_TRY(tgi_strdup(patient, &record->patient));
    TG_TRY(tgi_strdup(labels.size ? labels.data : "", &record->label_text));
cleanup:
    tgi_text_release(&labels);
    return status;
}

/* x, y, w, h stand in four columns, of which the first is called "Bbox [x". */
static tg_status read_box(reader *r, size_t row, size_t first, const tgi_key *images)
{
    tg_status status = TG_OK;
    const char *path = tgi_shelf_find(&r->shelf, tgi_table_field(&r->boxes, row, 0));
    const char *finding = tgi_table_field(&r->boxes, row, 1);
    const tgi_key *key;
    double v[4];

    TG_TRY(tgi_table_check_row(&r->boxes, row, first + 4));
    for (size_t k = 0; k < 4; k++)
        TG_TRY(tgi_table_number(&r->boxes, row, first + k, &v[k]));
    if (v[0] < 0 || v[1] < 0 || v[0] >= BOXES_SIDE_PX || v[1] >= BOXES_SIDE_PX || v[2] <= 0 ||
        v[3] <= 0)
        return tgi_table_bad(&r->boxes, row, "%g,%g,%g,%g is no box of an image of %d x %d pixels",
                             v[0], v[1], v[2], v[3], BOXES_SIDE_PX, BOXES_SIDE_PX);
    if (strcmp(finding, "Infiltrate") == 0) /* as this file alone spells it */
        finding = "Infiltration";
    if (!find_finding(finding, strlen(finding)))
        return tgi_table_bad(&r->boxes, row, "unknown finding '%s'", finding);
    key = path ? tgi_keys_find(images, r->set->n_records, path) : NULL;
    if (key)
        TG_TRY(
            tgi_dataset_add_box(r->set, &r->set->records[key->i], finding, v[0], v[1], v[2], v[3]));
cleanup:
    return status;
}

static tg_status read_boxes(reader *r)
{
    tg_status status = TG_OK;
    tgi_key *images = NULL;
    char *path = NULL;
    size_t first;

    TG_TRY(tgi_path_join(r->set->root, "BBox_List_2017.csv", &path));
    if (!tgi_is_file(path))
        goto cleanup;
    TG_TRY(tgi_alloc(r->set->n_records, sizeof *images, &images));
    for (size_t i = 0; i < r->set->n_records; i++)
        images[i] = (tgi_key){r->set->records[i].path, i};
    tgi_keys_sort(images, r->set->n_records);
    TG_TRY(tgi_table_open(r->set, path, &r->boxes));
    TG_TRY(tgi_table_need(&r->boxes, "Bbox [x", &first));
    for (size_t row = 1; row < r->boxes.csv.n_rows; row++)
        TG_TRY(read_box(r, row, first, images));
cleanup:
    free(images);
    free(path);
    return status;
}

static tg_status read_tables(reader *r, const char *path)
{
    tg_status status = TG_OK;

    TG_TRY(find_images(r));
    TG_TRY(read_list(r, "train_val_list.txt", &r->train));
    TG_TRY(read_list(r, "test_list.txt", &r->test));
    TG_TRY(tgi_list_check_apart(&r->train, &r->test));
    TG_TRY(tgi_table_open(r->set, path, &r->table));
    TG_TRY(find_columns(r));
    for (size_t row = 1; row < r->table.csv.n_rows; row++)
        TG_TRY(read_row(r, row));
    tgi_left_out_report(&r->left_out, path);
    if (r->n_unlisted)
        tg_log(TG_LOG_WARNING,
               "%s: %zu images are in neither train_val_list.txt nor test_list.txt (taken for "
               "training)",
               r->set->spec, r->n_unlisted);
    TG_TRY(read_boxes(r));
cleanup:
    return status;
}

tg_status tgi_nih_read(tg_dataset *set, const char *spec, const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;
    reader r = {.set = set, .opts = opts};
    char *path = NULL;

    if (tgi_is_folder(spec)) {
        TG_TRY(tgi_strdup(spec, &set->root));
        TG_TRY(find_table(spec, &path));
    } else {
        TG_TRY(tgi_strndup(spec, (size_t)(tgi_path_name(spec) - spec), &set->root));
        TG_TRY(tgi_strdup(spec, &path));
    }
    if (!path) {
        status = tg_fail(TG_ERR_FORMAT,
                         "cannot open '%s': no ChestX-ray14 set (looked for Data_Entry_2017*.csv "
                         "with the columns Image Index, Finding Labels, Patient ID)",
                         spec);
        goto cleanup;
    }
    TG_TRY(read_tables(&r, path));
    TG_TRY(tgi_dataset_finish(set, opts));
cleanup:
    tgi_table_release(&r.table);
    tgi_table_release(&r.boxes);
    tgi_shelf_release(&r.shelf);
    tgi_list_release(&r.train);
    tgi_list_release(&r.test);
    free(path);
    return status;
}

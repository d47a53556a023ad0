/* write.c -- any set as a data set folder. labels.csv comes last: a folder that has it is whole. */
#include "config.h"
#include "dataset/audit.h"
#include "dataset/dataset.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

typedef struct writer {
    const tg_dataset *set;
    const char *folder;
    tgi_text table;
    json_t *images, *annotations;
} writer;

/* "FOLDER/kind/NAME.png" */
static tg_status path_of(const writer *w, const char *kind, const char *name, char **out)
{
    return tgi_printf(out, "%s/%s/%s.png", w->folder, kind, name);
}

static tg_status make_folder(const writer *w, const char *kind)
{
    tg_status status = TG_OK;
    char *path = NULL;

    TG_TRY(tgi_path_join(w->folder, kind, &path));
    TG_TRY(tgi_mkdirs(path));
cleanup:
    free(path);
    return status;
}

/* A field of the table, in quotes where it needs them. */
static tg_status add_field(tgi_text *table, const char *text)
{
    tg_status status = TG_OK;

    if (!text[strcspn(text, ",\"\r\n")])
        return tgi_text_add(table, "%s", text);
    TG_TRY(tgi_text_add(table, "\""));
    for (; *text; text++)
        TG_TRY(tgi_text_add_bytes(table, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1));
    TG_TRY(tgi_text_add(table, "\""));
cleanup:
    return status;
}

static tg_status add_row(writer *w, size_t i)
{
    static const char *const splits[] = {"train", "val", "test"};
    tg_status status = TG_OK;
    const tg_sample sample = tg_dataset_sample(w->set, i);
    tgi_text labels = {0}, file = {0};

    TG_TRY(tgi_text_add(&labels, "%s", ""));
    for (size_t k = 0; k < w->set->n_classes; k++)
        if (sample.labels[k] > 0)
            TG_TRY(tgi_text_add(&labels, "%s%s", labels.size ? ";" : "", w->set->classes[k]));
    TG_TRY(tgi_text_add(&file, "images/%s.png", sample.name));
    TG_TRY(add_field(&w->table, file.data));
    TG_TRY(tgi_text_add(&w->table, ","));
    TG_TRY(add_field(&w->table, labels.data));
    TG_TRY(tgi_text_add(&w->table, ",%s,", splits[sample.split]));
    TG_TRY(add_field(&w->table, sample.patient));
    TG_TRY(tgi_text_add(&w->table, "\n"));
cleanup:
    tgi_text_release(&labels);
    tgi_text_release(&file);
    return status;
}

/* Whole numbers are written as such. */
static json_t *number(double v)
{
    return v == floor(v) && fabs(v) < 1e9 ? json_integer((json_int_t)v) : json_real(v);
}

static tg_status add_boxes(writer *w, size_t i, const tg_image *image, const tg_truth *truth)
{
    const tg_sample sample = tg_dataset_sample(w->set, i);
    json_t *entry;
    char *file = NULL;

    if (tgi_printf(&file, "images/%s.png", sample.name) != TG_OK)
        return TG_ERR_MEMORY;
    entry = json_pack("{s:I, s:s, s:I, s:I}", "id", (json_int_t)i + 1, "file_name", file, "width",
                      (json_int_t)image->width_px, "height", (json_int_t)image->height_px);
    free(file);
    if (json_array_append_new(w->images, entry))
        return tg_fail(TG_ERR_FORMAT, "cannot write the boxes of '%s': its name is no UTF-8",
                       sample.name);
    for (size_t k = 0; k < truth->n_boxes; k++) {
        const tg_box *b = &truth->boxes[k];
        json_t *box = json_pack("{s:I, s:I, s:I, s:[o,o,o,o], s:o, s:i, s:[]}", "id",
                                (json_int_t)json_array_size(w->annotations) + 1, "image_id",
                                (json_int_t)i + 1, "category_id", (json_int_t)b->class_index + 1,
                                "bbox", number(b->x), number(b->y), number(b->w), number(b->h),
                                "area", number(b->w * b->h), "iscrowd", 0, "segmentation");

        if (json_array_append_new(w->annotations, box))
            return tg_fail(TG_ERR_MEMORY, "out of memory for the boxes of '%s'", sample.name);
    }
    return TG_OK;
}

static tg_status write_sample(writer *w, size_t i, size_t size_px)
{
    tg_status status = TG_OK;
    const char *name = w->set->records[i].name;
    tg_image image = {0};
    tg_truth truth = {0};
    char *path = NULL;

    TG_TRY(tgi_dataset_read(w->set, i, size_px, &image, &truth));
    TG_TRY(path_of(w, "images", name, &path));
    TG_TRY(tg_image_save(path, &image));
    if (truth.has_mask) {
        free(path);
        TG_TRY(path_of(w, "masks", name, &path));
        TG_TRY(tg_mask_save(path, &truth.mask));
    }
    if (truth.has_difference) {
        free(path);
        TG_TRY(path_of(w, "truth", name, &path));
        TG_TRY(tg_map_save(path, &truth.difference));
    }
    if (truth.has_boxes)
        TG_TRY(add_boxes(w, i, &image, &truth));
    TG_TRY(add_row(w, i));
cleanup:
    free(path);
    tg_image_release(&image);
    tg_truth_release(&truth);
    return status;
}

static tg_status write_boxes(writer *w)
{
    tg_status status = TG_OK;
    json_t *categories = json_array(), *root;
    char *path = NULL, *text = NULL;

    for (size_t k = 0; k < w->set->n_classes; k++)
        json_array_append_new(categories, json_pack("{s:I, s:s}", "id", (json_int_t)k + 1, "name",
                                                    w->set->classes[k]));
    root =
        json_pack("{s:{s:s}, s:O, s:O, s:o}", "info", "description", "boxes of a TagGAN data set",
                  "images", w->images, "annotations", w->annotations, "categories", categories);
    text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    if (!text) {
        status = tg_fail(TG_ERR_FORMAT, "cannot write boxes to '%s': a class name is no UTF-8",
                         w->folder);
        goto cleanup;
    }
    TG_TRY(tgi_path_join(w->folder, "boxes.json", &path));
    TG_TRY(tgi_file_write(path, text, strlen(text)));
cleanup:
    json_decref(root);
    free(text);
    free(path);
    return status;
}

tg_status tgi_dataset_write(const tg_dataset *set, const char *folder, size_t size_px,
                            tgi_progress_fn *progress, void *user)
{
    tg_status status = TG_OK;
    writer w = {.set = set, .folder = folder};
    char *path = NULL;

    TG_TRY(tgi_path_join(folder, "labels.csv", &path));
    if (tgi_is_file(path)) {
        status = tg_fail(
            TG_ERR_IO,
            "cannot write '%s': a data set is there already (remove it, or choose another folder)",
            folder);
        goto cleanup;
    }
    TG_TRY(make_folder(&w, "images"));
    if (set->has_masks)
        TG_TRY(make_folder(&w, "masks"));
    if (set->has_differences)
        TG_TRY(make_folder(&w, "truth"));
    w.images = json_array();
    w.annotations = json_array();
    TG_TRY(tgi_text_add(&w.table, "file,labels,split,patient\n"));
    for (size_t i = 0; i < set->n_records; i++) {
        TG_TRY(write_sample(&w, i, size_px));
        if (progress)
            progress(i + 1, set->n_records, user);
    }
    if (set->has_boxes)
        TG_TRY(write_boxes(&w));
    TG_TRY(tgi_file_write(path, w.table.data, w.table.size));
cleanup:
    free(path);
    tgi_text_release(&w.table);
    json_decref(w.images);
    json_decref(w.annotations);
    return status;
}

tg_status tg_dataset_write(const tg_dataset *set, const char *folder, size_t size_px)
{
    return tgi_dataset_write(set, folder, size_px, NULL, NULL);
}

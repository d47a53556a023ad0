/* tbx11k.c -- reads TBX11K [liu2020] from its folder, or from the folder above it.
 *
 * imgs/{health,sick,tb}/NAME.png; lists/TBX11K_{train,val}.txt name them below imgs/, as do the COCO
 * files annotations/json/TBX11K_{train,val}.json, whose boxes are in pixels of these images (those
 * of annotations/xml are not). The labels of the official test images are withheld, so the official
 * validation is what results are reported on: it becomes the split test. Boxes are truth for
 * measuring alone. */
#include "config.h"
#include "dataset/list.h"
#include "dataset/published.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

static const char tuberculosis[] = "Tuberculosis", sick[] = "Sick";

/* What boxes are called, and images where the user names one of them. */
static const char *const categories[] = {"ActiveTuberculosis", "ObsoletePulmonaryTuberculosis",
                                         "PulmonaryTuberculosis"};

static const struct part {
    const char *list, *json;
    tg_split split;
} parts[] = {
    {"lists/TBX11K_train.txt", "annotations/json/TBX11K_train.json", TG_SPLIT_TRAIN},
    {"lists/TBX11K_val.txt", "annotations/json/TBX11K_val.json", TG_SPLIT_TEST},
};

typedef struct reader {
    tg_dataset *set;
    const tg_dataset_opts *opts;
    char *folder;      /* that imgs, lists and annotations are in */
    const char *table; /* at work */
    tg_split split;    /* of its images */
    bool by_category;
    tgi_left_out left_out;
} reader;

static bool is_set(const char *folder)
{
    bool is = false;

    for (size_t k = 0; k < TG_COUNT(parts) && !is; k++)
        is = tgi_is_below(folder, parts[k].list, tgi_is_file) ||
             tgi_is_below(folder, parts[k].json, tgi_is_file);
    return is && tgi_is_below(folder, "imgs", tgi_is_folder);
}

/* `spec`, or the folder TBX11K in it; NULL when neither is one. */
static tg_status find_folder(const char *spec, char **out)
{
    *out = NULL;
    if (is_set(spec))
        return tgi_strdup(spec, out);
    if (tgi_is_below(spec, "TBX11K", is_set))
        return tgi_path_join(spec, "TBX11K", out);
    return TG_OK;
}

bool tgi_tbx11k_recognises(const char *spec)
{
    char *folder = NULL;
    const bool is = find_folder(spec, &folder) == TG_OK && folder;

    free(folder);
    return is;
}

/* FOLDER/NAME.png below imgs/ */
static bool is_image(const char *name)
{
    return (tgi_starts_with(name, "tb/") || tgi_starts_with(name, "health/") ||
            tgi_starts_with(name, "sick/") || tgi_starts_with(name, "extra/") ||
            tgi_starts_with(name, "test/")) &&
           tgi_is_image_name(name);
}

static const char *label_of(const reader *r, const char *path)
{
    if (tgi_starts_with(path, "tb/"))
        return tuberculosis;
    if (tgi_starts_with(path, "health/"))
        return "";
    if (tgi_starts_with(path, "sick/") && r->opts->classes && tgi_is_class_wanted(r->opts, sick))
        return sick;
    return NULL;
}

static tg_status add_image(reader *r, const char *path, size_t line)
{
    tg_status status = TG_OK;
    const char *label = label_of(r, path);
    tgi_record *record;

    r->left_out.n_rows++;
    if (!label) {
        r->left_out.unlabelled++;
        return TG_OK;
    }
    TG_TRY(tgi_dataset_add_file(r->set, r->table, line, path, &record));
    if (!record)
        goto cleanup;
    record->split = r->split;
    r->set->has_split[r->split] = true;
    TG_TRY(tgi_strdup("", &record->patient));
    TG_TRY(tgi_strdup(label, &record->label_text));
cleanup:
    return status;
}

static tg_status read_list(reader *r, const char *path)
{
    tg_status status = TG_OK;
    tgi_list list = {0};

    TG_TRY(tgi_list_read(r->set, path, is_image, &list));
    r->table = list.path;
    for (size_t k = 0; k < list.n; k++)
        TG_TRY(add_image(r, list.names[k].text, list.names[k].i));
cleanup:
    tgi_list_release(&list);
    return status;
}

static tg_status visit_image(const char *file_name, size_t i, void *user)
{
    reader *r = user;

    if (!is_image(file_name))
        return tg_fail(TG_ERR_FORMAT,
                       "cannot read '%s': images[%zu] has the file_name '%s' (tb/, health/ or "
                       "sick/ is known)",
                       r->table, i, file_name);
    return add_image(r, file_name, 0);
}

/* Images by the list where there is one, else by the COCO file. */
static tg_status read_part(reader *r, const struct part *part)
{
    tg_status status = TG_OK;
    char *list = NULL, *json = NULL;

    r->split = part->split;
    r->left_out = (tgi_left_out){0};
    TG_TRY(tgi_path_join(r->folder, part->list, &list));
    TG_TRY(tgi_path_join(r->folder, part->json, &json));
    if (tgi_is_file(list)) {
        TG_TRY(read_list(r, list));
    } else if (tgi_is_file(json)) {
        TG_TRY(tgi_dataset_add_table(r->set, json, &r->table));
        TG_TRY(tgi_coco_images(json, visit_image, r));
    } else {
        goto cleanup;
    }
    tgi_left_out_report(&r->left_out, r->table);
cleanup:
    free(list);
    free(json);
    return status;
}

static tg_status read_boxes(reader *r)
{
    tg_status status = TG_OK;
    char *path = NULL;

    for (size_t k = 0; k < TG_COUNT(parts); k++) {
        free(path);
        path = NULL;
        TG_TRY(tgi_path_join(r->folder, parts[k].json, &path));
        if (!tgi_is_file(path))
            continue;
        TG_TRY(tgi_coco_read_early(r->set, path));
        r->set->has_boxes = true;
    }
cleanup:
    free(path);
    return status;
}

/* The categories of an image's boxes, each once: "A;B". */
static tg_status label_by_category(const reader *r, tgi_record *record)
{
    tg_status status = TG_OK;
    tgi_text text = {0};

    for (size_t k = 0; k < r->set->n_box_classes; k++) {
        bool has = false;

        for (size_t b = 0; b < record->n_boxes && !has; b++)
            has = record->boxes[b].class_index == k;
        if (has && tgi_is_class_wanted(r->opts, r->set->box_classes[k]))
            TG_TRY(tgi_text_add(&text, "%s%s", text.size ? ";" : "", r->set->box_classes[k]));
    }
    if (text.size) {
        free(record->label_text);
        record->label_text = text.data;
        text.data = NULL;
    }
cleanup:
    tgi_text_release(&text);
    return status;
}

/* All boxes are of the one class. */
static tg_status call_boxes_tuberculosis(tg_dataset *set)
{
    tg_status status = TG_OK;

    for (size_t k = 0; k < set->n_box_classes; k++) {
        free(set->box_classes[k]);
        set->box_classes[k] = NULL;
        TG_TRY(tgi_strdup(tuberculosis, &set->box_classes[k]));
    }
cleanup:
    return status;
}

/* A tuberculous image that the COCO file knows, but no box of, is one whose label is in doubt. */
static tg_status drop_without_box(tg_dataset *set)
{
    tg_status status = TG_OK;
    bool *is_dropped = NULL;
    size_t n = 0;

    TG_TRY(tgi_alloc(set->n_records, sizeof *is_dropped, &is_dropped));
    for (size_t i = 0; i < set->n_records; i++) {
        const tgi_record *r = &set->records[i];

        is_dropped[i] =
            strcmp(r->label_text, tuberculosis) == 0 && !r->n_boxes && r->boxes_width_px > 0;
        n += is_dropped[i];
    }
    tgi_dataset_drop(set, is_dropped);
    if (n)
        tg_log(TG_LOG_INFO, "%s: %zu tuberculous images without a box left out", set->spec, n);
cleanup:
    free(is_dropped);
    return status;
}

static tg_status label_images(reader *r)
{
    tg_status status = TG_OK;

    TG_TRY(drop_without_box(r->set));
    if (!r->by_category)
        return call_boxes_tuberculosis(r->set);
    for (size_t i = 0; i < r->set->n_records; i++)
        TG_TRY(label_by_category(r, &r->set->records[i]));
cleanup:
    return status;
}

tg_status tgi_tbx11k_read(tg_dataset *set, const char *spec, const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;
    reader r = {.set = set, .opts = opts};

    for (size_t k = 0; opts->classes && k < TG_COUNT(categories); k++)
        r.by_category |= tgi_is_class_wanted(opts, categories[k]);
    TG_TRY(find_folder(spec, &r.folder));
    if (!r.folder) {
        status = tg_fail(TG_ERR_FORMAT,
                         "cannot open '%s': no TBX11K set (looked for imgs and, beside it, "
                         "lists/TBX11K_train.txt, TBX11K_val.txt or annotations/json, here or in "
                         "TBX11K)",
                         spec);
        goto cleanup;
    }
    TG_TRY(tgi_path_join(r.folder, "imgs", &set->root));
    for (size_t k = 0; k < TG_COUNT(parts); k++)
        TG_TRY(read_part(&r, &parts[k]));
    TG_TRY(read_boxes(&r));
    TG_TRY(label_images(&r));
    TG_TRY(tgi_dataset_finish(set, opts));
cleanup:
    free(r.folder);
    return status;
}

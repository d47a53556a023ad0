/* dataset.c -- finishes what a reader found, and answers questions about it. */
#include "config.h"
#include "dataset/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

tg_status tgi_dataset_add(tg_dataset *set, tgi_record **out)
{
    tg_status status = TG_OK;

    *out = NULL;
    TG_TRY(
        tgi_grow(&set->records, &set->capacity_records, set->n_records + 1, sizeof *set->records));
    *out = &set->records[set->n_records++];
    **out = (tgi_record){0};
cleanup:
    return status;
}

tg_status tgi_dataset_add_table(tg_dataset *set, const char *path, const char **out)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_grow(&set->tables, &set->capacity_tables, set->n_tables + 1, sizeof *set->tables));
    TG_TRY(tgi_strdup(path, &set->tables[set->n_tables]));
    *out = set->tables[set->n_tables++];
cleanup:
    return status;
}

tg_status tgi_dataset_add_file(tg_dataset *set, const char *table, size_t line, const char *path,
                               tgi_record **out)
{
    tg_status status = TG_OK;
    char *file = NULL;

    *out = NULL;
    TG_TRY(tgi_path_join(set->root, path, &file));
    if (!tgi_is_file(file)) {
        if (!set->n_missing++)
            TG_TRY(table
                       ? tgi_printf(&set->first_missing, "'%s', line %zu: '%s'", table, line, file)
                       : tgi_printf(&set->first_missing, "'%s'", file));
        goto cleanup;
    }
    TG_TRY(tgi_dataset_add(set, out));
    (*out)->table = table;
    (*out)->line = line;
    (*out)->file = file;
    file = NULL;
    TG_TRY(tgi_strdup(path, &(*out)->path));
cleanup:
    free(file);
    return status;
}

tg_status tgi_dataset_add_box(tg_dataset *set, tgi_record *r, const char *class_name, double x,
                              double y, double w, double h)
{
    tg_status status = TG_OK;
    size_t k = 0;

    while (k < set->n_box_classes && strcmp(set->box_classes[k], class_name) != 0)
        k++;
    if (k == set->n_box_classes) {
        TG_TRY(tgi_grow(&set->box_classes, &set->capacity_box_classes, k + 1,
                        sizeof *set->box_classes));
        TG_TRY(tgi_strdup(class_name, &set->box_classes[k]));
        set->n_box_classes++;
    }
    TG_TRY(tgi_grow(&r->boxes, &r->capacity_boxes, r->n_boxes + 1, sizeof *r->boxes));
    r->boxes[r->n_boxes++] = (tg_box){x, y, w, h, k};
    set->has_boxes = true;
cleanup:
    return status;
}

/* Boxes get the set's classes; those of classes that were not asked for go. */
static void label_boxes(tg_dataset *set)
{
    for (size_t i = 0; set->n_box_classes && i < set->n_records; i++) {
        tgi_record *r = &set->records[i];
        size_t n = 0;

        for (size_t k = 0; k < r->n_boxes; k++) {
            tg_box box = r->boxes[k];

            box.class_index = tgi_dataset_find_class(set, set->box_classes[box.class_index]);
            if (box.class_index < set->n_classes)
                r->boxes[n++] = box;
        }
        r->n_boxes = n;
    }
}

/* A copy of part of a published set is common, and no fault; of nothing at all it is one. */
static tg_status report_missing(const tg_dataset *set)
{
    if (set->n_missing && !set->n_records)
        return tg_fail(TG_ERR_FORMAT,
                       "cannot open '%s': none of its %zu images is there (first: %s)", set->spec,
                       set->n_missing, set->first_missing);
    if (!set->n_records)
        return tg_fail(TG_ERR_FORMAT, "cannot use '%s': it has no image of those asked for",
                       set->spec);
    if (set->n_missing)
        tg_log(TG_LOG_WARNING, "%s: %zu images that are named are not there (first: %s)", set->spec,
               set->n_missing, set->first_missing);
    return TG_OK;
}

static void record_release(tgi_record *r)
{
    free(r->name);
    free(r->file);
    free(r->path);
    free(r->patient);
    free(r->label_text);
    free(r->boxes);
    for (size_t k = 0; k < r->n_masks; k++)
        free(r->masks[k]);
    free(r->masks);
    *r = (tgi_record){0};
}

void tgi_dataset_drop(tg_dataset *set, const bool *is_dropped)
{
    size_t kept = 0;

    for (size_t i = 0; i < set->n_records; i++) {
        if (is_dropped[i]) {
            record_release(&set->records[i]);
            continue;
        }
        if (kept != i) {
            set->records[kept] = set->records[i];
            set->records[i] = (tgi_record){0};
            if (set->n_classes)
                memcpy(set->labels + kept * set->n_classes, set->labels + i * set->n_classes,
                       set->n_classes * sizeof *set->labels);
        }
        kept++;
    }
    set->n_records = kept;
}

void tg_dataset_free(tg_dataset *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->n_records; i++)
        record_release(&set->records[i]);
    free(set->records);
    for (size_t k = 0; k < set->n_classes; k++)
        free(set->classes[k]);
    free(set->classes);
    free(set->class_bits);
    free(set->labels);
    for (int s = 0; s < 3; s++)
        for (int d = 0; d < 2; d++)
            free(set->selected[s][d]);
    free(set->spec);
    free(set->root);
    for (size_t k = 0; k < set->n_tables; k++)
        free(set->tables[k]);
    free(set->tables);
    for (size_t k = 0; k < set->n_box_classes; k++)
        free(set->box_classes[k]);
    free(set->box_classes);
    free(set->first_missing);
    free(set);
}

/* The same file twice: once is enough when both rows say the same, and an error when not. */
static tg_status drop_duplicates(tg_dataset *set, bool is_lenient)
{
    tg_status status = TG_OK;
    tgi_key *keys = NULL;
    bool *is_dropped = NULL;
    size_t n_dropped = 0;

    TG_TRY(tgi_alloc(set->n_records, sizeof *keys, &keys));
    TG_TRY(tgi_alloc(set->n_records, sizeof *is_dropped, &is_dropped));
    for (size_t i = 0; i < set->n_records; i++)
        keys[i] = (tgi_key){set->records[i].file, i};
    tgi_keys_sort(keys, set->n_records);
    for (size_t k = 1; k < set->n_records; k++) {
        const size_t a = keys[k - 1].i, b = keys[k].i;
        const tgi_record *first = &set->records[a], *second = &set->records[b];

        if (strcmp(first->file, second->file) != 0)
            continue;
        if (memcmp(set->labels + a * set->n_classes, set->labels + b * set->n_classes,
                   set->n_classes * sizeof *set->labels) ||
            first->split != second->split || strcmp(first->patient, second->patient) != 0) {
            status = tg_fail(TG_ERR_FORMAT,
                             "cannot read '%s', line %zu: '%s' stands in line %zu already, with "
                             "other labels, split or patient",
                             second->table, second->line, second->path, first->line);
            if (!is_lenient)
                goto cleanup;
            status = TG_OK;
            tg_log(TG_LOG_WARNING, "%s", tg_error_message());
            is_dropped[b] = true;
            continue;
        }
        if (!n_dropped++)
            tg_log(TG_LOG_WARNING, "%s, line %zu: '%s' stands in line %zu already (dropped)",
                   second->table, second->line, second->path, first->line);
        is_dropped[b] = true;
    }
    if (n_dropped > 1)
        tg_log(TG_LOG_WARNING, "%s: %zu duplicate rows dropped", set->spec, n_dropped);
    tgi_dataset_drop(set, is_dropped);
cleanup:
    free(keys);
    free(is_dropped);
    return status;
}

/* A name for record i: its base name, or its whole path with '_' for '/', or that with its number.
 */
static tg_status make_name(const tgi_record *r, size_t i, int attempt, char **out)
{
    const char *text = attempt == 0 ? tgi_path_name(r->path) : r->path;

    if (attempt < 2) {
        const tg_status status = tgi_strndup(text, tgi_stem_size(text), out);

        for (char *p = *out; p && *p; p++)
            if (*p == '/')
                *p = '_';
        return status;
    }
    return tgi_printf(out, "%.*s_%zu", (int)tgi_stem_size(tgi_path_name(text)), tgi_path_name(text),
                      i + 1);
}

/* Unique names, by plain base name where that is enough. */
static tg_status make_names(tg_dataset *set)
{
    tg_status status = TG_OK;
    tgi_key *keys = NULL;
    bool is_unique = false;

    TG_TRY(tgi_alloc(set->n_records, sizeof *keys, &keys));
    for (size_t i = 0; i < set->n_records; i++)
        TG_TRY(make_name(&set->records[i], i, 0, &set->records[i].name));
    for (int attempt = 1; !is_unique && attempt <= 4; attempt++) {
        size_t end;

        for (size_t i = 0; i < set->n_records; i++)
            keys[i] = (tgi_key){set->records[i].name, i};
        tgi_keys_sort(keys, set->n_records);
        is_unique = true;
        for (size_t k = 0; k < set->n_records; k = end) {
            for (end = k + 1; end < set->n_records && strcmp(keys[end].text, keys[k].text) == 0;)
                end++;
            if (end == k + 1)
                continue;
            is_unique = false;
            for (size_t m = k; m < end; m++) {
                tgi_record *r = &set->records[keys[m].i];

                free(r->name);
                r->name = NULL;
                TG_TRY(make_name(r, keys[m].i, attempt, &r->name));
            }
        }
    }
    if (!is_unique)
        status =
            tg_fail(TG_ERR_FORMAT, "cannot read '%s': file names cannot be told apart", set->spec);
cleanup:
    free(keys);
    return status;
}

/* Which images are alone with their base name in their split: SPLIT/masks/NAME.png can only be
 * theirs. */
static tg_status find_own_bases(tg_dataset *set)
{
    tg_status status = TG_OK;
    tgi_key *keys = NULL;
    char **texts = NULL;
    const size_t n = set->n_records;

    TG_TRY(tgi_alloc(n, sizeof *keys, &keys));
    TG_TRY(tgi_alloc(n, sizeof *texts, &texts));
    for (size_t i = 0; i < n; i++) {
        const char *base = tgi_path_name(set->records[i].path);

        TG_TRY(tgi_printf(&texts[i], "%d/%.*s", (int)set->records[i].split,
                          (int)tgi_stem_size(base), base));
        keys[i] = (tgi_key){texts[i], i};
    }
    tgi_keys_sort(keys, n);
    for (size_t k = 0; k < n; k++)
        set->records[keys[k].i].has_own_base =
            (!k || strcmp(keys[k].text, keys[k - 1].text) != 0) &&
            (k + 1 == n || strcmp(keys[k].text, keys[k + 1].text) != 0);
cleanup:
    for (size_t i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
    free(keys);
    return status;
}

static tg_status make_selections(tg_dataset *set)
{
    tg_status status = TG_OK;

    for (int s = 0; s < 3; s++)
        for (int d = 0; d < 2; d++)
            TG_TRY(tgi_alloc(set->n_records, sizeof(size_t), &set->selected[s][d]));
    for (size_t i = 0; i < set->n_records; i++) {
        const tgi_record *r = &set->records[i];

        set->selected[r->split][r->is_diseased][set->n_selected[r->split][r->is_diseased]++] = i;
    }
cleanup:
    return status;
}

static tg_status find_truth(tg_dataset *set)
{
    static const char *const boxes[] = {"boxes.json", "boxes_coco.json"};
    tg_status status = TG_OK;
    char *path = NULL;

    set->has_masks |= tgi_is_below(set->root, "masks", tgi_is_folder) ||
                      tgi_is_below(set->root, "test/masks", tgi_is_folder) ||
                      tgi_is_below(set->root, "val/masks", tgi_is_folder);
    set->has_differences = tgi_is_below(set->root, "truth", tgi_is_folder);
    for (size_t k = 0; k < TG_COUNT(boxes) && !set->has_boxes; k++) {
        if (!tgi_is_below(set->root, boxes[k], tgi_is_file))
            continue;
        TG_TRY(tgi_path_join(set->root, boxes[k], &path));
        TG_TRY(tgi_coco_read(set, path));
        set->has_boxes = true;
    }
cleanup:
    free(path);
    return status;
}

tg_status tgi_dataset_finish(tg_dataset *set, const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;

    if (set->origin == TGI_ORIGIN_FILES) {
        TG_TRY(report_missing(set));
        TG_TRY(tgi_dataset_label(set, opts));
        label_boxes(set);
        TG_TRY(drop_duplicates(set, opts->is_lenient));
        TG_TRY(make_names(set));
        TG_TRY(tgi_dataset_split(set, opts));
        TG_TRY(find_own_bases(set));
        TG_TRY(find_truth(set));
    }
    TG_TRY(make_selections(set));
    for (size_t i = 0; i < set->n_records; i++) {
        free(set->records[i].label_text);
        set->records[i].label_text = NULL;
    }
cleanup:
    return status;
}

const char *tg_dataset_name(const tg_dataset *set)
{
    return set->spec;
}

size_t tg_dataset_n_classes(const tg_dataset *set)
{
    return set->n_classes;
}

const char *tg_dataset_class_name(const tg_dataset *set, size_t k)
{
    return set->classes[k];
}

size_t tg_dataset_n_samples(const tg_dataset *set)
{
    return set->n_records;
}

tg_sample tg_dataset_sample(const tg_dataset *set, size_t i)
{
    const tgi_record *r = &set->records[i];

    return (tg_sample){.name = r->name,
                       .file = r->file,
                       .patient = r->patient,
                       .split = r->split,
                       .labels = set->labels + i * set->n_classes,
                       .is_diseased = r->is_diseased};
}

const size_t *tg_dataset_select(const tg_dataset *set, tg_split split, bool is_diseased, size_t *n)
{
    *n = set->n_selected[split][is_diseased];
    return set->selected[split][is_diseased];
}

tg_status tg_dataset_check_trainable(const tg_dataset *set)
{
    for (int d = 0; d < 2; d++)
        if (!set->n_selected[TG_SPLIT_TRAIN][d])
            return tg_fail(TG_ERR_FORMAT,
                           "cannot train on '%s': no %s images in its train split (%zu %s ones)",
                           set->spec, d ? "diseased" : "healthy",
                           set->n_selected[TG_SPLIT_TRAIN][!d], d ? "healthy" : "diseased");
    for (size_t k = 0; k < set->n_classes; k++) {
        bool is_found = false;

        for (size_t m = 0; m < set->n_selected[TG_SPLIT_TRAIN][1] && !is_found; m++)
            is_found = set->labels[set->selected[TG_SPLIT_TRAIN][1][m] * set->n_classes + k] > 0;
        if (!is_found)
            return tg_fail(TG_ERR_FORMAT,
                           "cannot train on '%s': no image of class '%s' in its train split",
                           set->spec, set->classes[k]);
    }
    return TG_OK;
}

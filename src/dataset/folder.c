/* folder.c -- reads class folders: DIR/{train,val,test}/CLASS/image, or DIR/CLASS/image. */
#include "config.h"
#include "dataset/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "base/banned.h"

static const char *const split_names[] = {"train", "val", "test"};

/* A folder that may be a class: not hidden, and not one of truth. */
static bool is_class_name(const char *name)
{
    return name[0] != '.' && strcmp(name, "masks") != 0 && strcmp(name, "truth") != 0;
}

static bool is_split_name(const char *name)
{
    for (size_t k = 0; k < TG_COUNT(split_names); k++)
        if (strcmp(name, split_names[k]) == 0)
            return true;
    return false;
}

/* The images of one class folder, `folder` being below the root; other entries are counted. */
static tg_status read_class(tg_dataset *set, const char *folder, const char *label, tg_split split,
                            size_t *n_ignored)
{
    tg_status status = TG_OK;
    char *path = NULL, **names = NULL;
    size_t n = 0;

    TG_TRY(tgi_path_join(set->root, folder, &path));
    TG_TRY(tgi_folder_list(path, &names, &n));
    for (size_t i = 0; i < n; i++) {
        tgi_record *r;

        if (names[i][0] == '.' || !tgi_is_image_name(names[i])) {
            ++*n_ignored;
            continue;
        }
        TG_TRY(tgi_dataset_add(set, &r));
        r->split = split;
        set->has_split[split] = true;
        TG_TRY(tgi_path_join(folder, names[i], &r->path));
        TG_TRY(tgi_path_join(set->root, r->path, &r->file));
        TG_TRY(tgi_strdup(label, &r->label_text));
        TG_TRY(tgi_strdup("", &r->patient));
        if (!tgi_is_file(r->file)) { /* a folder of that name */
            status = tg_fail(TG_ERR_FORMAT, "cannot read '%s': not a file", r->file);
            goto cleanup;
        }
    }
cleanup:
    tgi_names_free(names, n);
    free(path);
    return status;
}

/* All class folders of root/below ("" = root itself). */
static tg_status read_classes(tg_dataset *set, const char *below, tg_split split, size_t *n_ignored)
{
    tg_status status = TG_OK;
    char *path = NULL, *folder = NULL, *full = NULL, **names = NULL;
    size_t n = 0;

    TG_TRY(tgi_path_join(set->root, below, &path));
    TG_TRY(tgi_folder_list(path, &names, &n));
    for (size_t i = 0; i < n; i++) {
        free(folder);
        free(full);
        folder = full = NULL;
        TG_TRY(tgi_path_join(below, names[i], &folder));
        TG_TRY(tgi_path_join(set->root, folder, &full));
        if (is_class_name(names[i]) && (*below || !is_split_name(names[i])) && tgi_is_folder(full))
            TG_TRY(read_class(set, folder, names[i], split, n_ignored));
    }
cleanup:
    tgi_names_free(names, n);
    free(path);
    free(folder);
    free(full);
    return status;
}

/* Is there a folder in path that holds an image? */
static bool has_class(const char *path, bool may_be_split)
{
    char **names = NULL;
    size_t n = 0;
    bool is_found = false;

    if (!tgi_is_folder(path) || tgi_folder_list(path, &names, &n) != TG_OK)
        return false;
    for (size_t i = 0; i < n && !is_found; i++) {
        char *folder = NULL, **images = NULL;
        size_t n_images = 0;

        if (is_class_name(names[i]) && (may_be_split || !is_split_name(names[i])) &&
            tgi_path_join(path, names[i], &folder) == TG_OK && tgi_is_folder(folder) &&
            tgi_folder_list(folder, &images, &n_images) == TG_OK)
            for (size_t k = 0; k < n_images && !is_found; k++)
                is_found = tgi_is_image_name(images[k]);
        tgi_names_free(images, n_images);
        free(folder);
    }
    tgi_names_free(names, n);
    return is_found;
}

/* Does path/train, path/val or path/test hold class folders? */
static bool has_split_folders(const char *path, bool has[3])
{
    bool any = false;

    for (int k = 0; k < 3; k++) {
        char *folder = NULL;

        has[k] = tgi_path_join(path, split_names[k], &folder) == TG_OK && has_class(folder, true);
        any |= has[k];
        free(folder);
    }
    return any;
}

bool tgi_folder_has_classes(const char *path)
{
    bool has[3];

    return has_split_folders(path, has) || has_class(path, false);
}

tg_status tgi_folder_read(tg_dataset *set, const char *path, const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;
    size_t n_ignored = 0;
    bool has[3];

    if (!tgi_is_folder(path))
        return tg_fail(TG_ERR_IO, "cannot open '%s': no such folder", path);
    TG_TRY(tgi_strdup(path, &set->root));
    if (has_split_folders(path, has)) {
        for (int k = 0; k < 3; k++)
            if (has[k])
                TG_TRY(read_classes(set, split_names[k], (tg_split)k, &n_ignored));
    } else {
        TG_TRY(read_classes(set, "", TG_SPLIT_TRAIN, &n_ignored));
    }
    if (!set->n_records) {
        status = tg_fail(
            TG_ERR_FORMAT,
            "cannot open '%s': no images (looked for train/CLASS, val/CLASS, test/CLASS or CLASS "
            "folders with png, jpg, jpeg, jfif or dcm files)",
            path);
        goto cleanup;
    }
    if (n_ignored)
        tg_log(TG_LOG_WARNING, "%s: %zu files ignored, they are no images by their names", path,
               n_ignored);
    TG_TRY(tgi_dataset_finish(set, opts));
cleanup:
    return status;
}

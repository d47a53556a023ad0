/* shelf.c -- image files found by name. */
#include "config.h"
#include "dataset/shelf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

static tg_status add_file(tgi_shelf *shelf, const char *folder, const char *name)
{
    tg_status status = TG_OK;
    char *path = NULL, *stem = NULL;
    const size_t n = shelf->n + 1;

    TG_TRY(tgi_grow(&shelf->paths, &shelf->capacity_paths, n, sizeof *shelf->paths));
    TG_TRY(tgi_grow(&shelf->stems, &shelf->capacity_stems, n, sizeof *shelf->stems));
    TG_TRY(tgi_path_join(folder, name, &path));
    TG_TRY(tgi_strndup(name, tgi_stem_size(name), &stem));
    lower(stem);
    shelf->paths[shelf->n] = path;
    shelf->stems[shelf->n++] = stem;
    path = stem = NULL;
cleanup:
    free(path);
    free(stem);
    return status;
}

tg_status tgi_shelf_add(tgi_shelf *shelf, const char *root, const char *folder)
{
    tg_status status = TG_OK;
    char *path = NULL, **names = NULL;
    size_t n = 0;

    TG_TRY(tgi_path_join(root, folder, &path));
    if (!tgi_is_folder(path))
        goto cleanup;
    TG_TRY(tgi_folder_list(path, &names, &n));
    for (size_t i = 0; i < n; i++)
        if (names[i][0] != '.' && tgi_is_image_name(names[i]))
            TG_TRY(add_file(shelf, folder, names[i]));
cleanup:
    tgi_names_free(names, n);
    free(path);
    return status;
}

tg_status tgi_shelf_sort(tgi_shelf *shelf)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_alloc(shelf->n, sizeof *shelf->keys, &shelf->keys));
    for (size_t i = 0; i < shelf->n; i++)
        shelf->keys[i] = (tgi_key){shelf->stems[i], i};
    tgi_keys_sort(shelf->keys, shelf->n);
cleanup:
    return status;
}

void tgi_shelf_release(tgi_shelf *shelf)
{
    for (size_t i = 0; i < shelf->n; i++) {
        free(shelf->paths[i]);
        free(shelf->stems[i]);
    }
    free(shelf->paths);
    free(shelf->stems);
    free(shelf->keys);
    *shelf = (tgi_shelf){0};
}

const char *tgi_shelf_find(const tgi_shelf *shelf, const char *name)
{
    const size_t n = tgi_is_image_name(name) ? tgi_stem_size(name) : strlen(name);
    char stem[256];
    const tgi_key *key;

    if (n >= sizeof stem)
        return NULL;
    memcpy(stem, name, n);
    stem[n] = 0;
    lower(stem);
    key = tgi_keys_find(shelf->keys, shelf->n, stem);
    return key ? shelf->paths[key->i] : NULL;
}

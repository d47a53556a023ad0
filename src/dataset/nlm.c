/* nlm.c -- reads the Shenzhen and the Montgomery set [jaeger2014] from their folder, or from the
 * folder above it.
 *
 * CXR_png/CHNCXR_NNNN_L.png (MCUCXR_ in Montgomery): L is 1 with tuberculosis and 0 without; every
 * image is another patient. ClinicalReadings/SAME.txt tells the sex. Lesions of Shenzhen were
 * outlined later, one file each, CHNCXR_NNNN_1_FINDING_N.png, in a folder of any name; the outlines
 * of ManualMask are lungs, no lesions. */
#include "config.h"
#include "dataset/published.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

enum { READING_BYTES_MAX = 1 << 16 };

static const char images[] = "CXR_png", readings[] = "ClinicalReadings", lungs[] = "ManualMask";

typedef struct source {
    const char *name, *prefix;
    const char *folders[3]; /* where it lies, below what the user names */
} source;

static const source shenzhen = {
    "Shenzhen",
    "CHNCXR_",
    {"ChinaSet_AllFiles", "ChinaSet_AllFiles/ChinaSet_AllFiles", "Shenzhen"}};
static const source montgomery = {
    "Montgomery", "MCUCXR_", {"MontgomerySet", "MontgomerySet/MontgomerySet", "Montgomery"}};

typedef struct reader {
    tg_dataset *set;
    const tg_dataset_opts *opts;
    const source *from;
    tgi_left_out left_out;
} reader;

/* Does FOLDER/CXR_png hold an image of that source? */
static bool is_set(const char *folder, const source *from)
{
    char *path = NULL, **names = NULL;
    size_t n = 0;
    bool is = false;

    if (tgi_path_join(folder, images, &path) == TG_OK && tgi_is_folder(path) &&
        tgi_folder_list(path, &names, &n) == TG_OK)
        for (size_t i = 0; i < n && !is; i++)
            is = tgi_starts_with(names[i], from->prefix) && tgi_is_image_name(names[i]);
    tgi_names_free(names, n);
    free(path);
    return is;
}

/* NULL when there is none. */
static tg_status find_folder(const char *spec, const source *from, char **out)
{
    tg_status status = TG_OK;
    char *path = NULL;

    *out = NULL;
    if (is_set(spec, from))
        return tgi_strdup(spec, out);
    for (size_t k = 0; k < TG_COUNT(from->folders) && !*out; k++) {
        free(path);
        path = NULL;
        TG_TRY(tgi_path_join(spec, from->folders[k], &path));
        if (is_set(path, from)) {
            *out = path;
            path = NULL;
        }
    }
cleanup:
    free(path);
    return status;
}

static bool recognises(const char *spec, const source *from)
{
    char *folder = NULL;
    const bool is = find_folder(spec, from, &folder) == TG_OK && folder;

    free(folder);
    return is;
}

/* Characters of PREFIX_NNNN_L at the start of a name; 0 when it does not start so. */
static size_t id_size(const char *name, const char *prefix)
{
    const size_t n = strlen(prefix);
    size_t n_digits;

    if (!tgi_starts_with(name, prefix))
        return 0;
    n_digits = strspn(name + n, "0123456789");
    name += n + n_digits;
    return n_digits && name[0] == '_' && (name[1] == '0' || name[1] == '1') ? n + n_digits + 2 : 0;
}

/* 'M', 'F', or 0: "male 45yrs" and "Female, 20 yrs" in Shenzhen, "Patient's Sex: F" in Montgomery. */
static tg_status read_sex(const reader *r, const char *id, char *out)
{
    tg_status status = TG_OK;
    char *name = NULL, *path = NULL, *text = NULL;
    const char *at;
    size_t n;

    *out = 0;
    TG_TRY(tgi_printf(&name, "%s/%s.txt", readings, id));
    TG_TRY(tgi_path_join(r->set->root, name, &path));
    if (!tgi_is_file(path))
        goto cleanup;
    TG_TRY(tgi_file_read(path, READING_BYTES_MAX, &text, &n));
    at = strstr(text, "Sex:");
    if (at)
        *out = at[4 + strspn(at + 4, " \t")];
    else if (tgi_has_word(text, "female"))
        *out = 'F';
    else if (tgi_has_word(text, "male"))
        *out = 'M';
    if (*out != 'M' && *out != 'F')
        status = tg_fail(TG_ERR_FORMAT, "cannot read '%s': it does not tell the sex", path);
cleanup:
    free(name);
    free(path);
    free(text);
    return status;
}

static tg_status add_image(reader *r, const char *name)
{
    tg_status status = TG_OK;
    const size_t n = id_size(name, r->from->prefix);
    char *path = NULL, *id = NULL, sex[2] = "";
    tgi_record *record;

    if (!n || n != tgi_stem_size(name))
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s/%s/%s': its name is not %sNUMBER_0 or _1",
                       r->set->root, images, name, r->from->prefix);
    TG_TRY(tgi_strndup(name, n, &id));
    r->left_out.n_rows++;
    if (r->opts->sex) {
        TG_TRY(read_sex(r, id, sex));
        if (!tgi_is_sex_wanted(r->opts, sex)) {
            r->left_out.sex++;
            goto cleanup;
        }
    }
    TG_TRY(tgi_path_join(images, name, &path));
    TG_TRY(tgi_dataset_add_file(r->set, NULL, 0, path, &record));
    if (!record)
        goto cleanup;
    record->split = TG_SPLIT_TRAIN;
    r->set->has_split[TG_SPLIT_TRAIN] = true;
    TG_TRY(tgi_strdup(name[n - 1] == '1' ? "Tuberculosis" : "", &record->label_text));
    TG_TRY(tgi_strndup(id, n - 2, &record->patient));
cleanup:
    free(path);
    free(id);
    return status;
}

static tg_status read_images(reader *r)
{
    tg_status status = TG_OK;
    char *path = NULL, **names = NULL;
    size_t n = 0;

    TG_TRY(tgi_path_join(r->set->root, images, &path));
    TG_TRY(tgi_folder_list(path, &names, &n));
    for (size_t i = 0; i < n; i++)
        if (tgi_is_image_name(names[i]))
            TG_TRY(add_image(r, names[i]));
    tgi_left_out_report(&r->left_out, path);
cleanup:
    tgi_names_free(names, n);
    free(path);
    return status;
}

/* A lesion of an image of the set. */
static tg_status add_mask(reader *r, const tgi_key *ids, const char *folder, const char *name)
{
    tg_status status = TG_OK;
    char *id = NULL, *below = NULL;
    const tgi_key *key;
    tgi_record *record;

    TG_TRY(tgi_strndup(name, id_size(name, r->from->prefix) - 2, &id));
    key = tgi_keys_find(ids, r->set->n_records, id);
    if (!key)
        goto cleanup;
    record = &r->set->records[key->i];
    TG_TRY(tgi_grow(&record->masks, &record->capacity_masks, record->n_masks + 1,
                    sizeof *record->masks));
    TG_TRY(tgi_path_join(folder, name, &below));
    TG_TRY(tgi_path_join(r->set->root, below, &record->masks[record->n_masks]));
    record->n_masks++;
    r->set->has_masks = true;
cleanup:
    free(id);
    free(below);
    return status;
}

/* The lesions of a folder: PREFIX_NNNN_1_FINDING_N.png */
static tg_status read_masks_of(reader *r, const tgi_key *ids, const char *folder)
{
    tg_status status = TG_OK;
    char *path = NULL, **names = NULL;
    size_t n = 0;

    TG_TRY(tgi_path_join(r->set->root, folder, &path));
    if (!tgi_is_folder(path))
        goto cleanup;
    TG_TRY(tgi_folder_list(path, &names, &n));
    for (size_t i = 0; i < n; i++) {
        const size_t n_id = id_size(names[i], r->from->prefix);

        if (n_id && names[i][n_id - 1] == '1' && names[i][n_id] == '_' &&
            tgi_is_image_name(names[i]))
            TG_TRY(add_mask(r, ids, folder, names[i]));
    }
cleanup:
    tgi_names_free(names, n);
    free(path);
    return status;
}

static tg_status read_masks(reader *r)
{
    tg_status status = TG_OK;
    tgi_key *ids = NULL;
    char **names = NULL;
    size_t n = 0;

    TG_TRY(tgi_alloc(r->set->n_records, sizeof *ids, &ids));
    for (size_t i = 0; i < r->set->n_records; i++)
        ids[i] = (tgi_key){r->set->records[i].patient, i};
    tgi_keys_sort(ids, r->set->n_records);
    TG_TRY(tgi_folder_list(r->set->root, &names, &n));
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], images) != 0 && strcmp(names[i], readings) != 0 &&
            strcmp(names[i], lungs) != 0)
            TG_TRY(read_masks_of(r, ids, names[i]));
cleanup:
    tgi_names_free(names, n);
    free(ids);
    return status;
}

static tg_status read_source(tg_dataset *set, const char *spec, const tg_dataset_opts *opts,
                             const source *from)
{
    tg_status status = TG_OK;
    reader r = {.set = set, .opts = opts, .from = from};

    TG_TRY(find_folder(spec, from, &set->root));
    if (!set->root)
        return tg_fail(TG_ERR_FORMAT,
                       "cannot open '%s': no %s set (looked for CXR_png/%s*, here and in %s)", spec,
                       from->name, from->prefix, from->folders[0]);
    TG_TRY(read_images(&r));
    TG_TRY(read_masks(&r));
    TG_TRY(tgi_dataset_finish(set, opts));
cleanup:
    return status;
}

bool tgi_shenzhen_recognises(const char *spec)
{
    return recognises(spec, &shenzhen);
}

tg_status tgi_shenzhen_read(tg_dataset *set, const char *spec, const tg_dataset_opts *opts)
{
    return read_source(set, spec, opts, &shenzhen);
}

bool tgi_montgomery_recognises(const char *spec)
{
    return recognises(spec, &montgomery);
}

tg_status tgi_montgomery_read(tg_dataset *set, const char *spec, const tg_dataset_opts *opts)
{
    return read_source(set, spec, opts, &montgomery);
}

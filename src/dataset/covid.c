/* covid.c -- reads COVID-CXNet [haghanifar2020] from its folder, or from chest_xray_images.
 *
 * chest_xray_images/covid19 is theirs; normal and cap (other pneumonia) beside it are filled by
 * users from other sets. A name of covid19 that ends in '-' shows nothing, one in 'p' a child.
 * metadata.csv above them tells the patients of about half the images. */
#include "config.h"
#include "dataset/published.h"
#include "dataset/table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

static const char images[] = "chest_xray_images", covid19[] = "covid19";

/* Folders whose classes have another name. */
static const struct class_folder {
    const char *folder, *label;
} class_folders[] = {{covid19, "COVID-19"}, {"normal", ""}, {"cap", "CAP"}};

typedef struct reader {
    tg_dataset *set;
    tgi_table metadata;
    size_t file, patient; /* its columns */
    tgi_key *rows;        /* by file name in lower case; i is the row */
    size_t n_rows, n_ignored;
    tgi_left_out left_out;
} reader;

bool tgi_covid_recognises(const char *spec)
{
    char *path = NULL;
    const bool is =
        tgi_path_join(images, covid19, &path) == TG_OK && tgi_is_below(spec, path, tgi_is_folder);

    free(path);
    return is;
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* Two rows of one image must agree. */
static tg_status check_rows(const reader *r)
{
    for (size_t k = 1; k < r->n_rows; k++) {
        const tgi_key *a = &r->rows[k - 1], *b = &r->rows[k];

        if (strcmp(a->text, b->text) == 0 &&
            strcmp(tgi_table_field(&r->metadata, a->i, r->patient),
                   tgi_table_field(&r->metadata, b->i, r->patient)) != 0)
            return tgi_table_bad(&r->metadata, b->i, "'%s' is in line %zu, of another patient",
                                 b->text, r->metadata.csv.line[a->i]);
    }
    return TG_OK;
}

/* metadata.csv of `folder`, where there is one. */
static tg_status read_metadata(reader *r, const char *folder)
{
    tg_status status = TG_OK;
    char *path = NULL;

    TG_TRY(tgi_path_join(folder, "metadata.csv", &path));
    if (!tgi_is_file(path))
        goto cleanup;
    TG_TRY(tgi_table_open(r->set, path, &r->metadata));
    TG_TRY(tgi_table_need(&r->metadata, "filename", &r->file));
    TG_TRY(tgi_table_need(&r->metadata, "patient_id", &r->patient));
    TG_TRY(tgi_alloc(r->metadata.csv.n_rows, sizeof *r->rows, &r->rows));
    for (size_t row = 1; row < r->metadata.csv.n_rows; row++) {
        char *name;

        TG_TRY(tgi_table_check_row(&r->metadata, row, r->metadata.n_columns));
        name = r->metadata.csv.fields[r->metadata.csv.first[row] + r->file];
        if (!*name) {
            status = tgi_table_bad(&r->metadata, row, "no file is named");
            goto cleanup;
        }
        lower(name);
        r->rows[r->n_rows++] = (tgi_key){name, row};
    }
    tgi_keys_sort(r->rows, r->n_rows);
    TG_TRY(check_rows(r));
cleanup:
    free(path);
    return status;
}

/* What is marked in a name of covid19: digits, then '-' or 'p'. */
static bool is_left_out(reader *r, const char *name)
{
    const char *mark = name + strspn(name, "0123456789");
    const size_t n = tgi_stem_size(name), n_digits = (size_t)(mark - name);

    if (n <= n_digits)
        return false;
    if (memchr(mark, '-', n - n_digits))
        r->left_out.invisible++;
    else if (memchr(mark, 'p', n - n_digits))
        r->left_out.children++;
    else
        return false;
    return true;
}

/* "" when the metadata do not name the image. */
static tg_status find_patient(const reader *r, const char *name, tgi_record *record)
{
    tg_status status = TG_OK;
    const tgi_key *key;
    char *text = NULL;

    TG_TRY(tgi_strdup(name, &text));
    lower(text);
    key = tgi_keys_find(r->rows, r->n_rows, text);
    TG_TRY(
        tgi_strdup(key ? tgi_table_field(&r->metadata, key->i, r->patient) : "", &record->patient));
    if (key) {
        record->table = r->metadata.path;
        record->line = r->metadata.csv.line[key->i];
    }
cleanup:
    free(text);
    return status;
}

static tg_status add_image(reader *r, const char *folder, const char *name, const char *label)
{
    tg_status status = TG_OK;
    const bool is_theirs = strcmp(folder, covid19) == 0;
    char *path = NULL;
    tgi_record *record;

    r->left_out.n_rows++;
    if (is_theirs && is_left_out(r, name))
        return TG_OK;
    TG_TRY(tgi_path_join(folder, name, &path));
    TG_TRY(tgi_dataset_add_file(r->set, NULL, 0, path, &record));
    if (!record)
        goto cleanup;
    record->split = TG_SPLIT_TRAIN;
    r->set->has_split[TG_SPLIT_TRAIN] = true;
    TG_TRY(tgi_strdup(label, &record->label_text));
    TG_TRY(is_theirs ? find_patient(r, name, record) : tgi_strdup("", &record->patient));
cleanup:
    free(path);
    return status;
}

static tg_status read_folder(reader *r, const char *folder)
{
    tg_status status = TG_OK;
    const char *label = folder;
    char *path = NULL, **names = NULL;
    size_t n = 0;

    for (size_t k = 0; k < TG_COUNT(class_folders); k++)
        if (tgi_same_word(class_folders[k].folder, folder))
            label = class_folders[k].label;
    TG_TRY(tgi_path_join(r->set->root, folder, &path));
    if (folder[0] == '.' || !tgi_is_folder(path))
        goto cleanup;
    TG_TRY(tgi_folder_list(path, &names, &n));
    for (size_t i = 0; i < n; i++) {
        if (tgi_is_image_name(names[i]) && names[i][0] != '.')
            TG_TRY(add_image(r, folder, names[i], label));
        else
            r->n_ignored++;
    }
cleanup:
    tgi_names_free(names, n);
    free(path);
    return status;
}

static tg_status read_folders(reader *r)
{
    tg_status status = TG_OK;
    char **names = NULL;
    size_t n = 0;

    TG_TRY(tgi_folder_list(r->set->root, &names, &n));
    for (size_t i = 0; i < n; i++)
        TG_TRY(read_folder(r, names[i]));
    tgi_left_out_report(&r->left_out, r->set->root);
    if (r->n_ignored)
        tg_log(TG_LOG_WARNING,
               "%s: %zu files ignored, they are no PNG, JPEG or DICOM by their names (WebP must be "
               "converted)",
               r->set->root, r->n_ignored);
cleanup:
    tgi_names_free(names, n);
    return status;
}

tg_status tgi_covid_read(tg_dataset *set, const char *spec, const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;
    reader r = {.set = set};
    char *above = NULL;

    if (tgi_covid_recognises(spec)) {
        TG_TRY(tgi_strdup(spec, &above));
        TG_TRY(tgi_path_join(spec, images, &set->root));
    } else if (tgi_is_below(spec, covid19, tgi_is_folder)) {
        TG_TRY(tgi_path_join(spec, "..", &above));
        TG_TRY(tgi_strdup(spec, &set->root));
    } else {
        status = tg_fail(TG_ERR_FORMAT,
                         "cannot open '%s': no COVID-CXNet set (looked for the folders "
                         "chest_xray_images/covid19 and covid19)",
                         spec);
        goto cleanup;
    }
    TG_TRY(read_metadata(&r, above));
    TG_TRY(read_folders(&r));
    TG_TRY(tgi_dataset_finish(set, opts));
cleanup:
    tgi_table_release(&r.metadata);
    free(r.rows);
    free(above);
    return status;
}

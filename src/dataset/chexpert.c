/* chexpert.c -- reads CheXpert-v1.0 and CheXpert-v1.0-small [irvin2019] from its folder, from the
 * folder above it, or from one of its tables.
 *
 * train.csv, valid.csv and test.csv name {train,valid,test}/patientN/studyN/viewN_SIDE.jpg below a
 * first folder CheXpert-v1.0..., and say of 13 findings and of "No Finding" 1.0 present, 0.0 absent,
 * -1.0 uncertain, or nothing: not mentioned, taken as absent. Healthy is "No Finding" 1.0. */
#include "config.h"
#include "dataset/published.h"
#include "dataset/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "base/banned.h"

#define FOLDER "CheXpert-v1.0" /* how the names of its folder begin */

enum { N_FINDINGS = 13 };

static const char *const findings[N_FINDINGS] = {
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
};

/* The five of the competition. */
static const char chexpert5[] = "Atelectasis,Cardiomegaly,Consolidation,Edema,Pleural Effusion";

/* test.csv has neither sex nor view. */
static const char *const table_names[] = {"train.csv", "valid.csv", "test.csv"};

static const struct part {
    const char *folder;
    tg_split split;
} parts[] = {
    {"train/", TG_SPLIT_TRAIN},
    {"valid/", TG_SPLIT_VAL},
    {"test/", TG_SPLIT_TEST},
};

typedef struct reader {
    tg_dataset *set;
    const tg_dataset_opts *opts;
    tgi_table table;
    size_t path, sex, side, projection, no_finding, findings[N_FINDINGS]; /* columns */
    tgi_left_out left_out;
} reader;

static bool is_table(const char *path)
{
    static const char *const titles[] = {"Path", "No Finding", "Lung Opacity", "Support Devices"};

    return tgi_table_has_titles(path, titles, TG_COUNT(titles));
}

static bool has_tables(const char *folder)
{
    for (size_t k = 0; k < TG_COUNT(table_names); k++)
        if (tgi_is_below(folder, table_names[k], is_table))
            return true;
    return false;
}

/* The folder that holds the tables: `spec`, or the one below it. NULL when there is none, or there
 * are two. */
static tg_status find_folder(const char *spec, char **out)
{
    tg_status status = TG_OK;
    char **names = NULL, *found = NULL, *folder = NULL;
    size_t n = 0, n_found = 0;

    *out = NULL;
    if (has_tables(spec))
        return tgi_strdup(spec, out);
    TG_TRY(tgi_folder_list(spec, &names, &n));
    for (size_t i = 0; i < n; i++) {
        if (!tgi_starts_with(names[i], FOLDER))
            continue;
        TG_TRY(tgi_path_join(spec, names[i], &folder));
        if (tgi_is_folder(folder) && has_tables(folder) && !n_found++) {
            found = folder;
            folder = NULL;
        }
        free(folder);
        folder = NULL;
    }
    if (n_found == 1) {
        *out = found;
        found = NULL;
    }
cleanup:
    tgi_names_free(names, n);
    free(found);
    free(folder);
    return status;
}

bool tgi_chexpert_recognises(const char *spec)
{
    char *folder = NULL;
    const bool is = tgi_is_folder(spec) ? find_folder(spec, &folder) == TG_OK && folder != NULL
                                        : tgi_is_file(spec) && is_table(spec);

    free(folder);
    return is;
}

static tg_status find_columns(reader *r)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_table_need(&r->table, "Path", &r->path));
    TG_TRY(tgi_table_need(&r->table, "No Finding", &r->no_finding));
    for (size_t k = 0; k < N_FINDINGS; k++)
        TG_TRY(tgi_table_need(&r->table, findings[k], &r->findings[k]));
    r->sex = tgi_table_find(&r->table, "Sex");
    r->side = tgi_table_find(&r->table, "Frontal/Lateral");
    r->projection = tgi_table_find(&r->table, "AP/PA");
cleanup:
    return status;
}

/* One of 1, 0, -1; nothing is 0. */
static tg_status read_value(const reader *r, size_t row, size_t column, int *out)
{
    const char *field = tgi_table_field(&r->table, row, column);
    double value = 0;

    if (*field && (!tgi_parse_real(field, &value) || (value != 1 && value != 0 && value != -1)))
        return tgi_table_bad(&r->table, row, "%s is '%s' (1.0, 0.0, -1.0 or nothing is known)",
                             tgi_table_field(&r->table, 0, column), field);
    *out = (int)value;
    return TG_OK;
}

/* The findings that are present, "A;B"; *is_out when the row does not say what is asked. */
static tg_status read_labels(reader *r, size_t row, tgi_text *text, bool *is_out)
{
    tg_status status = TG_OK;
    const char *policy = r->opts->uncertain ? r->opts->uncertain : "zeros";
    bool is_unsure = false;
    int value;

    for (size_t k = 0; k < N_FINDINGS; k++) {
        TG_TRY(read_value(r, row, r->findings[k], &value));
        if (!tgi_is_class_wanted(r->opts, findings[k]))
            continue;
        is_unsure |= value < 0;
        if (value > 0 || (value < 0 && strcmp(policy, "ones") == 0))
            TG_TRY(tgi_text_add(text, "%s%s", text->size ? ";" : "", findings[k]));
    }
    TG_TRY(read_value(r, row, r->no_finding, &value));
    *is_out = true;
    if (is_unsure && strcmp(policy, "ignore") == 0)
        r->left_out.uncertain++;
    else if (!text->size && value != 1)
        r->left_out.unlabelled++;
    else
        *is_out = false;
cleanup:
    return status;
}

/* View and sex as asked for? */
static tg_status check_choice(reader *r, size_t row, const char *path, bool *is_out)
{
    const char *side = tgi_table_field(&r->table, row, r->side);
    const char *sex = tgi_table_field(&r->table, row, r->sex);
    const bool is_frontal = *side ? strcmp(side, "Frontal") == 0 : strstr(path, "lateral") == NULL;

    if (r->side != SIZE_MAX && !is_frontal && strcmp(side, "Lateral") != 0)
        return tgi_table_bad(&r->table, row, "Frontal/Lateral is '%s'", side);
    if (*sex && !strchr("MFU", *sex))
        return tgi_table_bad(&r->table, row, "Sex is '%s' (Male, Female or Unknown is known)", sex);
    *is_out = true;
    if (!tgi_is_view_wanted(r->opts, is_frontal, tgi_table_field(&r->table, row, r->projection)))
        r->left_out.view++;
    else if (!tgi_is_sex_wanted(r->opts, sex))
        r->left_out.sex++;
    else
        *is_out = false;
    return TG_OK;
}

/* Split and patient are in the path: train/patient00001/... */
static tg_status read_path(const reader *r, size_t row, const char **path, tg_split *split,
                           const char **patient, size_t *n_patient)
{
    const char *text = tgi_table_field(&r->table, row, r->path), *below;

    if (tgi_starts_with(text, FOLDER) && strchr(text, '/'))
        text = strchr(text, '/') + 1;
    for (size_t k = 0; k < TG_COUNT(parts); k++) {
        below = text + strlen(parts[k].folder);
        if (!tgi_starts_with(text, parts[k].folder) || !tgi_starts_with(below, "patient") ||
            !strchr(below, '/'))
            continue;
        *path = text;
        *split = parts[k].split;
        *patient = below;
        *n_patient = (size_t)(strchr(below, '/') - below);
        return TG_OK;
    }
    return tgi_table_bad(&r->table, row,
                         "Path is '%s', not {train,valid,test}/patientN/studyN/viewN_SIDE.jpg",
                         tgi_table_field(&r->table, row, r->path));
}

static tg_status read_row(reader *r, size_t row)
{
    tg_status status = TG_OK;
    tgi_text labels = {0};
    const char *path = NULL, *patient = NULL;
    size_t n_patient = 0;
    tg_split split = TG_SPLIT_TRAIN;
    bool is_out = false;
    tgi_record *record;

    TG_TRY(tgi_table_check_row(&r->table, row, r->table.n_columns));
    TG_TRY(read_path(r, row, &path, &split, &patient, &n_patient));
    TG_TRY(read_labels(r, row, &labels, &is_out));
    if (!is_out)
        TG_TRY(check_choice(r, row, path, &is_out));
    r->left_out.n_rows++;
    if (is_out)
        goto cleanup;
    TG_TRY(tgi_dataset_add_file(r->set, r->table.path, r->table.csv.line[row], path, &record));
    if (!record)
        goto cleanup;
    record->split = split;
    r->set->has_split[split] = true;
    TG_TRY(tgi_strndup(patient, n_patient, &record->patient));
    TG_TRY(tgi_strdup(labels.size ? labels.data : "", &record->label_text));
cleanup:
    tgi_text_release(&labels);
    return status;
}

static tg_status read_table(reader *r, const char *path)
{
    tg_status status = TG_OK;

    r->left_out = (tgi_left_out){0};
    TG_TRY(tgi_table_open(r->set, path, &r->table));
    TG_TRY(find_columns(r));
    for (size_t row = 1; row < r->table.csv.n_rows; row++)
        TG_TRY(read_row(r, row));
    tgi_left_out_report(&r->left_out, path);
cleanup:
    tgi_table_release(&r->table);
    return status;
}

static tg_status read_tables(reader *r)
{
    tg_status status = TG_OK;
    char *path = NULL;

    for (size_t k = 0; k < TG_COUNT(table_names); k++) {
        free(path);
        path = NULL;
        TG_TRY(tgi_path_join(r->set->root, table_names[k], &path));
        if (tgi_is_file(path))
            TG_TRY(read_table(r, path));
    }
cleanup:
    free(path);
    return status;
}

tg_status tgi_chexpert_read(tg_dataset *set, const char *spec, const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;
    tg_dataset_opts own = *opts;
    reader r = {.set = set, .opts = &own};

    if (own.classes && tgi_same_word(own.classes, "chexpert5"))
        own.classes = chexpert5;
    if (tgi_is_file(spec)) {
        TG_TRY(tgi_strndup(spec, (size_t)(tgi_path_name(spec) - spec), &set->root));
        TG_TRY(read_table(&r, spec));
    } else {
        TG_TRY(find_folder(spec, &set->root));
        if (!set->root) {
            status = tg_fail(TG_ERR_FORMAT,
                             "cannot open '%s': no CheXpert set (looked for train.csv, valid.csv, "
                             "test.csv with the columns Path, No Finding and the findings, here or "
                             "in one folder " FOLDER "*)",
                             spec);
            goto cleanup;
        }
        TG_TRY(read_tables(&r));
    }
    TG_TRY(tgi_dataset_finish(set, &own));
cleanup:
    return status;
}

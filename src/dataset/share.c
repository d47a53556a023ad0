/* share.c -- shares patients out to train, val and test, and writes the table. */
#include "config.h"
#include "dataset/audit.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* One image; sorted so that the images of a patient lie side by side. */
typedef struct entry {
    tg_sample sample;
    const char *key; /* patient, or the image's own name */
    bool is_own;     /* no patient is known */
    bool is_ill;     /* any image of this patient is diseased */
    tg_split split;  /* the new one */
} entry;

static int by_key(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    int order = strcmp(x->key, y->key);

    if (!order)
        order = (int)x->is_own - (int)y->is_own;
    return order ? order : strcmp(x->sample.name, y->sample.name);
}

static bool is_same_patient(const entry *a, const entry *b)
{
    return !a->is_own && !b->is_own && !strcmp(a->key, b->key);
}

/* The images of a set in the order of their patients; free() releases them. */
static tg_status sort_entries(const tg_dataset *set, entry **out, size_t *n)
{
    tg_status status = TG_OK;
    entry *all = NULL;

    *out = NULL;
    *n = tg_dataset_n_samples(set);
    TG_TRY(tgi_alloc(*n, sizeof *all, &all));
    for (size_t i = 0; i < *n; i++) {
        all[i].sample = tg_dataset_sample(set, i);
        all[i].is_own = !*all[i].sample.patient;
        all[i].key = all[i].is_own ? all[i].sample.name : all[i].sample.patient;
        all[i].is_ill = all[i].sample.is_diseased;
    }
    qsort(all, *n, sizeof *all, by_key);
    *out = all;
cleanup:
    return status;
}

tg_status tgi_dataset_count_patients(const tg_dataset *set, tg_split split, size_t *out)
{
    entry *all;
    size_t n;
    tg_status status = sort_entries(set, &all, &n);
    const entry *last = NULL;

    *out = 0;
    for (size_t i = 0; status == TG_OK && i < n; i++) {
        if (all[i].sample.split != split)
            continue;
        *out += !last || !is_same_patient(last, &all[i]);
        last = &all[i];
    }
    free(all);
    return status;
}

/* How many of n patients a share means: at least one of three or more. */
static size_t count_of_share(double share, size_t n)
{
    size_t count = (size_t)floor(share * (double)n + 0.5);

    return share > 0 && !count && n >= 3 ? 1 : count;
}

/* Gives the patients that are ill (or not) their split. firsts[] are indices of each patient's
 * first image. */
static tg_status assign(entry *all, size_t n, const size_t *firsts, size_t n_patients, bool is_ill,
                        double val_share, double test_share, uint64_t seed)
{
    tg_status status = TG_OK;
    tgi_rng rng = tgi_rng_new(seed, TGI_STREAM_SPLIT, is_ill);
    size_t *members = NULL, *order = NULL, count = 0, n_val, n_test;

    TG_TRY(tgi_alloc(n_patients, sizeof *members, &members));
    TG_TRY(tgi_alloc(n_patients, sizeof *order, &order));
    for (size_t k = 0; k < n_patients; k++) {
        if (all[firsts[k]].is_ill == is_ill)
            members[count++] = firsts[k];
    }
    tgi_rng_shuffle(&rng, order, count);
    n_test = count_of_share(test_share, count);
    n_val = count_of_share(val_share, count);
    for (size_t k = 0; k < count; k++) {
        tg_split split = k < n_test           ? TG_SPLIT_TEST
                         : k < n_test + n_val ? TG_SPLIT_VAL
                                              : TG_SPLIT_TRAIN;
        size_t first = members[order[k]], i = first;

        do
            all[i++].split = split;
        while (i < n && is_same_patient(&all[first], &all[i]));
    }
cleanup:
    free(order);
    free(members);
    return status;
}

static tg_status assign_all(entry *all, size_t n, double val_share, double test_share,
                            uint64_t seed)
{
    tg_status status = TG_OK;
    size_t *firsts = NULL, n_patients = 0;

    TG_TRY(tgi_alloc(n, sizeof *firsts, &firsts));
    for (size_t i = 0; i < n; i++) {
        if (!i || !is_same_patient(&all[i - 1], &all[i]))
            firsts[n_patients++] = i;
        else if (all[i].is_ill)
            all[firsts[n_patients - 1]].is_ill = true;
    }
    TG_TRY(assign(all, n, firsts, n_patients, false, val_share, test_share, seed));
    TG_TRY(assign(all, n, firsts, n_patients, true, val_share, test_share, seed));
cleanup:
    free(firsts);
    return status;
}

/* A field of a CSV file, in quotes where it needs them. */
static tg_status add_field(tgi_text *text, const char *field, const char *end)
{
    tg_status status = TG_OK;

    if (!field[strcspn(field, ",\"\r\n")])
        return tgi_text_add(text, "%s%s", field, end);
    TG_TRY(tgi_text_add(text, "\""));
    for (; *field; field++)
        TG_TRY(tgi_text_add(text, *field == '"' ? "\"\"" : "%c", *field));
    TG_TRY(tgi_text_add(text, "\"%s", end));
cleanup:
    return status;
}

/* `file` as a table in `folder` (an absolute path) names it: relative when it lies below, else
 * absolute. */
static tg_status add_path(tgi_text *text, const char *file, const char *folder)
{
    char *full = realpath(file, NULL);
    size_t n = strlen(folder);
    tg_status status;

    if (!full)
        return tg_fail(TG_ERR_IO, "cannot find '%s': %s", file, strerror(errno));
    status =
        add_field(text, !strncmp(full, folder, n) && full[n] == '/' ? full + n + 1 : full, ",");
    free(full);
    return status;
}

static tg_status add_row(const tg_dataset *set, const entry *row, const char *folder,
                         tgi_text *text)
{
    tg_status status = TG_OK;
    tgi_text labels = {0};

    if (!row->sample.file)
        return tg_fail(TG_ERR_ARGUMENT,
                       "cannot split '%s': its images are drawn, not files (write them first)",
                       tg_dataset_name(set));
    TG_TRY(tgi_text_add(&labels, "%s", ""));
    for (size_t k = 0; k < tg_dataset_n_classes(set); k++) {
        if (row->sample.labels[k] > 0)
            TG_TRY(tgi_text_add(&labels, "%s%s", labels.size ? ";" : "",
                                tg_dataset_class_name(set, k)));
    }
    TG_TRY(add_path(text, row->sample.file, folder));
    TG_TRY(add_field(text, labels.data, ","));
    TG_TRY(tgi_text_add(text, "%s,", tgi_audit_split_name(row->split)));
    TG_TRY(add_field(text, row->sample.patient, "\n"));
cleanup:
    tgi_text_release(&labels);
    return status;
}

tg_status tgi_dataset_share_out(const tg_dataset *set, double val_share, double test_share,
                                uint64_t seed, const char *path)
{
    tg_status status = TG_OK;
    entry *all = NULL;
    char *parent = NULL, *folder = NULL;
    tgi_text text = {0};
    size_t n, depth = (size_t)(tgi_path_name(path) - path);

    if (!(val_share >= 0) || !(test_share >= 0) || val_share + test_share >= 1)
        return tg_fail(
            TG_ERR_ARGUMENT,
            "cannot split: the shares of val (%g) and test (%g) leave nothing to train on",
            val_share, test_share);
    if (depth)
        TG_TRY(tgi_strndup(path, depth, &parent));
    TG_TRY(tgi_mkdirs(parent ? parent : "."));
    folder = realpath(parent ? parent : ".", NULL);
    if (!folder) {
        status = tg_fail(TG_ERR_IO, "cannot find the folder of '%s': %s", path, strerror(errno));
        goto cleanup;
    }
    TG_TRY(sort_entries(set, &all, &n));
    TG_TRY(assign_all(all, n, val_share, test_share, seed));
    TG_TRY(tgi_text_add(&text, "file,labels,split,patient\n"));
    for (size_t i = 0; i < n; i++)
        TG_TRY(add_row(set, &all[i], folder, &text));
    TG_TRY(tgi_file_write(path, text.data, text.size));
cleanup:
    tgi_text_release(&text);
    free(folder);
    free(parent);
    free(all);
    return status;
}

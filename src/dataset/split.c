/* split.c -- no patient on both sides, and a validation split where the set brings none: chosen by
 * a hash of each patient and the seed, so that rows may be added or sorted without moving the
 * others. */
#include "config.h"
#include "dataset/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/banned.h"

/* All images of a patient; a patient without a name is the image itself. */
typedef struct group {
    const char *patient;
    size_t first, n; /* range of the sorted keys */
    double draw;
    bool is_diseased; /* any of them */
} group;

static const char *const split_names[] = {"train", "val", "test"};

static const char *patient_of(const tgi_record *r)
{
    return r->patient[0] ? r->patient : r->path;
}

static uint64_t fnv1a(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

/* Where a record stands, for a sentence: its line, or its file where there is no table. */
static void say_where(const tgi_record *r, char *out, size_t size)
{
    if (r->line)
        snprintf(out, size, "%s, line %zu", tgi_path_name(r->path), r->line);
    else
        snprintf(out, size, "%s", r->path);
}

static tg_status check_patients(const tg_dataset *set, const tgi_key *keys)
{
    for (size_t k = 1; k < set->n_records; k++) {
        const tgi_record *a = &set->records[keys[k - 1].i], *b = &set->records[keys[k].i];
        char first[512], second[512];

        if (!a->patient[0] || strcmp(a->patient, b->patient) != 0 || a->split == b->split)
            continue;
        say_where(a, first, sizeof first);
        say_where(b, second, sizeof second);
        return tg_fail(TG_ERR_FORMAT, "cannot use '%s': patient '%s' is in %s (%s) and in %s (%s)",
                       b->table ? b->table : set->spec, a->patient, split_names[a->split], first,
                       split_names[b->split], second);
    }
    return TG_OK;
}

/* Healthy first, then by draw. */
static int by_draw(const void *a, const void *b)
{
    const group *first = a, *second = b;

    if (first->is_diseased != second->is_diseased)
        return first->is_diseased - second->is_diseased;
    if (first->draw != second->draw)
        return first->draw < second->draw ? -1 : 1;
    return strcmp(first->patient, second->patient);
}

/* Patients of the train split, in an order drawn from the seed. */
static size_t make_groups(const tg_dataset *set, const tgi_key *keys, uint64_t seed, group *groups)
{
    size_t n = 0, end;

    for (size_t k = 0; k < set->n_records; k = end) {
        tgi_rng rng = tgi_rng_new(seed, TGI_STREAM_SPLIT, fnv1a(keys[k].text));
        group g = {keys[k].text, k, 0, tgi_rng_uniform(&rng), false};

        for (end = k; end < set->n_records && strcmp(keys[end].text, g.patient) == 0; end++)
            g.is_diseased |= set->records[keys[end].i].is_diseased;
        g.n = end - k;
        if (set->records[keys[k].i].split == TG_SPLIT_TRAIN)
            groups[n++] = g;
    }
    qsort(groups, n, sizeof *groups, by_draw);
    return n;
}

static tg_status hold_out(tg_dataset *set, const tgi_key *keys, const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;
    group *groups = NULL;
    size_t n, n_held = 0, end;

    TG_TRY(tgi_alloc(set->n_records, sizeof *groups, &groups));
    n = make_groups(set, keys, opts->seed, groups);
    for (size_t first = 0; first < n; first = end) { /* the healthy patients, then the diseased */
        size_t n_val;

        for (end = first; end < n && groups[end].is_diseased == groups[first].is_diseased;)
            end++;
        n_val = (size_t)lrint(opts->val_share * (double)(end - first));
        if (!n_val && opts->val_share > 0)
            n_val = 1;
        if (n_val >= end - first) /* one patient alone stays in train */
            n_val = end - first - 1;
        for (size_t g = first; g < first + n_val; g++)
            for (size_t m = 0; m < groups[g].n; m++, n_held++)
                set->records[keys[groups[g].first + m].i].split = TG_SPLIT_VAL;
    }
    if (n_held)
        tg_log(TG_LOG_INFO, "%s: no val split: %zu images held out of train, by patient", set->spec,
               n_held);
cleanup:
    free(groups);
    return status;
}

tg_status tgi_dataset_split(tg_dataset *set, const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;
    tgi_key *keys = NULL;

    TG_TRY(tgi_alloc(set->n_records, sizeof *keys, &keys));
    for (size_t i = 0; i < set->n_records; i++)
        keys[i] = (tgi_key){patient_of(&set->records[i]), i};
    tgi_keys_sort(keys, set->n_records);
    if (!opts->is_lenient)
        TG_TRY(check_patients(set, keys));
    if (!set->has_split[TG_SPLIT_VAL] && set->has_split[TG_SPLIT_TRAIN] && opts->val_share > 0)
        TG_TRY(hold_out(set, keys, opts));
cleanup:
    free(keys);
    return status;
}

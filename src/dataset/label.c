/* label.c -- label texts become classes and a table of zeros and ones. */
#include "config.h"
#include "dataset/dataset.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

enum { CLASSES_MAX = 1000 }; /* more are free text in the wrong column */

/* The next part of a list; *text moves behind it. False at the end. Parts lose the blanks around
 * them. */
static bool next_part(const char **text, char separator, const char **part, size_t *n)
{
    const char *p = *text, *end;

    if (!p)
        return false;
    end = strchr(p, separator);
    *text = end ? end + 1 : NULL;
    if (!end)
        end = p + strlen(p);
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *part = p;
    *n = (size_t)(end - p);
    return true;
}

size_t tgi_dataset_find_class(const tg_dataset *set, const char *name)
{
    for (size_t k = 0; k < set->n_classes; k++)
        if (strcmp(set->classes[k], name) == 0)
            return k;
    for (size_t k = 0; k < set->n_classes; k++)
        if (tgi_same_word(set->classes[k], name))
            return k;
    return set->n_classes;
}

tg_status tgi_dataset_add_class(tg_dataset *set, const char *name)
{
    tg_status status = TG_OK;

    if (set->n_classes >= CLASSES_MAX)
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s': more than %d different labels", set->spec,
                       CLASSES_MAX);
    TG_TRY(
        tgi_grow(&set->classes, &set->capacity_classes, set->n_classes + 1, sizeof *set->classes));
    TG_TRY(tgi_strdup(name, &set->classes[set->n_classes]));
    set->n_classes++;
cleanup:
    return status;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Calls for each disease named in the text. */
typedef tg_status visit_fn(tg_dataset *set, size_t i, const char *name, void *user);

static tg_status visit_diseases(tg_dataset *set, size_t i, const char *healthy, visit_fn *visit,
                                void *user)
{
    tg_status status = TG_OK;
    const char *text = set->records[i].label_text, *part;
    char *name = NULL;
    size_t n;

    while (next_part(&text, ';', &part, &n)) {
        free(name);
        name = NULL;
        TG_TRY(tgi_strndup(part, n, &name));
        if (!tgi_is_healthy_name(name, healthy))
            TG_TRY(visit(set, i, name, user));
    }
cleanup:
    free(name);
    return status;
}

static tg_status add_found(tg_dataset *set, size_t i, const char *name, void *user)
{
    TG_UNUSED(i);
    TG_UNUSED(user);
    for (size_t k = 0; k < set->n_classes; k++)
        if (strcmp(set->classes[k], name) == 0)
            return TG_OK;
    return tgi_dataset_add_class(set, name);
}

/* What a row of the labels holds besides the table itself. */
typedef struct labelling {
    bool *is_unknown;     /* [n_records] a disease that was not asked for */
    tgi_record first_row; /* borrowed: where the first of them stands */
    char *first_unknown;
    size_t n_unknown, n_known;
} labelling;

static tg_status set_label(tg_dataset *set, size_t i, const char *name, void *user)
{
    labelling *l = user;
    const size_t k = tgi_dataset_find_class(set, name);

    if (k < set->n_classes) {
        set->labels[i * set->n_classes + k] = 1;
        set->records[i].is_diseased = true;
        l->n_known++;
        return TG_OK;
    }
    l->is_unknown[i] = true;
    l->n_unknown++;
    if (l->first_unknown)
        return TG_OK;
    l->first_row = set->records[i];
    return tgi_strdup(name, &l->first_unknown);
}

static tg_status choose_classes(tg_dataset *set, const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;
    const char *text = opts->classes, *part;
    char *name = NULL;
    size_t n;

    if (!text) {
        for (size_t i = 0; i < set->n_records; i++)
            TG_TRY(visit_diseases(set, i, opts->healthy, add_found, NULL));
        if (set->n_classes)
            qsort(set->classes, set->n_classes, sizeof *set->classes, by_bytes);
        return TG_OK;
    }
    while (next_part(&text, ',', &part, &n)) {
        free(name);
        name = NULL;
        TG_TRY(tgi_strndup(part, n, &name));
        if (tgi_is_healthy_name(name, opts->healthy) ||
            tgi_dataset_find_class(set, name) < set->n_classes) {
            status = tg_fail(TG_ERR_ARGUMENT, "cannot use classes '%s': '%s' is %s", opts->classes,
                             name, *name ? "named twice, or is the healthy one" : "empty");
            goto cleanup;
        }
        TG_TRY(tgi_dataset_add_class(set, name));
    }
cleanup:
    free(name);
    return status;
}

bool tgi_is_class_wanted(const tg_dataset_opts *opts, const char *name)
{
    const char *text = opts->classes, *part;
    size_t n;

    while (next_part(&text, ',', &part, &n))
        if (strlen(name) == n && strncasecmp(part, name, n) == 0)
            return true;
    return !opts->classes;
}

/* A class that no image has is most likely misspelt: an error when none is found, else a warning.
 */
static tg_status check_wanted(const tg_dataset *set, const tg_dataset_opts *opts,
                              const labelling *l)
{
    const char *where = l->first_row.table ? l->first_row.table : set->spec;

    if (!opts->classes)
        return TG_OK;
    if (!l->n_known && l->n_unknown)
        return l->first_row.line
                   ? tg_fail(TG_ERR_ARGUMENT,
                             "cannot use '%s': no image has a class of '%s' (line %zu has '%s')",
                             where, opts->classes, l->first_row.line, l->first_unknown)
                   : tg_fail(TG_ERR_ARGUMENT,
                             "cannot use '%s': no image has a class of '%s' ('%s' is '%s')", where,
                             opts->classes, l->first_row.file, l->first_unknown);
    for (size_t k = 0; k < set->n_classes; k++) {
        bool is_found = false;

        for (size_t i = 0; i < set->n_records && !is_found; i++)
            is_found = set->labels[i * set->n_classes + k] > 0;
        if (!is_found)
            tg_log(TG_LOG_WARNING, "%s: no image has the class '%s'", where, set->classes[k]);
    }
    return TG_OK;
}

tg_status tgi_dataset_label(tg_dataset *set, const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;
    labelling l = {0};
    size_t n, n_dropped = 0;

    TG_TRY(choose_classes(set, opts));
    TG_TRY(tgi_size_mul(set->n_records, set->n_classes, &n));
    TG_TRY(tgi_alloc(n, sizeof *set->labels, &set->labels));
    TG_TRY(tgi_alloc(set->n_records, sizeof *l.is_unknown, &l.is_unknown));
    for (size_t i = 0; i < set->n_records; i++)
        TG_TRY(visit_diseases(set, i, opts->healthy, set_label, &l));
    TG_TRY(check_wanted(set, opts, &l));
    /* An image whose only diseases are others is not healthy: it is left out. */
    for (size_t i = 0; i < set->n_records; i++) {
        l.is_unknown[i] = l.is_unknown[i] && !set->records[i].is_diseased;
        n_dropped += l.is_unknown[i];
    }
    if (n_dropped && l.first_row.line)
        tg_log(TG_LOG_WARNING,
               "%s: %zu images left out, their classes were not asked for (first: line %zu, '%s')",
               l.first_row.table, n_dropped, l.first_row.line, l.first_unknown);
    else if (n_dropped)
        tg_log(TG_LOG_WARNING,
               "%s: %zu images left out, their classes were not asked for (first: '%s', '%s')",
               set->spec, n_dropped, l.first_row.file, l.first_unknown);
    tgi_dataset_drop(set, l.is_unknown);
cleanup:
    free(l.is_unknown);
    free(l.first_unknown);
    return status;
}

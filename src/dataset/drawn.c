/* drawn.c -- sets that are drawn: phantom and vagan-synthetic with their keys. Each image has an
 * anatomy of its own: an index names split, healthy or diseased, and place, so no patient is seen
 * twice and n changes no other image. */
#include "config.h"
#include "dataset/dataset.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

typedef struct plan {
    long long n[3]; /* images a domain: train, val, test */
    long long seed, size_px, multi;
    char *classes, *positions; /* owned; NULL = the default */
    double noise_sd;
} plan;

enum { OF_PHANTOM = 1, OF_VAGAN = 2, OF_BOTH = 3 };
typedef enum key_type { KEY_INTEGER, KEY_REAL, KEY_TEXT } key_type;

static const struct key {
    const char *name;
    unsigned origins;
    key_type type;
    size_t offset; /* in a plan */
    double low, high;
} keys[] = {
    {"n", OF_BOTH, KEY_INTEGER, offsetof(plan, n[0]), 0, 1e7},
    {"val", OF_BOTH, KEY_INTEGER, offsetof(plan, n[1]), 0, 1e7},
    {"test", OF_BOTH, KEY_INTEGER, offsetof(plan, n[2]), 0, 1e7},
    {"seed", OF_BOTH, KEY_INTEGER, offsetof(plan, seed), 0, 9e18},
    {"size", OF_BOTH, KEY_INTEGER, offsetof(plan, size_px), 16, 4096},
    {"classes", OF_BOTH, KEY_TEXT, offsetof(plan, classes), 0, 0},
    {"multi", OF_PHANTOM, KEY_INTEGER, offsetof(plan, multi), 0, 1},
    {"positions", OF_VAGAN, KEY_TEXT, offsetof(plan, positions), 0, 0},
    {"noise", OF_VAGAN, KEY_REAL, offsetof(plan, noise_sd), 1e-3, 1e4},
};

/* VA-GAN's published set does not tell its two places apart; with both names asked for they are two
 * classes. */
static const char *const vagan_classes[] = {"effect", "lower-right", "upper-left"};

static tg_status unknown_key(const char *word, size_t n, unsigned origin)
{
    tgi_text list = {0};
    tg_status status = TG_OK;

    for (size_t k = 0; k < TG_COUNT(keys); k++)
        if (keys[k].origins & origin)
            TG_TRY(tgi_text_add(&list, "%s%s", list.size ? ", " : "", keys[k].name));
    status = tg_fail(TG_ERR_ARGUMENT, "cannot draw a data set: unknown key '%.*s' (keys: %s)",
                     (int)n, word, list.data);
cleanup:
    tgi_text_release(&list);
    return status;
}

static tg_status set_value(const struct key *key, const char *value, plan *out)
{
    void *place = (char *)out + key->offset;
    long long whole;
    double real;

    switch (key->type) {
    case KEY_TEXT: {
        char **text = place;

        free(*text);
        return tgi_strdup(value, text);
    }
    case KEY_INTEGER:
        if (tgi_parse_int(value, &whole) && (double)whole >= key->low &&
            (double)whole <= key->high) {
            *(long long *)place = whole;
            return TG_OK;
        }
        break;
    case KEY_REAL:
        if (tgi_parse_real(value, &real) && real >= key->low && real <= key->high) {
            *(double *)place = real;
            return TG_OK;
        }
        break;
    }
    return tg_fail(TG_ERR_ARGUMENT, "cannot draw a data set: %s=%s (wanted %s from %g to %g)",
                   key->name, value, key->type == KEY_REAL ? "a number" : "a whole number",
                   key->low, key->high);
}

/* "KEY=VALUE,KEY=VALUE" */
static tg_status parse_plan(const char *text, unsigned origin, plan *out)
{
    tg_status status = TG_OK;
    char *value = NULL;

    while (*text) {
        const size_t n = strcspn(text, ","), n_name = strcspn(text, "=,");
        const struct key *key = NULL;

        for (size_t k = 0; k < TG_COUNT(keys); k++)
            if ((keys[k].origins & origin) && strlen(keys[k].name) == n_name &&
                memcmp(keys[k].name, text, n_name) == 0)
                key = &keys[k];
        if (!key)
            return unknown_key(text, n_name, origin);
        if (n_name == n)
            return tg_fail(TG_ERR_ARGUMENT, "cannot draw a data set: key '%s' has no value",
                           key->name);
        TG_TRY(tgi_strndup(text + n_name + 1, n - n_name - 1, &value));
        TG_TRY(set_value(key, value, out));
        free(value);
        value = NULL;
        text += n + (text[n] == ',');
    }
cleanup:
    free(value);
    return status;
}

/* One class by its name: its bit of a phantom, its subtype (2 = either) of VA-GAN's set. */
static tg_status add_class(tg_dataset *set, const char *name)
{
    tg_status status = TG_OK;
    const size_t n_known =
        set->origin == TGI_ORIGIN_PHANTOM ? TGI_PHANTOM_CLASSES : TG_COUNT(vagan_classes);
    tgi_text list = {0};

    for (size_t k = 0; k < n_known; k++) {
        const char *known =
            set->origin == TGI_ORIGIN_PHANTOM ? tgi_phantom_class(k) : vagan_classes[k];

        if (tgi_same_word(known, name)) {
            if (tgi_dataset_find_class(set, known) < set->n_classes)
                return tg_fail(TG_ERR_ARGUMENT, "cannot draw '%s': class '%s' is named twice",
                               set->spec, known);
            TG_TRY(tgi_dataset_add_class(set, known));
            set->class_bits[set->n_classes - 1] = set->origin == TGI_ORIGIN_PHANTOM ? 1u << k
                                                  : k ? (unsigned)k - 1
                                                      : 2;
            goto cleanup;
        }
        TG_TRY(tgi_text_add(&list, "%s%s", k ? ", " : "", known));
    }
    status = tg_fail(TG_ERR_ARGUMENT, "cannot draw '%s': unknown class '%s' (classes: %s)",
                     set->spec, name, list.data);
cleanup:
    tgi_text_release(&list);
    return status;
}

static tg_status add_classes(tg_dataset *set, const char *list, const char *separators)
{
    tg_status status = TG_OK;
    char *name = NULL;
    const size_t n_known =
        set->origin == TGI_ORIGIN_PHANTOM ? TGI_PHANTOM_CLASSES : TG_COUNT(vagan_classes);

    TG_TRY(tgi_alloc(n_known, sizeof *set->class_bits, &set->class_bits));
    if (!list && set->origin == TGI_ORIGIN_PHANTOM) {
        for (size_t k = 0; k < TGI_PHANTOM_CLASSES; k++)
            TG_TRY(add_class(set, tgi_phantom_class(k)));
    } else if (!list) {
        TG_TRY(add_class(set, vagan_classes[0]));
    }
    while (list) {
        const size_t n = strcspn(list, separators);

        free(name);
        name = NULL;
        TG_TRY(tgi_strndup(list, n, &name));
        TG_TRY(add_class(set, name));
        list = list[n] ? list + n + 1 : NULL;
    }
    if (set->n_classes > 1 && set->origin == TGI_ORIGIN_VAGAN &&
        tgi_dataset_find_class(set, "effect") < set->n_classes)
        status =
            tg_fail(TG_ERR_ARGUMENT,
                    "cannot draw '%s': class 'effect' is both others, ask for it alone", set->spec);
cleanup:
    free(name);
    return status;
}

/* Image `turn` of a domain: its diseases by turns. */
static tg_status add_image(tg_dataset *set, tg_split split, bool is_diseased, size_t turn,
                           bool is_multi)
{
    static const char *const split_names[] = {"train", "val", "test"};
    tg_status status = TG_OK;
    const size_t n = set->n_classes, k = n ? turn % n : 0;
    float *labels = set->labels + set->n_records * n;
    tgi_record *r;

    TG_TRY(tgi_dataset_add(set, &r));
    TG_TRY(tgi_printf(&r->name, "%s-%c%05zu", split_names[split], is_diseased ? 'd' : 'h', turn));
    TG_TRY(tgi_strdup(r->name, &r->patient));
    r->split = split;
    r->is_diseased = is_diseased;
    r->index = (uint64_t)split << 41 | (uint64_t)is_diseased << 40 | turn;
    if (!is_diseased)
        goto cleanup;
    labels[k] = 1;
    r->drawing = set->class_bits[k];
    if (set->origin == TGI_ORIGIN_VAGAN && r->drawing == 2)
        r->drawing = turn % 2;
    if (is_multi && n > 1) {
        /* step through all pairs, not only the neighbours */
        const size_t other = (k + 1 + turn / n % (n - 1)) % n;

        labels[other] = 1;
        r->drawing |= set->class_bits[other];
    }
cleanup:
    return status;
}

static tg_status add_images(tg_dataset *set, const plan *p)
{
    tg_status status = TG_OK;
    size_t n = 2 * (size_t)(p->n[0] + p->n[1] + p->n[2]), n_labels;

    if (!n)
        return tg_fail(TG_ERR_ARGUMENT, "cannot draw '%s': no images asked for", set->spec);
    TG_TRY(tgi_size_mul(n, set->n_classes, &n_labels));
    TG_TRY(tgi_alloc(n_labels, sizeof *set->labels, &set->labels));
    for (int s = 0; s < 3; s++)
        for (int d = 0; d < 2; d++)
            for (size_t turn = 0; turn < (size_t)p->n[s]; turn++)
                TG_TRY(add_image(set, (tg_split)s, d, turn, p->multi));
cleanup:
    return status;
}

tg_status tgi_drawn_read(tg_dataset *set, tgi_origin origin, const char *text,
                         const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;
    const bool is_phantom = origin == TGI_ORIGIN_PHANTOM;
    plan p = {.n = {3000, 200, 400}, .noise_sd = 50};

    set->origin = origin;
    p.seed = (long long)(opts->seed & INT64_MAX);
    p.size_px = opts->size_px ? (long long)opts->size_px : is_phantom ? 64 : 112;
    TG_TRY(parse_plan(text, is_phantom ? OF_PHANTOM : OF_VAGAN, &p));
    if (p.size_px < 16 || p.size_px > 4096) {
        status = tg_fail(TG_ERR_ARGUMENT, "cannot draw '%s' at %lld pixels: the side is 16 to 4096",
                         set->spec, p.size_px);
        goto cleanup;
    }
    if (p.positions && strcmp(p.positions, "fixed") != 0 && strcmp(p.positions, "random") != 0) {
        status = tg_fail(TG_ERR_ARGUMENT, "cannot draw '%s': positions=%s (fixed or random)",
                         set->spec, p.positions);
        goto cleanup;
    }
    set->seed = (uint64_t)p.seed;
    set->size_px = (size_t)p.size_px;
    set->vagan =
        (tgi_vagan_opts){p.positions && strcmp(p.positions, "random") == 0, 100, p.noise_sd, 2.5};
    set->has_masks = set->has_differences = set->has_boxes = true;
    TG_TRY(p.classes ? add_classes(set, p.classes, "+") : add_classes(set, opts->classes, ","));
    TG_TRY(add_images(set, &p));
    TG_TRY(tgi_dataset_finish(set, opts));
cleanup:
    free(p.classes);
    free(p.positions);
    return status;
}

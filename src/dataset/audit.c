/* audit.c -- reads a whole data set and names what is wrong with it. */
#include "config.h"
#include "dataset/audit.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/banned.h"

enum { LARGEST_PART = 1 << 30 }; /* zlib counts bytes in 32 bits */

/* One image as the audit sees it. */
typedef struct seen {
    tg_sample sample;
    unsigned long sum; /* crc32 of the pixels, with the size mixed in */
    bool is_read;
} seen;

const char *tgi_audit_split_name(tg_split split)
{
    static const char *const names[] = {"train", "val", "test"};

    return names[split];
}

static const char *name_of(const tg_sample *sample)
{
    return sample->file ? sample->file : sample->name;
}

static void report(const tgi_audit_hooks *hooks, const char *format, ...) TG_PRINTF(2, 3);
static void report(const tgi_audit_hooks *hooks, const char *format, ...)
{
    char line[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    hooks->problem(line, hooks->user);
}

static void audit_truth(const tg_dataset *set, size_t i, const tg_image *image,
                        const tg_sample *sample, const tgi_audit_hooks *hooks)
{
    tg_truth truth = {0};
    size_t marked = 0;

    if (tg_dataset_truth(set, i, 0, &truth) != TG_OK) {
        report(hooks, "truth of %s: %s", name_of(sample), tg_error_message());
        return;
    }
    if (truth.has_mask &&
        (truth.mask.width_px != image->width_px || truth.mask.height_px != image->height_px))
        report(hooks, "%s: its mask is %zu x %zu, the image %zu x %zu", name_of(sample),
               truth.mask.width_px, truth.mask.height_px, image->width_px, image->height_px);
    for (size_t p = 0; truth.has_mask && p < truth.mask.width_px * truth.mask.height_px; p++)
        marked += truth.mask.pixels[p];
    if (truth.has_mask && sample->is_diseased && !marked)
        report(hooks, "%s: labelled diseased, but its mask is empty", name_of(sample));
    if (!sample->is_diseased && (marked || truth.n_boxes))
        report(hooks, "label clash: %s is labelled healthy, but has a %s", name_of(sample),
               marked ? "mask" : "box");
    tg_truth_release(&truth);
}

static void audit_image(const tg_dataset *set, size_t i, seen *out, const tgi_audit_hooks *hooks)
{
    tg_image image = {0};
    size_t n;

    out->sample = tg_dataset_sample(set, i);
    if (tg_dataset_load(set, i, 0, &image) != TG_OK) {
        report(hooks, "unreadable: %s", tg_error_message());
        return;
    }
    n = image.width_px * image.height_px;
    out->sum = crc32(0, NULL, 0) ^ (unsigned long)image.width_px;
    for (size_t done = 0; done < n * sizeof(float);) {
        size_t rest = n * sizeof(float) - done, part = rest < LARGEST_PART ? rest : LARGEST_PART;

        out->sum = crc32(out->sum, (const unsigned char *)image.pixels + done, (unsigned)part);
        done += part;
    }
    out->is_read = true;
    audit_truth(set, i, &image, &out->sample, hooks);
    tg_image_release(&image);
}

static int by_sum(const void *a, const void *b)
{
    const seen *x = a, *y = b;

    if (x->is_read != y->is_read)
        return x->is_read ? -1 : 1;
    if (x->sum != y->sum)
        return x->sum < y->sum ? -1 : 1;
    return strcmp(name_of(&x->sample), name_of(&y->sample));
}

static int by_patient(const void *a, const void *b)
{
    const seen *x = a, *y = b;
    int order = strcmp(x->sample.patient, y->sample.patient);

    if (!order)
        order = (int)x->sample.split - (int)y->sample.split;
    return order ? order : strcmp(name_of(&x->sample), name_of(&y->sample));
}

/* The same pixels twice: with other labels it is a clash, in another split a leak; it may be both. */
static void audit_twins(seen *all, size_t n, size_t n_classes, const tgi_audit_hooks *hooks)
{
    qsort(all, n, sizeof *all, by_sum);
    for (size_t i = 1; i < n; i++) {
        const tg_sample *a = &all[i - 1].sample, *b = &all[i].sample;

        if (!all[i].is_read || !all[i - 1].is_read || all[i].sum != all[i - 1].sum)
            continue;
        if (memcmp(a->labels, b->labels, n_classes * sizeof(float)) ||
            a->is_diseased != b->is_diseased)
            report(hooks, "label clash: %s and %s are the same picture with other labels",
                   name_of(a), name_of(b));
        if (a->split != b->split)
            report(hooks, "leak: %s (%s) and %s (%s) are the same picture", name_of(a),
                   tgi_audit_split_name(a->split), name_of(b), tgi_audit_split_name(b->split));
    }
}

static void audit_patients(seen *all, size_t n, const tgi_audit_hooks *hooks)
{
    qsort(all, n, sizeof *all, by_patient);
    for (size_t i = 1; i < n; i++) {
        const tg_sample *a = &all[i - 1].sample, *b = &all[i].sample;

        if (*a->patient && !strcmp(a->patient, b->patient) && a->split != b->split)
            report(hooks, "leak: patient %s is in %s (%s) and in %s (%s)", a->patient,
                   tgi_audit_split_name(a->split), name_of(a), tgi_audit_split_name(b->split),
                   name_of(b));
    }
}

tg_status tgi_dataset_audit(const tg_dataset *set, const tgi_audit_hooks *hooks)
{
    tg_status status = TG_OK;
    size_t n = tg_dataset_n_samples(set), n_train = 0, count;
    seen *all = NULL;

    TG_TRY(tgi_alloc(n, sizeof *all, &all));
    for (size_t i = 0; i < n; i++) {
        audit_image(set, i, &all[i], hooks);
        if (hooks->progress)
            hooks->progress(i + 1, n, hooks->user);
    }
    audit_twins(all, n, tg_dataset_n_classes(set), hooks);
    audit_patients(all, n, hooks);
    for (int is_diseased = 0; is_diseased < 2; is_diseased++) {
        (void)tg_dataset_select(set, TG_SPLIT_TRAIN, is_diseased, &count);
        n_train += count;
    }
    /* a set that is for testing alone need not be one to train on */
    if (n_train && tg_dataset_check_trainable(set) != TG_OK)
        report(hooks, "%s", tg_error_message());
cleanup:
    free(all);
    return status;
}

/* loader.c -- batches ahead of the device: a ring of slots, each filled by one thread. Batch b
 * depends on b and the seed alone: the order of an epoch and the changes of a sample are named by
 * numbers, not by turns, so threads cannot disturb them. */
#include "config.h"
#include "dataset/dataset.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/banned.h"

enum { THREADS_MAX = 64, AHEAD_MAX = 1024 };

typedef struct slot {
    uint64_t batch;
    bool is_ready;
    float *x, *labels;
    size_t *indices;
    tg_status status;
    char message[512];
} slot;

/* An epoch's order, kept by each thread: neighbouring batches share it. */
typedef struct epoch {
    size_t *order;
    uint64_t number;
    bool is_drawn;
} epoch;

struct tg_loader {
    const tg_dataset *set;
    tg_loader_opts opts;
    size_t *indices, n, n_plane; /* n_plane: pixels of an image */
    float **cache;               /* [n] decoded images at size_px, NULL = not kept */
    size_t cached_bytes;

    slot *slots;
    size_t n_slots;
    uint64_t next_taken; /* batch that the next free thread fills */
    uint64_t next_given; /* batch that tg_loader_next() gives */
    bool has_given, is_stopping;
    epoch own_epoch; /* of tg_loader_next() itself when there are no threads */

    pthread_mutex_t lock; /* guards the slots' states, the counters and the cache's table */
    pthread_cond_t is_filled, is_freed;
    pthread_t threads[THREADS_MAX];
    size_t n_started;
};

tg_loader_opts tg_loader_opts_default(void)
{
    return (tg_loader_opts){.n_batch = 8,
                            .size_px = 64,
                            .n_threads = 2,
                            .n_ahead = 4,
                            .cache_bytes = (size_t)1 << 30,
                            .seed = 1};
}

/* Spreads (stream, number) over 64 bits (the finaliser of splitmix64). */
static uint64_t mix(uint64_t stream, uint64_t number)
{
    uint64_t z = stream * 0x9e3779b97f4a7c15u + 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) + number;
}

static const size_t *order_of(const tg_loader *loader, epoch *e, uint64_t number)
{
    if (!e->is_drawn || e->number != number) {
        tgi_rng rng =
            tgi_rng_new(loader->opts.seed, TGI_STREAM_SHUFFLE, mix(loader->opts.stream_id, number));

        tgi_rng_shuffle(&rng, e->order, loader->n);
        e->number = number;
        e->is_drawn = true;
    }
    return e->order;
}

/* Pixels of image k of the list, from the cache or read; *owned is to be freed when it is not in
 * the cache. */
static tg_status fetch(tg_loader *loader, size_t k, const float **pixels, float **owned)
{
    tg_status status = TG_OK;
    const size_t bytes = loader->n_plane * sizeof(float);
    tg_image image;

    *owned = NULL;
    pthread_mutex_lock(&loader->lock);
    *pixels = loader->cache[k];
    pthread_mutex_unlock(&loader->lock);
    if (*pixels)
        return TG_OK;
    TG_TRY(tg_dataset_load(loader->set, loader->indices[k], loader->opts.size_px, &image));
    *pixels = *owned = image.pixels;
    pthread_mutex_lock(&loader->lock);
    if (!loader->cache[k] && bytes <= loader->opts.cache_bytes - loader->cached_bytes) {
        loader->cache[k] = image.pixels; /* stays until the loader goes: readers need no lock */
        loader->cached_bytes += bytes;
        *owned = NULL;
    }
    pthread_mutex_unlock(&loader->lock);
cleanup:
    return status;
}

static tg_status fill(tg_loader *loader, epoch *e, slot *s)
{
    tg_status status = TG_OK;
    const tg_loader_opts *o = &loader->opts;
    const size_t n_classes = tg_dataset_n_classes(loader->set);

    for (size_t j = 0; j < o->n_batch; j++) {
        const uint64_t position = s->batch * o->n_batch + j;
        const size_t k = order_of(loader, e, position / loader->n)[position % loader->n];
        const tg_sample sample = tg_dataset_sample(loader->set, loader->indices[k]);
        float *x = s->x + j * loader->n_plane, *owned;
        const float *pixels;

        TG_TRY(fetch(loader, k, &pixels, &owned));
        if (tgi_augment_is_off(&o->augment))
            memcpy(x, pixels, loader->n_plane * sizeof *x);
        else
            tgi_augment(&o->augment, o->seed, mix(o->stream_id, position), o->size_px, pixels, x);
        free(owned);
        if (n_classes)
            memcpy(s->labels + j * n_classes, sample.labels, n_classes * sizeof *s->labels);
        s->indices[j] = loader->indices[k];
    }
cleanup:
    s->status = status;
    if (status != TG_OK)
        snprintf(s->message, sizeof s->message, "%s", tg_error_message());
    return status;
}

static void *work(void *argument)
{
    tg_loader *loader = argument;
    epoch e = {0};
    const tg_status status = tgi_alloc(loader->n, sizeof *e.order, &e.order);

    pthread_mutex_lock(&loader->lock);
    while (!loader->is_stopping) {
        slot *s;

        /* the slot of the batch that was given last is still being read */
        if (loader->next_taken >= loader->next_given + loader->n_slots - loader->has_given) {
            pthread_cond_wait(&loader->is_freed, &loader->lock);
            continue;
        }
        s = &loader->slots[loader->next_taken % loader->n_slots];
        s->batch = loader->next_taken++;
        s->is_ready = false;
        pthread_mutex_unlock(&loader->lock);
        if (status == TG_OK) {
            (void)!fill(loader, &e, s);
        } else {
            s->status = status;
            snprintf(s->message, sizeof s->message, "out of memory for the order of %zu images",
                     loader->n);
        }
        pthread_mutex_lock(&loader->lock);
        s->is_ready = true;
        pthread_cond_broadcast(&loader->is_filled);
    }
    pthread_mutex_unlock(&loader->lock);
    free(e.order);
    return NULL;
}

/* Signals are for the program's own threads. */
static tg_status start_threads(tg_loader *loader)
{
    tg_status status = TG_OK;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (loader->n_started < loader->opts.n_threads && status == TG_OK) {
        const int error = pthread_create(&loader->threads[loader->n_started], NULL, work, loader);

        if (error)
            status = tg_fail(TG_ERR_MEMORY, "cannot start a loader thread: %s", strerror(error));
        else
            loader->n_started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static tg_status check_opts(const tg_dataset *set, const size_t *indices, size_t n,
                            const tg_loader_opts *o)
{
    if (!n)
        return tg_fail(TG_ERR_ARGUMENT, "cannot load batches of '%s': no images were chosen",
                       tg_dataset_name(set));
    if (!o->n_batch || !o->size_px || o->size_px > 16384 || o->n_threads > THREADS_MAX ||
        o->n_ahead > AHEAD_MAX)
        return tg_fail(TG_ERR_ARGUMENT,
                       "cannot load batches of %zu images of %zu pixels with %zu threads, %zu "
                       "ahead (up to 16384 pixels, %d "
                       "threads, %d ahead)",
                       o->n_batch, o->size_px, o->n_threads, o->n_ahead, THREADS_MAX, AHEAD_MAX);
    for (size_t k = 0; k < n; k++)
        if (indices[k] >= tg_dataset_n_samples(set))
            return tg_fail(TG_ERR_ARGUMENT, "cannot load sample %zu of '%s': it has %zu",
                           indices[k], tg_dataset_name(set), tg_dataset_n_samples(set));
    return TG_OK;
}

static tg_status make_slots(tg_loader *loader)
{
    tg_status status = TG_OK;
    size_t n_values, n_labels;

    TG_TRY(tgi_size_mul(loader->opts.n_batch, loader->n_plane, &n_values));
    TG_TRY(tgi_size_mul(loader->opts.n_batch, tg_dataset_n_classes(loader->set), &n_labels));
    TG_TRY(tgi_alloc(loader->n_slots, sizeof *loader->slots, &loader->slots));
    for (size_t i = 0; i < loader->n_slots; i++) {
        TG_TRY(tgi_alloc(n_values, sizeof(float), &loader->slots[i].x));
        TG_TRY(tgi_alloc(n_labels, sizeof(float), &loader->slots[i].labels));
        TG_TRY(tgi_alloc(loader->opts.n_batch, sizeof(size_t), &loader->slots[i].indices));
    }
cleanup:
    return status;
}

tg_status tg_loader_new(const tg_dataset *set, const size_t *indices, size_t n,
                        const tg_loader_opts *opts, tg_loader **out)
{
    tg_status status = TG_OK;
    tg_loader *loader = NULL;
    const tg_loader_opts defaults = tg_loader_opts_default();

    *out = NULL;
    if (!opts)
        opts = &defaults;
    TG_TRY(check_opts(set, indices, n, opts));
    TG_TRY(tgi_alloc(1, sizeof *loader, &loader));
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->is_filled, NULL);
    pthread_cond_init(&loader->is_freed, NULL);
    loader->set = set;
    loader->opts = *opts;
    loader->n = n;
    loader->n_plane = opts->size_px * opts->size_px;
    loader->next_taken = loader->next_given = opts->first_batch;
    loader->n_slots = opts->n_threads ? opts->n_ahead + 1 + !opts->n_ahead : 1;
    TG_TRY(tgi_alloc(n, sizeof *loader->indices, &loader->indices));
    memcpy(loader->indices, indices, n * sizeof *indices);
    TG_TRY(tgi_alloc(n, sizeof *loader->cache, &loader->cache));
    TG_TRY(make_slots(loader));
    if (!opts->n_threads)
        TG_TRY(tgi_alloc(n, sizeof *loader->own_epoch.order, &loader->own_epoch.order));
    TG_TRY(start_threads(loader));
    *out = loader;
    loader = NULL;
cleanup:
    tg_loader_free(loader);
    return status;
}

tg_status tg_loader_next(tg_loader *loader, tg_batch *out)
{
    slot *s = &loader->slots[loader->next_given % loader->n_slots];

    *out = (tg_batch){0};
    if (!loader->opts.n_threads) {
        s->batch = loader->next_given++;
        (void)!fill(loader, &loader->own_epoch, s);
    } else {
        pthread_mutex_lock(&loader->lock);
        loader->has_given = false; /* the slot given before may be filled anew */
        pthread_cond_broadcast(&loader->is_freed);
        while (!s->is_ready || s->batch != loader->next_given)
            pthread_cond_wait(&loader->is_filled, &loader->lock);
        loader->next_given++;
        loader->has_given = true;
        pthread_mutex_unlock(&loader->lock);
    }
    if (s->status != TG_OK)
        return tg_fail(s->status, "%s", s->message);
    *out = (tg_batch){.n = loader->opts.n_batch,
                      .n_classes = tg_dataset_n_classes(loader->set),
                      .size_px = loader->opts.size_px,
                      .x = s->x,
                      .labels = s->labels,
                      .indices = s->indices};
    return TG_OK;
}

void tg_loader_free(tg_loader *loader)
{
    if (!loader)
        return;
    pthread_mutex_lock(&loader->lock);
    loader->is_stopping = true;
    pthread_cond_broadcast(&loader->is_freed);
    pthread_mutex_unlock(&loader->lock);
    for (size_t t = 0; t < loader->n_started; t++)
        pthread_join(loader->threads[t], NULL);
    pthread_mutex_destroy(&loader->lock);
    pthread_cond_destroy(&loader->is_filled);
    pthread_cond_destroy(&loader->is_freed);
    for (size_t i = 0; loader->slots && i < loader->n_slots; i++) {
        free(loader->slots[i].x);
        free(loader->slots[i].labels);
        free(loader->slots[i].indices);
    }
    for (size_t k = 0; loader->cache && k < loader->n; k++)
        free(loader->cache[k]);
    free(loader->cache);
    free(loader->slots);
    free(loader->indices);
    free(loader->own_epoch.order);
    free(loader);
}

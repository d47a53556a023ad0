/* tune.c -- looks choices up, remembers layers that have none, and starts measuring. */
#include "config.h"
#include "op/tune.h"
#include "op/tensor_core.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

const char *const tgi_conv_pass_names[3] = {"gather", "scatter", "weights"};

static const double seconds_each_process = 10;
enum { CHECKED_SAMPLES = 64, MAX_LAYERS = 4096 };

const tgi_conv_algorithm *tgi_conv_named(const char *name)
{
    for (size_t i = 0; tgi_conv_algorithms[i]; i++) {
        if (!strcmp(tgi_conv_algorithms[i]->name, name))
            return tgi_conv_algorithms[i];
    }
    return NULL;
}

bool tgi_tune_same_layer(const tgi_tune_layer *a, const tgi_tune_layer *b)
{
    const tgi_conv *s = &a->conv, *t = &b->conv;

    return a->pass == b->pass && s->c == t->c && s->k == t->k && s->h == t->h && s->w == t->w &&
           s->n == t->n && s->p == t->p && s->q == t->q && s->r == t->r && s->s == t->s &&
           s->stride == t->stride && s->pad == t->pad && s->is_reflected == t->is_reflected;
}

void tgi_tune_layer_print(const tgi_tune_layer *layer, char out[TGI_TUNE_LAYER_TEXT])
{
    const tgi_conv *c = &layer->conv;

    snprintf(out, TGI_TUNE_LAYER_TEXT, "%d %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %d",
             (int)layer->pass, c->n, c->c, c->h, c->w, c->k, c->p, c->q, c->r, c->s, c->stride,
             c->pad, (int)c->is_reflected);
}

bool tgi_tune_layer_parse(const char *text, tgi_tune_layer *layer)
{
    tgi_conv c = {0};
    int pass, reflected;

    if (sscanf(text, "%d %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %d", &pass, &c.n, &c.c, &c.h,
               &c.w, &c.k, &c.p, &c.q, &c.r, &c.s, &c.stride, &c.pad, &reflected) != 13 ||
        pass < 0 || pass > 2 || !c.n || !c.c || !c.k || !c.r || !c.s || !c.p || !c.q || !c.stride ||
        !c.h || !c.w)
        return false;
    c.is_reflected = reflected != 0;
    *layer = (tgi_tune_layer){c, (tgi_conv_pass)pass};
    return true;
}

tgi_tune_entry *tgi_tune_find(const tgi_tune_table *table, const tgi_tune_layer *layer)
{
    for (size_t i = 0; i < table->n; i++) {
        if (tgi_tune_same_layer(&table->entries[i].layer, layer))
            return &table->entries[i];
    }
    return NULL;
}

tg_status tgi_tune_put(tgi_tune_table *table, const tgi_tune_entry *entry)
{
    tg_status status = TG_OK;
    tgi_tune_entry *there = tgi_tune_find(table, &entry->layer);

    if (!there) {
        TG_TRY(tgi_grow(&table->entries, &table->capacity, table->n + 1, sizeof *table->entries));
        there = &table->entries[table->n++];
    }
    *there = *entry;
cleanup:
    return status;
}

static void tune_free(struct tgi_tune *tune)
{
    if (!tune)
        return;
    tgi_tune_shipped_free(tune->shipped);
    free(tune->known.entries);
    free(tune->wanted);
    free(tune->key);
    free(tune);
}

static tg_status get_state(tg_device *dev, struct tgi_tune **out)
{
    tg_status status = TG_OK;

    if (!dev->tune) {
        TG_TRY(tgi_alloc(1, sizeof *dev->tune, &dev->tune));
        dev->tune->mode = TGI_TUNE_OFF;
        dev->tune->seconds_left = seconds_each_process;
        dev->tune_free = tune_free;
    }
    *out = dev->tune;
cleanup:
    return status;
}

tg_status tgi_tune_set_mode(tg_device *dev, tgi_tune_mode mode)
{
    tg_status status = TG_OK;
    struct tgi_tune *tune;

    TG_TRY(get_state(dev, &tune));
    tune->mode = mode;
    if (mode == TGI_TUNE_OFF || tune->is_loaded)
        return TG_OK;
    tune->is_loaded = true;
    tune->shipped = tgi_tune_shipped_open(dev);
    TG_TRY(tgi_tune_key(dev, &tune->key));
    if (tgi_tune_read(tune->key, &tune->known) != TG_OK)
        tg_log(TG_LOG_WARNING, "tuning: %s", tg_error_message());
cleanup:
    return status;
}

tg_status tgi_tune_begin_dry(tg_device *dev)
{
    tg_status status = TG_OK;
    struct tgi_tune *tune;

    TG_TRY(get_state(dev, &tune));
    tune->is_dry = true;
cleanup:
    return status;
}

void tgi_tune_end_dry(tg_device *dev)
{
    dev->tune->is_dry = false;
}

/* ---- layers that are only remembered ---- */

static tg_status dry_gather(const tgi_conv *conv, const tg_tensor *x, tg_tensor *w,
                            const tg_tensor *b, bool add, tg_tensor *y)
{
    TG_UNUSED(conv);
    TG_UNUSED(x);
    TG_UNUSED(w);
    TG_UNUSED(b);
    TG_UNUSED(add);
    TG_UNUSED(y);
    return TG_OK;
}

static tg_status dry_weights(const tgi_conv *conv, const tg_tensor *x, const tg_tensor *y,
                             tg_tensor *dw)
{
    TG_UNUSED(conv);
    TG_UNUSED(x);
    TG_UNUSED(y);
    TG_UNUSED(dw);
    return TG_OK;
}

static const tgi_conv_algorithm dry = {
    .name = "dry", .gather = dry_gather, .scatter = dry_gather, .weights = dry_weights};

/* ---- choices ---- */

static void remember(struct tgi_tune *tune, const tgi_tune_layer *layer)
{
    for (size_t i = 0; i < tune->n_wanted; i++) {
        if (tgi_tune_same_layer(&tune->wanted[i], layer))
            return;
    }
    if (tune->n_wanted < MAX_LAYERS && tgi_grow(&tune->wanted, &tune->wanted_capacity,
                                                tune->n_wanted + 1, sizeof *tune->wanted) == TG_OK)
        tune->wanted[tune->n_wanted++] = *layer;
}

/* A choice from the disk may be of another machine under the same name, or of a driver that went wrong since. */
static bool is_still_right(tg_device *dev, tgi_tune_entry *entry)
{
    tg_status status = TG_OK;
    tgi_tune_bench bench = {0};

    dev->tune->is_busy = true;
    TG_TRY(tgi_tune_bench_init(dev, &entry->layer, &bench));
    TG_TRY(tgi_tune_bench_check(&bench, entry->winner, CHECKED_SAMPLES));
cleanup:
    tgi_tune_bench_release(&bench);
    dev->tune->is_busy = false;
    entry->is_verified = true;
    if (status != TG_OK) {
        tg_log(TG_LOG_WARNING, "tuning: a stored choice, %s, is not used: %s", entry->winner->name,
               tg_error_message());
        entry->winner = NULL;
    }
    return status == TG_OK;
}

const tgi_conv_algorithm *tgi_tune_choice(tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    struct tgi_tune *tune = dev->tune;
    const tgi_tune_layer layer = {*conv, pass};
    tgi_tune_entry *entry, shipped = {.layer = layer};

    if (!tune || tune->is_busy)
        return NULL;
    if (tune->is_dry) {
        remember(tune, &layer);
        return &dry;
    }
    if (tune->mode == TGI_TUNE_OFF ||
        tgi_tensor_core_options(dev)) /* choices are of float kernels */
        return NULL;
    entry = tgi_tune_find(&tune->known, &layer);
    if (entry) {
        if (!entry->winner || (!entry->is_verified && !is_still_right(dev, entry)))
            return NULL;
        return entry->winner;
    }
    remember(tune, &layer);
    shipped.winner = tgi_tune_shipped_choice(tune->shipped, dev, &layer);
    if (shipped.winner && is_still_right(dev, &shipped) &&
        tgi_tune_put(&tune->known, &shipped) != TG_OK) /* until it is measured here */
        return NULL;
    return shipped.winner;
}

/* Where time ran out for a layer, or all failed, the rule holds; a choice is made once in a process and then stays. */
void tgi_tune_pending(tg_device *dev)
{
    tg_status status = TG_OK;
    struct tgi_tune *tune = dev->tune;
    tgi_tune_table found = {0};
    tgi_tune_opts opts = {0};
    size_t first;

    if (!tune || tune->n_seen == tune->n_wanted)
        return;
    first = tune->n_seen;
    tune->n_seen = tune->n_wanted;
    if (tune->mode == TGI_TUNE_OFF || tune->seconds_left <= 0 ||
        (tune->mode == TGI_TUNE_AUTO && dev->info.kind != TG_DEVICE_GPU))
        return;
    opts.seconds = tune->seconds_left;
    tg_log(TG_LOG_INFO, "measuring which algorithm is the fastest for %zu layers (%.0f s at most)",
           tune->n_wanted - first, opts.seconds);
    TG_TRY(tg_device_finish(dev));
    status = tgi_tune_run(dev, tune->wanted + first, tune->n_wanted - first, &opts, &found);
    tune->seconds_left = opts.seconds;
    TG_TRY(status);
    TG_TRY(tgi_tune_write(tune->key, &found, false));
cleanup:
    for (size_t i = 0; i < found.n; i++) {
        if (tgi_tune_put(&tune->known, &found.entries[i]) != TG_OK)
            break;
    }
    if (status != TG_OK)
        tg_log(TG_LOG_WARNING, "tuning: %s", tg_error_message());
    free(found.entries);
}

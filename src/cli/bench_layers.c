/* bench_layers.c -- finds the layers of a network that differ, and times their passes. */
#include "config.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "cli/devices_bench.h"
#include "op/conv2d.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

void tgi_bench_list_release(tgi_bench_list *list)
{
    free(list->entries);
    free(list->rows);
    *list = (tgi_bench_list){0};
}

/* ---- the list ---- */

typedef struct builder {
    tgi_bench_list *list;
    tgi_net *net;
    const char *prefix, *only;
    size_t first;          /* entries before it are another network's */
    tgi_bench_entry group; /* layers between convolutions; none while group.end is 0 */
} builder;

static bool is_conv(const tgi_layer *layer)
{
    return layer->kind == TGI_LAYER_CONV || layer->kind == TGI_LAYER_CONV_UP ||
           layer->kind == TGI_LAYER_LINEAR;
}

/* The word for a layer that is measured with its neighbours; NULL for others, which end a group. */
static const char *word_of(const tgi_layer *layer)
{
    static const char *const activations[] = {[TG_RELU] = "ReLU",
                                              [TG_LEAKY_RELU] = "leaky ReLU",
                                              [TG_TANH] = "tanh",
                                              [TG_SIGMOID] = "sigmoid"};

    switch (layer->kind) {
    case TGI_LAYER_INSTANCE_NORM:
        return "instance norm";
    case TGI_LAYER_BATCH_NORM:
        return "batch norm";
    case TGI_LAYER_LABEL:
        return "label";
    case TGI_LAYER_ACTIVATION:
        return activations[layer->opts.activation.f];
    case TGI_LAYER_ADD:
        return "sum";
    default:
        return NULL;
    }
}

/* "model.4" of "model.4.weight"; what a group stands behind. */
static void name_of(const tgi_net *net, size_t number, char *out, size_t size)
{
    const char *name = "", *dot;

    for (size_t i = number + 1; i-- > 0 && !*name;) {
        if (is_conv(&net->layers[i]))
            name = net->params[net->layers[i].scale].name;
    }
    dot = strrchr(name, '.');
    snprintf(out, size, "%.*s", (int)(dot ? dot - name : (ptrdiff_t)strlen(name)), name);
}

static void describe_conv(const tgi_layer *layer, tg_dims w, char *out, size_t size)
{
    const tg_conv2d_geom *geom = &layer->opts.geom;
    int at;

    if (layer->kind == TGI_LAYER_LINEAR) {
        snprintf(out, size, "linear");
        return;
    }
    at = snprintf(out, size, "%s %zux%zu", layer->kind == TGI_LAYER_CONV_UP ? "up" : "conv", w.h,
                  w.w);
    snprintf(out + at, size - (size_t)at, "%s%s",
             geom->stride == 1   ? ""
             : geom->stride == 2 ? " /2"
                                 : " /n",
             geom->padding == TG_PAD_REFLECT && geom->pad ? " reflect" : "");
}

static bool is_same(const tgi_bench_entry *a, const tgi_bench_entry *b)
{
    const tg_conv2d_geom *p = &a->net->layers[a->first].opts.geom;
    const tg_conv2d_geom *q = &b->net->layers[b->first].opts.geom;

    if (a->is_conv != b->is_conv || strcmp(a->what, b->what) != 0 || !tg_dims_equal(a->x, b->x) ||
        !tg_dims_equal(a->y, b->y) || !tg_dims_equal(a->w, b->w))
        return false;
    return !a->is_conv || (p->stride == q->stride && p->pad == q->pad && p->padding == q->padding &&
                           p->output_pad == q->output_pad);
}

static tg_status keep(builder *b, const tgi_bench_entry *entry)
{
    tg_status status = TG_OK;
    tgi_bench_list *list = b->list;

    for (size_t i = b->first; i < list->n_entries; i++) {
        if (is_same(&list->entries[i], entry)) {
            list->entries[i].n_same++;
            return TG_OK;
        }
    }
    TG_TRY(tgi_grow(&list->entries, &list->entries_capacity, list->n_entries + 1,
                    sizeof *list->entries));
    list->entries[list->n_entries++] = *entry;
cleanup:
    return status;
}

static tg_status end_group(builder *b)
{
    tg_status status = TG_OK;

    if (b->group.end)
        TG_TRY(keep(b, &b->group));
    b->group = (tgi_bench_entry){0};
cleanup:
    return status;
}

static void extend_group(builder *b, size_t number, tg_dims x, tg_dims y, const char *word)
{
    tgi_bench_entry *group = &b->group;
    size_t used;

    if (!group->end) {
        *group = (tgi_bench_entry){.net = b->net, .prefix = b->prefix, .n_same = 1};
        group->first = number;
        group->x = x;
        name_of(b->net, number, group->name, sizeof group->name);
    }
    used = strlen(group->what);
    snprintf(group->what + used, sizeof group->what - used, "%s%s", used ? " + " : "", word);
    group->end = number + 1;
    group->y = y;
}

static tg_status see_layer(const tgi_net *net, size_t number, tg_dims x, tg_dims y, void *user)
{
    tg_status status = TG_OK;
    builder *b = user;
    const tgi_layer *layer = &net->layers[number];
    const char *word = word_of(layer);
    tgi_bench_entry entry = {.net = b->net, .prefix = b->prefix, .is_conv = true, .n_same = 1};

    if (word) {
        extend_group(b, number, x, y, word);
        return TG_OK;
    }
    TG_TRY(end_group(b));
    if (!is_conv(layer))
        return TG_OK;
    entry.first = number;
    entry.end = number + 1;
    entry.is_transposed = layer->kind == TGI_LAYER_CONV_UP;
    entry.x = x;
    entry.y = y;
    entry.w = net->params[layer->scale].value->dims;
    name_of(net, number, entry.name, sizeof entry.name);
    describe_conv(layer, entry.w, entry.what, sizeof entry.what);
    TG_TRY(keep(b, &entry));
cleanup:
    return status;
}

static bool is_wanted(const tgi_bench_entry *entry, const char *only)
{
    return !only || tgi_has_word(entry->name, only) || tgi_has_word(entry->what, only) ||
           tgi_same_word(entry->prefix, only);
}

tg_status tgi_bench_list_net(tgi_net *net, const char *prefix, tg_dims x, const char *only,
                             tgi_bench_list *list)
{
    tg_status status = TG_OK;
    builder b = {.list = list, .net = net, .prefix = prefix, .first = list->n_entries};
    size_t kept = b.first;

    TG_TRY(tgi_net_walk(net, x, see_layer, &b));
    TG_TRY(end_group(&b));
    for (size_t i = b.first; i < list->n_entries; i++) {
        if (is_wanted(&list->entries[i], only))
            list->entries[kept++] = list->entries[i];
    }
    list->n_entries = kept;
cleanup:
    return status;
}

/* ---- measuring ---- */

static tg_status random_tensor(tg_device *dev, tg_dims dims, uint64_t index, tg_tensor **out)
{
    tg_status status = TG_OK;
    size_t n = tg_dims_count(dims);
    tgi_rng rng = tgi_rng_new(1, TGI_STREAM_TEST, index);
    float *values = NULL;

    TG_TRY(tgi_alloc(n, sizeof *values, &values));
    for (size_t i = 0; i < n; i++)
        values[i] = (float)tgi_rng_range(&rng, -1, 1);
    TG_TRY(tg_tensor_new(dev, dims, out));
    TG_TRY(tg_tensor_upload(*out, values, n));
cleanup:
    free(values);
    return status;
}

static tg_status add_row(tgi_bench_list *list, const tgi_bench_row *row)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_grow(&list->rows, &list->rows_capacity, list->n_rows + 1, sizeof *list->rows));
    list->rows[list->n_rows++] = *row;
cleanup:
    return status;
}

/* A convolution by itself: its own weights, inputs of random numbers. */
typedef struct conv_work {
    const tgi_bench_entry *entry;
    const tg_conv2d_geom *geom;
    tg_tensor *w, *b; /* the network's; b may be NULL */
    tg_tensor *x, *y, *dx, *dy, *dw, *db;
} conv_work;

static const tg_conv2d_geom point = {.stride = 1}; /* a linear layer's */

/* Weights change between two steps, so packing them is part of the work. */
static tg_status conv_forward(void *user)
{
    const conv_work *k = user;

    tgi_tensor_touch(k->w);
    return k->entry->is_transposed ? tg_conv2d_transposed_forward(k->x, k->w, k->b, k->geom, k->y)
                                   : tg_conv2d_forward(k->x, k->w, k->b, k->geom, k->y);
}

static tg_status conv_data(void *user)
{
    const conv_work *k = user;

    tgi_tensor_touch(k->w);
    return k->entry->is_transposed ? tg_conv2d_transposed_backward_data(k->dy, k->w, k->geom, k->dx)
                                   : tg_conv2d_backward_data(k->dy, k->w, k->geom, k->dx);
}

static tg_status conv_weights(void *user)
{
    const conv_work *k = user;

    return k->entry->is_transposed
               ? tg_conv2d_transposed_backward_weights(k->x, k->dy, k->geom, k->dw, k->db)
               : tg_conv2d_backward_weights(k->x, k->dy, k->geom, k->dw, k->db);
}

static tg_status conv_work_init(const tgi_bench_entry *e, conv_work *k)
{
    tg_status status = TG_OK;
    tg_device *dev = e->net->dev;
    const tgi_layer *layer = &e->net->layers[e->first];
    const tg_dims bias = {1, e->y.c, 1, 1};

    *k = (conv_work){.entry = e,
                     .geom = layer->kind == TGI_LAYER_LINEAR ? &point : &layer->opts.geom,
                     .w = e->net->params[layer->scale].value};
    if (layer->shift != TGI_NONE) {
        k->b = e->net->params[layer->shift].value;
        TG_TRY(tg_tensor_new_zero(dev, bias, &k->db));
    }
    TG_TRY(random_tensor(dev, e->x, 0, &k->x));
    TG_TRY(random_tensor(dev, e->y, 1, &k->dy));
    TG_TRY(tg_tensor_new_zero(dev, e->y, &k->y));
    TG_TRY(tg_tensor_new_zero(dev, e->x, &k->dx));
    TG_TRY(tg_tensor_new_zero(dev, e->w, &k->dw));
cleanup:
    return status;
}

static void conv_work_release(conv_work *k)
{
    tg_tensor_free(k->x);
    tg_tensor_free(k->y);
    tg_tensor_free(k->dx);
    tg_tensor_free(k->dy);
    tg_tensor_free(k->dw);
    tg_tensor_free(k->db);
}

static tg_status measure_conv(const tgi_bench_entry *e, const tgi_timing_opts *opts,
                              tgi_bench_list *list)
{
    tg_status status = TG_OK;
    /* a transposed convolution's forward pass is the scatter map of the convolution it transposes */
    const struct {
        const char *name;
        tgi_timed_fn *run;
        tgi_conv_pass map;
    } passes[] = {
        {"forward", conv_forward, e->is_transposed ? TGI_CONV_SCATTER : TGI_CONV_GATHER},
        {"data", conv_data, e->is_transposed ? TGI_CONV_GATHER : TGI_CONV_SCATTER},
        {"weights", conv_weights, TGI_CONV_WEIGHTS},
    };
    const tg_dims small = e->is_transposed ? e->x : e->y;
    const double flop =
        2.0 * (double)tg_dims_count(e->w) * (double)small.n * (double)(small.h * small.w);
    const double bytes =
        sizeof(float) *
        ((double)tg_dims_count(e->x) + (double)tg_dims_count(e->y) + (double)tg_dims_count(e->w));
    conv_work k;

    TG_TRY(conv_work_init(e, &k));
    const tgi_conv conv = tgi_conv_of(e->x, e->w, e->y, k.geom, e->is_transposed);
    for (size_t i = 0; i < TG_COUNT(passes); i++) {
        tgi_bench_row row = {.entry = e, .pass = passes[i].name, .flop = flop, .bytes = bytes};

        TG_TRY(tgi_time(e->net->dev, NULL, passes[i].run, &k, opts, &row.time));
        /* asked after the run: what chooses by measuring has measured by then */
        row.algorithm = tgi_conv_choose(e->net->dev, k.geom->algorithm, &conv, passes[i].map)->name;
        TG_TRY(add_row(list, &row));
    }
cleanup:
    conv_work_release(&k);
    return status;
}

/* Layers between convolutions, on a tape as in a step. */
typedef struct group_work {
    const tgi_bench_entry *entry;
    tgi_tape *tape;
    tg_tensor *x, *other, *labels;
    tgi_var *in, *out;
} group_work;

static tg_status group_forward(void *user)
{
    tg_status status = TG_OK;
    group_work *k = user;
    const tgi_bench_entry *e = k->entry;
    tgi_run run = {.labels = k->labels, .is_trainable = true, .is_training = true};

    tgi_tape_reset(k->tape);
    TG_TRY(tgi_tape_leaf(k->tape, k->x, true, &k->in));
    for (size_t i = e->first; i < e->end; i++) {
        if (e->net->layers[i].kind == TGI_LAYER_ADD)
            TG_TRY(tgi_tape_leaf(k->tape, k->other, true, &run.slots[e->net->layers[i].opts.slot]));
    }
    TG_TRY(tgi_net_run_part(e->net, k->tape, k->in, e->first, e->end, &run, &k->out));
cleanup:
    return status;
}

/* What the backward pass begins with: a recorded forward pass, and a gradient of its output. */
static tg_status group_prepare(void *user)
{
    tg_status status = TG_OK;
    group_work *k = user;
    tg_tensor *gradient;

    TG_TRY(group_forward(k));
    TG_TRY(tgi_tape_grad(k->tape, k->out, &gradient));
    TG_TRY(tgi_tensor_copy(k->other, gradient));
cleanup:
    return status;
}

static tg_status group_backward(void *user)
{
    const group_work *k = user;

    return tgi_tape_backward(k->tape);
}

static tg_status measure_group(const tgi_bench_entry *e, const tgi_timing_opts *opts,
                               tgi_bench_list *list)
{
    tg_status status = TG_OK;
    tg_device *dev = e->net->dev;
    group_work k = {.entry = e};
    const double plane_bytes = sizeof(float) * (double)tg_dims_count(e->x);
    bool has_sum = tgi_has_word(e->what, "sum");
    /* read x, write y; read x and dy, write dx; a sum reads or writes one more */
    tgi_bench_row forward = {
        .entry = e, .pass = "forward", .bytes = (has_sum ? 3 : 2) * plane_bytes};
    tgi_bench_row backward = {
        .entry = e, .pass = "backward", .bytes = (has_sum ? 4 : 3) * plane_bytes};

    TG_TRY(tgi_tape_new(dev, &k.tape));
    TG_TRY(random_tensor(dev, e->x, 0, &k.x));
    TG_TRY(random_tensor(dev, e->x, 1, &k.other));
    if (e->net->config.n_classes) {
        TG_TRY(tg_tensor_new(dev, (tg_dims){e->x.n, e->net->config.n_classes, 1, 1}, &k.labels));
        TG_TRY(tgi_tensor_fill(k.labels, 1));
    }
    TG_TRY(tgi_time(dev, NULL, group_forward, &k, opts, &forward.time));
    TG_TRY(add_row(list, &forward));
    TG_TRY(tgi_time(dev, group_prepare, group_backward, &k, opts, &backward.time));
    TG_TRY(add_row(list, &backward));
cleanup:
    tgi_tape_free(k.tape);
    tg_tensor_free(k.x);
    tg_tensor_free(k.other);
    tg_tensor_free(k.labels);
    return status;
}

tg_status tgi_bench_measure(const tgi_bench_entry *entry, const tgi_timing_opts *opts,
                            tgi_bench_list *list)
{
    return entry->is_conv ? measure_conv(entry, opts, list) : measure_group(entry, opts, list);
}

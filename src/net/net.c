/* net.c -- a network's life: its block of parameters, their start, and the three ways to use it. */
#include "config.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "net/family.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* Offsets of the parameters: each begins where a view may. */
static tg_status lay_out(tgi_net *net, size_t *total)
{
    const size_t align = net->dev->info.base_align_bytes > sizeof(float)
                             ? net->dev->info.base_align_bytes / sizeof(float)
                             : 1;

    *total = 0;
    for (size_t i = 0; i < net->n_params; i++) {
        net->rules[i].offset = *total;
        *total += (tg_dims_count(net->rules[i].dims) + align - 1) / align * align;
        if (*total > INT_MAX)
            return tg_fail(TG_ERR_MEMORY, "%s: its parameters do not fit one block",
                           tgi_net_kind_name(net->config.kind));
    }
    return TG_OK;
}

static tg_status make_params(tgi_net *net)
{
    tg_status status = TG_OK;
    size_t total;

    TG_TRY(lay_out(net, &total));
    TG_TRY(tg_tensor_new_zero(net->dev, (tg_dims){1, total, 1, 1}, &net->values));
    TG_TRY(tg_tensor_new_zero(net->dev, (tg_dims){1, total, 1, 1}, &net->grads));
    for (size_t i = 0; i < net->n_params; i++) {
        const tgi_param_rule *rule = &net->rules[i];

        TG_TRY(tgi_tensor_view(net->values, rule->offset, rule->dims, &net->params[i].value));
        TG_TRY(tgi_tensor_view(net->grads, rule->offset, rule->dims, &net->params[i].grad));
    }
cleanup:
    return status;
}

static tg_status reset_buffers(tgi_net *net)
{
    tg_status status = TG_OK;

    for (size_t i = 0; i < net->n_buffers; i++)
        TG_TRY(tgi_tensor_fill(net->buffers[i].value,
                               tgi_ends_with(net->buffers[i].name, "running_var") ? 1 : 0));
cleanup:
    return status;
}

tg_status tgi_net_new(tg_device *dev, const tgi_net_config *config, tgi_net **out)
{
    tg_status status = TG_OK;
    tgi_net *net = NULL;
    tgi_builder builder = {.has_biases = true};

    *out = NULL;
    TG_TRY(tgi_alloc(1, sizeof *net, &net));
    net->dev = dev;
    net->config = *config;
    TG_TRY(tgi_net_config_complete(&net->config));
    builder.net = net;
    builder.config = &net->config;
    builder.c = net->config.in_channels;
    builder.is_he = tgi_family_of(config->kind)->is_he;
    tgi_family_of(config->kind)->build(&builder);
    TG_TRY(builder.status);
    if (!net->n_body)
        net->n_body = net->n_layers;
    TG_TRY(make_params(net));
    TG_TRY(reset_buffers(net));
    *out = net;
    net = NULL;
cleanup:
    tgi_net_free(net);
    return status;
}

void tgi_net_free(tgi_net *net)
{
    if (!net)
        return;
    for (size_t i = 0; i < net->n_params; i++) {
        tg_tensor_free(net->params[i].value);
        tg_tensor_free(net->params[i].grad);
        free(net->params[i].name);
    }
    for (size_t i = 0; i < net->n_buffers; i++) {
        tg_tensor_free(net->buffers[i].value);
        free(net->buffers[i].name);
    }
    tg_tensor_free(net->values);
    tg_tensor_free(net->grads);
    free(net->params);
    free(net->buffers);
    free(net->layers);
    free(net->rules);
    free(net);
}

tg_status tgi_net_init(tgi_net *net, uint64_t seed, uint64_t index)
{
    tg_status status = TG_OK;
    const size_t total = tg_tensor_count(net->values);
    tgi_rng rng = tgi_rng_new(seed, TGI_STREAM_INIT, index);
    float *values = NULL;

    TG_TRY(tgi_alloc(total, sizeof *values, &values));
    for (size_t i = 0; i < net->n_params; i++) {
        const tgi_param_rule *rule = &net->rules[i];
        float *p = values + rule->offset;

        for (size_t k = 0; rule->start != TGI_START_ZERO && k < tg_dims_count(rule->dims); k++)
            p[k] = rule->start == TGI_START_ONE ? 1 : (float)(rule->sd * tgi_rng_normal(&rng));
    }
    TG_TRY(tg_tensor_upload(net->values, values, total));
    TG_TRY(reset_buffers(net));
    tgi_net_touch(net);
cleanup:
    free(values);
    return status;
}

const tgi_param *tgi_net_find(const tgi_net *net, const char *name)
{
    for (size_t i = 0; i < net->n_params; i++) {
        if (!strcmp(net->params[i].name, name))
            return &net->params[i];
    }
    return NULL;
}

const tgi_net_buffer *tgi_net_find_buffer(const tgi_net *net, const char *name)
{
    for (size_t i = 0; i < net->n_buffers; i++) {
        if (!strcmp(net->buffers[i].name, name))
            return &net->buffers[i];
    }
    return NULL;
}

size_t tgi_net_n_values(const tgi_net *net)
{
    size_t n = 0;

    for (size_t i = 0; i < net->n_params; i++)
        n += tg_dims_count(net->rules[i].dims);
    return n;
}

bool tgi_net_mixes_samples(const tgi_net *net)
{
    for (size_t i = 0; i < net->n_layers; i++) {
        if (net->layers[i].kind == TGI_LAYER_BATCH_NORM)
            return true;
    }
    return false;
}

tg_status tgi_net_zero_grads(tgi_net *net)
{
    return tgi_tensor_fill(net->grads, 0);
}

void tgi_net_drop_packed(tgi_net *net)
{
    for (size_t i = 0; i < net->n_params; i++)
        tgi_tensor_drop_packed(net->params[i].value);
}

void tgi_net_touch(tgi_net *net)
{
    tgi_net_drop_packed(net);
    for (size_t i = 0; i < net->n_params; i++)
        tgi_tensor_touch(net->params[i].value);
}

tg_status tgi_net_copy(const tgi_net *from, tgi_net *to)
{
    tg_status status = TG_OK;
    bool is_same = from->n_params == to->n_params && from->n_buffers == to->n_buffers;

    for (size_t i = 0; is_same && i < from->n_params; i++)
        is_same = !strcmp(from->params[i].name, to->params[i].name) &&
                  tg_dims_equal(from->rules[i].dims, to->rules[i].dims);
    if (!is_same)
        return tg_fail(
            TG_ERR_SHAPE,
            "a network's parameters cannot be copied to one with other layers (%s to %s)",
            tgi_net_kind_name(from->config.kind), tgi_net_kind_name(to->config.kind));
    TG_TRY(tgi_tensor_copy(from->values, to->values));
    for (size_t i = 0; i < from->n_buffers; i++)
        TG_TRY(tgi_tensor_copy(from->buffers[i].value, to->buffers[i].value));
    tgi_net_touch(to);
cleanup:
    return status;
}

/* ---- the three uses ---- */

static tg_status check_input(const tgi_net *net, const tgi_var *x)
{
    const tg_dims dims = x->value->dims;

    if (dims.c != net->config.in_channels)
        return tg_fail(TG_ERR_SHAPE, "%s takes images of %zu planes, not %zu",
                       tgi_net_kind_name(net->config.kind), net->config.in_channels, dims.c);
    return tgi_net_config_fits(&net->config, dims.h, dims.w);
}

/* The labels a run needs; *used is NULL where the network takes none. */
static tg_status check_labels(const tgi_net *net, const tgi_var *x, const tg_tensor *labels,
                              const tg_tensor **used)
{
    const tg_dims wanted = {x->value->dims.n, net->config.n_classes, 1, 1};

    *used = NULL;
    if (net->config.cond == TGI_COND_NONE)
        return TG_OK;
    if (!labels)
        return tg_fail(TG_ERR_ARGUMENT, "%s needs labels", tgi_net_kind_name(net->config.kind));
    *used = labels;
    return tgi_tensor_expect(labels, wanted, "labels");
}

static tg_status wrong_job(const tgi_net *net, const char *verb)
{
    return tg_fail(TG_ERR_ARGUMENT, "%s cannot %s", tgi_net_kind_name(net->config.kind), verb);
}

tg_status tgi_net_generate(tgi_net *net, tgi_tape *tape, tgi_var *x, const tg_tensor *labels,
                           bool is_trainable, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_run run = {.is_trainable = is_trainable, .is_training = net->is_training};

    if (tgi_family_of(net->config.kind)->job != TGI_GENERATOR)
        return wrong_job(net, "generate images");
    TG_TRY(check_input(net, x));
    TG_TRY(check_labels(net, x, labels, &run.labels));
    TG_TRY(tgi_net_run(net, tape, x, net->n_layers, &run, y));
cleanup:
    return status;
}

tg_status tgi_net_judge(tgi_net *net, tgi_tape *tape, tgi_var *x, bool is_trainable,
                        tgi_var **score, tgi_var **cls)
{
    tg_status status = TG_OK;
    tgi_run run = {.is_trainable = is_trainable};
    tgi_var *last;

    if (tgi_family_of(net->config.kind)->job != TGI_JUDGE)
        return wrong_job(net, "judge images");
    TG_TRY(check_input(net, x));
    TG_TRY(tgi_net_run(net, tape, x, cls ? net->n_layers : net->n_body, &run, &last));
    *score = run.slots[TGI_SLOT_SCORE];
    if (cls)
        *cls = run.slots[TGI_SLOT_CLS];
cleanup:
    return status;
}

tg_status tgi_net_classify(tgi_net *net, tgi_tape *tape, tgi_var *x, bool is_trainable,
                           bool is_training, tgi_var **features, tgi_var **logits)
{
    tg_status status = TG_OK;
    tgi_run run = {.is_trainable = is_trainable, .is_training = is_training};

    if (tgi_family_of(net->config.kind)->job != TGI_CLASSIFIER)
        return wrong_job(net, "classify images");
    TG_TRY(check_input(net, x));
    TG_TRY(tgi_net_run(net, tape, x, net->n_layers, &run, logits));
    if (features)
        *features = run.slots[TGI_SLOT_FEATURES];
cleanup:
    return status;
}

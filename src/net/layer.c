/* layer.c -- the words that networks are written in: each adds one layer and registers its
 * parameters. */
#include "config.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/layer.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/banned.h"

tgi_name tgi_name_of(const char *format, ...)
{
    tgi_name name;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(name.text, sizeof name.text, format, arguments);
    va_end(arguments);
    return name;
}

/* A new layer, or NULL when the builder has failed. Valid until the next one. */
static tgi_layer *add_layer(tgi_builder *b, tgi_layer_kind kind)
{
    tgi_net *net = b->net;

    if (b->status == TG_OK)
        b->status =
            tgi_grow(&net->layers, &b->layers_capacity, net->n_layers + 1, sizeof *net->layers);
    if (b->status != TG_OK)
        return NULL;
    tgi_layer *layer = &net->layers[net->n_layers++];
    *layer = (tgi_layer){kind, TGI_NONE, TGI_NONE, TGI_NONE, TGI_NONE, {{0}}};
    return layer;
}

/* Registers OWNER.what; the block's layout is settled when all are known. Returns its number,
 * TGI_NONE after a failure. */
static int add_param(tgi_builder *b, const char *owner, const char *what, tg_dims dims,
                     tgi_start start, double sd)
{
    tgi_net *net = b->net;
    tg_status status = b->status;

    TG_TRY(status);
    TG_TRY(tgi_grow(&net->params, &b->params_capacity, net->n_params + 1, sizeof *net->params));
    TG_TRY(tgi_grow(&net->rules, &b->rules_capacity, net->n_params + 1, sizeof *net->rules));
    net->params[net->n_params] = (tgi_param){NULL, NULL, NULL};
    TG_TRY(tgi_printf(&net->params[net->n_params].name, "%s.%s", owner, what));
    net->rules[net->n_params] = (tgi_param_rule){start, sd, dims, 0};
    return (int)net->n_params++;
cleanup:
    b->status = status;
    return TGI_NONE;
}

static int add_buffer(tgi_builder *b, const char *owner, const char *what, tg_dims dims)
{
    tgi_net *net = b->net;
    tg_status status = b->status;

    TG_TRY(status);
    TG_TRY(tgi_grow(&net->buffers, &b->buffers_capacity, net->n_buffers + 1, sizeof *net->buffers));
    tgi_net_buffer *buffer = &net->buffers[net->n_buffers];
    *buffer = (tgi_net_buffer){NULL, NULL};
    TG_TRY(tgi_printf(&buffer->name, "%s.%s", owner, what));
    net->n_buffers++; /* from here on the net frees it */
    TG_TRY(tg_tensor_new_zero(net->dev, dims, &buffer->value));
    return (int)net->n_buffers - 1;
cleanup:
    b->status = status;
    return TGI_NONE;
}

/* Standard deviation of weights that see fan_in values each. He's rule keeps the signal's power
 * through a ReLU. */
static double weight_sd(const tgi_builder *b, double fan_in)
{
    return b->is_he ? sqrt(2 / fan_in) : 0.02;
}

static void add_weights(tgi_builder *b, tgi_layer *layer, const char *name, tg_dims dims,
                        double fan_in, size_t channels)
{
    layer->scale = add_param(b, name, "weight", dims, TGI_START_NORMAL, weight_sd(b, fan_in));
    if (b->has_biases)
        layer->shift = add_param(b, name, "bias", (tg_dims){1, channels, 1, 1}, TGI_START_ZERO, 0);
    b->c = channels;
}

void tgi_build_conv(tgi_builder *b, const char *name, size_t channels, tgi_window window)
{
    tgi_layer *layer = add_layer(b, TGI_LAYER_CONV);
    const size_t r = window.r;

    if (!layer)
        return;
    layer->opts.geom = (tg_conv2d_geom){window.stride, window.pad, window.padding, 0, TG_CONV_AUTO};
    add_weights(b, layer, name, (tg_dims){channels, b->c, r, r}, (double)(b->c * r * r), channels);
}

void tgi_build_conv_up(tgi_builder *b, const char *name, size_t channels, tgi_window window,
                       size_t output_pad)
{
    tgi_layer *layer = add_layer(b, TGI_LAYER_CONV_UP);
    const size_t r = window.r, s = window.stride;

    if (!layer)
        return;
    layer->opts.geom = (tg_conv2d_geom){s, window.pad, window.padding, output_pad, TG_CONV_AUTO};
    /* Of the r x r weights only every stride-th, both ways, meets an output value. */
    add_weights(b, layer, name, (tg_dims){b->c, channels, r, r},
                (double)(b->c * r * r) / (double)(s * s), channels);
}

void tgi_build_linear(tgi_builder *b, const char *name, size_t channels)
{
    tgi_layer *layer = add_layer(b, TGI_LAYER_LINEAR);

    if (layer)
        add_weights(b, layer, name, (tg_dims){channels, b->c, 1, 1}, (double)b->c, channels);
}

void tgi_build_start_at_zero(tgi_builder *b)
{
    if (b->status != TG_OK)
        return;
    for (size_t i = b->net->n_layers; i-- > 0;) {
        if (b->net->layers[i].kind == TGI_LAYER_CONV) {
            b->net->rules[b->net->layers[i].scale].start = TGI_START_ZERO;
            return;
        }
    }
}

void tgi_build_planes(tgi_builder *b)
{
    if (add_layer(b, TGI_LAYER_PLANES))
        b->c += b->config->n_classes;
}

void tgi_build_label(tgi_builder *b, const char *name, bool has_scale)
{
    tgi_layer *layer = add_layer(b, TGI_LAYER_LABEL);
    const tg_dims table = {b->config->n_classes, b->c, 1, 1};

    if (!layer)
        return;
    if (has_scale)
        layer->scale = add_param(b, name, "gamma", table, TGI_START_ZERO, 0);
    layer->shift = add_param(b, name, "beta", table, TGI_START_ZERO, 0);
}

void tgi_build_label_behind(tgi_builder *b, const char *name, bool has_shift)
{
    if (b->config->cond == TGI_COND_CIN)
        tgi_build_label(b, name, true);
    else if (b->config->cond == TGI_COND_BIAS && has_shift)
        tgi_build_label(b, name, false);
}

bool tgi_has_planes(const tgi_net_config *config)
{
    return config->cond >= TGI_COND_PLANE_REFLECT && config->cond <= TGI_COND_PLANE_NONORM;
}

static void add_affine(tgi_builder *b, tgi_layer *layer, const char *name)
{
    layer->scale = add_param(b, name, "weight", (tg_dims){1, b->c, 1, 1}, TGI_START_ONE, 0);
    layer->shift = add_param(b, name, "bias", (tg_dims){1, b->c, 1, 1}, TGI_START_ZERO, 0);
}

void tgi_build_instance_norm(tgi_builder *b, const char *name)
{
    tgi_layer *layer = add_layer(b, TGI_LAYER_INSTANCE_NORM);

    if (layer && name)
        add_affine(b, layer, name);
}

void tgi_build_batch_norm(tgi_builder *b, const char *name)
{
    tgi_layer *layer = add_layer(b, TGI_LAYER_BATCH_NORM);

    if (!layer)
        return;
    add_affine(b, layer, name);
    layer->mean = add_buffer(b, name, "running_mean", (tg_dims){1, b->c, 1, 1});
    layer->var = add_buffer(b, name, "running_var", (tg_dims){1, b->c, 1, 1});
}

void tgi_build_activation(tgi_builder *b, tg_activation f, float slope)
{
    tgi_layer *layer = add_layer(b, TGI_LAYER_ACTIVATION);

    if (layer) {
        layer->opts.activation.f = f;
        layer->opts.activation.slope = slope;
    }
}

void tgi_build_output(tgi_builder *b)
{
    if (b->config->output == TGI_NET_OUTPUT_TANH)
        tgi_build_activation(b, TG_TANH, 0);
}

void tgi_build_max_pool(tgi_builder *b, size_t size)
{
    tgi_layer *layer = add_layer(b, TGI_LAYER_MAX_POOL);

    if (layer)
        layer->opts.s = size;
}

void tgi_build_plane_pool(tgi_builder *b, tg_plane_pool pool)
{
    tgi_layer *layer = add_layer(b, TGI_LAYER_PLANE_POOL);

    if (layer)
        layer->opts.pool = pool;
}

void tgi_build_upsample(tgi_builder *b, size_t s)
{
    tgi_layer *layer = add_layer(b, TGI_LAYER_UPSAMPLE);

    if (layer)
        layer->opts.s = s;
}

void tgi_build_shuffle(tgi_builder *b, size_t s)
{
    tgi_layer *layer = add_layer(b, TGI_LAYER_SHUFFLE);

    if (layer) {
        layer->opts.s = s;
        b->c /= s * s;
    }
}

void tgi_build_slot(tgi_builder *b, tgi_layer_kind kind, int slot)
{
    tgi_layer *layer = add_layer(b, kind);

    if (!layer)
        return;
    layer->opts.slot = slot;
    if (kind == TGI_LAYER_SAVE)
        b->slot_c[slot] = b->c;
    else if (kind == TGI_LAYER_LOAD)
        b->c = b->slot_c[slot];
    else if (kind != TGI_LAYER_ADD)
        b->c += b->slot_c[slot];
}

void tgi_build_head(tgi_builder *b)
{
    b->net->n_body = b->net->n_layers;
}

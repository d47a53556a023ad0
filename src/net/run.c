/* run.c -- runs a network's list of layers on a tape. */
#include "config.h"
#include "net/layer.h"

#include "base/banned.h"

/* A parameter as a var of this tape; NULL for none. */
static tg_status param_var(const tgi_net *net, tgi_tape *tape, int number, const tgi_run *run,
                           tgi_var **out)
{
    *out = NULL;
    if (number == TGI_NONE)
        return TG_OK;
    return tgi_tape_param(tape, &net->params[number], run->is_trainable, out);
}

static tg_status run_batch_norm(tgi_net *net, tgi_tape *tape, const tgi_layer *layer,
                                const tgi_run *run, tgi_var *gamma, tgi_var *beta, tgi_var *x,
                                tgi_var **y)
{
    tg_tensor *mean = net->buffers[layer->mean].value, *var = net->buffers[layer->var].value;
    /* doc/networks.md 6; its momentum is PyTorch's: the share of the new. */
    const float eps = 1e-3f, momentum = 0.01f;

    if (run->is_training)
        return tgi_tape_batch_norm(tape, x, gamma, beta, eps, momentum, mean, var, y);
    return tgi_tape_batch_norm_eval(tape, x, gamma, beta, eps, mean, var, y);
}

/* Layers without parameters. */
static tg_status run_plain(tgi_tape *tape, const tgi_layer *layer, tgi_run *run, tgi_var *x,
                           tgi_var **y)
{
    switch (layer->kind) {
    case TGI_LAYER_PLANES:
        return tgi_tape_label_planes(tape, x, run->labels, y);
    case TGI_LAYER_ACTIVATION:
        return tgi_tape_activation(tape, x, layer->opts.activation.f, layer->opts.activation.slope,
                                   y);
    case TGI_LAYER_MAX_POOL:
        return tgi_tape_pool(tape, x, TG_POOL_MAX, layer->opts.s, layer->opts.s, y);
    case TGI_LAYER_PLANE_POOL:
        return tgi_tape_plane_pool(tape, x, layer->opts.pool, y);
    case TGI_LAYER_UPSAMPLE:
        return tgi_tape_upsample(tape, x, layer->opts.s, y);
    case TGI_LAYER_SHUFFLE:
        return tgi_tape_shuffle(tape, x, layer->opts.s, y);
    case TGI_LAYER_SAVE:
        run->slots[layer->opts.slot] = *y = x;
        return TG_OK;
    case TGI_LAYER_LOAD:
        *y = run->slots[layer->opts.slot];
        return TG_OK;
    case TGI_LAYER_ADD:
        return tgi_tape_add(tape, run->slots[layer->opts.slot], x, y);
    case TGI_LAYER_CONCAT_BELOW:
        return tgi_tape_concat(tape, run->slots[layer->opts.slot], x, y);
    case TGI_LAYER_CONCAT_ABOVE:
        return tgi_tape_concat(tape, x, run->slots[layer->opts.slot], y);
    default:
        return tg_fail(TG_ERR_ARGUMENT, "a network has a layer of unknown kind %d",
                       (int)layer->kind);
    }
}

static tg_status run_layer(tgi_net *net, tgi_tape *tape, const tgi_layer *layer, tgi_run *run,
                           tgi_var *x, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_var *scale, *shift;

    TG_TRY(param_var(net, tape, layer->scale, run, &scale));
    TG_TRY(param_var(net, tape, layer->shift, run, &shift));
    switch (layer->kind) {
    case TGI_LAYER_CONV:
        return tgi_tape_conv2d(tape, x, scale, shift, &layer->opts.geom, y);
    case TGI_LAYER_CONV_UP:
        return tgi_tape_conv2d_transposed(tape, x, scale, shift, &layer->opts.geom, y);
    case TGI_LAYER_LINEAR:
        return tgi_tape_linear(tape, x, scale, shift, y);
    case TGI_LAYER_LABEL:
        return tgi_tape_label_affine(tape, x, run->labels, scale, shift, y);
    case TGI_LAYER_INSTANCE_NORM:
        return tgi_tape_instance_norm(tape, x, scale, shift, 1e-5f, y);
    case TGI_LAYER_BATCH_NORM:
        return run_batch_norm(net, tape, layer, run, scale, shift, x, y);
    default:
        return run_plain(tape, layer, run, x, y);
    }
cleanup:
    return status;
}

/* Whether the layer's output is a tensor of its own that its backward pass does not read, so that an activation may replace it. */
static bool makes_a_value(const tgi_layer *layer)
{
    switch (layer->kind) {
    case TGI_LAYER_CONV:
    case TGI_LAYER_CONV_UP:
    case TGI_LAYER_LINEAR:
    case TGI_LAYER_LABEL:
    case TGI_LAYER_INSTANCE_NORM:
    case TGI_LAYER_BATCH_NORM:
    case TGI_LAYER_ADD:
        return true;
    default:
        return false;
    }
}

static bool is_relu(const tgi_layer *layer)
{
    return layer->kind == TGI_LAYER_ACTIVATION &&
           (layer->opts.activation.f == TG_RELU || layer->opts.activation.f == TG_LEAKY_RELU);
}

/* Upsampling at `at` and the convolution behind it as one operation; *n is 2, or 0 where they are something else. */
static tg_status run_upsampled(tgi_net *net, tgi_tape *tape, size_t at, size_t n_layers,
                               const tgi_run *run, tgi_var *x, tgi_var **y, size_t *n)
{
    tg_status status = TG_OK;
    const tgi_layer *first = &net->layers[at], *second = first + 1;
    tgi_var *w, *b;

    *n = 0;
    if (at + 1 >= n_layers || first->kind != TGI_LAYER_UPSAMPLE || second->kind != TGI_LAYER_CONV ||
        !tgi_tape_takes_upsampled(first->opts.s, net->params[second->scale].value->dims,
                                  &second->opts.geom))
        return TG_OK;
    *n = 2;
    TG_TRY(param_var(net, tape, second->scale, run, &w));
    TG_TRY(param_var(net, tape, second->shift, run, &b));
    TG_TRY(tgi_tape_upsampled_conv2d(tape, x, w, b, y));
cleanup:
    return status;
}

/* Layers from `at` on in fewer passes over memory than one each: a norm and a ReLU, anything that can take an activation in place,
 * upsampling and a convolution; *n says how many were run: 0 where nothing goes together. */
static tg_status run_together(tgi_net *net, tgi_tape *tape, size_t at, size_t n_layers,
                              tgi_run *run, tgi_var *x, tgi_var **y, size_t *n)
{
    tg_status status = TG_OK;
    const tgi_layer *first = &net->layers[at], *second = first + 1;
    tgi_var *scale, *shift;

    TG_TRY(run_upsampled(net, tape, at, n_layers, run, x, y, n));
    if (!*n) {
        if (at + 1 >= n_layers || second->kind != TGI_LAYER_ACTIVATION || !makes_a_value(first))
            return TG_OK;
        if (first->kind == TGI_LAYER_INSTANCE_NORM && is_relu(second)) {
            float slope = second->opts.activation.f == TG_RELU ? 0 : second->opts.activation.slope;

            *n = 2;
            TG_TRY(param_var(net, tape, first->scale, run, &scale));
            TG_TRY(param_var(net, tape, first->shift, run, &shift));
            return tgi_tape_instance_norm_relu(tape, x, scale, shift, 1e-5f, slope, y);
        }
        TG_TRY(run_layer(net, tape, first, run, x, y));
        *n = 1;
    }
    const tgi_layer *next = &net->layers[at + *n];
    if (at + *n < n_layers && next->kind == TGI_LAYER_ACTIVATION) {
        TG_TRY(tgi_tape_activation_here(tape, *y, next->opts.activation.f,
                                        next->opts.activation.slope, y));
        ++*n;
    }
cleanup:
    return status;
}

tg_status tgi_net_run_part(tgi_net *net, tgi_tape *tape, tgi_var *x, size_t first, size_t end,
                           tgi_run *run, tgi_var **y)
{
    tg_status status = TG_OK;

    for (size_t i = first, n; i < end; i += n) {
        TG_TRY(run_together(net, tape, i, end, run, x, &x, &n));
        if (!n) {
            TG_TRY(run_layer(net, tape, &net->layers[i], run, x, &x));
            n = 1;
        }
    }
    *y = x;
cleanup:
    return status;
}

tg_status tgi_net_run(tgi_net *net, tgi_tape *tape, tgi_var *x, size_t n_layers, tgi_run *run,
                      tgi_var **y)
{
    tg_status status = TG_OK;
    const tgi_tape_mark begin = tgi_tape_here(tape);

    for (int i = 0; i < TGI_N_SLOTS; i++)
        run->slots[i] = NULL;
    TG_TRY(tgi_net_run_part(net, tape, x, 0, n_layers, run, y));
    /* Only the output and what the last slots hand out is seen from outside. */
    tgi_var *const seen[] = {*y, run->slots[TGI_SLOT_FEATURES], run->slots[TGI_SLOT_SCORE],
                             run->slots[TGI_SLOT_CLS]};
    TG_TRY(tgi_tape_compress(tape, begin, seen, TG_COUNT(seen)));
cleanup:
    return status;
}

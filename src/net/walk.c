/* walk.c -- the shapes in a network, layer by layer, without running it. */
#include "config.h"
#include "net/layer.h"

#include "base/banned.h"

/* Weights of a layer; all zero for one without. */
static tg_dims weights_of(const tgi_net *net, const tgi_layer *layer)
{
    return layer->scale == TGI_NONE ? (tg_dims){0, 0, 0, 0} : net->params[layer->scale].value->dims;
}

static tg_status output_of(const tgi_net *net, const tgi_layer *layer, const tg_dims *slots,
                           tg_dims x, tg_dims *y)
{
    const tg_dims w = weights_of(net, layer);

    *y = x;
    switch (layer->kind) {
    case TGI_LAYER_CONV:
        return tg_conv2d_output(x, w, &layer->opts.geom, y);
    case TGI_LAYER_CONV_UP:
        return tg_conv2d_transposed_output(x, w, &layer->opts.geom, y);
    case TGI_LAYER_LINEAR:
        y->c = w.n;
        return TG_OK;
    case TGI_LAYER_PLANES:
        y->c += net->config.n_classes;
        return TG_OK;
    case TGI_LAYER_MAX_POOL:
        y->h /= layer->opts.s;
        y->w /= layer->opts.s;
        return TG_OK;
    case TGI_LAYER_PLANE_POOL:
        y->h = y->w = 1;
        return TG_OK;
    case TGI_LAYER_SHUFFLE:
        y->c /= layer->opts.s * layer->opts.s;
        /* fallthrough */
    case TGI_LAYER_UPSAMPLE:
        y->h *= layer->opts.s;
        y->w *= layer->opts.s;
        return TG_OK;
    case TGI_LAYER_LOAD:
        *y = slots[layer->opts.slot];
        return TG_OK;
    case TGI_LAYER_CONCAT_BELOW:
    case TGI_LAYER_CONCAT_ABOVE:
        y->c += slots[layer->opts.slot].c;
        return TG_OK;
    default: /* norms, labels, activations, sums: as large as what they take */
        return TG_OK;
    }
}

tg_status tgi_net_walk(const tgi_net *net, tg_dims x, tgi_layer_visit *visit, void *user)
{
    tg_status status = TG_OK;
    tg_dims slots[TGI_N_SLOTS] = {{0, 0, 0, 0}}, y;

    for (size_t i = 0; i < net->n_layers; i++) {
        const tgi_layer *layer = &net->layers[i];

        TG_TRY(output_of(net, layer, slots, x, &y));
        if (layer->kind == TGI_LAYER_SAVE)
            slots[layer->opts.slot] = x;
        TG_TRY(visit(net, i, x, y, user));
        x = y;
    }
cleanup:
    return status;
}

/* layers.c -- convolutions and norms on the tape. */
#include "config.h"
#include "op/arrange.h"
#include "op/op.h"
#include "tape/record.h"

#include "base/banned.h"

static const tg_tensor *value_of(const tgi_var *var)
{
    return var ? var->value : NULL;
}

/* ---- convolution ---- */

static tg_status conv2d_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx, *dw, *db;
    tgi_write write;

    TG_TRY(tgi_tape_claim(tape, node->in[0], &dx, &write));
    TG_TRY(tgi_tape_wanted(tape, node->in[1], &dw));
    TG_TRY(tgi_tape_wanted(tape, node->in[2], &db));
    if (dx)
        TG_TRY(tgi_conv2d_backward_data(node->out->grad, node->in[1]->value, &node->opts.geom,
                                        write, dx));
    if (dw || db)
        TG_TRY(tg_conv2d_backward_weights(node->in[0]->value, node->out->grad, &node->opts.geom, dw,
                                          db));
cleanup:
    return status;
}

/* The same weights on another tape, where they may be trained: the derivative by the penalty's direction depends on them. */
static tg_status weights_on(tgi_tape *to, const tgi_var *w, tgi_var **out)
{
    const tgi_param param = {.value = w->value, .grad = w->grad_home};

    return tgi_tape_param(to, &param, w->grad_home != NULL, out);
}

static tg_status conv2d_tangent(const tgi_node *node, tgi_tape *to, tgi_var *const *t,
                                tgi_var **out)
{
    tg_status status = TG_OK;
    tgi_var *w;

    TG_TRY(weights_on(to, node->in[1], &w));
    TG_TRY(tgi_tape_conv2d(to, t[0], w, NULL, &node->opts.geom, out));
cleanup:
    return status;
}

static const tgi_node_kind conv2d_kind = {"conv2d", conv2d_backward, conv2d_tangent,
                                          TGI_UNREAD_OUTPUT};

tg_status tgi_tape_conv2d(tgi_tape *tape, tgi_var *x, tgi_var *w, tgi_var *b,
                          const tg_conv2d_geom *geom, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;
    tg_dims dims;

    TG_TRY(tg_conv2d_output(x->value->dims, w->value->dims, geom, &dims));
    TG_TRY(tgi_tape_record(tape, &conv2d_kind, (tgi_var *const[]){x, w, b}, dims, y, &node));
    if (node)
        node->opts.geom = *geom;
    TG_TRY(tg_conv2d_forward(x->value, w->value, value_of(b), geom, (*y)->value));
cleanup:
    return status;
}

tg_status tgi_tape_linear(tgi_tape *tape, tgi_var *x, tgi_var *w, tgi_var *b, tgi_var **y)
{
    if (x->value->dims.h != 1 || x->value->dims.w != 1)
        return tg_fail(TG_ERR_SHAPE, "linear: input is %zu x %zu, not a vector", x->value->dims.h,
                       x->value->dims.w);
    return tgi_tape_conv2d(tape, x, w, b, &(tg_conv2d_geom){.stride = 1}, y);
}

static tg_status transposed_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx, *dw, *db;
    tgi_write write;

    TG_TRY(tgi_tape_claim(tape, node->in[0], &dx, &write));
    TG_TRY(tgi_tape_wanted(tape, node->in[1], &dw));
    TG_TRY(tgi_tape_wanted(tape, node->in[2], &db));
    if (dx)
        TG_TRY(tgi_conv2d_transposed_backward_data(node->out->grad, node->in[1]->value,
                                                   &node->opts.geom, write, dx));
    if (dw || db)
        TG_TRY(tg_conv2d_transposed_backward_weights(node->in[0]->value, node->out->grad,
                                                     &node->opts.geom, dw, db));
cleanup:
    return status;
}

static const tgi_node_kind transposed_kind = {"transposed conv2d", transposed_backward, NULL,
                                              TGI_UNREAD_OUTPUT};

tg_status tgi_tape_conv2d_transposed(tgi_tape *tape, tgi_var *x, tgi_var *w, tgi_var *b,
                                     const tg_conv2d_geom *geom, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;
    tg_dims dims;

    TG_TRY(tg_conv2d_transposed_output(x->value->dims, w->value->dims, geom, &dims));
    TG_TRY(tgi_tape_record(tape, &transposed_kind, (tgi_var *const[]){x, w, b}, dims, y, &node));
    if (node)
        node->opts.geom = *geom;
    TG_TRY(tg_conv2d_transposed_forward(x->value, w->value, value_of(b), geom, (*y)->value));
cleanup:
    return status;
}

/* ---- upsampling and a convolution in one: saved[0] is its weights ---- */

static const tg_conv2d_geom twice = {.stride = 2, .pad = 1};

static tg_status upsampled_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx, *dw, *db, *dw4 = NULL;
    tgi_write write;

    TG_TRY(tgi_tape_claim(tape, node->in[0], &dx, &write));
    TG_TRY(tgi_tape_wanted(tape, node->in[1], &dw));
    TG_TRY(tgi_tape_wanted(tape, node->in[2], &db));
    if (dx)
        TG_TRY(tgi_conv2d_transposed_backward_data(node->out->grad, node->saved[0], &twice, write,
                                                   dx));
    if (dw)
        TG_TRY(tg_tensor_new_zero(tgi_tape_device(tape), node->saved[0]->dims, &dw4));
    if (dw || db)
        TG_TRY(tg_conv2d_transposed_backward_weights(node->in[0]->value, node->out->grad, &twice,
                                                     dw4, db));
    if (dw)
        TG_TRY(tgi_upsample_weights_backward(dw4, dw));
cleanup:
    tg_tensor_free(dw4);
    return status;
}

static const tgi_node_kind upsampled_kind = {"upsampled conv2d", upsampled_backward, NULL,
                                             TGI_UNREAD_OUTPUT};

bool tgi_tape_takes_upsampled(size_t s, tg_dims w, const tg_conv2d_geom *geom)
{
    return s == 2 && w.h == 3 && w.w == 3 && geom->stride == 1 && geom->pad == 1 &&
           geom->padding == TG_PAD_ZERO;
}

tg_status tgi_tape_upsampled_conv2d(tgi_tape *tape, tgi_var *x, tgi_var *w, tgi_var *b, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node = NULL;
    tg_tensor *w4 = NULL;
    tg_dims d = x->value->dims, dims = {d.n, w->value->dims.n, 2 * d.h, 2 * d.w};

    TG_TRY(tgi_tape_record(tape, &upsampled_kind, (tgi_var *const[]){x, w, b}, dims, y, &node));
    TG_TRY(tg_tensor_new(tgi_tape_device(tape), (tg_dims){w->value->dims.c, w->value->dims.n, 4, 4},
                         &w4));
    TG_TRY(tgi_upsample_weights_forward(w->value, w4));
    TG_TRY(tg_conv2d_transposed_forward(x->value, w4, value_of(b), &twice, (*y)->value));
cleanup:
    if (node)
        node->saved[0] = w4;
    else
        tg_tensor_free(w4);
    return status;
}

/* ---- norms: saved[0] is the mean, saved[1] one over the deviation ---- */

typedef tg_status norm_backward_fn(const tg_tensor *x, const tg_tensor *gamma, const tg_tensor *mu,
                                   const tg_tensor *rstd, const tg_tensor *dy, tg_tensor *dx,
                                   tg_tensor *dgamma, tg_tensor *dbeta);

static tg_status norm_backward(tgi_tape *tape, tgi_node *node, norm_backward_fn *backward)
{
    tg_status status = TG_OK;
    tg_tensor *dx, *dgamma, *dbeta;

    TG_TRY(tgi_tape_wanted(tape, node->in[0], &dx));
    TG_TRY(tgi_tape_wanted(tape, node->in[1], &dgamma));
    TG_TRY(tgi_tape_wanted(tape, node->in[2], &dbeta));
    TG_TRY(backward(node->in[0]->value, value_of(node->in[1]), node->saved[0], node->saved[1],
                    node->out->grad, dx, dgamma, dbeta));
cleanup:
    return status;
}

static tg_status instance_norm_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx, *dgamma, *dbeta;
    tgi_write write;

    TG_TRY(tgi_tape_claim(tape, node->in[0], &dx, &write));
    TG_TRY(tgi_tape_wanted(tape, node->in[1], &dgamma));
    TG_TRY(tgi_tape_wanted(tape, node->in[2], &dbeta));
    TG_TRY(tgi_instance_norm_backward(node->in[0]->value, value_of(node->in[1]),
                                      value_of(node->in[2]), node->opts.alpha, node->saved[0],
                                      node->saved[1], node->out->grad, write, dx, dgamma, dbeta));
cleanup:
    return status;
}

static const tgi_node_kind instance_norm_kind = {"instance norm", instance_norm_backward, NULL,
                                                 TGI_UNREAD_OUTPUT | TGI_SAVES_MEANS};

/* Puts the two statistics where the backward pass finds them, or gives them back when there will be none. */
static void keep(tgi_node *node, tg_tensor *mu, tg_tensor *rstd)
{
    if (node) {
        node->saved[0] = mu;
        node->saved[1] = rstd;
        return;
    }
    tg_tensor_free(mu);
    tg_tensor_free(rstd);
}

tg_status tgi_tape_instance_norm(tgi_tape *tape, tgi_var *x, tgi_var *gamma, tgi_var *beta,
                                 float eps, tgi_var **y)
{
    return tgi_tape_instance_norm_relu(tape, x, gamma, beta, eps, 1, y);
}

tg_status tgi_tape_instance_norm_relu(tgi_tape *tape, tgi_var *x, tgi_var *gamma, tgi_var *beta,
                                      float eps, float slope, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node = NULL;
    tg_tensor *mu = NULL, *rstd = NULL;
    const tg_dims planes = {x->value->dims.n, x->value->dims.c, 1, 1};

    TG_TRY(tgi_tape_record(tape, &instance_norm_kind, (tgi_var *const[]){x, gamma, beta},
                           x->value->dims, y, &node));
    TG_TRY(tg_tensor_new(tgi_tape_device(tape), planes, &mu));
    TG_TRY(tg_tensor_new(tgi_tape_device(tape), planes, &rstd));
    if (node)
        node->opts.alpha = slope;
    TG_TRY(tgi_instance_norm_forward(x->value, value_of(gamma), value_of(beta), eps, slope,
                                     (*y)->value, mu, rstd));
cleanup:
    keep(node, mu, rstd);
    return status;
}

static tg_status batch_norm_backward(tgi_tape *tape, tgi_node *node)
{
    return norm_backward(tape, node, tg_batch_norm_backward);
}

static const tgi_node_kind batch_norm_kind = {"batch norm", batch_norm_backward, NULL,
                                              TGI_UNREAD_OUTPUT};

tg_status tgi_tape_batch_norm(tgi_tape *tape, tgi_var *x, tgi_var *gamma, tgi_var *beta, float eps,
                              float momentum, tg_tensor *running_mean, tg_tensor *running_var,
                              tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node = NULL;
    tg_tensor *mu = NULL, *rstd = NULL;
    const tg_dims channels = {1, x->value->dims.c, 1, 1};

    TG_TRY(tgi_tape_record(tape, &batch_norm_kind, (tgi_var *const[]){x, gamma, beta},
                           x->value->dims, y, &node));
    TG_TRY(tg_tensor_new(tgi_tape_device(tape), channels, &mu));
    TG_TRY(tg_tensor_new(tgi_tape_device(tape), channels, &rstd));
    TG_TRY(tg_batch_norm_forward_train(x->value, value_of(gamma), value_of(beta), eps, momentum,
                                       running_mean, running_var, (*y)->value, mu, rstd));
cleanup:
    keep(node, mu, rstd);
    return status;
}

/* Evaluation is a fixed scale and shift a channel: y = x * scale + shift, and so is its backward. */
static tg_status batch_norm_eval_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx, *zero = NULL, *scaled = NULL;
    const tg_dims channels = {1, node->in[0]->value->dims.c, 1, 1};

    TG_TRY(tgi_tape_wanted(tape, node->in[0], &dx));
    if (!dx)
        return TG_OK;
    /* dy * gamma / sqrt(var + eps) is the same normalisation with mean and beta zero. */
    TG_TRY(tg_tensor_new_zero(tgi_tape_device(tape), channels, &zero));
    TG_TRY(tg_tensor_new(tgi_tape_device(tape), node->in[0]->value->dims, &scaled));
    TG_TRY(tg_batch_norm_forward_eval(node->out->grad, value_of(node->in[1]),
                                      node->in[1] ? zero : NULL, node->opts.alpha, zero,
                                      node->borrowed[0], scaled));
    TG_TRY(tg_accumulate(scaled, 1, dx));
cleanup:
    tg_tensor_free(scaled);
    tg_tensor_free(zero);
    return status;
}

static const tgi_node_kind batch_norm_eval_kind = {"batch norm", batch_norm_eval_backward, NULL, 0};

tg_status tgi_tape_batch_norm_eval(tgi_tape *tape, tgi_var *x, tgi_var *gamma, tgi_var *beta,
                                   float eps, const tg_tensor *running_mean,
                                   const tg_tensor *running_var, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;

    TG_TRY(tgi_tape_record(tape, &batch_norm_eval_kind, (tgi_var *const[]){x, gamma, beta},
                           x->value->dims, y, &node));
    if (node) {
        node->opts.alpha = eps;
        node->borrowed[0] = running_var;
    }
    TG_TRY(tg_batch_norm_forward_eval(x->value, value_of(gamma), value_of(beta), eps, running_mean,
                                      running_var, (*y)->value));
cleanup:
    return status;
}

/* ---- spectral norm: saved[0] is sigma ---- */

static tg_status spectral_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dw;

    TG_TRY(tgi_tape_wanted(tape, node->in[0], &dw));
    if (dw)
        TG_TRY(tg_spectral_norm_backward(node->out->value, node->borrowed[0], node->borrowed[1],
                                         node->saved[0], node->out->grad, dw));
cleanup:
    return status;
}

static const tgi_node_kind spectral_kind = {"spectral norm", spectral_backward, NULL, 0};

tg_status tgi_tape_spectral_norm(tgi_tape *tape, tgi_var *w, bool is_training, tg_tensor *u,
                                 tg_tensor *v, tgi_var **w_sn)
{
    tg_status status = TG_OK;
    tgi_node *node = NULL;
    tg_tensor *sigma = NULL;

    TG_TRY(tgi_tape_record(tape, &spectral_kind, (tgi_var *const[]){w, NULL, NULL}, w->value->dims,
                           w_sn, &node));
    TG_TRY(tg_tensor_new(tgi_tape_device(tape), (tg_dims){1, 1, 1, 1}, &sigma));
    TG_TRY(tg_spectral_norm_forward(w->value, is_training, u, v, sigma, (*w_sn)->value));
    if (node) {
        node->borrowed[0] = u;
        node->borrowed[1] = v;
    }
cleanup:
    keep(node, sigma, NULL);
    return status;
}

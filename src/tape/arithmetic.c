/* arithmetic.c -- elementwise operations, arrangement, labels and pooling on the tape. */
#include "config.h"
#include "op/arrange.h"
#include "op/op.h"
#include "tape/record.h"

#include "base/banned.h"

#define IN1(x)       ((tgi_var *const[TGI_MAX_INPUTS]){(x), NULL, NULL})
#define IN2(a, b)    ((tgi_var *const[TGI_MAX_INPUTS]){(a), (b), NULL})
#define IN3(a, b, c) ((tgi_var *const[TGI_MAX_INPUTS]){(a), (b), (c)})

/* ---- sums ---- */

/* grad (+)= alpha * the output's gradient */
static tg_status add_scaled(tgi_tape *tape, tgi_node *node, float alpha, tgi_var *to)
{
    tg_status status = TG_OK;
    tg_tensor *grad;
    tgi_write write;

    TG_TRY(tgi_tape_claim(tape, to, &grad, &write));
    if (grad)
        TG_TRY(write == TGI_SET ? tg_scale(node->out->grad, alpha, grad)
                                : tg_accumulate(node->out->grad, alpha, grad));
cleanup:
    return status;
}

static tg_status spread(tgi_tape *tape, tgi_node *node, float sign_of_b)
{
    tg_status status = TG_OK;

    TG_TRY(add_scaled(tape, node, sign_of_b, node->in[1]));
    TG_TRY(tgi_tape_give(tape, node, node->in[0]));
cleanup:
    return status;
}

static tg_status add_backward(tgi_tape *tape, tgi_node *node)
{
    return spread(tape, node, 1);
}

static tg_status add_tangent(const tgi_node *node, tgi_tape *to, tgi_var *const *t, tgi_var **out)
{
    TG_UNUSED(node);
    if (t[0] && t[1])
        return tgi_tape_add(to, t[0], t[1], out);
    *out = t[0] ? t[0] : t[1];
    return TG_OK;
}

static const tgi_node_kind add_kind = {"add", add_backward, add_tangent,
                                       TGI_UNREAD_INPUTS | TGI_UNREAD_OUTPUT};

tg_status tgi_tape_add(tgi_tape *tape, tgi_var *a, tgi_var *b, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;

    TG_TRY(tgi_tape_record(tape, &add_kind, IN2(a, b), a->value->dims, y, &node));
    TG_TRY(tg_add(a->value, b->value, (*y)->value));
cleanup:
    return status;
}

static tg_status subtract_backward(tgi_tape *tape, tgi_node *node)
{
    return spread(tape, node, -1);
}

static tg_status subtract_tangent(const tgi_node *node, tgi_tape *to, tgi_var *const *t,
                                  tgi_var **out)
{
    TG_UNUSED(node);
    if (t[0] && t[1])
        return tgi_tape_subtract(to, t[0], t[1], out);
    if (t[0]) {
        *out = t[0];
        return TG_OK;
    }
    return tgi_tape_scale(to, t[1], -1, out);
}

static const tgi_node_kind subtract_kind = {"subtract", subtract_backward, subtract_tangent,
                                            TGI_UNREAD_INPUTS | TGI_UNREAD_OUTPUT};

tg_status tgi_tape_subtract(tgi_tape *tape, tgi_var *a, tgi_var *b, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;

    TG_TRY(tgi_tape_record(tape, &subtract_kind, IN2(a, b), a->value->dims, y, &node));
    TG_TRY(tg_subtract(a->value, b->value, (*y)->value));
cleanup:
    return status;
}

static tg_status scale_backward(tgi_tape *tape, tgi_node *node)
{
    return add_scaled(tape, node, node->opts.alpha, node->in[0]);
}

static tg_status scale_tangent(const tgi_node *node, tgi_tape *to, tgi_var *const *t, tgi_var **out)
{
    return tgi_tape_scale(to, t[0], node->opts.alpha, out);
}

static const tgi_node_kind scale_kind = {"scale", scale_backward, scale_tangent,
                                         TGI_UNREAD_INPUTS | TGI_UNREAD_OUTPUT};

tg_status tgi_tape_scale(tgi_tape *tape, tgi_var *x, float alpha, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;

    TG_TRY(tgi_tape_record(tape, &scale_kind, IN1(x), x->value->dims, y, &node));
    if (node)
        node->opts.alpha = alpha;
    TG_TRY(tg_scale(x->value, alpha, (*y)->value));
cleanup:
    return status;
}

static tg_status clamp_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx;

    TG_TRY(tgi_tape_wanted(tape, node->in[0], &dx));
    if (dx)
        TG_TRY(tg_clamp_backward(node->in[0]->value, node->opts.clamp.low, node->opts.clamp.high,
                                 node->out->grad, dx));
cleanup:
    return status;
}

static const tgi_node_kind clamp_kind = {"clamp", clamp_backward, NULL, TGI_UNREAD_OUTPUT};

tg_status tgi_tape_clamp(tgi_tape *tape, tgi_var *x, float low, float high, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;

    TG_TRY(tgi_tape_record(tape, &clamp_kind, IN1(x), x->value->dims, y, &node));
    if (node) {
        node->opts.clamp.low = low;
        node->opts.clamp.high = high;
    }
    TG_TRY(tg_clamp_forward(x->value, low, high, (*y)->value));
cleanup:
    return status;
}

/* ---- activations: the tangent multiplies by the slopes at the stored y, a linear map whose backward is itself ---- */

/* Where nobody added to dx yet, dy itself becomes it. */
static tg_status behind_activation(tgi_tape *tape, tgi_node *node, const tg_tensor *y)
{
    tg_status status = TG_OK;
    tg_activation f = node->opts.activation.f;
    float slope = node->opts.activation.slope;
    tg_tensor *dx;

    if (!node->in[0]->grad && !node->in[0]->grad_home && node->out->owns_grad) {
        TG_TRY(tgi_activation_backward_here(f, slope, y, node->out->grad));
        return tgi_tape_give(tape, node, node->in[0]);
    }
    TG_TRY(tgi_tape_wanted(tape, node->in[0], &dx));
    if (dx)
        TG_TRY(tg_activation_backward(f, slope, y, node->out->grad, dx));
cleanup:
    return status;
}

static tg_status activation_backward(tgi_tape *tape, tgi_node *node)
{
    return behind_activation(tape, node, node->out->value);
}

static tg_status slopes_backward(tgi_tape *tape, tgi_node *node)
{
    return behind_activation(tape, node, node->borrowed[0]);
}

static const tgi_node_kind slopes_kind = {"slopes", slopes_backward, NULL,
                                          TGI_UNREAD_INPUTS | TGI_UNREAD_OUTPUT};

static tg_status activation_tangent(const tgi_node *of, tgi_tape *to, tgi_var *const *t,
                                    tgi_var **out)
{
    tg_status status = TG_OK;
    tgi_node *node;

    if (of->opts.activation.f != TG_RELU && of->opts.activation.f != TG_LEAKY_RELU)
        return tg_fail(
            TG_ERR_UNSUPPORTED,
            "the gradient penalty needs piecewise linear activations (ReLU, leaky ReLU)");
    TG_TRY(tgi_tape_record(to, &slopes_kind, IN1(t[0]), t[0]->value->dims, out, &node));
    if (node) {
        node->opts.activation = of->opts.activation;
        node->borrowed[0] = of->out->value;
    }
    TG_TRY(tgi_activation_backward(of->opts.activation.f, of->opts.activation.slope, of->out->value,
                                   t[0]->value, TGI_SET, (*out)->value));
cleanup:
    return status;
}

static const tgi_node_kind activation_kind = {"activation", activation_backward, activation_tangent,
                                              TGI_UNREAD_INPUTS};

tg_status tgi_tape_activation(tgi_tape *tape, tgi_var *x, tg_activation f, float slope, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;

    TG_TRY(tgi_tape_record(tape, &activation_kind, IN1(x), x->value->dims, y, &node));
    if (node) {
        node->opts.activation.f = f;
        node->opts.activation.slope = slope;
    }
    TG_TRY(tg_activation_forward(f, slope, x->value, (*y)->value));
cleanup:
    return status;
}

tg_status tgi_tape_activation_here(tgi_tape *tape, tgi_var *x, tg_activation f, float slope,
                                   tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;

    if (!x->owns_value)
        return tgi_tape_activation(tape, x, f, slope, y);
    TG_TRY(tgi_tape_record_here(tape, &activation_kind, x, y, &node));
    if (node) {
        node->opts.activation.f = f;
        node->opts.activation.slope = slope;
    }
    TG_TRY(tgi_activation_forward_here(f, slope, (*y)->value));
cleanup:
    return status;
}

/* ---- arrangement ---- */

static tg_status concat_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *da, *db;

    TG_TRY(tgi_tape_wanted(tape, node->in[0], &da));
    TG_TRY(tgi_tape_wanted(tape, node->in[1], &db));
    TG_TRY(tg_concat_backward(node->out->grad, da, db));
cleanup:
    return status;
}

static const tgi_node_kind concat_kind = {"concat", concat_backward, NULL,
                                          TGI_UNREAD_INPUTS | TGI_UNREAD_OUTPUT};

tg_status tgi_tape_concat(tgi_tape *tape, tgi_var *a, tgi_var *b, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;
    tg_dims dims = a->value->dims;

    dims.c += b->value->dims.c;
    TG_TRY(tgi_tape_record(tape, &concat_kind, IN2(a, b), dims, y, &node));
    TG_TRY(tg_concat_forward(a->value, b->value, (*y)->value));
cleanup:
    return status;
}

/* grad (+)= n values of the output's gradient from `at` on, all that there are of grad */
static tg_status add_samples(tgi_tape *tape, const tgi_node *node, size_t at, tgi_var *to)
{
    tg_status status = TG_OK;
    tg_tensor *grad;
    tgi_write write;

    TG_TRY(tgi_tape_claim(tape, to, &grad, &write));
    if (!grad)
        return TG_OK;
    size_t n = tg_tensor_count(grad);
    TG_TRY(write == TGI_SET ? tgi_tensor_copy_part(node->out->grad, at, grad, 0, n)
                            : tgi_part_add(node->out->grad, at, grad, 0, n));
cleanup:
    return status;
}

static tg_status stack_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;

    TG_TRY(add_samples(tape, node, 0, node->in[0]));
    TG_TRY(add_samples(tape, node, tg_dims_count(node->in[0]->value->dims), node->in[1]));
cleanup:
    return status;
}

static const tgi_node_kind stack_kind = {"stack", stack_backward, NULL,
                                         TGI_UNREAD_INPUTS | TGI_UNREAD_OUTPUT};

tg_status tgi_tape_stack(tgi_tape *tape, tgi_var *a, tgi_var *b, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;
    tg_dims dims = a->value->dims;
    size_t n_a = tg_tensor_count(a->value), n_b = tg_tensor_count(b->value);

    dims.n = b->value->dims.n;
    TG_TRY(tgi_tensor_expect(b->value, dims, "stack: b"));
    dims.n += a->value->dims.n;
    TG_TRY(tgi_tape_record(tape, &stack_kind, IN2(a, b), dims, y, &node));
    TG_TRY(tgi_tensor_copy_part(a->value, 0, (*y)->value, 0, n_a));
    TG_TRY(tgi_tensor_copy_part(b->value, 0, (*y)->value, n_a, n_b));
cleanup:
    return status;
}

static tg_status samples_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx;
    size_t n = tg_tensor_count(node->out->grad), each = n / node->out->value->dims.n;

    TG_TRY(tgi_tape_wanted(tape, node->in[0], &dx));
    if (dx)
        TG_TRY(tgi_part_add(node->out->grad, 0, dx, node->opts.first * each, n));
cleanup:
    return status;
}

static const tgi_node_kind samples_kind = {"samples", samples_backward, NULL,
                                           TGI_UNREAD_INPUTS | TGI_UNREAD_OUTPUT};

tg_status tgi_tape_samples(tgi_tape *tape, tgi_var *x, size_t first, size_t n, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;
    tg_dims dims = x->value->dims;
    size_t each = tg_tensor_count(x->value) / dims.n;

    if (!n || n > dims.n || first > dims.n - n)
        return tg_fail(TG_ERR_SHAPE, "samples: %zu from %zu of %zu", n, first, dims.n);
    dims.n = n;
    TG_TRY(tgi_tape_record(tape, &samples_kind, IN1(x), dims, y, &node));
    if (node)
        node->opts.first = first;
    TG_TRY(tgi_tensor_copy_part(x->value, first * each, (*y)->value, 0, n * each));
cleanup:
    return status;
}

static tg_status upsample_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx;
    tgi_write write;

    TG_TRY(tgi_tape_claim(tape, node->in[0], &dx, &write));
    if (dx)
        TG_TRY(tgi_upsample_backward(node->out->grad, node->opts.s, write, dx));
cleanup:
    return status;
}

static tg_status upsample_tangent(const tgi_node *node, tgi_tape *to, tgi_var *const *t,
                                  tgi_var **out)
{
    return tgi_tape_upsample(to, t[0], node->opts.s, out);
}

static const tgi_node_kind upsample_kind = {"upsample", upsample_backward, upsample_tangent,
                                            TGI_UNREAD_INPUTS | TGI_UNREAD_OUTPUT};

tg_status tgi_tape_upsample(tgi_tape *tape, tgi_var *x, size_t s, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;
    tg_dims d = x->value->dims;

    TG_TRY(tgi_tape_record(tape, &upsample_kind, IN1(x), (tg_dims){d.n, d.c, d.h * s, d.w * s}, y,
                           &node));
    if (node)
        node->opts.s = s;
    TG_TRY(tg_upsample_forward(x->value, s, (*y)->value));
cleanup:
    return status;
}

static tg_status shuffle_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx;

    TG_TRY(tgi_tape_wanted(tape, node->in[0], &dx));
    if (dx)
        TG_TRY(tg_shuffle_backward(node->out->grad, node->opts.s, dx));
cleanup:
    return status;
}

static const tgi_node_kind shuffle_kind = {"shuffle", shuffle_backward, NULL,
                                           TGI_UNREAD_INPUTS | TGI_UNREAD_OUTPUT};

tg_status tgi_tape_shuffle(tgi_tape *tape, tgi_var *x, size_t s, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;
    tg_dims d = x->value->dims;

    if (!s || d.c % (s * s))
        return tg_fail(TG_ERR_SHAPE, "shuffle: %zu channels are not a multiple of %zu x %zu", d.c,
                       s, s);
    TG_TRY(tgi_tape_record(tape, &shuffle_kind, IN1(x),
                           (tg_dims){d.n, d.c / (s * s), d.h * s, d.w * s}, y, &node));
    if (node)
        node->opts.s = s;
    TG_TRY(tg_shuffle_forward(x->value, s, (*y)->value));
cleanup:
    return status;
}

/* ---- labels ---- */

static tg_status planes_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx;

    TG_TRY(tgi_tape_wanted(tape, node->in[0], &dx));
    if (dx)
        TG_TRY(tg_label_planes_backward(node->out->grad, dx));
cleanup:
    return status;
}

static const tgi_node_kind planes_kind = {"label planes", planes_backward, NULL,
                                          TGI_UNREAD_INPUTS | TGI_UNREAD_OUTPUT};

tg_status tgi_tape_label_planes(tgi_tape *tape, tgi_var *x, const tg_tensor *labels, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;
    tg_dims dims = x->value->dims;

    dims.c += labels->dims.c;
    TG_TRY(tgi_tape_record(tape, &planes_kind, IN1(x), dims, y, &node));
    TG_TRY(tg_label_planes_forward(x->value, labels, (*y)->value));
cleanup:
    return status;
}

static tg_status affine_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx = NULL, *dgamma, *dbeta;

    if (node->in[1]) /* a shift alone passes dy on as it is */
        TG_TRY(tgi_tape_wanted(tape, node->in[0], &dx));
    TG_TRY(tgi_tape_wanted(tape, node->in[1], &dgamma));
    TG_TRY(tgi_tape_wanted(tape, node->in[2], &dbeta));
    TG_TRY(tg_label_affine_backward(node->in[0]->value, node->borrowed[0],
                                    node->in[1] ? node->in[1]->value : NULL, node->out->grad, dx,
                                    dgamma, dbeta));
    if (!node->in[1])
        TG_TRY(tgi_tape_give(tape, node, node->in[0]));
cleanup:
    return status;
}

static const tgi_node_kind affine_kind = {"label affine", affine_backward, NULL, TGI_UNREAD_OUTPUT};

tg_status tgi_tape_label_affine(tgi_tape *tape, tgi_var *x, const tg_tensor *labels, tgi_var *gamma,
                                tgi_var *beta, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;

    TG_TRY(tgi_tape_record(tape, &affine_kind, IN3(x, gamma, beta), x->value->dims, y, &node));
    if (node)
        node->borrowed[0] = labels;
    TG_TRY(tg_label_affine_forward(x->value, labels, gamma ? gamma->value : NULL, beta->value,
                                   (*y)->value));
cleanup:
    return status;
}

/* ---- pooling ---- */

static tg_status pool_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx;

    TG_TRY(tgi_tape_wanted(tape, node->in[0], &dx));
    if (dx)
        TG_TRY(tg_pool_backward(node->opts.pool.kind, node->opts.pool.size, node->opts.pool.stride,
                                node->saved[0], node->out->grad, dx));
cleanup:
    return status;
}

static tg_status gather_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx;

    TG_TRY(tgi_tape_wanted(tape, node->in[0], &dx));
    if (dx)
        TG_TRY(tg_pool_backward(TG_POOL_MAX, node->opts.pool.size, node->opts.pool.stride,
                                node->borrowed[0], node->out->grad, dx));
cleanup:
    return status;
}

static const tgi_node_kind gather_kind = {"pool choice", gather_backward, NULL,
                                          TGI_UNREAD_INPUTS | TGI_UNREAD_OUTPUT};

static tg_status pool_tangent(const tgi_node *of, tgi_tape *to, tgi_var *const *t, tgi_var **out)
{
    tg_status status = TG_OK;
    tgi_node *node;

    if (of->opts.pool.kind == TG_POOL_MEAN)
        return tgi_tape_pool(to, t[0], TG_POOL_MEAN, of->opts.pool.size, of->opts.pool.stride, out);
    TG_TRY(tgi_tape_record(to, &gather_kind, IN1(t[0]), of->out->value->dims, out, &node));
    if (node) {
        node->opts.pool = of->opts.pool;
        node->borrowed[0] = of->saved[0];
    }
    TG_TRY(tg_pool_gather(of->saved[0], t[0]->value, (*out)->value));
cleanup:
    return status;
}

static const tgi_node_kind pool_kind = {"pool", pool_backward, pool_tangent,
                                        TGI_UNREAD_INPUTS | TGI_UNREAD_OUTPUT};

tg_status tgi_tape_pool(tgi_tape *tape, tgi_var *x, tg_pool_kind kind, size_t size, size_t stride,
                        tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;
    tg_tensor *choice = NULL;
    tg_dims d = x->value->dims;

    if (!size || !stride || d.h < size || d.w < size)
        return tg_fail(TG_ERR_SHAPE, "pool: window %zu and stride %zu on %zu x %zu", size, stride,
                       d.h, d.w);
    const tg_dims out = {d.n, d.c, (d.h - size) / stride + 1, (d.w - size) / stride + 1};
    TG_TRY(tgi_tape_record(tape, &pool_kind, IN1(x), out, y, &node));
    if (kind == TG_POOL_MAX)
        TG_TRY(tg_tensor_new(tgi_tape_device(tape), out, &choice));
    TG_TRY(tg_pool_forward(kind, size, stride, x->value, (*y)->value, choice));
    if (node) {
        node->opts.pool.kind = kind;
        node->opts.pool.size = size;
        node->opts.pool.stride = stride;
        node->saved[0] = choice;
        choice = NULL;
    }
cleanup:
    tg_tensor_free(choice);
    return status;
}

static tg_status plane_pool_backward(tgi_tape *tape, tgi_node *node)
{
    tg_status status = TG_OK;
    tg_tensor *dx;

    TG_TRY(tgi_tape_wanted(tape, node->in[0], &dx));
    if (dx)
        TG_TRY(tg_plane_pool_backward(node->opts.plane_pool, node->in[0]->value, node->out->value,
                                      node->out->grad, dx));
cleanup:
    return status;
}

static tg_status plane_pool_tangent(const tgi_node *node, tgi_tape *to, tgi_var *const *t,
                                    tgi_var **out)
{
    if (node->opts.plane_pool != TG_PLANE_MEAN)
        return tg_fail(TG_ERR_UNSUPPORTED,
                       "the gradient penalty passes through a plain mean over positions only");
    return tgi_tape_plane_pool(to, t[0], TG_PLANE_MEAN, out);
}

static const tgi_node_kind plane_pool_kind = {"plane pool", plane_pool_backward, plane_pool_tangent,
                                              0};

tg_status tgi_tape_plane_pool(tgi_tape *tape, tgi_var *x, tg_plane_pool kind, tgi_var **y)
{
    tg_status status = TG_OK;
    tgi_node *node;
    tg_dims d = x->value->dims;

    TG_TRY(tgi_tape_record(tape, &plane_pool_kind, IN1(x), (tg_dims){d.n, d.c, 1, 1}, y, &node));
    if (node)
        node->opts.plane_pool = kind;
    TG_TRY(tg_plane_pool_forward(kind, x->value, (*y)->value));
cleanup:
    return status;
}

/* check_elementwise.c -- rows of taggan-devices check: operations value by value. */
#include "config.h"
#include "cli/devices_check.h"
#include "op/op.h"

#include "base/banned.h"

/* Smallest, odd, not a multiple of any work-group, a layer of a network. */
static const tg_dims shapes[] = {{1, 1, 1, 1}, {1, 3, 5, 7}, {2, 4, 17, 33}, {1, 16, 64, 64}};

static const float alpha = -1.75f, low = -0.5f, high = 0.75f, slope = 0.2f;

static tg_status fill(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *y = c->values;

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_WRITES("y", shapes[i], TOL_EXACT))));
    for (size_t k = 0; k < y->n; k++)
        y->ref[k] = (double)alpha;
    while (tgi_check_round(c))
        TG_TRY(tgi_tensor_fill(y->t, alpha));
    status = c->status;
cleanup:
    return status;
}

typedef enum sum { ADD, SUBTRACT } sum;

static tg_status two(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *a = c->values, *b = a + 1, *y = a + 2;

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("a", shapes[i]), TGI_READS("b", shapes[i]),
                                         TGI_WRITES("y", shapes[i], TOL_EXACT))));
    for (size_t k = 0; k < y->n; k++)
        y->ref[k] = kind == ADD ? a->ref[k] + b->ref[k] : a->ref[k] - b->ref[k];
    while (tgi_check_round(c))
        TG_TRY((kind == ADD ? tg_add : tg_subtract)(a->t, b->t, y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status scale(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *y = x + 1;

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("x", shapes[i]), TGI_WRITES("y", shapes[i], TOL_EXACT))));
    for (size_t k = 0; k < y->n; k++)
        y->ref[k] = (double)alpha * x->ref[k];
    while (tgi_check_round(c))
        TG_TRY(tg_scale(x->t, alpha, y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status accumulate(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *y = x + 1;

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("x", shapes[i]), TGI_CHANGES("y", shapes[i], TOL_POINT))));
    for (size_t k = 0; k < y->n; k++)
        y->ref[k] += (double)alpha * x->ref[k];
    while (tgi_check_round(c))
        TG_TRY(tg_accumulate(x->t, alpha, y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status clamp_forward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *y = x + 1;

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("x", shapes[i]), TGI_WRITES("y", shapes[i], TOL_EXACT))));
    ref_clamp_forward(x->ref, (double)low, (double)high, x->n, y->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_clamp_forward(x->t, low, high, y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status clamp_backward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *dy = x + 1, *dx = x + 2;

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", shapes[i]), TGI_READS("dy", shapes[i]),
                                         TGI_CHANGES("dx", shapes[i], TOL_POINT))));
    ref_clamp_backward(x->ref, (double)low, (double)high, dy->ref, x->n, dx->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_clamp_backward(x->t, low, high, dy->t, dx->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status mix(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *a = c->values, *b = a + 1, *t = a + 2, *y = a + 3;
    const tg_dims d = shapes[i], samples = {d.n, 1, 1, 1};

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("a", d), TGI_READS("b", d),
                                         TGI_READS("t", samples), TGI_WRITES("y", d, TOL_POINT))));
    ref_mix(a->ref, b->ref, t->ref, d.n, a->n / d.n, y->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_mix(a->t, b->t, t->t, y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status activation_forward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *y = x + 1;

    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("x", shapes[i]), TGI_WRITES("y", shapes[i], TOL_MATH))));
    ref_activation_forward((tg_activation)kind, (double)slope, x->ref, x->n, y->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_activation_forward((tg_activation)kind, slope, x->t, y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status activation_backward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *y = x + 1, *dy = x + 2, *dx = x + 3;

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", shapes[i]), TGI_READS("y", shapes[i]),
                                         TGI_READS("dy", shapes[i]),
                                         TGI_CHANGES("dx", shapes[i], TOL_POINT))));
    ref_activation_forward((tg_activation)kind, (double)slope, x->ref, x->n, y->ref);
    tgi_check_take(y);
    ref_activation_backward((tg_activation)kind, (double)slope, y->ref, dy->ref, y->n, dx->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_activation_backward((tg_activation)kind, slope, y->t, dy->t, dx->t));
    status = c->status;
cleanup:
    return status;
}

/* In place, forward and then backward: dy becomes the gradient. */
static tg_status activation_here(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *y = x + 1, *g = x + 2;

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", shapes[i]),
                                         TGI_WRITES("y", shapes[i], TOL_MATH),
                                         TGI_WRITES("dy", shapes[i], TOL_MATH))));
    ref_activation_forward((tg_activation)kind, (double)slope, x->ref, x->n, y->ref);
    for (size_t k = 0; k < g->n; k++)
        g->ref[k] = 0; /* the reference adds */
    ref_activation_backward((tg_activation)kind, (double)slope, y->ref, x->ref, y->n, g->ref);
    while (tgi_check_round(c)) {
        TG_TRY(tgi_tensor_copy(x->t, y->t));
        TG_TRY(tgi_tensor_copy(x->t, g->t));
        TG_TRY(tgi_activation_forward_here((tg_activation)kind, slope, y->t));
        TG_TRY(tgi_activation_backward_here((tg_activation)kind, slope, y->t, g->t));
    }
    status = c->status;
cleanup:
    return status;
}

/* There and back; with a centre each plane lies around its own. */
static tg_status half(tgi_check *c, int has_centre, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *centre = x + 1, *y = x + 2;
    const tg_dims d = shapes[i], planes = {d.n, d.c, 1, 1};
    const tg_tensor *from = NULL;
    tg_tensor *h = NULL;

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", d), TGI_READS("centre", planes),
                                         TGI_WRITES("y", d, TOL_EXACT))));
    from = has_centre ? centre->t : NULL;
    for (size_t k = 0; k < y->n; k++) {
        float at = has_centre ? (float)centre->ref[k / (d.h * d.w)] : 0;

        y->ref[k] = (float)(ref_half_value(ref_half_of((float)x->ref[k] - at)) + (double)at);
    }
    TG_TRY(tg_tensor_new(x->t->dev, tgi_half_dims(x->n), &h));
    while (tgi_check_round(c)) {
        TG_TRY(tgi_half_from_float(x->t, from, h));
        TG_TRY(tgi_half_to_float(h, from, y->t));
    }
    status = c->status;
cleanup:
    tg_tensor_free(h);
    return status;
}

#define ROW(op, kind, run, number)                                                                 \
    {                                                                                              \
        op, kind, "elementwise", run, number, TG_COUNT(shapes)                                     \
    }
const tgi_check_row tgi_check_elementwise[] = {
    ROW("fill", "", fill, 0),
    ROW("add", "", two, ADD),
    ROW("subtract", "", two, SUBTRACT),
    ROW("accumulate", "", accumulate, 0),
    ROW("scale", "", scale, 0),
    ROW("clamp_forward", "", clamp_forward, 0),
    ROW("clamp_backward", "", clamp_backward, 0),
    ROW("mix", "", mix, 0),
    {"half", "", "half", half, false, TG_COUNT(shapes)},
    {"half", "centred", "half", half, true, TG_COUNT(shapes)},
    ROW("activation_forward", "ReLU", activation_forward, TG_RELU),
    ROW("activation_forward", "leaky ReLU", activation_forward, TG_LEAKY_RELU),
    ROW("activation_forward", "tanh", activation_forward, TG_TANH),
    ROW("activation_forward", "sigmoid", activation_forward, TG_SIGMOID),
    ROW("activation_backward", "ReLU", activation_backward, TG_RELU),
    ROW("activation_backward", "leaky ReLU", activation_backward, TG_LEAKY_RELU),
    ROW("activation_backward", "tanh", activation_backward, TG_TANH),
    ROW("activation_backward", "sigmoid", activation_backward, TG_SIGMOID),
    ROW("activation in place", "ReLU", activation_here, TG_RELU),
    ROW("activation in place", "leaky ReLU", activation_here, TG_LEAKY_RELU),
    ROW("activation in place", "tanh", activation_here, TG_TANH),
    ROW("activation in place", "sigmoid", activation_here, TG_SIGMOID),
};
const size_t tgi_n_check_elementwise = TG_COUNT(tgi_check_elementwise);

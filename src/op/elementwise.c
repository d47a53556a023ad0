/* elementwise.c -- sums, scaling, clamping and activations: one pass over the values each. */
#include "config.h"
#include "op/op.h"

#include <stdio.h>

#include "base/banned.h"

/* Work-items for n values, as wide as vectors of reductions are on the device. */
static size_t items_of(const tg_device *dev, size_t n)
{
    return (n + tgi_reduce_lanes(dev) - 1) / tgi_reduce_lanes(dev);
}

static const char *options_of(const tg_device *dev)
{
    return tgi_reduce_lanes(dev) == 16 ? "-DLANES=16" : "";
}

static tg_status launch(tg_device *dev, const char *name, size_t n, const tgi_arg *args,
                        size_t n_args)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(dev, "elementwise", name, options_of(dev), &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1(items_of(dev, n)), args, n_args));
cleanup:
    return status;
}

/* y = f(a, b) */
static tg_status binary(const char *name, const tg_tensor *a, const tg_tensor *b, tg_tensor *y)
{
    tg_status status = TG_OK;
    size_t n = tg_tensor_count(a);

    TG_TRY(tgi_op_same_dims("b", a, b));
    TG_TRY(tgi_op_same_dims("y", a, y));
    TG_TRY(
        launch(a->dev, name, n, TGI_ARGS(tgi_buffer(a), tgi_buffer(b), tgi_int(n), tgi_buffer(y))));
    tgi_tensor_touch(y);
cleanup:
    return status == TG_OK ? TG_OK : tg_fail_in(status, "%s", name);
}

/* y = f(x, alpha), or y += */
static tg_status scaled(const char *name, const tg_tensor *x, float alpha, tg_tensor *y)
{
    tg_status status = TG_OK;
    size_t n = tg_tensor_count(x);

    TG_TRY(tgi_op_same_dims("y", x, y));
    TG_TRY(launch(x->dev, name, n,
                  TGI_ARGS(tgi_buffer(x), tgi_int(n), tgi_float(alpha), tgi_buffer(y))));
    tgi_tensor_touch(y);
cleanup:
    return status == TG_OK ? TG_OK : tg_fail_in(status, "%s", name);
}

tg_status tg_add(const tg_tensor *a, const tg_tensor *b, tg_tensor *y)
{
    return binary("add", a, b, y);
}

tg_status tg_subtract(const tg_tensor *a, const tg_tensor *b, tg_tensor *y)
{
    return binary("subtract", a, b, y);
}

tg_status tg_accumulate(const tg_tensor *x, float alpha, tg_tensor *y)
{
    return scaled("accumulate", x, alpha, y);
}

tg_status tg_scale(const tg_tensor *x, float alpha, tg_tensor *y)
{
    return scaled("scale", x, alpha, y);
}

static tg_status check_limits(float low, float high)
{
    if (low <= high)
        return TG_OK;
    return tg_fail(TG_ERR_ARGUMENT, "clamp: the lower limit %g is not below the upper limit %g",
                   (double)low, (double)high);
}

tg_status tg_clamp_forward(const tg_tensor *x, float low, float high, tg_tensor *y)
{
    tg_status status = TG_OK;
    size_t n = tg_tensor_count(x);

    TG_TRY(check_limits(low, high));
    TG_TRY(tgi_op_same_dims("clamp: y", x, y));
    TG_TRY(launch(
        x->dev, "clamp_fwd", n,
        TGI_ARGS(tgi_buffer(x), tgi_int(n), tgi_float(low), tgi_float(high), tgi_buffer(y))));
    tgi_tensor_touch(y);
cleanup:
    return status;
}

tg_status tg_clamp_backward(const tg_tensor *x, float low, float high, const tg_tensor *dy,
                            tg_tensor *dx)
{
    tg_status status = TG_OK;
    size_t n = tg_tensor_count(x);

    TG_TRY(check_limits(low, high));
    TG_TRY(tgi_op_same_dims("clamp: dy", x, dy));
    if (!dx)
        return TG_OK;
    TG_TRY(tgi_op_same_dims("clamp: dx", x, dx));
    TG_TRY(launch(x->dev, "clamp_bwd", n,
                  TGI_ARGS(tgi_buffer(x), tgi_buffer(dy), tgi_int(n), tgi_float(low),
                           tgi_float(high), tgi_buffer(dx))));
    tgi_tensor_touch(dx);
cleanup:
    return status;
}

tg_status tg_mix(const tg_tensor *a, const tg_tensor *b, const tg_tensor *t, tg_tensor *y)
{
    tg_status status = TG_OK;
    size_t n = tg_tensor_count(a) / a->dims.n;
    tgi_kernel *kernel;

    TG_TRY(tgi_op_same_dims("mix: b", a, b));
    TG_TRY(tgi_op_expect("mix: t", a, (tg_dims){a->dims.n, 1, 1, 1}, t));
    TG_TRY(tgi_op_same_dims("mix: y", a, y));
    TG_TRY(tgi_kernel_get(a->dev, "elementwise", "mix_samples", options_of(a->dev), &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE2(items_of(a->dev, n), a->dims.n),
        TGI_ARGS(tgi_buffer(a), tgi_buffer(b), tgi_buffer(t), tgi_int(n), tgi_buffer(y))));
    tgi_tensor_touch(y);
cleanup:
    return status;
}

/* One line a member of tg_activation, in its order; cl/elementwise.cl has _fwd, _fwd_here, _bwd and _bwd_here of each. */
static const char *const activations[] = {
    [TG_RELU] = "relu",
    [TG_LEAKY_RELU] = "leaky_relu",
    [TG_TANH] = "tanh",
    [TG_SIGMOID] = "sigmoid",
};

static tg_status check_activation(tg_activation f, float slope)
{
    if ((size_t)f >= TG_COUNT(activations))
        return tg_fail(TG_ERR_ARGUMENT, "activation: there is no function %d", (int)f);
    /* The backward pass reads the sign of x from y: a slope of zero or less would lose it. */
    if (f == TG_LEAKY_RELU && !(slope > 0))
        return tg_fail(TG_ERR_ARGUMENT, "activation: a leaky ReLU needs a slope above 0, not %g",
                       (double)slope);
    return TG_OK;
}

static tg_status activate(tg_activation f, const char *suffix, const tg_tensor *y,
                          const tgi_arg *args, size_t n_args)
{
    char name[32];

    snprintf(name, sizeof name, "%s%s", activations[f], suffix);
    return launch(y->dev, name, tg_tensor_count(y), args, n_args);
}

tg_status tg_activation_forward(tg_activation f, float slope, const tg_tensor *x, tg_tensor *y)
{
    tg_status status = TG_OK;

    TG_TRY(check_activation(f, slope));
    TG_TRY(tgi_op_same_dims("activation: y", x, y));
    TG_TRY(activate(
        f, "_fwd", y,
        TGI_ARGS(tgi_buffer(x), tgi_int(tg_tensor_count(x)), tgi_float(slope), tgi_buffer(y))));
    tgi_tensor_touch(y);
cleanup:
    return status;
}

tg_status tgi_activation_forward_here(tg_activation f, float slope, tg_tensor *y)
{
    tg_status status = TG_OK;

    TG_TRY(check_activation(f, slope));
    TG_TRY(activate(f, "_fwd_here", y,
                    TGI_ARGS(tgi_int(tg_tensor_count(y)), tgi_float(slope), tgi_buffer(y))));
    tgi_tensor_touch(y);
cleanup:
    return status;
}

tg_status tgi_activation_backward(tg_activation f, float slope, const tg_tensor *y,
                                  const tg_tensor *dy, tgi_write write, tg_tensor *dx)
{
    tg_status status = TG_OK;

    TG_TRY(check_activation(f, slope));
    TG_TRY(tgi_op_same_dims("activation: dy", y, dy));
    if (!dx)
        return TG_OK;
    TG_TRY(tgi_op_same_dims("activation: dx", y, dx));
    TG_TRY(activate(f, "_bwd", dx,
                    TGI_ARGS(tgi_buffer(y), tgi_buffer(dy), tgi_int(tg_tensor_count(y)),
                             tgi_float(slope), tgi_int(write == TGI_ADD), tgi_buffer(dx))));
    tgi_tensor_touch(dx);
cleanup:
    return status;
}

tg_status tgi_activation_backward_here(tg_activation f, float slope, const tg_tensor *y,
                                       tg_tensor *dy)
{
    tg_status status = TG_OK;

    TG_TRY(check_activation(f, slope));
    TG_TRY(tgi_op_same_dims("activation: dy", y, dy));
    TG_TRY(activate(
        f, "_bwd_here", dy,
        TGI_ARGS(tgi_buffer(y), tgi_int(tg_tensor_count(y)), tgi_float(slope), tgi_buffer(dy))));
    tgi_tensor_touch(dy);
cleanup:
    return status;
}

tg_status tg_activation_backward(tg_activation f, float slope, const tg_tensor *y,
                                 const tg_tensor *dy, tg_tensor *dx)
{
    return tgi_activation_backward(f, slope, y, dy, TGI_ADD, dx);
}

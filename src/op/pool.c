/* pool.c -- windows or whole planes to one value: largest, mean, log-mean-exp. */
#include "config.h"
#include "op/op.h"

#include <stdio.h>

#include "base/banned.h"

/* A place in a plane is kept in a float, which holds integers exactly up to here. */
#define MAX_PLACES ((size_t)1 << 24)

/* The sizes of x's windows, y's, and the options that build their kernels. */
static tg_status check_windows(tg_pool_kind kind, size_t size, size_t stride, const tg_tensor *x,
                               tg_dims *y, char *options, size_t n_options)
{
    if (kind != TG_POOL_MAX && kind != TG_POOL_MEAN)
        return tg_fail(TG_ERR_ARGUMENT, "pool: there is no kind %d", (int)kind);
    if (!size || !stride || stride > MAX_PLACES)
        return tg_fail(TG_ERR_ARGUMENT, "pool: windows of %zu every %zu cannot be", size, stride);
    if (size > x->dims.h || size > x->dims.w)
        return tg_fail(TG_ERR_SHAPE, "pool: windows of %zu x %zu do not fit planes of %zu x %zu",
                       size, size, x->dims.h, x->dims.w);
    if (kind == TG_POOL_MAX && tgi_plane_size(x) > MAX_PLACES)
        return tg_fail(TG_ERR_SHAPE, "pool: planes of %zu x %zu are too large for max pooling",
                       x->dims.h, x->dims.w);
    *y = (tg_dims){x->dims.n, x->dims.c, (x->dims.h - size) / stride + 1,
                   (x->dims.w - size) / stride + 1};
    snprintf(options, n_options, "-DSIZE=%zu -DSTRIDE=%zu", size, stride);
    return TG_OK;
}

static tgi_range range_of(tg_dims dims)
{
    return TGI_RANGE3(dims.w, dims.h, dims.n * dims.c);
}

tg_status tg_pool_forward(tg_pool_kind kind, size_t size, size_t stride, const tg_tensor *x,
                          tg_tensor *y, tg_tensor *choice)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    tg_dims dims;
    char options[64];

    TG_TRY(check_windows(kind, size, stride, x, &dims, options, sizeof options));
    TG_TRY(tgi_op_expect("pool: y", x, dims, y));
    if (kind == TG_POOL_MEAN) {
        TG_TRY(tgi_kernel_get(x->dev, "pool", "pool_mean_fwd", options, &kernel));
        TG_TRY(tgi_kernel_run(kernel, range_of(dims),
                              TGI_ARGS(tgi_buffer(x), tgi_int(x->dims.h), tgi_int(x->dims.w),
                                       tgi_int(dims.h), tgi_int(dims.w), tgi_buffer(y))));
    } else {
        if (!choice)
            return tg_fail(TG_ERR_ARGUMENT, "pool: max pooling needs a tensor for its choice");
        TG_TRY(tgi_op_expect("pool: choice", x, dims, choice));
        TG_TRY(tgi_kernel_get(x->dev, "pool", "pool_max_fwd", options, &kernel));
        TG_TRY(tgi_kernel_run(kernel, range_of(dims),
                              TGI_ARGS(tgi_buffer(x), tgi_int(x->dims.h), tgi_int(x->dims.w),
                                       tgi_int(dims.h), tgi_int(dims.w), tgi_buffer(y),
                                       tgi_buffer(choice))));
        tgi_tensor_touch(choice);
    }
    tgi_tensor_touch(y);
cleanup:
    return status;
}

tg_status tg_pool_backward(tg_pool_kind kind, size_t size, size_t stride, const tg_tensor *choice,
                           const tg_tensor *dy, tg_tensor *dx)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    tg_dims dims;
    char options[64];

    if (!dx)
        return TG_OK;
    TG_TRY(check_windows(kind, size, stride, dx, &dims, options, sizeof options));
    TG_TRY(tgi_op_expect("pool: dy", dx, dims, dy));
    if (kind == TG_POOL_MEAN) {
        TG_TRY(tgi_kernel_get(dx->dev, "pool", "pool_mean_bwd", options, &kernel));
        TG_TRY(tgi_kernel_run(kernel, range_of(dx->dims),
                              TGI_ARGS(tgi_buffer(dy), tgi_int(dx->dims.h), tgi_int(dx->dims.w),
                                       tgi_int(dims.h), tgi_int(dims.w), tgi_buffer(dx))));
    } else {
        if (!choice)
            return tg_fail(TG_ERR_ARGUMENT,
                           "pool: max pooling needs the choice of its forward pass");
        TG_TRY(tgi_op_expect("pool: choice", dx, dims, choice));
        TG_TRY(tgi_kernel_get(dx->dev, "pool", "pool_max_bwd", options, &kernel));
        TG_TRY(tgi_kernel_run(kernel, range_of(dx->dims),
                              TGI_ARGS(tgi_buffer(choice), tgi_buffer(dy), tgi_int(dx->dims.h),
                                       tgi_int(dx->dims.w), tgi_int(dims.h), tgi_int(dims.w),
                                       tgi_buffer(dx))));
    }
    tgi_tensor_touch(dx);
cleanup:
    return status;
}

tg_status tg_pool_gather(const tg_tensor *choice, const tg_tensor *t, tg_tensor *out)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    size_t n_planes = tgi_plane_count(t), out_plane = tgi_plane_size(choice);

    TG_TRY(tgi_op_expect("pool: choice", t,
                         (tg_dims){t->dims.n, t->dims.c, choice->dims.h, choice->dims.w}, choice));
    TG_TRY(tgi_op_same_dims("pool: out", choice, out));
    TG_TRY(tgi_kernel_get(t->dev, "pool", "pool_gather", "", &kernel));
    TG_TRY(
        tgi_kernel_run(kernel, TGI_RANGE2(out_plane, n_planes),
                       TGI_ARGS(tgi_buffer(choice), tgi_buffer(t), tgi_int(n_planes),
                                tgi_int(tgi_plane_size(t)), tgi_int(out_plane), tgi_buffer(out))));
    tgi_tensor_touch(out);
cleanup:
    return status;
}

/* One line a member of tg_plane_pool, in its order. */
static const char *const plane_forward[] = {[TG_PLANE_LME] = "plane_lme_fwd",
                                            [TG_PLANE_MAX] = "plane_max_fwd",
                                            [TG_PLANE_MEAN] = "plane_mean_fwd"};

static tg_status check_planes(tg_plane_pool kind, const tg_tensor *x, const tg_tensor *y,
                              const char *what)
{
    if ((size_t)kind >= TG_COUNT(plane_forward))
        return tg_fail(TG_ERR_ARGUMENT, "plane pool: there is no kind %d", (int)kind);
    return tgi_op_expect(what, x, (tg_dims){x->dims.n, x->dims.c, 1, 1}, y);
}

tg_status tg_plane_pool_forward(tg_plane_pool kind, const tg_tensor *x, tg_tensor *y)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(check_planes(kind, x, y, "plane pool: y"));
    TG_TRY(
        tgi_kernel_get(x->dev, "pool", plane_forward[kind], tgi_reduce_options(x->dev), &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(1, tgi_plane_count(x)),
                          TGI_ARGS(tgi_buffer(x), tgi_int(tgi_plane_size(x)), tgi_buffer(y))));
    tgi_tensor_touch(y);
cleanup:
    return status;
}

tg_status tg_plane_pool_backward(tg_plane_pool kind, const tg_tensor *x, const tg_tensor *y,
                                 const tg_tensor *dy, tg_tensor *dx)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    size_t n_planes = tgi_plane_count(x), plane = tgi_plane_size(x);

    TG_TRY(check_planes(kind, x, y, "plane pool: y"));
    TG_TRY(check_planes(kind, x, dy, "plane pool: dy"));
    if (!dx)
        return TG_OK;
    TG_TRY(tgi_op_same_dims("plane pool: dx", x, dx));
    if (kind == TG_PLANE_MAX) {
        TG_TRY(
            tgi_kernel_get(x->dev, "pool", "plane_max_bwd", tgi_reduce_options(x->dev), &kernel));
        TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(1, n_planes),
                              TGI_ARGS(tgi_buffer(x), tgi_buffer(y), tgi_buffer(dy), tgi_int(plane),
                                       tgi_buffer(dx))));
    } else if (kind == TG_PLANE_LME) {
        TG_TRY(tgi_kernel_get(x->dev, "pool", "plane_lme_bwd", "", &kernel));
        TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(tgi_quads(plane), n_planes),
                              TGI_ARGS(tgi_buffer(x), tgi_buffer(y), tgi_buffer(dy),
                                       tgi_int(n_planes), tgi_int(plane), tgi_buffer(dx))));
    } else {
        TG_TRY(tgi_kernel_get(x->dev, "pool", "plane_mean_bwd", "", &kernel));
        TG_TRY(tgi_kernel_run(
            kernel, TGI_RANGE2(tgi_quads(plane), n_planes),
            TGI_ARGS(tgi_buffer(dy), tgi_int(n_planes), tgi_int(plane), tgi_buffer(dx))));
    }
    tgi_tensor_touch(dx);
cleanup:
    return status;
}

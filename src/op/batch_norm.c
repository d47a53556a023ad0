/* batch_norm.c -- host side of cl/batch_norm.cl: planes, then channels, then planes again. */
#include "config.h"
#include "op/norm.h"

#include "base/banned.h"

/* The vectors of a call, each [1,C,1,1] or NULL. */
static tg_status check_vectors(const tg_tensor *x, const tg_tensor *const *vectors, size_t n)
{
    tg_status status = TG_OK;

    for (size_t i = 0; i < n && status == TG_OK; i++)
        status = tgi_norm_expect_vector("batch norm: a vector", x, vectors[i]);
    return status;
}

static tg_status apply(const tg_tensor *x, const tg_tensor *gamma, const tg_tensor *beta,
                       const tg_tensor *mu, const tg_tensor *spread, bool is_variance, float eps,
                       tg_tensor *y)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    size_t group;
    const char *options = tgi_norm_options(x, &group);

    TG_TRY(tgi_kernel_get(x->dev, "batch_norm", "batch_norm_apply", options, &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(group, tgi_plane_count(x)),
                          TGI_ARGS(tgi_buffer(x), tgi_optional(gamma), tgi_optional(beta),
                                   tgi_buffer(mu), tgi_buffer(spread), tgi_int(is_variance),
                                   tgi_int(x->dims.c), tgi_int(tgi_plane_size(x)), tgi_float(eps),
                                   tgi_buffer(y))));
cleanup:
    return status;
}

tg_status tg_batch_norm_forward_train(const tg_tensor *x, const tg_tensor *gamma,
                                      const tg_tensor *beta, float eps, float momentum,
                                      tg_tensor *running_mean, tg_tensor *running_var, tg_tensor *y,
                                      tg_tensor *mu, tg_tensor *rstd)
{
    tg_status status = TG_OK;
    const tg_tensor *const vectors[] = {gamma, beta, running_mean, running_var, mu, rstd};
    tg_tensor *moments = NULL;
    tgi_kernel *kernel;
    size_t group, plane = tgi_plane_size(x), count = x->dims.n * plane;
    const char *options = tgi_norm_options(x, &group);

    TG_TRY(check_vectors(x, vectors, TG_COUNT(vectors)));
    TG_TRY(tgi_op_same_dims("batch norm: y", x, y));
    if (count < 2)
        return tg_fail(
            TG_ERR_SHAPE,
            "batch norm: training needs more than one value a channel; x is %zu x %zu x %zu x %zu",
            x->dims.n, x->dims.c, x->dims.h, x->dims.w);
    TG_TRY(tg_tensor_new(x->dev, (tg_dims){2, x->dims.n, x->dims.c, 1}, &moments));
    TG_TRY(tgi_kernel_get(x->dev, "batch_norm", "batch_norm_moments", options, &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(group, tgi_plane_count(x)),
                          TGI_ARGS(tgi_buffer(x), tgi_int(plane), tgi_buffer(moments))));
    TG_TRY(tgi_kernel_get(x->dev, "batch_norm", "batch_norm_channels", options, &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1(x->dims.c),
                          TGI_ARGS(tgi_buffer(moments), tgi_int(x->dims.n), tgi_int(x->dims.c),
                                   tgi_int(plane), tgi_float(eps), tgi_float(momentum),
                                   tgi_float((double)count / (double)(count - 1)),
                                   tgi_buffer(running_mean), tgi_buffer(running_var),
                                   tgi_buffer(mu), tgi_buffer(rstd))));
    TG_TRY(apply(x, gamma, beta, mu, rstd, false, eps, y));
cleanup:
    tg_tensor_free(moments);
    return status;
}

tg_status tg_batch_norm_forward_eval(const tg_tensor *x, const tg_tensor *gamma,
                                     const tg_tensor *beta, float eps,
                                     const tg_tensor *running_mean, const tg_tensor *running_var,
                                     tg_tensor *y)
{
    tg_status status = TG_OK;
    const tg_tensor *const vectors[] = {gamma, beta, running_mean, running_var};

    TG_TRY(check_vectors(x, vectors, TG_COUNT(vectors)));
    TG_TRY(tgi_op_same_dims("batch norm: y", x, y));
    TG_TRY(apply(x, gamma, beta, running_mean, running_var, true, eps, y));
cleanup:
    return status;
}

tg_status tg_batch_norm_backward(const tg_tensor *x, const tg_tensor *gamma, const tg_tensor *mu,
                                 const tg_tensor *rstd, const tg_tensor *dy, tg_tensor *dx,
                                 tg_tensor *dgamma, tg_tensor *dbeta)
{
    tg_status status = TG_OK;
    const tg_tensor *const vectors[] = {gamma, mu, rstd, dgamma, dbeta};
    tg_tensor *sums = NULL;
    tgi_kernel *kernel;
    size_t group, plane = tgi_plane_size(x);
    const char *options = tgi_norm_options(x, &group);

    TG_TRY(check_vectors(x, vectors, TG_COUNT(vectors)));
    TG_TRY(tgi_op_same_dims("batch norm: dy", x, dy));
    if (dx)
        TG_TRY(tgi_op_same_dims("batch norm: dx", x, dx));
    TG_TRY(tg_tensor_new(x->dev, (tg_dims){2, x->dims.n, x->dims.c, 1}, &sums));
    TG_TRY(tgi_kernel_get(x->dev, "batch_norm", "batch_norm_bwd_sums", options, &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(group, tgi_plane_count(x)),
                          TGI_ARGS(tgi_buffer(x), tgi_buffer(mu), tgi_buffer(rstd), tgi_buffer(dy),
                                   tgi_int(x->dims.c), tgi_int(plane), tgi_buffer(sums))));
    TG_TRY(tgi_kernel_get(x->dev, "batch_norm", "batch_norm_bwd_channels", options, &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1(x->dims.c),
                          TGI_ARGS(tgi_int(x->dims.n), tgi_int(x->dims.c), tgi_buffer(sums),
                                   tgi_optional(dgamma), tgi_optional(dbeta))));
    if (dx) {
        TG_TRY(tgi_kernel_get(x->dev, "batch_norm", "batch_norm_bwd_apply", options, &kernel));
        TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(group, tgi_plane_count(x)),
                              TGI_ARGS(tgi_buffer(x), tgi_optional(gamma), tgi_buffer(mu),
                                       tgi_buffer(rstd), tgi_buffer(dy), tgi_buffer(sums),
                                       tgi_int(x->dims.c), tgi_int(plane),
                                       tgi_float((double)(x->dims.n * plane)), tgi_buffer(dx))));
    }
cleanup:
    tg_tensor_free(sums);
    return status;
}

/* instance_norm.c -- host side of cl/instance_norm.cl. */
#include "config.h"
#include "op/norm.h"

#include <stdio.h>

#include "base/banned.h"

const char *tgi_norm_options(const tg_tensor *x, size_t *group)
{
    size_t plane = tgi_plane_size(x);

    if (tgi_is_cpu_family(x->dev)) {
        *group = 1;
        return "-DWG=1 -DLANES=16";
    }
    /* A float4 to an item, and a few rounds of it: small planes leave no item idle, large ones fill a processor. */
    *group = plane <= 256 ? 16 : plane <= 4096 ? 64 : 256;
    return plane <= 256    ? "-DWG=16 -DLANES=4" TGI_SUBGROUPS
           : plane <= 4096 ? "-DWG=64 -DLANES=4" TGI_SUBGROUPS
                           : "-DWG=256 -DLANES=4" TGI_SUBGROUPS;
}

tg_status tgi_norm_expect_vector(const char *what, const tg_tensor *x, const tg_tensor *vector)
{
    return vector ? tgi_op_expect(what, x, (tg_dims){1, x->dims.c, 1, 1}, vector) : TG_OK;
}

/* The norm's options, and whether a ReLU stands behind it and gradients are added: both are known when the program is built. */
static void options_with(const char *norm, float slope, tgi_write write, char *options, size_t size)
{
    snprintf(options, size, "%s%s%s", norm, slope == 1.0f ? "" : " -DHAS_RELU",
             write == TGI_SET ? " -DSETS_DX" : "");
}

tg_status tgi_instance_norm_forward(const tg_tensor *x, const tg_tensor *gamma,
                                    const tg_tensor *beta, float eps, float slope, tg_tensor *y,
                                    tg_tensor *mu, tg_tensor *rstd)
{
    tg_status status = TG_OK;
    const tg_dims planes = {x->dims.n, x->dims.c, 1, 1};
    tgi_kernel *kernel;
    size_t group;
    char options[96];

    options_with(tgi_norm_options(x, &group), slope, TGI_ADD, options, sizeof options);
    if (!gamma != !beta)
        return tg_fail(TG_ERR_ARGUMENT,
                       "instance norm: gamma and beta come together or not at all");
    TG_TRY(tgi_norm_expect_vector("instance norm: gamma", x, gamma));
    TG_TRY(tgi_norm_expect_vector("instance norm: beta", x, beta));
    TG_TRY(tgi_op_same_dims("instance norm: y", x, y));
    if (mu)
        TG_TRY(tgi_op_expect("instance norm: mu", x, planes, mu));
    if (rstd)
        TG_TRY(tgi_op_expect("instance norm: rstd", x, planes, rstd));
    TG_TRY(tgi_kernel_get(x->dev, "instance_norm", "instance_norm_fwd", options, &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(group, tgi_plane_count(x)),
                          TGI_ARGS(tgi_buffer(x), tgi_optional(gamma), tgi_optional(beta),
                                   tgi_int(x->dims.c), tgi_int(tgi_plane_size(x)), tgi_float(eps),
                                   tgi_float(slope), tgi_buffer(y), tgi_optional(mu),
                                   tgi_optional(rstd))));
cleanup:
    return status;
}

tg_status tg_instance_norm_forward(const tg_tensor *x, const tg_tensor *gamma,
                                   const tg_tensor *beta, float eps, tg_tensor *y, tg_tensor *mu,
                                   tg_tensor *rstd)
{
    return tgi_instance_norm_forward(x, gamma, beta, eps, 1, y, mu, rstd);
}

tg_status tgi_instance_norm_backward(const tg_tensor *x, const tg_tensor *gamma,
                                     const tg_tensor *beta, float slope, const tg_tensor *mu,
                                     const tg_tensor *rstd, const tg_tensor *dy, tgi_write write,
                                     tg_tensor *dx, tg_tensor *dgamma, tg_tensor *dbeta)
{
    tg_status status = TG_OK;
    const tg_dims planes = {x->dims.n, x->dims.c, 1, 1};
    tg_tensor *sums = NULL;
    tgi_kernel *kernel;
    size_t group;
    char options[96];

    options_with(tgi_norm_options(x, &group), slope, write, options, sizeof options);
    TG_TRY(tgi_norm_expect_vector("instance norm: gamma", x, gamma));
    TG_TRY(tgi_norm_expect_vector("instance norm: beta", x, beta));
    TG_TRY(tgi_op_expect("instance norm: mu", x, planes, mu));
    TG_TRY(tgi_op_expect("instance norm: rstd", x, planes, rstd));
    TG_TRY(tgi_op_same_dims("instance norm: dy", x, dy));
    if (dx)
        TG_TRY(tgi_op_same_dims("instance norm: dx", x, dx));
    TG_TRY(tgi_norm_expect_vector("instance norm: dgamma", x, dgamma));
    TG_TRY(tgi_norm_expect_vector("instance norm: dbeta", x, dbeta));
    if (dgamma || dbeta)
        TG_TRY(tg_tensor_new(x->dev, (tg_dims){2, x->dims.n, x->dims.c, 1}, &sums));
    TG_TRY(tgi_kernel_get(x->dev, "instance_norm", "instance_norm_bwd", options, &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(group, tgi_plane_count(x)),
                          TGI_ARGS(tgi_buffer(x), tgi_optional(gamma), tgi_optional(beta),
                                   tgi_buffer(mu), tgi_buffer(rstd), tgi_buffer(dy),
                                   tgi_int(x->dims.c), tgi_int(tgi_plane_size(x)), tgi_float(slope),
                                   tgi_optional(sums), tgi_optional(dx))));
    if (sums) {
        TG_TRY(tgi_kernel_get(x->dev, "instance_norm", "instance_norm_bwd_channels", options,
                              &kernel));
        TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1(x->dims.c),
                              TGI_ARGS(tgi_buffer(sums), tgi_int(x->dims.n), tgi_int(x->dims.c),
                                       tgi_optional(dgamma), tgi_optional(dbeta))));
    }
cleanup:
    tg_tensor_free(sums);
    return status;
}

tg_status tg_instance_norm_backward(const tg_tensor *x, const tg_tensor *gamma, const tg_tensor *mu,
                                    const tg_tensor *rstd, const tg_tensor *dy, tg_tensor *dx,
                                    tg_tensor *dgamma, tg_tensor *dbeta)
{
    return tgi_instance_norm_backward(x, gamma, NULL, 1, mu, rstd, dy, TGI_ADD, dx, dgamma, dbeta);
}

/* optimizer.c -- optimisers, clipping and the moving average on one block: host side of cl/optimizer.cl. */
#include "config.h"
#include "op/reduce.h"

#include <math.h>

#include "base/banned.h"

/* One launch over the n values of p; p's packed forms are out of date afterwards. */
static tg_status run_over(tg_tensor *p, const char *name, const tgi_arg *args, size_t n_args)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    size_t width = tgi_reduce_lanes(p->dev);

    TG_TRY(tgi_kernel_get(p->dev, "optimizer", name, tgi_reduce_options(p->dev), &kernel));
    TG_TRY(
        tgi_kernel_run(kernel, TGI_RANGE1((tg_tensor_count(p) + width - 1) / width), args, n_args));
    tgi_tensor_touch(p);
cleanup:
    return status;
}

tg_status tg_adam_step(const tg_tensor *g, const tg_adam_opts *opts, tg_tensor *p, tg_tensor *m,
                       tg_tensor *v)
{
    return tgi_adam_step(g, NULL, opts, p, m, v);
}

tg_status tgi_adam_step(const tg_tensor *g, const tg_tensor *factor, const tg_adam_opts *opts,
                        tg_tensor *p, tg_tensor *m, tg_tensor *v)
{
    tg_status status = TG_OK;
    double beta1 = opts->beta1, beta2 = opts->beta2;

    TG_TRY(tgi_op_same_dims("adam: g", p, g));
    TG_TRY(tgi_op_same_dims("adam: m", p, m));
    TG_TRY(tgi_op_same_dims("adam: v", p, v));
    if (opts->t < 1 || beta1 < 0 || beta1 >= 1 || beta2 < 0 || beta2 >= 1)
        return tg_fail(
            TG_ERR_ARGUMENT,
            "adam: step %zu with betas %g and %g; steps count from 1, betas lie in [0,1)", opts->t,
            beta1, beta2);
    double step = opts->lr / (1 - pow(beta1, (double)opts->t));
    double correction = 1 / sqrt(1 - pow(beta2, (double)opts->t));
    TG_TRY(run_over(p, "adam",
                    TGI_ARGS(tgi_buffer(g), tgi_optional(factor), tgi_int(tg_tensor_count(p)),
                             tgi_float(beta1), tgi_float(1 - beta1), tgi_float(beta2),
                             tgi_float(1 - beta2), tgi_float(step), tgi_float(correction),
                             tgi_float(opts->eps), tgi_buffer(p), tgi_buffer(m), tgi_buffer(v))));
cleanup:
    return status;
}

tg_status tg_rmsprop_step(const tg_tensor *g, float lr, float alpha, float eps, tg_tensor *p,
                          tg_tensor *v)
{
    return tgi_rmsprop_step(g, NULL, lr, alpha, eps, p, v);
}

tg_status tgi_rmsprop_step(const tg_tensor *g, const tg_tensor *factor, float lr, float alpha,
                           float eps, tg_tensor *p, tg_tensor *v)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_op_same_dims("rmsprop: g", p, g));
    TG_TRY(tgi_op_same_dims("rmsprop: v", p, v));
    TG_TRY(run_over(p, "rmsprop",
                    TGI_ARGS(tgi_buffer(g), tgi_optional(factor), tgi_int(tg_tensor_count(p)),
                             tgi_float(alpha), tgi_float(1 - (double)alpha), tgi_float(lr),
                             tgi_float(eps), tgi_buffer(p), tgi_buffer(v))));
cleanup:
    return status;
}

tg_status tg_sgd_step(const tg_tensor *g, float lr, tg_tensor *p)
{
    return tgi_sgd_step(g, NULL, lr, p);
}

tg_status tgi_sgd_step(const tg_tensor *g, const tg_tensor *factor, float lr, tg_tensor *p)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_op_same_dims("sgd: g", p, g));
    TG_TRY(run_over(p, "sgd",
                    TGI_ARGS(tgi_buffer(g), tgi_optional(factor), tgi_int(tg_tensor_count(p)),
                             tgi_float(lr), tgi_buffer(p))));
cleanup:
    return status;
}

tg_status tg_clip_weights(float limit, tg_tensor *p)
{
    if (!(limit >= 0))
        return tg_fail(TG_ERR_ARGUMENT, "clip weights: the limit %g is not 0 or more",
                       (double)limit);
    return run_over(p, "clip_weights",
                    TGI_ARGS(tgi_int(tg_tensor_count(p)), tgi_float(limit), tgi_buffer(p)));
}

tg_status tg_ema_step(const tg_tensor *p, float decay, tg_tensor *average)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_op_same_dims("moving average: p", average, p));
    TG_TRY(run_over(average, "ema",
                    TGI_ARGS(tgi_buffer(p), tgi_int(tg_tensor_count(p)), tgi_float(decay),
                             tgi_float(1 - (double)decay), tgi_buffer(average))));
cleanup:
    return status;
}

tg_status tg_clip_norm(float limit, tg_tensor *g, tg_scalar norm)
{
    tg_status status = TG_OK;
    tg_tensor *factor = NULL;

    TG_TRY(tg_tensor_new(g->dev, (tg_dims){1, 1, 1, 1}, &factor));
    TG_TRY(tgi_clip_scaled(&(tgi_clip_opts){.limit = limit, .scale = 1, .norm = norm}, g, factor));
cleanup:
    tg_tensor_free(factor);
    return status;
}

tg_status tgi_clip_scaled(const tgi_clip_opts *opts, tg_tensor *g, tg_tensor *factor)
{
    tg_status status = TG_OK;
    tg_device *dev = g->dev;
    tg_tensor *partials = NULL;
    tgi_kernel *kernel;
    int skipped_at = opts->skipped.tensor ? (int)opts->skipped.index : -1;

    if (!(opts->limit >= 0))
        return tg_fail(TG_ERR_ARGUMENT, "clip norm: the limit %g is not 0 or more",
                       (double)opts->limit);
    TG_TRY(tgi_slot_check("clip norm", dev, opts->norm));
    TG_TRY(tgi_slot_check("clip norm: skipped", dev, opts->skipped));
    if (opts->skipped.tensor && opts->skipped.tensor != opts->norm.tensor)
        return tg_fail(TG_ERR_ARGUMENT, "clip norm: both slots are of one tensor");
    TG_TRY(tgi_op_expect("clip norm: factor", g, (tg_dims){1, 1, 1, 1}, factor));
    TG_TRY(tgi_reduce_products(g, g, 1, &partials));
    TG_TRY(tgi_kernel_get(dev, "optimizer", "clip_factor", tgi_reduce_options(dev), &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1(tgi_reduce_group(dev)),
                          TGI_ARGS(tgi_buffer(partials), tgi_int(tg_tensor_count(partials)),
                                   tgi_float(opts->limit), tgi_float(1 / (double)opts->scale),
                                   tgi_int(opts->norm.index), tgi_int(skipped_at),
                                   tgi_buffer(factor), tgi_optional(opts->norm.tensor))));
    TG_TRY(run_over(g, "clip_scale",
                    TGI_ARGS(tgi_buffer(factor), tgi_int(tg_tensor_count(g)), tgi_buffer(g))));
cleanup:
    tg_tensor_free(partials);
    return status;
}

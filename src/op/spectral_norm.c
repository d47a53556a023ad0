/* spectral_norm.c -- host side of cl/spectral_norm.cl: one power iteration, then the division. */
#include "config.h"
#include "op/reduce.h"

#include "base/banned.h"

static tg_status get(const tg_tensor *w, const char *name, tgi_kernel **kernel)
{
    return tgi_kernel_get(w->dev, "spectral_norm", name, tgi_reduce_options(w->dev), kernel);
}

static size_t columns_of(const tg_tensor *w)
{
    return tg_tensor_count(w) / w->dims.n;
}

static tg_status check(const tg_tensor *w, const tg_tensor *u, const tg_tensor *v,
                       const tg_tensor *sigma)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_op_expect("spectral norm: u", w, (tg_dims){1, w->dims.n, 1, 1}, u));
    TG_TRY(tgi_op_expect("spectral norm: v", w, (tg_dims){1, columns_of(w), 1, 1}, v));
    TG_TRY(tgi_op_expect("spectral norm: sigma", w, (tg_dims){1, 1, 1, 1}, sigma));
cleanup:
    return status;
}

/* out = t / |t|. */
static tg_status unit(const tg_tensor *t, tg_tensor *out)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(get(t, "spectral_norm_unit", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1(tgi_reduce_group(t->dev)),
                          TGI_ARGS(tgi_buffer(t), tgi_int(tg_tensor_count(t)), tgi_buffer(out))));
cleanup:
    return status;
}

/* v = W'u / |W'u|. */
static tg_status next_v(const tg_tensor *w, const tg_tensor *u, tg_tensor *v)
{
    tg_status status = TG_OK;
    tg_tensor *t = NULL;
    tgi_kernel *kernel;
    size_t n_columns = columns_of(w), lanes = tgi_reduce_lanes(w->dev);

    TG_TRY(tg_tensor_new(w->dev, v->dims, &t));
    TG_TRY(get(w, "spectral_norm_columns", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1((n_columns + lanes - 1) / lanes),
                          TGI_ARGS(tgi_buffer(w), tgi_buffer(u), tgi_int(w->dims.n),
                                   tgi_int(n_columns), tgi_buffer(t))));
    TG_TRY(unit(t, v));
cleanup:
    tg_tensor_free(t);
    return status;
}

tg_status tg_spectral_norm_forward(const tg_tensor *w, bool iterate, tg_tensor *u, tg_tensor *v,
                                   tg_tensor *sigma, tg_tensor *w_sn)
{
    tg_status status = TG_OK;
    tg_tensor *t = NULL;
    tgi_kernel *kernel;
    tg_device *dev = w->dev;
    size_t n = tg_tensor_count(w), lanes = tgi_reduce_lanes(dev), group = tgi_reduce_group(dev);

    TG_TRY(check(w, u, v, sigma));
    TG_TRY(tgi_op_same_dims("spectral norm: w_sn", w, w_sn));
    TG_TRY(tg_tensor_new(dev, u->dims, &t));
    if (iterate)
        TG_TRY(next_v(w, u, v));
    TG_TRY(get(w, "spectral_norm_rows", &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE2(group, w->dims.n),
        TGI_ARGS(tgi_buffer(w), tgi_buffer(v), tgi_int(columns_of(w)), tgi_buffer(t))));
    if (iterate)
        TG_TRY(unit(t, u));
    TG_TRY(get(w, "spectral_norm_sigma", &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE1(group),
        TGI_ARGS(tgi_buffer(u), tgi_buffer(t), tgi_int(w->dims.n), tgi_buffer(sigma))));
    TG_TRY(get(w, "spectral_norm_divide", &kernel));
    TG_TRY(
        tgi_kernel_run(kernel, TGI_RANGE1((n + lanes - 1) / lanes),
                       TGI_ARGS(tgi_buffer(w), tgi_buffer(sigma), tgi_int(n), tgi_buffer(w_sn))));
    tgi_tensor_touch(w_sn);
cleanup:
    tg_tensor_free(t);
    return status;
}

tg_status tg_spectral_norm_backward(const tg_tensor *w_sn, const tg_tensor *u, const tg_tensor *v,
                                    const tg_tensor *sigma, const tg_tensor *dw_sn, tg_tensor *dw)
{
    tg_status status = TG_OK;
    tg_tensor *partials = NULL, *dot = NULL;
    tgi_kernel *kernel;
    tg_device *dev = w_sn->dev;

    TG_TRY(check(w_sn, u, v, sigma));
    TG_TRY(tgi_op_same_dims("spectral norm: dw_sn", w_sn, dw_sn));
    TG_TRY(tgi_op_same_dims("spectral norm: dw", w_sn, dw));
    TG_TRY(tg_tensor_new(dev, (tg_dims){1, 1, 1, 1}, &dot));
    TG_TRY(tgi_reduce_products(dw_sn, w_sn, 1, &partials));
    TG_TRY(tgi_reduce_finish(partials, 1, (tg_scalar){dot, 0}));
    TG_TRY(get(w_sn, "spectral_norm_bwd", &kernel));
    TG_TRY(
        tgi_kernel_run(kernel, TGI_RANGE2(tgi_reduce_group(dev), w_sn->dims.n),
                       TGI_ARGS(tgi_buffer(u), tgi_buffer(v), tgi_buffer(sigma), tgi_buffer(dw_sn),
                                tgi_buffer(dot), tgi_int(columns_of(w_sn)), tgi_buffer(dw))));
cleanup:
    tg_tensor_free(partials);
    tg_tensor_free(dot);
    return status;
}

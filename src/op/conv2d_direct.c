/* conv2d_direct.c -- the plain algorithm (cl/conv2d.cl): every shape on every device. */
#include "config.h"
#include "op/conv2d.h"

#include "base/banned.h"

/* A bias that is absent still needs a buffer to pass; any will do. */
#define SIZES(conv)                                                                                \
    tgi_int((conv)->c), tgi_int((conv)->h), tgi_int((conv)->w), tgi_int((conv)->k),                \
        tgi_int((conv)->p), tgi_int((conv)->q), tgi_int((conv)->r), tgi_int((conv)->s),            \
        tgi_int((conv)->stride), tgi_int((conv)->pad), tgi_int((conv)->is_reflected)

static tg_status gather(const tgi_conv *conv, const tg_tensor *x, tg_tensor *w, const tg_tensor *b,
                        bool add, tg_tensor *y)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(x->dev, "conv2d", "conv2d_gather", "", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE3(conv->q, conv->p, conv->n * conv->k),
                          TGI_ARGS(tgi_buffer(x), tgi_buffer(w), tgi_buffer(b ? b : w),
                                   tgi_int(b != NULL), SIZES(conv), tgi_int(add), tgi_buffer(y))));
cleanup:
    return status;
}

static tg_status scatter(const tgi_conv *conv, const tg_tensor *y, tg_tensor *w, const tg_tensor *b,
                         bool add, tg_tensor *x)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(x->dev, "conv2d", "conv2d_scatter", "", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE3(conv->w, conv->h, conv->n * conv->c),
                          TGI_ARGS(tgi_buffer(y), tgi_buffer(w), tgi_buffer(b ? b : w),
                                   tgi_int(b != NULL), SIZES(conv), tgi_int(add), tgi_buffer(x))));
cleanup:
    return status;
}

static tg_status weights(const tgi_conv *conv, const tg_tensor *x, const tg_tensor *y,
                         tg_tensor *dw)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(x->dev, "conv2d", "conv2d_weights", "", &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE3(conv->r * conv->s, conv->c, conv->k),
        TGI_ARGS(tgi_buffer(x), tgi_buffer(y), tgi_int(conv->n), SIZES(conv), tgi_buffer(dw))));
cleanup:
    return status;
}

static bool applies(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    TG_UNUSED(dev);
    TG_UNUSED(conv);
    TG_UNUSED(pass);
    return true;
}

const tgi_conv_algorithm tgi_conv_direct = {.id = TG_CONV_DIRECT,
                                            .name = "direct",
                                            .gather = gather,
                                            .scatter = scatter,
                                            .weights = weights,
                                            .applies = applies,
                                            .suits = applies};

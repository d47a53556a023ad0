/* conv2d_matmul.c -- convolution as im2col and CLBlast's Sgemm, an image at a time (cl/conv2d_matmul.cl has the copies). */
#include "config.h"
#include "op/conv2d.h"
#include "op/op.h"
#include "op/sgemm.h"

#include "base/banned.h"

#define IMAGE_SIZES(conv)                                                                          \
    tgi_int((conv)->c), tgi_int((conv)->h), tgi_int((conv)->w), tgi_int((conv)->p),                \
        tgi_int((conv)->q), tgi_int((conv)->r), tgi_int((conv)->s), tgi_int((conv)->stride),       \
        tgi_int((conv)->pad), tgi_int((conv)->is_reflected)

static tg_status new_columns(const tgi_conv *conv, tg_device *dev, tg_tensor **out)
{
    return tg_tensor_new(dev, (tg_dims){1, conv->c * conv->r * conv->s, conv->p, conv->q}, out);
}

static tg_status im2col(const tgi_conv *conv, const tg_tensor *x, size_t image, tg_tensor *columns)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(x->dev, "conv2d_matmul", "im2col", "", &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE3(conv->q, conv->p, conv->c * conv->r * conv->s),
        TGI_ARGS(tgi_buffer(x), tgi_int(image), IMAGE_SIZES(conv), tgi_buffer(columns))));
cleanup:
    return status;
}

static tg_status gather(const tgi_conv *conv, const tg_tensor *x, tg_tensor *w, const tg_tensor *b,
                        bool add, tg_tensor *y)
{
    tg_status status = TG_OK;
    tg_tensor *columns = NULL;
    tgi_kernel *start;
    size_t plane = conv->p * conv->q, taps = conv->c * conv->r * conv->s;

    TG_TRY(new_columns(conv, x->dev, &columns));
    if (b) {
        TG_TRY(tgi_kernel_get(x->dev, "conv2d_matmul", "start_from_bias", "", &start));
        TG_TRY(tgi_kernel_run(
            start, TGI_RANGE2(plane, conv->n * conv->k),
            TGI_ARGS(tgi_buffer(b), tgi_int(conv->k), tgi_int(plane), tgi_buffer(y))));
    }
    for (size_t i = 0; i < conv->n; i++) {
        const tgi_product forward = {.m = conv->k,
                                     .n = plane,
                                     .k = taps,
                                     .a = w,
                                     .b = columns,
                                     .beta = add || b ? 1 : 0,
                                     .c = y,
                                     .c_offset = i * conv->k * plane};

        TG_TRY(im2col(conv, x, i, columns));
        TG_TRY(tgi_sgemm(&forward));
    }
cleanup:
    tg_tensor_free(columns);
    return status;
}

static tg_status scatter(const tgi_conv *conv, const tg_tensor *y, tg_tensor *w, const tg_tensor *b,
                         bool add, tg_tensor *x)
{
    tg_status status = TG_OK;
    tg_tensor *columns = NULL;
    tgi_kernel *fold;
    size_t plane = conv->p * conv->q, taps = conv->c * conv->r * conv->s;

    TG_TRY(new_columns(conv, y->dev, &columns));
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_matmul", "col2im", "", &fold));
    for (size_t i = 0; i < conv->n; i++) {
        const tgi_product backward = {.m = taps,
                                      .n = plane,
                                      .k = conv->k,
                                      .a = w,
                                      .a_transposed = true,
                                      .b = y,
                                      .b_offset = i * conv->k * plane,
                                      .c = columns};

        TG_TRY(tgi_sgemm(&backward));
        TG_TRY(tgi_kernel_run(fold, TGI_RANGE3(conv->w, conv->h, conv->c),
                              TGI_ARGS(tgi_buffer(columns), tgi_int(i), IMAGE_SIZES(conv),
                                       tgi_buffer(b ? b : w), tgi_int(b != NULL), tgi_int(add),
                                       tgi_buffer(x))));
    }
cleanup:
    tg_tensor_free(columns);
    return status;
}

static tg_status weights(const tgi_conv *conv, const tg_tensor *x, const tg_tensor *y,
                         tg_tensor *dw)
{
    tg_status status = TG_OK;
    tg_tensor *columns = NULL;
    size_t plane = conv->p * conv->q, taps = conv->c * conv->r * conv->s;

    TG_TRY(new_columns(conv, x->dev, &columns));
    for (size_t i = 0; i < conv->n; i++) {
        const tgi_product gradient = {.m = conv->k,
                                      .n = taps,
                                      .k = plane,
                                      .a = y,
                                      .a_offset = i * conv->k * plane,
                                      .b = columns,
                                      .b_transposed = true,
                                      .beta = 1,
                                      .c = dw};

        TG_TRY(im2col(conv, x, i, columns));
        TG_TRY(tgi_sgemm(&gradient));
    }
cleanup:
    tg_tensor_free(columns);
    return status;
}

static bool applies(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    TG_UNUSED(dev);
    TG_UNUSED(conv);
    TG_UNUSED(pass);
    return true;
}

/* On graphics cards that cannot take the implicit product (work-groups or local memory too small), for layers worth a product. */
static bool suits(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    return !tgi_is_cpu_family(dev) && !tgi_conv_implicit.applies(dev, conv, pass) &&
           conv->c * conv->r * conv->s >= 64 && conv->k >= 16 && conv->p * conv->q >= 64;
}

static tgi_proof prove(tg_device *dev, const tgi_conv *conv)
{
    TG_UNUSED(conv);
    return tgi_sgemm_prove(dev);
}

const tgi_conv_algorithm tgi_conv_matmul = {.id = TG_CONV_MATMUL,
                                            .name = "matmul",
                                            .gather = gather,
                                            .scatter = scatter,
                                            .weights = weights,
                                            .applies = applies,
                                            .suits = suits,
                                            .prove = prove};

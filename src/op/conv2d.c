/* conv2d.c -- convolution and transposed convolution: checks shapes, chooses the algorithm, runs it. */
#include "config.h"
#include "op/conv2d.h"
#include "op/op.h"
#include "op/tune.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

tg_status tg_conv2d_output(tg_dims x, tg_dims w, const tg_conv2d_geom *geom, tg_dims *y)
{
    if (!geom->stride || geom->stride > 16 || geom->pad > 4096)
        return tg_fail(TG_ERR_ARGUMENT, "conv2d: stride %zu, padding %zu", geom->stride, geom->pad);
    if (x.c != w.c)
        return tg_fail(TG_ERR_SHAPE, "conv2d: weights take %zu channels, input has %zu", w.c, x.c);
    if (x.h + 2 * geom->pad < w.h || x.w + 2 * geom->pad < w.w)
        return tg_fail(TG_ERR_SHAPE,
                       "conv2d: kernel %zu x %zu is larger than the padded input %zu x %zu", w.h,
                       w.w, x.h + 2 * geom->pad, x.w + 2 * geom->pad);
    if (geom->padding == TG_PAD_REFLECT && (geom->pad >= x.h || geom->pad >= x.w))
        return tg_fail(TG_ERR_SHAPE,
                       "conv2d: reflection by %zu needs an image larger than %zu x %zu", geom->pad,
                       x.h, x.w);
    *y = (tg_dims){x.n, w.n, (x.h + 2 * geom->pad - w.h) / geom->stride + 1,
                   (x.w + 2 * geom->pad - w.w) / geom->stride + 1};
    return TG_OK;
}

tg_status tg_conv2d_transposed_output(tg_dims x, tg_dims w, const tg_conv2d_geom *geom, tg_dims *y)
{
    if (!geom->stride || geom->stride > 16 || geom->pad > 4096 || geom->output_pad >= geom->stride)
        return tg_fail(TG_ERR_ARGUMENT,
                       "conv2d_transposed: stride %zu, padding %zu, output padding %zu",
                       geom->stride, geom->pad, geom->output_pad);
    if (geom->padding != TG_PAD_ZERO)
        return tg_fail(TG_ERR_ARGUMENT, "conv2d_transposed: only zero padding exists");
    if (x.c != w.n)
        return tg_fail(TG_ERR_SHAPE, "conv2d_transposed: weights take %zu channels, input has %zu",
                       w.n, x.c);
    if ((x.h - 1) * geom->stride + w.h + geom->output_pad <= 2 * geom->pad ||
        (x.w - 1) * geom->stride + w.w + geom->output_pad <= 2 * geom->pad)
        return tg_fail(TG_ERR_SHAPE, "conv2d_transposed: padding %zu leaves nothing of %zu x %zu",
                       geom->pad, x.h, x.w);
    *y = (tg_dims){x.n, w.c, (x.h - 1) * geom->stride + w.h + geom->output_pad - 2 * geom->pad,
                   (x.w - 1) * geom->stride + w.w + geom->output_pad - 2 * geom->pad};
    return TG_OK;
}

/* The maps between image side and output side; for a transposed convolution the caller exchanges them. */
static tgi_conv describe(tg_dims image, tg_dims w, tg_dims output, const tg_conv2d_geom *geom)
{
    return (tgi_conv){.n = image.n,
                      .c = image.c,
                      .h = image.h,
                      .w = image.w,
                      .k = output.c,
                      .p = output.h,
                      .q = output.w,
                      .r = w.h,
                      .s = w.w,
                      .stride = geom->stride,
                      .pad = geom->pad,
                      .is_reflected = geom->padding == TG_PAD_REFLECT && geom->pad > 0};
}

tgi_conv_phase tgi_conv_phase_of(size_t number, size_t taps, size_t stride, size_t offset,
                                 size_t pixels)
{
    tgi_conv_phase ph = {.taps = (taps + stride - 1 - number) / stride};

    ph.first = offset > number ? (offset - number + stride - 1) / stride : 0;
    ph.y_first = stride * ph.first + number - offset;
    ph.count = ph.y_first < pixels ? (pixels - 1 - ph.y_first) / stride + 1 : 0;
    return ph;
}

tgi_conv tgi_conv_of(tg_dims x, tg_dims w, tg_dims y, const tg_conv2d_geom *geom,
                     bool is_transposed)
{
    return is_transposed ? describe(y, w, x, geom) : describe(x, w, y, geom);
}

const tgi_conv_algorithm *const tgi_conv_algorithms[] = {
    &tgi_conv_winograd,      &tgi_conv_winograd2,
    &tgi_conv_packed,        &tgi_conv_winograd_gpu,
    &tgi_conv_winograd2_gpu, &tgi_conv_implicit,
#if HAVE_CLBLAST
    &tgi_conv_matmul,
#endif
#if HAVE_CLFFT
    &tgi_conv_fft,
#endif
    &tgi_conv_direct,        NULL};

/* The entry of this id that applies here: processors and graphics cards have each their own for some. */
static const tgi_conv_algorithm *find(tg_conv_algorithm id, const tg_device *dev,
                                      const tgi_conv *conv, tgi_conv_pass pass)
{
    for (size_t i = 0; tgi_conv_algorithms[i]; i++) {
        if (tgi_conv_algorithms[i]->id == id && tgi_conv_algorithms[i]->applies(dev, conv, pass))
            return tgi_conv_algorithms[i];
    }
    return NULL;
}

static bool is_built(tg_conv_algorithm id)
{
    for (size_t i = 0; tgi_conv_algorithms[i]; i++) {
        if (tgi_conv_algorithms[i]->id == id)
            return true;
    }
    return false;
}

tg_status tgi_conv_expect_built(tg_conv_algorithm algorithm)
{
    if (algorithm == TG_CONV_MATMUL && !is_built(algorithm))
        return tg_fail(TG_ERR_UNSUPPORTED,
                       "algorithm matmul needs CLBlast, which this build was configured without");
    if (algorithm == TG_CONV_FFT && !is_built(algorithm))
        return tg_fail(TG_ERR_UNSUPPORTED,
                       "algorithm fft needs clFFT, which this build was configured without");
    return TG_OK;
}

void tgi_conv_set_default(tg_device *dev, tg_conv_algorithm algorithm)
{
    if (tgi_conv_expect_built(algorithm) != TG_OK)
        tg_log(TG_LOG_WARNING, "%s; each layer is computed as by auto", tg_error_message());
    dev->conv_algorithm = (int)algorithm;
}

bool tgi_proof_is_spoilt(const char *library)
{
    const char *named = getenv("TAGGAN_TEST_WRONG");

    return named && !strcmp(named, library);
}

/* What was found out about a device is kept with it: a cache, not a change of the device. */
static tg_device *cache_of(const tg_device *dev)
{
    return (tg_device *)(uintptr_t)dev;
}

/* Whether a library may be used here. The first refusal leaves its sentence in `why`, to be logged with what computes instead. */
static bool is_proven(const tgi_conv_algorithm *algorithm, const tg_device *dev,
                      const tgi_conv *conv, char *why, size_t why_size)
{
    if (!algorithm->prove)
        return true;
    const tgi_proof proof = algorithm->prove(cache_of(dev), conv);
    if (proof == TGI_REFUTED_NOW)
        snprintf(why, why_size, "%s", tg_error_message());
    return proof == TGI_PROVEN;
}

const tgi_conv_algorithm *tgi_conv_choose(const tg_device *dev, tg_conv_algorithm wish,
                                          const tgi_conv *conv, tgi_conv_pass pass)
{
    const tgi_conv_algorithm *wished =
                                 find(wish != TG_CONV_AUTO ? wish
                                                           : (tg_conv_algorithm)dev->conv_algorithm,
                                      dev, conv, pass),
                             *chosen = NULL;
    char why[512] = "";

    if (wished && is_proven(wished, dev, conv, why, sizeof why))
        return wished;
    chosen = tgi_tune_choice(cache_of(dev), conv, pass);
    if (chosen && !is_proven(chosen, dev, conv, why, sizeof why))
        chosen = NULL;
    for (size_t i = 0; tgi_conv_algorithms[i] && !chosen; i++) {
        const tgi_conv_algorithm *each = tgi_conv_algorithms[i];

        if (each->applies(dev, conv, pass) && each->suits(dev, conv, pass) &&
            is_proven(each, dev, conv, why, sizeof why))
            chosen = each;
    }
    if (!chosen)
        chosen = &tgi_conv_direct;
    if (*why)
        tg_log(TG_LOG_WARNING, "%s; algorithm %s computes such layers instead", why, chosen->name);
    return chosen;
}

static tg_status expect_bias(const tg_tensor *b, size_t k, const char *what)
{
    return b ? tgi_tensor_expect(b, (tg_dims){1, k, 1, 1}, what) : TG_OK;
}

static tg_status add_bias_gradient(const tg_tensor *dy, tg_tensor *db)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    tg_dims d = dy->dims;
    const char *options = tgi_is_cpu_family(dy->dev) ? "-DBIAS_WG=1 -DLANES=16"
                                                     : "-DBIAS_WG=256 -DLANES=4" TGI_SUBGROUPS;

    TG_TRY(tgi_kernel_get(dy->dev, "conv2d", "conv2d_bias", options, &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE2(kernel->local[0], d.c),
        TGI_ARGS(tgi_buffer(dy), tgi_int(d.n), tgi_int(d.c), tgi_int(d.h * d.w), tgi_buffer(db))));
cleanup:
    return status;
}

/* The packed forms of weights hang at the tensor: they are a cache, not a change of its value. */
static tg_tensor *cached(const tg_tensor *w)
{
    return (tg_tensor *)(uintptr_t)w;
}

tg_status tg_conv2d_forward(const tg_tensor *x, const tg_tensor *w, const tg_tensor *b,
                            const tg_conv2d_geom *geom, tg_tensor *y)
{
    tg_status status = TG_OK;
    tg_dims dims;

    TG_TRY(tg_conv2d_output(x->dims, w->dims, geom, &dims));
    TG_TRY(tgi_tensor_expect(y, dims, "conv2d: y"));
    TG_TRY(expect_bias(b, w->dims.n, "conv2d: b"));
    const tgi_conv conv = describe(x->dims, w->dims, dims, geom);
    TG_TRY(tgi_conv_choose(x->dev, geom->algorithm, &conv, TGI_CONV_GATHER)
               ->gather(&conv, x, cached(w), b, false, y));
cleanup:
    return status;
}

tg_status tgi_conv2d_backward_data(const tg_tensor *dy, const tg_tensor *w,
                                   const tg_conv2d_geom *geom, tgi_write write, tg_tensor *dx)
{
    tg_status status = TG_OK;
    tg_dims dims;

    TG_TRY(tg_conv2d_output(dx->dims, w->dims, geom, &dims));
    TG_TRY(tgi_tensor_expect(dy, dims, "conv2d: dy"));
    const tgi_conv conv = describe(dx->dims, w->dims, dims, geom);
    TG_TRY(tgi_conv_choose(dy->dev, geom->algorithm, &conv, TGI_CONV_SCATTER)
               ->scatter(&conv, dy, cached(w), NULL, write == TGI_ADD, dx));
cleanup:
    return status;
}

tg_status tg_conv2d_backward_data(const tg_tensor *dy, const tg_tensor *w,
                                  const tg_conv2d_geom *geom, tg_tensor *dx)
{
    return tgi_conv2d_backward_data(dy, w, geom, TGI_ADD, dx);
}

tg_status tg_conv2d_backward_weights(const tg_tensor *x, const tg_tensor *dy,
                                     const tg_conv2d_geom *geom, tg_tensor *dw, tg_tensor *db)
{
    tg_status status = TG_OK;
    tg_dims dims;

    if (dw) {
        TG_TRY(tg_conv2d_output(x->dims, dw->dims, geom, &dims));
        TG_TRY(tgi_tensor_expect(dy, dims, "conv2d: dy"));
        const tgi_conv conv = describe(x->dims, dw->dims, dims, geom);
        TG_TRY(tgi_conv_choose(x->dev, geom->algorithm, &conv, TGI_CONV_WEIGHTS)
                   ->weights(&conv, x, dy, dw));
    }
    if (db) {
        TG_TRY(expect_bias(db, dy->dims.c, "conv2d: db"));
        TG_TRY(add_bias_gradient(dy, db));
    }
cleanup:
    return status;
}

tg_status tg_conv2d_transposed_forward(const tg_tensor *x, const tg_tensor *w, const tg_tensor *b,
                                       const tg_conv2d_geom *geom, tg_tensor *y)
{
    tg_status status = TG_OK;
    tg_dims dims;

    TG_TRY(tg_conv2d_transposed_output(x->dims, w->dims, geom, &dims));
    TG_TRY(tgi_tensor_expect(y, dims, "conv2d_transposed: y"));
    TG_TRY(expect_bias(b, w->dims.c, "conv2d_transposed: b"));
    const tgi_conv conv = describe(dims, w->dims, x->dims, geom);
    TG_TRY(tgi_conv_choose(x->dev, geom->algorithm, &conv, TGI_CONV_SCATTER)
               ->scatter(&conv, x, cached(w), b, false, y));
cleanup:
    return status;
}

tg_status tgi_conv2d_transposed_backward_data(const tg_tensor *dy, const tg_tensor *w,
                                              const tg_conv2d_geom *geom, tgi_write write,
                                              tg_tensor *dx)
{
    tg_status status = TG_OK;
    tg_dims dims;

    TG_TRY(tg_conv2d_transposed_output(dx->dims, w->dims, geom, &dims));
    TG_TRY(tgi_tensor_expect(dy, dims, "conv2d_transposed: dy"));
    const tgi_conv conv = describe(dims, w->dims, dx->dims, geom);
    TG_TRY(tgi_conv_choose(dy->dev, geom->algorithm, &conv, TGI_CONV_GATHER)
               ->gather(&conv, dy, cached(w), NULL, write == TGI_ADD, dx));
cleanup:
    return status;
}

tg_status tg_conv2d_transposed_backward_data(const tg_tensor *dy, const tg_tensor *w,
                                             const tg_conv2d_geom *geom, tg_tensor *dx)
{
    return tgi_conv2d_transposed_backward_data(dy, w, geom, TGI_ADD, dx);
}

tg_status tg_conv2d_transposed_backward_weights(const tg_tensor *x, const tg_tensor *dy,
                                                const tg_conv2d_geom *geom, tg_tensor *dw,
                                                tg_tensor *db)
{
    tg_status status = TG_OK;
    tg_dims dims;

    if (dw) {
        TG_TRY(tg_conv2d_transposed_output(x->dims, dw->dims, geom, &dims));
        TG_TRY(tgi_tensor_expect(dy, dims, "conv2d_transposed: dy"));
        const tgi_conv conv = describe(dims, dw->dims, x->dims, geom);
        TG_TRY(tgi_conv_choose(x->dev, geom->algorithm, &conv, TGI_CONV_WEIGHTS)
                   ->weights(&conv, dy, x, dw));
    }
    if (db) {
        TG_TRY(expect_bias(db, dy->dims.c, "conv2d_transposed: db"));
        TG_TRY(add_bias_gradient(dy, db));
    }
cleanup:
    return status;
}

static const tg_conv2d_geom point = {.stride = 1};

tg_status tg_linear_forward(const tg_tensor *x, const tg_tensor *w, const tg_tensor *b,
                            tg_tensor *y)
{
    if (x->dims.h != 1 || x->dims.w != 1)
        return tg_fail(TG_ERR_SHAPE, "linear: input is %zu x %zu, not a vector", x->dims.h,
                       x->dims.w);
    return tg_conv2d_forward(x, w, b, &point, y);
}

tg_status tg_linear_backward(const tg_tensor *x, const tg_tensor *w, const tg_tensor *dy,
                             tg_tensor *dx, tg_tensor *dw, tg_tensor *db)
{
    tg_status status = TG_OK;

    if (x->dims.h != 1 || x->dims.w != 1)
        return tg_fail(TG_ERR_SHAPE, "linear: input is %zu x %zu, not a vector", x->dims.h,
                       x->dims.w);
    if (dx)
        TG_TRY(tg_conv2d_backward_data(dy, w, &point, dx));
    TG_TRY(tg_conv2d_backward_weights(x, dy, &point, dw, db));
cleanup:
    return status;
}

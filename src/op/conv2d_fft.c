/* conv2d_fft.c -- convolution by Fourier transforms of the whole padded image (fft.h, cl/conv2d_fft.cl), stride 1. */
#include "config.h"
#include "op/fft.h"
#include "op/op.h"

#include <limits.h>

#include "base/banned.h"

enum {
    MAX_LENGTH = 2048,
    OUTPUTS_EACH = 4,            /* J of cl/conv2d_fft.cl */
    MAX_PART = 32,               /* output channels in one part of the weights */
    MAX_WEIGHT_VALUES = 16 << 20 /* floats in the spectra of one part of the weights */
};

/* The transforms of one layer. Spectra of all weights would be far larger than the weights: they are made for `part` output
 * channels at a time. */
typedef struct layout {
    size_t h, w, frequencies, part;
} layout;

static layout find_layout(const tgi_conv *conv)
{
    layout l = {.h = tgi_fft_length(conv->h + 2 * conv->pad),
                .w = tgi_fft_length(conv->w + 2 * conv->pad)};

    l.frequencies = l.h * tgi_fft_columns(l.w);
    l.part = MAX_WEIGHT_VALUES / (2 * l.frequencies * conv->c);
    l.part = l.part < 1 ? 1 : l.part > MAX_PART ? MAX_PART : l.part;
    if (l.part > conv->k)
        l.part = conv->k;
    return l;
}

static tg_status new_real(tg_device *dev, const layout *l, size_t planes, tg_tensor **out)
{
    return tg_tensor_new(dev, (tg_dims){1, planes, l->h, l->w}, out);
}

static tg_status new_spectra(tg_device *dev, const layout *l, size_t planes, tg_tensor **out)
{
    return tg_tensor_new(dev, (tg_dims){1, planes, l->frequencies, 2}, out);
}

/* Planes of h x w values of src from `first` on, with pad pixels around. */
typedef struct source {
    const tg_tensor *src;
    size_t first, planes, h, w, pad;
    bool is_reflected;
} source;

static tg_status transform(const layout *l, const source *s, tg_tensor **spectra)
{
    tg_status status = TG_OK;
    const tgi_fft_shape shape = {l->h, l->w, s->planes};
    tg_device *dev = s->src->dev;
    tg_tensor *real = NULL;
    tgi_kernel *kernel;

    *spectra = NULL;
    TG_TRY(tgi_kernel_get(dev, "conv2d_fft", "fft_pad", "", &kernel));
    TG_TRY(new_real(dev, l, s->planes, &real));
    TG_TRY(new_spectra(dev, l, s->planes, spectra));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE3(l->w, l->h, s->planes),
                          TGI_ARGS(tgi_buffer(s->src), tgi_int(s->first), tgi_int(s->h),
                                   tgi_int(s->w), tgi_int(s->pad), tgi_int(s->is_reflected),
                                   tgi_int(l->h), tgi_int(l->w), tgi_buffer(real))));
    TG_TRY(tgi_fft_forward(&shape, real, *spectra));
cleanup:
    tg_tensor_free(real);
    return status;
}

/* What the planes of a result become: those of dst from `first` on, added to or overwritten. */
typedef struct target {
    tg_tensor *dst;
    const tg_tensor *bias;
    size_t first, planes, h, w, pad, channels;
    bool is_reflected, add;
} target;

static tg_status transform_back(const layout *l, tg_tensor *spectra, const target *t)
{
    tg_status status = TG_OK;
    const tgi_fft_shape shape = {l->h, l->w, t->planes};
    const tg_tensor *bias = t->bias ? t->bias : spectra; /* an argument that is not read */
    tg_tensor *real = NULL;
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(spectra->dev, "conv2d_fft", "fft_crop", "", &kernel));
    TG_TRY(new_real(spectra->dev, l, t->planes, &real));
    TG_TRY(tgi_fft_inverse(&shape, spectra, real));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE3(t->w, t->h, t->planes),
                          TGI_ARGS(tgi_buffer(real), tgi_int(l->h), tgi_int(l->w),
                                   tgi_int(t->first), tgi_int(t->h), tgi_int(t->w), tgi_int(t->pad),
                                   tgi_int(t->is_reflected), tgi_buffer(bias),
                                   tgi_int(t->bias != NULL), tgi_int(t->channels), tgi_int(t->add),
                                   tgi_buffer(t->dst))));
cleanup:
    tg_tensor_free(real);
    return status;
}

/* Spectra seen as a matrix: the plane of its first element, and from one row or column to the next. */
typedef struct matrix {
    tg_tensor *spectra;
    size_t first, row, column;
} matrix;

/* out [i,j] (+)= a [i,t] b [t,j], frequency by frequency. */
static tg_status multiply(const layout *l, const matrix *a, const matrix *b, bool conjugated,
                          size_t i, size_t t, size_t j, bool add, const matrix *out)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(out->spectra->dev, "conv2d_fft", "fft_products", "", &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE3(l->frequencies, (j + OUTPUTS_EACH - 1) / OUTPUTS_EACH, i),
        TGI_ARGS(tgi_buffer(a->spectra), tgi_int(a->first), tgi_int(a->row), tgi_int(a->column),
                 tgi_buffer(b->spectra), tgi_int(b->first), tgi_int(b->row), tgi_int(b->column),
                 tgi_int(l->frequencies), tgi_int(t), tgi_int(j), tgi_int(conjugated),
                 tgi_int(out->first), tgi_int(out->row), tgi_int(out->column), tgi_int(add),
                 tgi_buffer(out->spectra))));
cleanup:
    return status;
}

static source image_of(const tgi_conv *conv, const tg_tensor *x)
{
    return (source){x, 0, conv->n * conv->c, conv->h, conv->w, conv->pad, conv->is_reflected};
}

static source outputs_of(const tgi_conv *conv, const tg_tensor *y)
{
    return (source){y, 0, conv->n * conv->k, conv->p, conv->q, 0, false};
}

static source part_of_weights(const tgi_conv *conv, const tg_tensor *w, size_t k0, size_t k)
{
    return (source){w, k0 * conv->c, k * conv->c, conv->r, conv->s, 0, false};
}

static size_t part_at(const tgi_conv *conv, const layout *l, size_t k0)
{
    return conv->k - k0 < l->part ? conv->k - k0 : l->part;
}

static tg_status gather(const tgi_conv *conv, const tg_tensor *x, tg_tensor *w, const tg_tensor *b,
                        bool add, tg_tensor *y)
{
    tg_status status = TG_OK;
    const layout l = find_layout(conv);
    tg_tensor *images = NULL, *filters = NULL, *outputs = NULL;
    const source in = image_of(conv, x);

    TG_TRY(transform(&l, &in, &images));
    TG_TRY(new_spectra(x->dev, &l, conv->n * conv->k, &outputs));
    for (size_t k0 = 0; k0 < conv->k; k0 += l.part) {
        size_t k = part_at(conv, &l, k0);
        const source part = part_of_weights(conv, w, k0, k);

        TG_TRY(transform(&l, &part, &filters));
        TG_TRY(multiply(&l, &(matrix){images, 0, conv->c, 1}, &(matrix){filters, 0, 1, conv->c},
                        true, conv->n, conv->c, k, false, &(matrix){outputs, k0, conv->k, 1}));
        tg_tensor_free(filters);
        filters = NULL;
    }
    TG_TRY(transform_back(&l, outputs,
                          &(target){.dst = y,
                                    .bias = b,
                                    .planes = conv->n * conv->k,
                                    .h = conv->p,
                                    .w = conv->q,
                                    .channels = conv->k,
                                    .add = add}));
cleanup:
    tg_tensor_free(images);
    tg_tensor_free(filters);
    tg_tensor_free(outputs);
    return status;
}

static tg_status scatter(const tgi_conv *conv, const tg_tensor *y, tg_tensor *w, const tg_tensor *b,
                         bool add, tg_tensor *x)
{
    tg_status status = TG_OK;
    const layout l = find_layout(conv);
    tg_tensor *images = NULL, *filters = NULL, *outputs = NULL;
    const source in = outputs_of(conv, y);

    TG_TRY(transform(&l, &in, &outputs));
    TG_TRY(new_spectra(x->dev, &l, conv->n * conv->c, &images));
    for (size_t k0 = 0; k0 < conv->k; k0 += l.part) {
        size_t k = part_at(conv, &l, k0);
        const source part = part_of_weights(conv, w, k0, k);

        TG_TRY(transform(&l, &part, &filters));
        TG_TRY(multiply(&l, &(matrix){outputs, k0, conv->k, 1}, &(matrix){filters, 0, conv->c, 1},
                        false, conv->n, k, conv->c, k0 > 0, &(matrix){images, 0, conv->c, 1}));
        tg_tensor_free(filters);
        filters = NULL;
    }
    TG_TRY(transform_back(&l, images,
                          &(target){.dst = x,
                                    .bias = b,
                                    .planes = conv->n * conv->c,
                                    .h = conv->h,
                                    .w = conv->w,
                                    .pad = conv->pad,
                                    .channels = conv->c,
                                    .is_reflected = conv->is_reflected,
                                    .add = add}));
cleanup:
    tg_tensor_free(images);
    tg_tensor_free(filters);
    tg_tensor_free(outputs);
    return status;
}

static tg_status weights(const tgi_conv *conv, const tg_tensor *x, const tg_tensor *y,
                         tg_tensor *dw)
{
    tg_status status = TG_OK;
    const layout l = find_layout(conv);
    tg_tensor *images = NULL, *filters = NULL, *outputs = NULL;
    const source in = image_of(conv, x), out = outputs_of(conv, y);

    TG_TRY(transform(&l, &in, &images));
    TG_TRY(transform(&l, &out, &outputs));
    for (size_t k0 = 0; k0 < conv->k; k0 += l.part) {
        size_t k = part_at(conv, &l, k0);

        TG_TRY(new_spectra(x->dev, &l, k * conv->c, &filters));
        TG_TRY(multiply(&l, &(matrix){images, 0, 1, conv->c}, &(matrix){outputs, k0, conv->k, 1},
                        true, conv->c, conv->n, k, false, &(matrix){filters, 0, 1, conv->c}));
        TG_TRY(transform_back(&l, filters,
                              &(target){.dst = dw,
                                        .first = k0 * conv->c,
                                        .planes = k * conv->c,
                                        .h = conv->r,
                                        .w = conv->s,
                                        .channels = 1,
                                        .add = true}));
        tg_tensor_free(filters);
        filters = NULL;
    }
cleanup:
    tg_tensor_free(images);
    tg_tensor_free(filters);
    tg_tensor_free(outputs);
    return status;
}

/* Whether so many planes fit one buffer, and their values an int. */
static bool fits(const tg_device *dev, const layout *l, size_t planes)
{
    size_t most = dev->info.max_alloc_bytes / sizeof(float);

    return planes <= (most < INT_MAX ? most : INT_MAX) / (2 * l->frequencies);
}

static bool applies(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    TG_UNUSED(pass);
    if (conv->stride != 1 || conv->h + 2 * conv->pad > MAX_LENGTH ||
        conv->w + 2 * conv->pad > MAX_LENGTH)
        return false;
    const layout l = find_layout(conv);
    return fits(dev, &l, conv->n * conv->c) && fits(dev, &l, conv->n * conv->k) &&
           fits(dev, &l, l.part * conv->c);
}

/* Never by rule: where it wins (large kernels in narrow layers) depends on the device, and only measuring tells. */
static bool suits(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    TG_UNUSED(dev);
    TG_UNUSED(conv);
    TG_UNUSED(pass);
    return false;
}

static tgi_proof prove(tg_device *dev, const tgi_conv *conv)
{
    const layout l = find_layout(conv);

    return tgi_fft_prove(dev, l.h, l.w);
}

const tgi_conv_algorithm tgi_conv_fft = {.id = TG_CONV_FFT,
                                         .name = "fft",
                                         .gather = gather,
                                         .scatter = scatter,
                                         .weights = weights,
                                         .applies = applies,
                                         .suits = suits,
                                         .prove = prove};

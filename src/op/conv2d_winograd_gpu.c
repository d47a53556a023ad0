/* conv2d_winograd_gpu.c -- Winograd's convolution for graphics cards: transforms (cl/conv2d_winograd_gpu.cl) around one matrix product
 * a point (cl/conv2d_implicit.cl). Groups of images bound the memory it takes. */
#include "config.h"
#include "op/conv2d_implicit.h"
#include "op/op.h"
#include "op/tensor_core.h"

#include <stdint.h>
#include <stdio.h>

#include "base/banned.h"

/* Numbers of packed forms at a weights tensor; the scheme and the tile are added. */
enum { KIND_GATHER = 90000, KIND_SCATTER = 100000 };
enum { MAX_OPTIONS = 40, MIN_CHANNELS = 32, MIN_TILES = 16 };
/* Points of a group of images: the products of fewer images fill a card as well. */
static const size_t max_group_bytes = (size_t)256 << 20;

/* A tile has m x m outputs and r x r taps, so (m + r - 1)^2 points. */
typedef struct scheme {
    size_t m, r;
} scheme;

static size_t points_of(scheme s)
{
    return (s.m + s.r - 1) * (s.m + s.r - 1);
}

/* The tiles of `images` images from `first` on. */
typedef struct tiling {
    scheme s;
    size_t first, images, rows, columns;
    size_t tiles; /* up to a multiple of four */
} tiling;

static tiling tile_images(scheme s, size_t first, size_t images, size_t p, size_t q)
{
    tiling t = {.s = s,
                .first = first,
                .images = images,
                .rows = tgi_blocks(p, s.m),
                .columns = tgi_blocks(q, s.m)};

    t.tiles = tgi_blocks(images * t.rows * t.columns, 4) * 4;
    return t;
}

/* How many images at a time. */
static size_t group_images(scheme s, size_t n, size_t channels, size_t p, size_t q)
{
    size_t bytes = points_of(s) * tile_images(s, 0, 1, p, q).tiles * channels * sizeof(float);
    size_t images = max_group_bytes / bytes;

    return images < 1 ? 1 : images < n ? images : n;
}

static tg_status get_kernel(tg_device *dev, scheme s, const char *name, bool is_gradient,
                            tgi_kernel **out)
{
    char options[MAX_OPTIONS];

    snprintf(options, sizeof options, "-DM=%d -DR=%d%s", (int)s.m, (int)s.r,
             is_gradient ? " -DGRAD" : "");
    return tgi_kernel_get(dev, "conv2d_winograd_gpu", name, options, out);
}

static tg_status new_points(tg_device *dev, const tiling *t, size_t channels, tg_tensor **out)
{
    return tg_tensor_new(dev, (tg_dims){1, points_of(t->s), channels, t->tiles}, out);
}

/* What is cut into windows: an image, or the gradient of the outputs. */
typedef struct source {
    const tg_tensor *x;
    size_t c, h, w;
    ptrdiff_t pad; /* how far the first window begins outside; negative: inside */
    bool is_reflected, is_gradient;
} source;

static tg_status transform(const source *from, const tiling *t, tg_tensor *points)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(get_kernel(from->x->dev, t->s, "winograd_transform", from->is_gradient, &kernel));
    TG_TRY(
        tgi_kernel_run(kernel, TGI_RANGE2(t->tiles, from->c),
                       TGI_ARGS(tgi_buffer(from->x), tgi_int(t->first), tgi_int(from->c),
                                tgi_int(from->h), tgi_int(from->w), tgi_int((size_t)from->pad),
                                tgi_int(from->is_reflected), tgi_int(t->rows), tgi_int(t->columns),
                                tgi_int(t->images), tgi_int(t->tiles), tgi_buffer(points))));
cleanup:
    return status;
}

/* A correlation of stride 1 by tiles: the gather, or the scatter as a gather with turned weights. */
typedef struct correlation {
    source in;
    size_t k, p, q; /* outputs */
    const tg_tensor *bias;
    bool add;
    tg_tensor *y;
} correlation;

/* Weights at the points; m_step and c_step lead from one output or input channel to the next in w. */
static tg_status pack(scheme s, const tgi_matrix *product, tgi_conv_tile tile, bool is_scatter,
                      tg_tensor *w, cl_mem *packed)
{
    tg_status status = TG_OK;
    size_t taps = s.r * s.r, m_padded = tgi_blocks(product->m, tile.bm) * tile.bm,
           c_padded = tgi_blocks(product->k, tile.bk) * tile.bk;
    size_t m_step = is_scatter ? taps : product->k * taps,
           c_step = is_scatter ? product->m * taps : taps;
    int kind = (is_scatter ? KIND_SCATTER : KIND_GATHER) +
               (int)(s.m * 1000 + tile.bm * 2 + tile.is_tensor);
    tgi_kernel *kernel;
    bool is_fresh;

    TG_TRY(tgi_tensor_packed(w, kind, points_of(s) * c_padded * m_padded * sizeof(float), packed,
                             &is_fresh));
    if (is_fresh)
        return TG_OK;
    TG_TRY(get_kernel(w->dev, s, "winograd_pack", false, &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(m_padded, c_padded),
                          TGI_ARGS(tgi_buffer(w), tgi_int(product->m), tgi_int(m_step),
                                   tgi_int(product->k), tgi_int(c_step), tgi_int(is_scatter),
                                   tgi_int(m_padded), tgi_int(c_padded), tgi_mem(*packed))));
cleanup:
    return status;
}

static tg_status correlate_group(const tiling *t, const correlation *a, bool is_scatter,
                                 tg_tensor *w)
{
    tg_status status = TG_OK;
    tg_device *dev = a->y->dev;
    const tgi_matrix product = {
        .dev = dev, .batch = points_of(t->s), .m = a->k, .columns = t->tiles, .k = a->in.c};
    tgi_conv_tile tile = tgi_matrix_tile(&product);
    tg_tensor *points = NULL, *products = NULL;
    tgi_kernel *finish;
    cl_mem packed;

    TG_TRY(get_kernel(dev, t->s, "winograd_finish", false, &finish));
    TG_TRY(pack(t->s, &product, tile, is_scatter, w, &packed));
    TG_TRY(new_points(dev, t, a->in.c, &points));
    TG_TRY(new_points(dev, t, a->k, &products));
    TG_TRY(transform(&a->in, t, points));
    TG_TRY(tgi_matrix_multiply(&product, tile, packed, points, products));
    TG_TRY(tgi_kernel_run(
        finish, TGI_RANGE2(t->tiles, a->k),
        TGI_ARGS(tgi_buffer(products), tgi_int(t->rows), tgi_int(t->columns), tgi_int(t->images),
                 tgi_int(t->tiles), a->bias ? tgi_buffer(a->bias) : tgi_mem(packed),
                 tgi_int(a->bias != NULL), tgi_int(t->first), tgi_int(a->k), tgi_int(a->p),
                 tgi_int(a->q), tgi_int(a->add), tgi_buffer(a->y))));
cleanup:
    tg_tensor_free(points);
    tg_tensor_free(products);
    return status;
}

static tg_status correlate(scheme s, size_t n, const correlation *a, bool is_scatter, tg_tensor *w)
{
    tg_status status = TG_OK;
    size_t group = group_images(s, n, a->in.c + a->k, a->p, a->q);

    for (size_t first = 0; first < n; first += group) {
        tiling t = tile_images(s, first, n - first < group ? n - first : group, a->p, a->q);

        TG_TRY(correlate_group(&t, a, is_scatter, w));
    }
cleanup:
    return status;
}

static tg_status gather(const tgi_conv *conv, scheme s, const tg_tensor *x, tg_tensor *w,
                        const tg_tensor *b, bool add, tg_tensor *y)
{
    const correlation a = {.in = {.x = x,
                                  .c = conv->c,
                                  .h = conv->h,
                                  .w = conv->w,
                                  .pad = (ptrdiff_t)conv->pad,
                                  .is_reflected = conv->is_reflected},
                           .k = conv->k,
                           .p = conv->p,
                           .q = conv->q,
                           .bias = b,
                           .add = add,
                           .y = y};

    return correlate(s, conv->n, &a, false, w);
}

/* Where the image is reflected, into one that has its halo, which is then folded; else at once. */
static tg_status scatter(const tgi_conv *conv, scheme s, const tg_tensor *y, tg_tensor *w,
                         const tg_tensor *b, bool add, tg_tensor *x)
{
    tg_status status = TG_OK;
    tg_tensor *padded = NULL;
    size_t halo = conv->is_reflected ? conv->pad : 0;
    correlation a = {.in = {.x = y,
                            .c = conv->k,
                            .h = conv->p,
                            .w = conv->q,
                            .pad = (ptrdiff_t)(conv->r - 1 + halo) - (ptrdiff_t)conv->pad},
                     .k = conv->c,
                     .p = conv->h + 2 * halo,
                     .q = conv->w + 2 * halo,
                     .bias = halo ? NULL : b,
                     .add = add && !halo,
                     .y = x};

    if (!halo)
        return correlate(s, conv->n, &a, true, w);
    TG_TRY(tg_tensor_new(x->dev, (tg_dims){conv->n, conv->c, a.p, a.q}, &padded));
    a.y = padded;
    TG_TRY(correlate(s, conv->n, &a, true, w));
    TG_TRY(tgi_conv_fold(conv, padded, b, add, x));
cleanup:
    tg_tensor_free(padded);
    return status;
}

static tg_status weights_group(const tgi_conv *conv, const tiling *t, const source *x,
                               const source *y, tg_tensor *dw)
{
    tg_status status = TG_OK;
    tg_device *dev = dw->dev;
    const tgi_matrix product = {
        .dev = dev, .batch = points_of(t->s), .m = conv->k, .columns = conv->c, .k = t->tiles};
    size_t splits = tgi_matrix_splits(&product);
    tg_tensor *points = NULL, *gradients = NULL, *sums = NULL;
    tgi_kernel *unpack;

    TG_TRY(get_kernel(dev, t->s, "winograd_unpack", false, &unpack));
    TG_TRY(new_points(dev, t, conv->c, &points));
    TG_TRY(new_points(dev, t, conv->k, &gradients));
    TG_TRY(tg_tensor_new(dev, (tg_dims){splits, product.batch, conv->k, conv->c}, &sums));
    TG_TRY(transform(x, t, points));
    TG_TRY(transform(y, t, gradients));
    TG_TRY(tgi_matrix_multiply_nt(&product, gradients, points, sums));
    TG_TRY(tgi_kernel_run(unpack, TGI_RANGE2(conv->c, conv->k),
                          TGI_ARGS(tgi_buffer(sums), tgi_int(splits), tgi_int(conv->k),
                                   tgi_int(conv->c), tgi_buffer(dw))));
cleanup:
    tg_tensor_free(points);
    tg_tensor_free(gradients);
    tg_tensor_free(sums);
    return status;
}

static tg_status weights(const tgi_conv *conv, scheme s, const tg_tensor *x, const tg_tensor *y,
                         tg_tensor *dw)
{
    tg_status status = TG_OK;
    size_t group = group_images(s, conv->n, conv->c + conv->k, conv->p, conv->q);
    const source image = {.x = x,
                          .c = conv->c,
                          .h = conv->h,
                          .w = conv->w,
                          .pad = (ptrdiff_t)conv->pad,
                          .is_reflected = conv->is_reflected};
    const source output = {.x = y, .c = conv->k, .h = conv->p, .w = conv->q, .is_gradient = true};

    for (size_t first = 0; first < conv->n; first += group) {
        tiling t = tile_images(s, first, conv->n - first < group ? conv->n - first : group, conv->p,
                               conv->q);

        TG_TRY(weights_group(conv, &t, &image, &output, dw));
    }
cleanup:
    return status;
}

/* A kernel of `taps` x `taps` and stride 1, where the device is taken for a graphics card that has room for the products. */
static bool fits(const tg_device *dev, const tgi_conv *conv, size_t taps)
{
    return !tgi_is_cpu_family(dev) && conv->r == taps && conv->s == taps && conv->stride == 1 &&
           tgi_conv_implicit.applies(dev, conv, TGI_CONV_GATHER);
}

/* ---- winograd: 6 x 6 points ---- */

static scheme wide_scheme(const tgi_conv *conv)
{
    return conv->r == 3 ? (scheme){4, 3} : (scheme){3, 4};
}

static tg_status gather_wide(const tgi_conv *conv, const tg_tensor *x, tg_tensor *w,
                             const tg_tensor *b, bool add, tg_tensor *y)
{
    return gather(conv, wide_scheme(conv), x, w, b, add, y);
}

static tg_status scatter_wide(const tgi_conv *conv, const tg_tensor *y, tg_tensor *w,
                              const tg_tensor *b, bool add, tg_tensor *x)
{
    return scatter(conv, wide_scheme(conv), y, w, b, add, x);
}

static tg_status weights_wide(const tgi_conv *conv, const tg_tensor *x, const tg_tensor *y,
                              tg_tensor *dw)
{
    return weights(conv, wide_scheme(conv), x, y, dw);
}

static bool applies_wide(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    TG_UNUSED(pass);
    return fits(dev, conv, 3) || fits(dev, conv, 4);
}

/* Where products are wide enough to pay for the transforms; by matrix units they are cheaper than the transforms. */
static bool suits_wide(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    const tiling t = tile_images(wide_scheme(conv), 0, conv->n, conv->p, conv->q);

    TG_UNUSED(pass);
    if (tgi_tensor_core_options((tg_device *)(uintptr_t)dev))
        return false;
    return conv->c >= MIN_CHANNELS && conv->k >= MIN_CHANNELS && t.tiles >= MIN_TILES;
}

const tgi_conv_algorithm tgi_conv_winograd_gpu = {.id = TG_CONV_WINOGRAD,
                                                  .name = "winograd",
                                                  .gather = gather_wide,
                                                  .scatter = scatter_wide,
                                                  .weights = weights_wide,
                                                  .applies = applies_wide,
                                                  .suits = suits_wide};

/* ---- winograd2: 4 x 4 points ---- */

static const scheme narrow_scheme = {2, 3};

static tg_status gather_narrow(const tgi_conv *conv, const tg_tensor *x, tg_tensor *w,
                               const tg_tensor *b, bool add, tg_tensor *y)
{
    return gather(conv, narrow_scheme, x, w, b, add, y);
}

static tg_status scatter_narrow(const tgi_conv *conv, const tg_tensor *y, tg_tensor *w,
                                const tg_tensor *b, bool add, tg_tensor *x)
{
    return scatter(conv, narrow_scheme, y, w, b, add, x);
}

static tg_status weights_narrow(const tgi_conv *conv, const tg_tensor *x, const tg_tensor *y,
                                tg_tensor *dw)
{
    return weights(conv, narrow_scheme, x, y, dw);
}

static bool applies_narrow(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    TG_UNUSED(pass);
    return fits(dev, conv, 3);
}

static bool suits_narrow(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    TG_UNUSED(dev);
    TG_UNUSED(conv);
    TG_UNUSED(pass);
    return false; /* for those who want direct convolution's accuracy */
}

const tgi_conv_algorithm tgi_conv_winograd2_gpu = {.id = TG_CONV_WINOGRAD2,
                                                   .name = "winograd2",
                                                   .gather = gather_narrow,
                                                   .scatter = scatter_narrow,
                                                   .weights = weights_narrow,
                                                   .applies = applies_narrow,
                                                   .suits = suits_narrow};

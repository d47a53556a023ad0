/* conv2d_winograd.c -- convolution by Winograd's minimal filtering (cl/conv2d_winograd.cl, doc/notation.md): tiles are taken to
 * points, one matrix product is done at each point, and back. Stride 1, 3 x 3 taps of stride 2, and
 * 4 x 4 taps of stride 2 by phases (cl/conv2d_phases.cl). Groups of tiles bound the memory it takes. */
#include "config.h"
#include "op/conv2d.h"
#include "op/op.h"

#include <stdio.h>

#include "base/banned.h"

/* Numbers of packed forms at a weights tensor; the tile's size and the vectors are added. */
enum { KIND_GATHER = 1000, KIND_SCATTER = 1100 };
enum {
    LANES = 16,
    MAX_OPTIONS = 120,
    MAX_MORE = 40,
    COLUMNS = 66,
    BAND = 2,
    CHUNK_TILES = 256,
    C_GROUP = 4
};
enum { MIN_OUTPUTS_3X3 = 64, MIN_OUTPUTS_4X4 = 9, MIN_OUTPUTS_SPLIT = 1024 };
enum { MIN_OUTPUTS_STRIDE_2 = 256, MIN_CHANNELS_STRIDE_2 = 64, MIN_CHANNELS_SPLIT = 64 };
/* Transformed values and products of what is computed at a time. */
static const size_t max_group_bytes = (size_t)24 << 20;

/* A tile has m x m outputs and r x r taps, and as many points as pixels in its window. */
typedef struct scheme {
    size_t m, r, stride;
} scheme;

static size_t points_of(scheme s)
{
    size_t line = (s.m - 1) * s.stride + s.r;

    return line * line;
}

/* Points of the weights: of stride 2, those of all odd pixels are the same. */
static size_t weight_points_of(scheme s)
{
    size_t line = s.stride == 1 ? s.m + s.r - 1 : s.m + 2;

    return line * line;
}

/* Tiles in a row that a work-item takes. */
static size_t segment_of(scheme s)
{
    return (COLUMNS - s.r + 1) / (s.m * s.stride);
}

static size_t vectors_of(size_t outputs)
{
    return outputs > LANES ? 2 : 1;
}

/* Of the weight gradient's register tile, 16 vectors in all: 4 x 4 needs the fewest loads, where no block would be empty. */
static size_t weight_vectors_of(size_t outputs)
{
    size_t blocks = tgi_blocks(outputs, LANES);

    return blocks % 4 == 0 ? 4 : blocks % 2 == 0 ? 2 : 1;
}

/* Tiles that are computed at a time: of all images, of some, or some rows of one, as memory allows. Outputs p x q each. */
typedef struct tiling {
    scheme s;
    size_t n, all_rows, columns;
    size_t most_images, most_rows;
    size_t image_first, row_first, images, rows; /* this group; no images: all are done */
    size_t tiles;
    size_t
        stride; /* between blocks of channels, in vectors: odd, for the cache sets; the same in every group */
} tiling;

static void begin_group(tiling *t)
{
    size_t images = t->n - t->image_first, rows = t->all_rows - t->row_first;

    t->images = images < t->most_images ? images : t->most_images;
    t->rows = rows < t->most_rows ? rows : t->most_rows;
    t->tiles = t->images * t->rows * t->columns;
}

static tiling first_group(scheme s, size_t n, size_t channels, size_t p, size_t q)
{
    tiling t = {.s = s, .n = n, .all_rows = tgi_blocks(p, s.m), .columns = tgi_blocks(q, s.m)};
    size_t row = points_of(s) * t.columns * (channels + 2 * LANES) * sizeof(float);
    size_t rows = max_group_bytes / row;

    if (rows >= t.all_rows) {
        t.most_images = rows / t.all_rows < n ? rows / t.all_rows : n;
        t.most_rows = t.all_rows;
    } else {
        t.most_images = 1;
        t.most_rows = rows ? tgi_blocks(t.all_rows, tgi_blocks(t.all_rows, rows)) : 1;
    }
    t.stride = (t.most_images * t.most_rows * t.columns) | 1;
    begin_group(&t);
    return t;
}

static void next_group(tiling *t)
{
    t->row_first += t->rows;
    if (t->row_first == t->all_rows) {
        t->row_first = 0;
        t->image_first += t->images;
    }
    begin_group(t);
}

static bool is_first(const tiling *t)
{
    return !t->image_first && !t->row_first;
}

/* Vectors to a point for so many blocks of channels, odd too. */
static size_t plane_lines(const tiling *t, size_t blocks)
{
    return (blocks * t->stride + 4) | 1;
}

static tg_status get_kernel(tg_device *dev, scheme s, const char *name, const char *more,
                            tgi_kernel **out)
{
    char options[MAX_OPTIONS];

    snprintf(options, sizeof options, "-DM=%zu -DR=%zu -DSTRIDE=%zu%.40s", s.m, s.r, s.stride,
             more);
    return tgi_kernel_get(dev, "conv2d_winograd", name, options, out);
}

static tg_status new_points(tg_device *dev, const tiling *t, size_t blocks, tg_tensor **out)
{
    return tg_tensor_new(dev, (tg_dims){1, points_of(t->s), plane_lines(t, blocks), LANES}, out);
}

/* The image side of one transform, and how tiles lie on it. */
typedef struct source {
    const tg_tensor *x;
    size_t c, h, w;
    size_t pad; /* how far the first tile begins outside */
    bool is_reflected, is_gradient;
} source;

static tg_status transform(const source *from, const tiling *t, size_t blocks, tg_tensor *points)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(
        get_kernel(from->x->dev, t->s, "transform", from->is_gradient ? " -DGRAD" : "", &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE3(tgi_blocks(t->columns, segment_of(t->s)), t->rows, t->images * blocks),
        TGI_ARGS(tgi_buffer(from->x), tgi_int(t->image_first), tgi_int(t->row_first),
                 tgi_int(from->c), tgi_int(from->h), tgi_int(from->w), tgi_int(from->pad),
                 tgi_int(from->is_reflected), tgi_int(blocks), tgi_int(t->columns),
                 tgi_int(t->stride), tgi_int(plane_lines(t, blocks)), tgi_buffer(points))));
cleanup:
    return status;
}

/* From tiles of `in` to products at the points, to an image: the gather or, with a gradient inside, the scatter. */
typedef struct correlation {
    source in;
    size_t p, q;    /* outputs of the layer, which tiles divide */
    size_t k, nv;   /* channels of the result */
    size_t h, w;    /* and its rows and columns */
    size_t pad;     /* of the scatter: pixels around the result that are dropped */
    bool is_folded; /* or added to those they mirror */
    cl_mem packed;
    const tg_tensor *bias;
    bool add;
    tg_tensor *y;
} correlation;

/* Tiles of a register tile, up to 14 x 2 vectors: those of the last one that were computed before are lost, and below eight vectors
 * the latency of an addition shows. */
static size_t register_tiles(size_t tiles, size_t nv)
{
    size_t best = 1, least = (size_t)-1;

    for (size_t mr = 1; mr <= 14 && mr <= tiles; mr++) {
        size_t cost = tgi_blocks(tiles, mr) * (2 * (mr * nv < 8 ? 8 / nv : mr) + 1);

        if (cost <= least) {
            least = cost;
            best = mr;
        }
    }
    return best;
}

static tg_status multiply(const tiling *t, const correlation *a, const tg_tensor *points,
                          tg_tensor *products)
{
    tg_status status = TG_OK;
    size_t c_blocks = tgi_blocks(a->in.c, LANES), k_blocks = tgi_blocks(a->k, a->nv * LANES);
    tgi_kernel *kernel;
    char more[MAX_MORE];

    snprintf(more, sizeof more, " -DNV=%zu -DMR=%zu", a->nv, register_tiles(t->tiles, a->nv));
    TG_TRY(get_kernel(points->dev, t->s, "multiply", more, &kernel));
    TG_TRY(tgi_kernel_run(
        kernel,
        TGI_RANGE3(k_blocks, t->tiles < 2 * CHUNK_TILES ? 1 : t->tiles / CHUNK_TILES,
                   points_of(t->s)),
        TGI_ARGS(tgi_buffer(points), tgi_mem(a->packed), tgi_int(c_blocks), tgi_int(t->tiles),
                 tgi_int(t->stride), tgi_int(plane_lines(t, c_blocks)),
                 tgi_int(plane_lines(t, k_blocks * a->nv)), tgi_buffer(products))));
cleanup:
    return status;
}

/* `before` has the products of the rows above these, which reach into them; any tensor if there are none. */
static tg_status finish(const tiling *t, const correlation *a, const tg_tensor *products,
                        const tg_tensor *before)
{
    tg_status status = TG_OK;
    size_t blocks = tgi_blocks(a->k, LANES), padded = tgi_blocks(a->k, a->nv * LANES) * a->nv;
    size_t segments = tgi_blocks(t->columns, segment_of(t->s)),
           bands = tgi_blocks(t->rows, t->s.stride == 1 ? BAND : 1);
    tgi_kernel *kernel;
    tgi_arg bias = tgi_buffer(a->bias ? a->bias : a->y);

    if (a->in.is_gradient) {
        TG_TRY(get_kernel(products->dev, t->s, "overlap", "", &kernel));
        TG_TRY(tgi_kernel_run(
            kernel, TGI_RANGE3(segments, bands, t->images * blocks),
            TGI_ARGS(tgi_buffer(products), tgi_buffer(before), tgi_int(blocks),
                     tgi_int(t->row_first), tgi_int(t->rows), tgi_int(t->most_rows),
                     tgi_int(t->all_rows), tgi_int(t->columns), tgi_int(t->stride),
                     tgi_int(plane_lines(t, padded)), bias, tgi_int(a->bias != NULL),
                     tgi_int(t->image_first), tgi_int(a->k), tgi_int(a->h), tgi_int(a->w),
                     tgi_int(a->pad), tgi_int(a->is_folded), tgi_int(a->add), tgi_buffer(a->y))));
        return TG_OK;
    }
    TG_TRY(get_kernel(products->dev, t->s, "finish", "", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE3(segments, t->rows, t->images * blocks),
                          TGI_ARGS(tgi_buffer(products), tgi_int(blocks), tgi_int(t->row_first),
                                   tgi_int(t->columns), tgi_int(t->stride),
                                   tgi_int(plane_lines(t, padded)), bias, tgi_int(a->bias != NULL),
                                   tgi_int(t->image_first), tgi_int(a->k), tgi_int(a->h),
                                   tgi_int(a->w), tgi_int(a->add), tgi_buffer(a->y))));
cleanup:
    return status;
}

static tg_status correlate(scheme s, size_t n, const correlation *a)
{
    tg_status status = TG_OK;
    tg_tensor *points = NULL, *products = NULL, *before = NULL;
    tg_device *dev = a->y->dev;
    size_t c_blocks = tgi_blocks(a->in.c, LANES),
           k_blocks = tgi_blocks(a->k, a->nv * LANES) * a->nv;

    for (tiling t = first_group(s, n, a->in.c + a->k, a->p, a->q); t.images; next_group(&t)) {
        TG_TRY(new_points(dev, &t, c_blocks, &points));
        TG_TRY(transform(&a->in, &t, c_blocks, points));
        TG_TRY(new_points(dev, &t, k_blocks, &products));
        TG_TRY(multiply(&t, a, points, products));
        tg_tensor_free(points);
        points = NULL;
        TG_TRY(finish(&t, a, products, before ? before : products));
        tg_tensor_free(before);
        before = NULL;
        if (a->in.is_gradient)
            before = products;
        else
            tg_tensor_free(products);
        products = NULL;
    }
cleanup:
    tg_tensor_free(points);
    tg_tensor_free(products);
    tg_tensor_free(before);
    return status;
}

/* ---- 4 x 4 taps and stride 2, as 2 x 2 taps and stride 1 on 4 C channels (cl/conv2d_phases.cl) ---- */

static bool is_split(const tgi_conv *conv)
{
    return conv->stride == 2 && conv->r == 4;
}

static tgi_conv split_layer(const tgi_conv *conv)
{
    return (tgi_conv){.n = conv->n,
                      .c = 4 * conv->c,
                      .h = conv->p + 1,
                      .w = conv->q + 1,
                      .k = conv->k,
                      .p = conv->p,
                      .q = conv->q,
                      .r = 2,
                      .s = 2,
                      .stride = 1};
}

static tg_status split_image(const tgi_conv *conv, const tg_tensor *x, tg_tensor **out)
{
    tg_status status = TG_OK;
    tgi_conv four = split_layer(conv);
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(x->dev, "conv2d_phases", "split", "", &kernel));
    TG_TRY(tg_tensor_new(x->dev, (tg_dims){four.n, four.c, four.h, four.w}, out));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(four.h, conv->n * conv->c),
                          TGI_ARGS(tgi_buffer(x), tgi_int(conv->h), tgi_int(conv->w),
                                   tgi_int(conv->pad), tgi_int(four.h), tgi_int(four.w),
                                   tgi_buffer(*out))));
cleanup:
    return status;
}

static tg_status join_image(const tgi_conv *conv, const tg_tensor *x4, const tg_tensor *b, bool add,
                            tg_tensor *x)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(x->dev, "conv2d_phases", "join", "", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(conv->h, conv->n * conv->c),
                          TGI_ARGS(tgi_buffer(x4), tgi_int(conv->p + 1), tgi_int(conv->q + 1),
                                   tgi_buffer(b ? b : x4), tgi_int(b != NULL), tgi_int(conv->c),
                                   tgi_int(conv->h), tgi_int(conv->w), tgi_int(conv->pad),
                                   tgi_int(add), tgi_buffer(x))));
cleanup:
    return status;
}

/* The taps of n filters from one form into the other: "split_taps" or, adding, "join_taps". */
static tg_status turn_taps(const char *name, const tg_tensor *from, size_t n, tg_tensor *to)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(to->dev, "conv2d_phases", name, "", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1(n), TGI_ARGS(tgi_buffer(from), tgi_buffer(to))));
cleanup:
    return status;
}

/* ---- the three passes ---- */

/* Weights at the points, for `inputs` input channels of `outputs` outputs: made once for each change of the weights. */
static tg_status pack(const tgi_conv *conv, scheme s, tgi_conv_pass pass, tg_tensor *w, size_t nv,
                      cl_mem *packed)
{
    tg_status status = TG_OK;
    bool is_gather = pass == TGI_CONV_GATHER, is_fresh;
    size_t inputs = is_gather ? conv->c : conv->k, outputs = is_gather ? conv->k : conv->c;
    size_t width = tgi_blocks(inputs, LANES) * LANES, blocks = tgi_blocks(outputs, nv * LANES);
    int kind = (is_gather ? KIND_GATHER : KIND_SCATTER) + (int)(32 * (s.stride - 1) + s.m * 4 + nv);
    tg_tensor *split = NULL;
    tgi_kernel *kernel;
    char more[MAX_MORE];

    TG_TRY(tgi_tensor_packed(
        w, kind, weight_points_of(s) * (blocks * nv * width + 5) * LANES * sizeof(float), packed,
        &is_fresh));
    if (is_fresh)
        return TG_OK;
    snprintf(more, sizeof more, " -DNV=%zu", nv);
    TG_TRY(get_kernel(w->dev, s, is_gather ? "pack_gather" : "pack_scatter", more, &kernel));
    if (s.r == 2) {
        TG_TRY(tg_tensor_new(w->dev, w->dims, &split));
        TG_TRY(turn_taps("split_taps", w, w->dims.n * w->dims.c, split));
    }
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(is_gather ? width / LANES : width, blocks),
                          TGI_ARGS(tgi_buffer(split ? split : w), tgi_int(conv->k),
                                   tgi_int(conv->c), tgi_mem(*packed))));
cleanup:
    tg_tensor_free(split);
    return status;
}

static tg_status gather(const tgi_conv *conv, scheme s, const tg_tensor *x, tg_tensor *w,
                        const tg_tensor *b, bool add, tg_tensor *y)
{
    tg_status status = TG_OK;
    correlation a = {.in = {.x = x,
                            .c = conv->c,
                            .h = conv->h,
                            .w = conv->w,
                            .pad = conv->pad,
                            .is_reflected = conv->is_reflected},
                     .p = conv->p,
                     .q = conv->q,
                     .k = conv->k,
                     .nv = vectors_of(conv->k),
                     .h = conv->p,
                     .w = conv->q,
                     .bias = b,
                     .add = add,
                     .y = y};

    TG_TRY(pack(conv, s, TGI_CONV_GATHER, w, a.nv, &a.packed));
    TG_TRY(correlate(s, conv->n, &a));
cleanup:
    return status;
}

/* The transpose of the gather, step by step, so that it has as many tiles. A reflected halo is folded within the tiles where the kernel
 * can, else in a padded image. */
static tg_status scatter(const tgi_conv *conv, scheme s, const tg_tensor *y, tg_tensor *w,
                         const tg_tensor *b, bool add, tg_tensor *x)
{
    tg_status status = TG_OK;
    tg_tensor *padded = NULL;
    bool is_folded = conv->is_reflected && conv->pad == 1 && s.m > 2;
    size_t halo = conv->is_reflected && !is_folded ? conv->pad : 0;
    correlation a = {.in = {.x = y, .c = conv->k, .h = conv->p, .w = conv->q, .is_gradient = true},
                     .p = conv->p,
                     .q = conv->q,
                     .k = conv->c,
                     .nv = vectors_of(conv->c),
                     .h = conv->h + 2 * halo,
                     .w = conv->w + 2 * halo,
                     .pad = conv->pad - halo,
                     .is_folded = is_folded,
                     .bias = b,
                     .add = add && !halo,
                     .y = x};

    TG_TRY(pack(conv, s, TGI_CONV_SCATTER, w, a.nv, &a.packed));
    if (halo) {
        TG_TRY(tg_tensor_new(x->dev, (tg_dims){conv->n, conv->c, a.h, a.w}, &padded));
        a.y = padded;
    }
    TG_TRY(correlate(s, conv->n, &a));
    if (halo)
        TG_TRY(tgi_halo_fold(padded, conv->n * conv->c, conv->h, conv->w,
                             &(tgi_halo){halo, halo, halo, halo, true}, add, x));
cleanup:
    tg_tensor_free(padded);
    return status;
}

/* The sums over the tiles of one group, at the points. */
static tg_status weights_group(const tgi_conv *conv, const tiling *t, const source *x,
                               const source *y, size_t nv, tg_tensor *sums)
{
    tg_status status = TG_OK;
    tg_tensor *points = NULL, *gradients = NULL;
    tg_device *dev = x->x->dev;
    size_t c_blocks = tgi_blocks(conv->c, LANES), k_blocks = tgi_blocks(conv->k, nv * LANES) * nv;
    tgi_kernel *kernel;
    char more[MAX_MORE];

    snprintf(more, sizeof more, " -DNV=%zu", nv);
    TG_TRY(get_kernel(dev, t->s, "correlate", more, &kernel));
    TG_TRY(new_points(dev, t, c_blocks, &points));
    TG_TRY(new_points(dev, t, k_blocks, &gradients));
    TG_TRY(transform(x, t, c_blocks, points));
    TG_TRY(transform(y, t, k_blocks, gradients));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE3(tgi_blocks(c_blocks, C_GROUP), k_blocks / nv, weight_points_of(t->s)),
        TGI_ARGS(tgi_buffer(points), tgi_buffer(gradients), tgi_int(c_blocks), tgi_int(t->tiles),
                 tgi_int(t->stride), tgi_int(plane_lines(t, c_blocks)),
                 tgi_int(plane_lines(t, k_blocks)), tgi_int(!is_first(t)), tgi_buffer(sums))));
cleanup:
    tg_tensor_free(points);
    tg_tensor_free(gradients);
    return status;
}

static tg_status weights(const tgi_conv *conv, scheme s, const tg_tensor *x, const tg_tensor *y,
                         tg_tensor *dw)
{
    tg_status status = TG_OK;
    tg_tensor *sums = NULL;
    size_t nv = weight_vectors_of(conv->k), c_blocks = tgi_blocks(conv->c, LANES),
           k_blocks = tgi_blocks(conv->k, nv * LANES);
    source image = {.x = x,
                    .c = conv->c,
                    .h = conv->h,
                    .w = conv->w,
                    .pad = conv->pad,
                    .is_reflected = conv->is_reflected};
    source output = {.x = y, .c = conv->k, .h = conv->p, .w = conv->q, .is_gradient = true};
    tgi_kernel *kernel;
    char more[MAX_MORE];

    snprintf(more, sizeof more, " -DNV=%zu", nv);
    TG_TRY(get_kernel(x->dev, s, "unpack", more, &kernel));
    TG_TRY(tg_tensor_new(
        x->dev, (tg_dims){1, weight_points_of(s), k_blocks * nv * c_blocks * LANES + 5, LANES},
        &sums));
    for (tiling t = first_group(s, conv->n, conv->c + conv->k, conv->p, conv->q); t.images;
         next_group(&t))
        TG_TRY(weights_group(conv, &t, &image, &output, nv, sums));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE2(c_blocks, k_blocks),
        TGI_ARGS(tgi_buffer(sums), tgi_int(conv->k), tgi_int(conv->c), tgi_buffer(dw))));
cleanup:
    tg_tensor_free(sums);
    return status;
}

static bool is_stride_one(const tgi_conv *conv, size_t taps)
{
    return conv->r == taps && conv->s == taps && conv->stride == 1;
}

/* ---- winograd: 6 x 6 points, or 5 x 5 where the stride is 2 ---- */

static scheme wide_scheme(const tgi_conv *conv)
{
    if (conv->stride == 2)
        return conv->r == 3 ? (scheme){4, 3, 2} : (scheme){4, 2, 1};
    return conv->r == 3 ? (scheme){4, 3, 1} : (scheme){3, 4, 1};
}

static tg_status gather_wide(const tgi_conv *conv, const tg_tensor *x, tg_tensor *w,
                             const tg_tensor *b, bool add, tg_tensor *y)
{
    tg_status status = TG_OK;
    tg_tensor *x4 = NULL;
    tgi_conv four = split_layer(conv);

    if (!is_split(conv))
        return gather(conv, wide_scheme(conv), x, w, b, add, y);
    TG_TRY(split_image(conv, x, &x4));
    TG_TRY(gather(&four, wide_scheme(conv), x4, w, b, add, y));
cleanup:
    tg_tensor_free(x4);
    return status;
}

static tg_status scatter_wide(const tgi_conv *conv, const tg_tensor *y, tg_tensor *w,
                              const tg_tensor *b, bool add, tg_tensor *x)
{
    tg_status status = TG_OK;
    tg_tensor *x4 = NULL;
    tgi_conv four = split_layer(conv);

    if (!is_split(conv))
        return scatter(conv, wide_scheme(conv), y, w, b, add, x);
    TG_TRY(tg_tensor_new(x->dev, (tg_dims){four.n, four.c, four.h, four.w}, &x4));
    TG_TRY(scatter(&four, wide_scheme(conv), y, w, NULL, false, x4));
    TG_TRY(join_image(conv, x4, b, add, x));
cleanup:
    tg_tensor_free(x4);
    return status;
}

static tg_status weights_wide(const tgi_conv *conv, const tg_tensor *x, const tg_tensor *y,
                              tg_tensor *dw)
{
    tg_status status = TG_OK;
    tg_tensor *x4 = NULL, *dw4 = NULL;
    tgi_conv four = split_layer(conv);

    if (!is_split(conv))
        return weights(conv, wide_scheme(conv), x, y, dw);
    TG_TRY(split_image(conv, x, &x4));
    TG_TRY(tg_tensor_new_zero(x->dev, (tg_dims){four.k, four.c, 2, 2}, &dw4));
    TG_TRY(weights(&four, wide_scheme(conv), x4, y, dw4));
    TG_TRY(turn_taps("join_taps", dw4, conv->k * conv->c, dw));
cleanup:
    tg_tensor_free(dw4);
    tg_tensor_free(x4);
    return status;
}

static bool applies_wide(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    TG_UNUSED(pass);
    return tgi_is_cpu_family(dev) && /* others have conv2d_winograd_gpu.c */
           (is_stride_one(conv, 3) || is_stride_one(conv, 4) ||
            (conv->r == 3 && conv->s == 3 && conv->stride == 2) ||
            (conv->r == 4 && conv->s == 4 && conv->stride == 2 && !conv->is_reflected));
}

/* Measured against packed on an AVX-512 processor, weights packed anew for each call: it loses with few channels, where most of a block
 * of 16 is empty (17 of 32), and with so few outputs that reading 36 points of weights instead of 9 taps (100 instead of 16 for 4 x 4 taps
 * of stride 2) costs more than it saves. 3 x 3 taps of stride 2 save least, and with few channels the transforms take that. */
static bool suits_wide(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    size_t padded = tgi_blocks(conv->c, LANES) * tgi_blocks(conv->k, LANES) * LANES * LANES;
    size_t least = is_split(conv)      ? MIN_OUTPUTS_SPLIT
                   : conv->stride == 2 ? MIN_OUTPUTS_STRIDE_2
                   : conv->r == 3      ? MIN_OUTPUTS_3X3
                                       : MIN_OUTPUTS_4X4;
    size_t channels = conv->stride == 1 ? LANES
                      : is_split(conv)
                          ? (pass == TGI_CONV_GATHER ? MIN_CHANNELS_SPLIT : 2 * MIN_CHANNELS_SPLIT)
                      : pass == TGI_CONV_WEIGHTS ? MIN_CHANNELS_STRIDE_2 / 2
                                                 : MIN_CHANNELS_STRIDE_2;

    return tgi_is_cpu_family(dev) && conv->c >= channels && conv->k >= channels &&
           padded <= 2 * conv->c * conv->k && conv->n * conv->p * conv->q >= least;
}

const tgi_conv_algorithm tgi_conv_winograd = {.id = TG_CONV_WINOGRAD,
                                              .name = "winograd",
                                              .gather = gather_wide,
                                              .scatter = scatter_wide,
                                              .weights = weights_wide,
                                              .applies = applies_wide,
                                              .suits = suits_wide};

/* ---- winograd2: 4 x 4 points ---- */

static const scheme narrow_scheme = {2, 3, 1};

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
    return tgi_is_cpu_family(dev) && is_stride_one(conv, 3);
}

static bool suits_narrow(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    TG_UNUSED(dev);
    TG_UNUSED(conv);
    TG_UNUSED(pass);
    return false; /* never the fastest: for those who want direct convolution's accuracy */
}

const tgi_conv_algorithm tgi_conv_winograd2 = {.id = TG_CONV_WINOGRAD2,
                                               .name = "winograd2",
                                               .gather = gather_narrow,
                                               .scatter = scatter_narrow,
                                               .weights = weights_narrow,
                                               .applies = applies_narrow,
                                               .suits = suits_narrow};

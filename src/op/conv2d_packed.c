/* conv2d_packed.c -- register-tile convolution (cl/conv2d_packed.cl): halos, packed weights, tile shapes, launches. */
#include "config.h"
#include "op/conv2d_channels.h"
#include "op/conv2d_rows.h"
#include "op/op.h"

#include <stdio.h>

#include "base/banned.h"

/* Numbers of packed forms at a weights tensor. */
enum { KIND_GATHER = 100, KIND_SCATTER = 200 };
enum { LANES = 16, MAX_OPTIONS = 160, MAX_TAPS = 64, ROWS_EACH = 64 };

static size_t at_most(size_t limit, size_t n)
{
    size_t power = 1;

    while (power * 2 <= limit && power * 2 <= n)
        power *= 2;
    return power;
}

/* Shape of a register tile: vectors of channels by pixels. 32 vector registers where vectors are 16 wide, 16 where they are less. */
typedef struct tile {
    size_t nv, tp, tq;
    bool is_narrow;
} tile;

static tile choose_tile(const tg_device *dev, size_t channels, size_t stride, size_t p, size_t q)
{
    bool is_wide = dev->info.vector_width >= LANES;
    size_t pixels;
    tile t = {.nv = is_wide && channels > LANES ? 2 : 1};

    t.is_narrow = channels <= 4 && stride == 1 && q >= 4;
    if (t.is_narrow) {
        t.tq = at_most(16, q);
        t.tp = at_most(channels <= 2 ? 4 : 2, p);
        return t;
    }
    pixels = is_wide ? (t.nv == 2 ? 8 : 16) : 4;
    t.tq = at_most(pixels, q);
    t.tp = at_most(pixels / t.tq, p);
    return t;
}

/* One stride-1 or strided correlation on an image that has its halo: the gather, or one phase of the scatter. */
typedef struct correlation {
    const tg_tensor *x;
    size_t n, c, hx, wx, row0, col0; /* input planes and where output (0,0) begins */
    size_t r, s, stride;
    cl_mem packed;
    const tg_tensor *bias;
    size_t k, p, q; /* outputs of this phase */
    size_t hy, wy, step, y_row, y_col;
    bool add;
    tg_tensor *y;
} correlation;

static tg_status correlate(const correlation *a, tile t)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];
    tgi_arg bias = a->bias ? tgi_buffer(a->bias) : tgi_mem(a->packed);

    if (t.is_narrow) {
        snprintf(options, sizeof options, "-DR=%zu -DS=%zu -DNV=%zu -DTP=%zu -DVW=%zu -DKN=%zu",
                 a->r, a->s, t.nv, t.tp, t.tq, a->k);
        TG_TRY(tgi_kernel_get(a->x->dev, "conv2d_packed", "conv_narrow", options, &kernel));
        TG_TRY(tgi_kernel_run(kernel, TGI_RANGE3(1, tgi_blocks(a->p, t.tp), a->n),
                              TGI_ARGS(tgi_buffer(a->x), tgi_int(a->c), tgi_int(a->hx),
                                       tgi_int(a->wx), tgi_int(a->row0), tgi_int(a->col0),
                                       tgi_mem(a->packed), bias, tgi_int(a->bias != NULL),
                                       tgi_int(a->p), tgi_int(a->q), tgi_int(a->hy), tgi_int(a->wy),
                                       tgi_int(a->step), tgi_int(a->y_row), tgi_int(a->y_col),
                                       tgi_int(a->add), tgi_buffer(a->y))));
        return TG_OK;
    }
    snprintf(options, sizeof options, "-DR=%zu -DS=%zu -DST=%zu -DNV=%zu -DTP=%zu -DTQ=%zu", a->r,
             a->s, a->stride, t.nv, t.tp, t.tq);
    TG_TRY(tgi_kernel_get(a->x->dev, "conv2d_packed", "conv_tile", options, &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE3(1, tgi_blocks(a->p, t.tp), a->n * tgi_blocks(a->k, LANES * t.nv)),
        TGI_ARGS(tgi_buffer(a->x), tgi_int(a->c), tgi_int(a->hx), tgi_int(a->wx), tgi_int(a->row0),
                 tgi_int(a->col0), tgi_mem(a->packed), bias, tgi_int(a->bias != NULL),
                 tgi_int(a->k), tgi_int(a->p), tgi_int(a->q), tgi_int(a->hy), tgi_int(a->wy),
                 tgi_int(a->step), tgi_int(a->y_row), tgi_int(a->y_col), tgi_int(a->add),
                 tgi_buffer(a->y))));
cleanup:
    return status;
}

static tg_status new_planes(tg_device *dev, size_t planes, size_t h, size_t w, tg_tensor **out)
{
    return tg_tensor_new(dev, (tg_dims){1, planes, h, w}, out);
}

tg_status tgi_halo_add(const tg_tensor *src, size_t planes, size_t h, size_t w,
                       const tgi_halo *halo, tg_tensor *dst)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(src->dev, "conv2d_pad", "halo_add", "", &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE2(tgi_blocks(halo->top + h + halo->bottom, ROWS_EACH), planes),
        TGI_ARGS(tgi_buffer(src), tgi_int(h), tgi_int(w), tgi_int(halo->top), tgi_int(halo->bottom),
                 tgi_int(halo->left), tgi_int(halo->right), tgi_int(halo->is_reflected),
                 tgi_int(ROWS_EACH), tgi_buffer(dst))));
cleanup:
    return status;
}

tg_status tgi_halo_fold(const tg_tensor *src, size_t planes, size_t h, size_t w,
                        const tgi_halo *halo, bool add, tg_tensor *dst)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(src->dev, "conv2d_pad", "halo_fold", "", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(h, planes),
                          TGI_ARGS(tgi_buffer(src), tgi_int(h), tgi_int(w), tgi_int(halo->top),
                                   tgi_int(halo->bottom), tgi_int(halo->left), tgi_int(halo->right),
                                   tgi_int(add), tgi_buffer(dst))));
cleanup:
    return status;
}

/* src itself where there is no halo to write, else a padded copy in *copy (freed by the caller once enqueued). */
static tg_status with_halo(const tg_tensor *src, size_t planes, size_t h, size_t w,
                           const tgi_halo *halo, tg_tensor **copy, const tg_tensor **out)
{
    tg_status status = TG_OK;

    *copy = NULL;
    *out = src;
    if (!halo->top && !halo->bottom && !halo->left && !halo->right)
        return TG_OK;
    TG_TRY(new_planes(src->dev, planes, halo->top + h + halo->bottom, halo->left + w + halo->right,
                      copy));
    TG_TRY(tgi_halo_add(src, planes, h, w, halo, *copy));
    *out = *copy;
cleanup:
    return status;
}

static tgi_halo image_halo(const tgi_conv *conv)
{
    return (tgi_halo){conv->pad, conv->pad, conv->pad, conv->pad, conv->is_reflected};
}

static tg_status pack_gather(const tgi_conv *conv, tg_tensor *w, size_t nv, cl_mem *packed)
{
    tg_status status = TG_OK;
    size_t taps = conv->c * conv->r * conv->s, blocks = tgi_blocks(conv->k, LANES * nv);
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];
    bool is_fresh;

    TG_TRY(tgi_tensor_packed(w, KIND_GATHER + (int)nv, blocks * taps * LANES * nv * sizeof(float),
                             packed, &is_fresh));
    if (is_fresh)
        return TG_OK;
    snprintf(options, sizeof options, "-DNV=%zu", nv);
    TG_TRY(tgi_kernel_get(w->dev, "conv2d_packed", "pack_gather", options, &kernel));
    TG_TRY(
        tgi_kernel_run(kernel, TGI_RANGE2(taps, blocks),
                       TGI_ARGS(tgi_buffer(w), tgi_int(conv->k), tgi_int(taps), tgi_mem(*packed))));
cleanup:
    return status;
}

static tg_status gather(const tgi_conv *conv, const tg_tensor *x, tg_tensor *w, const tg_tensor *b,
                        bool add, tg_tensor *y)
{
    tg_status status = TG_OK;
    tg_tensor *copy = NULL;
    tgi_halo halo = image_halo(conv);
    tile t = choose_tile(x->dev, conv->k, conv->stride, conv->p, conv->q);
    tgi_channels_plan channels;
    tgi_rows_plan plan;

    if (tgi_channels_plan_gather(x->dev, conv, &channels))
        return tgi_channels_gather(conv, &channels, x, w, b, add, y);
    if (tgi_rows_plan_gather(x->dev, conv, &plan))
        return tgi_rows_gather(conv, &plan, x, w, b, add, y);
    correlation a = {.n = conv->n,
                     .c = conv->c,
                     .hx = conv->h + 2 * conv->pad,
                     .wx = conv->w + 2 * conv->pad,
                     .r = conv->r,
                     .s = conv->s,
                     .stride = conv->stride,
                     .bias = b,
                     .k = conv->k,
                     .p = conv->p,
                     .q = conv->q,
                     .hy = conv->p,
                     .wy = conv->q,
                     .step = 1,
                     .add = add,
                     .y = y};

    TG_TRY(pack_gather(conv, w, t.nv, &a.packed));
    TG_TRY(with_halo(x, conv->n * conv->c, conv->h, conv->w, &halo, &copy, &a.x));
    TG_TRY(correlate(&a, t));
cleanup:
    tg_tensor_free(copy);
    return status;
}

/* How many rows of zeros the outputs need before and after, over all phases. */
static void find_halo(size_t taps, size_t stride, size_t offset, size_t pixels, size_t outputs,
                      size_t *before, size_t *after)
{
    *before = *after = 0;
    for (size_t i = 0; i < stride; i++) {
        tgi_conv_phase ph = tgi_conv_phase_of(i, taps, stride, offset, pixels);

        if (!ph.count)
            continue;
        if (ph.taps - 1 > ph.first && ph.taps - 1 - ph.first > *before)
            *before = ph.taps - 1 - ph.first;
        if (ph.first + ph.count > outputs && ph.first + ph.count - outputs > *after)
            *after = ph.first + ph.count - outputs;
    }
}

static tg_status pack_scatter(const tgi_conv *conv, tg_tensor *w, size_t number_r, size_t number_s,
                              const correlation *a, size_t nv, cl_mem *packed)
{
    tg_status status = TG_OK;
    size_t blocks = tgi_blocks(conv->c, LANES * nv);
    int kind = KIND_SCATTER + (int)((number_r * conv->stride + number_s) * 4 + nv);
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];
    bool is_fresh;

    TG_TRY(tgi_tensor_packed(w, kind, blocks * conv->k * a->r * a->s * LANES * nv * sizeof(float),
                             packed, &is_fresh));
    if (is_fresh)
        return TG_OK;
    snprintf(options, sizeof options, "-DR=%zu -DS=%zu -DNV=%zu", a->r, a->s, nv);
    TG_TRY(tgi_kernel_get(w->dev, "conv2d_packed", "pack_scatter", options, &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(conv->k, blocks),
                          TGI_ARGS(tgi_buffer(w), tgi_int(conv->k), tgi_int(conv->c),
                                   tgi_int(conv->r), tgi_int(conv->s), tgi_int(conv->stride),
                                   tgi_int(number_r), tgi_int(number_s), tgi_mem(*packed))));
cleanup:
    return status;
}

/* All stride x stride phases into the image `x` of h x w pixels, pixel 0 lying `offset` into the padded line. */
static tg_status scatter_phases(const tgi_conv *conv, const tg_tensor *y, tg_tensor *w,
                                const tg_tensor *b, size_t offset, size_t h, size_t width, bool add,
                                tg_tensor *x)
{
    tg_status status = TG_OK;
    tg_tensor *copy = NULL;
    tgi_halo halo = {0};
    correlation a = {.n = conv->n,
                     .c = conv->k,
                     .stride = 1,
                     .bias = b,
                     .k = conv->c,
                     .hy = h,
                     .wy = width,
                     .step = conv->stride,
                     .add = add,
                     .y = x};

    find_halo(conv->r, conv->stride, offset, h, conv->p, &halo.top, &halo.bottom);
    find_halo(conv->s, conv->stride, offset, width, conv->q, &halo.left, &halo.right);
    a.hx = halo.top + conv->p + halo.bottom;
    a.wx = halo.left + conv->q + halo.right;
    TG_TRY(with_halo(y, conv->n * conv->k, conv->p, conv->q, &halo, &copy, &a.x));
    for (size_t i = 0; i < conv->stride; i++) {
        for (size_t j = 0; j < conv->stride; j++) {
            tgi_conv_phase rows = tgi_conv_phase_of(i, conv->r, conv->stride, offset, h);
            tgi_conv_phase columns = tgi_conv_phase_of(j, conv->s, conv->stride, offset, width);

            if (!rows.count || !columns.count)
                continue;
            tile t = choose_tile(x->dev, a.k, 1, rows.count, columns.count);
            a.r = rows.taps;
            a.s = columns.taps;
            a.p = rows.count;
            a.q = columns.count;
            a.row0 = halo.top + rows.first + 1 - rows.taps;
            a.col0 = halo.left + columns.first + 1 - columns.taps;
            a.y_row = rows.y_first;
            a.y_col = columns.y_first;
            TG_TRY(pack_scatter(conv, w, i, j, &a, t.nv, &a.packed));
            TG_TRY(correlate(&a, t));
        }
    }
cleanup:
    tg_tensor_free(copy);
    return status;
}

static tg_status scatter(const tgi_conv *conv, const tg_tensor *y, tg_tensor *w, const tg_tensor *b,
                         bool add, tg_tensor *x)
{
    tg_status status = TG_OK;
    tg_tensor *padded = NULL;
    tgi_halo halo = image_halo(conv);
    size_t h = conv->h + 2 * conv->pad, width = conv->w + 2 * conv->pad;

    tgi_channels_plan channels;
    tgi_rows_plan plan;

    if (tgi_channels_plan_scatter(x->dev, conv, &channels))
        return tgi_channels_scatter(conv, &channels, y, w, b, add, x);
    if ((add || !conv->is_reflected) &&
        tgi_rows_plan_scatter(x->dev, conv, conv->is_reflected, &plan))
        return tgi_rows_scatter(conv, &plan, y, w, b, add, x);
    if (!conv->is_reflected)
        return scatter_phases(conv, y, w, b, conv->pad, conv->h, conv->w, add, x);
    TG_TRY(new_planes(x->dev, conv->n * conv->c, h, width, &padded));
    TG_TRY(scatter_phases(conv, y, w, b, 0, h, width, false, padded));
    TG_TRY(tgi_halo_fold(padded, conv->n * conv->c, conv->h, conv->w, &halo, add, x));
cleanup:
    tg_tensor_free(padded);
    return status;
}

/* Tile of the weight gradient: taps of one or several input channels by vectors of output channels. */
typedef struct weight_tile {
    size_t nv, cb, tr;
} weight_tile;

static weight_tile choose_weight_tile(const tg_device *dev, const tgi_conv *conv)
{
    size_t registers = dev->info.vector_width >= LANES ? 26 : 6;
    weight_tile t = {
        .nv = registers > 6 && conv->k > LANES && conv->r * conv->s * 2 <= registers ? 2 : 1,
        .cb = 1,
        .tr = 1};

    for (size_t tr = conv->r; tr >= 1; tr--) {
        if (conv->r % tr == 0 && tr * conv->s * t.nv <= registers) {
            t.tr = tr;
            break;
        }
    }
    if (t.tr == conv->r)
        t.cb = at_most(
            registers / (t.tr * conv->s * t.nv) ? registers / (t.tr * conv->s * t.nv) : 1, conv->c);
    return t;
}

/* Rows in chunks, so that there is work for many cores; a function of the shape alone, so that every device sums alike. */
static size_t rows_per_chunk(size_t rows, size_t groups)
{
    size_t chunks = groups < 64 ? (64 + groups - 1) / groups : 1;

    if (chunks > rows)
        chunks = rows;
    return (rows + chunks - 1) / chunks;
}

static tg_status weights(const tgi_conv *conv, const tg_tensor *x, const tg_tensor *y,
                         tg_tensor *dw)
{
    tg_status status = TG_OK;
    tg_tensor *copy = NULL, *last = NULL, *part = NULL;
    const tg_tensor *in;
    tgi_halo halo = image_halo(conv);
    tgi_channels_plan channels;
    tgi_rows_plan plan;

    if (tgi_channels_plan_weights(x->dev, conv, &channels))
        return tgi_channels_weights(conv, &channels, x, y, dw);
    if (tgi_rows_plan_weights(x->dev, conv, &plan))
        return tgi_rows_weights(conv, &plan, x, y, dw);
    weight_tile t = choose_weight_tile(x->dev, conv);
    size_t kb = LANES * t.nv, blocks = tgi_blocks(conv->k, kb), taps = conv->c * conv->r * conv->s,
           rows = conv->n * conv->p;
    size_t tiles = tgi_blocks(conv->c, t.cb) * (conv->r / t.tr),
           per_chunk = rows_per_chunk(rows, blocks * tiles);
    size_t chunks = tgi_blocks(rows, per_chunk);
    tgi_kernel *transpose, *kernel, *sum;
    char options[MAX_OPTIONS];

    snprintf(options, sizeof options, "-DR=%zu -DS=%zu -DST=%zu -DNV=%zu -DCB=%zu -DTR=%zu",
             conv->r, conv->s, conv->stride, t.nv, t.cb, t.tr);
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_packed", "channels_last", options, &transpose));
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_packed", "conv_weights", options, &kernel));
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_packed", "sum_weights", options, &sum));
    TG_TRY(with_halo(x, conv->n * conv->c, conv->h, conv->w, &halo, &copy, &in));
    TG_TRY(new_planes(x->dev, conv->n, conv->p * conv->q, blocks * kb, &last));
    TG_TRY(new_planes(x->dev, chunks, blocks * taps, kb, &part));
    TG_TRY(tgi_kernel_run(
        transpose, TGI_RANGE2(tgi_blocks(conv->p * conv->q, 16), conv->n),
        TGI_ARGS(tgi_buffer(y), tgi_int(conv->k), tgi_int(conv->p * conv->q), tgi_buffer(last))));
    TG_TRY(
        tgi_kernel_run(kernel, TGI_RANGE3(blocks, tiles, chunks),
                       TGI_ARGS(tgi_buffer(in), tgi_int(conv->c), tgi_int(conv->h + 2 * conv->pad),
                                tgi_int(conv->w + 2 * conv->pad), tgi_buffer(last),
                                tgi_int(conv->k), tgi_int(conv->p), tgi_int(conv->q), tgi_int(rows),
                                tgi_int(per_chunk), tgi_buffer(part))));
    TG_TRY(tgi_kernel_run(sum, TGI_RANGE2(taps, blocks),
                          TGI_ARGS(tgi_buffer(part), tgi_int(chunks), tgi_int(conv->k),
                                   tgi_int(taps), tgi_buffer(dw))));
cleanup:
    tg_tensor_free(part);
    tg_tensor_free(last);
    tg_tensor_free(copy);
    return status;
}

static bool applies(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    TG_UNUSED(dev);
    TG_UNUSED(pass);
    return conv->stride <= conv->r && conv->stride <= conv->s && conv->r * conv->s <= MAX_TAPS &&
           conv->s <= 16;
}

/* Wide vectors and no local memory: made for processors. */
static bool suits(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    TG_UNUSED(conv);
    TG_UNUSED(pass);
    return tgi_is_cpu_family(dev);
}

const tgi_conv_algorithm tgi_conv_packed = {.id = TG_CONV_PACKED,
                                            .name = "packed",
                                            .gather = gather,
                                            .scatter = scatter,
                                            .weights = weights,
                                            .applies = applies,
                                            .suits = suits};

/* conv2d_channels.c -- convolution in vectors of output channels (cl/conv2d_channels.cl): how a layer is cut into groups, packed
 * weights, launches. */
#include "config.h"
#include "op/conv2d_channels.h"
#include "op/op.h"

#include <stdio.h>

#include "base/banned.h"

/* Numbers of packed forms at a weights tensor. */
enum { KIND_GATHER = 1200, KIND_SCATTER = 1300 };
/* Measured against conv2d_rows on an AVX-512 processor: with fewer columns, or with one vector of channels, the gather is no faster. */
enum { MIN_COLUMNS = 64 };
enum { LANES = 16, MAX_OPTIONS = 160, ACCUMULATORS = 28 };
/* What one group may copy, beside the sums that lie in the same level-2 cache. */
enum { COPY_BYTES = 1 << 20 };
/* Pixels that a weight gradient sums up before it goes to memory; and groups, so that there is work for several cores. */
enum { MAX_STRIP = 4, MAX_TILE = 14, WEIGHT_BYTES = 20 << 10 };
enum { STRIP_PIXELS = 128, MIN_CHUNKS = 4 };

/* The register tiles need 32 vector registers. */
static bool has_wide_vectors(const tg_device *dev)
{
    return dev->info.vector_width >= LANES;
}

/* Lanes without a channel cost time. */
static bool fills_lanes(size_t channels, size_t nv)
{
    return 4 * channels >= 3 * tgi_blocks(channels, LANES * nv) * LANES * nv;
}

static size_t pitch_of(size_t columns)
{
    return tgi_blocks(columns, LANES) * LANES + 4; /* off the powers of two */
}

/* Pixels of a register tile: as many as fit, fewer where that leaves fewer of them behind the end of a row. A tile costs one pixel more
 * for its weights. */
static size_t choose_tile(size_t pixels, size_t nv)
{
    size_t limit = ACCUMULATORS / nv > MAX_TILE ? MAX_TILE : ACCUMULATORS / nv, best = limit;

    for (size_t tq = limit; tq > limit / 2; tq--) {
        if (tgi_blocks(pixels, tq) * (tq + 1) < tgi_blocks(pixels, best) * (best + 1))
            best = tq;
    }
    return best;
}

/* Input channels whose weights fill a good part of a level-1 cache. */
static size_t channels_at_a_time(size_t channels, size_t taps, size_t nv)
{
    size_t limit = tgi_larger(WEIGHT_BYTES / (taps * nv * LANES * sizeof(float)), 1);

    return tgi_blocks(channels, tgi_blocks(channels, limit));
}

bool tgi_channels_plan_gather(const tg_device *dev, const tgi_conv *conv, tgi_channels_plan *plan)
{
    *plan = (tgi_channels_plan){.nv = 2, .cb = 1};
    if (!has_wide_vectors(dev) || conv->q < MIN_COLUMNS || !fills_lanes(conv->k, plan->nv))
        return false;
    plan->tq = choose_tile(conv->q, plan->nv);
    plan->c_each = channels_at_a_time(conv->c, conv->r * conv->s, plan->nv);
    size_t width = tgi_blocks(conv->q, plan->tq) * plan->tq;
    plan->pitch =
        pitch_of(tgi_larger(conv->w + 2 * conv->pad, (width - 1) * conv->stride + conv->s));
    size_t limit = tgi_smaller(COPY_BYTES, dev->info.local_bytes);
    for (plan->strip = tgi_smaller(conv->p, MAX_STRIP);; plan->strip--) {
        size_t rows = (plan->strip - 1) * conv->stride + conv->r;

        plan->copy_bytes =
            (plan->strip * width * LANES * plan->nv + conv->c * rows * plan->pitch) * sizeof(float);
        if (plan->copy_bytes <= limit || plan->strip == 1)
            break;
    }
    plan->strips = tgi_blocks(conv->p, plan->strip);
    return plan->copy_bytes <= limit;
}

/* Rows and columns that a phase of the scatter reads in front of its place, and behind it. */
static size_t scatter_back(size_t taps, size_t pad)
{
    size_t back = 0;

    for (size_t a = 0; a < 2; a++) {
        size_t count = (taps + 1 - (a + pad) % 2) / 2;

        if (count - 1 > (a + pad) / 2)
            back = tgi_larger(back, count - 1 - (a + pad) / 2);
    }
    return back;
}

bool tgi_channels_plan_scatter(const tg_device *dev, const tgi_conv *conv, tgi_channels_plan *plan)
{
    size_t pairs = tgi_blocks(conv->h, 2), columns = tgi_blocks(conv->w, 2);
    size_t ahead = (1 + conv->pad) / 2;

    *plan = (tgi_channels_plan){.nv = 2, .cb = 1};
    if (!has_wide_vectors(dev) || conv->stride != 2 || conv->is_reflected || columns < LANES ||
        !fills_lanes(conv->c, plan->nv))
        return false;
    plan->back = tgi_larger(scatter_back(conv->r, conv->pad), scatter_back(conv->s, conv->pad));
    plan->tq = choose_tile(columns, plan->nv);
    plan->taps_each = WEIGHT_BYTES / (LANES * plan->nv * sizeof(float));
    size_t width = tgi_blocks(columns, plan->tq) * plan->tq;
    plan->pitch = pitch_of(plan->back + tgi_larger(conv->q, width + ahead));
    size_t limit = tgi_smaller(COPY_BYTES, dev->info.local_bytes);
    for (plan->strip = tgi_smaller(pairs, MAX_STRIP);; plan->strip--) {
        plan->rows = plan->back + plan->strip + ahead;
        plan->copy_bytes =
            (2 * plan->strip * width * LANES * plan->nv + conv->k * plan->rows * plan->pitch) *
            sizeof(float);
        if (plan->copy_bytes <= limit || plan->strip == 1)
            break;
    }
    plan->strips = tgi_blocks(pairs, plan->strip);
    return plan->copy_bytes <= limit;
}

bool tgi_channels_plan_weights(const tg_device *dev, const tgi_conv *conv, tgi_channels_plan *plan)
{
    *plan = (tgi_channels_plan){.nv = conv->k > LANES ? 2 : 1};
    if (!has_wide_vectors(dev) || conv->q < LANES || conv->s * plan->nv > ACCUMULATORS ||
        !fills_lanes(conv->k, plan->nv))
        return false;
    plan->cb = tgi_smaller(ACCUMULATORS / (conv->s * plan->nv), conv->c);
    plan->strip = tgi_smaller(tgi_larger(STRIP_PIXELS / conv->q, 1), conv->p);
    plan->pitch =
        pitch_of(tgi_larger(conv->w + 2 * conv->pad, (conv->q - 1) * conv->stride + conv->s));
    size_t rows = (plan->strip - 1) * conv->stride + conv->r;
    size_t width = tgi_blocks(conv->k, LANES * plan->nv) * LANES * plan->nv;
    plan->copy_bytes =
        (plan->strip * conv->q * width + conv->c * rows * plan->pitch) * sizeof(float);
    plan->chunks = tgi_blocks(conv->n * conv->p,
                              tgi_larger(tgi_blocks(conv->n * conv->p, MIN_CHUNKS), plan->strip));
    return plan->copy_bytes <= tgi_smaller(COPY_BYTES, dev->info.local_bytes);
}

static tg_status pack_gather(const tgi_conv *conv, const tgi_channels_plan *plan, tg_tensor *w,
                             cl_mem *packed)
{
    tg_status status = TG_OK;
    size_t taps = conv->c * conv->r * conv->s, blocks = tgi_blocks(conv->k, LANES * plan->nv);
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];
    bool is_fresh;

    TG_TRY(tgi_tensor_packed(w, KIND_GATHER + (int)plan->nv,
                             blocks * taps * LANES * plan->nv * sizeof(float), packed, &is_fresh));
    if (is_fresh)
        return TG_OK;
    snprintf(options, sizeof options, "-DNV=%zu", plan->nv);
    TG_TRY(tgi_kernel_get(w->dev, "conv2d_channels", "channels_pack", options, &kernel));
    TG_TRY(
        tgi_kernel_run(kernel, TGI_RANGE2(tgi_blocks(taps, LANES), blocks),
                       TGI_ARGS(tgi_buffer(w), tgi_int(conv->k), tgi_int(taps), tgi_mem(*packed))));
cleanup:
    return status;
}

tg_status tgi_channels_gather(const tgi_conv *conv, const tgi_channels_plan *plan,
                              const tg_tensor *x, tg_tensor *w, const tg_tensor *b, bool add,
                              tg_tensor *y)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];
    cl_mem packed;

    TG_TRY(pack_gather(conv, plan, w, &packed));
    snprintf(options, sizeof options, "-DST=%zu -DNV=%zu -DTQ=%zu", conv->stride, plan->nv,
             plan->tq);
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_channels", "channels_gather", options, &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE2(1, conv->n * plan->strips),
        TGI_ARGS(tgi_buffer(x), tgi_int(conv->c), tgi_int(conv->h), tgi_int(conv->w),
                 tgi_int(conv->pad), tgi_int(conv->pad), tgi_int(conv->is_reflected),
                 tgi_mem(packed), b ? tgi_buffer(b) : tgi_mem(packed), tgi_int(b != NULL),
                 tgi_int(conv->k), tgi_int(conv->p), tgi_int(conv->q), tgi_int(conv->r),
                 tgi_int(conv->s), tgi_int(plan->strip), tgi_int(plan->strips),
                 tgi_int(plan->pitch), tgi_int(plan->c_each), tgi_int(add), tgi_buffer(y),
                 tgi_local(plan->copy_bytes))));
cleanup:
    return status;
}

static tg_status pack_scatter(const tgi_conv *conv, const tgi_channels_plan *plan, tg_tensor *w,
                              cl_mem *packed)
{
    tg_status status = TG_OK;
    size_t kb = LANES * plan->nv, blocks = tgi_blocks(conv->c, kb);
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];
    bool is_fresh;

    TG_TRY(tgi_tensor_packed(w, KIND_SCATTER + (int)(2 * plan->nv + conv->pad % 2),
                             blocks * kb * conv->k * conv->r * conv->s * sizeof(float), packed,
                             &is_fresh));
    if (is_fresh)
        return TG_OK;
    snprintf(options, sizeof options, "-DNV=%zu", plan->nv);
    TG_TRY(tgi_kernel_get(w->dev, "conv2d_channels", "channels_pack_scatter", options, &kernel));
    TG_TRY(
        tgi_kernel_run(kernel, TGI_RANGE2(conv->k, blocks),
                       TGI_ARGS(tgi_buffer(w), tgi_int(conv->k), tgi_int(conv->c), tgi_int(conv->r),
                                tgi_int(conv->s), tgi_int(conv->pad), tgi_mem(*packed))));
cleanup:
    return status;
}

tg_status tgi_channels_scatter(const tgi_conv *conv, const tgi_channels_plan *plan,
                               const tg_tensor *y, tg_tensor *w, const tg_tensor *b, bool add,
                               tg_tensor *x)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];
    cl_mem packed;

    TG_TRY(pack_scatter(conv, plan, w, &packed));
    snprintf(options, sizeof options, "-DNV=%zu -DTQ=%zu", plan->nv, plan->tq);
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_channels", "channels_scatter", options, &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(1, conv->n * plan->strips),
                          TGI_ARGS(tgi_buffer(y), tgi_int(conv->k), tgi_int(conv->p),
                                   tgi_int(conv->q), tgi_int(plan->back), tgi_mem(packed),
                                   b ? tgi_buffer(b) : tgi_mem(packed), tgi_int(b != NULL),
                                   tgi_int(conv->c), tgi_int(conv->h), tgi_int(conv->w),
                                   tgi_int(conv->r), tgi_int(conv->s), tgi_int(conv->pad),
                                   tgi_int(plan->strip), tgi_int(plan->strips), tgi_int(plan->rows),
                                   tgi_int(plan->pitch), tgi_int(plan->taps_each), tgi_int(add),
                                   tgi_buffer(x), tgi_local(plan->copy_bytes))));
cleanup:
    return status;
}

tg_status tgi_channels_weights(const tgi_conv *conv, const tgi_channels_plan *plan,
                               const tg_tensor *x, const tg_tensor *y, tg_tensor *dw)
{
    tg_status status = TG_OK;
    size_t kb = LANES * plan->nv, blocks = tgi_blocks(conv->k, kb),
           taps = conv->c * conv->r * conv->s;
    size_t rows = conv->n * conv->p;
    tgi_kernel *kernel, *sum;
    tg_tensor *part = NULL;
    char options[MAX_OPTIONS];

    snprintf(options, sizeof options, "-DR=%zu -DS=%zu -DST=%zu -DNV=%zu -DCB=%zu", conv->r,
             conv->s, conv->stride, plan->nv, plan->cb);
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_channels", "channels_weights", options, &kernel));
    snprintf(options, sizeof options, "-DNV=%zu", plan->nv);
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_channels", "channels_sum", options, &sum));
    TG_TRY(tg_tensor_new(x->dev, (tg_dims){1, plan->chunks, blocks * taps, kb}, &part));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE2(1, plan->chunks),
        TGI_ARGS(tgi_buffer(x), tgi_int(conv->c), tgi_int(conv->h), tgi_int(conv->w),
                 tgi_int(conv->pad), tgi_int(conv->pad), tgi_int(conv->is_reflected), tgi_buffer(y),
                 tgi_int(conv->k), tgi_int(conv->p), tgi_int(conv->q), tgi_int(rows),
                 tgi_int(tgi_blocks(rows, plan->chunks)), tgi_int(plan->strip),
                 tgi_int(plan->pitch), tgi_buffer(part), tgi_local(plan->copy_bytes))));
    TG_TRY(tgi_kernel_run(sum, TGI_RANGE2(tgi_blocks(taps, LANES), blocks),
                          TGI_ARGS(tgi_buffer(part), tgi_int(plan->chunks), tgi_int(conv->k),
                                   tgi_int(taps), tgi_buffer(dw))));
cleanup:
    tg_tensor_free(part);
    return status;
}

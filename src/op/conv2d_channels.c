/* conv2d_channels.c -- convolution in vectors of output channels (cl/conv2d_channels.cl): how a layer is cut into groups, packed
 * weights, launches. */
#include "config.h"
#include "op/conv2d_channels.h"
#include "op/op.h"

#include <stdio.h>

#include "base/banned.h"

enum { LANES = 16, MAX_OPTIONS = 160, ACCUMULATORS = 28 };
/* What one group may copy, beside the sums that lie in the same level-2 cache. */
enum { COPY_BYTES = 1 << 20 };
/* Pixels that a weight gradient sums up before it goes to memory; and groups, so that there is work for several cores. */
enum { STRIP_PIXELS = 256, MIN_CHUNKS = 4 };

static size_t ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Lanes without a channel cost time. */
static bool fills_lanes(size_t channels, size_t nv)
{
    return 4 * channels >= 3 * ceil_div(channels, LANES * nv) * LANES * nv;
}

bool tgi_channels_plan_weights(const tg_device *dev, const tgi_conv *conv, tgi_channels_plan *plan)
{
    *plan = (tgi_channels_plan){.nv = conv->k > LANES ? 2 : 1, .parts = 1};
    if (dev->info.vector_width < LANES || conv->q < LANES || conv->s * plan->nv > ACCUMULATORS ||
        !fills_lanes(conv->k, plan->nv))
        return false;
    plan->cb = smaller(ACCUMULATORS / (conv->s * plan->nv), conv->c);
    plan->strip = smaller(larger(STRIP_PIXELS / conv->q, 1), conv->p);
    plan->pitch =
        ceil_div(larger(conv->w + 2 * conv->pad, (conv->q - 1) * conv->stride + conv->s), LANES) *
            LANES +
        4;
    size_t rows = (plan->strip - 1) * conv->stride + conv->r;
    size_t width = ceil_div(conv->k, LANES * plan->nv) * LANES * plan->nv;
    plan->copy_bytes =
        (plan->strip * conv->q * width + conv->c * rows * plan->pitch) * sizeof(float);
    plan->chunks =
        ceil_div(conv->n * conv->p, larger(ceil_div(conv->n * conv->p, MIN_CHUNKS), plan->strip));
    return plan->copy_bytes <= smaller(COPY_BYTES, dev->info.local_bytes);
}

static void write_options(const tgi_conv *conv, const tgi_channels_plan *plan, char *options,
                          size_t size)
{
    snprintf(options, size, "-DR=%zu -DS=%zu -DST=%zu -DNV=%zu -DTQ=%zu -DCB=%zu", conv->r, conv->s,
             conv->stride, plan->nv, plan->tq, plan->cb);
}

tg_status tgi_channels_weights(const tgi_conv *conv, const tgi_channels_plan *plan,
                               const tg_tensor *x, const tg_tensor *y, tg_tensor *dw)
{
    tg_status status = TG_OK;
    size_t kb = LANES * plan->nv, blocks = ceil_div(conv->k, kb),
           taps = conv->c * conv->r * conv->s;
    size_t rows = conv->n * conv->p;
    tgi_kernel *kernel, *sum;
    tg_tensor *part = NULL;
    char options[MAX_OPTIONS];

    write_options(conv, plan, options, sizeof options);
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_channels", "channels_weights", options, &kernel));
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_channels", "channels_sum", options, &sum));
    TG_TRY(tg_tensor_new(x->dev, (tg_dims){1, plan->chunks, blocks * taps, kb}, &part));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE2(plan->parts, plan->chunks),
        TGI_ARGS(tgi_buffer(x), tgi_int(conv->c), tgi_int(conv->h), tgi_int(conv->w),
                 tgi_int(conv->pad), tgi_int(conv->pad), tgi_int(conv->is_reflected), tgi_buffer(y),
                 tgi_int(conv->k), tgi_int(conv->p), tgi_int(conv->q), tgi_int(rows),
                 tgi_int(ceil_div(rows, plan->chunks)), tgi_int(plan->strip), tgi_int(plan->pitch),
                 tgi_buffer(part), tgi_local(plan->copy_bytes))));
    TG_TRY(tgi_kernel_run(sum, TGI_RANGE2(ceil_div(taps, LANES), blocks),
                          TGI_ARGS(tgi_buffer(part), tgi_int(plan->chunks), tgi_int(conv->k),
                                   tgi_int(taps), tgi_buffer(dw))));
cleanup:
    tg_tensor_free(part);
    return status;
}

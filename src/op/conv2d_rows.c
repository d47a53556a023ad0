/* conv2d_rows.c -- convolution on planes (cl/conv2d_rows.cl): how a layer is cut into groups, packed weights, launches. */
#include "config.h"
#include "op/conv2d_rows.h"
#include "op/op.h"

#include <stdio.h>

#include "base/banned.h"

/* Numbers of packed forms at a weights tensor: plus the outputs of a tile. */
enum { KIND_GATHER = 1000, KIND_SCATTER = 1100 };
enum { LANES = 16, MAX_OPTIONS = 200, MAX_UNITS = 8 };
/* Copies fill a good part of a level-2 cache, tiles of dy half a level-1 cache. */
enum { COPY_BYTES = 512 << 10, GRADIENT_BYTES = 24 << 10 };
/* Groups wanted, so that there is work for several cores. */
enum { MIN_GROUPS = 4, MIN_SLICES = 16 };

/* Accumulators: 32 vector registers where vectors have 16 lanes, else 16 registers of which a float16 takes two. */
static size_t accumulators(const tg_device *dev)
{
    return dev->info.vector_width >= LANES ? 28 : 7;
}

/* One map as the kernels see it: `inputs` planes of h x w become rows x columns outputs (of each phase of a scatter). */
typedef struct job {
    size_t n, inputs, h, w, outputs, rows, columns;
    size_t r, s, in_step, out_step;
    size_t row_back, col_back; /* how far in front of its place the input of an output begins */
    size_t row_span, col_span; /* and how many rows and columns more than one it has */
    size_t pad;                /* of a scatter */
    bool is_reflected;
    size_t hy, wy; /* the plane that is written */
    size_t border; /* rows and columns of outputs around it that are folded back */
} job;

/* A 1 x 1 convolution does not care about rows: a plane is one row. */
static void flatten(job *j)
{
    if (j->r > 1 || j->s > 1 || j->in_step > 1 || j->out_step > 1 || j->row_back)
        return;
    j->w *= j->h;
    j->columns *= j->rows;
    j->wy *= j->hy;
    j->h = j->rows = j->hy = 1;
}

static job gather_job(const tgi_conv *conv)
{
    job j = {.n = conv->n,
             .inputs = conv->c,
             .h = conv->h,
             .w = conv->w,
             .outputs = conv->k,
             .rows = conv->p,
             .columns = conv->q,
             .r = conv->r,
             .s = conv->s,
             .in_step = conv->stride,
             .out_step = 1,
             .row_back = conv->pad,
             .col_back = conv->pad,
             .row_span = conv->r - 1,
             .col_span = conv->s - 1,
             .is_reflected = conv->is_reflected,
             .hy = conv->p,
             .wy = conv->q};

    flatten(&j);
    return j;
}

/* Stride 1: a gather with the taps turned round, over the image or (is_folded) over the image with its border. Else pixel
 * stride * j + phase comes from the outputs j + (phase + pad - tap) / stride, where that is whole. */
static job scatter_job(const tgi_conv *conv, bool is_folded)
{
    size_t border = is_folded ? conv->pad : 0;
    job j = {.n = conv->n,
             .inputs = conv->k,
             .h = conv->p,
             .w = conv->q,
             .outputs = conv->c,
             .rows = tgi_blocks(conv->h, conv->stride) + 2 * border,
             .columns = tgi_blocks(conv->w, conv->stride) + 2 * border,
             .r = conv->r,
             .s = conv->s,
             .in_step = 1,
             .out_step = conv->stride,
             .row_back = (conv->r - 1 - conv->pad) / conv->stride,
             .col_back = (conv->s - 1 - conv->pad) / conv->stride,
             .pad = conv->pad,
             .hy = conv->h,
             .wy = conv->w,
             .border = border};

    j.row_span = j.row_back + tgi_blocks(conv->pad, conv->stride);
    j.col_span = j.col_back + tgi_blocks(conv->pad, conv->stride);
    j.row_back += border;
    j.col_back += border;
    flatten(&j);
    return j;
}

/* Lanes that hold no pixel cost time, and so does putting a vector together from two or four rows. */
static size_t choose_vq(size_t rows, size_t columns)
{
    static const struct {
        size_t vq, cost;
    } forms[] = {{16, 100}, {8, 110}, {4, 125}};
    size_t best = 0, best_cost = 0;

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t vq = forms[i].vq, vp = LANES / vq;
        size_t cost = tgi_blocks(columns, vq) * tgi_blocks(rows, vp) * forms[i].cost;

        if (!best || cost < best_cost) {
            best = vq;
            best_cost = cost;
        }
    }
    return best;
}

static void set_rows(const job *j, size_t per_slice, tgi_rows_plan *plan)
{
    plan->slices = tgi_blocks(plan->unit_rows, per_slice);
    plan->rows = (tgi_blocks(plan->unit_rows, plan->slices) * plan->tp * (LANES / plan->vq) - 1) *
                     j->in_step +
                 j->row_span + 1;
}

static void set_units(const job *j, tgi_rows_plan *plan)
{
    size_t halo = j->is_reflected ? j->col_back : 0;

    plan->vq = choose_vq(j->rows, j->columns);
    plan->unit_rows = tgi_blocks(j->rows, plan->tp * (LANES / plan->vq));
    plan->unit_columns = tgi_blocks(j->columns, plan->vq);
    plan->pitch = tgi_larger(plan->unit_columns * plan->vq + j->col_span / j->in_step,
                             tgi_blocks(j->col_back + j->w + halo, j->in_step));
    plan->pitch = tgi_blocks(plan->pitch, 4) * 4;
}

static size_t plane_bytes(const job *j, const tgi_rows_plan *plan)
{
    return plan->rows * j->in_step * plan->pitch * sizeof(float);
}

/* Half cycles that a tap costs: multiply-adds and loads go two a cycle, of which a load across two lines counts twice. The copy
 * lies in the level-2 cache, so each vector of it costs again, once for all taps of a row. */
static double tap_cost(const tgi_rows_plan *plan, const job *j, size_t kt, size_t nq)
{
    double out_step = (double)j->out_step;
    double loads = 1.75 * (double)nq * (16.0 / (double)plan->vq) / out_step + (double)kt;
    double sums = (double)(kt * nq) + (16.0 / (double)plan->vq - 1) * (double)nq / out_step;
    double cost = loads > sums ? loads : sums, latency = 8.0 / out_step;

    return (cost > latency ? cost : latency) + 3.0 * (double)nq / (double)j->s + 1.0;
}

static void choose_tile(const tg_device *dev, const job *j, size_t units, tgi_rows_plan *plan)
{
    double best = 0;

    for (size_t nq = 1; nq <= MAX_UNITS && nq <= units; nq++) {
        size_t registers = accumulators(dev), limit;

        /* beside the accumulators, a vector a unit stays in its register */
        limit = registers > nq ? (registers - nq) / (nq * j->out_step) : 0;
        if (nq > 1 && !limit)
            break;
        size_t rows = j->outputs * plan->tp, tiles = tgi_blocks(rows, tgi_larger(limit, plan->tp));
        size_t kt = tgi_blocks(j->outputs, tiles) * plan->tp;
        double cost = (double)(tiles * tgi_blocks(units, nq)) * tap_cost(plan, j, kt, nq);

        if (nq == 1 || cost < best) {
            best = cost;
            plan->nq = nq;
            plan->kt = kt;
        }
    }
}

/* Rows to a slice: as many as the copy may hold, but some slices where the image allows it. A border must lie in the slice that
 * has its mirror image. */
static bool cut_rows(const tg_device *dev, const job *j, tgi_rows_plan *plan)
{
    size_t vp = plan->tp * (LANES / plan->vq), per_slice;
    size_t limit = tgi_smaller(COPY_BYTES * (j->outputs <= 4 ? 3 : 1), dev->info.local_bytes);

    per_slice = tgi_larger(
        plan->unit_rows / tgi_blocks(plan->unit_rows > MIN_SLICES ? MIN_SLICES : MIN_GROUPS, j->n),
        1);
    if (j->border)
        per_slice = tgi_larger(per_slice, 2 * (2 * j->border / vp + 2));
    for (;; per_slice--) {
        set_rows(j, per_slice, plan);
        if (j->border && plan->slices > 1 &&
            plan->unit_rows / plan->slices < 2 * j->border / vp + 2)
            return false;
        if (j->inputs * plane_bytes(j, plan) <= limit)
            return true;
        if (per_slice == 1)
            return j->inputs * plane_bytes(j, plan) <= dev->info.local_bytes;
    }
}

static bool plan_rows(const tg_device *dev, const job *j, tgi_rows_plan *plan)
{
    *plan = (tgi_rows_plan){
        .cb = 1, .tp = j->outputs == 1 && j->out_step == 1 && j->r > 1 ? 2 : 1, .images = 1};
    if (j->columns < 4 || j->s > LANES)
        return false;
    set_units(j, plan);
    if (!cut_rows(dev, j, plan))
        return false;
    size_t per_image = plan->unit_rows / plan->slices * plan->unit_columns;
    if (plan->slices == 1 && per_image < MAX_UNITS) {
        size_t fit =
            tgi_smaller(COPY_BYTES, dev->info.local_bytes) / (j->inputs * plane_bytes(j, plan));
        size_t wanted =
            tgi_smaller(tgi_blocks(MAX_UNITS, per_image), tgi_larger(j->n / MIN_GROUPS, 1));

        plan->images = tgi_larger(tgi_smaller(wanted, fit), 1);
    }
    choose_tile(dev, j, per_image * plan->images, plan);
    size_t groups = tgi_blocks(j->n, plan->images) * plan->slices;
    size_t tiles = tgi_blocks(j->outputs * plan->tp, plan->kt);
    plan->parts = groups < MIN_GROUPS ? tgi_smaller(tiles, tgi_blocks(MIN_GROUPS, groups)) : 1;
    plan->tiles_each = tgi_blocks(tiles, plan->parts);
    plan->parts = tgi_blocks(tiles, plan->tiles_each);
    plan->copy_bytes = j->inputs * plan->images * plane_bytes(j, plan);
    return true;
}

bool tgi_rows_plan_gather(const tg_device *dev, const tgi_conv *conv, tgi_rows_plan *plan)
{
    const job j = gather_job(conv);

    return plan_rows(dev, &j, plan);
}

bool tgi_rows_plan_scatter(const tg_device *dev, const tgi_conv *conv, bool is_folded,
                           tgi_rows_plan *plan)
{
    if (conv->pad >= conv->r || conv->pad >= conv->s || (is_folded && conv->stride > 1))
        return false;
    const job j = scatter_job(conv, is_folded);
    return plan_rows(dev, &j, plan);
}

/* What the kernels of a scatter divide rows by; a gather's copy has its padding. */
static size_t pad_of(const job *j)
{
    return j->out_step > 1 ? j->pad : 0;
}

static tg_status pack(const job *j, const tgi_rows_plan *plan, bool is_scatter, tg_tensor *w,
                      cl_mem *packed)
{
    tg_status status = TG_OK;
    size_t tiles = tgi_blocks(j->outputs * plan->tp, plan->kt);
    size_t taps = (j->r + (plan->tp - 1) * j->in_step) * j->s;
    tgi_kernel *kernel;
    bool is_fresh;

    TG_TRY(tgi_tensor_packed(w, (is_scatter ? KIND_SCATTER : KIND_GATHER) + (int)plan->kt,
                             tiles * plan->kt * j->inputs * taps * sizeof(float), packed,
                             &is_fresh));
    if (is_fresh)
        return TG_OK;
    TG_TRY(tgi_kernel_get(w->dev, "conv2d_rows", "pack_rows", "-DFORMS", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(j->inputs, tiles),
                          TGI_ARGS(tgi_buffer(w), tgi_int(j->outputs), tgi_int(j->inputs),
                                   tgi_int(is_scatter), tgi_int(j->r), tgi_int(j->s),
                                   tgi_int(j->in_step), tgi_int(j->out_step), tgi_int(pad_of(j)),
                                   tgi_int(plan->kt), tgi_int(plan->tp), tgi_mem(*packed))));
cleanup:
    return status;
}

static void write_options(const job *j, const tgi_rows_plan *plan, char *options, size_t size)
{
    snprintf(options, size,
             "-DR=%zu -DS=%zu -DIN_STEP=%zu -DOUT_STEP=%zu -DPAD=%zu -DVQ=%zu -DKT=%zu -DNQ=%zu "
             "-DJOINED=%d -DTP=%zu",
             j->r, j->s, j->in_step, j->out_step, pad_of(j), plan->vq, plan->kt, plan->nq,
             plan->unit_columns % plan->nq == 0, plan->tp);
}

static tg_status run(const job *j, const tgi_rows_plan *plan, bool is_scatter, const tg_tensor *x,
                     tg_tensor *w, const tg_tensor *b, bool add, tg_tensor *y)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];
    cl_mem packed;

    TG_TRY(pack(j, plan, is_scatter, w, &packed));
    write_options(j, plan, options, sizeof options);
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_rows", "conv_rows", options, &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE2(plan->parts, tgi_blocks(j->n, plan->images) * plan->slices),
        TGI_ARGS(tgi_buffer(x), tgi_int(j->n), tgi_int(j->inputs), tgi_int(j->h), tgi_int(j->w),
                 tgi_int(j->row_back), tgi_int(j->col_back), tgi_int(j->is_reflected),
                 tgi_mem(packed), b ? tgi_buffer(b) : tgi_mem(packed), tgi_int(b != NULL),
                 tgi_int(j->outputs), tgi_int(plan->images), tgi_int(plan->unit_rows),
                 tgi_int(plan->unit_columns), tgi_int(plan->slices), tgi_int(plan->rows),
                 tgi_int(plan->pitch), tgi_int(plan->tiles_each), tgi_int(j->hy), tgi_int(j->wy),
                 tgi_int(j->border), tgi_int(add), tgi_buffer(y), tgi_local(plan->copy_bytes))));
cleanup:
    return status;
}

tg_status tgi_rows_gather(const tgi_conv *conv, const tgi_rows_plan *plan, const tg_tensor *x,
                          tg_tensor *w, const tg_tensor *b, bool add, tg_tensor *y)
{
    const job j = gather_job(conv);

    return run(&j, plan, false, x, w, b, add, y);
}

tg_status tgi_rows_scatter(const tgi_conv *conv, const tgi_rows_plan *plan, const tg_tensor *y,
                           tg_tensor *w, const tg_tensor *b, bool add, tg_tensor *x)
{
    const job j = scatter_job(conv, conv->is_reflected);

    return run(&j, plan, true, y, w, b, add, x);
}

/* Tile of the weight gradient: kt outputs times cb * s taps as accumulators, and the smaller set of operands in registers too.
 * As many outputs as fit, fewer where that leaves fewer rows of zeros. */
static bool fits_registers(const tg_device *dev, size_t kt, size_t taps)
{
    return kt * taps + tgi_smaller(kt, taps) <= accumulators(dev) + 2;
}

static void choose_weight_tile(const tg_device *dev, const job *j, tgi_rows_plan *plan)
{
    size_t limit = 1, best = 0;

    while (limit < LANES / 2 && limit < j->outputs && fits_registers(dev, limit + 1, j->s))
        limit++;
    for (size_t kt = limit; kt >= tgi_larger(limit / 2, 1); kt--) {
        size_t padded = tgi_blocks(j->outputs, kt) * kt;

        if (!best || padded < best) {
            best = padded;
            plan->kt = kt;
        }
    }
    plan->cb = 1;
    while (plan->cb < j->inputs && fits_registers(dev, plan->kt, (plan->cb + 1) * j->s))
        plan->cb++;
    plan->cb = tgi_blocks(j->inputs, tgi_blocks(j->inputs, plan->cb));
}

/* Input channels and tiles to a group; `gradient` bytes of local memory are taken, `each` are wanted by cb channels. */
static bool share_channels(const tg_device *dev, const job *j, size_t chunks, size_t each,
                           size_t gradient, tgi_rows_plan *plan)
{
    size_t blocks = tgi_blocks(j->inputs, plan->cb);
    size_t fit = dev->info.local_bytes > gradient ? (dev->info.local_bytes - gradient) / each : 0;

    if (!fit)
        return false;
    fit = tgi_smaller(fit, tgi_larger(COPY_BYTES / each, 1));
    if (chunks < MIN_GROUPS)
        fit = tgi_smaller(fit, tgi_larger(blocks * chunks / MIN_GROUPS, 1));
    plan->channels_each = tgi_blocks(blocks, tgi_blocks(blocks, fit)) * plan->cb;
    plan->c_parts = tgi_blocks(blocks * plan->cb, plan->channels_each);
    size_t tiles = tgi_blocks(j->outputs, plan->kt), groups = chunks * plan->c_parts;
    plan->parts = groups < MIN_GROUPS ? tgi_smaller(tiles, tgi_blocks(MIN_GROUPS, groups)) : 1;
    plan->tiles_each = tgi_blocks(tiles, plan->parts);
    plan->parts = tgi_blocks(tiles, plan->tiles_each);
    plan->copy_bytes = plan->channels_each / plan->cb * each + gradient;
    return true;
}

/* Vectors of channels, where those of pixels have several rows and there are registers for tiles of two vectors. */
enum { KV = 2, TILE_TAPS = 12 };

static bool plan_channels(const tg_device *dev, const job *j, tgi_rows_plan *plan)
{
    if (plan->vq == LANES || accumulators(dev) < KV * TILE_TAPS + KV || j->s > TILE_TAPS ||
        j->outputs < KV * LANES)
        return false;
    plan->kv = KV;
    plan->kt = KV * LANES;
    plan->cb = tgi_smaller(TILE_TAPS / j->s, j->inputs);
    plan->slices = 1;
    set_rows(j, plan->unit_rows, plan);
    plan->images = tgi_smaller(
        j->n, tgi_larger(COPY_BYTES / MIN_GROUPS / (plan->cb * plane_bytes(j, plan)), 1));
    return share_channels(dev, j, tgi_blocks(j->n, plan->images),
                          plan->cb * plan->images * plane_bytes(j, plan), 0, plan);
}

bool tgi_rows_plan_weights(const tg_device *dev, const tgi_conv *conv, tgi_rows_plan *plan)
{
    const job j = gather_job(conv);

    *plan = (tgi_rows_plan){.nq = 1, .tp = 1, .images = 1};
    if (j.columns < 4 || j.s > LANES)
        return false;
    set_units(&j, plan);
    if (plan_channels(dev, &j, plan))
        return true;
    plan->kv = 0;
    plan->images = 1;
    choose_weight_tile(dev, &j, plan);
    size_t unit_bytes = plan->kt * LANES * sizeof(float), budget = GRADIENT_BYTES / unit_bytes;
    size_t per_image = plan->unit_rows * plan->unit_columns;
    if (per_image <= budget) {
        set_rows(&j, plan->unit_rows, plan);
        plan->images = tgi_smaller(j.n, budget / per_image);
    } else {
        set_rows(&j, tgi_larger(budget / plan->unit_columns, 1), plan);
    }
    size_t gradient = plan->images * tgi_blocks(plan->unit_rows, plan->slices) *
                      plan->unit_columns * (unit_bytes + sizeof(cl_int));
    return share_channels(dev, &j, tgi_blocks(j.n, plan->images) * plan->slices,
                          plan->cb * plan->images * plane_bytes(&j, plan), gradient, plan);
}

/* part for vectors of channels. */
static tg_status sum_channels(const job *j, const tgi_rows_plan *plan, size_t chunks,
                              const tg_tensor *x, const tg_tensor *y, tg_tensor *part)
{
    tg_status status = TG_OK;
    size_t tiles = tgi_blocks(j->outputs, plan->kt), plane = j->rows * j->columns;
    tgi_kernel *kernel, *turn;
    tg_tensor *turned = NULL;
    char options[MAX_OPTIONS];

    snprintf(options, sizeof options, "-DWEIGHTS -DR=%zu -DS=%zu -DIN_STEP=%zu -DCB=%zu -DKV=%zu",
             j->r, j->s, j->in_step, plan->cb, plan->kv);
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_rows", "rows_weights_channels", options, &kernel));
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_rows", "channels_inside", "-DFORMS", &turn));
    TG_TRY(tg_tensor_new(x->dev, (tg_dims){j->n, plane, tiles, plan->kt}, &turned));
    TG_TRY(tgi_kernel_run(turn, TGI_RANGE2(tiles * plan->kv, j->n),
                          TGI_ARGS(tgi_buffer(y), tgi_int(j->outputs), tgi_int(plane),
                                   tgi_int(tiles * plan->kt), tgi_buffer(turned))));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE3(plan->parts, plan->c_parts, chunks),
                          TGI_ARGS(tgi_buffer(x), tgi_int(j->n), tgi_int(j->inputs), tgi_int(j->h),
                                   tgi_int(j->w), tgi_int(j->row_back), tgi_int(j->col_back),
                                   tgi_int(j->is_reflected), tgi_buffer(turned),
                                   tgi_int(tiles * plan->kt), tgi_int(j->rows), tgi_int(j->columns),
                                   tgi_int(plan->images), tgi_int(plan->rows), tgi_int(plan->pitch),
                                   tgi_int(plan->tiles_each), tgi_int(plan->channels_each),
                                   tgi_buffer(part), tgi_local(plan->copy_bytes))));
cleanup:
    tg_tensor_free(turned);
    return status;
}

/* part for vectors of pixels. */
static tg_status sum_pixels(const job *j, const tgi_rows_plan *plan, size_t chunks,
                            const tg_tensor *x, const tg_tensor *y, tg_tensor *part)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];

    snprintf(options, sizeof options,
             "-DWEIGHTS -DR=%zu -DS=%zu -DIN_STEP=%zu -DVQ=%zu -DKT=%zu -DCB=%zu", j->r, j->s,
             j->in_step, plan->vq, plan->kt, plan->cb);
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_rows", "rows_weights", options, &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE3(plan->parts, plan->c_parts, chunks),
                          TGI_ARGS(tgi_buffer(x), tgi_int(j->n), tgi_int(j->inputs), tgi_int(j->h),
                                   tgi_int(j->w), tgi_int(j->row_back), tgi_int(j->col_back),
                                   tgi_int(j->is_reflected), tgi_buffer(y), tgi_int(j->outputs),
                                   tgi_int(j->rows), tgi_int(j->columns), tgi_int(plan->images),
                                   tgi_int(plan->unit_rows), tgi_int(plan->unit_columns),
                                   tgi_int(plan->slices), tgi_int(plan->rows), tgi_int(plan->pitch),
                                   tgi_int(plan->tiles_each), tgi_int(plan->channels_each),
                                   tgi_buffer(part), tgi_local(plan->copy_bytes))));
cleanup:
    return status;
}

tg_status tgi_rows_weights(const tgi_conv *conv, const tgi_rows_plan *plan, const tg_tensor *x,
                           const tg_tensor *y, tg_tensor *dw)
{
    tg_status status = TG_OK;
    const job j = gather_job(conv);
    size_t tiles = tgi_blocks(j.outputs, plan->kt), blocks = tgi_blocks(j.inputs, plan->cb);
    size_t chunks = tgi_blocks(j.n, plan->images) * plan->slices;
    size_t sums = tgi_blocks(plan->kt * plan->cb * j.s, LANES) * LANES;
    tgi_kernel *sum;
    tg_tensor *part = NULL;

    TG_TRY(tgi_kernel_get(x->dev, "conv2d_rows", "sum_rows_weights", "-DFORMS", &sum));
    TG_TRY(tg_tensor_new(x->dev, (tg_dims){chunks, tiles, blocks * j.r, sums}, &part));
    TG_TRY((plan->kv ? sum_channels : sum_pixels)(&j, plan, chunks, x, y, part));
    TG_TRY(tgi_kernel_run(sum, TGI_RANGE2(blocks, tiles),
                          TGI_ARGS(tgi_buffer(part), tgi_int(chunks), tgi_int(j.outputs),
                                   tgi_int(j.inputs), tgi_int(j.r), tgi_int(j.s), tgi_int(plan->kt),
                                   tgi_int(plan->cb), tgi_int(sums), tgi_int(plan->kv > 0),
                                   tgi_buffer(dw))));
cleanup:
    tg_tensor_free(part);
    return status;
}

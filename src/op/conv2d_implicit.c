/* conv2d_implicit.c -- implicit GEMM for graphics cards (cl/conv2d_implicit.cl): tiles, packed weights, splits, launches. */
#include "config.h"
#include "op/conv2d_implicit.h"
#include "op/op.h"
#include "op/tensor_core.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

/* Numbers of packed forms at a weights tensor; to each is added which tile, and for scatter which stride. */
enum { KIND_GATHER = 10000, KIND_SCATTER = 20000 };
enum { MAX_OPTIONS = 192, MAX_STRIDE = 16, N_TILES = 7, FIRST_TENSOR_TILE = 4 };
/* Below this many work-groups a card would idle: the sum is split. A function of the shape alone, so that every device sums alike. */
enum { WANTED_GROUPS = 128, MIN_STEPS = 8 };
/* Of cl/conv2d_few.cl: its tile, work-items, rows of a strip, channels between barriers; smaller groups, of which a card takes more. */
enum { FEW_TILE_W = 32, FEW_TILE_H = 8, FEW_ITEMS = 64, FEW_ROWS = 32, FEW_CHANNELS = 4 };
enum { MAX_FEW_TAPS = 7, WANTED_FEW_GROUPS = 2048 };
/* Pixels that one float sum of the weight gradient takes, at most: longer sums would lose digits. */
enum { MAX_SUM = 4096 };

/* For correlations: few channels out, up to 32, up to 64 or few pixels, the rest; then the last three for matrix units. */
static const tgi_conv_tile tiles[N_TILES] = {{4, 256, 8, 4, 4, false},  {32, 64, 8, 4, 8, false},
                                             {64, 64, 16, 4, 8, false}, {128, 128, 8, 8, 8, false},
                                             {32, 64, 16, 4, 8, true},  {64, 64, 16, 4, 8, true},
                                             {128, 128, 16, 8, 8, true}};
/* For sums over pixels, likewise. */
static const tgi_conv_tile line_tiles[N_TILES] = {
    {8, 128, 8, 4, 4, false},   {32, 32, 16, 4, 4, false}, {64, 64, 16, 4, 8, false},
    {128, 128, 8, 8, 8, false}, {32, 32, 16, 4, 4, true},  {64, 64, 16, 4, 8, true},
    {128, 128, 16, 8, 8, true}};

static size_t groups_of(const tgi_conv_tile *t, size_t m, size_t columns)
{
    return tgi_blocks(m, t->bm) * tgi_blocks(columns, t->bn);
}

/* The tile of this number for matrix units, where they are used. */
static size_t for_device(tg_device *dev, size_t tile)
{
    return tile && tgi_tensor_core_options(dev) ? tile + FIRST_TENSOR_TILE - 1 : tile;
}

/* `batch` products of this size run at once. */
static size_t choose_tile(tg_device *dev, size_t m, size_t columns, size_t batch)
{
    if (m <= 4)
        return 0;
    if (m <= 32)
        return for_device(dev, 1);
    return for_device(dev,
                      m > 64 && batch * groups_of(&tiles[3], m, columns) >= WANTED_GROUPS ? 3 : 2);
}

static size_t choose_line_tile(tg_device *dev, size_t m, size_t columns)
{
    if (m <= 8)
        return 0;
    if (m <= 32 || columns <= 32)
        return for_device(dev, 1);
    return for_device(dev, m > 64 && columns > 512 ? 3 : 2);
}

/* Parts of a sum of `steps` steps, so that `groups` become enough. */
static size_t splits_of(size_t steps, size_t groups)
{
    size_t splits = groups < WANTED_GROUPS ? tgi_blocks(WANTED_GROUPS, groups) : 1;

    if (splits > steps / MIN_STEPS)
        splits = steps >= MIN_STEPS ? steps / MIN_STEPS : 1;
    return splits;
}

/* Steps of a part, the same, but no longer than a float sum may be. */
static size_t steps_each(const tgi_conv_tile *t, size_t sums, size_t groups)
{
    size_t steps = tgi_blocks(sums, t->bk), each = tgi_blocks(steps, splits_of(steps, groups));

    return each < MAX_SUM / t->bk ? each : MAX_SUM / t->bk;
}

static void describe(tg_device *dev, const tgi_conv_tile *t, const char *kernel, bool is_aligned,
                     bool is_split, char options[MAX_OPTIONS])
{
    snprintf(options, MAX_OPTIONS,
             "-D%s -DBM=%zu -DBN=%zu -DBK=%zu -DTM=%zu -DTN=%zu -DALIGNED=%d -DSPLIT=%d%s", kernel,
             t->bm, t->bn, t->bk, t->tm, t->tn, is_aligned, is_split,
             t->is_tensor ? tgi_tensor_core_options(dev) : "");
}

static tg_status new_values(tg_device *dev, size_t rows, size_t columns, tg_tensor **out)
{
    return tg_tensor_new(dev, (tg_dims){1, 1, rows, columns}, out);
}

/* One correlation: the gather, or the scatter with all its phases, one for each residue of rows and columns modulo its step. */
typedef struct correlation {
    const tg_tensor *x;
    size_t n, c, h, w; /* of x */
    size_t r, s, stride;
    bool is_scatter, is_reflected; /* reflected: a mirror around x, else zeros */
    ptrdiff_t
        offset; /* gather: where output (0,0) begins in x; scatter: where pixel (0,0) lies in the padded image */
    cl_mem packed;
    const tg_tensor *bias;
    size_t m, hy, wy; /* y, into which a phase writes every step-th pixel each way */
    size_t p, q;      /* outputs of the phase with the most */
    size_t step;
    bool add;
    tg_tensor *y;
    const tgi_conv_tile *tile;
} correlation;

/* Channels of one tap in the packed weights: whole tiles, unless there are so few that a tile spans taps. */
static size_t padded_channels(const correlation *a)
{
    return a->c < a->tile->bk ? a->c : tgi_blocks(a->c, a->tile->bk) * a->tile->bk;
}

/* Of the phase with the most taps. */
static size_t steps_of(const correlation *a)
{
    size_t taps = tgi_blocks(a->r, a->step) * tgi_blocks(a->s, a->step);

    return tgi_blocks(taps * padded_channels(a), a->tile->bk);
}

static size_t phases_of(const correlation *a)
{
    return a->step * a->step;
}

static tgi_arg signed_int(ptrdiff_t value)
{
    return (tgi_arg){sizeof(cl_int), {.i = (cl_int)value}, 0};
}

static tg_status add_parts(const correlation *a, const tg_tensor *parts, size_t splits)
{
    tg_status status = TG_OK;
    size_t columns = a->n * a->p * a->q;
    tgi_kernel *sum;

    TG_TRY(tgi_kernel_get(a->y->dev, "conv2d_implicit", "implicit_sum", "", &sum));
    TG_TRY(tgi_kernel_run(sum, TGI_RANGE3(columns, a->m, phases_of(a)),
                          TGI_ARGS(tgi_buffer(parts), tgi_int(splits), tgi_int(a->m * columns),
                                   tgi_buffer(a->bias ? a->bias : parts), tgi_int(a->bias != NULL),
                                   tgi_int(a->m), tgi_int(a->n), tgi_int(a->p), tgi_int(a->q),
                                   tgi_int(a->hy), tgi_int(a->wy), tgi_int(a->is_scatter),
                                   signed_int(a->offset), tgi_int(a->step), tgi_int(a->add),
                                   tgi_buffer(a->y))));
cleanup:
    return status;
}

/* dw += the parts [splits][k][columns]. */
static tg_status add_weight_parts(tg_tensor *dw, size_t k, size_t columns, const tg_tensor *parts,
                                  size_t splits)
{
    const correlation whole = {.n = 1,
                               .m = k,
                               .hy = 1,
                               .wy = columns,
                               .p = 1,
                               .q = columns,
                               .step = 1,
                               .add = true,
                               .y = dw};

    return add_parts(&whole, parts, splits);
}

/* ---- few outputs: cl/conv2d_few.cl ---- */

/* A stride of 1, no more outputs than a work-item keeps, taps that a compiler may unroll. */
static bool is_few(size_t outputs, size_t r, size_t s, size_t stride)
{
    return outputs <= 4 && stride == 1 && r <= MAX_FEW_TAPS && s <= MAX_FEW_TAPS;
}

static tg_status correlate_few(const correlation *a, tg_tensor *w)
{
    tg_status status = TG_OK;
    size_t across = tgi_blocks(a->q, FEW_TILE_W), down = tgi_blocks(a->p, FEW_TILE_H),
           groups = across * down * a->n, most = tgi_blocks(a->c, FEW_CHANNELS),
           splits = groups < WANTED_FEW_GROUPS ? tgi_blocks(WANTED_FEW_GROUPS, groups) : 1,
           taps = a->r * a->s;
    tg_tensor *parts = NULL;
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];

    splits = splits < most ? splits : most;
    snprintf(options, sizeof options, "-DCORRELATE -DR=%zu -DS=%zu -DM=%zu -DCB=%d", a->r, a->s,
             a->m, FEW_CHANNELS);
    TG_TRY(tgi_kernel_get(a->x->dev, "conv2d_few", "few_correlate", options, &kernel));
    if (splits > 1)
        TG_TRY(new_values(a->x->dev, splits * a->m, a->n * a->p * a->q, &parts));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE3(across * kernel->local[0], down, a->n * splits),
        TGI_ARGS(
            tgi_buffer(a->x), tgi_int(a->c), tgi_int(a->h), tgi_int(a->w),
            signed_int(a->is_scatter ? a->offset + 1 - (ptrdiff_t)a->r : a->offset),
            signed_int(a->is_scatter ? a->offset + 1 - (ptrdiff_t)a->s : a->offset),
            tgi_int(a->is_reflected), tgi_buffer(w), tgi_int(a->is_scatter ? taps : a->c * taps),
            tgi_int(a->is_scatter ? a->m * taps : taps), tgi_int(a->is_scatter), tgi_int(splits),
            tgi_buffer(a->bias && !parts ? a->bias : w), tgi_int(a->bias && !parts), tgi_int(a->p),
            tgi_int(a->q), tgi_int(a->add && !parts), tgi_buffer(parts ? parts : a->y))));
    if (parts)
        TG_TRY(add_parts(a, parts, splits));
cleanup:
    tg_tensor_free(parts);
    return status;
}

static tg_status weights_few(const tgi_conv *conv, const tg_tensor *x, const tg_tensor *y,
                             tg_tensor *dw)
{
    tg_status status = TG_OK;
    size_t strips = conv->n * tgi_blocks(conv->q, 4) * tgi_blocks(conv->p, FEW_ROWS),
           groups = tgi_blocks(strips, FEW_ITEMS), columns = conv->c * conv->r * conv->s;
    tg_tensor *parts = NULL;
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];

    snprintf(options, sizeof options, "-DWEIGHTS -DR=%zu -DS=%zu -DROWS=%d", conv->r, conv->s,
             FEW_ROWS);
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_few", "few_weights", options, &kernel));
    TG_TRY(new_values(x->dev, groups * conv->k, columns, &parts));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE3(groups * kernel->local[0], conv->c, conv->k),
                          TGI_ARGS(tgi_buffer(x), tgi_int(conv->n), tgi_int(conv->c),
                                   tgi_int(conv->h), tgi_int(conv->w), tgi_int(conv->pad),
                                   tgi_int(conv->is_reflected), tgi_buffer(y), tgi_int(conv->k),
                                   tgi_int(conv->p), tgi_int(conv->q), tgi_buffer(parts))));
    TG_TRY(add_weight_parts(dw, conv->k, columns, parts, groups));
cleanup:
    tg_tensor_free(parts);
    return status;
}

/* ---- matrix products: cl/conv2d_implicit.cl ---- */

static tg_status correlate(const correlation *a)
{
    tg_status status = TG_OK;
    const tgi_conv_tile *t = a->tile;
    size_t columns = a->n * a->p * a->q, m_padded = tgi_blocks(a->m, t->bm) * t->bm,
           steps = steps_of(a),
           splits = splits_of(steps, phases_of(a) * groups_of(t, a->m, columns));
    bool is_aligned = a->p * a->q % 4 == 0 && a->step == 1;
    tg_tensor *parts = NULL;
    tgi_kernel *kernel;
    char options[MAX_OPTIONS], more[MAX_OPTIONS + 64];

    describe(a->x->dev, t, "CORRELATE", is_aligned, splits > 1, options);
    snprintf(more, sizeof more, "%s%s", options, a->is_scatter ? " -DPHASES" : "");
    if (a->c < t->bk)
        snprintf(more + strlen(more), sizeof more - strlen(more), " -DFLAT=%zu -DFLAT_S=%zu", a->c,
                 a->s);
    TG_TRY(tgi_kernel_get(a->x->dev, "conv2d_implicit", "implicit_correlate", more, &kernel));
    if (splits > 1)
        TG_TRY(new_values(a->x->dev, phases_of(a) * splits * a->m, columns, &parts));
    TG_TRY(tgi_kernel_run(
        kernel,
        TGI_RANGE3(tgi_blocks(columns, t->bn) * kernel->local[0], tgi_blocks(a->m, t->bm),
                   phases_of(a) * splits),
        TGI_ARGS(tgi_buffer(a->x), tgi_int(a->c), tgi_int(a->h), tgi_int(a->w), tgi_int(a->r),
                 tgi_int(a->s), tgi_int(a->stride), signed_int(a->offset), tgi_int(a->is_reflected),
                 tgi_mem(a->packed), tgi_int(m_padded), tgi_int(steps * t->bk), tgi_int(splits),
                 a->bias ? tgi_buffer(a->bias) : tgi_mem(a->packed), tgi_int(a->bias != NULL),
                 tgi_int(a->m), tgi_int(a->n), tgi_int(a->p), tgi_int(a->q), tgi_int(a->hy),
                 tgi_int(a->wy), tgi_int(a->step), tgi_int(a->add),
                 tgi_buffer(parts ? parts : a->y))));
    if (splits > 1)
        TG_TRY(add_parts(a, parts, splits));
cleanup:
    tg_tensor_free(parts);
    return status;
}

/* Weights as a correlation reads them; m_step and c_step lead from one output or input channel to the next in w. */
static tg_status pack(correlation *a, tg_tensor *w, int kind)
{
    tg_status status = TG_OK;
    size_t rows = steps_of(a) * a->tile->bk, m_padded = tgi_blocks(a->m, a->tile->bm) * a->tile->bm,
           taps = a->r * a->s, m_step = a->is_scatter ? taps : a->c * taps,
           c_step = a->is_scatter ? a->m * taps : taps;
    tgi_kernel *kernel;
    bool is_fresh;

    TG_TRY(tgi_tensor_packed(w, kind, phases_of(a) * rows * m_padded * sizeof(float), &a->packed,
                             &is_fresh));
    if (is_fresh)
        return TG_OK;
    TG_TRY(tgi_kernel_get(w->dev, "conv2d_implicit", "implicit_pack", "", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE3(m_padded, rows, phases_of(a)),
                          TGI_ARGS(tgi_buffer(w), tgi_int(a->m), tgi_int(m_step), tgi_int(a->c),
                                   tgi_int(c_step), tgi_int(padded_channels(a)), tgi_int(a->r),
                                   tgi_int(a->s), tgi_int(a->step), tgi_int(a->is_scatter),
                                   tgi_int(m_padded), tgi_mem(a->packed))));
cleanup:
    return status;
}

static tg_status gather(const tgi_conv *conv, const tg_tensor *x, tg_tensor *w, const tg_tensor *b,
                        bool add, tg_tensor *y)
{
    tg_status status = TG_OK;
    size_t tile = choose_tile(x->dev, conv->k, conv->n * conv->p * conv->q, 1);
    correlation a = {.x = x,
                     .n = conv->n,
                     .c = conv->c,
                     .h = conv->h,
                     .w = conv->w,
                     .r = conv->r,
                     .s = conv->s,
                     .stride = conv->stride,
                     .offset = -(ptrdiff_t)conv->pad,
                     .is_reflected = conv->is_reflected,
                     .bias = b,
                     .m = conv->k,
                     .hy = conv->p,
                     .wy = conv->q,
                     .p = conv->p,
                     .q = conv->q,
                     .step = 1,
                     .add = add,
                     .y = y,
                     .tile = &tiles[tile]};

    if (is_few(a.m, a.r, a.s, a.stride))
        return correlate_few(&a, w);
    TG_TRY(pack(&a, w, KIND_GATHER + (int)tile));
    TG_TRY(correlate(&a));
cleanup:
    return status;
}

/* The largest number of outputs of a phase, of a line of `pixels`, the first of which lies `offset` into the padded line. */
static size_t most_outputs(size_t taps, size_t stride, size_t offset, size_t pixels)
{
    size_t most = 0;

    for (size_t i = 0; i < stride; i++) {
        size_t count = tgi_conv_phase_of(i, taps, stride, offset, pixels).count;
        most = count > most ? count : most;
    }
    return most;
}

/* Into the image `x` of h x w pixels, pixel 0 lying `offset` into the padded line. */
static tg_status scatter_at(const tgi_conv *conv, const tg_tensor *y, tg_tensor *w,
                            const tg_tensor *b, size_t offset, size_t h, size_t width, bool add,
                            tg_tensor *x)
{
    tg_status status = TG_OK;
    size_t p = most_outputs(conv->r, conv->stride, offset, h),
           q = most_outputs(conv->s, conv->stride, offset, width);
    size_t tile = choose_tile(x->dev, conv->c, conv->n * p * q, conv->stride * conv->stride);
    correlation a = {.x = y,
                     .n = conv->n,
                     .c = conv->k,
                     .h = conv->p,
                     .w = conv->q,
                     .r = conv->r,
                     .s = conv->s,
                     .stride = 1,
                     .is_scatter = true,
                     .offset = (ptrdiff_t)offset,
                     .bias = b,
                     .m = conv->c,
                     .hy = h,
                     .wy = width,
                     .p = p,
                     .q = q,
                     .step = conv->stride,
                     .add = add,
                     .y = x,
                     .tile = &tiles[tile]};

    if (is_few(a.m, a.r, a.s, a.step))
        return correlate_few(&a, w);
    TG_TRY(pack(&a, w, KIND_SCATTER + (int)(conv->stride * N_TILES + tile)));
    TG_TRY(correlate(&a));
cleanup:
    return status;
}

tg_status tgi_conv_fold(const tgi_conv *conv, const tg_tensor *padded, const tg_tensor *b, bool add,
                        tg_tensor *x)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(x->dev, "conv2d_fold", "conv2d_fold", "", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE3(conv->w, conv->h, conv->n * conv->c),
                          TGI_ARGS(tgi_buffer(padded), tgi_int(conv->c), tgi_int(conv->h),
                                   tgi_int(conv->w), tgi_int(conv->pad), tgi_buffer(b ? b : padded),
                                   tgi_int(b != NULL), tgi_int(add), tgi_buffer(x))));
cleanup:
    return status;
}

static tg_status scatter(const tgi_conv *conv, const tg_tensor *y, tg_tensor *w, const tg_tensor *b,
                         bool add, tg_tensor *x)
{
    tg_status status = TG_OK;
    tg_tensor *padded = NULL;
    size_t h = conv->h + 2 * conv->pad, width = conv->w + 2 * conv->pad;

    if (!conv->is_reflected)
        return scatter_at(conv, y, w, b, conv->pad, conv->h, conv->w, add, x);
    TG_TRY(new_values(x->dev, conv->n * conv->c * h, width, &padded));
    TG_TRY(scatter_at(conv, y, w, NULL, 0, h, width, false, padded));
    TG_TRY(tgi_conv_fold(conv, padded, b, add, x));
cleanup:
    tg_tensor_free(padded);
    return status;
}

static tg_status weights(const tgi_conv *conv, const tg_tensor *x, const tg_tensor *y,
                         tg_tensor *dw)
{
    tg_status status = TG_OK;
    size_t columns = conv->c * conv->r * conv->s, pixels = conv->n * conv->p * conv->q;
    const tgi_conv_tile *t = &line_tiles[choose_line_tile(x->dev, conv->k, columns)];
    size_t steps = tgi_blocks(pixels, t->bk),
           each = steps_each(t, pixels, groups_of(t, conv->k, columns)),
           splits = tgi_blocks(steps, each);
    tg_tensor *parts = NULL;
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];

    if (is_few(conv->k, conv->r, conv->s, conv->stride))
        return weights_few(conv, x, y, dw);
    describe(x->dev, t, "WEIGHTS", columns % 4 == 0, splits > 1, options);
    TG_TRY(tgi_kernel_get(x->dev, "conv2d_implicit", "implicit_weights", options, &kernel));
    if (splits > 1)
        TG_TRY(new_values(x->dev, splits * conv->k, columns, &parts));
    TG_TRY(
        tgi_kernel_run(kernel,
                       TGI_RANGE3(tgi_blocks(columns, t->bn) * kernel->local[0],
                                  tgi_blocks(conv->k, t->bm), splits),
                       TGI_ARGS(tgi_buffer(x), tgi_int(conv->c), tgi_int(conv->h), tgi_int(conv->w),
                                tgi_buffer(y), tgi_int(conv->k), tgi_int(conv->p), tgi_int(conv->q),
                                tgi_int(conv->r), tgi_int(conv->s), tgi_int(conv->stride),
                                tgi_int(conv->pad), tgi_int(conv->is_reflected), tgi_int(pixels),
                                tgi_int(steps), tgi_int(each), tgi_buffer(parts ? parts : dw))));
    if (splits > 1)
        TG_TRY(add_weight_parts(dw, conv->k, columns, parts, splits));
cleanup:
    tg_tensor_free(parts);
    return status;
}

tgi_conv_tile tgi_matrix_tile(const tgi_matrix *a)
{
    return tiles[choose_tile(a->dev, a->m, a->columns, a->batch)];
}

tg_status tgi_matrix_multiply(const tgi_matrix *a, tgi_conv_tile t, cl_mem packed,
                              const tg_tensor *b, tg_tensor *o)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];

    describe(a->dev, &t, "MATRIX", true, false, options);
    TG_TRY(tgi_kernel_get(a->dev, "conv2d_implicit", "implicit_matrix", options, &kernel));
    TG_TRY(tgi_kernel_run(kernel,
                          TGI_RANGE3(tgi_blocks(a->columns, t.bn) * kernel->local[0],
                                     tgi_blocks(a->m, t.bm), a->batch),
                          TGI_ARGS(tgi_mem(packed), tgi_int(tgi_blocks(a->m, t.bm) * t.bm),
                                   tgi_int(tgi_blocks(a->k, t.bk)), tgi_buffer(b), tgi_int(a->k),
                                   tgi_int(a->m), tgi_int(a->columns), tgi_buffer(o))));
cleanup:
    return status;
}

/* The tile and the steps to a split of a product over lines. */
static const tgi_conv_tile *plan_lines(const tgi_matrix *p, size_t *each)
{
    const tgi_conv_tile *t = &line_tiles[choose_line_tile(p->dev, p->m, p->columns)];

    *each = steps_each(t, p->k, p->batch * groups_of(t, p->m, p->columns));
    return t;
}

size_t tgi_matrix_splits(const tgi_matrix *p)
{
    size_t each;
    const tgi_conv_tile *t = plan_lines(p, &each);

    return tgi_blocks(tgi_blocks(p->k, t->bk), each);
}

tg_status tgi_matrix_multiply_nt(const tgi_matrix *p, const tg_tensor *a, const tg_tensor *b,
                                 tg_tensor *o)
{
    tg_status status = TG_OK;
    size_t each;
    const tgi_conv_tile *t = plan_lines(p, &each);
    tgi_kernel *kernel;
    char options[MAX_OPTIONS];

    describe(p->dev, t, "MATRIX_NT", p->columns % 4 == 0, false, options);
    TG_TRY(tgi_kernel_get(p->dev, "conv2d_implicit", "implicit_matrix_nt", options, &kernel));
    TG_TRY(tgi_kernel_run(kernel,
                          TGI_RANGE3(tgi_blocks(p->columns, t->bn) * kernel->local[0],
                                     tgi_blocks(p->m, t->bm), p->batch * tgi_matrix_splits(p)),
                          TGI_ARGS(tgi_buffer(a), tgi_buffer(b), tgi_int(p->batch), tgi_int(p->k),
                                   tgi_int(tgi_blocks(p->k, t->bk)), tgi_int(each), tgi_int(p->m),
                                   tgi_int(p->columns), tgi_buffer(o))));
cleanup:
    return status;
}

/* Work-groups of 256 and local memory, which nearly every device has. */
static bool applies(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    TG_UNUSED(pass);
    return dev->info.max_work_group >= 256 && dev->info.local_bytes >= 32768 &&
           conv->stride <= MAX_STRIDE;
}

/* On graphics cards, unless the layer is so tiny that a launch costs more than the arithmetic. */
static bool suits(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass)
{
    TG_UNUSED(pass);
    return !tgi_is_cpu_family(dev) && conv->c * conv->r * conv->s >= 8 &&
           conv->n * conv->p * conv->q >= 16;
}

const tgi_conv_algorithm tgi_conv_implicit = {.id = TG_CONV_IMPLICIT,
                                              .name = "implicit",
                                              .gather = gather,
                                              .scatter = scatter,
                                              .weights = weights,
                                              .applies = applies,
                                              .suits = suits};

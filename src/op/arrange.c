/* arrange.c -- channels side by side, planes enlarged, channels shuffled into pixels: values moved, not changed. */
#include "config.h"
#include "op/arrange.h"
#include "op/op.h"

#include <stdio.h>

#include "base/banned.h"

static tg_status run_rows(const char *name, size_t samples, const tg_tensor *from,
                          size_t from_first, tg_tensor *to, size_t to_first, size_t n)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    size_t from_size = tg_tensor_count(from) / samples, to_size = tg_tensor_count(to) / samples;

    TG_TRY(tgi_kernel_get(from->dev, "arrange", name, "", &kernel));
    TG_TRY(
        tgi_kernel_run(kernel, TGI_RANGE2(tgi_quads(n), samples),
                       TGI_ARGS(tgi_buffer(from), tgi_int(from_size), tgi_int(from_first),
                                tgi_int(n), tgi_int(to_size), tgi_int(to_first), tgi_buffer(to))));
    tgi_tensor_touch(to);
cleanup:
    return status;
}

tg_status tgi_rows_copy(const tg_tensor *from, size_t from_first, tg_tensor *to, size_t to_first,
                        size_t n)
{
    return run_rows("copy_rows", from->dims.n, from, from_first, to, to_first, n);
}

tg_status tgi_rows_add(const tg_tensor *from, size_t from_first, tg_tensor *to, size_t to_first,
                       size_t n)
{
    return run_rows("add_rows", from->dims.n, from, from_first, to, to_first, n);
}

tg_status tgi_part_add(const tg_tensor *from, size_t from_at, tg_tensor *to, size_t to_at, size_t n)
{
    size_t n_from = tg_tensor_count(from), n_to = tg_tensor_count(to);

    if (n > n_from || from_at > n_from - n || n > n_to || to_at > n_to - n)
        return tg_fail(TG_ERR_SHAPE, "add: %zu values from %zu of %zu to %zu of %zu", n, from_at,
                       n_from, to_at, n_to);
    return run_rows("add_rows", 1, from, from_at, to, to_at, n);
}

tg_status tg_concat_forward(const tg_tensor *a, const tg_tensor *b, tg_tensor *y)
{
    tg_status status = TG_OK;
    tg_dims part = a->dims, whole = a->dims;
    size_t n_a = a->dims.c * tgi_plane_size(a), n_b = b->dims.c * tgi_plane_size(a);

    part.c = b->dims.c;
    whole.c = a->dims.c + b->dims.c;
    TG_TRY(tgi_op_expect("concat: b", a, part, b));
    TG_TRY(tgi_op_expect("concat: y", a, whole, y));
    TG_TRY(tgi_rows_copy(a, 0, y, 0, n_a));
    TG_TRY(tgi_rows_copy(b, 0, y, n_a, n_b));
cleanup:
    return status;
}

tg_status tg_concat_backward(const tg_tensor *dy, tg_tensor *da, tg_tensor *db)
{
    tg_status status = TG_OK;
    tg_dims part = dy->dims;
    size_t plane = tgi_plane_size(dy);

    if (!da && !db)
        return TG_OK;
    if (da && db && da->dims.c + db->dims.c != dy->dims.c)
        return tg_fail(TG_ERR_SHAPE, "concat: dy has %zu channels, da %zu and db %zu", dy->dims.c,
                       da->dims.c, db->dims.c);
    if ((da ? da : db)->dims.c >= dy->dims.c)
        return tg_fail(TG_ERR_SHAPE, "concat: dy has %zu channels, one part alone %zu", dy->dims.c,
                       (da ? da : db)->dims.c);
    if (da) {
        part.c = da->dims.c;
        TG_TRY(tgi_op_expect("concat: da", dy, part, da));
    }
    if (db) {
        part.c = db->dims.c;
        TG_TRY(tgi_op_expect("concat: db", dy, part, db));
    }
    if (da)
        TG_TRY(tgi_rows_add(dy, 0, da, 0, da->dims.c * plane));
    if (db)
        TG_TRY(tgi_rows_add(dy, (dy->dims.c - db->dims.c) * plane, db, 0, db->dims.c * plane));
cleanup:
    return status;
}

/* Kernels over planes of the small side, h x w, or of the large one, sh x sw. */
static tg_status run_planes(const char *name, size_t s, tgi_range range, const tg_tensor *small,
                            const tg_tensor *in, tg_tensor *out)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    char options[32];

    snprintf(options, sizeof options, "-DS=%zu", s);
    TG_TRY(tgi_kernel_get(in->dev, "arrange", name, options, &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, range,
        TGI_ARGS(tgi_buffer(in), tgi_int(small->dims.h), tgi_int(small->dims.w), tgi_buffer(out))));
    tgi_tensor_touch(out);
cleanup:
    return status;
}

enum { MAX_FACTOR = 64 }; /* S * S and offsets inside a plane stay far below an int's end */

static tg_status check_factor(const char *what, size_t s)
{
    if (s >= 1 && s <= MAX_FACTOR)
        return TG_OK;
    return tg_fail(TG_ERR_ARGUMENT, "%s: a factor of %zu is not between 1 and %d", what, s,
                   (int)MAX_FACTOR);
}

static tgi_range range_of(const tg_tensor *x)
{
    return TGI_RANGE3(x->dims.w, x->dims.h, tgi_plane_count(x));
}

/* A work-item takes eight pixels of a row. */
static tgi_range range_of_eights(const tg_tensor *x)
{
    return TGI_RANGE3((x->dims.w + 7) / 8, x->dims.h, tgi_plane_count(x));
}

tg_status tg_upsample_forward(const tg_tensor *x, size_t s, tg_tensor *y)
{
    tg_status status = TG_OK;

    TG_TRY(check_factor("upsample", s));
    TG_TRY(tgi_op_expect("upsample: y", x,
                         (tg_dims){x->dims.n, x->dims.c, x->dims.h * s, x->dims.w * s}, y));
    TG_TRY(run_planes("upsample_fwd", s, range_of_eights(x), x, x, y));
cleanup:
    return status;
}

tg_status tgi_upsample_backward(const tg_tensor *dy, size_t s, tgi_write write, tg_tensor *dx)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    char options[32];

    TG_TRY(check_factor("upsample", s));
    if (!dx)
        return TG_OK;
    TG_TRY(tgi_op_expect("upsample: dy", dx,
                         (tg_dims){dx->dims.n, dx->dims.c, dx->dims.h * s, dx->dims.w * s}, dy));
    snprintf(options, sizeof options, "-DS=%zu", s);
    TG_TRY(tgi_kernel_get(dx->dev, "arrange", "upsample_bwd", options, &kernel));
    TG_TRY(tgi_kernel_run(kernel, range_of_eights(dx),
                          TGI_ARGS(tgi_buffer(dy), tgi_int(dx->dims.h), tgi_int(dx->dims.w),
                                   tgi_int(write == TGI_ADD), tgi_buffer(dx))));
    tgi_tensor_touch(dx);
cleanup:
    return status;
}

tg_status tg_upsample_backward(const tg_tensor *dy, size_t s, tg_tensor *dx)
{
    return tgi_upsample_backward(dy, s, TGI_ADD, dx);
}

static tg_status run_weights(const char *name, const tg_tensor *w, const tg_tensor *w4,
                             const tg_tensor *in, tg_tensor *out)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    size_t k = w->dims.n, c = w->dims.c;

    TG_TRY(tgi_op_expect("upsampling's weights", w, (tg_dims){k, c, 3, 3}, w));
    TG_TRY(tgi_op_expect("upsampling's weights", w, (tg_dims){c, k, 4, 4}, w4));
    TG_TRY(tgi_kernel_get(in->dev, "arrange", name, "", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1(k * c),
                          TGI_ARGS(tgi_buffer(in), tgi_int(k), tgi_int(c), tgi_buffer(out))));
    tgi_tensor_touch(out);
cleanup:
    return status;
}

tg_status tgi_upsample_weights_forward(const tg_tensor *w, tg_tensor *w4)
{
    return run_weights("upsample_weights_fwd", w, w4, w, w4);
}

tg_status tgi_upsample_weights_backward(const tg_tensor *dw4, tg_tensor *dw)
{
    return run_weights("upsample_weights_bwd", dw, dw4, dw4, dw);
}

/* The sizes of x after shuffling. */
static tg_status shuffled(tg_dims x, size_t s, tg_dims *y)
{
    if (x.c % (s * s))
        return tg_fail(TG_ERR_SHAPE, "shuffle: %zu channels are not a multiple of %zu x %zu", x.c,
                       s, s);
    *y = (tg_dims){x.n, x.c / (s * s), x.h * s, x.w * s};
    return TG_OK;
}

tg_status tg_shuffle_forward(const tg_tensor *x, size_t s, tg_tensor *y)
{
    tg_status status = TG_OK;
    tg_dims dims;

    TG_TRY(check_factor("shuffle", s));
    TG_TRY(shuffled(x->dims, s, &dims));
    TG_TRY(tgi_op_expect("shuffle: y", x, dims, y));
    TG_TRY(run_planes("shuffle_fwd", s, range_of(y), x, x, y));
cleanup:
    return status;
}

tg_status tg_shuffle_backward(const tg_tensor *dy, size_t s, tg_tensor *dx)
{
    tg_status status = TG_OK;
    tg_dims dims;

    TG_TRY(check_factor("shuffle", s));
    if (!dx)
        return TG_OK;
    TG_TRY(shuffled(dx->dims, s, &dims));
    TG_TRY(tgi_op_expect("shuffle: dy", dx, dims, dy));
    TG_TRY(run_planes("shuffle_bwd", s, range_of(dx), dx, dy, dx));
cleanup:
    return status;
}

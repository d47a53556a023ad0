/* check_arrange.c -- rows of taggan-devices check: arrangement, labels, pooling. */
#include "config.h"
#include "cli/devices_check.h"
#include "base/memory.h"
#include "op/arrange.h"

#include <stdlib.h>

#include "base/banned.h"

/* Smallest, odd, more than one image, a layer of a network. */
static const tg_dims shapes[] = {{1, 1, 1, 1}, {2, 3, 5, 7}, {3, 4, 17, 33}, {1, 16, 64, 64}};
static const size_t factors[] = {1, 3, 2, 2}, label_counts[] = {1, 3, 14, 4};

static tg_dims with_channels(tg_dims d, size_t c)
{
    d.c = c;
    return d;
}

static size_t sample_of(tg_dims d)
{
    return d.c * d.h * d.w;
}

static tg_status concat_forward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *a = c->values, *b = a + 1, *y = a + 2;
    const tg_dims d = shapes[i], e = with_channels(d, d.c + 2), both = with_channels(d, d.c + e.c);

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("a", d), TGI_READS("b", e), TGI_WRITES("y", both, TOL_EXACT))));
    ref_concat_forward(a->ref, b->ref, d.n, sample_of(d), sample_of(e), y->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_concat_forward(a->t, b->t, y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status concat_backward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *dy = c->values, *da = dy + 1, *db = dy + 2;
    const tg_dims d = shapes[i], e = with_channels(d, d.c + 2), both = with_channels(d, d.c + e.c);

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("dy", both), TGI_CHANGES("da", d, TOL_POINT),
                                         TGI_CHANGES("db", e, TOL_POINT))));
    ref_concat_backward(dy->ref, d.n, sample_of(d), sample_of(e), da->ref, db->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_concat_backward(dy->t, da->t, db->t));
    status = c->status;
cleanup:
    return status;
}

/* Upsampling and pixel shuffle between x and the larger y; `kind` 1 is the shuffle. */
static tg_dims small_of(int kind, size_t i)
{
    return with_channels(shapes[i], shapes[i].c * (kind ? factors[i] * factors[i] : 1));
}

static tg_dims large_of(size_t i)
{
    return (tg_dims){shapes[i].n, shapes[i].c, shapes[i].h * factors[i], shapes[i].w * factors[i]};
}

static tg_status enlarge_forward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *y = x + 1;
    const tg_dims d = small_of(kind, i);

    TG_TRY(
        tgi_check_values(c, TGI_SPECS(TGI_READS("x", d), TGI_WRITES("y", large_of(i), TOL_EXACT))));
    (kind ? ref_shuffle_forward : ref_upsample_forward)(x->ref, d, factors[i], y->ref);
    while (tgi_check_round(c))
        TG_TRY((kind ? tg_shuffle_forward : tg_upsample_forward)(x->t, factors[i], y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status enlarge_backward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *dy = c->values, *dx = dy + 1;
    const tg_dims d = small_of(kind, i);

    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("dy", large_of(i)), TGI_CHANGES("dx", d, TOL_POINT))));
    (kind ? ref_shuffle_backward : ref_upsample_backward)(dy->ref, d, factors[i], dx->ref);
    while (tgi_check_round(c))
        TG_TRY((kind ? tg_shuffle_backward : tg_upsample_backward)(dy->t, factors[i], dx->t));
    status = c->status;
cleanup:
    return status;
}

/* [K,C,3,3] and [C,K,4,4]. */
static tg_dims weights_of(size_t i)
{
    return (tg_dims){shapes[i].n * 3, shapes[i].c, 3, 3};
}

static tg_dims upsampling_weights_of(size_t i)
{
    return (tg_dims){shapes[i].c, shapes[i].n * 3, 4, 4};
}

static tg_status upsample_weights_forward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *w = c->values, *w4 = w + 1;
    const tg_dims d = weights_of(i);

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("w", d), TGI_WRITES("w4", upsampling_weights_of(i), TOL_POINT))));
    ref_upsample_weights_forward(w->ref, d, w4->ref);
    while (tgi_check_round(c))
        TG_TRY(tgi_upsample_weights_forward(w->t, w4->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status upsample_weights_backward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *dw4 = c->values, *dw = dw4 + 1;
    const tg_dims d = weights_of(i);

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("dw4", upsampling_weights_of(i)), TGI_CHANGES("dw", d, TOL_POINT))));
    ref_upsample_weights_backward(dw4->ref, d, dw->ref);
    while (tgi_check_round(c))
        TG_TRY(tgi_upsample_weights_backward(dw4->t, dw->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status label_planes_forward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *labels = x + 1, *y = x + 2;
    const tg_dims d = shapes[i], l = {d.n, label_counts[i], 1, 1},
                  both = with_channels(d, d.c + l.c);

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("x", d), TGI_READS("labels", l), TGI_WRITES("y", both, TOL_EXACT))));
    ref_label_planes_forward(x->ref, labels->ref, d, l.c, y->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_label_planes_forward(x->t, labels->t, y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status label_planes_backward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *dy = c->values, *dx = dy + 1;
    const tg_dims d = shapes[i], both = with_channels(d, d.c + label_counts[i]);

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("dy", both), TGI_CHANGES("dx", d, TOL_POINT))));
    ref_label_planes_backward(dy->ref, d, label_counts[i], dx->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_label_planes_backward(dy->t, dx->t));
    status = c->status;
cleanup:
    return status;
}

/* `kind` 1 has a gamma. */
static tg_status label_affine_forward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *labels = x + 1, *gamma = x + 2, *beta = x + 3, *y = x + 4;
    const tg_dims d = shapes[i], l = {d.n, label_counts[i], 1, 1}, p = {l.c, d.c, 1, 1};

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", d), TGI_READS("labels", l),
                                         TGI_READS("gamma", p), TGI_READS("beta", p),
                                         TGI_WRITES("y", d, TOL_POINT))));
    ref_label_affine_forward(x->ref, labels->ref, kind ? gamma->ref : NULL, beta->ref, d, l.c,
                             y->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_label_affine_forward(x->t, labels->t, kind ? gamma->t : NULL, beta->t, y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status label_affine_backward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *labels = x + 1, *gamma = x + 2, *dy = x + 3, *dx = x + 4,
                    *dgamma = x + 5, *dbeta = x + 6;
    const tg_dims d = shapes[i], l = {d.n, label_counts[i], 1, 1}, p = {l.c, d.c, 1, 1};

    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("x", d), TGI_READS("labels", l), TGI_READS("gamma", p),
                     TGI_READS("dy", d), TGI_CHANGES("dx", d, TOL_POINT),
                     TGI_CHANGES("dgamma", p, TOL_REDUCE), TGI_CHANGES("dbeta", p, TOL_REDUCE))));
    ref_label_affine_backward(x->ref, labels->ref, kind ? gamma->ref : NULL, dy->ref, d, l.c,
                              dx->ref, kind ? dgamma->ref : NULL, dbeta->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_label_affine_backward(x->t, labels->t, kind ? gamma->t : NULL, dy->t, dx->t,
                                        kind ? dgamma->t : NULL, dbeta->t));
    status = c->status;
cleanup:
    return status;
}

/* Windows that touch, that overlap, that leave gaps. */
static const struct {
    tg_dims x;
    size_t size, stride;
} windows[] = {
    {{1, 1, 1, 1}, 1, 1}, {{2, 3, 7, 9}, 3, 2}, {{1, 4, 17, 33}, 2, 3}, {{1, 16, 64, 64}, 2, 2}};

static tg_dims pooled(size_t i)
{
    const tg_dims d = windows[i].x;

    return (tg_dims){d.n, d.c, (d.h - windows[i].size) / windows[i].stride + 1,
                     (d.w - windows[i].size) / windows[i].stride + 1};
}

static tg_status pool_forward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *y = x + 1, *choice = x + 2;
    const tg_dims d = windows[i].x, o = pooled(i);
    const size_t size = windows[i].size, stride = windows[i].stride;

    if (kind == TG_POOL_MEAN) {
        TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", d), TGI_WRITES("y", o, TOL_POINT))));
        ref_pool_mean_forward(x->ref, d, size, stride, y->ref);
    } else {
        TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", d), TGI_WRITES("y", o, TOL_EXACT),
                                             TGI_WRITES("choice", o, TOL_EXACT))));
        ref_pool_max_forward(x->ref, d, size, stride, y->ref, choice->ref);
    }
    while (tgi_check_round(c))
        TG_TRY(tg_pool_forward((tg_pool_kind)kind, size, stride, x->t, y->t,
                               kind == TG_POOL_MAX ? choice->t : NULL));
    status = c->status;
cleanup:
    return status;
}

/* Places in planes of x that a forward pass would choose. */
static tg_status choose(size_t i, const tgi_check_value *x, tgi_check_value *choice)
{
    tgi_check_value y = {.n = choice->n};
    tg_status status = tgi_alloc(y.n, sizeof *y.ref, &y.ref);

    if (status == TG_OK) {
        ref_pool_max_forward(x->ref, windows[i].x, windows[i].size, windows[i].stride, y.ref,
                             choice->ref);
        tgi_check_take(choice);
    }
    free(y.ref);
    return status;
}

static tg_status pool_backward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *choice = x + 1, *dy = x + 2, *dx = x + 3;
    const tg_dims d = windows[i].x, o = pooled(i);
    const size_t size = windows[i].size, stride = windows[i].stride;

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", d), TGI_READS("choice", o),
                                         TGI_READS("dy", o), TGI_CHANGES("dx", d, TOL_POINT))));
    TG_TRY(choose(i, x, choice));
    if (kind == TG_POOL_MEAN)
        ref_pool_mean_backward(dy->ref, d, size, stride, dx->ref);
    else
        ref_pool_max_backward(choice->ref, dy->ref, d, size, stride, dx->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_pool_backward((tg_pool_kind)kind, size, stride,
                                kind == TG_POOL_MAX ? choice->t : NULL, dy->t, dx->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status pool_gather(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *t = c->values, *choice = t + 1, *out = t + 2;
    const tg_dims d = windows[i].x, o = pooled(i);

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("t", d), TGI_READS("choice", o), TGI_WRITES("out", o, TOL_EXACT))));
    TG_TRY(choose(i, t, choice));
    for (size_t k = 0; k < out->n; k++)
        out->ref[k] = t->ref[k / (o.h * o.w) * d.h * d.w + (size_t)choice->ref[k]];
    while (tgi_check_round(c))
        TG_TRY(tg_pool_gather(choice->t, t->t, out->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status plane_pool_forward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *y = x + 1;
    const tg_dims d = shapes[i], o = {d.n, d.c, 1, 1};

    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("x", d),
                     TGI_WRITES("y", o, kind == TG_PLANE_MAX ? TOL_EXACT : TOL_REDUCE))));
    ref_plane_pool_forward((tg_plane_pool)kind, x->ref, d, y->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_plane_pool_forward((tg_plane_pool)kind, x->t, y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status plane_pool_backward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *y = x + 1, *dy = x + 2, *dx = x + 3;
    const tg_dims d = shapes[i], o = {d.n, d.c, 1, 1};

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", d), TGI_READS("y", o), TGI_READS("dy", o),
                                         TGI_CHANGES("dx", d, TOL_MATH))));
    ref_plane_pool_forward((tg_plane_pool)kind, x->ref, d, y->ref);
    tgi_check_take(y);
    ref_plane_pool_backward((tg_plane_pool)kind, x->ref, y->ref, dy->ref, d, dx->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_plane_pool_backward((tg_plane_pool)kind, x->t, y->t, dy->t, dx->t));
    status = c->status;
cleanup:
    return status;
}

#define ROW(op, kind, program, run, number)                                                        \
    {                                                                                              \
        op, kind, program, run, number, TG_COUNT(shapes)                                           \
    }
#define WINDOWS(op, kind, run, number)                                                             \
    {                                                                                              \
        op, kind, "pool", run, number, TG_COUNT(windows)                                           \
    }
const tgi_check_row tgi_check_arrange[] = {
    ROW("concat_forward", "", "arrange", concat_forward, 0),
    ROW("concat_backward", "", "arrange", concat_backward, 0),
    ROW("upsample_forward", "", "arrange", enlarge_forward, 0),
    ROW("upsample_backward", "", "arrange", enlarge_backward, 0),
    ROW("upsample_weights_forward", "", "arrange", upsample_weights_forward, 0),
    ROW("upsample_weights_backward", "", "arrange", upsample_weights_backward, 0),
    ROW("shuffle_forward", "", "arrange", enlarge_forward, 1),
    ROW("shuffle_backward", "", "arrange", enlarge_backward, 1),
    ROW("label_planes_forward", "", "label", label_planes_forward, 0),
    ROW("label_planes_backward", "", "label", label_planes_backward, 0),
    ROW("label_affine_forward", "shift", "label", label_affine_forward, 0),
    ROW("label_affine_forward", "scale and shift", "label", label_affine_forward, 1),
    ROW("label_affine_backward", "shift", "label", label_affine_backward, 0),
    ROW("label_affine_backward", "scale and shift", "label", label_affine_backward, 1),
    WINDOWS("pool_forward", "max", pool_forward, TG_POOL_MAX),
    WINDOWS("pool_forward", "mean", pool_forward, TG_POOL_MEAN),
    WINDOWS("pool_backward", "max", pool_backward, TG_POOL_MAX),
    WINDOWS("pool_backward", "mean", pool_backward, TG_POOL_MEAN),
    WINDOWS("pool_gather", "", pool_gather, 0),
    ROW("plane_pool_forward", "log-mean-exp", "pool", plane_pool_forward, TG_PLANE_LME),
    ROW("plane_pool_forward", "max", "pool", plane_pool_forward, TG_PLANE_MAX),
    ROW("plane_pool_forward", "mean", "pool", plane_pool_forward, TG_PLANE_MEAN),
    ROW("plane_pool_backward", "log-mean-exp", "pool", plane_pool_backward, TG_PLANE_LME),
    ROW("plane_pool_backward", "max", "pool", plane_pool_backward, TG_PLANE_MAX),
    ROW("plane_pool_backward", "mean", "pool", plane_pool_backward, TG_PLANE_MEAN),
};
const size_t tgi_n_check_arrange = TG_COUNT(tgi_check_arrange);

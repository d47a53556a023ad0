/* check_optimizer.c -- rows of taggan-devices check: steps on parameters. */
#include "config.h"
#include "cli/devices_check.h"

#include <math.h>

#include "base/banned.h"

/* Smallest, odd, many partial sums. */
static const tg_dims shapes[] = {{1, 1, 1, 1}, {1, 3, 5, 7}, {1, 1, 300, 301}};
static const float lr = 0.0625f, decay = 0.9f;

static tg_status adam(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *g = c->values, *p = g + 1, *m = g + 2, *v = g + 3;
    const tg_adam_opts opts = {
        .lr = lr, .beta1 = 0.5f, .beta2 = 0.999f, .eps = 1e-8f, .t = 1 + 10 * i};
    const tg_dims d = shapes[i];

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("g", d), TGI_CHANGES("p", d, TOL_POINT),
                                         TGI_CHANGES("m", d, TOL_POINT),
                                         {"v", d, TGI_CHANGED, TOL_POINT, TGI_POSITIVE})));
    ref_adam_step(g->ref, &opts, g->n, p->ref, m->ref, v->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_adam_step(g->t, &opts, p->t, m->t, v->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status rmsprop(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *g = c->values, *p = g + 1, *v = g + 2;
    const float eps = 1e-8f;
    const tg_dims d = shapes[i];

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("g", d), TGI_CHANGES("p", d, TOL_POINT),
                                         {"v", d, TGI_CHANGED, TOL_POINT, TGI_POSITIVE})));
    ref_rmsprop_step(g->ref, (double)lr, (double)decay, (double)eps, g->n, p->ref, v->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_rmsprop_step(g->t, lr, decay, eps, p->t, v->t));
    status = c->status;
cleanup:
    return status;
}

/* Steps of a line each: their reference stands here. */
static tg_status sgd(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *g = c->values, *p = g + 1;

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("g", shapes[i]), TGI_CHANGES("p", shapes[i], TOL_POINT))));
    for (size_t k = 0; k < p->n; k++)
        p->ref[k] -= (double)lr * g->ref[k];
    while (tgi_check_round(c))
        TG_TRY(tg_sgd_step(g->t, lr, p->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status ema(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *p = c->values, *average = p + 1;

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("p", shapes[i]), TGI_CHANGES("average", shapes[i], TOL_POINT))));
    for (size_t k = 0; k < p->n; k++)
        average->ref[k] = (double)decay * average->ref[k] + (1 - (double)decay) * p->ref[k];
    while (tgi_check_round(c))
        TG_TRY(tg_ema_step(p->t, decay, average->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status clip_weights(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *p = c->values;
    const float limit = 0.25f;

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_CHANGES("p", shapes[i], TOL_EXACT))));
    for (size_t k = 0; k < p->n; k++)
        p->ref[k] = fmin(fmax(p->ref[k], -(double)limit), (double)limit);
    while (tgi_check_round(c))
        TG_TRY(tg_clip_weights(limit, p->t));
    status = c->status;
cleanup:
    return status;
}

typedef enum clip { MEASURES, CLIPS, LEAVES, NOT_FINITE } clip;

/* Limits of 0, below every norm here, above all; and a gradient that is not finite, whose norm
 * stays visible and is not compared. */
static tg_status clip_norm(tgi_check *c, int kind, size_t i)
{
    static const float limits[] = {0, 0.03125f, 1e6f, 1};
    tg_status status = TG_OK;
    tgi_check_value *g = c->values, *norm = g + 1;
    const tg_dims d = shapes[i], one = {1, 1, 1, 1};

    TG_TRY(
        tgi_check_values(c, TGI_SPECS(TGI_CHANGES("g", d, kind == CLIPS ? TOL_REDUCE : TOL_EXACT),
                                      {"norm", one, kind == NOT_FINITE ? TGI_CHANGED : TGI_WRITTEN,
                                       TOL_REDUCE, TGI_NORMAL})));
    if (kind == NOT_FINITE) {
        g->ref[g->n / 2] = INFINITY;
        tgi_check_take(g);
        ref_clip_norm((double)limits[kind], g->n, g->ref);
    } else {
        norm->ref[0] = ref_clip_norm((double)limits[kind], g->n, g->ref);
    }
    while (tgi_check_round(c))
        TG_TRY(tg_clip_norm(limits[kind], g->t,
                            kind == NOT_FINITE ? (tg_scalar){NULL, 0} : (tg_scalar){norm->t, 0}));
    status = c->status;
cleanup:
    return status;
}

#define ROW(op, kind, run, number)                                                                 \
    {                                                                                              \
        op, kind, "optimizer", run, number, TG_COUNT(shapes)                                       \
    }
const tgi_check_row tgi_check_optimizer[] = {
    ROW("adam_step", "", adam, 0),
    ROW("rmsprop_step", "", rmsprop, 0),
    ROW("sgd_step", "", sgd, 0),
    ROW("ema_step", "", ema, 0),
    ROW("clip_weights", "", clip_weights, 0),
    ROW("clip_norm", "measures", clip_norm, MEASURES),
    ROW("clip_norm", "clips", clip_norm, CLIPS),
    ROW("clip_norm", "leaves alone", clip_norm, LEAVES),
    ROW("clip_norm", "not finite", clip_norm, NOT_FINITE),
};
const size_t tgi_n_check_optimizer = TG_COUNT(tgi_check_optimizer);

/* check_norm.c -- rows of taggan-devices check: normalisation. `kind` 1 has gamma and beta. */
#include "config.h"
#include "cli/devices_check.h"

#include "base/banned.h"

/* Smallest, odd, vectors, a layer of a network, large planes. */
static const tg_dims shapes[] = {
    {1, 1, 1, 2}, {1, 3, 5, 7}, {7, 5, 1, 1}, {2, 16, 32, 32}, {1, 2, 130, 131}};
static const float eps = 1e-5f, momentum = 0.1f;

static tg_dims channels_of(tg_dims d)
{
    return (tg_dims){1, d.c, 1, 1};
}

static tg_dims planes_of(tg_dims d)
{
    return (tg_dims){d.n, d.c, 1, 1};
}

static tg_status instance_forward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *gamma = x + 1, *beta = x + 2, *y = x + 3, *mu = x + 4,
                    *rstd = x + 5;
    const tg_dims d = shapes[i], v = channels_of(d), p = planes_of(d);

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", d), TGI_READS("gamma", v),
                                         TGI_READS("beta", v), TGI_WRITES("y", d, TOL_REDUCE),
                                         TGI_WRITES("mu", p, TOL_REDUCE),
                                         TGI_WRITES("rstd", p, TOL_REDUCE))));
    ref_instance_norm_forward(x->ref, kind ? gamma->ref : NULL, kind ? beta->ref : NULL,
                              (double)eps, d, y->ref, mu->ref, rstd->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_instance_norm_forward(x->t, kind ? gamma->t : NULL, kind ? beta->t : NULL, eps,
                                        y->t, mu->t, rstd->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status instance_backward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *gamma = x + 1, *mu = x + 2, *rstd = x + 3, *dy = x + 4,
                    *dx = x + 5, *dgamma = x + 6, *dbeta = x + 7, *unused = x + 8;
    const tg_dims d = shapes[i], v = channels_of(d), p = planes_of(d);

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", d), TGI_READS("gamma", v),
                                         TGI_READS("mu", p), TGI_READS("rstd", p),
                                         TGI_READS("dy", d), TGI_CHANGES("dx", d, TOL_REDUCE),
                                         TGI_CHANGES("dgamma", v, TOL_REDUCE),
                                         TGI_CHANGES("dbeta", v, TOL_REDUCE), TGI_READS("y", d))));
    ref_instance_norm_forward(x->ref, NULL, NULL, (double)eps, d, unused->ref, mu->ref, rstd->ref);
    tgi_check_take(mu);
    tgi_check_take(rstd);
    ref_instance_norm_backward(x->ref, kind ? gamma->ref : NULL, mu->ref, rstd->ref, dy->ref, d,
                               dx->ref, dgamma->ref, dbeta->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_instance_norm_backward(x->t, kind ? gamma->t : NULL, mu->t, rstd->t, dy->t, dx->t,
                                         dgamma->t, dbeta->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status batch_train(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *gamma = x + 1, *beta = x + 2, *mean = x + 3, *var = x + 4,
                    *y = x + 5, *mu = x + 6, *rstd = x + 7;
    const tg_dims d = shapes[i], v = channels_of(d);

    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("x", d), TGI_READS("gamma", v), TGI_READS("beta", v),
                     TGI_CHANGES("running mean", v, TOL_REDUCE),
                     TGI_CHANGES("running variance", v, TOL_REDUCE), TGI_WRITES("y", d, TOL_REDUCE),
                     TGI_WRITES("mu", v, TOL_REDUCE), TGI_WRITES("rstd", v, TOL_REDUCE))));
    ref_batch_norm_forward_train(x->ref, kind ? gamma->ref : NULL, kind ? beta->ref : NULL,
                                 (double)eps, (double)momentum, d, mean->ref, var->ref, y->ref,
                                 mu->ref, rstd->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_batch_norm_forward_train(x->t, kind ? gamma->t : NULL, kind ? beta->t : NULL, eps,
                                           momentum, mean->t, var->t, y->t, mu->t, rstd->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status batch_eval(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *gamma = x + 1, *beta = x + 2, *mean = x + 3, *var = x + 4,
                    *y = x + 5;
    const tg_dims d = shapes[i], v = channels_of(d);

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", d), TGI_READS("gamma", v),
                                         TGI_READS("beta", v), TGI_READS("running mean", v),
                                         TGI_FILLED("running variance", v, TGI_POSITIVE),
                                         TGI_WRITES("y", d, TOL_REDUCE))));
    ref_batch_norm_forward_eval(x->ref, kind ? gamma->ref : NULL, kind ? beta->ref : NULL,
                                (double)eps, mean->ref, var->ref, d, y->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_batch_norm_forward_eval(x->t, kind ? gamma->t : NULL, kind ? beta->t : NULL, eps,
                                          mean->t, var->t, y->t));
    status = c->status;
cleanup:
    return status;
}

/* The formula holds for any mu and rstd, so these are drawn: the reference of the forward pass is
 * not needed. */
static tg_status batch_backward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *gamma = x + 1, *mu = x + 2, *rstd = x + 3, *dy = x + 4,
                    *dx = x + 5, *dgamma = x + 6, *dbeta = x + 7;
    const tg_dims d = shapes[i], v = channels_of(d);

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", d), TGI_READS("gamma", v),
                                         TGI_READS("mu", v), TGI_FILLED("rstd", v, TGI_POSITIVE),
                                         TGI_READS("dy", d), TGI_CHANGES("dx", d, TOL_REDUCE),
                                         TGI_CHANGES("dgamma", v, TOL_REDUCE),
                                         TGI_CHANGES("dbeta", v, TOL_REDUCE))));
    ref_batch_norm_backward(x->ref, kind ? gamma->ref : NULL, mu->ref, rstd->ref, dy->ref, d,
                            dx->ref, dgamma->ref, dbeta->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_batch_norm_backward(x->t, kind ? gamma->t : NULL, mu->t, rstd->t, dy->t, dx->t,
                                      dgamma->t, dbeta->t));
    status = c->status;
cleanup:
    return status;
}

/* Weights: smallest, odd, one row, a first and a middle layer of a discriminator. */
static const tg_dims weights[] = {
    {1, 1, 1, 1}, {3, 5, 3, 1}, {1, 7, 4, 4}, {64, 3, 4, 4}, {70, 33, 4, 4}};

static tg_status spectral_forward(tgi_check *c, int iterates, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *w = c->values, *u = w + 1, *v = w + 2, *sigma = w + 3, *w_sn = w + 4;
    const tg_dims d = weights[i];
    const size_t rows = d.n, columns = d.c * d.h * d.w;

    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("w", d),
                     {"u", ((tg_dims){1, rows, 1, 1}), TGI_CHANGED, TOL_REDUCE, TGI_UNIT},
                     {"v", ((tg_dims){1, columns, 1, 1}), TGI_CHANGED, TOL_REDUCE, TGI_UNIT},
                     TGI_WRITES("sigma", ((tg_dims){1, 1, 1, 1}), TOL_REDUCE),
                     TGI_WRITES("w_sn", d, TOL_REDUCE))));
    if (!iterates) { /* u'Wv of any two vectors may be next to zero: one iteration first */
        ref_spectral_norm_forward(w->ref, rows, columns, true, u->ref, v->ref, w_sn->ref);
        tgi_check_take(u);
        tgi_check_take(v);
    }
    sigma->ref[0] =
        ref_spectral_norm_forward(w->ref, rows, columns, iterates, u->ref, v->ref, w_sn->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_spectral_norm_forward(w->t, iterates, u->t, v->t, sigma->t, w_sn->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status spectral_backward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *w = c->values, *u = w + 1, *v = w + 2, *sigma = w + 3, *w_sn = w + 4,
                    *dw_sn = w + 5, *dw = w + 6;
    const tg_dims d = weights[i];
    const size_t rows = d.n, columns = d.c * d.h * d.w;

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("w", d), TGI_FILLED("u", ((tg_dims){1, rows, 1, 1}), TGI_UNIT),
                     TGI_FILLED("v", ((tg_dims){1, columns, 1, 1}), TGI_UNIT),
                     TGI_READS("sigma", ((tg_dims){1, 1, 1, 1})), TGI_READS("w_sn", d),
                     TGI_READS("dw_sn", d), TGI_CHANGES("dw", d, TOL_REDUCE))));
    sigma->ref[0] =
        ref_spectral_norm_forward(w->ref, rows, columns, true, u->ref, v->ref, w_sn->ref);
    tgi_check_take(u);
    tgi_check_take(v);
    tgi_check_take(sigma);
    tgi_check_take(w_sn);
    ref_spectral_norm_backward(w_sn->ref, u->ref, v->ref, sigma->ref[0], dw_sn->ref, rows, columns,
                               dw->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_spectral_norm_backward(w_sn->t, u->t, v->t, sigma->t, dw_sn->t, dw->t));
    status = c->status;
cleanup:
    return status;
}

#define ROW(op, kind, program, run, number)                                                        \
    {                                                                                              \
        op, kind, program, run, number, TG_COUNT(shapes)                                           \
    }
#define WEIGHTS(op, kind, run, number)                                                             \
    {                                                                                              \
        op, kind, "spectral_norm", run, number, TG_COUNT(weights)                                  \
    }
const tgi_check_row tgi_check_norm[] = {
    ROW("instance_norm_forward", "", "instance_norm", instance_forward, 0),
    ROW("instance_norm_forward", "affine", "instance_norm", instance_forward, 1),
    ROW("instance_norm_backward", "", "instance_norm", instance_backward, 0),
    ROW("instance_norm_backward", "affine", "instance_norm", instance_backward, 1),
    ROW("batch_norm_forward_train", "", "batch_norm", batch_train, 0),
    ROW("batch_norm_forward_train", "affine", "batch_norm", batch_train, 1),
    ROW("batch_norm_forward_eval", "", "batch_norm", batch_eval, 0),
    ROW("batch_norm_forward_eval", "affine", "batch_norm", batch_eval, 1),
    ROW("batch_norm_backward", "", "batch_norm", batch_backward, 0),
    ROW("batch_norm_backward", "affine", "batch_norm", batch_backward, 1),
    WEIGHTS("spectral_norm_forward", "iterating", spectral_forward, 1),
    WEIGHTS("spectral_norm_forward", "as it is", spectral_forward, 0),
    WEIGHTS("spectral_norm_backward", "", spectral_backward, 0),
};
const size_t tgi_n_check_norm = TG_COUNT(tgi_check_norm);

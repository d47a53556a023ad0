/* loss.c -- loss terms and statistics: host side of cl/loss.cl.
 * One launch computes the partial sums and adds the gradients, a second, tiny one sums the partials into the slot. */
#include "config.h"
#include "op/reduce.h"

#include "base/banned.h"

/* As cl/loss.cl numbers them. */
typedef enum kind {
    ABS,
    SQUARE,
    SOFTPLUS_MINUS,
    SOFTPLUS,
    MINUS_SOFTPLUS,
    SQUARE_FROM_ONE,
    VALUE,
    MINUS_VALUE,
    LABEL,
    SIGMOID
} kind;

/* Sizes of whatever is given beside a; `what` names the op. */
static tg_status check(const char *what, const tg_tensor *a, const tg_tensor *b, tg_scalar loss,
                       const tg_tensor *da, const tg_tensor *db)
{
    const tg_tensor *others[] = {b, da, db};
    tg_status status = tgi_slot_check(what, a->dev, loss);

    for (size_t i = 0; i < TG_COUNT(others) && status == TG_OK; i++)
        if (others[i])
            status = tgi_op_same_dims(what, a, others[i]);
    if (status == TG_OK && db && !b)
        status = tg_fail(TG_ERR_ARGUMENT, "%s: a gradient is wanted of an input that is not there",
                         what);
    return status;
}

/* loss = scale * sum of f(a, b), with gradients. */
static tg_status mean_loss(kind f, const tg_tensor *a, const tg_tensor *b, double scale,
                           tg_scalar loss, tg_tensor *da, tg_tensor *db)
{
    tg_status status = TG_OK;
    tg_tensor *partials = NULL;
    tgi_kernel *kernel;
    size_t n = tg_tensor_count(a);
    const tgi_split split = tgi_split_of(n);

    if (!loss.tensor && !da && !db)
        return TG_OK;
    if (loss.tensor)
        TG_TRY(tg_tensor_new(a->dev, (tg_dims){1, 1, 1, split.n_parts}, &partials));
    TG_TRY(tgi_kernel_get(a->dev, "loss", "mean_loss", tgi_reduce_options(a->dev), &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1(split.n_parts * tgi_reduce_group(a->dev)),
                          TGI_ARGS(tgi_buffer(a), tgi_optional(b), tgi_int(n), tgi_int(split.chunk),
                                   tgi_int((size_t)f), tgi_float(scale), tgi_optional(partials),
                                   tgi_optional(da), tgi_optional(db))));
    if (loss.tensor)
        TG_TRY(tgi_reduce_finish(partials, scale, loss));
cleanup:
    tg_tensor_free(partials);
    return status;
}

tg_status tg_l1_loss(const tg_tensor *a, const tg_tensor *b, float weight, tg_scalar loss,
                     tg_tensor *da, tg_tensor *db)
{
    tg_status status = TG_OK;

    TG_TRY(check("L1 loss", a, b, loss, da, db));
    TG_TRY(mean_loss(ABS, a, b, (double)weight / (double)tg_tensor_count(a), loss, da, db));
cleanup:
    return status;
}

tg_status tg_mse_loss(const tg_tensor *a, const tg_tensor *b, float weight, tg_scalar loss,
                      tg_tensor *da, tg_tensor *db)
{
    tg_status status = TG_OK;

    TG_TRY(check("mean squared loss", a, b, loss, da, db));
    TG_TRY(mean_loss(SQUARE, a, b, (double)weight / (double)tg_tensor_count(a), loss, da, db));
cleanup:
    return status;
}

tg_status tg_tv_loss(const tg_tensor *m, float weight, tg_scalar loss, tg_tensor *dm)
{
    tg_status status = TG_OK;
    tg_tensor *partials = NULL;
    tgi_kernel *kernel;
    const tg_dims dims = m->dims;
    size_t n = tg_tensor_count(m), n_planes = dims.n * dims.c;
    const tgi_split split = tgi_split_of(n);
    /* A plane of one row has no differences between rows: that mean is zero. */
    double down = dims.h > 1 ? (double)weight / (double)(n_planes * (dims.h - 1) * dims.w) : 0;
    double right = dims.w > 1 ? (double)weight / (double)(n_planes * dims.h * (dims.w - 1)) : 0;

    TG_TRY(check("total variation", m, NULL, loss, dm, NULL));
    if (!loss.tensor && !dm)
        return TG_OK;
    if (loss.tensor)
        TG_TRY(tg_tensor_new(m->dev, (tg_dims){1, 1, 1, split.n_parts}, &partials));
    TG_TRY(tgi_kernel_get(m->dev, "loss", "tv_loss", tgi_reduce_options(m->dev), &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1(split.n_parts * tgi_reduce_group(m->dev)),
                          TGI_ARGS(tgi_buffer(m), tgi_int(n), tgi_int(dims.h), tgi_int(dims.w),
                                   tgi_int(split.chunk), tgi_float(down), tgi_float(right),
                                   tgi_optional(partials), tgi_optional(dm))));
    if (loss.tensor)
        TG_TRY(tgi_reduce_finish(partials, 1, loss));
cleanup:
    tg_tensor_free(partials);
    return status;
}

tg_status tg_adversarial_loss(tg_adversarial what, const tg_tensor *z, float weight, tg_scalar loss,
                              tg_tensor *dz)
{
    static const kind kinds[] = {[TG_ADV_REAL] = SOFTPLUS_MINUS,
                                 [TG_ADV_FAKE] = SOFTPLUS,
                                 [TG_ADV_SATURATING] = MINUS_SOFTPLUS,
                                 [TG_ADV_LS_REAL] = SQUARE_FROM_ONE,
                                 [TG_ADV_LS_FAKE] = SQUARE,
                                 [TG_ADV_W_REAL] = MINUS_VALUE,
                                 [TG_ADV_W_FAKE] = VALUE};
    tg_status status = TG_OK;

    if ((size_t)what >= TG_COUNT(kinds))
        return tg_fail(TG_ERR_ARGUMENT, "adversarial loss: there is no kind %d", (int)what);
    TG_TRY(check("adversarial loss", z, NULL, loss, dz, NULL));
    TG_TRY(mean_loss(kinds[what], z, NULL, (double)weight / (double)tg_tensor_count(z), loss, dz,
                     NULL));
cleanup:
    return status;
}

tg_status tg_label_loss(const tg_tensor *l, const tg_tensor *c, float weight, tg_scalar loss,
                        tg_tensor *dl)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_tensor_expect(l, (tg_dims){l->dims.n, l->dims.c, 1, 1}, "label loss: l"));
    TG_TRY(check("label loss", l, c, loss, dl, NULL));
    /* Summed over classes, averaged over the batch. */
    TG_TRY(mean_loss(LABEL, l, c, (double)weight / (double)l->dims.n, loss, dl, NULL));
cleanup:
    return status;
}

tg_status tg_softmax_loss(const tg_tensor *l, const tg_tensor *c, float weight, tg_scalar loss,
                          tg_tensor *dl)
{
    tg_status status = TG_OK;
    tg_tensor *partials = NULL;
    tgi_kernel *kernel;
    double scale = (double)weight / (double)l->dims.n;

    TG_TRY(tgi_tensor_expect(l, (tg_dims){l->dims.n, l->dims.c, 1, 1}, "softmax loss: l"));
    TG_TRY(check("softmax loss", l, c, loss, dl, NULL));
    if (!loss.tensor && !dl)
        return TG_OK;
    if (loss.tensor)
        TG_TRY(tg_tensor_new(l->dev, (tg_dims){1, 1, 1, l->dims.n}, &partials));
    TG_TRY(tgi_kernel_get(l->dev, "loss", "softmax_loss", tgi_reduce_options(l->dev), &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1(l->dims.n),
                          TGI_ARGS(tgi_buffer(l), tgi_buffer(c), tgi_int(l->dims.n),
                                   tgi_int(l->dims.c), tgi_float(scale), tgi_optional(partials),
                                   tgi_optional(dl))));
    if (loss.tensor)
        TG_TRY(tgi_reduce_finish(partials, scale, loss));
cleanup:
    tg_tensor_free(partials);
    return status;
}

tg_status tg_sample_norm(const tg_tensor *g, tg_tensor *norm, tg_tensor *u)
{
    tg_status status = TG_OK;
    tg_tensor *partials = NULL;
    tgi_kernel *finish, *divide;
    size_t n_samples = g->dims.n, n = tg_tensor_count(g) / n_samples,
           width = tgi_reduce_lanes(g->dev);

    TG_TRY(tgi_tensor_expect(norm, (tg_dims){n_samples, 1, 1, 1}, "sample norm: norm"));
    if (u)
        TG_TRY(tgi_op_same_dims("sample norm: u", g, u));
    TG_TRY(tgi_reduce_products(g, g, n_samples, &partials));
    TG_TRY(
        tgi_kernel_get(g->dev, "loss", "sample_norm_finish", tgi_reduce_options(g->dev), &finish));
    TG_TRY(tgi_kernel_run(finish, TGI_RANGE1(n_samples),
                          TGI_ARGS(tgi_buffer(partials), tgi_int(n_samples),
                                   tgi_int(partials->dims.w), tgi_buffer(norm))));
    if (u) {
        TG_TRY(tgi_kernel_get(g->dev, "loss", "sample_norm_divide", tgi_reduce_options(g->dev),
                              &divide));
        TG_TRY(
            tgi_kernel_run(divide, TGI_RANGE2((n + width - 1) / width, n_samples),
                           TGI_ARGS(tgi_buffer(g), tgi_buffer(norm), tgi_int(n), tgi_buffer(u))));
    }
cleanup:
    tg_tensor_free(partials);
    return status;
}

tg_status tg_penalty_loss(const tg_tensor *s, float weight, tg_scalar loss, tg_tensor *ds)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_tensor_expect(s, (tg_dims){s->dims.n, 1, 1, 1}, "penalty: s"));
    TG_TRY(check("penalty", s, NULL, loss, ds, NULL));
    TG_TRY(mean_loss(SQUARE_FROM_ONE, s, NULL, (double)weight / (double)s->dims.n, loss, ds, NULL));
cleanup:
    return status;
}

tg_status tg_statistic_of(tg_statistic what, const tg_tensor *z, tg_scalar out)
{
    static const kind kinds[] = {
        [TG_MEAN] = VALUE, [TG_MEAN_ABS] = ABS, [TG_MEAN_SIGMOID] = SIGMOID};
    tg_status status = TG_OK;

    if ((size_t)what >= TG_COUNT(kinds))
        return tg_fail(TG_ERR_ARGUMENT, "statistic: there is no kind %d", (int)what);
    TG_TRY(tgi_slot_check("statistic", z->dev, out));
    TG_TRY(mean_loss(kinds[what], z, NULL, 1 / (double)tg_tensor_count(z), out, NULL, NULL));
cleanup:
    return status;
}

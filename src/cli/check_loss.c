/* check_loss.c -- rows of taggan-devices check: losses, norms of samples, statistics. */
#include "config.h"
#include "cli/devices_check.h"

#include "base/banned.h"

/* Smallest, odd, more than one image, many partial sums. */
static const tg_dims images[] = {{1, 1, 1, 1}, {1, 3, 5, 7}, {2, 4, 17, 33}, {1, 1, 256, 256}};
static const tg_dims vectors[] = {{1, 1, 1, 1}, {1, 13, 1, 1}, {3, 5, 1, 1}, {70, 14, 1, 1}};
static const tg_dims one = {1, 1, 1, 1};
static const float weight = 1.75f;

static tg_scalar slot(const tgi_check_value *loss)
{
    return (tg_scalar){loss->t, 0};
}

/* L1 and, as `kind` 1, squares, of the difference of two images. */
static tg_status difference(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *a = c->values, *b = a + 1, *loss = a + 2, *da = a + 3, *db = a + 4;
    const tg_dims d = images[i];

    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("a", d), TGI_READS("b", d), TGI_WRITES("loss", one, TOL_REDUCE),
                     TGI_CHANGES("da", d, TOL_MATH), TGI_CHANGES("db", d, TOL_MATH))));
    loss->ref[0] =
        (kind ? ref_mse_loss : ref_l1_loss)(a->ref, b->ref, a->n, (double)weight, da->ref, db->ref);
    while (tgi_check_round(c))
        TG_TRY((kind ? tg_mse_loss : tg_l1_loss)(a->t, b->t, weight, slot(loss), da->t, db->t));
    status = c->status;
cleanup:
    return status;
}

/* The same against zero. */
static tg_status magnitude(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *a = c->values, *loss = a + 1, *da = a + 2;
    const tg_dims d = images[i];

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("a", d), TGI_WRITES("loss", one, TOL_REDUCE),
                                         TGI_CHANGES("da", d, TOL_MATH))));
    loss->ref[0] =
        (kind ? ref_mse_loss : ref_l1_loss)(a->ref, NULL, a->n, (double)weight, da->ref, NULL);
    while (tgi_check_round(c))
        TG_TRY((kind ? tg_mse_loss : tg_l1_loss)(a->t, NULL, weight, slot(loss), da->t, NULL));
    status = c->status;
cleanup:
    return status;
}

static tg_status total_variation(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *m = c->values, *loss = m + 1, *dm = m + 2;
    const tg_dims d = images[i];

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("m", d), TGI_WRITES("loss", one, TOL_REDUCE),
                                         TGI_CHANGES("dm", d, TOL_MATH))));
    loss->ref[0] = ref_tv_loss(m->ref, d, (double)weight, dm->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_tv_loss(m->t, weight, slot(loss), dm->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status adversarial(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *z = c->values, *loss = z + 1, *dz = z + 2;
    const tg_dims d = images[i];

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("z", d), TGI_WRITES("loss", one, TOL_REDUCE),
                                         TGI_CHANGES("dz", d, TOL_MATH))));
    loss->ref[0] =
        ref_adversarial_loss((tg_adversarial)kind, z->ref, z->n, (double)weight, dz->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_adversarial_loss((tg_adversarial)kind, z->t, weight, slot(loss), dz->t));
    status = c->status;
cleanup:
    return status;
}

/* `kind` 1 has labels, 0 means that all are zero. */
static tg_status label(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *l = c->values, *labels = l + 1, *loss = l + 2, *dl = l + 3;
    const tg_dims d = vectors[i];

    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("l", d), TGI_FILLED("c", d, TGI_BINARY),
                                         TGI_WRITES("loss", one, TOL_REDUCE),
                                         TGI_CHANGES("dl", d, TOL_MATH))));
    loss->ref[0] =
        ref_label_loss(l->ref, kind ? labels->ref : NULL, d.n, d.c, (double)weight, dl->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_label_loss(l->t, kind ? labels->t : NULL, weight, slot(loss), dl->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status softmax(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *l = c->values, *targets = l + 1, *loss = l + 2, *dl = l + 3;
    const tg_dims d = vectors[i];

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("l", d), TGI_FILLED("c", d, TGI_SHARES),
                                         TGI_WRITES("loss", one, TOL_REDUCE),
                                         TGI_CHANGES("dl", d, TOL_MATH))));
    loss->ref[0] = ref_softmax_loss(l->ref, targets->ref, d.n, d.c, (double)weight, dl->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_softmax_loss(l->t, targets->t, weight, slot(loss), dl->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status sample_norm(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *g = c->values, *norm = g + 1, *u = g + 2;
    const tg_dims d = images[i], samples = {d.n, 1, 1, 1};

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("g", d), TGI_WRITES("norm", samples, TOL_REDUCE),
                                         TGI_WRITES("u", d, TOL_REDUCE))));
    ref_sample_norm(g->ref, d.n, g->n / d.n, norm->ref, u->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_sample_norm(g->t, norm->t, u->t));
    status = c->status;
cleanup:
    return status;
}

/* The mean of (s - 1)^2 is the least-squares term for real logits. */
static tg_status penalty(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *s = c->values, *loss = s + 1, *ds = s + 2;
    const tg_dims d = {vectors[i].n, 1, 1, 1};

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_FILLED("s", d, TGI_POSITIVE),
                                         TGI_WRITES("loss", one, TOL_REDUCE),
                                         TGI_CHANGES("ds", d, TOL_MATH))));
    loss->ref[0] = ref_adversarial_loss(TG_ADV_LS_REAL, s->ref, s->n, (double)weight, ds->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_penalty_loss(s->t, weight, slot(loss), ds->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status statistic(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *z = c->values, *out = z + 1;

    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("z", images[i]), TGI_WRITES("out", one, TOL_REDUCE))));
    out->ref[0] = ref_statistic_of((tg_statistic)kind, z->ref, z->n);
    while (tgi_check_round(c))
        TG_TRY(tg_statistic_of((tg_statistic)kind, z->t, slot(out)));
    status = c->status;
cleanup:
    return status;
}

#define IMAGES(op, kind, run, number)                                                              \
    {                                                                                              \
        op, kind, "loss", run, number, TG_COUNT(images)                                            \
    }
#define VECTORS(op, kind, run, number)                                                             \
    {                                                                                              \
        op, kind, "loss", run, number, TG_COUNT(vectors)                                           \
    }
const tgi_check_row tgi_check_loss[] = {
    IMAGES("l1_loss", "", difference, 0),
    IMAGES("l1_loss", "of one", magnitude, 0),
    IMAGES("mse_loss", "", difference, 1),
    IMAGES("mse_loss", "of one", magnitude, 1),
    IMAGES("tv_loss", "", total_variation, 0),
    IMAGES("adversarial_loss", "real", adversarial, TG_ADV_REAL),
    IMAGES("adversarial_loss", "fake", adversarial, TG_ADV_FAKE),
    IMAGES("adversarial_loss", "saturating", adversarial, TG_ADV_SATURATING),
    IMAGES("adversarial_loss", "LSGAN real", adversarial, TG_ADV_LS_REAL),
    IMAGES("adversarial_loss", "LSGAN fake", adversarial, TG_ADV_LS_FAKE),
    IMAGES("adversarial_loss", "WGAN real", adversarial, TG_ADV_W_REAL),
    IMAGES("adversarial_loss", "WGAN fake", adversarial, TG_ADV_W_FAKE),
    VECTORS("label_loss", "", label, 1),
    VECTORS("label_loss", "all zero", label, 0),
    VECTORS("softmax_loss", "", softmax, 0),
    IMAGES("sample_norm", "", sample_norm, 0),
    VECTORS("penalty_loss", "", penalty, 0),
    IMAGES("statistic_of", "mean", statistic, TG_MEAN),
    IMAGES("statistic_of", "mean of |z|", statistic, TG_MEAN_ABS),
    IMAGES("statistic_of", "mean of sigmoid", statistic, TG_MEAN_SIGMOID),
};
const size_t tgi_n_check_loss = TG_COUNT(tgi_check_loss);

/* losses.c -- losses on the tape: they end a branch, so they add their gradient at once and leave no node. */
#include "config.h"
#include "tape/record.h"

#include "base/banned.h"

/* A loss is computed in one call, or under a scale in two: what is printed, and the gradient that many times as large. */
typedef struct part {
    float weight;
    tg_scalar loss;
    bool has_gradient;
} part;
enum { MAX_PARTS = 2 };

static size_t parts_of(const tgi_tape *tape, float weight, tg_scalar loss, part parts[MAX_PARTS])
{
    float scale = tgi_tape_scale_of(tape);

    parts[0] = (part){weight, loss, scale == 1};
    parts[1] = (part){weight * scale, {NULL, 0}, true};
    return scale == 1 ? 1 : 2;
}

static tg_tensor *gradient_of(const part *p, tg_tensor *grad)
{
    return p->has_gradient ? grad : NULL;
}

tg_status tgi_tape_l1(tgi_tape *tape, tgi_var *a, tgi_var *b, float weight, tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *da, *db;
    part p[MAX_PARTS];
    size_t n = parts_of(tape, weight, loss, p);

    TG_TRY(tgi_tape_wanted(tape, a, &da));
    TG_TRY(tgi_tape_wanted(tape, b, &db));
    for (size_t i = 0; i < n; i++)
        TG_TRY(tg_l1_loss(a->value, b ? b->value : NULL, p[i].weight, p[i].loss,
                          gradient_of(&p[i], da), gradient_of(&p[i], db)));
cleanup:
    return status;
}

tg_status tgi_tape_mse(tgi_tape *tape, tgi_var *a, tgi_var *b, float weight, tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *da, *db;
    part p[MAX_PARTS];
    size_t n = parts_of(tape, weight, loss, p);

    TG_TRY(tgi_tape_wanted(tape, a, &da));
    TG_TRY(tgi_tape_wanted(tape, b, &db));
    for (size_t i = 0; i < n; i++)
        TG_TRY(tg_mse_loss(a->value, b ? b->value : NULL, p[i].weight, p[i].loss,
                           gradient_of(&p[i], da), gradient_of(&p[i], db)));
cleanup:
    return status;
}

tg_status tgi_tape_tv(tgi_tape *tape, tgi_var *m, float weight, tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *dm;
    part p[MAX_PARTS];
    size_t n = parts_of(tape, weight, loss, p);

    TG_TRY(tgi_tape_wanted(tape, m, &dm));
    for (size_t i = 0; i < n; i++)
        TG_TRY(tg_tv_loss(m->value, p[i].weight, p[i].loss, gradient_of(&p[i], dm)));
cleanup:
    return status;
}

tg_status tgi_tape_adversarial(tgi_tape *tape, tgi_var *z, tg_adversarial kind, float weight,
                               tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *dz;
    part p[MAX_PARTS];
    size_t n = parts_of(tape, weight, loss, p);

    TG_TRY(tgi_tape_wanted(tape, z, &dz));
    for (size_t i = 0; i < n; i++)
        TG_TRY(tg_adversarial_loss(kind, z->value, p[i].weight, p[i].loss, gradient_of(&p[i], dz)));
cleanup:
    return status;
}

tg_status tgi_tape_label_loss(tgi_tape *tape, tgi_var *l, const tg_tensor *labels, float weight,
                              tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *dl;
    part p[MAX_PARTS];
    size_t n = parts_of(tape, weight, loss, p);

    TG_TRY(tgi_tape_wanted(tape, l, &dl));
    for (size_t i = 0; i < n; i++)
        TG_TRY(tg_label_loss(l->value, labels, p[i].weight, p[i].loss, gradient_of(&p[i], dl)));
cleanup:
    return status;
}

tg_status tgi_tape_softmax_loss(tgi_tape *tape, tgi_var *l, const tg_tensor *targets, float weight,
                                tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *dl;
    part p[MAX_PARTS];
    size_t n = parts_of(tape, weight, loss, p);

    TG_TRY(tgi_tape_wanted(tape, l, &dl));
    for (size_t i = 0; i < n; i++)
        TG_TRY(tg_softmax_loss(l->value, targets, p[i].weight, p[i].loss, gradient_of(&p[i], dl)));
cleanup:
    return status;
}

tg_status tgi_tape_penalty(tgi_tape *tape, tgi_var *slope, float weight, tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *ds;
    part p[MAX_PARTS];
    size_t n = parts_of(tape, weight, loss, p);

    TG_TRY(tgi_tape_wanted(tape, slope, &ds));
    for (size_t i = 0; i < n; i++)
        TG_TRY(tg_penalty_loss(slope->value, p[i].weight, p[i].loss, gradient_of(&p[i], ds)));
cleanup:
    return status;
}

/* losses.c -- losses on the tape: they end a branch, so they add their gradient at once and leave no node. */
#include "config.h"
#include "tape/record.h"

#include "base/banned.h"

tg_status tgi_tape_l1(tgi_tape *tape, tgi_var *a, tgi_var *b, float weight, tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *da, *db;

    TG_TRY(tgi_tape_wanted(tape, a, &da));
    TG_TRY(tgi_tape_wanted(tape, b, &db));
    TG_TRY(tg_l1_loss(a->value, b ? b->value : NULL, weight, loss, da, db));
cleanup:
    return status;
}

tg_status tgi_tape_mse(tgi_tape *tape, tgi_var *a, tgi_var *b, float weight, tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *da, *db;

    TG_TRY(tgi_tape_wanted(tape, a, &da));
    TG_TRY(tgi_tape_wanted(tape, b, &db));
    TG_TRY(tg_mse_loss(a->value, b ? b->value : NULL, weight, loss, da, db));
cleanup:
    return status;
}

tg_status tgi_tape_tv(tgi_tape *tape, tgi_var *m, float weight, tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *dm;

    TG_TRY(tgi_tape_wanted(tape, m, &dm));
    TG_TRY(tg_tv_loss(m->value, weight, loss, dm));
cleanup:
    return status;
}

tg_status tgi_tape_adversarial(tgi_tape *tape, tgi_var *z, tg_adversarial kind, float weight,
                               tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *dz;

    TG_TRY(tgi_tape_wanted(tape, z, &dz));
    TG_TRY(tg_adversarial_loss(kind, z->value, weight, loss, dz));
cleanup:
    return status;
}

tg_status tgi_tape_label_loss(tgi_tape *tape, tgi_var *l, const tg_tensor *labels, float weight,
                              tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *dl;

    TG_TRY(tgi_tape_wanted(tape, l, &dl));
    TG_TRY(tg_label_loss(l->value, labels, weight, loss, dl));
cleanup:
    return status;
}

tg_status tgi_tape_softmax_loss(tgi_tape *tape, tgi_var *l, const tg_tensor *targets, float weight,
                                tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *dl;

    TG_TRY(tgi_tape_wanted(tape, l, &dl));
    TG_TRY(tg_softmax_loss(l->value, targets, weight, loss, dl));
cleanup:
    return status;
}

tg_status tgi_tape_penalty(tgi_tape *tape, tgi_var *slope, float weight, tg_scalar loss)
{
    tg_status status = TG_OK;
    tg_tensor *ds;

    TG_TRY(tgi_tape_wanted(tape, slope, &ds));
    TG_TRY(tg_penalty_loss(slope->value, weight, loss, ds));
cleanup:
    return status;
}

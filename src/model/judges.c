/* judges.c -- steps 5 to 7 of Algorithm 1: the discriminators learn real from fake, and labels from real images. */
#include "config.h"
#include "base/rng.h"
#include "model/taggan.h"
#include "op/op.h"

#include <stddef.h>

#include "base/banned.h"

/* The adversarial terms of each loss, doc/notation.md. A discriminator's two terms are halved except under Wasserstein. */
static const struct {
    tg_adversarial real, fake, fool;
    double judge_weight;
} adversarial[] = {
    [TGI_ADV_BCE] = {TG_ADV_REAL, TG_ADV_FAKE, TG_ADV_REAL, 0.5},
    [TGI_ADV_SATURATING] = {TG_ADV_REAL, TG_ADV_FAKE, TG_ADV_SATURATING, 0.5},
    [TGI_ADV_LSGAN] = {TG_ADV_LS_REAL, TG_ADV_LS_FAKE, TG_ADV_LS_REAL, 0.5},
    [TGI_ADV_WGAN] = {TG_ADV_W_REAL, TG_ADV_W_FAKE, TG_ADV_W_REAL, 1},
    [TGI_ADV_WGANGP] = {TG_ADV_W_REAL, TG_ADV_W_FAKE, TG_ADV_W_REAL, 1},
};

tg_status tgi_fool(tgi_model *model, tgi_tape *tape, tgi_var *score, tg_scalar slot)
{
    return tgi_tape_adversarial(tape, score, adversarial[model->settings.adv].fool, 1, slot);
}

tg_status tgi_label_term(tgi_model *model, const tgi_feed *feed, tgi_tape *tape, tgi_var *logits,
                         tgi_whose whose, double weight, tg_scalar slot)
{
    if (model->settings.cls == TGI_CLS_SOFTMAX)
        return tgi_tape_softmax_loss(tape, logits,
                                     whose == TGI_LABELS_OF_X   ? feed->target_x
                                     : whose == TGI_LABELS_OF_Y ? feed->target_y
                                                                : feed->target_healthy,
                                     (float)weight, slot);
    return tgi_tape_label_loss(tape, logits,
                               whose == TGI_LABELS_OF_X   ? feed->c
                               : whose == TGI_LABELS_OF_Y ? feed->cy
                                                          : NULL,
                               (float)weight, slot);
}

static tg_status optimise(const tgi_settings *s, tgi_member *member, double lr, uint64_t t,
                          const tg_tensor *factor)
{
    tgi_net *net = member->net;

    if (s->optimizer == TGI_OPT_ADAM) {
        const tg_adam_opts adam = {(float)lr, (float)s->beta1, (float)s->beta2, 1e-8f, t};
        return tgi_adam_step(net->grads, factor, &adam, net->values, member->m, member->v);
    }
    if (s->optimizer == TGI_OPT_RMSPROP)
        return tgi_rmsprop_step(net->grads, factor, (float)lr, 0.99f, 1e-8f, net->values,
                                member->v);
    return tgi_sgd_step(net->grads, factor, (float)lr, net->values);
}

/* In float a norm that is not finite shows on the board and the trainer goes back. In half it is most likely the scale's fault: the
 * device leaves the update out, and the count on the board tells the trainer to take a smaller scale. */
tg_status tgi_update(tgi_model *model, tgi_member *member, double lr, uint64_t t, tg_scalar norm)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &model->settings;
    bool is_half = s->precision == TGI_PRECISION_HALF;
    tg_tensor *factor = NULL;
    const tgi_clip_opts clip = {.limit = (float)s->clip,
                                .scale = (float)model->loss_scale,
                                .norm = norm,
                                .skipped = is_half ? TGI_BOARD_SLOT(model, skipped) : TGI_NO_SLOT};

    TG_TRY(tg_tensor_new(model->dev, (tg_dims){1, 1, 1, 1}, &factor));
    TG_TRY(tgi_clip_scaled(&clip, member->net->grads, factor));
    TG_TRY(optimise(s, member, lr, t, is_half ? factor : NULL));
    tgi_net_touch(member->net);
cleanup:
    tg_tensor_free(factor);
    return status;
}

/* One discriminator's step: what it sees, and where its numbers go. */
typedef struct hearing {
    tgi_member *judge;
    tg_tensor *real, *fakes[2]; /* second fake only with dd_fake=both */
    bool has_labels;            /* DD: also learns labels from real images of both domains */
    uint64_t draw;              /* number of the penalty's random draw */
    tg_scalar loss_real, loss_fakes[2], penalty, slope, score_real, score_fake, norm;
} hearing;

/* Random points between real and fake, one mix factor a sample. */
static tg_status mix(tgi_model *model, const hearing *h, tg_tensor *between)
{
    tg_status status = TG_OK;
    tgi_rng rng = tgi_rng_new(model->settings.seed, TGI_STREAM_PENALTY, h->draw);
    float factors[512];
    size_t n = h->real->dims.n;

    for (size_t i = 0; i < n; i++)
        factors[i] = (float)tgi_rng_uniform(&rng);
    TG_TRY(tgi_stage_push(model->stage, factors, n, model->mix));
    TG_TRY(tg_mix(h->fakes[0], h->real, model->mix, between));
cleanup:
    return status;
}

/* The exact gradient penalty by the tangent pass, doc/notation.md: slope of the critic along its own gradient. */
static tg_status penalise(tgi_model *model, const hearing *h)
{
    tg_status status = TG_OK;
    tg_tensor *between = NULL, *norm = NULL, *direction = NULL;
    tgi_var *x, *score, *slope;
    size_t n = h->real->dims.n;

    TG_TRY(tg_tensor_new(model->dev, h->real->dims, &between));
    TG_TRY(tg_tensor_new(model->dev, h->real->dims, &direction));
    TG_TRY(tg_tensor_new(model->dev, (tg_dims){n, 1, 1, 1}, &norm));
    TG_TRY(mix(model, h, between));
    /* forward, and backward to the input only: g = grad_x D */
    TG_TRY(tgi_tape_leaf(model->probe, between, true, &x));
    TG_TRY(tgi_net_judge(h->judge->net, model->probe, x, false, &score, NULL));
    if (score->value->dims.h * score->value->dims.w > 1)
        TG_TRY(tgi_tape_plane_pool(model->probe, score, TG_PLANE_MEAN, &score));
    TG_TRY(tgi_tape_adversarial(model->probe, score, TG_ADV_W_FAKE, (float)n,
                                TGI_NO_SLOT)); /* output gradient 1 a sample */
    TG_TRY(tgi_tape_backward(model->probe));
    TG_TRY(tg_sample_norm(x->grad, norm, direction));
    /* tangent pass along u = g / |g|, and its backward to the weights */
    TG_TRY(tgi_tape_tangent(model->probe, x, direction, score, model->tangent, &slope));
    TG_TRY(tgi_tape_penalty(model->tangent, slope, (float)model->settings.lam_gp, h->penalty));
    TG_TRY(tg_statistic_of(TG_MEAN, norm, h->slope));
    TG_TRY(tgi_tape_backward(model->tangent));
cleanup:
    tgi_tape_reset(model->tangent);
    tgi_tape_reset(model->probe);
    tg_tensor_free(norm);
    tg_tensor_free(direction);
    tg_tensor_free(between);
    return status;
}

/* What a judge said of each batch that it saw; logits only where its label head is computed, else NULL. */
enum { REAL, HEALTHY, FAKE, MAX_SEEN = 4 };
typedef struct verdicts {
    tgi_var *score[MAX_SEEN], *logits[MAX_SEEN];
} verdicts;

static tg_status judge_each(tgi_model *model, const hearing *h, tg_tensor *const seen[MAX_SEEN],
                            verdicts *v)
{
    tg_status status = TG_OK;
    tgi_var *x;

    for (size_t i = 0; i < MAX_SEEN; i++) {
        if (!seen[i])
            continue;
        TG_TRY(tgi_tape_leaf(model->judging, seen[i], false, &x));
        TG_TRY(tgi_net_judge(h->judge->net, model->judging, x, true, &v->score[i],
                             h->has_labels && i < FAKE ? &v->logits[i] : NULL));
    }
cleanup:
    return status;
}

/* The same in one pass. */
static tg_status judge_together(tgi_model *model, const hearing *h, tg_tensor *const seen[MAX_SEEN],
                                verdicts *v)
{
    tg_status status = TG_OK;
    tgi_tape *tape = model->judging;
    size_t n = model->settings.batch;
    tgi_var *all = NULL, *x, *score, *logits = NULL;

    for (size_t i = 0; i < MAX_SEEN; i++) {
        if (!seen[i])
            continue;
        TG_TRY(tgi_tape_leaf(tape, seen[i], false, &x));
        if (all)
            TG_TRY(tgi_tape_stack(tape, all, x, &all));
        else
            all = x;
    }
    TG_TRY(tgi_net_judge(h->judge->net, tape, all, true, &score, h->has_labels ? &logits : NULL));
    for (size_t i = 0, at = 0; i < MAX_SEEN; i++) {
        if (!seen[i])
            continue;
        TG_TRY(tgi_tape_samples(tape, score, at, n, &v->score[i]));
        if (logits && i < FAKE)
            TG_TRY(tgi_tape_samples(tape, logits, at, n, &v->logits[i]));
        at += n;
    }
cleanup:
    return status;
}

/* DD's label head learns from real images only, sick and healthy, so that it can tell "class k" from "nothing". */
static tg_status learn_labels(tgi_model *model, const tgi_feed *feed, const verdicts *v)
{
    tg_status status = TG_OK;
    double weight = 0.5 * model->settings.lam_cls;

    TG_TRY(tgi_label_term(model, feed, model->judging, v->logits[REAL], TGI_LABELS_OF_X, weight,
                          TGI_BOARD_SLOT(model, d_cls_diseased)));
    TG_TRY(tgi_label_term(model, feed, model->judging, v->logits[HEALTHY], TGI_LABELS_NONE, weight,
                          TGI_BOARD_SLOT(model, d_cls_healthy)));
cleanup:
    return status;
}

/* L_D = w * [adv(D(real), 1) + adv(D(fake), 0)] (+ labels, + penalty); one update. */
static tg_status hear(tgi_model *model, const tgi_feed *feed, const hearing *h, double lr)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &model->settings;
    tgi_tape *tape = model->judging;
    float weight = (float)adversarial[s->adv].judge_weight;
    size_t n_fakes = h->fakes[1] ? 2 : 1;
    tg_tensor *const seen[MAX_SEEN] = {h->real, h->has_labels ? feed->y : NULL, h->fakes[0],
                                       h->fakes[1]};
    verdicts v = {{NULL}, {NULL}};

    TG_TRY(tgi_net_zero_grads(h->judge->net));
    TG_TRY(tgi_goes_together(model, h->judge->net) ? judge_together(model, h, seen, &v)
                                                   : judge_each(model, h, seen, &v));
    TG_TRY(
        tgi_tape_adversarial(tape, v.score[REAL], adversarial[s->adv].real, weight, h->loss_real));
    TG_TRY(tg_statistic_of(TG_MEAN, v.score[REAL]->value, h->score_real));
    if (h->has_labels)
        TG_TRY(learn_labels(model, feed, &v));
    for (size_t i = 0; i < n_fakes; i++)
        TG_TRY(tgi_tape_adversarial(tape, v.score[FAKE + i], adversarial[s->adv].fake,
                                    weight / (float)n_fakes, h->loss_fakes[i]));
    TG_TRY(tg_statistic_of(TG_MEAN, v.score[FAKE]->value, h->score_fake));
    TG_TRY(tgi_tape_backward(tape));
    if (s->adv == TGI_ADV_WGANGP && s->lam_gp > 0)
        TG_TRY(penalise(model, h));
    TG_TRY(tgi_update(model, h->judge, lr, model->n_updates + 1, h->norm));
    if (s->adv == TGI_ADV_WGAN) {
        TG_TRY(tg_clip_weights((float)s->wclip, h->judge->net->values));
        tgi_net_touch(h->judge->net);
    }
cleanup:
    tgi_tape_reset(tape);
    return status;
}

tg_status tgi_update_judges(tgi_model *model, const tgi_feed *feed, tg_tensor *xh, tg_tensor *xf,
                            tg_tensor *xr, double lr)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &model->settings;
    tg_tensor *shown_healthy = NULL, *shown_diseased = NULL;
    tg_tensor *fake = s->dd_fake == TGI_FAKE_XR ? xr : xf;
    hearing normal = {.judge = &model->dn, .real = feed->y, .draw = 2 * model->n_updates};
    hearing disease = {.judge = &model->dd, .real = feed->x, .draw = 2 * model->n_updates + 1};

    TG_TRY(tg_tensor_new(model->dev, xh->dims, &shown_healthy));
    TG_TRY(tg_tensor_new(model->dev, fake->dims, &shown_diseased));
    TG_TRY(tgi_image_pool_query(&model->pool_normal, xh, s->seed, 2 * model->n_updates,
                                shown_healthy));
    TG_TRY(tgi_image_pool_query(&model->pool_disease, fake, s->seed, 2 * model->n_updates + 1,
                                shown_diseased));

    normal.fakes[0] = shown_healthy;
    normal.loss_real = TGI_BOARD_SLOT(model, d_normal_real);
    normal.loss_fakes[0] = TGI_BOARD_SLOT(model, d_normal_fake);
    normal.penalty = TGI_BOARD_SLOT(model, d_penalty_normal);
    normal.slope = TGI_BOARD_SLOT(model, slope_normal);
    normal.score_real = TGI_BOARD_SLOT(model, judge_normal_real);
    normal.score_fake = TGI_BOARD_SLOT(model, judge_normal_fake);
    normal.norm = TGI_BOARD_SLOT(model, norm_dn);
    TG_TRY(hear(model, feed, &normal, lr));

    disease.fakes[0] = shown_diseased;
    disease.fakes[1] = s->dd_fake == TGI_FAKE_BOTH ? xr : NULL;
    disease.has_labels = s->lam_cls > 0;
    disease.loss_real = TGI_BOARD_SLOT(model, d_disease_real);
    disease.loss_fakes[0] = TGI_BOARD_SLOT(model, d_disease_fake);
    disease.loss_fakes[1] = TGI_BOARD_SLOT(model, d_disease_rebuilt);
    disease.penalty = TGI_BOARD_SLOT(model, d_penalty_disease);
    disease.slope = TGI_BOARD_SLOT(model, slope_disease);
    disease.score_real = TGI_BOARD_SLOT(model, judge_disease_real);
    disease.score_fake = TGI_BOARD_SLOT(model, judge_disease_fake);
    disease.norm = TGI_BOARD_SLOT(model, norm_dd);
    TG_TRY(hear(model, feed, &disease, lr));
    model->n_updates++;
cleanup:
    tg_tensor_free(shown_diseased);
    tg_tensor_free(shown_healthy);
    return status;
}

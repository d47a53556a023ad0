/* taggan.c -- one iteration of Algorithm 1: images by both generators, the discriminators' step, the generators' step. */
#include "config.h"
#include "model/taggan.h"

#include <stddef.h>
#include <math.h>

#include "base/banned.h"

/* Pixels of a batch up to which two of them go through a network together. */
enum { MOST_PIXELS = 8 * 64 * 64 };

bool tgi_goes_together(const tgi_model *model, const tgi_net *net)
{
    const tgi_settings *s = &model->settings;

    return s->batch * s->size * s->size <= MOST_PIXELS && !tgi_net_mixes_samples(net);
}

/* From what G gave for x, in *map, to the map and x - M. */
static tg_status compose_healthy(const tgi_model *model, tgi_tape *tape, tgi_var *x, tgi_var **map,
                                 tgi_var **healthy)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &model->settings;

    if (s->map == TGI_MAP_RELU)
        TG_TRY(tgi_tape_activation(tape, *map, TG_RELU, 0, map));
    if (s->map_scale != 1)
        TG_TRY(tgi_tape_scale(tape, *map, (float)s->map_scale, map));
    TG_TRY(tgi_tape_subtract(tape, x, *map, healthy));
    if (s->compose == TGI_COMPOSE_SUB_CLAMP)
        TG_TRY(tgi_tape_clamp(tape, *healthy, -1, 1, healthy));
    if (s->compose ==
        TGI_COMPOSE_SUB_TANH) { /* here the map is what is really taken away: x - tanh(x - R) */
        TG_TRY(tgi_tape_activation(tape, *healthy, TG_TANH, 0, healthy));
        TG_TRY(tgi_tape_subtract(tape, x, *healthy, map));
    }
cleanup:
    return status;
}

tg_status tgi_make_healthy(tgi_model *model, tgi_net *net, tgi_tape *tape, tgi_var *x,
                           const tg_tensor *labels, bool is_trainable, tgi_var **map,
                           tgi_var **healthy)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_net_generate(net, tape, x, labels, is_trainable, map));
    TG_TRY(compose_healthy(model, tape, x, map, healthy));
cleanup:
    return status;
}

/* From what F gave for `from`, in *diseased, to what it adds and the diseased image. */
static tg_status compose_diseased(const tgi_model *model, tgi_tape *tape, tgi_var *from,
                                  tgi_var **added, tgi_var **diseased)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &model->settings;

    *added = NULL;
    if (s->bgan == TGI_BGAN_IMAGE)
        return TG_OK;
    *added = *diseased;
    if (s->map_scale != 1)
        TG_TRY(tgi_tape_scale(tape, *added, (float)s->map_scale, added));
    TG_TRY(tgi_tape_add(tape, from, *added, diseased));
cleanup:
    return status;
}

tg_status tgi_make_diseased(tgi_model *model, tgi_tape *tape, tgi_var *from,
                            const tg_tensor *labels, bool is_trainable, tgi_var **added,
                            tgi_var **diseased)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_net_generate(model->f.net, tape, from, labels, is_trainable, diseased));
    TG_TRY(compose_diseased(model, tape, from, added, diseased));
cleanup:
    return status;
}

/* net(a, c) and net(b, cy) in one pass. */
static tg_status generate_both(const tgi_model *model, const tgi_feed *feed, tgi_net *net,
                               tgi_var *a, tgi_var *b, bool is_trainable, tgi_var **of_a,
                               tgi_var **of_b)
{
    tg_status status = TG_OK;
    tgi_tape *tape = model->forward;
    size_t n = model->settings.batch;
    tgi_var *both;

    TG_TRY(tgi_tape_stack(tape, a, b, &both));
    TG_TRY(tgi_net_generate(net, tape, both, feed->both, is_trainable, &both));
    TG_TRY(tgi_tape_samples(tape, both, 0, n, of_a));
    TG_TRY(tgi_tape_samples(tape, both, n, n, of_b));
cleanup:
    return status;
}

static tg_status make_leaves(const tgi_model *model, const tgi_feed *feed, tgi_images *im)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_tape_leaf(model->forward, feed->x, false, &im->x));
    TG_TRY(tgi_tape_leaf(model->forward, feed->y, false, &im->y));
cleanup:
    return status;
}

/* Step 2, (4) of the paper, to teach the discriminators alone: the cleaned and the synthetic diseased image, and what else they see. */
static tg_status make_fakes(tgi_model *model, const tgi_feed *feed, tgi_images *im)
{
    tg_status status = TG_OK;
    tgi_tape *tape = model->forward;
    tgi_var *ignored;

    TG_TRY(make_leaves(model, feed, im));
    TG_TRY(tgi_make_healthy(model, model->g.net, tape, im->x, feed->c, false, &im->map, &im->xh));
    TG_TRY(tgi_make_diseased(model, tape, im->y, feed->cy, false, &im->added, &im->xf));
    if (model->settings.dd_fake != TGI_FAKE_XF)
        TG_TRY(tgi_make_diseased(model, tape, im->xh, feed->c, false, &ignored, &im->xr));
cleanup:
    return status;
}

/* The maps of both real images, and the cleaned one; the healthy image's map is not made where nobody wants it. */
static tg_status clean(tgi_model *model, const tgi_feed *feed, const tgi_pace *pace,
                       bool is_trainable, tgi_images *im)
{
    tg_status status = TG_OK;
    tgi_tape *tape = model->forward;
    tgi_net *net = model->g.net;
    bool has_identity = pace->lam_id > 0;
    tgi_var *ignored;

    if (has_identity && tgi_goes_together(model, net)) {
        TG_TRY(generate_both(model, feed, net, im->x, im->y, is_trainable, &im->map, &im->map_id));
        TG_TRY(compose_healthy(model, tape, im->x, &im->map, &im->xh));
        return compose_healthy(model, tape, im->y, &im->map_id, &ignored);
    }
    TG_TRY(tgi_make_healthy(model, net, tape, im->x, feed->c, is_trainable, &im->map, &im->xh));
    if (has_identity || pace->is_logged)
        TG_TRY(tgi_make_healthy(model, net, tape, im->y, feed->cy, is_trainable && has_identity,
                                &im->map_id, &ignored));
cleanup:
    return status;
}

/* F's two passes: the synthetic diseased image and the rebuilt one. */
static tg_status add_disease(tgi_model *model, const tgi_feed *feed, bool is_trainable,
                             tgi_images *im)
{
    tg_status status = TG_OK;
    tgi_tape *tape = model->forward;
    tgi_var *ignored;

    if (tgi_goes_together(model, model->f.net)) {
        TG_TRY(generate_both(model, feed, model->f.net, im->xh, im->y, is_trainable, &im->xr,
                             &im->xf));
        TG_TRY(compose_diseased(model, tape, im->xh, &ignored, &im->xr));
        return compose_diseased(model, tape, im->y, &im->added, &im->xf);
    }
    TG_TRY(tgi_make_diseased(model, tape, im->y, feed->cy, is_trainable, &im->added, &im->xf));
    TG_TRY(tgi_make_diseased(model, tape, im->xh, feed->c, is_trainable, &ignored, &im->xr));
cleanup:
    return status;
}

/* Steps 2 to 4, (4) and (5): the fakes, both images back through the other generator, and the map of a healthy image. */
static tg_status make_images(tgi_model *model, const tgi_feed *feed, const tgi_pace *pace,
                             bool is_trainable, tgi_images *im)
{
    tg_status status = TG_OK;
    tgi_var *ignored;

    TG_TRY(make_leaves(model, feed, im));
    TG_TRY(clean(model, feed, pace, is_trainable, im));
    TG_TRY(add_disease(model, feed, is_trainable, im));
    tgi_net_drop_packed(
        model->f.net); /* its last pass forward, and most memory is taken from here on */
    TG_TRY(tgi_make_healthy(model, model->g.net, model->forward, im->xf, feed->cy, is_trainable,
                            &ignored, &im->yr));
    tgi_net_drop_packed(model->g.net);
cleanup:
    return status;
}

/* Steps 6 and 7 for the updates before the last: fresh batches and fakes that teach the discriminators alone. */
static tg_status update_judges_alone(tgi_model *model, const tgi_feed *feed, double lr)
{
    tg_status status = TG_OK;
    tgi_images im = {0};

    TG_TRY(make_fakes(model, feed, &im));
    TG_TRY(tgi_update_judges(model, feed, im.xh->value, im.xf->value, im.xr ? im.xr->value : NULL,
                             lr));
cleanup:
    tgi_tape_reset(model->forward);
    return status;
}

/* DD's scores and labels of xf, and its labels of xh. */
static tg_status judge_both(const tgi_model *model, const tgi_images *im, tgi_var **score,
                            tgi_var **logits, tgi_var **logits_cleaned)
{
    tg_status status = TG_OK;
    tgi_tape *tape = model->forward;
    size_t n = model->settings.batch;
    tgi_var *both, *ignored;

    if (!tgi_goes_together(model, model->dd.net)) {
        TG_TRY(tgi_net_judge(model->dd.net, tape, im->xf, false, score, logits));
        return tgi_net_judge(model->dd.net, tape, im->xh, false, &ignored, logits_cleaned);
    }
    TG_TRY(tgi_tape_stack(tape, im->xf, im->xh, &both));
    TG_TRY(tgi_net_judge(model->dd.net, tape, both, false, score, logits));
    TG_TRY(tgi_tape_samples(tape, *score, 0, n, score));
    TG_TRY(tgi_tape_samples(tape, *logits, n, n, logits_cleaned));
    TG_TRY(tgi_tape_samples(tape, *logits, 0, n, logits));
cleanup:
    return status;
}

/* adv(DN(xh),1) + adv(DD(xf),1) + label terms, with both discriminators frozen. */
static tg_status fool_judges(tgi_model *model, const tgi_feed *feed, const tgi_images *im)
{
    tg_status status = TG_OK;
    tgi_tape *tape = model->forward;
    double weight = 0.5 * model->settings.lam_cls;
    bool has_labels = weight > 0;
    tgi_var *score, *logits = NULL, *logits_cleaned = NULL;

    TG_TRY(tgi_net_judge(model->dn.net, tape, im->xh, false, &score, NULL));
    TG_TRY(tgi_fool(model, tape, score, TGI_BOARD_SLOT(model, g_normal)));
    TG_TRY(has_labels ? judge_both(model, im, &score, &logits, &logits_cleaned)
                      : tgi_net_judge(model->dd.net, tape, im->xf, false, &score, NULL));
    TG_TRY(tgi_fool(model, tape, score, TGI_BOARD_SLOT(model, g_disease)));
    if (has_labels) {
        TG_TRY(tgi_label_term(model, feed, tape, logits, TGI_LABELS_OF_Y, weight,
                              TGI_BOARD_SLOT(model, g_cls_diseased)));
        TG_TRY(tgi_label_term(model, feed, tape, logits_cleaned, TGI_LABELS_NONE, weight,
                              TGI_BOARD_SLOT(model, g_cls_healthy)));
    }
cleanup:
    return status;
}

/* L_G of doc/notation.md, term by term. */
static tg_status generator_terms(tgi_model *model, const tgi_feed *feed, const tgi_pace *pace,
                                 const tgi_images *im)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &model->settings;
    tgi_tape *tape = model->forward;

    TG_TRY(fool_judges(model, feed, im));
    TG_TRY(tgi_tape_l1(tape, im->xr, im->x, (float)s->lam_cyc,
                       TGI_BOARD_SLOT(model, g_cycle_diseased)));
    TG_TRY(tgi_tape_l1(tape, im->yr, im->y, (float)s->lam_cyc,
                       TGI_BOARD_SLOT(model, g_cycle_healthy)));
    if (pace->lam_id > 0)
        TG_TRY(tgi_tape_l1(tape, im->map_id, NULL, (float)pace->lam_id,
                           TGI_BOARD_SLOT(model, g_identity)));
    if (s->lam_map > 0) {
        TG_TRY(
            tgi_tape_l1(tape, im->map, NULL, (float)s->lam_map, TGI_BOARD_SLOT(model, g_sparsity)));
        if (im->added)
            TG_TRY(tgi_tape_l1(tape, im->added, NULL, (float)s->lam_map,
                               TGI_BOARD_SLOT(model, g_sparsity_added)));
    }
    if (s->lam_tv > 0)
        TG_TRY(tgi_tape_tv(tape, im->map, (float)s->lam_tv, TGI_BOARD_SLOT(model, g_tv)));
    TG_TRY(tg_statistic_of(TG_MEAN_ABS, im->map->value, TGI_BOARD_SLOT(model, map_diseased)));
    if (im->map_id)
        TG_TRY(tg_statistic_of(TG_MEAN_ABS, im->map_id->value, TGI_BOARD_SLOT(model, map_healthy)));
    if (im->added)
        TG_TRY(tg_statistic_of(TG_MEAN_ABS, im->added->value, TGI_BOARD_SLOT(model, map_added)));
cleanup:
    return status;
}

/* Step 8, (6,9): one update of {G,F} against discriminators frozen as they are now. */
static tg_status update_generators(tgi_model *model, const tgi_feed *feed, const tgi_pace *pace,
                                   const tgi_images *im)
{
    tg_status status = TG_OK;
    uint64_t t = model->n_steps + 1;

    TG_TRY(tgi_net_zero_grads(model->g.net));
    TG_TRY(tgi_net_zero_grads(model->f.net));
    TG_TRY(generator_terms(model, feed, pace, im));
    TG_TRY(tgi_tape_backward(model->forward));
    TG_TRY(tgi_update(model, &model->g, pace->lr, t, TGI_BOARD_SLOT(model, norm_g)));
    TG_TRY(tgi_update(model, &model->f, pace->lr, t, TGI_BOARD_SLOT(model, norm_f)));
    if (model->average) {
        double decay = fmin(model->settings.ema,
                            (double)t / (double)(9 + t)); /* (1+t)/(10+t) with t counted from 0 */

        TG_TRY(tg_ema_step(model->g.net->values, (float)decay, model->average->values));
        tgi_net_touch(model->average);
    }
cleanup:
    return status;
}

tg_status tgi_model_step(tgi_model *model, const tgi_pace *pace)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &model->settings;
    size_t last = s->critic_steps - 1;
    const tgi_feed *feed = &model->feeds[last];
    tgi_images im = {0};

    tgi_tape_set_scale(model->forward, (float)model->loss_scale);
    tgi_tape_set_scale(model->judging, (float)model->loss_scale);
    tgi_tape_set_scale(model->tangent, (float)model->loss_scale);
    TG_TRY(tgi_tensor_fill(model->board, 0));
    for (size_t k = 0; k < last; k++)
        TG_TRY(update_judges_alone(model, &model->feeds[k], pace->lr));
    TG_TRY(make_images(model, feed, pace, true, &im));
    if (s->order == TGI_ORDER_GD)
        TG_TRY(update_generators(model, feed, pace, &im));
    TG_TRY(tgi_update_judges(model, feed, im.xh->value, im.xf->value, im.xr->value, pace->lr));
    if (s->order == TGI_ORDER_DG)
        TG_TRY(update_generators(model, feed, pace, &im));
    model->n_steps++;
    TG_TRY(tgi_readback_push(model->late, model->board, model->n_steps));
cleanup:
    tgi_tape_reset(model->forward);
    if (status == TG_OK)
        tgi_tune_pending(model->dev);
    return status;
}

tg_status tgi_model_generator_loss(tgi_model *model, double *loss)
{
    tg_status status = TG_OK;
    tgi_images im = {0};
    tgi_board board;
    const tgi_pace pace = {.lam_id = model->settings.lam_id};

    TG_TRY(tgi_tensor_fill(model->board, 0));
    TG_TRY(make_images(model, &model->feeds[0], &pace, false, &im));
    TG_TRY(generator_terms(model, &model->feeds[0], &pace, &im));
    TG_TRY(tg_tensor_download(model->board, &board.d_normal_real, TGI_BOARD_SIZE));
    *loss = (double)board.g_normal + board.g_disease + board.g_cls_healthy + board.g_cls_diseased +
            board.g_cycle_diseased + board.g_cycle_healthy + board.g_identity + board.g_sparsity +
            board.g_sparsity_added + board.g_tv;
cleanup:
    tgi_tape_reset(model->forward);
    return status;
}

tg_status tgi_model_map(tgi_model *model, tgi_weights weights, tg_tensor *x,
                        const tg_tensor *labels, tg_tensor *map)
{
    tg_status status = TG_OK;
    tgi_net *net = weights == TGI_WEIGHTS_AVERAGE && model->average ? model->average : model->g.net;
    tgi_var *in, *out, *healthy;

    TG_TRY(tgi_tape_leaf(model->probe, x, false, &in));
    TG_TRY(tgi_make_healthy(model, net, model->probe, in, labels, false, &out, &healthy));
    TG_TRY(tgi_tensor_copy(out->value, map));
cleanup:
    tgi_tape_reset(model->probe);
    if (status == TG_OK)
        tgi_tune_pending(model->dev);
    return status;
}

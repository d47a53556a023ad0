/* model.c -- what a model owns: networks, moments, pools, the board; how batches come in and numbers go out. */
#include "config.h"
#include "model/model.h"
#include "base/memory.h"
#include "base/rng.h"
#include "model/taggan.h"
#include "op/conv2d.h"
#include "op/tensor_core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

const char *const tgi_board_names[TGI_BOARD_SIZE] = {
#define TGI_NAME(name, help) #name,
    TGI_BOARD(TGI_NAME)
#undef TGI_NAME
};
const char *const tgi_board_help[TGI_BOARD_SIZE] = {
#define TGI_HELP(name, help) help,
    TGI_BOARD(TGI_HELP)
#undef TGI_HELP
};

static tgi_net_config generator_config(const tgi_settings *s, size_t n_classes, bool is_forward)
{
    static const tgi_net_kind kinds[] = {[TGI_G_RESNET] = TGI_NET_RESNET,
                                         [TGI_G_UNET] = TGI_NET_UNET,
                                         [TGI_G_SMALL_UNET] = TGI_NET_SMALL_UNET,
                                         [TGI_G_STARGAN] = TGI_NET_STARGAN_G};
    bool is_linear =
        is_forward ? s->map == TGI_MAP_RELU || s->compose == TGI_COMPOSE_SUB_TANH : false;

    return (tgi_net_config){
        .kind = kinds[s->net],
        .size_px = s->size,
        .in_channels = 1,
        .n_classes = n_classes,
        .width = s->width,
        .n_blocks = s->net == TGI_G_RESNET || s->net == TGI_G_STARGAN ? s->blocks : 0,
        .cond = (tgi_cond)s->cond,
        .norm = s->net != TGI_G_SMALL_UNET     ? TGI_NET_NORM_AUTO
                : s->norm == TGI_NORM_INSTANCE ? TGI_NET_NORM_INSTANCE
                                               : TGI_NET_NORM_NONE,
        .head = s->head == TGI_HEAD_SHUFFLE ? TGI_NET_SHUFFLE : TGI_NET_UPSAMPLE,
        .output = is_linear ? TGI_NET_OUTPUT_LINEAR : TGI_NET_OUTPUT_AUTO};
}

static tgi_net_config judge_config(const tgi_settings *s, size_t n_classes, bool has_labels)
{
    static const tgi_net_kind kinds[] = {[TGI_D_PATCHGAN] = TGI_NET_PATCHGAN,
                                         [TGI_D_STARGAN] = TGI_NET_STARGAN_D,
                                         [TGI_D_CRITIC] = TGI_NET_CRITIC};

    return (tgi_net_config){.kind = kinds[s->netd],
                            .size_px = s->size,
                            .in_channels = 1,
                            .n_classes = n_classes,
                            .width = s->dwidth,
                            .has_cls = has_labels,
                            .cls_outputs = s->cls == TGI_CLS_SOFTMAX ? n_classes + 1 : n_classes,
                            .cls_pool = (tg_plane_pool)s->cls_pool,
                            .norm = s->netd != TGI_D_CRITIC        ? TGI_NET_NORM_AUTO
                                    : s->norm == TGI_NORM_INSTANCE ? TGI_NET_NORM_INSTANCE
                                                                   : TGI_NET_NORM_NONE};
}

static tg_status member_init(tgi_model *model, tgi_member *member, const char *prefix,
                             const tgi_net_config *config, uint64_t index)
{
    tg_status status = TG_OK;

    member->prefix = prefix;
    TG_TRY(tgi_net_new(model->dev, config, &member->net));
    TG_TRY(tgi_net_init(member->net, model->settings.seed, index));
    TG_TRY(tg_tensor_new_zero(model->dev, member->net->values->dims, &member->m));
    TG_TRY(tg_tensor_new_zero(model->dev, member->net->values->dims, &member->v));
cleanup:
    if (status != TG_OK)
        tg_fail_in(status, "network %s", prefix);
    return status;
}

static tg_status init_networks(tgi_model *model)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &model->settings;
    const tgi_net_config forward = generator_config(s, model->n_classes, true);
    const tgi_net_config backward = generator_config(s, model->n_classes, false);
    const tgi_net_config normal = judge_config(s, model->n_classes, false);
    const tgi_net_config disease = judge_config(s, model->n_classes, true);

    TG_TRY(member_init(model, &model->g, "G", &forward, 0));
    TG_TRY(member_init(model, &model->f, "F", &backward, 1));
    TG_TRY(member_init(model, &model->dn, "DN", &normal, 2));
    TG_TRY(member_init(model, &model->dd, "DD", &disease, 3));
    if (s->ema > 0) {
        TG_TRY(tgi_net_new(model->dev, &forward, &model->average));
        TG_TRY(tgi_net_copy(model->g.net, model->average));
    }
cleanup:
    return status;
}

static tg_status feed_init(tgi_model *model, tgi_feed *feed)
{
    tg_status status = TG_OK;
    size_t n = model->settings.batch, side = model->settings.size;
    const tg_dims images = {n, 1, side, side}, labels = {n, model->n_classes, 1, 1};
    const tg_dims targets = {n, model->n_classes + 1, 1, 1};

    TG_TRY(tg_tensor_new_zero(model->dev, images, &feed->x));
    TG_TRY(tg_tensor_new_zero(model->dev, images, &feed->y));
    TG_TRY(tg_tensor_new_zero(model->dev, labels, &feed->c));
    TG_TRY(tg_tensor_new_zero(model->dev, labels, &feed->cy));
    TG_TRY(tg_tensor_new_zero(model->dev, (tg_dims){2 * n, model->n_classes, 1, 1}, &feed->both));
    if (model->settings.cls == TGI_CLS_SOFTMAX) {
        TG_TRY(tg_tensor_new_zero(model->dev, targets, &feed->target_x));
        TG_TRY(tg_tensor_new_zero(model->dev, targets, &feed->target_y));
        TG_TRY(tg_tensor_new_zero(model->dev, targets, &feed->target_healthy));
    }
cleanup:
    return status;
}

static void feed_release(tgi_feed *feed)
{
    tg_tensor_free(feed->x);
    tg_tensor_free(feed->y);
    tg_tensor_free(feed->c);
    tg_tensor_free(feed->cy);
    tg_tensor_free(feed->both);
    tg_tensor_free(feed->target_x);
    tg_tensor_free(feed->target_y);
    tg_tensor_free(feed->target_healthy);
}

tg_status tgi_model_new(tg_device *dev, const tgi_settings *settings, size_t n_classes,
                        tgi_model **out)
{
    tg_status status = TG_OK;
    tgi_model *model = NULL;
    size_t batch = settings->batch, values = batch * settings->size * settings->size;

    *out = NULL;
    TG_TRY(tgi_settings_check(settings));
    TG_TRY(tgi_alloc(1, sizeof *model, &model));
    model->dev = dev;
    model->settings = *settings;
    model->n_classes = n_classes;
    dev->family = (tgi_kernel_family)settings->kernel_family;
    dev->precision = (tgi_precision)settings->precision;
    tgi_tensor_core_wish(dev, (tgi_tensor_cores)settings->tensor_cores);
    tgi_conv_set_default(dev, (tg_conv_algorithm)settings->conv_algorithm);
    TG_TRY(tgi_tune_set_mode(dev, (tgi_tune_mode)settings->tune));
    TG_TRY(init_networks(model));
    TG_TRY(tgi_alloc(settings->critic_steps, sizeof *model->feeds, &model->feeds));
    for (size_t k = 0; k < settings->critic_steps; k++)
        TG_TRY(feed_init(model, &model->feeds[k]));
    TG_TRY(tgi_image_pool_init(dev, settings->pool, settings->size, &model->pool_normal));
    TG_TRY(tgi_image_pool_init(dev, settings->pool, settings->size, &model->pool_disease));
    TG_TRY(tgi_tape_new(dev, &model->forward));
    TG_TRY(tgi_tape_new(dev, &model->judging));
    TG_TRY(tgi_tape_new(dev, &model->probe));
    TG_TRY(tgi_tape_new(dev, &model->tangent));
    /* The penalty's tapes stay float: the tangent pass reads the values of the first as they were. */
    tgi_tape_spend_values(model->forward);
    tgi_tape_set_precision(model->forward, dev->precision);
    tgi_tape_set_precision(model->judging, dev->precision);
    model->loss_scale = dev->precision == TGI_PRECISION_HALF ? settings->loss_scale : 1;
    TG_TRY(tg_tensor_new_zero(dev, (tg_dims){1, TGI_BOARD_SIZE, 1, 1}, &model->board));
    TG_TRY(tg_tensor_new_zero(dev, (tg_dims){batch, 1, 1, 1}, &model->mix));
    TG_TRY(tgi_stage_new(dev, values > batch * (n_classes + 1) ? values : batch * (n_classes + 1),
                         TGI_STEPS_UNDER_WAY * 8, &model->stage));
    TG_TRY(tgi_readback_new(dev, TGI_BOARD_SIZE, TGI_STEPS_UNDER_WAY, &model->late));
    *out = model;
    return TG_OK;
cleanup:
    tgi_model_free(model);
    return status;
}

void tgi_model_free(tgi_model *model)
{
    if (!model)
        return;
    tgi_readback_free(model->late);
    tgi_stage_free(model->stage);
    tgi_tape_free(model->forward);
    tgi_tape_free(model->judging);
    tgi_tape_free(model->tangent);
    tgi_tape_free(model->probe);
    tg_tensor_free(model->board);
    tg_tensor_free(model->mix);
    tgi_image_pool_release(&model->pool_normal);
    tgi_image_pool_release(&model->pool_disease);
    for (size_t k = 0; model->feeds && k < model->settings.critic_steps; k++)
        feed_release(&model->feeds[k]);
    free(model->feeds);
    tgi_net_free(model->average);
    for (size_t i = 0; i < TGI_N_MEMBERS; i++) {
        tgi_member *member = tgi_model_member(model, i);

        tg_tensor_free(member->m);
        tg_tensor_free(member->v);
        tgi_net_free(member->net);
    }
    free(model);
}

tgi_member *tgi_model_member(tgi_model *model, size_t i)
{
    return (tgi_member *[]){&model->g, &model->f, &model->dn, &model->dd}[i];
}

/* ---- batches in ---- */

/* One of the classes that are present, at random: `labels=sample`. */
static void keep_one(float *labels, size_t n_classes, tgi_rng *rng)
{
    size_t n = 0, kept, seen = 0;

    for (size_t k = 0; k < n_classes; k++)
        n += labels[k] > 0;
    if (n < 2)
        return;
    kept = tgi_rng_below(rng, n);
    for (size_t k = 0; k < n_classes; k++) {
        if (labels[k] > 0 && seen++ != kept)
            labels[k] = 0;
    }
}

/* Distribution over healthy and the classes, for the softmax loss. */
static void make_target(const float *labels, size_t n_classes, float *target)
{
    float sum = 0;

    for (size_t k = 0; k < n_classes; k++)
        sum += labels[k];
    target[0] = sum > 0 ? 0 : 1;
    for (size_t k = 0; k < n_classes; k++)
        target[1 + k] = sum > 0 ? labels[k] / sum : 0;
}

static tg_status push_targets(tgi_model *model, const tgi_feed *feed, const float *c,
                              const float *cy)
{
    tg_status status = TG_OK;
    size_t n = model->settings.batch, classes = model->n_classes, width = classes + 1;
    float *target = NULL;

    TG_TRY(tgi_alloc(3 * n * width, sizeof *target, &target));
    for (size_t i = 0; i < n; i++) {
        make_target(c + i * classes, classes, target + i * width);
        make_target(cy + i * classes, classes, target + (n + i) * width);
        target[(2 * n + i) * width] = 1;
    }
    TG_TRY(tgi_stage_push(model->stage, target, n * width, feed->target_x));
    TG_TRY(tgi_stage_push(model->stage, target + n * width, n * width, feed->target_y));
    TG_TRY(tgi_stage_push(model->stage, target + 2 * n * width, n * width, feed->target_healthy));
cleanup:
    free(target);
    return status;
}

tg_status tgi_model_feed(tgi_model *model, size_t k, const tg_batch *diseased,
                         const tg_batch *healthy)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &model->settings;
    const tgi_feed *feed = &model->feeds[k];
    size_t n = s->batch, classes = model->n_classes, pixels = n * s->size * s->size;
    tgi_rng rng = tgi_rng_new(s->seed, TGI_STREAM_LABEL, model->n_steps * s->critic_steps + k);
    float *labels = NULL;

    if (diseased->n != n || healthy->n != n || diseased->n_classes != classes ||
        diseased->size_px != s->size || healthy->size_px != s->size)
        return tg_fail(TG_ERR_SHAPE, "a batch of %zu and %zu images of %zu px, not %zu of %zu px",
                       diseased->n, healthy->n, diseased->size_px, n, s->size);
    TG_TRY(tgi_alloc(2 * n * classes, sizeof *labels, &labels));
    float *c = labels, *cy = labels + n * classes;
    memcpy(c, diseased->labels, n * classes * sizeof *c);
    for (size_t i = 0; i < n && s->labels == TGI_LABELS_SAMPLE; i++)
        keep_one(c + i * classes, classes, &rng);
    if (s->ylabel == TGI_YLABEL_SAME)
        memcpy(cy, c, n * classes * sizeof *c);
    else {
        for (size_t i = 0; i < n; i++)
            cy[i * classes + tgi_rng_below(&rng, classes)] = 1;
    }
    TG_TRY(tgi_stage_push(model->stage, diseased->x, pixels, feed->x));
    TG_TRY(tgi_stage_push(model->stage, healthy->x, pixels, feed->y));
    TG_TRY(tgi_stage_push(model->stage, c, n * classes, feed->c));
    TG_TRY(tgi_stage_push(model->stage, cy, n * classes, feed->cy));
    TG_TRY(tgi_tensor_copy_part(feed->c, 0, feed->both, 0, n * classes));
    TG_TRY(tgi_tensor_copy_part(feed->cy, 0, feed->both, n * classes, n * classes));
    if (s->cls == TGI_CLS_SOFTMAX)
        TG_TRY(push_targets(model, feed, c, cy));
cleanup:
    free(labels);
    return status;
}

/* ---- numbers out ---- */

tg_status tgi_model_losses(tgi_model *model, bool wait, tgi_board *board, uint64_t *step,
                           bool *is_new)
{
    const float *values;
    /* When all slots are under way the next step would wait for the oldest anyway, and lose it. */
    tg_status status =
        tgi_readback_pop(model->late, wait || tgi_readback_is_full(model->late), &values, step);

    *is_new = status == TG_OK && values;
    if (*is_new)
        memcpy(board, values, sizeof *board);
    return status;
}

tg_status tgi_model_classify(tgi_model *model, tg_tensor *x, float *probabilities)
{
    tg_status status = TG_OK;
    size_t n = x->dims.n, classes = model->n_classes;
    bool is_softmax = model->settings.cls == TGI_CLS_SOFTMAX;
    size_t outputs = is_softmax ? classes + 1 : classes;
    float *logits = NULL;
    tgi_var *in, *score, *cls;

    TG_TRY(tgi_tape_leaf(model->probe, x, false, &in));
    TG_TRY(tgi_net_judge(model->dd.net, model->probe, in, false, &score, &cls));
    TG_TRY(tgi_alloc(n * outputs, sizeof *logits, &logits));
    TG_TRY(tg_tensor_download(cls->value, logits, n * outputs));
    for (size_t i = 0; i < n; i++) {
        const float *l = logits + i * outputs;
        double largest = l[0], sum = 0;

        for (size_t k = 0; is_softmax && k < outputs; k++)
            largest = fmax(largest, l[k]);
        for (size_t k = 0; is_softmax && k < outputs; k++)
            sum += exp(l[k] - largest);
        for (size_t k = 0; k < classes; k++)
            probabilities[i * classes + k] =
                (float)(is_softmax ? exp(l[k + 1] - largest) / sum : 1 / (1 + exp(-(double)l[k])));
    }
cleanup:
    tgi_tape_reset(model->probe);
    free(logits);
    return status;
}

/* ---- snapshots ---- */

enum { MAX_PARTS = 64 };

struct tgi_snapshot {
    tg_tensor *parts[MAX_PARTS];
    size_t n_parts, n_pool_normal, n_pool_disease;
    uint64_t n_steps, n_updates;
};

/* Every tensor that training changes, in a fixed order. */
static size_t list_parts(tgi_model *model, tg_tensor *parts[MAX_PARTS])
{
    size_t n = 0;

    for (size_t i = 0; i < TGI_N_MEMBERS; i++) {
        tgi_member *member = tgi_model_member(model, i);

        parts[n++] = member->net->values;
        parts[n++] = member->m;
        parts[n++] = member->v;
        for (size_t b = 0; b < member->net->n_buffers && n < MAX_PARTS - 8; b++)
            parts[n++] = member->net->buffers[b].value;
    }
    if (model->average)
        parts[n++] = model->average->values;
    if (model->pool_normal.images) {
        parts[n++] = model->pool_normal.images;
        parts[n++] = model->pool_disease.images;
    }
    return n;
}

tg_status tgi_snapshot_take(tgi_model *model, tgi_snapshot **snapshot)
{
    tg_status status = TG_OK;
    tg_tensor *parts[MAX_PARTS];
    size_t n = list_parts(model, parts);

    if (!*snapshot)
        TG_TRY(tgi_alloc(1, sizeof **snapshot, snapshot));
    for (size_t i = 0; i < n; i++) {
        if (i >= (*snapshot)->n_parts) {
            TG_TRY(tg_tensor_new(model->dev, parts[i]->dims, &(*snapshot)->parts[i]));
            (*snapshot)->n_parts = i + 1;
        }
        TG_TRY(tgi_tensor_copy(parts[i], (*snapshot)->parts[i]));
    }
    (*snapshot)->n_pool_normal = model->pool_normal.n;
    (*snapshot)->n_pool_disease = model->pool_disease.n;
    (*snapshot)->n_steps = model->n_steps;
    (*snapshot)->n_updates = model->n_updates;
cleanup:
    return status;
}

tg_status tgi_snapshot_restore(const tgi_snapshot *snapshot, tgi_model *model)
{
    tg_status status = TG_OK;
    tg_tensor *parts[MAX_PARTS];
    size_t n = list_parts(model, parts);

    for (size_t i = 0; i < n; i++)
        TG_TRY(tgi_tensor_copy(snapshot->parts[i], parts[i]));
    for (size_t i = 0; i < TGI_N_MEMBERS; i++)
        tgi_net_touch(tgi_model_member(model, i)->net);
    if (model->average)
        tgi_net_touch(model->average);
    model->pool_normal.n = snapshot->n_pool_normal;
    model->pool_disease.n = snapshot->n_pool_disease;
    model->n_steps = snapshot->n_steps;
    model->n_updates = snapshot->n_updates;
cleanup:
    return status;
}

void tgi_snapshot_free(tgi_snapshot *snapshot)
{
    for (size_t i = 0; snapshot && i < snapshot->n_parts; i++)
        tg_tensor_free(snapshot->parts[i]);
    free(snapshot);
}

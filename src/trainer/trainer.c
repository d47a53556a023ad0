/* trainer.c -- the loop. A run is a function of its settings, its data and its seed: everything that is drawn is named by the
 * step it is drawn for, so that going on from a checkpoint gives what the uninterrupted run would have given. */
#include "config.h"
#include "trainer/trainer.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "trainer/feeding.h"
#include "trainer/schedule.h"
#include "trainer/state.h"
#include "trainer/validate.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"

enum { MAX_RESTORES = 3, SATURATED_STEPS = 50 };
#define SATURATED_MAP                                                                              \
    0.3 /* mean |M| of a run that has left the road, RECIPE section 4; in units of the map's range */

typedef struct run {
    tg_device *dev;
    const tg_dataset *set;
    const tgi_settings *settings;
    const tgi_train_opts *opts;
    tgi_model *model;
    tgi_model_info info;
    tgi_span span;
    tgi_validation_set vs;
    tgi_feeding feeding;
    tgi_snapshot *good; /* the last state whose numbers were all in order */
    tgi_trainer_state state;
    tgi_board sum; /* of boards since the last log row */
    size_t n_sum;
    double started_s, resumed_s; /* clock at the start; seconds spent before a resume */
    double rate_s;               /* smoothed seconds a step */
    double arrived_s;
    bool is_bad, has_validation;
    char *checkpoint, *model_file; /* paths */
} run;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double elapsed_s(const run *r)
{
    return r->resumed_s + now_s() - r->started_s;
}

static void note(const run *r, const char *format, ...) TG_PRINTF(2, 3);
static void note(const run *r, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (r->opts->observer.on_note)
        r->opts->observer.on_note(r->opts->observer.user, line);
}

static tg_status feed(run *r)
{
    tg_status status = TG_OK;

    for (size_t k = 0; k < r->settings->critic_steps; k++) {
        tg_batch diseased, healthy;

        TG_TRY(tgi_feeding_next(&r->feeding, &diseased, &healthy));
        TG_TRY(tgi_model_feed(r->model, k, &diseased, &healthy));
    }
cleanup:
    return status;
}

/* ---- numbers that arrive ---- */

static bool is_finite_board(const tgi_board *board)
{
    const float *values = &board->d_normal_real;

    for (size_t i = 0; i < TGI_BOARD_SIZE; i++) {
        if (!isfinite(values[i]))
            return false;
    }
    return true;
}

static tg_status log_means(run *r, uint64_t step, const tgi_board *board)
{
    tg_status status = TG_OK;
    float *sums = &r->sum.d_normal_real;
    double done = tgi_span_done(&r->span, step, elapsed_s(r));

    if (step % r->settings->log_every || !r->n_sum)
        return TG_OK;
    for (size_t i = 0; i < TGI_BOARD_SIZE; i++)
        sums[i] /= (float)r->n_sum;
    r->sum.map_healthy =
        board->map_healthy; /* while lam_id is 0 it is measured at logged steps only */
    if (r->opts->observer.on_log)
        TG_TRY(r->opts->observer.on_log(r->opts->observer.user, step, &r->sum,
                                        tgi_pace_at(r->settings, done, r->state.lr_scale).lr,
                                        r->rate_s > 0 ? 2 * (double)r->settings->batch / r->rate_s
                                                      : 0));
    memset(&r->sum, 0, sizeof r->sum);
    r->n_sum = 0;
cleanup:
    return status;
}

static void add_to_means(run *r, const tgi_board *board)
{
    float *sums = &r->sum.d_normal_real;
    const float *values = &board->d_normal_real;

    for (size_t i = 0; i < TGI_BOARD_SIZE; i++)
        sums[i] += values[i];
    r->n_sum++;
}

static tg_status arrived(run *r, uint64_t step, const tgi_board *board)
{
    tg_status status = TG_OK;
    const tgi_observer *o = &r->opts->observer;
    double now = now_s();

    if (r->arrived_s > 0)
        r->rate_s =
            r->rate_s > 0 ? 0.95 * r->rate_s + 0.05 * (now - r->arrived_s) : now - r->arrived_s;
    r->arrived_s = now;
    bool has_overflowed = board->skipped > 0;

    if (!is_finite_board(board))
        r->is_bad = true;
    if (has_overflowed && tgi_loss_scale_is_least(&r->state.loss_scale, step))
        r->is_bad = true;
    tgi_loss_scale_arrived(&r->state.loss_scale, step, has_overflowed);
    if (board->map_diseased <= SATURATED_MAP * r->settings->map_scale) {
        r->state.was_sound = true;
        r->state.n_saturated = 0;
    } else if (r->state.was_sound)
        r->state.n_saturated++;
    if (r->state.n_saturated >= SATURATED_STEPS)
        r->is_bad = true;
    if (r->is_bad)
        return TG_OK;
    add_to_means(r, board);
    if (o->on_step)
        o->on_step(o->user, step, r->span.steps, tgi_span_done(&r->span, step, elapsed_s(r)), board,
                   r->rate_s > 0 ? 2 * (double)r->settings->batch / r->rate_s : 0);
    TG_TRY(log_means(r, step, board));
cleanup:
    return status;
}

/* Reads what has arrived; with `all`, waits for everything under way. */
static tg_status drain(run *r, bool all)
{
    tg_status status = TG_OK;
    tgi_board board;
    uint64_t step;
    bool is_new = true;

    while (is_new) {
        TG_TRY(tgi_model_losses(r->model, all, &board, &step, &is_new));
        if (is_new)
            TG_TRY(arrived(r, step, &board));
    }
cleanup:
    return status;
}

/* ---- when a step went wrong ---- */

static tg_status restore(run *r)
{
    tg_status status = TG_OK;
    uint64_t bad_step = r->model->n_steps;

    if (++r->state.n_restores > MAX_RESTORES)
        return tg_fail(TG_ERR_NUMERIC,
                       "training diverged %d times, the last time near step %llu (lower --lr, or "
                       "raise --set lam_map)",
                       MAX_RESTORES + 1, (unsigned long long)bad_step);
    TG_TRY(drain(r, true));
    TG_TRY(tgi_snapshot_restore(r->good, r->model));
    r->state.lr_scale /= 2;
    tgi_loss_scale_go_back(&r->state.loss_scale, r->model->n_steps + 1);
    r->is_bad = false;
    r->state.n_saturated = 0;
    memset(&r->sum, 0, sizeof r->sum);
    r->n_sum = 0;
    TG_TRY(tgi_feeding_start(&r->feeding, r->settings, r->model->n_steps));
    note(r,
         "numbers went out of range near step %llu: back to step %llu with half the learning rate",
         (unsigned long long)bad_step, (unsigned long long)r->model->n_steps);
cleanup:
    return status;
}

/* ---- files ---- */

static tg_status save_checkpoint(run *r)
{
    tg_status status = TG_OK;
    char *text = NULL;

    r->state.seconds = elapsed_s(r);
    r->info.step = r->model->n_steps;
    TG_TRY(tgi_trainer_state_write(&r->state, &text));
    TG_TRY(tgi_checkpoint_save(r->model, &r->info, text, r->checkpoint));
cleanup:
    free(text);
    return status;
}

/* In the middle of a run: never of a state whose numbers are not known to be in order. */
static tg_status checkpoint(run *r)
{
    tg_status status = TG_OK;

    TG_TRY(drain(r, true));
    if (r->is_bad)
        return TG_OK; /* the loop goes back */
    TG_TRY(tgi_snapshot_take(r->model, &r->good));
    TG_TRY(save_checkpoint(r));
cleanup:
    return status;
}

static tg_status save_model(run *r, const tgi_validation *v)
{
    tg_status status = TG_OK;

    r->info.step = v->step;
    r->info.threshold = v->threshold;
    memcpy(r->info.calibrated, v->calibrated, sizeof v->calibrated);
    r->info.n_calibrated = v->n_calibrated;
    free(r->info.threshold_rule);
    r->info.threshold_rule = NULL;
    if (v->threshold >= 0)
        TG_TRY(tgi_printf(&r->info.threshold_rule, "healthy:%g", 1 - r->settings->max_false_alarm));
    TG_TRY(tgi_model_save(r->model, v->weights, &r->info, r->model_file));
    r->state.has_model = true;
cleanup:
    return status;
}

/* ---- validation ---- */

static tg_status validation_loss(run *r, double *loss)
{
    tg_status status = TG_OK;
    tg_loader *loaders[2] = {NULL, NULL};
    size_t n = r->vs.n_diseased < r->vs.n_healthy ? r->vs.n_diseased : r->vs.n_healthy;
    size_t batches = (n + r->settings->batch - 1) / r->settings->batch;
    double sum = 0;

    for (int kind = 0; kind < 2; kind++) {
        tg_loader_opts opts = tg_loader_opts_default();

        opts.n_batch = r->settings->batch;
        opts.size_px = r->settings->size;
        opts.n_threads = 0;
        opts.seed = r->settings->seed;
        TG_TRY(tg_loader_new(r->set, kind ? r->vs.diseased : r->vs.healthy,
                             kind ? r->vs.n_diseased : r->vs.n_healthy, &opts, &loaders[kind]));
    }
    for (size_t i = 0; i < batches; i++) {
        tg_batch diseased, healthy;
        double one;

        TG_TRY(tg_loader_next(loaders[1], &diseased));
        TG_TRY(tg_loader_next(loaders[0], &healthy));
        TG_TRY(tgi_model_feed(r->model, 0, &diseased, &healthy));
        TG_TRY(tgi_model_generator_loss(r->model, &one));
        sum += one;
    }
    *loss = sum / (double)batches;
cleanup:
    tg_loader_free(loaders[0]);
    tg_loader_free(loaders[1]);
    return status;
}

static bool is_finite_where(size_t n_images, double value)
{
    return !n_images || isfinite(value);
}

static tg_status validate(run *r, tgi_train_result *result)
{
    tg_status status = TG_OK;
    tgi_pace pace = tgi_pace_at(
        r->settings, tgi_span_done(&r->span, r->model->n_steps, elapsed_s(r)), r->state.lr_scale);
    tgi_validation v = {
        .step = r->model->n_steps, .lr = pace.lr, .lam_id = pace.lam_id, .generator_loss = NAN};
    double score;

    TG_TRY(drain(r, true));
    if (r->is_bad)
        goto cleanup; /* the loop restores before anything is measured */
    if (r->settings->select == TGI_SELECT_LOSS && r->vs.n_diseased && r->vs.n_healthy)
        TG_TRY(validation_loss(r, &v.generator_loss));
    TG_TRY(tgi_validate(r->model, &r->vs, &v));
    if (!is_finite_where(r->vs.n_diseased, v.map_diseased) ||
        !is_finite_where(r->vs.n_healthy, v.map_healthy)) {
        r->is_bad = true;
        goto cleanup;
    }
    v.seconds = elapsed_s(r);
    TG_TRY(tgi_snapshot_take(r->model, &r->good));
    score = isnan(v.score)
                ? -INFINITY
                : v.score; /* cannot be told from these images: no better, and no worse */
    v.is_best = !r->state.has_model || score >= r->state.best_score - tgi_score_slack(r->settings);
    r->state.n_worse = !r->state.has_model || score > r->state.best_score || !isfinite(score)
                           ? 0
                           : r->state.n_worse + 1;
    if (v.is_best) {
        r->state.best_score = fmax(r->state.best_score, score);
        r->state.best_step = v.step;
        result->best = v;
        TG_TRY(save_model(r, &v));
    }
    if (r->opts->observer.on_validation)
        TG_TRY(r->opts->observer.on_validation(r->opts->observer.user, &v));
cleanup:
    r->arrived_s = 0; /* the time spent here is not the steps' */
    return status;
}

/* ---- the run ---- */

/* Those of the model that was saved before the resume: a later checkpoint tells them again. */
static void take_thresholds(tgi_model_info *from, tgi_model_info *to)
{
    to->threshold = from->threshold;
    to->threshold_rule = from->threshold_rule;
    from->threshold_rule = NULL;
    memcpy(to->calibrated, from->calibrated, sizeof to->calibrated);
    to->n_calibrated = from->n_calibrated;
}

static tg_status set_up_model(run *r)
{
    tg_status status = TG_OK;
    char *text = NULL;
    tgi_model_info stored = {0};

    TG_TRY(tgi_model_new(r->dev, r->settings, r->info.n_classes, &r->model));
    if (r->opts->init)
        TG_TRY(tgi_model_init_from(r->opts->init, r->model));
    if (r->opts->is_resumed) {
        TG_TRY(tgi_checkpoint_peek(r->checkpoint, &stored, &text));
        TG_TRY(tgi_trainer_state_read(text, &r->state));
        TG_TRY(tgi_checkpoint_load(r->checkpoint, r->model));
        r->resumed_s = r->state.seconds;
        take_thresholds(&stored, &r->info);
        note(r, "resumed at step %llu", (unsigned long long)r->model->n_steps);
    }
    TG_TRY(tgi_snapshot_take(r->model, &r->good));
cleanup:
    tgi_model_info_release(&stored);
    free(text);
    return status;
}

static tg_status set_up(run *r)
{
    tg_status status = TG_OK;

    r->started_s = now_s();
    r->state = (tgi_trainer_state){
        .lr_scale = 1, .best_score = -INFINITY, .loss_scale = {.scale = r->settings->loss_scale}};
    r->info.settings = *r->settings;
    r->info.threshold = -1;
    r->info.n_classes = tg_dataset_n_classes(r->set);
    TG_TRY(tgi_strdup(tg_dataset_name(r->set), &r->info.dataset));
    TG_TRY(tgi_alloc(r->info.n_classes, sizeof *r->info.classes, &r->info.classes));
    for (size_t k = 0; k < r->info.n_classes; k++)
        TG_TRY(tgi_strdup(tg_dataset_class_name(r->set, k), &r->info.classes[k]));
    TG_TRY(tgi_mkdirs(r->opts->output));
    TG_TRY(tgi_path_join(r->opts->output, "checkpoint.safetensors", &r->checkpoint));
    TG_TRY(tgi_path_join(r->opts->output, "model.safetensors", &r->model_file));
    TG_TRY(tgi_feeding_init(r->set, r->settings, &r->feeding));
    TG_TRY(tgi_validation_set_init(r->set, r->settings, &r->vs));
    r->has_validation =
        r->settings->validate != TGI_VALIDATE_NONE && r->vs.n_diseased + r->vs.n_healthy > 0;
    if (!r->has_validation && r->settings->validate != TGI_VALIDATE_NONE)
        note(r, "'%s' has no validation images: the weights of the last step are kept",
             tg_dataset_name(r->set));
    r->span =
        tgi_span_of(r->settings, r->opts->time_s, r->feeding.n_diseased, r->feeding.n_healthy);
    if (!r->span.steps && r->span.time_s <= 0) {
        status = tg_fail(TG_ERR_ARGUMENT, "the run has no end: give --steps, --epochs or --time");
        goto cleanup;
    }
    TG_TRY(set_up_model(r));
    TG_TRY(tgi_feeding_start(&r->feeding, r->settings, r->model->n_steps));
cleanup:
    return status;
}

/* Why the run ends here; NULL while it goes on. */
static const char *why_over(const run *r, double done)
{
    if (done >= 1)
        return r->span.steps && r->model->n_steps >= r->span.steps ? "all steps done"
                                                                   : "time is up";
    if (r->opts->stop && *r->opts->stop)
        return "stopped by a signal";
    if (r->settings->patience && r->state.n_worse >= r->settings->patience)
        return "no improvement for the set number of validations";
    return NULL;
}

static void set_loss_scale(run *r)
{
    double before = r->state.loss_scale.scale;

    if (r->settings->precision != TGI_PRECISION_HALF)
        return;
    r->model->loss_scale = tgi_loss_scale_for(&r->state.loss_scale, r->model->n_steps + 1);
    if (r->model->loss_scale < before)
        note(r,
             "gradients overflowed and updates were left out: the loss scale is %g from step %llu "
             "on",
             r->model->loss_scale, (unsigned long long)r->model->n_steps + 1);
}

static tg_status step(run *r, double done)
{
    tg_status status = TG_OK;
    const tgi_observer *o = &r->opts->observer;
    tgi_pace pace = tgi_pace_at(r->settings, done, r->state.lr_scale);

    pace.is_logged = (r->model->n_steps + 1) % r->settings->log_every == 0;
    if (o->on_model)
        TG_TRY(o->on_model(o->user, r->model));
    TG_TRY(feed(r));
    set_loss_scale(r);
    TG_TRY(tgi_model_step(r->model, &pace));
    TG_TRY(drain(r, false));
cleanup:
    return status;
}

/* Steps until the run is done, stopped, or no longer improves; *reason says which. */
static tg_status loop(run *r, tgi_train_result *result, const char **reason)
{
    tg_status status = TG_OK;
    double done = tgi_span_done(&r->span, r->model->n_steps, elapsed_s(r)), before;

    for (;;) {
        *reason = why_over(r, done);
        if (*reason) {
            TG_TRY(drain(r, true)); /* the last steps may have gone wrong */
            if (!r->is_bad)
                break;
        } else {
            TG_TRY(step(r, done));
            before = done;
            done = tgi_span_done(&r->span, r->model->n_steps, elapsed_s(r));
            if (r->has_validation &&
                tgi_validation_due(r->settings, &r->span, r->model->n_steps, before, done))
                TG_TRY(validate(r, result));
            if (r->model->n_steps % r->settings->checkpoint_every == 0)
                TG_TRY(checkpoint(r));
        }
        if (r->is_bad) {
            TG_TRY(restore(r));
            done = tgi_span_done(&r->span, r->model->n_steps, elapsed_s(r));
        }
    }
cleanup:
    return status;
}

static void tear_down(run *r)
{
    tgi_feeding_release(&r->feeding);
    tgi_snapshot_free(r->good);
    tgi_model_free(r->model);
    tgi_validation_set_release(&r->vs);
    tgi_model_info_release(&r->info);
    free(r->checkpoint);
    free(r->model_file);
}

tg_status tgi_train(tg_device *dev, const tg_dataset *set, const tgi_settings *settings,
                    const tgi_train_opts *opts, tgi_train_result *result)
{
    tg_status status = TG_OK;
    run r = {.dev = dev, .set = set, .settings = settings, .opts = opts};
    const char *reason = "";

    memset(result, 0, sizeof *result);
    TG_TRY(set_up(&r));
    TG_TRY(loop(&r, result, &reason));
    if (!r.state.has_model || !r.has_validation) { /* no validation: the weights as they are */
        tgi_validation last = {
            .step = r.model->n_steps, .threshold = -1, .weights = TGI_WEIGHTS_AVERAGE};

        TG_TRY(save_model(&r, &last));
        r.state.best_step = r.model->n_steps;
    }
    TG_TRY(save_checkpoint(&r));
    result->steps = r.model->n_steps;
    result->best_step = r.state.best_step;
    result->seconds = elapsed_s(&r);
    TG_TRY(tgi_strdup(reason, &result->reason));
    if (opts->stop && *opts->stop)
        status = tg_fail(TG_ERR_STOPPED,
                         "stopped at step %llu (taggan-train --resume goes on from there)",
                         (unsigned long long)result->steps);
cleanup:
    tear_down(&r);
    return status;
}

/* state.c -- the trainer's own state as JSON. */
#include "config.h"
#include "trainer/state.h"

#include <jansson.h>
#include <math.h>

#include "base/banned.h"

/* JSON has no infinity: a score of none yet is null. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

tg_status tgi_trainer_state_write(const tgi_trainer_state *s, char **text)
{
    json_t *root = json_pack(
        "{s:f, s:f, s:o, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:b, s:b}", "seconds", s->seconds,
        "lr_scale", s->lr_scale, "best_score", number(s->best_score), "best_step",
        (json_int_t)s->best_step, "n_worse", (json_int_t)s->n_worse, "n_restores",
        (json_int_t)s->n_restores, "n_saturated", (json_int_t)s->n_saturated, "loss_scale",
        s->loss_scale.scale, "scale_begun", (json_int_t)s->loss_scale.begun, "scale_good",
        (json_int_t)s->loss_scale.n_good, "scale_skipped", (json_int_t)s->loss_scale.skipped,
        "was_sound", (int)s->was_sound, "has_model", (int)s->has_model);

    *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return *text ? TG_OK : tg_fail(TG_ERR_MEMORY, "out of memory: state of the trainer");
}

tg_status tgi_trainer_state_read(const char *text, tgi_trainer_state *s)
{
    json_error_t error;
    json_t *root = json_loads(text, 0, &error), *score = NULL;
    json_int_t best_step, n_worse, n_restores, n_saturated = 0;
    json_int_t begun = 0, n_good = 0, skipped = 0;
    int has_model, was_sound = 0;

    if (!root ||
        json_unpack(root, "{s:f, s:f, s:o, s:I, s:I, s:I, s?:I, s?:f, s?:I, s?:I, s?:I, s?:b, s:b}",
                    "seconds", &s->seconds, "lr_scale", &s->lr_scale, "best_score", &score,
                    "best_step", &best_step, "n_worse", &n_worse, "n_restores", &n_restores,
                    "n_saturated", &n_saturated, "loss_scale", &s->loss_scale.scale, "scale_begun",
                    &begun, "scale_good", &n_good, "scale_skipped", &skipped, "was_sound",
                    &was_sound, "has_model", &has_model)) {
        json_decref(root);
        return tg_fail(TG_ERR_FORMAT, "the checkpoint's trainer state cannot be read");
    }
    s->best_score = json_is_number(score) ? json_number_value(score) : -INFINITY;
    s->best_step = (uint64_t)best_step;
    s->n_worse = (uint64_t)n_worse;
    s->n_restores = (uint64_t)n_restores;
    s->n_saturated = (uint64_t)n_saturated;
    s->loss_scale.begun = (uint64_t)begun;
    s->loss_scale.n_good = (uint64_t)n_good;
    s->loss_scale.skipped = (uint64_t)skipped;
    s->was_sound = was_sound;
    s->has_model = has_model;
    json_decref(root);
    return TG_OK;
}

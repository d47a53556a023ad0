/* state.h -- what the trainer itself must remember over a resume, as JSON in the checkpoint's metadata. */
#ifndef TGI_TRAINER_STATE_H
#define TGI_TRAINER_STATE_H

#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

#include "trainer/loss_scale.h"

typedef struct tgi_trainer_state {
    double seconds;  /* spent so far */
    double lr_scale; /* halved by every restore */
    double best_score;
    uint64_t best_step;
    uint64_t n_worse; /* validations without improvement, in a row */
    uint64_t n_restores;
    uint64_t n_saturated; /* steps with a saturated map, in a row */
    bool
        was_sound; /* mean |M| was small once: nets that begin far out, N(0, 0.02), are given the time to come in */
    tgi_loss_scale loss_scale;
    bool has_model; /* model.safetensors of this run is written */
} tgi_trainer_state;

tg_status tgi_trainer_state_write(const tgi_trainer_state *state,
                                  char **text) TG_MUST_CHECK; /* free() */
tg_status tgi_trainer_state_read(const char *text, tgi_trainer_state *state) TG_MUST_CHECK;

#endif

/* schedule.c -- rate, weights and validations as functions of the share of the run that is done. */
#include "config.h"
#include "trainer/schedule.h"

#include <math.h>

#include "base/banned.h"

enum { VALIDATIONS = 12 }; /* of a run with validate=auto */

tgi_span tgi_span_of(const tgi_settings *s, double time_s, size_t n_diseased, size_t n_healthy)
{
    size_t larger = n_diseased > n_healthy ? n_diseased : n_healthy;
    uint64_t per_epoch = (larger + s->batch - 1) / s->batch;

    return (tgi_span){.steps = s->steps ? s->steps : s->epochs * per_epoch,
                      .time_s = time_s,
                      .steps_per_epoch = per_epoch};
}

double tgi_span_done(const tgi_span *span, uint64_t step, double seconds)
{
    double by_steps = span->steps ? (double)step / (double)span->steps : 0;
    double by_time = span->time_s > 0 ? seconds / span->time_s : 0;

    return fmin(1, fmax(by_steps, by_time));
}

tgi_pace tgi_pace_at(const tgi_settings *s, double done, double lr_scale)
{
    tgi_pace pace = {.lr = s->lr * lr_scale, .lam_id = s->lam_id};

    if (s->schedule == TGI_SCHEDULE_CONSTANT)
        return pace;
    if (s->decay > 0 && done > 1 - s->decay) {
        double left = (1 - done) / s->decay; /* 1 at the decay's begin, 0 at the end */

        pace.lr *= s->decay_to + (1 - s->decay_to) * left;
    }
    if (done < s->id_start)
        pace.lam_id = 0;
    else if (done < s->id_start + s->id_ramp)
        pace.lam_id *= (done - s->id_start) / s->id_ramp;
    return pace;
}

bool tgi_validation_due(const tgi_settings *s, const tgi_span *span, uint64_t step,
                        double done_before, double done_now)
{
    if (s->validate == TGI_VALIDATE_NONE)
        return false;
    if (s->validate == TGI_VALIDATE_STEPS)
        return step % s->val_every == 0 || done_now >= 1;
    if (!s->steps && span->time_s <= 0)
        return step % span->steps_per_epoch == 0 || done_now >= 1;
    return floor(done_before * VALIDATIONS) < floor(done_now * VALIDATIONS);
}

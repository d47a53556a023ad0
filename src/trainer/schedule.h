/* schedule.h -- what changes with time, as pure functions of how much of the run is done: nothing drifts over a resume. */
#ifndef TGI_TRAINER_SCHEDULE_H
#define TGI_TRAINER_SCHEDULE_H

#include "model/model.h"

/* How long a run is. */
typedef struct tgi_span {
    uint64_t steps;           /* 0: bounded by time alone */
    double time_s;            /* 0: bounded by steps alone */
    uint64_t steps_per_epoch; /* of the larger domain */
} tgi_span;

tgi_span tgi_span_of(const tgi_settings *settings, double time_s, size_t n_diseased,
                     size_t n_healthy);

/* Share of the run that is done, 0 to 1: by steps or by time, whichever is further. */
double tgi_span_done(const tgi_span *span, uint64_t step, double seconds);

/* Rate and identity weight after that share (RECIPE section 1): linear decay at the end, linear rise of lam_id. */
tgi_pace tgi_pace_at(const tgi_settings *settings, double done, double lr_scale);

/* Whether a validation is due on the way from one state of the run to the next. */
bool tgi_validation_due(const tgi_settings *settings, const tgi_span *span, uint64_t step,
                        double done_before, double done_now);

#endif

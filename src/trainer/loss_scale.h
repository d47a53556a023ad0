/* loss_scale.h -- how many times too large the gradients of a run in half precision are: halved when they overflow, doubled when
 * they have not for long.
 *
 * What happened in a step counts exactly TGI_STEPS_UNDER_WAY steps later, though it may be known before: when numbers arrive is
 * chance, and a run is a function of its seed. */
#ifndef TGI_TRAINER_LOSS_SCALE_H
#define TGI_TRAINER_LOSS_SCALE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct tgi_loss_scale {
    double scale;
    uint64_t
        begun; /* the first step under this scale: what earlier ones did says nothing about it */
    uint64_t n_good; /* steps counted since, without an overflow */
    uint64_t
        skipped; /* bit s % TGI_STEPS_UNDER_WAY: step s overflowed; of those that arrived and do not count yet */
} tgi_loss_scale;

/* The numbers of a step are there. */
void tgi_loss_scale_arrived(tgi_loss_scale *s, uint64_t step, bool has_overflowed);
/* To be called once before each step, in order: the scale for it. */
double tgi_loss_scale_for(tgi_loss_scale *s, uint64_t step);
/* Steps from this one on are done again. */
void tgi_loss_scale_go_back(tgi_loss_scale *s, uint64_t step);
/* Whether an overflow of this step cannot be the scale's fault. */
bool tgi_loss_scale_is_least(const tgi_loss_scale *s, uint64_t step);

#endif

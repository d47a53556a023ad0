/* feeding.h -- the training images of a run, in batches: which of them, in which order, changed how. */
#ifndef TGI_TRAINER_FEEDING_H
#define TGI_TRAINER_FEEDING_H

#include "model/model.h"
#include <taggan/dataset.h>

typedef struct tgi_feeding {
    const tg_dataset *set;
    size_t *diseased, *healthy; /* the train split's images that are used; owned */
    size_t n_diseased, n_healthy;
    tg_loader *diseased_loader, *healthy_loader;
} tgi_feeding;

/* Chooses the images; TG_ERR_ARGUMENT when there are none of either kind. */
tg_status tgi_feeding_init(const tg_dataset *set, const tgi_settings *settings,
                           tgi_feeding *feeding) TG_MUST_CHECK;
/* The next pair is the first of the step behind n_steps: on a resume, or after going back, the order is what it would have been. */
tg_status tgi_feeding_start(tgi_feeding *feeding, const tgi_settings *settings,
                            uint64_t n_steps) TG_MUST_CHECK;
/* A pair of batches, valid until the next call. */
tg_status tgi_feeding_next(tgi_feeding *feeding, tg_batch *diseased,
                           tg_batch *healthy) TG_MUST_CHECK;
void tgi_feeding_release(tgi_feeding *feeding);

#endif

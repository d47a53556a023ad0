/* validate.h -- how good the model is now, on held-out images, from image-level labels (and truth, where asked). */
#ifndef TGI_TRAINER_VALIDATE_H
#define TGI_TRAINER_VALIDATE_H

#include "trainer/trainer.h"

/* The validation split's images that are looked at; chosen once. */
typedef struct tgi_validation_set {
    const tg_dataset *set;
    size_t *diseased, *healthy; /* owned */
    size_t n_diseased, n_healthy;
} tgi_validation_set;

/* val, or test-free train images where there is no val split; at most settings.val_images of each kind. */
tg_status tgi_validation_set_init(const tg_dataset *set, const tgi_settings *settings,
                                  tgi_validation_set *out) TG_MUST_CHECK;
void tgi_validation_set_release(tgi_validation_set *vs);

/* By how much a score may fall and still count as no worse. Image-level AUROC stands near 1 in the second half of a run while maps
 * still get better (RECIPE section 4, late drift): there the later and the averaged weights are the better ones. */
double tgi_score_slack(const tgi_settings *settings);

/* Measures raw and average weights and reports the better one. Waits for the device. Fills everything but step, seconds, lr,
 * lam_id, generator_loss and is_best. */
tg_status tgi_validate(tgi_model *model, const tgi_validation_set *vs,
                       tgi_validation *out) TG_MUST_CHECK;

#endif

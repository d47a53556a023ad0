/* tagger.h -- tagging in batches: the device works on small images of many, then each is finished
 * at its own size. */
#ifndef TGI_TAG_TAGGER_H
#define TGI_TAG_TAGGER_H

#include "checkpoint/model_file.h"
#include <taggan/tagger.h>

struct tg_tagger {
    tgi_model *model;
    tgi_model_info info;
};

/* Whether a threshold's text can be understood at all: for a command line, before a model is
 * loaded. */
tg_status tgi_threshold_text_check(const char *text) TG_MUST_CHECK;

/* Sets the classes to look for to 1 and the others to 0; returns how many. label: a class,
 * TG_LABEL_AUTO or TG_LABEL_ALL; probabilities: [n_classes] of the label head. */
size_t tgi_choose_labels(int label, const float *probabilities, size_t n_classes, float *labels);

/* One map of a batch. */
typedef struct tgi_tag_job {
    size_t image, class_index; /* TG_ANY_CLASS: several */
    float *labels;             /* [n_classes] */
    float *map;                /* [size_px, size_px] */
} tgi_tag_job;

/* What the device knows of n images. Start from {0}. */
typedef struct tgi_tag_batch {
    size_t n, n_jobs;
    float *x;             /* [n, size_px, size_px] */
    float *probabilities; /* [n, n_classes] */
    tgi_tag_job *jobs;    /* by image; the first of an image is that of findings[0] */
    float *labels, *maps; /* what the jobs point into */
} tgi_tag_batch;

void tgi_tag_batch_release(tgi_tag_batch *batch);

/* Images -> probabilities and maps at the model's size. Waits. */
tg_status tgi_tag_batch_run(tg_tagger *tagger, const tg_image *images, size_t n,
                            const tg_tagger_opts *opts, tgi_tag_batch *out) TG_MUST_CHECK;
/* Findings of image i of the batch, at the size of `image`, which it was made from. Host only. */
tg_status tgi_tag_batch_finish(const tg_tagger *tagger, const tgi_tag_batch *batch, size_t i,
                               const tg_image *image, const tg_tagger_opts *opts,
                               tg_tagged *out) TG_MUST_CHECK;

#endif

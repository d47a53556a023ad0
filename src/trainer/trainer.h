/* trainer.h -- the loop: batches in, steps, validations, the best weights kept, checkpoints, a guard against numbers that are not.
 *
 * What people see of a run (files of its folder, progress) is made by an observer: the report room, which lies above. */
#ifndef TGI_TRAINER_TRAINER_H
#define TGI_TRAINER_TRAINER_H

#include "checkpoint/model_file.h"
#include "model/model.h"
#include <taggan/dataset.h>
#include <taggan/eval.h>

#include "trainer/maps.h"

/* One validation. */
typedef struct tgi_validation {
    uint64_t step;
    double seconds; /* since the run's start, over all resumes */
    double lr, lam_id;
    tgi_weights weights;              /* which of raw and average scored better */
    double image_auroc;               /* of mean s, NaN without both kinds of images */
    double map_diseased, map_healthy; /* mean |M| */
    double generator_loss;            /* NaN unless select=loss */
    double ncc, dice; /* against truth, at the threshold best for it; NaN without truth */
    double threshold; /* calibrated on this validation's healthy images */
    tgi_calibrated calibrated[TGI_N_CALIBRATED]; /* the same for other false-alarm rates */
    size_t n_calibrated;
    double blank_rate; /* of them at that threshold */
    double score;      /* what `select` looks at; higher is better */
    bool is_best;
} tgi_validation;

/* Called from the training thread; any may be NULL. A status other than TG_OK ends the run with it. */
typedef struct tgi_observer {
    void *user;
    /* Every log_every steps: means of the board since the last call. */
    tg_status (*on_log)(void *user, uint64_t step, const tgi_board *mean, double lr,
                        double images_per_second);
    /* Every step that arrived: for the progress line. total is 0 when the run is bounded by time. */
    void (*on_step)(void *user, uint64_t step, uint64_t total, double done_share,
                    const tgi_board *board, double images_per_second);
    tg_status (*on_validation)(void *user, const tgi_validation *validation);
    /* Before every step: the model as it is. */
    tg_status (*on_model)(void *user, tgi_model *model);
    /* A line for people. */
    void (*on_note)(void *user, const char *line);
} tgi_observer;

typedef struct tgi_train_opts {
    const char *output; /* the run's folder */
    double time_s;      /* 0: no bound */
    bool is_resumed;
    bool is_deterministic; /* no bound by time; everything from the seed */
    const char *init;      /* weights to begin from, or NULL */
    tgi_observer observer;
    const volatile int
        *stop; /* becomes non-zero on a signal: checkpoint and leave with TG_ERR_STOPPED */
} tgi_train_opts;

/* How the run ended. */
typedef struct tgi_train_result {
    uint64_t steps, best_step;
    double seconds;
    tgi_validation best;
    char *reason; /* why it ended, for people; owned */
} tgi_train_result;

/* Trains on the set's train split, validates on val, writes checkpoint.safetensors and model.safetensors into the output folder.
 * settings are the run's; on a resume they must equal the checkpoint's (steps may grow). */
tg_status tgi_train(tg_device *dev, const tg_dataset *set, const tgi_settings *settings,
                    const tgi_train_opts *opts, tgi_train_result *result) TG_MUST_CHECK;

/* How a trained model is evaluated. Start from tgi_test_opts_default(). */
typedef struct tgi_test_opts {
    bool splits[3];          /* by tg_split: whose images are measured; the test split */
    tgi_label_source labels; /* true */
    size_t n_training; /* of each kind: training images that the class-mean baseline looks at */
    tg_eval_opts
        measuring; /* tag, threshold_rule and best_threshold are found here; the seed is the model's */
} tgi_test_opts;
tgi_test_opts tgi_test_opts_default(const tgi_model_info *info);

typedef struct tgi_test_item {
    tg_sample sample;
    const tg_image *input, *map; /* of the model's size */
    const tg_tags *tags;
    const tg_truth *truth;
    const float *labels; /* that the map was made under */
} tgi_test_item;
typedef tg_status tgi_test_fn(void *user, const tgi_test_item *item);

/* Maps of all images, masks at the calibrated threshold, metrics and baselines. The set has the model's classes in its order. The
 * best threshold comes from the set's validation split, and is left out where that is measured itself. visit (may be NULL) is
 * shown every image, first the diseased ones, in order. The results' note says which images and whose labels. */
tg_status tgi_test(tgi_model *model, const tgi_model_info *info, const tg_dataset *set,
                   const tgi_test_opts *opts, tgi_test_fn *visit, void *user,
                   tg_eval_results **results) TG_MUST_CHECK;

#endif

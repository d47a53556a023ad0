/* model_file.h -- models on disk: model.safetensors (what tagging needs) and checkpoint.safetensors
 * (what going on needs).
 *
 * checkpoint.safetensors: keys G. F. DN. DD. + PyTorch's parameter name (buffers too), the same
 * behind "adam.m." and "adam.v.", "average." + G's names, "pool.normal", "pool.disease"; metadata:
 * what stands in tgi_model_info, and "counters" and "trainer". model.safetensors: G. (the running
 * mean where that was better) and DD., whose label head tells classes apart; metadata: settings,
 * classes, threshold and the rule it came from, thresholds for other rates, step. */
#ifndef TGI_CHECKPOINT_MODEL_FILE_H
#define TGI_CHECKPOINT_MODEL_FILE_H

#include "model/model.h"

/* A threshold, and the share of held-out healthy images that showed any box at it, at most. */
typedef struct tgi_calibrated {
    double false_alarm, threshold;
} tgi_calibrated;
enum { TGI_N_CALIBRATED = 6 };

/* What is known of a trained model beside its weights. Release with tgi_model_info_release(). */
typedef struct tgi_model_info {
    tgi_settings settings;
    char **classes; /* [n_classes]; owned */
    size_t n_classes;
    double threshold;     /* calibrated; < 0 when it was never calibrated */
    char *threshold_rule; /* for example "healthy:0.99"; NULL when never calibrated */
    uint64_t step;
    char *dataset;                               /* name; may be NULL */
    tgi_calibrated calibrated[TGI_N_CALIBRATED]; /* by rate, ascending */
    size_t n_calibrated;                         /* 0 when there is no such table */
} tgi_model_info;
void tgi_model_info_release(tgi_model_info *info);

/* Thresholds for the rates 0.001, 0.005, 0.01, 0.02, 0.05 and 0.1, what taggan-infer
 * --max-false-alarm takes, from maps of held-out healthy images. */
tg_status tgi_calibrated_table(tg_calibration *healthy,
                               tgi_calibrated table[TGI_N_CALIBRATED]) TG_MUST_CHECK;
/* The stored threshold that keeps the rate; TG_ERR_ARGUMENT, naming the rates there are, when none
 * was stored for it. */
tg_status tgi_model_info_threshold(const tgi_model_info *info, double max_false_alarm,
                                   double *threshold) TG_MUST_CHECK;

/* Writes model.safetensors by rename. Waits for the device. */
tg_status tgi_model_save(tgi_model *model, tgi_weights weights, const tgi_model_info *info,
                         const char *path) TG_MUST_CHECK;
/* Reads it (path of the file, or of a run's folder). The model can tag and classify batches of any
 * size; info->settings are those of the training, while model->settings are shrunk to what tagging
 * needs. */
tg_status tgi_model_load(tg_device *dev, const char *path, tgi_model **model,
                         tgi_model_info *info) TG_MUST_CHECK;

/* Everything needed to go on. `trainer` is a text of the trainer's own state (JSON), kept verbatim.
 */
tg_status tgi_checkpoint_save(tgi_model *model, const tgi_model_info *info, const char *trainer,
                              const char *path) TG_MUST_CHECK;
/* Settings and classes of a checkpoint, and the trainer's text (free()), without touching a device.
 */
tg_status tgi_checkpoint_peek(const char *path, tgi_model_info *info, char **trainer) TG_MUST_CHECK;
/* Puts everything into a model made with the same settings; TG_ERR_FORMAT / TG_ERR_SHAPE name the
 * first array that does not fit. On failure the model is unchanged. */
tg_status tgi_checkpoint_load(const char *path, tgi_model *model) TG_MUST_CHECK;

/* --init: takes every array G.*, F.*, DN.*, DD.* of the file into the model (and G into its running
 * mean); arrays of other names are ignored (running statistics of instance norms of old files too);
 * a network of which only a part is there, a shape that differs, or a file with none of them is an
 * error that names it. */
tg_status tgi_model_init_from(const char *path, tgi_model *model) TG_MUST_CHECK;
/* What the arrays of such a file say about the networks: sets width, blocks, dwidth where their
 * value is still `unset` (0). Settings of networks that the file does not tell stay 0. */
tg_status tgi_settings_from_weights(const char *path, tgi_settings *settings) TG_MUST_CHECK;

#endif

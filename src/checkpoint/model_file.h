/* model_file.h -- models on disk: model.safetensors (what tagging needs) and checkpoint.safetensors (what going on needs).
 *
 * checkpoint.safetensors: keys G. F. DN. DD. + PyTorch's parameter name (buffers too), the same behind "adam.m." and "adam.v.",
 *   "average." + G's names, "pool.normal", "pool.disease"; metadata: settings as text, classes as a JSON array, counters.
 * model.safetensors: G. (the running mean where that was better) and, with a label head, DD.; metadata: settings, classes,
 *   threshold and the rule it came from, step. */
#ifndef TGI_CHECKPOINT_MODEL_FILE_H
#define TGI_CHECKPOINT_MODEL_FILE_H

#include "model/model.h"

/* What is known of a trained model beside its weights. Release with tgi_model_info_release(). */
typedef struct tgi_model_info {
    tgi_settings settings;
    char **classes; /* [n_classes]; owned */
    size_t n_classes;
    double threshold;      /* calibrated; < 0 when it was never calibrated */
    char *threshold_rule;  /* for example "healthy:0.99"; NULL when never calibrated */
    uint64_t step;
    char *dataset;         /* name; may be NULL */
} tgi_model_info;
void tgi_model_info_release(tgi_model_info *info);

/* Writes model.safetensors by rename. Waits for the device. */
tg_status tgi_model_save(tgi_model *model, tgi_weights weights, const tgi_model_info *info, const char *path) TG_MUST_CHECK;
/* Reads it (path of the file, or of a run's folder). The model can tag and classify; its batch is 1..settings.batch of info. */
tg_status tgi_model_load(tg_device *dev, const char *path, tgi_model **model, tgi_model_info *info) TG_MUST_CHECK;

/* Everything needed to go on. `trainer` is a text of the trainer's own state (JSON), kept verbatim. */
tg_status tgi_checkpoint_save(tgi_model *model, const tgi_model_info *info, const char *trainer, const char *path) TG_MUST_CHECK;
/* Settings and classes of a checkpoint, and the trainer's text (free()), without touching a device. */
tg_status tgi_checkpoint_peek(const char *path, tgi_model_info *info, char **trainer) TG_MUST_CHECK;
/* Puts everything into a model made with the same settings; TG_ERR_FORMAT / TG_ERR_SHAPE name the first array that does not fit.
 * On failure the model is unchanged. */
tg_status tgi_checkpoint_load(const char *path, tgi_model *model) TG_MUST_CHECK;

/* --init: takes every array G.*, F.*, DN.*, DD.* of the file into the model (and G into its running mean); arrays of other names
 * are ignored (running statistics of instance norms of old files too); a network of which only a part is there, a shape that
 * differs, or a file with none of them is an error that names it. */
tg_status tgi_model_init_from(const char *path, tgi_model *model) TG_MUST_CHECK;
/* What the arrays of such a file say about the networks: sets width, blocks, dwidth where their value is still `unset` (0). */
tg_status tgi_settings_from_weights(const char *path, tgi_settings *settings) TG_MUST_CHECK;

#endif

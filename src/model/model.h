/* model.h -- TagGAN: two generators and two discriminators, and one training step (doc/networks.md 9).
 *
 *     tgi_model_feed(model, k, &diseased, &healthy)     a pair of batches for discriminator update k (0 .. critic_steps-1)
 *     tgi_model_step(model, &pace)                      one iteration; only enqueues
 *     tgi_model_losses(model, false, &board, &step)     the losses of a step that is done, some steps late
 *     tgi_model_map(model, TGI_WEIGHTS_AVERAGE, x, labels, map)
 */
#ifndef TGI_MODEL_MODEL_H
#define TGI_MODEL_MODEL_H

#include "model/pool.h"
#include "model/settings.h"
#include "net/net.h"
#include <taggan/dataset.h>

/* What a step reports: weighted terms of the losses, scores, means of maps, gradient norms before the clip. One line declares
 * one: the log's columns, the report's curves and the slots on the device are made of it. */
#define TGI_BOARD(X)                                                                               \
    X(d_normal_real, "loss of the normal discriminator on healthy images")                         \
    X(d_normal_fake, "... on cleaned images")                                                      \
    X(d_disease_real, "loss of the disease discriminator on diseased images")                      \
    X(d_disease_fake, "... on synthetic diseased images")                                          \
    X(d_disease_rebuilt, "... on rebuilt diseased images, beside those (dd_fake=both)")            \
    X(d_cls_diseased, "label loss of the disease discriminator on diseased images")                \
    X(d_cls_healthy, "... on healthy images")                                                      \
    X(d_penalty_normal, "gradient penalty of the normal critic")                                   \
    X(d_penalty_disease, "... of the disease critic")                                              \
    X(g_normal, "adversarial loss of the cleaned image")                                           \
    X(g_disease, "... of the synthetic diseased image")                                            \
    X(g_cls_healthy, "label loss of the cleaned image")                                            \
    X(g_cls_diseased, "... of the synthetic diseased image")                                       \
    X(g_cycle_diseased, "cycle loss, diseased - healthy - diseased")                               \
    X(g_cycle_healthy, "cycle loss, healthy - diseased - healthy")                                 \
    X(g_identity, "map on healthy images (identity loss)")                                         \
    X(g_sparsity, "map on diseased images (sparsity loss)")                                        \
    X(g_sparsity_added, "what the backward generator adds (sparsity loss)")                        \
    X(g_tv, "total variation of the map")                                                          \
    X(judge_normal_real, "mean score of healthy images by the normal discriminator")               \
    X(judge_normal_fake, "... of cleaned images")                                                  \
    X(judge_disease_real, "mean score of diseased images by the disease discriminator")            \
    X(judge_disease_fake, "... of synthetic diseased images")                                      \
    X(slope_normal, "mean slope of the normal critic between real and fake")                       \
    X(slope_disease, "... of the disease critic")                                                  \
    X(map_diseased, "mean |M| on diseased images")                                                 \
    X(map_healthy, "mean |M| on healthy images")                                                   \
    X(map_added, "mean |A|, what the backward generator adds")                                     \
    X(norm_g, "gradient norm of the forward generator")                                            \
    X(norm_f, "... of the backward generator")                                                     \
    X(norm_dn, "... of the normal discriminator")                                                  \
    X(norm_dd, "... of the disease discriminator")                                                 \
    X(skipped, "updates left out because gradients overflowed (precision=half)")

typedef struct tgi_board {
#define TGI_SLOT(name, help) float name;
    TGI_BOARD(TGI_SLOT)
#undef TGI_SLOT
} tgi_board;
enum { TGI_BOARD_SIZE = sizeof(tgi_board) / sizeof(float) };
extern const char *const tgi_board_names[TGI_BOARD_SIZE];
extern const char *const tgi_board_help[TGI_BOARD_SIZE];

/* A network with its optimiser's moments. */
typedef struct tgi_member {
    const char *prefix; /* "G", "F", "DN", "DD": keys of the checkpoint */
    tgi_net *net;
    tg_tensor *m, *v; /* as net->values */
} tgi_member;

/* One pair of batches on the device. */
typedef struct tgi_feed {
    tg_tensor *x, *y;  /* [N,1,S,S] diseased, healthy */
    tg_tensor *c, *cy; /* [N,C,1,1] labels of x; labels given to y */
    tg_tensor *both;   /* [2N,C,1,1] c, then cy */
    tg_tensor *target_x, *target_y,
        *target_healthy; /* [N,C+1,1,1] softmax targets; NULL with sigmoid */
} tgi_feed;

typedef struct tgi_model {
    tg_device *dev;
    tgi_settings settings;
    size_t n_classes;
    tgi_member g, f, dn, dd;
    tgi_net *average; /* running mean of g's weights, or NULL */
    tgi_feed *feeds;  /* [critic_steps] */
    tgi_image_pool pool_normal, pool_disease;
    tgi_tape *forward, *judging, *probe, *tangent;
    tg_tensor *board, *mix; /* scalars of the step; [N,1,1,1] mix factors of the penalty */
    tgi_stage *stage;
    tgi_readback *late;
    double loss_scale; /* of every gradient in the next step; 1 in float */
    uint64_t n_steps,
        n_updates; /* generator steps and discriminator updates done, over all resumes */
} tgi_model;

tg_status tgi_model_new(tg_device *dev, const tgi_settings *settings, size_t n_classes,
                        tgi_model **out) TG_MUST_CHECK;
void tgi_model_free(tgi_model *model);
/* Members in the order of the checkpoint: G, F, DN, DD. */
enum { TGI_N_MEMBERS = 4 };
tgi_member *tgi_model_member(tgi_model *model, size_t i);

/* Puts a pair of host batches (equal n = settings.batch) on the device for discriminator update k; the generators use the last. */
tg_status tgi_model_feed(tgi_model *model, size_t k, const tg_batch *diseased,
                         const tg_batch *healthy) TG_MUST_CHECK;

/* What changes with time: computed by the trainer from the schedule. */
typedef struct tgi_pace {
    double lr, lam_id;
    bool is_logged; /* also measure what only the log wants */
} tgi_pace;

/* Steps that may be under way on the device before the host waits: after a step and a tgi_model_losses() until there is none, the
 * numbers of all but the last TGI_STEPS_UNDER_WAY - 1 have been read. */
enum { TGI_STEPS_UNDER_WAY = 8 };

/* One iteration. Enqueues everything and a late copy of the board; waits only when eight steps are under way. */
tg_status tgi_model_step(tgi_model *model, const tgi_pace *pace) TG_MUST_CHECK;

/* The board of the oldest step that is done and was not read; *is_new false when there is none. */
tg_status tgi_model_losses(tgi_model *model, bool wait, tgi_board *board, uint64_t *step,
                           bool *is_new) TG_MUST_CHECK;

/* Loss of the generators with all their weights on feed 0, nothing updated; waits. */
tg_status tgi_model_generator_loss(tgi_model *model, double *loss) TG_MUST_CHECK;

typedef enum tgi_weights { TGI_WEIGHTS_RAW, TGI_WEIGHTS_AVERAGE } tgi_weights;

/* map [N,1,H,W] = what is subtracted from x under these labels [N,C,1,1]; average falls back to raw when there is none. */
tg_status tgi_model_map(tgi_model *model, tgi_weights weights, tg_tensor *x,
                        const tg_tensor *labels, tg_tensor *map) TG_MUST_CHECK;

/* Probabilities [N,C] of the label head, on the host; waits. */
tg_status tgi_model_classify(tgi_model *model, tg_tensor *x, float *probabilities) TG_MUST_CHECK;

/* Device copy of everything that training changes: taken when all is well, put back when a step went wrong. */
typedef struct tgi_snapshot tgi_snapshot;
tg_status tgi_snapshot_take(tgi_model *model, tgi_snapshot **snapshot)
    TG_MUST_CHECK; /* makes or overwrites *snapshot */
tg_status tgi_snapshot_restore(const tgi_snapshot *snapshot, tgi_model *model) TG_MUST_CHECK;
void tgi_snapshot_free(tgi_snapshot *snapshot);

#endif

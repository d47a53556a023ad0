/* taggan.h -- the parts of Algorithm 1, shared by the files of this room. */
#ifndef TGI_MODEL_TAGGAN_H
#define TGI_MODEL_TAGGAN_H

#include "model/model.h"

/* Slot `name` of the step's board. */
#define TGI_BOARD_SLOT(model, name)                                                                \
    ((tg_scalar){(model)->board, offsetof(tgi_board, name) / sizeof(float)})
#define TGI_NO_SLOT ((tg_scalar){NULL, 0})

/* Everything the generators made in one iteration; members are NULL until made. */
typedef struct tgi_images {
    tgi_var *x, *y;      /* real */
    tgi_var *map, *xh;   /* M = G(x,c), xh = x - M */
    tgi_var *added, *xf; /* A = F(y,c) and the synthetic diseased image */
    tgi_var *xr, *yr;    /* after both generators */
    tgi_var *map_id;     /* G(y,c): should be blank */
} tgi_images;

/* Whether networks take several batches at once: on small maps weights are read, and work-groups are started, once for all of them,
 * which is most of the cost there; large ones would only leave the caches. */
bool tgi_goes_together(const tgi_model *model, const tgi_net *net);

/* M and x - M (or as `compose` says). net is G or its running mean. */
tg_status tgi_make_healthy(tgi_model *model, tgi_net *net, tgi_tape *tape, tgi_var *x,
                           const tg_tensor *labels, bool is_trainable, tgi_var **map,
                           tgi_var **healthy) TG_MUST_CHECK;
/* The backward generator: what it adds (NULL when it emits the image) and the diseased image. */
tg_status tgi_make_diseased(tgi_model *model, tgi_tape *tape, tgi_var *from,
                            const tg_tensor *labels, bool is_trainable, tgi_var **added,
                            tgi_var **diseased) TG_MUST_CHECK;

/* Whose labels a label loss compares with. */
typedef enum tgi_whose { TGI_LABELS_OF_X, TGI_LABELS_OF_Y, TGI_LABELS_NONE } tgi_whose;
tg_status tgi_label_term(tgi_model *model, const tgi_feed *feed, tgi_tape *tape, tgi_var *logits,
                         tgi_whose whose, double weight, tg_scalar slot) TG_MUST_CHECK;

/* Steps 5 to 7: both discriminators, one update each, against the fakes (not owned, not changed). xr may be NULL unless dd_fake
 * asks for it. */
tg_status tgi_update_judges(tgi_model *model, const tgi_feed *feed, tg_tensor *xh, tg_tensor *xf,
                            tg_tensor *xr, double lr) TG_MUST_CHECK;
/* Adversarial term of a generator. */
tg_status tgi_fool(tgi_model *model, tgi_tape *tape, tgi_var *score, tg_scalar slot) TG_MUST_CHECK;
/* Clip, optimise, refresh packed weights. `t` counts the member's updates from 1. */
tg_status tgi_update(tgi_model *model, tgi_member *member, double lr, uint64_t t,
                     tg_scalar norm) TG_MUST_CHECK;

#endif

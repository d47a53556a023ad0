/* maps.h -- disease maps of many images of a data set, in batches. */
#ifndef TGI_TRAINER_MAPS_H
#define TGI_TRAINER_MAPS_H

#include "model/model.h"
#include <taggan/dataset.h>

/* One image with its map, both of the model's size; valid during the call. */
typedef struct tgi_mapped {
    size_t sample;
    const tg_image *input, *map;
    const float *labels; /* [n_classes] the map was made under */
} tgi_mapped;
/* Which labels maps are made under. */
typedef enum tgi_label_source {
    /* An image's own where it is diseased, one class drawn at random from its place alone where it is healthy, as in training: so
     * both kinds are asked the same question. */
    TGI_LABELS_TRUE,
    TGI_LABELS_GUESSED /* those that the model's label head chooses, whatever is known of the image */
} tgi_label_source;

typedef tg_status tgi_mapped_fn(void *user, const tgi_mapped *mapped);

/* Maps of the n samples in order. */
tg_status tgi_map_samples(tgi_model *model, tgi_weights weights, tgi_label_source source,
                          const tg_dataset *set, const size_t *samples, size_t n, tgi_mapped_fn *fn,
                          void *user) TG_MUST_CHECK;

#endif

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
typedef tg_status tgi_mapped_fn(void *user, const tgi_mapped *mapped);

/* Maps of the n samples in order. A diseased image's map is made under its own labels; a healthy one's under one class drawn at
 * random from its place alone, as in training: so both kinds are asked the same question. */
tg_status tgi_map_samples(tgi_model *model, tgi_weights weights, const tg_dataset *set, const size_t *samples, size_t n,
                          tgi_mapped_fn *fn, void *user) TG_MUST_CHECK;

#endif

/* pool.h -- past fakes: the discriminators are shown old ones too, so that the generators cannot chase them in circles
 * [cyclegan]. Lives on the device; what is drawn depends on (seed, step) alone. */
#ifndef TGI_MODEL_POOL_H
#define TGI_MODEL_POOL_H

#include "tensor/tensor.h"

typedef struct tgi_image_pool {
    tg_tensor *images; /* [capacity,1,H,W]; NULL when the pool is off */
    size_t capacity, n;
} tgi_image_pool;

tg_status tgi_image_pool_init(tg_device *dev, size_t capacity, size_t size_px,
                              tgi_image_pool *pool) TG_MUST_CHECK;
void tgi_image_pool_release(tgi_image_pool *pool);

/* For every image of `fakes` [N,1,H,W] one of `shown`: until the pool is full, the new one (and it is stored); then with
 * probability 1/2 the new one, else a stored one whose place the new one takes. Draws number `turn` of the seed. */
tg_status tgi_image_pool_query(tgi_image_pool *pool, const tg_tensor *fakes, uint64_t seed,
                               uint64_t turn, tg_tensor *shown) TG_MUST_CHECK;

#endif

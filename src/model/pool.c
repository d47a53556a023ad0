/* pool.c -- past fakes, on the device. */
#include "config.h"
#include "model/pool.h"
#include "base/rng.h"

#include "base/banned.h"

tg_status tgi_image_pool_init(tg_device *dev, size_t capacity, size_t size_px, tgi_image_pool *pool)
{
    *pool = (tgi_image_pool){.capacity = capacity};
    if (!capacity)
        return TG_OK;
    return tg_tensor_new_zero(dev, (tg_dims){capacity, 1, size_px, size_px}, &pool->images);
}

void tgi_image_pool_release(tgi_image_pool *pool)
{
    tg_tensor_free(pool->images);
    *pool = (tgi_image_pool){0};
}

tg_status tgi_image_pool_query(tgi_image_pool *pool, const tg_tensor *fakes, uint64_t seed,
                               uint64_t turn, tg_tensor *shown)
{
    tg_status status = TG_OK;
    tgi_rng rng = tgi_rng_new(seed, TGI_STREAM_POOL, turn);
    size_t values = tg_tensor_count(fakes) / fakes->dims.n;

    TG_TRY(tgi_tensor_copy(fakes, shown));
    if (!pool->capacity)
        return TG_OK;
    for (size_t i = 0; i < fakes->dims.n; i++) {
        if (pool->n < pool->capacity) {
            TG_TRY(tgi_tensor_copy_part(fakes, i * values, pool->images, pool->n * values, values));
            pool->n++;
        } else if (tgi_rng_below(&rng, 2)) {
            size_t old = tgi_rng_below(&rng, pool->capacity);

            TG_TRY(tgi_tensor_copy_part(pool->images, old * values, shown, i * values, values));
            TG_TRY(tgi_tensor_copy_part(fakes, i * values, pool->images, old * values, values));
        }
    }
cleanup:
    return status;
}

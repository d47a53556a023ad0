/* rng.c -- counter-based random numbers on Random123's Philox4x32-10. */
#include "config.h"
#include "base/rng.h"

#include <math.h>
#include <Random123/philox.h>

tgi_rng tgi_rng_new(uint64_t seed, tgi_stream stream, uint64_t index)
{
    tgi_rng rng = {{(uint32_t)seed, (uint32_t)(seed >> 32)},
                   {0, (uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream},
                   {0},
                   0};
    return rng;
}

uint32_t tgi_rng_u32(tgi_rng *rng)
{
    if (!rng->left) {
        philox4x32_ctr_t counter = {
            {rng->counter[0], rng->counter[1], rng->counter[2], rng->counter[3]}};
        philox4x32_key_t key = {{rng->key[0], rng->key[1]}};
        philox4x32_ctr_t block = philox4x32(counter, key);

        for (int i = 0; i < 4; i++)
            rng->block[i] = block.v[i];
        rng->counter[0]++;
        rng->left = 4;
    }
    return rng->block[4 - rng->left--];
}

double tgi_rng_uniform(tgi_rng *rng)
{
    uint64_t high = tgi_rng_u32(rng) >> 5, low = tgi_rng_u32(rng) >> 6; /* 27 + 26 bits */

    return (double)(high << 26 | low) * 0x1p-53;
}

double tgi_rng_range(tgi_rng *rng, double low, double high)
{
    return low + (high - low) * tgi_rng_uniform(rng);
}

size_t tgi_rng_below(tgi_rng *rng, size_t n)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % n, value;

    do
        value = (uint64_t)tgi_rng_u32(rng) << 32 | tgi_rng_u32(rng);
    while (value >= limit);
    return (size_t)(value % n);
}

double tgi_rng_normal(tgi_rng *rng)
{
    double radius = sqrt(-2 * log(1 - tgi_rng_uniform(rng)));

    return radius * cos(6.283185307179586 * tgi_rng_uniform(rng));
}

void tgi_rng_shuffle(tgi_rng *rng, size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t j = tgi_rng_below(rng, i), kept = order[i - 1];

        order[i - 1] = order[j];
        order[j] = kept;
    }
}

/* rng.h -- counter-based random numbers (Philox4x32-10 of Random123): the same key gives the same numbers,
 * whatever was drawn before elsewhere. A draw is named by (seed, stream, index), never by its turn. */
#ifndef TGI_BASE_RNG_H
#define TGI_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* Streams: one to each use, so that adding a draw here does not change the numbers there. */
typedef enum tgi_stream {
    TGI_STREAM_INIT = 1, /* weights of a network */
    TGI_STREAM_SHUFFLE,  /* order of the images of an epoch */
    TGI_STREAM_AUGMENT,  /* augmentation of one sample */
    TGI_STREAM_PHANTOM,  /* one phantom */
    TGI_STREAM_POOL,     /* image pool */
    TGI_STREAM_PENALTY,  /* mix factors of the gradient penalty */
    TGI_STREAM_LABEL,    /* labels drawn for healthy images */
    TGI_STREAM_SPLIT,    /* which patients are held out */
    TGI_STREAM_BOOTSTRAP,
    TGI_STREAM_TEST
} tgi_stream;

typedef struct tgi_rng {
    uint32_t key[2];     /* seed */
    uint32_t counter[4]; /* block, index (low, high), stream */
    uint32_t block[4];
    int left; /* unused words in block */
} tgi_rng;

/* The generator for item `index` of `stream`. Cheap: make one for each item. */
tgi_rng tgi_rng_new(uint64_t seed, tgi_stream stream, uint64_t index);

uint32_t tgi_rng_u32(tgi_rng *rng);
double tgi_rng_uniform(tgi_rng *rng);                        /* [0,1), 53 bits */
double tgi_rng_range(tgi_rng *rng, double low, double high); /* [low,high) */
size_t tgi_rng_below(tgi_rng *rng, size_t n);                /* 0..n-1, without bias; n >= 1 */
double tgi_rng_normal(tgi_rng *rng);                         /* mean 0, sd 1 (Box-Muller) */
/* A permutation of 0..n-1 into order. */
void tgi_rng_shuffle(tgi_rng *rng, size_t *order, size_t n);

#endif

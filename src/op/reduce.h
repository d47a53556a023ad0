/* reduce.h -- sums over whole tensors in two stages that give the same bits on every run.
 *
 * Stage one gives each part of a tensor to one work-group, which writes one partial sum; stage two adds the partials. The parts
 * depend on the number of values alone. Scratch comes from the pool and goes back right after the launches were enqueued: the
 * queue is in order, so whoever gets the memory next writes to it later. */
#ifndef TGI_OP_REDUCE_H
#define TGI_OP_REDUCE_H

#include "op/op.h"

enum { TGI_MAX_PARTS = 256, TGI_MIN_PART = 1024 };

/* How a row of n values is cut: n_parts parts of `chunk` values, the last one shorter. */
typedef struct tgi_split {
    size_t chunk, n_parts;
} tgi_split;

/* chunk is a multiple of 64, so that all parts but the last are whole vectors. */
tgi_split tgi_split_of(size_t n);

/* A new [1,1,rows,parts] tensor of partial sums over part p of row r of a * b, rows of n values. The caller frees it. */
tg_status tgi_reduce_products(const tg_tensor *a, const tg_tensor *b, size_t n_rows,
                              tg_tensor **partials) TG_MUST_CHECK;

/* slot = scale * the sum of all partials. */
tg_status tgi_reduce_finish(const tg_tensor *partials, double scale, tg_scalar slot) TG_MUST_CHECK;

/* An argument that may be missing: kernels get a null pointer. */
static inline tgi_arg tgi_optional(const tg_tensor *tensor)
{
    return tgi_mem(tensor ? tensor->mem : NULL);
}

#endif

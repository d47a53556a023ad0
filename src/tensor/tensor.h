/* tensor.h -- the inside of a tensor, for the ops that launch kernels on it. */
#ifndef TGI_TENSOR_TENSOR_H
#define TGI_TENSOR_TENSOR_H

#include "device/program.h"
#include <taggan/tensor.h>

/* How values lie in memory. Ops negotiate it: one that needs another layout asks tgi_tensor_packed() for a copy. */
typedef enum tgi_layout {
    TGI_NCHW /* row-major, no halo: what every op takes and gives, unless it says otherwise */
} tgi_layout;

/* Forms of a tensor that are made from it and kept until it changes (weights re-packed once a step, not once a call). */
typedef struct tgi_packed {
    struct tgi_packed *next;
    int kind;         /* the op's own number for the form */
    uint64_t version; /* of the tensor it was made from */
    cl_mem mem;
    size_t capacity;
} tgi_packed;

struct tg_tensor {
    tg_device *dev;
    tg_dims dims;
    tgi_layout layout;
    cl_mem mem;
    size_t capacity;  /* bytes in the pool; 0 for a view */
    uint64_t version; /* bumped by whoever writes a tensor that others keep packed forms of */
    tgi_packed *packed;
};

/* What an operation does to an output that gradients are collected in: TGI_SET where nothing was added yet, which spares a pass that
 * fills it with zeros and one that reads them. */
typedef enum tgi_write { TGI_SET, TGI_ADD } tgi_write;

static inline tgi_arg tgi_buffer(const tg_tensor *tensor)
{
    return tgi_mem(tensor->mem);
}

/* A tensor inside another's memory, from value `offset` on; offset * 4 must be a multiple of info.base_align_bytes.
 * Freed before its parent. */
tg_status tgi_tensor_view(tg_tensor *parent, size_t offset, tg_dims dims,
                          tg_tensor **out) TG_MUST_CHECK;

/* Sets every value. Enqueues. */
tg_status tgi_tensor_fill(tg_tensor *tensor, float value) TG_MUST_CHECK;
/* dst = src, same count. Enqueues. */
tg_status tgi_tensor_copy(const tg_tensor *src, tg_tensor *dst) TG_MUST_CHECK;

/* Gives the memory back to the pool; the sizes stay. The values are lost, and nobody may read them until tgi_tensor_back(), which
 * takes memory again. For a tensor that is no view. */
void tgi_tensor_away(tg_tensor *tensor);
tg_status tgi_tensor_back(tg_tensor *tensor) TG_MUST_CHECK;

/* n values from src's value src_at on to dst's dst_at on. Enqueues. */
tg_status tgi_tensor_copy_part(const tg_tensor *src, size_t src_at, tg_tensor *dst, size_t dst_at,
                               size_t n) TG_MUST_CHECK;

/* To be called after writing a tensor whose packed forms may be in use (parameters). */
static inline void tgi_tensor_touch(tg_tensor *tensor)
{
    tensor->version++;
}

/* The packed form `kind` of `bytes` size; *is_fresh tells whether it is up to date, else the caller fills it (by enqueuing). */
tg_status tgi_tensor_packed(tg_tensor *tensor, int kind, size_t bytes, cl_mem *out,
                            bool *is_fresh) TG_MUST_CHECK;

/* Gives all packed forms back to the pool: they are out of date, or not needed soon. */
void tgi_tensor_drop_packed(tg_tensor *tensor);

/* Fails with TG_ERR_SHAPE unless the tensor has these sizes; `what` names it: "conv2d: dy". */
tg_status tgi_tensor_expect(const tg_tensor *tensor, tg_dims dims, const char *what) TG_MUST_CHECK;

/* Values that go to the device without anybody waiting: a ring of host buffers that are copied from when the queue gets there. */
typedef struct tgi_stage tgi_stage;
tg_status tgi_stage_new(tg_device *dev, size_t max_values, size_t n_slots,
                        tgi_stage **out) TG_MUST_CHECK;
/* Enqueues tensor = values; the host array may be reused at once. Waits only when all slots are under way. */
tg_status tgi_stage_push(tgi_stage *stage, const float *values, size_t n,
                         tg_tensor *tensor) TG_MUST_CHECK;
void tgi_stage_free(tgi_stage *stage);

/* Scalars that come back late: a ring of host buffers that the device fills without anybody waiting. */
typedef struct tgi_readback tgi_readback;
tg_status tgi_readback_new(tg_device *dev, size_t n_values, size_t n_slots,
                           tgi_readback **out) TG_MUST_CHECK;
/* Enqueues a copy of the tensor's n_values values under the number `tag`. Waits only when all slots are under way. */
tg_status tgi_readback_push(tgi_readback *readback, const tg_tensor *values,
                            uint64_t tag) TG_MUST_CHECK;
/* Whether the next push would lose the oldest copy: pop one first, with wait. */
bool tgi_readback_is_full(const tgi_readback *readback);
/* The oldest copy, if it has arrived (or with wait: as soon as it has). *values is NULL when there is none; else valid until the
 * next call. */
tg_status tgi_readback_pop(tgi_readback *readback, bool wait, const float **values,
                           uint64_t *tag) TG_MUST_CHECK;
void tgi_readback_free(tgi_readback *readback);

#endif

// clang-format off
/* arrays.h -- tensors on a device under names of a file: blocks are copied between device and host
 * whole, and what the file calls an array is a piece of a block. One list serves both ways:
 *
 *     tgi_arrays_add_params(&arrays, "G.", net, net->values)
 *     tgi_arrays_download(&arrays)          writing: everything at one moment,
 *     tgi_arrays_write(&arrays, writer)              then pointers for the writer
 *     tgi_arrays_read(&arrays, file)        reading: all is checked and copied to the host,
 *     tgi_arrays_upload(&arrays)                     then the device is written */
// clang-format on
#ifndef TGI_CHECKPOINT_ARRAYS_H
#define TGI_CHECKPOINT_ARRAYS_H

#include "checkpoint/safetensors.h"
#include "net/net.h"

typedef struct tgi_array_block {
    tg_tensor *home;
    float *values; /* [count of home]; gaps between parameters are 0 */
} tgi_array_block;

typedef struct tgi_array {
    char *name;
    size_t dims[4], n_dims; /* as PyTorch has them */
    size_t block, offset, n;
} tgi_array;

/* Start from {0}. */
typedef struct tgi_arrays {
    tgi_array_block *blocks;
    tgi_array *items;
    size_t n_blocks, blocks_capacity, n_items, items_capacity;
} tgi_arrays;

void tgi_arrays_release(tgi_arrays *arrays);

/* PREFIX + parameter's name for every parameter of `net`, whose values lie in `block`: net->values,
 * or moments laid out like it. */
tg_status tgi_arrays_add_params(tgi_arrays *arrays, const char *prefix, const tgi_net *net,
                                tg_tensor *block) TG_MUST_CHECK;
/* Its running statistics. */
tg_status tgi_arrays_add_buffers(tgi_arrays *arrays, const char *prefix,
                                 const tgi_net *net) TG_MUST_CHECK;
/* A whole tensor, four sizes. */
tg_status tgi_arrays_add_tensor(tgi_arrays *arrays, const char *name,
                                tg_tensor *tensor) TG_MUST_CHECK;

tg_status tgi_arrays_download(tgi_arrays *arrays) TG_MUST_CHECK;
/* The writer keeps pointers into the list until its commit. */
tg_status tgi_arrays_write(const tgi_arrays *arrays, tgi_safetensors_writer *writer) TG_MUST_CHECK;
/* Finds every array in the file, which may hold more. TG_ERR_FORMAT names the first that is
 * missing, TG_ERR_SHAPE the first of another shape and both shapes; sizes of 1 at the end do not
 * count ([K,C] is [K,C,1,1]). Only the host is written. */
tg_status tgi_arrays_read(tgi_arrays *arrays, const tgi_safetensors *file) TG_MUST_CHECK;
tg_status tgi_arrays_upload(const tgi_arrays *arrays) TG_MUST_CHECK;

#endif

/* pool.h -- device buffers that are used again: a training step asks for the same sizes every time. */
#ifndef TGI_TENSOR_POOL_H
#define TGI_TENSOR_POOL_H

#include "device/device.h"

/* A buffer of at least `bytes`. The queue is in order, so one that was given back may be used again at once. */
tg_status tgi_pool_get(tg_device *dev, size_t bytes, cl_mem *out, size_t *capacity) TG_MUST_CHECK;
void tgi_pool_put(tg_device *dev, cl_mem buffer, size_t capacity);

#endif

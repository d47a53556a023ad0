/** \file taggan/tensor.h
 *  Numbers on a device: float32, four sizes [N,C,H,W], row-major. A vector of C values is [1,C,1,1], weights are [K,C,R,S].
 */
#ifndef TAGGAN_TENSOR_H
#define TAGGAN_TENSOR_H

#include <taggan/device.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tg_tensor tg_tensor;

typedef struct tg_dims {
    size_t n, c, h, w;
} tg_dims;

/** Product of the four sizes; SIZE_MAX when it overflows. */
size_t tg_dims_count(tg_dims dims);
bool tg_dims_equal(tg_dims a, tg_dims b);

/** A tensor with undefined contents. Every size is at least 1 and fits an int. TG_ERR_SHAPE, TG_ERR_MEMORY. */
tg_status tg_tensor_new(tg_device *device, tg_dims dims, tg_tensor **out) TG_MUST_CHECK;
/** The same, all zero. */
tg_status tg_tensor_new_zero(tg_device *device, tg_dims dims, tg_tensor **out) TG_MUST_CHECK;
/** Gives the memory back to the device's pool. NULL is fine. */
void tg_tensor_free(tg_tensor *tensor);

tg_dims tg_tensor_dims(const tg_tensor *tensor);
size_t tg_tensor_count(const tg_tensor *tensor);
tg_device *tg_tensor_device(const tg_tensor *tensor);

/** Copies n = count values from the host; the host array may be reused at once. */
tg_status tg_tensor_upload(tg_tensor *tensor, const float *values, size_t n) TG_MUST_CHECK;
/** Copies n = count values to the host; waits for the queue. */
tg_status tg_tensor_download(const tg_tensor *tensor, float *values, size_t n) TG_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif

/* tensor.c -- shapes and device buffers. */
#include "config.h"
#include "tensor/tensor.h"
#include "base/memory.h"
#include "tensor/pool.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

size_t tg_dims_count(tg_dims dims)
{
    size_t count = dims.n;
    const size_t rest[] = {dims.c, dims.h, dims.w};

    for (int i = 0; i < 3; i++) {
        if (rest[i] && count > SIZE_MAX / rest[i])
            return SIZE_MAX;
        count *= rest[i];
    }
    return count;
}

bool tg_dims_equal(tg_dims a, tg_dims b)
{
    return a.n == b.n && a.c == b.c && a.h == b.h && a.w == b.w;
}

static tg_status check_dims(tg_dims dims)
{
    size_t count = tg_dims_count(dims);

    if (!dims.n || !dims.c || !dims.h || !dims.w)
        return tg_fail(TG_ERR_SHAPE, "a tensor of %zu x %zu x %zu x %zu values is empty", dims.n,
                       dims.c, dims.h, dims.w);
    /* Kernels hold sizes, and counts of elementwise work, in an int. */
    if (count > INT_MAX)
        return tg_fail(TG_ERR_SHAPE, "a tensor of %zu x %zu x %zu x %zu values is too large",
                       dims.n, dims.c, dims.h, dims.w);
    return TG_OK;
}

tg_status tg_tensor_new(tg_device *dev, tg_dims dims, tg_tensor **out)
{
    tg_status status = TG_OK;
    tg_tensor *tensor = NULL;

    *out = NULL;
    TG_TRY(check_dims(dims));
    TG_TRY(tgi_alloc(1, sizeof *tensor, &tensor));
    tensor->dev = dev;
    tensor->dims = dims;
    tensor->version = 1;
    TG_TRY(tgi_pool_get(dev, tg_dims_count(dims) * sizeof(float), &tensor->mem, &tensor->capacity));
    *out = tensor;
    return TG_OK;
cleanup:
    free(tensor);
    return status;
}

tg_status tg_tensor_new_zero(tg_device *dev, tg_dims dims, tg_tensor **out)
{
    tg_status status = tg_tensor_new(dev, dims, out);

    if (status == TG_OK)
        status = tgi_tensor_fill(*out, 0);
    if (status != TG_OK) {
        tg_tensor_free(*out);
        *out = NULL;
    }
    return status;
}

tg_status tgi_tensor_view(tg_tensor *parent, size_t offset, tg_dims dims, tg_tensor **out)
{
    tg_status status = TG_OK;
    tg_tensor *view = NULL;
    size_t count = tg_dims_count(dims), align = parent->dev->info.base_align_bytes;
    cl_int code;

    *out = NULL;
    TG_TRY(check_dims(dims));
    if (count > tg_tensor_count(parent) || offset > tg_tensor_count(parent) - count ||
        (align && offset * sizeof(float) % align))
        return tg_fail(TG_ERR_SHAPE, "a view of %zu values at %zu does not lie in a tensor of %zu",
                       count, offset, tg_tensor_count(parent));
    TG_TRY(tgi_alloc(1, sizeof *view, &view));
    view->dev = parent->dev;
    view->dims = dims;
    view->version = 1;
    const cl_buffer_region region = {offset * sizeof(float), count * sizeof(float)};
    view->mem = clCreateSubBuffer(parent->mem, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION,
                                  &region, &code);
    TG_CL(code);
    *out = view;
    return TG_OK;
cleanup:
    free(view);
    return status;
}

void tgi_tensor_drop_packed(tg_tensor *tensor)
{
    while (tensor->packed) {
        tgi_packed *packed = tensor->packed;

        tensor->packed = packed->next;
        tgi_pool_put(tensor->dev, packed->mem, packed->capacity);
        free(packed);
    }
}

void tg_tensor_free(tg_tensor *tensor)
{
    if (!tensor)
        return;
    tgi_tensor_drop_packed(tensor);
    if (tensor->capacity)
        tgi_pool_put(tensor->dev, tensor->mem, tensor->capacity);
    else if (tensor->mem)
        clReleaseMemObject(tensor->mem);
    free(tensor);
}

void tgi_tensor_away(tg_tensor *tensor)
{
    tgi_tensor_drop_packed(tensor);
    tgi_pool_put(tensor->dev, tensor->mem, tensor->capacity);
    tensor->mem = NULL;
    tensor->capacity = 0;
}

tg_status tgi_tensor_back(tg_tensor *tensor)
{
    size_t capacity;
    tg_status status =
        tgi_pool_get(tensor->dev, tg_tensor_count(tensor) * sizeof(float), &tensor->mem, &capacity);

    if (status == TG_OK)
        tensor->capacity = capacity;
    tgi_tensor_touch(tensor);
    return status;
}

tg_dims tg_tensor_dims(const tg_tensor *tensor)
{
    return tensor->dims;
}

size_t tg_tensor_count(const tg_tensor *tensor)
{
    return tg_dims_count(tensor->dims);
}

tg_device *tg_tensor_device(const tg_tensor *tensor)
{
    return tensor->dev;
}

tg_status tg_tensor_upload(tg_tensor *tensor, const float *values, size_t n)
{
    tg_status status = TG_OK;

    if (n != tg_tensor_count(tensor))
        return tg_fail(TG_ERR_SHAPE, "upload: %zu values for a tensor of %zu", n,
                       tg_tensor_count(tensor));
    TG_CL(clEnqueueWriteBuffer(tensor->dev->queue, tensor->mem, CL_TRUE, 0, n * sizeof *values,
                               values, 0, NULL, NULL));
    tgi_tensor_touch(tensor);
cleanup:
    return status;
}

tg_status tg_tensor_download(const tg_tensor *tensor, float *values, size_t n)
{
    tg_status status = TG_OK;

    if (n != tg_tensor_count(tensor))
        return tg_fail(TG_ERR_SHAPE, "download: %zu values of a tensor of %zu", n,
                       tg_tensor_count(tensor));
    TG_CL(clEnqueueReadBuffer(tensor->dev->queue, tensor->mem, CL_TRUE, 0, n * sizeof *values,
                              values, 0, NULL, NULL));
cleanup:
    return status;
}

tg_status tgi_tensor_fill(tg_tensor *tensor, float value)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    size_t n = tg_tensor_count(tensor);

    TG_TRY(tgi_kernel_get(tensor->dev, "elementwise", "fill", "", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1((n + 3) / 4),
                          TGI_ARGS(tgi_int(n), tgi_float(value), tgi_buffer(tensor))));
    tgi_tensor_touch(tensor);
cleanup:
    return status;
}

tg_status tgi_tensor_copy(const tg_tensor *src, tg_tensor *dst)
{
    tg_status status = TG_OK;
    size_t n = tg_tensor_count(src);

    if (n != tg_tensor_count(dst))
        return tg_fail(TG_ERR_SHAPE, "copy: %zu values into a tensor of %zu", n,
                       tg_tensor_count(dst));
    TG_CL(clEnqueueCopyBuffer(src->dev->queue, src->mem, dst->mem, 0, 0, n * sizeof(float), 0, NULL,
                              NULL));
    tgi_tensor_touch(dst);
cleanup:
    return status;
}

tg_status tgi_tensor_copy_part(const tg_tensor *src, size_t src_at, tg_tensor *dst, size_t dst_at,
                               size_t n)
{
    tg_status status = TG_OK;
    size_t n_src = tg_tensor_count(src), n_dst = tg_tensor_count(dst);

    if (n > n_src || src_at > n_src - n || n > n_dst || dst_at > n_dst - n)
        return tg_fail(TG_ERR_SHAPE, "copy: %zu values from %zu of %zu to %zu of %zu", n, src_at,
                       n_src, dst_at, n_dst);
    TG_CL(clEnqueueCopyBuffer(src->dev->queue, src->mem, dst->mem, src_at * sizeof(float),
                              dst_at * sizeof(float), n * sizeof(float), 0, NULL, NULL));
    tgi_tensor_touch(dst);
cleanup:
    return status;
}

tg_status tgi_tensor_packed(tg_tensor *tensor, int kind, size_t bytes, cl_mem *out, bool *is_fresh)
{
    tg_status status = TG_OK;
    tgi_packed *packed = tensor->packed;

    while (packed && packed->kind != kind)
        packed = packed->next;
    if (!packed) {
        TG_TRY(tgi_alloc(1, sizeof *packed, &packed));
        if ((status = tgi_pool_get(tensor->dev, bytes, &packed->mem, &packed->capacity)) != TG_OK) {
            free(packed);
            goto cleanup;
        }
        packed->kind = kind;
        packed->next = tensor->packed;
        tensor->packed = packed;
    }
    *out = packed->mem;
    *is_fresh = packed->version == tensor->version;
    packed->version = tensor->version;
cleanup:
    return status;
}

tg_status tgi_tensor_expect(const tg_tensor *tensor, tg_dims dims, const char *what)
{
    tg_dims is = tensor->dims;

    if (tg_dims_equal(is, dims))
        return TG_OK;
    return tg_fail(TG_ERR_SHAPE, "%s is %zu x %zu x %zu x %zu, not %zu x %zu x %zu x %zu", what,
                   is.n, is.c, is.h, is.w, dims.n, dims.c, dims.h, dims.w);
}

/* pool.c -- device buffers that are used again: small ones and those of cards kept by size, large ones of processors cut from an
 * arena of host memory. */
#include "config.h"
#include "tensor/pool.h"
#include "base/memory.h"
#include "tensor/arena.h"

#include <stdlib.h>

#include "base/banned.h"

typedef struct size_class {
    size_t capacity; /* bytes of each buffer here */
    cl_mem *free;
    size_t n_free, free_capacity;
} size_class;

/* Processors: buffers from so many bytes on are ranges of the arena. Smaller ones would not repay a new buffer object each. */
enum { LEAST_RANGE = 64 * 1024 };

struct tgi_pool {
    tgi_arena *arena; /* NULL for devices with memory of their own */
    size_class *classes;
    size_t n_classes, classes_capacity;
};

/* Sizes in steps of an eighth of a power of two: at most 12.5 % is wasted and sizes repeat. */
static size_t round_up(size_t bytes)
{
    size_t step = 256;

    while (step * 16 < bytes)
        step *= 2;
    return (bytes + step - 1) / step * step;
}

static void pool_free(struct tgi_pool *pool)
{
    for (size_t c = 0; pool && c < pool->n_classes; c++) {
        for (size_t i = 0; i < pool->classes[c].n_free; i++)
            clReleaseMemObject(pool->classes[c].free[i]);
        free(pool->classes[c].free);
    }
    if (pool) {
        free(pool->classes);
        tgi_arena_free(pool->arena);
    }
    free(pool);
}

static tg_status make_pool(tg_device *dev)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_alloc(1, sizeof *dev->pool, &dev->pool));
    dev->pool_free = pool_free;
    if (dev->info.kind == TG_DEVICE_CPU)
        TG_TRY(tgi_arena_new(&dev->pool->arena));
cleanup:
    return status;
}

static tg_status find_class(tg_device *dev, size_t capacity, size_class **out)
{
    tg_status status = TG_OK;

    for (size_t c = 0; c < dev->pool->n_classes; c++) {
        if (dev->pool->classes[c].capacity == capacity) {
            *out = &dev->pool->classes[c];
            return TG_OK;
        }
    }
    TG_TRY(tgi_grow(&dev->pool->classes, &dev->pool->classes_capacity, dev->pool->n_classes + 1,
                    sizeof(size_class)));
    *out = &dev->pool->classes[dev->pool->n_classes++];
    (*out)->capacity = capacity;
cleanup:
    return status;
}

static tg_status from_class(tg_device *dev, size_t capacity, cl_mem *out)
{
    tg_status status = TG_OK;
    size_class *sizes;
    cl_int code;

    TG_TRY(find_class(dev, capacity, &sizes));
    if (sizes->n_free)
        *out = sizes->free[--sizes->n_free];
    else {
        *out = clCreateBuffer(dev->context, CL_MEM_READ_WRITE, capacity, NULL, &code);
        TG_CL(code);
    }
cleanup:
    return status;
}

static tg_status from_arena(tg_device *dev, size_t capacity, cl_mem *out)
{
    tg_status status = TG_OK;
    void *range = NULL;
    cl_int code;

    TG_TRY(tgi_arena_get(dev->pool->arena, capacity, &range));
    *out = clCreateBuffer(dev->context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, capacity, range,
                          &code);
    TG_CL(code);
    range = NULL;
cleanup:
    if (range)
        tgi_arena_put(dev->pool->arena, range, capacity);
    return status;
}

static bool is_range(const tg_device *dev, size_t capacity)
{
    return dev->pool->arena && capacity >= LEAST_RANGE;
}

tg_status tgi_pool_get(tg_device *dev, size_t bytes, cl_mem *out, size_t *capacity)
{
    tg_status status = TG_OK;

    *out = NULL;
    if (!dev->pool)
        TG_TRY(make_pool(dev));
    *capacity = is_range(dev, bytes)
                    ? (bytes + TGI_ARENA_ALIGN - 1) / TGI_ARENA_ALIGN * TGI_ARENA_ALIGN
                    : round_up(bytes);
    if (*capacity > dev->info.max_alloc_bytes)
        return tg_fail(TG_ERR_MEMORY, "a tensor of %zu bytes is more than %s gives at once (%zu)",
                       bytes, dev->info.name, dev->info.max_alloc_bytes);
    TG_TRY(is_range(dev, *capacity) ? from_arena(dev, *capacity, out)
                                    : from_class(dev, *capacity, out));
    dev->bytes_now += *capacity;
    if (dev->bytes_now > dev->bytes_peak)
        dev->bytes_peak = dev->bytes_now;
cleanup:
    return status;
}

void tgi_pool_put(tg_device *dev, cl_mem buffer, size_t capacity)
{
    size_class *sizes;

    dev->bytes_now -= capacity;
    if (is_range(dev, capacity)) {
        void *range = NULL;

        /* Commands under way keep the buffer; the queue is in order, so whoever gets the range next writes after them. */
        if (clGetMemObjectInfo(buffer, CL_MEM_HOST_PTR, sizeof range, &range, NULL) == CL_SUCCESS)
            tgi_arena_put(dev->pool->arena, range, capacity);
        clReleaseMemObject(buffer);
        return;
    }
    if (find_class(dev, capacity, &sizes) != TG_OK ||
        tgi_grow(&sizes->free, &sizes->free_capacity, sizes->n_free + 1, sizeof *sizes->free) !=
            TG_OK) {
        clReleaseMemObject(buffer);
        return;
    }
    sizes->free[sizes->n_free++] = buffer;
}

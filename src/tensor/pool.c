/* pool.c -- device buffers that are used again, kept by size. */
#include "config.h"
#include "tensor/pool.h"
#include "base/memory.h"

#include <stdlib.h>

#include "base/banned.h"

typedef struct size_class {
    size_t capacity; /* bytes of each buffer here */
    cl_mem *free;
    size_t n_free, free_capacity;
} size_class;

struct tgi_pool {
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
    if (pool)
        free(pool->classes);
    free(pool);
}

static tg_status find_class(tg_device *dev, size_t capacity, size_class **out)
{
    tg_status status = TG_OK;

    if (!dev->pool) {
        TG_TRY(tgi_alloc(1, sizeof *dev->pool, &dev->pool));
        dev->pool_free = pool_free;
    }
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

tg_status tgi_pool_get(tg_device *dev, size_t bytes, cl_mem *out, size_t *capacity)
{
    tg_status status = TG_OK;
    size_class *sizes;
    cl_int code = CL_SUCCESS;

    *out = NULL;
    *capacity = round_up(bytes);
    if (*capacity > dev->info.max_alloc_bytes)
        return tg_fail(TG_ERR_MEMORY, "a tensor of %zu bytes is more than %s gives at once (%zu)",
                       bytes, dev->info.name, dev->info.max_alloc_bytes);
    TG_TRY(find_class(dev, *capacity, &sizes));
    if (sizes->n_free)
        *out = sizes->free[--sizes->n_free];
    else {
        *out = clCreateBuffer(dev->context, CL_MEM_READ_WRITE, *capacity, NULL, &code);
        TG_CL(code);
    }
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
    if (find_class(dev, capacity, &sizes) != TG_OK ||
        tgi_grow(&sizes->free, &sizes->free_capacity, sizes->n_free + 1, sizeof *sizes->free) !=
            TG_OK) {
        clReleaseMemObject(buffer);
        return;
    }
    sizes->free[sizes->n_free++] = buffer;
}

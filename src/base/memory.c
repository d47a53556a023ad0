/* memory.c -- host memory with sizes that cannot overflow. */
#include "config.h"
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

tg_status tgi_size_mul(size_t a, size_t b, size_t *out)
{
    if (b && a > SIZE_MAX / b)
        return tg_fail(TG_ERR_MEMORY, "size overflows: %zu times %zu", a, b);
    *out = a * b;
    return TG_OK;
}

tg_status tgi_alloc(size_t n, size_t size, void *out)
{
    void *block = NULL;
    size_t bytes;

    memcpy(out, &block, sizeof block);
    if (tgi_size_mul(n, size, &bytes) != TG_OK)
        return TG_ERR_MEMORY;
    block = calloc(1, bytes ? bytes : 1);
    if (!block)
        return tg_fail(TG_ERR_MEMORY, "out of memory: %zu bytes wanted", bytes);
    memcpy(out, &block, sizeof block);
    return TG_OK;
}

tg_status tgi_grow(void *items, size_t *capacity, size_t n, size_t size)
{
    void *block;
    size_t wanted = *capacity ? *capacity : 16, bytes;

    if (n <= *capacity)
        return TG_OK;
    while (wanted < n) {
        if (tgi_size_mul(wanted, 2, &wanted) != TG_OK)
            return TG_ERR_MEMORY;
    }
    if (tgi_size_mul(wanted, size, &bytes) != TG_OK)
        return TG_ERR_MEMORY;
    memcpy(&block, items, sizeof block);
    block = realloc(block, bytes);
    if (!block)
        return tg_fail(TG_ERR_MEMORY, "out of memory: %zu bytes wanted", bytes);
    memset((char *)block + *capacity * size, 0, bytes - *capacity * size);
    memcpy(items, &block, sizeof block);
    *capacity = wanted;
    return TG_OK;
}

/* safetensors_format.c -- types, sizes and byte order of the arrays in a safetensors file. */
#include "config.h"
#include "checkpoint/safetensors_format.h"
#include "base/memory.h"

#include <string.h>

#include "base/banned.h"

/* In the order of tgi_dtype. */
static const struct {
    const char *name;
    size_t size;
} dtypes[] = {{"F32", 4}, {"F64", 8}, {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"I32", 4}, {"I16", 2},
              {"I8", 1},  {"U64", 8}, {"U32", 4}, {"U16", 2},  {"U8", 1},  {"BOOL", 1}};

const char *tgi_dtype_name(tgi_dtype dtype)
{
    return dtypes[dtype].name;
}

size_t tgi_dtype_size(tgi_dtype dtype)
{
    return dtypes[dtype].size;
}

int tgi_dtype_find(const char *name)
{
    for (size_t t = 0; t < TG_COUNT(dtypes); t++) {
        if (!strcmp(dtypes[t].name, name))
            return (int)t;
    }
    return -1;
}

void tgi_stored_put_length(uint64_t n, unsigned char bytes[8])
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(n >> 8 * i);
}

uint64_t tgi_stored_get_length(const unsigned char bytes[8])
{
    uint64_t n = 0;

    for (int i = 0; i < 8; i++)
        n |= (uint64_t)bytes[i] << 8 * i;
    return n;
}

void tgi_stored_swap(void *items, size_t n_items, tgi_dtype dtype)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    unsigned char *bytes = items;
    size_t size = tgi_dtype_size(dtype);

    for (size_t i = 0; i < n_items; i++, bytes += size) {
        for (size_t a = 0, b = size - 1; a < b; a++, b--) {
            unsigned char kept = bytes[a];

            bytes[a] = bytes[b];
            bytes[b] = kept;
        }
    }
#else
    TG_UNUSED(items);
    TG_UNUSED(n_items);
    TG_UNUSED(dtype);
#endif
}

tg_status tgi_stored_measure(tgi_stored *array)
{
    tg_status status = TG_OK;

    array->n_items = 1;
    for (size_t d = 0; d < array->n_dims; d++)
        TG_TRY(tgi_size_mul(array->n_items, array->dims[d], &array->n_items));
    TG_TRY(tgi_size_mul(array->n_items, tgi_dtype_size(array->dtype), &array->size_bytes));
cleanup:
    return status;
}

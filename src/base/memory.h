/* memory.h -- host memory with sizes that cannot overflow. */
#ifndef TGI_BASE_MEMORY_H
#define TGI_BASE_MEMORY_H

#include "base/status.h"
#include <stddef.h>

/* *out = a * b; TG_ERR_MEMORY on overflow. */
tg_status tgi_size_mul(size_t a, size_t b, size_t *out) TG_MUST_CHECK;

/* n zeroed items of size bytes each into *out (a pointer of any type); free() releases it. n = 0 gives a valid pointer. */
tg_status tgi_alloc(size_t n, size_t size, void *out) TG_MUST_CHECK;

/* Makes room for at least n items in the array *items (a pointer to a pointer) that holds *capacity; grows by doubling. */
tg_status tgi_grow(void *items, size_t *capacity, size_t n, size_t size) TG_MUST_CHECK;

#endif

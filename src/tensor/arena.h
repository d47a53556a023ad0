/* arena.h -- host memory for the buffers of processors: large ranges, in huge pages where the system has them.
 *
 * A processor's kernels work on the host's own memory. Given out from here, a range that comes back is joined with its free
 * neighbours, so that another size can use it, and a page of 2 MiB spares most misses of the address translation (measured: 5 to
 * 15 % of every layer). Other devices have memory of their own and never come here. */
#ifndef TGI_TENSOR_ARENA_H
#define TGI_TENSOR_ARENA_H

#include "base/status.h"
#include <stddef.h>

typedef struct tgi_arena tgi_arena;

/* Ranges begin at multiples of this many bytes and are as long. */
enum { TGI_ARENA_ALIGN = 4096 };

tg_status tgi_arena_new(tgi_arena **out) TG_MUST_CHECK;
/* Gives back all memory, ranges in use included. */
void tgi_arena_free(tgi_arena *arena);

/* A range of `bytes`, a multiple of TGI_ARENA_ALIGN; its values are anything. TG_ERR_MEMORY when the system gives no more. */
tg_status tgi_arena_get(tgi_arena *arena, size_t bytes, void **out) TG_MUST_CHECK;
/* Takes a range back, as long as it was asked for. */
void tgi_arena_put(tgi_arena *arena, void *range, size_t bytes);

#endif

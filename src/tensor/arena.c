/* arena.c -- best fit over a sorted list of free ranges, in blocks that the system lends. */
#define _DEFAULT_SOURCE /* madvise */
#include "config.h"
#include "tensor/arena.h"
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/banned.h"

/* A block is address space alone until it is written; one gibibyte holds a small training run. */
enum { BLOCK_BYTES = 1 << 30, HUGE_PAGE = 2 << 20 };

typedef struct range {
    char *at;
    size_t bytes;
} range;

struct tgi_arena {
    range *blocks; /* as mmap gave them */
    size_t n_blocks, blocks_capacity;
    range *
        unused; /* by address; neighbours are one range, so there are at most n_out + n_blocks of them */
    size_t n_unused, unused_capacity, n_out;
};

tg_status tgi_arena_new(tgi_arena **out)
{
    return tgi_alloc(1, sizeof **out, out);
}

void tgi_arena_free(tgi_arena *arena)
{
    for (size_t i = 0; arena && i < arena->n_blocks; i++)
        munmap(arena->blocks[i].at, arena->blocks[i].bytes);
    if (arena) {
        free(arena->blocks);
        free(arena->unused);
    }
    free(arena);
}

/* The first free range that begins behind `at`. */
static size_t index_behind(const tgi_arena *arena, const char *at)
{
    size_t low = 0, high = arena->n_unused;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (arena->unused[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void remove_at(tgi_arena *arena, size_t i)
{
    arena->n_unused--;
    memmove(&arena->unused[i], &arena->unused[i + 1],
            (arena->n_unused - i) * sizeof *arena->unused);
}

/* Joins the range with its free neighbours. Space for one more was made when it was given out. */
static void release(tgi_arena *arena, range back)
{
    size_t i = index_behind(arena, back.at);

    if (i < arena->n_unused && back.at + back.bytes == arena->unused[i].at) {
        back.bytes += arena->unused[i].bytes;
        remove_at(arena, i);
    }
    if (i && arena->unused[i - 1].at + arena->unused[i - 1].bytes == back.at) {
        arena->unused[i - 1].bytes += back.bytes;
        return;
    }
    memmove(&arena->unused[i + 1], &arena->unused[i],
            (arena->n_unused - i) * sizeof *arena->unused);
    arena->unused[i] = back;
    arena->n_unused++;
}

static char *map(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

/* A block is one huge page longer than what is used of it, from a boundary of such pages on, so that two never touch. */
static tg_status add_block(tgi_arena *arena, size_t bytes)
{
    tg_status status = TG_OK;
    size_t size = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    size_t wanted = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    char *at;

    TG_TRY(tgi_grow(&arena->blocks, &arena->blocks_capacity, arena->n_blocks + 1,
                    sizeof *arena->blocks));
    at = map(wanted + HUGE_PAGE);
    if (at)
        size = wanted;
    else /* a limit on address space, as ulimit -v sets */
        at = map(size + HUGE_PAGE);
    if (!at)
        return tg_fail(TG_ERR_MEMORY, "no memory for a tensor of %zu bytes", bytes);
    arena->blocks[arena->n_blocks++] = (range){at, size + HUGE_PAGE};
    at += HUGE_PAGE - (uintptr_t)at % HUGE_PAGE;
#ifdef MADV_HUGEPAGE
    (void)madvise(at, size, MADV_HUGEPAGE); /* a kernel without them uses small pages */
#endif
    TG_TRY(tgi_grow(&arena->unused, &arena->unused_capacity, arena->n_out + arena->n_blocks + 1,
                    sizeof *arena->unused));
    release(arena, (range){at, size});
cleanup:
    return status;
}

/* The smallest range that is long enough, the first of equals; n_unused where there is none. */
static size_t best_fit(const tgi_arena *arena, size_t bytes)
{
    size_t best = arena->n_unused;

    for (size_t i = 0; i < arena->n_unused; i++) {
        if (arena->unused[i].bytes >= bytes &&
            (best == arena->n_unused || arena->unused[i].bytes < arena->unused[best].bytes))
            best = i;
    }
    return best;
}

tg_status tgi_arena_get(tgi_arena *arena, size_t bytes, void **out)
{
    tg_status status = TG_OK;
    size_t i = best_fit(arena, bytes);

    *out = NULL;
    if (i == arena->n_unused) {
        TG_TRY(add_block(arena, bytes));
        i = best_fit(arena, bytes);
    }
    TG_TRY(tgi_grow(&arena->unused, &arena->unused_capacity, arena->n_out + arena->n_blocks + 2,
                    sizeof *arena->unused));
    *out = arena->unused[i].at;
    arena->unused[i].at += bytes;
    arena->unused[i].bytes -= bytes;
    if (!arena->unused[i].bytes)
        remove_at(arena, i);
    arena->n_out++;
cleanup:
    return status;
}

void tgi_arena_put(tgi_arena *arena, void *at, size_t bytes)
{
    release(arena, (range){at, bytes});
    arena->n_out--;
}

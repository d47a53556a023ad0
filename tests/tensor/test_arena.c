/* test_arena.c -- ranges of host memory: none overlaps another, what comes back is joined, and too much is an error. */
#include "config.h"
#include "base/rng.h"
#include "tensor/arena.h"
#include "tg_test.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { N_SLOTS = 40, N_TURNS = 4000, MAX_PAGES = 700 };

static bool holds(const unsigned char *at, size_t bytes, int mark)
{
    return at[0] == mark && at[bytes - 1] == mark && at[bytes / 2] == mark;
}

START_TEST(ranges_keep_their_values)
{
    tgi_arena *arena;
    void *slots[N_SLOTS] = {NULL};
    size_t bytes[N_SLOTS] = {0};
    tgi_rng rng = tgi_rng_new(7, TGI_STREAM_TEST, 0);

    ck_assert_tg_ok(tgi_arena_new(&arena));
    for (int turn = 0; turn < N_TURNS; turn++) {
        size_t i = tgi_rng_below(&rng, N_SLOTS);

        if (slots[i]) {
            ck_assert(holds(slots[i], bytes[i], (int)i));
            tgi_arena_put(arena, slots[i], bytes[i]);
            slots[i] = NULL;
            continue;
        }
        bytes[i] = (1 + tgi_rng_below(&rng, MAX_PAGES)) * TGI_ARENA_ALIGN;
        ck_assert_tg_ok(tgi_arena_get(arena, bytes[i], &slots[i]));
        ck_assert_uint_eq((uintptr_t)slots[i] % TGI_ARENA_ALIGN, 0);
        memset(slots[i], (int)i, bytes[i]);
    }
    tgi_arena_free(arena);
}
END_TEST

START_TEST(neighbours_are_joined)
{
    enum { PART = 64 * TGI_ARENA_ALIGN, N_PARTS = 5 };
    static const size_t order[N_PARTS] = {3, 0, 1, 4, 2};
    tgi_arena *arena;
    void *parts[N_PARTS], *whole;

    ck_assert_tg_ok(tgi_arena_new(&arena));
    for (size_t i = 0; i < N_PARTS; i++)
        ck_assert_tg_ok(tgi_arena_get(arena, PART, &parts[i]));
    for (size_t i = 0; i < N_PARTS; i++)
        tgi_arena_put(arena, parts[order[i]], PART);
    ck_assert_tg_ok(tgi_arena_get(arena, N_PARTS * (size_t)PART, &whole));
    ck_assert_ptr_eq(whole, parts[0]);
    tgi_arena_free(arena);
}
END_TEST

START_TEST(takes_the_smallest_that_fits)
{
    enum { LARGE = 50 * TGI_ARENA_ALIGN, SMALL = 20 * TGI_ARENA_ALIGN };
    tgi_arena *arena;
    void *large, *small, *wall, *got;

    ck_assert_tg_ok(tgi_arena_new(&arena));
    ck_assert_tg_ok(tgi_arena_get(arena, LARGE, &large));
    ck_assert_tg_ok(tgi_arena_get(arena, TGI_ARENA_ALIGN, &wall));
    ck_assert_tg_ok(tgi_arena_get(arena, SMALL, &small));
    ck_assert_tg_ok(tgi_arena_get(arena, TGI_ARENA_ALIGN, &wall));
    tgi_arena_put(arena, large, LARGE);
    tgi_arena_put(arena, small, SMALL);
    ck_assert_tg_ok(tgi_arena_get(arena, SMALL, &got));
    ck_assert_ptr_eq(got, small);
    tgi_arena_free(arena);
}
END_TEST

START_TEST(no_more_memory_is_an_error)
{
    const size_t bytes = SIZE_MAX / 4 / TGI_ARENA_ALIGN * TGI_ARENA_ALIGN;
    tgi_arena *arena;
    void *range;

    ck_assert_tg_ok(tgi_arena_new(&arena));
    ck_assert_tg_fails(tgi_arena_get(arena, bytes, &range), TG_ERR_MEMORY);
    ck_assert_ptr_null(range);
    ck_assert_tg_ok(tgi_arena_get(arena, TGI_ARENA_ALIGN, &range));
    tgi_arena_free(arena);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("arena", 60);

    tcase_add_test(tc, ranges_keep_their_values);
    tcase_add_test(tc, neighbours_are_joined);
    tcase_add_test(tc, takes_the_smallest_that_fits);
    tcase_add_test(tc, no_more_memory_is_an_error);
    return tg_run("arena");
}

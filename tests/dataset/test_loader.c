/* test_loader.c -- batches depend on seed and number alone: not on threads, not on where the loader
 * started. */
#include "config.h"
#include "tg_test.h"
#include "dataset/scratch.h"
#include "dataset/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_IMAGES = 7, N_BATCH = 3, SIZE_PX = 8, N_BATCHES = 12 };

static tg_dataset *set;
static size_t all[N_IMAGES];

static void open_set(void)
{
    char table[1024] = "file,labels\n", name[32];

    scratch_open();
    for (int i = 0; i < N_IMAGES; i++) {
        snprintf(name, sizeof name, "%d.png", i);
        scratch_picture(name, SIZE_PX, (float)i / N_IMAGES);
        snprintf(table + strlen(table), 64, "%s,%s\n", name, i % 2 ? "x;y" : "");
        all[i] = (size_t)i;
    }
    scratch_text("labels.csv", table);
    set = scratch_dataset("", &(tg_dataset_opts){.seed = 1});
}

static void close_set(void)
{
    tg_dataset_free(set);
    scratch_close();
}

static tg_loader_opts small(size_t n_threads, uint64_t first_batch)
{
    tg_loader_opts o = tg_loader_opts_default();

    o.n_batch = N_BATCH;
    o.size_px = SIZE_PX;
    o.n_threads = n_threads;
    o.n_ahead = 2;
    o.first_batch = first_batch;
    o.augment = (tg_augment){true, 2, 5, 0.1, 0.1, 0.1};
    return o;
}

typedef struct stored {
    float x[N_BATCHES][N_BATCH * SIZE_PX * SIZE_PX], labels[N_BATCHES][N_BATCH * 2];
    size_t indices[N_BATCHES][N_BATCH];
} stored;

static stored *take(const tg_loader_opts *opts, size_t n)
{
    stored *s = calloc(1, sizeof *s);
    tg_loader *loader;

    ck_assert_tg_ok(tg_loader_new(set, all, N_IMAGES, opts, &loader));
    for (size_t b = 0; b < n; b++) {
        tg_batch batch;

        ck_assert_tg_ok(tg_loader_next(loader, &batch));
        ck_assert(batch.n == N_BATCH && batch.n_classes == 2 && batch.size_px == SIZE_PX);
        memcpy(s->x[b], batch.x, sizeof s->x[b]);
        memcpy(s->labels[b], batch.labels, sizeof s->labels[b]);
        memcpy(s->indices[b], batch.indices, sizeof s->indices[b]);
    }
    tg_loader_free(loader);
    return s;
}

START_TEST(threads_do_not_change_the_batches)
{
    tg_loader_opts o = small(0, 0);
    stored *want = take(&o, N_BATCHES), *got;

    for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
        o.n_threads = n_threads;
        o.cache_bytes = n_threads == 2 ? 0 : n_threads == 3 ? 3 * SIZE_PX * SIZE_PX * 4 : 1 << 20;
        got = take(&o, N_BATCHES);
        ck_assert_mem_eq(got, want, sizeof *want);
        free(got);
    }
    free(want);
}
END_TEST

START_TEST(starts_at_any_batch)
{
    tg_loader_opts o = small(1, 0);
    stored *want = take(&o, N_BATCHES), *got;

    o.first_batch = 5;
    got = take(&o, N_BATCHES - 5);
    ck_assert_mem_eq(got->x, want->x[5], (N_BATCHES - 5) * sizeof want->x[0]);
    ck_assert_mem_eq(got->indices, want->indices[5], (N_BATCHES - 5) * sizeof want->indices[0]);
    free(want);
    free(got);
}
END_TEST

START_TEST(each_epoch_has_every_image_once)
{
    tg_loader_opts o = small(2, 0);
    stored *s = take(&o, N_BATCHES);
    const size_t *list = s->indices[0];
    bool has_changed = false;

    for (size_t epoch = 0; epoch < N_BATCHES * N_BATCH / N_IMAGES; epoch++) {
        unsigned seen = 0;

        for (size_t k = 0; k < N_IMAGES; k++)
            seen |= 1u << list[epoch * N_IMAGES + k];
        ck_assert_uint_eq(seen, (1u << N_IMAGES) - 1);
        has_changed |= memcmp(list, list + epoch * N_IMAGES, N_IMAGES * sizeof *list) != 0;
    }
    ck_assert(has_changed);
    for (size_t b = 0; b < N_BATCHES; b++)
        for (size_t j = 0; j < N_BATCH; j++)
            ck_assert_float_eq(s->labels[b][2 * j], s->indices[b][j] % 2 ? 1 : 0);
    free(s);
}
END_TEST

START_TEST(streams_and_seeds_differ)
{
    tg_loader_opts o = small(1, 0);
    stored *a = take(&o, N_BATCHES), *b, *c;

    o.stream_id = 1;
    b = take(&o, N_BATCHES);
    o.stream_id = 0;
    o.seed = 2;
    c = take(&o, N_BATCHES);
    ck_assert_mem_ne(a->indices, b->indices, sizeof a->indices);
    ck_assert_mem_ne(a->indices, c->indices, sizeof a->indices);
    free(a);
    free(b);
    free(c);
}
END_TEST

START_TEST(an_unreadable_image_is_named)
{
    tg_loader *loader;
    tg_batch batch;
    tg_loader_opts o = small(2, 0);
    size_t n_failed = 0;

    scratch_sample("3.png", "truncated.png");
    ck_assert_tg_ok(tg_loader_new(set, all, N_IMAGES, &o, &loader));
    for (int b = 0; b < 7; b++) /* three epochs: image 3 comes three times */
        if (tg_loader_next(loader, &batch) != TG_OK) {
            n_failed++;
            ck_assert_ptr_nonnull(strstr(tg_error_message(), "3.png"));
            ck_assert_ptr_null(batch.x);
        }
    ck_assert(n_failed >= 2 && n_failed <= 3);
    tg_loader_free(loader);
}
END_TEST

START_TEST(refuses_what_makes_no_batch)
{
    tg_loader *loader;
    tg_loader_opts o = small(1, 0);
    const size_t outside[] = {N_IMAGES};

    ck_assert_tg_fails(tg_loader_new(set, all, 0, &o, &loader), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_loader_new(set, outside, 1, &o, &loader), TG_ERR_ARGUMENT);
    o.n_batch = 0;
    ck_assert_tg_fails(tg_loader_new(set, all, N_IMAGES, &o, &loader), TG_ERR_ARGUMENT);
    ck_assert_ptr_null(loader);
    tg_loader_free(NULL);
}
END_TEST

START_TEST(stops_while_threads_work_ahead)
{
    tg_loader_opts o = small(3, 0);

    for (int i = 0; i < 20; i++) {
        tg_loader *loader;

        ck_assert_tg_ok(tg_loader_new(set, all, N_IMAGES, &o, &loader));
        tg_loader_free(loader);
    }
}
END_TEST

/* The changes of one image, each alone. */
START_TEST(augmentation_does_what_it_says)
{
    enum { N = 5 };
    float x[N * N], y[N * N];
    bool was_flipped = false, was_kept = false, was_shifted = false;

    for (int i = 0; i < N * N; i++)
        x[i] = (float)i / (N * N);
    ck_assert(tgi_augment_is_off(&(tg_augment){0}));
    tgi_augment(&(tg_augment){0}, 1, 2, N, x, y);
    ck_assert_mem_eq(x, y, sizeof x);
    for (uint64_t i = 0; i < 20; i++) {
        tgi_augment(&(tg_augment){.flip = true}, 1, i, N, x, y);
        ck_assert(y[0] == x[0] || y[0] == x[N - 1]);
        was_kept |= memcmp(x, y, sizeof x) == 0;
        was_flipped |= y[0] == x[N - 1] && y[N * N - 1] == x[N * (N - 1)];
        tgi_augment(&(tg_augment){.shift_px = 1}, 1, i, N, x, y);
        was_shifted |=
            y[2 * N + 2] == x[N + 1] && y[0] == x[0]; /* one down and right: edges repeated */
        tgi_augment(&(tg_augment){.gain = 0.2, .offset = 0.9}, 1, i, N, x, y);
        for (int k = 0; k < N * N; k++)
            ck_assert(y[k] >= -1 && y[k] <= 1);
        tgi_augment(&(tg_augment){.rotate_degrees = 10, .scale = 0.1}, 1, i, N, x, y);
        ck_assert_float_eq_tol(y[N * N / 2], x[N * N / 2], 1e-6f); /* the middle stays */
    }
    ck_assert(was_flipped && was_kept && was_shifted);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("loader", 30);

    tcase_add_checked_fixture(tc, open_set, close_set);
    tcase_add_test(tc, threads_do_not_change_the_batches);
    tcase_add_test(tc, starts_at_any_batch);
    tcase_add_test(tc, each_epoch_has_every_image_once);
    tcase_add_test(tc, streams_and_seeds_differ);
    tcase_add_test(tc, an_unreadable_image_is_named);
    tcase_add_test(tc, refuses_what_makes_no_batch);
    tcase_add_test(tc, stops_while_threads_work_ahead);
    tcase_add_test(tc, augmentation_does_what_it_says);
    return tg_run("loader");
}

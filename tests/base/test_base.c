/* test_base.c -- sizes that do not overflow, files that appear by rename, random numbers that stay the same. */
#include "config.h"
#include "tg_test.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(refuses_sizes_that_overflow)
{
    size_t n;
    void *block;

    ck_assert_tg_fails(tgi_size_mul(SIZE_MAX, 2, &n), TG_ERR_MEMORY);
    ck_assert_tg_fails(tgi_alloc(SIZE_MAX / 2, 4, &block), TG_ERR_MEMORY);
    ck_assert_ptr_null(block);
    ck_assert_tg_ok(tgi_size_mul(SIZE_MAX / 2, 2, &n));
}
END_TEST

START_TEST(keeps_the_sentence_of_the_last_failure)
{
    ck_assert_int_eq(tg_fail(TG_ERR_SHAPE, "conv2d: %d", 3), TG_ERR_SHAPE);
    ck_assert_str_eq(tg_error_message(), "conv2d: 3");
    ck_assert_int_eq(tg_fail_in(TG_ERR_SHAPE, "step %d", 4), TG_ERR_SHAPE);
    ck_assert_str_eq(tg_error_message(), "step 4: conv2d: 3");
}
END_TEST

START_TEST(files_appear_only_when_committed)
{
    tgi_file file;
    char *bytes, *path;
    size_t n;

    ck_assert_tg_ok(tgi_strdup(tg_scratch_path("base_file.bin"), &path));
    unlink(path);
    ck_assert_tg_ok(tgi_file_create(path, &file));
    fputs("half", file.stream);
    ck_assert(!tgi_is_file(path));
    tgi_file_discard(&file);
    ck_assert(!tgi_is_file(path));
    ck_assert_tg_ok(tgi_file_write(path, "whole", 5));
    ck_assert_tg_ok(tgi_file_read(path, 100, &bytes, &n));
    ck_assert_uint_eq(n, 5);
    ck_assert_str_eq(bytes, "whole");
    free(bytes);
    ck_assert_tg_fails(tgi_file_read(path, 4, &bytes, &n), TG_ERR_FORMAT);
    unlink(path);
    ck_assert_tg_fails(tgi_file_read(path, 4, &bytes, &n), TG_ERR_IO);
    free(path);
}
END_TEST

START_TEST(a_full_disk_is_an_error)
{
    tgi_file file = {0};

    if (access("/dev/full", W_OK))
        return;
    file.stream = fopen("/dev/full", "wb");
    ck_assert_tg_ok(tgi_strdup(tg_scratch_path("never"), &file.path));
    fputs("text", file.stream);
    ck_assert_tg_fails(tgi_file_commit(&file), TG_ERR_IO);
}
END_TEST

START_TEST(numbers_are_read_strictly)
{
    double x;
    long long i;

    ck_assert(tgi_parse_real("1e-3", &x) && fabs(x - 0.001) < 1e-15);
    ck_assert(!tgi_parse_real("1e-3x", &x) && !tgi_parse_real("", &x) &&
              !tgi_parse_real("nan", &x));
    ck_assert(!tgi_parse_real("1e999", &x));
    ck_assert(tgi_parse_int("-12", &i) && i == -12);
    ck_assert(!tgi_parse_int("12.5", &i) && !tgi_parse_int("99999999999999999999", &i));
}
END_TEST

START_TEST(random_numbers_are_named_by_seed_stream_and_index)
{
    tgi_rng a = tgi_rng_new(7, TGI_STREAM_TEST, 3), b = tgi_rng_new(7, TGI_STREAM_TEST, 3);
    tgi_rng c = tgi_rng_new(7, TGI_STREAM_TEST, 4), philox = tgi_rng_new(0, 0, 0);
    double sum = 0, squares = 0;
    size_t order[100], seen[100] = {0};

    /* Random123's own known answer for an all-zero key and counter. */
    ck_assert_uint_eq(tgi_rng_u32(&philox), 0x6627e8d5u);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(tgi_rng_u32(&a), tgi_rng_u32(&b));
    ck_assert_uint_ne(tgi_rng_u32(&a), tgi_rng_u32(&c));
    for (int i = 0; i < 20000; i++) {
        double x = tgi_rng_normal(&a);
        sum += x;
        squares += x * x;
    }
    ck_assert(fabs(sum / 20000) < 0.03 && fabs(squares / 20000 - 1) < 0.05);
    tgi_rng_shuffle(&a, order, 100);
    for (int i = 0; i < 100; i++)
        seen[order[i]]++;
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(seen[i], 1);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("base", 20);

    tcase_add_test(tc, refuses_sizes_that_overflow);
    tcase_add_test(tc, keeps_the_sentence_of_the_last_failure);
    tcase_add_test(tc, files_appear_only_when_committed);
    tcase_add_test(tc, a_full_disk_is_an_error);
    tcase_add_test(tc, numbers_are_read_strictly);
    tcase_add_test(tc, random_numbers_are_named_by_seed_stream_and_index);
    return tg_run("base");
}

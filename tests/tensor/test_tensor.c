/* test_tensor.c -- sizes, views, the pool, scalars that come back late. */
#include "config.h"
#include "tg_test.h"
#include "tensor/tensor.h"

#include <stdlib.h>

static tg_device *dev;

static void open_device(void)
{
    ck_assert_tg_ok(tg_device_open(NULL, &dev));
}

static void close_device(void)
{
    tg_device_free(dev);
}

START_TEST(refuses_empty_and_huge_sizes)
{
    tg_tensor *t;

    ck_assert_tg_fails(tg_tensor_new(dev, (tg_dims){1, 0, 1, 1}, &t), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_tensor_new(dev, (tg_dims){1, 1 << 20, 1 << 20, 1 << 20}, &t),
                       TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_tensor_new(dev, (tg_dims){SIZE_MAX, SIZE_MAX, 2, 1}, &t), TG_ERR_SHAPE);
    ck_assert_ptr_null(t);
}
END_TEST

START_TEST(uploads_and_downloads_the_same_bits)
{
    tg_tensor *t;
    float in[2 * 3 * 5 * 7], out[2 * 3 * 5 * 7];

    tg_fill_normal(in, TG_COUNT(in), 1);
    ck_assert_tg_ok(tg_tensor_new(dev, (tg_dims){2, 3, 5, 7}, &t));
    ck_assert_tg_ok(tg_tensor_upload(t, in, TG_COUNT(in)));
    ck_assert_tg_ok(tg_tensor_download(t, out, TG_COUNT(out)));
    tg_compare("download", out, in, TG_COUNT(in), TOL_EXACT);
    ck_assert_tg_fails(tg_tensor_upload(t, in, 3), TG_ERR_SHAPE);
    tg_tensor_free(t);
}
END_TEST

START_TEST(a_view_shares_its_parents_memory)
{
    tg_tensor *parent, *view;
    size_t offset = dev->info.base_align_bytes / sizeof(float), n = offset + 10;
    float *values = calloc(n, sizeof *values);

    ck_assert_tg_ok(tg_tensor_new_zero(dev, (tg_dims){1, n, 1, 1}, &parent));
    ck_assert_tg_ok(tgi_tensor_view(parent, offset, (tg_dims){1, 5, 1, 2}, &view));
    ck_assert_tg_ok(tgi_tensor_fill(view, 3));
    ck_assert_tg_ok(tg_tensor_download(parent, values, n));
    for (size_t i = 0; i < n; i++)
        ck_assert(values[i] == (i < offset ? 0 : 3));
    tg_tensor_free(view);
    ck_assert_tg_fails(tgi_tensor_view(parent, offset, (tg_dims){1, 11, 1, 1}, &view),
                       TG_ERR_SHAPE);
    tg_tensor_free(parent);
    free(values);
}
END_TEST

START_TEST(memory_given_back_is_used_again)
{
    tg_tensor *t;
    size_t now, peak;

    for (int i = 0; i < 10; i++) {
        ck_assert_tg_ok(tg_tensor_new(dev, (tg_dims){1, 1, 100, 100}, &t));
        tg_tensor_free(t);
    }
    tg_device_memory(dev, &now, &peak);
    ck_assert_uint_eq(now, 0);
    ck_assert_uint_lt(peak, 50000);
}
END_TEST

START_TEST(a_full_readback_says_so)
{
    tgi_readback *late;
    tg_tensor *t;
    const float *values;
    uint64_t tag;

    ck_assert_tg_ok(tg_tensor_new_zero(dev, (tg_dims){1, 2, 1, 1}, &t));
    ck_assert_tg_ok(tgi_readback_new(dev, 2, 2, &late));
    for (uint64_t i = 0; i < 20; i++) {
        ck_assert_tg_ok(tgi_readback_push(late, t, i));
        if (!tgi_readback_is_full(late))
            continue;
        ck_assert_tg_ok(tgi_readback_pop(late, true, &values, &tag));
        ck_assert(values && tag == i - 1); /* none was lost */
    }
    tgi_readback_free(late);
    tg_tensor_free(t);
}
END_TEST

START_TEST(scalars_arrive_in_order)
{
    tgi_readback *late;
    tg_tensor *t;
    const float *values;
    uint64_t tag;

    ck_assert_tg_ok(tg_tensor_new(dev, (tg_dims){1, 2, 1, 1}, &t));
    ck_assert_tg_ok(tgi_readback_new(dev, 2, 4, &late));
    for (int i = 0; i < 3; i++) {
        ck_assert_tg_ok(tgi_tensor_fill(t, (float)i));
        ck_assert_tg_ok(tgi_readback_push(late, t, (uint64_t)i));
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_tg_ok(tgi_readback_pop(late, true, &values, &tag));
        ck_assert(values && tag == (uint64_t)i && values[1] == (float)i);
    }
    ck_assert_tg_ok(tgi_readback_pop(late, true, &values, &tag));
    ck_assert_ptr_null(values);
    tgi_readback_free(late);
    tg_tensor_free(t);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("tensor", 60);

    tcase_add_checked_fixture(tc, open_device, close_device);
    tcase_add_test(tc, refuses_empty_and_huge_sizes);
    tcase_add_test(tc, uploads_and_downloads_the_same_bits);
    tcase_add_test(tc, a_view_shares_its_parents_memory);
    tcase_add_test(tc, memory_given_back_is_used_again);
    tcase_add_test(tc, scalars_arrive_in_order);
    tcase_add_test(tc, a_full_readback_says_so);
    return tg_run("tensor");
}

/* op_test.c -- device, guarded outputs and gradient checks for the tests of operations. */
#include "config.h"
#include "op/op_test.h"

#include <string.h>

#define MAGIC -12345.625f

tg_device *op_dev;

bool op_is_gpu_forced(void)
{
    const char *family = getenv("TAGGAN_TEST_FAMILY");

    return family && !strcmp(family, "gpu");
}

void op_open(void)
{
    ck_assert_tg_ok(tg_device_open(NULL, &op_dev));
    if (op_is_gpu_forced())
        op_dev->family = TGI_FAMILY_GPU;
}

void op_open_wide(void)
{
    op_open();
    op_dev->info.kind = TG_DEVICE_GPU;
}

void op_close(void)
{
    tg_device_free(op_dev);
    op_dev = NULL;
}

bool op_skips(tg_dims dims)
{
    return getenv("TAGGAN_TEST_TINY") && tg_dims_count(dims) > 4096;
}

float *op_floats(size_t n)
{
    float *values = calloc(n + 1, sizeof *values);

    ck_assert_ptr_nonnull(values);
    return values;
}

double *op_doubles(size_t n)
{
    double *values = calloc(n + 1, sizeof *values);

    ck_assert_ptr_nonnull(values);
    return values;
}

float *op_normal(size_t n, uint64_t seed)
{
    float *values = op_floats(n);

    tg_fill_normal(values, n, seed);
    return values;
}

double *op_normal_d(size_t n, uint64_t seed)
{
    double *values = op_doubles(n);

    tg_fill_normal_d(values, n, seed);
    return values;
}

tg_tensor *op_tensor(tg_dims dims, const float *values)
{
    tg_tensor *t;

    ck_assert_tg_ok(tg_tensor_new(op_dev, dims, &t));
    if (values)
        ck_assert_tg_ok(tg_tensor_upload(t, values, tg_dims_count(dims)));
    return t;
}

void op_guard_new(op_guarded *g, tg_dims dims)
{
    /* A view begins where the device lets sub-buffers begin. */
    g->before = op_dev->info.base_align_bytes / sizeof(float);
    if (!g->before)
        g->before = 32;
    g->count = tg_dims_count(dims);
    g->parent = op_tensor((tg_dims){1, 1, 1, g->before + g->count + 64}, NULL);
    ck_assert_tg_ok(tgi_tensor_view(g->parent, g->before, dims, &g->t));
}

void op_guard_set(op_guarded *g, const float *values)
{
    size_t total = tg_tensor_count(g->parent);
    float *all = op_floats(total);

    for (size_t i = 0; i < total; i++)
        all[i] = MAGIC;
    if (values)
        memcpy(all + g->before, values, g->count * sizeof *all);
    ck_assert_tg_ok(tg_tensor_upload(g->parent, all, total));
    free(all);
}

void op_guard_get(op_guarded *g, float *out, int round)
{
    size_t total = tg_tensor_count(g->parent);
    float *all = op_floats(total);

    ck_assert_tg_ok(tg_tensor_download(g->parent, all, total));
    for (size_t i = 0; i < total; i++) {
        bool is_guard = i < g->before || i >= g->before + g->count;
        ck_assert_msg(!is_guard || all[i] == MAGIC,
                      "value %zd outside the tensor was overwritten with %g",
                      (ptrdiff_t)i - (ptrdiff_t)g->before, (double)all[i]);
    }
    if (round)
        ck_assert_msg(!memcmp(out, all + g->before, g->count * sizeof *all),
                      "run %d gave other bits", round + 1);
    memcpy(out, all + g->before, g->count * sizeof *all);
    free(all);
}

void op_guard_free(op_guarded *g)
{
    tg_tensor_free(g->t);
    tg_tensor_free(g->parent);
}

void op_gradcheck(const char *what, op_reference *forward, void *user, double *x, size_t n_x,
                  const double *dy, size_t n_y, const double *dx)
{
    const double h = 1e-4;
    double *above = op_doubles(n_y), *below = op_doubles(n_y), *slope = op_doubles(n_x);

    for (size_t i = 0; i < n_x; i++) {
        double kept = x[i];

        x[i] = kept + h;
        forward(x, above, user);
        x[i] = kept - h;
        forward(x, below, user);
        x[i] = kept;
        for (size_t j = 0; j < n_y; j++)
            slope[i] += dy[j] * (above[j] - below[j]) / (2 * h);
    }
    tg_compare_d(what, dx, slope, n_x, TOL_GRADCHECK);
    free(above);
    free(below);
    free(slope);
}

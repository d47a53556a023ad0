/* peak.c -- measures what a device can do at most: arithmetic from registers, and copying memory. */
#include "config.h"
#include "op/peak.h"
#include "op/op.h"

#include <stdio.h>

#include "base/banned.h"

/* One work-item with wide vectors for processors; groups of narrow ones for graphics cards. */
const tgi_peak_variant tgi_peak_variants[TGI_PEAK_VARIANTS] = {
    {"float16", 16, 1}, {"float8", 8, 1}, {"float4", 4, 64}, {"float", 1, 64}};

enum { CHUNK = 64 }; /* vectors that an item copies */

static tg_status get_kernel(const tgi_peak_variant *v, tg_device *dev, const char *name,
                            tgi_kernel **kernel)
{
    char options[64];

    snprintf(options, sizeof options, "-DWIDTH=%zu -DWG=%zu -DCHUNK=%d", v->width, v->group,
             (int)CHUNK);
    return tgi_kernel_get(dev, "peak", name, options, kernel);
}

static tg_status count_vectors(const tgi_peak_variant *v, const char *what, const tg_tensor *x,
                               const tg_tensor *y, size_t *n)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_op_same_dims(what, x, y));
    *n = tg_tensor_count(x) / v->width;
    if (*n * v->width != tg_tensor_count(x))
        status = tg_fail(TG_ERR_SHAPE, "%s: %zu values are no multiple of %zu", what,
                         tg_tensor_count(x), v->width);
cleanup:
    return status;
}

tg_status tgi_peak_fma(const tgi_peak_variant *variant, const tg_tensor *x, size_t n_rounds,
                       float m, float c, tg_tensor *y)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    size_t n;

    TG_TRY(count_vectors(variant, "peak_fma: y", x, y, &n));
    TG_TRY(get_kernel(variant, x->dev, "peak_fma", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1(n),
                          TGI_ARGS(tgi_buffer(x), tgi_int(n), tgi_int(n_rounds), tgi_float(m),
                                   tgi_float(c), tgi_buffer(y))));
cleanup:
    return status;
}

tg_status tgi_peak_copy(const tgi_peak_variant *variant, const tg_tensor *x, tg_tensor *y)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    size_t n, per_group = variant->group * CHUNK;

    TG_TRY(count_vectors(variant, "peak_copy: y", x, y, &n));
    TG_TRY(get_kernel(variant, x->dev, "peak_copy", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1((n + per_group - 1) / per_group * variant->group),
                          TGI_ARGS(tgi_buffer(x), tgi_int(n), tgi_buffer(y))));
cleanup:
    return status;
}

/* ---- measuring ---- */

typedef struct work {
    const tgi_peak_variant *variant;
    tg_tensor *x, *y;
    size_t n_rounds;
} work;

static tg_status run_fma(void *user)
{
    const work *w = user;

    return tgi_peak_fma(w->variant, w->x, w->n_rounds, 0.5f, 1, w->y);
}

static tg_status run_copy(void *user)
{
    const work *w = user;

    return tgi_peak_copy(w->variant, w->x, w->y);
}

static tg_status work_init(tg_device *dev, const tgi_peak_variant *variant, size_t n_values,
                           work *w)
{
    tg_status status = TG_OK;

    *w = (work){.variant = variant, .n_rounds = 1000};
    TG_TRY(tg_tensor_new_zero(dev, (tg_dims){1, 1, 1, n_values}, &w->x));
    TG_TRY(tg_tensor_new_zero(dev, (tg_dims){1, 1, 1, n_values}, &w->y));
cleanup:
    return status;
}

static void work_release(work *w)
{
    tg_tensor_free(w->y);
    tg_tensor_free(w->x);
}

static tg_status measure_fma(tg_device *dev, const tgi_peak_variant *variant, tgi_peak *best)
{
    tg_status status = TG_OK;
    const tgi_timing_opts opts = {.n_runs = 20, .seconds = 0.2};
    /* enough groups to keep every unit busy, and more of the narrow ones, since a unit of a graphics card runs many at once */
    size_t groups = dev->info.compute_units * (variant->group > 1 ? 64 : 4);
    size_t n_values = groups * variant->group * variant->width;
    tgi_timing time;
    work w;

    TG_TRY(work_init(dev, variant, n_values, &w));
    do { /* until a run takes long enough to be told from its launch */
        w.n_rounds *= 2;
        TG_TRY(tgi_time(dev, NULL, run_fma, &w, &(tgi_timing_opts){.n_runs = 1}, &time));
    } while (time.min_s < 5e-3 && w.n_rounds < (size_t)1 << 24);
    TG_TRY(tgi_time(dev, NULL, run_fma, &w, &opts, &time));
    const double flop = 2.0 * TGI_PEAK_CHAINS * (double)w.n_rounds * (double)n_values;
    if (flop / time.min_s > best->flop_s) {
        best->flop_s = flop / time.min_s;
        best->fma_variant = variant->name;
    }
cleanup:
    work_release(&w);
    return status;
}

/* More than most caches hold (a server's may hold it: the copy then is as fast as tensors of a large step are), and a small
 * part of the device's memory. */
static size_t copied_values(const tg_device *dev)
{
    size_t bytes = (size_t)128 << 20;

    while (bytes > 4096 &&
           (bytes > dev->info.max_alloc_bytes || bytes > dev->info.global_bytes / 8))
        bytes /= 2;
    return bytes / sizeof(float);
}

static tg_status measure_copy(tg_device *dev, const tgi_peak_variant *variant, tgi_peak *best)
{
    tg_status status = TG_OK;
    const tgi_timing_opts opts = {.n_runs = 10, .seconds = 0.2};
    size_t n_values = copied_values(dev);
    tgi_timing time;
    work w;

    TG_TRY(work_init(dev, variant, n_values, &w));
    TG_TRY(tgi_time(dev, NULL, run_copy, &w, &opts, &time));
    const double bytes = 2.0 * sizeof(float) * (double)n_values;
    if (bytes / time.min_s > best->copy_bytes_s) {
        best->copy_bytes_s = bytes / time.min_s;
        best->copy_variant = variant->name;
    }
cleanup:
    work_release(&w);
    return status;
}

tg_status tgi_peak_measure(tg_device *dev, tgi_peak *out)
{
    tg_status status = TG_OK;

    *out = (tgi_peak){0};
    for (size_t i = 0; i < TGI_PEAK_VARIANTS; i++) {
        if (tgi_peak_variants[i].group > dev->info.max_work_group)
            continue;
        TG_TRY(measure_fma(dev, &tgi_peak_variants[i], out));
        TG_TRY(measure_copy(dev, &tgi_peak_variants[i], out));
    }
cleanup:
    return status;
}

/* bench_conv2d.c -- times one convolution: bench_conv2d ALGORITHM N C H W K R STRIDE PAD [reflect|transposed] prints, for each
 * pass, the shortest and the median time and GFLOP/s of the arithmetic that the definition needs. Not built by `make check`:
 * make tests/bench/bench_conv2d. TAGGAN_DEVICE chooses the device, TAGGAN_BENCH_RUNS how many runs (15). */
#include "config.h"
#include "op/conv2d.h"
#include "op/op.h"
#include "tg_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_RUNS = 1000 };

typedef struct layer {
    tg_conv2d_geom geom;
    bool is_transposed;
    tg_dims x_dims, w_dims, y_dims;
    tg_tensor *x, *w, *y, *dx, *dw, *dy;
} layer;

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static tg_status forward(layer *l)
{
    tgi_tensor_touch(l->w); /* a step packs weights anew */
    return l->is_transposed ? tg_conv2d_transposed_forward(l->x, l->w, NULL, &l->geom, l->y)
                            : tg_conv2d_forward(l->x, l->w, NULL, &l->geom, l->y);
}

static tg_status backward_data(layer *l)
{
    tgi_tensor_touch(l->w);
    return l->is_transposed ? tg_conv2d_transposed_backward_data(l->dy, l->w, &l->geom, l->dx)
                            : tg_conv2d_backward_data(l->dy, l->w, &l->geom, l->dx);
}

static tg_status backward_weights(layer *l)
{
    return l->is_transposed
               ? tg_conv2d_transposed_backward_weights(l->x, l->dy, &l->geom, l->dw, NULL)
               : tg_conv2d_backward_weights(l->x, l->dy, &l->geom, l->dw, NULL);
}

static tg_status filled(tg_device *dev, tg_dims dims, uint64_t seed, tg_tensor **out)
{
    tg_status status = TG_OK;
    size_t n = tg_dims_count(dims);
    float *values = malloc(n * sizeof *values);

    tg_fill_normal(values, n, seed);
    TG_TRY(tg_tensor_new(dev, dims, out));
    TG_TRY(tg_tensor_upload(*out, values, n));
cleanup:
    free(values);
    return status;
}

static tg_status time_pass(tg_device *dev, layer *l, const char *name, tg_status (*pass)(layer *),
                           double gflop)
{
    tg_status status = TG_OK;
    double ms[MAX_RUNS];
    const char *wish = getenv("TAGGAN_BENCH_RUNS");
    size_t runs = wish ? (size_t)strtoul(wish, NULL, 10) : 15;

    if (!runs || runs > MAX_RUNS)
        runs = 15;
    for (size_t i = 0; i < runs + 2; i++) {
        double begin = now_ms();

        TG_TRY(pass(l));
        TG_TRY(tg_device_finish(dev));
        if (i >= 2)
            ms[i - 2] = now_ms() - begin;
    }
    qsort(ms, runs, sizeof *ms, by_value);
    printf("%-8s min %9.3f ms  median %9.3f ms  %7.1f GFLOP/s\n", name, ms[0], ms[runs / 2],
           gflop / ms[0] * 1e3);
cleanup:
    return status;
}

static tg_status make_layer(tg_device *dev, layer *l)
{
    tg_status status = TG_OK;

    TG_TRY(filled(dev, l->x_dims, 1, &l->x));
    TG_TRY(filled(dev, l->w_dims, 2, &l->w));
    TG_TRY(filled(dev, l->y_dims, 3, &l->dy));
    TG_TRY(tg_tensor_new_zero(dev, l->y_dims, &l->y));
    TG_TRY(tg_tensor_new_zero(dev, l->x_dims, &l->dx));
    TG_TRY(tg_tensor_new_zero(dev, l->w_dims, &l->dw));
cleanup:
    return status;
}

static tg_status run(layer *l, tg_conv_algorithm wish)
{
    tg_status status = TG_OK;
    tg_device *dev = NULL;
    double gflop;

    TG_TRY(tg_device_open(NULL, &dev));
    l->geom.algorithm = wish;
    TG_TRY(l->is_transposed
               ? tg_conv2d_transposed_output(l->x_dims, l->w_dims, &l->geom, &l->y_dims)
               : tg_conv2d_output(l->x_dims, l->w_dims, &l->geom, &l->y_dims));
    gflop = 2e-9 * (double)tg_dims_count(l->w_dims) * (double)l->x_dims.n *
            (l->is_transposed ? (double)(l->x_dims.h * l->x_dims.w)
                              : (double)(l->y_dims.h * l->y_dims.w));
    TG_TRY(make_layer(dev, l));
    TG_TRY(time_pass(dev, l, "forward", forward, gflop));
    TG_TRY(time_pass(dev, l, "data", backward_data, gflop));
    TG_TRY(time_pass(dev, l, "weights", backward_weights, gflop));
cleanup:
    tg_tensor_free(l->x);
    tg_tensor_free(l->w);
    tg_tensor_free(l->y);
    tg_tensor_free(l->dx);
    tg_tensor_free(l->dw);
    tg_tensor_free(l->dy);
    tg_device_free(dev);
    return status;
}

static size_t number(const char *text)
{
    return (size_t)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
    layer l = {0};
    tg_conv_algorithm wish = TG_CONV_AUTO;

    if (argc < 10) {
        fprintf(stderr,
                "usage: bench_conv2d ALGORITHM N C H W K R STRIDE PAD [reflect|transposed]\n");
        return 2;
    }
    for (size_t i = 0; tgi_conv_algorithms[i]; i++) {
        if (!strcmp(argv[1], tgi_conv_algorithms[i]->name))
            wish = tgi_conv_algorithms[i]->id;
    }
    l.is_transposed = argc > 10 && !strcmp(argv[10], "transposed");
    l.x_dims = (tg_dims){number(argv[2]), number(argv[3]), number(argv[4]), number(argv[5])};
    l.w_dims = l.is_transposed
                   ? (tg_dims){l.x_dims.c, number(argv[6]), number(argv[7]), number(argv[7])}
                   : (tg_dims){number(argv[6]), l.x_dims.c, number(argv[7]), number(argv[7])};
    l.geom = (tg_conv2d_geom){
        .stride = number(argv[8]),
        .pad = number(argv[9]),
        .output_pad = l.is_transposed && number(argv[7]) % 2 ? number(argv[8]) - 1 : 0,
        .padding = argc > 10 && !strcmp(argv[10], "reflect") ? TG_PAD_REFLECT : TG_PAD_ZERO};
    if (run(&l, wish) != TG_OK) {
        fprintf(stderr, "bench_conv2d: %s\n", tg_error_message());
        return 1;
    }
    return 0;
}

/* bench_step.c -- our side of against-pytorch: a child process that runs one piece of work when it is told to. Lines on stdin,
 * one line on stdout for each:
 *
 *     step KEY=VALUE...            a training step of these settings on random images; preset=NAME and classes=N, too -> ready
 *     map KEY=VALUE...             the generator's forward pass and x - M of such a model -> ready
 *     conv PASS N C H W K R STRIDE PAD [zero|transposed]      PASS: forward, data, weights -> ready
 *     norm PASS N C H W            instance norm, ReLU, reflected margin of 1; PASS: forward, backward -> ready
 *     run N CALLS                  N times CALLS calls -> N pairs WALL/CPU, milliseconds a call
 *     memory                       -> kibibytes of the largest and the first resident set, of tensors at most
 *     tensor_cores off|tf32|half   for conv and norm from now on (a model has settings) -> ready
 *     free                         -> ready
 *
 * With TAGGAN_BENCH_PROFILE=1 the time of every kernel follows on stderr at the end; a profiled queue is slower.
 * "error SENTENCE" when it fails. torch_peer.py takes the same lines. make tests/bench/bench_step. */
#include "config.h"
#include "base/memory.h"
#include "base/rng.h"
#include "cli/devices_bench.h"
#include "op/conv2d.h"
#include "op/op.h"
#include "op/tensor_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_WORDS = 64, MAX_LINE = 4096 };

/* The work at hand; members are NULL that its kind does not need. */
typedef struct work {
    tg_status (*run)(struct work *w);
    tg_status (*prepare)(struct work *w); /* not timed */
    /* a model */
    tgi_model *model;
    tgi_pace pace;
    tg_batch diseased, healthy;
    float *pixels, *labels;
    tg_tensor *map;
    /* a layer */
    tg_conv2d_geom geom;
    bool is_transposed;
    tg_tensor *x, *w, *y, *dx, *dw, *dy;
    /* a norm pass, as a network runs it, and the margin as a convolution makes it */
    tgi_net *net;
    tgi_tape *tape;
    size_t first, end;
    tgi_var *in, *out;
    tg_tensor *wide;
} work;

static tg_device *dev;

static void work_free(work *w)
{
    tgi_tape_free(w->tape);
    tgi_net_free(w->net);
    tgi_model_free(w->model);
    tg_tensor_free(w->map);
    tg_tensor_free(w->x);
    tg_tensor_free(w->w);
    tg_tensor_free(w->y);
    tg_tensor_free(w->dx);
    tg_tensor_free(w->dw);
    tg_tensor_free(w->dy);
    tg_tensor_free(w->wide);
    free(w->pixels);
    free(w->labels);
    *w = (work){0};
}

static void fill_normal(float *values, size_t n, uint64_t index)
{
    tgi_rng rng = tgi_rng_new(1, TGI_STREAM_TEST, index);

    for (size_t i = 0; i < n; i++)
        values[i] = (float)tgi_rng_normal(&rng);
}

static tg_status filled(tg_dims dims, uint64_t seed, tg_tensor **out)
{
    tg_status status = TG_OK;
    size_t n = tg_dims_count(dims);
    float *values = NULL;

    TG_TRY(tgi_alloc(n, sizeof *values, &values));
    fill_normal(values, n, seed);
    TG_TRY(tg_tensor_new(dev, dims, out));
    TG_TRY(tg_tensor_upload(*out, values, n));
cleanup:
    free(values);
    return status;
}

/* ---- models ---- */

static tg_status run_step(work *w)
{
    tg_status status = TG_OK;

    for (size_t k = 0; k < w->model->settings.critic_steps; k++)
        TG_TRY(tgi_model_feed(w->model, k, &w->diseased, &w->healthy));
    TG_TRY(tgi_model_step(w->model, &w->pace));
cleanup:
    return status;
}

static tg_status run_map(work *w)
{
    return tgi_model_map(w->model, TGI_WEIGHTS_RAW, w->model->feeds[0].x, w->model->feeds[0].c,
                         w->map);
}

static tg_status parse_settings(char *const *words, size_t n, tgi_settings *s, size_t *n_classes)
{
    tg_status status = TG_OK;

    *s = tgi_settings_preset(TGI_PRESET_PAPER);
    *n_classes = 1;
    for (size_t i = 1; i < n; i++) {
        if (!strcmp(words[i], "preset=quick"))
            *s = tgi_settings_preset(TGI_PRESET_QUICK);
        else if (!strncmp(words[i], "classes=", 8))
            *n_classes = (size_t)strtoul(words[i] + 8, NULL, 10);
        else if (strncmp(words[i], "preset=", 7) != 0)
            TG_TRY(tgi_settings_set_pair(s, words[i]));
    }
cleanup:
    return status;
}

static tg_status make_model(char *const *words, size_t n_words, work *w)
{
    tg_status status = TG_OK;
    tgi_settings s;
    size_t classes, n, values;

    TG_TRY(parse_settings(words, n_words, &s, &classes));
    n = s.batch;
    values = n * s.size * s.size;
    TG_TRY(tgi_model_new(dev, &s, classes, &w->model));
    w->pace = (tgi_pace){.lr = s.lr, .lam_id = s.lam_id};
    TG_TRY(tgi_alloc(2 * values, sizeof *w->pixels, &w->pixels));
    TG_TRY(tgi_alloc(2 * n * classes, sizeof *w->labels, &w->labels));
    fill_normal(w->pixels, 2 * values, 1);
    for (size_t i = 0; i < n; i++)
        w->labels[i * classes + i % classes] = 1;
    w->diseased = (tg_batch){
        .n = n, .n_classes = classes, .size_px = s.size, .x = w->pixels, .labels = w->labels};
    w->healthy = w->diseased;
    w->healthy.x = w->pixels + values;
    w->healthy.labels = w->labels + n * classes;
    TG_TRY(tg_tensor_new(dev, (tg_dims){n, 1, s.size, s.size}, &w->map));
    TG_TRY(tgi_model_feed(w->model, 0, &w->diseased, &w->healthy));
    w->run = !strcmp(words[0], "step") ? run_step : run_map;
cleanup:
    return status;
}

/* ---- layers ---- */

static tg_status conv_forward(work *w)
{
    tgi_tensor_touch(w->w); /* a step packs weights anew */
    return w->is_transposed ? tg_conv2d_transposed_forward(w->x, w->w, NULL, &w->geom, w->y)
                            : tg_conv2d_forward(w->x, w->w, NULL, &w->geom, w->y);
}

static tg_status conv_data(work *w)
{
    tgi_tensor_touch(w->w);
    return w->is_transposed ? tg_conv2d_transposed_backward_data(w->dy, w->w, &w->geom, w->dx)
                            : tg_conv2d_backward_data(w->dy, w->w, &w->geom, w->dx);
}

static tg_status conv_weights(work *w)
{
    return w->is_transposed
               ? tg_conv2d_transposed_backward_weights(w->x, w->dy, &w->geom, w->dw, NULL)
               : tg_conv2d_backward_weights(w->x, w->dy, &w->geom, w->dw, NULL);
}

static tg_status make_conv(char *const *words, size_t n_words, work *w)
{
    tg_status status = TG_OK;
    size_t v[8];
    tg_dims x, weights, y;

    if (n_words < 10)
        return tg_fail(TG_ERR_ARGUMENT, "conv PASS N C H W K R STRIDE PAD [zero|transposed]");
    for (size_t i = 0; i < 8; i++)
        v[i] = (size_t)strtoul(words[i + 2], NULL, 10);
    w->is_transposed = n_words > 10 && !strcmp(words[10], "transposed");
    w->geom = (tg_conv2d_geom){
        .stride = v[6], .pad = v[7], .output_pad = w->is_transposed && v[5] % 2 ? v[6] - 1 : 0};
    x = (tg_dims){v[0], v[1], v[2], v[3]};
    weights =
        w->is_transposed ? (tg_dims){v[1], v[4], v[5], v[5]} : (tg_dims){v[4], v[1], v[5], v[5]};
    TG_TRY(w->is_transposed ? tg_conv2d_transposed_output(x, weights, &w->geom, &y)
                            : tg_conv2d_output(x, weights, &w->geom, &y));
    TG_TRY(filled(x, 1, &w->x));
    TG_TRY(filled(weights, 2, &w->w));
    TG_TRY(filled(y, 3, &w->dy));
    TG_TRY(tg_tensor_new_zero(dev, y, &w->y));
    TG_TRY(tg_tensor_new_zero(dev, x, &w->dx));
    TG_TRY(tg_tensor_new_zero(dev, weights, &w->dw));
    w->run = !strcmp(words[1], "forward") ? conv_forward
             : !strcmp(words[1], "data")  ? conv_data
                                          : conv_weights;
cleanup:
    return status;
}

/* ---- norm, activation, margin ---- */

static const tgi_halo margin = {1, 1, 1, 1, true};

static tg_status norm_forward(work *w)
{
    tg_status status = TG_OK;
    tgi_run run = {.is_trainable = true};
    tg_dims d = w->x->dims;

    tgi_tape_reset(w->tape);
    TG_TRY(tgi_tape_leaf(w->tape, w->x, true, &w->in));
    TG_TRY(tgi_net_run_part(w->net, w->tape, w->in, w->first, w->end, &run, &w->out));
    TG_TRY(tgi_halo_add(w->out->value, d.n * d.c, d.h, d.w, &margin, w->wide));
cleanup:
    return status;
}

static tg_status norm_backward(work *w)
{
    tg_status status = TG_OK;
    tg_tensor *gradient;
    tg_dims d = w->x->dims;

    TG_TRY(tgi_tape_grad(w->tape, w->out, &gradient));
    TG_TRY(tgi_halo_fold(w->dy, d.n * d.c, d.h, d.w, &margin, true, gradient));
    TG_TRY(tgi_tape_backward(w->tape));
cleanup:
    return status;
}

/* The layers between the two convolutions of a residual block of these sizes. */
static tg_status make_norm(char *const *words, size_t n_words, work *w)
{
    tg_status status = TG_OK;
    tgi_bench_list list = {0};
    size_t v[4], found;

    if (n_words < 6)
        return tg_fail(TG_ERR_ARGUMENT, "norm PASS N C H W");
    for (size_t i = 0; i < 4; i++)
        v[i] = (size_t)strtoul(words[i + 2], NULL, 10);
    const tg_dims x = {v[0], v[1], v[2], v[3]}, wide = {v[0], v[1], v[2] + 2, v[3] + 2};
    const tgi_net_config config = {
        .kind = TGI_NET_RESNET, .size_px = 4 * v[2], .width = v[1] / 4, .n_blocks = 1};
    TG_TRY(tgi_net_new(dev, &config, &w->net));
    TG_TRY(tgi_bench_list_net(w->net, "G", (tg_dims){v[0], 1, 4 * v[2], 4 * v[3]},
                              "instance norm + ReLU", &list));
    for (found = 0; found < list.n_entries && !tg_dims_equal(list.entries[found].x, x);)
        found++;
    if (found == list.n_entries) {
        status =
            tg_fail(TG_ERR_ARGUMENT, "no norm of %zu x %zu x %zu in a resnet", v[1], v[2], v[3]);
        goto cleanup;
    }
    w->first = list.entries[found].first;
    w->end = list.entries[found].end;
    TG_TRY(tgi_tape_new(dev, &w->tape));
    TG_TRY(filled(x, 1, &w->x));
    TG_TRY(filled(wide, 2, &w->dy));
    TG_TRY(tg_tensor_new(dev, wide, &w->wide));
    w->run = norm_forward;
    if (!strcmp(words[1], "backward")) {
        w->prepare = norm_forward;
        w->run = norm_backward;
    }
cleanup:
    tgi_bench_list_release(&list);
    return status;
}

/* ---- the lines ---- */

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static tg_status run_work(work *w, size_t n, size_t n_calls)
{
    tg_status status = TG_OK;

    if (!w->run)
        return tg_fail(TG_ERR_ARGUMENT, "nothing to run");
    for (size_t i = 0; i < n; i++) {
        double wall = 0, cpu = 0, wall_begin, cpu_begin;

        for (size_t k = 0; k < n_calls;) {
            size_t most = w->prepare ? k + 1 : n_calls;

            if (w->prepare)
                TG_TRY(w->prepare(w));
            TG_TRY(tg_device_finish(dev));
            wall_begin = tgi_now_s();
            cpu_begin = cpu_s();
            for (; k < most; k++)
                TG_TRY(w->run(w));
            TG_TRY(tg_device_finish(dev));
            wall += tgi_now_s() - wall_begin;
            cpu += cpu_s() - cpu_begin;
        }
        printf("%s%.6f/%.6f", i ? " " : "", wall * 1e3 / (double)n_calls,
               cpu * 1e3 / (double)n_calls);
    }
    putchar('\n');
cleanup:
    return status;
}

/* A line of /proc/self/status in kibibytes; 0 where there is none. */
static size_t kib_of(const char *name)
{
    char line[256];
    size_t value = 0;
    FILE *file = fopen("/proc/self/status", "r");

    while (file && fgets(line, sizeof line, file)) {
        if (!strncmp(line, name, strlen(name)))
            value = (size_t)strtoul(line + strlen(name) + 1, NULL, 10);
    }
    if (file)
        fclose(file);
    return value;
}

static tg_status use_tensor_cores(const char *which)
{
    static const char *const names[] = {"off", "tf32", "half"};

    for (size_t i = 0; i < TG_COUNT(names); i++) {
        if (!strcmp(which, names[i])) {
            tgi_tensor_core_wish(dev, (tgi_tensor_cores)i);
            puts("ready");
            return TG_OK;
        }
    }
    return tg_fail(TG_ERR_ARGUMENT, "tensor_cores: off, tf32 or half, not '%s'", which);
}

static tg_status obey(char *const *words, size_t n, size_t first_kib, work *w)
{
    tg_status status = TG_OK;
    size_t now, peak;

    if (!strcmp(words[0], "run") && n == 3)
        return run_work(w, (size_t)strtoul(words[1], NULL, 10),
                        (size_t)strtoul(words[2], NULL, 10));
    if (!strcmp(words[0], "memory")) {
        tg_device_memory(dev, &now, &peak);
        printf("%zu %zu %zu\n", kib_of("VmHWM"), first_kib, peak / 1024);
        return TG_OK;
    }
    if (!strcmp(words[0], "tensor_cores") && n == 2)
        return use_tensor_cores(words[1]);
    work_free(w);
    if (!strcmp(words[0], "step") || !strcmp(words[0], "map"))
        TG_TRY(make_model(words, n, w));
    else if (!strcmp(words[0], "conv"))
        TG_TRY(make_conv(words, n, w));
    else if (!strcmp(words[0], "norm"))
        TG_TRY(make_norm(words, n, w));
    else if (strcmp(words[0], "free") != 0)
        TG_TRY(tg_fail(TG_ERR_ARGUMENT, "unknown word '%s'", words[0]));
    puts("ready");
cleanup:
    return status;
}

static void print_profile(void)
{
    tg_kernel_time *rows = NULL;
    size_t n = 0;

    if (tg_device_profile(dev, &rows, &n) != TG_OK)
        fprintf(stderr, "bench_step: %s\n", tg_error_message());
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "%10.3f ms %6zu launches  %s %s\n", rows[i].seconds * 1e3,
                rows[i].n_launches, rows[i].program, rows[i].kernel);
    free(rows);
}

int main(void)
{
    char line[MAX_LINE], *words[MAX_WORDS], *rest;
    size_t first_kib;
    bool is_profiled = getenv("TAGGAN_BENCH_PROFILE") != NULL;
    work w = {0};

    if ((is_profiled ? tg_device_open_profiled(NULL, &dev) : tg_device_open(NULL, &dev)) != TG_OK) {
        printf("error %s\n", tg_error_message());
        return 1;
    }
    first_kib = kib_of("VmRSS");
    printf("ready %s\n", tg_device_get_info(dev)->name);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        size_t n = 0;

        for (char *at = strtok_r(line, " \n", &rest); at && n < MAX_WORDS;
             at = strtok_r(NULL, " \n", &rest))
            words[n++] = at;
        if (n && obey(words, n, first_kib, &w) != TG_OK)
            printf("error %s\n", tg_error_message());
        fflush(stdout);
    }
    if (is_profiled)
        print_profile();
    work_free(&w);
    tg_device_free(dev);
    return 0;
}

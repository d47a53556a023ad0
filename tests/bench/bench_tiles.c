/* bench_tiles.c -- times tiles of cl/conv2d_implicit.cl, one line of stdin each, to find those that src/op/conv2d_implicit.c should
 * choose on a card:
 *
 *     matrix|matrix_nt BM BN BK TM TN  M COLUMNS K BATCH SPLITS [; OPTIONS]
 *     weights|correlate BM BN BK TM TN  C SIDE K R STRIDE PAD SPLITS [; OPTIONS]
 *
 * prints the line with milliseconds, GFLOP/s and local memory, or why it failed. OPTIONS go to the compiler (-DTENSOR=1: only where
 * matrix units are, other compilers end the program). With TAGGAN_BENCH_COMPILE=1 it only compiles, so that several at a time fill the
 * cache. Not built by `make check`: make tests/bench/bench_tiles. `tiles` holds lines. */
#include "config.h"
#include "op/conv2d_implicit.h"
#include "op/op.h"
#include "tg_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N_ROUNDS = 6, CALLS = 10, MAX_LINE = 512, N_SIZES = 7, MAX_OPTIONS = MAX_LINE + 128 };

/* What a line asks for. */
typedef struct work {
    char kind[16];
    tgi_conv_tile tile;
    size_t sizes[N_SIZES];
    tgi_kernel *kernel;
    tg_tensor *a, *b, *out;
    tgi_range range;
    tgi_arg args[32];
    size_t n_args;
    double gflop;
} work;

static tg_device *dev;

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static tg_status filled(size_t n, tg_tensor **out)
{
    tg_status status = TG_OK;
    float *values = malloc(n * sizeof *values);

    tg_fill_normal(values, n, n);
    TG_TRY(tg_tensor_new(dev, (tg_dims){1, 1, 1, n}, out));
    TG_TRY(tg_tensor_upload(*out, values, n));
cleanup:
    free(values);
    return status;
}

static tg_status make_tensors(work *w, size_t n_a, size_t n_b, size_t n_out)
{
    tg_status status = TG_OK;

    TG_TRY(filled(n_a, &w->a));
    TG_TRY(filled(n_b, &w->b));
    TG_TRY(tg_tensor_new(dev, (tg_dims){1, 1, 1, n_out}, &w->out));
cleanup:
    return status;
}

static void add(work *w, tgi_arg arg)
{
    w->args[w->n_args++] = arg;
}

static void add_ints(work *w, const size_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add(w, tgi_int(values[i]));
}
#define ADD_INTS(w, ...)                                                                           \
    add_ints(w, (size_t[]){__VA_ARGS__}, sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t))

static tg_status make_matrix(work *w, bool by_lines)
{
    tg_status status = TG_OK;
    const tgi_conv_tile *t = &w->tile;
    size_t m = w->sizes[0], columns = w->sizes[1], k = w->sizes[2], batch = w->sizes[3],
           steps = tgi_blocks(k, t->bk), m_padded = tgi_blocks(m, t->bm) * t->bm,
           each = tgi_blocks(steps, w->sizes[4] ? w->sizes[4] : 1),
           splits = by_lines ? tgi_blocks(steps, each) : 1;

    TG_TRY(make_tensors(w, batch * (by_lines ? k * m : steps * t->bk * m_padded),
                        batch * k * columns, splits * batch * m * columns));
    w->gflop = 2e-9 * (double)m * (double)columns * (double)k * (double)batch;
    w->range = TGI_RANGE3(tgi_blocks(columns, t->bn) * w->kernel->local[0], tgi_blocks(m, t->bm),
                          batch * splits);
    add(w, tgi_buffer(w->a));
    if (by_lines) {
        add(w, tgi_buffer(w->b));
        ADD_INTS(w, batch, k, steps, each, m, columns);
    } else {
        ADD_INTS(w, m_padded, steps);
        add(w, tgi_buffer(w->b));
        ADD_INTS(w, k, m, columns);
    }
    add(w, tgi_buffer(w->out));
cleanup:
    return status;
}

/* One square image; zeros around it. */
static tg_status make_conv(work *w, bool is_weights)
{
    tg_status status = TG_OK;
    const tgi_conv_tile *t = &w->tile;
    size_t c = w->sizes[0], side = w->sizes[1], k = w->sizes[2], r = w->sizes[3],
           stride = w->sizes[4], pad = w->sizes[5], splits = w->sizes[6] ? w->sizes[6] : 1;
    size_t p = (side + 2 * pad - r) / stride + 1, pixels = p * p, columns = c * r * r,
           m_padded = tgi_blocks(k, t->bm) * t->bm,
           channels = c < t->bk ? c : tgi_blocks(c, t->bk) * t->bk,
           steps = tgi_blocks(is_weights ? pixels : r * r * channels, t->bk);
    const tgi_arg begin = {sizeof(cl_int), {.i = -(cl_int)pad}, 0};

    w->gflop = 2e-9 * (double)k * (double)columns * (double)pixels;
    TG_TRY(make_tensors(w, c * side * side, is_weights ? k * pixels : steps * t->bk * m_padded,
                        splits * k * (is_weights ? columns : pixels)));
    w->range = TGI_RANGE3(tgi_blocks(is_weights ? columns : pixels, t->bn) * w->kernel->local[0],
                          tgi_blocks(k, t->bm), splits);
    add(w, tgi_buffer(w->a));
    ADD_INTS(w, c, side, side);
    if (is_weights) {
        add(w, tgi_buffer(w->b));
        ADD_INTS(w, k, p, p, r, r, stride, pad, 0, pixels, steps, tgi_blocks(steps, splits));
    } else {
        ADD_INTS(w, r, r, stride);
        add(w, begin);
        add(w, tgi_int(0));
        add(w, tgi_buffer(w->b));
        ADD_INTS(w, m_padded, steps * t->bk, splits);
        add(w, tgi_buffer(w->b));
        ADD_INTS(w, 0, k, 1, p, p, p, p, 1, 0);
    }
    add(w, tgi_buffer(w->out));
cleanup:
    return status;
}

static tg_status get_kernel(work *w, const char *more)
{
    static const struct {
        const char *kind, *kernel, *options;
    } kinds[] = {
        {"matrix", "implicit_matrix", "-DMATRIX -DALIGNED=1"},
        {"matrix_nt", "implicit_matrix_nt", "-DMATRIX_NT -DALIGNED=1"},
        {"weights", "implicit_weights", "-DWEIGHTS -DALIGNED=1 -DSPLIT=1"},
        {"correlate", "implicit_correlate", "-DCORRELATE -DALIGNED=1"},
    };
    char options[MAX_OPTIONS];

    for (size_t i = 0; i < TG_COUNT(kinds); i++) {
        if (strcmp(kinds[i].kind, w->kind) != 0)
            continue;
        snprintf(options, sizeof options, "%s -DBM=%zu -DBN=%zu -DBK=%zu -DTM=%zu -DTN=%zu%s",
                 kinds[i].options, w->tile.bm, w->tile.bn, w->tile.bk, w->tile.tm, w->tile.tn,
                 more);
        return tgi_kernel_get(dev, "conv2d_implicit", kinds[i].kernel, options, &w->kernel);
    }
    return tg_fail(TG_ERR_ARGUMENT, "unknown kind '%s'", w->kind);
}

static tg_status time_it(const work *w, const char *line)
{
    tg_status status = TG_OK;
    double least = 0;
    cl_ulong local = 0;

    for (int round = 0; round < N_ROUNDS; round++) {
        TG_TRY(tg_device_finish(dev));
        double begin = now_ms();

        for (int i = 0; i < CALLS; i++)
            TG_TRY(tgi_kernel_run(w->kernel, w->range, w->args, w->n_args));
        TG_TRY(tg_device_finish(dev));
        double ms = (now_ms() - begin) / CALLS;
        if (round == 1 || (round > 1 && ms < least)) /* the first one compiles */
            least = ms;
    }
    clGetKernelWorkGroupInfo(w->kernel->id, dev->id, CL_KERNEL_LOCAL_MEM_SIZE, sizeof local, &local,
                             NULL);
    printf("%-80s %9.4f ms %9.1f GFLOP/s  local %d\n", line, least, w->gflop / least * 1e3,
           (int)local);
    fflush(stdout);
cleanup:
    return status;
}

static tg_status run(const char *line)
{
    tg_status status = TG_OK;
    work w = {0};
    tgi_conv_tile *t = &w.tile;
    const char *more = strchr(line, ';');
    size_t *s = w.sizes;

    if (sscanf(line, "%15s %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu", w.kind, &t->bm, &t->bn,
               &t->bk, &t->tm, &t->tn, s, s + 1, s + 2, s + 3, s + 4, s + 5, s + 6) < 11)
        return tg_fail(TG_ERR_ARGUMENT, "a line has a kind, a tile and its sizes");
    TG_TRY(get_kernel(&w, more ? more + 1 : ""));
    if (getenv("TAGGAN_BENCH_COMPILE"))
        goto cleanup;
    TG_TRY(strncmp(w.kind, "matrix", 6) ? make_conv(&w, !strcmp(w.kind, "weights"))
                                        : make_matrix(&w, !strcmp(w.kind, "matrix_nt")));
    TG_TRY(time_it(&w, line));
cleanup:
    tg_tensor_free(w.a);
    tg_tensor_free(w.b);
    tg_tensor_free(w.out);
    return status;
}

int main(void)
{
    char line[MAX_LINE];

    if (tg_device_open(NULL, &dev) != TG_OK) {
        fprintf(stderr, "bench_tiles: %s\n", tg_error_message());
        return 1;
    }
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (*line && *line != '#' && run(line) != TG_OK)
            printf("%-80s failed: %s\n", line, tg_error_message());
    }
    tg_device_free(dev);
    return 0;
}

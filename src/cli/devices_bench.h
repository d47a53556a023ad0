/* devices_bench.h -- taggan-devices bench: what each layer of a training step costs on one device, and the step itself.
 *
 * The layers are read from the networks themselves. Those of one network that are alike (same sizes, same kind) are one entry
 * with a number; so are the passes between convolutions (norm, label, activation, sum), which are run as the network runs them. */
#ifndef TGI_CLI_DEVICES_BENCH_H
#define TGI_CLI_DEVICES_BENCH_H

#include <jansson.h>
#include <stdio.h>

#include "device/timing.h"
#include "model/model.h"
#include "net/layer.h"
#include "op/peak.h"

/* A convolution, or layers [first, end) that stand between two. */
typedef struct tgi_bench_entry {
    tgi_net *net;
    const char *prefix;       /* of the network: "G", "DD" */
    char name[64], what[160]; /* "model.4"; "conv 3x3 stride 2", "instance norm + ReLU" */
    bool is_conv, is_transposed;
    size_t first, end, n_same;
    tg_dims x, w, y;
} tgi_bench_entry;

/* One pass of an entry, measured. */
typedef struct tgi_bench_row {
    const tgi_bench_entry *entry;
    const char *pass;      /* "forward", "data", "weights"; "backward" of what is no convolution */
    const char *algorithm; /* NULL for what is no convolution */
    double flop, bytes;    /* of the definition's arithmetic; read and written at least */
    tgi_timing time;
} tgi_bench_row;

typedef struct tgi_bench_list {
    tgi_bench_entry *entries;
    size_t n_entries, entries_capacity;
    tgi_bench_row *rows;
    size_t n_rows, rows_capacity;
} tgi_bench_list;
void tgi_bench_list_release(tgi_bench_list *list);

/* Adds the entries of a network for images of sizes x, those with `only` in prefix, name or kind (NULL: all). */
tg_status tgi_bench_list_net(tgi_net *net, const char *prefix, tg_dims x, const char *only,
                             tgi_bench_list *list) TG_MUST_CHECK;
/* Measures all passes of an entry: three of a convolution, two of others. */
tg_status tgi_bench_measure(const tgi_bench_entry *entry, const tgi_timing_opts *opts,
                            tgi_bench_list *list) TG_MUST_CHECK;

/* One choice of settings, and what came out. */
typedef struct tgi_bench {
    const char *name;
    const char *generator, *judge; /* kinds of the networks */
    tgi_settings settings;
    size_t n_classes;
    tgi_bench_list list;
    bool has_step, has_inference;
    tgi_timing step, inference;
    size_t peak_bytes; /* in tensors, while steps ran; 0 without a step */
} tgi_bench;

/* What to measure, as on the command line. */
typedef struct tgi_bench_opts {
    const char *preset;        /* NULL: quick and paper, or quick alone when a setting is given */
    size_t size, width, batch; /* 0: the preset's */
    size_t blocks;             /* SIZE_MAX: the preset's */
    const char *net, *netd;    /* NULL: the preset's */
    char *const *sets;         /* KEY=VALUE */
    size_t n_sets;
    const char *only;       /* what has this in its name; NULL: all */
    tgi_timing_opts timing; /* of each measurement */
    bool is_quiet;          /* no progress */
} tgi_bench_opts;

enum { TGI_MAX_BENCHES = 2 };
/* Makes the n benches to run, from {0}; TG_ERR_ARGUMENT for settings that are none or contradict each other. */
tg_status tgi_bench_settings(const tgi_bench_opts *opts, tgi_bench benches[TGI_MAX_BENCHES],
                             size_t *n) TG_MUST_CHECK;
/* Runs them. Tables go to `table` as they come (NULL: nowhere), progress to stderr. The caller releases each list. */
tg_status tgi_bench_run(tg_device *dev, const tgi_bench_opts *opts, FILE *table, tgi_bench *benches,
                        size_t n, tgi_peak *peak) TG_MUST_CHECK;

/* Tables for people. */
void tgi_bench_print_device(const tg_device_info *info, const tgi_peak *peak, FILE *out);
void tgi_bench_print(const tgi_bench *bench, const tgi_peak *peak, FILE *out);
/* The same as JSON; NULL when memory runs out. */
json_t *tgi_bench_json(const tg_device_info *info, const tgi_peak *peak, const tgi_bench *benches,
                       size_t n);

#endif

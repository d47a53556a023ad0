/* tune.h -- which algorithm computes a layer's pass, found by measuring on the device at hand.
 *
 * A program that tunes calls tgi_tune_set_mode() when its device is open and tgi_tune_pending() between steps. Layers that
 * tgi_conv_choose() meets without knowing them are remembered; tgi_tune_pending() then measures them in a child process
 * (tune_run.c, tune_worker.c), so that a driver that crashes or hangs ends the child, not the training. What was found is kept on
 * disk for the device (tune_file.c) and checked against plain C when another process first uses it (tune_check.c).
 * Order of choice: the user's wish, what was measured, the shipped table data/tuning.json (tune_table.c), the rule. */
#ifndef TGI_OP_TUNE_H
#define TGI_OP_TUNE_H

#include "op/conv2d.h"

typedef enum tgi_tune_mode {
    TGI_TUNE_AUTO, /* measure on graphics cards; on processors use what `taggan-devices tune` found, else the rule */
    TGI_TUNE_ON, /* measure on every device */
    TGI_TUNE_OFF /* the rule alone */
} tgi_tune_mode;

typedef struct tgi_tune_layer {
    tgi_conv conv;
    tgi_conv_pass pass;
} tgi_tune_layer;

enum { TGI_TUNE_MAX_CANDIDATES = 12, TGI_TUNE_REASON = 120 };

/* What one algorithm came to on a layer: its time, or why it has none. */
typedef struct tgi_tune_result {
    const tgi_conv_algorithm *algorithm;
    double ms; /* negative: none */
    char problem[TGI_TUNE_REASON];
} tgi_tune_result;

typedef struct tgi_tune_entry {
    tgi_tune_layer layer;
    const tgi_conv_algorithm *winner;
    tgi_tune_result results[TGI_TUNE_MAX_CANDIDATES];
    size_t n_results;
    bool is_verified; /* measured, or checked against plain C, by this process */
} tgi_tune_entry;

typedef struct tgi_tune_table {
    tgi_tune_entry *entries;
    size_t n, capacity;
} tgi_tune_table;

/* What is known and what is not, for one device; hangs at the device. */
struct tgi_tune {
    tgi_tune_mode mode;
    tgi_tune_table known;
    tgi_tune_layer *wanted;                   /* met without being known; not twice in a process */
    size_t n_wanted, n_seen, wanted_capacity; /* [0, n_seen) were measured or given up */
    bool is_dry;                              /* layers are only remembered, nothing is computed */
    bool is_busy; /* a check of a choice is running: it must not ask for choices */
    bool is_loaded;
    double seconds_left; /* of measuring in this process */
    char
        *key; /* the device, its driver, the libraries, the kernels: whatever changes the outcome */
    void *shipped; /* the rules of data/tuning.json for this device, json_t; NULL: none */
};

/* ---- tune.c ---- */

/* Makes the device's state, and reads what is known of it unless the mode is OFF. */
tg_status tgi_tune_set_mode(tg_device *dev, tgi_tune_mode mode) TG_MUST_CHECK;
/* From here on convolutions on this device are remembered, not computed; ends with is_dry false. */
tg_status tgi_tune_begin_dry(tg_device *dev) TG_MUST_CHECK;
void tgi_tune_end_dry(tg_device *dev);
/* What was measured or shipped for this pass; NULL: nothing, or not to be used. Also remembers the layer as wanted. */
const tgi_conv_algorithm *tgi_tune_choice(tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass);
/* Measures the layers that were met and are not known, where the mode asks for it, within the process's seconds. Waits. Never
 * an error: what fails is logged, and the rule holds. */
void tgi_tune_pending(tg_device *dev);

bool tgi_tune_same_layer(const tgi_tune_layer *a, const tgi_tune_layer *b);
tgi_tune_entry *tgi_tune_find(const tgi_tune_table *table, const tgi_tune_layer *layer);
/* Adds the entry, or replaces that of its layer. */
tg_status tgi_tune_put(tgi_tune_table *table, const tgi_tune_entry *entry) TG_MUST_CHECK;
const tgi_conv_algorithm *tgi_conv_named(const char *name);
extern const char *const tgi_conv_pass_names[3]; /* "gather", "scatter", "weights" */
/* The twelve numbers of a layer as text, and back. */
enum { TGI_TUNE_LAYER_TEXT = 200 };
void tgi_tune_layer_print(const tgi_tune_layer *layer, char out[TGI_TUNE_LAYER_TEXT]);
bool tgi_tune_layer_parse(const char *text, tgi_tune_layer *layer);

/* ---- tune_file.c ---- */

/* Everything that makes a measured choice void when it changes; free(). */
tg_status tgi_tune_key(const tg_device *dev, char **out) TG_MUST_CHECK;
/* Adds to the table what the file of this key holds; a file that is damaged or of another key is logged and left out. */
tg_status tgi_tune_read(const char *key, tgi_tune_table *table) TG_MUST_CHECK;
/* Merges the entries into the file under a lock. What is in the file already stays, unless `replace`. */
tg_status tgi_tune_write(const char *key, const tgi_tune_table *table, bool replace) TG_MUST_CHECK;

/* ---- tune_table.c ---- */

/* The rules that tuning.json has for this device as json_t, or NULL. */
void *tgi_tune_shipped_open(const tg_device *dev);
void tgi_tune_shipped_free(void *shipped);
const tgi_conv_algorithm *tgi_tune_shipped_choice(const void *shipped, const tg_device *dev,
                                                  const tgi_tune_layer *layer);

/* ---- tune_check.c ---- */

/* The tensors of a layer on a device, with random values. */
typedef struct tgi_tune_bench {
    tgi_tune_layer layer;
    tg_tensor *x, *y, *w, *out; /* out: what the pass writes, as x, y or w */
    float *host_x, *host_y, *host_w, *host_out;
} tgi_tune_bench;
tg_status tgi_tune_bench_init(tg_device *dev, const tgi_tune_layer *layer,
                              tgi_tune_bench *bench) TG_MUST_CHECK;
void tgi_tune_bench_release(tgi_tune_bench *bench);
/* Enqueues the pass. */
tg_status tgi_tune_bench_run(tgi_tune_bench *bench,
                             const tgi_conv_algorithm *algorithm) TG_MUST_CHECK;
/* Runs the pass once and compares n_samples of its results, corners first, with plain C. TG_ERR_NUMERIC when they differ. */
tg_status tgi_tune_bench_check(tgi_tune_bench *bench, const tgi_conv_algorithm *algorithm,
                               size_t n_samples) TG_MUST_CHECK;

/* ---- tune_run.c, tune_worker.c ---- */

typedef struct tgi_tune_opts {
    double seconds;   /* for all layers together; on return what is left of it */
    bool is_thorough; /* every algorithm that applies, not only those with a chance */
} tgi_tune_opts;

/* Measures the layers in a child process; the entries go into *out (largest layers first; those that time allowed). */
tg_status tgi_tune_run(tg_device *dev, const tgi_tune_layer *layers, size_t n, tgi_tune_opts *opts,
                       tgi_tune_table *out) TG_MUST_CHECK;
/* The child: reads layers on stdin, writes results to stdout. */
tg_status tgi_tune_work(void) TG_MUST_CHECK;
/* The child's command line is PROGRAM TGI_TUNE_WORKER. */
#define TGI_TUNE_WORKER "--tune-worker"

#endif

/* layer.h -- the inside of a network: what a layer is, and the words in which the files of this
 * folder write one down.
 *
 * A layer takes the current tensor and leaves another. A slot keeps a tensor for later: skips,
 * residual sums, outputs. The words below add one layer each and register its parameters in
 * PyTorch's order; a failure stays in the builder and the words after it do nothing, so that a
 * network reads like its table on paper. */
#ifndef TGI_NET_LAYER_H
#define TGI_NET_LAYER_H

#include "net/net.h"

typedef enum tgi_layer_kind {
    TGI_LAYER_PLANES, /* label planes beside the tensor */
    TGI_LAYER_CONV,
    TGI_LAYER_CONV_UP, /* transposed */
    TGI_LAYER_LINEAR,
    TGI_LAYER_LABEL, /* scale (or none) and shift a class */
    TGI_LAYER_INSTANCE_NORM,
    TGI_LAYER_BATCH_NORM,
    TGI_LAYER_ACTIVATION,
    TGI_LAYER_MAX_POOL,
    TGI_LAYER_PLANE_POOL,
    TGI_LAYER_UPSAMPLE,
    TGI_LAYER_SHUFFLE,
    TGI_LAYER_SAVE,
    TGI_LAYER_LOAD,
    TGI_LAYER_ADD,          /* slot + current */
    TGI_LAYER_CONCAT_BELOW, /* slot's channels, then current's */
    TGI_LAYER_CONCAT_ABOVE  /* current's channels, then slot's */
} tgi_layer_kind;

enum { TGI_NONE = -1 }; /* no parameter */

/* Slots 0.. are the families' own; the last ones are what a run hands out. */
enum { TGI_SLOT_FEATURES = 14, TGI_SLOT_SCORE, TGI_SLOT_CLS, TGI_N_SLOTS };

typedef struct tgi_layer {
    tgi_layer_kind kind;
    int scale, shift; /* numbers of parameters (weight and bias, gamma and beta); TGI_NONE where
                         there is none */
    int mean, var;    /* numbers of buffers */
    union {
        tg_conv2d_geom geom;
        struct {
            tg_activation f;
            float slope;
        } activation;
        tg_plane_pool pool;
        size_t s; /* window, factor */
        int slot;
    } opts;
} tgi_layer;

/* How a parameter begins. */
typedef enum tgi_start { TGI_START_ZERO, TGI_START_ONE, TGI_START_NORMAL } tgi_start;
typedef struct tgi_param_rule {
    tgi_start start;
    double sd;
    tg_dims dims;
    size_t offset; /* in the block */
} tgi_param_rule;

typedef struct tgi_builder {
    tgi_net *net;
    const tgi_net_config *config;
    size_t c;   /* channels of the current tensor */
    bool is_he; /* weights by He's rule, else N(0, 0.02) */
    bool has_biases;
    size_t slot_c[TGI_N_SLOTS];
    size_t layers_capacity, params_capacity, rules_capacity, buffers_capacity;
    tg_status status; /* of the first word that failed */
} tgi_builder;

/* The geometry of a convolution: kernel r x r, stride, padding at each edge. */
typedef struct tgi_window {
    size_t r, stride, pad;
    tg_padding padding;
} tgi_window;
#define TGI_ZERO(r, stride, pad) ((tgi_window){(r), (stride), (pad), TG_PAD_ZERO})

/* NAME.weight and, where the builder has_biases, NAME.bias. */
void tgi_build_conv(tgi_builder *b, const char *name, size_t channels, tgi_window window);
void tgi_build_conv_up(tgi_builder *b, const char *name, size_t channels, tgi_window window,
                       size_t output_pad);
void tgi_build_linear(tgi_builder *b, const char *name, size_t channels);
/* The last convolution so far starts at zero. */
void tgi_build_start_at_zero(tgi_builder *b);
void tgi_build_planes(tgi_builder *b);
/* NAME.gamma (cin only) and NAME.beta, [n_classes, channels]. */
void tgi_build_label(tgi_builder *b, const char *name, bool has_scale);
/* name NULL: without parameters; else NAME.weight and NAME.bias. */
void tgi_build_instance_norm(tgi_builder *b, const char *name);
/* What follows a norm (or stands in its place): the label by cond cin, and by cond bias where
 * `has_shift`. */
void tgi_build_label_behind(tgi_builder *b, const char *name, bool has_shift);
/* Whether the label enters as planes. */
bool tgi_has_planes(const tgi_net_config *config);
/* The end of a generator: tanh unless the config says linear. */
void tgi_build_output(tgi_builder *b);
/* NAME.weight, NAME.bias and buffers NAME.running_mean, NAME.running_var. */
void tgi_build_batch_norm(tgi_builder *b, const char *name);
void tgi_build_activation(tgi_builder *b, tg_activation f, float slope);
void tgi_build_max_pool(tgi_builder *b, size_t size);
void tgi_build_plane_pool(tgi_builder *b, tg_plane_pool pool);
void tgi_build_upsample(tgi_builder *b, size_t s);
void tgi_build_shuffle(tgi_builder *b, size_t s);
/* Save, load, add and the two concatenations. */
void tgi_build_slot(tgi_builder *b, tgi_layer_kind kind, int slot);
/* All that follows is the label head. */
void tgi_build_head(tgi_builder *b);

/* A text of static size, so that a word can take it at once: tgi_build_conv(b,
 * TGI_NAME("model.%zu", i), ...). */
typedef struct tgi_name {
    char text[96];
} tgi_name;
tgi_name tgi_name_of(const char *format, ...) TG_PRINTF(1, 2);
#define TGI_NAME(...) (tgi_name_of(__VA_ARGS__).text)

/* Runs layers [0, n) on x. slots holds TGI_N_SLOTS vars, cleared at first. */
typedef struct tgi_run {
    const tg_tensor *labels;
    bool is_trainable, is_training;
    tgi_var *slots[TGI_N_SLOTS];
} tgi_run;
tg_status tgi_net_run(tgi_net *net, tgi_tape *tape, tgi_var *x, size_t n_layers, tgi_run *run,
                      tgi_var **y) TG_MUST_CHECK;

/* Runs layers [first, end) with the slots as they are: a part of a network, for measuring it. */
tg_status tgi_net_run_part(tgi_net *net, tgi_tape *tape, tgi_var *x, size_t first, size_t end,
                           tgi_run *run, tgi_var **y) TG_MUST_CHECK;

/* Calls for every layer in order with the sizes of what it takes and of what it gives, for an image
 * of sizes x; runs nothing. */
typedef tg_status tgi_layer_visit(const tgi_net *net, size_t number, tg_dims x, tg_dims y,
                                  void *user);
tg_status tgi_net_walk(const tgi_net *net, tg_dims x, tgi_layer_visit *visit,
                       void *user) TG_MUST_CHECK;

#endif

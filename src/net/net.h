/* net.h -- networks: a list of layers, the parameters they read, and three ways to run the list on
 * a tape.
 *
 *     tgi_net_config config = {.kind = TGI_NET_RESNET, .size_px = 256, .in_channels = 1, .n_classes
 * = 13}; TG_TRY(tgi_net_new(dev, &config, &net)); TG_TRY(tgi_net_init(net, seed, 0));
 *     TG_TRY(tgi_net_generate(net, tape, x, labels, true, &map));
 *
 * Layers and parameter names are those of doc/networks.md (PyTorch's) and, for the two small nets,
 * its section 8. */
#ifndef TGI_NET_NET_H
#define TGI_NET_NET_H

#include "tape/tape.h"

typedef enum tgi_net_kind {
    TGI_NET_RESNET,     /* CycleGAN's generator, 4.1 */
    TGI_NET_UNET,       /* its U-Net, 4.3 */
    TGI_NET_SMALL_UNET, /* generator of preset quick */
    TGI_NET_STARGAN_G,  /* 4.5 */
    TGI_NET_PATCHGAN,   /* discriminator, 4.4 */
    TGI_NET_STARGAN_D,  /* 4.4, last paragraph */
    TGI_NET_CRITIC,     /* critic of preset quick */
    TGI_NET_VAGAN_G,    /* 4.6 */
    TGI_NET_VAGAN_D,    /* 4.6 */
    TGI_NET_CLASSIFIER, /* 4.7 */
    TGI_N_NET_KINDS
} tgi_net_kind;

/* How a label enters a generator, doc/networks.md 2. */
typedef enum tgi_cond {
    TGI_COND_AUTO, /* the kind's: resnet plane-reflect (one class) or plane-nonorm, small_unet bias,
                      others plane-zero */
    TGI_COND_NONE, /* no label */
    TGI_COND_PLANE_REFLECT, /* planes beside the image, reflection padding: behind an instance norm
                               the label is lost */
    TGI_COND_PLANE_ZERO,    /* planes, zero padding in all stride-1 convolutions */
    TGI_COND_PLANE_ZERO1,   /* planes, zero padding in the first convolution only */
    TGI_COND_PLANE_NONORM,  /* planes, no norm after the first convolution */
    TGI_COND_CIN,           /* a scale and a shift a class and channel behind each norm */
    TGI_COND_BIAS,          /* a shift a class and channel behind the stem and at the bottleneck */
    TGI_N_CONDS
} tgi_cond;

/* Norm layers where a kind leaves the choice (small_unet, patchgan, critic). A gradient penalty
 * needs NONE. */
typedef enum tgi_net_norm {
    TGI_NET_NORM_AUTO, /* the kind's: instance norm in patchgan, none in small_unet and critic */
    TGI_NET_NORM_NONE,
    TGI_NET_NORM_INSTANCE /* behind every convolution but the first (critics) and the last */
} tgi_net_norm;

/* How small_unet comes back to full resolution. */
typedef enum tgi_net_head { TGI_NET_SHUFFLE, TGI_NET_UPSAMPLE } tgi_net_head;

/* How a generator ends. */
typedef enum tgi_net_output {
    TGI_NET_OUTPUT_AUTO, /* tanh; vagan: linear */
    TGI_NET_OUTPUT_TANH,
    TGI_NET_OUTPUT_LINEAR /* the model applies a function of its own */
} tgi_net_output;

/* What to build; a zero means the kind's default, and the network's copy has the defaults filled
 * in. */
typedef struct tgi_net_config {
    tgi_net_kind kind;
    size_t size_px;     /* height and width of an image; forward passes take other sizes of the same
                           multiple (stargan_d: not) */
    size_t in_channels; /* image planes, without label planes; 1 */
    size_t n_classes;   /* disease labels; 0: a generator without condition, a discriminator without
                           label head */
    size_t width;       /* channels of the first layer */
    size_t n_blocks;    /* resnet, stargan_g: residual blocks; unet, small_unet, critic, patchgan:
                           halvings */
    tgi_cond cond;
    bool has_cls;       /* discriminators: with a label head */
    size_t cls_outputs; /* logits of that head or of the classifier; 0: n_classes. Softmax heads
                           have n_classes + 1 */
    tg_plane_pool
        cls_pool; /* patchgan's head: how a plane of logits becomes one; 0 is log-mean-exp */
    tgi_net_norm norm;
    tgi_net_head head;
    tgi_net_output output;
} tgi_net_config;

struct tgi_layer;
struct tgi_param_rule;

/* A tensor that is saved with the parameters but not optimised: running statistics. */
typedef struct tgi_net_buffer {
    char *name;
    tg_tensor *value;
} tgi_net_buffer;

/* Parameters are views of the two blocks, each at a multiple of the device's base_align_bytes; what
 * lies between is zero, stays zero under every optimiser, and adds nothing to a norm. Fields are
 * read by everybody, written here (values and grads' contents excepted). */
typedef struct tgi_net {
    tg_device *dev;
    tgi_net_config config; /* defaults filled in */
    tgi_param *params;     /* in PyTorch's order */
    size_t n_params;
    tg_tensor *values, *grads;
    tgi_net_buffer *buffers;
    size_t n_buffers;
    bool is_training; /* generators with batch norm: statistics of the batch (and move the running
                         ones), or the running ones */
    struct tgi_layer *layers;
    size_t n_layers, n_body;      /* the body ends where the label head begins */
    struct tgi_param_rule *rules; /* of initialisation, one a parameter */
} tgi_net;

/* All zero (running variances one). TG_ERR_ARGUMENT for options that contradict each other,
 * TG_ERR_SHAPE for a size that the layers cannot halve. */
tg_status tgi_net_new(tg_device *dev, const tgi_net_config *config, tgi_net **out) TG_MUST_CHECK;
void tgi_net_free(tgi_net *net);

/* Draws the weights from TGI_STREAM_INIT's item `index` (number the networks of a model): N(0,
 * 0.02) for the nets of CycleGAN and StarGAN, He's normal for the others; biases and label tables
 * 0, scales of norms 1, small_unet's last convolution 0. Resets the running statistics. */
tg_status tgi_net_init(tgi_net *net, uint64_t seed, uint64_t index) TG_MUST_CHECK;

/* The parameter of that name, or NULL. */
const tgi_param *tgi_net_find(const tgi_net *net, const char *name);
const tgi_net_buffer *tgi_net_find_buffer(const tgi_net *net, const char *name);
/* Values of all parameters, without the gaps of the block. */
size_t tgi_net_n_values(const tgi_net *net);
/* "resnet", "plane-zero"; as options spell them. */
const char *tgi_net_kind_name(tgi_net_kind kind);
const char *tgi_cond_name(tgi_cond cond);
/* What size_px must be a multiple of for this configuration; at least one more rule may hold
 * (tgi_net_new says). */
tg_status tgi_net_multiple(const tgi_net_config *config, size_t *multiple) TG_MUST_CHECK;

/* Whether a sample's output depends on the others beside it (batch norm). */
bool tgi_net_mixes_samples(const tgi_net *net);

tg_status tgi_net_zero_grads(tgi_net *net) TG_MUST_CHECK;
/* To be called after `values` was written (optimiser, upload): packed forms of the weights are made
 * anew. */
void tgi_net_touch(tgi_net *net);
/* Gives the packed forms back where others are needed next: those of the forward pass before going
 * backward. */
void tgi_net_drop_packed(tgi_net *net);
/* Values and buffers; both nets have the same layers. */
tg_status tgi_net_copy(const tgi_net *from, tgi_net *to) TG_MUST_CHECK;

/* Generators: x [N,in_channels,H,W], labels [N,n_classes,1,1] (NULL when the config has no
 * condition) -> y [N,1,H,W], behind its tanh unless the config says linear. TG_ERR_SHAPE for sizes
 * that do not fit, TG_ERR_ARGUMENT for another kind of network. */
tg_status tgi_net_generate(tgi_net *net, tgi_tape *tape, tgi_var *x, const tg_tensor *labels,
                           bool is_trainable, tgi_var **y) TG_MUST_CHECK;
/* Discriminators: score [N,1,h,w] logits of patches (critic, vagan_d: their mean, [N,1,1,1]); cls
 * [N,cls_outputs,1,1] label logits. With cls NULL the label head is not computed; *cls is NULL when
 * there is none. */
tg_status tgi_net_judge(tgi_net *net, tgi_tape *tape, tgi_var *x, bool is_trainable,
                        tgi_var **score, tgi_var **cls) TG_MUST_CHECK;
/* Classifier: features [N,F,H/4,W/4] (what CAM weighs with `weight_layer.weight` [K,F,1,1]; may be
 * NULL), logits [N,cls_outputs,1,1]. is_training: batch norms as in the field above. */
tg_status tgi_net_classify(tgi_net *net, tgi_tape *tape, tgi_var *x, bool is_trainable,
                           bool is_training, tgi_var **features, tgi_var **logits) TG_MUST_CHECK;

#endif

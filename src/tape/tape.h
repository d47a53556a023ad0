/* tape.h -- remembers operations on tensors while they run forward, and runs them backward.
 *
 *     tgi_var *x, *w, *y;
 *     TG_TRY(tgi_tape_leaf(tape, image, false, &x));
 *     TG_TRY(tgi_tape_param(tape, &net->params[0], true, &w));
 *     TG_TRY(tgi_tape_conv2d(tape, x, w, NULL, &geom, &y));
 *     TG_TRY(tgi_tape_l1(tape, y, NULL, 1, loss));        a loss adds its gradient to y at once
 *     TG_TRY(tgi_tape_backward(tape));                    ... and this carries it to w
 *     tgi_tape_reset(tape);                               the memory goes back to the pool
 *
 * A var that no gradient reaches from (frozen parameters, data) is computed and not remembered. Vars belong to their tape and
 * live until its reset. Gradients are added to; they begin as zero at their first use. */
#ifndef TGI_TAPE_TAPE_H
#define TGI_TAPE_TAPE_H

#include "tensor/tensor.h"
#include <taggan/op.h>

typedef struct tgi_tape tgi_tape;

typedef struct tgi_var tgi_var;
struct tgi_var {
    tg_tensor *value;
    tg_tensor *grad; /* NULL until something was added */
    bool needs_grad;
    bool owns_value, owns_grad;
    tg_tensor *grad_home; /* parameters: where the gradient lives in the network's block */
    tgi_var *heir;        /* who took this var's tensor over, by an operation in place */
    tg_tensor *half;      /* the value as half, while its own tensor has no memory */
    tg_tensor *centre;    /* what it is kept as the difference from; NULL: 0 */
    bool is_read;         /* backward reads the value (tgi_tape_compress) */
    bool is_weight;       /* ... as a weight: stays float */
    bool
        is_spent_after; /* nobody reads the value once the operation that made it has gone backward */
};

/* A parameter: its value and its gradient, views of two blocks of the network. */
typedef struct tgi_param {
    char *name; /* PyTorch's, without the network's prefix */
    tg_tensor *value, *grad;
} tgi_param;

tg_status tgi_tape_new(tg_device *dev, tgi_tape **out) TG_MUST_CHECK;
void tgi_tape_free(tgi_tape *tape);
/* Forgets everything that was recorded; keeps its own host memory for the next step. */
void tgi_tape_reset(tgi_tape *tape);
tg_device *tgi_tape_device(const tgi_tape *tape);

/* Every loss recorded from here on adds `scale` (a power of two) times its gradient; what it writes into its slot stays as it is.
 * Gradients that underflow as half need it; whoever uses them divides it out. 1 at first; a reset keeps it. */
void tgi_tape_set_scale(tgi_tape *tape, float scale);

/* From here on backward gives the values that tgi_tape_compress() was told of back to the pool as it goes, which the tangent pass
 * does not survive; a reset keeps it. */
void tgi_tape_spend_values(tgi_tape *tape);

/* On a tape of TGI_PRECISION_HALF, tgi_tape_compress() keeps values as half; float at first; a reset keeps it. */
void tgi_tape_set_precision(tgi_tape *tape, tgi_precision precision);
/* A place in the record. */
typedef struct tgi_tape_mark {
    size_t vars, nodes;
} tgi_tape_mark;
tgi_tape_mark tgi_tape_here(const tgi_tape *tape);
/* To be called when nobody reads the values that were recorded since the mark again on the way forward, save those of `keep` (may
 * hold NULL): what backward will not read goes back to the pool, and on a tape of half precision what is large is kept as half and
 * expanded around the operation that needs it. Weights and small values stay as they are. */
tg_status tgi_tape_compress(tgi_tape *tape, tgi_tape_mark since, tgi_var *const *keep,
                            size_t n_keep) TG_MUST_CHECK;

/* A borrowed tensor as input. With needs_grad its gradient is collected in var->grad. */
tg_status tgi_tape_leaf(tgi_tape *tape, tg_tensor *value, bool needs_grad,
                        tgi_var **out) TG_MUST_CHECK;
/* A parameter; gradients are added to param->grad when it is trainable. */
tg_status tgi_tape_param(tgi_tape *tape, const tgi_param *param, bool is_trainable,
                         tgi_var **out) TG_MUST_CHECK;
/* The var's gradient tensor, zero if nothing was added yet. */
tg_status tgi_tape_grad(tgi_tape *tape, tgi_var *var, tg_tensor **grad) TG_MUST_CHECK;
/* Runs what was recorded backwards, once. */
tg_status tgi_tape_backward(tgi_tape *tape) TG_MUST_CHECK;

/* ---- operations: as taggan/op.h has them, the output made here ---- */
tg_status tgi_tape_add(tgi_tape *tape, tgi_var *a, tgi_var *b, tgi_var **y) TG_MUST_CHECK;
tg_status tgi_tape_subtract(tgi_tape *tape, tgi_var *a, tgi_var *b, tgi_var **y) TG_MUST_CHECK;
tg_status tgi_tape_scale(tgi_tape *tape, tgi_var *x, float alpha, tgi_var **y) TG_MUST_CHECK;
tg_status tgi_tape_clamp(tgi_tape *tape, tgi_var *x, float low, float high,
                         tgi_var **y) TG_MUST_CHECK;
tg_status tgi_tape_activation(tgi_tape *tape, tgi_var *x, tg_activation f, float slope,
                              tgi_var **y) TG_MUST_CHECK;
/* The same in x's own tensor: nobody may read x's value again, and the operation that made x must not need it to go backward
 * (convolutions, norms, label terms, sums do not). */
tg_status tgi_tape_activation_here(tgi_tape *tape, tgi_var *x, tg_activation f, float slope,
                                   tgi_var **y) TG_MUST_CHECK;
tg_status tgi_tape_concat(tgi_tape *tape, tgi_var *a, tgi_var *b, tgi_var **y) TG_MUST_CHECK;
/* The samples of a, then those of b: what goes through a network together costs less than twice; and some samples of x. */
tg_status tgi_tape_stack(tgi_tape *tape, tgi_var *a, tgi_var *b, tgi_var **y) TG_MUST_CHECK;
tg_status tgi_tape_samples(tgi_tape *tape, tgi_var *x, size_t first, size_t n,
                           tgi_var **y) TG_MUST_CHECK;
tg_status tgi_tape_upsample(tgi_tape *tape, tgi_var *x, size_t s, tgi_var **y) TG_MUST_CHECK;
tg_status tgi_tape_shuffle(tgi_tape *tape, tgi_var *x, size_t s, tgi_var **y) TG_MUST_CHECK;
tg_status tgi_tape_label_planes(tgi_tape *tape, tgi_var *x, const tg_tensor *labels,
                                tgi_var **y) TG_MUST_CHECK;
/* gamma may be NULL. */
tg_status tgi_tape_label_affine(tgi_tape *tape, tgi_var *x, const tg_tensor *labels, tgi_var *gamma,
                                tgi_var *beta, tgi_var **y) TG_MUST_CHECK;
tg_status tgi_tape_pool(tgi_tape *tape, tgi_var *x, tg_pool_kind kind, size_t size, size_t stride,
                        tgi_var **y) TG_MUST_CHECK;
tg_status tgi_tape_plane_pool(tgi_tape *tape, tgi_var *x, tg_plane_pool kind,
                              tgi_var **y) TG_MUST_CHECK;
/* gamma and beta both NULL, or both vars. */
tg_status tgi_tape_instance_norm(tgi_tape *tape, tgi_var *x, tgi_var *gamma, tgi_var *beta,
                                 float eps, tgi_var **y) TG_MUST_CHECK;
/* With a ReLU of this slope (0 to 1) behind it, in one pass. */
tg_status tgi_tape_instance_norm_relu(tgi_tape *tape, tgi_var *x, tgi_var *gamma, tgi_var *beta,
                                      float eps, float slope, tgi_var **y) TG_MUST_CHECK;
/* Training form: moves the running statistics (borrowed tensors). */
tg_status tgi_tape_batch_norm(tgi_tape *tape, tgi_var *x, tgi_var *gamma, tgi_var *beta, float eps,
                              float momentum, tg_tensor *running_mean, tg_tensor *running_var,
                              tgi_var **y) TG_MUST_CHECK;
/* Evaluation form: no gradient to anything but x. */
tg_status tgi_tape_batch_norm_eval(tgi_tape *tape, tgi_var *x, tgi_var *gamma, tgi_var *beta,
                                   float eps, const tg_tensor *running_mean,
                                   const tg_tensor *running_var, tgi_var **y) TG_MUST_CHECK;
/* u and v: borrowed tensors, moved by one power iteration when is_training. */
tg_status tgi_tape_spectral_norm(tgi_tape *tape, tgi_var *w, bool is_training, tg_tensor *u,
                                 tg_tensor *v, tgi_var **w_sn) TG_MUST_CHECK;
/* b may be NULL. */
tg_status tgi_tape_conv2d(tgi_tape *tape, tgi_var *x, tgi_var *w, tgi_var *b,
                          const tg_conv2d_geom *geom, tgi_var **y) TG_MUST_CHECK;
tg_status tgi_tape_conv2d_transposed(tgi_tape *tape, tgi_var *x, tgi_var *w, tgi_var *b,
                                     const tg_conv2d_geom *geom, tgi_var **y) TG_MUST_CHECK;
/* Whether this convolution of what was upsampled `s` times can be had in one with it, and both: equal but for rounding. */
bool tgi_tape_takes_upsampled(size_t s, tg_dims w, const tg_conv2d_geom *geom);
tg_status tgi_tape_upsampled_conv2d(tgi_tape *tape, tgi_var *x, tgi_var *w, tgi_var *b,
                                    tgi_var **y) TG_MUST_CHECK;
tg_status tgi_tape_linear(tgi_tape *tape, tgi_var *x, tgi_var *w, tgi_var *b,
                          tgi_var **y) TG_MUST_CHECK;

/* ---- losses: write their slot and add weight * gradient to the vars that need one ---- */
tg_status tgi_tape_l1(tgi_tape *tape, tgi_var *a, tgi_var *b, float weight,
                      tg_scalar loss) TG_MUST_CHECK; /* b may be NULL */
tg_status tgi_tape_mse(tgi_tape *tape, tgi_var *a, tgi_var *b, float weight,
                       tg_scalar loss) TG_MUST_CHECK;
tg_status tgi_tape_tv(tgi_tape *tape, tgi_var *m, float weight, tg_scalar loss) TG_MUST_CHECK;
tg_status tgi_tape_adversarial(tgi_tape *tape, tgi_var *z, tg_adversarial kind, float weight,
                               tg_scalar loss) TG_MUST_CHECK;
tg_status tgi_tape_label_loss(tgi_tape *tape, tgi_var *l, const tg_tensor *labels, float weight,
                              tg_scalar loss) TG_MUST_CHECK;
tg_status tgi_tape_softmax_loss(tgi_tape *tape, tgi_var *l, const tg_tensor *targets, float weight,
                                tg_scalar loss) TG_MUST_CHECK;
tg_status tgi_tape_penalty(tgi_tape *tape, tgi_var *slope, float weight,
                           tg_scalar loss) TG_MUST_CHECK;

/* ---- the tangent pass, doc/notation.md ------------------------------------------------------------------------------
 * Pushes `direction` (at var `x` of tape `from`) through what `from` recorded, as a linear forward pass on tape `to`: the same
 * convolutions without biases, the stored slopes in place of activations. *out is the derivative of var `y` along it; its
 * backward reaches the parameters (trainable on `to`), which is what an exact gradient penalty needs. `from` must have
 * recorded everything between x and y and not been reset; its parameters may be frozen there.
 * TG_ERR_UNSUPPORTED when an operation in between has no tangent (norm layers). */
tg_status tgi_tape_tangent(tgi_tape *from, const tgi_var *x, tg_tensor *direction, const tgi_var *y,
                           tgi_tape *to, tgi_var **out) TG_MUST_CHECK;

#endif

/** \file taggan/op.h
 *  Operations: each computes tensors from tensors on one device, forward and backward.
 *
 *  What holds for all of them:
 *  - Only enqueues work; nothing waits. Results may be used by the next operation at once.
 *  - Outputs of a forward pass are overwritten. Gradients are ADDED TO, never overwritten; NULL where none is wanted.
 *  - Inputs are not changed. An output is never one of the inputs unless the comment says so.
 *  - TG_ERR_SHAPE when sizes do not fit (the message has the numbers), TG_ERR_OPENCL from the driver.
 *  - The same inputs on the same device give the same bits: no float atomics anywhere.
 *  dx stands for the gradient of the loss by x.
 */
#ifndef TAGGAN_OP_H
#define TAGGAN_OP_H

#include <taggan/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One float on the device: value `index` of a tensor. Losses land in such slots, so that one late read fetches them all. */
typedef struct tg_scalar {
    tg_tensor *tensor; /**< NULL: the loss is not wanted */
    size_t index;
} tg_scalar;

/* ---- elementwise (cl/elementwise.cl) ---------------------------------------------------------------- */

/** y = a + b, all of one shape. */
tg_status tg_add(const tg_tensor *a, const tg_tensor *b, tg_tensor *y) TG_MUST_CHECK;
/** y = a - b. */
tg_status tg_subtract(const tg_tensor *a, const tg_tensor *b, tg_tensor *y) TG_MUST_CHECK;
/** y += alpha * x; the backward of the two above and of tg_scale(). */
tg_status tg_accumulate(const tg_tensor *x, float alpha, tg_tensor *y) TG_MUST_CHECK;
/** y = alpha * x. */
tg_status tg_scale(const tg_tensor *x, float alpha, tg_tensor *y) TG_MUST_CHECK;
/** y = min(max(x, low), high); its backward passes dy where low <= x <= high. */
tg_status tg_clamp_forward(const tg_tensor *x, float low, float high, tg_tensor *y) TG_MUST_CHECK;
tg_status tg_clamp_backward(const tg_tensor *x, float low, float high, const tg_tensor *dy,
                            tg_tensor *dx) TG_MUST_CHECK;
/** y[n] = (1 - t[n]) * a[n] + t[n] * b[n]; t is [N,1,1,1]: one factor a sample (random points of the gradient penalty). */
tg_status tg_mix(const tg_tensor *a, const tg_tensor *b, const tg_tensor *t,
                 tg_tensor *y) TG_MUST_CHECK;

typedef enum tg_activation { TG_RELU, TG_LEAKY_RELU, TG_TANH, TG_SIGMOID } tg_activation;

/** y = f(x); leaky ReLU has slope `slope` > 0 below zero. */
tg_status tg_activation_forward(tg_activation f, float slope, const tg_tensor *x,
                                tg_tensor *y) TG_MUST_CHECK;
/** dx += dy * f'(x), computed from y alone (ReLU's sign is y's). */
tg_status tg_activation_backward(tg_activation f, float slope, const tg_tensor *y,
                                 const tg_tensor *dy, tg_tensor *dx) TG_MUST_CHECK;

/* ---- arrangement (cl/arrange.cl) -------------------------------------------------------------------- */

/** y = a's channels, then b's. a [N,A,H,W], b [N,B,H,W], y [N,A+B,H,W]. */
tg_status tg_concat_forward(const tg_tensor *a, const tg_tensor *b, tg_tensor *y) TG_MUST_CHECK;
tg_status tg_concat_backward(const tg_tensor *dy, tg_tensor *da, tg_tensor *db) TG_MUST_CHECK;
/** y [N,C,sH,sW]: every value s x s times. */
tg_status tg_upsample_forward(const tg_tensor *x, size_t s, tg_tensor *y) TG_MUST_CHECK;
tg_status tg_upsample_backward(const tg_tensor *dy, size_t s, tg_tensor *dx) TG_MUST_CHECK;
/** Pixel shuffle: x [N,C*s*s,H,W] -> y [N,C,sH,sW], as torch.nn.PixelShuffle. */
tg_status tg_shuffle_forward(const tg_tensor *x, size_t s, tg_tensor *y) TG_MUST_CHECK;
tg_status tg_shuffle_backward(const tg_tensor *dy, size_t s, tg_tensor *dx) TG_MUST_CHECK;

/* ---- label conditioning (cl/label.cl) ---------------------------------------------------------------- */

/** y = x followed by C planes, plane k filled with labels[n,k]. x [N,D,H,W], labels [N,C,1,1], y [N,D+C,H,W]. */
tg_status tg_label_planes_forward(const tg_tensor *x, const tg_tensor *labels,
                                  tg_tensor *y) TG_MUST_CHECK;
/** dx += the first D channels of dy; planes get no gradient. */
tg_status tg_label_planes_backward(const tg_tensor *dy, tg_tensor *dx) TG_MUST_CHECK;
/** y[n,d] = x[n,d] * (1 + sum_k labels[n,k] gamma[k,d]) + sum_k labels[n,k] beta[k,d]: conditioning `cin`, and with gamma NULL its
 *  `bias`. gamma, beta [C,D,1,1]; gamma may be NULL. */
tg_status tg_label_affine_forward(const tg_tensor *x, const tg_tensor *labels,
                                  const tg_tensor *gamma, const tg_tensor *beta,
                                  tg_tensor *y) TG_MUST_CHECK;
tg_status tg_label_affine_backward(const tg_tensor *x, const tg_tensor *labels,
                                   const tg_tensor *gamma, const tg_tensor *dy, tg_tensor *dx,
                                   tg_tensor *dgamma, tg_tensor *dbeta) TG_MUST_CHECK;

/* ---- pooling (cl/pool.cl) ----------------------------------------------------------------------------- */

typedef enum tg_pool_kind { TG_POOL_MAX, TG_POOL_MEAN } tg_pool_kind;

/** Windows of size x size every `stride`, no padding, sizes rounded down. choice [as y] takes, for max pooling, the index of the
 *  window's first maximum in x's plane (as a float holding an integer below 2^24); NULL for mean pooling. */
tg_status tg_pool_forward(tg_pool_kind kind, size_t size, size_t stride, const tg_tensor *x,
                          tg_tensor *y, tg_tensor *choice) TG_MUST_CHECK;
tg_status tg_pool_backward(tg_pool_kind kind, size_t size, size_t stride, const tg_tensor *choice,
                           const tg_tensor *dy, tg_tensor *dx) TG_MUST_CHECK;
/** Max pooling's derivative along t: out[i] = t[choice[i]]; overwritten. */
tg_status tg_pool_gather(const tg_tensor *choice, const tg_tensor *t, tg_tensor *out) TG_MUST_CHECK;

/** How a plane of logits becomes one: log-mean-exp, largest, mean. */
typedef enum tg_plane_pool { TG_PLANE_LME, TG_PLANE_MAX, TG_PLANE_MEAN } tg_plane_pool;

/** y [N,C,1,1] from x [N,C,H,W]; TG_PLANE_MEAN is global average pooling. Log-mean-exp: log((1/HW) sum exp x), safe for any x. */
tg_status tg_plane_pool_forward(tg_plane_pool kind, const tg_tensor *x, tg_tensor *y) TG_MUST_CHECK;
/** dx += dy spread: softmax over the plane, the first maximum, or 1/HW. */
tg_status tg_plane_pool_backward(tg_plane_pool kind, const tg_tensor *x, const tg_tensor *y,
                                 const tg_tensor *dy, tg_tensor *dx) TG_MUST_CHECK;

/* ---- normalisation (cl/instance_norm.cl, cl/batch_norm.cl) ------------------------------------------------ */

/** y = gamma * (x - mu) / sqrt(var + eps) + beta, mu and (biased) var over H*W of each (n,c) [ulyanov2016].
 *  gamma, beta [1,C,1,1] or both NULL; mu, rstd [N,C,1,1] are kept for the backward pass, or NULL when there is none. */
tg_status tg_instance_norm_forward(const tg_tensor *x, const tg_tensor *gamma,
                                   const tg_tensor *beta, float eps, tg_tensor *y, tg_tensor *mu,
                                   tg_tensor *rstd) TG_MUST_CHECK;
tg_status tg_instance_norm_backward(const tg_tensor *x, const tg_tensor *gamma, const tg_tensor *mu,
                                    const tg_tensor *rstd, const tg_tensor *dy, tg_tensor *dx,
                                    tg_tensor *dgamma, tg_tensor *dbeta) TG_MUST_CHECK;

/** Batch normalisation over N,H,W of each channel [ioffe2015], PyTorch's rules: training uses biased variance and moves
 *  running_mean and running_var (unbiased) by `momentum`; evaluation uses the running values. All vectors [1,C,1,1]; gamma and
 *  beta may be NULL. TG_ERR_SHAPE when training sees a single value a channel. */
tg_status tg_batch_norm_forward_train(const tg_tensor *x, const tg_tensor *gamma,
                                      const tg_tensor *beta, float eps, float momentum,
                                      tg_tensor *running_mean, tg_tensor *running_var, tg_tensor *y,
                                      tg_tensor *mu, tg_tensor *rstd) TG_MUST_CHECK;
tg_status tg_batch_norm_forward_eval(const tg_tensor *x, const tg_tensor *gamma,
                                     const tg_tensor *beta, float eps,
                                     const tg_tensor *running_mean, const tg_tensor *running_var,
                                     tg_tensor *y) TG_MUST_CHECK;
tg_status tg_batch_norm_backward(const tg_tensor *x, const tg_tensor *gamma, const tg_tensor *mu,
                                 const tg_tensor *rstd, const tg_tensor *dy, tg_tensor *dx,
                                 tg_tensor *dgamma, tg_tensor *dbeta) TG_MUST_CHECK;

/** Spectral normalisation [miyato2018]: one power iteration u, v (both overwritten) on w seen as [K, C*R*S]; w_sn = w / sigma,
 *  sigma = u'Wv. u [1,K,1,1], v [1,C*R*S,1,1], sigma [1,1,1,1]. With `iterate` false u and v are used as they are. */
tg_status tg_spectral_norm_forward(const tg_tensor *w, bool iterate, tg_tensor *u, tg_tensor *v,
                                   tg_tensor *sigma, tg_tensor *w_sn) TG_MUST_CHECK;
/** dw += (dw_sn - (sum dw_sn * w_sn) u v') / sigma, u and v held constant. */
tg_status tg_spectral_norm_backward(const tg_tensor *w_sn, const tg_tensor *u, const tg_tensor *v,
                                    const tg_tensor *sigma, const tg_tensor *dw_sn,
                                    tg_tensor *dw) TG_MUST_CHECK;

/* ---- convolution (cl/conv2d*.cl) ----------------------------------------------------------------------------- */

typedef enum tg_padding { TG_PAD_ZERO, TG_PAD_REFLECT } tg_padding;

/** Which way a convolution is computed. Every algorithm gives the same result within the bounds of doc/kernels.md. */
typedef enum tg_conv_algorithm {
    TG_CONV_AUTO,   /**< the fastest that applies, by rule */
    TG_CONV_DIRECT, /**< plain: one work-item a value; every shape, every device */
    TG_CONV_PACKED, /**< weights packed into vectors of output channels, register tiles; meant for CPUs, right everywhere */
    TG_CONV_MATMUL, /**< im2col and CLBlast's Sgemm */
    TG_CONV_WINOGRAD, /**< fewer multiplications for 3 x 3 and 4 x 4 kernels: tiles of 4 x 4 (3 x 3) outputs [lavin2016] */
    TG_CONV_WINOGRAD2, /**< the same with tiles of 2 x 2 outputs: less gain, direct convolution's accuracy */
    TG_CONV_IMPLICIT, /**< implicit matrix product with tiles in local memory; meant for GPUs */
    TG_CONV_FFT       /**< by clFFT, where it passes its known-answer test */
} tg_conv_algorithm;

/** Geometry of a convolution; the kernel's size is the weights'. Start from TG_CONV2D(stride, pad). */
typedef struct tg_conv2d_geom {
    size_t stride; /**< 1 or more, both ways */
    size_t pad;    /**< rows and columns added at each edge */
    tg_padding
        padding; /**< what is there: zeros, or the image mirrored at its edge pixel (needs pad < H, W) */
    size_t
        output_pad; /**< transposed only: rows and columns added to the output's end, less than stride */
    tg_conv_algorithm algorithm;
} tg_conv2d_geom;

/** x [N,C,H,W], w [K,C,R,S], b [1,K,1,1] or NULL, y [N,K,(H+2pad-R)/stride+1,(W+2pad-S)/stride+1]; cross-correlation, as
 *  torch.nn.Conv2d. */
tg_status tg_conv2d_forward(const tg_tensor *x, const tg_tensor *w, const tg_tensor *b,
                            const tg_conv2d_geom *geom, tg_tensor *y) TG_MUST_CHECK;
/** dx += the gradient by x. */
tg_status tg_conv2d_backward_data(const tg_tensor *dy, const tg_tensor *w,
                                  const tg_conv2d_geom *geom, tg_tensor *dx) TG_MUST_CHECK;
/** dw += the gradient by w, db += the gradient by b; either may be NULL. */
tg_status tg_conv2d_backward_weights(const tg_tensor *x, const tg_tensor *dy,
                                     const tg_conv2d_geom *geom, tg_tensor *dw,
                                     tg_tensor *db) TG_MUST_CHECK;
/** Height and width of the output; TG_ERR_SHAPE when the kernel is larger than the padded input. */
tg_status tg_conv2d_output(tg_dims x, tg_dims w, const tg_conv2d_geom *geom,
                           tg_dims *y) TG_MUST_CHECK;

/** Transposed convolution, torch.nn.ConvTranspose2d: x [N,C,H,W], w [C,K,R,S], b [1,K,1,1] or NULL,
 *  y [N,K,(H-1)stride-2pad+R+output_pad,...]. Zero padding only. */
tg_status tg_conv2d_transposed_forward(const tg_tensor *x, const tg_tensor *w, const tg_tensor *b,
                                       const tg_conv2d_geom *geom, tg_tensor *y) TG_MUST_CHECK;
tg_status tg_conv2d_transposed_backward_data(const tg_tensor *dy, const tg_tensor *w,
                                             const tg_conv2d_geom *geom,
                                             tg_tensor *dx) TG_MUST_CHECK;
tg_status tg_conv2d_transposed_backward_weights(const tg_tensor *x, const tg_tensor *dy,
                                                const tg_conv2d_geom *geom, tg_tensor *dw,
                                                tg_tensor *db) TG_MUST_CHECK;
tg_status tg_conv2d_transposed_output(tg_dims x, tg_dims w, const tg_conv2d_geom *geom,
                                      tg_dims *y) TG_MUST_CHECK;

/** Fully connected layer: x [N,C,1,1], w [K,C,1,1], b [1,K,1,1] or NULL, y [N,K,1,1]. */
tg_status tg_linear_forward(const tg_tensor *x, const tg_tensor *w, const tg_tensor *b,
                            tg_tensor *y) TG_MUST_CHECK;
tg_status tg_linear_backward(const tg_tensor *x, const tg_tensor *w, const tg_tensor *dy,
                             tg_tensor *dx, tg_tensor *dw, tg_tensor *db) TG_MUST_CHECK;

/* ---- losses (cl/loss.cl): each writes weight * loss into its slot and adds weight * gradient -------------------- */

/** mean |a - b|; b NULL means zero. da = sign(a - b)/n, db = -da; sign(0) = 0. */
tg_status tg_l1_loss(const tg_tensor *a, const tg_tensor *b, float weight, tg_scalar loss,
                     tg_tensor *da, tg_tensor *db) TG_MUST_CHECK;
/** mean (a - b)^2; b NULL means zero. */
tg_status tg_mse_loss(const tg_tensor *a, const tg_tensor *b, float weight, tg_scalar loss,
                      tg_tensor *da, tg_tensor *db) TG_MUST_CHECK;
/** Total variation: mean |M[i+1,j]-M[i,j]| + mean |M[i,j+1]-M[i,j]|, each mean over its own differences. */
tg_status tg_tv_loss(const tg_tensor *m, float weight, tg_scalar loss, tg_tensor *dm) TG_MUST_CHECK;

/** Adversarial terms over logits z of any shape, doc/notation.md, Losses. */
typedef enum tg_adversarial {
    TG_ADV_REAL,       /**< mean softplus(-z) */
    TG_ADV_FAKE,       /**< mean softplus(z) */
    TG_ADV_SATURATING, /**< -mean softplus(z): what G minimises in the letter of Eq 2 */
    TG_ADV_LS_REAL,    /**< mean (z - 1)^2 */
    TG_ADV_LS_FAKE,    /**< mean z^2 */
    TG_ADV_W_REAL,     /**< -mean z */
    TG_ADV_W_FAKE      /**< mean z */
} tg_adversarial;
tg_status tg_adversarial_loss(tg_adversarial kind, const tg_tensor *z, float weight, tg_scalar loss,
                              tg_tensor *dz) TG_MUST_CHECK;

/** Sigmoid cross-entropy of logits l [N,C,1,1] against labels c (NULL: all zero): (1/N) sum_i sum_k softplus(l) - c l. */
tg_status tg_label_loss(const tg_tensor *l, const tg_tensor *c, float weight, tg_scalar loss,
                        tg_tensor *dl) TG_MUST_CHECK;
/** Softmax cross-entropy of logits l [N,C,1,1] against targets c [N,C,1,1] that sum to 1 each: (1/N) sum_i -sum_k c log softmax(l). */
tg_status tg_softmax_loss(const tg_tensor *l, const tg_tensor *c, float weight, tg_scalar loss,
                          tg_tensor *dl) TG_MUST_CHECK;

/** norm[n] = |g[n]|_2 over c,h,w (norm [N,1,1,1]) and u = g / max(norm, 1e-12); u may be NULL. */
tg_status tg_sample_norm(const tg_tensor *g, tg_tensor *norm, tg_tensor *u) TG_MUST_CHECK;
/** Gradient penalty on slopes s [N,1,1,1]: mean (s - 1)^2; ds = 2(s - 1)/N. */
tg_status tg_penalty_loss(const tg_tensor *s, float weight, tg_scalar loss,
                          tg_tensor *ds) TG_MUST_CHECK;

/** Statistics for the log, into a slot: mean of z, of |z|, of sigmoid(z). */
typedef enum tg_statistic { TG_MEAN, TG_MEAN_ABS, TG_MEAN_SIGMOID } tg_statistic;
tg_status tg_statistic_of(tg_statistic what, const tg_tensor *z, tg_scalar out) TG_MUST_CHECK;

/* ---- optimisers (cl/optimizer.cl): on the one block of a network's parameters -------------------------------------- */

/** Adam [kingma2015] in PyTorch's form; t counts from 1. p, m, v are updated. */
typedef struct tg_adam_opts {
    float lr, beta1, beta2, eps;
    size_t t;
} tg_adam_opts;
tg_status tg_adam_step(const tg_tensor *g, const tg_adam_opts *opts, tg_tensor *p, tg_tensor *m,
                       tg_tensor *v) TG_MUST_CHECK;
/** RMSprop in PyTorch's form: v = alpha v + (1 - alpha) g^2; p -= lr g / (sqrt v + eps). */
tg_status tg_rmsprop_step(const tg_tensor *g, float lr, float alpha, float eps, tg_tensor *p,
                          tg_tensor *v) TG_MUST_CHECK;
/** p -= lr * g. */
tg_status tg_sgd_step(const tg_tensor *g, float lr, tg_tensor *p) TG_MUST_CHECK;
/** p = min(max(p, -limit), limit): weight clipping of [wgan]. */
tg_status tg_clip_weights(float limit, tg_tensor *p) TG_MUST_CHECK;
/** g *= min(1, limit / |g|_2); limit 0 measures only. The norm before clipping goes to `norm`. A norm that is not finite sets g to
 *  zero, whatever the limit, so that one bad batch cannot destroy the parameters, and stays visible in `norm`. */
tg_status tg_clip_norm(float limit, tg_tensor *g, tg_scalar norm) TG_MUST_CHECK;
/** average = decay * average + (1 - decay) * p. */
tg_status tg_ema_step(const tg_tensor *p, float decay, tg_tensor *average) TG_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif

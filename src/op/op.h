/* op.h -- what the operations share: size checks, slots for losses, how reductions are built for a device. */
#ifndef TGI_OP_OP_H
#define TGI_OP_OP_H

#include "tensor/tensor.h"
#include <taggan/op.h>

/* Work-items of four values each that cover n values. */
static inline size_t tgi_quads(size_t n)
{
    return (n + 3) / 4;
}

/* Values of one plane, and planes of a tensor. */
static inline size_t tgi_plane_size(const tg_tensor *x)
{
    return x->dims.h * x->dims.w;
}
static inline size_t tgi_plane_count(const tg_tensor *x)
{
    return x->dims.n * x->dims.c;
}

/* TG_ERR_SHAPE unless b has a's sizes (and TG_ERR_ARGUMENT when it is on another device). `what` names b: "add: b". */
tg_status tgi_op_same_dims(const char *what, const tg_tensor *a, const tg_tensor *b) TG_MUST_CHECK;

/* As tgi_tensor_expect(), on a's device too. */
tg_status tgi_op_expect(const char *what, const tg_tensor *a, tg_dims dims,
                        const tg_tensor *b) TG_MUST_CHECK;

/* Where a loss is written: two kernel arguments, tgi_mem(slot.mem) and tgi_int(slot.index). A scalar that is not wanted gets a
 * scratch of one float, so that kernels need no second path. Start from {0}; release it after the launches. */
typedef struct tgi_slot {
    cl_mem mem;
    size_t index;
    tg_tensor *scratch;
} tgi_slot;
/* TG_ERR_SHAPE unless a wanted slot lies in its tensor; for ops that leave the sum out when nobody wants it. */
tg_status tgi_slot_check(const char *what, const tg_device *dev, tg_scalar scalar) TG_MUST_CHECK;
tg_status tgi_slot_init(const char *what, tg_device *dev, tg_scalar scalar,
                        tgi_slot *slot) TG_MUST_CHECK;
void tgi_slot_release(tgi_slot *slot);

/* The public backward passes with the choice between adding to dx and setting it, and activations in place, for the tape, which
 * knows whether somebody added before and whether anybody reads a value again. */
tg_status tgi_activation_forward_here(tg_activation f, float slope, tg_tensor *y) TG_MUST_CHECK;
tg_status tgi_activation_backward(tg_activation f, float slope, const tg_tensor *y,
                                  const tg_tensor *dy, tgi_write write,
                                  tg_tensor *dx) TG_MUST_CHECK;
/* dy becomes dy * f'(x). */
tg_status tgi_activation_backward_here(tg_activation f, float slope, const tg_tensor *y,
                                       tg_tensor *dy) TG_MUST_CHECK;
tg_status tgi_upsample_backward(const tg_tensor *dy, size_t s, tgi_write write,
                                tg_tensor *dx) TG_MUST_CHECK;
tg_status tgi_conv2d_backward_data(const tg_tensor *dy, const tg_tensor *w,
                                   const tg_conv2d_geom *geom, tgi_write write,
                                   tg_tensor *dx) TG_MUST_CHECK;
tg_status tgi_conv2d_transposed_backward_data(const tg_tensor *dy, const tg_tensor *w,
                                              const tg_conv2d_geom *geom, tgi_write write,
                                              tg_tensor *dx) TG_MUST_CHECK;

/* Instance normalisation with a ReLU of this slope behind it, in the same pass; slope 1 is none. The backward pass finds the sign of
 * what went into the ReLU again from x. */
tg_status tgi_instance_norm_forward(const tg_tensor *x, const tg_tensor *gamma,
                                    const tg_tensor *beta, float eps, float slope, tg_tensor *y,
                                    tg_tensor *mu, tg_tensor *rstd) TG_MUST_CHECK;
tg_status tgi_instance_norm_backward(const tg_tensor *x, const tg_tensor *gamma,
                                     const tg_tensor *beta, float slope, const tg_tensor *mu,
                                     const tg_tensor *rstd, const tg_tensor *dy, tgi_write write,
                                     tg_tensor *dx, tg_tensor *dgamma,
                                     tg_tensor *dbeta) TG_MUST_CHECK;

/* Values kept as half: [1,1,1,(n+1)/2], two to a float's place, for n values. Nearest, ties to even; beyond +-65504 the largest half;
 * NaN stays. With a centre (may be NULL) a row of x each, [N,C,1,1] for planes, it is the difference from it that is kept. */
tg_dims tgi_half_dims(size_t n);
tg_status tgi_half_from_float(const tg_tensor *x, const tg_tensor *centre,
                              tg_tensor *h) TG_MUST_CHECK;
tg_status tgi_half_to_float(const tg_tensor *h, const tg_tensor *centre,
                            tg_tensor *y) TG_MUST_CHECK;

/* tg_clip_norm() for gradients that are `scale` (a power of two) times too large: that is divided out in the same launch. factor [1]
 * is what g was multiplied by: 0 where the norm is not finite. */
typedef struct tgi_clip_opts {
    float limit, scale;
    tg_scalar norm;
    tg_scalar
        skipped; /* += 1 where the norm is not finite, which then shows as 0; norm's tensor, or none */
} tgi_clip_opts;
tg_status tgi_clip_scaled(const tgi_clip_opts *opts, tg_tensor *g, tg_tensor *factor) TG_MUST_CHECK;
/* The public steps, left out by the device where factor (may be NULL) is 0. */
tg_status tgi_adam_step(const tg_tensor *g, const tg_tensor *factor, const tg_adam_opts *opts,
                        tg_tensor *p, tg_tensor *m, tg_tensor *v) TG_MUST_CHECK;
tg_status tgi_rmsprop_step(const tg_tensor *g, const tg_tensor *factor, float lr, float alpha,
                           float eps, tg_tensor *p, tg_tensor *v) TG_MUST_CHECK;
tg_status tgi_sgd_step(const tg_tensor *g, const tg_tensor *factor, float lr,
                       tg_tensor *p) TG_MUST_CHECK;

/* Options for kernels that reduce with one work-group to a plane or a row (see common.cl): CPUs get one work-item with wide
 * vectors, for which no barrier costs anything; others 64 work-items with float4. */
const char *tgi_reduce_options(const tg_device *dev);
/* Floats to a vector, and work-items to a group, under these options. */
size_t tgi_reduce_lanes(const tg_device *dev);
size_t tgi_reduce_group(const tg_device *dev);

#endif

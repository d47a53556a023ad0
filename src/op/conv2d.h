/* conv2d.h -- what the algorithms of convolution share.
 *
 * A convolution is three maps between an image side x [N,C,H,W] and an output side y [N,K,P,Q] with weights w [K,C,R,S]:
 * gather (x -> y, the forward pass), scatter (y -> x, its transpose) and weights (x, y -> dw). A transposed convolution is the
 * same three with the sides exchanged, so every algorithm serves both. */
#ifndef TGI_OP_CONV2D_H
#define TGI_OP_CONV2D_H

#include "tensor/tensor.h"
#include <taggan/op.h>

typedef struct tgi_conv {
    size_t n, c, h, w; /* image side */
    size_t k, p, q;    /* output side */
    size_t r, s, stride, pad;
    bool is_reflected;
} tgi_conv;

/* The three maps; with each algorithm, layer and device they are chosen apart. */
typedef enum tgi_conv_pass { TGI_CONV_GATHER, TGI_CONV_SCATTER, TGI_CONV_WEIGHTS } tgi_conv_pass;

/* b may be NULL; `add`: add to the result instead of overwriting it. */
typedef struct tgi_conv_algorithm {
    tg_conv_algorithm id; /* two entries may share it: the one that applies is meant */
    const char *name;     /* as --set conv_algorithm=NAME takes it */
    tg_status (*gather)(const tgi_conv *conv, const tg_tensor *x, tg_tensor *w, const tg_tensor *b,
                        bool add, tg_tensor *y);
    tg_status (*scatter)(const tgi_conv *conv, const tg_tensor *y, tg_tensor *w, const tg_tensor *b,
                         bool add, tg_tensor *x);
    tg_status (*weights)(const tgi_conv *conv, const tg_tensor *x, const tg_tensor *y,
                         tg_tensor *dw);
    /* Whether the result would be right. */
    bool (*applies)(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass);
    /* The rule, for what nobody tuned: whether it is likely to be the fastest of those that apply. The first in the list wins. */
    bool (*suits)(const tg_device *dev, const tgi_conv *conv, tgi_conv_pass pass);
} tgi_conv_algorithm;

/* What TG_CONV_AUTO means on this device from now on; TG_CONV_AUTO restores the rule. */
void tgi_conv_set_default(tg_device *dev, tg_conv_algorithm algorithm);

/* All algorithms, ended by NULL, in the order in which the rule asks them; the last one, direct, always applies. */
extern const tgi_conv_algorithm *const tgi_conv_algorithms[];
extern const tgi_conv_algorithm tgi_conv_direct, tgi_conv_packed, tgi_conv_matmul;
extern const tgi_conv_algorithm tgi_conv_winograd_gpu, tgi_conv_winograd2_gpu, tgi_conv_implicit;

/* What computes this pass: `wish`, else the device's default, else the rule. A wish that does not apply falls back to the rule. */
const tgi_conv_algorithm *tgi_conv_choose(const tg_device *dev, tg_conv_algorithm wish,
                                          const tgi_conv *conv, tgi_conv_pass pass);

/* A padded copy of src's planes [planes,h,w] into dst [planes, top+h+bottom, left+w+right] (cl/conv2d_pad.cl). */
typedef struct tgi_halo {
    size_t top, bottom, left, right;
    bool is_reflected;
} tgi_halo;
tg_status tgi_halo_add(const tg_tensor *src, size_t planes, size_t h, size_t w,
                       const tgi_halo *halo, tg_tensor *dst) TG_MUST_CHECK;
/* dst (+)= src folded back: every value of the halo goes to the pixel it was a copy of (zeros: nowhere). */
tg_status tgi_halo_fold(const tg_tensor *src, size_t planes, size_t h, size_t w,
                        const tgi_halo *halo, bool add, tg_tensor *dst) TG_MUST_CHECK;

#endif

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

/* b may be NULL; `add`: add to the result instead of overwriting it. */
typedef struct tgi_conv_algorithm {
    const char *name;
    tg_status (*gather)(const tgi_conv *conv, const tg_tensor *x, tg_tensor *w, const tg_tensor *b,
                        bool add, tg_tensor *y);
    tg_status (*scatter)(const tgi_conv *conv, const tg_tensor *y, tg_tensor *w, const tg_tensor *b,
                         bool add, tg_tensor *x);
    tg_status (*weights)(const tgi_conv *conv, const tg_tensor *x, const tg_tensor *y,
                         tg_tensor *dw);
    bool (*applies)(const tgi_conv *conv);
} tgi_conv_algorithm;

/* What TG_CONV_AUTO means on this device from now on; TG_CONV_AUTO restores the rule. */
void tgi_conv_set_default(tg_device *dev, tg_conv_algorithm algorithm);

extern const tgi_conv_algorithm tgi_conv_direct, tgi_conv_packed, tgi_conv_matmul;

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

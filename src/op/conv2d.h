/* conv2d.h -- what the algorithms of convolution share.
 *
 * A convolution is three maps between an image side x [N,C,H,W] and an output side y [N,K,P,Q] with weights w [K,C,R,S]:
 * gather (x -> y, the forward pass), scatter (y -> x, its transpose) and weights (x, y -> dw). A transposed convolution is the
 * same three with the sides exchanged, so every algorithm serves both. */
#ifndef TGI_OP_CONV2D_H
#define TGI_OP_CONV2D_H

#include "tensor/tensor.h"
#include <taggan/op.h>

/* How many parts of `size` hold n. */
static inline size_t tgi_blocks(size_t n, size_t size)
{
    return (n + size - 1) / size;
}

static inline size_t tgi_smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t tgi_larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

typedef struct tgi_conv {
    size_t n, c, h, w; /* image side */
    size_t k, p, q;    /* output side */
    size_t r, s, stride, pad;
    bool is_reflected;
} tgi_conv;

/* The three maps; with each algorithm, layer and device they are chosen apart. */
typedef enum tgi_conv_pass { TGI_CONV_GATHER, TGI_CONV_SCATTER, TGI_CONV_WEIGHTS } tgi_conv_pass;

/* What became of a library's known-answer run on a device. REFUTED_NOW is told once; tg_error_message() then says why. */
typedef enum tgi_proof { TGI_PROVEN, TGI_REFUTED, TGI_REFUTED_NOW } tgi_proof;

/* For tests of what happens without a library: TAGGAN_TEST_WRONG names one whose known answers are to be taken as wrong. */
bool tgi_proof_is_spoilt(const char *library);

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
    /* For what a library computes: whether it gave known answers on this device. Asked last, since it takes time; NULL: always. */
    tgi_proof (*prove)(tg_device *dev, const tgi_conv *conv);
} tgi_conv_algorithm;

/* The maps of a layer that takes x and gives y; of a transposed one they are exchanged. */
tgi_conv tgi_conv_of(tg_dims x, tg_dims w, tg_dims y, const tg_conv2d_geom *geom,
                     bool is_transposed);

/* What TG_CONV_AUTO means on this device from now on; TG_CONV_AUTO restores the rule. Logs a warning when the algorithm's library
 * was left out of this build. */
void tgi_conv_set_default(tg_device *dev, tg_conv_algorithm algorithm);

/* All algorithms, ended by NULL, in the order in which the rule asks them; the last one, direct, always applies. */
extern const tgi_conv_algorithm *const tgi_conv_algorithms[];
extern const tgi_conv_algorithm tgi_conv_direct, tgi_conv_packed, tgi_conv_matmul, tgi_conv_fft;
extern const tgi_conv_algorithm tgi_conv_winograd, tgi_conv_winograd2;
extern const tgi_conv_algorithm tgi_conv_winograd_gpu, tgi_conv_winograd2_gpu, tgi_conv_implicit;

/* TG_ERR_UNSUPPORTED, naming the library, when this build lacks it. */
tg_status tgi_conv_expect_built(tg_conv_algorithm algorithm) TG_MUST_CHECK;

/* What computes this pass: `wish`, else the device's default, where that applies and is proven; else what was measured or shipped for
 * this device (op/tune.h); else the rule. */
const tgi_conv_algorithm *tgi_conv_choose(const tg_device *dev, tg_conv_algorithm wish,
                                          const tgi_conv *conv, tgi_conv_pass pass);

/* One line (rows or columns) of one phase of the scatter: pixels h = stride * j + number - offset come from outputs j - t, taps
 * t = 0..taps-1 (none where the stride is larger than the kernel). */
typedef struct tgi_conv_phase {
    size_t taps, first, count, y_first; /* j from first; pixel of the first j */
} tgi_conv_phase;
tgi_conv_phase tgi_conv_phase_of(size_t number, size_t taps, size_t stride, size_t offset,
                                 size_t pixels);

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

/* peak.h -- what a device can do at most, measured: what its kernels are held against. */
#ifndef TGI_OP_PEAK_H
#define TGI_OP_PEAK_H

#include "device/timing.h"
#include "tensor/tensor.h"

/* The two kernels in one form of their vectors. */
typedef struct tgi_peak_variant {
    const char *name;
    size_t width, group; /* floats to a vector, work-items to a group */
} tgi_peak_variant;
enum { TGI_PEAK_VARIANTS = 4, TGI_PEAK_CHAINS = 12 };
extern const tgi_peak_variant tgi_peak_variants[TGI_PEAK_VARIANTS];

/* y[i] = sum of the chains after n_rounds, begun at x[i] + 0..11 (cl/peak.cl). x and y have equally many values, a multiple of
 * the variant's width; TG_ERR_SHAPE otherwise. */
tg_status tgi_peak_fma(const tgi_peak_variant *variant, const tg_tensor *x, size_t n_rounds,
                       float m, float c, tg_tensor *y) TG_MUST_CHECK;
/* y = x, by a kernel. */
tg_status tgi_peak_copy(const tgi_peak_variant *variant, const tg_tensor *x,
                        tg_tensor *y) TG_MUST_CHECK;

/* The best of all variants. */
typedef struct tgi_peak {
    double flop_s,
        copy_bytes_s; /* a multiply-add is two; a byte copied is one read and one written */
    const char *fma_variant, *copy_variant;
} tgi_peak;
/* Takes about a second; waits. */
tg_status tgi_peak_measure(tg_device *dev, tgi_peak *out) TG_MUST_CHECK;

#endif

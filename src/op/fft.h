/* fft.h -- real Fourier transforms of many planes at once, by clFFT.
 *
 * clFFT writes and compiles kernels for each size, which takes seconds, and on some drivers they are wrong or do not run although
 * baking the plan succeeds. So a size is used only after tgi_fft_prove() compared it with a plain transform on this device. */
#ifndef TGI_OP_FFT_H
#define TGI_OP_FFT_H

#include "op/conv2d.h"

/* `planes` real planes of h x w values, and as many spectra of h x tgi_fft_columns(w) complex values. */
typedef struct tgi_fft_shape {
    size_t h, w, planes;
} tgi_fft_shape;

/* The smallest even number of at least n whose only prime factors are 2, 3, 5 and 7. */
size_t tgi_fft_length(size_t n);

static inline size_t tgi_fft_columns(size_t w)
{
    return w / 2 + 1;
}

/* Whether transforms of h x w are right on this device; runs them once, later calls remember. */
tgi_proof tgi_fft_prove(tg_device *dev, size_t h, size_t w);

/* Real to spectra, and spectra to real divided by h * w. Enqueues; the inverse may overwrite its input. */
tg_status tgi_fft_forward(const tgi_fft_shape *shape, const tg_tensor *real,
                          tg_tensor *spectra) TG_MUST_CHECK;
tg_status tgi_fft_inverse(const tgi_fft_shape *shape, tg_tensor *spectra,
                          tg_tensor *real) TG_MUST_CHECK;

#endif

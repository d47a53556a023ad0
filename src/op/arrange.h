/* arrange.h -- parts of samples moved between tensors, for the operations that put channels beside others. */
#ifndef TGI_OP_ARRANGE_H
#define TGI_OP_ARRANGE_H

#include <taggan/tensor.h>

/* In every sample: n values from value from_first on go to value to_first on (copied), or are added there. The caller has
 * checked that both tensors have as many samples and that the parts lie inside. */
tg_status tgi_rows_copy(const tg_tensor *from, size_t from_first, tg_tensor *to, size_t to_first,
                        size_t n) TG_MUST_CHECK;
tg_status tgi_rows_add(const tg_tensor *from, size_t from_first, tg_tensor *to, size_t to_first,
                       size_t n) TG_MUST_CHECK;

/* n values of a tensor, from `from_at` on, added to those of another from `to_at` on. */
tg_status tgi_part_add(const tg_tensor *from, size_t from_at, tg_tensor *to, size_t to_at,
                       size_t n) TG_MUST_CHECK;

/* A convolution w [K,C,3,3] (stride 1, padding 1 with zeros) of what was upsampled twice is a transposed one of what was not, with
 * w4 [C,K,4,4], stride 2 and padding 1: less than half the work, and the upsampled image is never there. */
tg_status tgi_upsample_weights_forward(const tg_tensor *w, tg_tensor *w4) TG_MUST_CHECK;
/* dw += what dw4 says of it. */
tg_status tgi_upsample_weights_backward(const tg_tensor *dw4, tg_tensor *dw) TG_MUST_CHECK;

#endif

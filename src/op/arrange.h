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

#endif

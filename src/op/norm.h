/* norm.h -- what instance and batch normalisation share on the host: one work-group works on one plane. */
#ifndef TGI_OP_NORM_H
#define TGI_OP_NORM_H

#include "op/reduce.h"

/* Options for kernels with one work-group to a plane of x, and the work-items of that group. */
const char *tgi_norm_options(const tg_tensor *x, size_t *group);

/* TG_ERR_SHAPE unless the vector is NULL or has one value for each of x's channels. */
tg_status tgi_norm_expect_vector(const char *what, const tg_tensor *x,
                                 const tg_tensor *vector) TG_MUST_CHECK;

#endif

/* conv2d_rows.h -- convolution on planes (cl/conv2d_rows.cl), the main form of algorithm `packed`: which layers it takes, and
 * the three maps. What it does not take is left to the register tiles of conv2d_packed.c. */
#ifndef TGI_OP_CONV2D_ROWS_H
#define TGI_OP_CONV2D_ROWS_H

#include "op/conv2d.h"

/* How a layer is cut for conv_rows and rows_weights. */
typedef struct tgi_rows_plan {
    size_t vq, kt, nq, cb, tp;      /* the tunables of the kernels */
    size_t unit_rows, unit_columns; /* units of 16 pixels of one image */
    size_t images, slices;          /* images to a group; groups that share an image's rows */
    size_t rows, pitch;             /* of one plane in the copy */
    size_t tiles_each, parts; /* tiles of kt channels to a group; groups that share the tiles */
    size_t channels_each, c_parts; /* rows_weights: the same for input channels */
    size_t kv;         /* rows_weights: vectors of channels to a tile; 0: vectors of pixels */
    size_t copy_bytes; /* local memory */
} tgi_rows_plan;

/* False where the rows do not fit into local memory or lanes would stay empty. */
bool tgi_rows_plan_gather(const tg_device *dev, const tgi_conv *conv, tgi_rows_plan *plan);
/* is_folded: a reflected border is added back by the same kernel. */
bool tgi_rows_plan_scatter(const tg_device *dev, const tgi_conv *conv, bool is_folded,
                           tgi_rows_plan *plan);
bool tgi_rows_plan_weights(const tg_device *dev, const tgi_conv *conv, tgi_rows_plan *plan);

tg_status tgi_rows_gather(const tgi_conv *conv, const tgi_rows_plan *plan, const tg_tensor *x,
                          tg_tensor *w, const tg_tensor *b, bool add, tg_tensor *y) TG_MUST_CHECK;
tg_status tgi_rows_scatter(const tgi_conv *conv, const tgi_rows_plan *plan, const tg_tensor *y,
                           tg_tensor *w, const tg_tensor *b, bool add, tg_tensor *x) TG_MUST_CHECK;
tg_status tgi_rows_weights(const tgi_conv *conv, const tgi_rows_plan *plan, const tg_tensor *x,
                           const tg_tensor *y, tg_tensor *dw) TG_MUST_CHECK;

#endif

/* conv2d_channels.h -- convolution in vectors of output channels (cl/conv2d_channels.cl), the form of algorithm `packed` for large
 * maps with many outputs: which layers it takes, and the maps. */
#ifndef TGI_OP_CONV2D_CHANNELS_H
#define TGI_OP_CONV2D_CHANNELS_H

#include "op/conv2d.h"

/* How a layer is cut for the kernels. */
typedef struct tgi_channels_plan {
    size_t nv, tq, cb;    /* the tunables of the kernels */
    size_t strip, strips; /* rows of a strip; strips of an image */
    size_t pitch;         /* of one row in the copy */
    size_t back, rows;    /* of the scatter: rows and columns in front of the copy; rows in it */
    size_t c_each,
        taps_each; /* input channels whose weights are taken at a time; of the scatter: taps of all of them */
    size_t chunks;     /* of the weight gradient: chunks of rows */
    size_t copy_bytes; /* local memory */
} tgi_channels_plan;

/* False where conv2d_rows is as fast or faster, or the rows do not fit into local memory. */
bool tgi_channels_plan_gather(const tg_device *dev, const tgi_conv *conv, tgi_channels_plan *plan);
bool tgi_channels_plan_scatter(const tg_device *dev, const tgi_conv *conv, tgi_channels_plan *plan);
bool tgi_channels_plan_weights(const tg_device *dev, const tgi_conv *conv, tgi_channels_plan *plan);

tg_status tgi_channels_gather(const tgi_conv *conv, const tgi_channels_plan *plan,
                              const tg_tensor *x, tg_tensor *w, const tg_tensor *b, bool add,
                              tg_tensor *y) TG_MUST_CHECK;
tg_status tgi_channels_scatter(const tgi_conv *conv, const tgi_channels_plan *plan,
                               const tg_tensor *y, tg_tensor *w, const tg_tensor *b, bool add,
                               tg_tensor *x) TG_MUST_CHECK;
tg_status tgi_channels_weights(const tgi_conv *conv, const tgi_channels_plan *plan,
                               const tg_tensor *x, const tg_tensor *y, tg_tensor *dw) TG_MUST_CHECK;

#endif

/* tensor_core.h -- whether matrix units multiply for convolutions on a device: what was wished for, and what gave known answers. */
#ifndef TGI_OP_TENSOR_CORE_H
#define TGI_OP_TENSOR_CORE_H

#include "device/device.h"

/* What the factors are rounded to; sums stay float. Says once, in a warning, why a wish is not granted. */
void tgi_tensor_core_wish(tg_device *dev, tgi_tensor_cores wish);

/* Build options that make cl/conv2d_implicit.cl use them, or NULL: not wished for, or not to be had. The first call asks the device. */
const char *tgi_tensor_core_options(tg_device *dev);

#endif

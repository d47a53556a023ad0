/* kernel_times.h -- where a profiled device spent its time, as a table. */
#ifndef TGI_CLI_KERNEL_TIMES_H
#define TGI_CLI_KERNEL_TIMES_H

#include <stdio.h>

#include "base/status.h"
#include <taggan/device.h>

/* The profile with one row a kernel, largest first: a program built with several sets of options has several of each. free() the
 * rows. */
tg_status tgi_kernel_times_read(tg_device *dev, tg_kernel_time **rows, size_t *n) TG_MUST_CHECK;
tg_status tgi_kernel_times_print(tg_device *dev, FILE *out) TG_MUST_CHECK;

#endif

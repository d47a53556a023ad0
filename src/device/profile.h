/* profile.h -- times of kernels on a profiled device, read from their events in batches. */
#ifndef TGI_DEVICE_PROFILE_H
#define TGI_DEVICE_PROFILE_H

#include "device/program.h"

/* Keeps the event (and releases it later). Waits for the queue every few thousand launches: profiled runs only. */
tg_status tgi_profile_add(tgi_kernel *kernel, cl_event event) TG_MUST_CHECK;
void tgi_profile_free(tg_device *dev);

#endif

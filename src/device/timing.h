/* timing.h -- how long something takes on a device: the one place where times that a user reads are measured. */
#ifndef TGI_DEVICE_TIMING_H
#define TGI_DEVICE_TIMING_H

#include "device/device.h"

/* Enqueues the work once. */
typedef tg_status tgi_timed_fn(void *user);

typedef struct tgi_timing_opts {
    size_t n_runs;  /* at most; 0 counts as 1 */
    double seconds; /* no run but the first begins after that long */
} tgi_timing_opts;

/* Of one call of the work. */
typedef struct tgi_timing {
    double min_s, median_s;
    size_t n_runs;
} tgi_timing;

/* Seconds of a clock that nobody sets. */
double tgi_now_s(void);

/* Runs `prepare` (not timed; may be NULL) and `run` in turn, first once to warm up: kernels are compiled and the pool is filled
 * then. A run begins on an idle device and ends with tg_device_finish(). Work that takes under two milliseconds and needs no
 * prepare is enqueued several times a run, so that the wait at the end is no part of its time. */
tg_status tgi_time(tg_device *dev, tgi_timed_fn *prepare, tgi_timed_fn *run, void *user,
                   const tgi_timing_opts *opts, tgi_timing *out) TG_MUST_CHECK;

#endif

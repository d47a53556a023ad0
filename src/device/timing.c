/* timing.c -- runs work on a device again and again and keeps the shortest and the median time. */
#include "config.h"
#include "device/timing.h"
#include "base/memory.h"

#include <stdlib.h>
#include <time.h>

#include "base/banned.h"

static const double short_s = 2e-3; /* a wait for the device costs up to 1 % of that */
enum { MOST_CALLS = 1000 };

double tgi_now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Seconds of n_calls calls, on a device that is idle before and after. */
static tg_status run_once(tg_device *dev, tgi_timed_fn *prepare, tgi_timed_fn *run, void *user,
                          size_t n_calls, double *seconds)
{
    tg_status status = TG_OK;
    double begin_s;

    if (prepare)
        TG_TRY(prepare(user));
    TG_TRY(tg_device_finish(dev));
    begin_s = tgi_now_s();
    for (size_t i = 0; i < n_calls; i++)
        TG_TRY(run(user));
    TG_TRY(tg_device_finish(dev));
    *seconds = tgi_now_s() - begin_s;
cleanup:
    return status;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

tg_status tgi_time(tg_device *dev, tgi_timed_fn *prepare, tgi_timed_fn *run, void *user,
                   const tgi_timing_opts *opts, tgi_timing *out)
{
    tg_status status = TG_OK;
    size_t most = opts->n_runs ? opts->n_runs : 1, n = 0, n_calls = 1;
    double begin_s, *times = NULL;

    TG_TRY(tgi_alloc(most, sizeof *times, &times));
    TG_TRY(run_once(dev, prepare, run, user, 1, &times[0])); /* compiles */
    begin_s = tgi_now_s();
    do {
        TG_TRY(run_once(dev, prepare, run, user, n_calls, &times[n]));
        if (!prepare && n_calls == 1 && times[n] < short_s) { /* once more, several at a time */
            n_calls = (size_t)(short_s / (times[n] + short_s / MOST_CALLS)) + 1;
            continue;
        }
        times[n++] /= (double)n_calls;
    } while (n < most && (!n || tgi_now_s() - begin_s < opts->seconds));
    qsort(times, n, sizeof *times, by_value);
    *out = (tgi_timing){
        .min_s = times[0],
        .median_s = n % 2 ? times[n / 2] : (times[n / 2 - 1] + times[n / 2]) / 2,
        .n_runs = n,
    };
cleanup:
    free(times);
    return status;
}

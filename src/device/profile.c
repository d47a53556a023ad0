/* profile.c -- times of kernels on a profiled device. */
#include "config.h"
#include "device/profile.h"
#include "base/memory.h"

#include <stdlib.h>

#include "base/banned.h"

enum { PENDING = 4096 };

struct tgi_profile {
    size_t n;
    struct {
        tgi_kernel *kernel;
        cl_event event;
    } pending[PENDING];
};

static tg_status collect(tg_device *dev)
{
    tg_status status = TG_OK;

    if (!dev->profile)
        return TG_OK;
    TG_CL(clFinish(dev->queue));
    for (size_t i = 0; i < dev->profile->n; i++) {
        cl_ulong start = 0, end = 0;
        cl_event event = dev->profile->pending[i].event;

        if (clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start, &start,
                                    NULL) == CL_SUCCESS &&
            clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL) ==
                CL_SUCCESS &&
            end > start)
            dev->profile->pending[i].kernel->seconds += (double)(end - start) * 1e-9;
        clReleaseEvent(event);
    }
    dev->profile->n = 0;
cleanup:
    return status;
}

tg_status tgi_profile_add(tgi_kernel *kernel, cl_event event)
{
    tg_device *dev = kernel->dev;
    tg_status status = TG_OK;

    if (!dev->profile)
        TG_TRY(tgi_alloc(1, sizeof *dev->profile, &dev->profile));
    if (dev->profile->n == PENDING)
        TG_TRY(collect(dev));
    dev->profile->pending[dev->profile->n].kernel = kernel;
    dev->profile->pending[dev->profile->n++].event = event;
    return TG_OK;
cleanup:
    clReleaseEvent(event);
    return status;
}

void tgi_profile_free(tg_device *dev)
{
    if (collect(dev) != TG_OK)
        tg_log(TG_LOG_WARNING, "profile: %s", tg_error_message());
    free(dev->profile);
    dev->profile = NULL;
}

typedef struct row_list {
    tg_kernel_time *rows;
    size_t n, capacity;
} row_list;

static tg_status add_row(const char *program, tgi_kernel *kernel, void *user)
{
    row_list *list = user;

    if (tgi_grow(&list->rows, &list->capacity, list->n + 1, sizeof *list->rows) != TG_OK)
        return TG_ERR_MEMORY;
    list->rows[list->n++] =
        (tg_kernel_time){program, kernel->name, kernel->n_launches, kernel->seconds};
    return TG_OK;
}

static int by_seconds(const void *a, const void *b)
{
    double x = ((const tg_kernel_time *)a)->seconds, y = ((const tg_kernel_time *)b)->seconds;

    return (x < y) - (x > y);
}

tg_status tg_device_profile(tg_device *dev, tg_kernel_time **rows, size_t *n)
{
    tg_status status = TG_OK;
    row_list list = {0};

    *rows = NULL;
    *n = 0;
    TG_TRY(collect(dev));
    TG_TRY(tgi_kernels_each(dev, add_row, &list));
    if (list.n)
        qsort(list.rows, list.n, sizeof *list.rows, by_seconds);
    *rows = list.rows;
    *n = list.n;
    list.rows = NULL;
cleanup:
    free(list.rows);
    return status;
}

/* device.c -- one context and one in-order queue on one device. */
#include "config.h"
#include "base/memory.h"
#include "device/device.h"
#include "device/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

const char *tgi_cl_error(cl_int code)
{
    static const struct {
        cl_int code;
        const char *words;
    } table[] = {
        {-1, "device not found"},
        {-2, "device not available"},
        {-3, "compiler not available"},
        {-4, "device memory ran out"},
        {-5, "out of resources"},
        {-6, "host memory ran out"},
        {-11, "program build failed"},
        {-13, "misaligned sub-buffer"},
        {-30, "invalid value"},
        {-33, "invalid device"},
        {-34, "invalid context"},
        {-36, "invalid queue"},
        {-38, "invalid memory object"},
        {-42, "invalid binary"},
        {-43, "invalid build options"},
        {-44, "invalid program"},
        {-45, "invalid program executable"},
        {-46, "invalid kernel name"},
        {-48, "invalid kernel"},
        {-49, "invalid argument index"},
        {-50, "invalid argument value"},
        {-51, "invalid argument size"},
        {-52, "a kernel argument is not set"},
        {-54, "invalid work-group size"},
        {-55, "invalid work-item size"},
        {-58, "invalid event"},
        {-59, "invalid operation"},
        {-61, "invalid buffer size"},
        {-63, "invalid global size"},
        {-1001, "no OpenCL platform"},
    };

    for (size_t i = 0; i < TG_COUNT(table); i++) {
        if (table[i].code == code)
            return table[i].words;
    }
    return "OpenCL error";
}

tg_status tgi_cl_fail(cl_int code, const char *call, const char *file, int line)
{
    bool is_memory = code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY;

    return tg_fail(is_memory ? TG_ERR_MEMORY : TG_ERR_OPENCL, "%s (%d) from %.120s at %s:%d",
                   tgi_cl_error(code), code, call, file, line);
}

static tg_status open_device(const char *spec, bool is_profiled, tg_device **out)
{
    tg_status status = TG_OK;
    tg_device *dev = NULL;
    cl_int code;

    *out = NULL;
    if (!spec || !*spec)
        spec = getenv("TAGGAN_DEVICE");
    if (!spec || !*spec)
        spec = "auto";
    TG_TRY(tgi_alloc(1, sizeof *dev, &dev));
    TG_TRY(tgi_device_find(spec, &dev->platform, &dev->id, &dev->info));
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM,
                                                (cl_context_properties)dev->platform, 0};
    dev->context = clCreateContext(properties, 1, &dev->id, NULL, NULL, &code);
    TG_CL(code);
    dev->queue = clCreateCommandQueue(dev->context, dev->id,
                                      is_profiled ? CL_QUEUE_PROFILING_ENABLE : 0, &code);
    TG_CL(code);
    dev->is_profiled = is_profiled;
    *out = dev;
    dev = NULL;
cleanup:
    if (status != TG_OK)
        tg_fail_in(status, "cannot open a device");
    tg_device_free(dev);
    return status;
}

tg_status tg_device_open(const char *spec, tg_device **out)
{
    return open_device(spec, false, out);
}

tg_status tg_device_open_profiled(const char *spec, tg_device **out)
{
    return open_device(spec, true, out);
}

void tg_device_free(tg_device *dev)
{
    if (!dev)
        return;
    if (dev->queue)
        clFinish(dev->queue);
    if (dev->tune_free)
        dev->tune_free(dev->tune);
    if (dev->fft_free)
        dev->fft_free(dev->fft);
    if (dev->pool_free)
        dev->pool_free(dev->pool);
    tgi_profile_free(dev);
    tgi_programs_free(dev);
    if (dev->queue)
        clReleaseCommandQueue(dev->queue);
    if (dev->context)
        clReleaseContext(dev->context);
    free(dev);
}

const tg_device_info *tg_device_get_info(const tg_device *dev)
{
    return &dev->info;
}

tg_status tg_device_finish(tg_device *dev)
{
    tg_status status = TG_OK;

    TG_CL(clFinish(dev->queue));
cleanup:
    return status;
}

void tg_device_memory(const tg_device *dev, size_t *now, size_t *peak)
{
    *now = dev->bytes_now;
    *peak = dev->bytes_peak;
}

/* device.h -- the inside of a device, for the rooms above that launch kernels. */
#ifndef TGI_DEVICE_DEVICE_H
#define TGI_DEVICE_DEVICE_H

#include <CL/cl.h>

#include "base/status.h"
#include <taggan/device.h>

struct tgi_program;
struct tgi_pool;
struct tgi_fft;
struct tgi_tune;
struct tgi_profile;

/* Kernels come in two families: wide vectors and one work-item to a group for processors; work-groups, local memory and
 * narrow vectors for graphics cards. Either is right on every device. */
typedef enum tgi_kernel_family {
    TGI_FAMILY_AUTO,
    TGI_FAMILY_CPU,
    TGI_FAMILY_GPU
} tgi_kernel_family;

/* How values are kept from the way forward for the way back. */
typedef enum tgi_precision { TGI_PRECISION_FLOAT, TGI_PRECISION_HALF } tgi_precision;

/* What matrix units round the factors of convolutions to. */
typedef enum tgi_tensor_cores { TGI_TENSOR_OFF, TGI_TENSOR_TF32, TGI_TENSOR_HALF } tgi_tensor_cores;

struct tg_device {
    tg_device_info info;
    cl_platform_id platform;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;
    bool is_profiled;
    struct tgi_program *programs; /* list, newest first */
    struct tgi_profile *profile;  /* NULL until a profiled device launched a kernel */
    struct tgi_pool *pool;        /* owned by tensor/, which hangs its destructor beside it */
    void (*pool_free)(struct tgi_pool *pool);
    struct tgi_fft *fft; /* plans, owned by op/ in the same way */
    void (*fft_free)(struct tgi_fft *fft);
    struct tgi_tune *tune; /* measured choices, the same */
    void (*tune_free)(struct tgi_tune *tune);
    int sgemm_proof;               /* op/sgemm.c: 0 not asked yet, 1 right, -1 wrong */
    tgi_tensor_cores tensor_cores; /* wished for; op/tensor_core.c: whether they are to be had */
    int tensor_proof;              /* 0 not asked yet, 1 right, -1 not */
    const char *tensor_options;    /* what they are built with */
    tgi_kernel_family family;      /* which kernels are preferred; auto: by the device's kind */
    tgi_precision precision;       /* as the model's tapes are set */
    int conv_algorithm;            /* what TG_CONV_AUTO means here (op/conv2d.h); 0: by rule */
    size_t bytes_now, bytes_peak;  /* in tensors */
    double compiling_s;            /* spent in the driver's compiler so far */
    bool has_said_compiling;
};

static inline bool tgi_is_cpu_family(const tg_device *dev)
{
    return dev->family == TGI_FAMILY_CPU ||
           (dev->family == TGI_FAMILY_AUTO && dev->info.kind == TG_DEVICE_CPU);
}

/* The words for an OpenCL error code. */
const char *tgi_cl_error(cl_int code);
tg_status tgi_cl_fail(cl_int code, const char *call, const char *file, int line);

/* Checks an OpenCL call and leaves through `cleanup` with its text and code in the message. */
#define TG_CL(call)                                                                                \
    do {                                                                                           \
        cl_int code_ = (call);                                                                     \
        if (code_ != CL_SUCCESS) {                                                                 \
            status = tgi_cl_fail(code_, #call, __FILE__, __LINE__);                                \
            goto cleanup;                                                                          \
        }                                                                                          \
    } while (0)

/* Fills *info; never fails as a whole: what cannot be read stays empty and makes the device unusable. */
void tgi_device_read_info(cl_platform_id platform, cl_device_id id, tg_device_info *info);

/* The device that a spec names (see tg_device_open). */
tg_status tgi_device_find(const char *spec, cl_platform_id *platform, cl_device_id *id,
                          tg_device_info *info) TG_MUST_CHECK;

#endif

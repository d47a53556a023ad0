/** \file taggan/device.h
 *  OpenCL devices: which there are, opening one, and what its kernels cost.
 *  One context and one in-order queue a device; a device object is used by one thread at a time.
 */
#ifndef TAGGAN_DEVICE_H
#define TAGGAN_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <taggan/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tg_device tg_device;

typedef enum tg_device_kind { TG_DEVICE_CPU, TG_DEVICE_GPU, TG_DEVICE_OTHER } tg_device_kind;

/** What a device says of itself. */
typedef struct tg_device_info {
    char platform[128], platform_version[128], name[192], vendor[128], version[128], driver[128];
    tg_device_kind kind;
    size_t index; /**< the number that `--device` takes */
    size_t compute_units;
    size_t max_work_group; /**< work-items in one work-group */
    size_t vector_width;   /**< floats in a native vector; 1 on most GPUs */
    size_t global_bytes, max_alloc_bytes, local_bytes;
    size_t base_align_bytes; /**< where a sub-buffer may begin */
    bool has_fp64, has_fp16, has_subgroups;
    bool is_usable; /**< false: available or compiler missing, and problem says which */
    char problem[128];
} tg_device_info;

/** Every device of every platform, in the loader's order; a platform that fails is logged and left out.
 *  \param list  array of n, to be released with free(); NULL on failure
 *  \return TG_ERR_DEVICE with an install hint when there is none. */
tg_status tg_device_list(tg_device_info **list, size_t *n) TG_MUST_CHECK;

/** Opens the device that `spec` names: "auto" (a GPU, else a CPU), "cpu", "gpu", an index of tg_device_list(), or part of a
 *  platform's or device's name ("nvidia", "pocl", "intel"). NULL or "" reads the environment variable TAGGAN_DEVICE, else "auto".
 *  \return TG_ERR_DEVICE when nothing fits; the message lists what there is. */
tg_status tg_device_open(const char *spec, tg_device **out) TG_MUST_CHECK;

/** As tg_device_open(), with the time of every kernel kept for tg_device_profile(). */
tg_status tg_device_open_profiled(const char *spec, tg_device **out) TG_MUST_CHECK;

/** Waits for the queue, stores the program cache, releases everything. Tensors go before their device. NULL is fine. */
void tg_device_free(tg_device *device);

const tg_device_info *tg_device_get_info(const tg_device *device);

/** Waits until all that was enqueued is done. The hot path never calls it. */
tg_status tg_device_finish(tg_device *device) TG_MUST_CHECK;

/** Device memory in tensors now, and the most there ever was, in bytes. */
void tg_device_memory(const tg_device *device, size_t *now, size_t *peak);

/** What one kernel has cost since the device was opened. */
typedef struct tg_kernel_time {
    const char *program, *kernel; /**< borrowed from the device */
    size_t n_launches;
    double seconds;
} tg_kernel_time;

/** Rows by time, largest first; free() releases them. Times are zero unless the device was opened profiled. Waits for the queue. */
tg_status tg_device_profile(tg_device *device, tg_kernel_time **rows, size_t *n) TG_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif

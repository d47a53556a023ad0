/* program.h -- from a kernel's name to a launch: builds programs once, caches their binaries, sets arguments.
 *
 *     tgi_kernel *k;
 *     TG_TRY(tgi_kernel_get(dev, "elementwise", "add", "", &k));
 *     TG_TRY(tgi_kernel_run(k, TGI_RANGE1(n), TGI_ARGS(tgi_mem(a->mem), tgi_mem(b->mem), tgi_int(n), tgi_mem(y->mem))));
 */
#ifndef TGI_DEVICE_PROGRAM_H
#define TGI_DEVICE_PROGRAM_H

#include "device/device.h"
#include <stdint.h>

typedef struct tgi_kernel {
    tg_device *dev;
    struct tgi_program *program;
    struct tgi_kernel *next;
    cl_kernel id;
    char name[64];
    size_t local[3]; /* from reqd_work_group_size; {0} when the kernel leaves it to the driver */
    size_t n_launches;
    double seconds; /* profiled devices only */
} tgi_kernel;

/* At the end of options: reductions by sub-groups, where the device has them and its compiler takes them; else it is left out. */
#define TGI_SUBGROUPS " -DTG_SUBGROUPS"

/* The kernel `name` of the text cl/PROGRAM.cl, built with `options` (for example "-DWG=64 -DSTRIDE=2").
 * The first call builds (or loads the binary from the cache); later ones look it up. Belongs to the device. */
tg_status tgi_kernel_get(tg_device *dev, const char *program, const char *name, const char *options,
                         tgi_kernel **out) TG_MUST_CHECK;

/* Work-items in each dimension; rounded up to the kernel's local size, so kernels guard their edge. */
typedef struct tgi_range {
    size_t global[3];
} tgi_range;
#define TGI_RANGE1(x)       ((tgi_range){{(x), 1, 1}})
#define TGI_RANGE2(x, y)    ((tgi_range){{(x), (y), 1}})
#define TGI_RANGE3(x, y, z) ((tgi_range){{(x), (y), (z)}})

typedef struct tgi_arg {
    size_t size;
    union {
        cl_mem buffer;
        cl_int i;
        cl_float f;
    } value;
    int is_local; /* size bytes of local memory */
} tgi_arg;

static inline tgi_arg tgi_mem(cl_mem buffer)
{
    return (tgi_arg){sizeof buffer, {.buffer = buffer}, 0};
}
/* A host size that was checked to fit an int when its tensor was made. */
static inline tgi_arg tgi_int(size_t value)
{
    return (tgi_arg){sizeof(cl_int), {.i = (cl_int)value}, 0};
}
static inline tgi_arg tgi_float(double value)
{
    return (tgi_arg){sizeof(cl_float), {.f = (cl_float)value}, 0};
}
static inline tgi_arg tgi_local(size_t bytes)
{
    return (tgi_arg){bytes, {.i = 0}, 1};
}

#define TGI_ARGS(...)                                                                              \
    (const tgi_arg[]){__VA_ARGS__}, sizeof((const tgi_arg[]){__VA_ARGS__}) / sizeof(tgi_arg)

/* Sets the arguments in order and enqueues; never waits. */
tg_status tgi_kernel_run(tgi_kernel *kernel, tgi_range range, const tgi_arg *args,
                         size_t n_args) TG_MUST_CHECK;

/* Calls for every kernel that was looked up so far. */
tg_status tgi_kernels_each(tg_device *dev,
                           tg_status (*fn)(const char *program, tgi_kernel *kernel, void *user),
                           void *user) TG_MUST_CHECK;

/* Releases all programs of a device, storing the binaries of those built from source. */
void tgi_programs_free(tg_device *dev);

#endif

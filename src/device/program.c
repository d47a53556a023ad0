/* program.c -- builds programs from the embedded texts (or TAGGAN_CL_DIR), looks kernels up, launches them. */
#include "config.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "device/cache.h"
#include "device/profile.h"
#include "device/program.h"
#include "device/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"

typedef struct tgi_program {
    struct tgi_program *next;
    tgi_kernel *kernels;
    cl_program id;
    char *name, *options;
    char *key; /* of the cache; NULL once its binary is on disk */
} tgi_program;

enum { MAX_SOURCE_BYTES = 8 << 20 };

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Some drivers compile when a program is built, some at a kernel's first launch: both count. Who waits for two seconds is told why,
 * once; with a warm cache nobody does. */
static void add_compiling(tg_device *dev, double begin_s)
{
    dev->compiling_s += now_s() - begin_s;
    if (dev->compiling_s < 2 || dev->has_said_compiling)
        return;
    dev->has_said_compiling = true;
    tg_log(TG_LOG_INFO, "compiling kernels for %s, some seconds (kept for the next start)",
           dev->info.name);
}

/* The text of cl/NAME.cl: from TAGGAN_CL_DIR while somebody works on it, else the embedded one. */
static tg_status add_source(const char *name, tgi_text *text)
{
    tg_status status = TG_OK;
    const char *folder = getenv("TAGGAN_CL_DIR");
    char *path = NULL, *bytes = NULL;
    size_t n;

    if (folder && *folder) {
        TG_TRY(tgi_printf(&path, "%s/%s.cl", folder, name));
        TG_TRY(tgi_file_read(path, MAX_SOURCE_BYTES, &bytes, &n));
        TG_TRY(tgi_text_add(text, "#line 1 \"cl/%s.cl\"\n", name));
        TG_TRY(tgi_text_add_bytes(text, bytes, n));
        goto cleanup;
    }
    for (size_t i = 0; i < tgi_n_sources; i++) {
        if (strcmp(tgi_sources[i].name, name))
            continue;
        for (size_t line = 0; line < tgi_sources[i].n_lines; line++)
            TG_TRY(tgi_text_add_bytes(text, tgi_sources[i].lines[line],
                                      strlen(tgi_sources[i].lines[line])));
        goto cleanup;
    }
    status = tg_fail(TG_ERR_ARGUMENT, "no kernel file is named '%s'", name);
cleanup:
    free(bytes);
    free(path);
    return status;
}

static tg_status build_fail(tg_device *dev, const tgi_program *program, cl_int code)
{
    char *log = NULL;
    size_t n = 0;

    clGetProgramBuildInfo(program->id, dev->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &n);
    if (n && tgi_alloc(n + 1, 1, &log) == TG_OK)
        clGetProgramBuildInfo(program->id, dev->id, CL_PROGRAM_BUILD_LOG, n, log, NULL);
    tg_fail(TG_ERR_OPENCL, "cannot build cl/%s.cl with '%s' on %s: %s (%d)\n%.3000s", program->name,
            program->options, dev->info.name, tgi_cl_error(code), code, log ? log : "");
    free(log);
    return TG_ERR_OPENCL;
}

/* A binary from the cache; leaves program->id NULL when there is none or the driver refuses it. */
static void load_binary(tg_device *dev, tgi_program *program, const char *options)
{
    char *bytes;
    size_t n;
    cl_int code, each = CL_SUCCESS;

    tgi_cache_get(program->key, &bytes, &n);
    if (!bytes)
        return;
    const unsigned char *binary = (const unsigned char *)bytes;
    program->id = clCreateProgramWithBinary(dev->context, 1, &dev->id, &n, &binary, &each, &code);
    if (code == CL_SUCCESS && each == CL_SUCCESS &&
        clBuildProgram(program->id, 1, &dev->id, options, NULL, NULL) == CL_SUCCESS) {
        free(program->key);
        program->key = NULL;
    } else {
        if (program->id)
            clReleaseProgram(program->id);
        program->id = NULL;
        tg_log(TG_LOG_WARNING,
               "program cache: the driver refuses the binary of cl/%s.cl; it is made anew",
               program->name);
        tgi_cache_drop(program->key);
    }
    free(bytes);
}

/* Builds the source with `options` in OpenCL C `standard`: from the cache's binary, else from the text. */
static tg_status build_as(tg_device *dev, tgi_program *program, const tgi_text *source,
                          const char *standard, const char *program_options)
{
    tg_status status = TG_OK;
    char *options = NULL;
    const tg_device_info *info = &dev->info;
    cl_int code;

    TG_TRY(tgi_printf(&options, "-cl-std=%s %s", standard, program_options));
    TG_TRY(tgi_printf(&program->key, "%s|%s|%s|%s|%s|%s\n%s", info->platform,
                      info->platform_version, info->name, info->driver, tg_version(), options,
                      source->data));
    load_binary(dev, program, options);
    if (!program->id) {
        const char *text = source->data;

        program->id = clCreateProgramWithSource(dev->context, 1, &text, &source->size, &code);
        TG_CL(code);
        code = clBuildProgram(program->id, 1, &dev->id, options, NULL, NULL);
        if (code != CL_SUCCESS)
            status = build_fail(dev, program, code);
    }
cleanup:
    free(options);
    return status;
}

/* The OpenCL C that has sub-groups here, or NULL: the extension belongs to 2.0, and 3.0 devices have it as a feature. */
static const char *subgroup_standard(const tg_device_info *info)
{
    if (!info->has_subgroups)
        return NULL;
    if (!strncmp(info->version, "OpenCL 2.", 9))
        return "CL2.0";
    return strncmp(info->version, "OpenCL 1.", 9) ? "CL3.0" : NULL;
}

static tg_status build(tg_device *dev, tgi_program *program)
{
    tg_status status = TG_OK;
    tgi_text source = {0};
    char *plain = NULL, *asked = strstr(program->options, TGI_SUBGROUPS);
    const char *standard = subgroup_standard(&dev->info);

    TG_TRY(add_source("common", &source));
    TG_TRY(add_source(program->name, &source));
    if (asked && standard) {
        if (build_as(dev, program, &source, standard, program->options) == TG_OK)
            goto cleanup;
        tg_log(TG_LOG_WARNING, "cl/%s.cl is built without sub-groups: %s", program->name,
               tg_error_message());
        if (program->id)
            clReleaseProgram(program->id);
        program->id = NULL;
        free(program->key);
        program->key = NULL;
    }
    TG_TRY(tgi_printf(&plain, "%.*s%s",
                      (int)(asked ? (size_t)(asked - program->options) : strlen(program->options)),
                      program->options, asked ? asked + strlen(TGI_SUBGROUPS) : ""));
    TG_TRY(build_as(dev, program, &source, "CL1.2", plain));
cleanup:
    free(plain);
    tgi_text_release(&source);
    return status;
}

static void program_free(tgi_program *program)
{
    while (program->kernels) {
        tgi_kernel *kernel = program->kernels;

        program->kernels = kernel->next;
        clReleaseKernel(kernel->id);
        free(kernel);
    }
    if (program->id)
        clReleaseProgram(program->id);
    free(program->name);
    free(program->options);
    free(program->key);
    free(program);
}

static tg_status get_program(tg_device *dev, const char *name, const char *options,
                             tgi_program **out)
{
    tg_status status = TG_OK;
    tgi_program *program = NULL;

    for (program = dev->programs; program; program = program->next) {
        if (!strcmp(program->name, name) && !strcmp(program->options, options)) {
            *out = program;
            return TG_OK;
        }
    }
    TG_TRY(tgi_alloc(1, sizeof *program, &program));
    TG_TRY(tgi_strdup(name, &program->name));
    TG_TRY(tgi_strdup(options, &program->options));
    TG_TRY(build(dev, program));
    program->next = dev->programs;
    dev->programs = program;
    *out = program;
    return TG_OK;
cleanup:
    if (program)
        program_free(program);
    return status;
}

tg_status tgi_kernel_get(tg_device *dev, const char *program_name, const char *name,
                         const char *options, tgi_kernel **out)
{
    tg_status status = TG_OK;
    tgi_program *program = NULL;
    tgi_kernel *kernel = NULL;
    cl_int code;

    *out = NULL;
    double begin_s = now_s();
    TG_TRY(get_program(dev, program_name, options, &program));
    for (tgi_kernel *k = program->kernels; k; k = k->next) {
        if (!strcmp(k->name, name)) {
            *out = k;
            return TG_OK;
        }
    }
    TG_TRY(tgi_alloc(1, sizeof *kernel, &kernel));
    kernel->id = clCreateKernel(program->id, name, &code);
    if (code != CL_SUCCESS) {
        status = tg_fail(TG_ERR_OPENCL, "cl/%s.cl has no kernel '%s': %s (%d)", program_name, name,
                         tgi_cl_error(code), code);
        goto cleanup;
    }
    snprintf(kernel->name, sizeof kernel->name, "%s", name);
    kernel->dev = dev;
    kernel->program = program;
    clGetKernelWorkGroupInfo(kernel->id, dev->id, CL_KERNEL_COMPILE_WORK_GROUP_SIZE,
                             sizeof kernel->local, kernel->local, NULL);
    kernel->next = program->kernels;
    program->kernels = kernel;
    *out = kernel;
    add_compiling(dev, begin_s);
    return TG_OK;
cleanup:
    free(kernel);
    return status;
}

tg_status tgi_kernel_run(tgi_kernel *kernel, tgi_range range, const tgi_arg *args, size_t n_args)
{
    tg_device *dev = kernel->dev;
    cl_event event = NULL;
    size_t global[3];
    bool has_local = kernel->local[0] > 0;

    for (size_t i = 0; i < n_args; i++) {
        cl_int code = clSetKernelArg(kernel->id, (cl_uint)i, args[i].size,
                                     args[i].is_local ? NULL : &args[i].value);
        if (code != CL_SUCCESS)
            return tg_fail(TG_ERR_OPENCL, "kernel %s: argument %zu: %s (%d)", kernel->name, i,
                           tgi_cl_error(code), code);
    }
    for (int d = 0; d < 3; d++) {
        size_t local = has_local ? kernel->local[d] : 1;
        global[d] = (range.global[d] + local - 1) / local * local;
    }
    double begin_s = kernel->n_launches ? 0 : now_s();
    cl_int code = clEnqueueNDRangeKernel(dev->queue, kernel->id, 3, NULL, global,
                                         has_local ? kernel->local : NULL, 0, NULL,
                                         dev->is_profiled ? &event : NULL);
    if (code != CL_SUCCESS)
        return tg_fail(TG_ERR_OPENCL, "cannot launch kernel %s over %zu x %zu x %zu: %s (%d)",
                       kernel->name, global[0], global[1], global[2], tgi_cl_error(code), code);
    if (!kernel->n_launches)
        add_compiling(dev, begin_s);
    kernel->n_launches++;
    return event ? tgi_profile_add(kernel, event) : TG_OK;
}

/* After the first launches, because PoCL specialises kernels there and a binary taken before would lack that. */
static void store_binary(tgi_program *program)
{
    size_t n = 0;
    unsigned char *bytes = NULL;

    if (!program->key || !program->id)
        return;
    if (clGetProgramInfo(program->id, CL_PROGRAM_BINARY_SIZES, sizeof n, &n, NULL) == CL_SUCCESS &&
        n && tgi_alloc(n, 1, &bytes) == TG_OK &&
        clGetProgramInfo(program->id, CL_PROGRAM_BINARIES, sizeof bytes, &bytes, NULL) ==
            CL_SUCCESS)
        tgi_cache_put(program->key, bytes, n);
    free(bytes);
}

void tgi_programs_free(tg_device *dev)
{
    /* PoCL keeps a disk cache of its own, and asking it for a binary costs one more compilation of every kernel. */
    const char *forced = getenv("TAGGAN_CACHE");
    bool store = !tgi_has_word(dev->info.platform, "portable computing");

    if (forced && *forced)
        store = tgi_same_word(forced, "on");
    while (dev->programs) {
        tgi_program *program = dev->programs;

        dev->programs = program->next;
        if (store)
            store_binary(program);
        program_free(program);
    }
}

tg_status tgi_kernels_each(tg_device *dev,
                           tg_status (*fn)(const char *program, tgi_kernel *kernel, void *user),
                           void *user)
{
    for (tgi_program *program = dev->programs; program; program = program->next) {
        for (tgi_kernel *kernel = program->kernels; kernel; kernel = kernel->next) {
            tg_status status = fn(program->name, kernel, user);
            if (status != TG_OK)
                return status;
        }
    }
    return TG_OK;
}

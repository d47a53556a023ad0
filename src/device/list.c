/* list.c -- what devices there are. A platform or device that fails is logged and left out; the others stand. */
#include "config.h"
#include "base/memory.h"
#include "base/text.h"
#include "device/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { MAX_PLATFORMS = 64, MAX_DEVICES = 256 };
#define MAX_NUM_SUB_GROUPS 0x105C  /* of OpenCL 2.1's headers; 0 where there are none */
#define PLATFORM_NOT_FOUND (-1001) /* the ICD loader's code when no driver is installed */

static void read_text(cl_device_id id, cl_device_info what, char *out, size_t size)
{
    char text[2048] = "";

    if (clGetDeviceInfo(id, what, sizeof text - 1, text, NULL) != CL_SUCCESS)
        text[0] = 0;
    snprintf(out, size, "%s", text + strspn(text, " "));
}

static size_t read_uint(cl_device_id id, cl_device_info what)
{
    cl_uint value = 0;

    return clGetDeviceInfo(id, what, sizeof value, &value, NULL) == CL_SUCCESS ? value : 0;
}

static size_t read_ulong(cl_device_id id, cl_device_info what)
{
    cl_ulong value = 0;

    return clGetDeviceInfo(id, what, sizeof value, &value, NULL) == CL_SUCCESS ? (size_t)value : 0;
}

static void read_extensions(cl_device_id id, tg_device_info *info)
{
    char extensions[8192] = "";

    if (clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, sizeof extensions - 1, extensions, NULL) !=
        CL_SUCCESS)
        return;
    info->has_fp64 = strstr(extensions, "cl_khr_fp64") != NULL;
    info->has_fp16 = strstr(extensions, "cl_khr_fp16") != NULL;
    /* What was an extension of 2.x is a feature of 3.0, which need not be listed as an extension. */
    info->has_subgroups =
        strstr(extensions, "cl_khr_subgroups") != NULL ||
        (!strncmp(info->version, "OpenCL 3.", 9) && read_uint(id, MAX_NUM_SUB_GROUPS) > 0);
}

void tgi_device_read_info(cl_platform_id platform, cl_device_id id, tg_device_info *info)
{
    cl_device_type type = 0;
    cl_bool available = CL_FALSE, compiler = CL_FALSE;

    memset(info, 0, sizeof *info);
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof info->platform, info->platform, NULL);
    clGetPlatformInfo(platform, CL_PLATFORM_VERSION, sizeof info->platform_version,
                      info->platform_version, NULL);
    read_text(id, CL_DEVICE_NAME, info->name, sizeof info->name);
    read_text(id, CL_DEVICE_VENDOR, info->vendor, sizeof info->vendor);
    read_text(id, CL_DEVICE_VERSION, info->version, sizeof info->version);
    read_text(id, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
    read_extensions(id, info);
    clGetDeviceInfo(id, CL_DEVICE_TYPE, sizeof type, &type, NULL);
    info->kind = type & CL_DEVICE_TYPE_GPU   ? TG_DEVICE_GPU
                 : type & CL_DEVICE_TYPE_CPU ? TG_DEVICE_CPU
                                             : TG_DEVICE_OTHER;
    clGetDeviceInfo(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof info->max_work_group,
                    &info->max_work_group, NULL);
    info->compute_units = read_uint(id, CL_DEVICE_MAX_COMPUTE_UNITS);
    info->vector_width = read_uint(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT);
    info->base_align_bytes = read_uint(id, CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8;
    info->global_bytes = read_ulong(id, CL_DEVICE_GLOBAL_MEM_SIZE);
    info->max_alloc_bytes = read_ulong(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    info->local_bytes = read_ulong(id, CL_DEVICE_LOCAL_MEM_SIZE);
    clGetDeviceInfo(id, CL_DEVICE_AVAILABLE, sizeof available, &available, NULL);
    clGetDeviceInfo(id, CL_DEVICE_COMPILER_AVAILABLE, sizeof compiler, &compiler, NULL);
    if (!available)
        snprintf(info->problem, sizeof info->problem, "the driver says it is not available");
    else if (!compiler)
        snprintf(info->problem, sizeof info->problem, "the driver has no compiler");
    info->is_usable = available && compiler;
}

typedef struct device_entry {
    cl_platform_id platform;
    cl_device_id id;
    tg_device_info info;
} device_entry;

typedef struct device_table {
    device_entry *entries;
    size_t n, capacity;
} device_table;

static tg_status add_platform(device_table *table, cl_platform_id platform)
{
    tg_status status = TG_OK;
    cl_device_id ids[MAX_DEVICES];
    cl_uint n = 0;
    char name[128] = "?";
    cl_int code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, MAX_DEVICES, ids, &n);

    if (code == CL_DEVICE_NOT_FOUND)
        return TG_OK; /* a platform without devices is normal */
    if (code != CL_SUCCESS) {
        clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name, name, NULL);
        tg_log(TG_LOG_WARNING, "platform '%s' is left out: its devices cannot be listed: %s", name,
               tgi_cl_error(code));
        return TG_OK;
    }
    for (cl_uint d = 0; d < n && d < MAX_DEVICES; d++) {
        TG_TRY(tgi_grow(&table->entries, &table->capacity, table->n + 1, sizeof *table->entries));
        device_entry *entry = &table->entries[table->n];
        entry->platform = platform;
        entry->id = ids[d];
        tgi_device_read_info(platform, ids[d], &entry->info);
        entry->info.index = table->n++;
    }
cleanup:
    return status;
}

static tg_status read_table(device_table *table)
{
    tg_status status = TG_OK;
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint n = 0;
    cl_int code = clGetPlatformIDs(MAX_PLATFORMS, platforms, &n);

    if (code != CL_SUCCESS && code != PLATFORM_NOT_FOUND)
        return tg_fail(TG_ERR_OPENCL, "cannot list OpenCL platforms: %s", tgi_cl_error(code));
    for (cl_uint p = 0; code == CL_SUCCESS && p < n && p < MAX_PLATFORMS; p++)
        TG_TRY(add_platform(table, platforms[p]));
    if (!table->n)
        return tg_fail(TG_ERR_DEVICE,
                       "no OpenCL device found (install a driver, for example Debian's package "
                       "pocl-opencl-icd for the CPU, or the GPU vendor's; `clinfo -l` lists them)");
cleanup:
    return status;
}

tg_status tg_device_list(tg_device_info **list, size_t *n)
{
    tg_status status = TG_OK;
    device_table table = {0};

    *list = NULL;
    *n = 0;
    TG_TRY(read_table(&table));
    TG_TRY(tgi_alloc(table.n, sizeof **list, list));
    for (size_t i = 0; i < table.n; i++)
        (*list)[i] = table.entries[i].info;
    *n = table.n;
cleanup:
    free(table.entries);
    return status;
}

static bool fits(const char *spec, const tg_device_info *info)
{
    long long index;

    if (tgi_parse_int(spec, &index))
        return index >= 0 && (size_t)index == info->index;
    if (tgi_same_word(spec, "auto"))
        return info->is_usable;
    if (tgi_same_word(spec, "cpu"))
        return info->kind == TG_DEVICE_CPU;
    if (tgi_same_word(spec, "gpu"))
        return info->kind == TG_DEVICE_GPU;
    if (tgi_same_word(spec, "pocl"))
        return tgi_has_word(info->platform, "portable computing");
    return tgi_has_word(info->platform, spec) || tgi_has_word(info->name, spec);
}

/* A usable device before an unusable one, a GPU before a CPU before the rest, else the loader's order. */
static const device_entry *choose(const char *spec, const device_table *table)
{
    static const int rank[] = {[TG_DEVICE_CPU] = 1, [TG_DEVICE_GPU] = 2, [TG_DEVICE_OTHER] = 0};
    const device_entry *best = NULL;
    int best_rank = -1;

    for (size_t i = 0; i < table->n; i++) {
        const device_entry *entry = &table->entries[i];
        int its_rank = rank[entry->info.kind] + (entry->info.is_usable ? 4 : 0);

        if (fits(spec, &entry->info) && its_rank > best_rank) {
            best = entry;
            best_rank = its_rank;
        }
    }
    return best;
}

tg_status tgi_device_find(const char *spec, cl_platform_id *platform, cl_device_id *id,
                          tg_device_info *info)
{
    tg_status status = TG_OK;
    device_table table = {0};
    tgi_text names = {0};
    const device_entry *found;

    TG_TRY(read_table(&table));
    found = choose(spec, &table);
    if (!found) {
        for (size_t i = 0; i < table.n; i++)
            TG_TRY(tgi_text_add(&names, "%s%zu = %s: %s", i ? "; " : "", i,
                                table.entries[i].info.platform, table.entries[i].info.name));
        status = tg_fail(TG_ERR_DEVICE, "no device fits '%s' (there is: %s)", spec, names.data);
        goto cleanup;
    }
    if (!found->info.is_usable) {
        status = tg_fail(TG_ERR_DEVICE, "device '%s' cannot be used: %s", found->info.name,
                         found->info.problem);
        goto cleanup;
    }
    *platform = found->platform;
    *id = found->id;
    *info = found->info;
cleanup:
    tgi_text_release(&names);
    free(table.entries);
    return status;
}

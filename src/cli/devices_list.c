/* devices_list.c -- prints devices, for people and as JSON. */
#include "config.h"
#include "cli/devices_list.h"
#include "base/status.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

static const char *kind_name(tg_device_kind kind)
{
    return kind == TG_DEVICE_CPU ? "CPU" : kind == TG_DEVICE_GPU ? "GPU" : "other";
}

/* 16909156352 -> 15.7 GiB */
static const char *size_text(size_t bytes, char *out, size_t size)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < TG_COUNT(units)) {
        value /= 1024;
        unit++;
    }
    snprintf(out, size, value < 10 && unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

void tgi_devices_print(const tg_device_info *info, bool is_chosen, bool is_verbose)
{
    char memory[32], local[32], largest[32];
    bool has_none = !info->has_fp64 && !info->has_fp16 && !info->has_subgroups;

    printf("%c %zu  %s\n", is_chosen ? '*' : ' ', info->index, info->name);
    printf("     platform   %s\n", info->platform);
    printf(
        "     kind       %s, %zu compute units, vectors of %zu floats, work-groups of up to %zu\n",
        kind_name(info->kind), info->compute_units, info->vector_width, info->max_work_group);
    printf("     memory     %s, local %s\n", size_text(info->global_bytes, memory, sizeof memory),
           size_text(info->local_bytes, local, sizeof local));
    printf("     features  %s%s%s%s\n", info->has_fp64 ? " fp64" : "",
           info->has_fp16 ? " fp16" : "", info->has_subgroups ? " subgroups" : "",
           has_none ? " none of fp64, fp16, subgroups" : "");
    printf("     driver     %s\n", info->driver);
    if (is_verbose) {
        printf("     versions   platform %s; device %s\n", info->platform_version, info->version);
        printf("     vendor     %s\n", info->vendor);
        printf("     buffers    of up to %s, parts aligned to %zu bytes\n",
               size_text(info->max_alloc_bytes, largest, sizeof largest), info->base_align_bytes);
    }
    if (!info->is_usable)
        printf("     PROBLEM    cannot be used: %s\n", info->problem);
}

/* A driver's text that is no UTF-8 becomes null. */
static bool add_text(json_t *object, const char *key, const char *text)
{
    json_t *value = json_string(text);

    return !json_object_set_new(object, key, value ? value : json_null());
}

static bool add_size(json_t *object, const char *key, size_t value)
{
    return !json_object_set_new(object, key, json_integer((json_int_t)value));
}

static bool add_flag(json_t *object, const char *key, bool value)
{
    return !json_object_set_new(object, key, json_boolean(value));
}

json_t *tgi_devices_json(const tg_device_info *info)
{
    json_t *object = json_object();
    bool is_whole =
        object && add_size(object, "index", info->index) && add_text(object, "name", info->name) &&
        add_text(object, "platform", info->platform) &&
        add_text(object, "platform_version", info->platform_version) &&
        add_text(object, "vendor", info->vendor) && add_text(object, "version", info->version) &&
        add_text(object, "driver", info->driver) &&
        add_text(object, "kind", kind_name(info->kind)) &&
        add_size(object, "compute_units", info->compute_units) &&
        add_size(object, "max_work_group", info->max_work_group) &&
        add_size(object, "vector_width", info->vector_width) &&
        add_size(object, "global_bytes", info->global_bytes) &&
        add_size(object, "max_alloc_bytes", info->max_alloc_bytes) &&
        add_size(object, "local_bytes", info->local_bytes) &&
        add_size(object, "base_align_bytes", info->base_align_bytes) &&
        add_flag(object, "fp64", info->has_fp64) && add_flag(object, "fp16", info->has_fp16) &&
        add_flag(object, "subgroups", info->has_subgroups) &&
        add_flag(object, "usable", info->is_usable) &&
        (info->is_usable || add_text(object, "problem", info->problem));

    if (is_whole)
        return object;
    json_decref(object);
    return NULL;
}

tg_status tgi_devices_emit(json_t *object, FILE *out)
{
    if (!object)
        return tg_fail(TG_ERR_MEMORY, "cannot make JSON: out of memory");
    json_dumpf(object, out, JSON_INDENT(2));
    putc('\n', out);
    json_decref(object);
    return TG_OK;
}

/* tune_table.c -- the shipped start values: data/tuning.json, rules for devices that somebody measured.
 *
 *     {"devices": [{"platform": "Portable", "device": "Xeon", "measured": "...", "rules": [
 *       {"pass": "weights", "kernel": [1, 3], "stride": [1, 1], "channels": [1, 4], "algorithm": "direct"}]}]}
 *
 * `platform` and `device` are parts of the names, without regard to case. A rule holds where the layer's kernel size (the larger
 * side), stride, channels of the image side, outputs (channels of the output side) and pixels (of the output side) lie in its ranges;
 * what a rule leaves out is not asked. The first that holds, and whose algorithm applies and is proven, decides. */
#include "config.h"
#include "base/file.h"
#include "base/text.h"
#include "op/tune.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { MAX_FILE_BYTES = 16 << 20 };

static bool names_device(const json_t *device, const tg_device_info *info)
{
    const char *platform = json_string_value(json_object_get(device, "platform")),
               *name = json_string_value(json_object_get(device, "device"));

    return platform && name && tgi_has_word(info->platform, platform) &&
           tgi_has_word(info->name, name) && json_is_array(json_object_get(device, "rules"));
}

void *tgi_tune_shipped_open(const tg_device *dev)
{
    const char *named = getenv("TAGGAN_TUNING");
    const char *path = named && *named ? named : TG_DATADIR "/tuning.json";
    json_t *root = NULL, *rules = NULL;
    char *bytes = NULL;
    size_t n;

    if (!tgi_is_file(path)) /* not installed: the rule holds */
        return NULL;
    if (tgi_file_read(path, MAX_FILE_BYTES, &bytes, &n) == TG_OK)
        root = json_loadb(bytes, n, 0, NULL);
    if (!json_is_array(json_object_get(root, "devices")))
        tg_log(TG_LOG_WARNING, "tuning: '%s' is not a table of devices", path);
    const json_t *devices = json_object_get(root, "devices");
    for (size_t i = 0; i < json_array_size(devices) && !rules; i++) {
        const json_t *device = json_array_get(devices, i);

        if (names_device(device, &dev->info))
            rules = json_incref(json_object_get(device, "rules"));
    }
    json_decref(root);
    free(bytes);
    return rules;
}

void tgi_tune_shipped_free(void *shipped)
{
    json_decref(shipped);
}

static bool lies_in(const json_t *rule, const char *name, size_t value)
{
    const json_t *range = json_object_get(rule, name);

    if (!range)
        return true;
    return json_number_value(json_array_get(range, 0)) <= (double)value &&
           (double)value <= json_number_value(json_array_get(range, 1));
}

static bool holds(const json_t *rule, const tgi_tune_layer *layer)
{
    const tgi_conv *c = &layer->conv;
    const char *pass = json_string_value(json_object_get(rule, "pass"));

    return (!pass || !strcmp(pass, tgi_conv_pass_names[layer->pass])) &&
           lies_in(rule, "kernel", c->r > c->s ? c->r : c->s) &&
           lies_in(rule, "stride", c->stride) && lies_in(rule, "channels", c->c) &&
           lies_in(rule, "outputs", c->k) && lies_in(rule, "pixels", c->p * c->q);
}

const tgi_conv_algorithm *tgi_tune_shipped_choice(const void *shipped, const tg_device *dev,
                                                  const tgi_tune_layer *layer)
{
    for (size_t i = 0; i < json_array_size(shipped); i++) {
        const json_t *rule = json_array_get(shipped, i);
        const char *name = json_string_value(json_object_get(rule, "algorithm"));
        const tgi_conv_algorithm *algorithm = name ? tgi_conv_named(name) : NULL;

        if (algorithm && holds(rule, layer) && algorithm->applies(dev, &layer->conv, layer->pass))
            return algorithm;
    }
    return NULL;
}

/* tune_file.c -- measured choices on disk: one JSON file for each device, driver and build, with a checksum.
 *
 *     {"key": "...", "crc32": "89abcdef", "layers": [{"layer": "0 1 64 ...", "algorithm": "packed",
 *       "results": [{"algorithm": "direct", "ms": 3.2}, {"algorithm": "fft", "problem": "it crashed"}]}]}
 *
 * Several processes may write: each takes a lock, reads what is there, adds its own and renames. */
#include "config.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "device/cache.h"
#include "device/sources.h"
#include "op/tune.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/banned.h"

#if HAVE_CLBLAST
#define CLBLAST_WORDS "CLBlast " CLBLAST_VERSION
#else
#define CLBLAST_WORDS "no CLBlast"
#endif
#if HAVE_CLFFT
#define CLFFT_WORDS "clFFT " CLFFT_VERSION
#else
#define CLFFT_WORDS "no clFFT"
#endif

enum { MAX_FILE_BYTES = 64 << 20, LOCK_TRIES = 200, LOCK_WAIT_MS = 10, CRC_TEXT = 9 };

/* A change of any kernel may change which one wins. */
static unsigned long kernels_checksum(void)
{
    unsigned long sum = crc32_z(0, NULL, 0);

    for (size_t i = 0; i < tgi_n_sources; i++) {
        for (size_t line = 0; line < tgi_sources[i].n_lines; line++) {
            const char *text = tgi_sources[i].lines[line];

            sum = crc32_z(sum, (const unsigned char *)text, strlen(text));
        }
    }
    return sum;
}

tg_status tgi_tune_key(const tg_device *dev, char **out)
{
    const tg_device_info *i = &dev->info;
    const char *folder = getenv("TAGGAN_CL_DIR");
    const char *family = dev->family == TGI_FAMILY_AUTO ? "auto"
                         : tgi_is_cpu_family(dev)       ? "cpu"
                                                        : "gpu";

    return tgi_printf(out, "tuning 1|%s|%s|%s|%s|%zu units|taggan %s|%s|kernels %08lx|%s|%s",
                      i->platform, i->platform_version, i->name, i->driver, i->compute_units,
                      tg_version(), CLBLAST_WORDS ", " CLFFT_WORDS, kernels_checksum(),
                      folder && *folder ? folder : "built in", family);
}

/* The checksum is over the layers as jansson writes them, so that white space in the file does not matter. */
static tg_status checksum(const json_t *layers, char out[CRC_TEXT])
{
    char *text = json_dumps(layers, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));

    if (!text)
        return tg_fail(TG_ERR_MEMORY, "cannot keep tuned choices: out of memory");
    snprintf(out, CRC_TEXT, "%08lx",
             (unsigned long)crc32_z(0, (const unsigned char *)text, strlen(text)));
    free(text);
    return TG_OK;
}

static bool entry_of(const json_t *object, tgi_tune_entry *entry)
{
    const char *layer = json_string_value(json_object_get(object, "layer")),
               *winner = json_string_value(json_object_get(object, "algorithm"));
    const json_t *results = json_object_get(object, "results");

    *entry = (tgi_tune_entry){0};
    if (!layer || !tgi_tune_layer_parse(layer, &entry->layer))
        return false;
    entry->winner = winner ? tgi_conv_named(winner) : NULL;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *each = json_array_get(results, i);
        const char *name = json_string_value(json_object_get(each, "algorithm")),
                   *problem = json_string_value(json_object_get(each, "problem"));
        const json_t *ms = json_object_get(each, "ms");
        tgi_tune_result *result = &entry->results[entry->n_results];

        result->algorithm = name ? tgi_conv_named(name) : NULL;
        if (!result->algorithm || entry->n_results == TGI_TUNE_MAX_CANDIDATES)
            continue;
        result->ms = json_is_number(ms) ? json_number_value(ms) : -1;
        snprintf(result->problem, sizeof result->problem, "%s", problem ? problem : "");
        entry->n_results++;
    }
    return true;
}

static json_t *object_of(const tgi_tune_entry *entry)
{
    char layer[TGI_TUNE_LAYER_TEXT];
    json_t *results = json_array();

    tgi_tune_layer_print(&entry->layer, layer);
    for (size_t i = 0; i < entry->n_results; i++) {
        const tgi_tune_result *r = &entry->results[i];

        json_array_append_new(
            results,
            r->ms >= 0
                ? json_pack("{s:s, s:f}", "algorithm", r->algorithm->name, "ms", r->ms)
                : json_pack("{s:s, s:s}", "algorithm", r->algorithm->name, "problem", r->problem));
    }
    return json_pack("{s:s, s:o, s:o}", "layer", layer, "algorithm",
                     entry->winner ? json_string(entry->winner->name) : json_null(), "results",
                     results);
}

/* Adds the layers of a whole file of this key; false when it is something else. */
static bool take_layers(const json_t *root, const char *key, tgi_tune_table *table)
{
    const char *is_key = json_string_value(json_object_get(root, "key")),
               *crc = json_string_value(json_object_get(root, "crc32"));
    const json_t *layers = json_object_get(root, "layers");
    char sum[CRC_TEXT];

    if (!is_key || !crc || !json_is_array(layers) || strcmp(is_key, key) ||
        checksum(layers, sum) != TG_OK || strcmp(sum, crc))
        return false;
    for (size_t i = 0; i < json_array_size(layers); i++) {
        tgi_tune_entry entry;

        if (entry_of(json_array_get(layers, i), &entry) && !tgi_tune_find(table, &entry.layer) &&
            tgi_tune_put(table, &entry) != TG_OK)
            return false;
    }
    return true;
}

tg_status tgi_tune_read(const char *key, tgi_tune_table *table)
{
    tg_status status = TG_OK;
    char *path = NULL, *bytes = NULL;
    json_t *root = NULL;
    size_t n;

    TG_TRY(tgi_cache_path(key, "tune.json", false, &path));
    if (!tgi_is_file(path))
        goto cleanup;
    if (tgi_file_read(path, MAX_FILE_BYTES, &bytes, &n) != TG_OK ||
        !(root = json_loadb(bytes, n, 0, NULL)) || !take_layers(root, key, table))
        tg_log(TG_LOG_WARNING, "tuning: '%s' is damaged or of another program; it is made anew",
               path);
cleanup:
    json_decref(root);
    free(bytes);
    free(path);
    return status;
}

/* Waits for other writers two seconds at most: a file system without locks, or a stopped process, must not stop a run. */
static int lock(const char *path)
{
    char *name = NULL;
    int fd = -1;
    const struct timespec pause = {0, LOCK_WAIT_MS * 1000000L};

    if (tgi_printf(&name, "%s.lock", path) == TG_OK)
        fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    for (int i = 0; fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB); i++)
        nanosleep(&pause, NULL);
    free(name);
    return fd;
}

static tg_status write_table(const char *path, const char *key, const tgi_tune_table *table)
{
    tg_status status = TG_OK;
    json_t *layers = json_array(), *root = NULL;
    char *text = NULL, sum[CRC_TEXT];

    for (size_t i = 0; i < table->n; i++)
        json_array_append_new(layers, object_of(&table->entries[i]));
    TG_TRY(checksum(layers, sum));
    root = json_pack("{s:s, s:s, s:O}", "key", key, "crc32", sum, "layers", layers);
    text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
    if (!text)
        status = tg_fail(TG_ERR_MEMORY, "cannot keep tuned choices: out of memory");
    else
        status = tgi_file_write(path, text, strlen(text));
cleanup:
    free(text);
    json_decref(root);
    json_decref(layers);
    return status;
}

tg_status tgi_tune_write(const char *key, const tgi_tune_table *table, bool replace)
{
    tg_status status = TG_OK;
    tgi_tune_table merged = {0};
    char *path = NULL;
    int fd = -1;

    if (!table->n)
        return TG_OK;
    TG_TRY(tgi_cache_path(key, "tune.json", true, &path));
    fd = lock(path);
    TG_TRY(tgi_tune_read(key, &merged));
    for (size_t i = 0; i < table->n; i++) {
        if (replace || !tgi_tune_find(&merged, &table->entries[i].layer))
            TG_TRY(tgi_tune_put(&merged, &table->entries[i]));
    }
    TG_TRY(write_table(path, key, &merged));
cleanup:
    if (fd >= 0)
        close(fd); /* which ends the lock */
    free(merged.entries);
    free(path);
    return status;
}

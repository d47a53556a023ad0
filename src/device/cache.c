/* cache.c -- program binaries on disk, checksummed, renamed into place. */
#include "config.h"
#include "device/cache.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/banned.h"

/* File: this head, the key, the binary. Host byte order: the cache is this machine's. */
typedef struct cache_head {
    char magic[8];
    uint64_t key_bytes, data_bytes;
    uint32_t key_crc, data_crc;
} cache_head;

static const char magic[8] = {'T', 'G', 'C', 'A', 'C', 'H', 'E', '1'};
enum { MAX_ENTRY_BYTES = 256 << 20 };

static uint64_t hash(const char *text)
{
    uint64_t h =
        1469598103934665603u; /* FNV-1a: names the file, proves nothing; the key itself is compared */

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h;
}

tg_status tgi_cache_path(const char *key, const char *ending, bool make_folder, char **path)
{
    tg_status status = TG_OK;
    const char *own = getenv("TAGGAN_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    char *folder = NULL;

    *path = NULL;
    if (own && *own)
        TG_TRY(tgi_strdup(own, &folder));
    else if (xdg && *xdg)
        TG_TRY(tgi_printf(&folder, "%s/taggan", xdg));
    else if (home && *home)
        TG_TRY(tgi_printf(&folder, "%s/.cache/taggan", home));
    else {
        status = tg_fail(TG_ERR_IO, "no cache folder: neither TAGGAN_CACHE_DIR nor HOME is set");
        goto cleanup;
    }
    if (make_folder)
        TG_TRY(tgi_mkdirs(folder));
    TG_TRY(tgi_printf(path, "%s/%016llx.%s", folder, (unsigned long long)hash(key), ending));
cleanup:
    free(folder);
    return status;
}

static uint32_t checksum(const void *bytes, size_t n)
{
    return (uint32_t)crc32_z(0, bytes, n);
}

/* Whether `file` is a whole entry for `key`; *data is then its binary. */
static int entry_holds(const char *file, size_t size, const char *key, const char **data, size_t *n)
{
    cache_head head;
    size_t key_bytes = strlen(key);

    if (size < sizeof head + key_bytes)
        return 0;
    memcpy(&head, file, sizeof head);
    *data = file + sizeof head + key_bytes;
    *n = size - sizeof head - key_bytes;
    return !memcmp(head.magic, magic, sizeof magic) && head.key_bytes == key_bytes &&
           head.data_bytes == *n && !memcmp(file + sizeof head, key, key_bytes) &&
           head.data_crc == checksum(*data, *n);
}

void tgi_cache_get(const char *key, char **bytes, size_t *n)
{
    char *path = NULL, *file = NULL;
    const char *data;
    size_t size = 0, data_bytes;

    *bytes = NULL;
    *n = 0;
    if (tgi_cache_path(key, "bin", false, &path) == TG_OK && tgi_is_file(path) &&
        tgi_file_read(path, MAX_ENTRY_BYTES, &file, &size) == TG_OK) {
        if (!entry_holds(file, size, key, &data, &data_bytes))
            tg_log(TG_LOG_WARNING,
                   "program cache: '%s' is damaged or of another program; it is made anew", path);
        else if (tgi_alloc(data_bytes, 1, bytes) == TG_OK) {
            memcpy(*bytes, data, data_bytes);
            *n = data_bytes;
        }
    }
    free(file);
    free(path);
}

void tgi_cache_put(const char *key, const void *bytes, size_t n)
{
    tg_status status = TG_OK;
    char *path = NULL;
    tgi_file file = {0};
    cache_head head = {.key_bytes = strlen(key),
                       .data_bytes = n,
                       .key_crc = checksum(key, strlen(key)),
                       .data_crc = checksum(bytes, n)};

    memcpy(head.magic, magic, sizeof magic);
    TG_TRY(tgi_cache_path(key, "bin", true, &path));
    TG_TRY(tgi_file_create(path, &file));
    if (fwrite(&head, sizeof head, 1, file.stream) != 1 ||
        fwrite(key, 1, head.key_bytes, file.stream) != head.key_bytes ||
        fwrite(bytes, 1, n, file.stream) != n) {
        status = tg_fail(TG_ERR_IO, "cannot write '%s'", path);
        goto cleanup;
    }
    TG_TRY(tgi_file_commit(&file));
cleanup:
    if (status != TG_OK)
        tg_log(TG_LOG_WARNING, "program cache: %s", tg_error_message());
    tgi_file_discard(&file);
    free(path);
}

void tgi_cache_drop(const char *key)
{
    char *path = NULL;

    if (tgi_cache_path(key, "bin", false, &path) == TG_OK)
        unlink(path);
    free(path);
}

/* cache.h -- program binaries on disk: $TAGGAN_CACHE_DIR, else $XDG_CACHE_HOME/taggan, else ~/.cache/taggan.
 * An entry is checked (magic, key, length, checksum) before a driver sees it: a damaged binary aborts some of them. */
#ifndef TGI_DEVICE_CACHE_H
#define TGI_DEVICE_CACHE_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* Where the cache keeps an entry of this kind: FOLDER/HASH-OF-KEY.ENDING; free(). The key itself has to be in the entry: hashes
 * may meet. make_folder: also makes the folder. */
tg_status tgi_cache_path(const char *key, const char *ending, bool make_folder,
                         char **path) TG_MUST_CHECK;
/* Looks `key` up. *bytes is NULL when there is no whole entry; free() releases it. Never an error. */
void tgi_cache_get(const char *key, char **bytes, size_t *n);
/* Stores by rename; a cache that cannot be written is logged, not an error. */
void tgi_cache_put(const char *key, const void *bytes, size_t n);
/* Forgets an entry that the driver refused. */
void tgi_cache_drop(const char *key);

#endif

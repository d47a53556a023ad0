/* file.h -- files that appear by rename, folders, and whole files read with a limit. */
#ifndef TGI_BASE_FILE_H
#define TGI_BASE_FILE_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A file being written next to its final name. Commit checks every write and renames; discard removes it. A reader never sees
 * half of it. The synced commit also waits until the disk has it, so that a checkpoint survives a power cut; it takes tens of
 * milliseconds, too long for the files of every image. */
typedef struct tgi_file {
    FILE *stream;
    char *path, *temporary;
} tgi_file;

tg_status tgi_file_create(const char *path, tgi_file *out) TG_MUST_CHECK;
tg_status tgi_file_commit(tgi_file *file) TG_MUST_CHECK;
tg_status tgi_file_commit_synced(tgi_file *file) TG_MUST_CHECK;
void tgi_file_discard(tgi_file *file); /* harmless after a commit and on {0} */

/* The whole of a buffer to path, by rename. */
tg_status tgi_file_write(const char *path, const void *bytes, size_t n) TG_MUST_CHECK;

/* The whole of a file, one byte 0 behind it; TG_ERR_FORMAT when it is larger than limit. free() releases it. */
tg_status tgi_file_read(const char *path, size_t limit, char **bytes, size_t *n) TG_MUST_CHECK;

/* Makes a folder and those above it; fine when it is there. */
tg_status tgi_mkdirs(const char *path) TG_MUST_CHECK;

bool tgi_is_file(const char *path);
bool tgi_is_folder(const char *path);

/* "folder/name" (or name when it is absolute, or folder is ""). free() releases it. */
tg_status tgi_path_join(const char *folder, const char *name, char **out) TG_MUST_CHECK;
/* The part behind the last slash, a pointer into path. */
const char *tgi_path_name(const char *path);

/* Names in a folder, sorted bytewise, without "." and ".."; the caller frees each and the array (tgi_names_free). */
tg_status tgi_folder_list(const char *path, char ***names, size_t *n) TG_MUST_CHECK;
void tgi_names_free(char **names, size_t n);

#endif

/* file.c -- files that appear by rename, folders, and whole files read with a limit. */
#include "config.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"

tg_status tgi_file_create(const char *path, tgi_file *out)
{
    tg_status status = TG_OK;
    tgi_file file = {0};
    int fd;

    *out = file;
    TG_TRY(tgi_strdup(path, &file.path));
    TG_TRY(tgi_printf(&file.temporary, "%s.XXXXXX", path));
    fd = mkstemp(file.temporary);
    if (fd < 0) {
        status = tg_fail(TG_ERR_IO, "cannot create '%s': %s", path, strerror(errno));
        free(file.temporary);
        file.temporary = NULL;
        goto cleanup;
    }
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, 0666 & ~mask);
    file.stream = fdopen(fd, "wb");
    if (!file.stream) {
        close(fd);
        status = tg_fail(TG_ERR_IO, "cannot create '%s': %s", path, strerror(errno));
        goto cleanup;
    }
    *out = file;
    return TG_OK;
cleanup:
    tgi_file_discard(&file);
    return status;
}

static tg_status commit(tgi_file *file, bool is_synced)
{
    tg_status status = TG_OK;
    int failed = ferror(file->stream);

    failed |= fflush(file->stream);
    if (!failed && is_synced && fsync(fileno(file->stream)) && errno != EINVAL)
        failed = 1;
    failed |= fclose(file->stream);
    file->stream = NULL;
    if (failed || rename(file->temporary, file->path))
        status =
            tg_fail(TG_ERR_IO, "cannot write '%s': %s", file->path, strerror(errno ? errno : EIO));
    else {
        free(file->temporary);
        file->temporary = NULL;
    }
    tgi_file_discard(file);
    return status;
}

tg_status tgi_file_commit(tgi_file *file)
{
    return commit(file, false);
}

tg_status tgi_file_commit_synced(tgi_file *file)
{
    return commit(file, true);
}

void tgi_file_discard(tgi_file *file)
{
    if (file->stream)
        fclose(file->stream);
    if (file->temporary)
        unlink(file->temporary);
    free(file->temporary);
    free(file->path);
    *file = (tgi_file){0};
}

tg_status tgi_file_write(const char *path, const void *bytes, size_t n)
{
    tgi_file file;
    tg_status status = tgi_file_create(path, &file);

    if (status != TG_OK)
        return status;
    if (n && fwrite(bytes, 1, n, file.stream) != n) {
        status = tg_fail(TG_ERR_IO, "cannot write '%s': %s", path, strerror(errno));
        tgi_file_discard(&file);
        return status;
    }
    return tgi_file_commit(&file);
}

tg_status tgi_file_read(const char *path, size_t limit, char **bytes, size_t *n)
{
    tg_status status = TG_OK;
    char *block = NULL;
    size_t capacity = 0, used = 0;
    FILE *stream = fopen(path, "rb");

    *bytes = NULL;
    *n = 0;
    if (!stream)
        return tg_fail(TG_ERR_IO, "cannot open '%s': %s", path, strerror(errno));
    for (;;) {
        TG_TRY(tgi_grow(&block, &capacity, used + 65537, 1));
        size_t got = fread(block + used, 1, capacity - used - 1, stream);
        used += got;
        if (used > limit) {
            status = tg_fail(TG_ERR_FORMAT, "cannot read '%s': larger than %zu bytes", path, limit);
            goto cleanup;
        }
        if (!got)
            break;
    }
    if (ferror(stream)) {
        status = tg_fail(TG_ERR_IO, "cannot read '%s': %s", path, strerror(errno));
        goto cleanup;
    }
    block[used] = 0;
    *bytes = block;
    *n = used;
    block = NULL;
cleanup:
    free(block);
    fclose(stream);
    return status;
}

tg_status tgi_mkdirs(const char *path)
{
    tg_status status = TG_OK;
    char *part = NULL;

    if (!*path)
        return TG_OK;
    TG_TRY(tgi_strdup(path, &part));
    for (char *p = part + 1; *part; p++) {
        char kept = *p;

        if (kept != '/' && kept)
            continue;
        *p = 0;
        if (mkdir(part, 0777) && errno != EEXIST) {
            status = tg_fail(TG_ERR_IO, "cannot create folder '%s': %s", part, strerror(errno));
            goto cleanup;
        }
        *p = kept;
        if (!kept)
            break;
    }
    if (!tgi_is_folder(path))
        status =
            tg_fail(TG_ERR_IO, "cannot create folder '%s': a file of that name is there", path);
cleanup:
    free(part);
    return status;
}

bool tgi_is_file(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool tgi_is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

tg_status tgi_path_join(const char *folder, const char *name, char **out)
{
    size_t n = strlen(folder);

    if (name[0] == '/' || !n)
        return tgi_strdup(name, out);
    return tgi_printf(out, folder[n - 1] == '/' ? "%s%s" : "%s/%s", folder, name);
}

const char *tgi_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

tg_status tgi_folder_list(const char *path, char ***names, size_t *n)
{
    tg_status status = TG_OK;
    char **list = NULL;
    size_t capacity = 0, count = 0;
    struct dirent *entry;
    DIR *folder = opendir(path);

    *names = NULL;
    *n = 0;
    if (!folder)
        return tg_fail(TG_ERR_IO, "cannot open folder '%s': %s", path, strerror(errno));
    TG_TRY(tgi_grow(&list, &capacity, 1, sizeof *list));
    while ((entry = readdir(folder))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        TG_TRY(tgi_grow(&list, &capacity, count + 1, sizeof *list));
        TG_TRY(tgi_strdup(entry->d_name, &list[count]));
        count++;
    }
    qsort(list, count, sizeof *list, by_bytes);
    *names = list;
    *n = count;
    list = NULL;
cleanup:
    tgi_names_free(list, list ? count : 0);
    closedir(folder);
    return status;
}

void tgi_names_free(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

/* list.c -- lists of names, one a line. */
#include "config.h"
#include "dataset/list.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/banned.h"

enum { LIST_BYTES_MAX = 1 << 28 };

/* Blanks and a carriage return behind a name are no part of it. */
static void trim(char *line)
{
    size_t n = strlen(line);

    while (n && strchr(" \t\r", line[n - 1]))
        line[--n] = 0;
}

static tg_status read_lines(tgi_list *list, char *text, bool (*is_name)(const char *))
{
    tg_status status = TG_OK;
    size_t line = 1;

    for (char *next; text; text = next, line++) {
        next = strchr(text, '\n');
        if (next)
            *next++ = 0;
        trim(text);
        if (!*text)
            continue;
        if (!is_name(text))
            return tg_fail(TG_ERR_FORMAT, "cannot read '%s', line %zu: '%s' is no name of an image",
                           list->path, line, text);
        TG_TRY(tgi_grow(&list->names, &list->capacity, list->n + 1, sizeof *list->names));
        list->names[list->n++] = (tgi_key){text, line};
    }
cleanup:
    return status;
}

tg_status tgi_list_read(tg_dataset *set, const char *path, bool (*is_name)(const char *),
                        tgi_list *out)
{
    tg_status status = TG_OK;
    tgi_list list = {0};
    size_t n;

    *out = list;
    TG_TRY(tgi_dataset_add_table(set, path, &list.path));
    TG_TRY(tgi_file_read(path, LIST_BYTES_MAX, &list.bytes, &n));
    if (memchr(list.bytes, 0, n)) {
        status =
            tg_fail(TG_ERR_FORMAT, "cannot read '%s': it holds zero bytes, it is no text", path);
        goto cleanup;
    }
    TG_TRY(
        read_lines(&list, list.bytes + (strncmp(list.bytes, "\xef\xbb\xbf", 3) ? 0 : 3), is_name));
    *out = list;
    list = (tgi_list){0};
cleanup:
    tgi_list_release(&list);
    return status;
}

void tgi_list_release(tgi_list *list)
{
    free(list->bytes);
    free(list->names);
    *list = (tgi_list){0};
}

void tgi_list_sort(tgi_list *list)
{
    if (list->n)
        tgi_keys_sort(list->names, list->n);
}

const tgi_key *tgi_list_find(const tgi_list *sorted, const char *name)
{
    return tgi_keys_find(sorted->names, sorted->n, name);
}

tg_status tgi_list_check_apart(const tgi_list *a, const tgi_list *b)
{
    for (size_t k = 0; k < b->n; k++) {
        const tgi_key *same = tgi_list_find(a, b->names[k].text);

        if (same)
            return tg_fail(TG_ERR_FORMAT,
                           "cannot read '%s', line %zu: '%s' is in '%s', line %zu, too", b->path,
                           b->names[k].i, same->text, a->path, same->i);
    }
    return TG_OK;
}

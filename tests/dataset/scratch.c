/* scratch.c -- folders of tests: made, filled, removed. */
#include "config.h"
#include "tg_test.h"
#include "dataset/scratch.h"
#include "image/picture.h"
#include "base/file.h"
#include "base/text.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char root[4096];
static tgi_text warnings;

static void keep_line(tg_log_level level, const char *line, void *user)
{
    TG_UNUSED(user);
    if (level <= TG_LOG_WARNING)
        ck_assert_tg_ok(tgi_text_add(&warnings, "%s\n", line));
}

void scratch_open(void)
{
    snprintf(root, sizeof root, "%s", tg_scratch_path("dataset.XXXXXX"));
    ck_assert_ptr_nonnull(mkdtemp(root));
    tg_log_set(keep_line, NULL);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    TG_UNUSED(info);
    TG_UNUSED(type);
    TG_UNUSED(walk);
    return remove(path);
}

void scratch_close(void)
{
    nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    tgi_text_release(&warnings);
}

bool scratch_warned(const char *text)
{
    return warnings.data && strstr(warnings.data, text);
}

const char *scratch_path(const char *name)
{
    static char paths[4][8192];
    static int turn;

    turn = (turn + 1) % 4;
    snprintf(paths[turn], sizeof paths[turn], "%s%s%s", root, *name ? "/" : "", name);
    return paths[turn];
}

/* The folder that the file will lie in. */
static void make_folder_of(const char *name)
{
    char *folder;

    ck_assert_tg_ok(tgi_strdup(scratch_path(name), &folder));
    *strrchr(folder, '/') = 0;
    ck_assert_tg_ok(tgi_mkdirs(folder));
    free(folder);
}

void scratch_text(const char *name, const char *text)
{
    make_folder_of(name);
    ck_assert_tg_ok(tgi_file_write(scratch_path(name), text, strlen(text)));
}

void scratch_picture(const char *name, size_t size_px, float level)
{
    tg_image image;

    make_folder_of(name);
    ck_assert_tg_ok(tg_image_new(size_px, size_px, &image));
    for (size_t i = 0; i < size_px * size_px; i++)
        image.pixels[i] = level;
    ck_assert_tg_ok(tg_image_save(scratch_path(name), &image));
    tg_image_release(&image);
}

void scratch_sample(const char *name, const char *sample)
{
    char *bytes;
    size_t n;

    make_folder_of(name);
    ck_assert_tg_ok(tgi_file_read(picture_path(sample), 1 << 20, &bytes, &n));
    ck_assert_tg_ok(tgi_file_write(scratch_path(name), bytes, n));
    free(bytes);
}

tg_dataset *scratch_dataset(const char *name, const tg_dataset_opts *opts)
{
    tg_dataset *set;

    ck_assert_tg_ok(tg_dataset_open(scratch_path(name), opts, &set));
    return set;
}

void scratch_refused(const char *name, const tg_dataset_opts *opts, tg_status status,
                     const char *first, const char *second)
{
    tg_dataset *set;

    ck_assert_tg_fails(tg_dataset_open(scratch_path(name), opts, &set), status);
    ck_assert_ptr_null(set);
    ck_assert_msg(strstr(tg_error_message(), first) && strstr(tg_error_message(), second),
                  "'%s' lacks '%s' or '%s'", tg_error_message(), first, second);
}

size_t scratch_count(const tg_dataset *set, tg_split split, bool is_diseased)
{
    size_t n;

    tg_dataset_select(set, split, is_diseased, &n);
    return n;
}

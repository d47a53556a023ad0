/* many.c -- sets of a hundred thousand rows. */
#include "config.h"
#include "tg_test.h"
#include "dataset/many.h"
#include "dataset/scratch.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

FILE *many_open(const char *name)
{
    FILE *file = fopen(scratch_path(name), "w");

    ck_assert_ptr_nonnull(file);
    return file;
}

void many_close(FILE *file)
{
    ck_assert_int_eq(fclose(file), 0);
}

void many_touch(const char *name)
{
    static char last[4096];
    const char *path = scratch_path(name);
    const size_t n = (size_t)(strrchr(path, '/') - path);
    int file;

    if (strlen(last) != n || strncmp(last, path, n) != 0) {
        snprintf(last, sizeof last, "%.*s", (int)n, path);
        ck_assert_tg_ok(tgi_mkdirs(last));
    }
    file = open(path, O_CREAT | O_WRONLY, 0644);
    ck_assert_int_ge(file, 0);
    close(file);
}

size_t many_peak_mib(void)
{
    struct rusage usage;

#ifdef __SANITIZE_ADDRESS__
    return 0;
#endif
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return (size_t)usage.ru_maxrss / 1024;
}

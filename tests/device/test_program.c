/* test_program.c -- programs of kernels: the cache on disk, damaged entries, sources from a folder,
 * the profile. */
#include "config.h"
#include "base/file.h"
#include "base/text.h"
#include "device/device.h"
#include "device/program.h"
#include "tensor/tensor.h"
#include "tg_test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRY_LIMIT = 64 << 20, N_VALUES = 5 };

static char *folder, *cache, *sources;
static tgi_text lines;

static void keep_line(tg_log_level level, const char *line, void *user)
{
    TG_UNUSED(level);
    TG_UNUSED(user);
    ck_assert_tg_ok(tgi_text_add(&lines, "%s\n", line));
}

/* Each test has a cache and a folder of kernels of its own, and PoCL stores binaries, which it does
 * not do unasked. */
static void open_folder(void)
{
    ck_assert_tg_ok(tgi_strdup(tg_scratch_path("program.XXXXXX"), &folder));
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_tg_ok(tgi_path_join(folder, "cache", &cache));
    ck_assert_tg_ok(tgi_path_join(folder, "cl", &sources));
    ck_assert_tg_ok(tgi_mkdirs(sources));
    setenv("TAGGAN_CACHE", "on", 1);
    setenv("TAGGAN_CACHE_DIR", cache, 1);
    unsetenv("TAGGAN_CL_DIR");
    tg_log_set(keep_line, NULL);
}

static void remove_folder(const char *path)
{
    char **names, *below;
    size_t n;

    if (!tgi_is_folder(path) || tgi_folder_list(path, &names, &n) != TG_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        ck_assert_tg_ok(tgi_path_join(path, names[i], &below));
        remove_folder(below);
        remove(below);
        free(below);
    }
    tgi_names_free(names, n);
    rmdir(path);
}

static void close_folder(void)
{
    chmod(folder, 0700);
    remove_folder(folder);
    free(folder);
    free(cache);
    free(sources);
    tgi_text_release(&lines);
}

static bool was_logged(const char *part)
{
    return lines.data && strstr(lines.data, part);
}

/* 1 to 5 by the kernel `fill` and one `add` after another, on a device that is opened and freed
 * here: how entries come to be. */
static void use_a_device(void)
{
    tg_device *dev;
    tg_tensor *a, *b;
    float values[N_VALUES];

    ck_assert_tg_ok(tg_device_open(NULL, &dev));
    ck_assert_tg_ok(tg_tensor_new(dev, (tg_dims){1, 1, 1, N_VALUES}, &a));
    ck_assert_tg_ok(tg_tensor_new(dev, (tg_dims){1, 1, 1, N_VALUES}, &b));
    ck_assert_tg_ok(tgi_tensor_fill(a, 1.25f));
    tgi_kernel *add;
    ck_assert_tg_ok(tgi_kernel_get(dev, "elementwise", "add", "", &add));
    ck_assert_tg_ok(
        tgi_kernel_run(add, TGI_RANGE1((N_VALUES + 3) / 4),
                       TGI_ARGS(tgi_buffer(a), tgi_buffer(a), tgi_int(N_VALUES), tgi_buffer(b))));
    ck_assert_tg_ok(tg_tensor_download(b, values, N_VALUES));
    for (size_t i = 0; i < N_VALUES; i++)
        ck_assert_msg(values[i] == 2.5f, "value %zu is %g, not 2.5", i, (double)values[i]);
    tg_tensor_free(a);
    tg_tensor_free(b);
    tg_device_free(dev);
}

/* The one entry's path, to be freed; NULL when there is none. */
static char *find_entry(void)
{
    char **names = NULL, *path = NULL;
    size_t n = 0;

    if (!tgi_is_folder(cache))
        return NULL;
    ck_assert_tg_ok(tgi_folder_list(cache, &names, &n));
    ck_assert_msg(n <= 1, "there are %zu entries", n);
    if (n) {
        ck_assert_msg(tgi_ends_with(names[0], ".bin"), "the entry is named %s", names[0]);
        ck_assert_tg_ok(tgi_path_join(cache, names[0], &path));
    }
    tgi_names_free(names, n);
    return path;
}

typedef struct entry {
    char *path, *bytes;
    size_t n;
    struct stat stat;
} entry;

static entry read_entry(void)
{
    entry e = {.path = find_entry()};

    ck_assert_msg(e.path, "the cache is empty");
    ck_assert_tg_ok(tgi_file_read(e.path, ENTRY_LIMIT, &e.bytes, &e.n));
    ck_assert_int_eq(stat(e.path, &e.stat), 0);
    return e;
}

static void entry_release(entry *e)
{
    free(e->path);
    free(e->bytes);
}

START_TEST(an_entry_is_written_once_and_read_again)
{
    ck_assert_ptr_null(find_entry());
    use_a_device();
    ck_assert_msg(!lines.size, "logged: %s", lines.data);
    entry first = read_entry();

    use_a_device();
    ck_assert_msg(!lines.size, "logged: %s", lines.data);
    entry second = read_entry();
    /* renamed into place, a rewritten entry would be another file */
    ck_assert_str_eq(first.path, second.path);
    ck_assert_uint_eq(first.stat.st_ino, second.stat.st_ino);
    ck_assert_int_eq(first.stat.st_mtim.tv_nsec, second.stat.st_mtim.tv_nsec);
    entry_release(&first);
    entry_release(&second);
}
END_TEST

START_TEST(nothing_is_stored_when_the_cache_is_off)
{
    setenv("TAGGAN_CACHE", "off", 1);
    use_a_device();
    ck_assert_ptr_null(find_entry());
    ck_assert_msg(!lines.size, "logged: %s", lines.data);
}
END_TEST

START_TEST(another_source_has_another_entry)
{
    char *common, *elementwise, *path;
    size_t n;

    use_a_device();
    entry first = read_entry();
    ck_assert_tg_ok(tgi_file_read(tg_source_path("cl/common.cl"), ENTRY_LIMIT, &common, &n));
    ck_assert_tg_ok(tgi_path_join(sources, "common.cl", &path));
    ck_assert_tg_ok(tgi_file_write(path, common, n));
    free(path);
    ck_assert_tg_ok(
        tgi_file_read(tg_source_path("cl/elementwise.cl"), ENTRY_LIMIT, &elementwise, &n));
    ck_assert_tg_ok(tgi_path_join(sources, "elementwise.cl", &path));
    elementwise[n++] = '\n';
    ck_assert_tg_ok(tgi_file_write(path, elementwise, n));
    free(path);
    ck_assert_int_eq(unlink(first.path), 0);
    setenv("TAGGAN_CL_DIR", sources, 1);
    use_a_device();
    entry second = read_entry();
    ck_assert_str_ne(first.path, second.path);
    entry_release(&first);
    entry_release(&second);
    free(common);
    free(elementwise);
}
END_TEST

/* Where an entry is cut or has a bit turned over: byte counts from the start, or shares of the
 * whole. */
static const struct {
    bool is_cut;
    double at; /* 1 and more: bytes; less: a share */
} damages[] = {{true, 0},     {true, 7},    {true, 40},   {true, 0.3},  {true, 0.5},
               {true, 0.999}, {false, 0},   {false, 8},   {false, 16},  {false, 30},
               {false, 48},   {false, 0.2}, {false, 0.5}, {false, 0.8}, {false, 0.999}};

START_TEST(a_damaged_entry_is_refused_and_made_anew)
{
    use_a_device();
    entry whole = read_entry();
    size_t at = damages[_i].at < 1 ? (size_t)(damages[_i].at * (double)whole.n)
                                   : (size_t)damages[_i].at,
           n = whole.n;
    char *bytes = malloc(n);

    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, whole.bytes, n);
    if (damages[_i].is_cut)
        n = at;
    else
        bytes[at] = (char)(bytes[at] ^ 0x10);
    ck_assert_tg_ok(tgi_file_write(whole.path, bytes, n));
    use_a_device();
    ck_assert_msg(was_logged("is damaged or of another program; it is made anew"), "logged: %s",
                  lines.data);
    ck_assert_msg(!was_logged("the driver refuses"), "the driver saw a damaged binary: %s",
                  lines.data);
    /* whole again: the next device takes it without a word */
    tgi_text_release(&lines);
    lines = (tgi_text){0};
    entry again = read_entry();
    ck_assert_uint_gt(again.n, n < whole.n ? n : whole.n / 2);
    use_a_device();
    ck_assert_msg(!lines.size, "logged: %s", lines.data);
    free(bytes);
    entry_release(&whole);
    entry_release(&again);
}
END_TEST

START_TEST(a_cache_that_cannot_be_written_is_a_warning)
{
    /* a file stands where the folder would be: root, too, cannot write there */
    ck_assert_tg_ok(tgi_file_write(cache, "x", 1));
    use_a_device();
    ck_assert_msg(was_logged("program cache: cannot"), "logged: %s",
                  lines.data ? lines.data : "nothing");
    ck_assert(tgi_is_file(cache));
}
END_TEST

/* A folder of kernels with one file, `broken`, whose second line does not compile. */
static void write_sources(const char *text)
{
    static const char *const names[] = {"common.cl", "broken.cl"};
    const char *const texts[] = {"// nothing in common\n", text};
    char *path;

    for (size_t i = 0; i < TG_COUNT(names); i++) {
        ck_assert_tg_ok(tgi_path_join(sources, names[i], &path));
        ck_assert_tg_ok(tgi_file_write(path, texts[i], strlen(texts[i])));
        free(path);
    }
    setenv("TAGGAN_CL_DIR", sources, 1);
}

START_TEST(a_syntax_error_names_file_and_line)
{
    tg_device *dev;
    tgi_kernel *kernel;

    write_sources("__kernel void fine(__global float *y) { y[0] = 1; }\n\n__kernel void "
                  "bad(__global float *y) { y[0] = no_such_name; }\n");
    ck_assert_tg_ok(tg_device_open(NULL, &dev));
    ck_assert_tg_fails(tgi_kernel_get(dev, "broken", "bad", "-DWG=7", &kernel), TG_ERR_OPENCL);
    ck_assert_ptr_null(kernel);
    const char *message = tg_error_message();
    ck_assert_msg(strstr(message, "cannot build cl/broken.cl with '-DWG=7' on "), "message: %s",
                  message);
    ck_assert_msg(strstr(message, "cl/broken.cl:3:"), "no file and line in: %s", message);
    ck_assert_msg(strstr(message, "no_such_name"), "no compiler's words in: %s", message);
    tg_device_free(dev);
    ck_assert_ptr_null(find_entry()); /* what failed is not stored */
}
END_TEST

START_TEST(missing_kernels_and_files_are_named)
{
    tg_device *dev;
    tgi_kernel *kernel;

    ck_assert_tg_ok(tg_device_open(NULL, &dev));
    ck_assert_tg_fails(tgi_kernel_get(dev, "nosuch", "add", "", &kernel), TG_ERR_ARGUMENT);
    ck_assert(strstr(tg_error_message(), "'nosuch'"));
    ck_assert_tg_fails(tgi_kernel_get(dev, "elementwise", "nosuch", "", &kernel), TG_ERR_OPENCL);
    ck_assert(strstr(tg_error_message(), "cl/elementwise.cl has no kernel 'nosuch'"));
    setenv("TAGGAN_CL_DIR", sources, 1);
    ck_assert_tg_fails(tgi_kernel_get(dev, "label", "label_planes", "", &kernel), TG_ERR_IO);
    ck_assert(strstr(tg_error_message(), "common.cl"));
    tg_device_free(dev);
}
END_TEST

/* Loops twice: without times and with them. */
START_TEST(the_profile_counts_launches)
{
    tg_device *dev;
    tg_tensor *a;
    tg_kernel_time *rows;
    size_t n, n_fill = 0, n_never = 0;
    double seconds = 0;
    bool is_profiled = _i == 1;

    ck_assert_tg_ok((is_profiled ? tg_device_open_profiled : tg_device_open)(NULL, &dev));
    ck_assert_tg_ok(tg_device_profile(dev, &rows, &n));
    ck_assert_uint_eq(n, 0);
    free(rows);
    ck_assert_tg_ok(tg_tensor_new(dev, (tg_dims){1, 8, 64, 64}, &a));
    for (size_t i = 0; i < 5000; i++) /* more than the profile keeps pending */
        ck_assert_tg_ok(tgi_tensor_fill(a, (float)i));
    tgi_kernel *never;
    ck_assert_tg_ok(tgi_kernel_get(dev, "elementwise", "add", "", &never));
    ck_assert_tg_ok(tg_device_profile(dev, &rows, &n));
    ck_assert_uint_eq(n, 2);
    for (size_t i = 0; i < n; i++) {
        ck_assert_str_eq(rows[i].program, "elementwise");
        n_fill += strcmp(rows[i].kernel, "fill") ? 0 : rows[i].n_launches;
        n_never += strcmp(rows[i].kernel, "add") ? 0 : rows[i].n_launches + 1;
        seconds += rows[i].seconds;
    }
    ck_assert_uint_eq(n_fill, 5000);
    ck_assert_uint_eq(n_never, 1);
    ck_assert_msg(is_profiled ? seconds > 0 && seconds < 60 : seconds == 0, "%g s", seconds);
    free(rows);
    tg_tensor_free(a);
    tg_device_free(dev);
}
END_TEST

START_TEST(a_program_is_built_once_for_each_set_of_options)
{
    tg_device *dev;
    tgi_kernel *a, *b, *c;

    ck_assert_tg_ok(tg_device_open(NULL, &dev));
    ck_assert_tg_ok(tgi_kernel_get(dev, "elementwise", "add", "", &a));
    ck_assert_tg_ok(tgi_kernel_get(dev, "elementwise", "add", "", &b));
    ck_assert_tg_ok(tgi_kernel_get(dev, "elementwise", "add", "-DUNUSED=1", &c));
    ck_assert_ptr_eq(a, b);
    ck_assert_ptr_ne(a, c);
    tg_device_free(dev);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("cache", 120);

    tcase_add_checked_fixture(tc, open_folder, close_folder);
    tcase_add_test(tc, an_entry_is_written_once_and_read_again);
    tcase_add_test(tc, nothing_is_stored_when_the_cache_is_off);
    tcase_add_test(tc, another_source_has_another_entry);
    tcase_add_loop_test(tc, a_damaged_entry_is_refused_and_made_anew, 0, (int)TG_COUNT(damages));
    tcase_add_test(tc, a_cache_that_cannot_be_written_is_a_warning);
    tc = tg_case("program", 120);
    tcase_add_checked_fixture(tc, open_folder, close_folder);
    tcase_add_test(tc, a_syntax_error_names_file_and_line);
    tcase_add_test(tc, missing_kernels_and_files_are_named);
    tcase_add_test(tc, a_program_is_built_once_for_each_set_of_options);
    tcase_add_loop_test(tc, the_profile_counts_launches, 0, 2);
    return tg_run("program");
}

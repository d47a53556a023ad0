/* test_safetensors.c -- the format on the host: round trips, a file of NumPy's, and every way of
 * damaging one. */
#include "config.h"
#include "tg_test.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/text.h"
#include "checkpoint/safetensors.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const float weights[6] = {1, -2, 3.5f, -4.25f, 1e-30f, 1e30f};
static const int64_t step[1] = {INT64_C(1) << 40};
static const uint8_t flags[3] = {0, 7, 255};
static char *path;

static void name_file(void)
{
    ck_assert_tg_ok(
        tgi_printf(&path, "%s.%ld", tg_scratch_path("safetensors_test"), (long)getpid()));
}

static void remove_file(void)
{
    unlink(path);
    free(path);
}

static void save_small(void)
{
    tgi_safetensors_writer *writer;

    ck_assert_tg_ok(tgi_safetensors_writer_new(&writer));
    ck_assert_tg_ok(tgi_safetensors_writer_metadata(writer, "model", "taggan"));
    ck_assert_tg_ok(
        tgi_safetensors_writer_metadata(writer, "quote", "a \"taggan.crc32\":\"00\" \xc3\x96"));
    ck_assert_tg_ok(tgi_safetensors_writer_add(writer, "flags", TGI_U8, (size_t[]){3}, 1, flags));
    ck_assert_tg_ok(
        tgi_safetensors_writer_add(writer, "G.w", TGI_F32, (size_t[]){2, 3}, 2, weights));
    ck_assert_tg_ok(tgi_safetensors_writer_add(writer, "none", TGI_F32, (size_t[]){0, 3}, 2, NULL));
    ck_assert_tg_ok(tgi_safetensors_writer_add(writer, "step", TGI_I64, NULL, 0, step));
    ck_assert_tg_ok(tgi_safetensors_writer_commit(writer, path));
    tgi_safetensors_writer_free(writer);
}

/* A file of that header and n bytes of data. */
static void save_raw(const char *header, size_t n)
{
    unsigned char length[8] = {(unsigned char)strlen(header), (unsigned char)(strlen(header) >> 8)};
    FILE *stream = fopen(path, "wb");

    ck_assert_ptr_nonnull(stream);
    fwrite(length, 1, 8, stream);
    fputs(header, stream);
    for (size_t i = 0; i < n; i++)
        fputc(0, stream);
    fclose(stream);
}

START_TEST(reads_what_it_wrote)
{
    tgi_safetensors *file;
    const tgi_stored *array;
    float values[6];

    save_small();
    ck_assert_tg_ok(tgi_safetensors_open(path, &file));
    ck_assert_uint_eq(tgi_safetensors_count(file), 4);
    ck_assert_str_eq(tgi_safetensors_metadata(file, "model"), "taggan");
    ck_assert_str_eq(tgi_safetensors_metadata(file, "quote"), "a \"taggan.crc32\":\"00\" \xc3\x96");
    ck_assert_ptr_null(tgi_safetensors_metadata(file, "nothing"));
    ck_assert_tg_ok(tgi_safetensors_floats(file, "G.w", values, 6));
    ck_assert_mem_eq(values, weights, sizeof weights);
    array = tgi_safetensors_find(file, "step");
    ck_assert_uint_eq(array->n_dims, 0);
    ck_assert_mem_eq(array->data, step, sizeof step);
    array = tgi_safetensors_find(file, "flags");
    ck_assert_int_eq(array->dtype, TGI_U8);
    ck_assert_mem_eq(array->data, flags, sizeof flags);
    for (size_t i = 0; i < tgi_safetensors_count(file); i++)
        ck_assert_uint_eq((uintptr_t)tgi_safetensors_at(file, i)->data %
                              tgi_dtype_size(tgi_safetensors_at(file, i)->dtype),
                          0);
    tgi_safetensors_free(file);
}
END_TEST

START_TEST(writes_the_same_bytes_each_time)
{
    char *first, *second;
    size_t n, m;

    save_small();
    ck_assert_tg_ok(tgi_file_read(path, 1 << 20, &first, &n));
    save_small();
    ck_assert_tg_ok(tgi_file_read(path, 1 << 20, &second, &m));
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(first, second, n);
    free(first);
    free(second);
}
END_TEST

START_TEST(reads_the_golden_file_of_numpy)
{
    static const float half[6] = {1, -0.5f, 6.09755516e-5f, 5.9604645e-8f, 65504, INFINITY};
    tgi_safetensors *file;
    float values[24];
    int64_t stored_step;

    ck_assert_tg_ok(
        tgi_safetensors_open(tg_source_path("tests/checkpoint/data/golden.safetensors"), &file));
    ck_assert_uint_eq(tgi_safetensors_count(file), 8);
    ck_assert_str_eq(tgi_safetensors_metadata(file, "classes"), "[\"nodule\", \"\xc3\x96"
                                                                "dem\"]");
    ck_assert_tg_ok(tgi_safetensors_floats(file, "G.model.1.weight", values, 24));
    for (int i = 0; i < 24; i++)
        ck_assert(values[i] == (float)i / 8 - 1);
    ck_assert_uint_eq(tgi_safetensors_find(file, "G.model.1.weight")->dims[1], 3);
    ck_assert_tg_ok(tgi_safetensors_floats(file, "half", values, 6));
    for (int i = 0; i < 6; i++)
        ck_assert_msg(values[i] == half[i], "half %d is %g", i, (double)values[i]);
    ck_assert_tg_ok(tgi_safetensors_floats(file, "brain", values, 4));
    ck_assert(values[0] == 1.5f && values[1] == -2 && values[2] > 2.9e38f && values[3] == 0);
    ck_assert_tg_ok(tgi_safetensors_floats(file, "wide", values, 2));
    ck_assert(values[0] == 0.1f && values[1] == -INFINITY);
    ck_assert_tg_ok(tgi_safetensors_floats(file, "l\xc3\xa4sion", values, 1));
    ck_assert(isnan(values[0]));
    ck_assert_tg_ok(tgi_safetensors_floats(file, "nothing", values, 0));
    memcpy(&stored_step, tgi_safetensors_find(file, "step")->data, sizeof stored_step);
    ck_assert_int_eq(stored_step, 1234567890123);
    ck_assert_tg_fails(tgi_safetensors_floats(file, "flags", values, 3), TG_ERR_FORMAT);
    ck_assert_tg_fails(tgi_safetensors_floats(file, "absent", values, 3), TG_ERR_FORMAT);
    ck_assert_tg_fails(tgi_safetensors_floats(file, "half", values, 5), TG_ERR_SHAPE);
    tgi_safetensors_free(file);
}
END_TEST

START_TEST(refuses_a_file_cut_off_anywhere)
{
    tgi_safetensors *file;
    char *bytes;
    size_t n;

    save_small();
    ck_assert_tg_ok(tgi_file_read(path, 1 << 20, &bytes, &n));
    for (size_t keep = 0; keep < n; keep++) {
        ck_assert_tg_ok(tgi_file_write(path, bytes, keep));
        ck_assert_tg_fails(tgi_safetensors_open(path, &file), TG_ERR_FORMAT);
        ck_assert_ptr_null(file);
    }
    ck_assert_tg_ok(tgi_file_write(path, bytes, n + 1)); /* one byte too many */
    ck_assert_tg_fails(tgi_safetensors_open(path, &file), TG_ERR_FORMAT);
    free(bytes);
}
END_TEST

START_TEST(finds_any_flipped_bit)
{
    tgi_safetensors *file;
    char *bytes;
    size_t n;

    save_small();
    ck_assert_tg_ok(tgi_file_read(path, 1 << 20, &bytes, &n));
    for (uint64_t trial = 0; trial < 2000; trial++) {
        tgi_rng rng = tgi_rng_new(5, TGI_STREAM_TEST, trial);
        size_t at = tgi_rng_below(&rng, n);
        char mask = (char)(1 << tgi_rng_below(&rng, 8));
        FILE *stream = fopen(path, "wb");

        bytes[at] ^= mask;
        ck_assert_uint_eq(fwrite(bytes, 1, n, stream), n);
        fclose(stream);
        ck_assert_msg(tgi_safetensors_open(path, &file) != TG_OK, "byte %zu, mask %d went unseen",
                      at, mask);
        bytes[at] ^= mask;
    }
    free(bytes);
}
END_TEST

/* Without a checksum a damaged file may be believed, but never crashes the reader. */
START_TEST(survives_random_damage_of_foreign_files)
{
    tgi_safetensors *file;
    char *golden, *copy;
    size_t n;

    ck_assert_tg_ok(tgi_file_read(tg_source_path("tests/checkpoint/data/golden.safetensors"),
                                  1 << 20, &golden, &n));
    copy = malloc(n);
    ck_assert_ptr_nonnull(copy);
    for (uint64_t trial = 0; trial < 2000; trial++) {
        tgi_rng rng = tgi_rng_new(6, TGI_STREAM_TEST, trial);
        size_t n_changes = 1 + tgi_rng_below(&rng, 4);
        FILE *stream = fopen(path, "wb");

        memcpy(copy, golden, n);
        for (size_t i = 0; i < n_changes; i++)
            copy[tgi_rng_below(&rng, n)] = (char)tgi_rng_u32(&rng);
        fwrite(copy, 1, n, stream);
        fclose(stream);
        if (tgi_safetensors_open(path, &file) == TG_OK) {
            for (size_t i = 0; i < tgi_safetensors_count(file); i++) {
                const tgi_stored *array = tgi_safetensors_at(file, i);
                float values[64];

                if (array->dtype <= TGI_BF16 && array->n_items <= 64)
                    ck_assert_tg_ok(
                        tgi_safetensors_floats(file, array->name, values, array->n_items));
            }
            tgi_safetensors_free(file);
        }
    }
    free(golden);
    free(copy);
}
END_TEST

static const char *const hostile[] = {
    "",
    "{",
    "[]",
    "{} {}",
    "{\"a\":1}",
    "{\"a\":{}}",
    "{\"__metadata__\":[]}",
    "{\"__metadata__\":{\"k\":1}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1,-1],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F99\",\"shape\":[1],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[4000000000000],\"data_offsets\":[0,4000000000000]}}",
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"U8\","
    "\"shape\":[4],"
    "\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\","
    "\"shape\":[2],"
    "\"data_offsets\":[1,3]}}",
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}",
    "{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}",
    "{\"\xff\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}",
};

START_TEST(refuses_hostile_headers)
{
    tgi_safetensors *file;

    save_raw(hostile[_i], 4);
    ck_assert_tg_fails(tgi_safetensors_open(path, &file), TG_ERR_FORMAT);
}
END_TEST

START_TEST(refuses_a_header_longer_than_the_file)
{
    static const unsigned char lengths[][8] = {{255, 255, 255, 255, 255, 255, 255, 255},
                                               {0, 0, 0, 0, 0, 0, 0, 128},
                                               {0, 225, 245, 5},
                                               {9},
                                               {0},
                                               {1}};
    tgi_safetensors *file;

    for (size_t i = 0; i < TG_COUNT(lengths); i++) {
        ck_assert_tg_ok(tgi_file_write(path, lengths[i], 8));
        ck_assert_tg_fails(tgi_safetensors_open(path, &file), TG_ERR_FORMAT);
    }
    ck_assert_tg_fails(tgi_safetensors_open(tg_scratch_path("no-such-file"), &file), TG_ERR_IO);
    ck_assert_tg_fails(tgi_safetensors_open("/dev/null", &file), TG_ERR_IO);
    ck_assert_tg_fails(tgi_safetensors_open(getenv("abs_top_builddir"), &file), TG_ERR_IO);
}
END_TEST

START_TEST(refuses_arrays_it_could_not_read_back)
{
    tgi_safetensors_writer *writer;
    const size_t dims[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, huge[2] = {SIZE_MAX / 2, 4};

    ck_assert_tg_ok(tgi_safetensors_writer_new(&writer));
    ck_assert_tg_ok(tgi_safetensors_writer_add(writer, "a", TGI_F32, dims, 1, weights));
    ck_assert_tg_fails(tgi_safetensors_writer_add(writer, "a", TGI_F32, dims, 1, weights),
                       TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_safetensors_writer_add(writer, "b", TGI_F32, dims, 9, weights),
                       TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_safetensors_writer_add(writer, "c", TGI_F32, huge, 2, weights),
                       TG_ERR_MEMORY);
    ck_assert_tg_fails(
        tgi_safetensors_writer_add(writer, "__metadata__", TGI_F32, dims, 1, weights),
        TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_safetensors_writer_metadata(writer, "taggan.crc32", "1"),
                       TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_safetensors_writer_metadata(writer, "k", "\xff"), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_safetensors_writer_commit(writer, "no/such/folder/x"), TG_ERR_IO);
    ck_assert_tg_ok(tgi_safetensors_writer_add(writer, "\xff", TGI_F32, dims, 1, weights));
    ck_assert_tg_fails(tgi_safetensors_writer_commit(writer, path), TG_ERR_ARGUMENT);
    tgi_safetensors_writer_free(writer);
    tgi_safetensors_writer_free(NULL);
    tgi_safetensors_free(NULL);
}
END_TEST

/* A limit on the size of files stands for a full disk: the old file stays, whole, and no other is
 * left. */
START_TEST(a_full_disk_leaves_the_old_file)
{
    static float many[65536];
    const struct rlimit small = {16384, 16384};
    tgi_safetensors_writer *writer;
    tgi_safetensors *file;
    char *folder = NULL, **names;
    size_t n;

    free(path);
    ck_assert_tg_ok(
        tgi_printf(&folder, "%s.%ld", tg_scratch_path("safetensors_full"), (long)getpid()));
    ck_assert_tg_ok(tgi_mkdirs(folder));
    ck_assert_tg_ok(tgi_path_join(folder, "x.safetensors", &path));
    save_small();
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    ck_assert_tg_ok(tgi_safetensors_writer_new(&writer));
    ck_assert_tg_ok(tgi_safetensors_writer_add(writer, "a", TGI_F32, (size_t[]){65536}, 1, many));
    ck_assert_tg_fails(tgi_safetensors_writer_commit(writer, path), TG_ERR_IO);
    tgi_safetensors_writer_free(writer);
    ck_assert_tg_ok(tgi_safetensors_open(path, &file));
    tgi_safetensors_free(file);
    ck_assert_tg_ok(tgi_folder_list(folder, &names, &n));
    ck_assert_uint_eq(n, 1);
    tgi_names_free(names, n);
    unlink(path);
    rmdir(folder);
    free(folder);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("safetensors", 60);

    tcase_add_checked_fixture(tc, name_file, remove_file);
    tcase_add_test(tc, reads_what_it_wrote);
    tcase_add_test(tc, writes_the_same_bytes_each_time);
    tcase_add_test(tc, reads_the_golden_file_of_numpy);
    tcase_add_test(tc, refuses_a_file_cut_off_anywhere);
    tcase_add_test(tc, finds_any_flipped_bit);
    tcase_add_test(tc, survives_random_damage_of_foreign_files);
    tcase_add_loop_test(tc, refuses_hostile_headers, 0, TG_COUNT(hostile));
    tcase_add_test(tc, refuses_a_header_longer_than_the_file);
    tcase_add_test(tc, refuses_arrays_it_could_not_read_back);
    tcase_add_test(tc, a_full_disk_leaves_the_old_file);
    return tg_run("safetensors");
}

/* test_tensorboard.c -- event files decoded again, record by record and field by field. */
#include "config.h"
#include "tg_test.h"
#include "base/file.h"
#include "base/text.h"
#include "report/tensorboard.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char *folder;

static void make_folder(void)
{
    ck_assert_tg_ok(
        tgi_printf(&folder, "%s.%ld", tg_scratch_path("tensorboard_test"), (long)getpid()));
    ck_assert_tg_ok(tgi_mkdirs(folder));
}

static void remove_folder(void)
{
    char **names, *path;
    size_t n;

    ck_assert_tg_ok(tgi_folder_list(folder, &names, &n));
    for (size_t i = 0; i < n; i++) {
        ck_assert_tg_ok(tgi_path_join(folder, names[i], &path));
        unlink(path);
        free(path);
    }
    tgi_names_free(names, n);
    rmdir(folder);
    free(folder);
}

/* Bytes being decoded. */
typedef struct span {
    const unsigned char *at, *end;
} span;

/* One field of a message. */
typedef struct field {
    unsigned number, wire;
    uint64_t value; /* varint and fixed */
    span bytes;
} field;

static uint64_t fixed(span *s, int n)
{
    uint64_t value = 0;

    ck_assert_int_ge(s->end - s->at, n);
    for (int i = 0; i < n; i++)
        value |= (uint64_t)*s->at++ << 8 * i;
    return value;
}

static uint64_t varint(span *s)
{
    uint64_t value = 0;

    for (int shift = 0;; shift += 7) {
        ck_assert(s->at < s->end && shift < 64);
        value |= (uint64_t)(*s->at & 127) << shift;
        if (!(*s->at++ & 128))
            return value;
    }
}

static field next_field(span *s)
{
    uint64_t key = varint(s);
    field f = {.number = (unsigned)(key >> 3), .wire = key & 7};

    if (f.wire == 0)
        f.value = varint(s);
    else if (f.wire == 1)
        f.value = fixed(s, 8);
    else if (f.wire == 5)
        f.value = fixed(s, 4);
    else {
        uint64_t n = varint(s);

        ck_assert_uint_eq(f.wire, 2);
        ck_assert_uint_le(n, (uint64_t)(s->end - s->at));
        f.bytes = (span){s->at, s->at + n};
        s->at += n;
    }
    return f;
}

/* The field of that number in a message; wire 99 when there is none. */
static field find(span message, unsigned number)
{
    while (message.at < message.end) {
        field f = next_field(&message);

        if (f.number == number)
            return f;
    }
    return (field){.wire = 99};
}

/* The next record's message, its two checksums compared. */
static span next_record(span *file)
{
    const unsigned char *start = file->at;
    uint64_t n = fixed(file, 8);
    span message;

    ck_assert_uint_eq(fixed(file, 4), tgi_crc32c_masked(start, 8));
    ck_assert_uint_le(n, (uint64_t)(file->end - file->at));
    message = (span){file->at, file->at + n};
    file->at += n;
    ck_assert_uint_eq(fixed(file, 4), tgi_crc32c_masked(message.at, n));
    return message;
}

static bool is_text(span s, const char *text)
{
    return (size_t)(s.end - s.at) == strlen(text) && !memcmp(s.at, text, strlen(text));
}

static double as_double(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static float as_float(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float value;

    memcpy(&value, &low, sizeof value);
    return value;
}

START_TEST(checksum_is_castagnolis)
{
    static const char zeros[32];

    ck_assert_uint_eq(tgi_crc32c("123456789", 9),
                      0xe3069283u); /* the check value of the polynomial */
    ck_assert_uint_eq(tgi_crc32c("", 0), 0);
    ck_assert_uint_eq(tgi_crc32c(zeros, 32), 0x8a9136aau); /* RFC 3720, B.4 */
}
END_TEST

START_TEST(decodes_to_what_was_written)
{
    static const unsigned char png[34] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\3\0\0\1\4\x08\2";
    const tgi_value values[] = {{"loss/d", -0.75}, {"none", NAN}, {"ncc", 0.92}};
    tgi_tensorboard *board;
    char *bytes;
    size_t n;
    span file, event, summary, value, image;

    ck_assert_tg_ok(tgi_tensorboard_open(folder, 0, &board));
    ck_assert_ptr_nonnull(strstr(tgi_tensorboard_path(board), "/events.out.tfevents."));
    ck_assert_tg_ok(tgi_tensorboard_scalars(board, 300, values, 3));
    ck_assert_tg_ok(
        tgi_tensorboard_scalars(board, 301, values + 1, 1)); /* nothing to say: no record */
    ck_assert_tg_ok(tgi_tensorboard_image(board, 70000, "samples", png, sizeof png));
    ck_assert_tg_fails(tgi_tensorboard_image(board, 1, "x", "no png", 6), TG_ERR_ARGUMENT);
    ck_assert_tg_ok(tgi_file_read(tgi_tensorboard_path(board), 1 << 20, &bytes, &n));
    file = (span){(unsigned char *)bytes, (unsigned char *)bytes + n};
    /* length 24 and its checksum: the first twelve bytes of every event file that TensorFlow writes
     */
    ck_assert_mem_eq(bytes, "\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22\x09", 13);
    event = next_record(&file);
    ck_assert(is_text(find(event, 3).bytes, "brain.Event:2"));
    ck_assert(fabs(as_double(find(event, 1).value) - (double)time(NULL)) < 100);
    event = next_record(&file);
    ck_assert_uint_eq(find(event, 2).value, 300);
    summary = find(event, 5).bytes;
    value = next_field(&summary).bytes;
    ck_assert(is_text(find(value, 1).bytes, "loss/d") && as_float(find(value, 2).value) == -0.75f);
    value = next_field(&summary).bytes;
    ck_assert(is_text(find(value, 1).bytes, "ncc") && as_float(find(value, 2).value) == 0.92f);
    ck_assert(summary.at == summary.end);
    event = next_record(&file);
    ck_assert_uint_eq(find(event, 2).value, 70000);
    summary = find(event, 5).bytes;
    value = next_field(&summary).bytes;
    ck_assert(is_text(find(value, 1).bytes, "samples"));
    image = find(value, 4).bytes;
    ck_assert_uint_eq(find(image, 1).value, 260);
    ck_assert_uint_eq(find(image, 2).value, 515);
    ck_assert_uint_eq(find(image, 3).value, 3);
    ck_assert_mem_eq(find(image, 4).bytes.at, png, sizeof png);
    ck_assert(file.at == file.end);
    tgi_tensorboard_free(board);
    free(bytes);
}
END_TEST

START_TEST(a_resumed_run_says_where_it_begins)
{
    tgi_tensorboard *first, *second;
    char *bytes;
    size_t n;
    span file, event;

    ck_assert_tg_ok(tgi_tensorboard_open(folder, 0, &first));
    ck_assert_tg_ok(tgi_tensorboard_open(folder, 500, &second));
    ck_assert_str_ne(tgi_tensorboard_path(first), tgi_tensorboard_path(second));
    ck_assert_tg_ok(tgi_file_read(tgi_tensorboard_path(second), 1 << 20, &bytes, &n));
    file = (span){(unsigned char *)bytes, (unsigned char *)bytes + n};
    next_record(&file);
    event = next_record(&file);
    ck_assert_uint_eq(find(event, 2).value, 500);
    ck_assert_uint_eq(find(find(event, 7).bytes, 1).value, 1);
    free(bytes);
    tgi_tensorboard_free(first);
    tgi_tensorboard_free(second);
    tgi_tensorboard_free(NULL);
    ck_assert_tg_fails(tgi_tensorboard_open("no/such/folder", 0, &first), TG_ERR_IO);
    ck_assert_ptr_null(first);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("tensorboard", 20);

    tcase_add_checked_fixture(tc, make_folder, remove_folder);
    tcase_add_test(tc, checksum_is_castagnolis);
    tcase_add_test(tc, decodes_to_what_was_written);
    tcase_add_test(tc, a_resumed_run_says_where_it_begins);
    return tg_run("tensorboard");
}

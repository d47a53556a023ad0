/* tensorboard.c -- writes TensorBoard's event files: a handful of protocol-buffer fields, put down
 * by hand. */
#include "config.h"
#include "report/tensorboard.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

/* Field numbers of event.proto and summary.proto. */
enum {
    EVENT_WALL_TIME = 1,
    EVENT_STEP = 2,
    EVENT_FILE_VERSION = 3,
    EVENT_SUMMARY = 5,
    EVENT_SESSION_LOG = 7
};
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_IMAGE = 4 };
enum { IMAGE_HEIGHT = 1, IMAGE_WIDTH = 2, IMAGE_COLORSPACE = 3, IMAGE_BYTES = 4 };
enum { SESSION_STATUS = 1, SESSION_START = 1 };
/* How the wire marks what follows a field's number. */
enum { WIRE_VARINT = 0, WIRE_64_BIT = 1, WIRE_BYTES = 2, WIRE_32_BIT = 5 };

struct tgi_tensorboard {
    int fd;
    char *path;
};

uint32_t tgi_crc32c(const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < n; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

/* Turned and shifted, so that the sum of data which holds sums is not degenerate. */
uint32_t tgi_crc32c_masked(const void *bytes, size_t n)
{
    uint32_t crc = tgi_crc32c(bytes, n);

    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static tg_status add_fixed(tgi_text *out, uint64_t bits, int n_bytes)
{
    unsigned char bytes[8];

    for (int i = 0; i < n_bytes; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
    return tgi_text_add_bytes(out, bytes, (size_t)n_bytes);
}

static tg_status add_varint(tgi_text *out, uint64_t value)
{
    unsigned char bytes[10];
    size_t n = 0;

    do {
        bytes[n++] = (unsigned char)((value & 127) | (value > 127 ? 128 : 0));
        value >>= 7;
    } while (value);
    return tgi_text_add_bytes(out, bytes, n);
}

static tg_status add_int(tgi_text *out, unsigned field, uint64_t value)
{
    tg_status status = add_varint(out, field << 3 | WIRE_VARINT);

    return status == TG_OK ? add_varint(out, value) : status;
}

static tg_status add_double(tgi_text *out, unsigned field, double value)
{
    tg_status status = add_varint(out, field << 3 | WIRE_64_BIT);
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return status == TG_OK ? add_fixed(out, bits, 8) : status;
}

static tg_status add_float(tgi_text *out, unsigned field, float value)
{
    tg_status status = add_varint(out, field << 3 | WIRE_32_BIT);
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return status == TG_OK ? add_fixed(out, bits, 4) : status;
}

static tg_status add_bytes(tgi_text *out, unsigned field, const void *bytes, size_t n)
{
    tg_status status = TG_OK;

    TG_TRY(add_varint(out, field << 3 | WIRE_BYTES));
    TG_TRY(add_varint(out, n));
    TG_TRY(tgi_text_add_bytes(out, bytes, n));
cleanup:
    return status;
}

/* Time and step, which every event has. */
static tg_status begin_event(tgi_text *event, long long step)
{
    tg_status status = TG_OK;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    TG_TRY(add_double(event, EVENT_WALL_TIME, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec));
    if (step)
        TG_TRY(add_int(event, EVENT_STEP, (uint64_t)step));
cleanup:
    return status;
}

/* One record. A write that fails halfway is taken back, so that the file stays readable. */
static tg_status write_record(tgi_tensorboard *board, const tgi_text *event)
{
    tg_status status = TG_OK;
    tgi_text record = {0};
    off_t whole = lseek(board->fd, 0, SEEK_END);

    TG_TRY(add_fixed(&record, event->size, 8));
    TG_TRY(add_fixed(&record, tgi_crc32c_masked(record.data, 8), 4));
    TG_TRY(tgi_text_add_bytes(&record, event->data, event->size));
    TG_TRY(add_fixed(&record, tgi_crc32c_masked(event->data, event->size), 4));
    for (size_t done = 0; done < record.size;) {
        ssize_t n = write(board->fd, record.data + done, record.size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            status = tg_fail(TG_ERR_IO, "cannot write '%s': %s", board->path,
                             strerror(n < 0 ? errno : EIO));
            if (whole >= 0 && ftruncate(board->fd, whole))
                status = tg_fail_in(status, "a part of a record is left");
            goto cleanup;
        }
        done += (size_t)n;
    }
cleanup:
    tgi_text_release(&record);
    return status;
}

/* The two records a file begins with: its version, and after a resume the step from which earlier
 * files do not count. */
static tg_status write_opening(tgi_tensorboard *board, long long resume_step)
{
    static const char version[] = "brain.Event:2";
    tg_status status = TG_OK;
    tgi_text event = {0}, session = {0};

    TG_TRY(begin_event(&event, 0));
    TG_TRY(add_bytes(&event, EVENT_FILE_VERSION, version, sizeof version - 1));
    TG_TRY(write_record(board, &event));
    if (resume_step > 0) {
        event.size = 0;
        TG_TRY(begin_event(&event, resume_step));
        TG_TRY(add_int(&session, SESSION_STATUS, SESSION_START));
        TG_TRY(add_bytes(&event, EVENT_SESSION_LOG, session.data, session.size));
        TG_TRY(write_record(board, &event));
    }
cleanup:
    tgi_text_release(&event);
    tgi_text_release(&session);
    return status;
}

tg_status tgi_tensorboard_open(const char *folder, long long resume_step, tgi_tensorboard **out)
{
    tg_status status = TG_OK;
    tgi_tensorboard *board = NULL;
    char *name = NULL, host[256] = "";

    *out = NULL;
    if (gethostname(host, sizeof host - 1) || !*host || strchr(host, '/'))
        host[0] = 'h', host[1] = 0;
    TG_TRY(tgi_alloc(1, sizeof *board, &board));
    board->fd = -1;
    /* two of one process in one second must not meet in a file */
    for (int turn = 0; board->fd < 0; turn++) {
        free(name);
        free(board->path);
        board->path = name = NULL;
        TG_TRY(tgi_printf(&name, "events.out.tfevents.%010lld.%s.%ld.%d", (long long)time(NULL),
                          host, (long)getpid(), turn));
        TG_TRY(tgi_path_join(folder, name, &board->path));
        board->fd = open(board->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
        if (board->fd < 0 && (errno != EEXIST || turn == 1000)) {
            status = tg_fail(TG_ERR_IO, "cannot create '%s': %s", board->path, strerror(errno));
            goto cleanup;
        }
    }
    TG_TRY(write_opening(board, resume_step));
    *out = board;
    board = NULL;
cleanup:
    tgi_tensorboard_free(board);
    free(name);
    return status;
}

/* Wraps one Value into the event's summary. */
static tg_status add_summary(tgi_text *summary, const tgi_text *value)
{
    return add_bytes(summary, SUMMARY_VALUE, value->data, value->size);
}

tg_status tgi_tensorboard_scalars(tgi_tensorboard *board, long long step, const tgi_value *values,
                                  size_t n)
{
    tg_status status = TG_OK;
    tgi_text event = {0}, summary = {0}, value = {0};

    for (size_t i = 0; i < n; i++) {
        if (isnan(values[i].value))
            continue;
        value.size = 0;
        TG_TRY(add_bytes(&value, VALUE_TAG, values[i].name, strlen(values[i].name)));
        TG_TRY(add_float(&value, VALUE_SIMPLE, (float)values[i].value));
        TG_TRY(add_summary(&summary, &value));
    }
    if (!summary.size)
        goto cleanup;
    TG_TRY(begin_event(&event, step));
    TG_TRY(add_bytes(&event, EVENT_SUMMARY, summary.data, summary.size));
    TG_TRY(write_record(board, &event));
cleanup:
    tgi_text_release(&event);
    tgi_text_release(&summary);
    tgi_text_release(&value);
    return status;
}

static uint64_t big_endian_32(const unsigned char *at)
{
    return (uint64_t)at[0] << 24 | (uint64_t)at[1] << 16 | (uint64_t)at[2] << 8 | at[3];
}

tg_status tgi_tensorboard_image(tgi_tensorboard *board, long long step, const char *tag,
                                const void *png, size_t n_bytes)
{
    enum { WIDTH_AT = 16, HEIGHT_AT = 20, COLOR_TYPE_AT = 25, HEADER_END = 29 };
    /* TensorBoard's number of channels for PNG's colour types 0 to 6; a palette shows as RGB */
    static const unsigned char channels[7] = {1, 0, 3, 3, 2, 0, 4};
    const unsigned char *bytes = png;
    tg_status status = TG_OK;
    tgi_text event = {0}, summary = {0}, value = {0}, image = {0};

    if (n_bytes < HEADER_END || memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) || bytes[COLOR_TYPE_AT] > 6)
        return tg_fail(TG_ERR_ARGUMENT, "the picture '%s' is not a PNG file", tag);
    TG_TRY(add_int(&image, IMAGE_HEIGHT, big_endian_32(bytes + HEIGHT_AT)));
    TG_TRY(add_int(&image, IMAGE_WIDTH, big_endian_32(bytes + WIDTH_AT)));
    TG_TRY(add_int(&image, IMAGE_COLORSPACE, channels[bytes[COLOR_TYPE_AT]]));
    TG_TRY(add_bytes(&image, IMAGE_BYTES, bytes, n_bytes));
    TG_TRY(add_bytes(&value, VALUE_TAG, tag, strlen(tag)));
    TG_TRY(add_bytes(&value, VALUE_IMAGE, image.data, image.size));
    TG_TRY(add_summary(&summary, &value));
    TG_TRY(begin_event(&event, step));
    TG_TRY(add_bytes(&event, EVENT_SUMMARY, summary.data, summary.size));
    TG_TRY(write_record(board, &event));
cleanup:
    tgi_text_release(&event);
    tgi_text_release(&summary);
    tgi_text_release(&value);
    tgi_text_release(&image);
    return status;
}

const char *tgi_tensorboard_path(const tgi_tensorboard *board)
{
    return board->path;
}

void tgi_tensorboard_free(tgi_tensorboard *board)
{
    if (!board)
        return;
    if (board->fd >= 0)
        close(board->fd);
    free(board->path);
    free(board);
}

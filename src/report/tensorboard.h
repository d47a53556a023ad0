/* tensorboard.h -- an event file that TensorBoard draws: scalars and pictures over the steps. No
 * TensorFlow is needed.
 *
 * The file is a row of records: length (u64), its masked CRC-32C, an Event message (protocol
 * buffer), its masked CRC-32C; tensorflow/core/lib/io/record_writer.h and
 * tensorflow/core/util/event.proto define them. */
#ifndef TGI_REPORT_TENSORBOARD_H
#define TGI_REPORT_TENSORBOARD_H

#include "base/status.h"
#include "report/value.h"
#include <stdint.h>

typedef struct tgi_tensorboard tgi_tensorboard;

/* Begins folder/events.out.tfevents.TIME.HOST.PID. A file of an earlier run stays: TensorBoard
 * reads all of a folder in turn. resume_step > 0 tells it to forget what an interrupted run wrote
 * from that step on; 0 otherwise. */
tg_status tgi_tensorboard_open(const char *folder, long long resume_step,
                               tgi_tensorboard **out) TG_MUST_CHECK;

/* One event with all the values; NaN ones are left out. Each event is handed to the system whole.
 */
tg_status tgi_tensorboard_scalars(tgi_tensorboard *board, long long step, const tgi_value *values,
                                  size_t n) TG_MUST_CHECK;

/* A PNG file's bytes, shown under the tag. */
tg_status tgi_tensorboard_image(tgi_tensorboard *board, long long step, const char *tag,
                                const void *png, size_t n_bytes) TG_MUST_CHECK;

/* The file being written. */
const char *tgi_tensorboard_path(const tgi_tensorboard *board);
void tgi_tensorboard_free(tgi_tensorboard *board);

/* CRC-32C (Castagnoli) of n bytes, and the form of it that is stored. */
uint32_t tgi_crc32c(const void *bytes, size_t n);
uint32_t tgi_crc32c_masked(const void *bytes, size_t n);

#endif

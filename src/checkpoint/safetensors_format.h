/* safetensors_format.h -- what the reader and the writer of safetensors files agree on. */
#ifndef TGI_CHECKPOINT_SAFETENSORS_FORMAT_H
#define TGI_CHECKPOINT_SAFETENSORS_FORMAT_H

#include "checkpoint/safetensors.h"
#include <stdint.h>

/* The format's own bound on the header, so that a length of garbage is not allocated. */
#define TGI_STORED_MAX_HEADER_BYTES 100000000u
#define TGI_STORED_FORMAT_KEY       "taggan.format"
#define TGI_STORED_CRC_KEY          "taggan.crc32"
/* How the header spells the key in front of the digits; inside a JSON text the quotes would carry
 * backslashes. */
#define TGI_STORED_CRC_MARK "\"" TGI_STORED_CRC_KEY "\":\""
enum { TGI_STORED_CRC_DIGITS = 8, TGI_STORED_ALIGNMENT = 8 };

/* The length in front of the header, little endian. */
void tgi_stored_put_length(uint64_t n, unsigned char bytes[8]);
uint64_t tgi_stored_get_length(const unsigned char bytes[8]);

/* Turns each item between the host's order of bytes and the file's (little endian), in place. */
void tgi_stored_swap(void *items, size_t n_items, tgi_dtype dtype);

/* Sets n_items and size_bytes from dims and dtype; TG_ERR_MEMORY when they overflow. */
tg_status tgi_stored_measure(tgi_stored *array) TG_MUST_CHECK;

/* The type the format calls by that name; -1 when there is none. */
int tgi_dtype_find(const char *name);

#endif

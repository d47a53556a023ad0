/* safetensors.h -- named arrays in one file, in the format that PyTorch's safetensors package reads
 * and writes: 8 bytes of header length, a JSON header, then the arrays without gaps, little endian.
 * Host memory only.
 *
 * Beyond the format, a file we write carries two metadata entries: "taggan.format" ("1") and
 * "taggan.crc32", the zlib CRC-32 of the whole file taken with its own eight hex digits as
 * "00000000". A file with either must have both and must agree, so that any damaged byte is found;
 * a file of another program has neither and is checked by its header alone. */
#ifndef TGI_CHECKPOINT_SAFETENSORS_H
#define TGI_CHECKPOINT_SAFETENSORS_H

#include "base/status.h"
#include <stddef.h>

enum { TGI_STORED_MAX_DIMS = 8 };

typedef enum tgi_dtype {
    TGI_F32,
    TGI_F64,
    TGI_F16,
    TGI_BF16,
    TGI_I64,
    TGI_I32,
    TGI_I16,
    TGI_I8,
    TGI_U64,
    TGI_U32,
    TGI_U16,
    TGI_U8,
    TGI_BOOL
} tgi_dtype;

/* "F32" and so on, as the format spells it. */
const char *tgi_dtype_name(tgi_dtype dtype);
/* Bytes of one item. */
size_t tgi_dtype_size(tgi_dtype dtype);

/* A file being gathered. Nothing is on disk before the commit. */
typedef struct tgi_safetensors_writer tgi_safetensors_writer;

tg_status tgi_safetensors_writer_new(tgi_safetensors_writer **out) TG_MUST_CHECK;
void tgi_safetensors_writer_free(tgi_safetensors_writer *writer);

/* Sets one metadata entry (copied; UTF-8). TG_ERR_ARGUMENT for the two keys above, or text that is
 * not UTF-8. */
tg_status tgi_safetensors_writer_metadata(tgi_safetensors_writer *writer, const char *key,
                                          const char *value) TG_MUST_CHECK;

/* Adds an array, row-major; n_dims 0 is a scalar. Keeps the pointer to the data until the commit,
 * copies the rest. TG_ERR_ARGUMENT for a name that is there already. */
tg_status tgi_safetensors_writer_add(tgi_safetensors_writer *writer, const char *name,
                                     tgi_dtype dtype, const size_t *dims, size_t n_dims,
                                     const void *data) TG_MUST_CHECK;

/* Writes the file by rename. The writer may go on: more arrays, or the same ones with new values,
 * and another commit. */
tg_status tgi_safetensors_writer_commit(tgi_safetensors_writer *writer,
                                        const char *path) TG_MUST_CHECK;

/* One array of a file that was read. Owned by the file. */
typedef struct tgi_stored {
    const char *name;
    tgi_dtype dtype;
    size_t n_dims, dims[TGI_STORED_MAX_DIMS];
    size_t n_items, size_bytes;
    const void *data; /* aligned to 8 bytes in our files; in those of others perhaps not: memcpy */
} tgi_stored;

/* A whole file in memory. */
typedef struct tgi_safetensors tgi_safetensors;

/* TG_ERR_IO when it cannot be read; TG_ERR_FORMAT when it is truncated, damaged or not of this
 * format. The header is checked against the file's size before the arrays are allocated. */
tg_status tgi_safetensors_open(const char *path, tgi_safetensors **out) TG_MUST_CHECK;
void tgi_safetensors_free(tgi_safetensors *file);

/* A metadata entry, or NULL. */
const char *tgi_safetensors_metadata(const tgi_safetensors *file, const char *key);
/* The arrays, in the order of the file. */
size_t tgi_safetensors_count(const tgi_safetensors *file);
const tgi_stored *tgi_safetensors_at(const tgi_safetensors *file, size_t i);
/* The array of that name, or NULL. */
const tgi_stored *tgi_safetensors_find(const tgi_safetensors *file, const char *name);

/* Copies an array of F32, F64, F16 or BF16 as float32. TG_ERR_FORMAT when it is missing or of
 * another type, TG_ERR_SHAPE when it has not n items. */
tg_status tgi_safetensors_floats(const tgi_safetensors *file, const char *name, float *out,
                                 size_t n) TG_MUST_CHECK;

#endif

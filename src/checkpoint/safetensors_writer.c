/* safetensors_writer.c -- gathers named arrays and writes them as one safetensors file, by rename.
 */
#include "config.h"
#include "checkpoint/safetensors_format.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <zlib.h>

#include "base/banned.h"

struct tgi_safetensors_writer {
    json_t *metadata;
    tgi_stored *arrays;
    size_t n_arrays, capacity;
};

tg_status tgi_safetensors_writer_new(tgi_safetensors_writer **out)
{
    tg_status status = TG_OK;
    tgi_safetensors_writer *writer = NULL;

    *out = NULL;
    TG_TRY(tgi_alloc(1, sizeof *writer, &writer));
    writer->metadata = json_pack("{s:s}", TGI_STORED_FORMAT_KEY, "1");
    if (!writer->metadata) {
        status = tg_fail(TG_ERR_MEMORY, "out of memory for a checkpoint's metadata");
        goto cleanup;
    }
    *out = writer;
    return TG_OK;
cleanup:
    free(writer);
    return status;
}

void tgi_safetensors_writer_free(tgi_safetensors_writer *writer)
{
    if (!writer)
        return;
    json_decref(writer->metadata);
    for (size_t i = 0; i < writer->n_arrays; i++)
        free((char *)writer->arrays[i].name);
    free(writer->arrays);
    free(writer);
}

tg_status tgi_safetensors_writer_metadata(tgi_safetensors_writer *writer, const char *key,
                                          const char *value)
{
    if (!strcmp(key, TGI_STORED_FORMAT_KEY) || !strcmp(key, TGI_STORED_CRC_KEY))
        return tg_fail(TG_ERR_ARGUMENT, "metadata '%s' is written by itself", key);
    if (json_object_set_new(writer->metadata, key, json_string(value)))
        return tg_fail(TG_ERR_ARGUMENT, "metadata '%s' is not UTF-8 text", key);
    return TG_OK;
}

tg_status tgi_safetensors_writer_add(tgi_safetensors_writer *writer, const char *name,
                                     tgi_dtype dtype, const size_t *dims, size_t n_dims,
                                     const void *data)
{
    tg_status status = TG_OK;
    tgi_stored array = {.dtype = dtype, .n_dims = n_dims, .data = data};
    char *copy = NULL;

    if (n_dims > TGI_STORED_MAX_DIMS)
        return tg_fail(TG_ERR_ARGUMENT, "array '%s' has %zu dimensions, at most %d can be stored",
                       name, n_dims, TGI_STORED_MAX_DIMS);
    if (!strcmp(name, "__metadata__"))
        return tg_fail(TG_ERR_ARGUMENT, "an array cannot be called '%s'", name);
    for (size_t i = 0; i < writer->n_arrays; i++) {
        if (!strcmp(writer->arrays[i].name, name))
            return tg_fail(TG_ERR_ARGUMENT, "array '%s' is added twice", name);
    }
    for (size_t d = 0; d < n_dims; d++)
        array.dims[d] = dims[d];
    TG_TRY(tgi_stored_measure(&array));
    TG_TRY(
        tgi_grow(&writer->arrays, &writer->capacity, writer->n_arrays + 1, sizeof *writer->arrays));
    TG_TRY(tgi_strdup(name, &copy));
    array.name = copy;
    writer->arrays[writer->n_arrays++] = array;
cleanup:
    return status;
}

/* The order of the arrays in the file: wide types first, so that each array is aligned to its type
 * without gaps, which the format forbids. Returns the order as indices. */
static tg_status widest_first(const tgi_safetensors_writer *writer, size_t **out)
{
    tg_status status = TG_OK;
    size_t *order = NULL, n = 0;

    *out = NULL;
    TG_TRY(tgi_alloc(writer->n_arrays, sizeof *order, &order));
    for (size_t width = 8; width; width /= 2) {
        for (size_t i = 0; i < writer->n_arrays; i++) {
            if (tgi_dtype_size(writer->arrays[i].dtype) == width)
                order[n++] = i;
        }
    }
    *out = order;
cleanup:
    return status;
}

/* The header's JSON, the digits of the checksum still zero; padded with blanks so that the data
 * begin aligned. */
static tg_status write_header(const tgi_safetensors_writer *writer, const size_t *order,
                              tgi_text *out)
{
    tg_status status = TG_OK;
    json_t *root = json_object(), *metadata = json_copy(writer->metadata);
    size_t offset = 0;
    char *text = NULL;
    int failed = !root || !metadata ||
                 json_object_set_new(metadata, TGI_STORED_CRC_KEY, json_string("00000000"));

    failed = failed || json_object_set(root, "__metadata__", metadata);
    for (size_t i = 0; !failed && i < writer->n_arrays; i++) {
        const tgi_stored *array = &writer->arrays[order[i]];
        json_t *dims = json_array();

        for (size_t d = 0; d < array->n_dims; d++)
            failed |= json_array_append_new(dims, json_integer((json_int_t)array->dims[d]));
        failed |= json_object_set_new(root, array->name,
                                      json_pack("{s:s,s:o,s:[I,I]}", "dtype",
                                                tgi_dtype_name(array->dtype), "shape", dims,
                                                "data_offsets", (json_int_t)offset,
                                                (json_int_t)(offset + array->size_bytes)));
        if (failed) {
            status = tg_fail(TG_ERR_ARGUMENT, "the name of array %zu is not UTF-8 text", order[i]);
            goto cleanup;
        }
        offset += array->size_bytes;
    }
    text = failed ? NULL : json_dumps(root, JSON_COMPACT);
    if (!text) {
        status = tg_fail(TG_ERR_MEMORY, "out of memory for a checkpoint's header");
        goto cleanup;
    }
    TG_TRY(tgi_text_add(out, "%s", text));
    TG_TRY(tgi_text_add(
        out, "%*s",
        (int)((TGI_STORED_ALIGNMENT - out->size % TGI_STORED_ALIGNMENT) % TGI_STORED_ALIGNMENT),
        ""));
cleanup:
    free(text);
    json_decref(root);
    json_decref(metadata);
    return status;
}

/* The bytes of one array as the file has them, to the stream, the checksum, or both. */
static tg_status put_array(const tgi_stored *array, FILE *stream, uLong *crc)
{
    enum { CHUNK = 4096 };
    unsigned char chunk[CHUNK];
    const unsigned char *from = array->data;
    size_t size = tgi_dtype_size(array->dtype);

    for (size_t done = 0; done < array->size_bytes;) {
        size_t n = array->size_bytes - done < CHUNK ? array->size_bytes - done : CHUNK;

        memcpy(chunk, from + done, n);
        tgi_stored_swap(chunk, n / size, array->dtype);
        if (crc)
            *crc = crc32_z(*crc, chunk, n);
        if (stream && fwrite(chunk, 1, n, stream) != n)
            return TG_ERR_IO;
        done += n;
    }
    return TG_OK;
}

tg_status tgi_safetensors_writer_commit(tgi_safetensors_writer *writer, const char *path)
{
    tg_status status = TG_OK;
    tgi_text header = {0};
    tgi_file file = {0};
    size_t *order = NULL;
    unsigned char length[8];
    char digits[TGI_STORED_CRC_DIGITS + 1];
    uLong crc = crc32_z(0, NULL, 0);

    TG_TRY(widest_first(writer, &order));
    TG_TRY(write_header(writer, order, &header));
    tgi_stored_put_length(header.size, length);
    crc = crc32_z(crc, length, sizeof length);
    crc = crc32_z(crc, (const unsigned char *)header.data, header.size);
    for (size_t i = 0; i < writer->n_arrays; i++)
        TG_TRY(put_array(&writer->arrays[order[i]], NULL, &crc));
    snprintf(digits, sizeof digits, "%08lx", crc & 0xffffffffUL);
    memcpy(strstr(header.data, TGI_STORED_CRC_MARK) + strlen(TGI_STORED_CRC_MARK), digits,
           TGI_STORED_CRC_DIGITS);
    TG_TRY(tgi_file_create(path, &file));
    errno = 0;
    if (fwrite(length, 1, sizeof length, file.stream) != sizeof length ||
        fwrite(header.data, 1, header.size, file.stream) != header.size)
        status = TG_ERR_IO;
    for (size_t i = 0; status == TG_OK && i < writer->n_arrays; i++)
        status = put_array(&writer->arrays[order[i]], file.stream, NULL);
    if (status != TG_OK) {
        status = tg_fail(TG_ERR_IO, "cannot write '%s': %s", path, strerror(errno ? errno : EIO));
        goto cleanup;
    }
    TG_TRY(tgi_file_commit_synced(&file));
cleanup:
    tgi_file_discard(&file);
    tgi_text_release(&header);
    free(order);
    return status;
}

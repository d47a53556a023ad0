/* safetensors.c -- reads the safetensors format; a hostile or damaged file gets a sentence, never a
 * crash. */
#include "config.h"
#include "checkpoint/safetensors_format.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>
#include <zlib.h>

#include "base/banned.h"

typedef struct placed_array {
    tgi_stored array;
    size_t begin; /* byte of the data part */
} placed_array;

struct tgi_safetensors {
    char *path;
    json_t *header;   /* owns the names */
    json_t *metadata; /* inside header; NULL when there is none */
    placed_array *arrays;
    size_t n_arrays;
    unsigned char *data;
    size_t data_bytes;
};

void tgi_safetensors_free(tgi_safetensors *file)
{
    if (!file)
        return;
    json_decref(file->header);
    free(file->path);
    free(file->arrays);
    free(file->data);
    free(file);
}

/* An integer of the header that is 0 or more and fits a size. */
static tg_status header_size(const tgi_safetensors *file, const char *name, const json_t *value,
                             size_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > SIZE_MAX)
        return tg_fail(TG_ERR_FORMAT,
                       "cannot read '%s': array '%s' has a size that is not a whole number",
                       file->path, name);
    *out = (size_t)json_integer_value(value);
    return TG_OK;
}

/* One entry of the header: {"dtype": text, "shape": [sizes], "data_offsets": [begin, end]} and
 * nothing else. */
static tg_status read_entry(const tgi_safetensors *file, const char *name, const json_t *entry,
                            placed_array *placed)
{
    tg_status status = TG_OK;
    const char *name_of_type = json_string_value(json_object_get(entry, "dtype"));
    const json_t *shape = json_object_get(entry, "shape");
    const json_t *offsets = json_object_get(entry, "data_offsets");
    tgi_stored *out = &placed->array;
    size_t *begin = &placed->begin, end = 0;
    int dtype_found;

    if (!name_of_type || !json_is_array(shape) || json_array_size(offsets) != 2 ||
        json_object_size(entry) != 3)
        return tg_fail(TG_ERR_FORMAT,
                       "cannot read '%s': array '%s' is not described by dtype, shape and "
                       "data_offsets",
                       file->path, name);
    dtype_found = tgi_dtype_find(name_of_type);
    if (dtype_found < 0)
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s': array '%s' has the unknown type '%s'",
                       file->path, name, name_of_type);
    if (json_array_size(shape) > TGI_STORED_MAX_DIMS)
        return tg_fail(TG_ERR_FORMAT,
                       "cannot read '%s': array '%s' has %zu dimensions, at most %d are read",
                       file->path, name, json_array_size(shape), TGI_STORED_MAX_DIMS);
    *out = (tgi_stored){
        .name = name, .dtype = (tgi_dtype)dtype_found, .n_dims = json_array_size(shape)};
    for (size_t d = 0; d < out->n_dims; d++)
        TG_TRY(header_size(file, name, json_array_get(shape, d), &out->dims[d]));
    if (tgi_stored_measure(out) != TG_OK)
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s': the size of array '%s' overflows",
                       file->path, name);
    TG_TRY(header_size(file, name, json_array_get(offsets, 0), begin));
    TG_TRY(header_size(file, name, json_array_get(offsets, 1), &end));
    if (end < *begin || end - *begin != out->size_bytes || end > file->data_bytes)
        return tg_fail(TG_ERR_FORMAT,
                       "cannot read '%s': array '%s' takes %zu bytes, its offsets are %zu to "
                       "%zu of %zu",
                       file->path, name, out->size_bytes, *begin, end, file->data_bytes);
cleanup:
    return status;
}

/* Metadata is an object of texts; ours names its format and its checksum together. */
static tg_status check_metadata(tgi_safetensors *file)
{
    const char *key;
    json_t *value;

    file->metadata = json_object_get(file->header, "__metadata__");
    if (!file->metadata)
        return TG_OK;
    if (!json_is_object(file->metadata))
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s': its metadata is not an object",
                       file->path);
    json_object_foreach(file->metadata, key, value)
    {
        if (!json_is_string(value))
            return tg_fail(TG_ERR_FORMAT, "cannot read '%s': metadata '%s' is not a text",
                           file->path, key);
    }
    return TG_OK;
}

static int by_place(const void *a, const void *b)
{
    const placed_array *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->array.size_bytes > y->array.size_bytes) -
           (x->array.size_bytes < y->array.size_bytes);
}

/* Sorted by offset, the arrays must fill the data exactly. */
static tg_status check_contiguous(tgi_safetensors *file)
{
    size_t at = 0;

    qsort(file->arrays, file->n_arrays, sizeof *file->arrays, by_place);
    for (size_t i = 0; i < file->n_arrays; i++) {
        if (file->arrays[i].begin != at)
            return tg_fail(TG_ERR_FORMAT,
                           "cannot read '%s': array '%s' begins at byte %zu, not %zu", file->path,
                           file->arrays[i].array.name, file->arrays[i].begin, at);
        at += file->arrays[i].array.size_bytes;
    }
    if (at != file->data_bytes)
        return tg_fail(TG_ERR_FORMAT,
                       "cannot read '%s': %zu bytes of data, its header describes %zu", file->path,
                       file->data_bytes, at);
    return TG_OK;
}

static tg_status parse_header(tgi_safetensors *file, const char *text, size_t n)
{
    tg_status status = TG_OK;
    json_error_t error;
    const char *name;
    json_t *entry;

    file->header = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (!file->header)
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s': its header is not valid JSON: %s",
                       file->path, error.text);
    if (!json_is_object(file->header))
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s': its header is not an object", file->path);
    TG_TRY(check_metadata(file));
    TG_TRY(tgi_alloc(json_object_size(file->header), sizeof *file->arrays, &file->arrays));
    json_object_foreach(file->header, name, entry)
    {
        if (entry == file->metadata)
            continue;
        TG_TRY(read_entry(file, name, entry, &file->arrays[file->n_arrays]));
        file->n_arrays++;
    }
    TG_TRY(check_contiguous(file));
cleanup:
    return status;
}

/* Compares the checksum in the header with that of the bytes; fine when the file is not ours and
 * carries none. */
static tg_status check_crc(const tgi_safetensors *file, char *header, size_t n)
{
    const char *stored = tgi_safetensors_metadata(file, TGI_STORED_CRC_KEY);
    char *mark = strstr(header, TGI_STORED_CRC_MARK), digits[TGI_STORED_CRC_DIGITS + 1];
    unsigned char length[8];
    uLong crc = crc32_z(0, NULL, 0);

    if (!stored && !tgi_safetensors_metadata(file, TGI_STORED_FORMAT_KEY))
        return TG_OK;
    if (!stored || !tgi_safetensors_metadata(file, TGI_STORED_FORMAT_KEY) ||
        strlen(stored) != TGI_STORED_CRC_DIGITS || !mark)
        return tg_fail(TG_ERR_FORMAT, "cannot read '%s': its checksum is damaged", file->path);
    memset(mark + strlen(TGI_STORED_CRC_MARK), '0', TGI_STORED_CRC_DIGITS);
    tgi_stored_put_length(n, length);
    crc = crc32_z(crc, length, sizeof length);
    crc = crc32_z(crc, (const unsigned char *)header, n);
    crc = crc32_z(crc, file->data, file->data_bytes);
    snprintf(digits, sizeof digits, "%08lx", crc & 0xffffffffUL);
    if (strcmp(stored, digits))
        return tg_fail(TG_ERR_FORMAT,
                       "cannot read '%s': its checksum is %s, the header says %s (damaged, or "
                       "changed by another program)",
                       file->path, digits, stored);
    return TG_OK;
}

static void place_arrays(tgi_safetensors *file)
{
    unsigned char *at = file->data;

    for (size_t i = 0; i < file->n_arrays; i++) {
        tgi_stored *array = &file->arrays[i].array;

        array->data = at;
        tgi_stored_swap(at, array->n_items, array->dtype);
        at += array->size_bytes;
    }
}

/* The eight bytes in front, against the size of the file. */
static tg_status read_length(FILE *stream, const char *path, size_t *header_bytes,
                             size_t *data_bytes)
{
    unsigned char length[8];
    struct stat info;
    uint64_t n;

    if (fstat(fileno(stream), &info) || !S_ISREG(info.st_mode))
        return tg_fail(TG_ERR_IO, "cannot read '%s': not an ordinary file", path);
    if (fread(length, 1, sizeof length, stream) != sizeof length)
        return tg_fail(TG_ERR_FORMAT,
                       "cannot read '%s': %lld bytes are too few for a safetensors file", path,
                       (long long)info.st_size);
    n = tgi_stored_get_length(length);
    if (n < 2 || n > TGI_STORED_MAX_HEADER_BYTES || n > (uint64_t)info.st_size - sizeof length)
        return tg_fail(
            TG_ERR_FORMAT,
            "cannot read '%s': not a safetensors file, or truncated (a header of %" PRIu64
            " bytes in a file of %lld)",
            path, n, (long long)info.st_size);
    if ((uint64_t)info.st_size > SIZE_MAX)
        return tg_fail(TG_ERR_MEMORY, "cannot read '%s': too large for this machine", path);
    *header_bytes = (size_t)n;
    *data_bytes = (size_t)info.st_size - sizeof length - (size_t)n;
    return TG_OK;
}

tg_status tgi_safetensors_open(const char *path, tgi_safetensors **out)
{
    tg_status status = TG_OK;
    tgi_safetensors *file = NULL;
    char *header = NULL;
    size_t n = 0;
    FILE *stream = fopen(path, "rb");

    *out = NULL;
    if (!stream)
        return tg_fail(TG_ERR_IO, "cannot open '%s': %s", path, strerror(errno));
    TG_TRY(tgi_alloc(1, sizeof *file, &file));
    TG_TRY(tgi_strdup(path, &file->path));
    TG_TRY(read_length(stream, path, &n, &file->data_bytes));
    TG_TRY(tgi_alloc(n + 1, 1, &header)); /* the byte behind it ends the text for strstr */
    if (fread(header, 1, n, stream) != n) {
        status = tg_fail(TG_ERR_IO, "cannot read '%s': its header ended early", path);
        goto cleanup;
    }
    TG_TRY(parse_header(file, header, n));
    TG_TRY(tgi_alloc(file->data_bytes, 1, &file->data));
    if (fread(file->data, 1, file->data_bytes, stream) != file->data_bytes) {
        status = tg_fail(TG_ERR_IO, "cannot read '%s': its data ended early", path);
        goto cleanup;
    }
    TG_TRY(check_crc(file, header, n));
    place_arrays(file);
    *out = file;
    file = NULL;
cleanup:
    tgi_safetensors_free(file);
    free(header);
    fclose(stream);
    return status;
}

const char *tgi_safetensors_metadata(const tgi_safetensors *file, const char *key)
{
    return json_string_value(json_object_get(file->metadata, key));
}

size_t tgi_safetensors_count(const tgi_safetensors *file)
{
    return file->n_arrays;
}

const tgi_stored *tgi_safetensors_at(const tgi_safetensors *file, size_t i)
{
    return &file->arrays[i].array;
}

const tgi_stored *tgi_safetensors_find(const tgi_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->n_arrays; i++) {
        if (!strcmp(file->arrays[i].array.name, name))
            return &file->arrays[i].array;
    }
    return NULL;
}

/* IEEE half to single, exactly: subnormals are a small whole number of 2^-24. */
static float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = half >> 10 & 31,
             fraction = half & 1023;
    uint32_t bits;
    float value;

    if (!exponent) {
        value = (float)fraction / 16777216.0f;
        return sign ? -value : value;
    }
    bits = sign | (exponent == 31 ? 255u : exponent + 112) << 23 | fraction << 13;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float item_to_float(const tgi_stored *array, size_t i)
{
    const unsigned char *at = (const unsigned char *)array->data + i * tgi_dtype_size(array->dtype);
    double wide;
    float value;
    uint16_t half;
    uint32_t bits;

    switch (array->dtype) {
    case TGI_F64:
        memcpy(&wide, at, sizeof wide);
        return (float)wide;
    case TGI_F16:
        memcpy(&half, at, sizeof half);
        return half_to_float(half);
    case TGI_BF16:
        memcpy(&half, at, sizeof half);
        bits = (uint32_t)half << 16;
        memcpy(&value, &bits, sizeof value);
        return value;
    default:
        memcpy(&value, at, sizeof value);
        return value;
    }
}

tg_status tgi_safetensors_floats(const tgi_safetensors *file, const char *name, float *out,
                                 size_t n)
{
    const tgi_stored *array = tgi_safetensors_find(file, name);

    if (!array)
        return tg_fail(TG_ERR_FORMAT, "'%s' has no array '%s'", file->path, name);
    if (array->dtype > TGI_BF16)
        return tg_fail(TG_ERR_FORMAT, "'%s': array '%s' is %s, not floating point", file->path,
                       name, tgi_dtype_name(array->dtype));
    if (array->n_items != n)
        return tg_fail(TG_ERR_SHAPE, "'%s': array '%s' has %zu values, %zu are wanted", file->path,
                       name, array->n_items, n);
    for (size_t i = 0; i < n; i++)
        out[i] = item_to_float(array, i);
    return TG_OK;
}

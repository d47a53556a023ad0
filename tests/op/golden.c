/* golden.c -- reads the golden files into tensors and compares with them. */
#include "config.h"
#include "op/golden.h"

#include <stdio.h>

static tgi_safetensors *file;

void golden_open(const char *name)
{
    char path[200];

    snprintf(path, sizeof path, "tests/parity/golden/%s.safetensors", name);
    ck_assert_tg_ok(tgi_safetensors_open(tg_source_path(path), &file));
}

void golden_close(void)
{
    tgi_safetensors_free(file);
    file = NULL;
}

const tgi_safetensors *golden_file(void)
{
    return file;
}

static const tgi_stored *find(const char *which, const char *part)
{
    char name[100];
    const tgi_stored *stored;

    snprintf(name, sizeof name, "%s%s%s", which, *part ? "." : "", part);
    stored = tgi_safetensors_find(file, name);
    ck_assert_msg(stored != NULL, "the golden file has no '%s'", name);
    return stored;
}

tg_dims golden_dims(const char *which, const char *part)
{
    const tgi_stored *stored = find(which, part);
    size_t d[4] = {1, 1, 1, 1};

    ck_assert_uint_le(stored->n_dims, 4);
    for (size_t i = 0; i < stored->n_dims; i++)
        d[i] = stored->dims[i];
    return (tg_dims){d[0], d[1], d[2], d[3]};
}

static float *values_of(const char *which, const char *part)
{
    const tgi_stored *stored = find(which, part);
    float *values = op_floats(stored->n_items);

    ck_assert_tg_ok(tgi_safetensors_floats(file, stored->name, values, stored->n_items));
    return values;
}

tg_tensor *golden_tensor(const char *which, const char *part)
{
    float *values = values_of(which, part);
    tg_tensor *t = op_tensor(golden_dims(which, part), values);

    free(values);
    return t;
}

tg_tensor *golden_zero(const char *which, const char *part)
{
    tg_tensor *t;

    ck_assert_tg_ok(tg_tensor_new_zero(op_dev, golden_dims(which, part), &t));
    return t;
}

void golden_check(const char *which, const char *part, tg_tensor *got)
{
    size_t n = tg_tensor_count(got);
    float *want = values_of(which, part), *values = op_floats(n);
    char what[100];

    ck_assert(tg_dims_equal(tg_tensor_dims(got), golden_dims(which, part)));
    ck_assert_tg_ok(tg_tensor_download(got, values, n));
    snprintf(what, sizeof what, "%s.%s", which, part);
    tg_compare(what, values, want, n, TOL_GOLDEN);
    free(want);
    free(values);
    tg_tensor_free(got);
}

/* arrays.c -- blocks of a device as named arrays of a file, and back. */
#include "config.h"
#include "checkpoint/arrays.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/layer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/banned.h"

void tgi_arrays_release(tgi_arrays *arrays)
{
    for (size_t i = 0; i < arrays->n_items; i++)
        free(arrays->items[i].name);
    for (size_t i = 0; i < arrays->n_blocks; i++)
        free(arrays->blocks[i].values);
    free(arrays->items);
    free(arrays->blocks);
    *arrays = (tgi_arrays){0};
}

/* ---- what there is ---- */

static tg_status add_block(tgi_arrays *arrays, tg_tensor *home, size_t *index)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_grow(&arrays->blocks, &arrays->blocks_capacity, arrays->n_blocks + 1,
                    sizeof *arrays->blocks));
    *index = arrays->n_blocks++;
    arrays->blocks[*index] = (tgi_array_block){.home = home};
    TG_TRY(tgi_alloc(tg_tensor_count(home), sizeof(float), &arrays->blocks[*index].values));
cleanup:
    return status;
}

static tg_status add_item(tgi_arrays *arrays, const char *prefix, const char *name, tgi_array item)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_grow(&arrays->items, &arrays->items_capacity, arrays->n_items + 1,
                    sizeof *arrays->items));
    TG_TRY(tgi_printf(&item.name, "%s%s", prefix, name));
    arrays->items[arrays->n_items++] = item;
cleanup:
    return status;
}

/* How many of a parameter's four sizes PyTorch has; a vector, [1,C,1,1] here, has one. */
static size_t n_dims_of(const tgi_net *net, size_t param)
{
    for (size_t i = 0; i < net->n_layers; i++) {
        const tgi_layer *layer = &net->layers[i];
        bool is_scale = layer->scale == (int)param;

        if (!is_scale && layer->shift != (int)param)
            continue;
        if (layer->kind == TGI_LAYER_LABEL)
            return 2; /* a row a class */
        if (is_scale && layer->kind == TGI_LAYER_LINEAR)
            return 2;
        return is_scale && (layer->kind == TGI_LAYER_CONV || layer->kind == TGI_LAYER_CONV_UP) ? 4
                                                                                               : 1;
    }
    return 4;
}

static tgi_array array_of(tg_dims dims, size_t n_dims)
{
    tgi_array array = {.n_dims = n_dims, .n = tg_dims_count(dims)};

    if (n_dims == 1)
        array.dims[0] = array.n;
    else {
        const size_t all[4] = {dims.n, dims.c, dims.h, dims.w};

        for (size_t i = 0; i < n_dims; i++)
            array.dims[i] = all[i];
    }
    return array;
}

tg_status tgi_arrays_add_params(tgi_arrays *arrays, const char *prefix, const tgi_net *net,
                                tg_tensor *block)
{
    tg_status status = TG_OK;
    size_t index;

    TG_TRY(add_block(arrays, block, &index));
    for (size_t i = 0; i < net->n_params; i++) {
        tgi_array array = array_of(net->rules[i].dims, n_dims_of(net, i));

        array.block = index;
        array.offset = net->rules[i].offset;
        TG_TRY(add_item(arrays, prefix, net->params[i].name, array));
    }
cleanup:
    return status;
}

tg_status tgi_arrays_add_buffers(tgi_arrays *arrays, const char *prefix, const tgi_net *net)
{
    tg_status status = TG_OK;

    for (size_t i = 0; i < net->n_buffers; i++) {
        tgi_array array = array_of(net->buffers[i].value->dims, 1);

        TG_TRY(add_block(arrays, net->buffers[i].value, &array.block));
        TG_TRY(add_item(arrays, prefix, net->buffers[i].name, array));
    }
cleanup:
    return status;
}

tg_status tgi_arrays_add_tensor(tgi_arrays *arrays, const char *name, tg_tensor *tensor)
{
    tg_status status = TG_OK;
    tgi_array array = array_of(tensor->dims, 4);

    TG_TRY(add_block(arrays, tensor, &array.block));
    TG_TRY(add_item(arrays, "", name, array));
cleanup:
    return status;
}

/* ---- both ways ---- */

tg_status tgi_arrays_download(tgi_arrays *arrays)
{
    tg_status status = TG_OK;

    for (size_t i = 0; i < arrays->n_blocks; i++) {
        tgi_array_block *block = &arrays->blocks[i];

        TG_TRY(tg_tensor_download(block->home, block->values, tg_tensor_count(block->home)));
    }
cleanup:
    return status;
}

tg_status tgi_arrays_upload(const tgi_arrays *arrays)
{
    tg_status status = TG_OK;

    for (size_t i = 0; i < arrays->n_blocks; i++) {
        const tgi_array_block *block = &arrays->blocks[i];

        TG_TRY(tg_tensor_upload(block->home, block->values, tg_tensor_count(block->home)));
    }
cleanup:
    return status;
}

tg_status tgi_arrays_write(const tgi_arrays *arrays, tgi_safetensors_writer *writer)
{
    tg_status status = TG_OK;

    for (size_t i = 0; i < arrays->n_items; i++) {
        const tgi_array *array = &arrays->items[i];

        TG_TRY(tgi_safetensors_writer_add(writer, array->name, TGI_F32, array->dims, array->n_dims,
                                          arrays->blocks[array->block].values + array->offset));
    }
cleanup:
    return status;
}

/* "64 x 1 x 7 x 7"; "a scalar". */
static void shape_text(const size_t *dims, size_t n_dims, char *out, size_t size)
{
    size_t used = 0;

    snprintf(out, size, "a scalar");
    for (size_t i = 0; i < n_dims && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%zu", i ? " x " : "", dims[i]);
}

static tg_status check_shape(const tgi_array *array, const tgi_stored *stored)
{
    size_t most = stored->n_dims > array->n_dims ? stored->n_dims : array->n_dims;
    char wanted[96], found[192];

    for (size_t i = 0; i < most; i++) {
        size_t a = i < array->n_dims ? array->dims[i] : 1,
               b = i < stored->n_dims ? stored->dims[i] : 1;

        if (a == b)
            continue;
        shape_text(array->dims, array->n_dims, wanted, sizeof wanted);
        shape_text(stored->dims, stored->n_dims, found, sizeof found);
        return tg_fail(TG_ERR_SHAPE, "array '%s' is %s in the file, but %s in this model",
                       array->name, found, wanted);
    }
    return TG_OK;
}

tg_status tgi_arrays_read(tgi_arrays *arrays, const tgi_safetensors *file)
{
    tg_status status = TG_OK;

    for (size_t i = 0; i < arrays->n_items; i++) {
        const tgi_array *array = &arrays->items[i];
        const tgi_stored *stored = tgi_safetensors_find(file, array->name);

        if (!stored)
            return tg_fail(TG_ERR_FORMAT, "array '%s' is missing", array->name);
        TG_TRY(check_shape(array, stored));
        TG_TRY(tgi_safetensors_floats(
            file, array->name, arrays->blocks[array->block].values + array->offset, array->n));
    }
cleanup:
    return status;
}

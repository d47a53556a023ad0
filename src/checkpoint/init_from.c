/* init_from.c -- weights of another run, or of PyTorch, as the beginning of a training. */
#include "config.h"
#include "base/text.h"
#include "checkpoint/arrays.h"
#include "checkpoint/model_file.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

/* Old files hold running statistics of instance norms, which no longer have any. */
static bool is_statistic(const char *name)
{
    return tgi_ends_with(name, ".running_mean") || tgi_ends_with(name, ".running_var") ||
           tgi_ends_with(name, ".num_batches_tracked");
}

static bool has_network(const tgi_safetensors *file, const char *prefix)
{
    for (size_t i = 0; i < tgi_safetensors_count(file); i++) {
        const char *name = tgi_safetensors_at(file, i)->name;

        if (tgi_starts_with(name, prefix) && !is_statistic(name))
            return true;
    }
    return false;
}

/* The networks of the model that the file has. */
static tg_status list_present(const tgi_safetensors *file, tgi_model *model, tgi_arrays *arrays)
{
    tg_status status = TG_OK;

    for (size_t i = 0; i < TGI_N_MEMBERS; i++) {
        tgi_member *member = tgi_model_member(model, i);
        char prefix[16];

        snprintf(prefix, sizeof prefix, "%s.", member->prefix);
        if (!has_network(file, prefix))
            continue;
        TG_TRY(tgi_arrays_add_params(arrays, prefix, member->net, member->net->values));
        TG_TRY(tgi_arrays_add_buffers(arrays, prefix, member->net));
    }
    if (!arrays->n_items)
        status = tg_fail(TG_ERR_FORMAT,
                         "no array of a network (G.*, F.*, DN.* or DD.*) among its %zu arrays",
                         tgi_safetensors_count(file));
cleanup:
    return status;
}

tg_status tgi_model_init_from(const char *path, tgi_model *model)
{
    tg_status status = TG_OK;
    tgi_safetensors *file = NULL;
    tgi_arrays arrays = {0};

    status = tgi_safetensors_open(path, &file);
    if (status != TG_OK)
        return status;
    TG_TRY(list_present(file, model, &arrays));
    TG_TRY(tgi_arrays_read(&arrays, file));
    TG_TRY(tgi_arrays_upload(&arrays));
    for (size_t i = 0; i < TGI_N_MEMBERS; i++)
        tgi_net_touch(tgi_model_member(model, i)->net);
    if (model->average)
        TG_TRY(tgi_net_copy(model->g.net, model->average));
cleanup:
    if (status != TG_OK)
        tg_fail_in(status, "weights '%s'", path);
    tgi_arrays_release(&arrays);
    tgi_safetensors_free(file);
    return status;
}

/* ---- what the arrays tell ---- */

/* First size of PREFIX + NAME's array, 0 when there is none. */
static size_t first_size(const tgi_safetensors *file, const char *prefix, const char *name)
{
    char full[128];
    const tgi_stored *array;

    snprintf(full, sizeof full, "%s%s", prefix, name);
    array = tgi_safetensors_find(file, full);
    return array && array->n_dims == 4 ? array->dims[0] : 0;
}

/* How many of PREFIX + FORMAT(at), FORMAT(at + 1), ... there are. */
static size_t count_blocks(const tgi_safetensors *file, const char *prefix, const char *before,
                           size_t at, const char *behind)
{
    size_t n = 0;

    for (;; n++) {
        char name[96];

        snprintf(name, sizeof name, "%s%zu%s", before, at + n, behind);
        if (!first_size(file, prefix, name))
            return n;
    }
}

/* First layers: resnet, unet, small_unet, stargan. */
static void look_at_generator(const tgi_safetensors *file, const char *prefix, size_t *width,
                              size_t *blocks)
{
    static const char *const first[] = {"model.1.weight", "model.model.0.weight", "down1.0.weight",
                                        "main.0.weight"};

    for (size_t i = 0; i < TG_COUNT(first) && !*width; i++)
        *width = first_size(file, prefix, first[i]);
    if (!*blocks)
        *blocks = count_blocks(file, prefix, "model.", 10, ".conv_block.1.weight");
    if (!*blocks)
        *blocks = count_blocks(file, prefix, "main.", 9, ".main.0.weight");
}

/* patchgan, critic, stargan. */
static void look_at_judge(const tgi_safetensors *file, const char *prefix, size_t *dwidth)
{
    static const char *const first[] = {"model.0.weight", "down1.weight", "main.0.weight"};

    for (size_t i = 0; i < TG_COUNT(first) && !*dwidth; i++)
        *dwidth = first_size(file, prefix, first[i]);
}

tg_status tgi_settings_from_weights(const char *path, tgi_settings *settings)
{
    tgi_safetensors *file;
    tg_status status = tgi_safetensors_open(path, &file);

    if (status != TG_OK)
        return status;
    look_at_generator(file, "G.", &settings->width, &settings->blocks);
    look_at_generator(file, "F.", &settings->width, &settings->blocks);
    look_at_judge(file, "DN.", &settings->dwidth);
    look_at_judge(file, "DD.", &settings->dwidth);
    tgi_safetensors_free(file);
    return TG_OK;
}

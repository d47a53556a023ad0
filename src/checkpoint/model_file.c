/* model_file.c -- models and checkpoints: which arrays they hold, and what beside them. */
#include "config.h"
#include "checkpoint/model_file.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "checkpoint/arrays.h"
#include "checkpoint/model_info.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static tg_status add_network(tgi_arrays *arrays, const char *prefix, tgi_net *net)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_arrays_add_params(arrays, prefix, net, net->values));
    TG_TRY(tgi_arrays_add_buffers(arrays, prefix, net));
cleanup:
    return status;
}

/* ---- model.safetensors ---- */

static tg_status list_for_tagging(tgi_model *model, tgi_net *generator, tgi_arrays *arrays)
{
    tg_status status = TG_OK;

    TG_TRY(add_network(arrays, "G.", generator));
    TG_TRY(add_network(arrays, "DD.", model->dd.net));
cleanup:
    return status;
}

tg_status tgi_model_save(tgi_model *model, tgi_weights weights, const tgi_model_info *info,
                         const char *path)
{
    tg_status status = TG_OK;
    tgi_net *generator =
        weights == TGI_WEIGHTS_AVERAGE && model->average ? model->average : model->g.net;
    tgi_safetensors_writer *writer = NULL;
    tgi_arrays arrays = {0};

    TG_TRY(list_for_tagging(model, generator, &arrays));
    TG_TRY(tgi_arrays_download(&arrays));
    TG_TRY(tgi_safetensors_writer_new(&writer));
    TG_TRY(tgi_model_info_write(info, writer));
    TG_TRY(tgi_arrays_write(&arrays, writer));
    TG_TRY(tgi_safetensors_writer_commit(writer, path));
cleanup:
    tgi_safetensors_writer_free(writer);
    tgi_arrays_release(&arrays);
    return status;
}

/* A run's folder stands for the file in it. */
static tg_status open_model(const char *path, char **file_path, tgi_safetensors **file)
{
    tg_status status = TG_OK;

    if (tgi_is_folder(path))
        TG_TRY(tgi_path_join(path, "model.safetensors", file_path));
    else
        TG_TRY(tgi_strdup(path, file_path));
    TG_TRY(tgi_safetensors_open(*file_path, file));
cleanup:
    return status;
}

/* The training's settings without what tagging has no use for: room for batches, past fakes, a
 * running mean. */
static tgi_settings settings_for_tagging(const tgi_settings *trained)
{
    tgi_settings settings = *trained;

    settings.batch = 1;
    settings.critic_steps = 1;
    settings.pool = 0;
    settings.ema = 0;
    return settings;
}

tg_status tgi_model_load(tg_device *dev, const char *path, tgi_model **model, tgi_model_info *info)
{
    tg_status status = TG_OK;
    tgi_safetensors *file = NULL;
    tgi_arrays arrays = {0};
    char *file_path = NULL;
    tgi_settings settings;

    *model = NULL;
    *info = (tgi_model_info){0};
    TG_TRY(open_model(path, &file_path, &file));
    TG_TRY(tgi_model_info_read(file, file_path, info));
    settings = settings_for_tagging(&info->settings);
    TG_TRY(tgi_model_new(dev, &settings, info->n_classes, model));
    TG_TRY(list_for_tagging(*model, (*model)->g.net, &arrays));
    status = tgi_arrays_read(&arrays, file);
    if (status != TG_OK) {
        tg_fail_in(status, "'%s'", file_path);
        goto cleanup;
    }
    TG_TRY(tgi_arrays_upload(&arrays));
    tgi_net_touch((*model)->g.net);
    tgi_net_touch((*model)->dd.net);
cleanup:
    if (status != TG_OK) {
        tgi_model_free(*model);
        *model = NULL;
        tgi_model_info_release(info);
    }
    tgi_arrays_release(&arrays);
    tgi_safetensors_free(file);
    free(file_path);
    return status;
}

/* ---- checkpoint.safetensors ---- */

static tg_status list_everything(tgi_model *model, tgi_arrays *arrays)
{
    tg_status status = TG_OK;

    for (size_t i = 0; i < TGI_N_MEMBERS; i++) {
        tgi_member *member = tgi_model_member(model, i);
        char prefix[32];

        snprintf(prefix, sizeof prefix, "%s.", member->prefix);
        TG_TRY(add_network(arrays, prefix, member->net));
        snprintf(prefix, sizeof prefix, "adam.m.%s.", member->prefix);
        TG_TRY(tgi_arrays_add_params(arrays, prefix, member->net, member->m));
        snprintf(prefix, sizeof prefix, "adam.v.%s.", member->prefix);
        TG_TRY(tgi_arrays_add_params(arrays, prefix, member->net, member->v));
    }
    if (model->average)
        TG_TRY(add_network(arrays, "average.", model->average));
    if (model->pool_normal.images) {
        TG_TRY(tgi_arrays_add_tensor(arrays, "pool.normal", model->pool_normal.images));
        TG_TRY(tgi_arrays_add_tensor(arrays, "pool.disease", model->pool_disease.images));
    }
cleanup:
    return status;
}

typedef struct counters {
    json_int_t steps, updates, pool_normal, pool_disease;
} counters;

static tg_status write_counters(const tgi_model *model, tgi_safetensors_writer *writer)
{
    json_t *root =
        json_pack("{s:I,s:I,s:I,s:I}", "steps", (json_int_t)model->n_steps, "updates",
                  (json_int_t)model->n_updates, "pool_normal", (json_int_t)model->pool_normal.n,
                  "pool_disease", (json_int_t)model->pool_disease.n);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    tg_status status = text ? tgi_safetensors_writer_metadata(writer, "counters", text)
                            : tg_fail(TG_ERR_MEMORY, "out of memory for a checkpoint's counters");

    free(text);
    json_decref(root);
    return status;
}

static tg_status read_counters(const tgi_safetensors *file, const char *path,
                               const tgi_model *model, counters *out)
{
    const char *text = tgi_safetensors_metadata(file, "counters");
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    bool is_whole = root && !json_unpack(root, "{s:I,s:I,s:I,s:I}", "steps", &out->steps, "updates",
                                         &out->updates, "pool_normal", &out->pool_normal,
                                         "pool_disease", &out->pool_disease);

    json_decref(root);
    if (!text)
        return tg_fail(TG_ERR_FORMAT,
                       "'%s' is no checkpoint of taggan-train: it has no metadata 'counters'",
                       path);
    if (!is_whole || out->steps < 0 || out->updates < 0 || out->pool_normal < 0 ||
        out->pool_disease < 0 || (uint64_t)out->pool_normal > model->pool_normal.capacity ||
        (uint64_t)out->pool_disease > model->pool_disease.capacity)
        return tg_fail(TG_ERR_FORMAT, "'%s': its metadata 'counters' is damaged", path);
    return TG_OK;
}

tg_status tgi_checkpoint_save(tgi_model *model, const tgi_model_info *info, const char *trainer,
                              const char *path)
{
    tg_status status = TG_OK;
    tgi_safetensors_writer *writer = NULL;
    tgi_arrays arrays = {0};

    TG_TRY(list_everything(model, &arrays));
    TG_TRY(tgi_arrays_download(&arrays));
    TG_TRY(tgi_safetensors_writer_new(&writer));
    TG_TRY(tgi_model_info_write(info, writer));
    TG_TRY(write_counters(model, writer));
    TG_TRY(tgi_safetensors_writer_metadata(writer, "trainer", trainer));
    TG_TRY(tgi_arrays_write(&arrays, writer));
    TG_TRY(tgi_safetensors_writer_commit(writer, path));
cleanup:
    tgi_safetensors_writer_free(writer);
    tgi_arrays_release(&arrays);
    return status;
}

tg_status tgi_checkpoint_peek(const char *path, tgi_model_info *info, char **trainer)
{
    tg_status status = TG_OK;
    tgi_safetensors *file = NULL;
    const char *text;

    *info = (tgi_model_info){0};
    *trainer = NULL;
    TG_TRY(tgi_safetensors_open(path, &file));
    TG_TRY(tgi_model_info_read(file, path, info));
    text = tgi_safetensors_metadata(file, "trainer");
    if (!text) {
        status =
            tg_fail(TG_ERR_FORMAT,
                    "'%s' is no checkpoint of taggan-train: it has no metadata 'trainer'", path);
        goto cleanup;
    }
    TG_TRY(tgi_strdup(text, trainer));
cleanup:
    if (status != TG_OK)
        tgi_model_info_release(info);
    tgi_safetensors_free(file);
    return status;
}

tg_status tgi_checkpoint_load(const char *path, tgi_model *model)
{
    tg_status status = TG_OK;
    tgi_safetensors *file = NULL;
    tgi_arrays arrays = {0};
    counters counted;

    TG_TRY(tgi_safetensors_open(path, &file));
    TG_TRY(read_counters(file, path, model, &counted));
    TG_TRY(list_everything(model, &arrays));
    status = tgi_arrays_read(&arrays, file);
    if (status != TG_OK) {
        tg_fail_in(status, "'%s'", path);
        goto cleanup;
    }
    TG_TRY(tgi_arrays_upload(&arrays)); /* all was checked: from here on only the device can fail */
    for (size_t i = 0; i < TGI_N_MEMBERS; i++)
        tgi_net_touch(tgi_model_member(model, i)->net);
    if (model->average)
        tgi_net_touch(model->average);
    model->n_steps = (uint64_t)counted.steps;
    model->n_updates = (uint64_t)counted.updates;
    model->pool_normal.n = (size_t)counted.pool_normal;
    model->pool_disease.n = (size_t)counted.pool_disease;
cleanup:
    tgi_arrays_release(&arrays);
    tgi_safetensors_free(file);
    return status;
}

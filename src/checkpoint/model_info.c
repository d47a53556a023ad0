/* model_info.c -- settings, classes and thresholds of a model as metadata of its file. */
#include "config.h"
#include "checkpoint/model_info.h"
#include "base/memory.h"
#include "base/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* What kind of model the networks of a file make. */
static const char model_kind[] = "taggan";

void tgi_model_info_release(tgi_model_info *info)
{
    for (size_t k = 0; k < info->n_classes; k++)
        free(info->classes[k]);
    free(info->classes);
    free(info->threshold_rule);
    free(info->dataset);
    *info = (tgi_model_info){0};
}

/* ---- thresholds ---- */

tg_status tgi_calibrated_table(tg_calibration *healthy, tgi_calibrated table[TGI_N_CALIBRATED])
{
    static const double rates[TGI_N_CALIBRATED] = {0.001, 0.005, 0.01, 0.02, 0.05, 0.1};
    tg_status status = TG_OK;

    for (size_t i = 0; i < TGI_N_CALIBRATED; i++) {
        table[i].false_alarm = rates[i];
        TG_TRY(tg_calibration_threshold(healthy, 1 - rates[i], &table[i].threshold));
    }
cleanup:
    return status;
}

tg_status tgi_model_info_threshold(const tgi_model_info *info, double max_false_alarm,
                                   double *threshold)
{
    tg_status status = TG_OK;
    const double same = 1e-9; /* rates come from decimal text */
    tgi_text known = {0};

    if (!info->threshold_rule)
        return tg_fail(TG_ERR_ARGUMENT,
                       "the model was never calibrated on healthy images: give a threshold");
    if (fabs(info->settings.max_false_alarm - max_false_alarm) < same) {
        *threshold = info->threshold;
        return TG_OK;
    }
    for (size_t i = 0; i < info->n_calibrated; i++) {
        if (fabs(info->calibrated[i].false_alarm - max_false_alarm) < same) {
            *threshold = info->calibrated[i].threshold;
            return TG_OK;
        }
    }
    TG_TRY(tgi_text_add(&known, "%g", info->settings.max_false_alarm));
    for (size_t i = 0; i < info->n_calibrated; i++) {
        if (fabs(info->calibrated[i].false_alarm - info->settings.max_false_alarm) >= same)
            TG_TRY(tgi_text_add(&known, ", %g", info->calibrated[i].false_alarm));
    }
    status = tg_fail(TG_ERR_ARGUMENT,
                     "the model holds no threshold for a false-alarm rate of %g (it has: %s)",
                     max_false_alarm, known.data);
cleanup:
    tgi_text_release(&known);
    return status;
}

/* ---- writing ---- */

static tg_status write_json(tgi_safetensors_writer *writer, const char *key, json_t *value)
{
    tg_status status = TG_OK;
    char *text =
        value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17)) : NULL;

    if (!text)
        status = tg_fail(TG_ERR_MEMORY, "out of memory for the model's %s", key);
    else
        status = tgi_safetensors_writer_metadata(writer, key, text);
    free(text);
    json_decref(value);
    return status;
}

static json_t *classes_json(const tgi_model_info *info)
{
    json_t *names = json_array();

    for (size_t k = 0; k < info->n_classes; k++) {
        if (json_array_append_new(names, json_string(info->classes[k]))) {
            json_decref(names);
            return NULL;
        }
    }
    return names;
}

static json_t *calibrated_json(const tgi_model_info *info)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < info->n_calibrated; i++) {
        const tgi_calibrated *row = &info->calibrated[i];

        if (json_array_append_new(rows, json_pack("[f,f]", row->false_alarm, row->threshold))) {
            json_decref(rows);
            return NULL;
        }
    }
    return rows;
}

tg_status tgi_model_info_write(const tgi_model_info *info, tgi_safetensors_writer *writer)
{
    tg_status status = TG_OK;
    tgi_text settings = {0};
    char step[32];

    TG_TRY(tgi_settings_write(&info->settings, false, &settings));
    TG_TRY(tgi_safetensors_writer_metadata(writer, "model", model_kind));
    TG_TRY(tgi_safetensors_writer_metadata(writer, "settings", settings.data));
    TG_TRY(write_json(writer, "classes", classes_json(info)));
    snprintf(step, sizeof step, "%" PRIu64, info->step);
    TG_TRY(tgi_safetensors_writer_metadata(writer, "step", step));
    if (info->dataset)
        TG_TRY(tgi_safetensors_writer_metadata(writer, "dataset", info->dataset));
    if (info->threshold_rule && info->threshold >= 0) {
        TG_TRY(tgi_safetensors_writer_metadata(writer, "threshold_rule", info->threshold_rule));
        TG_TRY(write_json(writer, "threshold", json_real(info->threshold)));
        TG_TRY(write_json(writer, "calibrated", calibrated_json(info)));
    }
cleanup:
    tgi_text_release(&settings);
    return status;
}

/* ---- reading ---- */

static tg_status damaged(const char *path, const char *key)
{
    return tg_fail(TG_ERR_FORMAT, "'%s': its metadata '%s' is damaged", path, key);
}

static tg_status read_classes(const char *path, const char *text, tgi_model_info *info)
{
    tg_status status = TG_OK;
    json_t *names = json_loads(text, 0, NULL);
    size_t n = json_array_size(names);

    if (!n) {
        status = damaged(path, "classes");
        goto cleanup;
    }
    TG_TRY(tgi_alloc(n, sizeof *info->classes, &info->classes));
    for (; info->n_classes < n; info->n_classes++) {
        const char *name = json_string_value(json_array_get(names, info->n_classes));

        if (!name || !*name) {
            status = damaged(path, "classes");
            goto cleanup;
        }
        TG_TRY(tgi_strdup(name, &info->classes[info->n_classes]));
    }
cleanup:
    json_decref(names);
    return status;
}

/* The entries of a model that was calibrated. */
static tg_status read_thresholds(const tgi_safetensors *file, const char *path,
                                 tgi_model_info *info)
{
    tg_status status = TG_OK;
    const char *rule = tgi_safetensors_metadata(file, "threshold_rule");
    const char *threshold = tgi_safetensors_metadata(file, "threshold");
    const char *table = tgi_safetensors_metadata(file, "calibrated");
    json_t *rows = table ? json_loads(table, 0, NULL) : NULL;

    info->threshold = -1;
    if (!rule && !threshold)
        goto cleanup;
    if (!rule || !threshold || !tgi_parse_real(threshold, &info->threshold) ||
        info->threshold < 0) {
        status = damaged(path, "threshold");
        goto cleanup;
    }
    TG_TRY(tgi_strdup(rule, &info->threshold_rule));
    if (table && (!rows || json_array_size(rows) > TGI_N_CALIBRATED)) {
        status = damaged(path, "calibrated");
        goto cleanup;
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        tgi_calibrated *row = &info->calibrated[info->n_calibrated++];

        if (json_unpack(json_array_get(rows, i), "[F,F]", &row->false_alarm, &row->threshold) ||
            row->threshold < 0) {
            status = damaged(path, "calibrated");
            goto cleanup;
        }
    }
cleanup:
    json_decref(rows);
    return status;
}

static tg_status read_settings(const char *path, const char *text, tgi_settings *settings)
{
    tg_status status = TG_OK;

    *settings =
        tgi_settings_preset(TGI_PRESET_STANDARD); /* for a setting that is younger than the file */
    TG_TRY(tgi_settings_parse(settings, text, path));
    TG_TRY(tgi_settings_check(settings));
cleanup:
    return status == TG_ERR_ARGUMENT ? TG_ERR_FORMAT : status; /* here it is the file's fault */
}

tg_status tgi_model_info_read(const tgi_safetensors *file, const char *path, tgi_model_info *info)
{
    tg_status status = TG_OK;
    const char *kind = tgi_safetensors_metadata(file, "model"),
               *settings = tgi_safetensors_metadata(file, "settings");
    const char *classes = tgi_safetensors_metadata(file, "classes"),
               *step = tgi_safetensors_metadata(file, "step");
    const char *dataset = tgi_safetensors_metadata(file, "dataset");
    long long number;

    *info = (tgi_model_info){.threshold = -1};
    if (!kind || !settings || !classes || !step)
        return tg_fail(TG_ERR_FORMAT, "'%s' is no model of taggan-train: it has no metadata '%s'",
                       path,
                       !kind       ? "model"
                       : !settings ? "settings"
                       : !classes  ? "classes"
                                   : "step");
    if (strcmp(kind, model_kind))
        return tg_fail(TG_ERR_UNSUPPORTED, "'%s' holds a model of kind '%s', not '%s'", path, kind,
                       model_kind);
    TG_TRY(read_settings(path, settings, &info->settings));
    TG_TRY(read_classes(path, classes, info));
    if (!tgi_parse_int(step, &number) || number < 0) {
        status = damaged(path, "step");
        goto cleanup;
    }
    info->step = (uint64_t)number;
    if (dataset)
        TG_TRY(tgi_strdup(dataset, &info->dataset));
    TG_TRY(read_thresholds(file, path, info));
    return TG_OK;
cleanup:
    tgi_model_info_release(info);
    return status;
}

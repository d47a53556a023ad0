/* devices_tune.c -- taggan-devices tune, and the child process that measures for it (op/tune_worker.c). */
#include "config.h"
#include "cli/devices_tune.h"
#include "cli/devices_list.h"
#include "cli/options.h"
#include "dataset/phantom.h"
#include "model/model.h"
#include "op/tune.h"
#include <taggan/programs.h>

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

int tg_tune_worker_main(void)
{
    return tgi_tune_work() == TG_OK ? 0 : 1; /* the parent tells what happened */
}

static tg_status make_settings(const tgi_devices_tune_opts *opts, tgi_settings *s)
{
    tg_status status = TG_OK;
    const char *preset = opts->preset ? opts->preset : "quick";

    *s = tgi_settings_preset(!strcmp(preset, "quick")      ? TGI_PRESET_QUICK
                             : !strcmp(preset, "standard") ? TGI_PRESET_STANDARD
                                                           : TGI_PRESET_PAPER);
    s->size = opts->size ? opts->size : s->size;
    s->width = opts->width ? opts->width : s->width;
    s->batch = opts->batch ? opts->batch : s->batch;
    for (size_t i = 0; i < opts->n_sets; i++)
        TG_TRY(tgi_settings_set_pair(s, opts->sets[i]));
    s->conv_algorithm = TG_CONV_AUTO;
    s->tune = TGI_TUNE_OFF; /* what is stored must not keep a layer from being measured */
    TG_TRY(tgi_settings_check(s));
cleanup:
    return status;
}

/* The layers of one training step: it runs with all convolutions left out, and each that is met is remembered. */
static tg_status list_layers(tg_device *dev, const tgi_settings *settings, size_t n_classes)
{
    tg_status status = TG_OK;
    const tgi_pace pace = {.lr = 0, .lam_id = settings->lam_id};
    tgi_model *model = NULL;

    TG_TRY(tgi_model_new(dev, settings, n_classes, &model));
    TG_TRY(tgi_tune_begin_dry(dev));
    status = tgi_model_step(model, &pace);
    tgi_tune_end_dry(dev);
    TG_TRY(status);
    TG_TRY(tg_device_finish(dev));
cleanup:
    tgi_model_free(model);
    return status;
}

static void layer_words(const tgi_conv *c, char *out, size_t size)
{
    snprintf(out, size, "%zu of %zu px %zu - %zu, %zux%zu/%zu%s", c->n, c->h, c->c, c->k, c->r,
             c->s, c->stride, c->is_reflected ? " mirrored" : "");
}

static void print_entry(const tgi_tune_entry *e, FILE *out)
{
    char words[96];

    layer_words(&e->layer.conv, words, sizeof words);
    fprintf(out, "%-36s %-8s %-10s", words, tgi_conv_pass_names[e->layer.pass],
            e->winner ? e->winner->name : "by rule");
    for (size_t i = 0; i < e->n_results; i++) {
        const tgi_tune_result *r = &e->results[i];

        if (r->ms >= 0)
            fprintf(out, "  %s %.3f", r->algorithm->name, r->ms);
        else if (*r->problem)
            fprintf(out, "  %s: %s", r->algorithm->name, r->problem);
    }
    fprintf(out, "\n");
}

static json_t *json_of(const tgi_tune_entry *e)
{
    const tgi_conv *c = &e->layer.conv;
    json_t *results = json_array();

    for (size_t i = 0; i < e->n_results; i++) {
        const tgi_tune_result *r = &e->results[i];

        json_array_append_new(results, json_pack("{s:s, s:o, s:s}", "algorithm", r->algorithm->name,
                                                 "ms", r->ms >= 0 ? json_real(r->ms) : json_null(),
                                                 "problem", r->problem));
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s, s:s?, s:o}",
                     "n", (json_int_t)c->n, "c", (json_int_t)c->c, "h", (json_int_t)c->h, "w",
                     (json_int_t)c->w, "k", (json_int_t)c->k, "p", (json_int_t)c->p, "q",
                     (json_int_t)c->q, "r", (json_int_t)c->r, "s", (json_int_t)c->s, "stride",
                     (json_int_t)c->stride, "pad", (json_int_t)c->pad, "reflected",
                     (int)c->is_reflected, "pass", tgi_conv_pass_names[e->layer.pass], "algorithm",
                     e->winner ? e->winner->name : NULL, "results", results);
}

static json_t *all_json(const tg_device *dev, const char *key, const tgi_tune_table *table,
                        size_t n_layers)
{
    json_t *layers = json_array();

    for (size_t i = 0; i < table->n; i++)
        json_array_append_new(layers, json_of(&table->entries[i]));
    return json_pack("{s:i, s:o, s:s, s:I, s:o}", "version", 1, "device",
                     tgi_devices_json(&dev->info), "key", key, "met", (json_int_t)n_layers,
                     "layers", layers);
}

tg_status tgi_devices_tune(tg_device *dev, const tgi_devices_tune_opts *opts, json_t **json)
{
    tg_status status = TG_OK;
    bool is_quick = !opts->preset || !strcmp(opts->preset, "quick");
    tgi_tune_opts run = {.seconds = opts->seconds, .is_thorough = true};
    tgi_tune_table found = {0};
    tgi_settings settings;
    char *key = NULL;

    TG_TRY(make_settings(opts, &settings));
    TG_TRY(list_layers(dev, &settings, is_quick ? TGI_PHANTOM_CLASSES : 1));
    TG_TRY(tgi_tune_key(dev, &key));
    if (opts->table) {
        fprintf(opts->table, "%zu layers and passes on %s, %.0f s at most\n", dev->tune->n_wanted,
                dev->info.name, opts->seconds);
        fprintf(opts->table, "%-36s %-8s %-10s  %s\n", "layer", "pass", "fastest",
                "milliseconds of each");
        fflush(opts->table);
    }
    TG_TRY(tgi_tune_run(dev, dev->tune->wanted, dev->tune->n_wanted, &run, &found));
    for (size_t i = 0; i < found.n && opts->table; i++)
        print_entry(&found.entries[i], opts->table);
    TG_TRY(tgi_tune_write(key, &found, true));
    if (opts->table)
        fprintf(opts->table, "%zu of %zu tuned, in %.1f s\n", found.n, dev->tune->n_wanted,
                opts->seconds - run.seconds);
    if (json) {
        *json = all_json(dev, key, &found, dev->tune->n_wanted);
        if (!*json)
            status = tg_fail(TG_ERR_MEMORY, "cannot keep the results: out of memory");
    }
cleanup:
    free(found.entries);
    free(key);
    return status;
}

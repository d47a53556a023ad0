/* devices_bench.c -- runs taggan-devices bench: settings, layers, whole steps, in this order. */
#include "config.h"
#include "cli/devices_bench.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "cli/devices_list.h"
#include "dataset/phantom.h"
#include "report/console.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* ---- settings ---- */

static tg_status set_size(tgi_settings *s, const char *name, size_t value, size_t unset)
{
    char text[32];

    if (value == unset)
        return TG_OK;
    snprintf(text, sizeof text, "%zu", value);
    return tgi_settings_set(s, name, text);
}

static tg_status make_settings(const tgi_bench_opts *opts, const char *preset, tgi_bench *bench)
{
    tg_status status = TG_OK;
    tgi_settings *s = &bench->settings;
    bool is_quick = !strcmp(preset, "quick");

    bench->name = preset;
    bench->n_classes = is_quick ? TGI_PHANTOM_CLASSES : 1; /* what quick is for */
    *s = tgi_settings_preset(is_quick                      ? TGI_PRESET_QUICK
                             : !strcmp(preset, "standard") ? TGI_PRESET_STANDARD
                                                           : TGI_PRESET_PAPER);
    TG_TRY(set_size(s, "size", opts->size, 0));
    TG_TRY(set_size(s, "width", opts->width, 0));
    TG_TRY(set_size(s, "blocks", opts->blocks, SIZE_MAX));
    TG_TRY(set_size(s, "batch", opts->batch, 0));
    if (opts->net)
        TG_TRY(tgi_settings_set(s, "net", opts->net));
    if (opts->netd)
        TG_TRY(tgi_settings_set(s, "netd", opts->netd));
    for (size_t i = 0; i < opts->n_sets; i++)
        TG_TRY(tgi_settings_set_pair(s, opts->sets[i]));
    TG_TRY(tgi_settings_check(s));
cleanup:
    return status;
}

tg_status tgi_bench_settings(const tgi_bench_opts *opts, tgi_bench benches[TGI_MAX_BENCHES],
                             size_t *n)
{
    tg_status status = TG_OK;
    bool has_wishes = opts->size || opts->width || opts->blocks != SIZE_MAX || opts->batch ||
                      opts->net || opts->netd || opts->n_sets;

    *n = 0;
    if (opts->preset || has_wishes) {
        TG_TRY(make_settings(opts, opts->preset ? opts->preset : "quick", &benches[0]));
        *n = 1;
        return TG_OK;
    }
    TG_TRY(make_settings(opts, "quick", &benches[0]));
    TG_TRY(make_settings(opts, "paper", &benches[1]));
    *n = 2;
cleanup:
    return status;
}

/* ---- whole steps ---- */

typedef struct step_work {
    tgi_model *model;
    tgi_pace pace;
    tg_batch diseased, healthy;
    float *pixels, *labels;
    tg_tensor *map;
} step_work;

static tg_status step_work_init(tgi_model *model, step_work *w)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &model->settings;
    size_t n = s->batch, classes = model->n_classes, values = n * s->size * s->size;
    tgi_rng rng = tgi_rng_new(1, TGI_STREAM_TEST, 2);

    *w = (step_work){.model = model, .pace = {.lr = s->lr, .lam_id = s->lam_id}};
    TG_TRY(tgi_alloc(2 * values, sizeof *w->pixels, &w->pixels));
    TG_TRY(tgi_alloc(2 * n * classes, sizeof *w->labels, &w->labels));
    for (size_t i = 0; i < 2 * values; i++)
        w->pixels[i] = (float)tgi_rng_range(&rng, -1, 1);
    for (size_t i = 0; i < n; i++)
        w->labels[i * classes + i % classes] = 1;
    w->diseased = (tg_batch){
        .n = n, .n_classes = classes, .size_px = s->size, .x = w->pixels, .labels = w->labels};
    w->healthy = w->diseased;
    w->healthy.x = w->pixels + values;
    w->healthy.labels = w->labels + n * classes;
    TG_TRY(tg_tensor_new(model->dev, (tg_dims){n, 1, s->size, s->size}, &w->map));
cleanup:
    return status;
}

static void step_work_release(step_work *w)
{
    tg_tensor_free(w->map);
    free(w->labels);
    free(w->pixels);
}

/* As the trainer does it: fresh images for every update of the discriminators. */
static tg_status run_step(void *user)
{
    tg_status status = TG_OK;
    step_work *w = user;

    for (size_t k = 0; k < w->model->settings.critic_steps; k++)
        TG_TRY(tgi_model_feed(w->model, k, &w->diseased, &w->healthy));
    TG_TRY(tgi_model_step(w->model, &w->pace));
cleanup:
    return status;
}

static tg_status run_inference(void *user)
{
    step_work *w = user;
    const tgi_feed *feed = &w->model->feeds[0];

    return tgi_model_map(w->model, TGI_WEIGHTS_RAW, feed->x, feed->c, w->map);
}

static tg_status measure_whole(tgi_model *model, const tgi_bench_opts *opts, tgi_bench *bench)
{
    tg_status status = TG_OK;
    tg_device *dev = model->dev;
    size_t now;
    step_work w;

    TG_TRY(step_work_init(model, &w));
    if (bench->has_step) {
        dev->bytes_peak = dev->bytes_now; /* of the step alone */
        TG_TRY(tgi_time(dev, NULL, run_step, &w, &opts->timing, &bench->step));
        tg_device_memory(dev, &now, &bench->peak_bytes);
    } else {
        TG_TRY(tgi_model_feed(model, 0, &w.diseased, &w.healthy));
    }
    if (bench->has_inference)
        TG_TRY(tgi_time(dev, NULL, run_inference, &w, &opts->timing, &bench->inference));
cleanup:
    step_work_release(&w);
    return status;
}

/* ---- the run ---- */

static tg_status measure_layers(const tgi_bench_opts *opts, tgi_progress *progress,
                                tgi_bench *bench)
{
    tg_status status = TG_OK;
    tgi_bench_list *list = &bench->list;
    bool is_bar = tgi_progress_shown_as(progress) == TGI_PROGRESS_BAR;

    for (size_t i = 0; i < list->n_entries; i++) {
        TG_TRY(tgi_bench_measure(&list->entries[i], &opts->timing, list));
        if (is_bar)
            tgi_progress_tell(
                progress,
                &(tgi_progress_state){.step = i + 1, .n_steps = list->n_entries, .left_s = -1});
    }
cleanup:
    if (is_bar)
        tgi_progress_end(progress);
    return status;
}

/* F has G's layers, and DN those of DD but the label head. */
static tg_status list_layers(tgi_model *model, const char *only, tgi_bench_list *list)
{
    tg_status status = TG_OK;
    const tgi_settings *s = &model->settings;
    const tg_dims image = {s->batch, 1, s->size, s->size};

    TG_TRY(tgi_bench_list_net(model->g.net, model->g.prefix, image, only, list));
    TG_TRY(tgi_bench_list_net(model->dd.net, model->dd.prefix, image, only, list));
cleanup:
    return status;
}

static tg_status run_one(tg_device *dev, const tgi_bench_opts *opts, tgi_progress *progress,
                         tgi_bench *bench)
{
    tg_status status = TG_OK;
    tgi_model *model = NULL;

    TG_TRY(tgi_model_new(dev, &bench->settings, bench->n_classes, &model));
    bench->generator = tgi_net_kind_name(model->g.net->config.kind);
    bench->judge = tgi_net_kind_name(model->dd.net->config.kind);
    TG_TRY(list_layers(model, opts->only, &bench->list));
    bench->has_step = !opts->only || tgi_has_word("training step", opts->only);
    bench->has_inference = !opts->only || tgi_has_word("inference", opts->only);
    if (bench->list.n_entries)
        tgi_progress_note(progress, "bench: %s: %zu different layers", bench->name,
                          bench->list.n_entries);
    TG_TRY(measure_layers(opts, progress, bench));
    if (bench->has_step || bench->has_inference) {
        tgi_progress_note(progress, "bench: %s: whole steps", bench->name);
        TG_TRY(measure_whole(model, opts, bench));
    }
    for (size_t i = 0; i < bench->list.n_entries; i++)
        bench->list.entries[i].net = NULL; /* it ends here */
cleanup:
    tgi_model_free(model);
    return status;
}

static bool is_empty(const tgi_bench *bench)
{
    return !bench->list.n_rows && !bench->has_step && !bench->has_inference;
}

tg_status tgi_bench_run(tg_device *dev, const tgi_bench_opts *opts, FILE *table, tgi_bench *benches,
                        size_t n, tgi_peak *peak)
{
    tg_status status = TG_OK;
    tgi_progress *progress = NULL;
    size_t n_empty = 0;

    TG_TRY(tgi_progress_new(stderr, opts->is_quiet ? TGI_PROGRESS_SILENT : TGI_PROGRESS_AUTO,
                            "bench", &progress));
    tgi_progress_note(progress, "bench: what %s can do at most", tg_device_get_info(dev)->name);
    TG_TRY(tgi_peak_measure(dev, peak));
    if (table)
        tgi_bench_print_device(tg_device_get_info(dev), peak, table);
    for (size_t i = 0; i < n; i++) {
        TG_TRY(run_one(dev, opts, progress, &benches[i]));
        n_empty += is_empty(&benches[i]);
        if (table && !is_empty(&benches[i]))
            tgi_bench_print(&benches[i], peak, table);
        if (table)
            fflush(table);
    }
    if (n_empty == n)
        status =
            tg_fail(TG_ERR_ARGUMENT, "nothing that is measured has '%s' in its name", opts->only);
cleanup:
    tgi_progress_free(progress);
    return status;
}

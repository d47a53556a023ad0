/* eval_run.c -- trained models measured on a data set: each is loaded, shown the same images, and let go. */
#include "config.h"
#include "report/eval_run.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* What is done for all runs. */
typedef struct eval_run {
    const tgi_eval_run_opts *opts;
    tg_dataset *set;       /* opened for the first model */
    tgi_samples *samples;  /* [n] */
    tgi_model_info *infos; /* [n]; samples point to them */
} eval_run;

bool tgi_is_png_name(const char *path)
{
    return tgi_ends_with(path, ".png") || tgi_ends_with(path, ".PNG");
}

/* ---- the data set ---- */

/* "A, B", or with separator "," what tg_dataset_opts.classes takes. */
static tg_status join_classes(const tgi_model_info *info, const char *separator, char **out)
{
    tg_status status = TG_OK;
    tgi_text text = {0};

    for (size_t k = 0; k < info->n_classes; k++)
        TG_TRY(tgi_text_add(&text, "%s%s", k ? separator : "", info->classes[k]));
    *out = text.data;
    return TG_OK;
cleanup:
    tgi_text_release(&text);
    return status;
}

static bool has_same_order(const tg_dataset *set, const tgi_model_info *info)
{
    bool same = tg_dataset_n_classes(set) == info->n_classes;

    for (size_t k = 0; same && k < info->n_classes; k++)
        same = !strcmp(tg_dataset_class_name(set, k), info->classes[k]);
    return same;
}

static bool has_same_classes(const tg_dataset *set, const tgi_model_info *info)
{
    size_t n = tg_dataset_n_classes(set), n_common = 0;

    for (size_t k = 0; k < n; k++) {
        for (size_t c = 0; c < info->n_classes; c++)
            n_common += tgi_same_word(tg_dataset_class_name(set, k), info->classes[c]);
    }
    return n == info->n_classes && n_common == n;
}

static tg_status classes_differ(const tg_dataset *set, const char *run, const tgi_model_info *info)
{
    tg_status status = TG_OK;
    char *known = NULL;
    tgi_text found = {0};

    TG_TRY(join_classes(info, ", ", &known));
    for (size_t k = 0; k < tg_dataset_n_classes(set); k++)
        TG_TRY(tgi_text_add(&found, "%s%s", k ? ", " : "", tg_dataset_class_name(set, k)));
    status = tg_fail(TG_ERR_ARGUMENT,
                     "the model '%s' knows the classes %s, but '%s' has %s (--classes says which "
                     "images are taken, and in which "
                     "order)",
                     run, known, tg_dataset_name(set), found.data);
cleanup:
    tgi_text_release(&found);
    free(known);
    return status;
}

/* Opens the set with the model's classes in the model's order. A set of healthy images alone has no classes of its own. */
static tg_status open_dataset(eval_run *e, const char *run, const tgi_model_info *info)
{
    tg_status status = TG_OK;
    tg_dataset_opts opts = e->opts->opening;
    char *classes = NULL;

    opts.seed = info->settings.seed;
    opts.size_px = info->settings.size;
    TG_TRY(tg_dataset_open(e->opts->dataset, &opts, &e->set));
    if (has_same_order(e->set, info))
        return TG_OK;
    if (tg_dataset_n_classes(e->set) && !has_same_classes(e->set, info))
        TG_TRY(classes_differ(e->set, run, info));
    TG_TRY(join_classes(info, ",", &classes));
    opts.classes = classes;
    tg_dataset_free(e->set);
    e->set = NULL;
    TG_TRY(tg_dataset_open(e->opts->dataset, &opts, &e->set));
    if (!has_same_order(e->set, info))
        TG_TRY(classes_differ(e->set, run, info));
cleanup:
    free(classes);
    return status;
}

static size_t count(const tg_dataset *set, tg_split split)
{
    size_t diseased, healthy;

    tg_dataset_select(set, split, true, &diseased);
    tg_dataset_select(set, split, false, &healthy);
    return diseased + healthy;
}

/* Which images: never by chance those of the training, see the options. */
static tg_status choose_splits(const eval_run *e, bool splits[3])
{
    static const char *const names[] = {"train", "val", "test"};
    const char *split = e->opts->split, *trained_on = e->infos[0].dataset;
    bool is_own = trained_on && !strcmp(trained_on, e->opts->dataset);
    size_t n = 0;

    if (!split)
        split = count(e->set, TG_SPLIT_TEST) ? "test" : is_own ? "val" : "all";
    for (int s = 0; s < 3; s++) {
        splits[s] = !strcmp(split, names[s]) || !strcmp(split, "all");
        n += splits[s] ? count(e->set, (tg_split)s) : 0;
    }
    return n ? TG_OK
             : tg_fail(TG_ERR_ARGUMENT, "'%s' has no image in split %s", e->opts->dataset, split);
}

/* ---- one run ---- */

static tg_status measure_run(eval_run *e, tg_device *dev, const char *run, size_t i,
                             tg_eval_results **results)
{
    tg_status status = TG_OK;
    tgi_model *model = NULL;
    tgi_test_opts opts;

    TG_TRY(tgi_model_load(dev, run, &model, &e->infos[i]));
    if (!i)
        TG_TRY(open_dataset(e, run, &e->infos[0]));
    else if (!has_same_order(e->set, &e->infos[i]))
        TG_TRY(classes_differ(e->set, run, &e->infos[i]));
    opts = tgi_test_opts_default(&e->infos[i]);
    TG_TRY(choose_splits(e, opts.splits));
    opts.labels = e->opts->labels;
    const uint64_t seed = e->opts->has_seed ? e->opts->measuring.seed : opts.measuring.seed;
    opts.measuring = e->opts->measuring;
    opts.measuring.seed = seed;
    if (e->opts->n_training)
        opts.n_training = *e->opts->n_training / 2;
    TG_TRY(tgi_samples_init(&e->samples[i], e->opts->panels, &e->infos[i]));
    TG_TRY(
        tgi_test(model, &e->infos[i], e->set, &opts, tgi_samples_visit, &e->samples[i], results));
cleanup:
    tgi_model_free(model);
    return status;
}

/* ---- what is left behind ---- */

static tg_status write_page(const eval_run *e, tg_device *dev, const char *run,
                            const tg_eval_results *results, const tgi_run_panel *panel)
{
    tg_status status = TG_OK;
    const tg_device_info *d = tg_device_get_info(dev);
    char *device = NULL, *model = NULL;

    TG_TRY(tgi_printf(&device, "%s (%s, driver %s)", d->name, d->platform, d->driver));
    TG_TRY(tgi_printf(&model, "%s, step %llu", run, (unsigned long long)e->infos[0].step));
    const tgi_run_report page = {.program = "taggan-eval",
                                 .command = e->opts->command,
                                 .model = model,
                                 .dataset = e->opts->dataset,
                                 .device = device,
                                 .seed = e->infos[0].settings.seed,
                                 .results = results,
                                 .panels = panel,
                                 .n_panels = 1};
    TG_TRY(tgi_run_report_write(&page, e->opts->report));
cleanup:
    free(device);
    free(model);
    return status;
}

static tg_status deliver(eval_run *e, tg_device *dev, const char *const *runs, size_t n,
                         tg_eval_results *const *results)
{
    tg_status status = TG_OK;
    const tgi_eval_run_opts *opts = e->opts;
    tgi_text png = {0};
    const tgi_run_panel panel = {
        .png = &png,
        .density = TGI_SAMPLES_DENSITY,
        .caption =
            n == 1
                ? "Images of each class, then healthy ones, whose maps and masks should be blank. "
                  "Green: found boxes; blue: true ones."
                : "The same images by each model: some of each class, then healthy ones, "
                  "whose maps and masks should be blank."};

    if (!opts->panels && !opts->report)
        return TG_OK;
    if (n == 1)
        TG_TRY(tgi_samples_sheet(&e->samples[0], &png));
    else
        TG_TRY(tgi_samples_side_by_side(e->samples, runs, n, &png));
    if (opts->panels && tgi_is_png_name(opts->panels)) {
        TG_TRY(tgi_file_write(opts->panels, png.data, png.size));
    } else if (opts->panels) {
        TG_TRY(tgi_mkdirs(opts->panels));
        TG_TRY(tgi_samples_draw(&e->samples[0], NULL, 0));
    }
    if (opts->report && n == 1)
        TG_TRY(write_page(e, dev, runs[0], results[0], &panel));
    else if (opts->report)
        TG_TRY(tgi_comparison_report_write((const tg_eval_results *const *)results, runs, n, &panel,
                                           opts->command, opts->report));
cleanup:
    tgi_text_release(&png);
    return status;
}

tg_status tgi_eval_runs(tg_device *dev, const char *const *runs, size_t n,
                        const tgi_eval_run_opts *opts, tg_eval_results **results)
{
    tg_status status = TG_OK;
    eval_run e = {.opts = opts};

    TG_TRY(tgi_alloc(n, sizeof *e.samples, &e.samples));
    TG_TRY(tgi_alloc(n, sizeof *e.infos, &e.infos));
    for (size_t i = 0; i < n; i++)
        TG_TRY(measure_run(&e, dev, runs[i], i, &results[i]));
    TG_TRY(deliver(&e, dev, runs, n, results));
cleanup:
    for (size_t i = 0; e.infos && i < n; i++) {
        tgi_samples_release(&e.samples[i]);
        tgi_model_info_release(&e.infos[i]);
    }
    free(e.samples);
    free(e.infos);
    tg_dataset_free(e.set);
    return status;
}

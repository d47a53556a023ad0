/* train_run.c -- what people see of a training run. */
#include "config.h"
#include "report/train_run.h"
#include "report/value.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"

/* Columns of log.csv behind the step: the board's, then a validation's. */
static const char *const validation_columns[] = {"image_auroc",
                                                 "map_val_diseased",
                                                 "map_val_healthy",
                                                 "generator_loss",
                                                 "ncc",
                                                 "dice_best",
                                                 "threshold",
                                                 "lr",
                                                 "images_per_second",
                                                 "seconds"};
enum { N_VALIDATION = TG_COUNT(validation_columns), N_COLUMNS = TGI_BOARD_SIZE + N_VALIDATION };

struct tgi_train_run {
    tgi_train_run_opts opts;
    tgi_log_csv *log;
    tgi_tensorboard *board;
    tgi_progress *progress;
    long long started_s;
    bool is_row_due;    /* in plain lines: only after a log row */
    double image_auroc; /* of the last validation, for the progress line */
    char *paths[6];
};

enum { PATH_LOG, PATH_CONFIG, PATH_RUN, PATH_METRICS, PATH_REPORT, PATH_SAMPLES };
static const char *const path_names[] = {"log.csv",      "config.ini",  "run.json",
                                         "metrics.json", "report.html", "samples"};

static tg_status write_config(const tgi_train_run *run)
{
    tg_status status = TG_OK;
    tgi_text text = {0};

    TG_TRY(tgi_text_add(&text, "# settings of this run; taggan-train --config reads this file\n"));
    TG_TRY(tgi_settings_write(run->opts.settings, true, &text));
    TG_TRY(tgi_file_write(run->paths[PATH_CONFIG], text.data, text.size));
cleanup:
    tgi_text_release(&text);
    return status;
}

/* Options, settings, versions and device: enough to run it again. */
static tg_status add_setting(const char *name, const char *value, const char *help, void *user)
{
    TG_UNUSED(help);
    return json_object_set_new(user, name, json_string(value))
               ? tg_fail(TG_ERR_MEMORY, "out of memory: run.json")
               : TG_OK;
}

static tg_status write_run(const tgi_train_run *run)
{
    tg_status status = TG_OK;
    const tg_device_info *d = run->opts.device;
    json_t *settings = json_object(), *root = NULL;
    char *text = NULL;

    TG_TRY(tgi_settings_each(run->opts.settings, add_setting, settings));
    root = json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}, s:O?, s:O}", "program",
                     "taggan-train", "version", tg_version(), "command", run->opts.command,
                     "dataset", run->opts.dataset, "device", "platform", d->platform, "name",
                     d->name, "version", d->version, "driver", d->driver, "options",
                     run->opts.options, "settings", settings);
    text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    if (!text)
        TG_TRY(tg_fail(TG_ERR_MEMORY, "out of memory: run.json"));
    TG_TRY(tgi_file_write(run->paths[PATH_RUN], text, strlen(text)));
cleanup:
    json_decref(settings);
    json_decref(root);
    free(text);
    return status;
}

tg_status tgi_train_run_open(const tgi_train_run_opts *opts, tgi_train_run **out)
{
    tg_status status = TG_OK;
    tgi_train_run *run = NULL;
    const char *columns[N_COLUMNS];

    *out = NULL;
    TG_TRY(tgi_alloc(1, sizeof *run, &run));
    run->opts = *opts;
    run->started_s = (long long)time(NULL);
    run->image_auroc = NAN;
    TG_TRY(tgi_mkdirs(opts->folder));
    for (size_t i = 0; i < TG_COUNT(path_names); i++)
        TG_TRY(tgi_path_join(opts->folder, path_names[i], &run->paths[i]));
    TG_TRY(tgi_mkdirs(run->paths[PATH_SAMPLES]));
    TG_TRY(write_config(run));
    TG_TRY(write_run(run));
    memcpy(columns, tgi_board_names, sizeof tgi_board_names);
    memcpy(columns + TGI_BOARD_SIZE, validation_columns, sizeof validation_columns);
    TG_TRY(
        tgi_log_csv_open(run->paths[PATH_LOG], columns, N_COLUMNS, opts->resume_step, &run->log));
    TG_TRY(tgi_tensorboard_open(opts->folder, opts->resume_step > 0 ? opts->resume_step : 0,
                                &run->board));
    TG_TRY(tgi_progress_new(stderr, opts->progress, "train", &run->progress));
    *out = run;
    return TG_OK;
cleanup:
    tgi_train_run_free(run);
    return status;
}

void tgi_train_run_free(tgi_train_run *run)
{
    if (!run)
        return;
    tgi_progress_free(run->progress);
    tgi_tensorboard_free(run->board);
    tgi_log_csv_free(run->log);
    for (size_t i = 0; i < TG_COUNT(path_names); i++)
        free(run->paths[i]);
    free(run);
}

/* ---- the observer ---- */

/* The same numbers into log.csv and TensorBoard. */
static tg_status record(tgi_train_run *run, uint64_t step, const double values[N_COLUMNS])
{
    tg_status status = TG_OK;
    tgi_value named[N_COLUMNS];

    TG_TRY(tgi_log_csv_row(run->log, (long long)step, values));
    for (size_t i = 0; i < N_COLUMNS; i++)
        named[i] = (tgi_value){i < TGI_BOARD_SIZE ? tgi_board_names[i]
                                                  : validation_columns[i - TGI_BOARD_SIZE],
                               values[i]};
    TG_TRY(tgi_tensorboard_scalars(run->board, (long long)step, named, N_COLUMNS));
cleanup:
    return status;
}

static void no_values(double values[N_COLUMNS])
{
    for (size_t i = 0; i < N_COLUMNS; i++)
        values[i] = NAN;
}

static tg_status on_log(void *user, uint64_t step, const tgi_board *mean, double lr,
                        double images_per_second)
{
    tgi_train_run *run = user;
    const float *board = &mean->d_normal_real;
    double values[N_COLUMNS];

    no_values(values);
    for (size_t i = 0; i < TGI_BOARD_SIZE; i++)
        values[i] = board[i];
    values[TGI_BOARD_SIZE + 7] = lr;
    values[TGI_BOARD_SIZE + 8] = images_per_second;
    run->is_row_due = true;
    return record(run, step, values);
}

static void on_step(void *user, uint64_t step, uint64_t total, double done, const tgi_board *b,
                    double images_per_second)
{
    tgi_train_run *run = user;
    const tgi_value values[] = {
        {"|M| sick", b->map_diseased},
        {"cycle", (double)b->g_cycle_diseased + b->g_cycle_healthy},
        {"G", (double)b->g_normal + b->g_disease},
        {"D", (double)b->d_normal_real + b->d_normal_fake + b->d_disease_real + b->d_disease_fake},
        {"AUROC", run->image_auroc},
    };
    tgi_progress_state state = {.step = step,
                                .n_steps = total,
                                .images_per_s = images_per_second,
                                .left_s = -1,
                                .values = values,
                                .n_values = TG_COUNT(values) - isnan(run->image_auroc)};

    TG_UNUSED(done);
    if (tgi_progress_shown_as(run->progress) == TGI_PROGRESS_ROWS && !run->is_row_due && step != 1)
        return;
    run->is_row_due = false;
    tgi_progress_tell(run->progress, &state);
}

static tg_status on_validation(void *user, const tgi_validation *v)
{
    tgi_train_run *run = user;
    double values[N_COLUMNS];
    const double measured[N_VALIDATION] = {v->image_auroc,    v->map_diseased, v->map_healthy,
                                           v->generator_loss, v->ncc,          v->dice,
                                           v->threshold,      v->lr,           NAN,
                                           v->seconds};
    char auroc[TGI_NUMBER_SIZE], sick[TGI_NUMBER_SIZE], well[TGI_NUMBER_SIZE], truth[128] = "";

    no_values(values);
    memcpy(values + TGI_BOARD_SIZE, measured, sizeof measured);
    run->image_auroc = v->image_auroc;
    tgi_number_plain(v->image_auroc, auroc);
    tgi_number_plain(v->map_diseased, sick);
    tgi_number_plain(v->map_healthy, well);
    if (isfinite(v->ncc))
        snprintf(truth, sizeof truth, ", NCC %.3f, best Dice %.3f", v->ncc, v->dice);
    tgi_progress_note(
        run->progress,
        "validation at step %llu: image AUROC %s, mean |M| %s on diseased and %s on healthy%s%s",
        (unsigned long long)v->step, auroc, sick, well, truth, v->is_best ? " (best so far)" : "");
    return record(run, v->step, values);
}

static void on_note(void *user, const char *line)
{
    tgi_progress_note(((tgi_train_run *)user)->progress, "%s", line);
}

tgi_observer tgi_train_run_observer(tgi_train_run *run)
{
    return (tgi_observer){.user = run,
                          .on_log = on_log,
                          .on_step = on_step,
                          .on_validation = on_validation,
                          .on_note = on_note};
}

/* ---- the end ---- */

typedef struct fact_list {
    tgi_fact *facts;
    size_t n, capacity;
} fact_list;

static tg_status add_fact(const char *name, const char *value, const char *help, void *user)
{
    tg_status status = TG_OK;
    fact_list *list = user;
    char *kept;

    TG_UNUSED(help);
    TG_TRY(tgi_grow(&list->facts, &list->capacity, list->n + 1, sizeof *list->facts));
    TG_TRY(tgi_strdup(value, &kept));
    list->facts[list->n++] = (tgi_fact){name, kept};
cleanup:
    return status;
}

static tg_status write_page(tgi_train_run *run, const tgi_train_result *result,
                            const tgi_samples *samples)
{
    tg_status status = TG_OK;
    fact_list settings = {0};
    char device[600];
    const tg_device_info *d = run->opts.device;

    snprintf(device, sizeof device, "%s (%s, driver %s)", d->name, d->platform, d->driver);
    TG_TRY(tgi_settings_each(run->opts.settings, add_fact, &settings));
    const tgi_run_report page = {.program = "taggan-train",
                                 .command = run->opts.command,
                                 .model = "taggan",
                                 .preset = run->opts.preset,
                                 .dataset = run->opts.dataset,
                                 .device = device,
                                 .seed = run->opts.settings->seed,
                                 .started_s = run->started_s,
                                 .duration_s = result->seconds,
                                 .metrics_path = run->paths[PATH_METRICS],
                                 .log_path = run->paths[PATH_LOG],
                                 .best_step = (long long)result->best_step,
                                 .panels = samples->panels,
                                 .n_panels = samples->n_panels,
                                 .settings = settings.facts,
                                 .n_settings = settings.n};
    TG_TRY(tgi_run_report_write(&page, run->paths[PATH_REPORT]));
cleanup:
    for (size_t i = 0; i < settings.n; i++)
        free((char *)(uintptr_t)settings.facts[i].value);
    free(settings.facts);
    return status;
}

static tg_split tested_split(const tg_dataset *set)
{
    size_t diseased, healthy;

    tg_dataset_select(set, TG_SPLIT_TEST, true, &diseased);
    tg_dataset_select(set, TG_SPLIT_TEST, false, &healthy);
    return diseased + healthy ? TG_SPLIT_TEST : TG_SPLIT_VAL;
}

static void print_cost(const tg_device *dev, const tgi_train_result *result, FILE *stream)
{
    char duration[TGI_NUMBER_SIZE];
    size_t now, peak;

    tgi_duration_text(result->seconds, duration);
    tg_device_memory(dev, &now, &peak);
    fprintf(stream, "trained for %s; at most %zu MiB of the device's memory\n", duration,
            (peak + (1 << 20) - 1) >> 20);
}

tg_status tgi_train_run_finish(tgi_train_run *run, tg_device *dev, const tg_dataset *set,
                               const tgi_train_result *result, FILE *stream)
{
    tg_status status = TG_OK;
    tgi_model *model = NULL;
    tgi_model_info info = {0};
    tg_eval_results *results = NULL;
    tgi_samples samples = {0};
    tg_split split = tested_split(set);
    tgi_test_opts opts;
    size_t diseased, healthy;

    tgi_progress_end(run->progress);
    tgi_log_csv_free(run->log); /* the page reads it */
    run->log = NULL;
    tg_dataset_select(set, split, true, &diseased);
    tg_dataset_select(set, split, false, &healthy);
    TG_TRY(tgi_model_load(dev, run->opts.folder, &model, &info));
    if (diseased + healthy) {
        TG_TRY(tgi_samples_init(&samples, run->paths[PATH_SAMPLES], &info));
        opts = tgi_test_opts_default(&info);
        opts.splits[TG_SPLIT_TEST] = false;
        opts.splits[split] = true;
        TG_TRY(tgi_test(model, &info, set, &opts, tgi_samples_visit, &samples, &results));
        TG_TRY(tgi_samples_draw(&samples, run->board, (long long)result->steps));
        TG_TRY(tg_eval_results_save(results, run->paths[PATH_METRICS]));
        if (stream) {
            print_cost(dev, result, stream);
            fprintf(stream, "weights of step %llu\n", (unsigned long long)result->best_step);
            TG_TRY(tg_eval_results_print(results, TG_TABLE_TEXT, TG_DETAIL_MAIN, stream));
        }
    }
    TG_TRY(write_page(run, result, &samples));
    if (stream && results)
        fprintf(stream, "every protocol: %s\n", run->paths[PATH_METRICS]);
    else if (stream)
        fprintf(stream, "no images to test on: '%s' has neither test nor validation images\n",
                run->opts.dataset);
    if (stream)
        fprintf(stream, "report: %s\n", run->paths[PATH_REPORT]);
cleanup:
    tgi_samples_release(&samples);
    tg_eval_results_free(results);
    tgi_model_info_release(&info);
    tgi_model_free(model);
    return status;
}

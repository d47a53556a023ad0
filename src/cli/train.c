/* train.c -- taggan-train: from labelled radiographs to a generator of disease maps, and the table of how good it is. */
#include "config.h"
#include <taggan/programs.h>
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "checkpoint/model_file.h"
#include "cli/kernel_times.h"
#include "report/train_run.h"
#include "trainer/trainer.h"

#define TG_OPTIONS_FILE "cli/train_options.def"
#include "cli/options_table.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static const tgi_program program = {
    "taggan-train", "Learns from image-level labels alone where a disease shows in radiographs.",
    "[DATASET]",
    "DATASET is a folder of classes (DIR/{train,val,test}/CLASS/*), a folder with labels.csv, a "
    "CSV file, or\n"
    "phantom[:KEY=VALUE,...], the built-in radiographs with exact truth, which it is when left "
    "out.\n\n"
    "Examples:\n"
    "  taggan-train                                    the whole system on phantoms, in minutes\n"
    "  taggan-train -o run --time 2h my-radiographs    a lab's own folder\n"
    "  taggan-train -o run --resume my-radiographs     go on\n",
    TGI_TABLE(option_table)};

static volatile int stop; /* set by the signals below: checkpoint and leave */

static void on_signal(int number)
{
    stop = number;
}

static bool is_phantom(const char *spec)
{
    return tgi_starts_with(spec, "phantom") || tgi_starts_with(spec, "vagan-synthetic");
}

static tgi_preset preset_of(const options *given, const char *spec, const char **name)
{
    *name = given->preset ? given->preset : is_phantom(spec) ? "quick" : "standard";
    return !strcmp(*name, "quick")   ? TGI_PRESET_QUICK
           : !strcmp(*name, "paper") ? TGI_PRESET_PAPER
                                     : TGI_PRESET_STANDARD;
}

/* Preset, then --config, then the options, then --set. */
static tg_status make_settings(const options *given, tgi_preset preset, tgi_settings *s)
{
    tg_status status = TG_OK;
    size_t width, dwidth, blocks;

    *s = tgi_settings_preset(preset);
    if (given->given.time)
        s->steps = s->epochs = 0; /* the time is the bound, unless steps are asked for below */
    width = s->width;
    dwidth = s->dwidth;
    blocks = s->blocks;
    s->width = s->dwidth = s->blocks = 0; /* told apart from a value that somebody chose */
    if (given->config)
        TG_TRY(tgi_settings_read(s, given->config));
    if (given->given.size)
        s->size = given->size;
    if (given->given.width)
        s->width = given->width;
    if (given->given.blocks)
        s->blocks = given->blocks;
    if (given->given.batch)
        s->batch = given->batch;
    if (given->given.epochs) {
        s->epochs = given->epochs;
        s->steps = 0;
    }
    if (given->given.steps)
        s->steps = given->steps;
    if (given->given.seed)
        s->seed = given->seed;
    if (given->given.lr)
        s->lr = given->lr;
    for (size_t i = 0; i < given->set.n; i++)
        TG_TRY(tgi_settings_set_pair(s, given->set.items[i]));
    if (given->init)
        TG_TRY(tgi_settings_from_weights(given->init, s));
    if (!s->width)
        s->width = width;
    if (!s->dwidth)
        s->dwidth = dwidth;
    if (!s->blocks)
        s->blocks = blocks;
    TG_TRY(tgi_settings_check(s));
cleanup:
    return status;
}

static const char *contradiction(const options *given)
{
    if (given->given.steps && given->given.epochs)
        return "--steps and --epochs contradict each other";
    if (given->deterministic && given->given.time)
        return "--deterministic and --time contradict each other: time is never the same twice";
    if (given->resume && given->init)
        return "--resume and --init contradict each other";
    if (given->resume && (given->config || given->preset || given->given.size ||
                          given->given.width || given->given.blocks || given->given.batch ||
                          given->given.seed || given->given.lr || given->set.n))
        return "--resume takes its settings from the checkpoint: only --steps, --epochs and --time "
               "may be given";
    return NULL;
}

/* Settings, data set and state of the run that is to go on. */
static tg_status resume(const options *given, tgi_settings *settings, tgi_model_info *info)
{
    tg_status status = TG_OK;
    char *path = NULL, *state = NULL;

    TG_TRY(tgi_path_join(given->output, "checkpoint.safetensors", &path));
    if (!tgi_is_file(path)) {
        status = tg_fail(TG_ERR_IO, "cannot resume '%s': there is no checkpoint.safetensors in it",
                         given->output);
        goto cleanup;
    }
    TG_TRY(tgi_checkpoint_peek(path, info, &state));
    *settings = info->settings;
    if (given->given.steps)
        settings->steps = given->steps;
    if (given->given.epochs) {
        settings->epochs = given->epochs;
        settings->steps = 0;
    }
cleanup:
    free(path);
    free(state);
    return status;
}

static tg_status open_dataset(const options *given, const tgi_settings *settings, const char *spec,
                              tg_dataset **out)
{
    tg_status status = TG_OK;
    tg_dataset_opts opts = tg_dataset_opts_default();

    opts.kind = given->dataset;
    opts.classes = given->classes;
    opts.healthy = given->healthy;
    opts.view = given->view;
    opts.sex = given->sex;
    opts.uncertain = given->uncertain;
    opts.seed = settings->seed;
    opts.size_px = settings->size;
    TG_TRY(tg_dataset_open(spec, &opts, out));
    TG_TRY(tg_dataset_check_trainable(*out));
cleanup:
    return status;
}

/* A checkpoint belongs to its classes. */
static tg_status check_classes(const tg_dataset *set, const tgi_model_info *info)
{
    bool same = tg_dataset_n_classes(set) == info->n_classes;

    for (size_t k = 0; same && k < info->n_classes; k++)
        same = !strcmp(tg_dataset_class_name(set, k), info->classes[k]);
    return same ? TG_OK
                : tg_fail(TG_ERR_ARGUMENT,
                          "the data set's classes are not those of the checkpoint (%zu, beginning "
                          "with '%s'); "
                          "give the same DATASET and --classes as before",
                          info->n_classes, info->n_classes ? info->classes[0] : "");
}

/* Another run's folder is taken over, as people expect of -o; but not in silence. */
static void warn_of_replacing(const char *folder)
{
    char *path = NULL;

    if (tgi_path_join(folder, "checkpoint.safetensors", &path) == TG_OK && tgi_is_file(path))
        tg_log(TG_LOG_WARNING, "the run in '%s' is replaced (--resume would have gone on from it)",
               folder);
    free(path);
}

static tg_status train(const options *given, const char *spec, const char *command)
{
    tg_status status = TG_OK, ended;
    tgi_settings settings;
    tgi_model_info before = {0};
    tg_device *dev = NULL;
    tg_dataset *set = NULL;
    tgi_train_run *run = NULL;
    tgi_train_result result = {0};
    json_t *recorded = NULL;
    const char *preset = "as before";

    if (given->resume) {
        TG_TRY(resume(given, &settings, &before));
        spec = spec ? spec : before.dataset;
    }
    spec = spec ? spec : "phantom";
    if (!given->resume)
        TG_TRY(make_settings(given, preset_of(given, spec, &preset), &settings));
    if (given->deterministic) /* which algorithm is the fastest is never quite the same twice */
        settings.tune = TGI_TUNE_OFF;
    TG_TRY(open_dataset(given, &settings, spec, &set));
    if (given->resume)
        TG_TRY(check_classes(set, &before));
    TG_TRY(given->profile ? tg_device_open_profiled(given->device, &dev)
                          : tg_device_open(given->device, &dev));
    if (!given->resume)
        warn_of_replacing(given->output);
    TG_TRY(tgi_options_json(&program, given, &recorded));
    const tgi_train_run_opts run_opts = {
        .folder = given->output,
        .command = command,
        .preset = preset,
        .dataset = spec,
        .settings = &settings,
        .device = tg_device_get_info(dev),
        .options = recorded,
        .progress = given->quiet ? TGI_PROGRESS_SILENT : TGI_PROGRESS_AUTO,
        .resume_step = given->resume ? (long long)before.step : -1};
    TG_TRY(tgi_train_run_open(&run_opts, &run));
    const tgi_train_opts opts = {.output = given->output,
                                 .time_s = given->time,
                                 .is_resumed = given->resume,
                                 .is_deterministic = given->deterministic,
                                 .init = given->init,
                                 .observer = tgi_train_run_observer(run),
                                 .stop = &stop};
    ended = tgi_train(dev, set, &settings, &opts, &result);
    if (ended != TG_OK)
        TG_TRY(ended);
    TG_TRY(tgi_train_run_finish(run, dev, set, &result, given->quiet ? NULL : stdout));
    if (given->profile)
        TG_TRY(tgi_kernel_times_print(dev, stderr));
cleanup:
    free(result.reason);
    tgi_train_run_free(run);
    json_decref(recorded);
    tg_dataset_free(set);
    tg_device_free(dev);
    tgi_model_info_release(&before);
    return status;
}

static tg_status print_config(const options *given, const char *spec)
{
    tg_status status = TG_OK;
    tgi_settings settings;
    tgi_text text = {0};
    const char *preset;

    TG_TRY(make_settings(given, preset_of(given, spec ? spec : "phantom", &preset), &settings));
    TG_TRY(tgi_settings_write(&settings, true, &text));
    printf("# preset %s\n%s", preset, text.data);
cleanup:
    tgi_text_release(&text);
    return status;
}

int tg_train_main(int argc, char **argv)
{
    options given = {0};
    tgi_operands operands;
    char *command = NULL;
    int exit_status;

    setlocale(LC_CTYPE, "");
    if (tgi_program_start(&program, argc, argv, &given, &operands, &exit_status))
        return exit_status;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGUSR1, on_signal);
    const char *spec = operands.n ? operands.items[0] : NULL;
    const char *wrong = contradiction(&given);
    if (operands.n > 1)
        exit_status = tgi_program_misused(&program, "one data set is enough: '%s' is too much",
                                          operands.items[1]);
    else if (wrong)
        exit_status = tgi_program_misused(&program, "%s", wrong);
    else if (given.print_config)
        exit_status = tgi_program_end(&program, print_config(&given, spec));
    else if (tgi_program_command(&program, argc, argv, &command) != TG_OK)
        exit_status = tgi_program_failed(program.name);
    else
        exit_status = tgi_program_end(&program, train(&given, spec, command));
    free(command);
    tgi_program_finish(&program, &given);
    return exit_status;
}

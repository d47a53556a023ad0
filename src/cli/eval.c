/* eval.c -- taggan-eval: measures predicted files, or trained models, against truth, and prints
 * methods side by side. */
#include "config.h"
#include <taggan/programs.h>
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "report/eval_run.h"

#define TG_OPTIONS_FILE "cli/eval_options.def"
#include "cli/options_table.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <taggan/eval.h>

#include "base/banned.h"

static const tgi_program program = {
    "taggan-eval", "Measures disease maps, masks and boxes against truth.",
    "TRUTH PREDICTION | -m RUN DATASET | --compare RUN...",
    "PREDICTION is a folder that taggan-infer wrote for the images of the data set TRUTH.\n"
    "RUN is a folder that taggan-train wrote, or a model.safetensors.\n\n"
    "Examples:\n"
    "  taggan-eval set tags -o metrics.json\n"
    "  taggan-eval --split val --tol 15 set tags\n"
    "  taggan-eval -m taggan-run hospital --label auto --panels hospital.png --report "
    "hospital.html\n"
    "  taggan-eval --compare run-a run-b other/metrics.json\n"
    "  taggan-eval --compare run-a run-b --on hospital --panels side-by-side.png\n",
    TGI_TABLE(option_table)};

/* Where a choice stands among the words of its enum. */
static int index_of(const char *word, const char *const *words)
{
    int i = 0;

    while (strcmp(word, words[i]))
        i++;
    return i;
}

#define CHOICE(type, word, ...) ((type)index_of(word, (const char *const[]){__VA_ARGS__}))

static tg_status measuring_opts(const options *given, tg_eval_opts *opts)
{
    *opts = tg_eval_opts_default();
    opts->tag.sign = CHOICE(tg_sign, given->sign, "pos", "neg", "abs");
    opts->tag.sigma_px = given->sigma;
    opts->tag.connectivity = given->conn[0] - '0';
    opts->tag.min_area_px = given->min_area;
    opts->poi_den = CHOICE(tg_poi_den, given->poi_den, "pred", "gt", "min");
    opts->empty = CHOICE(tg_empty, given->empty, "zero", "skip");
    opts->equal = CHOICE(tg_equal, given->equal, "merge", "topk");
    opts->image_score = CHOICE(tg_image_score, given->imgscore, "mean", "top1", "max");
    opts->tol_px = given->tol;
    opts->n_draws = given->draws;
    opts->seed = given->seed;
    opts->baselines = given->no_baselines ? TG_BASELINES_NONE : TG_BASELINES_ALL;
    return tg_tag_rule_parse(given->threshold, &opts->tag);
}

static tg_table table_form(const options *given)
{
    return CHOICE(tg_table, given->table, "text", "markdown");
}

static tg_dataset_opts dataset_opts(const options *given)
{
    tg_dataset_opts opts = tg_dataset_opts_default();

    opts.kind = given->dataset;
    opts.classes = given->classes;
    opts.healthy = given->healthy;
    opts.view = given->view;
    opts.sex = given->sex;
    opts.uncertain = given->uncertain;
    return opts;
}

/* Prints and writes what was asked for. */
static tg_status deliver(const options *given, const tg_eval_results *results)
{
    tg_status status = TG_OK;
    tg_detail detail = given->all || given->verbose ? TG_DETAIL_ALL : TG_DETAIL_MAIN;

    if (given->output)
        TG_TRY(tg_eval_results_save(results, given->output));
    if (given->csv)
        TG_TRY(tg_eval_results_save_csv(results, given->csv));
    if (!given->quiet)
        TG_TRY(tg_eval_results_print(results, table_form(given), detail, stdout));
cleanup:
    return status;
}

static tg_status compare(const options *given, const tg_eval_results *const *results,
                         const char *const *names, size_t n)
{
    if (given->quiet)
        return TG_OK;
    if (given->on)
        printf("%zu diseased and %zu healthy images of %s\n%s\n\n", results[0]->n_diseased,
               results[0]->n_healthy, results[0]->dataset, results[0]->note);
    return tg_eval_compare_print(results, names, n, table_form(given), stdout);
}

/* TRUTH PREDICTION */
static tg_status measure_files(const options *given, const tg_eval_opts *opts, const char *truth,
                               const char *prediction, const char *command)
{
    const tg_eval_folders_opts folders = {
        .dataset = dataset_opts(given), .split = given->split, .n_training = given->training};
    tg_eval_results *results = NULL;
    tg_status status = TG_OK;

    TG_TRY(tg_eval_folders(truth, prediction, opts, &folders, &results));
    if (given->report) {
        const tgi_run_report page = {.program = program.name,
                                     .command = command,
                                     .model = prediction,
                                     .dataset = truth,
                                     .seed = opts->seed,
                                     .results = results};

        TG_TRY(tgi_run_report_write(&page, given->report));
    }
    TG_TRY(deliver(given, results));
cleanup:
    tg_eval_results_free(results);
    return status;
}

/* -m RUN DATASET, or --compare RUN... --on DATASET */
static tg_status measure_models(const options *given, const tg_eval_opts *opts,
                                const char *const *runs, size_t n, const char *dataset,
                                const char *command)
{
    tg_status status = TG_OK;
    tg_device *dev = NULL;
    tg_eval_results **results = NULL;
    const tgi_eval_run_opts how = {.dataset = dataset,
                                   .opening = dataset_opts(given),
                                   .split = given->split,
                                   .labels =
                                       CHOICE(tgi_label_source, given->label, "truth", "auto"),
                                   .measuring = *opts,
                                   .has_seed = given->given.seed,
                                   .n_training = given->given.training ? &given->training : NULL,
                                   .panels = given->panels,
                                   .report = given->report,
                                   .command = command};

    TG_TRY(tgi_alloc(n, sizeof *results, &results));
    TG_TRY(tg_device_open(given->device, &dev));
    TG_TRY(tgi_eval_runs(dev, runs, n, &how, results));
    if (given->compare)
        TG_TRY(compare(given, (const tg_eval_results *const *)results, runs, n));
    else
        TG_TRY(deliver(given, results[0]));
cleanup:
    for (size_t i = 0; results && i < n; i++)
        tg_eval_results_free(results[i]);
    free(results);
    tg_device_free(dev);
    return status;
}

/* A folder stands for the metrics.json in it. */
static tg_status load_run(const char *run, tg_eval_results **out)
{
    tg_status status = TG_OK;
    char *path = NULL;

    if (tgi_is_folder(run))
        TG_TRY(tgi_path_join(run, "metrics.json", &path));
    TG_TRY(tg_eval_results_load(path ? path : run, out));
cleanup:
    free(path);
    return status;
}

/* --compare RUN... */
static tg_status compare_runs(const options *given, const tgi_operands *runs, const char *command)
{
    tg_status status = TG_OK;
    tg_eval_results **results = NULL;
    const char *const *names = (const char *const *)runs->items;

    TG_TRY(tgi_alloc(runs->n, sizeof *results, &results));
    for (size_t i = 0; i < runs->n; i++)
        TG_TRY(load_run(runs->items[i], &results[i]));
    if (given->report)
        TG_TRY(tgi_comparison_report_write((const tg_eval_results *const *)results, names, runs->n,
                                           NULL, command, given->report));
    TG_TRY(compare(given, (const tg_eval_results *const *)results, names, runs->n));
cleanup:
    for (size_t i = 0; results && i < runs->n; i++)
        tg_eval_results_free(results[i]);
    free(results);
    return status;
}

/* ---- wrong usage ---- */

/* Whether any option was given that says how to measure. */
static bool says_how(const options *given)
{
    return given->given.dataset || given->given.classes || given->given.healthy ||
           given->given.split || given->given.training || given->given.poi_den ||
           given->given.empty || given->given.equal || given->given.imgscore || given->given.tol ||
           given->given.draws || given->given.seed || given->given.no_baselines;
}

static bool says_how_of_files(const options *given)
{
    return given->given.sign || given->given.sigma || given->given.threshold || given->given.conn ||
           given->given.min_area;
}

/* Options of one mode in another. */
static const char *contradiction(const options *given)
{
    bool has_model = given->model || given->on;

    if (given->model && given->compare)
        return "--model and --compare contradict each other (--on measures several)";
    if (given->on && !given->compare)
        return "--on goes with --compare";
    if (has_model && says_how_of_files(given))
        return "--sign, --sigma, --threshold, --conn and --min-area are for files: a model brings "
               "its own";
    if (!has_model && given->given.label)
        return "--label needs a model (-m, or --compare with --on)";
    if (!has_model && given->panels)
        return given->compare ? "--panels with --compare needs --on DATASET, whose images are drawn"
                              : "--panels needs a model (-m, or --compare with --on)";
    if (given->compare && given->panels && !tgi_is_png_name(given->panels))
        return "--panels with --compare writes one picture: FILE.png";
    if (given->compare && (given->output || given->csv))
        return "--output and --csv are of one run, --compare is of several";
    if (given->compare && given->given.all)
        return "--all is of one run, --compare is of several";
    if (given->compare && !given->on && (says_how(given) || says_how_of_files(given)))
        return "--compare prints what was measured before: options of measuring need --on DATASET";
    return NULL;
}

static const char *wrong_operands(const options *given, size_t n)
{
    if (given->compare)
        return n ? NULL : "--compare needs runs or metrics.json files";
    if (given->model)
        return n == 1 ? NULL : "--model needs one data set";
    return n == 2 ? NULL : "the truth and the predictions are needed";
}

static tg_status run(const options *given, const tgi_operands *operands, const tg_eval_opts *opts,
                     const char *command)
{
    const char *const *words = (const char *const *)operands->items;

    if (given->on)
        return measure_models(given, opts, words, operands->n, given->on, command);
    if (given->compare)
        return compare_runs(given, operands, command);
    if (given->model)
        return measure_models(given, opts, &given->model, 1, words[0], command);
    return measure_files(given, opts, words[0], words[1], command);
}

int tg_eval_main(int argc, char **argv)
{
    options given = {0};
    tgi_operands operands;
    tg_eval_opts opts;
    char *command = NULL;
    const char *wrong;
    int exit_status;

    setlocale(LC_CTYPE, "");
    if (tgi_program_start(&program, argc, argv, &given, &operands, &exit_status))
        return exit_status;
    wrong = contradiction(&given);
    wrong = wrong ? wrong : wrong_operands(&given, operands.n);
    if (wrong)
        exit_status = tgi_program_misused(&program, "%s", wrong);
    else if (measuring_opts(&given, &opts) != TG_OK)
        exit_status = tgi_program_misused(&program, "--%s", tg_error_message());
    else if (tgi_program_command(&program, argc, argv, &command) != TG_OK)
        exit_status = tgi_program_failed(program.name);
    else
        exit_status = tgi_program_end(&program, run(&given, &operands, &opts, command));
    free(command);
    tgi_program_finish(&program, &given);
    return exit_status;
}

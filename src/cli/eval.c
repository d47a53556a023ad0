/* eval.c -- taggan-eval: measures predicted maps, masks and boxes against truth, and prints methods
 * side by side. */
#include "config.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#define TG_OPTIONS_FILE "cli/eval_options.def"
#include "cli/options_table.h"

#include <stdlib.h>
#include <string.h>
#include <taggan/eval.h>

#include "base/banned.h"

static const tgi_program program = {
    "taggan-eval", "Measures disease maps, masks and boxes against truth.", "TRUTH PREDICTION",
    "Examples:\n"
    "  taggan-eval set tags -o metrics.json\n"
    "  taggan-eval --split val --tol 15 set tags\n"
    "  taggan-eval --compare run-a run-b other/metrics.json\n",
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

/* Prints and writes what was asked for. */
static tg_status deliver(const options *given, const tg_eval_results *results)
{
    tg_status status = TG_OK;

    if (given->output)
        TG_TRY(tg_eval_results_save(results, given->output));
    if (given->csv)
        TG_TRY(tg_eval_results_save_csv(results, given->csv));
    if (!given->quiet)
        TG_TRY(tg_eval_results_print(results, table_form(given), stdout));
cleanup:
    return status;
}

/* TRUTH PREDICTION */
static int measure_files(const options *given, const char *truth, const char *prediction)
{
    tg_eval_folders_opts folders = {
        .dataset = tg_dataset_opts_default(), .split = given->split, .n_training = given->training};
    tg_eval_results *results = NULL;
    tg_status status = TG_OK;
    tg_eval_opts opts;

    if (measuring_opts(given, &opts) != TG_OK)
        return tgi_program_misused(&program, "--%s", tg_error_message());
    folders.dataset.kind = given->dataset;
    folders.dataset.classes = given->classes;
    folders.dataset.healthy = given->healthy;
    TG_TRY(tg_eval_folders(truth, prediction, &opts, &folders, &results));
    TG_TRY(deliver(given, results));
cleanup:
    tg_eval_results_free(results);
    return tgi_program_end(&program, status);
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
static int compare_runs(const options *given, const tgi_operands *runs)
{
    tg_status status = TG_OK;
    tg_eval_results **results = NULL;

    TG_TRY(tgi_alloc(runs->n, sizeof *results, &results));
    for (size_t i = 0; i < runs->n; i++)
        TG_TRY(load_run(runs->items[i], &results[i]));
    TG_TRY(tg_eval_compare_print((const tg_eval_results *const *)results,
                                 (const char *const *)runs->items, runs->n, table_form(given),
                                 stdout));
cleanup:
    for (size_t i = 0; results && i < runs->n; i++)
        tg_eval_results_free(results[i]);
    free(results);
    return tgi_program_end(&program, status);
}

int main(int argc, char **argv)
{
    options given = {0};
    tgi_operands operands;
    int exit_status;

    if (tgi_program_start(&program, argc, argv, &given, &operands, &exit_status))
        return exit_status;
    if (given.compare && !operands.n)
        exit_status = tgi_program_misused(&program, "--compare needs runs or metrics.json files");
    else if (given.compare)
        exit_status = compare_runs(&given, &operands);
    else if (operands.n != 2)
        exit_status = tgi_program_misused(&program, "the truth and the predictions are needed");
    else
        exit_status = measure_files(&given, operands.items[0], operands.items[1]);
    tgi_program_finish(&program, &given);
    return exit_status;
}

/* data.c -- taggan-data: writes synthetic sets, checks, counts and splits data sets. */
#include "config.h"
#include <taggan/programs.h>
#include "base/text.h"
#include "cli/data_report.h"
#include "dataset/audit.h"

#define TG_OPTIONS_FILE "cli/data_options.def"
#include "cli/options_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static const tgi_program program = {
    "taggan-data", "Writes synthetic sets, and checks, counts and splits sets of radiographs.",
    NULL,
    "Examples:\n"
    "  taggan-data phantom -o set --n 500 --size 128 --seed 7\n"
    "  taggan-data check set\n"
    "  taggan-data split hospital/labels.csv -o hospital/split.csv --val 0.1 --test 0.2\n",
    TGI_TABLE(option_table)};

static tg_dataset_opts dataset_opts(const options *given)
{
    tg_dataset_opts opts = tg_dataset_opts_default();

    opts.kind = given->dataset;
    opts.classes = given->classes;
    opts.healthy = given->healthy;
    opts.view = given->view;
    opts.sex = given->sex;
    opts.uncertain = given->uncertain;
    opts.seed = given->seed;
    if (given->given.size)
        opts.size_px = given->size;
    return opts;
}

/* phantom and vagan-synthetic */
static int write_set(const options *given, const char *kind)
{
    double tenth = ceil((double)given->n / 10);
    double val = given->given.val ? given->val : tenth,
           test = given->given.test ? given->test : tenth;
    tg_dataset_opts opts = dataset_opts(given);
    bool is_phantom = !strcmp(kind, "phantom");
    tg_status status = TG_OK;
    tg_dataset *set = NULL;
    char *spec = NULL, more[96] = "";

    if (!given->output)
        return tgi_program_misused(&program, "%s needs -o DIR, the folder to write", kind);
    if (val != floor(val) || test != floor(test))
        return tgi_program_misused(&program, "--val and --test are whole numbers of images for %s",
                                   kind);
    if (is_phantom && (given->given.positions || given->given.noise))
        return tgi_program_misused(&program, "--positions and --noise belong to vagan-synthetic");
    opts.kind = kind;
    if (!given->given.size)
        opts.size_px = is_phantom ? 64 : 112;
    if (!is_phantom)
        snprintf(more, sizeof more, ",positions=%s,noise=%.17g", given->positions, given->noise);
    TG_TRY(tgi_printf(&spec, "%s:n=%zu,val=%.0f,test=%.0f%s", kind, given->n, val, test, more));
    TG_TRY(tg_dataset_open(spec, &opts, &set));
    TG_TRY(tgi_data_write(set, given->output, opts.size_px, given->quiet));
    if (!given->quiet)
        printf("wrote %zu images of %zu x %zu pixels to %s\n", tg_dataset_n_samples(set),
               opts.size_px, opts.size_px, given->output);
cleanup:
    free(spec);
    tg_dataset_free(set);
    return tgi_program_end(&program, status);
}

static int check(const options *given, tg_dataset *set, const size_t *n_warnings)
{
    size_t n_problems = 0;
    tg_status status = tgi_data_check(set, given->quiet, &n_problems);

    n_problems += *n_warnings;
    if (status == TG_OK && n_problems)
        status = tg_fail(TG_ERR_FORMAT, "%s: %zu problem%s in %zu images", tg_dataset_name(set),
                         n_problems, n_problems == 1 ? "" : "s", tg_dataset_n_samples(set));
    else if (status == TG_OK && !given->quiet)
        printf("%s: nothing wrong in %zu images\n", tg_dataset_name(set),
               tg_dataset_n_samples(set));
    return tgi_program_end(&program, status);
}

static double val_share(const options *given)
{
    return given->given.val ? given->val : 0.1;
}

static double test_share(const options *given)
{
    return given->given.test ? given->test : 0.2;
}

static int split(const options *given, tg_dataset *set)
{
    tg_status status =
        tgi_dataset_share_out(set, val_share(given), test_share(given), given->seed, given->output);

    if (status == TG_OK && !given->quiet)
        printf("wrote %s: %zu images\n", given->output, tg_dataset_n_samples(set));
    return tgi_program_end(&program, status);
}

/* check, stats and split: what reads a set */
static int read_set(const options *given, const char *command, const tgi_operands *operands)
{
    tg_dataset_opts opts = dataset_opts(given);
    bool is_check = !strcmp(command, "check");
    size_t n_warnings = 0;
    tg_dataset *set = NULL;
    tg_status status;
    int exit_status;

    if (operands->n != 2)
        return tgi_program_misused(&program, "%s needs one data set", command);
    if (!strcmp(command, "split") && !given->output)
        return tgi_program_misused(&program, "split needs -o FILE.csv, the table to write");
    if (!strcmp(command, "split") && val_share(given) + test_share(given) >= 1)
        return tgi_program_misused(&program,
                                   "--val and --test are shares for split, less than 1 together");
    opts.is_lenient =
        is_check || !strcmp(command, "split"); /* who looks for faults must get past the first */
    if (is_check)                              /* what the reader warns of is a problem here */
        tgi_data_count_warnings(&n_warnings);
    status = tg_dataset_open(operands->items[1], &opts, &set);
    if (status != TG_OK)
        return tgi_program_failed(program.name);
    if (is_check)
        exit_status = check(given, set, &n_warnings);
    else if (!strcmp(command, "stats"))
        exit_status = tgi_program_end(&program, given->json ? tgi_data_print_json(set)
                                                            : tgi_data_print_table(set));
    else
        exit_status = split(given, set);
    tg_dataset_free(set);
    return exit_status;
}

int tg_data_main(int argc, char **argv)
{
    options given = {0};
    tgi_operands operands;
    int exit_status;

    if (tgi_program_start(&program, argc, argv, &given, &operands, &exit_status))
        return exit_status;
    const char *command = operands.n ? operands.items[0] : "";
    bool is_writer = !strcmp(command, "phantom") || !strcmp(command, "vagan-synthetic");

    if (!operands.n)
        exit_status = tgi_program_misused(
            &program, "a command is needed: phantom, vagan-synthetic, check, stats or split");
    else if (is_writer && operands.n > 1)
        exit_status = tgi_program_misused(&program, "%s takes no '%s'", command, operands.items[1]);
    else if (is_writer)
        exit_status = write_set(&given, command);
    else if (!strcmp(command, "check") || !strcmp(command, "stats") || !strcmp(command, "split"))
        exit_status = read_set(&given, command, &operands);
    else
        exit_status = tgi_program_misused(&program, "unknown command '%s'", command);
    tgi_program_finish(&program, &given);
    return exit_status;
}

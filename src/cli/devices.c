/* devices.c -- taggan-devices: lists the compute devices, checks one against plain C, times and tunes it. */
#include "config.h"
#include <taggan/programs.h>
#include "base/file.h"
#include "cli/devices_bench.h"
#include "cli/devices_check.h"
#include "cli/devices_list.h"
#include "cli/devices_tune.h"
#include "device/device.h"

#define TG_OPTIONS_FILE "cli/devices_options.def"
#include "cli/options_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static const tgi_program program = {
    "taggan-devices", "Lists the compute devices of this machine, checks, times and tunes them.",
    NULL,
    "A star marks the device that --device or TAGGAN_DEVICE names, or that programs take by "
    "themselves.\n"
    "\n"
    "Examples:\n"
    "  taggan-devices\n"
    "  taggan-devices check --device pocl\n"
    "  taggan-devices check --device 1 --json certificate.json\n"
    "  taggan-devices bench --preset quick\n"
    "  taggan-devices bench --preset paper --size 128 --width 32 --json bench.json\n"
    "  taggan-devices tune --preset standard --size 128\n",
    TGI_TABLE(option_table)};

static tg_status print_list(const options *given, const tg_device_info *list, size_t n,
                            const tg_device_info *chosen)
{
    json_t *devices = NULL, *object = NULL;

    if (!given->json) {
        for (size_t i = 0; i < n && !given->quiet; i++)
            tgi_devices_print(&list[i], chosen && i == chosen->index, given->verbose);
        return TG_OK;
    }
    devices = json_array();
    for (size_t i = 0; i < n; i++) {
        if (json_array_append_new(devices, tgi_devices_json(&list[i]))) {
            json_decref(devices);
            devices = NULL;
            break;
        }
    }
    if (devices)
        object = json_pack("{s:i, s:o, s:o}", "version", 1, "chosen",
                           chosen ? json_integer((json_int_t)chosen->index) : json_null(),
                           "devices", devices);
    return tgi_devices_emit(object, stdout);
}

/* A wish that nothing fits is an error only after the list was printed: the list is what helps. */
static int run_list(const options *given)
{
    tg_status status = TG_OK;
    tg_device_info *list = NULL, chosen;
    cl_platform_id platform;
    cl_device_id id;
    size_t n;
    bool is_found;

    TG_TRY(tg_device_list(&list, &n));
    is_found =
        tgi_device_find(given->device ? given->device : "auto", &platform, &id, &chosen) == TG_OK;
    TG_TRY(print_list(given, list, n, is_found ? &chosen : NULL));
    if (!is_found) /* once more, for its message */
        TG_TRY(tgi_device_find(given->device ? given->device : "auto", &platform, &id, &chosen));
cleanup:
    free(list);
    return tgi_program_end(&program, status);
}

static int run_check(const options *given, const char *path)
{
    tg_status status = TG_OK;
    tg_device *dev = NULL;
    tgi_file file = {0};
    bool has_file = path && strcmp(path, "-") != 0, prints_json = given->json && !has_file;
    const tgi_check_opts opts = {.table = given->quiet  ? NULL
                                          : prints_json ? stderr
                                                        : stdout,
                                 .is_verbose = given->verbose,
                                 .only = given->only};
    tgi_check_report report = {0};

    TG_TRY(tg_device_open_profiled(given->device, &dev));
    if (has_file) /* before minutes of work that it would lose */
        TG_TRY(tgi_file_create(path, &file));
    TG_TRY(tgi_check_run(dev, &opts, &report));
    if (!report.n_passed && !report.n_failed)
        TG_TRY(tg_fail(TG_ERR_ARGUMENT, "no operation has '%s' in its name", given->only));
    if (given->json)
        TG_TRY(tgi_devices_emit(tgi_check_json(dev, &report), has_file ? file.stream : stdout));
    if (has_file)
        TG_TRY(tgi_file_commit(&file));
    if (report.n_failed)
        status = tg_fail(TG_ERR_NUMERIC,
                         "%zu of %zu operations fail on %s (do not train on it; update its driver)",
                         report.n_failed, report.n_passed + report.n_failed,
                         tg_device_get_info(dev)->name);
cleanup:
    tgi_file_discard(&file);
    tgi_check_report_release(&report);
    tg_device_free(dev);
    return tgi_program_end(&program, status);
}

static tgi_bench_opts bench_opts_of(const options *given)
{
    return (tgi_bench_opts){
        .preset = given->preset,
        .size = given->given.size ? given->size : 0,
        .width = given->given.width ? given->width : 0,
        .blocks = given->given.blocks ? given->blocks : SIZE_MAX,
        .batch = given->given.batch ? given->batch : 0,
        .net = given->net,
        .netd = given->netd,
        .sets = given->set.items,
        .n_sets = given->set.n,
        .only = given->only,
        .timing = {.n_runs = given->runs, .seconds = given->given.seconds ? given->seconds : 2},
        .is_quiet = given->quiet};
}

static int run_bench(const options *given, const char *path)
{
    tg_status status = TG_OK;
    tg_device *dev = NULL;
    tgi_file file = {0};
    bool has_file = path && strcmp(path, "-") != 0, prints_json = given->json && !has_file;
    FILE *table = given->quiet ? NULL : prints_json ? stderr : stdout;
    const tgi_bench_opts opts = bench_opts_of(given);
    tgi_bench benches[TGI_MAX_BENCHES] = {{0}};
    tgi_peak peak;
    size_t n;

    if (tgi_bench_settings(&opts, benches, &n) != TG_OK)
        return tgi_program_misused(&program, "%s", tg_error_message());
    TG_TRY(tg_device_open(given->device, &dev));
    if (has_file) /* before minutes of work that it would lose */
        TG_TRY(tgi_file_create(path, &file));
    TG_TRY(tgi_bench_run(dev, &opts, table, benches, n, &peak));
    if (given->json)
        TG_TRY(tgi_devices_emit(tgi_bench_json(tg_device_get_info(dev), &peak, benches, n),
                                has_file ? file.stream : stdout));
    if (has_file)
        TG_TRY(tgi_file_commit(&file));
cleanup:
    tgi_file_discard(&file);
    for (size_t i = 0; i < TGI_MAX_BENCHES; i++)
        tgi_bench_list_release(&benches[i].list);
    tg_device_free(dev);
    return tgi_program_end(&program, status);
}

static int run_tune(const options *given, const char *path)
{
    tg_status status = TG_OK;
    tg_device *dev = NULL;
    json_t *json = NULL;
    tgi_file file = {0};
    bool has_file = path && strcmp(path, "-") != 0, prints_json = given->json && !has_file;
    const tgi_devices_tune_opts opts = {.preset = given->preset,
                                        .size = given->size,
                                        .width = given->width,
                                        .batch = given->batch,
                                        .sets = given->set.items,
                                        .n_sets = given->set.n,
                                        .seconds = given->seconds,
                                        .table = given->quiet  ? NULL
                                                 : prints_json ? stderr
                                                               : stdout};

    TG_TRY(tg_device_open(given->device, &dev));
    if (has_file)
        TG_TRY(tgi_file_create(path, &file));
    TG_TRY(tgi_devices_tune(dev, &opts, given->json ? &json : NULL));
    if (given->json)
        TG_TRY(tgi_devices_emit(json, has_file ? file.stream : stdout));
    if (has_file)
        TG_TRY(tgi_file_commit(&file));
cleanup:
    tgi_file_discard(&file);
    tg_device_free(dev);
    return tgi_program_end(&program, status);
}

int tg_devices_main(int argc, char **argv)
{
    options given = {0};
    tgi_operands operands;
    int exit_status;

    if (tgi_program_start(&program, argc, argv, &given, &operands, &exit_status))
        return exit_status;
    const char *command = operands.n ? operands.items[0] : "list";
    const char *path = operands.n == 2 ? operands.items[1] : NULL;
    bool is_check = !strcmp(command, "check"), is_bench = !strcmp(command, "bench");
    bool is_tune = !strcmp(command, "tune"), writes_file = is_check || is_bench || is_tune;
    size_t most = writes_file && given.json ? 2 : 1; /* the command, a file for JSON */

    if (!writes_file && strcmp(command, "list") != 0)
        exit_status = tgi_program_misused(&program, "unknown command '%s'", command);
    else if (operands.n > most)
        exit_status =
            tgi_program_misused(&program, "%s takes no '%s'", command, operands.items[most]);
    else if (is_tune && given.given.seconds && given.seconds < 1)
        exit_status = tgi_program_misused(&program, "tune needs at least a second");
    else if (is_check)
        exit_status = run_check(&given, path);
    else if (is_bench)
        exit_status = run_bench(&given, path);
    else if (is_tune)
        exit_status = run_tune(&given, path);
    else
        exit_status = run_list(&given);
    tgi_program_finish(&program, &given);
    return exit_status;
}

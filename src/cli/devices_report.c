/* devices_report.c -- runs all rows of taggan-devices check; its table and its certificate. */
#include "config.h"
#include "cli/devices_check.h"
#include "base/text.h"
#include "cli/devices_list.h"
#include "cli/kernel_times.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* JSON has no NaN: an error that is none is null. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static bool add_to_report(tgi_check_report *report, const tgi_check_row *row, const tgi_check *c,
                          tg_status status, double seconds)
{
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:I, s:o, s:o, s:b, s:o}", "op", row->op, "kind", row->kind, "program",
        row->program, "cases", (json_int_t)row->n_cases, "max_error", number(c->error), "tolerance",
        number(fmax(c->tolerance, 0)), "passed", status == TG_OK, "seconds", number(seconds));

    if (status != TG_OK) {
        json_t *message = json_string(tg_error_message());
        json_object_set_new(object, "message", message ? message : json_null());
    }
    return !json_array_append_new(report->rows, object);
}

static tg_status run_row(tgi_check *c, const tgi_check_row *row, tgi_check_report *report)
{
    tg_status status;
    char name[96];
    double start_s = now_s(), seconds;

    snprintf(name, sizeof name, "%s%s%s", row->op, *row->kind ? " " : "", row->kind);
    if (c->table) { /* before it runs: see the header */
        fprintf(c->table, "%-42s %-14s%s", name, row->program, c->is_verbose ? "\n" : "");
        fflush(c->table);
    }
    status = tgi_check_run_row(c, row);
    seconds = now_s() - start_s;
    if (c->table) {
        fprintf(c->table, c->is_verbose ? "%57s" : "%s", "");
        fprintf(c->table, " %5zu %10.2e %10.1e  %-6s %7.2f\n", row->n_cases, c->error,
                fmax(c->tolerance, 0), status == TG_OK ? "ok" : "FAILED", seconds);
        if (status != TG_OK)
            fprintf(c->table, "    %s\n", tg_error_message());
    }
    *(status == TG_OK ? &report->n_passed : &report->n_failed) += 1;
    if (!add_to_report(report, row, c, status, seconds))
        return tg_fail(TG_ERR_MEMORY, "cannot keep the results: out of memory");
    return TG_OK;
}

tg_status tgi_check_run(tg_device *dev, const tgi_check_opts *opts, tgi_check_report *report)
{
    tg_status status = TG_OK;
    const struct {
        const tgi_check_row *rows;
        size_t n;
    } tables[] = {
        {tgi_check_elementwise, tgi_n_check_elementwise},
        {tgi_check_arrange, tgi_n_check_arrange},
        {tgi_check_norm, tgi_n_check_norm},
        {tgi_check_conv2d, tgi_n_check_conv2d},
        {tgi_check_loss, tgi_n_check_loss},
        {tgi_check_optimizer, tgi_n_check_optimizer},
        {tgi_check_peak, tgi_n_check_peak},
    };
    tgi_check c = {.dev = dev, .table = opts->table, .is_verbose = opts->is_verbose && opts->table};
    const tg_device_info *info = tg_device_get_info(dev);

    report->rows = json_array();
    if (c.table)
        fprintf(c.table, "device %zu: %s (%s, driver %s)\n\n%-42s %-14s %5s %10s %10s  %-6s %7s\n",
                info->index, info->name, info->platform, info->driver, "operation", "program",
                "cases", "max error", "tolerance", "", "s");
    for (size_t k = 0; k < TG_COUNT(tables); k++) {
        for (size_t i = 0; i < tables[k].n; i++) {
            if (!opts->only || tgi_has_word(tables[k].rows[i].op, opts->only))
                TG_TRY(run_row(&c, &tables[k].rows[i], report));
        }
    }
    if (c.is_verbose)
        TG_TRY(tgi_kernel_times_print(dev, c.table));
    if (c.table)
        fprintf(c.table, "%zu passed, %zu failed\n", report->n_passed, report->n_failed);
cleanup:
    return status;
}

void tgi_check_report_release(tgi_check_report *report)
{
    json_decref(report->rows);
    *report = (tgi_check_report){0};
}

static json_t *kernels_json(tg_device *dev)
{
    json_t *array = json_array();
    tg_kernel_time *rows = NULL;
    size_t n = 0;

    if (tgi_kernel_times_read(dev, &rows, &n) != TG_OK)
        n = 0; /* the operations say what is wrong with the device */
    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, json_pack("{s:s, s:s, s:I, s:o}", "program", rows[i].program,
                                               "kernel", rows[i].kernel, "launches",
                                               (json_int_t)rows[i].n_launches, "seconds",
                                               number(rows[i].seconds)));
    free(rows);
    return array;
}

json_t *tgi_check_json(tg_device *dev, const tgi_check_report *report)
{
    return json_pack("{s:i, s:s, s:o, s:O, s:o, s:I, s:I}", "version", 1, "taggan", tg_version(),
                     "device", tgi_devices_json(tg_device_get_info(dev)), "operations",
                     report->rows, "kernels", kernels_json(dev), "passed",
                     (json_int_t)report->n_passed, "failed", (json_int_t)report->n_failed);
}

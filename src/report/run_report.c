/* run_report.c -- the page of a run from top to bottom. */
#include "config.h"
#include "report/run_report.h"
#include "base/file.h"

#include <stdlib.h>
#include <time.h>

#include "base/banned.h"

enum { MAX_PANEL_BYTES = 1 << 26, MAX_FACTS = 10 };

/* What was run, on what, when. */
static tg_status add_header(tgi_report *report, const tgi_run_report *run)
{
    tg_status status = TG_OK;
    tgi_fact facts[MAX_FACTS];
    char seed[TGI_NUMBER_SIZE], date[64], duration[TGI_NUMBER_SIZE], *program = NULL;
    size_t n = 0;
    time_t started = (time_t)run->started_s;
    struct tm utc;

    TG_TRY(tgi_printf(&program, "%s %s", run->program, tg_version()));
    facts[n++] = (tgi_fact){"program", program};
    if (run->model)
        facts[n++] = (tgi_fact){"model", run->model};
    if (run->preset)
        facts[n++] = (tgi_fact){"preset", run->preset};
    if (run->dataset)
        facts[n++] = (tgi_fact){"data set", run->dataset};
    if (run->device)
        facts[n++] = (tgi_fact){"device", run->device};
    snprintf(seed, sizeof seed, "%llu", run->seed);
    facts[n++] = (tgi_fact){"seed", seed};
    if (run->started_s > 0 && gmtime_r(&started, &utc) &&
        strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &utc))
        facts[n++] = (tgi_fact){"started", date};
    if (run->duration_s > 0) {
        tgi_duration_text(run->duration_s, duration);
        facts[n++] = (tgi_fact){"took (h:min:s)", duration};
    }
    TG_TRY(tgi_report_facts(report, facts, n));
cleanup:
    free(program);
    return status;
}

static tg_status add_panel(tgi_report *report, const tgi_run_panel *panel)
{
    tg_status status = TG_OK;
    char *file = NULL;
    const char *png = panel->png ? panel->png->data : NULL;
    size_t n = panel->png ? panel->png->size : 0;

    if (panel->path) {
        TG_TRY(tgi_file_read(panel->path, MAX_PANEL_BYTES, &file, &n));
        png = file;
    }
    if (tgi_report_image(report, png, n, panel->density, panel->caption ? panel->caption : "") !=
        TG_OK)
        status = tg_fail(TG_ERR_FORMAT, "cannot use '%s' in a report: it is not a PNG file",
                         panel->path ? panel->path : "a panel");
cleanup:
    free(file);
    return status;
}

static tg_status add_panels(tgi_report *report, const tgi_run_panel *panels, size_t n)
{
    tg_status status = TG_OK;

    if (n)
        TG_TRY(tgi_report_section(report, "Pictures"));
    for (size_t i = 0; i < n; i++)
        TG_TRY(add_panel(report, &panels[i]));
cleanup:
    return status;
}

/* A model is the same again only where nothing was left to chance; measuring leaves nothing. */
static tg_status add_command(tgi_report *report, bool is_training, const char *command)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_report_section(report, "How to reproduce"));
    TG_TRY(tgi_report_text(
        report, is_training ? "On the same device, with --deterministic, the same command gives "
                              "the same bits; elsewhere the same numbers within rounding."
                            : "The same command gives the same numbers, on another device within "
                              "rounding."));
    TG_TRY(tgi_report_code(report, command));
cleanup:
    return status;
}

static tg_status add_reproduction(tgi_report *report, const tgi_run_report *run)
{
    tg_status status = TG_OK;

    if (run->n_settings) {
        TG_TRY(tgi_report_section(report, "Settings"));
        TG_TRY(tgi_report_folded_facts(report, "All settings of this run", run->settings,
                                       run->n_settings));
    }
    if (run->command)
        TG_TRY(add_command(report, !run->results, run->command));
cleanup:
    return status;
}

tg_status tgi_run_report_write(const tgi_run_report *run, const char *path)
{
    tg_status status = TG_OK;
    tgi_report *report = NULL;
    char *title = NULL;

    TG_TRY(tgi_printf(&title, run->model && run->dataset ? "%s on %s" : "%s%s",
                      run->model ? run->model : run->program, run->dataset ? run->dataset : ""));
    TG_TRY(tgi_report_new(
        title, "Disease maps learned from image-level labels. For research; not for diagnosis.",
        &report));
    TG_TRY(add_header(report, run));
    if (run->results)
        TG_TRY(tgi_report_add_results(report, run->results));
    else if (run->metrics_path && tgi_is_file(run->metrics_path))
        TG_TRY(tgi_report_add_metrics(report, run->metrics_path));
    TG_TRY(add_panels(report, run->panels, run->n_panels));
    if (run->log_path && tgi_is_file(run->log_path))
        TG_TRY(tgi_report_add_curves(report, run->log_path, run->best_step));
    TG_TRY(add_reproduction(report, run));
    TG_TRY(tgi_report_write(report, path));
cleanup:
    tgi_report_free(report);
    free(title);
    return status;
}

tg_status tgi_comparison_report_write(const tg_eval_results *const *results,
                                      const char *const *names, size_t n,
                                      const tgi_run_panel *panel, const char *command,
                                      const char *path)
{
    tg_status status = TG_OK;
    tgi_report *report = NULL;

    TG_TRY(tgi_report_new(
        "Methods side by side",
        "Disease maps learned from image-level labels. For research; not for diagnosis.", &report));
    TG_TRY(tgi_report_add_comparison(report, results, names, n));
    for (size_t i = 0; i < n; i++) {
        const tgi_fact facts[] = {
            {"method", names[i]},
            {"data set", results[i]->dataset},
            {"images", results[i]->note ? results[i]->note : "as in its metrics.json"}};

        TG_TRY(tgi_report_facts(report, facts, TG_COUNT(facts)));
    }
    TG_TRY(add_panels(report, panel, panel != NULL));
    if (command)
        TG_TRY(add_command(report, false, command));
    TG_TRY(tgi_report_write(report, path));
cleanup:
    tgi_report_free(report);
    return status;
}

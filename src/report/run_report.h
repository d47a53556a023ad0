/* run_report.h -- report.html of a run, made from the files in the run's folder and a few facts. */
#ifndef TGI_REPORT_RUN_REPORT_H
#define TGI_REPORT_RUN_REPORT_H

#include <taggan/eval.h>

#include "report/html.h"

typedef struct tgi_run_panel {
    const char *path; /* a PNG file, or NULL when there is png */
    double density;   /* as it was drawn with; 0 means 1 */
    const char *caption;
    const tgi_text *png; /* the file's bytes */
} tgi_run_panel;

/* Everything may be NULL or 0 but the program; what is not there is left out of the page. */
typedef struct tgi_run_report {
    const char *program; /* "taggan-train" */
    const char *command; /* the command line that made the run */
    const char *model, *preset, *dataset, *device;
    unsigned long long seed;
    long long started_s; /* since 1970; 0 leaves the date out, for the same bytes each time */
    double duration_s;
    const char *metrics_path;       /* metrics.json; a file that is not there is left out as well */
    const tg_eval_results *results; /* instead of metrics_path */
    const char *log_path;           /* log.csv, see doc/report.md for how its columns are grouped */
    long long best_step;            /* the step whose weights were kept; 0 for none */
    const tgi_run_panel *panels;
    size_t n_panels;
    const tgi_fact *settings; /* every setting of the run */
    size_t n_settings;
} tgi_run_report;

/* Writes the page by rename. TG_ERR_FORMAT when one of the files is damaged. */
tg_status tgi_run_report_write(const tgi_run_report *run, const char *path) TG_MUST_CHECK;

/* A page on several methods: table, bars and a picture (NULL for none). command may be NULL. */
tg_status tgi_comparison_report_write(const tg_eval_results *const *results,
                                      const char *const *names, size_t n,
                                      const tgi_run_panel *panel, const char *command,
                                      const char *path) TG_MUST_CHECK;

/* Its parts, for programs whose page has others around them. */

/* Tiles, table of the run and the baselines, classes, bars, and the control on healthy images. */
tg_status tgi_report_add_results(tgi_report *report, const tg_eval_results *results) TG_MUST_CHECK;
/* The same from a metrics.json. */
tg_status tgi_report_add_metrics(tgi_report *report, const char *metrics_path) TG_MUST_CHECK;
/* Several runs or methods: a row and a bar each. */
tg_status tgi_report_add_comparison(tgi_report *report, const tg_eval_results *const *results,
                                    const char *const *names, size_t n) TG_MUST_CHECK;
/* A chart for each group of columns of log.csv. */
tg_status tgi_report_add_curves(tgi_report *report, const char *log_path,
                                long long best_step) TG_MUST_CHECK;

#endif

/* eval_run.h -- trained models measured on a data set: the numbers, the picture of what they made of its images, the page. */
#ifndef TGI_REPORT_EVAL_RUN_H
#define TGI_REPORT_EVAL_RUN_H

#include "report/report.h"
#include "trainer/trainer.h"

/* Strings are borrowed for the call. */
typedef struct tgi_eval_run_opts {
    const char *dataset; /* folder, table or built-in set */
    tg_dataset_opts
        opening; /* its seed and size_px are the first model's, so that built-in sets are those of its training */
    const char *
        split; /* train, val, test or all; NULL: test; where there is no such image val for the set that the first
                                 model was trained on, else all */
    tgi_label_source labels;
    tg_eval_opts measuring; /* see tgi_test_opts */
    bool has_seed;          /* measuring.seed is to be used, not the model's */
    const size_t
        *n_training; /* of the class-mean baseline, half of them healthy; NULL: as after training */
    const char *panels;  /* a .png file, or a folder (with one model only); or NULL */
    const char *report;  /* the page, or NULL */
    const char *command; /* for the page */
} tgi_eval_run_opts;

/* Measures the models of n runs on the same images. With one, panels and page are those of a run; with several, side by side.
 * \param runs     folders of runs, or model.safetensors files
 * \param results  [n], filled; tg_eval_results_free() each
 * TG_ERR_ARGUMENT, naming both lists, when a model and the data set know different classes. */
tg_status tgi_eval_runs(tg_device *dev, const char *const *runs, size_t n,
                        const tgi_eval_run_opts *opts, tg_eval_results **results) TG_MUST_CHECK;

/* Whether `panels` of the options means one file. */
bool tgi_is_png_name(const char *path);

#endif

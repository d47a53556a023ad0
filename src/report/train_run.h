/* train_run.h -- what people see of a training run: progress, log.csv, TensorBoard, config.ini, run.json while it works; the
 * table, metrics.json, panels and report.html when it is done. The trainer knows it as an observer only. */
#ifndef TGI_REPORT_TRAIN_RUN_H
#define TGI_REPORT_TRAIN_RUN_H

#include "report/report.h"
#include "trainer/trainer.h"

#include <jansson.h>

typedef struct tgi_train_run tgi_train_run;

/* Strings are borrowed and must outlive the run. */
typedef struct tgi_train_run_opts {
    const char *folder, *command, *preset, *dataset;
    const tgi_settings *settings;
    const tg_device_info *device;
    json_t *options; /* the program's options, for run.json; borrowed */
    tgi_progress_mode progress;
    long long resume_step; /* < 0: a new run */
} tgi_train_run_opts;

/* Makes the folder and opens its files. */
tg_status tgi_train_run_open(const tgi_train_run_opts *opts, tgi_train_run **out) TG_MUST_CHECK;
tgi_observer tgi_train_run_observer(tgi_train_run *run);
/* Tests model.safetensors of the folder on the test split (val where there is none; nothing where neither has truth or labels),
 * prints the table on `stream` (NULL: nowhere) and writes metrics.json, samples/ and report.html. */
tg_status tgi_train_run_finish(tgi_train_run *run, tg_device *dev, const tg_dataset *set,
                               const tgi_train_result *result, FILE *stream) TG_MUST_CHECK;
void tgi_train_run_free(tgi_train_run *run);

#endif

/* tag_run.h -- a tagging run: every input to its files, then annotations, summary.csv, tags.json
 * and report.html. */
#ifndef TGI_REPORT_TAG_RUN_H
#define TGI_REPORT_TAG_RUN_H

#include "report/console.h"
#include "report/tag_inputs.h"
#include "tag/tagger.h"
#include <taggan/annotate.h>

/* Strings are borrowed. */
typedef struct tgi_tag_run_opts {
    const char *folder;  /* made when it is not there; files in it are replaced */
    const char *model;   /* as it was named, for the report */
    const char *command; /* the command line, for the report */
    tg_tagger_opts tagger;
    unsigned formats; /* sum of tg_annotate_format */
    bool has_npy;     /* maps as NumPy files, too */
    size_t n_batch;   /* images a device call */
    tgi_progress_mode progress;
    const tg_device_info *device;
} tgi_tag_run_opts;

/* One line of summary.csv. */
typedef struct tgi_tag_row {
    size_t input;
    char *label;          /* "nodule;effusion"; owned */
    float *probabilities; /* [n_classes]; owned */
    size_t n_boxes;
    double area_share, max_score, mean_score, seconds;
} tgi_tag_row;

/* A row of pictures of the report. */
typedef struct tgi_tag_example {
    void *png;
    size_t n_bytes;
} tgi_tag_example;

enum { TGI_TAG_EXAMPLES = 6 }; /* of images with boxes, and of those without */

/* What came of it. Release with tgi_tag_result_release(). */
typedef struct tgi_tag_result {
    tgi_tag_row *rows;
    size_t n_rows, capacity;
    size_t n_failed; /* inputs that could not be read; each was named in the log */
    size_t n_with_boxes, n_boxes;
    size_t n_healthy, n_healthy_fire; /* of data sets: healthy images, and those with any box */
    tgi_tag_example examples[2][TGI_TAG_EXAMPLES];
    size_t n_examples[2]; /* without boxes, with boxes */
    double seconds;
} tgi_tag_result;

void tgi_tag_result_release(tgi_tag_result *result);

/* Tags all inputs (named ones). An input that cannot be read is named in the log, counted and left
 * out; what cannot be written ends the run. */
tg_status tgi_tag_run(tg_tagger *tagger, const tgi_tag_inputs *inputs, const tgi_tag_run_opts *opts,
                      tgi_tag_result *result) TG_MUST_CHECK;

/* ---- tag_report.c: what is written when all is tagged ---- */
tg_status tgi_tag_write_summary(const tg_tagger *tagger, const tgi_tag_inputs *inputs,
                                const tgi_tag_run_opts *opts,
                                const tgi_tag_result *result) TG_MUST_CHECK;
/* tags.json, which taggan-eval reads: {"threshold": {"rule":.., "value":..}, ..}. */
tg_status tgi_tag_write_rule(const tgi_tag_run_opts *opts,
                             const tgi_tag_result *result) TG_MUST_CHECK;
tg_status tgi_tag_write_report(const tg_tagger *tagger, const tgi_tag_inputs *inputs,
                               const tgi_tag_run_opts *opts,
                               const tgi_tag_result *result) TG_MUST_CHECK;

#endif

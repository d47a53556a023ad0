/* eval.h -- the parts of the evaluation: boxes, rankings, the measures of one image, aggregation,
 * baselines. */
#ifndef TGI_EVAL_EVAL_H
#define TGI_EVAL_EVAL_H

#include "base/status.h"
#include <stdbool.h>
#include <taggan/eval.h>

/* -- boxes.c
 * -------------------------------------------------------------------------------------------------------
 */

/* Half-open, whole pixels. */
typedef struct tgi_box {
    long x0, y0, x1, y1;
} tgi_box;

double tgi_box_area(tgi_box box);
double tgi_box_overlap(tgi_box a, tgi_box b);
double tgi_box_iou(tgi_box a, tgi_box b);
/* Rounded to whole pixels, at least one, clipped to the image. */
tgi_box tgi_box_round(const tg_box *box, size_t width_px, size_t height_px);

/* While there are more than k boxes, the pair whose hull adds the least area becomes its hull (the
 * first of equal pairs). The hull takes the place of the pair's first box. */
void tgi_boxes_merge(tgi_box *boxes, size_t *n, size_t k);

/* The one-to-one matching of n_rows to n_columns with the highest sum of gain[row * n_columns +
 * column] (gains of 0 or more): match[row] is a column, or n_columns for none. */
tg_status tgi_match(const double *gain, size_t n_rows, size_t n_columns,
                    size_t *match) TG_MUST_CHECK;

/* -- ranking.c
 * -----------------------------------------------------------------------------------------------------
 */

/* Both arrays ascending. Ties count half; average precision is the sum over distinct thresholds of
 * recall gained times precision. NaN when either is empty (average precision: when no positive). */
double tgi_auroc(const float *positive, size_t n_positive, const float *negative,
                 size_t n_negative);
double tgi_average_precision(const float *positive, size_t n_positive, const float *negative,
                             size_t n_negative);

/* Population correlation; false when either is constant. */
bool tgi_ncc(const float *a, const float *b, size_t n, double *ncc);

/* -- measure.c
 * -----------------------------------------------------------------------------------------------------
 */

typedef enum tgi_metric {
#define TG_METRIC(name, over) TGI_M_##name,
#include "eval/metrics.def"
#undef TG_METRIC
    TGI_N_METRICS
} tgi_metric;

typedef enum tgi_over {
    TGI_DISEASED,
    TGI_HEALTHY,
    TGI_IMAGE_AUROC,
    TGI_PIXEL_AP,
    TGI_PIXEL_AUROC
} tgi_over;

typedef struct tgi_metric_info {
    const char *name;
    tgi_over over;
} tgi_metric_info;

extern const tgi_metric_info tgi_metric_infos[TGI_N_METRICS];

/* What one image adds to a metric: the metric is sum(num) / sum(den) over the images whose state is
 * TGI_VALUED. */
typedef struct tgi_cell {
    double num, den;
    enum { TGI_ABSENT, TGI_VALUED, TGI_SKIPPED } state;
} tgi_cell;

/* The truth of one image for one question. */
typedef struct tgi_target {
    bool has_area;      /* mask and boxes say where the disease is */
    bool has_own_boxes; /* the boxes were given, not found around the mask's parts */
    bool has_difference;
    tg_mask mask; /* T */
    tgi_box *boxes;
    size_t n_boxes;
    tg_image difference;
} tgi_target;

/* Copies what the measures need. class_index < 0: all diseases; else that class (see eval.h on
 * images with several). */
tg_status tgi_target_new(const tg_truth *truth, size_t width_px, size_t height_px, bool is_diseased,
                         long class_index, bool has_several, tgi_target *out) TG_MUST_CHECK;
void tgi_target_release(tgi_target *target);

/* Fills the cells of one image. tags may be NULL: what needs a mask stays absent. */
tg_status tgi_measure(const tg_eval_opts *opts, const tg_image *map, const tg_image *score,
                      const tg_tags *tags, const tgi_target *target, bool is_diseased,
                      tgi_cell cells[TGI_N_METRICS]) TG_MUST_CHECK;

/* One number for an image. */
tg_status tgi_image_score(const tg_image *score, tg_image_score how, double *out) TG_MUST_CHECK;

/* -- aggregate.c
 * ---------------------------------------------------------------------------------------------------
 */

/* One image in one series (a method or baseline, over all images or those of a class). */
typedef struct tgi_entry {
    bool is_diseased;
    size_t patient;
    double image_score;    /* NaN = none */
    const tgi_cell *cells; /* [TGI_N_METRICS] */
    const tg_image *score; /* NULL = takes no part in pixel metrics */
    const tg_mask *truth;  /* NULL = all zero */
} tgi_entry;

/* weights[draw * n_patients + patient]: how often a draw has the patient. */
typedef struct tgi_draws {
    uint8_t *weights;
    size_t n_draws, n_patients;
} tgi_draws;

tg_status tgi_draws_new(size_t n_draws, size_t n_patients, uint64_t seed,
                        tgi_draws *out) TG_MUST_CHECK;
void tgi_draws_release(tgi_draws *draws);

tg_status tgi_aggregate(const char *name, const tgi_entry *entries, size_t n,
                        const tgi_draws *draws, tg_scores *out) TG_MUST_CHECK;
/* pixels.c: pixel_ap and pixel_auroc, mean NaN where absent. */
tg_status tgi_pixel_metrics(const tgi_entry *entries, size_t n, const tgi_draws *draws,
                            tg_metric *ap, tg_metric *auroc) TG_MUST_CHECK;
/* Percentiles 2.5 and 97.5 of the finite ones of n values; the mean when there are none. */
void tgi_interval(double *values, size_t n, tg_metric *metric);

void tgi_scores_release(tg_scores *scores);

/* -- threshold.c
 * ---------------------------------------------------------------------------------------------------
 */

/* The best fixed threshold on scores; *found is false when no truth has a pixel set. */
tg_status tgi_best_threshold(const tg_image *const *scores, const tg_mask *const *truths, size_t n,
                             const tg_tag_opts *opts, double *threshold, double *dice,
                             bool *found) TG_MUST_CHECK;

/* -- evaluation.c and baseline.c
 * ----------------------------------------------------------------------------------- */

/* One map of an image with its truth and its measures. */
typedef struct tgi_view {
    tg_image score;
    tgi_target target;
    double image_score;
    tgi_cell cells[TGI_N_METRICS];
} tgi_view;

typedef struct tgi_item {
    char *name;
    size_t patient;
    float *labels;
    bool is_diseased;
    tgi_view **views; /* [1 + n_classes]: all diseases, then each class; NULL where the image lacks
                         the class, or the first again where nothing differs */
    tg_image input;
} tgi_item;

struct tg_evaluation {
    tg_eval_opts opts;
    char *dataset, *rule;
    char **classes;
    size_t n_classes;
    tgi_item *items;
    size_t n_items, capacity;
    char **patients;
    size_t n_patients, patient_capacity;
    /* Sums of training images: [0] healthy, [1 + k] class k, [1 + n_classes] all diseased. */
    size_t train_w, train_h, *n_train;
    double **train;
};

tg_status tgi_baselines(const tg_evaluation *e, const tgi_draws *draws,
                        tg_eval_results *results) TG_MUST_CHECK;

#endif

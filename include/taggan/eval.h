/** \file taggan/eval.h
 *  How good maps, masks and boxes are against truth, beside what trivial maps would reach on the same images.
 *
 *  Every number is a **fraction in 0..1** (NCC: -1..1), in metrics.json and in the printed tables alike; publications often
 *  print percent. Every metric has a 95 % interval: percentiles of 1000 draws of whole patients, with replacement, from a seed.
 *  A metric without truth, or without images to take it over, is absent; it is never zero.
 *
 *  P is what was marked, T the truth, s the score (sign and smoothing of the map), |.| a number of pixels:
 *
 *  | name | over | definition |
 *  |---|---|---|
 *  | ncc | diseased | correlation of the signed map with the difference image where there is one, else with T; constant maps or truths are skipped and counted |
 *  | dice, iou, poi | diseased | 2 P&T / (P + T);  P&T / (P or T);  P&T / P (opts.poi_den). Both empty 1, one empty 0 |
 *  | iou_unequal, poi_unequal | diseased | each part of the mask is a box: mean over boxes of the best IoU, of box&T / box |
 *  | iou_equal, poi_equal | diseased | as many boxes as the truth has (which is use of the truth: compare with nothing else), matched one-to-one |
 *  | pixel_ap, pixel_auroc | all pixels | of s against T |
 *  | pointing | diseased | the highest s lies in a box of the truth (or in T), grown by opts.tol_px |
 *  | image_auroc | images | diseased against healthy by the image's score |
 *  | blank_rate, healthy_fire | healthy | share of images with an empty mask; mean share of pixels marked |
 *  | dice_best, iou_best | diseased | at opts.best_threshold, which somebody chose elsewhere |
 *  | *_boxes | diseased | P and T replaced by the union of their boxes |
 *  | *_micro | diseased | areas summed over all images, then divided; others are means of the images' values |
 *  | *_refined | diseased | only parts that touch the truth are kept: reads the truth, "oracle-refined", stands apart |
 *
 *  Truth of an image: T is its mask, or the union of its boxes; boxes are those given, or those around the parts of the mask.
 *  A diseased image with neither takes no part in what needs them. Healthy images count as all-zero truth for pixel_ap.
 *  Per class: the images that hold the class, and all healthy ones where healthy ones are needed; with the class's own map if
 *  it was given, and in images with several classes only the truth inside boxes of that class, if there are such.
 */
#ifndef TAGGAN_EVAL_H
#define TAGGAN_EVAL_H

#include <stdio.h>
#include <taggan/dataset.h>
#include <taggan/image.h>
#include <taggan/status.h>
#include <taggan/tag.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What poi divides by. */
typedef enum tg_poi_den { TG_POI_PRED, TG_POI_GT, TG_POI_MIN } tg_poi_den;
/** What poi is where nothing was marked although something is there. */
typedef enum tg_empty { TG_EMPTY_ZERO, TG_EMPTY_SKIP } tg_empty;
/** How the equal protocol comes down to as many boxes as the truth has. */
typedef enum tg_equal { TG_EQUAL_MERGE, TG_EQUAL_TOPK } tg_equal;
/** One number for an image: mean of s, mean of its highest 1 %, or its maximum. */
typedef enum tg_image_score { TG_IMAGE_MEAN, TG_IMAGE_TOP1, TG_IMAGE_MAX } tg_image_score;
typedef enum tg_baselines { TG_BASELINES_ALL, TG_BASELINES_NONE } tg_baselines;

/** Start from tg_eval_opts_default(). */
typedef struct tg_eval_opts {
    tg_tag_opts tag; /**< how scores are made, and masks where none are given */
    tg_poi_den poi_den;
    tg_empty empty;
    tg_equal equal;
    tg_image_score image_score;
    size_t tol_px;          /**< of the pointing game; 0, customary is 15 */
    double best_threshold;  /**< for dice_best and iou_best; NaN = leave them out */
    size_t n_draws;         /**< of the bootstrap; 1000 */
    uint64_t seed;          /**< of the bootstrap and of the random map */
    tg_baselines baselines; /**< they keep a copy of inputs and truths */
    const char
        *threshold_rule; /**< told in metrics.json, e.g. "healthy:0.99"; NULL = opts.tag's rule */
} tg_eval_opts;

tg_eval_opts tg_eval_opts_default(void);

/** Images being evaluated. */
typedef struct tg_evaluation tg_evaluation;

/** \param dataset  name for the report; \p classes are n_classes names of diseases. All strings are copied. */
tg_status tg_evaluation_new(const tg_eval_opts *opts, const char *dataset,
                            const char *const *classes, size_t n_classes,
                            tg_evaluation **out) TG_MUST_CHECK;
void tg_evaluation_free(tg_evaluation *evaluation);

/** One image with what was made of it; borrowed for the call, copied as far as needed. Start from {0}. */
typedef struct tg_eval_item {
    const char *name;
    const char *patient; /**< NULL or "": a patient of its own */
    const float *labels; /**< [n_classes] */
    const tg_image *map; /**< signed disease map */
    const tg_image *const
        *class_maps;       /**< [n_classes] maps for one class each, or NULL; entries may be NULL */
    const tg_tags *tags;   /**< of map, or NULL: made by opts.tag */
    const tg_truth *truth; /**< of the map's size, or NULL */
    const tg_image *input; /**< the radiograph, of the map's size, for baselines; or NULL */
} tg_eval_item;

/** \return TG_ERR_SHAPE, naming the image, when sizes differ; TG_ERR_NUMERIC for a map that is not finite. */
tg_status tg_evaluation_add(tg_evaluation *evaluation, const tg_eval_item *item) TG_MUST_CHECK;

/** Shows a training image to the class-mean baseline (mean of the diseased minus mean of the healthy ones). The first image
 *  sets the size, others are resized. */
tg_status tg_evaluation_add_training(tg_evaluation *evaluation, const tg_image *image,
                                     const float *labels) TG_MUST_CHECK;

/** A metric with its interval. */
typedef struct tg_metric {
    const char *name; /**< static */
    double mean, low, high;
    size_t n, n_skipped; /**< images it was taken over; images left out by its definition */
} tg_metric;

/** Metrics of all images, of a class, or of a baseline; only those that exist. */
typedef struct tg_scores {
    char *name;
    tg_metric *metrics;
    size_t n_metrics;
} tg_scores;

typedef struct tg_eval_results {
    char *dataset;
    size_t n_diseased, n_healthy;
    char *threshold_rule;
    double threshold;
    tg_scores overall; /**< each image once */
    tg_scores
        class_mean; /**< unweighted mean over the classes that have the metric, without intervals; n = classes */
    tg_scores *classes;
    size_t n_classes;
    tg_scores *
        baselines; /**< zero, centre_blob, input, blurred_input, random, class_mean, class_mean_known (template of the
                               image's own class, diseased images only). Their masks are cut at the threshold that is best
                               for them on this very truth: the comparison leans to their side. */
    size_t n_baselines;
    char *note; /**< how the maps were made, for readers of the numbers; or NULL */
} tg_eval_results;

/** Computes everything. May be called again after more additions. */
tg_status tg_evaluation_finish(const tg_evaluation *evaluation,
                               tg_eval_results **out) TG_MUST_CHECK;
void tg_eval_results_free(tg_eval_results *results);

/** NULL when the metric is absent. */
const tg_metric *tg_scores_find(const tg_scores *scores, const char *name);

/** The fixed threshold on s with the highest mean Dice over the n images: what opts.best_threshold wants, from validation
 *  truth. 256 candidates, quantiles of s inside the truth; with morphology or a smallest area some of them are tried in full.
 *  \return TG_ERR_ARGUMENT when no truth has a pixel set. */
tg_status tg_eval_best_threshold(const tg_image *maps, const tg_mask *truths, size_t n,
                                 const tg_tag_opts *opts, double *threshold,
                                 double *dice) TG_MUST_CHECK;

/** metrics.json by rename: version, dataset, note, n_diseased, n_healthy, threshold, overall, per_class, baselines; and class_mean. */
tg_status tg_eval_results_save(const tg_eval_results *results, const char *path) TG_MUST_CHECK;
/** Reads what tg_eval_results_save() wrote. */
tg_status tg_eval_results_load(const char *path, tg_eval_results **out) TG_MUST_CHECK;
/** A row a number: scope,name,metric,mean,low,high,n,skipped. By rename. */
tg_status tg_eval_results_save_csv(const tg_eval_results *results, const char *path) TG_MUST_CHECK;

typedef enum tg_table { TG_TABLE_TEXT, TG_TABLE_MARKDOWN } tg_table;

/** How much a table tells. */
typedef enum tg_detail {
    TG_DETAIL_MAIN, /**< one measure for each question, what it means, and the means of classes and baselines */
    TG_DETAIL_ALL /**< also other protocols (boxes, areas summed, oracle-refined), and intervals everywhere */
} tg_detail;

/** Metrics with intervals, then classes, then baselines, in aligned columns. */
tg_status tg_eval_results_print(const tg_eval_results *results, tg_table form, tg_detail detail,
                                FILE *stream) TG_MUST_CHECK;
/** Several methods side by side, a row each: overall metrics with intervals. */
tg_status tg_eval_compare_print(const tg_eval_results *const *results, const char *const *names,
                                size_t n, tg_table form, FILE *stream) TG_MUST_CHECK;

/** What to evaluate of files. Start from {0} and tg_dataset_opts_default(). */
typedef struct tg_eval_folders_opts {
    tg_dataset_opts dataset;
    const char
        *split; /**< train, val, test or all; NULL = test, or all when there is no test image */
    size_t n_training; /**< training images read for the class-mean baseline; 0 = none */
} tg_eval_folders_opts;

/** Evaluates what taggan-infer wrote into \p prediction (NAME.map.png, NAME.mask.png; the mask alone will do, and so will the map
 *  alone, which is cut by opts.tag) against the data set \p truth. The threshold told is that of
 *  `tags.json` there, {"threshold":{"rule":..,"value":..}}, if there is one.
 *  \return TG_ERR_IO when a prediction is missing: leaving images out would flatter. */
tg_status tg_eval_folders(const char *truth, const char *prediction, const tg_eval_opts *opts,
                          const tg_eval_folders_opts *folders, tg_eval_results **out) TG_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif

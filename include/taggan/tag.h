/** \file taggan/tag.h
 *  The constraint function: from a disease map to a mask, to regions with boxes and scores (doc/method: map -> mask -> boxes).
 */
#ifndef TAGGAN_TAG_H
#define TAGGAN_TAG_H

#include <taggan/image.h>
#include <taggan/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tg_sign { TG_SIGN_POS, TG_SIGN_NEG, TG_SIGN_ABS } tg_sign;

typedef enum tg_rule {
    TG_RULE_FIXED,      /**< score > value */
    TG_RULE_PERCENTILE, /**< value = percent, linear interpolation at rank (n-1)p/100 */
    TG_RULE_OTSU,
    TG_RULE_MEAN_STD,   /**< mean + value * population sd */
    TG_RULE_MAX         /**< value * maximum */
} tg_rule;

/** Start from tg_tag_opts_default(). */
typedef struct tg_tag_opts {
    tg_sign sign;        /**< which side of the map counts; positive by default */
    double sigma_px;     /**< Gaussian smoothing of the score, 0 = off */
    tg_rule rule;
    double value;        /**< parameter of the rule */
    double floor;        /**< per-image rules: an image whose highest score is not above it stays blank; 0.05 */
    size_t open_px, close_px; /**< radius of the disc of opening and closing, 0 = off */
    int connectivity;    /**< 4 or 8 */
    size_t min_area_px;  /**< regions smaller than that go; at 256 px a side it is 16 */
} tg_tag_opts;

tg_tag_opts tg_tag_opts_default(void);

/** A connected part of the mask; box half-open, integer pixels; score = mean score inside. */
typedef struct tg_region {
    size_t x, y, w, h, area_px;
    double score;
} tg_region;

/** The result for one map. Release with tg_tags_release(). */
typedef struct tg_tags {
    tg_mask mask;
    tg_region *regions; /**< by area descending, then y, then x */
    size_t n_regions;
    double threshold;   /**< that was used */
    double max_score;
} tg_tags;

/** Runs steps 1 to 6 of the constraint function on one map. Deterministic. */
tg_status tg_tag_map(const tg_image *map, const tg_tag_opts *opts, tg_tags *out) TG_MUST_CHECK;
void tg_tags_release(tg_tags *tags);

/** The score image of step 1 and 2 (sign and smoothing), for measures that need no threshold. */
tg_status tg_tag_score(const tg_image *map, const tg_tag_opts *opts, tg_image *out) TG_MUST_CHECK;

/** Smallest threshold at which this (healthy) map stays blank after steps 3 to 5: its `t_i`. */
tg_status tg_tag_blank_threshold(const tg_image *map, const tg_tag_opts *opts, double *threshold) TG_MUST_CHECK;

/** q-quantile (0..1, linear interpolation) of the n values. */
double tg_quantile(const double *values, size_t n, double q);

#ifdef __cplusplus
}
#endif
#endif

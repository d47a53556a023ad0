/** \file taggan/tag.h
 *  The constraint function: from a disease map to a mask, to regions with boxes and scores, to pictures of them.
 *
 *      score -> smooth -> threshold -> opening, closing -> connected parts -> boxes
 *
 *  The threshold is a number a caller fixes once, from healthy images (tg_calibration), or a rule applied to each map.
 */
#ifndef TAGGAN_TAG_H
#define TAGGAN_TAG_H

#include <taggan/dataset.h>
#include <taggan/image.h>
#include <taggan/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tg_sign { TG_SIGN_POS, TG_SIGN_NEG, TG_SIGN_ABS } tg_sign;

typedef enum tg_rule {
    TG_RULE_FIXED,      /**< score > value */
    TG_RULE_PERCENTILE, /**< value = percent, linear interpolation at rank (n-1)p/100 */
    TG_RULE_OTSU, /**< 256 bins over [0, maximum], largest variance between classes, the first of equals */
    TG_RULE_MEAN_STD, /**< mean + value * population sd */
    TG_RULE_MAX       /**< value * maximum */
} tg_rule;

/** Start from tg_tag_opts_default(). */
typedef struct tg_tag_opts {
    tg_sign sign; /**< which side of the map counts; positive by default */
    double
        sigma_px; /**< Gaussian smoothing of the score, 0 = off; radius ceil(3 sigma), edges reflected */
    tg_rule rule;
    double value; /**< parameter of the rule */
    double
        floor; /**< per-image rules: an image whose highest score is not above it stays blank; 0.05 */
    size_t open_px, close_px; /**< radius of the disc of opening and closing, 0 = off */
    int connectivity;         /**< 4 or 8 */
    size_t min_area_px;       /**< regions smaller than that go; at 256 px a side it is 16 */
} tg_tag_opts;

/** Positive side, no smoothing, fixed 0.1, floor 0.05, no morphology, 8 neighbours, regions of 1 px and more. */
tg_tag_opts tg_tag_opts_default(void);

/** Reads `fixed:0.1`, `pct:95`, `otsu`, `meanstd:2` or `max:0.2` into rule and value.
 *  \return TG_ERR_ARGUMENT, naming the text, when it is none of them or its number is out of range. */
tg_status tg_tag_rule_parse(const char *text, tg_tag_opts *opts) TG_MUST_CHECK;

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
    double
        threshold; /**< that was used: the mask, before morphology, is where the score is above it */
    double max_score; /**< after smoothing */
    uint32_t *labels; /**< [height_px, width_px], 0 outside, i + 1 inside regions[i]; owned */
} tg_tags;

/** Runs all steps on one map (disease positive, any finite values). Deterministic.
 *  \return TG_ERR_SHAPE for a map without pixels, TG_ERR_NUMERIC for one that is not finite, TG_ERR_ARGUMENT for options
 *  out of range. */
tg_status tg_tag_map(const tg_image *map, const tg_tag_opts *opts, tg_tags *out) TG_MUST_CHECK;

/** Tags of a mask that was made elsewhere: its connected parts, those under min_area_px dropped, scored by \p score
 *  (same size, or NULL: every region scores 1). Threshold is 0. */
tg_status tg_tag_mask(const tg_mask *mask, const tg_image *score, const tg_tag_opts *opts,
                      tg_tags *out) TG_MUST_CHECK;

/** Frees what is inside and empties the struct; harmless on {0}. */
void tg_tags_release(tg_tags *tags);

/** The score image of step 1 and 2 (sign and smoothing), for measures that need no threshold. */
tg_status tg_tag_score(const tg_image *map, const tg_tag_opts *opts, tg_image *out) TG_MUST_CHECK;

/** Smallest threshold, 0 or more, at which this (healthy) map stays blank: its `t_i`. The rule in opts is ignored. */
tg_status tg_tag_blank_threshold(const tg_image *map, const tg_tag_opts *opts,
                                 double *threshold) TG_MUST_CHECK;

/** q-quantile (0..1, linear interpolation) of the n values; NaN when there are none. */
double tg_quantile(const double *values, size_t n, double q);

/** What a threshold on healthy images promises. */
typedef enum tg_calibrate {
    TG_CALIBRATE_IMAGES, /**< `healthy:q`: a share of at least q of the images stays blank */
    TG_CALIBRATE_PIXELS /**< `healthy-px:q`: a share of at least q of all pixels stays unmarked (keeps 4 bytes a pixel) */
} tg_calibrate;

/** Collects maps of held-out healthy images, then answers with thresholds. */
typedef struct tg_calibration tg_calibration;

tg_status tg_calibration_new(tg_calibrate kind, const tg_tag_opts *opts,
                             tg_calibration **out) TG_MUST_CHECK;
/** Adds the map of one healthy image; the map is not kept. */
tg_status tg_calibration_add(tg_calibration *calibration, const tg_image *map) TG_MUST_CHECK;
/** The smallest threshold that was seen (a t_i, or a pixel's score) for which the promise holds on the maps added, so it
 *  holds by construction and not only up to interpolation. 0 <= q <= 1; TG_ERR_ARGUMENT when nothing was added. */
tg_status tg_calibration_threshold(tg_calibration *calibration, double q,
                                   double *threshold) TG_MUST_CHECK;
size_t tg_calibration_n_images(const tg_calibration *calibration);
void tg_calibration_free(tg_calibration *calibration);

/** Draws what a reader looks at: the grey image, the mask tinted 30 % red with a full red contour (inner edge, one pixel),
 *  boxes of the truth blue, boxes of the tags green on top.
 *  \param grey   the image; [-1,1] is black to white
 *  \param tags   same size, or NULL
 *  \param truth  n_truth boxes in pixels of the image, or NULL
 *  \param rgb    [height_px, width_px, 3] bytes, overwritten
 *  \return TG_ERR_SHAPE when the sizes differ. A blank mask leaves the image as it is. */
tg_status tg_overlay_draw(const tg_image *grey, const tg_tags *tags, const tg_box *truth,
                          size_t n_truth, uint8_t *rgb) TG_MUST_CHECK;

typedef enum tg_ramp {
    TG_RAMP_GREY,          /**< 128 + 127 M / range in all three channels */
    TG_RAMP_BLUE_WHITE_RED /**< negative blue, zero white, positive red */
} tg_ramp;

/** A map as a picture on a scale that is the same for every image of a run: -range to range, values outside clamped.
 *  Never scaled to the image's own extremes: that would make healthy maps look ill.
 *  \param range  above 0, in units of the map; 1 is customary
 *  \param rgb    [height_px, width_px, 3] bytes, overwritten */
tg_status tg_map_draw(const tg_image *map, double range, tg_ramp ramp, uint8_t *rgb) TG_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif

/* tag.h -- the steps of the constraint function, for one another, for eval and for their tests. */
#ifndef TGI_TAG_TAG_H
#define TGI_TAG_TAG_H

#include "base/status.h"
#include <taggan/tag.h>

/* TG_ERR_SHAPE, TG_ERR_NUMERIC or TG_ERR_ARGUMENT when a map or the options cannot be used. */
tg_status tgi_tag_check(const tg_image *map, const tg_tag_opts *opts) TG_MUST_CHECK;

/* Gaussian blur in place: radius ceil(3 sigma), half-sample reflection at the edges (b a | a b c |
 * c b). */
tg_status tgi_image_blur(tg_image *image, double sigma_px) TG_MUST_CHECK;

/* The bin that Otsu's rule picks: mask = bin > k. *variance (may be NULL) is w0 w1 (mu0 - mu1)^2
 * there, in bins. */
size_t tgi_otsu(const size_t *histogram, size_t n_bins, double *variance);

/* The threshold of a rule on n scores of 0 or more; the floor is not applied here. */
tg_status tgi_threshold(const float *scores, size_t n, tg_rule rule, double value,
                        double *threshold) TG_MUST_CHECK;

/* A mask of that size, all zero. */
tg_status tgi_mask_new(size_t width_px, size_t height_px, tg_mask *out) TG_MUST_CHECK;

/* In place, with the disc dx^2 + dy^2 <= radius^2. What lies outside the image counts as set when
 * eroding and as unset when dilating, so that opening never adds a pixel, closing never removes
 * one, and edges are not special. */
tg_status tgi_mask_open(tg_mask *mask, size_t radius_px) TG_MUST_CHECK;
tg_status tgi_mask_close(tg_mask *mask, size_t radius_px) TG_MUST_CHECK;

/* Steps 5 and 6: fills regions and labels of tags from tags->mask and clears the parts that are too
 * small from it. score may be NULL. */
tg_status tgi_regions_find(tg_tags *tags, const tg_image *score, int connectivity,
                           size_t min_area_px) TG_MUST_CHECK;

/* Area of the largest connected part; 0 for a blank mask. */
tg_status tgi_largest_part(const tg_mask *mask, int connectivity, size_t *area_px) TG_MUST_CHECK;

#endif

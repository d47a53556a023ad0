/* tag.c -- the constraint function: map -> score -> threshold -> mask -> regions. */
#include "config.h"
#include "tag/tag.h"
#include "base/memory.h"
#include "base/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

tg_tag_opts tg_tag_opts_default(void)
{
    tg_tag_opts opts = {.sign = TG_SIGN_POS,
                        .rule = TG_RULE_FIXED,
                        .value = 0.1,
                        .floor = 0.05,
                        .connectivity = 8,
                        .min_area_px = 1};

    return opts;
}

void tg_tags_release(tg_tags *tags)
{
    tg_mask_release(&tags->mask);
    free(tags->regions);
    free(tags->labels);
    *tags = (tg_tags){0};
}

/* Steps 3 and 4 at a given threshold. */
static tg_status mask_at(const tg_image *score, double threshold, const tg_tag_opts *opts,
                         tg_mask *mask)
{
    tg_status status = TG_OK;
    size_t n = score->width_px * score->height_px;

    for (size_t i = 0; i < n; i++)
        mask->pixels[i] = score->pixels[i] > threshold;
    TG_TRY(tgi_mask_open(mask, opts->open_px));
    TG_TRY(tgi_mask_close(mask, opts->close_px));
cleanup:
    return status;
}

static float highest_of(const tg_image *score)
{
    float highest = score->pixels[0];

    for (size_t i = 1; i < score->width_px * score->height_px; i++)
        highest = score->pixels[i] > highest ? score->pixels[i] : highest;
    return highest;
}

tg_status tg_tag_map(const tg_image *map, const tg_tag_opts *opts, tg_tags *out)
{
    tg_status status = TG_OK;
    tg_image score = {0};
    tg_tags tags = {0};

    *out = tags;
    TG_TRY(tg_tag_score(map, opts, &score));
    TG_TRY(tgi_mask_new(map->width_px, map->height_px, &tags.mask));
    tags.max_score = highest_of(&score);
    TG_TRY(tgi_threshold(score.pixels, map->width_px * map->height_px, opts->rule, opts->value,
                         &tags.threshold));
    /* A rule that looks at one image alone always fires, on healthy ones too: the floor keeps those
     * blank. */
    if (opts->rule != TG_RULE_FIXED && tags.max_score <= opts->floor)
        tags.threshold = opts->floor;
    TG_TRY(mask_at(&score, tags.threshold, opts, &tags.mask));
    TG_TRY(tgi_regions_find(&tags, &score, opts->connectivity, opts->min_area_px));
    *out = tags;
    tags = (tg_tags){0};
cleanup:
    tg_tags_release(&tags);
    tg_image_release(&score);
    return status;
}

tg_status tg_tag_mask(const tg_mask *mask, const tg_image *score, const tg_tag_opts *opts,
                      tg_tags *out)
{
    tg_status status = TG_OK;
    size_t n = mask->width_px * mask->height_px;
    tg_tags tags = {0};

    *out = tags;
    if (!n || !mask->pixels)
        return tg_fail(TG_ERR_SHAPE, "tag: the mask has no pixels");
    if (score && (score->width_px != mask->width_px || score->height_px != mask->height_px))
        return tg_fail(TG_ERR_SHAPE, "tag: a mask of %zu x %zu with a score of %zu x %zu pixels",
                       mask->width_px, mask->height_px, score->width_px, score->height_px);
    if (opts->connectivity != 4 && opts->connectivity != 8)
        return tg_fail(TG_ERR_ARGUMENT, "tag: connectivity is 4 or 8, not %d", opts->connectivity);
    TG_TRY(tgi_mask_new(mask->width_px, mask->height_px, &tags.mask));
    for (size_t i = 0; i < n; i++)
        tags.mask.pixels[i] = mask->pixels[i] != 0;
    tags.max_score = score ? highest_of(score) : 1;
    TG_TRY(tgi_regions_find(&tags, score, opts->connectivity, opts->min_area_px));
    *out = tags;
    tags = (tg_tags){0};
cleanup:
    tg_tags_release(&tags);
    return status;
}

static tg_status is_blank_at(const tg_image *score, double threshold, const tg_tag_opts *opts,
                             tg_mask *mask, int *is_blank)
{
    tg_status status = TG_OK;
    size_t area_px;

    TG_TRY(mask_at(score, threshold, opts, mask));
    TG_TRY(tgi_largest_part(mask, opts->connectivity, &area_px));
    *is_blank = area_px == 0 || area_px < opts->min_area_px;
cleanup:
    return status;
}

/* The mask shrinks as the threshold grows, and so do its opening, its closing and its largest part:
 * bisection over the scores that occur finds the smallest threshold that leaves it blank. */
tg_status tg_tag_blank_threshold(const tg_image *map, const tg_tag_opts *opts, double *threshold)
{
    tg_status status = TG_OK;
    size_t n = map->width_px * map->height_px, low = 0, high = n;
    tg_image score = {0};
    tg_mask mask = {0};
    float *sorted = NULL;
    int is_blank;

    TG_TRY(tg_tag_score(map, opts, &score));
    *threshold = highest_of(&score);
    if (opts->min_area_px <= 1 && !opts->open_px)
        goto cleanup;
    TG_TRY(tgi_mask_new(map->width_px, map->height_px, &mask));
    TG_TRY(is_blank_at(&score, 0, opts, &mask, &is_blank));
    if (is_blank) {
        *threshold = 0;
        goto cleanup;
    }
    TG_TRY(tgi_alloc(n, sizeof *sorted, &sorted));
    memcpy(sorted, score.pixels, n * sizeof *sorted);
    TG_TRY(tgi_sort_floats(sorted, n));
    high = n - 1; /* at the highest score the mask is empty */
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        TG_TRY(is_blank_at(&score, sorted[middle], opts, &mask, &is_blank));
        if (is_blank)
            high = middle;
        else
            low = middle + 1;
    }
    *threshold = sorted[high];
cleanup:
    free(sorted);
    tg_mask_release(&mask);
    tg_image_release(&score);
    return status;
}

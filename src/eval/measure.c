/* measure.c -- the measures of one image: masks, boxes under both protocols, correlation, the
 * pointing game. */
#include "config.h"
#include "base/memory.h"
#include "base/sort.h"
#include "eval/eval.h"
#include "tag/tag.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

const tgi_metric_info tgi_metric_infos[TGI_N_METRICS] = {
#define TG_METRIC(name, over) {#name, TGI_##over},
#include "eval/metrics.def"
#undef TG_METRIC
};

/* Where the numbers of raw and of oracle-refined tags go. */
typedef struct variant {
    tgi_metric dice, iou, poi, dice_micro, iou_micro, poi_micro;
    tgi_metric iou_boxes, poi_boxes, iou_boxes_micro, poi_boxes_micro;
    tgi_metric iou_unequal, poi_unequal, poi_unequal_micro, iou_equal, poi_equal, poi_equal_micro;
} variant;

#define VARIANT(end)                                                                               \
    {                                                                                              \
        TGI_M_dice##end, TGI_M_iou##end, TGI_M_poi##end, TGI_M_dice_micro##end,                    \
            TGI_M_iou_micro##end, TGI_M_poi_micro##end, TGI_M_iou_boxes##end,                      \
            TGI_M_poi_boxes##end, TGI_M_iou_boxes_micro##end, TGI_M_poi_boxes_micro##end,          \
            TGI_M_iou_unequal##end, TGI_M_poi_unequal##end, TGI_M_poi_unequal_micro##end,          \
            TGI_M_iou_equal##end, TGI_M_poi_equal##end, TGI_M_poi_equal_micro##end                 \
    }
static const variant raw = VARIANT(), refined = VARIANT(_refined);

static void put(tgi_cell *cells, tgi_metric metric, double num, double den)
{
    cells[metric] = (tgi_cell){num, den, TGI_VALUED};
}

static double poi_den(const tg_eval_opts *opts, double predicted, double truth)
{
    if (opts->poi_den == TG_POI_PRED)
        return predicted;
    return opts->poi_den == TG_POI_GT ? truth : fmin(predicted, truth);
}

/* The share inside the truth, and what an empty side makes of it. Returns a cell, because emptiness
 * may be skipped. */
static tgi_cell poi_cell(const tg_eval_opts *opts, double both, double predicted, double truth)
{
    double den = poi_den(opts, predicted, truth);

    if (predicted == 0 && truth == 0)
        return (tgi_cell){1, 1, TGI_VALUED};
    if (predicted == 0 && opts->empty == TG_EMPTY_SKIP)
        return (tgi_cell){0, 0, TGI_SKIPPED};
    return (tgi_cell){den > 0 ? both / den : 0, 1, TGI_VALUED};
}

static void count_masks(const tg_mask *p, const tg_mask *t, double *both, double *n_p, double *n_t)
{
    size_t n = p->width_px * p->height_px, b = 0, i_p = 0, i_t = 0;

    for (size_t i = 0; i < n; i++) {
        b += p->pixels[i] & t->pixels[i];
        i_p += p->pixels[i];
        i_t += t->pixels[i];
    }
    *both = (double)b;
    *n_p = (double)i_p;
    *n_t = (double)i_t;
}

static void fill_boxes(tg_mask *mask, const tgi_box *boxes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (long y = boxes[i].y0; y < boxes[i].y1; y++)
            memset(mask->pixels + (size_t)y * mask->width_px + boxes[i].x0, 1,
                   (size_t)(boxes[i].x1 - boxes[i].x0));
    }
}

static double count_inside(const tg_mask *mask, tgi_box box)
{
    size_t n = 0;

    for (long y = box.y0; y < box.y1; y++) {
        for (long x = box.x0; x < box.x1; x++)
            n += mask->pixels[(size_t)y * mask->width_px + (size_t)x];
    }
    return (double)n;
}

static void measure_masks(const tg_eval_opts *opts, const tg_mask *p, const tg_mask *t,
                          const variant *v, tgi_cell *cells)
{
    double both, n_p, n_t, either;

    count_masks(p, t, &both, &n_p, &n_t);
    either = n_p + n_t - both;
    put(cells, v->dice, either > 0 ? 2 * both / (n_p + n_t) : 1, 1);
    put(cells, v->iou, either > 0 ? both / either : 1, 1);
    cells[v->poi] = poi_cell(opts, both, n_p, n_t);
    put(cells, v->dice_micro, 2 * both, n_p + n_t);
    put(cells, v->iou_micro, both, either);
    put(cells, v->poi_micro, both, poi_den(opts, n_p, n_t));
}

/* The mean of box & T / box over the boxes, which is PoI of either protocol, and its pooled form.
 */
static void measure_poi_of_boxes(const tg_eval_opts *opts, const tgi_box *boxes, size_t n,
                                 const tg_mask *t, double n_t, tgi_cell *mean, tgi_cell *pooled)
{
    double sum = 0, both = 0, den = 0;

    if (!n) {
        *mean = poi_cell(opts, 0, 0, n_t);
        *pooled = (tgi_cell){0, 0, TGI_VALUED};
        return;
    }
    for (size_t i = 0; i < n; i++) {
        double inside = count_inside(t, boxes[i]), area = tgi_box_area(boxes[i]);

        sum += poi_cell(opts, inside, area, n_t).num;
        both += inside;
        den += poi_den(opts, area, n_t);
    }
    *mean = (tgi_cell){sum / (double)n, 1, TGI_VALUED};
    *pooled = (tgi_cell){both, den, TGI_VALUED};
}

static void measure_unequal(const tgi_box *boxes, size_t n, const tgi_target *target, tgi_cell *iou)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double best = 0;

        for (size_t k = 0; k < target->n_boxes; k++)
            best = fmax(best, tgi_box_iou(boxes[i], target->boxes[k]));
        sum += best;
    }
    *iou = (tgi_cell){n ? sum / (double)n : target->n_boxes == 0, 1, TGI_VALUED};
}

/* Changes boxes: they come down to as many as the truth has. */
static tg_status measure_equal(const tg_eval_opts *opts, tgi_box *boxes, size_t *n,
                               const tgi_target *target, tgi_cell *iou)
{
    tg_status status = TG_OK;
    size_t k = target->n_boxes, *match = NULL;
    double *gain = NULL, sum = 0;

    if (!k) {
        *iou = (tgi_cell){*n == 0, 1, TGI_VALUED};
        return TG_OK;
    }
    if (opts->equal == TG_EQUAL_MERGE)
        tgi_boxes_merge(boxes, n, k);
    *n = *n > k ? k : *n; /* the regions come largest first */
    TG_TRY(tgi_alloc(*n * k, sizeof *gain, &gain));
    TG_TRY(tgi_alloc(*n, sizeof *match, &match));
    for (size_t i = 0; i < *n * k; i++)
        gain[i] = tgi_box_iou(boxes[i / k], target->boxes[i % k]);
    TG_TRY(tgi_match(gain, *n, k, match));
    for (size_t i = 0; i < *n; i++)
        sum += match[i] < k ? gain[i * k + match[i]] : 0;
    *iou = (tgi_cell){sum / (double)k, 1, TGI_VALUED};
cleanup:
    free(match);
    free(gain);
    return status;
}

/* Everything that looks at boxes: the union of boxes as masks, and both protocols. */
static tg_status measure_boxes(const tg_eval_opts *opts, const tg_tags *tags, const bool *is_kept,
                               const tgi_target *target, const variant *v, tgi_cell *cells)
{
    tg_status status = TG_OK;
    tg_mask p = {0}, t = {0};
    tgi_box *boxes = NULL;
    size_t n = 0;
    double both, n_p, n_t, either;

    TG_TRY(tgi_mask_new(target->mask.width_px, target->mask.height_px, &p));
    TG_TRY(tgi_mask_new(target->mask.width_px, target->mask.height_px, &t));
    TG_TRY(tgi_alloc(tags->n_regions, sizeof *boxes, &boxes));
    for (size_t i = 0; i < tags->n_regions; i++) {
        const tg_region *r = &tags->regions[i];

        if (!is_kept || is_kept[i])
            boxes[n++] =
                (tgi_box){(long)r->x, (long)r->y, (long)(r->x + r->w), (long)(r->y + r->h)};
    }
    fill_boxes(&p, boxes, n);
    fill_boxes(&t, target->boxes, target->n_boxes);
    count_masks(&p, &t, &both, &n_p, &n_t);
    either = n_p + n_t - both;
    put(cells, v->iou_boxes, either > 0 ? both / either : 1, 1);
    cells[v->poi_boxes] = poi_cell(opts, both, n_p, n_t);
    put(cells, v->iou_boxes_micro, both, either);
    put(cells, v->poi_boxes_micro, both, poi_den(opts, n_p, n_t));
    measure_unequal(boxes, n, target, &cells[v->iou_unequal]);
    measure_poi_of_boxes(opts, boxes, n, &t, n_t, &cells[v->poi_unequal],
                         &cells[v->poi_unequal_micro]);
    TG_TRY(measure_equal(opts, boxes, &n, target, &cells[v->iou_equal]));
    measure_poi_of_boxes(opts, boxes, n, &t, n_t, &cells[v->poi_equal], &cells[v->poi_equal_micro]);
cleanup:
    free(boxes);
    tg_mask_release(&t);
    tg_mask_release(&p);
    return status;
}

static bool is_in_a_box(const tgi_target *target, size_t x, size_t y, size_t tol_px)
{
    long at_x = (long)x, at_y = (long)y, tol = (long)tol_px;

    for (size_t i = 0; i < target->n_boxes; i++) {
        tgi_box b = target->boxes[i];

        if (at_x >= b.x0 - tol && at_x < b.x1 + tol && at_y >= b.y0 - tol && at_y < b.y1 + tol)
            return true;
    }
    return false;
}

/* Keeps the regions that have a pixel in the truth. It reads the truth, so its numbers are an
 * oracle's. */
static tg_status measure_refined(const tg_eval_opts *opts, const tg_tags *tags,
                                 const tgi_target *target, tgi_cell *cells)
{
    tg_status status = TG_OK;
    size_t w = tags->mask.width_px, n = w * tags->mask.height_px;
    tg_mask kept = {0};
    bool *is_kept = NULL;

    TG_TRY(tgi_mask_new(w, tags->mask.height_px, &kept));
    TG_TRY(tgi_alloc(tags->n_regions, sizeof *is_kept, &is_kept));
    for (size_t i = 0; i < n; i++) {
        if (tags->labels[i] &&
            (target->has_own_boxes ? is_in_a_box(target, i % w, i / w, 0) : target->mask.pixels[i]))
            is_kept[tags->labels[i] - 1] = true;
    }
    for (size_t i = 0; i < n; i++)
        kept.pixels[i] = tags->labels[i] && is_kept[tags->labels[i] - 1];
    measure_masks(opts, &kept, &target->mask, &refined, cells);
    TG_TRY(measure_boxes(opts, tags, is_kept, target, &refined, cells));
cleanup:
    free(is_kept);
    tg_mask_release(&kept);
    return status;
}

static tg_status measure_ncc(const tg_image *map, const tgi_target *target, tgi_cell *cell)
{
    tg_status status = TG_OK;
    size_t n = map->width_px * map->height_px;
    float *area = NULL;
    double ncc;
    bool varies;

    if (!target->has_difference && !target->has_area)
        return TG_OK;
    TG_TRY(tgi_alloc(n, sizeof *area, &area));
    for (size_t i = 0; i < n; i++)
        area[i] = target->has_difference ? target->difference.pixels[i] : target->mask.pixels[i];
    varies = tgi_ncc(map->pixels, area, n, &ncc);
    *cell = varies ? (tgi_cell){ncc, 1, TGI_VALUED} : (tgi_cell){0, 0, TGI_SKIPPED};
cleanup:
    free(area);
    return status;
}

static void measure_pointing(const tg_image *score, const tgi_target *target, size_t tol_px,
                             tgi_cell *cell)
{
    size_t w = score->width_px, h = score->height_px, best = 0, x, y;
    bool is_hit = false;

    if (!target->n_boxes)
        return;
    for (size_t i = 1; i < w * h; i++)
        best = score->pixels[i] > score->pixels[best] ? i : best;
    x = best % w;
    y = best / w;
    if (target->has_own_boxes)
        is_hit = is_in_a_box(target, x, y, tol_px);
    for (size_t v = y > tol_px ? y - tol_px : 0; !target->has_own_boxes && v < h && v <= y + tol_px;
         v++) {
        for (size_t u = x > tol_px ? x - tol_px : 0; u < w && u <= x + tol_px; u++)
            is_hit |= target->mask.pixels[v * w + u] != 0;
    }
    *cell = (tgi_cell){is_hit, 1, TGI_VALUED};
}

static tg_status measure_best(const tg_eval_opts *opts, const tg_image *map,
                              const tgi_target *target, tgi_cell *cells)
{
    tg_status status = TG_OK;
    tg_tag_opts at_best = opts->tag;
    tgi_cell other[TGI_N_METRICS] = {{0}};
    tg_tags tags = {0};

    if (!isfinite(opts->best_threshold))
        return TG_OK;
    at_best.rule = TG_RULE_FIXED;
    at_best.value = opts->best_threshold;
    TG_TRY(tg_tag_map(map, &at_best, &tags));
    measure_masks(opts, &tags.mask, &target->mask, &raw, other);
    cells[TGI_M_dice_best] = other[TGI_M_dice];
    cells[TGI_M_iou_best] = other[TGI_M_iou];
cleanup:
    tg_tags_release(&tags);
    return status;
}

static void measure_healthy(const tg_tags *tags, tgi_cell *cells)
{
    size_t n = tags->mask.width_px * tags->mask.height_px, n_marked = 0;

    for (size_t i = 0; i < n; i++)
        n_marked += tags->mask.pixels[i];
    put(cells, TGI_M_blank_rate, n_marked == 0, 1);
    put(cells, TGI_M_healthy_fire, (double)n_marked / (double)n, 1);
}

tg_status tgi_measure(const tg_eval_opts *opts, const tg_image *map, const tg_image *score,
                      const tg_tags *tags, const tgi_target *target, bool is_diseased,
                      tgi_cell cells[TGI_N_METRICS])
{
    tg_status status = TG_OK;

    memset(cells, 0, TGI_N_METRICS * sizeof *cells);
    if (!is_diseased) {
        if (tags)
            measure_healthy(tags, cells);
        return TG_OK;
    }
    TG_TRY(measure_ncc(map, target, &cells[TGI_M_ncc]));
    if (!target->has_area)
        goto cleanup;
    measure_pointing(score, target, opts->tol_px, &cells[TGI_M_pointing]);
    if (!tags)
        goto cleanup;
    measure_masks(opts, &tags->mask, &target->mask, &raw, cells);
    TG_TRY(measure_boxes(opts, tags, NULL, target, &raw, cells));
    TG_TRY(measure_refined(opts, tags, target, cells));
    TG_TRY(measure_best(opts, map, target, cells));
cleanup:
    return status;
}

tg_status tgi_image_score(const tg_image *score, tg_image_score how, double *out)
{
    tg_status status = TG_OK;
    size_t n = score->width_px * score->height_px, n_top = n;
    float *sorted = NULL;
    double sum = 0;

    if (how != TG_IMAGE_MEAN)
        n_top = how == TG_IMAGE_TOP1 && n >= 100 ? n / 100 : 1;
    TG_TRY(tgi_alloc(n, sizeof *sorted, &sorted));
    memcpy(sorted, score->pixels, n * sizeof *sorted);
    if (n_top < n)
        TG_TRY(tgi_sort_floats(sorted, n));
    for (size_t i = n - n_top; i < n; i++)
        sum += sorted[i];
    *out = sum / (double)n_top;
cleanup:
    free(sorted);
    return status;
}

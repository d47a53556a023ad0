/* target.c -- the truth of one image, as one question needs it: an area, boxes, a difference image.
 */
#include "config.h"
#include "base/memory.h"
#include "eval/eval.h"
#include "tag/tag.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

void tgi_target_release(tgi_target *target)
{
    tg_mask_release(&target->mask);
    tg_image_release(&target->difference);
    free(target->boxes);
    *target = (tgi_target){0};
}

static void fill_box(tg_mask *mask, tgi_box box)
{
    for (long y = box.y0; y < box.y1; y++)
        memset(mask->pixels + (size_t)y * mask->width_px + box.x0, 1, (size_t)(box.x1 - box.x0));
}

/* Boxes of the class; has_own_boxes says whether there are any. */
static tg_status take_boxes(const tg_truth *truth, long class_index, tgi_target *t)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_alloc(truth->n_boxes, sizeof *t->boxes, &t->boxes));
    for (size_t i = 0; i < truth->n_boxes; i++) {
        if (class_index < 0 || (size_t)class_index == truth->boxes[i].class_index)
            t->boxes[t->n_boxes++] =
                tgi_box_round(&truth->boxes[i], t->mask.width_px, t->mask.height_px);
    }
    t->has_own_boxes = t->n_boxes > 0;
cleanup:
    return status;
}

static tg_status boxes_of_mask(tgi_target *t)
{
    tg_status status = TG_OK;
    tg_tag_opts opts = tg_tag_opts_default();
    tg_tags tags = {0};

    free(t->boxes);
    t->boxes = NULL;
    t->n_boxes = 0;
    TG_TRY(tg_tag_mask(&t->mask, NULL, &opts, &tags));
    TG_TRY(tgi_alloc(tags.n_regions, sizeof *t->boxes, &t->boxes));
    for (size_t i = 0; i < tags.n_regions; i++) {
        const tg_region *r = &tags.regions[i];

        t->boxes[t->n_boxes++] =
            (tgi_box){(long)r->x, (long)r->y, (long)(r->x + r->w), (long)(r->y + r->h)};
    }
cleanup:
    tg_tags_release(&tags);
    return status;
}

/* Clears from the area and the difference what lies outside the boxes: with several diseases in an
 * image the mask shows all. */
static tg_status keep_inside_boxes(tgi_target *t)
{
    tg_status status = TG_OK;
    tg_mask inside = {0};
    size_t n = t->mask.width_px * t->mask.height_px;

    TG_TRY(tgi_mask_new(t->mask.width_px, t->mask.height_px, &inside));
    for (size_t i = 0; i < t->n_boxes; i++)
        fill_box(&inside, t->boxes[i]);
    for (size_t i = 0; i < n; i++) {
        t->mask.pixels[i] &= inside.pixels[i];
        if (t->has_difference && !inside.pixels[i])
            t->difference.pixels[i] = 0;
    }
cleanup:
    tg_mask_release(&inside);
    return status;
}

tg_status tgi_target_new(const tg_truth *truth, size_t width_px, size_t height_px, bool is_diseased,
                         long class_index, bool has_several, tgi_target *out)
{
    tg_status status = TG_OK;
    tgi_target t = {0};
    size_t n = width_px * height_px;

    *out = t;
    if (!truth || !is_diseased)
        return TG_OK;
    TG_TRY(tgi_mask_new(width_px, height_px, &t.mask));
    if (truth->has_boxes)
        TG_TRY(take_boxes(truth, has_several ? class_index : -1, &t));
    if (truth->has_difference) {
        TG_TRY(tg_image_new(width_px, height_px, &t.difference));
        memcpy(t.difference.pixels, truth->difference.pixels, n * sizeof(float));
        t.has_difference = true;
    }
    t.has_area = truth->has_mask || t.has_own_boxes;
    for (size_t i = 0; truth->has_mask && i < n; i++)
        t.mask.pixels[i] = truth->mask.pixels[i] != 0;
    if (truth->has_mask && has_several && class_index >= 0 && t.has_own_boxes)
        TG_TRY(keep_inside_boxes(&t));
    for (size_t i = 0; !truth->has_mask && i < t.n_boxes; i++)
        fill_box(&t.mask, t.boxes[i]);
    if (truth->has_mask && !t.has_own_boxes)
        TG_TRY(boxes_of_mask(&t));
    *out = t;
    t = (tgi_target){0};
cleanup:
    tgi_target_release(&t);
    return status;
}

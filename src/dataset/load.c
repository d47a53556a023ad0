/* load.c -- pixels and truth of one sample, read or drawn, at the size that is asked for. */
#include "config.h"
#include "dataset/dataset.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

void tg_truth_release(tg_truth *truth)
{
    tg_mask_release(&truth->mask);
    tg_image_release(&truth->difference);
    free(truth->boxes);
    *truth = (tg_truth){0};
}

static tg_status draw(const tg_dataset *set, const tgi_record *r, unsigned what, size_t size_px,
                      tgi_drawn *out)
{
    if (set->origin == TGI_ORIGIN_PHANTOM)
        return tgi_phantom_draw(set->seed, r->index, what, size_px, out);
    return tgi_vagan_draw(set->seed, r->index, r->is_diseased, (int)what, &set->vagan, size_px,
                          out);
}

/* Boxes of a drawn image: the parts of the mask of each of its classes, drawn alone when there are
 * several. */
static tg_status box_drawn(const tg_dataset *set, size_t i, size_t size_px, tg_truth *truth)
{
    tg_status status = TG_OK;
    const tgi_record *r = &set->records[i];
    const float *labels = set->labels + i * set->n_classes;
    size_t n_present = 0;

    for (size_t k = 0; k < set->n_classes; k++)
        n_present += labels[k] > 0;
    for (size_t k = 0; k < set->n_classes; k++) {
        tgi_drawn alone = {0};

        if (!(labels[k] > 0))
            continue;
        if (n_present > 1)
            TG_TRY(draw(set, r, set->class_bits[k], size_px, &alone));
        status = tgi_boxes_of_mask(n_present > 1 ? &alone.mask : &truth->mask, k, truth);
        tgi_drawn_release(&alone);
        TG_TRY(status);
    }
cleanup:
    return status;
}

static tg_status read_drawn(const tg_dataset *set, size_t i, size_t size_px, tg_image *image,
                            tg_truth *truth)
{
    tg_status status = TG_OK;
    const tgi_record *r = &set->records[i];
    tgi_drawn drawn = {0};

    if (!size_px)
        size_px = set->size_px;
    TG_TRY(draw(set, r, r->drawing, size_px, &drawn));
    if (truth) {
        truth->has_mask = truth->has_difference = truth->has_boxes = true;
        truth->mask = drawn.mask;
        truth->difference = drawn.difference;
        drawn.mask = (tg_mask){0};
        drawn.difference = (tg_image){0};
        TG_TRY(box_drawn(set, i, size_px, truth));
    }
    if (image) {
        *image = drawn.image;
        drawn.image = (tg_image){0};
    }
cleanup:
    tgi_drawn_release(&drawn);
    return status;
}

static tg_status read_file(const tgi_record *r, size_t size_px, tg_image *out)
{
    tg_status status = TG_OK;
    tg_image image;

    if (!size_px)
        return tg_image_load(r->file, out);
    TG_TRY(tg_image_load(r->file, &image));
    status = tg_image_resize(&image, size_px, size_px, out);
    tg_image_release(&image);
cleanup:
    return status;
}

/* "ROOT/folder/NAME.png" when it is there, else NULL. */
static tg_status find_truth_file(const char *root, const char *folder, const char *name,
                                 size_t n_name, char **out)
{
    tg_status status = TG_OK;
    char *below = NULL, *path = NULL;

    *out = NULL;
    TG_TRY(tgi_printf(&below, "%s/%.*s.png", folder, (int)n_name, name));
    TG_TRY(tgi_path_join(root, below, &path));
    if (tgi_is_file(path)) {
        *out = path;
        path = NULL;
    }
cleanup:
    free(below);
    free(path);
    return status;
}

/* Where masks lie: by the unique name, and SPLIT/masks by the base name when no other image there
 * has it. */
static tg_status find_mask(const tg_dataset *set, const tgi_record *r, char **out)
{
    static const char *const folders[] = {"masks", "masks/lesion"};
    static const char *const split_folders[] = {"train/masks", "val/masks", "test/masks"};
    tg_status status = TG_OK;
    const char *base = tgi_path_name(r->path);
    size_t n_name = 0;

    *out = NULL;
    while (r->name[n_name])
        n_name++;
    for (size_t k = 0; k < TG_COUNT(folders) && !*out; k++)
        TG_TRY(find_truth_file(set->root, folders[k], r->name, n_name, out));
    if (!*out && r->has_own_base)
        TG_TRY(find_truth_file(set->root, split_folders[r->split], base, tgi_stem_size(base), out));
cleanup:
    return status;
}

static tg_status blank_mask(size_t width_px, size_t height_px, tg_mask *out)
{
    *out = (tg_mask){width_px, height_px, NULL};
    return tgi_alloc(width_px * height_px, 1, &out->pixels);
}

/* Everything that one of the files marks. */
static tg_status join_masks(const tgi_record *r, tg_mask *out)
{
    tg_status status = TG_OK;
    tg_mask mask = {0};

    TG_TRY(tg_mask_load(r->masks[0], out));
    for (size_t k = 1; k < r->n_masks; k++) {
        TG_TRY(tg_mask_load(r->masks[k], &mask));
        if (mask.width_px != out->width_px || mask.height_px != out->height_px) {
            status =
                tg_fail(TG_ERR_FORMAT, "cannot join '%s', %zu x %zu pixels, to masks of %zu x %zu",
                        r->masks[k], mask.width_px, mask.height_px, out->width_px, out->height_px);
            goto cleanup;
        }
        for (size_t p = 0; p < mask.width_px * mask.height_px; p++)
            out->pixels[p] |= mask.pixels[p];
        tg_mask_release(&mask);
    }
cleanup:
    tg_mask_release(&mask);
    return status;
}

static tg_status read_mask(const tg_dataset *set, const tgi_record *r, size_t width_px,
                           size_t height_px, tg_truth *truth)
{
    tg_status status = TG_OK;
    char *path = NULL;
    tg_mask mask = {0};

    if (!r->n_masks)
        TG_TRY(find_mask(set, r, &path));
    if (r->n_masks || path) {
        if (r->n_masks)
            TG_TRY(join_masks(r, &mask));
        else
            TG_TRY(tg_mask_load(path, &mask));
        TG_TRY(tg_mask_resize(&mask, width_px, height_px, &truth->mask));
        truth->has_mask = true;
    } else if (!r->is_diseased) {
        TG_TRY(blank_mask(width_px, height_px, &truth->mask));
        truth->has_mask = true;
    }
cleanup:
    tg_mask_release(&mask);
    free(path);
    return status;
}

static tg_status read_difference(const tg_dataset *set, const tgi_record *r, size_t width_px,
                                 size_t height_px, tg_truth *truth)
{
    tg_status status = TG_OK;
    char *path = NULL;
    tg_image map = {0};
    size_t n_name = 0;

    while (r->name[n_name])
        n_name++;
    TG_TRY(find_truth_file(set->root, "truth", r->name, n_name, &path));
    if (path) {
        TG_TRY(tg_map_load(path, &map));
        TG_TRY(tg_image_resize(&map, width_px, height_px, &truth->difference));
        truth->has_difference = true;
    } else if (!r->is_diseased) {
        TG_TRY(tg_image_new(width_px, height_px, &truth->difference));
        truth->has_difference = true;
    }
cleanup:
    tg_image_release(&map);
    free(path);
    return status;
}

static tg_status read_boxes(const tgi_record *r, const tg_image *stored, size_t width_px,
                            size_t height_px, tg_truth *truth)
{
    tg_status status = TG_OK;
    /* The table of boxes says what it was drawn on; where it does not, it was the file. */
    const double from_w = r->boxes_width_px > 0 ? r->boxes_width_px : (double)stored->width_px;
    const double from_h = r->boxes_height_px > 0 ? r->boxes_height_px : (double)stored->height_px;
    const double sx = (double)width_px / from_w, sy = (double)height_px / from_h;

    TG_TRY(tgi_alloc(r->n_boxes, sizeof *truth->boxes, &truth->boxes));
    for (size_t k = 0; k < r->n_boxes; k++) {
        const tg_box *b = &r->boxes[k];

        truth->boxes[k] = (tg_box){b->x * sx, b->y * sy, b->w * sx, b->h * sy, b->class_index};
    }
    truth->n_boxes = r->n_boxes;
    truth->has_boxes = true;
cleanup:
    return status;
}

static tg_status read_truth(const tg_dataset *set, const tgi_record *r, size_t size_px,
                            tg_truth *truth)
{
    tg_status status = TG_OK;
    const bool wants_boxes = set->has_boxes && (r->n_boxes || !r->is_diseased);
    size_t width_px = size_px, height_px = size_px;
    tg_image stored = {0};

    if (!set->has_masks && !set->has_differences && !wants_boxes)
        return TG_OK;
    if (!size_px ||
        (wants_boxes && r->n_boxes && !(r->boxes_width_px > 0 && r->boxes_height_px > 0)))
        TG_TRY(tg_image_load(r->file, &stored));
    if (!size_px) {
        width_px = stored.width_px;
        height_px = stored.height_px;
    }
    if (set->has_masks)
        TG_TRY(read_mask(set, r, width_px, height_px, truth));
    if (set->has_differences)
        TG_TRY(read_difference(set, r, width_px, height_px, truth));
    if (wants_boxes)
        TG_TRY(read_boxes(r, &stored, width_px, height_px, truth));
cleanup:
    tg_image_release(&stored);
    return status;
}

tg_status tgi_dataset_read(const tg_dataset *set, size_t i, size_t size_px, tg_image *image,
                           tg_truth *truth)
{
    tg_status status = TG_OK;

    if (image)
        *image = (tg_image){0};
    if (truth)
        *truth = (tg_truth){0};
    if (i >= set->n_records)
        return tg_fail(TG_ERR_ARGUMENT, "cannot read sample %zu of '%s': it has %zu", i, set->spec,
                       set->n_records);
    if (set->origin != TGI_ORIGIN_FILES) {
        TG_TRY(read_drawn(set, i, size_px, image, truth));
    } else {
        if (image)
            TG_TRY(read_file(&set->records[i], size_px, image));
        if (truth)
            TG_TRY(read_truth(set, &set->records[i], size_px, truth));
    }
    return TG_OK;
cleanup:
    if (image)
        tg_image_release(image);
    if (truth)
        tg_truth_release(truth);
    return status;
}

tg_status tg_dataset_load(const tg_dataset *set, size_t i, size_t size_px, tg_image *out)
{
    return tgi_dataset_read(set, i, size_px, out, NULL);
}

tg_status tg_dataset_truth(const tg_dataset *set, size_t i, size_t size_px, tg_truth *out)
{
    return tgi_dataset_read(set, i, size_px, NULL, out);
}

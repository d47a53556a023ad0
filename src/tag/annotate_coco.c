/* annotate_coco.c -- COCO's detection format: images, annotations with boxes and run-length masks,
 * categories. Masks are uncompressed run lengths, {"size":[h,w],"counts":[...]}, which pycocotools
 * takes through frPyObjects. */
#include "config.h"
#include "tag/annotate.h"

#include <stdlib.h>

#include "base/banned.h"

static json_t *run_lengths(const tgi_annotated *image, const tgi_annotation *item)
{
    json_t *counts = json_array();

    for (size_t i = 0; i < item->n_counts; i++)
        json_array_append_new(counts, json_integer((json_int_t)item->counts[i]));
    return json_pack("{s:[I,I],s:o}", "size", (json_int_t)image->height_px,
                     (json_int_t)image->width_px, "counts", counts);
}

static json_t *one_annotation(const tgi_annotated *image, const tgi_annotation *item, size_t id,
                              size_t image_id)
{
    const tg_region *r = &item->region;

    return json_pack("{s:I,s:I,s:I,s:[I,I,I,I],s:I,s:i,s:f,s:o}", "id", (json_int_t)id, "image_id",
                     (json_int_t)image_id, "category_id", (json_int_t)item->class_index + 1, "bbox",
                     (json_int_t)r->x, (json_int_t)r->y, (json_int_t)r->w, (json_int_t)r->h, "area",
                     (json_int_t)r->area_px, "iscrowd", 0, "score", r->score, "segmentation",
                     run_lengths(image, item));
}

tg_status tgi_annotate_coco(const tg_annotations *a)
{
    tg_status status = TG_OK;
    json_t *root = json_object(), *images = json_array(), *annotations = json_array(),
           *categories = json_array();
    tgi_text path = {0};
    size_t id = 0;
    int failed = 0;

    for (size_t i = 0; i < a->n_images; i++) {
        const tgi_annotated *image = &a->images[i];

        failed |= json_array_append_new(
            images, json_pack("{s:I,s:s,s:I,s:I}", "id", (json_int_t)i + 1, "file_name",
                              image->file, "width", (json_int_t)image->width_px, "height",
                              (json_int_t)image->height_px));
        for (size_t j = 0; j < image->n_items; j++)
            failed |= json_array_append_new(annotations,
                                            one_annotation(image, &image->items[j], ++id, i + 1));
    }
    for (size_t k = 0; k < a->n_classes; k++)
        failed |= json_array_append_new(categories,
                                        json_pack("{s:I,s:s,s:s}", "id", (json_int_t)k + 1, "name",
                                                  a->classes[k], "supercategory", "disease"));
    failed |=
        json_object_set_new(root, "info", json_pack("{s:s}", "description", "tagged by taggan"));
    failed |= json_object_set(root, "images", images);
    failed |= json_object_set(root, "annotations", annotations);
    failed |= json_object_set(root, "categories", categories);
    if (failed) {
        status = tg_fail(TG_ERR_MEMORY, "out of memory for COCO annotations");
        goto cleanup;
    }
    TG_TRY(tgi_text_add(&path, "%s/annotations.json", a->folder));
    TG_TRY(tgi_json_save(path.data, root));
cleanup:
    tgi_text_release(&path);
    json_decref(images);
    json_decref(annotations);
    json_decref(categories);
    json_decref(root);
    return status;
}

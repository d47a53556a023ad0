/* annotate_labelstudio.c -- Label Studio: a list of tasks, each with one prediction made of
 * rectangles in percent. They fit a labelling page with <Image name="image"/> and <RectangleLabels
 * name="label" toName="image">. */
#include "config.h"
#include "tag/annotate.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/banned.h"

static json_t *one_result(const tg_annotations *a, const tgi_annotated *image, size_t j)
{
    const tgi_annotation *item = &image->items[j];
    const tg_region *r = &item->region;
    double w = (double)image->width_px, h = (double)image->height_px;
    char id[32];

    snprintf(id, sizeof id, "region%zu", j + 1);
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:i,s:f,s:{s:f,s:f,s:f,s:f,s:i,s:[s]}}", "id", id,
                     "type", "rectanglelabels", "from_name", "label", "to_name", "image",
                     "original_width", (json_int_t)image->width_px, "original_height",
                     (json_int_t)image->height_px, "image_rotation", 0, "score", r->score, "value",
                     "x", 100 * (double)r->x / w, "y", 100 * (double)r->y / h, "width",
                     100 * (double)r->w / w, "height", 100 * (double)r->h / h, "rotation", 0,
                     "rectanglelabels", a->classes[item->class_index]);
}

static json_t *one_task(const tg_annotations *a, const tgi_annotated *image)
{
    json_t *results = json_array();
    double best = 0;

    for (size_t j = 0; j < image->n_items; j++) {
        best = image->items[j].region.score > best ? image->items[j].region.score : best;
        if (json_array_append_new(results, one_result(a, image, j))) {
            json_decref(results);
            return NULL;
        }
    }
    return json_pack("{s:{s:s},s:[{s:s,s:f,s:o}]}", "data", "image", image->file, "predictions",
                     "model_version", "taggan", "score", best, "result", results);
}

tg_status tgi_annotate_labelstudio(const tg_annotations *a)
{
    tg_status status = TG_OK;
    json_t *tasks = json_array();
    tgi_text path = {0};

    for (size_t i = 0; i < a->n_images; i++) {
        if (json_array_append_new(tasks, one_task(a, &a->images[i]))) {
            status = tg_fail(TG_ERR_MEMORY, "out of memory for Label Studio's tasks");
            goto cleanup;
        }
    }
    TG_TRY(tgi_text_add(&path, "%s/labelstudio.json", a->folder));
    TG_TRY(tgi_json_save(path.data, tasks));
cleanup:
    tgi_text_release(&path);
    json_decref(tasks);
    return status;
}

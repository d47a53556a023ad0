/* annotate_yolo.c -- YOLO: a text file an image, "class x_centre y_centre width height" as shares
 * of the image's sides, and classes.txt. An image without regions has an empty file, which says so.
 */
#include "config.h"
#include "tag/annotate.h"

#include <stdlib.h>

#include "base/banned.h"

static tg_status add_line(tgi_text *text, const tgi_annotated *image, const tgi_annotation *item)
{
    tg_status status = TG_OK;
    const tg_region *r = &item->region;
    double w = (double)image->width_px, h = (double)image->height_px;
    double shares[4] = {((double)r->x + (double)r->w / 2) / w,
                        ((double)r->y + (double)r->h / 2) / h, (double)r->w / w, (double)r->h / h};

    TG_TRY(tgi_text_add(text, "%zu", item->class_index));
    for (size_t i = 0; i < TG_COUNT(shares); i++) {
        TG_TRY(tgi_text_add(text, " "));
        TG_TRY(tgi_text_add_fixed(text, shares[i], 6));
    }
    TG_TRY(tgi_text_add(text, "\n"));
cleanup:
    return status;
}

tg_status tgi_annotate_yolo(const tg_annotations *a)
{
    tg_status status = TG_OK;
    char *folder = NULL;
    tgi_text text = {0};

    TG_TRY(tgi_annotate_folder(a, "yolo", &folder));
    for (size_t i = 0; i < a->n_images; i++) {
        text.size = 0;
        for (size_t j = 0; j < a->images[i].n_items; j++)
            TG_TRY(add_line(&text, &a->images[i], &a->images[i].items[j]));
        TG_TRY(tgi_annotate_write(folder, a->images[i].name, ".txt", &text));
    }
    text.size = 0;
    for (size_t k = 0; k < a->n_classes; k++)
        TG_TRY(tgi_text_add(&text, "%s\n", a->classes[k]));
    TG_TRY(tgi_annotate_write(folder, "classes", ".txt", &text));
cleanup:
    tgi_text_release(&text);
    free(folder);
    return status;
}

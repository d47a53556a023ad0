/* annotate_voc.c -- Pascal VOC: an XML file an image. Corners count from 1 and are inclusive, as in
 * the original. */
#include "config.h"
#include "tag/annotate.h"
#include "base/file.h"

#include <stdlib.h>

#include "base/banned.h"

/* Text between tags; control characters have no place in XML 1.0. */
static tg_status add_escaped(tgi_text *xml, const char *s)
{
    tg_status status = TG_OK;

    for (; *s; s++) {
        switch (*s) {
        case '&':
            TG_TRY(tgi_text_add(xml, "&amp;"));
            break;
        case '<':
            TG_TRY(tgi_text_add(xml, "&lt;"));
            break;
        case '>':
            TG_TRY(tgi_text_add(xml, "&gt;"));
            break;
        case '"':
            TG_TRY(tgi_text_add(xml, "&quot;"));
            break;
        default:
            TG_TRY(tgi_text_add(xml, "%c", (unsigned char)*s < 0x20 ? '?' : *s));
        }
    }
cleanup:
    return status;
}

static tg_status add_object(tgi_text *xml, const char *class_name, const tg_region *r)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_text_add(xml, "  <object>\n    <name>"));
    TG_TRY(add_escaped(xml, class_name));
    TG_TRY(tgi_text_add(xml, "</name>\n    <pose>Unspecified</pose>\n    <truncated>0</truncated>\n"
                             "    <difficult>0</difficult>\n    <score>"));
    TG_TRY(tgi_text_add_fixed(xml, r->score, 6));
    TG_TRY(
        tgi_text_add(xml,
                     "</score>\n    <bndbox>\n      <xmin>%zu</xmin>\n      <ymin>%zu</ymin>\n"
                     "      <xmax>%zu</xmax>\n      <ymax>%zu</ymax>\n    </bndbox>\n  </object>\n",
                     r->x + 1, r->y + 1, r->x + r->w, r->y + r->h));
cleanup:
    return status;
}

static tg_status add_image(tgi_text *xml, const tg_annotations *a, const tgi_annotated *image)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_text_add(xml, "<annotation>\n  <filename>"));
    TG_TRY(add_escaped(xml, tgi_path_name(image->file)));
    TG_TRY(tgi_text_add(xml, "</filename>\n  <path>"));
    TG_TRY(add_escaped(xml, image->file));
    TG_TRY(tgi_text_add(
        xml,
        "</path>\n  <source>\n    <database>taggan</database>\n  </source>\n  <size>\n"
        "    <width>%zu</width>\n    <height>%zu</height>\n    <depth>1</depth>\n  </size>\n"
        "  <segmented>0</segmented>\n",
        image->width_px, image->height_px));
    for (size_t j = 0; j < image->n_items; j++)
        TG_TRY(add_object(xml, a->classes[image->items[j].class_index], &image->items[j].region));
    TG_TRY(tgi_text_add(xml, "</annotation>\n"));
cleanup:
    return status;
}

tg_status tgi_annotate_voc(const tg_annotations *a)
{
    tg_status status = TG_OK;
    char *folder = NULL;
    tgi_text xml = {0};

    TG_TRY(tgi_annotate_folder(a, "voc", &folder));
    for (size_t i = 0; i < a->n_images; i++) {
        xml.size = 0;
        TG_TRY(add_image(&xml, a, &a->images[i]));
        TG_TRY(tgi_annotate_write(folder, a->images[i].name, ".xml", &xml));
    }
cleanup:
    tgi_text_release(&xml);
    free(folder);
    return status;
}

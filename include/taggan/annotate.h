/** \file taggan/annotate.h
 *  Tags as files that annotation tools open: COCO, Pascal VOC, YOLO, Label Studio, and a plain table.
 *  Add images in the order they shall stand in; nothing is written before tg_annotations_finish(), each file appears by rename,
 *  and the same additions give the same bytes.
 */
#ifndef TAGGAN_ANNOTATE_H
#define TAGGAN_ANNOTATE_H

#include <taggan/status.h>
#include <taggan/tag.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Formats, to be combined with |. */
typedef enum tg_annotate_format {
    TG_ANNOTATE_COCO =
        1, /**< annotations.json: boxes, run-length masks, a category a class, score */
    TG_ANNOTATE_VOC = 2,  /**< voc/NAME.xml, one an image; corners count from 1 and are inclusive */
    TG_ANNOTATE_YOLO = 4, /**< yolo/NAME.txt, one an image, and yolo/classes.txt */
    TG_ANNOTATE_LABELSTUDIO = 8, /**< labelstudio.json: tasks with predictions */
    TG_ANNOTATE_CSV = 16         /**< annotations.csv: a row a region */
} tg_annotate_format;

/** Reads "coco,voc,yolo,labelstudio,csv" (any of them) into a sum of tg_annotate_format.
 *  \return TG_ERR_ARGUMENT, naming the word, when one is unknown. */
tg_status tg_annotate_formats_parse(const char *text, unsigned *formats) TG_MUST_CHECK;

/** A set of annotations being collected. */
typedef struct tg_annotations tg_annotations;

/** \param folder   made when it is not there, at the end
 *  \param formats  sum of tg_annotate_format
 *  \param classes  n_classes names, copied; COCO's category of class k is k + 1, YOLO's is k */
tg_status tg_annotations_new(const char *folder, unsigned formats, const char *const *classes,
                             size_t n_classes, tg_annotations **out) TG_MUST_CHECK;

/** An image that was tagged. Strings are borrowed for the call. */
typedef struct tg_annotated {
    const char *name; /**< base of the names of its files; no slash */
    const char *file; /**< path of the image as other tools shall find it */
    size_t width_px, height_px;
    size_t class_index; /**< what the regions show */
} tg_annotated;

/** Adds the regions of one image, which may be none. Adding the same name again right afterwards adds regions of another
 *  class to the same image.
 *  \param tags  its mask has the image's size; not kept
 *  \return TG_ERR_SHAPE when it has not, TG_ERR_ARGUMENT for a class out of range or a name with a slash. */
tg_status tg_annotations_add(tg_annotations *annotations, const tg_annotated *image,
                             const tg_tags *tags) TG_MUST_CHECK;

/** Writes all formats. May be called once more after further additions. */
tg_status tg_annotations_finish(tg_annotations *annotations) TG_MUST_CHECK;

size_t tg_annotations_n_images(const tg_annotations *annotations);
size_t tg_annotations_n_regions(const tg_annotations *annotations);
void tg_annotations_free(tg_annotations *annotations);

#ifdef __cplusplus
}
#endif
#endif

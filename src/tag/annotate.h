/* annotate.h -- what the writers of annotation files share: the images collected, one function a
 * format. */
#ifndef TGI_TAG_ANNOTATE_H
#define TGI_TAG_ANNOTATE_H

#include "base/status.h"
#include "base/text.h"
#include <jansson.h>
#include <taggan/annotate.h>

typedef struct tgi_annotation {
    size_t class_index;
    tg_region region;
    size_t *counts, n_counts; /* COCO's run lengths: column by column, pixels outside first */
} tgi_annotation;

typedef struct tgi_annotated {
    char *name, *file;
    size_t width_px, height_px;
    tgi_annotation *items;
    size_t n_items, capacity;
} tgi_annotated;

struct tg_annotations {
    char *folder;
    unsigned formats;
    char **classes;
    size_t n_classes;
    tgi_annotated *images;
    size_t n_images, capacity;
};

tg_status tgi_annotate_coco(const tg_annotations *a) TG_MUST_CHECK;
tg_status tgi_annotate_voc(const tg_annotations *a) TG_MUST_CHECK;
tg_status tgi_annotate_yolo(const tg_annotations *a) TG_MUST_CHECK;
tg_status tgi_annotate_labelstudio(const tg_annotations *a) TG_MUST_CHECK;
tg_status tgi_annotate_csv(const tg_annotations *a) TG_MUST_CHECK;

/* Run lengths of the pixels whose label is `label` in labels [h,w]. free() releases *counts. */
tg_status tgi_rle_encode(const uint32_t *labels, size_t width_px, size_t height_px, uint32_t label,
                         size_t **counts, size_t *n_counts) TG_MUST_CHECK;

/* A number with that many decimals and a point, whatever the program's locale. */
tg_status tgi_text_add_fixed(tgi_text *text, double value, int decimals) TG_MUST_CHECK;

/* A cell of a CSV file, quoted where it must be (RFC 4180), and a comma. */
tg_status tgi_csv_add_cell(tgi_text *csv, const char *s) TG_MUST_CHECK;

/* A new string that is valid UTF-8: file names need not be, JSON and XML must. */
tg_status tgi_utf8(const char *s, char **out) TG_MUST_CHECK;

/* A JSON string of s as tgi_utf8() makes it; NULL when memory ran out. */
json_t *tgi_json_text(const char *s);

/* Writes by rename, indented; takes a NULL root (json_pack() ran out of memory) as the failure it
 * is. Does not release root. */
tg_status tgi_json_save(const char *path, const json_t *root) TG_MUST_CHECK;

/* "folder/sub", made. free() releases it. */
tg_status tgi_annotate_folder(const tg_annotations *a, const char *sub, char **out) TG_MUST_CHECK;

/* Writes text to "folder/name" + ending, by rename. */
tg_status tgi_annotate_write(const char *folder, const char *name, const char *ending,
                             const tgi_text *text) TG_MUST_CHECK;

#endif

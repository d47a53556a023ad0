/* dataset.h -- what the files of this room share: the set while it is built and read. Readers
 * (labels.c, folder.c, drawn.c, and those of published sets in published.h) add records with the
 * labels as text; tgi_dataset_finish() makes classes, names and splits of them. */
#ifndef TGI_DATASET_DATASET_H
#define TGI_DATASET_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <taggan/dataset.h>

#include "dataset/phantom.h"

/* One image. The strings are owned. */
typedef struct tgi_record {
    char *name;        /* unique in the set; made by finish() unless the reader gave one */
    char *file;        /* as it can be opened; NULL when drawn */
    char *path;        /* as the data set writes it, below its root; NULL when drawn */
    char *patient;     /* "" when unknown */
    char *label_text;  /* "A;B"; freed by finish() */
    const char *table; /* where it is named, one of the set's; NULL = in no table */
    size_t line;       /* there */
    tg_split split;
    bool is_diseased;
    bool has_own_base; /* no other image of its split has its base name: a mask of that name is its
                          own */

    tg_box *boxes; /* while a reader is at work their class_index is one of box_classes */
    size_t n_boxes, capacity_boxes;
    double boxes_width_px, boxes_height_px; /* of the image the boxes were drawn on; 0 = unknown */

    char **masks; /* lesions of the image, each in a file of its own; together they are its mask */
    size_t n_masks, capacity_masks;

    uint64_t index;   /* of a drawn image */
    unsigned drawing; /* its phantom classes as a bit set, or its subtype */
} tgi_record;

typedef enum tgi_origin { TGI_ORIGIN_FILES, TGI_ORIGIN_PHANTOM, TGI_ORIGIN_VAGAN } tgi_origin;

struct tg_dataset {
    char *spec, *root; /* root: folder that paths are below; NULL when drawn */
    char **tables;     /* paths of the tables that were read, for messages */
    size_t n_tables, capacity_tables;
    tgi_origin origin;
    uint64_t seed;  /* of drawn images */
    size_t size_px; /* of drawn images */
    tgi_vagan_opts vagan;
    unsigned *class_bits; /* [n_classes] of drawn images: what to draw for class k alone */

    char **classes;
    size_t n_classes, capacity_classes;
    char **box_classes; /* what the reader calls the classes of boxes */
    size_t n_box_classes, capacity_box_classes;
    size_t n_missing;    /* files that are named and not there */
    char *first_missing; /* where the first is named, and its path */
    tgi_record *records;
    size_t n_records, capacity_records;
    float *labels;                            /* [n_records, n_classes] */
    size_t *selected[3][2], n_selected[3][2]; /* by split and is_diseased */
    bool has_split[3];                        /* the reader found that split */
    bool has_masks, has_differences, has_boxes;
};

/* A new record at the end, all empty; valid until the next one. */
tg_status tgi_dataset_add(tg_dataset *set, tgi_record **out) TG_MUST_CHECK;
tg_status tgi_dataset_add_class(tg_dataset *set, const char *name) TG_MUST_CHECK;
/* Keeps the path of a table; *out is the set's copy. */
tg_status tgi_dataset_add_table(tg_dataset *set, const char *path, const char **out) TG_MUST_CHECK;
/* A record of the file `path` below the set's root. NULL when there is no such file: that is
 * counted, and reported by finish(). */
tg_status tgi_dataset_add_file(tg_dataset *set, const char *table, size_t line, const char *path,
                               tgi_record **out) TG_MUST_CHECK;
/* A box of a record, in pixels of an image as wide and high as the record says. */
tg_status tgi_dataset_add_box(tg_dataset *set, tgi_record *r, const char *class_name, double x,
                              double y, double w, double h) TG_MUST_CHECK;
/* Index of the class of that name, n_classes when there is none. */
size_t tgi_dataset_find_class(const tg_dataset *set, const char *name);
/* Is the class one of those asked for? All are when none is named. */
bool tgi_is_class_wanted(const tg_dataset_opts *opts, const char *name);
/* Classes, labels, boxes, duplicates, names, splits, selections; releases the label texts. */
tg_status tgi_dataset_finish(tg_dataset *set, const tg_dataset_opts *opts) TG_MUST_CHECK;
/* label_text -> classes and labels; drops rows of classes that were not asked for. (label.c) */
tg_status tgi_dataset_label(tg_dataset *set, const tg_dataset_opts *opts) TG_MUST_CHECK;
/* Patients in two splits are refused; a missing val split is taken from train. (split.c) */
tg_status tgi_dataset_split(tg_dataset *set, const tg_dataset_opts *opts) TG_MUST_CHECK;
/* Removes the records with is_dropped[i] and their labels. */
void tgi_dataset_drop(tg_dataset *set, const bool *is_dropped);

/* The readers. Each fills an empty set whose spec is set. */
tg_status tgi_labels_read(tg_dataset *set, const char *path,
                          const tg_dataset_opts *opts) TG_MUST_CHECK;
tg_status tgi_folder_read(tg_dataset *set, const char *path,
                          const tg_dataset_opts *opts) TG_MUST_CHECK;
bool tgi_folder_has_classes(const char *path);
tg_status tgi_drawn_read(tg_dataset *set, tgi_origin origin, const char *keys,
                         const tg_dataset_opts *opts) TG_MUST_CHECK;
/* Opening by kind. (open.c) */
bool tgi_is_below(const char *root, const char *name, bool (*test)(const char *));
/* Boxes of a COCO file to the records they belong to; early: by a reader, before finish().
 * (coco.c) */
tg_status tgi_coco_read(tg_dataset *set, const char *path) TG_MUST_CHECK;
tg_status tgi_coco_read_early(tg_dataset *set, const char *path) TG_MUST_CHECK;
/* Calls for each image of a COCO file, in order, with its number. */
typedef tg_status tgi_coco_image_fn(const char *file_name, size_t i, void *user);
tg_status tgi_coco_images(const char *path, tgi_coco_image_fn *visit, void *user) TG_MUST_CHECK;

/* Image and truth at once, either may be NULL: a drawn image is drawn once. (load.c) */
tg_status tgi_dataset_read(const tg_dataset *set, size_t i, size_t size_px, tg_image *image,
                           tg_truth *truth) TG_MUST_CHECK;

/* Bounding boxes of the mask's 8-connected parts, each of class `class_index`, added to the truth's
 * boxes. (parts.c) */
tg_status tgi_boxes_of_mask(const tg_mask *mask, size_t class_index, tg_truth *truth) TG_MUST_CHECK;

/* name without its last extension: its length. */
size_t tgi_stem_size(const char *name);

/* Does the name end as image files do? */
bool tgi_is_image_name(const char *name);

/* A healthy name: "", healthy, normal, "no finding", or `also` (may be NULL). */
bool tgi_is_healthy_name(const char *name, const char *also);

/* Sorted texts that remember where they came from. */
typedef struct tgi_key {
    const char *text;
    size_t i;
} tgi_key;

void tgi_keys_sort(tgi_key *keys, size_t n); /* by text, then by i */
const tgi_key *tgi_keys_find(const tgi_key *keys, size_t n, const char *text);

/* One changed copy of x [size_px, size_px] into y; the draw is named by (seed, index). (augment.c)
 */
void tgi_augment(const tg_augment *augment, uint64_t seed, uint64_t index, size_t size_px,
                 const float *x, float *y);
bool tgi_augment_is_off(const tg_augment *augment);

#endif

/* shelf.h -- image files of some folders, found by name: tables of published sets name images
 * without their folder, and often without an ending. */
#ifndef TGI_DATASET_SHELF_H
#define TGI_DATASET_SHELF_H

#include "dataset/dataset.h"

/* {0} is an empty one; release with tgi_shelf_release(). */
typedef struct tgi_shelf {
    char **paths; /* below the root they were given with */
    char **stems; /* file names in lower case, without ending */
    tgi_key *keys;
    size_t n, capacity_paths, capacity_stems;
} tgi_shelf;

/* Adds the image files of ROOT/FOLDER; fine when there is no such folder. */
tg_status tgi_shelf_add(tgi_shelf *shelf, const char *root, const char *folder) TG_MUST_CHECK;
/* To be called once, behind the last folder and before the first search. */
tg_status tgi_shelf_sort(tgi_shelf *shelf) TG_MUST_CHECK;
void tgi_shelf_release(tgi_shelf *shelf);

/* The path of the image of that name; its ending, if it has one, and its case do not matter. NULL
 * when there is none. */
const char *tgi_shelf_find(const tgi_shelf *shelf, const char *name);

#endif

/* list.h -- lists of image names, one a line, by which published sets say their splits. */
#ifndef TGI_DATASET_LIST_H
#define TGI_DATASET_LIST_H

#include "dataset/dataset.h"

/* {0} is an empty one; release with tgi_list_release(). */
typedef struct tgi_list {
    const char *path; /* belongs to the set */
    char *bytes;      /* the file; the names point into it */
    tgi_key *names;   /* in the order of the file, or sorted; i is the line, from 1 */
    size_t n, capacity;
} tgi_list;

/* Reads a list; empty lines do not count. TG_ERR_FORMAT with the line of a name that is_name() does
 * not take for one. */
tg_status tgi_list_read(tg_dataset *set, const char *path, bool (*is_name)(const char *),
                        tgi_list *out) TG_MUST_CHECK;
void tgi_list_release(tgi_list *list);

/* After sorting, a search takes no time. */
void tgi_list_sort(tgi_list *list);
const tgi_key *tgi_list_find(const tgi_list *sorted, const char *name);

/* No name may be in both of two sorted lists: they are two sides of a split. */
tg_status tgi_list_check_apart(const tgi_list *a, const tgi_list *b) TG_MUST_CHECK;

#endif

/* tag_inputs.h -- what taggan-infer was given, as a list of images: files, folders with all below
 * them, data sets. */
#ifndef TGI_REPORT_TAG_INPUTS_H
#define TGI_REPORT_TAG_INPUTS_H

#include "base/status.h"
#include <taggan/dataset.h>

/* One image. */
typedef struct tgi_tag_input {
    char *name;            /* of its output files: unique in the list, no slash */
    char *file;            /* as it can be opened; NULL for an image that is drawn */
    size_t below;          /* where in file the part below the operand begins */
    const tg_dataset *set; /* NULL for a file that belongs to none */
    size_t sample;         /* in set */
} tgi_tag_input;

/* Start from {0}. */
typedef struct tgi_tag_inputs {
    tgi_tag_input *items;
    size_t n, capacity;
    tg_dataset **sets;
    size_t n_sets, sets_capacity;
} tgi_tag_inputs;

typedef struct tgi_tag_inputs_opts {
    tg_dataset_opts dataset; /* kind "auto": what tgi_tag_inputs_add() says */
    const char *split;       /* train, val, test, all; NULL: test where there is one, else all */
} tgi_tag_inputs_opts;

void tgi_tag_inputs_release(tgi_tag_inputs *inputs);

/* Adds the images of an operand:
 *   a file                       itself, whatever its name ends in
 *   a table (.csv), a folder with labels.csv, phantom[:...], vagan-synthetic[:...]   a data set
 *   a folder                     all images below it, by their names' endings, sorted; folders of
 *                                earlier results (with tags.json) and hidden ones left out
 * With a split or a kind of data set given, every folder is a data set. */
tg_status tgi_tag_inputs_add(tgi_tag_inputs *inputs, const char *operand,
                             const tgi_tag_inputs_opts *opts) TG_MUST_CHECK;

/* Gives the names, when all is added: the file's base name; where another image has the same, with
 * the folders before it joined by '_', those below the operand, then all; then with its ending;
 * then with a number. */
tg_status tgi_tag_inputs_name(tgi_tag_inputs *inputs) TG_MUST_CHECK;

/* The image, at its own size. */
tg_status tgi_tag_input_load(const tgi_tag_input *input, tg_image *out) TG_MUST_CHECK;

#endif

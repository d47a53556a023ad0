/** \file taggan/dataset.h
 *  Images with image-level labels, from folders, from a table, or drawn on the spot.
 *  A data set knows files and labels; pixels are read when asked for. Truth (difference images, masks, boxes) is for measuring:
 *  no trainer reads it.
 */
#ifndef TAGGAN_DATASET_H
#define TAGGAN_DATASET_H

#include <taggan/image.h>
#include <taggan/status.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tg_dataset tg_dataset;

typedef enum tg_split { TG_SPLIT_TRAIN, TG_SPLIT_VAL, TG_SPLIT_TEST } tg_split;

/** Start from tg_dataset_opts_default(). Strings are borrowed for the call. */
typedef struct tg_dataset_opts {
    const char *kind; /**< auto, folder, csv, chexpert, nih, tbx11k, covid, rsna, vindr, shenzhen, montgomery, phantom, vagan-synthetic */
    const char
        *classes; /**< "A,B": the diseases, in this order; NULL = all that are found, sorted */
    const char
        *healthy;  /**< name of the healthy class; NULL = healthy, normal, "no finding", or empty */
    uint64_t seed; /**< of built-in sets and of splits that are made here */
    size_t
        size_px; /**< side of images that are drawn here, 0 = 64 (vagan-synthetic 112); files keep theirs until loaded */
    double val_share; /**< share of train's patients held out when there is no val split; 0.1 */
    bool
        is_lenient; /**< for checking and splitting anew: a missing file, a patient in two splits, or a row that
                              contradicts another does not refuse the set; off */
    /* Choices among the images of published sets; a set that does not tell refuses them. */
    const char *view;      /**< frontal (NULL), lateral, pa, ap, all */
    const char *sex;       /**< all (NULL), male, female */
    const char *uncertain; /**< labels marked uncertain: zeros (NULL) takes them as absent, ones as present, ignore leaves out
                              images where one of the classes is uncertain */
} tg_dataset_opts;

tg_dataset_opts tg_dataset_opts_default(void);

/** Opens `spec`: a folder (class folders, one with labels.csv, or a published set as it is unpacked), a CSV file, or `phantom[:KEY=VALUE,...]` and
 *  `vagan-synthetic[:KEY=VALUE,...]` (keys n, val, test: images a domain, healthy and
 *  diseased each; seed, size, classes=A+B; phantom also multi=1 for two classes an image, vagan-synthetic also
 *  positions=fixed|random and noise=SD).
 *  Warnings (duplicate rows, rows of unknown classes) go to the log; what makes the set unusable is an error with file and line.
 *  \return TG_ERR_IO, TG_ERR_FORMAT, TG_ERR_ARGUMENT (unknown class or key). */
tg_status tg_dataset_open(const char *spec, const tg_dataset_opts *opts,
                          tg_dataset **out) TG_MUST_CHECK;
void tg_dataset_free(tg_dataset *set);

/** One image of a set. Strings belong to the set. */
typedef struct tg_sample {
    const char *name;    /**< base name without extension, unique in the set */
    const char *file;    /**< path as it can be opened; NULL for an image drawn here */
    const char *patient; /**< "" when unknown */
    tg_split split;
    const float *labels; /**< [n_classes], 1 where the disease is present */
    bool is_diseased;    /**< any label is 1 */
} tg_sample;

const char *tg_dataset_name(const tg_dataset *set); /**< the spec it was opened with */
size_t tg_dataset_n_classes(const tg_dataset *set); /**< diseases, healthy not counted */
const char *tg_dataset_class_name(const tg_dataset *set, size_t k);
size_t tg_dataset_n_samples(const tg_dataset *set);
tg_sample tg_dataset_sample(const tg_dataset *set, size_t i);
/** Indices of the samples of a split that are diseased (or healthy), in a fixed order. The array belongs to the set. */
const size_t *tg_dataset_select(const tg_dataset *set, tg_split split, bool is_diseased, size_t *n);

/** Can a model be trained on it? TG_ERR_FORMAT with a sentence when the train split lacks healthy or diseased images, or
 *  images of one of the classes. Opening a set does not ask for that: it may be there to be tagged. */
tg_status tg_dataset_check_trainable(const tg_dataset *set) TG_MUST_CHECK;

/** The image of sample i, as it is in the file, or (size_px > 0) resized to size_px x size_px. Thread-safe. */
tg_status tg_dataset_load(const tg_dataset *set, size_t i, size_t size_px,
                          tg_image *out) TG_MUST_CHECK;

/** One box of the truth, half-open, in pixels of the image as stored. */
typedef struct tg_box {
    double x, y, w, h;
    size_t class_index;
} tg_box;

/** What is known about where the disease is. Release with tg_truth_release(). Members without truth are empty. */
typedef struct tg_truth {
    bool has_mask, has_difference,
        has_boxes;       /**< a healthy image has an all-zero mask wherever its set has masks */
    tg_mask mask;        /**< all diseases together */
    tg_image difference; /**< diseased - healthy, in [-1,1] units */
    tg_box *boxes;
    size_t n_boxes;
} tg_truth;

/** Truth of sample i, resized to size_px (0 = as stored): masks nearest, differences bilinear, boxes scaled. Thread-safe. */
tg_status tg_dataset_truth(const tg_dataset *set, size_t i, size_t size_px,
                           tg_truth *out) TG_MUST_CHECK;
void tg_truth_release(tg_truth *truth);

/** Writes any set as a data set folder (labels.csv, images/, masks/, truth/, boxes.json), sample by sample. */
tg_status tg_dataset_write(const tg_dataset *set, const char *folder, size_t size_px) TG_MUST_CHECK;

/** How images change between epochs. All off is tg_augment "none". */
typedef struct tg_augment {
    bool flip;    /**< mirror left-right, half of the time */
    int shift_px; /**< up to that many pixels each way, edges repeated */
    double rotate_degrees, scale, gain, offset; /**< uniform in +- that much; 0 = off */
} tg_augment;

typedef struct tg_loader tg_loader;

/** A batch in host memory, valid until the next call. */
typedef struct tg_batch {
    size_t n, n_classes, size_px;
    const float *x;        /**< [n,1,size_px,size_px] */
    const float *labels;   /**< [n,n_classes] */
    const size_t *indices; /**< [n] sample numbers */
} tg_batch;

/** Streams the samples `indices` (copied) endlessly in batches of n_batch, reshuffled whenever used up, from seed alone:
 *  batch b is the same whatever the number of threads, and the loader can start at any b. Up to n_ahead batches are prepared
 *  by n_threads threads. Images are kept decoded up to cache_bytes. `stream_id` makes two loaders of one seed differ.
 *  An image that cannot be read fails tg_loader_next() with its name. */
typedef struct tg_loader_opts {
    size_t n_batch, size_px, n_threads, n_ahead, cache_bytes;
    uint64_t seed, stream_id, first_batch;
    tg_augment augment;
} tg_loader_opts;

tg_loader_opts tg_loader_opts_default(void);
tg_status tg_loader_new(const tg_dataset *set, const size_t *indices, size_t n,
                        const tg_loader_opts *opts, tg_loader **out) TG_MUST_CHECK;
/** Waits for the next batch. Borrowed until the next call. */
tg_status tg_loader_next(tg_loader *loader, tg_batch *out) TG_MUST_CHECK;
void tg_loader_free(tg_loader *loader);

#ifdef __cplusplus
}
#endif
#endif

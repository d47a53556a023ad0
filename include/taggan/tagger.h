/* clang-format off */
/** \file taggan/tagger.h
 *  A trained model at work: an image in, its disease map, mask and boxes out.
 *
 *      tg_device *device;
 *      tg_tagger *tagger;
 *      tg_image chest;
 *      tg_tagged tagged;
 *
 *      if (tg_device_open("auto", &device) || tg_tagger_load(device, "taggan-run", &tagger) ||
 *          tg_image_load("chest.png", &chest))
 *          return fail(tg_error_message());
 *      tg_tagger_opts opts = tg_tagger_opts_default(tagger);
 *      if (tg_tagger_tag(tagger, &chest, &opts, &tagged))
 *          return fail(tg_error_message());
 *      for (size_t i = 0; i < tagged.findings[0].tags.n_regions; i++)
 *          draw(tagged.findings[0].tags.regions[i]);
 *
 *  The network sees the image at the size it was trained at; the map is brought back to the image's
 *  own size (bilinear) and thresholded there, so that map, mask and boxes agree pixel by pixel. The
 *  calibrated threshold was found on maps at the model's size. Bilinear resizing raises no maximum:
 *  without smoothing and a smallest region, an image whose map was blank at the model's size is
 *  blank at its own. With them (both are scaled with the image), a region right at the limit may
 *  pass at one size and not at the other.
 */
/* clang-format on */
#ifndef TAGGAN_TAGGER_H
#define TAGGAN_TAGGER_H

#include <taggan/device.h>
#include <taggan/image.h>
#include <taggan/status.h>
#include <taggan/tag.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A loaded model. Used by one thread at a time, as its device is. */
typedef struct tg_tagger tg_tagger;

/** Loads a model that taggan-train wrote. The device outlives it.
 *  \param path  model.safetensors, or the folder of a run
 *  \return TG_ERR_IO when it cannot be read, TG_ERR_FORMAT when it is damaged or no such model,
 * TG_ERR_SHAPE when its arrays do not fit its settings, TG_ERR_OPENCL, TG_ERR_MEMORY. */
tg_status tg_tagger_load(tg_device *device, const char *path, tg_tagger **out) TG_MUST_CHECK;
void tg_tagger_free(tg_tagger *tagger);

size_t tg_tagger_n_classes(const tg_tagger *tagger);
/** Name of disease k; belongs to the tagger. */
const char *tg_tagger_class_name(const tg_tagger *tagger, size_t k);
/** Side of the images that the network sees, in pixels. */
size_t tg_tagger_size_px(const tg_tagger *tagger);
/** Steps of training behind the weights. */
unsigned long long tg_tagger_step(const tg_tagger *tagger);

/** Whether each disease is there, by the model's label head. Waits.
 *  \param image          any size
 *  \param probabilities  [n_classes], overwritten */
tg_status tg_tagger_classify(tg_tagger *tagger, const tg_image *image,
                             float *probabilities) TG_MUST_CHECK;

/** The disease map under given labels: what the model would take away from the image to make it
 * healthy. Waits. \param image   any size \param labels  [n_classes], 1 for the diseases to look
 * for and 0 for others \param map     the image's own size; release it with tg_image_release() */
tg_status tg_tagger_map(tg_tagger *tagger, const tg_image *image, const float *labels,
                        tg_image *map) TG_MUST_CHECK;

enum {
    TG_LABEL_AUTO = -1, /**< the diseases that the label head gives more than 0.5, or the likeliest
                           where there is none */
    TG_LABEL_ALL = -2   /**< every disease */
};

/** What to look for and where to cut. Start from tg_tagger_opts_default(). */
typedef struct tg_tagger_opts {
    int label;          /**< number of a class, TG_LABEL_AUTO or TG_LABEL_ALL */
    tg_rule rule;       /**< how the threshold is found, and */
    double value;       /**< its parameter; see tg_tag_opts */
    char rule_name[40]; /**< what reports call it: "healthy:0.99" */
} tg_tagger_opts;

/** TG_LABEL_AUTO and the calibrated threshold; fixed at 0.1 for a model that was never calibrated.
 */
tg_tagger_opts tg_tagger_opts_default(const tg_tagger *tagger);

/** Sets the label from "auto", "all" or the name of a class. TG_ERR_ARGUMENT lists the names. */
tg_status tg_tagger_set_label(const tg_tagger *tagger, const char *text,
                              tg_tagger_opts *opts) TG_MUST_CHECK;

/** Sets the threshold from "calibrated", a number, or a rule of tg_tag_rule_parse().
 *  \param max_false_alarm  calibrated: share of healthy images that may show a box; negative for
 * the model's own \return TG_ERR_ARGUMENT for another text, a model that was never calibrated, or a
 * rate that it holds no threshold for. */
tg_status tg_tagger_set_threshold(const tg_tagger *tagger, const char *text, double max_false_alarm,
                                  tg_tagger_opts *opts) TG_MUST_CHECK;

#define TG_ANY_CLASS ((size_t)-1)

/** One map and what was found on it. Everything has the image's own size. */
typedef struct tg_finding {
    size_t class_index; /**< the disease looked for; TG_ANY_CLASS for several at once */
    tg_image map;
    tg_image healthy; /**< the image without the map, image - map */
    tg_tags tags;
    double mean_score; /**< mean of the score (sign and smoothing applied) over the image */
} tg_finding;

/** What is known of one image. Release with tg_tagged_release().
 *  findings[0] shows all diseases that were looked for, under their labels at once. Where they are
 * more than one, one finding each follows. */
typedef struct tg_tagged {
    float *probabilities; /**< [n_classes] of the label head */
    size_t n_probabilities;
    tg_finding *findings;
    size_t n_findings;
} tg_tagged;

/** Tags one image: label head, maps, masks, boxes. Waits.
 *  \return TG_ERR_SHAPE for an image without pixels, TG_ERR_ARGUMENT for options out of range,
 * TG_ERR_NUMERIC when the model gives numbers that are none. */
tg_status tg_tagger_tag(tg_tagger *tagger, const tg_image *image, const tg_tagger_opts *opts,
                        tg_tagged *out) TG_MUST_CHECK;

/** Frees what is inside and empties the struct; harmless on {0}. */
void tg_tagged_release(tg_tagged *tagged);

#ifdef __cplusplus
}
#endif
#endif

/* phantom.h -- images that are drawn, not read: the built-in radiographs and VA-GAN's synthetic
 * set, with exact truth. */
#ifndef TGI_DATASET_PHANTOM_H
#define TGI_DATASET_PHANTOM_H

#include <stdbool.h>
#include <stdint.h>
#include <taggan/image.h>

/* One drawn image with its truth; healthy ones have an all-zero difference and mask. */
typedef struct tgi_drawn {
    tg_image image;      /* in [-1,1] */
    tg_image difference; /* diseased - healthy, same anatomy, same noise */
    tg_mask mask;
} tgi_drawn;

void tgi_drawn_release(tgi_drawn *drawn);

enum { TGI_PHANTOM_CLASSES = 4 };
/* nodule, consolidation, effusion, cardiomegaly */
const char *tgi_phantom_class(size_t k);

/* Radiograph `index` of the endless set `seed`, with the lesions in the bit set `classes` (bit k =
 * class k; 0 = healthy). Distinct indices are distinct patients. */
tg_status tgi_phantom_draw(uint64_t seed, uint64_t index, unsigned classes, size_t size_px,
                           tgi_drawn *out) TG_MUST_CHECK;

typedef struct tgi_vagan_opts {
    bool random_positions; /* the harder set: 1 to 3 rectangles anywhere; else the published one */
    double effect, noise_sd, blur_px; /* 100, 50, 2.5 in the published set */
} tgi_vagan_opts;

/* Image `index` of VA-GAN's synthetic set (112 px in the publication, lengths scale with the side);
 * subtype 0 = lower right, 1 = upper left; opts NULL = the published set. The difference is the
 * effect under the image's own scaling, and the mask is where there is an effect. */
tg_status tgi_vagan_draw(uint64_t seed, uint64_t index, bool is_diseased, int subtype,
                         const tgi_vagan_opts *opts, size_t size_px, tgi_drawn *out) TG_MUST_CHECK;

#endif

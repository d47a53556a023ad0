/* family.h -- what config.c, the one table of the kinds, tells net.c. */
#ifndef TGI_NET_FAMILY_H
#define TGI_NET_FAMILY_H

#include "net/layer.h"

/* What there is to know about a kind before it is built. */
typedef struct tgi_family {
    const char *name;
    void (*build)(tgi_builder *b);
    size_t width, n_blocks;    /* defaults; n_blocks 0: chosen by size, or the kind has none */
    size_t multiple, smallest; /* what a size must be a multiple of (0: 2^n_blocks), and how many of
                                  them at least */
    unsigned conds;            /* generators: bit set of 1u << tgi_cond */
    tgi_net_norm norm;         /* default; AUTO: no choice */
    enum { TGI_GENERATOR, TGI_JUDGE, TGI_CLASSIFIER } job;
    bool is_he; /* weights by He's rule */
} tgi_family;

/* The family of a kind; NULL for a number that is none. */
const tgi_family *tgi_family_of(tgi_net_kind kind);
/* Fills in defaults and checks what does not fit: TG_ERR_ARGUMENT, TG_ERR_SHAPE. */
tg_status tgi_net_config_complete(tgi_net_config *config) TG_MUST_CHECK;
/* Fails with TG_ERR_SHAPE unless an image of h x w fits the (completed) config. */
tg_status tgi_net_config_fits(const tgi_net_config *config, size_t h, size_t w) TG_MUST_CHECK;

void tgi_build_resnet(tgi_builder *b);
void tgi_build_unet(tgi_builder *b);
void tgi_build_small_unet(tgi_builder *b);
void tgi_build_stargan_g(tgi_builder *b);
void tgi_build_patchgan(tgi_builder *b);
void tgi_build_stargan_d(tgi_builder *b);
void tgi_build_critic(tgi_builder *b);
void tgi_build_vagan_g(tgi_builder *b);
void tgi_build_vagan_d(tgi_builder *b);
void tgi_build_classifier(tgi_builder *b);

#endif

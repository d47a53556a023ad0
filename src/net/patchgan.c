/* patchgan.c -- CycleGAN's discriminator, doc/networks.md 4: logits for overlapping patches, and TagGAN's
 * label head beside them. */
#include "config.h"
#include "net/family.h"

#include "base/banned.h"

static size_t channels_at(const tgi_builder *b, size_t level)
{
    return b->config->width << (level < 3 ? level : 3);
}

static void norm_lrelu(tgi_builder *b)
{
    if (b->config->norm == TGI_NET_NORM_INSTANCE)
        tgi_build_instance_norm(b, NULL);
    tgi_build_activation(b, TG_LEAKY_RELU, 0.2f);
}

void tgi_build_patchgan(tgi_builder *b)
{
    const size_t n_levels = b->config->n_blocks;
    size_t at = 2; /* Sequential's number: a convolution, a norm and an activation each */

    tgi_build_conv(b, "model.0", channels_at(b, 0), TGI_ZERO(4, 2, 1));
    tgi_build_activation(b, TG_LEAKY_RELU, 0.2f);
    for (size_t i = 1; i <= n_levels; i++, at += 3) {
        tgi_build_conv(b, TGI_NAME("model.%zu", at), channels_at(b, i),
                       TGI_ZERO(4, i < n_levels ? 2 : 1, 1));
        norm_lrelu(b);
    }
    tgi_build_slot(b, TGI_LAYER_SAVE, TGI_SLOT_FEATURES);
    tgi_build_conv(b, TGI_NAME("model.%zu", at), 1, TGI_ZERO(4, 1, 1));
    tgi_build_slot(b, TGI_LAYER_SAVE, TGI_SLOT_SCORE);
    if (!b->config->has_cls)
        return;
    /* Logits a patch, pooled: the mean of features behind an instance norm would be the same for
     * every image. */
    tgi_build_head(b);
    tgi_build_slot(b, TGI_LAYER_LOAD, TGI_SLOT_FEATURES);
    tgi_build_conv(b, "cls", b->config->cls_outputs, TGI_ZERO(4, 1, 1));
    tgi_build_plane_pool(b, b->config->cls_pool);
    tgi_build_slot(b, TGI_LAYER_SAVE, TGI_SLOT_CLS);
}

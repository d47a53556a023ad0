/* critic.c -- the critic of preset quick, doc/networks.md 8: one number an image, free of norms so
 * that the gradient penalty's tangent pass is exact, and a label head on the mean of its last
 * features. */
#include "config.h"
#include "net/family.h"

#include "base/banned.h"

static void conv_lrelu(tgi_builder *b, tgi_name name, size_t channels, tgi_window window,
                       bool has_norm)
{
    tgi_build_conv(b, name.text, channels, window);
    if (has_norm)
        tgi_build_instance_norm(b, NULL);
    tgi_build_activation(b, TG_LEAKY_RELU, 0.2f);
}

void tgi_build_critic(tgi_builder *b)
{
    const bool has_norm = b->config->norm == TGI_NET_NORM_INSTANCE;
    const size_t n_levels = b->config->n_blocks;

    for (size_t i = 1; i <= n_levels; i++)
        conv_lrelu(b, tgi_name_of("down%zu", i), b->config->width << (i < 4 ? i - 1 : 3),
                   TGI_ZERO(4, 2, 1), has_norm && i > 1);
    conv_lrelu(b, tgi_name_of("conv"), b->c, TGI_ZERO(3, 1, 1), has_norm);
    tgi_build_slot(b, TGI_LAYER_SAVE, TGI_SLOT_FEATURES);
    tgi_build_conv(b, "score", 1, TGI_ZERO(3, 1, 1));
    tgi_build_plane_pool(b, TG_PLANE_MEAN);
    tgi_build_slot(b, TGI_LAYER_SAVE, TGI_SLOT_SCORE);
    if (!b->config->has_cls)
        return;
    tgi_build_head(b);
    tgi_build_slot(b, TGI_LAYER_LOAD, TGI_SLOT_FEATURES);
    tgi_build_plane_pool(b, TG_PLANE_MEAN);
    tgi_build_linear(b, "cls", b->config->cls_outputs);
    tgi_build_slot(b, TGI_LAYER_SAVE, TGI_SLOT_CLS);
}

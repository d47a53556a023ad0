/* vagan.c -- VA-GAN's map U-Net and critic, doc/networks.md 6. The names are ours, torch-like: its code has
 * TensorFlow's. */
#include "config.h"
#include "net/family.h"

#include "base/banned.h"

/* conv3 without bias, batch norm, ReLU: NAME.0 and NAME.1. */
static void conv_bn_relu(tgi_builder *b, tgi_name name, size_t channels)
{
    tgi_build_conv(b, TGI_NAME("%s.0", name.text), channels, TGI_ZERO(3, 1, 1));
    tgi_build_batch_norm(b, TGI_NAME("%s.1", name.text));
    tgi_build_activation(b, TG_RELU, 0);
}

/* To `level` from the one below; the skip comes second. Width channels come up whatever the level.
 */
static void up(tgi_builder *b, size_t level, size_t n_convs)
{
    const size_t width = b->config->width;

    tgi_build_conv_up(b, TGI_NAME("up%zu.0.0", level), width, TGI_ZERO(4, 2, 1), 0);
    tgi_build_batch_norm(b, TGI_NAME("up%zu.0.1", level));
    tgi_build_activation(b, TG_RELU, 0);
    tgi_build_slot(b, TGI_LAYER_CONCAT_ABOVE, (int)level);
    for (size_t i = 1; i <= n_convs; i++)
        conv_bn_relu(b, tgi_name_of("up%zu.%zu", level, i), width << level);
}

void tgi_build_vagan_g(tgi_builder *b)
{
    enum { N_LEVELS = 4 };

    b->has_biases = false;
    if (tgi_has_planes(b->config))
        tgi_build_planes(b);
    for (size_t level = 0; level < N_LEVELS; level++) {
        if (level)
            tgi_build_max_pool(b, 2);
        conv_bn_relu(b, tgi_name_of("down%zu.0", level), b->config->width << level);
        conv_bn_relu(b, tgi_name_of("down%zu.1", level), b->config->width << level);
        if (level < N_LEVELS - 1)
            tgi_build_slot(b, TGI_LAYER_SAVE, (int)level);
    }
    up(b, 2, 2);
    up(b, 1, 2);
    up(b, 0, 1);
    b->has_biases = true;
    tgi_build_conv(b, "last", 1, TGI_ZERO(3, 1, 1));
    tgi_build_output(b);
}

void tgi_build_vagan_d(tgi_builder *b)
{
    static const size_t n_convs[] = {1, 1, 2, 2, 3};

    for (size_t level = 0; level < TG_COUNT(n_convs); level++) {
        if (level)
            tgi_build_max_pool(b, 2);
        for (size_t i = 0; i < n_convs[level]; i++) {
            tgi_build_conv(b, TGI_NAME("conv%zu.%zu", level, i), b->config->width << level,
                           TGI_ZERO(3, 1, 1));
            tgi_build_activation(b, TG_RELU, 0);
        }
    }
    tgi_build_conv(b, "last", 1, TGI_ZERO(1, 1, 0));
    tgi_build_plane_pool(b, TG_PLANE_MEAN);
    tgi_build_slot(b, TGI_LAYER_SAVE, TGI_SLOT_SCORE);
}

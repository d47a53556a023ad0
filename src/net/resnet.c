/* resnet.c -- CycleGAN's generator, doc/networks.md 1: down twice, residual blocks, up twice. The names are
 * its checkpoints'; they hold for every way of conditioning, because PyTorch numbers the padding
 * and norm layers too, which have no parameters. */
#include "config.h"
#include "net/family.h"

#include "base/banned.h"

/* Layers follow one another as Sequential's entries do: `at` is the convolution's, its norm is the
 * next. */
static void norm_relu(tgi_builder *b, size_t at, bool has_shift)
{
    tgi_build_instance_norm(b, NULL);
    tgi_build_label_behind(b, TGI_NAME("model.%zu", at + 1), has_shift);
    tgi_build_activation(b, TG_RELU, 0);
}

/* x + [pad conv3 IN ReLU pad conv3 IN](x). */
static void block(tgi_builder *b, size_t at, tg_padding padding)
{
    const tgi_window three = {3, 1, 1, padding};
    const size_t channels = b->c;

    tgi_build_slot(b, TGI_LAYER_SAVE, 0);
    tgi_build_conv(b, TGI_NAME("model.%zu.conv_block.1", at), channels, three);
    tgi_build_instance_norm(b, NULL);
    tgi_build_label_behind(b, TGI_NAME("model.%zu.conv_block.2", at), false);
    tgi_build_activation(b, TG_RELU, 0);
    tgi_build_conv(b, TGI_NAME("model.%zu.conv_block.5", at), channels, three);
    tgi_build_instance_norm(b, NULL);
    tgi_build_label_behind(b, TGI_NAME("model.%zu.conv_block.6", at), false);
    tgi_build_slot(b, TGI_LAYER_ADD, 0);
}

void tgi_build_resnet(tgi_builder *b)
{
    const tgi_cond cond = b->config->cond;
    const size_t width = b->config->width, n_blocks = b->config->n_blocks;
    const tg_padding inner = cond == TGI_COND_PLANE_ZERO ? TG_PAD_ZERO : TG_PAD_REFLECT;
    const tg_padding first = cond == TGI_COND_PLANE_ZERO1 ? TG_PAD_ZERO : inner;

    if (tgi_has_planes(b->config))
        tgi_build_planes(b);
    tgi_build_conv(b, "model.1", width, (tgi_window){7, 1, 3, first});
    if (cond == TGI_COND_PLANE_NONORM)
        tgi_build_activation(b, TG_RELU, 0);
    else
        norm_relu(b, 1, true);
    tgi_build_conv(b, "model.4", 2 * width, TGI_ZERO(3, 2, 1));
    norm_relu(b, 4, false);
    tgi_build_conv(b, "model.7", 4 * width, TGI_ZERO(3, 2, 1));
    norm_relu(b, 7, true);
    for (size_t i = 0; i < n_blocks; i++)
        block(b, 10 + i, inner);
    tgi_build_conv_up(b, TGI_NAME("model.%zu", 10 + n_blocks), 2 * width, TGI_ZERO(3, 2, 1), 1);
    norm_relu(b, 10 + n_blocks, false);
    tgi_build_conv_up(b, TGI_NAME("model.%zu", 13 + n_blocks), width, TGI_ZERO(3, 2, 1), 1);
    norm_relu(b, 13 + n_blocks, false);
    tgi_build_conv(b, TGI_NAME("model.%zu", 17 + n_blocks), 1, (tgi_window){7, 1, 3, inner});
    tgi_build_output(b);
}

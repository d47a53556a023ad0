/* stargan.c -- StarGAN's two networks, doc/networks.md 5, under its checkpoints'
 * names. */
#include "config.h"
#include "net/family.h"

#include "base/banned.h"

static void norm_relu(tgi_builder *b, tgi_name name)
{
    tgi_build_instance_norm(b, name.text);
    tgi_build_activation(b, TG_RELU, 0);
}

static void block(tgi_builder *b, size_t at)
{
    const size_t channels = b->c;

    tgi_build_slot(b, TGI_LAYER_SAVE, 0);
    tgi_build_conv(b, TGI_NAME("main.%zu.main.0", at), channels, TGI_ZERO(3, 1, 1));
    norm_relu(b, tgi_name_of("main.%zu.main.1", at));
    tgi_build_conv(b, TGI_NAME("main.%zu.main.3", at), channels, TGI_ZERO(3, 1, 1));
    tgi_build_instance_norm(b, TGI_NAME("main.%zu.main.4", at));
    tgi_build_slot(b, TGI_LAYER_ADD, 0);
}

void tgi_build_stargan_g(tgi_builder *b)
{
    const size_t width = b->config->width, n_blocks = b->config->n_blocks;

    b->has_biases = false;
    if (tgi_has_planes(b->config))
        tgi_build_planes(b);
    tgi_build_conv(b, "main.0", width, TGI_ZERO(7, 1, 3));
    norm_relu(b, tgi_name_of("main.1"));
    tgi_build_conv(b, "main.3", 2 * width, TGI_ZERO(4, 2, 1));
    norm_relu(b, tgi_name_of("main.4"));
    tgi_build_conv(b, "main.6", 4 * width, TGI_ZERO(4, 2, 1));
    norm_relu(b, tgi_name_of("main.7"));
    for (size_t i = 0; i < n_blocks; i++)
        block(b, 9 + i);
    tgi_build_conv_up(b, TGI_NAME("main.%zu", 9 + n_blocks), 2 * width, TGI_ZERO(4, 2, 1), 0);
    norm_relu(b, tgi_name_of("main.%zu", 10 + n_blocks));
    tgi_build_conv_up(b, TGI_NAME("main.%zu", 12 + n_blocks), width, TGI_ZERO(4, 2, 1), 0);
    norm_relu(b, tgi_name_of("main.%zu", 13 + n_blocks));
    tgi_build_conv(b, TGI_NAME("main.%zu", 15 + n_blocks), 1, TGI_ZERO(7, 1, 3));
    tgi_build_output(b);
}

/* Six halvings. The label head is one convolution as large as what they leave, so it fits one size
 * of image only. */
void tgi_build_stargan_d(tgi_builder *b)
{
    enum { N_LEVELS = 6 };

    for (size_t i = 0; i < N_LEVELS; i++) {
        tgi_build_conv(b, TGI_NAME("main.%zu", 2 * i), b->config->width << i, TGI_ZERO(4, 2, 1));
        tgi_build_activation(b, TG_LEAKY_RELU, 0.01f);
    }
    b->has_biases = false;
    tgi_build_slot(b, TGI_LAYER_SAVE, TGI_SLOT_FEATURES);
    tgi_build_conv(b, "conv1", 1, TGI_ZERO(3, 1, 1));
    tgi_build_slot(b, TGI_LAYER_SAVE, TGI_SLOT_SCORE);
    if (!b->config->has_cls)
        return;
    tgi_build_head(b);
    tgi_build_slot(b, TGI_LAYER_LOAD, TGI_SLOT_FEATURES);
    tgi_build_conv(b, "conv2", b->config->cls_outputs,
                   TGI_ZERO(b->config->size_px >> N_LEVELS, 1, 0));
    tgi_build_slot(b, TGI_LAYER_SAVE, TGI_SLOT_CLS);
}

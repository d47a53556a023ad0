/* classifier.c -- VA-GAN's network for CAM, Grad-CAM and saliency, doc/networks.md 7: features at a quarter
 * of the size, their means, and one linear layer without bias, whose weights are what CAM draws
 * with. */
#include "config.h"
#include "net/family.h"

#include "base/banned.h"

static void conv_bn_relu(tgi_builder *b, const char *name, size_t channels)
{
    tgi_build_conv(b, TGI_NAME("%s.0", name), channels, TGI_ZERO(3, 1, 1));
    tgi_build_batch_norm(b, TGI_NAME("%s.1", name));
    tgi_build_activation(b, TG_RELU, 0);
}

void tgi_build_classifier(tgi_builder *b)
{
    const size_t width = b->config->width;

    b->has_biases = false;
    conv_bn_relu(b, "conv1_1", width);
    tgi_build_max_pool(b, 2);
    conv_bn_relu(b, "conv2_1", 2 * width);
    tgi_build_max_pool(b, 2);
    conv_bn_relu(b, "conv3_1", 4 * width);
    conv_bn_relu(b, "conv3_2", 4 * width);
    conv_bn_relu(b, "conv4_1", 8 * width);
    conv_bn_relu(b, "conv4_2", 8 * width);
    conv_bn_relu(b, "conv5_1", 16 * width);
    conv_bn_relu(b, "conv5_2", 16 * width);
    conv_bn_relu(b, "feature_maps", 16 * width);
    tgi_build_slot(b, TGI_LAYER_SAVE, TGI_SLOT_FEATURES);
    tgi_build_plane_pool(b, TG_PLANE_MEAN);
    tgi_build_linear(b, "weight_layer", b->config->cls_outputs);
    tgi_build_slot(b, TGI_LAYER_SAVE, TGI_SLOT_CLS);
}

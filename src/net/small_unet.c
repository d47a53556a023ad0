/* small_unet.c -- the generator of preset quick, doc/networks.md 8: a U-Net from half resolution
 * down, 0.32 million weights. */
#include "config.h"
#include "net/family.h"

#include "base/banned.h"

static const float slope = 0.1f;

/* Channels at 1/2, 1/4, 1/8, 1/16 and so on of the size: w, 2w, 4w, 4w, ... */
static size_t channels_at(const tgi_builder *b, size_t level)
{
    return b->config->width << (level < 3 ? level - 1 : 2);
}

static void conv_lrelu(tgi_builder *b, tgi_name name, size_t channels, tgi_window window,
                       bool has_norm, bool has_shift)
{
    tgi_build_conv(b, name.text, channels, window);
    if (has_norm)
        tgi_build_instance_norm(b, NULL);
    if (has_shift || has_norm)
        tgi_build_label_behind(b, name.text, has_shift);
    tgi_build_activation(b, TG_LEAKY_RELU, slope);
}

/* down1.0 halves, down1.1 follows; from 1/8 on two follow. The label enters at the first and at the
 * last level. */
static void down(tgi_builder *b, size_t level, bool has_norm)
{
    const bool is_stem = level == 1, is_last = level == b->config->n_blocks;
    const size_t channels = channels_at(b, level), n_follow = level < 3 ? 1 : 2;
    const bool has_first_norm = has_norm && !(is_stem && b->config->cond == TGI_COND_PLANE_NONORM);

    conv_lrelu(b, tgi_name_of("down%zu.0", level), channels, TGI_ZERO(4, 2, 1), has_first_norm,
               is_stem || is_last);
    for (size_t i = 1; i <= n_follow; i++)
        conv_lrelu(b, tgi_name_of("down%zu.%zu", level, i), channels, TGI_ZERO(3, 1, 1), has_norm,
                   false);
    if (!is_last)
        tgi_build_slot(b, TGI_LAYER_SAVE, (int)level);
}

/* To `level` from the one below: enlarging copies values, so the 1x1 convolution comes first and
 * does a quarter of the work. */
static void up(tgi_builder *b, size_t level, bool has_norm)
{
    tgi_build_conv(b, TGI_NAME("up%zu.0", level), channels_at(b, level), TGI_ZERO(1, 1, 0));
    tgi_build_upsample(b, 2);
    tgi_build_slot(b, TGI_LAYER_ADD, (int)level);
    conv_lrelu(b, tgi_name_of("up%zu.1", level), channels_at(b, level), TGI_ZERO(3, 1, 1), has_norm,
               false);
}

void tgi_build_small_unet(tgi_builder *b)
{
    const bool has_norm = b->config->norm == TGI_NET_NORM_INSTANCE;
    const size_t n_levels = b->config->n_blocks;

    if (tgi_has_planes(b->config))
        tgi_build_planes(b);
    for (size_t level = 1; level <= n_levels; level++)
        down(b, level, has_norm);
    for (size_t level = n_levels - 1; level >= 1; level--)
        up(b, level, has_norm);
    if (b->config->head == TGI_NET_SHUFFLE) {
        tgi_build_conv(b, "head.0", 4, TGI_ZERO(3, 1, 1));
        tgi_build_start_at_zero(b);
        tgi_build_shuffle(b, 2);
    } else {
        const size_t half = b->config->width > 1 ? b->config->width / 2 : 1;

        tgi_build_upsample(b, 2);
        conv_lrelu(b, tgi_name_of("head.0"), half, TGI_ZERO(3, 1, 1), false, false);
        tgi_build_conv(b, "head.1", 1, TGI_ZERO(3, 1, 1));
        tgi_build_start_at_zero(b);
    }
    tgi_build_output(b);
}

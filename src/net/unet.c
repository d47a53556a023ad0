/* unet.c -- CycleGAN's U-Net, doc/networks.md 3: halvings to one pixel and back, every level joined to its
 * twin. Modules nest there, each level inside the one above, and so do the names. */
#include "config.h"
#include "net/family.h"

#include "base/banned.h"

/* The module of `level` (0: the outermost): "model", "model.model.1", "model.model.1.model.3", ...
 * and its entry. */
static tgi_name entry_of(size_t level, size_t entry)
{
    tgi_name name = tgi_name_of("model");

    for (size_t i = 1; i <= level; i++) {
        const tgi_name outer = name;

        name = tgi_name_of("%s.model.%d", outer.text, i == 1 ? 1 : 3);
    }
    return tgi_name_of("%s.model.%zu", name.text, entry);
}

static size_t channels_at(const tgi_builder *b, size_t level)
{
    return b->config->width << (level < 3 ? level : 3);
}

static void norm(tgi_builder *b, size_t level, size_t entry, bool has_shift)
{
    tgi_build_instance_norm(b, NULL);
    tgi_build_label_behind(b, entry_of(level, entry).text, has_shift);
}

/* Skips are kept before the leaky ReLU that PyTorch applies to them in place: the ReLU behind the
 * join undoes the difference. */
static void down(tgi_builder *b, size_t level, size_t n_levels)
{
    const bool is_outermost = level == 0, is_innermost = level == n_levels - 1;

    if (!is_outermost)
        tgi_build_activation(b, TG_LEAKY_RELU, 0.2f);
    tgi_build_conv(b, entry_of(level, is_outermost ? 0 : 1).text, channels_at(b, level),
                   TGI_ZERO(4, 2, 1));
    if (is_outermost && b->config->cond == TGI_COND_BIAS)
        tgi_build_label(b, entry_of(level, 0).text, false);
    if (!is_outermost && !is_innermost)
        norm(b, level, 2, false);
    if (!is_innermost)
        tgi_build_slot(b, TGI_LAYER_SAVE, (int)level);
}

static void up(tgi_builder *b, size_t level, size_t n_levels)
{
    const bool is_innermost = level == n_levels - 1;
    const size_t entry = is_innermost ? 3 : 5;

    tgi_build_activation(b, TG_RELU, 0);
    tgi_build_conv_up(b, entry_of(level, entry).text, channels_at(b, level - 1), TGI_ZERO(4, 2, 1),
                      0);
    norm(b, level, entry + 1, is_innermost);
    tgi_build_slot(b, TGI_LAYER_CONCAT_BELOW, (int)level - 1);
}

void tgi_build_unet(tgi_builder *b)
{
    const size_t n_levels = b->config->n_blocks;

    if (tgi_has_planes(b->config))
        tgi_build_planes(b);
    for (size_t level = 0; level < n_levels; level++)
        down(b, level, n_levels);
    for (size_t level = n_levels - 1; level >= 1; level--)
        up(b, level, n_levels);
    tgi_build_activation(b, TG_RELU, 0);
    tgi_build_conv_up(b, "model.model.3", 1, TGI_ZERO(4, 2, 1), 0);
    tgi_build_output(b);
}

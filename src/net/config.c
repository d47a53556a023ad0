/* config.c -- the table of the kinds of network: defaults, limits, and the sentence when an option
 * does not fit. */
#include "config.h"
#include "net/family.h"

#include "base/banned.h"

enum { MAX_WIDTH = 4096, MAX_BLOCKS = 64, MAX_HALVINGS = 12, MAX_CLASSES = 4096 };

#define COND(name) (1u << TGI_COND_##name)
#define PLANES     (COND(PLANE_REFLECT) | COND(PLANE_ZERO) | COND(PLANE_ZERO1) | COND(PLANE_NONORM))

static const tgi_family families[TGI_N_NET_KINDS] = {
    [TGI_NET_RESNET] = {.name = "resnet",
                        .build = tgi_build_resnet,
                        .width = 64,
                        .multiple = 4,
                        .smallest = 2,
                        .conds = COND(NONE) | PLANES | COND(CIN) | COND(BIAS)},
    [TGI_NET_UNET] = {.name = "unet",
                      .build = tgi_build_unet,
                      .width = 64,
                      .smallest = 1,
                      .conds = COND(NONE) | COND(PLANE_ZERO) | COND(CIN) | COND(BIAS)},
    [TGI_NET_SMALL_UNET] = {.name = "small_unet",
                            .build = tgi_build_small_unet,
                            .width = 16,
                            .n_blocks = 4,
                            .smallest = 1,
                            .conds = COND(NONE) | COND(PLANE_ZERO) | COND(PLANE_NONORM) |
                                     COND(CIN) | COND(BIAS),
                            .norm = TGI_NET_NORM_NONE,
                            .is_he = true},
    [TGI_NET_STARGAN_G] = {.name = "stargan",
                           .build = tgi_build_stargan_g,
                           .width = 64,
                           .n_blocks = 6,
                           .multiple = 4,
                           .smallest = 1,
                           .conds = COND(NONE) | COND(PLANE_ZERO)},
    [TGI_NET_PATCHGAN] = {.name = "patchgan",
                          .build = tgi_build_patchgan,
                          .width = 64,
                          .n_blocks = 3,
                          .smallest = 3,
                          .norm = TGI_NET_NORM_INSTANCE,
                          .job = TGI_JUDGE},
    [TGI_NET_STARGAN_D] = {.name = "stargan discriminator",
                           .build = tgi_build_stargan_d,
                           .width = 64,
                           .multiple = 64,
                           .smallest = 1,
                           .job = TGI_JUDGE},
    [TGI_NET_CRITIC] = {.name = "critic",
                        .build = tgi_build_critic,
                        .width = 16,
                        .n_blocks = 4,
                        .smallest = 1,
                        .norm = TGI_NET_NORM_NONE,
                        .job = TGI_JUDGE,
                        .is_he = true},
    [TGI_NET_VAGAN_G] = {.name = "vagan",
                         .build = tgi_build_vagan_g,
                         .width = 16,
                         .multiple = 8,
                         .smallest = 1,
                         .conds = COND(NONE) | COND(PLANE_ZERO),
                         .is_he = true},
    [TGI_NET_VAGAN_D] = {.name = "vagan critic",
                         .build = tgi_build_vagan_d,
                         .width = 16,
                         .multiple = 16,
                         .smallest = 1,
                         .job = TGI_JUDGE,
                         .is_he = true},
    [TGI_NET_CLASSIFIER] = {.name = "classifier",
                            .build = tgi_build_classifier,
                            .width = 32,
                            .multiple = 4,
                            .smallest = 1,
                            .job = TGI_CLASSIFIER,
                            .is_he = true},
};

static const char *const cond_names[TGI_N_CONDS] = {
    [TGI_COND_AUTO] = "auto",
    [TGI_COND_NONE] = "none",
    [TGI_COND_PLANE_REFLECT] = "plane-reflect",
    [TGI_COND_PLANE_ZERO] = "plane-zero",
    [TGI_COND_PLANE_ZERO1] = "plane-zero1",
    [TGI_COND_PLANE_NONORM] = "plane-nonorm",
    [TGI_COND_CIN] = "cin",
    [TGI_COND_BIAS] = "bias",
};

const tgi_family *tgi_family_of(tgi_net_kind kind)
{
    return (size_t)kind < TGI_N_NET_KINDS ? &families[kind] : NULL;
}

const char *tgi_net_kind_name(tgi_net_kind kind)
{
    const tgi_family *family = tgi_family_of(kind);

    return family ? family->name : "unknown";
}

const char *tgi_cond_name(tgi_cond cond)
{
    return (size_t)cond < TGI_N_CONDS ? cond_names[cond] : "unknown";
}

/* resnet: [cyclegan] takes 6 blocks up to 128 px. unet: as many halvings as the size allows, 8 at
 * most. */
static size_t default_blocks(const tgi_family *family, const tgi_net_config *config)
{
    if (config->kind == TGI_NET_RESNET)
        return config->size_px <= 128 ? 6 : 9;
    if (config->kind == TGI_NET_UNET) {
        size_t n = 8;

        while (n > 2 && config->size_px % ((size_t)1 << n))
            n--;
        return n;
    }
    return family->n_blocks;
}

static bool is_halving(const tgi_family *family)
{
    return family->multiple == 0; /* then its n_blocks are halvings */
}

static tg_status complete_blocks(const tgi_family *family, tgi_net_config *config)
{
    const size_t default_n = default_blocks(family, config);
    const size_t least = config->kind == TGI_NET_UNET ? 2 : 1,
                 most = is_halving(family) ? MAX_HALVINGS : MAX_BLOCKS;

    if (!default_n) {
        config->n_blocks = 0; /* the kind has one depth */
        return TG_OK;
    }
    if (!config->n_blocks)
        config->n_blocks = default_n;
    if (config->n_blocks < least || config->n_blocks > most)
        return tg_fail(TG_ERR_ARGUMENT, "%s takes %zu to %zu blocks, not %zu", family->name, least,
                       most, config->n_blocks);
    return TG_OK;
}

static tgi_cond default_cond(const tgi_net_config *config)
{
    if (config->kind == TGI_NET_RESNET)
        return config->n_classes == 1 ? TGI_COND_PLANE_REFLECT : TGI_COND_PLANE_NONORM;
    return config->kind == TGI_NET_SMALL_UNET ? TGI_COND_BIAS : TGI_COND_PLANE_ZERO;
}

static tg_status complete_generator(const tgi_family *family, tgi_net_config *config)
{
    if (!config->n_classes)
        config->cond = TGI_COND_NONE;
    if (config->cond == TGI_COND_AUTO)
        config->cond = default_cond(config);
    if ((size_t)config->cond >= TGI_N_CONDS || !(family->conds & 1u << config->cond))
        return tg_fail(TG_ERR_ARGUMENT,
                       "%s cannot take its label by %s (auto takes the way that suits it)",
                       family->name, tgi_cond_name(config->cond));
    if (config->has_cls)
        return tg_fail(TG_ERR_ARGUMENT, "%s is a generator and has no label head", family->name);
    if (config->cond == TGI_COND_PLANE_NONORM && config->kind == TGI_NET_SMALL_UNET &&
        config->norm != TGI_NET_NORM_INSTANCE)
        config->cond = TGI_COND_PLANE_ZERO; /* the same network, under one name */
    if (config->output == TGI_NET_OUTPUT_AUTO)
        config->output =
            config->kind == TGI_NET_VAGAN_G ? TGI_NET_OUTPUT_LINEAR : TGI_NET_OUTPUT_TANH;
    return TG_OK;
}

static tg_status complete_judge(const tgi_family *family, tgi_net_config *config)
{
    config->cond = TGI_COND_NONE;
    if (family->job == TGI_CLASSIFIER)
        config->has_cls = true;
    if (config->has_cls && config->kind == TGI_NET_VAGAN_D)
        return tg_fail(TG_ERR_ARGUMENT, "%s has no label head", family->name);
    if (!config->cls_outputs)
        config->cls_outputs = config->n_classes;
    if (config->has_cls && !config->cls_outputs)
        return tg_fail(TG_ERR_ARGUMENT, "%s with a label head needs at least one class",
                       family->name);
    return TG_OK;
}

static size_t multiple_of(const tgi_family *family, const tgi_net_config *config)
{
    return is_halving(family) ? (size_t)1 << config->n_blocks : family->multiple;
}

tg_status tgi_net_config_fits(const tgi_net_config *config, size_t h, size_t w)
{
    const tgi_family *family = tgi_family_of(config->kind);
    const size_t multiple = multiple_of(family, config);
    /* An instance norm over one pixel would erase it. */
    const size_t smallest =
        multiple *
        (is_halving(family) && config->norm == TGI_NET_NORM_INSTANCE && family->smallest < 2
             ? 2
             : family->smallest);

    if (h % multiple || w % multiple || h < smallest || w < smallest)
        return tg_fail(TG_ERR_SHAPE,
                       "%s needs a size that is a multiple of %zu and at least %zu, not %zu x %zu",
                       family->name, multiple, smallest, h, w);
    if (config->kind == TGI_NET_STARGAN_D && config->has_cls &&
        (h != config->size_px || w != config->size_px))
        return tg_fail(TG_ERR_SHAPE, "%s was built for images of %zu x %zu, not %zu x %zu",
                       family->name, config->size_px, config->size_px, h, w);
    return TG_OK;
}

tg_status tgi_net_config_complete(tgi_net_config *config)
{
    tg_status status = TG_OK;
    const tgi_family *family = tgi_family_of(config->kind);

    if (!family)
        return tg_fail(TG_ERR_ARGUMENT, "there is no network of kind %d", (int)config->kind);
    if (!config->width)
        config->width = family->width;
    if (!config->in_channels)
        config->in_channels = 1;
    if (config->width > MAX_WIDTH || config->in_channels > MAX_WIDTH ||
        config->n_classes > MAX_CLASSES || config->cls_outputs > MAX_CLASSES)
        return tg_fail(
            TG_ERR_ARGUMENT,
            "%s: width %zu, %zu image planes, %zu classes or %zu label outputs are too many",
            family->name, config->width, config->in_channels, config->n_classes,
            config->cls_outputs);
    if (family->norm == TGI_NET_NORM_AUTO || config->norm == TGI_NET_NORM_AUTO)
        config->norm = family->norm; /* AUTO: the kind leaves no choice */
    TG_TRY(complete_blocks(family, config));
    TG_TRY(family->conds ? complete_generator(family, config) : complete_judge(family, config));
    TG_TRY(tgi_net_config_fits(config, config->size_px, config->size_px));
cleanup:
    return status;
}

tg_status tgi_net_multiple(const tgi_net_config *config, size_t *multiple)
{
    tg_status status = TG_OK;
    tgi_net_config completed = *config;
    const tgi_family *family = tgi_family_of(config->kind);

    if (!family)
        return tg_fail(TG_ERR_ARGUMENT, "there is no network of kind %d", (int)config->kind);
    TG_TRY(complete_blocks(family, &completed));
    *multiple = multiple_of(family, &completed);
cleanup:
    return status;
}

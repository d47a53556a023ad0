/* settings.h -- all settings of a run, declared once in settings.def; presets, text form, ranges. */
#ifndef TGI_MODEL_SETTINGS_H
#define TGI_MODEL_SETTINGS_H

#include "base/status.h"
#include "base/text.h"
#include "net/net.h"
#include "op/tune.h"
#include <taggan/op.h>
#include <taggan/tag.h>

/* Choices, in the order of their words in settings.def (cond: tgi_cond; cls_pool: tg_plane_pool; tune: tgi_tune_mode; conv_algorithm, sign: as public). */
enum { TGI_G_RESNET, TGI_G_UNET, TGI_G_SMALL_UNET, TGI_G_STARGAN };
enum { TGI_NORM_NONE, TGI_NORM_INSTANCE };
enum { TGI_HEAD_SHUFFLE, TGI_HEAD_UPSAMPLE };
enum { TGI_D_PATCHGAN, TGI_D_STARGAN, TGI_D_CRITIC };
enum { TGI_BGAN_IMAGE, TGI_BGAN_MAP };
enum { TGI_MAP_TANH, TGI_MAP_RELU };
enum { TGI_COMPOSE_SUB, TGI_COMPOSE_SUB_CLAMP, TGI_COMPOSE_SUB_TANH };
enum { TGI_ADV_BCE, TGI_ADV_SATURATING, TGI_ADV_LSGAN, TGI_ADV_WGAN, TGI_ADV_WGANGP };
enum { TGI_CLS_SIGMOID, TGI_CLS_SOFTMAX };
enum { TGI_ORDER_DG, TGI_ORDER_GD };
enum { TGI_YLABEL_SAME, TGI_YLABEL_RANDOM };
enum { TGI_FAKE_XF, TGI_FAKE_XR, TGI_FAKE_BOTH };
enum { TGI_LABELS_MULTIHOT, TGI_LABELS_SINGLE, TGI_LABELS_SAMPLE };
enum { TGI_OPT_ADAM, TGI_OPT_RMSPROP, TGI_OPT_SGD };
enum { TGI_SCHEDULE_CONSTANT, TGI_SCHEDULE_LINEAR };
enum { TGI_AUGMENT_NONE, TGI_AUGMENT_LIGHT, TGI_AUGMENT_STRONG };
enum { TGI_VALIDATE_AUTO, TGI_VALIDATE_NONE, TGI_VALIDATE_STEPS };
enum { TGI_SELECT_IMGAUC, TGI_SELECT_LOSS, TGI_SELECT_NCC, TGI_SELECT_LAST };

typedef struct tgi_settings {
#define TGI_COUNT(name, quick, standard, paper, low, high, help) size_t name;
#define TGI_REAL(name, quick, standard, paper, low, high, help)  double name;
#define TGI_CHOICE(name, choices, quick, standard, paper, help)  int name;
#include "model/settings.def"
#undef TGI_COUNT
#undef TGI_REAL
#undef TGI_CHOICE
} tgi_settings;

typedef enum tgi_preset { TGI_PRESET_QUICK, TGI_PRESET_STANDARD, TGI_PRESET_PAPER } tgi_preset;

tgi_settings tgi_settings_preset(tgi_preset preset);

/* Sets one by its name; TG_ERR_ARGUMENT with the name, its range or its choices. */
tg_status tgi_settings_set(tgi_settings *settings, const char *name,
                           const char *value) TG_MUST_CHECK;
/* "KEY=VALUE". */
tg_status tgi_settings_set_pair(tgi_settings *settings, const char *pair) TG_MUST_CHECK;
/* Reads lines "key = value"; # and ; begin comments, [section] lines are skipped. Errors name file and line. */
tg_status tgi_settings_read(tgi_settings *settings, const char *path) TG_MUST_CHECK;
/* The same from a text; `what` names it in errors. */
tg_status tgi_settings_parse(tgi_settings *settings, const char *text,
                             const char *what) TG_MUST_CHECK;
/* All of them as "key = value" lines, each after a comment with its help when with_help. */
tg_status tgi_settings_write(const tgi_settings *settings, bool with_help,
                             tgi_text *out) TG_MUST_CHECK;
/* Refuses settings that contradict each other (wgangp with a critic that has norm layers, ...). */
tg_status tgi_settings_check(const tgi_settings *settings) TG_MUST_CHECK;

/* Visits every setting as text, in order. */
typedef tg_status tgi_setting_fn(const char *name, const char *value, const char *help, void *user);
tg_status tgi_settings_each(const tgi_settings *settings, tgi_setting_fn *fn,
                            void *user) TG_MUST_CHECK;

/* Constraint function for images of size_px a side, from sign, sigma and min_area; the threshold is `value`. */
tg_tag_opts tgi_settings_tag_opts(const tgi_settings *settings, size_t width_px, size_t height_px,
                                  double threshold);

#endif

/* settings.c -- settings as text: presets, --set, config.ini, --print-config. */
#include "config.h"
#include "model/settings.h"
#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

typedef enum kind { COUNT, REAL, CHOICE } kind;

typedef struct entry {
    const char *name, *choices, *help;
    kind kind;
    size_t offset;
    double preset[3], low, high;
} entry;

static const entry entries[] = {
#define TGI_COUNT(name, quick, standard, paper, low, high, help)                                   \
    {#name, NULL, help, COUNT, offsetof(tgi_settings, name), {quick, standard, paper}, low, high},
#define TGI_REAL(name, quick, standard, paper, low, high, help)                                    \
    {#name, NULL, help, REAL, offsetof(tgi_settings, name), {quick, standard, paper}, low, high},
#define TGI_CHOICE(name, choices, quick, standard, paper, help)                                    \
    {#name, choices, help, CHOICE, offsetof(tgi_settings, name), {quick, standard, paper}, 0, 0},
#include "model/settings.def"
#undef TGI_COUNT
#undef TGI_REAL
#undef TGI_CHOICE
};

static void store(tgi_settings *settings, const entry *e, double value)
{
    char *at = (char *)settings + e->offset;

    if (e->kind == COUNT)
        memcpy(at, &(size_t){(size_t)value}, sizeof(size_t));
    else if (e->kind == REAL)
        memcpy(at, &value, sizeof value);
    else
        memcpy(at, &(int){(int)value}, sizeof(int));
}

tgi_settings tgi_settings_preset(tgi_preset preset)
{
    tgi_settings settings = {0};

    for (size_t i = 0; i < TG_COUNT(entries); i++)
        store(&settings, &entries[i], entries[i].preset[preset]);
    return settings;
}

/* Index of a word in "a|b|c", or -1. */
static int find_choice(const char *choices, const char *word)
{
    size_t n = strlen(word);

    for (int i = 0; *choices; i++) {
        size_t length = strcspn(choices, "|");

        if (length == n && !memcmp(choices, word, n))
            return i;
        choices += length + (choices[length] == '|');
    }
    return -1;
}

static void choice_word(const char *choices, int index, char *out, size_t size)
{
    while (index-- > 0)
        choices += strcspn(choices, "|") + 1;
    snprintf(out, size, "%.*s", (int)strcspn(choices, "|"), choices);
}

tg_status tgi_settings_set(tgi_settings *settings, const char *name, const char *value)
{
    const entry *e = NULL;
    double number;

    for (size_t i = 0; i < TG_COUNT(entries); i++) {
        if (!strcmp(entries[i].name, name))
            e = &entries[i];
    }
    if (!e)
        return tg_fail(TG_ERR_ARGUMENT,
                       "no setting is named '%s' (taggan-train --print-config lists them)", name);
    if (e->kind == CHOICE) {
        int index = find_choice(e->choices, value);

        if (index < 0)
            return tg_fail(TG_ERR_ARGUMENT, "setting %s: '%s' is none of %s", name, value,
                           e->choices);
        store(settings, e, index);
        return TG_OK;
    }
    if (!tgi_parse_real(value, &number) || number < e->low || number > e->high ||
        (e->kind == COUNT && number != floor(number)))
        return tg_fail(TG_ERR_ARGUMENT, "setting %s: '%s' is not %s from %g to %g", name, value,
                       e->kind == COUNT ? "a whole number" : "a number", e->low, e->high);
    store(settings, e, number);
    return TG_OK;
}

static tg_status set_span(tgi_settings *settings, const char *text, size_t n)
{
    tg_status status = TG_OK;
    const char *equals = memchr(text, '=', n);
    char *name = NULL, *value = NULL;
    size_t name_bytes;

    if (!equals)
        return tg_fail(TG_ERR_ARGUMENT, "'%.*s' is not KEY=VALUE", (int)n, text);
    name_bytes = (size_t)(equals - text);
    while (name_bytes && (text[name_bytes - 1] == ' ' || text[name_bytes - 1] == '\t'))
        name_bytes--;
    const char *begin = equals + 1, *end = text + n;
    while (begin < end && (*begin == ' ' || *begin == '\t'))
        begin++;
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    TG_TRY(tgi_strndup(text, name_bytes, &name));
    TG_TRY(tgi_strndup(begin, (size_t)(end - begin), &value));
    TG_TRY(tgi_settings_set(settings, name, value));
cleanup:
    free(name);
    free(value);
    return status;
}

tg_status tgi_settings_set_pair(tgi_settings *settings, const char *pair)
{
    return set_span(settings, pair, strlen(pair));
}

tg_status tgi_settings_parse(tgi_settings *settings, const char *text, const char *what)
{
    for (size_t line = 1; *text; line++) {
        size_t n = strcspn(text, "\n");
        size_t skip = strspn(text, " \t\r");

        if (skip < n && !strchr("#;[", text[skip])) {
            tg_status status = set_span(settings, text + skip, n - skip);
            if (status != TG_OK)
                return tg_fail_in(status, "%s, line %zu", what, line);
        }
        text += n + (text[n] == '\n');
    }
    return TG_OK;
}

tg_status tgi_settings_read(tgi_settings *settings, const char *path)
{
    char *text;
    size_t n;
    tg_status status = tgi_file_read(path, 1 << 20, &text, &n);

    if (status == TG_OK)
        status = tgi_settings_parse(settings, text, path);
    free(text);
    return status;
}

/* The shortest text that reads back as the same number: a resumed run must have the very same settings. */
static void shortest(double number, char *out, size_t size)
{
    double again;

    for (int digits = 6; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, number);
        if (tgi_parse_real(out, &again) && again == number)
            return;
    }
}

tg_status tgi_settings_each(const tgi_settings *settings, tgi_setting_fn *fn, void *user)
{
    for (size_t i = 0; i < TG_COUNT(entries); i++) {
        const entry *e = &entries[i];
        const char *at = (const char *)settings + e->offset;
        char value[64];
        tg_status status;

        if (e->kind == COUNT)
            snprintf(value, sizeof value, "%zu", *(const size_t *)(const void *)at);
        else if (e->kind == REAL)
            shortest(*(const double *)(const void *)at, value, sizeof value);
        else
            choice_word(e->choices, *(const int *)(const void *)at, value, sizeof value);
        status = fn(e->name, value, e->help, user);
        if (status != TG_OK)
            return status;
    }
    return TG_OK;
}

static tg_status add_line(const char *name, const char *value, const char *help, void *user)
{
    TG_UNUSED(help);
    return tgi_text_add(user, "%s = %s\n", name, value);
}

static tg_status add_line_with_help(const char *name, const char *value, const char *help,
                                    void *user)
{
    tg_status status = tgi_text_add(user, "# %s\n", help);

    return status == TG_OK ? tgi_text_add(user, "%s = %s\n", name, value) : status;
}

tg_status tgi_settings_write(const tgi_settings *settings, bool with_help, tgi_text *out)
{
    return tgi_settings_each(settings, with_help ? add_line_with_help : add_line, out);
}

tg_status tgi_settings_check(const tgi_settings *s)
{
    if (s->adv == TGI_ADV_WGANGP && s->netd == TGI_D_PATCHGAN)
        return tg_fail(
            TG_ERR_ARGUMENT,
            "settings adv=wgangp and netd=patchgan contradict: the gradient penalty needs a critic "
            "without norm layers (netd=critic or netd=stargan)");
    if (s->adv == TGI_ADV_WGANGP && s->netd == TGI_D_CRITIC && s->norm == TGI_NORM_INSTANCE)
        return tg_fail(
            TG_ERR_ARGUMENT,
            "settings adv=wgangp and norm=instance contradict: the gradient penalty needs a critic "
            "without norm layers (norm=none)");
    int exponent;
    if (frexp(s->loss_scale, &exponent) != 0.5)
        return tg_fail(TG_ERR_ARGUMENT, "setting loss_scale=%g is not a power of two",
                       s->loss_scale);
    if (s->id_start + s->id_ramp > 1)
        return tg_fail(
            TG_ERR_ARGUMENT,
            "settings id_start=%g and id_ramp=%g contradict: together they pass the end of the run",
            s->id_start, s->id_ramp);
    if (s->net != TGI_G_SMALL_UNET && s->cond == TGI_COND_BIAS)
        return tg_fail(TG_ERR_ARGUMENT,
                       "settings cond=bias and net=%s contradict: only small_unet has label biases",
                       s->net == TGI_G_RESNET ? "resnet"
                       : s->net == TGI_G_UNET ? "unet"
                                              : "stargan");
    return TG_OK;
}

tg_tag_opts tgi_settings_tag_opts(const tgi_settings *settings, size_t width_px, size_t height_px,
                                  double threshold)
{
    tg_tag_opts opts = tg_tag_opts_default();
    double scale = (double)width_px * (double)height_px / (256.0 * 256.0);
    double area = floor(settings->min_area * scale + 0.5);

    opts.sign = (tg_sign)settings->sign;
    opts.sigma_px = settings->sigma * sqrt(scale);
    opts.rule = TG_RULE_FIXED;
    opts.value = threshold;
    opts.min_area_px = area < 1 ? 1 : (size_t)area;
    return opts;
}

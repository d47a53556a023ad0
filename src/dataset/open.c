/* open.c -- which reader a data set gets: the kind that is asked for, or the one that recognises
 * it. */
#include "config.h"
#include "dataset/published.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

tg_dataset_opts tg_dataset_opts_default(void)
{
    return (tg_dataset_opts){.kind = "auto", .seed = 1, .val_share = 0.1};
}

bool tgi_is_below(const char *root, const char *name, bool (*test)(const char *))
{
    char *path = NULL;
    const bool is = tgi_path_join(root, name, &path) == TG_OK && test(path);

    free(path);
    return is;
}

static tg_status read_phantom(tg_dataset *set, const char *spec, const tg_dataset_opts *opts)
{
    const char *keys = strchr(spec, ':');

    return tgi_drawn_read(set, TGI_ORIGIN_PHANTOM, keys ? keys + 1 : "", opts);
}

static tg_status read_vagan(tg_dataset *set, const char *spec, const tg_dataset_opts *opts)
{
    const char *keys = strchr(spec, ':');

    return tgi_drawn_read(set, TGI_ORIGIN_VAGAN, keys ? keys + 1 : "", opts);
}

/* NAME or NAME:... */
static bool is_drawn_spec(const char *spec, const char *name)
{
    const size_t n = strlen(name);

    return tgi_starts_with(spec, name) && (!spec[n] || spec[n] == ':') && !tgi_is_folder(spec);
}

static bool is_phantom(const char *spec)
{
    return is_drawn_spec(spec, "phantom");
}

static bool is_vagan(const char *spec)
{
    return is_drawn_spec(spec, "vagan-synthetic");
}

static bool has_labels(const char *spec)
{
    return tgi_is_below(spec, "labels.csv", tgi_is_file);
}

/* What a kind tells about an image beside its labels. */
typedef enum knowledge { KNOWS_VIEW = 1, KNOWS_SEX = 2, KNOWS_UNCERTAIN = 4 } knowledge;

/* One line a kind of data set. `sign` is what to look for, in words. */
static const struct kind {
    const char *name;
    tg_status (*read)(tg_dataset *set, const char *spec, const tg_dataset_opts *opts);
    bool (*recognises)(const char *spec);
    const char *sign;
    unsigned knows; /* of knowledge */
    bool is_ours;   /* a form that nobody else writes: it needs no second opinion */
} kinds[] = {
    {"phantom", read_phantom, is_phantom, NULL, 0, true},
    {"vagan-synthetic", read_vagan, is_vagan, NULL, 0, true},
    {"csv", tgi_labels_read, has_labels, "labels.csv", 0, true},
    {"chexpert", tgi_chexpert_read, tgi_chexpert_recognises,
     "CheXpert's train.csv, valid.csv or test.csv", KNOWS_VIEW | KNOWS_SEX | KNOWS_UNCERTAIN,
     false},
    {"nih", tgi_nih_read, tgi_nih_recognises, "ChestX-ray14's Data_Entry_2017*.csv",
     KNOWS_VIEW | KNOWS_SEX, false},
    {"tbx11k", tgi_tbx11k_read, tgi_tbx11k_recognises, "TBX11K's imgs and lists or annotations", 0,
     false},
    {"covid", tgi_covid_read, tgi_covid_recognises, "COVID-CXNet's chest_xray_images/covid19", 0,
     false},
    {"rsna", tgi_rsna_read, tgi_rsna_recognises, "RSNA's stage_2_train_labels.csv", 0, false},
    {"vindr", tgi_vindr_read, tgi_vindr_recognises,
     "VinDr-CXR's train.csv or annotations_train.csv", 0, false},
    {"shenzhen", tgi_shenzhen_read, tgi_shenzhen_recognises, "Shenzhen's CXR_png/CHNCXR_*",
     KNOWS_SEX, false},
    {"montgomery", tgi_montgomery_read, tgi_montgomery_recognises, "Montgomery's CXR_png/MCUCXR_*",
     KNOWS_SEX, false},
    {"folder", tgi_folder_read, NULL, NULL, 0, false},
};

/* A choice of images that the kind cannot make is refused rather than forgotten. */
static tg_status check_choices(const struct kind *kind, const tg_dataset_opts *opts)
{
    const struct choice {
        const char *what, *value, *values;
        knowledge needs;
    } choices[] = {
        {"view", opts->view, "frontal,lateral,pa,ap,all", KNOWS_VIEW},
        {"sex", opts->sex, "all,male,female", KNOWS_SEX},
        {"uncertain labels", opts->uncertain, "zeros,ones,ignore", KNOWS_UNCERTAIN},
    };

    for (size_t k = 0; k < TG_COUNT(choices); k++) {
        const struct choice *c = &choices[k];
        const tg_dataset_opts list = {.classes = c->values};

        if (!c->value)
            continue;
        if (!tgi_is_class_wanted(&list, c->value))
            return tg_fail(TG_ERR_ARGUMENT, "cannot choose by %s: unknown choice '%s' (%s)",
                           c->what, c->value, c->values);
        if (!(kind->knows & c->needs))
            return tg_fail(TG_ERR_ARGUMENT,
                           "cannot choose by %s: data sets of the kind %s do not tell", c->what,
                           kind->name);
    }
    return TG_OK;
}

static tg_status read_as(tg_dataset *set, const struct kind *kind, const char *spec,
                         const tg_dataset_opts *opts)
{
    tg_status status = TG_OK;

    TG_TRY(check_choices(kind, opts));
    TG_TRY(kind->read(set, spec, opts));
cleanup:
    return status;
}

static const struct kind *find_kind(const char *name)
{
    for (size_t k = 0; k < TG_COUNT(kinds); k++)
        if (strcmp(kinds[k].name, name) == 0)
            return &kinds[k];
    return NULL;
}

static tg_status nothing_recognised(const char *spec)
{
    tg_status status = TG_OK;
    tgi_text signs = {0};

    if (!tgi_is_folder(spec) && !tgi_is_file(spec))
        return tg_fail(TG_ERR_IO,
                       "cannot open '%s': no such file or folder, nor phantom or vagan-synthetic",
                       spec);
    if (!tgi_is_folder(spec))
        return tg_fail(TG_ERR_FORMAT, "cannot open '%s': neither a folder nor a table named .csv",
                       spec);
    for (size_t k = 0; k < TG_COUNT(kinds); k++)
        if (kinds[k].sign)
            TG_TRY(tgi_text_add(&signs, "%s, ", kinds[k].sign));
    status = tg_fail(TG_ERR_FORMAT,
                     "cannot open '%s': no data set (looked for %sand for train/CLASS, val/CLASS, "
                     "test/CLASS or CLASS folders with png, jpg, jpeg, jfif or dcm files)",
                     spec, signs.data);
cleanup:
    tgi_text_release(&signs);
    return status;
}

/* The kind of a spec: one that recognises it, and no second one. */
static tg_status recognise(const char *spec, const struct kind **out)
{
    const struct kind *found = NULL;

    for (size_t k = 0; k < TG_COUNT(kinds) && !(found && found->is_ours); k++) {
        if (!kinds[k].recognises || !kinds[k].recognises(spec))
            continue;
        if (found)
            return tg_fail(TG_ERR_FORMAT,
                           "cannot tell what '%s' is: it holds both %s (kind %s) and %s (kind %s); "
                           "name the kind",
                           spec, found->sign, found->name, kinds[k].sign, kinds[k].name);
        found = &kinds[k];
    }
    if (!found && tgi_is_folder(spec) && tgi_folder_has_classes(spec))
        found = find_kind("folder");
    if (!found && tgi_is_file(spec) && strlen(spec) > 4 &&
        tgi_same_word(spec + strlen(spec) - 4, ".csv"))
        found = find_kind("csv");
    if (!found)
        return nothing_recognised(spec);
    if (!found->is_ours)
        tg_log(TG_LOG_DEBUG, "%s: read as %s", spec, found->name);
    *out = found;
    return TG_OK;
}

static tg_status unknown_kind(const char *spec, const char *name)
{
    tg_status status = TG_OK;
    tgi_text names = {0};

    for (size_t k = 0; k < TG_COUNT(kinds); k++)
        TG_TRY(tgi_text_add(&names, ", %s", kinds[k].name));
    status = tg_fail(TG_ERR_ARGUMENT, "cannot open '%s': unknown kind '%s' (auto%s)", spec, name,
                     names.data);
cleanup:
    tgi_text_release(&names);
    return status;
}

tg_status tg_dataset_open(const char *spec, const tg_dataset_opts *opts, tg_dataset **out)
{
    tg_status status = TG_OK;
    tg_dataset *set = NULL;
    const tg_dataset_opts defaults = tg_dataset_opts_default();
    const struct kind *kind = NULL;

    *out = NULL;
    if (!opts)
        opts = &defaults;
    if (!(opts->val_share >= 0 && opts->val_share < 1))
        return tg_fail(TG_ERR_ARGUMENT, "cannot hold out %g of the images: the share is 0 to 1",
                       opts->val_share);
    if (!opts->kind || strcmp(opts->kind, "auto") == 0)
        TG_TRY(recognise(spec, &kind));
    else
        kind = find_kind(opts->kind);
    if (!kind)
        return unknown_kind(spec, opts->kind);
    TG_TRY(tgi_alloc(1, sizeof *set, &set));
    TG_TRY(tgi_strdup(spec, &set->spec));
    TG_TRY(read_as(set, kind, spec, opts));
    *out = set;
    set = NULL;
cleanup:
    tg_dataset_free(set);
    return status;
}

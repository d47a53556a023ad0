/* tag_inputs.c -- files, folders and data sets as one list of images with names of their own. */
#include "config.h"
#include "report/tag_inputs.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "dataset/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { MAX_DEPTH = 32 }; /* folders inside folders: a link may lead back */

void tgi_tag_inputs_release(tgi_tag_inputs *inputs)
{
    for (size_t i = 0; i < inputs->n; i++) {
        free(inputs->items[i].name);
        free(inputs->items[i].file);
    }
    for (size_t i = 0; i < inputs->n_sets; i++)
        tg_dataset_free(inputs->sets[i]);
    free(inputs->items);
    free(inputs->sets);
    *inputs = (tgi_tag_inputs){0};
}

/* A new input; its file may be NULL. */
static tg_status add_input(tgi_tag_inputs *inputs, const char *file, tgi_tag_input input)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_grow(&inputs->items, &inputs->capacity, inputs->n + 1, sizeof *inputs->items));
    if (file)
        TG_TRY(tgi_strdup(file, &input.file));
    inputs->items[inputs->n++] = input;
cleanup:
    return status;
}

/* ---- folders ---- */

static bool is_image_name(const char *name)
{
    static const char *const endings[] = {"png", "jpg", "jpeg", "jfif", "dcm", "dicom"};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && dot != name && i < TG_COUNT(endings); i++) {
        if (tgi_same_word(dot + 1, endings[i]))
            return true;
    }
    return false;
}

static bool holds(const char *folder, const char *name)
{
    char *path = NULL;
    bool is_there = tgi_path_join(folder, name, &path) == TG_OK && tgi_is_file(path);

    free(path);
    return is_there;
}

static tg_status add_folder(tgi_tag_inputs *inputs, const char *folder, size_t below, int depth)
{
    tg_status status = TG_OK;
    char **names = NULL, *path = NULL;
    size_t n = 0;

    if (depth > MAX_DEPTH)
        return tg_fail(TG_ERR_IO, "cannot read '%s': more than %d folders inside one another",
                       folder, MAX_DEPTH);
    TG_TRY(tgi_folder_list(folder, &names, &n));
    for (size_t i = 0; i < n; i++) {
        if (names[i][0] == '.')
            continue;
        free(path);
        path = NULL;
        TG_TRY(tgi_path_join(folder, names[i], &path));
        if (!tgi_is_folder(path)) {
            if (is_image_name(names[i]))
                TG_TRY(add_input(inputs, path, (tgi_tag_input){.below = below}));
        } else if (holds(path, "tags.json")) {
            tg_log(TG_LOG_INFO, "%s: left out, it holds results of an earlier run", path);
        } else {
            TG_TRY(add_folder(inputs, path, below, depth + 1));
        }
    }
cleanup:
    tgi_names_free(names, n);
    free(path);
    return status;
}

/* ---- data sets ---- */

static bool is_drawn(const char *spec, const char *name)
{
    size_t n = strlen(name);

    return tgi_starts_with(spec, name) && (!spec[n] || spec[n] == ':');
}

static bool is_dataset(const char *operand, const tgi_tag_inputs_opts *opts)
{
    bool is_asked_for =
        opts->split || (opts->dataset.kind && strcmp(opts->dataset.kind, "auto") != 0);
    size_t n = strlen(operand);

    if (tgi_is_folder(operand))
        return is_asked_for || holds(operand, "labels.csv");
    if (tgi_is_file(operand))
        return n > 4 && tgi_same_word(operand + n - 4, ".csv");
    return is_drawn(operand, "phantom") || is_drawn(operand, "vagan-synthetic");
}

static bool is_in_split(const tg_dataset *set, size_t i, const char *split, bool has_test)
{
    static const char *const names[] = {"train", "val", "test"};
    tg_split is = tg_dataset_sample(set, i).split;

    if (!split)
        return !has_test || is == TG_SPLIT_TEST;
    return !strcmp(split, "all") || !strcmp(split, names[is]);
}

static tg_status add_dataset(tgi_tag_inputs *inputs, const char *spec,
                             const tgi_tag_inputs_opts *opts)
{
    tg_status status = TG_OK;
    tg_dataset_opts how = opts->dataset;
    tg_dataset *set = NULL;
    size_t before = inputs->n;
    bool has_test = false;

    how.is_lenient = true; /* a missing file is one unreadable image, not the end of all */
    TG_TRY(
        tgi_grow(&inputs->sets, &inputs->sets_capacity, inputs->n_sets + 1, sizeof *inputs->sets));
    TG_TRY(tg_dataset_open(spec, &how, &set));
    inputs->sets[inputs->n_sets++] = set;
    for (size_t i = 0; i < tg_dataset_n_samples(set); i++)
        has_test |= tg_dataset_sample(set, i).split == TG_SPLIT_TEST;
    for (size_t i = 0; i < tg_dataset_n_samples(set); i++) {
        if (is_in_split(set, i, opts->split, has_test))
            TG_TRY(add_input(inputs, tg_dataset_sample(set, i).file,
                             (tgi_tag_input){.set = set, .sample = i}));
    }
    if (inputs->n == before)
        status = tg_fail(TG_ERR_ARGUMENT, "'%s' has no image in split %s", spec,
                         opts->split ? opts->split : "all");
cleanup:
    return status;
}

tg_status tgi_tag_inputs_add(tgi_tag_inputs *inputs, const char *operand,
                             const tgi_tag_inputs_opts *opts)
{
    tg_status status = TG_OK;
    size_t before = inputs->n;

    if (is_dataset(operand, opts))
        return add_dataset(inputs, operand, opts);
    if (!tgi_is_folder(operand))
        return add_input(inputs, operand, /* if it is not there, loading it says so */
                         (tgi_tag_input){.below = (size_t)(tgi_path_name(operand) - operand)});
    TG_TRY(add_folder(inputs, operand, strlen(operand), 1));
    if (inputs->n == before)
        tg_log(TG_LOG_WARNING, "%s: no images (names that end in png, jpg, jpeg, jfif, dcm)",
               operand);
cleanup:
    return status;
}

/* ---- names ---- */

typedef enum naming { BY_BASE, BY_FOLDERS_BELOW, BY_FOLDERS, BY_ENDING, BY_NUMBER } naming;

/* "ward/a/x.png" -> "ward_a_x", with its ending "ward_a_x_png"; steps that lead nowhere are left
 * out. */
static tg_status flatten(const char *file, size_t n, char **out)
{
    tg_status status = TG_OK;
    tgi_text text = {0};

    while (n) {
        size_t part = strcspn(file, "/");

        part = part < n ? part : n;
        if (part && !(part == 1 && file[0] == '.') && !(part == 2 && !strncmp(file, "..", 2)))
            TG_TRY(tgi_text_add(&text, "%s%.*s", text.size ? "_" : "", (int)part, file));
        n -= part;
        file += part;
        if (n) {
            n--;
            file++;
        }
    }
    *out = text.data;
    return TG_OK;
cleanup:
    tgi_text_release(&text);
    return status;
}

static tg_status make_name(const tgi_tag_input *input, size_t i, naming how, char **out)
{
    tg_status status = TG_OK;
    const char *file = input->file;
    size_t stem, n;

    *out = NULL;
    if (input->set && how == BY_BASE)
        return tgi_strdup(tg_dataset_sample(input->set, input->sample).name, out);
    if (!file) /* drawn */
        return tgi_printf(out, "%s_%zu", input->name, i + 1);
    stem = (size_t)(tgi_path_name(file) - file) + tgi_stem_size(tgi_path_name(file));
    n = strlen(file);
    switch (how) {
    case BY_BASE:
        return tgi_strndup(tgi_path_name(file), tgi_stem_size(tgi_path_name(file)), out);
    case BY_FOLDERS_BELOW:
        return flatten(file + input->below, stem - input->below, out);
    case BY_FOLDERS:
        return flatten(file, stem, out);
    case BY_ENDING:
        TG_TRY(flatten(file, n, out));
        if (n > stem)
            (*out)[strlen(*out) - (n - stem)] = '_';
        return TG_OK;
    default:
        return tgi_printf(out, "%s_%zu", input->name, i + 1);
    }
cleanup:
    return status;
}

/* New names, made that way, for all images that share one; *is_unique when there were none. */
static tg_status rename_shared(tgi_tag_inputs *inputs, tgi_key *keys, naming how, bool *is_unique)
{
    tg_status status = TG_OK;

    *is_unique = true;
    for (size_t i = 0; i < inputs->n; i++)
        keys[i] = (tgi_key){inputs->items[i].name, i};
    tgi_keys_sort(keys, inputs->n);
    for (size_t first = 0, end; first < inputs->n; first = end) {
        for (end = first + 1; end < inputs->n && !strcmp(keys[first].text, keys[end].text);)
            end++;
        for (size_t k = first; k < end && end - first > 1; k++) {
            tgi_tag_input *input = &inputs->items[keys[k].i];
            char *name;

            *is_unique = false;
            TG_TRY(make_name(input, keys[k].i, how, &name));
            keys[k].text = name; /* the old one goes, so do comparisons with it: see end above */
            free(input->name);
            input->name = name;
        }
    }
cleanup:
    return status;
}

tg_status tgi_tag_inputs_name(tgi_tag_inputs *inputs)
{
    tg_status status = TG_OK;
    bool is_unique = false;
    tgi_key *keys = NULL;

    TG_TRY(tgi_alloc(inputs->n, sizeof *keys, &keys));
    for (size_t i = 0; i < inputs->n; i++)
        TG_TRY(make_name(&inputs->items[i], i, BY_BASE, &inputs->items[i].name));
    for (int how = BY_FOLDERS_BELOW; !is_unique;
         how += how < BY_NUMBER) /* numbers end it: they add up */
        TG_TRY(rename_shared(inputs, keys, (naming)how, &is_unique));
cleanup:
    free(keys);
    return status;
}

tg_status tgi_tag_input_load(const tgi_tag_input *input, tg_image *out)
{
    return input->set ? tg_dataset_load(input->set, input->sample, 0, out)
                      : tg_image_load(input->file, out);
}

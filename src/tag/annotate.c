/* annotate.c -- collects tagged images and hands them to the writers of the formats that were asked
 * for. */
#include "config.h"
#include "tag/annotate.h"
#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static const struct {
    const char *word;
    tg_annotate_format format;
    tg_status (*write)(const tg_annotations *a);
} formats[] = {{"coco", TG_ANNOTATE_COCO, tgi_annotate_coco},
               {"voc", TG_ANNOTATE_VOC, tgi_annotate_voc},
               {"yolo", TG_ANNOTATE_YOLO, tgi_annotate_yolo},
               {"labelstudio", TG_ANNOTATE_LABELSTUDIO, tgi_annotate_labelstudio},
               {"csv", TG_ANNOTATE_CSV, tgi_annotate_csv}};

tg_status tg_annotate_formats_parse(const char *text, unsigned *out)
{
    unsigned sum = 0;

    *out = 0;
    for (const char *word = text; *word;) {
        size_t n = strcspn(word, ","), i;

        for (i = 0; i < TG_COUNT(formats); i++) {
            if (strlen(formats[i].word) == n && !strncmp(formats[i].word, word, n))
                break;
        }
        if (i == TG_COUNT(formats))
            return tg_fail(
                TG_ERR_ARGUMENT,
                "annotation format '%.*s' is unknown (coco, voc, yolo, labelstudio, csv)", (int)n,
                word);
        sum |= formats[i].format;
        word += n + (word[n] == ',');
    }
    *out = sum;
    return TG_OK;
}

tg_status tg_annotations_new(const char *folder, unsigned wanted, const char *const *classes,
                             size_t n_classes, tg_annotations **out)
{
    tg_status status = TG_OK;
    tg_annotations *a = NULL;

    *out = NULL;
    TG_TRY(tgi_alloc(1, sizeof *a, &a));
    a->formats = wanted;
    TG_TRY(tgi_strdup(folder, &a->folder));
    TG_TRY(tgi_alloc(n_classes, sizeof *a->classes, &a->classes));
    for (size_t k = 0; k < n_classes; k++) {
        TG_TRY(tgi_utf8(classes[k], &a->classes[k]));
        a->n_classes++;
    }
    *out = a;
    a = NULL;
cleanup:
    tg_annotations_free(a);
    return status;
}

void tg_annotations_free(tg_annotations *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n_images; i++) {
        tgi_annotated *image = &a->images[i];

        for (size_t j = 0; j < image->n_items; j++)
            free(image->items[j].counts);
        free(image->items);
        free(image->name);
        free(image->file);
    }
    for (size_t k = 0; k < a->n_classes; k++)
        free(a->classes[k]);
    free(a->classes);
    free(a->images);
    free(a->folder);
    free(a);
}

tg_status tgi_rle_encode(const uint32_t *labels, size_t width_px, size_t height_px, uint32_t label,
                         size_t **counts, size_t *n_counts)
{
    tg_status status = TG_OK;
    size_t capacity = 0, n = 0, *runs = NULL;
    int inside = 0;

    *counts = NULL;
    *n_counts = 0;
    TG_TRY(tgi_grow(&runs, &capacity, 1, sizeof *runs));
    n = 1;
    for (size_t x = 0; x < width_px; x++) {
        for (size_t y = 0; y < height_px; y++) {
            int is_mine = labels[y * width_px + x] == label;

            if (is_mine != inside) {
                TG_TRY(tgi_grow(&runs, &capacity, n + 1, sizeof *runs));
                runs[n++] = 0;
                inside = is_mine;
            }
            runs[n - 1]++;
        }
    }
    *counts = runs;
    *n_counts = n;
    runs = NULL;
cleanup:
    free(runs);
    return status;
}

/* The image of that name when it was the last one added, else a new one. */
static tg_status image_for(tg_annotations *a, const tg_annotated *wanted, tgi_annotated **out)
{
    tg_status status = TG_OK;
    tgi_annotated image = {.width_px = wanted->width_px, .height_px = wanted->height_px};

    *out = a->n_images ? &a->images[a->n_images - 1] : NULL;
    if (*out && !strcmp((*out)->name, wanted->name) && (*out)->width_px == wanted->width_px &&
        (*out)->height_px == wanted->height_px)
        return TG_OK;
    TG_TRY(tgi_utf8(wanted->name, &image.name));
    TG_TRY(tgi_utf8(wanted->file ? wanted->file : wanted->name, &image.file));
    TG_TRY(tgi_grow(&a->images, &a->capacity, a->n_images + 1, sizeof *a->images));
    *out = &a->images[a->n_images++];
    **out = image;
    image = (tgi_annotated){0};
cleanup:
    free(image.name);
    free(image.file);
    return status;
}

tg_status tg_annotations_add(tg_annotations *a, const tg_annotated *wanted, const tg_tags *tags)
{
    tg_status status = TG_OK;
    tgi_annotated *image;

    if (tags->mask.width_px != wanted->width_px || tags->mask.height_px != wanted->height_px)
        return tg_fail(TG_ERR_SHAPE,
                       "annotations of '%s': an image of %zu x %zu with a mask of %zu x %zu pixels",
                       wanted->name, wanted->width_px, wanted->height_px, tags->mask.width_px,
                       tags->mask.height_px);
    if (wanted->class_index >= a->n_classes)
        return tg_fail(TG_ERR_ARGUMENT, "annotations of '%s': class %zu of %zu", wanted->name,
                       wanted->class_index, a->n_classes);
    if (strchr(wanted->name, '/') || !wanted->name[0])
        return tg_fail(TG_ERR_ARGUMENT, "annotations: '%s' is not a name for a file", wanted->name);
    TG_TRY(image_for(a, wanted, &image));
    TG_TRY(tgi_grow(&image->items, &image->capacity, image->n_items + tags->n_regions,
                    sizeof *image->items));
    for (size_t i = 0; i < tags->n_regions; i++) {
        tgi_annotation item = {.class_index = wanted->class_index, .region = tags->regions[i]};

        TG_TRY(tgi_rle_encode(tags->labels, wanted->width_px, wanted->height_px, (uint32_t)i + 1,
                              &item.counts, &item.n_counts));
        image->items[image->n_items++] = item;
    }
cleanup:
    return status;
}

tg_status tg_annotations_finish(tg_annotations *a)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_mkdirs(a->folder));
    for (size_t i = 0; i < TG_COUNT(formats); i++) {
        if (a->formats & formats[i].format)
            TG_TRY(formats[i].write(a));
    }
cleanup:
    return status;
}

size_t tg_annotations_n_images(const tg_annotations *a)
{
    return a->n_images;
}

size_t tg_annotations_n_regions(const tg_annotations *a)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n_images; i++)
        n += a->images[i].n_items;
    return n;
}

tg_status tgi_text_add_fixed(tgi_text *text, double value, int decimals)
{
    double scale = 1, whole, scaled = fabs(value);

    if (!isfinite(value) || scaled > 1e9)
        return tg_fail(TG_ERR_NUMERIC, "cannot write the number %g", value);
    for (int i = 0; i < decimals; i++)
        scale *= 10;
    scaled = floor(scaled * scale + 0.5);
    whole = floor(scaled / scale);
    return tgi_text_add(text, "%s%.0f.%0*.0f", value < 0 && scaled > 0 ? "-" : "", whole, decimals,
                        scaled - whole * scale);
}

tg_status tgi_utf8(const char *s, char **out)
{
    json_t *probe = json_string(s);

    if (tgi_strdup(s, out) != TG_OK) {
        json_decref(probe);
        return TG_ERR_MEMORY;
    }
    for (char *p = *out; !probe && *p; p++)
        *p = (unsigned char)*p < 0x80 ? *p : '?';
    json_decref(probe);
    return TG_OK;
}

json_t *tgi_json_text(const char *s)
{
    char *valid;
    json_t *text;

    if (tgi_utf8(s, &valid) != TG_OK)
        return NULL;
    text = json_string(valid);
    free(valid);
    return text;
}

tg_status tgi_json_save(const char *path, const json_t *root)
{
    tg_status status;
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;

    if (!text)
        return tg_fail(TG_ERR_MEMORY, "cannot write '%s': out of memory, or a number is not finite",
                       path);
    status = tgi_file_write(path, text, strlen(text));
    free(text);
    return status;
}

tg_status tgi_annotate_folder(const tg_annotations *a, const char *sub, char **out)
{
    tg_status status = TG_OK;
    char *path = NULL;

    *out = NULL;
    TG_TRY(tgi_path_join(a->folder, sub, &path));
    TG_TRY(tgi_mkdirs(path));
    *out = path;
    path = NULL;
cleanup:
    free(path);
    return status;
}

tg_status tgi_annotate_write(const char *folder, const char *name, const char *ending,
                             const tgi_text *text)
{
    tg_status status = TG_OK;
    char *path = NULL;

    TG_TRY(tgi_printf(&path, "%s/%s%s", folder, name, ending));
    TG_TRY(tgi_file_write(path, text->data ? text->data : "", text->size));
cleanup:
    free(path);
    return status;
}

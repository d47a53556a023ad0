/* tag_run.c -- from a list of inputs to their files: batches are read, run on the device, and
 * written one image after another. */
#include "config.h"
#include "report/tag_run.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/panel.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"

/* The images of one device call. */
typedef struct batch {
    size_t n, *input; /* [n_batch] */
    tg_image *images;
} batch;

typedef struct run {
    tg_tagger *tagger;
    const tgi_tag_inputs *inputs;
    const tgi_tag_run_opts *opts;
    tgi_tag_result *result;
    tg_annotations *annotations;
    tgi_progress *progress;
    size_t n_told; /* inputs done when progress was last told */
    double started_s;
} run;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void tgi_tag_result_release(tgi_tag_result *result)
{
    for (size_t i = 0; i < result->n_rows; i++) {
        free(result->rows[i].label);
        free(result->rows[i].probabilities);
    }
    free(result->rows);
    for (size_t k = 0; k < TG_COUNT(result->examples); k++) {
        for (size_t i = 0; i < result->n_examples[k]; i++)
            free(result->examples[k][i].png);
    }
    *result = (tgi_tag_result){0};
}

/* ---- the files of one image ---- */

/* "FOLDER/NAME.CLASS" for findings of one class among several, else "FOLDER/NAME". */
static tg_status stem_of(const run *r, const char *name, const tg_finding *finding,
                         bool is_one_of_several, char **out)
{
    size_t before;
    tg_status status;

    if (!is_one_of_several)
        return tgi_printf(out, "%s/%s", r->opts->folder, name);
    status = tgi_printf(out, "%s/%s.%s", r->opts->folder, name,
                        tg_tagger_class_name(r->tagger, finding->class_index));
    before = strlen(r->opts->folder) + 1;
    for (char *p = status == TG_OK ? *out + before : NULL; p && *p; p++)
        *p = *p == '/' ? '_' : *p;
    return status;
}

/* Path of a file of a stem; valid until the next call with the same text. */
static const char *path_of(tgi_text *path, const char *stem, const char *ending)
{
    path->size = 0;
    return tgi_text_add(path, "%s%s", stem, ending) == TG_OK ? path->data : "";
}

static tg_status save_overlay(const char *path, const tg_image *image, const tg_tags *tags)
{
    tg_status status = TG_OK;
    uint8_t *rgb = NULL;

    TG_TRY(tgi_alloc(image->width_px * image->height_px, 3, &rgb));
    TG_TRY(tg_overlay_draw(image, tags, NULL, 0, rgb));
    TG_TRY(tg_rgb_save(path, rgb, image->width_px, image->height_px));
cleanup:
    free(rgb);
    return status;
}

/* Map, mask, and for the whole image the healthy one and the overlay. */
static tg_status save_finding(const run *r, const char *name, const tg_image *image,
                              const tg_finding *finding, bool is_one_of_several)
{
    tg_status status = TG_OK;
    tgi_text path = {0};
    char *stem = NULL;

    TG_TRY(stem_of(r, name, finding, is_one_of_several, &stem));
    TG_TRY(tg_map_save(path_of(&path, stem, ".map.png"), &finding->map));
    TG_TRY(tg_mask_save(path_of(&path, stem, ".mask.png"), &finding->tags.mask));
    if (r->opts->has_npy)
        TG_TRY(tg_map_save_npy(path_of(&path, stem, ".map.npy"), &finding->map));
    if (is_one_of_several)
        goto cleanup;
    TG_TRY(tg_image_save(path_of(&path, stem, ".healthy.png"), &finding->healthy));
    TG_TRY(save_overlay(path_of(&path, stem, ".overlay.png"), image, &finding->tags));
cleanup:
    tgi_text_release(&path);
    free(stem);
    return status;
}

/* Regions by class: where several classes were looked for, from the map of each. */
static tg_status annotate(const run *r, const tgi_tag_input *input, const tg_image *image,
                          const tg_tagged *tagged)
{
    tg_status status = TG_OK;
    char *drawn = NULL;

    if (!input->file)
        TG_TRY(tgi_printf(&drawn, "%s.png", input->name));
    for (size_t f = tagged->n_findings > 1; f < tagged->n_findings; f++) {
        const tg_finding *finding = &tagged->findings[f];
        const tg_annotated annotated = {.name = input->name,
                                        .file = input->file ? input->file : drawn,
                                        .width_px = image->width_px,
                                        .height_px = image->height_px,
                                        .class_index = finding->class_index};

        TG_TRY(tg_annotations_add(r->annotations, &annotated, &finding->tags));
    }
cleanup:
    free(drawn);
    return status;
}

/* ---- what the summary and the report need of it ---- */

static tg_status label_text(const run *r, const tg_tagged *tagged, char **out)
{
    tg_status status = TG_OK;
    tgi_text text = {0};

    for (size_t f = tagged->n_findings > 1; f < tagged->n_findings; f++)
        TG_TRY(tgi_text_add(&text, "%s%s", text.size ? ";" : "",
                            tg_tagger_class_name(r->tagger, tagged->findings[f].class_index)));
    *out = text.data;
    text = (tgi_text){0};
cleanup:
    tgi_text_release(&text);
    return status;
}

static tg_status keep_example(run *r, const tgi_tag_input *input, const tg_image *image,
                              const tg_finding *finding)
{
    static const char *const headings[] = {"input", "disease map", "mask", "boxes",
                                           "healthy estimate"};
    tg_status status = TG_OK;
    const tg_tags *tags = &finding->tags;
    int kind = tags->n_regions > 0;
    size_t *n = &r->result->n_examples[kind];
    tgi_text png = {0};

    if (*n == TGI_TAG_EXAMPLES)
        return TG_OK;
    const tgi_cell cells[TG_COUNT(headings)] = {
        {.kind = TGI_CELL_GREY, .image = image},
        {.kind = TGI_CELL_MAP, .image = &finding->map},
        {.kind = TGI_CELL_MASK, .mask = &tags->mask},
        {.kind = TGI_CELL_GREY,
         .image = image,
         .mask = &tags->mask,
         .regions = tags->regions,
         .n_regions = tags->n_regions},
        {.kind = TGI_CELL_GREY, .image = &finding->healthy}};
    const tgi_panel_row row = {.caption = input->name, .cells = cells};
    const tgi_panel panel = {.headings = headings,
                             .n_columns = TG_COUNT(headings),
                             .rows = &row,
                             .n_rows = 1,
                             .density = 1.5};
    TG_TRY(tgi_panel_draw(&panel, &png));
    r->result->examples[kind][(*n)++] = (tgi_tag_example){png.data, png.size};
    png = (tgi_text){0};
cleanup:
    tgi_text_release(&png);
    return status;
}

static tg_status add_row(run *r, size_t input, const tg_image *image, tg_tagged *tagged,
                         double seconds)
{
    tg_status status = TG_OK;
    tgi_tag_result *result = r->result;
    const tg_finding *whole = &tagged->findings[0];
    size_t n_pixels = image->width_px * image->height_px, n_set = 0;
    const tgi_tag_input *from = &r->inputs->items[input];
    tgi_tag_row row = {.input = input,
                       .max_score = whole->tags.max_score,
                       .mean_score = whole->mean_score,
                       .seconds = seconds};

    TG_TRY(tgi_grow(&result->rows, &result->capacity, result->n_rows + 1, sizeof *result->rows));
    TG_TRY(label_text(r, tagged, &row.label));
    for (size_t i = 0; i < n_pixels; i++)
        n_set += whole->tags.mask.pixels[i];
    row.area_share = (double)n_set / (double)n_pixels;
    for (size_t f = tagged->n_findings > 1; f < tagged->n_findings; f++)
        row.n_boxes += tagged->findings[f].tags.n_regions;
    row.probabilities = tagged->probabilities; /* taken over */
    tagged->probabilities = NULL;
    result->rows[result->n_rows++] = row;
    result->n_boxes += row.n_boxes;
    result->n_with_boxes += row.n_boxes > 0;
    if (from->set && !tg_dataset_sample(from->set, from->sample).is_diseased) {
        result->n_healthy++;
        result->n_healthy_fire += row.n_boxes > 0;
    }
cleanup:
    return status;
}

/* One image of a batch that the device is done with: map -> mask -> boxes -> files. */
static tg_status write_image(run *r, const batch *b, const tgi_tag_batch *tagged_batch, size_t i,
                             double device_s)
{
    tg_status status = TG_OK;
    const tgi_tag_input *input = &r->inputs->items[b->input[i]];
    const tg_image *image = &b->images[i];
    tg_tagged tagged = {0};
    double started = now_s();

    TG_TRY(tgi_tag_batch_finish(r->tagger, tagged_batch, i, image, &r->opts->tagger, &tagged));
    for (size_t f = 0; f < tagged.n_findings; f++)
        TG_TRY(save_finding(r, input->name, image, &tagged.findings[f], f > 0));
    TG_TRY(annotate(r, input, image, &tagged));
    TG_TRY(keep_example(r, input, image, &tagged.findings[0]));
    TG_TRY(add_row(r, b->input[i], image, &tagged, device_s + now_s() - started));
cleanup:
    if (status != TG_OK)
        tg_fail_in(status, "image '%s'", input->file ? input->file : input->name);
    tg_tagged_release(&tagged);
    return status;
}

/* ---- all of them ---- */

static void batch_release(batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        tg_image_release(&b->images[i]);
    b->n = 0;
}

/* Reads the next images into the batch; those that cannot be read are named and counted. */
static tg_status read_batch(run *r, size_t *next, batch *b)
{
    while (b->n < r->opts->n_batch && *next < r->inputs->n) {
        size_t input = (*next)++;
        tg_status status = tgi_tag_input_load(&r->inputs->items[input], &b->images[b->n]);

        if (status == TG_ERR_MEMORY)
            return status;
        if (status != TG_OK) {
            tgi_progress_end(r->progress);
            tg_log(TG_LOG_ERROR, "%s", tg_error_message());
            r->result->n_failed++;
            continue;
        }
        b->input[b->n++] = input;
    }
    return TG_OK;
}

static void tell(run *r, size_t n_done)
{
    bool is_rows = tgi_progress_shown_as(r->progress) == TGI_PROGRESS_ROWS;
    size_t n = r->inputs->n;
    double seconds = now_s() - r->started_s;

    if (is_rows && n_done < n && (n_done - r->n_told) * 10 < n) /* ten lines are enough */
        return;
    r->n_told = n_done;
    tgi_progress_tell(r->progress, &(tgi_progress_state){
                                       .step = n_done,
                                       .n_steps = n,
                                       .images_per_s = seconds > 0 ? (double)n_done / seconds : 0,
                                       .left_s = -1});
}

static tg_status tag_all(run *r)
{
    tg_status status = TG_OK;
    tgi_tag_batch tagged = {0};
    batch b = {0};

    TG_TRY(tgi_alloc(r->opts->n_batch, sizeof *b.input, &b.input));
    TG_TRY(tgi_alloc(r->opts->n_batch, sizeof *b.images, &b.images));
    for (size_t next = 0; next < r->inputs->n;) {
        double started = now_s();

        TG_TRY(read_batch(r, &next, &b));
        if (b.n)
            TG_TRY(tgi_tag_batch_run(r->tagger, b.images, b.n, &r->opts->tagger, &tagged));
        started = now_s() - started;
        for (size_t i = 0; i < b.n; i++)
            TG_TRY(write_image(r, &b, &tagged, i, started / (double)b.n));
        tgi_tag_batch_release(&tagged);
        batch_release(&b);
        tell(r, next);
    }
cleanup:
    tgi_progress_end(r->progress);
    tgi_tag_batch_release(&tagged);
    batch_release(&b);
    free(b.images);
    free(b.input);
    return status;
}

static tg_status new_annotations(const run *r, tg_annotations **out)
{
    tg_status status = TG_OK;
    size_t n = tg_tagger_n_classes(r->tagger);
    const char **classes = NULL;

    TG_TRY(tgi_alloc(n, sizeof *classes, &classes));
    for (size_t k = 0; k < n; k++)
        classes[k] = tg_tagger_class_name(r->tagger, k);
    TG_TRY(tg_annotations_new(r->opts->folder, r->opts->formats, classes, n, out));
cleanup:
    free(classes);
    return status;
}

tg_status tgi_tag_run(tg_tagger *tagger, const tgi_tag_inputs *inputs, const tgi_tag_run_opts *opts,
                      tgi_tag_result *result)
{
    tg_status status = TG_OK;
    run r = {.tagger = tagger, .inputs = inputs, .opts = opts, .result = result};

    *result = (tgi_tag_result){0};
    r.started_s = now_s();
    TG_TRY(tgi_mkdirs(opts->folder));
    TG_TRY(new_annotations(&r, &r.annotations));
    TG_TRY(tgi_progress_new(stderr, opts->progress, "tag", &r.progress));
    TG_TRY(tag_all(&r));
    result->seconds = now_s() - r.started_s;
    TG_TRY(tg_annotations_finish(r.annotations));
    TG_TRY(tgi_tag_write_summary(tagger, inputs, opts, result));
    TG_TRY(tgi_tag_write_rule(opts, result));
    TG_TRY(tgi_tag_write_report(tagger, inputs, opts, result));
cleanup:
    tgi_progress_free(r.progress);
    tg_annotations_free(r.annotations);
    return status;
}

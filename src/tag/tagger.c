/* tagger.c -- a trained model at work: image -> tensor -> map -> mask -> boxes. */
#include "config.h"
#include "tag/tagger.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { IMAGES_A_CALL = 8 }; /* on the device at once: enough to fill it, and little memory */

tg_status tg_tagger_load(tg_device *device, const char *path, tg_tagger **out)
{
    tg_status status = TG_OK;
    tg_tagger *tagger = NULL;

    *out = NULL;
    TG_TRY(tgi_alloc(1, sizeof *tagger, &tagger));
    TG_TRY(tgi_model_load(device, path, &tagger->model, &tagger->info));
    *out = tagger;
    tagger = NULL;
cleanup:
    tg_tagger_free(tagger);
    return status;
}

void tg_tagger_free(tg_tagger *tagger)
{
    if (!tagger)
        return;
    tgi_model_free(tagger->model);
    tgi_model_info_release(&tagger->info);
    free(tagger);
}

size_t tg_tagger_n_classes(const tg_tagger *tagger)
{
    return tagger->info.n_classes;
}

const char *tg_tagger_class_name(const tg_tagger *tagger, size_t k)
{
    return tagger->info.classes[k];
}

size_t tg_tagger_size_px(const tg_tagger *tagger)
{
    return tagger->info.settings.size;
}

unsigned long long tg_tagger_step(const tg_tagger *tagger)
{
    return tagger->info.step;
}

/* ---- options ---- */

tg_tagger_opts tg_tagger_opts_default(const tg_tagger *tagger)
{
    tg_tagger_opts opts = {
        .label = TG_LABEL_AUTO, .rule = TG_RULE_FIXED, .value = 0.1, .rule_name = "fixed:0.1"};

    if (tg_tagger_set_threshold(tagger, "calibrated", -1, &opts) != TG_OK)
        tg_log(TG_LOG_DEBUG, "%s; 0.1 is used", tg_error_message());
    return opts;
}

tg_status tg_tagger_set_label(const tg_tagger *tagger, const char *text, tg_tagger_opts *opts)
{
    tg_status status = TG_OK;
    tgi_text names = {0};

    for (size_t k = 0; k < tagger->info.n_classes; k++) {
        if (!strcmp(tagger->info.classes[k], text)) { /* a class may be called "all" */
            opts->label = (int)k;
            return TG_OK;
        }
    }
    if (!strcmp(text, "auto") || !strcmp(text, "all")) {
        opts->label = !strcmp(text, "all") ? TG_LABEL_ALL : TG_LABEL_AUTO;
        return TG_OK;
    }
    for (size_t k = 0; k < tagger->info.n_classes; k++)
        TG_TRY(tgi_text_add(&names, "%s, ", tagger->info.classes[k]));
    status = tg_fail(TG_ERR_ARGUMENT, "label '%s' is unknown to the model (%sall, auto)", text,
                     names.data);
cleanup:
    tgi_text_release(&names);
    return status;
}

/* A number or a rule; not "calibrated". */
static tg_status parse_rule(const char *text, tg_tagger_opts *opts)
{
    tg_status status = TG_OK;
    tg_tag_opts tag = tg_tag_opts_default();
    char *rule = NULL;
    double number;

    TG_TRY(tgi_printf(&rule, "%s%s", tgi_parse_real(text, &number) ? "fixed:" : "", text));
    if (tg_tag_rule_parse(rule, &tag) != TG_OK || (tag.rule == TG_RULE_FIXED && tag.value < 0)) {
        status = tg_fail(TG_ERR_ARGUMENT,
                         "threshold '%s' is none of calibrated, a number of 0 or more, otsu, "
                         "pct:P, meanstd:K and max:F",
                         text);
        goto cleanup;
    }
    opts->rule = tag.rule;
    opts->value = tag.rule == TG_RULE_OTSU ? 0 : tag.value;
    snprintf(opts->rule_name, sizeof opts->rule_name, "%s", rule);
cleanup:
    free(rule);
    return status;
}

tg_status tgi_threshold_text_check(const char *text)
{
    tg_tagger_opts ignored;

    return strcmp(text, "calibrated") ? parse_rule(text, &ignored) : TG_OK;
}

tg_status tg_tagger_set_threshold(const tg_tagger *tagger, const char *text, double max_false_alarm,
                                  tg_tagger_opts *opts)
{
    double rate = max_false_alarm < 0 ? tagger->info.settings.max_false_alarm : max_false_alarm,
           threshold;
    tg_status status;

    if (strcmp(text, "calibrated"))
        return parse_rule(text, opts);
    status = tgi_model_info_threshold(&tagger->info, rate, &threshold);
    if (status != TG_OK)
        return status;
    opts->rule = TG_RULE_FIXED;
    opts->value = threshold;
    snprintf(opts->rule_name, sizeof opts->rule_name, "healthy:%.6g", 1 - rate);
    return TG_OK;
}

/* ---- image -> tensor ---- */

static tg_status add_small(const tg_tagger *tagger, const tg_image *image, float *x)
{
    size_t side = tagger->info.settings.size;
    tg_image small = {0};
    tg_status status;

    if (!image->width_px || !image->height_px)
        return tg_fail(TG_ERR_SHAPE, "an image without pixels cannot be tagged");
    status = tg_image_resize(image, side, side, &small);
    if (status == TG_OK)
        memcpy(x, small.pixels, side * side * sizeof *x);
    tg_image_release(&small);
    return status;
}

/* n host planes as a tensor. */
static tg_status upload(const tg_tagger *tagger, const float *x, tg_dims dims, tg_tensor **out)
{
    tg_status status = tg_tensor_new(tagger->model->dev, dims, out);

    return status == TG_OK ? tg_tensor_upload(*out, x, tg_dims_count(dims)) : status;
}

static tg_status classify(tg_tagger *tagger, const float *x, size_t n, float *probabilities)
{
    tg_status status = TG_OK;
    size_t side = tagger->info.settings.size;
    tg_tensor *images = NULL;

    TG_TRY(upload(tagger, x, (tg_dims){n, 1, side, side}, &images));
    TG_TRY(tgi_model_classify(tagger->model, images, probabilities));
cleanup:
    tg_tensor_free(images);
    return status;
}

/* ---- tensor -> map ---- */

/* Maps [n, side, side] of n small images under n rows of labels. */
static tg_status make_maps(tg_tagger *tagger, const float *x, const float *labels, size_t n,
                           float *maps)
{
    tg_status status = TG_OK;
    size_t side = tagger->info.settings.size;
    const tg_dims dims = {n, 1, side, side};
    tg_tensor *images = NULL, *rows = NULL, *result = NULL;

    TG_TRY(upload(tagger, x, dims, &images));
    TG_TRY(upload(tagger, labels, (tg_dims){n, tagger->info.n_classes, 1, 1}, &rows));
    TG_TRY(tg_tensor_new(tagger->model->dev, dims, &result));
    TG_TRY(tgi_model_map(tagger->model, TGI_WEIGHTS_RAW, images, rows, result));
    TG_TRY(tg_tensor_download(result, maps, tg_dims_count(dims)));
cleanup:
    tg_tensor_free(result);
    tg_tensor_free(rows);
    tg_tensor_free(images);
    return status;
}

/* The model's map at the image's own size. */
static tg_status bring_back(const tg_tagger *tagger, float *map, const tg_image *image,
                            tg_image *out)
{
    const tg_image small = {tagger->info.settings.size, tagger->info.settings.size, map};

    return tg_image_resize(&small, image->width_px, image->height_px, out);
}

tg_status tg_tagger_classify(tg_tagger *tagger, const tg_image *image, float *probabilities)
{
    tg_status status = TG_OK;
    size_t side = tagger->info.settings.size;
    float *x = NULL;

    TG_TRY(tgi_alloc(side * side, sizeof *x, &x));
    TG_TRY(add_small(tagger, image, x));
    TG_TRY(classify(tagger, x, 1, probabilities));
cleanup:
    free(x);
    return status;
}

tg_status tg_tagger_map(tg_tagger *tagger, const tg_image *image, const float *labels,
                        tg_image *map)
{
    tg_status status = TG_OK;
    size_t side = tagger->info.settings.size;
    float *x = NULL, *small = NULL;

    *map = (tg_image){0};
    TG_TRY(tgi_alloc(side * side, sizeof *x, &x));
    TG_TRY(tgi_alloc(side * side, sizeof *small, &small));
    TG_TRY(add_small(tagger, image, x));
    TG_TRY(make_maps(tagger, x, labels, 1, small));
    TG_TRY(bring_back(tagger, small, image, map));
cleanup:
    free(small);
    free(x);
    return status;
}

/* ---- what to look for ---- */

size_t tgi_choose_labels(int label, const float *probabilities, size_t n_classes, float *labels)
{
    size_t n = 0, likeliest = 0;

    for (size_t k = 0; k < n_classes; k++) {
        bool is_wanted = label == TG_LABEL_ALL || n_classes == 1 ||
                         (label == TG_LABEL_AUTO ? probabilities[k] > 0.5f : (size_t)label == k);

        labels[k] = is_wanted;
        n += is_wanted;
        likeliest = probabilities[k] > probabilities[likeliest] ? k : likeliest;
    }
    if (!n)
        labels[likeliest] = 1;
    return n ? n : 1;
}

/* The jobs of all images: all wanted classes at once, then each alone where they are several. */
static tg_status plan(const tg_tagger *tagger, const tg_tagger_opts *opts, tgi_tag_batch *batch)
{
    tg_status status = TG_OK;
    size_t classes = tagger->info.n_classes, most = batch->n * (classes + 1),
           side = tagger->info.settings.size;

    if (opts->label < TG_LABEL_ALL || (opts->label >= 0 && (size_t)opts->label >= classes))
        return tg_fail(TG_ERR_ARGUMENT, "label %d is out of range: the model has %zu classes",
                       opts->label, classes);
    TG_TRY(tgi_alloc(most, sizeof *batch->jobs, &batch->jobs));
    TG_TRY(tgi_alloc(most * classes, sizeof *batch->labels, &batch->labels));
    for (size_t i = 0; i < batch->n; i++) {
        float *wanted = batch->labels + batch->n_jobs * classes;
        size_t n_wanted =
            tgi_choose_labels(opts->label, batch->probabilities + i * classes, classes, wanted);

        batch->jobs[batch->n_jobs++] =
            (tgi_tag_job){.image = i, .class_index = TG_ANY_CLASS, .labels = wanted};
        for (size_t k = 0; k < classes; k++) {
            if (wanted[k] <= 0)
                continue;
            if (n_wanted == 1) {
                batch->jobs[batch->n_jobs - 1].class_index = k;
                break;
            }
            float *alone = batch->labels + batch->n_jobs * classes;
            alone[k] = 1;
            batch->jobs[batch->n_jobs++] =
                (tgi_tag_job){.image = i, .class_index = k, .labels = alone};
        }
    }
    TG_TRY(tgi_alloc(batch->n_jobs * side, side * sizeof *batch->maps, &batch->maps));
    for (size_t j = 0; j < batch->n_jobs; j++)
        batch->jobs[j].map = batch->maps + j * side * side;
cleanup:
    return status;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Runs the planned jobs, some at a time. */
static tg_status run_jobs(tg_tagger *tagger, tgi_tag_batch *batch)
{
    tg_status status = TG_OK;
    size_t side = tagger->info.settings.size, plane = side * side;
    float *x = NULL;

    TG_TRY(tgi_alloc(IMAGES_A_CALL * plane, sizeof *x, &x));
    for (size_t j = 0; j < batch->n_jobs; j += IMAGES_A_CALL) {
        size_t n = smaller(batch->n_jobs - j, IMAGES_A_CALL);

        for (size_t k = 0; k < n; k++)
            memcpy(x + k * plane, batch->x + batch->jobs[j + k].image * plane, plane * sizeof *x);
        TG_TRY(make_maps(tagger, x, batch->jobs[j].labels, n, batch->jobs[j].map));
    }
cleanup:
    free(x);
    return status;
}

void tgi_tag_batch_release(tgi_tag_batch *batch)
{
    free(batch->x);
    free(batch->probabilities);
    free(batch->jobs);
    free(batch->labels);
    free(batch->maps);
    *batch = (tgi_tag_batch){0};
}

tg_status tgi_tag_batch_run(tg_tagger *tagger, const tg_image *images, size_t n,
                            const tg_tagger_opts *opts, tgi_tag_batch *out)
{
    tg_status status = TG_OK;
    size_t side = tagger->info.settings.size, plane = side * side, classes = tagger->info.n_classes;

    *out = (tgi_tag_batch){.n = n};
    TG_TRY(tgi_alloc(n * side, side * sizeof *out->x, &out->x));
    TG_TRY(tgi_alloc(n * classes, sizeof *out->probabilities, &out->probabilities));
    for (size_t i = 0; i < n; i++)
        TG_TRY(add_small(tagger, &images[i], out->x + i * plane));
    for (size_t i = 0; i < n; i += IMAGES_A_CALL)
        TG_TRY(classify(tagger, out->x + i * plane, smaller(n - i, IMAGES_A_CALL),
                        out->probabilities + i * classes));
    TG_TRY(plan(tagger, opts, out));
    TG_TRY(run_jobs(tagger, out));
cleanup:
    if (status != TG_OK)
        tgi_tag_batch_release(out);
    return status;
}

/* ---- map -> mask -> boxes ---- */

static tg_status take_away(const tg_tagger *tagger, const tg_image *image, const tg_image *map,
                           tg_image *healthy)
{
    tg_status status = tg_image_new(image->width_px, image->height_px, healthy);
    bool is_clamped = tagger->info.settings.compose == TGI_COMPOSE_SUB_CLAMP;

    for (size_t i = 0; status == TG_OK && i < image->width_px * image->height_px; i++) {
        float value = image->pixels[i] - map->pixels[i];

        healthy->pixels[i] = !is_clamped ? value : value < -1 ? -1 : value > 1 ? 1 : value;
    }
    return status;
}

static tg_status measure_mean(const tg_image *map, const tg_tag_opts *opts, double *mean)
{
    tg_image score = {0};
    tg_status status = tg_tag_score(map, opts, &score);
    size_t n = map->width_px * map->height_px;
    double sum = 0;

    for (size_t i = 0; status == TG_OK && i < n; i++)
        sum += score.pixels[i];
    *mean = sum / (double)n;
    tg_image_release(&score);
    return status;
}

/* One map of the model to a finding at the image's own size. */
static tg_status finish_job(const tg_tagger *tagger, const tgi_tag_job *job, const tg_image *image,
                            const tg_tagger_opts *opts, tg_finding *finding)
{
    tg_status status = TG_OK;
    tg_tag_opts tag = tgi_settings_tag_opts(&tagger->info.settings, image->width_px,
                                            image->height_px, opts->value);

    tag.rule = opts->rule;
    finding->class_index = job->class_index;
    TG_TRY(bring_back(tagger, job->map, image, &finding->map));
    TG_TRY(tg_tag_map(&finding->map, &tag, &finding->tags));
    TG_TRY(measure_mean(&finding->map, &tag, &finding->mean_score));
    TG_TRY(take_away(tagger, image, &finding->map, &finding->healthy));
cleanup:
    return status;
}

tg_status tgi_tag_batch_finish(const tg_tagger *tagger, const tgi_tag_batch *batch, size_t i,
                               const tg_image *image, const tg_tagger_opts *opts, tg_tagged *out)
{
    tg_status status = TG_OK;
    size_t classes = tagger->info.n_classes, n_findings = 0;

    *out = (tg_tagged){0};
    for (size_t j = 0; j < batch->n_jobs; j++)
        n_findings += batch->jobs[j].image == i;
    TG_TRY(tgi_alloc(classes, sizeof *out->probabilities, &out->probabilities));
    memcpy(out->probabilities, batch->probabilities + i * classes,
           classes * sizeof *out->probabilities);
    out->n_probabilities = classes;
    TG_TRY(tgi_alloc(n_findings, sizeof *out->findings, &out->findings));
    for (size_t j = 0; j < batch->n_jobs; j++) {
        if (batch->jobs[j].image == i)
            TG_TRY(finish_job(tagger, &batch->jobs[j], image, opts,
                              &out->findings[out->n_findings++]));
    }
cleanup:
    if (status != TG_OK)
        tg_tagged_release(out);
    return status;
}

tg_status tg_tagger_tag(tg_tagger *tagger, const tg_image *image, const tg_tagger_opts *opts,
                        tg_tagged *out)
{
    tg_status status = TG_OK;
    tgi_tag_batch batch = {0};

    *out = (tg_tagged){0};
    TG_TRY(tgi_tag_batch_run(tagger, image, 1, opts, &batch));
    TG_TRY(tgi_tag_batch_finish(tagger, &batch, 0, image, opts, out));
cleanup:
    tgi_tag_batch_release(&batch);
    return status;
}

void tg_tagged_release(tg_tagged *tagged)
{
    for (size_t i = 0; i < tagged->n_findings; i++) {
        tg_finding *finding = &tagged->findings[i];

        tg_image_release(&finding->map);
        tg_image_release(&finding->healthy);
        tg_tags_release(&finding->tags);
    }
    free(tagged->findings);
    free(tagged->probabilities);
    *tagged = (tg_tagged){0};
}

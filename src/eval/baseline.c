/* baseline.c -- what maps without any learning reach on the same images: a score means little
 * without them. */
#include "config.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "eval/eval.h"
#include "tag/tag.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* One number for each image and baseline, far from the draws of the bootstrap. */
#define RANDOM_MAP_INDEX ((uint64_t)1 << 40)

typedef enum need { NEEDS_NOTHING, NEEDS_INPUT, NEEDS_TRAINING } need;

typedef tg_status baseline_fn(const tg_evaluation *e, size_t item, tg_image *map);

static tg_status zero_map(const tg_evaluation *e, size_t i, tg_image *map)
{
    TG_UNUSED(e);
    TG_UNUSED(i);
    TG_UNUSED(map);
    return TG_OK;
}

/* A Gaussian in the middle, sd a sixth of each side. */
static tg_status centre_blob(const tg_evaluation *e, size_t i, tg_image *map)
{
    double w = (double)map->width_px, h = (double)map->height_px;

    TG_UNUSED(e);
    TG_UNUSED(i);
    for (size_t y = 0; y < map->height_px; y++) {
        for (size_t x = 0; x < map->width_px; x++) {
            double u = ((double)x + 0.5 - w / 2) / (w / 6), v = ((double)y + 0.5 - h / 2) / (h / 6);

            map->pixels[y * map->width_px + x] = (float)exp(-0.5 * (u * u + v * v));
        }
    }
    return TG_OK;
}

/* Brightness in 0..1; darkness where the disease is dark. */
static tg_status input_image(const tg_evaluation *e, size_t i, tg_image *map)
{
    for (size_t p = 0; p < map->width_px * map->height_px; p++) {
        float bright = (e->items[i].input.pixels[p] + 1) / 2;

        map->pixels[p] = e->opts.tag.sign == TG_SIGN_NEG ? bright - 1 : bright;
    }
    return TG_OK;
}

static tg_status blurred_input(const tg_evaluation *e, size_t i, tg_image *map)
{
    tg_status status = input_image(e, i, map);

    return status == TG_OK ? tgi_image_blur(map, (double)map->width_px / 18)
                           : status; /* 6 px at 112 */
}

static tg_status random_map(const tg_evaluation *e, size_t i, tg_image *map)
{
    tgi_rng rng = tgi_rng_new(e->opts.seed, TGI_STREAM_BOOTSTRAP, RANDOM_MAP_INDEX + i);

    for (size_t p = 0; p < map->width_px * map->height_px; p++)
        map->pixels[p] = (float)tgi_rng_uniform(&rng) * (e->opts.tag.sign == TG_SIGN_NEG ? -1 : 1);
    return TG_OK;
}

/* Adds mean(group) - mean(healthy), brought to the size of the map. */
static tg_status add_template(const tg_evaluation *e, size_t group, tg_image *map)
{
    tg_status status = TG_OK;
    tg_image mean = {0}, resized = {0};

    if (!e->n_train[group] || !e->n_train[0])
        return TG_OK;
    TG_TRY(tg_image_new(e->train_w, e->train_h, &mean));
    for (size_t p = 0; p < e->train_w * e->train_h; p++)
        mean.pixels[p] = (float)(e->train[group][p] / (double)e->n_train[group] -
                                 e->train[0][p] / (double)e->n_train[0]);
    TG_TRY(tg_image_resize(&mean, map->width_px, map->height_px, &resized));
    for (size_t p = 0; p < map->width_px * map->height_px; p++)
        map->pixels[p] += resized.pixels[p];
cleanup:
    tg_image_release(&resized);
    tg_image_release(&mean);
    return status;
}

static tg_status class_mean(const tg_evaluation *e, size_t i, tg_image *map)
{
    TG_UNUSED(i);
    return add_template(e, 1 + e->n_classes, map);
}

static tg_status class_mean_known(const tg_evaluation *e, size_t i, tg_image *map)
{
    tg_status status = TG_OK;

    for (size_t k = 0; k < e->n_classes; k++) {
        if (e->items[i].labels[k] > 0.5f)
            TG_TRY(add_template(e, 1 + k, map));
    }
cleanup:
    return status;
}

static const struct baseline {
    const char *name;
    baseline_fn *draw;
    need needs;
    bool reads_label; /* then healthy images, which have no label, are left out: the template would
                         give them away */
} baselines[] = {{"zero", zero_map, NEEDS_NOTHING, false},
                 {"centre_blob", centre_blob, NEEDS_NOTHING, false},
                 {"input", input_image, NEEDS_INPUT, false},
                 {"blurred_input", blurred_input, NEEDS_INPUT, false},
                 {"random", random_map, NEEDS_NOTHING, false},
                 {"class_mean", class_mean, NEEDS_TRAINING, false},
                 {"class_mean_known", class_mean_known, NEEDS_TRAINING, true}};

tg_status tg_evaluation_add_training(tg_evaluation *e, const tg_image *image, const float *labels)
{
    tg_status status = TG_OK;
    tg_image resized = {0};
    const tg_image *used = image;
    bool is_diseased = false;
    size_t n;

    if (!e->train_w) {
        e->train_w = image->width_px;
        e->train_h = image->height_px;
    }
    n = e->train_w * e->train_h;
    if (image->width_px != e->train_w || image->height_px != e->train_h) {
        TG_TRY(tg_image_resize(image, e->train_w, e->train_h, &resized));
        used = &resized;
    }
    for (size_t k = 0; k < e->n_classes; k++)
        is_diseased |= labels[k] > 0.5f;
    for (size_t g = 0; g < e->n_classes + 2; g++) {
        bool belongs = g == 0              ? !is_diseased
                       : g <= e->n_classes ? labels[g - 1] > 0.5f
                                           : is_diseased;

        if (!belongs)
            continue;
        if (!e->train[g])
            TG_TRY(tgi_alloc(n, sizeof(double), &e->train[g]));
        for (size_t p = 0; p < n; p++)
            e->train[g][p] += used->pixels[p];
        e->n_train[g]++;
    }
cleanup:
    tg_image_release(&resized);
    return status;
}

/* A baseline being evaluated; arrays of n_items. */
typedef struct run {
    tg_image *maps, *scores;
    tgi_cell (*cells)[TGI_N_METRICS];
    tgi_entry *entries;
    size_t n_entries;
} run;

static void run_release(run *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (r->maps)
            tg_image_release(&r->maps[i]);
        if (r->scores)
            tg_image_release(&r->scores[i]);
    }
    free(r->maps);
    free(r->scores);
    free(r->cells);
    free(r->entries);
}

static tg_status draw_maps(const tg_evaluation *e, const struct baseline *b, run *r)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_alloc(e->n_items, sizeof *r->maps, &r->maps));
    TG_TRY(tgi_alloc(e->n_items, sizeof *r->scores, &r->scores));
    TG_TRY(tgi_alloc(e->n_items, sizeof *r->cells, &r->cells));
    TG_TRY(tgi_alloc(e->n_items, sizeof *r->entries, &r->entries));
    for (size_t i = 0; i < e->n_items; i++) {
        const tg_image *score = &e->items[i].views[0]->score;

        if (b->reads_label && !e->items[i].is_diseased)
            continue;
        TG_TRY(tg_image_new(score->width_px, score->height_px, &r->maps[i]));
        TG_TRY(b->draw(e, i, &r->maps[i]));
        TG_TRY(tg_tag_score(&r->maps[i], &e->opts.tag, &r->scores[i]));
    }
cleanup:
    return status;
}

/* The threshold that suits the baseline best on the images at hand. */
static tg_status choose_threshold(const tg_evaluation *e, const run *r, double *threshold,
                                  bool *found)
{
    tg_status status = TG_OK;
    const tg_image **scores = NULL;
    const tg_mask **truths = NULL;
    size_t n = 0;
    double dice;

    *found = false;
    TG_TRY(tgi_alloc(e->n_items, sizeof *scores, &scores));
    TG_TRY(tgi_alloc(e->n_items, sizeof *truths, &truths));
    for (size_t i = 0; i < e->n_items; i++) {
        const tgi_item *item = &e->items[i];

        if (!item->is_diseased || !item->views[0]->target.has_area)
            continue;
        scores[n] = &r->scores[i];
        truths[n++] = &item->views[0]->target.mask;
    }
    TG_TRY(tgi_best_threshold(scores, truths, n, NULL, threshold, &dice, found));
    *threshold =
        *threshold > 0 ? *threshold : 0; /* below 0 everything is marked, by a zero map too */
cleanup:
    free(scores);
    free(truths);
    return status;
}

static tg_status evaluate(const tg_evaluation *e, const struct baseline *b, const tgi_draws *draws,
                          tg_scores *out)
{
    tg_status status = TG_OK;
    tg_eval_opts opts = e->opts;
    tg_tags tags = {0};
    run r = {0};
    bool found;

    opts.best_threshold = NAN;
    opts.tag.rule = TG_RULE_FIXED;
    opts.tag.value = 0;
    TG_TRY(draw_maps(e, b, &r));
    TG_TRY(choose_threshold(e, &r, &opts.tag.value, &found));
    for (size_t i = 0; i < e->n_items; i++) {
        const tgi_item *item = &e->items[i];
        const tgi_target *target = &item->views[0]->target;
        bool has_pixels = !item->is_diseased || target->has_area;
        double score;

        if (b->reads_label && !item->is_diseased)
            continue;
        if (found)
            TG_TRY(tg_tag_map(&r.maps[i], &opts.tag, &tags));
        TG_TRY(tgi_measure(&opts, &r.maps[i], &r.scores[i], found ? &tags : NULL, target,
                           item->is_diseased, r.cells[i]));
        tg_tags_release(&tags);
        TG_TRY(tgi_image_score(&r.scores[i], opts.image_score, &score));
        r.entries[r.n_entries++] =
            (tgi_entry){item->is_diseased,
                        item->patient,
                        score,
                        r.cells[i],
                        has_pixels ? &r.scores[i] : NULL,
                        item->is_diseased && has_pixels ? &target->mask : NULL};
    }
    TG_TRY(tgi_aggregate(b->name, r.entries, r.n_entries, draws, out));
cleanup:
    tg_tags_release(&tags);
    run_release(&r, e->n_items);
    return status;
}

static bool can_draw(const tg_evaluation *e, const struct baseline *b)
{
    bool has_inputs = true;

    for (size_t i = 0; i < e->n_items; i++)
        has_inputs &= e->items[i].input.pixels != NULL;
    if (b->needs == NEEDS_TRAINING)
        return e->n_train[0] && e->n_train[1 + e->n_classes];
    return b->needs == NEEDS_NOTHING || has_inputs;
}

tg_status tgi_baselines(const tg_evaluation *e, const tgi_draws *draws, tg_eval_results *results)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_alloc(TG_COUNT(baselines), sizeof *results->baselines, &results->baselines));
    for (size_t b = 0; b < TG_COUNT(baselines); b++) {
        if (!can_draw(e, &baselines[b]))
            continue;
        TG_TRY(evaluate(e, &baselines[b], draws, &results->baselines[results->n_baselines]));
        results->n_baselines++;
    }
cleanup:
    return status;
}

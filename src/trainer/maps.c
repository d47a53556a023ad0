/* maps.c -- disease maps of many images of a data set, in batches. */
#include "config.h"
#include "trainer/maps.h"
#include "base/memory.h"
#include "base/rng.h"
#include "tag/tagger.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { MAP_BATCH = 16 };

typedef struct buffers {
    float *x, *labels, *maps;  /* host */
    tg_tensor *tx, *tc, *tmap; /* device; [n] images of the current batch size */
} buffers;

static void buffers_release(buffers *b)
{
    tg_tensor_free(b->tx);
    tg_tensor_free(b->tc);
    tg_tensor_free(b->tmap);
    free(b->x);
    free(b->labels);
    free(b->maps);
    *b = (buffers){0};
}

static tg_status buffers_init(tgi_model *model, size_t n, buffers *b)
{
    tg_status status = TG_OK;
    size_t side = model->settings.size;
    const tg_dims images = {n, 1, side, side};

    *b = (buffers){0};
    TG_TRY(tgi_alloc(n * side * side, sizeof(float), &b->x));
    TG_TRY(tgi_alloc(n * side * side, sizeof(float), &b->maps));
    TG_TRY(tgi_alloc(n * model->n_classes, sizeof(float), &b->labels));
    TG_TRY(tg_tensor_new(model->dev, images, &b->tx));
    TG_TRY(tg_tensor_new(model->dev, images, &b->tmap));
    TG_TRY(tg_tensor_new(model->dev, (tg_dims){n, model->n_classes, 1, 1}, &b->tc));
cleanup:
    return status;
}

static void take_labels(const tgi_model *model, const tg_sample *sample, size_t index,
                        float *labels)
{
    size_t classes = model->n_classes;

    memcpy(labels, sample->labels, classes * sizeof *labels);
    if (!sample->is_diseased) {
        tgi_rng rng =
            tgi_rng_new(model->settings.seed, TGI_STREAM_LABEL, (uint64_t)1 << 40 | index);

        labels[tgi_rng_below(&rng, classes)] = 1;
    }
}

/* Labels of the n images on the device by the model's label head. */
static tg_status guess_labels(tgi_model *model, size_t n, buffers *b)
{
    tg_status status = TG_OK;
    float *probabilities = NULL;

    TG_TRY(tgi_alloc(n * model->n_classes, sizeof *probabilities, &probabilities));
    TG_TRY(tgi_model_classify(model, b->tx, probabilities));
    for (size_t i = 0; i < n; i++)
        tgi_choose_labels(TG_LABEL_AUTO, probabilities + i * model->n_classes, model->n_classes,
                          b->labels + i * model->n_classes);
cleanup:
    free(probabilities);
    return status;
}

static tg_status map_batch(tgi_model *model, tgi_weights weights, tgi_label_source source,
                           const tg_dataset *set, const size_t *samples, size_t n, buffers *b)
{
    tg_status status = TG_OK;
    size_t side = model->settings.size, pixels = side * side;
    tg_image image = {0};

    for (size_t i = 0; i < n; i++) {
        const tg_sample sample = tg_dataset_sample(set, samples[i]);

        TG_TRY(tg_dataset_load(set, samples[i], side, &image));
        memcpy(b->x + i * pixels, image.pixels, pixels * sizeof(float));
        tg_image_release(&image);
        if (source == TGI_LABELS_TRUE)
            take_labels(model, &sample, samples[i], b->labels + i * model->n_classes);
    }
    TG_TRY(tg_tensor_upload(b->tx, b->x, n * pixels));
    if (source == TGI_LABELS_GUESSED)
        TG_TRY(guess_labels(model, n, b));
    TG_TRY(tg_tensor_upload(b->tc, b->labels, n * model->n_classes));
    TG_TRY(tgi_model_map(model, weights, b->tx, b->tc, b->tmap));
    TG_TRY(tg_tensor_download(b->tmap, b->maps, n * pixels));
cleanup:
    tg_image_release(&image);
    return status;
}

tg_status tgi_map_samples(tgi_model *model, tgi_weights weights, tgi_label_source source,
                          const tg_dataset *set, const size_t *samples, size_t n, tgi_mapped_fn *fn,
                          void *user)
{
    tg_status status = TG_OK;
    buffers b = {0};
    size_t side = model->settings.size, pixels = side * side, size = 0;

    for (size_t first = 0; first < n; first += size) {
        size_t now = n - first < MAP_BATCH ? n - first : MAP_BATCH;

        if (now != size) {
            buffers_release(&b);
            TG_TRY(buffers_init(model, now, &b));
            size = now;
        }
        TG_TRY(map_batch(model, weights, source, set, samples + first, size, &b));
        for (size_t i = 0; i < size; i++) {
            const tg_image input = {side, side, b.x + i * pixels},
                           map = {side, side, b.maps + i * pixels};
            const tgi_mapped mapped = {samples[first + i], &input, &map,
                                       b.labels + i * model->n_classes};

            TG_TRY(fn(user, &mapped));
        }
    }
cleanup:
    buffers_release(&b);
    return status;
}

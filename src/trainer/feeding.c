/* feeding.c -- the training images of a run, in batches. */
#include "config.h"
#include "trainer/feeding.h"
#include "base/memory.h"

#include <stdlib.h>

#include "base/banned.h"

static size_t n_present(const tg_sample *sample, size_t n_classes)
{
    size_t n = 0;

    for (size_t k = 0; k < n_classes; k++)
        n += sample->labels[k] > 0;
    return n;
}

static tg_status choose(const tg_dataset *set, const tgi_settings *settings, bool is_diseased,
                        size_t **out, size_t *n_out)
{
    tg_status status = TG_OK;
    size_t n;
    const size_t *all = tg_dataset_select(set, TG_SPLIT_TRAIN, is_diseased, &n);

    TG_TRY(tgi_alloc(n, sizeof *all, out));
    for (size_t i = 0; i < n; i++) {
        const tg_sample sample = tg_dataset_sample(set, all[i]);

        if (is_diseased && settings->labels == TGI_LABELS_SINGLE &&
            n_present(&sample, tg_dataset_n_classes(set)) != 1)
            continue;
        (*out)[(*n_out)++] = all[i];
    }
    if (!*n_out)
        status = tg_fail(TG_ERR_ARGUMENT, "'%s' has no %s training images%s", tg_dataset_name(set),
                         is_diseased ? "diseased" : "healthy",
                         n ? " of a single disease, which labels=single asks for" : "");
cleanup:
    return status;
}

tg_status tgi_feeding_init(const tg_dataset *set, const tgi_settings *settings,
                           tgi_feeding *feeding)
{
    tg_status status = TG_OK;

    *feeding = (tgi_feeding){.set = set};
    TG_TRY(choose(set, settings, true, &feeding->diseased, &feeding->n_diseased));
    TG_TRY(choose(set, settings, false, &feeding->healthy, &feeding->n_healthy));
cleanup:
    return status;
}

static tg_augment augmentation(const tgi_settings *s)
{
    if (s->augment == TGI_AUGMENT_NONE)
        return (tg_augment){0};
    if (s->augment == TGI_AUGMENT_LIGHT)
        return (tg_augment){.flip = true, .shift_px = 3};
    return (tg_augment){.flip = true,
                        .shift_px = 6,
                        .rotate_degrees = 7,
                        .scale = 0.08,
                        .gain = 0.1,
                        .offset = 0.05};
}

tg_status tgi_feeding_start(tgi_feeding *feeding, const tgi_settings *s, uint64_t n_steps)
{
    tg_status status = TG_OK;
    tg_loader_opts opts = tg_loader_opts_default();

    tg_loader_free(feeding->diseased_loader);
    tg_loader_free(feeding->healthy_loader);
    feeding->diseased_loader = feeding->healthy_loader = NULL;
    opts.n_batch = s->batch;
    opts.size_px = s->size;
    opts.n_threads = s->threads;
    opts.n_ahead = 2 * s->critic_steps + 2;
    opts.seed = s->seed;
    opts.first_batch = n_steps * s->critic_steps;
    opts.augment = augmentation(s);
    TG_TRY(tg_loader_new(feeding->set, feeding->healthy, feeding->n_healthy, &opts,
                         &feeding->healthy_loader));
    opts.stream_id = 1;
    TG_TRY(tg_loader_new(feeding->set, feeding->diseased, feeding->n_diseased, &opts,
                         &feeding->diseased_loader));
cleanup:
    return status;
}

tg_status tgi_feeding_next(tgi_feeding *feeding, tg_batch *diseased, tg_batch *healthy)
{
    tg_status status = TG_OK;

    TG_TRY(tg_loader_next(feeding->diseased_loader, diseased));
    TG_TRY(tg_loader_next(feeding->healthy_loader, healthy));
cleanup:
    return status;
}

void tgi_feeding_release(tgi_feeding *feeding)
{
    tg_loader_free(feeding->diseased_loader);
    tg_loader_free(feeding->healthy_loader);
    free(feeding->diseased);
    free(feeding->healthy);
    *feeding = (tgi_feeding){0};
}

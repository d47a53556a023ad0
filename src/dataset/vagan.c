/* vagan.c -- the synthetic set of VA-GAN (Baumgartner et al., CVPR 2018): bright squares on
 * smoothed noise, and a harder set with rectangles anywhere. Every length is meant for 112 px and
 * scaled with the side. */
#include "config.h"
#include "dataset/phantom.h"
#include "base/memory.h"
#include "dataset/draw.h"

#include <math.h>
#include <stdlib.h>

#include "base/banned.h"

enum { PART_BACKGROUND = 2, PART_EFFECT = 3, PUBLISHED_PX = 112 };

static const tgi_vagan_opts published = {false, 100, 50, 2.5};

/* A length of the publication in pixels of this image. */
static size_t scaled(double length, size_t size_px)
{
    return (size_t)(length * (double)size_px / PUBLISHED_PX + 0.5);
}

/* Blurred white noise, divided by its own sd and multiplied by the wanted one; its mean is left as
 * it falls. */
static tg_status make_background(uint64_t seed, uint64_t index, const tgi_vagan_opts *opts,
                                 size_t size_px, float *plane)
{
    tgi_rng rng = tgi_drawn_rng(seed, index, PART_BACKGROUND);
    size_t n = size_px * size_px;
    double sum = 0, squares = 0, mean, sd;
    tg_status status;

    for (size_t p = 0; p < n; p++)
        plane[p] = (float)tgi_rng_normal(&rng);
    status = tgi_blur(plane, size_px, opts->blur_px * (double)size_px / PUBLISHED_PX);
    for (size_t p = 0; p < n; p++)
        sum += plane[p];
    mean = sum / (double)n;
    for (size_t p = 0; p < n; p++)
        squares += (plane[p] - mean) * (plane[p] - mean);
    sd = sqrt(squares / (double)n);
    for (size_t p = 0; p < n; p++)
        plane[p] = (float)(plane[p] * opts->noise_sd / sd);
    return status;
}

/* Assigns, not adds: where two overlap the later one holds. */
static void put_rectangle(float *effect, size_t size_px, size_t x, size_t y, size_t w, size_t h,
                          double height)
{
    for (size_t row = y; row < y + h && row < size_px; row++) {
        for (size_t column = x; column < x + w && column < size_px; column++)
            effect[row * size_px + column] = (float)height;
    }
}

/* A 20 x 20 square in the middle, and one 32 px away along the diagonal, shifted by -5..+4 px each
 * way. */
static void put_published(tgi_rng *rng, int subtype, double height, size_t size_px, float *effect)
{
    size_t side = scaled(20, size_px), half = size_px / 2, away = scaled(32, size_px),
           reach = scaled(5, size_px);
    size_t centre = subtype == 0 ? half + away : half - away;
    size_t x = centre - side / 2 - reach, y = x;

    put_rectangle(effect, size_px, half - side / 2, half - side / 2, side, side, height);
    if (reach) {
        x += tgi_rng_below(rng, 2 * reach);
        y += tgi_rng_below(rng, 2 * reach);
    }
    put_rectangle(effect, size_px, x, y, side, side, height);
}

/* 1 to 3 rectangles anywhere, sides 12..26 px, 0.6 to 1.2 of the usual height. */
static void put_random(tgi_rng *rng, double height, size_t size_px, float *effect)
{
    size_t count = 1 + tgi_rng_below(rng, 3), low = scaled(12, size_px), high = scaled(26, size_px);

    for (size_t i = 0; i < count; i++) {
        size_t w = low + tgi_rng_below(rng, high - low + 1),
               h = low + tgi_rng_below(rng, high - low + 1);
        size_t x = tgi_rng_below(rng, size_px - w + 1), y = tgi_rng_below(rng, size_px - h + 1);

        put_rectangle(effect, size_px, x, y, w, h, height * tgi_rng_range(rng, 0.6, 1.2));
    }
}

/* Background plus effect onto [-1,1] by the image's own minimum and maximum. The effect scaled
 * alike is what a map should show: the image minus its own background under the same scaling. */
static void scale_to_range(tgi_drawn *drawn, float *effect)
{
    float *pixels = drawn->image.pixels, low = INFINITY, high = -INFINITY, factor;
    size_t n = drawn->image.width_px * drawn->image.height_px;

    for (size_t p = 0; p < n; p++) {
        pixels[p] += effect[p];
        low = fminf(low, pixels[p]);
        high = fmaxf(high, pixels[p]);
    }
    factor = high > low ? 2 / (high - low) : 0;
    for (size_t p = 0; p < n; p++) {
        pixels[p] = fminf(fmaxf((pixels[p] - low) * factor - 1, -1), 1);
        effect[p] *= factor;
        drawn->mask.pixels[p] = effect[p] > 0; /* of a weak effect, too */
    }
}

tg_status tgi_vagan_draw(uint64_t seed, uint64_t index, bool is_diseased, int subtype,
                         const tgi_vagan_opts *opts, size_t size_px, tgi_drawn *out)
{
    tg_status status = TG_OK;
    tgi_drawn drawn = {{0}, {0}, {0}};
    tgi_rng rng = tgi_drawn_rng(seed, index, PART_EFFECT);

    *out = drawn;
    if (!opts)
        opts = &published;
    if (index >> 60)
        return tg_fail(TG_ERR_ARGUMENT, "cannot draw an image: its index is 2^60 or more");
    if (size_px < 16 || size_px > 4096)
        return tg_fail(TG_ERR_ARGUMENT,
                       "cannot draw an image of %zu pixels: the side is 16 to 4096", size_px);
    if (!(opts->effect >= 0) || !(opts->noise_sd > 0) || !(opts->blur_px >= 0) ||
        opts->blur_px > 100)
        return tg_fail(TG_ERR_ARGUMENT,
                       "cannot draw: effect %g, noise %g or blur %g is out of range", opts->effect,
                       opts->noise_sd, opts->blur_px);
    TG_TRY(tgi_drawn_new(size_px, &drawn));
    TG_TRY(make_background(seed, index, opts, size_px, drawn.image.pixels));
    if (is_diseased && opts->random_positions)
        put_random(&rng, opts->effect, size_px, drawn.difference.pixels);
    else if (is_diseased)
        put_published(&rng, subtype, opts->effect, size_px, drawn.difference.pixels);
    scale_to_range(&drawn, drawn.difference.pixels);
    *out = drawn;
    drawn = (tgi_drawn){{0}, {0}, {0}};
cleanup:
    tgi_drawn_release(&drawn);
    return status;
}

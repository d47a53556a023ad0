/* augment.c -- one changed copy of an image: mirror, shift, turn and scale in one bilinear step,
 * then gain and offset. All numbers are drawn whatever is switched on, so that one switch does not
 * change what the others draw. */
#include "config.h"
#include "dataset/dataset.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "base/banned.h"

bool tgi_augment_is_off(const tg_augment *a)
{
    return !a->flip && a->shift_px <= 0 && !(a->rotate_degrees > 0) && !(a->scale > 0) &&
           !(a->gain > 0) && !(a->offset > 0);
}

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

/* Bilinear at (u,v), edges repeated. Whole coordinates give the pixel itself, to the bit. */
static float pixel_at(const float *x, size_t size_px, double u, double v)
{
    const double last = (double)size_px - 1;
    size_t i, j, i1, j1;
    float a, b;

    u = clamp(u, 0, last);
    v = clamp(v, 0, last);
    i = (size_t)u;
    j = (size_t)v;
    i1 = i + 1 < size_px ? i + 1 : i;
    j1 = j + 1 < size_px ? j + 1 : j;
    a = (float)(u - (double)i);
    b = (float)(v - (double)j);
    return (1 - b) * ((1 - a) * x[j * size_px + i] + a * x[j * size_px + i1]) +
           b * ((1 - a) * x[j1 * size_px + i] + a * x[j1 * size_px + i1]);
}

/* A whole number in -reach..reach. */
static double draw_shift(tgi_rng *rng, int reach)
{
    const double u = tgi_rng_uniform(rng);

    return reach > 0 ? floor(u * (2.0 * reach + 1)) - reach : 0;
}

static double draw_amount(tgi_rng *rng, double reach)
{
    const double u = tgi_rng_uniform(rng);

    return reach > 0 ? (2 * u - 1) * reach : 0;
}

void tgi_augment(const tg_augment *augment, uint64_t seed, uint64_t index, size_t size_px,
                 const float *x, float *y)
{
    static const double radians = 3.14159265358979323846 / 180;
    tgi_rng rng = tgi_rng_new(seed, TGI_STREAM_AUGMENT, index);
    const bool is_flipped = tgi_rng_uniform(&rng) < 0.5 && augment->flip;
    const double dx = draw_shift(&rng, augment->shift_px), dy = draw_shift(&rng, augment->shift_px);
    const double angle = draw_amount(&rng, augment->rotate_degrees) * radians;
    const double zoom = 1 + draw_amount(&rng, augment->scale < 0.9 ? augment->scale : 0.9);
    const double gain = 1 + draw_amount(&rng, augment->gain),
                 offset = draw_amount(&rng, augment->offset);
    const double centre = ((double)size_px - 1) / 2, cosine = cos(angle) / zoom,
                 sine = sin(angle) / zoom;
    const bool has_tone = augment->gain > 0 || augment->offset > 0;

    for (size_t row = 0; row < size_px; row++)
        for (size_t column = 0; column < size_px; column++) {
            /* where this pixel comes from: the moves undone, last first */
            const double p = (double)column - centre - dx, q = (double)row - centre - dy;
            const double u = cosine * p + sine * q, v = cosine * q - sine * p;
            float value = pixel_at(x, size_px, centre + (is_flipped ? -u : u), centre + v);

            if (has_tone)
                value = (float)clamp(value * gain + offset, -1, 1);
            y[row * size_px + column] = value;
        }
}

/* draw.c -- soft-edged shapes, smooth noise and a Gaussian blur for drawn images. */
#include "config.h"
#include "dataset/draw.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

tgi_rng tgi_drawn_rng(uint64_t seed, uint64_t index, unsigned part)
{
    return tgi_rng_new(seed, TGI_STREAM_PHANTOM, index << 4 | part);
}

tg_status tgi_drawn_new(size_t size_px, tgi_drawn *out)
{
    tg_status status = TG_OK;
    tgi_drawn drawn = {{0}, {0}, {0}};
    size_t n;

    *out = drawn;
    TG_TRY(tgi_size_mul(size_px, size_px, &n));
    TG_TRY(tg_image_new(size_px, size_px, &drawn.image));
    TG_TRY(tg_image_new(size_px, size_px, &drawn.difference));
    TG_TRY(tgi_alloc(n, 1, &drawn.mask.pixels));
    drawn.mask.width_px = drawn.mask.height_px = size_px;
    *out = drawn;
    drawn = (tgi_drawn){{0}, {0}, {0}};
cleanup:
    tgi_drawn_release(&drawn);
    return status;
}

void tgi_drawn_mark(tgi_drawn *drawn)
{
    size_t n = drawn->mask.width_px * drawn->mask.height_px;

    for (size_t p = 0; p < n; p++)
        drawn->mask.pixels[p] = fabsf(drawn->difference.pixels[p]) > 0.10f;
}

void tgi_drawn_release(tgi_drawn *drawn)
{
    tg_image_release(&drawn->image);
    tg_image_release(&drawn->difference);
    tg_mask_release(&drawn->mask);
}

tgi_oval tgi_oval_new(double x, double y, double a, double b, double power, double tilt_degrees)
{
    double tilt = tilt_degrees * 0.017453292519943295;
    tgi_oval oval = {(float)x,     (float)y,         (float)a,        (float)b,
                     (float)power, (float)cos(tilt), (float)sin(tilt)};

    return oval;
}

float tgi_oval_depth(const tgi_oval *oval, float x, float y)
{
    float dx = x - oval->x, dy = y - oval->y;
    float u = fabsf(oval->cosine * dx + oval->sine * dy) / oval->a;
    float v = fabsf(oval->cosine * dy - oval->sine * dx) / oval->b;
    float radius, smaller = fminf(oval->a, oval->b);

    if (u > 1.6f || v > 1.6f) /* far outside: the power would only cost time */
        radius = fmaxf(u, v);
    else if (oval->power == 2)
        radius = sqrtf(u * u + v * v);
    else
        radius = powf(powf(u, oval->power) + powf(v, oval->power), 1 / oval->power);
    return (1 - radius) * smaller;
}

float tgi_soft_step(float depth, float width)
{
    float z = depth / width;

    if (z > 9)
        return 1;
    if (z < -9)
        return 0;
    return 1 / (1 + expf(-z));
}

float tgi_segment_distance(float x, float y, float x0, float y0, float x1, float y1, float *along)
{
    float ex = x1 - x0, ey = y1 - y0, square = ex * ex + ey * ey;
    float t = square > 0 ? ((x - x0) * ex + (y - y0) * ey) / square : 0;

    t = fminf(fmaxf(t, 0), 1);
    *along = t;
    return hypotf(x - (x0 + t * ex), y - (y0 + t * ey));
}

void tgi_lattice_fill(tgi_lattice *lattice, tgi_rng *rng)
{
    for (size_t octave = 0; octave < 2; octave++) {
        for (size_t i = 0; i < TGI_LATTICE; i++) {
            for (size_t j = 0; j < TGI_LATTICE; j++)
                lattice->values[octave][i][j] = (float)tgi_rng_normal(rng);
        }
    }
}

static float octave_at(const float values[TGI_LATTICE][TGI_LATTICE], float u, float v)
{
    float fu = floorf(u), fv = floorf(v), s = u - fu, t = v - fv;
    /* negative coordinates wrap as positive ones do */
    size_t i = (size_t)((long)fv + 64L * TGI_LATTICE) % TGI_LATTICE, i1 = (i + 1) % TGI_LATTICE;
    size_t j = (size_t)((long)fu + 64L * TGI_LATTICE) % TGI_LATTICE, j1 = (j + 1) % TGI_LATTICE;

    s = s * s * (3 - 2 * s);
    t = t * t * (3 - 2 * t);
    return (1 - t) * ((1 - s) * values[i][j] + s * values[i][j1]) +
           t * ((1 - s) * values[i1][j] + s * values[i1][j1]);
}

float tgi_lattice_at(const tgi_lattice *lattice, float cells, float x, float y)
{
    /* 1.3 brings the interpolated sum back to an sd of about 1 */
    return 1.3f * (octave_at(lattice->values[0], cells * x, cells * y) +
                   0.5f * octave_at(lattice->values[1], 2 * cells * x, 2 * cells * y));
}

/* out[i] = sum of in[i + k - radius] weights[k] along a line of n values that lie `stride` apart.
 */
static void blur_line(float *line, size_t n, size_t stride, const float *weights, size_t radius,
                      float *wide)
{
    for (size_t i = 0; i < n + 2 * radius; i++) {
        size_t from = i < radius ? 0 : i - radius;

        wide[i] = line[(from < n ? from : n - 1) * stride];
    }
    for (size_t i = 0; i < n; i++) {
        float sum = 0;

        for (size_t k = 0; k <= 2 * radius; k++)
            sum += weights[k] * wide[i + k];
        line[i * stride] = sum;
    }
}

tg_status tgi_blur(float *plane, size_t size_px, double sigma_px)
{
    tg_status status = TG_OK;
    size_t radius = sigma_px > 0 ? (size_t)(4 * sigma_px + 0.5) : 0;
    float *weights = NULL, *wide = NULL;
    double sum = 0;

    if (!radius)
        return TG_OK;
    TG_TRY(tgi_alloc(2 * radius + 1, sizeof *weights, &weights));
    TG_TRY(tgi_alloc(size_px + 2 * radius, sizeof *wide, &wide));
    for (size_t k = 0; k <= 2 * radius; k++) {
        double z = ((double)k - (double)radius) / sigma_px;

        weights[k] = (float)exp(-z * z / 2);
        sum += weights[k];
    }
    for (size_t k = 0; k <= 2 * radius; k++)
        weights[k] = (float)(weights[k] / sum);
    for (size_t i = 0; i < size_px; i++)
        blur_line(plane + i * size_px, size_px, 1, weights, radius, wide);
    for (size_t j = 0; j < size_px; j++)
        blur_line(plane + j, size_px, size_px, weights, radius, wide);
cleanup:
    free(wide);
    free(weights);
    return status;
}

/* phantom.c -- the built-in radiographs: a chest drawn from a few dozen random numbers, with exact
 * truth. Anatomy, noise and each disease have generators of their own, so the healthy twin of an
 * image differs by the lesion alone. Everything but the noise is the same picture at every size.
 * Lengths are fractions of the image side, grey is 0..1 until the end. */
#include "config.h"
#include "dataset/phantom.h"
#include "base/memory.h"
#include "dataset/draw.h"
#include "dataset/scene.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { PART_ANATOMY = 0, PART_NOISE = 1, PART_LESION = 4 /* + class */ };

static const char *const class_names[TGI_PHANTOM_CLASSES] = {"nodule", "consolidation", "effusion",
                                                             "cardiomegaly"};

const char *tgi_phantom_class(size_t k)
{
    return k < TGI_PHANTOM_CLASSES ? class_names[k] : NULL;
}

tgi_window tgi_scene_window(const tgi_scene *scene, float x, float y, float radius)
{
    float dx = (x - 0.5f) * scene->scale, dy = (y - 0.5f) * scene->scale,
          side = (float)scene->size_px;
    float px = (scene->cosine * dx - scene->sine * dy + 0.5f + scene->shift_x) * side - 0.5f;
    float py = (scene->sine * dx + scene->cosine * dy + 0.5f + scene->shift_y) * side - 0.5f;
    float r = radius * scene->scale * side;
    tgi_window window = {(size_t)fminf(fmaxf(floorf(py - r), 0), side),
                         (size_t)fminf(fmaxf(ceilf(py + r) + 1, 0), side),
                         (size_t)fminf(fmaxf(floorf(px - r), 0), side),
                         (size_t)fminf(fmaxf(ceilf(px + r) + 1, 0), side)};

    return window;
}

static void release_scene(tgi_scene *scene)
{
    free(scene->memory);
    scene->memory = NULL;
}

static tg_status allocate_layers(tgi_scene *scene, size_t size_px)
{
    tg_status status = TG_OK;
    size_t n;
    float **const layers[] = {&scene->x,        &scene->y,     &scene->cover[0],
                              &scene->cover[1], &scene->under, &scene->over};

    TG_TRY(tgi_size_mul(size_px, size_px, &n));
    TG_TRY(tgi_alloc(n, TG_COUNT(layers) * sizeof(float), &scene->memory));
    scene->size_px = size_px;
    scene->n = n;
    for (size_t i = 0; i < TG_COUNT(layers); i++)
        *layers[i] = scene->memory + i * n;
cleanup:
    return status;
}

/* Rotation +-3 degrees, scale 0.96..1.04, shift +-0.025; fills x and y. */
static void choose_pose(tgi_scene *scene, tgi_rng *rng)
{
    float angle = tgi_pick(rng, -3, 3) * 0.0174532925f;

    scene->cosine = cosf(angle);
    scene->sine = sinf(angle);
    scene->scale = tgi_pick(rng, 0.96, 1.04);
    scene->shift_x = tgi_pick(rng, -0.025, 0.025);
    scene->shift_y = tgi_pick(rng, -0.025, 0.025);
    scene->soft = 0.5f / (float)scene->size_px / scene->scale;
    for (size_t row = 0; row < scene->size_px; row++) {
        for (size_t column = 0; column < scene->size_px; column++) {
            float u = ((float)column + 0.5f) / (float)scene->size_px - 0.5f - scene->shift_x;
            float v = ((float)row + 0.5f) / (float)scene->size_px - 0.5f - scene->shift_y;
            size_t p = row * scene->size_px + column;

            scene->x[p] = 0.5f + (scene->cosine * u + scene->sine * v) / scene->scale;
            scene->y[p] = 0.5f + (scene->cosine * v - scene->sine * u) / scene->scale;
        }
    }
}

static void choose_organs(tgi_scene *scene, tgi_rng *rng)
{
    double a = tgi_pick(rng, 0.42, 0.48), b = tgi_pick(rng, 0.56, 0.64), x, y;

    scene->body = tgi_oval_new(0.50, 0.62, a, b, 2.6, 0);
    scene->tissue = tgi_pick(rng, 0.52, 0.62);
    for (size_t side = 0; side < 2; side++) {
        tgi_lung *lung = &scene->lungs[side];
        double away = tgi_pick(rng, 0.17, 0.20), tilt = tgi_pick(rng, 3, 9);

        y = tgi_pick(rng, 0.44, 0.47);
        a = tgi_pick(rng, 0.125, 0.155);
        b = tgi_pick(rng, 0.27, 0.32);
        /* the tops lean towards the middle */
        lung->oval = tgi_oval_new(0.5 + tgi_side_sign(side) * away, y, a, b, 2.3,
                                  -tgi_side_sign(side) * tilt);
        lung->dome_y = tgi_pick(rng, 0.68, 0.74);
        lung->dome_fall = tgi_pick(rng, 0.04, 0.08);
    }
    x = tgi_pick(rng, 0.545, 0.57);
    y = tgi_pick(rng, 0.60, 0.635);
    a = tgi_pick(rng, 0.105, 0.13);
    b = tgi_pick(rng, 0.08, 0.10);
    scene->heart = tgi_oval_new(x, y, a, b, 2, tgi_pick(rng, 25, 40));
    scene->heart_fill = tgi_pick(rng, 0.78, 0.95);
}

/* Body, lungs down to the diaphragm, and the bright band of spine and mediastinum. */
static void paint_trunk(tgi_scene *scene, tgi_rng *rng)
{
    float dark = tgi_pick(rng, 0.34, 0.42), air = tgi_pick(rng, 0.02, 0.06);
    float band = tgi_pick(rng, 0.055, 0.075), band_light = tgi_pick(rng, 0.05, 0.10);

    for (size_t p = 0; p < scene->n; p++) {
        float x = scene->x[p], y = scene->y[p], grey;
        float body = tgi_soft_step(tgi_oval_depth(&scene->body, x, y), 2 * scene->soft);

        grey = air + (scene->tissue - air) * body;
        for (size_t side = 0; side < 2; side++) {
            const tgi_lung *lung = &scene->lungs[side];
            float cover = tgi_soft_step(tgi_oval_depth(&lung->oval, x, y), scene->soft);

            if (cover > 0)
                cover *= tgi_soft_step(tgi_dome_at(lung, x) - y, scene->soft);
            scene->cover[side][p] = cover;
            grey -= dark * cover;
        }
        /* edges of the band are soft: the spine has no outline in the lung's shadow */
        grey += band_light * body * tgi_soft_step(band - fabsf(x - 0.5f), scene->soft + 0.006f);
        scene->under[p] = grey;
    }
}

/* 6..8 pairs of ribs that leave the spine, bend and fall outwards, and two clavicles. */
static void paint_bones(tgi_scene *scene, tgi_rng *rng)
{
    size_t pairs = 6 + tgi_rng_below(rng, 3);
    float first = tgi_pick(rng, 0.13, 0.17), step = tgi_pick(rng, 0.56, 0.60) / (float)pairs;
    float fall = tgi_pick(rng, 0.20, 0.38), bend = tgi_pick(rng, 0.35, 0.75);

    for (size_t i = 0; i < 2 * pairs + 2; i++) {
        bool is_clavicle = i >= 2 * pairs;
        float sign = tgi_side_sign(i % 2), sigma = tgi_pick(rng, 0.009, 0.014),
              light = tgi_pick(rng, 0.05, 0.09);
        float top = first + step * (float)(i / 2) + tgi_pick(rng, -0.008, 0.008);
        float slope = fall * tgi_pick(rng, 0.9, 1.1), curve = bend * tgi_pick(rng, 0.85, 1.15);
        float inner = 0.045f, outer = scene->body.a - 0.075f;

        if (is_clavicle) { /* a flat S from the breastbone up to the shoulder */
            top = tgi_pick(rng, 0.20, 0.235);
            slope = tgi_pick(rng, -0.45, -0.30);
            curve = tgi_pick(rng, 0.3, 0.6);
            sigma *= 1.15f;
            outer = 0.33f;
        }
        for (size_t p = 0; p < scene->n; p++) {
            float t = (scene->x[p] - 0.5f) * sign, u = t - inner, gradient, distance, ends;

            if (t < inner - 0.06f || t > outer + 0.06f)
                continue;
            gradient = slope + 2 * curve * u;
            distance =
                (scene->y[p] - (top + slope * u + curve * u * u)) / sqrtf(1 + gradient * gradient);
            if (fabsf(distance) > 3.5f * sigma)
                continue;
            ends = tgi_soft_step(u, 0.006f) * tgi_soft_step(outer - t, 0.006f);
            scene->over[p] += light * ends * expf(-distance * distance / (2 * sigma * sigma));
        }
    }
}

/* Raises `vessels` to a soft disc or tapering segment: the brightest wins where they cross. */
static void raise_segment(const tgi_scene *scene, float *vessels, const float from[3],
                          const float to[3], float light)
{
    float cx = (from[0] + to[0]) / 2, cy = (from[1] + to[1]) / 2;
    float reach =
        hypotf(to[0] - from[0], to[1] - from[1]) / 2 + fmaxf(from[2], to[2]) + 5 * scene->soft;
    tgi_window window = tgi_scene_window(scene, cx, cy, reach);

    for (size_t row = window.top; row < window.bottom; row++) {
        for (size_t column = window.left; column < window.right; column++) {
            size_t p = row * scene->size_px + column;
            float along;
            float distance = tgi_segment_distance(scene->x[p], scene->y[p], from[0], from[1], to[0],
                                                  to[1], &along);
            float radius = from[2] + along * (to[2] - from[2]);

            vessels[p] = fmaxf(vessels[p], light * tgi_soft_step(radius - distance, scene->soft));
        }
    }
}

/* A branch leaves the hilum, bends and thins out over eight segments. */
static void grow_branch(const tgi_scene *scene, float *vessels, float x, float y, float angle,
                        tgi_rng *rng)
{
    enum { SEGMENTS = 8 };
    float step = tgi_pick(rng, 0.11, 0.23) / SEGMENTS, bend = tgi_pick(rng, -0.16, 0.16);
    float thick = tgi_pick(rng, 0.0055, 0.0085), light = tgi_pick(rng, 0.10, 0.16);

    for (int i = 0; i < SEGMENTS; i++) {
        float from[3] = {x, y, thick * (1 - 0.85f * (float)i / SEGMENTS)};
        float to[3] = {x + step * cosf(angle), y + step * sinf(angle),
                       thick * (1 - 0.85f * (float)(i + 1) / SEGMENTS)};

        raise_segment(scene, vessels, from, to, light * (1 - 0.5f * (float)i / SEGMENTS));
        x = to[0];
        y = to[1];
        angle += bend;
    }
}

/* A blob at each hilum, 6..10 branches a lung and 1..3 end-on dots, which look like small nodules.
 */
static void paint_vessels(tgi_scene *scene, float *vessels, tgi_rng *rng)
{
    for (size_t side = 0; side < 2; side++) {
        const tgi_oval *oval = &scene->lungs[side].oval;
        float sign = tgi_side_sign(side), hx = oval->x - sign * oval->a * 0.62f;
        float hy = tgi_pick(rng, 0.43, 0.49), blob = tgi_pick(rng, 0.020, 0.030);
        float light = tgi_pick(rng, 0.10, 0.16);
        size_t branches = 6 + tgi_rng_below(rng, 5), dots;

        for (size_t p = 0; p < scene->n; p++) {
            float dx = (scene->x[p] - hx) / blob, dy = (scene->y[p] - hy) / (1.5f * blob),
                  square = dx * dx + dy * dy;

            if (square < 16)
                vessels[p] = fmaxf(vessels[p], light * expf(-square / 2));
        }
        for (size_t i = 0; i < branches; i++) {
            /* a fan from straight up, past the chest wall, to straight down */
            float turn = -1.35f + 2.7f * ((float)i + tgi_pick(rng, 0.1, 0.9)) / (float)branches;

            grow_branch(scene, vessels, hx, hy, sign > 0 ? turn : 3.14159265f - turn, rng);
        }
        dots = 1 + tgi_rng_below(rng, 3);
        for (size_t i = 0; i < dots; i++) {
            float turn = tgi_pick(rng, 0, 6.2831853), far = sqrtf(tgi_pick(rng, 0, 1)) * 0.75f;
            float dot[3] = {oval->x + oval->a * far * cosf(turn),
                            oval->y + oval->b * far * sinf(turn), tgi_pick(rng, 0.005, 0.010)};

            raise_segment(scene, vessels, dot, dot, tgi_pick(rng, 0.10, 0.16));
        }
    }
    for (size_t p = 0; p < scene->n; p++)
        scene->under[p] += vessels[p] * fminf(scene->cover[0][p] + scene->cover[1][p], 1);
}

/* Uneven exposure: three slow waves of 0.005..0.025 together. */
static void paint_bias(tgi_scene *scene, tgi_rng *rng)
{
    float height = tgi_pick(rng, 0.005, 0.025), waves[3][3];

    for (size_t i = 0; i < 3; i++) {
        waves[i][0] = tgi_pick(rng, -5, 5);
        waves[i][1] = tgi_pick(rng, -5, 5);
        waves[i][2] = tgi_pick(rng, 0, 6.2831853);
    }
    for (size_t p = 0; p < scene->n; p++) {
        float sum = 0;

        for (size_t i = 0; i < 3; i++)
            sum += cosf(waves[i][0] * scene->x[p] + waves[i][1] * scene->y[p] + waves[i][2]);
        scene->over[p] += height * 0.577f * sum;
    }
}

/* Noise of sd 0.012..0.025, blurred by half a pixel and brought back to that sd. */
static tg_status add_noise(tgi_scene *scene, float *scratch, tgi_rng *rng)
{
    double sigma = tgi_rng_range(rng, 0.012, 0.025);
    float factor =
        (float)(sigma / 0.6413); /* sd that white noise keeps under a blur of half a pixel */
    tg_status status;

    for (size_t p = 0; p < scene->n; p++)
        scratch[p] = (float)tgi_rng_normal(rng);
    status = tgi_blur(scratch, scene->size_px, 0.5);
    for (size_t p = 0; p < scene->n; p++)
        scene->over[p] += factor * scratch[p];
    return status;
}

static void paint_heart(const tgi_scene *scene, const tgi_oval *heart, float *grey)
{
    float light = 1.12f * scene->tissue;

    for (size_t p = 0; p < scene->n; p++) {
        float depth = tgi_oval_depth(heart, scene->x[p], scene->y[p]);

        grey[p] += scene->heart_fill * tgi_soft_step(depth, scene->soft) * (light - grey[p]);
    }
}

/* From grey to the image: bones and noise on top, exposure, [-1,1]. */
static void expose(const tgi_scene *scene, float gain, float offset, float *pixels)
{
    for (size_t p = 0; p < scene->n; p++) {
        float value = gain * (pixels[p] + scene->over[p]) + offset;

        pixels[p] = fminf(fmaxf(2 * value - 1, -1), 1);
    }
}

/* The healthy picture into `healthy`, the one with the lesions into `image` (the same when classes
 * is 0). */
static void paint_both(const tgi_scene *scene, uint64_t seed, uint64_t index, unsigned classes,
                       float gain, float offset, float *healthy, float *image)
{
    tgi_oval heart = scene->heart;

    memcpy(healthy, scene->under, scene->n * sizeof *healthy);
    memcpy(image, scene->under, scene->n * sizeof *image);
    if (classes & 1u << TGI_CARDIOMEGALY) {
        tgi_rng rng = tgi_drawn_rng(seed, index, PART_LESION + TGI_CARDIOMEGALY);

        heart = tgi_big_heart(scene, &rng);
    }
    paint_heart(scene, &scene->heart, healthy);
    paint_heart(scene, &heart, image);
    for (size_t k = 0; k < TGI_PHANTOM_CLASSES; k++) {
        if (classes & 1u << k) {
            tgi_rng rng = tgi_drawn_rng(seed, index, PART_LESION + (unsigned)k);

            tgi_lesion_paint(scene, k, &rng, image);
        }
    }
    expose(scene, gain, offset, healthy);
    expose(scene, gain, offset, image);
}

tg_status tgi_phantom_draw(uint64_t seed, uint64_t index, unsigned classes, size_t size_px,
                           tgi_drawn *out)
{
    tg_status status = TG_OK;
    tgi_scene scene = {0};
    tgi_drawn drawn = {{0}, {0}, {0}};
    tgi_rng rng = tgi_drawn_rng(seed, index, PART_ANATOMY),
            noise = tgi_drawn_rng(seed, index, PART_NOISE);
    float gain, offset;

    *out = drawn;
    if (index >> 60)
        return tg_fail(TG_ERR_ARGUMENT, "cannot draw a phantom: its index is 2^60 or more");
    if (size_px < 16 || size_px > 4096)
        return tg_fail(TG_ERR_ARGUMENT,
                       "cannot draw a phantom of %zu pixels: the side is 16 to 4096", size_px);
    if (classes >> TGI_PHANTOM_CLASSES)
        return tg_fail(TG_ERR_ARGUMENT, "cannot draw a phantom: class set %#x has unknown members",
                       classes);
    TG_TRY(allocate_layers(&scene, size_px));
    TG_TRY(tgi_drawn_new(size_px, &drawn));
    choose_pose(&scene, &rng);
    choose_organs(&scene, &rng);
    gain = 1.25f * tgi_pick(&rng, 0.92, 1.08);
    offset = tgi_pick(&rng, -0.03, 0.03);
    paint_trunk(&scene, &rng);
    paint_vessels(&scene, drawn.image.pixels,
                  &rng); /* the image's own pixels serve as scratch until it is painted */
    paint_bones(&scene, &rng);
    paint_bias(&scene, &rng);
    TG_TRY(add_noise(&scene, drawn.image.pixels, &noise));
    paint_both(&scene, seed, index, classes, gain, offset, drawn.difference.pixels,
               drawn.image.pixels);
    for (size_t p = 0; p < scene.n; p++)
        drawn.difference.pixels[p] = drawn.image.pixels[p] - drawn.difference.pixels[p];
    tgi_drawn_mark(&drawn);
    *out = drawn;
    drawn = (tgi_drawn){{0}, {0}, {0}};
cleanup:
    tgi_drawn_release(&drawn);
    release_scene(&scene);
    return status;
}

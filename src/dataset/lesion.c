/* lesion.c -- the diseases of the built-in radiographs: nodule, consolidation, effusion,
 * cardiomegaly. */
#include "config.h"
#include "dataset/scene.h"

#include "base/banned.h"

/* A place in a lung, `room` away from its edge and its diaphragm, and off the heart. */
static void find_place(const tgi_scene *scene, size_t side, float room, tgi_rng *rng, float *x,
                       float *y)
{
    const tgi_oval *oval = &scene->lungs[side].oval;

    *x = oval->x;
    *y = oval->y;
    for (int attempt = 0; attempt < 200; attempt++) {
        float u = oval->x + oval->a * tgi_pick(rng, -1, 1),
              v = oval->y + oval->b * tgi_pick(rng, -1, 1);

        if (tgi_oval_depth(oval, u, v) > room && v + room < tgi_dome_at(&scene->lungs[side], u) &&
            tgi_oval_depth(&scene->heart, u, v) < -room) {
            *x = u;
            *y = v;
            return;
        }
    }
}

static void paint_nodules(const tgi_scene *scene, tgi_rng *rng, float *grey)
{
    size_t count = 1 + tgi_rng_below(rng, 3);

    for (size_t i = 0; i < count; i++) {
        float radius = tgi_pick(rng, 0.030, 0.062), aspect = sqrtf(tgi_pick(rng, 0.8, 1.25)), x, y;
        float tilt = tgi_pick(rng, 0, 180), light = tgi_pick(rng, 0.16, 0.32);
        size_t side = tgi_rng_below(rng, 2);

        find_place(scene, side, 0.7f * radius, rng, &x, &y);
        tgi_oval disc = tgi_oval_new(x, y, radius * aspect, radius / aspect, 2, tilt);
        tgi_window window = tgi_scene_window(scene, x, y, radius * 1.2f + 10 * scene->soft);
        for (size_t row = window.top; row < window.bottom; row++) {
            for (size_t column = window.left; column < window.right; column++) {
                size_t p = row * scene->size_px + column;

                grey[p] += light * tgi_soft_step(tgi_oval_depth(&disc, scene->x[p], scene->y[p]),
                                                 scene->soft);
            }
        }
    }
}

static void paint_consolidation(const tgi_scene *scene, size_t side, tgi_rng *rng, float *grey)
{
    float radius = tgi_pick(rng, 0.07, 0.13), aspect = sqrtf(tgi_pick(rng, 0.75, 1.35));
    float tilt = tgi_pick(rng, 0, 180), fill = tgi_pick(rng, 0.50, 0.85), x, y;
    const float *cover = scene->cover[side];
    tgi_lattice outline, opacity;

    find_place(scene, side, 0.45f * radius, rng, &x, &y);
    tgi_lattice_fill(&outline, rng);
    tgi_lattice_fill(&opacity, rng);
    tgi_oval patch = tgi_oval_new(x, y, radius * aspect, radius / aspect, 2, tilt);
    tgi_window window = tgi_scene_window(scene, x, y, radius * 2.1f);
    for (size_t row = window.top; row < window.bottom; row++) {
        for (size_t column = window.left; column < window.right; column++) {
            size_t p = row * scene->size_px + column;
            float u = scene->x[p], v = scene->y[p];

            if (cover[p] == 0)
                continue;
            float ragged = tgi_lattice_at(&outline, 11, u, v),
                  cloud = tgi_lattice_at(&opacity, 9, u, v);
            float depth = tgi_oval_depth(&patch, u, v) + radius * (0.22f * ragged - 0.10f);
            float amount = fill * fminf(fmaxf(0.88f + 0.24f * cloud, 0.20f), 1.15f);

            /* an infiltrate has no sharp border: five pixels at 64 a side, and the same width at
             * any size */
            amount *= tgi_soft_step(depth, scene->soft + 0.010f) * cover[p];
            grey[p] += amount * (scene->tissue - grey[p]);
        }
    }
}

static void paint_effusion(const tgi_scene *scene, size_t side, tgi_rng *rng, float *grey)
{
    const tgi_lung *lung = &scene->lungs[side];
    float rise = tgi_pick(rng, 0.06, 0.20), climb = tgi_pick(rng, 0.12, 0.22);
    float fill = tgi_pick(rng, 0.75, 0.95), sign = tgi_side_sign(side);
    const float *cover = scene->cover[side];

    for (size_t p = 0; p < scene->n; p++) {
        if (cover[p] == 0)
            continue;
        /* 0 at the inner edge of the lung, 1 at the chest wall */
        float t = 0.5f + 0.5f * sign * (scene->x[p] - lung->oval.x) / lung->oval.a;
        float wall = fminf(fmaxf(t, 0), 1.2f);
        float surface = lung->dome_y - rise - climb * wall * wall * wall;
        /* a pixel that is partly chest wall fills up with the rest: no dark rim stays around the
         * fluid */
        float amount = fill * tgi_soft_step(scene->y[p] - surface, scene->soft + 0.004f) *
                       fminf(10 * cover[p], 1);

        grey[p] += amount * (1.03f * scene->tissue - grey[p]);
    }
}

void tgi_lesion_paint(const tgi_scene *scene, size_t k, tgi_rng *rng, float *grey)
{
    bool is_both;
    size_t first;

    if (k == TGI_NODULE) {
        paint_nodules(scene, rng, grey);
        return;
    }
    if (k != TGI_CONSOLIDATION && k != TGI_EFFUSION)
        return;
    is_both = tgi_rng_uniform(rng) >= 0.6;
    first = tgi_rng_below(rng, 2);
    for (size_t side = 0; side < 2; side++) {
        if (!is_both && side != first)
            continue;
        if (k == TGI_CONSOLIDATION)
            paint_consolidation(scene, side, rng, grey);
        else
            paint_effusion(scene, side, rng, grey);
    }
}

tgi_oval tgi_big_heart(const tgi_scene *scene, tgi_rng *rng)
{
    tgi_oval heart = scene->heart;
    float factor = tgi_pick(rng, 1.35, 1.7);

    heart.x += 0.3f * (factor - 1) * heart.a; /* it grows to the patient's left */
    heart.a *= factor;
    heart.b *= factor;
    return heart;
}

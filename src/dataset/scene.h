/* scene.h -- one drawn radiograph while it is being painted: its anatomy in numbers and in layers
 * of pixels. phantom.c makes the anatomy and finishes the picture, lesion.c adds the diseases. */
#ifndef TGI_DATASET_SCENE_H
#define TGI_DATASET_SCENE_H

#include "base/rng.h"
#include "dataset/draw.h"

#include <math.h>
#include <stdbool.h>

/* Half of the chest. Side 0 is the image's left, the patient's right. */
typedef struct tgi_lung {
    tgi_oval oval;
    float dome_y,
        dome_fall; /* the diaphragm: y = dome_y + dome_fall * t^2, t = (x - oval.x) / oval.a */
} tgi_lung;

typedef struct tgi_scene {
    size_t size_px, n;                           /* n = size_px * size_px, of every layer below */
    float soft;                                  /* width of an edge */
    float cosine, sine, scale, shift_x, shift_y; /* pose */
    float tissue;                                /* grey of the body, 0..1 */
    tgi_lung lungs[2];
    tgi_oval body, heart;
    float heart_fill;
    float *memory;   /* one block for all layers */
    float *x, *y;    /* where each pixel lies in the patient, in fractions of the side */
    float *cover[2]; /* how much of a pixel is lung, 0..1 */
    float *under;    /* grey below the heart and the lesions */
    float *over;     /* added above them: bones, bias, noise */
} tgi_scene;

/* sign of x - 0.5 on that side */
static inline float tgi_side_sign(size_t side)
{
    return side ? 1.0f : -1.0f;
}

static inline float tgi_pick(tgi_rng *rng, double low, double high)
{
    return (float)tgi_rng_range(rng, low, high);
}

/* Height of the diaphragm of a lung at x. */
static inline float tgi_dome_at(const tgi_lung *lung, float x)
{
    float t = (x - lung->oval.x) / lung->oval.a;

    return lung->dome_y + lung->dome_fall * t * t;
}

/* Rows and columns [top,bottom) x [left,right) that contain the circle (x,y,radius) of the patient.
 */
typedef struct tgi_window {
    size_t top, bottom, left, right;
} tgi_window;
tgi_window tgi_scene_window(const tgi_scene *scene, float x, float y, float radius);

/* Paints the lesions of class k onto `grey`, with parameters of its own generator. For cardiomegaly
 * see tgi_big_heart(). */
void tgi_lesion_paint(const tgi_scene *scene, size_t k, tgi_rng *rng, float *grey);
/* The enlarged heart of cardiomegaly. */
tgi_oval tgi_big_heart(const tgi_scene *scene, tgi_rng *rng);

enum { TGI_NODULE, TGI_CONSOLIDATION, TGI_EFFUSION, TGI_CARDIOMEGALY };

#endif

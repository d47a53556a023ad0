/* draw.h -- soft-edged shapes, smooth noise and a Gaussian blur: what drawn images are made of.
 * Lengths are in fractions of the image side unless a name ends in _px; x goes right, y down. */
#ifndef TGI_DATASET_DRAW_H
#define TGI_DATASET_DRAW_H

#include "base/rng.h"
#include "base/status.h"
#include "dataset/phantom.h"

/* The generator for one part (0..15) of drawn image `index`: parts do not disturb one
 * another. The index is below 2^60, which the drawing functions check. */
tgi_rng tgi_drawn_rng(uint64_t seed, uint64_t index, unsigned part);
/* All zero, of that size. */
tg_status tgi_drawn_new(size_t size_px, tgi_drawn *out) TG_MUST_CHECK;
/* The mask from the difference: 1 where |difference| > 0.10. */
void tgi_drawn_mark(tgi_drawn *drawn);

/* A tilted superellipse: |x/a|^power + |y/b|^power <= 1 in its own axes; power 2 is an ellipse. */
typedef struct tgi_oval {
    float x, y, a, b, power;
    float cosine, sine; /* of the tilt */
} tgi_oval;

tgi_oval tgi_oval_new(double x, double y, double a, double b, double power, double tilt_degrees);
/* Depth below the edge, about a distance near it: > 0 inside. Exact enough for an edge of a pixel's
 * width. */
float tgi_oval_depth(const tgi_oval *oval, float x, float y);

/* Logistic step of depth / width: 0 outside, 1 inside; exactly so beyond nine widths, that what is
 * far away stays untouched. */
float tgi_soft_step(float depth, float width);

/* Distance from (x,y) to the segment from (x0,y0) to (x1,y1); *along is where on it, 0..1. */
float tgi_segment_distance(float x, float y, float x0, float y0, float x1, float y1, float *along);

/* Smooth noise over the unit square, the same picture at every image size: two octaves of a random
 * lattice; sd about 1. */
enum { TGI_LATTICE = 24 };
typedef struct tgi_lattice {
    float values[2][TGI_LATTICE][TGI_LATTICE];
} tgi_lattice;

void tgi_lattice_fill(tgi_lattice *lattice, tgi_rng *rng);
/* `cells` lattice cells to the side of the image (up to TGI_LATTICE / 2). */
float tgi_lattice_at(const tgi_lattice *lattice, float cells, float x, float y);

/* Gaussian blur of [size_px, size_px] in place; edges repeated, cut at four sigma (scikit-image's
 * defaults). */
tg_status tgi_blur(float *plane, size_t size_px, double sigma_px) TG_MUST_CHECK;

#endif

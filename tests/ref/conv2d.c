/* conv2d.c -- convolution by its definition, in double. */
#include "ref.h"

/* Index of the padded line in the image, -1 for a zero. */
static long inside(long i, long n, tg_padding padding)
{
    if (i >= 0 && i < n)
        return i;
    if (padding == TG_PAD_ZERO)
        return -1;
    return i < 0 ? -i : 2 * (n - 1) - i;
}

typedef void visit_fn(double *x, double *w, double *y);

/* Calls for every term x * w of every output value y: the whole of a convolution. */
static void each_term(const ref_conv2d *c, double *x, double *w, double *y, visit_fn *visit)
{
    size_t p_count = (c->x.h + 2 * c->geom.pad - c->w.h) / c->geom.stride + 1;
    size_t q_count = (c->x.w + 2 * c->geom.pad - c->w.w) / c->geom.stride + 1;

    for (size_t n = 0; n < c->x.n; n++)
        for (size_t k = 0; k < c->w.n; k++)
            for (size_t p = 0; p < p_count; p++)
                for (size_t q = 0; q < q_count; q++)
                    for (size_t ch = 0; ch < c->w.c; ch++)
                        for (size_t r = 0; r < c->w.h; r++)
                            for (size_t s = 0; s < c->w.w; s++) {
                                long i = inside((long)(p * c->geom.stride + r) - (long)c->geom.pad,
                                                (long)c->x.h, c->geom.padding);
                                long j = inside((long)(q * c->geom.stride + s) - (long)c->geom.pad,
                                                (long)c->x.w, c->geom.padding);

                                if (i < 0 || j < 0)
                                    continue;
                                visit(x + ((n * c->x.c + ch) * c->x.h + (size_t)i) * c->x.w +
                                          (size_t)j,
                                      w + ((k * c->w.c + ch) * c->w.h + r) * c->w.w + s,
                                      y + ((n * c->w.n + k) * p_count + p) * q_count + q);
                            }
}

static void forward(double *x, double *w, double *y)
{
    *y += *x * *w;
}

static void backward_data(double *x, double *w, double *y)
{
    *x += *y * *w;
}

static void backward_weights(double *x, double *w, double *y)
{
    *w += *y * *x;
}

void ref_conv2d_add(const ref_conv2d *c, ref_conv2d_pass pass, double *x, double *w, double *y)
{
    each_term(c, x, w, y,
              pass == REF_FORWARD ? forward
              : pass == REF_DATA  ? backward_data
                                  : backward_weights);
}

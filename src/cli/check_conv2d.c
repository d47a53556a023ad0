/* check_conv2d.c -- rows of taggan-devices check: convolution by every algorithm, its transpose,
 * the linear layer. `kind` is the algorithm. */
#include "config.h"
#include "cli/devices_check.h"
#include "device/device.h"

#include "base/banned.h"

/* Smallest; odd sizes, few outputs; reflection; strides whose phases have unequal taps; a
 * discriminator's layer; channels that fill no block; a residual block. The last N_WIDE are there for processors. */
static const struct {
    tg_dims x, w;
    tg_conv2d_geom geom;
} layers[] = {
    {{1, 1, 1, 1}, {1, 1, 1, 1}, {.stride = 1}},
    {{2, 3, 5, 7}, {4, 3, 3, 3}, {.stride = 1, .pad = 1}},
    {{1, 2, 6, 5}, {3, 2, 3, 3}, {.stride = 1, .pad = 1, .padding = TG_PAD_REFLECT}},
    {{1, 2, 9, 11}, {18, 2, 3, 3}, {.stride = 2, .pad = 1}},
    {{2, 16, 16, 16}, {32, 16, 4, 4}, {.stride = 2, .pad = 1}},
    {{1, 17, 10, 9}, {33, 17, 3, 3}, {.stride = 1, .pad = 1, .padding = TG_PAD_REFLECT}},
    {{1, 32, 32, 32}, {32, 32, 3, 3}, {.stride = 1, .pad = 1}},
    /* too narrow for rows of pixels, and too wide for a processor's local memory */
    {{1, 5, 7, 3}, {17, 5, 3, 3}, {.stride = 1, .pad = 1}},
    {{1, 300, 3, 600}, {3, 300, 3, 3}, {.stride = 1, .pad = 1}},
    /* so wide and of so many channels that vectors of channels pay */
    {{1, 24, 10, 130}, {32, 24, 3, 3}, {.stride = 2, .pad = 1}},
};
enum { N_WIDE = 3 };

/* As convolutions from the large side, x here, to the small one: the transpose's input is y. The
 * last one's x has a row and a column that no output of the convolution looks at: output_pad. */
static const struct {
    tg_dims x, w;
    tg_conv2d_geom geom;
} transposed[] = {
    {{1, 1, 1, 1}, {1, 1, 1, 1}, {.stride = 1}},
    {{2, 3, 5, 7}, {4, 3, 3, 3}, {.stride = 1, .pad = 1}},
    {{1, 2, 9, 11}, {18, 2, 3, 3}, {.stride = 2, .pad = 1}},
    {{2, 16, 16, 16}, {32, 16, 4, 4}, {.stride = 2, .pad = 1}},
    {{1, 6, 8, 10}, {5, 6, 3, 3}, {.stride = 2, .pad = 1, .output_pad = 1}},
};

static const struct {
    size_t n, c, k;
} vectors[] = {{1, 1, 1}, {3, 5, 7}, {2, 130, 33}};

/* The convolution as the reference wants it, and its output's sizes. */
static tg_status make_layer(int kind, size_t i, ref_conv2d *conv, tg_dims *y)
{
    *conv = (ref_conv2d){layers[i].x, layers[i].w, layers[i].geom};
    conv->geom.algorithm = (tg_conv_algorithm)kind;
    return tg_conv2d_output(conv->x, conv->w, &conv->geom, y);
}

static tg_status make_transposed(int kind, size_t i, ref_conv2d *conv, tg_dims *y)
{
    *conv = (ref_conv2d){transposed[i].x, transposed[i].w, transposed[i].geom};
    conv->geom.algorithm = (tg_conv_algorithm)kind;
    return tg_conv2d_output(conv->x, conv->w, &conv->geom, y);
}

static tg_dims vector_of(size_t c)
{
    return (tg_dims){1, c, 1, 1};
}

/* y += b, and db += the sum of dy, by channels. */
static void ref_bias(const double *b, tg_dims d, double *y)
{
    for (size_t i = 0; i < tg_dims_count(d); i++)
        y[i] += b[i / (d.h * d.w) % d.c];
}

static void ref_bias_gradient(const double *dy, tg_dims d, double *db)
{
    for (size_t i = 0; i < tg_dims_count(d); i++)
        db[i / (d.h * d.w) % d.c] += dy[i];
}

static tg_status forward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *w = x + 1, *b = x + 2, *y = x + 3, *plain = x + 4;
    ref_conv2d conv;
    tg_dims o;

    TG_TRY(make_layer(kind, i, &conv, &o));
    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("x", conv.x), TGI_READS("w", conv.w), TGI_READS("b", vector_of(o.c)),
                     TGI_WRITES("y", o, TOL_CONV), TGI_WRITES("y without b", o, TOL_CONV))));
    ref_conv2d_add(&conv, REF_FORWARD, x->ref, w->ref, plain->ref);
    ref_conv2d_add(&conv, REF_FORWARD, x->ref, w->ref, y->ref);
    ref_bias(b->ref, o, y->ref);
    while (tgi_check_round(c)) {
        TG_TRY(tg_conv2d_forward(x->t, w->t, b->t, &conv.geom, y->t));
        TG_TRY(tg_conv2d_forward(x->t, w->t, NULL, &conv.geom, plain->t));
    }
    status = c->status;
cleanup:
    return status;
}

static tg_status backward_data(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *dy = c->values, *w = dy + 1, *dx = dy + 2;
    ref_conv2d conv;
    tg_dims o;

    TG_TRY(make_layer(kind, i, &conv, &o));
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("dy", o), TGI_READS("w", conv.w),
                                         TGI_CHANGES("dx", conv.x, TOL_CONV))));
    ref_conv2d_add(&conv, REF_DATA, dx->ref, w->ref, dy->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_conv2d_backward_data(dy->t, w->t, &conv.geom, dx->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status backward_weights(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *dy = x + 1, *dw = x + 2, *db = x + 3;
    ref_conv2d conv;
    tg_dims o;

    TG_TRY(make_layer(kind, i, &conv, &o));
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", conv.x), TGI_READS("dy", o),
                                         TGI_CHANGES("dw", conv.w, TOL_CONV),
                                         TGI_CHANGES("db", vector_of(o.c), TOL_CONV))));
    ref_conv2d_add(&conv, REF_WEIGHTS, x->ref, dw->ref, dy->ref);
    ref_bias_gradient(dy->ref, o, db->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_conv2d_backward_weights(x->t, dy->t, &conv.geom, dw->t, db->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status transposed_forward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *w = x + 1, *b = x + 2, *y = x + 3;
    ref_conv2d conv;
    tg_dims small;

    TG_TRY(make_transposed(kind, i, &conv, &small));
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", small), TGI_READS("w", conv.w),
                                         TGI_READS("b", vector_of(conv.x.c)),
                                         TGI_WRITES("y", conv.x, TOL_CONV))));
    ref_conv2d_add(&conv, REF_DATA, y->ref, w->ref, x->ref);
    ref_bias(b->ref, conv.x, y->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_conv2d_transposed_forward(x->t, w->t, b->t, &conv.geom, y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status transposed_backward_data(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *dy = c->values, *w = dy + 1, *dx = dy + 2;
    ref_conv2d conv;
    tg_dims small;

    TG_TRY(make_transposed(kind, i, &conv, &small));
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("dy", conv.x), TGI_READS("w", conv.w),
                                         TGI_CHANGES("dx", small, TOL_CONV))));
    ref_conv2d_add(&conv, REF_FORWARD, dy->ref, w->ref, dx->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_conv2d_transposed_backward_data(dy->t, w->t, &conv.geom, dx->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status transposed_backward_weights(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *dy = x + 1, *dw = x + 2, *db = x + 3;
    ref_conv2d conv;
    tg_dims small;

    TG_TRY(make_transposed(kind, i, &conv, &small));
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", small), TGI_READS("dy", conv.x),
                                         TGI_CHANGES("dw", conv.w, TOL_CONV),
                                         TGI_CHANGES("db", vector_of(conv.x.c), TOL_CONV))));
    ref_conv2d_add(&conv, REF_WEIGHTS, dy->ref, dw->ref, x->ref);
    ref_bias_gradient(dy->ref, conv.x, db->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_conv2d_transposed_backward_weights(x->t, dy->t, &conv.geom, dw->t, db->t));
    status = c->status;
cleanup:
    return status;
}

/* A convolution of one pixel by one. */
static ref_conv2d make_linear(size_t i, tg_dims *y)
{
    *y = (tg_dims){vectors[i].n, vectors[i].k, 1, 1};
    return (ref_conv2d){
        {vectors[i].n, vectors[i].c, 1, 1}, {vectors[i].k, vectors[i].c, 1, 1}, {.stride = 1}};
}

static tg_status linear_forward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *w = x + 1, *b = x + 2, *y = x + 3;
    tg_dims o;
    const ref_conv2d conv = make_linear(i, &o);

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", conv.x), TGI_READS("w", conv.w),
                                         TGI_READS("b", vector_of(o.c)),
                                         TGI_WRITES("y", o, TOL_CONV))));
    ref_conv2d_add(&conv, REF_FORWARD, x->ref, w->ref, y->ref);
    ref_bias(b->ref, o, y->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_linear_forward(x->t, w->t, b->t, y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status linear_backward(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *w = x + 1, *dy = x + 2, *dx = x + 3, *dw = x + 4, *db = x + 5;
    tg_dims o;
    const ref_conv2d conv = make_linear(i, &o);

    TG_UNUSED(kind);
    TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("x", conv.x), TGI_READS("w", conv.w),
                                         TGI_READS("dy", o), TGI_CHANGES("dx", conv.x, TOL_CONV),
                                         TGI_CHANGES("dw", conv.w, TOL_CONV),
                                         TGI_CHANGES("db", vector_of(o.c), TOL_CONV))));
    ref_conv2d_add(&conv, REF_DATA, dx->ref, w->ref, dy->ref);
    ref_conv2d_add(&conv, REF_WEIGHTS, x->ref, dw->ref, dy->ref);
    ref_bias_gradient(dy->ref, o, db->ref);
    while (tgi_check_round(c))
        TG_TRY(tg_linear_backward(x->t, w->t, dy->t, dx->t, dw->t, db->t));
    status = c->status;
cleanup:
    return status;
}

/* The six passes by one algorithm, on the first so many layers and transposed layers. */
#define ROW(op, name, program, run, number, n)                                                     \
    {                                                                                              \
        op, name, program, run, number, n                                                          \
    }
#define SOME_PASSES(name, program, number, n, n_t)                                                 \
    ROW("conv2d_forward", name, program, forward, number, n),                                      \
        ROW("conv2d_backward_data", name, program, backward_data, number, n),                      \
        ROW("conv2d_backward_weights", name, program, backward_weights, number, n),                \
        ROW("conv2d_transposed_forward", name, program, transposed_forward, number, n_t),          \
        ROW("conv2d_transposed_backward_data", name, program, transposed_backward_data, number,    \
            n_t),                                                                                  \
        ROW("conv2d_transposed_backward_weights", name, program, transposed_backward_weights,      \
            number, n_t)
#define PASSES(name, program, number)                                                              \
    SOME_PASSES(name, program, number, TG_COUNT(layers), TG_COUNT(transposed))
/* The same with the kernels of graphics cards, whatever the device is. */
#define ON_GPU_KERNELS(run)                                                                        \
    static tg_status run##_gpu(tgi_check *c, int kind, size_t i)                                   \
    {                                                                                              \
        const tgi_kernel_family before = c->dev->family;                                           \
        tg_status status;                                                                          \
                                                                                                   \
        c->dev->family = TGI_FAMILY_GPU;                                                           \
        status = run(c, kind, i);                                                                  \
        c->dev->family = before;                                                                   \
        return status;                                                                             \
    }
ON_GPU_KERNELS(forward)
ON_GPU_KERNELS(backward_data)
ON_GPU_KERNELS(backward_weights)
enum { N_GPU_LAYERS = TG_COUNT(layers) - N_WIDE };
#define GPU_PASSES(name, program, number)                                                          \
    ROW("conv2d_forward", name, program, forward_gpu, number, N_GPU_LAYERS),                       \
        ROW("conv2d_backward_data", name, program, backward_data_gpu, number, N_GPU_LAYERS),       \
        ROW("conv2d_backward_weights", name, program, backward_weights_gpu, number, N_GPU_LAYERS)

const tgi_check_row tgi_check_conv2d[] = {
    PASSES("direct", "conv2d", TG_CONV_DIRECT),
    PASSES("packed", "conv2d_packed", TG_CONV_PACKED),
    PASSES("winograd", "conv2d_winograd", TG_CONV_WINOGRAD),
    PASSES("winograd2", "conv2d_winograd", TG_CONV_WINOGRAD2),
#if HAVE_CLBLAST
    PASSES("matmul", "conv2d_matmul", TG_CONV_MATMUL),
#endif
#if HAVE_CLFFT /* which compiles for seconds at each size */
    SOME_PASSES("fft", "conv2d_fft", TG_CONV_FFT, 3, 2),
#endif
    GPU_PASSES("implicit", "conv2d_implicit", TG_CONV_IMPLICIT),
    GPU_PASSES("winograd, GPU", "conv2d_winograd_gpu", TG_CONV_WINOGRAD),
    GPU_PASSES("winograd2, GPU", "conv2d_winograd_gpu", TG_CONV_WINOGRAD2),
    PASSES("auto", "by rule", TG_CONV_AUTO),
    {"linear_forward", "", "by rule", linear_forward, 0, TG_COUNT(vectors)},
    {"linear_backward", "", "by rule", linear_backward, 0, TG_COUNT(vectors)},
};
const size_t tgi_n_check_conv2d = TG_COUNT(tgi_check_conv2d);

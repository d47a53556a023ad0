// elementwise.cl -- values from values at the same place: sums, scaling, clamping, activations.
//
// Math       y_i = f(a_i, b_i); gradients are added to: dx_i += dy_i f'(x_i)
// Shapes     any; n values, LANES to a work-item. mix: N samples of n values, t [N]
// Launch     global {ceil(n / LANES)}, local {WG}; mix: global {ceil(n / LANES), N}, local {WG, 1}
// Tunables   WG, 16 to 256: work-items to a group; LANES, 4 or 16 (common.cl): values to a work-item
// Numerics   exact for sums and selections; tanh and exp as the runtime has them. Comparisons are written so that NaN stays NaN
// Reference  tests/ref/elementwise.c          Source  none
#ifndef WG
#define WG 64
#endif
#define ELEMENTWISE __kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void

// This work-item's first value; the rest of the kernel works on what load_lanes() gives.
#define FIRST ((int)get_global_id(0) * LANES)

ELEMENTWISE fill(const int n, const float value, __global float *restrict y)
{
    store_lanes((floatv)(value), y, FIRST, n);
}

ELEMENTWISE add(__global const float *restrict a, __global const float *restrict b, const int n, __global float *restrict y)
{
    const int i = FIRST;

    store_lanes(load_lanes(a, i, n) + load_lanes(b, i, n), y, i, n);
}

ELEMENTWISE subtract(__global const float *restrict a, __global const float *restrict b, const int n,
                     __global float *restrict y)
{
    const int i = FIRST;

    store_lanes(load_lanes(a, i, n) - load_lanes(b, i, n), y, i, n);
}

ELEMENTWISE accumulate(__global const float *restrict x, const int n, const float alpha, __global float *restrict y)
{
    const int i = FIRST;

    store_lanes(fma((floatv)(alpha), load_lanes(x, i, n), load_lanes(y, i, n)), y, i, n);
}

ELEMENTWISE scale(__global const float *restrict x, const int n, const float alpha, __global float *restrict y)
{
    const int i = FIRST;

    store_lanes(alpha * load_lanes(x, i, n), y, i, n);
}

ELEMENTWISE clamp_fwd(__global const float *restrict x, const int n, const float low, const float high,
                      __global float *restrict y)
{
    const int i = FIRST;
    const floatv v = load_lanes(x, i, n);
    const floatv raised = v < low ? (floatv)(low) : v;

    store_lanes(raised > high ? (floatv)(high) : raised, y, i, n);
}

ELEMENTWISE clamp_bwd(__global const float *restrict x, __global const float *restrict dy, const int n, const float low,
                      const float high, __global float *restrict dx)
{
    const int i = FIRST;
    const floatv v = load_lanes(x, i, n);
    const floatv g = load_lanes(dy, i, n);

    store_lanes(load_lanes(dx, i, n) + (((v >= low) & (v <= high)) ? g : (floatv)(0.0f)), dx, i, n);
}

// t = 0 gives a and t = 1 gives b, exactly.
ELEMENTWISE mix_samples(__global const float *restrict a, __global const float *restrict b, __global const float *restrict t,
                        const int n, __global float *restrict y)
{
    const size_t sample = get_global_id(1);
    const size_t offset = sample * n;
    const int i = FIRST;
    const float share = t[sample];
    const floatv rest = (1.0f - share) * load_lanes(a + offset, i, n);

    store_lanes(fma((floatv)(share), load_lanes(b + offset, i, n), rest), y + offset, i, n);
}

// The activations y = f(x), and what dy is behind them: dy f'(x), from y alone.
static floatv relu_of(const floatv x, const float slope)
{
    return x < 0.0f ? (floatv)(0.0f) : x;
}

static floatv relu_behind(const floatv y, const floatv dy, const float slope)
{
    return y > 0.0f ? dy : (floatv)(0.0f);
}

static floatv leaky_relu_of(const floatv x, const float slope)
{
    return x < 0.0f ? slope * x : x;
}

static floatv leaky_relu_behind(const floatv y, const floatv dy, const float slope)
{
    return y > 0.0f ? dy : slope * dy;
}

static floatv tanh_of(const floatv x, const float slope)
{
    return tanh(x);
}

static floatv tanh_behind(const floatv y, const floatv dy, const float slope)
{
    return dy * fma(-y, y, (floatv)(1.0f));
}

// exp(-x) is infinite far below zero and the quotient 0, as it should be.
static floatv sigmoid_of(const floatv x, const float slope)
{
    return 1.0f / (1.0f + exp(-x));
}

static floatv sigmoid_behind(const floatv y, const floatv dy, const float slope)
{
    return dy * (y * (1.0f - y));
}

// Each of them forward and backward, into another tensor or in place; `add`: dx += instead of dx =.
#define ACTIVATION(NAME)                                                                                                       \
    ELEMENTWISE NAME##_fwd(__global const float *restrict x, const int n, const float slope, __global float *restrict y)      \
    {                                                                                                                          \
        store_lanes(NAME##_of(load_lanes(x, FIRST, n), slope), y, FIRST, n);                                                             \
    }                                                                                                                          \
    ELEMENTWISE NAME##_fwd_here(const int n, const float slope, __global float *restrict y)                                    \
    {                                                                                                                          \
        store_lanes(NAME##_of(load_lanes(y, FIRST, n), slope), y, FIRST, n);                                                             \
    }                                                                                                                          \
    ELEMENTWISE NAME##_bwd(__global const float *restrict y, __global const float *restrict dy, const int n,                  \
                           const float slope, const int add, __global float *restrict dx)                                     \
    {                                                                                                                          \
        const floatv g = NAME##_behind(load_lanes(y, FIRST, n), load_lanes(dy, FIRST, n), slope);                                        \
        store_lanes(add ? load_lanes(dx, FIRST, n) + g : g, dx, FIRST, n);                                                               \
    }                                                                                                                          \
    ELEMENTWISE NAME##_bwd_here(__global const float *restrict y, const int n, const float slope, __global float *restrict dy) \
    {                                                                                                                          \
        store_lanes(NAME##_behind(load_lanes(y, FIRST, n), load_lanes(dy, FIRST, n), slope), dy, FIRST, n);                                   \
    }
ACTIVATION(relu)
ACTIVATION(leaky_relu)
ACTIVATION(tanh)
ACTIVATION(sigmoid)

// elementwise.cl -- values from values at the same place: sums, scaling, clamping, activations.
//
// Math       y_i = f(a_i, b_i); gradients are added to: dx_i += dy_i f'(x_i)
// Shapes     any; n values, four to a work-item. mix: N samples of n values, t [N]
// Launch     global {ceil(n / 4)}, local {WG}; mix: global {ceil(n / 4), N}, local {WG, 1}
// Tunables   WG, 16 to 256: work-items to a group
// Numerics   exact for sums and selections; tanh and exp as the runtime has them. Comparisons are written so that NaN stays NaN
// Reference  tests/ref/elementwise.c          Source  none
#ifndef WG
#define WG 64
#endif
#define ELEMENTWISE __kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void

// This work-item's first value; the rest of the kernel works on float4 of what load4() gives.
#define FIRST ((int)get_global_id(0) * 4)

ELEMENTWISE fill(const int n, const float value, __global float *restrict y)
{
    store4((float4)(value), y, FIRST, n);
}

ELEMENTWISE add(__global const float *restrict a, __global const float *restrict b, const int n, __global float *restrict y)
{
    const int i = FIRST;

    store4(load4(a, i, n) + load4(b, i, n), y, i, n);
}

ELEMENTWISE subtract(__global const float *restrict a, __global const float *restrict b, const int n,
                     __global float *restrict y)
{
    const int i = FIRST;

    store4(load4(a, i, n) - load4(b, i, n), y, i, n);
}

ELEMENTWISE accumulate(__global const float *restrict x, const int n, const float alpha, __global float *restrict y)
{
    const int i = FIRST;

    store4(fma((float4)(alpha), load4(x, i, n), load4(y, i, n)), y, i, n);
}

ELEMENTWISE scale(__global const float *restrict x, const int n, const float alpha, __global float *restrict y)
{
    const int i = FIRST;

    store4(alpha * load4(x, i, n), y, i, n);
}

ELEMENTWISE clamp_fwd(__global const float *restrict x, const int n, const float low, const float high,
                      __global float *restrict y)
{
    const int i = FIRST;
    const float4 v = load4(x, i, n);
    const float4 raised = v < low ? (float4)(low) : v;

    store4(raised > high ? (float4)(high) : raised, y, i, n);
}

ELEMENTWISE clamp_bwd(__global const float *restrict x, __global const float *restrict dy, const int n, const float low,
                      const float high, __global float *restrict dx)
{
    const int i = FIRST;
    const float4 v = load4(x, i, n);
    const float4 g = load4(dy, i, n);

    store4(load4(dx, i, n) + (((v >= low) & (v <= high)) ? g : (float4)(0.0f)), dx, i, n);
}

// t = 0 gives a and t = 1 gives b, exactly.
ELEMENTWISE mix_samples(__global const float *restrict a, __global const float *restrict b, __global const float *restrict t,
                        const int n, __global float *restrict y)
{
    const size_t sample = get_global_id(1);
    const size_t offset = sample * n;
    const int i = FIRST;
    const float share = t[sample];
    const float4 rest = (1.0f - share) * load4(a + offset, i, n);

    store4(fma((float4)(share), load4(b + offset, i, n), rest), y + offset, i, n);
}

// The activations y = f(x), and what dy is behind them: dy f'(x), from y alone.
static float4 relu_of(const float4 x, const float slope)
{
    return x < 0.0f ? (float4)(0.0f) : x;
}

static float4 relu_behind(const float4 y, const float4 dy, const float slope)
{
    return y > 0.0f ? dy : (float4)(0.0f);
}

static float4 leaky_relu_of(const float4 x, const float slope)
{
    return x < 0.0f ? slope * x : x;
}

static float4 leaky_relu_behind(const float4 y, const float4 dy, const float slope)
{
    return y > 0.0f ? dy : slope * dy;
}

static float4 tanh_of(const float4 x, const float slope)
{
    return tanh(x);
}

static float4 tanh_behind(const float4 y, const float4 dy, const float slope)
{
    return dy * fma(-y, y, (float4)(1.0f));
}

// exp(-x) is infinite far below zero and the quotient 0, as it should be.
static float4 sigmoid_of(const float4 x, const float slope)
{
    return 1.0f / (1.0f + exp(-x));
}

static float4 sigmoid_behind(const float4 y, const float4 dy, const float slope)
{
    return dy * (y * (1.0f - y));
}

// Each of them forward and backward, into another tensor or in place; `add`: dx += instead of dx =.
#define ACTIVATION(NAME)                                                                                                       \
    ELEMENTWISE NAME##_fwd(__global const float *restrict x, const int n, const float slope, __global float *restrict y)      \
    {                                                                                                                          \
        store4(NAME##_of(load4(x, FIRST, n), slope), y, FIRST, n);                                                             \
    }                                                                                                                          \
    ELEMENTWISE NAME##_fwd_here(const int n, const float slope, __global float *restrict y)                                    \
    {                                                                                                                          \
        store4(NAME##_of(load4(y, FIRST, n), slope), y, FIRST, n);                                                             \
    }                                                                                                                          \
    ELEMENTWISE NAME##_bwd(__global const float *restrict y, __global const float *restrict dy, const int n,                  \
                           const float slope, const int add, __global float *restrict dx)                                     \
    {                                                                                                                          \
        const float4 g = NAME##_behind(load4(y, FIRST, n), load4(dy, FIRST, n), slope);                                        \
        store4(add ? load4(dx, FIRST, n) + g : g, dx, FIRST, n);                                                               \
    }                                                                                                                          \
    ELEMENTWISE NAME##_bwd_here(__global const float *restrict y, const int n, const float slope, __global float *restrict dy) \
    {                                                                                                                          \
        store4(NAME##_behind(load4(y, FIRST, n), load4(dy, FIRST, n), slope), dy, FIRST, n);                                   \
    }
ACTIVATION(relu)
ACTIVATION(leaky_relu)
ACTIVATION(tanh)
ACTIVATION(sigmoid)

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

ELEMENTWISE leaky_relu_fwd(__global const float *restrict x, const int n, const float slope, __global float *restrict y)
{
    const int i = FIRST;
    const float4 v = load4(x, i, n);

    store4(v < 0.0f ? slope * v : v, y, i, n);
}

ELEMENTWISE leaky_relu_bwd(__global const float *restrict y, __global const float *restrict dy, const int n, const float slope,
                           __global float *restrict dx)
{
    const int i = FIRST;
    const float4 g = load4(dy, i, n);

    store4(load4(dx, i, n) + (load4(y, i, n) > 0.0f ? g : slope * g), dx, i, n);
}

ELEMENTWISE relu_fwd(__global const float *restrict x, const int n, const float slope, __global float *restrict y)
{
    const int i = FIRST;
    const float4 v = load4(x, i, n);

    store4(v < 0.0f ? (float4)(0.0f) : v, y, i, n);
}

ELEMENTWISE relu_bwd(__global const float *restrict y, __global const float *restrict dy, const int n, const float slope,
                     __global float *restrict dx)
{
    const int i = FIRST;

    store4(load4(dx, i, n) + (load4(y, i, n) > 0.0f ? load4(dy, i, n) : (float4)(0.0f)), dx, i, n);
}

ELEMENTWISE tanh_fwd(__global const float *restrict x, const int n, const float slope, __global float *restrict y)
{
    const int i = FIRST;

    store4(tanh(load4(x, i, n)), y, i, n);
}

ELEMENTWISE tanh_bwd(__global const float *restrict y, __global const float *restrict dy, const int n, const float slope,
                     __global float *restrict dx)
{
    const int i = FIRST;
    const float4 v = load4(y, i, n);

    store4(fma(load4(dy, i, n), fma(-v, v, (float4)(1.0f)), load4(dx, i, n)), dx, i, n);
}

// exp(-x) is infinite far below zero and the quotient 0, as it should be.
ELEMENTWISE sigmoid_fwd(__global const float *restrict x, const int n, const float slope, __global float *restrict y)
{
    const int i = FIRST;

    store4(1.0f / (1.0f + exp(-load4(x, i, n))), y, i, n);
}

ELEMENTWISE sigmoid_bwd(__global const float *restrict y, __global const float *restrict dy, const int n, const float slope,
                        __global float *restrict dx)
{
    const int i = FIRST;
    const float4 v = load4(y, i, n);

    store4(fma(load4(dy, i, n), v * (1.0f - v), load4(dx, i, n)), dx, i, n);
}

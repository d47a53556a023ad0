// arrange.cl -- values moved, not changed: channels side by side, planes enlarged, channels shuffled into pixels.
//
// Math       concat: y[n] = a[n], then b[n]; upsample: y[i,j] = x[i/S,j/S]; shuffle: y[c,iS+p,jS+q] = x[cSS+pS+q,i,j].
//            The backward passes add the sum (or the one value) that came from each x. Upsampling twice and a 3x3 convolution with
//            weights w together are a transposed 4x4 convolution of stride 2 whose line a of weights is w's lines 2 - a and 3 - a
// Shapes     rows: N samples of n values inside samples of from_size and to_size values; upsample, shuffle: planes of h x w (of x);
//            upsample_weights: w [K,C,3,3], w4 [C,K,4,4]
// Launch     rows: global {ceil(n / 4), N}, local {WG, 1}; upsample {ceil(W / 8), H, planes of x}, both ways; shuffle forward
//            {W*S, H*S, planes of y}, backward {W, H, planes of x}; local {TILE_W, TILE_H, 1};
//            upsample_weights {K * C}, local {WG, 1}
// Tunables   WG, 16 to 256; TILE_W * TILE_H, 16 to 256: work-items to a group. S is the factor, set by the host
// Numerics   exact, but for the sum of S*S gradients, always in the same order
// Reference  tests/ref/arrange.c          Source  pixel shuffle: [shi2016]
#ifndef WG
#define WG 64
#endif
#ifndef TILE_W
#define TILE_W 16
#endif
#ifndef TILE_H
#define TILE_H 4
#endif
#ifndef S
#define S 2
#endif
#define ROWS __kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void
#define PLANES __kernel __attribute__((reqd_work_group_size(TILE_W, TILE_H, 1))) void

// n values of every sample, from a place in one tensor to a place in another.
ROWS copy_rows(__global const float *restrict from, const int from_size, const int from_first, const int n, const int to_size,
               const int to_first, __global float *restrict to)
{
    const size_t sample = get_global_id(1);
    const int i = (int)get_global_id(0) * 4;

    store4(load4(from + sample * from_size + from_first, i, n), to + sample * to_size + to_first, i, n);
}

ROWS add_rows(__global const float *restrict from, const int from_size, const int from_first, const int n, const int to_size,
              const int to_first, __global float *restrict to)
{
    const size_t sample = get_global_id(1);
    const int i = (int)get_global_id(0) * 4;
    __global float *sum = to + sample * to_size + to_first;

    store4(load4(sum, i, n) + load4(from + sample * from_size + from_first, i, n), sum, i, n);
}

// Weights of upsampling and a convolution in one, and their gradient back to w.
ROWS upsample_weights_fwd(__global const float *restrict w, const int k_count, const int c_count, __global float *restrict w4)
{
    const int pair = get_global_id(0), k = pair / c_count, c = pair - k * c_count;

    if (k >= k_count)
        return;
    __global const float *in = w + (size_t)pair * 9;
    __global float *out = w4 + ((size_t)c * k_count + k) * 16;
    for (int a = 0; a < 4; a++) {
        for (int b = 0; b < 4; b++) {
            float sum = 0.0f;
            for (int r = max(2 - a, 0); r <= min(3 - a, 2); r++) {
                for (int s = max(2 - b, 0); s <= min(3 - b, 2); s++)
                    sum += in[r * 3 + s];
            }
            out[a * 4 + b] = sum;
        }
    }
}

ROWS upsample_weights_bwd(__global const float *restrict dw4, const int k_count, const int c_count, __global float *restrict dw)
{
    const int pair = get_global_id(0), k = pair / c_count, c = pair - k * c_count;

    if (k >= k_count)
        return;
    __global const float *in = dw4 + ((size_t)c * k_count + k) * 16;
    __global float *out = dw + (size_t)pair * 9;
    for (int r = 0; r < 3; r++) {
        for (int s = 0; s < 3; s++) {
            __global const float *from = in + (2 - r) * 4 + 2 - s;
            out[r * 3 + s] += (from[0] + from[1]) + (from[4] + from[5]);
        }
    }
}

// Upsampling by row: a work-item takes 8 pixels of a row of x; twice, the usual factor, is two stores of whole vectors.
PLANES upsample_fwd(__global const float *restrict x, const int h, const int w, __global float *restrict y)
{
    const int j = (int)get_global_id(0) * 8, i = get_global_id(1);
    const size_t plane = get_global_id(2);

    if (i >= h || j >= w)
        return;
    __global const float *in = x + (plane * h + i) * w + j;
    __global float *out = y + (plane * h + i) * S * w * S + (size_t)j * S;
#if S == 2
    if (j + 8 <= w) {
        const float8 v = vload8(0, in);
        const float16 twice = v.s0011223344556677;
        vstore16(twice, 0, out);
        vstore16(twice, 0, out + 2 * w);
        return;
    }
#endif
    for (int k = 0; k < min(8, w - j); k++) {
        for (int p = 0; p < S; p++) {
            for (int q = 0; q < S; q++)
                out[(size_t)p * w * S + k * S + q] = in[k];
        }
    }
}

PLANES upsample_bwd(__global const float *restrict dy, const int h, const int w, const int add, __global float *restrict dx)
{
    const int j = (int)get_global_id(0) * 8, i = get_global_id(1);
    const size_t plane = get_global_id(2);

    if (i >= h || j >= w)
        return;
    __global const float *in = dy + (plane * h + i) * S * w * S + (size_t)j * S;
    __global float *out = dx + (plane * h + i) * w + j;
#if S == 2
    if (j + 8 <= w) {
        const float16 sum = vload16(0, in) + vload16(0, in + 2 * w);
        const float8 both = sum.even + sum.odd;
        vstore8(add ? vload8(0, out) + both : both, 0, out);
        return;
    }
#endif
    for (int k = 0; k < min(8, w - j); k++) {
        float sum = 0.0f;

        for (int p = 0; p < S; p++) {
            for (int q = 0; q < S; q++)
                sum += in[(size_t)p * w * S + k * S + q];
        }
        out[k] = add ? out[k] + sum : sum;
    }
}

PLANES shuffle_fwd(__global const float *restrict x, const int h, const int w, __global float *restrict y)
{
    const int j = get_global_id(0), i = get_global_id(1);
    const size_t plane = get_global_id(2);

    if (i >= h * S || j >= w * S)
        return;
    const size_t from = plane * S * S + i % S * S + j % S;

    y[(plane * h * S + i) * w * S + j] = x[(from * h + i / S) * w + j / S];
}

PLANES shuffle_bwd(__global const float *restrict dy, const int h, const int w, __global float *restrict dx)
{
    const int j = get_global_id(0), i = get_global_id(1);
    const size_t plane = get_global_id(2);

    if (i >= h || j >= w)
        return;
    const size_t to = plane / (S * S);
    const int p = (int)(plane % (S * S)) / S, q = (int)(plane % S);

    dx[(plane * h + i) * w + j] += dy[((to * h + i) * S + p) * w * S + (size_t)j * S + q];
}

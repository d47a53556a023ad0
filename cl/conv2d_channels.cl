// conv2d_channels.cl -- convolution in vectors of output channels: single input values times vectors of weights, out of level-1 cache.
//
// Math       as conv2d.cl: channels_gather is the gather, channels_scatter the scatter of stride 2, channels_weights the weight
//            gradient
// Shapes     x [N,C,H,W], y [N,K,P,Q]; KB = 16 NV channels to a block, those past the last are computed and not stored;
//            packed weights [K/KB][C][R][S][KB], for the scatter [row phase][column phase][C/KB][K][taps][KB];
//            part [chunk][K/KB][C][R][S][KB]
// Launch     channels_gather {parts of the blocks, N * strips}, channels_scatter the same, channels_weights {parts of the input
//            channels, chunks}; local {1,1}: a work-item is a core with vector registers
// Tunables   NV (1, 2): vectors of 16 channels; TQ: pixels of a register tile; CB: input channels of a weight-gradient tile
// Numerics   one float sum a result, in the order c, r, s; weight gradients row by row, the strips of a chunk one after another, then
//            the chunks
// Reference  tests/ref/conv2d.c          Source  doc/kernels: register tiles (BLIS micro-kernel, with K innermost)
//
// A group copies the rows that it needs to local memory (on a processor: its level-2 cache), with their halo; plane after plane
// would fall on the same cache sets. It then takes so few input channels at a time that their weights stay in the level-1 cache
// over all pixels of the strip, and keeps the sums in local memory meanwhile.
#ifndef R
#define R 3
#endif
#ifndef S
#define S 3
#endif
#ifndef ST
#define ST 1
#endif
#ifndef PAD
#define PAD 0
#endif
#ifndef NV
#define NV 2
#endif
#ifndef TQ
#define TQ 14
#endif
#ifndef CB
#define CB 4
#endif
#define KB (16 * NV)
#define TAPS (R * S)

static int mirrored(const int i, const int n)
{
    return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
}

// `rows` rows of one plane from `first` on, each with `back` columns before it; zero or reflected outside.
static void take_plane(const __global float *plane, const int h, const int w, const int first, const int rows, const int back,
                       const int reflect, const int pitch, __local float *out)
{
    for (int i = 0; i < rows; i++, out += pitch) {
        const int row = reflect ? mirrored(first + i, h) : first + i;
        const bool is_inside = row >= 0 && row < h;
        const __global float *in = plane + (size_t)(is_inside ? row : 0) * w;
        int j = 0;

        if (!is_inside) {
            for (; j + 16 <= pitch; j += 16)
                vstore16((float16)(0.0f), 0, out + j);
            for (; j < pitch; j++)
                out[j] = 0.0f;
            continue;
        }
        for (; j < back; j++)
            out[j] = reflect ? in[back - j] : 0.0f;
        for (j = 0; j + 16 <= w; j += 16)
            vstore16(vload16(0, in + j), 0, out + back + j);
        for (; j < w; j++)
            out[back + j] = in[j];
        for (j = back + w; j < pitch; j++) {
            const int beyond = j - back - w;
            out[j] = reflect && beyond < back ? in[w - 2 - beyond] : 0.0f;
        }
    }
}

// Four vectors, each of four lines' four values: the values of a line come to lie in one vector each.
static void turn(const float16 *a, float16 *b)
{
    const float16 c = (float16)(a[0].s0, a[1].s0, a[0].s1, a[1].s1, a[0].s4, a[1].s4, a[0].s5, a[1].s5, a[0].s8, a[1].s8,
                                a[0].s9, a[1].s9, a[0].sc, a[1].sc, a[0].sd, a[1].sd);
    const float16 d = (float16)(a[0].s2, a[1].s2, a[0].s3, a[1].s3, a[0].s6, a[1].s6, a[0].s7, a[1].s7, a[0].sa, a[1].sa,
                                a[0].sb, a[1].sb, a[0].se, a[1].se, a[0].sf, a[1].sf);
    const float16 e = (float16)(a[2].s0, a[3].s0, a[2].s1, a[3].s1, a[2].s4, a[3].s4, a[2].s5, a[3].s5, a[2].s8, a[3].s8,
                                a[2].s9, a[3].s9, a[2].sc, a[3].sc, a[2].sd, a[3].sd);
    const float16 f = (float16)(a[2].s2, a[3].s2, a[2].s3, a[3].s3, a[2].s6, a[3].s6, a[2].s7, a[3].s7, a[2].sa, a[3].sa,
                                a[2].sb, a[3].sb, a[2].se, a[3].se, a[2].sf, a[3].sf);

    b[0] = (float16)(c.s01, e.s01, c.s45, e.s45, c.s89, e.s89, c.scd, e.scd);
    b[1] = (float16)(c.s23, e.s23, c.s67, e.s67, c.sab, e.sab, c.sef, e.sef);
    b[2] = (float16)(d.s01, f.s01, d.s45, f.s45, d.s89, f.s89, d.scd, f.scd);
    b[3] = (float16)(d.s23, f.s23, d.s67, f.s67, d.sab, f.sab, d.sef, f.sef);
}

// 16 pixels of channels k to k + 15 of a row, as 16 vectors of channels. Channels past the last repeat it: nobody reads their sums.
static void take_channels(const __global float *row, const size_t plane, const int k_here, __local float *out)
{
#pragma unroll
    for (int q = 0; q < 4; q++) {
        float16 a[4], b[4];

#pragma unroll
        for (int i = 0; i < 4; i++)
            a[i] = (float16)(vload4(q, row + min(i, k_here - 1) * plane), vload4(q, row + min(4 + i, k_here - 1) * plane),
                             vload4(q, row + min(8 + i, k_here - 1) * plane), vload4(q, row + min(12 + i, k_here - 1) * plane));
        turn(a, b);
#pragma unroll
        for (int i = 0; i < 4; i++)
            vstore16(b[i], 0, out + (4 * q + i) * KB);
    }
}

// part[chunk][block][c][r][s][KB] = sum over the chunk's rows of y[n,p,q,k..] * x[n,c,p*ST+r,q*ST+s]; `strip` rows at a time.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void channels_weights(__global const float *restrict x, const int c_count, const int h, const int w, const int row_back,
                      const int col_back, const int reflect, __global const float *restrict y, const int k_count,
                      const int p_count, const int q_count, const int rows, const int rows_per_chunk, const int strip,
                      const int pitch, __global float *restrict part, __local float *restrict copy)
{
    const int blocks = CEIL_DIV(k_count, KB), parts = get_global_size(0);
    const int c_first = c_count * (int)get_global_id(0) / parts, c_end = c_count * ((int)get_global_id(0) + 1) / parts;
    const int first = (int)get_global_id(1) * rows_per_chunk, end = min(first + rows_per_chunk, rows);
    const int line = q_count * KB, plane = ((strip - 1) * ST + R) * pitch;
    __local float *image = copy + (size_t)blocks * strip * line;
    __global float *out = part + (size_t)get_global_id(1) * blocks * c_count * TAPS * KB;
    int here;

    for (int row = first; row < end; row += here) {
        const int n = row / p_count, p = row % p_count;

        here = min(strip, min(end - row, p_count - p));
        for (int c = c_first; c < c_end; c++)
            take_plane(x + ((size_t)n * c_count + c) * h * w, h, w, p * ST - row_back, (here - 1) * ST + R, col_back, reflect, pitch,
                       image + (size_t)(c - c_first) * plane);
        for (int k = 0; k < blocks * KB; k += 16) {
            const __global float *from = y + (((size_t)n * k_count + min(k, k_count - 1)) * p_count + p) * q_count;
            __local float *to = copy + (size_t)(k / KB) * strip * line + k % KB;
            for (int i = 0; i < here; i++) {
                for (int q = 0; q < q_count; q += 16)
                    take_channels(from + i * q_count + min(q, q_count - 16), (size_t)p_count * q_count, max(k_count - k, 1),
                                  to + i * line + min(q, q_count - 16) * KB);
            }
        }
        for (int block = 0; block < blocks; block++) {
            for (int c_tile = c_first; c_tile < c_end; c_tile += CB) {
                const int c = min(c_tile, c_end - CB); // the last tile moves back and stores only what is its own

                for (int r = 0; r < R; r++) {
                    float16 acc[CB][S][NV];

#pragma unroll
                    for (int i = 0; i < CB; i++) {
#pragma unroll
                        for (int s = 0; s < S; s++) {
#pragma unroll
                            for (int v = 0; v < NV; v++)
                                acc[i][s][v] = (float16)(0.0f);
                        }
                    }
                    for (int i = 0; i < here; i++) {
                        const __local float *grad = copy + ((size_t)block * strip + i) * line;
                        const __local float *in = image + (size_t)(c - c_first) * plane + (i * ST + r) * pitch;

                        for (int q = 0; q < q_count; q++, in += ST, grad += KB) {
                            float16 g[NV];
#pragma unroll
                            for (int v = 0; v < NV; v++)
                                g[v] = vload16(v, grad);
#pragma unroll
                            for (int j = 0; j < CB; j++) {
#pragma unroll
                                for (int s = 0; s < S; s++) {
                                    const float16 value = (float16)(in[j * plane + s]);
#pragma unroll
                                    for (int v = 0; v < NV; v++)
                                        acc[j][s][v] = fma(value, g[v], acc[j][s][v]);
                                }
                            }
                        }
                    }
                    __global float *to = out + (((size_t)block * c_count + c) * R + r) * S * KB;
#pragma unroll
                    for (int i = 0; i < CB; i++) {
                        if (c + i < c_tile)
                            continue;
#pragma unroll
                        for (int s = 0; s < S; s++) {
#pragma unroll
                            for (int v = 0; v < NV; v++) {
                                __global float *at = to + (i * TAPS + s) * KB;
                                vstore16(row == first ? acc[i][s][v] : acc[i][s][v] + vload16(v, at), v, at);
                            }
                        }
                    }
                }
            }
        }
    }
}

// dw[k][tap] += sum over chunks of part; 16 taps (over c, r, s) and one block of channels.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void channels_sum(__global const float *restrict part, const int chunks, const int k_count, const int taps,
                  __global float *restrict dw)
{
    const int first = (int)get_global_id(0) * 16, here = min(16, taps - first), block = get_global_id(1), blocks = get_global_size(1);
    float sums[16 * KB];

    for (int t = 0; t < here; t++) {
#pragma unroll
        for (int v = 0; v < NV; v++) {
            float16 sum = (float16)(0.0f);
            for (int chunk = 0; chunk < chunks; chunk++)
                sum += vload16(v, part + (((size_t)chunk * blocks + block) * taps + first + t) * KB);
            vstore16(sum, v, sums + t * KB);
        }
    }
    for (int k = 0; k < min(KB, k_count - block * KB); k++) {
        __global float *out = dw + ((size_t)block * KB + k) * taps + first;
        for (int t = 0; t < here; t++)
            out[t] += sums[t * KB + k];
    }
}

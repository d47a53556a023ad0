// conv2d_packed.cl -- convolution in register tiles: vectors of output channels times single input values.
//
// Math       as conv2d.cl. y[n,k0..k0+16NV,p,q..] += w[k0..,c,r,s] * x[n,c,p*ST+r,q*ST+s] for TP x TQ pixels at a time
// Shapes     x [N,C,HX,WX] with its halo; packed weights [K/KB][C*R*S][KB], KB = 16 NV, channels past K zero; y [N,K,P,Q] or
//            every `step`-th pixel of a larger plane (one phase of the transposed convolution)
// Launch     tile {1, ceil(P/TP), N*ceil(K/KB)}, narrow {1, ceil(P/TP), N}, weights {KB blocks, C*(R/TR)/CB, chunks};
//            local {1,1,1}: a work-item is a core with vector registers
// Tunables   NV (1, 2): vectors of 16 output channels; TP x TQ: pixels of a tile; CB, TR: input channels and tap rows of a
//            weight-gradient tile; VW, KN: width and output channels of the narrow kernel
// Numerics   one float sum a result, in the order c, r, s; weight gradients in chunks of rows that are summed last
// Reference  tests/ref/conv2d.c          Source  doc/kernels: register tiles (BLIS micro-kernel, with K innermost)
#ifndef R
#define R 3
#endif
#ifndef S
#define S 3
#endif
#ifndef ST
#define ST 1
#endif
#ifndef NV
#define NV 1
#endif
#ifndef TP
#define TP 1
#endif
#ifndef TQ
#define TQ 8
#endif
#ifndef CB
#define CB 1
#endif
#ifndef TR
#define TR R
#endif
#ifndef VW
#define VW 16
#endif
#ifndef KN
#define KN 1
#endif
#define KB (16 * NV)
#define VECTOR JOIN(float, VW)
#define VLOAD JOIN(vload, VW)

// Weights [K,C,R0,S0] for the gather: out[kb][c][r][s][KB].
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void pack_gather(__global const float *restrict w, const int k_count, const int taps, __global float *restrict packed)
{
    const int block = get_global_id(1), tap = get_global_id(0); // tap over c, r, s
    __global float *out = packed + ((size_t)block * taps + tap) * KB;

    for (int i = 0; i < KB; i++) {
        const int k = block * KB + i;
        out[i] = k < k_count ? w[(size_t)k * taps + tap] : 0.0f;
    }
}

// Weights for one phase of the scatter: out[cb][k][t][u][KB] = w[k][c][phase_r + ST0 * (R - 1 - t)][...], R x S taps in this phase.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void pack_scatter(__global const float *restrict w, const int k_count, const int c_count, const int r_count, const int s_count,
                  const int stride, const int phase_r, const int phase_s, __global float *restrict packed)
{
    const int k = get_global_id(0), block = get_global_id(1);
    __global float *out = packed + ((size_t)block * k_count + k) * R * S * KB;

    for (int t = 0; t < R; t++) {
        for (int u = 0; u < S; u++) {
            const int r = phase_r + stride * (R - 1 - t), s = phase_s + stride * (S - 1 - u);
            for (int i = 0; i < KB; i++) {
                const int c = block * KB + i;
                out[(t * S + u) * KB + i] = c < c_count ? w[(((size_t)k * c_count + c) * r_count + r) * s_count + s] : 0.0f;
            }
        }
    }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv_tile(__global const float *restrict x, const int c_count, const int hx, const int wx, const int row0, const int col0,
               __global const float *restrict packed, __global const float *restrict bias, const int has_bias,
               const int k_count, const int p_count, const int q_count, const int hy, const int wy, const int step,
               const int y_row, const int y_col, const int add, __global float *restrict y)
{
    const int blocks = CEIL_DIV(k_count, KB);
    const int n = get_global_id(2) / blocks, block = get_global_id(2) % blocks;
    const int p_first = get_global_id(1) * TP, p = min(p_first, p_count - TP); // the last tile moves up: it never reads past
    __global const float *image = x + (size_t)n * c_count * hx * wx + (size_t)(row0 + p * ST) * wx + col0;
    __global float *out = y + ((size_t)n * k_count + block * KB) * hy * wy;
    const int k_here = min(KB, k_count - block * KB);
    float16 start[NV];

    for (int v = 0; v < NV; v++) {
        float lanes[16];
        for (int i = 0; i < 16; i++)
            lanes[i] = has_bias && v * 16 + i < k_here ? bias[block * KB + v * 16 + i] : 0.0f;
        start[v] = vload16(0, lanes);
    }
    for (int q_first = 0; q_first < q_count; q_first += TQ) {
        const int q = min(q_first, q_count - TQ);
        __global const float *in = image + q * ST;
        __global const float *taps = packed + (size_t)block * c_count * R * S * KB;
        float16 acc[TP][TQ][NV];

#pragma unroll
        for (int i = 0; i < TP; i++) {
#pragma unroll
            for (int j = 0; j < TQ; j++) {
#pragma unroll
                for (int v = 0; v < NV; v++)
                    acc[i][j][v] = start[v];
            }
        }
        for (int c = 0; c < c_count; c++, in += (size_t)hx * wx) {
#pragma unroll
            for (int r = 0; r < R; r++) {
#pragma unroll
                for (int s = 0; s < S; s++, taps += KB) {
                    float16 w[NV];
#pragma unroll
                    for (int v = 0; v < NV; v++)
                        w[v] = vload16(v, taps);
#pragma unroll
                    for (int i = 0; i < TP; i++) {
#pragma unroll
                        for (int j = 0; j < TQ; j++) {
                            const float16 value = (float16)(in[(i * ST + r) * wx + j * ST + s]);
#pragma unroll
                            for (int v = 0; v < NV; v++)
                                acc[i][j][v] = fma(value, w[v], acc[i][j][v]);
                        }
                    }
                }
            }
        }
#pragma unroll
        for (int i = 0; i < TP; i++) {
            if (p + i < p_first)
                continue;
            float tile[TQ * KB];
#pragma unroll
            for (int j = 0; j < TQ; j++) {
#pragma unroll
                for (int v = 0; v < NV; v++)
                    vstore16(acc[i][j][v], j * NV + v, tile);
            }
            __global float *line = out + (size_t)(y_row + (p + i) * step) * wy + y_col;
            for (int k = 0; k < k_here; k++, line += (size_t)hy * wy) {
                for (int j = q_first - q; j < TQ; j++) {
                    const float value = tile[j * KB + k];
                    __global float *to = line + (q + j) * step;
                    *to = add ? *to + value : value;
                }
            }
        }
    }
}

// Few output channels (KN of them): vectors run over VW pixels of a row instead. Stride 1; weights plain [KN][C][R][S] order.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv_narrow(__global const float *restrict x, const int c_count, const int hx, const int wx, const int row0, const int col0,
                 __global const float *restrict packed, __global const float *restrict bias, const int has_bias,
                 const int p_count, const int q_count, const int hy, const int wy, const int step, const int y_row,
                 const int y_col, const int add, __global float *restrict y)
{
    const int n = get_global_id(2);
    const int p_first = get_global_id(1) * TP, p = min(p_first, p_count - TP);
    __global const float *image = x + (size_t)n * c_count * hx * wx + (size_t)(row0 + p) * wx + col0;

    for (int q_first = 0; q_first < q_count; q_first += VW) {
        const int q = min(q_first, q_count - VW);
        __global const float *in = image + q, *taps = packed;
        VECTOR acc[TP][KN];

#pragma unroll
        for (int i = 0; i < TP; i++) {
#pragma unroll
            for (int k = 0; k < KN; k++)
                acc[i][k] = (VECTOR)(has_bias ? bias[k] : 0.0f);
        }
        for (int c = 0; c < c_count; c++, in += (size_t)hx * wx, taps += R * S * KB) {
#pragma unroll
            for (int r = 0; r < R; r++) {
#pragma unroll
                for (int s = 0; s < S; s++) {
#pragma unroll
                    for (int i = 0; i < TP; i++) {
                        const VECTOR value = VLOAD(0, in + (i + r) * wx + s);
#pragma unroll
                        for (int k = 0; k < KN; k++)
                            acc[i][k] = fma(value, (VECTOR)(taps[(r * S + s) * KB + k]), acc[i][k]);
                    }
                }
            }
        }
#pragma unroll
        for (int i = 0; i < TP; i++) {
            if (p + i < p_first)
                continue;
#pragma unroll
            for (int k = 0; k < KN; k++) {
                float lanes[VW];
                JOIN(vstore, VW)(acc[i][k], 0, lanes);
                __global float *line = y + (((size_t)n * KN + k) * hy + y_row + (p + i) * step) * wy + y_col;
                for (int j = q_first - q; j < VW; j++) {
                    __global float *to = line + (q + j) * step;
                    *to = add ? *to + lanes[j] : lanes[j];
                }
            }
        }
    }
}

// y [N,K,P*Q] to channels last [N,P*Q,blocks*KB], channels past K zero. One work-item: 16 pixels of one image.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void channels_last(__global const float *restrict y, const int k_count, const int plane, __global float *restrict last)
{
    const int n = get_global_id(1), first = get_global_id(0) * 16, width = CEIL_DIV(k_count, KB) * KB;
    const int end = min(first + 16, plane);
    __global const float *in = y + (size_t)n * k_count * plane;
    __global float *out = last + (size_t)n * plane * width;

    for (int k = 0; k < width; k++) {
        for (int i = first; i < end; i++)
            out[(size_t)i * width + k] = k < k_count ? in[(size_t)k * plane + i] : 0.0f;
    }
}

// part[chunk][block][c][r][s][KB] = sum over the chunk's rows of y[n,p,q,k..] * x[n,c,p*ST+r,q*ST+s].
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv_weights(__global const float *restrict x, const int c_count, const int hx, const int wx,
                  __global const float *restrict last, const int k_count, const int p_count, const int q_count, const int rows,
                  const int rows_per_chunk, __global float *restrict part)
{
    const int blocks = CEIL_DIV(k_count, KB), width = blocks * KB, block = get_global_id(0);
    const int c_blocks = CEIL_DIV(c_count, CB);
    const int c_first = (get_global_id(1) % c_blocks) * CB, r0 = (get_global_id(1) / c_blocks) * TR;
    const int c = min(c_first, c_count - CB); // the last tile moves back and stores only what is its own
    const int chunk = get_global_id(2), first = chunk * rows_per_chunk, end = min(first + rows_per_chunk, rows);
    float16 acc[CB][TR][S][NV];

#pragma unroll
    for (int i = 0; i < CB; i++) {
#pragma unroll
        for (int r = 0; r < TR; r++) {
#pragma unroll
            for (int s = 0; s < S; s++) {
#pragma unroll
                for (int v = 0; v < NV; v++)
                    acc[i][r][s][v] = (float16)(0.0f);
            }
        }
    }
    for (int row = first; row < end; row++) {
        const int n = row / p_count, p = row % p_count;
        __global const float *in = x + (((size_t)n * c_count + c) * hx + p * ST + r0) * wx;
        __global const float *grad = last + (size_t)row * q_count * width + block * KB;

        for (int q = 0; q < q_count; q++, in += ST, grad += width) {
            float16 g[NV];
#pragma unroll
            for (int v = 0; v < NV; v++)
                g[v] = vload16(v, grad);
#pragma unroll
            for (int i = 0; i < CB; i++) {
#pragma unroll
                for (int r = 0; r < TR; r++) {
#pragma unroll
                    for (int s = 0; s < S; s++) {
                        const float16 value = (float16)(in[((size_t)i * hx + r) * wx + s]);
#pragma unroll
                        for (int v = 0; v < NV; v++)
                            acc[i][r][s][v] = fma(value, g[v], acc[i][r][s][v]);
                    }
                }
            }
        }
    }
    __global float *out = part + (((size_t)chunk * blocks + block) * c_count + c) * R * S * KB;
#pragma unroll
    for (int i = 0; i < CB; i++) {
        if (c + i < c_first)
            continue;
#pragma unroll
        for (int r = 0; r < TR; r++) {
#pragma unroll
            for (int s = 0; s < S; s++) {
#pragma unroll
                for (int v = 0; v < NV; v++)
                    vstore16(acc[i][r][s][v], v, out + ((size_t)(i * R + r0 + r) * S + s) * KB);
            }
        }
    }
}

// dw[k][tap] += sum over chunks of part; tap over c, r, s.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void sum_weights(__global const float *restrict part, const int chunks, const int k_count, const int taps,
                 __global float *restrict dw)
{
    const int tap = get_global_id(0), block = get_global_id(1), blocks = CEIL_DIV(k_count, KB);
    const int k_here = min(KB, k_count - block * KB);
    float16 sum[NV];

    for (int v = 0; v < NV; v++)
        sum[v] = (float16)(0.0f);
    for (int chunk = 0; chunk < chunks; chunk++) {
        __global const float *from = part + (((size_t)chunk * blocks + block) * taps + tap) * KB;
        for (int v = 0; v < NV; v++)
            sum[v] += vload16(v, from);
    }
    float lanes[KB];
    for (int v = 0; v < NV; v++)
        vstore16(sum[v], v, lanes);
    for (int i = 0; i < k_here; i++)
        dw[((size_t)block * KB + i) * taps + tap] += lanes[i];
}

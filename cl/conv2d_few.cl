// conv2d_few.cl -- convolution with few output channels, stride 1: too few for a matrix product, so pixels stay in registers.
//
// Math       y[n,m,p,q] = b[m] + sum_crs w[m,c,r,s] x[n,c,p+r+row0,q+s+col0];
//            dw[k,c,r,s] = sum_npq y[n,k,p,q] x[n,c,p+r-pad,q+s-pad]
// Shapes     x [N,C,H,W], y [N,M,P,Q], w at w[m * m_step + c * c_step + tap]; parts [splits][M][N*P*Q], [groups][K][C*R*S]
// Launch     correlate {ITEMS * tiles across, tiles down, N * splits}; weights {ITEMS * groups, C, K}; local {ITEMS, 1, 1}
// Tunables   R, S: the kernel; M: outputs, 1 to 4; CB: channels between two barriers; ROWS: rows of a work-item's strip (weights)
// Numerics   one float sum a result in the order c, r, s, parts added in order; weights: a sum a strip, the strips in order
// Reference  tests/ref/conv2d.c          Source  none
#ifndef R
#define R 3
#define S 3
#endif
#ifndef M
#define M 1
#endif
#ifndef CB
#define CB 4
#endif
#ifndef ROWS
#define ROWS 32
#endif
#define ITEMS 64
// A work-item has four neighbouring pixels, which see SPAN columns; read as quads.
#define SPAN (S + 3)
#define QUADS CEIL_DIV(SPAN, 4)
// The tile of a work-group and what it sees.
#define TILE_W 32
#define TILE_H (ITEMS / (TILE_W / 4))
#define SEEN_H (TILE_H + R - 1)
#define SEEN_W (TILE_W - 4 + QUADS * 4)

#ifdef CORRELATE
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void few_correlate(__global const float *restrict x, const int c_count, const int h_count, const int w_count, const int row0,
                   const int col0, const int reflect, __global const float *restrict w, const int m_step, const int c_step, const int is_turned,
                   const int splits, __global const float *restrict bias, const int has_bias, const int p_count,
                   const int q_count, const int add, __global float *restrict y)
{
    __local float seen[CB * SEEN_H * SEEN_W] __attribute__((aligned(16)));
    __local float taps[CB * R * S * M];
    const int item = get_local_id(0), n = (int)get_group_id(2) / splits, split = (int)get_group_id(2) % splits;
    const int each = CEIL_DIV(CEIL_DIV(c_count, CB), splits) * CB;
    const int first = min(split * each, c_count), end = min(first + each, c_count);
    const int top = (int)get_group_id(1) * TILE_H, left = (int)get_group_id(0) * TILE_W;
    const int row = item / (TILE_W / 4), column = item % (TILE_W / 4) * 4;
    const size_t plane = (size_t)h_count * w_count;
    __global const float *image = x + n * c_count * plane;
    float4 acc[M];

#pragma unroll
    for (int m = 0; m < M; m++)
        acc[m] = (float4)(0.0f);
    for (int c0 = first; c0 < end; c0 += CB) {
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = item; i < CB * SEEN_H * SEEN_W; i += ITEMS) {
            const int c = c0 + i / (SEEN_H * SEEN_W), at = i % (SEEN_H * SEEN_W);
            const int from_row = inside(top + at / SEEN_W + row0, h_count, reflect);
            const int from_column = inside(left + at % SEEN_W + col0, w_count, reflect);
            // A mirror at the far end may lie beyond what the tile needs: its outputs are not kept.
            const int is_there = c < end && from_row >= 0 && from_row < h_count && from_column >= 0 && from_column < w_count;
            seen[i] = is_there ? image[c * plane + (size_t)from_row * w_count + from_column] : 0.0f;
        }
        for (int i = item; i < CB * R * S * M; i += ITEMS) {
            const int m = i % M, tap = i / M % (R * S), c = c0 + i / (M * R * S);
            taps[i] = c < end ? w[(size_t)m * m_step + (size_t)c * c_step + (is_turned ? R * S - 1 - tap : tap)] : 0.0f;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int c = 0; c < CB; c++) {
#pragma unroll
            for (int r = 0; r < R; r++) {
                __local const float *from = seen + (c * SEEN_H + row + r) * SEEN_W + column;
                float v[QUADS * 4];
#pragma unroll
                for (int i = 0; i < QUADS; i++) {
                    const float4 quad = *(__local const float4 *)(from + 4 * i);
                    v[4 * i] = quad.s0;
                    v[4 * i + 1] = quad.s1;
                    v[4 * i + 2] = quad.s2;
                    v[4 * i + 3] = quad.s3;
                }
#pragma unroll
                for (int s = 0; s < S; s++) {
                    const float4 pixels = (float4)(v[s], v[s + 1], v[s + 2], v[s + 3]);
#pragma unroll
                    for (int m = 0; m < M; m++)
                        acc[m] = fma((float4)(taps[((c * R + r) * S + s) * M + m]), pixels, acc[m]);
                }
            }
        }
    }
    const int p = top + row, q = left + column;
    if (p >= p_count)
        return;
#pragma unroll
    for (int m = 0; m < M; m++) {
        const float4 v = acc[m] + (float4)(has_bias ? bias[m] : 0.0f);
        // Parts have the columns of all images together; y has its images apart.
        __global float *to = splits > 1 ? y + ((size_t)split * M + m) * (get_num_groups(2) / splits * p_count * q_count) +
                                              ((size_t)n * p_count + p) * q_count
                                        : y + (((size_t)n * M + m) * p_count + p) * q_count;
        store4(add ? load4(to, q, q_count) + v : v, to, q, q_count);
    }
}
#endif

#ifdef WEIGHTS
// A strip is ROWS rows of four columns. Going down, an item keeps the R rows of y that the row of x meets.
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void few_weights(__global const float *restrict x, const int n_count, const int c_count, const int h_count, const int w_count,
                 const int pad, const int reflect, __global const float *restrict y, const int k_count, const int p_count,
                 const int q_count, __global float *restrict parts)
{
    __local float sums[R * S * (ITEMS + 1)];
    const int item = get_local_id(0), c = get_group_id(1), k = get_group_id(2);
    const int across = CEIL_DIV(q_count, 4), down = CEIL_DIV(p_count, ROWS);
    const int strip = get_global_id(0), n = strip / (across * down), p0 = strip / across % down * ROWS, q0 = strip % across * 4;
    const int is_strip = n < n_count;
    __global const float *image = x + ((size_t)(is_strip ? n : 0) * c_count + c) * h_count * w_count;
    __global const float *grad = y + ((size_t)(is_strip ? n : 0) * k_count + k) * p_count * q_count;
    float acc[R][S];
    float4 rows[R];
    int columns[SPAN];

#pragma unroll
    for (int r = 0; r < R; r++) {
        rows[r] = (float4)(0.0f);
#pragma unroll
        for (int s = 0; s < S; s++)
            acc[r][s] = 0.0f;
    }
#pragma unroll
    for (int i = 0; i < SPAN; i++) {
        const int column = inside(q0 + i - pad, w_count, reflect);
        columns[i] = column < w_count ? column : -1;
    }
    for (int i = 0; i < ROWS + R - 1; i++) {
        const int row = inside(p0 + i - pad, h_count, reflect), is_row = is_strip && row >= 0 && row < h_count;
        float v[SPAN];

#pragma unroll
        for (int r = R - 1; r > 0; r--)
            rows[r] = rows[r - 1];
        rows[0] = (float4)(0.0f);
        if (is_strip && i < ROWS && p0 + i < p_count)
            rows[0] = load4(grad + (size_t)(p0 + i) * q_count, q0, q_count);
#pragma unroll
        for (int j = 0; j < SPAN; j++)
            v[j] = is_row && columns[j] >= 0 ? image[(size_t)row * w_count + columns[j]] : 0.0f;
#pragma unroll
        for (int r = 0; r < R; r++) {
#pragma unroll
            for (int s = 0; s < S; s++)
                acc[r][s] = fma(rows[r].s3, v[s + 3],
                                fma(rows[r].s2, v[s + 2], fma(rows[r].s1, v[s + 1], fma(rows[r].s0, v[s], acc[r][s]))));
        }
    }
#pragma unroll
    for (int r = 0; r < R; r++) {
#pragma unroll
        for (int s = 0; s < S; s++)
            sums[(r * S + s) * (ITEMS + 1) + item] = acc[r][s];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int tap = item; tap < R * S; tap += ITEMS) {
        float sum = 0.0f;
        for (int i = 0; i < ITEMS; i++)
            sum += sums[tap * (ITEMS + 1) + i];
        parts[(((size_t)get_group_id(0) * k_count + k) * c_count + c) * (R * S) + tap] = sum;
    }
}
#endif

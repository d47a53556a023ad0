// conv2d_winograd_gpu.cl -- Winograd's transforms, a work-item to a tile and channel; cl/conv2d_implicit.cl multiplies.
//
// Math       y = A'[(G w G') . (B'd B)]A for tiles of M x M outputs, R x R taps; weight gradient G'[(B'd B) . (A g A')]G
// Shapes     x [N,C,H,W], y [N,K,P,Q]; points [NP*NP][C][tiles], tiles a multiple of four; packed [NP*NP][C padded][K padded],
//            sums [splits][NP*NP][K][C]
// Launch     transform, finish {tiles, channels}, pack {K padded, C padded}, unpack {C, K}; local {WG, 1, 1}
// Tunables   M, R: outputs and taps of a tile, each way (4 3, 3 4, 2 3); GRAD: transform by A instead of B; WG, 32 to 256
// Numerics   points 0, 1, -1, 1/2, -2 and infinity (0, 1, -1 and infinity for NP = 4), as on CPUs; within TOL_CONV
// Reference  tests/ref/conv2d.c          Source  [lavin2016]
#ifndef M
#define M 4
#endif
#ifndef R
#define R 3
#endif
#ifndef WG
#define WG 64
#endif
#define NP (M + R - 1)

// t = B' d
static void to_points(const float *d, float *t)
{
#if NP == 6
    const float e = d[4] - d[2], f = d[3] - d[1];

    t[0] = fma(1.5f, f, (d[0] - d[2]) + e);
    t[1] = fma(1.5f, d[3] + d[2], e + f);
    t[2] = fma(1.5f, d[3] - d[2], e - f);
    t[3] = fma(2.0f, f, e);
    t[4] = fma(-0.5f, f, e);
    t[5] = fma(1.5f, e, (d[5] - d[3]) - f);
#else
    t[0] = d[2] - d[0];
    t[1] = d[2] + d[1];
    t[2] = d[2] - d[1];
    t[3] = d[3] - d[1];
#endif
}

// y = A' t
static void from_points(const float *t, float *y)
{
    const float sum = t[1] + t[2], difference = t[1] - t[2];
#if NP == 6
    y[0] = (t[0] + sum) + (t[3] + t[4]);
    y[1] = fma(0.5f, t[3], fma(-2.0f, t[4], difference));
    y[2] = fma(0.25f, t[3], fma(4.0f, t[4], sum));
#if M == 4
    y[3] = fma(0.125f, t[3], fma(-8.0f, t[4], difference));
#endif
#else
    y[0] = t[0] + sum;
    y[1] = difference;
#endif
    y[M - 1] += t[NP - 1];
}

// t = A g
static void spread(const float *g, float *t)
{
#if NP == 6
    const float even = g[0] + g[2];
    float odd = g[1], half_odd = 0.5f * g[1], two_odd = 2.0f * g[1];
#if M == 4
    odd += g[3];
    half_odd = fma(0.125f, g[3], half_odd);
    two_odd = fma(8.0f, g[3], two_odd);
#endif
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = fma(0.25f, g[2], g[0]) + half_odd;
    t[4] = fma(4.0f, g[2], g[0]) - two_odd;
#else
    t[1] = g[0] + g[1];
    t[2] = g[0] - g[1];
#endif
    t[0] = g[0];
    t[NP - 1] = g[M - 1];
}

// t = G w
static void weights_to_points(const float *w, float *t)
{
    const float even = w[0] + w[2];
#if NP == 6
    float odd = w[1], half_odd = 0.5f * w[1], two_odd = 2.0f * w[1];
#if R == 4
    odd += w[3];
    half_odd = fma(0.125f, w[3], half_odd);
    two_odd = fma(8.0f, w[3], two_odd);
#endif
    t[0] = w[0];
    t[1] = (odd + even) * (1.0f / 3);
    t[2] = (odd - even) * (1.0f / 3);
    t[3] = (fma(0.25f, w[2], w[0]) + half_odd) * (-16.0f / 15);
    t[4] = (fma(4.0f, w[2], w[0]) - two_odd) * (1.0f / 15);
#else
    t[0] = -w[0];
    t[1] = 0.5f * (even + w[1]);
    t[2] = 0.5f * (even - w[1]);
#endif
    t[NP - 1] = w[R - 1];
}

// w = G' t
static void weights_from_points(const float *t, float *w)
{
#if NP == 6
    const float sum = (t[1] + t[2]) * (1.0f / 3), difference = (t[1] - t[2]) * (1.0f / 3);
    const float a = t[3] * (1.0f / 15), b = t[4] * (1.0f / 15);

    w[0] = (t[0] + difference) + fma(-16.0f, a, b);
    w[1] = fma(-8.0f, a, fma(-2.0f, b, sum));
    w[2] = fma(-4.0f, a, fma(4.0f, b, difference));
#if R == 4
    w[3] = fma(-2.0f, a, fma(-8.0f, b, sum));
#endif
#else
    const float half_sum = 0.5f * (t[1] + t[2]);

    w[0] = half_sum - t[0];
    w[1] = 0.5f * (t[1] - t[2]);
    w[2] = half_sum;
#endif
    w[R - 1] += t[NP - 1];
}

#ifdef GRAD
#define WINDOW M
#define TRANSFORM spread
#else
#define WINDOW NP
#define TRANSFORM to_points
#endif

// The windows of images `first` on, beginning `pad` pixels outside; points[p][c][tile], zero for the tiles that fill up to four.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void winograd_transform(__global const float *restrict x, const int first, const int c_count, const int h_count,
                        const int w_count, const int pad, const int reflect, const int tile_rows, const int tile_columns,
                        const int images, const int tiles, __global float *restrict points)
{
    const int tile = get_global_id(0), c = get_global_id(1), each = tile_rows * tile_columns;
    const int n = tile / each, top = tile % each / tile_columns * M - pad, left = tile % tile_columns * M - pad;
    __global const float *plane = x + ((size_t)(first + n) * c_count + c) * h_count * w_count;
    float half_way[NP][WINDOW];

    if (tile >= tiles)
        return;
#pragma unroll
    for (int j = 0; j < WINDOW; j++) { // columns first: column j of the window to column j of half_way
        const int column = inside(left + j, w_count, reflect);
        float d[WINDOW], t[NP];
#pragma unroll
        for (int i = 0; i < WINDOW; i++) {
            const int row = inside(top + i, h_count, reflect);
            // A mirror at the far end may lie beyond what the window needs: its outputs are not kept.
            const int is_there = n < images && row >= 0 && row < h_count && column >= 0 && column < w_count;
            d[i] = is_there ? plane[(size_t)row * w_count + column] : 0.0f;
        }
        TRANSFORM(d, t);
#pragma unroll
        for (int i = 0; i < NP; i++)
            half_way[i][j] = t[i];
    }
#pragma unroll
    for (int i = 0; i < NP; i++) {
        float t[NP];
        TRANSFORM(half_way[i], t);
#pragma unroll
        for (int j = 0; j < NP; j++)
            points[((size_t)(i * NP + j) * c_count + c) * tiles + tile] = t[j];
    }
}

// y (+)= the tiles at the points back to pixels, plus the bias.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void winograd_finish(__global const float *restrict points, const int tile_rows, const int tile_columns, const int images,
                     const int tiles, __global const float *restrict bias, const int has_bias, const int first,
                     const int k_count, const int p_count, const int q_count, const int add, __global float *restrict y)
{
    const int tile = get_global_id(0), k = get_global_id(1), each = tile_rows * tile_columns;
    const int n = tile / each, p = tile % each / tile_columns * M, q = tile % tile_columns * M;
    float half_way[NP][M];

    if (n >= images)
        return;
#pragma unroll
    for (int i = 0; i < NP; i++) {
        float t[NP];
#pragma unroll
        for (int j = 0; j < NP; j++)
            t[j] = points[((size_t)(i * NP + j) * k_count + k) * tiles + tile];
        from_points(t, half_way[i]);
    }
    const float b = has_bias ? bias[k] : 0.0f;
    __global float *plane = y + ((size_t)(first + n) * k_count + k) * p_count * q_count;
#pragma unroll
    for (int j = 0; j < M; j++) {
        float t[NP], out[M];
#pragma unroll
        for (int i = 0; i < NP; i++)
            t[i] = half_way[i][j];
        from_points(t, out);
#pragma unroll
        for (int i = 0; i < M; i++) {
            if (p + i < p_count && q + j < q_count) {
                __global float *to = plane + (size_t)(p + i) * q_count + q + j;
                *to = (add ? *to : 0.0f) + (out[i] + b);
            }
        }
    }
}

// packed[p][c][m] from w[m * m_step + c * c_step + tap], turned by half a turn for the scatter; zero in the padding.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void winograd_pack(__global const float *restrict w, const int m_count, const int m_step, const int c_count, const int c_step,
                   const int is_turned, const int m_padded, const int c_padded, __global float *restrict packed)
{
    const int m = get_global_id(0), c = get_global_id(1), is_there = m < m_count && c < c_count;
    __global const float *taps = w + (is_there ? (size_t)m * m_step + (size_t)c * c_step : 0);
    float half_way[NP][R];

    if (m >= m_padded)
        return;
#pragma unroll
    for (int s = 0; s < R; s++) {
        float column[R], t[NP];
#pragma unroll
        for (int r = 0; r < R; r++)
            column[r] = is_there ? taps[is_turned ? R * R - 1 - (r * R + s) : r * R + s] : 0.0f;
        weights_to_points(column, t);
#pragma unroll
        for (int i = 0; i < NP; i++)
            half_way[i][s] = t[i];
    }
#pragma unroll
    for (int i = 0; i < NP; i++) {
        float t[NP];
        weights_to_points(half_way[i], t);
#pragma unroll
        for (int j = 0; j < NP; j++)
            packed[((size_t)(i * NP + j) * c_padded + c) * m_padded + m] = t[j];
    }
}

// dw += the sums over tiles, split by split in order, back from the points.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void winograd_unpack(__global const float *restrict sums, const int splits, const int k_count, const int c_count,
                     __global float *restrict dw)
{
    const int c = get_global_id(0), k = get_global_id(1);
    float points[NP][NP], half_way[R][NP];

    if (c >= c_count)
        return;
#pragma unroll
    for (int i = 0; i < NP; i++) {
#pragma unroll
        for (int j = 0; j < NP; j++)
            points[i][j] = 0.0f;
    }
    for (int split = 0; split < splits; split++) {
#pragma unroll
        for (int i = 0; i < NP; i++) {
#pragma unroll
            for (int j = 0; j < NP; j++)
                points[i][j] += sums[((size_t)((split * NP + i) * NP + j) * k_count + k) * c_count + c];
        }
    }
#pragma unroll
    for (int j = 0; j < NP; j++) {
        float t[NP], column[R];
#pragma unroll
        for (int i = 0; i < NP; i++)
            t[i] = points[i][j];
        weights_from_points(t, column);
#pragma unroll
        for (int r = 0; r < R; r++)
            half_way[r][j] = column[r];
    }
    __global float *out = dw + ((size_t)k * c_count + c) * (R * R);
#pragma unroll
    for (int r = 0; r < R; r++) {
        float row[R];
        weights_from_points(half_way[r], row);
#pragma unroll
        for (int s = 0; s < R; s++)
            out[r * R + s] += row[s];
    }
}

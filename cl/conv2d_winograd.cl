// conv2d_winograd.cl -- convolution with fewer multiplications: tiles to NP x NP points, a matrix product a point, back.
//
// Math       y = A'[(G w G') . (B'd B)]A for tiles of M x M outputs, and its two transposes: gradient of the image
//            B[(G w G') . (A g A')]B', of the weights G'[(B'd B) . (A g A')]G  (doc/notation.md)
//            STRIDE 2 (R 3): a line of a window has two phases, the even pixels under two taps and the odd ones under one; the
//            first go to M + 1 points, the second are multiplied as they are, by weights that all of them share
// Shapes     x [N,C,H,W], y [N,K,P,Q]; V [NP*NP][C/16][tiles][16] (Q, products alike), U [WP*WP][K/KB][C to 16][KB], KB = 16 NV;
//            tile strides and plane strides are arguments: powers of two would fall on the same cache sets
// Launch     transform, finish {ceil(tile columns/SEGMENT), tile rows, images * blocks of 16},
//            overlap the same with tile rows/BAND, multiply {K/KB, chunks, NP*NP},
//            correlate {C/(16 C_GROUP), K/KB, WP*WP}, pack_gather, unpack {C/16, K/KB}, pack_scatter {K, C/KB}; local {1,1,1}
// Tunables   M, R, STRIDE: outputs, taps and step of a tile, each way; NV (1, 2, for weights 4): vectors of 16 outputs; MR: tiles of a
//            register tile; GRAD: transform by A instead of B
// Numerics   points 0, 1, -1, 1/2, -2 and infinity (without -2 for PHASE = 5, without 1/2 and -2 for 4); bounds in
//            tests/op/test_conv2d_accuracy.c
// Reference  tests/ref/conv2d.c          Source  [lavin2016]
#ifndef M
#define M 4
#endif
#ifndef R
#define R 3
#endif
#ifndef STRIDE
#define STRIDE 1
#endif
#ifndef NV
#define NV 2
#endif
#ifndef MR
#define MR 8
#endif
// From one tile to the next, and pixels of its window: as many as points.
#define STEP (M * STRIDE)
#define NP ((M - 1) * STRIDE + R)
#if STRIDE == 1
#define TAPS R
#define PHASE NP
#define WP NP
#define BAND 2
#else
#define TAPS 2
#define PHASE (M + 1)
#define WP (M + 2)
#define BAND 1
#endif
#define KB (16 * NV)
#define COLUMNS 66
#define SEGMENT ((COLUMNS - R + 1) / STEP)
#define CHUNK 128
#define C_GROUP 4
#define CR (16 / NV)
// Vectors to a point of packed weights; the last five are there for the cache sets alone.
#define PACKED_PLANE(k_blocks, c_width) ((size_t)(k_blocks) * (c_width) * NV + 5)

// That a line of the cache will be read, or written, soon: a hint, where the compiler has one (prefetch() does nothing in PoCL).
#if defined(__has_builtin) && !defined(__SPIR__)
#if __has_builtin(__builtin_prefetch)
#define EXPECT_READ(p) __builtin_prefetch((const void *)(size_t)(p), 0)
#define EXPECT_WRITE(p) __builtin_prefetch((const void *)(size_t)(p), 1)
#endif
#endif
#ifndef EXPECT_READ
#define EXPECT_READ(p)
#define EXPECT_WRITE(p)
#endif
// How many lines ahead, in each plane.
#define AHEAD 4

// ---- the transforms of one line of vectors --------------------------------------------------------------------------------

// t = B' d
static void phase_to_points(const float16 *d, float16 *t)
{
#if PHASE == 6
    const float16 e = d[4] - d[2], f = d[3] - d[1];

    t[0] = fma((float16)(1.5f), f, (d[0] - d[2]) + e);
    t[1] = fma((float16)(1.5f), d[3] + d[2], e + f);
    t[2] = fma((float16)(1.5f), d[3] - d[2], e - f);
    t[3] = fma((float16)(2.0f), f, e);
    t[4] = fma((float16)(-0.5f), f, e);
    t[5] = fma((float16)(1.5f), e, (d[5] - d[3]) - f);
#elif PHASE == 5
    const float16 f = d[3] - d[1];

    t[0] = fma((float16)(0.5f), d[0] - d[2], f);
    t[1] = fma((float16)(0.5f), d[2] - d[1], d[3]);
    t[2] = fma((float16)(-1.5f), d[2], fma((float16)(0.5f), d[1], d[3]));
    t[3] = f;
    t[4] = fma((float16)(-0.5f), f, d[4] - d[2]);
#else
    t[0] = d[2] - d[0];
    t[1] = d[2] + d[1];
    t[2] = d[2] - d[1];
    t[3] = d[3] - d[1];
#endif
}

// y = A' t
static void phase_from_points(const float16 *t, float16 *y)
{
    const float16 sum = t[1] + t[2], difference = t[1] - t[2];
#if PHASE == 6
    y[0] = (t[0] + sum) + (t[3] + t[4]);
    y[1] = fma((float16)(0.5f), t[3], fma((float16)(-2.0f), t[4], difference));
    y[2] = fma((float16)(0.25f), t[3], fma((float16)(4.0f), t[4], sum));
#if M == 4
    y[3] = fma((float16)(0.125f), t[3], fma((float16)(-8.0f), t[4], difference));
#endif
#elif PHASE == 5
    y[0] = (t[0] + sum) + t[3];
    y[1] = fma((float16)(0.5f), t[3], difference);
    y[2] = fma((float16)(0.25f), t[3], sum);
    y[3] = fma((float16)(0.125f), t[3], difference);
#else
    y[0] = t[0] + sum;
    y[1] = difference;
#endif
    y[M - 1] += t[PHASE - 1];
}

// d = B t
static void phase_points_to_window(const float16 *t, float16 *d)
{
#if PHASE == 6
    const float16 e = fma((float16)(1.5f), t[5], (t[0] + (t[1] + t[2])) + (t[3] + t[4]));
    const float16 f = fma((float16)(1.5f), t[0], fma((float16)(2.0f), t[3], fma((float16)(-0.5f), t[4], (t[1] - t[2]) - t[5])));

    d[0] = t[0];
    d[1] = -f;
    d[2] = fma((float16)(1.5f), t[1] - t[2], -t[0] - e);
    d[3] = fma((float16)(1.5f), t[1] + t[2], f - t[5]);
    d[4] = e;
#elif PHASE == 5
    d[0] = 0.5f * t[0];
    d[1] = fma((float16)(0.5f), (t[2] - t[1]) + t[4], -t[0] - t[3]);
    d[2] = fma((float16)(0.5f), t[1] - t[0], fma((float16)(-1.5f), t[2], -t[4]));
    d[3] = fma((float16)(-0.5f), t[4], (t[0] + t[1]) + (t[2] + t[3]));
#else
    d[0] = -t[0];
    d[1] = (t[1] - t[2]) - t[3];
    d[2] = (t[1] + t[2]) + t[0];
#endif
    d[PHASE - 1] = t[PHASE - 1];
}

// t = A g
static void phase_spread(const float16 *g, float16 *t)
{
#if PHASE > 4
    float16 even = g[0] + g[2], odd = g[1], half_odd = 0.5f * g[1];
#if M == 4
    odd += g[3];
    half_odd = fma((float16)(0.125f), g[3], half_odd);
#endif
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = fma((float16)(0.25f), g[2], g[0]) + half_odd;
#else
    t[1] = g[0] + g[1];
    t[2] = g[0] - g[1];
#endif
#if PHASE == 6
    float16 two_odd = 2.0f * g[1];
#if M == 4
    two_odd = fma((float16)(8.0f), g[3], two_odd);
#endif
    t[4] = fma((float16)(4.0f), g[2], g[0]) - two_odd;
#endif
    t[0] = g[0];
    t[PHASE - 1] = g[M - 1];
}

// t = G w
static void phase_weights_to_points(const float16 *w, float16 *t)
{
#if PHASE == 6
    const float16 even = w[0] + w[2];
    float16 odd = w[1], half_odd = 0.5f * w[1], two_odd = 2.0f * w[1];
#if TAPS == 4
    odd += w[3];
    half_odd = fma((float16)(0.125f), w[3], half_odd);
    two_odd = fma((float16)(8.0f), w[3], two_odd);
#endif
    t[0] = w[0];
    t[1] = (odd + even) * (1.0f / 3);
    t[2] = (odd - even) * (1.0f / 3);
    t[3] = (fma((float16)(0.25f), w[2], w[0]) + half_odd) * (-16.0f / 15);
    t[4] = (fma((float16)(4.0f), w[2], w[0]) - two_odd) * (1.0f / 15);
#elif PHASE == 5
    t[0] = 2.0f * w[0];
    t[1] = w[0] + w[1];
    t[2] = (w[1] - w[0]) * (1.0f / 3);
    t[3] = fma((float16)(2.0f), w[0], w[1]) * (-4.0f / 3);
#else
    const float16 even = w[0] + w[2];

    t[0] = -w[0];
    t[1] = 0.5f * (even + w[1]);
    t[2] = 0.5f * (even - w[1]);
#endif
    t[PHASE - 1] = w[TAPS - 1];
}

// w = G' t
static void phase_weights_from_points(const float16 *t, float16 *w)
{
#if PHASE == 6
    const float16 sum = (t[1] + t[2]) * (1.0f / 3), difference = (t[1] - t[2]) * (1.0f / 3);
    const float16 a = t[3] * (1.0f / 15), b = t[4] * (1.0f / 15);

    w[0] = (t[0] + difference) + fma((float16)(-16.0f), a, b);
    w[1] = fma((float16)(-8.0f), a, fma((float16)(-2.0f), b, sum));
    w[2] = fma((float16)(-4.0f), a, fma((float16)(4.0f), b, difference));
#if TAPS == 4
    w[3] = fma((float16)(-2.0f), a, fma((float16)(-8.0f), b, sum));
#endif
#elif PHASE == 5
    const float16 a = t[2] * (1.0f / 3), b = t[3] * (-4.0f / 3);

    w[0] = fma((float16)(2.0f), t[0] + b, t[1] - a);
    w[1] = (t[1] + a) + b;
#else
    const float16 half_sum = 0.5f * (t[1] + t[2]);

    w[0] = half_sum - t[0];
    w[1] = 0.5f * (t[1] - t[2]);
    w[2] = half_sum;
#endif
    w[TAPS - 1] += t[PHASE - 1];
}

#if STRIDE == 1
#define to_points phase_to_points
#define from_points phase_from_points
#define points_to_window phase_points_to_window
#define spread phase_spread
#define weights_to_points phase_weights_to_points
#define weights_from_points phase_weights_from_points
#else
// Three taps, stride 2: the first and the last lie on the even pixels and go to M + 1 points, as two taps of stride 1; the middle one
// multiplies the M odd pixels as they are.
static void to_points(const float16 *d, float16 *t)
{
    float16 even[M + 1];

#pragma unroll
    for (int i = 0; i <= M; i++)
        even[i] = d[2 * i];
    phase_to_points(even, t);
#pragma unroll
    for (int i = 0; i < M; i++)
        t[M + 1 + i] = d[2 * i + 1];
}

static void from_points(const float16 *t, float16 *y)
{
    phase_from_points(t, y);
#pragma unroll
    for (int i = 0; i < M; i++)
        y[i] += t[M + 1 + i];
}

static void points_to_window(const float16 *t, float16 *d)
{
    float16 even[M + 1];

    phase_points_to_window(t, even);
#pragma unroll
    for (int i = 0; i <= M; i++)
        d[2 * i] = even[i];
#pragma unroll
    for (int i = 0; i < M; i++)
        d[2 * i + 1] = t[M + 1 + i];
}

static void spread(const float16 *g, float16 *t)
{
    phase_spread(g, t);
#pragma unroll
    for (int i = 0; i < M; i++)
        t[M + 1 + i] = g[i];
}

static void weights_to_points(const float16 *w, float16 *t)
{
    const float16 even[2] = {w[0], w[2]};

    phase_weights_to_points(even, t);
    t[M + 1] = w[1];
}

static void weights_from_points(const float16 *t, float16 *w)
{
    float16 even[2];

    phase_weights_from_points(t, even);
    w[0] = even[0];
    w[1] = t[M + 1];
    w[2] = even[1];
}
#endif

#ifdef GRAD
#define WINDOW M
#define WINDOW_STEP M
#define TRANSFORM spread
#else
#define WINDOW NP
#define WINDOW_STEP STEP
#define TRANSFORM to_points
#endif

// ---- between planes and vectors of channels -------------------------------------------------------------------------------

#define LANE (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#define LOW(a, b) (float16)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6, b.s6, a.s7, b.s7)
#define HIGH(a, b) (float16)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd, a.se, b.se, a.sf, b.sf)

// Four perfect shuffles of all 256 values exchange rows and columns.
static void transpose(float16 *v)
{
    float16 t[16];

#pragma unroll
    for (int twice = 0; twice < 2; twice++) {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            t[2 * i] = LOW(v[i], v[i + 8]);
            t[2 * i + 1] = HIGH(v[i], v[i + 8]);
        }
#pragma unroll
        for (int i = 0; i < 8; i++) {
            v[2 * i] = LOW(t[i], t[i + 8]);
            v[2 * i + 1] = HIGH(t[i], t[i + 8]);
        }
    }
}

// Lane k of out[i] = value i of channel min(k, last), i < n: channels that do not exist repeat the last one, against weights of 0.
static void load_block(__global const float *src, const size_t stride, const int last, const int n, float16 *out)
{
    if (n < 16) {
        for (int i = 0; i < n; i++) {
            float lanes[16];
            for (int k = 0; k < 16; k++)
                lanes[k] = src[min(k, last) * stride + i];
            out[i] = vload16(0, lanes);
        }
        return;
    }
    for (int first = 0; first < n; first += 16) {
        const int i = min(first, n - 16); // the last block moves back: it never reads past
        float16 v[16];
#pragma unroll
        for (int k = 0; k < 16; k++)
            v[k] = vload16(0, src + min(k, last) * stride + i);
        transpose(v);
#pragma unroll
        for (int k = 0; k < 16; k++)
            out[i + k] = v[k];
    }
}

// Value i of channel k (+)= lane k of in[i], i < n, k < channels.
static void store_block(const float16 *in, const int n, __global float *dst, const size_t stride, const int channels, const int add)
{
    if (n < 16) {
        for (int i = 0; i < n; i++) {
            float lanes[16];
            vstore16(in[i], 0, lanes);
            for (int k = 0; k < channels; k++)
                dst[k * stride + i] = add ? dst[k * stride + i] + lanes[k] : lanes[k];
        }
        return;
    }
    for (int first = 0; first < n; first += 16) {
        const int i = min(first, n - 16);
        const int16 is_new = (int16)(i) + LANE >= (int16)(first);
        float16 v[16];
#pragma unroll
        for (int k = 0; k < 16; k++)
            v[k] = in[i + k];
        transpose(v);
#pragma unroll
        for (int k = 0; k < 16; k++) {
            __global float *to = dst + k * stride + i;
            if (k < channels)
                vstore16(add ? vload16(0, to) + select((float16)(0.0f), v[k], is_new) : v[k], 0, to);
        }
    }
}

// Which pixel of n the padded line shows at i; -1 for a zero.
static int shown(const int i, const int n, const int pad, const int reflect)
{
    if (i >= 0 && i < n)
        return i;
    if (!reflect || i < -pad || i >= n + pad)
        return -1;
    return i < 0 ? -i : 2 * (n - 1) - i;
}

// ---- tiles ----------------------------------------------------------------------------------------------------------------

// V = B' d B (GRAD: A g A') for one row of up to SEGMENT tiles of 16 channels.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void transform(__global const float *restrict x, const int n_first, const int row_first, const int c_count, const int h,
               const int w, const int pad, const int reflect, const int blocks, const int tile_columns, const int tile_stride,
               const int plane_lines, __global float16 *restrict v)
{
    const int tile_first = (int)get_global_id(0) * SEGMENT, tiles = min(SEGMENT, tile_columns - tile_first);
    const int tile_row = get_global_id(1), n = get_global_id(2) / blocks, block = get_global_id(2) % blocks;
    const int columns = (tiles - 1) * WINDOW_STEP + WINDOW;
    int row_at[WINDOW], column_at[COLUMNS], top = h, bottom = -1, left = w, right = -1;
    float16 line[NP * COLUMNS];

    for (int i = 0; i < WINDOW; i++) {
        row_at[i] = shown((row_first + tile_row) * WINDOW_STEP + i - pad, h, pad, reflect);
        if (row_at[i] >= 0) {
            top = min(top, row_at[i]);
            bottom = max(bottom, row_at[i]);
        }
    }
    for (int j = 0; j < columns; j++) {
        column_at[j] = shown(tile_first * WINDOW_STEP + j - pad, w, pad, reflect);
        if (column_at[j] >= 0) {
            left = min(left, column_at[j]);
            right = max(right, column_at[j]);
        }
    }
    const int rows = max(bottom - top + 1, 0), width = max(right - left + 1, 0), c = min(block * 16, c_count - 1);
    const int last = min(15, c_count - 1 - c);
    __global const float *image = x + ((size_t)(n_first + n) * c_count + c) * h * w;

    if (width == w) {
        load_block(image + (size_t)top * w, (size_t)h * w, last, rows * w, line);
    } else if (width > 0) {
        for (int i = 0; i < rows; i++)
            load_block(image + (size_t)(top + i) * w + left, (size_t)h * w, last, width, line + i * width);
    }
    for (int j = 0; j < width; j++) {
        float16 d[WINDOW], t[NP];
#pragma unroll
        for (int i = 0; i < WINDOW; i++)
            d[i] = row_at[i] < 0 ? (float16)(0.0f) : line[(row_at[i] - top) * width + j];
        TRANSFORM(d, t);
#pragma unroll
        for (int i = 0; i < NP; i++)
            line[i * width + j] = t[i];
    }
    __global float16 *to = v + (size_t)block * tile_stride + ((size_t)n * get_global_size(1) + tile_row) * tile_columns + tile_first;
    for (int i = 0; i < NP; i++, to += (size_t)NP * plane_lines) {
        const float16 *from = line + i * width;
        for (int q = 0; q < tiles; q++) {
            const int at = column_at[q * WINDOW_STEP];
            float16 d[WINDOW], t[NP];

            if (at >= 0 && column_at[q * WINDOW_STEP + WINDOW - 1] == at + WINDOW - 1) {
#pragma unroll
                for (int j = 0; j < WINDOW; j++)
                    d[j] = from[at - left + j];
            } else {
#pragma unroll
                for (int j = 0; j < WINDOW; j++)
                    d[j] = column_at[q * WINDOW_STEP + j] < 0 ? (float16)(0.0f) : from[column_at[q * WINDOW_STEP + j] - left];
            }
            TRANSFORM(d, t);
#pragma unroll
            for (int j = 0; j < NP; j++) {
                to[(size_t)j * plane_lines + q] = t[j];
                EXPECT_WRITE(to + (size_t)j * plane_lines + q + AHEAD);
            }
        }
    }
}

// y (+)= A' products A + bias for one row of up to SEGMENT tiles of 16 channels.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void finish(__global const float16 *restrict products, const int blocks, const int row_first, const int tile_columns,
            const int tile_stride, const int plane_lines, __global const float *restrict bias, const int has_bias,
            const int n_first, const int k_count, const int p_count, const int q_count, const int add, __global float *restrict y)
{
    const int tile_first = (int)get_global_id(0) * SEGMENT, tiles = min(SEGMENT, tile_columns - tile_first);
    const int tile_row = get_global_id(1), n = get_global_id(2) / blocks, block = get_global_id(2) % blocks;
    const int p = (row_first + tile_row) * M, q_first = tile_first * M, k = block * 16, channels = min(16, k_count - k);
    const int rows = min(M, p_count - p), width = min(tiles * M, q_count - q_first);
    __global const float16 *from =
        products + (size_t)block * tile_stride + ((size_t)n * get_global_size(1) + tile_row) * tile_columns + tile_first;
    float lanes[16];
    float16 line[M * COLUMNS];

    for (int i = 0; i < 16; i++)
        lanes[i] = has_bias && i < channels ? bias[k + i] : 0.0f;
    const float16 start = vload16(0, lanes);
    for (int q = 0; q < tiles; q++) {
        float16 part[M][NP];
#pragma unroll
        for (int j = 0; j < NP; j++) {
            float16 t[NP], r[M];
#pragma unroll
            for (int i = 0; i < NP; i++) {
                t[i] = from[(size_t)(i * NP + j) * plane_lines + q];
                EXPECT_READ(from + (size_t)(i * NP + j) * plane_lines + q + AHEAD);
            }
            from_points(t, r);
#pragma unroll
            for (int i = 0; i < M; i++)
                part[i][j] = r[i];
        }
#pragma unroll
        for (int i = 0; i < M; i++) {
            float16 r[M];
            from_points(part[i], r);
#pragma unroll
            for (int j = 0; j < M; j++)
                if (i < rows && q * M + j < width)
                    line[i * width + q * M + j] = r[j] + start;
        }
    }
    __global float *out = y + (((size_t)(n_first + n) * k_count + k) * p_count + p) * q_count + q_first;
    if (width == q_count) {
        store_block(line, rows * width, out, (size_t)p_count * q_count, channels, add);
    } else {
        for (int i = 0; i < rows; i++)
            store_block(line + i * width, width, out + (size_t)i * q_count, (size_t)p_count * q_count, channels, add);
    }
}

// x (+)= the sum of all windows B products B', each of which reaches R - STRIDE pixels into the next, + bias; for BAND rows of up to
// SEGMENT tiles of 16 channels; `before` has the rows of tiles above row_first. Padded pixels outside x are dropped, or with `fold` added
// to those they mirror: within a band if pad is 1 and M > 2.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void overlap(__global const float16 *restrict products, __global const float16 *restrict before, const int blocks,
             const int row_first, const int rows_here, const int rows_before, const int tile_rows, const int tile_columns,
             const int tile_stride, const int plane_lines, __global const float *restrict bias, const int has_bias,
             const int n_first, const int c_count, const int h, const int w, const int pad, const int fold, const int add,
             __global float *restrict x)
{
    const int tile_first = (int)get_global_id(0) * SEGMENT, tile_end = min(tile_first + SEGMENT, tile_columns);
    const int band_first = row_first + (int)get_global_id(1) * BAND, band_end = min(band_first + BAND, row_first + rows_here);
    const int n = get_global_id(2) / blocks, block = get_global_id(2) % blocks, c = block * 16, channels = min(16, c_count - c);
    const int top = band_first * STEP, bottom = band_end == tile_rows ? h + 2 * pad : band_end * STEP;
    const int left = tile_first * STEP, right = tile_end == tile_columns ? w + 2 * pad : tile_end * STEP, columns = right - left;
    float lanes[16];
    float16 line[(BAND * STEP + R - 1) * COLUMNS];

    for (int i = 0; i < 16; i++)
        lanes[i] = has_bias && i < channels ? bias[c + i] : 0.0f;
    const float16 start = vload16(0, lanes);
    for (int i = 0; i < (bottom - top) * columns; i++)
        line[i] = (float16)(0.0f);
    for (int row = max(band_first - 1, 0); row < band_end; row++) {
        const size_t place = row < row_first ? rows_before - 1 : (size_t)n * rows_here + row - row_first;
        __global const float16 *from = (row < row_first ? before : products) + (size_t)block * tile_stride + place * tile_columns;
        const int a_first = max(top - row * STEP, 0), a_end = min(bottom - row * STEP, NP);

        for (int q = max(tile_first - 1, 0); q < tile_end; q++) {
            const int b_first = max(left - q * STEP, 0), b_end = min(right - q * STEP, NP);
            float16 part[NP][NP], window[NP][NP];
#if STRIDE > 1
            if (row < band_first) { // one line reaches over, and that is the last point's
                for (int j = 0; j < NP; j++)
                    part[NP - 1][j] = from[(size_t)(M * NP + j) * plane_lines + q];
            } else
#endif
#pragma unroll
            for (int j = 0; j < NP; j++) {
                float16 t[NP], d[NP];
#pragma unroll
                for (int i = 0; i < NP; i++) {
                    t[i] = from[(size_t)(i * NP + j) * plane_lines + q];
                    EXPECT_READ(from + (size_t)(i * NP + j) * plane_lines + q + AHEAD);
                }
                points_to_window(t, d);
#pragma unroll
                for (int i = 0; i < NP; i++)
                    part[i][j] = d[i];
            }
            for (int a = a_first; a < a_end; a++) {
                float16 *to = line + (row * STEP + a - top) * columns + (q * STEP - left);
                points_to_window(part[a], window[a]);
                for (int b = b_first; b < b_end; b++)
                    to[b] += window[a][b];
            }
        }
    }
    for (int i = top; fold && i < bottom; i++) {
        const int to = i < pad ? 2 * pad - i : i >= h + pad ? 2 * (h - 1 + pad) - i : i;
        for (int j = 0; to != i && j < columns; j++)
            line[(to - top) * columns + j] += line[(i - top) * columns + j];
    }
    for (int j = left; fold && j < right; j++) {
        const int to = j < pad ? 2 * pad - j : j >= w + pad ? 2 * (w - 1 + pad) - j : j;
        for (int i = 0; to != j && i < bottom - top; i++)
            line[i * columns + to - left] += line[i * columns + j - left];
    }
    const int first_row = max(top, pad), rows = min(bottom, h + pad) - first_row;
    const int first_column = max(left, pad), width = min(right, w + pad) - first_column;
    if (rows <= 0 || width <= 0)
        return;
    for (int i = 0; i < rows; i++) { // close up the rows: they move towards the beginning
        for (int j = 0; j < width; j++)
            line[i * width + j] = line[(first_row - top + i) * columns + first_column - left + j] + start;
    }
    __global float *out = x + (((size_t)(n_first + n) * c_count + c) * h + first_row - pad) * w + first_column - pad;
    if (width == w) {
        store_block(line, rows * width, out, (size_t)h * w, channels, add);
    } else {
        for (int i = 0; i < rows; i++)
            store_block(line + i * width, width, out + (size_t)i * w, (size_t)h * w, channels, add);
    }
}

// ---- products -------------------------------------------------------------------------------------------------------------

// The point of the weights that belongs to one of the tile: the odd pixels of a line have one in common.
static int weight_point(const int point)
{
    return min(point / NP, WP - 1) * WP + min(point % NP, WP - 1);
}

// products[point][k..][tile] = sum over c of V[point][c][tile] U[point][c][k..].
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void multiply(__global const float16 *restrict v, __global const float16 *restrict u, const int c_blocks, const int tiles,
              const int tile_stride, const int v_lines, const int product_lines, __global float16 *restrict products)
{
    const int block = get_global_id(0), chunk = get_global_id(1), chunks = get_global_size(1), point = get_global_id(2);
    const int begin = (int)((long)chunk * tiles / chunks), end = (int)((long)(chunk + 1) * tiles / chunks);
    __global const float16 *weights =
        u + weight_point(point) * PACKED_PLANE(get_global_size(0), c_blocks * 16) + (size_t)block * c_blocks * 16 * NV;
    __global float16 *out = products + (size_t)point * product_lines + (size_t)block * NV * tile_stride;

    for (int first = begin; first < end; first += MR) {
        const int t = min(first, end - MR); // the last register tile moves back: the same results once more
        __global const float *from = (__global const float *)(v + (size_t)point * v_lines + t);
        __global const float16 *w = weights;
        float16 acc[MR][NV];

#pragma unroll
        for (int i = 0; i < MR; i++) {
#pragma unroll
            for (int j = 0; j < NV; j++)
                acc[i][j] = (float16)(0.0f);
        }
        for (int c = 0; c < c_blocks; c++, from += (size_t)tile_stride * 16) {
#pragma unroll
            for (int lane = 0; lane < 16; lane++, w += NV) {
                float16 b[NV];
#pragma unroll
                for (int j = 0; j < NV; j++)
                    b[j] = w[j];
#pragma unroll
                for (int i = 0; i < MR; i++) {
                    const float16 value = (float16)(from[i * 16 + lane]);
#pragma unroll
                    for (int j = 0; j < NV; j++)
                        acc[i][j] = fma(value, b[j], acc[i][j]);
                }
            }
        }
#pragma unroll
        for (int i = 0; i < MR; i++) {
#pragma unroll
            for (int j = 0; j < NV; j++)
                out[(size_t)j * tile_stride + t + i] = acc[i][j];
        }
    }
}

// du[point][k block][c][KB] (+)= sum over tiles of V[point][c][tile] Q[point][k..][tile], CHUNK tiles at a time, for up to C_GROUP blocks of
// 16 c: they share the values of Q, which stay in the nearest cache.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void correlate(__global const float16 *restrict v, __global const float16 *restrict q, const int c_blocks, const int tiles,
               const int tile_stride, const int v_lines, const int q_lines, const int add, __global float16 *restrict du)
{
    const int c_first = (int)get_global_id(0) * C_GROUP, c_end = min(c_first + C_GROUP, c_blocks);
    const int block = get_global_id(1), wp = get_global_id(2);
    __global float16 *out = du + wp * PACKED_PLANE(get_global_size(1), c_blocks * 16) + (size_t)block * c_blocks * 16 * NV;
    bool is_sum = add;

    for (int part = 0; part < CEIL_DIV(tiles, CHUNK) * NP * NP; part++) {
        const int point = part % (NP * NP), begin = part / (NP * NP) * CHUNK, end = min(begin + CHUNK, tiles);
        if (weight_point(point) != wp)
            continue;
        __global const float16 *g = q + (size_t)point * q_lines + (size_t)block * NV * tile_stride;

        for (int c = c_first * 16; c < c_end * 16; c += CR) {
            __global const float *a =
                (__global const float *)(v + (size_t)point * v_lines + (size_t)(c / 16) * tile_stride) + c % 16;
            float16 acc[CR][NV];

#pragma unroll
            for (int i = 0; i < CR; i++) {
#pragma unroll
                for (int j = 0; j < NV; j++)
                    acc[i][j] = (float16)(0.0f);
            }
            for (int t = begin; t < end; t++) {
                float16 b[NV];
#pragma unroll
                for (int j = 0; j < NV; j++)
                    b[j] = g[(size_t)j * tile_stride + t];
#pragma unroll
                for (int i = 0; i < CR; i++) {
                    const float16 value = (float16)(a[(size_t)t * 16 + i]);
#pragma unroll
                    for (int j = 0; j < NV; j++)
                        acc[i][j] = fma(value, b[j], acc[i][j]);
                }
            }
#pragma unroll
            for (int i = 0; i < CR; i++) {
#pragma unroll
                for (int j = 0; j < NV; j++) {
                    __global float16 *to = out + (c + i) * NV + j;
                    *to = is_sum ? *to + acc[i][j] : acc[i][j];
                }
            }
        }
        is_sum = true;
    }
}

// ---- weights --------------------------------------------------------------------------------------------------------------

// U[point][block][c][16 lanes] = G w G' for 16 outputs and one input, from its R x R taps.
static void store_points(const float16 *taps, const size_t plane, __global float16 *to)
{
    float16 part[WP][R];

#pragma unroll
    for (int s = 0; s < R; s++) {
        float16 w[R], t[WP];
#pragma unroll
        for (int r = 0; r < R; r++)
            w[r] = taps[r * R + s];
        weights_to_points(w, t);
#pragma unroll
        for (int i = 0; i < WP; i++)
            part[i][s] = t[i];
    }
#pragma unroll
    for (int i = 0; i < WP; i++) {
        float16 t[WP];
        weights_to_points(part[i], t);
#pragma unroll
        for (int j = 0; j < WP; j++) {
            to[(i * WP + j) * plane] = t[j];
            EXPECT_WRITE(to + (i * WP + j) * plane + AHEAD);
        }
    }
}

// For the gather, from w [K,C,R,R]: 16 input channels of KB outputs. Inputs past C and outputs past K get zeros.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void pack_gather(__global const float *restrict w, const int k_count, const int c_count, __global float16 *restrict u)
{
    const int c = get_global_id(0) * 16, c_width = get_global_size(0) * 16, c_here = min(16, c_count - c);
    const size_t plane = PACKED_PLANE(get_global_size(1), c_width);
    __global float16 *to = u + ((size_t)get_global_id(1) * c_width + c) * NV;
    float16 taps[NV][16 * R * R];

    for (int j = 0; j < NV; j++) {
        const int k = get_global_id(1) * KB + j * 16, k_here = clamp(k_count - k, 0, 16);
        const int16 exists = LANE < (int16)(k_here);

        if (k_here > 0)
            load_block(w + ((size_t)k * c_count + c) * R * R, (size_t)c_count * R * R, k_here - 1, c_here * R * R, taps[j]);
        for (int i = 0; i < 16 * R * R; i++)
            taps[j][i] = k_here > 0 && i < c_here * R * R ? select((float16)(0.0f), taps[j][i], exists) : (float16)(0.0f);
    }
    for (int i = 0; i < 16; i++) {
        for (int j = 0; j < NV; j++)
            store_points(taps[j] + i * R * R, plane, to + i * NV + j);
    }
}

// For the scatter: the same with inputs k and outputs c exchanged.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void pack_scatter(__global const float *restrict w, const int k_count, const int c_count, __global float16 *restrict u)
{
    const int k = get_global_id(0), k_width = get_global_size(0);
    const size_t plane = PACKED_PLANE(get_global_size(1), k_width);

    for (int j = 0; j < NV; j++) {
        const int c = get_global_id(1) * KB + j * 16, c_here = k < k_count ? clamp(c_count - c, 0, 16) : 0;
        const size_t at = ((size_t)k * c_count + c) * R * R;
        const int16 exists = LANE < (int16)(c_here);
        float16 taps[16];

        if (c_here > 0) {
            // a row of 16 values holds the taps of one c; the last rows of the array would reach past its end
            const bool is_inside = at + (size_t)(c_here - 1) * R * R + 16 <= (size_t)k_count * c_count * R * R;
            load_block(w + at, R * R, c_here - 1, is_inside ? 16 : R * R, taps);
        }
        for (int tap = 0; tap < R * R; tap++)
            taps[tap] = c_here > 0 ? select((float16)(0.0f), taps[tap], exists) : (float16)(0.0f);
        store_points(taps, plane, u + ((size_t)get_global_id(1) * k_width + k) * NV + j);
    }
}

// dw += G' du G for 16 input channels of KB outputs.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void unpack(__global const float16 *restrict du, const int k_count, const int c_count, __global float *restrict dw)
{
    const int c = get_global_id(0) * 16, c_width = get_global_size(0) * 16, c_here = min(16, c_count - c);
    const size_t plane = PACKED_PLANE(get_global_size(1), c_width);
    float16 taps[NV][16 * R * R];

    for (int i = 0; i < c_here * NV; i++) {
        __global const float16 *from = du + ((size_t)get_global_id(1) * c_width + c) * NV + i;
        float16 part[R][WP];
#pragma unroll
        for (int j = 0; j < WP; j++) {
            float16 t[WP], w[R];
#pragma unroll
            for (int m = 0; m < WP; m++) {
                t[m] = from[(m * WP + j) * plane];
                EXPECT_READ(from + (m * WP + j) * plane + AHEAD);
            }
            weights_from_points(t, w);
#pragma unroll
            for (int r = 0; r < R; r++)
                part[r][j] = w[r];
        }
#pragma unroll
        for (int r = 0; r < R; r++)
            weights_from_points(part[r], taps[i % NV] + (i / NV * R + r) * R);
    }
    for (int j = 0; j < NV; j++) {
        const int k = get_global_id(1) * KB + j * 16;

        if (k < k_count)
            store_block(taps[j], c_here * R * R, dw + ((size_t)k * c_count + c) * R * R, (size_t)c_count * R * R,
                        min(16, k_count - k), 1);
    }
}

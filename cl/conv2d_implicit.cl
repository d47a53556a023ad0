// conv2d_implicit.cl -- convolution as a matrix product whose second matrix exists only as tiles in local memory.
//
// Math       correlate  y[n,m,p,q] = b[m] + sum_crs w[m,c,r,s] x[n,c,p*stride+r+row0,q*stride+s+col0]: the gather, and each phase
//                       of the scatter, which writes every step-th pixel; a matrix [M, C*R*S] by a matrix [C*R*S, N*P*Q]
//            weights    dw[k,crs] += sum_npq y[n,k,p,q] x[n,c,p*stride+r-pad,q*stride+s-pad]: [K, N*P*Q] by [N*P*Q, C*R*S]
//            matrix     o[z] = a[z] b[z], and matrix_nt o[z] = a[z] b[z]^T: the products of the Winograd algorithms
// Shapes     x [N,C,H,W], y [N,M,hy,wy], packed [taps*C][M] with both sides padded by zeros, parts [splits][M][columns]
// Launch     products {columns in groups of BN, M in groups of BM, splits or batch}, local {ITEMS, 1, 1};
//            pack {M padded, rows padded}, sum {columns, M}, fold {W, H, planes}, local {WG, 1, 1}
// Tunables   BM, BN: outputs of a work-group; TM, TN: outputs of a work-item, 4 or 8; BK: sums between two barriers; WG.
//            (BM/TM)*(BN/TN) is at most 256; what is built: one of CORRELATE, WEIGHTS, MATRIX, MATRIX_NT, else the small kernels
// Numerics   float sums in the order of the taps, then channels; splits are added in order, so that bits repeat
// Reference  tests/ref/conv2d.c          Source  [chetlur2014]
#ifndef BM
#define BM 64
#define BN 64
#define BK 8
#define TM 4
#define TN 8
#endif
#ifndef WG
#define WG 64
#endif
#ifndef SPLIT
#define SPLIT 0 // 1: y is parts, which implicit_sum adds
#endif
#ifndef ALIGNED
#define ALIGNED 0 // 1: four columns from a multiple of four on lie together in y, at a multiple of 16 bytes
#endif
#define ITEMS ((BM / TM) * (BN / TN))
// Rows in local memory are four longer than they need: writes of a column then fall into different banks.
#define LDA (BM + 4)
#define LDB (BN + 4)
#define QUADS_M (TM / 4)
#define QUADS_N (TN / 4)
// The first row and column of an item's outputs in the tile. Intel's processor runtime gets sums wrong where the row is a quotient
// that is always 0, so that case is written as what it is.
#define ITEM_ROW (BM == TM ? 0 : (int)get_local_id(0) / (BN / TN) * 4)
#define ITEM_COLUMN ((int)get_local_id(0) % (BN / TN) * 4)

// Where `column` (over n, p, q) lies in y, for its first channel.
static size_t place_in_y(const int column, const int m_count, const int p_count, const int q_count, const int hy, const int wy,
                    const int step, const int y_row, const int y_col)
{
    const int n = column / (p_count * q_count), pixel = column - n * (p_count * q_count);
    const int p = pixel / q_count, q = pixel - p * q_count;

    return ((size_t)n * m_count * hy + y_row + p * step) * wy + y_col + q * step;
}

#if defined(CORRELATE) || defined(WEIGHTS) || defined(MATRIX) || defined(MATRIX_NT)
// acc += one tile of BK sums. An item's rows are QUADS_M groups of four, BM / QUADS_M apart, its columns likewise: neighbours
// read neighbouring float4, so no two of them meet in a bank.
static void multiply(__local const float *a_tile, __local const float *b_tile, float4 acc[TM][QUADS_N])
{
    const int row = ITEM_ROW, column = ITEM_COLUMN;

#pragma unroll
    for (int k = 0; k < BK; k++) {
        float4 a[QUADS_M], b[QUADS_N];
#pragma unroll
        for (int i = 0; i < QUADS_M; i++)
            a[i] = *(__local const float4 *)(a_tile + k * LDA + i * (BM / QUADS_M) + row);
#pragma unroll
        for (int j = 0; j < QUADS_N; j++)
            b[j] = *(__local const float4 *)(b_tile + k * LDB + j * (BN / QUADS_N) + column);
#pragma unroll
        for (int i = 0; i < QUADS_M; i++) {
#pragma unroll
            for (int j = 0; j < QUADS_N; j++) {
                acc[4 * i][j] = fma((float4)(a[i].s0), b[j], acc[4 * i][j]);
                acc[4 * i + 1][j] = fma((float4)(a[i].s1), b[j], acc[4 * i + 1][j]);
                acc[4 * i + 2][j] = fma((float4)(a[i].s2), b[j], acc[4 * i + 2][j]);
                acc[4 * i + 3][j] = fma((float4)(a[i].s3), b[j], acc[4 * i + 3][j]);
            }
        }
    }
}

static void clear(float4 acc[TM][QUADS_N])
{
#pragma unroll
    for (int i = 0; i < TM; i++) {
#pragma unroll
        for (int j = 0; j < QUADS_N; j++)
            acc[i][j] = (float4)(0.0f);
    }
}

// The item's results into a plain matrix [m_count][columns], or added to it.
static void put_matrix(float4 acc[TM][QUADS_N], const int m_count, const int columns, const int add, __global float *y)
{
    const int row = (int)get_group_id(1) * BM + ITEM_ROW, column = (int)get_group_id(0) * BN + ITEM_COLUMN;

#pragma unroll
    for (int i = 0; i < TM; i++) {
        const int m = row + (i / 4) * (BM / QUADS_M) + i % 4;
        if (m >= m_count)
            continue;
#pragma unroll
        for (int j = 0; j < QUADS_N; j++) {
            const int at = column + j * (BN / QUADS_N);
            __global float *to = y + (size_t)m * columns;
#if ALIGNED
            if (at < columns)
                *(__global float4 *)(to + at) = add ? *(__global float4 *)(to + at) + acc[i][j] : acc[i][j];
#else
            store4(add ? load4(to, at, columns) + acc[i][j] : acc[i][j], to, at, columns);
#endif
        }
    }
}
#endif

#if defined(CORRELATE) || defined(MATRIX)
// Float4 of A that an item fetches for a tile; the last may be too many.
#define A_EACH CEIL_DIV(BM * BK / 4, ITEMS)

// Rows step * BK on of the packed matrix, whose rows are m_padded long.
static void fetch_packed(__global const float *packed, const int m_padded, const int step, float4 a[A_EACH])
{
#pragma unroll
    for (int i = 0; i < A_EACH; i++) {
        const int quad = (int)get_local_id(0) + i * ITEMS;
        if (A_EACH * ITEMS == BM * BK / 4 || quad < BM * BK / 4)
            a[i] = *(__global const float4 *)(packed + (size_t)(step * BK + quad / (BM / 4)) * m_padded +
                                              (int)get_group_id(1) * BM + quad % (BM / 4) * 4);
    }
}

static void stage_packed(const float4 a[A_EACH], __local float *a_tile)
{
#pragma unroll
    for (int i = 0; i < A_EACH; i++) {
        const int quad = (int)get_local_id(0) + i * ITEMS;
        if (A_EACH * ITEMS == BM * BK / 4 || quad < BM * BK / 4)
            *(__local float4 *)(a_tile + quad / (BM / 4) * LDA + quad % (BM / 4) * 4) = a[i];
    }
}
#endif

#ifdef CORRELATE
// An item gathers for COLUMNS pixels, every ROW_STEP-th row of the tile.
#define COLUMNS (BN > ITEMS ? BN / ITEMS : 1)
#define ROW_STEP (ITEMS > BN ? ITEMS / BN : 1)
#define ROWS (BK / ROW_STEP)

// Few channels: FLAT of them, the kernel FLAT_S wide, both known to the compiler; a tile then spans several taps. Otherwise a
// tile has one tap, whose offset is found once, and BK channels.
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void implicit_correlate(__global const float *restrict x, const int c_count, const int h_count, const int w_count,
                        const int r_count, const int s_count, const int stride, const int row0, const int col0,
                        const int reflect, __global const float *restrict packed, const int m_padded, const int steps,
                        const int steps_each, __global const float *restrict bias, const int has_bias, const int m_count,
                        const int columns, const int p_count, const int q_count, const int hy, const int wy, const int step,
                        const int y_row, const int y_col, const int add, __global float *restrict y)
{
    __local float a_tiles[2][BK * LDA] __attribute__((aligned(16)));
    __local float b_tiles[2][BK * LDB] __attribute__((aligned(16)));
    const int item = get_local_id(0), first = (int)get_group_id(2) * steps_each, end = min(first + steps_each, steps);
    const int b_row = item / BN; // 0 where an item has several columns
    const size_t plane = (size_t)h_count * w_count;
    __global const float *image[COLUMNS];
    int top[COLUMNS], left[COLUMNS], is_pixel[COLUMNS];
    float4 acc[TM][QUADS_N], a[A_EACH];
    float b[COLUMNS][ROWS];
#ifndef FLAT
    const int blocks = CEIL_DIV(c_count, BK);
    int offset[COLUMNS], block = first % blocks, r = first / blocks / max(s_count, 1), s = first / blocks - r * s_count;
#endif

    clear(acc);
#pragma unroll
    for (int j = 0; j < COLUMNS; j++) {
        const int column = (int)get_group_id(0) * BN + item % BN + j * ITEMS;
        const int n = column / (p_count * q_count), pixel = column - n * (p_count * q_count), p = pixel / q_count;
        is_pixel[j] = column < columns;
        image[j] = x + (is_pixel[j] ? n * c_count * plane : 0);
        top[j] = p * stride + row0;
        left[j] = (pixel - p * q_count) * stride + col0;
#ifndef FLAT
        offset[j] = -1;
#endif
    }
    for (int at = first; at <= end; at++) {
        if (at < end) { // fetch this tile while the last one is multiplied
            fetch_packed(packed, m_padded, at, a);
#ifdef FLAT
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
#pragma unroll
                for (int i = 0; i < ROWS; i++) {
                    const int sum = at * BK + b_row + i * ROW_STEP, c = sum % FLAT, tap = sum / FLAT;
                    const int r = tap / FLAT_S, s = tap % FLAT_S;
                    const int row = inside(top[j] + r, h_count, reflect), column = inside(left[j] + s, w_count, reflect);
                    b[j][i] = r < r_count && is_pixel[j] && row >= 0 && column >= 0
                                  ? image[j][c * plane + (size_t)row * w_count + column]
                                  : 0.0f;
                }
            }
#else
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
                if (block == 0 || at == first) {
                    const int row = inside(top[j] + r, h_count, reflect), column = inside(left[j] + s, w_count, reflect);
                    offset[j] = r < r_count && is_pixel[j] && row >= 0 && column >= 0 ? row * w_count + column : -1;
                }
#pragma unroll
                for (int i = 0; i < ROWS; i++) {
                    const int c = block * BK + b_row + i * ROW_STEP;
                    b[j][i] = offset[j] >= 0 && c < c_count ? image[j][c * plane + offset[j]] : 0.0f;
                }
            }
            block++;
            if (block == blocks) {
                block = 0;
                s++;
                r += s == s_count;
                s = s == s_count ? 0 : s;
            }
#endif
        }
        if (at > first)
            multiply(a_tiles[(at - first + 1) & 1], b_tiles[(at - first + 1) & 1], acc);
        if (at < end) {
            stage_packed(a, a_tiles[(at - first) & 1]);
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
#pragma unroll
                for (int i = 0; i < ROWS; i++)
                    b_tiles[(at - first) & 1][(b_row + i * ROW_STEP) * LDB + item % BN + j * ITEMS] = b[j][i];
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
#if SPLIT
    put_matrix(acc, m_count, columns, 0, y + get_group_id(2) * ((size_t)m_count * columns));
#else
    const int row = (int)get_group_id(1) * BM + ITEM_ROW;
#pragma unroll
    for (int j = 0; j < QUADS_N; j++) {
        const int column = (int)get_group_id(0) * BN + j * (BN / QUADS_N) + ITEM_COLUMN;
        size_t to[4];
#pragma unroll
        for (int k = 0; k < (ALIGNED ? 1 : 4); k++)
            to[k] = place_in_y(column + k, m_count, p_count, q_count, hy, wy, step, y_row, y_col);
#pragma unroll
        for (int i = 0; i < TM; i++) {
            const int m = row + (i / 4) * (BM / QUADS_M) + i % 4;
            if (m >= m_count || column >= columns)
                continue;
            const size_t channel = (size_t)m * hy * wy;
            const float4 v = acc[i][j] + (float4)(has_bias ? bias[m] : 0.0f);
#if ALIGNED
            __global float4 *out = (__global float4 *)(y + channel + to[0]);
            *out = add ? *out + v : v;
#else
            y[channel + to[0]] = add ? y[channel + to[0]] + v.s0 : v.s0;
            if (column + 1 < columns)
                y[channel + to[1]] = add ? y[channel + to[1]] + v.s1 : v.s1;
            if (column + 2 < columns)
                y[channel + to[2]] = add ? y[channel + to[2]] + v.s2 : v.s2;
            if (column + 3 < columns)
                y[channel + to[3]] = add ? y[channel + to[3]] + v.s3 : v.s3;
#endif
        }
    }
#endif
}
#endif

#ifdef MATRIX
// o[z] [m_count][columns] = packed[z]^T [k_count][m_padded] b[z] [k_count][columns]; columns a multiple of four.
#define B_EACH (BN * BK / 4 / ITEMS)

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void implicit_matrix(__global const float *restrict packed, const int m_padded, const int steps, __global const float *restrict b,
                     const int k_count, const int m_count, const int columns, __global float *restrict o)
{
    __local float a_tiles[2][BK * LDA] __attribute__((aligned(16)));
    __local float b_tiles[2][BK * LDB] __attribute__((aligned(16)));
    __global const float *a_from = packed + get_group_id(2) * ((size_t)steps * BK * m_padded);
    __global const float *b_from = b + get_group_id(2) * ((size_t)k_count * columns);
    float4 acc[TM][QUADS_N], a[A_EACH], part[B_EACH];

    clear(acc);
    for (int at = 0; at <= steps; at++) {
        if (at < steps) {
            fetch_packed(a_from, m_padded, at, a);
#pragma unroll
            for (int i = 0; i < B_EACH; i++) {
                const int quad = (int)get_local_id(0) + i * ITEMS, row = at * BK + quad / (BN / 4);
                const int column = (int)get_group_id(0) * BN + quad % (BN / 4) * 4;
                part[i] = row < k_count && column < columns
                              ? *(__global const float4 *)(b_from + (size_t)row * columns + column)
                              : (float4)(0.0f);
            }
        }
        if (at > 0)
            multiply(a_tiles[(at + 1) & 1], b_tiles[(at + 1) & 1], acc);
        if (at < steps) {
            stage_packed(a, a_tiles[at & 1]);
#pragma unroll
            for (int i = 0; i < B_EACH; i++) {
                const int quad = (int)get_local_id(0) + i * ITEMS;
                *(__local float4 *)(b_tiles[at & 1] + quad / (BN / 4) * LDB + quad % (BN / 4) * 4) = part[i];
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    put_matrix(acc, m_count, columns, 0, o + get_group_id(2) * ((size_t)m_count * columns));
}
#endif

#if defined(WEIGHTS) || defined(MATRIX_NT)
// Both matrices lie along the sum: an item takes one place of the BK in every LINE_STEP-th line, neighbours the next place.
#define LINE_STEP (ITEMS / BK)
#define A_LINES (BM / LINE_STEP)
#define B_LINES (BN / LINE_STEP)

static void stage_lines(const float a[A_LINES], const float b[B_LINES], __local float *a_tile, __local float *b_tile)
{
    const int place_in_sum = get_local_id(0) % BK, line = get_local_id(0) / BK;

#pragma unroll
    for (int i = 0; i < A_LINES; i++)
        a_tile[place_in_sum * LDA + line + i * LINE_STEP] = a[i];
#pragma unroll
    for (int i = 0; i < B_LINES; i++)
        b_tile[place_in_sum * LDB + line + i * LINE_STEP] = b[i];
}
#endif

#ifdef WEIGHTS
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void implicit_weights(__global const float *restrict x, const int c_count, const int h_count, const int w_count,
                      __global const float *restrict y, const int k_count, const int p_count, const int q_count,
                      const int r_count, const int s_count, const int stride, const int pad, const int reflect,
                      const int pixels, const int steps, const int steps_each, __global float *restrict dw)
{
    __local float a_tiles[2][BK * LDA] __attribute__((aligned(16)));
    __local float b_tiles[2][BK * LDB] __attribute__((aligned(16)));
    const int first = (int)get_group_id(2) * steps_each, end = min(first + steps_each, steps);
    const int line = get_local_id(0) / BK, columns = c_count * r_count * s_count;
    const size_t plane = (size_t)h_count * w_count, y_plane = (size_t)p_count * q_count;
    int pixel = first * BK + (int)get_local_id(0) % BK; // over n, p, q; walks with the sum
    int n = pixel / (p_count * q_count), p = (pixel - n * (p_count * q_count)) / q_count;
    int q = pixel - (n * p_count + p) * q_count;
    int channel[B_LINES], top[B_LINES], left[B_LINES];
    float4 acc[TM][QUADS_N];
    float a[A_LINES], b[B_LINES];

    clear(acc);
#pragma unroll
    for (int i = 0; i < B_LINES; i++) {
        const int column = (int)get_group_id(0) * BN + line + i * LINE_STEP;
        const int c = column / (r_count * s_count), r = (column - c * (r_count * s_count)) / s_count;
        channel[i] = column < columns ? c : -1;
        top[i] = r - pad;
        left[i] = column - (c * r_count + r) * s_count - pad;
    }
    for (int at = first; at <= end; at++) {
        if (at < end) {
            __global const float *grad = y + n * k_count * y_plane + (size_t)p * q_count + q;
            __global const float *image = x + n * c_count * plane;
#pragma unroll
            for (int i = 0; i < A_LINES; i++) {
                const int k = (int)get_group_id(1) * BM + line + i * LINE_STEP;
                a[i] = pixel < pixels && k < k_count ? grad[k * y_plane] : 0.0f;
            }
#pragma unroll
            for (int i = 0; i < B_LINES; i++) {
                const int row = inside(p * stride + top[i], h_count, reflect);
                const int column = inside(q * stride + left[i], w_count, reflect);
                b[i] = pixel < pixels && channel[i] >= 0 && row >= 0 && column >= 0
                           ? image[channel[i] * plane + (size_t)row * w_count + column]
                           : 0.0f;
            }
            pixel += BK;
            q += BK;
            while (q >= q_count) {
                q -= q_count;
                p++;
            }
            while (p >= p_count) {
                p -= p_count;
                n++;
            }
        }
        if (at > first)
            multiply(a_tiles[(at - first + 1) & 1], b_tiles[(at - first + 1) & 1], acc);
        if (at < end)
            stage_lines(a, b, a_tiles[(at - first) & 1], b_tiles[(at - first) & 1]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    put_matrix(acc, k_count, columns, !SPLIT, dw + get_group_id(2) * ((size_t)k_count * columns));
}
#endif

#ifdef MATRIX_NT
// o[split][z] [m_count][columns] = the split's part of a[z] [m_count][k_count] b[z]^T [columns][k_count].
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void implicit_matrix_nt(__global const float *restrict a_matrix, __global const float *restrict b_matrix, const int batch,
                        const int k_count, const int steps, const int steps_each, const int m_count, const int columns,
                        __global float *restrict o)
{
    __local float a_tiles[2][BK * LDA] __attribute__((aligned(16)));
    __local float b_tiles[2][BK * LDB] __attribute__((aligned(16)));
    const int z = (int)get_group_id(2) % batch, first = (int)get_group_id(2) / batch * steps_each;
    const int end = min(first + steps_each, steps), line = get_local_id(0) / BK;
    __global const float *a_from = a_matrix + (size_t)z * m_count * k_count, *b_from = b_matrix + (size_t)z * columns * k_count;
    float4 acc[TM][QUADS_N];
    float a[A_LINES], b[B_LINES];

    clear(acc);
    for (int at = first; at <= end; at++) {
        if (at < end) {
            const int k = at * BK + (int)get_local_id(0) % BK;
#pragma unroll
            for (int i = 0; i < A_LINES; i++) {
                const int m = (int)get_group_id(1) * BM + line + i * LINE_STEP;
                a[i] = k < k_count && m < m_count ? a_from[(size_t)m * k_count + k] : 0.0f;
            }
#pragma unroll
            for (int i = 0; i < B_LINES; i++) {
                const int column = (int)get_group_id(0) * BN + line + i * LINE_STEP;
                b[i] = k < k_count && column < columns ? b_from[(size_t)column * k_count + k] : 0.0f;
            }
        }
        if (at > first)
            multiply(a_tiles[(at - first + 1) & 1], b_tiles[(at - first + 1) & 1], acc);
        if (at < end)
            stage_lines(a, b, a_tiles[(at - first) & 1], b_tiles[(at - first) & 1]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    put_matrix(acc, m_count, columns, 0, o + get_group_id(2) * ((size_t)m_count * columns));
}
#endif

#if !defined(CORRELATE) && !defined(WEIGHTS) && !defined(MATRIX) && !defined(MATRIX_NT)
// packed[tap * c_padded + c][m] = w[m * m_step + c * c_step + (row + r' * stride) * w_row + column + s' * stride], tap over r, s;
// r' and s' are r and s, or count from the other end (scatter: a kernel turned by half a turn). Zero where there is none.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void implicit_pack(__global const float *restrict w, const int m_count, const int m_step, const int c_count, const int c_step,
                   const int c_padded, const int r_count, const int s_count, const int w_row, const int row, const int column,
                   const int stride, const int is_turned, const int m_padded, __global float *restrict packed)
{
    const int m = get_global_id(0), tap = (int)get_global_id(1) / c_padded, c = (int)get_global_id(1) % c_padded;

    if (m >= m_padded)
        return;
    float value = 0.0f;
    if (m < m_count && c < c_count && tap < r_count * s_count) {
        const int t = is_turned ? r_count * s_count - 1 - tap : tap, r = t / s_count, s = t % s_count;
        value = w[(size_t)m * m_step + (size_t)c * c_step + (row + r * stride) * w_row + column + s * stride];
    }
    packed[get_global_id(1) * m_padded + m] = value;
}

// y (+)= bias + the sum over splits of parts [splits][m_count][columns].
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void implicit_sum(__global const float *restrict parts, const int splits, const int columns, __global const float *restrict bias,
                  const int has_bias, const int m_count, const int p_count, const int q_count, const int hy, const int wy,
                  const int step, const int y_row, const int y_col, const int add, __global float *restrict y)
{
    const int column = get_global_id(0), m = get_global_id(1);
    float sum = 0.0f;

    if (column >= columns)
        return;
    for (int i = 0; i < splits; i++)
        sum += parts[((size_t)i * m_count + m) * columns + column];
    sum += has_bias ? bias[m] : 0.0f;
    __global float *to = y + place_in_y(column, m_count, p_count, q_count, hy, wy, step, y_row, y_col) + (size_t)m * hy * wy;
    *to = add ? *to + sum : sum;
}

// The sum of one padded row over the places that show column j.
static float folded(__global const float *row, const int j, const int w, const int pad)
{
    float sum = row[pad + j];
    if (j > 0 && j <= pad)
        sum += row[pad - j];
    if (j < w - 1 && j >= w - 1 - pad)
        sum += row[pad + 2 * (w - 1) - j];
    return sum;
}

// x (+)= the planes with a mirrored halo of `pad` folded back, plus the bias: a pixel gets the values of all places that show it.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void implicit_fold(__global const float *restrict padded, const int c_count, const int h_count, const int w_count, const int pad,
                   __global const float *restrict bias, const int has_bias, const int add, __global float *restrict x)
{
    const int j = get_global_id(0), i = get_global_id(1), width = w_count + 2 * pad;
    __global const float *plane = padded + get_global_id(2) * ((size_t)(h_count + 2 * pad) * width);

    if (j >= w_count)
        return;
    float sum = folded(plane + (size_t)(pad + i) * width, j, w_count, pad);
    if (i > 0 && i <= pad)
        sum += folded(plane + (size_t)(pad - i) * width, j, w_count, pad);
    if (i < h_count - 1 && i >= h_count - 1 - pad)
        sum += folded(plane + (size_t)(pad + 2 * (h_count - 1) - i) * width, j, w_count, pad);
    sum += has_bias ? bias[(int)get_global_id(2) % c_count] : 0.0f;
    const size_t at = (get_global_id(2) * h_count + i) * w_count + j;
    x[at] = add ? x[at] + sum : sum;
}
#endif

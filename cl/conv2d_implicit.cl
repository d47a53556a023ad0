// conv2d_implicit.cl -- convolution as a matrix product whose second matrix exists only as tiles in local memory.
//
// Math       correlate  y[n,m,p,q] = b[m] + sum_crs w[m,c,r,s] x[n,c,p*stride+r+row0,q*stride+s+col0]: the gather, and with PHASES
//                       the scatter, each phase of which writes every step-th pixel; a matrix [M, C*R*S] by [C*R*S, N*P*Q]
//            weights    dw[k,crs] += sum_npq y[n,k,p,q] x[n,c,p*stride+r-pad,q*stride+s-pad]: [K, N*P*Q] by [N*P*Q, C*R*S]
//            matrix     o[z] = a[z] b[z], and matrix_nt o[z] = a[z] b[z]^T: the products of the Winograd algorithms
// Shapes     x [N,C,H,W], y [N,M,hy,wy], packed [phase][taps*C][M] with both sides padded by zeros,
//            parts [phase][splits][M][columns]
// Launch     products {columns in groups of BN, M in groups of BM, phases * splits or batch}, local {ITEMS, 1, 1};
//            pack {M padded, rows padded, phases}, sum {columns, M, phases}, local {WG, 1, 1}
// Tunables   BM, BN: outputs of a work-group; TM, TN: outputs of a work-item; BK: sums between two barriers; WG.
//            (BM/TM)*(BN/TN) is at most 256; what is built: one of CORRELATE, WEIGHTS, MATRIX, MATRIX_NT, else the small kernels.
//            TENSOR 1: factors of 11 bits, 2: of half precision, multiplied by matrix units through the assembly language that
//            src/op/tensor_core.c has seen to work, by 32 work-items together; WARP_N columns of TM * TN * 32 / WARP_N rows
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
#ifndef TENSOR
#define TENSOR 0
#endif
#define ITEMS ((BM / TM) * (BN / TN))

// The factors of correlate and matrix lie in local memory as [sum][line], those of weights and matrix_nt, which are read along the
// sum, as [line][sum]; a line is a row of the first or a column of the second. WORDS: what a line's BK factors take.
#if defined(WEIGHTS) || defined(MATRIX_NT)
#define BY_LINES 1
#else
#define BY_LINES 0
#endif
#if TENSOR
#define WORD uint
#define WORDS (TENSOR == 2 ? BK / 2 : BK)
#else
#define WORD float
#define WORDS BK
#endif
// Rows in local memory are a little longer than they need: neighbours then meet in no bank.
#if BY_LINES
#define LINE_LENGTH (WORDS + 4)
#define A_WORDS (BM * LINE_LENGTH)
#define B_WORDS (BN * LINE_LENGTH)
#else
#define LDA (BM + (TENSOR ? 8 : 4))
#define LDB (BN + (TENSOR ? 8 : 4))
#define A_WORDS (WORDS * LDA)
#define B_WORDS (WORDS * LDB)
#endif

// An item's results: LINES_EACH rows, in each VECTORS_EACH groups of WIDTH neighbouring columns. Row i is LINE_OF(i) in the tile,
// group j begins at COLUMN_OF(j).
#if TENSOR
#ifndef WARP_N
#define WARP_N 32
#endif
#define WARP_M (TM * TN * 32 / WARP_N)
#define LINES_EACH (WARP_M / 8)
#define VECTORS_EACH (WARP_N / 8)
#define WIDTH 2
typedef float2 outv;
#define WARP ((int)get_local_id(0) / 32)
#define LANE ((int)get_local_id(0) % 32)
#define WARP_LINE (WARP / (BN / WARP_N) * WARP_M)
#define WARP_COLUMN (WARP % (BN / WARP_N) * WARP_N)
#define LINE_OF(i) (WARP_LINE + (i) * 8 + LANE / 4)
#define COLUMN_OF(j) (WARP_COLUMN + (j) * 8 + LANE % 4 * 2)
#elif BY_LINES
#define LINES_EACH TM
#define VECTORS_EACH TN
#define WIDTH 1
typedef float outv;
#define LINE_OF(i) ((int)get_local_id(0) / (BN / TN) + (i) * (BM / TM))
#define COLUMN_OF(j) ((int)get_local_id(0) % (BN / TN) + (j) * (BN / TN))
#else
#define QUADS_M (TM / 4)
#define QUADS_N (TN / 4)
#define LINES_EACH TM
#define VECTORS_EACH QUADS_N
#define WIDTH 4
typedef float4 outv;
// Intel's processor runtime gets sums wrong where the row is a quotient that is always 0: that case is written as what it is.
#define LINE_OF(i) ((BM == TM ? 0 : (int)get_local_id(0) / (BN / TN) * 4) + (i) / 4 * (BM / QUADS_M) + (i) % 4)
#define COLUMN_OF(j) ((int)get_local_id(0) % (BN / TN) * 4 + (j) * (BN / QUADS_N))
#endif

// Where `column` (over n, p, q) lies in y, for its first channel.
static size_t place_in_y(const int column, const int m_count, const int p_count, const int q_count, const int hy, const int wy,
                    const int step, const int y_row, const int y_col)
{
    const int n = column / (p_count * q_count), pixel = column - n * (p_count * q_count);
    const int p = pixel / q_count, q = pixel - p * q_count;

    return ((size_t)n * m_count * hy + y_row + p * step) * wy + y_col + q * step;
}

// One line (rows or columns) of phase `number` of a scatter, as tgi_conv_phase_of() in src/op/conv2d.c.
static int phase_taps(const int number, const int taps, const int step)
{
    return (taps + step - 1 - number) / step;
}

static int phase_first(const int number, const int step, const int offset)
{
    return offset > number ? (offset - number + step - 1) / step : 0;
}

static int phase_begin(const int number, const int step, const int offset)
{
    return step * phase_first(number, step, offset) + number - offset;
}

static int phase_count(const int number, const int step, const int offset, const int pixels)
{
    const int begin = phase_begin(number, step, offset);

    return begin < pixels ? (pixels - 1 - begin) / step + 1 : 0;
}

#if defined(CORRELATE) || defined(WEIGHTS) || defined(MATRIX) || defined(MATRIX_NT)
#if TENSOR
// The bits of a float rounded to 11 bits, and of two halves, the first in the lower 16 bits.
static uint rounded(const float x)
{
    uint bits;

    __asm__("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
    return bits;
}

static uint halves(const float low, const float high)
{
    uint bits;

    __asm__("{ .reg .f16 low, high; cvt.rn.f16.f32 low, %1; cvt.rn.f16.f32 high, %2; mov.b32 %0, {low, high}; }"
            : "=r"(bits)
            : "f"(low), "f"(high));
    return bits;
}

// d += a b, [16, 8] by [8, 8] words, spread over 32 items.
static void multiply_words(const uint a[4], const uint b[2], float2 *upper, float2 *lower)
{
    float d0 = upper->s0, d1 = upper->s1, d2 = lower->s0, d3 = lower->s1;

#if TENSOR == 1
    __asm__("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
            : "+f"(d0), "+f"(d1), "+f"(d2), "+f"(d3)
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif defined(TENSOR_SHORT)
    __asm__("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
            : "+f"(d0), "+f"(d1), "+f"(d2), "+f"(d3)
            : "r"(a[0]), "r"(a[1]), "r"(b[0]));
    __asm__("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
            : "+f"(d0), "+f"(d1), "+f"(d2), "+f"(d3)
            : "r"(a[2]), "r"(a[3]), "r"(b[1]));
#else
    __asm__("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
            : "+f"(d0), "+f"(d1), "+f"(d2), "+f"(d3)
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
    *upper = (float2)(d0, d1);
    *lower = (float2)(d2, d3);
}

#if BY_LINES
#define A_AT(word, line) ((line) * LINE_LENGTH + (word))
#define B_AT(word, line) ((line) * LINE_LENGTH + (word))
#else
#define A_AT(word, line) ((word) * LDA + (line))
#define B_AT(word, line) ((word) * LDB + (line))
#endif

// acc += one tile of BK sums.
static void multiply(__local const WORD *a_tile, __local const WORD *b_tile, outv acc[LINES_EACH][VECTORS_EACH])
{
    const int word = LANE % 4, line = WARP_LINE + LANE / 4, column = WARP_COLUMN + LANE / 4;

#pragma unroll
    for (int k = 0; k < WORDS; k += 8) {
        uint a[LINES_EACH / 2][4], b[VECTORS_EACH][2];
#pragma unroll
        for (int i = 0; i < LINES_EACH / 2; i++) {
            a[i][0] = a_tile[A_AT(k + word, line + i * 16)];
            a[i][1] = a_tile[A_AT(k + word, line + i * 16 + 8)];
            a[i][2] = a_tile[A_AT(k + word + 4, line + i * 16)];
            a[i][3] = a_tile[A_AT(k + word + 4, line + i * 16 + 8)];
        }
#pragma unroll
        for (int j = 0; j < VECTORS_EACH; j++) {
            b[j][0] = b_tile[B_AT(k + word, column + j * 8)];
            b[j][1] = b_tile[B_AT(k + word + 4, column + j * 8)];
        }
#pragma unroll
        for (int i = 0; i < LINES_EACH / 2; i++) {
#pragma unroll
            for (int j = 0; j < VECTORS_EACH; j++)
                multiply_words(a[i], b[j], &acc[2 * i][j], &acc[2 * i + 1][j]);
        }
    }
}
#elif BY_LINES
// acc += one tile of BK sums, four at a time.
static void multiply(__local const float *a_tile, __local const float *b_tile, float acc[LINES_EACH][VECTORS_EACH])
{
#pragma unroll
    for (int k = 0; k < BK; k += 4) {
        float4 a[TM];
#pragma unroll
        for (int i = 0; i < TM; i++)
            a[i] = *(__local const float4 *)(a_tile + LINE_OF(i) * LINE_LENGTH + k);
#pragma unroll
        for (int j = 0; j < TN; j++) {
            const float4 b = *(__local const float4 *)(b_tile + COLUMN_OF(j) * LINE_LENGTH + k);
#pragma unroll
            for (int i = 0; i < TM; i++)
                acc[i][j] = fma(a[i].s3, b.s3, fma(a[i].s2, b.s2, fma(a[i].s1, b.s1, fma(a[i].s0, b.s0, acc[i][j]))));
        }
    }
}
#else
// acc += one tile of BK sums. Neighbours read neighbouring float4.
static void multiply(__local const float *a_tile, __local const float *b_tile, float4 acc[LINES_EACH][VECTORS_EACH])
{
#pragma unroll
    for (int k = 0; k < BK; k++) {
        float4 a[QUADS_M], b[QUADS_N];
#pragma unroll
        for (int i = 0; i < QUADS_M; i++)
            a[i] = *(__local const float4 *)(a_tile + k * LDA + LINE_OF(4 * i));
#pragma unroll
        for (int j = 0; j < QUADS_N; j++)
            b[j] = *(__local const float4 *)(b_tile + k * LDB + COLUMN_OF(j));
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
#endif

static void clear(outv acc[LINES_EACH][VECTORS_EACH])
{
#pragma unroll
    for (int i = 0; i < LINES_EACH; i++) {
#pragma unroll
        for (int j = 0; j < VECTORS_EACH; j++)
            acc[i][j] = (outv)(0.0f);
    }
}

// `v` to the WIDTH columns from `to` on, as many as there are; or added to what is there.
static void put(const outv v, __global float *to, const int there, const int add)
{
#if WIDTH == 1
    if (there > 0)
        *to = add ? *to + v : v;
#elif ALIGNED
    if (there > 0)
        *(__global outv *)to = add ? *(__global outv *)to + v : v;
#else
    if (there > 0)
        to[0] = add ? to[0] + v.s0 : v.s0;
    if (there > 1)
        to[1] = add ? to[1] + v.s1 : v.s1;
#if WIDTH == 4
    if (there > 2)
        to[2] = add ? to[2] + v.s2 : v.s2;
    if (there > 3)
        to[3] = add ? to[3] + v.s3 : v.s3;
#endif
#endif
}

// The item's results into a plain matrix [m_count][columns], or added to it.
static void put_matrix(outv acc[LINES_EACH][VECTORS_EACH], const int m_count, const int columns, const int add,
                       __global float *y)
{
#pragma unroll
    for (int i = 0; i < LINES_EACH; i++) {
        const int m = (int)get_group_id(1) * BM + LINE_OF(i);
        if (m >= m_count)
            continue;
#pragma unroll
        for (int j = 0; j < VECTORS_EACH; j++) {
            const int column = (int)get_group_id(0) * BN + COLUMN_OF(j);
            put(acc[i][j], y + (size_t)m * columns + column, columns - column, add);
        }
    }
}
#endif

#if defined(CORRELATE) || defined(MATRIX)
// A tile as quads, four columns of a row each; the last may be too many. For halves, rows 2r and 2r + 1 go to one item.
#if TENSOR == 2
#define QUAD(i) ((int)get_local_id(0) + (i) / 2 * ITEMS)
#define QUAD_ROW(i, width) (QUAD(i) / ((width) / 4) * 2 + (i) % 2)
#define QUADS_EACH(width) (2 * CEIL_DIV((width) * BK / 8, ITEMS))
#else
#define QUAD(i) ((int)get_local_id(0) + (i) * ITEMS)
#define QUAD_ROW(i, width) (QUAD(i) / ((width) / 4))
#define QUADS_EACH(width) CEIL_DIV((width) * BK / 4, ITEMS)
#endif
#define QUAD_COLUMN(i, width) (QUAD(i) % ((width) / 4) * 4)
#define A_EACH QUADS_EACH(BM)

// Rows step * BK on of the packed matrix, whose rows are m_padded long.
static void fetch_packed(__global const float *packed, const int m_padded, const int step, float4 a[A_EACH])
{
#pragma unroll
    for (int i = 0; i < A_EACH; i++) {
        if (QUAD_ROW(i, BM) < BK)
            a[i] = *(__global const float4 *)(packed + (size_t)(step * BK + QUAD_ROW(i, BM)) * m_padded +
                                              (int)get_group_id(1) * BM + QUAD_COLUMN(i, BM));
    }
}

// One quad (for halves, two) to a row of local memory.
static void stage_quad(const float4 v, const float4 next, __local WORD *to)
{
#if TENSOR == 2
    *(__local uint4 *)to = (uint4)(halves(v.s0, next.s0), halves(v.s1, next.s1), halves(v.s2, next.s2), halves(v.s3, next.s3));
#elif TENSOR == 1
    *(__local uint4 *)to = (uint4)(rounded(v.s0), rounded(v.s1), rounded(v.s2), rounded(v.s3));
#else
    *(__local float4 *)to = v;
#endif
}

#define QUAD_STRIDE (TENSOR == 2 ? 2 : 1)

static void stage_packed(const float4 a[A_EACH], __local WORD *a_tile)
{
#pragma unroll
    for (int i = 0; i < A_EACH; i += QUAD_STRIDE) {
        if (QUAD_ROW(i, BM) < BK)
            stage_quad(a[i], a[i + QUAD_STRIDE - 1], a_tile + QUAD_ROW(i, BM) / QUAD_STRIDE * LDA + QUAD_COLUMN(i, BM));
    }
}
#endif

#ifdef CORRELATE
// An item gathers for COLUMNS pixels ROWS rows of the tile, one below the other.
#define COLUMNS (BN > ITEMS ? BN / ITEMS : 1)
#define ROWS (BK / (ITEMS > BN ? ITEMS / BN : 1))
#define FIRST_ROW (ITEMS > BN ? (int)get_local_id(0) / BN * ROWS : 0)

static void stage_gathered(const float b[COLUMNS][ROWS], __local WORD *b_tile)
{
    const int row = FIRST_ROW, column = (int)get_local_id(0) % BN;

#pragma unroll
    for (int j = 0; j < COLUMNS; j++) {
#pragma unroll
        for (int i = 0; i < ROWS; i += QUAD_STRIDE) {
            __local WORD *to = b_tile + (row + i) / QUAD_STRIDE * LDB + column + j * ITEMS;
#if TENSOR == 2
            *to = halves(b[j][i], b[j][i + 1]);
#elif TENSOR == 1
            *to = rounded(b[j][i]);
#else
            *to = b[j][i];
#endif
        }
    }
}

// Few channels: FLAT of them, the kernel FLAT_S wide, both known to the compiler; a tile then spans several taps. Otherwise a
// tile has one tap, whose place is found once, and BK channels. `offset` is where output (0,0) begins in x; with PHASES, where pixel
// (0,0) of y lies in the padded image.
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void implicit_correlate(__global const float *restrict x, const int c_count, const int h_count, const int w_count,
                        const int r_whole, const int s_whole, const int stride, const int offset, const int reflect,
                        __global const float *restrict packed, const int m_padded, const int packed_rows,
                        const int splits, __global const float *restrict bias, const int has_bias, const int m_count,
                        const int n_count, const int p_whole, const int q_whole, const int hy, const int wy, const int step,
                        const int add, __global float *restrict y)
{
    __local WORD a_tiles[2][A_WORDS] __attribute__((aligned(16)));
    __local WORD b_tiles[2][B_WORDS] __attribute__((aligned(16)));
    const int item = get_local_id(0), phase = (int)get_group_id(2) / splits, split = (int)get_group_id(2) % splits;
#ifdef PHASES
    const int phase_r = phase / step, phase_s = phase % step;
    const int r_count = phase_taps(phase_r, r_whole, step), s_count = phase_taps(phase_s, s_whole, step);
    const int row0 = phase_first(phase_r, step, offset) + 1 - r_count;
    const int col0 = phase_first(phase_s, step, offset) + 1 - s_count;
    const int p_count = phase_count(phase_r, step, offset, hy), q_count = phase_count(phase_s, step, offset, wy);
#else
    const int r_count = r_whole, s_count = s_whole, row0 = offset, col0 = offset;
    const int p_count = p_whole, q_count = q_whole;
#endif
#ifdef FLAT
    const int steps = max(CEIL_DIV(r_count * s_count * FLAT, BK), 1);
#else
    const int blocks = CEIL_DIV(c_count, BK), steps = max(r_count * s_count * blocks, 1);
#endif
    const int each = CEIL_DIV(steps, splits), first = min(split * each, steps), end = min(first + each, steps);
    const int columns = n_count * p_count * q_count;
    const int b_row = FIRST_ROW;
    const size_t plane = (size_t)h_count * w_count;
    __global const float *image[COLUMNS];
    int top[COLUMNS], left[COLUMNS], is_pixel[COLUMNS];
    outv acc[LINES_EACH][VECTORS_EACH];
    float4 a[A_EACH];
    float b[COLUMNS][ROWS];
#ifndef FLAT
    int pixel_at[COLUMNS], block = first % blocks, r = first / blocks / max(s_count, 1), s = first / blocks - r * s_count;
#endif

    if ((int)get_group_id(0) * BN >= columns)
        return; // a phase with fewer pixels than others
    packed += (size_t)phase * packed_rows * m_padded;
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
        pixel_at[j] = -1;
#endif
    }
    for (int at = first; at <= end; at++) {
        if (at < end) { // fetch this tile while the last one is multiplied
            fetch_packed(packed, m_padded, at, a);
#ifdef FLAT
#ifdef PHASES
            const int s_taps = max(s_count, 1);
#else
            const int s_taps = FLAT_S;
#endif
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
#pragma unroll
                for (int i = 0; i < ROWS; i++) {
                    const int sum = at * BK + b_row + i, c = sum % FLAT, tap = sum / FLAT;
                    const int r = tap / s_taps, s = tap % s_taps;
                    const int row = inside(top[j] + r, h_count, reflect), column = inside(left[j] + s, w_count, reflect);
                    b[j][i] = r < r_count && s < s_count && is_pixel[j] && row >= 0 && column >= 0
                                  ? image[j][c * plane + (size_t)row * w_count + column]
                                  : 0.0f;
                }
            }
#else
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
                if (block == 0 || at == first) {
                    const int row = inside(top[j] + r, h_count, reflect), column = inside(left[j] + s, w_count, reflect);
                    pixel_at[j] =
                        r < r_count && s < s_count && is_pixel[j] && row >= 0 && column >= 0 ? row * w_count + column : -1;
                }
#pragma unroll
                for (int i = 0; i < ROWS; i++) {
                    const int c = block * BK + b_row + i;
                    b[j][i] = pixel_at[j] >= 0 && c < c_count ? image[j][c * plane + pixel_at[j]] : 0.0f;
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
            stage_gathered(b, b_tiles[(at - first) & 1]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
#if SPLIT
    put_matrix(acc, m_count, columns, 0, y + get_group_id(2) * ((size_t)m_count * n_count * p_whole * q_whole));
#else
#ifdef PHASES
    const int y_row = phase_begin(phase_r, step, offset), y_col = phase_begin(phase_s, step, offset);
#else
    const int y_row = 0, y_col = 0;
#endif
#pragma unroll
    for (int j = 0; j < VECTORS_EACH; j++) {
        const int column = (int)get_group_id(0) * BN + COLUMN_OF(j);
#if ALIGNED
        const size_t to = place_in_y(column, m_count, p_count, q_count, hy, wy, step, y_row, y_col);
#else
        size_t to[WIDTH];
#pragma unroll
        for (int k = 0; k < WIDTH; k++)
            to[k] = place_in_y(column + k, m_count, p_count, q_count, hy, wy, step, y_row, y_col);
#endif
#pragma unroll
        for (int i = 0; i < LINES_EACH; i++) {
            const int m = (int)get_group_id(1) * BM + LINE_OF(i);
            if (m >= m_count || column >= columns)
                continue;
            __global float *out = y + (size_t)m * hy * wy;
            const outv v = acc[i][j] + (outv)(has_bias ? bias[m] : 0.0f);
#if ALIGNED
            put(v, out + to, WIDTH, add);
#else
            out[to[0]] = add ? out[to[0]] + v.s0 : v.s0;
            if (column + 1 < columns)
                out[to[1]] = add ? out[to[1]] + v.s1 : v.s1;
#if WIDTH == 4
            if (column + 2 < columns)
                out[to[2]] = add ? out[to[2]] + v.s2 : v.s2;
            if (column + 3 < columns)
                out[to[3]] = add ? out[to[3]] + v.s3 : v.s3;
#endif
#endif
        }
    }
#endif
}
#endif

#ifdef MATRIX
// o[z] [m_count][columns] = packed[z]^T [k_count][m_padded] b[z] [k_count][columns]; columns a multiple of four.
#define B_EACH QUADS_EACH(BN)

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void implicit_matrix(__global const float *restrict packed, const int m_padded, const int steps, __global const float *restrict b,
                     const int k_count, const int m_count, const int columns, __global float *restrict o)
{
    __local WORD a_tiles[2][A_WORDS] __attribute__((aligned(16)));
    __local WORD b_tiles[2][B_WORDS] __attribute__((aligned(16)));
    __global const float *a_from = packed + get_group_id(2) * ((size_t)steps * BK * m_padded);
    __global const float *b_from = b + get_group_id(2) * ((size_t)k_count * columns);
    outv acc[LINES_EACH][VECTORS_EACH];
    float4 a[A_EACH], part[B_EACH];

    clear(acc);
    for (int at = 0; at <= steps; at++) {
        if (at < steps) {
            fetch_packed(a_from, m_padded, at, a);
#pragma unroll
            for (int i = 0; i < B_EACH; i++) {
                const int row = at * BK + QUAD_ROW(i, BN), column = (int)get_group_id(0) * BN + QUAD_COLUMN(i, BN);
                part[i] = QUAD_ROW(i, BN) < BK && row < k_count && column < columns
                              ? *(__global const float4 *)(b_from + (size_t)row * columns + column)
                              : (float4)(0.0f);
            }
        }
        if (at > 0)
            multiply(a_tiles[(at + 1) & 1], b_tiles[(at + 1) & 1], acc);
        if (at < steps) {
            stage_packed(a, a_tiles[at & 1]);
#pragma unroll
            for (int i = 0; i < B_EACH; i += QUAD_STRIDE) {
                if (QUAD_ROW(i, BN) < BK)
                    stage_quad(part[i], part[i + QUAD_STRIDE - 1],
                               b_tiles[at & 1] + QUAD_ROW(i, BN) / QUAD_STRIDE * LDB + QUAD_COLUMN(i, BN));
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    put_matrix(acc, m_count, columns, 0, o + get_group_id(2) * ((size_t)m_count * columns));
}
#endif

#if defined(WEIGHTS) || defined(MATRIX_NT)
// One factor to its place in a line.
static void stage(const float v, const int line, const int sum, __local WORD *tile)
{
#if TENSOR == 2
    vstore_half_rte(v, line * (2 * LINE_LENGTH) + sum, (__local half *)tile);
#elif TENSOR == 1
    tile[line * LINE_LENGTH + sum] = rounded(v);
#else
    tile[line * LINE_LENGTH + sum] = v;
#endif
}
#endif

#ifdef WEIGHTS
// An item takes one place of the BK in every LINE_STEP-th line, neighbours the next place.
#define LINE_STEP (ITEMS / BK)
#define A_LINES (BM / LINE_STEP)
#define B_LINES (BN / LINE_STEP)

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void implicit_weights(__global const float *restrict x, const int c_count, const int h_count, const int w_count,
                      __global const float *restrict y, const int k_count, const int p_count, const int q_count,
                      const int r_count, const int s_count, const int stride, const int pad, const int reflect,
                      const int pixels, const int steps, const int steps_each, __global float *restrict dw)
{
    __local WORD a_tiles[2][A_WORDS] __attribute__((aligned(16)));
    __local WORD b_tiles[2][B_WORDS] __attribute__((aligned(16)));
    const int first = (int)get_group_id(2) * steps_each, end = min(first + steps_each, steps);
    const int place_in_sum = get_local_id(0) % BK, line = get_local_id(0) / BK, columns = c_count * r_count * s_count;
    const size_t plane = (size_t)h_count * w_count, y_plane = (size_t)p_count * q_count;
    int pixel = first * BK + place_in_sum; // over n, p, q; walks with the sum
    int n = pixel / (p_count * q_count), p = (pixel - n * (p_count * q_count)) / q_count;
    int q = pixel - (n * p_count + p) * q_count;
    int channel[B_LINES], top[B_LINES], left[B_LINES];
    outv acc[LINES_EACH][VECTORS_EACH];
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
        if (at < end) {
#pragma unroll
            for (int i = 0; i < A_LINES; i++)
                stage(a[i], line + i * LINE_STEP, place_in_sum, a_tiles[(at - first) & 1]);
#pragma unroll
            for (int i = 0; i < B_LINES; i++)
                stage(b[i], line + i * LINE_STEP, place_in_sum, b_tiles[(at - first) & 1]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    put_matrix(acc, k_count, columns, !SPLIT, dw + get_group_id(2) * ((size_t)k_count * columns));
}
#endif

#ifdef MATRIX_NT
// A tile as quads, four sums of a line each.
#define LINE_STEP (ITEMS / (BK / 4))
#define A_LINES CEIL_DIV(BM, LINE_STEP)
#define B_LINES CEIL_DIV(BN, LINE_STEP)

static void fetch_line(__global const float *matrix, const int line, const int lines, const int k, const int k_count, float4 *v)
{
    *v = k < k_count && line < lines ? *(__global const float4 *)(matrix + (size_t)line * k_count + k) : (float4)(0.0f);
}

static void stage_line(const float4 v, const int line, const int k, __local WORD *tile)
{
#if TENSOR == 2
    *(__local uint2 *)(tile + line * LINE_LENGTH + k / 2) = (uint2)(halves(v.s0, v.s1), halves(v.s2, v.s3));
#elif TENSOR == 1
    *(__local uint4 *)(tile + line * LINE_LENGTH + k) = (uint4)(rounded(v.s0), rounded(v.s1), rounded(v.s2), rounded(v.s3));
#else
    *(__local float4 *)(tile + line * LINE_LENGTH + k) = v;
#endif
}

// o[split][z] [m_count][columns] = the split's part of a[z] [m_count][k_count] b[z]^T [columns][k_count]; k_count a multiple of four.
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void implicit_matrix_nt(__global const float *restrict a_matrix, __global const float *restrict b_matrix, const int batch,
                        const int k_count, const int steps, const int steps_each, const int m_count, const int columns,
                        __global float *restrict o)
{
    __local WORD a_tiles[2][A_WORDS] __attribute__((aligned(16)));
    __local WORD b_tiles[2][B_WORDS] __attribute__((aligned(16)));
    const int z = (int)get_group_id(2) % batch, first = (int)get_group_id(2) / batch * steps_each;
    const int end = min(first + steps_each, steps), line = get_local_id(0) / (BK / 4), k = get_local_id(0) % (BK / 4) * 4;
    __global const float *a_from = a_matrix + (size_t)z * m_count * k_count, *b_from = b_matrix + (size_t)z * columns * k_count;
    outv acc[LINES_EACH][VECTORS_EACH];
    float4 a[A_LINES], b[B_LINES];

    clear(acc);
    for (int at = first; at <= end; at++) {
        if (at < end) {
#pragma unroll
            for (int i = 0; i < A_LINES; i++)
                fetch_line(a_from, (int)get_group_id(1) * BM + line + i * LINE_STEP, m_count, at * BK + k, k_count, &a[i]);
#pragma unroll
            for (int i = 0; i < B_LINES; i++)
                fetch_line(b_from, (int)get_group_id(0) * BN + line + i * LINE_STEP, columns, at * BK + k, k_count, &b[i]);
        }
        if (at > first)
            multiply(a_tiles[(at - first + 1) & 1], b_tiles[(at - first + 1) & 1], acc);
        if (at < end) {
#pragma unroll
            for (int i = 0; i < A_LINES; i++) {
                if (BM % LINE_STEP == 0 || line + i * LINE_STEP < BM)
                    stage_line(a[i], line + i * LINE_STEP, k, a_tiles[(at - first) & 1]);
            }
#pragma unroll
            for (int i = 0; i < B_LINES; i++) {
                if (BN % LINE_STEP == 0 || line + i * LINE_STEP < BN)
                    stage_line(b[i], line + i * LINE_STEP, k, b_tiles[(at - first) & 1]);
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    put_matrix(acc, m_count, columns, 0, o + get_group_id(2) * ((size_t)m_count * columns));
}
#endif

#if !defined(CORRELATE) && !defined(WEIGHTS) && !defined(MATRIX) && !defined(MATRIX_NT)
// packed[phase][tap * c_padded + c][m] = w[m * m_step + c * c_step + (row + r' * step) * s_whole + column + s' * step], tap over the
// phase's r, s; r' and s' are r and s, or count from the other end (scatter: a kernel turned by half a turn). Zero where there is
// none.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void implicit_pack(__global const float *restrict w, const int m_count, const int m_step, const int c_count, const int c_step,
                   const int c_padded, const int r_whole, const int s_whole, const int step, const int is_turned,
                   const int m_padded, __global float *restrict packed)
{
    const int m = get_global_id(0), tap = (int)get_global_id(1) / c_padded, c = (int)get_global_id(1) % c_padded;
    const int row = (int)get_global_id(2) / step, column = (int)get_global_id(2) % step;
    const int r_count = phase_taps(row, r_whole, step), s_count = phase_taps(column, s_whole, step);

    if (m >= m_padded)
        return;
    float value = 0.0f;
    if (m < m_count && c < c_count && tap < r_count * s_count) {
        const int t = is_turned ? r_count * s_count - 1 - tap : tap, r = t / s_count, s = t % s_count;
        value = w[(size_t)m * m_step + (size_t)c * c_step + (row + r * step) * s_whole + column + s * step];
    }
    packed[(get_global_id(2) * get_global_size(1) + get_global_id(1)) * m_padded + m] = value;
}

// y (+)= bias + the sum over splits of parts [phase][splits][m][columns], columns those of the phase.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void implicit_sum(__global const float *restrict parts, const int splits, const int part, __global const float *restrict bias,
                  const int has_bias, const int m_count, const int n_count, const int p_whole, const int q_whole, const int hy,
                  const int wy, const int is_phased, const int offset, const int step, const int add, __global float *restrict y)
{
    const int column = get_global_id(0), m = get_global_id(1), phase = get_global_id(2);
    const int phase_r = phase / step, phase_s = phase % step;
    const int p_count = is_phased ? phase_count(phase_r, step, offset, hy) : p_whole;
    const int q_count = is_phased ? phase_count(phase_s, step, offset, wy) : q_whole;
    const int y_row = is_phased ? phase_begin(phase_r, step, offset) : 0, y_col = is_phased ? phase_begin(phase_s, step, offset) : 0;
    const int columns = n_count * p_count * q_count;
    float sum = 0.0f;

    if (column >= columns)
        return;
    for (int i = 0; i < splits; i++)
        sum += parts[(size_t)(phase * splits + i) * part + (size_t)m * columns + column];
    sum += has_bias ? bias[m] : 0.0f;
    __global float *to = y + place_in_y(column, m_count, p_count, q_count, hy, wy, step, y_row, y_col) + (size_t)m * hy * wy;
    *to = add ? *to + sum : sum;
}
#endif

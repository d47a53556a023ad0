// conv2d_channels.cl -- convolution in vectors of output channels: single input values times vectors of weights, out of level-1 cache.
//
// Math       as conv2d.cl: channels_gather is the gather, channels_scatter the scatter of stride 2, channels_weights the weight
//            gradient
// Shapes     x [N,C,H,W], y [N,K,P,Q]; KB = 16 NV channels to a block, those past the last are computed and not stored;
//            packed weights [K/KB][C][R][S][KB], for the scatter [row phase][column phase][C/KB][K][taps][KB];
//            part [chunk][K/KB][C][R][S][KB]
// Launch     channels_gather {1, N * strips}, channels_scatter the same, channels_weights {1, chunks}; local {1,1}: a work-item is a core with vector registers
// Tunables   NV (1, 2): vectors of 16 channels; TQ: pixels of a register tile; CB: input channels of a weight-gradient tile
// Numerics   one float sum a result, in the order c, r, s (the scatter: r, s within some channels); weight gradients row by row, the
//            strips of a chunk one after another, then the chunks
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

// Asks for one line of memory ahead of its use. OpenCL's own prefetch() does nothing on processors, where the compiler has a builtin;
// SPIR-V has no such instruction.
#if defined(__has_builtin) && !defined(__SPIR__) && !defined(__SPIRV__)
#if __has_builtin(__builtin_prefetch)
#define FETCH(p) __builtin_prefetch((const void *)(size_t)(p))
#endif
#endif
#ifndef FETCH
#define FETCH(p) prefetch((p), 1)
#endif

// Memory that the next strip will read: the same piece, `lines` times 16 floats, of each of `planes` planes. It comes in while this
// strip is computed, some lines at a time.
typedef struct ahead {
    const __global float *from;
    size_t stride;
    int planes, lines, plane, line, each;
} ahead;

// `rows` rows from `first` on, as far as they exist, in `calls` calls.
static ahead look_ahead(const __global float *x, const int planes, const int h, const int w, const int first, const int rows,
                        const int calls)
{
    const int begin = clamp(first, 0, h), end = clamp(first + rows, 0, h);
    ahead a;

    a.from = x + (size_t)begin * w;
    a.stride = (size_t)h * w;
    a.planes = planes;
    a.lines = CEIL_DIV((end - begin) * w, 16);
    a.plane = a.line = 0;
    a.each = CEIL_DIV(planes * a.lines, max(calls, 1));
    return a;
}

static void fetch(ahead *a)
{
    for (int i = 0; i < a->each && a->line < a->lines && a->plane < a->planes; i++) {
        FETCH(a->from + a->plane * a->stride + a->line * 16);
        if (++a->line == a->lines) {
            a->line = 0;
            a->plane++;
        }
    }
}

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

// Weights [K,C,R,S] for the gather: packed[block][c][r][s][KB]. One work-item: 16 taps over c, r, s of one block.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void channels_pack(__global const float *restrict w, const int k_count, const int taps, __global float *restrict packed)
{
    const int first = (int)get_global_id(0) * 16, here = min(16, taps - first), block = get_global_id(1);
    __global float *out = packed + ((size_t)block * taps + first) * KB;

    for (int i = 0; i < KB; i++) {
        const int k = block * KB + i;
        __global const float *in = w + (size_t)min(k, k_count - 1) * taps + first;

        for (int t = 0; t < here; t++)
            out[t * KB + i] = k < k_count ? in[t] : 0.0f;
    }
}

// Weights [K,C,R,S] for the scatter of stride 2: packed[row phase][column phase][block of c][k][taps][KB], the taps of a phase from
// the last to the first.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void channels_pack_scatter(__global const float *restrict w, const int k_count, const int c_count, const int r_taps,
                           const int s_taps, const int pad, __global float *restrict packed)
{
    const int k = get_global_id(0), block = get_global_id(1), blocks = get_global_size(1);

    for (int a = 0; a < 2; a++) {
        const int r_first = (a + pad) % 2, r_count = (r_taps + 1 - r_first) / 2;

        for (int b = 0; b < 2; b++) {
            const int s_first = (b + pad) % 2, s_count = (s_taps + 1 - s_first) / 2;
            __global float *out = packed + ((size_t)block * k_count + k) * r_count * s_count * KB;

            for (int t = 0; t < r_count; t++) {
                for (int u = 0; u < s_count; u++, out += KB) {
                    const int r = r_first + 2 * (r_count - 1 - t), s = s_first + 2 * (s_count - 1 - u);
                    for (int i = 0; i < KB; i++) {
                        const int c = block * KB + i;
                        out[i] = c < c_count ? w[(((size_t)k * c_count + c) * r_taps + r) * s_taps + s] : 0.0f;
                    }
                }
            }
            packed += (size_t)blocks * k_count * r_count * s_count * KB;
        }
    }
}

// Channels 4 q to 4 q + 3 of 16 pixels that lie as 16 vectors of channels.
static void turn_quarter(const __local float *sums, const int q, float16 *lines)
{
    float16 a[4];

#pragma unroll
    for (int i = 0; i < 4; i++)
        a[i] = (float16)(vload4(q, sums + i * KB), vload4(q, sums + (4 + i) * KB), vload4(q, sums + (8 + i) * KB),
                         vload4(q, sums + (12 + i) * KB));
    turn(a, lines);
}

// One row of sums, [q][KB], to its planes.
static void store_row(const __local float *sums, const int q_count, const int k_here, const size_t plane, const int add,
                      __global float *y)
{
    int q = 0;

    for (; q + 16 <= q_count; q += 16, sums += 16 * KB) {
        for (int k = 0; k < k_here; k += 16) {
            __global float *to = y + k * plane + q;

#pragma unroll
            for (int j = 0; j < 4; j++) {
                float16 lines[4];

                turn_quarter(sums + k, j, lines);
#pragma unroll
                for (int i = 0; i < 4; i++, to += plane) {
                    if (k + 4 * j + i < k_here)
                        vstore16(add ? vload16(0, to) + lines[i] : lines[i], 0, to);
                }
            }
        }
    }
    for (; q < q_count; q++, sums += KB) {
        for (int k = 0; k < k_here; k++)
            y[k * plane + q] = add ? y[k * plane + q] + sums[k] : sums[k];
    }
}

static void start_sums(__global const float *bias, const int has_bias, const int k_here, float16 *start)
{
#pragma unroll
    for (int v = 0; v < NV; v++) {
        float lanes[16];
        for (int i = 0; i < 16; i++)
            lanes[i] = has_bias && v * 16 + i < k_here ? bias[v * 16 + i] : 0.0f;
        start[v] = vload16(0, lanes);
    }
}

// Three loops over input channels and taps: their lengths, and how far each goes in the input and in the weights.
typedef struct walk {
    int count[3], in[3], taps[3];
} walk;

// sums[TQ][KB] (or start, where is_first) += the products of a walk. How many taps there are must not be known to the compiler: it
// would keep the values that two taps share in registers, of which there are none left.
static __attribute__((always_inline))
void add_taps(const __local float *in, __global const float *taps, const walk way, const bool is_first, const float16 *start,
              __local float *sums)
{
    float16 acc[TQ][NV];

#pragma unroll
    for (int j = 0; j < TQ; j++) {
#pragma unroll
        for (int v = 0; v < NV; v++)
            acc[j][v] = is_first ? start[v] : vload16(j * NV + v, sums);
    }
    for (int i = 0; i < way.count[0]; i++) {
        for (int k = 0; k < way.count[1]; k++) {
            const __local float *at = in + i * way.in[0] + k * way.in[1];
            __global const float *tap = taps + (size_t)i * way.taps[0] + k * way.taps[1];

            for (int l = 0; l < way.count[2]; l++, at += way.in[2], tap += way.taps[2]) {
                float16 w[NV];
#pragma unroll
                for (int v = 0; v < NV; v++)
                    w[v] = vload16(v, tap);
#pragma unroll
                for (int j = 0; j < TQ; j++) {
                    const float16 value = (float16)(at[j * ST]);
#pragma unroll
                    for (int v = 0; v < NV; v++)
                        acc[j][v] = fma(value, w[v], acc[j][v]);
                }
            }
        }
    }
#pragma unroll
    for (int j = 0; j < TQ; j++) {
#pragma unroll
        for (int v = 0; v < NV; v++)
            vstore16(acc[j][v], j * NV + v, sums);
    }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void channels_gather(__global const float *restrict x, const int c_count, const int h, const int w, const int row_back,
                     const int col_back, const int reflect, __global const float *restrict packed,
                     __global const float *restrict bias, const int has_bias, const int k_count, const int p_count,
                     const int q_count, const int r_taps, const int s_taps, const int strip, const int strips, const int pitch,
                     const int c_each, const int add, __global float *restrict y, __local float *restrict copy)
{
    const int blocks = CEIL_DIV(k_count, KB);
    const int n = (int)get_global_id(1) / strips, strip_number = (int)get_global_id(1) % strips;
    const int p = p_count * strip_number / strips, here = p_count * (strip_number + 1) / strips - p;
    const int tiles = CEIL_DIV(q_count, TQ), plane = ((strip - 1) * ST + r_taps) * pitch;
    __local float *image = copy + (size_t)strip * tiles * TQ * KB;

    for (int c = 0; c < c_count; c++)
        take_plane(x + ((size_t)n * c_count + c) * h * w, h, w, p * ST - row_back, (here - 1) * ST + r_taps, col_back, reflect, pitch,
                   image + (size_t)c * plane);
    ahead next = look_ahead(x + (size_t)n * c_count * h * w, c_count, h, w, (p + here - 1) * ST + r_taps - row_back, here * ST,
                            blocks * CEIL_DIV(c_count, c_each) * here * tiles);
    for (int block = 0; block < blocks; block++) {
        const int k_here = min(KB, k_count - block * KB);
        float16 start[NV];

        start_sums(bias + (has_bias ? block * KB : 0), has_bias, k_here, start);
        for (int c = 0; c < c_count; c += c_each) {
            __global const float *taps = packed + ((size_t)block * c_count + c) * r_taps * s_taps * KB;

            const walk way = {{min(c_each, c_count - c), r_taps, s_taps}, {plane, pitch, 1}, {r_taps * s_taps * KB, s_taps * KB, KB}};

            for (int i = 0; i < here; i++) {
                for (int tile = 0; tile < tiles; tile++) {
                    fetch(&next);
                    add_taps(image + (size_t)c * plane + i * ST * pitch + tile * TQ * ST, taps, way, c == 0, start,
                             copy + (size_t)(i * tiles + tile) * TQ * KB);
                }
            }
        }
        for (int i = 0; i < here; i++)
            store_row(copy + (size_t)i * tiles * TQ * KB, q_count, k_here, (size_t)p_count * q_count, add,
                      y + (((size_t)n * k_count + block * KB) * p_count + p + i) * q_count);
    }
}

// 16 pixels of two column phases, each 16 vectors of channels, to 32 pixels of a row in each of k_here planes.
static void store_pairs(const __local float *even, const __local float *odd, const int k_here, const size_t plane, const int add,
                        __global float *y)
{
#pragma unroll
    for (int q = 0; q < 4; q++) {
        float16 a[4], b[4];

        turn_quarter(even, q, a);
        turn_quarter(odd, q, b);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const float16 e = a[i], o = b[i];
            const float16 left = (float16)(e.s0, o.s0, e.s1, o.s1, e.s2, o.s2, e.s3, o.s3, e.s4, o.s4, e.s5, o.s5, e.s6, o.s6,
                                           e.s7, o.s7);
            const float16 right = (float16)(e.s8, o.s8, e.s9, o.s9, e.sa, o.sa, e.sb, o.sb, e.sc, o.sc, e.sd, o.sd, e.se, o.se,
                                            e.sf, o.sf);
            __global float *to = y + (4 * q + i) * plane;

            if (4 * q + i >= k_here)
                continue;
            vstore16(add ? vload16(0, to) + left : left, 0, to);
            vstore16(add ? vload16(1, to) + right : right, 1, to);
        }
    }
}

// One row of w pixels from the sums of its two column phases.
static void store_phases(const __local float *even, const __local float *odd, const int w, const int k_here, const size_t plane,
                         const int add, __global float *y)
{
    int j = 0;

    for (; j + 32 <= w; j += 32, even += 16 * KB, odd += 16 * KB) {
        for (int k = 0; k < k_here; k += 16)
            store_pairs(even + k, odd + k, k_here - k, plane, add, y + k * plane + j);
    }
    for (int i = 0; j + i < w; i++) {
        const __local float *sums = (i % 2 ? odd : even) + i / 2 * KB;
        for (int k = 0; k < k_here; k++) {
            __global float *to = y + k * plane + j + i;
            *to = add ? *to + sums[k] : sums[k];
        }
    }
}

// Pixel 2 j + phase comes from the outputs j + (phase + pad) / 2 - t, t below the number of taps of the phase. Sizes h, w are those of y
// [N,K,P,Q]; the result x has c_count planes of hx x wx.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void channels_scatter(__global const float *restrict y, const int k_count, const int h, const int w, const int back,
                      __global const float *restrict packed, __global const float *restrict bias, const int has_bias,
                      const int c_count, const int hx, const int wx, const int r_taps, const int s_taps, const int pad,
                      const int strip, const int strips, const int rows, const int pitch, const int taps_each, const int add,
                      __global float *restrict x, __local float *restrict copy)
{
    const int blocks = CEIL_DIV(c_count, KB);
    const int n = (int)get_global_id(1) / strips, strip_number = (int)get_global_id(1) % strips;
    const int pairs = CEIL_DIV(hx, 2), p = pairs * strip_number / strips, here = pairs * (strip_number + 1) / strips - p;
    const int tiles = CEIL_DIV(CEIL_DIV(wx, 2), TQ), line = tiles * TQ * KB, plane = rows * pitch;
    __local float *image = copy + (size_t)2 * strip * line;

    for (int k = 0; k < k_count; k++)
        take_plane(y + ((size_t)n * k_count + k) * h * w, h, w, p - back, rows, back, 0, pitch, image + (size_t)k * plane);
    ahead next = look_ahead(y + (size_t)n * k_count * h * w, k_count, h, w, p - back + rows, here,
                            blocks * 4 * here * tiles);
    for (int block = 0; block < blocks; block++) {
        const int c_here = min(KB, c_count - block * KB);
        __global const float *phase = packed;
        float16 start[NV];

        start_sums(bias + (has_bias ? block * KB : 0), has_bias, c_here, start);
        for (int a = 0; a < 2; a++) {
            const int r_count = (r_taps + 1 - (a + pad) % 2) / 2, row = back + (a + pad) / 2 - (r_count - 1);

            for (int b = 0; b < 2; b++) {
                const int s_count = (s_taps + 1 - (b + pad) % 2) / 2, column = back + (b + pad) / 2 - (s_count - 1);
                const int pieces = CEIL_DIV(k_count * r_count * s_count, taps_each), k_each = CEIL_DIV(k_count, pieces);

                for (int k = 0; k < k_count; k += k_each) {
                    __global const float *taps = phase + ((size_t)block * k_count + k) * r_count * s_count * KB;

                    // a phase has one to four taps: the long loop is the innermost
                    const walk way = {{r_count, s_count, min(k_each, k_count - k)},
                                      {pitch, 1, plane},
                                      {s_count * KB, KB, r_count * s_count * KB}};

                    for (int i = 0; i < here; i++) {
                        for (int tile = 0; tile < tiles; tile++) {
                            fetch(&next);
                            add_taps(image + (size_t)k * plane + (i + row) * pitch + column + tile * TQ, taps, way, k == 0, start,
                                     copy + (size_t)(2 * i + b) * line + tile * TQ * KB);
                        }
                    }
                }
                phase += (size_t)blocks * k_count * r_count * s_count * KB;
            }
            for (int i = 0; i < here; i++) {
                if (2 * (p + i) + a < hx)
                    store_phases(copy + (size_t)2 * i * line, copy + (size_t)(2 * i + 1) * line, wx, c_here, (size_t)hx * wx, add,
                                 x + (((size_t)n * c_count + block * KB) * hx + 2 * (p + i) + a) * wx);
            }
        }
    }
}

// part[chunk][block][c][r][s][KB] = sum over the chunk's rows of y[n,p,q,k..] * x[n,c,p*ST+r,q*ST+s]; `strip` rows at a time.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void channels_weights(__global const float *restrict x, const int c_count, const int h, const int w, const int row_back,
                      const int col_back, const int reflect, __global const float *restrict y, const int k_count,
                      const int p_count, const int q_count, const int rows, const int rows_per_chunk, const int strip,
                      const int pitch, __global float *restrict part, __local float *restrict copy)
{
    const int blocks = CEIL_DIV(k_count, KB);
    const int first = (int)get_global_id(1) * rows_per_chunk, end = min(first + rows_per_chunk, rows);
    const int line = q_count * KB, plane = ((strip - 1) * ST + R) * pitch;
    __local float *image = copy + (size_t)blocks * strip * line;
    __global float *out = part + (size_t)get_global_id(1) * blocks * c_count * TAPS * KB;
    int here;

    for (int row = first; row < end; row += here) {
        const int n = row / p_count, p = row % p_count;

        here = min(strip, min(end - row, p_count - p));
        for (int c = 0; c < c_count; c++)
            take_plane(x + ((size_t)n * c_count + c) * h * w, h, w, p * ST - row_back, (here - 1) * ST + R, col_back, reflect, pitch,
                       image + (size_t)c * plane);
        for (int k = 0; k < blocks * KB; k += 16) {
            const __global float *from = y + (((size_t)n * k_count + min(k, k_count - 1)) * p_count + p) * q_count;
            __local float *to = copy + (size_t)(k / KB) * strip * line + k % KB;
            for (int i = 0; i < here; i++) {
                for (int q = 0; q < q_count; q += 16)
                    take_channels(from + i * q_count + min(q, q_count - 16), (size_t)p_count * q_count, max(k_count - k, 1),
                                  to + i * line + min(q, q_count - 16) * KB);
            }
        }
        const int ahead_rows = min(strip, min(end - row, p_count - p) - here);
        const int calls = blocks * CEIL_DIV(c_count, CB) * R;
        ahead next_x = look_ahead(x + (size_t)n * c_count * h * w, c_count, h, w,
                                  (p + here - 1) * ST + R - row_back, ahead_rows * ST, calls);
        ahead next_y = look_ahead(y + (size_t)n * k_count * p_count * q_count, k_count, p_count, q_count, p + here, ahead_rows, calls);
        for (int block = 0; block < blocks; block++) {
            for (int c_tile = 0; c_tile < c_count; c_tile += CB) {
                const int c = min(c_tile, c_count - CB); // the last tile moves back and stores only what is its own

                for (int r = 0; r < R; r++) {
                    float16 acc[CB][S][NV];

                    fetch(&next_x);
                    fetch(&next_y);

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
                        const __local float *in = image + (size_t)c * plane + (i * ST + r) * pitch;

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

// conv2d_rows.cl -- convolution on planes: vectors of 16 neighbouring pixels times single weights.
//
// Math       as conv2d.cl. conv_rows is the gather (IN_STEP = stride) or the scatter (OUT_STEP = stride: pixel OUT_STEP * j +
//            phase gets the taps s with (phase + PAD - s) % OUT_STEP = 0, of input j + (phase + PAD - s) / OUT_STEP);
//            rows_weights is the weight gradient
// Shapes     x [N,C,H,W], y [N,K,P,Q]; a unit is VP x VQ = 16 output pixels, the lanes of one vector;
//            weights packed [tile of KT outputs][row phase][C][row tap][S][KT];
//            part [chunk][tile of KT][block of CB channels][R][KT*CB*S rounded up to 16]
// Launch     conv_rows {parts of the tiles, image groups * slices}; rows_weights {parts of the tiles, parts of the channels,
//            chunks}; local {1,1,1}: a work-item is a core with vector registers
// Programs   a compiler reads and keeps all of a program for each of its kernels, so there are three: the plain one with conv_rows,
//            WEIGHTS with rows_weights, FORMS with what only moves weights
// Tunables   VQ (4, 8, 16); KT, NQ: output channels and units of a register tile; CB: input channels of a weight-gradient tile;
//            JOINED: the NQ units lie side by side; TP: rows that a tile computes of each of its KT / TP channels, as if they were
//            channels whose weights lie a row lower each (a single channel would be bound by loads); KV: vectors of output channels
//            in rows_weights_channels, which there is instead of rows_weights where this is set
// Numerics   one float sum a result, in the order c, r, s; weight gradients: a sum a lane, the lanes as a tree, then the chunks
// Reference  tests/ref/conv2d.c          Source  none
//
// The rows that a group needs are first copied to local memory (on a processor: its level-2 cache), with their halo and with
// the columns of each residue modulo the stride side by side. So no pass over memory is spent on halos, every load is
// contiguous, and the addresses do not alias as those of whole planes do.
#ifndef R
#define R 3
#endif
#ifndef S
#define S 3
#endif
#ifndef IN_STEP
#define IN_STEP 1
#endif
#ifndef OUT_STEP
#define OUT_STEP 1
#endif
#ifndef PAD
#define PAD 0
#endif
#ifndef VQ
#define VQ 16
#endif
#ifndef KT
#define KT 8
#endif
#ifndef NQ
#define NQ 1
#endif
#ifndef CB
#define CB 1
#endif
#ifndef TP
#define TP 1
#endif
#ifndef JOINED
#define JOINED 1
#endif
#define VP (16 / VQ)
#define KO (KT / TP)
#define RUN (VQ * OUT_STEP)
#define RUN_LINE (16 * OUT_STEP)
#define LOAD_PIECE JOIN(vload, VQ)
#define STORE_PIECE JOIN(vstore, VQ)
// A scatter's tap i (row or column): how far from j its input lies, the phase that it belongs to, and the smallest of the distances.
#define SHIFT(i) ((PAD - (i) + 64 * OUT_STEP + OUT_STEP - 1) / OUT_STEP - 64)
#define PHASE(i) (OUT_STEP * SHIFT(i) - (PAD - (i)))
// Where tap s of output column 0 lies in a row of the copy.
#if OUT_STEP == 1
#define TAP_AT(s) (((s) % IN_STEP) * pitch + (s) / IN_STEP)
#else
#define TAP_AT(s) (SHIFT(s) - SHIFT(S - 1))
#endif
#define ROW_TAPS (R + (TP - 1) * IN_STEP)
#define SUMS (CEIL_DIV(KT * CB * S, 16) * 16)

// ---- forms of weights: sizes are arguments, so that one program serves all layers ----
#ifdef FORMS
#define MOST_SUMS 512 // more than there are lanes of registers for

// Weights for conv_rows. w [K,C,R,S]; outputs are its k, or its c where `transposed` (the scatter). Row phase by row phase; the taps
// of a phase in the order of the copied rows, so turned round for the scatter; columns are turned round where out_step is 1.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void pack_rows(__global const float *restrict w, const int out_count, const int in_count, const int transposed, const int r_taps,
               const int s_taps, const int in_step, const int out_step, const int pad, const int kt, const int tp,
               __global float *restrict packed)
{
    const int in = get_global_id(0), tile = get_global_id(1), step = out_step == 1 && transposed ? -1 : 1;
    const int row_taps = r_taps + (tp - 1) * in_step, ko = kt / tp;
    __global float *from_phase = packed + (size_t)tile * in_count * row_taps * s_taps * kt;

    for (int phase = 0; phase < out_step; phase++) {
        const int r_first = (phase + pad) % out_step, taps = CEIL_DIV(row_taps - r_first, out_step);
        __global float *out = from_phase + (size_t)in * taps * s_taps * kt;

        for (int j = 0; j < kt; j++) {
            const int o = tile * ko + j / tp, shift = j % tp * in_step;
            const size_t pair = transposed ? (size_t)in * out_count + o : (size_t)o * in_count + in;

            // all taps of a channel as they lie in w, from the first or from the last
            if (tp == 1 && out_step == 1 && o < out_count) {
                const int n = r_taps * s_taps;
                __global const float *from = w + pair * n + (step < 0 ? n - 1 : 0);
                for (int i = 0; i < n; i++, from += step)
                    out[i * kt + j] = *from;
                continue;
            }
            for (int t = 0; t < taps; t++) {
                const int below = t - shift;
                const int r = transposed ? r_first + out_step * (taps - 1 - (tp - 1) * in_step - below) : below;
                __global float *to = out + (size_t)t * s_taps * kt + j;

                if (o >= out_count || r < 0 || r >= r_taps) {
                    for (int i = 0; i < s_taps; i++, to += kt)
                        *to = 0.0f;
                    continue;
                }
                __global const float *from = w + (pair * r_taps + r) * s_taps + (step < 0 ? s_taps - 1 : 0);
                for (int i = 0; i < s_taps; i++, to += kt, from += step)
                    *to = *from;
            }
        }
        from_phase += (size_t)in_count * taps * s_taps * kt;
    }
}

// dw[k][c][r][s] += sum over chunks of part, of `sums` values to each tile, block and r; their order is k, c, s or (k_inside) c, s, k. One work-item: one tile, one block of channels.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void sum_rows_weights(__global const float *restrict part, const int chunks, const int k_count, const int c_count, const int r_taps,
                      const int s_taps, const int kt, const int cb, const int sums, const int k_inside, __global float *restrict dw)
{
    const int block = get_global_id(0), tile = get_global_id(1), c_blocks = get_global_size(0), tiles = get_global_size(1);
    const int c_here = min(cb, c_count - block * cb);

    for (int r = 0; r < r_taps; r++) {
        float line[MOST_SUMS];

        for (int i = 0; i < sums; i += 16) {
            float16 sum = (float16)(0.0f);
            for (int chunk = 0; chunk < chunks; chunk++)
                sum += vload16(0, part + ((((size_t)chunk * tiles + tile) * c_blocks + block) * r_taps + r) * sums + i);
            vstore16(sum, 0, line + i);
        }
        for (int k = 0; k < min(kt, k_count - tile * kt); k++) {
            for (int b = 0; b < c_here; b++) {
                __global float *out = dw + (((size_t)(tile * kt + k) * c_count + block * cb + b) * r_taps + r) * s_taps;
                const float *in = k_inside ? line + b * s_taps * kt + k : line + (k * cb + b) * s_taps;
                int s = 0;
                for (; !k_inside && s + 4 <= s_taps; s += 4)
                    vstore4(vload4(0, out + s) + vload4(0, in + s), 0, out + s);
                for (; s < s_taps; s++)
                    out[s] += in[k_inside ? s * kt : s];
            }
        }
    }
}

// y [N,K,plane] with its channels inside: out [N,plane,k_padded]. One work-item: one image, 16 channels.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void channels_inside(__global const float *restrict y, const int k_count, const int plane, const int k_padded,
                     __global float *restrict out)
{
    const int first = (int)get_global_id(0) * 16;
    const size_t n = get_global_id(1);

    for (int j = first; j < first + 16; j++) {
        __global const float *from = y + (n * k_count + min(j, k_count - 1)) * plane;
        __global float *to = out + n * plane * k_padded + j;

        for (int i = 0; i < plane; i++)
            to[(size_t)i * k_padded] = j < k_count ? from[i] : 0.0f;
    }
}

#else

static int mirrored(const int i, const int n)
{
    return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
}

// The lanes of a unit: VP rows of VQ pixels.
static float16 load_unit(const __local float *p, const int down)
{
#if VQ == 16
    return vload16(0, p);
#elif VQ == 8
    return (float16)(vload8(0, p), vload8(0, p + down));
#else
    return (float16)(vload4(0, p), vload4(0, p + down), vload4(0, p + 2 * down), vload4(0, p + 3 * down));
#endif
}

static void clear(__local float *out, const int n)
{
    int j = 0;

    for (; j + 16 <= n; j += 16)
        vstore16((float16)(0.0f), 0, out + j);
    for (; j < n; j++)
        out[j] = 0.0f;
}

// One row of an image, column j to column j + back of the copy.
static void take_row(const __global float *in, const int w, const int back, const int pitch, __local float *line)
{
    int j = 0;
#if IN_STEP == 1
    line += back;
    for (; j + 16 <= w; j += 16)
        vstore16(vload16(0, in + j), 0, line + j);
    if (j + 8 <= w) {
        vstore8(vload8(0, in + j), 0, line + j);
        j += 8;
    }
    if (j + 4 <= w) {
        vstore4(vload4(0, in + j), 0, line + j);
        j += 4;
    }
    for (; j < w; j++)
        line[j] = in[j];
#elif IN_STEP == 2
    __local float *even = line + (back % 2) * pitch + back / 2, *odd = line + ((back + 1) % 2) * pitch + (back + 1) / 2;

    for (; j + 32 <= w; j += 32) {
        const float16 a = vload16(0, in + j), b = vload16(1, in + j);
        vstore16((float16)(a.even, b.even), 0, even + j / 2);
        vstore16((float16)(a.odd, b.odd), 0, odd + j / 2);
    }
    for (; j + 8 <= w; j += 8) {
        const float8 a = vload8(0, in + j);
        vstore4(a.even, 0, even + j / 2);
        vstore4(a.odd, 0, odd + j / 2);
    }
    for (; j < w; j++)
        (j % 2 ? odd : even)[j / 2] = in[j];
#else
    for (; j < w; j++)
        line[((j + back) % IN_STEP) * pitch + (j + back) / IN_STEP] = in[j];
#endif
}

// `rows` rows of one plane from `first` on, with `back` columns before them; zero or reflected outside.
static void take_plane(const __global float *plane, const int h, const int w, const int first, const int rows, const int back,
                       const int reflect, const int pitch, __local float *out)
{
    clear(out, rows * IN_STEP * pitch);
    for (int i = 0; i < rows; i++) {
        const int row = reflect ? mirrored(first + i, h) : first + i;
        __local float *line = out + i * IN_STEP * pitch;

        if (row < 0 || row >= h)
            continue;
        const __global float *in = plane + (size_t)row * w;
        take_row(in, w, back, pitch, line);
        if (!reflect)
            continue;
        for (int j = 0; j < back; j++) {
            const int right = back + w + j;
            line[(j % IN_STEP) * pitch + j / IN_STEP] = in[back - j];
            line[(right % IN_STEP) * pitch + right / IN_STEP] = in[w - 2 - j];
        }
    }
}

#ifndef WEIGHTS

// One unit of one output channel to its plane. `row` and `column` of its first pixel may lie outside: there nothing is stored, or
// (reflect) it is added where the mirror shows.
static void store_unit(const float *line, const int row, const int column, const int hy, const int wy, const int border,
                       const int add, __global float *plane)
{
#pragma unroll 1
    for (int v = 0; v < VP; v++, line += RUN) {
        const int h = row + v * TP * OUT_STEP, target = border ? mirrored(h, hy) : h;

        if (h < -border || h >= hy + border)
            continue;
        __global float *out = plane + (size_t)target * wy;
        if (column >= 0 && column + RUN <= wy) {
#pragma unroll
            for (int j = 0; j < RUN; j += VQ) {
                JOIN(float, VQ) value = LOAD_PIECE(0, line + j);
                if (add)
                    value += LOAD_PIECE(0, out + column + j);
                STORE_PIECE(value, 0, out + column + j);
            }
            continue;
        }
#pragma unroll 1
        for (int j = 0; j < RUN; j++) {
            const int at = column + j, to = border ? mirrored(at, wy) : at;
            if (at >= -border && at < wy + border)
                out[to] = add ? out[to] + line[j] : line[j];
        }
    }
}

// The same where all of it lies inside.
static void store_whole(const float *line, const int wy, const int add, __global float *out)
{
#pragma unroll
    for (int v = 0; v < VP; v++, out += (size_t)TP * OUT_STEP * wy) {
#pragma unroll
        for (int j = 0; j < RUN; j += VQ) {
            JOIN(float, VQ) value = LOAD_PIECE(0, line + v * RUN + j);
            if (add)
                value += LOAD_PIECE(0, out + j);
            STORE_PIECE(value, 0, out + j);
        }
    }
}

// The values of OUT_STEP column phases in the order of the pixels.
static void interleave(const float16 *phases, float *line)
{
#if OUT_STEP == 1
    vstore16(phases[0], 0, line);
#elif OUT_STEP == 2
    const float16 a = phases[0], b = phases[1];
    vstore16((float16)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6, b.s6, a.s7, b.s7), 0, line);
    vstore16((float16)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd, a.se, b.se, a.sf, b.sf), 1, line);
#else
    for (int i = 0; i < OUT_STEP; i++) {
        float lanes[16];
        vstore16(phases[i], 0, lanes);
        for (int j = 0; j < 16; j++)
            line[j * OUT_STEP + i] = lanes[j];
    }
#endif
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv_rows(__global const float *restrict x, const int n_count, const int c_count, const int h, const int w, const int row_back,
               const int col_back, const int reflect, __global const float *restrict packed, __global const float *restrict bias,
               const int has_bias, const int k_count, const int images, const int unit_rows, const int unit_columns,
               const int slices, const int rows, const int pitch, const int tiles_each, const int hy, const int wy,
               const int border, const int add, __global float *restrict y,
               __local float *restrict copy)
{
    const int tiles = CEIL_DIV(k_count, KO);
    const int first_tile = get_global_id(0) * tiles_each, end_tile = min(first_tile + tiles_each, tiles);
    const int slice = get_global_id(1) % slices, n_first = (get_global_id(1) / slices) * images;
    const int n_here = min(images, n_count - n_first);
    const int row_first = unit_rows * slice / slices, rows_here = unit_rows * (slice + 1) / slices - row_first;
    const int line_size = IN_STEP * pitch, plane_size = rows * line_size;
    const int units = n_here * rows_here * unit_columns;

    for (int c = 0; c < c_count; c++) {
        for (int i = 0; i < n_here; i++)
            take_plane(x + ((size_t)(n_first + i) * c_count + c) * h * w, h, w, row_first * VP * TP * IN_STEP - row_back, rows,
                       col_back, reflect, pitch, copy + (size_t)(c * images + i) * plane_size);
    }
    for (int tile = first_tile; tile < end_tile; tile++) {
        const int k_here = min(KO, k_count - tile * KO);

        for (int block = 0; block < units; block += NQ) {
            const int units_here = min(NQ, units - block);
            int at[NQ];

#pragma unroll
            for (int i = 0; i < NQ; i++) {
                const int unit = min(block + i, units - 1), line = unit / unit_columns, n = line / rows_here;
                at[i] = n * plane_size + (line - n * rows_here) * VP * TP * IN_STEP * line_size +
                        (unit - line * unit_columns) * VQ;
            }
            __global const float *taps = packed + (size_t)tile * c_count * ROW_TAPS * S * KT;
#pragma unroll 1
            for (int phase = 0; phase < OUT_STEP; phase++) {
                const int r_first = (phase + PAD) % OUT_STEP, r_count = CEIL_DIV(ROW_TAPS - r_first, OUT_STEP);
                const int r_skip = OUT_STEP == 1 ? 0 : SHIFT(r_first) - (r_count - 1) - SHIFT(R - 1);
                float16 acc[KT][NQ][OUT_STEP];

#pragma unroll
                for (int k = 0; k < KT; k++) {
                    const float16 start = (float16)(has_bias && k / TP < k_here ? bias[tile * KO + k / TP] : 0.0f);
#pragma unroll
                    for (int i = 0; i < NQ; i++) {
#pragma unroll
                        for (int j = 0; j < OUT_STEP; j++)
                            acc[k][i][j] = start;
                    }
                }
                for (int c = 0; c < c_count; c++) {
                    const __local float *in = copy + (size_t)c * images * plane_size + r_skip * line_size;

                    for (int r = 0; r < r_count; r++, in += line_size, taps += S * KT) {
#pragma unroll
                        for (int s = 0; s < S; s++) {
                            float16 value[NQ];
#pragma unroll
                            for (int i = 0; i < NQ; i++)
                                value[i] = load_unit(in + (JOINED ? at[0] + i * VQ : at[i]) + TAP_AT(s), TP * IN_STEP * line_size);
#pragma unroll
                            for (int k = 0; k < KT; k++) {
                                const float16 weight = (float16)(taps[s * KT + k]);
#pragma unroll
                                for (int i = 0; i < NQ; i++)
                                    acc[k][i][PHASE(s)] = fma(value[i], weight, acc[k][i][PHASE(s)]);
                            }
                        }
                    }
                }
                // By way of memory, so that the code of store_unit() is there once.
                float lines[KT * NQ * RUN_LINE];
#pragma unroll
                for (int k = 0; k < KT; k++) {
#pragma unroll
                    for (int i = 0; i < NQ; i++)
                        interleave(acc[k][i], lines + (k * NQ + i) * RUN_LINE);
                }
#pragma unroll 1
                for (int i = 0; i < units_here; i++) {
                    const int line = (block + i) / unit_columns, n = line / rows_here;
                    const int row = (row_first + line - n * rows_here) * VP * TP * OUT_STEP + phase - border;
                    const int column = (block + i - line * unit_columns) * RUN - border;
                    __global float *plane = y + ((size_t)(n_first + n) * k_count + tile * KO) * hy * wy;

                    if (!border && column + RUN <= wy && row + VP * TP * OUT_STEP <= hy) {
#pragma unroll 1
                        for (int k = 0; k < k_here * TP; k++)
                            store_whole(lines + (k * NQ + i) * RUN_LINE, wy, add,
                                        plane + ((size_t)(k / TP) * hy + row + k % TP) * wy + column);
                        continue;
                    }
#pragma unroll 1
                    for (int k = 0; k < k_here * TP; k++)
                        store_unit(lines + (k * NQ + i) * RUN_LINE, row + k % TP, column, hy, wy, border, add,
                                   plane + (size_t)(k / TP) * hy * wy);
                }
            }
        }
    }
}

#else

#ifndef KV

// The sums of the lanes of 16 vectors, as lanes.
static float16 lane_sums(const float16 *a)
{
    float16 b[8], c[4], d[2];

#pragma unroll
    for (int i = 0; i < 8; i++)
        b[i] = (float16)(a[2 * i].lo, a[2 * i + 1].lo) + (float16)(a[2 * i].hi, a[2 * i + 1].hi);
#pragma unroll
    for (int i = 0; i < 4; i++)
        c[i] = (float16)(b[2 * i].s0123, b[2 * i].s89ab, b[2 * i + 1].s0123, b[2 * i + 1].s89ab) +
               (float16)(b[2 * i].s4567, b[2 * i].scdef, b[2 * i + 1].s4567, b[2 * i + 1].scdef);
#pragma unroll
    for (int i = 0; i < 2; i++)
        d[i] = (float16)(c[2 * i].s014589cd, c[2 * i + 1].s014589cd) + (float16)(c[2 * i].s2367abef, c[2 * i + 1].s2367abef);
    return (float16)(d[0].even, d[1].even) + (float16)(d[0].odd, d[1].odd);
}

// One row of a unit of dy, zero outside.
static JOIN(float, VQ) take_piece(const __global float *in, const int column, const int w)
{
    if (column + VQ <= w)
        return LOAD_PIECE(0, in + column);
    float part[VQ];
    for (int j = 0; j < VQ; j++)
        part[j] = column + j < w ? in[column + j] : 0.0f;
    return LOAD_PIECE(0, part);
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void rows_weights(__global const float *restrict x, const int n_count, const int c_count, const int h, const int w,
                  const int row_back, const int col_back, const int reflect, __global const float *restrict y, const int k_count,
                  const int p_count, const int q_count, const int images, const int unit_rows, const int unit_columns,
                  const int slices, const int rows, const int pitch, const int tiles_each, const int channels_each,
                  __global float *restrict part, __local float *restrict copy)
{
    const int tiles = CEIL_DIV(k_count, KT), c_blocks = CEIL_DIV(c_count, CB);
    const int first_tile = get_global_id(0) * tiles_each, end_tile = min(first_tile + tiles_each, tiles);
    const int c_first = get_global_id(1) * channels_each, c_here = min(channels_each, c_blocks * CB - c_first);
    const int chunk = get_global_id(2), slice = chunk % slices, n_first = (chunk / slices) * images;
    const int n_here = min(images, n_count - n_first);
    const int row_first = unit_rows * slice / slices, rows_here = unit_rows * (slice + 1) / slices - row_first;
    const int line_size = IN_STEP * pitch, plane_size = rows * line_size, channel_size = images * plane_size;
    const int units = n_here * rows_here * unit_columns;
    __local float *grad = copy + (size_t)channels_each * channel_size;
    __local int *at = (__local int *)(grad + (size_t)images * CEIL_DIV(unit_rows, slices) * unit_columns * KT * 16);

    for (int unit = 0; unit < units; unit++) {
        const int line = unit / unit_columns, i = line / rows_here;
        at[unit] = i * plane_size + (line - i * rows_here) * VP * IN_STEP * line_size + (unit - line * unit_columns) * VQ;
    }

    for (int c = 0; c < c_here; c++) {
        for (int i = 0; i < n_here; i++) {
            __local float *out = copy + (size_t)c * channel_size + i * plane_size;
            if (c_first + c < c_count)
                take_plane(x + ((size_t)(n_first + i) * c_count + c_first + c) * h * w, h, w,
                           row_first * VP * IN_STEP - row_back, rows, col_back, reflect, pitch, out);
            else
                clear(out, plane_size);
        }
    }
    for (int tile = first_tile; tile < end_tile; tile++) {
        for (int k = 0; k < KT; k++) {
            __local float *out = grad + k * 16;
            for (int i = 0; i < n_here; i++) {
                for (int u = 0; u < rows_here; u++, out += unit_columns * KT * 16) {
                    for (int v = 0; v < VP; v++) {
                        const int p = (row_first + u) * VP + v;
                        const bool is_inside = p < p_count && tile * KT + k < k_count;
                        const __global float *in =
                            y + (((size_t)(n_first + i) * k_count + min(tile * KT + k, k_count - 1)) * p_count + p) * q_count;
                        for (int q = 0; q < unit_columns; q++)
                            STORE_PIECE(is_inside ? take_piece(in, q * VQ, q_count) : (JOIN(float, VQ))(0.0f), v,
                                        out + q * KT * 16);
                    }
                }
            }
        }
        for (int c = 0; c < c_here; c += CB) {
            for (int r = 0; r < R; r++) {
                float16 acc[SUMS];
                const __local float *g = grad;

#pragma unroll
                for (int i = 0; i < SUMS; i++)
                    acc[i] = (float16)(0.0f);
                for (int unit = 0; unit < units; unit++, g += KT * 16) {
                    const __local float *in = copy + (size_t)c * channel_size + r * line_size + at[unit];
                    // the smaller of the two sets of vectors stays in registers, the other passes by
#if KT < CB * S
                    float16 grads[KT];
#pragma unroll
                    for (int k = 0; k < KT; k++)
                        grads[k] = vload16(k, g);
#pragma unroll
                    for (int t = 0; t < CB * S; t++) {
                        const float16 value = load_unit(in + t / S * channel_size + TAP_AT(t % S), IN_STEP * line_size);
#pragma unroll
                        for (int k = 0; k < KT; k++)
                            acc[k * CB * S + t] = fma(value, grads[k], acc[k * CB * S + t]);
                    }
#else
                    float16 values[CB * S];
#pragma unroll
                    for (int t = 0; t < CB * S; t++)
                        values[t] = load_unit(in + t / S * channel_size + TAP_AT(t % S), IN_STEP * line_size);
#pragma unroll
                    for (int k = 0; k < KT; k++) {
                        const float16 grad_k = vload16(k, g);
#pragma unroll
                        for (int t = 0; t < CB * S; t++)
                            acc[k * CB * S + t] = fma(values[t], grad_k, acc[k * CB * S + t]);
                    }
#endif
                }
                __global float *out =
                    part + ((((size_t)chunk * tiles + tile) * c_blocks + (c_first + c) / CB) * R + r) * SUMS;
#pragma unroll
                for (int i = 0; i < SUMS; i += 16)
                    vstore16(lane_sums(acc + i), 0, out + i);
            }
        }
    }
}

#else

// The same with vectors of 16 output channels, for maps so small that vectors of pixels are put together from pieces: y has its
// channels inside, each of its vectors meets CB * S single values of x. part's sums are in the order c, s, k.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void rows_weights_channels(__global const float *restrict x, const int n_count, const int c_count, const int h, const int w,
                           const int row_back, const int col_back, const int reflect, __global const float *restrict y,
                           const int k_padded, const int p_count, const int q_count, const int images, const int rows,
                           const int pitch, const int tiles_each, const int channels_each, __global float *restrict part,
                           __local float *restrict copy)
{
    const int tiles = k_padded / (KV * 16), c_blocks = CEIL_DIV(c_count, CB);
    const int first_tile = get_global_id(0) * tiles_each, end_tile = min(first_tile + tiles_each, tiles);
    const int c_first = get_global_id(1) * channels_each, c_here = min(channels_each, c_blocks * CB - c_first);
    const int chunk = get_global_id(2), n_first = chunk * images, n_here = min(images, n_count - n_first);
    const int line_size = IN_STEP * pitch, plane_size = rows * line_size, channel_size = images * plane_size;

    for (int c = 0; c < c_here; c++) {
        for (int i = 0; i < n_here; i++) {
            __local float *out = copy + (size_t)c * channel_size + i * plane_size;
            if (c_first + c < c_count)
                take_plane(x + ((size_t)(n_first + i) * c_count + c_first + c) * h * w, h, w, -row_back, rows, col_back, reflect,
                           pitch, out);
            else
                clear(out, plane_size);
        }
    }
    for (int tile = first_tile; tile < end_tile; tile++) {
        for (int c = 0; c < c_here; c += CB) {
            for (int r = 0; r < R; r++) {
                float16 acc[KV][CB * S];

#pragma unroll
                for (int k = 0; k < KV; k++) {
#pragma unroll
                    for (int t = 0; t < CB * S; t++)
                        acc[k][t] = (float16)(0.0f);
                }
                for (int line = 0; line < n_here * p_count; line++) {
                    const int i = line / p_count;
                    const __local float *in =
                        copy + (size_t)c * channel_size + i * plane_size + ((line - i * p_count) * IN_STEP + r) * line_size;
                    const __global float *g =
                        y + ((size_t)n_first * p_count + line) * q_count * k_padded + tile * KV * 16;

                    for (int q = 0; q < q_count; q++, in++, g += k_padded) {
                        float16 grads[KV];
#pragma unroll
                        for (int k = 0; k < KV; k++)
                            grads[k] = vload16(k, g);
#pragma unroll
                        for (int t = 0; t < CB * S; t++) {
                            const float16 value = (float16)(in[t / S * channel_size + TAP_AT(t % S)]);
#pragma unroll
                            for (int k = 0; k < KV; k++)
                                acc[k][t] = fma(value, grads[k], acc[k][t]);
                        }
                    }
                }
                __global float *out =
                    part + ((((size_t)chunk * tiles + tile) * c_blocks + (c_first + c) / CB) * R + r) * KV * 16 * CB * S;
#pragma unroll
                for (int t = 0; t < CB * S; t++) {
#pragma unroll
                    for (int k = 0; k < KV; k++)
                        vstore16(acc[k][t], t * KV + k, out);
                }
            }
        }
    }
}

#endif
#endif
#endif

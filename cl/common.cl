// common.cl -- text in front of every program.
//
// Kernels are OpenCL C 1.2. Sizes arrive as int, checked on the host; offsets are size_t before they are multiplied.
// Multiply-adds that matter are written fma(): contraction is left to nobody's taste (bit-identical across runtimes).
#pragma OPENCL FP_CONTRACT OFF
#define CEIL_DIV(a, b) (((a) + (b) - 1) / (b))

// Four values from i on, of n: what lies behind the end reads as zero and is not written.
static float4 load4(__global const float *x, const int i, const int n)
{
    if (i + 4 <= n)
        return vload4(0, x + i);
    float4 v = (float4)(0.0f);
    if (i < n)
        v.s0 = x[i];
    if (i + 1 < n)
        v.s1 = x[i + 1];
    if (i + 2 < n)
        v.s2 = x[i + 2];
    return v;
}

static void store4(const float4 v, __global float *y, const int i, const int n)
{
    if (i + 4 <= n) {
        vstore4(v, 0, y + i);
        return;
    }
    if (i < n)
        y[i] = v.s0;
    if (i + 1 < n)
        y[i + 1] = v.s1;
    if (i + 2 < n)
        y[i + 2] = v.s2;
}

// Vectors of reductions: LANES floats, 4 or 16. The host chooses with WG: 64 items of float4, or one of float16 on CPUs.
#ifndef LANES
#define LANES 4
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
typedef JOIN(float, LANES) floatv;
#define LOADV(p) JOIN(vload, LANES)(0, (p))
#define STOREV(v, p) JOIN(vstore, LANES)((v), 0, (p))

typedef JOIN(int, LANES) intv;
#if LANES == 16
#define LANE_NUMBERS (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#else
#define LANE_NUMBERS (int4)(0, 1, 2, 3)
#endif

// LANES values from i on, of n: what lies behind the end reads as zero and is not written.
static floatv load_lanes(const __global float *x, const int i, const int n)
{
    if (n - i >= LANES)
        return LOADV(x + i);
    float part[LANES];
    for (int k = 0; k < LANES; k++)
        part[k] = i + k < n ? x[i + k] : 0.0f;
    return LOADV(part);
}

static void store_lanes(const floatv v, __global float *y, const int i, const int n)
{
    if (n - i >= LANES) {
        STOREV(v, y + i);
        return;
    }
    float part[LANES];
    STOREV(v, part);
    for (int k = 0; k < LANES; k++)
        if (i + k < n)
            y[i + k] = part[k];
}

// v, with zero for the values behind the end of an array of n.
static floatv inside_lanes(const floatv v, const int i, const int n)
{
    if (n - i >= LANES)
        return v;
    return select((floatv)(0.0f), v, (intv)(i) + LANE_NUMBERS < (intv)(n));
}

static float lanes_sum(const floatv v)
{
#if LANES == 16
    const float8 e = v.lo + v.hi;
    const float4 q = e.lo + e.hi;
#else
    const float4 q = v;
#endif
    return (q.s0 + q.s2) + (q.s1 + q.s3);
}

static float lanes_max(const floatv v)
{
#if LANES == 16
    const float8 e = fmax(v.lo, v.hi);
    const float4 q = fmax(e.lo, e.hi);
#else
    const float4 q = v;
#endif
    return fmax(fmax(q.s0, q.s2), fmax(q.s1, q.s3));
}

// The sum over a work-group of `items`, given to every item, always in the same order. Every item must call it; scratch holds
// `items` floats and may be used again afterwards. Each item adds all parts: one barrier before and one after, none in a loop.
// With sub-groups (TG_SUBGROUPS: src/device/program.c asks the device) there is one part for each of them, not one an item.
#ifdef TG_SUBGROUPS
#if __OPENCL_C_VERSION__ < 300
#pragma OPENCL EXTENSION cl_khr_subgroups : enable
#endif
#define PART_SUM(value) sub_group_reduce_add(value)
#define PART_MAX(value) sub_group_reduce_max(value)
#define IS_PART_FIRST (get_sub_group_local_id() == 0)
#define PART_NUMBER get_sub_group_id()
#define PARTS(items) (int)get_num_sub_groups()
#else
#define PART_SUM(value) (value)
#define PART_MAX(value) (value)
#define IS_PART_FIRST 1
#define PART_NUMBER get_local_id(0)
#define PARTS(items) (items)
#endif

static float group_sum(const float value, __local float *scratch, const int items)
{
    const float part = PART_SUM(value);
    float sum = 0.0f;

    if (IS_PART_FIRST)
        scratch[PART_NUMBER] = part;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; i < PARTS(items); i++)
        sum += scratch[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    return sum;
}

static float group_max(const float value, __local float *scratch, const int items)
{
    const float part = PART_MAX(value);
    float largest = value;

    if (IS_PART_FIRST)
        scratch[PART_NUMBER] = part;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; i < PARTS(items); i++)
        largest = fmax(largest, scratch[i]);
    barrier(CLK_LOCAL_MEM_FENCE);
    return largest;
}

// Where index i of the padded line lies in the image of n values: mirrored at the edge pixel, or -1 where zeros are.
static int inside(const int i, const int n, const int reflect)
{
    if (i >= 0 && i < n)
        return i;
    if (!reflect)
        return -1;
    return i < 0 ? -i : 2 * (n - 1) - i;
}

// The up to three places of the padded line that show image pixel i: itself (which = 0) and its mirror images (1, 2), -1 where
// there is none.
static int place(const int which, const int i, const int n, const int pad, const int reflect)
{
    if (which == 0)
        return i + pad;
    if (which == 1)
        return reflect && i > 0 && i <= pad ? pad - i : -1;
    return reflect && i < n - 1 && i >= n - 1 - pad ? 2 * (n - 1) - i + pad : -1;
}

// ---- one work-group over a row of n values, wg items (1 on CPUs), LANES values at a time ----------------------------
// Four partial sums hide the latency of an addition. All items of the group must call these.

// Sum of a.
static float row_sum(const __global float *a, const int n, __local float *scratch, const int wg)
{
    const int step = wg * LANES;
    floatv s0 = (floatv)(0.0f), s1 = s0, s2 = s0, s3 = s0;
    int i = (int)get_local_id(0) * LANES;

    for (; n - i >= 3 * step + LANES; i += 4 * step) {
        s0 += LOADV(a + i);
        s1 += LOADV(a + i + step);
        s2 += LOADV(a + i + 2 * step);
        s3 += LOADV(a + i + 3 * step);
    }
    for (; i < n; i += step)
        s0 += load_lanes(a, i, n);
    return group_sum(lanes_sum((s0 + s1) + (s2 + s3)), scratch, wg);
}

// Sum of (a - mu)^2.
static float row_squares(const __global float *a, const float mu, const int n, __local float *scratch, const int wg)
{
    const int step = wg * LANES;
    const floatv m = (floatv)(mu);
    floatv s0 = (floatv)(0.0f), s1 = s0, s2 = s0, s3 = s0;
    int i = (int)get_local_id(0) * LANES;

    for (; n - i >= 3 * step + LANES; i += 4 * step) {
        const floatv d0 = LOADV(a + i) - m, d1 = LOADV(a + i + step) - m;
        const floatv d2 = LOADV(a + i + 2 * step) - m, d3 = LOADV(a + i + 3 * step) - m;
        s0 = fma(d0, d0, s0);
        s1 = fma(d1, d1, s1);
        s2 = fma(d2, d2, s2);
        s3 = fma(d3, d3, s3);
    }
    for (; i < n; i += step) {
        const floatv d = inside_lanes(load_lanes(a, i, n) - m, i, n);
        s0 = fma(d, d, s0);
    }
    return group_sum(lanes_sum((s0 + s1) + (s2 + s3)), scratch, wg);
}

// {sum of b, sum of b (a - mu)}.
static float2 row_dots(const __global float *a, const float mu, const __global float *b, const int n,
                       __local float *scratch, const int wg)
{
    const int step = wg * LANES;
    const floatv m = (floatv)(mu);
    floatv s0 = (floatv)(0.0f), s1 = s0, p0 = s0, p1 = s0;
    int i = (int)get_local_id(0) * LANES;

    for (; n - i >= step + LANES; i += 2 * step) {
        const floatv b0 = LOADV(b + i), b1 = LOADV(b + i + step);
        s0 += b0;
        s1 += b1;
        p0 = fma(b0, LOADV(a + i) - m, p0);
        p1 = fma(b1, LOADV(a + i + step) - m, p1);
    }
    for (; i < n; i += step) {
        const floatv b0 = load_lanes(b, i, n);
        s0 += b0;
        p0 = fma(b0, load_lanes(a, i, n) - m, p0);
    }
    const float sum = group_sum(lanes_sum(s0 + s1), scratch, wg);
    return (float2)(sum, group_sum(lanes_sum(p0 + p1), scratch, wg));
}

// y = (x - mu) scale + shift.
static void row_affine(const __global float *x, const float mu, const float scale, const float shift, const int n,
                       __global float *y, const int wg)
{
    const int step = wg * LANES;
    int i = (int)get_local_id(0) * LANES;

    for (; n - i >= LANES; i += step)
        STOREV(fma(LOADV(x + i) - (floatv)(mu), (floatv)(scale), (floatv)(shift)), y + i);
    if (i < n)
        store_lanes(fma(load_lanes(x, i, n) - (floatv)(mu), (floatv)(scale), (floatv)(shift)), y, i, n);
}

// The backward pass of a normalisation: dx += scale (dy - mean_dy - (x - mu) slope).
static void row_norm_bwd(const __global float *x, const float mu, const __global float *dy, const float scale,
                         const float mean_dy, const float slope, const int n, __global float *dx, const int wg)
{
    const int step = wg * LANES;
    const floatv m = (floatv)(mu), k = (floatv)(scale), mean = (floatv)(mean_dy), s = (floatv)(-slope);
    int i = (int)get_local_id(0) * LANES;

    for (; n - i >= LANES; i += step)
        STOREV(fma(k, fma(LOADV(x + i) - m, s, LOADV(dy + i) - mean), LOADV(dx + i)), dx + i);
    if (i < n)
        store_lanes(fma(k, fma(load_lanes(x, i, n) - m, s, load_lanes(dy, i, n) - mean), load_lanes(dx, i, n)), dx, i, n);
}

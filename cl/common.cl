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
static float group_sum(const float value, __local float *scratch, const int items)
{
    float sum = 0.0f;

    scratch[get_local_id(0)] = value;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; i < items; i++)
        sum += scratch[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    return sum;
}

static float group_max(const float value, __local float *scratch, const int items)
{
    float largest = value;

    scratch[get_local_id(0)] = value;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; i < items; i++)
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

// The up to three places of the padded line that show image pixel i: itself and its mirror images.
static int places(const int i, const int n, const int pad, const int reflect, int *at)
{
    int count = 0;
    at[count++] = i + pad;
    if (reflect && i > 0 && i <= pad)
        at[count++] = pad - i;
    if (reflect && i < n - 1 && i >= n - 1 - pad)
        at[count++] = 2 * (n - 1) - i + pad;
    return count;
}

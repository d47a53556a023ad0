// pool.cl -- windows or whole planes to one value: largest, mean, log-mean-exp.
//
// Math       y = max or mean of x over SIZE x SIZE windows every STRIDE; the backward pass gathers, for each x, from the windows
//            that hold it. Planes: y = m + log(sum exp(x - m) / HW), m = max x; dx += dy exp(x - y) / HW
// Shapes     x [N,C,h,w], y, choice [N,C,oh,ow]; planes: y [N,C]
// Launch     windows: {ow, oh, N*C} or {w, h, N*C}, local {TILE_W, TILE_H, 1}; plane_*_fwd, plane_max_bwd: {WG, N*C},
//            local {WG, 1}; plane_lme_bwd, plane_mean_bwd: {ceil(h*w / 4), N*C}, local {16, 4}
// Tunables   TILE_W * TILE_H, 16 to 256; WG, 1 to 256: work-items to a plane; LANES, 4 or 16: floats they load at once.
//            SIZE and STRIDE are set by the host
// Numerics   the maximum is the first in reading order; NaN wins in windows, as in PyTorch
// Reference  tests/ref/pool.c          Source  log-mean-exp: [pinheiro2015]
#ifndef TILE_W
#define TILE_W 16
#endif
#ifndef TILE_H
#define TILE_H 4
#endif
#ifndef WG
#define WG 64
#endif
#ifndef SIZE
#define SIZE 2
#endif
#ifndef STRIDE
#define STRIDE 2
#endif
#define WINDOWS __kernel __attribute__((reqd_work_group_size(TILE_W, TILE_H, 1))) void
#define PLANES __kernel __attribute__((reqd_work_group_size(16, 4, 1))) void
#define REDUCE __kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void

WINDOWS pool_max_fwd(__global const float *restrict x, const int h, const int w, const int oh, const int ow,
                     __global float *restrict y, __global float *restrict choice)
{
    const int j = get_global_id(0), i = get_global_id(1);
    const size_t plane = get_global_id(2);

    if (i >= oh || j >= ow)
        return;
    const size_t out = (plane * oh + i) * ow + j;
    int best = i * STRIDE * w + j * STRIDE;

    x += plane * h * w;
    float largest = x[best];
    for (int p = 0; p < SIZE; p++) {
        for (int q = 0; q < SIZE; q++) {
            const int at = (i * STRIDE + p) * w + j * STRIDE + q;
            const float v = x[at];

            if (v > largest || isnan(v)) {
                largest = v;
                best = at;
            }
        }
    }
    y[out] = largest;
    choice[out] = (float)best;
}

WINDOWS pool_mean_fwd(__global const float *restrict x, const int h, const int w, const int oh, const int ow,
                      __global float *restrict y)
{
    const int j = get_global_id(0), i = get_global_id(1);
    const size_t plane = get_global_id(2);
    float sum = 0.0f;

    if (i >= oh || j >= ow)
        return;
    for (int p = 0; p < SIZE; p++) {
        for (int q = 0; q < SIZE; q++)
            sum += x[(plane * h + i * STRIDE + p) * w + j * STRIDE + q];
    }
    y[(plane * oh + i) * ow + j] = sum * (1.0f / (SIZE * SIZE));
}

// The first and the last window, of n, that hold the value `at`.
static int first_window(const int at)
{
    return at < SIZE ? 0 : (at - SIZE) / STRIDE + 1;
}

static int last_window(const int at, const int n)
{
    return min(at / STRIDE, n - 1);
}

WINDOWS pool_max_bwd(__global const float *restrict choice, __global const float *restrict dy, const int h, const int w,
                     const int oh, const int ow, __global float *restrict dx)
{
    const int j = get_global_id(0), i = get_global_id(1);
    const size_t plane = get_global_id(2);
    const float me = (float)(i * w + j);
    float sum = 0.0f;

    if (i >= h || j >= w)
        return;
    for (int p = first_window(i); p <= last_window(i, oh); p++) {
        for (int q = first_window(j); q <= last_window(j, ow); q++) {
            const size_t out = (plane * oh + p) * ow + q;

            if (choice[out] == me)
                sum += dy[out];
        }
    }
    dx[(plane * h + i) * w + j] += sum;
}

WINDOWS pool_mean_bwd(__global const float *restrict dy, const int h, const int w, const int oh, const int ow,
                      __global float *restrict dx)
{
    const int j = get_global_id(0), i = get_global_id(1);
    const size_t plane = get_global_id(2);
    float sum = 0.0f;

    if (i >= h || j >= w)
        return;
    for (int p = first_window(i); p <= last_window(i, oh); p++) {
        for (int q = first_window(j); q <= last_window(j, ow); q++)
            sum += dy[(plane * oh + p) * ow + q];
    }
    dx[(plane * h + i) * w + j] += sum * (1.0f / (SIZE * SIZE));
}

// A choice outside the plane reads nothing and gives NaN: it was not made by pool_max_fwd.
PLANES pool_gather(__global const float *restrict choice, __global const float *restrict t, const int n_planes, const int plane,
                   const int out_plane, __global float *restrict out)
{
    const int i = get_global_id(0), p = get_global_id(1);

    if (p >= n_planes || i >= out_plane)
        return;
    const int at = convert_int_sat(choice[(size_t)p * out_plane + i]);

    out[(size_t)p * out_plane + i] = at >= 0 && at < plane ? t[(size_t)p * plane + at] : NAN;
}

// The largest value of a plane, for every work-item of its group. Negative infinity when all are NaN.
static float plane_largest(__global const float *x, const int plane, __local float *scratch)
{
    const int me = get_local_id(0), whole = plane / LANES * LANES;
    floatv wide = -INFINITY;
    float largest = -INFINITY;

    for (int i = me * LANES; i < whole; i += WG * LANES)
        wide = fmax(wide, LOADV(x + i));
    for (int i = whole + me; i < plane; i += WG)
        largest = fmax(largest, x[i]);
    return group_max(fmax(largest, lanes_max(wide)), scratch, WG);
}

REDUCE plane_max_fwd(__global const float *restrict x, const int plane, __global float *restrict y)
{
    __local float scratch[WG];
    const size_t p = get_global_id(1);
    const float largest = plane_largest(x + p * plane, plane, scratch);

    if (get_local_id(0) == 0)
        y[p] = largest;
}

REDUCE plane_mean_fwd(__global const float *restrict x, const int plane, __global float *restrict y)
{
    __local float scratch[WG];
    const int me = get_local_id(0), whole = plane / LANES * LANES;
    const size_t p = get_global_id(1);
    floatv wide = 0.0f;
    float sum = 0.0f;

    x += p * plane;
    for (int i = me * LANES; i < whole; i += WG * LANES)
        wide += LOADV(x + i);
    for (int i = whole + me; i < plane; i += WG)
        sum += x[i];
    sum = group_sum(sum + lanes_sum(wide), scratch, WG);
    if (me == 0)
        y[p] = sum / plane;
}

REDUCE plane_lme_fwd(__global const float *restrict x, const int plane, __global float *restrict y)
{
    __local float scratch[WG];
    const int me = get_local_id(0), whole = plane / LANES * LANES;
    const size_t p = get_global_id(1);
    const float largest = plane_largest(x + p * plane, plane, scratch);
    floatv wide = 0.0f;
    float sum = 0.0f;

    x += p * plane;
    for (int i = me * LANES; i < whole; i += WG * LANES)
        wide += exp(LOADV(x + i) - largest);
    for (int i = whole + me; i < plane; i += WG)
        sum += exp(x[i] - largest);
    sum = group_sum(sum + lanes_sum(wide), scratch, WG);
    if (me == 0)
        y[p] = largest == INFINITY ? largest : largest + log(sum / plane);
}

PLANES plane_lme_bwd(__global const float *restrict x, __global const float *restrict y, __global const float *restrict dy,
                     const int n_planes, const int plane, __global float *restrict dx)
{
    const int p = get_global_id(1), i = (int)get_global_id(0) * 4;

    if (p >= n_planes)
        return;
    const float share = dy[p] / plane;
    __global float *sum = dx + (size_t)p * plane;

    store4(fma((float4)(share), exp(load4(x + (size_t)p * plane, i, plane) - y[p]), load4(sum, i, plane)), sum, i, plane);
}

PLANES plane_mean_bwd(__global const float *restrict dy, const int n_planes, const int plane, __global float *restrict dx)
{
    const int p = get_global_id(1), i = (int)get_global_id(0) * 4;

    if (p >= n_planes)
        return;
    __global float *sum = dx + (size_t)p * plane;

    store4(load4(sum, i, plane) + dy[p] / plane, sum, i, plane);
}

// Each work-item looks for its first value equal to the maximum; the smallest place of all gets the gradient.
REDUCE plane_max_bwd(__global const float *restrict x, __global const float *restrict y, __global const float *restrict dy,
                     const int plane, __global float *restrict dx)
{
    __local int places[WG];
    const int me = get_local_id(0);
    const size_t p = get_global_id(1);
    const float largest = y[p];
    int place = plane;

    x += p * plane;
    for (int i = me; i < plane; i += WG) {
        if (x[i] == largest) {
            place = i;
            break;
        }
    }
    places[me] = place;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (me != 0)
        return;
    for (int i = 1; i < WG; i++)
        place = min(place, places[i]);
    if (place < plane)
        dx[p * plane + place] += dy[p];
}

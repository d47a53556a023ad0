// label.cl -- labels that steer a network: as planes beside the channels, or as a scale and a shift of each channel.
//
// Math       planes: y[n,D+k] = l[n,k]; affine: y[n,d] = x[n,d] s[n,d] + t[n,d], s = 1 + sum_k l[n,k] gamma[k,d],
//            t = sum_k l[n,k] beta[k,d]; dx += dy s; dgamma[k,d] += sum_n l[n,k] sum_hw dy x; dbeta[k,d] += sum_n l[n,k] sum_hw dy
// Shapes     x, y [N,D,H,W]; labels l [N,C]; gamma, beta [C,D]; s, t and the sums [N,D], t behind s in one buffer
// Launch     over planes: global {ceil(H*W / 4), planes}, local {16, 4}; coefficients, parameters: one work-item a value,
//            local {64}; affine_sums: global {WG, N*D}, local {WG, 1}
// Tunables   WG, power of two, 1 to 256: work-items to a plane of affine_sums; LANES, 4 or 16: floats they load at once
// Numerics   sums over n and k in order, in float; C and N are small
// Reference  tests/ref/label.c          Source  conditional normalisation: [dumoulin2017]
#ifndef WG
#define WG 64
#endif
#define PLANES __kernel __attribute__((reqd_work_group_size(16, 4, 1))) void
#define VALUES __kernel __attribute__((reqd_work_group_size(64, 1, 1))) void

// Planes `first` to first + c - 1 of every sample of y, which has `channels`.
PLANES label_planes(__global const float *restrict labels, const int n_planes, const int plane, const int c, const int first,
                    const int channels, __global float *restrict y)
{
    const int p = get_global_id(1);
    const int i = (int)get_global_id(0) * 4;

    if (p < n_planes)
        store4((float4)(labels[p]), y + ((size_t)(p / c) * channels + first + p % c) * plane, i, plane);
}

VALUES affine_coefficients(__global const float *restrict labels, __global const float *restrict gamma,
                           __global const float *restrict beta, const int n, const int c, const int d, const int has_gamma,
                           const int has_beta, __global float *restrict coefficients)
{
    const int i = get_global_id(0);
    float s = 1.0f, t = 0.0f;

    if (i >= n * d)
        return;
    for (int k = 0; k < c; k++) {
        const float label = labels[i / d * c + k];

        if (has_gamma)
            s = fma(label, gamma[k * d + i % d], s);
        if (has_beta)
            t = fma(label, beta[k * d + i % d], t);
    }
    coefficients[i] = s;
    coefficients[n * d + i] = t;
}

PLANES affine_fwd(__global const float *restrict x, __global const float *restrict coefficients, const int n_planes,
                  const int plane, __global float *restrict y)
{
    const int p = get_global_id(1);
    const int i = (int)get_global_id(0) * 4;

    if (p >= n_planes)
        return;
    const float4 s = (float4)(coefficients[p]), t = (float4)(coefficients[n_planes + p]);

    store4(fma(load4(x + (size_t)p * plane, i, plane), s, t), y + (size_t)p * plane, i, plane);
}

PLANES affine_bwd_data(__global const float *restrict dy, __global const float *restrict coefficients, const int n_planes,
                       const int plane, __global float *restrict dx)
{
    const int p = get_global_id(1);
    const int i = (int)get_global_id(0) * 4;

    if (p >= n_planes)
        return;
    __global float *sum = dx + (size_t)p * plane;

    store4(fma(load4(dy + (size_t)p * plane, i, plane), (float4)(coefficients[p]), load4(sum, i, plane)), sum, i, plane);
}

// sums[p] = sum dy x and sums[n_planes + p] = sum dy over plane p.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void affine_sums(__global const float *restrict x, __global const float *restrict dy, const int n_planes, const int plane,
                 __global float *restrict sums)
{
    __local float scratch[WG];
    const int me = get_local_id(0);
    const size_t p = get_global_id(1);
    const int whole = plane / LANES * LANES;
    floatv wide_x = 0.0f, wide_1 = 0.0f;
    float sum_x = 0.0f, sum_1 = 0.0f;

    x += p * plane;
    dy += p * plane;
    for (int i = me * LANES; i < whole; i += WG * LANES) {
        const floatv g = LOADV(dy + i);

        wide_x = fma(g, LOADV(x + i), wide_x);
        wide_1 += g;
    }
    for (int i = whole + me; i < plane; i += WG) {
        sum_x = fma(dy[i], x[i], sum_x);
        sum_1 += dy[i];
    }
    sum_x = group_sum(sum_x + lanes_sum(wide_x), scratch, WG);
    sum_1 = group_sum(sum_1 + lanes_sum(wide_1), scratch, WG);
    if (me == 0) {
        sums[p] = sum_x;
        sums[n_planes + p] = sum_1;
    }
}

// One work-item for (k,d); `sums` is the half of affine_sums' buffer that belongs to the parameter, from `first` on.
VALUES affine_bwd_parameter(__global const float *restrict labels, __global const float *restrict sums, const int first,
                            const int n, const int c, const int d, __global float *restrict dparameter)
{
    const int i = get_global_id(0);
    float sum = 0.0f;

    if (i >= c * d)
        return;
    for (int s = 0; s < n; s++)
        sum = fma(labels[s * c + i / d], sums[first + s * d + i % d], sum);
    dparameter[i] += sum;
}

// instance_norm.cl -- instance normalisation, forward and backward.
//
// Math       y = f(gamma (x - mu) rstd + beta), rstd = 1 / sqrt(var + eps), mu and biased var over H*W of each (n,c);
//            f is none, or with HAS_RELU a ReLU of the given slope
//            dz = dy f'; dx += gamma rstd (dz - mean dz - xn mean(dz xn)), xn = (x - mu) rstd; dgamma += sum dz xn; dbeta += sum dz
// Shapes     x, y, dy, dx [N,C,H,W]; gamma, beta, dgamma, dbeta [C]; mu, rstd [N,C]; sums [2,N,C] between the two passes
// Launch     fwd, bwd: global {WG, N*C}, local {WG, 1}: one work-group a plane; bwd_channels: one work-item a channel
// Tunables   WG, power of two, 1 to 256: work-items to a plane; LANES, 4 or 16: floats to a load. SETS_DX: dx = instead of dx +=
// Numerics   two passes over x: E[x^2] - mu^2 cancels on flat planes (black borders of an X-ray)
// Reference  tests/ref/instance_norm.c          Source  [ulyanov2016]
#ifndef WG
#define WG 64
#endif
#define INSTANCE_NORM __kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void

// f of z, and dz from dy and z.
static floatv relu_of(const floatv z, const float slope)
{
#ifdef HAS_RELU
    return z < (floatv)(0.0f) ? slope * z : z;
#else
    return z;
#endif
}

static floatv relu_behind(const floatv z, const floatv dy, const float slope)
{
#ifdef HAS_RELU
    return z > (floatv)(0.0f) ? dy : slope * dy;
#else
    return dy;
#endif
}

// y = f((x - mu) scale + shift).
static void plane_out(const __global float *x, const float mu, const float scale, const float shift, const float slope,
                      const int n, __global float *y)
{
    for (int i = (int)get_local_id(0) * LANES; i < n; i += WG * LANES) {
        const floatv z = fma(load_lanes(x, i, n) - (floatv)(mu), (floatv)(scale), (floatv)(shift));
        store_lanes(relu_of(z, slope), y, i, n);
    }
}

// {sum of dz, sum of dz (x - mu)}.
static float2 plane_dots(const __global float *x, const float mu, const float scale, const float shift, const float slope,
                         const __global float *dy, const int n, __local float *scratch)
{
    floatv s[2] = {(floatv)(0.0f), (floatv)(0.0f)}, p[2] = {(floatv)(0.0f), (floatv)(0.0f)};
    int i = (int)get_local_id(0) * LANES;

    for (; n - i >= WG * LANES + LANES; i += 2 * WG * LANES) {
#pragma unroll
        for (int k = 0; k < 2; k++) {
            const floatv d = LOADV(x + i + k * WG * LANES) - (floatv)(mu);
            const floatv dz = relu_behind(fma(d, (floatv)(scale), (floatv)(shift)), LOADV(dy + i + k * WG * LANES), slope);
            s[k] += dz;
            p[k] = fma(dz, d, p[k]);
        }
    }
    for (; i < n; i += WG * LANES) {
        const floatv d = load_lanes(x, i, n) - (floatv)(mu); // behind the end dy is zero, and so is dz
        const floatv dz = relu_behind(fma(d, (floatv)(scale), (floatv)(shift)), load_lanes(dy, i, n), slope);
        s[0] += dz;
        p[0] = fma(dz, d, p[0]);
    }
    const float sum = group_sum(lanes_sum(s[0] + s[1]), scratch, WG);
    return (float2)(sum, group_sum(lanes_sum(p[0] + p[1]), scratch, WG));
}

// gamma, beta, mu, rstd may be NULL.
INSTANCE_NORM instance_norm_fwd(const __global float *restrict x, const __global float *restrict gamma,
                                const __global float *restrict beta, const int n_channels, const int plane,
                                const float eps, const float slope, __global float *restrict y, __global float *restrict mu,
                                __global float *restrict rstd)
{
    __local float scratch[WG];
    const int index = (int)get_group_id(1), channel = index % n_channels;
    const size_t first = (size_t)index * plane;
    const float mean = row_sum(x + first, plane, scratch, WG) / plane;
    const float variance = row_squares(x + first, mean, plane, scratch, WG) / plane;
    const float r = 1.0f / sqrt(variance + eps);

    plane_out(x + first, mean, gamma ? r * gamma[channel] : r, beta ? beta[channel] : 0.0f, slope, plane, y + first);
    if (get_local_id(0) == 0) {
        if (mu)
            mu[index] = mean;
        if (rstd)
            rstd[index] = r;
    }
}

// gamma, beta, sums, dx may be NULL; sums takes sum dz xn, then sum dz, of each plane.
INSTANCE_NORM instance_norm_bwd(const __global float *restrict x, const __global float *restrict gamma,
                                const __global float *restrict beta, const __global float *restrict mu,
                                const __global float *restrict rstd, const __global float *restrict dy, const int n_channels,
                                const int plane, const float slope, __global float *restrict sums,
                                __global float *restrict dx)
{
    __local float scratch[WG];
    const int index = (int)get_group_id(1);
    const size_t first = (size_t)index * plane;
    const float mean = mu[index], r = rstd[index], scale = gamma ? r * gamma[index % n_channels] : r;
    const float shift = beta ? beta[index % n_channels] : 0.0f;
    const float2 dots = plane_dots(x + first, mean, scale, shift, slope, dy + first, plane, scratch);

    if (dx) {
        const float mean_dz = dots.x / plane, along = dots.y / plane * r * r;

        for (int i = (int)get_local_id(0) * LANES; i < plane; i += WG * LANES) {
            const floatv d = load_lanes(x + first, i, plane) - (floatv)(mean);
            const floatv dz =
                relu_behind(fma(d, (floatv)(scale), (floatv)(shift)), load_lanes(dy + first, i, plane), slope);
            const floatv centred = fma(d, (floatv)(-along), dz - (floatv)(mean_dz));
#ifdef SETS_DX
            store_lanes(scale * centred, dx + first, i, plane);
#else
            store_lanes(fma((floatv)(scale), centred, load_lanes(dx + first, i, plane)), dx + first, i, plane);
#endif
        }
    }
    if (sums && get_local_id(0) == 0) {
        sums[index] = dots.y * r;
        sums[get_num_groups(1) + index] = dots.x;
    }
}

// Sums over the images of a batch, in order; dgamma and dbeta may be NULL.
INSTANCE_NORM instance_norm_bwd_channels(const __global float *restrict sums, const int n_images, const int n_channels,
                                         __global float *restrict dgamma, __global float *restrict dbeta)
{
    const int channel = (int)get_global_id(0);
    float sum_xn = 0.0f, sum_dy = 0.0f;

    if (channel >= n_channels)
        return;
    for (int n = 0; n < n_images; n++) {
        sum_xn += sums[(size_t)n * n_channels + channel];
        sum_dy += sums[(size_t)(n_images + n) * n_channels + channel];
    }
    if (dgamma)
        dgamma[channel] += sum_xn;
    if (dbeta)
        dbeta[channel] += sum_dy;
}

// instance_norm.cl -- instance normalisation, forward and backward.
//
// Math       y = gamma (x - mu) rstd + beta, rstd = 1 / sqrt(var + eps), mu and biased var over H*W of each (n,c)
//            dx += gamma rstd (dy - mean dy - xn mean(dy xn)), xn = (x - mu) rstd; dgamma += sum dy xn; dbeta += sum dy
// Shapes     x, y, dy, dx [N,C,H,W]; gamma, beta, dgamma, dbeta [C]; mu, rstd [N,C]; sums [2,N,C] between the two passes
// Launch     fwd, bwd: global {WG, N*C}, local {WG, 1}: one work-group a plane; bwd_channels: one work-item a channel
// Tunables   WG, power of two, 1 to 256: work-items to a plane; LANES, 4 or 16: floats to a load
// Numerics   two passes over x: E[x^2] - mu^2 cancels on flat planes (black borders of an X-ray)
// Reference  tests/ref/instance_norm.c          Source  [ulyanov2016]
#ifndef WG
#define WG 64
#endif
#define INSTANCE_NORM __kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void

// gamma, beta, mu, rstd may be NULL.
INSTANCE_NORM instance_norm_fwd(const __global float *restrict x, const __global float *restrict gamma,
                                const __global float *restrict beta, const int n_channels, const int plane,
                                const float eps, __global float *restrict y, __global float *restrict mu,
                                __global float *restrict rstd)
{
    __local float scratch[WG];
    const int index = (int)get_group_id(1), channel = index % n_channels;
    const size_t first = (size_t)index * plane;
    const float mean = row_sum(x + first, plane, scratch, WG) / plane;
    const float variance = row_squares(x + first, mean, plane, scratch, WG) / plane;
    const float r = 1.0f / sqrt(variance + eps);

    row_affine(x + first, mean, gamma ? r * gamma[channel] : r, beta ? beta[channel] : 0.0f, plane, y + first, WG);
    if (get_local_id(0) == 0) {
        if (mu)
            mu[index] = mean;
        if (rstd)
            rstd[index] = r;
    }
}

// gamma, sums, dx may be NULL; sums takes sum dy xn, then sum dy, of each plane.
INSTANCE_NORM instance_norm_bwd(const __global float *restrict x, const __global float *restrict gamma,
                                const __global float *restrict mu, const __global float *restrict rstd,
                                const __global float *restrict dy, const int n_channels, const int plane,
                                __global float *restrict sums, __global float *restrict dx)
{
    __local float scratch[WG];
    const int index = (int)get_group_id(1);
    const size_t first = (size_t)index * plane;
    const float mean = mu[index], r = rstd[index], scale = gamma ? r * gamma[index % n_channels] : r;
    const float2 dots = row_dots(x + first, mean, dy + first, plane, scratch, WG);

    if (dx)
        row_norm_bwd(x + first, mean, dy + first, scale, dots.x / plane, dots.y / plane * r * r, plane, dx + first, WG);
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

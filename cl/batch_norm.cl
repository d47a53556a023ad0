// batch_norm.cl -- batch normalisation, forward (training and evaluation) and backward.
//
// Math       y = gamma (x - mu) rstd + beta, mu and biased var over N,H,W of each channel; running_mean and running_var move
//            by momentum to mu and to the unbiased var; backward as instance normalisation's, with means over N,H,W
// Shapes     x, y, dy, dx [N,C,H,W]; vectors [C]; moments [2,N,C]: mean and sum of squares of each plane; sums [2,N,C]
// Launch     planes: global {WG, N*C}, local {WG, 1}: one work-group a plane; channels: one work-item a channel
// Tunables   WG, power of two, 1 to 256: work-items to a plane; LANES, 4 or 16: floats to a load
// Numerics   planes' moments in two passes, joined by Chan's formula: nothing cancels
// Reference  tests/ref/batch_norm.c          Source  [ioffe2015], [chan1983]
#ifndef WG
#define WG 64
#endif
#define BATCH_NORM __kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void

BATCH_NORM batch_norm_moments(const __global float *restrict x, const int plane, __global float *restrict moments)
{
    __local float scratch[WG];
    const size_t index = get_group_id(1), first = index * plane;
    const float mean = row_sum(x + first, plane, scratch, WG) / plane;
    const float squares = row_squares(x + first, mean, plane, scratch, WG);

    if (get_local_id(0) == 0) {
        moments[index] = mean;
        moments[get_num_groups(1) + index] = squares;
    }
}

// The moments of a channel from those of its planes; unbiased = count / (count - 1).
BATCH_NORM batch_norm_channels(const __global float *restrict moments, const int n_images, const int n_channels,
                               const int plane, const float eps, const float momentum, const float unbiased,
                               __global float *restrict running_mean, __global float *restrict running_var,
                               __global float *restrict mu, __global float *restrict rstd)
{
    const int channel = (int)get_global_id(0);
    const size_t n_planes = (size_t)n_images * n_channels;
    float mean = 0.0f, squares = 0.0f;

    if (channel >= n_channels)
        return;
    for (int n = 0; n < n_images; n++)
        mean += moments[(size_t)n * n_channels + channel];
    mean /= n_images;
    for (int n = 0; n < n_images; n++) {
        const float off = moments[(size_t)n * n_channels + channel] - mean;
        squares += fma(off * off, (float)plane, moments[n_planes + (size_t)n * n_channels + channel]);
    }
    const float variance = squares / n_images / plane;
    mu[channel] = mean;
    rstd[channel] = 1.0f / sqrt(variance + eps);
    running_mean[channel] = fma(momentum, mean - running_mean[channel], running_mean[channel]);
    running_var[channel] = fma(momentum, variance * unbiased - running_var[channel], running_var[channel]);
}

// spread is rstd, or with is_variance 1 the variance.
BATCH_NORM batch_norm_apply(const __global float *restrict x, const __global float *restrict gamma,
                            const __global float *restrict beta, const __global float *restrict mu,
                            const __global float *restrict spread, const int is_variance, const int n_channels,
                            const int plane, const float eps, __global float *restrict y)
{
    const int index = (int)get_group_id(1), channel = index % n_channels;
    const size_t first = (size_t)index * plane;
    const float r = is_variance ? 1.0f / sqrt(spread[channel] + eps) : spread[channel];

    row_affine(x + first, mu[channel], gamma ? r * gamma[channel] : r, beta ? beta[channel] : 0.0f, plane, y + first, WG);
}

// Of each plane: sum dy xn, then sum dy.
BATCH_NORM batch_norm_bwd_sums(const __global float *restrict x, const __global float *restrict mu,
                               const __global float *restrict rstd, const __global float *restrict dy,
                               const int n_channels, const int plane, __global float *restrict sums)
{
    __local float scratch[WG];
    const int index = (int)get_group_id(1), channel = index % n_channels;
    const size_t first = (size_t)index * plane;
    const float2 dots = row_dots(x + first, mu[channel], dy + first, plane, scratch, WG);

    if (get_local_id(0) == 0) {
        sums[index] = dots.y * rstd[channel];
        sums[get_num_groups(1) + index] = dots.x;
    }
}

// Sums over the images, in order, left in the first image's place; dgamma and dbeta may be NULL.
BATCH_NORM batch_norm_bwd_channels(const int n_images, const int n_channels, __global float *restrict sums,
                                   __global float *restrict dgamma, __global float *restrict dbeta)
{
    const int channel = (int)get_global_id(0);
    const size_t n_planes = (size_t)n_images * n_channels;
    float sum_xn = 0.0f, sum_dy = 0.0f;

    if (channel >= n_channels)
        return;
    for (int n = 0; n < n_images; n++) {
        sum_xn += sums[(size_t)n * n_channels + channel];
        sum_dy += sums[n_planes + (size_t)n * n_channels + channel];
    }
    sums[channel] = sum_xn;
    sums[n_planes + channel] = sum_dy;
    if (dgamma)
        dgamma[channel] += sum_xn;
    if (dbeta)
        dbeta[channel] += sum_dy;
}

// count = N H W as a float: the means' divisor.
BATCH_NORM batch_norm_bwd_apply(const __global float *restrict x, const __global float *restrict gamma,
                                const __global float *restrict mu, const __global float *restrict rstd,
                                const __global float *restrict dy, const __global float *restrict sums,
                                const int n_channels, const int plane, const float count, __global float *restrict dx)
{
    const int index = (int)get_group_id(1), channel = index % n_channels;
    const size_t first = (size_t)index * plane;
    const float r = rstd[channel];

    row_norm_bwd(x + first, mu[channel], dy + first, gamma ? r * gamma[channel] : r,
                 sums[get_num_groups(1) + channel] / count, sums[channel] / count * r, plane, dx + first, WG);
}

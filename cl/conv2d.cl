// conv2d.cl -- convolution, the plain way: every shape, stride and padding, one work-item to a result.
//
// Math       gather   y[n,k,p,q] = b[k] + sum_crs w[k,c,r,s] x[n,c,p*stride+r-pad,q*stride+s-pad]
//            scatter  x[n,c,h,w] = b[c] + sum_krs w[k,c,r,s] y[n,k,p,q] over all (p,r): p*stride+r-pad = h (or mirrors to it)
//            weights  dw[k,c,r,s] += sum_npq y[n,k,p,q] x[n,c,p*stride+r-pad,q*stride+s-pad]
// Shapes     x [N,C,H,W], w [K,C,R,S], y [N,K,P,Q]; gather is the forward pass, scatter its transpose
// Launch     gather {Q, P, N*K}, scatter {W, H, N*C}, weights {R*S, C, K}; local {WG, 1, 1} in the first two;
//            bias {BIAS_WG, K}, local {BIAS_WG, 1, 1}
// Tunables   WG, 8 to 64: work-items along a row; BIAS_WG, 1 to 256: work-items to a channel; LANES, 4 or 16
// Numerics   one float sum a result in gather and scatter; weights sum rows first, so that long sums stay accurate
// Reference  tests/ref/conv2d.c          Source  the definition (torch.nn.Conv2d)
#ifndef WG
#define WG 16
#endif
#ifndef BIAS_WG
#define BIAS_WG 1
#endif

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void conv2d_gather(__global const float *restrict x, __global const float *restrict w, __global const float *restrict b,
                   const int has_bias, const int c_count, const int h_count, const int w_count, const int k_count,
                   const int p_count, const int q_count, const int r_count, const int s_count, const int stride,
                   const int pad, const int reflect, const int add, __global float *restrict y)
{
    const int q = get_global_id(0), p = get_global_id(1);
    const int n = get_global_id(2) / k_count, k = get_global_id(2) % k_count;
    float sum = 0.0f;

    if (q >= q_count)
        return;
    for (int c = 0; c < c_count; c++) {
        __global const float *plane = x + ((size_t)n * c_count + c) * h_count * w_count;
        __global const float *taps = w + ((size_t)k * c_count + c) * r_count * s_count;
        for (int r = 0; r < r_count; r++) {
            const int row = inside(p * stride + r - pad, h_count, reflect);
            for (int s = 0; s < s_count; s++) {
                const int column = inside(q * stride + s - pad, w_count, reflect);
                if (row >= 0 && column >= 0)
                    sum = fma(taps[r * s_count + s], plane[(size_t)row * w_count + column], sum);
            }
        }
    }
    const size_t at = (((size_t)n * k_count + k) * p_count + p) * q_count + q;
    sum += has_bias ? b[k] : 0.0f;
    y[at] = add ? y[at] + sum : sum;
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void conv2d_scatter(__global const float *restrict y, __global const float *restrict w, __global const float *restrict b,
                    const int has_bias, const int c_count, const int h_count, const int w_count, const int k_count,
                    const int p_count, const int q_count, const int r_count, const int s_count, const int stride,
                    const int pad, const int reflect, const int add, __global float *restrict x)
{
    const int column = get_global_id(0), row = get_global_id(1);
    const int n = get_global_id(2) / c_count, c = get_global_id(2) % c_count;
    const int n_places = reflect ? 3 : 1;
    float sum = 0.0f;

    if (column >= w_count)
        return;
    for (int k = 0; k < k_count; k++) {
        __global const float *plane = y + ((size_t)n * k_count + k) * p_count * q_count;
        __global const float *taps = w + ((size_t)k * c_count + c) * r_count * s_count;
        for (int i = 0; i < n_places; i++) {
            const int at_row = place(i, row, h_count, pad, reflect);
            if (at_row < 0)
                continue;
            for (int r = at_row % stride; r < r_count && r <= at_row; r += stride) {
                const int p = (at_row - r) / stride;
                if (p >= p_count)
                    continue;
                for (int j = 0; j < n_places; j++) {
                    const int at_column = place(j, column, w_count, pad, reflect);
                    if (at_column < 0)
                        continue;
                    for (int s = at_column % stride; s < s_count && s <= at_column; s += stride) {
                        const int q = (at_column - s) / stride;
                        if (q < q_count)
                            sum = fma(taps[r * s_count + s], plane[(size_t)p * q_count + q], sum);
                    }
                }
            }
        }
    }
    const size_t at = (((size_t)n * c_count + c) * h_count + row) * w_count + column;
    sum += has_bias ? b[c] : 0.0f;
    x[at] = add ? x[at] + sum : sum;
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv2d_weights(__global const float *restrict x, __global const float *restrict y, const int n_count, const int c_count,
                    const int h_count, const int w_count, const int k_count, const int p_count, const int q_count,
                    const int r_count, const int s_count, const int stride, const int pad, const int reflect,
                    __global float *restrict dw)
{
    const int r = get_global_id(0) / s_count, s = get_global_id(0) % s_count;
    const int c = get_global_id(1), k = get_global_id(2);
    float total = 0.0f;

    for (int n = 0; n < n_count; n++) {
        float image = 0.0f;
        for (int p = 0; p < p_count; p++) {
            const int row = inside(p * stride + r - pad, h_count, reflect);
            if (row < 0)
                continue;
            __global const float *line = x + (((size_t)n * c_count + c) * h_count + row) * w_count;
            __global const float *grad = y + (((size_t)n * k_count + k) * p_count + p) * q_count;
            float sum = 0.0f;
            for (int q = 0; q < q_count; q++) {
                const int column = inside(q * stride + s - pad, w_count, reflect);
                if (column >= 0)
                    sum = fma(grad[q], line[column], sum);
            }
            image += sum;
        }
        total += image;
    }
    dw[(((size_t)k * c_count + c) * r_count + r) * s_count + s] += total;
}

// The sum of a plane; of a few values in their order, so that what cancels exactly cancels here, too: Adam turns the rounding of a
// gradient that is zero into steps of full length.
static float plane_sum(__global const float *values, const int n, __local float *scratch)
{
    float sum = 0.0f;

    if (n > LANES)
        return row_sum(values, n, scratch, BIAS_WG);
    for (int i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

// db[k] += sum over n,p,q of y; one work-group a channel, planes summed first.
__kernel __attribute__((reqd_work_group_size(BIAS_WG, 1, 1)))
void conv2d_bias(__global const float *restrict y, const int n_count, const int k_count, const int plane,
                 __global float *restrict db)
{
    __local float scratch[BIAS_WG];
    const int k = get_group_id(1);
    float total = 0.0f;

    for (int n = 0; n < n_count; n++)
        total += plane_sum(y + ((size_t)n * k_count + k) * plane, plane, scratch);
    if (get_local_id(0) == 0)
        db[k] += total;
}

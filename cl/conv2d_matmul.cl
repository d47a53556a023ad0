// conv2d_matmul.cl -- the copies around a matrix product: im2col, its transpose, and a bias to start from.
//
// Math       columns[crs, pq] = x[c, p*stride+r-pad, q*stride+s-pad]; image[c,h,w] += sum of columns over all that show it
// Shapes     one image: x [C,H,W], columns [C*R*S, P*Q]
// Launch     im2col {Q, P, C*R*S}, col2im {W, H, C}, bias {plane, N*K}; local {WG, 1, 1}
// Tunables   WG, 8 to 64: work-items along a row
// Numerics   copies; col2im sums taps in order
// Reference  tests/ref/conv2d.c (through the convolution)          Source  [chellapilla2006]
#ifndef WG
#define WG 16
#endif

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void im2col(__global const float *restrict x, const int image, const int c_count, const int h_count, const int w_count,
            const int p_count, const int q_count, const int r_count, const int s_count, const int stride, const int pad,
            const int reflect, __global float *restrict columns)
{
    const int q = get_global_id(0), p = get_global_id(1), tap = get_global_id(2);
    const int s = tap % s_count, r = tap / s_count % r_count, c = tap / (s_count * r_count);

    if (q >= q_count)
        return;
    const int row = inside(p * stride + r - pad, h_count, reflect), column = inside(q * stride + s - pad, w_count, reflect);
    columns[((size_t)tap * p_count + p) * q_count + q] =
        row >= 0 && column >= 0 ? x[(((size_t)image * c_count + c) * h_count + row) * w_count + column] : 0.0f;
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void col2im(__global const float *restrict columns, const int image, const int c_count, const int h_count, const int w_count,
            const int p_count, const int q_count, const int r_count, const int s_count, const int stride, const int pad,
            const int reflect, __global const float *restrict b, const int has_bias, const int add, __global float *restrict x)
{
    const int column = get_global_id(0), row = get_global_id(1), c = get_global_id(2);
    const int n_places = reflect ? 3 : 1;
    float sum = 0.0f;

    if (column >= w_count)
        return;
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
                        sum += columns[((((size_t)c * r_count + r) * s_count + s) * p_count + p) * q_count + q];
                }
            }
        }
    }
    __global float *to = x + (((size_t)image * c_count + c) * h_count + row) * w_count + column;
    sum += has_bias ? b[c] : 0.0f;
    *to = add ? *to + sum : sum;
}

// y[n,k,:] = b[k]: the matrix product then adds to it.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void start_from_bias(__global const float *restrict b, const int k_count, const int plane, __global float *restrict y)
{
    if ((int)get_global_id(0) < plane)
        y[(size_t)get_global_id(1) * plane + get_global_id(0)] = b[get_global_id(1) % k_count];
}

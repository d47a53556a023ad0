// conv2d_fft.cl -- around the Fourier transforms of a convolution: padding, products of spectra, cropping.
//
// Math       F(y) = sum_c F(x) conj(F(w)), F(x) = sum_k F(y) F(w), F(dw) = sum_n F(x) conj(F(y)): all one sum over t,
//            out(i,j) = sum_t a(i,t) b(t,j), frequency by frequency
// Shapes     planes of LH x LW values, spectra of LH x (LW/2+1) complex values; which plane (i,t) is, the host says
// Launch     pad {LW, LH, planes}, crop {w, h, planes}, products {frequencies, blocks of J of j, i}; local {WG, 1, 1}
// Tunables   WG, 8 to 64: work-items along a row; J, 4 here: columns j to a work-item, so that a is read once for them
// Numerics   sums in the order of t, fma; zeros and mirrored pixels are copies
// Reference  tests/ref/conv2d.c (through the convolution)          Source  [mathieu2014]
#ifndef WG
#define WG 16
#endif
#define J 4

// dst [planes,lh,lw] = planes `first` on of src, with `pad` pixels around and zeros up to the transform's size.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void fft_pad(__global const float *restrict src, const int first, const int h, const int w, const int pad, const int reflect,
             const int lh, const int lw, __global float *restrict dst)
{
    const int j = get_global_id(0), i = get_global_id(1);

    if (j >= lw)
        return;
    const int row = i < h + 2 * pad ? inside(i - pad, h, reflect) : -1;
    const int column = j < w + 2 * pad ? inside(j - pad, w, reflect) : -1;
    dst[((size_t)get_global_id(2) * lh + i) * lw + j] =
        row >= 0 && column >= 0 ? src[(((size_t)first + get_global_id(2)) * h + row) * w + column] : 0.0f;
}

// dst, from plane `first` on, (+)= the sum of src over all places that show the pixel, plus the bias of the plane's channel.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void fft_crop(__global const float *restrict src, const int lh, const int lw, const int first, const int h, const int w, const int pad,
              const int reflect, __global const float *restrict b, const int has_bias, const int channels, const int add,
              __global float *restrict dst)
{
    const int j = get_global_id(0), i = get_global_id(1), plane = get_global_id(2);
    const int n_places = reflect ? 3 : 1;
    float sum = 0.0f;

    if (j >= w)
        return;
    for (int r = 0; r < n_places; r++) {
        const int row = place(r, i, h, pad, reflect);

        for (int s = 0; s < n_places && row >= 0; s++) {
            const int column = place(s, j, w, pad, reflect);

            if (column >= 0)
                sum += src[((size_t)plane * lh + row) * lw + column];
        }
    }
    __global float *to = dst + (((size_t)first + plane) * h + i) * w + j;
    sum += has_bias ? b[(first + plane) % channels] : 0.0f;
    *to = add ? *to + sum : sum;
}

// out(i,j) (+)= sum_t a(i,t) b(t,j), b conjugated or not. X_first is the plane of (0,0), X_i, X_t, X_j the planes from one to the next.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void fft_products(__global const float *restrict a, const int a_first, const int a_i, const int a_t, __global const float *restrict b,
                  const int b_first, const int b_t, const int b_j, const int frequencies, const int t_count, const int j_count,
                  const int conjugated, const int out_first, const int out_i, const int out_j, const int add,
                  __global float *restrict out)
{
    const int f = get_global_id(0), j0 = get_global_id(1) * J, i = get_global_id(2);
    const float sign = conjugated ? -1.0f : 1.0f;
    float re[J], im[J];

    if (f >= frequencies)
        return;
    for (int k = 0; k < J; k++)
        re[k] = im[k] = 0.0f;
    for (int t = 0; t < t_count; t++) {
        const float2 u = vload2(((size_t)a_first + (size_t)a_i * i + (size_t)a_t * t) * frequencies + f, a);
        for (int k = 0; k < J; k++) {
            const size_t plane = (size_t)b_first + (size_t)b_t * t + (size_t)b_j * min(j0 + k, j_count - 1);
            const float2 v = vload2(plane * frequencies + f, b);
            const float imaginary = sign * v.y;
            re[k] = fma(u.x, v.x, fma(-u.y, imaginary, re[k]));
            im[k] = fma(u.x, imaginary, fma(u.y, v.x, im[k]));
        }
    }
    for (int k = 0; k < J && j0 + k < j_count; k++) {
        const size_t at = ((size_t)out_first + (size_t)out_i * i + (size_t)out_j * (j0 + k)) * frequencies + f;
        const float2 sum = (float2)(re[k], im[k]);
        vstore2(add ? vload2(at, out) + sum : sum, at, out);
    }
}

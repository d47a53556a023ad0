// conv2d_fold.cl -- an image whose mirrored halo was written to, folded back: the end of a scatter on graphics cards.
//
// Math       x[n,c,h,w] (+)= b[c] + the sum of padded[n,c,i,j] over the up to nine places that show pixel (h,w)
// Shapes     padded [N,C,H + 2 pad,W + 2 pad], x [N,C,H,W], b [C]
// Launch     {W, H, N*C}, local {WG, 1, 1}
// Tunables   WG, 16 to 256: work-items along a row
// Numerics   rows first, each from the middle outwards
// Reference  tests/ref/conv2d.c          Source  torch.nn.ReflectionPad2d
#ifndef WG
#define WG 64
#endif

// The sum of one padded row over the places that show column j.
static float folded(__global const float *row, const int j, const int w, const int pad)
{
    float sum = row[pad + j];
    if (j > 0 && j <= pad)
        sum += row[pad - j];
    if (j < w - 1 && j >= w - 1 - pad)
        sum += row[pad + 2 * (w - 1) - j];
    return sum;
}

// x (+)= the planes with a mirrored halo of `pad` folded back, plus the bias: a pixel gets the values of all places that show it.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void conv2d_fold(__global const float *restrict padded, const int c_count, const int h_count, const int w_count, const int pad,
                   __global const float *restrict bias, const int has_bias, const int add, __global float *restrict x)
{
    const int j = get_global_id(0), i = get_global_id(1), width = w_count + 2 * pad;
    __global const float *plane = padded + get_global_id(2) * ((size_t)(h_count + 2 * pad) * width);

    if (j >= w_count)
        return;
    float sum = folded(plane + (size_t)(pad + i) * width, j, w_count, pad);
    if (i > 0 && i <= pad)
        sum += folded(plane + (size_t)(pad - i) * width, j, w_count, pad);
    if (i < h_count - 1 && i >= h_count - 1 - pad)
        sum += folded(plane + (size_t)(pad + 2 * (h_count - 1) - i) * width, j, w_count, pad);
    sum += has_bias ? bias[(int)get_global_id(2) % c_count] : 0.0f;
    const size_t at = (get_global_id(2) * h_count + i) * w_count + j;
    x[at] = add ? x[at] + sum : sum;
}

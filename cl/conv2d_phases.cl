// conv2d_phases.cl -- a convolution of 4 x 4 taps and stride 2 as one of 2 x 2 taps and stride 1 on four times the channels.
//
// Math       x4[n,4c+2a+b,i,j] = x[n,c,2i+a-pad,2j+b-pad], 0 outside; w4[k,4c+2a+b,t,u] = w[k,c,2t+a,2u+b]
// Shapes     x [N,C,H,W], x4 [N,4C,H4,W4]; w [K,C,4,4], w4 [K,4C,2,2]
// Launch     split {H4, N*C}, join {H, N*C}; split_taps, join_taps {K*C}; local {1,1}: a work-item copies rows
// Tunables   none
// Numerics   exact copies
// Reference  tests/ref/conv2d.c (through the convolutions that use it)          Source  [shi2016]

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void split(__global const float *restrict x, const int h, const int w, const int pad, const int h4, const int w4,
           __global float *restrict x4)
{
    const int i = get_global_id(0);

    for (int a = 0; a < 2; a++) {
        const int row = 2 * i + a - pad;
        __global const float *in = x + ((size_t)get_global_id(1) * h + row) * w;
        __global float *even = x4 + (((size_t)get_global_id(1) * 4 + 2 * a) * h4 + i) * w4, *odd = even + (size_t)h4 * w4;

        for (int j = 0; j < w4;) {
            const int column = 2 * j - pad;

            if (row >= 0 && row < h && column >= 0 && column + 16 <= w && j + 8 <= w4) {
                const float16 v = vload16(0, in + column);
                vstore8(v.even, 0, even + j);
                vstore8(v.odd, 0, odd + j);
                j += 8;
                continue;
            }
            even[j] = row >= 0 && row < h && column >= 0 && column < w ? in[column] : 0.0f;
            odd[j] = row >= 0 && row < h && column + 1 >= 0 && column + 1 < w ? in[column + 1] : 0.0f;
            j++;
        }
    }
}

// x (+)= the pixels of x4 at their places, + bias; pixels that no phase shows get the bias alone.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void join(__global const float *restrict x4, const int h4, const int w4, __global const float *restrict bias, const int has_bias,
          const int c_count, const int h, const int w, const int pad, const int add, __global float *restrict x)
{
    const int row = (int)get_global_id(0) + pad, i = row / 2, a = row % 2;
    const float start = has_bias ? bias[get_global_id(1) % c_count] : 0.0f;
    __global const float *even = x4 + (((size_t)get_global_id(1) * 4 + 2 * a) * h4 + i) * w4, *odd = even + (size_t)h4 * w4;
    __global float *out = x + ((size_t)get_global_id(1) * h + get_global_id(0)) * w;

    for (int column = 0; column < w;) {
        const int j = (column + pad) / 2, b = (column + pad) % 2;

        if (i < h4 && b == 0 && j + 8 <= w4 && column + 16 <= w) {
            float16 v;
            v.even = vload8(0, even + j);
            v.odd = vload8(0, odd + j);
            v += start;
            vstore16(add ? vload16(0, out + column) + v : v, 0, out + column);
            column += 16;
            continue;
        }
        const float value = (i < h4 && j < w4 ? (b ? odd[j] : even[j]) : 0.0f) + start;
        out[column] = add ? out[column] + value : value;
        column++;
    }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void split_taps(__global const float *restrict w, __global float *restrict w4)
{
    const float16 v = vload16(get_global_id(0), w);
    vstore16((float16)(v.s028a, v.s139b, v.s46ce, v.s57df), get_global_id(0), w4);
}

// dw += dw4.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void join_taps(__global const float *restrict dw4, __global float *restrict dw)
{
    const float16 v = vload16(get_global_id(0), dw4);
    vstore16(vload16(get_global_id(0), dw) + (float16)(v.s0415, v.s8c9d, v.s2637, v.saebf), get_global_id(0), dw);
}

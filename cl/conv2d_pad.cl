// conv2d_pad.cl -- halos: a plane with its padding written out, and the gradient of that folded back.
//
// Math       add    dst[i,j] = src[m(i - top), m(j - left)], m the mirror at the edge pixel, or 0 outside
//            fold   dst[h,w] (+)= sum of src over every place that shows (h,w)
// Shapes     src [planes,H,W], dst [planes,top+H+bottom,left+W+right]; for fold the other way round
// Launch     add {rows of dst, planes}, fold {H, planes}; local {1, 1}: one work-item a row
// Tunables   none
// Numerics   exact copies; folds add at most nine values
// Reference  tests/ref/conv2d.c (through the convolutions that use it)          Source  none

static int mirrored(const int i, const int n)
{
    return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void halo_add(__global const float *restrict src, const int h, const int w, const int top, const int bottom, const int left,
              const int right, const int reflect, __global float *restrict dst)
{
    const int row = (int)get_global_id(0) - top;
    const int width = left + w + right;
    __global float *out = dst + ((size_t)get_global_id(1) * (top + h + bottom) + get_global_id(0)) * width;

    if (!reflect && (row < 0 || row >= h)) {
        for (int i = 0; i < width; i++)
            out[i] = 0.0f;
        return;
    }
    __global const float *in = src + ((size_t)get_global_id(1) * h + mirrored(row, h)) * w;
    for (int i = 0; i < left; i++)
        out[i] = reflect ? in[mirrored(i - left, w)] : 0.0f;
    int i = 0;
    for (; i + 16 <= w; i += 16)
        vstore16(vload16(0, in + i), 0, out + left + i);
    for (; i < w; i++)
        out[left + i] = in[i];
    for (i = 0; i < right; i++)
        out[left + w + i] = reflect ? in[mirrored(w + i, w)] : 0.0f;
}

// The sum of one padded row over the places that show column j.
static float folded(__global const float *row, const int j, const int w, const int left, const int right)
{
    float sum = row[left + j];
    if (j > 0 && j <= left)
        sum += row[left - j];
    if (j < w - 1 && 2 * (w - 1) - j < w + right)
        sum += row[left + 2 * (w - 1) - j];
    return sum;
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void halo_fold(__global const float *restrict src, const int h, const int w, const int top, const int bottom, const int left,
               const int right, const int add, __global float *restrict dst)
{
    const int row = get_global_id(0), width = left + w + right;
    __global const float *plane = src + (size_t)get_global_id(1) * (top + h + bottom) * width;
    __global float *out = dst + ((size_t)get_global_id(1) * h + row) * w;
    const int above = row > 0 && row <= top ? top - row : -1;
    const int below = row < h - 1 && 2 * (h - 1) - row < h + bottom ? top + 2 * (h - 1) - row : -1;

    for (int j = 0; j < w; j++) {
        float sum = folded(plane + (size_t)(top + row) * width, j, w, left, right);
        if (above >= 0)
            sum += folded(plane + (size_t)above * width, j, w, left, right);
        if (below >= 0)
            sum += folded(plane + (size_t)below * width, j, w, left, right);
        out[j] = add ? out[j] + sum : sum;
    }
}

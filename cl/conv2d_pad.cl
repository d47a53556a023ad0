// conv2d_pad.cl -- halos: a plane with its padding written out, and the gradient of that folded back.
//
// Math       add    dst[i,j] = src[m(i - top), m(j - left)], m the mirror at the edge pixel, or 0 outside
//            fold   dst[h,w] (+)= sum of src over every place that shows (h,w)
// Shapes     src [planes,H,W], dst [planes,top+H+bottom,left+W+right]; for fold the other way round
// Launch     add {blocks of rows_each rows of dst, planes}, fold {H, planes}; local {1, 1}: a work-item copies whole rows
// Tunables   none
// Numerics   exact copies; folds add at most nine values
// Reference  tests/ref/conv2d.c (through the convolutions that use it)          Source  none

static int mirrored(const int i, const int n)
{
    return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void halo_add(__global const float *restrict src, const int h, const int w, const int top, const int bottom, const int left,
              const int right, const int reflect, const int rows_each, __global float *restrict dst)
{
    const int height = top + h + bottom, width = left + w + right;
    const int first = (int)get_global_id(0) * rows_each, end = min(first + rows_each, height);

    for (int i = first; i < end; i++) {
        const int row = i - top;
        __global float *out = dst + ((size_t)get_global_id(1) * height + i) * width;

        if (!reflect && (row < 0 || row >= h)) {
            for (int j = 0; j < width; j++)
                out[j] = 0.0f;
            continue;
        }
        __global const float *in = src + ((size_t)get_global_id(1) * h + mirrored(row, h)) * w;
        int j = 0;
        for (; j < left; j++)
            out[j] = reflect ? in[mirrored(j - left, w)] : 0.0f;
        for (j = 0; j + 8 <= w; j += 8)
            vstore8(vload8(0, in + j), 0, out + left + j);
        for (; j < w; j++)
            out[left + j] = in[j];
        for (j = 0; j < right; j++)
            out[left + w + j] = reflect ? in[mirrored(w + j, w)] : 0.0f;
    }
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

// half.cl -- values kept as half between the forward and the backward pass.
//
// Math       h = the half nearest to x - centre, ties to even, within [-65504, 65504]; y = h + centre
// Shapes     x, y, h: rows of n values each; h takes two bytes a value; centre [rows] or NULL: 0
// Launch     global {ceil(n / LANES), rows}
// Tunables   LANES, 4 or 16: floats to a work-item
// Numerics   storage only, which core OpenCL 1.2 has everywhere (vload_half, vstore_half); denormal halves are kept. What is larger
//            than a half becomes the largest half: one infinity would spoil every gradient of its plane. NaN stays NaN, so that
//            the trainer's guard sees it. A centre makes errors small beside the distance from it: behind a norm a ReLU asks on
//            which side of the mean a value lies, and one wrong answer in 3000 is an error of 1.8 % in the gradient.
// Reference  tests/ref/half.c               Source  IEEE 754-2008, binary16
#define LARGEST_HALF 65504.0f
#define LOADH(p) JOIN(vload_half, LANES)(0, (p))
#define STOREH(v, p) JOIN(vstore_half, LANES)((v), 0, (p))

__kernel void half_from_float(const __global float *restrict x, const __global float *restrict centre, const int n,
                              __global half *restrict h)
{
    const int i = (int)get_global_id(0) * LANES;
    const size_t row = get_global_id(1), at = row * (size_t)n;
    if (i >= n)
        return;
    const floatv far = load_lanes(x + at, i, n), v = centre ? far - (floatv)(centre[row]) : far;
    // fmin and fmax prefer the number to NaN.
    const floatv near = select(fmin(fmax(v, (floatv)(-LARGEST_HALF)), (floatv)(LARGEST_HALF)), v, isnan(v));

    if (n - i >= LANES) {
        STOREH(near, h + at + i);
        return;
    }
    float part[LANES];
    STOREV(near, part);
    for (int k = 0; k < LANES; k++)
        if (i + k < n)
            vstore_half(part[k], at + i + k, h);
}

__kernel void half_to_float(const __global half *restrict h, const __global float *restrict centre, const int n,
                            __global float *restrict y)
{
    const int i = (int)get_global_id(0) * LANES;
    const size_t row = get_global_id(1), at = row * (size_t)n;
    if (i >= n)
        return;
    const float c = centre ? centre[row] : -0.0f; // which changes no value, zeros included

    if (n - i >= LANES) {
        STOREV(LOADH(h + at + i) + (floatv)(c), y + at + i);
        return;
    }
    for (int k = i; k < n; k++)
        y[at + k] = vload_half(at + k, h) + c;
}

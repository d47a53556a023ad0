// elementwise.cl -- values from values at the same place: sums, scaling, clamping, activations.
//
// Math       y_i = f(a_i, b_i); gradients are added to: dx_i += dy_i f'(x_i)
// Shapes     any; n values, four to a work-item
// Launch     global {ceil(n / 4)}, local {WG}
// Tunables   WG, 16 to 256: work-items to a group
// Numerics   exact for sums and selections; tanh and exp as the runtime has them
// Reference  tests/ref/elementwise.c          Source  none
#ifndef WG
#define WG 64
#endif
#define ELEMENTWISE __kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void

// Runs `statement` for the values i of this work-item.
#define FOR_FOUR(n, statement)                        \
    const int first = (int)get_global_id(0) * 4;      \
    const int last = min(first + 4, n);               \
    for (int i = first; i < last; i++) { statement; }

ELEMENTWISE fill(const int n, const float value, __global float *restrict y)
{
    FOR_FOUR(n, y[i] = value)
}

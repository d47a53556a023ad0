// reduce.cl -- sums over whole tensors, in two stages: parts of fixed length, then the sum of the parts.
//
// Math       partial[r,p] = sum over part p of row r of a_i b_i;  out = scale * sum of all partials
// Shapes     a, b rows x n; partials rows x parts
// Launch     reduce_products: global {WG * parts, rows}, local {WG, 1}; reduce_finish: one group of WG
// Tunables   WG, power of two, 1 to 256: work-items to a part; LANES, 4 or 16: floats to a load
// Numerics   the parts depend on n alone; within a part every lane sums its own values, then lanes form a tree
// Reference  tests/ref/loss.c          Source  none
#ifndef WG
#define WG 64
#endif

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void reduce_products(const __global float *restrict a, const __global float *restrict b, const int n, const int chunk,
                     const int n_parts, __global float *restrict partials)
{
    __local float scratch[WG];
    const int part = (int)get_group_id(0), size = min(chunk, n - part * chunk);
    const size_t row = get_group_id(1), first = row * n + (size_t)part * chunk;
    floatv sum = (floatv)(0.0f);

    for (int i = (int)get_local_id(0) * LANES; i < size; i += WG * LANES)
        sum = fma(load_lanes(a + first, i, size), load_lanes(b + first, i, size), sum);
    const float total = group_sum(lanes_sum(sum), scratch, WG);
    if (get_local_id(0) == 0)
        partials[row * n_parts + part] = total;
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void reduce_finish(const __global float *restrict partials, const int n, const float scale, const int index,
                   __global float *restrict out)
{
    __local float scratch[WG];
    floatv sum = (floatv)(0.0f);

    for (int i = (int)get_local_id(0) * LANES; i < n; i += WG * LANES)
        sum += load_lanes(partials, i, n);
    const float total = group_sum(lanes_sum(sum), scratch, WG);
    if (get_local_id(0) == 0)
        out[index] = scale * total;
}

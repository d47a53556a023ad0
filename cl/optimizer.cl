// optimizer.cl -- one step of an optimiser on the one block of a network's parameters, clipping, the moving average.
//
// Math       Adam: m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; p -= lr / (1-b1^t) * m / (sqrt(v / (1-b2^t)) + eps)
//            RMSprop: v = a v + (1-a) g^2; p -= lr g / (sqrt(v) + eps)          SGD: p -= lr g
//            clip_norm: g *= min(1, limit / |g|)                                EMA: e = d e + (1-d) p
//            under a loss scale s, g is s times too large: it is divided out with the clip, and where |g| is not finite the
//            factor is 0 and the optimiser leaves p, m and v alone (factor may be NULL: no such thing)
// Shapes     n values each
// Launch     global {ceil(n / LANES)}, local {WG}; clip_factor: one group of WG
// Tunables   WG, power of two, 1 to 256: work-items to a group; LANES, 4 or 16: floats to a work-item
// Numerics   1-b and the bias corrections come from the host, computed in double
// Reference  tests/ref/optimizer.c          Source  [kingma2015], [wgan], [pascanu2013]
#ifndef WG
#define WG 64
#endif
#define OPTIMIZER __kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void

// Whether an update is left out: nobody need wait for the norm.
static bool is_skipped(const __global float *restrict factor)
{
    return factor && factor[0] == 0.0f;
}

// step = lr / (1 - b1^t), correction = 1 / sqrt(1 - b2^t).
OPTIMIZER adam(const __global float *restrict g, const __global float *restrict factor, const int n, const float beta1,
               const float rest1, const float beta2, const float rest2, const float step, const float correction, const float eps,
               __global float *restrict p, __global float *restrict m, __global float *restrict v)
{
    const int i = (int)get_global_id(0) * LANES;
    if (i >= n || is_skipped(factor))
        return;
    const floatv gi = load_lanes(g, i, n);
    const floatv mi = fma((floatv)(beta1), load_lanes(m, i, n), (floatv)(rest1) * gi);
    const floatv vi = fma((floatv)(beta2), load_lanes(v, i, n), (floatv)(rest2) * gi * gi);
    const floatv denominator = fma(sqrt(vi), (floatv)(correction), (floatv)(eps));

    store_lanes(mi, m, i, n);
    store_lanes(vi, v, i, n);
    store_lanes(load_lanes(p, i, n) - (floatv)(step) * mi / denominator, p, i, n);
}

OPTIMIZER rmsprop(const __global float *restrict g, const __global float *restrict factor, const int n, const float alpha,
                  const float rest, const float lr, const float eps, __global float *restrict p, __global float *restrict v)
{
    const int i = (int)get_global_id(0) * LANES;
    if (i >= n || is_skipped(factor))
        return;
    const floatv gi = load_lanes(g, i, n);
    const floatv vi = fma((floatv)(alpha), load_lanes(v, i, n), (floatv)(rest) * gi * gi);

    store_lanes(vi, v, i, n);
    store_lanes(load_lanes(p, i, n) - (floatv)(lr) * gi / (sqrt(vi) + (floatv)(eps)), p, i, n);
}

OPTIMIZER sgd(const __global float *restrict g, const __global float *restrict factor, const int n, const float lr,
              __global float *restrict p)
{
    const int i = (int)get_global_id(0) * LANES;

    if (i < n && !is_skipped(factor))
        store_lanes(fma((floatv)(-lr), load_lanes(g, i, n), load_lanes(p, i, n)), p, i, n);
}

OPTIMIZER clip_weights(const int n, const float limit, __global float *restrict p)
{
    const int i = (int)get_global_id(0) * LANES;

    if (i < n)
        store_lanes(clamp(load_lanes(p, i, n), (floatv)(-limit), (floatv)(limit)), p, i, n);
}

OPTIMIZER ema(const __global float *restrict p, const int n, const float decay, const float rest,
              __global float *restrict average)
{
    const int i = (int)get_global_id(0) * LANES;

    if (i < n)
        store_lanes(fma((floatv)(decay), load_lanes(average, i, n), (floatv)(rest) * load_lanes(p, i, n)), average, i, n);
}

// factor[0] = what clip_scale multiplies by: 0 when the norm is not finite. inverse = 1 / s, a power of two: exact. norm may be NULL.
// With skipped_at >= 0 a norm that is not finite is counted in norm[skipped_at] instead of shown: it is the scale's fault.
OPTIMIZER clip_factor(const __global float *restrict partials, const int n, const float limit, const float inverse,
                      const int index, const int skipped_at, __global float *restrict factor, __global float *restrict norm)
{
    __local float scratch[WG];
    floatv sum = (floatv)(0.0f);

    for (int i = (int)get_local_id(0) * LANES; i < n; i += WG * LANES)
        sum += load_lanes(partials, i, n);
    const float size = sqrt(group_sum(lanes_sum(sum), scratch, WG)) * inverse;
    if (get_local_id(0) == 0) {
        const bool is_counted = !isfinite(size) && skipped_at >= 0;

        if (!isfinite(size))
            factor[0] = 0.0f;
        else
            factor[0] = limit > 0.0f && size > limit ? limit / size * inverse : inverse;
        if (norm)
            norm[index] = is_counted ? 0.0f : size;
        if (norm && is_counted)
            norm[skipped_at] += 1.0f;
    }
}

OPTIMIZER clip_scale(const __global float *restrict factor, const int n, __global float *restrict g)
{
    const int i = (int)get_global_id(0) * LANES;
    const float f = factor[0];

    if (i >= n || f == 1.0f)
        return;
    /* Zero is written, not multiplied: 0 * infinity is not a number. */
    store_lanes(f == 0.0f ? (floatv)(0.0f) : (floatv)(f) * load_lanes(g, i, n), g, i, n);
}

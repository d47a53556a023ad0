// spectral_norm.cl -- weights divided by their largest singular value, found by power iteration.
//
// Math       v = W'u / |W'u|; t = W v; u = t / |t|; sigma = u't; w_sn = W / sigma
//            dW += (dW_sn - (sum dW_sn W_sn) u v') / sigma
// Shapes     W [K,M], M = C*R*S; u, t [K]; v [M]; sigma, dot [1]
// Launch     columns, divide: global {ceil(M / LANES)} and {ceil(K M / LANES)}; rows, bwd: global {WG, K}, local {WG, 1}: one
//            work-group a row; unit, sigma: one group of WG
// Tunables   WG, power of two, 1 to 256; LANES, 4 or 16: floats to a load
// Numerics   |.| at least 1e-12, as PyTorch's normalize
// Reference  tests/ref/spectral_norm.c          Source  [miyato2018]
#ifndef WG
#define WG 64
#endif
#define SPECTRAL_NORM __kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void

// out = W'u.
SPECTRAL_NORM spectral_norm_columns(const __global float *restrict w, const __global float *restrict u,
                                    const int n_rows, const int n_columns, __global float *restrict out)
{
    const int i = (int)get_global_id(0) * LANES;
    floatv sum = (floatv)(0.0f);

    if (i >= n_columns)
        return;
    for (int row = 0; row < n_rows; row++)
        sum = fma(load_lanes(w + (size_t)row * n_columns, i, n_columns), (floatv)(u[row]), sum);
    store_lanes(sum, out, i, n_columns);
}

// out = W v.
SPECTRAL_NORM spectral_norm_rows(const __global float *restrict w, const __global float *restrict v,
                                 const int n_columns, __global float *restrict out)
{
    __local float scratch[WG];
    const size_t row = get_group_id(1);
    const float2 dots = row_dots(w + row * n_columns, 0.0f, v, n_columns, scratch, WG);

    if (get_local_id(0) == 0)
        out[row] = dots.y;
}

// out = t / max(|t|, 1e-12).
SPECTRAL_NORM spectral_norm_unit(const __global float *restrict t, const int n, __global float *restrict out)
{
    __local float scratch[WG];
    const float norm = sqrt(row_squares(t, 0.0f, n, scratch, WG));

    row_affine(t, 0.0f, 1.0f / fmax(norm, 1e-12f), 0.0f, n, out, WG);
}

// sigma = u't.
SPECTRAL_NORM spectral_norm_sigma(const __global float *restrict u, const __global float *restrict t, const int n,
                                  __global float *restrict sigma)
{
    __local float scratch[WG];
    const float2 dots = row_dots(u, 0.0f, t, n, scratch, WG);

    if (get_local_id(0) == 0)
        sigma[0] = dots.y;
}

SPECTRAL_NORM spectral_norm_divide(const __global float *restrict w, const __global float *restrict sigma, const int n,
                                   __global float *restrict w_sn)
{
    const int i = (int)get_global_id(0) * LANES;

    if (i < n)
        store_lanes(load_lanes(w, i, n) / (floatv)(sigma[0]), w_sn, i, n);
}

SPECTRAL_NORM spectral_norm_bwd(const __global float *restrict u, const __global float *restrict v,
                                const __global float *restrict sigma, const __global float *restrict dw_sn,
                                const __global float *restrict dot, const int n_columns, __global float *restrict dw)
{
    const size_t first = get_group_id(1) * n_columns;
    const float rest = 1.0f / sigma[0], share = -dot[0] * u[get_group_id(1)];

    for (int i = (int)get_local_id(0) * LANES; i < n_columns; i += WG * LANES) {
        const floatv slope = fma((floatv)(share), load_lanes(v, i, n_columns), load_lanes(dw_sn + first, i, n_columns));
        store_lanes(fma(slope, (floatv)(rest), load_lanes(dw + first, i, n_columns)), dw + first, i, n_columns);
    }
}

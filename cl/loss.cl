// loss.cl -- means over all values of a tensor: loss terms with their gradients, statistics for the log.
//
// Math       sum over i of f(a_i, b_i), and da_i += scale * df/da, db_i -= scale * df/da; f by `kind`, doc/notation.md, Losses:
//              |a-b|, (a-b)^2, softplus(-a), softplus(a), -softplus(a), (a-1)^2, a, -a, softplus(a) - b a, sigmoid(a)
//            with softplus(z) = log(1 + exp z) and sign(0) = 0; b NULL stands for zero
// Shapes     a, b, da, db any, all alike; partials [parts]; softmax: l, c [N,C]; total variation: m [N,C,H,W]
// Launch     mean_loss, tv_loss: global {WG * parts}, local {WG}; softmax_loss: one work-item a sample
// Tunables   WG, power of two, 1 to 256: work-items to a part; LANES, 4 or 16: floats to a load
// Numerics   softplus as max(z,0) + log1p(exp(-|z|)), the sigmoid from the same exponential: no overflow for any z
// Reference  tests/ref/loss.c          Source  doc/notation.md, Losses, [goodfellow2014], [mao2017], [wgan]
#ifndef WG
#define WG 64
#endif

// The kinds, as src/op/loss.c numbers them.
#define ABS 0
#define SQUARE 1
#define SOFTPLUS_MINUS 2
#define SOFTPLUS 3
#define MINUS_SOFTPLUS 4
#define SQUARE_FROM_ONE 5
#define VALUE 6
#define MINUS_VALUE 7
#define LABEL 8
#define SIGMOID 9

static floatv softplus(const floatv z)
{
    return fmax(z, (floatv)(0.0f)) + log1p(exp(-fabs(z)));
}

static floatv sigmoid(const floatv z)
{
    const floatv e = exp(-fabs(z));
    return select((floatv)(1.0f), e, z < (floatv)(0.0f)) / ((floatv)(1.0f) + e);
}

static floatv value_of(const int kind, const floatv a, const floatv b)
{
    switch (kind) {
    case ABS: return fabs(a - b);
    case SQUARE: return (a - b) * (a - b);
    case SOFTPLUS_MINUS: return softplus(-a);
    case SOFTPLUS: return softplus(a);
    case MINUS_SOFTPLUS: return -softplus(a);
    case SQUARE_FROM_ONE: return (a - (floatv)(1.0f)) * (a - (floatv)(1.0f));
    case MINUS_VALUE: return -a;
    case LABEL: return fma(-b, a, softplus(a));
    case SIGMOID: return sigmoid(a);
    default: return a;
    }
}

static floatv slope_of(const int kind, const floatv a, const floatv b)
{
    const floatv one = (floatv)(1.0f), two = (floatv)(2.0f);

    switch (kind) {
    case ABS: return sign(a - b);
    case SQUARE: return two * (a - b);
    case SOFTPLUS_MINUS: return -sigmoid(-a);
    case SOFTPLUS: return sigmoid(a);
    case MINUS_SOFTPLUS: return -sigmoid(a);
    case SQUARE_FROM_ONE: return two * (a - one);
    case MINUS_VALUE: return -one;
    case LABEL: return sigmoid(a) - b;
    case SIGMOID: return sigmoid(a) * sigmoid(-a);
    default: return one;
    }
}

// partials, da, db may be NULL.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void mean_loss(const __global float *restrict a, const __global float *restrict b, const int n, const int chunk,
               const int kind, const float scale, __global float *restrict partials, __global float *restrict da,
               __global float *restrict db)
{
    __local float scratch[WG];
    const int part = (int)get_group_id(0), size = min(chunk, n - part * chunk);
    const size_t first = (size_t)part * chunk;
    floatv sum = (floatv)(0.0f);

    for (int i = (int)get_local_id(0) * LANES; i < size; i += WG * LANES) {
        const floatv va = load_lanes(a + first, i, size);
        const floatv vb = b ? load_lanes(b + first, i, size) : (floatv)(0.0f);
        if (partials)
            sum += inside_lanes(value_of(kind, va, vb), i, size);
        if (da || db) {
            const floatv slope = (floatv)(scale) * slope_of(kind, va, vb);
            if (da)
                store_lanes(load_lanes(da + first, i, size) + slope, da + first, i, size);
            if (db)
                store_lanes(load_lanes(db + first, i, size) - slope, db + first, i, size);
        }
    }
    const float total = group_sum(lanes_sum(sum), scratch, WG);
    if (partials && get_local_id(0) == 0)
        partials[part] = total;
}

// down and right are the weights of one difference between rows and between columns. partials and dm may be NULL.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void tv_loss(const __global float *restrict m, const int n, const int h, const int w, const int chunk, const float down,
             const float right, __global float *restrict partials, __global float *restrict dm)
{
    __local float scratch[WG];
    const int part = (int)get_group_id(0), size = min(chunk, n - part * chunk);
    const int first = part * chunk; /* below n, so an int holds it; 64-bit divisions cost three times as much */
    float sum = 0.0f;

    for (int k = (int)get_local_id(0); k < size; k += WG) {
        const int i = first + k, line = i / w;
        const int column = i - line * w, row = line % h;
        const float v = m[i];
        const float to_next_row = row + 1 < h ? m[i + w] - v : 0.0f;
        const float to_next_column = column + 1 < w ? m[i + 1] - v : 0.0f;
        sum = fma(down, fabs(to_next_row), fma(right, fabs(to_next_column), sum));
        if (dm) {
            const float from_last_row = row > 0 ? v - m[i - w] : 0.0f;
            const float from_last_column = column > 0 ? v - m[i - 1] : 0.0f;
            dm[i] += down * (sign(from_last_row) - sign(to_next_row)) +
                     right * (sign(from_last_column) - sign(to_next_column));
        }
    }
    sum = group_sum(sum, scratch, WG);
    if (partials && get_local_id(0) == 0)
        partials[part] = sum;
}

// One work-item a sample: C is the number of classes, a handful. partials [N]; partials and dl may be NULL.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void softmax_loss(const __global float *restrict l, const __global float *restrict c, const int n_samples,
                  const int n_classes, const float scale, __global float *restrict partials, __global float *restrict dl)
{
    const int sample = (int)get_global_id(0);
    if (sample >= n_samples)
        return;
    const size_t first = (size_t)sample * n_classes;
    float largest = l[first], sum = 0.0f, dot = 0.0f, mass = 0.0f;

    for (int k = 1; k < n_classes; k++)
        largest = fmax(largest, l[first + k]);
    for (int k = 0; k < n_classes; k++) {
        sum += exp(l[first + k] - largest);
        dot = fma(c[first + k], l[first + k] - largest, dot);
        mass += c[first + k];
    }
    if (partials)
        partials[sample] = mass * log(sum) - dot;
    if (dl)
        for (int k = 0; k < n_classes; k++)
            dl[first + k] += scale * (mass * exp(l[first + k] - largest) / sum - c[first + k]);
}

// norm[row] = sqrt of the sum of a row's partials.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void sample_norm_finish(const __global float *restrict partials, const int n_samples, const int n_parts,
                        __global float *restrict norm)
{
    const int sample = (int)get_global_id(0);
    float sum = 0.0f;

    if (sample >= n_samples)
        return;
    for (int part = 0; part < n_parts; part++)
        sum += partials[(size_t)sample * n_parts + part];
    norm[sample] = sqrt(sum);
}

// u = g / max(norm, 1e-12), row by row; global {ceil(n / LANES), rows}.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void sample_norm_divide(const __global float *restrict g, const __global float *restrict norm, const int n,
                        __global float *restrict u)
{
    const int i = (int)get_global_id(0) * LANES;
    const size_t first = get_global_id(1) * n;

    if (i < n)
        store_lanes(load_lanes(g + first, i, n) / (floatv)(fmax(norm[get_global_id(1)], 1e-12f)), u + first, i, n);
}

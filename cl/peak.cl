// peak.cl -- what a device can do at most: multiply-adds that depend on nothing but themselves, and a copy.
//
// Math       peak_fma: y[i] = sum over k = 0..11 of a_k after n_rounds of a = fma(a, m, c), from a_k = x[i] + k;  peak_copy: y = x
// Shapes     peak_fma: x, y n_items vectors of WIDTH floats; peak_copy: x, y n vectors of WIDTH floats
// Launch     peak_fma: global {n_items}; peak_copy: global {ceil(n / (WG * CHUNK)) * WG}; local {WG}
// Tunables   WIDTH, 1, 4, 8 or 16: floats to a vector; WG, 1 to 256: work-items to a group; CHUNK, vectors an item copies
// Numerics   with m = 1/2 the chains tend to 2 c: no value overflows or becomes denormal, however long they are
// Reference  tests/ref/peak.c          Source  none
#ifndef WIDTH
#define WIDTH 4
#endif
#ifndef WG
#define WG 64
#endif
#ifndef CHUNK
#define CHUNK 64
#endif

#if WIDTH == 1
typedef float peakv;
#define PEAK_LOAD(i, p) ((p)[i])
#define PEAK_STORE(v, i, p) ((p)[i] = (v))
#else
typedef JOIN(float, WIDTH) peakv;
#define PEAK_LOAD(i, p) JOIN(vload, WIDTH)((i), (p))
#define PEAK_STORE(v, i, p) JOIN(vstore, WIDTH)((v), (i), (p))
#endif

// Twelve chains by name: more than latency times units of any processor known (4 x 2), fewer than its registers.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void peak_fma(const __global float *restrict x, const int n_items, const int n_rounds, const float m, const float c,
              __global float *restrict y)
{
    const size_t i = get_global_id(0);
    if (i >= (size_t)n_items)
        return;
    const peakv a = PEAK_LOAD(i, x), mm = (peakv)(m), cc = (peakv)(c);
    peakv a0 = a, a1 = a + 1.0f, a2 = a + 2.0f, a3 = a + 3.0f, a4 = a + 4.0f, a5 = a + 5.0f;
    peakv a6 = a + 6.0f, a7 = a + 7.0f, a8 = a + 8.0f, a9 = a + 9.0f, a10 = a + 10.0f, a11 = a + 11.0f;

    for (int r = 0; r < n_rounds; r++) {
        a0 = fma(a0, mm, cc);
        a1 = fma(a1, mm, cc);
        a2 = fma(a2, mm, cc);
        a3 = fma(a3, mm, cc);
        a4 = fma(a4, mm, cc);
        a5 = fma(a5, mm, cc);
        a6 = fma(a6, mm, cc);
        a7 = fma(a7, mm, cc);
        a8 = fma(a8, mm, cc);
        a9 = fma(a9, mm, cc);
        a10 = fma(a10, mm, cc);
        a11 = fma(a11, mm, cc);
    }
    PEAK_STORE(((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7)) + ((a8 + a9) + (a10 + a11)), i, y);
}

// Neighbours of a group read neighbours in memory; a group of one reads a stretch.
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void peak_copy(const __global float *restrict x, const int n, __global float *restrict y)
{
    const size_t first = (size_t)get_group_id(0) * WG * CHUNK + get_local_id(0);

    for (size_t k = 0; k < CHUNK; k++) {
        const size_t i = first + k * WG;
        if (i < (size_t)n)
            PEAK_STORE(PEAK_LOAD(i, x), i, y);
    }
}

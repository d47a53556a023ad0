/* sort.c -- many floats in order, in linear time. */
#include "config.h"
#include "base/sort.h"
#include "base/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PASSES = 3 };

static uint32_t bits_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Unsigned order of the keys is the order of the floats: negative ones are mirrored, positive ones
 * come behind. */
static uint32_t key_of(float value)
{
    uint32_t bits = bits_of(value);

    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = key_of(*(const float *)a), y = key_of(*(const float *)b);

    return (x > y) - (x < y);
}

tg_status tgi_sort_floats(float *values, size_t n)
{
    tg_status status = TG_OK;
    float *other = NULL, *from = values, *to;
    size_t(*first)[DIGITS] = NULL;

    if (n < 2000) { /* clearing the counters would cost more */
        qsort(values, n, sizeof *values, by_value);
        return TG_OK;
    }
    TG_TRY(tgi_alloc(n, sizeof *other, &other));
    TG_TRY(tgi_alloc(PASSES, sizeof *first, &first));
    for (size_t i = 0; i < n; i++) {
        uint32_t key = key_of(values[i]);

        for (int p = 0; p < PASSES; p++)
            first[p][key >> (p * DIGIT_BITS) & (DIGITS - 1)]++;
    }
    to = other;
    for (int p = 0; p < PASSES; p++) {
        size_t place = 0;
        float *swap = from;

        for (size_t d = 0; d < DIGITS; d++) {
            size_t count = first[p][d];

            first[p][d] = place;
            place += count;
        }
        for (size_t i = 0; i < n; i++)
            to[first[p][key_of(from[i]) >> (p * DIGIT_BITS) & (DIGITS - 1)]++] = from[i];
        from = to;
        to = swap;
    }
    memcpy(values, other, n * sizeof *values); /* three passes: the last one wrote there */
cleanup:
    free(first);
    free(other);
    return status;
}

double tgi_sorted_quantile(const float *values, size_t n, double q)
{
    double rank = q * (double)(n - 1), low = floor(rank);
    size_t i = (size_t)low;
    double rest = rank - low;

    if (i + 1 >= n)
        return values[n - 1];
    return values[i] + rest * ((double)values[i + 1] - values[i]);
}

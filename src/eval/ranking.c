/* ranking.c -- how well a score orders two groups, and how well two images correlate. */
#include "config.h"
#include "eval/eval.h"

#include <math.h>

#include "base/banned.h"

double tgi_auroc(const float *positive, size_t n_positive, const float *negative, size_t n_negative)
{
    size_t i = 0, j = 0;
    double pairs = 0;

    if (!n_positive || !n_negative)
        return NAN;
    while (i < n_positive) {
        float value = positive[i];
        size_t first = i, tied;

        while (i < n_positive && positive[i] == value)
            i++;
        while (j < n_negative && negative[j] < value)
            j++;
        for (tied = j; tied < n_negative && negative[tied] == value;)
            tied++;
        pairs += (double)(i - first) * ((double)j + 0.5 * (double)(tied - j));
        j = tied;
    }
    return pairs / ((double)n_positive * (double)n_negative);
}

double tgi_average_precision(const float *positive, size_t n_positive, const float *negative,
                             size_t n_negative)
{
    size_t i = n_positive, j = n_negative; /* those at i and above are called positive */
    double sum = 0;

    if (!n_positive)
        return NAN;
    while (i) {
        float value = positive[i - 1];
        size_t last = i;

        while (i && positive[i - 1] == value)
            i--;
        while (j && negative[j - 1] >= value)
            j--;
        sum += (double)(last - i) * (double)(n_positive - i) /
               (double)(n_positive - i + n_negative - j);
    }
    return sum / (double)n_positive;
}

bool tgi_ncc(const float *a, const float *b, size_t n, double *ncc)
{
    double mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;
    bool varies_a = false, varies_b = false;

    for (size_t i = 0; i < n; i++) {
        mean_a += a[i];
        mean_b += b[i];
        varies_a |= a[i] != a[0]; /* exact: rounding leaves a constant image with a tiny variance */
        varies_b |= b[i] != b[0];
    }
    if (!varies_a || !varies_b)
        return false;
    mean_a /= (double)n;
    mean_b /= (double)n;
    for (size_t i = 0; i < n; i++) {
        double da = a[i] - mean_a, db = b[i] - mean_b;

        aa += da * da;
        bb += db * db;
        ab += da * db;
    }
    if (!(aa > 0 && bb > 0))
        return false;
    *ncc = ab / sqrt(aa * bb);
    return true;
}

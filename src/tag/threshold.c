/* threshold.c -- step 3: the rules that turn the scores of one map into a threshold. */
#include "config.h"
#include "tag/tag.h"
#include "base/memory.h"
#include "base/sort.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { OTSU_BINS = 256 };

size_t tgi_otsu(const size_t *histogram, size_t n_bins, double *variance)
{
    double total = 0, sum = 0, count0 = 0, sum0 = 0, best = 0;
    size_t best_bin = 0;

    for (size_t k = 0; k < n_bins; k++) {
        total += (double)histogram[k];
        sum += (double)k * (double)histogram[k];
    }
    for (size_t k = 0; k + 1 < n_bins; k++) {
        double count1, apart, between;

        count0 += (double)histogram[k];
        sum0 += (double)k * (double)histogram[k];
        count1 = total - count0;
        if (count0 == 0 || count1 == 0)
            continue;
        apart = sum0 / count0 - (sum - sum0) / count1;
        between = count0 / total * (count1 / total) * apart * apart;
        if (between > best) {
            best = between;
            best_bin = k;
        }
    }
    if (variance)
        *variance = best;
    return best_bin;
}

static size_t otsu_bin(float score, float highest)
{
    size_t bin = (size_t)((double)score / highest * OTSU_BINS);

    return bin < OTSU_BINS ? bin : OTSU_BINS - 1;
}

/* The largest score in the bins up to Otsu's, so that "score > threshold" is exactly "bin > k". */
static double otsu_threshold(const float *scores, size_t n, float highest)
{
    size_t histogram[OTSU_BINS] = {0}, k;
    float threshold = 0;

    if (!(highest > 0))
        return 0;
    for (size_t i = 0; i < n; i++)
        histogram[otsu_bin(scores[i], highest)]++;
    k = tgi_otsu(histogram, OTSU_BINS, NULL);
    for (size_t i = 0; i < n; i++) {
        if (scores[i] > threshold && otsu_bin(scores[i], highest) <= k)
            threshold = scores[i];
    }
    return threshold;
}

static double mean_std_threshold(const float *scores, size_t n, double k)
{
    double sum = 0, squares = 0, mean;

    for (size_t i = 0; i < n; i++)
        sum += scores[i];
    mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (scores[i] - mean) * (scores[i] - mean);
    return mean + k * sqrt(squares / (double)n);
}

static tg_status percentile(const float *scores, size_t n, double percent, double *threshold)
{
    tg_status status = TG_OK;
    float *sorted = NULL;

    TG_TRY(tgi_alloc(n, sizeof *sorted, &sorted));
    memcpy(sorted, scores, n * sizeof *sorted);
    TG_TRY(tgi_sort_floats(sorted, n));
    *threshold = tgi_sorted_quantile(sorted, n, percent / 100);
cleanup:
    free(sorted);
    return status;
}

tg_status tgi_threshold(const float *scores, size_t n, tg_rule rule, double value,
                        double *threshold)
{
    float highest = scores[0];

    for (size_t i = 1; i < n; i++)
        highest = scores[i] > highest ? scores[i] : highest;
    switch (rule) {
    case TG_RULE_FIXED:
        *threshold = value;
        return TG_OK;
    case TG_RULE_PERCENTILE:
        if (!(value >= 0 && value <= 100))
            return tg_fail(TG_ERR_ARGUMENT, "tag: percentile %g is not within 0..100", value);
        return percentile(scores, n, value, threshold);
    case TG_RULE_OTSU:
        *threshold = otsu_threshold(scores, n, highest);
        return TG_OK;
    case TG_RULE_MEAN_STD:
        *threshold = mean_std_threshold(scores, n, value);
        return TG_OK;
    case TG_RULE_MAX:
        *threshold = value * highest;
        return TG_OK;
    }
    return tg_fail(TG_ERR_ARGUMENT, "tag: threshold rule %d is unknown", (int)rule);
}

tg_status tg_tag_rule_parse(const char *text, tg_tag_opts *opts)
{
    static const struct {
        const char *start;
        tg_rule rule;
        double low, high;
    } rules[] = {{"fixed:", TG_RULE_FIXED, -1e6, 1e6},
                 {"pct:", TG_RULE_PERCENTILE, 0, 100},
                 {"meanstd:", TG_RULE_MEAN_STD, -1e6, 1e6},
                 {"max:", TG_RULE_MAX, 0, 1}};

    if (!strcmp(text, "otsu")) {
        opts->rule = TG_RULE_OTSU;
        opts->value = 0;
        return TG_OK;
    }
    for (size_t i = 0; i < TG_COUNT(rules); i++) {
        double value;

        if (!tgi_starts_with(text, rules[i].start))
            continue;
        if (!tgi_parse_real(text + strlen(rules[i].start), &value) || value < rules[i].low ||
            value > rules[i].high)
            return tg_fail(TG_ERR_ARGUMENT, "threshold '%s': the number must be within %g..%g",
                           text, rules[i].low, rules[i].high);
        opts->rule = rules[i].rule;
        opts->value = value;
        return TG_OK;
    }
    return tg_fail(TG_ERR_ARGUMENT,
                   "threshold '%s' is unknown (fixed:T, pct:P, otsu, meanstd:K, max:F)", text);
}

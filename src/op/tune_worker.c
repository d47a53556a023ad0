/* tune_worker.c -- the child process that measures: layers in on stdin, results out on stdout, a line each.
 *
 *     in    device 0 family 0                      which device (its index) and family of kernels
 *           layer ID 0 1 64 ... : packed direct    a layer (tgi_tune_layer_print) and the algorithms to compare
 *     out   tune run ID NAME                       before anything that may crash or hang
 *           tune bad ID NAME WORDS...              it does not run here, or computes something else
 *           tune ms ID NAME MILLISECONDS
 *           tune end ID                            the layer is done
 * Lines that begin otherwise are what drivers print. */
#include "config.h"
#include "base/memory.h"
#include "base/text.h"
#include "op/tune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

enum { MAX_LINE = 1024, CHECKED_SAMPLES = 256, ROUNDS = 7, FEWEST_ROUNDS = 3, MAX_REPEATS = 50 };
static const double sample_ms = 1.0; /* the least that a clock sample lasts */
static const double long_ms =
    20; /* for runs as long the fewest rounds are enough, and one shows what is hopeless: */
static const double hopeless = 1.5;   /* times the best: dropped */
static const double agreement = 4e-4; /* of the largest value, between two algorithms */

typedef struct candidate {
    const tgi_conv_algorithm *algorithm;
    double ms;
    size_t repeats;
    bool is_out;
} candidate;

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* For tests of the parent: a candidate that crashes, and one that never answers. */
static void misbehave_if_asked(const char *name)
{
    const char *crash = getenv("TAGGAN_TEST_TUNE_CRASH"), *hang = getenv("TAGGAN_TEST_TUNE_HANG");

    if (crash && !strcmp(crash, name))
        abort();
    while (hang && !strcmp(hang, name))
        sleep(60);
}

/* One sample: pairs of runs, the first after the weights changed, since a step packs weights once and uses them several times. */
static tg_status time_once(tg_device *dev, tgi_tune_bench *bench, candidate *c)
{
    tg_status status = TG_OK;
    double begin;

    TG_TRY(tg_device_finish(dev));
    begin = now_ms();
    for (size_t i = 0; i < c->repeats; i++) {
        if (bench->w)
            tgi_tensor_touch(bench->w);
        TG_TRY(tgi_tune_bench_run(bench, c->algorithm));
        TG_TRY(tgi_tune_bench_run(bench, c->algorithm));
    }
    TG_TRY(tg_device_finish(dev));
    double ms = (now_ms() - begin) / (2 * (double)c->repeats);
    if (c->ms < 0 || ms < c->ms)
        c->ms = ms;
cleanup:
    return status;
}

/* All values against those of the first algorithm that was right; samples of both were compared with plain C. */
static tg_status compare_whole(const tgi_tune_bench *bench, const float *first)
{
    size_t n = tg_tensor_count(bench->out);
    double worst = 0, largest = 1e-30;

    for (size_t i = 0; i < n; i++) {
        double difference = fabs((double)bench->host_out[i] - (double)first[i]);

        if (!(difference <= worst))
            worst = difference;
        largest = fmax(largest, fabs((double)first[i]));
    }
    if (worst <= agreement * largest)
        return TG_OK;
    return tg_fail(TG_ERR_NUMERIC, "its results differ from the others' (by %.2g of %.2g)", worst,
                   largest);
}

/* Whether it runs and is right; what it compiles is compiled now. */
static tg_status try_candidate(tg_device *dev, tgi_tune_bench *bench, candidate *c, float *first,
                               bool *has_first)
{
    tg_status status = TG_OK;
    const tgi_tune_layer *layer = &bench->layer;

    misbehave_if_asked(c->algorithm->name);
    if (!c->algorithm->applies(dev, &layer->conv, layer->pass))
        return tg_fail(TG_ERR_UNSUPPORTED, "it does not apply");
    if (c->algorithm->prove && c->algorithm->prove(dev, &layer->conv) != TGI_PROVEN)
        return TG_ERR_NUMERIC; /* with its message */
    TG_TRY(tgi_tune_bench_check(bench, c->algorithm, CHECKED_SAMPLES));
    if (*has_first)
        TG_TRY(compare_whole(bench, first));
    else
        memcpy(first, bench->host_out, tg_tensor_count(bench->out) * sizeof *first);
    *has_first = true;
    TG_TRY(time_once(dev, bench, c));
    c->repeats = c->ms * 2 >= sample_ms ? 1 : (size_t)(sample_ms / (c->ms * 2 + 1e-6)) + 1;
    if (c->repeats > MAX_REPEATS)
        c->repeats = MAX_REPEATS;
    c->ms = -1; /* the first run is not a measurement */
cleanup:
    return status;
}

static void say_bad(unsigned long id, const candidate *c)
{
    char words[TGI_TUNE_REASON];

    snprintf(words, sizeof words, "%s", tg_error_message());
    for (char *at = words; *at; at++)
        *at = (unsigned char)*at < ' ' ? ' ' : *at;
    printf("tune bad %lu %s %s\n", id, c->algorithm->name, words);
}

static double best_of(const candidate *all, size_t n)
{
    double best = INFINITY;

    for (size_t i = 0; i < n; i++) {
        if (all[i].ms >= 0 && all[i].ms < best)
            best = all[i].ms;
    }
    return best;
}

/* In alternation, so that a machine that slows down does not decide. */
static tg_status time_all(tg_device *dev, tgi_tune_bench *bench, unsigned long id, candidate *all,
                          size_t n)
{
    tg_status status = TG_OK;

    for (int round = 0; round < ROUNDS; round++) {
        double best = best_of(all, n);

        if (round >= FEWEST_ROUNDS && best > long_ms)
            break;
        for (size_t i = 0; i < n; i++) {
            if (all[i].is_out ||
                (all[i].ms > hopeless * best && (round >= FEWEST_ROUNDS || all[i].ms > long_ms)))
                continue;
            printf("tune run %lu %s\n", id, all[i].algorithm->name);
            fflush(stdout);
            TG_TRY(time_once(dev, bench, &all[i]));
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (all[i].ms >= 0)
            printf("tune ms %lu %s %.6f\n", id, all[i].algorithm->name, all[i].ms);
    }
cleanup:
    return status;
}

static tg_status measure(tg_device *dev, unsigned long id, const tgi_tune_layer *layer,
                         candidate *all, size_t n)
{
    tg_status status = TG_OK;
    tgi_tune_bench bench = {0};
    float *first = NULL;
    bool has_first = false;

    TG_TRY(tgi_tune_bench_init(dev, layer, &bench));
    TG_TRY(tgi_alloc(tg_tensor_count(bench.out), sizeof *first, &first));
    for (size_t i = 0; i < n; i++) {
        printf("tune run %lu %s\n", id, all[i].algorithm->name);
        fflush(stdout);
        all[i].is_out = try_candidate(dev, &bench, &all[i], first, &has_first) != TG_OK;
        if (all[i].is_out)
            say_bad(id, &all[i]);
    }
    TG_TRY(time_all(dev, &bench, id, all, n));
    printf("tune end %lu\n", id);
    fflush(stdout);
cleanup:
    free(first);
    tgi_tune_bench_release(&bench);
    return status;
}

/* "layer ID NUMBERS : NAME NAME ..." */
static tg_status take_line(tg_device *dev, char *line)
{
    candidate all[TGI_TUNE_MAX_CANDIDATES] = {0};
    tgi_tune_layer layer;
    unsigned long id;
    size_t n = 0;
    int at = 0;
    char *names = strchr(line, ':'), *save = NULL;

    if (sscanf(line, "layer %lu %n", &id, &at) != 1 || !at || !names)
        return tg_fail(TG_ERR_FORMAT, "this is no layer to measure: %.100s", line);
    *names++ = '\0';
    if (!tgi_tune_layer_parse(line + at, &layer))
        return tg_fail(TG_ERR_FORMAT, "this is no layer to measure: %.100s", line);
    for (char *name = strtok_r(names, " \n", &save); name && n < TGI_TUNE_MAX_CANDIDATES;
         name = strtok_r(NULL, " \n", &save)) {
        all[n] = (candidate){.algorithm = tgi_conv_named(name), .ms = -1, .repeats = 1};
        n += all[n].algorithm != NULL;
    }
    return measure(dev, id, &layer, all, n);
}

tg_status tgi_tune_work(void)
{
    tg_status status = TG_OK;
    tg_device *dev = NULL;
    char line[MAX_LINE], spec[32];
    unsigned long index;
    int family;

    if (!fgets(line, sizeof line, stdin) ||
        sscanf(line, "device %lu family %d", &index, &family) != 2 || family < 0 || family > 2)
        return tg_fail(TG_ERR_FORMAT, "layers to measure are expected on the standard input");
    snprintf(spec, sizeof spec, "%lu", index);
    TG_TRY(tg_device_open(spec, &dev));
    dev->family = (tgi_kernel_family)family;
    while (fgets(line, sizeof line, stdin))
        TG_TRY(take_line(dev, line));
cleanup:
    tg_device_free(dev);
    return status;
}

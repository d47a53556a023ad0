/* devices_check.c -- the engine of taggan-devices check: values of a case, its rounds, and the
 * comparison. */
#include "config.h"
#include "cli/devices_check.h"
#include "base/memory.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static const uint64_t seed =
    20240131; /* any number: the same one, so that two certificates compare */

/* Each sample, or for TGI_UNIT the whole, divided by its sum or length. */
static void normalise(const tgi_check_spec *spec, float *values, size_t n)
{
    size_t row = spec->fill == TGI_UNIT ? n : n / spec->dims.n;

    for (size_t first = 0; first < n; first += row) {
        double sum = 0;

        for (size_t i = first; i < first + row; i++)
            sum += spec->fill == TGI_UNIT ? (double)values[i] * values[i] : (double)values[i];
        sum = spec->fill == TGI_UNIT ? sqrt(sum) : sum;
        for (size_t i = first; i < first + row; i++)
            values[i] = (float)(values[i] / sum);
    }
}

static void fill(const tgi_check_spec *spec, size_t number, float *values, size_t n)
{
    tgi_rng rng = tgi_rng_new(seed, TGI_STREAM_TEST, number);

    for (size_t i = 0; i < n; i++) {
        double x = tgi_rng_normal(&rng);
        bool is_positive = spec->fill == TGI_POSITIVE || spec->fill == TGI_SHARES;

        values[i] = (float)(is_positive ? 0.5 + x * x : spec->fill == TGI_BINARY ? x > 0 : x);
    }
    if (spec->fill == TGI_SHARES || spec->fill == TGI_UNIT)
        normalise(spec, values, n);
}

static tg_status value_init(tgi_check *c, const tgi_check_spec *spec, size_t number,
                            tgi_check_value *value)
{
    tg_status status = TG_OK;

    value->spec = *spec;
    value->n = tg_dims_count(spec->dims);
    TG_TRY(tgi_alloc(value->n, sizeof *value->ref, &value->ref));
    TG_TRY(tgi_alloc(value->n, sizeof *value->start, &value->start));
    TG_TRY(tgi_alloc(value->n, sizeof *value->first, &value->first));
    TG_TRY(tg_tensor_new(c->dev, spec->dims, &value->t));
    if (spec->role == TGI_WRITTEN) { /* what is not overwritten stays NaN, and fails */
        for (size_t i = 0; i < value->n; i++)
            value->start[i] = NAN;
        return TG_OK; /* ref stays zero: some references add */
    }
    fill(spec, number, value->start, value->n);
    for (size_t i = 0; i < value->n; i++)
        value->ref[i] = (double)value->start[i];
cleanup:
    return status;
}

static void values_release(tgi_check *c)
{
    for (size_t i = 0; i < c->n_values; i++) {
        tgi_check_value *value = &c->values[i];

        tg_tensor_free(value->t);
        free(value->ref);
        free(value->start);
        free(value->first);
        *value = (tgi_check_value){0};
    }
    c->n_values = 0;
}

tg_status tgi_check_values(tgi_check *c, const tgi_check_spec *specs, size_t n)
{
    tg_status status = TG_OK;

    if (c->is_verbose) {
        fprintf(c->table, "    ");
        for (size_t i = 0; i < n; i++)
            fprintf(c->table, "%s%s %zux%zux%zux%zu", i ? ", " : "", specs[i].name, specs[i].dims.n,
                    specs[i].dims.c, specs[i].dims.h, specs[i].dims.w);
        fprintf(c->table, "\n");
        fflush(c->table);
    }
    c->n_values = n;
    for (size_t i = 0; i < n; i++)
        TG_TRY(value_init(c, &specs[i], i, &c->values[i]));
cleanup:
    return status;
}

void tgi_check_take(tgi_check_value *value)
{
    for (size_t i = 0; i < value->n; i++) {
        value->start[i] = (float)value->ref[i];
        value->ref[i] = (double)value->start[i];
    }
}

/* Keeps the pair of error and tolerance that comes nearest to a failure, or the loosest of those
 * without any error. */
static void note(tgi_check *c, double error, double tolerance)
{
    bool is_worse = c->error > 0 || error > 0 ? error * c->tolerance > c->error * tolerance
                                              : tolerance > c->tolerance;

    if (c->tolerance < 0 || is_worse || isnan(error)) {
        c->error = error;
        c->tolerance = tolerance;
    }
}

static tg_status compare(tgi_check *c, const tgi_check_value *value, const float *got)
{
    double largest = 1, worst = 0, tolerance = value->spec.tolerance;
    size_t at = 0;

    for (size_t i = 0; i < value->n; i++)
        largest = fmax(largest, fabs(value->ref[i]));
    for (size_t i = 0; i < value->n; i++) {
        double want = tolerance > 0 ? value->ref[i] : (double)(float)value->ref[i];
        double error = fabs((double)got[i] - want) / largest;

        if (!(error <= worst)) {
            worst = error;
            at = i;
        }
        if (isnan(error))
            break;
    }
    note(c, worst, tolerance);
    if (worst <= tolerance)
        return TG_OK;
    return tg_fail(TG_ERR_NUMERIC, "value %zu of %zu of %s is %.9g, not %.9g (allowed: %.3g)", at,
                   value->n, value->spec.name, (double)got[at], value->ref[at],
                   tolerance * largest);
}

/* What the run left in one value. */
static tg_status look_at(tgi_check *c, tgi_check_value *value)
{
    tg_status status = TG_OK;
    size_t bytes = value->n * sizeof(float);
    float *got = NULL;

    TG_TRY(tgi_alloc(value->n, sizeof *got, &got));
    TG_TRY(tg_tensor_download(value->t, got, value->n));
    if (value->spec.role == TGI_READ) {
        if (memcmp(got, value->start, bytes))
            status = tg_fail(TG_ERR_NUMERIC, "the input %s was changed", value->spec.name);
    } else if (c->round == 1) {
        memcpy(value->first, got, bytes);
        status = compare(c, value, got);
    } else if (memcmp(got, value->first, bytes)) {
        status = tg_fail(TG_ERR_NUMERIC, "the second run gives other bits in %s", value->spec.name);
    }
cleanup:
    free(got);
    return status;
}

bool tgi_check_round(tgi_check *c)
{
    tg_status status = TG_OK;

    for (size_t i = 0; i < c->n_values && c->round; i++)
        TG_TRY(look_at(c, &c->values[i]));
    for (size_t i = 0; i < c->n_values && c->round < 2; i++)
        TG_TRY(tg_tensor_upload(c->values[i].t, c->values[i].start, c->values[i].n));
cleanup:
    c->status = status;
    return status == TG_OK && c->round++ < 2;
}

/* One case of a row; the message of a failure gets the sizes of the first value. */
static tg_status run_case(tgi_check *c, const tgi_check_row *row, size_t i)
{
    tg_status status;

    c->round = 0;
    c->status = TG_OK;
    c->n_values = 0;
    status = row->run(c, row->kind_number, i);
    if (status == TG_OK)
        status = tg_device_finish(c->dev); /* what fails late fails here */
    if (status != TG_OK && c->n_values) {
        const tgi_check_spec *first = &c->values[0].spec;
        tg_fail_in(status, "%s of %zux%zux%zux%zu", first->name, first->dims.n, first->dims.c,
                   first->dims.h, first->dims.w);
    }
    values_release(c);
    return status;
}

tg_status tgi_check_run_row(tgi_check *c, const tgi_check_row *row)
{
    tg_status status = TG_OK;

    c->error = 0;
    c->tolerance = -1; /* nothing was compared */
    for (size_t i = 0; i < row->n_cases; i++)
        TG_TRY(run_case(c, row, i));
cleanup:
    return status;
}

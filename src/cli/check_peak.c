/* check_peak.c -- rows of taggan-devices check: the kernels that taggan-devices bench measures a device with. */
#include "config.h"
#include "cli/devices_check.h"
#include "op/peak.h"

#include "base/banned.h"

/* One vector, a part of a group, more than one group; widths divide them all. */
static const tg_dims shapes[] = {{1, 1, 1, 16}, {1, 3, 5, 16}, {2, 8, 17, 48}};

static const size_t n_rounds = 21;

static tg_status fma_chains(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *y = x + 1;

    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("x", shapes[i]), TGI_WRITES("y", shapes[i], TOL_POINT))));
    ref_peak_fma(x->ref, x->n, n_rounds, 0.75, 1, y->ref);
    while (tgi_check_round(c))
        TG_TRY(tgi_peak_fma(&tgi_peak_variants[kind], x->t, n_rounds, 0.75f, 1, y->t));
    status = c->status;
cleanup:
    return status;
}

static tg_status copy(tgi_check *c, int kind, size_t i)
{
    tg_status status = TG_OK;
    tgi_check_value *x = c->values, *y = x + 1;

    TG_TRY(tgi_check_values(
        c, TGI_SPECS(TGI_READS("x", shapes[i]), TGI_WRITES("y", shapes[i], TOL_EXACT))));
    for (size_t k = 0; k < x->n; k++)
        y->ref[k] = x->ref[k];
    while (tgi_check_round(c))
        TG_TRY(tgi_peak_copy(&tgi_peak_variants[kind], x->t, y->t));
    status = c->status;
cleanup:
    return status;
}

#define ROW(op, kind, run, number)                                                                 \
    {                                                                                              \
        op, kind, "peak", run, number, TG_COUNT(shapes)                                            \
    }
const tgi_check_row tgi_check_peak[] = {
    ROW("peak_fma", "float16", fma_chains, 0), ROW("peak_fma", "float8", fma_chains, 1),
    ROW("peak_fma", "float4", fma_chains, 2),  ROW("peak_fma", "float", fma_chains, 3),
    ROW("peak_copy", "float16", copy, 0),      ROW("peak_copy", "float8", copy, 1),
    ROW("peak_copy", "float4", copy, 2),       ROW("peak_copy", "float", copy, 3),
};
const size_t tgi_n_check_peak = TG_COUNT(tgi_check_peak);

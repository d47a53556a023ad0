/* sgemm.c -- CLBlast's Sgemm, used only on devices on which it gave known answers. */
#include "config.h"
#include "op/sgemm.h"
#include "base/memory.h"
#include "base/rng.h"

#include <clblast_c.h>
#include <math.h>
#include <stdlib.h>

#include "base/banned.h"

tg_status tgi_sgemm(const tgi_product *p)
{
    cl_command_queue queue = p->c->dev->queue;
    CLBlastStatusCode code = CLBlastSgemm(
        CLBlastLayoutRowMajor, p->a_transposed ? CLBlastTransposeYes : CLBlastTransposeNo,
        p->b_transposed ? CLBlastTransposeYes : CLBlastTransposeNo, p->m, p->n, p->k, 1.0f,
        p->a->mem, p->a_offset, p->a_transposed ? p->m : p->k, p->b->mem, p->b_offset,
        p->b_transposed ? p->k : p->n, p->beta, p->c->mem, p->c_offset, p->n, &queue, NULL);

    if (code != CLBlastSuccess)
        return tg_fail(TG_ERR_OPENCL, "CLBlast: Sgemm of %zu x %zu x %zu fails with code %d", p->m,
                       p->n, p->k, (int)code);
    return TG_OK;
}

/* ---- the known answer --------------------------------------------------------------------------------- */

/* Odd sizes; small ones are computed by one kernel, large ones by another, with copies around it. */
static const struct {
    size_t m, n, k;
} sizes[] = {{13, 7, 21}, {453, 451, 455}};
enum { ROWS_COMPARED = 16 }; /* of a large product, spread over it */

static tg_status new_random(tg_device *dev, size_t n, uint64_t index, float **values,
                            tg_tensor **out)
{
    tg_status status = TG_OK;
    tgi_rng rng = tgi_rng_new(2, TGI_STREAM_TEST, index);

    TG_TRY(tgi_alloc(n, sizeof **values, values));
    for (size_t i = 0; i < n; i++)
        (*values)[i] = (float)tgi_rng_range(&rng, -1, 1);
    TG_TRY(tg_tensor_new(dev, (tg_dims){1, 1, 1, n}, out));
    TG_TRY(tg_tensor_upload(*out, *values, n));
cleanup:
    return status;
}

/* The largest difference from the product in double, as a share of the square root of k. */
static double error_of(const tgi_product *p, const float *a, const float *b, const float *start,
                       const float *got)
{
    size_t step = 1 + (p->m - 1) / ROWS_COMPARED;
    double worst = 0;

    for (size_t i = 0; i < p->m; i += step) {
        for (size_t j = 0; j < p->n; j++) {
            double sum = (double)p->beta * (double)start[i * p->n + j], difference;

            for (size_t t = 0; t < p->k; t++)
                sum += (double)a[p->a_transposed ? t * p->m + i : i * p->k + t] *
                       (double)b[p->b_transposed ? j * p->k + t : t * p->n + j];
            difference = fabs((double)got[i * p->n + j] - sum);
            if (!(difference <= worst))
                worst = difference;
        }
    }
    return worst / sqrt((double)p->k);
}

static tg_status check_product(tg_device *dev, size_t size, bool a_transposed, bool b_transposed)
{
    tg_status status = TG_OK;
    tgi_product p = {.m = sizes[size].m,
                     .n = sizes[size].n,
                     .k = sizes[size].k,
                     .a_transposed = a_transposed,
                     .b_transposed = b_transposed,
                     .beta = 1};
    float *a = NULL, *b = NULL, *start = NULL, *got = NULL;
    tg_tensor *ta = NULL, *tb = NULL, *tc = NULL;
    double error;

    TG_TRY(new_random(dev, p.m * p.k, 1, &a, &ta));
    TG_TRY(new_random(dev, p.k * p.n, 2, &b, &tb));
    TG_TRY(new_random(dev, p.m * p.n, 3, &start, &tc));
    TG_TRY(tgi_alloc(p.m * p.n, sizeof *got, &got));
    p.a = ta;
    p.b = tb;
    p.c = tc;
    TG_TRY(tgi_sgemm(&p));
    TG_TRY(tg_tensor_download(tc, got, p.m * p.n));
    if (tgi_proof_is_spoilt("clblast"))
        got[0] += 1;
    error = error_of(&p, a, b, start, got);
    if (!(error <= 1e-5)) /* right products reach 2e-7 */
        status = tg_fail(TG_ERR_NUMERIC,
                         "CLBlast: products of %zu x %zu x %zu are wrong on %s (error %.2g)", p.m,
                         p.n, p.k, dev->info.name, error);
cleanup:
    tg_tensor_free(ta);
    tg_tensor_free(tb);
    tg_tensor_free(tc);
    free(a);
    free(b);
    free(start);
    free(got);
    return status;
}

tgi_proof tgi_sgemm_prove(tg_device *dev)
{
    tg_status status = TG_OK;

    if (dev->sgemm_proof)
        return dev->sgemm_proof > 0 ? TGI_PROVEN : TGI_REFUTED;
    dev->sgemm_proof = -1;
    for (size_t i = 0; i < TG_COUNT(sizes); i++) { /* the three that convolution needs */
        TG_TRY(check_product(dev, i, false, false));
        TG_TRY(check_product(dev, i, true, false));
        TG_TRY(check_product(dev, i, false, true));
    }
    dev->sgemm_proof = 1;
cleanup:
    return status == TG_OK ? TGI_PROVEN : TGI_REFUTED_NOW;
}

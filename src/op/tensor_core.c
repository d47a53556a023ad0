/* tensor_core.c -- asks a device once whether the matrix units of cl/conv2d_implicit.cl build there and give a known answer.
 *
 * OpenCL C has no word for matrix units. One vendor's compiler takes its assembly language inline; the kernels hold that behind
 * an option, which only devices of that platform are ever given, and only after this test. */
#include "config.h"
#include "op/tensor_core.h"
#include "base/memory.h"
#include "base/text.h"
#include "op/conv2d_implicit.h"

#include <math.h>
#include <stdlib.h>

#include "base/banned.h"

/* More than a tile each way, ragged ends; whole numbers, whose products and sums are exact in every format. */
enum { BATCH = 2, ROWS = 70, COLUMNS = 84, SUMS = 76 };

/* In the order of their speed: products 16 deep, which newer devices have, and 8 deep. */
static const char *const tf32_options[] = {" -DTENSOR=1", NULL}, *const half_options[] = {
                                                                     " -DTENSOR=2",
                                                                     " -DTENSOR=2 -DTENSOR_SHORT",
                                                                     NULL};

void tgi_tensor_core_wish(tg_device *dev, tgi_tensor_cores wish)
{
    if (dev->tensor_cores != wish)
        dev->tensor_proof = 0;
    dev->tensor_cores = wish;
}

static float factor(size_t i)
{
    return (float)((i * 7 + i / 11) % 9) - 4;
}

static tg_status new_factors(tg_device *dev, size_t n, float **values, tg_tensor **out)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_alloc(n, sizeof **values, values));
    for (size_t i = 0; i < n; i++)
        (*values)[i] = factor(i);
    TG_TRY(tg_tensor_new(dev, (tg_dims){1, 1, 1, n}, out));
    TG_TRY(tg_tensor_upload(*out, *values, n));
cleanup:
    return status;
}

/* Whether the product, whose first matrix holds factors [sums][lines] (or, along the sum, [lines][sums]), is what it should be. */
static bool is_right(const tgi_matrix *p, size_t padded_lines, size_t padded_sums, bool by_lines,
                     size_t splits, const float *a, const float *b, const float *got)
{
    for (size_t z = 0; z < p->batch; z++) {
        for (size_t i = 0; i < p->m; i++) {
            for (size_t j = 0; j < p->columns; j++) {
                float sum = 0, whole = 0;

                for (size_t k = 0; k < p->k; k++)
                    sum += by_lines
                               ? a[(z * p->m + i) * p->k + k] * b[(z * p->columns + j) * p->k + k]
                               : a[(z * padded_sums + k) * padded_lines + i] *
                                     b[(z * p->k + k) * p->columns + j];
                for (size_t s = 0; s < splits; s++)
                    whole += got[((s * p->batch + z) * p->m + i) * p->columns + j];
                if (!(fabsf(whole - sum) <= 0)) /* NaN, too */
                    return false;
            }
        }
    }
    return true;
}

static tg_status check_product(tg_device *dev, bool by_lines)
{
    tg_status status = TG_OK;
    const tgi_matrix p = {.dev = dev, .batch = BATCH, .m = ROWS, .columns = COLUMNS, .k = SUMS};
    tgi_conv_tile tile = tgi_matrix_tile(&p);
    size_t lines = tgi_blocks(ROWS, tile.bm) * tile.bm, sums = tgi_blocks(SUMS, tile.bk) * tile.bk,
           splits = by_lines ? tgi_matrix_splits(&p) : 1, n_out = splits * BATCH * ROWS * COLUMNS;
    float *a = NULL, *b = NULL, *got = NULL;
    tg_tensor *ta = NULL, *tb = NULL, *to = NULL;

    TG_TRY(new_factors(dev, BATCH * (by_lines ? (size_t)ROWS * SUMS : sums * lines), &a, &ta));
    TG_TRY(new_factors(dev, (size_t)BATCH * COLUMNS * SUMS, &b, &tb));
    TG_TRY(tgi_alloc(n_out, sizeof *got, &got));
    TG_TRY(tg_tensor_new(dev, (tg_dims){1, 1, 1, n_out}, &to));
    TG_TRY(by_lines ? tgi_matrix_multiply_nt(&p, ta, tb, to)
                    : tgi_matrix_multiply(&p, tile, ta->mem, tb, to));
    TG_TRY(tg_tensor_download(to, got, n_out));
    if (!is_right(&p, lines, sums, by_lines, splits, a, b, got))
        status =
            tg_fail(TG_ERR_NUMERIC, "products of matrix units are wrong on %s", dev->info.name);
cleanup:
    tg_tensor_free(ta);
    tg_tensor_free(tb);
    tg_tensor_free(to);
    free(a);
    free(b);
    free(got);
    return status;
}

static tg_status prove(tg_device *dev)
{
    const char *const *options = dev->tensor_cores == TGI_TENSOR_HALF ? half_options : tf32_options;
    tg_status status = TG_OK;

    if (!tgi_has_word(dev->info.platform, "nvidia"))
        return tg_fail(TG_ERR_UNSUPPORTED, "%s has no matrix units that OpenCL reaches",
                       dev->info.name);
    for (; *options; options++) {
        dev->tensor_options = *options;
        dev->tensor_proof = 1; /* or the products would be computed the other way */
        status = check_product(dev, false);
        if (status == TG_OK)
            status = check_product(dev, true);
        if (status == TG_OK)
            return TG_OK;
    }
    return status;
}

const char *tgi_tensor_core_options(tg_device *dev)
{
    if (dev->tensor_cores == TGI_TENSOR_OFF)
        return NULL;
    if (!dev->tensor_proof && prove(dev) != TG_OK) {
        dev->tensor_proof = -1;
        tg_log(TG_LOG_WARNING, "tensor cores: %s; convolutions are computed in float instead",
               tg_error_message());
    }
    return dev->tensor_proof > 0 ? dev->tensor_options : NULL;
}

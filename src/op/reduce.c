/* reduce.c -- host side of cl/reduce.cl: sums in two stages. */
#include "config.h"
#include "op/reduce.h"

#include "base/banned.h"

tgi_split tgi_split_of(size_t n)
{
    size_t chunk = (n + TGI_MAX_PARTS - 1) / TGI_MAX_PARTS;

    if (chunk < TGI_MIN_PART)
        chunk = TGI_MIN_PART;
    chunk = (chunk + 63) / 64 * 64;
    return (tgi_split){chunk, (n + chunk - 1) / chunk};
}

tg_status tgi_reduce_products(const tg_tensor *a, const tg_tensor *b, size_t n_rows,
                              tg_tensor **partials)
{
    tg_status status = TG_OK;
    tg_tensor *sums = NULL;
    tgi_kernel *kernel;
    size_t n = tg_tensor_count(a) / n_rows;
    const tgi_split split = tgi_split_of(n);

    *partials = NULL;
    TG_TRY(tg_tensor_new(a->dev, (tg_dims){1, 1, n_rows, split.n_parts}, &sums));
    TG_TRY(
        tgi_kernel_get(a->dev, "reduce", "reduce_products", tgi_reduce_options(a->dev), &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(split.n_parts * tgi_reduce_group(a->dev), n_rows),
                          TGI_ARGS(tgi_buffer(a), tgi_buffer(b), tgi_int(n), tgi_int(split.chunk),
                                   tgi_int(split.n_parts), tgi_buffer(sums))));
    *partials = sums;
    sums = NULL; /* now the caller's */
cleanup:
    tg_tensor_free(sums);
    return status;
}

tg_status tgi_reduce_finish(const tg_tensor *partials, double scale, tg_scalar slot)
{
    tg_status status = TG_OK;
    tg_device *dev = partials->dev;
    tgi_kernel *kernel;

    TG_TRY(tgi_kernel_get(dev, "reduce", "reduce_finish", tgi_reduce_options(dev), &kernel));
    TG_TRY(
        tgi_kernel_run(kernel, TGI_RANGE1(tgi_reduce_group(dev)),
                       TGI_ARGS(tgi_buffer(partials), tgi_int(tg_tensor_count(partials)),
                                tgi_float(scale), tgi_int(slot.index), tgi_buffer(slot.tensor))));
cleanup:
    return status;
}

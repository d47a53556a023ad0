/* half.c -- values kept as half and brought back: host side of cl/half.cl. */
#include "config.h"
#include "op/reduce.h"

#include "base/banned.h"

tg_dims tgi_half_dims(size_t n)
{
    return (tg_dims){1, 1, 1, (n + 1) / 2};
}

/* n values in rows with a centre each, or in one row without. */
static tg_status convert(const char *name, const tg_tensor *from, const tg_tensor *centre, size_t n,
                         tg_tensor *to)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    size_t width = tgi_reduce_lanes(from->dev), rows = centre ? tg_tensor_count(centre) : 1;

    if (n % rows)
        return tg_fail(TG_ERR_SHAPE, "half: %zu values are not %zu rows", n, rows);
    TG_TRY(tgi_kernel_get(from->dev, "half", name, tgi_reduce_options(from->dev), &kernel));
    TG_TRY(tgi_kernel_run(
        kernel, TGI_RANGE2((n / rows + width - 1) / width, rows),
        TGI_ARGS(tgi_buffer(from), tgi_optional(centre), tgi_int(n / rows), tgi_buffer(to))));
    tgi_tensor_touch(to);
cleanup:
    return status;
}

tg_status tgi_half_from_float(const tg_tensor *x, const tg_tensor *centre, tg_tensor *h)
{
    tg_status status = TG_OK;
    size_t n = tg_tensor_count(x);

    TG_TRY(tgi_op_expect("half: h", x, tgi_half_dims(n), h));
    TG_TRY(convert("half_from_float", x, centre, n, h));
cleanup:
    return status;
}

tg_status tgi_half_to_float(const tg_tensor *h, const tg_tensor *centre, tg_tensor *y)
{
    tg_status status = TG_OK;
    size_t n = tg_tensor_count(y);

    TG_TRY(tgi_op_expect("half: h", y, tgi_half_dims(n), h));
    TG_TRY(convert("half_to_float", h, centre, n, y));
cleanup:
    return status;
}

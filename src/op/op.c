/* op.c -- size checks and loss slots for all operations. */
#include "config.h"
#include "op/op.h"

#include "base/banned.h"

static tg_status check_device(const char *what, const tg_tensor *a, const tg_tensor *b)
{
    if (a->dev == b->dev)
        return TG_OK;
    return tg_fail(TG_ERR_ARGUMENT, "%s is on another device than the first tensor", what);
}

tg_status tgi_op_same_dims(const char *what, const tg_tensor *a, const tg_tensor *b)
{
    return tgi_op_expect(what, a, a->dims, b);
}

tg_status tgi_op_expect(const char *what, const tg_tensor *a, tg_dims dims, const tg_tensor *b)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_tensor_expect(b, dims, what));
    TG_TRY(check_device(what, a, b));
cleanup:
    return status;
}

tg_status tgi_slot_check(const char *what, const tg_device *dev, tg_scalar scalar)
{
    size_t n = scalar.tensor ? tg_tensor_count(scalar.tensor) : SIZE_MAX;

    if (scalar.index >= n)
        return tg_fail(TG_ERR_SHAPE, "%s: slot %zu of a tensor of %zu", what, scalar.index, n);
    if (scalar.tensor && scalar.tensor->dev != dev)
        return tg_fail(TG_ERR_ARGUMENT, "%s: the slot is on another device", what);
    return TG_OK;
}

tg_status tgi_slot_init(const char *what, tg_device *dev, tg_scalar scalar, tgi_slot *slot)
{
    tg_status status = TG_OK;

    *slot = (tgi_slot){0};
    TG_TRY(tgi_slot_check(what, dev, scalar));
    if (scalar.tensor) {
        slot->mem = scalar.tensor->mem;
        slot->index = scalar.index;
        return TG_OK;
    }
    TG_TRY(tg_tensor_new(dev, (tg_dims){1, 1, 1, 1}, &slot->scratch));
    slot->mem = slot->scratch->mem;
cleanup:
    return status;
}

void tgi_slot_release(tgi_slot *slot)
{
    /* The queue is in order: who gets this memory next writes it after the kernel that used it. */
    tg_tensor_free(slot->scratch);
    *slot = (tgi_slot){0};
}

const char *tgi_reduce_options(const tg_device *dev)
{
    return tgi_is_cpu_family(dev) ? "-DWG=1 -DLANES=16" : "-DWG=64 -DLANES=4" TGI_SUBGROUPS;
}

size_t tgi_reduce_lanes(const tg_device *dev)
{
    return tgi_is_cpu_family(dev) ? 16 : 4;
}

size_t tgi_reduce_group(const tg_device *dev)
{
    return tgi_is_cpu_family(dev) ? 1 : 64;
}

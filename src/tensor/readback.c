/* readback.c -- scalars that come back late: nobody waits for a loss. */
#include "config.h"
#include "base/memory.h"
#include "tensor/tensor.h"

#include <stdlib.h>

#include "base/banned.h"

typedef struct slot {
    float *values;
    cl_event event; /* NULL when the slot is free */
    uint64_t tag;
} slot;

struct tgi_readback {
    tg_device *dev;
    size_t n_values, n_slots, first, used; /* ring: `used` slots under way from `first` on */
    slot *slots;
};

tg_status tgi_readback_new(tg_device *dev, size_t n_values, size_t n_slots, tgi_readback **out)
{
    tg_status status = TG_OK;
    tgi_readback *readback = NULL;

    *out = NULL;
    TG_TRY(tgi_alloc(1, sizeof *readback, &readback));
    readback->dev = dev;
    readback->n_values = n_values;
    TG_TRY(tgi_alloc(n_slots, sizeof *readback->slots, &readback->slots));
    readback->n_slots = n_slots;
    for (size_t i = 0; i < n_slots; i++)
        TG_TRY(tgi_alloc(n_values, sizeof(float), &readback->slots[i].values));
    *out = readback;
    return TG_OK;
cleanup:
    tgi_readback_free(readback);
    return status;
}

static tg_status release_first(tgi_readback *readback, slot **out)
{
    tg_status status = TG_OK;
    slot *first = &readback->slots[readback->first];

    TG_CL(clWaitForEvents(1, &first->event));
    clReleaseEvent(first->event);
    first->event = NULL;
    readback->first = (readback->first + 1) % readback->n_slots;
    readback->used--;
    *out = first;
cleanup:
    return status;
}

tg_status tgi_readback_push(tgi_readback *readback, const tg_tensor *values, uint64_t tag)
{
    tg_status status = TG_OK;
    slot *next;

    if (tg_tensor_count(values) != readback->n_values)
        return tg_fail(TG_ERR_SHAPE, "readback: %zu values, not %zu", tg_tensor_count(values),
                       readback->n_values);
    if (readback->used == readback->n_slots)
        TG_TRY(
            release_first(readback, &next)); /* the caller does not collect: the oldest is lost */
    next = &readback->slots[(readback->first + readback->used) % readback->n_slots];
    TG_CL(clEnqueueReadBuffer(readback->dev->queue, values->mem, CL_FALSE, 0,
                              readback->n_values * sizeof(float), next->values, 0, NULL,
                              &next->event));
    TG_CL(clFlush(readback->dev->queue));
    next->tag = tag;
    readback->used++;
cleanup:
    return status;
}

bool tgi_readback_is_full(const tgi_readback *readback)
{
    return readback->used == readback->n_slots;
}

tg_status tgi_readback_pop(tgi_readback *readback, bool wait, const float **values, uint64_t *tag)
{
    tg_status status = TG_OK;
    cl_int state = CL_QUEUED;
    slot *first;

    *values = NULL;
    if (!readback->used)
        return TG_OK;
    TG_CL(clGetEventInfo(readback->slots[readback->first].event, CL_EVENT_COMMAND_EXECUTION_STATUS,
                         sizeof state, &state, NULL));
    if (state < 0)
        return tg_fail(TG_ERR_OPENCL, "a command on the device failed: %s (%d)",
                       tgi_cl_error(state), state);
    if (state != CL_COMPLETE && !wait)
        return TG_OK;
    TG_TRY(release_first(readback, &first));
    *values = first->values;
    *tag = first->tag;
cleanup:
    return status;
}

void tgi_readback_free(tgi_readback *readback)
{
    slot *ignored;

    if (!readback)
        return;
    while (readback->used) {
        if (release_first(readback, &ignored) != TG_OK)
            break;
    }
    for (size_t i = 0; i < readback->n_slots; i++)
        free(readback->slots[i].values);
    free(readback->slots);
    free(readback);
}

/* stage.c -- values on their way to the device: nobody waits for a batch to arrive. */
#include "config.h"
#include "base/memory.h"
#include "tensor/tensor.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

typedef struct stage_slot {
    float *values;
    cl_event event; /* NULL when the slot is free */
} stage_slot;

struct tgi_stage {
    tg_device *dev;
    size_t max_values, n_slots, next;
    stage_slot *slots;
};

tg_status tgi_stage_new(tg_device *dev, size_t max_values, size_t n_slots, tgi_stage **out)
{
    tg_status status = TG_OK;
    tgi_stage *stage = NULL;

    *out = NULL;
    TG_TRY(tgi_alloc(1, sizeof *stage, &stage));
    stage->dev = dev;
    stage->max_values = max_values;
    TG_TRY(tgi_alloc(n_slots, sizeof *stage->slots, &stage->slots));
    stage->n_slots = n_slots;
    for (size_t i = 0; i < n_slots; i++)
        TG_TRY(tgi_alloc(max_values, sizeof(float), &stage->slots[i].values));
    *out = stage;
    return TG_OK;
cleanup:
    tgi_stage_free(stage);
    return status;
}

static tg_status wait_for(stage_slot *slot)
{
    tg_status status = TG_OK;

    if (slot->event) {
        TG_CL(clWaitForEvents(1, &slot->event));
        clReleaseEvent(slot->event);
        slot->event = NULL;
    }
cleanup:
    return status;
}

tg_status tgi_stage_push(tgi_stage *stage, const float *values, size_t n, tg_tensor *tensor)
{
    tg_status status = TG_OK;
    stage_slot *slot = &stage->slots[stage->next];

    if (n != tg_tensor_count(tensor) || n > stage->max_values)
        return tg_fail(TG_ERR_SHAPE, "stage: %zu values for a tensor of %zu", n,
                       tg_tensor_count(tensor));
    TG_TRY(wait_for(slot));
    memcpy(slot->values, values, n * sizeof *values);
    TG_CL(clEnqueueWriteBuffer(stage->dev->queue, tensor->mem, CL_FALSE, 0, n * sizeof *values,
                               slot->values, 0, NULL, &slot->event));
    tgi_tensor_touch(tensor);
    stage->next = (stage->next + 1) % stage->n_slots;
cleanup:
    return status;
}

void tgi_stage_free(tgi_stage *stage)
{
    if (!stage)
        return;
    for (size_t i = 0; i < stage->n_slots; i++) {
        if (wait_for(&stage->slots[i]) != TG_OK)
            tg_log(TG_LOG_WARNING, "stage: %s", tg_error_message());
        free(stage->slots[i].values);
    }
    free(stage->slots);
    free(stage);
}

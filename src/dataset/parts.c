/* parts.c -- bounding boxes of the 8-connected parts of a mask. Truth only: what models find is cut
 * up in the room tag. */
#include "config.h"
#include "dataset/dataset.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/banned.h"

static tg_status add_box(tg_truth *truth, size_t *capacity, const size_t edge[4],
                         size_t class_index)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_grow(&truth->boxes, capacity, truth->n_boxes + 1, sizeof *truth->boxes));
    truth->boxes[truth->n_boxes++] =
        (tg_box){(double)edge[0], (double)edge[1], (double)(edge[2] - edge[0]),
                 (double)(edge[3] - edge[1]), class_index};
cleanup:
    return status;
}

/* Takes the part that holds `start` away from `left`; its edges are left, top, right, bottom,
 * half-open. */
static void take_part(const tg_mask *mask, uint8_t *left, size_t *stack, size_t start,
                      size_t edge[4])
{
    const size_t w = mask->width_px, h = mask->height_px;
    size_t n = 0;

    edge[0] = w;
    edge[1] = h;
    edge[2] = edge[3] = 0;
    stack[n++] = start;
    left[start] = 0;
    while (n) {
        const size_t at = stack[--n], x = at % w, y = at / w;

        edge[0] = x < edge[0] ? x : edge[0];
        edge[1] = y < edge[1] ? y : edge[1];
        edge[2] = x + 1 > edge[2] ? x + 1 : edge[2];
        edge[3] = y + 1 > edge[3] ? y + 1 : edge[3];
        for (size_t v = y ? y - 1 : 0; v <= y + 1 && v < h; v++)
            for (size_t u = x ? x - 1 : 0; u <= x + 1 && u < w; u++)
                if (left[v * w + u]) {
                    left[v * w + u] =
                        0; /* pushed once: the stack never holds more than the mask has pixels */
                    stack[n++] = v * w + u;
                }
    }
}

tg_status tgi_boxes_of_mask(const tg_mask *mask, size_t class_index, tg_truth *truth)
{
    tg_status status = TG_OK;
    const size_t n = mask->width_px * mask->height_px;
    size_t *stack = NULL, capacity = truth->n_boxes, edge[4];
    uint8_t *left = NULL;

    TG_TRY(tgi_alloc(n, sizeof *stack, &stack));
    TG_TRY(tgi_alloc(n, 1, &left));
    for (size_t p = 0; p < n; p++)
        left[p] = mask->pixels[p] != 0;
    for (size_t p = 0; p < n; p++)
        if (left[p]) {
            take_part(mask, left, stack, p, edge);
            TG_TRY(add_box(truth, &capacity, edge, class_index));
        }
cleanup:
    free(stack);
    free(left);
    return status;
}

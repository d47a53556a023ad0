/* region.c -- steps 5 and 6: connected parts of a mask by union-find, their boxes and scores. */
#include "config.h"
#include "tag/tag.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* A region and the label it had in raster order, while they are sorted. */
typedef struct part {
    tg_region region;
    size_t label; /* 1, 2, ... in raster order of the first pixels */
    size_t right, bottom;
} part;

static uint32_t find_root(uint32_t *parent, uint32_t a)
{
    while (parent[a] != a) {
        parent[a] = parent[parent[a]];
        a = parent[a];
    }
    return a;
}

/* The smaller number stays the root, so roots are numbered in raster order. */
static void join(uint32_t *parent, uint32_t a, uint32_t b)
{
    a = find_root(parent, a);
    b = find_root(parent, b);
    if (a < b)
        parent[b] = a;
    else
        parent[a] = b;
}

/* Provisional labels: the left or upper neighbours' one, or a new one; neighbours that meet are
 * joined. */
static uint32_t label_pixel(const tg_mask *mask, const uint32_t *labels, size_t x, size_t y,
                            int connectivity, uint32_t *parent, uint32_t *n_labels)
{
    size_t w = mask->width_px, at = y * w + x;
    uint32_t near[4], mine = 0;
    int n_near = 0;

    if (x)
        near[n_near++] = labels[at - 1];
    if (y)
        near[n_near++] = labels[at - w];
    if (y && x && connectivity == 8)
        near[n_near++] = labels[at - w - 1];
    if (y && x + 1 < w && connectivity == 8)
        near[n_near++] = labels[at - w + 1];
    for (int i = 0; i < n_near; i++) {
        if (near[i] && mine)
            join(parent, near[i], mine);
        else if (near[i])
            mine = near[i];
    }
    if (!mine) {
        mine = ++*n_labels;
        parent[mine] = mine;
    }
    return mine;
}

/* Labels [h,w], 1.. in raster order of each part's first pixel. */
static tg_status label_mask(const tg_mask *mask, int connectivity, uint32_t *labels,
                            size_t *n_parts)
{
    tg_status status = TG_OK;
    size_t w = mask->width_px, h = mask->height_px;
    uint32_t *parent = NULL, *final = NULL, n_labels = 0, n_final = 0;
    size_t most = ((w + 1) / 2) * h + 1; /* two pixels side by side never start two labels */

    if (most > UINT32_MAX)
        return tg_fail(TG_ERR_SHAPE, "tag: a mask of %zu x %zu pixels is too large", w, h);
    TG_TRY(tgi_alloc(most + 1, sizeof *parent, &parent));
    for (size_t y = 0; y < h; y++) {
        for (size_t x = 0; x < w; x++)
            labels[y * w + x] =
                mask->pixels[y * w + x]
                    ? label_pixel(mask, labels, x, y, connectivity, parent, &n_labels)
                    : 0;
    }
    TG_TRY(tgi_alloc((size_t)n_labels + 1, sizeof *final, &final));
    for (uint32_t a = 1; a <= n_labels; a++) {
        uint32_t root = find_root(parent, a);

        final[a] = root == a ? ++n_final : final[root]; /* root < a: numbered before */
    }
    for (size_t i = 0; i < w * h; i++)
        labels[i] = labels[i] ? final[labels[i]] : 0;
    *n_parts = n_final;
cleanup:
    free(final);
    free(parent);
    return status;
}

static void measure_parts(const tg_mask *mask, const uint32_t *labels, const tg_image *score,
                          part *parts)
{
    size_t w = mask->width_px;

    for (size_t y = 0; y < mask->height_px; y++) {
        for (size_t x = 0; x < w; x++) {
            uint32_t label = labels[y * w + x];
            part *p;

            if (!label)
                continue;
            p = &parts[label - 1];
            if (!p->region.area_px) {
                p->label = label;
                p->region.x = p->right = x;
                p->region.y = y;
            }
            p->region.x = x < p->region.x ? x : p->region.x;
            p->right = x > p->right ? x : p->right;
            p->bottom = y;
            p->region.area_px++;
            p->region.score += score ? score->pixels[y * w + x] : 1;
        }
    }
}

static int by_area_then_place(const void *a, const void *b)
{
    const part *p = a, *q = b;

    if (p->region.area_px != q->region.area_px)
        return p->region.area_px > q->region.area_px ? -1 : 1;
    if (p->region.y != q->region.y)
        return p->region.y < q->region.y ? -1 : 1;
    if (p->region.x != q->region.x)
        return p->region.x < q->region.x ? -1 : 1;
    return p->label < q->label ? -1 : p->label > q->label;
}

/* Sorted parts, finished, small ones last and not counted in *n_kept. */
static void finish_parts(part *parts, size_t n, size_t min_area_px, size_t *n_kept)
{
    qsort(parts, n, sizeof *parts, by_area_then_place);
    *n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        tg_region *r = &parts[i].region;

        r->w = parts[i].right - r->x + 1;
        r->h = parts[i].bottom - r->y + 1;
        r->score /= (double)r->area_px;
        *n_kept += r->area_px >= min_area_px;
    }
}

tg_status tgi_regions_find(tg_tags *tags, const tg_image *score, int connectivity,
                           size_t min_area_px)
{
    tg_status status = TG_OK;
    size_t n = tags->mask.width_px * tags->mask.height_px, n_parts = 0, n_kept;
    uint32_t *rank = NULL;
    part *parts = NULL;

    TG_TRY(tgi_alloc(n, sizeof *tags->labels, &tags->labels));
    TG_TRY(label_mask(&tags->mask, connectivity, tags->labels, &n_parts));
    TG_TRY(tgi_alloc(n_parts, sizeof *parts, &parts));
    TG_TRY(tgi_alloc(n_parts + 1, sizeof *rank, &rank));
    measure_parts(&tags->mask, tags->labels, score, parts);
    finish_parts(parts, n_parts, min_area_px, &n_kept);
    TG_TRY(tgi_alloc(n_kept, sizeof *tags->regions, &tags->regions));
    for (size_t i = 0; i < n_kept; i++) {
        tags->regions[i] = parts[i].region;
        rank[parts[i].label] = (uint32_t)i + 1;
    }
    tags->n_regions = n_kept;
    for (size_t i = 0; i < n; i++) {
        tags->labels[i] = rank[tags->labels[i]];
        tags->mask.pixels[i] = tags->labels[i] != 0;
    }
cleanup:
    free(rank);
    free(parts);
    return status;
}

tg_status tgi_largest_part(const tg_mask *mask, int connectivity, size_t *area_px)
{
    tg_status status = TG_OK;
    size_t n = mask->width_px * mask->height_px, n_parts = 0, *areas = NULL;
    uint32_t *labels = NULL;

    *area_px = 0;
    TG_TRY(tgi_alloc(n, sizeof *labels, &labels));
    TG_TRY(label_mask(mask, connectivity, labels, &n_parts));
    TG_TRY(tgi_alloc(n_parts + 1, sizeof *areas, &areas));
    for (size_t i = 0; i < n; i++)
        areas[labels[i]]++;
    for (size_t k = 1; k <= n_parts; k++)
        *area_px = areas[k] > *area_px ? areas[k] : *area_px;
cleanup:
    free(areas);
    free(labels);
    return status;
}

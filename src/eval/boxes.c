/* boxes.c -- boxes of whole pixels: overlap, merging by least added area, one-to-one matching. */
#include "config.h"
#include "base/memory.h"
#include "eval/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

double tgi_box_area(tgi_box box)
{
    return box.x1 > box.x0 && box.y1 > box.y0
               ? (double)(box.x1 - box.x0) * (double)(box.y1 - box.y0)
               : 0;
}

static long smaller(long a, long b)
{
    return a < b ? a : b;
}

static long larger(long a, long b)
{
    return a > b ? a : b;
}

double tgi_box_overlap(tgi_box a, tgi_box b)
{
    return tgi_box_area((tgi_box){larger(a.x0, b.x0), larger(a.y0, b.y0), smaller(a.x1, b.x1),
                                  smaller(a.y1, b.y1)});
}

double tgi_box_iou(tgi_box a, tgi_box b)
{
    double both = tgi_box_overlap(a, b), either = tgi_box_area(a) + tgi_box_area(b) - both;

    return either > 0 ? both / either : 0;
}

tgi_box tgi_box_round(const tg_box *box, size_t width_px, size_t height_px)
{
    long w = (long)width_px, h = (long)height_px;
    tgi_box b = {lround(box->x), lround(box->y), lround(box->x + box->w), lround(box->y + box->h)};

    b.x0 = larger(0, smaller(b.x0, w - 1));
    b.y0 = larger(0, smaller(b.y0, h - 1));
    b.x1 = larger(b.x0 + 1, smaller(b.x1, w));
    b.y1 = larger(b.y0 + 1, smaller(b.y1, h));
    return b;
}

static tgi_box hull(tgi_box a, tgi_box b)
{
    return (tgi_box){smaller(a.x0, b.x0), smaller(a.y0, b.y0), larger(a.x1, b.x1),
                     larger(a.y1, b.y1)};
}

void tgi_boxes_merge(tgi_box *boxes, size_t *n, size_t k)
{
    while (*n > k && *n > 1) {
        double least = INFINITY;
        size_t first = 0, second = 1;

        for (size_t i = 0; i < *n; i++) {
            for (size_t j = i + 1; j < *n; j++) {
                double added = tgi_box_area(hull(boxes[i], boxes[j])) - tgi_box_area(boxes[i]) -
                               tgi_box_area(boxes[j]) + tgi_box_overlap(boxes[i], boxes[j]);

                if (added < least) {
                    least = added;
                    first = i;
                    second = j;
                }
            }
        }
        boxes[first] = hull(boxes[first], boxes[second]);
        memmove(boxes + second, boxes + second + 1, (*n - second - 1) * sizeof *boxes);
        --*n;
    }
}

/* The Hungarian method with potentials (shortest augmenting paths), on the square matrix of costs
 * -gain padded with 0. Rows and columns count from 1; column 0 holds the row being placed. */
typedef struct hungarian {
    const double *gain;
    size_t n_rows, n_columns, n;
    double *row_price, *column_price, *slack;
    size_t *row_of, *came_from;
    bool *is_used;
} hungarian;

static double cost(const hungarian *m, size_t row, size_t column)
{
    return row <= m->n_rows && column <= m->n_columns
               ? -m->gain[(row - 1) * m->n_columns + column - 1]
               : 0;
}

static void place_row(hungarian *m, size_t row)
{
    size_t column = 0;

    m->row_of[0] = row;
    for (size_t j = 0; j <= m->n; j++) {
        m->slack[j] = INFINITY;
        m->is_used[j] = false;
    }
    do {
        size_t at = m->row_of[column], next = 0;
        double least = INFINITY;

        m->is_used[column] = true;
        for (size_t j = 1; j <= m->n; j++) {
            double reduced = cost(m, at, j) - m->row_price[at] - m->column_price[j];

            if (m->is_used[j])
                continue;
            if (reduced < m->slack[j]) {
                m->slack[j] = reduced;
                m->came_from[j] = column;
            }
            if (m->slack[j] < least) {
                least = m->slack[j];
                next = j;
            }
        }
        for (size_t j = 0; j <= m->n; j++) {
            if (m->is_used[j]) {
                m->row_price[m->row_of[j]] += least;
                m->column_price[j] -= least;
            } else {
                m->slack[j] -= least;
            }
        }
        column = next;
    } while (m->row_of[column]);
    while (column) {
        size_t before = m->came_from[column];

        m->row_of[column] = m->row_of[before];
        column = before;
    }
}

tg_status tgi_match(const double *gain, size_t n_rows, size_t n_columns, size_t *match)
{
    tg_status status = TG_OK;
    hungarian m = {.gain = gain, .n_rows = n_rows, .n_columns = n_columns};

    m.n = n_rows > n_columns ? n_rows : n_columns;
    TG_TRY(tgi_alloc(m.n + 1, sizeof(double), &m.row_price));
    TG_TRY(tgi_alloc(m.n + 1, sizeof(double), &m.column_price));
    TG_TRY(tgi_alloc(m.n + 1, sizeof(double), &m.slack));
    TG_TRY(tgi_alloc(m.n + 1, sizeof(size_t), &m.row_of));
    TG_TRY(tgi_alloc(m.n + 1, sizeof(size_t), &m.came_from));
    TG_TRY(tgi_alloc(m.n + 1, sizeof(bool), &m.is_used));
    for (size_t row = 1; row <= m.n; row++)
        place_row(&m, row);
    for (size_t i = 0; i < n_rows; i++)
        match[i] = n_columns;
    for (size_t j = 1; j <= n_columns; j++) {
        if (m.row_of[j] <= n_rows)
            match[m.row_of[j] - 1] = j - 1;
    }
cleanup:
    free(m.row_price);
    free(m.column_price);
    free(m.slack);
    free(m.row_of);
    free(m.came_from);
    free(m.is_used);
    return status;
}

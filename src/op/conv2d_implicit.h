/* conv2d_implicit.h -- the matrix products of cl/conv2d_implicit.cl, for the GPU algorithms that end in one. */
#ifndef TGI_OP_CONV2D_IMPLICIT_H
#define TGI_OP_CONV2D_IMPLICIT_H

#include "op/conv2d.h"

/* Outputs of a work-group (bm, bn) and of a work-item (tm, tn: 4 or 8), and sums between two barriers; for matrix units or not. */
typedef struct tgi_conv_tile {
    size_t bm, bn, bk, tm, tn;
    bool is_tensor;
} tgi_conv_tile;

/* A batch of products. `packed` is [batch][rows padded to bk][m padded to bm], see tgi_matrix_tile(); b [batch][k][columns];
 * o [batch][m][columns], columns a multiple of four. */
typedef struct tgi_matrix {
    tg_device *dev;
    size_t batch, m, columns, k;
} tgi_matrix;
tgi_conv_tile tgi_matrix_tile(const tgi_matrix *a);
tg_status tgi_matrix_multiply(const tgi_matrix *a, tgi_conv_tile tile, cl_mem packed,
                              const tg_tensor *b, tg_tensor *o) TG_MUST_CHECK;

/* o [splits][batch][m][columns]: a [batch][m][k] by the transpose of b [batch][columns][k], the sum over k cut into parts. */
size_t tgi_matrix_splits(const tgi_matrix *a);
tg_status tgi_matrix_multiply_nt(const tgi_matrix *p, const tg_tensor *a, const tg_tensor *b,
                                 tg_tensor *o) TG_MUST_CHECK;

/* x (+)= the planes [n,c,h + 2 pad,w + 2 pad] with their mirrored halo folded back, plus the bias (NULL: none). */
tg_status tgi_conv_fold(const tgi_conv *conv, const tg_tensor *padded, const tg_tensor *b, bool add,
                        tg_tensor *x) TG_MUST_CHECK;

#endif

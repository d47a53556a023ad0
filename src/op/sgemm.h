/* sgemm.h -- the matrix product, by CLBlast, and its known answer. */
#ifndef TGI_OP_SGEMM_H
#define TGI_OP_SGEMM_H

#include "op/conv2d.h"

/* Row-major C [m,n] = A B + beta C, with A [m,k] or, transposed, [k,m]; B [k,n] or [n,k]. Offsets in values. */
typedef struct tgi_product {
    size_t m, n, k;
    const tg_tensor *a, *b;
    size_t a_offset, b_offset, c_offset;
    bool a_transposed, b_transposed;
    float beta;
    tg_tensor *c;
} tgi_product;

/* Enqueues. The first product of a process waits for CLBlast to compile, some seconds. */
tg_status tgi_sgemm(const tgi_product *product) TG_MUST_CHECK;

/* Whether products are right on this device; computes some once, later calls remember. */
tgi_proof tgi_sgemm_prove(tg_device *dev);

#endif

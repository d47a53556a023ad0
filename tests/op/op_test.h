/* op_test.h -- what the tests of operations share: a device, guarded outputs, gradient checks of references. */
#ifndef OP_TEST_H
#define OP_TEST_H

#include "op/op.h"
#include "tg_test.h"

#include <stdbool.h>
#include <stdlib.h>

/* The device of the running test; op_open and op_close go into a checked fixture (Check forks each test). */
extern tg_device *op_dev;
void op_open(void);
void op_close(void);
/* Whether TAGGAN_TEST_FAMILY=gpu asks for the kernels of graphics cards: op_open() then prefers them on any device. */
bool op_is_gpu_forced(void);
/* The same device taken for a GPU, so that the wide variant of reductions is tested on machines without one. */
void op_open_wide(void);

/* True when TAGGAN_TEST_TINY asks for small shapes only (a simulated device) and this one has more than 4096 values. */
bool op_skips(tg_dims dims);

/* Arrays of n values; free() releases them. Seeded values are the same numbers in float and in double. */
float *op_floats(size_t n);
double *op_doubles(size_t n);
float *op_normal(size_t n, uint64_t seed);
double *op_normal_d(size_t n, uint64_t seed);

/* A tensor with these values; NULL leaves them undefined. */
tg_tensor *op_tensor(tg_dims dims, const float *values);

/* An output in the middle of a larger tensor full of a magic number: what writes outside is found. */
typedef struct op_guarded {
    tg_tensor *parent, *t; /* pass t to the operation */
    size_t before, count;
} op_guarded;
void op_guard_new(op_guarded *g, tg_dims dims);
/* Sets the guards and the values; NULL fills the values with the magic number too. */
void op_guard_set(op_guarded *g, const float *values);
/* The values into out; checks the guards. In rounds after the first, out must hold the same bits already. */
void op_guard_get(op_guarded *g, float *out, int round);
void op_guard_free(op_guarded *g);
/* Three runs give the same bits: `OP_ROUNDS { op_guard_set(..); ck_assert_tg_ok(..); op_guard_get(.., round); }` */
#define OP_ROUNDS for (int round = 0; round < 3; round++)

/* A reference as a function of one of its inputs; user holds the rest. */
typedef void op_reference(const double *x, double *y, void *user);
/* Central differences of sum(dy * y(x)) in double equal dx, to TOL_GRADCHECK. x is changed and put back. */
void op_gradcheck(const char *what, op_reference *forward, void *user, double *x, size_t n_x,
                  const double *dy, size_t n_y, const double *dx);

#endif

/* golden.h -- PyTorch's results as tensors: reads the files that tests/parity/make_golden.py wrote. */
#ifndef OP_GOLDEN_H
#define OP_GOLDEN_H

#include "checkpoint/safetensors.h"
#include "op/op_test.h"

/* Opens tests/parity/golden/NAME.safetensors for the running test; golden_close() belongs into the fixture's end. */
void golden_open(const char *name);
void golden_close(void);
/* The file that is open. */
const tgi_safetensors *golden_file(void);

/* Arrays are named "CASE.PART", or "CASE" when part is "". Fewer than four sizes are filled up with ones behind: [K,D] is [K,D,1,1]. */
tg_dims golden_dims(const char *which, const char *part);
/* The array on the device. */
tg_tensor *golden_tensor(const char *which, const char *part);
/* A tensor of that array's sizes, all zero: for outputs and gradients. */
tg_tensor *golden_zero(const char *which, const char *part);
/* Compares with TOL_GOLDEN and frees the tensor. */
void golden_check(const char *which, const char *part, tg_tensor *got);

#endif

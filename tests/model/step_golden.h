/* step_golden.h -- PyTorch's first training steps, from the files that tests/parity/make_step.py wrote: where to start, what the
 * weights, gradients and losses must be, and what can be compared. Names are those of a checkpoint: "G.model.1.weight". */
#ifndef MODEL_STEP_GOLDEN_H
#define MODEL_STEP_GOLDEN_H

#include <stdbool.h>
#include <stddef.h>

/* Bounds on the relative RMS of an update, and of a loss. */
#define STEP_BOUND_ONE                                                                             \
    0.02 /* after one step: Adam makes steps of full size of gradients near zero, whose sign is rounding */
#define STEP_BOUND_THREE    0.05 /* after three, where PyTorch's own float32 and float64 agree */
#define STEP_BOUND_LOSS     1e-4 /* relative; float32 sums in another order */
#define STEP_BOUND_GRADIENT 1e-3

/* For the running test: opens tests/parity/step/{init,step}SUFFIX.safetensors ("" one disease, "2" two, "_quick" preset quick). */
void step_golden_open(const char *suffix);
void step_golden_close(void);

/* The tensors of init, in the order of the file. The size is the number of values. */
size_t step_golden_count(void);
const char *step_golden_name(size_t i);
size_t step_golden_size(const char *name);
/* Their values; the caller frees them. Fails the test when there is none of that name. */
float *step_golden_init(const char *name);

/* A row of pixels of sick.png or healthy.png in [-1,1]: side*side values, to be freed. */
float *step_golden_image(const char *name, size_t *side);

/* An array of the step's file by its own name ("x"); to be freed. */
float *step_golden_array(const char *name);

/* False for a bias in front of a norm, and for the last bias of a Wasserstein critic: their true gradient is zero, and Adam turns
 * rounding into steps of full size. */
bool step_golden_is_compared(const char *name);
/* Fails when the update `after - init` differs by more than the bound for that step (1 or 3). Says nothing about tensors that are
 * not compared, or whose update PyTorch's own float32 and float64 do not agree on; leaves aside the weights that see the inert label planes. */
void step_golden_check_update(const char *name, const float *after, int step);
/* The gradient of the first step; the same exceptions. */
void step_golden_check_gradient(const char *name, const float *gradient);
/* A loss of step 1, 2 or 3 by its name in make_step.py: d_normal, d_disease, d_cls, g_normal, g_disease, cycle_x, cycle_y, g_cls,
 * identity, map, tv, g. */
void step_golden_check_loss(const char *name, double value, int step);

/* Another setting: its gradients and losses in switches.safetensors, by its name there ("adv=lsgan"). */
size_t step_golden_n_switches(void);
const char *step_golden_switch(size_t i);
void step_golden_check_switch_gradient(const char *which, const char *name, const float *gradient);
void step_golden_check_switch_loss(const char *which, const char *name, double value);

#endif

/* net_test.h -- what the tests of networks share: a network with the weights of a golden file, and
 * comparing by tensor. */
#ifndef NET_TEST_H
#define NET_TEST_H

#include "net/net.h"
#include "op/golden.h"

/* The network of this config with the open golden file's "w.NAME" and "b.NAME"; fails unless names,
 * order and sizes agree. */
tgi_net *net_of_golden(const tgi_net_config *config);
/* Compares a tensor with the array PREFIX.NAME, or PREFIX alone: within tolerance times the array's
 * largest, or times `floor` when that is larger. */
void net_check(const char *prefix, const char *name, const tg_tensor *got, double tolerance,
               double floor);
/* Compares all gradients with "g.NAME". A gradient that is nothing but rounding (a bias before an
 * instance norm) is measured against a thousandth of the largest of all. */
void net_check_grads(const tgi_net *net, double tolerance);
/* A var's gradient is the array of that name, for a backward pass from there. */
void net_seed(tgi_tape *tape, tgi_var *var, const char *name);

#endif

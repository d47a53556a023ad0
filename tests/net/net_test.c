/* net_test.c -- networks with golden weights, and comparing by tensor. */
#include "config.h"
#include "net/net_test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The array PREFIX.NAME (or PREFIX) as floats, and its largest absolute value; free() releases it.
 * NULL when there is none. */
static float *array_of(const char *prefix, const char *name, size_t *n, double *largest)
{
    char full[160];
    const tgi_stored *stored;

    snprintf(full, sizeof full, "%s%s%s", prefix, *name ? "." : "", name);
    stored = tgi_safetensors_find(golden_file(), full);
    if (!stored)
        return NULL;
    float *values = op_floats(stored->n_items);
    ck_assert_tg_ok(tgi_safetensors_floats(golden_file(), full, values, stored->n_items));
    *n = stored->n_items;
    *largest = 0;
    for (size_t i = 0; i < *n; i++)
        *largest = fmax(*largest, fabs((double)values[i]));
    return values;
}

void net_check(const char *prefix, const char *name, const tg_tensor *got, double tolerance,
               double floor)
{
    const size_t n = tg_tensor_count(got);
    size_t n_want = 0;
    double largest = 0, scale;
    char what[180];
    float *want = array_of(prefix, name, &n_want, &largest), *values = op_floats(n);

    snprintf(what, sizeof what, "%s.%s", prefix, name);
    ck_assert_msg(want != NULL, "the golden file has no '%s'", what);
    ck_assert_msg(n == n_want, "%s: %zu values, wanted %zu", what, n, n_want);
    ck_assert_tg_ok(tg_tensor_download(got, values, n));
    scale = fmax(largest, floor);
    for (size_t i = 0; i < n; i++) {
        const double error = fabs((double)values[i] - (double)want[i]);

        ck_assert_msg(error <= tolerance * scale,
                      "%s[%zu]: got %.9g, wanted %.9g (error %.2g of the largest, %.3g)", what, i,
                      (double)values[i], (double)want[i], error / scale, scale);
    }
    free(want);
    free(values);
}

static void upload(const char *prefix, const char *name, tg_tensor *to)
{
    size_t n = 0;
    double largest;
    float *values = array_of(prefix, name, &n, &largest);

    ck_assert_msg(values != NULL, "PyTorch has no parameter '%s'", name);
    ck_assert_msg(n == tg_tensor_count(to), "'%s': %zu values, PyTorch's has %zu", name,
                  tg_tensor_count(to), n);
    ck_assert_tg_ok(tg_tensor_upload(to, values, n));
    free(values);
}

static void check_dims(const tgi_stored *stored, tg_dims dims)
{
    ck_assert_uint_eq(stored->n_dims, 4);
    ck_assert_msg(stored->dims[0] == dims.n && stored->dims[1] == dims.c &&
                      stored->dims[2] == dims.h && stored->dims[3] == dims.w,
                  "'%s': sizes differ from PyTorch's", stored->name);
}

tgi_net *net_of_golden(const tgi_net_config *config)
{
    tgi_net *net;
    size_t n_params = 0;

    ck_assert_tg_ok(tgi_net_new(op_dev, config, &net));
    for (size_t i = 0; i < tgi_safetensors_count(golden_file()); i++) {
        const tgi_stored *stored = tgi_safetensors_at(golden_file(), i);

        if (strncmp(stored->name, "w.", 2))
            continue;
        ck_assert_msg(n_params < net->n_params, "'%s' is missing", stored->name);
        ck_assert_str_eq(net->params[n_params].name, stored->name + 2);
        check_dims(stored, tg_tensor_dims(net->params[n_params].value));
        upload("w", net->params[n_params].name, net->params[n_params].value);
        n_params++;
    }
    ck_assert_uint_eq(net->n_params, n_params);
    for (size_t i = 0; i < net->n_buffers; i++)
        upload("b", net->buffers[i].name, net->buffers[i].value);
    tgi_net_touch(net);
    return net;
}

static double largest_gradient(const char *name)
{
    size_t n;
    double largest = 0;

    free(array_of("g", name, &n, &largest));
    return largest;
}

/* A bias in front of a norm has no effect: its gradient is zero in exact arithmetic, and here the rounding of a sum of terms as
 * large as its layer's weight gradients. Returns those, the scale of that rounding, or 0 for any other parameter. */
static double scale_of_inert_bias(const char *name)
{
    const char *end = strstr(name, ".bias");
    char weight[160];
    double scale;

    if (!end || end[5])
        return 0;
    snprintf(weight, sizeof weight, "%.*s.weight", (int)(end - name), name);
    scale = largest_gradient(weight);
    return largest_gradient(name) < 1e-9 * scale ? scale : 0;
}

void net_check_grads(const tgi_net *net, double tolerance)
{
    double largest_of_all = 0;

    for (size_t i = 0; i < net->n_params; i++)
        largest_of_all = fmax(largest_of_all, largest_gradient(net->params[i].name));
    ck_assert(largest_of_all > 0);
    for (size_t i = 0; i < net->n_params; i++)
        net_check("g", net->params[i].name, net->params[i].grad, tolerance,
                  fmax(1e-3 * largest_of_all, scale_of_inert_bias(net->params[i].name)));
}

void net_seed(tgi_tape *tape, tgi_var *var, const char *name)
{
    tg_tensor *grad;

    ck_assert_tg_ok(tgi_tape_grad(tape, var, &grad));
    upload(name, "", grad);
}

/* test_tape.c -- what was recorded runs backward: gradients of a small composition equal central differences of the references in
 * double, gradients add up, frozen parameters get none, memory comes back, and the tangent pass is the directional derivative. */
#include "config.h"
#include "op/op_test.h"
#include "ref/ref.h"
#include "tape/tape.h"

#include <math.h>
#include <string.h>

/* x -> conv 3x3 -> leaky ReLU -> max pool beside mean pool -> concat -> conv 3x3 -> score; three losses in two places. */
static const tg_dims x_dims = {2, 2, 6, 6}, w1_dims = {3, 2, 3, 3}, b1_dims = {1, 3, 1, 1},
                     a_dims = {2, 3, 6, 6}, p_dims = {2, 3, 3, 3}, c_dims = {2, 6, 3, 3},
                     w2_dims = {1, 6, 3, 3}, z_dims = {2, 1, 3, 3};
static const tg_conv2d_geom same = {.stride = 1, .pad = 1};
enum { X, W1, B1, W2, N_INPUTS };
static const tg_dims *const input_dims[N_INPUTS] = {&x_dims, &w1_dims, &b1_dims, &w2_dims};
static const double slope = 0.2, sparsity = 0.7, cycle = 1.5, fooling = 1.3;

/* Room for the largest array on the way. */
enum { ROOM = 2 * 6 * 6 * 6 };

static void ref_score(double *const in[N_INPUTS], double a[ROOM], double c[ROOM], double z[ROOM])
{
    const ref_conv2d first = {x_dims, w1_dims, same}, second = {c_dims, w2_dims, same};
    double y[ROOM] = {0}, largest[ROOM], mean[ROOM], choice[ROOM];
    size_t plane = a_dims.h * a_dims.w;

    for (size_t i = 0; i < tg_dims_count(a_dims); i++)
        y[i] = in[B1][i / plane % a_dims.c];
    ref_conv2d_add(&first, REF_FORWARD, in[X], in[W1], y);
    ref_activation_forward(TG_LEAKY_RELU, slope, y, tg_dims_count(a_dims), a);
    ref_pool_max_forward(a, a_dims, 2, 2, largest, choice);
    ref_pool_mean_forward(a, a_dims, 2, 2, mean);
    ref_concat_forward(largest, mean, 2, 3 * 9, 3 * 9, c);
    memset(z, 0, ROOM * sizeof *z);
    ref_conv2d_add(&second, REF_FORWARD, c, in[W2], z);
}

static double ref_loss(double *const in[N_INPUTS])
{
    double a[ROOM], c[ROOM], z[ROOM];

    ref_score(in, a, c, z);
    return ref_l1_loss(c, NULL, tg_dims_count(c_dims), sparsity, NULL, NULL) +
           ref_mse_loss(a, NULL, tg_dims_count(a_dims), cycle, NULL, NULL) +
           ref_adversarial_loss(TG_ADV_REAL, z, tg_dims_count(z_dims), fooling, NULL);
}

/* Seeded inputs, the same numbers in float and in double; gradients begin at `begin`. */
typedef struct inputs {
    double *d[N_INPUTS];
    tgi_param params[N_INPUTS];
    tg_tensor *losses;
} inputs;

static void inputs_new(inputs *in, float begin)
{
    for (size_t i = 0; i < N_INPUTS; i++) {
        size_t n = tg_dims_count(*input_dims[i]);
        float *values = op_normal(n, 11 + i);

        in->d[i] = op_normal_d(n, 11 + i);
        for (size_t k = 0; k < n; k++)
            in->d[i][k] = values[k]; /* rounded alike */
        in->params[i].name = NULL;
        in->params[i].value = op_tensor(*input_dims[i], values);
        in->params[i].grad = op_tensor(*input_dims[i], NULL);
        ck_assert_tg_ok(tgi_tensor_fill(in->params[i].grad, begin));
        free(values);
    }
    in->losses = op_tensor((tg_dims){1, 3, 1, 1}, NULL);
}

static void inputs_free(inputs *in)
{
    for (size_t i = 0; i < N_INPUTS; i++) {
        free(in->d[i]);
        tg_tensor_free(in->params[i].value);
        tg_tensor_free(in->params[i].grad);
    }
    tg_tensor_free(in->losses);
}

/* Records the composition; vars of the inputs come back in v, that of the score in *z. */
static void record(inputs *in, tgi_tape *tape, const bool trainable[N_INPUTS], tgi_var *v[N_INPUTS],
                   tgi_var **z)
{
    tgi_var *y, *a, *largest, *mean, *c;

    for (size_t i = 0; i < N_INPUTS; i++)
        ck_assert_tg_ok(tgi_tape_param(tape, &in->params[i], trainable[i], &v[i]));
    ck_assert_tg_ok(tgi_tape_conv2d(tape, v[X], v[W1], v[B1], &same, &y));
    ck_assert_tg_ok(tgi_tape_activation(tape, y, TG_LEAKY_RELU, (float)slope, &a));
    ck_assert_tg_ok(tgi_tape_pool(tape, a, TG_POOL_MAX, 2, 2, &largest));
    ck_assert_tg_ok(tgi_tape_pool(tape, a, TG_POOL_MEAN, 2, 2, &mean));
    ck_assert(tg_dims_equal(largest->value->dims, p_dims));
    ck_assert_tg_ok(tgi_tape_concat(tape, largest, mean, &c));
    ck_assert_tg_ok(tgi_tape_conv2d(tape, c, v[W2], NULL, &same, z));
    ck_assert_tg_ok(tgi_tape_l1(tape, c, NULL, (float)sparsity, (tg_scalar){in->losses, 0}));
    ck_assert_tg_ok(tgi_tape_mse(tape, a, NULL, (float)cycle, (tg_scalar){in->losses, 1}));
    ck_assert_tg_ok(
        tgi_tape_adversarial(tape, *z, TG_ADV_REAL, (float)fooling, (tg_scalar){in->losses, 2}));
}

static void check_gradient(inputs *in, size_t which, double begin)
{
    static const char *const names[] = {"dx", "dw1", "db1", "dw2"};
    const double h = 1e-6;
    size_t n = tg_dims_count(*input_dims[which]);
    double *want = op_doubles(n);
    float *got = op_floats(n);

    for (size_t i = 0; i < n; i++) {
        double kept = in->d[which][i], above;

        in->d[which][i] = kept + h;
        above = ref_loss(in->d);
        in->d[which][i] = kept - h;
        want[i] = begin + (above - ref_loss(in->d)) / (2 * h);
        in->d[which][i] = kept;
    }
    ck_assert_tg_ok(tg_tensor_download(in->params[which].grad, got, n));
    tg_compare_fd(names[which], got, want, n, TOL_CONV);
    free(got);
    free(want);
}

START_TEST(gradients_equal_central_differences)
{
    static const bool all[N_INPUTS] = {true, true, true, true};
    inputs in;
    tgi_tape *tape;
    tgi_var *v[N_INPUTS], *z;
    float losses[3];

    inputs_new(&in, 0.5f); /* gradients are added to */
    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    ck_assert_ptr_eq(tgi_tape_device(tape), op_dev);
    record(&in, tape, all, v, &z);
    ck_assert_tg_ok(tgi_tape_backward(tape));
    ck_assert_tg_ok(tg_tensor_download(in.losses, losses, 3));
    ck_assert_double_eq_tol((double)losses[0] + losses[1] + losses[2], ref_loss(in.d),
                            TOL_CONV * 20);
    for (size_t i = 0; i < N_INPUTS; i++)
        check_gradient(&in, i, 0.5);
    tgi_tape_free(tape);
    inputs_free(&in);
}
END_TEST

START_TEST(frozen_parameters_get_no_gradient)
{
    static const bool some[N_INPUTS] = {true, false, false, true};
    inputs in;
    tgi_tape *tape;
    tgi_var *v[N_INPUTS], *z;

    inputs_new(&in, 0);
    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    record(&in, tape, some, v, &z);
    ck_assert_tg_ok(tgi_tape_backward(tape));
    check_gradient(&in, X, 0); /* it still passes through them */
    check_gradient(&in, W2, 0);
    ck_assert_ptr_null(v[W1]->grad);
    for (size_t i = W1; i <= B1; i++) {
        size_t n = tg_dims_count(*input_dims[i]);
        float *got = op_floats(n), *zero = op_floats(n);

        ck_assert_tg_ok(tg_tensor_download(in.params[i].grad, got, n));
        ck_assert_mem_eq(got, zero, n * sizeof *got);
        free(got);
        free(zero);
    }
    tgi_tape_free(tape);
    inputs_free(&in);
}
END_TEST

/* Nothing is kept of what no gradient reaches, and asking for it changes nothing. */
START_TEST(nothing_trainable_is_nothing_recorded)
{
    static const bool none[N_INPUTS] = {false};
    inputs in;
    tgi_tape *tape;
    tgi_var *v[N_INPUTS], *z;

    inputs_new(&in, 0);
    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    record(&in, tape, none, v, &z);
    ck_assert(!z->needs_grad);
    ck_assert_tg_ok(tgi_tape_backward(tape));
    for (size_t i = 0; i < N_INPUTS; i++)
        ck_assert_ptr_null(v[i]->grad);
    ck_assert_ptr_null(z->grad);
    tgi_tape_free(tape);
    inputs_free(&in);
}
END_TEST

/* s = sum over (2x + x - 0.5x) by a mean: every way adds its part. */
START_TEST(a_var_used_several_times_collects_all)
{
    const tg_dims dims = {1, 1, 1, 5};
    const float values[] = {1, -2, 3, -4, 5};
    tg_tensor *x = op_tensor(dims, values);
    tgi_tape *tape;
    tgi_var *v, *twice, *thrice, *half, *y;
    float got[5];

    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    ck_assert_tg_ok(tgi_tape_leaf(tape, x, true, &v));
    ck_assert_tg_ok(tgi_tape_add(tape, v, v, &twice));
    ck_assert_tg_ok(tgi_tape_add(tape, twice, v, &thrice));
    ck_assert_tg_ok(tgi_tape_scale(tape, v, 0.5f, &half));
    ck_assert_tg_ok(tgi_tape_subtract(tape, thrice, half, &y));
    ck_assert_tg_ok(tgi_tape_l1(tape, y, NULL, 5, (tg_scalar){NULL, 0}));
    ck_assert_tg_ok(tgi_tape_backward(tape));
    ck_assert_tg_ok(tg_tensor_download(v->grad, got, 5));
    for (size_t i = 0; i < 5; i++)
        ck_assert_float_eq_tol(got[i], values[i] > 0 ? 2.5f : -2.5f, 1e-6f);
    tgi_tape_free(tape);
    tg_tensor_free(x);
}
END_TEST

/* s = x w + x w, u = tanh(s) in s's own tensor, v = u + u: every sum hands its gradient on, and none is lost or taken twice. */
START_TEST(handed_on_gradients_equal_the_chain_rule)
{
    const tg_dims d = {1, 2, 3, 3}, w_dims = {2, 2, 1, 1};
    const size_t n = tg_dims_count(d);
    const tg_conv2d_geom point = {.stride = 1};
    tgi_tape *tape;
    tgi_var *x, *w, *a, *b, *s, *u, *v;
    float *xs = op_normal(n, 1), *ws = op_normal(4, 2), got[18];
    tg_tensor *tx = op_tensor(d, xs), *tw = op_tensor(w_dims, ws), *grad;
    double want[18] = {0};

    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    ck_assert_tg_ok(tgi_tape_leaf(tape, tx, true, &x));
    ck_assert_tg_ok(tgi_tape_leaf(tape, tw, false, &w));
    ck_assert_tg_ok(tgi_tape_conv2d(tape, x, w, NULL, &point, &a));
    ck_assert_tg_ok(tgi_tape_conv2d(tape, x, w, NULL, &point, &b));
    ck_assert_tg_ok(tgi_tape_add(tape, a, b, &s));
    ck_assert_tg_ok(tgi_tape_activation_here(tape, s, TG_TANH, 0, &u));
    ck_assert_ptr_eq(s->value, u->value);
    ck_assert_tg_ok(tgi_tape_add(tape, u, u, &v));
    ck_assert_tg_ok(tgi_tape_grad(tape, v, &grad));
    ck_assert_tg_ok(tgi_tensor_fill(grad, 1));
    ck_assert_tg_ok(tgi_tape_backward(tape));
    for (size_t i = 0; i < 9; i++) {
        for (size_t k = 0; k < 2; k++) {
            double sum = 2 * ((double)ws[k * 2] * xs[i] + (double)ws[k * 2 + 1] * xs[9 + i]),
                   ds = 2 * (1 - tanh(sum) * tanh(sum));

            want[i] += 2 * ds * ws[k * 2];
            want[9 + i] += 2 * ds * ws[k * 2 + 1];
        }
    }
    ck_assert_tg_ok(tg_tensor_download(x->grad, got, n));
    tg_compare_fd("dx", got, want, n, 1e-5);
    tgi_tape_free(tape);
    tg_tensor_free(tx), tg_tensor_free(tw);
    free(xs), free(ws);
}
END_TEST

START_TEST(a_reset_gives_all_memory_back)
{
    static const bool all[N_INPUTS] = {true, true, true, true};
    inputs in;
    tgi_tape *tape;
    tgi_var *v[N_INPUTS], *z;
    size_t before, during, after, peak, first_peak = 0;

    inputs_new(&in, 0);
    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    record(&in, tape, all, v, &z); /* packed forms of the weights stay with the weights */
    ck_assert_tg_ok(tgi_tape_backward(tape));
    tgi_tape_reset(tape);
    tg_device_memory(op_dev, &before, &peak);
    for (int round = 0; round < 3; round++) {
        record(&in, tape, all, v, &z);
        tg_device_memory(op_dev, &during, &peak);
        ck_assert_uint_gt(during, before);
        if (round != 1) /* a record that is never run backward, too */
            ck_assert_tg_ok(tgi_tape_backward(tape));
        tgi_tape_reset(tape);
        tg_device_memory(op_dev, &after, &peak);
        ck_assert_uint_eq(after, before);
        if (round == 0)
            first_peak = peak;
        ck_assert_uint_eq(peak, first_peak); /* no round needs more than the one before */
    }
    tgi_tape_reset(tape); /* an empty one */
    tgi_tape_free(tape);
    inputs_free(&in);
}
END_TEST

/* More than one chunk of records: their places hold. */
START_TEST(a_long_record_runs_backward)
{
    enum { LINKS = 600 };
    const float one = 1;
    tg_tensor *x = op_tensor((tg_dims){1, 1, 1, 1}, &one);
    tgi_tape *tape;
    tgi_var *v, *y;
    float got;

    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    ck_assert_tg_ok(tgi_tape_leaf(tape, x, true, &v));
    y = v;
    for (int i = 0; i < LINKS; i++)
        ck_assert_tg_ok(tgi_tape_add(tape, y, v, &y));
    ck_assert_tg_ok(tgi_tape_l1(tape, y, NULL, 1, (tg_scalar){NULL, 0}));
    ck_assert_tg_ok(tgi_tape_backward(tape));
    ck_assert_tg_ok(tg_tensor_download(v->grad, &got, 1));
    ck_assert_float_eq(got, LINKS + 1);
    tgi_tape_free(tape);
    tg_tensor_free(x);
}
END_TEST

/* A critic in small: x -> conv 3x3 with bias -> leaky ReLU -> max pool -> conv 3x3 -> mean over the plane. */
static const tg_dims v_dims = {1, 3, 3, 3};
static void ref_critic(double *const in[N_INPUTS], double out[2])
{
    const ref_conv2d first = {x_dims, w1_dims, same}, second = {p_dims, v_dims, same};
    double y[ROOM] = {0}, a[ROOM], p[ROOM], choice[ROOM], z[ROOM] = {0};

    for (size_t i = 0; i < tg_dims_count(a_dims); i++)
        y[i] = in[B1][i / 36 % a_dims.c];
    ref_conv2d_add(&first, REF_FORWARD, in[X], in[W1], y);
    ref_activation_forward(TG_LEAKY_RELU, slope, y, tg_dims_count(a_dims), a);
    ref_pool_max_forward(a, a_dims, 2, 2, p, choice);
    ref_conv2d_add(&second, REF_FORWARD, p, in[W2], z);
    ref_plane_pool_forward(TG_PLANE_MEAN, z, z_dims, out);
}

/* The same on the device; only the image wants a gradient. */
static void record_critic(inputs *in, tg_tensor *w2, tgi_tape *tape, tgi_var **x, tgi_var **score)
{
    tgi_var *w, *b, *y;

    ck_assert_tg_ok(tgi_tape_leaf(tape, in->params[X].value, true, x));
    ck_assert_tg_ok(tgi_tape_param(tape, &in->params[W1], false, &w));
    ck_assert_tg_ok(tgi_tape_param(tape, &in->params[B1], false, &b));
    ck_assert_tg_ok(tgi_tape_conv2d(tape, *x, w, b, &same, &y));
    ck_assert_tg_ok(tgi_tape_activation(tape, y, TG_LEAKY_RELU, (float)slope, &y));
    ck_assert_tg_ok(tgi_tape_pool(tape, y, TG_POOL_MAX, 2, 2, &y));
    ck_assert_tg_ok(tgi_tape_leaf(tape, w2, false, &w));
    ck_assert_tg_ok(tgi_tape_conv2d(tape, y, w, NULL, &same, &y));
    ck_assert_tg_ok(tgi_tape_plane_pool(tape, y, TG_PLANE_MEAN, score));
}

/* Against (D(x + hu) - D(x - hu)) / 2h in double. */
START_TEST(tangent_is_the_directional_derivative)
{
    const double h = 1e-6;
    size_t n_x = tg_dims_count(x_dims), n_w = tg_dims_count(v_dims);
    double above[2], below[2], want[2];
    float *u = op_normal(n_x, 99), *w2 = op_floats(n_w), got[2];
    tg_tensor *direction = op_tensor(x_dims, u), *second;
    tgi_tape *from, *to;
    tgi_var *x, *score, *moved;
    inputs in;

    inputs_new(&in, 0);
    for (size_t i = 0; i < n_w; i++)
        w2[i] = (float)in.d[W2][i]; /* the first half of them is enough here */
    second = op_tensor(v_dims, w2);
    ck_assert_tg_ok(tgi_tape_new(op_dev, &from));
    ck_assert_tg_ok(tgi_tape_new(op_dev, &to));
    record_critic(&in, second, from, &x, &score);
    ck_assert_tg_ok(tgi_tape_tangent(from, x, direction, score, to, &moved));
    ck_assert_tg_ok(tg_tensor_download(moved->value, got, 2));
    for (size_t i = 0; i < n_x; i++)
        in.d[X][i] += h * u[i];
    ref_critic(in.d, above);
    for (size_t i = 0; i < n_x; i++)
        in.d[X][i] -= 2 * h * u[i];
    ref_critic(in.d, below);
    for (size_t i = 0; i < 2; i++)
        want[i] = (above[i] - below[i]) / (2 * h);
    tg_compare_fd("tangent", got, want, 2, TOL_CONV);
    tgi_tape_free(to);
    tgi_tape_free(from);
    inputs_free(&in);
    tg_tensor_free(direction);
    tg_tensor_free(second);
    free(u);
    free(w2);
}
END_TEST

START_TEST(tangent_needs_a_way_from_input_to_output)
{
    tg_tensor *x = op_tensor((tg_dims){1, 1, 1, 1}, &(float){1});
    tgi_tape *from, *to;
    tgi_var *a, *b, *y, *out;

    ck_assert_tg_ok(tgi_tape_new(op_dev, &from));
    ck_assert_tg_ok(tgi_tape_new(op_dev, &to));
    ck_assert_tg_ok(tgi_tape_leaf(from, x, true, &a));
    ck_assert_tg_ok(tgi_tape_leaf(from, x, true, &b));
    ck_assert_tg_ok(tgi_tape_scale(from, b, 2, &y));
    ck_assert_tg_fails(tgi_tape_tangent(from, a, x, y, to, &out), TG_ERR_ARGUMENT);
    ck_assert_tg_ok(tgi_tape_tangent(from, b, x, y, to, &out));
    tgi_tape_free(to);
    tgi_tape_free(from);
    tg_tensor_free(x);
}
END_TEST

START_TEST(tangent_is_refused_behind_a_norm)
{
    float *values = op_normal(tg_dims_count(x_dims), 5);
    tg_tensor *x = op_tensor(x_dims, values);
    tgi_tape *from, *to;
    tgi_var *v, *y, *out;
    size_t before, after, peak;

    tg_device_memory(op_dev, &before, &peak);
    ck_assert_tg_ok(tgi_tape_new(op_dev, &from));
    ck_assert_tg_ok(tgi_tape_new(op_dev, &to));
    ck_assert_tg_ok(tgi_tape_leaf(from, x, true, &v));
    ck_assert_tg_ok(tgi_tape_instance_norm(from, v, NULL, NULL, 1e-5f, &y));
    ck_assert_tg_fails(tgi_tape_tangent(from, v, x, y, to, &out), TG_ERR_UNSUPPORTED);
    ck_assert_msg(strstr(tg_error_message(), "instance norm") != NULL, "%s", tg_error_message());
    ck_assert_tg_ok(tgi_tape_activation(from, v, TG_TANH, 0, &y));
    ck_assert_tg_fails(tgi_tape_tangent(from, v, x, y, to, &out), TG_ERR_UNSUPPORTED);
    tgi_tape_free(to);
    tgi_tape_free(from);
    tg_device_memory(op_dev, &after, &peak);
    ck_assert_uint_eq(after, before);
    tg_tensor_free(x);
    free(values);
}
END_TEST

/* A bad shape is a sentence, and the tape can be reset and used again. */
/* mse(conv(upsampled x)) by two operations or by one, from the same numbers: y and the gradients of x, w and b. */
typedef struct enlarged {
    float *y, *dx, *dw, *db;
} enlarged;

static enlarged enlarge(const tg_dims x_dims_of, size_t k, bool is_one)
{
    const tg_dims dims[] = {x_dims_of, {k, x_dims_of.c, 3, 3}, {1, k, 1, 1}};
    tg_tensor *t[3], *grads[3], *loss = op_tensor((tg_dims){1, 1, 1, 1}, NULL);
    tgi_var *v[3], *y;
    tgi_tape *tape;
    float *out[4];

    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    for (size_t i = 0; i < 3; i++) {
        float *values = op_normal(tg_dims_count(dims[i]), 31 + i);

        t[i] = op_tensor(dims[i], values);
        free(values);
        ck_assert_tg_ok(tgi_tape_leaf(tape, t[i], true, &v[i]));
    }
    ck_assert(tgi_tape_takes_upsampled(2, dims[1], &same));
    if (is_one)
        ck_assert_tg_ok(tgi_tape_upsampled_conv2d(tape, v[0], v[1], v[2], &y));
    else {
        ck_assert_tg_ok(tgi_tape_upsample(tape, v[0], 2, &y));
        ck_assert_tg_ok(tgi_tape_conv2d(tape, y, v[1], v[2], &same, &y));
    }
    ck_assert_tg_ok(tgi_tape_mse(tape, y, NULL, 100, (tg_scalar){loss, 0}));
    size_t n = tg_tensor_count(y->value);
    out[3] = op_floats(n);
    ck_assert_tg_ok(tg_tensor_download(y->value, out[3], n));
    ck_assert_tg_ok(tgi_tape_backward(tape));
    for (size_t i = 0; i < 3; i++) {
        n = tg_dims_count(dims[i]);
        out[i] = op_floats(n);
        ck_assert_tg_ok(tgi_tape_grad(tape, v[i], &grads[i]));
        ck_assert_tg_ok(tg_tensor_download(grads[i], out[i], n));
    }
    tgi_tape_free(tape);
    for (size_t i = 0; i < 3; i++)
        tg_tensor_free(t[i]);
    tg_tensor_free(loss);
    return (enlarged){out[3], out[0], out[1], out[2]};
}

START_TEST(upsampling_and_a_convolution_in_one_equal_both)
{
    static const tg_dims sizes[] = {{1, 1, 1, 1}, {2, 3, 5, 7}, {3, 16, 8, 8}};

    for (size_t i = 0; i < TG_COUNT(sizes); i++) {
        const tg_dims d = sizes[i];
        const size_t k = 5;
        enlarged two = enlarge(d, k, false), one = enlarge(d, k, true);

        tg_compare("y", one.y, two.y, d.n * k * 4 * d.h * d.w, TOL_GOLDEN);
        tg_compare("dx", one.dx, two.dx, tg_dims_count(d), TOL_GOLDEN);
        tg_compare("dw", one.dw, two.dw, k * d.c * 9, TOL_GOLDEN);
        tg_compare("db", one.db, two.db, k, TOL_GOLDEN);
        for (size_t j = 0; j < 2; j++) {
            enlarged *each = j ? &one : &two;

            free(each->y);
            free(each->dx);
            free(each->dw);
            free(each->db);
        }
    }
}
END_TEST

/* loss = 3/2 * mean of |a|, one of two samples of a stack, with other weights on the rest. */
START_TEST(stacked_samples_go_their_ways)
{
    static const float values[] = {1, -2, 3, -4, 5, -6};
    tg_tensor *a = op_tensor((tg_dims){1, 1, 1, 2}, values),
              *b = op_tensor((tg_dims){2, 1, 1, 2}, values + 2),
              *loss = op_tensor((tg_dims){1, 2, 1, 1}, NULL), *grad;
    tgi_var *va, *vb, *all, *middle, *last;
    tgi_tape *tape;
    float got[6];

    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    ck_assert_tg_ok(tgi_tape_leaf(tape, a, true, &va));
    ck_assert_tg_ok(tgi_tape_leaf(tape, b, true, &vb));
    ck_assert_tg_ok(tgi_tape_stack(tape, va, vb, &all));
    ck_assert_uint_eq(all->value->dims.n, 3);
    ck_assert_tg_ok(tg_tensor_download(all->value, got, 6));
    ck_assert_mem_eq(got, values, sizeof values);
    ck_assert_tg_ok(tgi_tape_samples(tape, all, 1, 1, &middle));
    ck_assert_tg_ok(tgi_tape_samples(tape, all, 0, 2, &last));
    ck_assert_tg_ok(tgi_tape_l1(tape, middle, NULL, 2, (tg_scalar){loss, 0}));
    ck_assert_tg_ok(tgi_tape_l1(tape, last, NULL, 4, (tg_scalar){loss, 1}));
    ck_assert_tg_ok(tgi_tape_l1(tape, va, NULL, 6, (tg_scalar){loss, 1}));
    ck_assert_tg_ok(tgi_tape_backward(tape));
    ck_assert_tg_ok(tgi_tape_grad(tape, va, &grad));
    ck_assert_tg_ok(tg_tensor_download(grad, got, 2));
    ck_assert_tg_ok(tgi_tape_grad(tape, vb, &grad));
    ck_assert_tg_ok(tg_tensor_download(grad, got + 2, 4));
    const float want[] = {1 + 3, -1 - 3, 1 + 1, -1 - 1, 0, 0};
    ck_assert_mem_eq(got, want, 4 * sizeof *want);
    ck_assert(got[4] == 0 && got[5] == 0);
    ck_assert_tg_fails(tgi_tape_samples(tape, all, 2, 2, &last), TG_ERR_SHAPE);
    ck_assert_tg_fails(tgi_tape_samples(tape, all, 0, 0, &last), TG_ERR_SHAPE);
    tgi_tape_free(tape);
    tg_tensor_free(loss);
    tg_tensor_free(b);
    tg_tensor_free(a);
}
END_TEST

START_TEST(bad_shapes_leave_the_tape_usable)
{
    tg_tensor *x = op_tensor((tg_dims){1, 2, 3, 3}, NULL),
              *w = op_tensor((tg_dims){1, 3, 3, 3}, NULL);
    tgi_tape *tape;
    tgi_var *a, *b, *y;
    size_t before, after, peak;

    ck_assert_tg_ok(tgi_tensor_fill(x, 1));
    ck_assert_tg_ok(tgi_tensor_fill(w, 1));
    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    tg_device_memory(op_dev, &before, &peak);
    ck_assert_tg_ok(tgi_tape_leaf(tape, x, true, &a));
    ck_assert_tg_ok(tgi_tape_leaf(tape, w, true, &b));
    ck_assert_tg_fails(tgi_tape_conv2d(tape, a, b, NULL, &same, &y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tgi_tape_add(tape, a, b, &y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tgi_tape_linear(tape, a, b, NULL, &y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tgi_tape_l1(tape, a, b, 1, (tg_scalar){NULL, 0}), TG_ERR_SHAPE);
    tgi_tape_reset(tape);
    tg_device_memory(op_dev, &after, &peak);
    ck_assert_uint_eq(after, before);
    ck_assert_tg_ok(tgi_tape_leaf(tape, x, true, &a));
    ck_assert_tg_ok(tgi_tape_add(tape, a, a, &y));
    tgi_tape_free(tape);
    tg_tensor_free(x);
    tg_tensor_free(w);
}
END_TEST

/* ---- half precision ---- */

enum { BLOCK_WEIGHTS = 4 };

/* A residual block with a skip, as the generators have them: values in place, shared by two readers, read by nobody, too small to
 * be worth it. Values are 64 KiB, two of them 16 KiB and one 4. */
typedef struct block {
    tgi_param weights[BLOCK_WEIGHTS];
    tg_tensor *x, *losses;
    tgi_var *in, *out;
} block;

static void block_new(block *b)
{
    static const tg_dims w_dims[BLOCK_WEIGHTS] = {
        {8, 3, 3, 3}, {8, 8, 3, 3}, {2, 8, 3, 3}, {1, 10, 3, 3}};
    const tg_dims dims = {2, 3, 32, 32};
    float *values = op_normal(tg_dims_count(dims), 1);

    b->x = op_tensor(dims, values);
    b->losses = op_tensor((tg_dims){1, 2, 1, 1}, NULL);
    free(values);
    for (size_t i = 0; i < BLOCK_WEIGHTS; i++) {
        values = op_normal(tg_dims_count(w_dims[i]), 2 + i);
        b->weights[i] = (tgi_param){NULL, op_tensor(w_dims[i], values), op_tensor(w_dims[i], NULL)};
        free(values);
    }
}

static void block_free(block *b)
{
    for (size_t i = 0; i < BLOCK_WEIGHTS; i++) {
        tg_tensor_free(b->weights[i].value);
        tg_tensor_free(b->weights[i].grad);
    }
    tg_tensor_free(b->x);
    tg_tensor_free(b->losses);
}

/* Forward, compressed as the tape's precision says; losses recorded behind. */
static void block_record(block *b, tgi_tape *tape)
{
    const tg_conv2d_geom down = {.stride = 2, .pad = 1};
    tgi_var *w[BLOCK_WEIGHTS], *y, *skip, *small;
    tgi_tape_mark begin;

    ck_assert_tg_ok(tgi_tape_leaf(tape, b->x, true, &b->in));
    begin = tgi_tape_here(tape);
    for (size_t i = 0; i < BLOCK_WEIGHTS; i++) {
        ck_assert_tg_ok(tgi_tensor_fill(b->weights[i].grad, 0));
        ck_assert_tg_ok(tgi_tape_param(tape, &b->weights[i], true, &w[i]));
    }
    ck_assert_tg_ok(tgi_tape_conv2d(tape, b->in, w[0], NULL, &same, &y));
    ck_assert_tg_ok(tgi_tape_instance_norm_relu(tape, y, NULL, NULL, 1e-5f, 0, &skip));
    ck_assert_tg_ok(tgi_tape_conv2d(tape, skip, w[1], NULL, &same, &y));
    ck_assert_tg_ok(tgi_tape_activation_here(tape, y, TG_TANH, 0, &y));
    ck_assert_tg_ok(tgi_tape_add(tape, skip, y, &skip));
    ck_assert_tg_ok(tgi_tape_conv2d(tape, skip, w[2], NULL, &down, &small));
    ck_assert_tg_ok(tgi_tape_activation(tape, small, TG_LEAKY_RELU, 0.2f, &small));
    ck_assert_tg_ok(tgi_tape_upsample(tape, small, 2, &small));
    ck_assert_tg_ok(tgi_tape_concat(tape, skip, small, &y));
    ck_assert_tg_ok(tgi_tape_conv2d(tape, y, w[3], NULL, &same, &b->out));
    ck_assert_tg_ok(tgi_tape_activation_here(tape, b->out, TG_TANH, 0, &b->out));
    ck_assert_tg_ok(tgi_tape_compress(tape, begin, (tgi_var *const[]){NULL, b->out}, 2));
    ck_assert_tg_ok(tgi_tape_mse(tape, b->out, NULL, 3, (tg_scalar){b->losses, 0}));
    ck_assert_tg_ok(tgi_tape_l1(tape, b->out, NULL, 2, (tg_scalar){b->losses, 1}));
}

/* Root mean square of a - b over that of b. */
static double distance(const float *a, const float *b, size_t n)
{
    double off = 0, size = 0;

    for (size_t i = 0; i < n; i++) {
        off += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        size += (double)b[i] * b[i];
    }
    return sqrt(off / size);
}

static float *values_of(const tg_tensor *t)
{
    float *values = op_floats(tg_tensor_count(t));

    ck_assert_tg_ok(tg_tensor_download(t, values, tg_tensor_count(t)));
    return values;
}

START_TEST(values_kept_as_half_give_the_gradients_of_float)
{
    enum { N = BLOCK_WEIGHTS + 1 };
    float *gradients[2][N], *outputs[2];
    const size_t seen = (size_t)2 * 2 * 32 * 32 * sizeof(float);
    size_t held[2], before, after, peak;
    block b;
    tgi_tape *tape;

    block_new(&b);
    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    block_record(&b, tape); /* packed forms of the weights stay with the weights */
    ck_assert_tg_ok(tgi_tape_backward(tape));
    tgi_tape_reset(tape);
    tg_device_memory(op_dev, &before, &peak);
    for (int precision = TGI_PRECISION_FLOAT; precision <= TGI_PRECISION_HALF; precision++) {
        tgi_tape_set_precision(tape, (tgi_precision)precision);
        block_record(&b, tape);
        tg_device_memory(op_dev, &held[precision], &peak);
        outputs[precision] = values_of(b.out->value);
        ck_assert_tg_ok(tgi_tape_backward(tape));
        for (size_t i = 0; i < BLOCK_WEIGHTS; i++)
            gradients[precision][i] = values_of(b.weights[i].grad);
        gradients[precision][BLOCK_WEIGHTS] = values_of(b.in->grad);
        tgi_tape_reset(tape);
        tg_device_memory(op_dev, &after, &peak);
        ck_assert_uint_eq(after, before);
    }
    ck_assert_mem_eq(outputs[0], outputs[1], 2 * 32 * 32 * sizeof(float));
    /* the output and its gradient are float in both, and so is what is small: 1.3 % here */
    ck_assert_msg((held[1] - before - seen) * 100 < (held[0] - before - seen) * 52,
                  "half holds %zu, float %zu bytes", held[1] - before, held[0] - before);
    for (size_t i = 0; i < N; i++) {
        size_t n = tg_tensor_count(i < BLOCK_WEIGHTS ? b.weights[i].grad : b.x);
        double d = distance(gradients[1][i], gradients[0][i], n);

        /* half rounds by up to 2^-11, 2.8e-4 in the mean, several values on the way */
        ck_assert_msg(d > 0 && d < 1e-3, "gradient %zu is %g from float's", i, d);
        free(gradients[0][i]);
        free(gradients[1][i]);
    }
    free(outputs[0]), free(outputs[1]);
    tgi_tape_free(tape);
    block_free(&b);
}
END_TEST

START_TEST(small_values_stay_float)
{
    static const bool all[N_INPUTS] = {true, true, true, true};
    float *got[2];
    inputs in;
    tgi_tape *tape;
    tgi_var *v[N_INPUTS], *z;

    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    for (int precision = TGI_PRECISION_FLOAT; precision <= TGI_PRECISION_HALF; precision++) {
        inputs_new(&in, 0);
        tgi_tape_set_precision(tape, (tgi_precision)precision);
        record(&in, tape, all, v, &z);
        ck_assert_tg_ok(tgi_tape_compress(tape, (tgi_tape_mark){0, 0}, &z, 1));
        ck_assert_tg_ok(tgi_tape_backward(tape));
        got[precision] = values_of(in.params[W1].grad);
        tgi_tape_reset(tape);
        inputs_free(&in);
    }
    ck_assert_mem_eq(got[0], got[1], tg_dims_count(w1_dims) * sizeof(float));
    free(got[0]), free(got[1]);
    tgi_tape_free(tape);
}
END_TEST

START_TEST(a_scale_is_in_the_gradients_alone)
{
    static const bool all[N_INPUTS] = {true, true, true, true};
    const float scale = 1024;
    float *got[2][N_INPUTS], *losses[2];
    inputs in;
    tgi_tape *tape;
    tgi_var *v[N_INPUTS], *z;

    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    for (int i = 0; i < 2; i++) {
        inputs_new(&in, 0);
        tgi_tape_set_scale(tape, i ? scale : 1);
        record(&in, tape, all, v, &z);
        ck_assert_tg_ok(tgi_tape_backward(tape));
        losses[i] = values_of(in.losses);
        for (size_t k = 0; k < N_INPUTS; k++)
            got[i][k] = values_of(in.params[k].grad);
        tgi_tape_reset(tape);
        inputs_free(&in);
    }
    ck_assert_mem_eq(losses[0], losses[1], 3 * sizeof(float));
    free(losses[0]), free(losses[1]);
    for (size_t k = 0; k < N_INPUTS; k++) {
        for (size_t i = 0; i < tg_dims_count(*input_dims[k]); i++)
            ck_assert_float_eq(got[1][k][i], scale * got[0][k][i]);
        free(got[0][k]), free(got[1][k]);
    }
    tgi_tape_free(tape);
}
END_TEST

START_TEST(tangent_needs_values_as_they_were)
{
    block b;
    tgi_tape *from, *to;
    tgi_var *t;

    block_new(&b);
    ck_assert_tg_ok(tgi_tape_new(op_dev, &from));
    ck_assert_tg_ok(tgi_tape_new(op_dev, &to));
    tgi_tape_set_precision(from, TGI_PRECISION_HALF);
    block_record(&b, from);
    ck_assert_tg_fails(tgi_tape_tangent(from, b.in, b.x, b.out, to, &t), TG_ERR_UNSUPPORTED);
    tgi_tape_free(from);
    tgi_tape_free(to);
    block_free(&b);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("tape", 120);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_test(tc, gradients_equal_central_differences);
    tcase_add_test(tc, frozen_parameters_get_no_gradient);
    tcase_add_test(tc, nothing_trainable_is_nothing_recorded);
    tcase_add_test(tc, a_var_used_several_times_collects_all);
    tcase_add_test(tc, handed_on_gradients_equal_the_chain_rule);
    tcase_add_test(tc, a_reset_gives_all_memory_back);
    tcase_add_test(tc, a_long_record_runs_backward);
    tcase_add_test(tc, tangent_is_the_directional_derivative);
    tcase_add_test(tc, tangent_needs_a_way_from_input_to_output);
    tcase_add_test(tc, tangent_is_refused_behind_a_norm);
    tcase_add_test(tc, values_kept_as_half_give_the_gradients_of_float);
    tcase_add_test(tc, small_values_stay_float);
    tcase_add_test(tc, a_scale_is_in_the_gradients_alone);
    tcase_add_test(tc, tangent_needs_values_as_they_were);
    tcase_add_test(tc, upsampling_and_a_convolution_in_one_equal_both);
    tcase_add_test(tc, stacked_samples_go_their_ways);
    tcase_add_test(tc, bad_shapes_leave_the_tape_usable);
    return tg_run("tape");
}

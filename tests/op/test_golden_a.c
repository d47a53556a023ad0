/* test_golden_a.c -- activations, arrangements, labels and pooling against PyTorch: outputs and gradients. */
#include "config.h"
#include "op/golden.h"

static void open_all(void)
{
    op_open();
    golden_open("ops_a");
}

static void close_all(void)
{
    golden_close();
    op_close();
}

START_TEST(activations_agree_with_pytorch)
{
    static const char *const names[] = {"relu", "leaky_relu", "tanh", "sigmoid"};
    const char *name = names[_i];
    tg_tensor *x = golden_tensor(name, "x"), *dy = golden_tensor(name, "dy");
    tg_tensor *y = golden_zero(name, "y"), *dx = golden_zero(name, "dx");

    ck_assert_tg_ok(tg_activation_forward((tg_activation)_i, 0.2f, x, y));
    ck_assert_tg_ok(tg_activation_backward((tg_activation)_i, 0.2f, y, dy, dx));
    golden_check(name, "y", y);
    golden_check(name, "dx", dx);
    tg_tensor_free(x);
    tg_tensor_free(dy);
}
END_TEST

START_TEST(clamp_agrees_with_pytorch)
{
    tg_tensor *x = golden_tensor("clamp", "x"), *dy = golden_tensor("clamp", "dy");
    tg_tensor *y = golden_zero("clamp", "y"), *dx = golden_zero("clamp", "dx");

    ck_assert_tg_ok(tg_clamp_forward(x, -0.5f, 0.75f, y));
    ck_assert_tg_ok(tg_clamp_backward(x, -0.5f, 0.75f, dy, dx));
    golden_check("clamp", "y", y);
    golden_check("clamp", "dx", dx);
    tg_tensor_free(x);
    tg_tensor_free(dy);
}
END_TEST

START_TEST(concatenation_agrees_with_pytorch)
{
    tg_tensor *a = golden_tensor("concat", "a"), *b = golden_tensor("concat", "b"),
              *dy = golden_tensor("concat", "dy");
    tg_tensor *y = golden_zero("concat", "y"), *da = golden_zero("concat", "da"),
              *db = golden_zero("concat", "db");

    ck_assert_tg_ok(tg_concat_forward(a, b, y));
    ck_assert_tg_ok(tg_concat_backward(dy, da, db));
    golden_check("concat", "y", y);
    golden_check("concat", "da", da);
    golden_check("concat", "db", db);
    tg_tensor_free(a);
    tg_tensor_free(b);
    tg_tensor_free(dy);
}
END_TEST

static const struct factor_case {
    const char *name;
    size_t s;
    tg_status (*forward)(const tg_tensor *, size_t, tg_tensor *);
    tg_status (*backward)(const tg_tensor *, size_t, tg_tensor *);
} factor_cases[] = {{"upsample", 2, tg_upsample_forward, tg_upsample_backward},
                    {"shuffle", 3, tg_shuffle_forward, tg_shuffle_backward}};

START_TEST(enlargements_agree_with_pytorch)
{
    const struct factor_case *c = &factor_cases[_i];
    tg_tensor *x = golden_tensor(c->name, "x"), *dy = golden_tensor(c->name, "dy");
    tg_tensor *y = golden_zero(c->name, "y"), *dx = golden_zero(c->name, "dx");

    ck_assert_tg_ok(c->forward(x, c->s, y));
    ck_assert_tg_ok(c->backward(dy, c->s, dx));
    golden_check(c->name, "y", y);
    golden_check(c->name, "dx", dx);
    tg_tensor_free(x);
    tg_tensor_free(dy);
}
END_TEST

START_TEST(label_planes_agree_with_pytorch)
{
    tg_tensor *x = golden_tensor("planes", "x"), *labels = golden_tensor("labels", ""),
              *dy = golden_tensor("planes", "dy");
    tg_tensor *y = golden_zero("planes", "y"), *dx = golden_zero("planes", "dx");

    ck_assert_tg_ok(tg_label_planes_forward(x, labels, y));
    ck_assert_tg_ok(tg_label_planes_backward(dy, dx));
    golden_check("planes", "y", y);
    golden_check("planes", "dx", dx);
    tg_tensor_free(x);
    tg_tensor_free(labels);
    tg_tensor_free(dy);
}
END_TEST

START_TEST(label_affine_agrees_with_pytorch)
{
    tg_tensor *x = golden_tensor("affine", "x"), *labels = golden_tensor("labels", ""),
              *dy = golden_tensor("affine", "dy");
    tg_tensor *gamma = golden_tensor("affine", "gamma"), *beta = golden_tensor("affine", "beta");
    tg_tensor *y = golden_zero("affine", "y"), *dx = golden_zero("affine", "dx");
    tg_tensor *dgamma = golden_zero("affine", "dgamma"), *dbeta = golden_zero("affine", "dbeta");

    ck_assert_tg_ok(tg_label_affine_forward(x, labels, gamma, beta, y));
    ck_assert_tg_ok(tg_label_affine_backward(x, labels, gamma, dy, dx, dgamma, dbeta));
    golden_check("affine", "y", y);
    golden_check("affine", "dx", dx);
    golden_check("affine", "dgamma", dgamma);
    golden_check("affine", "dbeta", dbeta);
    tg_tensor *all[] = {x, labels, dy, gamma, beta};
    for (size_t i = 0; i < TG_COUNT(all); i++)
        tg_tensor_free(all[i]);
}
END_TEST

static const struct pool_case {
    const char *name;
    tg_pool_kind kind;
    size_t size, stride;
} pool_cases[] = {{"max_2_2", TG_POOL_MAX, 2, 2},
                  {"max_3_2", TG_POOL_MAX, 3, 2},
                  {"mean_2_2", TG_POOL_MEAN, 2, 2},
                  {"mean_3_1", TG_POOL_MEAN, 3, 1}};

START_TEST(window_pooling_agrees_with_pytorch)
{
    const struct pool_case *c = &pool_cases[_i];
    tg_tensor *x = golden_tensor(c->name, "x"), *dy = golden_tensor(c->name, "dy");
    tg_tensor *y = golden_zero(c->name, "y"), *dx = golden_zero(c->name, "dx"),
              *choice = golden_zero(c->name, "y");

    ck_assert_tg_ok(tg_pool_forward(c->kind, c->size, c->stride, x, y, choice));
    ck_assert_tg_ok(tg_pool_backward(c->kind, c->size, c->stride, choice, dy, dx));
    golden_check(c->name, "y", y);
    golden_check(c->name, "dx", dx);
    tg_tensor_free(x);
    tg_tensor_free(dy);
    tg_tensor_free(choice);
}
END_TEST

START_TEST(plane_pooling_agrees_with_pytorch)
{
    static const char *const names[] = {"plane_lme", "plane_max", "plane_mean"};
    const char *name = names[_i];
    tg_tensor *x = golden_tensor(name, "x"), *dy = golden_tensor(name, "dy");
    tg_tensor *y = golden_zero(name, "y"), *dx = golden_zero(name, "dx");

    ck_assert_tg_ok(tg_plane_pool_forward((tg_plane_pool)_i, x, y));
    ck_assert_tg_ok(tg_plane_pool_backward((tg_plane_pool)_i, x, y, dy, dx));
    golden_check(name, "y", y);
    golden_check(name, "dx", dx);
    tg_tensor_free(x);
    tg_tensor_free(dy);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("golden", 60);

    tcase_add_checked_fixture(tc, open_all, close_all);
    tcase_add_loop_test(tc, activations_agree_with_pytorch, 0, 4);
    tcase_add_test(tc, clamp_agrees_with_pytorch);
    tcase_add_test(tc, concatenation_agrees_with_pytorch);
    tcase_add_loop_test(tc, enlargements_agree_with_pytorch, 0, TG_COUNT(factor_cases));
    tcase_add_test(tc, label_planes_agree_with_pytorch);
    tcase_add_test(tc, label_affine_agrees_with_pytorch);
    tcase_add_loop_test(tc, window_pooling_agrees_with_pytorch, 0, TG_COUNT(pool_cases));
    tcase_add_loop_test(tc, plane_pooling_agrees_with_pytorch, 0, 3);
    return tg_run("golden_a");
}

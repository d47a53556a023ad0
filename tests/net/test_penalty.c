/* test_penalty.c -- the gradient penalty by the tangent pass against PyTorch's double backward,
 * doc/notation.md, Tangent pass. */
#include "config.h"
#include "net/layer.h"
#include "net/net_test.h"

typedef struct penalty_case {
    const char *file;
    tgi_net_config config;
} penalty_case;

static const penalty_case cases[] = {
    {"penalty_critic",
     {.kind = TGI_NET_CRITIC, .size_px = 32, .width = 4, .n_classes = 2, .has_cls = true}},
    {"penalty_vagan", {.kind = TGI_NET_VAGAN_D, .size_px = 32, .width = 2}},
};
enum { N_CASES = TG_COUNT(cases) };

static void check_loss(const tg_tensor *loss)
{
    float got;
    tg_tensor *want = golden_tensor("loss", "");
    float wanted;

    ck_assert_tg_ok(tg_tensor_download(loss, &got, 1));
    ck_assert_tg_ok(tg_tensor_download(want, &wanted, 1));
    ck_assert_float_eq_tol(got, wanted, (float)TOL_PENALTY * wanted);
    tg_tensor_free(want);
}

/* The direction of D's gradient at x, |g| into norm: forward and backward with the critic frozen,
 * recorded on `from`. */
static void steepest(tgi_net *net, tgi_tape *from, tgi_var *x, tgi_var **score, tg_tensor *norm,
                     tg_tensor *u)
{
    tg_tensor *seed;

    ck_assert_tg_ok(tgi_net_judge(net, from, x, false, score, NULL));
    ck_assert_tg_ok(tgi_tape_grad(from, *score, &seed));
    ck_assert_tg_ok(tgi_tensor_fill(seed, 1));
    ck_assert_tg_ok(tgi_tape_backward(from));
    ck_assert_tg_ok(tg_sample_norm(x->grad, norm, u));
}

START_TEST(equals_double_backward)
{
    const penalty_case *test = &cases[_i];
    tg_tensor *images, *u, *norm, *loss;
    tgi_tape *from, *to;
    tgi_var *x, *score, *slope;
    tgi_net *net;

    golden_open(test->file);
    net = net_of_golden(&test->config);
    images = golden_tensor("x", "");
    u = golden_zero("x", "");
    norm = golden_zero("slope", "");
    loss = golden_zero("loss", "");
    ck_assert_tg_ok(tgi_tape_new(op_dev, &from));
    ck_assert_tg_ok(tgi_tape_new(op_dev, &to));
    ck_assert_tg_ok(tgi_tape_leaf(from, images, true, &x));
    steepest(net, from, x, &score, norm, u);
    net_check("slope", "", norm, TOL_SLOPE, 0);

    ck_assert_tg_ok(tgi_tape_tangent(from, x, u, score, to, &slope));
    net_check("slope", "", slope->value, TOL_SLOPE, 0);
    ck_assert_tg_ok(tgi_tape_penalty(to, slope, 10, (tg_scalar){loss, 0}));
    ck_assert_tg_ok(tgi_tape_backward(to));
    check_loss(loss);
    for (size_t i = 0; i < net->n_params; i++) {
        if (tgi_safetensors_find(golden_file(), TGI_NAME("g.%s", net->params[i].name)))
            net_check("g", net->params[i].name, net->params[i].grad, TOL_PENALTY, 0);
    }
    tgi_tape_free(to);
    tgi_tape_free(from);
    tgi_net_free(net);
    tg_tensor_free(images);
    tg_tensor_free(u);
    tg_tensor_free(norm);
    tg_tensor_free(loss);
    golden_close();
}
END_TEST

START_TEST(refuses_a_critic_with_norms)
{
    const tgi_net_config config = {.kind = TGI_NET_PATCHGAN, .size_px = 32, .width = 2};
    const tg_dims dims = {1, 1, 32, 32};
    tg_tensor *images, *u;
    tgi_tape *from, *to;
    tgi_var *x, *score, *slope;
    tgi_net *net;

    ck_assert_tg_ok(tgi_net_new(op_dev, &config, &net));
    ck_assert_tg_ok(tgi_net_init(net, 1, 0));
    ck_assert_tg_ok(tg_tensor_new_zero(op_dev, dims, &images));
    ck_assert_tg_ok(tg_tensor_new_zero(op_dev, dims, &u));
    ck_assert_tg_ok(tgi_tape_new(op_dev, &from));
    ck_assert_tg_ok(tgi_tape_new(op_dev, &to));
    ck_assert_tg_ok(tgi_tape_leaf(from, images, true, &x));
    ck_assert_tg_ok(tgi_net_judge(net, from, x, false, &score, NULL));
    ck_assert_tg_fails(tgi_tape_tangent(from, x, u, score, to, &slope), TG_ERR_UNSUPPORTED);
    tgi_tape_free(to);
    tgi_tape_free(from);
    tgi_net_free(net);
    tg_tensor_free(images);
    tg_tensor_free(u);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("penalty", 120);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, equals_double_backward, 0, N_CASES);
    tcase_add_test(tc, refuses_a_critic_with_norms);
    return tg_run("gradient penalty");
}

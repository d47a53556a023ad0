/* test_golden_b.c -- normalisation, losses and optimisers against PyTorch: outputs, gradients and three steps. */
#include "config.h"
#include "op/golden.h"

static const float eps = 1e-5f;

static void open_all(void)
{
    op_open();
    golden_open("ops_b");
}

static void close_all(void)
{
    golden_close();
    op_close();
}

START_TEST(instance_norm_agrees_with_pytorch)
{
    bool is_affine = _i == 1;
    const char *name = is_affine ? "instance_affine" : "instance";
    tg_tensor *x = golden_tensor(name, "x"), *dy = golden_tensor(name, "dy");
    tg_tensor *gamma = is_affine ? golden_tensor("gamma", "") : NULL,
              *beta = is_affine ? golden_tensor("beta", "") : NULL;
    tg_tensor *dgamma = golden_zero("gamma", ""), *dbeta = golden_zero("beta", "");
    tg_tensor *y = golden_zero(name, "y"), *dx = golden_zero(name, "dx"), *mu, *rstd;
    const tg_dims d = tg_tensor_dims(x), planes = {d.n, d.c, 1, 1};

    ck_assert_tg_ok(tg_tensor_new(op_dev, planes, &mu));
    ck_assert_tg_ok(tg_tensor_new(op_dev, planes, &rstd));
    ck_assert_tg_ok(tg_instance_norm_forward(x, gamma, beta, eps, y, mu, rstd));
    ck_assert_tg_ok(tg_instance_norm_backward(x, gamma, mu, rstd, dy, dx, dgamma, dbeta));
    golden_check(name, "y", y);
    golden_check(name, "dx", dx);
    if (is_affine) {
        golden_check(name, "dgamma", dgamma);
        golden_check(name, "dbeta", dbeta);
    }
    tg_tensor_free(x);
    tg_tensor_free(dy);
    tg_tensor_free(gamma);
    tg_tensor_free(beta);
    tg_tensor_free(mu);
    tg_tensor_free(rstd);
}
END_TEST

START_TEST(batch_norm_agrees_with_pytorch)
{
    tg_tensor *x = golden_tensor("batch", "x"), *dy = golden_tensor("batch", "dy"),
              *gamma = golden_tensor("gamma", "");
    tg_tensor *beta = golden_tensor("beta", ""), *mean = golden_tensor("batch", "mean_before");
    tg_tensor *var = golden_tensor("batch", "var_before"), *y = golden_zero("batch", "y"),
              *dx = golden_zero("batch", "dx");
    tg_tensor *mu = golden_zero("gamma", ""), *rstd = golden_zero("gamma", ""),
              *dgamma = golden_zero("gamma", "");
    tg_tensor *dbeta = golden_zero("gamma", ""), *x_eval = golden_tensor("batch_eval", "x");
    tg_tensor *y_eval = golden_zero("batch_eval", "y");

    ck_assert_tg_ok(tg_batch_norm_forward_eval(x_eval, gamma, beta, eps, mean, var, y_eval));
    golden_check("batch_eval", "y", y_eval);
    ck_assert_tg_ok(tg_batch_norm_forward_train(x, gamma, beta, eps, 0.1f, mean, var, y, mu, rstd));
    ck_assert_tg_ok(tg_batch_norm_backward(x, gamma, mu, rstd, dy, dx, dgamma, dbeta));
    golden_check("batch", "y", y);
    golden_check("batch", "mean", mean);
    golden_check("batch", "var", var);
    golden_check("batch", "dx", dx);
    golden_check("batch", "dgamma", dgamma);
    golden_check("batch", "dbeta", dbeta);
    tg_tensor_free(x);
    tg_tensor_free(x_eval);
    tg_tensor_free(dy);
    tg_tensor_free(gamma);
    tg_tensor_free(beta);
    tg_tensor_free(mu);
    tg_tensor_free(rstd);
}
END_TEST

START_TEST(spectral_norm_agrees_with_pytorch)
{
    tg_tensor *w = golden_tensor("spectral", "w"), *u = golden_tensor("spectral", "u_before");
    tg_tensor *v = golden_tensor("spectral", "v_before"), *dy = golden_tensor("spectral", "dy");
    tg_tensor *w_sn = golden_zero("spectral", "y"), *dw = golden_zero("spectral", "dw");
    tg_tensor *sigma = op_tensor((tg_dims){1, 1, 1, 1}, NULL);

    ck_assert_tg_ok(tg_spectral_norm_forward(w, true, u, v, sigma, w_sn));
    ck_assert_tg_ok(tg_spectral_norm_backward(w_sn, u, v, sigma, dy, dw));
    golden_check("spectral", "y", w_sn);
    golden_check("spectral", "u", u);
    golden_check("spectral", "v", v);
    golden_check("spectral", "dw", dw);
    tg_tensor_free(w);
    tg_tensor_free(dy);
    tg_tensor_free(sigma);
}
END_TEST

START_TEST(adversarial_losses_agree_with_pytorch)
{
    static const struct {
        const char *name;
        tg_adversarial kind;
    } cases[] = {{"real", TG_ADV_REAL},
                 {"fake", TG_ADV_FAKE},
                 {"ls_real", TG_ADV_LS_REAL},
                 {"ls_fake", TG_ADV_LS_FAKE}};
    tg_tensor *z = golden_tensor("z", "");

    for (size_t i = 0; i < TG_COUNT(cases); i++) {
        tg_tensor *loss = golden_zero(cases[i].name, "loss"),
                  *dz = golden_zero(cases[i].name, "dz");

        ck_assert_tg_ok(tg_adversarial_loss(cases[i].kind, z, 1, (tg_scalar){loss, 0}, dz));
        golden_check(cases[i].name, "loss", loss);
        golden_check(cases[i].name, "dz", dz);
    }
    tg_tensor_free(z);
}
END_TEST

START_TEST(image_losses_agree_with_pytorch)
{
    tg_tensor *a = golden_tensor("a", ""), *b = golden_tensor("b", "");

    for (int i = 0; i < 2; i++) {
        const char *name = i ? "mse" : "l1";
        tg_tensor *loss = golden_zero(name, "loss"), *da = golden_zero(name, "da"),
                  *db = golden_zero(name, "db");

        ck_assert_tg_ok((i ? tg_mse_loss : tg_l1_loss)(a, b, 1, (tg_scalar){loss, 0}, da, db));
        golden_check(name, "loss", loss);
        golden_check(name, "da", da);
        golden_check(name, "db", db);
    }
    tg_tensor_free(a);
    tg_tensor_free(b);
}
END_TEST

START_TEST(label_losses_agree_with_pytorch)
{
    tg_tensor *l = golden_tensor("l", "");

    for (int i = 0; i < 2; i++) {
        const char *name = i ? "softmax" : "label";
        tg_tensor *c = golden_tensor(i ? "one_hot" : "labels", "");
        tg_tensor *loss = golden_zero(name, "loss"), *dl = golden_zero(name, "dl");

        ck_assert_tg_ok((i ? tg_softmax_loss : tg_label_loss)(l, c, 1, (tg_scalar){loss, 0}, dl));
        golden_check(name, "loss", loss);
        golden_check(name, "dl", dl);
        tg_tensor_free(c);
    }
    tg_tensor_free(l);
}
END_TEST

START_TEST(three_steps_agree_with_pytorch)
{
    static const char *const names[] = {"adam", "rmsprop", "sgd"}, *const gradients[] = {"g0", "g1",
                                                                                         "g2"};
    tg_tensor *p = golden_tensor("p", ""), *m = golden_zero("p", ""), *v = golden_zero("p", "");

    for (size_t t = 1; t <= 3; t++) {
        tg_tensor *g = golden_tensor(gradients[t - 1], "");

        if (_i == 0)
            ck_assert_tg_ok(
                tg_adam_step(g, &(tg_adam_opts){2e-2f, 0.5f, 0.999f, 1e-8f, t}, p, m, v));
        else if (_i == 1)
            ck_assert_tg_ok(tg_rmsprop_step(g, 5e-3f, 0.99f, 1e-8f, p, v));
        else
            ck_assert_tg_ok(tg_sgd_step(g, 0.1f, p));
        tg_tensor_free(g);
    }
    golden_check(names[_i], "p", p);
    tg_tensor_free(m);
    tg_tensor_free(v);
}
END_TEST

START_TEST(clipping_agrees_with_pytorch)
{
    const char *name = _i ? "clip_never" : "clip_half";
    tg_tensor *g = golden_tensor("g0", ""), *norm = golden_zero(name, "norm");

    ck_assert_tg_ok(tg_clip_norm(_i ? 1e6f : 0.5f, g, (tg_scalar){norm, 0}));
    golden_check(name, "norm", norm);
    golden_check(name, "g", g);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("golden_b", 120);

    tcase_add_checked_fixture(tc, open_all, close_all);
    tcase_add_loop_test(tc, instance_norm_agrees_with_pytorch, 0, 2);
    tcase_add_test(tc, batch_norm_agrees_with_pytorch);
    tcase_add_test(tc, spectral_norm_agrees_with_pytorch);
    tcase_add_test(tc, adversarial_losses_agree_with_pytorch);
    tcase_add_test(tc, image_losses_agree_with_pytorch);
    tcase_add_test(tc, label_losses_agree_with_pytorch);
    tcase_add_loop_test(tc, three_steps_agree_with_pytorch, 0, 3);
    tcase_add_loop_test(tc, clipping_agrees_with_pytorch, 0, 2);
    return tg_run("golden_b");
}

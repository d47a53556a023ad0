/* test_parity.c -- every kind of network against PyTorch (tests/parity/golden_nets.py): names,
 * outputs, all gradients. */
#include "config.h"
#include "net/net_test.h"

typedef struct golden_case {
    const char *file;
    tgi_net_config config;
    bool is_training;
} golden_case;

static const golden_case cases[] = {
    {"net_resnet",
     {.kind = TGI_NET_RESNET, .size_px = 16, .width = 4, .n_blocks = 2, .n_classes = 2},
     true},
    {"net_resnet_reflect",
     {.kind = TGI_NET_RESNET, .size_px = 16, .width = 3, .n_blocks = 1, .n_classes = 1},
     true},
    {"net_resnet_zero",
     {.kind = TGI_NET_RESNET,
      .size_px = 16,
      .width = 3,
      .n_blocks = 1,
      .n_classes = 2,
      .cond = TGI_COND_PLANE_ZERO},
     true},
    {"net_resnet_zero1",
     {.kind = TGI_NET_RESNET,
      .size_px = 16,
      .width = 3,
      .n_blocks = 1,
      .n_classes = 2,
      .cond = TGI_COND_PLANE_ZERO1},
     true},
    {"net_resnet_cin",
     {.kind = TGI_NET_RESNET,
      .size_px = 16,
      .width = 3,
      .n_blocks = 1,
      .n_classes = 3,
      .cond = TGI_COND_CIN},
     true},
    {"net_unet", {.kind = TGI_NET_UNET, .size_px = 32, .width = 2, .n_classes = 1}, true},
    {"net_small_unet",
     {.kind = TGI_NET_SMALL_UNET, .size_px = 32, .width = 4, .n_classes = 3},
     true},
    {"net_small_unet_up",
     {.kind = TGI_NET_SMALL_UNET,
      .size_px = 32,
      .width = 2,
      .n_classes = 2,
      .cond = TGI_COND_PLANE_ZERO,
      .norm = TGI_NET_NORM_INSTANCE,
      .head = TGI_NET_UPSAMPLE},
     true},
    {"net_small_unet_cin",
     {.kind = TGI_NET_SMALL_UNET,
      .size_px = 32,
      .width = 2,
      .n_classes = 2,
      .cond = TGI_COND_CIN,
      .norm = TGI_NET_NORM_INSTANCE},
     true},
    {"net_patchgan",
     {.kind = TGI_NET_PATCHGAN, .size_px = 32, .width = 4, .n_classes = 2, .has_cls = true},
     true},
    {"net_patchgan_plain",
     {.kind = TGI_NET_PATCHGAN,
      .size_px = 16,
      .width = 3,
      .n_blocks = 2,
      .n_classes = 2,
      .has_cls = true,
      .cls_pool = TG_PLANE_MAX,
      .norm = TGI_NET_NORM_NONE},
     true},
    {"net_critic",
     {.kind = TGI_NET_CRITIC,
      .size_px = 32,
      .width = 4,
      .n_classes = 3,
      .has_cls = true,
      .cls_outputs = 4},
     true},
    {"net_stargan_g",
     {.kind = TGI_NET_STARGAN_G, .size_px = 16, .width = 4, .n_blocks = 2, .n_classes = 2},
     true},
    {"net_stargan_d",
     {.kind = TGI_NET_STARGAN_D, .size_px = 128, .width = 1, .n_classes = 2, .has_cls = true},
     true},
    {"net_vagan_g", {.kind = TGI_NET_VAGAN_G, .size_px = 16, .width = 4}, true},
    {"net_vagan_d", {.kind = TGI_NET_VAGAN_D, .size_px = 32, .width = 2}, true},
    {"net_classifier",
     {.kind = TGI_NET_CLASSIFIER, .size_px = 16, .width = 2, .n_classes = 3},
     true},
    {"net_classifier_eval",
     {.kind = TGI_NET_CLASSIFIER, .size_px = 16, .width = 1, .n_classes = 2},
     false},
};
enum { N_CASES = TG_COUNT(cases) };

/* The case's use of the network; outputs that it does not have stay NULL. */
static void run(tgi_net *net, const golden_case *test, tgi_tape *tape, tgi_var *x,
                const tg_tensor *labels, tgi_var *out[4])
{
    const tgi_net_kind kind = net->config.kind;

    if (kind == TGI_NET_CLASSIFIER) {
        ck_assert_tg_ok(tgi_net_classify(net, tape, x, true, test->is_training, &out[3], &out[2]));
        return;
    }
    if (kind == TGI_NET_PATCHGAN || kind == TGI_NET_CRITIC || kind == TGI_NET_STARGAN_D ||
        kind == TGI_NET_VAGAN_D) {
        ck_assert_tg_ok(tgi_net_judge(net, tape, x, true, &out[1], &out[2]));
        return;
    }
    net->is_training = test->is_training;
    ck_assert_tg_ok(tgi_net_generate(net, tape, x, labels, true, &out[0]));
}

START_TEST(agrees_with_pytorch)
{
    static const char *const names[] = {"y", "score", "cls", "features"}, *const seeds[] = {
                                                                              "d_y", "d_score",
                                                                              "d_cls",
                                                                              "d_features"};
    const golden_case *test = &cases[_i];
    tgi_var *x, *out[4] = {NULL, NULL, NULL, NULL};
    tg_tensor *images, *labels = NULL;
    tgi_tape *tape;
    tgi_net *net;

    golden_open(test->file);
    net = net_of_golden(&test->config);
    images = golden_tensor("x", "");
    if (tgi_safetensors_find(golden_file(), "labels"))
        labels = golden_tensor("labels", "");
    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    ck_assert_tg_ok(tgi_tape_leaf(tape, images, true, &x));
    run(net, test, tape, x, labels, out);
    for (int i = 0; i < 4; i++) {
        if (!out[i])
            continue;
        net_check(names[i], "", out[i]->value, TOL_NET, 0);
        net_seed(tape, out[i], seeds[i]);
    }
    ck_assert_tg_ok(tgi_tape_backward(tape));
    net_check("dx", "", x->grad, TOL_NET, 0);
    if (test->is_training)
        net_check_grads(net, TOL_NET);
    for (size_t i = 0; i < net->n_buffers; i++)
        net_check("a", net->buffers[i].name, net->buffers[i].value, TOL_NET, 0);
    tgi_tape_free(tape);
    tgi_net_free(net);
    tg_tensor_free(images);
    tg_tensor_free(labels);
    golden_close();
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("parity", 120);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, agrees_with_pytorch, 0, N_CASES);
    return tg_run("net parity");
}

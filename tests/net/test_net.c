/* test_net.c -- what networks are made of: numbers of weights (doc/networks.md), names, sizes,
 * starts, refusals. */
#include "config.h"
#include "net/layer.h"
#include "net/net_test.h"

#include <math.h>
#include <string.h>

typedef struct count_case {
    size_t n_values;
    tgi_net_config config;
} count_case;

/* Every number of doc/networks.md; the last four are its "0.32 million" written out. */
static const count_case counts[] = {
    {11365633, {.kind = TGI_NET_RESNET, .size_px = 256}},
    {11368769, {.kind = TGI_NET_RESNET, .size_px = 256, .n_classes = 1}},
    {11406401, {.kind = TGI_NET_RESNET, .size_px = 256, .n_classes = 13}},
    {11378179 - 2 * 3136 - 2,
     {.kind = TGI_NET_RESNET, .size_px = 256, .in_channels = 3}}, /* ours has one plane out */
    {7825153, {.kind = TGI_NET_RESNET, .size_px = 128}},
    {7825153, {.kind = TGI_NET_RESNET, .size_px = 256, .n_blocks = 6}},
    {54403457, {.kind = TGI_NET_UNET, .size_px = 256}},
    {54403457 + 1024, {.kind = TGI_NET_UNET, .size_px = 256, .n_classes = 1}},
    {2762689, {.kind = TGI_NET_PATCHGAN, .size_px = 256}},
    {2762689 + 2 * 8193,
     {.kind = TGI_NET_PATCHGAN, .size_px = 256, .n_classes = 2, .has_cls = true}},
    {44751808, {.kind = TGI_NET_STARGAN_D, .size_px = 256, .n_classes = 1, .has_cls = true}},
    {8405440, {.kind = TGI_NET_STARGAN_G, .size_px = 256, .n_classes = 1}},
    {8443072, {.kind = TGI_NET_STARGAN_G, .size_px = 256, .n_classes = 13}},
    {462305, {.kind = TGI_NET_VAGAN_G, .size_px = 256}},
    {1757249, {.kind = TGI_NET_VAGAN_D, .size_px = 256}},
    {7028704, {.kind = TGI_NET_CLASSIFIER, .size_px = 256, .n_classes = 2}},
    {322052, {.kind = TGI_NET_SMALL_UNET, .size_px = 64}},
    {322052 + 4 * (16 + 64), {.kind = TGI_NET_SMALL_UNET, .size_px = 64, .n_classes = 4}},
    {321265, {.kind = TGI_NET_CRITIC, .size_px = 64}},
    {321265 + 129 * 5,
     {.kind = TGI_NET_CRITIC, .size_px = 64, .n_classes = 4, .has_cls = true, .cls_outputs = 5}},
};
enum { N_COUNTS = TG_COUNT(counts) };

START_TEST(has_the_papers_number_of_weights)
{
    tgi_net *net;

    ck_assert_tg_ok(tgi_net_new(op_dev, &counts[_i].config, &net));
    ck_assert_uint_eq(tgi_net_n_values(net), counts[_i].n_values);
    tgi_net_free(net);
}
END_TEST

typedef struct name_case {
    tgi_net_config config;
    const char *names[12];
} name_case;

/* The papers' sizes, where the parity test has small ones: nesting eight deep, numbers behind nine
 * blocks. */
static const name_case named[] = {
    {{.kind = TGI_NET_RESNET, .size_px = 256, .width = 1},
     {"model.1.weight", "model.1.bias", "model.7.bias", "model.10.conv_block.1.weight",
      "model.18.conv_block.5.bias", "model.19.weight", "model.22.weight", "model.26.weight",
      "model.26.bias"}},
    {{.kind = TGI_NET_RESNET, .size_px = 64, .width = 1},
     {"model.15.conv_block.5.bias", "model.16.weight", "model.19.weight", "model.23.bias"}},
    {{.kind = TGI_NET_UNET, .size_px = 256, .width = 1},
     {"model.model.0.weight", "model.model.1.model.1.weight", "model.model.1.model.3.model.1.bias",
      "model.model.1.model.3.model.3.model.3.model.3.model.3.model.3.model.1.weight",
      "model.model.1.model.3.model.3.model.3.model.3.model.3.model.3.model.3.weight",
      "model.model.1.model.3.model.3.model.3.model.3.model.3.model.5.weight",
      "model.model.1.model.5.weight", "model.model.3.bias"}},
    {{.kind = TGI_NET_PATCHGAN, .size_px = 64, .width = 1, .n_classes = 1, .has_cls = true},
     {"model.0.weight", "model.2.weight", "model.5.weight", "model.8.weight", "model.11.bias",
      "cls.weight"}},
    {{.kind = TGI_NET_STARGAN_G, .size_px = 64, .width = 1, .n_classes = 1},
     {"main.0.weight", "main.1.weight", "main.1.bias", "main.9.main.0.weight",
      "main.14.main.4.bias", "main.15.weight", "main.16.bias", "main.18.weight", "main.21.weight"}},
    {{.kind = TGI_NET_STARGAN_D, .size_px = 64, .width = 1, .n_classes = 1, .has_cls = true},
     {"main.0.bias", "main.10.weight", "conv1.weight", "conv2.weight"}},
    {{.kind = TGI_NET_CLASSIFIER, .size_px = 64, .width = 1, .n_classes = 1},
     {"conv1_1.0.weight", "conv5_2.1.bias", "feature_maps.0.weight", "weight_layer.weight"}},
};
enum { N_NAMED = TG_COUNT(named) };

START_TEST(has_pytorchs_names_in_order)
{
    size_t at = 0;
    tgi_net *net;

    ck_assert_tg_ok(tgi_net_new(op_dev, &named[_i].config, &net));
    for (size_t k = 0; named[_i].names[k]; k++) {
        while (at < net->n_params && strcmp(net->params[at].name, named[_i].names[k]))
            at++;
        ck_assert_msg(at < net->n_params, "'%s' is missing or out of order", named[_i].names[k]);
        ck_assert_ptr_eq(tgi_net_find(net, named[_i].names[k]), &net->params[at]);
    }
    ck_assert_ptr_null(tgi_net_find(net, "model.1000.weight"));
    tgi_net_free(net);
}
END_TEST

typedef struct shape_case {
    tgi_net_config config;
    tg_dims x, y; /* y: map, score or features */
    size_t n_cls; /* 0: no such output */
} shape_case;

static const shape_case shapes[] = {
    {{.kind = TGI_NET_RESNET, .size_px = 8, .width = 2, .n_blocks = 1, .n_classes = 1},
     {1, 1, 8, 8},
     {1, 1, 8, 8},
     0},
    {{.kind = TGI_NET_RESNET, .size_px = 32, .width = 2, .n_blocks = 1, .n_classes = 2},
     {2, 1, 20, 32},
     {2, 1, 20, 32},
     0},
    {{.kind = TGI_NET_RESNET, .size_px = 16, .width = 2, .n_blocks = 1, .in_channels = 3},
     {1, 3, 16, 16},
     {1, 1, 16, 16},
     0},
    {{.kind = TGI_NET_RESNET,
      .size_px = 16,
      .width = 2,
      .n_blocks = 1,
      .n_classes = 2,
      .cond = TGI_COND_BIAS},
     {1, 1, 16, 16},
     {1, 1, 16, 16},
     0},
    {{.kind = TGI_NET_UNET, .size_px = 64, .width = 1}, {1, 1, 64, 64}, {1, 1, 64, 64}, 0},
    {{.kind = TGI_NET_UNET,
      .size_px = 16,
      .width = 1,
      .n_blocks = 2,
      .n_classes = 2,
      .cond = TGI_COND_CIN},
     {1, 1, 16, 16},
     {1, 1, 16, 16},
     0},
    {{.kind = TGI_NET_UNET,
      .size_px = 16,
      .width = 1,
      .n_blocks = 2,
      .n_classes = 2,
      .cond = TGI_COND_BIAS},
     {1, 1, 16, 16},
     {1, 1, 16, 16},
     0},
    {{.kind = TGI_NET_SMALL_UNET, .size_px = 16, .width = 2, .n_classes = 2},
     {3, 1, 16, 16},
     {3, 1, 16, 16},
     0},
    {{.kind = TGI_NET_SMALL_UNET,
      .size_px = 112,
      .width = 2,
      .n_blocks = 3,
      .head = TGI_NET_UPSAMPLE},
     {1, 1, 112, 104},
     {1, 1, 112, 104},
     0},
    {{.kind = TGI_NET_STARGAN_G, .size_px = 16, .width = 2, .n_blocks = 1, .n_classes = 2},
     {1, 1, 16, 16},
     {1, 1, 16, 16},
     0},
    {{.kind = TGI_NET_VAGAN_G, .size_px = 8, .width = 1, .n_classes = 2},
     {2, 1, 8, 16},
     {2, 1, 8, 16},
     0},
    {{.kind = TGI_NET_PATCHGAN, .size_px = 24, .width = 1, .n_classes = 2, .has_cls = true},
     {2, 1, 24, 24},
     {2, 1, 1, 1},
     2},
    {{.kind = TGI_NET_PATCHGAN, .size_px = 64, .width = 1}, {1, 1, 64, 64}, {1, 1, 6, 6}, 0},
    {{.kind = TGI_NET_PATCHGAN, .size_px = 512, .width = 1}, {1, 1, 512, 512}, {1, 1, 62, 62}, 0},
    {{.kind = TGI_NET_STARGAN_D, .size_px = 64, .width = 1, .n_classes = 3, .has_cls = true},
     {2, 1, 64, 64},
     {2, 1, 1, 1},
     3},
    {{.kind = TGI_NET_CRITIC,
      .size_px = 16,
      .width = 1,
      .n_classes = 3,
      .has_cls = true,
      .cls_outputs = 4},
     {2, 1, 16, 32},
     {2, 1, 1, 1},
     4},
    {{.kind = TGI_NET_CRITIC, .size_px = 64, .width = 2, .norm = TGI_NET_NORM_INSTANCE},
     {2, 1, 64, 64},
     {2, 1, 1, 1},
     0},
    {{.kind = TGI_NET_VAGAN_D, .size_px = 16, .width = 1}, {2, 1, 16, 32}, {2, 1, 1, 1}, 0},
    {{.kind = TGI_NET_CLASSIFIER, .size_px = 16, .width = 1, .n_classes = 2},
     {2, 1, 16, 12},
     {2, 16, 4, 3},
     2},
};
enum { N_SHAPES = TG_COUNT(shapes) };

static bool is_generator(tgi_net_kind kind)
{
    return kind == TGI_NET_RESNET || kind == TGI_NET_UNET || kind == TGI_NET_SMALL_UNET ||
           kind == TGI_NET_STARGAN_G || kind == TGI_NET_VAGAN_G;
}

/* Runs the network; cls is NULL where it has none. */
static void run(tgi_net *net, tgi_tape *tape, tgi_var *x, const tg_tensor *labels, tgi_var **y,
                tgi_var **cls)
{
    *cls = NULL;
    if (is_generator(net->config.kind))
        ck_assert_tg_ok(tgi_net_generate(net, tape, x, labels, true, y));
    else if (net->config.kind == TGI_NET_CLASSIFIER)
        ck_assert_tg_ok(tgi_net_classify(net, tape, x, true, false, y, cls));
    else
        ck_assert_tg_ok(tgi_net_judge(net, tape, x, true, y, cls));
}

static void check_finite(const tg_tensor *t)
{
    const size_t n = tg_tensor_count(t);
    float *values = op_floats(n);

    ck_assert_tg_ok(tg_tensor_download(t, values, n));
    for (size_t i = 0; i < n; i++)
        ck_assert(isfinite(values[i]));
    free(values);
}

START_TEST(gives_the_right_sizes)
{
    const shape_case *test = &shapes[_i];
    float *pixels = op_normal(tg_dims_count(test->x), 3);
    tg_tensor *images = op_tensor(test->x, pixels), *labels = NULL;
    tgi_var *x, *y, *cls;
    tgi_tape *tape;
    tgi_net *net;

    if (test->config.n_classes)
        ck_assert_tg_ok(tg_tensor_new_zero(
            op_dev, (tg_dims){test->x.n, test->config.n_classes, 1, 1}, &labels));
    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    ck_assert_tg_ok(tgi_net_new(op_dev, &test->config, &net));
    ck_assert_tg_ok(tgi_net_init(net, 7, 0));
    ck_assert_tg_ok(tgi_tape_leaf(tape, images, true, &x));
    run(net, tape, x, labels, &y, &cls);
    ck_assert(tg_dims_equal(tg_tensor_dims(y->value), test->y));
    check_finite(y->value);
    ck_assert_int_eq(cls != NULL, test->n_cls != 0);
    if (cls)
        ck_assert(
            tg_dims_equal(tg_tensor_dims(cls->value), (tg_dims){test->x.n, test->n_cls, 1, 1}));
    tgi_tape_free(tape);
    tgi_net_free(net);
    tg_tensor_free(images);
    tg_tensor_free(labels);
    free(pixels);
}
END_TEST

/* Standard deviation of a parameter's values. */
static double sd_of(const tgi_net *net, const char *name)
{
    const tgi_param *param = tgi_net_find(net, name);
    double sum = 0;

    ck_assert_msg(param != NULL, "no '%s'", name);
    const size_t n = tg_tensor_count(param->value);
    float *values = op_floats(n);
    ck_assert_tg_ok(tg_tensor_download(param->value, values, n));
    for (size_t i = 0; i < n; i++)
        sum += (double)values[i] * (double)values[i];
    free(values);
    return sqrt(sum / (double)n);
}

START_TEST(starts_by_the_rule_of_its_kind)
{
    const tgi_net_config resnet = {
        .kind = TGI_NET_RESNET, .size_px = 64, .n_blocks = 1, .n_classes = 2, .cond = TGI_COND_CIN};
    const tgi_net_config small = {.kind = TGI_NET_SMALL_UNET, .size_px = 64, .n_classes = 2};
    const tgi_net_config stargan = {.kind = TGI_NET_STARGAN_G, .size_px = 64, .width = 8};
    tgi_net *net;

    ck_assert_tg_ok(tgi_net_new(op_dev, &resnet, &net));
    ck_assert(sd_of(net, "model.7.weight") == 0);
    ck_assert_tg_ok(tgi_net_init(net, 1, 0));
    ck_assert_double_eq_tol(sd_of(net, "model.7.weight"), 0.02, 0.0005);
    ck_assert_double_eq_tol(sd_of(net, "model.11.weight"), 0.02, 0.0005);
    ck_assert(sd_of(net, "model.7.bias") == 0 && sd_of(net, "model.2.gamma") == 0);
    tgi_net_free(net);
    ck_assert_tg_ok(tgi_net_new(op_dev, &small, &net));
    ck_assert_tg_ok(tgi_net_init(net, 1, 0));
    ck_assert_double_eq_tol(sd_of(net, "down4.1.weight"), sqrt(2.0 / (64 * 9)), 0.001);
    ck_assert(sd_of(net, "head.0.weight") == 0 && sd_of(net, "down1.0.beta") == 0);
    tgi_net_free(net);
    ck_assert_tg_ok(tgi_net_new(op_dev, &stargan, &net));
    ck_assert_tg_ok(tgi_net_init(net, 1, 0));
    ck_assert(sd_of(net, "main.1.weight") == 1);
    tgi_net_free(net);
}
END_TEST

static void download_all(const tgi_net *net, float **values)
{
    const size_t n = tg_tensor_count(net->values);

    *values = op_floats(n);
    ck_assert_tg_ok(tg_tensor_download(net->values, *values, n));
}

START_TEST(draws_the_same_weights_from_the_same_seed_only)
{
    const tgi_net_config config = {.kind = TGI_NET_CRITIC, .size_px = 32, .width = 2};
    tgi_net *net;
    float *a, *b, *c, *d;

    ck_assert_tg_ok(tgi_net_new(op_dev, &config, &net));
    ck_assert_tg_ok(tgi_net_init(net, 5, 1));
    download_all(net, &a);
    ck_assert_tg_ok(tgi_net_init(net, 5, 2));
    download_all(net, &b);
    ck_assert_tg_ok(tgi_net_init(net, 6, 1));
    download_all(net, &c);
    ck_assert_tg_ok(tgi_net_init(net, 5, 1));
    download_all(net, &d);
    ck_assert(a[0] != b[0] && a[0] != c[0] && b[0] != c[0]);
    ck_assert_mem_eq(a, d, tg_tensor_count(net->values) * sizeof *a);
    free(a);
    free(b);
    free(c);
    free(d);
    tgi_net_free(net);
}
END_TEST

START_TEST(begins_at_a_blank_map)
{
    const tgi_net_config config = {
        .kind = TGI_NET_SMALL_UNET, .size_px = 32, .head = (tgi_net_head)_i};
    float *pixels = op_normal(32 * 32, 3), *map = op_floats(32 * 32);
    tg_tensor *images = op_tensor((tg_dims){1, 1, 32, 32}, pixels);
    tgi_tape *tape;
    tgi_var *x, *y;
    tgi_net *net;

    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    ck_assert_tg_ok(tgi_net_new(op_dev, &config, &net));
    ck_assert_tg_ok(tgi_net_init(net, 1, 0));
    ck_assert_tg_ok(tgi_tape_leaf(tape, images, false, &x));
    ck_assert_tg_ok(tgi_net_generate(net, tape, x, NULL, false, &y));
    ck_assert_tg_ok(tg_tensor_download(y->value, map, 32 * 32));
    for (size_t i = 0; i < 32 * 32; i++)
        ck_assert(map[i] == 0);
    tgi_tape_free(tape);
    tgi_net_free(net);
    tg_tensor_free(images);
    free(pixels);
    free(map);
}
END_TEST

/* Copied weights must reach the packed forms that convolutions keep of the old ones. */
START_TEST(a_copy_computes_what_its_model_does)
{
    const tgi_net_config config = {.kind = TGI_NET_VAGAN_G, .size_px = 16, .width = 2};
    float *pixels = op_normal(2 * 16 * 16, 3), got[2][2 * 16 * 16];
    tg_tensor *images = op_tensor((tg_dims){2, 1, 16, 16}, pixels);
    tgi_tape *tape;
    tgi_var *x, *y;
    tgi_net *nets[2];

    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    for (int i = 0; i < 2; i++) {
        ck_assert_tg_ok(tgi_net_new(op_dev, &config, &nets[i]));
        ck_assert_tg_ok(tgi_net_init(nets[i], 1, (uint64_t)i));
        nets[i]->is_training = true; /* moves the running statistics */
        ck_assert_tg_ok(tgi_tape_leaf(tape, images, false, &x));
        ck_assert_tg_ok(tgi_net_generate(nets[i], tape, x, NULL, false, &y));
        nets[i]->is_training = false;
    }
    ck_assert_tg_ok(tgi_net_copy(nets[0], nets[1]));
    for (int i = 0; i < 2; i++) {
        ck_assert_tg_ok(tgi_net_generate(nets[i], tape, x, NULL, false, &y));
        ck_assert_tg_ok(tg_tensor_download(y->value, got[i], 2 * 16 * 16));
    }
    ck_assert_mem_eq(got[0], got[1], sizeof got[0]);
    tgi_tape_free(tape);
    tgi_net_free(nets[0]);
    tgi_net_free(nets[1]);
    tg_tensor_free(images);
    free(pixels);
}
END_TEST

static const struct {
    tg_status wanted;
    tgi_net_config config;
} refusals[] = {
    {TG_ERR_SHAPE, {.kind = TGI_NET_RESNET, .size_px = 0}},
    {TG_ERR_SHAPE, {.kind = TGI_NET_RESNET, .size_px = 4}},
    {TG_ERR_SHAPE, {.kind = TGI_NET_RESNET, .size_px = 66}},
    {TG_ERR_SHAPE, {.kind = TGI_NET_UNET, .size_px = 100, .n_blocks = 5}},
    {TG_ERR_SHAPE, {.kind = TGI_NET_SMALL_UNET, .size_px = 72}},
    {TG_ERR_SHAPE, {.kind = TGI_NET_SMALL_UNET, .size_px = 16, .norm = TGI_NET_NORM_INSTANCE}},
    {TG_ERR_SHAPE, {.kind = TGI_NET_STARGAN_D, .size_px = 96}},
    {TG_ERR_SHAPE, {.kind = TGI_NET_PATCHGAN, .size_px = 16}},
    {TG_ERR_SHAPE, {.kind = TGI_NET_CRITIC, .size_px = 60}},
    {TG_ERR_SHAPE, {.kind = TGI_NET_VAGAN_G, .size_px = 60}},
    {TG_ERR_SHAPE, {.kind = TGI_NET_VAGAN_D, .size_px = 24}},
    {TG_ERR_SHAPE, {.kind = TGI_NET_CLASSIFIER, .size_px = 63, .n_classes = 1}},
    {TG_ERR_ARGUMENT, {.kind = TGI_NET_CLASSIFIER, .size_px = 64}},
    {TG_ERR_ARGUMENT, {.kind = TGI_NET_CRITIC, .size_px = 64, .has_cls = true}},
    {TG_ERR_ARGUMENT, {.kind = TGI_NET_VAGAN_D, .size_px = 64, .n_classes = 1, .has_cls = true}},
    {TG_ERR_ARGUMENT, {.kind = TGI_NET_RESNET, .size_px = 64, .n_classes = 1, .has_cls = true}},
    {TG_ERR_ARGUMENT,
     {.kind = TGI_NET_UNET, .size_px = 64, .n_classes = 1, .cond = TGI_COND_PLANE_REFLECT}},
    {TG_ERR_ARGUMENT,
     {.kind = TGI_NET_STARGAN_G, .size_px = 64, .n_classes = 1, .cond = TGI_COND_BIAS}},
    {TG_ERR_ARGUMENT, {.kind = TGI_NET_UNET, .size_px = 64, .n_blocks = 13}},
    {TG_ERR_ARGUMENT, {.kind = TGI_NET_RESNET, .size_px = 64, .width = 100000}},
    {TG_ERR_ARGUMENT, {.kind = TGI_N_NET_KINDS, .size_px = 64}},
};
enum { N_REFUSALS = TG_COUNT(refusals) };

START_TEST(refuses_what_does_not_fit)
{
    tgi_net *net = (tgi_net *)&refusals;

    ck_assert_tg_fails(tgi_net_new(op_dev, &refusals[_i].config, &net), refusals[_i].wanted);
    ck_assert_ptr_null(net);
}
END_TEST

START_TEST(refuses_wrong_inputs)
{
    const tgi_net_config config = {
        .kind = TGI_NET_RESNET, .size_px = 16, .width = 1, .n_blocks = 1, .n_classes = 2};
    const tgi_net_config other = {.kind = TGI_NET_CRITIC, .size_px = 16, .width = 1};
    tg_tensor *images, *odd, *three, *labels;
    tgi_var *x, *y;
    tgi_tape *tape;
    tgi_net *net, *critic;

    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    ck_assert_tg_ok(tgi_net_new(op_dev, &config, &net));
    ck_assert_tg_ok(tgi_net_new(op_dev, &other, &critic));
    ck_assert_tg_ok(tg_tensor_new_zero(op_dev, (tg_dims){1, 1, 16, 16}, &images));
    ck_assert_tg_ok(tg_tensor_new_zero(op_dev, (tg_dims){1, 1, 16, 18}, &odd));
    ck_assert_tg_ok(tg_tensor_new_zero(op_dev, (tg_dims){1, 3, 16, 16}, &three));
    ck_assert_tg_ok(tg_tensor_new_zero(op_dev, (tg_dims){1, 3, 1, 1}, &labels));
    ck_assert_tg_ok(tgi_tape_leaf(tape, images, false, &x));
    ck_assert_tg_fails(tgi_net_generate(net, tape, x, NULL, false, &y), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_net_generate(net, tape, x, labels, false, &y), TG_ERR_SHAPE);
    ck_assert_tg_fails(tgi_net_generate(critic, tape, x, NULL, false, &y), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_net_judge(net, tape, x, false, &y, NULL), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_net_classify(critic, tape, x, false, false, NULL, &y), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_net_copy(net, critic), TG_ERR_SHAPE);
    ck_assert_tg_ok(tgi_tape_leaf(tape, odd, false, &x));
    ck_assert_tg_fails(tgi_net_judge(critic, tape, x, false, &y, NULL), TG_ERR_SHAPE);
    ck_assert_tg_ok(tgi_tape_leaf(tape, three, false, &x));
    ck_assert_tg_fails(tgi_net_judge(critic, tape, x, false, &y, NULL), TG_ERR_SHAPE);
    tgi_tape_free(tape);
    tgi_net_free(net);
    tgi_net_free(critic);
    tg_tensor_free(images);
    tg_tensor_free(odd);
    tg_tensor_free(three);
    tg_tensor_free(labels);
}
END_TEST

/* What the walk says of the layers that leave something: the last, and the two outputs of judges. */
typedef struct walked {
    tg_dims last, score, cls;
    size_t n;
} walked;

static tg_status note_sizes(const tgi_net *net, size_t number, tg_dims x, tg_dims y, void *user)
{
    walked *w = user;
    const tgi_layer *layer = &net->layers[number];

    ck_assert_uint_eq(number, w->n++);
    if (number)
        ck_assert(tg_dims_equal(x, w->last));
    w->last = y;
    if (layer->kind == TGI_LAYER_SAVE && layer->opts.slot == TGI_SLOT_SCORE)
        w->score = x;
    if (layer->kind == TGI_LAYER_SAVE && layer->opts.slot == TGI_SLOT_CLS)
        w->cls = x;
    return TG_OK;
}

/* Every kind at a small width, and both heads. */
static const tgi_net_config walks[] = {
    {.kind = TGI_NET_RESNET, .size_px = 32, .width = 2, .n_blocks = 1, .n_classes = 2},
    {.kind = TGI_NET_UNET, .size_px = 64, .width = 2, .n_blocks = 6, .n_classes = 1},
    {.kind = TGI_NET_SMALL_UNET, .size_px = 32, .width = 2, .n_classes = 1},
    {.kind = TGI_NET_SMALL_UNET, .size_px = 32, .width = 2, .head = TGI_NET_UPSAMPLE},
    {.kind = TGI_NET_STARGAN_G, .size_px = 32, .width = 2, .n_blocks = 1, .n_classes = 3},
    {.kind = TGI_NET_VAGAN_G, .size_px = 32, .width = 2},
    {.kind = TGI_NET_PATCHGAN, .size_px = 64, .width = 2, .n_classes = 3, .has_cls = true},
    {.kind = TGI_NET_STARGAN_D, .size_px = 64, .width = 2, .n_classes = 3, .has_cls = true},
    {.kind = TGI_NET_CRITIC, .size_px = 32, .width = 2, .n_classes = 3, .has_cls = true},
    {.kind = TGI_NET_VAGAN_D, .size_px = 64, .width = 2},
    {.kind = TGI_NET_CLASSIFIER, .size_px = 32, .width = 2, .n_classes = 2},
};
enum { N_WALKS = TG_COUNT(walks) };

START_TEST(walking_finds_the_sizes_that_running_gives)
{
    const tgi_net_config *config = &walks[_i];
    const tg_dims image = {2, 1, config->size_px, config->size_px};
    tgi_net *net;
    tgi_tape *tape;
    tgi_var *in, *out, *score, *cls;
    tg_tensor *x, *labels;
    walked w = {.n = 0};

    ck_assert_tg_ok(tgi_net_new(op_dev, config, &net));
    ck_assert_tg_ok(tg_tensor_new_zero(op_dev, image, &x));
    ck_assert_tg_ok(tg_tensor_new_zero(
        op_dev, (tg_dims){2, config->n_classes ? config->n_classes : 1, 1, 1}, &labels));
    ck_assert_tg_ok(tgi_tape_new(op_dev, &tape));
    ck_assert_tg_ok(tgi_tape_leaf(tape, x, false, &in));
    ck_assert_tg_ok(tgi_net_walk(net, image, note_sizes, &w));
    ck_assert_uint_eq(w.n, net->n_layers);
    if (config->kind == TGI_NET_CLASSIFIER) {
        ck_assert_tg_ok(tgi_net_classify(net, tape, in, false, false, NULL, &out));
        ck_assert(tg_dims_equal(w.last, out->value->dims));
    } else if (w.score.n) {
        ck_assert_tg_ok(tgi_net_judge(net, tape, in, false, &score, &cls));
        ck_assert(tg_dims_equal(w.score, score->value->dims));
        ck_assert_int_eq(cls != NULL, w.cls.n != 0);
        if (cls)
            ck_assert(tg_dims_equal(w.cls, cls->value->dims));
    } else {
        ck_assert_tg_ok(tgi_net_generate(net, tape, in, labels, false, &out));
        ck_assert(tg_dims_equal(w.last, out->value->dims));
    }
    tgi_tape_free(tape);
    tg_tensor_free(labels);
    tg_tensor_free(x);
    tgi_net_free(net);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("net", 120);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, has_the_papers_number_of_weights, 0, N_COUNTS);
    tcase_add_loop_test(tc, has_pytorchs_names_in_order, 0, N_NAMED);
    tcase_add_loop_test(tc, gives_the_right_sizes, 0, N_SHAPES);
    tcase_add_loop_test(tc, walking_finds_the_sizes_that_running_gives, 0, N_WALKS);
    tcase_add_test(tc, starts_by_the_rule_of_its_kind);
    tcase_add_test(tc, draws_the_same_weights_from_the_same_seed_only);
    tcase_add_loop_test(tc, begins_at_a_blank_map, 0, 2);
    tcase_add_test(tc, a_copy_computes_what_its_model_does);
    tcase_add_loop_test(tc, refuses_what_does_not_fit, 0, N_REFUSALS);
    tcase_add_test(tc, refuses_wrong_inputs);
    return tg_run("net");
}

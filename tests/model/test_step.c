/* test_step.c -- training steps of TagGAN equal PyTorch's, from given weights and two given images: every loss, every gradient,
 * every update; and the first step's gradients under the other settings. */
#include "config.h"
#include "base/rng.h"
#include "model/model.h"
#include "model/step_golden.h"
#include "op/op_test.h"

#include <stdio.h>
#include <string.h>

/* The settings of the contract, and the sizes of the golden files. */
static const char *const contract[] = {
    "adv=bce",       "bgan=image",  "cond=plane-reflect", "cls_pool=lme",      "net=resnet",
    "netd=patchgan", "pool=0",      "lam_id=5",           "lam_map=0",         "map_scale=1",
    "ema=0",         "clip=0",      "augment=none",       "schedule=constant", "order=dg",
    "validate=none", "lam_cyc=10",  "lam_cls=1",          "batch=1",           "lr=2e-4",
    "beta1=0.5",     "beta2=0.999", "critic_steps=1",     "size=32",
};

static tgi_settings settings_of(const char *const *more, size_t n_more)
{
    tgi_settings settings = tgi_settings_preset(TGI_PRESET_PAPER);

    for (size_t i = 0; i < TG_COUNT(contract); i++)
        ck_assert_tg_ok(tgi_settings_set_pair(&settings, contract[i]));
    for (size_t i = 0; i < n_more; i++)
        ck_assert_tg_ok(tgi_settings_set_pair(&settings, more[i]));
    return settings;
}

static tgi_member *member_of(tgi_model *model, const char *name, const char **rest)
{
    for (size_t i = 0; i < TGI_N_MEMBERS; i++) {
        tgi_member *member = tgi_model_member(model, i);
        size_t n = strlen(member->prefix);

        if (strncmp(name, member->prefix, n) == 0 && name[n] == '.') {
            *rest = name + n + 1;
            return member;
        }
    }
    ck_abort_msg("no network for '%s'", name);
    return NULL;
}

static const tgi_param *param_of(tgi_model *model, const char *name)
{
    const char *rest;
    tgi_member *member = member_of(model, name, &rest);
    const tgi_param *param = tgi_net_find(member->net, rest);

    ck_assert_msg(param != NULL, "the model has no '%s'", name);
    return param;
}

static float *values_of(const tg_tensor *t)
{
    float *values = op_floats(tg_tensor_count(t));

    ck_assert_tg_ok(tg_tensor_download(t, values, tg_tensor_count(t)));
    return values;
}

/* PyTorch's initial weights into the model, all of them and no others. */
static void load_weights(tgi_model *model)
{
    size_t n = 0;

    for (size_t i = 0; i < step_golden_count(); i++) {
        const char *name = step_golden_name(i);
        float *values = step_golden_init(name);

        ck_assert_msg(tg_tensor_count(param_of(model, name)->value) == step_golden_size(name),
                      "%s has another size", name);
        ck_assert_tg_ok(
            tg_tensor_upload(param_of(model, name)->value, values, step_golden_size(name)));
        free(values);
    }
    for (size_t i = 0; i < TGI_N_MEMBERS; i++) {
        n += tgi_model_member(model, i)->net->n_params;
        tgi_net_touch(tgi_model_member(model, i)->net);
    }
    ck_assert_uint_eq(n, step_golden_count());
}

/* The two images for every update; the diseased one shows the first disease alone. */
static void feed(tgi_model *model)
{
    const float first[] = {1, 0}, none[] = {0, 0};
    size_t side, zero = 0;
    float *x = step_golden_image("sick", &side), *y = step_golden_image("healthy", &side);
    tg_batch diseased = {.n = 1,
                         .n_classes = model->n_classes,
                         .size_px = side,
                         .x = x,
                         .labels = first,
                         .indices = &zero};
    tg_batch healthy = diseased;

    healthy.x = y;
    healthy.labels = none;
    ck_assert_uint_eq(side, model->settings.size);
    ck_assert_tg_ok(tgi_model_feed(model, 0, &diseased, &healthy));
    free(x);
    free(y);
}

/* The two pairs of preset quick's golden file, for both updates of the critics. */
static void feed_pairs(tgi_model *model)
{
    const size_t indices[2] = {0, 1};
    const float none[4] = {0};
    float *x = step_golden_array("x"), *y = step_golden_array("y"), *c = step_golden_array("c");
    tg_batch diseased = {
        .n = 2, .n_classes = 2, .size_px = 32, .x = x, .labels = c, .indices = indices};
    tg_batch healthy = diseased;

    healthy.x = y;
    healthy.labels = none;
    for (size_t k = 0; k < 2; k++)
        ck_assert_tg_ok(tgi_model_feed(model, k, &diseased, &healthy));
    free(x);
    free(y);
    free(c);
}

static tgi_model *model_of(const tgi_settings *settings, size_t n_classes)
{
    tgi_model *model;

    ck_assert_tg_ok(tgi_settings_check(settings));
    ck_assert_tg_ok(tgi_model_new(op_dev, settings, n_classes, &model));
    load_weights(model);
    feed(model);
    return model;
}

static tgi_board step(tgi_model *model)
{
    const tgi_pace pace = {
        .lr = model->settings.lr, .lam_id = model->settings.lam_id, .is_logged = true};
    tgi_board board;
    uint64_t number;
    bool is_new;

    ck_assert_tg_ok(tgi_model_step(model, &pace));
    ck_assert_tg_ok(tgi_model_losses(model, true, &board, &number, &is_new));
    ck_assert(is_new);
    ck_assert_uint_eq(number, model->n_steps);
    return board;
}

/* The board holds weighted terms; PyTorch's script named them by what they measure. */
typedef struct term {
    const char *name;
    double value;
} term;
enum { N_TERMS = 12 };

static void terms_of(const tgi_board *b, const tgi_settings *s, term terms[N_TERMS])
{
    const double cls = s->lam_cls, cyc = s->lam_cyc;
    const term all[N_TERMS] = {
        {"d_normal", (double)b->d_normal_real + b->d_normal_fake},
        {"d_disease", (double)b->d_disease_real + b->d_disease_fake + b->d_disease_rebuilt},
        {"d_cls", ((double)b->d_cls_diseased + b->d_cls_healthy) / cls},
        {"g_normal", b->g_normal},
        {"g_disease", b->g_disease},
        {"g_cls", ((double)b->g_cls_diseased + b->g_cls_healthy) / cls},
        {"cycle_x", b->g_cycle_diseased / cyc},
        {"cycle_y", b->g_cycle_healthy / cyc},
        {"identity", b->map_healthy},
        {"identity", s->lam_id > 0 ? b->g_identity / s->lam_id : (double)b->map_healthy},
        {"map", b->map_diseased},
        {"g", (double)b->g_normal + b->g_disease + b->g_cls_diseased + b->g_cls_healthy +
                  b->g_cycle_diseased + b->g_cycle_healthy + b->g_identity + b->g_sparsity +
                  b->g_sparsity_added + b->g_tv},
    };

    memcpy(terms, all, sizeof all);
}

static void check_losses(const tgi_model *model, const tgi_board *board, int number)
{
    term terms[N_TERMS];

    terms_of(board, &model->settings, terms);
    for (size_t i = 0; i < N_TERMS; i++)
        step_golden_check_loss(terms[i].name, terms[i].value, number);
}

static void check_updates(tgi_model *model, int number)
{
    for (size_t i = 0; i < step_golden_count(); i++) {
        const char *name = step_golden_name(i);
        float *after = values_of(param_of(model, name)->value);

        step_golden_check_update(name, after, number);
        free(after);
    }
}

/* After a step the networks hold the gradients of their last update. */
static void check_gradients(tgi_model *model)
{
    for (size_t i = 0; i < step_golden_count(); i++) {
        float *gradient = values_of(param_of(model, step_golden_name(i))->grad);

        step_golden_check_gradient(step_golden_name(i), gradient);
        free(gradient);
    }
}

/* One disease, and two. */
static const struct {
    const char *suffix, *sizes[3];
    size_t n_classes;
} sets[] = {
    {"", {"width=4", "dwidth=4", "blocks=2"}, 1},
    {"2", {"width=2", "dwidth=2", "blocks=1"}, 2},
};

START_TEST(first_and_third_step_equal_pytorch)
{
    tgi_settings settings = settings_of(sets[_i].sizes, 3);
    tgi_model *model;

    step_golden_open(sets[_i].suffix);
    model = model_of(&settings, sets[_i].n_classes);
    for (int number = 1; number <= 3; number++) {
        tgi_board board = step(model);

        check_losses(model, &board, number);
        if (number != 2)
            check_updates(model, number);
        if (number == 1)
            check_gradients(model);
    }
    tgi_model_free(model);
}
END_TEST

/* "lam_id=0,lam_map=2": one setting after the other. */
static void set_all(tgi_settings *settings, const char *list)
{
    while (*list) {
        const size_t n = strcspn(list, ",");
        char pair[60];

        ck_assert_uint_lt(n, sizeof pair);
        memcpy(pair, list, n);
        pair[n] = '\0';
        ck_assert_tg_ok(tgi_settings_set_pair(settings, pair));
        list += n + (list[n] == ',');
    }
}

START_TEST(gradients_equal_pytorch_under_every_switch)
{
    tgi_settings settings = settings_of(sets[0].sizes, 3);

    /* Direct sums: with sub-tanh one activation lies so near its kink that Winograd's rounding (2e-6) puts it on the other side,
     * which moves a gradient of norm 7.6 by 0.06. The steps of the other tests take what the rule takes. */
    ck_assert_tg_ok(tgi_settings_set_pair(&settings, "conv_algorithm=packed"));

    step_golden_open("");
    for (size_t k = (size_t)_i; k < step_golden_n_switches(); k += 3) {
        const char *which = step_golden_switch(k);
        tgi_settings changed = settings;
        tgi_model *model;
        tgi_board board;
        term terms[N_TERMS];

        set_all(&changed, which);
        model = model_of(&changed, 1);
        board = step(model);
        terms_of(&board, &changed, terms);
        for (size_t i = 0; i < N_TERMS; i++)
            step_golden_check_switch_loss(which, terms[i].name, terms[i].value);
        for (size_t i = 0; i < step_golden_count(); i++) {
            float *gradient = values_of(param_of(model, step_golden_name(i))->grad);

            step_golden_check_switch_gradient(which, step_golden_name(i), gradient);
            free(gradient);
        }
        tgi_model_free(model);
    }
}
END_TEST

/* What the penalty mixes real and fake with is drawn from the seed; PyTorch was given the same factors. */
static void check_mixes(void)
{
    float *mixes = step_golden_array("mixes");

    for (uint64_t draw = 0; draw < 4; draw++) {
        tgi_rng rng = tgi_rng_new(1, TGI_STREAM_PENALTY, draw);

        for (size_t i = 0; i < 2; i++)
            ck_assert_float_eq_tol(mixes[2 * draw + i], (float)tgi_rng_uniform(&rng), 1e-6f);
    }
    free(mixes);
}

/* Wasserstein critics with the exact penalty against PyTorch's double backward, two updates of them, then the generators'. */
START_TEST(preset_quick_equals_pytorch)
{
    static const char *const sizes[] = {"size=32", "width=2",        "dwidth=2",
                                        "batch=2", "critic_steps=2", "seed=1"};
    tgi_settings settings = tgi_settings_preset(TGI_PRESET_QUICK);
    tgi_model *model;
    tgi_board board;

    for (size_t i = 0; i < TG_COUNT(sizes); i++)
        ck_assert_tg_ok(tgi_settings_set_pair(&settings, sizes[i]));
    step_golden_open("_quick");
    check_mixes();
    ck_assert_tg_ok(tgi_model_new(op_dev, &settings, 2, &model));
    load_weights(model);
    feed_pairs(model);
    board = step(model);
    check_losses(model, &board, 1);
    step_golden_check_loss("penalty_normal", board.d_penalty_normal / settings.lam_gp, 1);
    step_golden_check_loss("penalty_disease", board.d_penalty_disease / settings.lam_gp, 1);
    check_updates(model, 1);
    check_gradients(model);
    tgi_model_free(model);
}
END_TEST

/* Generators first: their loss is taken with all weights as they were. */
START_TEST(measures_the_generator_loss_without_a_step)
{
    tgi_settings settings = settings_of(sets[0].sizes, 3);
    tgi_model *model;
    double loss;

    step_golden_open("");
    model = model_of(&settings, 1);
    for (int round = 0; round < 2; round++) {
        ck_assert_tg_ok(tgi_model_generator_loss(model, &loss));
        step_golden_check_switch_loss("order=gd", "g", loss);
    }
    tgi_model_free(model);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("step", 300);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_checked_fixture(tc, NULL, step_golden_close);
    tcase_add_loop_test(tc, first_and_third_step_equal_pytorch, 0, (int)TG_COUNT(sets));
    tcase_add_loop_test(tc, gradients_equal_pytorch_under_every_switch, 0, 3);
    tcase_add_test(tc, preset_quick_equals_pytorch);
    tcase_add_test(tc, measures_the_generator_loss_without_a_step);
    return tg_run("step");
}

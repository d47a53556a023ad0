/* test_loss.c -- losses, statistics and the norm of samples (kernels of loss and reduce) against tests/ref/loss.c and worked values. */
#include "config.h"
#include "op/op_test.h"
#include "ref/ref.h"

#include <math.h>

/* One loss behind one face; b is the second image or the labels, kind the adversarial one. */
typedef struct term {
    const char *name;
    int kind;
    bool has_b, has_db, is_flat; /* flat: shapes are [N,C,1,1] */
} term;
enum { L1, L1_ZERO, MSE, MSE_ZERO, TV, LABEL, LABEL_ZERO, SOFTMAX, PENALTY, ADVERSARIAL };
static const term terms[] = {
    {"L1", L1, true, true, false},
    {"L1 of one", L1_ZERO, false, false, false},
    {"MSE", MSE, true, true, false},
    {"MSE of one", MSE_ZERO, false, false, false},
    {"total variation", TV, false, false, false},
    {"label", LABEL, true, false, true},
    {"label, healthy", LABEL_ZERO, false, false, true},
    {"softmax", SOFTMAX, true, false, true},
    {"penalty", PENALTY, false, false, true},
    {"real", ADVERSARIAL + TG_ADV_REAL, false, false, false},
    {"fake", ADVERSARIAL + TG_ADV_FAKE, false, false, false},
    {"saturating", ADVERSARIAL + TG_ADV_SATURATING, false, false, false},
    {"LSGAN real", ADVERSARIAL + TG_ADV_LS_REAL, false, false, false},
    {"LSGAN fake", ADVERSARIAL + TG_ADV_LS_FAKE, false, false, false},
    {"WGAN real", ADVERSARIAL + TG_ADV_W_REAL, false, false, false},
    {"WGAN fake", ADVERSARIAL + TG_ADV_W_FAKE, false, false, false},
};

static const tg_dims images[] = {
    {1, 1, 1, 1}, {1, 3, 5, 7}, {2, 4, 17, 33}, {2, 1, 30, 30}, {1, 1, 256, 256}};
static const tg_dims vectors[] = {{1, 1, 1, 1}, {1, 13, 1, 1}, {3, 5, 1, 1}, {70, 14, 1, 1}};

static tg_status run(const term *t, const tg_tensor *a, const tg_tensor *b, float weight,
                     tg_scalar loss, tg_tensor *da, tg_tensor *db)
{
    switch (t->kind) {
    case L1:
    case L1_ZERO:
        return tg_l1_loss(a, b, weight, loss, da, db);
    case MSE:
    case MSE_ZERO:
        return tg_mse_loss(a, b, weight, loss, da, db);
    case TV:
        return tg_tv_loss(a, weight, loss, da);
    case LABEL:
    case LABEL_ZERO:
        return tg_label_loss(a, b, weight, loss, da);
    case SOFTMAX:
        return tg_softmax_loss(a, b, weight, loss, da);
    case PENALTY:
        return tg_penalty_loss(a, weight, loss, da);
    default:
        return tg_adversarial_loss((tg_adversarial)(t->kind - ADVERSARIAL), a, weight, loss, da);
    }
}

static double reference(const term *t, const double *a, const double *b, tg_dims d, double weight,
                        double *da, double *db)
{
    size_t n = tg_dims_count(d);

    switch (t->kind) {
    case L1:
    case L1_ZERO:
        return ref_l1_loss(a, b, n, weight, da, db);
    case MSE:
    case MSE_ZERO:
        return ref_mse_loss(a, b, n, weight, da, db);
    case TV:
        return ref_tv_loss(a, d, weight, da);
    case LABEL:
    case LABEL_ZERO:
        return ref_label_loss(a, b, d.n, d.c, weight, da);
    case SOFTMAX:
        return ref_softmax_loss(a, b, d.n, d.c, weight, da);
    case PENALTY:
        return ref_adversarial_loss(TG_ADV_LS_REAL, a, n, weight, da);
    default:
        return ref_adversarial_loss((tg_adversarial)(t->kind - ADVERSARIAL), a, n, weight, da);
    }
}

/* Labels: multi-hot for the sigmoid, shares that sum to 1 for the softmax. */
static void make_labels(const term *t, tg_dims d, float *c)
{
    for (size_t i = 0; i < d.n; i++) {
        for (size_t k = 0; k < d.c; k++) {
            float *at = c + i * d.c + k;

            if (t->kind == SOFTMAX)
                *at = (k == i % d.c ? 0.75f : 0) + 0.25f / (float)d.c;
            else
                *at = *at > 0.5f;
        }
    }
}

static tg_dims shape_of(const term *t, size_t i)
{
    tg_dims d = t->is_flat ? vectors[i % TG_COUNT(vectors)] : images[i];

    if (t->kind == PENALTY)
        d.c = 1;
    return d;
}

static void check_term(const term *t, tg_dims d)
{
    const float weight = 1.75f;
    size_t n = tg_dims_count(d);
    float *a = op_normal(n, 1), *b = op_normal(n, 2), *start = op_normal(n, 3);
    float *da = op_floats(n), *db = op_floats(n), slots[3] = {7, 7, 7};
    double *ad = op_normal_d(n, 1), *bd = op_doubles(n), *dad = op_normal_d(n, 3),
           *dbd = op_normal_d(n, 3);
    op_guarded ga, gb;

    if (t->is_flat)
        make_labels(t, d, b);
    for (size_t i = 0; i < n; i++)
        bd[i] = (double)b[i];
    double want = reference(t, ad, t->has_b ? bd : NULL, d, (double)weight, dad, dbd);

    tg_tensor *ta = op_tensor(d, a), *tb = op_tensor(d, b),
              *slot = op_tensor((tg_dims){1, 3, 1, 1}, slots);
    op_guard_new(&ga, d);
    op_guard_new(&gb, d);
    OP_ROUNDS
    {
        float last = slots[1];

        op_guard_set(&ga, start);
        op_guard_set(&gb, start);
        ck_assert_tg_ok(run(t, ta, t->has_b ? tb : NULL, weight, (tg_scalar){slot, 1}, ga.t,
                            t->has_db ? gb.t : NULL));
        op_guard_get(&ga, da, round);
        op_guard_get(&gb, db, round);
        ck_assert_tg_ok(tg_tensor_download(slot, slots, 3));
        ck_assert(slots[0] == 7 && slots[2] == 7);
        ck_assert(round == 0 || last == slots[1]);
    }
    tg_compare_fd(t->name, &slots[1], &want, 1, TOL_REDUCE);
    tg_compare_fd(t->name, da, dad, n, TOL_MATH);
    if (t->has_db)
        tg_compare_fd(t->name, db, dbd, n, TOL_MATH);
    /* Nothing wanted, nothing done; the value alone is the same. */
    ck_assert_tg_ok(run(t, ta, t->has_b ? tb : NULL, weight, (tg_scalar){NULL, 0}, NULL, NULL));
    ck_assert_tg_ok(run(t, ta, t->has_b ? tb : NULL, weight, (tg_scalar){slot, 0}, NULL, NULL));
    ck_assert_tg_ok(tg_tensor_download(slot, slots, 3));
    ck_assert(slots[0] == slots[1]);
    op_guard_free(&ga);
    op_guard_free(&gb);
    tg_tensor_free(ta);
    tg_tensor_free(tb);
    tg_tensor_free(slot);
    free(a), free(b), free(start), free(da), free(db), free(ad), free(bd), free(dad), free(dbd);
}

START_TEST(value_and_gradient_match_reference)
{
    const term *t = &terms[_i];

    for (size_t i = 0; i < TG_COUNT(images); i++)
        if (!op_skips(shape_of(t, i)))
            check_term(t, shape_of(t, i));
}
END_TEST

typedef struct check_of {
    const term *t;
    const double *b;
    tg_dims d;
} check_of;

static void reference_value(const double *x, double *y, void *user)
{
    const check_of *c = user;

    y[0] = reference(c->t, x, c->b, c->d, 1, NULL, NULL);
}

START_TEST(reference_gradient_equals_differences)
{
    const term *t = &terms[_i];
    const tg_dims d = t->kind == PENALTY ? (tg_dims){5, 1, 1, 1}
                      : t->is_flat       ? (tg_dims){3, 4, 1, 1}
                                         : (tg_dims){1, 2, 3, 4};
    size_t n = tg_dims_count(d);
    double *a = op_normal_d(n, 1), *b = op_doubles(n), *da = op_doubles(n), one = 1;
    float *labels = op_normal(n, 2);

    if (t->is_flat)
        make_labels(t, d, labels);
    for (size_t i = 0; i < n; i++)
        b[i] = (double)labels[i];
    check_of user = {t, t->has_b ? b : NULL, d};
    reference(t, a, user.b, d, 1, da, NULL);
    op_gradcheck(t->name, reference_value, &user, a, n, &one, 1, da);
    free(a), free(b), free(da), free(labels);
}
END_TEST

/* doc/notation.md, Losses: z = (0.5, -1, 2). */
START_TEST(unit_values_of_the_paper)
{
    static const struct {
        tg_adversarial kind;
        double loss, gradient[3];
    } wanted[] = {{TG_ADV_REAL, 0.638089, {-0.125847, -0.243686, -0.039734}},
                  {TG_ADV_FAKE, 1.138089, {0.207486, 0.089647, 0.293599}},
                  {TG_ADV_SATURATING, -1.138089, {-0.207486, -0.089647, -0.293599}},
                  {TG_ADV_LS_REAL, 1.75, {-1 / 3., -4 / 3., 2 / 3.}},
                  {TG_ADV_LS_FAKE, 1.75, {1 / 3., -2 / 3., 4 / 3.}},
                  {TG_ADV_W_REAL, -0.5, {-1 / 3., -1 / 3., -1 / 3.}},
                  {TG_ADV_W_FAKE, 0.5, {1 / 3., 1 / 3., 1 / 3.}}};
    const float z[] = {0.5f, -1, 2}, zero[3] = {0};
    float loss, dz[3];
    tg_tensor *t = op_tensor((tg_dims){1, 1, 1, 3}, z),
              *slot = op_tensor((tg_dims){1, 1, 1, 1}, NULL);

    for (size_t i = 0; i < TG_COUNT(wanted); i++) {
        tg_tensor *d = op_tensor((tg_dims){1, 1, 1, 3}, zero);

        ck_assert_tg_ok(tg_adversarial_loss(wanted[i].kind, t, 1, (tg_scalar){slot, 0}, d));
        ck_assert_tg_ok(tg_tensor_download(slot, &loss, 1));
        ck_assert_tg_ok(tg_tensor_download(d, dz, 3));
        tg_compare_fd("loss", &loss, &wanted[i].loss, 1, 1e-6);
        tg_compare_fd("gradient", dz, wanted[i].gradient, 3, 1e-6);
        tg_tensor_free(d);
    }
    /* A discriminator that knows nothing. */
    const double log_two = 0.693147;
    tg_tensor *nothing = op_tensor((tg_dims){1, 1, 1, 3}, zero);
    ck_assert_tg_ok(tg_adversarial_loss(TG_ADV_REAL, nothing, 1, (tg_scalar){slot, 0}, NULL));
    ck_assert_tg_ok(tg_tensor_download(slot, &loss, 1));
    tg_compare_fd("zero logits", &loss, &log_two, 1, 1e-6);
    tg_tensor_free(nothing);
    tg_tensor_free(t);
    tg_tensor_free(slot);
}
END_TEST

START_TEST(large_logits_do_not_overflow)
{
    const float z[] = {200, -200, 1e4f, -1e4f};
    const double loss_wanted = 10200 / 4., slope_wanted[] = {0.25, 0, 0.25, 0};
    float loss, dz[4] = {0};
    tg_tensor *t = op_tensor((tg_dims){1, 1, 1, 4}, z), *d = op_tensor((tg_dims){1, 1, 1, 4}, dz);
    tg_tensor *slot = op_tensor((tg_dims){1, 1, 1, 1}, NULL);

    ck_assert_tg_ok(tg_adversarial_loss(TG_ADV_FAKE, t, 1, (tg_scalar){slot, 0}, d));
    ck_assert_tg_ok(tg_tensor_download(slot, &loss, 1));
    ck_assert_tg_ok(tg_tensor_download(d, dz, 4));
    tg_compare_fd("loss", &loss, &loss_wanted, 1, TOL_POINT);
    tg_compare_fd("gradient", dz, slope_wanted, 4, TOL_POINT);
    tg_tensor_free(t);
    tg_tensor_free(d);
    tg_tensor_free(slot);
}
END_TEST

START_TEST(equal_images_have_no_gradient)
{
    float *x = op_normal(100, 4), *zero = op_floats(100), dx[100];
    tg_tensor *a = op_tensor((tg_dims){1, 1, 10, 10}, x),
              *b = op_tensor((tg_dims){1, 1, 10, 10}, x);
    tg_tensor *da = op_tensor((tg_dims){1, 1, 10, 10}, zero);

    ck_assert_tg_ok(tg_l1_loss(a, b, 10, (tg_scalar){NULL, 0}, da, NULL));
    ck_assert_tg_ok(tg_tensor_download(da, dx, 100));
    tg_compare("sign(0)", dx, zero, 100, TOL_EXACT);
    tg_tensor_free(a);
    tg_tensor_free(b);
    tg_tensor_free(da);
    free(x), free(zero);
}
END_TEST

START_TEST(statistics_match_reference)
{
    static const char *const names[] = {"mean", "mean abs", "mean sigmoid"};
    const tg_dims d = images[_i];
    size_t n = tg_dims_count(d);

    if (op_skips(d))
        return;
    float *z = op_normal(n, 5), out[2] = {3, 3};
    double *zd = op_normal_d(n, 5);
    tg_tensor *t = op_tensor(d, z), *slot = op_tensor((tg_dims){1, 2, 1, 1}, out);
    for (int what = TG_MEAN; what <= TG_MEAN_SIGMOID; what++) {
        double want = ref_statistic_of((tg_statistic)what, zd, n);

        ck_assert_tg_ok(tg_statistic_of((tg_statistic)what, t, (tg_scalar){slot, 1}));
        ck_assert_tg_ok(tg_tensor_download(slot, out, 2));
        ck_assert(out[0] == 3);
        tg_compare_fd(names[what], &out[1], &want, 1, TOL_REDUCE);
    }
    tg_tensor_free(t);
    tg_tensor_free(slot);
    free(z), free(zd);
}
END_TEST

START_TEST(sample_norm_matches_reference)
{
    const tg_dims d = images[_i], one = {d.n, 1, 1, 1};
    size_t n = tg_dims_count(d);

    if (op_skips(d))
        return;
    float *g = op_normal(n, 6), *norm = op_floats(d.n), *u = op_floats(n);
    double *gd = op_normal_d(n, 6), *norm_d = op_doubles(d.n), *ud = op_doubles(n);
    tg_tensor *t = op_tensor(d, g);
    op_guarded gn, gu;
    ref_sample_norm(gd, d.n, n / d.n, norm_d, ud);
    op_guard_new(&gn, one);
    op_guard_new(&gu, d);
    OP_ROUNDS
    {
        op_guard_set(&gn, NULL);
        op_guard_set(&gu, NULL);
        ck_assert_tg_ok(tg_sample_norm(t, gn.t, gu.t));
        op_guard_get(&gn, norm, round);
        op_guard_get(&gu, u, round);
    }
    tg_compare_fd("norm", norm, norm_d, d.n, TOL_REDUCE);
    tg_compare_fd("u", u, ud, n, TOL_REDUCE);
    op_guard_free(&gn);
    op_guard_free(&gu);
    tg_tensor_free(t);
    free(g), free(norm), free(u), free(gd), free(norm_d), free(ud);
}
END_TEST

START_TEST(a_zero_sample_has_a_direction_of_zero)
{
    float zero[8] = {0}, u[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    tg_tensor *g = op_tensor((tg_dims){2, 1, 2, 2}, zero),
              *norm = op_tensor((tg_dims){2, 1, 1, 1}, NULL);
    tg_tensor *t = op_tensor((tg_dims){2, 1, 2, 2}, u);

    ck_assert_tg_ok(tg_sample_norm(g, norm, t));
    ck_assert_tg_ok(tg_tensor_download(t, u, 8));
    tg_compare("u", u, zero, 8, TOL_EXACT);
    tg_tensor_free(g);
    tg_tensor_free(norm);
    tg_tensor_free(t);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
    tg_tensor *a = op_tensor((tg_dims){2, 3, 4, 5}, NULL),
              *b = op_tensor((tg_dims){2, 3, 5, 4}, NULL);
    tg_tensor *l = op_tensor((tg_dims){2, 3, 1, 1}, NULL),
              *slot = op_tensor((tg_dims){1, 2, 1, 1}, NULL);
    const tg_scalar good = {slot, 1}, bad = {slot, 2}, none = {NULL, 0};

    ck_assert_tg_fails(tg_l1_loss(a, b, 1, good, NULL, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_mse_loss(a, a, 1, good, b, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_l1_loss(a, NULL, 1, good, NULL, b), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_l1_loss(a, NULL, 1, none, NULL, a), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_mse_loss(a, NULL, 1, bad, NULL, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_tv_loss(a, 1, none, b), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_adversarial_loss(TG_ADV_REAL, a, 1, bad, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_adversarial_loss((tg_adversarial)99, a, 1, good, NULL), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tg_label_loss(a, NULL, 1, good, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_label_loss(l, slot, 1, good, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_softmax_loss(l, slot, 1, good, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_penalty_loss(l, 1, good, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_sample_norm(a, slot, NULL), TG_ERR_SHAPE);
    ck_assert_tg_fails(tg_statistic_of(TG_MEAN, a, bad), TG_ERR_SHAPE);
    tg_tensor_free(a);
    tg_tensor_free(b);
    tg_tensor_free(l);
    tg_tensor_free(slot);
}
END_TEST

static void add_device_tests(TCase *tc, void (*open)(void))
{
    tcase_add_checked_fixture(tc, open, op_close);
    tcase_add_loop_test(tc, value_and_gradient_match_reference, 0, (int)TG_COUNT(terms));
    tcase_add_loop_test(tc, statistics_match_reference, 0, (int)TG_COUNT(images));
    tcase_add_loop_test(tc, sample_norm_matches_reference, 0, (int)TG_COUNT(images));
    tcase_add_test(tc, unit_values_of_the_paper);
    tcase_add_test(tc, large_logits_do_not_overflow);
}

int main(void)
{
    TCase *tc = tg_case("loss", 120), *wide = tg_case("loss, wide groups", 120),
          *ref = tg_case("reference", 30);

    add_device_tests(tc, op_open);
    tcase_add_test(tc, equal_images_have_no_gradient);
    tcase_add_test(tc, a_zero_sample_has_a_direction_of_zero);
    tcase_add_test(tc, refuses_what_does_not_fit);
    add_device_tests(wide, op_open_wide);
    tcase_add_loop_test(ref, reference_gradient_equals_differences, 0, (int)TG_COUNT(terms));
    return tg_run("loss");
}

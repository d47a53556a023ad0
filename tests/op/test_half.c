/* test_half.c -- values kept as half: every half there and back, rounding at every tie, what is too large, too small or no number. */
#include "config.h"
#include "op/op_test.h"
#include "ref/ref.h"

#include <math.h>
#include <string.h>

enum { N_HALVES = 65536 };

/* The bits that come of n values; free() releases them. */
static uint16_t *halves_of(const float *values, size_t n)
{
    const tg_dims d = {1, 1, 1, n};
    tg_tensor *x = op_tensor(d, values), *h;
    size_t places = tg_dims_count(tgi_half_dims(n));
    uint16_t *bits = calloc(places * 2, sizeof *bits);
    float *raw = op_floats(places);

    ck_assert_ptr_nonnull(bits);
    ck_assert_tg_ok(tg_tensor_new_zero(op_dev, tgi_half_dims(n), &h));
    ck_assert_tg_ok(tgi_half_from_float(x, NULL, h));
    ck_assert_tg_ok(tg_tensor_download(h, raw, places));
    memcpy(bits, raw, places * sizeof *raw);
    tg_tensor_free(x);
    tg_tensor_free(h);
    free(raw);
    return bits;
}

static void floats_of(const uint16_t *bits, size_t n, float *out)
{
    size_t places = tg_dims_count(tgi_half_dims(n));
    float *raw = op_floats(places);
    tg_tensor *h, *y = op_tensor((tg_dims){1, 1, 1, n}, NULL);

    memcpy(raw, bits, n * sizeof *bits);
    h = op_tensor(tgi_half_dims(n), raw);
    ck_assert_tg_ok(tgi_half_to_float(h, NULL, y));
    ck_assert_tg_ok(tg_tensor_download(y, out, n));
    tg_tensor_free(h);
    tg_tensor_free(y);
    free(raw);
}

static void check_bits(const float *values, size_t n)
{
    uint16_t *got = halves_of(values, n);

    for (size_t i = 0; i < n; i++) {
        unsigned want = ref_half_of((double)values[i]);

        if (isnan(values[i]))
            ck_assert_msg((got[i] & 0x7fff) > 0x7c00, "NaN became %04x", got[i]);
        else
            ck_assert_msg(got[i] == want, "%.9g became %04x, not %04x", (double)values[i], got[i],
                          want);
    }
    free(got);
}

/* How many of them a simulated device is given. */
static size_t some(size_t n)
{
    return op_skips((tg_dims){1, 1, 1, n}) ? 2048 : n;
}

START_TEST(every_half_comes_back)
{
    static uint16_t bits[N_HALVES];
    static float values[N_HALVES];
    size_t n = some(N_HALVES);

    for (size_t i = 0; i < n; i++)
        bits[i] = (uint16_t)(i * (N_HALVES / n));
    floats_of(bits, n, values);
    for (size_t i = 0; i < n; i++) {
        double want = ref_half_value(bits[i]);

        ck_assert_msg(isnan(want) ? isnan(values[i])
                                  : values[i] == want && !signbit(values[i]) == !signbit(want),
                      "%04x became %.9g, not %.9g", bits[i], (double)values[i], want);
    }
    check_bits(values, n);
}
END_TEST

/* Halfway between each half and the next, and the floats on both sides of that. */
START_TEST(rounds_to_the_nearest_and_ties_to_even)
{
    static float values[6 * 0x7bff];
    size_t n = some(TG_COUNT(values));

    for (size_t i = 0; i < n; i += 6) {
        unsigned h = (unsigned)(i / 6 * (TG_COUNT(values) / n));
        float middle = (float)((ref_half_value(h) + ref_half_value(h + 1)) / 2);
        const float three[] = {nextafterf(middle, 0), middle, nextafterf(middle, INFINITY)};

        for (size_t k = 0; k < 6 && i + k < n; k++)
            values[i + k] = k < 3 ? three[k] : -three[k - 3];
    }
    check_bits(values, n);
}
END_TEST

START_TEST(what_no_half_holds_has_its_place)
{
    const float values[] = {0.0f,     -0.0f,     65504.0f, 65519.9f, 65520.0f, -65520.0f, 1e9f,
                            INFINITY, -INFINITY, NAN,      -NAN,     1e-8f,    -2.98e-8f, 2.99e-8f,
                            1e-40f,   3.4e38f,   -3.4e38f, 5.96e-8f, 6.1e-5f};
    float back[TG_COUNT(values)];
    uint16_t *bits = halves_of(values, TG_COUNT(values));

    check_bits(values, TG_COUNT(values));
    floats_of(bits, TG_COUNT(values), back);
    for (size_t i = 0; i < TG_COUNT(values); i++)
        ck_assert_msg(isnan(back[i]) == isnan(values[i]) && !isinf(back[i]), "%g came back as %g",
                      (double)values[i], (double)back[i]);
    free(bits);
}
END_TEST

static const tg_dims shapes[] = {{1, 1, 1, 1}, {1, 3, 5, 7}, {2, 4, 17, 33}, {1, 16, 64, 64}};

START_TEST(writes_nothing_outside)
{
    const tg_dims d = shapes[_i];
    size_t n = tg_dims_count(d), places = tg_dims_count(tgi_half_dims(n));
    float *values, *raw, *got;
    double *want;
    tg_tensor *x;
    op_guarded h, y;

    if (op_skips(d))
        return;
    values = op_normal(n, 3), raw = op_floats(places), got = op_floats(n), want = op_doubles(n);
    x = op_tensor(d, values);
    op_guard_new(&h, tgi_half_dims(n));
    op_guard_new(&y, d);
    OP_ROUNDS
    {
        op_guard_set(&h, NULL);
        ck_assert_tg_ok(tgi_half_from_float(x, NULL, h.t));
        op_guard_get(&h, raw, round);
        op_guard_set(&y, NULL);
        ck_assert_tg_ok(tgi_half_to_float(h.t, NULL, y.t));
        op_guard_get(&y, got, round);
    }
    for (size_t i = 0; i < n; i++)
        want[i] = ref_half_value(ref_half_of((double)values[i]));
    tg_compare_fd("y", got, want, n, TOL_EXACT);
    op_guard_free(&h);
    op_guard_free(&y);
    tg_tensor_free(x);
    free(values), free(raw), free(got), free(want);
}
END_TEST

/* Planes far from zero: what is kept is on the right side of the centre, and its error is small beside the distance from it. */
START_TEST(a_centre_keeps_small_differences)
{
    const tg_dims d = shapes[_i], planes = {d.n, d.c, 1, 1};
    size_t n = tg_dims_count(d), plane = d.h * d.w;
    float *values, *centres, *got;
    double *want;
    tg_tensor *x, *centre, *y;
    op_guarded h;

    if (op_skips(d))
        return;
    values = op_normal(n, 3), centres = op_normal(d.n * d.c, 4), got = op_floats(n);
    want = op_doubles(n);
    for (size_t i = 0; i < n; i++)
        values[i] += 100 * centres[i / plane];
    for (size_t i = 0; i < d.n * d.c; i++)
        centres[i] *= 100;
    for (size_t i = 0; i < n; i++) {
        float c = centres[i / plane];

        want[i] = (float)(ref_half_value(ref_half_of((double)(values[i] - c))) + (double)c);
    }
    x = op_tensor(d, values), centre = op_tensor(planes, centres), y = op_tensor(d, NULL);
    op_guard_new(&h, tgi_half_dims(n));
    op_guard_set(&h, NULL);
    ck_assert_tg_ok(tgi_half_from_float(x, centre, h.t));
    ck_assert_tg_ok(tgi_half_to_float(h.t, centre, y));
    ck_assert_tg_ok(tg_tensor_download(y, got, n));
    tg_compare_fd("y", got, want, n, TOL_EXACT);
    op_guard_free(&h);
    tg_tensor_free(x), tg_tensor_free(centre), tg_tensor_free(y);
    free(values), free(centres), free(got), free(want);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
    tg_tensor *x = op_tensor((tg_dims){1, 1, 1, 8}, NULL),
              *h = op_tensor((tg_dims){1, 1, 1, 5}, NULL),
              *three = op_tensor((tg_dims){1, 3, 1, 1}, NULL);

    ck_assert_tg_fails(tgi_half_from_float(x, NULL, h), TG_ERR_SHAPE);
    ck_assert_tg_fails(tgi_half_to_float(h, NULL, x), TG_ERR_SHAPE);
    tg_tensor_free(h);
    h = op_tensor(tgi_half_dims(8), NULL);
    ck_assert_tg_fails(tgi_half_from_float(x, three, h), TG_ERR_SHAPE);
    tg_tensor_free(three);
    tg_tensor_free(x);
    tg_tensor_free(h);
}
END_TEST

static void add_device_tests(TCase *tc, void (*open)(void))
{
    tcase_add_checked_fixture(tc, open, op_close);
    tcase_add_test(tc, every_half_comes_back);
    tcase_add_test(tc, rounds_to_the_nearest_and_ties_to_even);
    tcase_add_test(tc, what_no_half_holds_has_its_place);
    tcase_add_loop_test(tc, writes_nothing_outside, 0, (int)TG_COUNT(shapes));
    tcase_add_loop_test(tc, a_centre_keeps_small_differences, 0, (int)TG_COUNT(shapes));
}

int main(void)
{
    TCase *tc = tg_case("half", 120), *wide = tg_case("half, narrow vectors", 120);

    add_device_tests(tc, op_open);
    tcase_add_test(tc, refuses_what_does_not_fit);
    add_device_tests(wide, op_open_wide);
    return tg_run("half");
}

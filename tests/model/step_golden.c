/* step_golden.c -- reads PyTorch's first training steps and compares with them. */
#include "config.h"
#include "model/step_golden.h"
#include "checkpoint/safetensors.h"
#include "tg_test.h"

#include <taggan/image.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_DIGEST = 3 };

static tgi_safetensors *init, *golden, *switches;

static void open_one(const char *name, const char *suffix, tgi_safetensors **out)
{
    char path[120];

    snprintf(path, sizeof path, "tests/parity/step/%s%s.safetensors", name, suffix);
    ck_assert_tg_ok(tgi_safetensors_open(tg_source_path(path), out));
}

void step_golden_open(const char *suffix)
{
    open_one("init", suffix, &init);
    open_one("step", suffix, &golden);
    open_one("switches", "", &switches);
}

void step_golden_close(void)
{
    tgi_safetensors_free(init);
    tgi_safetensors_free(golden);
    tgi_safetensors_free(switches);
    init = golden = switches = NULL;
}

static const tgi_stored *find(const tgi_safetensors *file, const char *name)
{
    const tgi_stored *stored = tgi_safetensors_find(file, name);

    ck_assert_msg(stored != NULL, "the golden file has no '%s'", name);
    return stored;
}

static float *values_of(const tgi_safetensors *file, const char *name)
{
    const size_t n = find(file, name)->n_items;
    float *values = malloc(n * sizeof *values);

    ck_assert_ptr_nonnull(values);
    ck_assert_tg_ok(tgi_safetensors_floats(file, name, values, n));
    return values;
}

static double one_of(const tgi_safetensors *file, const char *name)
{
    float value;

    find(file, name);
    ck_assert_tg_ok(tgi_safetensors_floats(file, name, &value, 1));
    return value;
}

size_t step_golden_count(void)
{
    return tgi_safetensors_count(init);
}

const char *step_golden_name(size_t i)
{
    return tgi_safetensors_at(init, i)->name;
}

size_t step_golden_size(const char *name)
{
    return find(init, name)->n_items;
}

float *step_golden_init(const char *name)
{
    return values_of(init, name);
}

float *step_golden_array(const char *name)
{
    return values_of(golden, name);
}

float *step_golden_image(const char *name, size_t *side)
{
    char path[100];
    tg_image image = {0};
    float *values;

    snprintf(path, sizeof path, "tests/parity/step/%s.png", name);
    ck_assert_tg_ok(tg_image_load(tg_source_path(path), &image));
    ck_assert_uint_eq(image.width_px, image.height_px);
    *side = image.width_px;
    values = malloc(*side * *side * sizeof *values);
    ck_assert_ptr_nonnull(values);
    memcpy(values, image.pixels, *side * *side * sizeof *values);
    tg_image_release(&image);
    return values;
}

static bool ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* The generators' last convolution: the one with the highest number. */
static int last_layer(char net)
{
    int last = -1;

    for (size_t i = 0; i < step_golden_count(); i++) {
        const char *name = step_golden_name(i);
        int number;

        if (name[0] == net && name[1] == '.' && sscanf(name + 1, ".model.%d.", &number) == 1 &&
            number > last)
            last = number;
    }
    return last;
}

bool step_golden_is_compared(const char *name)
{
    char last[40];

    if (!ends_with(name, ".bias"))
        return true;
    if (!strstr(name, ".model."))
        return !ends_with(
            name,
            ".score.bias"); /* DD.cls.bias and the nets of preset quick, which have no norms */
    if (name[0] == 'D')
        return ends_with(name, ".model.0.bias") || ends_with(name, ".model.11.bias");
    snprintf(last, sizeof last, "%c.model.%d.bias", name[0], last_layer(name[0]));
    return strcmp(name, last) == 0;
}

/* Weights of the generators' first convolution see the image in channel 0 and label planes in the others. */
static bool is_inert(const tgi_stored *stored, size_t i)
{
    const size_t kernel = stored->n_dims == 4 ? stored->dims[2] * stored->dims[3] : 1;

    if (stored->name[0] == 'D' || !ends_with(stored->name, ".model.1.weight"))
        return false;
    return i / kernel % stored->dims[1] != 0;
}

/* |got - want| / |want| over what is compared. With `from` both are differences to it. */
static double relative_rms(const tgi_stored *stored, const float *got, const float *want,
                           const float *from)
{
    double differ = 0, size = 0;

    for (size_t i = 0; i < stored->n_items; i++) {
        const double start = from ? from[i] : 0;

        if (is_inert(stored, i))
            continue;
        differ += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        size += (want[i] - start) * (want[i] - start);
    }
    if (size > 0)
        return sqrt(differ / size);
    return differ > 0 ? INFINITY : 0;
}

void step_golden_check_update(const char *name, const float *after, int step)
{
    const double bound = step == 1 ? STEP_BOUND_ONE : STEP_BOUND_THREE;
    char key[120];
    float *want, *from;
    double agree, rms;

    snprintf(key, sizeof key, "agree%d.%s", step, name);
    agree = one_of(golden, key);
    if (!step_golden_is_compared(name) || agree > bound)
        return;
    snprintf(key, sizeof key, "after%d.%s", step, name);
    want = values_of(golden, key);
    from = values_of(init, name);
    rms = relative_rms(find(init, name), after, want, from);
    ck_assert_msg(rms <= bound, "%s: the update after %d steps is off by %.3g, more than %g", name,
                  step, rms, bound);
    free(want);
    free(from);
}

void step_golden_check_gradient(const char *name, const float *gradient)
{
    char key[120];
    float *want;
    double rms;

    if (!step_golden_is_compared(name))
        return;
    snprintf(key, sizeof key, "grad1.%s", name);
    want = values_of(golden, key);
    rms = relative_rms(find(init, name), gradient, want, NULL);
    ck_assert_msg(rms <= STEP_BOUND_GRADIENT, "%s: the gradient is off by %.3g", name, rms);
    free(want);
}

static void check_loss(const char *what, double got, double want)
{
    ck_assert_msg(fabs(got - want) <= STEP_BOUND_LOSS * fabs(want), "%s is %.8g, not %.8g", what,
                  got, want);
}

void step_golden_check_loss(const char *name, double value, int step)
{
    char key[60];

    snprintf(key, sizeof key, "loss%d.%s", step, name);
    check_loss(key, value, one_of(golden, key));
}

/* A switch's arrays of gradients are those without a '|' in the name. */
static const char *nth_switch(size_t wanted, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < tgi_safetensors_count(switches); i++) {
        const char *name = tgi_safetensors_at(switches, i)->name;

        if (!strchr(name, '|') && (*n)++ == wanted)
            return name;
    }
    return NULL;
}

size_t step_golden_n_switches(void)
{
    size_t n;

    nth_switch((size_t)-1, &n);
    return n;
}

const char *step_golden_switch(size_t i)
{
    size_t n;

    return nth_switch(i, &n);
}

/* The norm, and products with two fixed vectors of about unit entries (make_step.py, digest). */
static void digest_of(const float *g, size_t n, double digest[N_DIGEST])
{
    digest[0] = digest[1] = digest[2] = 0;
    for (size_t i = 0; i < n; i++) {
        digest[0] += (double)g[i] * g[i];
        digest[1] += g[i] * cos((double)i) * sqrt(2);
        digest[2] += g[i] * cos(2.5 * (double)i + 1) * sqrt(2);
    }
    digest[0] = sqrt(digest[0]);
}

void step_golden_check_switch_gradient(const char *which, const char *name, const float *gradient)
{
    float *want = values_of(switches, which);
    double got[N_DIGEST];
    size_t row = 0;

    while (row < step_golden_count() && strcmp(step_golden_name(row), name) != 0)
        row++;
    ck_assert_uint_lt(row, step_golden_count());
    want += row * N_DIGEST;
    digest_of(gradient, step_golden_size(name), got);
    for (int k = 0; k < N_DIGEST && step_golden_is_compared(name); k++)
        ck_assert_msg(fabs(got[k] - want[k]) <= 2 * STEP_BOUND_GRADIENT * want[0],
                      "%s: %s's gradient has %.6g for %.6g in place %d of its digest, norm %.6g",
                      which, name, got[k], want[k], k, want[0]);
    free(want - row * N_DIGEST);
}

void step_golden_check_switch_loss(const char *which, const char *name, double value)
{
    char key[120];

    snprintf(key, sizeof key, "%s|%s", which, name);
    check_loss(key, value, one_of(switches, key));
}

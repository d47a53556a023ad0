/* test_trainer.c -- the loop: that it ends as it should, that going on equals not having stopped, what it does when numbers go
 * wrong, and what it needs of a data set. */
#include "config.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "checkpoint/safetensors.h"
#include "dataset/scratch.h"
#include "op/op_test.h"
#include "trainer/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LATE_STEPS = 10 };

/* What an observer saw, and what it does. */
typedef struct witness {
    size_t n_steps, n_logs, n_validations, n_notes;
    uint64_t last_step, last_total;
    char note[512], folder[1024];
    double last_lr;
    double n_skipped, last_skipped; /* updates left out, in all and in the last step */
    double cycle;                   /* sum over the last LATE_STEPS steps */
    /* orders */
    uint64_t poison_at; /* NaN into G before the step behind this one, the first n_poisons times */
    size_t n_poisons;
    uint64_t stop_at; /* raise the flag before that step */
    volatile int stop;
    tg_status refuse; /* on_validation answers with it */
} witness;

static tg_status on_log(void *user, uint64_t step, const tgi_board *mean, double lr,
                        double images_per_second)
{
    witness *w = user;

    ck_assert_uint_gt(step, 0);
    ck_assert(isfinite(mean->g_cycle_diseased) && images_per_second >= 0);
    w->n_logs++;
    w->last_lr = lr;
    return TG_OK;
}

static void on_step(void *user, uint64_t step, uint64_t total, double done, const tgi_board *board,
                    double images_per_second)
{
    witness *w = user;

    TG_UNUSED(images_per_second);
    ck_assert(done >= 0 && done <= 1 && isfinite(board->norm_g));
    w->n_steps++;
    w->last_step = step;
    w->last_total = total;
    w->n_skipped += (double)board->skipped;
    w->last_skipped = (double)board->skipped;
    if (step + LATE_STEPS > total) {
        w->cycle += (double)board->g_cycle_diseased + (double)board->g_cycle_healthy;
    }
}

static tg_status on_validation(void *user, const tgi_validation *v)
{
    witness *w = user;

    w->n_validations++;
    ck_assert_uint_gt(v->step, 0);
    return w->refuse == TG_OK ? TG_OK : tg_fail(w->refuse, "the observer has seen enough");
}

static void on_note(void *user, const char *line)
{
    witness *w = user;

    w->n_notes++;
    snprintf(w->note, sizeof w->note, "%s", line);
}

static tg_status on_model(void *user, tgi_model *model)
{
    witness *w = user;
    tg_status status = TG_OK;

    if (w->stop_at && model->n_steps + 1 == w->stop_at)
        w->stop = 15;
    if (w->n_poisons && model->n_steps == w->poison_at) {
        w->n_poisons--;
        TG_TRY(tgi_tensor_fill(model->g.net->values, NAN));
        tgi_net_touch(model->g.net);
    }
cleanup:
    return status;
}

static tgi_train_opts opts_of(witness *w, const char *folder)
{
    snprintf(w->folder, sizeof w->folder, "%s", scratch_path(folder));
    return (tgi_train_opts){.output = w->folder,
                            .is_deterministic = true,
                            .observer = {.user = w,
                                         .on_log = on_log,
                                         .on_step = on_step,
                                         .on_validation = on_validation,
                                         .on_model = on_model,
                                         .on_note = on_note},
                            .stop = &w->stop};
}

static tgi_settings settings_of(const char *list)
{
    tgi_settings s = tgi_settings_preset(TGI_PRESET_QUICK);
    const char *const small[] = {"size=16",        "width=2", "dwidth=2",   "batch=2",
                                 "critic_steps=1", "steps=6", "log_every=2"};

    for (size_t i = 0; i < TG_COUNT(small); i++)
        ck_assert_tg_ok(tgi_settings_set_pair(&s, small[i]));
    while (*list) {
        size_t n = strcspn(list, " ");
        char pair[64] = "";

        memcpy(pair, list, n);
        ck_assert_tg_ok(tgi_settings_set_pair(&s, pair));
        list += n + (list[n] == ' ');
    }
    return s;
}

static tg_dataset *phantoms(const char *spec)
{
    tg_dataset_opts opts = tg_dataset_opts_default();
    tg_dataset *set;

    opts.size_px = 16;
    ck_assert_tg_ok(tg_dataset_open(spec, &opts, &set));
    return set;
}

static tg_dataset *folder_set(void)
{
    const tg_dataset_opts opts = tg_dataset_opts_default();

    return scratch_dataset("set", &opts);
}

static tg_status train(const tgi_settings *s, const tg_dataset *set, const tgi_train_opts *opts,
                       tgi_train_result *result)
{
    free(result->reason);
    return tgi_train(op_dev, set, s, opts, result);
}

/* Every array of both files, and the metadata but for the seconds. */
static void check_same_file(const char *folder_a, const char *folder_b, const char *name)
{
    char *a = NULL, *b = NULL;
    tgi_safetensors *left, *right;
    const char *x, *y;

    ck_assert_tg_ok(tgi_path_join(folder_a, name, &a));
    ck_assert_tg_ok(tgi_path_join(folder_b, name, &b));
    ck_assert_tg_ok(tgi_safetensors_open(a, &left));
    ck_assert_tg_ok(tgi_safetensors_open(b, &right));
    ck_assert_uint_eq(tgi_safetensors_count(left), tgi_safetensors_count(right));
    for (size_t i = 0; i < tgi_safetensors_count(left); i++) {
        const tgi_stored *p = tgi_safetensors_at(left, i), *q = tgi_safetensors_at(right, i);

        ck_assert_str_eq(p->name, q->name);
        ck_assert_uint_eq(p->size_bytes, q->size_bytes);
        ck_assert_msg(!memcmp(p->data, q->data, p->size_bytes), "%s: %s differs", name, p->name);
    }
    x = tgi_safetensors_metadata(left, "counters"), y = tgi_safetensors_metadata(right, "counters");
    ck_assert(!x == !y && (!x || !strcmp(x, y)));
    x = tgi_safetensors_metadata(left, "threshold"),
    y = tgi_safetensors_metadata(right, "threshold");
    ck_assert(!x == !y && (!x || !strcmp(x, y)));
    x = tgi_safetensors_metadata(left, "trainer"), y = tgi_safetensors_metadata(right, "trainer");
    ck_assert(!x == !y);
    if (x) {
        ck_assert_str_eq(strchr(x, ','),
                         strchr(y, ',')); /* behind the first member, which is the seconds */
        ck_assert(strstr(x, "{\"seconds\"") == x);
    }
    tgi_safetensors_free(left);
    tgi_safetensors_free(right);
    free(a);
    free(b);
}

/* ---- going on ---- */

static const char *const resumed[] = {
    "critic_steps=2 pool=3 ema=0.9 augment=light validate=steps val_every=2 checkpoint_every=3",
    "adv=lsgan netd=patchgan size=32 pool=2 ema=0 augment=strong labels=sample ylabel=random "
    "order=gd select=loss threads=2",
    "dd_fake=both cls=softmax optimizer=rmsprop validate=none",
};

/* Six steps; and three, an end by the signal's flag, and three more, in another process's place: the same bits everywhere. */
START_TEST(going_on_equals_never_having_stopped)
{
    const tgi_settings s = settings_of(resumed[_i]);
    tg_dataset *set = phantoms("phantom:n=7,val=4,test=1,seed=3");
    tgi_train_result result = {0};
    witness whole = {0}, first = {.stop_at = 3}, second = {0};
    tgi_train_opts opts = opts_of(&whole, "whole");

    ck_assert_tg_ok(train(&s, set, &opts, &result));
    ck_assert_uint_eq(result.steps, 6);
    ck_assert_str_eq(result.reason, "all steps done");
    opts = opts_of(&first, "parts");
    ck_assert_tg_fails(train(&s, set, &opts, &result), TG_ERR_STOPPED);
    ck_assert_uint_eq(result.steps, 3);
    ck_assert_msg(strstr(tg_error_message(), "--resume") != NULL, "%s", tg_error_message());
    opts = opts_of(&second, "parts");
    opts.is_resumed = true;
    ck_assert_tg_ok(train(&s, set, &opts, &result));
    ck_assert_uint_eq(result.steps, 6);
    ck_assert_uint_eq(second.n_steps, 3);
    ck_assert_uint_eq(whole.n_validations, first.n_validations + second.n_validations);
    check_same_file(scratch_path("whole"), scratch_path("parts"), "checkpoint.safetensors");
    check_same_file(scratch_path("whole"), scratch_path("parts"), "model.safetensors");
    free(result.reason);
    tg_dataset_free(set);
}
END_TEST

/* A run that is done goes on when it is given more steps, and does nothing when not. */
START_TEST(a_finished_run_can_be_lengthened)
{
    tgi_settings s = settings_of("steps=2 schedule=constant validate=none");
    tg_dataset *set = phantoms("phantom:n=4,val=2,test=1");
    tgi_train_result result = {0};
    witness w = {0};
    tgi_train_opts opts = opts_of(&w, "run");

    ck_assert_tg_ok(train(&s, set, &opts, &result));
    opts = opts_of(&w, "run");
    opts.is_resumed = true;
    ck_assert_tg_ok(train(&s, set, &opts, &result));
    ck_assert_uint_eq(w.n_steps, 2);
    s.steps = 5;
    opts = opts_of(&w, "run");
    opts.is_resumed = true;
    ck_assert_tg_ok(train(&s, set, &opts, &result));
    ck_assert_uint_eq(w.n_steps, 5);
    ck_assert_uint_eq(result.steps, 5);
    free(result.reason);
    tg_dataset_free(set);
}
END_TEST

START_TEST(a_resume_needs_its_checkpoint)
{
    const tgi_settings s = settings_of("steps=2");
    tg_dataset *set = phantoms("phantom:n=4,val=2,test=1");
    tgi_train_result result = {0};
    witness w = {0};
    tgi_train_opts opts = opts_of(&w, "empty");

    opts.is_resumed = true;
    ck_assert_tg_fails(train(&s, set, &opts, &result), TG_ERR_IO);
    ck_assert_uint_eq(w.n_steps, 0);
    free(result.reason);
    tg_dataset_free(set);
}
END_TEST

/* ---- ends ---- */

START_TEST(ends_when_time_is_up)
{
    tgi_settings s = settings_of("steps=0 validate=auto");
    tg_dataset *set = phantoms("phantom:n=4,val=2,test=1");
    tgi_train_result result = {0};
    witness w = {0};
    tgi_train_opts opts = opts_of(&w, "run");

    opts.is_deterministic = false;
    opts.time_s = 1.5;
    ck_assert_tg_ok(train(&s, set, &opts, &result));
    ck_assert_str_eq(result.reason, "time is up");
    ck_assert_uint_ge(result.steps, 1);
    ck_assert_uint_eq(w.last_total, 0);
    ck_assert_double_ge(result.seconds, 1.5);
    ck_assert_uint_ge(w.n_validations, 1);
    /* resumed with more time it goes on; with none left it ends at once */
    opts = opts_of(&w, "run");
    opts.is_resumed = true;
    opts.time_s = 1.5;
    w.n_steps = 0;
    ck_assert_tg_ok(train(&s, set, &opts, &result));
    ck_assert_uint_eq(w.n_steps, 0);
    free(result.reason);
    tg_dataset_free(set);
}
END_TEST

START_TEST(refuses_a_run_without_end)
{
    const tgi_settings s = settings_of("steps=0 epochs=0");
    tg_dataset *set = phantoms("phantom:n=4,val=2,test=1");
    tgi_train_result result = {0};
    witness w = {0};
    tgi_train_opts opts = opts_of(&w, "run");

    ck_assert_tg_fails(train(&s, set, &opts, &result), TG_ERR_ARGUMENT);
    ck_assert_msg(strstr(tg_error_message(), "--steps") != NULL, "%s", tg_error_message());
    tg_dataset_free(set);
}
END_TEST

/* select=ncc and lr=0: no validation is better than the first. */
START_TEST(stops_without_improvement)
{
    const tgi_settings s =
        settings_of("steps=40 lr=0 validate=steps val_every=1 patience=3 schedule=constant ema=0");
    tg_dataset *set = phantoms("phantom:n=4,val=3,test=1");
    tgi_train_result result = {0};
    witness w = {0};
    tgi_train_opts opts = opts_of(&w, "run");

    ck_assert_tg_ok(train(&s, set, &opts, &result));
    ck_assert_str_eq(result.reason, "no improvement for the set number of validations");
    ck_assert_uint_eq(result.steps, 4); /* the first, and three that are no better */
    ck_assert_uint_eq(w.n_validations, 4);
    free(result.reason);
    tg_dataset_free(set);
}
END_TEST

/* A score that these images cannot tell is no reason to stop. */
START_TEST(patience_needs_a_score)
{
    const tgi_settings s = settings_of("steps=5 validate=steps val_every=1 patience=2 select=ncc");
    tgi_train_result result = {0};
    witness w = {0};
    tgi_train_opts opts = opts_of(&w, "run");
    tg_dataset *set;

    for (size_t i = 0; i < 4; i++) {
        scratch_picture(i & 1 ? "set/train/sick/a.png" : "set/train/sick/b.png", 16, 0.5f);
        scratch_picture(i & 1 ? "set/train/healthy/c.png" : "set/train/healthy/d.png", 16, -0.5f);
    }
    scratch_picture("set/val/sick/e.png", 16, 0.5f);
    scratch_picture("set/val/healthy/f.png", 16, -0.5f);
    set = folder_set();
    ck_assert_tg_ok(train(&s, set, &opts, &result));
    ck_assert_uint_eq(result.steps, 5);
    ck_assert_uint_eq(result.best_step, 5); /* the last that could have been it */
    free(result.reason);
    tg_dataset_free(set);
}
END_TEST

START_TEST(an_observer_ends_the_run)
{
    const tgi_settings s = settings_of("validate=steps val_every=2");
    tg_dataset *set = phantoms("phantom:n=4,val=2,test=1");
    tgi_train_result result = {0};
    witness w = {.refuse = TG_ERR_IO};
    tgi_train_opts opts = opts_of(&w, "run");

    ck_assert_tg_fails(train(&s, set, &opts, &result), TG_ERR_IO);
    ck_assert_msg(strstr(tg_error_message(), "seen enough") != NULL, "%s", tg_error_message());
    ck_assert_uint_eq(w.n_validations, 1);
    tg_dataset_free(set);
}
END_TEST

/* ---- numbers that go wrong ---- */

static void check_finite_checkpoint(const char *folder)
{
    char *path = NULL;
    tgi_safetensors *file;

    ck_assert_tg_ok(tgi_path_join(folder, "checkpoint.safetensors", &path));
    ck_assert_tg_ok(tgi_safetensors_open(path, &file));
    for (size_t i = 0; i < tgi_safetensors_count(file); i++) {
        const tgi_stored *a = tgi_safetensors_at(file, i);
        float *v = op_floats(a->n_items);

        ck_assert_tg_ok(tgi_safetensors_floats(file, a->name, v, a->n_items));
        for (size_t k = 0; k < a->n_items; k++)
            ck_assert_msg(isfinite(v[k]), "%s is not finite", a->name);
        free(v);
    }
    tgi_safetensors_free(file);
    free(path);
}

/* Poisoned behind a validation, behind a checkpoint, right at the start, and in the very last step. */
START_TEST(goes_back_to_the_last_good_state)
{
    static const struct {
        const char *settings;
        uint64_t poison_at, back_to;
    } cases[] = {
        {"validate=steps val_every=2 schedule=constant", 2, 2},
        {"validate=none checkpoint_every=3 schedule=constant", 4, 3},
        {"validate=none schedule=constant", 0, 0},
        {"validate=none checkpoint_every=5 schedule=constant", 5, 5},
    };
    const tgi_settings s = settings_of(cases[_i].settings);
    tg_dataset *set = phantoms("phantom:n=4,val=2,test=1");
    tgi_train_result result = {0};
    witness w = {.poison_at = cases[_i].poison_at, .n_poisons = 1};
    tgi_train_opts opts = opts_of(&w, "run");
    char wanted[64];

    ck_assert_tg_ok(train(&s, set, &opts, &result));
    ck_assert_uint_eq(result.steps, 6);
    ck_assert_uint_eq(w.last_step, 6);
    ck_assert_uint_eq(w.n_notes, 1);
    snprintf(wanted, sizeof wanted, "back to step %llu with half the learning rate",
             (unsigned long long)cases[_i].back_to);
    ck_assert_msg(strstr(w.note, wanted) != NULL, "'%s' lacks '%s'", w.note, wanted);
    ck_assert_double_eq_tol(w.last_lr, s.lr / 2, 1e-12);
    check_finite_checkpoint(scratch_path("run"));
    free(result.reason);
    tg_dataset_free(set);
}
END_TEST

START_TEST(gives_up_when_it_goes_wrong_again_and_again)
{
    const tgi_settings s = settings_of("validate=steps val_every=2");
    tg_dataset *set = phantoms("phantom:n=4,val=2,test=1");
    tgi_train_result result = {0};
    witness w = {.poison_at = 3, .n_poisons = 100};
    tgi_train_opts opts = opts_of(&w, "run");
    char *model = NULL;

    ck_assert_tg_fails(train(&s, set, &opts, &result), TG_ERR_NUMERIC);
    ck_assert_msg(strstr(tg_error_message(), "diverged 4 times") &&
                      strstr(tg_error_message(), "--lr"),
                  "%s", tg_error_message());
    ck_assert_uint_eq(w.n_notes, 3);
    ck_assert_tg_ok(tgi_path_join(scratch_path("run"), "model.safetensors", &model));
    ck_assert(tgi_is_file(model)); /* the best so far is kept */
    free(model);
    free(result.reason);
    tg_dataset_free(set);
}
END_TEST

/* A run that diverges by itself: plain descent at a rate of one. */
START_TEST(a_rate_far_too_high_is_told)
{
    const tgi_settings s = settings_of(
        "steps=300 adv=lsgan optimizer=sgd lr=1 lam_cyc=1000 schedule=constant validate=none");
    tg_dataset *set = phantoms("phantom:n=4,val=2,test=1");
    tgi_train_result result = {0};
    witness w = {0};
    tgi_train_opts opts = opts_of(&w, "run");

    ck_assert_tg_fails(train(&s, set, &opts, &result), TG_ERR_NUMERIC);
    ck_assert_uint_eq(w.n_notes, 3);
    tg_dataset_free(set);
}
END_TEST

/* ---- half precision ---- */

/* A scale that is far too large: the first updates are left out, it is halved until they are not, and the run goes on. Stopped between
 * an overflow and the step where it counts, and taken up again: the same bits, the scale's state among them. */
START_TEST(an_overflow_heals_and_leaves_the_bits_of_a_run_alone)
{
    /* 2^63: sums of squares overflow */
    const tgi_settings s = settings_of("precision=half steps=60 validate=none schedule=constant "
                                       "loss_scale=9223372036854775808");
    tg_dataset *set = phantoms("phantom:n=4,val=2,test=1");
    tgi_train_result result = {0};
    witness whole = {0}, first = {.stop_at = 13}, second = {0};
    tgi_train_opts opts = opts_of(&whole, "whole");

    ck_assert_tg_ok(train(&s, set, &opts, &result));
    ck_assert_uint_eq(result.steps, 60);
    ck_assert_uint_ge(whole.n_notes, 2);
    ck_assert_msg(strstr(whole.note, "the loss scale is") != NULL, "%s", whole.note);
    ck_assert_msg(whole.n_skipped > 8 && whole.last_skipped <= 0, "%g skipped, %g at last: %s",
                  whole.n_skipped, whole.last_skipped, whole.note);
    opts = opts_of(&first, "parts");
    ck_assert_tg_fails(train(&s, set, &opts, &result), TG_ERR_STOPPED);
    ck_assert(first.last_skipped > 0);
    opts = opts_of(&second, "parts");
    opts.is_resumed = true;
    ck_assert_tg_ok(train(&s, set, &opts, &result));
    ck_assert_double_eq(first.n_skipped + second.n_skipped, whole.n_skipped);
    check_same_file(scratch_path("whole"), scratch_path("parts"), "checkpoint.safetensors");
    check_same_file(scratch_path("whole"), scratch_path("parts"), "model.safetensors");
    free(result.reason);
    tg_dataset_free(set);
}
END_TEST

/* With a scale of one there is nothing to halve: what overflows then is a run that diverges. */
START_TEST(an_overflow_without_a_scale_is_divergence)
{
    const tgi_settings s =
        settings_of("precision=half loss_scale=1 steps=300 adv=lsgan optimizer=sgd lr=1 "
                    "lam_cyc=1000 schedule=constant validate=none");
    tg_dataset *set = phantoms("phantom:n=4,val=2,test=1");
    tgi_train_result result = {0};
    witness w = {0};
    tgi_train_opts opts = opts_of(&w, "run");

    ck_assert_tg_fails(train(&s, set, &opts, &result), TG_ERR_NUMERIC);
    tg_dataset_free(set);
}
END_TEST

START_TEST(half_learns_as_float_does)
{
    const char *const precisions[] = {"precision=float", "precision=half"};
    tg_dataset_opts data = tg_dataset_opts_default();
    witness seen[2] = {{0}, {0}};
    tg_dataset *set;

    data.size_px = 32;
    ck_assert_tg_ok(tg_dataset_open("phantom:n=16,val=2,test=1", &data, &set));
    for (size_t i = 0; i < 2; i++) {
        tgi_settings s = settings_of("size=32 width=16 dwidth=8 batch=4 steps=30 validate=none "
                                     "schedule=constant");
        tgi_train_result result = {0};
        tgi_train_opts opts = opts_of(&seen[i], precisions[i]);

        ck_assert_tg_ok(tgi_settings_set_pair(&s, precisions[i]));
        ck_assert_tg_ok(train(&s, set, &opts, &result));
        ck_assert(seen[i].n_skipped <= 0);
        free(result.reason);
    }
    /* Thirty steps of Adam without momentum make much of little: 3 % measured. */
    ck_assert_msg(fabs(seen[1].cycle - seen[0].cycle) < 0.1 * seen[0].cycle,
                  "cycle loss %g, in float %g", seen[1].cycle, seen[0].cycle);
    tg_dataset_free(set);
}
END_TEST

/* ---- data ---- */

/* The contract of the first steps: one image of each kind, no other split, no validation. */
START_TEST(trains_on_one_pair_without_other_splits)
{
    static const char *const settings[] = {"steps=3 batch=1 validate=none", "steps=3 batch=1",
                                           "steps=3 batch=2 patience=1 select=loss"};
    const tgi_settings s = settings_of(settings[_i]);
    tgi_train_result result = {0};
    witness w = {0};
    tgi_train_opts opts = opts_of(&w, "run");
    tg_dataset *set;
    char *path = NULL;

    scratch_picture("set/sick.png", 16, 0.5f);
    scratch_picture("set/well.png", 16, -0.5f);
    scratch_text("set/labels.csv",
                 "file,labels,split,patient\nsick.png,a,train,p1\nwell.png,,train,p2\n");
    set = folder_set();
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, true), 1);
    ck_assert_uint_eq(scratch_count(set, TG_SPLIT_TRAIN, false), 1);
    ck_assert_tg_ok(train(&s, set, &opts, &result));
    ck_assert_uint_eq(result.steps, 3);
    ck_assert_uint_eq(result.best_step, 3);
    ck_assert_uint_eq(w.n_validations, 0);
    ck_assert_tg_ok(tgi_path_join(scratch_path("run"), "model.safetensors", &path));
    ck_assert(tgi_is_file(path));
    free(path);
    free(result.reason);
    tg_dataset_free(set);
}
END_TEST

START_TEST(refuses_a_set_of_one_kind)
{
    const tgi_settings s = settings_of("steps=3");
    tgi_train_result result = {0};
    witness w = {0};
    tgi_train_opts opts = opts_of(&w, "run");
    tg_dataset *set;

    scratch_picture("set/sick.png", 16, 0.5f);
    scratch_text("set/labels.csv", "file,labels,split,patient\nsick.png,a,train,p1\n");
    set = folder_set();
    ck_assert_tg_fails(train(&s, set, &opts, &result), TG_ERR_ARGUMENT);
    ck_assert_msg(strstr(tg_error_message(), "no healthy training images") != NULL, "%s",
                  tg_error_message());
    tg_dataset_free(set);
}
END_TEST

START_TEST(single_needs_images_of_one_disease)
{
    const tgi_settings s = settings_of("steps=3 labels=single");
    tgi_train_result result = {0};
    witness w = {0};
    tgi_train_opts opts = opts_of(&w, "run");
    tg_dataset *set;

    scratch_picture("set/sick.png", 16, 0.5f);
    scratch_picture("set/well.png", 16, -0.5f);
    scratch_text("set/labels.csv",
                 "file,labels,split,patient\nsick.png,a;b,train,p1\nwell.png,,train,p2\n");
    set = folder_set();
    ck_assert_tg_fails(train(&s, set, &opts, &result), TG_ERR_ARGUMENT);
    ck_assert_msg(strstr(tg_error_message(), "labels=single") != NULL, "%s", tg_error_message());
    tg_dataset_free(set);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("trainer", 300);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_checked_fixture(tc, scratch_open, scratch_close);
    tcase_add_loop_test(tc, going_on_equals_never_having_stopped, 0, (int)TG_COUNT(resumed));
    tcase_add_test(tc, a_finished_run_can_be_lengthened);
    tcase_add_test(tc, a_resume_needs_its_checkpoint);
    tcase_add_test(tc, ends_when_time_is_up);
    tcase_add_test(tc, refuses_a_run_without_end);
    tcase_add_test(tc, stops_without_improvement);
    tcase_add_test(tc, patience_needs_a_score);
    tcase_add_test(tc, an_observer_ends_the_run);
    tcase_add_loop_test(tc, goes_back_to_the_last_good_state, 0, 4);
    tcase_add_test(tc, gives_up_when_it_goes_wrong_again_and_again);
    tcase_add_test(tc, a_rate_far_too_high_is_told);
    tcase_add_test(tc, an_overflow_heals_and_leaves_the_bits_of_a_run_alone);
    tcase_add_test(tc, an_overflow_without_a_scale_is_divergence);
    tcase_add_test(tc, half_learns_as_float_does);
    tcase_add_loop_test(tc, trains_on_one_pair_without_other_splits, 0, 3);
    tcase_add_test(tc, refuses_a_set_of_one_kind);
    tcase_add_test(tc, single_needs_images_of_one_disease);
    return tg_run("trainer");
}

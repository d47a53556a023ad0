/* test_tune.c -- choices that were measured: their file, the shipped table, and the check that stands before their use. */
#include "config.h"
#include "base/file.h"
#include "base/text.h"
#include "device/cache.h"
#include "op/tune.h"
#include "op_test.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char last_warning[1024];
static int n_warnings;

static void keep_warning(tg_log_level level, const char *line, void *user)
{
    TG_UNUSED(user);
    if (level > TG_LOG_WARNING)
        return;
    n_warnings++;
    snprintf(last_warning, sizeof last_warning, "%s", line);
}

static tgi_conv make_conv(size_t stride, bool is_reflected)
{
    tgi_conv c = {.n = 2,
                  .c = 3,
                  .h = 9,
                  .w = 8,
                  .k = 4,
                  .r = 3,
                  .s = 4,
                  .stride = stride,
                  .pad = 1,
                  .is_reflected = is_reflected};

    c.p = (c.h + 2 - c.r) / stride + 1;
    c.q = (c.w + 2 - c.s) / stride + 1;
    return c;
}

static tgi_tune_layer make_layer(int i)
{
    return (tgi_tune_layer){make_conv(1 + (size_t)i / 6 % 2, i / 3 % 2), (tgi_conv_pass)(i % 3)};
}

START_TEST(layers_are_text_and_back)
{
    char text[TGI_TUNE_LAYER_TEXT];
    tgi_tune_layer layer = make_layer(_i), back;

    tgi_tune_layer_print(&layer, text);
    ck_assert(tgi_tune_layer_parse(text, &back));
    ck_assert(tgi_tune_same_layer(&layer, &back));
    layer.conv.pad++;
    ck_assert(!tgi_tune_same_layer(&layer, &back));
    ck_assert(!tgi_tune_layer_parse("1 2 3", &back));
    ck_assert(!tgi_tune_layer_parse("3 1 1 1 1 1 1 1 1 1 1 0 0", &back));
    ck_assert(!tgi_tune_layer_parse("0 1 0 1 1 1 1 1 1 1 1 0 0", &back));
}
END_TEST

/* ---- the check ---- */

START_TEST(the_plain_path_agrees_with_the_definition)
{
    const tgi_tune_layer layer = make_layer(_i);
    tgi_tune_bench bench = {0};

    ck_assert_tg_ok(tgi_tune_bench_init(op_dev, &layer, &bench));
    ck_assert_tg_ok(tgi_tune_bench_check(&bench, &tgi_conv_direct, 2000));
    ck_assert_tg_ok(tgi_tune_bench_check(&bench, &tgi_conv_packed, 16));
    tgi_tune_bench_release(&bench);
}
END_TEST

/* As the plain algorithm, but for the last value of the result. */
static tg_status spoil_last(tg_status status, tg_tensor *out)
{
    const float far_off = 99;
    size_t n = tg_tensor_count(out);
    float *values = op_floats(n);

    ck_assert_tg_ok(tg_tensor_download(out, values, n));
    values[n - 1] = far_off;
    ck_assert_tg_ok(tg_tensor_upload(out, values, n));
    free(values);
    return status;
}

static tg_status wrong_gather(const tgi_conv *conv, const tg_tensor *x, tg_tensor *w,
                              const tg_tensor *b, bool add, tg_tensor *y)
{
    return spoil_last(tgi_conv_direct.gather(conv, x, w, b, add, y), y);
}

static tg_status wrong_scatter(const tgi_conv *conv, const tg_tensor *y, tg_tensor *w,
                               const tg_tensor *b, bool add, tg_tensor *x)
{
    return spoil_last(tgi_conv_direct.scatter(conv, y, w, b, add, x), x);
}

static tg_status wrong_weights(const tgi_conv *conv, const tg_tensor *x, const tg_tensor *y,
                               tg_tensor *dw)
{
    return spoil_last(tgi_conv_direct.weights(conv, x, y, dw), dw);
}

static const tgi_conv_algorithm wrong = {
    .name = "wrong", .gather = wrong_gather, .scatter = wrong_scatter, .weights = wrong_weights};

START_TEST(a_stored_choice_that_went_wrong_is_not_used)
{
    const tgi_tune_layer layer = make_layer(_i);
    tgi_tune_entry entry = {.layer = layer, .winner = &wrong}, right = entry;

    ck_assert_tg_ok(tgi_tune_set_mode(op_dev, TGI_TUNE_AUTO));
    ck_assert_tg_ok(tgi_tune_put(&op_dev->tune->known, &entry));
    tg_log_set(keep_warning, NULL);
    ck_assert_ptr_null(tgi_tune_choice(op_dev, &layer.conv, layer.pass));
    ck_assert_ptr_null(tgi_tune_choice(op_dev, &layer.conv, layer.pass));
    ck_assert_int_eq(n_warnings, 1);
    ck_assert_msg(strstr(last_warning, "wrong, is not used"), "%s", last_warning);
    right.winner = &tgi_conv_direct;
    ck_assert_tg_ok(tgi_tune_put(&op_dev->tune->known, &right));
    ck_assert_ptr_eq(tgi_tune_choice(op_dev, &layer.conv, layer.pass), &tgi_conv_direct);
    ck_assert_tg_ok(tgi_tune_set_mode(op_dev, TGI_TUNE_OFF));
    ck_assert_ptr_null(tgi_tune_choice(op_dev, &layer.conv, layer.pass));
}
END_TEST

START_TEST(a_wish_wins_over_what_was_measured)
{
    const tgi_tune_layer layer = make_layer(0);
    const tgi_tune_entry entry = {.layer = layer, .winner = &tgi_conv_direct};

    ck_assert_tg_ok(tgi_tune_set_mode(op_dev, TGI_TUNE_AUTO));
    ck_assert_tg_ok(tgi_tune_put(&op_dev->tune->known, &entry));
    ck_assert_ptr_eq(tgi_conv_choose(op_dev, TG_CONV_AUTO, &layer.conv, layer.pass),
                     &tgi_conv_direct);
    ck_assert_ptr_eq(tgi_conv_choose(op_dev, TG_CONV_PACKED, &layer.conv, layer.pass),
                     &tgi_conv_packed);
}
END_TEST

START_TEST(dry_runs_only_remember)
{
    const tgi_tune_layer layer = make_layer(0);

    ck_assert_tg_ok(tgi_tune_begin_dry(op_dev));
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(tgi_conv_choose(op_dev, TG_CONV_AUTO, &layer.conv, layer.pass)->name,
                         "dry");
    tgi_tune_end_dry(op_dev);
    ck_assert_uint_eq(op_dev->tune->n_wanted, 1);
    ck_assert_str_ne(tgi_conv_choose(op_dev, TG_CONV_AUTO, &layer.conv, layer.pass)->name, "dry");
}
END_TEST

/* ---- the file ---- */

static void use_own_cache(const char *name)
{
    char folder[4096];

    snprintf(folder, sizeof folder, "%s-%d", tg_scratch_path(name), (int)getpid());
    setenv("TAGGAN_CACHE_DIR", folder, 1); /* Check forks each test */
}

static tgi_tune_entry make_entry(int i)
{
    tgi_tune_entry entry = {
        .layer = make_layer(i % 12), .winner = &tgi_conv_packed, .n_results = 2};

    entry.layer.conv.n = 1 + (size_t)i;
    entry.results[0] = (tgi_tune_result){&tgi_conv_packed, 0.125 * i, ""};
    entry.results[1] = (tgi_tune_result){&tgi_conv_direct, -1, "it crashed (signal 6)"};
    return entry;
}

static void put_in_file(const char *key, int first, int n, bool replace)
{
    tgi_tune_table table = {0};

    for (int i = first; i < first + n; i++) {
        const tgi_tune_entry entry = make_entry(i);
        ck_assert_tg_ok(tgi_tune_put(&table, &entry));
    }
    ck_assert_tg_ok(tgi_tune_write(key, &table, replace));
    free(table.entries);
}

START_TEST(files_are_read_back_and_merged)
{
    tgi_tune_table table = {0};

    use_own_cache("tune-merge");
    put_in_file("a key", 0, 5, false);
    put_in_file("a key", 3, 5, false);
    put_in_file("another key", 20, 1, false);
    ck_assert_tg_ok(tgi_tune_read("a key", &table));
    ck_assert_uint_eq(table.n, 8);
    for (int i = 0; i < 8; i++) {
        const tgi_tune_entry want = make_entry(i), *got = tgi_tune_find(&table, &want.layer);

        ck_assert_ptr_nonnull(got);
        ck_assert_ptr_eq(got->winner, &tgi_conv_packed);
        ck_assert_uint_eq(got->n_results, 2);
        ck_assert(got->results[0].ms == want.results[0].ms && got->results[1].ms < 0);
        ck_assert_str_eq(got->results[1].problem, want.results[1].problem);
        ck_assert(!got->is_verified);
    }
    free(table.entries);
}
END_TEST

START_TEST(what_is_known_stays_unless_it_is_measured_anew)
{
    tgi_tune_entry entry = make_entry(0);
    tgi_tune_table table = {0};

    use_own_cache("tune-replace");
    put_in_file("key", 0, 2, false);
    entry.winner = &tgi_conv_direct;
    for (int replace = 0; replace < 2; replace++) {
        table = (tgi_tune_table){0};
        ck_assert_tg_ok(tgi_tune_put(&table, &entry));
        ck_assert_tg_ok(tgi_tune_write("key", &table, replace));
        free(table.entries);
        table = (tgi_tune_table){0};
        ck_assert_tg_ok(tgi_tune_read("key", &table));
        ck_assert_uint_eq(table.n, 2);
        ck_assert_ptr_eq(tgi_tune_find(&table, &entry.layer)->winner,
                         replace ? &tgi_conv_direct : &tgi_conv_packed);
        free(table.entries);
    }
}
END_TEST

/* Every byte that is changed, and every length, is noticed, or the change has no meaning (white space). */
START_TEST(damaged_files_are_left_out_and_made_anew)
{
    char *path, *bytes;
    tgi_tune_table table = {0};
    size_t n;

    use_own_cache("tune-damage");
    put_in_file("key", 0, 2, false);
    ck_assert_tg_ok(tgi_cache_path("key", "tune.json", false, &path));
    ck_assert_tg_ok(tgi_file_read(path, 1 << 20, &bytes, &n));
    tg_log_set(keep_warning, NULL);
    for (size_t i = 0; i < n; i += 7) {
        char was = bytes[i];

        if (was == ' ' || was == '\n')
            continue;
        bytes[i] = was == '7' ? '1' : '7';
        ck_assert_tg_ok(tgi_file_write(path, bytes, n));
        bytes[i] = was;
        n_warnings = 0;
        ck_assert_tg_ok(tgi_tune_read("key", &table));
        ck_assert_msg(table.n == 0 && n_warnings == 1, "byte %zu ('%c'): %zu layers", i, was,
                      table.n);
    }
    for (size_t length = 0; length + 1 < n; length += 13) {
        ck_assert_tg_ok(tgi_file_write(path, bytes, length));
        ck_assert_tg_ok(tgi_tune_read("key", &table));
        ck_assert_uint_eq(table.n, 0);
    }
    put_in_file("key", 2, 1, false);
    ck_assert_tg_ok(tgi_tune_read("key", &table));
    ck_assert_uint_eq(table.n, 1);
    free(table.entries);
    free(bytes);
    free(path);
}
END_TEST

START_TEST(writers_at_the_same_time_lose_nothing)
{
    enum { WRITERS = 4, ROUNDS = 5 };
    tgi_tune_table table = {0};
    pid_t children[WRITERS];

    op_close(); /* no context lives on across a fork */
    use_own_cache("tune-writers");
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            for (int round = 0; round < ROUNDS; round++)
                put_in_file("key", (i * ROUNDS + round) * 2, 2, false);
            _exit(0);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        int code;

        ck_assert_int_eq(waitpid(children[i], &code, 0), children[i]);
        ck_assert_int_eq(code, 0);
    }
    ck_assert_tg_ok(tgi_tune_read("key", &table));
    ck_assert_uint_eq(table.n, WRITERS * ROUNDS * 2);
    free(table.entries);
}
END_TEST

/* ---- the shipped table ---- */

static void ship(const char *rules)
{
    char *text, path[4096];

    snprintf(path, sizeof path, "%s-%d.json", tg_scratch_path("tuning"), (int)getpid());
    ck_assert_tg_ok(tgi_printf(&text,
                               "{\"devices\": [{\"platform\": \"nobody's\", \"device\": \"\", "
                               "\"rules\": [{\"algorithm\": \"matmul\"}]}, {\"platform\": \"%s\", "
                               "\"device\": \"\", \"rules\": [%s]}]}",
                               op_dev->info.platform, rules));
    ck_assert_tg_ok(tgi_file_write(path, text, strlen(text)));
    setenv("TAGGAN_TUNING", path, 1);
    free(text);
}

START_TEST(the_shipped_table_is_asked_after_what_was_measured)
{
    const tgi_tune_layer layer = make_layer(0), other = make_layer(1), far = make_layer(6);
    const tgi_tune_entry entry = {.layer = other, .winner = &tgi_conv_packed};

    use_own_cache("tune-shipped");
    ship("{\"stride\": [2, 9], \"algorithm\": \"nosuch\"},"
         "{\"pass\": \"weights\", \"algorithm\": \"packed\"},"
         "{\"kernel\": [4, 4], \"stride\": [1, 1], \"channels\": [1, 3], \"outputs\": [4, 8],"
         " \"pixels\": [1, 100], \"algorithm\": \"direct\"}");
    ck_assert_tg_ok(tgi_tune_set_mode(op_dev, TGI_TUNE_AUTO));
    ck_assert_tg_ok(tgi_tune_put(&op_dev->tune->known, &entry));
    ck_assert_ptr_eq(tgi_tune_choice(op_dev, &layer.conv, layer.pass), &tgi_conv_direct);
    ck_assert_ptr_eq(tgi_tune_choice(op_dev, &other.conv, other.pass), &tgi_conv_packed);
    ck_assert_ptr_null(tgi_tune_choice(op_dev, &far.conv, far.pass));
    /* only the layer whose choice was measured is not to be measured */
    ck_assert_uint_eq(op_dev->tune->n_wanted, 2);
}
END_TEST

START_TEST(the_table_in_the_tree_can_be_read)
{
    static const char *const damaged[] = {"", "{", "[]", "{\"devices\": 3}", "{\"devices\": [7]}"};
    char path[4096];

    setenv("TAGGAN_TUNING", tg_source_path("data/tuning.json"), 1);
    tg_log_set(keep_warning, NULL);
    tgi_tune_shipped_free(tgi_tune_shipped_open(op_dev));
    ck_assert_msg(n_warnings == 0, "%s", last_warning);
    snprintf(path, sizeof path, "%s-%d.json", tg_scratch_path("damaged"), (int)getpid());
    setenv("TAGGAN_TUNING", path, 1);
    for (size_t i = 0; i < TG_COUNT(damaged); i++) {
        ck_assert_tg_ok(tgi_file_write(path, damaged[i], strlen(damaged[i])));
        ck_assert_ptr_null(tgi_tune_shipped_open(op_dev));
    }
    ck_assert_int_eq(n_warnings, 4); /* the last one is a table, of no device */
}
END_TEST

/* ---- measuring ---- */

/* A test is not one of TagGAN's programs: no child is started, and that is said. (tests/cli/tune.sh measures.) */
START_TEST(programs_of_others_do_not_measure)
{
    const tgi_tune_layer layer = make_layer(0);
    tgi_tune_opts opts = {.seconds = 5};
    tgi_tune_table table = {0};

    ck_assert_tg_fails(tgi_tune_run(op_dev, &layer, 1, &opts, &table), TG_ERR_UNSUPPORTED);
    ck_assert_uint_eq(table.n, 0);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("tune", 120);

    tcase_add_checked_fixture(tc, op_open, op_close);
    tcase_add_loop_test(tc, layers_are_text_and_back, 0, 3);
    tcase_add_loop_test(tc, the_plain_path_agrees_with_the_definition, 0, 12);
    tcase_add_loop_test(tc, a_stored_choice_that_went_wrong_is_not_used, 0, 3);
    tcase_add_test(tc, a_wish_wins_over_what_was_measured);
    tcase_add_test(tc, dry_runs_only_remember);
    tcase_add_test(tc, files_are_read_back_and_merged);
    tcase_add_test(tc, what_is_known_stays_unless_it_is_measured_anew);
    tcase_add_test(tc, damaged_files_are_left_out_and_made_anew);
    tcase_add_test(tc, writers_at_the_same_time_lose_nothing);
    tcase_add_test(tc, the_shipped_table_is_asked_after_what_was_measured);
    tcase_add_test(tc, the_table_in_the_tree_can_be_read);
    tcase_add_test(tc, programs_of_others_do_not_measure);
    return tg_run("tune");
}

/* test_options.c -- a command line becomes a struct: defaults, every type, ranges, wrong usage, the
 * JSON record. */
#include "config.h"
#include "tg_test.h"

#define TG_OPTIONS_FILE "cli/sample_options.def"
#include "cli/options_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const tgi_program program = {"taggan-sample", "Tests options.", "FILE", NULL,
                                    TGI_TABLE(option_table)};
static options values;
static tgi_operands operands;

/* Starts the program on words (NULL ends them); stderr and stdout go to a scratch file, to be read
 * with said(). */
static int start(const char *const *words)
{
    static char *argv[16]; /* operands point into it */
    int argc = 0, exit_status = -1, kept_out, kept_err;
    FILE *log = fopen(tg_scratch_path("test_options.log"), "w");

    argv[argc++] = "taggan-sample";
    for (; *words; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    argv[argc] = NULL;
    fflush(NULL);
    kept_out = dup(STDOUT_FILENO);
    kept_err = dup(STDERR_FILENO);
    dup2(fileno(log), STDOUT_FILENO);
    dup2(fileno(log), STDERR_FILENO);
    if (!tgi_program_start(&program, argc, argv, &values, &operands, &exit_status))
        exit_status = -1;
    fflush(NULL);
    dup2(kept_out, STDOUT_FILENO);
    dup2(kept_err, STDERR_FILENO);
    close(kept_out);
    close(kept_err);
    fclose(log);
    return exit_status;
}
#define START(...) start((const char *const[]){__VA_ARGS__, NULL})

static const char *said(void)
{
    static char text[8192];
    FILE *log = fopen(tg_scratch_path("test_options.log"), "r");
    size_t n = fread(text, 1, sizeof text - 1, log);

    text[n] = 0;
    fclose(log);
    return text;
}

START_TEST(defaults_are_those_of_the_table)
{
    unsetenv("TAGGAN_DEVICE");
    ck_assert_int_eq(START("in.png"), -1);
    ck_assert_str_eq(values.output, "out.json");
    ck_assert_uint_eq(values.set.n, 0);
    ck_assert_str_eq(values.model, "taggan");
    ck_assert_int_eq(values.shift, -2);
    ck_assert_uint_eq(values.batch_size, 0);
    ck_assert(values.lr == 2e-4 && values.time == 5400 && !values.resume && !values.quiet);
    ck_assert_ptr_null(values.device);
    ck_assert(!values.given.output && !values.given.batch_size);
    ck_assert_uint_eq(operands.n, 1);
    ck_assert_str_eq(operands.items[0], "in.png");
}
END_TEST

START_TEST(reads_every_type)
{
    ck_assert_int_eq(START("a", "-o", "x", "--set", "p=1", "b", "--set=q=2", "--model", "antgan",
                           "--shift", "-5", "--batch-size=7", "-l0.5", "--time=1h30m"),
                     -1);
    ck_assert_str_eq(values.output, "x");
    ck_assert_uint_eq(values.set.n, 2);
    ck_assert_str_eq(values.set.items[0], "p=1");
    ck_assert_str_eq(values.set.items[1], "q=2");
    ck_assert_str_eq(values.model, "antgan");
    ck_assert_int_eq(values.shift, -5);
    ck_assert_uint_eq(values.batch_size, 7);
    ck_assert(values.lr == 0.5 && values.time == 5400);
    ck_assert(values.given.output && values.given.set && values.given.batch_size &&
              !values.given.resume);
    ck_assert_uint_eq(operands.n, 2);
    ck_assert_str_eq(operands.items[1], "b");
    tgi_program_finish(&program, &values);
    ck_assert_ptr_null(values.set.items);
    ck_assert_int_eq(START("--resume", "-qv", "--", "--model"), -1);
    ck_assert(values.resume && values.quiet && values.verbose);
    ck_assert_str_eq(operands.items[0], "--model");
}
END_TEST

/* words, and what the message must hold */
static const char *const wrong[][4] = {
    {"--bogus", NULL, "unknown or ambiguous option '--bogus'"},
    {"-x", NULL, "unknown option '-x'"},
    {"--output", NULL, "option '--output' needs a value"},
    {"-o", NULL, "option '-o' needs a value"},
    {"--resume=3", NULL, "option '--resume' takes no value"},
    {"--model", "vgg", "--model vgg: must be one of taggan,cyclegan,antgan"},
    {"--model", "taggan,cyclegan", "must be one of"},
    {"--model", "", "must be one of"},
    {"--shift", "6", "--shift 6: must be -5 to 5"},
    {"--shift", "1.5", "not a whole number"},
    {"--batch-size", "0", "must be 1 to 4096"},
    {"--batch-size", "-1", "must be 1 to 4096"},
    {"--batch-size", "99999999999999999999", "not a whole number"},
    {"--lr", "nan", "not a number"},
    {"--lr", "0.1x", "not a number"},
    {"--time", "ten", "not a time"},
    {"--time", "0", "must be 1 to 864000 seconds"}};

START_TEST(names_wrong_usage_and_says_where_help_is)
{
    const char *const *words = wrong[_i];

    ck_assert_int_eq(words[1] ? START(words[0], words[1]) : START(words[0]), 2);
    ck_assert_msg(strstr(said(), words[2]), "said: %s", said());
    ck_assert_msg(strstr(said(), "taggan-sample: ") == said(), "said: %s", said());
    ck_assert(strstr(said(), "(see taggan-sample --help)"));
}
END_TEST

START_TEST(prints_help_that_fits)
{
    size_t column = 0;

    ck_assert_int_eq(START("--help"), 0);
    ck_assert(strstr(
        said(),
        "Usage: taggan-sample [OPTION...] FILE\n       taggan-sample make-it [OPTION...] FILE\n"));
    ck_assert(strstr(said(), "  -m, --model NAME            what is trained: taggan, cyclegan, "
                             "antgan (default taggan)\n"));
    ck_assert(strstr(
        said(),
        "--batch-size N          images in a batch; left out, it is what the preset says\n"));
    ck_assert(strstr(said(), "when to stop (default 90m)\n"));
    ck_assert(strstr(said(), "learning rate (default 0.0002)\n"));
    ck_assert(strstr(said(), "\nCommon:\n"));
    for (const char *p = said(); *p; p++) {
        column = *p == '\n' ? 0 : column + 1;
        ck_assert_uint_le(column, 100);
    }
    ck_assert_int_eq(START("--version"), 0);
    ck_assert_str_eq(said(), "taggan-sample " PACKAGE_VERSION "\n");
}
END_TEST

START_TEST(device_comes_from_the_environment_unless_given)
{
    setenv("TAGGAN_DEVICE", "pocl", 1);
    ck_assert_int_eq(START("x"), -1);
    ck_assert_str_eq(values.device, "pocl");
    ck_assert_int_eq(START("--device", "cpu"), -1);
    ck_assert_str_eq(values.device, "cpu");
    unsetenv("TAGGAN_DEVICE");
}
END_TEST

START_TEST(records_the_options_as_json)
{
    json_t *record;

    unsetenv("TAGGAN_DEVICE");
    ck_assert_int_eq(START("--shift", "3", "--set", "a=b", "--resume", "-o", "\xff"), -1);
    ck_assert_tg_ok(tgi_options_json(&program, &values, &record));
    ck_assert(json_is_null(json_object_get(record, "output"))); /* no UTF-8 */
    ck_assert_str_eq(json_string_value(json_object_get(record, "model")), "taggan");
    ck_assert_int_eq(json_integer_value(json_object_get(record, "shift")), 3);
    ck_assert(json_is_null(json_object_get(record, "batch-size")));
    ck_assert(json_real_value(json_object_get(record, "lr")) == 2e-4);
    ck_assert(json_is_true(json_object_get(record, "resume")));
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(record, "set"), 0)), "a=b");
    ck_assert_ptr_null(json_object_get(record, "help"));
    json_decref(record);
    tgi_program_finish(&program, &values);
}
END_TEST

START_TEST(command_is_one_that_a_shell_reads_the_same)
{
    char *words[] = {"./taggan-sample", "-o", "my run", "it's", "a=$b", "", "x/y.png", NULL}, *text;

    ck_assert_tg_ok(tgi_program_command(&program, 7, words, &text));
    ck_assert_str_eq(text, "taggan-sample -o 'my run' 'it'\\''s' 'a=$b' '' x/y.png");
    free(text);
}
END_TEST

START_TEST(reads_times)
{
    double seconds;

    ck_assert(tgi_parse_time("90", &seconds) && seconds == 90);
    ck_assert(tgi_parse_time("90s", &seconds) && seconds == 90);
    ck_assert(tgi_parse_time("1.5h", &seconds) && seconds == 5400);
    ck_assert(tgi_parse_time("1d2h3m4s", &seconds) && seconds == 93784);
    ck_assert(!tgi_parse_time("", &seconds) && !tgi_parse_time("m", &seconds) &&
              !tgi_parse_time("3w", &seconds));
    ck_assert(!tgi_parse_time("-3m", &seconds) && !tgi_parse_time("1..2m", &seconds));
}
END_TEST

START_TEST(log_follows_quiet_and_verbose)
{
    static const char *const flags[] = {"-q", "-v", "--"};
    int kept = dup(STDERR_FILENO);
    FILE *log;

    ck_assert_int_eq(START(flags[_i]), -1);
    log = fopen(tg_scratch_path("test_options.log"), "w");
    dup2(fileno(log), STDERR_FILENO);
    tg_log(TG_LOG_ERROR, "error");
    tg_log(TG_LOG_WARNING, "odd");
    tg_log(TG_LOG_INFO, "info");
    tg_log(TG_LOG_DEBUG, "debug");
    dup2(kept, STDERR_FILENO);
    close(kept);
    fclose(log);
    if (_i == 0)
        ck_assert_str_eq(said(), "taggan-sample: error\n");
    else
        ck_assert_str_eq(
            said(),
            _i == 1 ? "taggan-sample: error\ntaggan-sample: warning: odd\ntaggan-sample: info\n"
                      "taggan-sample: debug\n"
                    : "taggan-sample: error\ntaggan-sample: warning: odd\ntaggan-sample: info\n");
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("options", 30);

    tcase_add_test(tc, defaults_are_those_of_the_table);
    tcase_add_test(tc, reads_every_type);
    tcase_add_loop_test(tc, names_wrong_usage_and_says_where_help_is, 0, TG_COUNT(wrong));
    tcase_add_test(tc, prints_help_that_fits);
    tcase_add_test(tc, device_comes_from_the_environment_unless_given);
    tcase_add_test(tc, records_the_options_as_json);
    tcase_add_test(tc, command_is_one_that_a_shell_reads_the_same);
    tcase_add_test(tc, reads_times);
    tcase_add_loop_test(tc, log_follows_quiet_and_verbose, 0, 3);
    return tg_run("options");
}

/* options.c -- reads a command line into a program's struct, checks every value, and ends programs
 * properly. */
#include "config.h"
#include "cli/options.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { FIRST_LONG = 256 }; /* getopt_long returns FIRST_LONG + index of the option */

static void *member(void *values, const tgi_option *option)
{
    return (char *)values + option->offset;
}

static const void *const_member(const void *values, const tgi_option *option)
{
    return (const char *)values + option->offset;
}

static bool is_option(const tgi_option *option)
{
    return option->type != TGI_GROUP && option->type != TGI_COMMAND;
}

static const tgi_option *find_option(const tgi_program *program, const char *name)
{
    for (size_t i = 0; i < program->n_options; i++) {
        if (is_option(&program->table[i]) && !strcmp(program->table[i].name, name))
            return &program->table[i];
    }
    return NULL;
}

static bool is_flag_set(const tgi_program *program, const void *values, const char *name)
{
    const tgi_option *option = find_option(program, name);

    return option && *(const bool *)const_member(values, option);
}

void tgi_option_long_name(const tgi_option *option, char *out, size_t size)
{
    snprintf(out, size, "%s", option->name);
    for (char *p = out; *p; p++) {
        if (*p == '_')
            *p = '-';
    }
}

bool tgi_parse_time(const char *s, double *seconds)
{
    static const char units[] = "smhd";
    static const double unit_s[] = {1, 60, 3600, 86400};
    char number[32];
    double total = 0, value;

    if (!*s)
        return false;
    while (*s) {
        size_t n = strspn(s, "0123456789.");
        const char *unit = s[n] ? strchr(units, s[n]) : units;

        if (!n || n >= sizeof number || !unit)
            return false;
        memcpy(number, s, n);
        number[n] = 0;
        if (!tgi_parse_real(number, &value))
            return false;
        total += value * unit_s[unit - units];
        s += s[n] ? n + 1 : n;
    }
    *seconds = total;
    return true;
}

static void set_defaults(const tgi_program *program, void *values)
{
    for (size_t i = 0; i < program->n_options; i++) {
        const tgi_option *option = &program->table[i];

        if (!is_option(option))
            continue;
        *(bool *)((char *)values + option->given_offset) = false;
        switch (option->type) {
        case TGI_TEXT:
        case TGI_CHOICE:
            *(const char **)member(values, option) = option->text;
            break;
        case TGI_LIST:
            *(tgi_operands *)member(values, option) = (tgi_operands){NULL, 0};
            break;
        case TGI_INT:
            *(long long *)member(values, option) = (long long)option->number;
            break;
        case TGI_SIZE:
            *(size_t *)member(values, option) = (size_t)option->number;
            break;
        case TGI_REAL:
        case TGI_TIME:
            *(double *)member(values, option) = option->number;
            break;
        case TGI_FLAG:
            *(bool *)member(values, option) = option->number != 0;
            break;
        default:
            break;
        }
    }
}

static bool is_choice(const char *choices, const char *word)
{
    size_t n = strlen(word);

    while (n) {
        size_t m = strcspn(choices, ",");

        if (m == n && !memcmp(choices, word, n))
            return true;
        if (!choices[m])
            return false;
        choices += m + 1;
    }
    return false;
}

static tg_status add_to_list(tgi_operands *list, const char *word)
{
    size_t capacity = list->n; /* exact: grows at each use, as nobody gives hundreds of options */
    tg_status status = tgi_grow(&list->items, &capacity, list->n + 1, sizeof *list->items);

    if (status == TG_OK)
        status = tgi_strdup(word, &list->items[list->n]);
    if (status == TG_OK)
        list->n++;
    return status;
}

/* A number into the struct; false with the reason in the message. */
static bool set_number(const tgi_option *option, const char *word, void *values)
{
    double number = 0;
    long long whole = 0;
    bool is_number;

    if (option->type == TGI_INT || option->type == TGI_SIZE) {
        is_number = tgi_parse_int(word, &whole);
        number = (double)whole;
    } else
        is_number = option->type == TGI_TIME ? tgi_parse_time(word, &number)
                                             : tgi_parse_real(word, &number);
    if (!is_number) {
        (void)tg_fail(TG_ERR_ARGUMENT, "%s",
                      option->type == TGI_TIME   ? "not a time, such as 90s, 30m or 2h"
                      : option->type == TGI_REAL ? "not a number"
                                                 : "not a whole number");
        return false;
    }
    if (number < option->min || number > option->max) {
        (void)tg_fail(TG_ERR_ARGUMENT, "must be %.10g to %.10g%s", option->min, option->max,
                      option->type == TGI_TIME ? " seconds" : "");
        return false;
    }
    switch (option->type) {
    case TGI_INT:
        *(long long *)member(values, option) = whole;
        break;
    case TGI_SIZE:
        *(size_t *)member(values, option) = (size_t)whole;
        break;
    default:
        *(double *)member(values, option) = number;
        break;
    }
    return true;
}

static bool set_value(const tgi_option *option, char *word, void *values)
{
    switch (option->type) {
    case TGI_FLAG:
        *(bool *)member(values, option) = true;
        break;
    case TGI_TEXT:
        *(const char **)member(values, option) = word;
        break;
    case TGI_LIST:
        if (add_to_list(member(values, option), word) != TG_OK)
            return false;
        break;
    case TGI_CHOICE:
        if (!is_choice(option->choices, word)) {
            (void)tg_fail(TG_ERR_ARGUMENT, "must be one of %s", option->choices);
            return false;
        }
        *(const char **)member(values, option) = word;
        break;
    default:
        if (!set_number(option, word, values))
            return false;
    }
    *(bool *)((char *)values + option->given_offset) = true;
    return true;
}

/* getopt_long's two tables; free both. */
static tg_status make_getopt_tables(const tgi_program *program, struct option **longs,
                                    char **letters)
{
    tg_status status = TG_OK;
    tgi_text text = {0};
    struct option *table = NULL;
    size_t n = 0;

    TG_TRY(tgi_alloc(program->n_options + 1, sizeof *table, &table));
    TG_TRY(tgi_text_add(&text, ":"));
    for (size_t i = 0; i < program->n_options; i++) {
        const tgi_option *option = &program->table[i];
        char name[64], *kept;

        if (!is_option(option))
            continue;
        tgi_option_long_name(option, name, sizeof name);
        TG_TRY(tgi_strdup(name, &kept));
        table[n++] =
            (struct option){kept, option->type == TGI_FLAG ? no_argument : required_argument, NULL,
                            FIRST_LONG + (int)i};
        if (option->letter)
            TG_TRY(
                tgi_text_add(&text, "%c%s", option->letter, option->type == TGI_FLAG ? "" : ":"));
    }
    *longs = table;
    *letters = text.data;
    return TG_OK;
cleanup:
    for (size_t i = 0; table && i < n; i++)
        free((char *)table[i].name);
    free(table);
    tgi_text_release(&text);
    return status;
}

static void free_getopt_tables(struct option *longs, char *letters)
{
    for (struct option *each = longs; each && each->name; each++)
        free((char *)each->name);
    free(longs);
    free(letters);
}

static const tgi_option *option_of_code(const tgi_program *program, int code)
{
    if (code >= FIRST_LONG)
        return &program->table[code - FIRST_LONG];
    for (size_t i = 0; i < program->n_options; i++) {
        if (is_option(&program->table[i]) && program->table[i].letter &&
            program->table[i].letter == code)
            return &program->table[i];
    }
    return NULL;
}

/* 0, or 2 after it said what is wrong. */
static int read_options(const tgi_program *program, int argc, char **argv, void *values,
                        const struct option *longs, const char *letters)
{
    int code;

    optind = 1;
    opterr = 0;
    while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        const tgi_option *option;
        char name[64];

        if (code == '?' && optopt && optopt < FIRST_LONG)
            return tgi_program_misused(program, "unknown option '-%c'", optopt);
        if (code == '?' && optopt) /* --flag=VALUE */
            return tgi_program_misused(program, "option '%.*s' takes no value",
                                       (int)strcspn(argv[optind - 1], "="), argv[optind - 1]);
        if (code == '?')
            return tgi_program_misused(program, "unknown or ambiguous option '%s'",
                                       argv[optind - 1]);
        if (code == ':')
            return tgi_program_misused(program, "option '%s' needs a value", argv[optind - 1]);
        option = option_of_code(program, code);
        tgi_option_long_name(option, name, sizeof name);
        if (!set_value(option, optarg, values))
            return tgi_program_misused(program, "--%s %s: %s", name, optarg, tg_error_message());
    }
    return 0;
}

/* The library's lines go to stderr behind the program's name; `user` is the program. */
static void log_line(tg_log_level level, const char *line, void *user)
{
    const tgi_program *program = user;

    fprintf(stderr, "%s: %s%s\n", program->name, level == TG_LOG_WARNING ? "warning: " : "", line);
}

static void log_line_quiet(tg_log_level level, const char *line, void *user)
{
    if (level == TG_LOG_ERROR)
        log_line(level, line, user);
}

static void log_line_usual(tg_log_level level, const char *line, void *user)
{
    if (level <= TG_LOG_INFO)
        log_line(level, line, user);
}

static void set_log(const tgi_program *program, const void *values)
{
    tg_log_fn *fn = is_flag_set(program, values, "quiet")     ? log_line_quiet
                    : is_flag_set(program, values, "verbose") ? log_line
                                                              : log_line_usual;

    tg_log_set(fn, (void *)program); /* only read from */
}

static void take_device_from_environment(const tgi_program *program, void *values)
{
    const tgi_option *option = find_option(program, "device");
    const char *wish = getenv("TAGGAN_DEVICE");

    if (option && wish && *wish && !*(const char **)member(values, option))
        *(const char **)member(values, option) = wish;
}

bool tgi_program_start(const tgi_program *program, int argc, char **argv, void *values,
                       tgi_operands *operands, int *exit_status)
{
    struct option *longs = NULL;
    char *letters = NULL;

    *operands = (tgi_operands){NULL, 0};
    set_defaults(program, values);
    if (make_getopt_tables(program, &longs, &letters) != TG_OK) {
        *exit_status = tgi_program_failed(program->name);
        return true;
    }
    *exit_status = read_options(program, argc, argv, values, longs, letters);
    free_getopt_tables(longs, letters);
    if (!*exit_status && is_flag_set(program, values, "help"))
        tgi_program_help(program);
    else if (!*exit_status && is_flag_set(program, values, "version"))
        printf("%s %s\n", program->name, tg_version());
    else if (!*exit_status) {
        operands->items = argv + optind;
        operands->n = (size_t)(argc - optind);
        take_device_from_environment(program, values);
        set_log(program, values);
        return false;
    }
    if (!*exit_status)
        *exit_status = tgi_program_end(program, TG_OK);
    tgi_program_finish(program, values);
    return true;
}

void tgi_program_finish(const tgi_program *program, void *values)
{
    for (size_t i = 0; i < program->n_options; i++) {
        const tgi_option *option = &program->table[i];

        if (option->type == TGI_LIST) {
            tgi_operands *list = member(values, option);

            for (size_t k = 0; k < list->n; k++)
                free(list->items[k]);
            free(list->items);
            *list = (tgi_operands){NULL, 0};
        }
    }
}

int tgi_program_failed(const char *name)
{
    const char *message = tg_error_message();

    fflush(stdout); /* what was printed before the failure stays before it */
    fprintf(stderr, "%s: %s\n", name, *message ? message : "failed for a reason nobody wrote down");
    return 1;
}

int tgi_program_misused(const tgi_program *program, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", program->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, " (see %s --help)\n", program->name);
    return 2;
}

int tgi_program_end(const tgi_program *program, tg_status status)
{
    if (status != TG_OK)
        return tgi_program_failed(program->name);
    if (fflush(stdout) || ferror(stdout)) {
        (void)tg_fail(TG_ERR_IO, "cannot write to the standard output: %s",
                      strerror(errno ? errno : EIO));
        return tgi_program_failed(program->name);
    }
    return 0;
}

static json_t *list_json(const tgi_operands *list)
{
    json_t *array = json_array();

    for (size_t i = 0; array && i < list->n; i++) {
        if (json_array_append_new(array, json_string(list->items[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *value_json(const tgi_option *option, const void *at)
{
    double number;

    switch (option->type) {
    case TGI_TEXT:
    case TGI_CHOICE:
        return *(const char *const *)at ? json_string(*(const char *const *)at) : json_null();
    case TGI_LIST:
        return list_json(at);
    case TGI_FLAG:
        return json_boolean(*(const bool *)at);
    case TGI_INT:
        number = (double)*(const long long *)at;
        break;
    case TGI_SIZE:
        number = (double)*(const size_t *)at;
        break;
    default:
        number = *(const double *)at;
        break;
    }
    if (number < option->min || number > option->max)
        return json_null();
    if (option->type == TGI_INT)
        return json_integer(*(const long long *)at);
    return option->type == TGI_SIZE ? json_integer((json_int_t) * (const size_t *)at)
                                    : json_real(number);
}

tg_status tgi_options_json(const tgi_program *program, const void *values, json_t **out)
{
    json_t *object = json_object();

    *out = NULL;
    for (size_t i = 0; i < program->n_options; i++) {
        const tgi_option *option = &program->table[i];
        char name[64];

        if (!is_option(option) || !strcmp(option->name, "help") || !strcmp(option->name, "version"))
            continue;
        tgi_option_long_name(option, name, sizeof name);
        json_t *value = value_json(option, const_member(values, option));
        /* a name or path that is no UTF-8 cannot stand in JSON: it is left out as null */
        if (json_object_set_new(object, name, value ? value : json_null())) {
            json_decref(object);
            return tg_fail(TG_ERR_MEMORY, "cannot record the options: out of memory");
        }
    }
    *out = object;
    return TG_OK;
}

/* An argument in single quotes where a shell would change it. */
static tg_status add_quoted(tgi_text *text, const char *word)
{
    static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_-+=:,./@%^";
    tg_status status = TG_OK;

    if (*word && !word[strspn(word, harmless)])
        return tgi_text_add(text, " %s", word);
    TG_TRY(tgi_text_add(text, " '"));
    for (; *word; word++)
        TG_TRY(tgi_text_add(text, *word == '\'' ? "'\\''" : "%c", *word));
    TG_TRY(tgi_text_add(text, "'"));
cleanup:
    return status;
}

tg_status tgi_program_command(const tgi_program *program, int argc, char **argv, char **out)
{
    tg_status status = TG_OK;
    tgi_text text = {0};

    *out = NULL;
    TG_TRY(tgi_text_add(&text, "%s", program->name));
    for (int i = 1; i < argc; i++)
        TG_TRY(add_quoted(&text, argv[i]));
    *out = text.data;
    text = (tgi_text){0};
cleanup:
    tgi_text_release(&text);
    return status;
}

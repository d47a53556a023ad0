// clang-format off
/* options.h -- what every program's command line is made of. A program declares each option once, in
 * its .def file, and its main reads a struct; getopt_long's table, defaults, range checks, --help, the
 * JSON record of a run, the man page's OPTIONS and the completion come from the same lines (the last
 * two through build-aux/opts2man.awk).
 *
 * src/cli/eval_options.def:
 *     TG_COMMAND(print, "TRUTH MAP", "print the measures of one map")   where a program has commands
 *     TG_GROUP("Measuring")                                             a heading
 *     TG_OPTION(output, 'o', text, "FILE", NULL, 0, 0, "write the measures as JSON")
 *     TG_OPTION(boxes, 0, choice, "RULE", "equal", "equal,unequal", 0, "how many boxes are compared")
 *     TG_OPTION(max_area, 'a', real, "SHARE", 0.5, 0, 1, "largest share of an image that counts")
 *
 * src/cli/eval.c:
 *     #define TG_OPTIONS_FILE "cli/eval_options.def"
 *     #include "cli/options_table.h"      makes the type `options` and the array `option_table`
 *
 *     static const tgi_program program = {"taggan-eval", "Measures maps against truth.", "TRUTH MAP",
 *                                         NULL, TGI_TABLE(option_table)};
 *
 *     int main(int argc, char **argv)
 *     {
 *         options given = {0};
 *         tgi_operands operands;
 *         int exit_status;
 *
 *         // --help, --version and wrong usage end here
 *         if (tgi_program_start(&program, argc, argv, &given, &operands, &exit_status))
 *             return exit_status;
 *         if (operands.n != 2)
 *             exit_status = tgi_program_misused(&program, "two files are needed");
 *         else
 *             exit_status = tgi_program_end(&program, measure(&given, &operands));
 *         tgi_program_finish(&program, &given);
 *         return exit_status;
 *     }
 *
 * A new program is also: bin_PROGRAMS and its sources in src/local.mk, its lines in man/local.mk, and
 * the prose of its page, man/taggan-X.1.in.
 *
 * TG_OPTION(name, letter, type, metavar, default, min, max, help): `name` is the member of the struct
 * and, with '-' for '_', the long option; letter 0 = none. Numbers are plain literals, as the awk
 * script reads them, too. `help` begins in lower case and has no full stop.
 *     type    member          min, max             default
 *     text    const char *    0, 0                 a string or NULL
 *     list    tgi_operands    0, 0                 NULL; the option may stand several times
 *     choice  const char *    "a,b,c", 0           one of them, or NULL
 *     int     long long       smallest, largest    a number; outside the range it means "unset"
 *     size    size_t          the same             the same
 *     real    double          the same             the same
 *     time    double          seconds              the same; read as 90, 90s, 30m, 2h, 1d, 1h30m
 *     flag    bool            0, 0                 false
 * Whether the user gave an option is in the member `given.name`. Texts belong to argv or to the
 * environment. common_options.def (device, quiet, verbose, help, version) is part of every table;
 * device is taken from TAGGAN_DEVICE when it is not given. */
// clang-format on
#ifndef TGI_CLI_OPTIONS_H
#define TGI_CLI_OPTIONS_H

#include "base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Arguments that are not options, or all the values of a list. `items` of operands lie in argv;
 * those of a list are allocated. */
typedef struct tgi_operands {
    char **items;
    size_t n;
} tgi_operands;

typedef enum tgi_option_type {
    TGI_GROUP,
    TGI_COMMAND,
    TGI_TEXT,
    TGI_LIST,
    TGI_CHOICE,
    TGI_INT,
    TGI_SIZE,
    TGI_REAL,
    TGI_TIME,
    TGI_FLAG
} tgi_option_type;

/* One line of a .def file. */
typedef struct tgi_option {
    const char *name, *metavar, *help;
    const char *text;    /* default of text and choice */
    const char *choices; /* "a,b,c" */
    double number, min, max;
    size_t offset, given_offset; /* in the program's struct */
    tgi_option_type type;
    char letter;
} tgi_option;

typedef struct tgi_program {
    const char *name;     /* taggan-X */
    const char *summary;  /* one sentence */
    const char *operands; /* after [OPTION...] in the usage; NULL in a program with commands */
    const char *notes;    /* printed at the end of --help: examples; or NULL */
    const tgi_option *table;
    size_t n_options;
} tgi_program;

#define TGI_TABLE(table) (table), TG_COUNT(table)

/* Sets defaults, reads argv, sets the log up. true when the program is over before it began:
 * *exit_status then is 0 after --help and --version, 2 after wrong usage (said on stderr). Else the
 * caller ends with tgi_program_finish(). */
bool tgi_program_start(const tgi_program *program, int argc, char **argv, void *values,
                       tgi_operands *operands, int *exit_status) TG_MUST_CHECK;
/* Frees what lists hold. */
void tgi_program_finish(const tgi_program *program, void *values);

/* Says "NAME: " and the message of the last failure on stderr; 1. */
int tgi_program_failed(const char *name);
/* Says "NAME: " and the sentence, and where the usage stands, on stderr; 2. */
int tgi_program_misused(const tgi_program *program, const char *format, ...) TG_PRINTF(2, 3);
/* The exit status for `status`: 0 when it is TG_OK and all of stdout could be written, else as
 * tgi_program_failed(). */
int tgi_program_end(const tgi_program *program, tg_status status);

/* The command line as one text that a shell reads the same way, for the record of a run; free(). */
tg_status tgi_program_command(const tgi_program *program, int argc, char **argv,
                              char **out) TG_MUST_CHECK;
/* All values by long name, for the record of a run; unset ones are null. json_decref() releases it.
 */
tg_status tgi_options_json(const tgi_program *program, const void *values,
                           json_t **out) TG_MUST_CHECK;

/* "30m", "1h30m", "90s", "90" -> seconds; false when it is no time. */
bool tgi_parse_time(const char *s, double *seconds);

/* For options.c and help.c. */
void tgi_option_long_name(const tgi_option *option, char *out, size_t size);
/* "" when there is no default worth showing. */
void tgi_option_default_text(const tgi_option *option, char *out, size_t size);
void tgi_program_help(const tgi_program *program);

#endif

/* help.c -- the text of --help, at most 100 columns, from the same table that reads the command
 * line. */
#include "config.h"
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

enum { HELP_COLUMN = 30, HELP_WIDTH = 100 };

/* Seconds as people write them: 1800 -> 30m. */
static void time_text(double seconds, char *out, size_t size)
{
    static const char units[] = "dhm";
    static const double unit_s[] = {86400, 3600, 60};

    for (size_t i = 0; i < TG_COUNT(unit_s); i++) {
        double count = seconds / unit_s[i];

        if (count >= 1 && count == (double)(long)count) {
            snprintf(out, size, "%ld%c", (long)count, units[i]);
            return;
        }
    }
    snprintf(out, size, "%.10gs", seconds);
}

void tgi_option_default_text(const tgi_option *option, char *out, size_t size)
{
    *out = 0;
    switch (option->type) {
    case TGI_TEXT:
    case TGI_CHOICE:
        if (option->text)
            snprintf(out, size, "%s", option->text);
        return;
    case TGI_INT:
    case TGI_SIZE:
    case TGI_REAL:
    case TGI_TIME:
        if (option->number < option->min || option->number > option->max)
            return;
        if (option->type == TGI_TIME)
            time_text(option->number, out, size);
        else
            snprintf(out, size, "%.10g", option->number);
        return;
    default:
        return;
    }
}

/* Words of `text` from column HELP_COLUMN on; `column` is where the line stands now. */
static void print_wrapped(const char *text, size_t column)
{
    if (column + 2 > HELP_COLUMN) {
        putchar('\n');
        column = 0;
    }
    printf("%*s", (int)(HELP_COLUMN - column), "");
    column = HELP_COLUMN;
    while (*text) {
        size_t n = strcspn(text, " ");

        if (column > HELP_COLUMN && column + 1 + n > HELP_WIDTH) {
            printf("\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        column += (size_t)printf("%s%.*s", column > HELP_COLUMN ? " " : "", (int)n, text);
        text += n + (text[n] == ' ');
    }
    putchar('\n');
}

static void print_option(const tgi_option *option)
{
    char name[64], value[64], help[1024];
    int column;

    tgi_option_long_name(option, name, sizeof name);
    tgi_option_default_text(option, value, sizeof value);
    column =
        option->letter ? printf("  -%c, --%s", option->letter, name) : printf("      --%s", name);
    if (option->metavar)
        column += printf(" %s", option->metavar);
    snprintf(help, sizeof help, "%s%s%s%s%s%s", option->help, option->choices ? ": " : "",
             option->choices ? option->choices : "", *value ? " (default " : "", value,
             *value ? ")" : "");
    /* a choice's names are easier to read with a space behind each comma */
    for (char *p = option->choices ? help + strlen(option->help) : help + strlen(help); *p; p++) {
        size_t rest = strlen(p);

        if (p[0] == ',' && p[1] != ' ' && (size_t)(p - help) + rest + 2 < sizeof help)
            memmove(p + 2, p + 1, rest), p[1] = ' ';
    }
    print_wrapped(help, (size_t)column);
}

static void print_usage(const tgi_program *program)
{
    const char *start = "Usage: ";

    if (program->operands) {
        printf("%s%s [OPTION...]%s%s\n", start, program->name, *program->operands ? " " : "",
               program->operands);
        start = "       ";
    }
    for (size_t i = 0; i < program->n_options; i++) {
        const tgi_option *option = &program->table[i];
        char name[64];

        if (option->type != TGI_COMMAND)
            continue;
        tgi_option_long_name(option, name, sizeof name);
        printf("%s%s %s [OPTION...]%s%s\n", start, program->name, name, *option->metavar ? " " : "",
               option->metavar);
        start = "       ";
    }
}

void tgi_program_help(const tgi_program *program)
{
    bool has_commands = false;

    print_usage(program);
    printf("%s\n", program->summary);
    for (size_t i = 0; i < program->n_options; i++) {
        const tgi_option *option = &program->table[i];

        if (option->type == TGI_GROUP)
            printf("\n%s:\n", option->help);
        else if (option->type == TGI_COMMAND) {
            char name[64];

            if (!has_commands)
                puts("\nCommands:");
            has_commands = true;
            tgi_option_long_name(option, name, sizeof name);
            print_wrapped(option->help, (size_t)printf("  %s", name));
        } else
            print_option(option);
    }
    if (program->notes)
        printf("\n%s", program->notes);
}

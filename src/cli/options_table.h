/* options_table.h -- makes the struct `options` and the array `option_table` from TG_OPTIONS_FILE;
 * see options.h. Included once by each program, after it defined TG_OPTIONS_FILE. */
#ifndef TG_OPTIONS_FILE
#error "define TG_OPTIONS_FILE first"
#endif

#include "cli/options.h"

#define TGI_MEMBER_text   const char *
#define TGI_MEMBER_list   tgi_operands
#define TGI_MEMBER_choice const char *
#define TGI_MEMBER_int    long long
#define TGI_MEMBER_size   size_t
#define TGI_MEMBER_real   double
#define TGI_MEMBER_time   double
#define TGI_MEMBER_flag   bool

typedef struct options {
#define TG_COMMAND(name, operands, help)
#define TG_GROUP(title)
#define TG_OPTION(name, letter, type, metavar, value, min, max, help) TGI_MEMBER_##type name;
#include TG_OPTIONS_FILE
#include "cli/common_options.def"
#undef TG_OPTION
    struct {
#define TG_OPTION(name, letter, type, metavar, value, min, max, help) bool name;
#include TG_OPTIONS_FILE
#include "cli/common_options.def"
#undef TG_OPTION
    } given;
#undef TG_COMMAND
#undef TG_GROUP
} options;

/* name, metavar, help, text, choices, number, min, max: what a type does not use is 0 */
#define TGI_ROW_text(value, min, max)   value, NULL, 0, 0, 0
#define TGI_ROW_list(value, min, max)   NULL, NULL, 0, 0, 0
#define TGI_ROW_choice(value, min, max) value, min, 0, 0, 0
#define TGI_ROW_int(value, min, max)    NULL, NULL, value, min, max
#define TGI_ROW_size(value, min, max)   NULL, NULL, value, min, max
#define TGI_ROW_real(value, min, max)   NULL, NULL, value, min, max
#define TGI_ROW_time(value, min, max)   NULL, NULL, value, min, max
#define TGI_ROW_flag(value, min, max)   NULL, NULL, value, 0, 0

#define TGI_TYPE_text   TGI_TEXT
#define TGI_TYPE_list   TGI_LIST
#define TGI_TYPE_choice TGI_CHOICE
#define TGI_TYPE_int    TGI_INT
#define TGI_TYPE_size   TGI_SIZE
#define TGI_TYPE_real   TGI_REAL
#define TGI_TYPE_time   TGI_TIME
#define TGI_TYPE_flag   TGI_FLAG

static const tgi_option option_table[] = {
#define TG_COMMAND(name, operands, help)                                                           \
    {#name, operands, help, NULL, NULL, 0, 0, 0, 0, 0, TGI_COMMAND, 0},
#define TG_GROUP(title) {NULL, NULL, title, NULL, NULL, 0, 0, 0, 0, 0, TGI_GROUP, 0},
#define TG_OPTION(name, letter, type, metavar, value, min, max, help)                              \
    {#name,                                                                                        \
     metavar,                                                                                      \
     help,                                                                                         \
     TGI_ROW_##type(value, min, max),                                                              \
     offsetof(options, name),                                                                      \
     offsetof(options, given.name),                                                                \
     TGI_TYPE_##type,                                                                              \
     letter},
#include TG_OPTIONS_FILE
#include "cli/common_options.def"
#undef TG_OPTION
#undef TG_COMMAND
#undef TG_GROUP
};

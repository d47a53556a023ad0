/* text.h -- strings that own their memory, and numbers read strictly. */
#ifndef TGI_BASE_TEXT_H
#define TGI_BASE_TEXT_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* A growing text; start from {0}. data is always terminated once something was added. */
typedef struct tgi_text {
    char *data;
    size_t size, capacity;
} tgi_text;

tg_status tgi_text_add(tgi_text *text, const char *format, ...) TG_PRINTF(2, 3) TG_MUST_CHECK;
tg_status tgi_text_add_bytes(tgi_text *text, const void *bytes, size_t n) TG_MUST_CHECK;
void tgi_text_release(tgi_text *text);

/* New strings; free() releases them. */
tg_status tgi_strdup(const char *s, char **out) TG_MUST_CHECK;
tg_status tgi_strndup(const char *s, size_t n, char **out) TG_MUST_CHECK;
tg_status tgi_printf(char **out, const char *format, ...) TG_PRINTF(2, 3) TG_MUST_CHECK;

/* The whole of s as a number, in the C locale whatever the program's; false when anything is left over, or it overflows. */
bool tgi_parse_real(const char *s, double *out);
bool tgi_parse_int(const char *s, long long *out);

bool tgi_starts_with(const char *s, const char *start);
bool tgi_ends_with(const char *s, const char *end);
/* Without regard to case, ASCII only. */
bool tgi_same_word(const char *a, const char *b);
bool tgi_has_word(const char *text, const char *part);

#endif

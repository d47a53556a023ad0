/* text.c -- strings that own their memory, and numbers read strictly. */
#include "config.h"
#include "base/text.h"
#include "base/memory.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/banned.h"

static tg_status add_va(tgi_text *text, const char *format, va_list args)
{
    va_list again;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0)
        return tg_fail(TG_ERR_ARGUMENT, "cannot format a text");
    if (tgi_grow(&text->data, &text->capacity, text->size + (size_t)n + 1, 1) != TG_OK)
        return TG_ERR_MEMORY;
    vsnprintf(text->data + text->size, (size_t)n + 1, format, args);
    text->size += (size_t)n;
    return TG_OK;
}

tg_status tgi_text_add(tgi_text *text, const char *format, ...)
{
    va_list args;
    tg_status status;

    va_start(args, format);
    status = add_va(text, format, args);
    va_end(args);
    return status;
}

tg_status tgi_text_add_bytes(tgi_text *text, const void *bytes, size_t n)
{
    if (tgi_grow(&text->data, &text->capacity, text->size + n + 1, 1) != TG_OK)
        return TG_ERR_MEMORY;
    if (n)
        memcpy(text->data + text->size, bytes, n);
    text->size += n;
    text->data[text->size] = 0;
    return TG_OK;
}

void tgi_text_release(tgi_text *text)
{
    free(text->data);
    *text = (tgi_text){0};
}

tg_status tgi_strndup(const char *s, size_t n, char **out)
{
    tg_status status = tgi_alloc(n + 1, 1, out);

    if (status == TG_OK)
        memcpy(*out, s, n);
    return status;
}

tg_status tgi_strdup(const char *s, char **out)
{
    return tgi_strndup(s, strlen(s), out);
}

tg_status tgi_printf(char **out, const char *format, ...)
{
    tgi_text text = {0};
    va_list args;
    tg_status status;

    *out = NULL;
    va_start(args, format);
    status = add_va(&text, format, args);
    va_end(args);
    if (status == TG_OK)
        *out = text.data;
    else
        tgi_text_release(&text);
    return status;
}

bool tgi_parse_real(const char *s, double *out)
{
    static locale_t c_locale; /* newlocale is slow; a race makes one too many, which does no harm */
    char *end;
    double value;

    if (!c_locale)
        c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!s || !*s)
        return false;
    errno = 0;
    value = strtod_l(s, &end, c_locale);
    if (*end || end == s || !isfinite(value) || (errno == ERANGE && fabs(value) > 1))
        return false;
    *out = value;
    return true;
}

bool tgi_parse_int(const char *s, long long *out)
{
    char *end;
    long long value;

    if (!s || !*s)
        return false;
    errno = 0;
    value = strtoll(s, &end, 10);
    if (*end || end == s || errno)
        return false;
    *out = value;
    return true;
}

bool tgi_starts_with(const char *s, const char *start)
{
    return strncmp(s, start, strlen(start)) == 0;
}

bool tgi_ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && memcmp(s + n - m, end, m) == 0;
}

bool tgi_same_word(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

bool tgi_has_word(const char *text, const char *part)
{
    size_t n = strlen(part);

    for (; *text; text++) {
        if (strncasecmp(text, part, n) == 0)
            return true;
    }
    return n == 0;
}

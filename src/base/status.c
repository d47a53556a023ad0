/* status.c -- the sentence of the last failure, a buffer to a thread, and the log callback. */
#include "config.h"
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES = 4096 };

static _Thread_local char message[MESSAGE_BYTES];

/* Process-wide by nature, as stderr is: set once before threads start. */
static tg_log_fn *log_fn;
static void *log_user;

const char *tg_error_message(void)
{
    return message;
}

const char *tg_status_name(tg_status status)
{
    static const char *const names[] = {"done",    "argument",    "shape",  "memory",
                                        "io",      "format",      "device", "opencl",
                                        "numeric", "unsupported", "stopped"};
    return (size_t)status < TG_COUNT(names) ? names[status] : "unknown";
}

tg_status tg_fail(tg_status status, const char *format, ...)
{
    char text[MESSAGE_BYTES]; /* the arguments may point into message */
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(message, text, sizeof message);
    return status;
}

tg_status tg_fail_in(tg_status status, const char *format, ...)
{
    char what[512], text[MESSAGE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(text, sizeof text, "%s: %.3500s", what, message);
    memcpy(message, text, sizeof message);
    return status;
}

void tg_log_set(tg_log_fn *fn, void *user)
{
    log_fn = fn;
    log_user = user;
}

void tg_log(tg_log_level level, const char *format, ...)
{
    char line[MESSAGE_BYTES];
    va_list args;

    if (!log_fn)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log_fn(level, line, log_user);
}

const char *tg_version(void)
{
    return PACKAGE_VERSION;
}

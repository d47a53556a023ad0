/* value.c -- numbers as text that reads the same in every locale. */
#include "config.h"
#include "report/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "base/banned.h"

#define EN_DASH "\xe2\x80\x93"
#define MINUS   "\xe2\x88\x92"

static void put(char *out, size_t size, const char *text)
{
    g_strlcpy(out, text, size);
}

void tgi_number_exact(double value, char out[TGI_NUMBER_SIZE])
{
    if (!isfinite(value)) {
        put(out, TGI_NUMBER_SIZE, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    /* 9 digits give any float back; fewer when they do, so that 0.1f is not 0.100000001 */
    for (int digits = 6; digits <= 9; digits++) {
        char format[16];

        snprintf(format, sizeof format, "%%.%dg", digits);
        g_ascii_formatd(out, TGI_NUMBER_SIZE, format, value);
        if ((float)g_ascii_strtod(out, NULL) == (float)value)
            break;
    }
    /* a step beyond float's whole numbers keeps all its digits */
    if (value == floor(value) && fabs(value) < 1e15)
        g_ascii_formatd(out, TGI_NUMBER_SIZE, "%.0f", value + 0.0);
}

/* formatd's hyphen becomes a minus sign, and "-0.00" becomes "0.00". */
static void for_people(const char *text, char out[TGI_NUMBER_SIZE])
{
    if (text[0] != '-')
        put(out, TGI_NUMBER_SIZE, text);
    else if (strspn(text + 1, "0.") == strlen(text + 1))
        put(out, TGI_NUMBER_SIZE, text + 1);
    else
        snprintf(out, TGI_NUMBER_SIZE, MINUS "%.*s", TGI_NUMBER_SIZE - 4, text + 1);
}

void tgi_number_fixed(double value, int digits, char out[TGI_NUMBER_SIZE])
{
    char format[16], text[TGI_NUMBER_SIZE];

    if (isnan(value)) {
        put(out, TGI_NUMBER_SIZE, EN_DASH);
        return;
    }
    if (fabs(value) >= 1e15) { /* also infinity: neither fits as a row of digits */
        g_ascii_formatd(text, sizeof text, "%.3g", value);
    } else {
        snprintf(format, sizeof format, "%%.%df", digits < 0 ? 0 : digits > 9 ? 9 : digits);
        g_ascii_formatd(text, sizeof text, format, value);
    }
    for_people(text, out);
}

void tgi_number_plain(double value, char out[TGI_NUMBER_SIZE])
{
    double size = fabs(value);
    const char *format = size < 1e-4 || !(size < 1e7) ? "%.2e" : "%.4f";

    if (!isfinite(value)) {
        tgi_number_exact(value, out);
        return;
    }
    if (size >= 0.99995 && size < 1e7)
        format = size < 9.9995 ? "%.3f" : size < 99.995 ? "%.2f" : size < 999.95 ? "%.1f" : "%.0f";
    g_ascii_formatd(out, TGI_NUMBER_SIZE, value == 0 ? "%.0f" : format,
                    fabs(value) > 0 ? value : 0);
}

void tgi_number_short(double value, char out[TGI_NUMBER_SIZE])
{
    char text[TGI_NUMBER_SIZE];

    tgi_number_plain(value, text);
    if (isnan(value))
        put(out, TGI_NUMBER_SIZE, EN_DASH);
    else
        for_people(text, out);
}

void tgi_interval_text(const tgi_interval *value, int digits, char out[TGI_INTERVAL_SIZE])
{
    char mean[TGI_NUMBER_SIZE], low[TGI_NUMBER_SIZE], high[TGI_NUMBER_SIZE];

    tgi_number_fixed(value->mean, digits, mean);
    tgi_number_fixed(value->low, digits, low);
    tgi_number_fixed(value->high, digits, high);
    if (isnan(value->mean) || isnan(value->low) || isnan(value->high))
        put(out, TGI_INTERVAL_SIZE, mean);
    else
        snprintf(out, TGI_INTERVAL_SIZE, "%s [%s, %s]", mean, low, high);
}

void tgi_duration_text(double seconds, char out[TGI_NUMBER_SIZE])
{
    if (!(seconds >= 0) || seconds > 1e12) {
        put(out, TGI_NUMBER_SIZE, EN_DASH);
        return;
    }
    unsigned long long s = (unsigned long long)(seconds + 0.5);

    if (s >= 3600)
        snprintf(out, TGI_NUMBER_SIZE, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, TGI_NUMBER_SIZE, "%llu:%02llu", s / 60, s % 60);
}

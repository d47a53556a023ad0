/* value.h -- numbers with names, and numbers as text that reads the same in every locale. */
#ifndef TGI_REPORT_VALUE_H
#define TGI_REPORT_VALUE_H

#include "base/status.h"
#include <stddef.h>

/* A measured number. NaN means that there is none. The name is borrowed. */
typedef struct tgi_value {
    const char *name;
    double value;
} tgi_value;

/* A measured number and its interval; NaN where there is none. */
typedef struct tgi_interval {
    double mean, low, high;
} tgi_interval;

enum { TGI_NUMBER_SIZE = 32, TGI_INTERVAL_SIZE = 104 };

/* The shortest text that reads back as the same float: "0.25", "1e-30", "nan", "inf". */
void tgi_number_exact(double value, char out[TGI_NUMBER_SIZE]);
/* With that many digits behind the point and a proper minus sign; an en dash for NaN. For people,
 * in UTF-8. */
void tgi_number_fixed(double value, int digits, char out[TGI_NUMBER_SIZE]);
/* About four significant digits, no exponent between 1e-4 and 1e7. In ASCII, "nan" and "inf" too:
 * for lines of a log. */
void tgi_number_plain(double value, char out[TGI_NUMBER_SIZE]);
/* The same for people, in UTF-8: a proper minus sign, an en dash for NaN. */
void tgi_number_short(double value, char out[TGI_NUMBER_SIZE]);
/* "0.921 [0.902, 0.938]", without the bracket where there is no interval. */
void tgi_interval_text(const tgi_interval *value, int digits, char out[TGI_INTERVAL_SIZE]);
/* "1:02:03", "4:05". An en dash for a negative number and for NaN. */
void tgi_duration_text(double seconds, char out[TGI_NUMBER_SIZE]);

#endif

/* number.h: the value of a number as JSON spells it, for comparing. Any thread. */
#ifndef SLUICE_NUMBER_H
#define SLUICE_NUMBER_H

#include <sluice/base.h>

/* Integers are exact; everything else is the nearest double. */
typedef struct sl_number {
    bool is_int;
    int64_t i;
    double d;    /* when not is_int; may be infinite, never NaN */
    sl_span big; /* an integer that i has no room for: its spelling, not copied; else empty */
} sl_number;

#define SL_MAX_NUMBER_TEXT 1000u /* longer spellings have no value here */

/* text is a valid JSON number. False when it is longer than SL_MAX_NUMBER_TEXT. */
bool sl_number_read(sl_span text, sl_number *out);
/* < 0, 0, > 0. Exact between integers, and between one that fits into 64 bits and a double. */
int sl_number_compare(const sl_number *a, const sl_number *b);

#endif

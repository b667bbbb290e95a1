/* civil.h: dates of the Gregorian calendar, also before its time and without leap seconds, as numbers of
 * days. No state; any thread. Inline, since a time is read or written with most records. */
#ifndef SL_BASE_CIVIL_H
#define SL_BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define SL_S_PER_DAY INT64_C(86400)

/* A date and a time of day on some clock: no zone. month and day count from 1. */
typedef struct sl_civil {
    int32_t year;
    uint8_t month, day, hour, minute, second; /* second 60 is a leap second */
    int32_t ns;                               /* fraction of the second */
} sl_civil;

static inline bool sl_is_leap_year(int64_t year)
{
    return (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline unsigned sl_days_in_month(int64_t year, unsigned month)
{
    return month == 2 ? 28u + sl_is_leap_year(year) : 30u + ((0x15AAu >> month) & 1);
}

/* Days since 1970-01-01. Years are taken to begin in March, so that the leap day is the last of its year; 400
 * years are 146,097 days; the months from March on are 153 days in five. */
static inline int64_t sl_days_from_date(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The way back. Sets year, month and day. */
static inline void sl_date_from_days(int64_t days, sl_civil *out)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    out->day = (uint8_t)(of_year - (153 * month + 2) / 5 + 1);
    out->month = (uint8_t)(month < 10 ? month + 3 : month - 9);
    out->year = (int32_t)(year + era * 400 + (out->month <= 2));
}

/* Date and time of day in UTC of ns since the epoch. */
static inline sl_civil sl_civil_from_ns(int64_t ns)
{
    const int64_t day_ns = SL_S_PER_DAY * 1000000000;
    int64_t days = ns / day_ns, rest = ns % day_ns;
    sl_civil c;
    if (rest < 0) {
        rest += day_ns;
        days--;
    }
    sl_date_from_days(days, &c);
    uint32_t second = (uint32_t)(rest / 1000000000);
    c.hour = (uint8_t)(second / 3600);
    c.minute = (uint8_t)(second / 60 % 60);
    c.second = (uint8_t)(second % 60);
    c.ns = (int32_t)(rest % 1000000000);
    return c;
}

/* 0 Sunday to 6 Saturday. */
static inline unsigned sl_weekday(int64_t days)
{
    return (unsigned)(((days + 4) % 7 + 7) % 7);
}

#endif

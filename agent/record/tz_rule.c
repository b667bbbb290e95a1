/* tz_rule.c: the rule for the years behind a zone file's table, in the form of POSIX's TZ with the extensions
 * of RFC 8536: std offset [dst [offset] [,start[/time],end[/time]]] Offsets are west of UTC; a date is
 * Mm.w.d, Jn or n; a time is -167 to 167 hours. It is expanded into transitions once, so that looking a time
 * up knows nothing of rules. */
#include "time_int.h"

typedef struct reader {
    const char *at, *end;
} reader;

typedef struct change {
    char kind; /* 'M', 'J' or 'n' */
    int month, week, day;
    int32_t time; /* seconds after local midnight */
} change;

static int next(const reader *r)
{
    return r->at < r->end ? (unsigned char)*r->at : -1;
}

static bool take(reader *r, char c)
{
    if (next(r) != c) return false;
    r->at++;
    return true;
}

static bool read_number(reader *r, int min, int max, int *out)
{
    if (next(r) < '0' || next(r) > '9') return false;
    int value = 0;
    for (; next(r) >= '0' && next(r) <= '9'; r->at++) {
        value = value * 10 + (next(r) - '0');
        if (value > max) return false;
    }
    *out = value;
    return value >= min;
}

/* `CET`, or `<+03>` */
static bool read_name(reader *r)
{
    const char *start = r->at;
    bool quoted = take(r, '<');
    for (; r->at < r->end; r->at++) {
        char c = *r->at;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'))) break;
    }
    return r->at > start + quoted && (!quoted || take(r, '>'));
}

/* [+-]hh[:mm[:ss]] in seconds */
static bool read_time(reader *r, int max_hours, int32_t *out)
{
    int hours, minutes = 0, seconds = 0;
    bool negative = take(r, '-');
    if (!negative) take(r, '+');
    if (!read_number(r, 0, max_hours, &hours)) return false;
    if (take(r, ':')) {
        if (!read_number(r, 0, 59, &minutes)) return false;
        if (take(r, ':') && !read_number(r, 0, 59, &seconds)) return false;
    }
    int32_t value = hours * 3600 + minutes * 60 + seconds;
    *out = negative ? -value : value;
    return true;
}

static bool read_change(reader *r, change *out)
{
    *out = (change){.kind = 'n', .time = 2 * 3600};
    if (take(r, 'M')) {
        out->kind = 'M';
        if (!read_number(r, 1, 12, &out->month) || !take(r, '.') || !read_number(r, 1, 5, &out->week) ||
            !take(r, '.') || !read_number(r, 0, 6, &out->day))
            return false;
    } else {
        bool julian = take(r, 'J');
        if (julian) out->kind = 'J';
        if (!read_number(r, julian, 365, &out->day)) return false;
    }
    return !take(r, '/') || read_time(r, 167, &out->time);
}

/* Seconds of local time, as if it were UTC, at which the change takes place. */
static int64_t change_at(const change *c, int year)
{
    int64_t day;
    if (c->kind == 'M') {
        int64_t first = sl_days_from_date(year, (unsigned)c->month, 1);
        int of_month = (c->day - (int)sl_weekday(first) + 7) % 7 + (c->week - 1) * 7;
        if (of_month >= (int)sl_days_in_month(year, (unsigned)c->month)) of_month -= 7;
        day = first + of_month;
    } else {
        /* Jn never counts February 29th; n does, and counts from 0. */
        bool after_leap_day = c->kind == 'J' && sl_is_leap_year(year) && c->day >= 60;
        day = sl_days_from_date(year, 1, 1) + c->day - (c->kind == 'J') + after_leap_day;
    }
    return day * SL_S_PER_DAY + c->time;
}

static void add(sl_transition *out, int *count, int64_t after, sl_transition t)
{
    if (t.at <= after || (*count > 0 && t.at <= out[*count - 1].at)) return;
    out[(*count)++] = t;
}

static int expand(const change *start, const change *end, int32_t std, int32_t dst, int64_t after,
                  sl_transition *out)
{
    int count = 0;
    for (int year = SL_RULE_FIRST_YEAR; year <= SL_RULE_LAST_YEAR; year++) {
        sl_transition to_dst = {change_at(start, year) - std, dst},
                      to_std = {change_at(end, year) - dst, std};
        bool north = to_dst.at < to_std.at;
        add(out, &count, after, north ? to_dst : to_std);
        add(out, &count, after, north ? to_std : to_dst);
    }
    return count;
}

int sl_tz_rule__expand(sl_span rule, int64_t after, sl_transition *out)
{
    reader r = {rule.ptr, rule.ptr + rule.len};
    int32_t std, dst;
    if (!read_name(&r) || !read_time(&r, 24, &std)) return -1;
    std = -std;
    if (r.at == r.end) return 0; /* no change any more: the table ends with this offset */
    dst = std + 3600;
    change start, end;
    if (!read_name(&r)) return -1;
    if (next(&r) != ',') {
        if (!read_time(&r, 24, &dst)) return -1;
        dst = -dst;
    }
    if (!take(&r, ',') || !read_change(&r, &start) || !take(&r, ',') || !read_change(&r, &end) ||
        r.at != r.end)
        return -1;
    return expand(&start, &end, std, dst, after, out);
}

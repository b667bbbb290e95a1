/* time_parse.c: recognises times as logs write them. Runs once a record: no table, no loop over formats; the
 * fixed places of ISO 8601 are read where they must be. */
#include "time_int.h"

#include <stdio.h>

/* Two digits, or a value above every range. */
static unsigned two(const char *p)
{
    unsigned high = (unsigned)(unsigned char)p[0] - '0', low = (unsigned)(unsigned char)p[1] - '0';
    return high > 9 || low > 9 ? 255 : high * 10 + low;
}

size_t sl_time__parse_offset(sl_span text, int32_t *offset)
{
    if (text.len == 0) return 0;
    const char *p = text.ptr;
    if (*p == 'Z' || *p == 'z') {
        *offset = 0;
        return 1;
    }
    if ((*p != '+' && *p != '-') || text.len < 3) return 0;
    size_t used = 3;
    unsigned hours = two(p + 1), minutes = 0;
    size_t colon = text.len > 3 && p[3] == ':';
    if (text.len >= 5 + colon && (colon || (p[3] >= '0' && p[3] <= '9'))) {
        minutes = two(p + 3 + colon);
        used = 5 + colon;
    }
    if (hours > 23 || minutes > 59) return 0;
    int32_t seconds = (int32_t)(hours * 3600 + minutes * 60);
    *offset = *p == '-' ? -seconds : seconds;
    return used;
}

size_t sl_time__parse_fraction(sl_span text, int32_t *ns)
{
    size_t i = 0;
    int32_t value = 0, unit = 100000000;
    for (; i < text.len; i++, unit /= 10) {
        unsigned digit = (unsigned)(unsigned char)text.ptr[i] - '0';
        if (digit > 9) break;
        value += (int32_t)digit * unit; /* nothing behind the ninth digit: the unit is 0 there */
    }
    *ns = value;
    return i;
}

static bool to_ns(int64_t seconds, int32_t fraction, int64_t *ns)
{
    return !__builtin_mul_overflow(seconds, SL_NS_PER_S, ns) && !__builtin_add_overflow(*ns, fraction, ns);
}

bool sl_civil__to_ns(const sl_civil *c, int32_t offset, const sl_timezone *zone, int64_t *ns)
{
    if (c->month < 1 || c->month > 12 || c->day < 1 || c->hour > 23 || c->minute > 59 || c->second > 60)
        return false;
    if (c->day > 28 && c->day > sl_days_in_month(c->year, c->month)) return false;
    bool leap = c->second == 60;
    int64_t local = sl_days_from_date(c->year, c->month, c->day) * SL_S_PER_DAY + c->hour * 3600 +
                    c->minute * 60 + (leap ? 59 : c->second);
    int64_t utc = offset == SL_NO_OFFSET ? sl_timezone__to_utc(zone, local) : local - offset;
    return to_ns(utc, leap ? 999999999 : c->ns, ns);
}

/* ---- YYYY-MM-DD[T ]hh:mm[:ss[.fraction]][zone] ---- */

static sl_span behind(sl_span text, size_t used)
{
    return (sl_span){text.ptr + used, text.len - used};
}

/* What follows the time of day: nothing, or a zone, which may stand behind one space; behind an offset the
 * zone's name in brackets (RFC 9557), which says nothing more. */
static bool parse_zone(sl_span text, int32_t *offset)
{
    *offset = SL_NO_OFFSET;
    if (text.len == 0) return true;
    if (*text.ptr == ' ') {
        text = behind(text, 1);
        if (sl_span_is_cstr(text, "UTC") || sl_span_is_cstr(text, "GMT")) {
            *offset = 0;
            return true;
        }
    }
    size_t used = sl_time__parse_offset(text, offset);
    if (used == 0) return false;
    return used == text.len || (text.ptr[used] == '[' && text.ptr[text.len - 1] == ']');
}

static bool parse_iso(sl_span text, const sl_timezone *zone, int64_t *ns)
{
    const char *p = text.ptr;
    if (p[7] != '-' || (p[10] != 'T' && p[10] != ' ' && p[10] != 't') || p[13] != ':') return false;
    unsigned century = two(p), of_century = two(p + 2);
    if (century > 99 || of_century > 99) return false;
    sl_civil c = {
        .year = (int32_t)(century * 100 + of_century),
        .month = (uint8_t)two(p + 5),
        .day = (uint8_t)two(p + 8),
        .hour = (uint8_t)two(p + 11),
        .minute = (uint8_t)two(p + 14),
    };
    size_t at = 16;
    if (text.len >= 19 && p[16] == ':') {
        c.second = (uint8_t)two(p + 17);
        at = 19;
        if (text.len > 20 && (p[19] == '.' || p[19] == ',')) {
            size_t digits = sl_time__parse_fraction(behind(text, 20), &c.ns);
            if (digits == 0) return false;
            at = 20 + digits;
        }
    }
    int32_t offset;
    return parse_zone(behind(text, at), &offset) && sl_civil__to_ns(&c, offset, zone, ns);
}

/* ---- the same without signs, YYYYMMDDThhmm[ss[.fraction]][zone], and YYYY-MM-DD: its first moment ---- */

#define BASIC_MAX 64 /* bytes of a time in the basic form; longer ones are none */

static bool all_digits(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9') return false;
    }
    return true;
}

static bool is_basic(sl_span text)
{
    return text.len >= 13 && text.len <= BASIC_MAX && text.ptr[8] == 'T' && all_digits(text.ptr, 8) &&
           all_digits(text.ptr + 9, 4);
}

/* Written out with its signs, it is read like any other. */
static bool parse_basic(sl_span text, const sl_timezone *zone, int64_t *ns)
{
    const char *p = text.ptr;
    bool seconds = text.len >= 15 && all_digits(p + 13, 2);
    size_t used = seconds ? 15 : 13;
    char full[BASIC_MAX + 16];
    int len = snprintf(full, sizeof(full), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s%.*s", p, p + 4, p + 6, p + 9,
                       p + 11, seconds ? p + 13 : "00", (int)(text.len - used), p + used);
    return parse_iso((sl_span){full, (size_t)len}, zone, ns);
}

static bool parse_date(sl_span text, const sl_timezone *zone, int64_t *ns)
{
    char full[sizeof("YYYY-MM-DDT00:00")];
    int len = snprintf(full, sizeof(full), "%.10sT00:00", text.ptr);
    return parse_iso((sl_span){full, (size_t)len}, zone, ns);
}

/* ---- numbers since the epoch ---- */

/* A number's digits without the point, and where the point is. */
typedef struct decimal {
    char digits[32];
    int count;
    int point; /* digits before the point; may be negative or beyond count */
} decimal;

static bool read_exponent(sl_span text, int *point)
{
    size_t i = 0;
    bool negative = text.len > 0 && *text.ptr == '-';
    if (text.len > 0 && (*text.ptr == '+' || *text.ptr == '-')) i = 1;
    int value = 0;
    size_t start = i;
    for (; i < text.len && value < 100; i++) {
        unsigned digit = (unsigned)(unsigned char)text.ptr[i] - '0';
        if (digit > 9) return false;
        value = value * 10 + (int)digit;
    }
    *point += negative ? -value : value;
    return i > start && i == text.len;
}

/* Digits beyond the room cannot be worth a nanosecond of a time within range, and are left out. */
static bool read_decimal(sl_span text, decimal *d)
{
    *d = (decimal){.point = -1};
    size_t i = 0;
    for (; i < text.len; i++) {
        char c = text.ptr[i];
        if (c >= '0' && c <= '9') {
            if (d->count < (int)sizeof(d->digits))
                d->digits[d->count++] = c;
            else if (d->point < 0)
                return false;
        } else if (c == '.' && d->point < 0 && i > 0 && i + 1 < text.len && text.ptr[i + 1] >= '0' &&
                   text.ptr[i + 1] <= '9') {
            d->point = d->count;
        } else {
            break;
        }
    }
    if (d->count == 0) return false;
    if (d->point < 0) d->point = d->count;
    if (i == text.len) return true;
    return (text.ptr[i] == 'e' || text.ptr[i] == 'E') && read_exponent(behind(text, i + 1), &d->point);
}

/* The number as a whole count of 10^-scale; digits behind that are cut. */
static bool scaled(const decimal *d, int scale, int64_t *out)
{
    int64_t value = 0;
    int digits = d->point + scale;
    if (digits > 19) return false;
    for (int i = 0; i < digits; i++) {
        int digit = i < d->count ? d->digits[i] - '0' : 0;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = value;
    return true;
}

/* Seconds, ms, us and ns are told apart by the digits before the point: 9 or 10 (1973 to 2286), 12 or 13, 15
 * or 16, 18 or 19. What has 11, 14 or 17 is out of range as the smaller unit. Fewer than 9 are durations,
 * statuses, counts: no time. */
static bool parse_epoch(sl_span text, int64_t *ns)
{
    decimal d;
    if (text.len == 0 || *text.ptr == '0' || !read_decimal(text, &d) || d.point < 9) return false;
    int scale = d.point <= 11 ? 9 : d.point <= 14 ? 6 : d.point <= 17 ? 3 : 0;
    return scaled(&d, scale, ns);
}

bool sl_time_parse(sl_span text, const sl_timezone *zone, int64_t *ns)
{
    if (text.len >= 16 && text.ptr[4] == '-') return parse_iso(text, zone, ns);
    if (text.len == 10 && text.ptr[4] == '-') return parse_date(text, zone, ns);
    return is_basic(text) ? parse_basic(text, zone, ns) : parse_epoch(text, ns);
}

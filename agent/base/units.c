/* units.c: sizes, durations and fractions as text.
 *
 * A value is a decimal number (mantissa and scale, both integers) times a unit in the smallest unit there is;
 * the product is formed in 128 bits and must divide evenly, so that no step rounds and overflow can't go
 * unseen.
 */
#include "units.h"

#define MAX_SCALE 18 /* digits behind the point */

typedef struct unit {
    const char *name;
    uint64_t factor;
} unit;

/* Largest first; where two units could name a value, the first that divides it evenly is printed. */
static const unit size_units[] = {
    {"TiB", UINT64_C(1) << 40},
    {"TB", UINT64_C(1000000000000)},
    {"GiB", UINT64_C(1) << 30},
    {"GB", 1000000000},
    {"MiB", UINT64_C(1) << 20},
    {"MB", 1000000},
    {"KiB", UINT64_C(1) << 10},
    {"kB", 1000},
    {"B", 1},
};

static const unit duration_units[] = {
    {"w", UINT64_C(604800000000000)},
    {"d", UINT64_C(86400000000000)},
    {"h", UINT64_C(3600000000000)},
    {"m", UINT64_C(60000000000)},
    {"s", UINT64_C(1000000000)},
    {"ms", 1000000},
    {"us", 1000},
    {"ns", 1},
};

#define SIZE_FORM     "a size is a number with a unit and no space between, such as 64MiB, 10kB or 512"
#define DURATION_FORM "a duration is a number with a unit, such as 5s, 100ms, 1h30m or 7d"
#define FRACTION_FORM "a fraction is a percentage such as 5%%, or a number from 0 to 1 such as 0.05"

/* A number as written: mantissa / 10^scale. */
typedef struct decimal {
    uint64_t mantissa;
    unsigned scale;
} decimal;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static uint64_t pow10_of(unsigned scale)
{
    uint64_t value = 1;
    while (scale--)
        value *= 10;
    return value;
}

/* Reads `12` or `12.5` at *at and steps over it. SL_E_SYNTAX: no number; SL_E_RANGE: too many digits. */
static int read_decimal(sl_span text, size_t *at, decimal *out)
{
    size_t i = *at;
    *out = (decimal){0, 0};
    bool point = false;
    if (i == text.len || !is_digit(text.ptr[i])) return SL_E_SYNTAX;
    for (; i < text.len && (is_digit(text.ptr[i]) || (text.ptr[i] == '.' && !point)); i++) {
        if (text.ptr[i] == '.') {
            point = true;
            continue;
        }
        if (point && out->scale == MAX_SCALE) return SL_E_RANGE;
        if (__builtin_mul_overflow(out->mantissa, 10, &out->mantissa) ||
            __builtin_add_overflow(out->mantissa, (uint64_t)(text.ptr[i] - '0'), &out->mantissa))
            return SL_E_RANGE;
        out->scale += point;
    }
    if (text.ptr[i - 1] == '.') return SL_E_SYNTAX;
    *at = i;
    return 0;
}

/* The unit whose name is the run of letters at *at, which is stepped over; NULL when there is no such unit.
 */
static const unit *read_unit(sl_span text, size_t *at, const unit *units, size_t count)
{
    size_t end = *at;
    while (end < text.len && !is_digit(text.ptr[end]) && text.ptr[end] != '.')
        end++;
    sl_span name = {text.ptr + *at, end - *at};
    for (size_t i = 0; i < count; i++) {
        if (!sl_span_is_cstr(name, units[i].name)) continue;
        *at = end;
        return &units[i];
    }
    return NULL;
}

/* number * factor, if that is a whole number that fits. SL_E_SYNTAX: not whole; SL_E_RANGE. */
static int scale_exactly(decimal number, uint64_t factor, uint64_t max, uint64_t *out)
{
    unsigned __int128 product = (unsigned __int128)number.mantissa * factor;
    uint64_t divisor = pow10_of(number.scale);
    if (product % divisor) return SL_E_SYNTAX;
    product /= divisor;
    if (product > max) return SL_E_RANGE;
    *out = (uint64_t)product;
    return 0;
}

/* ---- sizes ---- */

/* A size that is nearly right gets the advice that it needs. */
static int fail_size(sl_span unit_text, sl_err *err)
{
    static const struct {
        const char *written, *decimal, *binary;
    } unclear[] = {{"k", "kB", "KiB"},  {"kb", "kB", "KiB"}, {"m", "MB", "MiB"}, {"mb", "MB", "MiB"},
                   {"g", "GB", "GiB"},  {"gb", "GB", "GiB"}, {"t", "TB", "TiB"}, {"tb", "TB", "TiB"},
                   {"ki", "kB", "KiB"}, {"mi", "MB", "MiB"}, {"gi", "GB", "GiB"}};
    for (size_t i = 0; i < SL_LEN(unclear); i++) {
        if (!sl_span_is_nocase(unit_text, sl_span_of(unclear[i].written))) continue;
        return sl_err_set(err, SL_E_SYNTAX,
                          "the unit is unclear: write %s (powers of 1000) or %s (powers of 1024)",
                          unclear[i].decimal, unclear[i].binary);
    }
    for (size_t i = 0; i < SL_LEN(size_units); i++) {
        if (sl_span_is_nocase(unit_text, sl_span_of(size_units[i].name)))
            return sl_err_set(err, SL_E_SYNTAX, "units are case-sensitive: write %s", size_units[i].name);
    }
    return sl_err_set(err, SL_E_SYNTAX, SIZE_FORM);
}

int sl_size_parse(sl_span text, uint64_t *bytes, sl_err *err)
{
    size_t at = 0;
    decimal number;
    uint64_t value = 0;
    int rc = read_decimal(text, &at, &number);
    uint64_t factor = 1;
    if (rc == 0 && at < text.len) {
        sl_span rest = {text.ptr + at, text.len - at};
        const unit *u = read_unit(text, &at, size_units, SL_LEN(size_units));
        if (!u || at != text.len) return fail_size(rest, err);
        factor = u->factor;
    }
    if (rc == SL_E_SYNTAX) return sl_err_set(err, rc, SIZE_FORM);
    if (rc == 0) rc = scale_exactly(number, factor, UINT64_MAX, &value);
    if (rc == SL_E_SYNTAX) return sl_err_set(err, rc, "a size must be a whole number of bytes");
    if (rc == SL_E_RANGE) return sl_err_set(err, rc, "a size must be less than 16777216TiB (2^64 bytes)");
    *bytes = value;
    return 0;
}

/* ---- durations ---- */

/* One number and unit of a duration, which must be smaller than the unit before it. */
static int read_part(sl_span text, size_t *at, const unit **last, uint64_t *ns, sl_err *err)
{
    decimal number;
    int rc = read_decimal(text, at, &number);
    if (rc == SL_E_SYNTAX) return sl_err_set(err, rc, DURATION_FORM);
    if (rc == 0 && *at == text.len)
        return sl_err_set(err, SL_E_SYNTAX,
                          "a duration needs a unit: w, d, h, m, s, ms, us or ns, such as 5s");
    const unit *u = rc == 0 ? read_unit(text, at, duration_units, SL_LEN(duration_units)) : NULL;
    if (rc == 0 && !u) return sl_err_set(err, SL_E_SYNTAX, DURATION_FORM);
    if (rc == 0 && *last && u <= *last)
        return sl_err_set(err, SL_E_SYNTAX,
                          "a duration names larger units first, each at most once, such as 1h30m");
    if (rc == 0) rc = scale_exactly(number, u->factor, INT64_MAX, ns);
    if (rc == SL_E_SYNTAX) return sl_err_set(err, rc, "a duration must be a whole number of nanoseconds");
    *last = u;
    return rc;
}

int sl_duration_parse(sl_span text, int64_t *ns, sl_err *err)
{
    if (sl_span_is(text, SL_SPAN("0"))) {
        *ns = 0;
        return 0;
    }
    const unit *last = NULL;
    uint64_t sum = 0;
    size_t at = 0;
    int rc = text.len ? 0 : sl_err_set(err, SL_E_SYNTAX, DURATION_FORM);
    while (rc == 0 && at < text.len) {
        uint64_t part = 0;
        rc = read_part(text, &at, &last, &part, err);
        if (rc == 0 && part > (uint64_t)INT64_MAX - sum) rc = SL_E_RANGE;
        if (rc == 0) sum += part;
    }
    if (rc == SL_E_RANGE) return sl_err_set(err, rc, "a duration must be less than 15250w (292 years)");
    if (rc == 0) *ns = (int64_t)sum;
    return rc;
}

/* ---- fractions ---- */

int sl_fraction_parse(sl_span text, double *fraction, sl_err *err)
{
    size_t at = 0;
    decimal number;
    int rc = read_decimal(text, &at, &number);
    bool percent = rc == 0 && at + 1 == text.len && text.ptr[at] == '%';
    if (rc == SL_E_SYNTAX || (rc == 0 && at != text.len && !percent))
        return sl_err_set(err, SL_E_SYNTAX, FRACTION_FORM);
    /* One correctly rounded division: 5% and 0.05 are the same number. */
    double divisor = rc == 0 ? (double)pow10_of(number.scale) * (percent ? 100 : 1) : 1;
    double value = rc == 0 ? (double)number.mantissa / divisor : 2;
    if (value > 1) return sl_err_set(err, SL_E_RANGE, "a fraction is at most 100%%, or 1");
    *fraction = value;
    return 0;
}

/* ---- writing ---- */

void sl_size_format(sl_buf *out, uint64_t bytes)
{
    const unit *u = size_units;
    while (u->factor > 1 && (bytes == 0 || bytes % u->factor))
        u++;
    sl_buf_append_u64(out, bytes / u->factor);
    sl_buf_append_cstr(out, u->name);
}

/* The absolute value, with its sign written. */
static uint64_t write_sign(sl_buf *out, int64_t ns)
{
    if (ns >= 0) return (uint64_t)ns;
    sl_buf_append_char(out, '-');
    return 0 - (uint64_t)ns;
}

void sl_duration_format(sl_buf *out, int64_t ns)
{
    uint64_t left = write_sign(out, ns);
    if (left == 0) sl_buf_append_cstr(out, "0s");
    for (const unit *u = duration_units; left; u++) {
        /* Weeks only where they are the whole of it: `14d` says more than `2w`, and `10d` more than `1w3d`.
         */
        if (left < u->factor || (u == duration_units && left % u->factor)) continue;
        sl_buf_append_u64(out, left / u->factor);
        sl_buf_append_cstr(out, u->name);
        left %= u->factor;
    }
}

void sl_fraction_format(sl_buf *out, double fraction)
{
    /* The fewest digits that read back as the same number. */
    for (int digits = 1; digits <= 17; digits++) {
        size_t start = out->len;
        sl_buf_printf(out, "%.*g%%", digits, fraction * 100);
        double back = 0;
        sl_span text = {out->ptr + start, out->len - start};
        if (digits == 17 || (sl_fraction_parse(text, &back, NULL) == 0 && back == fraction)) return;
        out->len = start;
    }
}

/* value with three digits in all: 1.46, 12.3, 512. */
static void write_three(sl_buf *out, double value, const char *unit_name)
{
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    sl_buf_printf(out, "%.*f%s", decimals, value, unit_name);
}

void sl_size_format_short(sl_buf *out, uint64_t bytes)
{
    for (const unit *u = size_units; u->factor > 1; u++) {
        bool binary = u->name[1] == 'i';
        if (!binary || bytes < u->factor) continue;
        write_three(out, (double)bytes / (double)u->factor, u->name);
        return;
    }
    sl_buf_printf(out, "%lluB", (unsigned long long)bytes);
}

void sl_duration_format_short(sl_buf *out, int64_t ns)
{
    static const char *const names[] = {"d", "h", "m", "s"};
    static const uint64_t factors[] = {86400, 3600, 60, 1};
    uint64_t abs_ns = write_sign(out, ns);
    uint64_t s = abs_ns / (uint64_t)SL_NS_PER_S;
    for (size_t i = 0; i + 1 < SL_LEN(names); i++) {
        if (s < factors[i]) continue;
        uint64_t rest = s % factors[i] / factors[i + 1];
        sl_buf_printf(out, "%llu%s%02llu%s", (unsigned long long)(s / factors[i]), names[i],
                      (unsigned long long)rest, names[i + 1]);
        return;
    }
    const unit *u = &duration_units[4]; /* seconds and below */
    while (u->factor > 1 && abs_ns < u->factor)
        u++;
    if (abs_ns == 0)
        sl_buf_append_cstr(out, "0s");
    else if (u->factor == 1)
        sl_buf_printf(out, "%lluns", (unsigned long long)abs_ns);
    else
        write_three(out, (double)abs_ns / (double)u->factor, u->name);
}

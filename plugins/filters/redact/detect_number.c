/* detect_number.c: IBAN (ISO 13616), US social security numbers, phone numbers. */
#include "redact_int.h"

/* ---- IBAN -------------------------------------------------------------------------------------- */

#define IBAN_MAX 34

/* Country and length, from the IBAN registry. */
static unsigned iban_length(char first, char second)
{
    static const char registry[][5] = {
        "AD24", "AE23", "AL28", "AT20", "AZ28", "BA20", "BE16", "BG22", "BH22", "BI27", "BR29", "BY28",
        "CH21", "CR22", "CY28", "CZ24", "DE22", "DJ27", "DK18", "DO28", "EE20", "EG29", "ES24", "FI18",
        "FK18", "FO18", "FR27", "GB22", "GE22", "GI23", "GL18", "GR27", "GT28", "HN28", "HR21", "HU28",
        "IE22", "IL23", "IQ23", "IS26", "IT27", "JO30", "KW30", "KZ20", "LB28", "LC32", "LI21", "LT20",
        "LU20", "LV21", "LY25", "MC27", "MD24", "ME22", "MK19", "MN20", "MR27", "MT31", "MU30", "NI28",
        "NL18", "NO15", "OM23", "PK24", "PL28", "PS29", "PT25", "QA29", "RO24", "RS22", "RU33", "SA24",
        "SC31", "SD18", "SE24", "SI19", "SK24", "SM27", "SO23", "ST25", "SV28", "TL23", "TN24", "TR26",
        "UA29", "VA22", "VG24", "XK20", "YE30"};

    for (size_t i = 0; i < SL_LEN(registry); i++) {
        const char *row = registry[i];
        if (row[0] == first && row[1] == second) return (unsigned)((row[2] - '0') * 10 + row[3] - '0');
    }
    return 0;
}

static char upper(char c)
{
    return is_letter(c) ? (char)(c & ~0x20) : c;
}

/* ISO 7064, mod 97-10: the first four characters moved to the end, letters as 10 to 35, the number is 1
 * modulo 97. */
static bool passes_mod_97(const char *iban, unsigned len)
{
    unsigned rest = 0;

    for (unsigned i = 0; i < len; i++) {
        char c = iban[(i + 4) % len];
        rest = is_digit(c) ? rest * 10 + (unsigned)(c - '0') : rest * 100 + (unsigned)(c - 'A' + 10);
        rest %= 97;
    }
    return rest == 1;
}

/* at: the second check digit. Single spaces or dashes may stand between the characters. */
bool detect_iban(sl_span text, size_t at, size_t *start, size_t *end)
{
    char iban[IBAN_MAX];
    unsigned count = 0;

    if (at < 3 || !is_digit(text.ptr[at - 1])) return false;
    *start = at - 3;
    if (is_alnum(char_at(text, *start - 1))) return false;
    unsigned len = iban_length(upper(text.ptr[*start]), upper(text.ptr[*start + 1]));
    if (len == 0) return false;
    for (*end = *start; count < len; ++*end) {
        char c = char_at(text, *end);
        if (is_alnum(c))
            iban[count++] = upper(c);
        else if ((c != ' ' && c != '-') || !is_alnum(char_at(text, *end + 1)))
            return false;
    }
    return !is_alnum(char_at(text, *end)) && passes_mod_97(iban, len);
}

/* ---- SSN --------------------------------------------------------------------------------------- */

static unsigned number_at(sl_span text, size_t at, unsigned digits)
{
    unsigned value = 0;

    for (unsigned i = 0; i < digits; i++) {
        if (!is_digit(char_at(text, at + i))) return UINT32_MAX;
        value = value * 10 + (unsigned)(text.ptr[at + i] - '0');
    }
    return value;
}

/* ddd-dd-dddd, with dashes or spaces, `at` the last digit. Never given out: area 000, 666 and from 900, group
 * 00, serial 0000. */
bool detect_ssn(sl_span text, size_t at, size_t *start, size_t *end)
{
    if (at < 10 || text.ptr[at - 4] != text.ptr[at - 7] || !strchr("- ", text.ptr[at - 4])) return false;
    *start = at - 10;
    *end = at + 1;
    unsigned area = number_at(text, *start, 3), group = number_at(text, at - 6, 2),
             serial = number_at(text, at - 3, 4);
    if (area == 0 || area == 666 || area >= 900 || group - 1 >= 99 || serial - 1 >= 9999) return false;
    char left = char_at(text, *start - 1), right = char_at(text, *end), gap = text.ptr[at - 4];
    if (is_alnum(left) || is_alnum(right)) return false;
    return !(left == gap && is_digit(char_at(text, *start - 2))) &&
           !(right == gap && is_digit(char_at(text, *end + 1)));
}

/* ---- phone ------------------------------------------------------------------------------------- */

#define PHONE_GROUPS 8

/* A number as it is written: groups of digits with one or two signs between them. */
typedef struct phone {
    struct {
        size_t at;
        unsigned len;
    } group[PHONE_GROUPS];
    char sign[PHONE_GROUPS]; /* the last sign before each group */
    unsigned groups, digits;
    size_t end;
} phone;

static bool is_phone_sign(char c)
{
    return c && strchr(" -./()", c);
}

static void read_phone(sl_span text, size_t at, phone *out)
{
    *out = (phone){.end = at};
    while (out->groups < PHONE_GROUPS) {
        size_t next = out->end;
        while (next < out->end + 2 && is_phone_sign(char_at(text, next)))
            next++;
        if (!is_digit(char_at(text, next)) || (next == out->end && out->groups > 0)) return;
        unsigned len = 0;
        while (is_digit(char_at(text, next + len)))
            len++;
        out->group[out->groups].at = next;
        out->group[out->groups].len = len;
        out->sign[out->groups++] = next > at ? text.ptr[next - 1] : '\0';
        out->digits += len;
        out->end = next + len;
    }
}

/* E.164: a plus, a country code that does not begin with 0, 8 to 15 digits in all. */
static bool is_international(sl_span text, const phone *p)
{
    return p->groups > 0 && p->digits >= 8 && p->digits <= 15 && text.ptr[p->group[0].at] != '0';
}

/* The same with 00 in the place of the plus, in at least three groups. */
static bool is_international_by_zeros(sl_span text, const phone *p)
{
    const char *first = text.ptr + p->group[0].at;

    return p->groups > 2 && p->group[0].len > 2 && p->group[0].len <= 6 && p->digits >= 11 &&
           p->digits <= 17 && first[0] == '0' && first[1] == '0' && first[2] != '0';
}

/* North America: [1] area exchange line, 3-3-4; area and exchange begin with 2 to 9. */
static bool is_north_american(sl_span text, const phone *p)
{
    unsigned first = p->groups == 4 && p->group[0].len == 1 && text.ptr[p->group[0].at] == '1';

    if (p->groups != first + 3 || p->group[first].len != 3 || p->group[first + 1].len != 3) return false;
    if (p->group[first + 2].len != 4) return false;
    return text.ptr[p->group[first].at] >= '2' && text.ptr[p->group[first + 1].at] >= '2';
}

/* Elsewhere: the trunk prefix 0, then an area code that does not begin with 0; 9 to 12 digits in at least two
 * groups. */
static bool is_trunk(sl_span text, const phone *p)
{
    if (p->groups < 2 || p->groups > 5 || p->digits < 9 || p->digits > 12 || p->group[0].len < 2)
        return false;
    if (text.ptr[p->group[0].at] != '0' || text.ptr[p->group[0].at + 1] == '0') return false;
    for (unsigned i = 1; i + 1 < p->groups; i++) { /* the last may be an extension of one digit */
        if (p->group[i].len < 2) return false;
    }
    /* dd.mm.yyyy and its like, with a time behind it perhaps */
    bool date = p->group[0].len == 2 && p->groups > 2 && p->group[1].len == 2 && p->group[2].len == 4;
    return !date || p->sign[1] == ' ';
}

static bool is_phone(sl_span text, const phone *p, bool plus)
{
    if (is_alnum(char_at(text, p->end))) return false;
    return plus ? is_international(text, p)
                : is_north_american(text, p) || is_trunk(text, p) || is_international_by_zeros(text, p);
}

/* Whether the number may end before its last group, for the rest may be another number: behind a plus
 * anywhere, else at a blank, unless all signs in it are blanks as in a list of numbers. */
static bool may_end(sl_span text, const phone *p, bool plus)
{
    bool tied = plus;

    for (unsigned i = 1; i < p->groups; i++)
        tied = tied || p->sign[i] != ' ';
    return tied && (plus || char_at(text, p->end) == ' ' || char_at(text, p->end + 1) == ' ');
}

static void drop_group(phone *p)
{
    p->digits -= p->group[--p->groups].len;
    p->end = p->group[p->groups - 1].at + p->group[p->groups - 1].len;
}

/* at: a digit behind a sign. A number is read from its front once, at its first sign; it is as long as it
 * can be, and may have another number behind it. */
bool detect_phone(sl_span text, size_t at, size_t *start, size_t *end)
{
    phone p;
    char sign = char_at(text, at - 1);
    bool plus = sign == '+';

    if (!plus && !is_phone_sign(sign)) return false;
    *start = at - 1;
    if (!plus && sign != '(') {
        while (*start > 0 && at - *start < 8 && is_digit(text.ptr[*start - 1]))
            --*start;
        char left = char_at(text, *start - 1);
        if (is_phone_sign(left) && (is_digit(char_at(text, *start - 2)) || left == '(')) return false;
        if (left == '+') return false;
    }
    read_phone(text, plus ? at : *start, &p);
    char left = char_at(text, *start - 1);
    if (is_alnum(left) || left == '.' || left == '+' || left == '#') return false;
    if (left == ':' && is_digit(char_at(text, *start - 2))) return false; /* 00:00:01.2345678 */
    bool found = is_phone(text, &p, plus);
    while (!found && p.groups > 1) {
        drop_group(&p);
        found = may_end(text, &p, plus) && is_phone(text, &p, plus);
    }
    *end = p.end;
    return found;
}

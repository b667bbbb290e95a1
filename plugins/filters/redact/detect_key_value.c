/* detect_key_value.c: secrets that text names: `password=…`, `token: …`, `"secret":"…"`, `X-Api-Key: …`,
 * `password%3D…`.
 *
 * A name counts when the rules know it as one of a secret. A value behind `%3D` ends before the next `%26`
 * and its like, as in a URL inside a URL; of all others named_value.c knows the end.
 */
#include "named_value.h"

#define MAX_GAP 4 /* blanks and signs between name, sign and value */

/* ---- the name ---------------------------------------------------------------------------------- */

/* The name that ends before the sign at `at`: `"name" =`, `name:`, `\"name\":`, `name[]=`. Empty: none. */
static sl_span name_before(sl_span text, size_t at)
{
    size_t end = at;

    while (end > 0 && at - end < MAX_GAP && (text.ptr[end - 1] == ' ' || text.ptr[end - 1] == '\t'))
        end--;
    if (end > 0 && is_quote(text.ptr[end - 1])) {
        end--;
        while (end > 0 && at - end < REDACT_MAX_NAME && text.ptr[end - 1] == '\\')
            end--;
    } else if (end > 0 && text.ptr[end - 1] == ']') {
        end--;
        while (end > 0 && at - end < MAX_GAP && (is_quote(text.ptr[end - 1]) || text.ptr[end - 1] == '['))
            end--;
    }
    size_t start = end;
    while (start > 0 && end - start < REDACT_MAX_NAME && is_name(text.ptr[start - 1]))
        start--;
    return (sl_span){text.ptr + start, end - start};
}

/* Bytes of an escape that a name seems to begin with, in text that is JSON but was cut: `\ntoken=`,
 * `\u0026token=`. */
static size_t escape_before(sl_span text, sl_span name)
{
    size_t at = (size_t)(name.ptr - text.ptr);

    if (char_at(text, at - 1) != '\\' || name.len == 0) return 0;
    if (strchr("bfnrt", name.ptr[0])) return 1;
    if (name.ptr[0] != 'u' || name.len < 5) return 0;
    for (size_t i = 1; i < 5; i++) {
        if (!is_hex(name.ptr[i])) return 0;
    }
    return 5;
}

/* The same of a name that may begin with an escape. */
static int32_t rule_of_escaped(const redact_keys *keys, sl_span text, sl_span *name)
{
    sl_span given = *name;
    size_t escape = escape_before(text, given);
    int32_t rule = redact__rule_of_name(keys, name);

    if (rule != REDACT_NO_RULE || escape == 0) return rule;
    *name = (sl_span){given.ptr + escape, given.len - escape};
    return redact__rule_of_name(keys, name);
}

/* Names of HTTP headers whose values have spaces and semicolons. */
static bool takes_line(sl_span name)
{
    static const char *const names[] = {"authorization", "proxyauthorization", "cookie", "setcookie",
                                        "xauthorization"};

    for (size_t i = 0; i < SL_LEN(names); i++) {
        if (redact_names_equal(name, sl_span_of(names[i]))) return true;
    }
    return false;
}

/* ---- the value --------------------------------------------------------------------------------- */

/* Whether `%xy` stands at `at`, of the given kinds: each two digits, the second in capitals. */
static bool is_percent(sl_span text, size_t at, const char *kinds)
{
    char high = char_at(text, at + 1), low = char_at(text, at + 2);

    if (char_at(text, at) != '%') return false;
    if (is_letter(low)) low &= ~0x20;
    for (; *kinds; kinds += 2) {
        if (kinds[0] == high && kinds[1] == low) return true;
    }
    return false;
}

/* A value in a URL that is written into another: blanks, quotes, & , ; and brackets end it, plain or not. */
static size_t percent_end(sl_span text, size_t at)
{
    size_t end = at;

    while (end < text.len && !is_space(text.ptr[end]) && !is_quote(text.ptr[end]) &&
           !strchr("&;,<>", text.ptr[end]) && !is_percent(text, end, "0A0D2022262C3B5D7D"))
        end++;
    return end;
}

/* Where the value begins: past the sign, `=>` or `:=`, blanks. */
static size_t value_start(sl_span text, size_t at)
{
    size_t start = at + 1;

    if (char_at(text, start) == '=' || char_at(text, start) == '>') start++;
    for (size_t from = start; start < text.len && start - from < MAX_GAP; start++) {
        if (text.ptr[start] != ' ' && text.ptr[start] != '\t') break;
    }
    return start;
}

/* The value behind `%3D` or `%3A`, without the quotes `%22`. */
static void find_percent_value(sl_span text, size_t at, redact_named *found)
{
    while (is_percent(text, at, "2022"))
        at += 3;
    found->start = at;
    found->end = percent_end(text, at);
}

/* at: the last byte of the escape. */
static bool detect_percent(const redact_rules *rules, sl_span text, size_t at, size_t after,
                           redact_named *found)
{
    size_t sign = at - 2, end = sign;

    if (!is_percent(text, sign, "3D3A")) return false;
    if (end >= 3 && is_percent(text, end - 3, "22")) end -= 3;
    sl_span name = name_before(text, end);
    bool escaped = name.len > 2 && char_at(text, (size_t)(name.ptr - text.ptr) - 1) == '%';
    if (escaped) name = (sl_span){name.ptr + 2, name.len - 2}; /* %26name */
    found->rule = redact__rule_of_name(rules->text, &name);
    if (found->rule < 0 || at + 1 < after) return false;
    find_percent_value(text, at + 1, found);
    return redact__hides_value(rules, text, name, found);
}

bool detect_key_value(const redact_rules *rules, sl_span text, size_t at, size_t after, redact_named *found)
{
    if (text.ptr[at] != '=' && text.ptr[at] != ':') return detect_percent(rules, text, at, after, found);
    sl_span name = name_before(text, at);
    if (name.len == 0) return false;
    bool clock = text.ptr[at] == ':' && is_digit(name.ptr[name.len - 1]) && is_digit(char_at(text, at + 1));
    if (clock) return false;
    found->rule = rule_of_escaped(rules->text, text, &name);
    if (found->rule < 0) return false;
    size_t start = value_start(text, at);
    if (start < after || start >= text.len) return false;
    if (text.ptr[at] == ':' && text.ptr[start] == '/' && char_at(text, start + 1) == '/') return false;
    redact__find_value(text, start, takes_line(name) ? &name : NULL, found);
    return redact__hides_value(rules, text, name, found);
}

/* detect_key_value.c: secrets that text names: `password=…`, `token: …`, `"secret":"…"`, `X-Api-Key: …`,
 * `password%3D…`, `--password …`, `<password>…</password>`.
 *
 * A name counts when the rules know it as one of a secret. Where its value ends depends on how it is written:
 *   in quotes           at the closing quote; quotes may themselves be escaped, as in JSON that was cut
 *   in brackets         at the closing one
 *   header names        at the end of the line: such values have spaces, and texts in quotes
 *   behind `%3D`        before the next `%26` and its like, as in a URL inside a URL
 *   else                at white space, or before the next `name=`
 * In doubt more is taken: half a password would be worse than a comma too much.
 */
#include "redact_int.h"

#define MAX_GAP 4 /* blanks and signs between name, sign and value */

/* ---- the name ---------------------------------------------------------------------------------- */

static bool is_name(char c)
{
    return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'' || c == '`';
}

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

static int32_t look_up(const redact_keys *keys, sl_span name)
{
    if (!redact_keys_may_hold(keys, name)) return REDACT_NO_RULE;
    return redact_keys_find(keys, name);
}

/* The rule of a name, or of its part behind the last dot (db.password); *name becomes what has the rule. */
static int32_t rule_of(const redact_keys *keys, sl_span *name)
{
    while (name->len > 0 && strchr("-._", name->ptr[0])) { /* --password= */
        name->ptr++;
        name->len--;
    }
    int32_t rule = look_up(keys, *name);
    const char *dot = rule == REDACT_NO_RULE && name->len ? memrchr(name->ptr, '.', name->len) : NULL;
    if (!dot) return rule;
    *name = (sl_span){dot + 1, name->len - (size_t)(dot + 1 - name->ptr)};
    return look_up(keys, *name);
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
    int32_t rule = rule_of(keys, name);

    if (rule != REDACT_NO_RULE || escape == 0) return rule;
    *name = (sl_span){given.ptr + escape, given.len - escape};
    return rule_of(keys, name);
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

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The quote that closes the one at `open`, which has `slashes` backslashes before it. Inside, an escaped
 * quote has one more level of them: with s before the outer ones, a closing quote has a run r with r mod 2(s
 * + 1) = s. */
static size_t closing_quote(sl_span text, size_t open, size_t slashes)
{
    size_t run = 0;

    for (size_t at = open + 1; at < text.len; at++) {
        char c = text.ptr[at];
        if (c == text.ptr[open] && run % (2 * (slashes + 1)) == slashes) return at - slashes;
        run = c == '\\' ? run + 1 : 0;
    }
    return text.len;
}

/* The end of the JSON (whole or cut) that begins with the bracket at `open`. */
static size_t closing_bracket(sl_span text, size_t open)
{
    size_t depth = 0;
    bool quoted = false;

    for (size_t at = open; at < text.len; at++) {
        char c = text.ptr[at];
        if (c == '"' && (at == 0 || text.ptr[at - 1] != '\\')) quoted = !quoted;
        if (quoted) continue;
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && --depth == 0) return at + 1;
    }
    return text.len;
}

/* Whether `name=` or `name:` begins at `at`: then the sign before it ends the value. */
static bool begins_pair(sl_span text, size_t at)
{
    size_t from = at;

    while (at < text.len && at - from < 2 && (text.ptr[at] == ' ' || is_quote(text.ptr[at])))
        at++;
    size_t name = at;
    while (at < text.len && at - name < REDACT_MAX_NAME &&
           (is_name(text.ptr[at]) || strchr("[]", text.ptr[at])))
        at++;
    return at > name && (char_at(text, at) == '=' || char_at(text, at) == ':');
}

/* Whether the quote at `at` ends a bare value; one in the middle of a word, `it's`, is of it. */
static bool is_outer_quote(sl_span text, size_t at)
{
    return is_quote(char_at(text, at)) &&
           !(is_alnum(char_at(text, at + 1)) && is_alnum(char_at(text, at - 1)));
}

/* A value without quotes. Signs that may close something around it are not of it when they stand at its end.
 */
static size_t bare_end(sl_span text, size_t at)
{
    size_t end = at;

    for (; end < text.len && !is_space(text.ptr[end]) && !is_outer_quote(text, end); end++) {
        char c = text.ptr[end];
        if (c == '<' || c == '>') break;
        if (end > at && strchr(",;&|", c) && begins_pair(text, end + 1)) break;
        if (c == '\\' && strchr("nrt", char_at(text, end + 1)) && char_at(text, end + 1)) break;
        if (c == '\\' && is_quote(char_at(text, end + 1))) break;
    }
    while (end > at && strchr(",;.&|)]}\\", text.ptr[end - 1]))
        end--;
    return end;
}

/* The same, with the scheme before a credential: `token: Bearer …`. */
static size_t bare_end_with_scheme(sl_span text, size_t at)
{
    static const char *const schemes[] = {"bearer ", "basic ", "token ", "apikey ", "digest "};

    for (size_t i = 0; i < SL_LEN(schemes); i++) {
        size_t len = strlen(schemes[i]);
        if (has_word_at(text, at, schemes[i]) && bare_end(text, at + len) > at + len)
            return bare_end(text, at + len);
    }
    return bare_end(text, at);
}

/* The value of a header. Texts in quotes behind a `=` are of it (`response="…"`), unless it stands in such
 * quotes itself: outer, 0 for none. */
static size_t line_end(sl_span text, size_t at, char outer)
{
    for (; at < text.len && text.ptr[at] != '\n' && text.ptr[at] != '\r'; at++) {
        size_t sign = at;
        while (char_at(text, sign) == '\\')
            sign++;
        char c = char_at(text, sign);
        if (sign > at && c && strchr("nr", c)) break;
        if (!is_quote(c)) continue;
        if (c == outer || char_at(text, at - 1) != '=') break;
        at = closing_quote(text, sign, sign - at) + (sign - at);
        if (at >= text.len) return text.len;
    }
    while (at > 0 && (text.ptr[at - 1] == ' ' || text.ptr[at - 1] == ','))
        at--;
    return at;
}

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

/* Words behind a sign that say there is no secret, or talk about it. */
static bool is_no_secret(sl_span value)
{
    static const char *const words[] = {
        "null",       "nil",      "none",     "undefined", "true",   "false",      "empty",
        "missing",    "invalid",  "required", "expired",   "must",   "not",        "is",
        "was",        "filtered", "redacted", "hidden",    "masked", "[filtered]", "[redacted]",
        "<redacted>", "n/a",      "[object",  "string",    "cannot", "should"};

    for (size_t i = 0; i < SL_LEN(words); i++) {
        if (sl_span_is_nocase(value, sl_span_of(words[i]))) return true;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] != '*') return false;
    }
    return true;
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

/* header: the name, when it is one of a header that takes a line. */
static void find_value(sl_span text, size_t at, const sl_span *header, redact_named *found)
{
    size_t slashes = 0;

    while (char_at(text, at + slashes) == '\\')
        slashes++;
    if (is_quote(char_at(text, at + slashes))) {
        found->start = at + slashes + 1;
        found->end = closing_quote(text, at + slashes, slashes);
    } else if (char_at(text, at) == '{' || char_at(text, at) == '[') {
        found->start = at;
        found->end = closing_bracket(text, at);
    } else {
        found->start = at;
        char before = header ? char_at(text, (size_t)(header->ptr - text.ptr) - 1) : '\0';
        found->end =
            header ? line_end(text, at, is_quote(before) ? before : '\0') : bare_end_with_scheme(text, at);
    }
    if (found->end < found->start) found->end = found->start;
}

/* The value behind `%3D` or `%3A`, without the quotes `%22`. */
static void find_percent_value(sl_span text, size_t at, redact_named *found)
{
    while (is_percent(text, at, "2022"))
        at += 3;
    found->start = at;
    found->end = percent_end(text, at);
}

/* Whether the value is what this filter put there, and nothing more. */
static bool is_own_work(const redact_action *action, sl_span text, const redact_named *found)
{
    size_t own = redact_own_mark(action, (sl_span){text.ptr + found->start, text.len - found->start});
    char next = char_at(text, found->start + own);

    return own > 0 && (next == '\0' || is_space(next) || is_quote(next) || strchr(",;.&|)]}<>\\", next));
}

/* Whether what was found is to be hidden; then it is made ready. */
static bool is_found(const redact_rules *rules, sl_span text, sl_span name, redact_named *found)
{
    sl_span value = {text.ptr + found->start, found->end - found->start};
    const redact_action *action = &rules->rule[found->rule].action;

    if (value.len == 0 || is_no_secret(value) || is_own_work(action, text, found)) return false;
    /* A name left behind would make a secret of the next word. */
    if (action->verb == REDACT_REMOVE) found->start = (size_t)(name.ptr - text.ptr);
    return true;
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
    found->rule = rule_of(rules->text, &name);
    if (found->rule < 0 || at + 1 < after) return false;
    find_percent_value(text, at + 1, found);
    return is_found(rules, text, name, found);
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
    find_value(text, start, takes_line(name) ? &name : NULL, found);
    return is_found(rules, text, name, found);
}

/* ---- command lines ----------------------------------------------------------------------------- */

/* Words that stand behind an option's name in prose. */
static bool is_prose(sl_span word)
{
    static const char *const words[] = {"and",   "or",    "to",  "for",    "in",    "on",     "with",
                                        "has",   "can",   "may", "option", "flag",  "will",   "argument",
                                        "given", "needs", "are", "the",    "takes", "expects"};

    for (size_t i = 0; i < SL_LEN(words); i++) {
        if (sl_span_is_nocase(word, sl_span_of(words[i]))) return true;
    }
    return false;
}

static size_t skip_blanks(sl_span text, size_t at)
{
    for (size_t from = at; at < from + MAX_GAP && (char_at(text, at) == ' ' || char_at(text, at) == '\t');)
        at++;
    return at;
}

static size_t skip_slashes(sl_span text, size_t at)
{
    while (char_at(text, at) == '\\')
        at++;
    return at;
}

/* Where the value of an option may begin whose name ends at `at`; `at` when there is none. In a list
 * (`quote` stands before the dashes) it is the next string. */
static size_t option_value(sl_span text, size_t at, char quote)
{
    size_t start = is_quote(quote) ? skip_slashes(text, at) : at;

    if (is_quote(quote)) {
        if (char_at(text, start) != quote || char_at(text, start + 1) != ',') return at;
        start = skip_blanks(text, start + 2);
        if (char_at(text, skip_slashes(text, start)) != quote) return at;
        bool other = char_at(text, skip_slashes(text, start) + 1) == '-';
        return other ? at : start;
    }
    start = skip_blanks(text, at);
    return char_at(text, start) == '-' ? at : start;
}

int32_t redact_option_rule(const redact_rules *rules, sl_span option)
{
    if (option.len < 3 || option.ptr[0] != '-' || option.ptr[1] != '-') return REDACT_NO_RULE;
    return rule_of(rules->text, &option);
}

bool detect_option(const redact_rules *rules, sl_span text, size_t at, size_t after, redact_named *found)
{
    char left = char_at(text, at - 2);
    size_t end = at + 1;

    if (left == '-' || is_name(left) || !is_letter(char_at(text, end))) return false;
    while (end - at <= REDACT_MAX_NAME && is_name(char_at(text, end)))
        end++;
    sl_span name = {text.ptr + at + 1, end - at - 1};
    size_t start = option_value(text, end, left);
    if (start == end || start < after || start >= text.len) return false;
    found->rule = rule_of(rules->text, &name);
    if (found->rule < 0) return false;
    find_value(text, start, NULL, found);
    if (is_prose((sl_span){text.ptr + found->start, found->end - found->start})) return false;
    return is_found(rules, text, (sl_span){text.ptr + at - 1, 0}, found);
}

/* ---- XML ----------------------------------------------------------------------------------------- */

#define MAX_INSIDE 8 /* of the `<` before the closing tag, so many are looked at for the opening one */

/* Where the content of the element begins whose closing tag begins at `close`; `close` when it is not to be
 * seen. */
static size_t content_start(sl_span text, size_t close, sl_span tag)
{
    const char *open = text.ptr + close;

    for (unsigned i = 0; i < MAX_INSIDE; i++) {
        open = memrchr(text.ptr, '<', (size_t)(open - text.ptr));
        if (!open) break;
        size_t end = (size_t)(open - text.ptr) + 1 + tag.len;
        if (end >= close || !sl_span_is((sl_span){open + 1, tag.len}, tag)) continue;
        if (!is_space(text.ptr[end]) && text.ptr[end] != '>') continue;
        const char *bracket = memchr(text.ptr + end, '>', close - end);
        return bracket ? (size_t)(bracket + 1 - text.ptr) : close;
    }
    return close;
}

bool detect_element(const redact_rules *rules, sl_span text, size_t at, size_t after, redact_named *found)
{
    size_t start = at + 1, end = start;

    while (end - start < REDACT_MAX_NAME && (is_name(char_at(text, end)) || char_at(text, end) == ':'))
        end++;
    sl_span tag = {text.ptr + start, end - start}, name = tag;
    const char *colon = tag.len ? memrchr(tag.ptr, ':', tag.len) : NULL; /* <ns:password> */
    if (colon) name = (sl_span){colon + 1, tag.len - (size_t)(colon + 1 - tag.ptr)};
    if (name.len == 0 || char_at(text, end) != '>') return false;
    found->rule = rule_of(rules->text, &name);
    if (found->rule < 0) return false;
    found->end = at - 1;
    found->start = content_start(text, found->end, tag);
    if (found->start < after) return false;
    return is_found(rules, text, (sl_span){text.ptr + found->start, 0}, found);
}

/* named_value.c: where a value ends whose name says that it is a secret. That depends on how it is written:
 *
 *   in quotes           at the closing quote; quotes may themselves be escaped, as in JSON that was cut
 *   in brackets         at the closing one
 *   of a header         at the end of the line: such values have spaces, and texts in quotes
 *   else                at white space, or before the next `name=`
 * In doubt more is taken: half a password would be worse than a comma too much.
 */
#include "named_value.h"

static int32_t look_up(const redact_keys *keys, sl_span name)
{
    if (!redact_keys_may_hold(keys, name)) return REDACT_NO_RULE;
    return redact_keys_find(keys, name);
}

int32_t redact__rule_of_name(const redact_keys *keys, sl_span *name)
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

/* What stands for a value that is given elsewhere: `?`, `$1`, `:1`, `@p1`, `%s` in SQL, `${DB_PASSWORD}`. */
static bool is_placeholder(sl_span value)
{
    static const char *const signs[] = {"?", "%s", "%d", "%v"};
    static const char *const numbered[] = {"$", ":", "@p", "?"};

    for (size_t i = 0; i < SL_LEN(signs); i++) {
        if (sl_span_is_cstr(value, signs[i])) return true;
    }
    for (size_t i = 0; i < SL_LEN(numbered); i++) {
        size_t len = strlen(numbered[i]), at = len;
        while (is_digit(char_at(value, at)))
            at++;
        bool number = at > len && at == value.len && at - len < 4;
        if (number && memcmp(value.ptr, numbered[i], len) == 0) return true;
    }
    if (value.len < 3 || memcmp(value.ptr, "${", 2) != 0) return false;
    size_t at = 2; /* the bracket at its end is not of a bare value */
    while ((char_at(value, at) >= 'A' && char_at(value, at) <= 'Z') || is_digit(char_at(value, at)) ||
           char_at(value, at) == '_')
        at++;
    return at + (char_at(value, at) == '}') == value.len;
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

void redact__find_value(sl_span text, size_t at, const sl_span *header, redact_named *found)
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

/* Whether the value is what this filter put there, and nothing more. */
static bool is_own_work(const redact_action *action, sl_span text, const redact_named *found)
{
    size_t own = redact_own_mark(action, (sl_span){text.ptr + found->start, text.len - found->start});
    char next = char_at(text, found->start + own);

    return own > 0 && (next == '\0' || is_space(next) || is_quote(next) || strchr(",;.&|)]}<>\\", next));
}

bool redact__hides_value(const redact_rules *rules, sl_span text, sl_span name, redact_named *found)
{
    sl_span value = {text.ptr + found->start, found->end - found->start};
    const redact_action *action = &rules->rule[found->rule].action;

    if (value.len == 0 || is_no_secret(value) || is_placeholder(value) || is_own_work(action, text, found))
        return false;
    /* A name left behind would make a secret of the next word. */
    if (action->verb == REDACT_REMOVE) found->start = (size_t)(name.ptr - text.ptr);
    return true;
}

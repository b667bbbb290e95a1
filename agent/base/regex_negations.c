/* regex_negations.c: a way round a fault of PCRE2 up to 10.42.
 *
 * Its JIT, when told that texts may hold bytes that are no UTF-8, takes no character beyond ASCII for `\S`,
 * `\D` or `\W`: `token=\S+` ends at the first é, and what is redacted by it would end there too. Classes are
 * right, so these three are spelled as classes. https://github.com/PCRE2Project/pcre2/issues/224
 *
 * The pattern is known to compile. What is inside classes, or quoted by \Q…\E, stays as it is. Where free
 * text may stand between (comments, names of verbs), a bracket need not be one: then nothing is done.
 */
#include "regex_int.h"

static bool is_negation(char c)
{
    return c == 'S' || c == 'D' || c == 'W';
}

/* Bytes of the escape at `at`, with \Q all that it quotes. */
static size_t escape_len(sl_span pattern, size_t at)
{
    size_t left = pattern.len - at;
    char c = left > 1 ? pattern.ptr[at + 1] : '\0';
    size_t len = 2;
    if (c == 'c') len = 3;
    if (c == 'Q') len = sl_span_find(pattern, SL_SPAN("\\E"), at) - at; /* its \E is an escape of its own */
    return len < left ? len : left;
}

/* Bytes of what may be [:alpha:] or [:^alpha:] at `at`; a bracket of another kind is one. */
static size_t posix_len(sl_span pattern, size_t at)
{
    size_t i = at + 2;
    if (i > pattern.len || pattern.ptr[at + 1] != ':') return 1;
    if (i < pattern.len && pattern.ptr[i] == '^') i++;
    while (i < pattern.len && pattern.ptr[i] >= 'a' && pattern.ptr[i] <= 'z')
        i++;
    bool ends = i + 1 < pattern.len && pattern.ptr[i] == ':' && pattern.ptr[i + 1] == ']';
    return ends ? i + 2 - at : 1;
}

/* Bytes of the class at `at`, with its brackets. A `]` that stands first is one of its characters, and those
 * of [:alpha:] and the like do not end it. */
static size_t class_len(sl_span pattern, size_t at)
{
    size_t i = at + 1;
    if (i < pattern.len && pattern.ptr[i] == '^') i++;
    if (i < pattern.len && pattern.ptr[i] == ']') i++;
    while (i < pattern.len && pattern.ptr[i] != ']') {
        char c = pattern.ptr[i];
        i += c == '\\' ? escape_len(pattern, i) : c == '[' ? posix_len(pattern, i) : 1;
    }
    return i < pattern.len ? i + 1 - at : pattern.len - at;
}

/* Whether a group's head, `(?i-x` or `(?#`, or a verb, `(*`, lets free text in. */
static bool has_free_text(sl_span pattern)
{
    for (size_t at = sl_span_find(pattern, SL_SPAN("("), 0); at < pattern.len;
         at = sl_span_find(pattern, SL_SPAN("("), at + 1)) {
        size_t i = at + 1;
        if (i < pattern.len && pattern.ptr[i] == '*') return true;
        if (i >= pattern.len || pattern.ptr[i] != '?') continue;
        for (i++; i < pattern.len; i++) {
            char c = pattern.ptr[i];
            if (c == '#' || c == 'x') return true;
            if (c != '^' && c != '-' && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')) break;
        }
    }
    return false;
}

static bool may_have_negations(sl_span pattern)
{
    for (size_t at = 0; at + 1 < pattern.len; at++)
        if (pattern.ptr[at] == '\\' && is_negation(pattern.ptr[at + 1])) return true;
    return false;
}

sl_negations sl_regex__spell_negations(sl_span pattern, sl_buf *out)
{
    if (!may_have_negations(pattern)) return SL_NEGATIONS_NONE;
    if (has_free_text(pattern)) return SL_NEGATIONS_HIDDEN;
    for (size_t at = 0; at < pattern.len;) {
        const char *p = pattern.ptr + at;
        size_t len = *p == '\\' ? escape_len(pattern, at) : *p == '[' ? class_len(pattern, at) : 1;
        if (*p == '\\' && len == 2 && is_negation(p[1])) {
            const char class[] = {'[', '^', '\\', (char)(p[1] | 0x20), ']'};
            sl_buf_append(out, class, sizeof(class));
        } else {
            sl_buf_append(out, p, len);
        }
        at += len;
    }
    return SL_NEGATIONS_SPELLED;
}

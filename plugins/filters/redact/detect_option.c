/* detect_option.c: secrets on command lines: `--password hunter2`, `"--token","abc"`. */
#include "named_value.h"

#define MAX_GAP 4 /* blanks between an option and its value */

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
    return redact__rule_of_name(rules->text, &option);
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
    found->rule = redact__rule_of_name(rules->text, &name);
    if (found->rule < 0) return false;
    redact__find_value(text, start, NULL, found);
    if (is_prose((sl_span){text.ptr + found->start, found->end - found->start})) return false;
    return redact__hides_value(rules, text, (sl_span){text.ptr + at - 1, 0}, found);
}

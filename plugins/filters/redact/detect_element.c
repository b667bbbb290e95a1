/* detect_element.c: secrets in elements of XML and HTML: `<password>hunter2</password>`. */
#include "named_value.h"

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
    found->rule = redact__rule_of_name(rules->text, &name);
    if (found->rule < 0) return false;
    found->end = at - 1;
    found->start = content_start(text, found->end, tag);
    if (found->start < after) return false;
    return redact__hides_value(rules, text, (sl_span){text.ptr + found->start, 0}, found);
}

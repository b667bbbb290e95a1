/* named_value.h: what the detectors share that know a secret by the name beside it. */
#ifndef SL_REDACT_NAMED_VALUE_H
#define SL_REDACT_NAMED_VALUE_H

#include "redact_int.h"

static inline bool is_name(char c)
{
    return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

static inline bool is_quote(char c)
{
    return c == '"' || c == '\'' || c == '`';
}

static inline bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The rule of a name, or of its part behind the last dot (db.password); *name becomes what has the rule. */
int32_t redact__rule_of_name(const redact_keys *keys, sl_span *name);
/* Sets start and end of the value at `at`. header: the name, when it is one of a header that takes a line;
 * else NULL. */
void redact__find_value(sl_span text, size_t at, const sl_span *header, redact_named *found);
/* Whether the value found is to be hidden: it is no word about a secret, no placeholder, and not hidden
 * already. Where the action takes it out, the name at its front goes with it. */
bool redact__hides_value(const redact_rules *rules, sl_span text, sl_span name, redact_named *found);

#endif

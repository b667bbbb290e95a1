/* regex_int.h: what the files of regular expressions share. */
#ifndef SL_BASE_REGEX_INT_H
#define SL_BASE_REGEX_INT_H

#include <sluice/base.h>

typedef enum sl_negations {
    SL_NEGATIONS_NONE,
    SL_NEGATIONS_SPELLED,
    SL_NEGATIONS_HIDDEN, /* there may be some, but the pattern has comments or verbs, and is not to be touched */
} sl_negations;

/* Appends the pattern with `\S`, `\D`, `\W` outside of classes as `[^\s]`, `[^\d]`, `[^\w]`, if it has any. */
sl_negations sl_regex__spell_negations(sl_span pattern, sl_buf *out);

#endif

/* json_random.h: random JSON texts for property tests. The same seed gives the same texts. */
#ifndef SLUICE_JSON_RANDOM_H
#define SLUICE_JSON_RANDOM_H

#include <sluice/json.h>

typedef struct sl_random {
    uint64_t state; /* any seed but 0 */
} sl_random;

uint64_t sl_random_next(sl_random *random);
/* 0 <= result < limit; limit > 0. */
uint32_t sl_random_below(sl_random *random, uint32_t limit);

/* Appends one valid JSON value nested at most `depth` deep: all types, odd spacing, escapes, lone surrogates,
 * non-ASCII text, long strings and numbers. */
void sl_json_random(sl_random *random, unsigned depth, sl_buf *out);
/* The same, an object at the top. */
void sl_json_random_object(sl_random *random, unsigned depth, sl_buf *out);
/* Appends a JSON string with quotes whose decoded text is `text` (UTF-8), each character spelled at random:
 * as it is, or as any escape that means the same. */
void sl_json_random_spelling(sl_random *random, sl_span text, sl_buf *out);
/* Appends text with a few bytes changed, cut out, doubled or inserted, mostly ones that mean something in
 * JSON. */
void sl_json_random_mutation(sl_random *random, sl_span text, sl_buf *out);

#endif

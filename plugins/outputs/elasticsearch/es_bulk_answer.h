/* es_bulk_answer.h: reads the answer to a bulk request, item by item, in order.
 *
 * Written for the answer of a healthy server, a thousand times the same item, which it recognises by
 * comparing bytes; any other spelling of the same JSON is read as well. It does not trust it: no recursion,
 * no allocation, nothing outside `body`.
 */
#ifndef ES_BULK_ANSWER_H
#define ES_BULK_ANSWER_H

#include <sluice/base.h>

typedef struct es_item {
    int status;           /* 0: none was given */
    sl_span type, reason; /* of the error, as spelled in JSON (escapes and all); empty: none */
    sl_span cause_type, cause_reason;
} es_item;

/* Calls fn for each run of `count` equal items, the first of them at position `at`. Returns NULL and the
 * number of items; or, when it is not a whole bulk answer, what is wrong with it (static text). */
const char *es_bulk_answer_read(sl_span body,
                                void (*fn)(void *arg, uint32_t at, uint32_t count, const es_item *item),
                                void *arg, uint32_t *items);

/* An answer that is an error as a whole, {"error":{"type":…,"reason":…},"status":400}: fills what is there.
 */
void es_error_answer_read(sl_span body, es_item *item);

#endif

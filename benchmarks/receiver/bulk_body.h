/* A body of Elasticsearch's bulk API: counted, and answered as a healthy server answers.
 * https://www.elastic.co/guide/en/elasticsearch/reference/8.17/docs-bulk.html */
#ifndef BULK_BODY_H
#define BULK_BODY_H

#include "byte_pile.h"
#include "needles.h"
#include "tally.h"

#include <stdbool.h>

/* What to look at in a body. All pointers are borrowed for the receiver's life. */
typedef struct bulk_rules {
    tally *counts;
    const needles *canaries; /* NULL: don't search */
    bool latency;            /* take "t":<ns> of every record as the time it was written */
    bool as_query;           /* the number is ?n=123, not "n":123 */
    bool only_bytes;         /* count nothing but bytes, and look at nothing that the answer doesn't need */
} bulk_rules;

/* Counts the body and appends the answer's body, with the parts wanted (filter_path.h), to `answer`.
 * `now_ns` is the wall clock when the body was whole. Returns the HTTP status: 200, or 400 when the server
 * would refuse the body (empty, last line not ended, an action that is none); records before the fault are
 * counted then, too. */
int bulk_body_receive(const bulk_rules *rules, const char *body, size_t len, unsigned parts, int64_t now_ns,
                      byte_pile *answer);

#endif

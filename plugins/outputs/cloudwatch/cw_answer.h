/* cw_answer.h: what the service's answers say. Bytes from outside: nothing is believed before it is checked. */
#ifndef CW_ANSWER_H
#define CW_ANSWER_H

#include <sluice/base.h>
#include <sluice/json.h>

/* rejectedLogEventsInfo: events [0, old) are too old and [0, expired) past the group's retention, both ends
 * exclusive, and [new, count) too far ahead, its start inclusive (API reference, RejectedLogEventsInfo; for the
 * expired it does not say, and botocore, the agent and others take it like the old). */
typedef struct cw_rejected {
    uint32_t old_end, expired_end, new_start;
} cw_rejected;

/* The answer to a PutLogEvents of `count` events that was taken. NULL, or what is wrong with it. Ends beyond
 * the request are cut to it. */
const char *cw_rejected_read(sl_span body, sl_tape *tape, uint32_t count, cw_rejected *out);

#define CW_MAX_TYPE 80

typedef struct cw_error {
    char type[CW_MAX_TYPE + 1]; /* "ThrottlingException"; letters and digits; empty: it does not say */
    sl_span message;            /* as it is spelled in JSON; may be empty */
} cw_error;

/* An answer that says no. */
void cw_error_read(sl_span body, sl_tape *tape, cw_error *out);

#endif

/* verdict.h: what an answer means for the records that were sent. The one place that decides it; no plugin
 * has an opinion of its own on a status.
 *
 * The table, and why:
 *   no answer (resolve, connect,      RETRY      the records may be fine; nobody has looked at them
 *     TLS, time-out, broken)
 *   2xx                               DELIVERED
 *   3xx                               RETRY      the address is wrong: not the records' fault; not followed
 *   400, 409, 422                     REJECT     the content was looked at and will never be taken
 *   413                               SPLIT      too large
 *   401, 403, 404, 405, other 4xx     RETRY      credentials, address or limits, which people can mend
 *   408, 425, 429, 5xx                RETRY      by their definition (RFC 9110, RFC 6585)
 * A plugin's judge() may know better from the answer's body.
 */
#ifndef SLUICE_VERDICT_H
#define SLUICE_VERDICT_H

#include <sluice/plugin.h>

struct sl_record_verdict {
    sl_verdict_kind kind; /* DELIVERED, RETRY or REJECT; DELIVERED is 0 */
    sl_span reason;       /* in the verdict's arena */
};

/* Pure: sets kind, retry_after_ns and reason of a verdict that was initialised. The reason names status and
 * address and holds nothing of the body. */
void sl_verdict_of(const sl_answer *answer, sl_verdict *verdict);
/* Does this failure say that the other side is overloaded or away, so that less should be sent at a time? */
bool sl_answer_is_pressure(const sl_answer *answer);
/* Does it say that this one address is away (no answer, 502, 503, 504), so that another may do? */
bool sl_answer_is_address_lost(const sl_answer *answer);

#endif

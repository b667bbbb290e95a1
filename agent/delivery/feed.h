/* feed.h: where an output worker gets its frames from, in order: from memory while it keeps up, else back
 * from the journal. Also the count of records that are known and not taken yet, by segment.
 *
 * Owner: the output's loop.
 */
#ifndef SLUICE_FEED_H
#define SLUICE_FEED_H

#include "delivery.h"

typedef struct sl_feed_entry {
    uint64_t sequence;
    int64_t offered_ns;
    sl_batch *batch;
} sl_feed_entry;

typedef struct sl_feed {
    sl_journal_reader *reader; /* NULL: a memory journal */
    uint64_t want;             /* the next frame to be taken */
    uint64_t tail;             /* every frame before it was offered */
    uint64_t gone_before;      /* the journal gave up frames before it */
    /* Kept batches, sequence >= want, rising. */
    sl_feed_entry *kept;
    size_t kept_cap, kept_head, kept_count; /* cap: a power of two */
    /* Records not taken, by segment, oldest first. */
    sl_backlog *segments;
    size_t segment_cap, segment_count;
    uint64_t kept_bytes; /* atomic: who offers adds, taking subtracts */
    sl_output_ledger *ledger;
} sl_feed;

void sl_feed_init(sl_feed *feed, const sl_output_worker_conf *conf);
void sl_feed_release(sl_feed *feed);

/* A frame was appended. The batch (its reference already the feed's, its bytes in kept_bytes) or NULL: to be
 * read back. */
void sl_feed_offer(sl_feed *feed, uint64_t sequence, uint64_t segment, uint32_t records, sl_batch *batch,
                   int64_t offered_ns);
void sl_feed_drop_before(sl_feed *feed, uint64_t sequence, const char *reason);

static inline bool sl_feed_is_empty(const sl_feed *feed)
{
    return feed->want >= feed->tail;
}
/* The next one lies in memory: taking it costs nothing. */
bool sl_feed_is_kept(const sl_feed *feed);
/* Takes the next frame: moves its records from `buffered` to `in_flight` in the ledger. 0: *batch is a
 * reference; *offered_ns is when it came (0: long ago). SL_E_NOT_FOUND: nothing there now, although offered;
 * try again later. SL_E_IO, SL_E_NOMEM: the same, err says why. Damaged frames are counted as dropped and
 * passed over. */
int sl_feed_take(sl_feed *feed, sl_batch **batch, int64_t *offered_ns, sl_err *err);
/* Everything is taken or will never come: what is still counted as buffered is counted as dropped. */
void sl_feed_give_up(sl_feed *feed, const char *reason);

#endif

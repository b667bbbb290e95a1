/* feed.c: see the header.
 *
 * Invariant: the records of all segments together are what the ledger calls `buffered`, once every offer that
 * was made has arrived.
 */
#include "feed.h"
#include "window.h"

#define FIRST_CAP 16u

void sl_feed_init(sl_feed *feed, const sl_output_worker_conf *conf)
{
    *feed = (sl_feed){.want = conf->first,
                      .tail = conf->next,
                      .ledger = conf->ledger,
                      .kept_cap = FIRST_CAP,
                      .segment_cap = conf->backlog_count + FIRST_CAP,
                      .segment_count = conf->backlog_count};
    if (conf->journal_dir) feed->reader = sl_journal_reader_new(conf->journal_dir);
    feed->kept = sl_calloc(feed->kept_cap, sizeof *feed->kept);
    feed->segments = sl_calloc(feed->segment_cap, sizeof *feed->segments);
    for (size_t i = 0; i < conf->backlog_count; i++) {
        feed->segments[i] = conf->backlog[i];
        sl_ledger_add(&feed->ledger->buffered, conf->backlog[i].records);
    }
}

static sl_feed_entry *kept_at(const sl_feed *feed, size_t i)
{
    return &feed->kept[(feed->kept_head + i) & (feed->kept_cap - 1)];
}

void sl_feed_release(sl_feed *feed)
{
    for (size_t i = 0; i < feed->kept_count; i++)
        sl_batch_unref(kept_at(feed, i)->batch);
    if (feed->reader) sl_journal_reader_free(feed->reader);
    sl_free(feed->kept);
    sl_free(feed->segments);
    *feed = (sl_feed){0};
}

/* ---- counting by segment ---- */

static void count_offered(sl_feed *feed, uint64_t segment, uint32_t records)
{
    if (!feed->segment_count || feed->segments[feed->segment_count - 1].first != segment) {
        if (feed->segment_count == feed->segment_cap) {
            feed->segment_cap *= 2;
            feed->segments = sl_realloc(feed->segments, feed->segment_cap * sizeof *feed->segments);
        }
        feed->segments[feed->segment_count++] = (sl_backlog){.first = segment};
    }
    feed->segments[feed->segment_count - 1].records += records;
}

/* Segments from which nothing can come any more: empty and before the one that `want` lies in. */
static void forget_empty_segments(sl_feed *feed)
{
    size_t done = 0;
    while (done + 1 < feed->segment_count && !feed->segments[done].records &&
           feed->segments[done + 1].first <= feed->want)
        done++;
    if (!done) return;
    feed->segment_count -= done;
    memmove(feed->segments, feed->segments + done, feed->segment_count * sizeof *feed->segments);
}

/* Takes up to `records` off the segment that holds `sequence`; returns how many it had. */
static uint64_t count_taken(sl_feed *feed, uint64_t sequence, uint64_t records)
{
    size_t i = feed->segment_count;
    while (i > 0 && feed->segments[i - 1].first > sequence)
        i--;
    if (i == 0) return 0;
    sl_backlog *segment = &feed->segments[i - 1];
    if (records > segment->records) records = segment->records;
    segment->records -= records;
    return records;
}

static void count_dropped(sl_feed *feed, uint64_t records, const char *reason)
{
    sl_ledger_sub(&feed->ledger->buffered, records);
    sl_drops_add(&feed->ledger->dropped, reason, records);
}

/* ---- what the journal says ---- */

static void keep(sl_feed *feed, sl_batch *batch, int64_t offered_ns)
{
    if (feed->kept_count == feed->kept_cap) {
        sl_feed_entry *kept = sl_calloc(feed->kept_cap * 2, sizeof *kept);
        for (size_t i = 0; i < feed->kept_count; i++)
            kept[i] = *kept_at(feed, i);
        sl_free(feed->kept);
        feed->kept = kept;
        feed->kept_head = 0;
        feed->kept_cap *= 2;
    }
    *kept_at(feed, feed->kept_count++) = (sl_feed_entry){batch->sequence, offered_ns, batch};
}

void sl_feed_offer(sl_feed *feed, uint64_t sequence, uint64_t segment, uint32_t records, sl_batch *batch,
                   int64_t offered_ns)
{
    sl_assert(sequence >= feed->tail);
    if (sl_feed_is_empty(feed)) feed->want = sequence; /* nothing lies between */
    feed->tail = sequence + 1;
    count_offered(feed, segment, records);
    if (batch) keep(feed, batch, offered_ns);
}

static uint64_t kept_records(const sl_feed *feed, uint64_t from, uint64_t before)
{
    uint64_t records = 0;
    for (size_t i = 0; i < feed->kept_count; i++) {
        const sl_feed_entry *entry = kept_at(feed, i);
        if (entry->sequence >= from && entry->sequence < before) records += entry->batch->count;
    }
    return records;
}

static void pop_kept(sl_feed *feed)
{
    __atomic_fetch_sub(&feed->kept_bytes, sl_batch_held_bytes(kept_at(feed, 0)->batch), __ATOMIC_RELAXED);
    feed->kept_head = (feed->kept_head + 1) & (feed->kept_cap - 1);
    feed->kept_count--;
}

/* A memory journal gives up the memory itself. */
static void drop_kept(sl_feed *feed, uint64_t before)
{
    while (feed->kept_count && kept_at(feed, 0)->sequence < before) {
        sl_batch *batch = kept_at(feed, 0)->batch;
        pop_kept(feed);
        sl_batch_unref(batch);
    }
}

/* Whole segments are given up; what lies in memory of a journal on disk is still delivered. */
void sl_feed_drop_before(sl_feed *feed, uint64_t sequence, const char *reason)
{
    uint64_t lost = 0;
    if (!feed->reader) drop_kept(feed, sequence);
    for (size_t i = 0; i < feed->segment_count && feed->segments[i].first < sequence; i++) {
        sl_backlog *segment = &feed->segments[i];
        uint64_t end = i + 1 < feed->segment_count ? feed->segments[i + 1].first : feed->tail;
        uint64_t saved = kept_records(feed, segment->first, end < sequence ? end : sequence);
        lost += segment->records - saved;
        segment->records = saved;
    }
    if (sequence > feed->gone_before) feed->gone_before = sequence;
    count_dropped(feed, lost, reason);
    forget_empty_segments(feed);
}

void sl_feed_give_up(sl_feed *feed, const char *reason)
{
    uint64_t lost = 0;
    for (size_t i = 0; i < feed->segment_count; i++)
        lost += feed->segments[i].records;
    feed->segment_count = 0;
    feed->want = feed->tail;
    count_dropped(feed, lost, reason);
}

/* ---- taking ---- */

/* Frames that are gone from the journal and not in memory need not be looked for. */
static void skip_gone(sl_feed *feed)
{
    uint64_t upto = feed->gone_before < feed->tail ? feed->gone_before : feed->tail;
    if (feed->kept_count && kept_at(feed, 0)->sequence < upto) upto = kept_at(feed, 0)->sequence;
    if (feed->want < upto) feed->want = upto;
}

bool sl_feed_is_kept(const sl_feed *feed)
{
    if (!feed->kept_count) return false;
    uint64_t first = kept_at(feed, 0)->sequence;
    return first == feed->want || first <= feed->gone_before;
}

static void took(sl_feed *feed, const sl_batch *batch)
{
    uint64_t counted = count_taken(feed, batch->sequence, batch->count);
    sl_ledger_sub(&feed->ledger->buffered, counted);
    sl_ledger_add(&feed->ledger->in_flight, batch->count);
    feed->want = batch->sequence + 1;
    forget_empty_segments(feed);
}

static void take_kept(sl_feed *feed, sl_batch **batch, int64_t *offered_ns)
{
    sl_feed_entry *entry = kept_at(feed, 0);
    *batch = entry->batch;
    *offered_ns = entry->offered_ns;
    pop_kept(feed);
    took(feed, *batch);
}

/* Frames that the reader passed in a gap, but that lie in memory here. */
static bool is_overtaken(const sl_feed *feed, const sl_batch *batch)
{
    return feed->kept_count && kept_at(feed, 0)->sequence <= batch->sequence;
}

static int read_back(sl_feed *feed, sl_batch **batch, sl_err *err)
{
    for (;;) {
        uint64_t next = 0, lost = 0;
        int rc = sl_journal_reader_read(feed->reader, feed->want, batch, &next, &lost, err);
        if (rc != SL_E_CORRUPT) return rc;
        if (next <= feed->want) next = feed->want + 1;
        count_dropped(feed, count_taken(feed, feed->want, lost), "journal_damaged");
        feed->want = next;
        if (sl_feed_is_empty(feed)) return SL_E_NOT_FOUND;
    }
}

int sl_feed_take(sl_feed *feed, sl_batch **batch, int64_t *offered_ns, sl_err *err)
{
    skip_gone(feed);
    if (sl_feed_is_empty(feed)) return SL_E_NOT_FOUND;
    *offered_ns = 0;
    if (feed->kept_count && kept_at(feed, 0)->sequence == feed->want) {
        take_kept(feed, batch, offered_ns);
        return 0;
    }
    sl_assert(feed->reader);
    int rc = read_back(feed, batch, err);
    if (rc < 0) return rc;
    if ((*batch)->sequence >= feed->tail) { /* not offered yet: it will be */
        sl_batch_unref(*batch);
        return SL_E_NOT_FOUND;
    }
    if (is_overtaken(feed, *batch)) {
        sl_batch_unref(*batch);
        take_kept(feed, batch, offered_ns);
        return 0;
    }
    took(feed, *batch);
    return 0;
}

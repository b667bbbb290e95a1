/* memory.c: the journal that keeps batches in memory instead of on disk. A batch stays until every output has
 * dealt with it, and only then is it safe: an input's checkpoint follows delivery itself. Nothing survives
 * the process, and nothing needs to: what was not safe is read again.
 */
#include "journal_int.h"

typedef struct held {
    struct held *next;
    uint64_t sequence;
    uint64_t bytes;
    int64_t at; /* wall time */
    sl_batch *batch;
} held;

typedef struct memory_journal {
    sl_journal base;
    held *oldest, **newest;
    uint64_t frames, bytes;
    uint64_t next_sequence;
    bool refused;
    unsigned n_outputs;
    uint64_t cursor[];
} memory_journal;

static memory_journal *memory_of(sl_journal *journal)
{
    return sl_container_of(journal, memory_journal, base);
}
static const memory_journal *const_memory_of(const sl_journal *journal)
{
    return (const memory_journal *)((const char *)journal - offsetof(memory_journal, base));
}

static uint64_t lowest(const memory_journal *m)
{
    uint64_t low = m->next_sequence;
    for (unsigned i = 0; i < m->n_outputs; i++)
        if (m->cursor[i] < low) low = m->cursor[i];
    return low;
}

/* Lets go of every frame before `next`. The last sequence of them, or 0. */
static uint64_t let_go(memory_journal *m, uint64_t next)
{
    uint64_t last = 0;
    while (m->oldest && m->oldest->sequence < next) {
        held *frame = m->oldest;
        m->oldest = frame->next;
        m->frames--;
        m->bytes -= frame->bytes;
        last = frame->sequence;
        sl_batch_unref(frame->batch);
        sl_free(frame);
    }
    if (!m->oldest) m->newest = &m->oldest;
    return last;
}

static void tell_safe(memory_journal *m, uint64_t last)
{
    if (last) m->base.events.safe(m->base.arg, last);
}

static void drop_before(memory_journal *m, uint64_t next, const char *reason)
{
    for (unsigned i = 0; i < m->n_outputs; i++)
        if (m->cursor[i] < next) m->cursor[i] = next;
    m->base.events.dropped_before(m->base.arg, next, reason);
    tell_safe(m, let_go(m, next));
}

static void hold(memory_journal *m, const sl_frame *frame, sl_batch *batch)
{
    held *h = sl_alloc(sizeof(*h));
    *h = (held){.sequence = m->next_sequence++,
                .bytes = frame->raw_bytes,
                .at = sl_clock_wall_ns(),
                .batch = sl_batch_ref(batch)};
    *m->newest = h;
    m->newest = &h->next;
    m->frames++;
    m->bytes += h->bytes;
    batch->sequence = h->sequence;
    m->base.events.appended(m->base.arg, h->sequence, h->sequence, frame->records, batch);
    if (lowest(m) > h->sequence) tell_safe(m, let_go(m, h->sequence + 1)); /* nobody is there to read it */
}

static int append(sl_journal *journal, sl_frame *frame, sl_batch *batch, sl_err *err)
{
    memory_journal *m = memory_of(journal);
    const sl_journal_conf *conf = &m->base.conf;
    while (conf->max_size && m->oldest && m->bytes + frame->raw_bytes > conf->max_size) {
        if (conf->when_full == SL_FULL_DROP_NEWEST) return 1;
        if (conf->when_full == SL_FULL_BLOCK) {
            m->refused = true;
            return sl_err_set(err, SL_E_FULL,
                              "the memory buffer is full (max_size %llu bytes): the outputs must catch up",
                              (unsigned long long)conf->max_size);
        }
        drop_before(m, m->oldest->sequence + 1, "drop_oldest");
    }
    hold(m, frame, batch);
    return 0;
}

static void tell_room(memory_journal *m)
{
    if (!m->refused) return;
    m->refused = false;
    m->base.events.room(m->base.arg);
}

static void ack(sl_journal *journal, unsigned output, uint64_t next)
{
    memory_journal *m = memory_of(journal);
    sl_assert(output < m->n_outputs && next <= m->next_sequence);
    if (next <= m->cursor[output]) return;
    m->cursor[output] = next;
    uint64_t last = let_go(m, lowest(m));
    tell_safe(m, last);
    if (last) tell_room(m);
}

static int64_t tick(sl_journal *journal, int64_t now_mono_ns)
{
    (void)now_mono_ns;
    memory_journal *m = memory_of(journal);
    int64_t max_age = m->base.conf.max_age_ns, now = sl_clock_wall_ns();
    if (max_age <= 0) return SL_NS_PER_S;
    uint64_t next = 0;
    for (const held *h = m->oldest; h && now - h->at > max_age; h = h->next)
        next = h->sequence + 1;
    if (next) {
        drop_before(m, next, "max_age");
        tell_room(m);
    }
    return max_age / 4 < SL_NS_PER_S ? max_age / 4 + 1 : SL_NS_PER_S;
}

static uint64_t first(const sl_journal *journal, unsigned output)
{
    return const_memory_of(journal)->cursor[output];
}
static uint64_t next(const sl_journal *journal)
{
    return const_memory_of(journal)->next_sequence;
}

static void stats(const sl_journal *journal, sl_journal_stats *out)
{
    const memory_journal *m = const_memory_of(journal);
    *out = (sl_journal_stats){.bytes = m->bytes, .segments = m->frames, .frames = m->frames};
}

static size_t backlog(const sl_journal *journal, unsigned output, sl_backlog *out, size_t max)
{
    const memory_journal *m = const_memory_of(journal);
    size_t n = 0;
    for (const held *h = m->oldest; h; h = h->next) {
        if (h->sequence < m->cursor[output]) continue;
        if (n < max) out[n] = (sl_backlog){.first = h->sequence, .records = h->batch->count};
        n++;
    }
    return n;
}

static void close_memory(sl_journal *journal)
{
    memory_journal *m = memory_of(journal);
    let_go(m, UINT64_MAX);
    sl_free(m);
}

static const sl_journal_ops memory_ops = {
    .close = close_memory,
    .append = append,
    .ack = ack,
    .tick = tick,
    .first = first,
    .next = next,
    .stats = stats,
    .backlog = backlog,
};

sl_journal *sl_journal__open_memory(const sl_journal_conf *conf, unsigned n_outputs,
                                    const sl_journal_events *events, void *arg)
{
    memory_journal *m = sl_calloc(1, sizeof(*m) + n_outputs * sizeof(m->cursor[0]));
    m->base = (sl_journal){.ops = &memory_ops, .conf = *conf, .events = *events, .arg = arg};
    m->newest = &m->oldest;
    m->next_sequence = 1;
    m->n_outputs = n_outputs;
    for (unsigned i = 0; i < n_outputs; i++)
        m->cursor[i] = 1;
    return &m->base;
}

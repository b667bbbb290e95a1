/* ledger.h: what became of every record, per pipeline and per output, as numbers that must add up:
 *
 *   received + recovered = filtered + dead_lettered + dropped{reason} + journaled + on_the_way (pipeline)
 *   journaled            = filtered + delivered + buffered + in_flight + dead_lettered + dropped{reason}
 * (each output)
 *
 * recovered: what the journal still held when the agent started. Counters are written with relaxed atomics by
 * the thread named, and read by anyone; they balance when nothing moves.
 */
#ifndef SLUICE_LEDGER_H
#define SLUICE_LEDGER_H

#include <sluice/base.h>

#define SL_LEDGER_REASONS 32 /* different reasons a side; further ones are counted as "other" */

typedef struct sl_drops {
    const char *reason[SL_LEDGER_REASONS]; /* static texts; set once, then read-only */
    uint64_t count[SL_LEDGER_REASONS];
} sl_drops;
void sl_drops_add(sl_drops *drops, const char *reason, uint64_t n); /* any thread */
uint64_t sl_drops_total(const sl_drops *drops);

typedef struct sl_pipeline_ledger {
    uint64_t received; /* worker loops: records that inputs emitted or gave up */
    uint64_t received_bytes;
    uint64_t filtered;      /* worker loops */
    uint64_t dead_lettered; /* worker loops: by a filter */
    uint64_t on_the_way;    /* emitted, not yet in the journal */
    uint64_t recovered;     /* journal loop, once at start */
    uint64_t journaled;     /* journal loop: appended since the start, plus recovered */
    sl_drops dropped;
} sl_pipeline_ledger;

typedef struct sl_output_ledger {
    uint64_t filtered; /* `when` said no */
    uint64_t delivered;
    uint64_t delivered_bytes;
    uint64_t buffered;  /* in the journal, not yet taken for a request */
    uint64_t in_flight; /* taken, no verdict that ends it yet; also while waiting to be retried */
    uint64_t dead_lettered;
    uint64_t retries; /* requests sent again */
    sl_drops dropped;
} sl_output_ledger;

static inline void sl_ledger_add(uint64_t *field, uint64_t n)
{
    __atomic_fetch_add(field, n, __ATOMIC_RELAXED);
}
static inline void sl_ledger_sub(uint64_t *field, uint64_t n)
{
    __atomic_fetch_sub(field, n, __ATOMIC_RELAXED);
}
static inline uint64_t sl_ledger_get(const uint64_t *field)
{
    return __atomic_load_n(field, __ATOMIC_RELAXED);
}

#endif

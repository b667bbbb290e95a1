/* ledger.c: counting drops by reason. The table is small and only grows: a slot is claimed once by a compare
 * and swap of its reason, then counted up. */
#include "ledger.h"

static bool is_reason(const char *a, const char *b)
{
    return a == b || strcmp(a, b) == 0;
}

/* The slot of this reason, claimed if need be; the last one is "other", for all that found no room. */
static uint64_t *slot_of(sl_drops *drops, const char *reason)
{
    for (size_t i = 0; i < SL_LEDGER_REASONS - 1; i++) {
        const char *there = NULL;
        if (__atomic_compare_exchange_n(&drops->reason[i], &there, reason, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE) ||
            is_reason(there, reason))
            return &drops->count[i];
    }
    __atomic_store_n(&drops->reason[SL_LEDGER_REASONS - 1], "other", __ATOMIC_RELEASE);
    return &drops->count[SL_LEDGER_REASONS - 1];
}

void sl_drops_add(sl_drops *drops, const char *reason, uint64_t n)
{
    if (n) sl_ledger_add(slot_of(drops, reason), n);
}

uint64_t sl_drops_total(const sl_drops *drops)
{
    uint64_t total = 0;
    for (size_t i = 0; i < SL_LEDGER_REASONS; i++)
        total += sl_ledger_get(&drops->count[i]);
    return total;
}

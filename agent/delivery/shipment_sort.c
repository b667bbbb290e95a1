/* shipment_sort.c: records of a shipment in order of their time. Most come in order already: that costs one
 * look at each. The others are merged from the bottom up, which is stable and needs room once. */
#include "shipment.h"

static bool is_sorted(const sl_record_ref *recs, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (recs[i].rec->time_ns < recs[i - 1].rec->time_ns) return false;
    }
    return true;
}

/* Runs [from, middle) and [middle, to) of `recs` into [from, to) of `out`. */
static void merge(const sl_record_ref *recs, uint32_t from, uint32_t middle, uint32_t to, sl_record_ref *out)
{
    uint32_t a = from, b = middle;
    for (uint32_t i = from; i < to; i++) {
        bool first = b == to || (a < middle && recs[a].rec->time_ns <= recs[b].rec->time_ns);
        out[i] = first ? recs[a++] : recs[b++];
    }
}

static uint32_t at_most(uint32_t value, uint32_t max)
{
    return value < max ? value : max;
}

void sl_shipment_sort(sl_shipment *shipment)
{
    uint32_t count = shipment->req.count;
    if (is_sorted(shipment->recs, count)) return;
    sl_record_ref *from = shipment->recs, *to = sl_calloc(shipment->cap, sizeof *to);
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t at = 0; at < count; at += 2 * width)
            merge(from, at, at_most(at + width, count), at_most(at + 2 * width, count), to);
        sl_record_ref *next = from;
        from = to;
        to = next;
    }
    sl_free(to);
    shipment->recs = from;
    shipment->req.recs = from;
}

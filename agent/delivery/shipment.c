/* shipment.c: see the header. */
#include "shipment.h"
#include <stdio.h>
#include <xxhash.h>

#define FIRST_CAP 256u /* records; many may form side by side */

/* ---- lists ---- */

void sl_shipments_push(sl_shipment_list *list, sl_shipment *shipment)
{
    sl_assert(!shipment->list);
    shipment->list = list;
    shipment->next = NULL;
    shipment->prev = list->last;
    if (list->last)
        list->last->next = shipment;
    else
        list->first = shipment;
    list->last = shipment;
    list->count++;
}

sl_shipment *sl_shipments_of(const sl_shipment_list *list, const sl_shipment *like)
{
    for (sl_shipment *at = list->first; at; at = at->next) {
        if (at->key == like->key && sl_span_is(at->req.partition, like->req.partition)) return at;
    }
    return NULL;
}

void sl_shipments_push_first(sl_shipment_list *list, sl_shipment *shipment)
{
    sl_shipment *before = sl_shipments_of(list, shipment);
    if (!before) {
        sl_shipments_push(list, shipment);
        return;
    }
    sl_assert(!shipment->list);
    shipment->list = list;
    shipment->next = before;
    shipment->prev = before->prev;
    if (before->prev)
        before->prev->next = shipment;
    else
        list->first = shipment;
    before->prev = shipment;
    list->count++;
}

void sl_shipments_remove(sl_shipment *shipment)
{
    sl_shipment_list *list = shipment->list;
    if (shipment->prev)
        shipment->prev->next = shipment->next;
    else
        list->first = shipment->next;
    if (shipment->next)
        shipment->next->prev = shipment->prev;
    else
        list->last = shipment->prev;
    list->count--;
    shipment->list = NULL;
    shipment->next = shipment->prev = NULL;
}

sl_shipment *sl_shipments_first_due(const sl_shipment_list *list)
{
    sl_shipment *first = list->first;
    for (sl_shipment *at = first; at; at = at->next) {
        if (at->due_ns < first->due_ns) first = at;
    }
    return first;
}

/* ---- use and re-use ---- */

static void keep_or_release(sl_buf *buf, uint64_t keep_bytes)
{
    sl_buf_clear(buf);
    if (buf->cap > keep_bytes) sl_buf_release(buf);
}

static void free_shipment(sl_shipment *shipment)
{
    sl_buf_release(&shipment->req.body);
    sl_buf_release(&shipment->req.path);
    sl_buf_release(&shipment->wire);
    sl_buf_release(&shipment->partition);
    sl_arena_release(&shipment->arena);
    sl_free(shipment->recs);
    sl_free(shipment);
}

sl_shipment *sl_shipment_take(sl_shipment_pool *pool)
{
    sl_shipment *shipment = pool->idle;
    if (!shipment) {
        shipment = sl_calloc(1, sizeof *shipment);
        shipment->worker = pool->worker;
        return shipment;
    }
    pool->idle = shipment->next;
    pool->count--;
    shipment->next = NULL;
    return shipment;
}

void sl_shipment_put(sl_shipment_pool *pool, sl_shipment *shipment)
{
    sl_assert(!shipment->list && !shipment->held);
    if (pool->count == SL_SHIPMENTS_KEPT) {
        free_shipment(shipment);
        return;
    }
    sl_shipment kept = *shipment;
    keep_or_release(&kept.req.body, pool->keep_bytes);
    keep_or_release(&kept.wire, pool->keep_bytes);
    sl_buf_clear(&kept.req.path);
    sl_buf_clear(&kept.partition);
    sl_arena_clear(&kept.arena);
    *shipment = (sl_shipment){.worker = pool->worker,
                              .req = {.body = kept.req.body, .path = kept.req.path},
                              .wire = kept.wire,
                              .partition = kept.partition,
                              .arena = kept.arena,
                              .recs = kept.recs,
                              .cap = kept.cap,
                              .next = pool->idle};
    pool->idle = shipment;
    pool->count++;
}

void sl_shipment_pool_clear(sl_shipment_pool *pool)
{
    while (pool->idle)
        free_shipment(sl_shipment_take(pool));
}

/* ---- records ---- */

static void reserve(sl_shipment *shipment, uint32_t more)
{
    uint32_t need = shipment->req.count + more;
    if (need <= shipment->cap) return;
    uint32_t cap = shipment->cap ? shipment->cap * 2 : FIRST_CAP;
    while (cap < need)
        cap *= 2;
    shipment->recs = sl_realloc(shipment->recs, cap * sizeof *shipment->recs);
    shipment->cap = cap;
    shipment->req.recs = shipment->recs;
}

void sl_shipment_set_partition(sl_shipment *shipment, sl_span partition)
{
    sl_buf_clear(&shipment->partition);
    sl_buf_append_span(&shipment->partition, partition);
    shipment->req.partition = sl_buf_span(&shipment->partition);
    shipment->key = XXH3_64bits(partition.ptr, partition.len);
}

void sl_shipment_add(sl_shipment *shipment, const sl_batch *batch, const sl_record *rec)
{
    reserve(shipment, 1);
    shipment->req.recs = shipment->recs;
    shipment->recs[shipment->req.count++] = (sl_record_ref){batch, rec};
    shipment->text_bytes += rec->len;
}

void sl_shipment_move_tail(sl_shipment *shipment, uint32_t from, sl_shipment *to)
{
    for (uint32_t i = from; i < shipment->req.count; i++)
        sl_shipment_add(to, shipment->recs[i].batch, shipment->recs[i].rec);
    shipment->req.count = from;
    shipment->text_bytes -= to->text_bytes;
    sl_shipment_set_partition(to, shipment->req.partition);
    to->req.attempt = shipment->req.attempt;
    to->first_ns = shipment->first_ns;
    to->first_wall_ns = shipment->first_wall_ns;
    to->failures = shipment->failures;
    memcpy(to->first_error, shipment->first_error, sizeof to->first_error);
    memcpy(to->last_error, shipment->last_error, sizeof to->last_error);
}

void sl_shipment_note_error(sl_shipment *shipment, const char *text)
{
    if (!shipment->first_error[0]) snprintf(shipment->first_error, sizeof shipment->first_error, "%s", text);
    snprintf(shipment->last_error, sizeof shipment->last_error, "%s", text);
}

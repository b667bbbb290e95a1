/* shipment.h: records on their way to the other side, with the request that carries them. The engine's object
 * behind the sl_request that a plugin sees.
 *
 * It is in one list at a time: forming, sending, waiting (for a repetition) or burying (for the dead
 * letters). The records' batches are kept alive by the window. Spent shipments are kept with their buffers
 * for the next use.
 */
#ifndef SLUICE_SHIPMENT_H
#define SLUICE_SHIPMENT_H

#include "net/http_client.h"
#include <sluice/plugin.h>

struct sl_output_worker;
struct sl_shipment_list;

typedef struct sl_shipment {
    sl_request req; /* first: a plugin holds a pointer to it */
    struct sl_output_worker *worker;
    struct sl_shipment *next, *prev;
    struct sl_shipment_list *list;
    sl_record_ref *recs; /* what req.recs points to */
    uint32_t cap;
    uint64_t text_bytes; /* of the records as they lie in their batches */
    sl_buf partition;    /* what req.partition points to */
    uint64_t key;        /* a hash of it */
    sl_buf wire;         /* the compressed body */
    bool encoded;
    uint64_t held; /* bytes of bodies, as counted in the worker's `held` */
    sl_arena arena;
    sl_http_call *call;
    int64_t sent_ns;       /* monotonic: the latest attempt */
    int64_t due_ns;        /* monotonic: waiting and burying: when to try again */
    int64_t first_ns;      /* monotonic: the first attempt; 0: none yet */
    int64_t first_wall_ns; /* the same for people */
    uint32_t failures;     /* in a row: attempts that ended in RETRY */
    bool holds_others;     /* it failed as a whole: nothing new is sent before it goes through */
    bool lost_address;  /* the latest attempt failed with its address, not with the service: another may do */
    bool was_too_large; /* the latest attempt was refused for its size */
    sl_span *refused;   /* in the arena: why encode() refused a record, one a record; NULL: none was */
    char first_error[SL_REASON_MAX];
    char last_error[SL_REASON_MAX];
    /* Burying only. */
    const char *reason; /* static, snake_case */
    sl_span *why;       /* in the arena: one a record; NULL: last_error for all */
} sl_shipment;

typedef struct sl_shipment_list {
    sl_shipment *first, *last;
    size_t count;
} sl_shipment_list;

void sl_shipments_push(sl_shipment_list *list, sl_shipment *shipment);
/* Before those of its partition: for the one that was under way, while they waited for it. */
void sl_shipments_push_first(sl_shipment_list *list, sl_shipment *shipment);
/* The first of a partition; NULL: there is none. */
sl_shipment *sl_shipments_of(const sl_shipment_list *list, const sl_shipment *like);
void sl_shipments_remove(sl_shipment *shipment); /* from the list it is in */
/* The one that is due first; NULL when the list is empty. */
sl_shipment *sl_shipments_first_due(const sl_shipment_list *list);

#define SL_SHIPMENTS_KEPT 4

typedef struct sl_shipment_pool {
    struct sl_output_worker *worker;
    sl_shipment *idle;
    size_t count;
    uint64_t keep_bytes; /* a body buffer larger than this is not kept */
} sl_shipment_pool;

sl_shipment *sl_shipment_take(sl_shipment_pool *pool); /* empty, in no list */
void sl_shipment_put(sl_shipment_pool *pool, sl_shipment *shipment);
void sl_shipment_pool_clear(sl_shipment_pool *pool); /* frees the idle ones */

/* Before the first record; copied. */
void sl_shipment_set_partition(sl_shipment *shipment, sl_span partition);
/* Puts the records in order of their time; those of the same time stay in theirs. */
void sl_shipment_sort(sl_shipment *shipment);
void sl_shipment_add(sl_shipment *shipment, const sl_batch *batch, const sl_record *rec);
/* Takes the records from `from` on into another, which is empty; the errors and times go with them. */
void sl_shipment_move_tail(sl_shipment *shipment, uint32_t from, sl_shipment *to);
/* The first error of it all stays, the last one is replaced. */
void sl_shipment_note_error(sl_shipment *shipment, const char *text);
static inline sl_shipment *sl_shipment_of(const sl_request *req)
{
    return (sl_shipment *)(uintptr_t)req;
}

#endif

/* former.h: forms requests: as many records as request.max_bytes and max_records allow, or as came within
 * max_age.
 *
 * That a request is full is waited for only while records keep coming: the first ones after a pause go at
 * once, and so there is at most one request a max_age that is not full.
 *
 * Where the plugin parts records (partition()), several requests form at a time, one a key; within a key
 * records keep their order. Who is taken: the one that is full, else the one whose oldest record waits
 * longest, so that none waits for another's company. When memory is used up it is the latter's turn, for that is
 * who holds the oldest batch.
 *
 * It pulls frames only when a request may be sent, so that while the other side is slow records wait in the
 * journal and requests become full. Records for which `when` does not hold end here. One loop.
 */
#ifndef SLUICE_FORMER_H
#define SLUICE_FORMER_H

#include "feed.h"
#include "shipment.h"
#include "window.h"

/* What a worker holds in requests (their batches and bodies) before it takes no more; one is always allowed.
 */
#define SL_OUTPUT_MAX_HELD (6u << 20)
/* Keys for which requests form at a time: with more, the oldest request goes before it is full. */
#define SL_FORMER_MAX_PARTITIONS 128

typedef struct sl_forming {
    sl_shipment *shipment;
    int64_t oldest_ns; /* when its oldest record came; 0: long ago */
} sl_forming;

typedef struct sl_former {
    const sl_delivery_conf *conf;
    const sl_output_ops *ops; /* of which it asks partition() */
    void *self;
    sl_span output; /* its name: batches for another one are not sent */
    sl_feed *feed;
    sl_window *window;
    sl_shipment_pool *pool;
    sl_output_ledger *ledger;
    uint64_t max_bytes; /* at most conf's; less after the other side said that requests are too large */
    int64_t
        overhead;    /* bytes that encoding adds to a record, as found out; less than 0: it leaves some out */
    sl_batch *batch; /* being read; the window holds the reference */
    uint32_t next;   /* its next record */
    sl_forming *forming; /* room for `max` */
    size_t count, max;
    size_t latest; /* where the latest record went; only a guess */
    size_t full;   /* the one that can take no more; `count`: none */
    bool no_room;  /* nor is there room for others: whichever may go goes */
    /* Requests of its partition are under way, and order counts: it waits. NULL: never. */
    bool (*is_busy)(void *arg, const sl_shipment *shipment);
    void *busy_arg;
    int64_t taken_oldest_ns; /* of the one taken last */
    int64_t batch_ns;        /* when `batch` came */
    int64_t taken_ns;        /* when a request was taken last; long ago before the first */
    sl_reader reader;        /* for `when` */
} sl_former;

/* self: the plugin's. */
void sl_former_init(sl_former *former, const sl_output_worker_conf *conf, void *self, sl_feed *feed,
                    sl_window *window, sl_shipment_pool *pool);
void sl_former_release(sl_former *former);
/* Adds what fits from the batch at hand and from further frames. may_read: frames may be read back from the
 * journal. 0: a request is full, or there is no room for another. SL_E_AGAIN: reading is needed but not allowed. Else what sl_feed_take()
 * says: SL_E_NOT_FOUND is the usual "nothing more there now". */
int sl_former_fill(sl_former *former, bool may_read, sl_err *err);
/* Whether one is to go now without waiting for company: after fill() said 0. */
bool sl_former_is_full(const sl_former *former);
/* Whether there is one that may go. */
bool sl_former_has_next(const sl_former *former);
/* When what may go waits no longer: max_age after its oldest record came or after the last request was
 * taken, whichever is sooner; INT64_MAX when there is nothing. */
int64_t sl_former_deadline(const sl_former *former);
static inline bool sl_former_is_empty(const sl_former *former)
{
    return !former->count;
}
/* Several requests share what is held in memory. */
static inline bool sl_former_is_spread(const sl_former *former)
{
    return former->count > 1;
}
/* The bytes that the next one is expected to have once encoded; 0 when there is none. */
uint64_t sl_former_next_bytes(const sl_former *former);
/* The next one as it is, in no list; NULL when there is none. */
sl_shipment *sl_former_take(sl_former *former, int64_t now_ns);
/* Records of the one just taken that did not go into it: they lead the next request of their key. */
void sl_former_put_back(sl_former *former, sl_shipment *shipment);
/* What encoding made of it: sets `overhead` for the next ones. */
void sl_former_learn(sl_former *former, const sl_shipment *shipment);

#endif

/* former.h: forms requests: as many records as request.max_bytes and max_records allow, or as came within
 * max_age.
 *
 * That a request is full is waited for only while records keep coming: the first ones after a pause go at
 * once, and so there is at most one request a max_age that is not full.
 *
 * It pulls frames only when a request may be sent, so that while the other side is slow records wait in the
 * journal and requests become full. Records for which `when` does not hold end here. One loop.
 */
#ifndef SLUICE_FORMER_H
#define SLUICE_FORMER_H

#include "feed.h"
#include "shipment.h"
#include "window.h"

typedef struct sl_former {
    const sl_delivery_conf *conf;
    sl_span output; /* its name: batches for another one are not sent */
    sl_feed *feed;
    sl_window *window;
    sl_shipment_pool *pool;
    sl_output_ledger *ledger;
    uint64_t max_bytes;   /* at most conf's; less after the other side said that requests are too large */
    uint64_t overhead;    /* bytes that encoding adds to a record, as found out */
    sl_batch *batch;      /* being read; the window holds the reference */
    uint32_t next;        /* its next record */
    sl_shipment *forming; /* NULL: nothing yet */
    int64_t oldest_ns;    /* when the oldest record in `forming` came; 0: long ago */
    int64_t batch_ns;     /* the same for `batch` */
    int64_t taken_ns;     /* when a request was taken last; long ago before the first */
    sl_reader reader;     /* for `when` */
} sl_former;

void sl_former_init(sl_former *former, const sl_output_worker_conf *conf, sl_feed *feed, sl_window *window,
                    sl_shipment_pool *pool);
void sl_former_release(sl_former *former);
/* Adds what fits from the batch at hand and from further frames. may_read: frames may be read back from the
 * journal. 0: the request is full. SL_E_AGAIN: reading is needed but not allowed. Else what sl_feed_take()
 * says: SL_E_NOT_FOUND is the usual "nothing more there now". */
int sl_former_fill(sl_former *former, bool may_read, sl_err *err);
/* When what is there waits no longer: max_age after its oldest record came or after the last request was
 * taken, whichever is sooner; INT64_MAX when there is nothing. */
int64_t sl_former_deadline(const sl_former *former);
/* The request as it is, in no list; NULL when there is none. */
sl_shipment *sl_former_take(sl_former *former, int64_t now_ns);
/* What encoding made of it: sets `overhead` for the next ones. */
void sl_former_learn(sl_former *former, const sl_shipment *shipment);

#endif

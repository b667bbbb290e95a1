/* former.c: see the header.
 *
 * How large a record will be once encoded is estimated: its text plus an overhead learned from the request
 * encoded last. Where the estimate was too low and a body became larger than allowed, the sender splits it.
 */
#include "former.h"

#define FIRST_OVERHEAD 96
#define LONG_AGO       (INT64_MIN / 2) /* further back than any max_age */

void sl_former_init(sl_former *former, const sl_output_worker_conf *conf, sl_feed *feed, sl_window *window,
                    sl_shipment_pool *pool)
{
    *former = (sl_former){.conf = conf->delivery,
                          .output = sl_span_of(conf->name),
                          .feed = feed,
                          .window = window,
                          .pool = pool,
                          .ledger = conf->ledger,
                          .max_bytes = conf->delivery->request.max_bytes,
                          .overhead = FIRST_OVERHEAD,
                          .taken_ns = LONG_AGO};
}

void sl_former_release(sl_former *former)
{
    if (former->forming) sl_shipment_put(former->pool, former->forming);
    sl_reader_release(&former->reader);
    *former = (sl_former){0};
}

static bool is_wanted(sl_former *former, sl_record *rec)
{
    const sl_batch *batch = former->batch;
    bool for_all = !batch->target.len || sl_span_is_cstr(batch->target, SL_TARGET_ALL);
    if (!for_all && !sl_span_is(batch->target, former->output)) return false;
    if (!former->conf->when) return true;
    sl_reader_set(&former->reader, former->batch, rec);
    return sl_condition_eval(former->conf->when, &former->reader);
}

static bool fits(const sl_former *former, const sl_record *rec)
{
    const sl_shipment *forming = former->forming;
    if (!forming) return true;
    if (forming->req.count >= former->conf->request.max_records) return false;
    uint64_t records = (uint64_t)forming->req.count + 1;
    return forming->text_bytes + rec->len + records * former->overhead <= former->max_bytes;
}

static void add(sl_former *former, const sl_record *rec)
{
    if (!former->forming) {
        former->forming = sl_shipment_take(former->pool);
        former->oldest_ns = former->batch_ns;
    }
    sl_shipment_add(former->forming, former->batch, rec);
}

static void filter_out(sl_former *former, const sl_record *rec)
{
    sl_ledger_sub(&former->ledger->in_flight, 1);
    sl_ledger_add(&former->ledger->filtered, 1);
    sl_window_settle(former->window, &(sl_record_ref){former->batch, rec}, 1);
}

/* False: the request is full and a record is left. The last record may end the batch's life (all filtered).
 */
static bool add_from_batch(sl_former *former)
{
    uint32_t count = former->batch->count;
    while (former->next < count) {
        sl_record *rec = &former->batch->recs[former->next];
        bool wanted = is_wanted(former, rec);
        if (wanted && !fits(former, rec)) return false;
        former->next++;
        if (wanted)
            add(former, rec);
        else
            filter_out(former, rec);
    }
    former->batch = NULL;
    return true;
}

static int next_batch(sl_former *former, bool may_read, sl_err *err)
{
    if (sl_feed_is_empty(former->feed)) return SL_E_NOT_FOUND;
    if (!may_read && !sl_feed_is_kept(former->feed)) return SL_E_AGAIN;
    sl_batch *batch = NULL;
    int rc = sl_feed_take(former->feed, &batch, &former->batch_ns, err);
    if (rc < 0) return rc;
    uint32_t count = batch->count;
    sl_window_push(former->window, batch);
    former->batch = count ? batch : NULL; /* an empty one is gone already */
    former->next = 0;
    return 0;
}

int sl_former_fill(sl_former *former, bool may_read, sl_err *err)
{
    for (;;) {
        if (former->batch && !add_from_batch(former)) return 0;
        int rc = next_batch(former, may_read, err);
        if (rc < 0) return rc;
    }
}

int64_t sl_former_deadline(const sl_former *former)
{
    if (!former->forming) return INT64_MAX;
    int64_t since = former->oldest_ns < former->taken_ns ? former->oldest_ns : former->taken_ns;
    return since + former->conf->request.max_age_ns;
}

sl_shipment *sl_former_take(sl_former *former, int64_t now_ns)
{
    sl_shipment *shipment = former->forming;
    former->forming = NULL;
    former->taken_ns = now_ns;
    return shipment;
}

void sl_former_learn(sl_former *former, const sl_shipment *shipment)
{
    uint64_t body = shipment->req.body.len;
    if (!shipment->req.count || body < shipment->text_bytes) return;
    former->overhead = (body - shipment->text_bytes + shipment->req.count - 1) / shipment->req.count;
}

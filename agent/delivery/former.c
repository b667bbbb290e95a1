/* former.c: see the header.
 *
 * How large a record will be once encoded is estimated: its text plus an overhead learned from the request
 * encoded last. Where the estimate was too low and a body became larger than allowed, the sender splits it,
 * or, where the plugin counts by itself, it takes fewer and the rest is put back.
 */
#include "former.h"
#include <xxhash.h>

#define FIRST_OVERHEAD 96
#define LONG_AGO       (INT64_MIN / 2) /* further back than any max_age */

void sl_former_init(sl_former *former, const sl_output_worker_conf *conf, void *self, sl_feed *feed,
                    sl_window *window, sl_shipment_pool *pool)
{
    const sl_output_ops *ops = conf->plugin->output;
    *former = (sl_former){.conf = conf->delivery,
                          .ops = ops,
                          .self = self,
                          .output = sl_span_of(conf->name),
                          .feed = feed,
                          .window = window,
                          .pool = pool,
                          .ledger = conf->ledger,
                          .max_bytes = conf->delivery->request.max_bytes,
                          .overhead = FIRST_OVERHEAD,
                          .max = ops->partition ? SL_FORMER_MAX_PARTITIONS : 1,
                          .taken_ns = LONG_AGO};
    former->forming = sl_calloc(former->max, sizeof *former->forming);
}

void sl_former_release(sl_former *former)
{
    for (size_t i = 0; i < former->count; i++)
        sl_shipment_put(former->pool, former->forming[i].shipment);
    sl_free(former->forming);
    sl_reader_release(&former->reader);
    *former = (sl_former){0};
}

/* ---- one request a key ---- */

static bool may_go(const sl_former *former, size_t at)
{
    return !former->is_busy || !former->is_busy(former->busy_arg, former->forming[at].shipment);
}

/* Of those that may go; `count`: none may. */
static size_t oldest(const sl_former *former)
{
    size_t found = former->count;
    for (size_t i = 0; i < former->count; i++) {
        bool older =
            found == former->count || former->forming[i].oldest_ns < former->forming[found].oldest_ns;
        if (older && may_go(former, i)) found = i;
    }
    return found;
}

static bool is_of(const sl_forming *forming, sl_span key)
{
    return sl_span_is(forming->shipment->req.partition, key);
}

/* Neighbours mostly have the same key. `count`: none has it. */
static size_t find(sl_former *former, sl_span key)
{
    if (former->latest < former->count && is_of(&former->forming[former->latest], key)) return former->latest;
    uint64_t hash = former->max > 1 ? XXH3_64bits(key.ptr, key.len) : 0;
    size_t at = 0;
    while (at < former->count &&
           (former->forming[at].shipment->key != hash || !is_of(&former->forming[at], key)))
        at++;
    return at;
}

static void push(sl_former *former, sl_shipment *shipment, int64_t oldest_ns)
{
    former->forming[former->count] = (sl_forming){shipment, oldest_ns};
    former->latest = former->count++;
    former->full = former->count;
}

static uint64_t bytes_with(const sl_former *former, const sl_shipment *shipment, uint32_t more, uint64_t text)
{
    int64_t records = (int64_t)shipment->req.count + more;
    int64_t bytes = (int64_t)(shipment->text_bytes + text) + records * former->overhead;
    return bytes > 0 ? (uint64_t)bytes : 0;
}

static bool fits(const sl_former *former, const sl_shipment *shipment, const sl_record *rec)
{
    if (shipment->req.count >= former->conf->request.max_records) return false;
    return bytes_with(former, shipment, 1, rec->len) <= former->max_bytes;
}

/* False: one is full, and goes before this record can be added. */
static bool add(sl_former *former, const sl_record *rec)
{
    sl_span key = SL_SPAN_NONE;
    if (former->ops->partition) key = former->ops->partition(former->self, former->batch, rec);
    size_t at = find(former, key);
    if (at < former->count && !fits(former, former->forming[at].shipment, rec)) {
        former->full = at;
        return false;
    }
    if (at == former->max) {
        former->no_room = true;
        return false;
    }
    if (at == former->count) {
        sl_shipment *shipment = sl_shipment_take(former->pool);
        if (former->max > 1) sl_shipment_set_partition(shipment, key);
        push(former, shipment, former->batch_ns);
    }
    former->latest = at;
    sl_shipment_add(former->forming[at].shipment, former->batch, rec);
    return true;
}

/* ---- batches ---- */

static bool is_wanted(sl_former *former, sl_record *rec)
{
    const sl_batch *batch = former->batch;
    bool for_all = !batch->target.len || sl_span_is_cstr(batch->target, SL_TARGET_ALL);
    if (!for_all && !sl_span_is(batch->target, former->output)) return false;
    if (!former->conf->when) return true;
    sl_reader_set(&former->reader, former->batch, rec);
    return sl_condition_eval(former->conf->when, &former->reader);
}

static void filter_out(sl_former *former, const sl_record *rec)
{
    sl_ledger_sub(&former->ledger->in_flight, 1);
    sl_ledger_add(&former->ledger->filtered, 1);
    sl_window_settle(former->window, &(sl_record_ref){former->batch, rec}, 1);
}

/* False: a request is full and a record is left. The last record may end the batch's life (all filtered). */
static bool add_from_batch(sl_former *former)
{
    uint32_t count = former->batch->count;
    while (former->next < count) {
        sl_record *rec = &former->batch->recs[former->next];
        bool wanted = is_wanted(former, rec);
        if (wanted && !add(former, rec)) return false;
        former->next++;
        if (!wanted) filter_out(former, rec);
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

/* One request is bounded by its size; many that share batches are not. */
static bool is_done_with_memory(const sl_former *former)
{
    return *former->window->held + former->max_bytes > SL_OUTPUT_MAX_HELD;
}

int sl_former_fill(sl_former *former, bool may_read, sl_err *err)
{
    former->full = former->count;
    former->no_room = false;
    for (;;) {
        if (former->batch && !add_from_batch(former)) return 0;
        if (sl_former_is_spread(former) && is_done_with_memory(former)) {
            former->no_room = true;
            return 0;
        }
        int rc = next_batch(former, may_read, err);
        if (rc < 0) return rc;
    }
}

/* ---- taking ---- */

static size_t next_one(const sl_former *former)
{
    bool full = former->full < former->count && may_go(former, former->full);
    return full ? former->full : oldest(former);
}

bool sl_former_is_full(const sl_former *former)
{
    if (former->no_room) return sl_former_has_next(former);
    return former->full < former->count && may_go(former, former->full);
}

bool sl_former_has_next(const sl_former *former)
{
    return next_one(former) < former->count;
}

int64_t sl_former_deadline(const sl_former *former)
{
    size_t at = oldest(former);
    if (at == former->count) return INT64_MAX;
    int64_t came = former->forming[at].oldest_ns;
    int64_t since = came < former->taken_ns ? came : former->taken_ns;
    return since + former->conf->request.max_age_ns;
}

uint64_t sl_former_next_bytes(const sl_former *former)
{
    size_t at = next_one(former);
    return at < former->count ? bytes_with(former, former->forming[at].shipment, 0, 0) : 0;
}

sl_shipment *sl_former_take(sl_former *former, int64_t now_ns)
{
    size_t at = next_one(former);
    if (at == former->count) return NULL;
    sl_forming taken = former->forming[at];
    former->forming[at] = former->forming[--former->count];
    former->full = former->count;
    former->taken_ns = now_ns;
    former->taken_oldest_ns = taken.oldest_ns;
    return taken.shipment;
}

void sl_former_put_back(sl_former *former, sl_shipment *shipment)
{
    sl_assert(former->count < former->max);
    push(former, shipment, former->taken_oldest_ns);
}

void sl_former_learn(sl_former *former, const sl_shipment *shipment)
{
    int64_t count = shipment->req.count;
    if (!count) return;
    int64_t added = (int64_t)shipment->req.size - (int64_t)shipment->text_bytes;
    former->overhead = added > 0 ? (added + count - 1) / count : added / count;
}

/* dispatch.c: what is sent next.
 *
 * Order: what is due again, then what is new. While a request that failed as a whole has not gone through
 * nothing new is sent: the repetitions are the probes of a server in trouble, and there are at most as many
 * as were under way.
 */
#include "delivery_int.h"

static bool is_done_with_memory(const sl_output_worker *worker)
{
    return worker->held + worker->former.max_bytes > SL_OUTPUT_MAX_HELD; /* room for the body to come, too */
}

/* Requests that form side by side cost no more than their bodies: their records are held already. */
static bool has_room_to_send(const sl_output_worker *worker)
{
    if (!sl_former_is_spread(&worker->former)) return !is_done_with_memory(worker);
    uint64_t body = sl_former_next_bytes(&worker->former);
    return worker->held + body <= SL_OUTPUT_MAX_HELD + SL_OUTPUT_MAX_SPREAD;
}

static bool is_anything_under_way(const sl_output_worker *worker)
{
    return worker->sending.count || worker->waiting.count || worker->burying.count;
}

static bool holds_others(const sl_shipment_list *list)
{
    for (const sl_shipment *at = list->first; at; at = at->next) {
        if (at->holds_others) return true;
    }
    return false;
}

static bool is_held_back(const sl_output_worker *worker)
{
    return holds_others(&worker->waiting) || holds_others(&worker->sending);
}

static void note_sent(sl_output_worker *worker, sl_shipment *shipment)
{
    int64_t now = sl_clock_mono_ns();
    shipment->sent_ns = now;
    shipment->req.attempt++;
    if (!shipment->first_ns) {
        shipment->first_ns = now;
        shipment->first_wall_ns = sl_clock_wall_ns();
    } else {
        sl_ledger_add(&worker->conf.ledger->retries, 1);
    }
    sl_shipments_push(&worker->sending, shipment);
    sl_pacer_sent(&worker->pacer, now);
    sl_in_flight_sent(&worker->in_flight);
}

static void send(sl_output_worker *worker, sl_shipment *shipment)
{
    if (!worker->is_http) {
        note_sent(worker, shipment);
        worker->ops->send(worker->self, &shipment->req); /* may be done before it returns */
    } else if (sl_http_output__send(worker, shipment)) {
        note_sent(worker, shipment);
    } else {
        shipment->due_ns = 0;
        sl_worker__wait(worker, shipment);
    }
}

/* Where order counts: the first of its partition, and none beside one that is under way. */
static bool may_go_again(const sl_output_worker *worker, const sl_shipment *shipment)
{
    if (!worker->in_order) return true;
    return !sl_shipments_of(&worker->sending, shipment) &&
           sl_shipments_of(&worker->waiting, shipment) == shipment;
}

static sl_shipment *first_due(const sl_output_worker *worker)
{
    sl_shipment *first = NULL;
    for (sl_shipment *at = worker->waiting.first; at; at = at->next) {
        if ((!first || at->due_ns < first->due_ns) && may_go_again(worker, at)) first = at;
    }
    return first;
}

static bool send_due(sl_output_worker *worker)
{
    sl_shipment *due = first_due(worker);
    if (!due || due->due_ns > sl_clock_mono_ns()) return false;
    sl_shipments_remove(due);
    if (worker->is_http && !sl_http_output__encode(worker, due, false)) return true; /* halves are due now */
    send(worker, due);
    return true;
}

/* ---- new ones ---- */

#define MISSING_PATIENCE_NS (5 * SL_NS_PER_S)

static void wait_to_read(sl_output_worker *worker, int rc, const sl_err *err)
{
    int64_t now = sl_clock_mono_ns();
    worker->read_at_ns = now + sl_backoff_next(&worker->read_backoff);
    if (rc != SL_E_NOT_FOUND) {
        worker->missing_since_ns = 0;
        sl_log_limited(&worker->read_limit, SL_LOG_ERROR, worker->log_name,
                       "cannot read back from the journal, trying again: %s", err->text);
        sl_worker__set_trouble(worker, err->text, worker->read_at_ns);
        return;
    }
    if (!worker->missing_since_ns) worker->missing_since_ns = now;
    if (now - worker->missing_since_ns < MISSING_PATIENCE_NS) return;
    sl_error(worker->log_name, "frames %llu to %llu are not in the journal any more: counted as dropped",
             (unsigned long long)worker->feed.want, (unsigned long long)worker->feed.tail - 1);
    sl_feed_give_up(&worker->feed, "journal_missing");
    worker->read_at_ns = worker->missing_since_ns = 0;
}

static void note_read(sl_output_worker *worker)
{
    if (worker->read_at_ns && !worker->missing_since_ns) sl_worker__clear_trouble(worker);
    worker->read_at_ns = worker->missing_since_ns = 0;
    sl_backoff_reset(&worker->read_backoff);
}

/* Whether what was formed goes out now: it is full, or nothing is to be waited for. */
static bool form(sl_output_worker *worker)
{
    sl_former *former = &worker->former;
    int64_t now = sl_clock_mono_ns();
    bool memory = !is_done_with_memory(worker) || !is_anything_under_way(worker);
    bool may_read = memory && now >= worker->read_at_ns;
    uint64_t want = worker->feed.want;
    sl_err err = SL_ERR_NONE;
    int rc = sl_former_fill(former, may_read, &err);
    if (worker->feed.want != want) note_read(worker);
    bool offered = !sl_feed_is_empty(&worker->feed);
    if (!offered)
        worker->read_at_ns = worker->missing_since_ns = 0;
    else if (rc != 0 && rc != SL_E_AGAIN)
        wait_to_read(worker, rc, &err);
    if (!sl_former_has_next(former)) return false;
    return (rc == 0 && sl_former_is_full(former)) || (rc == SL_E_AGAIN && !memory) || worker->draining ||
           now >= sl_former_deadline(former);
}

static bool may_send_new(const sl_output_worker *worker)
{
    return !is_held_back(worker) && (has_room_to_send(worker) || !is_anything_under_way(worker));
}

static bool send_new(sl_output_worker *worker)
{
    if (!may_send_new(worker) || !form(worker)) return false;
    sl_shipment *shipment = sl_former_take(&worker->former, sl_clock_mono_ns());
    if (worker->ops->by_time) sl_shipment_sort(shipment);
    if (worker->is_http && !sl_http_output__encode(worker, shipment, true)) return true;
    send(worker, shipment);
    return true;
}

bool sl_dispatch__next(sl_output_worker *worker)
{
    if (worker->is_http && !sl_http_output__is_ready(worker)) return false;
    if (!sl_in_flight_has_room(&worker->in_flight)) return false;
    int64_t now = sl_clock_mono_ns();
    if (sl_pacer_next(&worker->pacer, now) > now) return false;
    return send_due(worker) || send_new(worker);
}

/* ---- when next ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_send(const sl_output_worker *worker)
{
    const sl_shipment *due = first_due(worker);
    int64_t at = due ? due->due_ns : INT64_MAX;
    if (!may_send_new(worker)) return at; /* so does one here */
    if (worker->read_at_ns) at = earlier(at, worker->read_at_ns);
    return earlier(at, sl_former_deadline(&worker->former));
}

static bool is_anything_to_send(const sl_output_worker *worker)
{
    const sl_former *former = &worker->former;
    return worker->waiting.count || former->batch || !sl_former_is_empty(former) ||
           !sl_feed_is_empty(&worker->feed);
}

int64_t sl_dispatch__deadline(const sl_output_worker *worker)
{
    if (worker->prepare != SL_PREPARE_DONE)
        return worker->prepare == SL_PREPARE_NEEDED ? worker->prepare_at_ns : INT64_MAX;
    if (!sl_in_flight_has_room(&worker->in_flight)) return INT64_MAX; /* an answer comes first */
    int64_t now = sl_clock_mono_ns(), paced = sl_pacer_next(&worker->pacer, now);
    if (paced == now) return next_send(worker);
    return is_anything_to_send(worker) ? paced : INT64_MAX;
}

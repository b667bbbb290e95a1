/* settle.c: what becomes of a shipment's records, by its verdict. */
#include "delivery_int.h"
#include <stdio.h>

/* Requests are not made smaller than this because some were too large. */
#define LEAST_MAX_BYTES (64u * 1024)

void sl_settle__drop_bodies(sl_output_worker *worker, sl_shipment *shipment)
{
    worker->held -= shipment->held;
    shipment->held = 0;
    shipment->encoded = false;
}

/* ---- delivered ---- */

static void count_delivered(sl_output_worker *worker, uint64_t records, uint64_t bytes)
{
    sl_output_ledger *ledger = worker->conf.ledger;
    sl_ledger_sub(&ledger->in_flight, records);
    sl_ledger_add(&ledger->delivered, records);
    sl_ledger_add(&ledger->delivered_bytes, bytes);
}

static void finish(sl_output_worker *worker, sl_shipment *shipment)
{
    sl_settle__drop_bodies(worker, shipment);
    sl_shipment_put(&worker->pool, shipment);
}

static void deliver_all(sl_output_worker *worker, sl_shipment *shipment)
{
    count_delivered(worker, shipment->req.count, shipment->text_bytes);
    sl_window_settle(&worker->window, shipment->recs, shipment->req.count);
    sl_worker__clear_trouble(worker);
    finish(worker, shipment);
}

/* ---- again ---- */

static bool is_too_old(const sl_output_worker *worker, const sl_shipment *shipment)
{
    int64_t max_age = worker->conf.delivery->retry.max_age_ns;
    return max_age > 0 && sl_clock_mono_ns() - shipment->first_ns >= max_age;
}

/* With another address at hand, or what we did wrong mended, there is no reason to wait. */
static int64_t retry_delay(sl_output_worker *worker, const sl_shipment *shipment, const sl_verdict *verdict)
{
    if (verdict->cause == SL_CAUSE_CALLER && shipment->failures == 1) return 0;
    if (shipment->lost_address && shipment->failures == 1 && sl_http_client_trusted(worker->client) > 0)
        return 0;
    int64_t delay = sl_backoff_delay(&worker->backoff, shipment->failures);
    return delay > verdict->retry_after_ns ? delay : verdict->retry_after_ns;
}

static void wait_again(sl_output_worker *worker, sl_shipment *shipment, const sl_verdict *verdict)
{
    shipment->failures++;
    shipment->due_ns = sl_clock_mono_ns() + retry_delay(worker, shipment, verdict);
    sl_worker__wait(worker, shipment);
}

static void retry_all(sl_output_worker *worker, sl_shipment *shipment, const sl_verdict *verdict)
{
    sl_shipment_note_error(shipment, verdict->reason);
    if (is_too_old(worker, shipment)) {
        sl_bury__shipment(worker, shipment, "retry_max_age", verdict->reason);
        return;
    }
    shipment->holds_others = verdict->cause != SL_CAUSE_PARTITION;
    wait_again(worker, shipment, verdict);
    sl_log_limited(&worker->retry_limit, SL_LOG_WARN, worker->log_name,
                   "%u records wait to be sent again: %s", shipment->req.count, verdict->reason);
    sl_worker__set_trouble(worker, verdict->reason, shipment->due_ns);
}

/* ---- halves ---- */

static void send_at_once(sl_output_worker *worker, sl_shipment *shipment)
{
    shipment->due_ns = 0;
    shipment->holds_others = false;
    sl_worker__wait(worker, shipment);
}

void sl_settle__split(sl_output_worker *worker, sl_shipment *shipment)
{
    sl_assert(shipment->req.count > 1);
    sl_settle__drop_bodies(worker, shipment);
    sl_shipment *tail = sl_shipment_take(&worker->pool);
    sl_shipment_move_tail(shipment, shipment->req.count / 2, tail);
    send_at_once(worker, tail);
    send_at_once(worker, shipment);
}

void sl_settle__cut(sl_output_worker *worker, sl_shipment *shipment, uint32_t from, bool fresh)
{
    sl_shipment *tail = sl_shipment_take(&worker->pool);
    sl_shipment_move_tail(shipment, from, tail);
    if (fresh)
        sl_former_put_back(&worker->former, tail);
    else
        send_at_once(worker, tail);
}

/* Requests to come are made smaller, too. */
static void lower_max_bytes(sl_output_worker *worker, const sl_shipment *shipment, const sl_verdict *verdict)
{
    uint64_t half = shipment->text_bytes / 2;
    if (half < LEAST_MAX_BYTES) half = LEAST_MAX_BYTES;
    if (half >= worker->former.max_bytes) return;
    worker->former.max_bytes = half;
    sl_warn(worker->log_name,
            "requests are too large for the other side (%s): from now on at most %llu bytes; set "
            "request.max_bytes to what it takes",
            verdict->reason, (unsigned long long)half);
}

static void too_large(sl_output_worker *worker, sl_shipment *shipment, const sl_verdict *verdict)
{
    sl_shipment_note_error(shipment, verdict->reason);
    if (shipment->req.count == 1) {
        sl_bury__shipment(worker, shipment, "too_large", verdict->reason);
        return;
    }
    if (shipment->was_too_large) lower_max_bytes(worker, shipment, verdict);
    sl_settle__split(worker, shipment);
}

/* ---- some of them ---- */

/* A shipment for those records of another that go to the dead letters, each with its reason. */
static sl_shipment *take_grave(sl_output_worker *worker, const sl_shipment *shipment)
{
    sl_shipment *grave = sl_shipment_take(&worker->pool);
    grave->why = sl_arena_zalloc(&grave->arena, shipment->req.count * sizeof *grave->why);
    grave->req.attempt = shipment->req.attempt;
    grave->first_ns = shipment->first_ns;
    grave->first_wall_ns = shipment->first_wall_ns ? shipment->first_wall_ns : sl_clock_wall_ns();
    memcpy(grave->first_error, shipment->first_error, sizeof grave->first_error);
    return grave;
}

static void add_to_grave(sl_shipment *grave, sl_record_ref ref, sl_span reason)
{
    grave->why[grave->req.count] = sl_arena_dup(&grave->arena, reason);
    sl_shipment_add(grave, ref.batch, ref.rec);
}

/* Moves the rejected records into a shipment of their own; NULL when there are none. */
static sl_shipment *take_rejected(sl_output_worker *worker, sl_shipment *shipment, const sl_verdict *verdict)
{
    sl_shipment *rejected = NULL;
    for (uint32_t i = 0; i < verdict->count; i++) {
        const struct sl_record_verdict *each = &verdict->each[i];
        if (each->kind != SL_VERDICT_REJECT) continue;
        if (!rejected) rejected = take_grave(worker, shipment);
        add_to_grave(rejected, shipment->recs[i], each->reason);
    }
    return rejected;
}

bool sl_settle__refused(sl_output_worker *worker, sl_shipment *shipment)
{
    const sl_span *why = shipment->refused;
    if (!why) return true;
    shipment->refused = NULL;
    sl_shipment *refused = take_grave(worker, shipment);
    uint32_t kept = 0;
    shipment->text_bytes = 0;
    for (uint32_t i = 0; i < shipment->req.count; i++) {
        sl_record_ref ref = shipment->recs[i];
        if (why[i].ptr) {
            add_to_grave(refused, ref, why[i]);
            continue;
        }
        shipment->recs[kept++] = ref;
        shipment->text_bytes += ref.rec->len;
    }
    shipment->req.count = kept;
    char text[SL_REASON_MAX];
    snprintf(text, sizeof text, SL_SPAN_FMT, SL_SPAN_ARG(refused->why[0]));
    sl_bury__shipment(worker, refused, "refused", text);
    if (!kept) finish(worker, shipment);
    return kept > 0;
}

/* Settles the delivered records and keeps those to be sent again, in order. Returns the first reason for
 * that. */
static sl_span keep_to_retry(sl_output_worker *worker, sl_shipment *shipment, const sl_verdict *verdict)
{
    sl_span reason = SL_SPAN_NONE;
    uint64_t delivered = 0, bytes = 0;
    uint32_t kept = 0;
    shipment->text_bytes = 0;
    for (uint32_t i = 0; i < verdict->count; i++) {
        sl_record_ref ref = shipment->recs[i];
        if (verdict->each[i].kind == SL_VERDICT_RETRY) {
            if (!kept) reason = verdict->each[i].reason;
            shipment->recs[kept++] = ref;
            shipment->text_bytes += ref.rec->len;
        } else if (verdict->each[i].kind == SL_VERDICT_DELIVERED) {
            delivered++;
            bytes += ref.rec->len;
            sl_window_settle(&worker->window, &ref, 1);
        }
    }
    shipment->req.count = kept;
    count_delivered(worker, delivered, bytes);
    return reason;
}

static void retry_some(sl_output_worker *worker, sl_shipment *shipment, const sl_verdict *verdict,
                       sl_span reason)
{
    char text[SL_REASON_MAX];
    snprintf(text, sizeof text, SL_SPAN_FMT, SL_SPAN_ARG(reason));
    sl_shipment_note_error(shipment, text);
    sl_settle__drop_bodies(worker, shipment);
    if (is_too_old(worker, shipment)) {
        sl_bury__shipment(worker, shipment, "retry_max_age", verdict->reason);
        return;
    }
    shipment->holds_others = false;
    wait_again(worker, shipment, verdict);
    sl_log_limited(&worker->retry_limit, SL_LOG_WARN, worker->log_name,
                   "%u records of a request wait to be sent again: %s", shipment->req.count, verdict->reason);
}

static void settle_each(sl_output_worker *worker, sl_shipment *shipment, const sl_verdict *verdict)
{
    sl_assert(verdict->each && verdict->count == shipment->req.count);
    sl_shipment *rejected = take_rejected(worker, shipment, verdict);
    sl_span reason = keep_to_retry(worker, shipment, verdict);
    sl_worker__clear_trouble(worker);
    if (shipment->req.count)
        retry_some(worker, shipment, verdict, reason);
    else
        finish(worker, shipment);
    if (rejected) sl_bury__shipment(worker, rejected, "rejected", verdict->reason);
}

void sl_settle__verdict(sl_output_worker *worker, sl_shipment *shipment, const sl_verdict *verdict)
{
    switch (verdict->kind) {
    case SL_VERDICT_DELIVERED: deliver_all(worker, shipment); break;
    case SL_VERDICT_RETRY: retry_all(worker, shipment, verdict); break;
    case SL_VERDICT_SPLIT: too_large(worker, shipment, verdict); break;
    case SL_VERDICT_PARTIAL: settle_each(worker, shipment, verdict); break;
    case SL_VERDICT_REJECT:
        sl_shipment_note_error(shipment, verdict->reason);
        sl_worker__clear_trouble(worker);
        sl_bury__shipment(worker, shipment, "rejected", verdict->reason);
        break;
    }
}

/* output_api.c: what an output plugin may call, besides its HTTP calls (http_output.c) and verdicts
 * (verdict.c). */
#include "base/metrics.h"
#include "delivery_int.h"
#include "state/state_db.h"
#include <stdio.h>

sl_loop *sl_output_loop(sl_output *out)
{
    return out->worker->loop;
}

const char *sl_output_name(sl_output *out)
{
    return out->worker->conf.name;
}

/* Opened at first need: most outputs keep nothing. */
sl_state *sl_output_state(sl_output *out, sl_err *err)
{
    sl_output_worker *worker = out->worker;
    sl_assert_on(worker->loop);
    if (worker->state) return worker->state;
    char scope[SL_STATE_MAX_SCOPE];
    snprintf(scope, sizeof scope, "output/%s/%s", worker->conf.pipeline, worker->conf.name);
    worker->state = sl_state_open(worker->conf.data_dir, sl_span_of(scope), err);
    return worker->state;
}

sl_counter *sl_output_counter_labelled(sl_output *out, const char *name, const char *help, const char *label,
                                       const char *value)
{
    const sl_output_worker *worker = out->worker;
    char full[256];
    snprintf(full, sizeof full, "sluice_%s_%s", worker->conf.plugin->name, name);
    const char *labels[] = {"pipeline", worker->conf.pipeline, "output", worker->conf.name, label, value,
                            NULL};
    sl_metric_type type =
        sl_span_ends_with(sl_span_of(name), SL_SPAN("_total")) ? SL_METRIC_COUNTER : SL_METRIC_GAUGE;
    return sl_metrics_new(worker, type, full, help, labels);
}

sl_counter *sl_output_counter(sl_output *out, const char *name, const char *help)
{
    return sl_output_counter_labelled(out, name, help, NULL, NULL);
}

void sl_output_trouble(sl_output *out, const char *text)
{
    sl_assert_on(out->worker->loop);
    sl_worker__set_trouble(out->worker, text, 0);
}

void sl_verdict_init(sl_verdict *verdict, const sl_request *req)
{
    *verdict =
        (sl_verdict){.kind = SL_VERDICT_DELIVERED, .arena = &sl_shipment_of(req)->arena, .count = req->count};
}

void sl_request_refuse(sl_request *req, uint32_t i, sl_span reason)
{
    sl_shipment *shipment = sl_shipment_of(req);
    sl_assert(i < shipment->req.count && reason.len);
    if (!shipment->refused)
        shipment->refused = sl_arena_zalloc(&shipment->arena, req->count * sizeof *shipment->refused);
    if (reason.len > SL_REASON_MAX) reason.len = SL_REASON_MAX;
    shipment->refused[i] = sl_arena_dup(&shipment->arena, reason);
}

void sl_output_retry_now(sl_output *out, sl_span partition)
{
    sl_output_worker *worker = out->worker;
    sl_assert_on(worker->loop);
    for (sl_shipment *at = worker->waiting.first; at; at = at->next) {
        if (sl_span_is(at->req.partition, partition)) at->due_ns = 0;
    }
    sl_worker__pump_soon(worker);
}

static bool is_pressure(const sl_verdict *verdict)
{
    if (verdict->kind == SL_VERDICT_RETRY)
        return verdict->cause == SL_CAUSE_UNKNOWN || verdict->cause == SL_CAUSE_PRESSURE;
    for (uint32_t i = 0; verdict->kind == SL_VERDICT_PARTIAL && i < verdict->count; i++) {
        if (verdict->each[i].kind == SL_VERDICT_RETRY) return true;
    }
    return false;
}

void sl_request_done(sl_output *out, sl_request *req, const sl_verdict *verdict)
{
    sl_output_worker *worker = out->worker;
    sl_assert_on(worker->loop);
    sl_shipment *shipment = sl_shipment_of(req);
    sl_assert(shipment->list == &worker->sending);
    sl_shipments_remove(shipment);
    shipment->was_too_large = verdict->kind == SL_VERDICT_SPLIT;
    sl_in_flight_done(&worker->in_flight, shipment->sent_ns, sl_clock_mono_ns(), is_pressure(verdict));
    sl_settle__verdict(worker, shipment, verdict);
    sl_worker__pump(worker);
}

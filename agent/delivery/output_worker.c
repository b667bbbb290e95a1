/* output_worker.c: an output's life: its loop, what crosses to it, its one timer, its cursor.
 *
 * Threads: frames are offered by the journal loop, everything else runs on the output's own loop, and the
 * status may be asked by anyone. What crosses are messages; feed.kept_bytes is a counter of both sides; the
 * status has a lock, because a page or a health probe must not wait for a loop that is busy encoding.
 *
 * Invariant: when nothing is to be done, no timer runs.
 */
#include "base/metrics.h"
#include "delivery_int.h"
#include "state/state_db.h"
#include <stdio.h>

#define MAX_SENDS_A_TURN 16 /* then the loop sees to its other events */
#define SYNC_INTERVAL_NS SL_NS_PER_S
#define IDLE_NS          (2 * SL_NS_PER_S) /* after that, buffers are given back */

void sl_worker__wait(sl_output_worker *worker, sl_shipment *shipment)
{
    if (worker->in_order)
        sl_shipments_push_first(&worker->waiting, shipment);
    else
        sl_shipments_push(&worker->waiting, shipment);
}

/* ---- status ---- */

void sl_worker__set_trouble(sl_output_worker *worker, const char *text, int64_t until_ns)
{
    pthread_mutex_lock(&worker->status_lock);
    snprintf(worker->trouble, sizeof worker->trouble, "%s", text);
    worker->trouble_until_ns = until_ns;
    pthread_mutex_unlock(&worker->status_lock);
}

void sl_worker__clear_trouble(sl_output_worker *worker)
{
    if (!worker->trouble[0]) return; /* only this loop writes it */
    sl_log_limited(&worker->again_limit, SL_LOG_INFO, worker->log_name, "works again");
    sl_worker__set_trouble(worker, "", 0);
}

void sl_output_worker_status(sl_output_worker *worker, char *out, size_t size)
{
    pthread_mutex_lock(&worker->status_lock);
    int64_t left = worker->trouble_until_ns - sl_clock_mono_ns();
    if (!worker->trouble[0])
        snprintf(out, size, "ok");
    else if (left > 0)
        snprintf(out, size, "%s, trying again in %lld s", worker->trouble,
                 (long long)((left + SL_NS_PER_S - 1) / SL_NS_PER_S));
    else
        snprintf(out, size, "%s", worker->trouble);
    pthread_mutex_unlock(&worker->status_lock);
}

/* ---- the cursor ---- */

/* 0: everything before the cursor is as durable as the plugin makes it. */
static int sync_plugin(sl_output_worker *worker)
{
    if (!worker->ops->sync) return 0;
    int64_t now = sl_clock_mono_ns();
    if (!worker->draining && now < worker->sync_at_ns) return SL_E_AGAIN;
    sl_err err = SL_ERR_NONE;
    int rc = worker->ops->sync(worker->self, &err);
    worker->sync_at_ns = now + SYNC_INTERVAL_NS;
    if (rc == 0) return 0;
    sl_log_limited(&worker->sync_limit, SL_LOG_ERROR, worker->log_name,
                   "cannot make what was sent durable, trying again: %s", err.text);
    sl_worker__set_trouble(worker, err.text, worker->sync_at_ns);
    return rc;
}

static void move_cursor(sl_output_worker *worker)
{
    uint64_t cursor = sl_window_cursor(&worker->window, worker->feed.want);
    if (cursor == worker->acked || sync_plugin(worker) != 0) return;
    worker->acked = cursor;
    worker->conf.acked(worker->conf.arg, cursor);
}

static void end_drain(sl_output_worker *worker)
{
    if (!worker->drained || worker->acked < worker->feed.tail) return;
    /* Whatever is still counted as buffered is in no frame that exists. */
    sl_feed_give_up(&worker->feed, "journal_missing");
    void (*drained)(void *arg) = worker->drained;
    worker->drained = NULL;
    drained(worker->drained_arg);
}

/* ---- turning ---- */

static bool is_idle(const sl_output_worker *worker)
{
    return !worker->window.count && sl_feed_is_empty(&worker->feed);
}

static int64_t next_deadline(const sl_output_worker *worker)
{
    int64_t at = sl_dispatch__deadline(worker);
    const sl_shipment *due = sl_shipments_first_due(&worker->burying);
    if (due && due->due_ns < at) at = due->due_ns;
    uint64_t cursor = worker->window.count ? worker->acked : worker->feed.want;
    if (worker->ops->sync && cursor != worker->acked && worker->sync_at_ns < at) at = worker->sync_at_ns;
    return at;
}

static void set_timer(sl_output_worker *worker)
{
    int64_t at = next_deadline(worker), now = sl_clock_mono_ns();
    if (at != INT64_MAX)
        sl_timer_start(worker->timer, at > now ? at - now : 0, 0);
    else if (is_idle(worker) && worker->pool.count)
        sl_timer_start(worker->timer, IDLE_NS, 0);
    else
        sl_timer_stop(worker->timer);
}

void sl_worker__pump(sl_output_worker *worker)
{
    if (worker->pumping || worker->stopped) return;
    worker->pumping = true;
    sl_bury__due(worker);
    int sent = 0;
    while (sent < MAX_SENDS_A_TURN && sl_dispatch__next(worker))
        sent++;
    move_cursor(worker);
    end_drain(worker);
    worker->pumping = false;
    if (sent < MAX_SENDS_A_TURN)
        set_timer(worker);
    else
        sl_worker__pump_soon(worker);
}

void sl_worker__pump_soon(sl_output_worker *worker)
{
    if (worker->again_posted || worker->stopped) return;
    worker->again_posted = true;
    sl_loop_post(worker->loop, &worker->again);
}

static void on_again(sl_message *msg)
{
    sl_output_worker *worker = sl_container_of(msg, sl_output_worker, again);
    worker->again_posted = false;
    sl_worker__pump(worker);
}

static void on_timer(void *arg)
{
    sl_output_worker *worker = arg;
    if (is_idle(worker)) {
        sl_shipment_pool_clear(&worker->pool);
        sl_buf_release(&worker->scratch);
    }
    sl_worker__pump(worker);
}

/* ---- what crosses ---- */

typedef struct offer {
    sl_message msg;
    sl_output_worker *worker;
    uint64_t sequence, segment;
    uint32_t records;
    sl_batch *batch;
    int64_t offered_ns;
} offer;

static void on_offer(sl_message *msg)
{
    offer *o = sl_container_of(msg, offer, msg);
    sl_output_worker *worker = o->worker;
    if (worker->stopped)
        sl_batch_unref(o->batch);
    else
        sl_feed_offer(&worker->feed, o->sequence, o->segment, o->records, o->batch, o->offered_ns);
    sl_free(o);
    sl_worker__pump(worker);
}

/* On the journal loop, the only one that adds: the limit is passed by one batch at most. */
static bool may_keep(const sl_output_worker *worker)
{
    if (!worker->conf.journal_dir) return true;
    return __atomic_load_n(&worker->feed.kept_bytes, __ATOMIC_RELAXED) < SL_OUTPUT_MAX_KEPT;
}

void sl_output_worker_offer(sl_output_worker *worker, uint64_t sequence, uint64_t segment, uint32_t records,
                            sl_batch *batch)
{
    sl_ledger_add(&worker->conf.ledger->buffered, records);
    offer *o = sl_calloc(1, sizeof *o);
    *o = (offer){.msg.run = on_offer,
                 .worker = worker,
                 .sequence = sequence,
                 .segment = segment,
                 .records = records,
                 .offered_ns = sl_clock_mono_ns()};
    if (batch && may_keep(worker)) {
        o->batch = sl_batch_ref(batch);
        __atomic_fetch_add(&worker->feed.kept_bytes, sl_batch_held_bytes(batch), __ATOMIC_RELAXED);
    }
    sl_loop_post(worker->loop, &o->msg);
}

typedef struct drop_call {
    sl_message msg;
    sl_output_worker *worker;
    uint64_t sequence;
    const char *reason;
} drop_call;

static void on_drop(sl_message *msg)
{
    drop_call *drop = sl_container_of(msg, drop_call, msg);
    sl_output_worker *worker = drop->worker;
    if (!worker->stopped) sl_feed_drop_before(&worker->feed, drop->sequence, drop->reason);
    sl_free(drop);
    sl_worker__pump(worker);
}

void sl_output_worker_drop_before(sl_output_worker *worker, uint64_t sequence, const char *reason)
{
    drop_call *drop = sl_calloc(1, sizeof *drop);
    *drop = (drop_call){.msg.run = on_drop, .worker = worker, .sequence = sequence, .reason = reason};
    sl_loop_post(worker->loop, &drop->msg);
}

typedef struct drain_call {
    sl_output_worker *worker;
    void (*done)(void *arg);
    void *arg;
} drain_call;

static void drain_on_loop(void *arg)
{
    drain_call *call = arg;
    sl_output_worker *worker = call->worker;
    worker->draining = true;
    worker->drained = call->done;
    worker->drained_arg = call->arg;
    sl_free(call);
    sl_worker__pump(worker);
}

void sl_output_worker_drain(sl_output_worker *worker, void (*done)(void *arg), void *arg)
{
    drain_call *call = sl_calloc(1, sizeof *call);
    *call = (drain_call){worker, done, arg};
    sl_loop_call(worker->loop, drain_on_loop, call);
}

/* ---- start and stop ---- */

typedef struct start_call {
    sl_output_worker *worker;
    sl_err *err;
} start_call;

static bool is_partition_busy(void *arg, const sl_shipment *shipment)
{
    const sl_output_worker *worker = arg;
    return sl_shipments_of(&worker->sending, shipment) || sl_shipments_of(&worker->waiting, shipment);
}

static void init_parts(sl_output_worker *worker)
{
    const sl_delivery_conf *delivery = worker->conf.delivery;
    sl_feed_init(&worker->feed, &worker->conf);
    sl_window_init(&worker->window, &worker->held);
    worker->pool = (sl_shipment_pool){.worker = worker, .keep_bytes = 2 * delivery->request.max_bytes};
    sl_former_init(&worker->former, &worker->conf, worker->self, &worker->feed, &worker->window,
                   &worker->pool);
    worker->in_order = worker->ops->in_order && worker->ops->in_order(worker->self);
    if (worker->in_order) {
        worker->former.is_busy = is_partition_busy;
        worker->former.busy_arg = worker;
    }
    sl_pacer_init(&worker->pacer, (uint64_t)delivery->request.max_per_second);
    sl_backoff_init(&worker->backoff, delivery->retry.initial_ns, delivery->retry.max_ns);
    sl_backoff_init(&worker->read_backoff, 100 * SL_NS_PER_MS, 10 * SL_NS_PER_S);
    uint64_t most = worker->ops->max_in_flight;
    uint64_t wanted = (uint64_t)delivery->request.concurrency;
    sl_in_flight_init(&worker->in_flight, (uint32_t)(most && most < wanted ? most : wanted));
    worker->timer = sl_timer_new(worker->loop, on_timer, worker);
}

static void start_on_loop(void *arg)
{
    start_call *call = arg;
    sl_output_worker *worker = call->worker;
    worker->self = worker->ops->start(&worker->out, worker->conf.conf, call->err);
    if (!worker->self) return;
    init_parts(worker);
    if (worker->is_http) sl_http_output__start(worker);
    sl_worker__pump(worker);
}

static char *copy_or_null(const char *text)
{
    return text ? sl_strdup(text) : NULL;
}

static void free_worker(sl_output_worker *worker)
{
    sl_loop_free(worker->loop);
    sl_metrics_retire(worker);
    pthread_mutex_destroy(&worker->status_lock);
    sl_free((char *)(uintptr_t)worker->conf.name);
    sl_free((char *)(uintptr_t)worker->conf.pipeline);
    sl_free((char *)(uintptr_t)worker->conf.journal_dir);
    sl_free((char *)(uintptr_t)worker->conf.data_dir);
    sl_free(worker);
}

sl_output_worker *sl_output_worker_start(const sl_output_worker_conf *conf, sl_err *err)
{
    sl_output_worker *worker = sl_calloc(1, sizeof *worker);
    worker->conf = *conf;
    worker->conf.name = sl_strdup(conf->name);
    worker->conf.pipeline = sl_strdup(conf->pipeline);
    worker->conf.journal_dir = copy_or_null(conf->journal_dir);
    worker->conf.data_dir = copy_or_null(conf->data_dir);
    worker->out.worker = worker;
    worker->ops = conf->plugin->output;
    worker->is_http = worker->ops->http != NULL;
    worker->delivery = sl_delivery_resolve(conf->delivery, worker->ops);
    worker->conf.delivery = &worker->delivery;
    worker->acked = conf->first;
    worker->again.run = on_again;
    pthread_mutex_init(&worker->status_lock, NULL);
    snprintf(worker->log_name, sizeof worker->log_name, "output %s.%s", conf->pipeline, conf->name);
    char name[16];
    snprintf(name, sizeof name, "o:%s", conf->name);
    worker->loop = sl_loop_new(name);
    start_call call = {worker, err};
    sl_loop_call_wait(worker->loop, start_on_loop, &call);
    worker->conf.backlog = NULL; /* the caller's; copied by the feed */
    if (worker->self) return worker;
    free_worker(worker);
    return NULL;
}

static void give_up(sl_output_worker *worker, sl_shipment_list *list)
{
    while (list->first) {
        sl_shipment *shipment = list->first;
        sl_shipments_remove(shipment);
        sl_settle__drop_bodies(worker, shipment);
        sl_shipment_put(&worker->pool, shipment);
    }
}

static void stop_on_loop(void *arg)
{
    sl_output_worker *worker = arg;
    move_cursor(worker);
    worker->stopped = true;
    sl_http_output__stop(worker);
    if (worker->ops->stop) worker->ops->stop(worker->self);
    give_up(worker, &worker->sending);
    give_up(worker, &worker->waiting);
    give_up(worker, &worker->burying);
    /* What was taken and has no fate stands in the journal behind the cursor. */
    uint64_t open = sl_ledger_get(&worker->conf.ledger->in_flight);
    sl_ledger_sub(&worker->conf.ledger->in_flight, open);
    sl_ledger_add(&worker->conf.ledger->buffered, open);
    sl_former_release(&worker->former);
    sl_shipment_pool_clear(&worker->pool);
    sl_window_release(&worker->window);
    sl_feed_release(&worker->feed);
    sl_buf_release(&worker->scratch);
    sl_timer_free(worker->timer);
    worker->ops->free(worker->self);
    sl_state_close(worker->state);
}

void sl_output_worker_stop(sl_output_worker *worker)
{
    sl_loop_call_wait(worker->loop, stop_on_loop, worker);
    free_worker(worker);
}

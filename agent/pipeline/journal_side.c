/* journal_side.c: see the header.
 *
 * Two queues of parcels, both in the order of arrival:
 *  - waiting: not in the journal yet, because the disk or the limit refuses. The first one blocks those
 *    behind it, so that nothing overtakes.
 *  - unsafe: in the journal, receipt not released yet. The journal says up to which sequence frames are safe.
 * A parcel without records waits in line all the same: its receipt must not overtake an earlier one.
 * Invariant: a parcel's dead letters are durable before it enters `unsafe`.
 */
#include "journal_side.h"
#include "base/metrics.h"
#include "output_link.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RETRY_NS (500 * SL_NS_PER_MS) /* between attempts while the disk refuses */

typedef struct parcel_queue {
    sl_parcel *first, **last;
} parcel_queue;

/* How often the log says that inputs wait. */
#define REFUSED_LOG_NS (60 * SL_NS_PER_S)

struct sl_journal_side {
    sl_journal_side_conf conf;
    sl_loop *loop;
    sl_journal *journal;
    sl_timer *tick, *retry;
    char dir[4096];
    parcel_queue waiting, unsafe;
    uint64_t safe_sequence;
    bool stopping;
    sl_log_limit refused_limit;
    char trouble[SL_ERR_TEXT_MAX]; /* under lock: why the first waiting parcel waits */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a drain or settle may have come to its end */
    struct {
        sl_counter *bytes, *segments, *frames, *append_errors, *sync_errors;
    } metrics;
    unsigned n_outputs;
    sl_output_link outputs[];
};

/* ---- queues ---- */

static void queue_init(parcel_queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

static void queue_push(parcel_queue *queue, sl_parcel *parcel)
{
    parcel->next = NULL;
    *queue->last = parcel;
    queue->last = &parcel->next;
}

static sl_parcel *queue_pop(parcel_queue *queue)
{
    sl_parcel *parcel = queue->first;
    queue->first = parcel->next;
    if (!queue->first) queue->last = &queue->first;
    return parcel;
}

/* ---- telling those who wait ---- */

static void set_trouble(sl_journal_side *side, const char *text)
{
    pthread_mutex_lock(&side->lock);
    snprintf(side->trouble, sizeof side->trouble, "%s", text);
    pthread_cond_broadcast(&side->changed);
    pthread_mutex_unlock(&side->lock);
}

/* ---- from waiting to unsafe to released ---- */

static void release_safe(sl_journal_side *side)
{
    while (side->unsafe.first && side->unsafe.first->sequence <= side->safe_sequence)
        sl_input__return_receipt(queue_pop(&side->unsafe), true);
}

static int write_letters(sl_journal_side *side, sl_parcel *parcel, sl_err *err)
{
    if (!parcel->letter_count) return 0;
    int rc = sl_dead_letters_write(side->conf.letters, parcel->letters, parcel->letter_count, err);
    if (rc < 0) return rc;
    sl_ledger_add(&side->conf.ledger->dead_lettered, parcel->letter_count);
    parcel->letter_count = 0;
    sl_arena_release(&parcel->letter_arena);
    return 0;
}

static int append_batch(sl_journal_side *side, sl_parcel *parcel, sl_err *err)
{
    if (!parcel->batch) {
        parcel->sequence = sl_journal_next(side->journal) - 1;
        return 0;
    }
    parcel->sequence = sl_journal_next(side->journal);
    int rc = sl_journal_append(side->journal, &parcel->frame, parcel->batch, err);
    if (rc < 0) return rc;
    if (rc == 1) {
        parcel->sequence--;
        sl_drops_add(&side->conf.ledger->dropped, "journal_full", parcel->live);
    } else {
        sl_ledger_add(&side->conf.ledger->journaled, parcel->live);
    }
    sl_batch_unref(parcel->batch);
    parcel->batch = NULL;
    return 0;
}

/* 0: the parcel is done with; else it stays first in line. */
static int take_parcel(sl_journal_side *side, sl_parcel *parcel, sl_err *err)
{
    int rc = write_letters(side, parcel, err);
    if (rc == 0) rc = append_batch(side, parcel, err);
    if (rc < 0) return rc;
    sl_ledger_sub(&side->conf.ledger->on_the_way, parcel->received);
    sl_frame_release(&parcel->frame);
    return 0;
}

static void wait_for_room(sl_journal_side *side, const sl_err *err)
{
    /* A limit that was reached, or a disk that is slow to sync, is the ordinary back-pressure. */
    bool full = (err->code == SL_E_FULL && err->sys == 0) || err->code == SL_E_AGAIN;
    set_trouble(side, err->text);
    sl_log_limited(&side->refused_limit, full ? SL_LOG_INFO : SL_LOG_ERROR, "pipeline",
                   "%s: inputs wait, nothing is lost: %s", side->conf.pipeline->name, err->text);
    if (!sl_timer_is_active(side->retry)) sl_timer_start(side->retry, RETRY_NS, 0);
}

static void schedule_tick(sl_journal_side *side)
{
    int64_t delay = sl_journal_tick(side->journal, sl_clock_mono_ns());
    sl_timer_start(side->tick, delay, 0);
}

static void pump(sl_journal_side *side)
{
    bool moved = false;
    while (side->waiting.first) {
        sl_err err = SL_ERR_NONE;
        if (take_parcel(side, side->waiting.first, &err) < 0) {
            wait_for_room(side, &err);
            break;
        }
        sl_parcel *parcel = queue_pop(&side->waiting);
        queue_push(&side->unsafe, parcel);
        sl_input__return_credit(parcel);
        moved = true;
    }
    release_safe(side);
    if (moved && !side->stopping) schedule_tick(side);
    if (moved && !side->waiting.first) set_trouble(side, "");
}

static void on_parcel(sl_message *msg)
{
    sl_parcel *parcel = sl_container_of(msg, sl_parcel, to_journal);
    sl_journal_side *side = parcel->journal_side;
    sl_assert_on(side->loop);
    queue_push(&side->waiting, parcel);
    if (parcel == side->waiting.first) pump(side);
}

void sl_journal_side_submit(sl_journal_side *side, sl_parcel *parcel)
{
    parcel->journal_side = side;
    parcel->to_journal.run = on_parcel;
    sl_loop_post(side->loop, &parcel->to_journal);
}

static void on_retry(void *arg)
{
    pump(arg);
}

/* ---- what the journal tells ---- */

static void on_safe(void *arg, uint64_t sequence)
{
    sl_journal_side *side = arg;
    side->safe_sequence = sequence;
    release_safe(side);
}

static void on_appended(void *arg, uint64_t sequence, uint64_t segment, uint32_t records, sl_batch *batch)
{
    sl_journal_side *side = arg;
    for (unsigned i = 0; i < side->n_outputs; i++)
        sl_output_link_offer(&side->outputs[i], sequence, segment, records, batch);
}

static void on_dropped_before(void *arg, uint64_t sequence, const char *reason)
{
    sl_journal_side *side = arg;
    for (unsigned i = 0; i < side->n_outputs; i++)
        sl_output_link_drop_before(&side->outputs[i], sequence, reason);
}

static void on_room(void *arg)
{
    sl_journal_side *side = arg;
    /* Not from inside the journal's own call: the timer runs on the next turn of the loop. */
    if (side->waiting.first) sl_timer_start(side->retry, 0, 0);
}

static void publish_stats(sl_journal_side *side)
{
    sl_journal_stats stats;
    sl_journal_stats_get(side->journal, &stats);
    sl_counter_set(side->metrics.bytes, stats.bytes);
    sl_counter_set(side->metrics.segments, stats.segments);
    sl_counter_set(side->metrics.frames, stats.frames);
    sl_counter_set(side->metrics.append_errors, stats.append_errors);
    sl_counter_set(side->metrics.sync_errors, stats.sync_errors);
}

static void on_tick(void *arg)
{
    sl_journal_side *side = arg;
    schedule_tick(side);
    publish_stats(side);
}

/* ---- what the outputs tell ---- */

static void on_drained(void *arg)
{
    sl_journal_side *side = arg;
    pthread_mutex_lock(&side->lock);
    pthread_cond_broadcast(&side->changed);
    pthread_mutex_unlock(&side->lock);
}

/* ---- waiting, from outside ---- */

/* Waits until test() holds, with the lock held around it. */
static bool wait_until(sl_journal_side *side, bool (*test)(sl_journal_side *side), const int64_t *deadline_ns)
{
    bool held;
    pthread_mutex_lock(&side->lock);
    while (!(held = test(side)) && sl_clock_mono_ns() < __atomic_load_n(deadline_ns, __ATOMIC_RELAXED)) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 50 * SL_NS_PER_MS;
        until.tv_sec += until.tv_nsec / SL_NS_PER_S;
        until.tv_nsec %= SL_NS_PER_S;
        pthread_cond_timedwait(&side->changed, &side->lock, &until);
    }
    pthread_mutex_unlock(&side->lock);
    return held;
}

static bool is_settled(sl_journal_side *side)
{
    return sl_ledger_get(&side->conf.ledger->on_the_way) == 0;
}

bool sl_journal_side_settle(sl_journal_side *side, const int64_t *deadline_ns)
{
    return wait_until(side, is_settled, deadline_ns);
}

static bool is_drained(sl_journal_side *side)
{
    for (unsigned i = 0; i < side->n_outputs; i++) {
        if (!sl_output_link_is_drained(&side->outputs[i])) return false;
    }
    return true;
}

bool sl_journal_side_drain(sl_journal_side *side, const int64_t *deadline_ns)
{
    for (unsigned i = 0; i < side->n_outputs; i++)
        sl_output_link_drain(&side->outputs[i]);
    return wait_until(side, is_drained, deadline_ns);
}

/* ---- life ---- */

static void report_opening(sl_journal_side *side, const sl_journal_report *report)
{
    const char *name = side->conf.pipeline->name;
    if (report->first_problem[0])
        sl_warn("journal",
                "%s: mended while opening: %llu bytes of a torn tail cut, %llu damaged frames (%llu records) "
                "set aside, %llu frames missing; first: %s",
                name, (unsigned long long)report->torn_bytes, (unsigned long long)report->quarantined_frames,
                (unsigned long long)report->quarantined_records, (unsigned long long)report->missing_frames,
                report->first_problem);
    if (report->records)
        sl_info("journal", "%s: %llu records in %llu frames are still to be delivered", name,
                (unsigned long long)report->records, (unsigned long long)report->frames);
}

static void make_metrics(sl_journal_side *side)
{
    const char *labels[] = {"pipeline", side->conf.pipeline->name, NULL};
    side->metrics.bytes =
        sl_metrics_new(SL_METRIC_GAUGE, "sluice_journal_bytes", "Bytes the journal holds.", labels);
    side->metrics.segments =
        sl_metrics_new(SL_METRIC_GAUGE, "sluice_journal_segments", "Segments of the journal.", labels);
    side->metrics.frames =
        sl_metrics_new(SL_METRIC_GAUGE, "sluice_journal_frames", "Frames in the journal.", labels);
    side->metrics.append_errors = sl_metrics_new(SL_METRIC_COUNTER, "sluice_journal_append_errors_total",
                                                 "Writes that the disk refused; they were repeated.", labels);
    side->metrics.sync_errors =
        sl_metrics_new(SL_METRIC_COUNTER, "sluice_journal_sync_errors_total",
                       "Failed fsyncs of the journal; their frames were written again.", labels);
}

static const sl_journal_events journal_events = {
    .safe = on_safe,
    .appended = on_appended,
    .dropped_before = on_dropped_before,
    .room = on_room,
};

typedef struct open_call {
    sl_journal_side *side;
    sl_err *err;
} open_call;

static void open_on_loop(void *arg)
{
    open_call *call = arg;
    sl_journal_side *side = call->side;
    const char **names = sl_calloc(side->n_outputs, sizeof *names);
    for (unsigned i = 0; i < side->n_outputs; i++)
        names[i] = side->conf.pipeline->outputs.items[i]->name;
    sl_journal_report report = {0};
    sl_journal_conf conf = side->conf.pipeline->buffer;
    conf.loop = side->loop;
    conf.set_aside = side->conf.set_aside;
    side->journal =
        sl_journal_open(side->dir, &conf, names, side->n_outputs, &journal_events, side, &report, call->err);
    sl_free(names);
    if (!side->journal) return;
    report_opening(side, &report);
    side->safe_sequence = sl_journal_next(side->journal) - 1;
    sl_ledger_add(&side->conf.ledger->recovered, report.records);
    sl_ledger_add(&side->conf.ledger->journaled, report.records);
    /* What is damaged is among those records: the outputs count it when they get there. */
    side->tick = sl_timer_new(side->loop, on_tick, side);
    side->retry = sl_timer_new(side->loop, on_retry, side);
    on_tick(side);
}

static int start_output(sl_journal_side *side, unsigned index, sl_err *err)
{
    const sl_pipeline_conf *pipeline = side->conf.pipeline;
    sl_output_link_conf conf = {
        .use = pipeline->outputs.items[index],
        .pipeline = pipeline->name,
        .loop = side->loop,
        .journal = side->journal,
        .index = index,
        .folder = pipeline->buffer.type == SL_JOURNAL_DISK ? side->dir : NULL,
        .data_dir = side->conf.data_dir,
        .once = side->conf.once,
        .letters = side->conf.letters,
        .drained = on_drained,
        .arg = side,
    };
    return sl_output_link_start(&side->outputs[index], &conf, err);
}

static int start_parts(sl_journal_side *side, sl_err *err)
{
    open_call call = {side, err};
    sl_loop_call_wait(side->loop, open_on_loop, &call);
    if (!side->journal) return err->code;
    for (unsigned i = 0; i < side->n_outputs; i++) {
        int rc = start_output(side, i, err);
        if (rc < 0) return rc;
    }
    return 0;
}

sl_journal_side *sl_journal_side_start(const sl_journal_side_conf *conf, sl_err *err)
{
    unsigned n_outputs = (unsigned)conf->pipeline->outputs.count;
    sl_journal_side *side = sl_calloc(1, sizeof *side + n_outputs * sizeof *side->outputs);
    side->conf = *conf;
    side->n_outputs = n_outputs;
    side->refused_limit = (sl_log_limit){.burst = 1, .interval_ns = REFUSED_LOG_NS};
    queue_init(&side->waiting);
    queue_init(&side->unsafe);
    pthread_mutex_init(&side->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&side->changed, &attr);
    pthread_condattr_destroy(&attr);
    snprintf(side->dir, sizeof side->dir, "%s/journal/%s", conf->data_dir, conf->pipeline->name);
    char name[16];
    snprintf(name, sizeof name, "j:%s", conf->pipeline->name);
    side->loop = sl_loop_new(name);
    make_metrics(side);
    if (start_parts(side, err) == 0) return side;
    sl_journal_side_stop(side);
    sl_journal_side_free(side);
    return NULL;
}

static void return_unsafe(sl_journal_side *side)
{
    while (side->waiting.first) {
        sl_parcel *parcel = queue_pop(&side->waiting);
        sl_batch_unref(parcel->batch);
        sl_frame_release(&parcel->frame);
        sl_arena_release(&parcel->letter_arena);
        queue_push(&side->unsafe, parcel);
        sl_input__return_credit(parcel);
    }
    while (side->unsafe.first)
        sl_input__return_receipt(queue_pop(&side->unsafe), false);
}

static void close_on_loop(void *arg)
{
    sl_journal_side *side = arg;
    side->stopping = true;
    if (side->journal) sl_journal_close(side->journal);
    side->journal = NULL;
    return_unsafe(side);
    sl_timer_free(side->tick);
    sl_timer_free(side->retry);
    side->tick = side->retry = NULL;
}

void sl_journal_side_stop(sl_journal_side *side)
{
    /* The outputs' last acknowledgements are posted before their loops are joined, so they run before the
     * journal closes. */
    for (unsigned i = 0; i < side->n_outputs; i++)
        sl_output_link_stop(&side->outputs[i]);
    sl_loop_call_wait(side->loop, close_on_loop, side);
    sl_loop_free(side->loop);
    side->loop = NULL;
}

void sl_journal_side_free(sl_journal_side *side)
{
    if (!side) return;
    pthread_mutex_destroy(&side->lock);
    pthread_cond_destroy(&side->changed);
    sl_free(side);
}

const sl_output_ledger *sl_journal_side_ledger(const sl_journal_side *side, unsigned output)
{
    return &side->outputs[output].ledger;
}

void sl_journal_side_output_status(sl_journal_side *side, unsigned output, char *out, size_t size)
{
    sl_output_worker_status(side->outputs[output].worker, out, size);
}

void sl_journal_side_status(sl_journal_side *side, char *out, size_t size)
{
    pthread_mutex_lock(&side->lock);
    snprintf(out, size, "%s", side->trouble[0] ? side->trouble : "ok");
    pthread_mutex_unlock(&side->lock);
}

/* journal_side.c: see the header.
 *
 * Two queues of parcels, both in the order of arrival:
 *  - waiting: not in the journal yet, because the disk or the limit refuses. The first one blocks those
 *    behind it, so that nothing overtakes.
 *  - unsafe: in the journal, receipt not released yet. The journal says up to which sequence frames are safe.
 * A parcel without records waits in line all the same: its receipt must not overtake an earlier one.
 * Invariant: a parcel's dead letters are durable before it enters `unsafe`.
 */
#include "journal_side_int.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RETRY_NS (500 * SL_NS_PER_MS) /* between attempts while the disk refuses */

/* ---- queues ---- */

static void queue_push(sl_parcel_queue *queue, sl_parcel *parcel)
{
    parcel->next = NULL;
    *queue->last = parcel;
    queue->last = &parcel->next;
}

static sl_parcel *queue_pop(sl_parcel_queue *queue)
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

void sl_journal_side__on_retry(void *arg)
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

const sl_journal_events sl_journal_side__events = {
    .safe = on_safe,
    .appended = on_appended,
    .dropped_before = on_dropped_before,
    .room = on_room,
};

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

void sl_journal_side__on_tick(void *arg)
{
    sl_journal_side *side = arg;
    schedule_tick(side);
    publish_stats(side);
}

/* ---- what the outputs tell ---- */

void sl_journal_side__on_drained(void *arg)
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

static void lift_on_loop(void *arg)
{
    sl_journal_side *side = arg;
    sl_journal_lift_limit(side->journal);
    pump(side);
}

void sl_journal_side_lift_limit(sl_journal_side *side)
{
    sl_loop_call_wait(side->loop, lift_on_loop, side);
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

/* ---- the end ---- */

void sl_journal_side__return_unsafe(sl_journal_side *side)
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

/* ---- questions ---- */

bool sl_journal_side_is_on_disk(const sl_journal_side *side)
{
    return side->on_disk;
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

/* bury.c: records that will never be taken become dead letters, durable before the cursor may pass them.
 * While the disk refuses, they wait in memory and the cursor stands still: nothing is lost.
 */
#include "delivery_int.h"
#include <stdio.h>

#define LETTER_TEXT_MAX (1u << 20) /* bytes of records written in one go; one record is always written */

/* Texts of up to LETTER_TEXT_MAX bytes of records from `from` on, in the scratch buffer. Returns how many. */
static uint32_t write_texts(sl_output_worker *worker, const sl_shipment *shipment, uint32_t from,
                            size_t *ends)
{
    sl_buf *text = &worker->scratch;
    sl_buf_clear(text);
    uint32_t count = 0;
    while (from + count < shipment->req.count && (!count || text->len < LETTER_TEXT_MAX)) {
        const sl_record_ref *ref = &shipment->recs[from + count];
        sl_record_write(ref->batch, ref->rec, text);
        ends[count++] = text->len;
    }
    return count;
}

static const char *error_of(sl_shipment *shipment, uint32_t i)
{
    if (!shipment->why) return shipment->last_error;
    return sl_arena_strndup(&shipment->arena, shipment->why[i].ptr, shipment->why[i].len);
}

static void fill_letter(sl_output_worker *worker, sl_shipment *shipment, uint32_t i, sl_dead_letter *letter)
{
    const sl_record_ref *ref = &shipment->recs[i];
    const char *last = error_of(shipment, i);
    *letter = (sl_dead_letter){.output = worker->conf.name,
                               .reason = shipment->reason,
                               .first_error = shipment->first_error[0] ? shipment->first_error : last,
                               .last_error = last,
                               .attempts = shipment->req.attempt,
                               .first_time_ns = shipment->first_wall_ns,
                               .id = sl_record_id(ref->batch, ref->rec),
                               .source = ref->batch->source,
                               .origin = ref->rec->origin};
}

/* Writes some letters from `from` on. How many, or an error. */
static int64_t write_letters(sl_output_worker *worker, sl_shipment *shipment, uint32_t from, sl_err *err)
{
    uint32_t left = shipment->req.count - from;
    size_t *ends = sl_calloc(left, sizeof *ends);
    sl_dead_letter *letters = sl_calloc(left, sizeof *letters);
    uint32_t count = write_texts(worker, shipment, from, ends);
    for (uint32_t i = 0; i < count; i++) {
        fill_letter(worker, shipment, from + i, &letters[i]);
        size_t start = i ? ends[i - 1] : 0;
        letters[i].record = (sl_span){worker->scratch.ptr + start, ends[i] - start};
    }
    int rc = sl_dead_letters_write(worker->conf.dead_letters, letters, count, err);
    sl_free(letters);
    sl_free(ends);
    return rc < 0 ? rc : (int64_t)count;
}

static void settle_buried(sl_output_worker *worker, sl_shipment *shipment, uint32_t from, uint32_t count)
{
    sl_ledger_sub(&worker->conf.ledger->in_flight, count);
    sl_ledger_add(&worker->conf.ledger->dead_lettered, count);
    sl_window_settle(&worker->window, shipment->recs + from, count);
}

static void wait_for_disk(sl_output_worker *worker, sl_shipment *shipment, const sl_err *err)
{
    shipment->failures++;
    shipment->due_ns = sl_clock_mono_ns() + sl_backoff_delay(&worker->backoff, shipment->failures);
    sl_shipments_push(&worker->burying, shipment);
    sl_log_limited(&worker->bury_limit, SL_LOG_ERROR, worker->log_name,
                   "%u rejected records wait, the dead letters cannot be written: %s", shipment->req.count,
                   err->text);
    sl_worker__set_trouble(worker, err->text, shipment->due_ns);
}

/* Those written leave the front; the rest, if any, waits. */
static void bury(sl_output_worker *worker, sl_shipment *shipment)
{
    uint32_t done = 0;
    sl_err err = SL_ERR_NONE;
    while (done < shipment->req.count) {
        int64_t count = write_letters(worker, shipment, done, &err);
        if (count < 0) break;
        settle_buried(worker, shipment, done, (uint32_t)count);
        done += (uint32_t)count;
    }
    if (done == shipment->req.count) {
        sl_shipment_put(&worker->pool, shipment);
        return;
    }
    shipment->req.count -= done;
    memmove(shipment->recs, shipment->recs + done, shipment->req.count * sizeof *shipment->recs);
    if (shipment->why) shipment->why += done;
    wait_for_disk(worker, shipment, &err);
}

void sl_bury__shipment(sl_output_worker *worker, sl_shipment *shipment, const char *reason, const char *text)
{
    sl_settle__drop_bodies(worker, shipment);
    shipment->reason = reason;
    shipment->failures = 0;
    sl_log_limited(&worker->reject_limit, SL_LOG_WARN, worker->log_name,
                   "%u records go to the dead letters (%s): %s", shipment->req.count, reason, text);
    bury(worker, shipment);
}

void sl_bury__due(sl_output_worker *worker)
{
    int64_t now = sl_clock_mono_ns();
    for (sl_shipment *due; (due = sl_shipments_first_due(&worker->burying)) && due->due_ns <= now;) {
        sl_shipments_remove(due);
        bury(worker, due);
        if (!worker->burying.count) sl_worker__clear_trouble(worker);
    }
}

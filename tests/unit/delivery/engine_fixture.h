/* engine_fixture.h: an output worker with everything around it played by the test: the plugin, the journal's
 * reader and the dead letters. Included by one .c of a program; the definitions below take the place of the
 * real ones.
 */
#ifndef SLUICE_ENGINE_FIXTURE_H
#define SLUICE_ENGINE_FIXTURE_H

#include "check_main.h"
#include "delivery/delivery_int.h"
#include "records.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_FRAMES  4096
#define MAX_PENDING 64
#define MAX_LETTERS 100000

/* ---- frames: their records follow from the sequence ---- */

typedef struct frame_shape {
    uint32_t records, size; /* size: bytes of a record, about */
    const char *target;
    bool damaged, missing;
} frame_shape;

static frame_shape shapes[MAX_FRAMES];

/* {"frame":7,"n":0,"pad":"xx…"} */
static sl_batch *make_batch(uint64_t sequence)
{
    const frame_shape *shape = &shapes[sequence];
    sl_buf lines = SL_BUF_NONE;
    for (uint32_t i = 0; i < shape->records; i++) {
        sl_buf_printf(&lines, "{\"frame\":%llu,\"n\":%u,\"pad\":\"", (unsigned long long)sequence, i);
        for (uint32_t k = 40; k < shape->size; k++)
            sl_buf_append_char(&lines, 'x');
        sl_buf_append_cstr(&lines, "\"}\n");
    }
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, sl_buf_cstr(&lines));
    batch->source = (sl_id){sequence, 1};
    if (shape->target) sl_batch_set_target(batch, sl_span_of(shape->target));
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    batch->sequence = sequence;
    sl_buf_release(&lines);
    return batch;
}

static inline void record_name(const sl_record *rec, uint64_t *frame, unsigned *n)
{
    unsigned long long f;
    ck_assert_int_eq(sscanf(rec->text, "{\"frame\":%llu,\"n\":%u,", &f, n), 2);
    *frame = f;
}

/* ---- the reader ---- */

struct sl_journal_reader {
    int unused;
};
static unsigned reads, read_errors_left;
static uint64_t journal_end; /* frames before it exist */

sl_journal_reader *sl_journal_reader_new(const char *dir)
{
    (void)dir;
    return sl_calloc(1, sizeof(sl_journal_reader));
}

void sl_journal_reader_free(sl_journal_reader *reader)
{
    sl_free(reader);
}

int sl_journal_reader_read(sl_journal_reader *reader, uint64_t sequence, sl_batch **out,
                           uint64_t *next_sequence, uint64_t *lost_records, sl_err *err)
{
    (void)reader;
    __atomic_fetch_add(&reads, 1, __ATOMIC_RELAXED);
    if (__atomic_load_n(&read_errors_left, __ATOMIC_RELAXED)) {
        __atomic_fetch_sub(&read_errors_left, 1, __ATOMIC_RELAXED);
        return sl_err_set(err, SL_E_IO, "cannot read segment x: Input/output error");
    }
    uint64_t end = __atomic_load_n(&journal_end, __ATOMIC_ACQUIRE);
    while (sequence < end && __atomic_load_n(&shapes[sequence].missing, __ATOMIC_RELAXED))
        sequence++;
    if (sequence >= end) return SL_E_NOT_FOUND;
    if (shapes[sequence].damaged) {
        *next_sequence = sequence + 1;
        *lost_records = shapes[sequence].records;
        return sl_err_set(err, SL_E_CORRUPT, "damaged");
    }
    *out = make_batch(sequence);
    return 0;
}

/* ---- dead letters ---- */

static struct {
    char output[32], reason[32], first_error[128], last_error[128], record[160];
    uint32_t attempts;
    bool has_time;
    sl_id id;
} letters[MAX_LETTERS];
static unsigned letter_count, letter_errors_left;

int sl_dead_letters_write(sl_dead_letters *to, const sl_dead_letter *letter, size_t count, sl_err *err)
{
    (void)to;
    if (__atomic_load_n(&letter_errors_left, __ATOMIC_RELAXED)) {
        __atomic_fetch_sub(&letter_errors_left, 1, __ATOMIC_RELAXED);
        return sl_err_set(err, SL_E_FULL, "cannot write the dead letters: No space left on device");
    }
    unsigned at = __atomic_load_n(&letter_count, __ATOMIC_RELAXED);
    for (size_t i = 0; i < count; i++, at++) {
        snprintf(letters[at].output, sizeof letters[at].output, "%s", letter[i].output);
        snprintf(letters[at].reason, sizeof letters[at].reason, "%s", letter[i].reason);
        snprintf(letters[at].first_error, sizeof letters[at].first_error, "%s", letter[i].first_error);
        snprintf(letters[at].last_error, sizeof letters[at].last_error, "%s", letter[i].last_error);
        snprintf(letters[at].record, sizeof letters[at].record, SL_SPAN_FMT, SL_SPAN_ARG(letter[i].record));
        letters[at].attempts = letter[i].attempts;
        letters[at].has_time = letter[i].first_time_ns > 0;
        letters[at].id = letter[i].id;
    }
    __atomic_store_n(&letter_count, at, __ATOMIC_RELEASE);
    return 0;
}

static inline unsigned letters_written(void)
{
    return __atomic_load_n(&letter_count, __ATOMIC_ACQUIRE);
}

/* ---- the engine ---- */

typedef struct engine {
    sl_output_worker *worker;
    sl_output_ledger ledger;
    sl_delivery_conf delivery;
    sl_output_worker_conf conf;
    pthread_mutex_t lock;
    uint64_t acked;
    unsigned acks, out_of_order_acks;
    bool drained;
    uint64_t offered; /* the next sequence */
    uint64_t records; /* journaled */
} engine;

static bool wait_for(bool (*test)(void *arg), void *arg)
{
    for (int i = 0; i < 20000; i++) {
        if (test(arg)) return true;
        usleep(1000);
    }
    return false;
}

static void on_acked(void *arg, uint64_t next)
{
    engine *e = arg;
    pthread_mutex_lock(&e->lock);
    if (next < e->acked) e->out_of_order_acks++;
    e->acked = next;
    e->acks++;
    pthread_mutex_unlock(&e->lock);
}

static void on_drained(void *arg)
{
    engine *e = arg;
    pthread_mutex_lock(&e->lock);
    e->drained = true;
    pthread_mutex_unlock(&e->lock);
}

static uint64_t acked(engine *e)
{
    pthread_mutex_lock(&e->lock);
    uint64_t next = e->acked;
    pthread_mutex_unlock(&e->lock);
    return next;
}

static bool is_drained(void *arg)
{
    engine *e = arg;
    pthread_mutex_lock(&e->lock);
    bool drained = e->drained;
    pthread_mutex_unlock(&e->lock);
    return drained;
}

/* Small numbers, so that tests are quick; a test changes what it is about before engine_start(). */
static void engine_init(engine *e, const sl_plugin *plugin, const void *plugin_conf)
{
    *e = (engine){.offered = 1};
    pthread_mutex_init(&e->lock, NULL);
    e->delivery.request.max_bytes = 1 << 20;
    e->delivery.request.max_records = 10000;
    e->delivery.request.max_age_ns = 5 * SL_NS_PER_MS;
    e->delivery.request.concurrency = 8;
    e->delivery.retry.initial_ns = 2 * SL_NS_PER_MS;
    e->delivery.retry.max_ns = 20 * SL_NS_PER_MS;
    e->conf = (sl_output_worker_conf){.name = "search",
                                      .pipeline = "booking",
                                      .plugin = plugin,
                                      .conf = plugin_conf,
                                      .delivery = &e->delivery,
                                      .journal_dir = "/nowhere",
                                      .first = 1,
                                      .next = 1,
                                      .ledger = &e->ledger,
                                      .acked = on_acked,
                                      .arg = e};
    memset(shapes, 0, sizeof shapes);
    reads = read_errors_left = letter_count = letter_errors_left = 0;
    journal_end = 1;
}

static void engine_start(engine *e)
{
    sl_err err = SL_ERR_NONE;
    e->worker = sl_output_worker_start(&e->conf, &err);
    ck_assert_msg(e->worker != NULL, "%s", err.text);
}

/* Frames that stand in the journal before the start. */
static inline void engine_backlog(engine *e, unsigned frames, uint32_t records, uint32_t size)
{
    static sl_backlog backlog[1];
    backlog[0] = (sl_backlog){e->offered, (uint64_t)frames * records};
    for (unsigned i = 0; i < frames; i++)
        shapes[e->offered++] = (frame_shape){.records = records, .size = size};
    e->records += (uint64_t)frames * records;
    e->conf.next = journal_end = e->offered;
    e->conf.backlog = backlog;
    e->conf.backlog_count = 1;
}

static void engine_offer_shape(engine *e, frame_shape shape)
{
    uint64_t sequence = e->offered++;
    shapes[sequence] = shape;
    sl_batch *batch = make_batch(sequence);
    __atomic_store_n(&journal_end, e->offered, __ATOMIC_RELEASE);
    e->records += shape.records;
    uint64_t segment = sequence - sequence % 10;
    if (segment < e->conf.next) segment = e->conf.next;
    sl_output_worker_offer(e->worker, sequence, segment, shape.records, batch);
    sl_batch_unref(batch);
}

static void engine_offer(engine *e, unsigned frames, uint32_t records, uint32_t size)
{
    for (unsigned i = 0; i < frames; i++)
        engine_offer_shape(e, (frame_shape){.records = records, .size = size});
}

static uint64_t engine_accounted(engine *e)
{
    const sl_output_ledger *l = &e->ledger;
    return sl_ledger_get(&l->filtered) + sl_ledger_get(&l->delivered) + sl_ledger_get(&l->buffered) +
           sl_ledger_get(&l->in_flight) + sl_ledger_get(&l->dead_lettered) + sl_drops_total(&l->dropped);
}

static void engine_drain(engine *e)
{
    sl_output_worker_drain(e->worker, on_drained, e);
    ck_assert_msg(wait_for(is_drained, e), "not drained in 20 s: acked %llu of %llu",
                  (unsigned long long)acked(e), (unsigned long long)e->offered);
    ck_assert_uint_eq(acked(e), e->offered);
    ck_assert_uint_eq(sl_ledger_get(&e->ledger.buffered), 0);
    ck_assert_uint_eq(sl_ledger_get(&e->ledger.in_flight), 0);
    ck_assert_uint_eq(engine_accounted(e), e->records);
    ck_assert_uint_eq(e->out_of_order_acks, 0);
}

static void engine_stop(engine *e)
{
    sl_output_worker_stop(e->worker);
    ck_assert_uint_eq(engine_accounted(e), e->records);
    ck_assert_uint_eq(sl_ledger_get(&e->ledger.in_flight), 0);
    pthread_mutex_destroy(&e->lock);
}

#endif

/* delivery.h: the delivery engine: one output worker an output, on a loop of its own.
 *
 * It is offered frames in order, forms requests by bytes, records and age, keeps as many in flight as the
 * other side stands, retries, splits, dead-letters, and moves the cursor in order. The plugin only encodes
 * and judges (or sends).
 */
#ifndef SLUICE_DELIVERY_H
#define SLUICE_DELIVERY_H

#include "journal/journal.h"
#include "ledger.h"
#include <sluice/plugin.h>

/* Options that every output has beside its plugin's own; rows in sl_delivery_options. */
typedef struct sl_delivery_conf {
    sl_condition *when; /* NULL: every record */
    struct {
        uint64_t max_bytes;     /* of encoded records, before compression; default 1MiB */
        uint64_t max_records;   /* default 10000 */
        int64_t max_age_ns;     /* oldest record waits at most this long for company; -1: the output's own */
        int64_t concurrency;    /* most requests in flight; default 8; adaptive below that */
        int64_t max_per_second; /* requests, repetitions too; -1: the output's own, -2: no limit */
    } request;
    struct {
        int64_t initial_ns; /* first back-off, default 500ms */
        int64_t max_ns;     /* longest back-off, default 30s */
        int64_t max_age_ns; /* 0: for ever; else the record goes to the dead letters */
    } retry;
} sl_delivery_conf;
extern const sl_option sl_delivery_options[];

#define SL_REQUEST_MAX_AGE_NS                                                                                \
    (15 * SL_NS_PER_MS) /* unless the output's plugin or the option says otherwise */
/* The same with what `auto` stands for: max_age 0 or more, max_per_second 0 for no limit. */
sl_delivery_conf sl_delivery_resolve(const sl_delivery_conf *conf, const sl_output_ops *ops);

typedef struct sl_output_worker sl_output_worker;
typedef struct sl_dead_letters sl_dead_letters;

typedef struct sl_output_worker_conf {
    const char *name;     /* "search": in the log, metrics, cursors */
    const char *pipeline; /* "booking" */
    const sl_plugin *plugin;
    const void *conf; /* the plugin's */
    const sl_delivery_conf *delivery;
    const char *journal_dir; /* NULL for a memory journal */
    const char *data_dir;    /* state and dead letters live below it */
    uint64_t first;          /* sequence at which the cursor stands */
    uint64_t next;           /* frames [first, next) are in the journal already */
    const sl_backlog
        *backlog; /* records in them, by segment (sl_journal_backlog): opens `buffered`; copied */
    size_t backlog_count;
    bool once;
    sl_output_ledger *ledger;      /* outlives the worker */
    sl_dead_letters *dead_letters; /* the pipeline's; outlives the worker */
    /* Called on the output's loop: frames before `next` are dealt with. In order. */
    void (*acked)(void *arg, uint64_t next);
    void *arg;
} sl_output_worker_conf;

/* Makes the loop and starts the plugin on it. Any thread but the output's. */
sl_output_worker *sl_output_worker_start(const sl_output_worker_conf *conf, sl_err *err);
/* A new frame; called from the journal loop, crosses by itself. Keeps a reference to the batch only while
 * what it holds in memory is below its limit; otherwise it reads the frame back from the journal (a memory
 * journal's batches are always kept). segment: as in sl_journal_events.appended; the worker keeps one count
 * of records a segment, offered and taken. */
void sl_output_worker_offer(sl_output_worker *worker, uint64_t sequence, uint64_t segment, uint32_t records,
                            sl_batch *batch);
/* The journal gave up its segments with frames before `sequence`: what was not taken of them is counted in
 * the ledger as dropped with this reason, not as buffered any more; what is already in memory is delivered as
 * usual. From the journal loop. */
void sl_output_worker_drop_before(sl_output_worker *worker, uint64_t sequence, const char *reason);
/* Everything offered so far should go out now, without waiting for company; done() is called on the output's
 * loop when the cursor stands at the end (once and shutdown). */
void sl_output_worker_drain(sl_output_worker *worker, void (*done)(void *arg), void *arg);
/* Stops: what is in flight is given up (it stays in the journal), the plugin is stopped and freed, the loop
 * joined. Any thread but the output's. */
void sl_output_worker_stop(sl_output_worker *worker);
/* For health and the page: "ok", or what is wrong ("503 from https://…, retrying in 4 s"). Copies into out.
 * Any thread. */
void sl_output_worker_status(sl_output_worker *worker, char *out, size_t size);

#include "dead_letter.h"

#endif

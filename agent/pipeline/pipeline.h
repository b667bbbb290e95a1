/* pipeline.h: one pipeline at work: stages on the worker loops, a journal on a loop of its own, an output
 * worker an output.
 *
 *   worker loop                          journal loop                              output loops
 *   input -> stage (filters, seal,  -->  parcel queue -> dead letters, journal --> output workers
 *            encode the frame)                |                                        |
 *   <-- credit, receipt ----------------------+  <-- cursor -------------------------- +
 *
 * What crosses a thread is a parcel: one sealed batch with its frame and its receipt. Parcels of one worker
 * reach the journal in the order they were made; receipts return in that order.
 */
#ifndef SLUICE_PIPELINE_H
#define SLUICE_PIPELINE_H

#include "delivery/delivery.h"
#include "pipeline_conf.h"

typedef struct sl_pipeline sl_pipeline;

/* Everything that the pipelines of one agent share. Read-only. */
typedef struct sl_agent_context {
    const sl_service_conf *service;
    sl_loop *const *workers;
    unsigned n_workers;
    bool once;
} sl_agent_context;

/* A pipeline of which nothing runs yet. Both must outlive it. Main thread. */
sl_pipeline *sl_pipeline_new(const sl_pipeline_conf *conf, const sl_agent_context *context);
/* Opens the journal, starts the outputs and the filters. Main thread. On an error nothing is left running,
 * the journal's status tells it, and opening may be tried again. */
int sl_pipeline_open(sl_pipeline *pipeline, sl_err *err);
bool sl_pipeline_is_open(const sl_pipeline *pipeline); /* until sl_pipeline_free(); main thread */

/* What is on the way, and no more, may go into the journal beyond its max_size: it is to be closed for good,
 * and what keeps it full may be what its successor mends. Any thread but the loops'. */
void sl_pipeline_lift_limit(sl_pipeline *pipeline);
/* Waits until every batch that was emitted is in the journal (inputs must have stopped), or *deadline_ns
 * (monotonic ns; atomic, another thread may bring it nearer) is past. True: all are. */
bool sl_pipeline_settle(sl_pipeline *pipeline, const int64_t *deadline_ns);
/* Waits until every output has delivered all, or the deadline is past. True: all delivered. */
bool sl_pipeline_drain(sl_pipeline *pipeline, const int64_t *deadline_ns);
/* Stops the outputs, syncs and closes the journal, returns the last receipts; what could not be made safe is
 * returned as unsafe. Inputs must have stopped but not be freed. The ledgers stay readable until
 * sl_pipeline_free(). Any thread but the loops'. Of one that is not open there is nothing to do. */
void sl_pipeline_close(sl_pipeline *pipeline);
void sl_pipeline_free(sl_pipeline *pipeline);

const char *sl_pipeline_name(const sl_pipeline *pipeline);
const sl_pipeline_ledger *sl_pipeline_ledger_of(const sl_pipeline *pipeline);
unsigned sl_pipeline_input_count(const sl_pipeline *pipeline);
const char *sl_pipeline_input_name(const sl_pipeline *pipeline, unsigned i);
unsigned sl_pipeline_output_count(const sl_pipeline *pipeline);
const char *sl_pipeline_output_name(const sl_pipeline *pipeline, unsigned i);
const sl_output_ledger *sl_pipeline_output_ledger(const sl_pipeline *pipeline, unsigned i);
/* "ok", or what is wrong; copied. Any thread. */
void sl_pipeline_input_status(sl_pipeline *pipeline, unsigned i, char *out, size_t size);
void sl_pipeline_output_status(sl_pipeline *pipeline, unsigned i, char *out, size_t size);
void sl_pipeline_journal_status(sl_pipeline *pipeline, char *out, size_t size);

/* ---- inputs ---- */

/* Makes an input that feeds these pipelines, on a worker loop. Main thread. */
sl_input *sl_input_new(const sl_plugin_use *use, const sl_agent_context *context, unsigned worker,
                       sl_pipeline *const *pipelines, unsigned n_pipelines, void (*finished)(void *arg),
                       void *arg);
/* The input that every pipeline has for sending dead letters again (replay.h). */
sl_input *sl_pipeline_replay_input(sl_pipeline *pipeline, void (*finished)(void *arg), void *arg);
/* Waits for the plugin's start() on its loop. On an error the input's status tells it, and it may be tried
 * again. */
int sl_input_start(sl_input *in, sl_err *err);
bool sl_input_is_started(const sl_input *in); /* main thread */
bool sl_input_may_start(const sl_input *in);  /* every pipeline that it feeds is open; main thread */
void sl_input_stop(sl_input *in);             /* waits; nothing is emitted afterwards */
/* From one set of pipelines to another, while the plugin keeps what it has open. Between hold and release no
 * batch reaches a pipeline: the plugin is told not to read, what it emits all the same waits here. Each waits
 * for the loop; any thread but the loops'. */
void sl_input_hold(sl_input *in);
void sl_input_feed(sl_input *in, sl_pipeline *const *pipelines, unsigned n_pipelines);
void sl_input_release(sl_input *in);
bool sl_input_is_held(const sl_input *in); /* the thread that holds and releases it */
void sl_input_free(sl_input *in);          /* after the pipelines are closed: every receipt is back */

#endif

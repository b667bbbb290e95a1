/* plugin.h: what a plugin is: one exported descriptor, `sl_<kind>_<name>`, and the calls it may make.
 *
 * The core owns configuration, threads, buffering, retries, metrics and the log; a plugin adds only what its
 * own protocol needs. A plugin that is not part of the tree is a shared object with one descriptor per
 * plugin, named in `service.plugins`; the core refuses one whose `abi` is not SL_ABI_VERSION.
 */
#ifndef SLUICE_PLUGIN_H
#define SLUICE_PLUGIN_H

#include <sluice/base.h>
#include <sluice/fs.h>
#include <sluice/http.h>
#include <sluice/json.h>
#include <sluice/logger.h>
#include <sluice/loop.h>
#include <sluice/option.h>
#include <sluice/record.h>
#include <sluice/state.h>

typedef struct sl_input sl_input;
typedef struct sl_filter sl_filter;
typedef struct sl_output sl_output;

typedef enum sl_plugin_kind { SL_PLUGIN_INPUT = 1, SL_PLUGIN_FILTER, SL_PLUGIN_OUTPUT } sl_plugin_kind;

/* ---- inputs ---- */

typedef struct sl_input_ops {
    /* Begins reading, on the input's loop. Returns the plugin's own object, or NULL with err. */
    void *(*start)(sl_input *in, const void *conf, sl_err *err);
    /* There is credit again after sl_input_may_read() was false. */
    void (*resume)(void *self);
    /* Ends reading: nothing is emitted after it returns. What was read but not emitted is read again next
     * time, or was complete and is emitted now. */
    void (*stop)(void *self);
    /* Every receipt has been released or cancelled; save what is to be saved, free everything. */
    void (*free)(void *self);
} sl_input_ops;

sl_loop *sl_input_loop(sl_input *in);
const char *sl_input_name(sl_input *in); /* for the log: "tail apps" */
sl_state *sl_input_state(sl_input *in);  /* its scope of the state database; used on its loop */
bool sl_input_once(sl_input *in);        /* run --once: read to the end, then sl_input_finished() */
/* False: the pipeline is full; read no more until resume(). Ask before each read; cheap. */
bool sl_input_may_read(sl_input *in);
/* Hands over an open batch (never an empty one), with its receipt if the input wants one. The batch is the
 * core's from here on. */
void sl_input_emit(sl_input *in, sl_batch *batch);
void sl_input_finished(sl_input *in); /* once only: everything has been read and emitted */
/* Something keeps the input from its work (its disk is full); /ready says so until it is ready again. */
void sl_input_not_ready(sl_input *in, const sl_err *err);
void sl_input_ready(sl_input *in);
/* A receipt for a batch: released(arg, safe) is called on the input's loop when the batch is as safe as the
 * pipeline promises (safe true), or will never be in this run (safe false). Receipts of one input are
 * released in the order its batches were emitted. */
sl_receipt *sl_receipt_new(sl_input *in, void (*released)(void *arg, bool safe), void *arg);
/* Bytes or lines that the input itself gave up, counted in the ledger as received and dropped with this
 * reason (static text, snake_case). */
void sl_input_count_dropped(sl_input *in, const char *reason, uint64_t records);
/* A metric of this input: sluice_<plugin>_<name>, a gauge unless the name ends in `_total`. Call at start.
 * Cells with the same name and labels are added up where they are shown. */
sl_counter *sl_input_counter(sl_input *in, const char *name, const char *help);
/* The same with one label, e.g. ("lag_messages", "…", "partition", "orders/3"). */
sl_counter *sl_input_counter_labelled(sl_input *in, const char *name, const char *help, const char *label,
                                      const char *value);

/* How much an input should put into one batch: it emits when a batch has this many bytes of text or the
 * oldest line is this old. */
#define SL_BATCH_BYTES  (512u * 1024)
#define SL_BATCH_AGE_NS (20 * SL_NS_PER_MS)

/* ---- filters ---- */

/* One instance a pipeline step and worker loop: no locks. */
typedef struct sl_filter_ops {
    void *(*start)(sl_filter *filter, const void *conf, sl_err *err);
    /* Looks at every record whose fate is SL_FATE_LIVE; edits it or sets its fate. What takes secrets out
     * looks at those that are SL_FATE_DEAD_LETTERED as well: they are kept on the disk. */
    void (*apply)(void *self, sl_batch *batch);
    void (*free)(void *self);
} sl_filter_ops;

const char *sl_filter_name(sl_filter *filter); /* for the log: "booking.redact" */
sl_counter *sl_filter_counter(sl_filter *filter, const char *name, const char *help);
/* The same with one label, e.g. ("redacted_total", "…", "rule", "email"). */
sl_counter *sl_filter_counter_labelled(sl_filter *filter, const char *name, const char *help,
                                       const char *label, const char *value);

/* ---- outputs ---- */

typedef struct sl_record_ref {
    const sl_batch *batch;
    const sl_record *rec;
} sl_record_ref;

/* What the engine asks an output to deliver: records in order, and what encode() makes of them. */
typedef struct sl_request {
    const sl_record_ref *recs;
    uint32_t count;           /* encode() may lower it, to 1 at least: the others go into other requests */
    sl_span partition;        /* what partition() said of these records; empty without it */
    uint64_t size;            /* encode(): what counts for request.max_bytes; 0: the body's length */
    uint32_t attempt;         /* 1 the first time */
    sl_buf body;              /* encode() appends; compressed afterwards by the engine if so configured */
    sl_buf path;              /* HTTP: what follows the base URL, e.g. "/_bulk?filter_path=…" */
    const char *method;       /* HTTP: "POST" unless set */
    const char *content_type; /* HTTP: "application/json" unless set */
    void *user;               /* send(): the plugin's own */
} sl_request;

typedef enum sl_verdict_kind {
    SL_VERDICT_DELIVERED,
    SL_VERDICT_RETRY,   /* again, after retry_after_ns or the back-off */
    SL_VERDICT_SPLIT,   /* too large: halve and send again; a single record is rejected */
    SL_VERDICT_PARTIAL, /* see each record */
    SL_VERDICT_REJECT,  /* none of these records will ever be taken: dead letters */
} sl_verdict_kind;

#define SL_REASON_MAX 512

/* What a RETRY tells of the other side, where judge() knows; then its address is taken for the right one. */
typedef enum sl_retry_cause {
    SL_CAUSE_UNKNOWN,  /* only what transport and status say: an unexpected answer lets another address try */
    SL_CAUSE_PRESSURE, /* too many requests: fewer at a time */
    SL_CAUSE_CALLER,   /* our own credentials or clock, now mended: the first repetition goes at once */
    SL_CAUSE_PARTITION, /* the place of this request (req->partition): others are not held back by it */
} sl_retry_cause;

typedef struct sl_verdict {
    sl_verdict_kind kind;
    sl_retry_cause cause;
    int64_t retry_after_ns;
    char reason[SL_REASON_MAX]; /* for a person; what the other side said */
    /* PARTIAL: one entry a record of the request, set by sl_verdict_set_record(); what is not set is
     * DELIVERED. */
    struct sl_record_verdict *each;
    sl_arena *arena; /* the engine's, holds `each` and reasons */
    uint32_t count;
} sl_verdict;

void sl_verdict_set(sl_verdict *verdict, sl_verdict_kind kind, const char *fmt, ...) SL_PRINTF(3, 4);
/* Makes the verdict PARTIAL and sets one record's own: DELIVERED, RETRY or REJECT with a reason (copied, cut
 * at SL_REASON_MAX). */
void sl_verdict_set_record(sl_verdict *verdict, uint32_t i, sl_verdict_kind kind, sl_span reason);

/* An HTTP request as it is about to go out. */
typedef struct sl_outgoing {
    const char *method;
    sl_span path;
    const char *content_type, *content_encoding; /* NULL: none */
    sl_span body;                                /* as it goes over the wire */
    const char *action;                          /* of sl_output_http_call(); NULL: a request with records */
} sl_outgoing;

typedef struct sl_output_ops {
    /* On the output's loop. NULL with err: configuration that only the running agent can judge. A server that
     * does not answer is no error here. */
    void *(*start)(sl_output *out, const void *conf, sl_err *err);
    /* HTTP outputs: which part of the configuration the client needs; encode; judge (NULL: by status alone).
     */
    const sl_http_conf *(*http)(void *self);
    void (*encode)(void *self, sl_request *req);
    /* Optional: which records may share a request: those of which it says the same bytes, such as the place
     * that a request is for. Valid until the next call; req->partition gives them to encode(). Requests for
     * several of them form at a time; within one, records keep their order. NULL: all may. */
    sl_span (*partition)(void *self, const sl_batch *batch, const sl_record *rec);
    /* Optional, asked once: whether requests of one partition are sent one after another, so that its records
     * arrive in order; requests of others go beside them. NULL: they are not. */
    bool (*in_order)(void *self);
    /* The other side does not know ids: what is sent again is there twice. Then the cursor is saved whenever it
     * moves, else once a second. */
    bool doubles;
    bool by_time; /* records of a request stand in order of their time, stably; else as they came */
    /* *verdict holds what the transport and status alone say; change it where the answer's body knows better.
     */
    void (*judge)(void *self, const sl_request *req, const sl_answer *answer, sl_verdict *verdict);
    /* HTTP, optional: before the first request, after each reconnect of all URLs, and when headers() said no: a
     * first exchange (probe the version, install a template, get credentials). Uses sl_output_http_call(), once
     * http() gives a URL; calls sl_output_ready() when delivery may begin, for which it must give one. */
    void (*prepare)(void *self);
    /* HTTP, optional: headers of this one attempt, also of each repetition, such as a signature. What *headers
     * points to stays as it is until the next call; no names that sluice sets itself. False: there are none now
     * (credentials are missing): the request waits, and prepare(), which such a plugin has, is called again. */
    bool (*headers)(void *self, const sl_outgoing *out, const sl_http_header **headers, size_t *count);
    /* Other outputs: deliver by yourself, then sl_request_done(), now or later, on the output's loop. */
    void (*send)(void *self, sl_request *req);
    /* Optional: the record range up to here is about to be acknowledged: make it durable (file: fsync). 0 or
     * an error (then it is retried). */
    int (*sync)(void *self, sl_err *err);
    void (*stop)(void *self); /* nothing in flight any more */
    void (*free)(void *self);
    /* Optional, for `sluice check --connect`: whether the place that it delivers to is there and lets it in.
     * Leaves nothing there. On the main thread, no loop runs; may take some seconds. 0 or an error. */
    int (*connect)(const void *conf, sl_err *err);
    uint64_t
        max_in_flight; /* 0: adaptive up to the configured limit; 1: requests strictly one after another */
    /* What options that every output has stand for while they are `auto`; 0: the usual. */
    int64_t max_age_ns;      /* request.max_age */
    uint64_t max_per_second; /* request.max_per_second */
} sl_output_ops;

sl_loop *sl_output_loop(sl_output *out);
const char *sl_output_name(sl_output *out); /* "search" */
/* The output's own scope of the state database, opened at first need; used on its loop. NULL with err. */
sl_state *sl_output_state(sl_output *out, sl_err *err);
void sl_request_done(sl_output *out, sl_request *req, const sl_verdict *verdict);
void sl_verdict_init(sl_verdict *verdict, const sl_request *req); /* DELIVERED; for send() outputs */
sl_counter *sl_output_counter(sl_output *out, const char *name, const char *help);
/* The same with one label, e.g. ("broker_up", "…", "broker", "1"). */
sl_counter *sl_output_counter_labelled(sl_output *out, const char *name, const char *help, const char *label,
                                       const char *value);
/* For outputs that send by themselves: something keeps requests waiting inside them (no broker answers).
 * /ready says so until something is delivered. To be logged by the caller. */
void sl_output_trouble(sl_output *out, const char *text);
/* Within encode(): this record can never be sent and is not in the body: it goes to the dead letters with the
 * reason (copied, cut at SL_REASON_MAX), which holds nothing of the record: it is logged. */
void sl_request_refuse(sl_request *req, uint32_t i, sl_span reason);
/* What kept requests of this partition from being taken is mended: those that wait to be sent again go now. */
void sl_output_retry_now(sl_output *out, sl_span partition);
/* A request of the output's own (probe, template). */
typedef struct sl_output_call {
    const char *method, *path;
    sl_span body;             /* copied */
    const char *content_type; /* static; NULL: "application/json" */
    const char *action;       /* the plugin's own word for it, given to its headers() */
    /* On the output's loop, never from within the call; not at all when the output stops before. Where
     * headers() says no: SL_TRANSPORT_BROKEN. */
    void (*answered)(void *self, const sl_answer *answer, void *arg);
    void *arg;
} sl_output_call;
void sl_output_http_call(sl_output *out, const sl_output_call *call);
/* For connect(): GET path from each address; 0 when all answer with 2xx. */
int sl_http_connect(const sl_http_conf *conf, const char *path, sl_err *err);
/* The same with any request, and a judge of the answer: what it returns is returned. Waits for ten seconds at
 * most. Not on a loop's thread. */
typedef struct sl_http_trial {
    const char *method, *path, *content_type; /* content_type NULL: no body */
    sl_span body;
    const sl_http_header *headers;
    size_t header_count;
    /* 0 or sets err. On another thread, once. NULL: 2xx is good. */
    int (*judge)(void *arg, const sl_answer *answer, sl_err *err);
    void *arg;
} sl_http_trial;
int sl_http_try(const sl_http_conf *conf, const sl_http_trial *trial, sl_err *err);
void sl_output_ready(sl_output *out);
/* prepare() failed for now: logged, tried again after the back-off. */
void sl_output_not_ready(sl_output *out, const sl_err *why);

/* ---- the descriptor ---- */

typedef struct sl_plugin {
    uint32_t abi; /* SL_ABI_VERSION */
    sl_plugin_kind kind;
    const char *name;
    const char *help; /* one sentence */
    const sl_option *options;
    size_t conf_size;
    /* Optional: what no single row can say (options that exclude each other); fills derived fields of conf.
     * No side effects, no I/O but reading files that options name. Runs at `sluice check`. `err` may name an
     * option as "option `x`: …". */
    int (*check)(void *conf, sl_err *err);
    void (*conf_release)(void *conf); /* optional: frees what check() made, also when it failed */
    const sl_input_ops *input;
    const sl_filter_ops *filter;
    const sl_output_ops *output;
} sl_plugin;

#endif

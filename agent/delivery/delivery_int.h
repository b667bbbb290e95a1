/* delivery_int.h: an output worker as its parts see it. Inside delivery/ only; everything on the output's
 * loop unless said otherwise.
 *
 *   feed -> former -> dispatch -> (http_output | the plugin's send) -> settle -> window -> cursor
 *                        ^ waiting <- RETRY, SPLIT, PARTIAL -'  '-> burying -> dead letters
 */
#ifndef SLUICE_DELIVERY_INT_H
#define SLUICE_DELIVERY_INT_H

#include "base/backoff.h"
#include "feed.h"
#include "former.h"
#include "in_flight.h"
#include "net/compress.h"
#include "pacer.h"
#include "shipment.h"
#include "verdict.h"
#include "window.h"
#include <pthread.h>

/* What it may hold beyond that to send the requests that form side by side: their records are held already,
 * and none of these lets go of a batch before all its records went. */
#define SL_OUTPUT_MAX_SPREAD (4u << 20)
/* What it keeps beside that of batches that were offered and are not taken yet. */
#define SL_OUTPUT_MAX_KEPT (2u << 20)

/* The plugin's side of a worker. */
struct sl_output {
    struct sl_output_worker *worker;
};

typedef enum sl_prepare_state {
    SL_PREPARE_DONE, /* or there is nothing to prepare */
    SL_PREPARE_NEEDED,
    SL_PREPARE_RUNNING,
} sl_prepare_state;

/* A request of the plugin's own. */
typedef struct sl_own_call {
    struct sl_output_worker *worker;
    struct sl_own_call *next, *prev;
    sl_http_call *call; /* NULL: headers() said no */
    sl_message refused;
    bool given_up; /* the output has stopped */
    char *body;
    void (*answered)(void *self, const sl_answer *answer, void *arg);
    void *arg;
} sl_own_call;

struct sl_output_worker {
    sl_output_worker_conf conf; /* name, pipeline, journal_dir, data_dir and delivery are copies */
    sl_delivery_conf delivery;
    struct sl_output out;
    const sl_output_ops *ops;
    void *self; /* the plugin's */
    char log_name[96];
    sl_loop *loop;

    uint64_t held; /* bytes of the window's batches and the shipments' bodies */
    sl_feed feed;
    sl_window window;
    sl_former former;
    sl_in_flight in_flight;
    sl_pacer pacer;
    sl_shipment_pool pool;
    sl_shipment_list sending, waiting, burying;
    sl_backoff backoff; /* only its randomness: failures are counted by shipment */

    bool in_order;          /* requests of a partition go one after another */
    bool is_http;           /* else the plugin sends by itself */
    sl_http_client *client; /* NULL: its address is not known yet */
    sl_compressor *compressor;
    sl_buf scratch; /* bodies before compression; dead letters' texts */
    sl_own_call *own_calls;
    sl_prepare_state prepare;
    sl_backoff prepare_backoff;
    int64_t prepare_at_ns;

    sl_backoff read_backoff;
    int64_t read_at_ns; /* reading failed: when to try again; 0: it did not */
    int64_t missing_since_ns;

    uint64_t acked; /* the cursor as told */
    int64_t sync_at_ns;
    bool draining;
    void (*drained)(void *arg);
    void *drained_arg;

    sl_timer *timer;
    bool pumping, again_posted, stopped;
    sl_message again;
    sl_state *state; /* made when the plugin asks for it */

    sl_log_limit retry_limit, reject_limit, bury_limit, read_limit, sync_limit, again_limit;
    pthread_mutex_t status_lock; /* the one thing others look at */
    char trouble[SL_REASON_MAX]; /* empty: all is well */
    int64_t trouble_until_ns;    /* when it is tried again; 0: not told */
};

/* ---- output_worker.c ---- */

/* Something has changed: send, bury, acknowledge what can be, set the timer for the rest. Not from deep
 * inside: it may run at once. */
void sl_worker__pump(sl_output_worker *worker);
void sl_worker__pump_soon(sl_output_worker *worker); /* from anywhere on the loop */
void sl_worker__set_trouble(sl_output_worker *worker, const char *text, int64_t until_ns);
void sl_worker__clear_trouble(sl_output_worker *worker);

/* Into the list `waiting`. */
void sl_worker__wait(sl_output_worker *worker, sl_shipment *shipment);

/* ---- dispatch.c ---- */

/* Sends at most one shipment: one that is due again, or a new one. False: none can be sent now. */
bool sl_dispatch__next(sl_output_worker *worker);
/* When it wants to be called next without anything else happening; INT64_MAX: never. */
int64_t sl_dispatch__deadline(const sl_output_worker *worker);

/* ---- settle.c ---- */

/* The shipment, in no list, came to an end with this verdict. */
void sl_settle__verdict(sl_output_worker *worker, sl_shipment *shipment, const sl_verdict *verdict);
/* Gives the bodies' memory back. */
void sl_settle__drop_bodies(sl_output_worker *worker, sl_shipment *shipment);
/* Its records go into two halves that are sent at once. */
void sl_settle__split(sl_output_worker *worker, sl_shipment *shipment);
/* Its records from `from` on, which encode() left out, go into a request of their own. fresh: it comes from the
 * former, which takes them back. */
void sl_settle__cut(sl_output_worker *worker, sl_shipment *shipment, uint32_t from, bool fresh);
/* Those that encode() refused go to the dead letters, the others stay, in order. False: none did, and the
 * shipment is gone. */
bool sl_settle__refused(sl_output_worker *worker, sl_shipment *shipment);

/* ---- bury.c ---- */

/* Its records go to the dead letters; takes the shipment. reason: static, snake_case. text: for the log,
 * without content of records. */
void sl_bury__shipment(sl_output_worker *worker, sl_shipment *shipment, const char *reason, const char *text);
/* Tries those again that the disk refused and that are due. */
void sl_bury__due(sl_output_worker *worker);

/* ---- http_output.c ---- */

void sl_http_output__start(sl_output_worker *worker);
void sl_http_output__stop(sl_output_worker *worker);
/* Encodes, unless that is done; false: there is nothing to send: it became larger than allowed and waits as
 * two halves, or none of its records can be sent. fresh: the former has just given it. */
bool sl_http_output__encode(sl_output_worker *worker, sl_shipment *shipment, bool fresh);
/* Sends it. False: the plugin has no headers for it now: nothing was sent, and it is to prepare anew. */
bool sl_http_output__send(sl_output_worker *worker, sl_shipment *shipment);
/* Runs the plugin's prepare() if it is needed and due. True: delivery may go on. */
bool sl_http_output__is_ready(sl_output_worker *worker);

#endif

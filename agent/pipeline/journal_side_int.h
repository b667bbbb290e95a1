/* journal_side_int.h: shared by journal_side.c, which works, and journal_side_open.c, which begins and ends it. */
#ifndef SLUICE_JOURNAL_SIDE_INT_H
#define SLUICE_JOURNAL_SIDE_INT_H

#include "journal_side.h"
#include "output_link.h"
#include <pthread.h>

typedef struct sl_parcel_queue {
    sl_parcel *first, **last;
} sl_parcel_queue;

struct sl_journal_side {
    sl_journal_side_conf conf;
    sl_loop *loop;
    sl_journal *journal;
    sl_timer *tick, *retry;
    char dir[4096];
    bool on_disk;
    sl_parcel_queue waiting, unsafe;
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

/* What the journal tells; arg: the side. */
extern const sl_journal_events sl_journal_side__events;
void sl_journal_side__on_tick(void *side); /* timers on the journal's loop */
void sl_journal_side__on_retry(void *side);
void sl_journal_side__on_drained(void *side); /* an output's loop */
void sl_journal_side__return_unsafe(
    sl_journal_side *side); /* every parcel that is left; the journal is closed */

#endif

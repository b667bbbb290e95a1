/* output_link.h: one output as its pipeline's journal sees it: frames go to the output's loop, positions come
 * back, and what has been delivered is acknowledged.
 *
 * Everything on the journal's loop unless said otherwise. A link is a member of its owner, zeroed before it
 * is started; it must not move.
 */
#ifndef SLUICE_OUTPUT_LINK_H
#define SLUICE_OUTPUT_LINK_H

#include "delivery/delivery.h"
#include "journal/journal.h"
#include "pipeline.h"

typedef struct sl_output_link_conf {
    const sl_plugin_use *use;
    const char *pipeline;
    sl_loop *loop;       /* the journal's */
    sl_journal *journal; /* outlives the link's output */
    unsigned index;      /* of the output, as the journal counts them */
    const char *folder;  /* the journal's; NULL: it is in memory */
    const char *data_dir;
    bool once;
    sl_dead_letters *letters;
    void (*drained)(void *arg); /* on the output's loop, when sl_output_link_drain() has come to its end */
    void *arg;
} sl_output_link_conf;

typedef struct sl_output_link {
    sl_output_link_conf conf;
    sl_message moved;
    uint64_t next; /* atomic: the newest position; one message carries it over, however often it moves */
    bool posted;   /* atomic: that message is under way */
    bool drained;  /* atomic */
    sl_output_worker *worker; /* NULL: not started, or stopped */
    sl_output_ledger ledger;
} sl_output_link;

/* Starts the output at the journal's position of it. Main thread. */
int sl_output_link_start(sl_output_link *link, const sl_output_link_conf *conf, sl_err *err);
/* As the journal's events of the same names. */
void sl_output_link_offer(sl_output_link *link, uint64_t sequence, uint64_t segment, uint32_t records,
                          sl_batch *batch);
void sl_output_link_drop_before(sl_output_link *link, uint64_t sequence, const char *reason);
/* Asks the output to deliver all it has; any thread but the output's. */
void sl_output_link_drain(sl_output_link *link);
bool sl_output_link_is_drained(const sl_output_link *link); /* any thread */
/* Joins the output's loop. Its last acknowledgements have been posted then. Main thread; twice is fine. */
void sl_output_link_stop(sl_output_link *link);

#endif

/* journal_side.h: the half of a pipeline that lives on its journal loop: takes parcels, makes dead letters
 * durable, appends frames, offers them to the outputs, returns credit and receipts, moves cursors.
 */
#ifndef SLUICE_JOURNAL_SIDE_H
#define SLUICE_JOURNAL_SIDE_H

#include "pipeline_int.h"

typedef struct sl_journal_side sl_journal_side;

typedef struct sl_journal_side_conf {
    const sl_pipeline_conf *pipeline;
    const char *data_dir;
    bool once;
    bool set_aside; /* as in sl_journal_conf */
    sl_pipeline_ledger *ledger;
    sl_dead_letters *letters;
} sl_journal_side_conf;

/* Makes the loop, opens the journal, starts the outputs. Main thread. */
sl_journal_side *sl_journal_side_start(const sl_journal_side_conf *conf, sl_err *err);
/* Whether frames go to disk, whatever is configured: a buffer in memory begins where none on disk is left. */
bool sl_journal_side_is_on_disk(const sl_journal_side *side);
void sl_journal_side_submit(sl_journal_side *side, sl_parcel *parcel); /* any worker loop */
/* See sl_pipeline_lift_limit(). Not from a loop. */
void sl_journal_side_lift_limit(sl_journal_side *side);
bool sl_journal_side_settle(sl_journal_side *side,
                            const int64_t *deadline_ns); /* not from a loop; see sl_pipeline_settle */
bool sl_journal_side_drain(sl_journal_side *side, const int64_t *deadline_ns);
/* Stops the outputs, closes the journal, returns every parcel, joins the loop. */
void sl_journal_side_stop(sl_journal_side *side);
void sl_journal_side_free(sl_journal_side *side); /* after stop; NULL is fine */
const sl_output_ledger *sl_journal_side_ledger(const sl_journal_side *side, unsigned output);
void sl_journal_side_output_status(sl_journal_side *side, unsigned output, char *out, size_t size);
void sl_journal_side_status(sl_journal_side *side, char *out, size_t size);

#endif

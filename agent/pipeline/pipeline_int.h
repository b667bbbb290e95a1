/* pipeline_int.h: what the files of this folder share. */
#ifndef SLUICE_PIPELINE_INT_H
#define SLUICE_PIPELINE_INT_H

#include "pipeline.h"

#define SL_NAME_TEXT 192 /* "<pipeline>.<plugin>-<n>" with room */

struct sl_receipt {
    sl_input *input;
    void (*released)(void *arg, bool safe);
    void *arg;
    unsigned holds; /* pipelines that have not returned it yet; input's loop only */
    bool safe;
};

/* One batch on its way through one pipeline. Made on a worker loop, handed to the journal loop, which returns
 * its credit; comes back to the input's loop for its receipt, and is freed there. */
typedef struct sl_parcel {
    sl_message to_journal, receipt_back;
    struct sl_parcel *next; /* in one of the journal loop's two queues */
    sl_pipeline *pipeline;
    struct sl_journal_side *journal_side; /* the pipeline's */
    sl_input *input;
    sl_receipt *receipt; /* may be NULL */
    sl_batch *batch;     /* sealed; NULL when no record is left */
    sl_frame frame;
    uint32_t received; /* records that the input emitted */
    uint32_t live;     /* of those, records in the batch */
    size_t credit;     /* bytes held against the pipeline's budget */
    uint64_t sequence; /* its receipt is released when this frame is safe */
    bool safe;
    sl_dead_letter *letters; /* in letter_arena */
    size_t letter_count;
    sl_arena letter_arena;
} sl_parcel;

/* The filters of a pipeline on one worker loop. */
typedef struct sl_stage sl_stage;
struct sl_filter {
    const sl_plugin_use *use;
    const char *pipeline;
    void *self;
    char name[SL_NAME_TEXT];
};
sl_stage *sl_stage__new(sl_pipeline *pipeline, const sl_pipeline_conf *conf,
                        sl_err *err); /* on its worker loop */
void sl_stage__free(sl_stage *stage); /* on its worker loop */
/* Runs the filters, seals, encodes; fills the parcel. The batch is the stage's from here on. */
void sl_stage__run(sl_stage *stage, sl_batch *batch, sl_parcel *parcel);

/* ---- the pipeline as its inputs see it ---- */

sl_stage *sl_pipeline__stage(sl_pipeline *pipeline, unsigned worker);
bool sl_pipeline__is_on_disk(const sl_pipeline *pipeline); /* its journal is */
sl_dead_letters *sl_pipeline__dead_letters(sl_pipeline *pipeline);
sl_pipeline_ledger *sl_pipeline__ledger(sl_pipeline *pipeline);
/* What keeps this input from its work; empty: nothing does. Copied. Any thread. */
void sl_pipeline__set_input_trouble(sl_pipeline *pipeline, const sl_plugin_use *input, const char *text);
bool sl_pipeline__has_room(sl_pipeline *pipeline); /* any thread */
void sl_pipeline__take_credit(sl_pipeline *pipeline, size_t bytes);
void sl_pipeline__return_credit(sl_pipeline *pipeline, size_t bytes);
void sl_pipeline__submit(sl_pipeline *pipeline, sl_parcel *parcel); /* worker loop */

/* ---- the input as its pipelines see it: on the journal loop; what must crosses to the input's loop ---- */

void sl_input__return_credit(sl_parcel *parcel);
void sl_input__return_receipt(sl_parcel *parcel, bool safe);

#endif

/* stage.c: the filters of a pipeline on one worker loop, and what follows them: seal, count, encode.
 *
 * Nothing here waits for a disk or another thread. Records that a filter dead-lettered are copied out before
 * the batch is sealed; the journal loop makes them durable before the batch's receipt can be released.
 */
#include "base/metrics.h"
#include "pipeline_int.h"
#include <stdio.h>

struct sl_stage {
    sl_pipeline *pipeline;
    sl_frame_coder *coder; /* NULL: memory journal */
    unsigned filter_count;
    sl_filter filters[];
};

/* ---- what a filter may ask for ---- */

const char *sl_filter_name(sl_filter *filter)
{
    return filter->name;
}

static sl_counter *counter_of(sl_filter *filter, const char *name, const char *help, const char *label,
                              const char *value)
{
    char full[128];
    snprintf(full, sizeof full, "sluice_%s_%s", filter->use->plugin->name, name);
    const char *labels[] = {"pipeline", filter->pipeline, label, value, NULL};
    return sl_metrics_new(filter, SL_METRIC_COUNTER, full, help, labels);
}

sl_counter *sl_filter_counter(sl_filter *filter, const char *name, const char *help)
{
    return counter_of(filter, name, help, NULL, NULL);
}

sl_counter *sl_filter_counter_labelled(sl_filter *filter, const char *name, const char *help,
                                       const char *label, const char *value)
{
    return counter_of(filter, name, help, label, value);
}

/* ---- life ---- */

static int start_filter(sl_filter *filter, const sl_plugin_use *use, const char *pipeline, sl_err *err)
{
    filter->use = use;
    filter->pipeline = pipeline;
    snprintf(filter->name, sizeof filter->name, "%s.%s", pipeline, use->name);
    filter->self = use->plugin->filter->start(filter, use->conf, err);
    if (filter->self) return 0;
    sl_metrics_retire(filter);
    return sl_err_prefix(err, "filter %s", filter->name);
}

sl_stage *sl_stage__new(sl_pipeline *pipeline, const sl_pipeline_conf *conf, sl_err *err)
{
    unsigned count = (unsigned)conf->filters.count;
    sl_stage *stage = sl_calloc(1, sizeof *stage + count * sizeof *stage->filters);
    stage->pipeline = pipeline;
    for (; stage->filter_count < count; stage->filter_count++) {
        sl_filter *filter = &stage->filters[stage->filter_count];
        if (start_filter(filter, conf->filters.items[stage->filter_count], conf->name, err) < 0) {
            sl_stage__free(stage);
            return NULL;
        }
    }
    if (sl_pipeline__is_on_disk(pipeline))
        stage->coder = sl_frame_coder_new((int)conf->buffer.compress_level);
    return stage;
}

void sl_stage__free(sl_stage *stage)
{
    if (!stage) return;
    for (unsigned i = 0; i < stage->filter_count; i++) {
        sl_filter *filter = &stage->filters[i];
        filter->use->plugin->filter->free(filter->self);
        sl_metrics_retire(filter);
    }
    sl_frame_coder_free(stage->coder);
    sl_free(stage);
}

/* ---- a batch ---- */

static void copy_letter(sl_parcel *parcel, sl_batch *batch, sl_record *rec)
{
    sl_dead_letter *letter = &parcel->letters[parcel->letter_count++];
    const char *reason = sl_arena_strndup(&parcel->letter_arena, rec->drop_reason, strlen(rec->drop_reason));
    /* What a later filter changed in it, such as redaction, holds for the letter, too. */
    if (sl_record_flush(batch, rec) < 0) sl_out_of_memory(rec->len);
    *letter = (sl_dead_letter){
        .output = "filters",
        .reason = reason,
        .first_error = reason,
        .last_error = reason,
        .first_time_ns = sl_clock_wall_ns(),
        .id = sl_record_id(batch, rec),
        .source = batch->source,
        .origin = rec->origin,
        .record = sl_arena_dup(&parcel->letter_arena, (sl_span){rec->text, rec->len}),
        .raw = rec->flags & SL_RECORD_RAW,
    };
}

static uint32_t count_fate(const sl_batch *batch, sl_fate fate)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < batch->count; i++)
        n += batch->recs[i].fate == fate;
    return n;
}

static void settle_fates(sl_stage *stage, sl_batch *batch, sl_parcel *parcel)
{
    sl_pipeline_ledger *ledger = sl_pipeline__ledger(stage->pipeline);
    uint32_t letters = count_fate(batch, SL_FATE_DEAD_LETTERED);
    if (letters) parcel->letters = sl_arena_alloc(&parcel->letter_arena, letters * sizeof *parcel->letters);
    for (uint32_t i = 0; i < batch->count; i++) {
        sl_record *rec = &batch->recs[i];
        if (rec->fate == SL_FATE_DROPPED) sl_drops_add(&ledger->dropped, rec->drop_reason, 1);
        if (rec->fate == SL_FATE_DEAD_LETTERED) copy_letter(parcel, batch, rec);
    }
    sl_ledger_add(&ledger->filtered, count_fate(batch, SL_FATE_FILTERED));
}

static int make_frame(sl_stage *stage, const sl_batch *batch, sl_frame *frame, sl_err *err)
{
    if (stage->coder) return sl_frame_encode(stage->coder, batch, frame, err);
    *frame = sl_frame_bare(batch);
    return 0;
}

/* Both can fail only for want of memory. Nothing of the batch has been acknowledged: who can read it again
 * will, after the restart. */
static void seal_and_encode(sl_stage *stage, sl_batch *batch, sl_parcel *parcel)
{
    sl_err err = SL_ERR_NONE;
    if (sl_batch_seal(batch) < 0 || make_frame(stage, batch, &parcel->frame, &err) < 0)
        sl_out_of_memory(batch->bytes);
    parcel->batch = batch;
}

/* Goes on while there are dead letters, too: redaction looks at them. A batch for one output has been through
 * here before. */
static void run_filters(sl_stage *stage, sl_batch *batch)
{
    for (unsigned i = 0; i < stage->filter_count; i++) {
        if (!batch->live && !count_fate(batch, SL_FATE_DEAD_LETTERED)) return;
        sl_filter *filter = &stage->filters[i];
        filter->use->plugin->filter->apply(filter->self, batch);
    }
}

void sl_stage__run(sl_stage *stage, sl_batch *batch, sl_parcel *parcel)
{
    bool been_through = batch->target.len && !sl_span_is_cstr(batch->target, SL_TARGET_ALL);
    if (!been_through) run_filters(stage, batch);
    if (batch->live < batch->count) settle_fates(stage, batch, parcel);
    parcel->live = batch->live;
    if (!batch->live) {
        sl_batch_unref(batch);
        return;
    }
    seal_and_encode(stage, batch, parcel);
}

/* input.c: an input plugin at work on its worker loop: what it emits, the credit it needs, the receipts it
 * gets back.
 *
 * Credit. A pipeline holds at most SL_PIPELINE_CREDIT bytes on the way from its inputs to its journal. An
 * input may read while there is room, and always while it has nothing on the way itself, so that a busy
 * neighbour cannot starve it.
 */
#include "base/metrics.h"
#include "pipeline_int.h"
#include "state/state_db.h"
#include <sluice/fault.h>
#include <stdio.h>

struct sl_input {
    const sl_plugin_use *use;
    const sl_agent_context *context;
    sl_loop *loop;
    unsigned worker;
    void *self;
    sl_state *state; /* opened when first asked for */
    char name[SL_NAME_TEXT];
    char scope[SL_NAME_TEXT];
    void (*finished)(void *arg);
    void *arg;
    size_t outstanding; /* atomic: bytes on the way */
    bool refused;       /* atomic: may_read() said no: call resume() when credit returns */
    bool resume_posted; /* atomic */
    sl_message resume;
    bool stopped;
    bool held;       /* what is emitted goes to `kept` */
    sl_batch **kept; /* in order */
    unsigned n_kept;
    unsigned parcels;              /* not returned yet */
    char trouble[SL_ERR_TEXT_MAX]; /* empty: none */
    unsigned n_pipelines;
    sl_pipeline **pipelines;
};

/* ---- what an input may ask for ---- */

sl_loop *sl_input_loop(sl_input *in)
{
    return in->loop;
}
const char *sl_input_name(sl_input *in)
{
    return in->name;
}
bool sl_input_once(sl_input *in)
{
    return in->context->once;
}

sl_state *sl_input_state(sl_input *in)
{
    sl_assert_on(in->loop);
    return in->state;
}

void sl_input_finished(sl_input *in)
{
    if (in->finished) in->finished(in->arg);
}

sl_counter *sl_input_counter_labelled(sl_input *in, const char *name, const char *help, const char *label,
                                      const char *value)
{
    char full[128];
    snprintf(full, sizeof full, "sluice_%s_%s", in->use->plugin->name, name);
    const char *labels[] = {"input", in->use->name, label, value, NULL};
    sl_metric_type type =
        sl_span_ends_with(sl_span_of(name), SL_SPAN("_total")) ? SL_METRIC_COUNTER : SL_METRIC_GAUGE;
    return sl_metrics_new(in, type, full, help, labels);
}

sl_counter *sl_input_counter(sl_input *in, const char *name, const char *help)
{
    return sl_input_counter_labelled(in, name, help, NULL, NULL);
}

void sl_input_count_dropped(sl_input *in, const char *reason, uint64_t records)
{
    for (unsigned i = 0; i < in->n_pipelines; i++) {
        sl_pipeline_ledger *ledger = sl_pipeline__ledger(in->pipelines[i]);
        sl_ledger_add(&ledger->received, records);
        sl_drops_add(&ledger->dropped, reason, records);
    }
}

static void set_trouble(sl_input *in, const char *text)
{
    sl_assert_on(in->loop);
    if (text != in->trouble) snprintf(in->trouble, sizeof in->trouble, "%s", text);
    for (unsigned i = 0; i < in->n_pipelines; i++)
        sl_pipeline__set_input_trouble(in->pipelines[i], in->use, text);
}

void sl_input_not_ready(sl_input *in, const sl_err *err)
{
    set_trouble(in, err->text);
}

void sl_input_ready(sl_input *in)
{
    set_trouble(in, "");
}

static bool has_room(sl_input *in)
{
    bool room = true;
    for (unsigned i = 0; i < in->n_pipelines; i++)
        room = room && sl_pipeline__has_room(in->pipelines[i]);
    return room || __atomic_load_n(&in->outstanding, __ATOMIC_SEQ_CST) == 0;
}

bool sl_input_may_read(sl_input *in)
{
    sl_assert_on(in->loop);
    if (in->stopped) return false;
    if (!in->held && has_room(in)) return true;
    __atomic_store_n(&in->refused, true, __ATOMIC_SEQ_CST);
    /* Credit that came back just before told nobody. */
    if (in->held || !has_room(in)) return false;
    __atomic_store_n(&in->refused, false, __ATOMIC_SEQ_CST);
    return true;
}

/* ---- receipts ---- */

sl_receipt *sl_receipt_new(sl_input *in, void (*released)(void *arg, bool safe), void *arg)
{
    sl_receipt *receipt = sl_calloc(1, sizeof *receipt);
    *receipt = (sl_receipt){.input = in, .released = released, .arg = arg, .holds = 0, .safe = true};
    return receipt;
}

static void release_hold(sl_receipt *receipt, bool safe)
{
    if (!receipt) return;
    receipt->safe = receipt->safe && safe;
    if (--receipt->holds) return;
    receipt->released(receipt->arg, receipt->safe);
    sl_free(receipt);
}

static void go_on_reading(sl_input *in)
{
    if (in->stopped || in->held) return;
    if (__atomic_exchange_n(&in->refused, false, __ATOMIC_SEQ_CST)) in->use->plugin->input->resume(in->self);
}

static void on_resume(sl_message *msg)
{
    sl_input *in = sl_container_of(msg, sl_input, resume);
    __atomic_store_n(&in->resume_posted, false, __ATOMIC_SEQ_CST);
    go_on_reading(in);
}

static void on_receipt_back(sl_message *msg)
{
    sl_parcel *parcel = sl_container_of(msg, sl_parcel, receipt_back);
    release_hold(parcel->receipt, parcel->safe);
    SL_FAULT(RECEIPT_RELEASED);
    parcel->input->parcels--;
    sl_free(parcel);
}

/* The input's loop is woken only when it waits for this. */
void sl_input__return_credit(sl_parcel *parcel)
{
    sl_input *in = parcel->input;
    sl_pipeline__return_credit(parcel->pipeline, parcel->credit);
    __atomic_fetch_sub(&in->outstanding, parcel->credit, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&in->refused, __ATOMIC_SEQ_CST)) return;
    if (!__atomic_exchange_n(&in->resume_posted, true, __ATOMIC_SEQ_CST)) sl_loop_post(in->loop, &in->resume);
}

void sl_input__return_receipt(sl_parcel *parcel, bool safe)
{
    parcel->safe = safe;
    sl_loop_post(parcel->input->loop, &parcel->receipt_back);
}

/* ---- emitting ---- */

static void feed(sl_input *in, sl_pipeline *pipeline, sl_batch *batch, sl_receipt *receipt)
{
    sl_parcel *parcel = sl_calloc(1, sizeof *parcel);
    parcel->receipt_back.run = on_receipt_back;
    parcel->pipeline = pipeline;
    parcel->input = in;
    parcel->receipt = receipt;
    parcel->received = batch->count;
    parcel->credit = batch->bytes + batch->count * sizeof(sl_record);
    if (receipt) receipt->holds++;
    in->parcels++;
    __atomic_fetch_add(&in->outstanding, parcel->credit, __ATOMIC_SEQ_CST);
    sl_pipeline__take_credit(pipeline, parcel->credit);
    sl_pipeline_ledger *ledger = sl_pipeline__ledger(pipeline);
    sl_ledger_add(&ledger->received_bytes, batch->bytes);
    sl_ledger_add(&ledger->on_the_way, batch->count);
    sl_ledger_add(&ledger->received, batch->count);
    sl_stage__run(sl_pipeline__stage(pipeline, in->worker), batch, parcel);
    sl_pipeline__submit(pipeline, parcel);
}

/* Filters of two pipelines must not see each other's edits. */
static sl_batch *copy_batch(const sl_batch *batch)
{
    sl_batch *copy = sl_batch_new();
    copy->source = batch->source;
    sl_batch_set_common(copy, batch->common);
    for (uint32_t i = 0; i < batch->count; i++) {
        const sl_record *rec = &batch->recs[i];
        sl_span text = sl_batch_dup(copy, (sl_span){rec->text, rec->len});
        sl_record *made = sl_batch_add(copy, text, rec->flags, rec->time_ns, rec->origin);
        bool own_id = made && (rec->flags & SL_RECORD_ID);
        if (own_id && !sl_batch_set_id(copy, made, sl_record_id(batch, rec))) sl_out_of_memory(sizeof(sl_id));
    }
    return copy;
}

static void keep(sl_input *in, sl_batch *batch)
{
    in->kept = sl_realloc(in->kept, (in->n_kept + 1) * sizeof *in->kept);
    in->kept[in->n_kept++] = batch;
}

void sl_input_emit(sl_input *in, sl_batch *batch)
{
    sl_assert_on(in->loop);
    sl_assert(!in->stopped && batch->count > 0);
    if (in->held) {
        keep(in, batch);
        return;
    }
    sl_receipt *receipt = batch->receipt;
    batch->receipt = NULL;
    unsigned last = in->n_pipelines - 1;
    /* All holds are taken before the first pipeline can give one back: both happen on this loop. */
    for (unsigned i = 0; i < last; i++)
        feed(in, in->pipelines[i], copy_batch(batch), receipt);
    feed(in, in->pipelines[last], batch, receipt);
}

/* ---- from pipelines to others ---- */

static void hold_on_loop(void *arg)
{
    ((sl_input *)arg)->held = true;
}

void sl_input_hold(sl_input *in)
{
    sl_loop_call_wait(in->loop, hold_on_loop, in);
}

bool sl_input_is_held(const sl_input *in)
{
    return in->held;
}

static void set_pipelines(sl_input *in, sl_pipeline *const *pipelines, unsigned n_pipelines)
{
    sl_free(in->pipelines);
    in->pipelines = sl_calloc(n_pipelines, sizeof(sl_pipeline *));
    memcpy(in->pipelines, pipelines, n_pipelines * sizeof(sl_pipeline *));
    in->n_pipelines = n_pipelines;
}

typedef struct feed_call {
    sl_input *in;
    sl_pipeline *const *pipelines;
    unsigned n_pipelines;
} feed_call;

static void feed_on_loop(void *arg)
{
    const feed_call *call = arg;
    set_pipelines(call->in, call->pipelines, call->n_pipelines);
    set_trouble(call->in, call->in->trouble);
}

void sl_input_feed(sl_input *in, sl_pipeline *const *pipelines, unsigned n_pipelines)
{
    feed_call call = {in, pipelines, n_pipelines};
    sl_loop_call_wait(in->loop, feed_on_loop, &call);
}

static void forget_kept(sl_input *in)
{
    sl_free(in->kept);
    in->kept = NULL;
    in->n_kept = 0;
}

static void emit_kept(sl_input *in)
{
    in->held = false;
    for (unsigned i = 0; i < in->n_kept; i++)
        sl_input_emit(in, in->kept[i]);
    forget_kept(in);
}

static void release_on_loop(void *arg)
{
    sl_input *in = arg;
    emit_kept(in);
    go_on_reading(in);
}

void sl_input_release(sl_input *in)
{
    sl_loop_call_wait(in->loop, release_on_loop, in);
}

/* ---- life ---- */

sl_input *sl_input_new(const sl_plugin_use *use, const sl_agent_context *context, unsigned worker,
                       sl_pipeline *const *pipelines, unsigned n_pipelines, void (*finished)(void *arg),
                       void *arg)
{
    sl_input *in = sl_calloc(1, sizeof *in);
    in->use = use;
    in->context = context;
    in->worker = worker;
    in->loop = context->workers[worker];
    in->finished = finished;
    in->arg = arg;
    in->resume.run = on_resume;
    set_pipelines(in, pipelines, n_pipelines);
    snprintf(in->name, sizeof in->name, "%s %s%s%s", use->plugin->name, use->pipeline ? use->pipeline : "",
             use->pipeline ? "." : "", use->name);
    snprintf(in->scope, sizeof in->scope, "input/%s/%s/%s", use->pipeline ? use->pipeline : "", use->name,
             use->plugin->name);
    return in;
}

typedef struct start_call {
    sl_input *in;
    sl_err *err;
    int rc;
} start_call;

static void start_on_loop(void *arg)
{
    start_call *call = arg;
    sl_input *in = call->in;
    set_trouble(in, "");
    in->state = sl_state_open(in->context->service->data_dir, sl_span_of(in->scope), call->err);
    if (in->state) in->self = in->use->plugin->input->start(in, in->use->conf, call->err);
    if (in->self) return;
    sl_metrics_retire(in);
    sl_state_close(in->state);
    in->state = NULL;
    call->rc = sl_err_prefix(call->err, "input %s", in->name);
    set_trouble(in, call->err->text);
}

int sl_input_start(sl_input *in, sl_err *err)
{
    start_call call = {in, err, 0};
    sl_loop_call_wait(in->loop, start_on_loop, &call);
    return call.rc;
}

bool sl_input_is_started(const sl_input *in)
{
    return in->self != NULL;
}

bool sl_input_may_start(const sl_input *in)
{
    for (unsigned i = 0; i < in->n_pipelines; i++)
        if (!sl_pipeline_is_open(in->pipelines[i])) return false;
    return true;
}

/* What was held for a pipeline that did not open: read again next time, where that can be. */
static void give_up_kept(sl_input *in)
{
    for (unsigned i = 0; i < in->n_kept; i++) {
        sl_batch *batch = in->kept[i];
        sl_receipt *receipt = batch->receipt;
        batch->receipt = NULL;
        if (receipt)
            receipt->holds++;
        else
            sl_input_count_dropped(in, "no_pipeline", batch->count);
        release_hold(receipt, false);
        sl_batch_unref(batch);
    }
    forget_kept(in);
}

static void stop_on_loop(void *arg)
{
    sl_input *in = arg;
    bool reachable = in->self && sl_input_may_start(in);
    if (reachable) emit_kept(in);
    if (in->self && !in->stopped) in->use->plugin->input->stop(in->self);
    give_up_kept(in);
    in->stopped = true;
}

void sl_input_stop(sl_input *in)
{
    sl_loop_call_wait(in->loop, stop_on_loop, in);
}

static void free_on_loop(void *arg)
{
    sl_input *in = arg;
    if (in->parcels) sl_bug("input %s ends while %u batches are on the way", in->name, in->parcels);
    if (in->self) in->use->plugin->input->free(in->self);
    sl_state_close(in->state);
}

void sl_input_free(sl_input *in)
{
    if (!in) return;
    sl_loop_call_wait(in->loop, free_on_loop, in);
    sl_metrics_retire(in);
    sl_free(in->pipelines);
    sl_free(in);
}

/* pipeline.c: a pipeline put together and taken apart: dead letters, journal side, outputs, stages.
 *
 * Order of start: dead letters, journal, outputs, stages; of stop: the reverse, but the journal outlives the
 * outputs so that their last acknowledgements reach it. Before it is open there is no journal side: nothing
 * is counted, and the status is what opening said.
 */
#include "journal_side.h"
#include "pipeline_int.h"
#include "replay.h"
#include <pthread.h>
#include <stdio.h>

/* Tries to open before a segment that can't be read is set aside. */
#define PATIENCE 30

struct sl_pipeline {
    const sl_pipeline_conf *conf;
    const sl_agent_context *context;
    sl_pipeline_ledger ledger;
    sl_dead_letters *letters;
    sl_journal_side *journal;
    sl_stage **stages; /* one a worker */
    size_t credit_out; /* atomic: bytes on the way */
    pthread_mutex_t lock;
    char **input_trouble; /* under lock: one an input of the configuration; NULL: none */
    sl_err not_open;      /* main thread: why, while there is no journal */
    unsigned tries;       /* to open it */
    sl_replay_conf replay;
    sl_plugin_use replay_use;
};

/* Bytes of records on the way from the inputs to the journal: enough for every worker to fill a batch while
 * others are written. */
#define SL_PIPELINE_CREDIT (4u << 20)

const char *sl_pipeline_name(const sl_pipeline *pipeline)
{
    return pipeline->conf->name;
}
const sl_pipeline_ledger *sl_pipeline_ledger_of(const sl_pipeline *pipeline)
{
    return &pipeline->ledger;
}
sl_pipeline_ledger *sl_pipeline__ledger(sl_pipeline *pipeline)
{
    return &pipeline->ledger;
}
bool sl_pipeline__is_on_disk(const sl_pipeline *pipeline)
{
    return sl_journal_side_is_on_disk(pipeline->journal);
}
sl_dead_letters *sl_pipeline__dead_letters(sl_pipeline *pipeline)
{
    return pipeline->letters;
}
sl_stage *sl_pipeline__stage(sl_pipeline *pipeline, unsigned worker)
{
    return pipeline->stages[worker];
}
unsigned sl_pipeline_output_count(const sl_pipeline *pipeline)
{
    return (unsigned)pipeline->conf->outputs.count;
}

const char *sl_pipeline_output_name(const sl_pipeline *pipeline, unsigned i)
{
    return pipeline->conf->outputs.items[i]->name;
}

const sl_output_ledger *sl_pipeline_output_ledger(const sl_pipeline *pipeline, unsigned i)
{
    static const sl_output_ledger nothing;
    return pipeline->journal ? sl_journal_side_ledger(pipeline->journal, i) : &nothing;
}

void sl_pipeline_output_status(sl_pipeline *pipeline, unsigned i, char *out, size_t size)
{
    if (pipeline->journal)
        sl_journal_side_output_status(pipeline->journal, i, out, size);
    else
        snprintf(out, size, "waits for the journal");
}

void sl_pipeline_journal_status(sl_pipeline *pipeline, char *out, size_t size)
{
    if (pipeline->journal)
        sl_journal_side_status(pipeline->journal, out, size);
    else
        snprintf(out, size, "%s", pipeline->not_open.text);
}

/* ---- inputs ---- */

unsigned sl_pipeline_input_count(const sl_pipeline *pipeline)
{
    return (unsigned)pipeline->conf->inputs.count;
}

const char *sl_pipeline_input_name(const sl_pipeline *pipeline, unsigned i)
{
    return pipeline->conf->inputs.items[i]->name;
}

void sl_pipeline_input_status(sl_pipeline *pipeline, unsigned i, char *out, size_t size)
{
    const char *untroubled = pipeline->journal ? "ok" : "waits for the journal";
    pthread_mutex_lock(&pipeline->lock);
    snprintf(out, size, "%s", pipeline->input_trouble[i] ? pipeline->input_trouble[i] : untroubled);
    pthread_mutex_unlock(&pipeline->lock);
}

void sl_pipeline__set_input_trouble(sl_pipeline *pipeline, const sl_plugin_use *input, const char *text)
{
    pthread_mutex_lock(&pipeline->lock);
    for (unsigned i = 0; i < pipeline->conf->inputs.count; i++) {
        /* By name: an input outlives a reload that makes its pipeline anew. */
        if (strcmp(pipeline->conf->inputs.items[i]->name, input->name) != 0) continue;
        sl_free(pipeline->input_trouble[i]);
        pipeline->input_trouble[i] = *text ? sl_strdup(text) : NULL;
    }
    pthread_mutex_unlock(&pipeline->lock);
}

/* ---- credit ---- */

bool sl_pipeline__has_room(sl_pipeline *pipeline)
{
    return __atomic_load_n(&pipeline->credit_out, __ATOMIC_SEQ_CST) < SL_PIPELINE_CREDIT;
}

void sl_pipeline__take_credit(sl_pipeline *pipeline, size_t bytes)
{
    __atomic_fetch_add(&pipeline->credit_out, bytes, __ATOMIC_RELAXED);
}

void sl_pipeline__return_credit(sl_pipeline *pipeline, size_t bytes)
{
    __atomic_fetch_sub(&pipeline->credit_out, bytes, __ATOMIC_SEQ_CST);
}

void sl_pipeline__submit(sl_pipeline *pipeline, sl_parcel *parcel)
{
    sl_journal_side_submit(pipeline->journal, parcel);
}

/* ---- stages ---- */

typedef struct stage_call {
    sl_pipeline *pipeline;
    unsigned worker;
    sl_err *err;
} stage_call;

static void make_stage(void *arg)
{
    stage_call *call = arg;
    call->pipeline->stages[call->worker] = sl_stage__new(call->pipeline, call->pipeline->conf, call->err);
}

static void free_stage(void *arg)
{
    stage_call *call = arg;
    sl_stage__free(call->pipeline->stages[call->worker]);
    call->pipeline->stages[call->worker] = NULL;
}

static int make_stages(sl_pipeline *pipeline, sl_err *err)
{
    pipeline->stages = sl_calloc(pipeline->context->n_workers, sizeof *pipeline->stages);
    for (unsigned i = 0; i < pipeline->context->n_workers; i++) {
        stage_call call = {pipeline, i, err};
        sl_loop_call_wait(pipeline->context->workers[i], make_stage, &call);
        if (!pipeline->stages[i])
            return err->code ? err->code : sl_err_set(err, SL_E_CONFIG, "a filter did not start");
    }
    return 0;
}

static void free_stages(sl_pipeline *pipeline)
{
    if (!pipeline->stages) return;
    for (unsigned i = 0; i < pipeline->context->n_workers; i++) {
        stage_call call = {pipeline, i, NULL};
        sl_loop_call_wait(pipeline->context->workers[i], free_stage, &call);
    }
    sl_free(pipeline->stages);
    pipeline->stages = NULL;
}

/* ---- life ---- */

static int open_parts(sl_pipeline *pipeline, sl_err *err)
{
    sl_journal_side_conf conf = {
        .pipeline = pipeline->conf,
        .data_dir = pipeline->context->service->data_dir,
        .once = pipeline->context->once,
        .set_aside = pipeline->tries > PATIENCE,
        .ledger = &pipeline->ledger,
        .letters = pipeline->letters,
    };
    pipeline->journal = sl_journal_side_start(&conf, err);
    if (!pipeline->journal) return err->code;
    return make_stages(pipeline, err);
}

static void undo_opening(sl_pipeline *pipeline)
{
    if (pipeline->journal) sl_journal_side_stop(pipeline->journal);
    free_stages(pipeline);
    sl_journal_side_free(pipeline->journal);
    pipeline->journal = NULL;
    sl_ledger_sub(&pipeline->ledger.recovered, sl_ledger_get(&pipeline->ledger.recovered));
    sl_ledger_sub(&pipeline->ledger.journaled, sl_ledger_get(&pipeline->ledger.journaled));
}

sl_pipeline *sl_pipeline_new(const sl_pipeline_conf *conf, const sl_agent_context *context)
{
    sl_pipeline *pipeline = sl_calloc(1, sizeof *pipeline);
    pipeline->conf = conf;
    pipeline->context = context;
    sl_err_set(&pipeline->not_open, SL_E_AGAIN, "not open yet");
    pipeline->input_trouble = sl_calloc(conf->inputs.count + 1, sizeof *pipeline->input_trouble);
    pipeline->letters = sl_dead_letters_open(context->service->data_dir, conf->name);
    pthread_mutex_init(&pipeline->lock, NULL);
    return pipeline;
}

int sl_pipeline_open(sl_pipeline *pipeline, sl_err *err)
{
    pipeline->tries++;
    if (open_parts(pipeline, err) == 0) return 0;
    undo_opening(pipeline);
    sl_err_prefix(err, "pipeline %s", pipeline->conf->name);
    pipeline->not_open = *err;
    return err->code;
}

bool sl_pipeline_is_open(const sl_pipeline *pipeline)
{
    return pipeline->journal != NULL;
}

sl_input *sl_pipeline_replay_input(sl_pipeline *pipeline, void (*finished)(void *arg), void *arg)
{
    const char *name = pipeline->conf->name;
    pipeline->replay = (sl_replay_conf){pipeline->context->service->data_dir, name, pipeline->letters};
    pipeline->replay_use = (sl_plugin_use){
        .plugin = &sl_replay_plugin, .conf = &pipeline->replay, .name = "dead_letters", .pipeline = name};
    return sl_input_new(&pipeline->replay_use, pipeline->context, 0, &pipeline, 1, finished, arg);
}

void sl_pipeline_lift_limit(sl_pipeline *pipeline)
{
    if (pipeline->journal) sl_journal_side_lift_limit(pipeline->journal);
}

bool sl_pipeline_settle(sl_pipeline *pipeline, const int64_t *deadline_ns)
{
    return !pipeline->journal || sl_journal_side_settle(pipeline->journal, deadline_ns);
}

bool sl_pipeline_drain(sl_pipeline *pipeline, const int64_t *deadline_ns)
{
    return pipeline->journal && sl_journal_side_drain(pipeline->journal, deadline_ns);
}

void sl_pipeline_close(sl_pipeline *pipeline)
{
    if (pipeline->journal) sl_journal_side_stop(pipeline->journal);
    free_stages(pipeline);
    sl_dead_letters_close(pipeline->letters);
    pipeline->letters = NULL;
}

void sl_pipeline_free(sl_pipeline *pipeline)
{
    if (!pipeline) return;
    sl_journal_side_free(pipeline->journal);
    for (size_t i = 0; i < pipeline->conf->inputs.count; i++)
        sl_free(pipeline->input_trouble[i]);
    sl_free(pipeline->input_trouble);
    pthread_mutex_destroy(&pipeline->lock);
    sl_free(pipeline);
}

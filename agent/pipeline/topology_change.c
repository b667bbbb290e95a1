/* topology_change.c: from one configuration to another, at work.
 *
 * Most of it waits, so it has a thread of its own; whatever pages or timers look at is changed on the main
 * loop. In order:
 *
 *   quiet     inputs that end are stopped, those that go on elsewhere are held, and what is on the way reaches
 *             the journals of the pipelines that leave. Up to here all can be taken back.
 *   exchange  the lists: what stays keeps its place, what comes is made. (main loop)
 *   part      outputs of pipelines without a successor get a moment to deliver; what leaves is closed and
 *             freed: its receipts are back, its journal is durable.
 *   open      what came is opened, inputs start or go on. (main loop)
 *
 * Where something that came does not open for a reason that only a person can mend, the same is done once
 * more towards the edition before.
 */
#include "topology_int.h"

#define PARTING_NS (5 * SL_NS_PER_S) /* for outputs whose buffer nobody goes on with */

struct sl_change {
    sl_topology *topology;
    sl_edition *before, *to;
    sl_plan plan;
    sl_line_list leaving;
    sl_source_list ending;
    int64_t quiet_deadline_ns; /* atomic */
    sl_err err;
    void (*done)(void *arg, const sl_err *err);
    void *arg;
};

/* ---- quiet ---- */

static void let_go_on(sl_change *change)
{
    for (unsigned i = 0; i < change->topology->sources.count; i++) {
        if (change->plan.fates[i] == SL_SOURCE_HELD)
            sl_input_release(change->topology->sources.items[i].input);
    }
}

static bool settle_leaving(sl_change *change)
{
    sl_topology *topology = change->topology;
    for (unsigned i = 0; i < topology->lines.count; i++) {
        sl_line *line = &topology->lines.items[i];
        if (!change->plan.leaves[i]) continue;
        sl_input_stop(line->replay);
        sl_pipeline_lift_limit(line->pipeline);
        if (!sl_pipeline_settle(line->pipeline, &change->quiet_deadline_ns)) return false;
    }
    return true;
}

/* False: the agent is to end before a journal took what is on the way. */
static bool make_quiet(sl_change *change)
{
    sl_topology *topology = change->topology;
    for (unsigned i = 0; i < topology->sources.count; i++) {
        sl_input *in = topology->sources.items[i].input;
        if (change->plan.fates[i] == SL_SOURCE_ENDS) sl_input_stop(in);
        if (change->plan.fates[i] == SL_SOURCE_HELD) sl_input_hold(in);
    }
    if (settle_leaving(change)) return true;
    let_go_on(change);
    return false;
}

/* ---- exchange ---- */

static void exchange_lines(sl_change *change)
{
    sl_topology *topology = change->topology;
    const sl_config *config = change->plan.config;
    sl_line_list old = topology->lines;
    sl_line *lines = sl_calloc(config->n_pipelines, sizeof *lines);
    for (size_t i = 0; i < config->n_pipelines; i++) {
        int kept = sl_plan__find_kept(topology, &change->plan, config->pipelines[i].name);
        lines[i] = kept >= 0 ? old.items[kept] : sl_topology__make_line(topology, &config->pipelines[i]);
    }
    change->leaving.items = sl_calloc(old.count, sizeof *lines);
    for (unsigned i = 0; i < old.count; i++) {
        if (change->plan.leaves[i]) change->leaving.items[change->leaving.count++] = old.items[i];
    }
    topology->lines = (sl_line_list){lines, (unsigned)config->n_pipelines};
    sl_free(old.items);
    sl_topology__publish(topology);
}

static const sl_source *find_going_on(const sl_source_list *sources, const sl_source_fate *fates,
                                      const sl_plugin_use *use)
{
    for (unsigned i = 0; i < sources->count; i++) {
        if (fates[i] != SL_SOURCE_ENDS && sl_topology__is_same_use(sources->items[i].use, use))
            return &sources->items[i];
    }
    return NULL;
}

static void exchange_sources(sl_change *change)
{
    sl_topology *topology = change->topology;
    const sl_use_list *inputs = &change->plan.config->inputs;
    sl_source_list old = topology->sources;
    sl_source *sources = sl_calloc(inputs->count, sizeof *sources);
    for (unsigned i = 0; i < inputs->count; i++) {
        const sl_source *same = find_going_on(&old, change->plan.fates, inputs->items[i]);
        sources[i] = same ? *same : sl_topology__make_source(topology, inputs->items[i], i);
    }
    change->ending.items = sl_calloc(old.count, sizeof *sources);
    for (unsigned i = 0; i < old.count; i++) {
        if (change->plan.fates[i] == SL_SOURCE_ENDS)
            change->ending.items[change->ending.count++] = old.items[i];
    }
    topology->sources = (sl_source_list){sources, (unsigned)inputs->count};
    sl_free(old.items);
}

static void exchange(void *arg)
{
    sl_change *change = arg;
    sl_edition *old = change->topology->current;
    change->topology->current = sl_topology__edition_use(change->to);
    sl_topology__edition_leave(old);
    exchange_lines(change);
    exchange_sources(change);
}

/* Before the pipelines that it fed are gone. */
static void feed_held(sl_change *change)
{
    sl_topology *topology = change->topology;
    for (unsigned i = 0; i < topology->sources.count; i++) {
        const sl_source *source = &topology->sources.items[i];
        if (!sl_input_is_held(source->input)) continue;
        unsigned count;
        sl_pipeline **fed = sl_topology__fed_by(topology, source->use, &count);
        sl_input_feed(source->input, fed, count);
        sl_free(fed);
    }
}

/* ---- part ---- */

static uint64_t buffered(const sl_pipeline *pipeline)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < sl_pipeline_output_count(pipeline); i++) {
        uint64_t n = sl_ledger_get(&sl_pipeline_output_ledger(pipeline, i)->buffered);
        if (n > most) most = n;
    }
    return most;
}

static void say_farewell(const sl_change *change, const sl_line *line)
{
    const sl_pipeline_ledger *ledger = sl_pipeline_ledger_of(line->pipeline);
    unsigned long long received = sl_ledger_get(&ledger->received), left = buffered(line->pipeline);
    bool on_disk = line->conf->buffer.type == SL_JOURNAL_DISK;
    if (sl_topology__find_conf(change->plan.config, line->conf->name))
        sl_info("agent",
                "pipeline %s: %llu records received until now; its successor begins with %llu buffered",
                line->conf->name, received, on_disk ? left : 0);
    else if (left && on_disk)
        sl_warn("agent",
                "pipeline %s is removed, and %llu records of it are still to be delivered: they stay in the "
                "journal; configure it again to deliver them, or delete %s/journal/%s",
                line->conf->name, left, change->topology->context->service->data_dir, line->conf->name);
    else
        sl_info("agent", "pipeline %s is removed: %llu records received", line->conf->name, received);
}

/* Whether its successor goes on with what it has buffered. */
static bool hands_over(const sl_change *change, const sl_line *line)
{
    const sl_pipeline_conf *next = sl_topology__find_conf(change->plan.config, line->conf->name);
    return next && next->buffer.type == SL_JOURNAL_DISK && line->conf->buffer.type == SL_JOURNAL_DISK;
}

static void part(sl_change *change)
{
    int64_t deadline = sl_clock_mono_ns() + PARTING_NS;
    for (unsigned i = 0; i < change->leaving.count; i++) {
        const sl_line *line = &change->leaving.items[i];
        if (!hands_over(change, line)) sl_pipeline_drain(line->pipeline, &deadline);
    }
    for (unsigned i = 0; i < change->leaving.count; i++) {
        sl_pipeline_close(change->leaving.items[i].pipeline);
        say_farewell(change, &change->leaving.items[i]);
    }
}

/* Editions are counted on the main loop. */
static void free_parted(void *arg)
{
    sl_change *change = arg;
    for (unsigned i = 0; i < change->ending.count; i++)
        sl_topology__free_source(&change->ending.items[i]);
    for (unsigned i = 0; i < change->leaving.count; i++)
        sl_topology__free_line(&change->leaving.items[i]);
    sl_free(change->ending.items);
    sl_free(change->leaving.items);
    change->ending = (sl_source_list){NULL, 0};
    change->leaving = (sl_line_list){NULL, 0};
}

/* ---- open ---- */

/* The first try must succeed as that of an agent that starts, so that it can be taken back; what is taken
 * back is tried again for as long as it takes. */
static void open_all(void *arg)
{
    sl_change *change = arg;
    sl_topology *topology = change->topology;
    topology->started = change->to == change->before;
    if (sl_topology_open_pipelines(topology, &change->err) == 0)
        sl_topology_start_inputs(topology, &change->err);
    topology->started = true;
}

/* ---- the whole ---- */

static bool change_once(sl_change *change)
{
    sl_loop *loop = change->topology->main;
    if (!make_quiet(change)) return false;
    sl_loop_call_wait(loop, exchange, change);
    feed_held(change);
    part(change);
    sl_loop_call_wait(loop, free_parted, change);
    sl_loop_call_wait(loop, open_all, change);
    return true;
}

static void plan_back(void *arg)
{
    sl_change *change = arg;
    sl_error("agent", "%s; the configuration before is taken up again", change->err.text);
    sl_plan__release(&change->plan);
    sl_topology__edition_leave(change->to);
    change->to = sl_topology__edition_use(change->before);
    change->plan = sl_plan__make(change->topology, change->before->config);
}

static void finish(void *arg)
{
    sl_change *change = arg;
    change->topology->change = NULL;
    change->done(change->arg, change->err.code ? &change->err : NULL);
    sl_plan__release(&change->plan);
    sl_topology__edition_leave(change->before);
    sl_topology__edition_leave(change->to);
    sl_free(change);
}

static void *run_change(void *arg)
{
    sl_change *change = arg;
    sl_err why = SL_ERR_NONE;
    bool whole = change_once(change);
    if (whole && change->err.code) {
        why = change->err;
        sl_loop_call_wait(change->topology->main, plan_back, change);
        change->err = (sl_err)SL_ERR_NONE;
        whole = change_once(change);
        change->err = why;
    }
    if (!whole) sl_err_set(&change->err, SL_E_AGAIN, "the agent ends");
    sl_loop_call_wait(change->topology->main, finish, change);
    return NULL;
}

bool sl_topology_may_change(const sl_topology *topology)
{
    return topology->started && !topology->stopping && !topology->change;
}

void sl_topology_change(sl_topology *topology, sl_config *config, void (*done)(void *arg, const sl_err *err),
                        void *arg)
{
    sl_assert(sl_topology_may_change(topology));
    sl_change *change = sl_calloc(1, sizeof *change);
    *change = (sl_change){.topology = topology,
                          .before = sl_topology__edition_use(topology->current),
                          .to = sl_topology__edition_new(config, config),
                          .plan = sl_plan__make(topology, config),
                          .quiet_deadline_ns = INT64_MAX,
                          .done = done,
                          .arg = arg};
    topology->change = change;
    sl_timer_stop(topology->retry);
    if (topology->changer_made) pthread_join(topology->changer, NULL);
    topology->changer_made = true;
    if (pthread_create(&topology->changer, NULL, run_change, change) != 0)
        sl_bug("cannot start the thread that changes the configuration");
}

void sl_topology_stop_by(sl_topology *topology, int64_t deadline_ns)
{
    topology->stopping = true;
    sl_timer_stop(topology->retry);
    __atomic_store_n(&topology->deadline_ns, deadline_ns, __ATOMIC_RELAXED);
    if (topology->change) __atomic_store_n(&topology->change->quiet_deadline_ns, 0, __ATOMIC_RELAXED);
}

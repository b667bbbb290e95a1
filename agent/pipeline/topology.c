/* topology.c: from a configuration to what works, tried again until it does, and in order to its end. */
#include "topology_int.h"
#include <dirent.h>
#include <sluice/fs.h>
#include <stdio.h>

#define RETRY_NS     SL_NS_PER_S /* between attempts to start what has not started */
#define RETRY_LOG_NS (60 * SL_NS_PER_S)

/* ---- editions ---- */

sl_edition *sl_topology__edition_new(const sl_config *config, sl_config *owned)
{
    sl_edition *edition = sl_calloc(1, sizeof *edition);
    *edition = (sl_edition){.config = config, .owned = owned, .users = 1};
    return edition;
}

sl_edition *sl_topology__edition_use(sl_edition *edition)
{
    edition->users++;
    return edition;
}

void sl_topology__edition_leave(sl_edition *edition)
{
    if (--edition->users) return;
    sl_config_free(edition->owned);
    sl_free(edition);
}

/* ---- parts ---- */

bool sl_topology__is_same_use(const sl_plugin_use *a, const sl_plugin_use *b)
{
    if (strcmp(a->name, b->name) != 0 || !a->pipeline != !b->pipeline) return false;
    return !a->pipeline || strcmp(a->pipeline, b->pipeline) == 0;
}

const sl_plugin_use *sl_topology__find_use(const sl_use_list *uses, const sl_plugin_use *use)
{
    for (size_t i = 0; i < uses->count; i++) {
        if (sl_topology__is_same_use(uses->items[i], use)) return uses->items[i];
    }
    return NULL;
}

bool sl_topology__uses(const sl_pipeline_conf *conf, const sl_plugin_use *input)
{
    return sl_topology__find_use(&conf->inputs, input) != NULL;
}

sl_pipeline **sl_topology__fed_by(const sl_topology *topology, const sl_plugin_use *input, unsigned *count)
{
    sl_pipeline **fed = sl_calloc(topology->lines.count, sizeof(sl_pipeline *));
    *count = 0;
    for (unsigned i = 0; i < topology->lines.count; i++) {
        const sl_line *line = &topology->lines.items[i];
        if (sl_topology__uses(line->conf, input)) fed[(*count)++] = line->pipeline;
    }
    return fed;
}

static void tell_all_read(void *arg)
{
    sl_topology *topology = arg;
    topology->all_read(topology->arg);
}

/* On an input's loop. */
static void on_input_finished(void *arg)
{
    sl_topology *topology = arg;
    unsigned all = topology->sources.count + topology->lines.count;
    if (__atomic_add_fetch(&topology->finished, 1, __ATOMIC_ACQ_REL) == all)
        sl_loop_call(topology->main, tell_all_read, topology);
}

sl_line sl_topology__make_line(sl_topology *topology, const sl_pipeline_conf *conf)
{
    sl_pipeline *pipeline = sl_pipeline_new(conf, topology->context);
    return (sl_line){.pipeline = pipeline,
                     .replay = sl_pipeline_replay_input(pipeline, on_input_finished, topology),
                     .conf = conf,
                     .edition = sl_topology__edition_use(topology->current)};
}

sl_source sl_topology__make_source(sl_topology *topology, const sl_plugin_use *use, unsigned worker)
{
    unsigned count;
    sl_pipeline **fed = sl_topology__fed_by(topology, use, &count);
    sl_source source = {.use = use, .edition = sl_topology__edition_use(topology->current)};
    source.input = sl_input_new(use, topology->context, worker % topology->context->n_workers, fed, count,
                                on_input_finished, topology);
    sl_free(fed);
    return source;
}

void sl_topology__free_line(sl_line *line)
{
    sl_input_free(line->replay);
    sl_pipeline_free(line->pipeline);
    sl_topology__edition_leave(line->edition);
}

void sl_topology__free_source(sl_source *source)
{
    sl_input_free(source->input);
    sl_topology__edition_leave(source->edition);
}

void sl_topology__publish(sl_topology *topology)
{
    sl_free(topology->pipelines);
    topology->pipelines = sl_calloc(topology->lines.count, sizeof(sl_pipeline *));
    for (unsigned i = 0; i < topology->lines.count; i++)
        topology->pipelines[i] = topology->lines.items[i].pipeline;
}

sl_pipeline *const *sl_topology_pipelines(const sl_topology *topology, unsigned *count)
{
    *count = topology->lines.count;
    return topology->pipelines;
}

/* ---- starting ---- */

/* Whether the agent goes on without a part that did not start; it is tried again then. */
static bool goes_on_without(sl_topology *topology, sl_err *err)
{
    if (!topology->started && (topology->context->once || !sl_err_may_pass(err))) return false;
    sl_log_limited(&topology->retry_limit, SL_LOG_ERROR, "agent", "%s; it is tried again", err->text);
    sl_timer_start(topology->retry, RETRY_NS, 0);
    *err = (sl_err)SL_ERR_NONE;
    return true;
}

int sl_topology_open_pipelines(sl_topology *topology, sl_err *err)
{
    for (unsigned i = 0; i < topology->lines.count; i++) {
        sl_pipeline *pipeline = topology->lines.items[i].pipeline;
        if (sl_pipeline_is_open(pipeline)) continue;
        if (sl_pipeline_open(pipeline, err) < 0 && !goes_on_without(topology, err)) return err->code;
    }
    return 0;
}

/* Starts it, or lets it go on, when its pipelines are open. */
static int start_input(sl_topology *topology, sl_input *in, sl_err *err)
{
    if (!sl_input_may_start(in)) return 0;
    if (sl_input_is_held(in)) sl_input_release(in);
    if (sl_input_is_started(in)) return 0;
    return sl_input_start(in, err) < 0 && !goes_on_without(topology, err) ? err->code : 0;
}

int sl_topology_start_inputs(sl_topology *topology, sl_err *err)
{
    int rc = 0;
    for (unsigned i = 0; i < topology->sources.count && rc == 0; i++)
        rc = start_input(topology, topology->sources.items[i].input, err);
    for (unsigned i = 0; i < topology->lines.count && rc == 0; i++)
        rc = start_input(topology, topology->lines.items[i].replay, err);
    if (rc == 0) topology->started = true;
    return rc;
}

static void on_retry(void *arg)
{
    sl_topology *topology = arg;
    sl_err err = SL_ERR_NONE;
    sl_topology_open_pipelines(topology, &err);
    sl_topology_start_inputs(topology, &err);
    if (!sl_timer_is_active(topology->retry)) sl_info("agent", "what could not be started before is at work");
}

/* A pipeline that was taken out of the configuration may have left records that nobody delivers. */
static void tell_orphans(const sl_topology *topology)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/journal", topology->context->service->data_dir);
    DIR *dir = sl_fs_opendir(path);
    for (struct dirent *entry; dir && (entry = sl_fs_readdir(dir));) {
        if (entry->d_name[0] == '.' || sl_topology__find_conf(topology->current->config, entry->d_name))
            continue;
        sl_warn("journal",
                "%s/%s belongs to no pipeline of the configuration: what it holds is not delivered; "
                "`sluice journal ls` shows it",
                path, entry->d_name);
    }
    if (dir) sl_fs_closedir(dir);
}

/* ---- life ---- */

sl_topology *sl_topology_new(const sl_config *config, const sl_agent_context *context, sl_loop *main,
                             void (*all_read)(void *arg), void *arg)
{
    sl_topology *topology = sl_calloc(1, sizeof *topology);
    *topology = (sl_topology){.context = context,
                              .main = main,
                              .all_read = all_read,
                              .arg = arg,
                              .deadline_ns = INT64_MAX,
                              .retry_limit = {.burst = 1, .interval_ns = RETRY_LOG_NS}};
    topology->retry = sl_timer_new(main, on_retry, topology);
    topology->current = sl_topology__edition_new(config, NULL);
    topology->lines.items = sl_calloc(config->n_pipelines, sizeof(sl_line));
    for (size_t i = 0; i < config->n_pipelines; i++)
        topology->lines.items[topology->lines.count++] =
            sl_topology__make_line(topology, &config->pipelines[i]);
    topology->sources.items = sl_calloc(config->inputs.count, sizeof(sl_source));
    for (unsigned i = 0; i < config->inputs.count; i++)
        topology->sources.items[topology->sources.count++] =
            sl_topology__make_source(topology, config->inputs.items[i], i);
    sl_topology__publish(topology);
    tell_orphans(topology);
    return topology;
}

bool sl_topology_stop(sl_topology *topology)
{
    bool complete = true;
    if (topology->changer_made) pthread_join(topology->changer, NULL);
    for (unsigned i = 0; i < topology->sources.count; i++)
        sl_input_stop(topology->sources.items[i].input);
    for (unsigned i = 0; i < topology->lines.count; i++)
        sl_input_stop(topology->lines.items[i].replay);
    for (unsigned i = 0; i < topology->lines.count; i++)
        complete = sl_pipeline_settle(topology->pipelines[i], &topology->deadline_ns) && complete;
    for (unsigned i = 0; i < topology->lines.count; i++)
        complete = sl_pipeline_drain(topology->pipelines[i], &topology->deadline_ns) && complete;
    return complete;
}

void sl_topology_close(sl_topology *topology)
{
    for (unsigned i = 0; i < topology->lines.count; i++)
        sl_pipeline_close(topology->pipelines[i]);
}

void sl_topology_free(sl_topology *topology)
{
    if (!topology) return;
    /* An input is freed while the pipelines that it feeds are still there. */
    for (unsigned i = 0; i < topology->sources.count; i++)
        sl_topology__free_source(&topology->sources.items[i]);
    for (unsigned i = 0; i < topology->lines.count; i++)
        sl_topology__free_line(&topology->lines.items[i]);
    sl_topology__edition_leave(topology->current);
    sl_timer_free(topology->retry);
    sl_free(topology->lines.items);
    sl_free(topology->sources.items);
    sl_free(topology->pipelines);
    sl_free(topology);
}

/* topology_plan.c: what another configuration makes of all that is at work.
 *
 * A pipeline leaves when its digest differs. An input ends when its own does, and goes on otherwise; where
 * something that it feeds comes or leaves it is held meanwhile.
 *
 * A buffer in memory ends with its pipeline. What was not delivered from it returns unsafe to its inputs, so
 * those are ended and started again, and read it once more, and with them go all pipelines that they feed.
 */
#include "topology_int.h"

static bool is_same_digest(sl_id a, sl_id b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

const sl_pipeline_conf *sl_topology__find_conf(const sl_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_pipelines; i++) {
        if (strcmp(config->pipelines[i].name, name) == 0) return &config->pipelines[i];
    }
    return NULL;
}

int sl_plan__find_kept(const sl_topology *topology, const sl_plan *plan, const char *name)
{
    for (unsigned i = 0; i < topology->lines.count; i++) {
        if (!plan->leaves[i] && strcmp(topology->lines.items[i].conf->name, name) == 0) return (int)i;
    }
    return -1;
}

/* What a source ends with leaves as well. True: that was news. */
static bool end_source(const sl_topology *topology, sl_plan *plan, unsigned source)
{
    bool news = false;
    plan->fates[source] = SL_SOURCE_ENDS;
    for (unsigned i = 0; i < topology->lines.count; i++) {
        if (plan->leaves[i]) continue;
        if (!sl_topology__uses(topology->lines.items[i].conf, topology->sources.items[source].use)) continue;
        plan->leaves[i] = news = true;
    }
    return news;
}

static bool feeds_leaving_memory(const sl_topology *topology, const sl_plan *plan, const sl_source *source)
{
    for (unsigned i = 0; i < topology->lines.count; i++) {
        const sl_pipeline_conf *conf = topology->lines.items[i].conf;
        if (plan->leaves[i] && conf->buffer.type == SL_JOURNAL_MEMORY && sl_topology__uses(conf, source->use))
            return true;
    }
    return false;
}

static bool goes_on(const sl_plan *plan, const sl_source *source)
{
    const sl_plugin_use *next = sl_topology__find_use(&plan->config->inputs, source->use);
    return next && is_same_digest(next->digest, source->use->digest);
}

/* Whether some pipeline that it feeds leaves, or one that comes is to be fed by it. */
static bool is_fed_elsewhere(const sl_topology *topology, const sl_plan *plan, const sl_source *source)
{
    for (unsigned i = 0; i < topology->lines.count; i++) {
        if (plan->leaves[i] && sl_topology__uses(topology->lines.items[i].conf, source->use)) return true;
    }
    for (size_t i = 0; i < plan->config->n_pipelines; i++) {
        const sl_pipeline_conf *conf = &plan->config->pipelines[i];
        if (sl_plan__find_kept(topology, plan, conf->name) < 0 && sl_topology__uses(conf, source->use))
            return true;
    }
    return false;
}

sl_plan sl_plan__make(const sl_topology *topology, const sl_config *config)
{
    sl_plan plan = {.config = config,
                    .leaves = sl_calloc(topology->lines.count, sizeof(bool)),
                    .fates = sl_calloc(topology->sources.count, sizeof(sl_source_fate))};
    for (unsigned i = 0; i < topology->lines.count; i++) {
        const sl_pipeline_conf *conf = topology->lines.items[i].conf;
        const sl_pipeline_conf *next = sl_topology__find_conf(config, conf->name);
        plan.leaves[i] = !next || !is_same_digest(next->digest, conf->digest);
    }
    for (bool news = true; news;) {
        news = false;
        for (unsigned i = 0; i < topology->sources.count; i++) {
            const sl_source *source = &topology->sources.items[i];
            if (!goes_on(&plan, source) || feeds_leaving_memory(topology, &plan, source))
                news = end_source(topology, &plan, i) || news;
        }
    }
    for (unsigned i = 0; i < topology->sources.count; i++) {
        if (plan.fates[i] == SL_SOURCE_STAYS &&
            is_fed_elsewhere(topology, &plan, &topology->sources.items[i]))
            plan.fates[i] = SL_SOURCE_HELD;
    }
    return plan;
}

void sl_plan__release(sl_plan *plan)
{
    sl_free(plan->leaves);
    sl_free(plan->fates);
}

bool sl_topology_compare(const sl_topology *topology, const sl_config *config,
                         void (*tell)(void *arg, const char *pipeline, sl_difference difference), void *arg)
{
    sl_plan plan = sl_plan__make(topology, config);
    bool any = false;
    for (size_t i = 0; i < config->n_pipelines; i++) {
        const char *name = config->pipelines[i].name;
        bool kept = sl_plan__find_kept(topology, &plan, name) >= 0;
        tell(arg, name,
             kept                                                      ? SL_KEPT
             : sl_topology__find_conf(topology->current->config, name) ? SL_CHANGED
                                                                       : SL_ADDED);
        any = any || !kept;
    }
    for (unsigned i = 0; i < topology->lines.count; i++) {
        const char *name = topology->lines.items[i].conf->name;
        if (sl_topology__find_conf(config, name)) continue;
        tell(arg, name, SL_REMOVED);
        any = true;
    }
    sl_plan__release(&plan);
    return any;
}

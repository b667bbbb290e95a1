/* topology_int.h: shared by topology.c, topology_plan.c and topology_change.c. */
#ifndef SLUICE_TOPOLOGY_INT_H
#define SLUICE_TOPOLOGY_INT_H

#include "topology.h"
#include <pthread.h>

/* A configuration and those who were made from it. */
typedef struct sl_edition {
    const sl_config *config;
    sl_config *owned; /* NULL: the caller's */
    unsigned users;
} sl_edition;

/* A pipeline at work. */
typedef struct sl_line {
    sl_pipeline *pipeline;
    sl_input *replay;
    const sl_pipeline_conf *conf; /* in the edition */
    sl_edition *edition;
} sl_line;

/* An input at work. */
typedef struct sl_source {
    sl_input *input;
    const sl_plugin_use *use; /* in the edition */
    sl_edition *edition;
} sl_source;

typedef struct sl_line_list {
    sl_line *items;
    unsigned count;
} sl_line_list;

typedef struct sl_source_list {
    sl_source *items;
    unsigned count;
} sl_source_list;

typedef struct sl_change sl_change;

struct sl_topology {
    const sl_agent_context *context;
    sl_loop *main;
    void (*all_read)(void *arg);
    void *arg;
    sl_edition *current;
    sl_line_list lines; /* as the current edition orders them */
    sl_source_list sources;
    sl_pipeline **pipelines; /* of lines, for pages */
    unsigned finished;       /* atomic: inputs, with once */
    sl_timer *retry;
    sl_log_limit retry_limit;
    bool started, stopping;
    int64_t deadline_ns; /* atomic: when sl_topology_stop() must end */
    sl_change *change;   /* under way, or NULL */
    pthread_t changer;
    bool changer_made; /* and not joined */
};

sl_edition *sl_topology__edition_new(const sl_config *config, sl_config *owned);
sl_edition *sl_topology__edition_use(sl_edition *edition); /* one user more */
void sl_topology__edition_leave(sl_edition *edition);      /* the last one frees it */

/* Parts of the current edition; nothing of them runs yet. */
sl_line sl_topology__make_line(sl_topology *topology, const sl_pipeline_conf *conf);
sl_source sl_topology__make_source(sl_topology *topology, const sl_plugin_use *use, unsigned worker);
void sl_topology__free_line(sl_line *line); /* closed, and its inputs freed or fed elsewhere */
void sl_topology__free_source(sl_source *source);
/* Renews what pages read. */
void sl_topology__publish(sl_topology *topology);

/* The same input, whatever its options: the same name in the same place. */
bool sl_topology__is_same_use(const sl_plugin_use *a, const sl_plugin_use *b);
const sl_plugin_use *sl_topology__find_use(const sl_use_list *uses, const sl_plugin_use *use); /* or NULL */
bool sl_topology__uses(const sl_pipeline_conf *conf, const sl_plugin_use *input);
/* The pipelines at work that use the input; the caller frees the list. */
sl_pipeline **sl_topology__fed_by(const sl_topology *topology, const sl_plugin_use *input, unsigned *count);

/* ---- topology_plan.c ---- */

typedef enum sl_source_fate { SL_SOURCE_STAYS, SL_SOURCE_HELD, SL_SOURCE_ENDS } sl_source_fate;

/* What becomes of everything at work. */
typedef struct sl_plan {
    const sl_config *config;
    bool *leaves;          /* one a line */
    sl_source_fate *fates; /* one a source */
} sl_plan;

sl_plan sl_plan__make(const sl_topology *topology, const sl_config *config);
void sl_plan__release(sl_plan *plan);
/* The place of a pipeline that is at work and stays as it is, or -1. */
int sl_plan__find_kept(const sl_topology *topology, const sl_plan *plan, const char *name);
const sl_pipeline_conf *sl_topology__find_conf(const sl_config *config, const char *pipeline); /* or NULL */

#endif

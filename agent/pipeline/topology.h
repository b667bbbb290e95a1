/* topology.h: what is at work: pipelines, the inputs that feed them, the configurations they were made from.
 *
 * Made of one configuration, it can be changed to another while it works. What both say alike goes on
 * untouched. An input that both have keeps its files and connections, and is fed into the new pipelines. What
 * leaves ends in order; a successor of the same name goes on with its journal.
 *
 * A part that does not open for a reason that may pass, as a full disk, is tried again each second while the
 * others work. Once the agent is at work no error of a part ends it.
 *
 * Main thread, unless said otherwise.
 */
#ifndef SLUICE_TOPOLOGY_H
#define SLUICE_TOPOLOGY_H

#include "pipeline.h"

typedef struct sl_topology sl_topology;

/* Nothing runs yet. config and context must outlive it. all_read: on the main loop, with once, when every
 * input has come to its end. */
sl_topology *sl_topology_new(const sl_config *config, const sl_agent_context *context, sl_loop *main,
                             void (*all_read)(void *arg), void *arg);
/* An error is what a person must mend: only the first start has one. */
int sl_topology_open_pipelines(sl_topology *topology, sl_err *err);
int sl_topology_start_inputs(sl_topology *topology, sl_err *err);

/* Valid until the main loop turns: a change puts others in their place. */
sl_pipeline *const *sl_topology_pipelines(const sl_topology *topology, unsigned *count);

/* ---- change ---- */

typedef enum sl_difference { SL_KEPT, SL_CHANGED, SL_ADDED, SL_REMOVED } sl_difference;

/* Tells what a change to config would do to each pipeline, by name. True: anything at all. */
bool sl_topology_compare(const sl_topology *topology, const sl_config *config,
                         void (*tell)(void *arg, const char *pipeline, sl_difference difference), void *arg);
/* Begins the change, on a thread of its own; config is the topology's from here on. done: on the main loop;
 * err NULL: the new configuration is at work; else why it could not be, and the one before is at work again.
 * Only when sl_topology_may_change(). */
void sl_topology_change(sl_topology *topology, sl_config *config, void (*done)(void *arg, const sl_err *err),
                        void *arg);
bool sl_topology_may_change(const sl_topology *topology); /* false: a change is under way, or all ends */

/* ---- the end ---- */

/* No change begins any more, one that waits is taken back, and what waits below ends by deadline_ns
 * (monotonic); again: to bring it nearer. */
void sl_topology_stop_by(sl_topology *topology, int64_t deadline_ns);
/* Inputs stop reading, what was read reaches the journals, outputs deliver, until the deadline. True: all is
 * delivered. Any thread but the loops'. */
bool sl_topology_stop(sl_topology *topology);
void sl_topology_close(sl_topology *topology); /* closes the pipelines; any thread but the loops' */
void sl_topology_free(sl_topology *topology);  /* NULL is fine */

#endif

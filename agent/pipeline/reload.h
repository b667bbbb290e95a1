/* reload.h: the configuration read again while the agent works: on SIGHUP, and for /api/v1/reload.
 *
 * The files are checked first, whole; with any error in them, and where `service` asks for what only a
 * restart can do, everything stays as it is. Otherwise the pipelines that differ are changed (topology.h).
 * Main thread only.
 */
#ifndef SLUICE_RELOAD_H
#define SLUICE_RELOAD_H

#include "topology.h"

typedef enum sl_reload_result {
    SL_RELOAD_NONE,      /* not asked for yet */
    SL_RELOAD_UNCHANGED, /* the configuration says what is at work already */
    SL_RELOAD_UNDER_WAY,
    SL_RELOAD_DONE,
    SL_RELOAD_REFUSED, /* the files have errors; nothing was touched */
    SL_RELOAD_FAILED,  /* something did not open; the configuration before is at work again */
    SL_RELOAD_BUSY,    /* another one is under way, or the agent starts or ends: ask again */
} sl_reload_result;

typedef struct sl_reload sl_reload;

typedef struct sl_reload_conf {
    sl_topology *topology;
    const sl_agent_context *context;
    sl_loop *main;
    const char *const *paths; /* as for sl_config_load(); outlive the reload */
    size_t n_paths;
    /* What of `service` can change at work is to be taken over: log and shutdown_timeout. */
    void (*take_service)(void *arg, const sl_service_conf *service);
    void *arg;
} sl_reload_conf;

sl_reload *sl_reload_new(const sl_reload_conf *conf);
void sl_reload_free(sl_reload *reload); /* NULL is fine; no change is under way any more */

/* Says in the log what comes of it. Never DONE or FAILED: that comes later. */
sl_reload_result sl_reload_ask(sl_reload *reload);
/* As sl_reload_ask(), but a reload that is under way is followed by another. */
void sl_reload_signal(sl_reload *reload);
/* What came of the last one: {"result","unix_time","changed":[…],"added":[…],"removed":[…],"kept":[…],
 * "reason"}; names of pipelines; reason: what is wrong, for a person. */
void sl_reload_write(const sl_reload *reload, sl_buf *out);

#endif

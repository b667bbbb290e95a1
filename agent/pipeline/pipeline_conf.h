/* pipeline_conf.h: the whole configuration, read, checked and ready to build from.
 *
 * sl_config_load() reads every file, substitutes the environment, checks each key against the option rows of
 * the service, of the buffer and of the plugins used, resolves names, and calls each plugin's check(). What
 * it returns is read-only and may be read from any thread until sl_config_free(), which frees everything it
 * points to: keep it as long as anything that was built from it runs. It has no side effects but loading the
 * shared objects of `service.plugins`, which stay loaded.
 *
 * All names (pipelines, inputs, outputs) are at most SL_MAX_NAME bytes of [A-Za-z0-9_-.] and start with a
 * letter or digit, so that they may stand in paths, metrics and state keys as they are.
 */
#ifndef SLUICE_PIPELINE_CONF_H
#define SLUICE_PIPELINE_CONF_H

#include "../config/problems.h"
#include "../delivery/delivery.h"
#include "../journal/journal.h"
#include <sluice/logger.h>
#include <sluice/plugin.h>

#define SL_MAX_NAME      64
#define SL_MAX_PIPELINES 1024 /* in one configuration */
#define SL_MAX_USES      256  /* inputs, filters or outputs of one pipeline */

/* service: */
typedef struct sl_service_conf {
    const char *data_dir; /* no trailing slash; default /var/lib/sluice */
    struct {
        bool on;          /* false: `http: off` */
        const char *host; /* a name or an address, an IPv6 one without its brackets; default 127.0.0.1 */
        uint16_t port;    /* default 2020; 0: any free one */
    } http;
    unsigned workers; /* worker loops; 0: auto, one a core up to 4 */
    sl_log_level log_level;
    bool log_json;
    int64_t shutdown_timeout_ns; /* default 30s */
    const char *const *plugins;  /* paths of shared objects, loaded already; n_plugins of them */
    size_t n_plugins;
} sl_service_conf;

/* One use of a plugin: an input, a filter step, or an output with the settings of its delivery. */
typedef struct sl_plugin_use {
    const sl_plugin *plugin;
    const void *conf; /* plugin->conf_size bytes, parsed and checked */
    /* Shared definitions: the name they were given under `inputs:` or `outputs:`. Others: the option `name`
     * (inputs and outputs), else the plugin's name, numbered so that it is the only one of its kind in the
     * pipeline: `kafka`, `kafka-2`. */
    const char *name;
    const char *pipeline;             /* the pipeline it is written in; NULL: a shared definition */
    const sl_delivery_conf *delivery; /* outputs only, else NULL */
    sl_mark mark;                     /* where the plugin's name stands */
    sl_id digest; /* equal for two uses of one plugin with the same options; its name is not in it */
} sl_plugin_use;

/* Uses by reference: a shared input or output stands, as the same pointer, in each pipeline that names it. */
typedef struct sl_use_list {
    const sl_plugin_use *const *items;
    size_t count;
} sl_use_list;

typedef struct sl_pipeline_conf {
    const char *name;
    sl_mark mark;
    sl_use_list inputs;  /* at least one */
    sl_use_list filters; /* in order; may be none */
    sl_use_list outputs; /* at least one; names differ within the pipeline */
    sl_journal_conf buffer;
    sl_id digest; /* equal for two that have the same inputs, filters, outputs and buffer */
} sl_pipeline_conf;

typedef struct sl_config {
    sl_service_conf service;
    const sl_pipeline_conf *pipelines; /* in the order written; at least one */
    size_t n_pipelines;
    /* Every input and output that some pipeline uses, each once: shared ones first, in the order written. */
    sl_use_list inputs;
    sl_use_list outputs;
    struct sl_conf_memory *memory; /* owns everything above; for sl_config_free() */
} sl_config;

/* Reads files and directories (of those: each *.yaml and *.yml, in order of names, not deeper). Later files
 * add to earlier ones; a name that is defined twice is an error. NULL: `problems` says why, at least one
 * error. Otherwise `problems` may hold warnings. */
sl_config *sl_config_load(const char *const *paths, size_t n_paths, sl_problems *problems);
void sl_config_free(sl_config *config); /* NULL is fine */

#endif

/* pipeline_conf_int.h: shared by the files that compose the configuration. */
#ifndef SLUICE_PIPELINE_CONF_INT_H
#define SLUICE_PIPELINE_CONF_INT_H

#include "../config/options.h"
#include "pipeline_conf.h"

/* ---- pipeline_conf_rows.c: service and buffer ---- */

extern const sl_option sl_conf__service_rows[];
extern const sl_option sl_conf__buffer_rows[];
extern const sl_option sl_conf__input_rows[];  /* what every input has beside its plugin's own: name */
extern const sl_option sl_conf__output_rows[]; /* the same for outputs; sl_delivery_options come on top */

typedef struct sl_conf__name {
    sl_span name; /* empty: none was given */
} sl_conf__name;

/* node: the section's value, or NULL. */
void sl_conf__read_service(const sl_option_context *ctx, const sl_node *node, sl_service_conf *service);
void sl_conf__read_buffer(const sl_option_context *ctx, const sl_node *node, sl_journal_conf *buffer);

/* Adds a problem and returns false when the text can't be the name of a pipeline, input or output. what:
 * "pipeline". */
bool sl_conf__check_name(const sl_option_context *ctx, sl_span name, sl_mark mark, const char *what);

/* ---- pipeline_conf_check.c: the plugin's own check ---- */

/* Runs it over conf, made from options, and adds what it finds as a problem; mark: of the use. */
void sl_conf__check_use(const sl_option_context *ctx, const sl_plugin *plugin, void *conf,
                        const sl_node *options, sl_mark mark);

/* ---- pipeline_conf_uses.c: uses of plugins ---- */

/* An input or output with a name of its own under `inputs:` or `outputs:`. */
typedef struct sl_conf__definition {
    const sl_plugin_use *use;
    sl_mark mark; /* of the name */
    bool used;
} sl_conf__definition;

typedef struct sl_conf__definitions {
    sl_plugin_kind kind;
    sl_conf__definition *items;
    size_t count;
} sl_conf__definitions;

/* Reads `inputs:` or `outputs:` (NULL: there is none). */
void sl_conf__read_definitions(const sl_option_context *ctx, const sl_member *section,
                               sl_conf__definitions *defs);

/* Reads the inputs, filters or outputs of one pipeline. same: the definitions of this kind (NULL: filters);
 * other: those of inputs when reading outputs and the reverse, for hints. What could not be read is left out
 * (problems were added). */
sl_use_list sl_conf__read_uses(const sl_option_context *ctx, sl_plugin_kind kind, const sl_node *node,
                               const char *pipeline, sl_conf__definitions *same,
                               const sl_conf__definitions *other);

/* ---- pipeline_conf_digest.c: what a reload compares ---- */

/* options: the node that conf was read from. */
sl_id sl_conf__digest_use(const sl_plugin *plugin, const sl_node *options, const void *conf);
/* Its uses have theirs. buffer: the node, or NULL. */
sl_id sl_conf__digest_pipeline(const sl_pipeline_conf *pipeline, const sl_node *buffer);

/* ---- pipeline_conf_unique.c: SL_OPT_UNIQUE ---- */

/* Adds a problem for each two outputs that share what they must not. The configuration has no errors so far.
 */
void sl_conf__check_unique(const sl_option_context *ctx, const sl_config *config);

#endif

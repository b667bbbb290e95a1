/* conf_graph.h: a checked configuration as a small drawing. */
#ifndef SLUICE_CONF_GRAPH_H
#define SLUICE_CONF_GRAPH_H

#include "pipeline_conf.h"

/* Appends one drawing a pipeline: inputs, filters, journal, outputs, from top to bottom, with an empty line
 * between pipelines:
 *
 *   pipeline booking
 *     apps (tail)  ─┐
 *     tcp          ─┤
 *                   ├─ parse
 *                   ├─ redact
 *                   ├─ journal on disk: 4GiB, fsync every 1s, then inputs wait
 *                   ├─> search (elasticsearch)
 *                   └─> kafka
 */
void sl_conf_graph_write(const sl_config *config, sl_buf *out);

#endif

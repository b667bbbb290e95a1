/* metrics.h: every number the agent shows about itself.
 *
 * A cell is written by one thread (sl_counter in base.h), the one of its owner; cells with the same name and
 * labels, such as those of two workers, are added up where they are shown. When its owner ends a cell stays,
 * so that no counter ever goes back, and the next owner with the same name and labels goes on with it.
 * Registering takes a lock: do it at start, not per record.
 */
#ifndef SLUICE_METRICS_H
#define SLUICE_METRICS_H

#include <sluice/base.h>

typedef enum sl_metric_type { SL_METRIC_COUNTER, SL_METRIC_GAUGE } sl_metric_type;

#define SL_METRIC_MAX_LABELS 4

/* owner: whose end sl_metrics_retire() tells; not looked at otherwise. name: `sluice_<component>_<noun>_<unit>`, counters end in `_total`. help: one sentence. labels: name,
 * value, name, value, …, NULL (may be NULL); at most SL_METRIC_MAX_LABELS pairs; all texts are copied. Any
 * thread. */
sl_counter *sl_metrics_new(const void *owner, sl_metric_type type, const char *name, const char *help,
                           const char *const *labels);
/* Nobody writes the owner's cells any more. Its gauges are 0 from now on. Any thread. */
void sl_metrics_retire(const void *owner);
/* Appends one metric family of the text exposition that is not kept in a cell. */
void sl_metrics_write_family(sl_buf *out, sl_metric_type type, const char *name, const char *help);
void sl_metrics_write_sample(sl_buf *out, const char *name, const char *const *labels, uint64_t value);
/* Appends all cells in OpenMetrics text format 1.0.0 (also read by Prometheus), families in order of name,
 * without the closing `# EOF`. */
void sl_metrics_write(sl_buf *out);

#endif

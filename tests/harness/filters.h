/* filters.h: one filter by itself, configured as a user would. It stands in for the pipeline: a test that
 * uses it can't link agent/pipeline's stage too. */
#ifndef SLUICE_TEST_FILTERS_H
#define SLUICE_TEST_FILTERS_H

#include <sluice/plugin.h>

typedef struct sl_test_filter sl_test_filter;

/* yaml: the filter's options, e.g. "{when: 'a == 1'}" or "json". NULL when that is no valid configuration:
 * then *errors (may be NULL) holds what a user would read, in static storage. */
sl_test_filter *sl_test_filter_try(const sl_plugin *plugin, const char *yaml, const char **errors);
/* The same; what is not valid fails the test. */
sl_test_filter *sl_test_filter_new(const sl_plugin *plugin, const char *yaml);
void sl_test_filter_free(sl_test_filter *filter);
void sl_test_filter_apply(sl_test_filter *filter, sl_batch *batch);
/* Value of one of its counters, e.g. "errors_total" with "not_json", or NULL where it has no label. One that
 * the filter did not make fails the test. */
uint64_t sl_test_filter_count(const sl_test_filter *filter, const char *name, const char *value);

#endif

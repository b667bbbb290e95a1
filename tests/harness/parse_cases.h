/* parse_cases.h: one line through the parse filter, and what is to come of it. */
#ifndef SLUICE_TEST_PARSE_CASES_H
#define SLUICE_TEST_PARSE_CASES_H

#include "filters.h"
#include "records.h"

#define SL_TEST_READ_TIME "\"@timestamp\":\"2024-05-01T12:34:56.789Z\"" /* SL_TEST_TIME_NS, as it is joined */
#define SL_TEST_NO_MATCH  "the pattern does not match"
#define SL_TEST_LIMITED   "the pattern took too many steps"

typedef struct sl_line_case {
    const char *yaml;
    sl_span line;
    const char *counter, *value; /* what is counted, once; NULL: nothing but records_total */
    const char *written;         /* as an output would send it; "": it does not go on */
} sl_line_case;

void sl_test_line_check(const sl_line_case *c);
/* What one line becomes; its counters stay in the filter. flags: beside RAW. Static storage. */
const char *sl_test_line_parsed(sl_test_filter *filter, uint16_t flags, sl_span line);
/* Seals and frees the batch; its text, however long, is `want`. */
void sl_test_batch_expect(sl_batch *batch, const sl_buf *want);

#endif

/* records.h: small batches for tests. */
#ifndef SLUICE_TEST_RECORDS_H
#define SLUICE_TEST_RECORDS_H

#include <sluice/record.h>

#define SL_TEST_TIME_NS INT64_C(1714566896789000000) /* 2024-05-01T12:34:56.789Z */

/* An open batch with the given lines, raw, as an input would read them: in one buffer, '\n' behind each.
 * Origins count from 0 by line length. common may be NULL; flags come in addition to RAW. */
sl_batch *sl_test_batch_raw(const char *common, uint16_t flags, const char *lines);
/* The same with each line parsed as JSON; a line that is no object fails the test. */
sl_batch *sl_test_batch_parsed(const char *common, uint16_t flags, const char *lines);
/* Seals, writes every record as an output would, each with '\n', frees the batch. NUL-terminated, static
 * storage. */
const char *sl_test_batch_written(sl_batch *batch);
/* Seals and gives the sealed text instead. */
const char *sl_test_batch_sealed(sl_batch *batch);
/* Aborts the test when a path does not parse. */
sl_path *sl_test_path(const char *text);

#endif

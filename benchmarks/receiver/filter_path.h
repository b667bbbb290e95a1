/* Elasticsearch's `filter_path`: which parts of a bulk answer a client asked for.
 *
 * Patterns are parted by ','; a pattern is names parted by '.', '*' in a name stands for any characters, the
 * name '**' for any number of names; a pattern takes everything below what it names; '-' before it excludes.
 * https://www.elastic.co/guide/en/elasticsearch/reference/8.17/common-options.html#common-options-response-filtering
 */
#ifndef FILTER_PATH_H
#define FILTER_PATH_H

#include <stddef.h>

/* The parts of a bulk answer, as bits. */
enum {
    ANSWER_TOOK = 1 << 0,
    ANSWER_ERRORS = 1 << 1,
    ANSWER_ITEM_INDEX = 1 << 2,
    ANSWER_ITEM_ID = 1 << 3,
    ANSWER_ITEM_VERSION = 1 << 4,
    ANSWER_ITEM_RESULT = 1 << 5,
    ANSWER_ITEM_STATUS = 1 << 6,
    ANSWER_ITEMS =
        ANSWER_ITEM_INDEX | ANSWER_ITEM_ID | ANSWER_ITEM_VERSION | ANSWER_ITEM_RESULT | ANSWER_ITEM_STATUS,
    ANSWER_ALL = ANSWER_TOOK | ANSWER_ERRORS | ANSWER_ITEMS,
};

/* The parts wanted by a request's query string (as it stands in the request line; "%2C" and "%2A" are
 * understood). All of them when it has no filter_path. */
unsigned filter_path_parts(const char *query, size_t len);

#endif

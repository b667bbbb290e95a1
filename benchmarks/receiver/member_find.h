/* Finds a member with a one-letter name and a whole number as its value, such as "n":123, in a document's
 * bytes.
 *
 * The receiver counts by it without parsing. It is found as a JSON member ("n":123, a blank after the colon
 * allowed) and where a JSON line was carried as text in a string (\"n\":123); as a query (?n=123) in access
 * lines. */
#ifndef MEMBER_FIND_H
#define MEMBER_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sets *value to the number of the first member `name` in text and returns true; false when there is none. */
bool member_find(const char *text, size_t len, char name, uint64_t *value);

/* The same for ?n=123. */
bool member_find_query(const char *text, size_t len, char name, uint64_t *value);

#endif

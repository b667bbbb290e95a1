/* The parts of the straight-line program: what a line must go through, and nothing else. See
 * straight_line_main.c. */
#ifndef STRAIGHT_LINE_H
#define STRAIGHT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_MAX_CUTS 64 /* secrets cut out of one line; the corpus has at most 6 */
#define LINE_GROWTH                                                                                          \
    256 /* bytes that a line may grow by its date and its cuts, at most, beyond twice its length */

/* Writes one line (no newline) as a document at `out`: the line as the string member "message". Returns the
 * end. */
char *line_unparsed(const char *line, size_t len, char *out);

/* Writes one line, a JSON object, as a document at `out`, with its "timestamp" also as "@timestamp"; with
 * `redact`, the values of secret keys, e-mails, card numbers and JWTs replaced by [REDACTED]. `line` must be
 * readable for 64 bytes beyond its end. Returns the end. */
char *line_json(const char *line, size_t len, bool redact, char *out);

#endif

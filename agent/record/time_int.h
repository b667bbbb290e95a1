/* time_int.h: what the parsers of times share. */
#ifndef SLUICE_TIME_INT_H
#define SLUICE_TIME_INT_H

#include "base/civil.h"
#include "record_int.h"

/* Seconds since the epoch on a clock that shows utc + offset from `at` on. */
typedef struct sl_transition {
    int64_t at;
    int32_t offset; /* seconds east of UTC */
} sl_transition;

/* An immutable table: transition 0 is before all times. */
struct sl_timezone {
    uint32_t count;
    sl_transition transitions[];
};

#define SL_MAX_UTC_OFFSET 93600 /* RFC 8536: offsets are below 26 hours */

/* Seconds of UTC for seconds of local time. A time that happens twice (the clock was set back) is the first
 * of the two; one that does not happen (it was set forward) is read with the offset before the change. zone
 * NULL: UTC. */
int64_t sl_timezone__to_utc(const sl_timezone *zone, int64_t local);

/* tzif.c: a compiled zone file (RFC 8536, version 2 or later). name is for messages. */
sl_timezone *sl_tzif__parse(sl_span file, const char *name, sl_err *err);

/* tz_rule.c: the POSIX rule in a zone file's footer, e.g. "CET-1CEST,M3.5.0,M10.5.0/3". Writes the
 * transitions after `after`, up to the end of what an int64_t of ns can hold; out has room for
 * SL_MAX_RULE_TRANSITIONS. Returns how many, or -1 when it is no rule. */
#define SL_RULE_LAST_YEAR       2263
#define SL_RULE_FIRST_YEAR      1900
#define SL_MAX_RULE_TRANSITIONS (2 * (SL_RULE_LAST_YEAR - SL_RULE_FIRST_YEAR + 1) + 1)
int sl_tz_rule__expand(sl_span rule, int64_t after, sl_transition *out);

/* ns of a date and time, given the offset of its clock, or read in `zone` when offset is SL_NO_OFFSET. False
 * when a field is out of its range or the time out of int64_t's. Second 60 becomes the last ns of its minute.
 */
#define SL_NO_OFFSET INT32_MAX
bool sl_civil__to_ns(const sl_civil *civil, int32_t offset, const sl_timezone *zone, int64_t *ns);

/* `Z`, `±hh`, `±hhmm`, `±hh:mm` at text: its length and the offset in seconds; 0 when there is none. */
size_t sl_time__parse_offset(sl_span text, int32_t *offset);

/* Reads digits as a decimal fraction of a second, cut behind the ns. Returns how many there are. */
size_t sl_time__parse_fraction(sl_span text, int32_t *ns);

#endif

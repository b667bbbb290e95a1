/* units.h: sizes, durations and fractions as text: the one place that reads and writes them.
 *
 * Reading is exact: the value is what the text says, or it is an error; nothing is rounded, wrapped or cut.
 * The error's text tells how such a value is written, and never repeats the value (which may be a secret):
 * the caller has it.
 */
#ifndef SLUICE_BASE_UNITS_H
#define SLUICE_BASE_UNITS_H

#include <sluice/base.h>

/* `512`, `10kB`, `64MiB`, `1.5GiB`: bytes (B), kB MB GB TB (powers of 1000), KiB MiB GiB TiB (powers of
 * 1024). A decimal fraction is fine where it makes whole bytes. 0, SL_E_SYNTAX, SL_E_RANGE (over 2^64 - 1).
 */
int sl_size_parse(sl_span text, uint64_t *bytes, sl_err *err);

/* `5s`, `100ms`, `1h30m`, `7d`, `0`: w d h m s ms us ns, larger units first, each at most once; a decimal
 * fraction where it makes whole nanoseconds. Every number but 0 needs its unit. 0, SL_E_SYNTAX, SL_E_RANGE
 * (over 292 years). */
int sl_duration_parse(sl_span text, int64_t *ns, sl_err *err);

/* `5%`, `12.5%`, `0.05`: 0 to 1. 0, SL_E_SYNTAX, SL_E_RANGE. */
int sl_fraction_parse(sl_span text, double *fraction, sl_err *err);

/* Append the value so that it reads back the same: `64MiB`, `10kB`, `513B`; `1h30m`, `0s`; `5%`. A negative
 * duration has a `-` in front (and does not read back). */
void sl_size_format(sl_buf *out, uint64_t bytes);
void sl_duration_format(sl_buf *out, int64_t ns);
void sl_fraction_format(sl_buf *out, double fraction);

/* Append the value with about three digits, for people: `1.46GiB`, `12.3s`, `2h05m`. */
void sl_size_format_short(sl_buf *out, uint64_t bytes);
void sl_duration_format_short(sl_buf *out, int64_t ns);

#endif

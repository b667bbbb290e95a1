/* utf8.h: checking and repairing UTF-8 (RFC 3629). No state; any thread. */
#ifndef SL_BASE_UTF8_H
#define SL_BASE_UTF8_H

#include <sluice/base.h>

#define SL_UTF8_REPLACEMENT     "\xef\xbf\xbd" /* U+FFFD */
#define SL_UTF8_REPLACEMENT_LEN 3

/* Bytes of the well-formed sequence at text (1 to 4), or, negated, of the ill-formed one that one U+FFFD
 * stands for: its maximal subpart (Unicode 15, 3.9, "U+FFFD Substitution of Maximal Subparts"), at least 1.
 * len > 0. */
int sl_utf8_sequence(const char *text, size_t len);

/* Bytes in front that are below 0x80. */
size_t sl_utf8_ascii_prefix(const char *text, size_t len);

/* Whether all of it is well-formed: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool sl_utf8_is_valid(sl_span text);

/* Appends text with every ill-formed sequence replaced by U+FFFD. Returns how many were. The caller bounds
 * text; out grows by up to three times its length. */
size_t sl_utf8_repair(sl_buf *out, sl_span text);

/* Writes the UTF-8 of a code point, 1 to 4 bytes, and returns how many. Surrogates and what is above U+10FFFF
 * are written as U+FFFD. */
size_t sl_utf8_encode(uint32_t code_point, char out[4]);

#endif

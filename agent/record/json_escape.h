/* json_escape.h: the inner loop of string writing, inside agent/record only. */
#ifndef SL_RECORD_JSON_ESCAPE_H
#define SL_RECORD_JSON_ESCAPE_H

#include <sluice/json.h>

/* How far one call of an escaper got. */
typedef struct sl_json_escaped {
    size_t taken;   /* bytes of text */
    size_t written; /* bytes of out */
} sl_json_escaped;

#define SL_JSON_ESCAPE_SLACK 128 /* bytes an escaper may write beyond what it reports */

/* Copies text to out with a backslash put before each `"` and `\`, and stops at the first byte that needs
 * more thought: a control character or a byte >= 0x80. out has room for 2 * len + SL_JSON_ESCAPE_SLACK bytes.
 */
typedef sl_json_escaped (*sl_json_escaper)(const char *text, size_t len, char *out);

sl_json_escaped sl_json_escape__portable(const char *text, size_t len, char *out);
#if defined(__x86_64__)
sl_json_escaped sl_json_escape__avx2(const char *text, size_t len, char *out);
sl_json_escaped sl_json_escape__avx512(const char *text, size_t len, char *out);
#endif

/* The one that belongs to the scanner in use. */
sl_json_escaped sl_json_escape__run(const char *text, size_t len, char *out);

#endif

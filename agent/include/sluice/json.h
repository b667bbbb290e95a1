/* json.h: the index over a JSON text, and writing JSON.
 *
 * A record is never turned into a tree. A step that needs fields asks for the record's index: a flat tape of
 * tokens with offsets into the untouched text. The grammar is RFC 8259, checked whole: what the index accepts
 * is valid JSON, byte for byte. (UTF-8 is checked apart, see `non_ascii`.)
 */
#ifndef SLUICE_JSON_H
#define SLUICE_JSON_H

#include <sluice/base.h>

typedef enum sl_json_type {
    SL_JSON_OBJECT,
    SL_JSON_ARRAY,
    SL_JSON_STRING,
    SL_JSON_NUMBER,
    SL_JSON_TRUE,
    SL_JSON_FALSE,
    SL_JSON_NULL,
} sl_json_type;

enum {
    SL_TOKEN_KEY = 1,            /* a member's name; its value is the next token */
    SL_TOKEN_ESCAPED = 2,        /* the string holds at least one backslash */
    SL_TOKEN_LONE_SURROGATE = 4, /* the string spells a \uD800..\uDFFF that has no partner */
    SL_TOKEN_NON_ASCII = 8,      /* the string holds bytes >= 0x80 */
};

/* One token of the tape. Order is the text's order, depth first:
 *   object: its own token, then key, value, key, value, …   array: its own token, then its elements.
 * `next` is the tape position just after the value and all that is in it, so that a walk can step over it:
 *   members of object o:  for (k = o + 1; k < tok[o].next; k = tok[k + 1].next)  key tok[k], value tok[k + 1]
 *   elements of array a:  for (e = a + 1; e < tok[a].next; e = tok[e].next)
 * A key's `next` is its own position + 1. */
typedef struct sl_token {
    uint32_t off; /* byte offset in the text; a string's is past its opening quote */
    uint32_t len; /* bytes; a string's without the quotes, an object's or array's with the brackets */
    uint32_t next;
    uint16_t depth; /* 0 for the outermost value */
    uint8_t type;   /* sl_json_type */
    uint8_t flags;  /* SL_TOKEN_* */
} sl_token;

/* Deeper nesting is refused as SL_JSON_TOO_DEEP, longer text as SL_JSON_TOO_LONG. */
#define SL_JSON_MAX_DEPTH 512
#define SL_JSON_MAX_TEXT  (UINT32_C(1) << 30)

typedef enum sl_json_error {
    SL_JSON_OK,
    SL_JSON_EMPTY,       /* nothing but white space */
    SL_JSON_NOT_JSON,    /* a byte that can start no value */
    SL_JSON_BAD_LITERAL, /* not true, false or null */
    SL_JSON_BAD_NUMBER,
    SL_JSON_BAD_ESCAPE,
    SL_JSON_CONTROL_CHARACTER, /* a byte below 0x20 inside a string */
    SL_JSON_UNTERMINATED,      /* the text ends inside a value */
    SL_JSON_BAD_STRUCTURE,     /* a bracket, comma, colon or key is missing or out of place */
    SL_JSON_TRAILING,          /* more after the value */
    SL_JSON_TOO_DEEP,
    SL_JSON_TOO_LONG,
    SL_JSON_NO_MEMORY,
} sl_json_error;

const char *sl_json_error_text(sl_json_error error); /* "a control character inside a string"; static */

/* A tape that grows as needed and is used again for text after text. Zero-initialised is valid. */
typedef struct sl_tape {
    sl_token *tok;
    uint32_t len; /* tokens in use */
    uint32_t cap;
    void *scratch; /* the scanner's own */
    size_t scratch_cap;
} sl_tape;

void sl_tape_release(sl_tape *tape);

/* What an index run tells beside the tape. */
typedef struct sl_json_result {
    sl_json_error error;
    uint32_t at;         /* byte offset of the error */
    uint32_t tokens;     /* how many were appended */
    bool non_ascii;      /* any byte >= 0x80 in the text: UTF-8 is not checked here */
    bool lone_surrogate; /* any string has SL_TOKEN_LONE_SURROGATE */
} sl_json_result;

/* Appends the tokens of one JSON value to the tape. `next` and nothing else counts from the first token of
 * this text (its own first token is position 0), so that a slice of the tape stands alone. On an error the
 * tape is as long as before. The text needs no padding behind it. Cost: one SIMD pass and one walk over the
 * structural bytes. */
sl_json_result sl_json_index(sl_tape *tape, sl_span text);

/* Which scanner runs: "avx512", "avx2", "neon" or "portable". All give the same results. */
const char *sl_json_scanner_name(void);
/* Tests and benches: force one by name. Returns 0, or SL_E_UNSUPPORTED when this processor or build lacks it.
 * Not thread-safe. */
int sl_json_scanner_use(const char *name);

/* Decodes a string's spelling (the bytes between the quotes) into UTF-8. A lone surrogate becomes U+FFFD. The
 * result is never longer than the spelling: out must have room for text.len bytes. Returns the length
 * written. */
size_t sl_json_unescape(sl_span text, char *out);

/* ---- writing ---- */

/* Appends text as a JSON string, with quotes; `"` `\` and control characters are escaped, invalid UTF-8
 * becomes U+FFFD, all else is kept as it is. Returns how many replacements were made. */
size_t sl_json_write_string(sl_buf *buf, sl_span text);
/* The same without the quotes. */
size_t sl_json_write_escaped(sl_buf *buf, sl_span text);
void sl_json_write_i64(sl_buf *buf, int64_t value);
void sl_json_write_double(sl_buf *buf,
                          double value); /* shortest that reads back the same; NaN and infinity: null */
/* RFC 3339 in UTC with 3, 6 or 9 fraction digits, as few as keep all of ns; without quotes. 24 to 30 bytes.
 */
void sl_json_write_time(sl_buf *buf, int64_t ns);

#endif

/* record_int.h: what the files of agent/record share. */
#ifndef SLUICE_RECORD_INT_H
#define SLUICE_RECORD_INT_H

#include <sluice/record.h>

/* ---- common fields and joined names (joined.c)
 * --------------------------------------------------------------- */

/* The common fields of a batch as an object of their own, with its tape and its top-level names, decoded.
 * Made by sl_batch_set_common(), immutable after, one heap block with everything in it. */
typedef struct sl_common {
    sl_span object; /* `{` members `}` */
    const sl_token *tok;
    const sl_span *names;
    uint32_t count;     /* names */
    uint64_t name_lens; /* bit min(length, 63) for each name */
} sl_common;

#define SL_NAME_TIME      SL_SPAN("@timestamp")
#define SL_NAME_OFFSET    SL_SPAN("offset")
#define SL_NAME_MESSAGE   SL_SPAN("message")
#define SL_NAME_TRUNCATED SL_SPAN("truncated")

/* Equal, for names that nearly always differ: mostly known from the length or the first byte, without a call.
 */
static inline bool sl_name__is(sl_span a, sl_span b)
{
    if (a.len != b.len) return false;
    return a.len == 0 || (*a.ptr == *b.ptr && memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Whether a key of a JSON text (as spelled, with the flags of its token) is `name` (decoded). */
bool sl_key__is(sl_span spelled, uint8_t flags, sl_span name);
/* Which of SL_RECORD_TIME, OFFSET and COMMON would join `name` (decoded). */
uint16_t sl_batch__joined_by(const sl_batch *batch, sl_span name);
/* Sets TIME, OFFSET and COMMON right for a record that just became an object and whose tokens are given: see
 * record.h. May leave splices behind. */
void sl_record__settle_joins(sl_batch *batch, sl_record *rec, const sl_token *tok);
/* Writes all common fields into the record (a splice in front of its own) and clears COMMON. */
void sl_record__take_common_in(sl_batch *batch, sl_record *rec, const sl_token *tok);

/* ---- the text of a record (record_index.c, splice.c)
 * ------------------------------------------------------------ */

/* What edits may make of a record; beyond it is treated as being out of memory. Four times SL_MAX_RECORD_LEN
 * and below SL_JSON_MAX_TEXT, since it may be indexed again. */
#define SL_MAX_RECORD_GROWN ((UINT32_C(1) << 30) - 1)
/* Bytes that wrapping appends besides the escaped line: {"message":"","truncated":true} */
#define SL_WRAP_MAX 32
/* Appends the raw record as an object; true when its UTF-8 had to be repaired. buf has room for 6 * len +
 * SL_WRAP_MAX. */
bool sl_record__wrap(const sl_record *rec, sl_buf *buf);
/* Length of the text with the splices applied. */
uint64_t sl_record__spliced_len(const sl_record *rec);
/* Writes it; len is what sl_record__spliced_len() told. */
void sl_record__apply_splices(const sl_record *rec, char *out, size_t len);

/* Whether a text that is valid JSON, with what its index told, needs cleaning; and a clean copy in the arena,
 * with *replaced repairs of its characters. False when memory is out. */
bool sl_text__is_unclean(sl_span text, const sl_json_result *json);
bool sl_text__clean(sl_batch *batch, sl_span *text, size_t *replaced);

/* The bytes of a token in its text: of a string with the quotes. */
static inline uint32_t sl_token__start(const sl_token *tok)
{
    return tok->off - (tok->type == SL_JSON_STRING);
}
static inline uint32_t sl_token__end(const sl_token *tok)
{
    return tok->off + tok->len + (tok->type == SL_JSON_STRING);
}
static inline sl_span sl_token__text(sl_span text, const sl_token *tok)
{
    return (sl_span){text.ptr + tok->off, tok->len};
}
static inline sl_span sl_record__text(const sl_record *rec)
{
    return (sl_span){rec->text, rec->len};
}

/* ---- values (record_get.c)
 * ---------------------------------------------------------------------------------------- */

#define SL_TIME_TEXT_MAX 30 /* what sl_json_write_time() writes at most */
#define SL_U64_TEXT_MAX  20

/* Where a value is, before anything was decoded. */
typedef struct sl_found {
    enum { SL_FOUND_TEXT, SL_FOUND_TIME, SL_FOUND_OFFSET } where;
    sl_json_type type;
    bool escaped;
    sl_span text; /* TEXT: as spelled */
} sl_found;

bool sl_record__find(const sl_batch *batch, const sl_record *rec, const sl_token *tok, const sl_path *path,
                     sl_found *found);
/* How much room sl_found__value() needs. 0: none, room may be NULL. */
size_t sl_found__room(const sl_found *found);
sl_value sl_found__value(const sl_found *found, const sl_record *rec, char *room);

/* ---- quoted strings in paths, conditions, templates (quoted.c)
 * ------------------------------------------------- */

typedef enum sl_escapes {
    SL_ESCAPES_JSON,  /* those of JSON, and \' */
    SL_ESCAPES_REGEX, /* only the quote itself; every other backslash is left for PCRE2 */
} sl_escapes;

/* Four hexadecimal digits at `at`, or -1. */
int32_t sl_text__hex4(sl_span text, size_t at);
/* Appends the decoded string whose opening quote, " or ', is text.ptr[0]. NULL, and *used is its length with
 * the quotes; or what is wrong, and *used is where. */
const char *sl_text__unquote(sl_span text, sl_escapes escapes, sl_buf *out, size_t *used);

/* ---- paths (path.c)
 * ------------------------------------------------------------------------------------------------- */

typedef struct sl_step {
    sl_span key; /* decoded; ptr NULL: an array index */
    uint32_t index;
} sl_step;

struct sl_path {
    sl_span text;
    uint32_t count;
    sl_step steps[]; /* texts live behind them in the same block */
};

#define SL_PATH_MAX_TEXT 1024u

/* Whether a plain name may have the byte (-1: the end); what it may not have needs brackets. UTF-8 sequences
 * are welcome. */
static inline bool sl_path__is_name_byte(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '@' || c == '$' || c == '/' || c >= 0x80;
}

/* Reads a path at the start of text, as far as it goes; *used tells how many bytes. For conditions and
 * templates. The column in err counts from `text`'s start, plus `column` before it. */
sl_path *sl_path__parse_prefix(sl_span text, size_t column, size_t *used, sl_err *err);
/* Follows one step from value `at`: the tape position, or 0. With duplicate keys the last. */
uint32_t sl_path__step(const sl_step *step, sl_span text, const sl_token *tok, uint32_t at);

#endif

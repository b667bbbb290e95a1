/* record.h: records and batches, field paths, edits.
 *
 * A batch is a run of records from one source: one arena, one record table, one receipt. While it is open it
 * belongs to one worker loop, which reads, edits and drops its records. sl_batch_seal() applies all edits in
 * one copy and makes the batch immutable; from then on it is counted by references and may travel to other
 * threads.
 *
 * A record starts as a raw line (SL_RECORD_RAW: bytes of any kind) or as an object (UTF-8 text of one JSON
 * object). The `parse` filter turns lines into objects. A raw line that any step wants to read as an object,
 * or that is still raw when the batch is sealed, becomes {"message":"<the line, escaped>"}, with
 * "truncated":true behind it if the line was cut (SL_RECORD_TRUNCATED). Bytes that are no UTF-8 become
 * U+FFFD, counted in batch->repaired.
 *
 * What is the same for the whole batch (`common`), the record's time (`@timestamp`) and its place (`offset`)
 * are kept beside the text and joined in front of the record's own fields when an output encodes it: see
 * sl_record_write(). No name is ever there twice by joining: a member that the record itself has at top level
 * wins. When a line becomes an object and by every later edit the flags TIME, OFFSET and COMMON are kept
 * right: TIME is set unless the object has its own "@timestamp", OFFSET goes when it has its own "offset";
 * when it has one of the common names, COMMON goes and the other common fields are written into the record.
 */
#ifndef SLUICE_RECORD_H
#define SLUICE_RECORD_H

#include <sluice/base.h>
#include <sluice/json.h>

#define SL_MAX_RECORDS    (UINT32_C(1) << 20) /* records in a batch */
#define SL_MAX_RECORD_LEN (UINT32_C(1) << 28) /* bytes in a record, 256 MiB; inputs set lower limits */
#define SL_MAX_COMMON_LEN (64u * 1024)        /* bytes of a batch's common fields */

enum {
    SL_RECORD_RAW = 1,         /* text is a line, not yet an object */
    SL_RECORD_TIME = 2,        /* "@timestamp" is joined from time_ns at encoding */
    SL_RECORD_COMMON = 4,      /* the batch's common fields are joined at encoding */
    SL_RECORD_INDEXED = 8,     /* the tape holds this record's tokens and they are true */
    SL_RECORD_VALID_UTF8 = 16, /* known to be well-formed UTF-8 */
    SL_RECORD_TRUNCATED = 32,  /* the line was longer than max_line and is cut */
    SL_RECORD_OFFSET = 64,     /* "offset":<origin> is joined at encoding */
    SL_RECORD_WRAPPED = 128,   /* it was a line that became {"message":…} */
    SL_RECORD_ID = 256,        /* it has an id of its own: sl_batch_set_id() */
};

/* What became of a record. All but LIVE leave the batch when it is sealed, each counted in the ledger. */
typedef enum sl_fate {
    SL_FATE_LIVE,
    SL_FATE_FILTERED,      /* a filter was asked to take it out (keep, drop) */
    SL_FATE_DROPPED,       /* lost on purpose by policy; drop_reason names it */
    SL_FATE_DEAD_LETTERED, /* goes to the dead-letter journal; drop_reason tells why */
} sl_fate;

/* One pending edit: bytes [off, off + len) of the record's text read `with` instead. */
typedef struct sl_splice {
    uint32_t off, len;
    sl_span with; /* lives in the batch's arena or is static */
    struct sl_splice *next;
} sl_splice;

typedef struct sl_record {
    const char *text; /* in the batch's arena or read buffer */
    uint32_t len;
    uint16_t flags; /* SL_RECORD_* */
    uint8_t fate;   /* sl_fate */
    uint8_t _pad;
    int64_t time_ns;  /* event time, ns since the epoch; until parsed, the time it was read */
    uint64_t origin;  /* byte offset of its line in the source, or a sequence number: with the batch's source
                         id it makes the record's id */
    uint32_t tape_at; /* first token in the batch's tape, when INDEXED */
    uint32_t tape_len;
    sl_splice *splices;      /* disjoint, sorted by off, the last one first; NULL: none */
    const char *drop_reason; /* static or in the arena; set when fate is DROPPED or DEAD_LETTERED */
} sl_record;

typedef struct sl_receipt sl_receipt;

#define SL_TARGET_ALL "*"

typedef struct sl_batch {
    sl_record *recs;
    uint32_t count;
    uint32_t live; /* records whose fate is SL_FATE_LIVE */
    bool sealed;
    /* Open only, for messages: what is read, e.g. a path; static or in the arena, may be empty. */
    sl_span source_name;
    sl_id source;   /* with a record's origin it makes the record's id */
    sl_id *ids;     /* of records that have SL_RECORD_ID, at their place in recs; NULL: none has */
    sl_span common; /* `"k":v,"k2":v2`, valid JSON members without braces, or empty; set by
                       sl_batch_set_common() */
    sl_span target; /* empty: a batch as it was read. Dead letters sent again: the name of the only output
                       that is to deliver it, or SL_TARGET_ALL */
    size_t bytes;   /* sum of the live records' text lengths when sealed; of all lines while open */
    /* Sealed only: the record texts, one after another, each followed by '\n'. recs[i].text points into it.
     */
    char *text;
    size_t text_len;
    /* The journal sequence of its frame; 0 before it has one. Written once by the journal, before it travels.
     */
    uint64_t sequence;
    sl_arena arena; /* open: edits, wrapped lines, read buffer */
    sl_tape tape;
    sl_receipt *receipt; /* released when the batch is as safe as the pipeline promises; may be NULL */
    uint32_t cap;
    int refs;          /* touched only by sl_batch_ref/unref */
    uint32_t repaired; /* lines whose invalid UTF-8 became U+FFFD when they were wrapped as {"message":…} */
    struct sl_common *_common; /* index over `common` */
    const char *_buf; /* the largest piece given by sl_batch_try_alloc(); seal may keep it as `text` */
    size_t _buf_len;
    sl_buf _objects; /* open: where sl_record_object_begin() goes on; in the arena */
    sl_buf _scratch; /* open: work space for wrapping lines */
} sl_batch;

/* ---- batches ---- */

sl_batch *sl_batch_new(void);            /* one reference; aborts when memory is out */
sl_batch *sl_batch_ref(sl_batch *batch); /* any thread, sealed batches only */
/* Bytes of memory that a sealed batch takes: text, and the table, which for short records is half as large.
 */
size_t sl_batch_held_bytes(const sl_batch *batch);
void sl_batch_unref(sl_batch *batch); /* any thread; NULL is fine; the last one frees */

/* Room for `len` bytes in the arena that live until the batch is sealed. NULL when memory is out. An input
 * reads into one such piece per batch: when its records stay unchanged, one after another with single '\n'
 * between and behind them, the sealed batch keeps the piece as its text and copies nothing. */
char *sl_batch_try_alloc(sl_batch *batch, size_t len);
/* Copies a span into the arena; aborts (small things: replacement texts). */
sl_span sl_batch_dup(sl_batch *batch, sl_span s);
/* Adds a record whose text already lives in the arena (or is static), at most SL_MAX_RECORD_LEN bytes. flags:
 * for a line SL_RECORD_RAW; COMMON and OFFSET say what is to be joined. Without RAW the text must be one JSON
 * object, from its `{` to its `}` and without newlines, and the caller vouches that the object has no member
 * of a name that its flags join. Returns it; the pointer is valid until the next add. NULL when the batch is
 * full (SL_MAX_RECORDS) or memory is out: seal it and start another. */
sl_record *sl_batch_add(sl_batch *batch, sl_span text, uint16_t flags, int64_t time_ns, uint64_t origin);
/* Gives a record of an open batch an id that it had elsewhere, in place of the one that source and origin
 * make. False: memory is out. */
bool sl_batch_set_id(sl_batch *batch, sl_record *rec, sl_id id);
/* Sets the common fields (copied), once, before the first record is added: which of them a record has by
 * itself is judged when it becomes an object. `members` are valid JSON members, e.g.
 * `"file":"/var/log/a.log"`, in UTF-8 and without newlines; empty is fine. 0; SL_E_SYNTAX or SL_E_LIMIT
 * (SL_MAX_COMMON_LEN): the batch has no common fields then. */
int sl_batch_set_common(sl_batch *batch, sl_span members);
/* Makes this batch one for a single output, by name (copied): dead letters that are delivered again. Open
 * batches. */
void sl_batch_set_target(sl_batch *batch, sl_span output);
/* Applies every edit in one copy (none where nothing was edited, see sl_batch_try_alloc), wraps lines that
 * are still raw, drops what is not LIVE, frees what only editing needed. After it the batch is immutable.
 * Dead-lettered records must have been taken out by the caller before. 0 or SL_E_NOMEM (the batch is
 * unchanged then). */
int sl_batch_seal(sl_batch *batch);

/* ---- reading a record of an open batch ---- */

/* The record's tokens, position 0 its object; pending splices are applied first (one copy and one scan then),
 * a raw line becomes {"message":…}. Never fails for a record that is an object; NULL only when memory is out.
 * Valid until the next sl_record_tokens() on this batch or a change of this record. */
const sl_token *sl_record_tokens(sl_batch *batch, sl_record *rec, uint32_t *count);
/* For `parse`: takes a RAW record as JSON. On SL_JSON_OK and when the value is an object the record is no
 * longer RAW, is indexed, and is UTF-8: bytes that are none, and escapes of lone surrogates, were replaced by
 * U+FFFD, `replaced` of them. Otherwise it is unchanged and the result tells why (an array or scalar:
 * SL_JSON_OK and `not_object`). */
typedef struct sl_parse_result {
    sl_json_result json; /* offsets count from the start of the line */
    bool not_object;
    size_t replaced;
} sl_parse_result;
sl_parse_result sl_record_parse_json(sl_batch *batch, sl_record *rec);
/* Makes the text UTF-8: where it is not, *text moves to a copy in the arena that has U+FFFD for *replaced bad
 * sequences. False: memory is out. */
bool sl_batch_repair_utf8(sl_batch *batch, sl_span *text, size_t *replaced);
/* For what reads other kinds of lines and writes their objects itself, once and in place: an empty buffer
 * with room for `len` bytes in the arena, behind the object written before, so that a run of them is sealed
 * in one copy. It must not be made to grow. One object at a time; one that is never ended is given up. False:
 * memory is out, or no record may be so long. */
bool sl_record_object_begin(sl_batch *batch, size_t len, sl_buf *out);
/* The record is now what was written to out: one JSON object, UTF-8, without newlines. settle: one of its
 * names may be joined as well (sl_batch_joins()); which are is then looked up. False: memory is out, the
 * record is unchanged. */
bool sl_record_object_end(sl_batch *batch, sl_record *rec, const sl_buf *out, bool settle);
/* Whether the top-level name (decoded) is one of those that are joined to the records of this batch. */
bool sl_batch_joins(const sl_batch *batch, sl_span name);
/* The other way: makes a line again of a record that is nothing but a WRAPPED line. True when it is RAW now.
 */
bool sl_record_unwrap(sl_batch *batch, sl_record *rec);
/* Sets the fate of a LIVE record, or makes a DEAD_LETTERED one DROPPED; keeps batch->live right. reason:
 * static or in the arena; NULL for FILTERED. */
void sl_record_set_fate(sl_batch *batch, sl_record *rec, sl_fate fate, const char *reason);

/* ---- editing ---- */

/* Bytes [off, off + len) of rec->text will read `with` (arena or static). Offsets are those of the present
 * text and tokens; the text itself stays as it is until the edits are applied. A splice that covers earlier
 * ones takes their place; one inside an earlier one is dropped; crossing one's edge is a bug. Ranges that
 * only touch stay apart; insertions (len 0) at one place keep their order and stand before what replaces the
 * bytes there. Cheap when done from front to back. */
void sl_record_splice(sl_batch *batch, sl_record *rec, uint32_t off, uint32_t len, sl_span with);
/* Takes member or element `value` (tape position) out, with its key and one comma. */
void sl_record_remove_token(sl_batch *batch, sl_record *rec, const sl_token *tok, uint32_t value);
/* Applies pending splices now. sl_record_tokens() does it by itself. 0 or SL_E_NOMEM. */
int sl_record_flush(sl_batch *batch, sl_record *rec);

/* ---- field paths ---- */

/* `user.email`, `headers["x-api-key"]`, `tags[0]`, `["@timestamp"]`, `@timestamp`. A plain name is letters,
 * digits, `_ - @ $ /` and anything beyond ASCII; every other name is quoted in brackets, with JSON's escapes.
 * Compiled once, immutable, any thread. */
typedef struct sl_path sl_path;
#define SL_PATH_MAX_STEPS 32
sl_path *sl_path_parse(sl_span text,
                       sl_err *err); /* SL_E_SYNTAX; err's text tells the column within `text` (from 1) */
void sl_path_free(sl_path *path);
sl_span sl_path_text(const sl_path *path);
/* The steps of a path, for those who match it themselves. A step is a key (decoded), or, with ptr NULL, an
 * array index. */
uint32_t sl_path_length(const sl_path *path);
sl_span sl_path_step(const sl_path *path, uint32_t i, uint32_t *index); /* i < sl_path_length() */
/* Whether the two are the same field, or one is inside the other. */
bool sl_path_overlaps(const sl_path *a, const sl_path *b);
/* Tape position of the value, or 0 when the record has none (0 is the record itself). With duplicate keys the
 * last one wins, as in most parsers. Keys are compared decoded. */
uint32_t sl_path_find(const sl_path *path, sl_span text, const sl_token *tok);
/* The same as a value for conditions and templates, which also sees what is joined at encoding: the top-level
 * names
 * "@timestamp", "offset" and the common fields. False when there is none, or memory is out. What has to be
 * made (a string with escapes, a joined time) is made in *scratch, in place of what was there. */
typedef struct sl_value {
    sl_json_type type;
    sl_span text; /* string: decoded; number and literals: as spelled; object and array: their JSON */
} sl_value;
bool sl_record_get(sl_batch *batch, sl_record *rec, const sl_path *path, sl_buf *scratch, sl_value *out);
/* A value as one of another type. An int is cut towards zero; digits are kept as they are spelled wherever
 * JSON lets them, at any length. Space around, a `+` and zeros in front are no obstacle; bool takes true,
 * yes, on, 1, y, t and their opposites, in any case. */
typedef enum sl_convert {
    SL_CONVERT_STRING,
    SL_CONVERT_INT,
    SL_CONVERT_FLOAT,
    SL_CONVERT_BOOL,
} sl_convert;
#define SL_CONVERT_NAMES "string, int, float or bool"
#define SL_CONVERT_ROOM  8 /* bytes that an int, float or bool has more than its text, at most */
bool sl_convert_find(sl_span name, sl_convert *type); /* false: no such type */
/* Appends its JSON. False: it can't be, and nothing is appended. */
bool sl_value_convert(const sl_value *value, sl_convert type, sl_buf *json);
/* Sets the field to a JSON value (valid JSON text in UTF-8 without newlines; copied), creating the objects on
 * the way that are missing; a new member stands last. Earlier tokens and offsets of this record are void
 * after it. 0, SL_E_NOT_FOUND when a step of the path is there but is no object (or the array has no such
 * element), SL_E_LIMIT (nested deeper than SL_JSON_MAX_DEPTH), SL_E_NOMEM. A joined name becomes the record's
 * own. */
int sl_record_set(sl_batch *batch, sl_record *rec, const sl_path *path, sl_span json);
bool sl_record_remove(sl_batch *batch, sl_record *rec,
                      const sl_path *path); /* true when it was there (all duplicates go) */

/* sl_record_parse_json() for JSON inside a field: the text at `path` is replaced by the object that it
 * spells. False, and the record is unchanged: there is no text at path (*result is untouched then), or it is
 * no object. */
bool sl_record_parse_json_at(sl_batch *batch, sl_record *rec, const sl_path *path, sl_parse_result *result);

/* ---- sealed batches ---- */

/* The record's id: XXH3-128 of (source id, origin), or its own (SL_RECORD_ID). The same record has the same
 * id whenever and however often it is read. rec stands in batch->recs. */
sl_id sl_record_id(const sl_batch *batch, const sl_record *rec);
/* Appends the record as the outputs send it: `{`, "@timestamp" (if TIME), common fields (if COMMON), "offset"
 * (if OFFSET), then its own fields, `}`. No newline. */
void sl_record_write(const sl_batch *batch, const sl_record *rec, sl_buf *out);
/* An upper bound of what sl_record_write() appends for one record besides its own text. */
size_t sl_batch_join_max(const sl_batch *batch);
/* Reading fields of sealed records (templates, `when`): the caller brings its own tape, cleared by the call.
 */
bool sl_record_get_sealed(const sl_batch *batch, const sl_record *rec, sl_tape *tape, const sl_path *path,
                          sl_buf *scratch, sl_value *out);

/* ---- conditions and templates ---- */

/* A condition: comparisons `field operator value`, exists(field), true, false, joined by `and`, `or`, `not`
 * and brackets (`not` binds closest, then `and`). The value stands on the right and is a constant: a text in
 * "…" or '…' with JSON's escapes, a number, true, false, null.
 *
 * - `==` `!=`: any value. Numbers by value (1 is 1.0), texts byte by byte. Integers are exact at any length,
 *   and those of 64 bits also beside doubles; all else is doubles. `!= null` holds for what is there and not
 *   null.
 * - `<` `<=` `>` `>=`: numbers, or texts byte by byte.
 * - `in ["a", 1, null]`: equal to one of them.
 * - `~ "regex"`: PCRE2, anywhere in a text; no escape but \" is read here, the others are the regex's own.
 * A match that hits the limit of steps does not hold.
 * - `contains` `startswith` `endswith`: a part of a text.
 * - `exists(field)`: it is there, also when null.
 *
 * Compiled once: a comparison that could never hold (`a contains 5`, `a < true`, `a in []`) is an error then.
 * Immutable after parse; evaluation may run on any thread, each with its own sl_reader. */
typedef struct sl_condition sl_condition;
sl_condition *
sl_condition_parse(sl_span text,
                   sl_err *err); /* NULL: err tells the column within `text` (from 1) and what is wrong */
void sl_condition_free(sl_condition *cond);

/* `logs.{{ service }}-%Y.%m.%d`: text with strftime's %Y %m %d %H %M %S %j %y %e (UTC, from the record's
 * time), %L (milliseconds), %% and {{ path }}, or {{ path | "default" }}, from the record: a text, a number
 * as spelled, true or false. */
typedef struct sl_template sl_template;
sl_template *sl_template_parse(sl_span text, sl_err *err);
void sl_template_free(sl_template *tpl);
bool sl_template_is_constant(const sl_template *tpl); /* neither time nor fields */
bool sl_template_has_fields(const sl_template *tpl);
sl_span sl_template_text(const sl_template *tpl);
/* The text is the same for all records with the same time_ns / granule (rounded down): ns, a day at most. 0: it
 * differs from record to record, having fields. */
int64_t sl_template_granule(const sl_template *tpl);

/* A place from which conditions and templates read one record at a time, open or sealed. Holds the scratch
 * memory, belongs to one thread. */
typedef struct sl_reader {
    sl_batch *batch;
    sl_record *rec;
    const sl_token *tok; /* NULL until first needed */
    uint32_t count;
    sl_tape tape; /* sealed records only */
    sl_arena scratch;
} sl_reader;
/* Cheap; the index is made at first need. Set it again after an edit of the record. A raw line stays one and
 * reads as the object it would become. For sealed batches drop their const. */
void sl_reader_set(sl_reader *reader, sl_batch *batch, sl_record *rec);
void sl_reader_release(sl_reader *reader);
/* Value of a path; strings decoded into the scratch, valid until the next sl_reader_set(). False: no such
 * field, or memory is out. */
bool sl_reader_get(sl_reader *reader, const sl_path *path, sl_value *out);
/* A missing field makes every comparison false (so `not (a == 1)` is true when there is no a), as does a
 * value of another type. */
bool sl_condition_eval(const sl_condition *cond, sl_reader *reader);
/* Appends the text. Returns 0, or SL_E_NOT_FOUND when a field without default is missing, null, an object or
 * an array (nothing is appended then). */
int sl_template_write(const sl_template *tpl, sl_reader *reader, sl_buf *out);

/* ---- time ---- */

/* Recognises by itself: ISO 8601 / RFC 3339 dates with time (`T` or one space between, seconds optional, a
 * fraction after `.` or `,`, cut behind the ns, then `Z`, ±hh:mm, ±hhmm, ±hh, each with a `[zone]` behind it
 * if need be, the same or UTC or GMT behind one space, or no zone), the same in the basic form
 * (20240501T123456Z), and dates alone (their first moment); and epoch numbers, told apart by the digits
 * before the decimal point: 9 or 10 are s, 12 or 13 ms, 15 or 16 us, 18 or 19 ns, with a fraction (cut behind
 * the ns) and an exponent if need be. Shorter numbers are no times. A text without zone is read in `zone`
 * (NULL: UTC): a time that the clock showed twice is the first of the two, one that it skipped is read with
 * the offset before the change. Second 60 is the last ns of its minute. Returns true and *ns, or false: not
 * recognised, no such day or hour, or out of range (1677-09-21 to 2262-04-11). Text must be the decoded
 * string or the number's spelling. */
typedef struct sl_timezone sl_timezone;
bool sl_time_parse(sl_span text, const sl_timezone *zone, int64_t *ns);
/* The same by a strptime format: POSIX's directives in the C locale, and %L (1 to 3 digits of a second's
 * fraction), %f (1 to 9), %z (as above), %Z (UTC, GMT or Z), %s (seconds since the epoch), %k %l (hours
 * behind a space). White space in the format is any white space in the text, or none. The format must give a
 * day; one without year takes the year that brings the time nearest to `now_ns`. The whole text must match.
 */
typedef struct sl_time_format sl_time_format;
sl_time_format *sl_time_format_parse(sl_span format, sl_err *err);
void sl_time_format_free(sl_time_format *format);
bool sl_time_parse_format(const sl_time_format *format, sl_span text, const sl_timezone *zone, int64_t now_ns,
                          int64_t *ns);
/* "UTC", "local" ($TZ if it names a zone, else /etc/localtime, else UTC), "+02:00", or an IANA name
 * ("Europe/Berlin", read from the system's zoneinfo). */
sl_timezone *sl_timezone_parse(sl_span name, sl_err *err);
void sl_timezone_free(sl_timezone *zone);

#endif

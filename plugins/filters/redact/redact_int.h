/* redact_int.h: what the files of the redact filter share.
 *
 * The way of a record through it:
 *
 *   redact_walk.c    goes over the tokens: looks keys up, looks into strings and numbers
 *   redact_keys.c    tells whether a rule names a key
 *   redact_marks.c   marks, in one pass, the few bytes at which a secret could show; the rest is free
 *   detect.c         asks at each mark the detectors (detect_*.c) that know such a byte
 *   redact_string.c  one string: JSON in it (redact_nested.c), hits, the edits they make
 *   redact_action.c  what stands in the place of a secret
 *
 * Nothing of this knows batches or the agent: redact.c alone does. All of it judges decoded text.
 *
 * Words: plain text is a string's decoded content. A hit is a range of plain text that holds a secret. An
 * edit is a range of some text and what it reads instead.
 */
#ifndef SL_REDACT_INT_H
#define SL_REDACT_INT_H

#include <sluice/json.h>
#include <sluice/option.h>
#include <sluice/record.h>

#define REDACT_MAX_NESTED 8    /* JSON in a string in JSON in a string …; deeper is replaced as a whole */
#define REDACT_MAX_SLICES 16   /* attempts at JSON inside one string */
#define REDACT_MAX_KEY    1024 /* bytes of a key (decoded) that is compared with the rules */
#define REDACT_MAX_NAME   128  /* bytes of a name in a rule */
#define REDACT_MAX_ROUNDS 4    /* a string is looked at again until nothing changes, at most so often */

/* ---- configuration ----------------------------------------------------------------------------- */

/* name in the configuration, help of its action */
#define REDACT_DETECTORS(X)                                                                                  \
    X(EMAIL, email, "e-mail addresses")                                                                      \
    X(CARD, card, "payment card numbers")                                                                    \
    X(JWT, jwt, "JSON web tokens")                                                                           \
    X(BEARER, bearer, "bearer credentials")                                                                  \
    X(BASIC, basic, "basic credentials")                                                                     \
    X(AWS_KEY, aws_key, "AWS access keys")                                                                   \
    X(PRIVATE_KEY, private_key, "private key blocks")                                                        \
    X(IBAN, iban, "IBANs")                                                                                   \
    X(IPV4, ipv4, "IPv4 addresses")                                                                          \
    X(IPV6, ipv6, "IPv6 addresses")                                                                          \
    X(PHONE, phone, "phone numbers")                                                                         \
    X(SSN, ssn, "US social security numbers")                                                                \
    X(URL_CREDENTIALS, url_credentials, "credentials in URLs")                                               \
    X(KEY_VALUE, key_value, "`name=value`, `--name value` and `<name>value</name>` secrets in text")

enum {
#define REDACT_ENUM(upper, lower, help) REDACT_##upper,
    REDACT_DETECTORS(REDACT_ENUM)
#undef REDACT_ENUM
        REDACT_DETECTOR_COUNT,
    REDACT_NESTED = REDACT_DETECTOR_COUNT, /* JSON in strings beyond REDACT_MAX_NESTED */
    REDACT_FIRST_CUSTOM,                   /* rules from here on: patterns, then keys */
};
#define REDACT_BIT(detector) (UINT32_C(1) << REDACT_##detector)
/* What `default` means in `detect`. */
#define REDACT_DEFAULT_DETECT                                                                                \
    (REDACT_BIT(EMAIL) | REDACT_BIT(CARD) | REDACT_BIT(JWT) | REDACT_BIT(BEARER) | REDACT_BIT(BASIC) |       \
     REDACT_BIT(AWS_KEY) | REDACT_BIT(PRIVATE_KEY) | REDACT_BIT(URL_CREDENTIALS) | REDACT_BIT(KEY_VALUE))

typedef enum redact_verb { REDACT_REPLACE, REDACT_MASK, REDACT_REMOVE, REDACT_HASH } redact_verb;

/* An action as it is written; what is not set comes from the filter's own. */
typedef struct redact_action_conf {
    sl_span with;
    int64_t mask;
    int verb;
    bool verb_set, with_set, mask_set;
} redact_action_conf;

typedef struct redact_key_conf {
    sl_span match;
    redact_action_conf action;
} redact_key_conf;

typedef struct redact_pattern_conf {
    sl_span name;
    sl_regex *regex;
    redact_action_conf action;
} redact_pattern_conf;

typedef struct redact_hash_conf {
    sl_span key;
    int64_t length;
    int encoding;
} redact_hash_conf;

enum { REDACT_HEX, REDACT_BASE64URL };

typedef struct redact_conf {
    sl_list keys;     /* of redact_key_conf */
    sl_list except;   /* of sl_span */
    sl_list detect;   /* of int: position in redact_detect_names */
    sl_list patterns; /* of redact_pattern_conf */
    redact_action_conf action;
    redact_action_conf actions[REDACT_DETECTOR_COUNT];
    redact_hash_conf hash;
    struct redact_rules *rules; /* made by check() */
} redact_conf;

/* Values of `detect`: none, default, all, then the detectors in order. */
enum { REDACT_DETECT_NONE, REDACT_DETECT_DEFAULT, REDACT_DETECT_ALL, REDACT_DETECT_FIRST };

/* ---- rules ------------------------------------------------------------------------------------- */

typedef struct redact_action {
    redact_verb verb;
    uint32_t keep; /* MASK: characters left readable at the end */
    sl_span with;  /* REPLACE, and what can't be masked */
} redact_action;

typedef struct redact_rule {
    char *label; /* how metrics call it */
    redact_action action;
} redact_rule;

/* What is known of a key: the number of the rule that names it, or one of these. */
enum { REDACT_NO_RULE = -1, REDACT_EXCEPTED = -2 };

typedef struct redact_keys redact_keys;

/* A field path and its rule, or REDACT_EXCEPTED. */
typedef struct redact_path {
    sl_path *path;
    redact_keys
        *wild[SL_PATH_MAX_STEPS]; /* of each step with a wildcard: the keys that it takes; else NULL */
    int32_t rule;
} redact_path;

typedef struct redact_pattern {
    const sl_regex *regex; /* the configuration's */
    uint32_t rule;
} redact_pattern;

/* What a configuration means. Immutable, shared by all instances. */
typedef struct redact_rules {
    redact_rule *rule;
    uint32_t count;
    uint32_t detect;   /* bits REDACT_BIT(…) */
    redact_keys *keys; /* names of fields */
    redact_keys *text; /* names before `=` or `:` in text, and of fields of JSON in text */
    redact_path *paths;
    uint32_t path_count;
    redact_pattern *patterns;
    uint32_t pattern_count;
    bool hashes; /* some rule's action is HASH */
    sl_span hash_key;
    int hash_encoding;
    uint32_t hash_length;
} redact_rules;

/* SL_E_CONFIG, or SL_E_SYNTAX for a bad path; err names the option. */
redact_rules *redact_rules_new(const redact_conf *conf, sl_err *err);
void redact_rules_free(redact_rules *rules);

extern const char *const redact_detect_names[]; /* values of `detect`, NULL-terminated */

/* ---- keys -------------------------------------------------------------------------------------- */

/* Names are compared without case, `-`, `_` and space: apiKey, API-KEY, api_key are one. In a name with `*`
 * (any run of characters) or `?` (one character), a `-` or `_` beside the wildcard stands for the edge of a
 * word: `x-*` takes X-Trace and xTrace, not xml. */
redact_keys *redact_keys_new(void);
/* rule: what redact_keys_find() answers. REDACT_EXCEPTED goes before all rules, a name before a glob, the
 * first of equals before the others. */
void redact_keys_add(redact_keys *keys, sl_span name, int32_t rule);
void redact_keys_free(redact_keys *keys);
/* key: decoded. Longer keys than REDACT_MAX_KEY have no rule. */
int32_t redact_keys_find(const redact_keys *keys, sl_span key);
/* Whether a name could begin and end like this key: false for most keys, and cheap. */
bool redact_keys_may_hold(const redact_keys *keys, sl_span key);
/* Whether two decoded names are the same to the rules. */
bool redact_names_equal(sl_span a, sl_span b);

/* ---- marks ------------------------------------------------------------------------------------- */

/* Sets bit i % 64 of marks[i / 64] where byte i of text completes what a detector looks for first; marks has
 * redact_marks_size(len) words. Returns false when no bit was set. See redact_marks.c for the table. */
bool redact_marks(const char *text, size_t len, uint32_t detect, uint64_t *marks);
static inline size_t redact_marks_size(size_t len)
{
    return len / 64 + 1;
}
/* Tests: the ways to find them; NULL when this processor lacks it. */
typedef void (*redact_marker)(const char *text, size_t len, uint32_t detect, uint64_t *marks);
redact_marker redact_marker_named(const char *name);
/* Whether a run of digits and gaps that has its 13th byte at `at` ends there and holds fewer than 13 digits.
 */
bool redact_marks__is_short_run(const char *text, size_t len, size_t at);
void redact_marks__portable(const char *text, size_t len, uint32_t detect, uint64_t *marks);
void redact_marks__avx2(const char *text, size_t len, uint32_t detect, uint64_t *marks);
void redact_marks__avx512(const char *text, size_t len, uint32_t detect, uint64_t *marks);
void redact_marks__neon(const char *text, size_t len, uint32_t detect, uint64_t *marks);

/* ---- detectors --------------------------------------------------------------------------------- */

/* Each looks at a mark, `at`, and tells whether a secret is there: bytes [*start, *end) of text. The mark may
 * have been set for another detector. Pure functions; their cost is bounded for each mark, or is paid for by
 * the length of the hit. */
typedef bool (*redact_detector)(sl_span text, size_t at, size_t *start, size_t *end);

bool detect_email(sl_span text, size_t at, size_t *start, size_t *end);
bool detect_card(sl_span text, size_t at, size_t *start, size_t *end);
/* A number of JSON that is a card's, however it is spelled: with a fraction of zeros, with an exponent. A
 * byte that is no part of it must follow. */
bool detect_card_number(sl_span number);
bool detect_jwt(sl_span text, size_t at, size_t *start, size_t *end);
bool detect_bearer(sl_span text, size_t at, size_t *start, size_t *end);
bool detect_basic(sl_span text, size_t at, size_t *start, size_t *end);
bool detect_aws_key(sl_span text, size_t at, size_t *start, size_t *end);
/* A field that is called like a secret access key and holds what looks like one. */
bool detect_aws_secret_value(sl_span key, sl_span value);
bool detect_private_key(sl_span text, size_t at, size_t *start, size_t *end);
bool detect_iban(sl_span text, size_t at, size_t *start, size_t *end);
bool detect_ipv4(sl_span text, size_t at, size_t *start, size_t *end);
bool detect_ipv6(sl_span text, size_t at, size_t *start, size_t *end);
bool detect_phone(sl_span text, size_t at, size_t *start, size_t *end);
bool detect_ssn(sl_span text, size_t at, size_t *start, size_t *end);
bool detect_url_credentials(sl_span text, size_t at, size_t *start, size_t *end);
/* The value behind the `=` or `:` at `at`, or behind the last byte of `%3D` or `%3A`, when the name before it
 * is one of a secret. A value that begins before `after` is not looked at. */
typedef struct redact_named {
    int32_t rule; /* of the name */
    size_t start, end;
} redact_named;
bool detect_key_value(const redact_rules *rules, sl_span text, size_t at, size_t after, redact_named *found);
/* The same for `--name value` on a command line, also one that is a list: `"--name","value"`. at: the second
 * dash. */
bool detect_option(const redact_rules *rules, sl_span text, size_t at, size_t after, redact_named *found);
/* The same for an element of XML or HTML, `<name>value</name>`. at: the slash of its closing tag. */
bool detect_element(const redact_rules *rules, sl_span text, size_t at, size_t after, redact_named *found);
/* The rule of an option as it stands alone, `--name`. */
int32_t redact_option_rule(const redact_rules *rules, sl_span option);

/* ---- characters, for detectors --------------------------------------------------------------- */

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}
static inline bool is_alnum(char c)
{
    return is_digit(c) || is_letter(c);
}
static inline bool is_hex(char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}
static inline bool is_base64(char c)
{
    return is_alnum(c) || c == '+' || c == '/' || c == '-' || c == '_';
}
/* text[at], or 0 when there is no such byte: `at` may be one before the first (SIZE_MAX) or beyond the last.
 */
static inline char char_at(sl_span text, size_t at)
{
    return at < text.len ? text.ptr[at] : '\0';
}
/* Whether a letter or digit stands before `at` that makes what begins there the end of a longer word. That of
 * an escape does not: `%20`, or `\n` in text that was escaped once more. */
static inline bool is_in_word(sl_span text, size_t at)
{
    if (!is_alnum(char_at(text, at - 1))) return false;
    if (char_at(text, at - 2) == '\\' && strchr("bfnrt", text.ptr[at - 1])) return false;
    return !(char_at(text, at - 3) == '%' && is_hex(text.ptr[at - 2]) && is_hex(text.ptr[at - 1]));
}
/* Whether text has `word` (lower case) at `at`, in any case. */
bool has_word_at(sl_span text, size_t at, const char *word);

/* ---- hits and edits ---------------------------------------------------------------------------- */

typedef struct redact_hit {
    uint32_t start, end, rule;
} redact_hit;

typedef struct redact_hits {
    redact_hit *items;
    uint32_t count, cap;
} redact_hits;

/* Bytes [off, off + len) read `with` instead; it lives in the instance's arena or in the rules. */
typedef struct redact_edit {
    uint32_t off, len;
    sl_span with;
    bool removal; /* by the action `remove` */
} redact_edit;

typedef struct redact_edits {
    redact_edit *items;
    uint32_t count, cap;
} redact_edits;

/* Appends text with the edits made. SL_E_NOMEM. */
int redact_edits_apply(const redact_edits *edits, sl_span text, sl_buf *out);

/* ---- an instance ------------------------------------------------------------------------------- */

/* A decision of late: a key of 32 bytes or less is its four words. */
typedef struct redact_cached_key {
    uint64_t word[4];
    uint32_t len; /* 0: empty */
    int32_t rule;
} redact_cached_key;
#define REDACT_CACHED_KEYS 512

typedef struct redact_bits {
    uint64_t *words;
    size_t cap;
} redact_bits;

/* What one depth of nesting needs while it is worked on: a JSON text, and the string in it that is looked at.
 */
typedef struct redact_level {
    sl_tape tape;                     /* of JSON found in a string */
    redact_bits marks;                /* of the JSON text */
    redact_edits edits;               /* of the JSON text */
    sl_buf plain;                     /* the present string, decoded */
    redact_bits in_plain;             /* its marks */
    redact_hits hits;                 /* in it */
    redact_edits inner;               /* of JSON in it */
    redact_edits changes;             /* of it, all */
    redact_edits first;               /* those of its first round */
    bool kept[SL_JSON_MAX_DEPTH + 2]; /* some member of the container at this depth stays */
} redact_level;

/* Belongs to one thread. */
typedef struct redact {
    const redact_rules *rules;
    uint64_t *counts; /* of each rule: what it changed */
    sl_arena arena;   /* texts of edits; cleared by each redact_text() */
    struct evp_mac_ctx_st *hmac;
    bool failed; /* memory was out */
    redact_cached_key cache[REDACT_CACHED_KEYS];
    redact_level *levels[REDACT_MAX_NESTED + 1]; /* made at first use */
    redact_hits named; /* values that paths name: start is the tape position, rule an int32_t; sorted */
    sl_buf scratch;
    sl_buf rounds[2]; /* a string's text from round to round */
} redact;

redact *redact_new(const redact_rules *rules, sl_err *err);
void redact_free(redact *r);

/* What must change in a JSON text, an object or array, whose tokens are given: sorted, disjoint edits, valid
 * until the next call. NULL when memory is out: then the text must not pass. */
const redact_edits *redact_text(redact *r, sl_span text, const sl_token *tok, uint32_t count);

/* ---- inside the core; all set r->failed when memory is out --------------------------------------- */

redact_level *redact__level(redact *r, unsigned depth);
/* Room for the marks of a text, and the marks. Returns false when there are none. */
bool redact__mark(redact *r, sl_span text, redact_bits *bits);
void redact__add_hit(redact *r, redact_hits *hits, size_t start, size_t end, uint32_t rule);
void redact__add_edit(redact *r, redact_edits *edits, redact_edit edit);
/* Decodes the spelling of a string into buf. */
sl_span redact__decode(redact *r, sl_span spelling, sl_buf *buf);

/* The edits of one JSON text at a depth of nesting, in its level's `edits`. */
void redact__walk(redact *r, unsigned depth, sl_span text, const sl_token *tok, uint32_t count);
/* The edits of one plain text, in the level's `changes`. Bit `base` of marks is its first byte. nested: look
 * for JSON in it. At depth 0 they are such that the text, once edited, would not be edited again. */
void redact__string(redact *r, unsigned depth, sl_span plain, const uint64_t *marks, size_t base,
                    bool nested);

/* Ranges of a string that are JSON. */
typedef struct redact_slices {
    struct {
        uint32_t start, end;
    } at[REDACT_MAX_SLICES];
    uint32_t count;
} redact_slices;
/* Edits of JSON that is written in the text, into the level's `inner`. */
void redact__nested(redact *r, unsigned depth, sl_span plain, redact_slices *slices);
/* All hits in the text, sorted, those that overlap joined, in the level's `hits`. */
void redact__detect(redact *r, unsigned depth, sl_span plain, const uint64_t *marks, size_t base);
void redact__join_hits(redact_hits *hits);
/* Values that paths name, into r->named. */
void redact__find_named(redact *r, sl_span text, const sl_token *tok);
/* The rule of a key at text[off, off + len), its token's flags given. */
int32_t redact__key_rule(redact *r, const redact_keys *keys, sl_span text, const sl_token *tok);

/* What stands for `secret`, as plain text. Nothing for REMOVE. */
sl_span redact__stand_in(redact *r, const redact_action *action, sl_span secret);
/* Plain text as the content of a JSON string. */
sl_span redact__escaped(redact *r, sl_span plain);
/* Length of what the action itself puts in the place of secrets, when text begins with it; else 0. */
size_t redact_own_mark(const redact_action *action, sl_span text);
/* Whether text[start] stands inside a `[hmac:…]`. */
bool redact_is_in_hash(sl_span text, size_t start);

#endif

/* regex.c: regular expressions on PCRE2.
 *
 * Patterns and texts are UTF-8: a dot is a character, and no match begins or ends inside one, so that what a
 * match cuts out of a text leaves UTF-8 behind. Bytes that are none match nothing, but what stands around
 * them does. A compiled expression is immutable and shared by all threads; what a match writes to (match
 * data, JIT stack, limits) belongs to the thread, is made at its first match and freed when it ends.
 *
 * Neither pattern nor text is trusted: patterns are bounded in length, matches in steps, heap and JIT stack,
 * so that a pattern with catastrophic backtracking costs a bounded time and is reported as `limited`.
 */
#include "regex_int.h"

#include "utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <sluice/option.h>
#include <stdlib.h>

#define SL_MAX_REGEX         (16u * 1024)   /* bytes of a pattern */
#define SL_REGEX_STEPS       1000000u       /* backtracking steps of one match */
#define SL_REGEX_DEPTH       100000u        /* nested backtracking of one match that runs without JIT */
#define SL_REGEX_HEAP_KIB    (4u * 1024)    /* heap of one match that runs without JIT */
#define SL_REGEX_STACK_FIRST (32u * 1024)   /* JIT stack of a thread: at first, */
#define SL_REGEX_STACK_MAX   (1024u * 1024) /* and at most */

typedef struct named_group {
    sl_span name; /* in the code's own table */
    uint32_t number;
} named_group;

struct sl_regex {
    pcre2_code *code;
    /* With named groups, and where the JIT takes it: the same for texts that are ASCII, without decoding a
     * fifth faster; else NULL. */
    pcre2_code *ascii;
    sl_span text;
    bool jit;           /* of code */
    uint32_t numbered;  /* groups of any kind */
    uint32_t count;     /* of the named ones */
    named_group *named; /* in the order of their numbers, which is that of the pattern */
};

typedef struct matcher {
    pcre2_match_data *whole;  /* one pair: where the whole match starts and ends */
    pcre2_match_data *groups; /* and SL_REGEX_MAX_GROUPS pairs more */
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
} matcher;

static pthread_once_t matcher_once = PTHREAD_ONCE_INIT;
static pthread_key_t matcher_key;

static void free_matcher(void *arg)
{
    matcher *m = arg;
    pcre2_match_data_free(m->whole);
    pcre2_match_data_free(m->groups);
    pcre2_match_context_free(m->context);
    pcre2_jit_stack_free(m->stack);
    sl_free(m);
}

static void make_key(void)
{
    if (pthread_key_create(&matcher_key, free_matcher) != 0)
        sl_bug("no thread key left for regular expressions");
}

/* This thread's matcher; made at the first call. Its parts are small and fixed in size, so failure ends the
 * process. */
static matcher *get_matcher(void)
{
    pthread_once(&matcher_once, make_key);
    matcher *m = pthread_getspecific(matcher_key);
    if (SL_LIKELY(m != NULL)) return m;

    m = sl_calloc(1, sizeof(*m));
    m->whole = pcre2_match_data_create(1, NULL);
    m->groups = pcre2_match_data_create(1 + SL_REGEX_MAX_GROUPS, NULL);
    m->context = pcre2_match_context_create(NULL);
    if (!m->whole || !m->groups || !m->context)
        sl_bug("out of memory for the match data of regular expressions");
    /* Without JIT in this build of PCRE2 there is no stack, and none is needed. */
    m->stack = pcre2_jit_stack_create(SL_REGEX_STACK_FIRST, SL_REGEX_STACK_MAX, NULL);
    if (m->stack) pcre2_jit_stack_assign(m->context, NULL, m->stack);
    pcre2_set_match_limit(m->context, SL_REGEX_STEPS);
    pcre2_set_depth_limit(m->context, SL_REGEX_DEPTH);
    pcre2_set_heap_limit(m->context, SL_REGEX_HEAP_KIB);
    if (pthread_setspecific(matcher_key, m) != 0)
        sl_bug("out of memory for the match data of regular expressions");
    return m;
}

static int fail_compile(int code, size_t at, sl_err *err)
{
    PCRE2_UCHAR why[160];
    if (pcre2_get_error_message(code, why, sizeof(why)) < 0) why[0] = '\0';
    return sl_err_set(err, SL_E_SYNTAX, "column %zu: %s", at + 1, (char *)why);
}

static int by_number(const void *a, const void *b)
{
    uint32_t left = ((const named_group *)a)->number, right = ((const named_group *)b)->number;
    return left < right ? -1 : left > right;
}

/* PCRE2's table of names: entries of `size` bytes, each the group's number in two and its name with a NUL. */
static void read_names(sl_regex *regex)
{
    uint32_t size = 0;
    const unsigned char *entry = NULL;
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &regex->numbered);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &regex->count);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &entry);
    if (regex->count == 0) return;
    regex->named = sl_calloc(regex->count, sizeof(*regex->named));
    for (uint32_t i = 0; i < regex->count; i++, entry += size)
        regex->named[i] = (named_group){sl_span_of((const char *)entry + 2), entry[0] * 256u + entry[1]};
    qsort(regex->named, regex->count, sizeof(*regex->named), by_number);
}

#define FOR_UTF8  (PCRE2_UTF | PCRE2_MATCH_INVALID_UTF)
#define FOR_ASCII PCRE2_NEVER_UTF

static pcre2_code *compile(sl_span pattern, uint32_t how, int *code, size_t *at)
{
    /* \C would match half a character; with UCP \w and \b cost several times as much. */
    how |= PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP;
    return pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, how, code, at, NULL);
}

static bool is_ascii(sl_span text)
{
    return sl_utf8_ascii_prefix(text.ptr, text.len) == text.len;
}

/* A character beyond ASCII would be several bytes here, of which one alone might be optional. */
static void compile_ascii(sl_regex *regex)
{
    int code;
    PCRE2_SIZE at;
    if (!regex->jit || regex->count == 0 || !is_ascii(regex->text)) return;
    regex->ascii = compile(regex->text, FOR_ASCII, &code, &at); /* \x{100} and (*UTF) are refused */
    if (!regex->ascii || pcre2_jit_compile(regex->ascii, PCRE2_JIT_COMPLETE) == 0) return;
    pcre2_code_free(regex->ascii);
    regex->ascii = NULL;
}

/* The same pattern in the spelling that the JIT gets right. False: it can't be had. */
static bool respell(sl_regex *regex)
{
    sl_buf spelled = SL_BUF_NONE;
    int code;
    PCRE2_SIZE at;
    sl_negations found = sl_regex__spell_negations(regex->text, &spelled);
    pcre2_code *same =
        found == SL_NEGATIONS_SPELLED ? compile(sl_buf_span(&spelled), FOR_UTF8, &code, &at) : NULL;
    sl_buf_release(&spelled);
    if (!same) return found == SL_NEGATIONS_NONE;
    pcre2_code_free(regex->code);
    regex->code = same;
    return true;
}

sl_regex *sl_regex_parse(sl_span pattern, sl_err *err)
{
    if (pattern.len > SL_MAX_REGEX) {
        sl_err_set(err, SL_E_SYNTAX,
                   "column %u: a regular expression may have at most %u bytes, this one has %zu",
                   SL_MAX_REGEX + 1, SL_MAX_REGEX, pattern.len);
        return NULL;
    }
    int code = 0;
    PCRE2_SIZE at = 0;
    if (!pattern.ptr) pattern = SL_SPAN("");
    pcre2_code *compiled = compile(pattern, FOR_UTF8, &code, &at);
    if (!compiled) {
        fail_compile(code, at, err);
        return NULL;
    }
    sl_regex *regex = sl_calloc(1, sizeof(*regex));
    regex->code = compiled;
    regex->text = (sl_span){sl_strndup(pattern.ptr, pattern.len), pattern.len};
    /* Patterns that the JIT can't take run on the interpreter, with the same results. */
    regex->jit = respell(regex) && pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0;
    read_names(regex);
    compile_ascii(regex);
    return regex;
}

void sl_regex_free(sl_regex *regex)
{
    if (!regex) return;
    pcre2_code_free(regex->code);
    pcre2_code_free(regex->ascii);
    sl_free((char *)regex->text.ptr);
    sl_free(regex->named);
    sl_free(regex);
}

sl_span sl_regex_text(const sl_regex *regex)
{
    return regex->text;
}

/* ---- matching ---- */

/* Returns the ranges, `*pairs` of them; NULL: no match. */
static const PCRE2_SIZE *match(const pcre2_code *code, bool jit, sl_span text, size_t from,
                               pcre2_match_data *data, pcre2_match_context *context, int *pairs,
                               bool *limited)
{
    PCRE2_SPTR bytes = (PCRE2_SPTR)(text.len ? text.ptr : "");
    int rc = jit ? pcre2_jit_match(code, bytes, text.len, from, 0, data, context)
                 : pcre2_match(code, bytes, text.len, from, 0, data, context);
    *limited = rc < 0 && rc != PCRE2_ERROR_NOMATCH;
    *pairs = rc;
    return rc < 0 ? NULL : pcre2_get_ovector_pointer(data);
}

bool sl_regex_find(const sl_regex *regex, sl_span text, size_t from, size_t *start, size_t *end,
                   bool *limited)
{
    *limited = false;
    while (from < text.len && ((unsigned char)text.ptr[from] & 0xC0) == 0x80)
        from++;
    if (from > text.len) return false;

    const matcher *m = get_matcher();
    int pairs;
    const PCRE2_SIZE *range =
        match(regex->code, regex->jit, text, from, m->whole, m->context, &pairs, limited);
    if (!range || range[0] > range[1]) return false; /* `\K` inside a look-ahead can say so */
    *start = range[0];
    *end = range[1];
    return true;
}

/* ---- named groups ---- */

/* Where the pattern opens its second group of the name: (?<name>, (?P<name> or (?'name'. */
static size_t second_opening(sl_span pattern, sl_span name)
{
    int seen = 0;
    for (size_t at = sl_span_find(pattern, name, 0); at < pattern.len;
         at = sl_span_find(pattern, name, at + 1)) {
        char before = at > 0 ? pattern.ptr[at - 1] : '\0';
        char behind = at + name.len < pattern.len ? pattern.ptr[at + name.len] : '\0';
        bool opens = (before == '<' && behind == '>') || (before == '\'' && behind == '\'');
        if (opens && ++seen == 2) return at;
    }
    return 0;
}

int sl_regex_check_groups(const sl_regex *regex, sl_err *err)
{
    if (regex->numbered > SL_REGEX_MAX_GROUPS)
        return sl_err_set(err, SL_E_LIMIT,
                          "it has %u groups, %d are the most; `(?:…)` groups without being counted",
                          regex->numbered, SL_REGEX_MAX_GROUPS);
    for (uint32_t i = 0; i < regex->count; i++) {
        sl_span name = regex->named[i].name;
        for (uint32_t j = 0; j < i; j++)
            if (sl_span_is(name, regex->named[j].name))
                return sl_err_set(err, SL_E_EXISTS, "column %zu: two groups have the name " SL_SPAN_FMT,
                                  second_opening(regex->text, name) + 1, SL_SPAN_ARG(name));
    }
    return 0;
}

uint32_t sl_regex_groups(const sl_regex *regex)
{
    return regex->count;
}

sl_span sl_regex_group(const sl_regex *regex, uint32_t i)
{
    return regex->named[i].name;
}

/* What a group took; ptr NULL: it took no part. */
static sl_span taken(const char *bytes, const PCRE2_SIZE *range)
{
    if (range[0] == PCRE2_UNSET || range[0] > range[1]) return SL_SPAN_NONE;
    return (sl_span){bytes + range[0], range[1] - range[0]};
}

bool sl_regex_capture(const sl_regex *regex, sl_span text, sl_span *groups, bool *limited)
{
    const matcher *m = get_matcher();
    const char *bytes = text.len ? text.ptr : "";
    bool ascii = regex->ascii && is_ascii(text);
    int pairs;
    const PCRE2_SIZE *range = match(ascii ? regex->ascii : regex->code, ascii || regex->jit, text, 0,
                                    m->groups, m->context, &pairs, limited);
    if (!range) return false;
    for (uint32_t i = 0; i < regex->count; i++) {
        uint32_t number = regex->named[i].number;
        groups[i] = number < (uint32_t)pairs ? taken(bytes, range + 2 * (size_t)number) : SL_SPAN_NONE;
    }
    return true;
}

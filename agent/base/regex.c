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
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <sluice/option.h>

#define SL_MAX_REGEX         (16u * 1024)   /* bytes of a pattern */
#define SL_REGEX_STEPS       1000000u       /* backtracking steps of one match */
#define SL_REGEX_HEAP_KIB    (4u * 1024)    /* heap of one match that runs without JIT */
#define SL_REGEX_STACK_FIRST (32u * 1024)   /* JIT stack of a thread: at first, */
#define SL_REGEX_STACK_MAX   (1024u * 1024) /* and at most */

struct sl_regex {
    pcre2_code *code;
    sl_span text;
    bool jit;
};

typedef struct matcher {
    pcre2_match_data *data; /* one pair: where the whole match starts and ends */
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
} matcher;

static pthread_once_t matcher_once = PTHREAD_ONCE_INIT;
static pthread_key_t matcher_key;

static void free_matcher(void *arg)
{
    matcher *m = arg;
    pcre2_match_data_free(m->data);
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
    m->data = pcre2_match_data_create(1, NULL);
    m->context = pcre2_match_context_create(NULL);
    if (!m->data || !m->context) sl_bug("out of memory for the match data of regular expressions");
    /* Without JIT in this build of PCRE2 there is no stack, and none is needed. */
    m->stack = pcre2_jit_stack_create(SL_REGEX_STACK_FIRST, SL_REGEX_STACK_MAX, NULL);
    if (m->stack) pcre2_jit_stack_assign(m->context, NULL, m->stack);
    pcre2_set_match_limit(m->context, SL_REGEX_STEPS);
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
    PCRE2_SPTR bytes = (PCRE2_SPTR)(pattern.len ? pattern.ptr : "");
    /* \C would match half a character; with UCP \w and \b cost several times as much. */
    const uint32_t how = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP;
    pcre2_code *compiled = pcre2_compile(bytes, pattern.len, how, &code, &at, NULL);
    if (!compiled) {
        fail_compile(code, at, err);
        return NULL;
    }
    sl_regex *regex = sl_calloc(1, sizeof(*regex));
    regex->code = compiled;
    regex->text = (sl_span){sl_strndup((const char *)bytes, pattern.len), pattern.len};
    /* Patterns that the JIT can't take run on the interpreter, with the same results. */
    regex->jit = pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE) == 0;
    return regex;
}

void sl_regex_free(sl_regex *regex)
{
    if (!regex) return;
    pcre2_code_free(regex->code);
    sl_free((char *)regex->text.ptr);
    sl_free(regex);
}

sl_span sl_regex_text(const sl_regex *regex)
{
    return regex->text;
}

bool sl_regex_find(const sl_regex *regex, sl_span text, size_t from, size_t *start, size_t *end,
                   bool *limited)
{
    *limited = false;
    while (from < text.len && ((unsigned char)text.ptr[from] & 0xC0) == 0x80)
        from++;
    if (from > text.len) return false;

    matcher *m = get_matcher();
    PCRE2_SPTR bytes = (PCRE2_SPTR)(text.len ? text.ptr : "");
    int rc = regex->jit ? pcre2_jit_match(regex->code, bytes, text.len, from, 0, m->data, m->context)
                        : pcre2_match(regex->code, bytes, text.len, from, 0, m->data, m->context);
    if (rc < 0) {
        *limited = rc != PCRE2_ERROR_NOMATCH;
        return false;
    }
    const PCRE2_SIZE *range = pcre2_get_ovector_pointer(m->data);
    if (range[0] > range[1]) return false; /* `\K` inside a look-ahead can say so */
    *start = range[0];
    *end = range[1];
    return true;
}

/* base.h: errors, spans, buffers, arenas, memory and clocks.
 *
 * Everything else rests on this header. Nothing here keeps state of a thread or a loop: an object may be used
 * by one thread at a time, and functions without an object may be called from any thread.
 *
 * Memory policy. Two levels, and each call site picks one knowingly:
 *  - sl_alloc() and its kin abort the process when memory is out: for small sizes that the program itself
 *    fixes. There is no failure branch to write, and none to leave untested.
 *  - the `try` variants return NULL or SL_E_NOMEM: for sizes that come from input, configuration or disk.
 * Bound such a size by a named limit before asking.
 */
#ifndef SLUICE_BASE_H
#define SLUICE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The version of everything in agent/include/sluice. A plugin built for another one is refused. */
#define SL_ABI_VERSION 1

#define SL_PRINTF(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))
#define SL_LIKELY(x)               __builtin_expect(!!(x), 1)
#define SL_UNLIKELY(x)             __builtin_expect(!!(x), 0)
#define SL_LEN(array)              (sizeof(array) / sizeof((array)[0]))
#define sl_container_of(ptr, type, member)                                                                   \
    ((type *)(void *)&((char *)(ptr))[-(ptrdiff_t)offsetof(type, member)])

/* ---- errors ---- */

/* Every error code: name, number, general text. Codes are negative and never change their number. */
#define SL_ERR_MAP(X)                                                                                        \
    X(NOMEM, -1, "out of memory")                                                                            \
    X(CONFIG, -2, "configuration error")                                                                     \
    X(SYNTAX, -3, "syntax error")                                                                            \
    X(RANGE, -4, "out of range")                                                                             \
    X(NOT_FOUND, -5, "not found")                                                                            \
    X(EXISTS, -6, "already there")                                                                           \
    X(IO, -7, "input/output error")                                                                          \
    X(FULL, -8, "no space left")                                                                             \
    X(ACCESS, -9, "permission denied")                                                                       \
    X(CORRUPT, -10, "damaged data")                                                                          \
    X(VERSION, -11, "unsupported version")                                                                   \
    X(LOCKED, -12, "in use by another process")                                                              \
    X(TIMEOUT, -13, "timed out")                                                                             \
    X(NETWORK, -14, "network error")                                                                         \
    X(TLS, -15, "TLS error")                                                                                 \
    X(REJECTED, -16, "rejected")                                                                             \
    X(CLOSED, -17, "closed")                                                                                 \
    X(AGAIN, -18, "not ready")                                                                               \
    X(LIMIT, -19, "limit reached")                                                                           \
    X(UNSUPPORTED, -20, "not supported")                                                                     \
    X(INTERRUPTED, -21, "interrupted")                                                                       \
    X(STATE, -22, "state database error")

enum {
#define SL_ERR_ENUM(name, number, text) SL_E_##name = number,
    SL_ERR_MAP(SL_ERR_ENUM)
#undef SL_ERR_ENUM
};

#define SL_ERR_TEXT_MAX 512

/* An error as a value: a code to act on, and one complete sentence for a person: what failed, where, what to
 * do. Never holds a secret. Lives on the caller's stack; `code` is 0 while nothing failed. */
typedef struct sl_err {
    int code;
    int sys; /* the errno behind it, or 0 */
    char text[SL_ERR_TEXT_MAX];
} sl_err;

#define SL_ERR_NONE                                                                                          \
    {                                                                                                        \
        0, 0,                                                                                                \
        {                                                                                                    \
            0                                                                                                \
        }                                                                                                    \
    }

/* Sets *err (may be NULL) and returns code, so that a caller can `return sl_err_set(err, SL_E_IO, "…")`. */
int sl_err_set(sl_err *err, int code, const char *fmt, ...) SL_PRINTF(3, 4);
/* The same for a failed system call: code is chosen from errno value `sys`, ": <strerror>" is appended. */
int sl_err_sys(sl_err *err, int sys, const char *fmt, ...) SL_PRINTF(3, 4);
/* Puts "<prefix>: " before the text of an error that is set. Returns err->code. */
int sl_err_prefix(sl_err *err, const char *fmt, ...) SL_PRINTF(2, 3);
/* True for what may be gone by itself when the same is tried again: a disk that is full or fails, too few
 * descriptors, no memory. Wrong permissions, names and settings stay until a person mends them. */
bool sl_err_may_pass(const sl_err *err);
const char *sl_err_name(int code); /* "SL_E_IO"; static */
const char *sl_err_text(int code); /* "input/output error"; static */

/* A broken invariant of our own: prints "BUG: …" with the place and aborts. Not for anything the outside can
 * cause. */
#define sl_bug(...) sl_bug_at(__FILE__, __LINE__, __VA_ARGS__)
void sl_bug_at(const char *file, int line, const char *fmt, ...) SL_PRINTF(3, 4) __attribute__((noreturn));
#define sl_assert(cond)                                                                                      \
    do {                                                                                                     \
        if (SL_UNLIKELY(!(cond))) sl_bug("%s", #cond);                                                       \
    } while (0)

/* ---- memory ---- */

void *sl_alloc(size_t size);                    /* uninitialised; aborts when memory is out */
void *sl_calloc(size_t count, size_t size);     /* zeroed; aborts, also when the product overflows */
void *sl_realloc(void *ptr, size_t size);       /* aborts */
char *sl_strdup(const char *text);              /* aborts */
char *sl_strndup(const char *text, size_t len); /* aborts; the result is NUL-terminated */
void *sl_try_alloc(size_t size);                /* NULL when memory is out */
void *sl_try_realloc(void *ptr, size_t size);   /* NULL when memory is out; ptr stays valid then */
void sl_free(void *ptr);                        /* NULL is fine */
void sl_out_of_memory(size_t size)
    __attribute__((noreturn)); /* says so and aborts: the end of every allocation that must not fail */
/* For the program's start, before any thread: has the allocator keep what a few batches need instead of
 * giving it back to the system after each, and lets all threads share it. */
void sl_memory_tune(void);
/* Gives the system what is free, wherever in the heaps it lies. To be called now and then: what is in use
 * again soon has to be faulted in anew. Any thread. */
void sl_memory_give_back(void);
/* Lets go of the program's and its libraries' pages of code and constants: what is run again comes back from
 * the page cache, what only the start ran does not. Any thread. */
void sl_memory_forget_code(void);
void sl_wipe(void *ptr, size_t len); /* zeroes secrets; not optimised away */

/* ---- spans ---- */

/* Bytes that somebody else owns. Not NUL-terminated. */
typedef struct sl_span {
    const char *ptr;
    size_t len;
} sl_span;

#define SL_SPAN(literal) ((sl_span){"" literal, sizeof(literal) - 1})
#define SL_SPAN_NONE     ((sl_span){NULL, 0})
#define SL_SPAN_FMT      "%.*s" /* printf("…" SL_SPAN_FMT, SL_SPAN_ARG(span)) */
#define SL_SPAN_ARG(s)   (int)(s).len, (s).ptr

static inline sl_span sl_span_of(const char *cstr)
{
    return (sl_span){cstr, cstr ? strlen(cstr) : 0};
}
static inline bool sl_span_is(sl_span a, sl_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
static inline bool sl_span_is_cstr(sl_span a, const char *b)
{
    return sl_span_is(a, sl_span_of(b));
}
bool sl_span_is_nocase(sl_span a, sl_span b); /* ASCII letters only */
sl_span sl_span_trim(sl_span s);              /* without leading and trailing space, tab, CR, LF */
bool sl_span_starts_with(sl_span s, sl_span prefix);
bool sl_span_ends_with(sl_span s, sl_span suffix);
/* First place of needle in s at or after `from`; s.len when there is none. */
size_t sl_span_find(sl_span s, sl_span needle, size_t from);
/* How many bytes of s to keep so that there are at most max and no UTF-8 character is cut in two. */
size_t sl_span_cut(sl_span s, size_t max);

/* ---- buffers ---- */

/* A growing run of bytes with one owner. Zero-initialised is empty and valid. Appending aborts when memory is
 * out, the try variants return SL_E_NOMEM. */
typedef struct sl_buf {
    char *ptr;
    size_t len;
    size_t cap;
} sl_buf;

#define SL_BUF_NONE                                                                                          \
    {                                                                                                        \
        NULL, 0, 0                                                                                           \
    }

void sl_buf_release(sl_buf *buf); /* frees; the buffer is empty and usable again */
static inline void sl_buf_clear(sl_buf *buf)
{
    buf->len = 0;
} /* keeps the memory */
void sl_buf_grow(sl_buf *buf, size_t extra);       /* slow path of sl_buf_reserve */
int sl_buf_try_reserve(sl_buf *buf, size_t extra); /* 0 or SL_E_NOMEM */
/* Room for `extra` more bytes at ptr + len. */
static inline void sl_buf_reserve(sl_buf *buf, size_t extra)
{
    if (SL_UNLIKELY(buf->cap - buf->len < extra)) sl_buf_grow(buf, extra);
}
static inline void sl_buf_append(sl_buf *buf, const void *ptr, size_t len)
{
    sl_buf_reserve(buf, len);
    if (len) memcpy(buf->ptr + buf->len, ptr, len);
    buf->len += len;
}
static inline void sl_buf_append_span(sl_buf *buf, sl_span s)
{
    sl_buf_append(buf, s.ptr, s.len);
}
static inline void sl_buf_append_char(sl_buf *buf, char c)
{
    sl_buf_reserve(buf, 1);
    buf->ptr[buf->len++] = c;
}
void sl_buf_append_cstr(sl_buf *buf, const char *text);
void sl_buf_append_u64(sl_buf *buf, uint64_t value); /* decimal */
void sl_buf_printf(sl_buf *buf, const char *fmt, ...) SL_PRINTF(2, 3);
const char *sl_buf_cstr(sl_buf *buf); /* NUL-terminated, the NUL not counted; valid until the next change */
static inline sl_span sl_buf_span(const sl_buf *buf)
{
    return (sl_span){buf->ptr, buf->len};
}

/* Base64 with padding (RFC 4648, section 4). */
void sl_buf_append_base64(sl_buf *buf, sl_span bytes);
/* The bytes of base64 or base64url, with or without padding. False: it is none; some may have been appended. */
bool sl_buf_append_unbase64(sl_buf *buf, sl_span text);

/* ---- arenas ---- */

/* Memory that is freed as one. Allocation is a pointer bump; nothing in it is freed singly. */
typedef struct sl_arena {
    struct sl_arena_block *block; /* the newest block */
    size_t used;                  /* bytes handed out of it */
    size_t total;                 /* bytes of all blocks */
    size_t block_size;            /* 0: SL_ARENA_BLOCK */
} sl_arena;

#define SL_ARENA_BLOCK (16u * 1024)
#define SL_ARENA_NONE                                                                                        \
    {                                                                                                        \
        NULL, 0, 0, 0                                                                                        \
    }

void *sl_arena_alloc(sl_arena *arena, size_t size);     /* 16-byte aligned; aborts when memory is out */
void *sl_arena_try_alloc(sl_arena *arena, size_t size); /* NULL when memory is out */
void *sl_arena_zalloc(sl_arena *arena, size_t size);    /* zeroed; aborts */
char *sl_arena_strndup(sl_arena *arena, const char *text, size_t len); /* NUL-terminated; aborts */
sl_span sl_arena_dup(sl_arena *arena, sl_span s);                      /* aborts */
void sl_arena_clear(sl_arena *arena);   /* empties, keeps one block for the next use */
void sl_arena_release(sl_arena *arena); /* frees everything */

/* ---- time ---- */

#define SL_NS_PER_US INT64_C(1000)
#define SL_NS_PER_MS INT64_C(1000000)
#define SL_NS_PER_S  INT64_C(1000000000)

int64_t sl_clock_wall_ns(void); /* ns since 1970-01-01T00:00:00Z */
int64_t sl_clock_mono_ns(void); /* ns of a clock that never jumps */
/* How long to wait before work done is made safe, `interval` at most: half of the time since `began` (as
 * sl_clock_mono_ns()), but 10 ms at least. So a process that is ended soon after each start still gets ahead.
 */
int64_t sl_clock_early(int64_t interval, int64_t began);
/* Tests only: both clocks then stand still and move by sl_clock_advance(). wall_ns < 0 gives the real ones
 * back. */
void sl_clock_fake(int64_t wall_ns);
void sl_clock_advance(int64_t ns);

/* ---- metrics ---- */

/* A number that one thread writes and any thread reads. Owned by the metrics registry, lives until the agent
 * ends. */
typedef struct sl_counter {
    uint64_t value;
} sl_counter;
static inline void sl_counter_set(sl_counter *counter, uint64_t n) /* gauges */
{
    __atomic_store_n(&counter->value, n, __ATOMIC_RELAXED);
}
static inline uint64_t sl_counter_get(const sl_counter *counter)
{
    return __atomic_load_n(&counter->value, __ATOMIC_RELAXED);
}
static inline void sl_counter_add(sl_counter *counter, uint64_t n)
{
    sl_counter_set(counter, sl_counter_get(counter) + n);
}

/* ---- identity ---- */

/* 128 bits that name a source or a record. Compared as bytes. */
typedef struct sl_id {
    uint64_t hi, lo;
} sl_id;

#define SL_ID_TEXT_LEN 32                              /* lower-case hexadecimal digits, hi first */
void sl_id_format(sl_id id, char out[SL_ID_TEXT_LEN]); /* not NUL-terminated */
#define SL_ID_SHORT_LEN 22 /* the 16 bytes in base64url (RFC 4648) without padding */
void sl_id_format_short(sl_id id, char out[SL_ID_SHORT_LEN]); /* not NUL-terminated */
/* What sl_id_format_short() writes, and nothing else. */
bool sl_id_parse_short(sl_span text, sl_id *id);
sl_id sl_id_random(void); /* from the kernel's random source */

#endif

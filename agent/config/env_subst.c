/* env_subst.c: `${…}` in values. Variables and files are untrusted: bounded, no NUL bytes, never part of a
 * message. */
#include "env_subst.h"
#include <errno.h>
#include <sluice/fs.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_NAME 256
#define MAX_PATH 4096

typedef struct work {
    sl_buf out;
    sl_arena *arena;
    sl_subst *result;
    const char **hint;
    sl_err *err;
} work;

/* fmt takes `what` as a string, or nothing. What is given must be the name of a variable or file, never part
 * of a value. */
static int fail(work *w, int code, const char *hint, const char *fmt, sl_span what)
{
    char shown[160];
    snprintf(shown, sizeof shown, "%.*s%s", what.len > 120 ? 120 : (int)what.len, what.ptr ? what.ptr : "",
             what.len > 120 ? "…" : "");
    *w->hint = hint;
    return sl_err_set(w->err, code, fmt, shown);
}

static bool is_variable_name(sl_span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) return false;
    }
    return name.len > 0 && name.len <= MAX_NAME;
}

static int append(work *w, sl_span value)
{
    if (w->out.len + value.len > SL_MAX_SUBST_VALUE) {
        *w->hint = NULL;
        return sl_err_set(w->err, SL_E_LIMIT, "the value has more than %u bytes with its variables put in",
                          SL_MAX_SUBST_VALUE);
    }
    sl_buf_append_span(&w->out, value);
    return 0;
}

/* name, and what stands behind `:-` (ptr NULL when there is none). */
static int put_variable(work *w, sl_span name, sl_span fallback)
{
    if (!is_variable_name(name))
        return fail(w, SL_E_SYNTAX,
                    "write `${NAME}`, `${NAME:-default}` or `${file:/path}`; `$$` for a `$` itself",
                    "what stands in `${…}` is not the name of an environment variable", SL_SPAN_NONE);
    char key[MAX_NAME + 1];
    memcpy(key, name.ptr, name.len);
    key[name.len] = '\0';
    const char *value = getenv(key);
    w->result->changed = true;
    if (fallback.ptr && (!value || !*value)) return append(w, fallback);
    if (value) return append(w, sl_span_of(value));

    char hint[MAX_NAME * 2 + 64];
    snprintf(hint, sizeof hint, "set it before the start, or give a default: `${%s:-…}`", key);
    return fail(w, SL_E_NOT_FOUND, sl_arena_strndup(w->arena, hint, strlen(hint)),
                "the environment variable `%s` is not set", name);
}

static int fail_read(work *w, sl_span path, int sys)
{
    if (sys == EFBIG)
        return fail(w, SL_E_LIMIT, "a file put in by `${file:…}` may have at most 64KiB",
                    "the file %s is too large", path);
    const char *hint = "check that the file is there and that its permissions let this user read it";
    fail(w, SL_E_IO, hint, "cannot read %s", path);
    char text[SL_ERR_TEXT_MAX];
    snprintf(text, sizeof text, "%s", w->err->text);
    return sl_err_sys(w->err, sys, "%s", text);
}

static int put_file(work *w, sl_span path)
{
    char name[MAX_PATH];
    if (path.len == 0 || path.ptr[0] != '/' || path.len >= sizeof name)
        return fail(w, SL_E_SYNTAX, "write it from the root on, such as `${file:/run/secrets/es}`",
                    "the path in `${file:…}` must be absolute and shorter than 4096 bytes", SL_SPAN_NONE);
    memcpy(name, path.ptr, path.len);
    name[path.len] = '\0';

    sl_buf content = SL_BUF_NONE;
    int rc = sl_fs_read_file(name, SL_MAX_SUBST_FILE, &content);
    w->result->changed = w->result->secret = true;
    sl_span value = sl_buf_span(&content);
    if (value.len && value.ptr[value.len - 1] == '\n') value.len--;
    if (value.len && value.ptr[value.len - 1] == '\r') value.len--;
    if (rc < 0)
        rc = fail_read(w, path, -rc);
    else if (value.len && memchr(value.ptr, '\0', value.len))
        rc = fail(w, SL_E_SYNTAX, "a secret is one line of text", "the file %s holds NUL bytes", path);
    else
        rc = append(w, value);
    if (content.ptr) sl_wipe(content.ptr, content.cap);
    sl_buf_release(&content);
    return rc;
}

/* One reference without its `${` and `}`. */
static int put_reference(work *w, sl_span inner)
{
    if (sl_span_find(inner, SL_SPAN("${"), 0) < inner.len)
        return fail(w, SL_E_SYNTAX, "a default is plain text",
                    "a `${…}` stands inside another: references do not nest", SL_SPAN_NONE);
    if (sl_span_starts_with(inner, SL_SPAN("file:")))
        return put_file(w, (sl_span){inner.ptr + 5, inner.len - 5});
    size_t at = sl_span_find(inner, SL_SPAN(":-"), 0);
    sl_span fallback = at < inner.len ? (sl_span){inner.ptr + at + 2, inner.len - at - 2} : SL_SPAN_NONE;
    return put_variable(w, (sl_span){inner.ptr, at}, fallback);
}

/* Length of the reference that starts with `${` at text.ptr[at], or 0 when it is not closed. */
static size_t reference_len(sl_span text, size_t at)
{
    size_t end = sl_span_find(text, SL_SPAN("}"), at);
    return end < text.len ? end + 1 - at : 0;
}

static int put_all(work *w, sl_span text, size_t *at, size_t *len)
{
    size_t i = 0;
    while (i < text.len) {
        size_t dollar = sl_span_find(text, SL_SPAN("$"), i);
        int rc = append(w, (sl_span){text.ptr + i, dollar - i});
        *at = dollar;
        *len = 1;
        if (rc < 0 || dollar == text.len) return rc;
        char next = dollar + 1 < text.len ? text.ptr[dollar + 1] : '\0';
        if (next == '{') {
            *len = reference_len(text, dollar);
            if (*len == 0) {
                *len = text.len - dollar;
                return fail(w, SL_E_SYNTAX, "close it with `}`; a `$` itself is written `$$`",
                            "`${` is not closed", SL_SPAN_NONE);
            }
            rc = put_reference(w, (sl_span){text.ptr + dollar + 2, *len - 3});
        } else {
            rc = append(w, SL_SPAN("$"));
            *len = next == '$' ? 2 : 1;
        }
        if (rc < 0) return rc;
        i = dollar + *len;
    }
    return 0;
}

int sl_env_subst(sl_span text, sl_arena *arena, sl_subst *out, size_t *at, size_t *len, const char **hint,
                 sl_err *err)
{
    *out = (sl_subst){text, false, false};
    *hint = NULL;
    if (!text.len || !memchr(text.ptr, '$', text.len)) return 0;

    work w = {SL_BUF_NONE, arena, out, hint, err};
    int rc = put_all(&w, text, at, len);
    if (rc == 0)
        out->text = (sl_span){sl_arena_strndup(arena, w.out.ptr ? w.out.ptr : "", w.out.len), w.out.len};
    if (w.out.ptr) sl_wipe(w.out.ptr, w.out.cap);
    sl_buf_release(&w.out);
    return rc;
}

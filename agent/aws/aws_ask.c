/* aws_ask.c: what the sources share: the environment, files with a token, the parts of a request. */
#include "aws_source.h"
#include <sluice/fs.h>
#include <stdio.h>
#include <stdlib.h>

sl_span sl_aws_env(const char *name)
{
    return sl_span_trim(sl_span_of(getenv(name)));
}

int sl_aws_token_file(const char *path, sl_buf *out, sl_err *err)
{
    sl_aws_wipe_buf(out);
    int rc = sl_fs_read_file(path, SL_AWS_MAX_ANSWER, out);
    if (rc < 0) {
        sl_err_sys(err, -rc, "cannot read %s", path);
        return err->code = SL_E_ACCESS; /* not SL_E_NOT_FOUND: somebody named it */
    }
    sl_span token = sl_span_trim(sl_buf_span(out));
    if (token.len) memmove(out->ptr, token.ptr, token.len);
    out->len = token.len;
    for (size_t i = 0; i < out->len; i++) {
        if (out->ptr[i] < ' ' || out->ptr[i] > '~')
            return sl_err_set(err, SL_E_SYNTAX, "%s holds no token: byte %zu is no printable ASCII", path, i);
    }
    return out->len ? 0 : sl_err_set(err, SL_E_SYNTAX, "%s is empty", path);
}

void sl_aws_want_clear(sl_aws_want *want)
{
    sl_aws_headers_release(&want->headers);
    sl_aws_wipe_buf(&want->body);
    *want = (sl_aws_want){.method = NULL};
}

void sl_aws_want_header(sl_aws_want *want, const char *name, sl_span value)
{
    sl_aws_headers_release(&want->headers);
    sl_buf_append_span(&want->headers.text, value);
    want->headers.items[0] = (sl_http_header){name, sl_buf_span(&want->headers.text)};
    want->headers.count = 1;
}

sl_span sl_aws_ask_text(sl_aws_ask *ask, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len < 0) sl_bug("a format that cannot be printed");
    char *text = sl_arena_alloc(&ask->arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, args);
    va_end(args);
    return (sl_span){text, (size_t)len};
}

int sl_aws_ask_role(sl_aws_ask *ask, const sl_aws_role *role, sl_err *err)
{
    if (ask->role_count == SL_AWS_MAX_ROLES)
        return sl_err_set(err, SL_E_LIMIT, "more than %d roles one on top of the other", SL_AWS_MAX_ROLES);
    ask->roles[ask->role_count++] =
        (sl_aws_role){.arn = sl_arena_dup(&ask->arena, role->arn),
                      .external_id = sl_arena_dup(&ask->arena, role->external_id),
                      .session_name = sl_arena_dup(&ask->arena, role->session_name),
                      .duration_ns = role->duration_ns};
    return 0;
}

void sl_aws_ask_release(sl_aws_ask *ask)
{
    sl_aws_want_clear(&ask->want);
    sl_aws_wipe_buf(&ask->kept);
    sl_aws_keys_release(&ask->keys);
    sl_arena_release(&ask->arena);
    *ask = (sl_aws_ask){.conf = ask->conf};
}

/* aws_keys.c: checks and copies credentials. */
#include "aws_keys.h"

static bool is_visible(sl_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~') return false;
    }
    return true;
}

static int check(const char *name, sl_span text, size_t least, size_t most, sl_err *err)
{
    if (text.len < least) return sl_err_set(err, SL_E_SYNTAX, "the %s is empty", name);
    if (text.len > most) return sl_err_set(err, SL_E_SYNTAX, "the %s is longer than %zu bytes", name, most);
    if (!is_visible(text))
        return sl_err_set(err, SL_E_SYNTAX, "the %s holds white space or a byte that is no ASCII", name);
    return 0;
}

static sl_span append(sl_buf *text, sl_span value)
{
    sl_buf_append_span(text, value);
    return (sl_span){text->ptr + text->len - value.len, value.len};
}

int sl_aws_keys_set(sl_aws_keys *keys, const sl_aws_credentials *credentials, sl_err *err)
{
    int rc = check("access key id", credentials->access_key_id, 1, SL_AWS_MAX_KEY, err);
    if (rc == 0) rc = check("secret access key", credentials->secret_access_key, 1, SL_AWS_MAX_KEY, err);
    if (rc == 0) rc = check("session token", credentials->session_token, 0, SL_AWS_MAX_TOKEN, err);
    if (rc < 0) return rc;
    sl_buf text = SL_BUF_NONE;
    sl_buf_reserve(&text, credentials->access_key_id.len + credentials->secret_access_key.len +
                              credentials->session_token.len); /* no append moves it */
    sl_aws_credentials copy = {.access_key_id = append(&text, credentials->access_key_id),
                               .secret_access_key = append(&text, credentials->secret_access_key),
                               .session_token = append(&text, credentials->session_token),
                               .expires_ns = credentials->expires_ns,
                               .source = credentials->source};
    sl_aws_keys_release(keys);
    *keys = (sl_aws_keys){.credentials = copy, .text = text};
    return 0;
}

void sl_aws_wipe_buf(sl_buf *buf)
{
    if (buf->ptr) sl_wipe(buf->ptr, buf->cap);
    sl_buf_release(buf);
}

void sl_aws_keys_release(sl_aws_keys *keys)
{
    sl_aws_wipe_buf(&keys->text);
    *keys = (sl_aws_keys){.credentials = {.source = NULL}};
}

/* aws_answer.c: reads answers that hold credentials. */
#include "aws_answer.h"
#include <sluice/record.h>

#define MAX_MESSAGE 160 /* bytes of a service's own words that are shown */

/* ---- JSON ---- */

static sl_span token_text(const sl_aws_json *json, uint32_t at)
{
    return (sl_span){json->text.ptr + json->tape.tok[at].off, json->tape.tok[at].len};
}

/* The value's token; 0 when there is none: token 0 is the outermost value. */
static uint32_t find_member(const sl_aws_json *json, const char *name)
{
    const sl_token *tok = json->tape.tok;
    if (tok[json->object].type != SL_JSON_OBJECT) return 0;
    for (uint32_t key = json->object + 1; key < tok[json->object].next; key = tok[key + 1].next) {
        if (sl_span_is_cstr(token_text(json, key), name)) return key + 1;
    }
    return 0;
}

int sl_aws_json_open(sl_aws_json *json, sl_span text, const char *inside, sl_err *err)
{
    *json = (sl_aws_json){.text = text};
    sl_json_result result = sl_json_index(&json->tape, text);
    if (result.error == SL_JSON_OK && inside) json->object = find_member(json, inside);
    bool object = result.error == SL_JSON_OK && (!inside || json->object) &&
                  json->tape.tok[json->object].type == SL_JSON_OBJECT;
    if (object) return 0;
    sl_aws_json_release(json);
    if (result.error != SL_JSON_OK)
        return sl_err_set(err, SL_E_SYNTAX, "no JSON: %s at byte %u", sl_json_error_text(result.error),
                          result.at);
    return sl_err_set(err, SL_E_SYNTAX, "no JSON object%s%s", inside ? " as `" : "", inside ? inside : "");
}

void sl_aws_json_release(sl_aws_json *json)
{
    sl_tape_release(&json->tape);
}

bool sl_aws_json_get(const sl_aws_json *json, const char *name, sl_buf *out)
{
    uint32_t at = find_member(json, name);
    const sl_token *tok = &json->tape.tok[at];
    if (!at || (tok->type != SL_JSON_STRING && tok->type != SL_JSON_NUMBER)) return false;
    sl_span text = token_text(json, at);
    if (tok->flags & SL_TOKEN_ESCAPED) {
        sl_buf_reserve(out, text.len);
        out->len += sl_json_unescape(text, out->ptr + out->len);
    } else {
        sl_buf_append_span(out, text);
    }
    return true;
}

/* ---- credentials ---- */

/* The four values, wherever they stood. */
typedef struct parts {
    sl_buf id, secret, token, expires;
} parts;

static void release_parts(parts *p)
{
    sl_aws_wipe_buf(&p->id);
    sl_aws_wipe_buf(&p->secret);
    sl_aws_wipe_buf(&p->token);
    sl_buf_release(&p->expires);
}

static int set_keys(const parts *p, const char *source, sl_aws_keys *keys, sl_err *err)
{
    sl_aws_credentials found = {.access_key_id = sl_buf_span(&p->id),
                                .secret_access_key = sl_buf_span(&p->secret),
                                .session_token = sl_buf_span(&p->token),
                                .source = source};
    if (p->expires.len && !sl_time_parse(sl_buf_span(&p->expires), NULL, &found.expires_ns))
        return sl_err_set(err, SL_E_SYNTAX, "the time at which the credentials end is not understood");
    return sl_aws_keys_set(keys, &found, err);
}

int sl_aws_answer_json(sl_span body, const sl_aws_spelling *spelling, const char *source, sl_aws_keys *keys,
                       sl_err *err)
{
    sl_aws_json json;
    int rc = sl_aws_json_open(&json, body, spelling->inside, err);
    if (rc < 0) return sl_err_prefix(err, "the answer is not understood");
    parts p = {.id = SL_BUF_NONE};
    bool whole =
        sl_aws_json_get(&json, spelling->id, &p.id) && sl_aws_json_get(&json, spelling->secret, &p.secret);
    sl_aws_json_get(&json, spelling->token, &p.token);
    sl_aws_json_get(&json, spelling->expires, &p.expires);
    if (whole)
        rc = set_keys(&p, source, keys, err);
    else
        rc =
            sl_err_set(err, SL_E_SYNTAX, "the answer has no `%s` or no `%s`", spelling->id, spelling->secret);
    release_parts(&p);
    sl_aws_json_release(&json);
    return rc;
}

/* ---- XML ---- */

sl_span sl_aws_xml_text(sl_span body, const char *element)
{
    sl_buf tag = SL_BUF_NONE;
    sl_buf_printf(&tag, "<%s>", element);
    size_t from = sl_span_find(body, sl_buf_span(&tag), 0) + tag.len;
    sl_buf_clear(&tag);
    sl_buf_printf(&tag, "</%s>", element);
    size_t to = from < body.len ? sl_span_find(body, sl_buf_span(&tag), from) : body.len;
    sl_buf_release(&tag);
    return to < body.len ? sl_span_trim((sl_span){body.ptr + from, to - from}) : SL_SPAN_NONE;
}

/* Keys, tokens and times hold nothing that XML has to escape: a `&` makes them invalid, as it should. */
int sl_aws_answer_sts(sl_span body, const char *source, sl_aws_keys *keys, sl_err *err)
{
    sl_span all = sl_aws_xml_text(body, "Credentials");
    if (!all.len) return sl_err_set(err, SL_E_SYNTAX, "STS answered without credentials");
    sl_aws_credentials found = {.access_key_id = sl_aws_xml_text(all, "AccessKeyId"),
                                .secret_access_key = sl_aws_xml_text(all, "SecretAccessKey"),
                                .session_token = sl_aws_xml_text(all, "SessionToken"),
                                .source = source};
    if (!sl_time_parse(sl_aws_xml_text(all, "Expiration"), NULL, &found.expires_ns))
        return sl_err_set(err, SL_E_SYNTAX, "STS's answer does not say when the credentials end");
    return sl_aws_keys_set(keys, &found, err);
}

/* ---- refusals ---- */

static void append_printable(sl_buf *out, sl_span text)
{
    size_t keep = sl_span_cut(text, MAX_MESSAGE);
    for (size_t i = 0; i < keep; i++)
        sl_buf_append_char(out, text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? text.ptr[i] : ' ');
}

/* The names of STS, of the metadata services, and of AWS's JSON protocols. */
static void append_message(sl_buf *out, sl_span body)
{
    sl_span message = sl_aws_xml_text(body, "Message");
    sl_buf text = SL_BUF_NONE;
    sl_aws_json json;
    if (!message.len && sl_aws_json_open(&json, body, NULL, NULL) == 0) {
        if (sl_aws_json_get(&json, "message", &text) || sl_aws_json_get(&json, "Message", &text))
            message = sl_buf_span(&text);
        sl_aws_json_release(&json);
    }
    if (message.ptr && message.len) {
        sl_buf_append_cstr(out, ": ");
        append_printable(out, message);
    }
    sl_buf_release(&text);
}

int sl_aws_answer_check(const sl_answer *answer, sl_span url, sl_err *err)
{
    if (answer->transport != SL_TRANSPORT_OK)
        return sl_err_set(err, SL_E_NETWORK, "no answer from " SL_SPAN_FMT ": %s", SL_SPAN_ARG(url),
                          answer->error);
    if (answer->status == 200) return 0;
    sl_buf said = SL_BUF_NONE;
    append_message(&said, answer->body);
    int rc = sl_err_set(err, SL_E_REJECTED, SL_SPAN_FMT " answered %d%s", SL_SPAN_ARG(url), answer->status,
                        sl_buf_cstr(&said));
    sl_buf_release(&said);
    return rc;
}

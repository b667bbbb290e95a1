/* kafka_token.c: tokens of SASL/OAUTHBEARER (RFC 7628) from a file that somebody else keeps fresh: the kubelet
 * (projected service account tokens), or a program that asks a provider.
 *
 * librdkafka asks for one at the start and again when four fifths of its life are over. How long that is
 * stands in the token where it is a JWT (RFC 7519: `exp`); it is not verified here, the broker does that.
 */
#include "kafka_client.h"
#include <stdio.h>

#define MAX_TOKEN       (64u * 1024)
#define UNKNOWN_LIFE_NS (300 * SL_NS_PER_S) /* no JWT: the file is read again after 4 minutes */
#define MAX_SECONDS     (INT64_MAX / 1000)
#define MAX_PRINCIPAL   256

typedef struct claims {
    int64_t expires_s; /* since the epoch; 0: not told */
    char subject[MAX_PRINCIPAL];
} claims;

static int64_t read_seconds(sl_span digits)
{
    int64_t value = 0;
    for (size_t i = 0; i < digits.len && digits.ptr[i] >= '0' && digits.ptr[i] <= '9'; i++) {
        value = value * 10 + (digits.ptr[i] - '0');
        if (value > MAX_SECONDS / 10) return 0;
    }
    return value;
}

static void read_claim(sl_span name, sl_json_type type, sl_span value, claims *out)
{
    if (sl_span_is_cstr(name, "exp") && type == SL_JSON_NUMBER) out->expires_s = read_seconds(value);
    if (!sl_span_is_cstr(name, "sub") || type != SL_JSON_STRING) return;
    if (sl_span_find(value, SL_SPAN("\\"), 0) != value.len)
        return; /* a name for the log: not worth unescaping */
    snprintf(out->subject, sizeof out->subject, SL_SPAN_FMT, SL_SPAN_ARG(value));
}

static void read_payload(sl_span json, claims *out)
{
    sl_tape tape = {0};
    sl_json_result result = sl_json_index(&tape, json);
    if (result.error == SL_JSON_OK && tape.tok[0].type == SL_JSON_OBJECT) {
        for (uint32_t key = 1; key < tape.tok[0].next; key = tape.tok[key + 1].next) {
            const sl_token *name = &tape.tok[key], *value = &tape.tok[key + 1];
            read_claim((sl_span){json.ptr + name->off, name->len}, (sl_json_type)value->type,
                       (sl_span){json.ptr + value->off, value->len}, out);
        }
    }
    sl_tape_release(&tape);
}

/* header.payload.signature */
static void read_claims(sl_span token, claims *out)
{
    *out = (claims){0};
    size_t first = sl_span_find(token, SL_SPAN("."), 0);
    size_t second = first < token.len ? sl_span_find(token, SL_SPAN("."), first + 1) : token.len;
    if (second == token.len) return;
    sl_buf payload = SL_BUF_NONE;
    if (sl_buf_append_unbase64(&payload, (sl_span){token.ptr + first + 1, second - first - 1}))
        read_payload(sl_buf_span(&payload), out);
    sl_buf_release(&payload);
}

static void set_token(rd_kafka_t *rk, const char *path, sl_buf *text)
{
    char reason[SL_ERR_TEXT_MAX / 2];
    sl_span token = sl_span_trim(sl_buf_span(text));
    claims found;
    read_claims(token, &found);
    int64_t until_ms =
        found.expires_s ? found.expires_s * 1000 : (sl_clock_wall_ns() + UNKNOWN_LIFE_NS) / SL_NS_PER_MS;
    char *copy = sl_strndup(token.ptr ? token.ptr : "", token.len);
    rd_kafka_resp_err_t code =
        rd_kafka_oauthbearer_set_token(rk, copy, until_ms, found.subject, NULL, 0, reason, sizeof reason);
    sl_wipe(copy, token.len);
    sl_free(copy);
    if (!code) return;
    /* Its reasons speak of lifetimes and characters; the token itself is not quoted. */
    sl_buf_clear(text);
    sl_buf_printf(text, "the token in %s can't be used: %s", path, reason);
    rd_kafka_oauthbearer_set_token_failure(rk, sl_buf_cstr(text));
}

void kafka_token_refresh(rd_kafka_t *rk, const char *path)
{
    sl_buf text = SL_BUF_NONE;
    int rc = sl_fs_read_file(path, MAX_TOKEN, &text);
    if (rc < 0) {
        sl_err err = SL_ERR_NONE;
        sl_err_sys(&err, -rc, "cannot read the token in %s", path);
        rd_kafka_oauthbearer_set_token_failure(rk, err.text);
    } else {
        set_token(rk, path, &text);
        sl_wipe(text.ptr, text.cap);
    }
    sl_buf_release(&text);
}

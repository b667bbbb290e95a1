/* An answer of any bytes, read as that of a metadata service, of IAM Identity Center, and of STS: what is taken for
 * credentials can stand in a header; what is not leaves the keys alone; no refusal quotes a control character. */
#include "aws/aws_answer.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const sl_aws_spelling metadata = {NULL, "AccessKeyId", "SecretAccessKey", "Token", "Expiration"};
static const sl_aws_spelling sso = {"roleCredentials", "accessKeyId", "secretAccessKey", "sessionToken",
                                    "expiration"};

static void check_text(sl_span text, size_t most)
{
    if (text.len > most) abort();
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~') abort();
    }
}

static void check(int rc, const sl_aws_keys *keys, const sl_err *err)
{
    const sl_aws_credentials *c = &keys->credentials;
    if (rc == 0 && (!c->access_key_id.len || !c->secret_access_key.len)) abort();
    if (rc != 0 && (rc != SL_E_SYNTAX || sl_aws_keys_has(keys) || !err->text[0])) abort();
    check_text(c->access_key_id, SL_AWS_MAX_KEY);
    check_text(c->secret_access_key, SL_AWS_MAX_KEY);
    check_text(c->session_token, SL_AWS_MAX_TOKEN);
}

static void check_refusal(sl_span body)
{
    sl_answer answer = {.status = 400, .body = body};
    sl_err err = SL_ERR_NONE;
    if (sl_aws_answer_check(&answer, SL_SPAN("http://x"), &err) != SL_E_REJECTED) abort();
    for (const char *at = err.text; *at; at++) {
        if (*at < ' ' || *at > '~') abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1); /* exactly as long: reading past its end shows */
    if (size) memcpy(copy, data, size);
    sl_span body = {copy, size};
    for (int i = 0; i < 3; i++) {
        sl_aws_keys keys = {.credentials = {.source = NULL}};
        sl_err err = SL_ERR_NONE;
        int rc = i == 2 ? sl_aws_answer_sts(body, "test", &keys, &err)
                        : sl_aws_answer_json(body, i ? &sso : &metadata, "test", &keys, &err);
        check(rc, &keys, &err);
        sl_aws_keys_release(&keys);
    }
    check_refusal(body);
    free(copy);
    return 0;
}

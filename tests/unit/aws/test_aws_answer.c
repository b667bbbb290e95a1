#include "aws/aws_answer.h"
#include "check_main.h"

static const sl_aws_spelling metadata = {NULL, "AccessKeyId", "SecretAccessKey", "Token", "Expiration"};
static const sl_aws_spelling sso = {"roleCredentials", "accessKeyId", "secretAccessKey", "sessionToken",
                                    "expiration"};

#define NEW_YEAR_2030 (INT64_C(1893456000) * SL_NS_PER_S)

static void check_keys(const sl_aws_keys *keys, const char *id, const char *secret, const char *token,
                       int64_t ends)
{
    ck_assert(sl_span_is_cstr(keys->credentials.access_key_id, id));
    ck_assert(sl_span_is_cstr(keys->credentials.secret_access_key, secret));
    ck_assert(sl_span_is_cstr(keys->credentials.session_token, token));
    ck_assert_int_eq(keys->credentials.expires_ns, ends);
    ck_assert_str_eq(keys->credentials.source, "test");
}

START_TEST(aws_answer__json_gives_credentials)
{
    sl_aws_keys keys = {.credentials = {.source = NULL}};
    sl_err err = SL_ERR_NONE;
    sl_span body = SL_SPAN("{\"Code\":\"Success\",\"AccessKeyId\":\"ASIA\",\"SecretAccessKey\":\"a\\/b+c\","
                           "\"Token\":\"t==\",\"Expiration\":\"2030-01-01T00:00:00Z\"}");
    ck_assert_int_eq(sl_aws_answer_json(body, &metadata, "test", &keys, &err), 0);
    check_keys(&keys, "ASIA", "a/b+c", "t==", NEW_YEAR_2030);
    body = SL_SPAN("{\"roleCredentials\": {\"expiration\": 1893456000000, \"accessKeyId\": \"A2\", "
                   "\"secretAccessKey\": \"s\", \"sessionToken\": \"t\"}}");
    ck_assert_int_eq(sl_aws_answer_json(body, &sso, "test", &keys, &err), 0);
    check_keys(&keys, "A2", "s", "t", NEW_YEAR_2030);
    body = SL_SPAN("{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}");
    ck_assert_int_eq(sl_aws_answer_json(body, &metadata, "test", &keys, &err), 0);
    check_keys(&keys, "A", "s", "", 0);
    sl_aws_keys_release(&keys);
}
END_TEST

START_TEST(aws_answer__json_that_gives_none_leaves_the_keys_alone)
{
    const struct {
        const char *body, *text;
    } cases[] = {
        {"", "not understood: no JSON"},
        {"<html>", "not understood: no JSON"},
        {"[]", "no JSON object"},
        {"\"x\"", "no JSON object"},
        {"{}", "no `AccessKeyId` or no `SecretAccessKey`"},
        {"{\"AccessKeyId\":1,\"SecretAccessKey\":null}", "no `AccessKeyId`"},
        {"{\"AccessKeyId\":\"\",\"SecretAccessKey\":\"geheim\"}", "access key id is empty"},
        {"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"geheim\\r\\nX: y\"}",
         "secret access key holds white space"},
        {"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"geheim\",\"Token\":\"\\u00fc\"}", "no ASCII"},
        {"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"geheim\",\"Expiration\":\"soon\"}",
         "is not understood"},
    };
    sl_aws_keys keys = {.credentials = {.source = NULL}};
    sl_aws_credentials before = {
        .access_key_id = SL_SPAN("old"), .secret_access_key = SL_SPAN("s"), .source = "test"};
    ck_assert_int_eq(sl_aws_keys_set(&keys, &before, NULL), 0);
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_err err = SL_ERR_NONE;
        ck_assert_int_eq(sl_aws_answer_json(sl_span_of(cases[i].body), &metadata, "test", &keys, &err),
                         SL_E_SYNTAX);
        ck_assert_msg(strstr(err.text, cases[i].text) != NULL, "%s: %s", cases[i].body, err.text);
        ck_assert_ptr_null(strstr(err.text, "geheim"));
        check_keys(&keys, "old", "s", "", 0);
    }
    sl_aws_keys_release(&keys);
}
END_TEST

START_TEST(aws_answer__keys_that_are_too_long_are_refused)
{
    sl_buf body = SL_BUF_NONE;
    sl_buf_append_cstr(&body, "{\"AccessKeyId\":\"");
    for (int i = 0; i <= SL_AWS_MAX_KEY; i++)
        sl_buf_append_char(&body, 'a');
    sl_buf_append_cstr(&body, "\",\"SecretAccessKey\":\"s\"}");
    sl_aws_keys keys = {.credentials = {.source = NULL}};
    sl_err err = SL_ERR_NONE;
    ck_assert_int_eq(sl_aws_answer_json(sl_buf_span(&body), &metadata, "test", &keys, &err), SL_E_SYNTAX);
    ck_assert_ptr_nonnull(strstr(err.text, "longer than 1024 bytes"));
    sl_buf_release(&body);
}
END_TEST

/* As in the STS API Reference. */
#define STS(credentials)                                                                                     \
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n<AssumeRoleResult>\n"         \
    "<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/demo/John</Arn></AssumedRoleUser>\n"       \
    "<Credentials>" credentials "</Credentials>\n</AssumeRoleResult></AssumeRoleResponse>"

START_TEST(aws_answer__sts_gives_credentials)
{
    sl_aws_keys keys = {.credentials = {.source = NULL}};
    sl_err err = SL_ERR_NONE;
    sl_span body = SL_SPAN(STS("\n <AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>\n"
                               " <SecretAccessKey>wJalrXUtnFEMI/K7MDENG</SecretAccessKey>\n"
                               " <SessionToken>\n  AQoDYXdzEPT==\n </SessionToken>\n"
                               " <Expiration>2030-01-01T00:00:00Z</Expiration>\n"));
    ck_assert_int_eq(sl_aws_answer_sts(body, "test", &keys, &err), 0);
    check_keys(&keys, "ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG", "AQoDYXdzEPT==", NEW_YEAR_2030);
    const char *const bad[] = {
        "",
        "<Credentials>",
        "<Credentials></Credentials>",
        STS("<AccessKeyId>a</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"),
        STS("<SecretAccessKey>s</SecretAccessKey><Expiration>2030-01-01T00:00:00Z</Expiration>"),
        STS("<AccessKeyId>a")};
    for (size_t i = 0; i < SL_LEN(bad); i++) {
        ck_assert_msg(sl_aws_answer_sts(sl_span_of(bad[i]), "test", &keys, &err) == SL_E_SYNTAX, "%s",
                      bad[i]);
        check_keys(&keys, "ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG", "AQoDYXdzEPT==", NEW_YEAR_2030);
    }
    sl_aws_keys_release(&keys);
}
END_TEST

START_TEST(aws_answer__a_refusal_is_quoted_printable_and_short)
{
    char tail[400];
    memset(tail, 'x', sizeof tail - 1);
    tail[sizeof tail - 1] = '\0';
    sl_buf long_one = SL_BUF_NONE;
    sl_buf_printf(&long_one, "{\"message\":\"%s\"}", tail);
    const struct {
        int status;
        sl_span body;
        const char *text;
    } cases[] = {
        {403,
         SL_SPAN(
             "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: a is not\nauthorized</Message>"
             "</Error></ErrorResponse>"),
         "http://x answered 403: User: a is not authorized"},
        {400, SL_SPAN("{\"code\":\"X\",\"message\":\"bad \\u001b[31m token\"}"),
         "answered 400: bad  [31m token"},
        {404, SL_SPAN("<html>not found"), "http://x answered 404"},
        {500, SL_SPAN_NONE, "http://x answered 500"},
        {400, sl_buf_span(&long_one), "answered 400: xxx"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_answer answer = {.status = cases[i].status, .body = cases[i].body};
        sl_err err = SL_ERR_NONE;
        ck_assert_int_eq(sl_aws_answer_check(&answer, SL_SPAN("http://x"), &err), SL_E_REJECTED);
        ck_assert_msg(strstr(err.text, cases[i].text) != NULL, "%s", err.text);
        ck_assert_uint_lt(strlen(err.text), 200);
    }
    sl_answer none = {.transport = SL_TRANSPORT_CONNECT, .error = "refused"};
    sl_err err = SL_ERR_NONE;
    ck_assert_int_eq(sl_aws_answer_check(&none, SL_SPAN("http://x"), &err), SL_E_NETWORK);
    ck_assert_str_eq(err.text, "no answer from http://x: refused");
    sl_buf_release(&long_one);
}
END_TEST

SL_TEST_MAIN("aws_answer", aws_answer__json_gives_credentials,
             aws_answer__json_that_gives_none_leaves_the_keys_alone,
             aws_answer__keys_that_are_too_long_are_refused, aws_answer__sts_gives_credentials,
             aws_answer__a_refusal_is_quoted_printable_and_short)

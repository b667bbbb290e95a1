/* Each source by itself: what it asks, and what it makes of answers. Nothing is sent. */
#include "aws/aws_source.h"
#include "aws_env.h"
#include "check_main.h"
#include <stdlib.h>

#define NOW (INT64_C(1700000000) * SL_NS_PER_S) /* 2023-11-14 */

typedef struct walk {
    sl_aws_conf conf;
    sl_aws_ask ask;
    const sl_aws_source *source;
    sl_err err;
    int rc;
    sl_answer answer;
} walk;

static void begin(walk *w, const sl_aws_source *source)
{
    w->source = source;
    w->err = (sl_err)SL_ERR_NONE;
    w->ask = (sl_aws_ask){.conf = &w->conf, .region = SL_SPAN("eu-west-1"), .now_ns = NOW};
    w->rc = source->step(&w->ask, &w->err);
}

static void answer(walk *w, const char *body)
{
    ck_assert_int_eq(w->rc, SL_E_AGAIN);
    w->answer = (sl_answer){.status = 200, .body = sl_span_of(body)};
    w->ask.answer = &w->answer;
    sl_aws_want_clear(&w->ask.want);
    const sl_aws_source *next = w->ask.delegate ? w->ask.delegate : w->source;
    w->rc = next->step(&w->ask, &w->err);
}

static void end(walk *w)
{
    sl_aws_ask_release(&w->ask);
}

static void check_want(const walk *w, const char *method, const char *url, const char *path)
{
    ck_assert_msg(w->rc == SL_E_AGAIN, "%d %s", w->rc, w->err.text);
    ck_assert_str_eq(w->ask.want.method, method);
    ck_assert_msg(sl_span_is_cstr(w->ask.want.url, url), "wanted %s, got " SL_SPAN_FMT, url,
                  SL_SPAN_ARG(w->ask.want.url));
    ck_assert_msg(sl_span_is_cstr(w->ask.want.path, path), "wanted %s, got " SL_SPAN_FMT, path,
                  SL_SPAN_ARG(w->ask.want.path));
}

static void check_header(const walk *w, const char *name, const char *value)
{
    const sl_aws_headers *headers = &w->ask.want.headers;
    ck_assert_uint_eq(headers->count, 1);
    ck_assert_str_eq(headers->items[0].name, name);
    ck_assert(sl_span_is_cstr(headers->items[0].value, value));
}

static void check_found(const walk *w, const char *id, const char *source)
{
    ck_assert_msg(w->rc == 0, "%d %s", w->rc, w->err.text);
    ck_assert(sl_span_is_cstr(w->ask.keys.credentials.access_key_id, id));
    ck_assert_str_eq(w->ask.keys.credentials.source, source);
}

static void check_failed(const walk *w, int code, const char *text)
{
    ck_assert_msg(w->rc == code && w->err.code == code, "%d %d %s", w->rc, w->err.code, w->err.text);
    ck_assert_msg(strstr(w->err.text, text) != NULL, "wanted %s, got %s", text, w->err.text);
    ck_assert_ptr_null(strstr(w->err.text, "geheim"));
}

static bool form_has(const walk *w, const char *text)
{
    sl_span body = sl_buf_span(&w->ask.want.body);
    return sl_span_find(body, sl_span_of(text), 0) < body.len;
}

#define METADATA                                                                                             \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIA\",\"SecretAccessKey\":\"geheim\",\"Token\":\"t\","         \
    "\"Expiration\":\"2030-01-01T00:00:00Z\"}"
#define STS                                                                                                  \
    "<Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>geheim</SecretAccessKey>"                  \
    "<SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>"

/* ---- instance metadata ---- */

START_TEST(aws_imds__asks_for_a_token_the_role_and_its_credentials)
{
    sl_test_aws_env();
    walk w = {.rc = 0};
    begin(&w, &sl_aws_source_imds);
    check_want(&w, "PUT", "http://169.254.169.254", "/latest/api/token");
    check_header(&w, "X-aws-ec2-metadata-token-ttl-seconds", "300");
    ck_assert(w.ask.want.local);
    answer(&w, "TOKEN==");
    check_want(&w, "GET", "http://169.254.169.254", "/latest/meta-data/iam/security-credentials/");
    check_header(&w, "X-aws-ec2-metadata-token", "TOKEN==");
    answer(&w, "my role\nanother");
    check_failed(&w, SL_E_NOT_FOUND, "this instance has no role");
    end(&w);
    begin(&w, &sl_aws_source_imds);
    answer(&w, "TOKEN==");
    answer(&w, "role/../x\n");
    check_want(&w, "GET", "http://169.254.169.254",
               "/latest/meta-data/iam/security-credentials/role%2F..%2Fx");
    check_header(&w, "X-aws-ec2-metadata-token", "TOKEN==");
    answer(&w, METADATA);
    check_found(&w, "ASIA", "instance metadata");
    end(&w);
}
END_TEST

START_TEST(aws_imds__credentials_that_have_ended_are_used_a_while)
{
    sl_test_aws_env();
    walk w = {.rc = 0};
    begin(&w, &sl_aws_source_imds);
    answer(&w, "T");
    answer(&w, "role");
    answer(&w, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Expiration\":\"2023-01-01T00:00:00Z\"}");
    check_found(&w, "A", "instance metadata");
    ck_assert_int_eq(w.ask.keys.credentials.expires_ns, NOW + 600 * SL_NS_PER_S);
    end(&w);
}
END_TEST

START_TEST(aws_imds__follows_the_environment)
{
    sl_test_aws_env();
    walk w = {.rc = 0};
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv6", 1);
    begin(&w, &sl_aws_source_imds);
    check_want(&w, "PUT", "http://[fd00:ec2::254]", "/latest/api/token");
    end(&w);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338/", 1);
    begin(&w, &sl_aws_source_imds);
    check_want(&w, "PUT", "http://127.0.0.1:1338/", "/latest/api/token");
    end(&w);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://u:geheim@h", 1);
    begin(&w, &sl_aws_source_imds);
    check_failed(&w, SL_E_CONFIG, "AWS_EC2_METADATA_SERVICE_ENDPOINT holds a user name");
    end(&w);
    setenv("AWS_EC2_METADATA_DISABLED", "True", 1);
    begin(&w, &sl_aws_source_imds);
    check_failed(&w, SL_E_NOT_FOUND, "AWS_EC2_METADATA_DISABLED is true");
    end(&w);
}
END_TEST

START_TEST(aws_imds__a_token_that_could_break_out_of_its_header_is_none)
{
    sl_test_aws_env();
    const char *const bad[] = {"", "a\r\nX: y", "a b", "\x80"};
    for (size_t i = 0; i < SL_LEN(bad); i++) {
        walk w = {.rc = 0};
        begin(&w, &sl_aws_source_imds);
        answer(&w, bad[i]);
        check_failed(&w, SL_E_SYNTAX, "the answer is no token");
        end(&w);
    }
}
END_TEST

START_TEST(aws_imds__knows_the_region)
{
    sl_test_aws_env();
    walk w = {.rc = 0};
    begin(&w, &sl_aws_imds_region_source);
    answer(&w, "T");
    check_want(&w, "GET", "http://169.254.169.254", "/latest/meta-data/placement/region");
    answer(&w, "eu-central-1\n");
    ck_assert_int_eq(w.rc, 0);
    ck_assert(sl_span_is_cstr(w.ask.region, "eu-central-1"));
    end(&w);
}
END_TEST

/* ---- containers ---- */

START_TEST(aws_container__asks_where_the_environment_says)
{
    const char *home = sl_test_aws_env();
    walk w = {.rc = 0};
    begin(&w, &sl_aws_source_container);
    check_failed(&w, SL_E_NOT_FOUND, "are not set");
    end(&w);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials", 1);
    sl_test_aws_file(home, "token", "the token\n");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nowhere/token", 1);
    begin(&w, &sl_aws_source_container);
    check_failed(&w, SL_E_ACCESS, "cannot read /nowhere/token"); /* no other source is asked */
    end(&w);
    sl_buf path = SL_BUF_NONE;
    sl_buf_printf(&path, "%s/token", home);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", sl_buf_cstr(&path), 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "the other", 1);
    begin(&w, &sl_aws_source_container);
    check_want(&w, "GET", "http://169.254.170.23", "/v1/credentials");
    check_header(&w, "Authorization", "the token");
    answer(&w, METADATA);
    check_found(&w, "ASIA", "container");
    end(&w);
    unsetenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/uuid?x=y", 1);
    begin(&w, &sl_aws_source_container);
    check_want(&w, "GET", "http://169.254.170.2", "/v2/credentials/uuid?x=y");
    check_header(&w, "Authorization", "the other");
    end(&w);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nX: geheim", 1);
    begin(&w, &sl_aws_source_container);
    check_failed(&w, SL_E_CONFIG, "can stand in no header");
    end(&w);
    setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil/", 1);
    begin(&w, &sl_aws_source_container);
    check_failed(&w, SL_E_CONFIG, "does not begin with a /");
    end(&w);
    sl_buf_release(&path);
}
END_TEST

START_TEST(aws_container__without_tls_only_this_machine_is_asked)
{
    sl_test_aws_env();
    const struct {
        const char *uri;
        bool good;
    } cases[] = {
        {"https://vault.example/creds", true},
        {"http://127.0.0.1:80/x", true},
        {"http://127.5.6.7", true},
        {"http://localhost:1/x", true},
        {"http://[::1]/x", true},
        {"http://[fd00:ec2::23]/v1/credentials", true},
        {"http://[fd00:ec2:0::0023]/x", true},
        {"http://169.254.170.2/x", true},
        {"http://169.254.170.23", true},
        {"http://169.254.170.3/x", false},
        {"http://169.254.169.254/x", false},
        {"http://128.0.0.1/x", false},
        {"http://example.com/x", false},
        {"http://[::2]/x", false},
        {"http://[fd00:ec2::2]/x", false},
        {"http://0177.0.0.1/x", false},
        {"http://127.0.0.1.evil.example/", false},
        {"http://127.0.0.1@evil.example/", false},
        {"http://localhost.evil.example/", false},
        {"ftp://127.0.0.1/", false},
        {"127.0.0.1/x", false},
        {"http://", false},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", cases[i].uri, 1);
        walk w = {.rc = 0};
        begin(&w, &sl_aws_source_container);
        ck_assert_msg((w.rc == SL_E_AGAIN) == cases[i].good, "%s: %d %s", cases[i].uri, w.rc, w.err.text);
        if (!cases[i].good) check_failed(&w, SL_E_CONFIG, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
        end(&w);
    }
}
END_TEST

/* ---- STS ---- */

START_TEST(aws_web_identity__sends_the_token_that_the_file_holds_now)
{
    const char *home = sl_test_aws_env();
    walk w = {.rc = 0};
    begin(&w, &sl_aws_source_web_identity);
    check_failed(&w, SL_E_NOT_FOUND, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    end(&w);
    sl_buf path = SL_BUF_NONE;
    sl_buf_printf(&path, "%s/jwt", home);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", sl_buf_cstr(&path), 1);
    begin(&w, &sl_aws_source_web_identity);
    check_failed(&w, SL_E_CONFIG, "AWS_ROLE_ARN is not");
    end(&w);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r", 1);
    begin(&w, &sl_aws_source_web_identity);
    check_failed(&w, SL_E_ACCESS, "cannot read");
    end(&w);
    const char *const tokens[] = {"eyJ.one", "eyJ.two+/="}, *const sent[] = {"eyJ.one", "eyJ.two%2B%2F%3D"};
    for (size_t i = 0; i < SL_LEN(tokens); i++) {
        sl_test_aws_file(home, "jwt", tokens[i]);
        begin(&w, &sl_aws_source_web_identity);
        check_want(&w, "POST", "https://sts.eu-west-1.amazonaws.com", "/");
        sl_buf form = SL_BUF_NONE;
        sl_buf_printf(
            &form,
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%%3Aaws%%3Aiam%%3A%%3A1%%3A"
            "role%%2Fr&RoleSessionName=sluice&WebIdentityToken=%s",
            sent[i]);
        ck_assert(sl_span_is(sl_buf_span(&w.ask.want.body), sl_buf_span(&form)));
        ck_assert_uint_eq(w.ask.want.headers.count, 0);
        answer(&w, STS);
        check_found(&w, "ROLE", "web identity");
        end(&w);
        sl_buf_release(&form);
    }
    sl_buf_release(&path);
}
END_TEST

START_TEST(aws_sts__is_asked_in_the_region_or_where_the_option_says)
{
    const char *home = sl_test_aws_env();
    sl_test_aws_file(home, "jwt", "t");
    sl_buf path = SL_BUF_NONE;
    sl_buf_printf(&path, "%s/jwt", home);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", sl_buf_cstr(&path), 1);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r", 1);
    walk w = {.conf = {.endpoint = SL_SPAN("http://not-this-one"), .fips = true}};
    begin(&w, &sl_aws_source_web_identity);
    check_want(&w, "POST", "https://sts-fips.eu-west-1.amazonaws.com", "/");
    end(&w);
    setenv("AWS_ENDPOINT_URL_STS", "http://from-env", 1);
    begin(&w, &sl_aws_source_web_identity);
    check_want(&w, "POST", "http://from-env", "/");
    end(&w);
    w.conf.sts_endpoint = SL_SPAN("http://127.0.0.1:4566");
    begin(&w, &sl_aws_source_web_identity);
    check_want(&w, "POST", "http://127.0.0.1:4566", "/");
    end(&w);
    sl_buf_release(&path);
}
END_TEST

START_TEST(aws_role__is_asked_for_with_what_was_found)
{
    sl_test_aws_env();
    walk w = {.rc = 0};
    w.ask = (sl_aws_ask){.conf = &w.conf, .region = SL_SPAN("cn-north-1"), .now_ns = NOW};
    sl_aws_credentials base = {.access_key_id = SL_SPAN("BASE"),
                               .secret_access_key = SL_SPAN("geheim"),
                               .session_token = SL_SPAN("tok"),
                               .source = "container"};
    ck_assert_int_eq(sl_aws_keys_set(&w.ask.keys, &base, NULL), 0);
    for (int i = 0; i < 2; i++) {
        sl_aws_role role = {.arn = SL_SPAN("arn:aws-cn:iam::1:role/r"),
                            .external_id = SL_SPAN("ext/1"),
                            .session_name = SL_SPAN("s@x"),
                            .duration_ns = 900 * SL_NS_PER_S};
        ck_assert_int_eq(sl_aws_ask_role(&w.ask, &role, NULL), 0);
    }
    w.source = &sl_aws_role_source;
    w.rc = w.source->step(&w.ask, &w.err);
    check_want(&w, "POST", "https://sts.cn-north-1.amazonaws.com.cn", "/");
    ck_assert(form_has(&w, "Action=AssumeRole&"));
    ck_assert(form_has(&w, "&ExternalId=ext%2F1&"));
    ck_assert(form_has(&w, "&RoleSessionName=s%40x&"));
    ck_assert(form_has(&w, "&DurationSeconds=900"));
    ck_assert_uint_eq(w.ask.want.headers.count, 3);
    sl_span authorization = w.ask.want.headers.items[0].value;
    ck_assert(sl_span_starts_with(
        authorization,
        SL_SPAN("AWS4-HMAC-SHA256 Credential=BASE/20231114/cn-north-1/sts/aws4_request, SignedHeaders="
                "content-type;host;x-amz-date;x-amz-security-token, Signature=")));
    answer(&w, STS);
    check_found(&w, "ROLE", "container");
    ck_assert_uint_eq(w.ask.role_count, 1);
    end(&w);
}
END_TEST

/* ---- profiles ---- */

static void check_profile(walk *w, const char *profile, const char *id)
{
    w->conf.profile = sl_span_of(profile);
    begin(w, &sl_aws_source_profile);
    check_found(w, id, "profile");
}

static void check_bad_profile(walk *w, const char *profile, int code, const char *text)
{
    w->conf.profile = sl_span_of(profile);
    begin(w, &sl_aws_source_profile);
    check_failed(w, code, text);
    end(w);
}

START_TEST(aws_profile__keys_come_from_the_credentials_file_before_the_config_file)
{
    const char *home = sl_test_aws_env();
    walk w = {.rc = 0};
    begin(&w, &sl_aws_source_profile);
    check_failed(&w, SL_E_NOT_FOUND, "no \"default\" in");
    end(&w);
    sl_test_aws_file(
        home, ".aws/credentials",
        "[default]\naws_access_key_id = DEF\naws_secret_access_key = geheim\n"
        "[both]\naws_access_key_id = CRED\naws_secret_access_key = geheim\naws_session_token = t\n"
        "[half]\naws_access_key_id = HALF\n");
    sl_test_aws_file(
        home, ".aws/config",
        "[default]\nregion = eu-north-1\n[profile both]\naws_access_key_id = CONF\n"
        "[profile conf]\naws_access_key_id=CONF\naws_secret_access_key=geheim\n[profile none]\n");
    check_profile(&w, "", "DEF");
    end(&w);
    check_profile(&w, "both", "CRED");
    ck_assert(sl_span_is_cstr(w.ask.keys.credentials.session_token, "t"));
    end(&w);
    check_profile(&w, "conf", "CONF");
    end(&w);
    check_bad_profile(&w, "half", SL_E_SYNTAX, "\"half\": the secret access key is empty");
    check_bad_profile(&w, "none", SL_E_NOT_FOUND, "\"none\": the profile has no credentials");
    check_bad_profile(&w, "nobody", SL_E_CONFIG, "no \"nobody\" in");
    setenv("AWS_PROFILE", "both", 1);
    check_profile(&w, "", "CRED");
    end(&w);
    sl_buf path = SL_BUF_NONE;
    sl_buf_printf(&path, "%s/other", home);
    sl_test_aws_file(home, "other", "[both]\naws_access_key_id = OTHER\naws_secret_access_key = geheim\n");
    setenv("AWS_SHARED_CREDENTIALS_FILE", sl_buf_cstr(&path), 1);
    check_profile(&w, "", "OTHER");
    end(&w);
    setenv("AWS_CONFIG_FILE", home, 1); /* a folder */
    check_bad_profile(&w, "", SL_E_IO, "cannot read");
    sl_buf_release(&path);
}
END_TEST

START_TEST(aws_profile__what_cannot_be_done_is_told)
{
    const char *home = sl_test_aws_env();
    sl_test_aws_file(
        home, ".aws/config",
        "[profile process]\ncredential_process = /bin/true geheim\n"
        "[profile mfa]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = process\nmfa_serial = 1\n"
        "[profile lost]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = nobody\n"
        "[profile odd]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Moon\n"
        "[profile env]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Environment\n"
        "[profile x]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = y\n"
        "[profile y]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = x\n"
        "[profile sso]\nsso_account_id = 1\n");
    walk w = {.rc = 0};
    check_bad_profile(&w, "process", SL_E_UNSUPPORTED, "credential_process: sluice starts no other programs");
    check_bad_profile(&w, "mfa", SL_E_UNSUPPORTED, "mfa_serial");
    check_bad_profile(&w, "lost", SL_E_CONFIG, "source_profile \"nobody\" is not there");
    check_bad_profile(&w, "odd", SL_E_CONFIG, "credential_source is none of");
    check_bad_profile(&w, "env", SL_E_CONFIG, "AWS_ACCESS_KEY_ID is not set");
    check_bad_profile(&w, "x", SL_E_LIMIT, "more than 5 roles");
    check_bad_profile(&w, "sso", SL_E_CONFIG, "sso_account_id needs");
}
END_TEST

START_TEST(aws_profile__roles_are_noted_from_the_base_up)
{
    const char *home = sl_test_aws_env();
    sl_test_aws_file(home, ".aws/credentials",
                     "[base]\naws_access_key_id = BASE\naws_secret_access_key = geheim\n");
    sl_test_aws_file(
        home, ".aws/config",
        "[profile a]\nrole_arn = arn:a\nsource_profile = b\nexternal_id = e\nduration_seconds = 1800\n"
        "[profile b]\nrole_arn = arn:b\nsource_profile = base\nrole_session_name = n\n"
        "[profile self]\nrole_arn = arn:s\nsource_profile = self\naws_access_key_id = SELF\n"
        "aws_secret_access_key = geheim\n"
        "[profile ec2]\nrole_arn = arn:e\ncredential_source = Ec2InstanceMetadata\n");
    walk w = {.rc = 0};
    check_profile(&w, "a", "BASE");
    ck_assert_uint_eq(w.ask.role_count, 2);
    ck_assert(sl_span_is_cstr(w.ask.roles[0].arn, "arn:b"));
    ck_assert(sl_span_is_cstr(w.ask.roles[0].session_name, "n"));
    ck_assert(sl_span_is_cstr(w.ask.roles[1].arn, "arn:a"));
    ck_assert(sl_span_is_cstr(w.ask.roles[1].external_id, "e"));
    ck_assert_int_eq(w.ask.roles[1].duration_ns, 1800 * SL_NS_PER_S);
    end(&w);
    check_profile(&w, "self", "SELF");
    ck_assert_uint_eq(w.ask.role_count, 1);
    end(&w);
    w.conf.profile = SL_SPAN("ec2");
    begin(&w, &sl_aws_source_profile);
    check_want(&w, "PUT", "http://169.254.169.254", "/latest/api/token");
    answer(&w, "T");
    answer(&w, "role");
    answer(&w, METADATA);
    check_found(&w, "ASIA", "instance metadata");
    ck_assert_uint_eq(w.ask.role_count, 1);
    end(&w);
}
END_TEST

START_TEST(aws_profile__a_web_identity_of_its_own)
{
    const char *home = sl_test_aws_env();
    sl_test_aws_file(home, ".aws/config", "[default]\nrole_arn = arn:w\nweb_identity_token_file = ~/jwt\n");
    sl_test_aws_file(home, "jwt", "eyJ");
    walk w = {.rc = 0};
    begin(&w, &sl_aws_source_profile);
    check_want(&w, "POST", "https://sts.eu-west-1.amazonaws.com", "/");
    ck_assert(form_has(&w, "&RoleArn=arn%3Aw&"));
    answer(&w, STS);
    check_found(&w, "ROLE", "web identity");
    ck_assert_uint_eq(w.ask.role_count, 0);
    end(&w);
}
END_TEST

#define SSO_CONFIG                                                                                           \
    "[profile new]\nsso_session = my\nsso_account_id = 123\nsso_role_name = Read Only\n"                     \
    "[sso-session my]\nsso_region = us-east-2\nsso_start_url = https://d-1.awsapps.com/start\n"              \
    "[profile old]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = eu-west-1\n"                 \
    "sso_account_id = 123\nsso_role_name = Read\n"
/* The names of the files: SHA-1 of "my", and of the start URL. */
#define CACHE_NEW ".aws/sso/cache/3ece1471f44f63177cbc35ba0b904e0c096b6783.json"
#define CACHE_OLD ".aws/sso/cache/0c54b6c27e90660baa89eaad85ac1d5dae26cb7d.json"

START_TEST(aws_sso__uses_the_login_of_the_session_or_start_url)
{
    const char *home = sl_test_aws_env();
    sl_test_aws_file(home, ".aws/config", SSO_CONFIG);
    walk w = {.rc = 0};
    check_bad_profile(&w, "new", SL_E_ACCESS, "no login of `aws sso login`: cannot read");
    sl_test_aws_file(home, CACHE_NEW, "{\"accessToken\":\"geheim\",\"expiresAt\":\"2023-01-01T00:00:00Z\"}");
    check_bad_profile(&w, "new", SL_E_ACCESS, "the login has expired: run `aws sso login`");
    sl_test_aws_file(home, CACHE_NEW, "{\"accessToken\":\"geheim\"}");
    check_bad_profile(&w, "new", SL_E_SYNTAX, "damaged");
    sl_test_aws_file(home, CACHE_NEW, "{\"accessToken\":\"new\",\"expiresAt\":\"2030-01-01T00:00:00Z\"}");
    sl_test_aws_file(home, CACHE_OLD, "{\"accessToken\":\"old\",\"expiresAt\":\"2030-01-01T00:00:00Z\"}");
    w.conf.profile = SL_SPAN("new");
    begin(&w, &sl_aws_source_profile);
    check_want(&w, "GET", "https://portal.sso.us-east-2.amazonaws.com",
               "/federation/credentials?role_name=Read%20Only&account_id=123");
    check_header(&w, "x-amz-sso_bearer_token", "new");
    answer(
        &w,
        "{\"roleCredentials\":{\"accessKeyId\":\"SSO\",\"secretAccessKey\":\"geheim\",\"sessionToken\":\"t\","
        "\"expiration\":1893456000000}}");
    check_found(&w, "SSO", "profile");
    ck_assert_int_eq(w.ask.keys.credentials.expires_ns, INT64_C(1893456000) * SL_NS_PER_S);
    end(&w);
    setenv("AWS_ENDPOINT_URL_SSO", "http://127.0.0.1:9", 1);
    w.conf.profile = SL_SPAN("old");
    begin(&w, &sl_aws_source_profile);
    check_want(&w, "GET", "http://127.0.0.1:9", "/federation/credentials?role_name=Read&account_id=123");
    check_header(&w, "x-amz-sso_bearer_token", "old");
    end(&w);
}
END_TEST

START_TEST(aws_region__option_environment_profile)
{
    const char *home = sl_test_aws_env();
    walk w = {.rc = 0};
    begin(&w, &sl_aws_region_source);
    check_failed(&w, SL_E_NOT_FOUND, "set option `region`");
    end(&w);
    sl_test_aws_file(home, ".aws/config", "[default]\nregion=p-1\n[profile x]\nregion=p-2\n");
    const struct {
        const char *variable, *value, *region;
    } steps[] = {{"AWS_SDK_LOAD_CONFIG", "1", "p-1"},
                 {"AWS_PROFILE", "x", "p-2"},
                 {"AWS_DEFAULT_REGION", "e-1", "e-1"},
                 {"AWS_REGION", "e-2", "e-2"}};
    for (size_t i = 0; i < SL_LEN(steps); i++) {
        setenv(steps[i].variable, steps[i].value, 1);
        begin(&w, &sl_aws_region_source);
        ck_assert_int_eq(w.rc, 0);
        ck_assert(sl_span_is_cstr(w.ask.region, steps[i].region));
        end(&w);
    }
    w.conf.region = SL_SPAN("o-1");
    begin(&w, &sl_aws_region_source);
    ck_assert(sl_span_is_cstr(w.ask.region, "o-1"));
    end(&w);
}
END_TEST

SL_TEST_MAIN("aws_sources", aws_imds__asks_for_a_token_the_role_and_its_credentials,
             aws_imds__credentials_that_have_ended_are_used_a_while, aws_imds__follows_the_environment,
             aws_imds__a_token_that_could_break_out_of_its_header_is_none, aws_imds__knows_the_region,
             aws_container__asks_where_the_environment_says,
             aws_container__without_tls_only_this_machine_is_asked,
             aws_web_identity__sends_the_token_that_the_file_holds_now,
             aws_sts__is_asked_in_the_region_or_where_the_option_says,
             aws_role__is_asked_for_with_what_was_found,
             aws_profile__keys_come_from_the_credentials_file_before_the_config_file,
             aws_profile__what_cannot_be_done_is_told, aws_profile__roles_are_noted_from_the_base_up,
             aws_profile__a_web_identity_of_its_own, aws_sso__uses_the_login_of_the_session_or_start_url,
             aws_region__option_environment_profile)

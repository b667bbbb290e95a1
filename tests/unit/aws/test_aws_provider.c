/* A provider on a loop of its own; the test thread asks it through the loop. */
#include "aws_env.h"
#include "check_main.h"
#include "http_fixture.h"
#include <semaphore.h>
#include <sluice/aws.h>
#include <sluice/json.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const sl_aws_service logs = {.name = "logs", .host = "logs", .gov_is_fips = true};

typedef struct fixture {
    sl_aws_conf conf;
    sl_http_conf http;
    sl_loop *loop;
    sl_aws *aws;
    sem_t changed;
    /* what look() saw */
    int rc;
    sl_err err;
    char id[64], url[128], region[64], source[32];
    sl_aws_headers headers;
} fixture;

static void on_changed(void *arg)
{
    sem_post(&((fixture *)arg)->changed);
}

static void make(void *arg)
{
    fixture *f = arg;
    f->aws = sl_aws_new(f->loop, &f->conf, &logs, &f->http, on_changed, f);
    ck_assert_int_eq(sl_aws_ready(f->aws, &f->err), SL_E_AGAIN); /* never from within */
    ck_assert_ptr_null(sl_aws_credentials_get(f->aws));
    f->err.code = 0;
}

static void end(void *arg)
{
    sl_aws_free(((fixture *)arg)->aws);
}

static void copy(char *out, size_t size, sl_span text)
{
    ck_assert_uint_lt(text.len, size);
    if (text.len) memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

static void look(void *arg)
{
    fixture *f = arg;
    f->err = (sl_err)SL_ERR_NONE;
    f->rc = sl_aws_ready(f->aws, &f->err);
    const sl_aws_credentials *credentials = sl_aws_credentials_get(f->aws);
    ck_assert_int_eq(credentials != NULL, f->rc == 0);
    copy(f->id, sizeof f->id, credentials ? credentials->access_key_id : SL_SPAN_NONE);
    snprintf(f->source, sizeof f->source, "%s", credentials ? credentials->source : "");
    copy(f->url, sizeof f->url, sl_aws_url(f->aws));
    copy(f->region, sizeof f->region, sl_aws_region(f->aws));
}

static void sign(void *arg)
{
    fixture *f = arg;
    static const sl_http_header target = {"X-Amz-Target", SL_SPAN("Logs_20140328.PutLogEvents")};
    sl_aws_request req = {
        .method = "POST", .path = SL_SPAN("/"), .headers = &target, .header_count = 1, .body = SL_SPAN("{}")};
    sl_aws_sign(f->aws, &req, INT64_C(1440938160) * SL_NS_PER_S, &f->headers);
}

static void wait_change(fixture *f)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    ck_assert_msg(sem_timedwait(&f->changed, &until) == 0, "no change in 20 s");
    sl_loop_call_wait(f->loop, look, f);
}

static void start(fixture *f)
{
    sem_init(&f->changed, 0, 0);
    f->loop = sl_loop_new("aws");
    sl_loop_call_wait(f->loop, make, f);
    wait_change(f);
}

static void stop(fixture *f)
{
    sl_loop_call_wait(f->loop, end, f);
    sl_loop_free(f->loop);
    sem_destroy(&f->changed);
    sl_aws_headers_release(&f->headers);
}

#define WITH_OPTIONS                                                                                         \
    .region = SL_SPAN("eu-west-1"), .access_key_id = SL_SPAN("AKIDEXAMPLE"),                                 \
    .secret_access_key = SL_SPAN("geheim")

START_TEST(aws_provider__options_come_first)
{
    sl_test_aws_env();
    setenv("AWS_ACCESS_KEY_ID", "FROMENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "x", 1);
    setenv("AWS_REGION", "us-east-1", 1);
    fixture f = {.conf = {WITH_OPTIONS}};
    start(&f);
    ck_assert_int_eq(f.rc, 0);
    ck_assert_str_eq(f.id, "AKIDEXAMPLE");
    ck_assert_str_eq(f.source, "options");
    ck_assert_str_eq(f.region, "eu-west-1");
    ck_assert_str_eq(f.url, "https://logs.eu-west-1.amazonaws.com");
    stop(&f);
}
END_TEST

START_TEST(aws_provider__the_environment_is_read)
{
    sl_test_aws_env();
    setenv("AWS_ACCESS_KEY_ID", "FROMENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "x", 1);
    setenv("AWS_DEFAULT_REGION", "us-east-1", 1);
    fixture f = {.conf = {.credentials = SL_AWS_ENVIRONMENT}};
    start(&f);
    ck_assert_int_eq(f.rc, 0);
    ck_assert_str_eq(f.id, "FROMENV");
    ck_assert_str_eq(f.source, "environment");
    ck_assert_str_eq(f.region, "us-east-1");
    stop(&f);
}
END_TEST

START_TEST(aws_provider__says_what_was_tried_and_no_secret_and_tries_again)
{
    const char *home = sl_test_aws_env();
    sl_test_aws_file(home, ".aws/credentials",
                     "[default]\naws_access_key_id = A KEY geheim\naws_secret_access_key = geheim\n");
    fixture f = {.conf = {.region = SL_SPAN("us-east-1")}};
    start(&f);
    ck_assert_int_eq(f.rc, SL_E_SYNTAX);
    ck_assert_str_eq(
        f.err.text,
        "no AWS credentials: options: `access_key_id` is not set; environment: AWS_ACCESS_KEY_ID is "
        "not set; profile: \"default\": the access key id holds white space or a byte that is no ASCII");
    ck_assert_str_eq(f.url, "");
    sl_test_aws_file(home, ".aws/credentials",
                     "[default]\naws_access_key_id = NOWGOOD\naws_secret_access_key = s\n");
    wait_change(&f);
    ck_assert_int_eq(f.rc, 0);
    ck_assert_str_eq(f.id, "NOWGOOD");
    stop(&f);
}
END_TEST

START_TEST(aws_provider__a_region_that_nobody_names_is_an_error)
{
    sl_test_aws_env();
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    fixture f = {.conf = {WITH_OPTIONS}};
    f.conf.region = SL_SPAN_NONE;
    start(&f);
    ck_assert_int_eq(f.rc, SL_E_NOT_FOUND);
    ck_assert_str_eq(f.err.text, "no AWS region: region: set option `region`, or AWS_REGION; "
                                 "instance metadata: AWS_EC2_METADATA_DISABLED is true");
    stop(&f);
}
END_TEST

START_TEST(aws_provider__names_each_source_that_gave_nothing)
{
    sl_test_aws_env();
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1", 1);
    fixture f = {.conf = {.region = SL_SPAN("eu-west-1")}};
    start(&f);
    ck_assert_int_eq(f.rc, SL_E_NETWORK);
    const char *const parts[] = {"no AWS credentials: options: ",
                                 "; environment: ",
                                 "; profile: no \"default\" in ",
                                 "; web identity: ",
                                 "; container: ",
                                 "; instance metadata: no answer from http://127.0.0.1:1: "};
    for (size_t i = 0; i < SL_LEN(parts); i++)
        ck_assert_msg(strstr(f.err.text, parts[i]) != NULL, "%s: %s", parts[i], f.err.text);
    stop(&f);
}
END_TEST

START_TEST(aws_provider__a_profile_that_is_named_goes_before_the_environment)
{
    const char *home = sl_test_aws_env();
    sl_test_aws_file(home, ".aws/credentials",
                     "[mine]\naws_access_key_id=MINE\naws_secret_access_key=s\nregion=eu-west-3\n");
    setenv("AWS_ACCESS_KEY_ID", "FROMENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "x", 1);
    fixture f = {.conf = {.profile = SL_SPAN("mine")}};
    start(&f);
    ck_assert_msg(f.rc == 0, "%s", f.err.text);
    ck_assert_str_eq(f.id, "MINE");
    ck_assert_str_eq(f.region, "eu-west-3");
    stop(&f);
    setenv("AWS_PROFILE", "mine", 1); /* for the region only: keys in the environment are nearer */
    fixture g = {.conf = {.fips = false}};
    start(&g);
    ck_assert_str_eq(g.id, "FROMENV");
    ck_assert_str_eq(g.region, "eu-west-3");
    stop(&g);
}
END_TEST

/* ---- an instance and an STS of our own ---- */

typedef struct cloud {
    sl_test_server *server;
    int64_t life_ns;      /* of the credentials it gives; 0: they do not end */
    atomic_uint given;    /* IMDS1, IMDS2, … */
    atomic_uint requests; /* any */
    atomic_bool down, hang;
    char form[512]; /* of the last request to STS */
} cloud;

static void say_credentials(cloud *c, sl_buf *body)
{
    sl_buf_printf(body, "{\"Code\":\"Success\",\"AccessKeyId\":\"IMDS%u\",\"SecretAccessKey\":\"s\"",
                  ++c->given);
    if (c->life_ns) {
        sl_buf_append_cstr(body, ",\"Expiration\":\"");
        sl_json_write_time(body, sl_clock_wall_ns() + c->life_ns);
        sl_buf_append_char(body, '"');
    }
    sl_buf_append_char(body, '}');
}

static void say_role(cloud *c, const sl_test_request *req, sl_test_answer *answer)
{
    sl_span authorization = sl_test_header(req, "Authorization");
    size_t len = req->body.len < sizeof c->form - 1 ? req->body.len : sizeof c->form - 1;
    memcpy(c->form, req->body.ptr, len);
    c->form[len] = '\0';
    if (!sl_span_starts_with(authorization, SL_SPAN("AWS4-HMAC-SHA256 Credential=")))
        answer->status = 403;
    else
        sl_buf_append_cstr(&answer->body, "<Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>s"
                                          "</SecretAccessKey><SessionToken>t</SessionToken><Expiration>"
                                          "2100-01-01T00:00:00Z</Expiration></Credentials>");
}

static void serve(void *arg, const sl_test_request *req, sl_test_answer *answer)
{
    cloud *c = arg;
    c->requests++;
    bool has_token = sl_span_is_cstr(sl_test_header(req, "X-aws-ec2-metadata-token"), "TOKEN");
    if (c->hang) {
        answer->action = SL_TEST_HANG;
    } else if (c->down) {
        answer->status = 503;
    } else if (strcmp(req->method, "POST") == 0) {
        say_role(c, req, answer);
    } else if (strcmp(req->path, "/latest/api/token") == 0) {
        bool good = strcmp(req->method, "PUT") == 0 &&
                    sl_test_header(req, "X-aws-ec2-metadata-token-ttl-seconds").len > 0;
        if (good) sl_buf_append_cstr(&answer->body, "TOKEN");
        answer->status = good ? 200 : 400;
    } else if (strcmp(req->path, "/ended") == 0) {
        sl_buf_append_cstr(&answer->body, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Expiration\":"
                                          "\"2020-01-01T00:00:00Z\"}");
    } else if (!has_token) {
        answer->status = 401;
    } else if (strcmp(req->path, "/latest/meta-data/placement/region") == 0) {
        sl_buf_append_cstr(&answer->body, "eu-central-1");
    } else if (strcmp(req->path, "/latest/meta-data/iam/security-credentials/") == 0) {
        sl_buf_append_cstr(&answer->body, "web");
    } else if (strcmp(req->path, "/latest/meta-data/iam/security-credentials/web") == 0) {
        say_credentials(c, &answer->body);
    } else {
        answer->status = 404;
    }
}

static void open_cloud(cloud *c)
{
    sl_test_aws_env();
    c->server = sl_test_server_start(serve, c);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", sl_test_server_url(c->server), 1);
}

static void wait_until(fixture *f, int rc)
{
    do
        wait_change(f);
    while (f->rc != rc);
}

static void tell_expired(void *arg)
{
    fixture *f = arg;
    sl_aws_expired(f->aws);
    sl_aws_expired(f->aws); /* as several requests under way may */
    ck_assert_int_eq(sl_aws_ready(f->aws, NULL), SL_E_AGAIN);
}

START_TEST(aws_provider__an_instance_gives_region_and_credentials)
{
    cloud c = {.life_ns = 3600 * SL_NS_PER_S};
    open_cloud(&c);
    fixture f = {.conf = {.credentials = SL_AWS_IMDS}};
    start(&f);
    ck_assert_msg(f.rc == 0, "%s", f.err.text);
    ck_assert_str_eq(f.id, "IMDS1");
    ck_assert_str_eq(f.source, "instance metadata");
    ck_assert_str_eq(f.region, "eu-central-1");
    ck_assert_uint_eq(c.requests, 5);
    stop(&f);
    sl_test_server_stop(c.server);
}
END_TEST

START_TEST(aws_provider__credentials_are_replaced_before_they_end)
{
    cloud c = {.life_ns = 3 * SL_NS_PER_S};
    open_cloud(&c);
    fixture f = {.conf = {.credentials = SL_AWS_IMDS}};
    int64_t began = sl_clock_mono_ns();
    start(&f);
    for (unsigned i = 1; i <= 3; i++) { /* ready without a gap */
        char id[16];
        snprintf(id, sizeof id, "IMDS%u", i);
        ck_assert_int_eq(f.rc, 0);
        ck_assert_str_eq(f.id, id);
        wait_change(&f);
    }
    int64_t took = sl_clock_mono_ns() - began; /* three times a half, less the jitter */
    ck_assert_int_ge(took, 3 * 1000 * SL_NS_PER_MS);
    ck_assert_int_le(took, 6 * SL_NS_PER_S);
    stop(&f);
    sl_test_server_stop(c.server);
}
END_TEST

START_TEST(aws_provider__the_old_ones_stay_while_a_refresh_fails_and_until_they_end)
{
    cloud c = {.life_ns = 4 * SL_NS_PER_S};
    open_cloud(&c);
    fixture f = {.conf = {.credentials = SL_AWS_IMDS}};
    start(&f);
    c.down = true;
    wait_change(&f);
    ck_assert_int_eq(f.rc, 0);
    ck_assert_str_eq(f.id, "IMDS1");
    wait_until(&f, SL_E_REJECTED);
    ck_assert_ptr_nonnull(strstr(f.err.text, "no AWS credentials: instance metadata: "));
    ck_assert_ptr_nonnull(strstr(f.err.text, "answered 503"));
    c.down = false;
    wait_until(&f, 0);
    ck_assert_str_eq(f.id, "IMDS2");
    stop(&f);
    sl_test_server_stop(c.server);
}
END_TEST

START_TEST(aws_provider__what_the_service_refuses_is_asked_for_anew)
{
    cloud c = {.life_ns = 0};
    open_cloud(&c);
    fixture f = {.conf = {.credentials = SL_AWS_IMDS}};
    start(&f);
    sl_loop_call_wait(f.loop, tell_expired, &f);
    wait_change(&f);
    ck_assert_int_eq(f.rc, 0);
    ck_assert_str_eq(f.id, "IMDS2");
    ck_assert_uint_eq(c.given, 2);
    stop(&f);
    sl_test_server_stop(c.server);
}
END_TEST

START_TEST(aws_provider__credentials_that_have_ended_are_none)
{
    cloud c = {.life_ns = 0};
    open_cloud(&c);
    sl_buf uri = SL_BUF_NONE;
    sl_buf_printf(&uri, "%s/ended", sl_test_server_url(c.server));
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", sl_buf_cstr(&uri), 1);
    fixture f = {.conf = {.region = SL_SPAN("eu-west-1"), .credentials = SL_AWS_CONTAINER}};
    start(&f);
    ck_assert_int_eq(f.rc, SL_E_REJECTED);
    ck_assert_ptr_nonnull(strstr(f.err.text, "those of container have ended already"));
    stop(&f);
    sl_buf_release(&uri);
    sl_test_server_stop(c.server);
}
END_TEST

START_TEST(aws_provider__takes_on_a_role_with_what_it_found)
{
    cloud c = {.life_ns = 3600 * SL_NS_PER_S};
    open_cloud(&c);
    fixture f = {.conf = {.credentials = SL_AWS_IMDS,
                          .sts_endpoint = sl_span_of(sl_test_server_url(c.server)),
                          .assume_role = {.role_arn = SL_SPAN("arn:aws:iam::123456789012:role/logs"),
                                          .external_id = SL_SPAN("ours"),
                                          .session_name = SL_SPAN("sluice")}}};
    start(&f);
    ck_assert_msg(f.rc == 0, "%s", f.err.text);
    ck_assert_str_eq(f.id, "ROLE");
    stop(&f);
    sl_test_server_stop(c.server);
    ck_assert_str_eq(c.form,
                     "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3A"
                     "role%2Flogs&RoleSessionName=sluice&ExternalId=ours");
}
END_TEST

START_TEST(aws_provider__may_be_freed_while_it_asks)
{
    cloud c = {.hang = true};
    open_cloud(&c);
    fixture f = {.conf = {.credentials = SL_AWS_IMDS}};
    sem_init(&f.changed, 0, 0);
    f.loop = sl_loop_new("aws");
    sl_loop_call_wait(f.loop, make, &f);
    for (int i = 0; i < 200 && !c.requests; i++)
        usleep(10000);
    ck_assert_uint_eq(c.requests, 1);
    stop(&f);
    sl_test_server_stop(c.server);
}
END_TEST

START_TEST(aws_provider__who_does_not_answer_is_not_waited_for_long)
{
    cloud c = {.hang = true};
    open_cloud(&c);
    fixture f = {.conf = {.region = SL_SPAN("eu-west-1"), .credentials = SL_AWS_IMDS}};
    int64_t began = sl_clock_mono_ns();
    start(&f);
    ck_assert_int_eq(f.rc, SL_E_NETWORK);
    ck_assert_int_le(sl_clock_mono_ns() - began, 4 * SL_NS_PER_S);
    stop(&f);
    sl_test_server_stop(c.server);
}
END_TEST

/* The signatures wanted are botocore's SigV4Auth's, for the same URL, headers and body. */
START_TEST(aws_provider__signs_what_the_client_sends)
{
    sl_test_aws_env();
    const struct {
        const char *endpoint, *server_name, *signature;
    } cases[] = {
        {"", "", "576b3511f64ef35ce44be3a777eb37fd1a7e023136b38023c435c84f414b9ec9"},
        {"http://127.0.0.1:5000/prefix/", "",
         "5fb14086a200ba5cae4598324ee09f936bfa389650a7d7bf12554ba3a2111d62"},
        {"https://[::1]:443", "", "92b0f2b4438922986b38b812a59b2cadf9e3eee3652352b5ec1cd588c859814f"},
        {"https://10.0.0.1:8443", "logs.example",
         "fb11752311a217b0452b56a58fde05509e6da4ce967f0a01f1bc0b21143f82fc"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        fixture f = {.conf = {WITH_OPTIONS, .endpoint = sl_span_of(cases[i].endpoint)},
                     .http.tls.server_name = sl_span_of(cases[i].server_name)};
        start(&f);
        sl_loop_call_wait(f.loop, sign, &f);
        ck_assert_uint_eq(f.headers.count, 2);
        ck_assert_msg(sl_span_ends_with(f.headers.items[0].value, sl_span_of(cases[i].signature)),
                      "%s: " SL_SPAN_FMT, cases[i].endpoint, SL_SPAN_ARG(f.headers.items[0].value));
        stop(&f);
    }
}
END_TEST

SL_TEST_MAIN("aws_provider", aws_provider__options_come_first, aws_provider__the_environment_is_read,
             aws_provider__says_what_was_tried_and_no_secret_and_tries_again,
             aws_provider__a_region_that_nobody_names_is_an_error,
             aws_provider__names_each_source_that_gave_nothing,
             aws_provider__a_profile_that_is_named_goes_before_the_environment,
             aws_provider__an_instance_gives_region_and_credentials,
             aws_provider__credentials_are_replaced_before_they_end,
             aws_provider__the_old_ones_stay_while_a_refresh_fails_and_until_they_end,
             aws_provider__what_the_service_refuses_is_asked_for_anew,
             aws_provider__credentials_that_have_ended_are_none,
             aws_provider__takes_on_a_role_with_what_it_found, aws_provider__may_be_freed_while_it_asks,
             aws_provider__who_does_not_answer_is_not_waited_for_long,
             aws_provider__signs_what_the_client_sends)

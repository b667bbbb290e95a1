/* A provider on a loop of its own; the test thread asks it through the loop. */
#include "check_main.h"
#include <semaphore.h>
#include <sluice/aws.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

static void clear_environment(void)
{
    static const char *const names[] = {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};
    for (size_t i = 0; i < SL_LEN(names); i++)
        unsetenv(names[i]);
}

#define WITH_OPTIONS                                                                                         \
    .region = SL_SPAN("eu-west-1"), .access_key_id = SL_SPAN("AKIDEXAMPLE"),                                 \
    .secret_access_key = SL_SPAN("geheim")

START_TEST(aws_provider__options_come_first)
{
    clear_environment();
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
    clear_environment();
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
    clear_environment();
    setenv("AWS_ACCESS_KEY_ID", "A KEY geheim", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "geheim", 1);
    setenv("AWS_REGION", "us-east-1", 1);
    fixture f = {.conf = {.region = SL_SPAN_NONE}};
    start(&f);
    ck_assert_int_eq(f.rc, SL_E_SYNTAX);
    ck_assert_ptr_nonnull(strstr(f.err.text, "no AWS credentials: options: `access_key_id` is not set; "
                                             "environment: the access key id holds white space"));
    ck_assert_ptr_null(strstr(f.err.text, "geheim"));
    ck_assert_str_eq(f.url, "");
    setenv("AWS_ACCESS_KEY_ID", "NOWGOOD", 1);
    wait_change(&f);
    ck_assert_int_eq(f.rc, 0);
    ck_assert_str_eq(f.id, "NOWGOOD");
    stop(&f);
}
END_TEST

START_TEST(aws_provider__a_region_that_nobody_names_is_an_error)
{
    clear_environment();
    fixture f = {.conf = {WITH_OPTIONS}};
    f.conf.region = SL_SPAN_NONE;
    start(&f);
    ck_assert_int_eq(f.rc, SL_E_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(f.err.text, "no AWS region"));
    stop(&f);
}
END_TEST

/* The signatures wanted are botocore's SigV4Auth's, for the same URL, headers and body. */
START_TEST(aws_provider__signs_what_the_client_sends)
{
    clear_environment();
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
             aws_provider__a_region_that_nobody_names_is_an_error, aws_provider__signs_what_the_client_sends)

#include "check_main.h"
#include "http_fixture.h"
#include "net/compress.h"
#include "net/http_client.h"
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A client on a loop of its own, and a test thread that waits for answers. */
typedef struct fixture {
    sl_loop *loop;
    sl_http_conf conf;
    sl_span urls[4];
    sl_http_client *client;
    sem_t answered;
    unsigned answers;
    sl_answer last; /* spans point into the buffers below */
    char body[4096], error[512], url[128];
    size_t healthy;
    sl_http_send send;
    sl_http_call *call;
} fixture;

static void make_client(void *arg)
{
    fixture *f = arg;
    f->client = sl_http_client_new(f->loop, &f->conf);
}

static void free_client(void *arg)
{
    fixture *f = arg;
    sl_http_client_free(f->client);
    f->client = NULL;
}

static void start(fixture *f, const char *const *urls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        f->urls[i] = sl_span_of(urls[i]);
    f->conf.url = (sl_list){f->urls, count};
    if (!f->conf.timeout_ns) f->conf.timeout_ns = 5 * SL_NS_PER_S;
    if (!f->conf.connect_timeout_ns) f->conf.connect_timeout_ns = 5 * SL_NS_PER_S;
    if (!f->conf.max_answer) f->conf.max_answer = 4096;
    f->conf.tls.verify = true;
    sem_init(&f->answered, 0, 0);
    f->loop = sl_loop_new("http");
    sl_loop_call_wait(f->loop, make_client, f);
}

static void stop(fixture *f)
{
    sl_loop_call_wait(f->loop, free_client, f);
    sl_loop_free(f->loop);
    sem_destroy(&f->answered);
}

static void on_answer(void *arg, const sl_answer *answer)
{
    fixture *f = arg;
    f->last = *answer;
    snprintf(f->body, sizeof f->body, SL_SPAN_FMT, SL_SPAN_ARG(answer->body));
    snprintf(f->error, sizeof f->error, "%s", answer->error ? answer->error : "");
    snprintf(f->url, sizeof f->url, SL_SPAN_FMT, SL_SPAN_ARG(answer->url));
    f->healthy = sl_http_client_healthy(f->client);
    f->answers++;
    sem_post(&f->answered);
}

static void send_now(void *arg)
{
    fixture *f = arg;
    f->send.answered = on_answer;
    f->send.arg = f;
    f->call = sl_http_client_send(f->client, &f->send);
}

static void wait_answer(fixture *f)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    ck_assert_msg(sem_timedwait(&f->answered, &until) == 0, "no answer in 20 s");
}

static void ask(fixture *f, const char *method, const char *path, sl_span body)
{
    f->send.method = method;
    f->send.path = sl_span_of(path);
    f->send.body = body;
    if (!f->send.content_type && body.len) f->send.content_type = "application/x-ndjson";
    sl_loop_call_wait(f->loop, send_now, f);
    wait_answer(f);
}

/* ---- a handler that records, and answers as it was told ---- */

typedef struct script {
    sl_test_answer answers[8]; /* the last one again and again */
    size_t count, requests, gets;
    char method[16], path[2048], authorization[128], type[64], encoding[32], extra[64], host[64];
    bool expect, echo;
    sl_buf body;
} script;

static void keep(char *out, size_t size, sl_span value)
{
    snprintf(out, size, SL_SPAN_FMT, SL_SPAN_ARG(value));
}

static void follow_script(void *arg, const sl_test_request *req, sl_test_answer *answer)
{
    script *s = arg;
    if (s->count) {
        const sl_test_answer *told = &s->answers[s->requests < s->count ? s->requests : s->count - 1];
        *answer = *told;
        answer->body = (sl_buf)SL_BUF_NONE;
        sl_buf_append(&answer->body, told->body.ptr, told->body.len);
        if (!answer->status) answer->status = 200;
    }
    s->requests++;
    s->gets += strcmp(req->method, "GET") == 0;
    strcpy(s->method, req->method);
    strcpy(s->path, req->path);
    keep(s->authorization, sizeof s->authorization, sl_test_header(req, "Authorization"));
    keep(s->type, sizeof s->type, sl_test_header(req, "Content-Type"));
    keep(s->encoding, sizeof s->encoding, sl_test_header(req, "Content-Encoding"));
    keep(s->extra, sizeof s->extra, sl_test_header(req, "X-Team"));
    s->expect = sl_test_header(req, "Expect").len > 0;
    sl_buf_clear(&s->body);
    sl_buf_append_span(&s->body, req->body);
}

static sl_test_answer says(int status, const char *text)
{
    return (sl_test_answer){.status = status, .body = {(char *)(uintptr_t)text, strlen(text), 0}};
}

/* ---- tests ---- */

START_TEST(http_client__sends_what_it_is_given_and_reads_what_comes)
{
    script s = {.count = 1, .answers = {says(201, "{\"ok\":true}")}};
    sl_test_server *server = sl_test_server_start(follow_script, &s);
    const char *url = sl_test_server_url(server);
    char base[128];
    snprintf(base, sizeof base, "%s/es/", url); /* a path of its own, and a slash too many */
    const char *urls[] = {base};
    sl_opt_pair header = {SL_SPAN("X-Team"), SL_SPAN("booking")};
    fixture f = {.conf = {.headers = {&header, 1}}};
    start(&f, urls, 1);
    ask(&f, "POST", "/_bulk?x=1", SL_SPAN("a\nb\n"));
    ck_assert_int_eq(f.last.transport, SL_TRANSPORT_OK);
    ck_assert_int_eq(f.last.status, 201);
    ck_assert_str_eq(f.body, "{\"ok\":true}");
    ck_assert_int_gt(f.last.duration_ns, 0);
    ck_assert_str_eq(s.method, "POST");
    ck_assert_str_eq(s.path, "/es/_bulk?x=1");
    ck_assert_str_eq(s.type, "application/x-ndjson");
    ck_assert_str_eq(s.encoding, "");
    ck_assert_str_eq(s.extra, "booking");
    ck_assert_str_eq(s.authorization, "");
    ck_assert(!s.expect);
    ck_assert_str_eq(sl_buf_cstr(&s.body), "a\nb\n");
    ask(&f, "PUT", "/_index_template/x", SL_SPAN("{}"));
    ck_assert_str_eq(s.method, "PUT");
    ck_assert_str_eq(sl_buf_cstr(&s.body), "{}");
    f.send.content_type = NULL;
    ask(&f, "GET", "/", SL_SPAN_NONE);
    ck_assert_str_eq(s.method, "GET");
    ck_assert_uint_eq(s.body.len, 0);
    ck_assert_str_eq(s.type, "");
    ask(&f, "HEAD", "/_ilm/policy/x", SL_SPAN_NONE);
    ck_assert_str_eq(s.method, "HEAD");
    ck_assert_int_eq(f.last.status, 201);
    ck_assert_uint_eq(sl_test_server_connections(server), 1); /* one connection for all of them */
    stop(&f);
    sl_test_server_stop(server);
    sl_buf_release(&s.body);
}
END_TEST

START_TEST(http_client__headers_of_one_request_are_not_those_of_the_next)
{
    script s = {.count = 1, .answers = {says(200, "")}};
    sl_test_server *server = sl_test_server_start(follow_script, &s);
    const char *urls[] = {sl_test_server_url(server)};
    fixture f = {0};
    start(&f, urls, 1);
    const sl_http_header own[] = {{"X-Team", SL_SPAN("one")}, {"Authorization", SL_SPAN("AWS4 x")}};
    f.send.headers = own;
    f.send.header_count = 2;
    ask(&f, "POST", "/", SL_SPAN("x"));
    ck_assert_str_eq(s.extra, "one");
    ck_assert_str_eq(s.authorization, "AWS4 x");
    ck_assert_str_eq(s.type, "application/x-ndjson");
    f.send.header_count = 1;
    ask(&f, "POST", "/", SL_SPAN("x"));
    ck_assert_str_eq(s.extra, "one");
    ck_assert_str_eq(s.authorization, "");
    f.send.header_count = 0;
    ask(&f, "POST", "/", SL_SPAN("x"));
    ck_assert_str_eq(s.extra, "");
    ck_assert_str_eq(s.type, "application/x-ndjson");
    stop(&f);
    sl_test_server_stop(server);
    sl_buf_release(&s.body);
}
END_TEST

START_TEST(http_client__large_bodies_arrive_whole)
{
    script s = {0};
    sl_test_server *server = sl_test_server_start(follow_script, &s);
    const char *urls[] = {sl_test_server_url(server)};
    fixture f = {0};
    start(&f, urls, 1);
    sl_buf body = SL_BUF_NONE;
    for (uint64_t i = 0; i < 1000000; i++)
        sl_buf_append_u64(&body, i);
    f.send.content_encoding = "gzip";
    for (int i = 0; i < 3; i++) {
        ask(&f, "POST", "/", sl_buf_span(&body));
        ck_assert_int_eq(f.last.status, 200);
        ck_assert(sl_span_is(sl_buf_span(&s.body), sl_buf_span(&body)));
    }
    ck_assert_str_eq(s.encoding, "gzip");
    stop(&f);
    sl_test_server_stop(server);
    sl_buf_release(&s.body);
    sl_buf_release(&body);
}
END_TEST

START_TEST(http_client__logs_in_each_way)
{
    const struct {
        sl_auth_conf auth;
        const char *header;
    } cases[] = {
        {{.user = SL_SPAN("elastic"), .password = SL_SPAN("p:w")}, "Basic ZWxhc3RpYzpwOnc="},
        {{.user = SL_SPAN("ab"), .password = SL_SPAN("")}, "Basic YWI6"},
        {{.user = SL_SPAN("abc"), .password = SL_SPAN("")}, "Basic YWJjOg=="},
        {{.api_key = SL_SPAN("VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6")}, "ApiKey VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6"},
        {{.api_key = SL_SPAN("id:key")}, "ApiKey aWQ6a2V5"},
        {{.bearer = SL_SPAN("a.b.c")}, "Bearer a.b.c"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        script s = {0};
        sl_test_server *server = sl_test_server_start(follow_script, &s);
        const char *urls[] = {sl_test_server_url(server)};
        fixture f = {.conf.auth = cases[i].auth};
        start(&f, urls, 1);
        ask(&f, "GET", "/", SL_SPAN_NONE);
        ck_assert_str_eq(s.authorization, cases[i].header);
        stop(&f);
        sl_test_server_stop(server);
        sl_buf_release(&s.body);
    }
}
END_TEST

START_TEST(http_client__reads_retry_after_as_seconds_and_as_a_date)
{
    char date[128], far[128];
    time_t then = time(NULL) + 30;
    strftime(date, sizeof date, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime(&then));
    then += 400000000;
    strftime(far, sizeof far, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime(&then));
    script s = {.count = 7,
                .answers = {says(429, ""), says(503, ""), says(429, ""), says(429, ""), says(429, ""),
                            says(429, ""), says(429, "")}};
    s.answers[0].headers = "Retry-After: 7\r\n";
    s.answers[1].headers = date;
    s.answers[2].headers = "Retry-After: 99999999999999999999\r\n";
    s.answers[3].headers = far;
    s.answers[4].headers = "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n";
    s.answers[5].headers = "Retry-After: soon\r\n";
    sl_test_server *server = sl_test_server_start(follow_script, &s);
    const char *urls[] = {sl_test_server_url(server)};
    fixture f = {0};
    start(&f, urls, 1);
    ask(&f, "GET", "/", SL_SPAN_NONE);
    ck_assert_int_eq(f.last.status, 429);
    ck_assert_int_eq(f.last.retry_after_ns, 7 * SL_NS_PER_S);
    ask(&f, "GET", "/", SL_SPAN_NONE);
    ck_assert_int_ge(f.last.retry_after_ns, 27 * SL_NS_PER_S);
    ck_assert_int_le(f.last.retry_after_ns, 30 * SL_NS_PER_S);
    ask(&f, "GET", "/", SL_SPAN_NONE);
    ck_assert_int_le(f.last.retry_after_ns, SL_MAX_RETRY_AFTER_NS);
    ask(&f, "GET", "/", SL_SPAN_NONE);
    ck_assert_int_eq(f.last.retry_after_ns, SL_MAX_RETRY_AFTER_NS);
    for (int i = 4; i < 7; i++) {
        ask(&f, "GET", "/", SL_SPAN_NONE);
        ck_assert_int_eq(f.last.retry_after_ns, 0);
    }
    stop(&f);
    sl_test_server_stop(server);
    sl_buf_release(&s.body);
}
END_TEST

START_TEST(http_client__reads_the_other_sides_clock)
{
    script s = {.count = 3, .answers = {says(200, ""), says(403, ""), says(200, "")}};
    s.answers[1].headers = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    s.answers[2].headers = "Date: yesterday\r\n";
    sl_test_server *server = sl_test_server_start(follow_script, &s);
    const char *urls[] = {sl_test_server_url(server)};
    fixture f = {0};
    start(&f, urls, 1);
    const int64_t wanted[] = {0, 784111777 * SL_NS_PER_S, 0};
    for (size_t i = 0; i < SL_LEN(wanted); i++) {
        ask(&f, "GET", "/", SL_SPAN_NONE);
        ck_assert_int_eq(f.last.date_ns, wanted[i]);
    }
    stop(&f);
    sl_test_server_stop(server);
    sl_buf_release(&s.body);
}
END_TEST

START_TEST(http_client__names_what_went_wrong)
{
    script s = {.count = 5,
                .answers = {{.action = SL_TEST_CLOSE},
                            {.action = SL_TEST_CUT, .body = {"0123456789", 10, 0}},
                            {.action = SL_TEST_GARBAGE},
                            {.action = SL_TEST_HANG}}};
    sl_test_server *server = sl_test_server_start(follow_script, &s);
    const char *urls[] = {sl_test_server_url(server)};
    fixture f = {.conf.timeout_ns = 300 * SL_NS_PER_MS};
    start(&f, urls, 1);
    const sl_transport_error wanted[] = {SL_TRANSPORT_BROKEN, SL_TRANSPORT_BROKEN, SL_TRANSPORT_BROKEN,
                                         SL_TRANSPORT_TIMEOUT};
    for (size_t i = 0; i < SL_LEN(wanted); i++) {
        ask(&f, "POST", "/", SL_SPAN("x"));
        ck_assert_msg(f.last.transport == wanted[i], "answer %zu: %d %s", i, f.last.transport, f.error);
        ck_assert_str_ne(f.error, "");
        ck_assert_int_eq(f.last.status, 0);
        ck_assert_uint_eq(f.healthy, 0);
    }
    ask(&f, "POST", "/", SL_SPAN("x"));
    ck_assert_int_eq(f.last.status, 200);
    ck_assert_uint_eq(f.healthy, 1);
    stop(&f);
    sl_test_server_stop(server);
    sl_buf_release(&s.body);

    const struct {
        const char *url;
        sl_transport_error transport;
    } cases[] = {{"http://127.0.0.1:1", SL_TRANSPORT_CONNECT},
                 {"http://no-such-host.invalid", SL_TRANSPORT_RESOLVE}};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        fixture g = {0};
        start(&g, &cases[i].url, 1);
        ask(&g, "GET", "/", SL_SPAN_NONE);
        ck_assert_msg(g.last.transport == cases[i].transport, "%s: %d %s", cases[i].url, g.last.transport,
                      g.error);
        stop(&g);
    }
}
END_TEST

START_TEST(http_client__an_answer_is_read_up_to_its_limit)
{
    char text[2000];
    memset(text, 'x', sizeof text);
    script s = {.count = 3,
                .answers = {{.body = {text, 1024, 0}}, {.body = {text, 1025, 0}}, {.body = {text, 1, 0}}}};
    sl_test_server *server = sl_test_server_start(follow_script, &s);
    const char *urls[] = {sl_test_server_url(server)};
    fixture f = {.conf.max_answer = 1024};
    start(&f, urls, 1);
    ask(&f, "GET", "/", SL_SPAN_NONE);
    ck_assert_uint_eq(f.last.body.len, 1024);
    ask(&f, "GET", "/", SL_SPAN_NONE);
    ck_assert_int_eq(f.last.transport, SL_TRANSPORT_BROKEN);
    ck_assert_ptr_nonnull(strstr(f.error, "max_answer"));
    ask(&f, "GET", "/", SL_SPAN_NONE);
    ck_assert_int_eq(f.last.status, 200);
    stop(&f);
    sl_test_server_stop(server);
    sl_buf_release(&s.body);
}
END_TEST

START_TEST(http_client__does_not_follow_redirects)
{
    script s = {.count = 1, .answers = {says(302, "")}};
    s.answers[0].headers = "Location: http://127.0.0.1:1/elsewhere\r\n";
    sl_test_server *server = sl_test_server_start(follow_script, &s);
    const char *urls[] = {sl_test_server_url(server)};
    fixture f = {.conf.auth.bearer = SL_SPAN("t")};
    start(&f, urls, 1);
    ask(&f, "POST", "/", SL_SPAN("x"));
    ck_assert_int_eq(f.last.transport, SL_TRANSPORT_OK);
    ck_assert_int_eq(f.last.status, 302);
    ck_assert_uint_eq(s.requests, 1);
    stop(&f);
    sl_test_server_stop(server);
    sl_buf_release(&s.body);
}
END_TEST

START_TEST(http_client__spreads_over_the_healthy_and_comes_back_to_the_healed)
{
    script a = {.count = 2, .answers = {says(503, ""), says(200, "")}}, b = {0};
    sl_test_server *one = sl_test_server_start(follow_script, &a);
    sl_test_server *two = sl_test_server_start(follow_script, &b);
    const char *urls[] = {sl_test_server_url(one), sl_test_server_url(two)};
    fixture f = {0};
    start(&f, urls, 2);
    ask(&f, "POST", "/", SL_SPAN("x")); /* the first address: 503 */
    ck_assert_str_eq(f.url, urls[0]);
    ck_assert_uint_eq(f.healthy, 1);
    for (int i = 0; i < 4; i++) {
        ask(&f, "POST", "/", SL_SPAN("x"));
        ck_assert_str_eq(f.url, urls[1]);
    }
    /* Its probe is due within a second; a request then carries the probe along, and the address is back. */
    for (int i = 0; i < 600 && f.healthy < 2; i++) {
        struct timespec nap = {0, 5000000};
        nanosleep(&nap, NULL);
        ask(&f, "POST", "/", SL_SPAN("x"));
    }
    ck_assert_uint_eq(f.healthy, 2);
    ck_assert_uint_eq(a.gets, 1); /* the probe was a request of its own */
    size_t before_a = a.requests, before_b = b.requests;
    for (int i = 0; i < 10; i++)
        ask(&f, "POST", "/", SL_SPAN("x"));
    ck_assert_uint_eq(a.requests, before_a + 5); /* in turn again */
    ck_assert_uint_eq(b.requests, before_b + 5);
    stop(&f);
    sl_test_server_stop(one);
    sl_test_server_stop(two);
    sl_buf_release(&a.body);
    sl_buf_release(&b.body);
}
END_TEST

START_TEST(http_client__a_dead_address_is_left_for_the_other)
{
    script s = {0};
    sl_test_server *server = sl_test_server_start(follow_script, &s);
    const char *urls[] = {"http://127.0.0.1:1", sl_test_server_url(server)};
    fixture f = {0};
    start(&f, urls, 2);
    ask(&f, "POST", "/", SL_SPAN("x"));
    ck_assert_int_eq(f.last.transport, SL_TRANSPORT_CONNECT);
    for (int i = 0; i < 20; i++) {
        ask(&f, "POST", "/", SL_SPAN("x"));
        ck_assert_int_eq(f.last.status, 200);
    }
    stop(&f);
    sl_test_server_stop(server);
    sl_buf_release(&s.body);
}
END_TEST

static void cancel(void *arg)
{
    sl_http_call_cancel(((fixture *)arg)->call);
}

START_TEST(http_client__a_cancelled_call_is_not_answered)
{
    script s = {.count = 2, .answers = {{.delay_ms = 100}, says(200, "")}};
    sl_test_server *server = sl_test_server_start(follow_script, &s);
    const char *urls[] = {sl_test_server_url(server)};
    fixture f = {0};
    start(&f, urls, 1);
    f.send = (sl_http_send){.method = "GET", .path = SL_SPAN("/")};
    sl_loop_call_wait(f.loop, send_now, &f);
    sl_loop_call_wait(f.loop, cancel, &f);
    ask(&f, "GET", "/", SL_SPAN_NONE);
    ck_assert_uint_eq(f.answers, 1);
    /* And those under way when the client is freed. */
    sl_loop_call_wait(f.loop, send_now, &f);
    stop(&f);
    ck_assert_uint_le(f.answers, 2);
    sl_test_server_stop(server);
    sl_buf_release(&s.body);
}
END_TEST

SL_TEST_MAIN("http_client", http_client__sends_what_it_is_given_and_reads_what_comes,
             http_client__headers_of_one_request_are_not_those_of_the_next,
             http_client__large_bodies_arrive_whole, http_client__logs_in_each_way,
             http_client__reads_retry_after_as_seconds_and_as_a_date,
             http_client__reads_the_other_sides_clock, http_client__names_what_went_wrong,
             http_client__an_answer_is_read_up_to_its_limit, http_client__does_not_follow_redirects,
             http_client__spreads_over_the_healthy_and_comes_back_to_the_healed,
             http_client__a_dead_address_is_left_for_the_other, http_client__a_cancelled_call_is_not_answered)

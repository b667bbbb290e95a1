#include "engine_fixture.h"
#include "http_fixture.h"
#include <libdeflate.h>

/* An HTTP plugin: a line a record; a record whose answer line says "busy" goes again, "no" is refused. */
typedef struct web {
    sl_output *out;
    sl_http_conf http;
    sl_span urls[2];
    unsigned encodes, prepares, prepare_errors_left;
    bool prepared_first; /* no record came before the first preparation */
} web;

static web *the_web;

static void *web_start(sl_output *out, const void *conf, sl_err *err)
{
    (void)conf;
    (void)err;
    the_web->out = out;
    return the_web;
}

static const sl_http_conf *web_http(void *self)
{
    return &((web *)self)->http;
}

static void web_encode(void *self, sl_request *req)
{
    web *w = self;
    w->encodes++;
    sl_buf_append_cstr(&req->path, "/lines");
    req->content_type = "text/plain";
    for (uint32_t i = 0; i < req->count; i++) {
        sl_record_write(req->recs[i].batch, req->recs[i].rec, &req->body);
        sl_buf_append_char(&req->body, '\n');
    }
}

static void web_judge(void *self, const sl_request *req, const sl_answer *answer, sl_verdict *verdict)
{
    (void)self;
    if (verdict->kind != SL_VERDICT_DELIVERED) return;
    const char *at = answer->body.ptr, *end = at + answer->body.len;
    for (uint32_t i = 0; at < end && i < req->count; i++, at++) {
        if (*at == 'b') sl_verdict_set_record(verdict, i, SL_VERDICT_RETRY, SL_SPAN("busy"));
        if (*at == 'n') sl_verdict_set_record(verdict, i, SL_VERDICT_REJECT, SL_SPAN("no"));
    }
}

static void on_hello(void *self, const sl_answer *answer, void *arg)
{
    web *w = self;
    ck_assert_ptr_eq(arg, w);
    w->prepares++;
    if (answer->status == 200 && sl_span_is(answer->body, SL_SPAN("hello {}"))) {
        sl_output_ready(w->out);
        return;
    }
    sl_err err = SL_ERR_NONE;
    sl_err_set(&err, SL_E_NETWORK, "no hello from there");
    sl_output_not_ready(w->out, &err);
}

static void web_prepare(void *self)
{
    web *w = self;
    sl_output_http_call(
        w->out,
        &(sl_output_call){
            .method = "PUT", .path = "/hello", .body = SL_SPAN("{}"), .answered = on_hello, .arg = w});
}

static void web_free(void *self)
{
    (void)self;
}

static const sl_output_ops web_ops = {
    .start = web_start, .http = web_http, .encode = web_encode, .judge = web_judge, .free = web_free};
static const sl_output_ops preparing_ops = {.start = web_start,
                                            .http = web_http,
                                            .encode = web_encode,
                                            .judge = web_judge,
                                            .prepare = web_prepare,
                                            .free = web_free};
static const sl_plugin web_plugin = {
    .abi = SL_ABI_VERSION, .kind = SL_PLUGIN_OUTPUT, .name = "web", .output = &web_ops};
static const sl_plugin preparing_plugin = {
    .abi = SL_ABI_VERSION, .kind = SL_PLUGIN_OUTPUT, .name = "web", .output = &preparing_ops};

/* ---- the server ---- */

typedef struct place {
    unsigned seen[MAX_FRAMES][64];
    unsigned requests, hellos, records, most_records;
    size_t most_bytes;
    unsigned fail_left; /* so many requests are answered by `fail` */
    sl_test_answer fail;
    unsigned hello_fail_left;
    unsigned max_records; /* more: 413 */
    const char *(*answer)(unsigned frame, unsigned n, unsigned seen);
    bool gzip;
    int delay_ms;
} place;

#define MAX_PLAIN (4u << 20)

/* To be freed: the places of a test are served at the same time. */
static char *plain_body(const place *p, const sl_test_request *req, size_t *len)
{
    char *plain = sl_alloc(MAX_PLAIN);
    ck_assert_uint_lt(req->body.len, MAX_PLAIN);
    if (!p->gzip) {
        memcpy(plain, req->body.ptr, req->body.len);
        *len = req->body.len;
    } else {
        ck_assert(sl_span_is(sl_test_header(req, "Content-Encoding"), SL_SPAN("gzip")));
        struct libdeflate_decompressor *gzip = libdeflate_alloc_decompressor();
        ck_assert_int_eq(
            libdeflate_gzip_decompress(gzip, req->body.ptr, req->body.len, plain, MAX_PLAIN - 1, len),
            LIBDEFLATE_SUCCESS);
        libdeflate_free_decompressor(gzip);
    }
    plain[*len] = '\0';
    return plain;
}

static unsigned count_lines(const char *text)
{
    unsigned lines = 0;
    for (; (text = strchr(text, '\n')); text++)
        lines++;
    return lines;
}

static void take_line(place *p, const char *line, sl_test_answer *answer)
{
    unsigned long long frame;
    unsigned n;
    const char *at = strstr(line, "\"frame\"");
    ck_assert_int_eq(sscanf(at, "\"frame\":%llu,\"n\":%u,", &frame, &n), 2);
    const char *mark = p->answer ? p->answer((unsigned)frame, n, p->seen[frame][n]) : "+";
    p->seen[frame][n]++;
    sl_buf_append_cstr(&answer->body, mark);
    p->records++;
}

static void take_lines(place *p, char *text, size_t len, sl_test_answer *answer)
{
    unsigned lines = count_lines(text);
    if (p->fail_left) {
        p->fail_left--;
        answer->status = p->fail.status;
        answer->action = p->fail.action;
        return;
    }
    if (p->max_records && lines > p->max_records) {
        answer->status = 413;
        return;
    }
    if (lines > p->most_records) p->most_records = lines;
    if (len > p->most_bytes) p->most_bytes = len;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        take_line(p, line, answer);
}

static void serve(void *arg, const sl_test_request *req, sl_test_answer *answer)
{
    place *p = arg;
    if (strcmp(req->path, "/hello") == 0) {
        p->hellos++;
        answer->status = p->hello_fail_left ? 500 : 200;
        if (p->hello_fail_left) p->hello_fail_left--;
        sl_buf_append_cstr(&answer->body, "hello ");
        sl_buf_append_span(&answer->body, req->body);
        return;
    }
    if (strcmp(req->path, "/lines") != 0) return; /* a probe */
    __atomic_fetch_add(&p->requests, 1, __ATOMIC_RELAXED);
    answer->delay_ms = p->delay_ms;
    size_t len;
    char *text = plain_body(p, req, &len);
    take_lines(p, text, len, answer);
    sl_free(text);
}

static void setup(engine *e, web *w, const sl_plugin *plugin, const char *url, const char *url2)
{
    *w = (web){.http = {.timeout_ns = 30 * SL_NS_PER_S,
                        .connect_timeout_ns = 30 * SL_NS_PER_S,
                        .max_answer = 1 << 20}};
    w->urls[0] = sl_span_of(url);
    if (url2) w->urls[1] = sl_span_of(url2);
    w->http.url = (sl_list){w->urls, url2 ? 2 : 1};
    w->http.tls.verify = true;
    the_web = w;
    engine_init(e, plugin, NULL);
}

static void check_each_seen(engine *e, const place *p, unsigned times)
{
    for (uint64_t s = 1; s < e->offered; s++) {
        for (uint32_t n = 0; n < shapes[s].records; n++)
            ck_assert_msg(p->seen[s][n] == times, "record %u of frame %llu came %u times", n,
                          (unsigned long long)s, p->seen[s][n]);
    }
}

/* ---- tests ---- */

START_TEST(http_output__records_arrive_once)
{
    for (int gzip = 0; gzip <= 1; gzip++) {
        static place p;
        p = (place){.gzip = gzip};
        sl_test_server *server = sl_test_server_start(serve, &p);
        engine e;
        web w;
        setup(&e, &w, &web_plugin, sl_test_server_url(server), NULL);
        if (gzip) w.http.compress = SL_COMPRESS_GZIP;
        engine_start(&e);
        engine_offer(&e, 100, 50, 600);
        engine_drain(&e);
        check_each_seen(&e, &p, 1);
        ck_assert_uint_le(p.most_bytes, 1 << 20);
        engine_stop(&e);
        sl_test_server_stop(server);
    }
}
END_TEST

START_TEST(http_output__no_body_is_larger_than_allowed)
{
    static place p;
    p = (place){0};
    sl_test_server *server = sl_test_server_start(serve, &p);
    engine e;
    web w;
    setup(&e, &w, &web_plugin, sl_test_server_url(server), NULL);
    e.delivery.request.max_bytes = 8192;
    engine_start(&e);
    /* Sizes that change from frame to frame lead the estimate astray. */
    for (int i = 0; i < 60; i++)
        engine_offer(&e, 1, 60, i % 2 ? 60 : 900);
    engine_drain(&e);
    check_each_seen(&e, &p, 1);
    ck_assert_uint_le(p.most_bytes, 8192);
    ck_assert_uint_gt(p.most_bytes, 6000);
    ck_assert_uint_eq(letters_written(), 0);
    engine_stop(&e);
    sl_test_server_stop(server);
}
END_TEST

START_TEST(http_output__a_repetition_is_not_encoded_again)
{
    static place p;
    p = (place){.fail_left = 4, .fail = {.status = 503}};
    sl_test_server *server = sl_test_server_start(serve, &p);
    engine e;
    web w;
    setup(&e, &w, &web_plugin, sl_test_server_url(server), NULL);
    engine_start(&e);
    engine_offer(&e, 1, 50, 600);
    engine_drain(&e);
    check_each_seen(&e, &p, 1);
    ck_assert_uint_eq(p.requests, 5);
    ck_assert_uint_eq(w.encodes, 1);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.retries), 4);
    engine_stop(&e);
    sl_test_server_stop(server);
}
END_TEST

START_TEST(http_output__faults_of_the_wire_lose_nothing)
{
    const sl_test_answer faults[] = {{.action = SL_TEST_CLOSE, .status = 200},
                                     {.action = SL_TEST_GARBAGE, .status = 200},
                                     {.action = SL_TEST_HANG, .status = 200},
                                     {.status = 429},
                                     {.status = 302},
                                     {.status = 401}};
    for (size_t i = 0; i < SL_LEN(faults); i++) {
        static place p;
        p = (place){.fail_left = 3, .fail = faults[i]};
        sl_test_server *server = sl_test_server_start(serve, &p);
        engine e;
        web w;
        setup(&e, &w, &web_plugin, sl_test_server_url(server), NULL);
        /* Only where it has to end a wait: on a busy machine an answer that comes may take its time. */
        if (faults[i].action == SL_TEST_HANG) w.http.timeout_ns = SL_NS_PER_S;
        e.delivery.request.max_records = 100;
        engine_start(&e);
        engine_offer(&e, 20, 50, 600);
        engine_drain(&e);
        check_each_seen(&e, &p, 1);
        ck_assert_uint_eq(letters_written(), 0);
        engine_stop(&e);
        sl_test_server_stop(server);
    }
}
END_TEST

START_TEST(http_output__a_413_halves_this_request_and_those_to_come)
{
    static place p;
    p = (place){.max_records = 200};
    sl_test_server *server = sl_test_server_start(serve, &p);
    engine e;
    web w;
    setup(&e, &w, &web_plugin, sl_test_server_url(server), NULL);
    engine_start(&e);
    engine_offer(&e, 100, 50, 600);
    engine_drain(&e);
    check_each_seen(&e, &p, 1);
    ck_assert_uint_le(p.most_records, 200);
    ck_assert_uint_lt(p.requests, 90); /* not each one is first sent too large */
    ck_assert_uint_eq(letters_written(), 0);
    engine_stop(&e);
    sl_test_server_stop(server);
}
END_TEST

static const char *some_answers(unsigned frame, unsigned n, unsigned seen)
{
    if (frame % 3 == 0 && n == 2 && seen < 2) return "b";
    if (n == 5) return "n";
    return "+";
}

START_TEST(http_output__only_busy_records_come_again)
{
    static place p;
    p = (place){.answer = some_answers};
    sl_test_server *server = sl_test_server_start(serve, &p);
    engine e;
    web w;
    setup(&e, &w, &web_plugin, sl_test_server_url(server), NULL);
    engine_start(&e);
    engine_offer(&e, 60, 20, 200);
    engine_drain(&e);
    for (uint64_t s = 1; s < e.offered; s++) {
        for (uint32_t n = 0; n < 20; n++)
            ck_assert_uint_eq(p.seen[s][n], s % 3 == 0 && n == 2 ? 3 : 1);
    }
    ck_assert_uint_eq(letters_written(), 60);
    ck_assert_str_eq(letters[0].last_error, "no");
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.dead_lettered), 60);
    engine_stop(&e);
    sl_test_server_stop(server);
}
END_TEST

START_TEST(http_output__prepares_before_the_first_record_and_after_the_server_was_gone)
{
    static place p;
    p = (place){.hello_fail_left = 3};
    sl_test_server *server = sl_test_server_start(serve, &p);
    engine e;
    web w;
    setup(&e, &w, &preparing_plugin, sl_test_server_url(server), NULL);
    engine_start(&e);
    engine_offer(&e, 5, 10, 200);
    engine_drain(&e);
    ck_assert_uint_eq(w.prepares, 4);
    check_each_seen(&e, &p, 1);
    p.fail = (sl_test_answer){.status = 503}; /* away, but answering: nothing to prepare */
    p.fail_left = 2;
    e.drained = false;
    engine_offer(&e, 1, 10, 200);
    engine_drain(&e);
    ck_assert_uint_eq(w.prepares, 4);
    p.fail = (sl_test_answer){.action = SL_TEST_CLOSE};
    p.fail_left = 2; /* the first is made good by a fresh connection */
    e.drained = false;
    engine_offer(&e, 1, 10, 200);
    engine_drain(&e);
    ck_assert_uint_eq(w.prepares, 5);
    engine_stop(&e);
    sl_test_server_stop(server);
}
END_TEST

START_TEST(http_output__a_dead_address_costs_no_waiting)
{
    static place p;
    p = (place){0};
    sl_test_server *server = sl_test_server_start(serve, &p);
    engine e;
    web w;
    setup(&e, &w, &web_plugin, "http://127.0.0.1:1", sl_test_server_url(server));
    e.delivery.retry.initial_ns = e.delivery.retry.max_ns = 3600 * SL_NS_PER_S;
    engine_start(&e);
    engine_offer(&e, 20, 50, 600);
    engine_drain(&e);
    check_each_seen(&e, &p, 1);
    engine_stop(&e);
    sl_test_server_stop(server);
}
END_TEST

/* It answers, but it is not the service: others are asked instead, without waiting. */
START_TEST(http_output__a_strange_address_costs_no_waiting)
{
    static const int statuses[] = {401, 302, 404};
    for (size_t i = 0; i < SL_LEN(statuses); i++) {
        static place strange, p;
        strange = (place){.fail_left = UINT32_MAX, .fail = {.status = statuses[i]}};
        p = (place){0};
        sl_test_server *other = sl_test_server_start(serve, &strange);
        sl_test_server *server = sl_test_server_start(serve, &p);
        engine e;
        web w;
        setup(&e, &w, &web_plugin, sl_test_server_url(other), sl_test_server_url(server));
        e.delivery.retry.initial_ns = e.delivery.retry.max_ns = 3600 * SL_NS_PER_S;
        engine_start(&e);
        engine_offer(&e, 20, 50, 600);
        engine_drain(&e);
        check_each_seen(&e, &p, 1);
        ck_assert_uint_ge(strange.requests, 1);
        ck_assert_uint_lt(strange.requests, 10);
        engine_stop(&e);
        sl_test_server_stop(other);
        sl_test_server_stop(server);
    }
}
END_TEST

static bool is_asked(void *arg)
{
    return __atomic_load_n(&((place *)arg)->requests, __ATOMIC_RELAXED) > 0;
}

START_TEST(http_output__stop_cuts_what_is_under_way)
{
    static place p;
    p = (place){.fail_left = 1000, .fail = {.status = 200, .action = SL_TEST_HANG}};
    sl_test_server *server = sl_test_server_start(serve, &p);
    engine e;
    web w;
    setup(&e, &w, &web_plugin, sl_test_server_url(server), NULL);
    engine_start(&e);
    engine_offer(&e, 20, 50, 600);
    ck_assert(wait_for(is_asked, &p));
    int64_t began = sl_clock_mono_ns();
    engine_stop(&e);
    ck_assert_int_lt(sl_clock_mono_ns() - began, SL_NS_PER_S);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.buffered), 1000);
    sl_test_server_stop(server);

    p = (place){.hello_fail_left = 0};
    setup(&e, &w, &preparing_plugin, "http://192.0.2.1:9200", NULL); /* a preparation under way */
    engine_start(&e);
    engine_stop(&e);
}
END_TEST

SL_TEST_MAIN("http_output", http_output__records_arrive_once, http_output__no_body_is_larger_than_allowed,
             http_output__a_repetition_is_not_encoded_again, http_output__faults_of_the_wire_lose_nothing,
             http_output__a_413_halves_this_request_and_those_to_come,
             http_output__only_busy_records_come_again,
             http_output__prepares_before_the_first_record_and_after_the_server_was_gone,
             http_output__a_dead_address_costs_no_waiting, http_output__a_strange_address_costs_no_waiting,
             http_output__stop_cuts_what_is_under_way)

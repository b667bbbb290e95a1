#include "engine_fixture.h"
#include "http_fixture.h"

/* An HTTP plugin that uses what the engine offers to the ones with a protocol of their own. */
typedef struct web {
    sl_output *out;
    sl_http_conf http;
    sl_span urls[1];
    uint32_t take; /* most records of a request; 0: all */
    bool refuse_odd, refuse_all;
    bool credentials;  /* headers() has some */
    bool late_url;     /* the address is known by prepare() alone */
    unsigned attempts; /* as headers() counts them */
    unsigned prepares, encodes;
    sl_buf text, key;
    sl_http_header items[2];
    sl_retry_cause cause; /* of what is answered with 400 */
    bool own_call_failed;
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

static unsigned number_of(const sl_record *rec)
{
    uint64_t frame;
    unsigned n;
    record_name(rec, &frame, &n);
    return n;
}

static void web_encode(void *self, sl_request *req)
{
    web *w = self;
    w->encodes++;
    sl_buf_append_cstr(&req->path, "/lines");
    if (w->take && req->count > w->take) req->count = w->take;
    for (uint32_t i = 0; i < req->count; i++) {
        if (w->refuse_all || (w->refuse_odd && number_of(req->recs[i].rec) % 2)) {
            sl_request_refuse(req, i, SL_SPAN("it is odd"));
            continue;
        }
        sl_record_write(req->recs[i].batch, req->recs[i].rec, &req->body);
        sl_buf_append_char(&req->body, '\n');
    }
}

static sl_span web_partition(void *self, const sl_batch *batch, const sl_record *rec)
{
    (void)batch;
    web *w = self;
    sl_buf_clear(&w->key);
    sl_buf_printf(&w->key, "%u", number_of(rec) % 2);
    return sl_buf_span(&w->key);
}

static bool web_headers(void *self, const sl_outgoing *out, const sl_http_header **headers, size_t *count)
{
    web *w = self;
    if (!w->credentials) return false;
    sl_buf_clear(&w->text);
    sl_buf_printf(&w->text, "%u %zu %s", ++w->attempts, out->body.len, out->action ? out->action : "lines");
    w->items[0] = (sl_http_header){"X-Attempt", sl_buf_span(&w->text)};
    *headers = w->items;
    *count = 1;
    return true;
}

static void on_own_answer(void *self, const sl_answer *answer, void *arg)
{
    web *w = self;
    ck_assert_ptr_eq(arg, self);
    w->own_call_failed = answer->transport == SL_TRANSPORT_BROKEN;
    w->credentials = true;
    sl_output_ready(w->out);
}

static void web_prepare(void *self)
{
    web *w = self;
    w->prepares++;
    if (w->late_url) {
        w->http.url = (sl_list){w->urls, 1};
        w->credentials = true;
        sl_output_ready(w->out);
        return;
    }
    /* Without credentials: it is answered that there are none. */
    sl_output_http_call(w->out, &(sl_output_call){.method = "POST",
                                                  .path = "/own",
                                                  .body = SL_SPAN("{}"),
                                                  .action = "login",
                                                  .answered = on_own_answer,
                                                  .arg = w});
}

static void web_judge(void *self, const sl_request *req, const sl_answer *answer, sl_verdict *verdict)
{
    (void)req;
    web *w = self;
    if (answer->status == 401) w->credentials = false;
    if (answer->status != 400 && answer->status != 401) return;
    sl_verdict_set(verdict, SL_VERDICT_RETRY, "told to try again");
    verdict->cause = w->cause;
}

static void web_free(void *self)
{
    web *w = self;
    sl_buf_release(&w->text);
    sl_buf_release(&w->key);
}

static const sl_output_ops plain_ops = {
    .start = web_start, .http = web_http, .encode = web_encode, .judge = web_judge, .free = web_free};
static const sl_output_ops timed_ops = {
    .start = web_start, .http = web_http, .encode = web_encode, .free = web_free, .by_time = true};
static const sl_output_ops parted_ops = {.start = web_start,
                                         .http = web_http,
                                         .encode = web_encode,
                                         .partition = web_partition,
                                         .judge = web_judge,
                                         .free = web_free};
static const sl_output_ops signing_ops = {.start = web_start,
                                          .http = web_http,
                                          .encode = web_encode,
                                          .judge = web_judge,
                                          .prepare = web_prepare,
                                          .headers = web_headers,
                                          .free = web_free};
static const sl_output_ops paced_ops = {.start = web_start,
                                        .http = web_http,
                                        .encode = web_encode,
                                        .free = web_free,
                                        .max_age_ns = SL_NS_PER_MS,
                                        .max_per_second = 50};
static sl_plugin plugin = {.abi = SL_ABI_VERSION, .kind = SL_PLUGIN_OUTPUT, .name = "web"};

/* ---- the server: notes the records in the order they come ---- */

#define MAX_NOTED 20000

typedef struct place {
    uint64_t noted[MAX_NOTED]; /* frame * 1000 + n */
    unsigned count, requests, own;
    unsigned sizes[1000]; /* records of each request that was taken */
    int64_t times[1000];  /* when each request came */
    char attempts[64][64];
    unsigned fail_left;
    int fail_status;
    unsigned fail_number; /* only requests whose first record has n % 2 == this fail; 2: all */
    bool failed[2];
} place;

static void take_lines(place *p, char *text)
{
    char *rest = NULL;
    unsigned size = 0;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), size++) {
        unsigned long long frame;
        unsigned n;
        ck_assert_int_eq(sscanf(strstr(line, "\"frame\""), "\"frame\":%llu,\"n\":%u,", &frame, &n), 2);
        ck_assert_uint_lt(p->count, MAX_NOTED);
        p->noted[p->count++] = frame * 1000 + n;
    }
    p->sizes[p->requests] = size;
}

static bool is_to_fail(place *p, const char *text)
{
    unsigned long long frame;
    unsigned n;
    ck_assert_int_eq(sscanf(strstr(text, "\"frame\""), "\"frame\":%llu,\"n\":%u,", &frame, &n), 2);
    return p->fail_left && (p->fail_number == 2 || n % 2 == p->fail_number);
}

static void serve(void *arg, const sl_test_request *req, sl_test_answer *answer)
{
    place *p = arg;
    if (strcmp(req->path, "/own") == 0) p->own++;
    if (strcmp(req->path, "/lines") != 0) return;
    char *text = sl_strndup(req->body.ptr, req->body.len);
    p->times[p->requests] = sl_clock_mono_ns();
    if (p->requests < SL_LEN(p->attempts))
        snprintf(p->attempts[p->requests], sizeof p->attempts[0], SL_SPAN_FMT,
                 SL_SPAN_ARG(sl_test_header(req, "X-Attempt")));
    if (is_to_fail(p, text)) {
        p->fail_left--;
        answer->status = p->fail_status;
    } else {
        take_lines(p, text);
    }
    __atomic_fetch_add(&p->requests, 1, __ATOMIC_RELEASE);
    sl_free(text);
}

typedef struct scene {
    engine e;
    web w;
    place p;
    sl_test_server *server;
} scene;

static scene s;

static void setup(const sl_output_ops *ops)
{
    s = (scene){.w = {.http = {.timeout_ns = 30 * SL_NS_PER_S,
                               .connect_timeout_ns = 30 * SL_NS_PER_S,
                               .max_answer = 1 << 20}}};
    s.p.fail_number = 2;
    s.server = sl_test_server_start(serve, &s.p);
    s.w.urls[0] = sl_span_of(sl_test_server_url(s.server));
    s.w.http.url = (sl_list){s.w.urls, 1};
    s.w.http.tls.verify = true;
    the_web = &s.w;
    plugin.output = ops;
    engine_init(&s.e, &plugin, NULL);
}

static void finish(void)
{
    engine_drain(&s.e);
    engine_stop(&s.e);
    sl_test_server_stop(s.server);
}

static bool has_requests(void *arg)
{
    return __atomic_load_n(&s.p.requests, __ATOMIC_ACQUIRE) >= *(unsigned *)arg;
}

static void wait_requests(unsigned count)
{
    ck_assert(wait_for(has_requests, &count));
}

/* ---- encode() takes fewer, or refuses some ---- */

START_TEST(seams__what_encode_leaves_out_leads_the_next_request)
{
    setup(&plain_ops);
    s.w.take = 7;
    s.e.delivery.request.concurrency = 1;
    engine_backlog(&s.e, 10, 50, 100);
    engine_start(&s.e);
    finish();
    ck_assert_uint_eq(s.p.count, 500);
    for (unsigned i = 0; i < 500; i++)
        ck_assert_uint_eq(s.p.noted[i], (i / 50 + 1) * 1000 + i % 50);
    ck_assert_uint_eq(s.p.requests, 72);
    for (unsigned i = 0; i < 71; i++)
        ck_assert_uint_eq(s.p.sizes[i], 7);
}
END_TEST

START_TEST(seams__a_refused_record_is_a_dead_letter_and_the_others_go)
{
    setup(&plain_ops);
    s.w.refuse_odd = true;
    s.w.take = 20;
    s.e.delivery.request.concurrency = 1;
    engine_backlog(&s.e, 10, 50, 100);
    engine_start(&s.e);
    finish();
    ck_assert_uint_eq(s.p.count, 250);
    for (unsigned i = 0; i < 250; i++)
        ck_assert_uint_eq(s.p.noted[i], (i / 25 + 1) * 1000 + i % 25 * 2);
    ck_assert_uint_eq(letters_written(), 250);
    ck_assert_str_eq(letters[0].reason, "refused");
    ck_assert_str_eq(letters[0].first_error, "it is odd");
    ck_assert_str_eq(letters[0].last_error, "it is odd");
    ck_assert_uint_eq(letters[0].attempts, 0);
    ck_assert(letters[0].has_time);
    ck_assert_ptr_nonnull(strstr(letters[0].record, "\"frame\":1,\"n\":1,"));
}
END_TEST

START_TEST(seams__where_every_record_is_refused_nothing_is_sent)
{
    setup(&plain_ops);
    s.w.refuse_all = true;
    engine_start(&s.e);
    engine_offer(&s.e, 5, 50, 100);
    finish();
    ck_assert_uint_eq(s.p.requests, 0);
    ck_assert_uint_eq(letters_written(), 250);
}
END_TEST

START_TEST(seams__while_the_disk_refuses_refused_records_wait)
{
    setup(&plain_ops);
    s.w.refuse_odd = true;
    letter_errors_left = 3;
    engine_start(&s.e);
    engine_offer(&s.e, 5, 50, 100);
    finish();
    ck_assert_uint_eq(letters_written(), 125);
    ck_assert_uint_eq(s.p.count, 125);
}
END_TEST

/* ---- order of time ---- */

static uint32_t scatter;

static void scatter_times(sl_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        scatter = scatter * 1664525 + 1013904223;
        batch->recs[i].time_ns = scatter >> 29; /* few different ones */
    }
}

START_TEST(seams__by_time_sorts_and_is_stable)
{
    for (uint32_t count = 1; count <= 300; count += 13) {
        shapes[1] = (frame_shape){.records = count, .size = 60};
        sl_batch *batch = make_batch(1);
        scatter_times(batch);
        sl_shipment_pool pool = {.keep_bytes = 1 << 20};
        sl_shipment *shipment = sl_shipment_take(&pool);
        for (uint32_t i = 0; i < count; i++)
            sl_shipment_add(shipment, batch, &batch->recs[i]);
        sl_shipment_sort(shipment);
        ck_assert_uint_eq(shipment->req.count, count);
        for (uint32_t i = 1; i < count; i++) {
            const sl_record *a = shipment->req.recs[i - 1].rec, *b = shipment->req.recs[i].rec;
            ck_assert(a->time_ns < b->time_ns || (a->time_ns == b->time_ns && a < b));
        }
        sl_shipment_put(&pool, shipment);
        sl_shipment_pool_clear(&pool);
        sl_batch_unref(batch);
    }
}
END_TEST

START_TEST(seams__by_time_holds_for_requests)
{
    setup(&timed_ops);
    s.e.delivery.request.concurrency = 1;
    s.e.delivery.request.max_age_ns = 50 * SL_NS_PER_MS;
    engine_start(&s.e);
    shapes[1] = (frame_shape){.records = 2, .size = 60};
    sl_batch *batch = make_batch(1);
    batch->recs[0].time_ns = 2;
    batch->recs[1].time_ns = 1;
    s.e.offered = 2;
    s.e.records = 2;
    __atomic_store_n(&journal_end, 2, __ATOMIC_RELEASE);
    sl_output_worker_offer(s.e.worker, 1, 1, 2, batch);
    sl_batch_unref(batch);
    finish();
    ck_assert_uint_eq(s.p.count, 2);
    ck_assert_uint_eq(s.p.noted[0], 1001);
    ck_assert_uint_eq(s.p.noted[1], 1000);
}
END_TEST

/* ---- headers of each attempt ---- */

START_TEST(seams__each_attempt_has_its_own_headers_over_the_body)
{
    setup(&signing_ops);
    s.w.credentials = true;
    s.p.fail_left = 3;
    s.p.fail_status = 503;
    engine_start(&s.e);
    engine_offer(&s.e, 1, 1, 100);
    finish();
    ck_assert_uint_eq(s.w.encodes, 1);
    ck_assert_uint_eq(s.p.requests, 4);
    ck_assert_uint_eq(s.p.own, 1);
    ck_assert(!s.w.own_call_failed);
    for (unsigned i = 0; i < 4; i++) { /* the first was the own call's */
        unsigned attempt;
        size_t len;
        char action[16];
        ck_assert_int_eq(sscanf(s.p.attempts[i], "%u %zu %15s", &attempt, &len, action), 3);
        ck_assert_uint_eq(attempt, i + 2);
        ck_assert_uint_gt(len, 90);
        ck_assert_str_eq(action, "lines");
    }
}
END_TEST

START_TEST(seams__without_credentials_it_prepares_anew_and_waits)
{
    setup(&signing_ops);
    s.p.fail_left = 1;
    s.p.fail_status = 401; /* judge() throws the credentials away */
    s.w.cause = SL_CAUSE_CALLER;
    s.e.delivery.retry.initial_ns = 3600 * SL_NS_PER_S;
    s.e.delivery.retry.max_ns = 3600 * SL_NS_PER_S;
    engine_start(&s.e);
    engine_offer(&s.e, 1, 10, 100);
    finish(); /* at once, for the fault was ours */
    ck_assert_uint_eq(s.w.prepares, 2);
    ck_assert(s.w.own_call_failed);
    ck_assert_uint_eq(s.p.own, 0);
    ck_assert_uint_eq(s.p.requests, 2);
    ck_assert_uint_eq(s.p.count, 10);
    ck_assert_uint_eq(sl_ledger_get(&s.e.ledger.retries), 1);
}
END_TEST

START_TEST(seams__the_address_may_be_known_late)
{
    setup(&signing_ops);
    s.w.late_url = true;
    s.w.http.url = (sl_list){0};
    engine_start(&s.e);
    engine_offer(&s.e, 10, 10, 100);
    finish();
    ck_assert_uint_eq(s.p.count, 100);
}
END_TEST

/* ---- causes ---- */

START_TEST(seams__trouble_of_a_partition_holds_no_other_back)
{
    setup(&parted_ops);
    s.w.cause = SL_CAUSE_PARTITION;
    s.p.fail_left = 1000000;
    s.p.fail_status = 400;
    s.p.fail_number = 1;
    s.e.delivery.retry.initial_ns = 3600 * SL_NS_PER_S;
    s.e.delivery.retry.max_ns = 3600 * SL_NS_PER_S;
    engine_start(&s.e);
    engine_offer(&s.e, 1, 10, 100);
    wait_requests(2);
    for (unsigned i = 0; i < 5; i++)
        engine_offer(&s.e, 1, 10, 100);
    usleep(100000);
    unsigned taken = 0;
    for (unsigned i = 0; i < 1000 && taken < 30; i++, usleep(1000))
        taken = (unsigned)sl_ledger_get(&s.e.ledger.delivered);
    ck_assert_uint_eq(taken, 30);
    ck_assert_uint_eq(acked(&s.e), 0); /* it never moved: the cursor waits for the others */
    engine_stop(&s.e);
    sl_test_server_stop(s.server);
}
END_TEST

static void mend(void *arg)
{
    sl_output_retry_now(arg, SL_SPAN("1"));
}

START_TEST(seams__what_waits_for_a_partition_goes_when_it_is_mended)
{
    setup(&parted_ops);
    s.w.cause = SL_CAUSE_PARTITION;
    s.p.fail_left = 1;
    s.p.fail_status = 400;
    s.p.fail_number = 1;
    s.e.delivery.retry.initial_ns = 3600 * SL_NS_PER_S;
    s.e.delivery.retry.max_ns = 3600 * SL_NS_PER_S;
    engine_start(&s.e);
    engine_offer(&s.e, 1, 10, 100);
    wait_requests(2);
    usleep(50000);
    ck_assert_uint_eq(sl_ledger_get(&s.e.ledger.delivered), 5);
    sl_loop_call_wait(s.w.out->worker->loop, mend, s.w.out);
    finish();
    ck_assert_uint_eq(s.p.count, 10);
}
END_TEST

START_TEST(seams__pressure_that_the_plugin_reads_slows_down)
{
    setup(&plain_ops);
    s.w.cause = SL_CAUSE_PRESSURE;
    s.p.fail_left = 20;
    s.p.fail_status = 400;
    s.e.delivery.request.max_records = 10;
    engine_backlog(&s.e, 50, 50, 100);
    engine_start(&s.e);
    engine_drain(&s.e);
    ck_assert_uint_eq(s.p.count, 2500);
    ck_assert(!s.w.out->worker->in_flight.slow_start);
    ck_assert_int_gt(s.w.out->worker->in_flight.last_cut_ns, 0);
    engine_stop(&s.e);
    sl_test_server_stop(s.server);
}
END_TEST

/* ---- pace ---- */

START_TEST(seams__max_per_second_holds_and_defaults_are_the_plugins)
{
    setup(&paced_ops);
    s.e.delivery.request.max_per_second = -1;
    s.e.delivery.request.max_age_ns = -1;
    s.e.delivery.request.max_records = 10;
    engine_backlog(&s.e, 6, 50, 100); /* 30 requests at 50 a second */
    engine_start(&s.e);
    ck_assert_int_eq(s.w.out->worker->delivery.request.max_age_ns, SL_NS_PER_MS);
    finish();
    ck_assert_uint_eq(s.p.count, 300);
    int64_t took = s.p.times[29] - s.p.times[0];
    ck_assert_msg(took > 550 * SL_NS_PER_MS, "%lld ms", (long long)(took / SL_NS_PER_MS));
}
END_TEST

START_TEST(seams__options_beat_the_plugins_defaults)
{
    sl_delivery_conf conf = {.request = {.max_age_ns = 7, .max_per_second = 3}};
    ck_assert_int_eq(sl_delivery_resolve(&conf, &paced_ops).request.max_age_ns, 7);
    ck_assert_int_eq(sl_delivery_resolve(&conf, &paced_ops).request.max_per_second, 3);
    conf.request.max_per_second = -2;
    ck_assert_int_eq(sl_delivery_resolve(&conf, &paced_ops).request.max_per_second, 0);
    conf.request.max_per_second = conf.request.max_age_ns = -1;
    ck_assert_int_eq(sl_delivery_resolve(&conf, &plain_ops).request.max_per_second, 0);
    ck_assert_int_eq(sl_delivery_resolve(&conf, &plain_ops).request.max_age_ns, SL_REQUEST_MAX_AGE_NS);
}
END_TEST

SL_TEST_MAIN("http_seams", seams__what_encode_leaves_out_leads_the_next_request,
             seams__a_refused_record_is_a_dead_letter_and_the_others_go,
             seams__where_every_record_is_refused_nothing_is_sent,
             seams__while_the_disk_refuses_refused_records_wait, seams__by_time_sorts_and_is_stable,
             seams__by_time_holds_for_requests, seams__each_attempt_has_its_own_headers_over_the_body,
             seams__without_credentials_it_prepares_anew_and_waits, seams__the_address_may_be_known_late,
             seams__trouble_of_a_partition_holds_no_other_back,
             seams__what_waits_for_a_partition_goes_when_it_is_mended,
             seams__pressure_that_the_plugin_reads_slows_down,
             seams__max_per_second_holds_and_defaults_are_the_plugins,
             seams__options_beat_the_plugins_defaults)

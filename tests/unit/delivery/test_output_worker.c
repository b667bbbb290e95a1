#include "engine_fixture.h"

/* A plugin that sends by itself: what happens to each request is decided by `decide`, or, while holding, by
 * the test. */
typedef struct fake {
    sl_output *out;
    bool (*decide)(struct fake *fake, sl_request *req, sl_verdict *verdict); /* false: hold it */
    pthread_mutex_t lock;
    sl_request *pending[MAX_PENDING];
    unsigned pending_count, most_pending;
    unsigned sends, syncs, sync_errors_left;
    uint64_t most_held;
    uint32_t most_records;
    bool holding, starts, stopped;
    unsigned char seen[MAX_FRAMES][64]; /* how often each record was taken */
    uint64_t last_frame;
    bool out_of_order;
} fake;

static fake *the_fake;

static void note_taken(fake *f, const sl_record *rec)
{
    uint64_t frame;
    unsigned n;
    record_name(rec, &frame, &n);
    if (n < 64) f->seen[frame][n]++;
    if (frame < f->last_frame) f->out_of_order = true;
    f->last_frame = frame;
}

/* The fake's own effect of a verdict: DELIVERED records are taken. */
static void take(fake *f, const sl_request *req, const sl_verdict *verdict)
{
    for (uint32_t i = 0; i < req->count; i++) {
        bool taken = verdict->kind == SL_VERDICT_DELIVERED ||
                     (verdict->kind == SL_VERDICT_PARTIAL && verdict->each[i].kind == SL_VERDICT_DELIVERED);
        if (taken) note_taken(f, req->recs[i].rec);
    }
}

static void *fake_start(sl_output *out, const void *conf, sl_err *err)
{
    (void)conf;
    if (!the_fake->starts) {
        sl_err_set(err, SL_E_CONFIG, "told not to");
        return NULL;
    }
    the_fake->out = out;
    pthread_mutex_init(&the_fake->lock, NULL);
    return the_fake;
}

static void fake_send(void *self, sl_request *req)
{
    fake *f = self;
    sl_verdict verdict;
    sl_verdict_init(&verdict, req);
    pthread_mutex_lock(&f->lock);
    f->sends++;
    if (req->count > f->most_records) f->most_records = req->count;
    uint64_t held = f->out->worker->held;
    if (held > f->most_held) f->most_held = held;
    bool decided = !f->holding && (!f->decide || f->decide(f, req, &verdict));
    if (decided) {
        take(f, req, &verdict);
    } else {
        ck_assert_uint_lt(f->pending_count, MAX_PENDING);
        f->pending[f->pending_count++] = req;
        if (f->pending_count > f->most_pending) f->most_pending = f->pending_count;
    }
    pthread_mutex_unlock(&f->lock);
    if (decided) sl_request_done(f->out, req, &verdict);
}

static int fake_sync(void *self, sl_err *err)
{
    fake *f = self;
    f->syncs++;
    if (!f->sync_errors_left) return 0;
    f->sync_errors_left--;
    return sl_err_set(err, SL_E_IO, "cannot sync");
}

static void fake_stop(void *self)
{
    ((fake *)self)->stopped = true;
}

static void fake_free(void *self)
{
    fake *f = self;
    ck_assert(f->stopped);
    pthread_mutex_destroy(&f->lock);
}

static const sl_output_ops fake_ops = {
    .start = fake_start, .send = fake_send, .stop = fake_stop, .free = fake_free};
static const sl_output_ops syncing_ops = {
    .start = fake_start, .send = fake_send, .sync = fake_sync, .stop = fake_stop, .free = fake_free};
static const sl_output_ops serial_ops = {
    .start = fake_start, .send = fake_send, .stop = fake_stop, .free = fake_free, .max_in_flight = 1};
static const sl_plugin fake_plugin = {
    .abi = SL_ABI_VERSION, .kind = SL_PLUGIN_OUTPUT, .name = "fake", .output = &fake_ops};
static const sl_plugin syncing_plugin = {
    .abi = SL_ABI_VERSION, .kind = SL_PLUGIN_OUTPUT, .name = "fake", .output = &syncing_ops};
static const sl_plugin serial_plugin = {
    .abi = SL_ABI_VERSION, .kind = SL_PLUGIN_OUTPUT, .name = "fake", .output = &serial_ops};

static void setup(engine *e, fake *f)
{
    *f = (fake){.starts = true};
    the_fake = f;
    engine_init(e, &fake_plugin, NULL);
}

static unsigned pending(fake *f)
{
    pthread_mutex_lock(&f->lock);
    unsigned count = f->pending_count;
    pthread_mutex_unlock(&f->lock);
    return count;
}

static void set_holding(fake *f, bool holding)
{
    pthread_mutex_lock(&f->lock);
    f->holding = holding;
    pthread_mutex_unlock(&f->lock);
}

typedef struct wanted {
    fake *f;
    unsigned count;
} wanted;

static bool has_pending(void *arg)
{
    wanted *w = arg;
    return pending(w->f) >= w->count;
}

static void wait_pending(fake *f, unsigned count)
{
    ck_assert_msg(wait_for(has_pending, &(wanted){f, count}), "only %u pending", pending(f));
}

typedef struct finish_call {
    fake *f;
    unsigned index;
    sl_verdict_kind kind;
    int64_t retry_after_ns;
} finish_call;

static void finish_on_loop(void *arg)
{
    finish_call *call = arg;
    fake *f = call->f;
    sl_request *req = f->pending[call->index];
    sl_verdict verdict;
    sl_verdict_init(&verdict, req);
    if (call->kind != SL_VERDICT_DELIVERED) sl_verdict_set(&verdict, call->kind, "told so");
    verdict.retry_after_ns = call->retry_after_ns;
    pthread_mutex_lock(&f->lock);
    f->pending[call->index] = f->pending[--f->pending_count];
    take(f, req, &verdict);
    pthread_mutex_unlock(&f->lock);
    sl_request_done(f->out, req, &verdict);
}

static void finish(engine *e, fake *f, unsigned index, sl_verdict_kind kind)
{
    sl_loop_call_wait(e->worker->loop, finish_on_loop, &(finish_call){f, index, kind, 0});
}

static void check_each_taken_once(engine *e, fake *f)
{
    for (uint64_t s = 1; s < e->offered; s++) {
        for (uint32_t n = 0; n < shapes[s].records && n < 64; n++)
            ck_assert_msg(f->seen[s][n] == 1, "record %u of frame %llu was taken %u times", n,
                          (unsigned long long)s, f->seen[s][n]);
    }
}

static void nothing(void *arg)
{
    (void)arg;
}

/* What was posted before has been run. */
static void settle_loop(engine *e)
{
    sl_loop_call_wait(e->worker->loop, nothing, NULL);
}

/* Ends requests until so many are under way at once. One answer more for each should do, but on a busy machine
 * one may seem late, which lets the window stand. */
static void grow(engine *e, fake *f, unsigned count)
{
    for (unsigned i = 0; i < 3 * count; i++) {
        wait_pending(f, 1);
        settle_loop(e);
        if (pending(f) >= count) return;
        finish(e, f, 0, SL_VERDICT_DELIVERED);
    }
    wait_pending(f, count);
}

/* ---- the straight way ---- */

START_TEST(worker__delivers_in_order_and_moves_the_cursor)
{
    static fake f;
    engine e;
    setup(&e, &f);
    e.conf.plugin = &serial_plugin;
    engine_start(&e);
    engine_offer(&e, 50, 20, 100);
    engine_drain(&e);
    check_each_taken_once(&e, &f);
    ck_assert(!f.out_of_order);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.delivered), 1000);
    ck_assert_uint_gt(sl_ledger_get(&e.ledger.delivered_bytes), 1000 * 80);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.retries), 0);
    char status[64];
    sl_output_worker_status(e.worker, status, sizeof status);
    ck_assert_str_eq(status, "ok");
    engine_stop(&e);
    ck_assert(f.stopped);
}
END_TEST

START_TEST(worker__a_plugin_that_cannot_start_says_why)
{
    static fake f;
    engine e;
    setup(&e, &f);
    f.starts = false;
    sl_err err = SL_ERR_NONE;
    ck_assert_ptr_null(sl_output_worker_start(&e.conf, &err));
    ck_assert_str_eq(err.text, "told not to");
}
END_TEST

static bool has_sent(void *arg)
{
    wanted *w = arg;
    pthread_mutex_lock(&w->f->lock);
    bool sent = w->f->sends >= w->count;
    pthread_mutex_unlock(&w->f->lock);
    return sent;
}

START_TEST(worker__requests_form_by_bytes_records_and_age)
{
    static fake f;
    engine e;
    setup(&e, &f);
    e.delivery.request.max_records = 30;
    e.delivery.request.max_age_ns = SL_NS_PER_S / 2;
    engine_start(&e);
    int64_t began = sl_clock_mono_ns();
    engine_offer(&e, 1, 10, 100); /* after a pause: at once */
    ck_assert(wait_for(has_sent, &(wanted){&f, 1}));
    ck_assert_int_lt(sl_clock_mono_ns() - began, SL_NS_PER_S * 3 / 10);
    engine_offer(&e, 1, 10, 100); /* waits for company */
    ck_assert(wait_for(has_sent, &(wanted){&f, 2}));
    ck_assert_int_ge(sl_clock_mono_ns() - began, SL_NS_PER_S * 4 / 10);
    engine_offer(&e, 6, 10, 100); /* full twice: at once */
    engine_drain(&e);
    ck_assert_uint_eq(f.sends, 4);
    ck_assert_uint_eq(f.most_records, 30);
    check_each_taken_once(&e, &f);
    engine_stop(&e);

    setup(&e, &f);
    e.delivery.request.max_bytes = 10000;
    engine_start(&e);
    engine_offer(&e, 10, 50, 200);
    engine_drain(&e);
    ck_assert_uint_ge(f.sends, 10);
    ck_assert_uint_le(f.most_records, 50);
    check_each_taken_once(&e, &f);
    engine_stop(&e);

    setup(&e, &f); /* a record larger than a request goes alone */
    e.delivery.request.max_bytes = 1024;
    engine_start(&e);
    engine_offer(&e, 2, 3, 5000);
    engine_drain(&e);
    ck_assert_uint_eq(f.sends, 6);
    ck_assert_uint_eq(f.most_records, 1);
    engine_stop(&e);
}
END_TEST

START_TEST(worker__drain_does_not_wait_for_company)
{
    static fake f;
    engine e;
    setup(&e, &f);
    e.delivery.request.max_age_ns = 3600 * SL_NS_PER_S;
    engine_start(&e);
    engine_offer(&e, 1, 10, 100);
    settle_loop(&e);
    engine_offer(&e, 1, 10, 100); /* this one waits */
    settle_loop(&e);
    ck_assert_uint_eq(f.sends, 1);
    engine_drain(&e);
    ck_assert_uint_eq(f.sends, 2);
    engine_stop(&e);

    setup(&e, &f); /* with nothing to do it is done at once */
    engine_start(&e);
    e.acked = e.offered;
    engine_drain(&e);
    engine_stop(&e);
}
END_TEST

/* ---- many at a time ---- */

START_TEST(worker__the_cursor_moves_in_order_while_requests_end_in_any)
{
    static fake f;
    engine e;
    setup(&e, &f);
    e.delivery.request.max_records = 10;
    e.delivery.request.concurrency = 4;
    engine_start(&e);
    f.holding = true;
    engine_offer(&e, 8, 10, 100);
    /* Slow start: one, then two at a time, then four. */
    wait_pending(&f, 1);
    settle_loop(&e);
    ck_assert_uint_eq(pending(&f), 1);
    finish(&e, &f, 0, SL_VERDICT_DELIVERED);
    wait_pending(&f, 2);
    ck_assert_uint_eq(acked(&e), 2);
    finish(&e, &f, 1, SL_VERDICT_DELIVERED); /* frame 3 before frame 2 */
    settle_loop(&e);
    ck_assert_uint_eq(acked(&e), 2);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.delivered), 20);
    finish(&e, &f, 0, SL_VERDICT_DELIVERED);
    settle_loop(&e);
    ck_assert_uint_eq(acked(&e), 4);
    wait_pending(&f, 3);
    while (pending(&f))
        finish(&e, &f, pending(&f) - 1, SL_VERDICT_DELIVERED);
    set_holding(&f, false);
    engine_drain(&e);
    ck_assert_uint_ge(f.most_pending, 3);
    ck_assert_uint_le(f.most_pending, 4);
    check_each_taken_once(&e, &f);
    engine_stop(&e);
}
END_TEST

START_TEST(worker__a_plugin_may_ask_for_one_at_a_time)
{
    static fake f;
    engine e;
    setup(&e, &f);
    e.conf.plugin = &serial_plugin;
    e.delivery.request.max_records = 1;
    engine_start(&e);
    engine_offer(&e, 1, 20, 100);
    set_holding(&f, true);
    engine_offer(&e, 1, 20, 100);
    for (int i = 0; i < 5; i++) {
        wait_pending(&f, 1);
        ck_assert_uint_eq(pending(&f), 1);
        finish(&e, &f, 0, SL_VERDICT_DELIVERED);
    }
    set_holding(&f, false);
    while (pending(&f))
        finish(&e, &f, 0, SL_VERDICT_DELIVERED);
    engine_drain(&e);
    ck_assert_uint_eq(f.most_pending, 1);
    engine_stop(&e);
}
END_TEST

/* ---- what goes wrong ---- */

static bool fail_three_times(fake *f, sl_request *req, sl_verdict *verdict)
{
    (void)f;
    if (req->attempt <= 3) sl_verdict_set(verdict, SL_VERDICT_RETRY, "status 503 from here");
    return true;
}

START_TEST(worker__retries_until_it_goes_through)
{
    static fake f;
    engine e;
    setup(&e, &f);
    f.decide = fail_three_times;
    engine_start(&e);
    engine_offer(&e, 5, 20, 100);
    engine_drain(&e);
    check_each_taken_once(&e, &f);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.retries) % 3, 0);
    ck_assert_uint_gt(sl_ledger_get(&e.ledger.retries), 0);
    ck_assert_uint_eq(letters_written(), 0);
    engine_stop(&e);
}
END_TEST

START_TEST(worker__nothing_new_is_sent_while_a_request_fails_as_a_whole)
{
    static fake f;
    engine e;
    setup(&e, &f);
    e.delivery.request.max_records = 10;
    e.delivery.retry.initial_ns = e.delivery.retry.max_ns = SL_NS_PER_MS;
    engine_start(&e);
    f.holding = true;
    engine_offer(&e, 20, 10, 100);
    grow(&e, &f, 4);
    unsigned under_way = pending(&f);
    finish(&e, &f, 0, SL_VERDICT_RETRY);
    while (pending(&f) >= under_way)
        finish(&e, &f, 0, SL_VERDICT_DELIVERED);
    wait_pending(&f, 1);
    char status[128];
    sl_output_worker_status(e.worker, status, sizeof status);
    ck_assert_ptr_nonnull(strstr(status, "told so"));
    /* Only the failed one comes again, however much room there is. */
    while (pending(&f) > 1 || f.pending[0]->attempt == 1)
        finish(&e, &f, f.pending[0]->attempt == 1 ? 0 : 1, SL_VERDICT_DELIVERED), wait_pending(&f, 1);
    for (int i = 0; i < 3; i++) {
        finish(&e, &f, 0, SL_VERDICT_RETRY);
        wait_pending(&f, 1);
        settle_loop(&e);
        ck_assert_uint_eq(pending(&f), 1);
        ck_assert_uint_eq(f.pending[0]->attempt, 3 + i);
    }
    set_holding(&f, false);
    finish(&e, &f, 0, SL_VERDICT_DELIVERED);
    engine_drain(&e);
    sl_output_worker_status(e.worker, status, sizeof status);
    ck_assert_str_eq(status, "ok");
    check_each_taken_once(&e, &f);
    engine_stop(&e);
}
END_TEST

/* ---- one that is dead beside one that lives ---- */

static bool refuse(fake *f, sl_request *req, sl_verdict *verdict)
{
    (void)f;
    (void)req;
    sl_verdict_set(verdict, SL_VERDICT_RETRY, "away");
    return true;
}

static void set_deciding(fake *f, bool (*decide)(fake *f, sl_request *req, sl_verdict *verdict))
{
    pthread_mutex_lock(&f->lock);
    f->decide = decide;
    pthread_mutex_unlock(&f->lock);
}

/* The clock moves while both loops stand. */
static void advance_here(void *arg)
{
    sl_clock_advance(*(int64_t *)arg);
}

typedef struct advance {
    engine *other;
    int64_t ns;
} advance;

static void advance_on_other(void *arg)
{
    advance *a = arg;
    sl_loop_call_wait(a->other->worker->loop, advance_here, &a->ns);
}

static void advance_both(engine *a, engine *b, int64_t ns)
{
    sl_loop_call_wait(a->worker->loop, advance_on_other, &(advance){b, ns});
}

START_TEST(worker__an_hour_beside_a_dead_one_is_as_any_other)
{
    static fake f_live, f_dead;
    engine live, dead;
    sl_clock_fake(1700000000 * SL_NS_PER_S);
    setup(&live, &f_live);
    engine_start(&live);
    setup(&dead, &f_dead);
    f_dead.decide = refuse;
    dead.delivery.retry.initial_ns = SL_NS_PER_S / 2;
    dead.delivery.retry.max_ns = 30 * SL_NS_PER_S;
    engine_start(&dead);
    uint64_t most_held = 0;
    for (int second = 0; second < 3600; second++) {
        engine_offer(&live, 1, 20, 4000);
        engine_offer(&dead, 1, 20, 4000);
        settle_loop(&live);
        settle_loop(&dead);
        /* One turn of its loop, and what was offered is with the other side. */
        ck_assert_uint_eq(acked(&live), live.offered);
        uint64_t held = dead.worker->feed.kept_bytes + dead.worker->held;
        if (held > most_held) most_held = held;
        advance_both(&live, &dead, SL_NS_PER_S);
    }
    ck_assert_uint_eq(f_live.sends, 3600);
    ck_assert_uint_le(most_held, SL_OUTPUT_MAX_KEPT + (1 << 20));
    /* A wait is drawn from up to 30 s: 15 s on average. */
    ck_assert_uint_ge(f_dead.sends, 120);
    ck_assert_uint_le(f_dead.sends, 600);
    ck_assert_uint_eq(dead.acks, 0);
    set_deciding(&f_dead, NULL);
    advance_both(&live, &dead, 31 * SL_NS_PER_S);
    engine_drain(&dead);
    engine_drain(&live);
    check_each_taken_once(&live, &f_live);
    check_each_taken_once(&dead, &f_dead);
    engine_stop(&dead);
    engine_stop(&live);
    sl_clock_fake(-1);
}
END_TEST

START_TEST(worker__keeps_a_longer_retry_after)
{
    static fake f;
    engine e;
    setup(&e, &f);
    engine_start(&e);
    f.holding = true;
    engine_offer(&e, 1, 10, 100);
    wait_pending(&f, 1);
    int64_t began = sl_clock_mono_ns();
    sl_loop_call_wait(e.worker->loop, finish_on_loop,
                      &(finish_call){&f, 0, SL_VERDICT_RETRY, 300 * SL_NS_PER_MS});
    char status[128];
    sl_output_worker_status(e.worker, status, sizeof status);
    ck_assert_str_eq(status, "told so, trying again in 1 s");
    wait_pending(&f, 1);
    ck_assert_int_ge(sl_clock_mono_ns() - began, 290 * SL_NS_PER_MS);
    set_holding(&f, false);
    finish(&e, &f, 0, SL_VERDICT_DELIVERED);
    engine_drain(&e);
    engine_stop(&e);
}
END_TEST

static bool always_busy(fake *f, sl_request *req, sl_verdict *verdict)
{
    (void)f;
    char text[32];
    snprintf(text, sizeof text, "busy %u", req->attempt);
    sl_verdict_set(verdict, SL_VERDICT_RETRY, "%s", text);
    return true;
}

START_TEST(worker__after_retry_max_age_records_are_dead_letters)
{
    static fake f;
    engine e;
    setup(&e, &f);
    f.decide = always_busy;
    e.delivery.retry.max_age_ns = 30 * SL_NS_PER_MS;
    engine_start(&e);
    engine_offer(&e, 2, 5, 100);
    engine_drain(&e);
    ck_assert_uint_eq(letters_written(), 10);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.dead_lettered), 10);
    ck_assert_str_eq(letters[0].output, "search");
    ck_assert_str_eq(letters[0].reason, "retry_max_age");
    ck_assert_str_eq(letters[0].first_error, "busy 1");
    char last[32];
    snprintf(last, sizeof last, "busy %u", letters[0].attempts);
    ck_assert_str_eq(letters[0].last_error, last);
    ck_assert_uint_ge(letters[0].attempts, 2);
    ck_assert(letters[0].has_time);
    sl_batch *batch = make_batch(1);
    sl_id id = sl_record_id(batch, &batch->recs[0]);
    ck_assert(letters[0].id.hi == id.hi && letters[0].id.lo == id.lo);
    ck_assert_ptr_nonnull(strstr(letters[0].record, "\"frame\":1,\"n\":0,"));
    sl_batch_unref(batch);
    engine_stop(&e);
}
END_TEST

static bool too_large_over_three(fake *f, sl_request *req, sl_verdict *verdict)
{
    (void)f;
    for (uint32_t i = 0; i < req->count; i++) {
        uint64_t frame;
        unsigned n;
        record_name(req->recs[i].rec, &frame, &n);
        if (req->count > 3 || (frame == 2 && n == 5))
            sl_verdict_set(verdict, SL_VERDICT_SPLIT, "status 413 from here");
    }
    return true;
}

START_TEST(worker__splits_down_to_the_record_that_is_too_large)
{
    static fake f;
    engine e;
    setup(&e, &f);
    f.decide = too_large_over_three;
    engine_start(&e);
    engine_offer(&e, 4, 16, 100);
    engine_drain(&e);
    ck_assert_uint_eq(letters_written(), 1);
    ck_assert_str_eq(letters[0].reason, "too_large");
    ck_assert_ptr_nonnull(strstr(letters[0].record, "\"frame\":2,\"n\":5,"));
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.delivered), 63);
    f.seen[2][5]++;
    check_each_taken_once(&e, &f);
    engine_stop(&e);
}
END_TEST

/* n = 3: busy on the first attempt; n = 7: refused for good. */
static bool some_fail(fake *f, sl_request *req, sl_verdict *verdict)
{
    (void)f;
    for (uint32_t i = 0; i < req->count; i++) {
        uint64_t frame;
        unsigned n;
        record_name(req->recs[i].rec, &frame, &n);
        if (req->attempt > 1) ck_assert_uint_eq(n, 3); /* only the failed ones come again */
        if (n == 3 && req->attempt == 1)
            sl_verdict_set_record(verdict, i, SL_VERDICT_RETRY,
                                  SL_SPAN("429 es_rejected_execution_exception"));
        if (n == 7)
            sl_verdict_set_record(verdict, i, SL_VERDICT_REJECT, SL_SPAN("400 mapper_parsing_exception"));
    }
    return true;
}

START_TEST(worker__of_a_partial_answer_only_the_failed_records_go_again)
{
    static fake f;
    engine e;
    setup(&e, &f);
    f.decide = some_fail;
    engine_start(&e);
    engine_offer(&e, 10, 10, 100);
    engine_drain(&e);
    ck_assert_uint_eq(letters_written(), 10);
    ck_assert_str_eq(letters[0].reason, "rejected");
    ck_assert_str_eq(letters[0].last_error, "400 mapper_parsing_exception");
    ck_assert_str_eq(letters[0].first_error, "400 mapper_parsing_exception");
    ck_assert_uint_eq(letters[0].attempts, 1);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.delivered), 90);
    for (uint64_t s = 1; s < e.offered; s++)
        f.seen[s][7]++;
    check_each_taken_once(&e, &f);
    engine_stop(&e);
}
END_TEST

static bool reject_frame_two(fake *f, sl_request *req, sl_verdict *verdict)
{
    (void)f;
    uint64_t frame;
    unsigned n;
    record_name(req->recs[0].rec, &frame, &n);
    if (frame == 2) sl_verdict_set(verdict, SL_VERDICT_REJECT, "status 422 from here");
    return true;
}

START_TEST(worker__while_the_dead_letters_disk_is_full_the_records_wait)
{
    static fake f;
    engine e;
    setup(&e, &f);
    f.decide = reject_frame_two;
    e.delivery.request.max_records = 10;
    letter_errors_left = 1000000;
    engine_start(&e);
    engine_offer(&e, 5, 10, 100);
    struct timespec nap = {0, 100000000};
    nanosleep(&nap, NULL);
    ck_assert_uint_eq(acked(&e), 2); /* frame 2 stands in the way, the others were delivered */
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.delivered), 40);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.in_flight), 10);
    ck_assert_uint_eq(letters_written(), 0);
    char status[128];
    sl_output_worker_status(e.worker, status, sizeof status);
    ck_assert_ptr_nonnull(strstr(status, "No space left"));
    __atomic_store_n(&letter_errors_left, 0, __ATOMIC_RELAXED);
    engine_drain(&e);
    ck_assert_uint_eq(letters_written(), 10);
    ck_assert_str_eq(letters[9].last_error, "status 422 from here");
    sl_output_worker_status(e.worker, status, sizeof status);
    ck_assert_str_eq(status, "ok");
    engine_stop(&e);
}
END_TEST

/* ---- stop, sync ---- */

START_TEST(worker__stop_gives_up_what_is_in_flight)
{
    static fake f;
    engine e;
    setup(&e, &f);
    e.delivery.request.max_records = 5;
    engine_start(&e);
    f.holding = true;
    engine_offer(&e, 20, 10, 100);
    wait_pending(&f, 1);
    finish(&e, &f, 0, SL_VERDICT_DELIVERED);
    wait_pending(&f, 2);
    finish(&e, &f, 0, SL_VERDICT_RETRY);
    uint64_t delivered = sl_ledger_get(&e.ledger.delivered);
    engine_stop(&e); /* checks the ledger */
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.buffered), 200 - delivered);
    ck_assert_uint_eq(e.acked, 0); /* half of frame 1 is open */
}
END_TEST

START_TEST(worker__the_cursor_passes_only_what_the_plugin_has_synced)
{
    static fake f;
    engine e;
    setup(&e, &f);
    e.conf.plugin = &syncing_plugin;
    f.sync_errors_left = 1;
    engine_start(&e);
    engine_offer(&e, 3, 10, 100);
    ck_assert(wait_for(has_sent, &(wanted){&f, 1}));
    settle_loop(&e);
    ck_assert_uint_eq(acked(&e), 0); /* the first sync failed */
    engine_drain(&e);
    ck_assert_uint_ge(f.syncs, 2);
    engine_stop(&e);
}
END_TEST

/* ---- memory and the journal ---- */

START_TEST(worker__memory_is_bounded_and_the_rest_is_read_back)
{
    static fake f;
    engine e;
    setup(&e, &f);
    e.delivery.request.max_bytes = 256 * 1024;
    engine_start(&e);
    f.holding = true;
    engine_offer(&e, 300, 64, 4000); /* 75 MB */
    settle_loop(&e);
    ck_assert_uint_le(e.worker->feed.kept_bytes, SL_OUTPUT_MAX_KEPT + (1 << 19));
    ck_assert_uint_gt(e.worker->feed.kept_bytes, SL_OUTPUT_MAX_KEPT / 2);
    set_holding(&f, false);
    finish(&e, &f, 0, SL_VERDICT_DELIVERED);
    engine_drain(&e);
    check_each_taken_once(&e, &f);
    ck_assert_uint_gt(reads, 200);
    ck_assert_uint_le(f.most_held, SL_OUTPUT_MAX_HELD);
    ck_assert_uint_eq(e.worker->feed.kept_bytes, 0);
    ck_assert_uint_eq(e.worker->held, 0);
    engine_stop(&e);
}
END_TEST

START_TEST(worker__in_flight_requests_stay_within_the_memory_limit)
{
    static fake f;
    engine e;
    setup(&e, &f);
    const int room = SL_OUTPUT_MAX_HELD >> 20; /* requests of 1 MiB */
    e.delivery.request.concurrency = 64;
    engine_start(&e);
    f.holding = true;
    engine_offer(&e, 200, 64, 4000);
    grow(&e, &f, room - 2);
    for (int i = 0; i < 20; i++) {
        finish(&e, &f, 0, SL_VERDICT_DELIVERED);
        wait_pending(&f, room - 3);
        settle_loop(&e);
        ck_assert_int_le((int)pending(&f), room + 1);
    }
    ck_assert_uint_le(f.most_held, SL_OUTPUT_MAX_HELD + (1 << 20));
    set_holding(&f, false);
    while (pending(&f))
        finish(&e, &f, 0, SL_VERDICT_DELIVERED);
    engine_drain(&e);
    check_each_taken_once(&e, &f);
    engine_stop(&e);
}
END_TEST

/* More may be under way than memory has room for. */
static void lift_limit(void *arg)
{
    ((sl_output_worker *)arg)->in_flight.limit = 64;
}

START_TEST(worker__waits_quietly_while_memory_is_full_and_a_request_is_overdue)
{
    static fake f;
    engine e;
    setup(&e, &f);
    e.delivery.request.concurrency = 64;
    e.delivery.request.max_records = 64; /* a frame each */
    engine_start(&e);
    f.holding = true;
    sl_loop_call_wait(e.worker->loop, lift_limit, e.worker);
    engine_offer(&e, 25, 64, 4000);
    settle_loop(&e);
    for (int i = 0; i < 400 && e.worker->held + (1 << 20) <= SL_OUTPUT_MAX_HELD; i++) {
        engine_offer(&e, 1, 8, 4000); /* small steps up to the limit, each with its time to become overdue */
        usleep(10000);
        settle_loop(&e);
    }
    ck_assert_uint_gt(e.worker->held + (1 << 20), SL_OUTPUT_MAX_HELD);
    settle_loop(&e); /* the loop is not caught in its timer */
    set_holding(&f, false);
    while (pending(&f))
        finish(&e, &f, 0, SL_VERDICT_DELIVERED);
    engine_drain(&e);
    check_each_taken_once(&e, &f);
    engine_stop(&e);
}
END_TEST

START_TEST(worker__a_backlog_in_the_journal_is_read_first)
{
    static fake f;
    engine e;
    setup(&e, &f);
    engine_backlog(&e, 100, 20, 100);
    e.conf.plugin = &serial_plugin;
    engine_start(&e);
    engine_offer(&e, 100, 20, 100);
    engine_drain(&e);
    check_each_taken_once(&e, &f);
    ck_assert(!f.out_of_order);
    ck_assert_uint_ge(reads, 100);
    engine_stop(&e);
}
END_TEST

START_TEST(worker__damaged_frames_are_counted_and_passed)
{
    static fake f;
    engine e;
    setup(&e, &f);
    engine_backlog(&e, 20, 10, 100);
    shapes[1].damaged = shapes[7].damaged = shapes[8].damaged = shapes[20].damaged = true;
    engine_start(&e);
    engine_drain(&e);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.delivered), 160);
    ck_assert_uint_eq(sl_drops_total(&e.ledger.dropped), 40);
    ck_assert_str_eq(e.ledger.dropped.reason[0], "journal_damaged");
    engine_stop(&e);
}
END_TEST

START_TEST(worker__a_disk_that_cannot_be_read_is_asked_again)
{
    static fake f;
    engine e;
    setup(&e, &f);
    engine_backlog(&e, 5, 10, 100);
    read_errors_left = 3;
    engine_start(&e);
    engine_drain(&e);
    check_each_taken_once(&e, &f);
    ck_assert_uint_ge(reads, 8);
    char status[128];
    sl_output_worker_status(e.worker, status, sizeof status);
    ck_assert_str_eq(status, "ok");
    engine_stop(&e);
}
END_TEST

START_TEST(worker__frames_that_are_gone_are_counted_in_the_end)
{
    static fake f;
    engine e;
    setup(&e, &f);
    engine_backlog(&e, 10, 10, 100);
    for (int i = 4; i <= 10; i++)
        shapes[i].missing = true;
    engine_start(&e);
    engine_drain(&e);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.delivered), 30);
    ck_assert_uint_eq(sl_drops_total(&e.ledger.dropped), 70);
    ck_assert_str_eq(e.ledger.dropped.reason[0], "journal_missing");
    engine_stop(&e);
}
END_TEST

START_TEST(worker__what_the_journal_gave_up_is_dropped_unless_it_is_in_memory)
{
    static fake f;
    engine e;
    setup(&e, &f);
    e.delivery.request.max_bytes = 100 * 1024;
    engine_start(&e);
    f.holding = true;
    engine_offer(&e, 99, 25, 4000); /* 100 KB each: about 40 fit into memory, the others are on disk */
    wait_pending(&f, 1);
    settle_loop(&e);
    size_t kept = e.worker->feed.kept_count;
    ck_assert_uint_gt(kept, 20);
    ck_assert_uint_lt(kept, 60);
    for (int i = 1; i < 80; i++)
        __atomic_store_n(&shapes[i].missing, true, __ATOMIC_RELAXED);
    sl_output_worker_drop_before(e.worker, 80, "drop_oldest");
    settle_loop(&e);
    uint64_t dropped = sl_drops_total(&e.ledger.dropped);
    ck_assert_uint_eq(dropped % 25, 0);
    ck_assert_uint_le(dropped, (79 - kept) * 25);
    ck_assert_uint_ge(dropped, (79 - kept - 2) * 25); /* one is in flight, one being formed */
    ck_assert_uint_eq(engine_accounted(&e), e.records);
    set_holding(&f, false);
    finish(&e, &f, 0, SL_VERDICT_DELIVERED);
    engine_drain(&e);
    ck_assert_uint_eq(sl_drops_total(&e.ledger.dropped), dropped);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.delivered), e.records - dropped);
    ck_assert_str_eq(e.ledger.dropped.reason[0], "drop_oldest");
    engine_stop(&e);
}
END_TEST

START_TEST(worker__a_memory_journal_that_gives_up_frames_frees_them)
{
    static fake f;
    engine e;
    setup(&e, &f);
    e.conf.journal_dir = NULL;
    e.delivery.request.max_records = 10;
    engine_start(&e);
    f.holding = true;
    for (int i = 0; i < 60; i++)
        engine_offer(&e, 1, 10, 30000); /* 18 MB, all kept: there is no disk */
    wait_pending(&f, 1);
    settle_loop(&e);
    ck_assert_uint_gt(e.worker->feed.kept_count, 50);
    sl_output_worker_drop_before(e.worker, 40, "drop_oldest");
    settle_loop(&e);
    ck_assert_uint_eq(e.worker->feed.kept_count, 21);
    ck_assert_uint_eq(engine_accounted(&e), e.records);
    set_holding(&f, false);
    finish(&e, &f, 0, SL_VERDICT_DELIVERED);
    engine_drain(&e);
    ck_assert_uint_ge(sl_ledger_get(&e.ledger.delivered), 220);
    ck_assert_uint_eq(reads, 0);
    engine_stop(&e);
}
END_TEST

/* ---- which records ---- */

START_TEST(worker__when_leaves_records_out_and_counts_them)
{
    static fake f;
    engine e;
    setup(&e, &f);
    sl_err err = SL_ERR_NONE;
    e.delivery.when = sl_condition_parse(SL_SPAN("n >= 4"), &err);
    ck_assert_msg(e.delivery.when != NULL, "%s", err.text);
    engine_start(&e);
    engine_offer(&e, 5, 10, 100);
    engine_offer(&e, 5, 3, 100); /* whole frames */
    engine_drain(&e);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.filtered), 35);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.delivered), 30);
    ck_assert_uint_eq(f.seen[1][3], 0);
    ck_assert_uint_eq(f.seen[1][4], 1);
    engine_stop(&e);
    sl_condition_free(e.delivery.when);
}
END_TEST

START_TEST(worker__a_batch_for_another_output_is_not_sent)
{
    static fake f;
    engine e;
    setup(&e, &f);
    engine_start(&e);
    engine_offer_shape(&e, (frame_shape){.records = 5, .size = 100, .target = "kafka"});
    engine_offer_shape(&e, (frame_shape){.records = 5, .size = 100, .target = "search"});
    engine_drain(&e);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.filtered), 5);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.delivered), 5);
    ck_assert_uint_eq(f.seen[1][0], 0);
    ck_assert_uint_eq(f.seen[2][0], 1);
    engine_stop(&e);
}
END_TEST

/* ---- quiet ---- */

static void look_at_timer(void *arg)
{
    engine *e = arg;
    e->drained = !sl_timer_is_active(e->worker->timer);
}

static bool has_no_timer(void *arg)
{
    engine *e = arg;
    sl_loop_call_wait(e->worker->loop, look_at_timer, e);
    return e->drained;
}

START_TEST(worker__when_nothing_is_to_be_done_no_timer_runs)
{
    static fake f;
    engine e;
    setup(&e, &f);
    engine_start(&e);
    ck_assert(has_no_timer(&e));
    engine_offer(&e, 5, 10, 100);
    ck_assert(wait_for(has_sent, &(wanted){&f, 1}));
    ck_assert(wait_for(has_no_timer, &e)); /* after the buffers were given back */
    ck_assert_uint_eq(e.worker->pool.count, 0);
    ck_assert_uint_eq(acked(&e), 6);
    engine_stop(&e);
}
END_TEST

/* ---- everything at once ---- */

static bool at_random(fake *f, sl_request *req, sl_verdict *verdict)
{
    (void)f;
    int dice = rand() % 10;
    if (dice == 0) sl_verdict_set(verdict, SL_VERDICT_RETRY, "busy");
    if (dice == 1 && req->count > 1) sl_verdict_set(verdict, SL_VERDICT_SPLIT, "large");
    if (dice == 2 && rand() % 8 == 0) sl_verdict_set(verdict, SL_VERDICT_REJECT, "no");
    for (uint32_t i = 0; dice == 3 && i < req->count; i++) {
        int each = rand() % 20;
        if (each < 2)
            sl_verdict_set_record(verdict, i, each ? SL_VERDICT_RETRY : SL_VERDICT_REJECT, SL_SPAN("each"));
    }
    return dice < 8 || f->pending_count > 20;
}

typedef struct ender {
    engine *e;
    fake *f;
    bool stop;
} ender;

static void *end_pending(void *arg)
{
    ender *x = arg;
    unsigned seed = 7;
    while (!__atomic_load_n(&x->stop, __ATOMIC_RELAXED)) {
        unsigned count = pending(x->f);
        if (count)
            finish(x->e, x->f, (unsigned)rand_r(&seed) % count,
                   rand_r(&seed) % 4 ? SL_VERDICT_DELIVERED : SL_VERDICT_RETRY);
        else
            usleep(200);
    }
    return NULL;
}

START_TEST(worker__every_record_has_one_end_whatever_happens)
{
    static fake f;
    engine e;
    setup(&e, &f);
    f.decide = at_random;
    e.delivery.request.max_records = 37;
    e.delivery.retry.initial_ns = e.delivery.retry.max_ns = SL_NS_PER_MS;
    letter_errors_left = 5;
    engine_backlog(&e, 50, 20, 300);
    engine_start(&e);
    ender x = {&e, &f, false};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, end_pending, &x), 0);
    for (int i = 0; i < 500; i++)
        engine_offer(&e, 1, 1 + (unsigned)i % 50, 50 + (unsigned)(i % 7) * 700);
    engine_drain(&e);
    __atomic_store_n(&x.stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    for (unsigned i = 0; i < letters_written(); i++) {
        unsigned long long frame;
        unsigned n;
        const char *at = strstr(letters[i].record, "\"frame\"");
        ck_assert_int_eq(sscanf(at, "\"frame\":%llu,\"n\":%u,", &frame, &n), 2);
        f.seen[frame][n]++;
    }
    check_each_taken_once(&e, &f);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.dead_lettered), letters_written());
    ck_assert_uint_gt(letters_written(), 0);
    ck_assert_uint_eq(sl_drops_total(&e.ledger.dropped), 0);
    engine_stop(&e);
}
END_TEST

SL_TEST_MAIN(
    "output_worker", worker__delivers_in_order_and_moves_the_cursor,
    worker__a_plugin_that_cannot_start_says_why, worker__requests_form_by_bytes_records_and_age,
    worker__drain_does_not_wait_for_company, worker__the_cursor_moves_in_order_while_requests_end_in_any,
    worker__a_plugin_may_ask_for_one_at_a_time, worker__retries_until_it_goes_through,
    worker__nothing_new_is_sent_while_a_request_fails_as_a_whole,
    worker__an_hour_beside_a_dead_one_is_as_any_other, worker__keeps_a_longer_retry_after,
    worker__after_retry_max_age_records_are_dead_letters, worker__splits_down_to_the_record_that_is_too_large,
    worker__of_a_partial_answer_only_the_failed_records_go_again,
    worker__while_the_dead_letters_disk_is_full_the_records_wait, worker__stop_gives_up_what_is_in_flight,
    worker__the_cursor_passes_only_what_the_plugin_has_synced,
    worker__memory_is_bounded_and_the_rest_is_read_back,
    worker__in_flight_requests_stay_within_the_memory_limit,
    worker__waits_quietly_while_memory_is_full_and_a_request_is_overdue,
    worker__a_backlog_in_the_journal_is_read_first, worker__damaged_frames_are_counted_and_passed,
    worker__a_disk_that_cannot_be_read_is_asked_again, worker__frames_that_are_gone_are_counted_in_the_end,
    worker__what_the_journal_gave_up_is_dropped_unless_it_is_in_memory,
    worker__a_memory_journal_that_gives_up_frames_frees_them, worker__when_leaves_records_out_and_counts_them,
    worker__a_batch_for_another_output_is_not_sent, worker__when_nothing_is_to_be_done_no_timer_runs,
    worker__every_record_has_one_end_whatever_happens)

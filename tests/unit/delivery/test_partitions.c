#include "engine_fixture.h"

/* A plugin that sends by itself and parts records by their number: n % parts. */
typedef struct parter {
    sl_output *out;
    unsigned parts;
    unsigned sends, full;
    uint64_t most_held;
    size_t most_forming;
    uint32_t most_records;
    uint64_t last[1000]; /* of each part: the place of the latest record */
    unsigned seen[MAX_FRAMES][64];
    bool mixed, out_of_order;
    int64_t rare_ns; /* when the record of the last part was sent */
    sl_buf key;
} parter;

static parter *the_parter;

static unsigned part_of(const sl_record *rec)
{
    uint64_t frame;
    unsigned n;
    record_name(rec, &frame, &n);
    return n % the_parter->parts;
}

static void *parter_start(sl_output *out, const void *conf, sl_err *err)
{
    (void)conf;
    (void)err;
    the_parter->out = out;
    return the_parter;
}

static sl_span parter_partition(void *self, const sl_batch *batch, const sl_record *rec)
{
    (void)batch;
    parter *p = self;
    sl_buf_clear(&p->key);
    sl_buf_printf(&p->key, "part %u", part_of(rec));
    return sl_buf_span(&p->key);
}

static void note(parter *p, const sl_request *req, uint32_t i)
{
    uint64_t frame;
    unsigned n, part = part_of(req->recs[i].rec);
    record_name(req->recs[i].rec, &frame, &n);
    if (part_of(req->recs[0].rec) != part) p->mixed = true;
    uint64_t place = frame * 1000 + n;
    if (place <= p->last[part]) p->out_of_order = true;
    p->last[part] = place;
    p->seen[frame][n % 64]++;
    if (part == p->parts - 1) p->rare_ns = sl_clock_mono_ns();
}

static void parter_send(void *self, sl_request *req)
{
    parter *p = self;
    const sl_output_worker *worker = p->out->worker;
    p->sends++;
    if (req->count == worker->delivery.request.max_records) p->full++;
    if (req->count > p->most_records) p->most_records = req->count;
    if (worker->held > p->most_held) p->most_held = worker->held;
    if (worker->former.count > p->most_forming) p->most_forming = worker->former.count;
    char name[32];
    snprintf(name, sizeof name, "part %u", part_of(req->recs[0].rec));
    ck_assert(sl_span_is_cstr(req->partition, name));
    for (uint32_t i = 0; i < req->count; i++)
        note(p, req, i);
    sl_verdict verdict;
    sl_verdict_init(&verdict, req);
    sl_request_done(p->out, req, &verdict);
}

static void parter_free(void *self)
{
    sl_buf_release(&((parter *)self)->key);
}

static const sl_output_ops parter_ops = {.start = parter_start,
                                         .partition = parter_partition,
                                         .send = parter_send,
                                         .free = parter_free,
                                         .max_in_flight = 1};
static const sl_plugin parter_plugin = {
    .abi = SL_ABI_VERSION, .kind = SL_PLUGIN_OUTPUT, .name = "parter", .output = &parter_ops};

static void setup(engine *e, parter *p, unsigned parts)
{
    *p = (parter){.parts = parts};
    the_parter = p;
    engine_init(e, &parter_plugin, NULL);
}

START_TEST(partitions__do_not_mix_and_keep_their_order)
{
    const unsigned parts[] = {1, 3, 7, 60};
    for (size_t i = 0; i < SL_LEN(parts); i++) {
        static parter p;
        engine e;
        setup(&e, &p, parts[i]);
        e.delivery.request.max_records = 100;
        engine_start(&e);
        engine_offer(&e, 100, 60, 100);
        engine_drain(&e);
        ck_assert(!p.mixed && !p.out_of_order);
        for (uint64_t s = 1; s < e.offered; s++)
            for (unsigned n = 0; n < 60; n++)
                ck_assert_uint_eq(p.seen[s][n], 1);
        ck_assert_uint_le(p.most_records, 100);
        engine_stop(&e);
    }
}
END_TEST

START_TEST(partitions__form_side_by_side_until_they_are_full)
{
    static parter p;
    engine e;
    setup(&e, &p, 4);
    e.delivery.request.max_records = 500;
    e.delivery.request.max_age_ns = 3600 * SL_NS_PER_S;
    engine_backlog(&e, 200, 40, 100); /* 2000 of each */
    engine_start(&e);
    engine_drain(&e);
    ck_assert_uint_eq(p.full, 16);
    ck_assert_uint_eq(p.sends, 16);
    engine_stop(&e);
}
END_TEST

START_TEST(partitions__beyond_the_limit_the_oldest_request_goes_first)
{
    static parter p;
    engine e;
    setup(&e, &p, 1000);
    e.delivery.request.max_age_ns = 3600 * SL_NS_PER_S;
    for (unsigned i = 0; i < 20; i++)
        shapes[i + 1] = (frame_shape){.records = 1000, .size = 60};
    engine_backlog(&e, 20, 1000, 60);
    engine_start(&e);
    engine_drain(&e);
    ck_assert(!p.mixed && !p.out_of_order);
    ck_assert_uint_le(p.most_forming, SL_FORMER_MAX_PARTITIONS);
    ck_assert_uint_eq(sl_ledger_get(&e.ledger.delivered), 20000);
    engine_stop(&e);
}
END_TEST

START_TEST(partitions__none_waits_longer_than_max_age)
{
    static parter p;
    engine e;
    setup(&e, &p, 50);
    e.delivery.request.max_age_ns = 100 * SL_NS_PER_MS;
    engine_start(&e);
    engine_offer(&e, 1, 1, 100); /* ends the pause */
    usleep(20000);
    int64_t rare_came = sl_clock_mono_ns();
    engine_offer(&e, 1, 50, 100);
    for (int i = 0; i < 40; i++) { /* others keep coming */
        engine_offer(&e, 1, 20, 100);
        usleep(5000);
    }
    engine_drain(&e);
    ck_assert_int_gt(p.rare_ns, rare_came);
    ck_assert_msg(p.rare_ns - rare_came < 180 * SL_NS_PER_MS, "waited %lld ms",
                  (long long)((p.rare_ns - rare_came) / SL_NS_PER_MS));
    engine_stop(&e);
}
END_TEST

/* A record that nothing else comes for holds the batch that it lies in: it goes when memory runs out. */
START_TEST(partitions__a_rare_one_does_not_hold_memory)
{
    static parter p;
    engine e;
    setup(&e, &p, 60);
    e.delivery.request.max_age_ns = 3600 * SL_NS_PER_S;
    e.delivery.request.max_records = 1000000;
    engine_backlog(&e, 100, 60, 10000); /* 600 kB a frame, 1.2 MB of each part */
    engine_start(&e);
    engine_drain(&e);
    ck_assert(!p.mixed && !p.out_of_order);
    ck_assert_msg(p.most_held <= SL_OUTPUT_MAX_HELD + SL_OUTPUT_MAX_SPREAD, "%llu bytes held",
                  (unsigned long long)p.most_held);
    engine_stop(&e);
}
END_TEST

START_TEST(partitions__stop_gives_up_what_is_forming)
{
    static parter p;
    engine e;
    setup(&e, &p, 60);
    e.delivery.request.max_age_ns = 3600 * SL_NS_PER_S;
    engine_start(&e);
    engine_offer(&e, 10, 60, 100);
    usleep(20000);
    engine_stop(&e);
    ck_assert_uint_gt(sl_ledger_get(&e.ledger.buffered), 0);
}
END_TEST

/* ---- one after another ---- */

/* Holds requests and ends them by chance: in any order, well or not. */
typedef struct juggler {
    parter parter; /* first: its partition() is used */
    sl_timer *timer;
    sl_request *held[16];
    unsigned count;
    unsigned chance;
    bool beside; /* two of one partition were held at a time */
    unsigned most;
} juggler;

static unsigned by_chance(juggler *j, unsigned below)
{
    j->chance = j->chance * 1664525 + 1013904223;
    return (j->chance >> 16) % below;
}

static void decide(juggler *j, const sl_request *req, sl_verdict *verdict)
{
    unsigned what = by_chance(j, 10);
    if (what < 6 || req->attempt > 4) {
        for (uint32_t i = 0; i < req->count; i++)
            note(&j->parter, req, i);
    } else if (what < 8) {
        sl_verdict_set(verdict, SL_VERDICT_RETRY, "again");
        verdict->cause = what == 6 ? SL_CAUSE_PARTITION : SL_CAUSE_UNKNOWN;
    } else if (req->count > 1) {
        sl_verdict_set(verdict, SL_VERDICT_SPLIT, "too large");
    } else {
        sl_verdict_set(verdict, SL_VERDICT_RETRY, "again");
    }
}

static void end_one(void *arg)
{
    juggler *j = arg;
    if (!j->count) return;
    unsigned at = by_chance(j, j->count);
    sl_request *req = j->held[at];
    j->held[at] = j->held[--j->count];
    sl_verdict verdict;
    sl_verdict_init(&verdict, req);
    decide(j, req, &verdict);
    sl_request_done(j->parter.out, req, &verdict);
}

static void *juggler_start(sl_output *out, const void *conf, sl_err *err)
{
    juggler *j = sl_container_of(parter_start(out, conf, err), juggler, parter);
    j->timer = sl_timer_new(sl_output_loop(out), end_one, j);
    sl_timer_start(j->timer, SL_NS_PER_MS, SL_NS_PER_MS);
    return j;
}

static void juggler_send(void *self, sl_request *req)
{
    juggler *j = self;
    for (unsigned i = 0; i < j->count; i++) {
        if (sl_span_is(j->held[i]->partition, req->partition)) j->beside = true;
    }
    ck_assert_uint_lt(j->count, SL_LEN(j->held));
    j->held[j->count++] = req;
    if (j->count > j->most) j->most = j->count;
}

static bool yes(void *self)
{
    (void)self;
    return true;
}

static void juggler_stop(void *self)
{
    sl_timer_free(((juggler *)self)->timer);
}

static const sl_output_ops juggler_ops = {.start = juggler_start,
                                          .partition = parter_partition,
                                          .in_order = yes,
                                          .send = juggler_send,
                                          .stop = juggler_stop,
                                          .free = parter_free};
static const sl_plugin juggler_plugin = {
    .abi = SL_ABI_VERSION, .kind = SL_PLUGIN_OUTPUT, .name = "juggler", .output = &juggler_ops};

START_TEST(partitions__in_order_go_one_after_another_whatever_happens)
{
    for (unsigned chance = 1; chance <= 4; chance++) {
        static juggler j;
        engine e;
        j = (juggler){.chance = chance};
        setup(&e, &j.parter, 7);
        e.conf.plugin = &juggler_plugin;
        e.delivery.request.max_records = 50;
        engine_start(&e);
        engine_offer(&e, 60, 60, 100);
        engine_drain(&e);
        ck_assert(!j.beside);
        ck_assert_uint_gt(j.most, 1);
        ck_assert(!j.parter.mixed && !j.parter.out_of_order);
        ck_assert_uint_eq(sl_ledger_get(&e.ledger.delivered), 3600);
        engine_stop(&e);
    }
}
END_TEST

SL_TEST_MAIN("partitions", partitions__in_order_go_one_after_another_whatever_happens,
             partitions__do_not_mix_and_keep_their_order, partitions__form_side_by_side_until_they_are_full,
             partitions__beyond_the_limit_the_oldest_request_goes_first,
             partitions__none_waits_longer_than_max_age, partitions__a_rare_one_does_not_hold_memory,
             partitions__stop_gives_up_what_is_forming)

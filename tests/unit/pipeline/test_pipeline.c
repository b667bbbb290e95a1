/* Pipelines put together from fake plugins: an input the test drives, a filter that obeys the lines, an
 * output that can be held. */
#include "check_main.h"
#include "pipeline/pipeline.h"
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/* ---- the fakes ---- */

typedef struct fake_input {
    sl_input *in;
    int resumed;
    int released, unsafe; /* receipts, on the input's loop */
    uint64_t last_receipt;
    bool in_order;
} fake_input;

static fake_input driver;

static void *fake_input_start(sl_input *in, const void *conf, sl_err *err)
{
    (void)conf;
    (void)err;
    driver = (fake_input){.in = in, .in_order = true};
    return &driver;
}
static void fake_input_resume(void *self)
{
    ((fake_input *)self)->resumed++;
}
static void fake_input_nothing(void *self)
{
    (void)self;
}
static const sl_input_ops fake_input_ops = {fake_input_start, fake_input_resume, fake_input_nothing,
                                            fake_input_nothing};

/* Lines: "x…" are filtered, "d…" dead-lettered, "l…" dropped. */
static void *fake_filter_start(sl_filter *filter, const void *conf, sl_err *err)
{
    (void)conf;
    (void)err;
    return filter;
}
static void fake_filter_apply(void *self, sl_batch *batch)
{
    (void)self;
    for (uint32_t i = 0; i < batch->count; i++) {
        sl_record *rec = &batch->recs[i];
        if (rec->text[0] == 'x') sl_record_set_fate(batch, rec, SL_FATE_FILTERED, NULL);
        if (rec->text[0] == 'd') sl_record_set_fate(batch, rec, SL_FATE_DEAD_LETTERED, "not_wanted");
        if (rec->text[0] == 'l') sl_record_set_fate(batch, rec, SL_FATE_DROPPED, "lost_by_test");
    }
}
static const sl_filter_ops fake_filter_ops = {fake_filter_start, fake_filter_apply, fake_input_nothing};

typedef struct fake_output {
    sl_output *out;
    sl_request *held;
    uint32_t records;
    sl_buf text;
} fake_output;

static bool hold; /* set before the pipeline starts or on the output's loop */
static fake_output *sink;

static void *fake_output_start(sl_output *out, const void *conf, sl_err *err)
{
    (void)conf;
    (void)err;
    sink = sl_calloc(1, sizeof *sink);
    sink->out = out;
    return sink;
}
static void deliver(fake_output *self, sl_request *req)
{
    sl_verdict verdict;
    sl_verdict_init(&verdict, req);
    for (uint32_t i = 0; i < req->count; i++) {
        sl_record_write(req->recs[i].batch, req->recs[i].rec, &self->text);
        sl_buf_append_char(&self->text, '\n');
    }
    self->records += req->count;
    sl_request_done(self->out, req, &verdict);
}
static void fake_output_send(void *arg, sl_request *req)
{
    fake_output *self = arg;
    if (hold)
        self->held = req;
    else
        deliver(self, req);
}
static void release_held(void *arg)
{
    fake_output *self = arg;
    hold = false;
    sl_request *req = self->held;
    self->held = NULL;
    if (req) deliver(self, req);
}
static void fake_output_free(void *arg)
{
    fake_output *self = arg;
    sl_buf_release(&self->text);
    sl_free(self);
}
static const sl_output_ops fake_output_ops = {
    .start = fake_output_start, .send = fake_output_send, .free = fake_output_free, .max_in_flight = 1};

static const sl_option no_options[] = {{0}};
static const sl_plugin input_plugin = {.abi = SL_ABI_VERSION,
                                       .kind = SL_PLUGIN_INPUT,
                                       .name = "fake",
                                       .options = no_options,
                                       .input = &fake_input_ops};
static const sl_plugin filter_plugin = {.abi = SL_ABI_VERSION,
                                        .kind = SL_PLUGIN_FILTER,
                                        .name = "fake",
                                        .options = no_options,
                                        .filter = &fake_filter_ops};
static const sl_plugin output_plugin = {.abi = SL_ABI_VERSION,
                                        .kind = SL_PLUGIN_OUTPUT,
                                        .name = "fake",
                                        .options = no_options,
                                        .output = &fake_output_ops};

/* ---- a pipeline around them ---- */

static const sl_delivery_conf delivery = {
    .request = {.max_bytes = 1 << 20, .max_records = 1000, .max_age_ns = SL_NS_PER_MS, .concurrency = 1},
    .retry = {.initial_ns = SL_NS_PER_MS, .max_ns = SL_NS_PER_MS},
};
static const sl_plugin_use input_use = {.plugin = &input_plugin, .name = "in", .pipeline = "p"};
static const sl_plugin_use filter_use = {.plugin = &filter_plugin, .name = "obey", .pipeline = "p"};
static const sl_plugin_use output_use = {
    .plugin = &output_plugin, .name = "out", .pipeline = "p", .delivery = &delivery};
static const sl_plugin_use *const inputs[] = {&input_use}, *const filters[] = {&filter_use},
                                  *const outputs[] = {&output_use};

static char data_dir[256];
static sl_service_conf service;
static sl_loop *worker;
static sl_agent_context context;
static sl_pipeline_conf conf;
static sl_pipeline *pipeline;
static sl_input *input;
static sl_err err;

static void open_again(void)
{
    err = (sl_err)SL_ERR_NONE;
    worker = sl_loop_new("worker");
    service = (sl_service_conf){.data_dir = data_dir};
    context = (sl_agent_context){.service = &service, .workers = &worker, .n_workers = 1};
    pipeline = sl_pipeline_new(&conf, &context);
    ck_assert_msg(sl_pipeline_open(pipeline, &err) == 0, "%s", err.text);
    input = sl_input_new(&input_use, &context, 0, &pipeline, 1, NULL, NULL);
    ck_assert_int_eq(sl_input_start(input, &err), 0);
}

static void open_new(sl_journal_type type)
{
    snprintf(data_dir, sizeof data_dir, "%s", sl_test_dir());
    conf = (sl_pipeline_conf){
        .name = "p",
        .inputs = {inputs, 1},
        .filters = {filters, 1},
        .outputs = {outputs, 1},
        .buffer = {.type = type,
                   .max_size = 1 << 24,
                   .segment_size = 1 << 20,
                   .segment_age_ns = 3600 * SL_NS_PER_S,
                   .fsync = SL_FSYNC_BATCH,
                   .fsync_interval_ns = SL_NS_PER_S,
                   .compress_level = 1},
    };
    open_again();
}

static void close_all(void)
{
    int64_t never = 0;
    sl_input_stop(input);
    sl_pipeline_settle(pipeline, &never);
    sl_pipeline_close(pipeline);
    sl_input_free(input);
    sl_pipeline_free(pipeline);
    sl_loop_free(worker);
}

typedef struct emission {
    const char *const *lines;
    int count;
    uint64_t number;
} emission;

typedef struct numbered {
    uint64_t number;
} numbered;

static void on_released(void *arg, bool safe)
{
    numbered *receipt = arg;
    if (receipt->number <= driver.last_receipt) driver.in_order = false;
    driver.last_receipt = receipt->number;
    driver.released++;
    if (!safe) driver.unsafe++;
    sl_free(receipt);
}

static void emit_on_loop(void *arg)
{
    const emission *e = arg;
    numbered *receipt = sl_calloc(1, sizeof *receipt);
    receipt->number = e->number;
    sl_batch *batch = sl_batch_new();
    batch->source = (sl_id){7, 7};
    for (int i = 0; i < e->count; i++)
        sl_batch_add(batch, sl_span_of(e->lines[i]), SL_RECORD_RAW, 1700000000 * SL_NS_PER_S,
                     e->number * 100 + (uint64_t)i);
    batch->receipt = sl_receipt_new(driver.in, on_released, receipt);
    sl_input_emit(driver.in, batch);
}

#define EMIT(n, ...)                                                                                         \
    do {                                                                                                     \
        const char *const lines_[] = {__VA_ARGS__};                                                          \
        emission e_ = {lines_, (int)SL_LEN(lines_), (n)};                                                    \
        sl_loop_call_wait(worker, emit_on_loop, &e_);                                                        \
    } while (0)

typedef struct question {
    bool (*test)(void);
    bool answer;
} question;

static void answer(void *arg)
{
    question *q = arg;
    q->answer = q->test();
}

/* What the driver saw belongs to the worker loop: it is asked there. */
static bool holds(bool (*test)(void))
{
    question q = {test, false};
    sl_loop_call_wait(worker, answer, &q);
    return q.answer;
}

static bool wait_for(bool (*test)(void))
{
    for (int i = 0; i < 4000; i++) {
        if (holds(test)) return true;
        usleep(1000);
    }
    return false;
}

#define READ(field) sl_ledger_get(&(field))

static bool is_balanced(void)
{
    const sl_pipeline_ledger *p = sl_pipeline_ledger_of(pipeline);
    const sl_output_ledger *o = sl_pipeline_output_ledger(pipeline, 0);
    uint64_t pipeline_sum = READ(p->filtered) + READ(p->dead_lettered) + sl_drops_total(&p->dropped) +
                            READ(p->journaled) + READ(p->on_the_way);
    uint64_t output_sum = READ(o->filtered) + READ(o->delivered) + READ(o->buffered) + READ(o->in_flight) +
                          READ(o->dead_lettered) + sl_drops_total(&o->dropped);
    return READ(p->received) + READ(p->recovered) == pipeline_sum && READ(p->journaled) == output_sum;
}

/* Numbers that others are writing meet when nothing moves. */
static void expect_balance(void)
{
    ck_assert(wait_for(is_balanced));
}

static bool three_delivered(void)
{
    return sl_ledger_get(&sl_pipeline_output_ledger(pipeline, 0)->delivered) == 3;
}
static bool no_receipt(void)
{
    return driver.released == 0;
}
static bool two_receipts(void)
{
    return driver.released == 2;
}
static bool all_in_order(void)
{
    return driver.in_order && driver.unsafe == 0;
}
static bool four_receipts(void)
{
    return driver.released == 4;
}

static void drive_one_of_each(sl_journal_type type)
{
    hold = false;
    open_new(type);
    EMIT(1, "a", "x", "d");
    EMIT(2, "x", "l");
    EMIT(3, "b", "c");
    EMIT(4, "x");
    ck_assert(wait_for(three_delivered));
    ck_assert(wait_for(four_receipts));
    ck_assert(holds(all_in_order));
    const sl_pipeline_ledger *p = sl_pipeline_ledger_of(pipeline);
    ck_assert_uint_eq(p->received, 8);
    ck_assert_uint_eq(p->filtered, 3);
    ck_assert_uint_eq(p->dead_lettered, 1);
    ck_assert_uint_eq(sl_drops_total(&p->dropped), 1);
    ck_assert_uint_eq(p->journaled, 3);
    expect_balance();
    close_all();
}

START_TEST(pipeline__delivers_and_accounts_for_every_fate_on_disk)
{
    drive_one_of_each(SL_JOURNAL_DISK);
}
END_TEST
START_TEST(pipeline__delivers_and_accounts_for_every_fate_in_memory)
{
    drive_one_of_each(SL_JOURNAL_MEMORY);
}
END_TEST

static bool is_held(void)
{
    const sl_output_ledger *o = sl_pipeline_output_ledger(pipeline, 0);
    return sl_ledger_get(&o->in_flight) > 0;
}

START_TEST(pipeline__a_memory_journal_releases_a_receipt_only_after_delivery)
{
    hold = true;
    open_new(SL_JOURNAL_MEMORY);
    EMIT(1, "a");
    ck_assert(wait_for(is_held));
    EMIT(2, "x"); /* nothing of it is left, yet it must not overtake the first */
    usleep(20000);
    ck_assert(holds(no_receipt));
    sl_loop_call_wait(sl_output_loop(sink->out), release_held, sink);
    ck_assert(wait_for(two_receipts));
    ck_assert(holds(all_in_order));
    expect_balance();
    close_all();
}
END_TEST

static bool first_receipt(void)
{
    return driver.released >= 1;
}

START_TEST(pipeline__what_was_not_delivered_is_recovered_and_delivered_once)
{
    hold = true;
    open_new(SL_JOURNAL_DISK);
    EMIT(1, "a", "b", "c");
    ck_assert(wait_for(first_receipt)); /* safe on disk though not delivered */
    ck_assert(wait_for(is_held));
    close_all();
    hold = false;
    open_again();
    ck_assert_uint_eq(sl_pipeline_ledger_of(pipeline)->recovered, 3);
    ck_assert(wait_for(three_delivered));
    expect_balance();
    close_all();
    open_again();
    ck_assert_uint_eq(sl_pipeline_ledger_of(pipeline)->recovered, 0);
    close_all();
}
END_TEST

static void ask_to_read(void *arg)
{
    *(bool *)arg = sl_input_may_read(driver.in);
}

static bool was_resumed(void)
{
    return driver.resumed > 0;
}

START_TEST(pipeline__a_full_journal_holds_the_input_and_lets_it_go_on)
{
    hold = true;
    open_new(SL_JOURNAL_MEMORY);
    close_all();
    conf.buffer.max_size = 1 << 20;
    open_again();
    static char line[300001];
    memset(line, 'a', sizeof line - 1);
    bool may = true;
    uint64_t n = 0;
    while (may && n < 100) {
        EMIT(++n, line);
        sl_loop_call_wait(worker, ask_to_read, &may);
    }
    ck_assert(!may); /* 4 MiB on the way, 1 MiB in the journal */
    ck_assert_uint_lt(n, 30);
    expect_balance();
    sl_loop_call_wait(sl_output_loop(sink->out), release_held, sink);
    ck_assert(wait_for(was_resumed));
    int64_t soon = sl_clock_mono_ns() + 10 * SL_NS_PER_S;
    sl_input_stop(input);
    ck_assert(sl_pipeline_settle(pipeline, &soon));
    ck_assert(sl_pipeline_drain(pipeline, &soon));
    ck_assert_uint_eq(sl_pipeline_output_ledger(pipeline, 0)->delivered, n);
    expect_balance();
    close_all();
}
END_TEST

SL_TEST_MAIN("pipeline", pipeline__delivers_and_accounts_for_every_fate_on_disk,
             pipeline__delivers_and_accounts_for_every_fate_in_memory,
             pipeline__a_memory_journal_releases_a_receipt_only_after_delivery,
             pipeline__what_was_not_delivered_is_recovered_and_delivered_once,
             pipeline__a_full_journal_holds_the_input_and_lets_it_go_on)

#include "../delivery/engine_fixture.h"
#include "base/metrics.h"
#include "kafka_fixture.h"
#include <time.h>

/* The output in its engine, against librdkafka's mock cluster. */

#define PARTITIONS 4 /* of topics that the mock cluster makes by itself */
#define MAX_SEEN   40000

/* ---- the scene ---- */

typedef struct scene {
    kafka_mock mock;
    kafka_fixture conf;
    engine e;
} scene;

static void begin(scene *s, int brokers, const char *options)
{
    char yaml[1024];
    kafka_mock_start(&s->mock, brokers);
    snprintf(yaml, sizeof yaml, "{brokers: [%s], topic: logs, %s}", s->mock.brokers, options);
    ck_assert_msg(kafka_fixture_read(&s->conf, yaml), "%s\n%s", yaml, s->conf.said);
    engine_init(&s->e, &sl_output_kafka, &s->conf.conf);
}

static void start(scene *s)
{
    engine_start(&s->e);
}

static void end(scene *s)
{
    engine_stop(&s->e);
    kafka_fixture_end(&s->conf);
    kafka_mock_stop(&s->mock);
}

static kafka_output *output_of(scene *s)
{
    return s->e.worker->self;
}

static uint64_t delivered(scene *s)
{
    return sl_ledger_get(&s->e.ledger.delivered);
}

static void wait_delivered(scene *s, uint64_t count)
{
    for (int i = 0; i < 10000 && delivered(s) < count; i++)
        usleep(1000);
    ck_assert_uint_ge(delivered(s), count);
}

/* ---- what came ---- */

typedef struct seen {
    unsigned count, doubles, out_of_order, with_id, with_time;
    unsigned last[PARTITIONS];
    bool has[MAX_SEEN];
} seen;

static unsigned number_of(const rd_kafka_message_t *message)
{
    unsigned long long frame;
    unsigned n;
    char text[128];
    snprintf(text, sizeof text, "%.*s", message->len < 120 ? (int)message->len : 120,
             (const char *)message->payload);
    const char *at = strstr(text, "\"frame\":");
    ck_assert_msg(at && sscanf(at, "\"frame\":%llu,\"n\":%u", &frame, &n) == 2, "%s", text);
    ck_assert_uint_lt(frame * 1000 + n, MAX_SEEN);
    return (unsigned)frame * 1000 + n;
}

static void found(void *arg, const rd_kafka_message_t *message)
{
    seen *s = arg;
    unsigned number = number_of(message);
    const void *id = NULL;
    size_t len = 0;
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) == 0 &&
        rd_kafka_header_get_last(headers, "sluice-id", &id, &len) == 0)
        s->with_id += len == SL_ID_SHORT_LEN;
    s->with_time += rd_kafka_message_timestamp(message, NULL) == SL_TEST_TIME_NS / SL_NS_PER_MS;
    s->count++;
    s->doubles += s->has[number];
    s->out_of_order += number < s->last[message->partition];
    s->last[message->partition] = number;
    s->has[number] = true;
}

static void read_back(scene *s, unsigned count, seen *out)
{
    *out = (seen){.count = 0};
    kafka_mock_read(&s->mock, "logs", PARTITIONS, count, found, out);
}

static uint64_t metric(const char *name)
{
    sl_buf page = SL_BUF_NONE;
    sl_metrics_write(&page);
    char line[160];
    snprintf(line, sizeof line, "\n%s{", name);
    const char *at = strstr(sl_buf_cstr(&page), line);
    const char *value = at ? strstr(at, "} ") : NULL;
    uint64_t n = value ? strtoull(value + 2, NULL, 10) : UINT64_MAX;
    sl_buf_release(&page);
    return n;
}

/* ---- tests ---- */

START_TEST(kafka__records_are_delivered_in_order_with_their_id_and_time)
{
    static scene s;
    static seen back;
    begin(&s, 3, "linger: 1ms");
    start(&s);
    engine_offer(&s.e, 20, 1000, 200);
    engine_drain(&s.e);
    ck_assert_uint_eq(delivered(&s), 20000);
    read_back(&s, 20000, &back);
    ck_assert_uint_eq(back.doubles, 0);
    ck_assert_uint_eq(back.out_of_order, 0);
    ck_assert_uint_eq(back.with_id, 20000);
    ck_assert_uint_eq(back.with_time, 20000);
    end(&s);
}
END_TEST

START_TEST(kafka__errors_that_pass_lose_nothing)
{
    static scene s;
    static seen back;
    begin(&s, 1, "linger: 1ms, rdkafka: {retry.backoff.ms: 10, topic.metadata.refresh.fast.interval.ms: 10}");
    rd_kafka_mock_push_request_errors(
        s.mock.cluster, KAFKA_API_PRODUCE, 6, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR__TRANSPORT);
    start(&s);
    engine_offer(&s.e, 5, 1000, 200);
    engine_drain(&s.e);
    ck_assert_uint_eq(delivered(&s), 5000);
    read_back(&s, 5000, &back);
    ck_assert_uint_eq(back.out_of_order, 0);
    end(&s);
}
END_TEST

/* What librdkafka gives up is sent again by the engine. */
START_TEST(kafka__what_timed_out_is_sent_again_when_brokers_are_back)
{
    static scene s;
    static seen back;
    begin(&s, 1, "linger: 1ms, message_timeout: 200ms, rdkafka: {reconnect.backoff.max.ms: 100}");
    start(&s);
    engine_offer(&s.e, 1, 100, 200);
    wait_delivered(&s, 100);
    rd_kafka_mock_broker_set_down(s.mock.cluster, -1);
    engine_offer(&s.e, 5, 1000, 200);
    for (int i = 0; i < 10000 && sl_ledger_get(&s.e.ledger.retries) < 3; i++)
        usleep(1000);
    ck_assert_uint_ge(sl_ledger_get(&s.e.ledger.retries), 3);
    char status[SL_REASON_MAX];
    sl_output_worker_status(s.e.worker, status, sizeof status);
    ck_assert_msg(strstr(status, "Local: Message timed out") || strstr(status, "down"), "%s", status);
    rd_kafka_mock_broker_set_up(s.mock.cluster, -1);
    engine_drain(&s.e);
    ck_assert_uint_eq(delivered(&s), 5100);
    read_back(&s, 5100, &back);
    ck_assert_uint_eq(letters_written(), 0);
    end(&s);
}
END_TEST

START_TEST(kafka__one_record_that_is_refused_takes_no_other_with_it)
{
    static scene s;
    static seen back;
    begin(&s, 1, "linger: 50ms, partition_by: '{{ pad }}', rdkafka: {retry.backoff.ms: 10}");
    start(&s);
    engine_offer(&s.e, 1, 1, 200);
    wait_delivered(&s, 1);
    /* The batch of 50, then one of its records alone. */
    rd_kafka_mock_push_request_errors(s.mock.cluster, KAFKA_API_PRODUCE, 2,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    engine_offer(&s.e, 1, 50, 200);
    engine_drain(&s.e);
    ck_assert_uint_eq(delivered(&s), 50);
    ck_assert_uint_eq(letters_written(), 1);
    ck_assert_str_eq(letters[0].reason, "rejected");
    ck_assert_str_eq(letters[0].last_error, "topic logs: Broker: Message size too large");
    read_back(&s, 50, &back);
    ck_assert_uint_eq(back.doubles, 0);
    ck_assert_uint_eq(metric("sluice_kafka_batches_refused_total"), 1);
    end(&s);
}
END_TEST

START_TEST(kafka__records_that_can_not_be_messages_are_rejected_with_the_reason)
{
    static scene s;
    begin(&s, 1, "linger: 1ms, max_message: 1kB");
    start(&s);
    engine_offer(&s.e, 1, 3, 5000);
    engine_offer(&s.e, 1, 2, 200);
    engine_drain(&s.e);
    ck_assert_uint_eq(delivered(&s), 2);
    ck_assert_uint_eq(letters_written(), 3);
    ck_assert_msg(strstr(letters[0].last_error, "bytes is larger than `max_message`"), "%s",
                  letters[0].last_error);
    end(&s);
}
END_TEST

START_TEST(kafka__an_unknown_topic_is_rejected_with_the_reason)
{
    static scene s;
    begin(&s, 1,
          "linger: 1ms, rdkafka: {topic.metadata.propagation.max.ms: 100, "
          "topic.metadata.refresh.fast.interval.ms: 20}");
    rd_kafka_mock_topic_set_error(s.mock.cluster, "logs", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    start(&s);
    engine_offer(&s.e, 1, 10, 200);
    engine_drain(&s.e);
    ck_assert_uint_eq(delivered(&s), 0);
    ck_assert_uint_eq(letters_written(), 10);
    ck_assert_msg(strstr(letters[0].last_error, "nknown topic") != NULL, "%s", letters[0].last_error);
    end(&s);
}
END_TEST

/* Brokers may be about to make it anew. */
START_TEST(kafka__a_topic_that_was_there_is_waited_for)
{
    static scene s;
    begin(&s, 1, "linger: 1ms, rdkafka: {topic.metadata.refresh.interval.ms: 50}");
    start(&s);
    engine_offer(&s.e, 1, 10, 200);
    wait_delivered(&s, 10);
    rd_kafka_mock_topic_set_error(s.mock.cluster, "logs", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    for (int i = 0; i < 10000 && !sl_ledger_get(&s.e.ledger.retries); i++) {
        if (i % 100 == 0) engine_offer(&s.e, 1, 1, 200);
        usleep(1000);
    }
    ck_assert_uint_gt(sl_ledger_get(&s.e.ledger.retries), 0);
    rd_kafka_mock_topic_set_error(s.mock.cluster, "logs", RD_KAFKA_RESP_ERR_NO_ERROR);
    engine_drain(&s.e);
    ck_assert_uint_eq(letters_written(), 0);
    end(&s);
}
END_TEST

START_TEST(kafka__a_full_queue_holds_records_back)
{
    static scene s;
    static seen back;
    begin(&s, 1, "linger: 1ms, memory: 1MiB");
    rd_kafka_mock_broker_set_rtt(s.mock.cluster, -1, 20);
    start(&s);
    engine_offer(&s.e, 20, 1000, 200);
    engine_drain(&s.e);
    ck_assert_uint_eq(delivered(&s), 20000);
    ck_assert_uint_gt(metric("sluice_kafka_queue_full_total"), 0);
    ck_assert_uint_lt(metric("sluice_kafka_queue_full_total"), 2000); /* it waits, it does not try */
    read_back(&s, 20000, &back);
    ck_assert_uint_eq(back.doubles, 0);
    ck_assert_uint_eq(back.out_of_order, 0);
    end(&s);
}
END_TEST

static void make_fatal(void *arg)
{
    scene *s = arg;
    rd_kafka_test_fatal_error(kafka_client_handle(output_of(s)->usual.client),
                              RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "as the test wants it");
}

START_TEST(kafka__a_fatal_error_makes_the_producer_anew)
{
    static scene s;
    static seen back;
    begin(&s, 1, "linger: 1ms");
    rd_kafka_mock_broker_set_rtt(s.mock.cluster, -1, 5);
    start(&s);
    for (int i = 0; i < 3; i++) {
        engine_offer(&s.e, 3, 1000, 200);
        sl_loop_call_wait(s.e.worker->loop, make_fatal, &s);
        engine_offer(&s.e, 3, 1000, 200);
        wait_delivered(&s, (uint64_t)(i + 1) * 6000);
    }
    engine_drain(&s.e);
    ck_assert_uint_eq(delivered(&s), 18000);
    ck_assert_uint_eq(letters_written(), 0);
    ck_assert_uint_eq(metric("sluice_kafka_producers_rebuilt_total"), 3);
    read_back(&s, 18000, &back); /* at least: what was under way may be there twice */
    end(&s);
}
END_TEST

static int64_t processor_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * SL_NS_PER_S + now.tv_nsec;
}

/* librdkafka's own thread spins when more of a partition is due than it may send. */
START_TEST(kafka__waiting_for_answers_takes_no_processor_time)
{
    static scene s;
    begin(&s, 1, "linger: 20ms");
    rd_kafka_mock_broker_set_rtt(s.mock.cluster, -1, 200);
    start(&s);
    int64_t began = sl_clock_mono_ns(), used = processor_ns();
    engine_offer(&s.e, 8, 1000, 500);
    engine_drain(&s.e);
    int64_t wall = sl_clock_mono_ns() - began;
    ck_assert_int_gt(wall, 600 * SL_NS_PER_MS);
#if !defined(__SANITIZE_THREAD__) /* which takes the time itself */
    ck_assert_int_lt(processor_ns() - used, wall / 4);
#else
    (void)used;
#endif
    end(&s);
}
END_TEST

START_TEST(kafka__statistics_become_metrics)
{
    static scene s;
    begin(&s, 3, "linger: 1ms, statistics: 100ms");
    start(&s);
    engine_offer(&s.e, 2, 1000, 200);
    engine_drain(&s.e);
    for (int i = 0; i < 5000 && metric("sluice_kafka_brokers_up") != 3; i++)
        usleep(1000);
    ck_assert_uint_gt(metric("sluice_kafka_brokers_up"), 0);
    ck_assert_uint_ne(metric("sluice_kafka_broker_rtt_microseconds"), UINT64_MAX);
    end(&s);
}
END_TEST

START_TEST(kafka__stopping_does_not_wait_for_brokers_that_are_away)
{
    static scene s;
    begin(&s, 1, "linger: 1ms");
    start(&s);
    engine_offer(&s.e, 1, 10, 200);
    wait_delivered(&s, 10);
    rd_kafka_mock_broker_set_down(s.mock.cluster, -1);
    engine_offer(&s.e, 5, 1000, 200);
    usleep(100000);
    int64_t began = sl_clock_mono_ns();
    engine_stop(&s.e);
    ck_assert_int_lt(sl_clock_mono_ns() - began, 4 * SL_NS_PER_S);
    ck_assert_uint_eq(delivered(&s), 10);
    ck_assert_uint_eq(sl_ledger_get(&s.e.ledger.buffered), 5000);
    kafka_fixture_end(&s.conf);
    kafka_mock_stop(&s.mock);
}
END_TEST

SL_TEST_MAIN("kafka_delivery", kafka__records_are_delivered_in_order_with_their_id_and_time,
             kafka__errors_that_pass_lose_nothing, kafka__what_timed_out_is_sent_again_when_brokers_are_back,
             kafka__one_record_that_is_refused_takes_no_other_with_it,
             kafka__records_that_can_not_be_messages_are_rejected_with_the_reason,
             kafka__an_unknown_topic_is_rejected_with_the_reason, kafka__a_topic_that_was_there_is_waited_for,
             kafka__a_full_queue_holds_records_back, kafka__a_fatal_error_makes_the_producer_anew,
             kafka__waiting_for_answers_takes_no_processor_time, kafka__statistics_become_metrics,
             kafka__stopping_does_not_wait_for_brokers_that_are_away)

#include "kafka_fixture.h"

/* The output's own options: what passes, what does not, and what librdkafka is told. */

static void expect(const char *options, const char *property, const char *value)
{
    kafka_fixture f;
    char yaml[512], got[256];
    snprintf(yaml, sizeof yaml, "{brokers: a:1, topic: logs, %s}", options);
    ck_assert_msg(kafka_fixture_read(&f, yaml), "%s\n%s", yaml, f.said);
    sl_err err = SL_ERR_NONE;
    rd_kafka_conf_t *rk_conf = kafka_output_rd_conf(&f.conf, false, &err);
    size_t size = sizeof got;
    rd_kafka_conf_res_t res = rd_kafka_conf_get(rk_conf, property, got, &size);
    ck_assert_msg(res == RD_KAFKA_CONF_OK, "%s", property);
    ck_assert_str_eq(got, value);
    rd_kafka_conf_destroy(rk_conf);
    kafka_fixture_end(&f);
}

static void expect_refused(const char *yaml, const char *why)
{
    kafka_fixture f;
    ck_assert_msg(!kafka_fixture_read(&f, yaml), "taken: %s", yaml);
    ck_assert_msg(strstr(f.said, why) != NULL, "said: %s\ninstead of: %s", f.said, why);
    kafka_fixture_end(&f);
}

START_TEST(kafka_output_conf__the_options_are_well_formed)
{
    sl_err err = SL_ERR_NONE;
    ck_assert_msg(sl_options_check(kafka_output_options, sizeof(kafka_output_conf), &err) == 0, "%s",
                  err.text);
}
END_TEST

START_TEST(kafka_output_conf__defaults_keep_the_promises)
{
    expect("", "enable.idempotence", "true");
    expect("", "acks", "-1");
    expect("", "message.timeout.ms", "300000");
    expect("", "queue.buffering.max.kbytes", "32768");
    expect("", "queue.buffering.max.messages", "32768");
    expect("", "partitioner", "murmur2_random");
    expect("", "linger.ms", "2");
    expect("", "compression.codec", "none");
}
END_TEST

START_TEST(kafka_output_conf__options_become_properties)
{
    expect("partition_by: random", "partitioner", "random");
    expect("partition_by: '{{ host }}'", "sticky.partitioning.linger.ms", "0");
    expect("compress: zstd, compress_level: 3", "compression.codec", "zstd");
    expect("compress: zstd, compress_level: 3", "compression.level", "3");
    expect("acks: leader, idempotence: false", "acks", "1");
    expect("memory: 8MiB", "queue.buffering.max.kbytes", "8192");
    expect("max_message: 1MiB", "message.max.bytes", "1048576");
    expect("linger: 0", "linger.ms", "0");
    expect("rdkafka: {batch.size: 1000}", "batch.size", "1000");
}
END_TEST

START_TEST(kafka_output_conf__what_does_not_go_together_is_refused)
{
    expect_refused("{brokers: a:1}", "topic");
    expect_refused("{brokers: a:1, topic: 'a b'}", "option `topic`: \"a b\" is no name of a topic");
    expect_refused("{brokers: a:1, topic: '..'}", "is no name of a topic");
    expect_refused("{brokers: a:1, topic: t, acks: leader}",
                   "option `acks`: `leader` needs `idempotence: false`");
    expect_refused("{brokers: a:1, topic: t, format: field}",
                   "option `format`: `field` needs option `field`");
    expect_refused("{brokers: a:1, topic: t, field: a}", "option `field` needs `format: field`");
    expect_refused("{brokers: a:1, topic: t, tombstone: 'a == 1'}", "option `tombstone` needs `key`");
    expect_refused("{brokers: a:1, topic: t, partition_by: '{{ a'}", "option `partition_by`: column 1");
    expect_refused("{brokers: a:1, topic: t, partition_by: host}", "\"host\" is the same for all records");
    expect_refused("{brokers: a:1, topic: t, headers: {h: '{{ a'}}",
                   "option `headers`: value of \"h\": column 1");
    expect_refused("{brokers: a:1, topic: t, memory: 1MiB, max_message: 2MiB}", "option `memory`");
    expect_refused("{brokers: a:1, topic: t, rdkafka: {enable.idempotence: false}}",
                   "use option `idempotence`");
    expect_refused("{brokers: a:1, topic: t, rdkafka: {delivery.report.only.error: true}}",
                   "a record is delivered when its report says so");
    expect_refused("{brokers: a:1, topic: t, rdkafka: {max.in.flight: 100}}",
                   "librdkafka refuses this configuration");
}
END_TEST

START_TEST(kafka_output_conf__names_of_topics)
{
    char longest[KAFKA_MAX_TOPIC + 2];
    memset(longest, 'x', sizeof longest);
    ck_assert(kafka_topic_is_valid((sl_span){longest, KAFKA_MAX_TOPIC}));
    ck_assert(!kafka_topic_is_valid((sl_span){longest, KAFKA_MAX_TOPIC + 1}));
    ck_assert(kafka_topic_is_valid(SL_SPAN("Logs.booking_2-x")));
    ck_assert(!kafka_topic_is_valid(SL_SPAN("")));
    ck_assert(!kafka_topic_is_valid(SL_SPAN("a/b")));
    ck_assert(!kafka_topic_is_valid(SL_SPAN("a\0b")));
    ck_assert(!kafka_topic_is_valid(SL_SPAN("é")));
}
END_TEST

SL_TEST_MAIN("kafka_output_conf", kafka_output_conf__the_options_are_well_formed,
             kafka_output_conf__defaults_keep_the_promises, kafka_output_conf__options_become_properties,
             kafka_output_conf__what_does_not_go_together_is_refused, kafka_output_conf__names_of_topics)

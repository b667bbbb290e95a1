#include "kafka_input_scene.h"

/* What becomes of one message. One partition, so that records come in the order of the messages. */

static void one_partition(scene *s, const char *options)
{
    kafka_mock_start(&s->mock, 1);
    ck_assert_int_eq(rd_kafka_mock_topic_create(s->mock.cluster, "one", 1, 1), 0);
    writer_init(&s->w, &s->mock);
    const char *said = member_init(&s->m, &s->mock, "topics: [one], group: g, %s", options);
    ck_assert_msg(!said[0], "%s", said);
}

static void post(scene *s, const char *key, const char *value)
{
    writer_send(&s->w, "one", 0, key, value, value ? strlen(value) : 0);
}

static void post_with_header(scene *s, const char *name, const char *header, const char *value)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        s->w.rk, RD_KAFKA_V_TOPIC("one"), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)), RD_KAFKA_V_HEADER(name, header, -1),
        RD_KAFKA_V_TIMESTAMP(1714566896789), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    ck_assert_int_eq(code, 0);
}

static const rig_record *at(scene *s, size_t i)
{
    return &s->m.in.recs[i];
}

START_TEST(kafka_record__is_a_line_whatever_the_value_is)
{
    static scene s;
    char *large = sl_alloc(301);
    memset(large, 'x', 300);
    large[300] = '\0';
    one_partition(&s, "max_message: 256");
    post(&s, NULL, "{\"a\":1}");
    post(&s, "k", NULL);
    post(&s, NULL, "");
    post(&s, NULL, "plain \xff text");
    post(&s, NULL, large);
    post(&s, "k", NULL);
    writer_flush(&s.w);
    member_start(&s.m);
    member_wait(&s.m, 3);
    settle();
    ck_assert_uint_eq(s.m.in.count, 3);
    ck_assert_str_eq(at(&s, 0)->text, "{\"a\":1}");
    ck_assert_str_eq(at(&s, 1)->text,
                     "plain \xff text"); /* made right when it is wrapped, as lines of files are */
    ck_assert_uint_eq(strlen(at(&s, 2)->text), 256);
    ck_assert_int_eq(at(&s, 1)->flags, SL_RECORD_RAW);
    ck_assert_int_eq(at(&s, 2)->flags, SL_RECORD_RAW | SL_RECORD_TRUNCATED);
    ck_assert_uint_eq(at(&s, 2)->origin, 4);
    ck_assert_uint_eq(member_metric(&s.m, "tombstones_total", ""), 2);
    ck_assert_uint_eq(member_metric(&s.m, "empty_total", ""), 1);
    ck_assert_uint_eq(member_metric(&s.m, "messages_truncated_total", ""), 1);
    member_wait_metric(&s.m, "lag_messages", "one/0", 0); /* what makes no record is safe as well */
    sl_free(large);
    end(&s);
}
END_TEST

START_TEST(kafka_record__has_the_fields_that_are_asked_for)
{
    static scene s;
    one_partition(&s, "tombstones: record, fields: {key: k, topic: topic, partition: partition, offset: at, "
                      "headers: h}");
    post(&s, "key \"1\"", "{\"a\":1}");
    post(&s, NULL, " {} ");
    post(&s, "other", "{\"k\":\"own\",\"h\":2}");
    post(&s, "x", "no object");
    post(&s, "gone", NULL);
    post_with_header(&s, "trace", "\x01y", "{\"b\":2}");
    writer_flush(&s.w);
    member_start(&s.m);
    member_wait(&s.m, 6);
    ck_assert_str_eq(at(&s, 0)->text, "{\"k\":\"key \\\"1\\\"\",\"at\":0,\"h\":{},\"a\":1}");
    ck_assert_str_eq(at(&s, 1)->text, "{\"at\":1,\"h\":{}} ");
    ck_assert_str_eq(at(&s, 2)->text, "{\"at\":2,\"k\":\"own\",\"h\":2}");
    ck_assert_str_eq(at(&s, 3)->text, "{\"k\":\"x\",\"at\":3,\"h\":{},\"message\":\"no object\"}");
    ck_assert_str_eq(at(&s, 4)->text, "{\"k\":\"gone\",\"at\":4,\"h\":{},\"tombstone\":true}");
    ck_assert_str_eq(at(&s, 5)->text, "{\"at\":5,\"h\":{\"trace\":\"\\u0001y\"},\"b\":2}");
    ck_assert_int_eq(at(&s, 0)->flags, SL_RECORD_RAW | SL_RECORD_COMMON);
    ck_assert_int_eq(at(&s, 3)->flags, SL_RECORD_TIME | SL_RECORD_COMMON);
    ck_assert_int_eq(at(&s, 4)->flags, SL_RECORD_TIME | SL_RECORD_COMMON);
    ck_assert_str_eq(at(&s, 0)->common, "\"topic\":\"one\",\"partition\":0");
    ck_assert_int_eq(at(&s, 5)->time_ns, 1714566896789000000);
    end(&s);
}
END_TEST

START_TEST(kafka_record__offset_needs_no_look_into_the_value)
{
    static scene s;
    one_partition(&s, "fields: {offset: offset}");
    post(&s, NULL, "{broken");
    writer_flush(&s.w);
    member_start(&s.m);
    member_wait(&s.m, 1);
    ck_assert_str_eq(at(&s, 0)->text, "{broken");
    ck_assert_int_eq(at(&s, 0)->flags, SL_RECORD_RAW | SL_RECORD_OFFSET);
    end(&s);
}
END_TEST

START_TEST(kafka_record__keeps_the_id_that_it_brings)
{
    static scene s;
    char text[SL_ID_SHORT_LEN + 1] = "";
    sl_id id = {0x0123456789abcdefULL, 0xfedcba9876543210ULL};
    sl_id_format_short(id, text);
    one_partition(&s, "");
    post_with_header(&s, "sluice-id", text, "{\"a\":1}");
    post_with_header(&s, "sluice-id", "nonsense", "{\"a\":2}");
    post(&s, NULL, "{\"a\":3}");
    writer_flush(&s.w);
    member_start(&s.m);
    member_wait(&s.m, 3);
    ck_assert_int_eq(at(&s, 0)->flags, SL_RECORD_RAW | SL_RECORD_ID);
    ck_assert(at(&s, 0)->id.hi == id.hi && at(&s, 0)->id.lo == id.lo);
    ck_assert_int_eq(at(&s, 1)->flags, SL_RECORD_RAW);
    ck_assert_int_eq(at(&s, 2)->flags, SL_RECORD_RAW);
    ck_assert_uint_ne(at(&s, 1)->id.lo, at(&s, 2)->id.lo);
    end(&s);
}
END_TEST

static void check_wrong(const char *options, const char *said)
{
    member m;
    const char *got = member_init(&m, NULL, "%s", options);
    ck_assert_msg(strstr(got, said) != NULL, "%s: %s", options, got);
    member_release(&m);
}

START_TEST(kafka_input_conf__errors_name_the_option)
{
    check_wrong("topics: [a]", "group");
    check_wrong("group: g", "topics");
    check_wrong("topics: [\"\"], group: g", "option `topics`: item 1");
    check_wrong("topics: [\"^logs(\"], group: g", "option `topics`: ^logs(");
    check_wrong("topics: [a], group: g, start: soon", "option `start`: \"soon\"");
    check_wrong("topics: [a], group: g, start: \"1714566896\"", "option `start`");
    check_wrong("topics: [a], group: g, fields: {key: x, topic: x}",
                "option `fields`: the name \"x\" is taken");
    check_wrong("topics: [a], group: g, fields: {time: \"@timestamp\"}", "is taken");
    check_wrong("topics: [a], group: g, rdkafka: {group.id: x}", "use option `group`");
    check_wrong("topics: [a], group: g, rdkafka: {enable.auto.commit: false}", "when their records are safe");
    check_wrong("topics: [a], group: g, rdkafka: {fetch.wait.max.ms: often}", "fetch.wait.max.ms");
    check_wrong("topics: [a], group: g, memory: 1MiB", "memory");
    check_wrong("topics: [a], group: g, tls: {ca: /no/such.pem}", "such.pem");
}
END_TEST

SL_TEST_MAIN("kafka_record", kafka_record__is_a_line_whatever_the_value_is,
             kafka_record__has_the_fields_that_are_asked_for,
             kafka_record__offset_needs_no_look_into_the_value, kafka_record__keeps_the_id_that_it_brings,
             kafka_input_conf__errors_name_the_option)

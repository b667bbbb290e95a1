#include "kafka_fixture.h"
#include "records.h"

/* Records as messages. */

typedef struct scene {
    kafka_fixture conf;
    kafka_encoder encoder;
    sl_batch *batch;
    kafka_request *request;
    sl_request req;
    sl_record_ref refs[8];
    char reason[SL_REASON_MAX];
} scene;

static void begin(scene *s, const char *options, const char *lines)
{
    char yaml[512];
    *s = (scene){.reason = ""};
    snprintf(yaml, sizeof yaml, "{brokers: a:1, %s}", options);
    ck_assert_msg(kafka_fixture_read(&s->conf, yaml), "%s", s->conf.said);
    kafka_encoder_init(&s->encoder, &s->conf.conf);
    s->batch = sl_test_batch_parsed("\"host\":\"web-1\"", SL_RECORD_COMMON, lines);
    s->batch->source = (sl_id){1, 2};
    ck_assert_int_eq(sl_batch_seal(s->batch), 0);
    for (uint32_t i = 0; i < s->batch->count; i++)
        s->refs[i] = (sl_record_ref){s->batch, &s->batch->recs[i]};
    s->req = (sl_request){.recs = s->refs, .count = s->batch->count, .attempt = 1};
    s->request = sl_calloc(1, sizeof *s->request);
    s->request->req = &s->req;
    s->request->messages = sl_calloc(s->req.count, sizeof *s->request->messages);
    sl_buf_reserve(&s->request->body, kafka_encode_max(&s->req));
}

static void end(scene *s)
{
    kafka_request_free(s->request);
    sl_batch_unref(s->batch);
    kafka_encoder_release(&s->encoder);
    kafka_fixture_end(&s->conf);
}

static kafka_encoded encode(scene *s, uint32_t i)
{
    kafka_encoded out = {.headers = NULL};
    size_t cap = s->request->body.cap;
    ck_assert_msg(kafka_encode(&s->encoder, s->request, i, &out, s->reason), "%s", s->reason);
    ck_assert_uint_eq(s->request->body.cap, cap); /* it did not move */
    return out;
}

static void expect_refused(scene *s, uint32_t i, const char *why)
{
    kafka_encoded out = {.headers = NULL};
    ck_assert(!kafka_encode(&s->encoder, s->request, i, &out, s->reason));
    ck_assert_msg(strstr(s->reason, why) != NULL, "%s", s->reason);
}

static void expect_span(sl_span got, const char *text)
{
    ck_assert_msg(got.ptr && sl_span_is_cstr(got, text), "got " SL_SPAN_FMT " instead of %s",
                  SL_SPAN_ARG(got), text);
}

static void expect_header(const kafka_encoded *encoded, const char *name, const char *value)
{
    const void *got = NULL;
    size_t len = 0;
    rd_kafka_resp_err_t code = rd_kafka_header_get_last(encoded->headers, name, &got, &len);
    ck_assert_int_eq(code, value ? 0 : RD_KAFKA_RESP_ERR__NOENT);
    if (value) expect_span((sl_span){got, len}, value);
}

START_TEST(kafka_encode__a_record_is_its_json_with_id_and_time)
{
    scene s;
    begin(&s, "topic: logs", "{\"a\":1}\n{\"b\":\"\\u0041\"}\n");
    kafka_encoded first = encode(&s, 0), second = encode(&s, 1);
    ck_assert_uint_eq(first.topic.len, 0);
    ck_assert_ptr_null(first.key.ptr);
    ck_assert_msg(sl_span_ends_with(first.value, SL_SPAN("\"host\":\"web-1\",\"a\":1}")), SL_SPAN_FMT,
                  SL_SPAN_ARG(first.value));
    ck_assert(sl_span_ends_with(second.value, SL_SPAN("\"b\":\"\\u0041\"}")));
    ck_assert_int_eq(first.time_ms, SL_TEST_TIME_NS / SL_NS_PER_MS);
    char id[SL_ID_SHORT_LEN + 1] = "";
    sl_id_format_short(sl_record_id(s.batch, &s.batch->recs[0]), id);
    expect_header(&first, "sluice-id", id);
    rd_kafka_headers_destroy(first.headers);
    rd_kafka_headers_destroy(second.headers);
    end(&s);
}
END_TEST

START_TEST(kafka_encode__topic_key_and_headers_come_from_the_record)
{
    scene s;
    begin(&s,
          "topic: 'logs.{{ service }}-%Y', key: '{{ id }}', id_header: '', headers: {h: '{{ host }}', "
          "x: '{{ x }}', c: fix}",
          "{\"service\":\"pay\",\"id\":7}\n{\"service\":\"a/b\"}\n{}\n");
    kafka_encoded first = encode(&s, 0);
    expect_span(first.topic, "logs.pay-2024");
    expect_span(first.key, "7");
    expect_header(&first, "h", "web-1");
    expect_header(&first, "c", "fix");
    expect_header(&first, "x", NULL);
    expect_header(&first, "sluice-id", NULL);
    rd_kafka_headers_destroy(first.headers);
    expect_refused(&s, 1, "what `topic` gives is no name of a topic");
    expect_refused(&s, 2, "a field that `topic` names is missing");
    end(&s);
}
END_TEST

START_TEST(kafka_encode__one_field_as_it_is)
{
    scene s;
    begin(&s, "topic: logs, id_header: '', format: field, field: message",
          "{\"message\":\"a\\n\\\"b\\\"\"}\n{\"message\":{\"x\":[1]}}\n{\"message\":\"\"}\n{\"m\":1}\n");
    expect_span(encode(&s, 0).value, "a\n\"b\"");
    expect_span(encode(&s, 1).value, "{\"x\":[1]}");
    expect_span(encode(&s, 2).value, "");
    expect_refused(&s, 3, "the record has no field message");
    end(&s);
}
END_TEST

START_TEST(kafka_encode__tombstones_have_a_key_and_no_value)
{
    scene s;
    begin(&s, "topic: logs, id_header: '', key: '{{ id }}', tombstone: 'op == \"delete\"'",
          "{\"id\":1,\"op\":\"delete\"}\n{\"id\":1,\"op\":\"set\"}\n{\"op\":\"delete\"}\n{\"op\":\"set\"}\n");
    kafka_encoded first = encode(&s, 0);
    ck_assert_ptr_null(first.value.ptr);
    expect_span(first.key, "1");
    ck_assert_ptr_nonnull(encode(&s, 1).value.ptr);
    expect_refused(&s, 2, "a tombstone needs a key");
    ck_assert_ptr_null(encode(&s, 3).key.ptr);
    end(&s);
}
END_TEST

START_TEST(kafka_encode__the_partition_follows_from_a_text_of_the_record)
{
    scene s;
    begin(&s, "topic: logs, id_header: '', partition_by: '{{ user }}'", "{\"user\":\"u-1\"}\n{}\n");
    encode(&s, 0);
    encode(&s, 1);
    expect_span((sl_span){s.request->messages[0].partition, s.request->messages[0].partition_len}, "u-1");
    ck_assert_ptr_null(s.request->messages[1].partition);
    end(&s);
}
END_TEST

START_TEST(kafka_topics__are_found_by_name)
{
    rd_kafka_t *rk = kafka_mock_client(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
    kafka_topics topics = {0};
    char name[16];
    ck_assert_ptr_null(kafka_topics_find(&topics, SL_SPAN("t0")));
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "t%d", i);
        kafka_topics_add(&topics, sl_span_of(name), rd_kafka_topic_new(rk, name, NULL));
    }
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "t%d", i);
        ck_assert_str_eq(rd_kafka_topic_name(kafka_topics_find(&topics, sl_span_of(name))), name);
    }
    ck_assert_ptr_null(kafka_topics_find(&topics, SL_SPAN("t500")));
    kafka_topics_release(&topics);
    rd_kafka_destroy(rk);
}
END_TEST

SL_TEST_MAIN("kafka_encode", kafka_encode__a_record_is_its_json_with_id_and_time,
             kafka_encode__topic_key_and_headers_come_from_the_record, kafka_encode__one_field_as_it_is,
             kafka_encode__tombstones_have_a_key_and_no_value,
             kafka_encode__the_partition_follows_from_a_text_of_the_record, kafka_topics__are_found_by_name)

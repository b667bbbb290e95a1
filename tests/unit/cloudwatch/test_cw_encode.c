#include "cw_fixture.h"
#include <stdlib.h>

#define NOW SL_TEST_TIME_NS
#define DAY (INT64_C(24) * 3600 * SL_NS_PER_S)

/* A batch whose records have messages of just these lengths, all of the same time. */
static sl_batch *make_batch(const size_t *lens, size_t count)
{
    const char *frame = "{\"@timestamp\":\"x\",\"p\":\"\"}";
    sl_buf lines = SL_BUF_NONE;
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_ge(lens[i], strlen(frame));
        sl_buf_append_cstr(&lines, "{\"@timestamp\":\"x\",\"p\":\"");
        for (size_t k = strlen(frame); k < lens[i]; k++)
            sl_buf_append_char(&lines, 'a');
        sl_buf_append_cstr(&lines, "\"}\n");
    }
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, sl_buf_cstr(&lines));
    sl_buf_release(&lines);
    for (uint32_t i = 0; i < batch->count; i++)
        batch->recs[i].time_ns = NOW;
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    return batch;
}

static void read_conf(cw_fixture *f, const char *more)
{
    char yaml[512];
    snprintf(yaml, sizeof yaml, "{region: eu-west-1, group: g, stream: s%s}", more);
    ck_assert_msg(cw_fixture_read(f, yaml), "%s", f->said);
    sl_clock_fake(NOW);
}

/* The last event's message as it was sent. */
static sl_span last_message(const sl_request *req)
{
    sl_span body = sl_buf_span(&req->body), mark = SL_SPAN("\"message\":\"");
    size_t at = 0, found = 0;
    while ((at = sl_span_find(body, mark, at)) < body.len)
        found = at += mark.len;
    return (sl_span){body.ptr + found, body.len - found - strlen("\"}]}")};
}

static void end(cw_fixture *f, sl_batch *batch)
{
    cw_fixture_end(f);
    sl_batch_unref(batch);
    sl_clock_fake(-1);
}

START_TEST(encode__writes_what_the_service_reads)
{
    cw_fixture f;
    read_conf(&f, "");
    sl_batch *batch = sl_test_batch_parsed("\"host\":\"h\"", SL_RECORD_COMMON,
                                           "{\"a\":\"x \\\"y\\\" \\\\ é\"}\n{\"b\":1}\n");
    batch->recs[0].time_ns = NOW;
    batch->recs[1].time_ns = NOW - 2 * SL_NS_PER_MS;
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    sl_request *req = cw_fixture_request(&f, batch);
    cw_encode(&f.cw, req);
    ck_assert_str_eq(
        sl_buf_cstr(&req->body),
        "{\"logGroupName\":\"g\",\"logStreamName\":\"s\",\"logEvents\":["
        "{\"timestamp\":1714566896787,\"message\":\"{\\\"@timestamp\\\":\\\"2024-05-01T12:34:56.787Z\\\","
        "\\\"host\\\":\\\"h\\\",\\\"b\\\":1}\"},"
        "{\"timestamp\":1714566896789,\"message\":\"{\\\"@timestamp\\\":\\\"2024-05-01T12:34:56.789Z\\\","
        "\\\"host\\\":\\\"h\\\",\\\"a\\\":\\\"x \\\\\\\"y\\\\\\\" \\\\\\\\ é\\\"}\"}]}");
    ck_assert_str_eq(sl_buf_cstr(&req->path), "/");
    ck_assert_str_eq(req->content_type, "application/x-amz-json-1.1");
    ck_assert_uint_eq(req->count, 2);
    end(&f, batch);
}
END_TEST

START_TEST(encode__counts_bytes_as_the_service_does)
{
    /* Four events of a quarter: the last is a byte short, just right, a byte too long. */
    for (int more = -1; more <= 1; more++) {
        cw_fixture f;
        read_conf(&f, "");
        const size_t quarter = CW_MAX_BYTES / 4 - CW_EVENT_BYTES;
        const size_t lens[] = {quarter, quarter, quarter, quarter + (size_t)more};
        sl_batch *batch = make_batch(lens, 4);
        sl_request *req = cw_fixture_request(&f, batch);
        cw_encode(&f.cw, req);
        ck_assert_uint_eq(req->count, more > 0 ? 3 : 4);
        ck_assert_uint_eq(req->size, more > 0 ? 3 * CW_MAX_BYTES / 4 : CW_MAX_BYTES + (size_t)more);
        ck_assert_ptr_null(f.shipment->refused);
        end(&f, batch);
    }
}
END_TEST

START_TEST(encode__takes_ten_thousand_events)
{
    for (uint32_t count = CW_MAX_EVENTS - 1; count <= CW_MAX_EVENTS + 1; count++) {
        cw_fixture f;
        read_conf(&f, "");
        size_t *lens = calloc(count, sizeof *lens);
        for (uint32_t i = 0; i < count; i++)
            lens[i] = 40;
        sl_batch *batch = make_batch(lens, count);
        sl_request *req = cw_fixture_request(&f, batch);
        cw_encode(&f.cw, req);
        ck_assert_uint_eq(req->count, count > CW_MAX_EVENTS ? CW_MAX_EVENTS : count);
        ck_assert_uint_eq(req->size, req->count * 66);
        free(lens);
        end(&f, batch);
    }
}
END_TEST

START_TEST(encode__spans_a_day)
{
    for (int more = -1; more <= 1; more++) {
        cw_fixture f;
        read_conf(&f, "");
        const size_t lens[] = {40, 40, 40};
        sl_batch *batch = make_batch(lens, 3);
        batch->recs[0].time_ns = NOW; /* the newest first: the engine sorts */
        batch->recs[1].time_ns = NOW - DAY - more * SL_NS_PER_MS;
        batch->recs[2].time_ns = NOW - DAY / 2;
        sl_request *req = cw_fixture_request(&f, batch);
        cw_encode(&f.cw, req);
        ck_assert_uint_eq(req->count, more > 0 ? 2 : 3);
        ck_assert_ptr_eq(req->recs[0].rec, &batch->recs[1]);
        end(&f, batch);
    }
}
END_TEST

START_TEST(encode__refuses_what_is_too_old_or_too_new)
{
    cw_fixture f;
    read_conf(&f, "");
    const int64_t times[] = {NOW - 14 * DAY - 1,        NOW - 14 * DAY,        NOW - 14 * DAY + 1,       -5,
                             NOW + CW_MAX_AHEAD_NS - 1, NOW + CW_MAX_AHEAD_NS, NOW + CW_MAX_AHEAD_NS + 1};
    const char *const wanted[] = {"too old", NULL, NULL, "too old", NULL, NULL, "too new"};
    for (size_t i = 0; i < SL_LEN(times); i++) {
        const size_t lens[] = {40};
        sl_batch *batch = make_batch(lens, 1);
        batch->recs[0].time_ns = times[i];
        sl_request *req = cw_fixture_request(&f, batch);
        cw_encode(&f.cw, req);
        const char *why = cw_fixture_refused(&f, 0);
        ck_assert_msg((why != NULL) == (wanted[i] != NULL), "time %zu: %s", i, why ? why : "sent");
        ck_assert(!why || strstr(why, wanted[i]));
        ck_assert_uint_eq(req->count, 1);
        sl_batch_unref(batch);
    }
    cw_fixture_end(&f);
    read_conf(&f, ", create: {group: true, retention_days: 3}");
    ck_assert_int_eq(f.conf.max_event_age_ns, 3 * DAY);
    cw_fixture_end(&f);
    read_conf(&f, ", max_event_age: 1d");
    ck_assert_int_eq(f.conf.max_event_age_ns, DAY);
    cw_fixture_end(&f);
    sl_clock_fake(-1);
}
END_TEST

START_TEST(encode__what_is_refused_leaves_the_others_in_order)
{
    cw_fixture f;
    read_conf(&f, "");
    const size_t lens[] = {40, 41, 42, 43};
    sl_batch *batch = make_batch(lens, 4);
    batch->recs[1].time_ns = NOW - 20 * DAY;
    batch->recs[2].time_ns = NOW + DAY;
    sl_request *req = cw_fixture_request(&f, batch);
    cw_encode(&f.cw, req);
    ck_assert_uint_eq(req->count, 4);
    ck_assert_uint_eq(req->size, 40 + 43 + 52);
    ck_assert_ptr_nonnull(cw_fixture_refused(&f, 0)); /* the oldest comes first */
    ck_assert_ptr_null(cw_fixture_refused(&f, 1));
    ck_assert_ptr_null(cw_fixture_refused(&f, 2));
    ck_assert_ptr_nonnull(cw_fixture_refused(&f, 3));
    ck_assert_uint_eq(last_message(req).len, 43 + 8); /* its quotes have backslashes */
    end(&f, batch);
}
END_TEST

START_TEST(encode__an_event_has_a_size)
{
    const struct {
        const char *option;
        size_t max;
    } sizes[] = {{"", 1048576}, {", max_event_size: 256KiB", 262144}, {", max_event_size: 256", 256}};
    for (size_t s = 0; s < SL_LEN(sizes); s++) {
        for (int more = -1; more <= 1; more++) {
            cw_fixture f;
            read_conf(&f, sizes[s].option);
            const size_t lens[] = {sizes[s].max - 26 + (size_t)more};
            sl_batch *batch = make_batch(lens, 1);
            sl_request *req = cw_fixture_request(&f, batch);
            cw_encode(&f.cw, req);
            ck_assert_ptr_null(f.shipment->refused);
            ck_assert_uint_eq(req->size, more > 0 ? sizes[s].max : lens[0] + 26);
            ck_assert_uint_eq(sl_counter_get(f.cw.truncated), more > 0);
            ck_assert(sl_span_ends_with(last_message(req),
                                        more > 0 ? SL_SPAN("aaa" CW_TRUNCATED) : SL_SPAN("aaa\\\"}")));
            end(&f, batch);
        }
    }
}
END_TEST

START_TEST(encode__what_is_too_large_may_be_a_dead_letter)
{
    for (int more = 0; more <= 1; more++) {
        cw_fixture f;
        read_conf(&f, ", max_event_size: 256KiB, too_large: dead_letter");
        const size_t lens[] = {262144 - 26 + (size_t)more};
        sl_batch *batch = make_batch(lens, 1);
        sl_request *req = cw_fixture_request(&f, batch);
        cw_encode(&f.cw, req);
        const char *why = cw_fixture_refused(&f, 0);
        ck_assert(more ? why && strstr(why, "262145 bytes") : !why);
        end(&f, batch);
    }
}
END_TEST

START_TEST(encode__cuts_between_characters)
{
    for (size_t pad = 0; pad < 4; pad++) {
        cw_fixture f;
        read_conf(&f, ", max_event_size: 256");
        sl_buf line = SL_BUF_NONE;
        sl_buf_printf(&line, "{\"@timestamp\":\"x\",\"p\":\"%.*s", (int)pad, "aaaa");
        for (int i = 0; i < 200; i++)
            sl_buf_append_cstr(&line, "😀");
        sl_buf_append_cstr(&line, "\"}\n");
        sl_batch *batch = sl_test_batch_parsed(NULL, 0, sl_buf_cstr(&line));
        batch->recs[0].time_ns = NOW;
        ck_assert_int_eq(sl_batch_seal(batch), 0);
        sl_request *req = cw_fixture_request(&f, batch);
        cw_encode(&f.cw, req);
        ck_assert(req->size <= 256 && req->size > 252);
        ck_assert(sl_span_ends_with(last_message(req), SL_SPAN("😀" CW_TRUNCATED)));
        sl_buf_release(&line);
        end(&f, batch);
    }
}
END_TEST

START_TEST(encode__sends_a_field_alone)
{
    const struct {
        const char *line, *message;
        unsigned fallbacks;
    } cases[] = {{"{\"m\":\"a \\\"b\\\"\\n\"}\n", "a \\\"b\\\"\\n", 0},
                 {"{\"m\":12.50}\n", "12.50", 0},
                 {"{\"m\":{\"a\": 1}}\n", "{\\\"a\\\": 1}", 0},
                 {"{\"@timestamp\":1,\"m\":\"\"}\n", "{\\\"@timestamp\\\":1,\\\"m\\\":\\\"\\\"}", 1},
                 {"{\"@timestamp\":1,\"m\":null}\n", "{\\\"@timestamp\\\":1,\\\"m\\\":null}", 1},
                 {"{\"@timestamp\":1}\n", "{\\\"@timestamp\\\":1}", 1}};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        cw_fixture f;
        read_conf(&f, ", field: m");
        sl_batch *batch = sl_test_batch_parsed(NULL, 0, cases[i].line);
        batch->recs[0].time_ns = NOW;
        ck_assert_int_eq(sl_batch_seal(batch), 0);
        sl_request *req = cw_fixture_request(&f, batch);
        cw_encode(&f.cw, req);
        sl_span message = last_message(req);
        ck_assert_msg(sl_span_is_cstr(message, cases[i].message), SL_SPAN_FMT, SL_SPAN_ARG(message));
        ck_assert_uint_eq(sl_counter_get(f.cw.field_fallbacks), cases[i].fallbacks);
        end(&f, batch);
    }
}
END_TEST

START_TEST(encode__refuses_records_without_a_place)
{
    cw_fixture f;
    ck_assert_msg(cw_fixture_read(&f, "{region: eu-west-1, group: g, stream: '{{ host }}'}"), "%s", f.said);
    const size_t lens[] = {40, 40};
    sl_batch *batch = make_batch(lens, 2);
    sl_request *req = cw_fixture_request(&f, batch);
    cw_encode(&f.cw, req);
    for (uint32_t i = 0; i < 2; i++)
        ck_assert_ptr_nonnull(strstr(cw_fixture_refused(&f, i), "field"));
    end(&f, batch);
}
END_TEST

SL_TEST_MAIN("cw_encode", encode__writes_what_the_service_reads, encode__counts_bytes_as_the_service_does,
             encode__takes_ten_thousand_events, encode__spans_a_day,
             encode__refuses_what_is_too_old_or_too_new, encode__what_is_refused_leaves_the_others_in_order,
             encode__an_event_has_a_size, encode__what_is_too_large_may_be_a_dead_letter,
             encode__cuts_between_characters, encode__sends_a_field_alone,
             encode__refuses_records_without_a_place)

#include "es_fixture.h"
#include "golden.h"
#include "records.h"
#include <stdlib.h>

typedef struct encoder {
    es_fixture f;
    es_output es;
    sl_counter index_fallbacks, id_fallbacks;
    sl_request req;
} encoder;

static void encoder_init(encoder *e, const char *options)
{
    char yaml[1024];
    snprintf(yaml, sizeof yaml, "{url: http://a%s%s", strlen(options) > 2 ? ", " : "", options + 1);
    bool ok = es_fixture_read(&e->f, yaml);
    ck_assert_msg(ok, "%s: %s", yaml, e->f.said);
    e->index_fallbacks = e->id_fallbacks = (sl_counter){0};
    e->es = (es_output){.conf = &e->f.conf, .id_fallbacks = &e->id_fallbacks};
    es_index_init(&e->es.index, &e->f.conf, &e->index_fallbacks);
    e->req = (sl_request){0};
}

static void encoder_release(encoder *e)
{
    es_index_release(&e->es.index);
    sl_reader_release(&e->es.reader);
    sl_buf_release(&e->es.value);
    sl_buf_release(&e->es.text);
    sl_buf_release(&e->req.body);
    sl_buf_release(&e->req.path);
    es_fixture_end(&e->f);
}

static void encode(encoder *e, const sl_record_ref *refs, uint32_t count)
{
    sl_buf_clear(&e->req.body);
    sl_buf_clear(&e->req.path);
    e->req.recs = refs;
    e->req.count = count;
    es_encode(&e->es, &e->req);
}

/* The record's id as it is to be, by other means than the encoder's: bit by bit. */
static void id_text(sl_id id, char out[SL_ID_SHORT_LEN + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (int d = 0; d < SL_ID_SHORT_LEN; d++) {
        int value = 0;
        for (int b = d * 6; b < d * 6 + 6; b++) {
            uint64_t word = b < 64 ? id.hi : id.lo;
            value = value << 1 | (b < 128 ? (int)(word >> (63 - b % 64) & 1) : 0);
        }
        out[d] = digits[value];
    }
    out[SL_ID_SHORT_LEN] = '\0';
}

static void fill_in_id(const char *expected, const char *id, sl_buf *out)
{
    const char *at = strstr(expected, "\"ID\"");
    if (!at) {
        sl_buf_append_cstr(out, expected);
        return;
    }
    sl_buf_append(out, expected, (size_t)(at - expected));
    sl_buf_printf(out, "\"%s\"%s", id, at + 4);
}

/* The path without the filter that every request has. */
static void short_path(sl_buf *path)
{
    const char *filter = strstr(sl_buf_cstr(path), "?filter_path=");
    ck_assert_ptr_nonnull(filter);
    size_t at = (size_t)(filter - path->ptr), len = strcspn(filter, "&");
    memmove(path->ptr + at, path->ptr + at + len, path->len - at - len);
    path->len -= len;
}

static bool check_case(const sl_golden_case *c)
{
    encoder e;
    encoder_init(&e, c->part[0]);
    sl_batch *batch = sl_test_batch_parsed(NULL, SL_RECORD_TIME, c->part[1]);
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    sl_record_ref refs[2] = {{batch, &batch->recs[0]}, {batch, &batch->recs[0]}};
    char id[SL_ID_SHORT_LEN + 1];
    id_text(sl_record_id(batch, &batch->recs[0]), id);
    sl_buf expected = SL_BUF_NONE;
    fill_in_id(es_unescape(c->part[3]), id, &expected);
    encode(&e, refs, 1);
    short_path(&e.req.path);
    bool right = strcmp(sl_buf_cstr(&e.req.path), c->part[2]) == 0 &&
                 sl_span_is(sl_buf_span(&e.req.body), sl_buf_span(&expected));
    if (!right)
        sl_golden_wrong(c, "%s of %s: %s\n%s", c->part[0], c->part[1], sl_buf_cstr(&e.req.path),
                        sl_buf_cstr(&e.req.body));
    ck_assert_str_eq(e.req.content_type, "application/x-ndjson");
    encode(&e, refs, 2); /* a second one reads the same: nothing of the first is left behind */
    size_t len = expected.len;
    right = right && e.req.body.len == 2 * len && memcmp(e.req.body.ptr, expected.ptr, len) == 0 &&
            memcmp(e.req.body.ptr + len, expected.ptr, len) == 0;
    sl_buf_release(&expected);
    sl_batch_unref(batch);
    encoder_release(&e);
    return right;
}

START_TEST(es_encode__golden)
{
    ck_assert_int_ge(sl_golden_each("elasticsearch/encode.txt", 4, check_case), 25);
}
END_TEST

START_TEST(es_encode__fallbacks_are_counted)
{
    encoder e;
    encoder_init(&e, "{index: '{{ s }}', id: '{{ r }}'}");
    sl_batch *batch =
        sl_test_batch_parsed(NULL, 0, "{\"s\":\"ok\",\"r\":1}\n{\"r\":1}\n{\"s\":\"NO\"}\n{\"s\":\"NO\"}\n");
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    sl_record_ref refs[4];
    for (uint32_t i = 0; i < 4; i++)
        refs[i] = (sl_record_ref){batch, &batch->recs[i]};
    encode(&e, refs, 4);
    ck_assert_uint_eq(e.index_fallbacks.value, 3);
    ck_assert_uint_eq(e.id_fallbacks.value, 2);
    sl_batch_unref(batch);
    encoder_release(&e);
}
END_TEST

START_TEST(es_encode__the_name_follows_the_records_time)
{
    const struct {
        const char *index;
        int64_t step_ns; /* between records */
        const char *names[4];
    } cases[] = {
        {"a-%Y.%m.%d",
         12 * 3600 * SL_NS_PER_S,
         {"a-2024.05.01", "a-2024.05.02", "a-2024.05.02", "a-2024.05.03"}},
        {"a-%H", 1800 * SL_NS_PER_S, {"a-12", "a-13", "a-13", "a-14"}},
        {"a-%M", 30 * SL_NS_PER_S, {"a-34", "a-35", "a-35", "a-36"}},
        {"a-%S", SL_NS_PER_S / 2, {"a-56", "a-57", "a-57", "a-58"}},
        {"a-%L", SL_NS_PER_MS / 2, {"a-789", "a-789", "a-790", "a-790"}},
        {"a-%Y%%M", -366 * 24 * 3600 * SL_NS_PER_S, {"a-2024%m", "a-2023%m", "a-2022%m", "a-2021%m"}},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        encoder e;
        char options[128];
        snprintf(options, sizeof options, "{index: '%s'}", cases[i].index);
        if (i == 5) snprintf(options, sizeof options, "{index: 'a-%%Y%%%%m'}");
        encoder_init(&e, options);
        sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{}\n{}\n{}\n{}\n");
        sl_reader reader = {0};
        for (uint32_t n = 0; n < 4; n++) {
            batch->recs[n].time_ns = SL_TEST_TIME_NS + (int64_t)n * cases[i].step_ns;
            sl_reader_set(&reader, batch, &batch->recs[n]);
            sl_span name = es_index_name(&e.es.index, &reader);
            ck_assert_msg(sl_span_is_cstr(name, cases[i].names[n]), "%s %u: " SL_SPAN_FMT, cases[i].index, n,
                          SL_SPAN_ARG(name));
        }
        sl_reader_release(&reader);
        sl_batch_unref(batch);
        encoder_release(&e);
    }
}
END_TEST

/* A line is a line, whatever a field holds: as many lines as twice the records, each a JSON object. */
START_TEST(es_encode__no_value_can_forge_a_line)
{
    encoder e;
    encoder_init(&e, "{index: '{{ v }}', id: '{{ v }}', routing: '{{ v }}', pipeline: '{{ v }}'}");
    static const char *const nasty[] = {"\\n",     "\\r\\n", "\\u000a", "\\u2028", "\\\"", "\\\\", "}", "{",
                                        "\\u0000", "\\t",    "é",       "\\ud800", "/",    "a",    "]", ":"};
    sl_buf line = SL_BUF_NONE;
    sl_tape tape = {0};
    for (unsigned seed = 1; seed < 2000; seed++) {
        unsigned dice = seed;
        sl_buf_clear(&line);
        sl_buf_append_cstr(&line, "{\"v\":\"");
        for (int i = 0; i < 8; i++)
            sl_buf_append_cstr(&line, nasty[rand_r(&dice) % SL_LEN(nasty)]);
        sl_buf_append_cstr(&line, "\"}");
        sl_batch *batch = sl_test_batch_parsed(NULL, 0, sl_buf_cstr(&line));
        ck_assert_int_eq(sl_batch_seal(batch), 0);
        sl_record_ref ref = {batch, &batch->recs[0]};
        encode(&e, &ref, 1);
        const char *at = e.req.body.ptr, *end = at + e.req.body.len;
        unsigned lines = 0;
        for (const char *newline; at < end; at = newline + 1, lines++) {
            newline = memchr(at, '\n', (size_t)(end - at));
            ck_assert_ptr_nonnull(newline);
            tape.len = 0;
            sl_json_result json = sl_json_index(&tape, (sl_span){at, (size_t)(newline - at)});
            ck_assert_int_eq(json.error, SL_JSON_OK);
            ck_assert_int_eq(tape.tok[0].type, SL_JSON_OBJECT);
        }
        ck_assert_uint_eq(lines, 2);
        sl_batch_unref(batch);
    }
    sl_tape_release(&tape);
    sl_buf_release(&line);
    encoder_release(&e);
}
END_TEST

SL_TEST_MAIN("es_encode", es_encode__golden, es_encode__fallbacks_are_counted,
             es_encode__the_name_follows_the_records_time, es_encode__no_value_can_forge_a_line)

#include "check_main.h"
#include "records.h"

#include <pthread.h>

static sl_path *offset_path(void)
{
    return sl_test_path("offset");
}

START_TEST(batch__wraps_raw_lines_at_the_seal)
{
    sl_batch *batch = sl_test_batch_raw(NULL, 0, "plain\nwith \"quotes\" and \\\n\ttab\x01\n\n");
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"message\":\"plain\"}\n"
                                                  "{\"message\":\"with \\\"quotes\\\" and \\\\\"}\n"
                                                  "{\"message\":\"\\ttab\\u0001\"}\n"
                                                  "{\"message\":\"\"}\n");
}
END_TEST

START_TEST(batch__repairs_and_counts_invalid_utf8_when_wrapping)
{
    sl_batch *batch = sl_test_batch_raw(NULL, 0, "ok \xc3\xa4\nbad \xff\xc3\nfine\n");
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    ck_assert_uint_eq(batch->repaired, 1);
    ck_assert_uint_eq(batch->recs[1].flags & SL_RECORD_VALID_UTF8, SL_RECORD_VALID_UTF8);
    ck_assert_int_eq(
        strncmp(batch->text, "{\"message\":\"ok \xc3\xa4\"}\n{\"message\":\"bad \xef\xbf\xbd", 38), 0);
    sl_batch_unref(batch);
}
END_TEST

START_TEST(batch__grows_for_lines_that_escape_to_six_times_their_length)
{
    char lines[3000];
    memset(lines, 1, sizeof(lines));
    lines[999] = lines[1999] = lines[2998] = '\n';
    lines[2999] = '\0';
    sl_batch *batch = sl_test_batch_raw(NULL, 0, lines);
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    ck_assert_uint_eq(batch->count, 3);
    ck_assert_uint_eq(batch->recs[0].len, 999 * 6 + 14);
    ck_assert_uint_eq(batch->text_len, (999 + 999 + 998) * 6 + 3 * 15);
    ck_assert_int_eq(memcmp(batch->recs[2].text, "{\"message\":\"\\u0001", 18), 0);
    sl_batch_unref(batch);
}
END_TEST

START_TEST(batch__marks_truncated_lines)
{
    sl_batch *batch = sl_test_batch_raw(NULL, SL_RECORD_TRUNCATED, "cut her\n");
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"message\":\"cut her\",\"truncated\":true}\n");
}
END_TEST

START_TEST(batch__keeps_the_read_buffer_when_nothing_changed)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{\"a\":1}\n{\"b\":[2]}\n{}\n");
    const char *first = batch->recs[0].text;
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    /* A small buffer is outweighed by nothing else in the arena only if it fills most of its block: not here.
     */
    ck_assert_ptr_ne(batch->text, first);
    sl_batch_unref(batch);

    batch = sl_batch_new();
    size_t len = 300000;
    char *buf = sl_batch_try_alloc(batch, len);
    for (size_t at = 0; at + 10 <= len; at += 10) {
        memcpy(buf + at, "{\"a\":123}\n", 10);
        ck_assert_ptr_nonnull(sl_batch_add(batch, (sl_span){buf + at, 9}, SL_RECORD_RAW, 0, at));
        ck_assert_int_eq(sl_record_parse_json(batch, &batch->recs[batch->count - 1]).json.error, SL_JSON_OK);
    }
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    ck_assert_ptr_eq(batch->text, buf);
    ck_assert_uint_eq(batch->text_len, len);
    ck_assert_uint_eq(batch->bytes, 9 * batch->count);
    ck_assert_ptr_eq(batch->recs[29999].text, buf + 299990);
    sl_batch_unref(batch);
}
END_TEST

/* The same texts whether kept, copied as one run, or copied one by one. */
START_TEST(batch__copies_runs_around_gaps_and_drops)
{
    sl_batch *batch =
        sl_test_batch_parsed(NULL, 0, "{\"n\":0}\n{\"n\":1}\r\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n");
    sl_record_set_fate(batch, &batch->recs[3], SL_FATE_FILTERED, NULL);
    ck_assert_uint_eq(batch->live, 4);
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":4}\n");
}
END_TEST

START_TEST(batch__drops_first_and_last)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
    sl_record_set_fate(batch, &batch->recs[0], SL_FATE_DROPPED, "test");
    sl_record_set_fate(batch, &batch->recs[2], SL_FATE_FILTERED, NULL);
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    ck_assert_uint_eq(batch->count, 1);
    ck_assert_uint_eq(batch->live, 1);
    ck_assert_uint_eq(batch->recs[0].origin, 8);
    ck_assert_uint_eq(batch->text_len, 8);
    sl_batch_unref(batch);
}
END_TEST

START_TEST(batch__a_dead_letter_may_still_be_dropped)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{\"n\":0}\n{\"n\":1}\n");
    sl_record_set_fate(batch, &batch->recs[0], SL_FATE_DEAD_LETTERED, "bad");
    ck_assert_uint_eq(batch->live, 1);
    sl_record_set_fate(batch, &batch->recs[0], SL_FATE_DROPPED, "worse");
    ck_assert_uint_eq(batch->live, 1);
    ck_assert_str_eq(batch->recs[0].drop_reason, "worse");
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"n\":1}\n");
}
END_TEST

START_TEST(batch__may_lose_all_its_records)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{}\n");
    sl_record_set_fate(batch, &batch->recs[0], SL_FATE_FILTERED, NULL);
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    ck_assert_uint_eq(batch->count, 0);
    ck_assert_uint_eq(batch->text_len, 0);
    ck_assert_uint_eq(batch->bytes, 0);
    sl_batch_unref(batch);

    batch = sl_batch_new();
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    sl_batch_unref(batch);
}
END_TEST

START_TEST(batch__mixes_raw_parsed_and_edited_in_order)
{
    sl_batch *batch = sl_test_batch_raw(NULL, 0, "{\"a\":1}\nnot json\n{\"b\":22}\n{\"c\":3}\nlast");
    sl_record_parse_json(batch, &batch->recs[0]);
    sl_record_parse_json(batch, &batch->recs[2]);
    sl_record_parse_json(batch, &batch->recs[3]);
    sl_record_splice(batch, &batch->recs[2], 5, 2, SL_SPAN("\"longer than before\""));
    ck_assert_str_eq(sl_test_batch_sealed(batch),
                     "{\"a\":1}\n{\"message\":\"not json\"}\n{\"b\":\"longer than before\"}\n{\"c\":3}\n"
                     "{\"message\":\"last\"}\n");
}
END_TEST

START_TEST(batch__keeps_each_record_on_one_line)
{
    sl_batch *batch = sl_batch_new();
    sl_span pretty = SL_SPAN(" {\n  \"a\": 1,\r\n  \"b\":\n[ ]\n}\n\n");
    sl_record *rec = sl_batch_add(batch, pretty, SL_RECORD_RAW, 0, 0);
    ck_assert_int_eq(sl_record_parse_json(batch, rec).json.error, SL_JSON_OK);
    uint32_t count;
    const sl_token *tok = sl_record_tokens(batch, rec, &count);
    ck_assert_uint_eq(count, 5);
    ck_assert_int_eq(rec->text[tok[1].off], 'a');
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{   \"a\": 1,\r   \"b\": [ ] }\n");
}
END_TEST

START_TEST(batch__tells_why_a_line_is_no_object)
{
    static const struct {
        const char *line;
        sl_json_error error;
        bool not_object;
        uint32_t at;
    } cases[] = {
        {"", SL_JSON_EMPTY, false, 0},
        {"  x", SL_JSON_NOT_JSON, false, 2},
        {"[1,2]", SL_JSON_OK, true, 0},
        {"\"text\"", SL_JSON_OK, true, 0},
        {"12", SL_JSON_OK, true, 0},
        {"null", SL_JSON_OK, true, 0},
        {"{\"a\":1} x", SL_JSON_TRAILING, false, 8},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_batch *batch = sl_batch_new();
        sl_record *rec = sl_batch_add(batch, sl_span_of(cases[i].line), SL_RECORD_RAW, 0, 0);
        sl_parse_result res = sl_record_parse_json(batch, rec);
        ck_assert_msg(res.json.error == cases[i].error && res.not_object == cases[i].not_object &&
                          (res.json.error == SL_JSON_OK || res.json.at == cases[i].at),
                      "`%s`: %d at %u", cases[i].line, res.json.error, res.json.at);
        ck_assert_uint_eq(rec->flags, SL_RECORD_RAW);
        ck_assert_uint_eq(batch->tape.len, 0);
        sl_batch_unref(batch);
    }
}
END_TEST

START_TEST(batch__cleans_what_it_parses)
{
    static const struct {
        const char *line, *sealed;
        size_t replaced;
    } cases[] = {
        {"{\"a\":\"\xc3\xa4\"}", "{\"a\":\"\xc3\xa4\"}\n", 0},
        {"{\"a\":\"\xff\"}", "{\"a\":\"\xef\xbf\xbd\"}\n", 1},
        {"{\"\xff\":\"x\xc3\"}", "{\"\xef\xbf\xbd\":\"x\xef\xbf\xbd\"}\n", 2},
        {"{\"a\":\"\\ud800\"}", "{\"a\":\"\\ufffd\"}\n", 1},
        {"{\"a\":\"\\uDFFFx\"}", "{\"a\":\"\\ufffdx\"}\n", 1},
        {"{\"a\":\"\\ud83d\\ude00\"}", "{\"a\":\"\\ud83d\\ude00\"}\n", 0},
        {"{\"a\":\"\\ud83d\\ud83d\\ude00\"}", "{\"a\":\"\\ufffd\\ud83d\\ude00\"}\n", 1},
        {"{\"a\":\"\\\\ud800\"}", "{\"a\":\"\\\\ud800\"}\n", 0}, /* an escaped backslash, then text */
        {"{\"\\udc00\":\"\xff\\ud800\"}", "{\"\\ufffd\":\"\xef\xbf\xbd\\ufffd\"}\n", 3},
        {"  {\"a\":\"\xff\"} \r", "{\"a\":\"\xef\xbf\xbd\"}\n", 1},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_batch *batch = sl_batch_new();
        sl_record *rec = sl_batch_add(batch, sl_span_of(cases[i].line), SL_RECORD_RAW, 0, 0);
        sl_parse_result res = sl_record_parse_json(batch, rec);
        ck_assert_int_eq(res.json.error, SL_JSON_OK);
        ck_assert_msg(res.replaced == cases[i].replaced, "case %zu: %zu", i, res.replaced);
        ck_assert(rec->flags & SL_RECORD_VALID_UTF8);
        ck_assert_uint_eq(batch->tape.len, rec->tape_at + rec->tape_len);
        ck_assert_str_eq(sl_test_batch_sealed(batch), cases[i].sealed);
    }
}
END_TEST

START_TEST(batch__unwraps_what_is_only_a_wrapped_line)
{
    sl_batch *batch = sl_test_batch_raw(NULL, 0, "{\"a\":\"\\n\"}\nplain\nedited\n");
    uint32_t count;
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_ptr_nonnull(sl_record_tokens(batch, &batch->recs[i], &count));
    sl_path *path = sl_test_path("x");
    ck_assert_int_eq(sl_record_set(batch, &batch->recs[2], path, SL_SPAN("1")), 0);
    ck_assert(sl_record_unwrap(batch, &batch->recs[0]));
    ck_assert(!sl_record_unwrap(batch, &batch->recs[0]));
    ck_assert(sl_record_unwrap(batch, &batch->recs[1]));
    ck_assert(!sl_record_unwrap(batch, &batch->recs[2]));
    ck_assert_int_eq(sl_record_parse_json(batch, &batch->recs[0]).json.error, SL_JSON_OK);
    ck_assert(!sl_record_unwrap(batch, &batch->recs[0]));
    ck_assert_str_eq(sl_test_batch_sealed(batch),
                     "{\"a\":\"\\n\"}\n{\"message\":\"plain\"}\n{\"message\":\"edited\",\"x\":1}\n");
    sl_path_free(path);
}
END_TEST

START_TEST(batch__takes_a_false_object_for_a_line)
{
    sl_batch *batch = sl_batch_new();
    sl_record *rec = sl_batch_add(batch, SL_SPAN("{broken"), 0, 0, 0);
    uint32_t count;
    ck_assert_ptr_nonnull(sl_record_tokens(batch, rec, &count));
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"message\":\"{broken\"}\n");
}
END_TEST

START_TEST(batch__is_full_at_its_limit)
{
    sl_batch *batch = sl_batch_new();
    for (uint32_t i = 0; i < SL_MAX_RECORDS; i++)
        ck_assert_ptr_nonnull(sl_batch_add(batch, SL_SPAN("{}"), 0, 0, i));
    ck_assert_ptr_null(sl_batch_add(batch, SL_SPAN("{}"), 0, 0, 0));
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    ck_assert_uint_eq(batch->text_len, 3u * SL_MAX_RECORDS);
    sl_batch_unref(batch);
}
END_TEST

START_TEST(batch__frees_what_only_editing_needed)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{\"a\":\"x\"}\n");
    sl_record_splice(batch, &batch->recs[0], 5, 3, SL_SPAN("null"));
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    ck_assert_uint_eq(batch->arena.total, 0);
    ck_assert_ptr_null(batch->tape.tok);
    ck_assert_uint_eq(batch->cap, 1);
    sl_batch_unref(batch);
}
END_TEST

static void *drop_reference(void *batch)
{
    for (int i = 0; i < 1000; i++) {
        sl_batch_ref(batch);
        sl_batch_unref(batch);
    }
    sl_batch_unref(batch);
    return NULL;
}

START_TEST(batch__is_freed_by_whichever_thread_is_last)
{
    sl_batch *batch = sl_test_batch_raw(NULL, 0, "line\n");
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, drop_reference, sl_batch_ref(batch));
    sl_batch_unref(batch);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
}
END_TEST

START_TEST(batch__gives_every_record_a_lasting_id)
{
    sl_batch *batch = sl_test_batch_raw(NULL, 0, "a\nb\n");
    char text[SL_ID_TEXT_LEN + 1] = "", other[SL_ID_TEXT_LEN + 1] = "";
    sl_id_format(sl_record_id(batch, &batch->recs[0]), text);
    sl_id_format(sl_record_id(batch, &batch->recs[1]), other);
    /* Frozen: these ids are in users' indexes. */
    ck_assert_str_eq(text, "ccd81885c8d732ab319631c47ceb5efc");
    ck_assert_str_ne(text, other);
    sl_batch_unref(batch);
}
END_TEST

START_TEST(batch__keeps_ids_of_their_own_with_their_records)
{
    sl_batch *batch = sl_batch_new();
    for (uint64_t i = 0; i < 1000; i++) {
        sl_record *rec = sl_batch_add(batch, SL_SPAN("{\"a\":1}"), SL_RECORD_ID, 0, i); /* not so said */
        ck_assert_int_eq(rec->flags, 0);
        if (i % 3 == 0) ck_assert(sl_batch_set_id(batch, rec, (sl_id){7, i}));
    }
    for (uint64_t i = 0; i < 1000; i += 2)
        sl_record_set_fate(batch, &batch->recs[i], SL_FATE_FILTERED, NULL);
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    ck_assert_uint_eq(batch->count, 500);
    for (uint32_t k = 0; k < batch->count; k++) {
        const sl_record *rec = &batch->recs[k];
        sl_id id = sl_record_id(batch, rec);
        bool own = rec->origin % 3 == 0;
        ck_assert_int_eq((rec->flags & SL_RECORD_ID) != 0, own);
        ck_assert_int_eq(id.hi == 7 && id.lo == rec->origin, own);
    }
    sl_batch_unref(batch);
}
END_TEST

/* ---- joining ---- */

START_TEST(batch__joins_what_a_record_does_not_have)
{
    static const struct {
        const char *common, *line, *written;
    } cases[] = {
        {"\"file\":\"/a\"", "{\"m\":1}",
         "{\"@timestamp\":\"2024-05-01T12:34:56.789Z\",\"file\":\"/a\",\"offset\":0,\"m\":1}\n"},
        {"\"file\":\"/a\"", "{}",
         "{\"@timestamp\":\"2024-05-01T12:34:56.789Z\",\"file\":\"/a\",\"offset\":0}\n"},
        {"\"file\":\"/a\"", "{ }",
         "{\"@timestamp\":\"2024-05-01T12:34:56.789Z\",\"file\":\"/a\",\"offset\":0}\n"},
        {NULL, "{ \"m\":1}", "{\"@timestamp\":\"2024-05-01T12:34:56.789Z\",\"offset\":0,\"m\":1}\n"},
        /* the record's own wins */
        {"\"file\":\"/a\"", "{\"@timestamp\":\"x\"}",
         "{\"file\":\"/a\",\"offset\":0,\"@timestamp\":\"x\"}\n"},
        {"\"file\":\"/a\"", "{\"\\u0040timestamp\":\"x\"}",
         "{\"file\":\"/a\",\"offset\":0,\"\\u0040timestamp\":\"x\"}\n"},
        {"\"file\":\"/a\"", "{\"offset\":7}",
         "{\"@timestamp\":\"2024-05-01T12:34:56.789Z\",\"file\":\"/a\",\"offset\":7}\n"},
        {"\"file\":\"/a\"", "{\"file\":7}",
         "{\"@timestamp\":\"2024-05-01T12:34:56.789Z\",\"offset\":0,\"file\":7}\n"},
        {"\"file\":\"/a\",\"host\":\"h\"", "{\"m\":1,\"file\":7}",
         "{\"@timestamp\":\"2024-05-01T12:34:56.789Z\",\"offset\":0,\"host\":\"h\",\"m\":1,\"file\":7}\n"},
        {"\"file\":\"/a\",\"host\":\"h\",\"k\":{\"p\":[1]}", "{\"f\\u0069le\":7}",
         "{\"@timestamp\":\"2024-05-01T12:34:56.789Z\",\"offset\":0,\"host\":\"h\",\"k\":{\"p\":[1]},"
         "\"f\\u0069le\":7}\n"},
        /* only at top level */
        {"\"file\":\"/a\"", "{\"o\":{\"file\":1,\"offset\":2,\"@timestamp\":3}}",
         "{\"@timestamp\":\"2024-05-01T12:34:56.789Z\",\"file\":\"/"
         "a\",\"offset\":0,\"o\":{\"file\":1,\"offset\":2,"
         "\"@timestamp\":3}}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_batch *batch =
            sl_test_batch_parsed(cases[i].common, SL_RECORD_COMMON | SL_RECORD_OFFSET, cases[i].line);
        ck_assert_str_eq(sl_test_batch_written(batch), cases[i].written);
    }
}
END_TEST

START_TEST(batch__joins_to_raw_lines_too)
{
    uint16_t flags = SL_RECORD_COMMON | SL_RECORD_OFFSET;
    ck_assert_str_eq(
        sl_test_batch_written(sl_test_batch_raw("\"file\":\"/a\"", flags, "x")),
        "{\"@timestamp\":\"2024-05-01T12:34:56.789Z\",\"file\":\"/a\",\"offset\":0,\"message\":\"x\"}\n");
    ck_assert_str_eq(
        sl_test_batch_written(sl_test_batch_raw("\"message\":\"c\",\"file\":\"/a\"", flags, "x")),
        "{\"@timestamp\":\"2024-05-01T12:34:56.789Z\",\"offset\":0,\"file\":\"/a\",\"message\":\"x\"}\n");
}
END_TEST

START_TEST(batch__refuses_common_fields_that_are_no_members)
{
    static const char *const cases[] = {"x",         "\"a\":1,", "\"a\":1}", "\"a\":1},{\"b\":2",
                                        "\"a\":\n1", " ",        "\"a\""};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_batch *batch = sl_batch_new();
        ck_assert_msg(sl_batch_set_common(batch, sl_span_of(cases[i])) == SL_E_SYNTAX, "`%s`", cases[i]);
        ck_assert_uint_eq(batch->common.len, 0);
        sl_batch_unref(batch);
    }
    sl_batch *batch = sl_batch_new();
    char *big = sl_calloc(1, SL_MAX_COMMON_LEN + 1);
    ck_assert_int_eq(sl_batch_set_common(batch, (sl_span){big, SL_MAX_COMMON_LEN + 1}), SL_E_LIMIT);
    ck_assert_int_eq(sl_batch_set_common(batch, SL_SPAN_NONE), 0);
    sl_free(big);
    sl_batch_unref(batch);
}
END_TEST

START_TEST(batch__reads_joined_names)
{
    sl_batch *batch =
        sl_test_batch_parsed("\"kubernetes\":{\"pod\":\"p\\n\"}", SL_RECORD_COMMON | SL_RECORD_OFFSET,
                             "{\"a\":1}\n{\"a\":2,\"offset\":\"own\"}");
    sl_path *pod = sl_test_path("kubernetes.pod"), *time = sl_test_path("@timestamp"),
            *offset = offset_path();
    sl_buf scratch = SL_BUF_NONE;
    sl_value value;
    ck_assert(sl_record_get(batch, &batch->recs[0], pod, &scratch, &value));
    ck_assert(sl_span_is_cstr(value.text, "p\n"));
    ck_assert(sl_record_get(batch, &batch->recs[0], time, &scratch, &value));
    ck_assert(sl_span_is_cstr(value.text, "2024-05-01T12:34:56.789Z"));
    ck_assert_int_eq(value.type, SL_JSON_STRING);
    ck_assert(sl_record_get(batch, &batch->recs[0], offset, &scratch, &value));
    ck_assert(sl_span_is_cstr(value.text, "0"));
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    sl_tape tape = {0};
    ck_assert(sl_record_get_sealed(batch, &batch->recs[1], &tape, offset, &scratch, &value));
    ck_assert(sl_span_is_cstr(value.text, "own"));
    ck_assert(sl_record_get_sealed(batch, &batch->recs[1], &tape, pod, &scratch, &value));
    ck_assert(sl_span_is_cstr(value.text, "p\n"));
    sl_tape_release(&tape);
    sl_buf_release(&scratch);
    sl_path_free(pod);
    sl_path_free(time);
    sl_path_free(offset);
    sl_batch_unref(batch);
}
END_TEST

SL_TEST_MAIN("batch", batch__wraps_raw_lines_at_the_seal,
             batch__repairs_and_counts_invalid_utf8_when_wrapping,
             batch__grows_for_lines_that_escape_to_six_times_their_length, batch__marks_truncated_lines,
             batch__keeps_the_read_buffer_when_nothing_changed, batch__copies_runs_around_gaps_and_drops,
             batch__drops_first_and_last, batch__may_lose_all_its_records,
             batch__a_dead_letter_may_still_be_dropped, batch__mixes_raw_parsed_and_edited_in_order,
             batch__keeps_each_record_on_one_line, batch__tells_why_a_line_is_no_object,
             batch__cleans_what_it_parses, batch__unwraps_what_is_only_a_wrapped_line,
             batch__takes_a_false_object_for_a_line, batch__is_full_at_its_limit,
             batch__frees_what_only_editing_needed, batch__is_freed_by_whichever_thread_is_last,
             batch__gives_every_record_a_lasting_id, batch__keeps_ids_of_their_own_with_their_records,
             batch__joins_what_a_record_does_not_have, batch__joins_to_raw_lines_too,
             batch__refuses_common_fields_that_are_no_members, batch__reads_joined_names)

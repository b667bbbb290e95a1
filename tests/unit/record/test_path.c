#include "check_main.h"
#include "records.h"

START_TEST(path__finds_values)
{
    static const struct {
        const char *text, *path, *value; /* value NULL: not there */
    } cases[] = {
        {"{\"a\":1}", "a", "1"},
        {"{\"a\":1}", "b", NULL},
        {"{\"a\":1}", "a.b", NULL},
        {"{\"a\":1}", "a[0]", NULL},
        {"{\"a\":{\"b\":{\"c\":\"deep\"}}}", "a.b.c", "deep"},
        {"{\"a\":{\"b\":{\"c\":\"deep\"}}}", "a.b", "{\"c\":\"deep\"}"},
        {"{\"headers\":{\"x-api-key\":\"k\"}}", "headers[\"x-api-key\"]", "k"},
        {"{\"headers\":{\"x-api-key\":\"k\"}}", "headers['x-api-key']", "k"},
        {"{\"headers\":{\"x-api-key\":\"k\"}}", "headers.x-api-key", "k"},
        {"{\"tags\":[\"x\",\"y\",{\"z\":3}]}", "tags[0]", "x"},
        {"{\"tags\":[\"x\",\"y\",{\"z\":3}]}", "tags[1]", "y"},
        {"{\"tags\":[\"x\",\"y\",{\"z\":3}]}", "tags[2].z", "3"},
        {"{\"tags\":[\"x\",\"y\",{\"z\":3}]}", "tags[3]", NULL},
        {"{\"tags\":[]}", "tags[0]", NULL},
        {"{\"m\":[[1,2],[3,[4]]]}", "m[1][1][0]", "4"},
        {"{\"@timestamp\":\"t\"}", "@timestamp", "t"},
        {"{\"@timestamp\":\"t\"}", "[\"@timestamp\"]", "t"},
        {"{\"a.b\":1,\"a\":{\"b\":2}}", "a.b", "2"},
        {"{\"a.b\":1,\"a\":{\"b\":2}}", "[\"a.b\"]", "1"},
        {"{\"\":1}", "[\"\"]", "1"},
        {"{\"a\\\"b\":1}", "[\"a\\\"b\"]", "1"},
        {"{\"\\u0061\":1}", "a", "1"},
        {"{\"a\":1}", "[\"\\u0061\"]", "1"},
        {"{\"\\ud83d\\ude00\":1}", "[\"\xf0\x9f\x98\x80\"]", "1"},
        {"{\"\xf0\x9f\x98\x80\":1}", "[\"\\ud83d\\ude00\"]", "1"},
        {"{\"gr\xc3\xb6\xc3\x9f"
         "e\":1}",
         "gr\xc3\xb6\xc3\x9f"
         "e",
         "1"},
        {"{\"a\":1,\"a\":2,\"a\":3}", "a", "3"}, /* the last one wins */
        {"{\"a\":{\"x\":1},\"a\":{\"y\":2}}", "a.x", NULL},
        {"{\"a\":1,\"\\u0061\":2}", "a", "2"},
        {"{\"ab\":1,\"abc\":2}", "ab", "1"},
        {"{\"a\":{\"a\":{\"a\":1}}}", "a.a.a", "1"},
        {"{\"s\":\"tab\\there\"}", "s", "tab\there"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_batch *batch = sl_test_batch_parsed(NULL, 0, cases[i].text);
        sl_path *path = sl_test_path(cases[i].path);
        sl_buf scratch = SL_BUF_NONE;
        sl_value value;
        bool found = sl_record_get(batch, &batch->recs[0], path, &scratch, &value);
        ck_assert_msg(found == (cases[i].value != NULL), "%s of %s", cases[i].path, cases[i].text);
        if (found)
            ck_assert_msg(sl_span_is_cstr(value.text, cases[i].value), "%s of %s: " SL_SPAN_FMT,
                          cases[i].path, cases[i].text, SL_SPAN_ARG(value.text));
        ck_assert(sl_span_is_cstr(sl_path_text(path), cases[i].path));
        sl_buf_release(&scratch);
        sl_path_free(path);
        sl_batch_unref(batch);
    }
}
END_TEST

START_TEST(path__refuses_what_is_none_and_tells_where)
{
    static const struct {
        const char *path, *error;
    } cases[] = {
        {"", "column 1: a field name is missing at the end"},
        {".a", "column 1: a field name is expected here"},
        {"a.", "column 3: a field name is missing at the end"},
        {"a..b", "column 3: a field name is expected here"},
        {"a b", "column 2: this character can't stand in a path"},
        {"a[", "column 3: a quoted name or an array index is expected after `[`"},
        {"a[x]", "column 3: a quoted name or an array index is expected after `[`"},
        {"a[-1]", "column 3: a quoted name or an array index is expected after `[`"},
        {"a[1", "column 2: this `[` has no `]`"},
        {"a[\"x\"", "column 2: this `[` has no `]`"},
        {"a[\"x]", "column 3: this quote is not closed"},
        {"a[\"\\q\"]", "column 4: unknown escape"},
        {"a[\"\\ud800\"]", "column 4: unknown escape"},
        {"a[\"\\u12\"]", "column 4: unknown escape"},
        {"a[4294967295]", "column 3: the array index is too large"},
        {"a[99999999999999999999]", "column 3: the array index is too large"},
        {"[0]", "column 1: a path begins with a field name"},
        {"a]", "column 2: this character can't stand in a path"},
        {"a.\xff", "column 1: the path is not UTF-8"},
        {"a*", "column 2: this character can't stand in a path"},
        {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a",
         "column 64: the path has more than 32 steps"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_err err = SL_ERR_NONE;
        ck_assert_msg(!sl_path_parse(sl_span_of(cases[i].path), &err), "`%s`", cases[i].path);
        ck_assert_int_eq(err.code, SL_E_SYNTAX);
        ck_assert_msg(strncmp(err.text, cases[i].error, strlen(cases[i].error)) == 0, "`%s`: %s",
                      cases[i].path, err.text);
    }
    char *large = sl_alloc(5000);
    memset(large, 'a', 5000);
    sl_err err = SL_ERR_NONE;
    ck_assert_ptr_null(sl_path_parse((sl_span){large, 5000}, &err));
    ck_assert_int_eq(err.code, SL_E_LIMIT);
    sl_free(large);
}
END_TEST

START_TEST(path__sets_fields)
{
    static const struct {
        const char *line, *path, *json;
        int res;
        const char *after;
    } cases[] = {
        {"{}", "a", "1", 0, "{\"a\":1}\n"},
        {"{ }", "a", "1", 0, "{ \"a\":1}\n"},
        {"{\"a\":1}", "a", "\"x\"", 0, "{\"a\":\"x\"}\n"},
        {"{\"a\":\"old\",\"b\":2}", "a", "null", 0, "{\"a\":null,\"b\":2}\n"},
        {"{\"a\":1}", "b", "2", 0, "{\"a\":1,\"b\":2}\n"},
        {"{\"a\":1}", "b.c.d", "[2]", 0, "{\"a\":1,\"b\":{\"c\":{\"d\":[2]}}}\n"},
        {"{\"a\":{}}", "a.b", "2", 0, "{\"a\":{\"b\":2}}\n"},
        {"{\"a\":{\"x\":1},\"z\":0}", "a.b.c", "2", 0, "{\"a\":{\"x\":1,\"b\":{\"c\":2}},\"z\":0}\n"},
        {"{\"a\":[1,2]}", "a[1]", "true", 0, "{\"a\":[1,true]}\n"},
        {"{\"a\":[1,{}]}", "a[1].k", "true", 0, "{\"a\":[1,{\"k\":true}]}\n"},
        {"{\"a\":[1,2]}", "a[2]", "3", SL_E_NOT_FOUND, "{\"a\":[1,2]}\n"},
        {"{\"a\":1}", "a.b", "3", SL_E_NOT_FOUND, "{\"a\":1}\n"},
        {"{\"a\":1}", "a[0]", "3", SL_E_NOT_FOUND, "{\"a\":1}\n"},
        {"{\"a\":{}}", "a[0]", "3", SL_E_NOT_FOUND, "{\"a\":{}}\n"},
        {"{}", "b[0].c", "3", SL_E_NOT_FOUND, "{}\n"},
        {"{\"a\":1,\"a\":2}", "a", "3", 0, "{\"a\":1,\"a\":3}\n"},
        {"{}", "[\"k\\\"\\n\"]", "1", 0, "{\"k\\\"\\n\":1}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_batch *batch = sl_test_batch_parsed(NULL, 0, cases[i].line);
        sl_path *path = sl_test_path(cases[i].path);
        int res = sl_record_set(batch, &batch->recs[0], path, sl_span_of(cases[i].json));
        ck_assert_msg(res == cases[i].res, "%s in %s: %d", cases[i].path, cases[i].line, res);
        ck_assert_str_eq(sl_test_batch_sealed(batch), cases[i].after);
        sl_path_free(path);
    }
}
END_TEST

START_TEST(path__parses_json_inside_a_field)
{
    static const struct {
        const char *line, *path;
        bool done;
        sl_json_error error;
        const char *after;
    } cases[] = {
        {"{\"m\":\"{\\\"a\\\":1}\",\"z\":0}", "m", true, SL_JSON_OK, "{\"m\":{\"a\":1},\"z\":0}\n"},
        {"{\"m\":\" {\\n\\\"a\\\": [1,\\n2]}\\n\"}", "m", true, SL_JSON_OK, "{\"m\":{ \"a\": [1, 2]}}\n"},
        {"{\"o\":{\"m\":\"{}\"}}", "o.m", true, SL_JSON_OK, "{\"o\":{\"m\":{}}}\n"},
        {"{\"m\":\"{\\\"a\\\":\\\"\\\\ud800\\\"}\"}", "m", true, SL_JSON_OK, "{\"m\":{\"a\":\"\\ufffd\"}}\n"},
        {"{\"m\":\"plain\"}", "m", false, SL_JSON_NOT_JSON, "{\"m\":\"plain\"}\n"},
        {"{\"m\":\"[1]\"}", "m", false, SL_JSON_OK, "{\"m\":\"[1]\"}\n"},
        {"{\"m\":\"{\"}", "m", false, SL_JSON_UNTERMINATED, "{\"m\":\"{\"}\n"},
        {"{\"m\":{\"a\":1}}", "m", false, SL_JSON_EMPTY, "{\"m\":{\"a\":1}}\n"},
        {"{\"n\":1}", "m", false, SL_JSON_EMPTY, "{\"n\":1}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_batch *batch = sl_test_batch_parsed(NULL, 0, cases[i].line);
        sl_path *path = sl_test_path(cases[i].path);
        sl_parse_result result = {.json = {.error = SL_JSON_EMPTY}};
        bool done = sl_record_parse_json_at(batch, batch->recs, path, &result);
        ck_assert_msg(done == cases[i].done && result.json.error == cases[i].error, "%s: %d", cases[i].line,
                      result.json.error);
        ck_assert_str_eq(sl_test_batch_sealed(batch), cases[i].after);
        sl_path_free(path);
    }
}
END_TEST

START_TEST(path__nests_no_deeper_than_can_be_read)
{
    char deep[2100];
    for (int depth = SL_JSON_MAX_DEPTH - 3; depth <= SL_JSON_MAX_DEPTH + 1; depth++) {
        memset(deep, '[', (size_t)depth);
        memset(deep + depth, ']', (size_t)depth);
        deep[2 * depth] = '\0';
        sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{\"a\":{\"x\":\"[[{\\\"\"}}");
        sl_path *path = sl_test_path("a.b");
        int res = sl_record_set(batch, batch->recs, path, sl_span_of(deep));
        ck_assert_int_eq(res, depth + 2 > SL_JSON_MAX_DEPTH ? SL_E_LIMIT : 0);
        uint32_t count;
        ck_assert_ptr_nonnull(sl_record_tokens(batch, batch->recs, &count));
        ck_assert(!(batch->recs[0].flags & SL_RECORD_WRAPPED)); /* it could still be read */
        sl_path_free(path);
        sl_batch_unref(batch);
    }
}
END_TEST

START_TEST(path__sets_one_field_after_another)
{
    sl_batch *batch = sl_test_batch_raw(NULL, 0, "text");
    sl_record *rec = batch->recs;
    sl_path *a = sl_test_path("a"), *ab = sl_test_path("a.b"), *m = sl_test_path("message");
    ck_assert_int_eq(sl_record_set(batch, rec, ab, SL_SPAN("1")), 0);
    ck_assert_int_eq(sl_record_set(batch, rec, ab, SL_SPAN("2")), 0);
    ck_assert(sl_record_remove(batch, rec, m));
    ck_assert(!sl_record_remove(batch, rec, m));
    ck_assert_int_eq(sl_record_set(batch, rec, m, SL_SPAN("\"new\"")), 0);
    ck_assert(sl_record_remove(batch, rec, a));
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"message\":\"new\"}\n");
    sl_path_free(a);
    sl_path_free(ab);
    sl_path_free(m);
}
END_TEST

START_TEST(path__removes_fields)
{
    static const struct {
        const char *line, *path;
        bool removed;
        const char *after;
    } cases[] = {
        {"{\"a\":1}", "a", true, "{}\n"},
        {"{\"a\":1}", "b", false, "{\"a\":1}\n"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "b", true, "{\"a\":1,\"c\":3}\n"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "a", true, "{\"b\":2}\n"},
        {"{\"a\":1,\"a\":3}", "a", true, "{}\n"},
        {"{\"b\":0,\"a\":1,\"\\u0061\":3}", "a", true, "{\"b\":0}\n"},
        {"{\"a\":{\"x\":1},\"a\":{\"x\":2,\"y\":3}}", "a.x", true, "{\"a\":{},\"a\":{\"y\":3}}\n"},
        {"{\"a\":[1,2,3]}", "a[1]", true, "{\"a\":[1,3]}\n"},
        {"{\"a\":[1,2,3]}", "a[2]", true, "{\"a\":[1,2]}\n"},
        {"{\"a\":[{\"k\":1}]}", "a[0].k", true, "{\"a\":[{}]}\n"},
        {"{\"a\":[1]}", "a[7]", false, "{\"a\":[1]}\n"},
        {"{\"a\":[1]}", "a.b", false, "{\"a\":[1]}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_batch *batch = sl_test_batch_parsed(NULL, 0, cases[i].line);
        sl_path *path = sl_test_path(cases[i].path);
        ck_assert_msg(sl_record_remove(batch, &batch->recs[0], path) == cases[i].removed, "%s",
                      cases[i].path);
        ck_assert_str_eq(sl_test_batch_sealed(batch), cases[i].after);
        sl_path_free(path);
    }
}
END_TEST

#define T "\"@timestamp\":\"2024-05-01T12:34:56.789Z\","

/* Edits of joined names keep every name single. `json` NULL removes. */
START_TEST(path__edits_joined_names)
{
    static const struct {
        const char *path, *json;
        int res;
        const char *written;
    } cases[] = {
        {"@timestamp", "\"x\"", 0, "{\"k\":{\"p\":1},\"h\":2,\"offset\":0,\"m\":1,\"@timestamp\":\"x\"}\n"},
        {"@timestamp", NULL, 1, "{\"k\":{\"p\":1},\"h\":2,\"offset\":0,\"m\":1}\n"},
        {"@timestamp.x", "1", SL_E_NOT_FOUND, "{" T "\"k\":{\"p\":1},\"h\":2,\"offset\":0,\"m\":1}\n"},
        {"@timestamp.x", NULL, 0, "{" T "\"k\":{\"p\":1},\"h\":2,\"offset\":0,\"m\":1}\n"},
        {"offset", "5", 0, "{" T "\"k\":{\"p\":1},\"h\":2,\"m\":1,\"offset\":5}\n"},
        {"offset", NULL, 1, "{" T "\"k\":{\"p\":1},\"h\":2,\"m\":1}\n"},
        {"h", "5", 0, "{" T "\"offset\":0,\"k\":{\"p\":1},\"h\":5,\"m\":1}\n"},
        {"h", NULL, 1, "{" T "\"offset\":0,\"k\":{\"p\":1},\"m\":1}\n"},
        {"k.p", "5", 0, "{" T "\"offset\":0,\"k\":{\"p\":5},\"h\":2,\"m\":1}\n"},
        {"k.q", "5", 0, "{" T "\"offset\":0,\"k\":{\"p\":1,\"q\":5},\"h\":2,\"m\":1}\n"},
        {"k.p", NULL, 1, "{" T "\"offset\":0,\"k\":{},\"h\":2,\"m\":1}\n"},
        {"k.z", NULL, 0, "{" T "\"offset\":0,\"k\":{\"p\":1},\"h\":2,\"m\":1}\n"},
        {"m", NULL, 1, "{" T "\"k\":{\"p\":1},\"h\":2,\"offset\":0}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_batch *batch =
            sl_test_batch_parsed("\"k\":{\"p\":1},\"h\":2", SL_RECORD_COMMON | SL_RECORD_OFFSET, "{\"m\":1}");
        sl_path *path = sl_test_path(cases[i].path);
        sl_record *rec = batch->recs;
        int res = cases[i].json ? sl_record_set(batch, rec, path, sl_span_of(cases[i].json))
                                : sl_record_remove(batch, rec, path);
        ck_assert_msg(res == cases[i].res, "%s: %d", cases[i].path, res);
        ck_assert_str_eq(sl_test_batch_written(batch), cases[i].written);
        sl_path_free(path);
    }
}
END_TEST

START_TEST(path__tells_its_steps)
{
    sl_path *path = sl_test_path("user[\"a.b\"].list[7]");
    uint32_t index;
    ck_assert_uint_eq(sl_path_length(path), 4);
    ck_assert(sl_span_is_cstr(sl_path_step(path, 0, &index), "user"));
    ck_assert(sl_span_is_cstr(sl_path_step(path, 1, &index), "a.b"));
    ck_assert(sl_span_is_cstr(sl_path_step(path, 2, &index), "list"));
    ck_assert_ptr_null(sl_path_step(path, 3, &index).ptr);
    ck_assert_uint_eq(index, 7);
    sl_path_free(path);
}
END_TEST

SL_TEST_MAIN("path", path__finds_values, path__tells_its_steps, path__refuses_what_is_none_and_tells_where,
             path__sets_fields, path__parses_json_inside_a_field, path__nests_no_deeper_than_can_be_read,
             path__sets_one_field_after_another, path__removes_fields, path__edits_joined_names)

#include "check_main.h"
#include "golden.h"
#include "records.h"

static bool holds(const char *condition, sl_batch *batch, uint32_t i)
{
    sl_err err = SL_ERR_NONE;
    sl_condition *cond = sl_condition_parse(sl_span_of(condition), &err);
    ck_assert_msg(cond != NULL, "%s: %s", condition, err.text);
    sl_reader reader = {0};
    sl_reader_set(&reader, batch, &batch->recs[i]);
    bool held = sl_condition_eval(cond, &reader);
    sl_reader_set(&reader, batch, &batch->recs[i]);
    ck_assert(sl_condition_eval(cond, &reader) == held);
    sl_reader_release(&reader);
    sl_condition_free(cond);
    return held;
}

static bool check_holds(const sl_golden_case *c)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, c->part[0]);
    bool open = holds(c->part[1], batch, 0);
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    bool sealed = holds(c->part[1], batch, 0);
    sl_batch_unref(batch);
    bool right = open == sealed && open == (strcmp(c->part[2], "true") == 0);
    return right || sl_golden_wrong(c, "%s of %s is %d, sealed %d", c->part[1], c->part[0], open, sealed);
}

START_TEST(condition__holds_or_not)
{
    ck_assert_int_ge(sl_golden_each("condition/holds.txt", 3, check_holds), 150);
}
END_TEST

static bool check_error(const sl_golden_case *c)
{
    sl_err err = SL_ERR_NONE;
    sl_condition *cond = sl_condition_parse(sl_span_of(c->part[0]), &err);
    bool right = !cond && err.code == SL_E_SYNTAX && strncmp(err.text, c->part[1], strlen(c->part[1])) == 0;
    if (!right) sl_golden_wrong(c, "`%s`: %s", c->part[0], cond ? "is accepted" : err.text);
    sl_condition_free(cond);
    return right;
}

START_TEST(condition__errors_tell_the_column_and_a_way_out)
{
    ck_assert_int_ge(sl_golden_each("condition/errors.txt", 2, check_error), 70);
}
END_TEST

START_TEST(condition__is_bounded_in_length_and_depth)
{
    sl_buf text = SL_BUF_NONE;
    sl_err err = SL_ERR_NONE;
    for (int i = 0; i < 63; i++)
        sl_buf_append_char(&text, '(');
    sl_buf_append_cstr(&text, "a == 1");
    for (int i = 0; i < 63; i++)
        sl_buf_append_char(&text, ')');
    sl_condition *cond = sl_condition_parse(sl_buf_span(&text), &err);
    ck_assert_msg(cond != NULL, "%s", err.text);
    sl_condition_free(cond);

    sl_buf_clear(&text);
    for (int i = 0; i < 3000; i++)
        sl_buf_append_cstr(&text, "not ");
    ck_assert_ptr_null(sl_condition_parse(sl_buf_span(&text), &err));
    ck_assert_ptr_nonnull(strstr(err.text, "nested more than 64 deep"));

    sl_buf_clear(&text);
    for (int i = 0; i < 5000; i++)
        sl_buf_append_cstr(&text, "a == 1 or ");
    ck_assert_ptr_null(sl_condition_parse(sl_buf_span(&text), &err));
    ck_assert_int_eq(err.code, SL_E_LIMIT);

    sl_buf_clear(&text); /* a long chain is not deep */
    for (int i = 0; i < 1500; i++)
        sl_buf_append_cstr(&text, "a == 2 or ");
    sl_buf_append_cstr(&text, "a == 1");
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{\"a\":1}");
    ck_assert(holds(sl_buf_cstr(&text), batch, 0));
    sl_batch_unref(batch);
    sl_buf_release(&text);
}
END_TEST

START_TEST(condition__empty_text_is_an_error)
{
    sl_err err = SL_ERR_NONE;
    ck_assert_ptr_null(sl_condition_parse(SL_SPAN(""), &err));
    ck_assert_str_eq(err.text, "column 1: the condition is empty");
    ck_assert_ptr_null(sl_condition_parse(SL_SPAN("  "), &err));
    ck_assert_str_eq(err.text, "column 3: the condition is empty");
}
END_TEST

START_TEST(condition__sees_joined_names_and_raw_lines)
{
    sl_batch *batch = sl_test_batch_raw("\"file\":\"/var/log/a.log\"", SL_RECORD_COMMON | SL_RECORD_OFFSET,
                                        "plain text\n{\"a\":1}");
    sl_record_parse_json(batch, &batch->recs[1]);
    ck_assert(holds("message contains \"plain\"", batch, 0));
    ck_assert(
        holds("@timestamp startswith \"2024\" and offset == 0 and file == \"/var/log/a.log\"", batch, 0));
    ck_assert(!holds("exists(a) or exists(message.x) or exists(truncated)", batch, 0));
    ck_assert(batch->recs[0].flags & SL_RECORD_RAW); /* reading leaves a line a line */
    ck_assert(holds("file endswith \".log\" and @timestamp startswith \"2024-05-01T12\"", batch, 1));
    ck_assert(holds("offset == 11", batch, 1));
    ck_assert(!holds("exists(message)", batch, 1));
    sl_batch_unref(batch);
}
END_TEST

START_TEST(condition__a_number_of_500_digits_is_compared)
{
    char text[700] = "{\"a\":";
    memset(text + 5, '9', 500);
    strcpy(text + 505, "}");
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, text);
    ck_assert(holds("a > 1e300", batch, 0));
    sl_batch_unref(batch);
    char longer[1600] = "{\"a\":";
    memset(longer + 5, '9', 1500);
    strcpy(longer + 1505, "}");
    batch = sl_test_batch_parsed(NULL, 0, longer);
    ck_assert(!holds("a > 1e300", batch, 0));
    ck_assert(!holds("a <= 1e300", batch, 0));
    sl_batch_unref(batch);
}
END_TEST

START_TEST(condition__reads_lines_as_they_will_be_wrapped)
{
    sl_batch *batch =
        sl_test_batch_raw("\"message\":\"common\"", SL_RECORD_COMMON | SL_RECORD_TRUNCATED, "bad \xff end\n");
    for (int sealed = 0; sealed < 2; sealed++) {
        if (sealed) ck_assert_int_eq(sl_batch_seal(batch), 0);
        ck_assert(
            holds("message == \"bad \\ufffd end\" and truncated == true and not exists(offset)", batch, 0));
    }
    sl_batch_unref(batch);
}
END_TEST

/* Two texts with escapes in one condition: the first must outlive the decoding of the second. */
START_TEST(condition__decodes_several_fields_of_one_record)
{
    sl_buf line = SL_BUF_NONE;
    sl_buf_append_cstr(&line, "{\"big\":\"");
    for (int i = 0; i < 4000; i++)
        sl_buf_append_cstr(&line, "\\n......");
    sl_buf_append_cstr(&line, "\",\"a\":\"x\\ty\"}");
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, sl_buf_cstr(&line));
    ck_assert(holds(
        "a == \"x\\ty\" and big contains \"...\\n\" and a endswith \"\\ty\" and big endswith \"\\n......\"",
        batch, 0));
    sl_batch_unref(batch);
    sl_buf_release(&line);
}
END_TEST

SL_TEST_MAIN("condition", condition__holds_or_not, condition__errors_tell_the_column_and_a_way_out,
             condition__is_bounded_in_length_and_depth, condition__empty_text_is_an_error,
             condition__sees_joined_names_and_raw_lines, condition__reads_lines_as_they_will_be_wrapped,
             condition__a_number_of_500_digits_is_compared, condition__decodes_several_fields_of_one_record)

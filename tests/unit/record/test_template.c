#include "check_main.h"
#include "golden.h"
#include "records.h"

static sl_template *template_of(const char *text)
{
    sl_err err = SL_ERR_NONE;
    sl_template *tpl = sl_template_parse(sl_span_of(text), &err);
    ck_assert_msg(tpl != NULL, "%s: %s", text, err.text);
    return tpl;
}

static bool check_written(const sl_golden_case *c)
{
    sl_batch *batch =
        sl_test_batch_parsed("\"file\":\"/a\"", SL_RECORD_COMMON | SL_RECORD_OFFSET, c->part[0]);
    sl_template *tpl = template_of(c->part[1]);
    sl_reader reader = {0};
    sl_buf out = SL_BUF_NONE;
    sl_buf_append_cstr(&out, "before ");
    for (int sealed = 0; sealed < 2; sealed++) {
        if (sealed) ck_assert_int_eq(sl_batch_seal(batch), 0);
        sl_reader_set(&reader, batch, &batch->recs[0]);
        size_t start = out.len;
        int res = sl_template_write(tpl, &reader, &out);
        ck_assert(res == 0 || (res == SL_E_NOT_FOUND && out.len == start));
        if (res != 0) sl_buf_append_char(&out, '-');
        sl_buf_append_char(&out, '\n');
    }
    sl_buf expected = SL_BUF_NONE;
    sl_buf_printf(&expected, "before %s\n%s\n", c->part[2], c->part[2]);
    bool right = sl_span_is(sl_buf_span(&out), sl_buf_span(&expected));
    if (!right) sl_golden_wrong(c, "%s of %s is %s", c->part[1], c->part[0], sl_buf_cstr(&out));
    sl_buf_release(&expected);
    sl_buf_release(&out);
    sl_reader_release(&reader);
    sl_template_free(tpl);
    sl_batch_unref(batch);
    return right;
}

START_TEST(template__is_written_from_open_and_sealed_records)
{
    ck_assert_int_ge(sl_golden_each("template/written.txt", 3, check_written), 30);
}
END_TEST

static bool check_error(const sl_golden_case *c)
{
    sl_err err = SL_ERR_NONE;
    sl_template *tpl = sl_template_parse(sl_span_of(c->part[0]), &err);
    bool right = !tpl && err.code == SL_E_SYNTAX && strncmp(err.text, c->part[1], strlen(c->part[1])) == 0;
    sl_template_free(tpl);
    return right || sl_golden_wrong(c, "`%s`: %s", c->part[0], tpl ? "is accepted" : err.text);
}

START_TEST(template__errors_tell_the_column)
{
    ck_assert_int_ge(sl_golden_each("template/errors.txt", 2, check_error), 15);
}
END_TEST

START_TEST(template__tells_what_it_depends_on)
{
    static const struct {
        const char *text;
        bool constant, fields;
    } cases[] = {
        {"", true, false},      {"logs", true, false},    {"100%%", true, false},
        {"a-%Y", false, false}, {"{{ a }}", false, true},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_template *tpl = template_of(cases[i].text);
        ck_assert(sl_template_is_constant(tpl) == cases[i].constant);
        ck_assert(sl_template_has_fields(tpl) == cases[i].fields);
        ck_assert(sl_span_is_cstr(sl_template_text(tpl), cases[i].text));
        sl_template_free(tpl);
    }
    char *large = sl_calloc(1, 20000);
    sl_err err = SL_ERR_NONE;
    ck_assert_ptr_null(sl_template_parse((sl_span){large, 20000}, &err));
    ck_assert_int_eq(err.code, SL_E_LIMIT);
    sl_free(large);
}
END_TEST

START_TEST(template__writes_times_before_1970)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{}");
    batch->recs[0].time_ns = -1000000;
    sl_template *tpl = template_of("%Y-%m-%d %H:%M:%S.%L %j");
    sl_reader reader = {0};
    sl_buf out = SL_BUF_NONE;
    sl_reader_set(&reader, batch, &batch->recs[0]);
    ck_assert_int_eq(sl_template_write(tpl, &reader, &out), 0);
    ck_assert_str_eq(sl_buf_cstr(&out), "1969-12-31 23:59:59.999 365");
    sl_buf_release(&out);
    sl_reader_release(&reader);
    sl_template_free(tpl);
    sl_batch_unref(batch);
}
END_TEST

static int64_t granule(const char *text)
{
    sl_template *tpl = sl_template_parse(sl_span_of(text), NULL);
    ck_assert_ptr_nonnull(tpl);
    int64_t granule = sl_template_granule(tpl);
    sl_template_free(tpl);
    return granule;
}

START_TEST(template__granule_is_how_long_a_text_stays_the_same)
{
    ck_assert_int_eq(granule("plain"), 86400 * SL_NS_PER_S);
    ck_assert_int_eq(granule("%Y-%m-%d %j%e"), 86400 * SL_NS_PER_S);
    ck_assert_int_eq(granule("%Y-%H"), 3600 * SL_NS_PER_S);
    ck_assert_int_eq(granule("%H%M"), 60 * SL_NS_PER_S);
    ck_assert_int_eq(granule("%S-%H"), SL_NS_PER_S);
    ck_assert_int_eq(granule("%L"), SL_NS_PER_MS);
    ck_assert_int_eq(granule("100%%S"), 86400 * SL_NS_PER_S);
    ck_assert_int_eq(granule("%Y-{{ a }}"), 0);
}
END_TEST

SL_TEST_MAIN("template", template__granule_is_how_long_a_text_stays_the_same,
             template__is_written_from_open_and_sealed_records, template__errors_tell_the_column,
             template__tells_what_it_depends_on, template__writes_times_before_1970)

/* parse_cases.c: one line through the parse filter. */
#include "parse_cases.h"

#include <check.h>

extern const sl_plugin sl_filter_parse;

const char *sl_test_line_parsed(sl_test_filter *filter, uint16_t flags, sl_span line)
{
    sl_batch *batch = sl_batch_new();
    sl_batch_add(batch, sl_batch_dup(batch, line), SL_RECORD_RAW | flags, SL_TEST_TIME_NS, 17);
    sl_test_filter_apply(filter, batch);
    return sl_test_batch_written(batch);
}

void sl_test_batch_expect(sl_batch *batch, const sl_buf *want)
{
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    ck_assert(sl_span_is((sl_span){batch->text, batch->text_len}, sl_buf_span(want)));
    sl_batch_unref(batch);
}

void sl_test_line_check(const sl_line_case *c)
{
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_parse, c->yaml);
    const char *written = sl_test_line_parsed(filter, 0, c->line);
    ck_assert_msg(strcmp(written, c->written) == 0, "%s, %.200s:\n%.400s is not\n%.400s", c->yaml,
                  c->line.ptr, written, c->written);
    if (c->counter) ck_assert_uint_eq(sl_test_filter_count(filter, c->counter, c->value), 1);
    bool failed = c->counter && strcmp(c->counter, "errors_total") == 0;
    bool empty = c->counter && strcmp(c->counter, "empty_total") == 0;
    ck_assert_uint_eq(sl_test_filter_count(filter, "records_total", NULL), !failed && !empty);
    if (!c->counter) {
        ck_assert_uint_eq(sl_test_filter_count(filter, "repaired_total", NULL), 0);
        ck_assert_uint_eq(sl_test_filter_count(filter, "unconverted_total", NULL), 0);
        ck_assert_uint_eq(sl_test_filter_count(filter, "bad_times_total", NULL), 0);
    }
    sl_test_filter_free(filter);
}

#include "check_main.h"
#include "filters.h"
#include "records.h"

extern const sl_plugin sl_filter_keep, sl_filter_drop;

static const char *const lines = "{\"level\":\"error\",\"n\":1}\n{\"level\":\"info\",\"n\":2}\n{\"n\":3}\n";

START_TEST(keep__lets_go_on_what_the_condition_holds_for)
{
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_keep, "'level == \"error\" or not exists(level)'");
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, lines);
    sl_test_filter_apply(filter, batch);
    ck_assert_uint_eq(batch->live, 2);
    ck_assert_uint_eq(batch->recs[1].fate, SL_FATE_FILTERED);
    ck_assert_uint_eq(sl_test_filter_count(filter, "records_total", NULL), 1);
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"level\":\"error\",\"n\":1}\n{\"n\":3}\n");
    sl_test_filter_free(filter);
}
END_TEST

START_TEST(drop__takes_out_what_the_condition_holds_for)
{
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_drop, "{when: 'n >= 2'}");
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, lines);
    sl_test_filter_apply(filter, batch);
    sl_test_filter_apply(filter, batch); /* what is gone is not counted again */
    ck_assert_uint_eq(sl_test_filter_count(filter, "records_total", NULL), 2);
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"level\":\"error\",\"n\":1}\n");
    sl_test_filter_free(filter);
}
END_TEST

START_TEST(drop__reads_lines_without_changing_them)
{
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_drop, "'message contains \"DEBUG\"'");
    sl_batch *batch = sl_test_batch_raw(NULL, 0, "DEBUG x\nINFO y\n{\"message\":\"DEBUG\"}\n");
    sl_test_filter_apply(filter, batch);
    ck_assert_uint_eq(batch->live, 1);
    ck_assert(batch->recs[1].flags & SL_RECORD_RAW);
    sl_batch_unref(batch);
    sl_test_filter_free(filter);
}
END_TEST

START_TEST(keep__a_broken_condition_is_a_configuration_error)
{
    const char *errors = NULL;
    ck_assert_ptr_null(sl_test_filter_try(&sl_filter_keep, "'level = \"error\"'", &errors));
    ck_assert_ptr_nonnull(strstr(errors, "values are compared with `==`"));
    ck_assert_ptr_nonnull(strstr(errors, "test.yaml:1:"));
    ck_assert_ptr_null(sl_test_filter_try(&sl_filter_drop, "{}", &errors));
    ck_assert_ptr_nonnull(strstr(errors, "`when`"));
}
END_TEST

SL_TEST_MAIN("keep_drop", keep__lets_go_on_what_the_condition_holds_for,
             drop__takes_out_what_the_condition_holds_for, drop__reads_lines_without_changing_them,
             keep__a_broken_condition_is_a_configuration_error)

#include "cw_fixture.h"

static void check_wrong(const char *more, const char *says)
{
    char yaml[1024];
    snprintf(yaml, sizeof yaml, "{region: eu-west-1%s}", more);
    cw_fixture f;
    ck_assert_msg(!cw_fixture_read(&f, yaml), "%s", more);
    ck_assert_msg(strstr(f.said, says) != NULL, "%s: %s", more, f.said);
    cw_fixture_end(&f);
}

START_TEST(conf__says_what_is_wrong)
{
    check_wrong(", stream: s", "`group`");
    check_wrong(", group: g", "`stream`");
    check_wrong(", group: 'a b', stream: s", "option `group`");
    check_wrong(", group: aws/x, stream: s", "option `group`");
    check_wrong(", group: g, stream: 'a:b'", "option `stream`");
    check_wrong(", group: g, stream: s, create: {retention_days: 2}", "2 days");
    check_wrong(", group: g, stream: s, create: {log_group_class: cheap}", "infrequent_access");
    check_wrong(", group: g, stream: s, create: {tags: {'': x}}", "create.tags");
    check_wrong(", group: g, stream: s, max_event_size: 2MiB", "max_event_size");
    check_wrong(", group: g, stream: s, max_event_age: 15d", "max_event_age");
    check_wrong(", group: g, stream: s, compress: zstd", "gzip");
    check_wrong(", group: g, stream: s, endpoint: 'logs'", "endpoint");
    check_wrong(", group: g, stream: s, url: 'https://logs'", "url");
}
END_TEST

START_TEST(conf__has_the_services_defaults)
{
    cw_fixture f;
    ck_assert_msg(cw_fixture_read(&f, "{region: eu-west-1, group: '/app/{{ a }}', stream: '{{ b }}'}"), "%s",
                  f.said);
    ck_assert_uint_eq(f.conf.max_event_size, 1048576);
    ck_assert_int_eq(f.conf.max_event_age_ns, CW_MAX_PAST_NS);
    ck_assert(!f.conf.create.group && f.conf.create.stream);
    cw_fixture_end(&f);
    const sl_output_ops *ops = sl_output_cloudwatch.output;
    ck_assert(ops->by_time && ops->partition && ops->headers);
    ck_assert_uint_eq(ops->max_per_second, 5000);
    ck_assert_int_eq(ops->max_age_ns, SL_NS_PER_S);
}
END_TEST

SL_TEST_MAIN("cw_conf", conf__says_what_is_wrong, conf__has_the_services_defaults)

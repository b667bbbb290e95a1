#include "check_main.h"
#include <sluice/aws.h>

static const sl_aws_service logs = {.name = "logs", .host = "logs", .gov_is_fips = true};
static const sl_aws_service other = {.name = "other", .host = "portal.other"};

START_TEST(aws_endpoint__names_follow_region_partition_fips_and_dual_stack)
{
    const struct {
        const char *region;
        bool fips, dual_stack;
        const sl_aws_service *service;
        const char *url;
    } cases[] = {
        {"eu-west-1", false, false, &logs, "https://logs.eu-west-1.amazonaws.com"},
        {"us-east-1", true, false, &logs, "https://logs-fips.us-east-1.amazonaws.com"},
        {"eu-west-1", false, true, &logs, "https://logs.eu-west-1.api.aws"},
        {"us-east-1", true, true, &logs, "https://logs-fips.us-east-1.api.aws"},
        {"eu-west-1", false, false, &other, "https://portal.other.eu-west-1.amazonaws.com"},
        {"cn-north-1", false, false, &logs, "https://logs.cn-north-1.amazonaws.com.cn"},
        {"cn-north-1", true, false, &logs, "https://logs-fips.cn-north-1.amazonaws.com.cn"},
        {"cn-north-1", false, true, &logs, "https://logs.cn-north-1.api.amazonwebservices.com.cn"},
        {"us-gov-west-1", false, false, &logs, "https://logs.us-gov-west-1.amazonaws.com"},
        {"us-gov-west-1", true, false, &logs, "https://logs.us-gov-west-1.amazonaws.com"},
        {"us-gov-west-1", true, true, &logs, "https://logs-fips.us-gov-west-1.api.aws"},
        {"us-gov-west-1", true, false, &other, "https://portal.other-fips.us-gov-west-1.amazonaws.com"},
        {"us-iso-east-1", false, false, &logs, "https://logs.us-iso-east-1.c2s.ic.gov"},
        {"us-isob-east-1", false, false, &logs, "https://logs.us-isob-east-1.sc2s.sgov.gov"},
        {"us-isof-south-1", false, true, &logs, "https://logs.us-isof-south-1.api.aws.hci.ic.gov"},
        {"eu-isoe-west-1", false, false, &logs, "https://logs.eu-isoe-west-1.cloud.adc-e.uk"},
        {"eusc-de-east-1", false, false, &logs, "https://logs.eusc-de-east-1.amazonaws.eu"},
        {"xx-new-9", false, false, &logs, "https://logs.xx-new-9.amazonaws.com"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_aws_conf conf = {.fips = cases[i].fips, .dual_stack = cases[i].dual_stack};
        sl_buf url = SL_BUF_NONE;
        ck_assert_int_eq(sl_aws_endpoint(&conf, cases[i].service, sl_span_of(cases[i].region), &url, NULL),
                         0);
        ck_assert_str_eq(sl_buf_cstr(&url), cases[i].url);
        sl_buf_release(&url);
    }
}
END_TEST

START_TEST(aws_endpoint__the_option_stands_above_all_names)
{
    sl_aws_conf conf = {.endpoint = SL_SPAN("http://127.0.0.1:5000/aws//"), .fips = true};
    sl_buf url = SL_BUF_NONE;
    ck_assert_int_eq(sl_aws_endpoint(&conf, &logs, SL_SPAN("eu-west-1"), &url, NULL), 0);
    ck_assert_str_eq(sl_buf_cstr(&url), "http://127.0.0.1:5000/aws");
    sl_buf_release(&url);
}
END_TEST

START_TEST(aws_endpoint__what_can_be_no_region_becomes_no_host_name)
{
    char long_one[80];
    memset(long_one, 'a', sizeof long_one);
    long_one[64] = '\0';
    const char *const bad[] = {"",        "EU-WEST-1", "eu west 1", "evil.example/", "eu-west-1.evil.example",
                               "eu@evil", "-eu",       "eu-",       "eu_west_1",     long_one};
    for (size_t i = 0; i < SL_LEN(bad); i++) {
        sl_aws_conf conf = {.fips = false};
        sl_buf url = SL_BUF_NONE;
        sl_err err = SL_ERR_NONE;
        ck_assert_msg(sl_aws_endpoint(&conf, &logs, sl_span_of(bad[i]), &url, &err) == SL_E_CONFIG, "%s",
                      bad[i]);
        ck_assert_uint_eq(url.len, 0);
        ck_assert_ptr_nonnull(strstr(err.text, "can be no region"));
    }
}
END_TEST

SL_TEST_MAIN("aws_endpoint", aws_endpoint__names_follow_region_partition_fips_and_dual_stack,
             aws_endpoint__the_option_stands_above_all_names,
             aws_endpoint__what_can_be_no_region_becomes_no_host_name)

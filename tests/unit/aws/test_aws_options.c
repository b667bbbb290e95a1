#include "check_main.h"
#include "plugin_conf.h"
#include <sluice/aws.h>

static void check_bad(const sl_aws_conf *conf, const char *text)
{
    sl_err err = SL_ERR_NONE;
    ck_assert_msg(sl_aws_conf_check(conf, &err) == SL_E_CONFIG, "%s", text);
    ck_assert_msg(strstr(err.text, text) != NULL, "wanted %s, got %s", text, err.text);
    ck_assert_ptr_null(strstr(err.text, "geheim"));
}

START_TEST(aws_options__what_cannot_be_is_said_with_the_option)
{
    const sl_span id = SL_SPAN("AKID"), secret = SL_SPAN("geheim");
    check_bad(&(sl_aws_conf){.region = SL_SPAN("eu west")}, "option `region`: \"eu west\" can be no region");
    check_bad(&(sl_aws_conf){.endpoint = SL_SPAN("logs.local")}, "option `endpoint` has no scheme");
    check_bad(&(sl_aws_conf){.endpoint = SL_SPAN("https://a:geheim@b")},
              "option `endpoint` holds a user name or password");
    check_bad(&(sl_aws_conf){.access_key_id = id}, "option `access_key_id` needs `secret_access_key`");
    check_bad(&(sl_aws_conf){.secret_access_key = secret},
              "option `secret_access_key` needs `access_key_id`");
    check_bad(&(sl_aws_conf){.session_token = secret}, "option `session_token` needs `access_key_id`");
    check_bad(&(sl_aws_conf){.credentials = SL_AWS_OPTIONS}, "`options` needs `access_key_id`");
    check_bad(
        &(sl_aws_conf){.credentials = SL_AWS_ENVIRONMENT, .access_key_id = id, .secret_access_key = secret},
        "`credentials` names another source");
    check_bad(&(sl_aws_conf){.credentials = SL_AWS_IMDS, .profile = SL_SPAN("x")},
              "option `profile` has no use");
    check_bad(&(sl_aws_conf){.sts_endpoint = SL_SPAN("sts")}, "option `sts_endpoint` has no scheme");
    check_bad(&(sl_aws_conf){.assume_role.role_arn = SL_SPAN("logs")}, "option `assume_role.role_arn`");
    check_bad(&(sl_aws_conf){.assume_role.role_arn = SL_SPAN("arn:aws:iam::1:role/r\r\nx-y-z: 1")},
              "option `assume_role.role_arn`");
    const sl_span arn = SL_SPAN("arn:aws:iam::123456789012:role/logs");
    check_bad(&(sl_aws_conf){.assume_role = {.role_arn = arn, .session_name = SL_SPAN("a b")}},
              "option `assume_role.session_name`");
    check_bad(&(sl_aws_conf){.assume_role = {.role_arn = arn, .external_id = SL_SPAN("x")}},
              "option `assume_role.external_id`");
}
END_TEST

START_TEST(aws_options__what_can_be_passes)
{
    const sl_aws_conf good[] = {
        {.fips = false},
        {.region = SL_SPAN("eu-west-1"),
         .endpoint = SL_SPAN("https://vpce-1.logs.eu-west-1.vpce.amazonaws.com")},
        {.access_key_id = SL_SPAN("a"), .secret_access_key = SL_SPAN("b"), .session_token = SL_SPAN("c")},
        {.credentials = SL_AWS_OPTIONS, .access_key_id = SL_SPAN("a"), .secret_access_key = SL_SPAN("b")},
        {.credentials = SL_AWS_ENVIRONMENT},
        {.credentials = SL_AWS_PROFILE, .profile = SL_SPAN("x")},
        {.profile = SL_SPAN("x"), .sts_endpoint = SL_SPAN("https://sts.local")},
        {.assume_role = {.role_arn = SL_SPAN("arn:aws-cn:iam::123456789012:role/a/b-c_d+=,.@e"),
                         .external_id = SL_SPAN("a:b/c"),
                         .session_name = SL_SPAN("sluice@host")}},
    };
    for (size_t i = 0; i < SL_LEN(good); i++) {
        sl_err err = SL_ERR_NONE;
        ck_assert_msg(sl_aws_conf_check(&good[i], &err) == 0, "%zu: %s", i, err.text);
    }
}
END_TEST

START_TEST(aws_options__are_read_from_rows_that_another_table_takes_in)
{
    typedef struct outer {
        int64_t before;
        sl_aws_conf aws;
    } outer;
    static const sl_option rows[] = {SL_OPT_INLINE_TABLE(outer, aws, sl_aws_options), {0}};
    const char *yaml = "{region: eu-west-1, credentials: web_identity, fips: true, assume_role: "
                       "{role_arn: 'arn:aws:iam::123456789012:role/logs', duration: 1h}}";
    outer conf = {.before = 7};
    sl_test_conf read;
    ck_assert_msg(sl_test_conf_read(&read, "output `x`", rows, &conf, yaml), "%s", read.said);
    ck_assert(sl_span_is_cstr(conf.aws.region, "eu-west-1"));
    ck_assert_int_eq(conf.aws.credentials, SL_AWS_WEB_IDENTITY);
    ck_assert(conf.aws.fips && !conf.aws.dual_stack);
    ck_assert(sl_span_is_cstr(conf.aws.assume_role.session_name, "sluice"));
    ck_assert_int_eq(conf.aws.assume_role.duration_ns, 3600 * SL_NS_PER_S);
    ck_assert_int_eq(sl_aws_conf_check(&conf.aws, NULL), 0);
    sl_test_conf_end(&read);
    conf = (outer){.before = 7};
    ck_assert_msg(sl_test_conf_read(&read, "output `x`", rows, &conf, "{}"), "%s", read.said);
    ck_assert_int_eq(conf.aws.credentials, SL_AWS_AUTO);
    ck_assert_int_eq(sl_aws_conf_check(&conf.aws, NULL), 0);
    sl_test_conf_end(&read);
    conf = (outer){.before = 7};
    ck_assert(!sl_test_conf_read(&read, "output `x`", rows, &conf, "{assume_role: {external_id: ab}}"));
    ck_assert_ptr_nonnull(strstr(read.said, "needs the option `role_arn`"));
    sl_test_conf_end(&read);
}
END_TEST

SL_TEST_MAIN("aws_options", aws_options__what_cannot_be_is_said_with_the_option,
             aws_options__what_can_be_passes, aws_options__are_read_from_rows_that_another_table_takes_in)

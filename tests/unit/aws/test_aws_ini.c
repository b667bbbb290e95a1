#include "aws/aws_ini.h"
#include "check_main.h"

static const char text[] = "\xEF\xBB\xBF"
                           "orphan = 1\n"
                           "# a comment = 1\n"
                           "; another = 1\n"
                           "[default]\n"
                           "region = eu-west-1\n"
                           "  nested = no\n"
                           "Output=json   # behind white space\n"
                           "key = a#b;c\n"
                           "empty =\n"
                           "no equals sign\n"
                           "[ profile   a  ]\r\n"
                           "region\t=\tus-east-1\r\n"
                           "s3 =\n"
                           "  region = nested\n"
                           "[profile \"with space\"] ; why not\n"
                           "region = us-west-2\n"
                           "[sso-session a]\n"
                           "region = sso\n"
                           "[a]\n"
                           "region = plain\n"
                           "[profile a]\n"
                           "region = again\n"
                           "=value\n"
                           "[profilea]\n"
                           "region = joined\n"
                           "[profile b\n"
                           "region = unclosed";

static void check_get(const char *type, const char *name, const char *key, const char *wanted)
{
    sl_aws_section section = {type, sl_span_of(name)};
    sl_span got = sl_aws_ini_get(sl_span_of(text), &section, key);
    ck_assert_msg(sl_span_is_cstr(got, wanted), "[%s %s] %s: wanted \"%s\", got \"" SL_SPAN_FMT "\"", type,
                  name, key, wanted, SL_SPAN_ARG(got));
}

START_TEST(aws_ini__properties_are_found_in_their_section)
{
    check_get("", "default", "region", "eu-west-1");
    check_get("", "default", "output", "json");
    check_get("", "default", "OUTPUT", "json");
    check_get("", "default", "key", "a#b;c");
    check_get("", "default", "empty", "");
    check_get("", "default", "nested", "");
    check_get("", "default", "orphan", "");
    check_get("", "default", "a comment", "");
    check_get("profile", "default", "region", "");
    check_get("profile", "a", "region", "again"); /* the last one of two sections */
    check_get("profile", "a", "s3", "");
    check_get("profile", "with space", "region", "us-west-2");
    check_get("sso-session", "a", "region", "sso");
    check_get("", "a", "region", "plain");
    check_get("", "profilea", "region", "joined");
    check_get("profile", "b", "region", ""); /* never closed */
    check_get("profile", "", "region", "");
}
END_TEST

START_TEST(aws_ini__a_section_without_properties_is_there)
{
    sl_span only = SL_SPAN("[profile a]");
    ck_assert(sl_aws_ini_has(only, &(sl_aws_section){"profile", SL_SPAN("a")}));
    ck_assert(!sl_aws_ini_has(only, &(sl_aws_section){"", SL_SPAN("a")}));
    ck_assert(!sl_aws_ini_has(only, &(sl_aws_section){"profile", SL_SPAN("b")}));
    ck_assert(!sl_aws_ini_has(SL_SPAN_NONE, &(sl_aws_section){"profile", SL_SPAN("a")}));
}
END_TEST

SL_TEST_MAIN("aws_ini", aws_ini__properties_are_found_in_their_section,
             aws_ini__a_section_without_properties_is_there)

#include "check_main.h"
#include "net/url.h"

static void check_split(const char *url, bool https, const char *host, const char *port, const char *path)
{
    sl_url_parts parts = sl_url_split(sl_span_of(url));
    ck_assert_msg(parts.https == https, "%s", url);
    ck_assert_msg(sl_span_is_cstr(parts.host, host), "%s: host " SL_SPAN_FMT, url, SL_SPAN_ARG(parts.host));
    ck_assert_msg(sl_span_is_cstr(parts.port, port), "%s: port " SL_SPAN_FMT, url, SL_SPAN_ARG(parts.port));
    ck_assert_msg(sl_span_is_cstr(parts.path, path), "%s: path " SL_SPAN_FMT, url, SL_SPAN_ARG(parts.path));
}

START_TEST(url__is_taken_apart)
{
    check_split("https://logs.eu-west-1.amazonaws.com", true, "logs.eu-west-1.amazonaws.com", "", "");
    check_split("HTTPS://a:443/", true, "a", "", "");
    check_split("http://a:80", false, "a", "", "");
    check_split("https://a:80/b/c//", true, "a", "80", "/b/c");
    check_split("http://[::1]:8080/x", false, "[::1]", "8080", "/x");
    check_split("http://[fd00:ec2::23]", false, "[fd00:ec2::23]", "", "");
}
END_TEST

START_TEST(url__what_is_none_is_refused_without_showing_a_secret)
{
    const struct {
        const char *url, *text;
    } cases[] = {{"a:1", "x has no scheme"},
                 {"ftp://a", "is neither http:// nor https://"},
                 {"https://u:geheim@a", "x holds a user name or password: use z"},
                 {"https://", "x is not a URL"},
                 {"https://a/?q", "must end before any `?`"},
                 {"https://a/#f", "must end before any `?`"}};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_err err = SL_ERR_NONE;
        ck_assert_int_eq(sl_url_check(sl_span_of(cases[i].url), "x", "use z", &err), SL_E_CONFIG);
        ck_assert_msg(strstr(err.text, cases[i].text) != NULL, "%s: %s", cases[i].url, err.text);
        ck_assert_ptr_null(strstr(err.text, "geheim"));
    }
    ck_assert_int_eq(sl_url_check((sl_span){"https://a\0b", 11}, "x", "", NULL), SL_E_CONFIG);
    ck_assert_int_eq(sl_url_check(SL_SPAN("https://a:1/b"), "x", "", NULL), 0);
}
END_TEST

SL_TEST_MAIN("url", url__is_taken_apart, url__what_is_none_is_refused_without_showing_a_secret)

#include "check_main.h"
#include <sluice/fs.h>
#include <sluice/http.h>
#include <stdio.h>

#define OK NULL

static sl_http_conf with_url(sl_span *url)
{
    return (sl_http_conf){.url = {url, 1}, .tls.verify = true};
}

START_TEST(http_options__urls)
{
    const struct {
        const char *url;
        const char *error; /* a part of the message */
    } cases[] = {
        {"http://localhost:9200", OK},
        {"https://es-1.example.org", OK},
        {"https://es-1.example.org:9200/prefix/", OK},
        {"http://[::1]:9200", OK},
        {"http://10.0.0.1", OK},
        {"localhost:9200", "has no scheme"},
        {"es-1", "has no scheme"},
        {"//es-1:9200", "has no scheme"},
        {"ftp://es-1", "neither http"},
        {"http://", "not a URL"},
        {"http://es 1", "not a URL"},
        {"http://es-1:99999", "not a URL"},
        {"http://es-1:http", "not a URL"},
        {"", "has no scheme"},
        {"http://elastic:geheim@es-1:9200", "write them under `auth`"},
        {"http://elastic@es-1:9200", "write them under `auth`"},
        {"ftp://:geheim@es-1", "write them under `auth`"},
        {"http://es-1/?geheim=x", "must end before"},
        {"http://es-1/#x", "must end before"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_span url = sl_span_of(cases[i].url);
        sl_http_conf conf = with_url(&url);
        sl_err err = SL_ERR_NONE;
        int rc = sl_http_conf_check(&conf, &err);
        if (cases[i].error) {
            ck_assert_msg(rc == SL_E_CONFIG, "%s passed", cases[i].url);
            ck_assert_msg(strstr(err.text, cases[i].error) != NULL, "%s: %s", cases[i].url, err.text);
            ck_assert_msg(strncmp(err.text, "option `", 8) == 0, "%s", err.text);
        } else {
            ck_assert_msg(rc == 0, "%s: %s", cases[i].url, err.text);
        }
    }
}
END_TEST

START_TEST(http_options__an_error_never_shows_a_secret)
{
    const char *const urls[] = {"http://elastic:geheim@es-1:9200", "http://:geheim@es 1", "geheim@es",
                                "http://x:geheim@", "https://x:geheim@h:99999"};
    for (size_t i = 0; i < SL_LEN(urls); i++) {
        sl_span url = sl_span_of(urls[i]);
        sl_http_conf conf = with_url(&url);
        sl_err err = SL_ERR_NONE;
        ck_assert_int_eq(sl_http_conf_check(&conf, &err), SL_E_CONFIG);
        ck_assert_msg(!strstr(err.text, "geheim"), "%s", err.text);
    }
    sl_span url = SL_SPAN("http://es");
    sl_http_conf conf = with_url(&url);
    conf.auth.api_key = SL_SPAN("geheim\n");
    sl_err err = SL_ERR_NONE;
    ck_assert_int_eq(sl_http_conf_check(&conf, &err), SL_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "`api_key` holds a line break"));
    ck_assert_ptr_null(strstr(err.text, "geheim"));
}
END_TEST

static const char *error_of(const sl_http_conf *conf)
{
    static sl_err err;
    err = (sl_err)SL_ERR_NONE;
    return sl_http_conf_check(conf, &err) == 0 ? "" : err.text;
}
#define SAYS(conf, text) ck_assert_msg(strstr(error_of(conf), text) != NULL, "said: %s", error_of(conf))

START_TEST(http_options__what_excludes_what)
{
    sl_span url = SL_SPAN("https://es");
    sl_http_conf conf = with_url(&url);
    conf.auth.user = SL_SPAN("elastic");
    ck_assert_str_eq(error_of(&conf), "");
    conf.auth.bearer = SL_SPAN("t");
    SAYS(&conf, "give one of");
    conf.auth = (sl_auth_conf){.password = SL_SPAN("p")};
    SAYS(&conf, "needs a `user`");
    conf.auth = (sl_auth_conf){.api_key = SL_SPAN("k")};
    sl_opt_pair headers[] = {{SL_SPAN("X-Team"), SL_SPAN("booking")},
                             {SL_SPAN("authorization"), SL_SPAN("x")}};
    conf.headers = (sl_list){headers, 2};
    SAYS(&conf, "comes from `auth` already");
    headers[1] = (sl_opt_pair){SL_SPAN("content-TYPE"), SL_SPAN("x")};
    SAYS(&conf, "set by sluice itself");
    headers[1] = (sl_opt_pair){SL_SPAN("X Y"), SL_SPAN("x")};
    SAYS(&conf, "no name of a header");
    headers[1] = (sl_opt_pair){SL_SPAN("X-Y"), SL_SPAN("a\r\nSet: b")};
    SAYS(&conf, "line break");
    conf.headers.count = 1;
    ck_assert_str_eq(error_of(&conf), "");
    conf.compress = SL_COMPRESS_GZIP;
    conf.compress_level = 13;
    SAYS(&conf, "1 to 12");
    conf.url.count = 0;
    SAYS(&conf, "`url` is missing");
}
END_TEST

START_TEST(http_options__tls_files_must_be_readable)
{
    sl_span url = SL_SPAN("https://es");
    sl_http_conf conf = with_url(&url);
    char path[512];
    snprintf(path, sizeof path, "%s/ca.pem", sl_test_dir());
    conf.tls.ca = sl_span_of(path);
    SAYS(&conf, "option `tls.ca`: cannot read");
    ck_assert_int_eq(sl_fs_write_file(path, "x", 1, 0600), 0);
    ck_assert_str_eq(error_of(&conf), "");
    conf.tls.key = sl_span_of(path);
    SAYS(&conf, "`tls.key` needs `tls.cert`");
    conf.tls.key = SL_SPAN_NONE;
    conf.tls.pinned_key = SL_SPAN("abc");
    SAYS(&conf, "sha256//");
}
END_TEST

SL_TEST_MAIN("http_options", http_options__urls, http_options__an_error_never_shows_a_secret,
             http_options__what_excludes_what, http_options__tls_files_must_be_readable)

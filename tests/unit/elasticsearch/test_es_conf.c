#include "es_fixture.h"
#include <sluice/fs.h>

START_TEST(es_conf__the_options_are_well_formed)
{
    sl_err err = SL_ERR_NONE;
    ck_assert_msg(sl_options_check(sl_output_elasticsearch.options, sizeof(es_conf), &err) == 0, "%s",
                  err.text);
}
END_TEST

START_TEST(es_conf__what_passes_and_what_does_not)
{
    const struct {
        const char *yaml;
        const char *says; /* NULL: it passes */
    } cases[] = {
        {"http://localhost:9200", NULL},
        {"url: [http://a:9200, http://b:9200]", NULL},
        {"{url: http://a, index: 'booking-%Y.%m.%d'}", NULL},
        {"{url: http://a, index: '{{ service }}-x', index_fallback: other}", NULL},
        {"{url: http://a, data_stream: logs-booking-production}", NULL},
        {"{url: http://a, auth: {api_key: abc}, compress: gzip, tls: {verify: false}}", NULL},
        {"{url: http://a, action: update, id: '{{ n }}', routing: '{{ r }}', pipeline: geo}", NULL},
        {"{}", "option `url` is missing"},
        {"{url: a}", "has no scheme"},
        {"{url: http://a, index: Booking}", "no name of an index"},
        {"{url: http://a, index: .security}", "no name of an index"},
        {"{url: http://a, index: 'a b'}", "no name of an index"},
        {"{url: http://a, index_fallback: _x}", "option `index_fallback`"},
        {"{url: http://a, index: x, data_stream: logs-a-b}", "give it or `index`"},
        {"{url: http://a, data_stream: LOGS}", "option `data_stream`"},
        {"{url: http://a, data_stream: logs-a-b, action: index}", "nothing but `create`"},
        {"{url: http://a, cloud_id: x}", "not both"},
        {"{cloud_id: x}", "copy it from"},
        {"{url: http://a, action: delete}", "delete"},
        {"{url: http://a, install: {name: A}}", "`install.name`"},
        {"{url: http://a, install: {template: /nowhere/x.json}}", "option `install.template`: cannot read"},
        {"{url: http://a, compres: gzip}", "compress"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        es_fixture f;
        bool ok = es_fixture_read(&f, cases[i].yaml);
        ck_assert_msg(ok == !cases[i].says, "%s: %s", cases[i].yaml, f.said);
        if (cases[i].says)
            ck_assert_msg(strstr(f.said, cases[i].says) != NULL, "%s: %s", cases[i].yaml, f.said);
        es_fixture_end(&f);
    }
}
END_TEST

START_TEST(es_conf__defaults_are_safe)
{
    es_fixture f;
    ck_assert(es_fixture_read(&f, "https://a:9200"));
    ck_assert(f.conf.http.tls.verify);
    ck_assert_int_eq(f.conf.action, ES_CREATE);
    ck_assert_uint_eq(f.conf.http.url.count, 1);
    ck_assert_int_eq(f.conf.http.timeout_ns, 60 * SL_NS_PER_S);
    ck_assert_uint_eq(f.conf.http.max_answer, 16u << 20);
    ck_assert_int_eq(f.conf.http.compress, SL_COMPRESS_NONE);
    ck_assert(sl_span_is(sl_template_text(f.conf.index), SL_SPAN("sluice-%Y.%m.%d")));
    es_fixture_end(&f);
}
END_TEST

START_TEST(es_conf__installs_only_json)
{
    char path[512], yaml[1024];
    snprintf(path, sizeof path, "%s/template.json", sl_test_dir());
    snprintf(yaml, sizeof yaml, "{url: http://a, install: {template: %s}}", path);
    const struct {
        const char *text;
        bool ok;
    } cases[] = {{"{\"index_patterns\":[\"a-*\"]}", true}, {"[1]", false}, {"{\"a\":", false}, {"", false}};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        ck_assert_int_eq(sl_fs_write_file(path, cases[i].text, strlen(cases[i].text), 0600), 0);
        es_fixture f;
        ck_assert_msg(es_fixture_read(&f, yaml) == cases[i].ok, "%s: %s", cases[i].text, f.said);
        if (!cases[i].ok) ck_assert_ptr_nonnull(strstr(f.said, "is no JSON object"));
        es_fixture_end(&f);
    }
}
END_TEST

START_TEST(es_conf__cloud_ids)
{
    const struct {
        const char *id, *url; /* NULL: it is none */
    } cases[] = {
        /* us-east-1.aws.found.io$4fa8821e75634032bed1cf22110e2f97$4fa8821e75634032bed1cf22110e2f96 */
        {"staging:"
         "dXMtZWFzdC0xLmF3cy5mb3VuZC5pbyQ0ZmE4ODIxZTc1NjM0MDMyYmVkMWNmMjIxMTBlMmY5NyQ0ZmE4ODIxZTc1NjM0MDMyYmV"
         "kMWNmMjIxMTBlMmY5Ng==",
         "https://4fa8821e75634032bed1cf22110e2f97.us-east-1.aws.found.io:443"},
        /* host.example:9243$abc$def */
        {"n:aG9zdC5leGFtcGxlOjkyNDMkYWJjJGRlZg==", "https://abc.host.example:9243"},
        /* host.example$abc:9244$def */
        {"n:aG9zdC5leGFtcGxlJGFiYzo5MjQ0JGRlZg==", "https://abc.host.example:9244"},
        /* host.example$abc */
        {"aG9zdC5leGFtcGxlJGFiYw==", "https://abc.host.example:443"},
        {"n:", NULL},
        {"", NULL},
        {"n:!!!", NULL},
        {"n:aG9zdA==", NULL},             /* host */
        {"n:aG9zdC9AZXZpbCRhYmM=", NULL}, /* host/@evil$abc */
        {"n:aG9zdDphYiRhYmM=", NULL},     /* host:ab$abc */
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        char *url = es_cloud_id_url(sl_span_of(cases[i].id));
        if (cases[i].url) {
            ck_assert_ptr_nonnull(url);
            ck_assert_str_eq(url, cases[i].url);
        } else {
            ck_assert_msg(!url, "%s: %s", cases[i].id, url);
        }
        sl_free(url);
    }
    es_fixture f;
    ck_assert(es_fixture_read(&f, "cloud_id: n:aG9zdC5leGFtcGxlOjkyNDMkYWJjJGRlZg=="));
    ck_assert(sl_span_is(SL_LIST_AT(f.conf.http.url, sl_span, 0), SL_SPAN("https://abc.host.example:9243")));
    es_fixture_end(&f);
}
END_TEST

START_TEST(es_conf__names_of_indices)
{
    char longest[ES_MAX_INDEX_NAME + 2];
    memset(longest, 'a', sizeof longest);
    longest[ES_MAX_INDEX_NAME + 1] = '\0';
    ck_assert(!es_index_is_valid(sl_span_of(longest)));
    longest[ES_MAX_INDEX_NAME] = '\0';
    ck_assert(es_index_is_valid(sl_span_of(longest)));
    const char *const good[] = {"a",  "booking-2024.05.01", "a_b", "a+b", "1", "größe", "a.b", "a%b", "a{b}",
                                "a'b"};
    const char *const bad[] = {"",    ".",   "..",  ".a",   "-a",  "_a",   "+a",   "A",
                               "aB",  "a b", "a/b", "a\\b", "a*",  "a?",   "a\"b", "a<b",
                               "a>b", "a|b", "a,b", "a#b",  "a:b", "a\nb", "a\tb", "a\x7f"};
    for (size_t i = 0; i < SL_LEN(good); i++)
        ck_assert_msg(es_index_is_valid(sl_span_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < SL_LEN(bad); i++)
        ck_assert_msg(!es_index_is_valid(sl_span_of(bad[i])), "%s", bad[i]);
    ck_assert(!es_index_is_valid((sl_span){"a\0b", 3}));
}
END_TEST

START_TEST(es_conf__servers)
{
    const struct {
        const char *body;
        es_server server;
    } cases[] = {
        {"{\"name\":\"n\",\"version\":{\"number\":\"8.15.0\",\"build_flavor\":\"default\"},\"tagline\":\"You "
         "Know\"}",
         {ES_ELASTICSEARCH, 8, 15}},
        {"{\"version\" : {\n \"number\" : \"7.10.2\"}}", {ES_ELASTICSEARCH, 7, 10}},
        {"{\"version\":{\"distribution\":\"opensearch\",\"number\":\"2.19.0\"}}", {ES_OPENSEARCH, 2, 19}},
        {"{\"version\":{\"distribution\":\"opensearch\",\"number\":\"3.1.0-SNAPSHOT\"}}",
         {ES_OPENSEARCH, 3, 1}},
        {"{\"version\":{\"number\":\"6.8.23\"}}", {ES_ELASTICSEARCH, 6, 8}},
        {"{\"version\":{\"number\":8}}", {0}},
        {"{\"version\":{\"number\":\"x\"}}", {0}},
        {"{\"version\":{\"number\":{}}}", {0}},
        {"{\"version\":\"8.1\"}", {0}},
        {"{}", {0}},
        {"[]", {0}},
        {"<html>", {0}},
        {"", {0}},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        es_server server;
        bool is = es_server_read(sl_span_of(cases[i].body), &server);
        ck_assert_msg(is == (cases[i].server.product != ES_UNKNOWN), "%s", cases[i].body);
        ck_assert_int_eq(server.product, cases[i].server.product);
        ck_assert_int_eq(server.major, cases[i].server.major);
        ck_assert_int_eq(server.minor, cases[i].server.minor);
    }
}
END_TEST

SL_TEST_MAIN("es_conf", es_conf__the_options_are_well_formed, es_conf__what_passes_and_what_does_not,
             es_conf__defaults_are_safe, es_conf__installs_only_json, es_conf__cloud_ids,
             es_conf__names_of_indices, es_conf__servers)

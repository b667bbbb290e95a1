#include "../delivery/engine_fixture.h"
#include "es_fixture.h"
#include "http_fixture.h"

/* The output in its engine, against a server of the test that remembers ids. */

#define MAX_DOCS 20000

typedef struct server {
    const char *hello; /* answer to GET / */
    int hello_status;  /* 0: 200 */
    bool has_policies; /* else "no handler found" */
    bool installed;    /* template and policy are there already */
    unsigned puts, gets, bulks, docs, conflicts;
    char put_path[8][128], put_body[8][256];
    char ids[MAX_DOCS][SL_ID_SHORT_LEN + 1];
    const char *(*item)(unsigned doc, const char *line); /* NULL: created; else the item's inside */
    unsigned max_docs;                                   /* more in a request: 413 */
    bool malformed_at_frame_3;
    unsigned lose_answers; /* take the records, close without an answer */
    char target[128];
} server;

static void say(sl_test_answer *answer, int status, const char *text)
{
    answer->status = status;
    sl_buf_clear(&answer->body);
    sl_buf_append_cstr(&answer->body, text);
}

static bool store(server *s, const char *action)
{
    char id[SL_ID_SHORT_LEN + 1];
    const char *at = strstr(action, "\"_id\":\"");
    ck_assert_int_eq(sscanf(at, "\"_id\":\"%22[^\"]", id), 1);
    ck_assert_uint_eq(strlen(id), SL_ID_SHORT_LEN);
    for (unsigned i = 0; i < s->docs; i++) {
        if (strcmp(s->ids[i], id) != 0) continue;
        s->conflicts++;
        return false;
    }
    ck_assert_uint_lt(s->docs, MAX_DOCS);
    strcpy(s->ids[s->docs++], id);
    return true;
}

static unsigned count_char(sl_span text, char c)
{
    unsigned count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == c;
    return count;
}

static void take_docs(server *s, char *text, sl_test_answer *answer)
{
    sl_buf_append_cstr(&answer->body, "{\"errors\":false,\"items\":[");
    char *rest = NULL;
    unsigned n = 0;
    for (char *action = strtok_r(text, "\n", &rest); action; action = strtok_r(NULL, "\n", &rest), n++) {
        const char *doc = strtok_r(NULL, "\n", &rest);
        ck_assert_ptr_nonnull(doc);
        const char *refusal = s->item ? s->item(s->docs, doc) : NULL;
        const char *inside = refusal ? refusal : store(s, action) ? "\"status\":201" : "\"status\":409";
        sl_buf_printf(&answer->body, "%s{\"create\":{%s}}", n ? "," : "", inside);
    }
    sl_buf_append_cstr(&answer->body, "]}");
}

static void take_bulk(server *s, const sl_test_request *req, sl_test_answer *answer)
{
    s->bulks++;
    snprintf(s->target, sizeof s->target, "%.*s", (int)strcspn(req->path, "?"), req->path);
    unsigned docs = count_char(req->body, '\n') / 2;
    ck_assert(sl_span_is(sl_test_header(req, "Content-Type"), SL_SPAN("application/x-ndjson")));
    if (s->max_docs && docs > s->max_docs) {
        say(answer, 413, "");
        return;
    }
    char *text = sl_strndup(req->body.ptr, req->body.len);
    if (s->malformed_at_frame_3 && strstr(text, "\"frame\":3,"))
        say(answer, 400,
            "{\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"Malformed\"},\"status\":400}");
    else
        take_docs(s, text, answer);
    if (s->lose_answers && s->lose_answers--) answer->action = SL_TEST_CLOSE;
    sl_free(text);
}

static void take_setup(server *s, const sl_test_request *req, sl_test_answer *answer)
{
    bool policy = strstr(req->path, "polic") != NULL;
    if (policy && !s->has_policies) {
        say(answer, 400, "{\"error\":\"no handler found for uri [/_ilm] and method [GET]\"}");
    } else if (strcmp(req->method, "PUT") == 0) {
        ck_assert_uint_lt(s->puts, 8);
        snprintf(s->put_path[s->puts], sizeof s->put_path[0], "%.127s", req->path);
        snprintf(s->put_body[s->puts], sizeof s->put_body[0], SL_SPAN_FMT, SL_SPAN_ARG(req->body));
        s->puts++;
        say(answer, 200, "{\"acknowledged\":true}");
    } else {
        s->gets++;
        say(answer, s->installed ? 200 : 404, "{\"_seq_no\":7,\"_primary_term\":2}");
    }
}

static void serve(void *arg, const sl_test_request *req, sl_test_answer *answer)
{
    server *s = arg;
    if (strcmp(req->path, "/") == 0)
        say(answer, s->hello_status ? s->hello_status : 200,
            s->hello ? s->hello : "{\"version\":{\"number\":\"8.15.0\"}}");
    else if (strstr(req->path, "/_bulk"))
        take_bulk(s, req, answer);
    else
        take_setup(s, req, answer);
}

#define OPENSEARCH "{\"version\":{\"number\":\"2.19.0\",\"distribution\":\"opensearch\"}}"

typedef struct scene {
    server *s;
    sl_test_server *listening;
    es_fixture f;
    engine e;
} scene;

static void scene_init(scene *sc, const char *options)
{
    sc->s = sl_calloc(1, sizeof *sc->s);
    sc->listening = sl_test_server_start(serve, sc->s);
    char yaml[2048];
    snprintf(yaml, sizeof yaml, "{url: \"%s\", index: booking%s%s}", sl_test_server_url(sc->listening),
             options[0] ? ", " : "", options);
    bool ok = es_fixture_read(&sc->f, yaml);
    ck_assert_msg(ok, "%s: %s", yaml, sc->f.said);
    engine_init(&sc->e, &sl_output_elasticsearch, &sc->f.conf);
    sc->s->has_policies = true;
}

static void scene_end(scene *sc)
{
    engine_stop(&sc->e);
    sl_test_server_stop(sc->listening);
    es_fixture_end(&sc->f);
    sl_free(sc->s);
}

START_TEST(es_delivery__records_are_in_the_index_once)
{
    scene sc;
    scene_init(&sc, "compress: none");
    engine_start(&sc.e);
    engine_offer(&sc.e, 50, 20, 300);
    engine_drain(&sc.e);
    ck_assert_uint_eq(sc.s->docs, 1000);
    ck_assert_uint_eq(sc.s->conflicts, 0);
    ck_assert_str_eq(sc.s->target, "/booking/_bulk");
    scene_end(&sc);
}
END_TEST

START_TEST(es_delivery__an_answer_that_got_lost_doubles_nothing)
{
    scene sc;
    scene_init(&sc, "");
    sc.s->lose_answers = 6;
    engine_start(&sc.e);
    engine_offer(&sc.e, 50, 20, 300);
    engine_drain(&sc.e);
    ck_assert_uint_eq(sc.s->docs, 1000);
    ck_assert_uint_gt(sc.s->conflicts, 0); /* they came again, and were there */
    ck_assert_uint_eq(sl_ledger_get(&sc.e.ledger.delivered), 1000);
    scene_end(&sc);
}
END_TEST

static const char *refuse_some(unsigned doc, const char *line)
{
    static unsigned busy;
    if (strstr(line, "\"n\":3,"))
        return "\"status\":400,\"error\":{\"type\":\"document_parsing_exception\",\"reason\":\"failed to "
               "parse field "
               "[n]\",\"caused_by\":{\"type\":\"number_format_exception\",\"reason\":\"For input string: "
               "\\\"x\\\"\"}}";
    if (strstr(line, "\"n\":5,") && busy++ % 3)
        return "\"status\":429,\"error\":{\"type\":\"es_rejected_execution_exception\",\"reason\":\"busy\"}";
    (void)doc;
    return NULL;
}

START_TEST(es_delivery__each_item_has_its_own_fate)
{
    scene sc;
    scene_init(&sc, "");
    sc.s->item = refuse_some;
    engine_start(&sc.e);
    engine_offer(&sc.e, 30, 10, 300);
    engine_drain(&sc.e);
    ck_assert_uint_eq(sc.s->docs, 270);
    ck_assert_uint_eq(sc.s->conflicts, 0); /* what was delivered was not sent again */
    ck_assert_uint_eq(letters_written(), 30);
    ck_assert_str_eq(letters[0].reason, "rejected");
    ck_assert_str_eq(letters[0].last_error, "400 document_parsing_exception: failed to parse field [n] "
                                            "(number_format_exception: For input string: \"x\")");
    scene_end(&sc);
}
END_TEST

START_TEST(es_delivery__a_413_is_split)
{
    scene sc;
    scene_init(&sc, "");
    sc.s->max_docs = 77;
    engine_start(&sc.e);
    engine_offer(&sc.e, 30, 20, 300);
    engine_drain(&sc.e);
    ck_assert_uint_eq(sc.s->docs, 600);
    ck_assert_uint_eq(letters_written(), 0);
    scene_end(&sc);
}
END_TEST

START_TEST(es_delivery__a_malformed_request_is_narrowed_down_to_its_cause)
{
    scene sc;
    scene_init(&sc, "");
    sc.s->malformed_at_frame_3 = true;
    engine_start(&sc.e);
    uint64_t max_bytes = sc.e.delivery.request.max_bytes;
    engine_offer(&sc.e, 20, 4, 300);
    engine_drain(&sc.e);
    ck_assert_uint_eq(sc.s->docs, 76);
    ck_assert_uint_eq(letters_written(), 4);
    ck_assert_str_eq(letters[0].last_error, "400 illegal_argument_exception: Malformed");
    ck_assert_uint_eq(sc.e.worker->former.max_bytes, max_bytes); /* it was not for their size */
    scene_end(&sc);
}
END_TEST

/* ---- setting up ---- */

static void write_file(char *path, size_t size, const char *text)
{
    snprintf(path, size, "%s/x.json", sl_test_dir());
    ck_assert_int_eq(sl_fs_write_file(path, text, strlen(text), 0600), 0);
}

static void run_install(scene *sc, const char *policy_text, const char *more, void (*change)(server *s))
{
    char template[512], policy[512], options[1200];
    write_file(template, sizeof template, "{\"index_patterns\":[\"booking*\"]}");
    write_file(policy, sizeof policy, policy_text);
    snprintf(options, sizeof options, "install: {name: booking, template: %s, policy: %s%s}", template,
             policy, more);
    scene_init(sc, options);
    if (change) change(sc->s);
    engine_start(&sc->e);
    engine_offer(&sc->e, 5, 10, 300);
}

#define ILM "{\"policy\":{\"phases\":{}}}"
#define ISM "{\"policy\":{\"states\":[]}}"

START_TEST(es_delivery__installs_policy_and_template_before_the_first_record)
{
    scene sc;
    run_install(&sc, ILM, "", NULL);
    engine_drain(&sc.e);
    ck_assert_uint_eq(sc.s->puts, 2);
    ck_assert_str_eq(sc.s->put_path[0], "/_ilm/policy/booking");
    ck_assert_str_eq(sc.s->put_body[0], ILM);
    ck_assert_str_eq(sc.s->put_path[1], "/_index_template/booking");
    ck_assert_str_eq(sc.s->put_body[1], "{\"index_patterns\":[\"booking*\"]}");
    ck_assert_uint_eq(sc.s->docs, 50);
    scene_end(&sc);
}
END_TEST

static void is_installed(server *s)
{
    s->installed = true;
}

START_TEST(es_delivery__what_is_installed_is_left_alone_unless_told_otherwise)
{
    scene sc;
    run_install(&sc, ILM, "", is_installed);
    engine_drain(&sc.e);
    ck_assert_uint_eq(sc.s->puts, 0);
    ck_assert_uint_eq(sc.s->gets, 2);
    scene_end(&sc);
    run_install(&sc, ILM, ", overwrite: true", is_installed);
    engine_drain(&sc.e);
    ck_assert_uint_eq(sc.s->puts, 2);
    scene_end(&sc);
}
END_TEST

static void is_opensearch(server *s)
{
    s->hello = OPENSEARCH;
}

static void is_installed_opensearch(server *s)
{
    s->hello = OPENSEARCH;
    s->installed = true;
}

static void has_no_policies(server *s)
{
    s->hello = OPENSEARCH;
    s->has_policies = false;
}

START_TEST(es_delivery__opensearch_has_policies_of_its_own)
{
    scene sc;
    run_install(&sc, ISM, "", is_opensearch);
    engine_drain(&sc.e);
    ck_assert_str_eq(sc.s->put_path[0], "/_plugins/_ism/policies/booking");
    scene_end(&sc);
    run_install(&sc, ISM, ", overwrite: true", is_installed_opensearch);
    engine_drain(&sc.e);
    ck_assert_str_eq(sc.s->put_path[0], "/_plugins/_ism/policies/booking?if_seq_no=7&if_primary_term=2");
    scene_end(&sc);
    run_install(&sc, ISM, "", has_no_policies); /* a distribution without the plugin */
    engine_drain(&sc.e);
    ck_assert_uint_eq(sc.s->puts, 1);
    ck_assert_str_eq(sc.s->put_path[0], "/_index_template/booking");
    scene_end(&sc);
}
END_TEST

static bool says_trouble(void *arg)
{
    scene *sc = arg;
    char status[512];
    sl_output_worker_status(sc->e.worker, status, sizeof status);
    return strcmp(status, "ok") != 0;
}

static void check_refused(scene *sc, const char *says)
{
    ck_assert(wait_for(says_trouble, sc));
    char status[512];
    sl_output_worker_status(sc->e.worker, status, sizeof status);
    ck_assert_msg(strstr(status, says) != NULL, "%s", status);
    ck_assert_uint_eq(sc->s->bulks, 0);
    ck_assert_uint_eq(sl_ledger_get(&sc->e.ledger.buffered), 50);
}

START_TEST(es_delivery__a_policy_of_the_other_product_is_told)
{
    scene sc;
    run_install(&sc, ILM, "", is_opensearch);
    check_refused(&sc, "install.policy is a policy of Elasticsearch");
    scene_end(&sc);
    run_install(&sc, ISM, "", NULL);
    check_refused(&sc, "install.policy is a policy of OpenSearch");
    scene_end(&sc);
}
END_TEST

START_TEST(es_delivery__servers_that_will_do_and_that_will_not)
{
    const struct {
        int status;
        const char *hello, *refused; /* NULL: records go there */
    } cases[] = {
        {200, "{\"version\":{\"number\":\"7.17.0\"}}", NULL},
        {200, "{\"version\":{\"number\":\"9.1.0\"}}", NULL},
        {200, OPENSEARCH, NULL},
        {200, "<html>something else</html>", NULL},
        {403, "{\"error\":{\"type\":\"security_exception\"}}", NULL}, /* may not ask */
        {404, "", NULL},
        {200, "{\"version\":{\"number\":\"6.8.23\"}}", "the server is Elasticsearch 6.8: sluice needs 7.0"},
        {401, "", "check `auth`"},
        {503, "", "status 503"},
        {302, "", "status 302"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        scene sc;
        scene_init(&sc, "");
        sc.s->hello_status = cases[i].status;
        sc.s->hello = cases[i].hello;
        engine_start(&sc.e);
        engine_offer(&sc.e, 5, 10, 300);
        if (cases[i].refused) {
            check_refused(&sc, cases[i].refused);
        } else {
            engine_drain(&sc.e);
            ck_assert_uint_eq(sc.s->docs, 50);
        }
        scene_end(&sc);
    }
}
END_TEST

SL_TEST_MAIN("es_delivery", es_delivery__records_are_in_the_index_once,
             es_delivery__an_answer_that_got_lost_doubles_nothing, es_delivery__each_item_has_its_own_fate,
             es_delivery__a_413_is_split, es_delivery__a_malformed_request_is_narrowed_down_to_its_cause,
             es_delivery__installs_policy_and_template_before_the_first_record,
             es_delivery__what_is_installed_is_left_alone_unless_told_otherwise,
             es_delivery__opensearch_has_policies_of_its_own,
             es_delivery__a_policy_of_the_other_product_is_told,
             es_delivery__servers_that_will_do_and_that_will_not)
